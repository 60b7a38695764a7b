"""Parquet: rows with the types that the file gives them, a batch at a time; what is missing, left out or broken is told."""

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from searcher.errors import UnreadableFile
from searcher.readers import ReadOptions, read_text
from searcher.records import Document, Failure, Note

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")


def parquet(columns: dict[str, Any], **how: Any) -> bytes:
    """A file of these columns."""
    from pyarrow import parquet as writing

    stream = io.BytesIO()
    writing.write_table(pa.table(columns), stream, **how)
    return stream.getvalue()


def items(data: bytes, **options: Any) -> list[Document | Failure]:
    return list(read_text(data, "t", ReadOptions(**options), ".parquet"))


def test_a_row_is_a_document_with_values_of_its_types() -> None:
    data = parquet({
        "id": ["a", "b"], "title": ["A", None], "text": ["the river", "the bank"], "year": [2020, None],
        "share": [0.5, 1.5], "open": [True, False], "day": [date(2024, 1, 31), None], "price": [Decimal("1.50"), None],
        "at": [datetime(2024, 1, 31, 10, tzinfo=UTC), None], "tags": [["x", "y"], []], "of": [{"n": 1}, None],
    })  # fmt: skip
    first, second = items(data)
    assert isinstance(first, Document) and isinstance(second, Document)
    assert (first.source, first.id, first.title, first.text) == ("t#a", "a", "A", "the river")
    assert first.metadata == {
        "year": 2020, "share": 0.5, "open": True, "day": "2024-01-31", "price": 1.5, "tags": ["x", "y"],
        "at": "2024-01-31T10:00:00+00:00", "of": {"n": 1},
    }  # fmt: skip
    assert (second.text, second.title, second.metadata) == ("the bank", None, {"share": 1.5, "open": False, "tags": []})


def test_rows_of_many_batches_and_groups_come_in_their_order() -> None:
    texts = [f"text {number}" for number in range(2_500)]
    found = items(parquet({"text": texts}, row_group_size=700))
    assert [item.text for item in found if isinstance(item, Document)] == texts
    assert found[-1].source == "t#2500"


def test_the_fields_of_text_and_id_can_be_named_and_types_given() -> None:
    data = parquet({"subject": ["Hi"], "body": ["the river"], "number": [7], "code": [7]})
    how = {"text_field": ("subject", "body"), "id_field": "number", "column_types": {"code": "text"}}
    [document] = items(data, **how)
    assert isinstance(document, Document)
    assert (document.id, document.text, document.metadata) == ("7", "Hi\n\nthe river", {"code": "7"})
    with pytest.raises(UnreadableFile, match="no text field 'nope'"):
        items(data, text_field="nope")


def test_what_is_bytes_is_left_out_and_counted() -> None:
    *_, note = items(parquet({"text": ["a", "b"], "picture": [b"\0\1", b"\2"], "hash": [None, b"\3"]}))
    assert note == Note("t", "3 binary values were left out, of hash, picture")


def test_a_value_that_python_has_none_for_is_left_out_alone_and_letters_that_are_no_utf_8_are_shown_as_such() -> None:
    letters = pa.array([b"the r\xe9sum\xe9", b"the bank"]).view(pa.string())
    days = pa.array([6_600_000, 19_753], pa.int32()).view(pa.date32())
    first, second, note = items(parquet({"text": letters, "day": days, "year": [1, 2]}))
    assert isinstance(first, Document) and isinstance(second, Document)
    assert (first.text, first.metadata) == ("the r\ufffdsum\ufffd", {"year": 1})
    assert (second.text, second.metadata) == ("the bank", {"day": "2024-01-31", "year": 2})
    assert note == Note("t", "1 value that cannot be stored was left out, of day")


def test_a_column_whose_name_is_no_utf_8_is_damage() -> None:
    with pytest.raises(UnreadableFile, match="it is damaged"):
        items(parquet({"text": ["the river"], "résumé": ["bank"]}).replace("résumé".encode(), b"r\xe9\xe9sum\xe9"))


@pytest.mark.parametrize(
    "cut", [lambda data: data[:-9], lambda data: data[:4], lambda data: b"", lambda data: b"words"]
)
def test_what_is_damaged_or_none_says_so(cut: Any) -> None:
    with pytest.raises(UnreadableFile, match="it is damaged or cut short: no Parquet file that can be read"):
        items(cut(parquet({"text": ["the river bank"] * 50})))
