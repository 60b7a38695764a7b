"""FAQ files to documents: tables with question and answer, Markdown with what asks in it.

An entry is a document of kind "faq": a passage for each way of asking, and if wanted the answer, in a section of that
name.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate, pairwise
from typing import NamedTuple

from searcher.errors import UnreadableFile
from searcher.places import Place
from searcher.readers.commonmark import Blocks, parsed
from searcher.readers.decoding import decoded
from searcher.readers.faq_marks import Marked, in_bold, lettered
from searcher.readers.frontmatter import front_matter
from searcher.readers.headings import Heading, line_starts, lines
from searcher.readers.json_files import read_json
from searcher.readers.links import without_targets
from searcher.readers.markdown import headed
from searcher.readers.raw import Item, Raw, Reader, ReadOptions
from searcher.readers.tables import read_csv, read_jsonl, read_tsv
from searcher.records import ANSWER, Document, Failure, Note, Skipped

__all__ = ["FAQ_READERS"]

# At the end, where a quotation or a bracket may close behind it; Spanish and Armenian mark a question before.
QUESTION_MARK = re.compile(r"[?？؟⁇⁈⁉\u037e][\s\W]*$|[¿՞]")
DEFINITION = re.compile(r"[ ]{0,3}[:~][ \t]+(?=\S)")
FENCE = re.compile(r"\s*(`{3,}(?=[^`]*$)|~{3,})")
NEEDED = "an entry has fields question and answer"
BETWEEN = "\n\n"  # the pieces of an answer
SHOWN = 3  # titles that were left out
NOT_IN_AN_ANCHOR = re.compile(r"[^\w\- ]")


class Entry(NamedTuple):
    """Ways of asking and the answer, and where they stand.

    questions: each with its line of the file. answered: (offset in the answer, line) of each piece of the file in it.
    """

    questions: dict[str, int]
    answer: str
    answered: list[tuple[int, int]]

    @property
    def line(self) -> int:
        """That of the first question."""
        return next(iter(self.questions.values()))


class Defined(NamedTuple):
    """An entry of a definition list, `text[start:end]`; asks: whether it is a question, not a term."""

    entry: Entry
    start: int
    end: int
    asks: bool


def _with_answer(
    document: Document, read_as: Callable[[str], str] = str, answered: Sequence[tuple[int, int]] = ()
) -> Document:
    """An entry whose answer is embedded too, under its first question, as passages of a section of their own.

    An answer alone often does not say what it is about. read_as: what is embedded of an answer. answered: as in Entry.
    """
    end = len(document.text) + 1
    question = document.text[: document.breaks[0] if document.breaks else None].strip()
    answer = document.metadata["answer"]
    text = f"{document.text}\n{question}\n"
    places = [(end, document.places[0][1])] if answered else []
    places += [(len(text) + len(read_as(answer[:start])), Place(line=line)) for start, line in answered]
    return replace(
        document, text=text + read_as(answer), sections=((end, ANSWER),), breaks=(*document.breaks, end),
        places=(*document.places, *places),
    )  # fmt: skip


def _no_entry(row: Document) -> Failure:
    return Failure(row.source, f"no question with an answer; {NEEDED}", row.source)


def _entries_of(reader: Callable[[Raw, ReadOptions], Iterator[Item]]) -> Reader:
    """A reader of tables whose rows must be entries."""

    def read(raw: Raw, options: ReadOptions) -> Iterator[Item]:
        others: list[Document] | None = []  # rows that are no entries, while no row is one
        for item in reader(raw, options):
            if not isinstance(item, Document):
                yield item
            elif item.kind == "faq":
                yield from map(_no_entry, others or ())
                others = None
                yield _with_answer(item) if options.faq == "answers" else item
            elif others is None:
                yield _no_entry(item)
            else:
                others.append(item)
        if others:
            names = list(dict.fromkeys(name for row in others[:20] for name in row.metadata))
            reason = f"no row has a question with an answer; {NEEDED}, and these have: {', '.join(names) or 'neither'}"
            raise UnreadableFile(raw.source, reason)

    return read


def read_markdown_faq(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The entries of a Markdown file; a Failure if there are none."""
    whole = decoded(raw)
    front = front_matter(whole)
    text = front.text
    metadata = front.fields | ({"title": front.title} if front.title else {})
    skipped = len(line_starts(whole[: len(whole) - len(text)])) - 1
    anchors: dict[str, int] = {}
    left_out: list[str] = []
    blocks = parsed(text)
    plain = partial(without_targets, known=blocks.references)
    defined = sorted([*_defined(text), *map(_marked, lettered(text))], key=lambda own: own.start)
    if not defined and not any(_is_question(heading.title) for heading, _ in headed(text, blocks)):
        defined = list(map(_marked, in_bold(text)))
    named = (
        own._replace(questions=_distinct((plain(asked), at) for asked, at in own.questions.items()))
        for own, *_ in defined
    )
    found = sorted([*_headed(text, blocks, defined, left_out), *named], key=lambda entry: entry.line)
    for entry in found:
        questions, answered = list(entry.questions), [(start, line + skipped) for start, line in entry.answered]
        anchor = "-".join(NOT_IN_AN_ANCHOR.sub("", questions[0].lower()).split()) or "entry"
        anchors[anchor] = anchors.get(anchor, 0) + 1
        name = anchor if anchors[anchor] == 1 else f"{anchor}-{anchors[anchor] - 1}"  # as GitHub names them
        breaks = tuple(accumulate(len(question) + 1 for question in questions[:-1]))
        places = zip((0, *breaks), (Place(line=line + skipped) for line in entry.questions.values()), strict=True)
        document = Document(
            f"{raw.source}#{name}", "\n".join(questions), metadata=metadata | {"answer": entry.answer}, breaks=breaks,
            places=tuple(places), first_line=entry.line + skipped, kind="faq",
        )  # fmt: skip
        yield _with_answer(document, plain, answered) if options.faq == "answers" else document
    if front.faults:
        yield Note(raw.source, front.told)
    if not found:
        yield Failure(raw.source, "no heading with a text under it, no definition list, and neither Q: nor A:")
    elif left_out:
        more = f" and {len(left_out) - SHOWN} more" if len(left_out) > SHOWN else ""
        titles = ", ".join(f"{title!r:.80}" for title in left_out[:SHOWN])
        yield Skipped(raw.source, f"what stands under headings that do not ask: {titles}{more}")


def _headed(text: str, blocks: Blocks, defined: Sequence[Defined], left_out: list[str]) -> Iterator[Entry]:
    """Headings that ask, each with what stands under it; if none asks, those that have no headings under them.

    Headings that follow each other with nothing between are ways of asking for the same. Of the definitions under a
    heading, terms that are explained are part of its answer, and questions are not: where they stand under a heading
    that has no question mark, it is a chapter of theirs. left_out: titles of the headings that do not ask and have a
    text.
    """
    found = list(headed(text, blocks))
    asks = _asking([heading for heading, _ in found], [_has_text(text, found, at) for at in range(len(found))])
    starts = line_starts(text)
    waiting: list[Heading] = []
    answered = 0  # offset up to which the text is in an answer
    for at, (heading, below) in enumerate(found):
        if not asks[at] or (waiting and heading.level != waiting[0].level):
            waiting = []  # what stood above was a chapter without a text
        if not asks[at]:
            own = _outside(text, below, _next(text, found, at), defined)
            left_out += [heading.title] * (heading.start >= answered and bool(own))
            continue
        rest = zip(found[at + 1 :], asks[at + 1 :], strict=True)
        end = next((other.start for (other, _), asked in rest if asked or other.level <= heading.level), len(text))
        waiting.append(heading)
        if not text[below:end].strip():
            continue
        answered = end
        under = [own for own in defined if below <= own.start < end]
        body = _outside(text, below, end, [own for own in under if own.asks])
        prose = _outside(text, below, end, under)
        marked = _is_question(heading.title)
        if not marked and any(own.asks for own in under):
            left_out += [heading.title] * bool(prose)
        elif body and (marked or prose):
            asked = _distinct((heading.title, bisect_right(starts, heading.start)) for heading in waiting)
            ends = accumulate(len(piece) + len(BETWEEN) for _, piece in body)
            lines_of = [(at, bisect_right(starts, start)) for at, (start, _) in zip((0, *ends), body, strict=False)]
            yield Entry(asked, BETWEEN.join(piece for _, piece in body), lines_of)
        waiting = []


def _distinct(asked: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Questions and their lines, each question where it stands first."""
    found: dict[str, int] = {}
    for question, line in asked:
        found.setdefault(question, line)
    return found


def _outside(text: str, start: int, end: int, defined: Iterable[Defined]) -> list[tuple[int, str]]:
    """(offset, text) of the pieces between two offsets but for these definitions, without white space around them."""
    spans = []
    for own in defined:
        if start <= own.start < end:
            spans.append((start, own.start))
            start = min(own.end, end)
    spans.append((start, end))
    pieces = ((begin, text[begin:stop]) for begin, stop in spans)
    return [(begin + len(piece) - len(piece.lstrip()), piece.strip()) for begin, piece in pieces if piece.strip()]


def _next(text: str, found: Sequence[tuple[Heading, int]], at: int) -> int:
    """Where the heading after a heading begins, else where the text ends."""
    return found[at + 1][0].start if at + 1 < len(found) else len(text)


def _has_text(text: str, found: Sequence[tuple[Heading, int]], at: int) -> bool:
    """Whether something stands between a heading and the next one."""
    return bool(text[found[at][1] : _next(text, found, at)].strip())


def _is_question(asked: str) -> bool:
    return QUESTION_MARK.search(asked) is not None


def _asking(found: Sequence[Heading], filled: Sequence[bool]) -> list[bool]:
    """Which headings are entries: those with a question mark, and those beside one that have a text and lack theirs.

    filled: which have a text of their own, before any heading under them.
    """
    marked = [_is_question(heading.title) for heading in found]
    if not any(marked):
        return [not below or below.level <= own.level for own, below in pairwise([*found, None]) if own]
    places: list[tuple[int, ...]] = []  # of each heading, the numbers of those above it, and its level
    path: list[int] = []
    chapters: set[int] = set()
    for number, heading in enumerate(found):
        while path and found[path[-1]].level >= heading.level:
            path.pop()
        places.append((path[-1] if path else -1, heading.level))
        chapters.update(path if marked[number] else ())
        path.append(number)
    full = list(filled)
    for number in reversed(range(len(found))):
        above = places[number][0]
        if above >= 0:
            full[above] |= full[number]
    beside = {place for place, mark in zip(places, marked, strict=True) if mark}
    return [
        mark or (place in beside and full[number] and number not in chapters)
        for number, (place, mark) in enumerate(zip(places, marked, strict=True))
    ]


def _defined(text: str) -> Iterator[Defined]:
    """Definition lists as in PHP Markdown Extra: lines that ask, then lines that begin with a colon and answer."""
    asked: list[tuple[int, str]] = []
    answer: list[str] = []
    blank = False
    fence, indent = "", 0
    starts = [*line_starts(text), len(text), len(text)]
    for number, line in enumerate([*lines(text), "", "the end"], 1):
        inside = bool(fence)
        fence = _fence(line, fence)
        blanks = len(line) - len(line.lstrip())
        indent = indent if inside else blanks
        marker = None if inside else DEFINITION.match(line)
        plain = line.strip()
        if marker and (asked or answer):
            answer.append(line[marker.end() :].strip())
            fence = _fence(answer[-1], fence)
        elif answer and (inside or fence or not plain or not blank or line.startswith(("  ", "\t"))):
            answer.append(line[min(indent, blanks) :].rstrip())
        else:
            if answer:
                entry = _definition(asked, answer, number - len(answer))
                asks = any(map(_is_question, entry.questions))
                yield Defined(entry, starts[entry.line - 1], starts[number - 1], asks)
            earlier = [] if answer or blank else asked
            answer = []
            if plain:
                asked = [] if inside or fence or plain.startswith("#") else [*earlier, (number, plain)]
        blank = not plain


def _marked(own: Marked) -> Defined:
    return Defined(Entry({own.question: own.line}, own.answer, [(0, own.answered)]), own.start, own.end, True)


def _fence(line: str, fence: str) -> str:
    """The fence of code that is open after a line, empty if none is; fence: the one that was open before it.

    A line of code between fences of one line, ```so```, opens none.
    """
    if fence:
        closes = line.strip().startswith(fence) and not line.strip().strip(fence[0])
        return "" if closes else fence
    opens = FENCE.match(line)
    return opens[1] if opens else ""


def _definition(asked: list[tuple[int, str]], answer: list[str], line: int) -> Entry:
    questions = _distinct((" ".join(question.split()), at) for at, question in asked)
    return Entry(questions, "\n".join(answer).strip(), [(0, line)])


FAQ_READERS: dict[str, Reader] = {
    ".csv": _entries_of(read_csv),
    ".json": _entries_of(read_json),
    ".jsonl": _entries_of(read_jsonl),
    ".markdown": read_markdown_faq,
    ".md": read_markdown_faq,
    ".ndjson": _entries_of(read_jsonl),
    ".tsv": _entries_of(read_tsv),
}
