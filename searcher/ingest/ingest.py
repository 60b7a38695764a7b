"""Documents → the index: what is new is cut, embedded and written batch by batch, what is unchanged is left alone."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from time import perf_counter
from typing import Any, Literal

from searcher.embedding import Embedder, IndexSettings
from searcher.engines import Engine, Look, SeenFile
from searcher.errors import BadValue, SearcherError
from searcher.ingest.ahead import Ahead, pieces
from searcher.ingest.batches import Batch, Ready, Taken
from searcher.ingest.documents import sound
from searcher.ingest.forecast import Forecast
from searcher.ingest.inputs import cut
from searcher.ingest.pipeline import BATCH_TOKENS, Pipeline
from searcher.ingest.progress import Progress, finished, no_progress, shown
from searcher.ingest.under_way import UnderWay
from searcher.records import AddReport, Document, Failure, Note, Skipped

__all__ = ["BATCH_DOCUMENTS", "Ingest"]

NOTHING: Mapping[str, Iterable[int]] = {}
BATCH_DOCUMENTS = 2_000  # at most in a transaction
AHEAD = 250_000  # characters of the documents that are asked for at once
Item = Document | Ready | Failure
Faq = Literal["questions", "answers"]
COUNTED = ("documents", "passages", "embedded", "tokens", "unknown_tokens", "split_words")  # of what is written


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
        self.forecast = Forecast()
        self.files_done = self.files_in_all = 0
        self._tokens = self._passages = 0  # that were cut
        self._foreseen = 0  # tokens, as they were told last
        self._first = engine is None or not len(engine.origins(1))
        self._noted = False  # whether it stands in the index how far this is
        self._begun = perf_counter()
        self._batch = Batch()
        self._known = Ahead[str, bytes](engine.known if engine else _nothing)
        self._files = Ahead[str, bytes](engine.file_digests if engine else _nothing)
        self._held = Ahead[str, Mapping[str, int]](engine.documents_of_files if engine else _nothing)
        self._faqs = Ahead[str, Faq](engine.faqs if engine else _nothing)
        self._alike = Ahead[bytes, Sequence[str]](engine.files_of_digests if engine else _nothing)
        self._pipeline: Pipeline | None = None
        if engine is not None and not dry_run:
            self._pipeline = Pipeline(engine, settings, embedder, self.progress, self._written, self._note)

    # -- files

    def begin(self, files: int) -> None:
        """So many files are to be looked at; `forecast` says what is expected of them."""
        self.files_in_all += files
        self.progress("total", files)
        self._foresee()
        if self._pipeline and self.engine and self.forecast.tokens_in_all:
            self.engine.look((), self._under_way().noted())
            self._noted = True

    def end_file(self, path: str, before: tuple[int, int]) -> None:
        """A file is done with the batch that is begun, or with nothing. before: `taken_in` when it was begun."""
        tokens, passages = (now - then for now, then in zip(self.taken_in, before, strict=True))
        if passages:
            self.forecast.read(path, tokens, passages)
        else:
            self.forecast.passed_over(path)
        self._foresee()
        self._batch.ended += 1
        if not self._batch.changes and not (self._pipeline and self._pipeline.is_at_work):
            self._ended(self._batch)

    @property
    def taken_in(self) -> tuple[int, int]:
        """Tokens and passages that were cut so far."""
        return self._tokens, self._passages

    def pass_over(self, files: int) -> None:
        """So many files need not be looked at."""
        self.files_done += files
        if files:
            self.progress("file", files)

    def look(self, look: Look) -> None:
        """Remember how a file looked."""
        self._batch.looks.append(look)

    def seen_under(self, root: str) -> dict[str, SeenFile]:
        """What is remembered of the files below a folder, or of the file itself."""
        try:
            root.encode()
        except UnicodeEncodeError:  # nothing of such a name could be stored; whoever reads it says so
            return {}
        return self.engine.seen_under(root) if self.engine else {}

    @contextmanager
    def files_ahead(self, files: Sequence[str], faqs: Iterable[str]) -> Iterator[None]:
        """Inside, what is asked of each of some files is in hand. faqs: those of them that may be one."""
        # Most hold one document, whose source is the file.
        with self._files.asked(files), self._held.asked(files), self._faqs.asked(faqs), self._known_ahead(files):
            yield

    def digests_ahead(self, digests: Iterable[bytes]) -> AbstractContextManager[None]:
        """Inside, which files are in with these digests is in hand."""
        return self._alike.asked(digests)

    def files_of_digest(self, digest: bytes) -> Sequence[str]:
        """The files that are in with that digest."""
        return self._alike.of(digest) or ()

    def faq_of(self, file: str) -> Faq | None:
        """What is embedded of the entries that `faq add` read from a file, None if it did not."""
        return self._faqs.of(file)

    def move(self, old: str, new: str) -> None:
        """The documents of a file go over to another path, as they are."""
        self._batch.moves.append((old, new))
        self.report.moved.append((old, new))

    def forget(self, file: str) -> None:
        """Remove every document of a file."""
        assert self.engine is not None
        numbers = self.engine.documents_of("file", file)
        self._batch.removed += numbers.values()
        self.report.removed += len(numbers)
        self._batch.files.append((file, None))

    # -- documents

    def documents(
        self, items: Iterable[Item], file: str | None = None, digest: bytes = b"",
        prune: bool = False, look: Look | None = None, instead: Mapping[str, Iterable[int]] = NOTHING,
    ) -> None:  # fmt: skip
        """Documents, and what was not read as it stands; those of a file replace all that came from it before.

        prune: also where a row failed of which it is not known which document it is. look: how the file looked, which
        is remembered where all of it was read. instead: by source, what goes in the transaction in which that comes.
        """
        before = dict(self._held.of(file) or {}) if file else {}
        if file and self._files.of(file) is not None:
            self._batch.files.append((file, None))  # until it is whole again, lest its old state counts as unchanged
        whole = True
        unknown: Failure | None = None  # a row that failed and may be any of those that the file held
        for item in self._looked_up(items):
            if isinstance(item, Failure):
                self.report.tell(item)
                if not isinstance(item, Note | Skipped):
                    whole = False
                    before.pop(item.row or "", None)
                    unknown = unknown or (None if item.row else item)
                continue
            document, ready = (item.document, item) if isinstance(item, Ready) else (item, None)
            before.pop(document.source, None)
            whole &= self._document(document, file, instead.get(document.source, ()), ready)
        if file and before and unknown and not prune:
            reason = f"{len(before):,} rows that it held before were kept, for one of them may be what failed: "
            self.report.tell(Note(file, f"{reason}{unknown.reason}; --prune removes them"))
        elif file:
            self._batch.removed += before.values()
            self.report.removed += len(before)
        if file and whole:  # else it is read again next time
            self._batch.files.append((file, digest))
            if look:
                self.look(look)

    def _looked_up(self, items: Iterable[Item]) -> Iterator[Item]:
        """The same, read some ahead, of which it is in hand whether they are known."""
        for piece in pieces(items, _characters, AHEAD):
            documents = [item.document if isinstance(item, Ready) else item for item in piece]
            with self._known_ahead(own.source for own in documents if isinstance(own, Document)):
                yield from piece

    def _known_ahead(self, sources: Iterable[str]) -> AbstractContextManager[None]:
        """Inside, what is known of these sources is in hand, but for those of which that is about to change."""
        return self._known.asked(own for own in sources if isinstance(own, str) and not self._is_on_its_way(own))

    def _is_on_its_way(self, source: str) -> bool:
        return source in self._batch.taken or bool(self._pipeline and self._pipeline.is_on_its_way(source))

    def _document(
        self, document: Document, file: str | None, others: Iterable[int], ready: Ready | None = None
    ) -> bool:
        """Take a document into the batch unless it is unchanged; whether it could be taken. ready: cut already."""
        try:
            document = sound(document)
            if self.engine:
                self.engine.accepts(document)
            if document.source in self._batch.taken:
                self._flush()
            if self._pipeline:
                self._pipeline.write_ready()
                self._pipeline.let_in(document.source)
            digest = document.digest()
            if self._known.of(document.source) == digest:
                self.report.unchanged += 1
                self._batch.removed += others
                return True
            chunks = ready.chunks if ready else cut(self.settings, self.chunker, document)
        except BadValue as fault:
            self.report.failed.append(Failure(str(document.source), str(fault)))
            return False
        batch, tokens = self._batch, sum(chunk.content for chunk in chunks)
        if not batch.taken:
            batch.begun = perf_counter()
        batch.taken[document.source] = Taken(document, digest, file, chunks, ready.vectors if ready else None)
        batch.removed += others
        batch.tokens += tokens
        self._tokens, self._passages = self._tokens + tokens, self._passages + len(chunks)
        full = self._pipeline.is_full(batch) if self._pipeline else batch.tokens >= BATCH_TOKENS
        if full or len(batch.taken) >= BATCH_DOCUMENTS:
            self._flush()
        return True

    # -- batches

    def _flush(self) -> None:
        """Have the batch embedded; reading goes on meanwhile."""
        batch, self._batch = self._batch, Batch()
        if self._pipeline is None:
            self._count(batch)
            self._ended(batch)
        elif batch.changes:
            self._pipeline.put(batch)
        elif batch.looks or batch.ended:
            self._batch.looks, self._batch.ended = batch.looks, batch.ended

    def _written(self, batch: Batch, embedded: int) -> None:
        """A batch is in the database."""
        self._count(batch, embedded)
        self.progress("stored", batch.passages)
        self.progress("token", sum(chunk.content for item in batch.taken.values() for chunk in item.chunks))
        self._ended(batch)

    def _ended(self, batch: Batch) -> None:
        ended, batch.ended = batch.ended, 0
        self.files_done += ended
        if ended:
            self.progress("file", ended)

    def _count(self, batch: Batch, embedded: int = 0) -> None:
        """Into the report, once: Ctrl-C may have a batch written again, whose counts are then set to the same."""
        told = vars(self.report)
        if batch.before is None:
            batch.before = Counter({name: told[name] for name in COUNTED})
        chunks = [chunk for item in batch.taken.values() for chunk in item.chunks]
        counts = {
            "documents": len(batch.taken), "passages": batch.passages, "embedded": embedded,
            "tokens": sum(chunk.content for chunk in chunks), "unknown_tokens": sum(chunk.unknown for chunk in chunks),
            "split_words": sum(chunk.splits_word for chunk in chunks),
        }  # fmt: skip
        told.update({name: batch.before[name] + counts[name] for name in COUNTED})

    # -- how far it is

    def _foresee(self) -> None:
        """Tell by how much the estimate of all tokens changed."""
        foreseen = self.forecast.tokens_in_all
        if foreseen != self._foreseen:
            self.progress("work", foreseen - self._foreseen)
            self._foreseen = foreseen

    def _note(self, batch: Batch) -> str | None:
        """How far it is with a batch that is being written; None where nobody is told."""
        if not self._noted:
            return None
        return self._under_way(batch.passages, batch.ended).noted()

    def _under_way(self, passages: int = 0, files: int = 0) -> UnderWay:
        done = self.files_done + files, self.files_in_all, self.report.passages + passages
        return UnderWay(self._first, *done, self.forecast.passages_in_all)

    def finish(self) -> AddReport:
        """Write what is left; the report."""
        self._flush()
        if self._pipeline:
            self._pipeline.finish()
        if self._pipeline and self.engine and (self._batch.looks or self._noted):
            self.engine.look(self._batch.looks, "" if self._noted else None)
        self._ended(self._batch)
        finished(self.progress)
        self.report.seconds = perf_counter() - self._begun
        return self.report

    def stop(self, wait: bool) -> AddReport:
        """Leave it where it is. wait: what is being embedded now is finished and written."""
        if self._pipeline:
            if wait:
                self._pipeline.stop()
            self._pipeline.abandon()
        if self._noted and self.engine:
            with suppress(SearcherError):  # it may be what went wrong
                self.engine.look((), self._under_way().noted(going_on=False))
        finished(self.progress)
        self.report.seconds = perf_counter() - self._begun
        return self.report


def _nothing(_: Iterable[Any]) -> dict[Any, Any]:
    """What is known where there is no index."""
    return {}


def _characters(item: Item) -> int:
    """About what an item takes in memory."""
    return 0 if isinstance(item, Failure) else len((item.document if isinstance(item, Ready) else item).text)
