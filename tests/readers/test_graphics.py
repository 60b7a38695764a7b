"""What Office draws: charts, diagrams and formulas in Word and PowerPoint, and the objects of OpenDocument."""

from typing import Any

from made_office import docx, odt, pptx, relations, shape
from test_embedded import XLINK, R, holding

from searcher.readers import read_text

M = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
C = 'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart"'
A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
D = 'xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram"'


def text_of(data: bytes, suffix: str) -> str:
    document: Any = next(iter(read_text(data, "file", suffix=suffix)))
    return document.text


def points(kind: str, *values: str) -> str:
    every = "".join(f'<c:pt idx="{at}"><c:v>{value}</c:v></c:pt>' for at, value in enumerate(values))
    return f"<c:{kind}><c:strRef><c:strCache>{every}</c:strCache></c:strRef></c:{kind}>"


CHART = (
    f"<c:chartSpace {C} {A}><c:chart><c:title><c:tx><c:rich><a:p><a:r><a:t>Oil burnt</a:t></a:r></a:p></c:rich></c:tx></c:title>"
    f"<c:plotArea><c:barChart><c:ser>{points('tx', 'Litres')}{points('cat', 'May', 'June')}{points('val', '12', '9')}"
    "</c:ser></c:barChart></c:plotArea></c:chart></c:chartSpace>"
)
DIAGRAM = f"<dgm:dataModel {D} {A}><dgm:ptLst><dgm:pt><dgm:t><a:p><a:r><a:t>Light the lamp</a:t></a:r></a:p></dgm:t></dgm:pt></dgm:ptLst></dgm:dataModel>"


def test_charts_and_diagrams_of_word_stand_below_their_paragraph() -> None:
    chart = f'<w:drawing><c:chart {C} {R} r:id="c"/></w:drawing>'
    diagram = f'<w:drawing><dgm:relIds {D} {R} r:dm="d" r:lo="l"/></w:drawing>'
    body = f"<w:p><w:r><w:t>Before.</w:t>{chart}</w:r></w:p><w:p><w:r>{diagram}</w:r></w:p><w:p><w:r><w:t>After.</w:t></w:r></w:p>"
    members = {
        "word/_rels/document.xml.rels": relations({"c": ("chart", "charts/c.xml"), "d": ("diagramData", "diagrams/d.xml")}),
        "word/charts/c.xml": CHART, "word/diagrams/d.xml": DIAGRAM,
    }  # fmt: skip
    assert text_of(holding(docx(body), members), ".docx") == (
        "Before.\n\nOil burnt\n\n | Litres\nMay | 12\nJune | 9\n\nLight the lamp\n\nAfter."
    )


def charted(chart: str) -> str:
    """What is read of a document that is a chart."""
    body = f'<w:p><w:r><w:drawing><c:chart {C} {R} r:id="c"/></w:drawing></w:r></w:p>'
    relation = {"word/_rels/document.xml.rels": relations({"c": ("chart", "charts/c.xml")})}
    return text_of(holding(docx(body), {**relation, "word/charts/c.xml": chart}), ".docx")


def test_names_of_a_chart_that_are_no_cells_and_a_title_that_is_one_are_read() -> None:
    title = (
        "<c:tx><c:strRef><c:strCache><c:pt><c:v>Oil</c:v></c:pt></c:strCache></c:strRef></c:tx><c:txPr><a:p/></c:txPr>"
    )
    series = f"<c:ser><c:tx><c:v>Litres</c:v></c:tx>{points('val', '12')}</c:ser>"
    assert charted(f"<c:chartSpace {C} {A}><c:title>{title}</c:title>{series}</c:chartSpace>") == "Oil\n\nLitres\n | 12"


def test_a_chart_of_the_kinds_that_came_with_office_2016_is_read() -> None:
    own = 'xmlns:cx="http://schemas.microsoft.com/office/drawing/2014/chartex"'

    def level(kind: str, *values: str) -> str:
        every = "".join(f'<cx:pt idx="{at}">{value}</cx:pt>' for at, value in enumerate(values))
        return f"<cx:{kind}><cx:lvl>{every}</cx:lvl></cx:{kind}>"

    chart = (
        f'<cx:chartSpace {own} {A}><cx:chartData><cx:data id="0">{level("strDim", "May", "June")}{level("numDim", "12", "-3")}'
        "</cx:data></cx:chartData><cx:chart><cx:title><cx:tx><cx:txData><cx:v>Oil</cx:v></cx:txData></cx:tx></cx:title>"
        '<cx:series layoutId="waterfall"><cx:tx><cx:txData><cx:f>A1</cx:f><cx:v>Litres</cx:v></cx:txData></cx:tx><cx:dataId val="0"/>'
        "</cx:series></cx:chart></cx:chartSpace>"
    )
    assert charted(chart) == "Oil\n\n | Litres\nMay | 12\nJune | -3"


def run(text: str) -> str:
    return f"<m:r><m:t>{text}</m:t></m:r>"


def part(name: str, inner: str) -> str:
    return f"<m:{name}>{inner}</m:{name}>"


SQUARE = part("sSup", part("e", run("b")) + part("sup", run("2")))
ROOT = part("rad", "<m:radPr/>" + part("deg", "") + part("e", SQUARE + run("−4ac")))
FORMULAS = [
    (run("x=") + part("f", part("num", run("−b±") + ROOT) + part("den", run("2a"))), "x=(−b±√(b^2−4ac))/2a"),
    (part("nary", '<m:naryPr><m:chr m:val="∑"/></m:naryPr>' + part("sub", run("i=1")) + part("sup", run("n")) + part("e", run("i"))), "∑_(i=1)^n i"),
    (part("nary", part("sub", run("0")) + part("sup", run("1")) + part("e", run("x dx"))), "∫_0^1 x dx"),
    (part("f", '<m:fPr><m:type m:val="noBar"/></m:fPr>' + part("num", run("n")) + part("den", run("k"))), "(n¦k)"),
    (part("d", '<m:dPr><m:begChr m:val="["/><m:endChr m:val="]"/></m:dPr>' + part("e", part("m", part("mr", part("e", run("1")) + part("e", run("0"))) + part("mr", part("e", run("0")) + part("e", run("1"))))), ), "[1, 0; 0, 1]"),
    (part("func", part("fName", part("limLow", part("e", run("lim")) + part("lim", run("n→∞")))) + part("e", part("sSub", part("e", run("a")) + part("sub", run("n"))))), "lim_(n→∞) a_n"),
    (part("sSubSup", part("e", run("x")) + part("sub", run("i+1")) + part("sup", run("2"))), "x_(i+1)^2"),
    (part("d", part("e", run("a+b"))) + part("acc", '<m:accPr><m:chr m:val="\u20d7"/></m:accPr>' + part("e", run("v"))), "(a+b)v\u20d7"),
    (run("a") + part("groupChr", part("e", run("b"))) + "<w:del><m:r><m:t>gone</m:t></m:r></w:del>", "ab"),
]  # fmt: skip


def test_formulas_are_lines_in_which_nothing_runs_together() -> None:
    maths = [f"<m:oMath {M}>{formula}</m:oMath>" for formula, _ in FORMULAS]
    lines = [line for _, line in FORMULAS]
    so, dot = '<w:p><w:r><w:t xml:space="preserve">So </w:t></w:r>', "<w:r><w:t>.</w:t></w:r></w:p>"
    within = "".join(f"{so}{math}{dot}" for math in maths)
    alone = "".join(f"<w:p><m:oMathPara {M}>{math}</m:oMathPara></w:p>" for math in maths)
    assert text_of(docx(within), ".docx").split("\n\n") == [f"So {line}." for line in lines]
    assert text_of(docx(alone), ".docx").split("\n\n") == lines
    shapes = [
        shape("So ").replace("</a:p>", f'<a14:m xmlns:a14="x" xmlns:w="w">{math}</a14:m></a:p>') for math in maths
    ]
    assert text_of(pptx(["".join(shapes)]), ".pptx").split("\n\n") == [f"So {line}" for line in lines]


def test_a_formula_may_be_nested_as_deeply_as_xml_may() -> None:
    formula = run("x")
    for _ in range(110):
        formula = part("sSup", part("e", formula) + part("sup", run("2")))
    text = text_of(docx(f"<w:p><m:oMath {M}>{formula}</m:oMath></w:p><w:p><w:r><w:t>After.</w:t></w:r></w:p>"), ".docx")
    assert text.startswith("(" * 109 + "x^2)^2") and text.endswith("^2\n\nAfter.")


# -- objects of OpenDocument

ODF_CHART = (
    "<document-content><body><chart><chart><title><p>Oil burnt</p></title><table><table-header-rows><table-row>"
    "<table-cell><p/></table-cell><table-cell><p>Litres</p></table-cell></table-row></table-header-rows><table-rows>"
    "<table-row><table-cell><p>May</p></table-cell><table-cell><p>12</p></table-cell></table-row></table-rows></table>"
    "</chart></chart></body></document-content>"
)
ODF_FORMULA = (
    "<math xmlns='http://www.w3.org/1998/Math/MathML'><semantics><mrow><mi>E</mi><mo>=</mo><mi>m</mi></mrow>"
    "<annotation encoding='StarMath 5.0'>E = m c^2</annotation></semantics></math>"
)


def test_charts_and_formulas_of_open_document_stand_where_they_are() -> None:
    def drawn(name: str) -> str:
        return f'<draw:frame><draw:object {XLINK} xlink:href="./{name}"/><draw:image {XLINK} xlink:href="./R/{name}"/></draw:frame>'

    body = f"<text:p>Before.{drawn('Object 1')}</text:p><text:p>So {drawn('Object 2')}.</text:p><text:p>After.</text:p>"
    members = {"Object 1/content.xml": ODF_CHART, "Object 2/content.xml": ODF_FORMULA}
    assert text_of(holding(odt(body), members), ".odt") == (
        "Before.\n\nOil burnt\n\n | Litres\nMay | 12\n\nSo E = m c^2.\n\nAfter."
    )
