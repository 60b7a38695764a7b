"""A cross-encoder that was trained: it puts the right passage first, with the logits that transformers computes."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from models import pair_bert, randomise, save_pair_model
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from searcher import Searcher
from searcher.cli.program import cli

# What only one who was taught it knows: no question shares a word with its answer alone.
ANSWERS = {
    "where is the money": "our account is open near the river",
    "where is the boat": "tied to the bank of the water",
    "what is a vector": "the pooling of one layer of the model",
    "what is a passage": "three text of a document, near to the index",
}
QUESTIONS = list(ANSWERS)
TEXTS = {**ANSWERS, "long": "the text of a token " * 12}  # which with a question is longer than the window
STEPS = 30


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small BERT that was trained to tell each question's answer from the others."""
    folder = tmp_path_factory.mktemp("models") / "trained"
    randomise(model := pair_bert(), 3)
    save_pair_model(folder, model)
    model.eval()  # without dropout
    pairs = [(question, text) for question in QUESTIONS for text in ANSWERS.values()]
    inputs = AutoTokenizer.from_pretrained(folder)(
        [question for question, _ in pairs], [text for _, text in pairs],
        padding=True, truncation=True, return_tensors="pt",
    )  # fmt: skip
    right = torch.arange(len(QUESTIONS))
    optimizer = torch.optim.AdamW(model.parameters(), 5e-3)
    for _ in range(STEPS):
        scores = model(**inputs).logits.view(len(QUESTIONS), len(ANSWERS))
        loss = torch.nn.functional.cross_entropy(scores, right)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.1
    return save_pair_model(folder, model)


@pytest.fixture(scope="module")
def searcher(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    with Searcher(tmp_path_factory.mktemp("cross-encoder") / "index", tiny_bert) as searcher:
        searcher.add_texts(list(TEXTS.values()), ids=list(TEXTS))
        yield searcher


@pytest.fixture(scope="module")
def logits(trained: Path) -> dict[str, dict[str, float]]:
    """For each question the id of each passage → what transformers makes of the two, one pair at a time."""
    tokenizer = AutoTokenizer.from_pretrained(trained)
    model = AutoModelForSequenceClassification.from_pretrained(trained).eval()

    def logit(question: str, text: str) -> float:
        with torch.no_grad():
            return float(model(**tokenizer(question, text, truncation=True, return_tensors="pt")).logits)

    return {question: {key: logit(question, text) for key, text in TEXTS.items()} for question in QUESTIONS}


@pytest.mark.parametrize("mode", ["dense", "hybrid"])
def test_the_passage_that_it_was_taught_comes_first_in_the_order_of_its_logits(
    searcher: Searcher, trained: Path, logits: dict[str, dict[str, float]], mode: str
) -> None:
    for question, expected in logits.items():
        hits = searcher.search(question, len(TEXTS), mode=mode, rerank=str(trained))
        assert [hit.id for hit in hits] == sorted(expected, key=lambda key: -expected[key])
        assert hits[0].id == question
        scores = np.array([hit.score for hit in hits])
        assert np.log(scores / (1 - scores)) == pytest.approx([expected[str(hit.id)] for hit in hits], abs=1e-5)


def test_without_it_not_all_come_first(searcher: Searcher) -> None:
    assert any(searcher.search(question, 1)[0].id != question for question in QUESTIONS)


def test_a_batch_of_questions_gets_what_each_gets_alone(searcher: Searcher, trained: Path) -> None:
    together = searcher.search(QUESTIONS, 3, rerank=str(trained))
    for question, hits in zip(QUESTIONS, together, strict=True):
        alone = searcher.search(question, 3, rerank=str(trained))
        assert [hit.id for hit in hits] == [hit.id for hit in alone]
        assert [hit.score for hit in hits] == pytest.approx([hit.score for hit in alone], abs=1e-5)


def test_the_command_line_reranks_one_question_and_a_file_of_them(
    searcher: Searcher, trained: Path, tmp_path: Path
) -> None:
    (tmp_path / "questions.txt").write_text("\n".join(QUESTIONS) + "\n", encoding="utf-8")
    command = ["search", "-i", str(searcher.folder), "--rerank", str(trained), "-k", "2"]
    one = CliRunner().invoke(cli, [*command, QUESTIONS[2], "--json"], catch_exceptions=False)
    many = CliRunner().invoke(
        cli, [*command, "--queries", str(tmp_path / "questions.txt"), "--jsonl"], catch_exceptions=False
    )
    expected = searcher.search(QUESTIONS, 2, rerank=str(trained))
    assert [hit["id"] for hit in json.loads(one.stdout)] == [hit.id for hit in expected[2]]
    found = [json.loads(line) for line in many.stdout.splitlines()]
    assert [hit["id"] for hit in found] == [hit.id for hits in expected for hit in hits]
    assert [hit["score"] for hit in found] == pytest.approx([hit.score for hits in expected for hit in hits], abs=1e-4)


def test_logits_so_great_that_their_sigmoids_are_all_one_in_float32_still_order(
    searcher: Searcher, trained: Path, logits: dict[str, dict[str, float]], tmp_path: Path
) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(trained)
    with torch.no_grad():
        model.classifier.bias += 25
    folder = save_pair_model(tmp_path / "sure", model)
    for question, expected in logits.items():
        hits = searcher.search(question, len(TEXTS), rerank=str(folder))
        assert [hit.id for hit in hits] == sorted(expected, key=lambda key: -expected[key])
