"""The things that pass between the parts, as frozen dataclasses; it imports only the errors and `plain`."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsIndex, overload

from searcher.errors import BadValue
from searcher.places import Place, line_of, said
from searcher.plain import as_json

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "ANSWER", "HEADINGS", "MAX_TEXT_BYTES", "AddReport", "Answer", "Chunk", "Document", "Failure", "Head", "Highlight",
    "Hits", "Input", "Note", "Passage", "Prepared", "Row", "Skipped", "ValueCount", "answers_at",
]  # fmt: skip

ANSWER = "answer"
ASKED_FOR = ("highlight", "payload", "place", "vector")  # of a hit
MAX_TEXT_BYTES = 256 * 2**20  # of one document; table files are streamed, a row of theirs is a document
HEADINGS = " > "  # between those of a heading path


@dataclass(frozen=True, repr=False)
class Document:
    """A text to be indexed, as a reader made it.

    source: what names it: an absolute path, `path#id` for a row of a table file, or a label.
    text: what is embedded; every offset counts its code points.
    id: the caller's key, if there is one.
    sections: (start, heading path) in rising order; a heading path reads "Guide > Install".
    breaks: offsets where a passage must end, in rising order (the phrasings of a FAQ entry).
    first_line: the line of the file on which `text` starts (after front matter it is not 1).
    kind: "text", or "faq" for a question whose answer is `metadata["answer"]`; where the answer is part of the text
        too, it is a section called ANSWER.
    places: (start, place) in rising order; a place holds from there to the next one.
    payload: what JSON holds, kept beside it and never looked into; None is nothing.
    whole: whether it is one passage, however long, spaces around it included.
    vector: (d,) float32, what stands for all of it where somebody gave or asked for that; no part of the digest.
    """

    source: str
    text: str
    title: str | None = None
    id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    sections: tuple[tuple[int, str], ...] = ()
    breaks: tuple[int, ...] = ()
    first_line: int = 1
    kind: str = "text"
    places: tuple[tuple[int, Place], ...] = ()
    payload: Any = None
    whole: bool = False
    vector: "np.ndarray | None" = field(default=None, compare=False, repr=False)

    @property
    def layout(self) -> str:
        """What of it is told by offsets and lines, as JSON."""
        parts = {"sections": self.sections, "breaks": self.breaks, "first_line": self.first_line}
        parts |= {"places": self.places} if self.places else {}
        return as_json(parts | ({"whole": True} if self.whole else {}))

    def __repr__(self) -> str:
        told = {"source": self.source, "title": self.title, "id": self.id, "metadata": self.metadata or None}
        named = "".join(f"{name}={value!r}, " for name, value in told.items() if value is not None)
        return f"Document({named}text={_short(self.text)!r})"

    def digest(self) -> bytes:
        """16 bytes that stand for all of it. BadValue for metadata that JSON cannot hold."""
        parts = [self.source, self.id, self.kind, self.title, as_json(self.metadata), self.layout]
        parts += [] if self.payload is None else [as_json(self.payload)]
        digest = hashlib.blake2b(json.dumps(parts).encode(), digest_size=16)
        digest.update(self.text.encode())
        return digest.digest()


@dataclass(frozen=True)
class Chunk:
    """A stretch `text[start:end]` of a document and its token ids, prompt and special tokens included.

    unknown: how many of its tokens are the unknown token. splits_word: whether it ends within a word.
    content: how many tokens are the text's own, neither prompt nor special.
    """

    start: int
    end: int
    ids: tuple[int, ...]
    content: int
    unknown: int = 0
    splits_word: bool = False


class Input(NamedTuple):
    """All that decides a passage's vector: its text, and title and heading path where these are embedded with it."""

    text: str
    title: str | None = None
    section: str | None = None


@dataclass(frozen=True)
class Prepared:
    """A document ready to be written. file: the file it came from, if any; vectors: (len(chunks), d) float32.

    given: where the vectors are somebody's own, each as it was given, (d,) float32 of any length, or None for a passage
    without one; its row in `vectors` is of unit length then, or zeros.
    """

    document: Document
    digest: bytes
    file: str | None
    chunks: Sequence[Chunk]
    vectors: "np.ndarray"
    given: "Sequence[np.ndarray | None] | None" = None

    def check(self, dimension: int) -> None:
        """BadValue unless there is a finite vector of that length for each passage."""
        import numpy as np

        source = self.document.source
        if self.vectors.shape != (len(self.chunks), dimension):
            shape = f"{self.vectors.shape[0]} vectors of {self.vectors.shape[-1]}"
            raise BadValue(f"{source}: {shape} for {len(self.chunks)} passages; the index has vectors of {dimension}")
        finite = np.isfinite(self.vectors).all(axis=1)
        if not finite.all():
            bad = int(np.flatnonzero(~finite)[0])
            raise BadValue(f"{source}: the vector of passage {bad + 1} has a NaN or infinite component")


class Head(NamedTuple):
    """Which state of an index this is: a number that grows by one each commit, and a random mark of that commit."""

    generation: int
    nonce: str


class Row(NamedTuple):
    """A passage as stored, with its document's part and its vector (d,) float32."""

    passage_id: int
    document_id: int
    id: str | None
    source: str
    kind: str
    title: str | None
    section: str | None
    start: int
    end: int
    line: int
    text: str
    metadata: dict[str, Any]
    vector: "np.ndarray"
    place: Place | None = None


@dataclass(frozen=True)
class Highlight:
    """The sentence of a passage that answers best: `text == document.text[start:end]`.

    line, place: where the sentence begins, as a hit says where its passage does; line is None where nobody has looked.
    """

    text: str
    start: int
    end: int
    line: int | None = None
    place: Place | None = None

    def as_dict(self) -> dict[str, Any]:
        """All of it that is known, as JSON."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def answers_at(highlight: Highlight | None, place: Place | None, line: int) -> tuple[Place | None, int]:
    """Place and line of a highlight where these are known, else those given, of what it is in."""
    if highlight is None or highlight.line is None:
        return place, line
    return highlight.place, highlight.line


SHOWN, BEFORE = 400, 100  # characters of a passage in a notebook, and how many at most before its best sentence
CELL = 'style="text-align: left; vertical-align: top'


def _short(text: str, most: int = 80) -> str:
    """A text in a line, its beginning where it is long."""
    line = " ".join(text[: 4 * most].split())
    return line if len(line) <= most and len(text) <= 4 * most else f"{line[: most - 1]}…"


def _copied(value: Any) -> Any:
    """What JSON holds, without a list or an object that is the original's."""
    if isinstance(value, dict):
        return {name: _copied(own) for name, own in value.items()}
    return [_copied(own) for own in value] if isinstance(value, list) else value


@dataclass(frozen=True, repr=False)
class Passage:
    """A hit: a passage and its score, the cosine with the question (float, -1 … 1).

    `text == document.text[start:end]`; `line` counts from 1; `id` is the caller's, `passage_id` ours.
    place: where its file has pages, sheets or the like; page is the one that it says, else None.
    Both and the line are of where it begins; a highlight has its own.
    highlight, vector ((d,) float32, as it was given): None unless asked for. payload: that of a document that is the
    hit as a whole.
    """

    rank: int
    score: float
    id: str | None
    passage_id: int
    source: str
    title: str | None
    section: str | None
    start: int
    end: int
    line: int
    page: int | None
    text: str
    metadata: dict[str, Any]
    highlight: Highlight | None = None
    place: Place | None = None
    payload: Any = None
    vector: "np.ndarray | None" = field(default=None, compare=False, repr=False)

    @property
    def answers_at(self) -> tuple[Place | None, int]:
        """Place and line of what answers: of its best sentence where these are known, else of its beginning."""
        return answers_at(self.highlight, self.place, self.line)

    def as_dict(self) -> dict[str, Any]:
        """The hit as the JSON object that `--json` prints; what has to be asked for is in it where it was."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}  # asdict takes ten times as long
        for name in ("metadata", "place", "payload"):
            values[name] = _copied(values[name])
        if self.highlight is not None:
            values["highlight"] = self.highlight.as_dict()
        if self.vector is not None:
            values["vector"] = self.vector.tolist()
        return {name: value for name, value in values.items() if name not in ASKED_FOR or value is not None}

    def __repr__(self) -> str:
        told = {"rank": self.rank, "score": round(self.score, 4), "source": self.source, "line": self.line}
        told |= {"section": self.section} if self.section else {}
        told |= {"highlight": _short(self.highlight.text)} if self.highlight else {}
        named = "".join(f"{name}={value!r}, " for name, value in told.items())
        return f"Passage({named}text={_short(self.text)!r})"

    def _repr_html_(self) -> str:
        return Hits([self])._repr_html_()


class Hits(list[Passage]):
    """A list of hits, which a notebook shows as a table; a slice of it too."""

    @overload
    def __getitem__(self, place: SupportsIndex) -> Passage: ...
    @overload
    def __getitem__(self, place: slice) -> "Hits": ...
    def __getitem__(self, place: SupportsIndex | slice) -> "Passage | Hits":
        """One hit, or some of them."""
        return Hits(super().__getitem__(place)) if isinstance(place, slice) else super().__getitem__(place)

    def _repr_html_(self) -> str:
        # Dollars in a text are no formula: mathjax_ignore and its older name.
        rows = "".join(_html_row(hit) for hit in self)
        return f'<table class="mathjax_ignore tex2jax_ignore">{rows}</table>' if rows else "<i>no hits</i>"


def _html_row(hit: Passage) -> str:
    """A row of a table: rank, score, where it stands, what it says; the best sentence is marked."""
    from html import escape

    start, end = (hit.highlight.start - hit.start, hit.highlight.end - hit.start) if hit.highlight else (0, 0)
    first = max(0, start - BEFORE) if end > SHOWN else 0
    last = max(end, first + SHOWN)
    before, best, after = (escape(hit.text[a:b]) for a, b in ((first, start), (start, end), (end, last)))
    text = f"{'…' * (first > 0)}{before}{f'<mark>{best}</mark>' if best else ''}{after}{'…' * (last < len(hit.text))}"
    place, line = hit.answers_at
    number = line_of(hit.source, place, line)
    where = escape(hit.source) + (f":{number}" if number else "")
    where += f"<br>{escape(hit.section)}" if hit.section else ""
    where += f"<br>{escape(at)}" if (at := said(place or {})) else ""
    title = f"<b>{escape(hit.title)}</b><br>" if hit.title else ""
    return (
        f'<tr><td {CELL}">{hit.rank}</td><td {CELL}">{hit.score:.3f}</td><td {CELL}">{title}{where}</td>'
        f'<td {CELL}; white-space: pre-wrap" dir="auto">{text}</td></tr>'
    )


class ValueCount(NamedTuple):
    """A value of the metadata, and how many documents have it."""

    value: str | float | bool
    documents: int


@dataclass(frozen=True)
class Answer:
    """The answer of the FAQ entry that fits a question best.

    question: its phrasing nearest to what was asked; source: where that stands. score: how well the entry fits, about
    0 … 1. margin: by how much it fits better than the next entry, None if there is no other. probability: that the
    answer is right, None until calibrated.
    """

    answer: str
    question: str
    source: str
    score: float
    probability: float | None = None
    margin: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """The answer as the JSON object that `ask --json` prints."""
        return asdict(self)


@dataclass(frozen=True)
class Failure:
    """Something that was not indexed, and why, in one short phrase.

    row: what the document would be called, where it is one row of a file and that is known.
    """

    source: str
    reason: str
    row: str | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Skipped(Failure):
    """Something that was passed over on purpose, which is no failure. known: as it was before, which was told then."""

    known: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Note(Failure):
    """Something that was read, but not as it stands, and why: no failure, and the file counts as wholly read."""


@dataclass
class AddReport:
    """What an `add` did.

    documents: added or replaced. passages: written. tokens: in those passages, special tokens and
    prompts not counted. embedded: passages that had to be embedded (the others' text was known).
    unknown_tokens: how many tokens are the unknown token. split_words: cuts that fell within a word.
    skipped: things that were passed over on purpose; failed: things that should have worked; notes: things that were
    read, but not as they stand. moved: (old, new) path of files whose documents went along, with nothing embedded.
    gone: files that documents came from, that are not there any more and were not pruned.
    """

    documents: int = 0
    passages: int = 0
    embedded: int = 0
    tokens: int = 0
    unknown_tokens: int = 0
    split_words: int = 0
    unchanged: int = 0
    removed: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    moved: list[tuple[str, str]] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def tell(self, item: Failure) -> None:
        """Put it among the skipped, the notes or the failed: whichever it is."""
        if isinstance(item, Skipped):
            self.skipped.append(item)
        elif isinstance(item, Note):
            self.notes.append(item)
        else:
            self.failed.append(item)

    @property
    def unknown_share(self) -> float:
        """Share of the tokens that are the unknown token, 0 … 1."""
        return self.unknown_tokens / self.tokens if self.tokens else 0.0

    def as_dict(self) -> dict[str, Any]:
        """The report as the JSON object that `add --json` prints."""
        told: dict[str, Sequence[Failure]] = {"skipped": self.skipped, "failed": self.failed, "notes": self.notes}
        lists = {name: [{"source": each.source, "reason": each.reason} for each in told[name]] for name in told}
        return asdict(self) | lists | {"unknown_share": self.unknown_share}
