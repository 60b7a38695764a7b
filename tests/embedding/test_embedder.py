"""Vectors of texts and pairs against sentence-transformers and transformers, prompts, truncation, bad input."""

import json
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from models import make_sentence_transformer, save_bert, save_roberta, write_json
from scipy.stats import spearmanr
from sentence_transformers import SentenceTransformer
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerFast

from searcher import Embedder
from searcher.errors import BadValue, UnknownName

TEXTS = [
    "bank", "The river flows near the bank.", "hello world", "we keep the account open " * 20, "test: café, naïve!",
    "one two three", "x" * 150, "北京是中国的首都", "😀 and\r\nwater\ttied",
]  # fmt: skip
POOLINGS = ["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]
PROMPTS = {"query": "search the index: ", "document": "passage: "}


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


def embed(embedder: Embedder, texts: list[str], kind: str = "passage") -> np.ndarray:
    """Vectors, the warning on what was cut left out."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "[0-9]+ of [0-9]+ texts are longer")
        return embedder.embed(texts, kind)  # type: ignore[arg-type]


def same(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Equal in direction, cosine at least 0.99999, and in length."""
    assert ours.shape == theirs.shape
    lengths = np.linalg.norm(ours, axis=1), np.linalg.norm(theirs, axis=1)
    assert ((ours * theirs).sum(1) / lengths[0] / lengths[1]).min() >= 0.99999
    np.testing.assert_allclose(*lengths, rtol=1e-4)


# sentence-transformers.


@pytest.mark.parametrize("include_prompt", [True, False])
@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("modes", [*POOLINGS, ("cls", "max"), ("lasttoken", "mean", "weightedmean")], ids=str)
def test_a_sentence_transformers_folder_gives_its_vectors(
    folder: Path, modes: str | tuple[str, ...], normalize: bool, include_prompt: bool
) -> None:
    pooling = {"pooling_mode": modes, "include_prompt": include_prompt}
    make_sentence_transformer(folder, pooling, normalize=normalize, max_seq_length=24, prompts=PROMPTS)
    theirs, ours = SentenceTransformer(str(folder), device="cpu"), Embedder(folder)
    same(embed(ours, TEXTS), theirs.encode_document(TEXTS))
    same(embed(ours, TEXTS, "query"), theirs.encode_query(TEXTS))


@pytest.mark.parametrize(
    "old", ["cls_token", "max_tokens", "mean_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"]
)
def test_the_older_form_of_a_pooling_file_is_read(folder: Path, old: str) -> None:
    make_sentence_transformer(folder, {"pooling_mode_mean_tokens": False, f"pooling_mode_{old}": True})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = SentenceTransformer(str(folder), device="cpu").encode(TEXTS)
    same(embed(Embedder(folder), TEXTS), theirs)


@pytest.mark.parametrize("length", [5, 16, 64])
def test_max_seq_length_cuts_where_sentence_transformers_does(folder: Path, length: int) -> None:
    make_sentence_transformer(folder, {"pooling_mode": "mean"}, max_seq_length=length)
    same(embed(Embedder(folder), TEXTS), SentenceTransformer(str(folder), device="cpu").encode(TEXTS))


def test_do_lower_case_lowers_a_cased_models_text(tmp_path: Path) -> None:
    folder = save_bert(tmp_path / "cased", layers=2, lowercase=False)
    make_sentence_transformer(folder, {"pooling_mode": "mean"})
    upper = ["The RIVER Bank", "Hello World"]
    plain = embed(Embedder(folder), upper)
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 32, "do_lower_case": true}')
    lowered = embed(Embedder(folder), upper)
    same(lowered, SentenceTransformer(str(folder), device="cpu").encode(upper))
    same(lowered, embed(Embedder(folder), ["the river bank", "hello world"]))
    assert (lowered * plain).sum(1).max() < 0.999


@pytest.mark.parametrize(
    ("prompts", "default"),
    [
        ({"query": "q: ", "document": ""}, None), ({"query": "", "document": "d: "}, "document"),
        ({"query": "q: ", "document": "d: "}, "query"), ({}, None),
    ],
    ids=str,
)  # fmt: skip
def test_prompts_are_those_of_encode_query_and_encode_document(
    folder: Path, prompts: dict[str, str], default: str | None
) -> None:
    make_sentence_transformer(folder, {"pooling_mode": "mean"}, prompts=prompts, default_prompt_name=default)
    theirs, ours = SentenceTransformer(str(folder), device="cpu"), Embedder(folder)
    same(ours.embed(["river"]), theirs.encode_document(["river"]))
    same(ours.embed(["river"], "query"), theirs.encode_query(["river"]))


def test_a_passage_prompt_may_have_other_names_and_the_default_prompt_is_for_neither_kind(folder: Path) -> None:
    make_sentence_transformer(
        folder, {"pooling_mode": "mean"}, prompts={"sts": "test: ", "passage": "p: "}, default_prompt_name="sts"
    )
    assert Embedder(folder).prompts == {"query": "", "passage": "p: "}


def test_roberta_gives_the_vectors_of_sentence_transformers(tmp_path: Path) -> None:
    folder = make_sentence_transformer(save_roberta(tmp_path / "roberta"), {"pooling_mode": "mean"}, max_seq_length=32)
    same(embed(Embedder(folder), TEXTS), SentenceTransformer(str(folder), device="cpu").encode(TEXTS))


def test_the_bundled_model_gives_the_vectors_of_sentence_transformers(bundled: str) -> None:
    embedder = Embedder(bundled)
    theirs = SentenceTransformer(str(embedder.model.folder), device="cpu")
    long = ["The river flows past the bank where we keep the boat. " * 40]
    same(embed(embedder, [*TEXTS, *long]), theirs.encode([*TEXTS, *long]))


def test_sts_benchmark_agrees_with_people_as_published(data: Path, bundled: str) -> None:
    pairs = [json.loads(line) for line in (data / "stsb-test.jsonl").read_text(encoding="utf-8").splitlines()]
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    vectors = Embedder(bundled).embed([pair[side] for side in "ab" for pair in pairs])
    torch.set_num_threads(threads)
    first, second = np.split(vectors, 2)
    correlation = spearmanr((first * second).sum(1), [pair["score"] for pair in pairs]).statistic
    assert 100 * correlation == pytest.approx(82.03, abs=0.1)


# Pairs of texts, against transformers.

PAIRS = [
    ("the river bank", "we keep money in the account"), ("water", "the boat is tied " * 20),
    ("the water flows " * 20, "money"), ("the water flows " * 20, "the boat is tied " * 20), ("", "one"),
    ("one two three " * 8, "the bank is near the river " * 8),
]  # fmt: skip


@pytest.mark.parametrize("kind", ["bert", "roberta"])
@pytest.mark.parametrize("limit", [64, 31, 30])
def test_pairs_are_encoded_and_cut_as_transformers_does(tmp_path: Path, kind: str, limit: int) -> None:
    folder = {"bert": save_bert, "roberta": save_roberta}[kind](tmp_path / kind)
    if kind == "bert":
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_file=str(folder / "tokenizer.json"), model_input_names=["input_ids", "token_type_ids"]
        )
    else:
        tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()
    expected = []
    for a, b in PAIRS:
        inputs = tokenizer(a, b, truncation="longest_first", max_length=limit, padding=False, return_tensors="pt")
        with torch.inference_mode():
            expected.append(model(**inputs).last_hidden_state[0].mean(0).numpy())
    embedder = Embedder(folder, max_seq_length=limit, normalize=False)
    vectors = embed(embedder, PAIRS)  # type: ignore[arg-type]
    np.testing.assert_allclose(vectors, np.stack(expected), atol=1e-5)


def test_the_segments_of_a_pair_are_0_and_1_for_bert(tiny_bert: Path) -> None:
    [(sequence, length)] = Embedder(tiny_bert).sequences([("one two", "three")])
    assert (sequence.segments, length) == ([0, 0, 0, 0, 1, 1], 6)
    [(sequence, _)] = Embedder(tiny_bert).sequences(["one two"])
    assert sequence.segments is None


def test_pairs_and_texts_mix_in_one_call(tiny_bert: Path) -> None:
    embedder = Embedder(tiny_bert)
    mixed = embedder.embed(["river", ("river", "bank"), "bank"])
    np.testing.assert_allclose(mixed[[0, 2]], embedder.embed(["river", "bank"]), atol=1e-6)
    np.testing.assert_allclose(mixed[[1]], embedder.embed([("river", "bank")]), atol=1e-6)
    assert float(mixed[1] @ embedder.embed([("bank", "river")])[0]) < 0.9999


# Prompts.


def test_a_query_prompt_changes_queries_only(tiny_bert: Path) -> None:
    plain, prompted = Embedder(tiny_bert), Embedder(tiny_bert, prompts={"query": "question: "})
    np.testing.assert_allclose(prompted.embed(["bank"]), plain.embed(["bank"]), atol=1e-6)
    np.testing.assert_allclose(prompted.embed(["bank"], "query"), plain.embed(["question: bank"]), atol=1e-6)
    assert float(prompted.embed(["bank"], "query")[0] @ prompted.embed(["bank"])[0]) < 0.999


def test_an_empty_prompt_given_beats_the_models_own(folder: Path) -> None:
    make_sentence_transformer(folder, {"pooling_mode": "mean"}, prompts=PROMPTS)
    assert Embedder(folder, prompts={"query": ""}).prompts == {"query": "", "passage": "passage: "}


# Length.


def test_a_text_that_is_cut_is_warned_of(tiny_bert: Path) -> None:
    embedder = Embedder(tiny_bert, max_seq_length=6)
    with pytest.warns(UserWarning, match="1 of 2 texts are longer than 6 tokens and were cut there"):
        vectors = embedder.embed(["one two three one two", "one two three one"])
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)


def test_a_text_is_never_cut_by_the_tokenizer_file(tiny_bert: Path) -> None:
    # Its tokenizer.json truncates and pads at 16.
    [(sequence, length)] = Embedder(tiny_bert).sequences(["one " * 40])
    assert (len(sequence.ids), length) == (42, 42)
    [(sequence, _)] = Embedder(tiny_bert).sequences(["one"])
    assert len(sequence.ids) == 3


def test_a_text_too_long_is_cut_at_the_side_that_the_folder_says(tmp_path: Path) -> None:
    folder = save_bert(tmp_path / "model", layers=2, truncate_at=None)
    write_json(folder / "tokenizer_config.json", {"truncation_side": "left", "tokenizer_class": "BertTokenizer"})
    embedder, theirs = Embedder(folder, max_seq_length=7), AutoTokenizer.from_pretrained(folder)
    for text in ("one two three the river bank money", ("one two three the river", "bank money water open")):
        [(sequence, _)] = embedder.sequences([text])
        pair = text if isinstance(text, tuple) else (text,)
        expected = theirs(*pair, truncation="longest_first", max_length=7)["input_ids"]
        assert list(sequence.ids) == expected
        assert theirs.convert_ids_to_tokens(expected)[1] != "one"


@pytest.mark.parametrize("length", [0, -1, 65])
def test_a_max_seq_length_beyond_the_window_is_refused(tiny_bert: Path, length: int) -> None:
    with pytest.raises(BadValue, match=f"max_seq_length {length} is not between 1 and the model's 64"):
        Embedder(tiny_bert, max_seq_length=length)


@pytest.mark.parametrize(("length", "text"), [(1, "one"), (2, "one"), (3, ("one", "two"))])
def test_a_max_seq_length_of_special_tokens_only_is_refused(tiny_bert: Path, length: int, text: str) -> None:
    with pytest.raises(BadValue, match=f"max_seq_length {length} leaves no room for text"):
        Embedder(tiny_bert, max_seq_length=length).embed([text])


# Progress and odd input.


def test_progress_counts_every_text_once(tiny_bert: Path) -> None:
    counts: list[int] = []
    Embedder(tiny_bert).embed(["one two three " * 15] * 200, progress=counts.append)
    assert sum(counts) == 200 and len(counts) > 1


def test_no_texts_give_no_vectors(tiny_bert: Path) -> None:
    vectors = Embedder(tiny_bert, pooling="mean_max").embed([])
    assert (vectors.shape, vectors.dtype) == ((0, 64), np.float32)
    assert Embedder(tiny_bert, pooling="none").embed([]) == []


def test_rows_are_unit_vectors_unless_asked_otherwise(tiny_bert: Path) -> None:
    texts = ["", "bank", "hello world"]
    np.testing.assert_allclose(np.linalg.norm(Embedder(tiny_bert).embed(texts), axis=1), 1, atol=1e-6)
    assert abs(np.linalg.norm(Embedder(tiny_bert, normalize=False).embed(texts), axis=1) - 1).min() > 0.1


def test_the_same_text_has_the_same_vector_in_any_order(tiny_bert: Path) -> None:
    embedder = Embedder(tiny_bert)
    texts = ["bank", "the river", "hello world is open", ""]
    np.testing.assert_allclose(embedder.embed(texts)[::-1], embedder.embed(texts[::-1]), atol=1e-6)


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        ("hello", r"embed takes a list of texts; for one text write embed\(\[text\]\)"),
        (["ok", "a\ud800b"], r"text 2 holds a lone surrogate \(U\+D800\) at character 2"),
        ([("ok", "\udfff")], r"text 1 holds a lone surrogate \(U\+DFFF\) at character 1"),
        ([None], "text 1 is NoneType None, not str"), (["a", 3], "text 2 is int 3, not str"),
        ([b"x"], "text 1 is bytes"),
        ([["a", "b"]], "text 1 is list"), ([("a", "b", "c")], "text 1 is a tuple of 3; a pair has 2"),
        (["x", ("a",)], "text 2 is a tuple of 1; a pair has 2"), ([()], "text 1 is a tuple of 0; a pair has 2"),
    ],
)  # fmt: skip
def test_what_is_no_text_is_refused_by_its_number(tiny_bert: Path, texts: list[str], problem: str) -> None:
    with pytest.raises(BadValue, match=problem):
        Embedder(tiny_bert).embed(texts)


def test_an_unknown_kind_is_refused(tiny_bert: Path) -> None:
    with pytest.raises(UnknownName, match="unknown kind 'document'; known: passage, query"):
        Embedder(tiny_bert).embed(["x"], "document")  # type: ignore[arg-type]


def test_an_unknown_prompt_is_refused(tiny_bert: Path) -> None:
    with pytest.raises(UnknownName, match="unknown prompt 'document'; known: passage, query"):
        Embedder(tiny_bert, prompts={"document": "x"})


@pytest.mark.parametrize("device", ["gpu", "cuda:99", ""])
def test_a_device_that_is_not_there_is_one_clear_line(tiny_bert: Path, device: str) -> None:
    with pytest.raises(BadValue, match=f"device '{device}' cannot be used: ") as error:
        Embedder(tiny_bert, device=device).embed(["x"])
    assert "\n" not in str(error.value)
