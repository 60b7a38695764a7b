"""Where a hit stands is said alike by every way of showing it: page, sheet or the like, line, or the row of a table."""

import json
import re
from pathlib import Path

import pytest
from running import Run

from searcher import Searcher
from searcher.places import file_of, line_of
from searcher.records import Document, Hits

# source, place, first line → place on a terminal, place in words, the file
STANDING = [
    (Document("book.pdf", "money", places=((0, {"page": 3, "label": "iii"}),)), "book.pdf, page 3, printed iii",
     "page 3, printed iii", "book.pdf"),
    (Document("costs.xlsx", "money for tea", places=((0, {"sheet": "Costs", "row": 7}),)),
     "costs.xlsx, sheet Costs, row 7", "sheet Costs, row 7", "costs.xlsx"),
    (Document("talk.pptx", "money is", places=((0, {"slide": 2, "notes": True}),), metadata={"page": 40}),
     "talk.pptx, slide 2, notes", "slide 2, notes", "talk.pptx"),
    (Document("film.srt", "money all", places=((0, {"time": "00:01:02.500"}),)), "film.srt, at 00:01:02.500",
     "at 00:01:02.500", "film.srt"),
    (Document("tree.py", "money in the tree", places=((0, {"name": "Tree.walk"}),), first_line=12), "tree.py:12",
     "line 12", "tree.py"),
    (Document("page.html", "money at home", places=((0, {"line": 31}),)), "page.html:31", "line 31", "page.html"),
    (Document("long.log#part-2", "money of old", first_line=900), "long.log#part-2:900", "line 900", "long.log"),
    (Document("C#.md", "money in c", first_line=4), "C#.md:4", "line 4", "C#.md"),
    (Document("C#.csv#7", "money in a row"), "C#.csv#7", "", "C#.csv"),
    (Document("note.txt", "money on paper", first_line=2), "note.txt:2", "line 2", "note.txt"),
]  # fmt: skip


@pytest.fixture
def standing(run: Run, tiny_bert: Path, tmp_path: Path) -> None:
    with Searcher(tmp_path / "index_data", tiny_bert) as searcher:
        searcher.add_documents([document for document, *_ in STANDING])


ASKED = ("money", "--mode", "keyword", "-k", 20)


def test_every_format_says_where_a_hit_stands(run: Run, standing: None) -> None:
    for typed in ((), ("--documents",)):
        lines = run("search", *ASKED, *typed).out.splitlines()
        heads = [line for line in lines if re.match(r" ?\d+  -?\d\.\d{3}  ", line)]
        for _, place, _, _ in STANDING:
            assert any(f"  {place}  " in f"{head}  " for head in heads), place
    marked = re.findall(r"^\d+\. (.*)$", run("search", *ASKED, "--format", "md").out, re.MULTILINE)
    assert sorted(marked) == sorted(
        f"**{document.source}**" + (f", {words}" if words else "") for document, _, words, _ in STANDING
    )
    assert sorted(run("search", *ASKED, "--format", "files").out.split()) == sorted(file for *_, file in STANDING)


def test_a_citation_says_where_its_piece_begins(run: Run, standing: None) -> None:
    found = json.loads(run("context", *ASKED, "--json").out)
    cited = {each["source"]: each for each in found["citations"]}
    for document, _, words, _ in STANDING:
        each = cited[document.source]
        assert f"[{each['number']}] {document.source}{words and f', {words}'}\n{each['text']}" in found["text"]
        place = {name: value for _, own in document.places for name, value in own.items() if name != "line"}
        assert each["place"] == (place or None)
    assert (cited["book.pdf"]["page"], cited["costs.xlsx"]["page"], cited["talk.pptx"]["page"]) == (3, None, 40)


def test_pages_that_touch_are_cited_by_the_one_with_the_answer(tiny_bert: Path, tmp_path: Path) -> None:
    pages = Document("a.pdf", "money one\nmoney two", places=((0, {"page": 5}), (10, {"page": 6})), breaks=(10,))
    with Searcher(tmp_path / "other", tiny_bert) as searcher:
        searcher.add_documents([pages])
        [both] = searcher.context("money one", k=2).citations
        [behind] = searcher.context("money two", k=2).citations
        [second] = searcher.context("money two", where="page = 6").citations
    assert (both.text, both.page, both.head) == ("money one\nmoney two", 5, "[1] a.pdf, page 5")
    assert (behind.text, behind.page, behind.head) == ("money one\nmoney two", 5, "[1] a.pdf, page 6")  # the answer's
    assert (second.text, second.page, second.head) == ("money two", 6, "[1] a.pdf, page 6")


def test_a_notebook_shows_a_line_only_where_there_is_one(run: Run, standing: None, tmp_path: Path) -> None:
    with Searcher(tmp_path / "index_data") as searcher:
        hits = searcher.search("money", 20, mode="keyword")
    for hit in hits:
        shown = Hits([hit])._repr_html_()
        line = line_of(hit.source, hit.place, hit.line)
        assert (f">{hit.source}:{hit.line}<" in shown) == (line is not None), shown
        assert (f">{hit.source}<" in shown) == (line is None), shown


@pytest.mark.parametrize(
    ("source", "file"),
    [
        ("/notes/Issue #3.md", "/notes/Issue #3.md"), ("/v1.2 #a/faq.csv#1", "/v1.2 #a/faq.csv"),
        ("faq.jsonl#a.b#c", "faq.jsonl"), ("box.mbox#offer.pdf/page.html", "box.mbox"), ("table#7", "table"),
        ("plain", "plain"), ("C#", "C"),
    ],
)  # fmt: skip
def test_the_file_is_told_from_what_is_in_it(source: str, file: str) -> None:
    assert file_of(source) == file
