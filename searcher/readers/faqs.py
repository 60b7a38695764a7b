"""FAQ files to documents: tables with question and answer, Markdown with headings that ask or definition lists.

An entry is a document of kind "faq": a passage for each way of asking, and if wanted the answer, in a section of that
name.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import NamedTuple

from searcher.readers.decoding import decoded
from searcher.readers.headings import Heading, line_starts
from searcher.readers.json_files import read_json
from searcher.readers.markdown import front_matter, headings
from searcher.readers.raw import Item, Raw, Reader, ReadOptions
from searcher.readers.tables import read_csv, read_jsonl, read_tsv
from searcher.records import ANSWER, Document, Failure

__all__ = ["FAQ_READERS", "with_answer"]

QUESTION_MARK = re.compile(r"[?？؟]\s*$")
DEFINITION = re.compile(r"[ ]{0,3}:[ \t]+(?=\S)")
UNDERLINE = re.compile(r"\A[ ]{0,3}(?:=+|-+)[ \t]*(?:\r?\n|\Z)")
NOT_IN_AN_ANCHOR = re.compile(r"[^\w\- ]")


class Entry(NamedTuple):
    """Ways of asking, the answer, and the line of the file on which the first of them stands."""

    questions: list[str]
    answer: str
    line: int


def with_answer(document: Document) -> Document:
    """An entry whose answer is embedded too, under its first question, as passages of a section of their own.

    An answer alone often does not say what it is about.
    """
    end = len(document.text) + 1
    question = document.text[: document.breaks[0] if document.breaks else None].strip()
    text = f"{document.text}\n{question}\n{document.metadata['answer']}"
    return replace(document, text=text, sections=((end, ANSWER),), breaks=(*document.breaks, end))


def _entries_of(reader: Reader) -> Reader:
    """A reader of tables whose rows must be entries."""

    def read(raw: Raw, options: ReadOptions) -> Iterator[Item]:
        for item in reader(raw, options):
            if isinstance(item, Document) and item.kind != "faq":
                reason = "no question with an answer; an entry has fields question and answer"
                yield Failure(item.source, reason, item.source)
            else:
                yield with_answer(item) if isinstance(item, Document) and options.faq == "answers" else item

    return read


def read_markdown_faq(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The entries of a Markdown file; a Failure if there are none."""
    whole = decoded(raw)
    metadata, text = front_matter(whole)
    skipped = len(line_starts(whole[: len(whole) - len(text)])) - 1
    anchors: dict[str, int] = {}
    found = sorted([*_headed(text), *_defined(text)], key=lambda entry: entry.line)
    for entry in found:
        anchor = "-".join(NOT_IN_AN_ANCHOR.sub("", entry.questions[0].lower()).split()) or "entry"
        anchors[anchor] = anchors.get(anchor, 0) + 1
        name = anchor if anchors[anchor] == 1 else f"{anchor}-{anchors[anchor] - 1}"  # as GitHub names them
        document = Document(
            f"{raw.source}#{name}", "\n".join(entry.questions), metadata=metadata | {"answer": entry.answer},
            breaks=tuple(accumulate(len(question) + 1 for question in entry.questions[:-1])),
            first_line=entry.line + skipped, kind="faq",
        )  # fmt: skip
        yield with_answer(document) if options.faq == "answers" else document
    if not found:
        yield Failure(raw.source, "no heading with a text under it, and no definition list")


def _headed(text: str) -> Iterator[Entry]:
    """Headings that ask, each with what stands under it; if none asks, those that have no headings under them.

    Headings that follow each other with nothing between are ways of asking for the same.
    """
    found = list(headings(text))
    asks = [bool(QUESTION_MARK.search(heading.title)) for heading in found]
    if not any(asks):
        asks = [not below or below.level <= own.level for own, below in pairwise([*found, None]) if own]
    starts = line_starts(text)
    waiting: list[Heading] = []
    for at, heading in enumerate(found):
        if not asks[at] or (waiting and heading.level != waiting[0].level):
            waiting = []  # what stood above was a chapter without a text
        if asks[at]:
            rest = zip(found[at + 1 :], asks[at + 1 :], strict=True)
            end = next((other.start for other, asked in rest if asked or other.level <= heading.level), len(text))
            body = _body(text[heading.start : end])
            waiting.append(heading)
            if body and not any(map(DEFINITION.match, body.splitlines())):
                questions = list(dict.fromkeys(heading.title for heading in waiting))
                yield Entry(questions, body, bisect_right(starts, waiting[0].start))
                waiting = []


def _body(block: str) -> str:
    """What stands under a heading: without its line, and the line that underlines it."""
    line, _, rest = block.partition("\n")
    return (rest if line.lstrip().startswith("#") else UNDERLINE.sub("", rest, count=1)).strip()


def _defined(text: str) -> Iterator[Entry]:
    """Definition lists as in PHP Markdown Extra: lines that ask, then lines that begin with a colon and answer."""
    asked: list[tuple[int, str]] = []
    answer: list[str] = []
    blank = fenced = False
    for number, line in enumerate([*text.splitlines(), "", "the end"], 1):
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        marker = DEFINITION.match(line)
        plain = line.strip()
        if marker and (asked or answer) and not fenced:
            answer.append(line[marker.end() :].strip())
        elif answer and (not plain or not blank or fenced or line.startswith(("  ", "\t"))):
            answer.append(plain)
        else:
            if answer:
                yield _definition(asked, answer)
            earlier = [] if answer or blank else asked
            answer = []
            if plain:
                asked = [] if fenced or plain.startswith("#") else [*earlier, (number, plain)]
        blank = not plain


def _definition(asked: list[tuple[int, str]], answer: list[str]) -> Entry:
    questions = list(dict.fromkeys(" ".join(question.split()) for _, question in asked))
    return Entry(questions, "\n".join(answer).strip(), asked[0][0])


FAQ_READERS: dict[str, Reader] = {
    ".csv": _entries_of(read_csv),
    ".json": _entries_of(read_json),
    ".jsonl": _entries_of(read_jsonl),
    ".markdown": read_markdown_faq,
    ".md": read_markdown_faq,
    ".ndjson": _entries_of(read_jsonl),
    ".tsv": _entries_of(read_tsv),
}
