"""An index opened, in a folder or on a server: its engine, the model that fits it, what was stored in it, by name."""

import threading
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from pathlib import Path, PurePath
from types import TracebackType
from typing import Any, Literal, Self, Unpack

from searcher import filters
from searcher.embedding import Embedder, IndexSettings, Settings, Wanted
from searcher.engines.engine import Engine
from searcher.engines.local import LocalEngine
from searcher.engines.milvus import SCHEME, Address
from searcher.errors import BadValue, DamagedIndex, UnknownName
from searcher.filters import Filter, joined, named
from searcher.records import Document, Row
from searcher.store import DATABASE
from searcher.system import absolute, on_fork, shown, spelled

__all__ = ["FAISS", "SCHEME", "Opened", "address_of"]

FAISS = "faiss"  # the engine of a folder, where nobody names another
SHOWN = 5  # names in a message
MOST = 20_000  # paths among which a name like another is looked for


def address_of(engine: str | None) -> Address | None:
    """Where an engine that is no folder is. BadValue, UnknownName for one that is none.

    >>> address_of("faiss"), str(address_of("milvus:http://cluster:19530#notes"))
    (None, 'milvus:http://cluster:19530#notes')
    """
    scheme = (engine or FAISS).partition(":")[0]
    if scheme not in (FAISS, SCHEME) or engine == SCHEME:
        raise UnknownName("engine", engine, [FAISS, f"{SCHEME}:URI[#collection]"])
    return Address.of(engine) if engine and scheme == SCHEME else None


class Opened:
    """An index, its model loaded when it is first needed; safe to share between threads.

    folder: of an index here. engine: "faiss", or where it is else, "milvus:URI[#collection]", which may also stand in
    the place of the folder.
    """

    def __init__(
        self,
        folder: str | Path = "index_data",
        model: str | Path | None = None,
        *,
        engine: str | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        if engine is None and isinstance(folder, str) and folder.startswith(f"{SCHEME}:"):
            engine = folder
        self.address = address_of(engine)
        # Whatever the working directory will be; on a server there is none.
        self.folder = Path(absolute(folder) if self.address is None else str(self.address))
        self._database = self.folder / DATABASE
        if unknown := set(settings) - Settings.__optional_keys__:
            raise UnknownName("setting", min(unknown), Settings.__optional_keys__)
        self._wanted = Wanted(str(model) if model is not None else None, **settings)
        self._engine: Engine | None = None
        self._embedder: Embedder | None = None
        self._made_with = ""  # fingerprint of the settings that the embedder is for
        self._lock = threading.RLock()
        _opened.add(self)
        with suppress(DamagedIndex):  # it can be opened to be checked; whatever reads it says so
            if self.exists() and (stored := self.engine.settings()):
                self._wanted.check(stored)

    def __reduce__(self) -> tuple[Any, ...]:
        # Of connections, mapped files and threads nothing can be copied: a copy opens the same index anew.
        return _opened_anew, (type(self), self.place, self._wanted)

    @property
    def place(self) -> str:
        """Where the index is: its folder, or its address on a server."""
        return str(self.folder if self.address is None else self.address)

    def is_at(self, other: "Opened") -> bool:
        """Whether both are one index, whatever its folder is called."""
        if self.address or other.address:
            return self.address == other.address
        return self.folder.exists() and other.folder.exists() and self.folder.samefile(other.folder)

    def exists(self) -> bool:
        """Whether there is an index at its place."""
        if self.address is None:
            return self._database.exists()
        with self._lock:
            if self._engine is None:
                self._engine = self._open(create=True)  # which makes nothing before there are settings
            return self._engine.settings() is not None

    @property
    def engine(self) -> Engine:
        """What is stored. Raises IndexUnavailable if there is no index yet."""
        # Without the lock once it is open: who reads the database must not wait for a thread that waits to read it.
        if (engine := self._engine) is not None:
            return engine
        with self._lock:
            if self._engine is None:
                self._engine = self._open()
            return self._engine

    def _local(self, doing: str) -> LocalEngine:
        """The engine of an index folder, for what no other one can. BadValue elsewhere, which names what that is."""
        if not isinstance(self.engine, LocalEngine):
            raise BadValue(f"{self.place} cannot {doing}; only an index in a folder can")
        return self.engine

    def _keeps_tokens(self) -> bool:
        """Whether the vectors of passages' tokens are kept."""
        return isinstance(self.engine, LocalEngine) and self.engine.tokens.exist()

    def _open(self, create: bool = False) -> Engine:
        if self.address is None:
            return LocalEngine(self.folder, create)
        from searcher.engines.milvus.engine import MilvusEngine  # for which nobody else need wait

        return MilvusEngine(self.address, create)

    def _create(self) -> None:
        """Make the index if there is none."""
        with self._lock:
            if self.address is None and not self.exists():
                self._engine = self._open(create=True)

    def _stored(self) -> IndexSettings | None:
        return self.engine.settings() if self.exists() else None

    @property
    def settings(self) -> IndexSettings:
        """What the index was made with, or a new one would be."""
        if (stored := self._stored()) is not None:
            return stored
        return self._wanted.settings(self.embedder) if self._wanted.vectors is None else self._wanted.given()

    @property
    def embedder(self) -> Embedder:
        """What embeds this index's passages and questions; the model's files are found and verified here."""
        return self._fitting()[0]

    def _fitting(self, anew: bool = True) -> tuple[Embedder, str]:
        """The embedder, and the fingerprint of the settings that it is for.

        anew: False where whoever asks compares that with the index's afterwards: what is there may not fit any more.
        """
        with self._lock:
            if self._embedder is not None and not anew:
                return self._embedder, self._made_with
            stored = self._stored()
            # Another process may have embedded the index again with other settings.
            if self._embedder is None or (stored is not None and stored.fingerprint != self._made_with):
                if stored is not None:
                    self._wanted.check(stored)
                self._embedder = self._wanted.embedder(stored)
                self._made_with = (stored or self._wanted.settings(self._embedder)).fingerprint
            return self._embedder, self._made_with

    def close(self) -> None:
        """Close the database; the next use opens it again."""
        with self._lock:
            if self._engine is not None:
                self._engine.close()
            self._engine = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- what is stored, by name

    def _find(self, source: str | Path) -> list[int]:
        """Ids of the documents of a source, a file, or a folder with all in it; else of what its end or a title names.

        BadValue if there are none, or if several files are meant.
        """
        source = _named_so(source)
        for name in (source, spelled(source)):
            numbers = set(self.engine.documents_of("source", name).values())
            for file in self.engine.files_under(name):
                numbers.update(self.engine.documents_of("file", file).values())
            if numbers:
                return sorted(numbers)
        return self._ending(source)

    def document(self, source: str | Path) -> Document:
        """A stored document by source, relative path or caller's id, else by the end of its path or its title.

        BadValue if there is none, or if several are meant.
        """
        source = _named_so(source)
        names: tuple[tuple[Literal["source", "key"], str], ...]
        names = (("source", source), ("source", spelled(source)), ("key", source))
        for column, name in names:
            numbers = self.engine.documents_of(column, name)
            if numbers:
                document = self.engine.document(min(numbers.values()))
                if name not in (document.source, document.id):
                    raise DamagedIndex(f"{self.place}: {source!r} led to another document; run: searcher check")
                return document
        found = self._find(source)
        if len(found) > 1:
            several = [self.engine.document(number).source for number in found[:SHOWN]]
            raise BadValue(f"{source!r} holds {len(found):,} documents: {_named(several, len(found))}")
        return self.engine.document(found[0])

    def _ending(self, name: str) -> list[int]:
        """Ids of the documents of the one file or source whose path ends so, or that has that title. BadValue."""
        found = self.engine.ending(name.removeprefix("./").strip("/"))
        if len(found) > 1:
            raise BadValue(f"{name!r} is the end or the title of {len(found):,}: {_named(list(found), len(found))}")
        if not found:
            there = f"nothing from {name!r:.200} in {self.place};{self._near(name)}"
            raise BadValue(f"{there} searcher list shows what there is")
        return next(iter(found.values()))

    def _near(self, name: str) -> str:
        """What is said of a name that is not there: which paths are most like it, empty if none is."""
        from difflib import get_close_matches

        paths = {PurePath(origin).name: origin for origin in self.engine.origins(MOST)}
        near = get_close_matches(PurePath(name).name, paths, n=3)
        return f" did you mean {' or '.join(repr(shown(paths[each])) for each in near)}?" if near else ""

    def passages(self, source: str | Path) -> list[Row]:
        """The stored passages of a document in their order, vectors included. BadValue if there is no such document."""
        with self.engine.reading():
            ids = [number for document in self._find(source) for number in self.engine.passage_ids(document).tolist()]
            rows = self.engine.rows(ids)
            return [rows[number] for number in ids]

    def listing(
        self,
        where: str | Mapping[Any, Any] | Filter | None = None,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
    ) -> list[dict[str, Any]]:
        """Documents in the order of sources: source, id, kind, title, metadata, passages, characters.

        where: a filter; of passages, it finds the documents that hold one. include, exclude: globs, as in .gitignore,
        of the files that they came from, or else of their sources.
        """
        tree = joined(None if where is None else filters.parse(where), named(include, exclude))
        if not self.exists():
            return []
        with self.engine.reading():
            return self.engine.listing(None if tree is None else self.engine.chosen(tree))

    def counts(self) -> dict[str, int]:
        """How many documents, passages and tokens there are."""
        return self.engine.counts() if self.exists() else dict.fromkeys(("documents", "passages", "tokens"), 0)


def _named(names: list[str], count: int) -> str:
    """Some names, and how many there are beside them."""
    others = f" and {count - SHOWN:,} more" if count > SHOWN else ""
    return f"{', '.join(map(shown, names[:SHOWN]))}{others}; give more of the path"


def _named_so(given: object) -> str:
    """A source as it may be stored, of a text or a path. BadValue for what can be none."""
    source = str(given) if isinstance(given, PurePath) else given
    if not isinstance(source, str):
        raise BadValue(f"a source is {given!r:.40}; good: a text or a path")
    if not source:  # which to the system is the current folder
        raise BadValue("a source is empty; searcher list shows what there is")
    try:
        source.encode()
    except UnicodeEncodeError as fault:
        where = f"{source!r} is not UTF-8 at character {fault.start + 1}"
        raise BadValue(f"{where}, and so no source of an index; searcher list shows what there is") from None
    return source


def _opened_anew(kind: type[Opened], place: str, wanted: Wanted) -> Opened:
    """One that was pickled or copied."""
    return kind(place, **{field.name: getattr(wanted, field.name) for field in fields(wanted)})


_opened: "weakref.WeakSet[Opened]" = weakref.WeakSet()


def _unlock_in_child() -> None:
    """After a fork: the thread that held a lock is not in the child."""
    for opened in _opened:
        opened._lock = threading.RLock()


on_fork(child=_unlock_in_child)
