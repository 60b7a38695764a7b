"""Files of a model that disagree, lack something or are damaged: one line of ModelError, whatever the architecture."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from architectures import edit, save_architecture
from models import write_json
from safetensors.torch import load_file, save_file

from searcher import Embedder
from searcher.cli import main
from searcher.embedding.models import load_model
from searcher.errors import ModelError

KINDS = ["bert", "roberta", "electra", "distilbert", "fnet"]
NAMES = {  # distilbert's names of what a configuration says
    "hidden_size": "dim", "num_hidden_layers": "n_layers", "num_attention_heads": "n_heads", "intermediate_size": "hidden_dim",
}  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Small models are slower with several."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of an architecture, made once."""
    base, made = tmp_path_factory.mktemp("models"), {}

    def of(kind: str) -> Path:
        if kind not in made:
            made[kind] = save_architecture(kind, base / kind)
        return made[kind]

    return of


def refused(folder: Path, *parts: str) -> None:
    """Embedding a text fails in one line that holds all these parts."""
    with pytest.raises(ModelError) as caught:
        Embedder(folder).embed(["the river bank", "hello world " * 5])
    assert "\n" not in str(caught.value), str(caught.value)
    for part in parts:
        assert part in str(caught.value)


def changed(kind: str, key: str) -> str:
    return NAMES.get(key, key) if kind == "distilbert" else key


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("hidden_size", 64), ("hidden_size", 30), ("hidden_size", "32"), ("hidden_size", 0), ("hidden_size", None),
        ("num_hidden_layers", 6), ("num_hidden_layers", -1), ("num_hidden_layers", 2.5), ("num_hidden_layers", None),
        ("num_attention_heads", 5), ("num_attention_heads", 0), ("num_attention_heads", "four"),
        ("intermediate_size", 65), ("max_position_embeddings", 128), ("max_position_embeddings", 40),
        ("vocab_size", 50), ("vocab_size", 5000), ("type_vocab_size", 3), ("layer_norm_eps", "tiny"),
        ("hidden_act", "no-such"), ("hidden_act", ["gelu"]), ("model_type", ["bert"]), ("model_type", 3),
    ],
    ids=str,
)  # fmt: skip
def test_a_configuration_that_is_not_that_of_the_weights_is_refused(
    saved: Callable[[str], Path], tmp_path: Path, kind: str, key: str, value: object
) -> None:
    key = changed(kind, key)
    config = json.loads((saved(kind) / "config.json").read_text(encoding="utf-8"))
    if key not in config or (kind, key) == ("fnet", "num_attention_heads"):
        pytest.skip(f"{kind} has no {key}")
    folder = shutil.copytree(saved(kind), tmp_path / "model")
    edit(folder / "config.json", **{key: value})
    refused(folder)


@pytest.mark.parametrize("kind", ["bert", "roberta"])
@pytest.mark.parametrize("key", ["hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"])
def test_a_number_that_config_does_not_say_is_named(
    saved: Callable[[str], Path], tmp_path: Path, kind: str, key: str
) -> None:
    folder = shutil.copytree(saved(kind), tmp_path / "model")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    del config[key]
    write_json(folder / "config.json", config)
    refused(folder, "config.json", key)


@pytest.mark.parametrize("padding", [None, "one", -1, True])
def test_a_padding_that_positions_cannot_start_behind_is_refused(
    saved: Callable[[str], Path], tmp_path: Path, padding: object
) -> None:
    folder = shutil.copytree(saved("roberta"), tmp_path / "model")
    edit(folder / "config.json", pad_token_id=padding)
    refused(folder, f"pad_token_id {padding!r}")


@pytest.mark.parametrize("content", ["[]", "[1]", '"bert"', "3", "null", "", "{", "[" * 100_000])
def test_a_config_that_is_none_is_one_clear_line(saved: Callable[[str], Path], tmp_path: Path, content: str) -> None:
    folder = shutil.copytree(saved("bert"), tmp_path / "model")
    (folder / "config.json").write_text(content, encoding="utf-8")
    refused(folder, "config.json")


def damaged(folder: Path, change: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def _smaller(tensors: dict[str, torch.Tensor]) -> None:
    name = next(name for name in tensors if name.endswith("word_embeddings.weight"))
    tensors[name] = tensors[name][:20].clone()


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_beyond_the_vocabulary_is_named(saved: Callable[[str], Path], tmp_path: Path, kind: str) -> None:
    folder = shutil.copytree(saved(kind), tmp_path / "model")
    damaged(folder, _smaller)
    edit(folder / "config.json", vocab_size=20)
    refused(folder, "is not among the model's 20", "its tokenizer is not that of its weights")


@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_a_token_beyond_the_vocabulary_is_named_in_bulk_too(
    saved: Callable[[str], Path], tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("searcher.embedding.encoder.choosing.SMALL_TOKENS", 0)
    test_a_token_beyond_the_vocabulary_is_named(saved, tmp_path, kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "change",
    [
        lambda tensors: [tensors.pop(name) for name in list(tensors) if ".3." in name],
        lambda tensors: tensors.pop(next(name for name in tensors if name.endswith("output.dense.bias") or "ffn" in name)),
        lambda tensors: tensors.pop(next(name for name in tensors if name.endswith("word_embeddings.weight"))),
        lambda tensors: tensors.update({name: tensor[:-1].clone() for name, tensor in tensors.items() if ".2." in name}),
        lambda tensors: tensors.update({name: tensor.T.contiguous() for name, tensor in tensors.items() if tensor.dim() == 2}),
    ],
    ids=["a layer missing", "a bias missing", "words missing", "smaller", "turned"],
)  # fmt: skip
def test_weights_that_are_not_those_of_the_configuration_are_refused(
    saved: Callable[[str], Path], tmp_path: Path, kind: str, change: Callable[[dict[str, torch.Tensor]], Any]
) -> None:
    folder = shutil.copytree(saved(kind), tmp_path / "model")
    damaged(folder, change)
    refused(folder)


@pytest.mark.parametrize("kind", ["bert", "electra"])
def test_weights_of_whole_numbers_are_refused(saved: Callable[[str], Path], tmp_path: Path, kind: str) -> None:
    folder = shutil.copytree(saved(kind), tmp_path / "model")
    damaged(folder, lambda tensors: tensors.update({name: tensor.int() for name, tensor in tensors.items()}))
    if kind == "bert":
        refused(folder, "has dtype I32; good: F64, F32, F16, BF16")


def test_weights_of_double_precision_are_read(saved: Callable[[str], Path], tmp_path: Path) -> None:
    folder = shutil.copytree(saved("bert"), tmp_path / "model")
    expected = Embedder(folder).embed(["the river"])
    damaged(folder, lambda tensors: tensors.update({name: tensor.double() for name, tensor in tensors.items()}))
    assert (Embedder(folder).embed(["the river"]) == expected).all()


@pytest.mark.parametrize("kind", ["bert", "electra"])
@pytest.mark.parametrize("kept", [0, 4, 100, 0.5, 0.999])
def test_weights_that_end_too_soon_are_one_clear_line(
    saved: Callable[[str], Path], tmp_path: Path, kind: str, kept: float
) -> None:
    folder = shutil.copytree(saved(kind), tmp_path / "model")
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: kept if isinstance(kept, int) else int(kept * len(whole))])
    refused(folder)


def test_a_header_that_lies_about_sizes_is_one_clear_line(saved: Callable[[str], Path], tmp_path: Path) -> None:
    folder = shutil.copytree(saved("bert"), tmp_path / "model")
    whole = (folder / "model.safetensors").read_bytes()
    size = int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8 : 8 + size])
    name = "encoder.layer.0.output.dense.weight"
    start = header[name]["data_offsets"][0]
    header[name]["data_offsets"] = [start, start + 8]
    told = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(len(told).to_bytes(8, "little") + told + whole[8 + size :])
    refused(folder, name)


def test_a_shard_that_is_missing_is_one_clear_line(saved: Callable[[str], Path], tmp_path: Path) -> None:
    from transformers import AutoModel

    for kind in ("bert", "electra"):
        folder = shutil.copytree(saved(kind), tmp_path / kind)
        AutoModel.from_pretrained(folder).save_pretrained(folder, max_shard_size="20KB")
        (folder / "model.safetensors").unlink(missing_ok=True)
        load_model(folder).weights[-1].unlink()
        refused(folder)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"model": 3}'])
def test_a_tokenizer_that_is_none_is_one_clear_line(saved: Callable[[str], Path], tmp_path: Path, content: str) -> None:
    folder = shutil.copytree(saved("bert"), tmp_path / "model")
    (folder / "tokenizer.json").write_text(content, encoding="utf-8")
    refused(folder, "tokenizer.json is not a tokenizer")


def test_the_command_line_says_it_in_one_line(
    saved: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind in ("bert", "distilbert"):
        folder = shutil.copytree(saved(kind), tmp_path / kind)
        edit(folder / "config.json", **{changed(kind, "hidden_size"): 64})
        with pytest.raises(SystemExit) as stop:
            main(["embed", "river", "-m", str(folder)])
        captured = capsys.readouterr()
        assert (stop.value.code, captured.out, captured.err.count("\n")) == (1, "", 1), captured.err
        assert "config.json says" in captured.err
