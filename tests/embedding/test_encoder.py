"""The forward passes: numpy, our kernels and torch in float32 and bfloat16, transformers; all give transformers' states."""

import json
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from models import save_bert, save_roberta
from safetensors.torch import load_file, save_file
from transformers import AutoModel

from searcher import Embedder, Searcher, SearcherError
from searcher.embedding.encoder import Encoder, Sequence_, choosing, devices, kernels, packed
from searcher.embedding.encoder.bfloat16 import widened
from searcher.embedding.encoder.kernels import (
    BUILDS,
    FLOATS,
    Dense,
    FloatKernels,
    Norm,
    TileKernels,
    built,
    built_floats,
    float_kernels,
    tile_kernels,
)
from searcher.embedding.models import load_model

FORWARDS = ["numpy", "few", "own fp32", "AVX2 fp32", "own bf16", "torch fp32", "torch bf16", "reference"]
LENGTHS = [3, 17, 1, 64, 33, 16, 64, 2, 40, 5]


@pytest.fixture(params=FORWARDS)
def forward(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Makes every encoder of the test take this forward pass."""
    if request.param not in ("numpy", "few"):
        monkeypatch.setattr(choosing, "SMALL_TOKENS", 0)
    if request.param.startswith(("torch", "numpy")):
        for place in (choosing, devices):
            monkeypatch.setattr(place, "kernels_for", lambda *_, **__: None)
        monkeypatch.setattr(packed, "float_kernels", lambda: None)
    if request.param == "AVX2 fp32":
        monkeypatch.setattr(kernels, "FLOATS", {"AVX2": FLOATS["AVX2"]})
    if request.param == "reference":
        monkeypatch.setattr(choosing, "bert_shape", lambda model: None)
    yield request.param


def random_sequences(vocabulary: int, pairs: bool) -> list[Sequence_]:
    """Uneven sequences of random ids, some with a second segment."""
    generator = np.random.default_rng(0)
    sequences = []
    for number, length in enumerate(LENGTHS):
        segments = [0] * (length // 2) + [1] * (length - length // 2) if pairs and number % 2 else None
        sequences.append(Sequence_(generator.integers(5, vocabulary, length).tolist(), segments))
    return sequences


def expected_states(folder: Path, sequences: list[Sequence_]) -> tuple[list[list[np.ndarray]], list[np.ndarray]]:
    """transformers' hidden states of each sequence on its own, and its pooled output."""
    model = AutoModel.from_pretrained(folder).eval()
    states, pooled = [], []
    for sequence in sequences:
        types = {} if sequence.segments is None else {"token_type_ids": torch.tensor([sequence.segments])}
        with torch.inference_mode():
            output = model(torch.tensor([sequence.ids]), output_hidden_states=True, **types)
        states.append([state[0].numpy() for state in output.hidden_states])
        pooled.append(output.pooler_output[0].numpy())
    return states, pooled


def assert_close(actual: np.ndarray, expected: np.ndarray, forward: str) -> None:
    """float32 to rounding; bfloat16 in direction and on average within 2 % of the largest value."""
    if forward.endswith("bf16"):
        cosines = (actual * expected).sum(-1) / np.linalg.norm(actual, axis=-1) / np.linalg.norm(expected, axis=-1)
        assert cosines.min() > 0.998
        assert np.abs(actual - expected).mean() < 0.02 * np.abs(expected).max()
    else:
        np.testing.assert_allclose(actual, expected, atol=2e-5)


def check(folder: Path, forward: str, pairs: bool) -> None:
    """Every hidden state and the pooler of every sequence of a batch."""
    model = load_model(folder)
    sequences = random_sequences(60, pairs)
    states, pooled = expected_states(folder, sequences)
    encoder = Encoder(model, dtype="bf16" if forward.endswith("bf16") else "fp32")
    layers = range(model.layers + 1)
    seen = []
    for batch, hidden in encoder.run(sequences, layers, True, lambda hidden: hidden):
        assert hidden.bounds.tolist() == np.cumsum([0] + [LENGTHS[i] for i in batch]).tolist()
        for place, number in enumerate(batch):
            rows = slice(hidden.bounds[place], hidden.bounds[place + 1])
            for layer in layers:
                assert hidden.layers[layer].dtype == np.float32
                assert_close(hidden.layers[layer][rows], states[number][layer], forward)
            assert hidden.pooler is not None
            assert_close(hidden.pooler[place], pooled[number], forward)
        seen += batch.tolist()
    assert sorted(seen) == list(range(len(LENGTHS)))


@pytest.mark.parametrize("pairs", [False, True])
def test_bert_gives_the_hidden_states_of_transformers(tiny_bert: Path, forward: str, pairs: bool) -> None:
    check(tiny_bert, forward, pairs)


def test_roberta_gives_the_hidden_states_of_transformers(tmp_path: Path, forward: str) -> None:
    check(save_roberta(tmp_path / "roberta"), forward, False)


@pytest.mark.parametrize(("width", "heads"), [(64, 2), (128, 2), (96, 1), (48, 4)])
def test_heads_of_every_size_give_the_hidden_states_of_transformers(
    tmp_path: Path, forward: str, width: int, heads: int
) -> None:
    check(save_bert(tmp_path / "bert", layers=2, width=width, heads=heads), forward, True)


@pytest.mark.parametrize("activation", ["gelu_new", "relu"])
def test_other_activations_give_the_hidden_states_of_transformers(
    tmp_path: Path, forward: str, activation: str
) -> None:
    folder = save_bert(tmp_path / "bert", layers=2, width=64, heads=2)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"hidden_act": activation}))
    check(folder, forward, False)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_weights_of_half_the_size_are_read(tmp_path: Path, forward: str, dtype: torch.dtype) -> None:
    half = save_bert(tmp_path / "half", layers=2)
    tensors = {name: tensor.to(dtype) for name, tensor in load_file(half / "model.safetensors").items()}
    save_file({name: tensor.float() for name, tensor in tensors.items()}, half / "model.safetensors", {"format": "pt"})
    expected = Embedder(half, dtype="fp32").embed(["hello world", "the river"])
    save_file(tensors, half / "model.safetensors", {"format": "pt"})
    actual = Embedder(half, dtype="bf16" if forward.endswith("bf16") else "fp32").embed(["hello world", "the river"])
    assert_close(actual, expected, forward)


@pytest.mark.parametrize(
    "forward", [name for name in FORWARDS if name.startswith(("numpy", "few", "own"))], indirect=True
)
def test_of_a_large_vocabulary_of_half_the_size_only_the_words_of_a_text_are_read(tmp_path: Path, forward: str) -> None:
    if {"own fp32": float_kernels, "own bf16": tile_kernels}.get(forward, lambda: True)() is None:
        pytest.skip("these kernels of ours do not run here, and torch holds a whole table")
    folder = save_bert(tmp_path / "half", layers=2, width=64, heads=2)
    tensors = {name: tensor.half() for name, tensor in load_file(folder / "model.safetensors").items()}
    words = tensors["embeddings.word_embeddings.weight"]
    rows = 400_000
    tensors["embeddings.word_embeddings.weight"] = torch.cat(
        [words, words.new_zeros(rows - len(words), words.shape[1])]
    )
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"vocab_size": rows}))
    for _ in range(2):  # what is imported meanwhile takes memory too
        embedder = Embedder(folder, dtype="bf16" if forward.endswith("bf16") else "fp32", device="cpu")
        tracemalloc.start()
        embedder.embed(["hello world", "the river"])
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < rows * words.shape[1] * 2  # half of what the table takes in float32; glibc is shown a piece of 32 MB


@pytest.mark.parametrize("prefix", ["bert.", ""])
def test_prefixes_and_old_names_of_weights_are_understood(tmp_path: Path, forward: str, prefix: str) -> None:
    folder = save_bert(tmp_path / "bert", layers=2)
    expected = Embedder(folder, dtype="fp32").embed(["hello world"])
    old = {".LayerNorm.weight": ".LayerNorm.gamma", ".LayerNorm.bias": ".LayerNorm.beta"}
    tensors = {}
    for name, tensor in load_file(folder / "model.safetensors").items():
        for new, before in old.items():
            name = name.replace(new, before)
        tensors[prefix + name] = tensor
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    actual = Embedder(folder, dtype="bf16" if forward.endswith("bf16") else "fp32").embed(["hello world"])
    assert_close(actual, expected, forward)


@pytest.mark.parametrize("forward", FORWARDS[:-1], indirect=True)
def test_no_layer_is_computed_beyond_the_last_one_asked_for(tmp_path: Path, forward: str) -> None:
    folder = save_bert(tmp_path / "bert")
    expected = Embedder(folder, layers=2, dtype="fp32").embed(["hello world"])
    tensors = load_file(folder / "model.safetensors")
    tensors["encoder.layer.2.output.dense.bias"].fill_(float("nan"))
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    dtype = "bf16" if forward.endswith("bf16") else "fp32"
    assert_close(Embedder(folder, layers=2, dtype=dtype).embed(["hello world"]), expected, forward)
    assert np.isnan(Embedder(folder, layers=3, dtype=dtype).embed(["hello world"])).all()


@pytest.mark.parametrize("forward", FORWARDS[:-1], indirect=True)
def test_a_checkpoint_without_pooler_refuses_to_pool_by_it(tmp_path: Path, forward: str) -> None:
    folder = save_bert(tmp_path / "bert", pooler=False)
    with pytest.raises(SearcherError, match="no pooler weights"):
        Embedder(folder, pooling="pooler", dtype="fp32").embed(["hello"])


def test_many_batches_on_several_threads_keep_every_vector_in_its_place(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [
        " ".join(["river", "bank", "hello", "water"][: 1 + i % 4] * (1 + i % 7)) + f" {i % 10}" for i in range(400)
    ]
    expected = np.concatenate([Embedder(tiny_bert, dtype="fp32").embed([text]) for text in texts[:40]])
    monkeypatch.setattr(choosing, "SMALL_TOKENS", 0)
    monkeypatch.setattr(devices, "CORE_TOKENS", 64)
    monkeypatch.setattr(devices, "cores", lambda: 4)
    threads = torch.get_num_threads()
    np.testing.assert_allclose(Embedder(tiny_bert, dtype="fp32").embed(texts)[:40], expected, atol=2e-6)
    assert torch.get_num_threads() == threads  # the caller's setting is left alone


def test_a_text_has_one_vector_bit_by_bit_whatever_shares_its_batch(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "SMALL_TOKENS", 0)
    texts = [" ".join(["river", "bank", "hello", "water"][: 1 + i % 4] * (1 + i % 7)) for i in range(60)]
    embedder = Embedder(tiny_bert, dtype="fp32")
    together = embedder.embed(texts)
    for size in (1, 7):
        parts = [embedder.embed(texts[start : start + size]) for start in range(0, len(texts), size)]
        np.testing.assert_array_equal(np.concatenate(parts), together)


@pytest.mark.skipif(float_kernels() is None, reason="the kernels were not built, or the CPU has no such instructions")
def test_a_text_has_one_vector_in_float32_bit_by_bit_few_or_many_cold_or_warm(tmp_path: Path) -> None:
    embedder = Embedder(save_bert(tmp_path / "bert", layers=2, width=64, heads=2), dtype="fp32", device="cpu")
    texts = [" ".join(["river", "bank", "hello", "water"][: 1 + i % 4] * (1 + i % 7)) for i in range(300)]
    few = [embedder.embed(texts[:3]) for _ in range(6)]
    many = embedder.embed(texts)
    for vectors in (*few, embedder.embed(texts[:3])):
        np.testing.assert_array_equal(vectors, many[:3])


NO_TILES = "the kernels were not built, or the CPU has no such instructions"
UNEVEN = [1, 2, 15, 16, 17, 31, 32, 33, 100, 255, 512, 7]


def softmax_attention(qkv: torch.Tensor, bounds: np.ndarray, heads: int) -> torch.Tensor:
    """The definition, in float64. (T, 3 d) -> (T, d)."""
    size = qkv.shape[1] // 3 // heads
    mixed = []
    for start, end in pairwise(bounds):
        query, key, value = qkv[start:end].double().view(end - start, 3, heads, size).permute(1, 2, 0, 3)
        weights = torch.softmax(query @ key.transpose(1, 2) / size**0.5, dim=-1)
        mixed.append((weights @ value).transpose(0, 1).reshape(end - start, heads * size))
    return torch.cat(mixed)


def as_numpy(halves: torch.Tensor) -> np.ndarray:
    """The same memory, as the kernels take it."""
    return halves.view(torch.int16).numpy().view(np.uint16)


def random_numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(params=BUILDS)
def own(request: pytest.FixtureRequest) -> TileKernels:
    return built(request.param) or pytest.skip(NO_TILES)


@pytest.fixture(params=FLOATS)
def floats(request: pytest.FixtureRequest) -> FloatKernels:
    return built_floats(request.param) or pytest.skip(NO_TILES)


@pytest.mark.parametrize(("heads", "size"), [(12, 32), (2, 64), (3, 96), (1, 128), (12, 26), (4, 1), (1, 200)])
def test_attention_in_float32_is_softmax_attention(heads: int, size: int, floats: FloatKernels) -> None:
    bounds = np.concatenate([[0], np.cumsum(UNEVEN)]).astype(np.int64)
    qkv = 2 * random_numbers(int(bounds[-1]), 3 * heads * size)
    qkv[:10] *= 3  # scores so far apart that most shares are nothing
    out = torch.full((len(qkv), heads * size), 7.0)
    floats.attention(qkv, bounds, heads, out)
    torch.testing.assert_close(out.double(), softmax_attention(qkv, bounds, heads), rtol=1e-5, atol=1e-4)


def test_what_is_no_number_stays_within_its_text_and_head(floats: FloatKernels) -> None:
    bounds = np.array([0, 20, 45])
    qkv = random_numbers(45, 3 * 64)
    qkv[3, 70] = float("nan")  # a key of the first head
    out = torch.zeros(45, 64)
    floats.attention(qkv, bounds, 2, out)
    assert out[:20, :32].isnan().all()
    assert out[:20, 32:].isfinite().all()
    assert out[20:].isfinite().all()


@pytest.mark.parametrize(("heads", "size"), [(12, 32), (2, 64), (3, 96), (1, 128)])
def test_the_attention_kernel_is_softmax_attention(heads: int, size: int, own: TileKernels) -> None:
    bounds = np.concatenate([[0], np.cumsum(UNEVEN)]).astype(np.int64)
    qkv = (2 * random_numbers(int(bounds[-1]), 3 * heads * size)).bfloat16()
    out = torch.full((len(qkv), heads * size), 7.0, dtype=torch.bfloat16)
    own.attention(as_numpy(qkv), bounds, heads, as_numpy(out))
    expected = softmax_attention(qkv, bounds, heads)
    assert (out.double() - expected).abs().max() < 0.05
    assert torch.nn.functional.cosine_similarity(out.double(), expected, dim=-1).min() > 0.9999


ACTIVATIONS = {
    "gelu": torch.nn.functional.gelu,
    "gelu tanh": partial(torch.nn.functional.gelu, approximate="tanh"),
    "relu": torch.relu,
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("rows", "width", "inner"), [(32, 32, 96), (1088, 96, 416), (2080, 384, 1536)])
def test_the_dense_kernels_are_a_feed_forward_block(
    activation: str, rows: int, width: int, inner: int, own: TileKernels
) -> None:
    x = random_numbers(rows, width).bfloat16()
    up, down = (random_numbers(inner, width, seed=1) / width**0.5).bfloat16(), random_numbers(width, inner, seed=2)
    down = (down / inner**0.5).bfloat16()
    first, second = 3 * random_numbers(inner, seed=3), random_numbers(width, seed=4)
    scale, shift = random_numbers(width, seed=5), random_numbers(width, seed=6)
    norm = Norm(scale.numpy(), shift.numpy(), 1e-12)
    middle = ACTIVATIONS[activation](x.double() @ up.double().T + first.double())
    summed = middle.bfloat16().double() @ down.double().T + second.double() + x.double()
    expected = torch.nn.functional.layer_norm(summed, (width,), scale.double(), shift.double())

    layers = []
    for weight, bias in ((up, first), (down, second)):
        layers.append(Dense(own.room(weight.numel()), bias.numpy()))
        own.pack(weight.float().numpy(), layers[-1].weight)
    plain, hidden = torch.empty(rows, inner, dtype=torch.bfloat16), torch.empty(rows, inner, dtype=torch.bfloat16)
    own.dense(as_numpy(x), layers[0], as_numpy(plain))
    torch.testing.assert_close(plain.double(), x.double() @ up.double().T + first.double(), rtol=2**-8, atol=1e-5)
    own.dense_activated(as_numpy(x), layers[0], activation, as_numpy(hidden))
    blocks = hidden.view(rows // 32, inner // 32, 32, 32).transpose(1, 2).reshape(rows, inner)
    torch.testing.assert_close(blocks.double(), middle, rtol=2**-8, atol=5e-4)
    for given, blocked in ((hidden, True), (blocks.contiguous(), False)):
        actual = torch.empty_like(x)
        own.dense_norm(as_numpy(given), layers[1], as_numpy(x), norm, as_numpy(actual), blocked)
        torch.testing.assert_close(actual.double(), expected, rtol=2**-7, atol=0.01)


@pytest.mark.parametrize("forward", ["own fp32", "own bf16"], indirect=True)
def test_a_token_that_the_model_does_not_have_is_named(tmp_path: Path, forward: str) -> None:
    encoder = Encoder(load_model(save_bert(tmp_path / "bert", layers=2, width=64, heads=2)), dtype=forward[-4:])
    with pytest.raises(SearcherError, match="99999 is not among the model's"):
        list(encoder.run([Sequence_([1, 99999])], [0], False, lambda hidden: hidden))


def test_an_index_opens_under_either_dtype(tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "SMALL_TOKENS", 0)
    texts = ["money in the bank", "the boat on the river", "hello world"]
    Searcher(tmp_path / "index", tiny_bert, dtype="bf16").add_texts(texts)
    hits = Searcher(tmp_path / "index", dtype="fp32").search("the boat on the river")
    assert hits[0].text == "the boat on the river"
    assert hits[0].score == pytest.approx(1, abs=2e-3)


def test_an_unknown_dtype_is_named(tiny_bert: Path) -> None:
    with pytest.raises(SearcherError, match="unknown dtype 'fp8'; known: auto, bf16, fp32, int8"):
        Embedder(tiny_bert, dtype="fp8")


COLD = """
import sys, numpy as np
from searcher import Embedder
folder, dtype, texts, out = sys.argv[1:]
np.save(out, Embedder(folder, device="cpu", dtype=dtype).embed(open(texts).read().splitlines()))
print([name for name in ("torch", "transformers") if name in sys.modules])
"""


@pytest.mark.parametrize(
    ("dtype", "count", "apart"),
    [
        ("fp32", 200, 2e-6),
        pytest.param("fp32", 2000, 2e-6, marks=pytest.mark.skipif(float_kernels() is None, reason=NO_TILES)),
        pytest.param("bf16", 2000, 0.02, marks=pytest.mark.skipif(tile_kernels() is None, reason=NO_TILES)),
    ],
)
def test_a_cold_process_embeds_a_few_files_without_torch(tmp_path: Path, dtype: str, count: int, apart: float) -> None:
    folder = save_bert(tmp_path / "bert", layers=2, width=64, heads=2)
    texts = [" ".join(["river", "bank", "hello", "water"][: 1 + i % 4] * (1 + i % 7)) for i in range(count)]
    (tmp_path / "texts").write_text("\n".join(texts))
    command = [sys.executable, "-c", COLD, str(folder), dtype, str(tmp_path / "texts"), str(tmp_path / "out.npy")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    tokenizer, found = load_model(folder).tokenizer, np.load(tmp_path / "out.npy")
    ids = [tokenizer.wrap(own.ids.tolist()) for own in tokenizer.encode(texts)]
    states, _ = expected_states(folder, [Sequence_(own) for own in ids])
    expected = np.array([own[-1].mean(0) / np.linalg.norm(own[-1].mean(0)) for own in states])
    np.testing.assert_allclose(found, expected, atol=apart)


def test_a_question_has_one_vector_whether_sentences_were_marked_before_or_not(tmp_path: Path) -> None:
    folder = save_bert(tmp_path / "bert", layers=2, width=64, heads=2)
    with Searcher(tmp_path / "index", folder) as searcher:
        searcher.add_texts([f"the river {number}. " + "hello world. money in the bank. " * 9 for number in range(40)])
    scores = []
    for marks in (False, True):
        with Searcher(tmp_path / "index", dtype="bf16") as searcher:
            searcher.search("hello world", 40, highlight=marks)
            scores.append([hit.score for hit in searcher.search("the boat on the river", 40)])
    assert scores[0] == scores[1]


def test_weights_become_the_bfloat16_that_torch_makes_of_them(own: TileKernels) -> None:
    bits = np.random.default_rng(0).integers(0, 2**32, (96, 1056), dtype=np.uint32)
    bits[0, :9] = 0, 0x80000000, 0x7F800000, 0xFF800000, 0x7FFFFFFF, 0x3F808000, 0x3F818000, 0x7F7FFFFF, 1
    weight = bits.view(np.float32)
    packed = own.room(weight.size)
    own.pack(weight, packed)
    tiles = widened(packed).reshape(
        3, 33, 2, 16, 16, 2
    )  # panel, step, half of the outputs, pair of inputs, output, input
    unpacked = tiles.transpose(0, 2, 4, 1, 3, 5).reshape(weight.shape)
    np.testing.assert_array_equal(unpacked, torch.from_numpy(weight).bfloat16().float().numpy())


@pytest.mark.parametrize(("outputs", "inputs"), [(16, 16), (96, 160), (1536, 384), (336, 400)])
def test_weights_in_float32_are_packed_in_panels_of_outputs(outputs: int, inputs: int, floats: FloatKernels) -> None:
    weight, packed = random_numbers(outputs, inputs).numpy(), floats.room(outputs * inputs)
    floats.pack(weight, packed)
    across = {16: (64, 32, 16), 8: (16, 8), 4: (16, 8, 4)}[floats.lanes]
    at = 0
    while at < outputs:
        step = next(step for step in across if at + step <= outputs)
        panel = packed[at * inputs : (at + step) * inputs].reshape(inputs, step)
        np.testing.assert_array_equal(panel, weight[at : at + step].T)
        at += step


def test_a_question_asked_of_a_cold_process_imports_neither_torch_nor_transformers(
    tiny_bert: Path, tmp_path: Path
) -> None:
    Searcher(tmp_path / "index", tiny_bert, pooling="mean_max", layers="-2:").add_texts(["hello world", "the river"])
    code = (
        "import sys; from searcher.cli import main\n"
        f"try: main(['search', 'hello', '-i', {str(tmp_path / 'index')!r}, '--jsonl'])\n"
        "finally: print([name for name in ('torch', 'transformers', 'sentence_transformers') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *hits, heavy = result.stdout.splitlines()
    assert json.loads(hits[0])["text"] == "hello world"
    assert heavy == "[]"
