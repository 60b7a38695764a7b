"""Names that differ by a sign, and pictures, are told apart by words: C++ is not C, and 🎂 is found."""

import re
import sqlite3
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from older import as_format_6

from searcher import Searcher
from searcher.store import words_of
from searcher.store.keyword_index import spaced
from searcher.text import signs_of

# What is asked for → the text that holds it, and one that has the same letters.
TOLD_APART = {
    "C++": ("a course in C++ at noon", "a course in C at noon"),
    "c++": ("we write C++, they do not", "we write C, they do not"),
    "C++17": ("compiled as C++17 here", "compiled as C 17 here"),
    "C#": ("a course in C# at noon", "a course in C at noon"),
    "F#": ("F# for all", "F for all"),
    "csharp": ("a course in C# at noon", "a course in C at noon"),
    ".NET": ("a .NET service fell", "a net service fell"),
    "Na+": ("the Na+ channel opens", "the Na channel opens"),
    "Disney+": ("(Disney+) costs more", "(Disney) costs more"),
    "C#言語": ("C#言語の本", "C言語の本"),
    "Ｃ＋＋": ("a course in C++ at noon", "a course in C at noon"),
    "Python 3.11": ("it runs on Python 3.11", "it runs on Python 11.3"),
    "rule 4.2.1": ("see rule 4.2.1 there", "see rule 2.4.1 there"),
    "10.0.0.1": ("host 10.0.0.1 is down", "host 10.1.0.0 is down"),
    "2024-05-17": ("due on 2024/05/17", "due on 2024/17/05"),
    "version 1.2.3": ("it came with v1.2.3 of it", "it came with v3.2.1 of it"),
    "B2-17/4": ("seat B2-17/4 is free", "seat B2-4/17 is free"),
    "at 14:30": ("log: 2024-05-18T14:30Z", "log: 2024-05-18T30:14Z"),
}
PICTURES = {
    "🎂": "cake at noon 🎂",
    "👍": "fine 👍🏽",
    "❤": "with ❤\ufe0f from here",
    "🇩🇪": "🇩🇪-🇫🇷",
    "☎": "☎040 123",
    "✓": "|✓|done",
    "⭐": "⭐⭐ of five",
}


@pytest.fixture
def index(tiny_bert: Path, tmp_path: Path) -> Iterator[Searcher]:
    with Searcher(tmp_path / "index", model=tiny_bert) as searcher:
        searcher.add_texts([text for pair in TOLD_APART.values() for text in reversed(pair)])
        searcher.add_texts(["fine cake with five of the flags done", "🇩🇰 is another flag", *PICTURES.values()])
        searcher.add_texts([f"something else, number {number}" for number in range(60)])
        yield searcher


@pytest.mark.parametrize("asked", TOLD_APART)
def test_a_name_with_a_sign_is_before_the_same_letters_without(index: Searcher, asked: str) -> None:
    text, without = TOLD_APART[asked]
    found = [hit.text for hit in index.search(asked, mode="keyword")]
    assert text in found
    assert without not in found[: found.index(text)]


@pytest.mark.parametrize("asked", PICTURES)
def test_a_picture_is_found_and_no_other(index: Searcher, asked: str) -> None:
    assert [hit.text for hit in index.search(asked, mode="keyword")] == [PICTURES[asked]]


@pytest.mark.parametrize("asked", ["C", "net", "Na", "Disney"])
def test_who_asks_without_the_sign_finds_both(index: Searcher, asked: str) -> None:
    found = {hit.text for hit in index.search(asked, k=100, mode="keyword")}
    assert {text for pair in TOLD_APART.values() for text in pair if asked in pair[1]} <= found


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ('"in C++ at noon"', ["a course in C++ at noon"]),
        ('"in C# at noon"', ["a course in C# at noon"]),
        ('"in C at noon"', ["a course in C at noon", "a course in C# at noon", "a course in C++ at noon"]),
        ("course -C++", ["a course in C at noon", "a course in C# at noon"]),
        ("course -C# -C++", ["a course in C at noon"]),
        ("course -C", []),
        ('"cake at noon 🎂"', ["cake at noon 🎂"]),
        ('"fine 🎂"', []),
        ('"host 10.0.0.1"', ["host 10.0.0.1 is down"]),
        ('"on 2024 05 17"', ["due on 2024/05/17"]),
    ],
)
def test_phrases_and_words_that_may_not_be_there_know_the_sign(
    index: Searcher, asked: str, expected: list[str]
) -> None:
    assert sorted({hit.text for hit in index.search(asked, k=100, mode="keyword")}) == expected


def test_an_explanation_names_what_a_passage_holds_as_it_was_asked(index: Searcher) -> None:
    hits = index.search(asked := "a C++ course 🎂", k=100, mode="keyword")
    words = {hit.text: told.words for hit, told in zip(hits, index.explain(asked, hits, "keyword"), strict=True)}
    assert words["a course in C++ at noon"] == ("a", "C", "course", "C++")
    assert words["a course in C at noon"] == ("a", "C", "course")
    assert words["cake at noon 🎂"] == ("🎂",)


def test_what_is_removed_is_found_no_more_and_the_index_is_whole(index: Searcher) -> None:
    [hit] = index.search("🎂", mode="keyword")
    index.remove(ids=[hit.id or ""])
    assert index.search("🎂", mode="keyword") == []
    assert index.check() == []


def test_an_index_of_the_format_before_knows_them_once_it_is_opened(index: Searcher) -> None:
    index.close()
    with closing(sqlite3.connect(index.folder / "searcher.db")) as connection:
        as_format_6(connection)
        connection.commit()
    with Searcher(index.folder) as opened:
        assert [hit.text for hit in opened.search("csharp", mode="keyword")][:1] == [TOLD_APART["csharp"][0]]
        assert [hit.text for hit in opened.search("🎂", mode="keyword")] == [PICTURES["🎂"]]
        assert opened.check() == []
        assert opened.status()["format"] == 7


@pytest.mark.parametrize("text", [
    "a+b", "5 + 3", "+49 40", "page.html#top", "## Heading ##", "issue #12", "e.g. this", "end... Then", "x.map(y)",
    "rows\n    .map(x)", "a ++ b", "C+++", "'.'.join(all)", r"\.\d", "© 2020 Ⅳ ½ → • ■ 北京",
])  # fmt: skip
def test_sums_addresses_and_ends_of_sentences_are_no_names(text: str) -> None:
    assert signs_of(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v3.11, 3.11. (3.11)", ["3point11"] * 3), ("1,999.50 or 12,345,678", ["1point999point50", "12point345point678"]),
        ("5–10 and 24/7", ["5point10", "24point7"]), ("10.0.0.1:8080", ["10point0point0point1"]),
        ("2024-05-17T14:30:00+02:00", ["2024point05point17", "14point30point00", "02point00"]),
        ("Gen 3:16-18", ["3point16"]), ("3.11-rc1", ["3point11pointrc1"]), ("第3.11版", ["3point11"]),
        ("file_v2-3", ["filepointv2point3"]), ("A1B-C2D", ["A1BpointC2D"]), ("1a-b-2", ["1apointbpoint2"]), ("1,2,3 a.b 7 8 IL-6 p-value 3. Then 4", []), ("1." * 40 + "1", []),
    ],
)  # fmt: skip
def test_numbers_of_several_parts_are_words_however_they_are_joined(text: str, expected: list[str]) -> None:
    assert [word for word in spaced(text).split() if "point" in word] == expected


@given(st.text(st.sampled_from("aC1T -:,+#.('🎂🇩❤é語\n\\")), st.text(st.sampled_from("aC1T -:,+#.('🎂🇩❤é語\n\\")))
def test_the_words_of_two_texts_are_those_of_each(first: str, second: str) -> None:
    both = signs_of(text := f"{first} \n{second}")
    assert sorted(both) == sorted(signs_of(first) + signs_of(second))
    assert all(written in text and word.replace("_", "").isalnum() for written, word in both)


@pytest.mark.parametrize("text", ["party🤩", "100₽", "₿100", "cement", "party🫩time", "A⯈B", "cement􏿽"])
def test_a_word_is_found_whatever_sign_it_touches(tiny_bert: Path, tmp_path: Path, text: str) -> None:
    with Searcher(tmp_path / "index", model=tiny_bert) as searcher:
        searcher.add_texts([text, "something else"])
        for word in re.findall("[A-Za-z0-9]+", text):
            assert [hit.text for hit in searcher.search(word, mode="keyword")] == [text]
            assert [hit.text for hit in searcher.search(f'"{word}"', mode="keyword")] == [text]
        assert searcher.check() == []


def test_no_sign_is_part_of_a_word_and_every_letter_is() -> None:
    known = [sign for sign in map(chr, range(1, 0x110000)) if unicodedata.category(sign)[0] not in "CZ"]
    some = [*map(chr, range(0xE000, 0xF900, 7)), *map(chr, range(0xF0000, 0x10FFFE, 997))]
    words = {sign: f"vor{sign}nach" for sign in [*known, *some]}
    found = dict(zip(words, words_of(list(words.values())), strict=True))
    parted = {sign for sign, own in found.items() if own[:2] == [b"vor", b"nach"]}
    assert [sign for sign in known if sign.isalnum() and sign in parted] == []
    others = {sign for sign in words if not sign.isalnum() and unicodedata.category(sign)[0] != "M"}
    assert [sign for sign in others - parted if unicodedata.is_normalized("NFC", sign)] == []  # else marks are in it
