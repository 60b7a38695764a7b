"""Markdown whose headings are HTML, as pages of projects begin."""

import pytest

from searcher.readers import ReadOptions, read_text
from searcher.records import Document


def page(text: str) -> Document:
    [document] = read_text(text.encode(), "label", suffix=".md")
    assert isinstance(document, Document) and document.text == text
    return document


def test_headings_in_html_are_sections_and_the_first_is_the_title() -> None:
    text = '<h1 align="center">\n  <img src="x"> Pro<b>je</b>ct<br>&amp; more\n</h1>\n\nIntro\n\n<div>\n  <h2>Install</h2>\n</div>\n\npip\n\n## Use\n\nx\n'
    document = page(text)
    assert document.title == "Project & more"
    assert [path for _, path in document.sections] == [
        "Project & more", "Project & more > Install", "Project & more > Use",
    ]  # fmt: skip
    assert [text[start:].split("\n")[0] for start, _ in document.sections] == [
        '<h1 align="center">', "  <h2>Install</h2>", "## Use",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["<!-- <h1>no</h1> -->\n", "<pre>\n<h1>no</h1>\n</pre>\n", "```\n<h1>no</h1>\n```\n", "> <h1>no</h1>\n", "<h2></h2>\n", "<h1>no</h2>\n"],
)  # fmt: skip
def test_what_is_shown_as_no_heading_is_none(text: str) -> None:
    assert page(text).sections == ()


def test_questions_of_a_faq_may_be_headings_in_html() -> None:
    text = "<h2>When?</h2>\n\nNow.\n\n<h2>Where?</h2>\nHere.\n"
    found = list(read_text(text.encode(), "label", ReadOptions(faq="questions"), ".md"))
    entries = [(item.text, item.metadata["answer"]) for item in found if isinstance(item, Document)]
    assert entries == [("When?", "Now."), ("Where?", "Here.")]
