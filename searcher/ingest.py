"""Files and texts → the store: what is new is read, cut, embedded and written, what is unchanged is left alone."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from searcher.chunking import Chunker
from searcher.embedder import Embedder
from searcher.encoder import Sequence_
from searcher.errors import BadValue, UnreadableFile
from searcher.readers import ReadOptions, Unsupported, find_files, read, storable
from searcher.readers.walking import Found
from searcher.records import AddReport, Chunk, Document, Failure, Skipped
from searcher.store import Prepared, Store, digest_of
from searcher.tokens import check_text

__all__ = ["Ingest", "Progress", "embed_chunks"]

BATCH_TOKENS = 32_000  # written in one transaction, unless one document is longer
BATCH_DOCUMENTS = 2_000

Progress = Callable[[str, int], None]  # ("total" | "file" | "passage", how many)


def no_progress(event: str, count: int) -> None:
    """Report nothing."""


Taken = tuple[Document, bytes, str | None, list[Chunk]]  # a document, its digest, file and passages


class Embedding(NamedTuple):
    """A batch whose vectors are being made, and what is to be written with it."""

    vectors: Future[tuple[np.ndarray, int]]
    batch: list[Taken]
    sources: set[str]
    removed: list[int]
    files: list[tuple[str, bytes | None]]


class Ingest:
    """One `add`: give it files or documents, then `finish`; every full batch is one transaction.

    store: None for a dry run, which reads and cuts but neither embeds nor writes.
    """

    def __init__(
        self,
        store: Store | None,
        embedder: Embedder,
        chunker: Chunker,
        truncate: bool = False,
        progress: Progress = no_progress,
        dry_run: bool = False,
    ) -> None:
        self.store, self.embedder, self.chunker, self.truncate = store, embedder, chunker, truncate
        self._settings = store.settings() if store else None
        self.progress, self.dry_run = progress, dry_run
        self.report = AddReport()
        self._begun = perf_counter()
        self._batch: dict[str, Taken] = {}
        self._encoder = ThreadPoolExecutor(1, "ingest")
        self._embedding: Embedding | None = None
        self._tokens = 0
        self._removed: list[int] = []  # documents that go when the batch is written
        self._files: list[tuple[str, bytes | None]] = []  # … and files that are then whole

    # -- files

    def paths(self, paths: Sequence[Path], options: ReadOptions, prune: bool = False) -> None:
        """Everything in files and folders; prune: remove what came from there and is there no more."""
        found = list(find_files(paths))
        self.progress("total", len(found))
        seen: set[str] = set()
        for item in found:
            if isinstance(item, Failure):
                there = os.path.lexists(item.source)
                if there:  # a folder that cannot be read now: what came from there is not gone
                    seen.update(self._files_under(item.source))
                if isinstance(item, Skipped):
                    self.report.skipped.append(item)
                elif there or not prune:
                    self.report.failed.append(item)
            else:
                seen.add(_absolute(item.path))
                self._file(item, options)
            self.progress("file", 1)
        if prune:
            for path in {file for root in paths for file in self._files_under(_absolute(root))} - seen:
                self._forget(path)

    def _files_under(self, root: str) -> list[str]:
        return self.store.files_under(root) if self.store else []

    def _forget(self, path: str) -> None:
        """Remove every document of a file."""
        assert self.store is not None
        numbers = self.store.documents_of("file", path)
        self._removed += numbers.values()
        self.report.removed += len(numbers)
        self._files.append((path, None))

    def _file(self, found: Found, options: ReadOptions) -> None:
        path = _absolute(found.path)
        try:
            digest = _file_digest(found.path, options)
            if self.store and self.store.file(path) == digest:
                self.report.unchanged += len(self.store.documents_of("file", path))
                return
            self.documents(read(found.path, options), path, digest)
        except Unsupported as fault:
            if found.explicit:
                self.report.failed.append(Failure(path, fault.reason))
            else:
                self.report.skipped.append(Skipped(path, fault.reason))
        except UnreadableFile as fault:
            self.report.failed.append(Failure(path, fault.reason))
        except OSError as fault:
            self.report.failed.append(Failure(path, fault.strerror or str(fault)))

    # -- documents

    def documents(self, items: Iterable[Document | Failure], file: str | None = None, digest: bytes = b"") -> None:
        """Documents, and rows that could not be read; those of a file replace all that came from it before."""
        before = self.store.documents_of("file", file) if self.store and file else {}
        if self.store and file and self.store.file(file) is not None:
            self._files.append((file, None))  # until it is whole again, lest its old state counts as unchanged
        whole = True
        for item in items:
            if isinstance(item, Failure):
                self.report.failed.append(item)
                whole = False
                continue
            before.pop(item.source, None)
            whole &= self._document(item, file)
        if file and whole:  # else it is read again next time, and what it held stays
            self._removed += before.values()
            self.report.removed += len(before)
            self._files.append((file, digest))

    def _document(self, document: Document, file: str | None) -> bool:
        """Take a document into the batch unless it is unchanged; whether it could be taken."""
        try:
            document = _sound(document)
            if document.source in self._batch:
                self._flush()
            if self._embedding and document.source in self._embedding.sources:  # what is known of it is about to change
                self._settle()
            digest = digest_of(document)
            if self.store and self.store.known(document.source) == digest:
                self.report.unchanged += 1
                return True
            chunks = self._chunks(document)
        except BadValue as fault:
            self.report.failed.append(Failure(str(document.source), str(fault)))
            return False
        self._batch[document.source] = document, digest, file, chunks
        self._tokens += sum(chunk.content for chunk in chunks)
        if self._tokens >= BATCH_TOKENS or len(self._batch) >= BATCH_DOCUMENTS:
            self._flush()
        return True

    def _chunks(self, document: Document) -> list[Chunk]:
        chunks = self.chunker.chunks(document.text, document.sections, document.breaks)
        if self.truncate:
            return [chunk for chunk, _ in zip(chunks, range(1), strict=False)]
        return list(chunks)

    def _flush(self) -> None:
        """Write the batch that was being embedded, and begin to embed the next; reading goes on meanwhile."""
        self._settle()
        batch, self._batch, self._tokens = list(self._batch.values()), {}, 0
        removed, self._removed = self._removed, []
        files, self._files = self._files, []
        report = self.report
        for _, _, _, chunks in batch:
            report.documents += 1
            report.passages += len(chunks)
            report.tokens += sum(chunk.content for chunk in chunks)
            report.unknown_tokens += sum(chunk.unknown for chunk in chunks)
            report.split_words += sum(chunk.splits_word for chunk in chunks)
        if self.dry_run or self.store is None or not (batch or removed or files):
            return
        texts = [document.text[chunk.start : chunk.end] for document, _, _, chunks in batch for chunk in chunks]
        ids = [chunk.ids for _, _, _, chunks in batch for chunk in chunks]
        known = self.store.vectors_of_texts(dict.fromkeys(texts))
        vectors = self._encoder.submit(embed_chunks, self.embedder, texts, ids, known, self.progress)
        self._embedding = Embedding(vectors, batch, {item[0].source for item in batch}, removed, files)

    def _settle(self) -> None:
        """Wait for the batch that is being embedded, and write it in one transaction."""
        if self._embedding is None or self.store is None:
            return
        pending, self._embedding = self._embedding, None
        vectors, embedded = pending.vectors.result()
        self.report.embedded += embedded
        prepared, at = [], 0
        for document, digest, file, chunks in pending.batch:
            prepared.append(Prepared(document, digest, file, chunks, vectors[at : at + len(chunks)]))
            at += len(chunks)
        self.store.write(prepared, pending.removed, pending.files, made_with=self._settings)

    def finish(self) -> AddReport:
        """Write what is left; the report."""
        self._flush()
        self._settle()
        self._encoder.shutdown()
        self.report.seconds = perf_counter() - self._begun
        return self.report


def embed_chunks(
    embedder: Embedder,
    texts: Sequence[str],
    ids: Sequence[Sequence[int]],
    known: dict[str, np.ndarray],
    progress: Progress = no_progress,
) -> tuple[np.ndarray, int]:
    """Vectors of passages, each different text once. -> ((n, d) float32, how many were embedded).

    texts, ids: n texts and their token ids; known: vectors of texts that need not be embedded.
    """
    new = {text: number for number, text in reversed(list(enumerate(texts))) if text not in known}
    order = sorted(new.values())
    row_of = {texts[number]: row for row, number in enumerate(order)}
    fresh = embedder.embed_sequences(
        [Sequence_(ids[number]) for number in order], progress=lambda n: progress("passage", n)
    )
    vectors = np.empty((len(texts), embedder.dimension), dtype=np.float32)
    for number, text in enumerate(texts):
        vectors[number] = known[text] if text in known else fresh[row_of[text]]
    return vectors, len(order)


def documents_of_texts(
    texts: Sequence[str], ids: Sequence[str] | None, metadatas: Sequence[Mapping[str, Any] | None] | None
) -> Iterator[Document]:
    """Documents out of plain texts; a text without an id gets one made of its content.

    Raises BadValue when the lists differ in length, an id comes twice, or something cannot be stored.
    """
    for name, values in (("texts", texts), ("ids", ids), ("metadatas", metadatas)):
        if isinstance(values, str | Mapping):
            raise BadValue(f"{name} is one {type(values).__name__}; it must be a list of them")
        if values is not None and len(values) != len(texts):
            raise BadValue(f"{len(values)} {name} for {len(texts)} texts")
    used: set[str] = set()
    for number, text in enumerate(texts):
        check_text(text, f"text {number + 1}")
        metadata = _sound_metadata(metadatas[number] or {} if metadatas else {}, f"metadata {number + 1}")
        document = Document("", text, metadata=metadata)
        if ids is None:
            key = f"text-{digest_of(document).hex()[:16]}"
        else:
            given = ids[number]
            key = check_text(str(given) if isinstance(given, int) else given, f"id {number + 1}")
            if not key or key in used:
                raise BadValue(f"id {key!r} is given twice" if key else f"id {number + 1} is empty")
        if key not in used:
            yield replace(document, source=key, id=key)
        used.add(key)


def _sound(document: Document) -> Document:
    """The document with metadata that JSON can hold; BadValue for anything that cannot be stored."""
    for name in ("source", "text"):
        check_text(getattr(document, name), f"the {name}")
    for name in ("title", "id"):
        if (value := getattr(document, name)) is not None:
            check_text(value, f"the {name}")
    for _, path in document.sections:
        check_text(path, "a heading")
    return replace(document, metadata=_sound_metadata(document.metadata, "metadata"))


def _sound_metadata(metadata: object, name: str) -> dict[str, Any]:
    if not isinstance(metadata, Mapping):
        raise BadValue(f"{name} is {type(metadata).__name__} {metadata!r:.40}, not a dict")
    try:
        return dict(storable(metadata))
    except BadValue as fault:
        raise BadValue(f"{name}: {fault}") from None


def _absolute(path: Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - Path.absolute keeps "..", resolve follows links


def _file_digest(path: Path, options: ReadOptions) -> bytes:
    """Stands for what is in a file and how it is read."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16))
    digest.update(repr(sorted(asdict(options).items())).encode())
    return digest.digest()
