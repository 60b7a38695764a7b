"""Batches of documents → the database: embedded by a thread of its own while the next is read, written in order."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from time import perf_counter
from typing import NamedTuple

import numpy as np

from searcher.embedding import Embedder, IndexSettings, Sequence_
from searcher.engines import Engine, Look
from searcher.ingest.documents import passages
from searcher.ingest.inputs import inputs
from searcher.ingest.progress import Progress, no_progress
from searcher.records import Chunk, Document, Input, Prepared

__all__ = ["BATCH_TOKENS", "Batch", "Pipeline", "Ready", "Taken", "embed_chunks"]

BATCH_TOKENS = 32_000  # at most in a transaction, unless one document is longer
LEAST_TOKENS = 2_000  # … and at least, while there is more
FIRST_TOKENS = 8_000  # … while it is not known how long the encoder takes
SECONDS = 3.0  # that the encoder shall take for one: so much is lost where the power fails
SHORT = 0.25  # … where it has nothing to do meanwhile
AHEAD = 2  # batches that are embedded, or wait for it, while the next one is read


class Ready(NamedTuple):
    """A document that was cut and embedded elsewhere. vectors: (len(chunks), d) float32, unit rows."""

    document: Document
    chunks: list[Chunk]
    vectors: np.ndarray


class Taken(NamedTuple):
    """A document to be written, its digest, its file, its passages and, where it was `Ready`, their vectors."""

    document: Document
    digest: bytes
    file: str | None
    chunks: list[Chunk]
    vectors: np.ndarray | None = None

    @property
    def passages(self) -> int:
        """How many passages are stored of it."""
        return min(1, len(self.chunks)) if self.document.whole else len(self.chunks)


@dataclass
class Batch:
    """What goes into one transaction. taken: by source. removed: documents that go. files: entered (None: forgotten).

    moves: (old, new) paths. looks: what is remembered of files. ended: how many files are done with it. begun: when its
    first document was taken. before: what the report counted before it; None until it is counted.
    """

    taken: dict[str, Taken] = field(default_factory=dict)
    tokens: int = 0
    removed: list[int] = field(default_factory=list)
    files: list[tuple[str, bytes | None]] = field(default_factory=list)
    moves: list[tuple[str, str]] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    ended: int = 0
    begun: float = field(default_factory=perf_counter)
    before: Counter[str] | None = None

    @property
    def passages(self) -> int:
        """How many passages are stored of its documents."""
        return sum(item.passages for item in self.taken.values())

    @property
    def changes(self) -> bool:
        """Whether there is anything in it of which a reader would see something."""
        return bool(self.taken or self.removed or self.files or self.moves)


class Embedding(NamedTuple):
    """A batch whose vectors are being made.

    inputs, ids: of all passages. late: which of them an earlier batch is still embedding; `vectors` are those of the
    others.
    """

    vectors: Future[tuple[np.ndarray, int]]
    inputs: list[Input]
    ids: list[Sequence[int]]
    late: np.ndarray
    batch: Batch


class Pipeline:
    """written: called with each batch after its commit and with how many passages of it were embedded.

    noted: what is to be kept with a commit of how far the add is.
    """

    def __init__(
        self, engine: Engine, settings: IndexSettings, embedder: Embedder, progress: Progress,
        written: Callable[[Batch, int], None], noted: Callable[[Batch], str | None],
    ) -> None:  # fmt: skip
        self.engine, self.settings, self.embedder, self.progress = engine, settings, embedder, progress
        self._written, self._noted = written, noted
        self._encoder = ThreadPoolExecutor(1, "ingest")
        self._pending: deque[Embedding] = deque()
        self._abandoned = False
        self._rate = 0.0  # tokens a second, as the last batches had it

    def is_full(self, batch: Batch) -> bool:
        """Whether a batch is worth a transaction: the encoder works on it for some seconds, or has nothing to do."""
        idle = self._is_idle
        if batch.tokens < LEAST_TOKENS:
            return idle and bool(batch.taken) and perf_counter() - batch.begun > SECONDS
        wanted = self._rate * (SHORT if idle else SECONDS) if self._rate or idle else FIRST_TOKENS
        return batch.tokens >= min(BATCH_TOKENS, wanted)

    @property
    def is_at_work(self) -> bool:
        """Whether a batch is not written yet."""
        return bool(self._pending)

    @property
    def _is_idle(self) -> bool:
        return all(own.vectors.done() for own in self._pending)

    def holds(self, source: str) -> bool:
        """Whether a document of that source is on its way."""
        return any(source in own.batch.taken for own in self._pending)

    def put(self, batch: Batch) -> None:
        """Have a batch embedded and, when its turn comes, written."""
        while len(self._pending) >= AHEAD:
            self.write_one()
        pairs: list[tuple[Input, Sequence[int]]] = []
        made: dict[Input, np.ndarray] = {}
        for item in batch.taken.values():
            own = inputs(self.settings, self.embedder, item.document, item.chunks)
            pairs += own
            if item.vectors is not None:
                made |= zip((each for each, _ in own), item.vectors, strict=True)
        every, ids = [own for own, _ in pairs], [tokens for _, tokens in pairs]
        earlier = set[Input]().union(*(own.inputs for own in self._pending))
        late = np.array([own in earlier for own in every], dtype=bool)
        now = np.flatnonzero(~late)
        new = [every[number] for number in now]
        known = self._known(new)
        vectors = self._encoder.submit(self._embed, new, [ids[number] for number in now], known, made)
        self._pending.append(Embedding(vectors, every, ids, late, batch))

    def _known(self, own: Iterable[Input]) -> dict[Input, np.ndarray]:
        return self.engine.known_vectors(dict.fromkeys(own), self.settings.context)

    def _embed(
        self, own: list[Input], ids: list[Sequence[int]], known: dict[Input, np.ndarray], made: dict[Input, np.ndarray]
    ) -> tuple[np.ndarray, int]:
        """made: vectors of some inputs, embedded elsewhere, which count as if they had been here."""
        begun = perf_counter()
        vectors, embedded = embed_chunks(self.embedder, own, ids, made | known, self._tell)
        embedded += len(made.keys() & set(own) - known.keys())
        tokens, seconds = sum(map(len, ids)), perf_counter() - begun
        if embedded:
            rate = tokens / max(seconds, 1e-6)
            self._rate = (self._rate + rate) / 2 if self._rate else rate
        return vectors, embedded

    def _tell(self, event: str, count: int) -> None:
        """Progress of what is being embedded, which ends there once nobody wants it any more."""
        if self._abandoned:
            raise CancelledError
        self.progress(event, count)

    def write_ready(self) -> None:
        """Write the batches whose vectors are there."""
        while self._pending and self._pending[0].vectors.done():
            self.write_one()

    def write_one(self) -> None:
        """Wait for the oldest batch and write it in one transaction."""
        pending = self._pending[0]
        batch, at, prepared = pending.batch, 0, []
        vectors, embedded = self._vectors(pending)
        for document, digest, file, chunks, _ in batch.taken.values():
            own = passages(document, chunks, vectors[at : at + len(chunks)])
            prepared.append(Prepared(document, digest, file, *own))
            at += len(chunks)
        self.engine.write(
            prepared, batch.removed, batch.files, made_with=self.settings, moves=batch.moves, looks=batch.looks,
            under_way=self._noted(batch),
        )  # fmt: skip
        self._written(batch, embedded)
        self._pending.popleft()  # not before: who is interrupted in the write writes it then, and tells it again

    def _vectors(self, pending: Embedding) -> tuple[np.ndarray, int]:
        """The vectors of all passages of a batch, (n, d) float32, and how many were embedded."""
        vectors, embedded = pending.vectors.result()
        if not pending.late.any():
            return vectors, embedded
        whole = np.empty((len(pending.late), self.embedder.dimension), dtype=np.float32)
        whole[~pending.late] = vectors
        # The earlier batch is written by now; another process may have removed it since.
        late = np.flatnonzero(pending.late)
        own = [pending.inputs[number] for number in late]
        whole[late], again = embed_chunks(
            self.embedder, own, [pending.ids[number] for number in late], self._known(own)
        )  # fmt: skip
        return whole, embedded + again

    def finish(self) -> None:
        """Write all that is on its way."""
        while self._pending:
            self.write_one()
        self._encoder.shutdown()

    def stop(self) -> None:
        """Write what is embedded or is being embedded now, and let go of what waits behind it."""
        while self._pending and not self._pending[0].vectors.cancel():
            if self._pending[0].vectors.exception() is not None:
                break
            self.write_one()
        self.abandon()

    def abandon(self) -> None:
        """Let go of everything that is not written yet."""
        self._abandoned = True
        self._pending.clear()
        self._encoder.shutdown(wait=False, cancel_futures=True)


def embed_chunks(
    embedder: Embedder,
    own: Sequence[Input],
    ids: Sequence[Sequence[int]],
    known: dict[Input, np.ndarray],
    progress: Progress = no_progress,
) -> tuple[np.ndarray, int]:
    """Vectors of passages, each different input once. -> ((n, d) float32, how many were embedded).

    own, ids: n inputs and their token ids; known: vectors of inputs that need not be embedded.
    """
    new = {each: number for number, each in reversed(list(enumerate(own))) if each not in known}
    order = sorted(new.values())
    row_of = {own[number]: row for row, number in enumerate(order)}
    fresh = embedder.embed_sequences(
        [Sequence_(ids[number]) for number in order], progress=lambda n: progress("passage", n)
    )
    vectors = np.empty((len(own), embedder.dimension), dtype=np.float32)
    for number, each in enumerate(own):
        vectors[number] = known[each] if each in known else fresh[row_of[each]]
    return vectors, len(order)
