"""Numbers and times of Excel as their formats show them; the right values are those that Excel and LibreOffice show."""

import io
from datetime import datetime, time

import openpyxl
import pytest

from searcher.readers import read_text
from searcher.records import Document

ACCOUNTING = '_-* #,##0.00\\ "€"_-;-* #,##0.00\\ "€"_-;_-* "-"??\\ "€"_-;_-@_-'


def shown(value: object, form: str) -> str:
    """What is read of a cell with a format."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "S"
    sheet["A1"] = value
    sheet["A1"].number_format = form
    stream = io.BytesIO()
    book.save(stream)
    [document] = read_text(stream.getvalue(), "file", suffix=".xlsx")
    assert isinstance(document, Document)
    return document.text.removeprefix("S\n\n")


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (1234.5, '"$"#,##0.00', "$1,234.50"),
        (1234, "[$€-407] #,##0.00", "€ 1,234.00"),
        (-1234567, '#,##0 "kr"', "-1,234,567 kr"),
        (1234567, '#,##0.0,,"M"', "1.2M"),
        (5, "00000", "00005"),
        (4917612345, "000-000-0000", "491-761-2345"),
        (49176123450, "(000) 000-0000", "(4917) 612-3450"),
        (0.075, "0.0%", "7.5%"),
        (0.125, "0.00", "0.13"),
        (45000.123, "0", "45000"),
        (5, "#.##", "5"),
        (0.5, "#.##", ".5"),
        (-5, "#,##0;(#,##0)", "(5)"),
        (-12, "[Blue]0.0;[Red]-0.0", "-12.0"),
        (1234.5, ACCOUNTING, "1,234.50 €"),
        (-1234.5, ACCOUNTING, "-1,234.50 €"),
        (0, ACCOUNTING, "- €"),
    ],
)
def test_a_number_is_written_as_its_format_says(value: float, form: str, text: str) -> None:
    assert shown(value, form) == text


@pytest.mark.parametrize("form", ["General", "# ?/?", "0.00E+00", "[<100]0.0;0", ";;;", "@", "0" * 40])
def test_what_a_format_would_hide_of_a_number_stays(form: str) -> None:
    assert shown(3.25, form) == "3.25"


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (datetime(2024, 3, 1, 14, 30), "hh:mm", "14:30"),
        (datetime(2024, 3, 1, 14, 30, 5), "h:mm:ss AM/PM", "14:30:05"),
        (datetime(2024, 3, 1, 14, 30), "dd/mm/yyyy hh:mm", "2024-03-01 14:30"),
        (datetime(2024, 3, 1), "mmm-yy", "2024-03-01"),
        (time(9, 5), "hh:mm", "09:05"),
    ],
)
def test_a_day_that_is_not_shown_is_not_read(value: object, form: str, text: str) -> None:
    assert shown(value, form) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("one_x000D_\ntwo", "one two"), ("a_x0041_b", "aAb"), ("_x005F_x000D_", "_x000D_"), ("a_x00_b", "a_x00_b"), ("_xD800_", "_xD800_")],
)  # fmt: skip
def test_characters_that_office_writes_as_numbers_are_read(value: str, text: str) -> None:
    assert shown(value, "General") == text
