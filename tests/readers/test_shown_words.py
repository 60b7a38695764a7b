"""Office files: every word that is shown comes once, in its order, and nothing else, however it is wrapped."""

import io
from typing import Any
from zipfile import ZipFile

import pytest
from made_office import ODF, RELATIONS, docx, odt, pptx, relations, shape, xlsx, zipped
from test_embedded import holding

from searcher.readers import read_text
from searcher.records import Note

STYLES = (
    '<w:style w:type="paragraph" w:styleId="Secret"><w:name w:val="Secret"/><w:rPr><w:vanish/></w:rPr></w:style>'
    '<w:style w:type="paragraph" w:styleId="Open"><w:name w:val="Open"/><w:basedOn w:val="Secret"/><w:rPr><w:vanish w:val="0"/></w:rPr></w:style>'
)
HIDDEN, NOT_HIDDEN = "<w:rPr><w:vanish/></w:rPr>", '<w:rPr><w:vanish w:val="0"/></w:rPr>'


def read(data: bytes, suffix: str) -> Any:
    document, *_ = read_text(data, "file", suffix=suffix)  # all of them: else the parser is ended, and made anew
    return document


def p(*inner: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{''.join(inner)}</w:p>"


def r(text: str, properties: str = "") -> str:
    return f'<w:r>{properties}<w:t xml:space="preserve">{text}</w:t></w:r>'


def control(inner: str) -> str:
    return f"<w:sdt><w:sdtPr><w:alias w:val='No'/></w:sdtPr><w:sdtContent>{inner}</w:sdtContent></w:sdt>"


def cell(*inner: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{''.join(inner)}</w:tc>"


def row(*cells: str) -> str:
    return f"<w:tr>{''.join(cells)}</w:tr>"


def mark(kind: str) -> str:
    return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'


def code(text: str) -> str:
    return f"<w:r><w:instrText> {text} </w:instrText></w:r>"


def field(instruction: str, result: str) -> str:
    return mark("begin") + instruction + mark("separate") + result + mark("end")


def box(text: str) -> str:
    """A text box, for newer and for older programs."""
    content = f"<w:txbxContent>{p(r(text))}</w:txbxContent>"
    new = f'<w:drawing><wps:txbx xmlns:wps="wps">{content}</wps:txbx></w:drawing>'
    old = f'<w:pict><v:textbox xmlns:v="v">{content}</v:textbox></w:pict>'
    return f'<w:r><mc:AlternateContent xmlns:mc="mc"><mc:Choice>{new}</mc:Choice><mc:Fallback>{old}</mc:Fallback></mc:AlternateContent></w:r>'


GONE_MARK = '<w:rPr><w:del w:id="1"/></w:rPr>'
MOVED_MARK = '<w:rPr><w:moveFrom w:id="1"/></w:rPr>'
DELETED = "<w:del><w:r><w:delText>no</w:delText></w:r></w:del>"
WORD = [
    # content controls
    (control(p(r("One.")) + control(p(r("Two.")))), "One.\n\nTwo."),
    (p(r("a "), control(r("b") + control(r(" c"))), r(" d")), "a b c d"),
    (f"<w:tbl>{control(row(control(cell(p(r('a')))), cell(control(p(r('b'))))))}</w:tbl>", "a | b"),
    # changes
    (p(r("a"), DELETED, "<w:ins>" + r(" b") + DELETED + "</w:ins>"), "a b"),
    (p(r("a"), "<w:moveFrom>" + r(" no") + "</w:moveFrom>") + p("<w:moveTo>" + r("b") + "</w:moveTo>"), "a\n\nb"),
    (p(r("One "), properties=GONE_MARK) + "<w:bookmarkEnd/>" + p(r("and "), properties=MOVED_MARK) + p(r("two.")), "One and two."),
    (p(DELETED, properties=GONE_MARK) + p(r("Two.")), "Two."),
    (p(r("Last."), properties=GONE_MARK), "Last."),
    (f"<w:tbl>{row(cell(p(r('no')), properties='<w:cellDel/>'), cell(p(r('a')), properties='<w:cellIns/>'))}</w:tbl>", "a"),
    # fields
    (p(r("See "), field(code("REF x"), r("page 3")), r(".")), "See page 3."),
    (p(field(code("IF") + field(code("MERGEFIELD x"), r("no")) + code('= 1 "yes"'), r("yes")), r(" b")), "yes b"),
    (p(mark("begin"), code("XE"), r("no"), mark("end"), r("a")), "a"),
    (p(field(code("IF") + mark("begin") + code("XE") + mark("end"), r("a ") + field(code("PAGE"), r("7"))), r(" b")), "a 7 b"),
    (p(mark("begin"), code("TOC"), mark("separate"), r("One")) + p(r("Two"), mark("end")), "One\n\nTwo"),
    (p(mark("begin"), code("cut"), r("a")) + p(r("b")), "a\n\nb"),
    (p(mark("separate"), mark("end"), r("a"), mark("end")), "a"),
    (p("<w:fldSimple w:instr=' PAGE '>" + r("4") + "</w:fldSimple>"), "4"),
    # boxes and letters that are drawn
    (p(r("Before"), box("In it."), r(" after.")), "Before after.\n\nIn it."),
    (f"<w:tbl>{row(cell(p(r('a'), box('In it.'))), cell(p(r('b'))))}</w:tbl>", "a | b\n\nIn it."),
    (p(r("a"), '<w:r><w:pict><v:textpath xmlns:v="v" string="DRAFT"/></w:pict></w:r>'), "a\n\nDRAFT"),
    # what is hidden
    (p(r("a "), r("no ", HIDDEN), r("b", NOT_HIDDEN)), "a b"),
    (p(r("no"), r("a", NOT_HIDDEN), properties='<w:pStyle w:val="Secret"/>'), "a"),
    (p(r("a"), properties='<w:pStyle w:val="Open"/>'), "a"),
]  # fmt: skip


@pytest.mark.parametrize("strict", [False, True])
def test_words_of_a_word_document(strict: bool) -> None:
    found = [read(docx(body, strict=strict, styles=STYLES), ".docx").text for body, _ in WORD]
    assert found == [text for _, text in WORD]


def test_a_watermark_of_all_heads_is_read_once() -> None:
    letters = '<w:p><w:r><w:pict><v:textpath xmlns:v="v" string="DRAFT"/></w:pict></w:r></w:p>'
    assert read(docx(p(r("a")), header=letters, footer=letters), ".docx").text == "a\n\nDRAFT"


INNER = docx(p(r("Inner"), properties='<w:outlineLvl w:val="0"/>') + p(r("text.")))
MHT = (
    b'MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="X"\r\n\r\n--X\r\nContent-Type: text/html; charset="utf-8"\r\n'
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\n<html><body><h1>Inner</h1><p>t=C3=A9xt.</p></body></html>\r\n--X--\r\n"
)
CHUNKS = [
    ("a.docx", INNER, "Inner\n\ntext.", "Inner"),
    ("a.html", b"<html><title>no</title><nav>Menu</nav><h1>Inner</h1><p>t&eacute;xt.</p></html>", "Menu\n\nInner\n\ntéxt.", "Inner"),
    ("a.mht", MHT, "Inner\n\ntéxt.", "Inner"),
    ("a.rtf", rb"{\rtf1\ansi Inner\par t\'e9xt.}", "Inner\n\ntéxt.", None),
    ("a.txt", "Inner téxt.".encode(), "Inner téxt.", None),
]  # fmt: skip


def with_chunk(name: str, data: bytes) -> bytes:
    body = p(r("Before.")) + f'<w:altChunk xmlns:r="{RELATIONS}" r:id="c"/>' + p(r("After."))
    return holding(
        docx(body), {"word/_rels/document.xml.rels": relations({"c": ("aFChunk", name)}), f"word/{name}": data}
    )


def test_a_document_of_another_kind_within_one_stands_where_it_is_shown() -> None:
    for name, data, text, heading in CHUNKS:
        found = read(with_chunk(name, data), ".docx")
        assert found.text == f"Before.\n\n{text}\n\nAfter.", name
        assert [path for _, path in found.sections] == ([heading] if heading else [])
        assert all(found.text[start:].startswith("Inner") for start, _ in found.sections)


@pytest.mark.parametrize(
    ("data", "why"),
    [(b"PK\3\4", "it is damaged or cut short: no document of its kind"),
     (with_chunk("a.docx", INNER), "it is in a document within this one")],
)  # fmt: skip
def test_one_that_cannot_be_read_and_one_within_one_are_told(data: bytes, why: str) -> None:
    document, note = read_text(with_chunk("a.docx", data), "file", suffix=".docx")
    assert getattr(document, "text", "").replace("Before.\n\nAfter.\n\n", "") == "Before.\n\nAfter."
    assert note == Note("file", f"a document within it is left out: {why}")


# -- other names for the same


def strict(data: bytes) -> bytes:
    """The same as "Strict Open XML" has it."""
    with ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name).decode() for name in archive.namelist()}
    for kind in ("spreadsheetml", "presentationml", "wordprocessingml", "drawingml", "officeDocument"):
        before, after = f"http://schemas.openxmlformats.org/{kind}/2006/", f"http://purl.oclc.org/ooxml/{kind}/"
        members = {name: text.replace(before, after) for name, text in members.items()}
    return zipped(members)


BOOK = xlsx({"One": [["a", 1, True], [None, 2.5, "b"]], "Two": [["c"]]}, hidden=("Two",), merged="A1:A2")
SLIDES = pptx([shape("Title", "title") + shape("a\nb")], {1: "said"})
SAME = [
    (docx(p(r("a"))), ".docx .docm .dotx .dotm"),
    (SLIDES, ".pptx .pptm .ppsx .ppsm .potx .potm"),
    (BOOK, ".xlsx .xlsm .xltx .xltm"),
    (odt("<text:p>a</text:p>"), ".odt .ott .ods .ots .odp .otp .odg .otg"),
    (f"<office:document {ODF}><office:body><office:text><text:p>a</text:p></office:text></office:body></office:document>".encode(), ".fodt .fods .fodp .fodg"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "suffixes"), SAME)
def test_templates_shows_and_files_with_macros_are_read_as_the_usual_kind(data: bytes, suffixes: str) -> None:
    usual, *others = ([*read_text(data, "file", suffix=suffix)] for suffix in suffixes.split())
    assert usual[0].text  # type: ignore[union-attr]
    assert all(other == usual for other in others)


@pytest.mark.parametrize(("data", "suffix"), [(BOOK, ".xlsx"), (SLIDES, ".pptx"), (docx(p(r("a"))), ".docx")])
def test_strict_files_say_what_the_usual_ones_do(data: bytes, suffix: str) -> None:
    assert [*read_text(strict(data), "file", suffix=suffix)] == [*read_text(data, "file", suffix=suffix)]


def test_what_a_slide_shows_in_two_ways_is_read_in_the_first() -> None:
    twice = shape("x").replace(
        "<a:r><a:t>x</a:t></a:r>",
        '<a:r><a:t>a </a:t></a:r><mc:AlternateContent xmlns:mc="mc"><mc:Choice><a:r><a:t>new</a:t></a:r></mc:Choice>'
        "<mc:Fallback><a:r><a:t>old</a:t></a:r></mc:Fallback></mc:AlternateContent><a:r><a:t> b</a:t></a:r>",
    )
    assert read(pptx([twice]), ".pptx").text == "a new b"


# -- OpenDocument


DRAW = 'xmlns:presentation="urn:oasis:names:tc:opendocument:xmlns:presentation:1.0"'


def test_the_title_of_a_slide_comes_first_and_what_stands_on_every_slide_does_not() -> None:
    def frame(kind: str, text: str) -> str:
        inner = f"<draw:text-box><text:p>{text}</text:p></draw:text-box>"
        return f'<draw:frame {DRAW} presentation:class="{kind}">{inner}</draw:frame>'

    notes = f"<presentation:notes {DRAW}>{frame('notes', 'Said.')}{frame('page-number', '1')}</presentation:notes>"
    page = f"<draw:page>{frame('outline', 'Body.')}{frame('title', 'Lamps')}{frame('footer', 'no')}{notes}</draw:page>"
    found = read(odt(page, "presentation"), ".odp")
    assert found.text == "Lamps\n\nBody.\n\nSaid."
    assert found.sections == ((0, "Lamps"),)
    assert found.places == ((0, {"slide": 1}), (14, {"slide": 1, "notes": True}))


OPEN = [
    ("a <draw:custom-shape><text:p>In it.</text:p></draw:custom-shape>b", "a b\n\nIn it."),
    ("a <draw:g><draw:rect><text:p>One.</text:p></draw:rect><draw:frame><draw:text-box><text:p>Two.</text:p></draw:text-box></draw:frame></draw:g>b", "a b\n\nOne.\n\nTwo."),
    ('<text:hidden-paragraph text:is-hidden="true"/>no', ""),
    ('<text:hidden-paragraph text:is-hidden="false"/>a', "a"),
    ('a<text:hidden-text text:is-hidden="true">no</text:hidden-text> <text:variable-set text:display="none">no</text:variable-set>b', "a b"),
    ('a<text:change text:change-id="x"/> <text:change-start/>b<text:change-end/>', "a b"),
    ("<text:ruby><text:ruby-base>a</text:ruby-base><text:ruby-text>no</text:ruby-text></text:ruby> b<text:soft-page-break/>", "a b"),
]  # fmt: skip


def test_words_of_open_document() -> None:
    changes = "<text:tracked-changes><text:changed-region><text:deletion><text:p>no</text:p></text:deletion></text:changed-region></text:tracked-changes>"
    found = [read(odt(f"{changes}<text:p>{body}</text:p><text:p>Last.</text:p>"), ".odt").text for body, _ in OPEN]
    assert found == [f"{text}\n\nLast.".strip() for _, text in OPEN]


# -- RTF


RICH = [
    (rb"{\stylesheet{\s1 heading 1;}}\pard\s1{\listtext\pard\plain \tab}One\par\pard two", "One\n\ntwo", ["One"]),
    (rb"a{\*\atnid T}{\*\atnauthor Tom}\chatn{\*\annotation{\*\atndate 1}\pard Since when?} b\par c", "a b\n\n[Tom: Since when?]\n\nc", []),
    (rb"a {\shp{\*\shpinst{\sp{\sn wzName}{\sv no}}{\sp{\sn gtextUNICODE}{\sv DRAFT}}}}b", "a b\n\nDRAFT", []),
    (rb"\trowd\pard\intbl a{\footnote\pard n}\par b\cell c\cell\row\pard d", "a b | c\n\nn\n\nd", []),
]  # fmt: skip


def test_words_of_rtf() -> None:
    for body, text, headings in RICH:
        found = read(rb"{\rtf1\ansi " + body + b"}", ".rtf")
        assert (found.text, [path for _, path in found.sections]) == (text, headings)


@pytest.mark.parametrize(
    ("drawn", "said"),
    [
        (r"EQ \f(a+b,2)", "(a+b)/2"),
        (r"EQ \f(1,5;2) = \r(3;x)", "1,5/2 = 3√x"),
        (r"EQ \i\su(i=1,n,x\s\up8(2))", "∑_(i=1)^n x^2"),
        (r"EQ \b\bc\[(\a\al\co2(1,2)) \b\lc\|(x)", "[1, 2] |x"),
        (r'EQ \* jc2 \* "Font:MS Mincho" \* hps10 \o\ad(\s\up 9(かん),漢)', "漢"),
        (r"eq \o\ac(○,12)", "(12)"),
        (r"EQ \x(f\(a\,b\) \s\do4(n)", "f(a,b) _n"),
        (r"EQUATION \f(1,2)", ""),
    ],
)
def test_a_field_that_draws_is_read_as_what_it_draws(drawn: str, said: str) -> None:
    empty, parted = mark("begin") + code(drawn) + mark("end"), field(code(drawn), "")
    assert read(docx(p(r("a"), empty, r("b ")) + p(parted, r("c"))), ".docx").text == f"a{said}b \n\n{said}c"
    written = "".join(f"\\u{ord(sign)}?" if not sign.isascii() else sign for sign in drawn.replace("\\", "\\\\"))
    rtf = (
        rf"{{\rtf1 a{{\field{{\*\fldinst {{{written}}}}}{{\fldrslt }}}}b {{\field{{\*\fldinst PAGE}}{{\fldrslt 3}}}}}}"
    )
    assert read(rtf.encode(), ".rtf").text == f"a{said}b 3"


def test_what_a_field_within_a_code_draws_is_not_shown() -> None:
    inner = mark("begin") + code(r"EQ \f(1,2)") + mark("end")
    assert read(docx(p(field(code("IF 1") + inner, r("shown")))), ".docx").text == "shown"
    rtf = r"{\rtf1 {\field{\*\fldinst {IF 1 {\field{\*\fldinst EQ \\f(1,2)}{\fldrslt }}}}{\fldrslt shown}}}"
    assert read(rtf.encode(), ".rtf").text == "shown"
