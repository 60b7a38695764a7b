"""The adding part of `Searcher`: what goes into an index folder and out of it."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal

from searcher.engines import Opened
from searcher.errors import BadValue, SearcherError
from searcher.ingest.documents import documents_of_texts
from searcher.ingest.exchange import Exchanged, Export, write_export
from searcher.ingest.files import add_files, expanded
from searcher.ingest.ingest import Ingest, Progress, no_progress
from searcher.readers import ReadOptions, read_text
from searcher.records import AddReport, Document, Failure

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
        column_types: Mapping[str, str] | None = None,
        prune: bool = False,
        dry_run: bool = False,
        progress: Progress = no_progress,
    ) -> AddReport:
        """Index files, folders and globs; what is unchanged since it was added is left alone.

        text_field, id_field: columns of table files and databases; several of text are joined. tables: the tables and
        views of databases that are read, all that have text if none is named. encoding: of all these files, else it is
        told from each. column_types: "text", "number", "boolean" or "date" for columns of table files, by their names;
        else a column has the type that all of its cells have. prune: remove what came from these paths and is there no
        more. dry_run: read and count only. What cannot be read is in the report's `failed`, and stops nothing else;
        what was read, but not as it stands, is in its `notes`.
        """
        paths = [paths] if isinstance(paths, str | Path) else paths
        options = _options(text_field, id_field, tables, encoding, column_types)
        ingest = self._ingest(progress, dry_run)
        add_files(ingest, expanded(paths), options, prune)
        return self._finish(ingest)

    def add_faq(
        self,
        paths: str | Path | Sequence[str | Path],
        *,
        answers: bool = True,
        encoding: str | None = None,
        column_types: Mapping[str, str] | None = None,
        prune: bool = False,
        dry_run: bool = False,
        progress: Progress = no_progress,
    ) -> AddReport:
        """Index FAQ files: tables with question and answer, Markdown with questions as headings or definition lists.

        answers: embed the answers too; an entry is then found by what it says as well. The rest as `add`.
        """
        paths = [paths] if isinstance(paths, str | Path) else paths
        faq: Literal["answers", "questions"] = "answers" if answers else "questions"
        options = ReadOptions(faq=faq, encoding=encoding, column_types=column_types or {})
        ingest = self._ingest(progress, dry_run)
        add_files(ingest, expanded(paths), options, prune)
        return self._finish(ingest)

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
        column_types: Mapping[str, str] | None = None,
        dry_run: bool = False,
    ) -> AddReport:
        """Index one file's content under a label, read as a file of that suffix. BadValue for an empty label."""
        if not label:
            raise BadValue("a label is empty; good: a name for what is added")
        options = _options(text_field, id_field, tables, encoding, column_types)
        ingest = self._ingest(dry_run=dry_run)
        try:
            ingest.documents(read_text(data, label, options, suffix), file=label)
        except SearcherError as fault:
            ingest.report.failed.append(Failure(label, getattr(fault, "reason", str(fault))))
        return self._finish(ingest)

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
            self._create()
            self.engine.settle(settings)
        return Ingest(self.engine if self.exists() else None, settings, embedder, progress, dry_run)

    def _finish(self, ingest: Ingest) -> AddReport:
        report = ingest.finish()
        if not ingest.dry_run:
            self.engine.publish()
        return report

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
                raise BadValue(f"no document with id {key!r} in {self.folder}")
            numbers.update(found)
        if numbers:
            self.engine.write(remove=numbers)
            self.engine.publish()
        return len(numbers)

    def export(self, stream: BinaryIO, vectors: str = "numbers", progress: Progress = no_progress) -> Exchanged:
        """Write the whole index to a binary stream as lines of JSON: settings, documents, passages, vectors.

        vectors: "numbers", lists of them that read back as the same float32; "base64", of little-endian float32.
        """
        return write_export(self.engine, stream, vectors, progress)

    def import_(self, stream: BinaryIO, progress: Progress = no_progress) -> Exchanged:
        """Bring in what `export` wrote; documents whose source is there are replaced, passages get new ids. No model
        is needed. All or nothing: one transaction.

        Raises SettingsMismatch when the index was made with other settings; BadValue, naming the line, for a fault.
        """
        export = Export(stream)
        with self._lock:
            if self._stored() is None:
                self._wanted.check(export.settings)
            self._create()
        done = export.into(self.engine, progress)
        self.engine.publish()
        return done


def _several(names: Sequence[str]) -> tuple[str, ...]:
    """Names, or one name."""
    return (names,) if isinstance(names, str) else tuple(names)


def _options(
    text_field: str | Sequence[str] | None,
    id_field: str | None,
    tables: Sequence[str],
    encoding: str | None,
    column_types: Mapping[str, str] | None,
) -> ReadOptions:
    """How files are read, as a caller gives it."""
    fields = _several(text_field or ())
    return ReadOptions(
        fields or None, id_field, _several(tables), encoding=encoding, column_types=dict(column_types or {})
    )
