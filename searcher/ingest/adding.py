"""The adding part of `Searcher`: what goes into an index folder and out of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from searcher.engines import Opened
from searcher.errors import BadValue, IndexUnavailable, Interrupted, SearcherError
from searcher.ingest.keeping import keep_tokens
from searcher.ingest.progress import Progress, no_progress, showing
from searcher.ingest.under_way import UnderWay
from searcher.plain import ColumnType
from searcher.records import AddReport, Document, Failure

# All that reads, cuts, embeds and writes is imported where it is used: who only asks need not wait for it.
if TYPE_CHECKING:
    from searcher.ingest.copying import Copied, Others
    from searcher.ingest.exchange import Exchanged
    from searcher.ingest.ingest import Ingest
    from searcher.readers import ReadOptions

__all__ = ["Adding"]


class Adding(Opened):
    """How documents come into an index folder, and go."""

    def add(
        self,
        paths: str | Path | Sequence[str | Path],
        *,
        text_field: str | Sequence[str] | None = None,
        id_field: str | None = None,
        tables: Sequence[str] = (),
        encoding: str | None = None,
        column_types: Mapping[str, ColumnType] | None = None,
        ocr: bool = False,
        prune: bool = False,
        dry_run: bool = False,
        ray: str | None = None,
        work: str | Path | None = None,
        progress: Progress = no_progress,
    ) -> AddReport:
        """Index files, folders and globs; what is unchanged since it was added is left alone.

        text_field, id_field: columns of table files and databases; several of text are joined. tables: the tables and
        views of databases that are read, all that have text if none is named. encoding: of all these files, else it is
        told from each. column_types: "text", "number", "boolean" or "date" for columns of table files, by their names;
        else a column has the type that all of its cells have. ocr: read scanned pages of PDFs and pictures too, at some
        seconds a page; what was read so stays until its file changes. Raises SearcherError without the extra "ocr".
        prune: remove what came from these paths and is there no
        more. dry_run: read and count only. What cannot be read is in the report's `failed`, and stops nothing else;
        what was read, but not as it stands, is in its `notes`. A file that has another path now and the same content
        keeps its documents, which is in `moved`. Raises Interrupted, a KeyboardInterrupt, after a clean commit.

        ray: "local", or the address of a Ray cluster, whose machines read, cut and embed; they share the files and the
        folder `work`, where what is done is kept until it is in the index [beside it]. Raises SearcherError without Ray
        (the extra "ray"), for no such cluster, or where its machines fail; the same call goes on from there.
        """
        options = _options(text_field, id_field, tables, encoding, column_types, ocr=ocr)
        if ray is None and work is not None:
            raise BadValue("work is the folder of what a Ray cluster has done; say which cluster: ray='local'")
        if ray is not None and work is None and self.address is not None:
            raise BadValue(f"{self.place} is in no folder; say where the pieces go: work=DIR, --work DIR")
        if ray is not None and dry_run:
            raise BadValue("a dry run embeds nothing, and needs no Ray cluster; leave ray out")
        return self._add_files(paths, options, prune, dry_run, progress, ray, work)

    def watch(
        self,
        folders: str | Path | Sequence[str | Path],
        *,
        stop: Event | None = None,
        encoding: str | None = None,
        column_types: Mapping[str, ColumnType] | None = None,
        ocr: bool = False,
        progress: Progress = no_progress,
    ) -> Iterator[AddReport]:
        """Keep folders indexed: a report of the first `add`, then one whenever something in them changed, until `stop`.

        What is gone is removed, but not while a whole folder is away or empty. The rest as `add`. Ctrl-C raises
        KeyboardInterrupt where it waits, Interrupted within an add. Raises BadValue for what is no folder,
        SearcherError without watchfiles (the extra "watch").
        """
        from searcher.ingest.watching import folders_of, watched

        roots = folders_of([folders] if isinstance(folders, str | Path) else folders)
        how: dict[str, Any] = {"encoding": encoding, "column_types": column_types, "ocr": ocr, "progress": progress}
        return watched(roots, self.folder, lambda there: self.add(there, prune=True, **how), stop)

    def add_faq(
        self,
        paths: str | Path | Sequence[str | Path],
        *,
        answers: bool = True,
        encoding: str | None = None,
        column_types: Mapping[str, ColumnType] | None = None,
        prune: bool = False,
        dry_run: bool = False,
        progress: Progress = no_progress,
    ) -> AddReport:
        """Index FAQ files: tables with question and answer, Markdown with questions as headings or definition lists.

        answers: embed the answers too; an entry is then found by what it says as well. It is for all entries of an
        index or for none: near one without, those of others do not count, nor do those of tables that `add` read.
        The rest as `add`.
        """
        options = _options(None, None, (), encoding, column_types, "answers" if answers else "questions")
        return self._add_files(paths, options, prune, dry_run, progress)

    def add_bytes(
        self,
        data: bytes,
        label: str,
        *,
        suffix: str = ".txt",
        text_field: str | Sequence[str] | None = None,
        id_field: str | None = None,
        tables: Sequence[str] = (),
        encoding: str | None = None,
        column_types: Mapping[str, ColumnType] | None = None,
        ocr: bool = False,
        dry_run: bool = False,
        apart: bool = False,
    ) -> AddReport:
        """Index one file's content under a label, read as a file of that suffix. BadValue for an empty label.

        apart: of whatever kind it is, it is parsed in the process that reads strangers' files.
        """
        if not label:
            raise BadValue("a label is empty; good: a name for what is added")
        from searcher.readers import read_text

        options = _options(text_field, id_field, tables, encoding, column_types, ocr=ocr)
        with self._ingesting(dry_run=dry_run) as ingest:
            try:
                ingest.documents(read_text(data, label, options, suffix, apart), file=label)
            except SearcherError as fault:
                ingest.report.failed.append(Failure(label, getattr(fault, "reason", str(fault))))
        return ingest.report

    def add_texts(
        self,
        texts: Iterable[str],
        ids: Iterable[str] | None = None,
        metadatas: Iterable[Mapping[str, Any] | None] | None = None,
        progress: Progress = no_progress,
    ) -> AddReport:
        """Index texts; one whose id is there already replaces it, unless it is unchanged.

        Raises BadValue for lists of unlike length, an id given twice, a text that is not one; nothing is written then.
        """
        from searcher.ingest.documents import documents_of_texts

        documents = list(documents_of_texts(texts, ids, metadatas))
        return self.add_documents(documents, progress=progress)

    def add_documents(
        self, documents: Iterable[Document | Failure], file: str | None = None, progress: Progress = no_progress
    ) -> AddReport:
        """Index documents; one whose source is there already replaces it, unless it is unchanged.

        file: what they all came from; other documents that came from it before are removed.
        """
        with self._ingesting(progress) as ingest:
            ingest.documents(documents, file)
        return ingest.report

    def _add_files(
        self, paths: str | Path | Sequence[str | Path], options: "ReadOptions", prune: bool, dry_run: bool,
        progress: Progress, ray: str | None = None, work: str | Path | None = None,
    ) -> AddReport:  # fmt: skip
        """Bring files, folders and globs into the index."""
        from searcher.ingest.files import HERE, Source, add_files, expanded

        paths = [paths] if isinstance(paths, str | Path) else paths
        source: Source = HERE
        if ray is not None:
            try:
                from searcher.ingest.spread import Spread

                name = self.folder.name if self.address is None else self.address.collection
                source = Spread(ray, Path(work or self.folder.parent).expanduser() / f"{name}.ray")
            except ImportError:
                raise SearcherError("an add on many machines needs Ray: pip install 'searcher[ray]'") from None
        with self._ingesting(progress, dry_run) as ingest:
            add_files(ingest, expanded(paths), options, prune, source)
        source.clear()
        return ingest.report

    @contextmanager
    def _ingesting(self, progress: Progress = no_progress, dry_run: bool = False) -> Iterator["Ingest"]:
        """An ingest that is finished when all is in it. Interrupted for a KeyboardInterrupt, after a clean commit."""
        from searcher.ingest.ingest import Ingest

        settings, embedder = self.settings, self.embedder
        if not dry_run:
            self._create()
            self.engine.settle(settings)
        ingest = Ingest(self.engine if self.exists() else None, settings, embedder, progress, dry_run)
        try:
            yield ingest
            ingest.finish()
        except KeyboardInterrupt:
            try:
                ingest.progress("stop", 0)
                report = ingest.stop(wait=True)
            except BaseException:  # a second Ctrl-C: whatever waits to be embedded is let go of
                ingest.stop(wait=False)
                raise
            raise Interrupted(report, ingest.files_done, ingest.files_in_all) from None
        except BaseException:
            ingest.stop(wait=False)
            raise
        if not dry_run:
            self.engine.publish()
            if self._keeps_tokens():
                keep_tokens(self._local("keep token vectors"), embedder, settings.fingerprint, no_progress)

    def keep_token_vectors(self, progress: Progress = no_progress) -> None:
        """Keep the vectors of all passages' tokens, so that `rerank="maxsim"` need not compute them: of passages that
        are there now, and of those that are added later. It takes as long as embedding the passages did; what is done
        when it is ended stays done.

        They are in a file of their own, `tokens.db`, at 2 bytes a number: up to 198 kB a passage of 256 tokens by a
        model of width 384 (`status` says how much). Raises BadValue for an index of given vectors, ModelError.
        """
        settings, embedder = self.settings, self.embedder
        with showing(progress) as progress:
            keep_tokens(self._local("keep token vectors"), embedder, settings.fingerprint, progress)

    def drop_token_vectors(self) -> None:
        """Keep token vectors no more; those that are kept go."""
        if self.exists() and self._keeps_tokens():
            self._local("keep token vectors").tokens.end()

    def under_way(self) -> UnderWay | None:
        """How far an `add` is that another process does, or that was cut short; None where all is done."""
        return UnderWay.read(self.engine.under_way()) if self.exists() else None

    def remove(self, sources: str | Path | Sequence[str | Path] = (), ids: Sequence[str] = ()) -> int:
        """Remove documents by source (a path also relative, a folder with all in it, a label) or by the caller's id.

        Returns how many. Raises BadValue for one that is not in the index; nothing is removed then.
        """
        sources = [sources] if isinstance(sources, str | Path) else sources
        ids = [ids] if isinstance(ids, str) else ids
        numbers = {number for source in sources for number in self._find(str(source))}
        for key in ids:
            found = self.engine.documents_of("key", str(key)).values()
            if not found:
                raise BadValue(f"no document with id {key!r} in {self.place}")
            numbers.update(found)
        if numbers:
            self.engine.write(remove=numbers)
            self.engine.publish()
        return len(numbers)

    def export(
        self, stream: BinaryIO, vectors: Literal["numbers", "base64"] = "numbers", progress: Progress = no_progress
    ) -> "Exchanged":
        """Write the whole index to a binary stream as lines of JSON: settings, documents, passages, vectors.

        vectors: "numbers", lists of them that read back as the same float32; "base64", of little-endian float32.
        """
        from searcher.ingest.exchange import write_export

        with showing(progress) as progress:
            return write_export(self.engine, stream, vectors, progress)

    def import_(self, stream: BinaryIO, progress: Progress = no_progress) -> "Exchanged":
        """Bring in what `export` wrote; documents whose source is there are replaced, passages get new ids. No model
        is needed. All or nothing: one transaction. Where there was no index, an empty one is left if a line is wrong.

        Raises SettingsMismatch when the index was made with other settings; BadValue, naming the line, for a fault.
        """
        from searcher.ingest.exchange import Export

        export = Export(stream)
        with self._lock:
            if self._stored() is None:
                self._wanted.check(export.settings)
            self._create()
        with showing(progress) as progress:
            done = export.into(self.engine, progress)
        self.engine.publish()
        return done

    def copy_from(
        self, source: Opened, *, others: "Others" = "refuse", progress: Progress = no_progress
    ) -> "Copied":  # fmt: skip
        """Copy another index into this one, whatever engine holds either; no model is needed, vectors stay to the bit.

        Only what is not here already, just so, is written, batch by batch: after a kill, or when the other has changed,
        the same call copies what is missing. others: whether documents that the other has not are a reason to "refuse",
        or else what becomes of them: "keep", "remove". In the report stands what stayed behind, and how alike both are:
        by their counts, and by what is nearest to some vectors in either.

        Raises SettingsMismatch where this one was made with other settings; BadValue where both are one, and for
        others; IndexUnavailable where nothing was ever added to the other, or it is embedded again meanwhile;
        Interrupted, a KeyboardInterrupt, when the batch in flight is written.
        """
        from searcher.ingest.copying import Copying

        if self.exists() and source.exists() and _is_same(self.folder, source.folder):
            raise BadValue(f"{self.folder} would be copied to itself; name another index")
        if (settings := source.engine.settings()) is None:
            raise IndexUnavailable(f"{source.folder}: nothing was ever added to it; there is nothing to copy")
        with self._lock:
            if self._stored() is None:
                self._wanted.check(settings)
            self._create()
        with showing(progress) as progress:
            return Copying(source.engine, self.engine, settings, progress).run(others)

    def import_from(
        self,
        path: str | Path,
        *,
        collection: str | None = None,
        vector_name: str | None = None,
        text_field: str | None = None,
        embed: bool = False,
        progress: Progress = no_progress,
    ) -> AddReport:
        """Bring in what another tool stored: ids, texts, metadata, and the vectors if they are of this index's model.

        path: a Chroma folder, a LangChain FAISS folder, a folder of Qdrant's local mode, a txtai index, an `llm`
        database, a .npy file with JSON lines beside it, a folder in BEIR's layout. collection: which, where there are
        several; vector_name: which of an item's named vectors; text_field: which field of an item is its text.

        The model decides on the vectors: a sample of the texts is embedded, and only if each vector has a cosine of .99
        with ours are they kept. Else, and with embed, all texts are embedded. An index of given vectors
        (`Searcher(folder, vectors=NAME)`) keeps them all to the bit, and items without a text too.

        A document whose id is there already is replaced. Nothing of the store is run or written; what was done with it
        is in the report's `notes`.

        Raises BadValue for a path that is none of these, UnreadableFile, and what `add` raises: Interrupted too, after
        a clean commit.
        """
        from searcher.ingest.migrating import bring_in, bring_in_given
        from searcher.migration import Choices, foreign

        stored = self._stored()
        given = self._wanted.vectors is not None if stored is None else stored.given
        if given and embed:
            raise BadValue("an index of given vectors embeds nothing; leave embed out")
        with foreign(Path(path), Choices(collection, vector_name, text_field)) as store:
            if not given:
                with self._ingesting(progress) as ingest:
                    bring_in(ingest, store, Path(path), embed)
                return ingest.report
            self._create()
            with showing(progress) as progress:
                report = bring_in_given(
                    self.engine, store, Path(path), lambda length: stored or self._wanted.given(length), progress
                )
        self.engine.publish()
        return report


def _is_same(one: Path, other: Path) -> bool:
    """Whether two names are of one index."""
    return one == other or (one.exists() and other.exists() and one.samefile(other))


def _several(names: Sequence[str]) -> tuple[str, ...]:
    """Names, or one name."""
    return (names,) if isinstance(names, str) else tuple(names)


def _options(
    text_field: str | Sequence[str] | None,
    id_field: str | None,
    tables: Sequence[str],
    encoding: str | None,
    column_types: Mapping[str, ColumnType] | None,
    faq: Literal["questions", "answers"] | None = None,
    ocr: bool = False,
) -> "ReadOptions":
    """How files are read, as a caller gives it."""
    from searcher.readers import ReadOptions

    fields = _several(text_field or ())
    return ReadOptions(fields or None, id_field, _several(tables), faq, encoding, dict(column_types or {}), ocr)
