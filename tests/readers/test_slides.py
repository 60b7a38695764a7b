"""Slides: lists count as they are shown, and shapes that are switched off are left out, which is told."""

from made_office import pptx, shape

from searcher.readers import read_text
from searcher.records import Document, Note


def items(slide: str) -> list[object]:
    return list(read_text(pptx([slide]), "file", suffix=".pptx"))


def item(text: str, kind: str = "arabicPeriod", level: int = 0, more: str = "") -> str:
    number = f'<a:buAutoNum type="{kind}"{more}/>' if kind else '<a:buChar char="-"/>'
    return f'<a:p><a:pPr lvl="{level}">{number}</a:pPr><a:r><a:t>{text}</a:t></a:r></a:p>'


def test_lists_count_as_they_are_shown() -> None:
    paragraphs = [
        item("one"), item("sub", "alphaLcParenR", 1), item("sub", "alphaLcParenR", 1), item("two"), "<a:p/>",
        item("again", "alphaLcParenR", 1), item("bullet", ""), item("new"), item("IV", "romanUcParenBoth", 0, ' startAt="4"'),
        item("V", "romanUcParenBoth", 0, ' startAt="4"'), item("odd", "thaiNumPeriod"),
    ]  # fmt: skip
    [document] = items(f"<p:sp><p:nvSpPr><p:nvPr/></p:nvSpPr><p:txBody>{''.join(paragraphs)}</p:txBody></p:sp>")
    assert isinstance(document, Document)
    assert document.text.split("\n") == [
        "1. one", "a) sub", "b) sub", "2. two", "a) again", "bullet", "1. new", "(IV) IV", "(V) V", "1. odd",
    ]  # fmt: skip


def test_shapes_that_are_switched_off_are_left_out_and_told() -> None:
    def off(inner: str) -> str:
        return f'<p:grpSp><p:nvGrpSpPr><p:cNvPr id="9" name="g" hidden="1"/></p:nvGrpSpPr>{inner}</p:grpSp>'

    document, note = items(shape("Seen.") + off(shape("no")) + shape("Too."))
    assert isinstance(document, Document) and document.text == "Seen.\n\nToo."
    assert note == Note("file", "what is hidden on slides is left out: 1 shape")
