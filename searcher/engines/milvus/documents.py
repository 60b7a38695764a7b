"""What can be asked of the documents on Milvus, of the files they came from, and of what the last `add` saw."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np

from searcher.engines.milvus.expressions import literal
from searcher.engines.milvus.layout import Stored, beside, digest_of, marked, whole_document
from searcher.engines.milvus.state import NUMBERS_AT_ONCE, State
from searcher.errors import DamagedIndex
from searcher.filters import BOOLEAN, NUMBER, TEXT, values_of
from searcher.records import Document
from searcher.store import Look, SeenFile

__all__ = ["Documents"]

LISTED = ("source", "id", "kind", "title", "metadata", "passages", "characters")
NAMED = 200  # texts in one expression
MARKDOWN = (".md", ".markdown")


class Documents(State):
    """By name each is one question to the server; what is said of all is read document by document."""

    def known(self, sources: Iterable[str]) -> dict[str, bytes]:
        """As in `Engine`."""
        found = self._of_sources(filter(_storable, sources))
        return {source: bytes.fromhex(stored.digest) for source, stored in found.items()}

    def documents_of_files(self, paths: Iterable[str]) -> dict[str, dict[str, int]]:
        """As in `Engine`."""
        found: dict[str, dict[str, int]] = {}
        for stored in self._of_files(paths):
            found.setdefault(str(stored.file), {})[stored.source] = stored.number
        return found

    def documents_of(self, column: Literal["source", "key", "file"], value: str) -> dict[str, int]:
        """As in `Engine`."""
        if column == "source":
            found: Iterable[Stored] = self._of_sources([value]).values()
        else:
            name, own = ("key", marked(value)) if column == "key" else ("name", value)
            found = self._documents(f"{name} == {literal(own)}") if _storable(own) else ()
        return {stored.source: stored.number for stored in found}

    def named(self, column: Literal["source", "key"], names: Iterable[str]) -> dict[str, list[int]]:
        """As in `Engine`."""
        wanted = sorted(filter(_storable, set(names)))
        if column == "source":
            return {source: [stored.number] for source, stored in self._of_sources(wanted).items()}
        found: dict[str, list[int]] = {}
        for listed in _listed(map(marked, wanted)):
            for stored in self._documents(f"key in {listed}"):
                found.setdefault(str(stored.id), []).append(stored.number)
        return {name: sorted(numbers) for name, numbers in found.items()}

    def ending(self, name: str) -> dict[str, list[int]]:
        """As in `Engine`; every document is looked at."""
        end, title = f"/{name}".casefold(), name.casefold()
        found: dict[str, list[int]] = {}
        for stored in self._documents():
            by_source = stored.source.casefold().endswith(end)
            if by_source or (stored.file or "").casefold().endswith(end) or (stored.title or "").casefold() == title:
                origin = stored.source if by_source else stored.origin
                found.setdefault(origin, []).append(stored.number)
        return {origin: sorted(numbers) for origin, numbers in found.items()}

    def document(self, number: int) -> Document:
        """As in `Engine`; DamagedIndex if it is not what was given."""
        stored = self._of_numbers([number]).get(number)
        if stored is None:
            raise DamagedIndex(f"document {number} is gone from {self.address}")
        blocks = {row["id"]: row["value"] for row in self.server.of_ids(self.beside, stored.block_ids, ["id", "value"])}
        return whole_document(stored, blocks)

    def document_ids(self, some: Sequence[int] | None = None) -> list[int]:
        """As in `Engine`."""
        if some is not None:
            return sorted(self._of_numbers(some))
        walk = self.server.each(self.beside, 'table == "document"', ["document"], NUMBERS_AT_ONCE)
        return sorted(row["document"] for rows in walk for row in rows)

    def document_count(self) -> int:
        """As in `Engine`."""
        return self.server.count(self.beside, 'table == "document"')

    def metadata_kinds(self) -> dict[str, list[str]]:
        """As in `Engine`; every document is looked at."""
        kinds: dict[str, set[str]] = {}
        for stored in self._documents():
            for path, kind, _ in values_of(stored.metadata):
                if len(path) == 1:
                    kinds.setdefault(path[0], set()).add(kind)
        return {key: sorted(own) for key, own in kinds.items()}

    def has_key(self, path: tuple[str, ...]) -> bool:
        """As in `Engine`."""
        return bool(list(self.server.of_ids(self.beside, [f"key:{digest_of(json.dumps(path))}"], ["id"])))

    def values_of(
        self, key: str | tuple[str, ...], documents: np.ndarray | None = None
    ) -> list[tuple[str | float | bool, int]]:
        """As in `Engine`."""
        counts: dict[tuple[str, Any], int] = {}
        for stored in self._chosen(documents):
            if isinstance(key, str):
                own = {(TEXT, value)} if (value := stored.columns[key]) is not None else set()
            else:
                own = {(kind, value) for path, kind, value in values_of(stored.metadata) if path == key}
            for kind, value in own:
                if kind in (TEXT, NUMBER, BOOLEAN):
                    counts[kind, value] = counts.get((kind, value), 0) + 1
        return [(value, count) for (_, value), count in counts.items()]

    def listing(self, documents: np.ndarray | None = None) -> list[dict[str, Any]]:
        """As in `Engine`."""
        found = [{name: getattr(stored, name) for name in LISTED} for stored in self._chosen(documents)]
        return sorted(found, key=lambda own: str(own["source"]))

    def _chosen(self, documents: np.ndarray | None) -> Iterable[Stored]:
        """Some documents by their ids, or all."""
        return self._documents() if documents is None else self._of_numbers(documents.tolist()).values()

    # -- files

    def origins(self, most: int) -> list[str]:
        """As in `Engine`."""
        found: dict[str, None] = {}
        for stored in self._documents():
            found[stored.origin] = None
            if len(found) >= most:
                break
        return list(found)

    def file_digests(self, paths: Iterable[str]) -> dict[str, bytes]:
        """As in `Engine`."""
        ids = [f"file:{digest_of(path)}" for path in paths]
        rows = self.server.of_ids(self.beside, ids, ["name", "key"], "Session")
        return {row["name"]: bytes.fromhex(row["key"]) for row in rows}

    def files(self) -> list[tuple[str, bytes]]:
        """As in `Engine`."""
        walk = self.server.each(self.beside, 'table == "file"', ["name", "key"])
        return sorted((row["name"], bytes.fromhex(row["key"])) for rows in walk for row in rows)

    def files_under(self, folder: str) -> list[str]:
        """As in `Engine`."""
        return sorted({str(stored.file) for stored in self._documents(_under(folder))})

    def file_of(self, document: int) -> str | None:
        """As in `Engine`."""
        found = self._of_numbers([document]).get(document)
        return found.file if found else None

    def faqs(self, paths: Iterable[str]) -> dict[str, Literal["questions", "answers"]]:
        """As in `Engine`."""
        found: dict[str, Literal["questions", "answers"]] = {}
        for stored in self._of_files(paths):
            path = str(stored.file)
            if stored.kind == "faq" and stored.answers:
                found[path] = "answers"
            elif stored.kind == "faq" and Path(path).suffix.lower() in MARKDOWN:
                found.setdefault(path, "questions")
        return found

    def files_of_digests(self, digests: Iterable[bytes]) -> dict[bytes, list[str]]:
        """As in `Engine`."""
        found: dict[bytes, list[str]] = {}
        for listed in _listed(digest.hex() for digest in digests):
            for rows in self.server.each(self.beside, f'table == "file" and key in {listed}', ["name", "key"]):
                for row in rows:
                    found.setdefault(bytes.fromhex(row["key"]), []).append(row["name"])
        return found

    def _of_files(self, paths: Iterable[str]) -> Iterator[Stored]:
        """The documents that came from those files."""
        for listed in _listed(filter(_storable, paths)):
            yield from self._documents(f"name in {listed}")

    # -- what the last add saw

    def seen_under(self, folder: str) -> dict[str, SeenFile]:
        """As in `Engine`."""
        counts: dict[str, int] = {}
        for stored in self._documents(_under(folder)):
            counts[str(stored.file)] = counts.get(str(stored.file), 0) + 1
        digests: dict[str, bytes] = {}
        looks: dict[str, tuple[bytes | None, str | None]] = {}
        for rows in self.server.each(self.beside, f'table in ["file", "look"] and {_under(folder)}', ROW):
            for row in rows:
                if row["table"] == "file":
                    digests[row["name"]] = bytes.fromhex(row["key"])
                else:
                    mark, reason = json.loads(row["value"])
                    looks[row["name"]] = bytes.fromhex(mark), reason
        return {
            path: SeenFile(*looks.get(path, (None, None)), digests.get(path), counts.get(path, 0))
            for path in counts.keys() | digests.keys() | looks.keys()
        }

    def look(self, looks: Iterable[Look], under_way: str | None = None) -> None:
        """As in `Engine`."""
        kept, gone = list[dict[str, Any]](), list[str]()
        for look in looks:
            name = digest_of(look.path)
            if look.mark is None:
                gone.append(f"look:{name}")
            else:
                kept.append(beside("look", name, json.dumps([look.mark.hex(), look.reason]), file=look.path))
        if under_way:
            kept.append(beside("note", "under way", under_way))
        elif under_way is not None:
            gone.append("note:under way")
        self.server.put(self.beside, kept)
        self.server.take_out(self.beside, gone)

    def under_way(self) -> str | None:
        """As in `Engine`."""
        found = list(self.server.of_ids(self.beside, ["note:under way"], ["value"]))
        return found[0]["value"] if found else None


ROW = ("table", "name", "key", "value")


def _under(folder: str) -> str:
    """What is true of rows whose file is that, or below it: "0" comes after "/"."""
    start = folder.rstrip("/")
    return f"(name == {literal(folder)} or (name >= {literal(start + '/')} and name < {literal(start + '0')}))"


def _listed(texts: Iterable[str]) -> Iterator[str]:
    """Texts as lists of expressions, so many in each."""
    walk = iter(texts)
    while some := list(islice(walk, NAMED)):
        yield f"[{', '.join(map(literal, some))}]"


def _storable(text: str) -> bool:
    """Whether Milvus could hold it: it has no lone surrogates."""
    try:
        return bool(text.encode()) or True
    except UnicodeEncodeError:
        return False
