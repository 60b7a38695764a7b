"""Files to documents: encodings, Markdown, reStructuredText, web pages, tables, and the types of their cells."""

import csv
import io
import json
import re
import string
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_office import xlsx

from searcher.errors import UnreadableFile
from searcher.readers import ReadOptions, Unsupported, raw, read, read_text
from searcher.readers.links import without_targets
from searcher.readers.table import READERS, UNSUPPORTED
from searcher.readers.values import typed
from searcher.records import Document, Failure, Note


def items(content: str | bytes, suffix: str = ".txt", **fields: str) -> list[Document | Failure]:
    data = content.encode() if isinstance(content, str) else content
    return list(read_text(data, "label", ReadOptions(**fields), suffix))


def documents(content: str | bytes, suffix: str = ".txt", **fields: str) -> list[Document]:
    found = items(content, suffix, **fields)
    assert [item for item in found if isinstance(item, Failure) and not isinstance(item, Note)] == []
    return [item for item in found if isinstance(item, Document)]


def document(content: str | bytes, suffix: str = ".txt", **fields: str) -> Document:
    [found] = documents(content, suffix, **fields)
    return found


def reasons(content: str | bytes, suffix: str, **fields: str) -> list[str]:
    return [item.reason for item in items(content, suffix, **fields) if isinstance(item, Failure)]


# --- plain text and encodings ------------------------------------------------------------------------------------

ENCODED = [
    ("cp1252", "Café crème, à bientôt"),
    ("cp1252", "naïve"),
    ("cp1252", "été"),
    ("cp1252", "Grüße aus München, schöne Straße"),
    ("cp1252", "El niño comió mañana"),
    ("cp1252", "“quoted” — it’s 10€"),
    ("cp932", "名前,年齢,住所\n佐藤太郎,30,東京\n"),
    ("cp932", "カタカナ ﾊﾝｶｸ"),
    ("euc_jp", "こんにちは世界。これは日本語の文章です。"),
    ("gb18030", "中国是一个历史悠久的国家，人口众多。"),
    ("big5", "中國是一個歷史悠久的國家，人口眾多。"),
    ("euc_kr", "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다."),
    ("cp1251", "Привет"),
    ("koi8_r", "Все счастливые семьи похожи друг на друга"),
    ("utf-16-le", "héllo wörld"),
    ("utf-16-be", "中文 text"),
    ("utf-32-le", "hello 中"),
]


@pytest.mark.parametrize(("encoding", "text"), ENCODED)
def test_legacy_encodings_are_told_from_a_few_words(encoding: str, text: str) -> None:
    assert document(text.encode(encoding)).text == text


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_any_text_comes_back_from_utf8(text: str) -> None:
    assert document(text).text == text.removeprefix("\ufeff")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"])
@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_any_text_comes_back_from_a_file_with_a_byte_order_mark(encoding: str, text: str) -> None:
    mark = "\ufeff" if encoding.endswith(("le", "be")) else ""
    assert document((mark + text).encode(encoding)).text == text


def test_line_endings_stay_as_they_are() -> None:
    assert document("a\r\nb\rc\n").text == "a\r\nb\rc\n"


def test_an_empty_file_is_an_empty_document(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    assert list(read(path)) == [Document(str(path), "")]


@pytest.mark.parametrize("suffix", ["", ".py", ".log", ".cfg"])
def test_text_of_an_unknown_suffix_is_plain_text(suffix: str) -> None:
    assert document("# not a heading\n", suffix) == Document("label", "# not a heading\n")


BINARY = {
    "PDF": b"%PDF-1.7\n",
    "zip": b"PK\x03\x04\x14\x00",
    "PNG": b"\x89PNG\r\n\x1a\n",
    "ELF": b"\x7fELF\x02\x01",
    "gzip": b"\x1f\x8b\x08",
}


@pytest.mark.parametrize("name", BINARY)
def test_binary_files_are_known_by_their_first_bytes(name: str) -> None:
    with pytest.raises(Unsupported, match=rf"a binary file \({name}\)"):
        items(BINARY[name], ".dat")


@pytest.mark.parametrize("content", [b"\x00\x00\x00\x00", b"a\x00b\x00\x00", bytes(range(32)), b"text\x00"])
def test_bytes_that_are_no_text_are_refused(content: bytes) -> None:
    with pytest.raises(Unsupported, match="a binary file"):
        items(content, ".dat")


def test_a_binary_file_with_the_suffix_of_text_is_a_fault_and_not_passed_over() -> None:
    with pytest.raises(UnreadableFile) as caught:
        items(b"\x7fELF", ".txt")
    assert not isinstance(caught.value, Unsupported)
    assert str(caught.value) == "label: a binary file (ELF)"


@pytest.mark.parametrize("suffix", UNSUPPORTED)
def test_document_formats_without_a_reader_are_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"file{suffix}"
    path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + b"Dear Ann")
    with pytest.raises(
        Unsupported, match=re.escape(f"{UNSUPPORTED[suffix]} files ({suffix}) are not read; save it as {suffix[:4]}x")
    ):
        list(read(path))


def test_a_file_over_the_limit_is_refused_with_both_sizes(tmp_path: Path) -> None:
    path = tmp_path / "big.md"
    with path.open("wb") as file:
        file.truncate(raw.MAX_TEXT_BYTES + 2**20)
    with pytest.raises(UnreadableFile, match=r"257\.0 MiB of text; the limit is 256 MiB"):
        list(read(path))


def test_a_missing_file_and_a_folder_are_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="no such file or directory"):
        list(read(tmp_path / "no.txt"))
    with pytest.raises(UnreadableFile, match="not a regular file"):
        list(read(tmp_path))


def test_a_source_is_absolute_and_keeps_its_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "link.txt").symlink_to("a.txt")
    monkeypatch.chdir(tmp_path)
    assert [item.source for item in read(Path("link.txt"))] == [str(tmp_path / "link.txt")]


@pytest.mark.parametrize("suffix", READERS)
@given(content=st.binary(max_size=60))
def test_no_bytes_make_a_reader_fail_in_another_way(suffix: str, content: bytes) -> None:
    try:
        found = items(content, suffix)
    except UnreadableFile as error:
        assert "\n" not in str(error)
    else:
        for item in found:
            assert isinstance(item, Failure) or item.text.encode() is not None


def test_importing_the_readers_loads_no_heavy_library() -> None:
    code = "import searcher.readers, sys; print([m for m in sys.argv[1:] if m in sys.modules])"
    heavy = ["lxml", "trafilatura", "yaml", "numpy", "markdown_it"]
    shown = subprocess.run([sys.executable, "-c", code, *heavy], check=True, capture_output=True, text=True)
    assert shown.stdout == "[]\n"


# --- Markdown and reStructuredText -------------------------------------------------------------------------------

GUIDE = """\
---
title: The guide
date: 2024-05-01
tags: [a, b]
draft: false
empty:
---
Intro.

# Guide

## Install *now* with `pip`

```sh
# not a heading
```

<!--
# nor this
-->

Setext
======

> # nor a quoted one

### Deep [link](x.md)
"""


def test_front_matter_becomes_metadata_and_leaves_the_text() -> None:
    found = document(GUIDE, ".md")
    assert found.title == "The guide"
    assert found.metadata == {"date": "2024-05-01", "tags": ["a", "b"], "draft": False}
    assert found.text == GUIDE.split("---\n")[2].replace("[link](x.md)", "link")
    assert found.first_line == 8


def test_headings_become_paths_at_their_offsets() -> None:
    found = document(GUIDE, ".md")
    assert [path for _, path in found.sections] == [
        "Guide",
        "Guide > Install now with pip",
        "Setext",
        "Setext > Deep link",
    ]
    lines = [found.text[start:].split("\n")[0] for start, _ in found.sections]
    assert lines == ["# Guide", "## Install *now* with `pip`", "Setext", "### Deep link"]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_offsets_of_headings_hold_for_every_line_ending(newline: str) -> None:
    text = newline.join(["One\u2028\x0c\x85", "", "# Two", "", "## Thrée", "", "Four", "----", ""])
    found = document(text, ".md")
    assert [(text[start:].split(newline)[0], path) for start, path in found.sections] == [
        ("# Two", "Two"),
        ("## Thrée", "Two > Thrée"),
        ("Four", "Two > Four"),
    ]


def test_the_title_is_the_first_heading_of_the_top_level() -> None:
    assert document("## Sub\n\n# Top\n", ".md").title == "Top"
    assert document("## Sub\n\n### Subsub\n", ".md").title == "Sub"
    assert document("no heading\n", ".md").title is None


def test_mdx_statements_and_comments_hold_no_headings() -> None:
    text = "import A from 'a'\n---\n\n{/*\n# hidden\n*/}\n\n<Tabs>\n\n# Shown\n\n</Tabs>\n"
    found = document(text, ".mdx")
    assert found.sections == ((text.index("# Shown"), "Shown"),)
    assert found.text == text


def test_underlined_headings_of_rst_get_levels_by_their_first_use() -> None:
    text = "=====\nTitle\n=====\n\nSee :ref:`x <y>`\n-------------\n\n::\n\n  not\n  ---\n\nDeep\n~~~~\n\nB\n----\n"
    found = document(text, ".rst")
    assert found.title == "Title"
    assert [(text[start:].split("\n")[0], path) for start, path in found.sections] == [
        ("Title", "Title"),
        ("See :ref:`x <y>`", "Title > See x"),
        ("Deep", "Title > See x > Deep"),
        ("B", "Title > B"),
    ]


# --- web pages ---------------------------------------------------------------------------------------------------

PAGE = """<!DOCTYPE html><html lang="en"><head><title>Bread - The Site</title><meta name="author" content="A. Baker">
<style>p {{}}</style></head><body><nav><a href="/">Home</a></nav><article><h1>Bread</h1><p>{long}</p>
<h2>Flour <a class="headerlink" href="#f">¶</a></h2><p>Use&nbsp;strong   flour.<br>Sift it. {long}</p>
<table><tr><th>Kind</th><th>Grams</th></tr><tr><td>Rye</td><td><ul><li>100</li><li>200</li></ul></td></tr></table>
<ul><li>salt</li><li>water</li></ul><pre>mix()
  knead()</pre></article><script>track()</script></body></html>"""


def page(times: int) -> str:
    return PAGE.format(long="Knead the dough and let it rest until it has doubled. " * times)


@pytest.mark.parametrize("times", [1, 30])  # a short page is taken whole, a long one by its main text
def test_a_page_becomes_paragraphs_rows_and_sections(times: int) -> None:
    found = document(page(times), ".html")
    long = " ".join(["Knead the dough and let it rest until it has doubled."] * times)
    assert found.text.split("\n\n") == [
        "Bread",
        long,
        "Flour",
        f"Use\xa0strong flour.\nSift it. {long}",
        "Kind | Grams\nRye | 100; 200",
        "- salt\n- water",
        "mix()\n  knead()",
    ]
    assert found.title == "Bread"
    assert found.sections == ((0, "Bread"), (found.text.index("Flour"), "Bread > Flour"))
    assert found.metadata == {"language": "en", "author": "A. Baker"}


def test_the_declared_encoding_of_a_page_is_believed() -> None:
    html = '<html><head><meta charset="shift_jis"></head><body><p>東京</p></body></html>'
    assert document(html.encode("cp932"), ".html").text == "東京"
    html = '<html><head><meta charset="iso-8859-1"></head><body><p>“Café”</p></body></html>'
    assert document(html.encode("cp1252"), ".html").text == "“Café”"
    assert document(html.encode(), ".html").text == "“Café”"  # where it cannot be right, UTF-8 is


@pytest.mark.parametrize("content", ["", " \n", "<!-- nothing -->", "<html></html>"])
def test_a_page_without_text_is_an_empty_document(content: str) -> None:
    assert document(content, ".html").text == ""


def test_a_page_nested_too_deeply_is_refused_and_not_cut() -> None:
    with pytest.raises(UnreadableFile, match="nested over 2,000 deep"):
        items("<div>" * 3000 + "text" + "</div>" * 3000, ".html")


def test_a_page_nested_deeper_than_people_nest_is_read_as_it_stands() -> None:
    menu, told = "<nav>menu</nav>", "<p>A paragraph of the page, long enough to count.</p>" * 30
    flat, deep = (document(f"{menu}{'<div>' * depth}{told}", ".html").text for depth in (3, 1500))
    assert deep == flat and deep.count("A paragraph") == 30


def test_reading_a_page_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    items(page(30), ".html")
    items("<html><frameset></frameset></html>", ".html")
    assert capfd.readouterr() == ("", "")


# --- tables ------------------------------------------------------------------------------------------------------


def test_a_row_of_jsonl_is_a_document_with_typed_metadata() -> None:
    line = '{"_id": "d1", "title": "T", "text": "body", "year": 1999, "code": "007", "tags": ["a"], "none": null}\n'
    assert items(line, ".jsonl") == [
        Document("label#d1", "body", title="T", id="d1", metadata={"year": 1999, "code": "007", "tags": ["a"]})
    ]


def test_bad_rows_are_told_by_line_and_the_rest_is_read() -> None:
    lines = [
        '{"id": "x", "text": "one"}',
        "",
        "{broken",
        "[1, 2]",
        '{"id": "x", "text": "two"}',
        '{"id": "y", "text": "a\\ud800"}',
        '{"id": "z", "text": "ok", "n": NaN}',
        '{"id": "v", "text": "ok", "n": 1e999}',
        '{"id": "w", "text": 5}',
        '{"id": [1], "text": "a"}',
        '{"text": "last"}',
    ]
    found = items("\n".join(lines), ".jsonl")
    assert [item.source for item in found if isinstance(item, Document)] == ["label#x", "label#11"]
    assert [item.reason for item in found if isinstance(item, Failure)] == [
        "line 3: not JSON: Expecting property name enclosed in double quotes at character 2",
        "line 4: not a JSON object",
        "line 5: id 'x' was already used in line 1",
        "line 6: field 'text': a lone surrogate at character 2",
        "line 7: NaN is not JSON",
        "line 8: field 'n': inf is not a number that can be stored",
        "line 9: field 'text' is a number, not text",
        "line 10: the id is a list, not text or a whole number",
    ]


def test_rows_nested_too_deeply_are_told() -> None:
    deep = '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}"
    assert reasons(f'{deep}\n{{"text": "ok"}}\n', ".jsonl") == ["line 1: nested too deeply"]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=5), st.booleans())
def test_any_string_survives_json_lines(texts: list[str], ascii_only: bool) -> None:
    lines = "".join(json.dumps({"text": text}, ensure_ascii=ascii_only) + "\n" for text in texts)
    assert [found.text for found in documents(lines, ".jsonl")] == [text.replace("\0", "") for text in texts]


CELL = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t\"',;|"))


@pytest.mark.parametrize(
    ("suffix", "delimiter"), [(".csv", ","), (".csv", ";"), (".csv", "\t"), (".csv", "|"), (".tsv", "\t")]
)
@given(texts=st.lists(CELL, max_size=5))
def test_any_cell_survives_csv(suffix: str, delimiter: str, texts: list[str]) -> None:
    sheet = io.StringIO()
    writer = csv.writer(sheet, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([["key", "text"], *([number, text] for number, text in enumerate(texts))])
    assert [found.text for found in documents(sheet.getvalue(), suffix)] == texts


def test_a_csv_is_typed_from_its_cells() -> None:
    sheet = "id;Text;year;price;ok;code;gone\n07;Hello, world;1999;3.5;TRUE;007;\n"
    metadata = {"year": 1999, "price": 3.5, "ok": True, "code": "007"}
    assert items(sheet, ".csv") == [Document("label#07", "Hello, world", id="07", metadata=metadata)]


def test_a_csv_without_a_text_column_joins_all_of_them() -> None:
    [found] = documents("id,name,age,note\n1,Ada,36,\n", ".csv")
    assert found.text == "name: Ada\nage: 36"
    assert found.metadata == {"name": "Ada", "age": 36}


def test_rows_without_a_key_are_named_by_their_line_also_after_cells_of_several_lines() -> None:
    found = documents('\ntext,n\n"two\nlines",1\n\nx,2\n', ".csv")
    assert [(row.source, row.id, row.text) for row in found] == [
        ("label#3", None, "two\nlines"),
        ("label#6", None, "x"),
    ]


def test_faulty_rows_of_a_csv_are_told_by_line() -> None:
    sheet = 'id,text\na,1\nb,2,3\nc,3,\n"d"x,4\ne\nh,5\ni,6\nj,7\nf,"never closed\ng,7\n'
    found = items(sheet, ".csv")
    assert [(item.id, item.text) for item in found if isinstance(item, Document)] == [
        ("a", "1"), ("c", "3"), ("e", ""), ("h", "5"), ("i", "6"), ("j", "7"), ("f", '"never closed'), ("g", "7"),
    ]  # fmt: skip
    assert [item.reason for item in found if isinstance(item, Failure)] == [
        "line 3: 3 cells under a header of 2",
        "line 5: ',' expected after '\"'",
        "line 10: a quote that is never closed was read as text",
    ]


def test_quotes_in_a_tsv_that_does_not_quote_are_text() -> None:
    found = documents('id\ttext\na\t"Foo" bar\nb\t5" pipe\nc\t"open\n', ".tsv")
    assert [row.text for row in found] == ['"Foo" bar', '5" pipe', '"open']


def test_a_column_of_prose_is_not_split_at_its_commas() -> None:
    assert [row.text for row in documents("text\nOne, two.\nThree; four, five.\n", ".csv")] == [
        "One, two.",
        "Three; four, five.",
    ]


def test_columns_of_the_same_or_no_name_are_told_apart() -> None:
    [found] = documents("a,a,,text\n1,2,3,x\n", ".csv")
    assert found.metadata == {"a": 1, "a 2": 2, "column 3": 3}


def test_the_fields_asked_for_are_used() -> None:
    [found] = documents('{"key": 7, "abstract": "A", "text": "B"}', ".jsonl", text_field="abstract", id_field="key")
    assert (found.source, found.id, found.text, found.metadata) == ("label#7", "7", "A", {"text": "B"})


@pytest.mark.parametrize("option", ["text_field", "id_field"])
def test_an_unknown_field_names_the_good_ones(option: str) -> None:
    with pytest.raises(UnreadableFile, match=r"no (text|id) field 'body'; its fields: a, b"):
        items("a,b\n1,2\n", ".csv", **{option: "body"})


def test_rows_that_lack_a_field_asked_for_are_told() -> None:
    lines = '{"k": 1, "t": "x"}\n{"k": 2}\n{"k": null, "t": "y"}\n'
    assert reasons(lines, ".jsonl", text_field="t", id_field="k") == [
        "line 2: no field 't'",
        "line 3: no value for the id field 'k'",
    ]


def test_the_encoding_of_a_table_is_told_from_all_of_it(tmp_path: Path) -> None:
    path = tmp_path / "late.csv"
    path.write_bytes(b"text\n" + b"plain words here\n" * 70_000 + "à la crème brûlée\n".encode("latin-1"))
    *_, last = read(path)
    assert isinstance(last, Document) and last.text == "à la crème brûlée"


def test_a_row_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "MAX_TEXT_BYTES", 2**20)
    with pytest.raises(UnreadableFile, match="line 2 is longer than 1 MiB"):
        items('{"text": "a"}\n' + "x" * (2**20 + 1), ".jsonl")


def test_tables_are_read_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "one"}\n' * 100_000 + "\xff")
    rows = read(path)
    assert [next(rows).source for _ in range(2)] == [f"{path}#1", f"{path}#2"]
    rows.close()  # type: ignore[attr-defined]


def test_json_that_is_a_list_of_objects_is_a_table_and_other_json_is_text() -> None:
    found = items('[{"text": "a", "n": 1}, {"text": "b", "n": NaN}]', ".json")
    assert found == [
        Document("label#1", "a", metadata={"n": 1}),
        Failure("label", "item 2: field 'n': nan is not a number that can be stored"),
    ]
    for text in ('{"text": "a"}', "[1, 2]", "[]", "not json"):
        assert document(text, ".json") == Document("label", text)


# --- FAQ ---------------------------------------------------------------------------------------------------------


def test_a_question_and_an_answer_are_a_faq_entry() -> None:
    line = json.dumps(
        {
            "id": 3,
            "question": "How  do I\nreset?",
            "answer": " Press it.\n",
            "phrasings": ["Reset how?", "", "Restart"],
            "n": 1,
        }
    )
    text = "How do I reset?\nReset how?\nRestart"
    breaks = (text.index("Reset how?"), text.index("Restart"))
    metadata = {"n": 1, "answer": " Press it.\n"}
    assert items(line, ".jsonl") == [Document("label#3", text, id="3", metadata=metadata, breaks=breaks, kind="faq")]


def test_phrasings_of_a_csv_are_parted_by_bars_or_lines_and_said_once() -> None:
    sheet = 'Question,Answer,Phrasings\nWhen?,12,"At what time?|When?\nWhich day?"\n'
    [found] = documents(sheet, ".csv")
    assert found.text.split("\n") == ["When?", "At what time?", "Which day?"]
    assert found.metadata == {"answer": "12"}
    assert found.kind == "faq"


def test_a_row_without_an_answer_or_with_a_text_is_no_faq_entry() -> None:
    assert document('{"question": "Q?", "answer": null}', ".jsonl").kind == "text"
    assert document('{"question": "Q?", "answer": "A", "text": "T"}', ".jsonl").text == "T"
    assert document('{"question": "Q?", "answer": "A"}', ".jsonl", text_field="answer").text == "A"


# --- metadata ----------------------------------------------------------------------------------------------------

CELLS: list[tuple[str, Any]] = [
    ("1999", 1999),
    ("-5", -5),
    ("0", 0),
    (" 12 ", 12),
    ("3.5", 3.5),
    ("1e-3", 0.001),
    ("true", True),
    ("False", False),
    ("", None),
    ("  ", None),
    ("9223372036854775807", 2**63 - 1),
]


@pytest.mark.parametrize(("cell", "value"), CELLS)
def test_cells_become_the_values_they_stand_for(cell: str, value: Any) -> None:
    assert typed(cell) == value
    assert type(typed(cell)) is type(value)


@pytest.mark.parametrize(
    "cell",
    [
        "007",
        "+49 30 1234",
        "2024-01-31",
        "1,5",
        "1_000",
        "9223372036854775808",
        "1e999",
        "nan",
        "inf",
        "٣",
        "-0",
        "yes",
    ],
)
def test_other_cells_stay_text(cell: str) -> None:
    assert typed(cell) == cell


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_whole_number_of_64_bits_is_typed(number: int) -> None:
    assert typed(str(number)) == number


@given(st.text(string.printable))
def test_typing_never_fails_on_text(cell: str) -> None:
    assert isinstance(typed(cell), str | int | float | bool | None)


# --- real files --------------------------------------------------------------------------------------------------


def test_a_short_shift_jis_csv_is_read(data: Path) -> None:
    found = [item for item in read(data / "documents/messy/test_mskanji.csv") if isinstance(item, Document)]
    assert found[2].text == "名前: 髙橋淳\n年齢: 35\n住所: 名古屋"


@pytest.mark.parametrize(
    ("name", "title", "words"),
    [
        (
            "html/sinthgunt.html",
            "Sinthgunt",
            "is a figure in Germanic mythology, attested solely in the Old High German",
        ),
        ("html/simple_table.html", "Simple Table Test", "\nDesk Chair | Furniture | $199.99 | 8\n"),
        ("html/china_chinese.html", "中國", "华夏是人类的文明摇篮之一。"),
        ("messy/test_wikipedia.html", "Microsoft", "\nFounders | Bill Gates; Paul Allen\n"),
    ],
)
def test_real_pages_read_as_prose(data: Path, name: str, title: str, words: str) -> None:
    [found] = read(data / "documents" / name)
    assert isinstance(found, Document)
    assert found.title == title
    assert words in found.text
    assert all(found.text[start:].startswith(path.split(" > ")[-1]) for start, path in found.sections)


def test_every_page_of_a_real_handbook_has_a_title_and_sections(data: Path) -> None:
    paths = sorted((data / "documents/markdown").rglob("*.mdx"))[::10]
    for path in paths:
        [found] = read(path)
        assert isinstance(found, Document)
        assert found.title and found.sections and "slug" in found.metadata
        whole = path.read_text().split("\n")
        assert without_targets("\n".join(whole[found.first_line - 1 :])) == found.text
        assert found.text.count("\n") == len(whole) - found.first_line


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("letter.doc", b"{\\rtf1 Dear Ann}"),
        ("table.xls", b"<html><body><p>Dear Ann</p></body></html>"),
        ("letter.ppt", b"\n<!DOCTYPE html><p>Dear Ann</p>"),
    ],
)
def test_what_only_is_called_an_older_kind_is_read_as_what_it_is(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    [document] = read(path)
    assert isinstance(document, Document)
    assert document.text == "Dear Ann"


def test_a_newer_file_under_an_older_name_is_read(tmp_path: Path) -> None:
    path = tmp_path / "book.xls"
    path.write_bytes(xlsx({"S": [["Dear Ann"]]}))
    [document] = read(path)
    assert isinstance(document, Document)
    assert document.text == "S\n\nDear Ann"
