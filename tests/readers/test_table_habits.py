"""Tables as hands and other programs write them: spaces after separators, quotes behind a backslash, no header."""

import pytest

from searcher.readers import read_text
from searcher.records import Document, Note


def table(content: str) -> tuple[list[Document], list[str]]:
    """The documents, and all that is told."""
    items = list(read_text(content.encode(), "t", suffix=".csv"))
    documents = [item for item in items if isinstance(item, Document)]
    return documents, [item.reason for item in items if isinstance(item, Note)]


@pytest.mark.parametrize("sign", [",", ";", "|"])
def test_a_space_after_a_separator_is_none_of_the_cell(sign: str) -> None:
    quoted, told = table(f'id,text,"a{sign} b"\n1, "Bring{sign} it", x\n2, Paint,y\n'.replace(",", sign))
    assert [(row.id, row.text) for row in quoted] == [("1", f"Bring{sign} it"), ("2", "Paint")]
    assert quoted[0].metadata == {f"a{sign} b": "x"} and not told
    plain, told = table(f"id{sign} text\n1{sign} Bring\n2{sign}  Paint\n")
    assert [(row.id, row.text) for row in plain] == [("1", "Bring"), ("2", "Paint")] and not told


def test_spaces_within_quotes_and_behind_other_signs_stay() -> None:
    documents, _ = table('id,text\n1,"a ""b, c"" d"\n2," e"\n')
    assert [row.text for row in documents] == ['a "b, c" d', " e"]


def test_quotes_behind_a_backslash_are_quotes_where_a_file_writes_them_so() -> None:
    spark = 'id,text,path\n1,"He said \\"hi\\", then left",C:\\temp\n2,"{\\"a\\": 1, \\"b\\": 2}","D:\\\\"\n'
    documents, told = table(spark)
    assert [row.text for row in documents] == ['He said "hi", then left', '{"a": 1, "b": 2}']
    assert documents[0].metadata == {"path": "C:\\temp"} and not told
    documents, told = table('id,path,text\n1,"C:\\dir\\",a\n2,"D:\\",b\n')
    assert [(row.metadata["path"], row.text) for row in documents] == [("C:\\dir\\", "a"), ("D:\\", "b")] and not told


@pytest.mark.parametrize(
    ("rows", "first"),
    [
        ("1,Bring,x\n2,Paint,y\n3,Close,z\n", {"column 1": 1, "column 2": "Bring", "column 3": "x"}),
        ("Bring,3.5\nPaint,4.25\n", {"column 1": "Bring", "column 2": 3.5}),
        ("2024-01-02;Bring\n2024-01-05;Paint\n", {"column 1": "2024-01-02", "column 2": "Bring"}),
    ],
)
def test_a_first_row_like_those_below_it_is_no_header(rows: str, first: dict[str, object]) -> None:
    documents, told = table(rows)
    assert documents[0].metadata == first and documents[0].source == "t#1"
    assert len(documents) == rows.count("\n")
    assert told == ["no header: line 1 is a row as those below it are, and the columns have no names"]


@pytest.mark.parametrize(
    "rows",
    [
        "country,2019,2020\nChad,2020,5\nMali,3,4\n",
        "name,0.25,0.5\na,0.1,0.2\nb,0.3,0.4\n",
        "name,1\na,x\nb,y\n",
        "id,1\n1,2\n2,3\n",
        "0,1,2\n1,Bring,x\n2,Paint,y\n",
        "item,2024-01-01\nboat,5\n",
    ],
)
def test_years_quantiles_and_days_may_name_columns(rows: str) -> None:
    documents, told = table(rows)
    assert len(documents) == rows.count("\n") - 1 and not told


def test_a_header_that_stands_again_is_no_row_and_told() -> None:
    documents, told = table("id,text\n1,a\nid,text\n2,b\nid,text\n3,c\n")
    assert [(row.id, row.text) for row in documents] == [("1", "a"), ("2", "b"), ("3", "c")]
    assert told == ["line 3 and 1 more: the header once more, left out"]


def test_a_rule_under_the_header_is_no_row() -> None:
    documents, told = table("id,text\n--,----\n1,--\n")
    assert [(row.id, row.text) for row in documents] == [("1", "--")] and not told


def test_cells_that_are_padded_are_read_without_that() -> None:
    documents, told = table('id , text , n\n1  , a    , 5\n22 , "b ""c""", 6\n')
    assert [(row.id, row.text, row.metadata) for row in documents] == [("1", "a", {"n": 5}), ("22", 'b "c"', {"n": 6})]
    assert not told
