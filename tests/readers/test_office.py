"""Word, PowerPoint, Excel, OpenDocument and EPUB: what a person sees in them, and where it stands."""

from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from made_office import docx, epub, odt, pptx, shape, xlsx, zipped

from searcher.errors import UnreadableFile
from searcher.readers import read, read_text
from searcher.records import Document, Failure, Note


def document_of(data: bytes, suffix: str) -> Document:
    [document] = read_text(data, "file", suffix=suffix)
    assert isinstance(document, Document)
    return document


def paragraph(text: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def word(body: str, **parts: str) -> str:
    return document_of(docx(body, **parts), ".docx").text


# -- Word

STYLES = (
    '<w:style w:styleId="H1"><w:name w:val="heading 1"/></w:style>'
    '<w:style w:styleId="Own"><w:name w:val="Mine"/><w:basedOn w:val="H1"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>'
    '<w:style w:styleId="T"><w:name w:val="Title"/></w:style>'
    '<w:style w:styleId="Secret"><w:name w:val="Secret"/><w:rPr><w:vanish/></w:rPr></w:style>'
)


def styled(text: str, style: str) -> str:
    return paragraph(text, f'<w:pStyle w:val="{style}"/>')


@pytest.mark.parametrize("strict", [False, True])
def test_headings_are_sections_whatever_their_styles_are_called(strict: bool) -> None:
    body = (
        styled("The Garden", "T")
        + styled("Trees", "H1")
        + paragraph("Oak.")
        + styled("Fruit", "Own")
        + paragraph("Pear.")
    )
    core = "<dcterms:created>2024-05-01T10:00:00Z</dcterms:created><dc:creator>Ada</dc:creator>"
    document = document_of(docx(body, strict=strict, styles=STYLES, core=core), ".docx")
    assert document.title == "The Garden"
    assert [path for _, path in document.sections] == ["The Garden", "Trees", "Trees > Fruit"]
    assert document.metadata == {"author": "Ada", "date": "2024-05-01"}
    assert document.text == "The Garden\n\nTrees\n\nOak.\n\nFruit\n\nPear."


def test_insertions_stay_and_what_was_deleted_moved_away_or_hidden_goes() -> None:
    run = "<w:r><w:t>{}</w:t></w:r>".format
    body = (
        f"<w:p>{run('kept ')}<w:ins>{run('put in ')}</w:ins><w:del><w:r><w:delText>cut</w:delText></w:r></w:del>"
        f"<w:moveFrom>{run('away')}</w:moveFrom><w:moveTo>{run('here')}</w:moveTo>"
        '<w:r><w:rPr><w:vanish/></w:rPr><w:t>unseen</w:t></w:r><w:r><w:rPr><w:vanish w:val="0"/></w:rPr><w:t> seen</w:t></w:r>'
        '<w:r><w:rPr><w:rStyle w:val="Secret"/></w:rPr><w:t>unseen</w:t></w:r></w:p>'
    )
    assert word(body, styles=STYLES) == "kept put in here seen"


def test_lists_are_numbered_as_they_are_shown() -> None:
    level = '<w:lvl w:ilvl="{}"><w:start w:val="{}"/><w:numFmt w:val="{}"/><w:lvlText w:val="{}"/></w:lvl>'.format
    numbering = (
        f'<w:abstractNum w:abstractNumId="1">{level(0, 3, "decimal", "%1.")}{level(1, 1, "lowerLetter", "%1.%2)")}</w:abstractNum>'
        f'<w:abstractNum w:abstractNumId="2">{level(0, 1, "bullet", chr(0xF0B7))}</w:abstractNum>'
        f'<w:abstractNum w:abstractNumId="3">{level(0, 1, "upperRoman", "§ %1")}</w:abstractNum>'
        + "".join(f'<w:num w:numId="{n}"><w:abstractNumId w:val="{n}"/></w:num>' for n in (1, 2, 3))
    )
    item = '<w:numPr><w:ilvl w:val="{}"/><w:numId w:val="{}"/></w:numPr>'.format
    items = [
        ("soil", 0, 1),
        ("dry", 1, 1),
        ("wet", 1, 1),
        ("seed", 0, 1),
        ("old", 1, 1),
        ("water", 0, 2),
        ("air", 0, 3),
    ]
    body = "".join(paragraph(text, item(at, number)) for text, at, number in items)
    lines = ["3. soil", "3.a) dry", "3.b) wet", "4. seed", "4.a) old", "", "- water", "", "§ I air"]
    assert word(body, numbering=numbering).split("\n") == lines


def test_a_list_of_its_own_within_another_stands_close() -> None:
    level = '<w:lvl w:ilvl="{}"><w:numFmt w:val="{}"/><w:lvlText w:val="%{}."/></w:lvl>'.format
    numbering = "".join(
        f'<w:abstractNum w:abstractNumId="{n}">{level(0, "decimal", 1)}{level(1, "lowerLetter", 2)}</w:abstractNum>'
        for n in (1, 2)
    ) + "".join(f'<w:num w:numId="{n}"><w:abstractNumId w:val="{n}"/></w:num>' for n in (1, 2))
    item = '<w:numPr><w:ilvl w:val="{}"/><w:numId w:val="{}"/></w:numPr>'.format
    items = [("one", 0, 1), ("deep", 1, 2), ("two", 0, 1), ("other", 0, 2)]
    body = "".join(paragraph(text, item(at, number)) for text, at, number in items)
    assert word(body, numbering=numbering) == "1. one\na. deep\n2. two\n\n1. other"


def test_tables_keep_their_rows_and_those_within_stay_in_their_cell() -> None:
    cell = "<w:tc>{}</w:tc>".format
    inner = f"<w:tbl><w:tr>{cell(paragraph('in'))}{cell(paragraph('side'))}</w:tr></w:tbl>"
    rows = (
        f"<w:tr>{cell(paragraph('tree'))}{cell(paragraph('height'))}</w:tr>"
        f"<w:tr><w:trPr><w:del/></w:trPr>{cell(paragraph('gone'))}</w:tr>"
        f"<w:sdt><w:sdtContent><w:tr>{cell(paragraph('oak') + paragraph('old'))}{cell(inner)}</w:tr></w:sdtContent></w:sdt>"
    )
    assert (
        word(f"{paragraph('Before')}<w:tbl>{rows}</w:tbl>{paragraph('After')}")
        == "Before\n\ntree | height\noak old | in side\n\nAfter"
    )


def test_notes_stand_below_their_paragraph_and_text_boxes_once() -> None:
    box = f"<w:txbxContent>{paragraph('In a box.')}</w:txbxContent>"
    both = f"<mc:AlternateContent xmlns:mc='mc'><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent>"
    body = f'<w:p><w:r><w:t>Said.</w:t><w:footnoteReference w:id="2"/></w:r><w:r>{both}</w:r></w:p>{paragraph("Next.")}'
    notes = f'<w:footnote w:id="0" w:type="separator">{paragraph("-")}</w:footnote><w:footnote w:id="2">{paragraph(" By whom.")}</w:footnote>'
    assert word(body, footnotes=notes) == "Said.\n\nBy whom.\n\nIn a box.\n\nNext."


def test_what_fields_show_stays_and_their_codes_go_and_heads_are_said_once() -> None:
    field = "<w:p><w:r><w:instrText>PAGE \\h</w:instrText></w:r><w:r><w:t>7</w:t></w:r></w:p>"
    body = f"{paragraph('Body')}<w:p><w:hyperlink><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:noBreakHyphen/></w:r></w:hyperlink></w:p>"
    assert (
        word(body, header=paragraph("Letterhead") + field, footer=paragraph("Letterhead"))
        == "Body\n\na\tb\nc-\n\nLetterhead"
    )


# -- PowerPoint


def test_slides_come_in_their_order_with_title_first_and_notes_marked() -> None:
    table = (
        "<p:graphicFrame><a:tbl>"
        + "".join(
            "<a:tr>"
            + "".join(f"<a:tc><p:txBody><a:p><a:r><a:t>{c}</a:t></a:r></a:p></p:txBody></a:tc>" for c in row)
            + "</a:tr>"
            for row in ("ab", "cd")
        )
        + "</a:tbl></p:graphicFrame>"
    )
    slides = [
        shape("1", "sldNum") + f"<p:grpSp>{shape('Within')}</p:grpSp>" + shape("Opening", "title"),
        shape("Unshown", "title"),
        shape("Figures", "ctrTitle") + table + shape("One\nTwo"),
    ]
    document, note = read_text(pptx(slides, notes={3: "Breathe."}, hidden=(2,)), "file", suffix=".pptx")
    assert isinstance(document, Document)
    assert document.text == "Opening\n\nWithin\n\nFigures\n\na | b\nc | d\n\nOne\nTwo\n\nBreathe."
    assert document.places == ((0, {"slide": 1}), (17, {"slide": 3}), (48, {"slide": 3, "notes": True}))
    assert [path for _, path in document.sections] == ["Opening", "Figures"] and document.breaks == (17,)
    assert note == Note("file", "hidden slides are left out: 2")


# -- Excel


def test_rows_are_shown_as_they_stand_and_hidden_sheets_and_bare_formulas_are_told() -> None:
    rows = [
        ["what", "when", "share", "sum"],
        ["rent", date(2024, 3, 1), 0.125, 1200.0],
        [],
        ["tea", datetime(2024, 3, 2, 14, 30), True, "=1+1"],
        [None, time(9, 5), timedelta(hours=30), 0.1 + 0.2],
    ]
    data = xlsx({"Costs": rows, "Lists": [["no"]], "Plan": [["x"]]}, hidden=("Lists",))
    document, hidden, formulas = read_text(data, "file", suffix=".xlsx")
    assert isinstance(document, Document)
    lines = [
        "what | when | share | sum",
        "rent | 2024-03-01 | 0.125 | 1200",
        "",
        "tea | 2024-03-02 14:30 | TRUE",
        " | 09:05:00 | 30:00:00 | 0.3",
    ]
    assert document.text == "\n".join(["Costs", "", *lines, "", "Plan", "", "x"])
    assert [path for _, path in document.sections] == ["Costs", "Plan"]
    assert document.breaks == (document.text.index("Plan"),)
    at = document.text.index("tea")
    assert (at, {"sheet": "Costs", "row": 4}) in document.places
    assert hidden == Note("file", "hidden sheets are left out: Lists")
    assert formulas.reason.startswith("formulas without a stored value are empty: 1 in Costs")


def test_a_merged_cell_is_in_each_row_that_it_spans() -> None:
    rows = [["north", "a"], [None, "b"], [None, "c"], [None, "d"]]
    assert document_of(xlsx({"S": rows}, merged="A1:A3"), ".xlsx").text == "S\n\nnorth | a\nnorth | b\nnorth | c\n | d"


def test_a_sheet_of_seventeen_billion_cells_is_two_rows() -> None:
    data = xlsx({"S": [["first"]]})
    import io
    import zipfile

    members = {m: zipfile.ZipFile(io.BytesIO(data)).read(m) for m in zipfile.ZipFile(io.BytesIO(data)).namelist()}
    name = next(m for m in members if m.endswith("sheet1.xml"))
    last = b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>last</t></is></c></row></sheetData>'
    members[name] = members[name].replace(b"</sheetData>", last)
    document = document_of(zipped(members), ".xlsx")
    first, end = document.text.removeprefix("S\n\n").split("\n\n")
    assert (first, end.strip(" |")) == ("first", "last")
    assert document.places[-1][1] == {"sheet": "S", "row": 1048576}


# -- OpenDocument


def test_a_text_of_open_document() -> None:
    styles = (
        '<text:list-style style:name="L"><text:list-level-style-number style:num-format="1" style:num-suffix="."/></text:list-style>'
        '<style:style style:name="Un"><style:text-properties text:display="none"/></style:style>'
    )
    body = (
        '<text:tracked-changes><text:p>cut</text:p></text:tracked-changes><text:h text:outline-level="1">Trees</text:h>'
        "<text:p>Oaks<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>Very old.</text:p></text:note-body></text:note>"
        ' are<text:s text:c="2"/><text:span>tall</text:span><text:span text:style-name="Un">unseen</text:span>.</text:p>'
        '<text:list text:style-name="L"><text:list-item><text:p>one</text:p><text:list><text:list-item><text:p>deep</text:p>'
        "</text:list-item></text:list></text:list-item><text:list-item><text:p>two</text:p></text:list-item></text:list>"
        '<table:table><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell><table:table-cell table:number-columns-repeated="2"/>'
        "<table:table-cell><text:p>b</text:p></table:table-cell></table:table-row></table:table>"
        "<text:p><draw:frame><draw:text-box><text:p>Boxed</text:p></draw:text-box></draw:frame></text:p>"
    )
    document = document_of(
        odt(body, styles=styles, meta="<meta:creation-date>2023-01-02T03:04:05</meta:creation-date>"), ".odt"
    )
    assert document.text == "Trees\n\nOaks are  tall.\n\nVery old.\n\n1. one\n1. deep\n2. two\n\na |  |  | b\n\nBoxed"
    assert document.sections == ((0, "Trees"),) and document.metadata == {"date": "2023-01-02"}


def test_sheets_and_slides_of_open_document_have_places() -> None:
    row = "<table:table-row{}><table:table-cell><text:p>{}</text:p></table:table-cell></table:table-row>".format
    sheets = f'<table:table table:name="Costs">{row("", "a")}<table:table-row table:number-rows-repeated="1000000"/>{row("", "b")}</table:table>'
    assert document_of(odt(sheets, "spreadsheet"), ".ods").places[-1][1] == {"sheet": "Costs", "row": 1000002}
    slides = "<draw:page><draw:frame><draw:text-box><text:p>One</text:p></draw:text-box></draw:frame></draw:page><draw:page><text:p>Two</text:p></draw:page>"
    assert document_of(odt(slides, "presentation"), ".odp").places == ((0, {"slide": 1}), (5, {"slide": 2}))


# -- EPUB


def test_chapters_come_in_the_order_of_the_spine_and_are_called_as_in_the_contents() -> None:
    chapters = {
        "b c.xhtml": "<html><head><title/></head><body><h2>Dawn</h2><p>It was<sup><a href='#n'>1</a></sup> cold.</p><aside><p>A note.</p></aside></body></html>",
        "a.xhtml": "<?xml version='1.0' encoding='iso-8859-1'?><html><body><p>Caf\u00e9 noir.<a id='x'/></p></body></html>".encode(
            "latin-1"
        ),
    }
    document = document_of(epub(chapters, {"b%20c.xhtml": "Chapter I", "a.xhtml": "Chapter II"}), ".epub")
    assert document.text == "Dawn\n\nIt was cold.\n\nA note.\n\nCafé noir."
    assert document.title == "A Book" and document.metadata == {"author": "Ada; Bob"}
    assert document.places == ((0, {"chapter": "Chapter I"}), (29, {"chapter": "Chapter II"}))
    assert document.sections == ((0, "Dawn"), (29, "Chapter II"))


def test_a_book_with_a_lock_is_not_read_and_a_chapter_that_is_not_there_is_told() -> None:
    lock = '<encryption><EncryptedData><EncryptionMethod Algorithm="aes"/><CipherReference URI="OPS/a.xhtml"/></EncryptedData></encryption>'
    data = epub({"a.xhtml": "<p>text</p>"}, **{"META-INF/encryption.xml": lock})
    with pytest.raises(UnreadableFile, match="protected against copying"):
        list(read_text(data, "file", suffix=".epub"))
    opf = '<package><manifest><item id="a" href="a.xhtml"/></manifest><spine><itemref idref="a"/></spine></package>'
    items = list(read_text(zipped({"book.opf": opf}), "file", suffix=".epub"))
    assert items[1:] == [Note("file", "chapters that are not in the file: a.xhtml")]


# -- archives that mean harm, or came to it

OFFICE = [".docx", ".pptx", ".xlsx", ".odt", ".epub"]


@pytest.mark.parametrize("suffix", OFFICE)
@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 cut short", b"no archive at all", zipped({"a": "b"})])
def test_what_is_no_document_fails_with_one_line(suffix: str, data: bytes) -> None:
    with pytest.raises(UnreadableFile) as fault:
        list(read_text(data, "file", suffix=suffix))
    assert "it is damaged or cut short" in fault.value.reason


@pytest.mark.parametrize("suffix", OFFICE)
def test_an_archive_that_unpacks_to_too_much_is_refused_by_its_directory(suffix: str, data: Path) -> None:
    bomb = (data / "formats" / "zipbomb.docx").read_bytes()
    with pytest.raises(UnreadableFile, match="it unpacks to 1,024 MiB in 3 parts"):
        list(read_text(bomb, "file", suffix=suffix))


def test_entities_are_not_expanded_and_nothing_is_fetched(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a secret", encoding="utf-8")
    many = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 9))
    for doctype in (
        f'<!DOCTYPE d [<!ENTITY e0 "ha">{many}]>',
        f'<!DOCTYPE d [<!ENTITY e8 SYSTEM "file://{tmp_path / "secret"}">]>',
        '<!DOCTYPE d [<!ENTITY e8 SYSTEM "http://127.0.0.1:9/x">]>',
        '<!DOCTYPE d SYSTEM "http://127.0.0.1:9/x.dtd" [<!ENTITY e8 "">]>',
    ):
        body = (
            f'{doctype}<w:document xmlns:w="w"><w:body><w:p><w:r><w:t>text &e8;</w:t></w:r></w:p></w:body></w:document>'
        )
        try:
            document = document_of(zipped({"word/document.xml": body}), ".docx")
            assert document.text.strip() == "text"
        except UnreadableFile as fault:
            assert "is no XML that can be read" in fault.reason


def test_what_is_nested_too_deeply_is_told() -> None:
    deep = "<w:sdt><w:sdtContent>" * 3000 + paragraph("deep") + "</w:sdtContent></w:sdt>" * 3000
    with pytest.raises(UnreadableFile, match="its parts are nested too deeply"):
        document_of(docx(deep), ".docx")


def test_a_member_that_is_damaged_is_named() -> None:
    import io
    import zipfile

    data = bytearray(docx(paragraph("words " * 2000)))
    name = zipfile.ZipFile(io.BytesIO(data)).getinfo("word/document.xml")
    at = name.header_offset + 60
    data[at : at + 10] = bytes(10)
    with pytest.raises(UnreadableFile, match=r"word/document\.xml (cannot be unpacked|is no XML that can be read)"):
        document_of(bytes(data), ".docx")


def test_a_document_with_a_password_says_so() -> None:
    wrapped = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + "EncryptedPackage".encode("utf-16-le") + bytes(500)
    for suffix in (".docx", ".pptx", ".xlsx"):
        with pytest.raises(UnreadableFile, match="it is encrypted; it opens only with a password"):
            list(read_text(wrapped, "file", suffix=suffix))


# -- files that people have


def test_every_document_of_the_data_is_read_and_its_places_rise(data: Path) -> None:
    files = [
        f
        for f in [*(data / "documents").rglob("*.*"), *(data / "formats").iterdir()]
        if f.suffix in OFFICE and "bomb" not in f.name
    ]
    assert len(files) > 30
    for file in files:
        items = list(read(file))
        [document] = [item for item in items if isinstance(item, Document)]
        assert document.text.strip() and not any(type(item) is Failure for item in items), file
        starts = [start for start, _ in document.places]
        assert starts == sorted(starts) and starts[-1:] <= [len(document.text)]
