"""Batches of documents → the database: embedded by a thread of its own while the next is read, written in order."""

from collections import ChainMap, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from time import perf_counter
from typing import NamedTuple

import numpy as np

from searcher.embedding import Embedder, IndexSettings, Sequence_
from searcher.engines import Engine
from searcher.ingest.batches import Batch
from searcher.ingest.documents import passages
from searcher.ingest.filling import Filling
from searcher.ingest.inputs import inputs
from searcher.ingest.progress import Progress, no_progress
from searcher.records import Input, Prepared

__all__ = ["BATCH_TOKENS", "Pipeline", "embed_chunks"]

BATCH_TOKENS = 32_000  # at most in a transaction, unless one document is longer
LEAST_TOKENS = 2_000  # … and at least, while there is more
FIRST_TOKENS = 8_000  # … while it is not known how long the encoder takes
SECONDS = 3.0  # that the encoder shall take for one: so much is lost where the power fails
SHORT = 0.25  # … where it has nothing to do meanwhile
AHEAD = 2  # batches that are embedded, or wait for it, while the next one is read


class Embedding(NamedTuple):
    """A batch whose vectors are being made.

    inputs, ids: of all passages. late: which of them an earlier batch has that is not in yet; `vectors` are those of
    the others.
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
        self._filling = Filling(engine, settings, written, noted)
        self._encoder = ThreadPoolExecutor(1, "ingest")
        self._pending: deque[Embedding] = deque()
        # Vectors of the batches that came last, which later ones may wait for.
        self._made: deque[tuple[Batch, dict[Input, np.ndarray]]] = deque(maxlen=AHEAD + engine.writers)
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
        return bool(self._pending) or self._filling.is_at_work

    @property
    def _is_idle(self) -> bool:
        return all(own.vectors.done() for own in self._pending)

    def let_in(self, source: str) -> None:
        """Wait until no document of that source is on its way: what is known of it is about to change."""
        while self._is_pending(source):
            self.write_one()
        self._filling.let_in(source)

    def is_on_its_way(self, source: str) -> bool:
        """Whether a document of that source is not written yet."""
        return self._is_pending(source) or self._filling.is_on_its_way(source)

    def _is_pending(self, source: str) -> bool:
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
        earlier = set[Input]().union(
            *(own.inputs for own in self._pending),
            *(made for own, made in self._made if self._filling.is_writing(own)),
        )
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
        """Wait for the oldest batch and have it written."""
        pending = self._pending[0]
        batch, at, prepared = pending.batch, 0, []
        vectors, embedded = self._vectors(pending)
        for document, digest, file, chunks, _ in batch.taken.values():
            own = passages(document, chunks, vectors[at : at + len(chunks)])
            prepared.append(Prepared(document, digest, file, *own))
            at += len(chunks)
        self._made.append((batch, dict(zip(pending.inputs, vectors, strict=True))))
        self._filling.put(batch, prepared, embedded)
        self._pending.popleft()  # not before: who is interrupted in the write writes it then, and tells it again

    def _vectors(self, pending: Embedding) -> tuple[np.ndarray, int]:
        """The vectors of all passages of a batch, (n, d) float32, and how many were embedded."""
        vectors, embedded = pending.vectors.result()
        if not pending.late.any():
            return vectors, embedded
        whole = np.empty((len(pending.late), self.embedder.dimension), dtype=np.float32)
        whole[~pending.late] = vectors
        made = ChainMap(*(vectors for _, vectors in self._made))
        for number in np.flatnonzero(pending.late):
            whole[number] = made[pending.inputs[number]]
        return whole, embedded

    def finish(self) -> None:
        """Write all that is on its way."""
        while self._pending:
            self.write_one()
        self._filling.finish()
        self._encoder.shutdown()

    def stop(self) -> None:
        """Write what is embedded or is being embedded now, and let go of what waits behind it."""
        while self._pending and not self._pending[0].vectors.cancel():
            if self._pending[0].vectors.exception() is not None:
                break
            self.write_one()
        self._filling.finish()
        self.abandon()

    def abandon(self) -> None:
        """Let go of everything that is not written yet."""
        self._abandoned = True
        self._pending.clear()
        self._encoder.shutdown(wait=False, cancel_futures=True)
        self._filling.abandon()


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
