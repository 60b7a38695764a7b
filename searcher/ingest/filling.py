"""Batches that are embedded → the engine, as many at once as it is filled most quickly with."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from searcher.embedding import IndexSettings
from searcher.engines import Engine, Look
from searcher.ingest.batches import Batch
from searcher.records import Prepared

__all__ = ["Filling"]


class Written(NamedTuple):
    """A batch that is being written, and how many passages of it were embedded."""

    done: Future[int]
    batch: Batch
    embedded: int


class Filling:
    """The writes of one add, told in the order of the batches.

    An engine that is filled by one writer has each batch in one transaction. Into another, batches that only add
    documents go beside each other; one that removes, moves or forgets waits for those before it, and those after it for
    it. That a file is wholly in, and how it looked, is entered with a write that begins when all batches up to its last
    one are in: who is killed before that finds the file half in, and reads it again.

    written, noted: as in `Pipeline`.
    """

    def __init__(
        self, engine: Engine, settings: IndexSettings, written: Callable[[Batch, int], None],
        noted: Callable[[Batch], str | None],
    ) -> None:  # fmt: skip
        self.engine, self.settings = engine, settings
        self._written, self._noted = written, noted
        self._writers = ThreadPoolExecutor(engine.writers, "fill") if engine.writers > 1 else None
        self._under_way = deque[Written]()
        self._handed: Batch | None = None  # to a writer, or about to be
        self._files: list[tuple[str, bytes | None]] = []  # of batches that are in, to be entered
        self._looks: list[Look] = []

    @property
    def is_at_work(self) -> bool:
        """Whether a batch is not in yet."""
        return bool(self._under_way)

    def put(self, batch: Batch, prepared: Sequence[Prepared], embedded: int) -> None:
        """Have a batch written; what engine.write raises, for it or one before it. KeyboardInterrupt again, so that no
        more is written and no file entered, where one came between handing it over and noting that.
        """
        if self._writers is None or not batch.only_adds:
            self.finish()
            self.engine.write(
                prepared, batch.removed, batch.files, made_with=self.settings, moves=batch.moves, looks=batch.looks,
                under_way=self._noted(batch),
            )  # fmt: skip
            self._written(batch, embedded)
            return
        if batch is self._handed:  # Ctrl-C came just then
            if not self.is_writing(batch):  # in or not, nobody knows: two writes would double it, none lose it
                raise KeyboardInterrupt
            return
        self._wait(self.engine.writers - 1)
        files, looks = self._entries()
        self._handed = batch
        done = self._writers.submit(
            self.engine.write, prepared, files=files, made_with=self.settings, looks=looks, under_way=self._noted(batch)
        )
        self._under_way.append(Written(done, batch, embedded))

    def is_writing(self, batch: Batch) -> bool:
        """Whether a batch is with a writer, so that nobody finds yet what is in it."""
        return any(own.batch is batch for own in self._under_way)

    def let_in(self, source: str) -> None:
        """Wait until no document of that source is being written."""
        while self.is_on_its_way(source):
            self._wait(len(self._under_way) - 1)

    def is_on_its_way(self, source: str) -> bool:
        """Whether a document of that source is being written."""
        return any(source in own.batch.taken for own in self._under_way)

    def finish(self) -> None:
        """Wait until all is in, and enter what is to be entered."""
        self._wait(0)
        files, looks = self._entries()
        if files or looks:
            self.engine.write(files=files, made_with=self.settings, looks=looks)

    def abandon(self) -> None:
        """Begin no more writes; when this returns none is under way."""
        if self._writers is not None:
            self._writers.shutdown(cancel_futures=True)

    def _wait(self, most: int) -> None:
        """Until so many batches are being written at most; those that are in by then are told."""
        while self._under_way and (len(self._under_way) > most or self._under_way[0].done.done()):
            done, batch, embedded = self._under_way[0]
            done.result()
            self._written(batch, embedded)
            self._files += batch.files
            self._looks += batch.looks
            self._under_way.popleft()  # not before: who is interrupted in between tells it again

    def _entries(self) -> tuple[list[tuple[str, bytes | None]], list[Look]]:
        """Files and looks of batches that are in, once."""
        entries = self._files, self._looks
        self._files, self._looks = [], []
        return entries
