"""How many questions does a server answer, how soon, and what does an add or a highlight do to that?

    SEARCHER_DATA=… python benchmarks/serve.py [--folder DIR] [--rounds 3] [--seconds 8] [--clients 1 8 32 128]
        [--soak SECONDS]

`searcher serve` beside a plain server of FastAPI, sentence-transformers and FAISS (a function route for each request, as
their tutorials have it), the same passages, vectors and questions of SciFact, one after the other in every round. Clients
are connections of one process on the same machine; each asks its next question when the last is answered. Then the same
server's hybrid and highlighted searches beside dense ones, one client's p50 beside the library's own, and its p50 while
documents are added. Peers: pip install 'searcher[serve,model]' sentence-transformers.

--soak: instead, 32 clients for so many seconds, one request in twenty a write; no status but 2xx, the server's memory,
then kill -9: every write that was acknowledged must be there.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from common import data_folder, report

from searcher import Searcher
from searcher.system import memory_of

KINDS: dict[str, dict[str, Any]] = {"dense": {}, "hybrid": {"mode": "hybrid"}, "highlighted": {"highlight": True}}
K, SOAKING, WRITES = 10, 32, 20
ADDED = 400  # documents of the add that questions are asked beside


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32, 128])
    parser.add_argument("--soak", type=float)
    parser.add_argument("--worker", choices=["plain", "library"])
    options = parser.parse_args()
    if options.worker:
        WORKERS[options.worker](options.folder)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        prepare(folder)
        if options.soak:
            report("serve --soak", soak(folder, options.soak))
            return
        result: dict[str, Any] = {"clients": beside(folder, options.clients, options.rounds, options.seconds)}
        with searcher_server(folder) as (port, process):
            result["kinds at 32"] = {
                name: told(load(port, 32, options.seconds, how), name) for name, how in KINDS.items()
            }
            result["p50 of one client"] = single(folder, port, options.seconds)
            result["during an add"] = during_an_add(folder, port, options.seconds)
            result["MB"] = round((memory_of(process) or 0) / 1e6)
    report("serve", result)


# -- what is measured


def beside(folder: Path, clients: list[int], rounds: int, seconds: float) -> dict[str, Any]:
    """Both servers in turn: requests a second, p50 and p99 in milliseconds, medians over rounds; ratios round by round."""
    servers = {"plain": plain_server, "searcher": searcher_server}
    found: dict[int, dict[str, list[Load]]] = {count: {name: [] for name in servers} for count in clients}
    for _ in range(rounds):
        for name, start in servers.items():
            with start(folder) as (port, _process):
                load(port, 8, min(2.0, seconds))  # warm
                for count in clients:
                    found[count][name].append(load(port, count, seconds))
    result = {}
    for count, own in found.items():
        rates = {name: [each.rate for each in loads] for name, loads in own.items()}
        times = [ours / theirs for ours, theirs in zip(rates["searcher"], rates["plain"], strict=True)]
        row = {name: middle(loads) for name, loads in own.items()}
        result[str(count)] = row | {"times": [round(value, 2) for value in sorted(times)]}
        print(
            f"{count:>4} clients",
            row,
            f"{statistics.median(times):.1f} x ({min(times):.1f}-{max(times):.1f})",
            flush=True,
        )
    return result


def single(folder: Path, port: int, seconds: float) -> dict[str, float]:
    """One client's p50, and that of the library in a process of its own, in milliseconds."""
    asked = {"server": load(port, 1, seconds).p50}
    command = [sys.executable, __file__, "--worker", "library", "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    asked["library"] = json.loads(done.stdout.splitlines()[-1])
    print("one client", asked, flush=True)
    return {name: round(value, 2) for name, value in asked.items()}


def during_an_add(folder: Path, port: int, seconds: float) -> dict[str, Any]:
    """One client's p50 on an idle server and while documents are added, in milliseconds."""
    idle = load(port, 1, seconds)
    texts = [row["text"] for row in corpus()][:ADDED]
    documents = [{"id": f"added-{time.time()}-{n}", "text": f"{n} {text}"} for n, text in enumerate(texts)]
    busy = asyncio.run(_while_adding(port, {"documents": documents}, seconds))
    result = {"idle": idle.p50, "adding": busy.p50, "times": busy.p50 / idle.p50, "adding p99": busy.p99}
    print("during an add", result, flush=True)
    return {name: round(value, 2) for name, value in result.items()}


async def _while_adding(port: int, body: dict[str, Any], seconds: float) -> "Load":
    adding = asyncio.create_task(request(port, "POST", "/documents", body))
    await asyncio.sleep(0.3)
    found = await clients(port, 1, seconds, questions({}), until=adding)
    status, _ = await adding
    assert status == 200, status
    return found


def soak(folder: Path, seconds: float) -> dict[str, Any]:
    """Statuses, the server's memory after a tenth of the time and at the end, and what is gone after kill -9."""
    kept: list[str] = []

    def mixed(number: int) -> tuple[str, str, dict[str, Any], Callable[[Any], object] | None]:
        if number % WRITES:
            return next(asked)
        key = f"soak-{number}"
        body = {"documents": [{"id": key, "text": f"note {number} of {time.time()}"}]}
        return "POST", "/documents", body, lambda _: kept.append(key)

    asked = questions({})
    memory: list[int] = []
    with searcher_server(folder) as (port, process):
        load(port, SOAKING, seconds / 10)
        for _ in range(10):
            found = asyncio.run(clients(port, SOAKING, seconds / 10, map(mixed, _numbers)))
            memory.append(memory_of(process) or 0)
            print(
                f"{found.rate:.0f}/s, p99 {found.p99:.0f} ms, {memory[-1] / 1e6:.0f} MB, {dict(found.statuses)}",
                flush=True,
            )
            _seen.update(found.statuses)
        os.kill(process, 9)
    with Searcher(folder / "index") as searcher:
        there = {document.id for document in searcher.get(kept)}
        problems = len(searcher.check())
    return {
        "statuses": {str(status): count for status, count in _seen.items()}, "writes": len(kept),
        "lost": len(set(kept) - there), "problems": problems, "MB": [round(each / 1e6) for each in memory],
        "grown": round(memory[-1] / memory[0] - 1, 3),
    }  # fmt: skip


_numbers = iter(range(10**9))
_seen: Counter[int] = Counter()


# -- clients


class Load:
    """What clients met. milliseconds: of each request; seconds: all of it."""

    def __init__(self, milliseconds: list[float], seconds: float, statuses: Counter[int]) -> None:
        self.rate = len(milliseconds) / seconds
        self.p50, self.p99 = np.percentile(milliseconds, [50, 99]).tolist() if milliseconds else (0.0, 0.0)
        self.statuses = statuses


Question = tuple[str, str, dict[str, Any], Callable[[Any], object] | None]


def questions(how: dict[str, Any]) -> Iterator[Question]:
    """Searches for the questions of SciFact, over and over."""
    file = data_folder() / "scifact" / "queries.jsonl"
    texts = [json.loads(line)["text"] for line in file.read_text(encoding="utf-8").splitlines()]
    while True:
        for text in texts:
            yield "POST", "/search", {"query": text, "k": K, **how}, None


def load(port: int, count: int, seconds: float, how: dict[str, Any] | None = None) -> Load:
    """So many clients for so many seconds."""
    return asyncio.run(clients(port, count, seconds, questions(how or {})))


async def clients(
    port: int, count: int, seconds: float, asked: Iterator[Question], until: "asyncio.Task[Any] | None" = None
) -> Load:
    """The same; until: they go on until that is done, however long it takes."""
    milliseconds: list[float] = []
    statuses: Counter[int] = Counter()
    begun = time.perf_counter()

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while not until.done() if until else time.perf_counter() - begun < seconds:
            method, path, body, then = next(asked)
            at = time.perf_counter()
            status, answer = await over(reader, writer, method, path, body)
            milliseconds.append(1e3 * (time.perf_counter() - at))
            statuses[status] += 1
            if then and status == 200:
                then(answer)
        writer.close()

    await asyncio.gather(*(client() for _ in range(count)))
    return Load(milliseconds, time.perf_counter() - begun, statuses)


async def request(port: int, method: str, path: str, body: Any) -> tuple[int, bytes]:
    """One request on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = await over(reader, writer, method, path, body)
    writer.close()
    return found


async def over(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, method: str, path: str, body: Any
) -> tuple[int, bytes]:
    """Status and body of the answer; of HTTP as much as both servers speak."""
    data = json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data)
    answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = re.search(r"content-length: (\d+)", answer)
    return int(answer.split(None, 2)[1]), await reader.readexactly(int(length[1]) if length else 0)


def middle(loads: list[Load]) -> dict[str, float]:
    """Medians over rounds."""
    return {
        "rate": round(statistics.median(each.rate for each in loads), 1),
        "p50": round(statistics.median(each.p50 for each in loads), 1),
        "p99": round(statistics.median(each.p99 for each in loads), 1),
    }


def told(found: Load, name: str) -> dict[str, float]:
    """One load, printed too."""
    assert set(found.statuses) == {200}, found.statuses
    print(f"{name:>12}", middle([found]), flush=True)
    return middle([found])


# -- servers


@contextmanager
def searcher_server(folder: Path) -> Iterator[tuple[int, int]]:
    """Ours: port and process."""
    command = [sys.executable, "-m", "searcher", "serve", "-i", str(folder / "index"), "--port", "0", "--allow-writes"]
    with started(command, r" at http://127\.0\.0\.1:(\d+)", folder / "searcher.log") as found:
        yield found


@contextmanager
def plain_server(folder: Path) -> Iterator[tuple[int, int]]:
    """The plain one."""
    command = [sys.executable, __file__, "--worker", "plain", "--folder", str(folder)]
    with started(command, r"running on http://127\.0\.0\.1:(\d+)", folder / "plain.log") as found:
        yield found


@contextmanager
def started(command: list[str], pattern: str, log: Path) -> Iterator[tuple[int, int]]:
    """Port and process of a server, once it says where it listens."""
    with log.open("w") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream)
    try:
        while not (found := re.search(pattern, log.read_text(errors="replace"))):
            if process.poll() is not None:
                raise SystemExit(log.read_text())
            time.sleep(0.1)
        yield int(found[1]), process.pid
    finally:
        process.terminate()
        process.wait()


def serve_plain(folder: Path) -> None:
    """What one writes in an afternoon."""
    import faiss
    import uvicorn
    from fastapi import FastAPI
    from pydantic import BaseModel
    from sentence_transformers import SentenceTransformer

    from searcher.embedding import model_folder

    passages = json.loads((folder / "passages.json").read_text(encoding="utf-8"))
    index = faiss.IndexFlatIP(384)
    index.add(np.load(folder / "vectors.npy"))
    model = SentenceTransformer(str(model_folder("sentence-transformers/all-MiniLM-L6-v2")))
    app = FastAPI()

    class Search(BaseModel):
        query: str
        k: int = 10

    @app.post("/search")
    def search(asked: Search) -> dict[str, Any]:
        scores, ids = index.search(model.encode([asked.query], normalize_embeddings=True), asked.k)
        return {"hits": [passages[i] | {"score": float(s)} for s, i in zip(scores[0], ids[0], strict=True)]}

    uvicorn.run(app, port=0, access_log=False)


def time_library(folder: Path) -> None:
    """Print the p50 of a search by the library, asked as a process does that goes on asking."""
    with Searcher(folder / "index") as searcher:
        searcher.embedder.embed(["warm"] * 1000)
        asked, milliseconds = questions({}), []
        for _ in range(400):
            query = next(asked)[2]["query"]
            at = time.perf_counter()
            searcher.search(query, K)
            milliseconds.append(1e3 * (time.perf_counter() - at))
    print(json.dumps(statistics.median(milliseconds[100:])))


WORKERS = {"plain": serve_plain, "library": time_library}


def corpus() -> list[dict[str, Any]]:
    """The documents of SciFact."""
    file = data_folder() / "scifact" / "corpus.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def prepare(folder: Path) -> None:
    """An index of SciFact in passages of 128 tokens, and its passages and vectors for the other."""
    folder.mkdir(parents=True, exist_ok=True)
    with Searcher(folder / "index", chunk_tokens=128) as searcher:
        if not searcher.exists():
            rows = corpus()
            searcher.add_texts([f"{row['title']}. {row['text']}" for row in rows], [row["_id"] for row in rows])
        rows_of = searcher.engine.rows(searcher.engine.passage_ids().tolist())
        np.save(folder / "vectors.npy", np.stack([row.vector for row in rows_of.values()]))
        passages = [{"source": row.source, "text": row.text, "start": row.start} for row in rows_of.values()]
    (folder / "passages.json").write_text(json.dumps(passages), encoding="utf-8")


if __name__ == "__main__":
    main()
