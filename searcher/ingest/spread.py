"""An add whose files are read, cut and embedded on a Ray cluster; what came of it is brought into the index here.

Ray distributes it (ray.data: tasks, a pool of actors, what is retried where); every finished piece is a file in a
folder that all machines see, and is not made again. Documents, order, digests and reports are those of any other add,
which takes what it reads from here.
"""

import json
import logging
import os
import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

from searcher import __version__
from searcher.errors import BadValue, SearcherError
from searcher.ingest.batches import Ready
from searcher.ingest.files import ToRead
from searcher.ingest.forecast import Forecast
from searcher.ingest.ingest import Ingest
from searcher.ingest.pieces import DRAFT, PIECE, Pieces
from searcher.ingest.pipeline import BATCH_TOKENS
from searcher.ingest.workers import MARK, TRIED, UNREAD, Embedding, Job, read_and_cut
from searcher.readers import ReadOptions, read
from searcher.records import Document, Failure, Note
from searcher.system import absolute, cores, private_folder

__all__ = ["LOCAL", "Spread"]

LOCAL = "local"  # the address of a cluster that is made for this add, of this machine alone
READING_SHARE = 8  # of so many CPUs one is left to reading, where no GPU embeds
PATIENCE = 10.0  # seconds that a cluster has to answer
Row = dict[str, Any]

QUIET: Row = {"log_to_driver": False, "logging_level": logging.ERROR}
QUIETLY = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # read when Ray is imported: its ports are this machine's alone


class Spread:
    """The source of an add: what `expect` is told is read and embedded on the cluster, and handed out by `read`.

    address: of a Ray cluster, or LOCAL. folder: of the pieces. Files that no machine of the cluster could read are read
    here, which is noted.
    """

    def __init__(self, address: str, folder: Path) -> None:
        if not address.strip():
            raise BadValue(f"ray is {address!r}; good: {LOCAL!r}, or the address of a cluster such as 'head:6379'")
        self.address, self.folder = address, Path(absolute(folder))
        is_alone = address == LOCAL
        self.environment = QUIETLY | (LOOPBACK if is_alone else {})
        # A CPU more than there are: who reads waits for files as often as it works.
        self.alone: Row = {"num_cpus": cores() + 1, "include_dashboard": False} if is_alone else {}
        self.left: dict[str, str] = {}  # path → why it was not read on the cluster
        self.pieces = Pieces(self.folder)
        self._mark = ""  # of what else but a file decides what is made of it
        with _environment(self.environment):
            import ray.data  # noqa: F401 - ImportError now, before anything is done

    def expect(self, files: Iterable[ToRead], ingest: Ingest) -> None:
        """Have those read and embedded that are not yet. SearcherError for a cluster that is not there, or gives up."""
        self._mark = ingest.settings.fingerprint + __version__
        ways: list[ReadOptions] = []
        groups = list(self._groups(files, ingest.forecast, ways))
        if not groups:
            return
        try:
            private_folder(self.folder)
            (self.folder / MARK).write_text(UNREAD, encoding="utf-8")
        except OSError as fault:
            raise SearcherError(f"{self.folder}: {fault.strerror or fault}; good: --work with another folder") from None
        for tried in self.folder.glob(f"*{TRIED}"):
            tried.unlink(missing_ok=True)
        with self._cluster():
            for done in _run(groups, Job.of(ingest, self.folder, ways)):
                if done["fault"]:
                    raise SearcherError(done["fault"])
                self.left |= [json.loads(done["left"])] if done["left"] else []
                ingest.progress("passage", done["passages"])
        self.pieces = Pieces(self.folder)
        lost = [row["path"] for group in groups for row in group["files"] if not self._is_there(row)]
        if lost:
            what = f"what the machines made of {lost[0]} and {len(lost) - 1:,} others is not in {self.folder}"
            raise SearcherError(f"{what}; good: --work with a folder that all machines share")

    @contextmanager
    def _cluster(self) -> Iterator[None]:
        """A connection to the cluster, or one that is made and ended again; what is there already is left as it is.

        SearcherError for whatever Ray says went wrong.
        """
        with _environment(self.environment):
            import ray
            from ray.exceptions import RayError

            for name in ("ray", "ray.data"):
                logging.getLogger(name).setLevel(logging.CRITICAL)
            mine = not ray.is_initialized()
            try:
                if mine:
                    _reach(self.address)
                    with _unheard():
                        ray.init(self.address, **QUIET, **self.alone)
                yield
            except SearcherError:
                raise
            except (RayError, ConnectionError, RuntimeError, ValueError) as fault:
                raise SearcherError(f"Ray at {self.address}: {_line(fault)}") from None
            finally:
                if mine:
                    ray.shutdown()

    def _is_there(self, row: Row) -> bool:
        return row["path"] in self.left or self.pieces.has_all(row["key"])

    def _groups(self, files: Iterable[ToRead], forecast: Forecast, ways: list[ReadOptions]) -> Iterator[Row]:
        """What is not there yet, in rows of files with about as many tokens as make a piece. ways: takes how."""
        group: list[Row] = []
        tokens = 0
        for file in files:
            key = self._key(file)
            if self.pieces.has_all(key):
                continue
            done = [[span.first, span.end] for span in self.pieces.spans(key)]
            path = file.path.as_posix()
            if file.options not in ways:
                ways.append(file.options)
            way = ways.index(file.options)
            group.append({"path": path, "way": way, "digest": file.digest, "key": key, "done": done})
            tokens += forecast.tokens_of(path)
            if tokens >= BATCH_TOKENS:
                yield {"files": group}
                group, tokens = [], 0
        if group:
            yield {"files": group}

    def _key(self, file: ToRead) -> str:
        """Stands for all that decides what is made of a file."""
        told = [file.path.as_posix(), file.digest.hex(), self._mark]
        return blake2b(json.dumps(told).encode(), digest_size=16).hexdigest()

    def read(self, file: ToRead) -> Iterator[Document | Ready | Failure]:
        """What a file gave on the cluster; what it gives here if it was not read there, or has changed since."""
        key, path = self._key(file), file.path.as_posix()
        if not self.pieces.has_all(key):
            if path in self.left:
                yield Note(path, f"read here and not on the cluster: {self.left[path]}")
            yield from read(file.path, file.options)
            return
        for entry in self.pieces.of(key):
            if isinstance(entry.value, SearcherError):
                raise entry.value
            if isinstance(entry.value, Document):
                assert entry.vectors is not None
                yield Ready(entry.value, list(entry.chunks), entry.vectors)
            elif entry.value is not None:
                yield entry.value

    def clear(self) -> None:
        """Remove the pieces: all that was in them is in the index."""
        for path in [*self.folder.glob(f"*{PIECE}"), *self.folder.glob(f"*{DRAFT}"), self.folder / MARK]:
            path.unlink(missing_ok=True)
        with suppress(OSError):  # somebody's own files are in it
            self.folder.rmdir()


def _run(groups: list[Row], job: Job) -> Iterator[Row]:
    """Read, cut and embed on the cluster; of each piece how many passages are in it, what was left, and any fault."""
    import ray.data

    actors, reading, embedding = _pool(ray.cluster_resources())
    files = ray.data.from_items(groups, override_num_blocks=len(groups))
    files.context.enable_progress_bars = False
    files.context.target_max_block_size = 1  # a piece each: what is put together into one block is done by one actor
    pieces = files.map_batches(
        read_and_cut, batch_size=1, batch_format="pyarrow", fn_kwargs={"job": job}, num_cpus=reading
    )
    done = pieces.map_batches(
        Embedding, batch_size=1, batch_format="pyarrow", fn_constructor_kwargs={"job": job},
        compute=ray.data.ActorPoolStrategy(size=min(actors, len(groups))), **embedding,
    )  # fmt: skip
    for table in done.iter_batches(batch_size=None, batch_format="pyarrow"):
        yield from table.to_pylist()


def _pool(resources: Row) -> tuple[int, float, Row]:
    """How many actors a cluster of so many CPUs and GPUs is good for, the CPUs of a task that reads, and what an actor
    has.

    Some CPUs are left to those that read, for without any all would wait for ever. A task has half of what an actor
    has: it waits for files half of the time, and where both have the same, Ray has one process do both.
    """
    cpus, gpus = int(resources.get("CPU", 1)), int(resources.get("GPU", 0))
    each = 1.0 if cpus > max(gpus, 1) else cpus / (max(gpus, 1) + 1)
    if gpus:
        return gpus, each / 2, {"num_cpus": each, "num_gpus": 1}
    return max(1, cpus - max(1, cpus // READING_SHARE)), each / 2, {"num_cpus": each}


def _reach(address: str) -> None:
    """ConnectionError for an address at which nobody listens, for which Ray would wait for minutes."""
    if found := re.fullmatch(r"\[?([^/\[\]]+)\]?:(\d{1,5})", address):
        try:
            socket.create_connection((found[1], int(found[2])), timeout=PATIENCE).close()
        except (OSError, OverflowError) as fault:
            raise ConnectionError(f"nobody answers there ({getattr(fault, 'strerror', None) or fault})") from None


@contextmanager
def _unheard() -> Iterator[None]:
    """What Ray's core writes to the process' stderr while it starts, that it takes its own settings, is not heard."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Variables as Ray and the processes that it starts shall see them; afterwards as they were."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _line(fault: BaseException) -> str:
    """What an error says, in a line: the last one, where a traceback stands before it."""
    lines = str(fault).strip().splitlines() or [type(fault).__name__]
    return lines[-1 if lines[0].startswith("Traceback") or "ray::" in lines[0] else 0][:300]
