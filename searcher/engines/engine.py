"""The one door to what is stored: what everything above asks of an index, whatever holds it, and may rely on."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from searcher.embedding import IndexSettings, OwnTokens
from searcher.errors import BadValue
from searcher.filters import Filter
from searcher.records import Document, Head, Input, Prepared, Row
from searcher.store import Kept, Look, SeenFile, Unanswered
from searcher.vectors import IndexType, check_knob

__all__ = ["ANY", "Candidate", "Effort", "Engine", "Hit", "Near", "Notes", "cosine", "cosines"]


class Candidate(Protocol):
    """As much of a passage as it is ranked by."""

    @property
    def passage_id(self) -> int:
        """Its id."""

    @property
    def text(self) -> str:
        """All of its text."""

    @property
    def vector(self) -> np.ndarray:
        """(d,) float32, of unit length."""


Hit = tuple[float, Row]  # score and passage
Near = tuple[float, Candidate]


@dataclass(frozen=True)
class Effort:
    """How hard to look. ef, nprobe: the knob of an index of type hnsw or ivf; exact: at every passage."""

    ef: int | None = None
    nprobe: int | None = None
    exact: bool = False

    def __post_init__(self) -> None:
        for name in ("ef", "nprobe"):
            if (value := getattr(self, name)) is not None:
                check_knob(name, value)

    def of(self, kind: IndexType) -> int | None:
        """The value for that type's knob, None if none was given. BadValue for one that it does not have."""
        for name in ("ef", "nprobe"):
            if getattr(self, name) is not None and name != kind.knob and not self.exact:
                raise BadValue(f"an index of type {kind.name} has no {name}; it has {kind.knob or 'no knob'}")
        return getattr(self, kind.knob) if kind.knob else None


ANY = Effort()


def cosine(row: Candidate, vector: np.ndarray) -> float:
    """Of a passage's stored vector and a unit vector (d,)."""
    return float(cosines(row.vector[None], vector)[0])


def cosines(vectors: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Of stored vectors (n, d) and a unit vector (d,), each to the bit what it is by itself. -> (n,) float32"""
    # Not by a matrix product, which may round equal rows differently.
    return np.vecdot(vectors, vector).clip(-1, 1)


class Notes(Protocol):
    """What is kept about a FAQ beside its entries."""

    def get(self, name: str) -> str | None:
        """The text of that name."""

    def set(self, name: str, text: str) -> None:
        """Keep a text under a name."""

    def texts(self) -> dict[str, str]:
        """All that is kept under names."""

    def take_in(self, texts: Mapping[str, str], questions: Iterable[Unanswered]) -> None:
        """All or nothing: texts kept under names, and questions, with when they were asked."""

    def log(self, question: str) -> None:
        """Keep a question that had no answer."""

    def unanswered(self) -> list[Unanswered]:
        """The questions kept, the oldest first."""

    def forget(self) -> int:
        """Forget the questions kept; how many."""


class Engine(Protocol):
    """Documents, their passages and vectors, found again by id, by vector and by words.

    What was written is there after reopening; a write is all or nothing; a read inside `reading` sees one state, which
    is never older than what this process wrote. A row is what was written, or DamagedIndex is raised; ids of passages
    rise in the order of writing and are never used again. Safe to share between threads.
    """

    # -- state

    def reading(self) -> AbstractContextManager[object]:
        """One state for all that is read inside."""

    def head(self) -> Head:
        """Which state a read would see now."""

    def settings(self) -> IndexSettings | None:
        """What the index was made with; None before the first `settle`."""

    def counts(self) -> dict[str, int]:
        """documents, passages, tokens."""

    def passages_held(self) -> int:
        """How many passages there are, as the last write left it: not counted, as `counts` does."""

    def described(self) -> dict[str, Any]:
        """What it is kept in, for `status`: index_type and why, format, token_vectors and token_bytes at least."""

    def check(self) -> list[str]:
        """A line for each thing that is not what was stored."""

    @property
    def notes(self) -> Notes:
        """What is kept about a FAQ."""

    def close(self) -> None:
        """Let go of files and connections."""

    # -- writing

    @property
    def writers(self) -> int:
        """How many writes at the same time it is filled most quickly with."""

    def accepts(self, document: Document) -> None:
        """BadValue for a document that cannot be stored here, whatever becomes of it."""

    def settle(self, settings: IndexSettings) -> None:
        """Enter the settings of a new index; SettingsMismatch if it has others already."""

    def write(
        self,
        prepared: Sequence[Prepared] = (),
        remove: Iterable[int] = (),
        files: Iterable[tuple[str, bytes | None]] = (),
        settings: IndexSettings | None = None,
        made_with: IndexSettings | None = None,
        expected: Head | None = None,
        moves: Iterable[tuple[str, str]] = (),
        looks: Iterable[Look] = (),
        under_way: str | None = None,
    ) -> int:
        """All or nothing: documents replaced by source, documents removed by id, files entered (None: forgotten).

        moves: (old, new) paths of files whose documents, passages and vectors go from the one to the other as they
        are. looks, under_way: as in `look`.
        settings: replaces the index's. made_with: what the vectors were made with, SettingsMismatch if that is not the
        index's any more. expected: the state that is changed, IndexUnavailable if it is another by now. Returns how
        many were removed by id. BadValue for vectors that are not finite or of another length than the index's.
        """

    def amend(self, documents: Iterable[int], changes: Mapping[str, Any]) -> int:
        """All or nothing: metadata of documents changed, a key whose value is None taken out; how many there are."""

    def take_in(
        self, settings: IndexSettings, items: Iterable[Prepared | tuple[str, bytes]]
    ) -> tuple[int, int, int, int]:
        """All or nothing, however much it is: documents replaced by source; files (path, digest) entered, and what came
        from them before and was not among the documents removed. Settings as in `settle`.

        Returns how many documents and passages were written, documents replaced and documents removed.
        """

    def publish(self) -> object:
        """Make what was written quick to find; nothing that is found depends on it."""

    # -- documents

    def known(self, sources: Iterable[str]) -> dict[str, bytes]:
        """Source → digest of its document, of those sources that have one."""

    def documents_of(self, column: Literal["source", "key", "file"], value: str) -> dict[str, int]:
        """Source → id of the documents whose source, caller's id or file is that."""

    def documents_of_files(self, paths: Iterable[str]) -> dict[str, dict[str, int]]:
        """Path → source → id of the documents that came from that file, of those that any came from."""

    def named(self, column: Literal["source", "key"], names: Iterable[str]) -> dict[str, list[int]]:
        """Caller's id, or source → ids of the documents of that name, rising; without names that none has."""

    def ending(self, name: str) -> dict[str, list[int]]:
        """Where documents are from, a file or else a source, → their ids, for those where that ends with /name or whose
        title is the name, in any case.
        """

    def document(self, number: int) -> Document:
        """A document as it was given."""

    def whole(self, documents: Iterable[int]) -> Iterator[tuple[int, Prepared]]:
        """Ids of those documents that are there, rising, and each as it was written, vectors to the bit; read many at a
        time, few in memory. DamagedIndex for one that is not what was written. Call in `reading`.
        """

    def kept(self, documents: Iterable[int]) -> Iterator[tuple[int, Kept]]:
        """As `whole`, without reading the documents themselves."""

    def document_ids(self, some: Sequence[int] | None = None) -> list[int]:
        """Ids of all documents, or of those of some that are there, in rising order."""

    def document_count(self) -> int:
        """How many documents there are."""

    def metadata_kinds(self) -> dict[str, list[str]]:
        """Top-level key of the metadata → the kinds of its values: text, number, boolean, object, list."""

    def has_key(self, path: tuple[str, ...]) -> bool:
        """Whether there is, or ever was, a value under a path of metadata."""

    def values_of(
        self, key: str | tuple[str, ...], documents: np.ndarray | None = None
    ) -> list[tuple[str | float | bool, int]]:
        """The different values of a column (source, id, title, kind) or of a path of metadata, and in how many
        documents each stands; in lists one by one. documents: ids of some; None for all.
        """

    def listing(self, documents: np.ndarray | None = None) -> list[dict[str, Any]]:
        """Documents in the order of sources: source, id, kind, title, metadata, passages, characters.

        documents: ids of some; None for all.
        """

    def chosen(self, where: Filter) -> np.ndarray:
        """Ids of the documents that a filter allows, or that hold a passage it allows, rising. -> (n,) int64"""

    def origins(self, most: int) -> list[str]:
        """Files that documents came from, and sources of what is from none, so many at most."""

    def file_digests(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Path → digest of those files all of whose documents are in."""

    def files(self) -> list[tuple[str, bytes]]:
        """Path and digest of every such file, in the order of paths."""

    def files_under(self, folder: str) -> list[str]:
        """Files below a folder, or the file itself, that documents came from."""

    def file_of(self, document: int) -> str | None:
        """The file that a document came from, if any."""

    def faqs(self, paths: Iterable[str]) -> dict[str, Literal["questions", "answers"]]:
        """Path → what is embedded of the entries in that file, of those that were read as a FAQ."""

    # -- what the last add saw

    def seen_under(self, folder: str) -> dict[str, SeenFile]:
        """Path → what is remembered of the files below a folder, or of the file itself."""

    def files_of_digests(self, digests: Iterable[bytes]) -> dict[bytes, list[str]]:
        """Digest → the files with it all of whose documents are in, of those digests that any has."""

    def look(self, looks: Iterable[Look], under_way: str | None = None) -> None:
        """Remember how files looked, and how far an add is, empty where it is done; the state stays the same."""

    def under_way(self) -> str | None:
        """What the add that is under way, or was cut short, noted last."""

    # -- passages

    def passage_ids(self, document: int | None = None) -> np.ndarray:
        """Ids of all passages or of one document's, rising. -> (n,) int64."""

    def answer_ids(self, documents: Iterable[int]) -> np.ndarray:
        """Ids of the passages of those documents that are the answer of a FAQ entry, rising. -> (n,) int64."""

    def present(self, ids: Sequence[int]) -> list[int]:
        """Those passages that are there, rising."""

    def given(self, ids: Sequence[int]) -> Mapping[int, np.ndarray | None]:
        """Passage → its vector as it was given, (d,) float32, None where none was. DamagedIndex if one is gone."""

    def rows(self, ids: Iterable[int]) -> Mapping[int, Row]:
        """Passages by id. DamagedIndex for one that is not there."""

    def known_vectors(self, inputs: Iterable[Input], context: bool = False) -> dict[Input, np.ndarray]:
        """What decides a vector → the vector (d,) float32, for those that are a passage's already.

        context: whether title and headings count, or the text alone.
        """

    # -- questions

    def allowed(self, where: Filter) -> np.ndarray:
        """Ids of the passages that a filter allows, rising. -> (n,) int64. UnknownName for a key of no document."""

    def nearest(
        self,
        vectors: np.ndarray,
        k: int,
        where: Filter | None = None,
        effort: Effort = ANY,
        without: np.ndarray | None = None,
    ) -> list[list[Hit]]:
        """The k hits of each unit vector (q, d) by cosine, best first, equals in the order of their ids.

        where: min(k, as many as it allows) are found. without: ids of passages that are left out, rising. Call inside
        `reading`.
        """

    def candidates(
        self, vectors: np.ndarray, k: int, where: Filter | None = None, effort: Effort = ANY
    ) -> list[list[Near]]:
        """As `nearest`, with as much of each passage as it is ranked by: most candidates are not shown."""

    def ranked_by(self, ids: Iterable[int]) -> Mapping[int, Candidate]:
        """As `rows`, with as much of each passage as it is ranked by."""

    def whole_hits(self, found: Sequence[Sequence[Near]]) -> list[list[Hit]]:
        """The candidates of each question that are shown, with all that is stored of them. Call inside the same
        `reading`.
        """

    def by_words(
        self, question: str, k: int, where: Filter | None = None, others: Sequence[int] = ()
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k passages with the highest BM25 for any of a question's words; and those of others that hold one.

        In the question `pre*` is every word that begins so.
        -> ids (n,) int64, scores (n,) float32, positive, best first, equals by id. Call inside `reading`.
        """

    def rarest(self, question: str, ids: np.ndarray) -> np.ndarray:
        """How much the rarest word of a question that each passage holds weighs, in nats; 0 for common words alone.

        ids: (n,) int64, rising -> (n,) float32. A word that more than one passage in 150 holds is common. Call inside
        `reading`.
        """

    def token_vectors(self, texts: Mapping[int, str]) -> dict[int, OwnTokens]:
        """The vectors of passages' own tokens, rounded to float16, for those of which they are kept. texts: by id."""
