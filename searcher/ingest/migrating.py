"""Stores of other tools → the index: their vectors where they are those of its model, else the texts embedded again."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np

from searcher.embedding import IndexSettings
from searcher.engines import Engine
from searcher.errors import BadValue
from searcher.ingest.documents import sound
from searcher.ingest.given import prepared
from searcher.ingest.ingest import Ingest
from searcher.ingest.progress import Progress
from searcher.migration import Foreign, Item
from searcher.records import AddReport, Chunk, Document, Failure, Note, Prepared, Skipped

__all__ = ["bring_in", "bring_in_given"]

SAMPLE = 32  # vectors that are compared with ours
LEAST = 0.99  # cosine of each with ours; those of the same model have 0.999 and more, in any precision
UNIT = 1e-4  # how far a length may be from 1 to be taken as that
UNLIKE = 1e-3  # by what share the longest vector is longer than the shortest, for that to matter
BATCH = 500  # texts that are tokenised at once
SHOWN = 5  # names in a message
RANKED = {"l2": "by L2 distance", "ip": "by inner product"}


class Taken(NamedTuple):
    """A document to be written, and its vector (d,) float32 as it was stored, if it has one with a direction."""

    document: Document
    vector: np.ndarray | None


@dataclass
class Tally:
    """What is told at the end. shortest, longest: of the vectors; longer: texts that the model sees only in part."""

    without_text: int = 0
    repeated: int = 0
    again: int = 0
    longer: int = 0
    shortest: float = np.inf
    longest: float = 0.0
    left_out: Counter[str] = field(default_factory=Counter)


def bring_in(ingest: Ingest, store: Foreign, path: Path, embed: bool) -> None:
    """Bring all of a store into an index: a document for each item, under its id; whoever began the ingest ends it.

    embed: embed the texts, whatever vectors there are. Vectors are kept if those of a sample of the texts have a cosine
    of at least LEAST with what the index's model makes of them; such a document is one passage, however long. They come
    in one transaction, what is embedded batch by batch, as in `add`.
    """
    Migration(ingest, store, path).run(embed)


def bring_in_given(
    engine: Engine, store: Foreign, path: Path, settings: Callable[[int | None], IndexSettings], progress: Progress
) -> AddReport:
    """Bring all of a store into an index of given vectors, in one transaction, each vector to the bit.

    settings: of the index, by the dimension of the store's vectors, None if it has none. BadValue for a vector of
    another length than the index's; nothing is written then.
    """
    return Given(store, path, AddReport(), progress).run(engine, settings)


class Reading:
    """A store made into documents, and what is told of it in the report."""

    needs_text = True  # whether what has none is left out

    def __init__(self, store: Foreign, path: Path, report: AddReport, progress: Progress) -> None:
        self.store, self.path, self.report, self.progress = store, str(path), report, progress
        self.tally = Tally()
        progress("total", store.count)
        for note in store.notes:
            report.tell(note)

    def note(self, reason: str) -> None:
        """Have something told of the store."""
        self.report.tell(Note(self.path, reason))

    def taken(self) -> Iterator[Taken]:
        """The documents of the store; what cannot be one is told."""
        used: set[str] = set()
        for item in self.store.items():
            self.progress("file", 1)
            if isinstance(item, Failure):
                self.report.tell(item)
                continue
            self.tally.left_out.update(item.left_out)
            if item.text is None:
                self.tally.without_text += 1
                if self.needs_text:
                    continue
            source = _unused(item.id, used)
            self.tally.repeated += source != item.id
            try:
                document = sound(Document(source, item.text or "", item.title, item.id, item.metadata))
                if not source:
                    raise BadValue("an id is empty")
            except BadValue as fault:
                self.report.tell(Failure(self.path, f"id {item.id!r:.60}: {fault}"))
                continue
            yield Taken(document, self._directed(item.vector))

    def _directed(self, vector: np.ndarray | None) -> np.ndarray | None:
        length = 0.0 if vector is None else _length(vector)
        if not np.isfinite(length) or length == 0:
            return None
        self.tally.shortest = min(self.tally.shortest, length)
        self.tally.longest = max(self.tally.longest, length)
        return vector

    def tell(self) -> None:
        """What became of the items."""
        tally = self.tally
        if tally.without_text and self.needs_text:
            self.report.tell(Skipped(self.path, f"{tally.without_text:,} items without a text were left out"))
        elif tally.without_text:
            self.note(f"{tally.without_text:,} items have no text; their vectors and filters find them")
        if tally.repeated:
            self.note(f"{tally.repeated:,} items have an id that came before; their sources are that id with #2, #3 …")
        if tally.left_out:
            keys = ", ".join(key for key, _ in tally.left_out.most_common(SHOWN))
            self.note(f"{tally.left_out.total():,} values of metadata that cannot be stored were left out, of {keys}")

    def tell_of_lengths(self) -> None:
        """That lengths ranked the vectors which are kept, where they did."""
        tally = self.tally
        if self.store.metric in RANKED and tally.longest > tally.shortest * (1 + UNLIKE):
            self.note(
                f"its vectors have lengths from {tally.shortest:.3g} to {tally.longest:.3g} and were ranked "
                f"{RANKED[self.store.metric]}; the cosine, which ranks here, leaves lengths out: hits may come in "
                "another order"
            )


def _unused(key: str, used: set[str]) -> str:
    """The id, or id#2, id#3 … where it was used, also by an item whose own id reads like that."""
    source, number = key, 1
    while source in used:
        number += 1
        source = f"{key}#{number}"
    used.add(source)
    return source


class Given(Reading):
    """One import into an index of given vectors."""

    needs_text = False

    def run(self, engine: Engine, settings: Callable[[int | None], IndexSettings]) -> AddReport:
        """Do it."""
        begun = perf_counter()
        lengths = (
            len(item.vector)
            for item in self.store.items()
            if not isinstance(item, Failure) and item.vector is not None and len(item.vector)
        )
        made_with = settings(next(lengths, None))
        documents, passages, replaced, _ = engine.take_in(made_with, self._prepared(made_with.dimension))
        self.report.documents, self.report.passages = documents, passages
        self.note(f"{documents - self.tally.again:,} vectors were kept as those of {made_with.model}")
        if replaced:
            self.note(f"{replaced:,} documents of the same ids were there and were replaced")
        if self.tally.again:
            self.note(
                f"{self.tally.again:,} items have no vector, or one without a direction; filters and words find them"
            )
        self.tell_of_lengths()
        self.tell()
        self.report.seconds = perf_counter() - begun
        return self.report

    def _prepared(self, dimension: int) -> Iterator[Prepared]:
        for document, vector in self.taken():
            self.tally.again += vector is None
            own = None if vector is None else np.asarray(vector, dtype="<f4")
            yield from prepared([replace(document, vector=own)], dimension)


class Migration(Reading):
    """One import into an index that has a model."""

    def __init__(self, ingest: Ingest, store: Foreign, path: Path) -> None:
        super().__init__(store, path, ingest.report, ingest.progress)
        self.settings, self.ingest = ingest.settings, ingest
        self.tokenizer, self.room = ingest.chunker.tokenizer, ingest.chunker.room

    def run(self, embed: bool) -> None:
        """Do it."""
        sample = self._sample()  # which reads all of it: what is refused is so before anything is written
        sample = [] if embed else sample
        reason = self._difference(sample) if sample else ""
        rest: Iterator[Document] = (item.document for item in self.taken())
        if sample and not reason:
            rest = iter(self._keep(len(sample)))
            self._tell_of_vectors()
        elif reason:
            said = f"; it says that they are of {self.store.model!r}" if self.store.model else ""
            here = self.settings.model
            self.note(f"its vectors are not those of {here}, the texts were embedded again: {reason}{said}")
        self.ingest.documents(rest)
        self.tell()

    # -- whether the vectors are the model's

    def _sample(self) -> list[tuple[Item, np.ndarray]]:
        """Items with a text and a vector, spread over all of them, such as the model sees whole if there are any."""
        step = max(1, self.store.count // (4 * SAMPLE))
        having = (
            (item, unit)
            for item in self.store.items()
            if not isinstance(item, Failure) and item.text and item.text.strip()
            if item.vector is not None and (unit := _unit(item.vector)) is not None
        )
        found = list(islice(having, 0, None, step))
        lengths = [len(ids) for ids in self.tokenizer.encode_ids([str(item.text) for item, _ in found])]
        whole = [each for each, length in zip(found, lengths, strict=True) if length <= self.room] or found
        return whole[:: -(-len(whole) // SAMPLE) or 1]

    def _difference(self, sample: list[tuple[Item, np.ndarray]]) -> str:
        """Why these vectors cannot be those of the index's model; empty if they can."""
        dimension = self.settings.dimension
        for item, unit in sample:
            if len(unit) != dimension:
                return f"that of {item.id!r:.60} has {len(unit):,} numbers, its vectors {dimension:,}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that a text was cut: so was theirs
            ours = self.ingest.embedder.embed([str(item.text) for item, _ in sample])
        cosines = [float(np.dot(own, unit)) for own, (_, unit) in zip(ours, sample, strict=True)]
        least = int(np.argmin(cosines))
        if cosines[least] >= LEAST:
            return ""
        return (
            f"that of {sample[least][0].id!r:.60} has a cosine of {cosines[least]:.3f} with what it makes of the text"
        )

    # -- vectors that are kept

    def _keep(self, compared: int) -> list[Document]:
        """Write what has a vector, as one passage each; what has none."""
        rest: list[Document] = []
        assert self.ingest.engine is not None
        documents, passages, replaced, _ = self.ingest.engine.take_in(self.settings, self._prepared(rest))
        self.report.documents += documents
        self.report.passages += passages
        self.note(
            f"{documents:,} vectors were kept: all {compared} that were compared have a cosine of {LEAST} or more with "
            f"what {self.settings.model} makes of their texts"
        )
        if replaced:
            self.note(f"{replaced:,} documents of the same ids were there and were replaced")
        return rest

    def _prepared(self, rest: list[Document]) -> Iterator[Prepared]:
        """What has a vector, ready to be written; what has none goes into `rest`."""
        taken, unknown = self.taken(), -1 if self.tokenizer.unknown is None else self.tokenizer.unknown
        while batch := list(islice(taken, BATCH)):
            tokens = self.tokenizer.encode_ids([item.document.text for item in batch])
            for (document, vector), ids in zip(batch, tokens, strict=True):
                span, unit = _span(document.text), None if vector is None else _unit(vector)
                if unit is None or len(unit) != self.settings.dimension or span is None:
                    self.tally.again += span is not None
                    rest.append(document)
                    continue
                self.tally.longer += len(ids) > self.room
                self.report.tokens += len(ids)
                self.report.unknown_tokens += ids.count(unknown)
                chunks = [Chunk(*span, (), len(ids))]
                yield Prepared(document, document.digest(), None, chunks, unit[None, :])

    def _tell_of_vectors(self) -> None:
        if self.tally.again:
            self.note(f"{self.tally.again:,} texts had no vector that could be kept and were embedded")
        if self.tally.longer:
            self.note(
                f"{self.tally.longer:,} texts have more than {self.settings.chunk_tokens} tokens, and a vector of "
                "their beginning only; embed them again to have them cut into passages"
            )
        self.tell_of_lengths()


def _length(vector: np.ndarray) -> float:
    return float(np.sqrt(np.square(vector, dtype=np.float64).sum()))


def _unit(vector: np.ndarray) -> np.ndarray | None:
    """A vector (d,) float32 of length 1, to the bit as it is if that is its length; None if it has no direction."""
    length = _length(vector)
    if not np.isfinite(length) or length == 0:
        return None
    return vector if abs(length - 1) <= UNIT else (vector / length).astype(np.float32)


def _span(text: str) -> tuple[int, int] | None:
    """Where a text starts and ends without the white space around it; None if there is nothing else."""
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    return (start, end) if start < end else None
