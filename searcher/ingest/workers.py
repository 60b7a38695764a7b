"""What a machine of a cluster does of an add: files are read and cut by tasks, their passages embedded by actors.

Both are handed tables and hand on tables (`pyarrow.Table`), as Ray Data has it; nothing here knows Ray.
"""

import json
import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast

import pyarrow as pa

from searcher import __version__
from searcher.embedding import Dtype, Embedder, IndexSettings, load_model, on_one_core
from searcher.errors import BadValue, SearcherError, UnreadableFile
from searcher.ingest.documents import sound
from searcher.ingest.files import digest_of
from searcher.ingest.ingest import BATCH_DOCUMENTS, Ingest
from searcher.ingest.inputs import cut, inputs
from searcher.ingest.pieces import Entry, entries, name_of, table_of, with_vectors, write_piece
from searcher.ingest.pipeline import BATCH_TOKENS, embed_chunks
from searcher.plain import counted
from searcher.readers import ReadOptions, read
from searcher.records import Document, Failure
from searcher.text import Chunker

__all__ = ["MARK", "TRIED", "UNREAD", "Embedding", "Job", "read_and_cut"]

# In the folder of pieces: no add takes these for files, and a machine that sees it sees them.
MARK, UNREAD = ".searcherignore", "*\n"
TRIES = 3  # at a piece over which the process died
TRIED = ".tried"  # … counts them, a byte each


@dataclass(frozen=True)
class Job:
    """All that a machine has to know of an add but its files. folder: of the pieces, which every machine sees. ways: in
    which files are read.
    """

    folder: Path
    ways: Sequence[ReadOptions]
    settings: IndexSettings
    model: str
    device: str
    dtype: Dtype
    torch_weights: bool
    version: str = __version__

    @classmethod
    def of(cls, ingest: Ingest, folder: Path, ways: Sequence[ReadOptions]) -> Self:
        """That of an ingest."""
        model, encoder = ingest.embedder.model, ingest.embedder.encoder
        dtype = cast("Dtype", encoder.dtype)
        return cls(folder, ways, ingest.settings, model.name, encoder.device, dtype, encoder.torch_weights)

    def embedder(self) -> Embedder:
        """The index's embedder on this machine. SearcherError where that cannot be: it says which machine."""
        here = f"the machine {platform.node()}"
        if self.version != __version__:
            raise SearcherError(f"{here} has searcher {__version__}, not {self.version}: install the same on all")
        if not (self.folder / MARK).exists():
            raise SearcherError(
                f"{here} does not see {self.folder}; good: --work with a folder that all machines share"
            )
        try:
            model = load_model(self.model, self.torch_weights)
            return self.settings.embedder(model, self.device, self.torch_weights, self.dtype)
        except SearcherError as fault:
            raise SearcherError(f"{here}: {fault}") from None


def read_and_cut(groups: pa.Table, job: Job) -> Iterator[pa.Table]:
    """Read the files of each group and cut what is in them: a row for each piece, which has no vectors yet.

    groups: a list of files each: path, way, digest, key, and done: the entries that are there, as [first, end].
    left: of a file that could not be read on this machine its path and the reason, as JSON. fault: why this machine can
    do nothing. Both are empty beside a piece.
    """
    try:
        embedder = _embedder(job)
    except SearcherError as fault:
        yield _row(fault=str(fault))
        return
    chunker = job.settings.chunker(embedder)
    waiting: list[Entry] = []
    tokens = 0
    for row in (row for group in groups["files"].to_pylist() for row in group):
        try:
            for entry in _entries(row, job, chunker):
                waiting.append(entry)
                tokens += sum(chunk.content for chunk in entry.chunks)
                if tokens >= BATCH_TOKENS or len(waiting) >= BATCH_DOCUMENTS:
                    yield _row(_as_bytes(table_of(waiting)))
                    waiting, tokens = [], 0
        except Exception as fault:  # whatever it is: it is read again where the index is, and told there
            cause = fault.__cause__ if isinstance(fault.__cause__, OSError) else fault
            yield _row(left=json.dumps([row["path"], f"{platform.node()}: {cause}"]))
    if waiting:
        yield _row(_as_bytes(table_of(waiting)))


def _entries(row: dict[str, Any], job: Job, chunker: Chunker) -> Iterator[Entry]:
    """What of a file is not there yet, up to its end. SearcherError, OSError for one that is not what was meant."""
    key, path, options = row["key"], Path(row["path"]), job.ways[row["way"]]
    if digest_of(path, options) != row["digest"]:
        raise SearcherError("it is another file there, or it changed meanwhile")
    done = [range(*span) for span in row["done"]]
    number, end = 0, None
    try:
        for item in read(path, options):
            if not any(number in span for span in done):
                yield _entry(key, number, item, job, chunker)
            number += 1
    except UnreadableFile as fault:
        if isinstance(fault.__cause__, OSError):  # of this machine, it may be, and not of the file
            raise
        end = fault
    yield Entry(key, number, end)


def _entry(key: str, number: int, item: Any, job: Job, chunker: Chunker) -> Entry:
    if isinstance(item, Failure):
        return Entry(key, number, item)
    try:
        document = sound(item)
        return Entry(key, number, document, cut(job.settings, chunker, document))
    except BadValue as fault:
        source = str(item.source)
        return Entry(key, number, Failure(source, str(fault), source))


def _row(piece: bytes = b"", left: str = "", fault: str = "") -> pa.Table:
    return pa.table({"piece": pa.array([piece], pa.large_binary()), "left": [left], "fault": [fault]})


def _as_bytes(table: pa.Table) -> bytes:
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    return stream.getvalue().to_pybytes()


_held: dict[str, Embedder] = {}


def _embedder(job: Job) -> Embedder:
    """The job's embedder, of which a process that does many tasks needs one."""
    mark = f"{job.settings.fingerprint} {job.folder}"
    if mark not in _held:
        _held[mark] = job.embedder()
    return _held[mark]


class Embedding:
    """An actor: embeds pieces and writes them down.

    What goes wrong is handed on as a fault: of an error Ray would tell its traceback, and try again and again.
    """

    def __init__(self, job: Job) -> None:
        self.job, self.fault = job, ""
        try:
            self.embedder = job.embedder()
        except SearcherError as fault:
            self.fault = str(fault)

    def __call__(self, rows: pa.Table) -> pa.Table:
        """Write the piece of each row. What is handed on: how many passages are in it, what was left, and the fault."""
        on_one_core()  # a machine has as many actors as are good for it
        done = []
        for row in rows.to_pylist():
            passages, fault = 0, row["fault"] or self.fault
            try:
                passages = self._embed(row["piece"]) if row["piece"] and not fault else 0
            except SearcherError as own:
                fault = str(own)
            done.append({"passages": passages, "left": row["left"], "fault": fault})
        return pa.Table.from_pylist(done)

    def _embed(self, piece: bytes) -> int:
        job, table = self.job, pa.ipc.open_stream(piece).read_all()
        found = list(entries(table))
        with _tried(job.folder / name_of(table), found):
            pairs = [
                pair for entry in found if isinstance(entry.value, Document)
                for pair in inputs(job.settings, self.embedder, entry.value, entry.chunks)
            ]  # fmt: skip
            vectors, _ = embed_chunks(self.embedder, [own for own, _ in pairs], [ids for _, ids in pairs], {})
            write_piece(job.folder, with_vectors(table, vectors))
        return len(pairs)


@contextmanager
def _tried(piece: Path, found: Sequence[Entry]) -> Iterator[None]:
    """A try at a piece. SearcherError for one over which the process died again and again: Ray would go on for ever."""
    tried = piece.with_suffix(TRIED)
    sources = [entry.value.source for entry in found if isinstance(entry.value, Document)]
    if sources and tried.exists() and tried.stat().st_size >= TRIES:
        raise SearcherError(
            f"the process that embeds died {TRIES} times over {counted(len(sources), 'document')}, from {sources[0]} "
            "on; leave it out, or give it more memory"
        )
    with tried.open("ab") as stream:
        stream.write(b"+")
    yield
    tried.unlink(missing_ok=True)
