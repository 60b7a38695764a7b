"""How hits look: for people with the sentence that answers, as rows for programs, as Markdown, as names of files."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from searcher.cli.terminal import (
    bold,
    columns,
    dim,
    echo,
    fitted,
    link,
    name_of,
    printable,
    show_json,
    show_rows,
    width_of,
)
from searcher.places import file_of, line_of, said, stands
from searcher.records import Document, Passage
from searcher.system import shown
from searcher.words import telling

__all__ = [
    "FORMATS", "View", "asked_again", "place", "show_answer_line", "show_documents", "show_each", "show_hits",
    "show_lines",
]  # fmt: skip

LINES, ANSWER_LINES = 4, 2  # of a passage, and of the answer of a FAQ entry
WORD = re.compile(r"\S+")
CSV = ("rank", "score", "id", "source", "title", "section", "line", "place", "start", "end", "text")


@dataclass(frozen=True)
class View:
    """What of a hit is shown. question: whose words are marked; context: so many lines of the document around what
    answers; section: the whole section; explained: a line for each hit that says what it is made of; last: a line that
    says what the scores are worth.
    """

    question: str | None = None
    context: int | None = None
    section: bool = False
    explained: Sequence[str] = ()
    last: str | None = None
    document: Callable[[str], Document] | None = field(default=None, repr=False)


def show_hits(hits: Sequence[Passage], view: View | None = None) -> None:
    """Rank, score, where it stands, and of the passage the sentence that answers with what is around it."""
    view, width = view or View(), columns()
    for number, hit in enumerate(hits):
        _show_head(hit, width, view)
        if (view.context is not None or view.section) and view.document is not None:
            _show_lines(view.document(hit.source), hit, view)
        else:
            for line in _preview(hit, view.question, width - 4):
                echo("    ", *line)
        if answer := hit.metadata.get("answer"):
            show_answer_line(str(answer), width)
        if view.explained:
            echo("    ", dim(view.explained[number]))
        echo()
    if not hits:
        echo("nothing found")
    elif view.last:
        for line in _wrapped(words := view.last.split(), [False] * len(words), width):
            echo(dim("".join(map(str, line))))


def show_answer_line(answer: str, width: int) -> None:
    """An answer of the FAQ, in a line or two."""
    lines = list(_wrapped(words := answer.split(), [False] * len(words), width - 6))
    if len(lines) > ANSWER_LINES:
        last = "".join(map(str, lines[ANSWER_LINES - 1]))
        lines[ANSWER_LINES - 1 :] = [[f"{last} …" if width_of(last) < width - 7 else f"{last[:-1]}…"]]
    for number, line in enumerate(lines):
        echo("      " if number else "    → ", *line)


def _show_head(hit: Passage, width: int, view: View) -> None:
    """Rank, score, place and section, in one line."""
    rank, where = f"{hit.rank:>2}  {hit.score:.3f}  ", place(hit)
    left = width - width_of(rank)
    if width_of(where) > left:  # its end tells more than its beginning
        where = "…" + _end_of(where, left - 1)
    rest = fitted(f"  {hit.section or hit.title or ''}".rstrip(), max(0, left - width_of(where)))
    echo(rank, link(bold(where), file_of(hit.source)), rest)


def _end_of(text: str, width: int) -> str:
    while width_of(text) > width:
        text = text[1:]
    return text


def place(hit: Passage) -> str:
    """File and line of a hit, of its sentence where that is known; page, sheet or the like where its file has those.

    A row of a table file has no line.
    """
    there, line = hit.answers_at
    if (number := line_of(hit.source, there, line)) is None:
        return ", ".join(filter(None, (name_of(hit.source), said(there or {}))))
    return f"{name_of(hit.source)}:{number}"


# -- the preview of a passage


def _preview(hit: Passage, question: str | None, width: int) -> Iterator[list[str]]:
    """Lines of words with the sentence that answers in bold, else the question's words; each a list of parts."""
    words = [(found.start(), found[0]) for found in WORD.finditer(hit.text)]
    if hit.highlight:
        begin, end = hit.highlight.start - hit.start, hit.highlight.end - hit.start
        marked = [begin <= at < end for at, _ in words]
    else:
        asked = telling(question or "")
        marked = [bool(asked & telling(word)) for _, word in words]
    first, last = _window([word for _, word in words], marked, LINES * width)
    shown_words = [printable(word) for _, word in words[first:last]]
    if first:
        shown_words[0] = f"… {shown_words[0]}"
    if last < len(words):
        shown_words[-1] += " …"
    yield from _wrapped(shown_words, marked[first:last], width)


def _window(words: Sequence[str], marked: Sequence[bool], room: int) -> tuple[int, int]:
    """First and last word of a stretch that takes so many columns and holds as much of what is marked as it can."""
    edges = [0, *accumulate(width_of(word) + 1 for word in words)]
    if edges[-1] <= room or not words:
        return 0, len(words)
    room -= 4  # for the ellipses
    places = [number for number, mark in enumerate(marked) if mark] or [0]

    def held(first: int) -> int:
        return sum(edges[first] <= edges[number] < edges[first] + room for number in places)

    begin = edges[max(places, key=held)]
    first = bisect_left(edges, max(0, begin - room // 4))  # a little of what leads to it
    last = bisect_right(edges, edges[first] + room) - 1
    if last == len(words):  # the text ends before the room does
        first = bisect_left(edges, max(0, edges[-1] - room))
    return first, max(last, first + 1)


def _wrapped(words: Sequence[str], marked: Sequence[bool], width: int) -> Iterator[list[str]]:
    """The words in lines of that width, those that are marked in bold."""
    line: list[str] = []
    used = 0
    for word, mark in zip(words, marked, strict=True):
        if line and used + 1 + width_of(word) > width:
            yield line
            line, used = [], 0
        word = fitted(word, width)
        part: str = bold(word) if mark else word
        line += [" ", part] if line else [part]
        used += width_of(word) + (1 if used else 0)
    if line:
        yield line


# -- the document around a hit


def _show_lines(document: Document, hit: Passage, view: View) -> None:
    """Lines of the document with their numbers: around what answers, or the whole section."""
    from searcher.text import around, section_of

    text = document.text
    marks = _answering(hit, view.question)
    start, end = section_of(document, marks[0]) if view.section else around(text, *marks, view.context or 0)
    show_lines(document, start, end, marks)


def asked_again(kind: str | None, text: str) -> tuple[int, int]:
    r"""Start and end of the question that an entry of a FAQ says again before its answer; (0, 0) of any other.

    >>> asked_again("faq", "How?\nIn what way?\nHow?\nSo.")
    (18, 23)
    """
    question = text.partition("\n")[0]
    at = text.find(f"\n{question}\n", len(question)) + 1 if kind == "faq" else 0
    return (at, at + len(question) + 1) if at else (0, 0)


def show_lines(document: Document, start: int, end: int, marks: tuple[int, int]) -> None:
    """Lines of the document with their numbers, no question twice; those between two marks in bold."""
    from searcher.text import line_at

    text, digits = document.text, len(str(line_at(document, max(start, end - 1))))
    again = asked_again(document.kind, text)
    for piece in text[start:end].rstrip("\n").split("\n"):
        if again[0] <= start < again[1] < end:
            start += len(piece) + 1
            continue
        inside = start < marks[1] and start + len(piece) > marks[0]
        number = dim(f"    {line_at(document, start):>{digits}}{':' if inside else '-'} ")
        echo(number, bold(piece) if inside else piece)
        start += len(piece) + 1


def _answering(hit: Passage, question: str | None) -> tuple[int, int]:
    """Start and end in the document of the sentence that answers, else of the line with most words of the question."""
    if hit.highlight:
        return hit.highlight.start, hit.highlight.end
    asked, start, best = telling(question or ""), hit.start, (0, hit.start, hit.end)
    for line in hit.text.splitlines(keepends=True):
        held = len(asked & telling(line))
        if held > best[0]:
            best = held, start, start + len(line.rstrip())
        start += len(line)
    return best[1], best[2]


# -- other formats


def show_documents(hits: Sequence[Passage], view: View | None = None) -> None:
    """A line for each hit: rank, score, where it stands, and how it begins."""
    width = columns()
    for hit in hits:
        rank, where = f"{hit.rank:>2}  {hit.score:.3f}  ", place(hit)
        left = width - width_of(rank + where) - 2
        if left < 8:
            where = "…" + _end_of(where, max(1, width - width_of(rank) - 11))
            left = width - width_of(rank + where) - 2
        echo(rank, link(bold(where), file_of(hit.source)), "  ", fitted(" ".join(hit.text.split()), left))
    if not hits:
        echo("nothing found")


def _show_csv(hits: Sequence[Passage], view: View | None = None) -> None:
    """A row for each hit, under a header."""
    show_rows([CSV, *map(_row, hits)])


def _row(hit: Passage) -> list[object]:
    """Its values under CSV; line and place are of its sentence where that is known."""
    there, line = hit.answers_at
    told = {name: getattr(hit, name) for name in CSV} | {"line": line, "place": said(there or {})}
    return list(told.values())


def _show_markdown(hits: Sequence[Passage], view: View | None = None) -> None:
    """A quotation for each hit with its source, to be pasted where somebody reads or a program goes on."""
    for hit in hits:
        parts = (f"**{name_of(hit.source)}**", stands(hit.source, *hit.answers_at), hit.section)
        echo(f"{hit.rank}. {', '.join(part for part in parts if part)}\n")
        echo("\n".join(f"   > {line}" for line in hit.text.splitlines()) + "\n")


def _show_files(hits: Sequence[Passage], view: View | None = None) -> None:
    """The files of the hits, each once, the best first."""
    for name in dict.fromkeys(map(_file, hits)):
        echo(name)


def _file(hit: Passage) -> str:
    return shown(file_of(hit.source))


def _show_json(hits: Sequence[Passage], view: View | None = None) -> None:
    show_json([hit.as_dict() for hit in hits])


def _show_jsonl(hits: Sequence[Passage], view: View | None = None) -> None:
    for hit in hits:
        show_json(hit.as_dict())


FORMATS: dict[str, Callable[[Sequence[Passage], View | None], None]] = {
    "table": show_hits, "json": _show_json, "jsonl": _show_jsonl, "csv": _show_csv, "md": _show_markdown,
    "files": _show_files,
}  # fmt: skip


# -- the hits of several questions

Found = tuple[str, Sequence[Passage], View]  # a question, its hits, and how they are shown


def show_each(kind: str, found: Iterable[Found], documents: bool = False) -> None:
    """The hits of each question in a format, each printed before the next is asked for; programs get one whole."""
    if kind in OF_SEVERAL:
        OF_SEVERAL[kind](found)
        return
    show = show_documents if documents and kind == "table" else FORMATS[kind]
    for question, hits, view in found:
        echo(bold(f"── {question}"))
        show(hits, view)


def _each_json(found: Iterable[Found]) -> None:
    show_json([{"query": question, **hit.as_dict()} for question, hits, _ in found for hit in hits])


def _each_jsonl(found: Iterable[Found]) -> None:
    for question, hits, _ in found:
        for hit in hits:
            show_json({"query": question, **hit.as_dict()})


def _each_csv(found: Iterable[Found]) -> None:
    """Under one header, the question before each row."""
    head = [["query", *CSV]]
    for question, hits, _ in found:
        show_rows([*head, *([question, *_row(hit)] for hit in hits)])
        head = []


def _each_files(found: Iterable[Found]) -> None:
    met: set[str] = set()
    for _, hits, _ in found:
        for name in map(_file, hits):
            if name not in met:
                met.add(name)
                echo(name)


OF_SEVERAL: dict[str, Callable[[Iterable[Found]], None]] = {
    "json": _each_json, "jsonl": _each_jsonl, "csv": _each_csv, "files": _each_files,
}  # fmt: skip
