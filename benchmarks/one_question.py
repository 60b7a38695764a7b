"""Is a question slowed by its own threads, on a quiet machine and on a busy one, alone and 60 at once?

    SEARCHER_DATA=… python benchmarks/one_question.py [--rounds 7] [--folder indexes] [--documents 1500]
        [--loads quiet busy] [--ways alone list threads]

Two processes answer the same questions in turn: one as the library does, on one thread and by our kernels, with
matrices as they are multiplied; the other in numpy, on all threads of its BLAS and with matrices as the file has them,
which is how it was before.
For each way of asking: milliseconds a question, by the clock and of the CPU, and how many times less of either it
takes. "alone": one question after the other, "list": 60 in one call, "threads": 60 threads with a question each. Then
the same while a second process keeps every core busy, if "quiet" is what the machine was. What is found must be the
same; the last figure is the largest difference of two scores, which is one of rounding.

Processes of their own, and a pause after each turn, because OpenBLAS's threads go on turning after their work for a
while. --folder: where the indexes are kept, for another time.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from common import data_folder, ratios, report

from searcher import Searcher
from searcher.system import cores

QUESTIONS, ALONE, PAUSE = 60, 15, 0.3
KINDS = ("dense", "hybrid", "answer")
WAYS = ("alone", "list", "threads")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--documents", type=int, default=1500)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--loads", nargs="+", choices=["quiet", "busy"], default=["quiet", "busy"])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--worker", choices=["before", "now"])
    options = parser.parse_args()
    if options.worker:
        work(options.folder, options.worker)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        prepare(folder, options.documents)
        result: dict[str, Any] = {}
        for load in options.loads:
            with burning() if load == "busy" else nullcontext():
                result[load] = measured(folder, options.rounds, load, options.ways)
    report("one_question", {"rounds": options.rounds, "results": result})


def prepare(folder: Path, documents: int) -> None:
    """An index of abstracts and one of FAQ entries, unless they are there."""
    if not (folder / "passages").exists():
        lines = (data_folder() / "scifact" / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
        with Searcher(folder / "passages") as searcher:
            searcher.add_texts([json.loads(line)["text"] for line in lines[:documents]])
    if not (folder / "faq").exists():
        with Searcher(folder / "faq") as searcher:
            searcher.add_faq(data_folder() / "stackfaq" / "faq.jsonl")


def measured(folder: Path, rounds: int, load: str, chosen: Sequence[str]) -> dict[str, Any]:
    """Both processes in turn, round after round."""
    workers = {name: Worker(folder, name) for name in ("before", "now")}
    found: dict[str, Any] = {}
    print(
        f"\n{load:24} {'ms before':>10} {'now':>8} {'times less':>22} {'CPU before':>12} {'now':>8} {'times less':>22}"
    )
    for kind in KINDS:
        for way in chosen:
            taken: dict[str, list[dict[str, Any]]] = {"before": [], "now": []}
            for number in range(rounds + 1):
                for name, worker in workers.items():
                    turn = worker.ask(kind, way)
                    if number:  # the first is a warm-up
                        taken[name].append(turn)
            turns = [turn for each in taken.values() for turn in each]
            found[f"{kind} {way}"] = own = {"difference": difference([turn["found"] for turn in turns])}
            line = f"{kind + ' ' + way:24}"
            for measure in ("wall", "cpu"):
                each = {name: [turn[measure] for turn in turns] for name, turns in taken.items()}
                own |= {f"{measure}_{name}_ms": round(statistics.median(values), 2) for name, values in each.items()}
                times, least, most = ratios(each, "now", "before")
                own[f"{measure}_ratio"] = [round(value, 2) for value in (times, least, most)]
                line += f" {own[f'{measure}_before_ms']:10.1f} {own[f'{measure}_now_ms']:8.1f}"
                line += f" {f'{times:.2f} ({least:.2f}-{most:.2f})':>22}"
            print(f"{line} {own['difference']:9.1e}", flush=True)
    for worker in workers.values():
        worker.process.kill()
    return found


def difference(found: Sequence[list[tuple[str, float]]]) -> float:
    """The largest one of two scores; what was found must be the same."""
    names = {tuple(name for name, _ in each) for each in found}
    if len(names) > 1:
        raise SystemExit("not the same was found")
    return max(abs(a - b) for each in found for (_, a), (_, b) in zip(found[0], each, strict=True))


@contextmanager
def burning() -> Iterator[None]:
    """A second process for each core, which does nothing but keep it busy."""
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(cores())]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()


class Worker:
    """A process that answers when it is asked to, and else does nothing."""

    def __init__(self, folder: Path, name: str) -> None:
        command = [sys.executable, __file__, "--worker", name, "--folder", str(folder)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, kind: str, way: str) -> dict[str, Any]:
        """One turn: wall and cpu, milliseconds a question; found, sources and scores."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps([kind, way]) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        time.sleep(PAUSE)
        return answer


# -- in the processes


def work(folder: Path, name: str) -> None:
    """Answer what stdin asks for."""
    if name == "before":
        as_before()
    questions = {"passages": read_questions("scifact"), "faq": read_questions("stackfaq")}
    passages, faq = Searcher(folder / "passages"), Searcher(folder / "faq")
    asks: dict[str, Callable[[Any], Any]] = {
        "dense": passages.search,
        "hybrid": lambda query: passages.search(query, mode="hybrid"),
        "answer": faq.answer,
    }
    pool = ThreadPoolExecutor(QUESTIONS)
    ways: dict[str, Callable[[Callable[[Any], Any], list[str]], list[Any]]] = {
        "alone": lambda ask, own: [ask(question) for question in own[:ALONE]],
        "list": lambda ask, own: ask(own),
        "threads": lambda ask, own: list(pool.map(ask, own)),
    }
    for line in sys.stdin:
        kind, way = json.loads(line)
        own = questions["faq" if kind == "answer" else "passages"]
        begun, spent = time.perf_counter(), time.process_time()
        found = ways[way](asks[kind], own)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - spent
        hits = [hit for hit in found if hit] if kind == "answer" else [hit for each in found for hit in each]
        shown = [(hit.source, hit.score) for hit in hits]
        turn = {"wall": seconds * 1e3 / len(found), "cpu": cpu * 1e3 / len(found), "found": shown}
        print(json.dumps(turn), flush=True)


def read_questions(name: str) -> list[str]:
    """The first questions of a set."""
    lines = (data_folder() / name / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines[:QUESTIONS]]


def as_before() -> None:
    """As it was: all threads of numpy's BLAS in every product, matrices as they lie in the file, one batch at a time."""
    from searcher.embedding import highlight
    from searcher.embedding.encoder import choosing, encoder, small
    from searcher.faq import answering
    from searcher.ranking import asking

    for module in (highlight, encoder, answering, asking):
        module.one_thread = nullcontext  # type: ignore[attr-defined]
    small.WARM = sys.maxsize
    choosing.kernels_for = lambda *_, **__: None  # type: ignore[attr-defined]
    choosing.cores = lambda: 1  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
