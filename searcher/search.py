"""Where the parts meet: `Searcher`, an index folder with its model, to add to and to search."""

import os
import threading
import weakref
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from searcher import filters
from searcher.documents import documents_of_texts
from searcher.embedder import Embedder
from searcher.errors import BadValue, DamagedIndex, SearcherError, UnknownName
from searcher.exchange import Exchanged, Export, write_export
from searcher.faq import Faq
from searcher.files import add_files, expanded
from searcher.highlight import highlighted
from searcher.ingest import Ingest, Progress, no_progress
from searcher.keyword_index import FAULT as KEYWORD_FAULT
from searcher.pooling import normalize
from searcher.ranking import Hit, nearest, query_texts, query_vectors
from searcher.readers import ReadOptions, read_text
from searcher.records import AddReport, Answer, Document, Failure, Passage
from searcher.reindexing import embed_again
from searcher.repair import Repair, repair_database
from searcher.rerank import rerank as reranked
from searcher.retrieval import MODES, Asked, Questions, retrieve
from searcher.settings import IndexSettings
from searcher.snapshots import Snapshots
from searcher.status import bytes_of, status
from searcher.store import DATABASE, Row, Store
from searcher.tuning import RECALL, make_index
from searcher.wanted import Wanted

__all__ = ["Searcher"]

Where = str | Mapping[str, Any] | None


class Searcher:
    """Search over one index folder; safe to share between threads.

    folder: made at the first `add`. settings: model, pooling, layers, combine, special_tokens, prompts, chunk_tokens,
    overlap, truncate, device, torch_weights, dtype, as in `Wanted`; what is left out is the index's own, or for a new
    index the model's own.

    Raises SettingsMismatch when the index was made with other settings than those given.
    """

    def __init__(self, folder: str | Path = "index_data", model: str | Path | None = None, **settings: Any) -> None:
        self.folder = Path(folder)
        known = {field.name for field in fields(Wanted)} - {"model"}
        if unknown := set(settings) - known:
            raise UnknownName("setting", min(unknown), known)
        self._wanted = Wanted(str(model) if model is not None else None, **settings)
        self._store: Store | None = None
        self._snapshots: Snapshots | None = None
        self._embedder: Embedder | None = None
        self._made_with = ""  # fingerprint of the settings that the embedder is for
        self._lock = threading.RLock()
        _searchers.add(self)
        with suppress(DamagedIndex):  # it can be opened to be checked; whatever reads it says so
            if self.exists() and (stored := self.store.settings()):
                self._wanted.check(stored)

    # -- opening

    def exists(self) -> bool:
        """Whether the folder holds an index."""
        return (self.folder / DATABASE).exists()

    @property
    def store(self) -> Store:
        """The index's store. Raises IndexUnavailable if there is no index yet."""
        # Without the lock once it is open: who reads the database must not wait for a thread that waits to read it.
        if (store := self._store) is not None:
            return store
        with self._lock:
            if self._store is None:
                self._open()
            assert self._store is not None
            return self._store

    @property
    def snapshots(self) -> Snapshots:
        """The FAISS index of the store's state."""
        if (snapshots := self._snapshots) is not None:
            return snapshots
        with self._lock:
            if self._snapshots is None:
                self._open()
            assert self._snapshots is not None
            return self._snapshots

    def _open(self, create: bool = False) -> None:
        self._store = Store(self.folder, create)
        self._snapshots = Snapshots(self._store)

    def _stored(self) -> IndexSettings | None:
        return self.store.settings() if self.exists() else None

    @property
    def settings(self) -> IndexSettings:
        """What the index was made with, or a new one would be."""
        return self._stored() or self._wanted.settings(self.embedder)

    @property
    def embedder(self) -> Embedder:
        """What embeds this index's passages and questions; the model's files are found and verified here."""
        return self._fitting()[0]

    def _fitting(self) -> tuple[Embedder, str]:
        """The embedder, and the fingerprint of the settings that it is for."""
        with self._lock:
            stored = self._stored()
            # Another process may have embedded the index again with other settings.
            if self._embedder is None or (stored is not None and stored.fingerprint != self._made_with):
                if stored is not None:
                    self._wanted.check(stored)
                self._embedder = self._wanted.embedder(stored)
                self._made_with = (stored or self._wanted.settings(self._embedder)).fingerprint
            return self._embedder, self._made_with

    # -- writing

    def add(
        self,
        paths: str | Path | Sequence[str | Path],
        *,
        text_field: str | None = None,
        id_field: str | None = None,
        prune: bool = False,
        dry_run: bool = False,
        progress: Progress = no_progress,
    ) -> AddReport:
        """Index files, folders and globs; what is unchanged since it was added is left alone.

        text_field, id_field: columns of table files. prune: remove what came from these paths and is there no more.
        dry_run: read and count only. What cannot be read is in the report's `failed`, and stops nothing else.
        """
        paths = [paths] if isinstance(paths, str | Path) else paths
        ingest = self._ingest(progress, dry_run)
        add_files(ingest, expanded(paths), ReadOptions(text_field, id_field), prune)
        return self._finish(ingest)

    def add_faq(
        self,
        paths: str | Path | Sequence[str | Path],
        *,
        answers: bool = True,
        prune: bool = False,
        dry_run: bool = False,
        progress: Progress = no_progress,
    ) -> AddReport:
        """Index FAQ files: tables with question and answer, Markdown with questions as headings or definition lists.

        answers: embed the answers too; an entry is then found by what it says as well. The rest as `add`.
        """
        paths = [paths] if isinstance(paths, str | Path) else paths
        ingest = self._ingest(progress, dry_run)
        add_files(ingest, expanded(paths), ReadOptions(faq="answers" if answers else "questions"), prune)
        return self._finish(ingest)

    def add_bytes(
        self,
        data: bytes,
        label: str,
        *,
        suffix: str = ".txt",
        text_field: str | None = None,
        id_field: str | None = None,
        dry_run: bool = False,
    ) -> AddReport:
        """Index one file's content under a label, read as a file of that suffix would be."""
        ingest = self._ingest(dry_run=dry_run)
        try:
            options = ReadOptions(text_field, id_field)
            ingest.documents(read_text(data, label, options, suffix), file=label)
        except SearcherError as fault:
            ingest.report.failed.append(Failure(label, getattr(fault, "reason", str(fault))))
        return self._finish(ingest)

    def add_texts(
        self,
        texts: Sequence[str],
        ids: Sequence[str] | None = None,
        metadatas: Sequence[Mapping[str, Any] | None] | None = None,
        progress: Progress = no_progress,
    ) -> AddReport:
        """Index texts; one whose id is there already replaces it, unless it is unchanged.

        Raises BadValue for lists of unlike length, an id given twice, a text that is not one; nothing is written then.
        """
        documents = list(documents_of_texts(texts, ids, metadatas))
        return self.add_documents(documents, progress=progress)

    def add_documents(
        self, documents: Iterable[Document | Failure], file: str | None = None, progress: Progress = no_progress
    ) -> AddReport:
        """Index documents; one whose source is there already replaces it, unless it is unchanged.

        file: what they all came from; other documents that came from it before are removed.
        """
        ingest = self._ingest(progress)
        ingest.documents(documents, file)
        return self._finish(ingest)

    def _ingest(self, progress: Progress = no_progress, dry_run: bool = False) -> Ingest:
        settings, embedder = self.settings, self.embedder
        if not dry_run:
            with self._lock:
                if not self.exists():
                    self._open(create=True)
                self.store.settle(settings)
        return Ingest(self.store if self.exists() else None, settings, embedder, progress, dry_run)

    def _finish(self, ingest: Ingest) -> AddReport:
        report = ingest.finish()
        if not ingest.dry_run:
            self.snapshots.publish()
        return report

    def remove(self, sources: str | Path | Sequence[str | Path] = (), ids: Sequence[str] = ()) -> int:
        """Remove documents by source (a path also relative, a folder with all in it, a label) or by the caller's id.

        Returns how many. Raises BadValue for one that is not in the index; nothing is removed then.
        """
        sources = [sources] if isinstance(sources, str | Path) else sources
        ids = [ids] if isinstance(ids, str) else ids
        numbers = {number for source in sources for number in self._find(str(source))}
        for key in ids:
            found = self.store.documents_of("key", str(key)).values()
            if not found:
                raise BadValue(f"no document with id {key!r} in {self.folder}")
            numbers.update(found)
        if numbers:
            self.store.write(remove=numbers)
            self.snapshots.publish()
        return len(numbers)

    def _find(self, source: str) -> list[int]:
        """Ids of the documents of a source, a file, or a folder with all in it. BadValue if there are none."""
        for name in (source, os.path.abspath(source)):  # noqa: PTH100 - links are not followed
            numbers = set(self.store.documents_of("source", name).values())
            for file in self.store.files_under(name):
                numbers.update(self.store.documents_of("file", file).values())
            if numbers:
                return sorted(numbers)
        raise BadValue(f"nothing from {source!r} in {self.folder}; searcher list shows what there is")

    def document(self, source: str) -> Document:
        """A stored document by source, relative path, or caller's id. BadValue if there is none."""
        for column, name in (("source", source), ("source", os.path.abspath(source)), ("key", source)):  # noqa: PTH100
            numbers = self.store.documents_of(column, name)
            if numbers:
                document = self.store.document(min(numbers.values()))
                if name not in (document.source, document.id):
                    raise DamagedIndex(f"{self.folder}: {source!r} led to another document; run: searcher check")
                return document
        raise BadValue(f"no document {source!r} in {self.folder}; searcher list shows what there is")

    def passages(self, source: str) -> list[Row]:
        """The stored passages of a document in their order, vectors included. BadValue if there is no such document."""
        with self.store.database.reading():
            ids = [number for document in self._find(source) for number in self.store.passage_ids(document).tolist()]
            rows = self.store.rows(ids)
            return [rows[number] for number in ids]

    def reindex(
        self,
        progress: Progress = no_progress,
        *,
        index_type: str | None = None,
        tune: bool = False,
        recall: float = RECALL,
        **changes: Any,
    ) -> IndexSettings:
        """Rebuild the FAISS index; with changes (model, pooling, …) embed everything again from the stored text.

        index_type: flat, hnsw, ivf, …, auto, or FAISS's own description of one; kept for later writes. tune: measure
        recall@10, with the index's own vectors moved to where questions lie, and keep the knob that reaches `recall`.

        All or nothing: the old index answers until the new one is whole. Raises IndexUnavailable if another process
        wrote to it meanwhile; BadValue for a type that FAISS does not know or cannot make of these vectors.
        """
        changes = {name: value for name, value in changes.items() if value is not None}
        if changes:
            wanted = self._wanted.changed(self.settings, changes)
            embedder = wanted.embedder(None)
            settings = wanted.settings(embedder)
            embed_again(self.store, settings, embedder, progress)
            with self._lock:
                self._wanted = Wanted(device=wanted.device, torch_weights=wanted.torch_weights, dtype=wanted.dtype)
                self._embedder, self._made_with = embedder, settings.fingerprint
        make_index(self.snapshots, index_type, tune, recall)
        return self.settings

    # -- exchange

    def export(self, stream: BinaryIO, vectors: str = "numbers", progress: Progress = no_progress) -> Exchanged:
        """Write the whole index to a binary stream as lines of JSON: settings, documents, passages, vectors.

        vectors: "numbers", lists of them that read back as the same float32; "base64", of little-endian float32.
        """
        return write_export(self.store, stream, vectors, progress)

    def import_(self, stream: BinaryIO, progress: Progress = no_progress) -> Exchanged:
        """Bring in what `export` wrote; documents whose source is there are replaced, passages get new ids. No model
        is needed. All or nothing: one transaction.

        Raises SettingsMismatch when the index was made with other settings; BadValue, naming the line, for a fault.
        """
        export = Export(stream)
        with self._lock:
            if self._stored() is None:
                self._wanted.check(export.settings)
            if not self.exists():
                self._open(create=True)
        done = export.into(self.store, progress)
        self.snapshots.publish()
        return done

    # -- searching

    def search(
        self,
        query: Any,
        k: int = 10,
        where: Where = None,
        min_score: float | None = None,
        *,
        mode: str = "dense",
        mmr: float | None = None,
        per_document: int | None = None,
        rerank: str | None = None,
        highlight: bool = False,
        exact: bool = False,
        ef: int | None = None,
        nprobe: int | None = None,
    ) -> Any:
        """The k passages that answer a question best, best first.

        query: a text -> list of Passage; a list of texts -> a list of such lists; vectors (d,) or (q, d) likewise.
        where: a filter such as "lang = 'en' and year >= 2020", or a dict of equalities; min(k, as many as it allows)
        passages are returned. min_score: leave out passages with a lower score.

        mode: "dense", score is the cosine; "keyword", BM25 of the passages that hold a word of the question; "hybrid",
        both, score is that of `fuse`, `smoothed`. per_document: at most so many passages of a document; with 1
        documents are ranked by their best passages. mmr: from 1 down to 0, how far each passage shall be unlike those
        before it; the order is that of choice then. exact: the very nearest, whatever the type of the index; ef,
        nprobe: how far an index of type hnsw or ivf is looked through.

        rerank: look at the first hits more closely, by "maxsim", the token vectors of the index's own model (modes
        "dense" and "hybrid"), or by a cross-encoder, its hub name or folder; score is then theirs, except in "hybrid"
        with "maxsim", which finds the passage that feeds back. min_score holds for the scores before.
        highlight: find the sentence of each passage that answers best.

        Raises BadValue for an empty query, k < 1, a vector of another dimension or not finite; FilterError.
        """
        if highlight and isinstance(query, np.ndarray) and query.dtype.kind in "fiu":
            raise BadValue("highlight takes the question's text, not its vector")
        single = isinstance(query, str) or (isinstance(query, np.ndarray) and query.ndim == 1)
        queries = [query] if isinstance(query, str) else query
        how = {"mode": mode, "mmr": mmr, "per_document": per_document, "exact": exact, "ef": ef, "nprobe": nprobe}
        found = self.rank(queries, k, where, min_score, rerank, **how)
        hits = [[_passage(rank, score, row) for rank, (score, row) in enumerate(ranked, 1)] for ranked in found]
        if highlight:
            questions = [query] if single else query
            hits = [highlighted(self.embedder, text, own) for text, own in zip(questions, hits, strict=True)]
        return hits[0] if single else hits

    def rank(
        self,
        queries: Any,
        k: int,
        where: Where = None,
        min_score: float | None = None,
        rerank: str | None = None,
        **how: Any,
    ) -> list[list[Hit]]:
        """As `search` for a list of questions or vectors, with the stored rows: (score, Row) of each hit.

        how: mode, mmr, per_document, exact, ef, nprobe, and feedback, False for a hybrid search by `fuse` alone.
        """
        asked = Asked(k, min_score, **how)
        if rerank is None:
            return self._ranked(queries, where, asked)[1]
        return reranked(partial(self._ranked, queries, where), lambda: self.embedder, asked, rerank)

    def _ranked(
        self, queries: Any, where: Where, asked: Asked, first: np.ndarray | None = None
    ) -> tuple[Questions, list[list[Hit]]]:
        """Questions and their hits. first: (q, d), passages that feed back in a hybrid search, None for the best."""
        tree = None if where is None else filters.parse(where)
        mode, texts, vectors, readable = MODES[asked.mode], None, None, None
        if isinstance(queries, np.ndarray) and queries.dtype.kind in "fiu":
            if mode.texts:
                raise BadValue(f"mode {asked.mode!r} needs the question as a text; a vector has mode 'dense' only")
            vectors = query_vectors(queries)
        else:
            texts = query_texts(queries)
            self.store.settings()  # no index, no need to load a model
        while True:
            if embedding := texts is not None and mode.vectors:
                embedder, made_with = self._fitting()
                vectors = embedder.embed(texts, "query")
                readable = embedder.readable(texts) if mode.texts else None
            with self.store.database.reading():
                stored = self.store.settings()
                if embedding and texts and stored is not None and stored.fingerprint != made_with:
                    continue  # embedded again by another process since: so must the questions be
                allowed = None if tree is None else self.snapshots.allowed(tree)
                if vectors is not None and not (asked.feedback and (first is None or first.shape == vectors.shape)):
                    first = np.zeros_like(vectors)
                questions = Questions(texts, vectors, readable, first)
                ranked = retrieve(self.snapshots, questions, asked, allowed)
                # A filter's answer comes out of SQLite's indexes, in which damage shows only to `check`.
                if tree is not None and not all(row.fits(tree) for hits in ranked for _, row in hits):
                    raise DamagedIndex(f"{self.folder}: a filter led to what it forbids; run: searcher check")
                return questions, ranked

    def similar(self, source: str, k: int = 10, where: Where = None) -> list[Passage]:
        """Passages of other documents nearest to a document: to the mean of its passages' vectors."""
        with self.store.database.reading():
            own = np.concatenate([self.store.passage_ids(number) for number in self._find(source)])
            if not len(own):
                raise BadValue(f"{source!r} holds no text to be similar to")
            vectors = np.stack([row.vector for row in self.store.rows(own.tolist()).values()])
            allowed = self.store.passage_ids() if where is None else self.store.allowed(filters.parse(where))
            mean = normalize(vectors.mean(axis=0, keepdims=True))
            [ranked] = nearest(self.snapshots, mean, k, np.setdiff1d(allowed, own))
            return [_passage(rank, score, row) for rank, (score, row) in enumerate(ranked, 1)]

    @property
    def faq(self) -> Faq:
        """The FAQ entries: `faq.rank`, `faq.calibrate`, `faq.lint`, `faq.log`."""
        return Faq(self.store, self.snapshots, self._fitting)

    def answer(
        self, question: str, min_score: float | None = None, min_probability: float | None = None
    ) -> Answer | None:
        """The answer of the FAQ entry that fits a question best; None if there is none, or it is below what is asked.

        min_score: about 0 … 1. min_probability: that the answer is right; needs an index that was calibrated.
        """
        return self.faq.answer(question, min_score, min_probability)

    # -- upkeep

    def check(self) -> list[str]:
        """A line for each fault found in the stored data and in the cache; none when all is well."""
        return self._faults() or self.snapshots.check()

    def _faults(self) -> list[str]:
        try:
            return self.store.check()
        except DamagedIndex as fault:  # so broken that it cannot be opened
            return [str(fault)]

    def repair(self) -> Repair:
        """Make the index sound again: the cache anew, and if the database is damaged, a new one of all the documents
        that are sound, under their ids. The damaged one is kept beside it.

        Raises DamagedIndex where nothing can be saved, IndexUnavailable while others use it; nothing is changed then.
        """
        faults = self._faults()
        findings = faults or self.snapshots.check()
        lost: list[str] = []
        kept = None
        with self._lock:
            if faults == [KEYWORD_FAULT]:
                with suppress(DamagedIndex):
                    self.store.rebuild_keywords()
                    faults = []
            if faults:
                self.close()
                lost, kept = repair_database(self.folder / DATABASE)
            if findings:
                self.snapshots.rebuild()
        return Repair(findings, lost, kept)

    def compact(self) -> int:
        """Write the index's files anew without the room and the traces of what was removed; the bytes it gave back."""
        before = bytes_of(self.folder)
        self.store.rebuild_keywords()
        self.store.database.vacuum()
        self.snapshots.rebuild()
        return before - bytes_of(self.folder)

    def status(self) -> dict[str, Any]:
        """What the index holds and was made with, sizes in bytes."""
        return status(self.folder, self.settings, self.store, self.snapshots)

    def close(self) -> None:
        """Close the database; the next use opens it again."""
        with self._lock:
            if self._store is not None:
                self._store.database.close()
            self._store = self._snapshots = None

    def __enter__(self) -> "Searcher":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_searchers: "weakref.WeakSet[Searcher]" = weakref.WeakSet()


def _unlock_in_child() -> None:
    """After a fork: the thread that held a lock is not in the child."""
    for searcher in _searchers:
        searcher._lock = threading.RLock()


os.register_at_fork(after_in_child=_unlock_in_child)


def _passage(rank: int, score: float, row: Row) -> Passage:
    return Passage(
        rank, score, row.id, row.passage_id, row.source, row.title, row.section, row.start, row.end, row.line, None,
        row.text, row.metadata,
    )  # fmt: skip
