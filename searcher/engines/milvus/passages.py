"""What can be asked of the passages on Milvus by their ids, and which of them a filter allows."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from searcher import filters
from searcher.engines.milvus.address import Address
from searcher.engines.milvus.connection import CALL_BYTES
from searcher.engines.milvus.documents import Documents
from searcher.engines.milvus.expressions import Bounds, bounds, of_documents, tells_passages_apart
from searcher.engines.milvus.layout import FIELDS, Stored, given_of, marked, passage_of, unmarked, whole_document
from searcher.engines.milvus.state import NUMBERS_AT_ONCE, pieces
from searcher.errors import BadValue, DamagedIndex, UnknownName
from searcher.filters import ROW_KEYS, And, Filter, Holds, Named, Not, Or, Unchecked, lets_through
from searcher.places import PLACE_PARTS
from searcher.records import ANSWER, Chunk, Input, Prepared, Row
from searcher.store import Kept, key_of, phrase_of, words_of

__all__ = ["EVERY", "Passages", "Wanted"]

EVERY = "id >= 0"
MOST_NAMED = 100_000  # documents that globs of file names may pick out: an expression lists them


class Wanted(NamedTuple):
    """A filter as it is asked: what the server judges, and what is left to be judged of rows in hand."""

    expression: str
    left: Filter | None = None

    def lets_through(self, row: Row, stored: Stored) -> bool:
        """Whether a row that the server let through is wanted."""
        return self.left is None or _fits(self.left, InHand(_columns(row), stored, row.text))


class Passages(Documents):
    """Ids of passages follow from their documents' numbers; a passage counts while its document has that number."""

    def __init__(self, address: Address, create: bool = False) -> None:
        super().__init__(address, create)
        self._entered: set[str] = set()  # paths of metadata, as JSON, and parts of places that are known to be there

    def passage_ids(self, document: int | None = None) -> np.ndarray:
        """As in `Engine`."""
        found = self._documents() if document is None else self._of_numbers([document]).values()
        ranges = [np.arange(stored.number, stored.number + stored.passages) for stored in found]
        return np.sort(np.concatenate(ranges)) if ranges else np.empty(0, np.int64)

    def answer_ids(self, documents: Iterable[int]) -> np.ndarray:
        """As in `Engine`."""
        found: list[int] = []
        there = self._of_numbers(documents)
        for some in pieces([number for number, stored in there.items() if stored.answers]):
            own = f'document in {some} and section == "{marked(ANSWER)}"'
            for rows in self.server.each(self.passages, own, ["id", "document"]):
                found += [row["id"] for row in rows if row["id"] in there[row["document"]].ids]
        return np.array(sorted(found), np.int64)

    def present(self, ids: Sequence[int]) -> list[int]:
        """As in `Engine`."""
        found = self.server.of_ids(self.passages, sorted(set(ids)), ["id", "document"])
        return sorted(row["id"] for row, _ in self._current(found))

    def given(self, ids: Sequence[int]) -> Mapping[int, np.ndarray | None]:
        """As in `Engine`."""
        found = self._there(ids, ("id", "document", "given", "vector"))
        return {number: given_of(row) for number, (row, _) in found.items()}

    def rows(self, ids: Iterable[int]) -> Mapping[int, Row]:
        """As in `Engine`."""
        return {number: self._row(*pair) for number, pair in self._there(ids, FIELDS).items()}

    def whole(self, documents: Iterable[int]) -> Iterator[tuple[int, Prepared]]:
        """As in `Engine`: for each thousand documents two questions and more, as they are large."""
        for some in self._portions(self._those(documents)):
            texts = self._texts(some)
            for stored, kept in self._kept(some):
                yield stored.number, Prepared(whole_document(stored, texts), *kept)

    def kept(self, documents: Iterable[int]) -> Iterator[tuple[int, Kept]]:
        """As in `Engine`."""
        for some in self._portions(self._those(documents)):
            for stored, kept in self._kept(some):
                yield stored.number, kept

    def _those(self, documents: Iterable[int]) -> Iterator[Stored]:
        """The rows of those documents that are there, rising."""
        for some in pieces(sorted({int(number) for number in documents})):
            yield from (stored for _, stored in sorted(self._of_numbers(some).items()))

    def _portions(self, documents: Iterable[Stored]) -> Iterator[list[Stored]]:
        """Documents, so many at a time that little memory holds all of them."""
        width = 4 * self.settled().dimension
        portion, size = list[Stored](), 0
        for stored in documents:
            own = 4 * stored.characters + width * stored.passages
            if portion and (size + own > CALL_BYTES or len(portion) == NUMBERS_AT_ONCE):
                yield portion
                portion, size = [], 0
            portion.append(stored)
            size += own
        if portion:
            yield portion

    def _texts(self, some: Sequence[Stored]) -> dict[str, str]:
        """The blocks of the texts of documents, by the ids of their rows."""
        blocks = [own for stored in some for own in stored.block_ids]
        return {row["id"]: row["value"] for row in self.server.of_ids(self.beside, blocks, ["id", "value"])}

    def _kept(self, some: Sequence[Stored]) -> Iterator[tuple[Stored, Kept]]:
        """Of each document where its passages stand, with their vectors. One that went meanwhile is left out."""
        is_given, dimension = self.settled().given, self.settled().dimension
        wanted = [number for stored in some for number in stored.ids]
        fields = ("id", "document", "start", "end", "tokens", "vector", *["given"] * is_given)
        rows = {row["id"]: row for row in self.server.of_ids(self.passages, wanted, fields, size=NUMBERS_AT_ONCE)}
        for stored in some:
            own = [rows[number] for number in stored.ids if number in rows]
            if [row["document"] for row in own] != [stored.number] * stored.passages:
                if self._of_numbers([stored.number]).get(stored.number) != stored:
                    continue
                raise DamagedIndex(f"passages of document {stored.source!r} are gone from {self.address}")
            vectors = np.array([row["vector"] for row in own], np.float32).reshape(len(own), dimension)
            chunks = [Chunk(row["start"], row["end"], (), row["tokens"]) for row in own]
            given = [given_of(row) for row in own] if is_given else None
            yield stored, Kept(bytes.fromhex(stored.digest), stored.file, chunks, vectors, given)

    def known_vectors(self, inputs: Iterable[Input], context: bool = False) -> dict[Input, np.ndarray]:
        """As in `Engine`."""
        wanted: dict[int, list[Input]] = {}
        for own in inputs:
            wanted.setdefault(key_of(own.text), []).append(own)
        found: dict[Input, np.ndarray] = {}
        for keys in pieces(sorted(wanted), 500):
            for rows in self.server.each(self.passages, f"text_key in {keys}", (*FIELDS, "text_key")):
                for row, stored in self._current(rows):
                    for own in wanted[row["text_key"]]:
                        alike = not context or (stored.title, unmarked(row["section"])) == (own.title, own.section)
                        if own not in found and alike and row["text"] == own.text:
                            found[own] = _vector(row)
        return found

    def _there(self, ids: Iterable[int], fields: Sequence[str]) -> dict[int, tuple[Mapping[str, Any], Stored]]:
        """The rows of those passages, and their documents. DamagedIndex for one that is not there."""
        wanted = sorted({int(number) for number in ids})
        rows = self.server.of_ids(self.passages, wanted, fields)
        found = {row["id"]: (row, stored) for row, stored in self._current(rows)}
        if missing := set(wanted) - found.keys():
            raise DamagedIndex(f"passage {min(missing)} or its document is gone from {self.address}")
        return found

    def _current(
        self, rows: Iterable[Mapping[str, Any]], level: str | None = None
    ) -> Iterator[tuple[Mapping[str, Any], Stored]]:
        """Those that their documents have now, with these."""
        known = list(rows)
        documents = self._of_numbers((row["document"] for row in known), level)
        for row in known:
            if (stored := documents.get(row["document"])) is not None and row["id"] in stored.ids:
                yield row, stored

    def _row(self, row: Mapping[str, Any], stored: Stored) -> Row:
        """A passage; where its text is too long for a field, out of its document."""
        whole = row["text"] or row["start"] == row["end"]
        return passage_of(row, stored, None if whole else self.document(stored.number).text[row["start"] : row["end"]])

    # -- filters

    def allowed(self, where: Filter) -> np.ndarray:
        """As in `Engine`."""
        wanted = self.asked(where)
        return np.array(sorted(row["id"] for row, _ in self._allowed(wanted)), np.int64)

    def chosen(self, where: Filter) -> np.ndarray:
        """As in `Engine`."""
        wanted = self.asked(where)
        if tells_passages_apart(where):
            return np.unique([row["document"] for row, _ in self._allowed(wanted)]).astype(np.int64)
        found = [
            stored.number
            for stored in self._documents(wanted.expression)
            if wanted.left is None or _fits(wanted.left, InHand(stored.columns, stored))
        ]
        return np.array(sorted(found), np.int64)

    def asked(self, where: Filter) -> Wanted:
        """How a filter is asked of either collection. UnknownName for a key of no document, BadValue."""
        try:
            filters.check_keys(where, {*ROW_KEYS, *self._entered}, self._is_key, self._keys)
        except UnknownName:  # to this process, so far
            if not self.document_count():
                return Wanted(EVERY)
            self._entered.update(self._rows_of("place"))
            filters.check_keys(where, {*ROW_KEYS, *(self._entered & PLACE_PARTS.keys())}, self._is_key, self._keys)
        found = bounds(where, self._named)
        return Wanted(found.above, None if found.is_exact else where)

    def _allowed(self, wanted: Wanted) -> Iterator[tuple[Mapping[str, Any], Stored]]:
        """The rows that a filter allows, with no more than their ids where the server judges alone."""
        fields, size = (("id", "document"), NUMBERS_AT_ONCE) if wanted.left is None else (FIELDS, 1000)
        for rows in self.server.each(self.passages, wanted.expression, fields, size):
            for row, stored in self._current(rows):
                if wanted.left is None or wanted.lets_through(self._row(row, stored), stored):
                    yield row, stored

    def _named(self, regex: str) -> Bounds:
        """The documents whose files, or sources of what is from none, a regular expression matches. BadValue."""
        pattern = re.compile(regex, re.DOTALL)
        found = [stored.number for stored in self._documents() if _matches(pattern, stored)]
        if len(found) > MOST_NAMED:
            raise BadValue(f"{len(found):,} documents have such names; an index on Milvus picks {MOST_NAMED:,} at most")
        return of_documents(found)

    def _is_key(self, path: tuple[str, ...]) -> bool:
        """Whether a path is one of metadata; one that is stays one."""
        known = json.dumps(path)
        if known not in self._entered and self.has_key(path):
            self._entered.add(known)
        return known in self._entered

    def _keys(self) -> list[tuple[str, ...]]:
        """The paths of metadata that there are, or ever were."""
        return [tuple(json.loads(path)) for path in self._rows_of("key")]

    def _rows_of(self, table: str) -> list[str]:
        """What the rows of a table beside say."""
        walk = self.server.each(self.beside, f'table == "{table}"', ["value"])
        return [row["value"] for rows in walk for row in rows]


class InHand(NamedTuple):
    """A passage or a document to be judged. columns: what a key means before it means one of metadata."""

    columns: Mapping[str, Any]
    stored: Stored
    text: str = ""


def _fits(tree: Filter, own: InHand) -> bool:
    """Whether a filter allows it."""
    match tree:
        case And(parts):
            return all(_fits(part, own) for part in parts)
        case Or(parts):
            return any(_fits(part, own) for part in parts)
        case Not(part):
            return not _fits(part, own)
        case Unchecked(part):
            return _fits(part, own)
        case Named(regex):
            return _matches(re.compile(regex, re.DOTALL), own.stored)
        case Holds(phrase):
            words = words_of([own.text])[0]
            return all(_stands_in(run, words) for run in phrase_of(phrase))
    return lets_through(tree, own.columns, own.stored.metadata)


def _stands_in(run: list[bytes], words: list[bytes]) -> bool:
    """Whether words stand in others one after the other."""
    return any(words[at : at + len(run)] == run for at in range(len(words) - len(run) + 1))


def _columns(row: Row) -> dict[str, Any]:
    return (row.place or {}) | {name: getattr(row, name) for name in ROW_KEYS}


def _matches(pattern: re.Pattern[str], stored: Stored) -> bool:
    return pattern.fullmatch(stored.origin.removeprefix("/")) is not None


def _vector(row: Mapping[str, Any]) -> np.ndarray:
    return np.array(row["vector"], np.float32)
