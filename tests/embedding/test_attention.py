"""Who looks at whom: equal to transformers' own weights; as a table, as links, as JSON and as a picture."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from architectures import ARCHITECTURES, save_architecture
from models import save_bert, save_roberta
from transformers import AutoModel, AutoTokenizer

from searcher import Embedder
from searcher.cli import main
from searcher.embedding import Attentions
from searcher.errors import BadValue, ModelError

TEXT = "The river flows near the bank, 北京."


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Small models are slower with several."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def expected(folder: Path, ids: list[int], segments: list[int] | None = None) -> list[np.ndarray]:
    """transformers' own attentions of one input."""
    model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    types = {} if segments is None else {"token_type_ids": torch.tensor([segments])}
    with torch.inference_mode():
        output = model(torch.tensor([ids]), output_attentions=True, **types)
    return [each[0].numpy() for each in output.attentions]


@pytest.mark.parametrize("kind", [kind for kind in ARCHITECTURES if kind != "fnet"])
def test_attentions_are_those_of_transformers(kind: str, tmp_path: Path) -> None:
    folder = save_architecture(kind, tmp_path / kind)
    found = Embedder(folder).attentions(TEXT)
    wanted = expected(folder, [row.id for row in found.tokens])
    assert len(found.layers) == len(wanted) == 4
    for ours, theirs in zip(found.layers, wanted, strict=True):
        assert (ours.dtype, ours.shape) == (np.float32, theirs.shape)
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
        np.testing.assert_allclose(ours.sum(-1), 1, atol=1e-5)


def test_tokens_have_their_places_in_the_text(tmp_path: Path) -> None:
    folder = save_bert(tmp_path / "bert", layers=2, truncate_at=None)
    found = Embedder(folder).attentions(TEXT)
    encoding = AutoTokenizer.from_pretrained(folder)(TEXT, return_offsets_mapping=True)
    assert [row.id for row in found.tokens] == encoding["input_ids"]
    spans = [(row.start or 0, row.end or 0) for row in found.tokens]
    assert spans == [tuple(span) for span in encoding["offset_mapping"]]
    assert [row.position for row in found.tokens if row.special] == [0, len(found.tokens) - 1]


@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_a_pair_is_looked_at_as_one_input(kind: str, tmp_path: Path) -> None:
    folder = {"bert": save_bert, "roberta": save_roberta}[kind](tmp_path / kind)
    found = Embedder(folder).attentions(("the river bank", "we keep money"))
    segments = [row.segment for row in found.tokens]
    wanted = expected(folder, [row.id for row in found.tokens], segments)
    np.testing.assert_allclose(found.layers[-1], wanted[-1], atol=1e-6)
    assert set(segments) == ({0, 1} if kind == "bert" else {0})
    own = [row for row in found.tokens if not row.special]
    turn = next(place for place in range(1, len(own)) if own[place].start < own[place - 1].start)
    for rows, text in ((own[:turn], "the river bank"), (own[turn:], "we keep money")):
        assert "".join(text[row.start : row.end].strip() for row in rows) == "".join(text.split())


def test_a_text_too_long_is_cut_with_a_warning(tiny_bert: Path) -> None:
    with pytest.warns(UserWarning, match="of 102 tokens 64 are looked at, the rest was cut"):
        found = Embedder(tiny_bert).attentions("river " * 100)
    assert (len(found.tokens), found.layers[0].shape) == (64, (4, 64, 64))
    assert [row.special for row in found.tokens] == [True, *[False] * 62, True]


def test_a_prompt_is_not_put_before_it(tiny_bert: Path) -> None:
    prompted = Embedder(tiny_bert, prompts={"query": "question ", "passage": "text "}).attentions("river bank")
    assert [row.token for row in prompted.tokens] == ["[CLS]", "river", "bank", "[SEP]"]


def test_torch_weights_give_the_same(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    folder = save_bert(tmp_path / "bert", layers=2)
    wanted = Embedder(folder).attentions(TEXT).layers
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    found = Embedder(folder, torch_weights=True).attentions(TEXT).layers
    np.testing.assert_array_equal(np.stack(found), np.stack(wanted))


@pytest.mark.parametrize("kind", ["fnet", "yoso"])
def test_a_model_without_such_weights_is_refused(kind: str, tmp_path: Path) -> None:
    folder = save_architecture(kind, tmp_path / kind)
    with pytest.raises(ModelError, match=rf"\({kind}\) has no weight of every token for every other") as caught:
        Embedder(folder).attentions(TEXT)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("text", "problem"), [(3, "int"), ("a\ud800", "lone surrogate"), (("a",), "a tuple of 1")])
def test_what_is_no_text_is_refused(tiny_bert: Path, text: object, problem: str) -> None:
    with pytest.raises(BadValue, match=problem):
        Embedder(tiny_bert).attentions(text)  # type: ignore[arg-type]


def small() -> Attentions:
    layers = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 2, 2)
    return Attentions((), tuple(layers))


def test_weights_are_of_a_layer_and_head_or_the_mean_of_the_heads() -> None:
    found = small()
    np.testing.assert_array_equal(found.weights(1, 0), [[0, 1], [2, 3]])
    np.testing.assert_array_equal(found.weights(2, 2), found.weights(-1, 2))
    np.testing.assert_array_equal(found.weights(-2), [[4, 5], [6, 7]])
    assert found.weights(1).dtype == np.float32


@pytest.mark.parametrize("layer", [0, 3, -3, True, "1", 1.0])
def test_a_layer_that_is_not_there_is_named_with_the_good_ones(layer: object) -> None:
    with pytest.raises(BadValue, match=r"layer .* has no attention; good: 1 to 2, or -2 to -1"):
        small().weights(layer)  # type: ignore[arg-type]


@pytest.mark.parametrize("head", [3, -1, True, "0"])
def test_a_head_that_is_not_there_is_named_with_the_good_ones(head: object) -> None:
    with pytest.raises(BadValue, match=r"layer -1 has no head .*; good: 0 to 2"):
        small().weights(-1, head)  # type: ignore[arg-type]


# On the command line.


class Result(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def inspect(tiny_bert: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `inspect` on the tiny model, on a terminal of so many columns."""

    def call(*arguments: object, columns: int = 80) -> Result:
        monkeypatch.setenv("COLUMNS", str(columns))
        with pytest.raises(SystemExit) as stop:
            main(["inspect", *map(str, arguments), "-m", str(tiny_bert)])
        captured = capsys.readouterr()
        assert isinstance(stop.value.code, int)
        return Result(stop.value.code, captured.out, captured.err)

    return call


def test_a_table_shows_percent_of_each_row(inspect: Run, tiny_bert: Path) -> None:
    found = Embedder(tiny_bert).attentions("river 北 bank")
    result = inspect("river 北 bank", "--attention", "-2:1")
    head, names, *rows = result.out.splitlines()
    assert head == "layer 3, head 1, of 4 layers; percent of a row's attention"
    assert names.split() == ["[CLS]", "river", "北", "bank", "[SEP]"]
    wanted = [[str(round(100 * weight)) for weight in row] for row in found.weights(3, 1).tolist()]
    assert [row.split() for row in rows] == [[name, *row] for name, row in zip(names.split(), wanted, strict=True)]
    width = [sum(2 if letter == "北" else 1 for letter in line) for line in (names, *rows)]
    assert len(set(width)) == 1 and width[0] <= 80


@pytest.mark.parametrize("columns", [1, 10, 30, 50, 79])
def test_where_a_table_does_not_fit_the_strongest_links_are_shown(inspect: Run, tiny_bert: Path, columns: int) -> None:
    text = "we keep our money in the bank near the river, 北京"
    weights = Embedder(tiny_bert).attentions(text).weights(-1)
    head, *lines = inspect(text, "--attention", "-1", columns=columns).out.splitlines()
    assert head.startswith("layer 4, mean of the heads")
    assert len(lines) == len(weights)
    for number, (line, row) in enumerate(zip(lines, weights, strict=True)):
        assert line.split()[0] == str(number)
        links = [part for part in line.split() if "@" in part]
        order = np.argsort(-row, kind="stable")[: len(links)].tolist()
        assert [int(link.rpartition("@")[2]) for link in links] == order
        width = sum(2 if letter in "北京" else 1 for letter in line)
        assert len(links) == 1 or width <= columns


def test_programs_get_all_of_it_as_json(inspect: Run, tiny_bert: Path) -> None:
    found = Embedder(tiny_bert).attentions("river bank")
    told = json.loads(inspect("river bank", "--attention", "-1", "--json").out)
    assert (told["layer"], told["head"]) == (4, None)
    assert [token["token"] for token in told["tokens"]] == ["[CLS]", "river", "bank", "[SEP]"]
    assert [token["start"] for token in told["tokens"]] == [None, 0, 6, None]
    np.testing.assert_array_equal(np.array(told["weights"], np.float32), found.weights(4))
    assert json.loads(inspect("river", "--pair", "bank", "--attention", "1:0", "--json").out)["head"] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (["--attention", "9"], 1, "layer 9 has no attention; good: 1 to 4, or -4 to -1"),
        (["--attention", "0"], 1, "layer 0 has no attention; good: 1 to 4, or -4 to -1"),
        (["--attention", "1:4"], 1, "layer 1 has no head 4; good: 0 to 3"),
        (["--attention", "last"], 1, "attention 'last' is not understood; good: LAYER or LAYER:HEAD, such as -1 or 3:0"),
        (["--attention", "1:"], 1, "is not understood"), (["--attention", ""], 1, "is not understood"),
        (["--attention", "1", "--token", "river"], 2, "--attention and --token are two questions; ask one."),
        (["--plot", "a.png"], 2, "--plot draws what --attention finds; give that too."),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_shown_is_one_line(inspect: Run, arguments: list[str], code: int, problem: str) -> None:
    result = inspect("river bank", *arguments)
    assert (result.code, result.out, result.err.count("\n")) == (code, "", 1)
    assert problem in result.err


def test_a_heat_map_is_drawn_or_says_what_it_needs(inspect: Run, tmp_path: Path) -> None:
    file = tmp_path / "map.png"
    result = inspect("river $x$ 北京 " * 3, "--attention", "-1", "--plot", file)
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        assert (result.code, result.err) == (1, "Error: a plot needs matplotlib: pip install 'searcher[plot]'\n")
        return
    assert (result.code, result.err) == (0, "")
    assert file.read_bytes()[:4] == b"\x89PNG"
    result = inspect("river", "--attention", "-1", "--plot", tmp_path / "map.xyz")
    assert result.code == 1
    assert "not 'map.xyz'" in result.err
