"""How much of the encoder's rate is left when files are read, cut, stored and made searchable? How much memory?

    SEARCHER_DATA=… python benchmarks/ingest.py [--rounds 3] [--memory 100 1000] [--plot FILE] [--unchanged 10000]
        [--large 100 1000]

A folder of text is added to a new index, files to searchable, against `Embedder.embed` of the same passages,
tokenising included, in turn. --memory: peak memory over corpora of so many MB of text, with a model of the same shape
made cheap: one layer of width 32. --unchanged: seconds in which a tree of so many files is found to be as it was.
--large: peak memory of reading one text file of so many MB.
"""

import argparse
import random
import re
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from common import data_folder, report, run_process

from searcher import Embedder, Searcher
from searcher.embedding.models import load_model

ADD = """
import sys
from searcher import Searcher
print(Searcher(sys.argv[1], sys.argv[2], chunk_tokens=256).add(sys.argv[3]).passages)
"""
READ = """
import sys
from pathlib import Path
from searcher.readers import read
print(sum(len(document.text) for document in read(Path(sys.argv[1]))))
"""
SETTLED = 2.5  # seconds after which a file is known by its look


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", type=int, nargs="*", default=[])
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--unchanged", type=int)
    parser.add_argument("--large", type=int, nargs="*", default=[])
    options = parser.parse_args()
    result = {}
    with tempfile.TemporaryDirectory() as temporary:
        if options.memory:
            result["memory_MB"] = memory(Path(temporary), options.memory, options.plot)
        elif options.unchanged:
            result |= unchanged(Path(temporary), options.unchanged, options.rounds)
        elif options.large:
            result["reading_MB"] = large(Path(temporary), options.large)
        else:
            result |= rate(Path(temporary), options.rounds)
    report("ingest", result)


def rate(folder: Path, rounds: int) -> dict[str, object]:
    """Tokens a second of `add` against `embed`."""
    source = folder / "source"
    shutil.copytree(data_folder() / "documents" / "markdown", source)
    embedder = Embedder()
    first = Searcher(folder / "first")
    tokens = first.add(source).tokens
    ids, _ = first.engine.vectors()
    texts = [row.text for row in first.engine.rows(ids.tolist()).values()]
    embedder.embed(texts[:500])
    shares, rates = [], []
    for number in range(rounds):
        begun = time.perf_counter()
        embedder.embed(list(dict.fromkeys(texts)))
        embedding = time.perf_counter() - begun
        searcher = Searcher(folder / f"index-{number}")
        begun = time.perf_counter()
        searcher.add(source)
        adding = time.perf_counter() - begun
        shares.append(embedding / adding)
        rates.append(tokens / adding)
        print(
            f"embed {tokens / embedding:,.0f} tokens/s, add {tokens / adding:,.0f} tokens/s: {embedding / adding:.1%}"
        )
    return {
        "tokens": tokens, "share_of_embed": [round(statistics.median(shares), 3), round(min(shares), 3), round(max(shares), 3)],
        "add_tokens_per_second": int(statistics.median(rates)),
    }  # fmt: skip


def unchanged(folder: Path, files: int, rounds: int) -> dict[str, object]:
    """Seconds, and of them those of the CPU, of adding a tree again of which nothing changed."""
    source = folder / "source"
    for number in range(files):
        file = source / str(number // 200) / f"{number}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"note {number} of a person", encoding="utf-8")
    searcher = Searcher(folder / "index", cheap_model(folder / "model"))
    searcher.add(source)
    time.sleep(SETTLED)
    searcher.add(source)  # which remembers how they look
    took = []
    for _ in range(rounds):
        begun, busy = time.perf_counter(), time.process_time()
        assert searcher.add(source).unchanged == files
        took.append((time.perf_counter() - begun, time.process_time() - busy))
    seconds, cpu = (statistics.median(each) for each in zip(*took, strict=True))
    return {"files": files, "seconds": round(seconds, 2), "cpu_seconds": round(cpu, 2)}


def large(folder: Path, sizes: list[int]) -> dict[int, int]:
    """Peak MB of a process that reads one text file of each size (MB)."""
    peaks = {}
    for size in sizes:
        with (folder / f"{size}.txt").open("w", encoding="utf-8") as stream:
            for number in range(size):
                stream.write("".join(f"line {line} of block {number}, and what it says\n" for line in range(25_000)))
        seconds, peak = run_process([sys.executable, "-c", READ, str(folder / f"{size}.txt")])
        peaks[size] = round(peak)
        print(f"one text of {size} MB: peak {peaks[size]} MB, {seconds:.0f} seconds", flush=True)
    return peaks


def memory(folder: Path, sizes: list[int], plot: Path | None) -> dict[int, int]:
    """Peak MB of a process that adds a corpus of each size (MB of text, in files of 1 MB)."""
    model = cheap_model(folder / "model")
    peaks = {}
    for size in sizes:
        source = folder / f"corpus-{size}"
        make_corpus(source, size)
        command = [sys.executable, "-c", ADD, str(folder / f"index-{size}"), str(model), str(source)]
        seconds, peak = run_process(command)
        peaks[size] = round(peak)
        print(f"{size} MB of text: peak {peaks[size]} MB, {seconds:.0f} seconds", flush=True)
        shutil.rmtree(source)
        shutil.rmtree(folder / f"index-{size}")
    if plot:
        draw(peaks, plot)
    return peaks


def make_corpus(folder: Path, size: int) -> None:
    """So many files of 1 MB: the sentences of a novel, in each file in an order of its own, lest passages be known."""
    novel = data_folder() / "documents" / "text" / "long" / "text" / "room_with_a_view.txt"
    sentences = re.split(r"(?<=[.!?])\s+", novel.read_text(encoding="utf-8"))
    folder.mkdir()
    for number in range(size):
        drawn = random.Random(number).choices(sentences, k=20_000)
        (folder / f"{number}.txt").write_text(" ".join(drawn)[:1_000_000], encoding="utf-8")


def draw(peaks: dict[int, int], plot: Path) -> None:
    """Peak memory against the size of the corpus."""
    import matplotlib.pyplot as plt

    plt.figure(figsize=(6, 4))
    plt.plot(list(peaks), list(peaks.values()), marker="o")
    for size, peak in peaks.items():
        plt.annotate(f"{peak} MB", (size, peak), textcoords="offset points", xytext=(0, 8), ha="center")
    plt.xscale("log")
    plt.xticks(list(peaks), [f"{size:,}" for size in peaks])
    plt.minorticks_off()
    plt.margins(x=0.12)
    plt.ylim(0, 1.25 * max(peaks.values()))
    plt.xlabel("MB of text")
    plt.ylabel("peak memory, MB")
    plt.title("Memory of one add")
    plt.tight_layout()
    plt.savefig(plot, dpi=110)


def cheap_model(folder: Path) -> Path:
    """One layer of width 32 under the bundled model's tokenizer."""
    from transformers import BertConfig, BertModel

    config = BertConfig(num_hidden_layers=1, hidden_size=32, num_attention_heads=1, intermediate_size=64)
    BertModel(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        shutil.copy(load_model().folder / name, folder)
    return folder


if __name__ == "__main__":
    main()
