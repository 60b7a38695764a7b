"""What stands beside the cells of a sheet: comments, pictures and drawings, below the row where each is."""

import io
from collections.abc import Mapping
from typing import Any

import openpyxl
import pytest
from made_office import PACKAGE, RELATIONS, A, odt, relations, xlsx
from openpyxl.comments import Comment
from test_embedded import holding, items, places, png, written
from test_graphics import CHART

from searcher.records import Note

XDR = f'xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing" xmlns:a="{A}" xmlns:r="{RELATIONS}"'
MS = "http://schemas.microsoft.com/office/2017/10/relationships"


def read(data: bytes, suffix: str = ".xlsx", ocr: bool = False) -> tuple[Any, list[str]]:
    document, *notes = items(data, suffix, ocr=ocr)
    return document, [note.reason for note in notes]


def anchored(row: int, what: str, column: int = 0) -> str:
    """Something drawn with its upper left in a cell, both counted from 0."""
    at = f"<xdr:from><xdr:col>{column}</xdr:col><xdr:row>{row}</xdr:row></xdr:from>"
    return f"<xdr:oneCellAnchor>{at}{what}</xdr:oneCellAnchor>"


def picture(key: str) -> str:
    return f'<xdr:pic><xdr:blipFill><a:blip r:embed="{key}"/></xdr:blipFill></xdr:pic>'


def box(text: str) -> str:
    return f"<xdr:sp><xdr:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></xdr:txBody></xdr:sp>"


def drawn(rows: list[list[Any]], anchors: str, members: Mapping[str, tuple[str, str, str | bytes]]) -> bytes:
    """A workbook with a sheet on which something is drawn; members: kind, name and content by id."""
    targets = {key: (kind, f"../{name}") for key, (kind, name, _) in members.items()}
    more = {f"xl/{name}": content for _, name, content in members.values()}
    return holding(
        xlsx({"Oil": rows}),
        {
            "xl/worksheets/_rels/sheet1.xml.rels": relations({"d": ("drawing", "../drawings/drawing1.xml")}),
            "xl/drawings/drawing1.xml": f"<xdr:wsDr {XDR}>{anchors}</xdr:wsDr>",
            "xl/drawings/_rels/drawing1.xml.rels": relations(targets),
            **more,
        },
    )


# -- comments


def commented(*comments: tuple[str, str, str], rows: int = 3) -> bytes:
    """A workbook with notes on its cells, as openpyxl writes them: cell, text, author."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Oil"
    for number in range(1, rows + 1):
        sheet.append([f"Day {number}", number])
    for cell, text, author in comments:
        sheet[cell].comment = Comment(text, author)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_a_note_stands_below_the_row_of_its_cell_and_names_both() -> None:
    found, _ = read(
        commented(("B2", "Ann Hill:\nSince when?", "Ann Hill"), ("A2", "Ask Tom.", ""), ("C9", "Far.", "Tom"))
    )
    assert (
        found.text
        == "Oil\n\nDay 1 | 1\nDay 2 | 2\n[A2: Ask Tom.]\n[B2, Ann Hill: Since when?]\nDay 3 | 3\n\n[C9, Tom: Far.]"
    )
    at = {place.get("row"): found.text[start:].partition("\n")[0] for start, place in found.places}
    assert at == {None: "Oil", 1: "Day 1 | 1", 2: "Day 2 | 2", 3: "Day 3 | 3", 9: "[C9, Tom: Far.]"}


def thread(*comments: tuple[str, str, str]) -> str:
    each = "".join(
        f'<threadedComment ref="{cell}" personId="{{{person}}}" id="{{T{number}}}"><text>{text}</text></threadedComment>'
        for number, (cell, text, person) in enumerate(comments)
    )
    return f"<ThreadedComments xmlns='http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments'>{each}</ThreadedComments>"


def with_thread(data: bytes, comments: str | bytes) -> bytes:
    persons = '<personList><person displayName="Ann Hill" id="{A}"/><person displayName="Tom" id="{B}"/></personList>'
    book = (
        relations({"rId1": ("worksheet", "worksheets/sheet1.xml"), "rId3": ("styles", "styles.xml")})
        .replace("</Rel", f'<Relationship Id="p" Type="{MS}/person" Target="persons/person.xml"/></Rel')
    )  # fmt: skip
    sheet = (
        f'<Relationships xmlns="{PACKAGE}"><Relationship Id="n" Type="{RELATIONS}/comments" Target="/xl/comments/comment1.xml"/>'
        f'<Relationship Id="t" Type="{MS}/threadedComment" Target="../threadedComments/1.xml"/></Relationships>'
    )
    return holding(data, {
        "xl/_rels/workbook.xml.rels": book, "xl/worksheets/_rels/sheet1.xml.rels": sheet,
        "xl/threadedComments/1.xml": comments, "xl/persons/person.xml": persons,
    })  # fmt: skip


def test_a_thread_is_read_once_with_its_replies_and_not_the_note_that_stands_for_it() -> None:
    data = commented(("B1", "[Threaded comment] Your version … Comment: Why 1?", "tc={T0}"), ("A1", "A note.", "Tom"))
    found, notes = read(with_thread(data, thread(("B1", "Why 1?", "A"), ("B1", "It was dark.", "B"))))
    assert (
        found.text
        == "Oil\n\nDay 1 | 1\n[A1, Tom: A note.]\n[B1, Ann Hill: Why 1?]\n[B1, Tom: It was dark.]\nDay 2 | 2\nDay 3 | 3"
    )
    assert notes == []


def test_where_the_thread_is_missing_or_damaged_the_note_that_stands_for_it_is_read() -> None:
    data = commented(("B1", "Comment: Why 1?", "tc={T0}"))
    text = "Oil\n\nDay 1 | 1\n[B1: Comment: Why 1?]\nDay 2 | 2\nDay 3 | 3"
    assert read(data)[0].text == text
    damaged, notes = read(with_thread(data, "<ThreadedComments"))
    assert damaged.text == text.replace("[B1: Comment: Why 1?]\n", "")
    assert notes == [
        "comments left out: it is damaged or cut short: xl/threadedComments/1.xml is no XML that can be read"
    ]


def test_comments_of_open_document_sheets_stand_below_their_rows_too() -> None:
    def cell(text: str, note: str = "") -> str:
        said = f"<office:annotation><text:p>{note}</text:p></office:annotation>" if note else ""
        return f"<table:table-cell>{said}<text:p>{text}</text:p></table:table-cell>"

    rows = [cell("a") + cell("b", "Why b?"), cell("c")]
    table = "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
    found, _ = read(odt(f'<table:table table:name="Oil">{table}</table:table>', "spreadsheet"), ".ods")
    assert found.text == "Oil\n\na | b\n[B1: Why b?]\nc"


# -- what is drawn


def test_text_boxes_and_charts_stand_below_the_row_where_they_are_in_groups_too() -> None:
    chart = '<xdr:graphicFrame><c:chart xmlns:c="c" r:id="c"/></xdr:graphicFrame>'
    twice = f"<mc:AlternateContent xmlns:mc='mc'><mc:Choice>{box('New.')}</mc:Choice><mc:Fallback>{box('Old.')}</mc:Fallback></mc:AlternateContent>"
    anchors = anchored(4, chart) + anchored(0, f"<xdr:grpSp>{box('A box.')}</xdr:grpSp>") + anchored(1, twice)
    found, notes = read(drawn([["a"], ["b"], ["c"]], anchors, {"c": ("chart", "charts/c.xml", CHART)}))
    assert found.text == "Oil\n\na\n\nA box.\n\nb\n\nNew.\n\nc\n\nOil burnt\n\n | Litres\nMay | 12\nJune | 9"
    assert [place.get("row") for _, place in found.places] == [None, 1, 2, 3, 5]
    assert notes == []


def test_a_sheet_with_a_damaged_drawing_is_read_without_it() -> None:
    data = holding(drawn([["a"]], anchored(0, box("A box.")), {}), {"xl/drawings/drawing1.xml": "<xdr"})
    found, notes = read(data)
    assert found.text == "Oil\n\na"
    assert notes == [
        "what is drawn left out: it is damaged or cut short: xl/drawings/drawing1.xml is no XML that can be read"
    ]


def test_without_ocr_pictures_on_sheets_are_told_and_those_on_hidden_sheets_are_not() -> None:
    data = drawn([["a"]], anchored(0, picture("p")), {"p": ("image", "media/p.png", png(300, 200))})
    told = "its pictures are not read; with --ocr what is written in them is"
    assert read(data)[1] == [told]
    book = openpyxl.load_workbook(io.BytesIO(data))
    book.create_sheet("Shown")
    book.worksheets[0].sheet_state = "hidden"
    stream = io.BytesIO()
    book.save(stream)
    assert read(stream.getvalue())[1] == ["hidden sheets are left out: Oil"]


def in_a_cell(member: bytes) -> bytes:
    """A workbook whose cell B1 is a picture, as Excel keeps those that are placed in cells."""
    kind = "http://schemas.microsoft.com/office/2017/06/relationships"
    book = relations({
        "rId1": ("worksheet", "worksheets/sheet1.xml"), "rId3": ("styles", "styles.xml"), "m": ("sheetMetadata", "m.xml"),
    }).replace("</Rel", (
        f'<Relationship Id="v" Type="{kind}/rdRichValue" Target="v.xml"/>'
        f'<Relationship Id="s" Type="{kind}/rdRichValueStructure" Target="s.xml"/>'
        f'<Relationship Id="l" Type="{kind}/richValueRel" Target="l.xml"/></Rel'
    ))  # fmt: skip
    metadata = (
        '<metadata><metadataTypes><metadataType name="XLDAPR"/><metadataType name="XLRICHVALUE"/></metadataTypes>'
        '<futureMetadata name="XLRICHVALUE"><bk><extLst><ext><r:rvb xmlns:r="r" i="1"/></ext></extLst></bk></futureMetadata>'
        '<valueMetadata><bk><rc t="1" v="0"/></bk><bk><rc t="2" v="0"/></bk></valueMetadata></metadata>'
    )
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1"><v>7</v></c>'
        '<c r="B1" t="e" vm="2"><v>#VALUE!</v></c><c r="C1" t="e" vm="1"><v>#VALUE!</v></c></row></sheetData></worksheet>'
    )
    return holding(xlsx({"Oil": [["a"]]}), {
        "xl/_rels/workbook.xml.rels": book, "xl/m.xml": metadata, "xl/worksheets/sheet1.xml": sheet,
        "xl/s.xml": '<rvStructures><s><k n="x"/></s><s><k n="CalcOrigin"/><k n="_rvRel:LocalImageIdentifier"/></s></rvStructures>',
        "xl/v.xml": '<rvData><rv s="0"><v>5</v></rv><rv s="1"><v>5</v><v>0</v></rv></rvData>',
        "xl/l.xml": f'<richValueRels xmlns:r="{RELATIONS}"><rel r:id="i"/></richValueRels>',
        "xl/_rels/l.xml.rels": relations({"i": ("image", "media/i.png")}), "xl/media/i.png": member,
    })  # fmt: skip


def test_a_picture_that_is_the_value_of_a_cell_is_no_error_in_it() -> None:
    found, notes = read(in_a_cell(png(300, 200)))
    assert found.text == "Oil\n\n7 |  | #VALUE!"
    assert notes == ["its pictures are not read; with --ocr what is written in them is"]


@pytest.fixture
def by_ocr() -> None:
    """Skip where it is not installed."""
    pytest.importorskip("rapidocr", reason="rapidocr is not installed")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


@pytest.mark.usefixtures("by_ocr")
def test_pictures_on_a_sheet_and_in_its_cells_say_their_sheet_and_row() -> None:
    anchors = anchored(1, picture("p")) + anchored(0, picture("q"))
    members = {
        "p": ("image", "media/p.png", written("The lamp is lit at dusk.")),
        "q": ("image", "media/q.jpg", written("The horn sounds in fog.", "JPEG")),
    }
    found, notes = read(drawn([["a"], ["b"], ["c"]], anchors, members), ocr=True)
    assert places(found) == [
        ("Oil", {"sheet": "Oil"}), ("a", {"sheet": "Oil", "row": 1}),
        ("The horn sounds in fog.", {"sheet": "Oil", "row": 1, "picture": 1}), ("b", {"sheet": "Oil", "row": 2}),
        ("The lamp is lit at dusk.", {"sheet": "Oil", "row": 2, "picture": 2}), ("c", {"sheet": "Oil", "row": 3}),
    ]  # fmt: skip
    assert notes == ["pictures 1-2 of 2: read by OCR"]
    cell, _ = read(in_a_cell(written("The lamp is lit at dusk.")), ocr=True)
    assert places(cell)[-1] == ("The lamp is lit at dusk.", {"sheet": "Oil", "row": 1, "picture": 1})


# -- what is hidden


def test_hidden_rows_and_columns_are_left_out_with_their_comments_and_told() -> None:
    book = openpyxl.load_workbook(
        io.BytesIO(commented(("A2", "No.", "Tom"), ("B1", "No.", "Tom"), ("A3", "Yes.", "Tom")))
    )
    sheet = book.worksheets[0]
    sheet.row_dimensions[2].hidden = True
    sheet.row_dimensions[7].hidden = True  # in which nothing stands
    sheet.column_dimensions["B"].hidden = True
    sheet["C1"], sheet["D1"] = "x", " |"
    stream = io.BytesIO()
    book.save(stream)
    found, notes = read(stream.getvalue())
    assert found.text == "Oil\n\nDay 1 | x | |\nDay 3\n[A3, Tom: Yes.]"
    assert [place.get("row") for _, place in found.places] == [None, 1, 3]
    assert notes == ["what is hidden is left out: 1 row and 1 column of Oil"]


def test_hidden_rows_and_columns_of_open_document_are_told_as_well() -> None:
    def row(*cells: str, how: str = "") -> str:
        each = "".join(f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in cells)
        return f"<table:table-row {how}>{each}</table:table-row>"

    columns = '<table:table-column/><table:table-column table:visibility="collapse" table:number-columns-repeated="2"/>'
    rows = row("a", "b", "", "d") + row("e", how='table:visibility="filter" table:number-rows-repeated="3"') + row("f")
    data = odt(f'<table:table table:name="Oil">{columns}{rows}</table:table>', "spreadsheet")
    document, note = items(data, ".ods", ocr=False)
    assert document.text == "Oil\n\na | d\nf"
    assert [place.get("row") for _, place in document.places] == [None, 1, 5]
    assert note == Note("file", "what is hidden is left out: 3 rows and 1 column of sheet Oil")
