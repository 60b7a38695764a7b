"""How documents come to Milvus, change and go: in an order in which each is there as a whole or not at all.

Of a document first its passages and its text are written, then, in one row, that it is there; when another took its
place, the passages of the one before go last. Whoever stops in between leaves rows that nobody counts; the same call
made again writes the same rows, for a document's number follows from its content.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import chain, islice
from typing import Any

import numpy as np

from searcher.embedding import IndexSettings
from searcher.engines.milvus.address import Address
from searcher.engines.milvus.entries import entered
from searcher.engines.milvus.layout import (
    Stored,
    beside,
    block_rows,
    digest_of,
    number_of,
    passage_rows,
    stored_of,
    text_blocks,
)
from searcher.engines.milvus.passages import Passages
from searcher.engines.milvus.state import pieces
from searcher.errors import BadValue, IndexUnavailable
from searcher.plain import amended
from searcher.records import Document, Head, Prepared
from searcher.store import Look, renamed

__all__ = ["Writing"]

NO_VECTORS = np.empty((0, 0), np.float32)
BATCH = 500  # documents written together where they come one by one
CHANGED = ("id", "vector", "document", "start", "end", "line", "tokens", "text_key", "section", "text", "place",
           "given", "nowhere")  # fmt: skip


class Writing(Passages):
    """What changes an index. Nothing of a document is seen before all of it is written."""

    def __init__(self, address: Address, create: bool = False) -> None:
        super().__init__(address, create)
        self._written = 0  # passages since the server was asked to make its files

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
        """As in `Engine`, but for all or nothing: that is each document, in the order of `prepared`.

        settings: BadValue for others than the index has; its vectors cannot be exchanged for others in one go.
        """
        current = self.settled()
        if settings is not None and settings != current:
            raise BadValue(
                f"{self.address} cannot be embedded again in its place; add the documents to another collection"
            )
        if made_with is not None:
            current.check(asdict(made_with) | {"model": None, "dtype": None})
        if expected is not None and self.head() != expected:
            raise IndexUnavailable(f"{self.address} was written to meanwhile; nothing changed, try again")
        for item in prepared:
            item.check(current.dimension)
        for old, new in moves:
            self._move(old, new)
        gone = list(self._of_numbers(remove).values())
        self._remove(gone)
        self._insert(prepared)
        self._enter_files(files)
        self.look(looks, under_way)
        self._changed()
        return len(gone)

    def take_in(
        self, settings: IndexSettings, items: Iterable[Prepared | tuple[str, bytes]]
    ) -> tuple[int, int, int, int]:
        """As in `Engine`, but for all or nothing: what was taken in before an error stays."""
        self.settle(settings)
        documents = passages = replaced = removed = 0
        seen: set[str] = set()
        walk = iter(items)
        while batch := list(islice(walk, BATCH)):
            prepared = [item for item in batch if isinstance(item, Prepared)]
            for item in prepared:
                item.check(settings.dimension)
                if item.document.source in seen:
                    raise BadValue(f"source {item.document.source!r} comes twice")
                seen.add(item.document.source)
            replaced += self._insert(prepared)
            documents, passages = documents + len(prepared), passages + sum(len(item.chunks) for item in prepared)
            files = [item for item in batch if not isinstance(item, Prepared)]
            others = [own for path, _ in files for own in self._of_file(path) if own.source not in seen]
            self._remove(others)
            removed += len(others)
            self._enter_files(files)
        self._changed()
        return documents, passages, replaced, removed

    def amend(self, documents: Iterable[int], changes: Mapping[str, Any]) -> int:
        """As in `Engine`, but for all or nothing: that is each document."""
        done = 0
        for some in pieces(sorted(set(documents)), BATCH):
            for before in self._of_numbers(some).values():
                metadata = amended(before.metadata, changes)
                self._enter_keys([metadata], ())
                self._restore(before, replace(before, metadata=metadata))
                done += 1
        self._changed()
        return done

    def accepts(self, document: Document) -> None:
        """As in `Engine`: one whose metadata and names fields can hold."""
        stored_of(1, Prepared(document, bytes(16), document.source, (), NO_VECTORS), ()).row()

    # -- documents in

    def _insert(self, prepared: Sequence[Prepared]) -> int:
        """Documents in the place of those of the same sources. -> how many had one."""
        items = {item.document.source: item for item in prepared}
        if not items:
            return 0
        before = self._of_sources(items)
        numbered = list(self._numbered(items))
        rows = [stored.row() for stored, _, _ in numbered]  # which says what no field can hold, before anything is in
        self._enter_keys([item.document.metadata for item in items.values()], _parts(items.values()))
        self._leave_files(before.values())
        self.server.put(self.beside, (row for stored, _, blocks in numbered for row in block_rows(stored, blocks)))
        passages = (passage_rows(stored, item, self.has_words) for stored, item, _ in numbered)
        self.server.put(self.passages, chain.from_iterable(passages))
        self.server.put(self.beside, rows)
        self._written += sum(stored.passages for stored, _, _ in numbered)
        now = {stored.source: stored.number for stored, _, _ in numbered}
        self._leave([own for own in before.values() if own.number != now[own.source]])
        return len(before)

    def _numbered(self, items: Mapping[str, Prepared]) -> Iterator[tuple[Stored, Prepared, list[str]]]:
        """Documents with numbers under which there is nothing of another document, and their blocks of text."""
        waiting, attempt, given = dict(items), 0, set[int]()
        while waiting:
            ids = {source: _ids(item, attempt) for source, item in waiting.items()}
            taken = self._taken(ids)
            for source, own in ids.items():
                if source in taken or not given.isdisjoint(own):
                    continue
                given.update(own)
                item = waiting.pop(source)
                blocks = text_blocks(item.document)
                yield stored_of(own[0], item, blocks), item, blocks
            attempt += 1

    def _taken(self, ids: Mapping[str, range]) -> set[str]:
        """The sources of documents some of whose ids another document has."""
        wanting: dict[int, list[str]] = {}
        for source, own in ids.items():
            for number in own:
                wanting.setdefault(number, []).append(source)
        holders = {number: stored.source for number, stored in self._of_numbers(own[0] for own in ids.values()).items()}
        taken = {source for source, own in ids.items() if holders.get(own[0], source) != source}
        for row in self.server.of_ids(self.passages, wanting, ["id", "document"], "Session"):
            taken.update(source for source in wanting[row["id"]] if ids[source][0] != row["document"])
        return taken

    def _enter_keys(self, metadatas: Iterable[Mapping[str, Any]], parts: Iterable[str]) -> None:
        """Remember the keys of metadata, and the parts of places, that there are."""
        paths = {json.dumps(path) for metadata in metadatas for path in _paths(metadata)} - self._entered
        rows = [beside("key", digest_of(path), path) for path in paths]
        rows += [beside("place", part, part) for part in set(parts) - self._entered]
        self.server.put(self.beside, rows)
        self._entered |= paths | set(parts)

    # -- documents out

    def _remove(self, documents: Sequence[Stored]) -> None:
        """Documents with all that belongs to them: first that they are there."""
        self._leave_files(documents)
        self.server.take_out(self.beside, (f"document:{digest_of(own.source)}" for own in documents))
        self._leave(documents)

    def _leave(self, documents: Iterable[Stored]) -> None:
        """What is left of documents that are not there any more."""
        known = list(documents)
        self.server.take_out(self.passages, (number for own in known for number in own.ids))
        self.server.take_out(self.beside, (name for own in known for name in own.block_ids))

    # -- documents changed

    def _move(self, old: str, new: str) -> None:
        """A file's documents and its entry go over to another path; nothing is embedded."""
        for before in self._of_file(old):
            source = renamed(before.source, old, new)
            others = [own for own in self._of_sources([source]).values() if own.number != before.number]
            self._remove(others)
            self._restore(before, replace(before, source=source, file=new))
        digest = self.file_digests([old]).get(old)
        self._enter_files([(old, None), (new, digest)])
        self.server.take_out(self.beside, [f"look:{digest_of(old)}"])

    def _restore(self, before: Stored, after: Stored) -> None:
        """A document under the same number, with another source or other metadata."""
        document = replace(self.document(before.number), source=after.source, metadata=after.metadata)
        after = replace(after, digest=document.digest().hex())
        row = after.row()
        for some in pieces(after.ids):
            fields = (*CHANGED, "words") if self.has_words else CHANGED
            rows = [dict(own) for own in self.server.of_ids(self.passages, some, fields)]
            for own in rows:
                passage = self._row(own, after)
                columns = after.columns | {"section": passage.section, "line": passage.line, "passage_id": own["id"]}
                own["held"] = entered(columns | (passage.place or {}), after.metadata)
            self.server.put(self.passages, rows)
        self.server.put(self.beside, [row])
        if after.source != before.source:
            self.server.take_out(self.beside, [f"document:{digest_of(before.source)}"])

    # -- files

    def _of_file(self, path: str) -> list[Stored]:
        """The documents that came from a file."""
        return list(self._of_sources(self.documents_of("file", path)).values())

    def _enter_files(self, files: Iterable[tuple[str, bytes | None]]) -> None:
        """Path and digest of files that are wholly in, None of those that are not; of a path the last counts."""
        last = dict(files)
        self.server.take_out(
            self.beside, (f"file:{digest_of(path)}" for path, digest in last.items() if digest is None)
        )
        whole = ((path, digest) for path, digest in last.items() if digest is not None)
        self.server.put(
            self.beside, (beside("file", digest_of(path), "", file=path, key=digest.hex()) for path, digest in whole)
        )

    def _leave_files(self, documents: Iterable[Stored]) -> None:
        """Files of documents that go are not wholly in any more."""
        paths = {own.file for own in documents if own.file is not None}
        self.server.take_out(self.beside, (f"file:{digest_of(path)}" for path in paths))


def _ids(item: Prepared, attempt: int) -> range:
    """The ids that a document's passages would have, one at least."""
    first = number_of(item.digest, attempt)
    return range(first, first + max(1, len(item.chunks)))


def _parts(items: Iterable[Prepared]) -> set[str]:
    """The parts of places that documents have."""
    return {part for item in items for _, place in item.document.places for part in place}


def _paths(metadata: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The paths of all keys of metadata, whatever is under them."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), metadata)]
    while waiting:
        before, value = waiting.pop()
        if isinstance(value, Mapping):
            yield from ((*before, key) for key in value)
            waiting += [((*before, key), own) for key, own in value.items()]
        elif isinstance(value, list):
            waiting += [(before, own) for own in value]
