"""What does an add by a Ray cluster of this machine cost beside one without, and is the index the same?

    pip install 'searcher[ray]'; SEARCHER_DATA=… python benchmarks/ray_ingest.py [--texts 2000 10000] [--rounds 1]

Two corpora of so many texts, in files of 20, are added to new indexes in new processes, in turn: by `add`, and by `add`
with ray="local", which has an actor for each core. The time that does not grow with the corpus is what Ray takes to
start; what a passage more takes is told as a rate. At the end the indexes are compared, vectors to the bit.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from common import report, run_process, uneven_texts

from searcher import Searcher

ADD = """
import sys
from searcher import Searcher
Searcher(sys.argv[1]).add(sys.argv[2], ray=sys.argv[3] or None)
"""
IN_A_FILE = 20
WAYS = {"local": "", "ray": "local"}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--texts", type=int, nargs=2, default=[2_000, 10_000])
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        report("ray_ingest", measured(Path(temporary), sorted(options.texts), options.rounds))


def measured(folder: Path, sizes: list[int], rounds: int) -> dict[str, Any]:
    """Seconds of either way for either corpus, what is fixed of them, and the rate of the rest."""
    seconds: dict[str, list[list[float]]] = {way: [[], []] for way in WAYS}
    passages, same = [0, 0], True
    for number, size in enumerate(sizes):
        written(folder / f"{size}", uneven_texts(size))
        for turn in range(rounds):
            states = []
            for way, address in WAYS.items():
                index = folder / f"index-{way}-{size}-{turn}"
                took, _ = run_process([sys.executable, "-c", ADD, str(index), str(folder / f"{size}"), address])
                seconds[way][number].append(took)
                states.append(state(index))
            passages[number] = sum(len(chunks) for _, chunks, _ in states[0])
            same &= states[0] == states[1]
    result: dict[str, Any] = {"passages": passages, "same_index": same}
    for way, lists in seconds.items():
        small, large = map(statistics.median, lists)
        rate = (passages[1] - passages[0]) / (large - small)
        result[way] = {"seconds": [round(small, 1), round(large, 1)], "fixed_s": round(small - passages[0] / rate, 1),
                       "passages_per_s": round(rate, 1)}  # fmt: skip
    result["rate_of_ray"] = round(result["ray"]["passages_per_s"] / result["local"]["passages_per_s"], 2)
    result["fixed_s_of_ray"] = round(result["ray"]["fixed_s"] - result["local"]["fixed_s"], 1)
    return result


def written(folder: Path, texts: list[str]) -> None:
    """The texts as files."""
    folder.mkdir()
    for first in range(0, len(texts), IN_A_FILE):
        (folder / f"{first:06}.txt").write_text("\n\n".join(texts[first : first + IN_A_FILE]), encoding="utf-8")


def state(index: Path) -> list[Any]:
    """Every document with its passages' ids, places and vectors."""
    with Searcher(index) as searcher, searcher.engine.reading():
        engine = searcher.engine
        whole = engine.whole(engine.document_ids())
        return [(item.document, item.chunks, item.vectors.tobytes()) for _, item in whole]


if __name__ == "__main__":
    main()
