"""Web pages of every make: what is text comes through with its form, what stands around it does not."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import fuzzing
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searcher.readers import read_text
from searcher.records import Document

PARTS = [
    ("Handbook of the ferry", "<p>The ferry leaves the island at dawn, with bread and letters for the far shore.</p>"),
    ("Night boats", "<p>A lamp hangs at the pier until the last boat is in.</p><ul><li>Berth one is for letters.</li>"
     "<li>Berth two is for goats.</li></ul>"),
    ("Fares", "<table><thead><tr><th>Who</th><th>Crowns</th></tr></thead><tbody><tr><td>Child</td><td>two</td></tr>"
     "<tr><td>Elder</td><td>three</td></tr></tbody></table>"),
    ("Refunds", "<pre><code>ferry refund --berth 4</code></pre><blockquote><p>We never sail on Sundays.</p></blockquote>"),
    ("Contacts", "<dl><dt>Harbour</dt><dd>Knock at the blue door.</dd></dl><p>Nobody has ever counted the gulls.</p>"),
    ("See also", '<ul><li><a href="/tides">Tide tables</a></li><li><a href="/knots">Knots</a></li></ul>'),
]  # fmt: skip
LEVELS = [1, 2, 2, 3, 2, 2]
BLOCKS = [f"<h{level}>{title}</h{level}>{rest}" for level, (title, rest) in zip(LEVELS, PARTS, strict=True)]
BODY = "\n".join(BLOCKS)
TOP = "Handbook of the ferry"
SECTIONS = [
    TOP,
    f"{TOP} > Night boats",
    f"{TOP} > Fares",
    f"{TOP} > Fares > Refunds",
    f"{TOP} > Contacts",
    f"{TOP} > See also",
]
BLOCKS_OF_TEXT = [
    TOP, "The ferry leaves the island at dawn, with bread and letters for the far shore.", "Night boats",
    "A lamp hangs at the pier until the last boat is in.", "- Berth one is for letters.\n- Berth two is for goats.",
    "Fares", "Who | Crowns\nChild | two\nElder | three", "Refunds", "ferry refund --berth 4", "We never sail on Sundays.",
    "Contacts", "Harbour\nKnock at the blue door.", "Nobody has ever counted the gulls.", "See also", "- Tide tables\n- Knots",
]  # fmt: skip
MENU = '<ul><li><a href="/">Home port</a></li><li><a href="/all">All boats</a></li><li><a href="/me">My berth</a></li></ul>'
NOTICE = '<p>Copyright of the harbour. <a href="/imprint">Imprint</a></p>'


def page(body: str, suffix: str = ".html") -> Document:
    data = f"<!DOCTYPE html><html><head><title>Ferry</title></head><body>{body}</body></html>".encode()
    [found] = read_text(data, "label", suffix=suffix)
    assert isinstance(found, Document)
    return found


def text(body: str) -> str:
    return page(body).text


def each(make: Callable[[str], str]) -> str:
    """The body, each of its elements in others."""
    return "".join(
        map(
            make,
            re.findall(
                r"<(?:h\d|p|ul|table|pre|blockquote|dl)>.*?(?=\n|$|<(?:h\d|p|ul|table|pre|blockquote|dl)>)", BODY
            ),
        )
    )


MAKES: dict[str, str] = {
    "plain": BODY,
    "div": f'<div id="page"><div>{BODY}</div></div>',
    "article": f"<article>{BODY}</article>",
    "sections": BLOCKS[0] + "".join(f"<section>{block}</section>" for block in BLOCKS[1:]),
    "sections with ids": BLOCKS[0] + "".join(
        f'<section id="{name}">{block}</section>' for name, block in zip("search related footer menu share".split(), BLOCKS[1:], strict=True)
    ),
    "word": '<div class=WordSection1>' + BODY.replace("<p>", "<p class=MsoNormal><span lang=EN-US>").replace("</p>", "</span><o:p></o:p></p>") + "</div>",
    "pandoc": f'<nav id="TOC" role="doc-toc">{MENU}</nav>{BODY}',
    "framed": f"<header><a href=/>Site</a><nav>{MENU}</nav></header>{BODY}<footer>{NOTICE}</footer>",
    "named divs": f'<div class="site-header banner">{MENU}</div><div id="sidebar">{MENU}</div><div>{BODY}</div><div class="siteFooter">{NOTICE}</div>',
    "sphinx": f'<div class="related" role="navigation">{MENU}</div><div class="document"><div class="body" role="main">{BODY}</div></div>',
    "one form": f'<form id="aspnet"><div id="header">{MENU}</div><div id="ctl00">{BODY}</div></form>',
    "a column named search": f'<div class="search-column">{BODY}</div>',
    "hidden": f'<div class="tab-pane" style="display: none">{BODY}</div>',
    "each in divs": each(lambda element: f"<div class=block><div class=inner>{element}</div></div>"),
    "headings with marks": re.sub(r"(</h\d>)", r'<a class="headerlink" href="#x">¶</a>\1', BODY),
    "headings that lead to themselves": re.sub(r"<(h\d)>(.*?)</h\d>", r'<\1><a href="#x">\2</a></\1>', BODY),
}  # fmt: skip


@pytest.mark.parametrize("make", MAKES)
def test_a_page_of_any_make_keeps_its_form_and_leaves_its_menus(make: str) -> None:
    found = page(MAKES[make])
    start = found.text.index(TOP)  # a harmless word may stand before it
    assert found.text[start:].split("\n\n") == BLOCKS_OF_TEXT
    assert "berth" not in found.text[:start].lower() and "Copyright" not in found.text
    assert [path for _, path in found.sections][-6:] == SECTIONS
    assert all(found.text[at:].startswith(path.split(" > ")[-1]) for at, path in found.sections)


WORDS = st.lists(
    st.sampled_from("boat lamp stone river bread letter goat rope pier gull".split()), min_size=1, max_size=30
)
PIECES = st.tuples(st.sampled_from(["p", "h2", "h3", "li", "td", "pre", "dd"]), WORDS)
WRAPS = st.lists(st.sampled_from(["div", "section", 'div class="css-1x2"', "article", "blockquote", "td"]), max_size=3)
AROUND = {"li": "ul", "td": "table", "dd": "dl"}


@settings(max_examples=60)
@given(st.lists(st.tuples(WRAPS, st.lists(PIECES, max_size=6)), max_size=8))
def test_no_nesting_of_plain_elements_loses_a_word_or_a_section(
    groups: list[tuple[list[str], list[tuple[str, list[str]]]]],
) -> None:
    """Each piece has a number of its own, so that it can be told from all others."""
    body, wanted, titles = "", [], []
    for wraps, pieces in groups:
        inner = ""
        for tag, words in pieces:
            said = f"No{len(wanted)} {' '.join(words)}"
            wanted.append(said)
            titles += [said] if tag in ("h2", "h3") else []
            around = AROUND.get(tag, "div")
            inner += f"<{around}><{tag}>{said}</{tag}></{around}>"
        for wrap in wraps:
            inner = f"<{wrap}>{inner}</{wrap.split()[0]}>"
        body += inner
    found = page(body)
    assert [said for said in wanted if said not in found.text] == []
    assert [path.split(" > ")[-1] for _, path in found.sections] == [title[:200] for title in titles]
    assert all(found.text[at:].lstrip("- ").startswith(path.split(" > ")[-1]) for at, path in found.sections)


def test_a_cell_outside_of_any_row_is_a_part_like_others() -> None:
    found = page("<div><p>The boat sails at noon today.</p></div><td><p>It is blue.</p><p>It is wide.</p></td>")
    assert found.text == "The boat sails at noon today.\n\nIt is blue.\n\nIt is wide."


def test_links_of_a_class_that_marks_citations_are_text() -> None:
    links = '<a class="reference internal" href="i.html"><span class="doc">the guide</span></a> and <a class="reference external" href="/">[docs]</a>'
    assert text(f'<div class="reference"><p>Read {links}, twice.</p></div>') == "Read the guide and [docs], twice."


def test_marks_of_citations_edits_and_places_are_none() -> None:
    marks = (
        '<sup class="reference"><a href="#c">[1]</a></sup><sup class="reference">[note 2]</sup>'
        '<a class="reference internal" href="#i">[12]</a><a class="footnote-reference brackets" href="#f" role="doc-noteref">[3]</a>'
        '<a href="#fn1" class="footnote-ref"><sup>1</sup></a><span class="mw-editsection">[<a href="/e">edit</a>]</span><a href="#p">§</a>'
    )
    assert text(f"<p>Water{marks} is H<sub>2</sub>O and x<sup>2</sup>.</p>") == "Water is H2O and x2."


def test_what_follows_the_end_of_a_page_belongs_to_it() -> None:
    pages = "<html><body><p>One.</p></body></html><p>Two.</p><!DOCTYPE html><html><head><title>B</title></head><body class=b><p>Three.</p></BODY ></HTML>\n"
    [found] = read_text(pages.encode(), "label", suffix=".html")
    assert isinstance(found, Document) and found.text == "One.\n\nTwo.\n\nThree."


LONG = "<p>" + "Knead the dough and let it rest until it has doubled, then fold it once more. " * 8 + "</p>"


def test_comments_of_readers_stay_and_the_form_for_them_does_not() -> None:
    talk = (
        '<div id="comments"><ol class="comment-list"><li class="comment"><div class="meta"><a href="/u">Ann</a></div><p>Mine burnt.</p></li></ol>'
        '<div id="respond" class="comment-respond"><h3>Leave a reply</h3><form><p>Your address is never shown.</p></form></div></div>'
    )
    found = text(f"<article><h1>Bread</h1>{LONG * 3}</article>{talk}")
    assert "Mine burnt." in found
    assert "Leave a reply" not in found and "never shown" not in found


def test_the_line_under_the_title_belongs_to_the_text_and_a_date_does_not() -> None:
    lead = "<h2>Old flour makes the better bread, say bakers of three towns</h2><div>1 May 2020</div>"
    head = f'<div class="head"><div><h1>Bread</h1>{lead}</div></div>'
    found = text(f'{head}<div class="copy">{LONG * 4}</div>')
    assert found.startswith("Bread\n\nOld flour makes the better bread, say bakers of three towns\n\nKnead")


def test_a_button_that_opens_an_answer_is_a_title_and_any_other_is_none() -> None:
    question = '<h2><button aria-expanded="false">How do I pay?</button></h2><div>By card.</div>'
    assert text(f"{question}<pre>pay()<button>Copy</button></pre>") == "How do I pay?\n\nBy card.\n\npay()"


def test_a_formula_is_its_tex() -> None:
    math = "<math><semantics><mi>E</mi><mo>=</mo><mi>m</mi><annotation encoding='application/x-tex'>{\\displaystyle E=mc^{2}}</annotation></semantics></math>"
    assert text(f"<p>That is <span style='display: none;'>{math}</span>.</p>") == "That is E=mc^{2}."


def test_soft_hyphens_part_no_word_and_accents_have_one_form() -> None:
    assert text("<h2>Per&shy;mafrost</h2><p>U&#776;ber cafe\u0301 soft\u00adly</p>") == "Permafrost\n\nÜber café softly"


def test_a_text_that_only_a_script_holds_is_read() -> None:
    story = "The ferry was late again, and the goats were glad of it. " * 20
    data = json.dumps({"@type": "NewsArticle", "articleBody": story.strip()})
    assert text(f'<script type="application/ld+json">{data}</script><nav>{MENU}</nav>') == story.strip()


def test_a_notice_in_front_of_a_short_text_is_not_taken_for_it() -> None:
    help_box = (
        '<div id="help-popup"><h2>Keys</h2>'
        + "<p>Press a key of your choice to go to the next chapter of it.</p>" * 4
        + "</div>"
    )
    assert (
        text(
            f'{help_box}<div class="page"><main><h1>Reports</h1><ul><li><a href="r.html">ferry report</a></li></ul></main></div>'
        )
        == "Reports\n\n- ferry report"
    )


def test_a_class_that_says_of_the_page_what_it_has_names_no_furniture() -> None:
    assert text(f'<div class="page has-ads with-sidebar no-menu"><h1>Bread</h1>{LONG}</div>').startswith(
        "Bread\n\nKnead"
    )


@pytest.mark.parametrize(
    "part",
    [
        "<aside class=x>",
        "<header><h2>",
        "<section id=related>",
        '<div class="related">',
        "<footer>",
        "<form>",
        "<li class=comment>",
    ],
)
def test_furniture_in_furniture_costs_no_more_than_it_is_long(part: str) -> None:
    data = (part * 250 + "<p>A word or two.</p><a href=x>link</a>" * 30).encode()
    fuzzing.Limits().timed(lambda data: fuzzing.check_reader(".html", data), data * 20)


def test_strings_of_real_pages_are_there_and_those_of_their_menus_are_not(data: Path) -> None:
    """As many as a script in benchmarks/ counts, which says more."""
    folder = data / "html_extraction"
    right = wrong = missed = 0
    for entry in json.loads((folder / "evaldata.json").read_text(encoding="utf-8")).values():
        [found] = read_text((folder / entry["file"]).read_bytes(), "label", suffix=".html")
        assert isinstance(found, Document)
        line = " ".join(found.text.split())
        there = sum(" ".join(string.split()) in line for string in entry["with"])
        right, missed = right + there, missed + len(entry["with"]) - there
        wrong += sum(" ".join(string.split()) in line for string in entry["without"])
    assert right / (right + missed) >= 0.97
    assert 2 * right / (2 * right + wrong + missed) >= 0.94


def test_marks_of_byte_order_are_no_text() -> None:
    [found] = read_text("\ufeff\ufeff<html><body><h1>Bread</h1></body></html>".encode(), "label", suffix=".html")
    assert isinstance(found, Document) and (found.text, found.sections) == ("Bread", ((0, "Bread"),))
