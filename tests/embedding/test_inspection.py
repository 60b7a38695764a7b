"""Inspect: tokens, segments, windows, and a word's vectors, against transformers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, BertTokenizerFast

from searcher import Embedder
from searcher.embedding import inspect_text, inspect_word

TEXT = "The bank of the river. We keep money in the bank!"


def reference_tokenizer(folder: Path) -> BertTokenizerFast:
    """transformers' own tokenizer on the same vocabulary, neither truncating nor padding."""
    return BertTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))


def test_tokens_ids_and_segments_are_those_of_transformers(tiny_bert: Path) -> None:
    result = inspect_text(Embedder(tiny_bert), TEXT, pair="hello world")
    expected = reference_tokenizer(tiny_bert)(TEXT, "hello world", truncation=False, padding=False)
    assert [row["id"] for row in result["tokens"]] == expected["input_ids"]
    assert [row["segment"] for row in result["tokens"]] == expected["token_type_ids"]
    assert [row["position"] for row in result["tokens"] if row["special"]] == [0, 14, 17]
    assert [row["token"] for row in result["tokens"]][:3] == ["[CLS]", "the", "bank"]
    words = [(row["start"], row["end"]) for row in result["tokens"] if not row["special"]]
    assert TEXT[slice(*words[1])] == "bank"
    assert "hello world"[slice(*words[-1])] == "world"


def test_windows_cover_the_text_and_keep_to_the_limit(tiny_bert: Path) -> None:
    result = inspect_text(Embedder(tiny_bert, max_seq_length=10), TEXT)
    pieces = [TEXT[window["start"] : window["end"]] for window in result["windows"]]
    assert " ".join(pieces) == TEXT
    assert max(window["tokens"] for window in result["windows"]) <= 10
    assert pieces[0] == "The bank of the river."


@pytest.mark.parametrize("layers", ["-1", "0", "1,3"])
def test_cosines_of_a_word_are_those_of_its_hidden_states(tiny_bert: Path, layers: str) -> None:
    result = inspect_word(Embedder(tiny_bert, layers=layers, combine="sum"), TEXT, "Bank")
    encoded = reference_tokenizer(tiny_bert)(TEXT, return_tensors="pt", truncation=False, padding=False)
    with torch.inference_mode():
        states = AutoModel.from_pretrained(tiny_bert)(**encoded, output_hidden_states=True).hidden_states
    numbers = {"-1": [4], "0": [0], "1,3": [1, 3]}[layers]
    hidden = sum(states[number][0] for number in numbers).double().numpy()
    tokens = encoded.tokens()
    first, second = (i for i, token in enumerate(tokens) if token == "bank")

    def cosine(a: int, b: int) -> float:
        return float(hidden[a] @ hidden[b] / np.linalg.norm(hidden[a]) / np.linalg.norm(hidden[b]))

    assert result["cosines"][0][1] == pytest.approx(cosine(first, second), abs=1e-5)
    assert [name for name, _ in result["occurrences"][0]["neighbours"]] == ["The", "of"]
    assert result["occurrences"][0]["neighbours"][0][1] == pytest.approx(cosine(first, first - 1), abs=1e-5)
    assert result["occurrences"][1]["neighbours"][1] == ("!", pytest.approx(cosine(second, second + 1), abs=1e-5))
    assert [TEXT[row["start"] : row["end"]] for row in result["occurrences"]] == ["bank", "bank"]


def test_a_word_of_several_tokens_is_their_mean(tiny_bert: Path) -> None:
    result = inspect_word(Embedder(tiny_bert), "texts and texts", "texts")
    assert len(result["occurrences"]) == 2
    assert result["occurrences"][0]["end"] == 5
