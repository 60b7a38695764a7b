"""The things that pass between the parts, as frozen dataclasses; of the package it imports only the errors."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from searcher.errors import BadValue

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "ANSWER", "MAX_TEXT_BYTES", "AddReport", "Answer", "Chunk", "Document", "Failure", "Head", "Highlight", "Note",
    "Passage", "Prepared", "Row", "Skipped", "as_json", "plain",
]  # fmt: skip

ANSWER = "answer"
MAX_TEXT_BYTES = 256 * 2**20  # of one document; table files are streamed, a row of theirs is a document


@dataclass(frozen=True)
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

    @property
    def layout(self) -> str:
        """What of it is told by offsets and lines, as JSON."""
        return as_json({"sections": self.sections, "breaks": self.breaks, "first_line": self.first_line})

    def digest(self) -> bytes:
        """16 bytes that stand for all of it. BadValue for metadata that JSON cannot hold."""
        parts = [self.source, self.id, self.kind, self.title, as_json(self.metadata), self.layout]
        digest = hashlib.blake2b(json.dumps(parts).encode(), digest_size=16)
        digest.update(self.text.encode())
        return digest.digest()


def plain(value: Any) -> Any:
    """A value without what an Enum or numpy wraps around it: an array is a list, a scalar a number, text or bool.

    >>> import numpy as np
    >>> plain(np.bool_(True)), plain(np.array([1.5, 2.0]))
    (True, [1.5, 2.0])
    """
    if isinstance(value, Enum):
        return plain(value.value)
    if hasattr(value, "tolist") and hasattr(value, "dtype"):
        return value.tolist()
    return value


def as_json(value: Any) -> str:
    """The value as it is stored. BadValue for one that JSON cannot hold."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as fault:
        raise BadValue(f"{value!r:.80} cannot be stored as JSON: {fault}") from None


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


@dataclass(frozen=True)
class Prepared:
    """A document ready to be written. file: the file it came from, if any; vectors: (len(chunks), d) float32."""

    document: Document
    digest: bytes
    file: str | None
    chunks: Sequence[Chunk]
    vectors: "np.ndarray"

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


@dataclass(frozen=True)
class Highlight:
    """The sentence of a passage that answers best: `text == document.text[start:end]`."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Passage:
    """A hit: a passage and its score, the cosine with the question (float, -1 … 1).

    `text == document.text[start:end]`; `line` counts from 1; `id` is the caller's, `passage_id` ours.
    highlight: None unless asked for.
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

    def as_dict(self) -> dict[str, Any]:
        """The hit as the JSON object that `--json` prints; `highlight` is in it where it was asked for."""
        return {name: value for name, value in asdict(self).items() if name != "highlight" or value is not None}


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
    """Something that was passed over on purpose, which is no failure."""


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
    read, but not as they stand.
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
