"""An index copied into another, whatever engine holds either: batch by batch, and only what is not there already."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from threading import Lock
from time import perf_counter
from typing import Any, Literal, TypeVar

import numpy as np

from searcher.embedding import IndexSettings
from searcher.engines import Engine, LocalEngine, Look
from searcher.errors import BadValue, IndexUnavailable, Interrupted, SearcherError, SettingsMismatch, UnknownName
from searcher.ingest.comparing import Likeness, likeness
from searcher.ingest.progress import Progress, no_progress
from searcher.ingest.stored import missing
from searcher.plain import counted
from searcher.records import Prepared
from searcher.system import shown

__all__ = ["OTHERS", "Copied", "Copying", "Others"]

Others = Literal["refuse", "keep", "remove"]
OTHERS: tuple[Others, ...] = ("refuse", "keep", "remove")

BATCH_DOCUMENTS, BATCH_BYTES = 500, 16 * 2**20  # at most in a transaction, but for a document that is larger
PASSES = 3  # through all documents, where the source is written to meanwhile
PIECE = 1000  # ids, files, looks asked for or written at once

T = TypeVar("T")


@dataclass
class Copied:
    """What a copy did. documents, passages: written. unchanged: documents that were there already, just so.

    removed, kept: documents that are not in the source. files: entered as wholly in, or forgotten. stayed: a line for
    each thing that was left behind. likeness: of both at the end, None before.
    """

    documents: int = 0
    passages: int = 0
    unchanged: int = 0
    removed: int = 0
    kept: int = 0
    files: int = 0
    stayed: list[str] = field(default_factory=list)
    likeness: Likeness | None = None
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """The report as the JSON object that `copy --json` prints."""
        return asdict(self) | {"likeness": self.likeness and self.likeness._asdict()}

    def __str__(self) -> str:
        others = [f"{self.unchanged:,} were there already"]
        others += [f"{self.removed:,} others removed"] * bool(self.removed)
        others += [f"{self.kept:,} others kept"] * bool(self.kept)
        line = f"copied {counted(self.documents, 'document')}, {counted(self.passages, 'passage')}; {', '.join(others)}"
        return f"{line}; {self.seconds:.1f} s" + (f"\n{self.likeness}" if self.likeness else "")


class Copying:
    """One copy. While a batch is read, those before are written by threads of their own, as many at once as the target
    is quickest with; two more than these are in memory at most.

    What was written stays written: who was stopped, or killed, copies again, and what is there is left alone. Documents
    come first, then what makes their files count as wholly in, so that a half copy is never taken for a whole one.
    """

    def __init__(
        self, source: Engine, target: Engine, settings: IndexSettings, progress: Progress = no_progress
    ) -> None:
        self.source, self.target, self.settings, self.progress = source, target, settings, progress
        self.report = Copied()
        self._entered = dict[str, bytes]()  # files that count as wholly in, before the copy
        self._beside = 0  # passages of the documents that were kept
        self._writers = ThreadPoolExecutor(target.writers, "copy")
        self._pending = deque[Future[None]]()
        self._counting = Lock()

    def run(self, others: Others = "refuse") -> Copied:
        """Do it. others: what becomes of documents that the source has not.

        Raises SettingsMismatch where the target was made with other settings, BadValue where it holds others that are
        refused; nothing is written then. IndexUnavailable where the source is embedded again meanwhile. Interrupted for
        a KeyboardInterrupt, when the batch in flight is written.
        """
        if others not in OTHERS:
            raise UnknownName("way with other documents", others, OTHERS)
        begun = perf_counter()
        try:
            self._settle()
            self._copy(others)
        except KeyboardInterrupt:
            self.progress("stop", 0)
            self._writers.shutdown()  # which waits for what was handed over, also just now
            raise Interrupted(self.report, 0, 0) from None
        except SearcherError:
            self._writers.shutdown(cancel_futures=True)  # no batch is written any more when this is told
            raise
        finally:
            self._writers.shutdown(wait=False, cancel_futures=True)
            self.report.seconds = perf_counter() - begun
        return self.report

    def _copy(self, others: Others) -> None:
        """All of it: documents until nobody writes to the source any more, then the rest, of the state that it has."""
        foreign = self._foreign()
        if foreign and others == "refuse":
            raise BadValue(_refusal(self.target, foreign))
        for again in range(PASSES):
            head = self.source.head()
            self._documents(is_first=not again)
            self._others(self._foreign() if again else foreign, others)
            with self.source.reading():
                is_whole = self.source.head() == head
                if is_whole or again == PASSES - 1:
                    self._files(others)
                    self._notes()
                    break
        self.target.publish()
        if not is_whole:
            self.report.stayed.append("what was written to the index meanwhile: the same command copies it")
            return
        with self.source.reading(), self.target.reading():
            if self.source.head() == head:
                beside = self.report.kept, self._beside
                self.report.likeness = likeness(self.source, self.target, *beside)

    # -- before

    def _settle(self) -> None:
        """The settings of a new index, and its type; SettingsMismatch if it has others."""
        source, target, is_new = self.source, self.target, self.target.settings() is None
        if isinstance(source, LocalEngine) and isinstance(target, LocalEngine) and is_new:
            target.want(source.indexing())  # later it is the owner's, who may have chosen another
        elif isinstance(source, LocalEngine) and not isinstance(target, LocalEngine):
            self.report.stayed.append(f"the index type, {source.indexing().type}: the engine there has its own")
        if isinstance(source, LocalEngine) and source.tokens.exist():
            self.report.stayed.append("token vectors: searcher add --token-vectors computes them again")
        try:
            target.settle(self.settings)
        except SettingsMismatch as fault:
            advice = "a copy goes into a new index, or into one of the same settings"
            raise SettingsMismatch(fault.setting, fault.stored, fault.given, advice) from None

    def _foreign(self) -> dict[int, int]:
        """Documents of the target that the source has not: id → passages."""
        self._entered = dict(self.target.files())
        found = dict[int, int]()
        for piece in _pieces(self.target.document_ids()):
            rows = {row["source"]: row["passages"] for row in self.target.listing(np.array(piece, np.int64))}
            names = rows.keys() - self.source.named("source", rows).keys()
            for name, numbers in self.target.named("source", names).items() if names else ():
                found |= dict.fromkeys(numbers, rows[name])
        return found

    # -- documents

    def _documents(self, is_first: bool) -> None:
        """Everything that is not there already, just so. is_first: whether nothing was written before."""
        numbers, is_empty = self.source.document_ids(), not self.target.document_count()
        self.progress("total", len(numbers))
        for batch in self._batches(numbers):
            with self.target.reading():
                fresh = batch if is_empty else missing(self.target, batch)
            self.report.unchanged += (len(batch) - len(fresh)) * is_first
            self.progress("file", len(batch) - len(fresh))
            if fresh:
                self._written(self.target.writers - 1)
                half = [(path, None) for path in {item.file for item in fresh} if path in self._entered]
                self._pending.append(self._writers.submit(self._write, fresh, half))
        self._written()

    def _batches(self, numbers: Sequence[int]) -> Iterator[list[Prepared]]:
        """The documents of those ids that are there. No transaction is open while one is dealt with: it may take long,
        and others want to write.
        """
        at = 0
        while at < len(numbers):
            batch, size, piece = list[Prepared](), 0, numbers[at : at + BATCH_DOCUMENTS]
            with self.source.reading():
                if self.source.settings() != self.settings:
                    raise IndexUnavailable("the index was embedded again with other settings meanwhile; copy it again")
                at += len(piece)
                for number, item in self.source.whole(piece):
                    batch.append(item)
                    size += len(item.document.text) + item.vectors.nbytes * (1 if item.given is None else 2)
                    if size >= BATCH_BYTES:
                        at = numbers.index(number, at - len(piece)) + 1
                        break
            yield batch

    def _write(self, batch: Sequence[Prepared], half: Sequence[tuple[str, None]]) -> None:
        """Write a batch and count it, in a writer's thread."""
        self.target.write(batch, files=half, made_with=self.settings)
        passages = sum(len(item.chunks) for item in batch)
        with self._counting:
            self.report.documents += len(batch)
            self.report.passages += passages
            self.progress("stored", passages)
            self.progress("file", len(batch))

    def _written(self, most: int = 0) -> None:
        """Wait until no more than so many batches are in flight."""
        while len(self._pending) > most:
            self._pending.popleft().result()

    # -- what else there is

    def _others(self, foreign: Mapping[int, int], others: Others) -> None:
        """Documents that the source has not are removed, or stay."""
        if others == "keep":
            self.report.kept, self._beside = len(foreign), sum(foreign.values())
        if others != "remove":
            return
        for piece in _pieces(list(foreign)):
            self.report.removed += self.target.write(remove=piece)

    def _files(self, others: Others) -> None:
        """Which files are wholly in, and how they looked, so that an `add` finds them unchanged."""
        wanted, there = dict(self.source.files()), dict(self.target.files())
        changed: list[tuple[str, bytes | None]] = [own for own in wanted.items() if there.get(own[0]) != own[1]]
        gone = [path for path in there if path not in wanted]
        changed += [(path, None) for path in gone if others != "keep" or self.source.documents_of("file", path)]
        for piece in _pieces(changed):
            self.target.write(files=piece, made_with=self.settings)
        self.report.files = len(changed)
        for root in sorted({"/", *(f"{path.partition('/')[0]}/" for path in wanted if "/" in path)}):
            seen, known = self.source.seen_under(root), self.target.seen_under(root)
            looks = [Look(path, own.mark, own.reason) for path, own in seen.items() if own.mark is not None]
            old = {Look(path, own.mark, own.reason) for path, own in known.items()}
            for part in _pieces([look for look in looks if look not in old]):
                self.target.look(part)

    def _notes(self) -> None:
        """What is kept about a FAQ; of an index that holds others too only what it has not itself."""
        texts, questions = self.source.notes.texts(), self.source.notes.unanswered()
        if not texts and not questions:
            return
        try:
            notes = self.target.notes
            old = {name: notes.get(name) for name in texts}
            owned = {name for name in texts if self.report.kept and old[name]}
            new = {name: text for name, text in texts.items() if old[name] != text and name not in owned}
            asked = set(notes.unanswered())
            missing = [question for question in questions if question not in asked]
            if new or missing:
                notes.take_in(new, missing)
        except SearcherError as fault:
            self.report.stayed.append(f"what is kept about the FAQ: {fault}")


def _refusal(target: Engine, foreign: Mapping[int, int]) -> str:
    first = target.document(min(foreign)).source
    return (
        f"{counted(len(foreign), 'document')} there, such as {shown(first)}, not in the index that is copied; "
        "--others keep leaves them there, --others remove removes them"
    )


def _pieces(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + PIECE] for start in range(0, len(items), PIECE))
