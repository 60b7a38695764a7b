"""Documents → the index: what is new is cut, embedded and written batch by batch, what is unchanged is left alone."""

from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from time import perf_counter
from typing import Literal, NamedTuple

import numpy as np

from searcher.embedding import Embedder, IndexSettings, Sequence_
from searcher.engines import Engine
from searcher.errors import BadValue
from searcher.ingest.documents import passages, sound
from searcher.ingest.progress import Progress, finished, no_progress, shown
from searcher.records import AddReport, Chunk, Document, Failure, Note, Prepared, Skipped

__all__ = ["Ingest", "embed_chunks"]

BATCH_TOKENS = 32_000  # written in one transaction, unless one document is longer
BATCH_DOCUMENTS = 2_000
FIRST_TOKENS = 8_000  # enough for a batch while the encoder has nothing to do
AHEAD = 2  # batches that are embedded, or wait for it, while the next one is read


class Taken(NamedTuple):
    """A document to be written, its digest, the file it came from and its passages."""

    document: Document
    digest: bytes
    file: str | None
    chunks: list[Chunk]


class Embedding(NamedTuple):
    """A batch whose vectors are being made, and what is to be written with it.

    texts: of all passages. late: which of them an earlier batch is still embedding; `vectors` are those of the others.
    """

    vectors: Future[tuple[np.ndarray, int]]
    texts: list[str]
    late: np.ndarray
    batch: list[Taken]
    sources: set[str]
    removed: list[int]
    files: list[tuple[str, bytes | None]]


class Ingest:
    """One `add`: give it documents, then `finish`; every full batch is one transaction.

    engine: None for a dry run without an index; a dry run reads and cuts but neither embeds nor writes.
    """

    def __init__(
        self,
        engine: Engine | None,
        settings: IndexSettings,
        embedder: Embedder,
        progress: Progress = no_progress,
        dry_run: bool = False,
    ) -> None:
        self.engine, self.settings, self.embedder = engine, settings, embedder
        self.chunker = settings.chunker(embedder)
        self.progress, self.dry_run = shown(progress), dry_run
        self.report = AddReport()
        self._begun = perf_counter()
        self._batch: dict[str, Taken] = {}
        self._tokens = 0
        self._removed: list[int] = []  # documents that go when the batch is written
        self._files: list[tuple[str, bytes | None]] = []  # … and files that are then whole
        self._encoder = ThreadPoolExecutor(1, "ingest")
        self._pending: deque[Embedding] = deque()

    # -- files

    def is_unchanged(self, file: str, digest: bytes) -> bool:
        """Whether all documents of a file are in already, as that digest says."""
        if self.engine is None or self.engine.file(file) != digest:
            return False
        self.report.unchanged += len(self.engine.documents_of("file", file))
        return True

    def files_under(self, root: str) -> list[str]:
        """Files below a folder, or the file itself, that documents came from."""
        return self.engine.files_under(root) if self.engine else []

    def faq_of(self, file: str) -> Literal["questions", "answers"] | None:
        """What is embedded of the entries that `faq add` read from a file, None if it did not."""
        return self.engine.faq_of(file) if self.engine else None

    def forget(self, file: str) -> None:
        """Remove every document of a file."""
        assert self.engine is not None
        numbers = self.engine.documents_of("file", file)
        self._removed += numbers.values()
        self.report.removed += len(numbers)
        self._files.append((file, None))

    # -- documents

    def documents(
        self, items: Iterable[Document | Failure], file: str | None = None, digest: bytes = b"", prune: bool = False
    ) -> None:
        """Documents, and what was not read as it stands; those of a file replace all that came from it before.

        prune: also where a row failed of which it is not known which document it is.
        """
        before = self.engine.documents_of("file", file) if self.engine and file else {}
        if self.engine and file and self.engine.file(file) is not None:
            self._files.append((file, None))  # until it is whole again, lest its old state counts as unchanged
        whole = True
        unknown: Failure | None = None  # a row that failed and may be any of those that the file held
        for item in items:
            if isinstance(item, Failure):
                self.report.tell(item)
                if not isinstance(item, Note | Skipped):
                    whole = False
                    before.pop(item.row or "", None)
                    unknown = unknown or (None if item.row else item)
                continue
            before.pop(item.source, None)
            whole &= self._document(item, file)
        if file and before and unknown and not prune:
            reason = f"{len(before):,} rows that it held before were kept, for one of them may be what failed: "
            self.report.tell(Note(file, f"{reason}{unknown.reason}; --prune removes them"))
        elif file:
            self._removed += before.values()
            self.report.removed += len(before)
        if file and whole:  # else it is read again next time
            self._files.append((file, digest))

    def _document(self, document: Document, file: str | None) -> bool:
        """Take a document into the batch unless it is unchanged; whether it could be taken."""
        try:
            document = sound(document)
            if document.source in self._batch:
                self._flush()
            # What is known of a source that is being embedded is about to change.
            while any(document.source in pending.sources for pending in self._pending):
                self._settle()
            digest = document.digest()
            if self.engine and self.engine.known(document.source) == digest:
                self.report.unchanged += 1
                return True
            chunks = list(self.chunker.chunks(document.text, document.sections, document.breaks))
        except BadValue as fault:
            self.report.failed.append(Failure(str(document.source), str(fault)))
            return False
        chunks = chunks[:1] if self.settings.truncate else chunks
        self._batch[document.source] = Taken(document, digest, file, chunks)
        self._tokens += sum(chunk.content for chunk in chunks)
        enough = BATCH_TOKENS if self._pending else FIRST_TOKENS
        if self._tokens >= enough or len(self._batch) >= BATCH_DOCUMENTS:
            self._flush()
        return True

    # -- batches

    def _flush(self) -> None:
        """Have the batch embedded; reading goes on meanwhile."""
        batch, self._batch, self._tokens = list(self._batch.values()), {}, 0
        removed, self._removed = self._removed, []
        files, self._files = self._files, []
        self._count(batch)
        if self.dry_run or self.engine is None or not (batch or removed or files):
            return
        while len(self._pending) >= AHEAD:
            self._settle()
        texts = [item.document.text[chunk.start : chunk.end] for item in batch for chunk in item.chunks]
        ids = [chunk.ids for item in batch for chunk in item.chunks]
        earlier = set[str]().union(*(own.texts for own in self._pending))
        late = np.array([text in earlier for text in texts], dtype=bool)
        now = np.flatnonzero(~late)
        own = [texts[number] for number in now]
        known = self.engine.vectors_of_texts(dict.fromkeys(own))
        vectors = self._encoder.submit(
            embed_chunks, self.embedder, own, [ids[number] for number in now], known, self.progress
        )
        sources = {item.document.source for item in batch}
        self._pending.append(Embedding(vectors, texts, late, batch, sources, removed, files))

    def _count(self, batch: list[Taken]) -> None:
        report = self.report
        for item in batch:
            report.documents += 1
            report.passages += min(1, len(item.chunks)) if item.document.whole else len(item.chunks)
            report.tokens += sum(chunk.content for chunk in item.chunks)
            report.unknown_tokens += sum(chunk.unknown for chunk in item.chunks)
            report.split_words += sum(chunk.splits_word for chunk in item.chunks)

    def _settle(self) -> None:
        """Wait for the oldest batch that is being embedded, and write it in one transaction."""
        assert self.engine is not None
        pending = self._pending.popleft()
        try:
            vectors = self._vectors(pending)
        except BaseException:
            self._encoder.shutdown(wait=False, cancel_futures=True)
            raise
        prepared, at = [], 0
        for document, digest, file, chunks in pending.batch:
            own = passages(document, chunks, vectors[at : at + len(chunks)])
            prepared.append(Prepared(document, digest, file, *own))
            at += len(chunks)
        self.engine.write(prepared, pending.removed, pending.files, made_with=self.settings)

    def _vectors(self, pending: Embedding) -> np.ndarray:
        """The vectors of all passages of a batch. (n, d) float32"""
        assert self.engine is not None
        vectors, embedded = pending.vectors.result()
        self.report.embedded += embedded
        if not pending.late.any():
            return vectors
        whole = np.empty((len(pending.late), self.embedder.dimension), dtype=np.float32)
        whole[~pending.late] = vectors
        # The earlier batch is written by now; another process may have removed it since.
        late = np.flatnonzero(pending.late)
        texts, ids = [pending.texts[number] for number in late], [c.ids for item in pending.batch for c in item.chunks]
        known = self.engine.vectors_of_texts(dict.fromkeys(texts))
        whole[late], embedded = embed_chunks(self.embedder, texts, [ids[number] for number in late], known)
        self.report.embedded += embedded
        return whole

    def finish(self) -> AddReport:
        """Write what is left; the report."""
        self._flush()
        while self._pending:
            self._settle()
        self._encoder.shutdown()
        finished(self.progress)
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
