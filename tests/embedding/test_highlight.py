"""The highlighted sentence: an independent MaxSim, exact offsets, and the answers of XQuAD."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from models import save_bert, save_roberta
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerFast

from searcher import Embedder, Searcher
from searcher.cli import main
from searcher.embedding.encoder.choosing import SMALL_TOKENS
from searcher.embedding.highlight import _MARKUP as MARKUP
from searcher.embedding.highlight import SAME_TOKEN, best_sentences, sentences
from searcher.errors import BadValue

TEXTS = [
    "The bank is near the river. We keep our money in the bank. Hello world.",
    "one two three. The boat is tied. Water flows near the bank. The account is open. Café, naïve test.",
    "only one sentence here",
    "北京是中国的首都。上海很大。",
]
QUESTIONS = ["where do we keep our money", "is the boat tied to the bank", "hello hello", "首都"]


def maxsim(folder: Path, question: str, text: str, spans: list[tuple[int, int]]) -> int:
    """The best sentence by transformers' own states half the way up, token by token in plain loops."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert isinstance(tokenizer, PreTrainedTokenizerFast)
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    model = AutoModel.from_pretrained(folder).eval()

    def tokens(own: str) -> list[tuple[int, tuple[int, int], np.ndarray]]:
        encoding = tokenizer(own, return_tensors="pt", return_offsets_mapping=True, return_special_tokens_mask=True)
        special, offsets = encoding.pop("special_tokens_mask")[0], encoding.pop("offset_mapping")[0]
        with torch.no_grad():
            every = model(**encoding, output_hidden_states=True).hidden_states
            states = every[max(1, round((len(every) - 1) / 2))][0].double().numpy()
        states /= np.linalg.norm(states, axis=1, keepdims=True)
        every = zip(encoding["input_ids"][0].tolist(), offsets.tolist(), states, special.tolist(), strict=True)
        return [(number, (a, b), state) for number, (a, b), state, mark in every if not mark]

    asked, own = tokens(question), tokens(text)
    held = [[token for token in own if a <= token[1][0] < b] for a, b in spans]
    ids = [{token[0] for token in sentence} for sentence in held]
    rarity = {number: np.log((len(spans) + 1) / (sum(number in each for each in ids) + 0.5)) for number, _, _ in asked}
    scores = []
    for sentence, present in zip(held, ids, strict=True):
        total = sum(rarity[number] for number, _, _ in asked)
        nearest = sum(
            rarity[number] * max(float(state @ other) for _, _, other in sentence) for number, _, state in asked
        )
        scores.append(
            nearest / total + SAME_TOKEN * sum(weight for number, weight in rarity.items() if number in present)
        )
    return scores.index(max(scores))


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("question", QUESTIONS)
def test_the_sentence_is_the_one_that_maxsim_over_transformers_states_chooses(
    tiny_bert: Path, question: str, text: str
) -> None:
    spans = sentences(text)
    [found] = best_sentences(Embedder(tiny_bert), question, [text])
    assert found == spans[maxsim(tiny_bert, question, text, spans)]


def test_a_sentence_is_found_with_byte_level_tokens_too(tmp_path: Path) -> None:
    folder = save_roberta(tmp_path / "roberta")
    for question in QUESTIONS[:3]:
        spans = sentences(TEXTS[0])
        assert best_sentences(Embedder(folder), question, TEXTS[:1]) == [
            spans[maxsim(folder, question, TEXTS[0], spans)]
        ]


def test_the_same_sentence_is_found_whatever_else_is_asked_with_it(tiny_bert: Path) -> None:
    embedder = Embedder(tiny_bert)
    alone = [best_sentences(embedder, QUESTIONS[0], [text])[0] for text in TEXTS]
    assert best_sentences(embedder, QUESTIONS[0], TEXTS) == alone
    assert best_sentences(embedder, QUESTIONS[0], TEXTS[::-1]) == alone[::-1]


def test_prompts_are_put_before_the_texts_but_are_no_tokens_of_theirs(tmp_path: Path) -> None:
    folder = save_bert(tmp_path / "model", layers=2)
    prompts = {"query": "search the index: ", "passage": "passage: "}
    for text in TEXTS[:2]:
        [found] = best_sentences(Embedder(folder, prompts=prompts), "boat", [text])
        assert found in sentences(text)
    # A question that is the prompt's own word finds it in the text, not in the prompt.
    text = "The river flows. Search the index. Hello world."
    assert best_sentences(Embedder(folder, prompts={"passage": "index "}), "index", [text]) == [(17, 34)]


def test_a_text_longer_than_the_window_is_searched_to_its_end(tiny_bert: Path) -> None:
    text = "The river flows near the bank. " * 20 + "Hello world."
    assert best_sentences(Embedder(tiny_bert), "hello world", [text]) == [(len(text) - 12, len(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two? Three!", ["One.", "Two?", "Three!"]),
        ("Dr. Smith came at 5 p.m. yesterday. He left.", ["Dr. Smith came at 5 p.m. yesterday.", "He left."]),
        ("# Install\nRun it. Twice,\nif need be.", ["# Install", "Run it.", "Twice,\nif need be."]),
        ("- pip\n- conda\n1. first", ["- pip", "- conda", "1. first"]),
        ("| a | b |\n| c | d |", ["| a | b |", "| c | d |"]),
        ("a heading\n\nand a paragraph", ["a heading", "and a paragraph"]),
        ("  \n...\n", ["  \n...\n"]),
        ("", [""]),
        ("北京是首都。上海很大。", ["北京是首都。", "上海很大。"]),
        ("😀 It rains. 😀 It pours.", ["😀 It rains.", "😀 It pours."]),
    ],
)
def test_sentences_are_cut_where_they_end(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == expected


@pytest.fixture
def searcher(tiny_bert: Path, tmp_path: Path) -> Searcher:
    searcher = Searcher(tmp_path / "index", tiny_bert, chunk_tokens=32)
    searcher.add_texts([" ".join(TEXTS), "😀 " + TEXTS[0], "short"], ids=["long", "emoji", "short"])
    return searcher


def test_offsets_of_a_highlight_are_those_of_its_document(searcher: Searcher) -> None:
    hits = searcher.search("where do we keep our money", highlight=True)
    assert len(hits) > 3
    for hit in hits:
        text = searcher.document(hit.source).text
        assert text[hit.highlight.start : hit.highlight.end] == hit.highlight.text
        assert hit.start <= hit.highlight.start < hit.highlight.end <= hit.end
        start, end = best_sentences(searcher.embedder, "where do we keep our money", [hit.text])[0]
        assert hit.text[start:end] == hit.highlight.text


def test_highlights_change_nothing_else_of_the_hits(searcher: Searcher) -> None:
    plain = searcher.search(QUESTIONS[:2])
    marked = searcher.search(QUESTIONS[:2], highlight=True)
    unmarked = [[{**hit.as_dict(), "highlight": None} for hit in hits] for hits in marked]
    assert unmarked == [[{**hit.as_dict(), "highlight": None} for hit in hits] for hits in plain]
    assert all(hit.highlight is None and "highlight" not in hit.as_dict() for hits in plain for hit in hits)


def test_a_vector_has_no_words_to_highlight_by(searcher: Searcher) -> None:
    with pytest.raises(BadValue, match="the question's text"):
        searcher.search(np.ones(32, np.float32), highlight=True)


@pytest.mark.parametrize("form", ["--json", "--jsonl", ""])
def test_search_highlight_prints_the_sentence(
    searcher: Searcher, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    [hit] = searcher.search("our money", 1, highlight=True)
    searcher.close()
    with pytest.raises(SystemExit) as stop:
        main(["search", "our money", "-k", "1", "-i", str(searcher.folder), "--highlight", *([form] if form else [])])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    if form:
        value = json.loads(out)
        highlight = (value[0] if form == "--json" else value)["highlight"]
        mark = hit.highlight
        assert highlight == {"text": mark.text, "start": mark.start, "end": mark.end, "line": 1}
    else:
        assert f"    {hit.highlight.text}" in out.splitlines()  # in bold, where there is any


def test_a_cold_shell_highlights_a_page_of_hits_without_torch(tiny_bert: Path, tmp_path: Path) -> None:
    with Searcher(tmp_path / "index", tiny_bert) as searcher:
        searcher.add_texts([f"test {number}. " + " ".join(TEXTS[:2]) for number in range(20)])
        lengths = [
            len(own) for own in searcher.embedder.model.tokenizer.encode([hit.text for hit in searcher.search("a", 20)])
        ]
    assert sum(lengths) > SMALL_TOKENS
    code = f"""
import sys
from searcher.cli import main
try:
    main(["search", "is the boat tied", "-k", "20", "-i", {str(tmp_path / "index")!r}, "--highlight", "--json"])
except SystemExit as stop:
    print(stop.code, "torch" in sys.modules, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "0 False\n"
    expected = searcher.search("is the boat tied", 20, highlight=True)
    marks = {hit.passage_id: hit.as_dict()["highlight"] for hit in expected}
    assert {hit["passage_id"]: hit["highlight"] for hit in json.loads(done.stdout)} == marks


@pytest.mark.parametrize("count", [150])
def test_four_of_five_answers_lie_in_the_highlight(bundled: str, data: Path, count: int) -> None:
    folder = data / "xquad"
    rows, paragraphs = (
        [json.loads(line) for line in (folder / name).read_text("utf-8").splitlines()]
        for name in ("queries.jsonl", "corpus.jsonl")
    )
    texts = {row["_id"]: row["text"] for row in paragraphs}
    lines = (folder / "qrels" / "test.tsv").read_text("utf-8").splitlines()[1:]
    of = {line.split("\t")[0]: line.split("\t")[1] for line in lines}
    embedder = Embedder(max_seq_length=512)
    embedder.embed([row["text"] for row in paragraphs[:10]])  # has torch do the rest, which is quicker
    right = 0
    chosen = [row for row in rows if row["_id"].startswith("en-")][:: 1190 // count][:count]
    for row in chosen:
        [(start, end)] = best_sentences(embedder, row["text"], [texts[of[row["_id"]]]])
        right += start <= row["answer_start"] and row["answer_start"] + len(row["answer"]) <= end
    assert right / len(chosen) >= 0.8


def test_a_word_of_any_length_costs_its_length() -> None:
    long = "a" * 2_000_000  # for which its square would be hours
    text = f"{long} https://x.y {long}://z {long} <b>t</b> [t](u)"
    assert MARKUP.sub(" ", text) == f"{long}     {long}  t  [t "
