"""Folders that sentence-transformers saved: every module behind the pooling; every setting is applied or refused."""

import json
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from architectures import edit
from models import make_sentence_transformer, save_bert, write_json
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, Dropout, Normalize, Pooling, Transformer

from searcher import Embedder, Searcher
from searcher.embedding import IndexSettings
from searcher.embedding.head import ACTIVATIONS
from searcher.embedding.models import load_model
from searcher.errors import BadValue, ModelError, SettingsMismatch

TEXTS = ["bank", "The river flows near the bank.", "hello world " * 9, "test: café, naïve! 北京", ""]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Small models are slower with several."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bert(tmp_path_factory.mktemp("models") / "bert", layers=2, truncate_at=None)


def dense(inputs: int, outputs: int, activation: torch.nn.Module | None = None, **how: Any) -> Dense:
    """A Dense of random weights, no smaller than a trained one's."""
    module = Dense(inputs, outputs, activation_function=activation or torch.nn.Tanh(), **how)
    generator = torch.Generator().manual_seed(inputs + outputs)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
    return module


def saved(plain: Path, folder: Path, *modules: torch.nn.Module, mode: str = "mean") -> SentenceTransformer:
    """A sentence-transformers model with those modules behind its pooling, in a folder as it saves it itself."""
    model = SentenceTransformer(modules=[Transformer(str(plain)), Pooling(32, mode), *modules], device="cpu")
    model.save(str(folder))
    return model


def check(folder: Path, **how: Any) -> None:
    """Our vectors are those of sentence-transformers, lengths included."""
    theirs = SentenceTransformer(str(folder), device="cpu").encode(TEXTS)
    ours = Embedder(folder, **how)
    assert ours.dimension == theirs.shape[1]
    np.testing.assert_allclose(ours.embed(TEXTS), theirs, atol=2e-6 * max(1, np.abs(theirs).max()), rtol=1e-6)


HEADS = {
    "LaBSE": lambda: [dense(32, 32), Normalize()],
    "narrower": lambda: [dense(32, 8)],
    "wider": lambda: [dense(32, 48, torch.nn.Identity())],
    "two": lambda: [dense(32, 16), dense(16, 24, torch.nn.ReLU()), Normalize()],
    "normalised first": lambda: [Normalize(), dense(32, 16)],
    "normalised between": lambda: [dense(32, 16), Normalize(), dense(16, 8, torch.nn.Identity())],
    "normalised twice": lambda: [Normalize(), dense(32, 16), Normalize()],
    "without bias": lambda: [dense(32, 16, bias=False), Normalize()],
    "residual": lambda: [dense(32, 32, use_residual=True)],
    "residual of another width": lambda: [dense(32, 16, use_residual=True), Normalize()],
    "dropout": lambda: [Dropout(0.5), dense(32, 16), Dropout(0.5), Normalize()],
}


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("mode", ["mean", "cls"])
def test_dense_modules_give_the_vectors_of_sentence_transformers(
    plain: Path, tmp_path: Path, head: str, mode: str
) -> None:
    if "residual" in head and "use_residual" not in Dense.config_keys:
        pytest.skip("this sentence-transformers knows no residual")
    saved(plain, tmp_path / "model", *HEADS[head](), mode=mode)
    check(tmp_path / "model")


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_is_that_of_torch(plain: Path, tmp_path: Path, name: str) -> None:
    saved(plain, tmp_path / "model", dense(32, 64, getattr(torch.nn, name)()))
    check(tmp_path / "model")
    edit(tmp_path / "model" / "2_Dense" / "config.json", activation_function=f"torch.nn.{name}")
    check(tmp_path / "model")


def test_weights_of_a_dense_module_may_be_of_half_the_size(plain: Path, tmp_path: Path) -> None:
    saved(plain, tmp_path / "model", dense(32, 16))
    file = tmp_path / "model" / "2_Dense" / "model.safetensors"
    half = {name: tensor.bfloat16() for name, tensor in load_file(file).items()}
    save_file({name: tensor.float() for name, tensor in half.items()}, file)
    expected = Embedder(tmp_path / "model").embed(TEXTS)
    save_file(half, file)
    np.testing.assert_array_equal(Embedder(tmp_path / "model").embed(TEXTS), expected)


def test_torch_weights_of_a_dense_module_are_read_only_when_asked(plain: Path, tmp_path: Path) -> None:
    saved(plain, tmp_path / "model", dense(32, 16))
    expected, file = Embedder(tmp_path / "model").embed(TEXTS), tmp_path / "model" / "2_Dense" / "model.safetensors"
    torch.save(load_file(file), file.with_name("pytorch_model.bin"))
    file.unlink()
    with pytest.raises(ModelError, match=r"2_Dense has no \*\.safetensors.*pytorch_model\.bin.*allow.*torch weights"):
        load_model(tmp_path / "model")
    np.testing.assert_allclose(Embedder(tmp_path / "model", torch_weights=True).embed(TEXTS), expected, atol=1e-6)


def test_what_is_pooled_otherwise_goes_through_the_head_too_and_token_vectors_do_not(
    plain: Path, tmp_path: Path
) -> None:
    theirs = saved(plain, tmp_path / "model", dense(32, 16))
    theirs[1] = Pooling(32, "max")
    found = Embedder(tmp_path / "model", pooling="max").embed(TEXTS)
    np.testing.assert_allclose(found, theirs.encode(TEXTS), atol=2e-6)
    tokens = Embedder(tmp_path / "model", pooling="none")
    assert (tokens.dimension, tokens.embed(["bank"])[0].shape) == (32, (3, 32))
    with pytest.raises(ModelError, match=r"pooling 'mean_max' gives 64 numbers; a Dense module of .* takes 32"):
        Embedder(tmp_path / "model", pooling="mean_max")


@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("kept", [8, 500])
def test_truncate_dim_keeps_the_leading_numbers(plain: Path, tmp_path: Path, normalised: bool, kept: int) -> None:
    saved(plain, tmp_path / "model", dense(32, 16), *([Normalize()] if normalised else []))
    edit(tmp_path / "model" / "config_sentence_transformers.json", truncate_dim=kept)
    check(tmp_path / "model")


def test_an_index_remembers_the_head(plain: Path, tmp_path: Path) -> None:
    heads = {"none": [], "tanh": [dense(32, 32)], "relu": [dense(32, 32, torch.nn.ReLU())], "other": [dense(32, 16)]}
    heads["first"] = [Normalize(), dense(32, 32)]
    prints = {}
    for name, modules in heads.items():
        saved(plain, tmp_path / name, *modules)
        prints[name] = IndexSettings.of(Embedder(tmp_path / name)).fingerprint
    assert len(set(prints.values())) == len(prints)
    assert prints["none"] == IndexSettings.of(Embedder(plain)).fingerprint  # as before there were heads
    saved(plain, tmp_path / "last", dense(32, 32), Normalize())
    assert prints["tanh"] == IndexSettings.of(Embedder(tmp_path / "last")).fingerprint  # an index has unit rows anyway
    with Searcher(tmp_path / "index", tmp_path / "tanh") as searcher:
        searcher.add_texts(["the river bank", "hello world"], ids=["a", "b"])
        assert searcher.search("the river bank", k=1)[0].score == pytest.approx(1, abs=1e-5)
    with Searcher(tmp_path / "index") as searcher:
        assert searcher.search("the river bank", k=1)[0].id == "a"
    with pytest.raises(SettingsMismatch, match="architecture"):
        Searcher(tmp_path / "index", tmp_path / "relu")


def test_a_sweep_over_poolings_is_refused_where_more_is_done_to_a_vector(plain: Path, tmp_path: Path) -> None:
    from searcher.evaluation import Dataset, sweep

    saved(plain, tmp_path / "model", dense(32, 16))
    with Searcher(tmp_path / "index", tmp_path / "model") as searcher, pytest.raises(BadValue, match="does more to a"):
        sweep(Dataset("set", tmp_path, [], {}, {}), searcher)


# What is refused.


def folder_of(plain: Path, folder: Path, **how: Any) -> Path:
    shutil.copytree(plain, folder)
    return make_sentence_transformer(folder, {"pooling_mode": "mean"}, **how)


def refused(folder: Path, *parts: str) -> None:
    """The model is refused in one line that holds all these parts."""
    with pytest.raises(ModelError) as caught:
        load_model(folder)
    assert "\n" not in str(caught.value)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("sentence_bert_config.json", {"modality_config": {"text": {"method": "forward", "method_output_name": "pooler_output"}}}),
        ("sentence_bert_config.json", {"modality_config": {"message": {"method": "forward", "method_output_name": "last_hidden_state"}}}),
        ("sentence_bert_config.json", {"module_output_name": "sentence_embedding"}),
        ("sentence_bert_config.json", {"transformer_task": "fill-mask"}),
        ("sentence_bert_config.json", {"query_length": 16}), ("sentence_bert_config.json", {"document_length": 40}),
        ("sentence_bert_config.json", {"query_expansion": {"strategy": "fixed", "length": 32}}),
        ("sentence_bert_config.json", {"processing_kwargs": {"text": {"max_length": 9}}}),
        ("sentence_bert_config.json", {"model_args": {"revision": "x"}}),
        ("sentence_bert_config.json", {"tokenizer_args": {"add_prefix_space": True}}),
        ("sentence_bert_config.json", {"config_args": {"hidden_act": "relu"}}),
        ("sentence_bert_config.json", {"tie_last_hidden_states": False}),
        ("sentence_bert_config.json", {"something_new": 1}), ("sentence_bert_config.json", {"max_seq_length": "many"}),
        ("1_Pooling/config.json", {"pooling_mode_attention": True}), ("1_Pooling/config.json", {"include_prompt": "no"}),
        ("1_Pooling/config.json", {"something_new": None}),
        ("2_Normalize/config.json", {"module_input_name": "token_embeddings"}), ("2_Normalize/config.json", {"p": 1}),
        ("config_sentence_transformers.json", {"truncate_dim": -1}),
        ("config_sentence_transformers.json", {"query_length": 32}),
        ("config_sentence_transformers.json", {"model_type": "MultiVectorEncoder"}),
        ("config_sentence_transformers.json", {"prompts": ["query: "]}),
    ],
    ids=str,
)  # fmt: skip
def test_a_setting_that_is_not_applied_is_refused_by_name(
    plain: Path, tmp_path: Path, file: str, said: dict[str, Any]
) -> None:
    folder = folder_of(plain, tmp_path / "model")
    known = folder / file
    write_json(known, (json.loads(known.read_text(encoding="utf-8")) if known.exists() else {}) | said)
    refused(folder, f"{file} says {next(iter(said))} ", "which searcher does not apply")


@pytest.mark.parametrize(
    "said",
    [
        {"transformer_task": "feature-extraction", "module_output_name": "token_embeddings",
         "modality_config": {"text": {"method": "forward", "method_output_name": "last_hidden_state"}}},
        {"unpad_inputs": False, "query_length": None, "processing_kwargs": {}},
        {"model_args": {"torch_dtype": "float32", "attn_implementation": "eager"}, "config_args": {}},
    ],
    ids=str,
)  # fmt: skip
def test_settings_that_are_what_is_done_anyway_are_taken(plain: Path, tmp_path: Path, said: dict[str, Any]) -> None:
    folder = folder_of(plain, tmp_path / "model", max_seq_length=24)
    edit(folder / "sentence_bert_config.json", **said)
    if not said.keys() <= {*Transformer.config_keys, "model_args", "config_args"}:
        pytest.skip(f"this sentence-transformers does not know all of {', '.join(said)}")
    check(folder)


DENSE = {"in_features": 32, "out_features": 16, "bias": True, "activation_function": "torch.nn.modules.activation.Tanh"}


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ({"module_input_name": "token_embeddings"}, "says module_input_name 'token_embeddings', which searcher does not"),
        ({"module_output_name": "other"}, "says module_output_name 'other', which searcher does not apply"),
        ({"something_new": 1}, "says something_new 1, which searcher does not apply"),
        ({"in_features": 0}, "says in_features 0, which"), ({"bias": "yes"}, "says bias 'yes', which"),
        ({"activation_function": None}, "says activation_function None"),
    ],
    ids=str,
)  # fmt: skip
def test_a_dense_module_that_is_not_applied_is_refused_by_name(
    plain: Path, tmp_path: Path, said: dict[str, Any], part: str
) -> None:
    saved(plain, tmp_path / "model", dense(32, 16))
    edit(tmp_path / "model" / "2_Dense" / "config.json", **said)
    refused(tmp_path / "model", part)


@pytest.mark.parametrize("name", ["torch.nn.Softmax", "somewhere.Tanh", "torch.tanh", "torch.nn.modules.linear.Linear"])
def test_an_activation_that_is_not_known_is_refused(plain: Path, tmp_path: Path, name: str) -> None:
    saved(plain, tmp_path / "model", dense(32, 16))
    edit(tmp_path / "model" / "2_Dense" / "config.json", activation_function=name)
    with pytest.raises(ModelError, match=rf"has a Dense module with '{name}'; known of torch\.nn: ELU, GELU"):
        Embedder(tmp_path / "model")


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"in_features": 64}, "gives 32 numbers; a Dense module of .* takes 64"),
        ({"out_features": 8}, r"linear\.weight is 16 x 32, config\.json says 8 x 32"),
        ({"bias": False}, r"has linear\.bias, of which its config\.json says nothing"),
        ({"use_residual": True}, r"lacks residual\.weight"),
    ],
    ids=str,
)
def test_a_dense_module_whose_files_disagree_is_one_clear_line(
    plain: Path, tmp_path: Path, said: dict[str, Any], problem: str
) -> None:
    saved(plain, tmp_path / "model", dense(32, 16))
    edit(tmp_path / "model" / "2_Dense" / "config.json", **said)
    with pytest.raises(ModelError, match=problem) as caught:
        Embedder(tmp_path / "model").embed(["bank"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"garbage" * 100, None])
def test_damaged_weights_of_a_dense_module_are_one_clear_line(
    plain: Path, tmp_path: Path, content: bytes | None
) -> None:
    saved(plain, tmp_path / "model", dense(32, 16))
    file = tmp_path / "model" / "2_Dense" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-9] if content is None else content)
    with pytest.raises(ModelError, match=r"2_Dense/model\.safetensors cannot be loaded: ") as caught:
        Embedder(tmp_path / "model").embed(["bank"])
    assert "\n" not in str(caught.value)


MODULE = "sentence_transformers.models."


@pytest.mark.parametrize(
    ("kinds", "part"),
    [
        (["WordEmbeddings", "Pooling"], "has a WordEmbeddings module"), (["StaticEmbedding"], "has a StaticEmbedding module"),
        (["Router"], "has a Router module"), (["Transformer", "CNN", "Pooling"], "has a CNN module"),
        (["Transformer", "Pooling", "LSTM"], "has a LSTM module"), (["Transformer", "MultiVectorMask"], "MultiVectorMask"),
        (["Transformer", "SpladePooling"], "has a SpladePooling module"), (["Transformer", "Pooling", "Asym"], "Asym"),
        (["Transformer", "Normalize"], "has the modules Transformer, Normalize; good: Transformer, Pooling, then Dense"),
        (["Transformer"], "has the modules Transformer; good"), ([], "has the modules none; good"),
        (["Transformer", "Normalize", "Pooling"], "has the modules Transformer, Normalize, Pooling; good"),
        (["Transformer", "Pooling", "Pooling"], "has the modules Transformer, Pooling, Pooling; good"),
    ],
    ids=str,
)  # fmt: skip
def test_modules_that_are_not_applied_are_refused_by_name(
    plain: Path, tmp_path: Path, kinds: list[str], part: str
) -> None:
    folder = folder_of(plain, tmp_path / "model")
    modules = [{"idx": i, "name": str(i), "path": "", "type": f"{MODULE}{kind}"} for i, kind in enumerate(kinds)]
    write_json(folder / "modules.json", modules)
    refused(folder, part)
    (folder / "config.json").unlink()  # a folder of static embeddings has none
    refused(folder, part)


@pytest.mark.parametrize("kind", ["custom_st.Transformer", "Transformer", "pylate.models.Dense.Dense", None, 3])
def test_a_module_of_somebody_elses_code_is_refused(plain: Path, tmp_path: Path, kind: object) -> None:
    folder = folder_of(plain, tmp_path / "model")
    modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    modules[0]["type"] = kind
    write_json(folder / "modules.json", modules)
    refused(folder, f"has a module {kind!r}: code of its own")


@pytest.mark.parametrize("path", ["../elsewhere", "/etc", "..\\elsewhere", 3])
def test_a_module_outside_the_folder_is_refused(plain: Path, tmp_path: Path, path: object) -> None:
    folder = folder_of(plain, tmp_path / "model")
    modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    modules[1]["path"] = path
    write_json(folder / "modules.json", modules)
    refused(folder, f"has a module at {path!r}, which is not in the folder")


@pytest.mark.parametrize("content", ["{}", '["Transformer"]', "3", "{", "null"])
def test_a_list_of_modules_that_is_none_is_one_clear_line(plain: Path, tmp_path: Path, content: str) -> None:
    folder = folder_of(plain, tmp_path / "model")
    (folder / "modules.json").write_text(content, encoding="utf-8")
    refused(folder, "modules.json")


@pytest.mark.parametrize(
    "file", ["sentence_bert_config.json", "1_Pooling/config.json", "config_sentence_transformers.json"]
)
@pytest.mark.parametrize("content", ["[]", "3", "{"])
def test_a_file_of_settings_that_is_none_is_one_clear_line(
    plain: Path, tmp_path: Path, file: str, content: str
) -> None:
    folder = folder_of(plain, tmp_path / "model")
    (folder / file).write_text(content, encoding="utf-8")
    refused(folder, file)


def test_an_adapter_is_refused(plain: Path, tmp_path: Path) -> None:
    folder = folder_of(plain, tmp_path / "model")
    write_json(folder / "adapter_config.json", {"peft_type": "LORA", "base_model_name_or_path": "x"})
    refused(folder, "has an adapter (adapter_config.json), which searcher does not apply")


def test_the_folder_that_sentence_transformers_itself_saves_is_taken(plain: Path, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        SentenceTransformer(str(plain), device="cpu").save(str(tmp_path / "model"))
    check(tmp_path / "model")
