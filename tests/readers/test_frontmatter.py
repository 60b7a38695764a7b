"""Front matter: each field as a person wrote it, and one bad line spoils no other."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from searcher import Searcher
from searcher.readers import ReadOptions, read_text
from searcher.records import Document, Note


def read(text: str, suffix: str = ".md") -> tuple[Document, list[str]]:
    document, *notes = read_text(text.encode(), "label", suffix=suffix)
    assert isinstance(document, Document)
    return document, [note.reason for note in notes if isinstance(note, Note)]


def fields(block: str) -> dict[str, Any]:
    document, notes = read(f"---\n{block}\n---\nText.\n")
    assert (document.text, document.sections, notes) == ("Text.\n", (), [])
    return dict(document.metadata)


WORDS = ["no", "yes", "Yes", "on", "Off", "y", "N", "12:30", "1:30:00", "01234", "0x10", "0o17", "0b1", "1_000", "+1", ".5",
         "-0", "1e3", ".nan", "-.inf", "Null", "=", "2024-1-5", "2024-99-99", "12 Monkeys", "99999999999999999999"]  # fmt: skip


@pytest.mark.parametrize("word", WORDS)
def test_a_word_stays_the_word_it_is(word: str) -> None:
    assert fields(f"a: {word}\nlist: [x, {word}]\n{word}: b") == {"a": word, "list": ["x", word], word: "b"}


@pytest.mark.parametrize(
    ("spelt", "value"),
    [("12", 12), ("-5", -5), ("3.5", 3.5), ("true", True), ("False", False), ("2024-05-01", "2024-05-01"),
     ("2024-05-01 10:00:00", "2024-05-01T10:00:00"), ("'12'", "12"), ('"no"', "no"), ("!!str 12", "12"), ("[1, a]", [1, "a"]),
     ("{on: off}", {"on": "off"}), (">-\n  folded\n  text", "folded text"), ("http://a.b/c", "http://a.b/c"),
     ("{{date}}", "{{date}}"), ("{{ a: b }}", "{{a: b}}")],
)  # fmt: skip
def test_plain_numbers_truths_dates_and_what_is_quoted_are_what_they_say(spelt: str, value: Any) -> None:
    assert fields(f"a: {spelt}") == {"a": value}


@pytest.mark.parametrize("spelt", ["", "~", "null"])
def test_nothing_is_no_field(spelt: str) -> None:
    assert fields(f"a: {spelt}\nb: 1") == {"b": 1}


@pytest.mark.parametrize(
    ("spelt", "title"),
    [("01", "01"), ("1.10", "1.10"), ("true", "true"), ("no", "no"), ("Boats: a history", "Boats: a history"),
     ("@home", "@home"), ("`code`", "`code`"), ("*Moby* Dick", "*Moby* Dick"), ("100 %", "100 %"), ("%x", "%x"),
     ('"A: b"', "A: b"), (">\n  Two\n  lines", "Two lines"), ("Boats:\n  and more: of them", "Boats: and more: of them")],
)  # fmt: skip
def test_a_title_is_as_it_is_spelt(spelt: str, title: str) -> None:
    document, notes = read(f"---\ntitle: {spelt}\nauthor: A. N.\ntags: [boats, sea]\n---\n# Heading\n")
    assert (document.title, document.metadata, notes) == (title, {"author": "A. N.", "tags": ["boats", "sea"]}, [])
    assert document.sections == ((0, "Heading"),)


def test_a_title_that_is_no_line_is_a_field_and_the_heading_is_the_title() -> None:
    document, _ = read("---\ntitle: [a, b]\n---\n# Heading\n")
    assert (document.title, document.metadata) == ("Heading", {"title": ["a", "b"]})


LOST = "line 3 of the front matter is left out: no name and value"
PLAIN = "line 3 of the front matter is not YAML: read as text"


@pytest.mark.parametrize(
    ("bad", "value", "notes"),
    [
        ("a stray line", None, [LOST]),
        ("x: [boats, sea", "[boats, sea", [PLAIN]),
        ('x: "Boats" and more', '"Boats" and more', [PLAIN]),
        ("x: {a: b", "{a: b", [PLAIN]),
        ('x: "never closed', "never closed", [PLAIN]),
        ("x:\tA tab: or two", "A tab: or two", []),
        ("x:\n\t- a: b: c\n\t- no", ["a: b: c", "no"], []),
        ("x:\n  - a: b: c\n  - 3", ["a: b: c", 3], []),
        ("x: one: two\n  goes on", "one: two goes on", []),
        ("x: a \x01 b", "a \x01 b", []),
        ("x: a \u2028: b: c", "a \u2028: b: c", []),
        ("x: *nothing", "*nothing", []),
    ],
)
def test_a_bad_line_spoils_no_other_and_a_loss_is_told(bad: str, value: Any, notes: list[str]) -> None:
    document, told = read(f"---\nfirst: 1\n{bad}\nlast: no\n---\nText.\n")
    assert document.metadata == {"first": 1, "last": "no"} | ({} if value is None else {"x": value})
    assert (document.text, document.sections, told) == ("Text.\n", (), notes)
    assert document.first_line == 6 + bad.count("\n")


def test_a_bad_line_may_be_the_first() -> None:
    document, told = read("---\nlayout post\ntitle: X\ndate: 2024-05-01\n---\nText.\n")
    assert (document.title, document.metadata) == ("X", {"date": "2024-05-01"})
    assert told == ["line 2 of the front matter is left out: no name and value"]


def test_many_bad_lines_are_told_in_one_note() -> None:
    _, [told] = read("---\n" + "".join(f"a{n}: 1\n%{n}\n" for n in range(9)) + "---\nText.\n")
    assert told.startswith("line 3 of the front matter is left out: no name and value; line 5 ") and told.endswith(
        "; and 6 more"
    )


def test_a_name_that_comes_again_is_told() -> None:
    document, told = read("---\na: 1\na: 2\n---\n")
    assert (document.metadata, told) == (
        {"a": 2},
        ["line 3 of the front matter gives 'a' again; the earlier one is left out"],
    )


def test_an_alias_is_what_it_names_unless_that_is_without_end() -> None:
    assert fields("a: &a [1]\nb: *a") == {"a": [1], "b": [1]}
    for bomb in (
        "a: &a [*a]",
        "\n".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
    ):
        document, [told] = read(f"---\nfirst: 1\na: &a x\n{bomb}\n---\nText.\n")
        assert document.metadata["first"] == 1 and "over 10,000 values" in told


SMALL = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], include_characters="	"), max_size=40)


@given(SMALL)
def test_whatever_a_value_is_the_fields_around_it_and_the_text_are_read(value: str) -> None:
    document, _ = read(f"---\nfirst: 1\nx: {value}\nlast: no\n---\n# Heading\n")
    assert {"first": 1, "last": "no"}.items() <= document.metadata.items()
    assert (document.text, document.sections, document.first_line) == ("# Heading\n", ((0, "Heading"),), 6)


JSON_VALUES = st.recursive(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"])) | st.integers(-(2**63), 2**63 - 1) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=50)
@given(st.dictionaries(st.text("abcdefg", min_size=1), JSON_VALUES, min_size=1, max_size=4))
def test_what_a_program_writes_is_read_as_it_was(values: dict[str, Any]) -> None:
    """PyYAML quotes what would be no text otherwise."""
    assert fields(yaml.safe_dump(values, allow_unicode=True, default_style='"' if values else None).rstrip()) == {
        name: _as_quoted(value) for name, value in values.items()
    }
    document, notes = read(f"{json.dumps(values)}\n\nText.\n")
    assert (document.metadata, document.text, notes) == (values, "\nText.\n", [])


def _as_quoted(value: Any) -> Any:
    """Of the values that PyYAML writes in quotes it writes the type beside those that are no text."""
    if isinstance(value, dict):
        return {name: _as_quoted(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_as_quoted(item) for item in value]
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize(
    "text",
    ["---\nwords\n---\nx", "---\nNote: this\nmore of it\nand more\n---\nx", "---\n- a\n- b\n---\nx", "---\na: 1\nx", "\n---\na: 1\n---\nx",
     "+++\nwords\n+++\nx", '{"a": 1}\n', "{{< x >}}\n", "---\n" + "a: " + "x" * 70_000 + "\n---\nx"],
)  # fmt: skip
def test_what_is_no_front_matter_is_text(text: str) -> None:
    document, notes = read(text)
    assert (document.text, document.metadata, document.first_line, notes) == (text, {}, 1, [])


def test_toml_and_json_are_front_matter() -> None:
    toml = '+++\ntitle = "The boats"\ndate = 2024-05-01T10:00:00Z\nzip = "01234"\ntags = [\n  "a", "b",\n]\n[params]\nx = 1\n+++\n# H\n'
    document, notes = read(toml)
    assert (document.title, document.text, document.first_line, notes) == ("The boats", "# H\n", 11, [])
    assert document.metadata == {
        "date": "2024-05-01T10:00:00+00:00",
        "zip": "01234",
        "tags": ["a", "b"],
        "params": {"x": 1},
    }
    document, notes = read('{\n "title": "The boats", "n": 3\n}\n# H\n')
    assert (document.title, document.metadata, document.text, document.first_line, notes) == (
        "The boats",
        {"n": 3},
        "# H\n",
        4,
        [],
    )


def test_a_number_of_toml_that_is_too_long_for_one_is_read_as_text() -> None:
    digits = "9" * 5000
    document, notes = read(f'+++\ntitle = "The boats"\nid = {digits}\nn = -{"1_0" * 4400}\nsmall = 12\n+++\n# H\n')
    assert document.title == "The boats"
    assert dict(document.metadata) == {"id": digits, "n": "-" + "1_0" * 4400, "small": 12}
    told = " ".join(str(note) for note in notes)
    assert (
        "line 3 of the front matter is not TOML: read as text; line 4 of the front matter is not TOML: read as text"
        in told
    )


def test_a_bad_line_of_toml_is_read_as_text_or_told() -> None:
    document, [told] = read("+++\nfirst = 1\ntitle = The boats\nstray\nlast = 'x'\n+++\n# H\n")
    assert (document.title, document.metadata, document.text) == ("The boats", {"first": 1, "last": "x"}, "# H\n")
    assert (
        told == "line 3 of the front matter is not TOML: read as text; line 4 of the front matter is not TOML: left out"
    )


@pytest.mark.parametrize(
    ("block", "title", "metadata", "bad"),
    [
        ("title:Boats\nauthor : Ann", "Boats", {"author": "Ann"}, [2]),
        (
            "title: Boats\nlink:http\ntags:\n- a:b\nurl: http://x",
            "Boats",
            {"link": "http", "tags": ["a:b"], "url": "http://x"},
            [3],
        ),
    ],
)
def test_a_colon_without_a_space_makes_a_field_and_is_told(
    block: str, title: str, metadata: dict[str, Any], bad: list[int]
) -> None:
    document, told = read(f"---\n{block}\n---\nText.\n")
    assert (document.title, document.metadata, document.text, document.sections) == (title, metadata, "Text.\n", ())
    assert told == ["; ".join(f"line {line} of the front matter has no space after its colon" for line in bad)]


@pytest.mark.parametrize("text", ["---\nhttp://x\n---\ny", "---\nNote:this is one.\nAnd a sentence.\n---\ny"])
def test_a_sentence_between_rules_is_no_field(text: str) -> None:
    document, told = read(text)
    assert (document.text, told) == (text, [])


def test_what_begins_like_json_and_is_none_is_kept_as_text_and_told() -> None:
    document, [told] = read('{"title": "J",}\n\n# H\n')
    assert document.text == '{"title": "J",}\n\n# H\n'
    assert told.startswith("what begins it like JSON is no JSON, and kept as text: ")


@pytest.mark.parametrize("marks", ["\ufeff", "\ufeff\ufeff", "\ufeff" * 3])
def test_marks_of_byte_order_hide_neither_front_matter_nor_heading(marks: str) -> None:
    document, _ = read(f"{marks}---\ntitle: no\n---\n# Heading\n")
    assert (document.title, document.text, document.first_line) == ("no", "# Heading\n", 4)
    document, _ = read(f"{marks}# Heading\n")
    assert (document.text, document.sections) == ("# Heading\n", ((0, "Heading"),))


def test_a_faq_of_markdown_has_the_fields_and_the_note() -> None:
    text = "---\nlang: no\ntitle: FAQ: all\nstray\n---\n# When?\n\nNow.\n"
    entry, note = read_text(text.encode(), "label", ReadOptions(faq="questions"), ".md")
    assert isinstance(entry, Document) and isinstance(note, Note)
    assert entry.metadata == {"lang": "no", "title": "FAQ: all", "answer": "Now."}


def test_a_file_with_a_bad_line_is_added_told_and_then_unchanged(tiny_bert: Path, tmp_path: Path) -> None:
    file = tmp_path / "post.md"
    file.write_text("---\ntitle: X\nstray\n---\nThe boats float.\n")
    with Searcher(tmp_path / "index", tiny_bert) as searcher:
        report = searcher.add(file)
        assert (report.documents, report.failed) == (1, [])
        assert report.notes == [Note(str(file), LOST)]
        report = searcher.add(file)
        assert (report.unchanged, report.notes) == (1, [])
