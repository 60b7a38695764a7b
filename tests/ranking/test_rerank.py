"""Looking at the first hits more closely: MaxSim against loops in numpy, a cross-encoder against transformers."""

import json
import math
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from architectures import edit
from click.testing import CliRunner
from models import bert_tokenizer, pair_bert, randomise, save_bert, save_pair_model, save_roberta
from safetensors.torch import load_file
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    ElectraConfig,
    ElectraForSequenceClassification,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from searcher import Embedder, Searcher
from searcher.cli.program import cli
from searcher.embedding import maxsim, rarity
from searcher.errors import BadValue, ModelError
from searcher.ranking.rerank import MAXSIM

TEXTS = [
    "river water flows near the bank",
    "we keep our money in a bank account",
    "the boat is tied to the bank of the river and the water is near to it and to the boat",
    "hello world",
    "the question and the answer",
    "search the index of a model",
]
QUESTIONS = ["river bank", "the answer"]


@pytest.fixture(scope="module")
def searcher(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    with Searcher(tmp_path_factory.mktemp("rerank") / "index", tiny_bert) as searcher:
        searcher.add_texts(TEXTS, ids=[str(i) for i in range(len(TEXTS))])
        yield searcher


@pytest.fixture(scope="module")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT with one output and random parameters, as a folder."""
    model = pair_bert()
    randomise(model, 3)
    return save_pair_model(tmp_path_factory.mktemp("models") / "cross-encoder", model)


# -- token vectors


def test_token_vectors_are_those_of_the_last_layer_without_special_tokens(tiny_bert: Path) -> None:
    plain = Embedder(tiny_bert, pooling="none", special_tokens=False, normalize=True).embed(TEXTS)
    for pooling in ("mean", "cls"):
        found = Embedder(tiny_bert, pooling=pooling, layers=1).token_vectors(TEXTS)
        for one, other in zip(found, plain, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_prompt_is_read_but_gives_no_token_vectors(tiny_bert: Path) -> None:
    prompted = Embedder(tiny_bert, prompts={"query": "question and answer "})
    whole = Embedder(tiny_bert, pooling="none", special_tokens=False, normalize=True)
    [found], [wanted] = prompted.token_vectors(["river bank"], "query"), whole.embed(["question and answer river bank"])
    np.testing.assert_allclose(found, wanted[3:], atol=1e-6)


PROMPTS = ["question and answer ", "ri", "bank", "text wi", " ", "[MASK]"]


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_own_tokens_are_those_that_reach_beyond_the_prompt(tmp_path: Path, prompt: str, kind: str) -> None:
    folder = {"bert": save_bert, "roberta": save_roberta}[kind](tmp_path / kind)
    embedder = Embedder(folder, prompts={"query": prompt})
    whole = Embedder(folder, pooling="none", special_tokens=False, normalize=True)
    for text in ("ver bank", "ndow", "river", "we keep the boat"):
        [own] = embedder.own_tokens([text], "query")
        encoding = embedder.model.tokenizer.backend.encode(prompt + text, add_special_tokens=False)
        behind = [place for place, (_, end) in enumerate(encoding.offsets) if end > len(prompt)]
        assert own.ids.tolist() == [encoding.ids[place] for place in behind]
        np.testing.assert_allclose(own.vectors, whole.embed([prompt + text])[0][behind], atol=1e-6)
        np.testing.assert_array_equal(embedder.token_vectors([text], "query")[0], own.vectors)


def test_maxsim_is_the_weighted_mean_over_the_questions_tokens_of_the_best_match() -> None:
    likeness = np.array([[0.6, 0.8], [0.8, 0.6], [0, -1]], np.float32)  # three tokens of a text, two of a question
    assert maxsim(likeness, np.ones(2)) == pytest.approx(0.8)
    assert maxsim(likeness - np.array([0, 0.4], np.float32), np.array([3, 1])) == pytest.approx((3 * 0.8 + 0.4) / 4)


def test_a_token_in_few_texts_is_rare_and_one_in_all_still_counts() -> None:
    present = np.array([[True, True, False], [True, False, False]])
    np.testing.assert_allclose(rarity(present), np.log([3 / 2.5, 3 / 1.5, 3 / 0.5]))


# -- by MaxSim


def standardised(scores: list[float]) -> np.ndarray:
    return (np.array(scores) - np.mean(scores)) / np.std(scores)


def alike(searcher: Searcher, question: str, texts: list[str]) -> list[float]:
    """MaxSim of a question with each text, one pair of tokens at a time, by the root of the tokens' rarity."""
    settings = searcher.settings
    tokens = Embedder(settings.model, pooling="none", special_tokens=False, normalize=True)

    def own(prompt: str, text: str) -> tuple[list[int], np.ndarray]:
        encoding = bert_tokenizer().encode(prompt + text, add_special_tokens=False)
        places = [place for place, (_, end) in enumerate(encoding.offsets) if end > len(prompt)]
        return [encoding.ids[place] for place in places], tokens.embed([prompt + text])[0][places]

    (words, asked), *read = (
        own(settings.query_prompt, question),
        *(own(settings.passage_prompt, text) for text in texts),
    )
    held = [ids for ids, _ in read]
    rare = [math.sqrt(math.log((len(texts) + 1) / (sum(word in own for own in held) + 0.5))) for word in words]
    return [
        sum(weight * max(float(a @ b) for b in own) for weight, a in zip(rare, asked, strict=True)) / sum(rare)
        for _, own in read
    ]


def by_both(searcher: Searcher, question: str, hits: list[tuple[float, str]], weight: float) -> list[tuple[str, float]]:
    """Ids and scores of hits (score, id) by their score and MaxSim."""
    texts = [TEXTS[int(key)] for _, key in hits]
    weight *= min(1.0, np.mean([len(text) for text in texts]) / len(question) / 8)
    scores = standardised([score for score, _ in hits]) + weight * standardised(alike(searcher, question, texts))
    return sorted(zip([key for _, key in hits], scores.tolist(), strict=True), key=lambda hit: -hit[1])


def test_a_dense_search_is_put_in_the_order_of_cosine_and_maxsim(searcher: Searcher) -> None:
    for question, hits in zip(QUESTIONS, searcher.search(QUESTIONS, 4, rerank="maxsim"), strict=True):
        dense = [(hit.score, str(hit.id)) for hit in searcher.search(question, 100)]
        wanted = by_both(searcher, question, dense, 4.0)[:4]
        assert [hit.id for hit in hits] == [key for key, _ in wanted]
        np.testing.assert_allclose([hit.score for hit in hits], [score for _, score in wanted], atol=1e-3)
        assert [hit.rank for hit in hits] == [1, 2, 3, 4]


@pytest.mark.parametrize("prompts", [{"query": "ri"}, {"query": "search ", "passage": "te"}, {"query": "wate"}])
def test_a_prompt_that_joins_the_next_word_leaves_each_token_with_its_rarity(
    tiny_bert: Path, tmp_path: Path, prompts: dict[str, str]
) -> None:
    with Searcher(tmp_path / "index", tiny_bert, prompts=prompts) as prompted:
        prompted.add_texts(TEXTS, ids=[str(i) for i in range(len(TEXTS))])
        for question in ("ver bank", "r is near", "ver"):
            dense = [(hit.score, str(hit.id)) for hit in prompted.search(question, 100)]
            wanted = by_both(prompted, question, dense, 4.0)
            hits = prompted.search(question, len(TEXTS), rerank="maxsim")
            assert [hit.id for hit in hits] == [key for key, _ in wanted]
            np.testing.assert_allclose([hit.score for hit in hits], [score for _, score in wanted], atol=1e-3)


def test_a_hybrid_search_is_put_in_the_order_of_its_score_and_maxsim(searcher: Searcher) -> None:
    for question, hits in zip(QUESTIONS, searcher.search(QUESTIONS, 4, mode="hybrid", rerank="maxsim"), strict=True):
        before = [(hit.score, str(hit.id)) for hit in searcher.search(question, 100, mode="hybrid")]
        wanted = by_both(searcher, question, before, MAXSIM["hybrid"].weight)[:4]
        assert [hit.id for hit in hits] == [key for key, _ in wanted]
        np.testing.assert_allclose([hit.score for hit in hits], [score for _, score in wanted], atol=1e-3)


def test_questions_asked_together_get_what_each_gets_alone(searcher: Searcher) -> None:
    many = [f"{TEXTS[i % len(TEXTS)]} {i}" for i in range(20)]  # more than are looked at together
    for mode in ("dense", "hybrid"):
        together = searcher.search(many, 3, mode=mode, rerank="maxsim")
        alone = [searcher.search(question, 3, mode=mode, rerank="maxsim") for question in many]
        assert [[hit.id for hit in hits] for hits in together] == [[hit.id for hit in hits] for hits in alone]


@pytest.mark.parametrize("mode", ["dense", "hybrid"])
@pytest.mark.parametrize("question", ["\u200b", "\x00", "\ufeff", "\u0301", "*", "**"])
def test_a_question_of_which_the_model_reads_nothing_is_compared_by_its_special_tokens(
    searcher: Searcher, question: str, mode: str
) -> None:
    expected = {hit.id for hit in searcher.search(question, mode=mode)}
    hits = searcher.search(question, mode=mode, rerank="maxsim")
    assert {hit.id for hit in hits} == expected
    assert all(math.isfinite(hit.score) for hit in hits)


def test_reranking_an_empty_answer_is_an_empty_answer(searcher: Searcher) -> None:
    for mode in ("dense", "hybrid"):
        assert searcher.search([], 3, mode=mode, rerank="maxsim") == []
        assert searcher.search("river", 3, min_score=1e9, mode=mode, rerank="maxsim") == []


# -- by a cross-encoder


@pytest.mark.parametrize("mode", ["dense", "keyword", "hybrid"])
def test_a_cross_encoder_orders_the_hits_by_its_own_score(searcher: Searcher, cross_encoder: Path, mode: str) -> None:
    hits = searcher.search("river bank", 3, mode=mode, rerank=str(cross_encoder))
    found = [str(hit.id) for hit in searcher.search("river bank", 100, mode=mode)]
    model = BertForSequenceClassification.from_pretrained(cross_encoder).eval()
    tokenizer, scores = bert_tokenizer(), {}
    for key in found:
        pair = tokenizer.encode("river bank", TEXTS[int(key)])
        with torch.no_grad():
            logit = model(torch.tensor([pair.ids]), token_type_ids=torch.tensor([pair.type_ids])).logits
        scores[key] = float(torch.sigmoid(logit))
    wanted = sorted(found, key=lambda key: -scores[key])[:3]
    assert [hit.id for hit in hits] == wanted
    np.testing.assert_allclose([hit.score for hit in hits], [scores[key] for key in wanted], atol=1e-4)


def test_without_sentence_transformers_one_line_says_what_to_install(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(ModelError, match=r"needs sentence-transformers.*pip install 'searcher\[rerank\]'") as caught:
        searcher.search("river", rerank="some/cross-encoder-of-nobody")
    assert "\n" not in str(caught.value)


def test_a_model_that_is_none_is_one_line(searcher: Searcher, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no cross-encoder") as caught:
        searcher.search("river", rerank=str(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_model_with_several_outputs_is_refused(searcher: Searcher, tmp_path: Path, cross_encoder: Path) -> None:
    config = BertConfig.from_pretrained(cross_encoder, num_labels=3)
    for file in cross_encoder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    BertForSequenceClassification(config).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"scores of shape \(6, 3\) for 6 pairs"):
        searcher.search("river", rerank=str(tmp_path))


@pytest.fixture
def copied(cross_encoder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(cross_encoder, tmp_path / "copied")


HEADS: dict[str, tuple[type, type]] = {
    "bert": (BertConfig, BertForSequenceClassification),
    "roberta": (RobertaConfig, RobertaForSequenceClassification),
    "distilbert": (DistilBertConfig, DistilBertForSequenceClassification),
    "electra": (ElectraConfig, ElectraForSequenceClassification),
}


@pytest.mark.parametrize("kind", HEADS)
def test_a_model_whose_head_was_never_trained_is_refused(
    searcher: Searcher, cross_encoder: Path, copied: Path, kind: str
) -> None:
    config_class, head_class = HEADS[kind]
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    if kind == "distilbert":
        sizes = {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64}
    config = config_class(
        **sizes, vocab_size=bert_tokenizer().get_vocab_size(), max_position_embeddings=66, num_labels=1
    )
    whole = head_class(config)
    whole.base_model.save_pretrained(copied)  # an encoder, as `-m` takes it
    if kind == "distilbert":  # which takes no segments
        edit(copied / "tokenizer_config.json", model_input_names=["input_ids", "attention_mask"])
    with pytest.raises(
        ModelError, match=r"no cross-encoder .*: it has no trained (classifier|pre_classifier|pooler)"
    ) as caught:
        searcher.search("river", rerank=str(copied))
    assert "\n" not in str(caught.value)
    whole.save_pretrained(copied)
    assert len(searcher.search("river", 3, rerank=str(copied))) == 3


def test_the_bundled_encoder_is_no_cross_encoder(searcher: Searcher, bundled: str) -> None:
    for name in (bundled, bundled.rpartition("/")[2]):
        with pytest.raises(ModelError, match="it has no trained classifier"):
            searcher.search("river", rerank=name)


def test_a_head_of_another_size_is_refused(searcher: Searcher, copied: Path) -> None:
    config = json.loads((copied / "config.json").read_text(encoding="utf-8"))
    config["hidden_size"] = 64
    (copied / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelError, match="no cross-encoder") as caught:
        searcher.search("river", rerank=str(copied))
    assert "\n" not in str(caught.value)


def test_torch_weights_of_a_cross_encoder_are_read_only_when_asked(
    searcher: Searcher, cross_encoder: Path, copied: Path
) -> None:
    torch.save(load_file(copied / "model.safetensors"), copied / "pytorch_model.bin")
    (copied / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"no cross-encoder .*pytorch_model\.bin.*allow.*torch weights"):
        searcher.search("river", rerank=str(copied))
    expected = searcher.search("river", 3, rerank=str(cross_encoder))
    with Searcher(searcher.folder, torch_weights=True) as allowed:
        found = allowed.search("river", 3, rerank=str(copied))
    assert [(hit.id, hit.score) for hit in found] == [(hit.id, pytest.approx(hit.score, abs=1e-6)) for hit in expected]


def test_torch_weights_of_a_cross_encoder_that_would_run_code_are_refused(searcher: Searcher, copied: Path) -> None:
    (copied / "model.safetensors").unlink()
    torch.save({"x": _Runs(copied / "ran")}, copied / "pytorch_model.bin")
    with Searcher(searcher.folder, torch_weights=True) as allowed, pytest.raises(ModelError, match="no cross-encoder"):
        allowed.search("river", rerank=str(copied))
    assert not (copied / "ran").exists()


class _Runs:
    """A pickle that makes a folder when it is read."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
        return os.mkdir, (str(self.mark),)


# -- what cannot be


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"rerank": ""}, "rerank is ''; good: maxsim, or"),
        ({"rerank": 3}, "rerank is 3; good: maxsim, or"),
        ({"rerank": "maxsim", "mode": "keyword"}, "modes dense and hybrid, not 'keyword'"),
        ({"rerank": "maxsim", "mmr": 0.5}, "leave one out"),
        ({"rerank": "maxsim", "k": 0}, "k is 0"),
    ],
)
def test_what_cannot_be_reranked_is_said(searcher: Searcher, how: dict[str, object], message: str) -> None:
    with pytest.raises(BadValue, match=message):
        searcher.search("river", **how)


def test_a_vector_has_no_tokens_to_look_at(searcher: Searcher) -> None:
    with pytest.raises(BadValue, match="rerank needs the question as a text"):
        searcher.search(np.ones(32, np.float32), rerank="maxsim")


def test_the_command_line_reranks_as_the_library_does(searcher: Searcher) -> None:
    command = ["search", "river bank", "-i", str(searcher.folder), "--rerank", "maxsim", "--json", "-k", "3"]
    result = CliRunner().invoke(cli, command, catch_exceptions=False)
    assert result.exit_code == 0
    found = [(hit["id"], hit["score"]) for hit in json.loads(result.stdout)]
    assert found == [
        (hit.id, pytest.approx(hit.score, abs=1e-4)) for hit in searcher.search("river bank", 3, rerank="maxsim")
    ]
