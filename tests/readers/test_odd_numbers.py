"""Attributes that should be whole numbers and are none, or have thousands of digits: they count as if they were not there."""

import io
import re
from zipfile import ZipFile

import pytest
from made_office import docx, odt, xlsx, zipped
from rich_files import rich_docx, rich_odt, rich_pptx, rich_xlsx

from searcher.errors import UnreadableFile
from searcher.readers import read_text
from searcher.records import Document, Note

NUMERIC = re.compile(rb"""(\s[\w:.-]+=)(["'])(-?\d+)\2""")
NONE = ["9" * 5000, "[0", "-1", "", "²", "1e9", "4294967296"]
FILES = {".docx": rich_docx, ".odt": rich_odt, ".pptx": rich_pptx, ".xlsx": rich_xlsx}


def texts(data: bytes, suffix: str) -> list[str]:
    return [item.text for item in read_text(data, "file", suffix=suffix) if isinstance(item, Document)]


def paragraph(level: str) -> str:
    numbered = f'<w:pPr><w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="1"/></w:numPr></w:pPr>'
    return f"<w:p>{numbered}<w:r><w:t>one</w:t></w:r></w:p>"


def numbering(level: str, start: str) -> str:
    return (
        f'<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="{level}"><w:start w:val="{start}"/><w:numFmt w:val="decimal"/>'
        '<w:lvlText w:val="%1."/></w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    )


@pytest.mark.parametrize("odd", NONE)
def test_a_list_of_word_with_an_odd_level_or_start_begins_with_one(odd: str) -> None:
    assert texts(docx(paragraph(odd), numbering=numbering(odd, "1")), ".docx") == ["1. one"]
    assert texts(docx(paragraph("0"), numbering=numbering("0", odd)), ".docx") == ["1. one"]


@pytest.mark.parametrize("odd", NONE)
def test_a_heading_and_spaces_of_opendocument_with_an_odd_number_are_read(odd: str) -> None:
    body = f'<text:h text:outline-level="{odd}">Ferries</text:h><text:p>two<text:s text:c="{odd}"/>boats</text:p>'
    assert texts(odt(body), ".odt") == ["Ferries\n\ntwo boats"]


@pytest.mark.parametrize("odd", [*NONE, "0"])
@pytest.mark.parametrize("suffix", FILES)
def test_no_attribute_with_an_odd_number_ends_a_reader(suffix: str, odd: str) -> None:
    data = FILES[suffix]()
    members = {name: ZipFile(io.BytesIO(data)).read(name) for name in ZipFile(io.BytesIO(data)).namelist()}
    names = {found[1] for content in members.values() for found in NUMERIC.finditer(content)}
    assert names
    for name in sorted(names):

        def replaced(found: re.Match[bytes], name: bytes = name) -> bytes:
            return found[1] + found[2] + odd.encode() + found[2] if found[1] == name else found[0]

        changed = {key: NUMERIC.sub(replaced, content) for key, content in members.items()}
        try:
            texts(zipped(changed), suffix)
        except UnreadableFile as fault:
            assert "its reader" not in str(fault), (name, str(fault))


def test_rows_of_a_sheet_below_the_last_that_there_can_be_are_left_out_and_told() -> None:
    archive = ZipFile(io.BytesIO(xlsx({"Costs": [["one"], ["two"]], "Gains": [["three"]]})))
    members = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/worksheets/sheet1.xml"
    members[name] = members[name].replace(b'<row r="2"', b'<row r="1000000000"')
    document, note = read_text(zipped(members), "file", suffix=".xlsx")
    assert isinstance(document, Document)
    assert document.text.split() == ["Costs", "one", "Gains", "three"]
    assert note == Note("file", "rows with a number above 1,048,576 are left out: Costs")
