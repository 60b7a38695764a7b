"""What the benchmarks share: the machine's name, rounds in turn, medians and spreads, the texts."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from searcher.system import cores

# Starts a command out of a small process: a forked child's peak memory begins with its parent's.
LAUNCH = """
import json, os, subprocess, sys, time
begun = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(json.dumps([time.perf_counter() - begun, usage.ru_maxrss / 1024, status]))
"""


def run_process(command: list[str]) -> tuple[float, float]:
    """(seconds, peak MB) of a new process."""
    done = subprocess.run([sys.executable, "-S", "-c", LAUNCH, *command], capture_output=True, text=True, check=True)
    seconds, peak, status = json.loads(done.stdout)
    if status:
        raise SystemExit(f"{command} failed: {done.stderr}")
    return seconds, peak


def data_folder() -> Path:
    """The corpora, which SEARCHER_DATA names."""
    folder = os.environ.get("SEARCHER_DATA")
    if not folder or not Path(folder).is_dir():
        raise SystemExit(f"SEARCHER_DATA is {folder!r}: set it to the folder of the corpora")
    return Path(folder)


def machine() -> str:
    """CPU, cores used and what of AMX and AVX-512 it has."""
    try:
        info = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    name = next((line.split(":")[1].strip() for line in info.splitlines() if line.startswith("model name")), "?")
    flags = [flag for flag in ("amx_bf16", "avx512_bf16", "avx512f", "avx2") if flag in info]
    held = f", as one of {os.environ['AS_CPU']}" if "AS_CPU" in os.environ else ""  # by as_cpu.py
    return f"{name}, {cores()} cores, {' '.join(flags)}{held}"


def commit() -> str:
    """The commit measured."""
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "?"


def in_turn(contenders: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each contender in each round, after a warm-up; one after the other, so that noise hits all alike."""
    for run in contenders.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            begun = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - begun)
    return seconds


def ratios(seconds: dict[str, list[float]], ours: str, theirs: str) -> tuple[float, float, float]:
    """(median, least, greatest) over rounds of how many times faster ours was than theirs."""
    values = [slow / fast for slow, fast in zip(seconds[theirs], seconds[ours], strict=True)]
    return statistics.median(values), min(values), max(values)


def report(title: str, result: dict[str, Any]) -> None:
    """The last line: JSON."""
    print(json.dumps({"benchmark": title, "machine": machine(), "commit": commit(), **result}))


def uneven_texts(count: int, seed: int = 0) -> list[str]:
    """Paragraphs of Markdown pages and abstracts of SciFact in random order: from a few tokens to over 256."""
    import random

    data = data_folder()
    texts = []
    for file in sorted((data / "documents" / "markdown").rglob("*.mdx")):
        texts += [part for part in file.read_text(encoding="utf-8").split("\n\n") if len(part) > 20]
    random.Random(seed).shuffle(texts)
    abstracts = [json.loads(line)["text"] for line in (data / "scifact" / "corpus.jsonl").open(encoding="utf-8")]
    mixed = texts[: count * 3 // 5] + abstracts[: count - count * 3 // 5]
    random.Random(seed).shuffle(mixed)
    return mixed
