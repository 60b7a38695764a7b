"""Every pooling over every layer against transformers' own hidden states, one text at a time, without padding."""

import doctest
import importlib
import itertools
import pkgutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from models import save_bert
from tokenizers import Tokenizer
from transformers import AutoModel, BertModel

import searcher
from searcher import Embedder
from searcher.embedding.pooling import ALIASES, COMBINES, POOLINGS, parse_layers
from searcher.errors import BadValue, UnknownName

TEXTS = [
    "bank", "The river flows near the bank.", "", "hello world", "we keep the account open " * 8, "test: café, naïve!",
    "one two three", "the boat is tied and the water is near, is it in the window?",
]  # fmt: skip
LAYERS = [-1, -2, 0, 2, "-4:", [0, -1], "all", "1,3", [-1, -2]]

# The definitions, for a text of t tokens: (t, d) -> (d,).
ORACLES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "cls": lambda states: states[0],
    "max": lambda states: states.max(0).values,
    "mean": lambda states: states.mean(0),
    "mean_sqrt_len": lambda states: states.sum(0) / len(states) ** 0.5,
    "sep": lambda states: states[-1],
    "mean_max": lambda states: torch.cat([states.mean(0), states.max(0).values]),
    "cls+max": lambda states: torch.cat([states[0], states.max(0).values]),
    "token:1": lambda states: states[1],
}


@pytest.fixture(scope="module")
def states(tiny_bert: Path) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """(L + 1, t, d) hidden states and (d,) pooler output of each text, from transformers."""
    return reference(tiny_bert)


def reference(folder: Path) -> list[tuple[torch.Tensor, torch.Tensor]]:
    model = BertModel.from_pretrained(folder).eval()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    outputs = []
    for text in TEXTS:
        with torch.inference_mode():
            output = model(torch.tensor([tokenizer.encode(text).ids]), output_hidden_states=True)
        outputs.append((torch.stack(output.hidden_states)[:, 0], output.pooler_output[0]))
    return outputs


def chosen(all_layers: torch.Tensor, layers: object, combine: str) -> torch.Tensor:
    """(L + 1, t, d) -> (t, d'): Python's own slicing of the list of layers."""
    numbers = {"-4:": [1, 2, 3, 4], "all": [0, 1, 2, 3, 4], "1,3": [1, 3]}.get(str(layers), layers)
    picked = [all_layers[number] for number in (numbers if isinstance(numbers, list) else [numbers])]
    stacked = torch.stack(picked)
    return {"concat": torch.cat(picked, dim=1), "sum": stacked.sum(0), "mean": stacked.mean(0)}[combine]


def unit(rows: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.normalize(rows, dim=-1)


def test_every_pooling_has_an_oracle() -> None:
    assert {*POOLINGS, "mean_max"} <= {*ORACLES, "weighted_mean"}


@pytest.mark.parametrize("layers", LAYERS, ids=str)
@pytest.mark.parametrize("combine", COMBINES)
@pytest.mark.parametrize("special", [True, False])
@pytest.mark.parametrize("name", ORACLES)
def test_pooled_vectors_are_those_of_transformers(
    tiny_bert: Path, states: list[tuple[torch.Tensor, torch.Tensor]], name: str, layers: object, combine: str,
    special: bool,
) -> None:  # fmt: skip
    texts = range(len(TEXTS)) if special or not name.startswith("token") else [1, 4, 5]  # the others are too short
    expected = []
    for i in texts:
        tokens = chosen(states[i][0], layers, combine)
        own = tokens if special or len(tokens) == 2 else tokens[1:-1]
        if name in ("cls", "sep"):  # they name special tokens, which count in any case
            expected.append(ORACLES[name](tokens))
        elif name == "cls+max":
            expected.append(torch.cat([tokens[0], own.max(0).values]))
        else:
            expected.append(ORACLES[name](own))
    settings = {"pooling": name, "layers": layers, "combine": combine, "special_tokens": special}
    given = [TEXTS[i] for i in texts]
    raw = shared(tiny_bert, normalize=False, **settings).embed(given)
    assert raw.dtype == np.float32
    np.testing.assert_allclose(raw, torch.stack(expected).numpy(), atol=2e-5)
    normalized = shared(tiny_bert, normalize=True, **settings).embed(given)
    np.testing.assert_allclose(normalized, unit(torch.stack(expected)).numpy(), atol=2e-6)


@cache
def loaded(folder: Path) -> Embedder:
    return Embedder(folder)


def shared(folder: Path, **settings: object) -> Embedder:
    """An embedder with the model and the weights that the first of its folder loaded."""
    embedder = Embedder(loaded(folder).model, **settings)  # type: ignore[arg-type]
    embedder.encoder = loaded(folder).encoder
    return embedder


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Small models are slower with several."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("special", [True, False])
def test_weighted_mean_weighs_a_token_by_its_position(
    tiny_bert: Path, states: list[tuple[torch.Tensor, torch.Tensor]], special: bool
) -> None:
    vectors = shared(tiny_bert, pooling="weighted_mean", special_tokens=special, normalize=False).embed(TEXTS)
    for vector, (layers, _) in zip(vectors, states, strict=True):
        weights = torch.arange(1, layers.shape[1] + 1.0)
        if not special and len(weights) > 2:
            weights[0] = weights[-1] = 0
        np.testing.assert_allclose(vector, (weights @ layers[-1] / weights.sum()).numpy(), atol=1e-5)


@pytest.mark.parametrize("name", ["pooler", "CLS_POOLED"])
def test_pooler_is_the_models_own_output(
    tiny_bert: Path, states: list[tuple[torch.Tensor, torch.Tensor]], name: str
) -> None:
    vectors = shared(tiny_bert, pooling=name, normalize=False).embed(TEXTS)
    np.testing.assert_allclose(vectors, torch.stack([output for _, output in states]).numpy(), atol=1e-5)


@pytest.mark.parametrize("special", [True, False])
@pytest.mark.parametrize("layers", [-1, [0, -1]], ids=str)
def test_none_gives_the_vector_of_every_token(
    tiny_bert: Path, states: list[tuple[torch.Tensor, torch.Tensor]], layers: object, special: bool
) -> None:
    matrices = shared(tiny_bert, pooling="none", layers=layers, special_tokens=special).embed(TEXTS)
    assert isinstance(matrices, list)
    for matrix, (all_layers, _) in zip(matrices, states, strict=True):
        tokens = chosen(all_layers, layers, "concat")
        own = tokens if special or len(tokens) == 2 else tokens[1:-1]
        np.testing.assert_allclose(matrix, own.numpy(), atol=1e-5)
    units = shared(tiny_bert, pooling="none", layers=layers, normalize=True).embed(TEXTS)  # raw unless asked
    np.testing.assert_allclose(np.linalg.norm(np.concatenate(units), axis=1), 1, atol=1e-6)


# bert-as-service: layer -2 unless said, layers concatenated first, then pooled.


@pytest.mark.parametrize("alias", [name for name in ALIASES if name not in ("CLS_POOLED", "NONE")])
@pytest.mark.parametrize("layers", [None, [-1, -2], -1], ids=str)
def test_bert_as_service_names_have_its_semantics(
    tiny_bert: Path, states: list[tuple[torch.Tensor, torch.Tensor]], alias: str, layers: object
) -> None:
    oracle = ORACLES[
        {
            "REDUCE_MEAN": "mean", "REDUCE_MAX": "max", "REDUCE_MEAN_MAX": "mean_max", "CLS_TOKEN": "cls",
            "FIRST_TOKEN": "cls", "SEP_TOKEN": "sep", "LAST_TOKEN": "sep",
        }[alias]
    ]  # fmt: skip
    vectors = shared(tiny_bert, pooling=alias, layers=layers, normalize=False).embed(TEXTS)
    expected = [oracle(chosen(all_layers, -2 if layers is None else layers, "concat")) for all_layers, _ in states]
    np.testing.assert_allclose(vectors, torch.stack(expected).numpy(), atol=1e-5)


def test_cls_pooled_ignores_layers_as_in_bert_as_service(tiny_bert: Path) -> None:
    same = [shared(tiny_bert, pooling="CLS_POOLED", layers=layers).embed(TEXTS) for layers in (None, -2, [-1, -2])]
    assert (same[0] == same[1]).all() and (same[0] == same[2]).all()


def test_pooler_refuses_other_layers(tiny_bert: Path) -> None:
    with pytest.raises(BadValue, match="pooling 'pooler' is made from the last layer, 4; layers -2 cannot be chosen"):
        Embedder(tiny_bert, pooling="pooler", layers=-2)


def test_none_is_bert_as_services_none_at_layer_minus_two(tiny_bert: Path) -> None:
    ours = shared(tiny_bert, pooling="none", layers=-2).embed(TEXTS)
    theirs = shared(tiny_bert, pooling="NONE").embed(TEXTS)
    assert all((a == b).all() for a, b in zip(ours, theirs, strict=True))


# Padding and batches.


@pytest.mark.parametrize("name", [*ORACLES, "weighted_mean", "pooler", "none"])
def test_padding_never_changes_a_vector(tiny_bert: Path, name: str) -> None:
    embedder = shared(tiny_bert, pooling=name, normalize=True)
    long = "the water of the river flows near the bank and the boat is tied " * 4
    short = [text for text in TEXTS if text]
    crowd = embedder.embed([*short, *[long[:250]] * 30])
    for i, text in enumerate(short):
        np.testing.assert_allclose(crowd[i], embedder.embed([text])[0], atol=1e-6)


def test_more_texts_than_a_batch_keep_their_order(tiny_bert: Path) -> None:
    embedder = shared(tiny_bert)
    texts = [f"{word} " * count for count, word in itertools.product(range(1, 40), ["bank", "river", "money"])]
    vectors = embedder.embed(texts)
    for i in range(0, len(texts), 13):
        np.testing.assert_allclose(vectors[i], embedder.embed([texts[i]])[0], atol=1e-6)


# Odd texts.


def test_token_n_beyond_a_text_is_an_error_that_names_it(tiny_bert: Path) -> None:
    embedder = shared(tiny_bert, pooling="token:9")
    with pytest.raises(BadValue, match=r"pooling 'token:9'.*text 2 has only 3 tokens"):
        embedder.embed(["the water of the river flows near the bank", "bank", "river"])
    with pytest.raises(BadValue, match=r"pooling 'token:9'.*text 1 has only 8 tokens"):
        shared(tiny_bert, pooling="token:9", special_tokens=False).embed(["the water of the river flows near bank"])


def test_a_text_without_tokens_of_its_own_is_pooled_over_its_special_ones(tiny_bert: Path) -> None:
    for name in ("mean", "max", "weighted_mean", "mean_max"):
        without = shared(tiny_bert, pooling=name, special_tokens=False).embed(["", "bank", "\u200b"])
        with_them = shared(tiny_bert, pooling=name).embed(["", "bank", "\u200b"])
        np.testing.assert_allclose(without[[0, 2]], with_them[[0, 2]], atol=1e-6)
        assert abs(without[1] - with_them[1]).max() > 1e-3


@pytest.mark.parametrize(
    ("settings", "times"),
    [
        ({}, 1), ({"pooling": "mean_max"}, 2), ({"pooling": "cls+max+mean"}, 3), ({"layers": "-4:"}, 4),
        ({"layers": "-4:", "combine": "sum"}, 1), ({"pooling": "REDUCE_MEAN_MAX", "layers": [-1, -2]}, 4),
        ({"pooling": "pooler"}, 1), ({"pooling": "token:0", "layers": "all", "combine": "mean"}, 1),
    ],
    ids=str,
)  # fmt: skip
def test_dimension_is_the_length_of_a_vector(tiny_bert: Path, settings: dict[str, object], times: int) -> None:
    embedder = shared(tiny_bert, **settings)
    assert embedder.dimension == embedder.embed(["bank"]).shape[1] == 32 * times
    assert embedder.embed([]).shape == (0, 32 * times)


# Names.


@pytest.mark.parametrize(
    "name",
    [
        "avg",
        "",
        "token:",
        "token:-1",
        pytest.param("token:" + "9" * 5000, id="token of 5,000 digits"),
        "mean+pooler",
        "cls+token:1",
        "Mean",
        "mean+",
        "none+cls",
    ],
)
def test_an_unknown_pooling_is_refused_with_the_known_ones(tiny_bert: Path, name: str) -> None:
    with pytest.raises(UnknownName) as error:
        Embedder(tiny_bert, pooling=name)
    line = str(error.value)
    assert line.startswith(f"unknown pooling {name!r}; known: ")
    for known in [*POOLINGS, "mean_max", "pooler", "token:N", "none", "REDUCE_MEAN"]:
        assert known in line


def test_an_unknown_combine_is_refused_with_the_known_ones(tiny_bert: Path) -> None:
    with pytest.raises(UnknownName, match="unknown combine 'average'; known: concat, mean, sum"):
        Embedder(tiny_bert, layers="-4:", combine="average")


@pytest.mark.parametrize(
    ("given", "numbers"),
    [
        (-1, (12,)), (0, (0,)), (12, (12,)), (-13, (0,)), ("-1", (12,)), ("-4:", (9, 10, 11, 12)), ("0:3", (0, 1, 2)),
        (":2", (0, 1)), ("-3:-1", (10, 11)), ("-1,-2", (12, 11)), (" 1 , 3 ", (1, 3)), ([0, -1], (0, 12)),
        ((2, 1), (2, 1)), ("all", tuple(range(13))), (":", tuple(range(13))), ("0,-2:", (0, 11, 12)),
        (range(2), (0, 1)), (np.int64(3), (3,)), (np.array([1, -1]), (1, 12)),
    ],
    ids=str,
)  # fmt: skip
def test_layers_count_as_python_does_from_zero_for_the_embeddings(given: object, numbers: tuple[int, ...]) -> None:
    assert parse_layers(given, 12) == numbers  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (13, "layer 13 is out of range"), (-14, "layer -14 is out of range"),
        ("-20:", "layers '-20:' are out of range"), ("0:14", "layers '0:14' are out of range"),
        ("last", "layers 'last' are not understood"), ("", "layers '' are not"),
        ([], r"layers \[\] name no layer"), ("5:2", "layers '5:2' name no layer"), ("1:5:2", "layers '1:5:2' are not"),
        (1.5, "layers 1.5 are not understood"),
        *((digits, f"layers '{digits}' are not understood") for digits in ("9" * 5000, f"-{'9' * 5000}:", f":{'9' * 5000}")),
    ],
    ids=lambda each: str(each)[:40],
)  # fmt: skip
def test_a_wrong_layer_is_refused_with_the_good_ones(given: object, problem: str) -> None:
    with pytest.raises(BadValue, match=rf"{problem}.*; good: 0 \(embeddings\) to 12, or -13 to -1"):
        parse_layers(given, 12)  # type: ignore[arg-type]


def test_one_layer_needs_no_combine_so_that_equal_settings_are_equal(tiny_bert: Path) -> None:
    assert Embedder(tiny_bert, combine="sum").pooling == Embedder(tiny_bert, layers=4).pooling
    assert Embedder(tiny_bert, pooling="REDUCE_MEAN").pooling == Embedder(tiny_bert, pooling="mean", layers=-2).pooling
    assert Embedder(tiny_bert, pooling="mean_max").pooling == Embedder(tiny_bert, pooling="mean+max").pooling
    assert Embedder(tiny_bert, pooling="mean+max").pooling.name == "mean_max"


# Pooler weights.


def test_a_checkpoint_without_a_pooler_refuses_pooler(tmp_path: Path) -> None:
    folder = save_bert(tmp_path / "bare", layers=1, pooler=False)
    with pytest.raises(searcher.SearcherError, match="has no pooler weights; choose another pooling, such as mean"):
        Embedder(folder, pooling="pooler").embed(["bank"])
    model = AutoModel.from_pretrained(folder, add_pooling_layer=False).eval()
    expected = model(torch.tensor([[2, Embedder(folder).model.tokenizer.encode_ids(["bank"])[0][0], 3]]))
    vector = Embedder(folder, normalize=False).embed(["bank"])
    np.testing.assert_allclose(vector, expected.last_hidden_state.mean(1).detach().numpy(), atol=1e-5)


# The examples in docstrings.


# What modules import that are there for an extra alone.
EXTRAS = {"PIL", "cv2", "fastapi", "mcp", "onnxruntime", "pyarrow", "rapidocr", "tree_sitter"}


def modules() -> list[str]:
    found = pkgutil.walk_packages(searcher.__path__, "searcher.")
    return sorted(module.name for module in found if not module.name.endswith("__main__"))


@pytest.mark.parametrize("name", modules())
def test_the_examples_in_docstrings_are_true(name: str) -> None:
    try:
        module: ModuleType = importlib.import_module(name)
    except ImportError as fault:
        if not name.startswith("searcher.integrations.") and fault.name not in EXTRAS:
            raise
        pytest.skip(str(fault))
    assert doctest.testmod(module).failed == 0
