"""A Milvus cluster of nine processes: is every answer right while a query node is killed in mid-traffic, how long is the stall?

    pip install 'searcher[milvus,model]'
    pip install --target KAFKA confluent-kafka
    pip install --no-deps --target WHEEL milvus==2.3.5
    apt-get download etcd-server && dpkg -x etcd-server_*.deb ETCD
    unshare --map-root-user --net --mount sh -c \
        'ip link set lo up && mount -t tmpfs tmpfs /run && PYTHONPATH=KAFKA SEARCHER_DATA=… exec "$@"' - \
        python benchmarks/milvus_cluster.py WHEEL ETCD/usr/bin/etcd

4 coordinators, a proxy, a data node, an index node, 2 query nodes; 2 shards, 2 replicas; etcd, the mock broker inside
confluent-kafka for a log, a folder for an object store. An index folder is copied there by `Searcher.copy_from`, and asked
through `Searcher.search`, consistency Strong: an answer is right if it has the passages that the folder's has, in which every
vector is looked at. Both are asked with the same vectors: a Searcher that has added texts embeds a question in bfloat16,
one that was just opened in float32, and the tenth and the eleventh passage may be nearer to each other than these two. Told besides: how often our engine asked again, and how often pymilvus did inside a call. That server is old, asks for no password and listens on every
interface: it gets a network of its own, and a /run for what it writes there (Linux; unshare, ip, mount). The mock broker
keeps a few megabytes in memory: whether the log survives is not tested.
"""

import argparse
import logging
import lzma
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from common import report, uneven_texts
from confluent_kafka import Producer
from pymilvus import MilvusClient, MilvusException

from searcher import Searcher
from searcher.engines.milvus import connection
from searcher.errors import IndexUnavailable, SearcherError

ROWS, LETTERS, K = 3_000, 200, 10
QUESTIONS, KILLED_AT, SOME = 300, 100, 30  # some: after a new node joined
AT_ONCE = 4  # questions while nobody dies, each of which waits for the server's clock most of the time
NAME, URI = "passages", "http://127.0.0.1:19530"
START = 300  # seconds until the cluster answers
SETTLED = 15  # seconds after which each node knows of the others, which nothing tells
# role → the port of its own, and that of its metrics
ROLES = {
    "rootcoord": (53100, 9091), "datacoord": (13333, 9092), "querycoord": (19531, 9093), "indexcoord": (31000, 9094),
    "proxy": (19530, 9095), "datanode": (21124, 9096), "indexnode": (21121, 9097), "querynode": (21123, 9098),
}  # fmt: skip


class Cluster:
    """The processes, each in a group of its own, ended one by one at the end."""

    def __init__(self, wheel: Path, etcd: Path, folder: Path) -> None:
        self.folder, self._ended = folder, ExitStack()
        (folder / "bin").mkdir()
        for packed in (wheel / "milvus" / "data" / "bin").glob("*.lzma"):
            (folder / "bin" / packed.stem).write_bytes(lzma.decompress(packed.read_bytes()))
        (folder / "bin" / "milvus").chmod(0o755)
        self._broker = Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1})
        [broker] = self._broker.list_topics(timeout=30).brokers.values()
        self._environment = os.environ | {
            "LD_LIBRARY_PATH": str(folder / "bin"), "MILVUSCONF": str(folder),
            "ETCD_ENDPOINTS": "127.0.0.1:2379", "ETCD_USE_EMBED": "false", "MQ_TYPE": "kafka",
            "KAFKA_BROKERLIST": f"127.0.0.1:{broker.port}", "COMMON_STORAGETYPE": "local",
            "LOCALSTORAGE_PATH": str(folder / "store"), "LOG_LEVEL": "warn",
        }  # fmt: skip
        (folder / "milvus.yaml").write_text("{}\n")
        (folder / "glog.conf").write_bytes(
            (wheel / "milvus" / "data" / "glog.conf").read_bytes()
        )  # nodes end without it
        urls = [f"--{part}-urls=http://127.0.0.1:2379" for part in ("listen-client", "advertise-client")]
        self._run(
            "etcd", [etcd, f"--data-dir={folder / 'etcd'}", *urls, "--listen-peer-urls=http://127.0.0.1:2380"], {}
        )

    def run(self, role: str, number: int = 0) -> subprocess.Popen[bytes]:
        """Start a process of that role; number: which of several."""
        port, metrics = (own + 50 * number for own in ROLES[role])
        own = {f"{role.upper()}_PORT": str(port), "METRICS_PORT": str(metrics)}
        return self._run(
            f"{role}-{number}", [self.folder / "bin" / "milvus", "run", role, "-alias", f"{role}-{number}"], own
        )

    def _run(self, name: str, command: Sequence[Any], own: dict[str, str]) -> subprocess.Popen[bytes]:
        log = self._ended.enter_context((self.folder / f"{name}.log").open("wb"))
        process = subprocess.Popen(
            [str(part) for part in command], env=self._environment | own, cwd=self.folder, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
        self._ended.callback(process.wait)
        self._ended.callback(process.kill)
        return process

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.close()


def until(call: Callable[[], Any], seconds: float, what: str) -> Any:
    """What a call gives once it gives something and raises nothing."""
    begun, last = time.monotonic(), None
    while time.monotonic() - begun < seconds:
        try:
            if found := call():
                return found
        except (MilvusException, SearcherError) as fault:
            last = fault
        time.sleep(1)
    raise SystemExit(f"{what}: not within {seconds:g} seconds; {last}")


class Again(logging.Handler):
    """Counts what is asked again: by our engine, and inside its calls by pymilvus, which logs it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.by_us = self.by_pymilvus = 0
        for name in ("passes", "late"):
            setattr(connection, name, self._counted(getattr(connection, name)))
        logger = logging.getLogger("pymilvus")
        logger.propagate = False
        logger.addHandler(self)

    def _counted(self, own: Callable[..., bool]) -> Callable[..., bool]:
        def counted(*given: Any) -> bool:
            again = own(*given)
            self.by_us += again
            return again

        return counted

    def listen(self) -> None:
        """Hear pymilvus, which our engine silences when it connects."""
        logging.getLogger("pymilvus").setLevel(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        """Count it."""
        self.by_pymilvus += "retry:" in record.getMessage()


def indexed(folder: Path, count: int) -> tuple[Searcher, np.ndarray]:
    """An index folder of so many short texts, and the vectors of questions that are the beginnings of others."""
    texts = [text[:LETTERS] for text in uneven_texts(2 * (count + QUESTIONS))]
    texts = list(dict.fromkeys(texts))[: count + QUESTIONS]
    here = Searcher(folder)
    here.add_texts(texts[:count])
    return here, here.embedder.embed([text[: LETTERS // 2] for text in texts[count:]], "query")


def asked(
    there: Searcher,
    here: Searcher,
    questions: np.ndarray,
    again: Again,
    at_once: int = 1,
    between: Callable[[int], None] = lambda number: None,
) -> dict[str, Any]:
    """How many questions had the folder's answers, how many of the nearest were found, how many failed, the time."""

    def one(number: int) -> tuple[int, float]:
        """How many of the nearest were found, -1 where nobody answered, and after how many seconds."""
        between(number)
        nearest = {hit.source for hit in here.search(questions[number], K)}
        begun = time.perf_counter()
        try:
            found = len(nearest & {hit.source for hit in there.search(questions[number], K)})
        except IndexUnavailable as fault:
            print(f"question {number}: {fault}", flush=True)
            found = -1
        if found < K:
            print(f"question {number}: {found} of {K}", flush=True)
        return found, time.perf_counter() - begun

    before = again.by_us, again.by_pymilvus
    with ThreadPoolExecutor(at_once) as threads:
        found, seconds = zip(*threads.map(one, range(len(questions))), strict=True)
    return {
        "right": found.count(K), "of": len(questions), "failed": found.count(-1),
        "recall": round(sum(max(0, own) for own in found) / K / len(questions), 4),
        "stall_seconds": round(max(seconds), 1), "median_ms": round(1000 * float(np.median(seconds))),
        "over_five_seconds": sum(own > 5 for own in seconds),
        "asked_again": again.by_us - before[0], "by_pymilvus": again.by_pymilvus - before[1],
    }  # fmt: skip


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path, help="folder into which pip put milvus==2.3.5")
    parser.add_argument("etcd", type=Path, help="the program etcd")
    given = parser.parse_args()
    os.environ |= {"SEARCHER_MILVUS_SHARDS": "2", "SEARCHER_MILVUS_REPLICAS": "2"}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # which ends what it started
    again = Again()
    with tempfile.TemporaryDirectory() as folder, Cluster(given.wheel, given.etcd, Path(folder)) as cluster:
        here, questions = indexed(Path(folder) / "index", ROWS)
        begun = time.perf_counter()
        for role in ROLES:
            cluster.run(role)
        victim = cluster.run("querynode", 1)
        client = until(lambda: MilvusClient(URI, timeout=10), START, "the proxy answers")
        time.sleep(SETTLED)
        with Searcher(engine=f"milvus:{URI}#{NAME}") as first:
            copied = until(lambda: first.copy_from(here), START, "the index is copied")
        shards, replicas = client.describe_collection(NAME)["num_shards"], nodes(client)
        print(
            f"ready after {time.perf_counter() - begun:.0f} s; {shards} shards, query nodes of the replicas: {replicas}"
        )
        print(copied)
        del os.environ["SEARCHER_MILVUS_REPLICAS"]  # whoever only asks need not know of them
        with Searcher(engine=f"milvus:{URI}#{NAME}") as there:
            there.search(questions[0], K)
            again.listen()
            stages = {"quiet": asked(there, here, questions, again, AT_ONCE)}
            print(f"nobody dies: {stages['quiet']}", flush=True)
            stages["killed"] = asked(
                there, here, questions, again, between=lambda number: victim.kill() if number == KILLED_AT else None
            )
            print(f"a query node dies before question {KILLED_AT}: {stages['killed']}", flush=True)
        cluster.run("querynode", 2)

        def restored() -> bool:
            own = {node for replica in nodes(client) for node in replica}
            return len(own) == 2 and not own <= {node for replica in replicas for node in replica}

        begun = time.perf_counter()
        until(restored, START, "a new query node takes its place")
        restoring = round(time.perf_counter() - begun, 1)
        with Searcher(engine=f"milvus:{URI}#{NAME}") as anew:
            stages["again"] = {"restored_seconds": restoring, **asked(anew, here, questions[:SOME], again)}
        print(f"a new query node takes its place: {stages['again']}")
        report("milvus_cluster", {"rows": ROWS, "shards": shards, "replicas": replicas, **stages})


def nodes(client: MilvusClient) -> list[list[int]]:
    """The query nodes of each replica."""
    return [sorted(own.group_nodes) for own in client.describe_replica(NAME)]


if __name__ == "__main__":
    main()
