"""Where the sentence that answers stands: its own page, slide, time, cell or line, wherever the passage begins."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made_office import pptx, shape
from made_pdf import made_pdf, page_of

from searcher import Searcher
from searcher.client.replies import context_of, hits_of
from searcher.records import Document

ANSWER = "The boat is tied to the post."
MONEY = "We keep our money in the bank."
# A page that ends within a sentence does not end a passage.
PDF = made_pdf([page_of("We keep our money in the bank, which"), page_of(f"stands there. {ANSWER}")], "0 << /S /r >>")
SRT = f"1\n00:00:01,000 --> 00:00:02,500\n{MONEY}\n\n2\n00:01:02,500 --> 00:01:04,000\n{ANSWER}\n"
CELLS = [{"cell_type": "markdown", "metadata": {}, "source": [text]} for text in (MONEY, ANSWER)]
IPYNB = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": CELLS}
MAIL = f"From: ada@example.org\nSubject: Harbour\nContent-Type: text/plain\n\n{MONEY}\n\n{ANSWER}\n"
HTML = f"<html>\n<body>\n<p>{MONEY}</p>\n\n\n\n<p>{ANSWER}</p>\n</body></html>\n"

# name → bytes, place and line of the passage, place and line of the sentence
FILES: dict[str, tuple[bytes, dict[str, Any] | None, int, dict[str, Any] | None, int]] = {
    "a.pdf": (PDF, {"page": 1, "label": "i"}, 1, {"page": 2, "label": "ii"}, 3),
    "a.pptx": (pptx([shape(MONEY)], notes={1: ANSWER}), {"slide": 1}, 1, {"slide": 1, "notes": True}, 3),
    "a.srt": (SRT.encode(), {"time": "00:00:01.000"}, 1, {"time": "00:01:02.500"}, 3),
    "a.ipynb": (json.dumps(IPYNB).encode(), {"cell": 1}, 1, {"cell": 2}, 3),
    "a.eml": (MAIL.encode(), None, 1, None, 7),
    "a.mbox": (f"From a@b Fri Mar  1 08:30:00 2024\n{MAIL}\n".encode() * 2, {"message": 1}, 1, {"message": 1}, 7),
    "a.html": (HTML.encode(), None, 3, None, 7),
    "a.md": (f"---\nby: Ada\n---\n{MONEY}\n\n{ANSWER}\n".encode(), None, 4, None, 6),
}


@pytest.fixture
def indexed(tiny_bert: Path, tmp_path: Path) -> Callable[[str], Searcher]:
    """An index of a file, each document of which is one passage."""

    def made(name: str) -> Searcher:
        (tmp_path / name).write_bytes(FILES[name][0])
        searcher = Searcher(tmp_path / "index", tiny_bert)
        assert searcher.add(tmp_path / name).failed == []
        return searcher

    return made


@pytest.mark.parametrize("name", FILES)
def test_a_highlight_says_where_its_sentence_stands_and_the_hit_where_it_begins(
    indexed: Callable[[str], Searcher], name: str
) -> None:
    [hit] = indexed(name).search(ANSWER, k=1, highlight=True)
    _, place, line, own, own_line = FILES[name]
    assert ANSWER in hit.text and ANSWER in hit.highlight.text
    assert (hit.place, hit.line) == (place, line)
    assert (hit.highlight.place, hit.highlight.line) == (own, own_line)
    assert hits_of({"hits": [json.loads(json.dumps(hit.as_dict()))]}) == [hit]


def test_a_notebook_shows_the_page_of_the_sentence(indexed: Callable[[str], Searcher]) -> None:
    hits = indexed("a.pdf").search(ANSWER, k=1, highlight=True)
    assert "a.pdf<br>page 2, printed ii</td>" in hits._repr_html_()
    assert "a.pdf<br>page 1, printed i</td>" in indexed("a.pdf").search(ANSWER, k=1)._repr_html_()


def test_a_document_as_a_whole_says_where_its_sentence_stands(indexed: Callable[[str], Searcher]) -> None:
    [hit] = indexed("a.pdf").search(ANSWER, k=1, highlight=True, whole=True)
    assert (hit.start, hit.highlight.place, hit.highlight.line) == (0, {"page": 2, "label": "ii"}, 3)


def test_a_hit_that_was_removed_since_says_where_its_passage_began(indexed: Callable[[str], Searcher]) -> None:
    searcher = indexed("a.pdf")
    hits = searcher.search(ANSWER, k=1)
    searcher.remove([hits[0].source])
    [hit] = searcher.highlight(ANSWER, hits)
    assert (hit.highlight.place, hit.highlight.line) == ({"page": 1, "label": "i"}, 3)


# -- the numbers of a context


@pytest.mark.parametrize("name", ["a.pdf", "a.pptx", "a.srt", "a.ipynb"])
def test_a_piece_over_several_places_is_cited_by_the_one_that_answers(
    indexed: Callable[[str], Searcher], name: str
) -> None:
    searcher = indexed(name)
    _, place, _, own, line = FILES[name]
    found = searcher.context(ANSWER)
    [citation] = found.citations
    assert (citation.place, citation.start) == (place, 0)
    assert citation.answers_at == (own, line)
    said = {"a.pdf": "page 2, printed ii", "a.pptx": "slide 1, notes", "a.srt": "at 00:01:02.500", "a.ipynb": "cell 2"}
    assert said[name] in citation.head and found.text == f"{citation.head}\n{citation.text}"
    assert context_of(json.loads(json.dumps(found.as_dict()))) == found
    by_words = searcher.context(ANSWER, mode="keyword").citations[0]
    assert by_words.answers_at == (place, 1) and "highlight" not in by_words.as_dict()


@pytest.mark.parametrize("tokens", [12, 16, 20, 24, 30, 40, 60])
def test_a_context_keeps_its_budget_and_a_piece_that_is_cut_says_a_place_within_it(
    indexed: Callable[[str], Searcher], tokens: int
) -> None:
    found = indexed("a.pdf").context(ANSWER, tokens, tokenizer=lambda text: len(text.split()))
    assert found.tokens == len(found.text.split()) <= tokens
    for citation in found.citations:
        assert citation.highlight is None or citation.start <= citation.highlight.start < citation.end


def test_passages_that_touch_are_cited_by_the_place_of_the_best(tiny_bert: Path, tmp_path: Path) -> None:
    texts = [MONEY, "Water flows.", ANSWER, "Hello world."]
    starts = [sum(len(text) + 1 for text in texts[:number]) for number in range(4)]
    places = tuple((start, {"page": number}) for number, start in enumerate(starts, 1))
    searcher = Searcher(tmp_path / "index", tiny_bert)
    searcher.add_documents([Document("book.pdf", " ".join(texts), places=places, breaks=tuple(starts[1:]))])
    [citation] = searcher.context(ANSWER).citations
    assert (citation.text, citation.place) == (" ".join(texts), {"page": 1})
    assert citation.head == "[1] book.pdf, page 3"
