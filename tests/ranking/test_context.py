"""A context holds what answers best, within the budget of whoever counts, and each number leads back to its source."""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from searcher import Searcher
from searcher.cited import Context
from searcher.errors import BadValue


def words(text: str) -> int:
    return len(text.split())


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Searcher:
    folder = tmp_path_factory.mktemp("context")
    made = Searcher(folder / "index", tiny_bert, chunk_tokens=12)
    text = "\n\n".join(
        f"# Part {n}\n\n" + "\n".join(f"the river {n} bank {m} water flows" for m in range(4)) for n in range(3)
    )
    (folder / "river.md").write_text(text)
    (folder / "money.txt").write_text("money in the bank\nwe keep our account open\n")
    (folder / "copy.txt").write_text("money  in the bank\n we keep our account open\n")
    made.add([folder / "river.md", folder / "money.txt", folder / "copy.txt"])
    (folder / "faq.csv").write_text("question,answer\nwhere is the river?,Near the bank.\nwhat is money?,An account.\n")
    made.add_faq(folder / "faq.csv")
    made.add_texts(["hello window"], ids=["page"], metadatas=[{"page": 7}])
    return made


def verify(index: Searcher, context: Context, budget: int, count: Any = words) -> None:
    assert context.tokens == count(context.text) <= budget
    assert [each.number for each in context.citations] == list(range(1, len(context.citations) + 1))
    assert context.text == "\n\n".join(f"{each.head}\n{each.text}" for each in context.citations)
    for each in context.citations:
        document = index.document(each.source)
        assert each.head.startswith(f"[{each.number}] ")
        if document.kind == "faq":
            assert each.text.endswith(document.metadata["answer"])
        else:
            assert document.text[each.start : each.end] == each.text
            assert each.line == document.first_line + document.text.count("\n", 0, each.start)
    spans: dict[str, list[tuple[int, int]]] = {}
    for each in context.citations:
        spans.setdefault(each.source, []).append((each.start, each.end))
    assert list(spans) == list(dict.fromkeys(each.source for each in context.citations))
    for source, own in spans.items():
        assert own == sorted(own)  # in reading order …
        text = index.document(source).text
        assert all(text[one[1] : two[0]].strip() for one, two in pairwise(own))  # … and apart
    for hit in context.passages:
        within = [each for each in context.citations if each.source == hit.source and each.start <= hit.start]
        assert within and hit.end <= within[-1].end


def test_the_best_come_first_and_the_pieces_of_a_document_in_reading_order(index: Searcher) -> None:
    hits = index.search("the river flows", k=10)
    context = index.context("the river flows", 10_000, tokenizer=words, k=10)
    verify(index, context, 10_000)
    assert context.citations[0].source == hits[0].source
    assert {hit.passage_id for hit in context.passages} <= {hit.passage_id for hit in hits}
    assert context.left_out == 10 - len(context.passages)


def test_all_of_a_document_is_one_piece(index: Searcher) -> None:
    source = next(row["source"] for row in index.listing() if row["source"].endswith("river.md"))
    context = index.context("the river", 10_000, {"source": source}, k=100)
    [citation] = context.citations
    assert citation.text == index.document(source).text.strip()
    assert len(context.passages) > 5
    assert (citation.line, citation.section) == (1, "Part 0")


def test_what_was_said_is_not_said_again(index: Searcher) -> None:
    context = index.context("money in the bank", 10_000, "kind = 'text'", tokenizer=words, k=100)
    said = [each.text for each in context.citations if "money" in each.text]
    assert len(said) == 1
    assert context.left_out > 0


def test_a_faq_entry_is_question_and_answer(index: Searcher) -> None:
    context = index.context("what is money?", 1000, "kind = 'faq'", tokenizer=words)
    assert context.citations[0].text == "what is money?\nAn account."
    assert len(context.citations) == 2
    assert "line" not in context.citations[0].head
    index.add_bytes(b"question,answer\nwhat are coins?,An  account.\n", "again.csv", suffix=".csv")
    assert index.count("kind = 'faq'") == 3
    again = index.context("what is money, what are coins?", 1000, "kind = 'faq'", tokenizer=words)
    assert sum("account" in each.text for each in again.citations) == 1
    index.remove("again.csv")
    answers = index.context("near the bank", 1000, "section = 'answer'", tokenizer=words)
    assert {each.text for each in answers.citations} == {
        "where is the river?\nNear the bank.",
        "what is money?\nAn account.",
    }


def test_a_page_of_the_metadata_stands_in_the_place_of_the_line(index: Searcher) -> None:
    [citation] = index.context("hello", 100, {"id": "page"}).citations
    assert (citation.page, citation.head) == (7, "[1] page, page 7")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    budget=st.integers(1, 220),
    question=st.sampled_from(["the river", "money account", "what is money?", "hello window"]),
    mode=st.sampled_from(["dense", "keyword", "hybrid"]),
    k=st.sampled_from([None, 1, 3, 50]),
    count=st.sampled_from([words, len, lambda text: text.split(), lambda text: len(text.encode()) // 3 + 1]),
)
def test_no_budget_is_ever_exceeded(
    index: Searcher, budget: int, question: str, mode: str, k: int | None, count: Any
) -> None:
    context = index.context(question, budget, tokenizer=count, mode=mode, k=k)
    number = count if isinstance(count(""), int) else lambda text: len(count(text))
    assert (context.text == "") == (context.citations == []) == (context.passages == [])
    if context.text and not context.text.endswith(" …"):
        verify(index, context, budget, number)
    assert not context.text or number(context.text) == context.tokens <= budget
    if mode != "keyword" or context.passages:
        assert context.left_out + len(context.passages) == len(index.search(question, k or 10, mode=mode))


def test_the_beginning_is_taken_of_a_passage_that_is_too_long(index: Searcher, tmp_path: Path) -> None:
    with Searcher(tmp_path / "given", vectors="theirs", dimension=2) as given_:
        given_.put(["one two three four five " * 50, "short"], ["long", "short"], vectors=[[1, 0], [0, 1]])
        context = given_.context(vector=[1, 0.1], tokens=12, tokenizer=words)
        assert context.text == "[1] long, line 1\none two three four five one two …"
        [citation] = context.citations
        assert (citation.start, citation.end) == (0, len("one two three four five one two"))
        assert (context.tokens, context.left_out, [hit.id for hit in context.passages]) == (12, 1, ["long"])
        nothing = given_.context(vector=[1, 0.1], tokens=3, tokenizer=words)
        assert (nothing.text, nothing.citations, nothing.passages, nothing.left_out) == ("", [], [], 2)
        three_bytes = given_.context(vector=[0, 1], tokens=100, k=1)
        assert three_bytes.tokens == -(-len(three_bytes.text) // 3)


class Encoding:
    """As tiktoken and sentencepiece have it."""

    def encode(self, text: str) -> list[int]:
        return [ord(sign) for sign in text]


def test_whoever_encodes_may_count(index: Searcher) -> None:
    context = index.context("the river", 300, tokenizer=Encoding())
    assert 0 < context.tokens == len(context.text) <= 300
    own = index.context("the river", 100)
    assert own.tokens == len(index.embedder.model.tokenizer.encode_ids([own.text])[0]) <= 100
    for wrong in ("cl100k_base", 5, lambda text: 1.5, lambda text: -1, lambda text: None, lambda text: True):
        with pytest.raises(BadValue, match="tokenizer"):
            index.context("the river", tokenizer=wrong)


def test_what_is_no_question_or_budget_is_refused(index: Searcher, tmp_path: Path) -> None:
    for arguments, message in [
        (("x", 0), "tokens is 0"),
        (("x", 1.5), "tokens is 1.5"),
        ((["a", "b"],), "context takes one question, not 2"),
        ((" ",), "the query is empty"),
        ((), "the query is missing"),
    ]:
        with pytest.raises(BadValue, match=message):
            index.context(*arguments)
    empty = Searcher(tmp_path / "none", "no/such-model").context("x")
    assert (empty.text, empty.citations, empty.tokens, empty.left_out) == ("", [], 0, 0)


def test_the_command_prints_it_for_a_pipe(index: Searcher) -> None:
    command = [sys.executable, "-m", "searcher", "context", "the", "river", "flows", "-i", str(index.folder)]
    folder = index.folder.parent
    plain = subprocess.run([*command, "--tokens", "60"], capture_output=True, text=True, cwd=folder, check=True)
    as_json = subprocess.run(
        [*command, "--tokens", "60", "--json"], capture_output=True, text=True, cwd=folder, check=True
    )
    printed = json.loads(as_json.stdout)
    assert plain.stdout == printed["text"] + "\n"
    assert plain.stderr == ""
    assert 0 < printed["tokens"] <= 60
    assert [each["number"] for each in printed["citations"]] == list(range(1, len(printed["citations"]) + 1))
    nothing = subprocess.run([*command, "--min-score", "2"], capture_output=True, text=True, cwd=folder, check=True)
    assert (nothing.stdout, nothing.stderr) == ("", "nothing found\n")
    wrong = subprocess.run([*command, "--tokens", "0"], capture_output=True, text=True, cwd=folder)
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
