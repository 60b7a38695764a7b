"""How fast are texts embedded, against what a user would pick instead, and are the vectors the same?

    SEARCHER_DATA=… python benchmarks/encode.py [--rounds 5] [--base] [--dtypes bf16,fp32,int8] [--cosines 5000] [--plot FILE]

Uneven texts of at most 256 tokens, all-MiniLM-L6-v2, all contenders in turn in each round: sentence-transformers
default, in bfloat16, with OpenVINO, and in bytes with OpenVINO, ONNX Runtime and CTranslate2, where they are installed;
ours in bfloat16, float32 and int8. Beside each peer the least and median cosine of its vectors with float32. Then the
share of the model's arithmetic at the machine's own bfloat16 matrix rate. --base: BERT-base's shape with random weights
and texts of 512 tokens instead. --plot: throughput against text length. Other classes of CPU: as_cpu.py, with
--dtypes int8,fp32.
"""

import argparse
import shutil
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import in_turn, ratios, report, uneven_texts
from tokenizers import Tokenizer

from searcher import Embedder
from searcher.embedding.models import load_model
from searcher.system import cores

Peer = Callable[[], Any]


def peers(folder: Path, texts: list[str], limit: int, copy: Path) -> dict[str, Peer]:
    """What a user would pick instead, of which what is installed. copy: an empty folder for what they convert."""

    def encoder(path: Path = folder, **options: Any) -> Peer:
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(path), device="cpu", **options)
        model.max_seq_length = limit
        return lambda: model.encode(texts, convert_to_numpy=True)

    def onnx_int8() -> Peer:
        from sentence_transformers import SentenceTransformer, export_dynamic_quantized_onnx_model

        model = SentenceTransformer(str(folder), backend="onnx", model_kwargs={"export": True})
        kind = "avx512_vnni" if torch.cpu.get_capabilities()["avx512_vnni"] else "avx2"
        model.save_pretrained(str(copy / "onnx"))
        export_dynamic_quantized_onnx_model(model, kind, str(copy / "onnx"))
        file = next((copy / "onnx").rglob("*qint8*.onnx"), None) or next((copy / "onnx").rglob("*quint8*.onnx"))
        return encoder(copy / "onnx", backend="onnx", model_kwargs={"file_name": file.name})

    def openvino_int8() -> Peer:
        from optimum.intel import OVModelForFeatureExtraction, OVWeightQuantizationConfig

        model = OVModelForFeatureExtraction.from_pretrained(
            folder, export=True, quantization_config=OVWeightQuantizationConfig(bits=8)
        )
        model.save_pretrained(copy / "openvino")
        for file in Path(folder).iterdir():
            if file.name != "model.safetensors" and file not in copy.parents and file != copy:
                (shutil.copytree if file.is_dir() else shutil.copy)(file, copy / "openvino" / file.name)
        return encoder(copy / "openvino", backend="openvino")

    kinds: dict[str, Callable[[], Peer]] = {
        "sentence-transformers": encoder,
        "sentence-transformers bf16": lambda: encoder(model_kwargs={"dtype": torch.bfloat16}),
        "sentence-transformers openvino": lambda: encoder(backend="openvino", model_kwargs={"export": True}),
        "openvino int8": openvino_int8,
        "onnx int8": onnx_int8,
        "ctranslate2 int8": lambda: ctranslate2_int8(folder, texts, limit, copy / "ctranslate2"),
    }
    found = {}
    for name, make in kinds.items():
        try:
            found[name] = make()
        except Exception as fault:
            print(f"{name} cannot be used here: {str(fault).strip().splitlines()[0] if str(fault) else fault!r}")
    return found


def ctranslate2_int8(folder: Path, texts: list[str], limit: int, copy: Path) -> Peer:
    """CTranslate2's encoder in int8, with batches of 64 of like length and the mean over their tokens."""
    import ctranslate2

    ctranslate2.converters.TransformersConverter(str(folder)).convert(str(copy), quantization="int8")
    encoder = ctranslate2.Encoder(str(copy), compute_type="int8", intra_threads=cores())
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(limit)

    def run() -> np.ndarray:
        ids = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        out: list[Any] = [None] * len(ids)
        for first in range(0, len(order), 64):
            batch = order[first : first + 64]
            states = np.array(encoder.forward_batch([ids[i] for i in batch]).last_hidden_state)
            for place, i in enumerate(batch):
                mean = states[place, : len(ids[i])].mean(0)
                out[i] = mean / np.linalg.norm(mean)
        return np.stack(out)

    return run


def matrix_rate() -> float | None:
    """The machine's bfloat16 rate on (2048, 384) x (384, 1536), FLOP/s: the best of many; None without bfloat16."""
    a, b = torch.randn(2048, 384).bfloat16(), torch.randn(1536, 384).bfloat16()
    try:
        prepared = torch.ops.mkldnn._reorder_linear_weight(b)
    except RuntimeError:
        return None
    best = float("inf")
    for _ in range(200):
        begun = time.perf_counter()
        torch.ops.mkldnn._linear_pointwise(a, prepared, None, "none", [], "")
        best = min(best, time.perf_counter() - begun)
    return 2 * 2048 * 384 * 1536 / best


def arithmetic(lengths: np.ndarray, layers: int, width: int, inner: int) -> float:
    """FLOP of a forward pass over texts of these lengths: dense layers, and attention's two products."""
    dense = 2 * (4 * width * width + 2 * width * inner) * lengths.sum()
    return float(layers * (dense + 4 * width * (lengths.astype(float) ** 2).sum()))


def random_base(folder: Path) -> Path:
    """BERT-base's shape, random weights, the tokenizer of the bundled model."""
    from transformers import BertConfig, BertModel

    BertModel(BertConfig()).save_pretrained(folder)
    bundled = load_model().folder
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        shutil.copy(bundled / name, folder)
    return folder


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--texts", type=int, default=1000)
    parser.add_argument("--base", action="store_true")
    parser.add_argument("--cosines", type=int, default=5000, help="texts whose vectors are compared; 0: none")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--dtypes", default="bf16,fp32,int8", help="ours")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as temporary:
        if options.base:
            folder, limit = random_base(Path(temporary)), 512
            long = " ".join(uneven_texts(400))
            texts = [long[i * 4000 : (i + 1) * 4000] for i in range(32)]
        else:
            folder, limit = load_model().folder, 256
            texts = uneven_texts(options.texts)
        converted = Path(temporary) / "converted"
        converted.mkdir()
        measure(folder, texts, limit, options, converted)


def measure(folder: Path, texts: list[str], limit: int, options: argparse.Namespace, copy: Path) -> None:
    """All contenders on these texts."""
    names = options.dtypes.split(",")
    ours = {name: Embedder(folder, max_seq_length=limit, pooling="mean", dtype=name) for name in names}
    first = ours[names[0]]
    lengths = np.minimum(limit, [length for _, length in first.sequences(texts)])
    print(
        f"{len(texts)} texts, {lengths.sum()} tokens, median length {int(np.median(lengths))}, longest {lengths.max()}"
    )
    contenders = peers(folder, texts, limit, copy)
    contenders |= {f"searcher {dtype}": lambda e=embedder: e.embed(texts) for dtype, embedder in ours.items()}
    seconds = in_turn(contenders, options.rounds)
    rates = {name: int(lengths.sum() / statistics.median(values)) for name, values in seconds.items()}
    exact = Embedder(folder, max_seq_length=limit, pooling="mean", dtype="fp32").embed(texts)
    near = {name: cosines_with(exact, run()) for name, run in contenders.items()}
    for name, rate in rates.items():
        print(f"{name:32} {rate:8,} tokens/s, least cosine {near[name][0]:.5f}, median {near[name][1]:.5f}")
    against: dict[str, Any] = {}
    for own in (f"searcher {name}" for name in names):
        for theirs in contenders:
            if theirs != own:
                middle, least, most = ratios(seconds, own, theirs)
                against[f"{own} / {theirs}"] = [round(middle, 2), round(least, 2), round(most, 2)]
                print(f"{own} against {theirs}: {middle:.2f} x ({least:.2f}-{most:.2f})")
    shape = first.model
    flop = arithmetic(lengths, shape.layers, shape.width, int(shape.config["intermediate_size"]))
    rate = matrix_rate()
    share = flop / statistics.median(seconds[f"searcher {names[0]}"]) / rate if rate else float("nan")
    if rate:
        print(f"matrix rate {rate / 1e12:.2f} TFLOP/s; share of it while embedding, tokenising included: {share:.1%}")
    cosines = worst_cosines(folder, limit, ours, options.cosines) if options.cosines and not options.base else {}
    if options.plot:
        plot(first, folder, limit, options.plot)
    report("encode", {
        "model": "BERT-base, random" if options.base else "all-MiniLM-L6-v2", "tokens": int(lengths.sum()),
        "tokens_per_second": rates, "ratios": against, "cosines": near, "share_of_matrix_rate": round(share, 3) if rate else None, **cosines,
    })  # fmt: skip


def cosines_with(exact: np.ndarray, vectors: np.ndarray) -> list[float]:
    """[least, median] cosine of texts' vectors with those of float32."""
    norms = np.linalg.norm(exact, axis=1) * np.linalg.norm(vectors, axis=1)
    cosines = (exact * vectors).sum(1) / norms
    return [round(float(cosines.min()), 5), round(float(np.median(cosines)), 5)]


def worst_cosines(folder: Path, limit: int, ours: dict[str, Embedder], count: int) -> dict[str, float]:
    """The least cosine with transformers in float32, of `count` texts for bf16, fp32 and, of 500, one at a time."""
    from searcher.embedding.encoder import choosing

    texts = uneven_texts(count)
    bert_shape = choosing.bert_shape
    choosing.bert_shape = lambda model: None  # type: ignore[assignment]
    expected = Embedder(folder, max_seq_length=limit, dtype="fp32").embed(texts)
    choosing.bert_shape = bert_shape
    result = {f"least cosine {name}": float((e.embed(texts) * expected).sum(1).min()) for name, e in ours.items()}
    small = Embedder(folder, max_seq_length=limit)
    vectors = np.concatenate([small.embed([text]) for text in texts[:500]])
    result["least cosine, few at once"] = float((vectors * expected[:500]).sum(1).min())
    for name, value in result.items():
        print(f"{name}: {value:.7f}")
    return result


def plot(embedder: Embedder, folder: Path, limit: int, file: Path) -> None:
    """Throughput against text length, ours and sentence-transformers' default."""
    import matplotlib.pyplot as plt
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu")
    word = "river "
    sizes, lines = [8, 16, 32, 64, 128, 254], {"searcher": [], "sentence-transformers": []}
    for size in sizes:
        texts = [word * size] * max(16, 16_000 // size)
        runs = {"searcher": lambda t=texts: embedder.embed(t), "sentence-transformers": lambda t=texts: model.encode(t)}
        for name, values in in_turn(runs, 3).items():
            lines[name].append(len(texts) * (size + 2) / statistics.median(values))
    for name, values in lines.items():
        plt.plot(sizes, values, marker="o", label=name)
    plt.xscale("log", base=2)
    plt.xlabel("tokens of a text")
    plt.ylabel("tokens / s")
    plt.ylim(bottom=0)
    plt.legend()
    plt.title("Embedding throughput, all-MiniLM-L6-v2")
    plt.savefig(file, dpi=110)


if __name__ == "__main__":
    main()
