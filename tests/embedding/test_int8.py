"""Dense layers in bytes: exact products, vectors near transformers' float32, and a line where they cannot be had."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from models import save_bert, save_roberta
from safetensors.torch import load_file, save_file
from transformers import AutoModel

import searcher.embedding.encoder.choosing
from searcher import Embedder, Searcher, SearcherError
from searcher.cli import main
from searcher.embedding.encoder import Encoder, Sequence_, devices, int8
from searcher.embedding.encoder.int8 import GREATEST, PAIRS, ZEROS, dense8, most_of_pairs, product
from searcher.embedding.encoder.kernels import Norm
from searcher.embedding.encoder.passes import PASSES, Passes, TorchPasses, compiled_passes, room
from searcher.embedding.models import load_model

pytestmark = pytest.mark.skipif(most_of_pairs() is None, reason="no products of bytes here")
LENGTHS = [3, 17, 1, 64, 33, 16, 64, 2, 40, 5]


@pytest.fixture(autouse=True)
def _bulk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few tokens are not taken by numpy."""
    monkeypatch.setattr(searcher.embedding.encoder.choosing, "SMALL_TOKENS", 0)


@pytest.fixture(params=[*PASSES, "torch"])
def passes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Passes:
    """Each way of what stands between products, taken by every encoder of the test."""
    own = TorchPasses() if request.param == "torch" else compiled_passes(request.param)
    if own is None:
        pytest.skip("not built, or the CPU has no such instructions")
    monkeypatch.setattr(int8, "passes", lambda: own)
    return own


def random_numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def in_bytes(x: np.ndarray, zero: int) -> tuple[np.ndarray, np.ndarray]:
    """The definition, in float64: bytes (T, d) and steps (T,)."""
    steps = np.maximum(x.max(1), 0).astype(float) / (255 - zero)
    if zero:
        steps = np.maximum(steps, -np.minimum(x.min(1), 0).astype(float) / zero)
    return np.floor(x / np.where(steps > 0, steps, 1)[:, None] + zero + 0.5), steps


@pytest.mark.parametrize("zero", [128, 16, 0])
@pytest.mark.parametrize(("tokens", "width"), [(5, 7), (33, 384), (1, 1), (0, 48), (64, 50)])
def test_rows_become_bytes_with_the_least_steps_that_hold_them(
    passes: Passes, tokens: int, width: int, zero: int
) -> None:
    x = random_numbers(tokens, width) * np.float32(10) ** np.arange(tokens, dtype=np.float32)[:, None].clip(0, 20)
    x = np.maximum(x, 0) if zero == 0 else x
    x[tokens // 2 :][:1] = 0  # a row of zeros has no step
    out = room(tokens, width, zero)
    passes.quantise(torch.from_numpy(x), out)
    if tokens == 0:
        return
    expected, steps = in_bytes(x, zero)
    np.testing.assert_allclose(out.steps.numpy(), steps, rtol=1e-6)
    assert np.abs(out.rows[:tokens].numpy() - expected).max() <= 1  # where half a step is rounded
    assert (out.rows[:tokens].numpy() == expected).mean() > 0.99
    assert (out.rows[tokens // 2] == zero).all()


def greatest_pairs(inputs: int, outputs: int) -> np.ndarray:
    """Weights (e, d) whose neighbours sum up to 1 wherever they stand, or to -1 in every other output."""
    firsts = np.random.default_rng(3).random((outputs, inputs + 1, 1)).astype(np.float32)
    pairs = np.concatenate([firsts, 1 - firsts], 2).reshape(outputs, -1)[:, :inputs]
    return pairs * (-1) ** np.arange(outputs, dtype=np.float32)[:, None]


@pytest.mark.parametrize("most", PAIRS)
@pytest.mark.parametrize("weights", [random_numbers, greatest_pairs])
@pytest.mark.parametrize(
    ("tokens", "inputs", "outputs"), [(1, 1, 1), (1, 2, 3), (3, 7, 5), (17, 17, 17), (33, 384, 97), (70, 1536, 384)]
)
def test_products_of_bytes_are_those_of_integers(
    tokens: int, inputs: int, outputs: int, weights: Callable[[int, int], np.ndarray], most: int
) -> None:
    if most > most_of_pairs():
        pytest.skip("pairs of products do not fit 16 bits here")
    weight, bias = weights(inputs, outputs).reshape(outputs, inputs), random_numbers(outputs, seed=1)
    layer = dense8(torch.from_numpy(weight), torch.from_numpy(bias), most)
    x = room(tokens, inputs, 128)
    x.rows.copy_(torch.from_numpy(np.random.default_rng(2).integers(0, 256, x.rows.shape)))
    x.rows[::2] = 255  # the greatest sums there can be
    steps = layer.steps.numpy()
    whole = np.rint(weight / steps[:, None]).astype(np.int64)
    sums = (x.rows.numpy().astype(np.int64) - 128) @ whole.T
    np.testing.assert_array_equal(product(x, layer).numpy(), sums.astype(np.float32) * steps)


@pytest.mark.parametrize("most", PAIRS)
@pytest.mark.parametrize("weights", [random_numbers, greatest_pairs])
@pytest.mark.parametrize("inputs", [1, 2, 7, 384])
def test_steps_of_weights_are_the_least_that_hold_them_and_their_pairs(
    inputs: int, weights: Callable[[int, int], np.ndarray], most: int
) -> None:
    weight = weights(inputs, 300).reshape(300, inputs)
    steps = dense8(torch.from_numpy(weight), torch.zeros(300), most).steps.numpy()
    pairs = np.pad(weight, ((0, 0), (0, inputs % 2))).reshape(300, -1, 2)
    sums = np.maximum(np.maximum(pairs, 0).sum(2), np.maximum(-pairs, 0).sum(2)).max(1)
    np.testing.assert_allclose(steps, np.maximum(np.abs(weight).max(1) / GREATEST, sums / most), rtol=1e-5)
    whole = np.rint(pairs / steps[:, None, None])
    assert np.abs(whole).max() <= GREATEST
    assert np.abs(np.maximum(whole, 0).sum(2)).max() <= most
    assert np.abs(np.minimum(whole, 0).sum(2)).max() <= most


@pytest.mark.parametrize("activation", ["gelu", "gelu tanh", "relu"])
@pytest.mark.parametrize(("tokens", "width"), [(5, 7), (33, 384), (0, 16)])
def test_what_follows_a_product_is_activation_residual_and_normalisation(
    passes: Passes, activation: str, tokens: int, width: int
) -> None:
    sums, steps = torch.from_numpy(random_numbers(tokens + 3, width)), torch.rand(tokens) + 0.5
    bias, state = (
        torch.from_numpy(random_numbers(width, seed=1)),
        torch.from_numpy(random_numbers(tokens, width, seed=2)),
    )
    norm = Norm(torch.from_numpy(random_numbers(width, seed=3)), torch.from_numpy(random_numbers(width, seed=4)), 1e-12)
    expected = sums[:tokens].double() * steps.double()[:, None] + bias

    finished = sums.clone()
    passes.finish(finished, steps, bias)
    torch.testing.assert_close(finished[:tokens].double(), expected, rtol=1e-5, atol=1e-6)

    hidden = room(tokens, width, ZEROS[activation])
    passes.activate(sums.clone(), steps, bias, activation, hidden)
    gelu = torch.nn.functional.gelu
    active = {
        "gelu": gelu, "relu": torch.relu, "gelu tanh": lambda x: gelu(x, approximate="tanh"),
    }[activation](expected)  # fmt: skip
    assert_within_a_step(hidden, active)

    out = room(tokens, width, 128)
    passes.normalise(sums, steps, bias, state_after := state.clone(), norm, out)
    normalised = torch.nn.functional.layer_norm(expected + state, (width,), norm.scale.double(), norm.shift.double())
    torch.testing.assert_close(state_after.double(), normalised, rtol=1e-5, atol=1e-5)
    assert_within_a_step(out, normalised)


def assert_within_a_step(actual: int8.Bytes, expected: torch.Tensor) -> None:
    numbers = (actual.rows[: len(expected)].double() - actual.zero) * actual.steps[:, None]
    assert ((numbers - expected).abs() <= 0.51 * actual.steps[:, None] + 5e-4).all()


def sequences(vocabulary: int, pairs: bool) -> list[Sequence_]:
    """Uneven sequences of random ids, some with a second segment."""
    generator = np.random.default_rng(0)
    return [
        Sequence_(
            generator.integers(5, vocabulary, length).tolist(),
            [0] * (length // 2) + [1] * (length - length // 2) if pairs and number % 2 else None,
        )
        for number, length in enumerate(LENGTHS)
    ]


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def check(folder: Path, pairs: bool, least: float = 0.99) -> None:
    """Every token's last hidden state, and the pooler, near those of transformers in float32."""
    model, expected = load_model(folder), AutoModel.from_pretrained(folder).eval()
    asked = sequences(60, pairs)
    encoder, seen = Encoder(model, dtype="int8"), []
    for batch, hidden in encoder.run(asked, [0, 1, model.layers], True, lambda hidden: hidden):
        for place, number in enumerate(batch):
            types = asked[number].segments
            types = {} if types is None else {"token_type_ids": torch.tensor([types])}
            with torch.inference_mode():
                output = expected(torch.tensor([asked[number].ids]), output_hidden_states=True, **types)
            rows = slice(hidden.bounds[place], hidden.bounds[place + 1])
            np.testing.assert_allclose(hidden.layers[0][rows], output.hidden_states[0][0].numpy(), atol=2e-5)
            for layer in (1, model.layers):
                actual, right = hidden.layers[layer][rows], output.hidden_states[layer][0].numpy()
                assert cosines(actual, right).min() > least
                assert (actual != right).any()  # float32 it is not
            assert hidden.pooler is not None
            assert cosines(hidden.pooler[place][None], output.pooler_output.numpy()).min() > least
        seen += batch.tolist()
    assert sorted(seen) == list(range(len(LENGTHS)))


@pytest.mark.parametrize("pairs", [False, True])
def test_bert_is_near_transformers(tiny_bert: Path, passes: Passes, pairs: bool) -> None:
    check(tiny_bert, pairs)


def test_roberta_is_near_transformers(tmp_path: Path, passes: Passes) -> None:
    check(save_roberta(tmp_path / "roberta"), False)


@pytest.mark.parametrize(
    ("layers", "width", "heads", "inner", "activation"),
    [
        (2, 64, 2, 128, "gelu"), (1, 96, 1, 7, "relu"), (3, 48, 4, 100, "gelu_new"), (2, 30, 3, 61, "gelu"),
        (2, 7, 7, 14, "gelu_pytorch_tanh"), (1, 100, 5, 201, "relu"), (2, 8, 1, 33, "gelu"), (1, 17, 1, 17, "gelu"),
    ],
)  # fmt: skip
def test_odd_shapes_are_near_transformers(
    tmp_path: Path, layers: int, width: int, heads: int, inner: int, activation: str
) -> None:
    shape = {"layers": layers, "width": width, "heads": heads, "inner": inner, "activation": activation}
    check(save_bert(tmp_path / "bert", **shape), True)


@pytest.mark.parametrize(("width", "inner"), [(1, 1), (2, 1), (3, 5)])
def test_the_narrowest_shapes_have_vectors(tmp_path: Path, width: int, inner: int) -> None:
    embedder = Embedder(save_bert(tmp_path / "bert", layers=2, width=width, heads=1, inner=inner), dtype="int8")
    vectors = embedder.embed(["river bank", "hello", "the boat on the river"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


def test_threads_that_share_an_embedder_have_the_same_vectors(tiny_bert: Path) -> None:
    embedder = Embedder(tiny_bert, dtype="int8")
    texts = [" ".join(["river", "bank", "hello"][: 1 + i % 3] * (1 + i % 5)) for i in range(24)]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(embedder.embed, [texts] * 12))
    for vectors in found:
        np.testing.assert_array_equal(vectors, found[0])


def test_weights_whose_pairs_fit_16_bits_are_near_transformers(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "most_of_pairs", lambda: PAIRS[-1])
    check(tiny_bert, True)


def test_a_text_has_one_vector_whatever_shares_its_batch(tiny_bert: Path, passes: Passes) -> None:
    texts = [" ".join(["river", "bank", "hello", "water"][: 1 + i % 4] * (1 + i % 7)) + f" {i % 10}" for i in range(60)]
    embedder = Embedder(tiny_bert, dtype="int8")
    alone = np.concatenate([embedder.embed([text]) for text in texts])
    together = embedder.embed(texts)
    np.testing.assert_array_equal(together, alone)


def test_no_texts_and_one_token_are_embedded(tiny_bert: Path, passes: Passes) -> None:
    embedder = Embedder(tiny_bert, dtype="int8")
    assert embedder.embed([]).shape == (0, 32)
    [(_, hidden)] = embedder.encoder.run([Sequence_([5])], [4], False, lambda hidden: hidden)
    assert hidden.layers[4].shape == (1, 32)
    assert np.isfinite(embedder.embed([""])).all()


def test_what_is_no_number_stays_none(tmp_path: Path, passes: Passes) -> None:
    folder = save_bert(tmp_path / "bert", layers=2)
    tensors = load_file(folder / "model.safetensors")
    tensors["encoder.layer.0.intermediate.dense.bias"][3] = float("nan")
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    [(_, hidden)] = Encoder(load_model(folder), dtype="int8").run(
        [Sequence_([5, 6])], [2], False, lambda hidden: hidden
    )
    assert np.isnan(hidden.layers[2]).all()


def test_an_index_remembers_int8_and_opens_under_every_dtype(tiny_bert: Path, tmp_path: Path) -> None:
    texts = ["money in the bank", "the boat on the river", "hello world"]
    made = Searcher(tmp_path / "index", tiny_bert, dtype="int8")
    made.add_texts(texts)
    assert made.status()["dtype"] == "int8"
    for dtype in ("auto", "bf16", "fp32", "int8"):
        hits = Searcher(tmp_path / "index", dtype=dtype).search("the boat on the river")
        assert hits[0].text == "the boat on the river"
        assert hits[0].score == pytest.approx(1, abs=0.01)


def test_where_there_are_no_products_of_bytes_the_good_dtypes_are_named(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(devices, "most_of_pairs", lambda: None)
    with pytest.raises(
        SearcherError, match=r"dtype 'int8' needs AVX2 and a torch with oneDNN.*; good: auto, bf16, fp32"
    ):
        Embedder(tiny_bert, dtype="int8").embed(["hello"])
    (tmp_path / "a.txt").write_text("hello world")
    with pytest.raises(SystemExit) as ended:
        main(["add", str(tmp_path / "a.txt"), "-i", str(tmp_path / "i"), "-m", str(tiny_bert), "--dtype", "int8"])
    assert ended.value.code == 1
    assert "dtype 'int8' needs AVX2" in capsys.readouterr().err
    assert not (tmp_path / "i").exists()


def test_another_architecture_has_no_int8(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searcher.embedding.encoder.choosing, "bert_shape", lambda model: None)
    with pytest.raises(
        SearcherError, match="dtype 'int8' needs a BERT or RoBERTa with GELU or ReLU, in safetensors; good: auto, bf16"
    ):
        Embedder(tiny_bert, dtype="int8").embed(["hello"])


def test_an_unknown_dtype_is_one_line(tiny_bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["embed", "hello", "-m", str(tiny_bert), "--dtype", "int4"])
    assert ended.value.code == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "unknown dtype 'int4'" in line
    assert "auto, bf16, fp32, int8" in line
