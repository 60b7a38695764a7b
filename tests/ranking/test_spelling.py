"""Words are found however their text spells them: with invisible characters in it, composed or not."""

import sqlite3
import unicodedata
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from older import as_format_5

from searcher import Searcher
from searcher.text import spelled_once

SPELLINGS = {
    "soft hyphen": ("Die Wasser\u00adleitung tropft", "Wasserleitung"),
    "zero-width space": ("a water\u200bfall", "waterfall"),
    "zero-width joiner": ("a sun\u200dflower", "sunflower"),
    "zero-width non-joiner": ("می\u200cخواهم", "میخواهم"),
    "word joiner": ("an over\u2060coat", "overcoat"),
    "byte order mark": ("a \ufeffletter in\ufeffside", "inside"),
    "marks of direction": ("\u200eleft\u200f and right", "left"),
    "accents apart": (unicodedata.normalize("NFD", "un café crème"), "crème"),
    "accents together": ("un café crème", unicodedata.normalize("NFD", "crème")),
    "Hangul apart": (unicodedata.normalize("NFD", "서울은 수도이다"), "서울은"),
    "Hangul together": ("서울은 수도이다", unicodedata.normalize("NFD", "수도이다")),
    "Vietnamese apart": (unicodedata.normalize("NFD", "tiếng Việt"), "Việt"),
    "ligature": ("the \ufb01rst o\ufb03ce", "office"),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_word_is_found_under_its_other_spelling_and_the_text_stays_as_it_is(
    name: str, tiny_bert: Path, tmp_path: Path
) -> None:
    text, word = SPELLINGS[name]
    with Searcher(tmp_path / "index", model=tiny_bert) as s:
        s.add_texts(["the river bank", text])
        for asked in (word, text):
            [first, *_] = s.search(asked, mode="keyword")
            assert (first.text, first.start, first.end) == (text, 0, len(text))
        assert s.check() == []
        s.remove(ids=[first.id or ""])
        assert s.search(word, mode="keyword") == []


def test_an_index_of_the_format_before_finds_them_once_it_is_opened(tiny_bert: Path, tmp_path: Path) -> None:
    texts = [text for text, _ in SPELLINGS.values()]
    with Searcher(tmp_path / "index", model=tiny_bert) as s:
        s.add_texts(["plain river bank", "北京 is big", *texts])
    with closing(sqlite3.connect(tmp_path / "index" / "searcher.db")) as connection:
        as_format_5(connection)
        connection.commit()
    with Searcher(tmp_path / "index") as s:
        for text, word in SPELLINGS.values():
            assert spelled_once(s.search(word, mode="keyword")[0].text) == spelled_once(text)
        assert s.search("北京", mode="keyword")[0].text == "北京 is big"
        assert s.check() == []
        assert s.status()["format"] == 7


@given(st.text())
def test_spelling_once_is_done_once_and_changes_no_visible_letter(text: str) -> None:
    once = spelled_once(text)
    assert spelled_once(once) == once
    visible = [sign for sign in text if unicodedata.category(sign)[0] in "LN" and unicodedata.category(sign) != "Lm"]
    kept = unicodedata.normalize("NFC", once)
    assert all(unicodedata.normalize("NFC", sign)[0] in kept for sign in visible if sign.isascii())
