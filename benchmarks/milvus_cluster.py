"""A Milvus cluster of nine processes: is every answer right while a query node is killed in mid-traffic, how long is the stall?

    pip install 'pymilvus>=3.0,<3.1'
    pip install --target KAFKA confluent-kafka
    pip install --no-deps --target WHEEL milvus==2.3.5
    apt-get download etcd-server && dpkg -x etcd-server_*.deb ETCD
    unshare --map-root-user --net --mount sh -c \
        'ip link set lo up && mount -t tmpfs tmpfs /run && PYTHONPATH=KAFKA exec "$@"' - \
        python benchmarks/milvus_cluster.py WHEEL ETCD/usr/bin/etcd

4 coordinators, a proxy, a data node, an index node, 2 query nodes; 2 shards, 2 replicas; etcd, the mock broker inside
confluent-kafka for a log, a folder for an object store. That server is old, asks for no password and listens on every
interface: it gets a network of its own, and a /run for what it writes there (Linux; unshare, ip, mount). The mock broker
keeps a few megabytes in memory: whether the log survives is not tested.
"""

import argparse
import logging
import lzma
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import numpy as np
from common import report
from confluent_kafka import Producer
from pymilvus import DataType, MilvusClient, MilvusException

ROWS, DIMENSION, K = 3_000, 384, 10
QUESTIONS, KILLED_AT, SOME = 300, 100, 30  # some: where nobody dies
NAME, URI = "passages", "http://127.0.0.1:19530"
START, DEADLINE = 300, 120.0  # seconds until the cluster answers; of one question, however often it is asked again
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
        except MilvusException as fault:
            last = fault
        time.sleep(1)
    raise SystemExit(f"{what}: not within {seconds:g} seconds; {last}")


def filled(vectors: np.ndarray) -> MilvusClient:
    """A client of the cluster when it holds the vectors, in 2 shards and 2 replicas."""
    client = until(lambda: MilvusClient(URI, timeout=10), START, "the proxy answers")
    time.sleep(SETTLED)
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=vectors.shape[1])
    index = client.prepare_index_params()
    index.add_index("vector", index_type="FLAT", metric_type="COSINE")

    def made() -> bool:
        with suppress(MilvusException):
            client.drop_collection(NAME)
        client.create_collection(NAME, schema=schema, num_shards=2, timeout=60)
        return True

    until(made, START, "a collection is made")
    for first in range(0, len(vectors), 500):
        part = vectors[first : first + 500]
        client.insert(NAME, [{"id": first + at, "vector": row} for at, row in enumerate(part.tolist())])
    until(lambda: client.flush(NAME, timeout=60) or True, START, "the rows are in the store")
    client.create_index(NAME, index)
    until(lambda: client.load_collection(NAME, replica_number=2) or True, START, "two replicas are loaded")
    return client


def asked(
    client: MilvusClient, vectors: np.ndarray, count: int, between: Callable[[int], None] = lambda number: None
) -> dict[str, Any]:
    """How many questions had the ten answers that numpy gives, and how long they took; one that fails is asked again."""
    questions = np.random.default_rng(1).standard_normal((count, vectors.shape[1])).astype(np.float32)
    questions /= np.linalg.norm(questions, axis=1, keepdims=True)
    right, again, seconds = 0, 0, []
    for number, question in enumerate(questions):
        between(number)
        nearest = set(np.argsort(-(vectors @ question), kind="stable")[:K].tolist())
        begun, hits = time.perf_counter(), None
        while hits is None and time.perf_counter() - begun < DEADLINE:
            try:
                [hits] = client.search(NAME, [question.tolist()], limit=K, consistency_level="Strong", timeout=DEADLINE)
            except MilvusException:
                again += 1
                time.sleep(0.5)
        right += {hit["id"] for hit in hits or ()} == nearest
        seconds.append(time.perf_counter() - begun)
    return {
        "right": right, "of": count, "asked_again": again, "stall_seconds": round(max(seconds), 1),
        "median_ms": round(1000 * float(np.median(seconds)), 1), "over_two_seconds": sum(own > 2 for own in seconds),
    }  # fmt: skip


def main() -> None:
    """Run it."""
    logging.disable()  # pymilvus tells of every call that is made again
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path, help="folder into which pip put milvus==2.3.5")
    parser.add_argument("etcd", type=Path, help="the program etcd")
    given = parser.parse_args()
    vectors = np.random.default_rng(0).standard_normal((ROWS, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with tempfile.TemporaryDirectory() as folder, Cluster(given.wheel, given.etcd, Path(folder)) as cluster:
        begun = time.perf_counter()
        for role in ROLES:
            cluster.run(role)
        victim = cluster.run("querynode", 1)
        client = filled(vectors)
        replicas = [sorted(own.group_nodes) for own in client.describe_replica(NAME)]
        print(f"ready after {time.perf_counter() - begun:.0f} s; query nodes of the replicas: {replicas}")
        quiet = asked(client, vectors, SOME)
        print(f"nobody dies: {quiet}")
        killed = asked(client, vectors, QUESTIONS, lambda number: victim.kill() if number == KILLED_AT else None)
        print(f"a query node dies before question {KILLED_AT}: {killed}")
        cluster.run("querynode", 2)

        def restored() -> bool:
            nodes = {node for own in client.describe_replica(NAME) for node in own.group_nodes}
            return len(nodes) == 2 and not nodes <= {node for own in replicas for node in own}

        begun = time.perf_counter()
        until(restored, START, "a new query node takes its place")
        again = {"restored_seconds": round(time.perf_counter() - begun, 1), **asked(client, vectors, SOME)}
        print(f"a new query node takes its place: {again}")
        report("milvus_cluster", {"rows": ROWS, "replicas": replicas, "quiet": quiet, "killed": killed, "again": again})


if __name__ == "__main__":
    main()
