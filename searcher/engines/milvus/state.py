"""An index on Milvus opened: its collections made and loaded, its settings, which state it is in, how much it holds."""

import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path

from searcher.embedding import IndexSettings
from searcher.engines.milvus.address import Access, Address
from searcher.engines.milvus.connection import Connection
from searcher.engines.milvus.faults import Denied, Unmade
from searcher.engines.milvus.layout import DOCUMENT_FIELDS, Stored, beside, digest_of, document_of, schemas
from searcher.errors import IndexUnavailable
from searcher.records import Head
from searcher.store import as_settings, settings_rows
from searcher.system import kept_once

__all__ = ["NUMBERS_AT_ONCE", "State", "pieces"]

WORDS_SINCE = (2, 5)  # of Milvus
SETTINGS, HEAD = "setting:all", "head:now"
NOT_LOADED = "NotLoad"  # as pymilvus names it
NUMBERS_AT_ONCE = 10_000  # rows of a few numbers each, read in one call


class State:
    """The two collections of an index. Raises IndexUnavailable where there are none, unless they are to be made."""

    def __init__(self, address: Address, create: bool = False) -> None:
        self.address = address
        self.passages, self.beside = address.collection, f"{address.collection}_beside"
        self.server = Connection(address, Access.of_environment())
        self._settings: IndexSettings | None = None
        self._counted: tuple[Head, dict[str, int]] | None = None
        if not create and not self.exists():
            raise IndexUnavailable(f"no index at {address}")

    def exists(self) -> bool:
        """Whether there is an index: its settings are in."""
        return self._settings is not None or self.settings() is not None

    def reading(self) -> AbstractContextManager[object]:
        """Nothing is held: each question is answered by the state that the server has then."""
        return nullcontext()

    def close(self) -> None:
        """Let go of the connection."""
        self.server.close()

    @kept_once
    def is_there(self) -> bool:
        """Whether both collections are, as a whole; they are loaded then, which Milvus Lite forgets at every start."""
        if self.address.is_lite and not Path(self.address.uri).exists():
            return False  # the question would make an empty one
        if not all(self.server.ask("has_collection", name) for name in (self.passages, self.beside)):
            return False
        for name in (self.passages, self.beside):
            try:
                self._load(name)
            except Denied:
                continue  # who may only read asks what others have loaded
            except Unmade:
                return False
        return True

    def _load(self, name: str) -> None:
        """Have a collection loaded. One that is stays as it is: asked for another number of copies a server refuses."""
        try:
            state = self.server.ask("get_load_state", name)["state"].name
        except Denied:
            state = NOT_LOADED
        if state == NOT_LOADED:
            replicas = self.server.access.replicas
            self.server.ask("load_collection", name, **({"replica_number": replicas} if replicas else {}))

    @kept_once
    def version(self) -> tuple[int, ...]:
        """Of the server; (0,) for one that says something else."""
        said = str(self.server.ask("get_server_version")).removeprefix("v").split("-")[0]
        return tuple(int(part) for part in said.split(".") if part.isdigit()) or (0,)

    @property
    def _can_words(self) -> bool:
        """Whether the server makes BM25, so that a new index can be asked by words."""
        return self.address.is_lite or self.version >= WORDS_SINCE

    @kept_once
    def has_words(self) -> bool:
        """Whether the index was made with them."""
        fields = self.server.ask("describe_collection", self.passages)["fields"]
        return any(field["name"] == "words" for field in fields)

    # -- settings

    def settings(self) -> IndexSettings | None:
        """What the index was made with, which never changes; None before the first `settle`."""
        if self._settings is None:
            if not self.is_there:
                del self.is_there  # it is looked for again
                return None
            found = self.server.query(self.beside, f'id == "{SETTINGS}"', ["value"])
            self._settings = as_settings(json.loads(found[0]["value"])) if found else None
        return self._settings

    def settle(self, settings: IndexSettings) -> None:
        """Make the collections and enter the settings of a new index; SettingsMismatch if it has others already."""
        if self.settings() is None:
            self._make(settings.dimension)
            if self.settings() is None:  # of two that make it at the same time the later one's hold
                value = json.dumps(dict(settings_rows(settings)))
                self.server.put(self.beside, [beside("setting", "all", value)])
        known = self.settings()
        if known is None:
            raise IndexUnavailable(f"the settings of {self.address} cannot be read back; try again")
        known.check(asdict(settings) | {"model": None, "dtype": None})

    def _make(self, dimension: int) -> None:
        client, asked = self.server.client(), self.server.access.shards
        shards = {"num_shards": asked} if asked else {}
        for end, (schema, indexes) in schemas(client, dimension, self.address.is_lite, self._can_words).items():
            name = self.address.collection + end
            if not self.server.ask("has_collection", name):
                self.server.ask("create_collection", name, schema=schema, **shards)
            for own in list(indexes):  # somebody who made it may have been stopped in between
                if self.server.ask("list_indexes", name, own.field_name):
                    indexes.remove(own)
            if indexes:
                self.server.ask("create_index", name, indexes)
            self._load(name)

    def settled(self) -> IndexSettings:
        """The settings. IndexUnavailable before there are any."""
        if (settings := self.settings()) is None:
            raise IndexUnavailable(f"the index {self.address} has no settings yet")
        return settings

    # -- state

    def head(self) -> Head:
        """Which write was the last that was whole. Two that end in the same moment may be told as one."""
        found = self.server.query(self.beside, f'id == "{HEAD}"', ["value"]) if self.is_there else []
        return Head(*json.loads(found[0]["value"])) if found else Head(0, "")

    def _changed(self) -> None:
        """Tell whoever asks for the head that something was written."""
        value = json.dumps([self.head().generation + 1, secrets.token_hex(8)])
        self.server.put(self.beside, [beside("head", "now", value)])

    def counts(self) -> dict[str, int]:
        """Documents, passages, tokens: of all documents, summed."""
        head = self.head()
        if self._counted is None or self._counted[0] != head:
            names = ("documents", "passages", "tokens")
            totals = dict.fromkeys(names, 0)
            for stored in self._documents():
                for name, more in zip(names, (1, stored.passages, stored.tokens), strict=True):
                    totals[name] += more
            self._counted = head, totals
        return dict(self._counted[1])

    def passages_held(self) -> int:
        """As in `Engine`."""
        return self.counts()["passages"]

    # -- documents' rows, which the rest goes by

    def _documents(self, more: str = "") -> Iterator[Stored]:
        """Those of all documents, or of those of which an expression is true, in no order."""
        own = 'table == "document"' + (f" and {more}" if more else "")
        for rows in self.server.each(self.beside, own, DOCUMENT_FIELDS):
            yield from map(document_of, rows)

    def _of_sources(self, sources: Iterable[str]) -> dict[str, Stored]:
        """Source → its document, of those that are there. What this process wrote is in it."""
        ids = [f"document:{digest_of(source)}" for source in sources]
        rows = self.server.of_ids(self.beside, ids, DOCUMENT_FIELDS, "Session")
        return {stored.source: stored for stored in map(document_of, rows)}

    def _of_numbers(self, numbers: Iterable[int], level: str | None = None) -> dict[int, Stored]:
        """Number → its document, of those that are there."""
        found: dict[int, Stored] = {}
        for some in pieces(sorted({int(number) for number in numbers})):
            own = f'table == "document" and document in {some}'
            rows = self.server.query(self.beside, own, DOCUMENT_FIELDS, level)
            found |= {stored.number: stored for stored in map(document_of, rows)}
        return found


def pieces(numbers: Sequence[int], size: int = 1000) -> Iterator[list[int]]:
    """Numbers, so many at a time."""
    for at in range(0, len(numbers), size):
        yield list(numbers[at : at + size])
