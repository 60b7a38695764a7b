"""Tables as people and programs write them: ragged, quoted half, titled, typed by column; and what is told of each."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from searcher.errors import UnknownName
from searcher.readers import ReadOptions, read_text, records
from searcher.readers.escapes import unescaped
from searcher.records import Document, Failure, Note


def read_table(
    content: str | bytes, suffix: str = ".csv", **options: Any
) -> tuple[list[Document], list[str], list[str]]:
    """The documents, the reasons of failures, and the notes."""
    data = content.encode() if isinstance(content, str) else content
    items = list(read_text(data, "t", ReadOptions(**options), suffix))
    documents = [item for item in items if isinstance(item, Document)]
    failed = [item.reason for item in items if isinstance(item, Failure) and not isinstance(item, Note)]
    return documents, failed, [item.reason for item in items if isinstance(item, Note)]


def texts(content: str | bytes, suffix: str = ".csv", **options: Any) -> list[str]:
    documents, failed, notes = read_table(content, suffix, **options)
    assert (failed, notes) == ([], [])
    return [document.text for document in documents]


def column(content: str, name: str, suffix: str = ".csv", **options: Any) -> list[Any]:
    return [document.metadata.get(name) for document in read_table(content, suffix, **options)[0]]


# --- ragged rows, separators and headers ---------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("tail", ["", "{0}", "{0}{0}{0}"])
def test_rows_may_be_shorter_than_the_header_or_end_in_empty_cells(separator: str, end: str, tail: str) -> None:
    for header in ("id{0}text", "id{0}text{0}notes", "id{0}text{0}notes{0}more"):
        rows = [header, "1{0}Bring the ladder" + tail, "2{0}Paint the fence" + tail]
        documents, failed, notes = read_table(end.join(rows).format(separator))
        assert [(row.id, row.text) for row in documents] == [("1", "Bring the ladder"), ("2", "Paint the fence")]
        assert (failed, notes) == ([], [])


@pytest.mark.parametrize(
    ("first", "separator"),
    [
        ("sep=;", ";"),
        ("sep=,", ","),
        ("SEP=|", "|"),
        ('"sep=;"', ";"),
        ("sep=\t", "\t"),
        ("sep=\\t", "\t"),
        ("\ufeffsep=^", "^"),
    ],
)
def test_the_first_line_of_excel_names_what_separates(first: str, separator: str) -> None:
    sheet = f"{first}\r\nid;text;price\r\n1;Bring the ladder back;12\r\n2;Paint the fence;30\r\n".replace(
        ";", separator
    )
    sheet = first + sheet[len(first) :]
    documents, failed, notes = read_table(sheet)
    assert [(row.source, row.text, row.metadata) for row in documents] == [
        ("t#1", "Bring the ladder back", {"price": 12}),
        ("t#2", "Paint the fence", {"price": 30}),
    ]
    assert (failed, notes) == ([], [])


@pytest.mark.parametrize(
    ("above", "told"),
    [
        ("Quarterly report\n\n", "line 1 above the header left out: 'Quarterly report'"),
        ("# made by hand\n# on a Monday\n", "lines 1 to 2 above the header left out: '# made by hand'"),
        ("Report,,\n,,\n", "line 1 above the header left out: 'Report'"),
        ("Stock of the shed\n", "line 1 above the header left out: 'Stock of the shed'"),
        ("Exported by,Ada\nOn,Monday\n\n", "lines 1 to 2 above the header left out: 'Exported by,Ada'"),
    ],
)
@pytest.mark.parametrize("header", ["id,text,count", "number,tool,count"])
def test_lines_above_the_header_are_left_out_and_told(above: str, told: str, header: str) -> None:
    sheet = f"{above}{header}\n7,Bring the ladder,3\n8,Paint the fence,4\n9,Oil the lock,5\n"
    documents, failed, notes = read_table(sheet)
    assert [row.metadata["count"] for row in documents] == [3, 4, 5]
    assert (failed, notes) == ([], [told])


@pytest.mark.parametrize(
    "sheet",
    [
        "comment\nGood, but late.\nBad, and late; twice.\nNeither\n",
        "comment\n\nGood, late\n\nBad, early\n\nNeither, nor\n",
        "text\nOne, two.\nThree, four.\n",
    ],
)
def test_a_column_of_prose_keeps_its_commas_and_its_header(sheet: str) -> None:
    assert [text.removeprefix("comment: ") for text in texts(sheet)] == [line for line in sheet.split("\n")[1:] if line]


@pytest.mark.parametrize("name", ["\ufeffid", "id\xa0", " id ", "\u200bid", '"\ufeffid"'])
def test_marks_and_blanks_are_no_part_of_a_column_name(name: str) -> None:
    documents, _, _ = read_table(f"text,{name}\nBring the ladder,a7\n")
    assert documents[0].id == "a7"
    documents, _, _ = read_table("text,unit\xa0price\na,3\n")
    assert documents[0].metadata == {"unit price": 3}


def test_a_wide_table_of_short_rows_costs_what_is_in_it() -> None:
    header = ",".join(["text", *(f"c{number}" for number in range(5000))])
    documents, failed, _ = read_table(header + "\nword,1,2\n" * 2000)
    assert len(documents) == 2000 and failed == []
    assert documents[-1].metadata == {"c0": 1, "c1": 2}


def test_a_header_without_rows_is_told() -> None:
    assert read_table("id,text\n") == ([], [], ["no rows under the header, which is line 1"])
    assert read_table("") == ([], [], [])


def test_names_with_a_meaning_part_a_table_whose_rows_are_too_wide_and_each_is_told() -> None:
    documents, failed, _ = read_table("id,text\n1,One, two, three\n2,Four, five\n3,Six\n")
    assert [row.text for row in documents] == ["Six"]
    assert failed == ["line 2: 4 cells under a header of 2", "line 3: 3 cells under a header of 2"]


# --- quotes --------------------------------------------------------------------------------------------------------


def test_a_lone_quote_in_a_tsv_is_text() -> None:
    assert texts('id\ttext\n1\t"Open the gate\n2\tSecond\n3\tThird\n', ".tsv") == ['"Open the gate', "Second", "Third"]
    assert texts('id\ttext\n1\tfine\n2\t"Open the gate', ".tsv") == ["fine", '"Open the gate']
    assert texts('id\ttext\n1\t"two\nlines"\n2\tx\n', ".tsv") == ["two\nlines", "x"]


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
@pytest.mark.parametrize("at", [3, 250, 599])
def test_an_open_quote_swallows_no_rows_wherever_it_stands(suffix: str, at: int) -> None:
    separator = "," if suffix == ".csv" else "\t"
    rows = [f"{number}{separator}row number {number}" for number in range(600)]
    rows[1] = f'1{separator}"a quoted, cell"'
    rows[at] = f'{at}{separator}"row number {at}'
    documents, failed, notes = read_table("\n".join([f"id{separator}text", *rows]), suffix)
    assert [row.id for row in documents] == [str(number) for number in range(600)]
    assert documents[at].text == f'"row number {at}'
    assert failed == []
    assert notes == [f"line {at + 2}: a quote that is never closed was read as text"]


def test_open_quotes_between_closed_ones_are_each_told() -> None:
    rows = [
        '1,"closed, one",a',
        '2,"open,b',
        "3,plain,c",
        '4,"closed, two",d',
        '5,"open again,e',
        '6,"x ""y"" z",f',
        '7,12" pipe,g',
    ]
    documents, failed, notes = read_table("\n".join(["id,text,kind", *rows]) + "\n")
    assert [(row.text, row.metadata["kind"]) for row in documents] == [
        ("closed, one", "a"), ('"open', "b"), ("plain", "c"), ("closed, two", "d"), ('"open again', "e"),
        ('x "y" z', "f"), ('12" pipe', "g"),
    ]  # fmt: skip
    assert failed == []
    assert notes == ["2 quotes that are never closed were read as text, the first in line 3"]


def test_a_cell_that_is_cut_off_at_the_end_of_the_file_is_kept_whole() -> None:
    documents, failed, notes = read_table('id,text,kind\n1,"one, two",a\n2,"A letter.\nIt goes on, and\non until it')
    assert [row.text for row in documents] == ["one, two", "A letter.\nIt goes on, and\non until it"]
    assert failed == []
    assert notes == ["line 3: a quote that is never closed; the 2 lines after it were read as more of its cell"]


def test_a_quote_that_stays_open_for_long_is_looked_at_before_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "OPEN_CHARACTERS", 2000)
    rows = [f'{number},"row, number {number}"' for number in range(300)]
    rows[100:200] = [f"{number},row number {number}" for number in range(100, 200)]
    rows[100] = '100,"row number 100'
    documents, failed, notes = read_table("\n".join(["id,text", *rows]))
    assert [row.id for row in documents] == [str(number) for number in range(300)]
    assert (failed, notes) == ([], ["line 102: a quote that is never closed was read as text"])
    letter = "\n".join(f"This is line {number} of a long letter" for number in range(300))
    assert texts(f'id,text\n1,short\n2,"{letter}"\n3,x\n') == ["short", letter, "x"]


def test_rows_that_a_stray_quote_closes_are_still_rows() -> None:
    sheet = 'id,text,size\n1,"Open the gate,big\n2,a pipe,5\n3,a hose,12"\n4,the end,7\n'
    documents, failed, notes = read_table(sheet)
    assert [row.id for row in documents] == ["1", "2", "3", "4"]
    assert failed == [] and len(notes) == 1


def test_cells_of_several_lines_with_separators_in_them_stay_cells() -> None:
    sheet = 'id,text\n1,"Dear all,\n\nthe lock, the gate\nand the key"\n2,"a,b\nc,d"\n'
    assert texts(sheet) == ["Dear all,\n\nthe lock, the gate\nand the key", "a,b\nc,d"]


def test_lines_that_are_lost_with_a_faulty_row_are_counted() -> None:
    documents, failed, _ = read_table('id,text\n1,x\n2,"A letter\nthat goes on\nand ends" here\n3,y\n')
    assert [row.id for row in documents] == ["1", "3"]
    assert failed == ["line 3: ',' expected after '\"'; the 2 lines after it are lost with it"]


# --- types of columns ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1", "2.5", "-3"], [1, 2.5, -3]),
        (["007", "12", "3"], ["007", "12", "3"]),
        (["12", "3", "007"], ["12", "3", "007"]),
        (["1", "2", "n/a"], ["1", "2", "n/a"]),
        (["true", "FALSE", ""], [True, False, None]),
        (["true", "1", "0"], ["true", "1", "0"]),
        (["", " ", "5"], [None, None, 5]),
        (["1", "9223372036854775808", "2"], ["1", "9223372036854775808", "2"]),
        (["2024-01-31", "2024", "2025"], ["2024-01-31", "2024", "2025"]),
        (["1e3", "2", "x"], ["1e3", "2", "x"]),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_a_column_has_one_type_over_the_whole_file(cells: list[str], values: list[Any], order: int) -> None:
    sheet = "text;code\n" + "".join(f"word;{cell}\n" for cell in cells[::order])
    assert column(sheet, "code") == values[::order]


def test_a_code_at_the_end_of_a_long_file_makes_text_of_its_column() -> None:
    rows = [f"row {number},{number}" for number in range(3000)]
    assert column("\n".join(["text,code", *rows, "last,0815"]), "code") == [*map(str, range(3000)), "0815"]


def test_a_column_of_numbers_with_something_else_in_it_is_told() -> None:
    rows = [f"row {number},{number}" for number in range(50)]
    _, _, notes = read_table("\n".join(["text,price", *rows, "row,on request"]))
    assert notes == [
        "column 'price' is text: among 50 numbers line 52 has 'on request'; "
        "--column-type price=number leaves out what is no number"
    ]


def test_a_given_type_holds_and_what_it_cannot_hold_is_counted() -> None:
    sheet = 'text,code,price,sold,day\na,1,3,yes,31.1.2024\nb,2,on request,no,2024/2/1\nc,3,"4,5",,soon\n'
    given = {"code": "text", "price": "number", "sold": "boolean", "day": "date"}
    documents, failed, notes = read_table(sheet, column_types=given)
    assert [row.metadata for row in documents] == [
        {"code": "1", "price": 3, "sold": True, "day": "2024-01-31"},
        {"code": "2", "sold": False, "day": "2024-02-01"},
        {"code": "3", "price": 4.5},
    ]
    assert failed == []
    assert sorted(notes) == [
        "column 'day': 1 values are no date and were left out",
        "column 'price': 1 values are no number and were left out",
    ]


@pytest.mark.parametrize("text", ["\n;0", "\n;;;0", "\n\n,1,2,3", "\nid;text\n", "a\n\t\t9"])
def test_what_stands_in_a_quoted_cell_is_no_header(text: str) -> None:
    assert texts(f'"key"|"text"\r\n"0"|"{text}"\r\n') == [text]


def test_a_given_type_of_no_column_and_no_type_are_told() -> None:
    _, _, [told] = read_table("text,b\na,1\n", column_types={"kode": "text"})
    assert told == "no column 'kode' to be of a given type; the columns, beside text and id: b"
    with pytest.raises(UnknownName, match="unknown type of a column 'int'; known: boolean, date, number, text"):
        ReadOptions(column_types={"a": "int"})


@pytest.mark.parametrize(
    ("suffix", "content"), [(".jsonl", '{"text": "a", "b": 1}\n'), (".json", '[{"text": "a", "b": 1}]')]
)
@pytest.mark.parametrize("name", ["kode", "text"])
def test_a_given_type_of_no_column_of_json_is_told_too(suffix: str, content: str, name: str) -> None:
    *_, note = read_text(content.encode(), "rows", ReadOptions(column_types={name: "text"}), suffix)
    assert note == Note("rows", f"no column {name!r} to be of a given type; the columns, beside text and id: b")


def test_json_keeps_its_own_types_but_for_those_given() -> None:
    lines = '{"text": "a", "n": 7, "m": 7}\n{"text": "b", "n": "007", "m": "8"}\n'
    assert column(lines, "n", ".jsonl") == [7, "007"]
    assert column(lines, "n", ".jsonl", column_types={"n": "text"}) == ["7", "007"]
    assert column(lines, "m", ".jsonl", column_types={"m": "number"}) == [7, 8]


def test_decimal_commas_are_numbers_where_a_comma_does_not_separate() -> None:
    documents, _, notes = read_table("text;price;stock\na;1,5;1.234\nb;12;2.500\nc;1.234,75;3.000\n")
    assert [row.metadata["price"] for row in documents] == [1.5, 12, 1234.75]
    assert [row.metadata["stock"] for row in documents] == ["1.234", "2.500", "3.000"]
    assert notes == [
        "numbers with a decimal comma in column 'price' were read as numbers",
        "column 'stock' may be of thousands, as 1.234 is, and was left as text",
    ]
    assert column("text;n\na;1,234\nb;5,678\n", "n") == ["1,234", "5,678"]  # a thousand, or a little over one
    assert column("text;n\na;1,5\nb;1.5\n", "n") == ["1,5", "1.5"]
    assert column('text,n\na,"1,5"\n', "n") == ["1,5"]


def test_columns_with_a_meaning_of_their_own_are_text() -> None:
    documents, _, _ = read_table("question,answer\nWhen?,1e3\nWhere?,2.50\n", text_field="question")
    assert [row.metadata["answer"] for row in documents] == ["1e3", "2.50"]


@given(
    st.lists(st.one_of(st.integers(-999, 9999).map(str), st.sampled_from(["", "x", "00", "true", "1.5"])), min_size=1)
)
def test_all_values_of_a_column_are_of_one_kind(cells: list[str]) -> None:
    values = column("text;c\n" + "".join(f"w;{cell}\n" for cell in cells), "c")
    kinds = {float if isinstance(value, int) and not isinstance(value, bool) else type(value) for value in values}
    assert len(kinds - {type(None)}) <= 1


# --- names of rows -------------------------------------------------------------------------------------------------


def names(lines: list[dict[str, Any]]) -> list[str]:
    documents, failed, _ = read_table("\n".join(map(json.dumps, lines)), ".jsonl")
    assert failed == []
    return [row.source for row in documents]


def test_an_id_and_the_number_of_a_line_are_never_the_same_name() -> None:
    assert names([{"id": 2, "text": "a"}, {"text": "b"}]) == ["t#2", "t#line 2"]
    assert names([{"text": "a"}, {"id": "1", "text": "b"}]) == ["t#1", "t#id 1"]
    assert names([{"text": "a"}, {"text": "b"}]) == ["t#1", "t#2"]
    assert names([{"id": "x", "text": "a"}, {"text": "b"}]) == ["t#x", "t#2"]


def test_an_id_that_comes_twice_is_still_told() -> None:
    _, failed, _ = read_table('{"id": 1, "text": "a"}\n{"id": 1, "text": "b"}\n', ".jsonl")
    assert failed == ["line 2: id '1' was already used in line 1"]


# --- JSON ----------------------------------------------------------------------------------------------------------


def test_json_lines_in_a_json_file_are_rows() -> None:
    documents, failed, _ = read_table('{"id": "a", "text": "one"}\n\n{broken\n{"text": "two"}\n', ".json")
    assert [(row.source, row.text) for row in documents] == [("t#a", "one"), ("t#4", "two")]
    assert failed == ["line 3: not JSON: Expecting property name enclosed in double quotes at character 2"]


def test_objects_one_after_another_are_rows() -> None:
    text = json.dumps({"id": "a", "text": "one"}, indent=2) + "\n" + json.dumps({"text": "two"}, indent=2)
    assert texts(text, ".json") == ["one", "two"]


@pytest.mark.parametrize("path", ["items", "data.rows", "response.body.Hits"])
def test_a_list_of_objects_within_an_object_is_read_and_what_stands_beside_it_is_told(path: str) -> None:
    value: Any = [{"id": "a", "text": "one"}, {"text": "two"}]
    for key in reversed(path.split(".")):
        value = {"version": 3, "empty": None, key: value}
    documents, failed, [told] = read_table(json.dumps(value), ".json")
    assert [(row.source, row.text) for row in documents] == [("t#a", "one"), ("t#2", "two")]
    assert failed == []
    assert told.startswith(f"its rows are those of {path!r}; left out: version")


def test_an_object_that_is_a_document_of_its_own_stays_one() -> None:
    page = {"title": "The gate", "text": "Oil the lock. " * 30, "authors": [{"name": "Ada"}]}
    assert texts(json.dumps(page), ".json") == [json.dumps(page)]
    two = {"users": [{"n": 1}], "orders": [{"n": 2}]}
    assert texts(json.dumps(two), ".json") == [json.dumps(two)]


def test_escapes_in_json_that_is_read_as_text_are_what_they_stand_for() -> None:
    assert texts(r'{"a": "caf\u00e9\nand \"tea\" \ud83d\ude00", "b": "C:\\dir"}', ".json") == [
        '{"a": "café and "tea" 😀", "b": "C:\\dir"}'
    ]
    assert unescaped(r'["\ud800", "\u0000", "a\/b\t"]') == r'["\ud800", "\u0000", "a/b "]'
    assert texts(r'{"tags": ["caf\u00e9\nbar"], "n": 1}', ".jsonl") == ['tags: ["café bar"]\nn: 1']


def test_escapes_leave_every_line_where_it_was() -> None:
    text = json.dumps({"a": "one\ntwo", "b": ["x\r\ny"]}, indent=1)
    assert len(texts(text, ".json")[0].split("\n")) == len(text.split("\n"))


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\')))
def test_a_string_without_quotes_comes_back_from_its_escapes(value: str) -> None:
    assert unescaped(json.dumps(value)) == f'"{value}"'


def test_cases_of_the_issue(data: Path) -> None:
    cases = data.parent / "cases"
    if not cases.is_dir():
        pytest.skip("the cases are not beside the corpora")
    for name, suffix in (("csv_ragged", ".csv"), ("csv_sep_line", ".csv"), ("tsv_open_quote", ".tsv")):
        for file in sorted((cases / name).glob(f"*{suffix}")):
            documents, failed, notes = read_table(file.read_bytes(), suffix)
            assert [row.id for row in documents] in (["1", "2"], ["1", "2", "3"]), file
            assert (failed, notes) == ([], []), file
