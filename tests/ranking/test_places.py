"""Places: where a hit stands in its file is stored, shown, filtered by, exported, checked and repaired."""

import io
import sqlite3
from pathlib import Path

import pytest
from made_office import pptx, shape

from searcher import Searcher
from searcher.errors import UnknownName
from searcher.records import Document

PAGES = ((0, {"page": 1, "label": "i"}), (13, {"page": 2}), (26, {"page": 3}))
BOOK = Document("book.pdf", "river and ice\nmoney in bank\nboat at a post", places=PAGES, breaks=(13, 27))
SHEET = Document("costs.xlsx", "money for tea", places=((0, {"sheet": "Costs", "row": 7}),))
TALK = Document("talk.pptx", "money is all", places=((0, {"slide": 2, "notes": True}),), metadata={"page": 40})
BOTH = Document("both.pdf", "money", places=((0, {"page": 5}),), metadata={"page": 40})


@pytest.fixture
def searcher(tiny_bert: Path, tmp_path: Path) -> Searcher:
    searcher = Searcher(tmp_path / "index", tiny_bert)
    searcher.add_documents([BOOK, SHEET, TALK])
    searcher.add_texts(["money alone"], ids=["plain"])
    return searcher


def found(searcher: Searcher, where: str) -> set[tuple[str, int]]:
    return {(hit.source, hit.start) for hit in searcher.search("money", k=10, where=where)}


def test_a_hit_says_where_it_stands(searcher: Searcher) -> None:
    hits = {(hit.source, hit.start): hit for hit in searcher.search("money", k=10)}
    starts = sorted(start for source, start in hits if source == "book.pdf")
    first, second, third = (hits["book.pdf", start] for start in starts)
    assert (first.page, first.place) == (1, {"page": 1, "label": "i"})
    assert (second.page, third.page) == (2, 3)
    assert hits["costs.xlsx", 0].place == {"sheet": "Costs", "row": 7} and hits["costs.xlsx", 0].page is None
    assert hits["costs.xlsx", 0].as_dict()["place"] == {"sheet": "Costs", "row": 7}
    [plain] = [hit for hit in hits.values() if hit.id == "plain"]
    assert plain.place is None and "place" not in plain.as_dict()


@pytest.mark.parametrize(
    ("where", "sources"),
    [
        ("page >= 2", ["book.pdf", "book.pdf", "talk.pptx"]),
        ("page >= 2 and page < 10", ["book.pdf", "book.pdf"]),
        ("page = 40", ["talk.pptx"]),
        ("page is null", ["costs.xlsx", "plain"]),
        ("not page = 2", ["book.pdf", "book.pdf", "costs.xlsx", "plain", "talk.pptx"]),
        ("sheet = 'Costs' and row = 7", ["costs.xlsx"]),
        ("sheet like 'C%' or slide in (1, 2)", ["costs.xlsx", "talk.pptx"]),
        ("notes = true", ["talk.pptx"]),
        ("notes = 1", []),
        ("label = 'i'", ["book.pdf"]),
        ("row = 'seven'", []),
        ("page in (1, 40)", ["book.pdf", "talk.pptx"]),
        ("page in ()", []),
        ("any(page) > 2", ["book.pdf", "talk.pptx"]),
        ("sheet icontains 'cost'", ["costs.xlsx"]),
        ("sheet is empty", ["book.pdf", "book.pdf", "book.pdf", "plain", "talk.pptx"]),
        ("any(notes) = true", ["talk.pptx"]),
    ],
)
def test_the_parts_of_a_place_are_filtered_by(searcher: Searcher, where: str, sources: list[str]) -> None:
    hits = searcher.search("money", k=10, where=where)
    assert sorted(hit.id or hit.source for hit in hits) == sources


def test_each_slide_of_a_file_is_found_by_its_number(searcher: Searcher) -> None:
    slides = [shape("Ferries", "title") + shape("Money"), shape("Bank"), shape("Post", "title")]
    searcher.add_bytes(pptx(slides, notes={2: "Say money."}), "deck.pptx", suffix=".pptx")
    for number in (1, 2, 3):
        [hit] = [hit for hit in searcher.search("money", k=20, where=f"slide = {number}") if hit.source == "deck.pptx"]
        assert hit.place == {"slide": number}


def test_what_the_place_says_counts_before_metadata_of_that_name(searcher: Searcher) -> None:
    searcher.add_documents([BOTH])
    assert found(searcher, "page = 5") == {("both.pdf", 0)}
    assert (
        found(searcher, "page = 40") == {("talk.pptx", 0)} == found(searcher, "metadata.page = 40") - {("both.pdf", 0)}
    )
    assert ("both.pdf", 0) not in found(searcher, "source like '%pdf' and page is null")


def test_a_part_that_no_passage_has_anywhere_is_an_unknown_key(tiny_bert: Path, tmp_path: Path) -> None:
    searcher = Searcher(tmp_path / "other", tiny_bert)
    searcher.add_texts(["money"])
    with pytest.raises(UnknownName, match="filter key 'page'"):
        searcher.search("money", where="page = 1")


def test_places_go_with_their_documents_and_come_with_new_ones(searcher: Searcher) -> None:
    searcher.add_documents([Document("costs.xlsx", "money for tea", places=((0, {"sheet": "Old", "row": 1}),))])
    assert found(searcher, "sheet = 'Costs'") == set() and found(searcher, "sheet = 'Old'") == {("costs.xlsx", 0)}
    searcher.remove(["costs.xlsx"])
    assert found(searcher, "row = 1") == set()


def test_an_export_keeps_places(searcher: Searcher, tiny_bert: Path, tmp_path: Path) -> None:
    stream = io.BytesIO()
    searcher.export(stream)
    stream.seek(0)
    other = Searcher(tmp_path / "copy", tiny_bert)
    other.import_(stream)
    assert found(other, "page >= 2") == found(searcher, "page >= 2") != set()


@pytest.mark.parametrize(
    "bad", [((5, {"page": 1}), (3, {"page": 2})), ((0, {"page": "one"}),), ((0, {"leaf": 1}),), ((-1, {}),)]
)
def test_places_that_are_none_are_refused(searcher: Searcher, bad: tuple) -> None:
    [failure] = searcher.add_documents([Document("bad", "some text", places=bad)]).failed
    assert "place" in failure.reason or "part of a place" in failure.reason


def test_damage_to_a_place_is_found_and_repaired(searcher: Searcher, tiny_bert: Path, tmp_path: Path) -> None:
    searcher.close()
    path = tmp_path / "index" / "searcher.db"
    connection = sqlite3.connect(path)
    connection.execute("UPDATE places SET place = replace(place, 'Costs', 'Gains')")
    connection.execute("DELETE FROM places WHERE place LIKE '%label%'")
    connection.commit()
    connection.close()
    searcher = Searcher(tmp_path / "index", tiny_bert)
    said = "\n".join(map(str, searcher.check()))
    assert "the place of passage" in said
    assert searcher.repair().lost == []
    assert list(searcher.check()) == []
    assert found(searcher, "label = 'i'") == {("book.pdf", 0)} and found(searcher, "sheet = 'Costs'") == {
        ("costs.xlsx", 0)
    }
    searcher.close()
