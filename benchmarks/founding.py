"""The founding figure: 624,712 sentences as a BERT-base's last-layer [CLS] vectors; hours to embed, and how they are searched.

    SEARCHER_DATA=… python benchmarks/founding.py [--sentences 200] [--rounds 3]
    SEARCHER_DATA=… python benchmarks/founding.py --search [--count 624712]

*An Interpretability Illusion for BERT* (Bolukbasi et al. 2021) looks for the sentences nearest to one among 624,712. A
slice of the sentences of `scale_corpus.py`, drawn with a seed, is embedded by a model of BERT-base's shape with random weights:
by a loop with transformers as a reader of that paper would write it, one sentence at a time and in batches of 32 padded
ones, by sentence-transformers, by OpenVINO where it is installed, and by searcher, in turn in each round; and the hours
that all would take at that rate. Where there is a CUDA card, also on it: sentence-transformers in float16, searcher in
bfloat16, and the share of the card's own matrix rate. `--search`: so many vectors of that width, in clusters, put into an
index (`Searcher.put`) and asked for one by one.
"""

import argparse
import random
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import in_turn, ratios, report
from encode import arithmetic, random_base
from scale_corpus import COUNT, all_texts, unlike

from searcher import Embedder, Searcher
from searcher.embedding import normalize

BATCH, LONGEST = 32, 512
WIDTH, CLUSTERS, DIRECTIONS = 768, 5_000, 64
PIECE, ASKED, K = 20_000, 200, 10
LEAST = 100
ON_CARD = 64  # so many times the sentences where a card embeds them

Encode = Callable[[list[str]], np.ndarray]


def loop(folder: Path, batch: int) -> Encode:
    """A model of transformers as its documentation has it, without gradients; longer batches are padded."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()

    def encode(texts: list[str]) -> np.ndarray:
        found = []
        for start in range(0, len(texts), batch):
            some = texts[start : start + batch]
            inputs = tokenizer(some, padding=batch > 1, truncation=True, max_length=LONGEST, return_tensors="pt")
            with torch.no_grad():
                found.append(model(**inputs).last_hidden_state[:, 0].numpy())
        return np.concatenate(found)

    return encode


def sentence_transformers(folder: Path, device: str = "cpu", **options: Any) -> Encode:
    """Its model with [CLS] pooling; options: of the model."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    body = Transformer(str(folder), max_seq_length=LONGEST, **options)
    model = SentenceTransformer(modules=[body, Pooling(WIDTH, "cls")], device=device)
    return lambda texts: model.encode(texts, convert_to_numpy=True)


def own(folder: Path, dtype: str, device: str = "cpu") -> Embedder:
    """searcher's, of the last layer's [CLS]."""
    return Embedder(folder, pooling="cls", layers=-1, max_seq_length=LONGEST, dtype=dtype, device=device)


def contenders(folder: Path) -> dict[str, Encode]:
    """What embeds on the CPU."""
    found = {
        "transformers, one at a time": loop(folder, 1), f"transformers, {BATCH} padded": loop(folder, BATCH),
        "sentence-transformers": sentence_transformers(folder),
        "sentence-transformers bf16": sentence_transformers(folder, model_kwargs={"dtype": torch.bfloat16}),
    }  # fmt: skip
    try:
        found["OpenVINO"] = sentence_transformers(folder, backend="openvino", model_kwargs={"export": True})
    except Exception as fault:
        print(f"OpenVINO cannot be used here: {str(fault).splitlines()[0]}")
    return found | {f"searcher {dtype}": own(folder, dtype).embed for dtype in ("fp32", "bf16")}


def on_card(folder: Path) -> dict[str, Encode]:
    """What embeds on a CUDA card."""
    return {
        "sentence-transformers fp16": sentence_transformers(folder, "cuda", model_kwargs={"dtype": torch.float16}),
        "searcher bf16": own(folder, "bf16", "cuda").embed,
    }


def measured(encoders: dict[str, Encode], texts: list[str], rounds: int) -> dict[str, Any]:
    """Sentences a second, the hours that all would take, and how many times faster ours is than each."""
    vectors = {name: normalize(encode(texts).astype(np.float32)) for name, encode in encoders.items()}
    seconds = in_turn({name: lambda run=run: run(texts) for name, run in encoders.items()}, rounds)
    first, ours = next(iter(vectors.values())), "searcher bf16"
    rows: dict[str, Any] = {}
    for name, spent in seconds.items():
        hours = [COUNT / len(texts) * value / 3600 for value in spent]
        rows[name] = {
            "sentences_per_s": round(len(texts) / statistics.median(spent), 2),
            "hours": round(statistics.median(hours), 3), "least": round(min(hours), 3), "most": round(max(hours), 3),
            "ours_faster_by": [round(value, 2) for value in ratios(seconds, ours, name)],
            "least_cosine": round(float((vectors[name] * first).sum(axis=1).min()), 6),
        }  # fmt: skip
        print("{:30} {sentences_per_s:10} a second, {hours} hours for all ({least}-{most}), {ours_faster_by} of ours, cosine {least_cosine}".format(name, **rows[name]), flush=True)  # fmt: skip
    return rows


def card_share(folder: Path, texts: list[str], rate: float) -> float:
    """Of the card's bfloat16 rate on (8192, 768) x (768, 3072), what searcher's sentences a second come to."""
    a, b = (torch.randn(shape, device="cuda").bfloat16() for shape in ((8192, 768), (768, 3072)))
    best = float("inf")
    for _ in range(50):
        torch.cuda.synchronize()
        begun = time.perf_counter()
        a @ b
        torch.cuda.synchronize()
        best = min(best, time.perf_counter() - begun)
    lengths = np.array([length for _, length in own(folder, "bf16", "cuda").sequences(texts)])
    return arithmetic(lengths, 12, 768, 3072) * rate / len(texts) * best / (2 * 8192 * 768 * 3072)


def embedding(count: int, rounds: int) -> dict[str, Any]:
    """On the CPU, and on a card where there is one."""
    sentences = list(islice(unlike(all_texts()), COUNT))
    drawn = random.Random(0).sample(sentences, count * ON_CARD if torch.cuda.is_available() else count)
    with tempfile.TemporaryDirectory() as temporary:
        torch.manual_seed(0)
        folder = random_base(Path(temporary))
        lengths = [length for _, length in own(folder, "fp32").sequences(drawn[:count])]
        print(f"{count} of {len(sentences):,} sentences, {sum(lengths)} tokens, median {statistics.median(lengths)}")
        found: dict[str, Any] = {"sentences": count, "tokens": sum(lengths)}
        found["cpu"] = measured(contenders(folder), drawn[:count], rounds)
        if torch.cuda.is_available():
            found["card"] = torch.cuda.get_device_name()
            found["cuda"] = measured(on_card(folder), drawn, rounds)
            found["share_of_card"] = card_share(folder, drawn, found["cuda"]["searcher bf16"]["sentences_per_s"])
    return found


def clustered(count: int, seed: int, centres: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Unit rows (count, WIDTH) float32 about the centres, apart in some directions more than in others, as texts are."""
    drawn = np.random.default_rng(seed)
    within = 0.5 * drawn.standard_normal((count, DIRECTIONS), dtype=np.float32) @ directions
    noise = 0.01 * drawn.standard_normal((count, WIDTH), dtype=np.float32)
    return normalize(centres[drawn.integers(0, CLUSTERS, count)] + within + noise)


def searching(count: int) -> dict[str, Any]:
    """An index of so many vectors: how long it takes to make, and a question."""
    drawn = np.random.default_rng(0)
    centres = normalize(drawn.standard_normal((CLUSTERS, WIDTH)).astype(np.float32))
    directions = normalize(drawn.standard_normal((DIRECTIONS, WIDTH)).astype(np.float32))
    directions /= np.sqrt(1 + np.arange(DIRECTIONS, dtype=np.float32))[:, None]
    questions = clustered(ASKED, 1 << 30, centres, directions)
    sentences = list(islice(unlike(all_texts()), count))
    found: dict[str, Any] = {"passages": count, "width": WIDTH}
    best = np.full((ASKED, K), -2, np.float32)  # the exact scores, a piece at a time
    with tempfile.TemporaryDirectory() as temporary, Searcher(Path(temporary) / "index", vectors="BERT-base") as index:
        writing = 0.0
        for start in range(0, count, PIECE):
            some = sentences[start : start + PIECE]
            vectors = clustered(len(some), start, centres, directions)
            begun = time.perf_counter()
            index.put(some, [str(start + number) for number in range(len(some))], vectors=vectors)
            writing += time.perf_counter() - begun
            best = np.sort(np.hstack([best, questions @ vectors.T]), axis=1)[:, -K:]
            print(f"\r{start + len(some):,} written in {writing:.0f} s", end="", flush=True)
        print()
        begun = time.perf_counter()
        index.search(questions[0], K)
        found |= {"written_s": round(writing, 1), "first_question_s": round(time.perf_counter() - begun, 3)}
        found["index_type"] = index.status()["index_type"]
        for question in questions[:20]:
            index.search(question, K)
        spent, right = [], []
        for question, exact in zip(questions, best, strict=True):
            begun = time.perf_counter()
            hits = index.search(question, K)
            spent.append(1000 * (time.perf_counter() - begun))
            right.append(np.mean([hit.score >= exact[0] - 1e-5 for hit in hits]))
        found["recall@10"] = round(float(np.mean(right)), 4)
        found |= {f"p{part}_ms": round(float(np.percentile(spent, part)), 3) for part in (50, 95)}
    print(found)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sentences", type=int, default=200, help="of the slice")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--search", action="store_true", help="make and ask the index, and embed nothing")
    parser.add_argument("--count", type=int, default=COUNT, help="passages of --search")
    options = parser.parse_args()
    if options.sentences < LEAST:
        raise SystemExit(f"--sentences {options.sentences}; good: {LEAST} or more, for fewer tokens are no bulk")
    warnings.simplefilter("ignore")
    if options.search:
        report("founding, search", searching(options.count))
    else:
        report("founding", embedding(options.sentences, options.rounds))


if __name__ == "__main__":
    main()
