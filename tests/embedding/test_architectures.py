"""Sixteen architectures: every pooling of every layer against transformers, and as sentence-transformers folders."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from architectures import (
    ARCHITECTURES,
    FAIRSEQ,
    OTHERS,
    SIZES,
    edit,
    hidden_states,
    save_architecture,
    tokenizer_of,
)
from models import make_sentence_transformer, randomise, write_json
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling as TheirPooling
from tokenizers import processors
from transformers import CONFIG_MAPPING, AutoModel

from searcher import Embedder
from searcher.embedding import Pooling, normalize
from searcher.embedding.encoder.reference import PADDING_PROOF
from searcher.embedding.models import load_model
from searcher.errors import ModelError

TEXTS = ["bank", "The river flows near the bank.", "hello world " * 9, "test: café, naïve! 北京 [UNK] [PAD] river", ""]
POOLINGS = ["mean", "cls", "max"]
LAYERS = ["-1", "-2", "0", "-4:"]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Small models are slower with several."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(params=ARCHITECTURES, scope="module")
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_architecture(request.param, tmp_path_factory.mktemp("models") / request.param)


def pooled(states: list[torch.Tensor], pooling: str, layers: str) -> np.ndarray:
    """By the definition: the layers one after the other in each token, then over the tokens."""
    chosen = states[-4:] if layers == "-4:" else [states[int(layers)]]
    tokens = torch.cat(chosen, dim=-1).double()
    return {"mean": tokens.mean(0), "cls": tokens[0], "max": tokens.amax(0)}[pooling].numpy()


def test_every_pooling_of_every_layer_is_that_of_transformers(folder: Path) -> None:
    embedder = Embedder(folder)
    sequences = [own for own, _ in embedder.sequences(TEXTS)]
    states = hidden_states(folder, [list(own.ids) for own in sequences])
    settings = [(pooling, layers) for pooling in POOLINGS for layers in LAYERS]
    poolings = [Pooling.resolve(pooling, 4, layers) for pooling, layers in settings]
    for batch, found in embedder.pooled(sequences, poolings):
        for (pooling, layers), vectors in zip(settings, found, strict=True):
            expected = np.stack([pooled(states[i], pooling, layers) for i in batch])
            np.testing.assert_allclose(
                normalize(vectors), normalize(expected), atol=1e-6, err_msg=f"{pooling} {layers}"
            )


@pytest.mark.parametrize("kind", ["bert", "roberta", "xlm-roberta", "camembert"])
def test_the_packed_forward_pass_gives_them_too(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("searcher.embedding.encoder.choosing.SMALL_TOKENS", 0)
    test_every_pooling_of_every_layer_is_that_of_transformers(save_architecture(kind, tmp_path / kind))


def test_as_a_sentence_transformers_folder_it_gives_those_vectors(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "model")
    make_sentence_transformer(tmp_path / "model", {"pooling_mode": "mean"}, max_seq_length=24)
    theirs = SentenceTransformer(str(tmp_path / "model"), device="cpu")
    for mode in POOLINGS:
        edit(tmp_path / "model" / "1_Pooling" / "config.json", pooling_mode=mode)
        theirs[1] = TheirPooling(32, mode)
        # One text at a time: not every architecture gives sentence-transformers the same vector beside a longer text.
        expected = np.concatenate([theirs.encode([text]) for text in TEXTS])
        np.testing.assert_allclose(Embedder(tmp_path / "model").embed(TEXTS), expected, atol=1e-6)


@pytest.mark.parametrize("kind", [*ARCHITECTURES, *OTHERS])
def test_a_vector_is_the_same_alone_and_beside_other_texts(kind: str, tmp_path: Path) -> None:
    embedder = Embedder(save_architecture(kind, tmp_path / kind))
    texts = ["bank", "the boat is tied", "one two three " * 12, "", "the river bank", "hello world is open"]
    alone = np.concatenate([embedder.embed([text]) for text in texts])
    np.testing.assert_allclose(embedder.embed(texts), alone, atol=1e-6)


def test_every_architecture_that_is_padded_was_tried() -> None:
    assert set(ARCHITECTURES | OTHERS) >= PADDING_PROOF


# Windows.


@pytest.mark.parametrize("kind", sorted(FAIRSEQ))
def test_a_window_is_the_positions_behind_the_padding_and_can_be_filled(kind: str, tmp_path: Path) -> None:
    embedder = Embedder(save_architecture(kind, tmp_path / kind), normalize=False)
    assert (embedder.model.window, embedder.max_seq_length) == (64, 64)
    text = "river " * 62
    [(sequence, length)] = embedder.sequences([text])
    assert length == 64
    [states] = hidden_states(tmp_path / kind, [list(sequence.ids)])
    expected = states[-1].double().mean(0).numpy()
    np.testing.assert_allclose(normalize(embedder.embed([text])[0]), normalize(expected), atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "said", "window"),
    [
        ("roberta", {}, 64), ("roberta", {"pad_token_id": 4}, 61), ("luke", {}, 64), ("lilt", {}, 65),
        ("lilt", {"pad_token_id": 1}, 64), ("markuplm", {}, 65), ("mpnet", {"pad_token_id": 9}, 64),
        ("xlm", {"pad_token_id": 2}, 66), ("bert", {"pad_token_id": 1}, 66),
    ],
    ids=str,
)  # fmt: skip
def test_positions_start_behind_the_padding_that_transformers_would_take(
    kind: str, said: dict[str, int], window: int, tmp_path: Path
) -> None:
    folder = save_architecture(kind, tmp_path / kind)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    del config["pad_token_id"]
    write_json(folder / "config.json", config | said)
    (folder / "tokenizer_config.json").unlink()
    assert load_model(folder).window == window


@pytest.mark.parametrize("kind", ["xlm", "flaubert"])
def test_models_that_call_their_width_emb_dim_give_the_states_of_transformers(kind: str, tmp_path: Path) -> None:
    embedder = Embedder(save_architecture(kind, tmp_path / kind), layers="all", normalize=False)
    assert (embedder.model.width, embedder.model.layers, embedder.dimension) == (32, 4, 5 * 32)
    states = hidden_states(tmp_path / kind, [list(own.ids) for own, _ in embedder.sequences(TEXTS)])
    expected = np.stack([torch.cat(each, dim=-1).mean(0).numpy() for each in states])
    np.testing.assert_allclose(embedder.embed(TEXTS), expected, atol=1e-5)


@pytest.mark.parametrize("tie", [True, False, None])
def test_the_last_layer_is_the_models_output_whatever_is_tied(tie: bool | None, tmp_path: Path) -> None:
    folder = save_architecture("modernbert", tmp_path / "model")
    make_sentence_transformer(folder, {"pooling_mode": "mean"})
    edit(folder / "config.json", tie_last_hidden_states=tie)
    theirs = SentenceTransformer(str(folder), device="cpu")
    expected = np.concatenate([theirs.encode([text]) for text in TEXTS])
    np.testing.assert_allclose(Embedder(folder).embed(TEXTS), expected, atol=1e-6)


@pytest.mark.parametrize("kind", ["roberta", "mpnet"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_padding_token_in_a_text_takes_no_position_as_in_transformers(
    kind: str, packed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if packed:
        monkeypatch.setattr("searcher.embedding.encoder.choosing.SMALL_TOKENS", 0)
    embedder = Embedder(save_architecture(kind, tmp_path / kind))
    texts = ["river [PAD] bank", "[PAD]", "[PAD][PAD] one two three", "hello [PAD] world [PAD]"]
    states = hidden_states(tmp_path / kind, [list(own.ids) for own, _ in embedder.sequences(texts)])
    expected = normalize(np.stack([each[-1].double().mean(0).numpy() for each in states]))
    np.testing.assert_allclose(embedder.embed(texts), expected, atol=1e-6)


@pytest.mark.parametrize("positions", ["relative_key", "relative_key_query", "alibi"])
def test_positions_that_transformers_passes_over_in_silence_are_refused(positions: str, tmp_path: Path) -> None:
    folder = save_architecture("bert", tmp_path / "bert")
    edit(folder / "config.json", position_embedding_type=positions)
    model = AutoModel.from_pretrained(folder)
    if any(getattr(module, "position_embedding_type", None) == positions for module in model.modules()):
        pytest.skip("this transformers applies them")
    with pytest.raises(ModelError, match=f"has {positions} positions, which this transformers does not apply"):
        Embedder(folder).embed(["bank"])


@pytest.mark.parametrize("kind", ["clip_text_model", "dpr", "gpt2"])
def test_what_gives_no_states_of_its_tokens_is_one_clear_line_or_right(kind: str, tmp_path: Path) -> None:
    sizes = {"vocab_size": 200, "bos_token_id": None, "eos_token_id": 2, "pad_token_id": 0}
    config = CONFIG_MAPPING[kind](**sizes | ({"n_embd": 32, "n_layer": 2, "n_head": 2} if kind == "gpt2" else SIZES))
    AutoModel.from_config(config).save_pretrained(tmp_path)
    tokenizer_of("bert").save(str(tmp_path / "tokenizer.json"))
    embedder = Embedder(tmp_path)
    try:
        vectors = embedder.embed(TEXTS)
    except ModelError as fault:
        assert "\n" not in str(fault)
        return
    states = hidden_states(tmp_path, [list(own.ids) for own, _ in embedder.sequences(TEXTS)])
    expected = normalize(np.stack([each[-1].double().mean(0).numpy() for each in states]))
    np.testing.assert_allclose(vectors, expected, atol=1e-6)


def test_segments_that_a_tokenizer_gives_a_single_text_are_taken(tmp_path: Path) -> None:
    tokenizer = tokenizer_of("bert")
    special = [(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="$A [SEP] [CLS]:2", special_tokens=special)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    sizes = {"d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 64, "vocab_size": tokenizer.get_vocab_size()}
    model = AutoModel.from_config(CONFIG_MAPPING["xlnet"](**sizes, pad_token_id=0)).eval()
    randomise(model, 5)
    model.save_pretrained(tmp_path)
    expected = []
    for text in TEXTS:
        encoding = tokenizer.encode(text)
        inputs = {"input_ids": encoding.ids, "attention_mask": encoding.attention_mask}
        tensors = {name: torch.tensor([own]) for name, own in (inputs | {"token_type_ids": encoding.type_ids}).items()}
        with torch.inference_mode():
            expected.append(model(**tensors).last_hidden_state[0].double().mean(0).numpy())
    np.testing.assert_allclose(Embedder(tmp_path).embed(TEXTS), normalize(np.stack(expected)), atol=1e-6)
