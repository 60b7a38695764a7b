"""Texts of OpenDocument as a person reads them: numbers of lists and headings, tables within tables, code, formulas."""

from made_office import odt

from searcher.readers import read_text
from searcher.records import Document

LEVEL = '<text:list-level-style-number text:level="{}" style:num-format="{}" style:num-suffix="{}" {}/>'.format
OUTLINE = '<text:outline-level-style text:level="{}" style:num-format="1" text:display-levels="{}"/>'.format
ITEM = "<text:list-item{}><text:p>{}</text:p>{}</text:list-item>".format
LIST = "<text:list{}>{}</text:list>".format
CELL = "<table:table-cell>{}</table:table-cell>".format
ROW = "<table:table-row>{}</table:table-row>".format
TABLE = "<table:table>{}</table:table>".format
P = "<text:p>{}</text:p>".format
STYLE = '<text:list-style style:name="{}">{}</text:list-style>'.format
LEGAL = STYLE("Legal", LEVEL(1, "1", ".", "") + LEVEL(2, "1", ".", 'text:display-levels="2"'))
ALPHA = STYLE("Alpha", LEVEL(1, "a", ")", "") + LEVEL(2, "i", ".", ""))


def text_of(body: str, styles: str = "", kind: str = "text", **members: str) -> str:
    """What is read of a document."""
    [document] = read_text(odt(body, kind, styles, **members), "file", suffix=".odt")
    assert isinstance(document, Document)
    return document.text


def test_items_are_counted_as_the_style_of_their_list_says() -> None:
    inner = LIST("", ITEM("", "roman", "") + ITEM("", "two", ""))
    body = LIST(' text:style-name="Alpha"', ITEM("", "first", inner) + ITEM("", "second", ""))
    assert text_of(body, ALPHA) == "a) first\ni. roman\nii. two\nb) second"
    inner = LIST("", ITEM("", "clause", "") + ITEM("", "other", ""))
    body = LIST(' text:style-name="Legal"', ITEM("", "one", inner) + ITEM(' text:start-value="5"', "five", ""))
    assert text_of(body, LEGAL) == "1. one\n1.1. clause\n1.2. other\n5. five"


def test_a_list_goes_on_counting_where_it_says_so() -> None:
    first = LIST(' text:style-name="Alpha" xml:id="list1"', ITEM("", "one", ""))
    by_style = LIST(' text:style-name="Alpha" text:continue-numbering="true"', ITEM("", "two", ""))
    by_id = LIST(' text:style-name="Alpha" text:continue-list="list1"', ITEM("", "three", ""))
    anew = LIST(' text:style-name="Alpha"', ITEM("", "anew", ""))
    body = P("x").join((first, by_style, by_id, anew))
    assert text_of(body, ALPHA).split("\n\nx\n\n") == ["a) one", "b) two", "c) three", "a) anew"]


def test_an_item_that_only_holds_a_list_is_not_counted() -> None:
    inner = f"<text:list-item>{LIST('', ITEM('', 'deep', ''))}</text:list-item>"
    body = LIST(' text:style-name="Alpha"', ITEM("", "one", "") + inner + ITEM("", "two", ""))
    assert text_of(body, ALPHA) == "a) one\ni. deep\nb) two"


def test_headings_have_the_numbers_that_are_shown() -> None:
    styles = f"<text:outline-style>{OUTLINE(1, 1)}{OUTLINE(2, 2)}</text:outline-style>"
    heading = '<text:h text:outline-level="{}"{}>{}</text:h>'.format
    listed = heading(1, ' text:is-list-header="true"', "Preface")
    body = (
        listed
        + heading(1, "", "Apples")
        + heading(2, "", "Russet")
        + heading(2, "", "Pippin")
        + heading(1, "", "Pears")
    )
    assert text_of(body, styles).split("\n\n") == ["Preface", "1 Apples", "1.1 Russet", "1.2 Pippin", "2 Pears"]


def test_words_of_a_table_within_a_cell_stay_apart() -> None:
    inner = TABLE(ROW(CELL(P("a")) + CELL(P("b"))) + ROW(CELL(P("c")) + CELL(P("d"))))
    assert text_of(TABLE(ROW(CELL(P("out")) + CELL(inner)))) == "out | a b c d"


def test_lines_of_code_stand_under_each_other() -> None:
    styles = '<style:style style:name="P1" style:family="paragraph" style:parent-style-name="Preformatted_20_Text"/>'
    line = '<text:p text:style-name="P1">{}</text:p>'.format
    body = P("So:") + line("for it:") + line('<text:s text:c="4"/>do()') + P("Done.")
    assert text_of(body, styles) == "So:\n\nfor it:\n    do()\n\nDone."


def test_soft_hyphens_part_no_word_and_hyphens_that_hold_are_hyphens() -> None:
    assert text_of(P("co\u00adoperate with a co\u2011founder")) == "cooperate with a co-founder"


def test_what_heads_and_feet_say_is_read_once() -> None:
    page = (
        '<office:master-styles><style:master-page style:name="Standard"><style:header><text:p>Harbour news</text:p>'
        "</style:header><style:footer><text:p><text:page-number>1</text:page-number></text:p></style:footer>"
        "</style:master-page></office:master-styles>"
    )
    assert text_of(P("Body."), page) == "Body.\n\nHarbour news"


def test_a_formula_that_says_nothing_of_itself_is_spelled() -> None:
    math = (
        '<math xmlns="http://www.w3.org/1998/Math/MathML"><mi>x</mi><mo>=</mo><mfrac><mrow><mo>−</mo><mi>b</mi></mrow>'
        "<mrow><mn>2</mn><mi>a</mi></mrow></mfrac><mo>+</mo><munderover><mo>∑</mo><mn>1</mn><mi>n</mi></munderover>"
        "<msub><mi>a</mi><mi>i</mi></msub></math>"
    )
    frame = '<draw:frame><draw:object draw:href="Formula-0/"/></draw:frame>'
    assert text_of(P(f"So {frame} holds."), **{"Formula-0/content.xml": math}) == "So x=(−b)/2a+∑_1^n a_i holds."


def test_a_shape_over_a_sheet_is_no_cell() -> None:
    shape = "<draw:custom-shape><text:p>Note</text:p></draw:custom-shape>"
    sheet = f'<table:table table:name="S">{ROW(CELL(P("a")) + CELL(shape))}</table:table>'
    assert text_of(sheet, kind="spreadsheet") == "S\n\na\n\nNote"


def test_a_title_is_a_heading_and_that_of_the_document() -> None:
    styles = '<style:style style:name="P1" style:family="paragraph" style:parent-style-name="Title"/>'
    body = '<text:p text:style-name="P1">Of Harbours</text:p><text:p>Body.</text:p>'
    [document] = read_text(odt(body, styles=styles), "file", suffix=".odt")
    assert isinstance(document, Document)
    assert document.title == "Of Harbours" and document.sections == ((0, "Of Harbours"),)


def test_a_level_with_signs_has_no_numbers_whatever_the_others_have() -> None:
    sign = '<text:list-level-style-bullet text:level="1" text:bullet-char="•"/>'
    mixed = STYLE("Mixed", sign + LEVEL(2, "01, 02, 03, ...", ".", ""))
    inner = LIST("", ITEM("", "one", "") + ITEM("", "two", ""))
    assert text_of(LIST(' text:style-name="Mixed"', ITEM("", "x", inner)), mixed) == "- x\n01. one\n02. two"


def test_what_a_cell_holds_that_says_no_text_of_its_own_is_read() -> None:
    values = ('value="3"', 'date-value="2024-03-01"', 'boolean-value="true"', 'string-value="said"')
    bare = "".join(f"<table:table-cell office:{value}/>" for value in values)
    written = '<table:table-cell office:value="0.5"><text:p>50 %</text:p></table:table-cell><table:table-cell office:value="1"><text:p/></table:table-cell>'
    sheet = f'<table:table table:name="S">{ROW(bare + written)}</table:table>'
    assert text_of(sheet, kind="spreadsheet") == "S\n\n3 | 2024-03-01 | true | said | 50 %"


def test_what_lies_under_a_merged_cell_and_what_a_sheet_says_while_one_writes_is_not_shown() -> None:
    covered = f"<table:covered-table-cell>{P('under')}</table:covered-table-cell>"
    sheet = f'<table:table table:name="S">{ROW(CELL(P("over")) + covered + CELL(P("beside")))}</table:table>'
    hints = (
        f"<table:content-validations><table:help-message>{P('hint')}</table:help-message></table:content-validations>"
    )
    assert text_of(hints + sheet, kind="spreadsheet") == "S\n\nover |  | beside"
    assert text_of(TABLE(ROW(CELL(P("over")) + covered))) == "over"


def test_the_title_of_what_is_drawn_is_none_of_the_text_and_that_of_the_document_is() -> None:
    box = f'<draw:frame><draw:text-box>{P("inside")}</draw:text-box><s:title xmlns:s="svg">alt</s:title></draw:frame>'
    assert text_of(P(f"On <text:title>Boats</text:title>{box}.")) == "On Boats.\n\ninside"
