"""Markdown without the targets of its links: what is seen of a page is the same as before, line by line."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html
from markdown_it import MarkdownIt

from searcher.readers import read_text
from searcher.readers.links import without_targets
from searcher.records import Document

PAGES = MarkdownIt("commonmark")
CASES = {
    "[words](http://a.b)": "words",
    '[words](http://a.b "a title")': "words",
    "[words](<a place>)": "words",
    "[words](a_(b))": "words",
    "![a picture](p.png)": "a picture",
    "[![badge](b.svg)](http://c.d) after": "badge after",
    "[one][r] and [r][] and [none][x]\n\n[r]: http://a.b\n": "one and r and [none][x]\n\n\n",
    "[r] alone, [x] not\n\n[r]: u\n": "r alone, [x] not\n\n\n",
    "[a [b](u) c] and [d [e](v)][f]": "[a b c] and [d e][f]",
    "[a [b] c](u)": "a [b] c",
    "`[code](x)` and ``[co`de](x)``": "`[code](x)` and ``[co`de](x)``",
    r"\[no](y)": r"\[no](y)",
    "    handlers[name](call)\n": "    handlers[name](call)\n",
    "```\nhandlers[name](call)\n```\n": "```\nhandlers[name](call)\n```\n",
    "[](empty)": "[](empty)",
    "<http://a.b> and http://c.d": "<http://a.b> and http://c.d",
    'two [lines\nof](u\n"t") it': "two lines\nof\n it",
    "# A [title](u)\n": "# A title\n",
    "| [a](u) | b |\n": "| a | b |\n",
    "- x\n    - [deep](u)\n": "- x\n    - deep\n",
    "> [quoted](u)\n": "> quoted\n",
    "[^1]: a-note\n": "[^1]: a-note\n",
    "- [ ] a task (not done)\n": "- [ ] a task (not done)\n",
    "[words](u)\r\nnext\r\n": "words\r\nnext\r\n",
    "f[0](x) in a sentence": "f0 in a sentence",  # so Markdown itself reads it
}


@pytest.mark.parametrize("text", CASES)
def test_a_link_reads_as_its_words(text: str) -> None:
    assert without_targets(text) == CASES[text]


def seen(text: str) -> list[str]:
    """The words of a page as a browser shows them, pictures by their descriptions."""
    page = html.fromstring(f"<div>{PAGES.render(text)}</div>")
    for picture in page.iter("img"):
        picture.tail = picture.get("alt", "") + (picture.tail or "")
    return "".join(page.itertext()).split()


PIECES = [
    "[",
    "]",
    "(",
    ")",
    "](",
    "][",
    "!",
    "a",
    "bc",
    " ",
    "\n",
    "`",
    "http://x.y",
    '"t"',
    "\\",
    "[r]: u\n",
    "\n\n",
    "# ",
    "- ",
]


@settings(max_examples=400)
@given(st.lists(st.sampled_from(PIECES), max_size=24).map("".join))
def test_no_word_of_a_page_is_lost_and_no_line_moves(text: str) -> None:
    plain = without_targets(text)
    assert plain.count("\n") == text.count("\n")
    left = iter(re.findall("[a-z]", plain))
    assert all(letter in left for letter in re.findall("[a-z]", "".join(seen(text))))  # in their order


def test_the_pages_of_the_corpora_show_the_same_words(data: Path) -> None:
    files = sorted((data / "documents").rglob("*.md"))
    assert len(files) > 10
    for file in files:
        text = file.read_text(encoding="utf-8", errors="replace")
        if len(text) < 100_000:
            assert sorted(seen(without_targets(text))) == sorted(seen(text)), file


def test_sections_and_lines_are_those_of_the_file() -> None:
    text = "---\ntitle: T\n---\n# A [b](u)\n\nText [c](v).\n\n## D\n\nLast.\n"
    [document] = read_text(text.encode(), "a.md", suffix=".md")
    assert isinstance(document, Document)
    assert document.text == "# A b\n\nText c.\n\n## D\n\nLast.\n"
    assert document.sections == ((0, "A b"), (document.text.index("## D"), "A b > D"))
    assert document.first_line == 4


def test_many_brackets_take_no_long_time() -> None:
    for text in (
        "[" * 20_000,
        "[a" * 20_000,
        "[a](" * 20_000,
        "![" * 20_000,
        "[a][" * 20_000,
        "`[" * 20_000,
        "[a](b " * 9000,
    ):
        assert without_targets(text).count("\n") == 0


@pytest.mark.parametrize(
    ("heading", "title"),
    [
        ("# One [two][r] three", "One two three"),
        ("# ![*Alt* text](p.png) and [![badge](b.svg)](u)", "Alt text and badge"),
        ("Two [lines\nof](u) it\n=====", "Two lines of it"),
        ("# [none][x] of `[c](d)`", "[none][x] of [c](d)"),
    ],
)
def test_a_title_has_the_words_of_its_links_and_the_heading_stands_where_its_line_begins(
    heading: str, title: str
) -> None:
    text = f"See [a page](with/a/long/address).\n\n{heading}\n\nText.\n\n[r]: http://a.b\n"
    [document] = read_text(text.encode(), "a.md", suffix=".md")
    assert isinstance(document, Document)
    assert document.sections == ((len("See a page.\n\n"), title),)


@pytest.mark.parametrize("link", ["[#](u) no heading", "[-----](u)", "[>](u) no quotation"])
def test_words_of_a_link_that_look_like_markup_begin_nothing(link: str) -> None:
    [document] = read_text(f"# A\n\n{link}\n\nText.\n".encode(), "a.md", suffix=".md")
    assert isinstance(document, Document)
    assert document.sections == ((0, "A"),)
