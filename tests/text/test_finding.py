"""A place as people write it leads to where it is: the inverse of how hits say places."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from searcher.errors import BadValue
from searcher.places import said
from searcher.records import Document
from searcher.text import stretch_at

TEXTS = ("one\nfirst\n", "two\n", "three\n", "four")


def document(*places: Mapping[str, Any], source: str = "/d/book", **more: Any) -> Document:
    """A document with a place for each of the texts."""
    starts = [sum(map(len, TEXTS[:number])) for number in range(len(TEXTS))]
    return Document(source, "".join(TEXTS), places=tuple(zip(starts, places, strict=False)), **more)


def at(words: str | int, *documents: Document) -> str:
    """The text that is meant."""
    found = stretch_at(documents, words)
    return found.document.text[found.start : found.end]


BOOK = document({"page": 1, "label": "iii"}, {"page": 2, "label": "iv"}, {"page": 3, "label": "2"}, {"page": 4})
SLIDES = document({"slide": 1}, {"slide": 1, "notes": True}, {"slide": 2}, {"slide": 3})
SHEETS = document({"sheet": "Costs, all", "row": 2}, {"sheet": "Costs, all", "row": 3}, {"sheet": "Plan", "row": 2})
FILM = document({"time": "00:00:05.000"}, {"time": "00:12:30.500"}, {"time": "01:00:00.000"}, {"time": "01:00:02.250"})
CODE = document({}, {"name": "Box"}, {"name": "Box.open"}, {"name": "Boxes"})


@pytest.mark.parametrize(("words", "where", "text"), [
    ("page 4", BOOK, "four"), ("p. 4", BOOK, "four"), ("P.4", BOOK, "four"), ("pg 4", BOOK, "four"),
    ("p. iv", BOOK, "two\n"), ("printed IV", BOOK, "two\n"), ("iv", BOOK, "two\n"),
    ("page 2, printed iv", BOOK, "two\n"), ("page 2", BOOK, "two\n"), ("printed 2", BOOK, "three\n"),
    ("slide 1", SLIDES, "one\nfirst\ntwo\n"), ("slide 1, notes", SLIDES, "two\n"), ("slide  2", SLIDES, "three\n"),
    ("sheet Costs, all, row 3", SHEETS, "two\n"), ("costs, all, row 3", SHEETS, "two\n"), ("row 3", SHEETS, "two\n"),
    ("sheet Costs, all", SHEETS, "one\nfirst\ntwo\n"), ("Plan", SHEETS, "three\nfour"),
    ("00:12:30", FILM, "two\n"), ("at 00:12:30.500", FILM, "two\n"), ("12:31", FILM, "two\n"), ("59:59", FILM, "two\n"),
    ("1:00:01,9", FILM, "three\n"), ("01:00:05", FILM, "four"),
    ("Box", CODE, "two\nthree\n"), ("box.open", CODE, "three\n"), ("Boxes", CODE, "four"),
    ("line 2", BOOK, "first"), ("l. 5", BOOK, "four"), (4, BOOK, ""), ("line 5", SLIDES, "four"),
])  # fmt: skip
def test_words_lead_to_their_place(words: str, where: Document, text: str) -> None:
    assert at(words, where) == text


PARTS = st.sampled_from(["Costs", "a, b", "Plan > B", "x 1"])
PLACES = st.one_of(
    st.fixed_dictionaries({"page": st.integers(1, 9)}), st.fixed_dictionaries({"sheet": PARTS, "row": st.integers(1, 9)}),
    st.fixed_dictionaries({"slide": st.integers(1, 9)}, optional={"notes": st.just(True)}),
    st.fixed_dictionaries({"chapter": PARTS}), st.fixed_dictionaries({"cell": st.integers(1, 9)}),
)  # fmt: skip


@given(st.lists(PLACES, min_size=4, max_size=4))
def test_what_is_said_of_a_place_leads_back_to_it(places: list[dict[str, Any]]) -> None:
    where = document(*places)
    for start, place in where.places:
        try:
            found = stretch_at([where], said(place))
        except BadValue as fault:  # it is said of others too, apart from it
            assert " places: " in str(fault)
        else:
            assert found.start <= start < found.end


def test_a_heading_is_found_by_its_path_or_the_end_of_it() -> None:
    sections = ((0, "Guide"), (10, "Guide > Install"), (14, "Help"), (20, "Help > Install"))
    where = document(sections=sections)
    assert at("guide", where) == "one\nfirst\ntwo\n"
    assert at("Guide>Install", where) == "two\n"
    with pytest.raises(BadValue, match=r"'install' is 2 places: Guide > Install \(book, START 10\), Help > Install"):
        at("install", where)


def test_lines_are_those_of_the_file() -> None:
    where = document({"line": 10}, {"line": 30})
    assert (at("line 11", where), at("line 30", where), at("line 15", where)) == ("first", "two", "first")
    assert at("line 8", document(first_line=7)) == "first"


def test_a_place_is_looked_for_in_all_documents_of_a_file() -> None:
    mails = [document({"message": number}, source=f"/d/box#{number}") for number in (1, 2)]
    assert stretch_at(mails, "message 2").document is mails[1]
    with pytest.raises(BadValue, match="START counts in one document; these are 2: /d/box#1, /d/box#2"):
        at(3, *mails)


@pytest.mark.parametrize(("words", "where", "told"), [
    ("page 5", BOOK, "no place 'page 5'; there are pages 1 to 4, printed labels iii, iv, 2, lines 1 to 5"),
    ("row 2", SHEETS, "'row 2' is 2 places: sheet Costs, all, row 2 (book, START 0), sheet Plan, row 2"),
    ("9:00:00", FILM, "times 00:00:05.000 to 01:00:02.250"), ("00:00:01", FILM, "no place '00:00:01'"),
    ("line 9", BOOK, "lines 1 to 5"), ("line 0", BOOK, "lines 1 to 5"), ("99", BOOK, "code points 0 to 24"),
    ("", BOOK, "no place ''"), ("Lid", CODE, "names Box, Box.open, Boxes"), ("-1", BOOK, "no place '-1'"),
    ("9" * 5000, BOOK, "; there are pages"), (f"line {'9' * 5000}", BOOK, "; there are pages"),
    (f"{'9' * 5000}:00:00", FILM, "; there are times"),
])  # fmt: skip
def test_what_is_not_there_names_what_is(words: str, where: Document, told: str) -> None:
    with pytest.raises(BadValue) as fault:
        at(words, where)
    assert told in str(fault.value)
    assert "\n" not in str(fault.value)
