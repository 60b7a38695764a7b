"""Web pages and mails in HTML as a browser shows them: what is hidden, where cells stand, how lists count."""

import pytest

from searcher.readers import read_text
from searcher.records import Document


def text(body: str, suffix: str = ".html", head: str = "") -> str:
    [found] = read_text(f"{head}<html><body>{body}</body></html>".encode(), "label", suffix=suffix)
    assert isinstance(found, Document)
    return found.text


MAIL = "Subject: S\nContent-Type: text/html; charset=utf-8\n\n"


@pytest.mark.parametrize(
    "attribute",
    ["hidden", 'style="display:none"', 'style="color: red; DISPLAY : NONE !important"', 'style="visibility: hidden"'],
)
def test_what_is_hidden_for_good_is_not_read(attribute: str) -> None:
    assert text(f"<p>Seen<b {attribute}>no</b>.</p><p {attribute}>no</p><p>Too.</p>") == "Seen.\n\nToo."


def test_what_a_script_may_open_is_read_in_a_page_and_not_in_a_mail() -> None:
    body = '<div class="preheader" style="display:none">Before.</div><p>Seen.</p>'
    assert text(body) == "Before.\n\nSeen."
    assert text(body, ".eml", MAIL) == "S\n\nSeen."
    assert text('<p style="display:block">Seen.</p>', ".eml", MAIL) == "S\n\nSeen."


def test_cells_stand_under_their_heads_where_others_reach_over_rows() -> None:
    body = (
        "<table><tr><th>Who</th><th>Day</th><th>Boat</th></tr><tr><td rowspan=3>Ann</td><td>Mon</td><td rowspan='2'>red</td></tr>"
        "<tr><td>Tue</td></tr><tr><td>Wed</td><td>blue</td></tr><tr><td colspan=2 rowspan=2>Bo</td><td>x</td></tr><tr><td>y</td></tr>"
        "<tr><td>Cy</td><td>Fri</td><td>z</td></tr></table>"
    )
    assert text(body).split("\n") == [
        "Who | Day | Boat", "Ann | Mon | red", "| Tue", "| Wed | blue", "Bo | x", "| y", "Cy | Fri | z",
    ]  # fmt: skip


def test_a_list_that_counts_down_does() -> None:
    assert text("<ol reversed><li>c<li>b<li>a</ol>") == "3. c\n2. b\n1. a"
    assert text("<ol reversed start=9><li>c<li value=4>b<li>a</ol>") == "9. c\n4. b\n3. a"


def test_a_break_in_code_ends_a_line() -> None:
    assert text("<pre>a<br>b\n  <b>c</b> d<br><br/>e</pre>") == "a\nb\n  c d\n\ne"


def test_what_a_page_writes_into_a_frame_is_read_where_that_stands() -> None:
    frame = '<iframe srcdoc="&lt;p>Within &amp;amp; more&lt;p>Again&lt;iframe srcdoc=x>&lt;/iframe>" src="x"></iframe>'
    [page] = read_text(f"<html><body>\n<p>a</p>\n{frame}\n<p>b</p></body></html>".encode(), "label", suffix=".html")
    assert isinstance(page, Document) and page.text == "a\n\nWithin & more\n\nAgain\n\nb"
    assert [place["line"] for _, place in page.places] == [2, 3, 3, 4]


def test_text_that_xhtml_sets_apart_is_text() -> None:
    body = "<div><![CDATA[a < b]]></div><script>//<![CDATA[\nif (a < b) {}\n//]]></script><p>c</p>"
    assert text(body, ".xhtml") == "a < b\n\nc"
    assert text(body) == "c"


@pytest.mark.parametrize(
    ("code", "read"),
    [
        ('<pre><span class="linenos">1</span>a = 1\n<span class="linenos">2</span><i>2</i></pre>', "a = 1\n2"),
        (
            "<table><tr><td class=linenos><pre><span>9</span>\n10</pre></td><td><pre>a\nb</pre></td></tr></table>",
            "a\nb",
        ),
        (
            "<table><tr><td><pre><b class=l>1</b><br><b>2</b><br></pre></td><td><pre>a<br>b</pre></td></tr></table>",
            "a\nb",
        ),
        ("<table><tr><td>1</td><td><pre>a</pre></td></tr></table>", "1\na"),
        ("<table><tr><td><pre>1\nx</pre></td><td><pre>a</pre></td></tr></table>", "1\nx\na"),
        ("<p><span class=lineno>5</span> Sing, goddess</p>", "5 Sing, goddess"),
    ],
)
def test_numbers_of_lines_of_code_are_none_of_the_code(code: str, read: str) -> None:
    assert text(code) == read


def test_what_only_its_style_makes_a_block_does_not_touch_its_neighbours() -> None:
    block = 'style="color: red; display: block"'
    assert text(f"<div><a {block}>one</a><span {block}>two</span>three</div>") == "one\n\ntwo\n\nthree"
    assert text(f"<h1>One<span {block}>two</span></h1>") == "One two"
    assert text('<p><b style="display:inline-block">o</b>ne</p>') == "one"
    assert text("<dialog open>one</dialog>two<fieldset><legend>three</legend>four</fieldset>") == "two\n\nthree\n\nfour"


def test_a_panel_behind_a_tab_is_read() -> None:
    assert text("<p>Seen.</p><div role=tabpanel hidden>Too.</div><p hidden=until-found>And.") == "Seen.\n\nToo.\n\nAnd."


def test_what_older_browsers_would_say_of_sounds_is_not_read() -> None:
    assert text("<p>Seen.<audio>no</audio><video><p>no</p></video><canvas>no</canvas> Too.</p>") == "Seen. Too."


def test_an_element_that_is_shown_by_a_tree_of_its_own_is_that_with_what_it_holds_in_its_slots() -> None:
    shadow = (
        "<style>p{}</style><p>Ada <slot>nobody</slot> and <slot name=n>no</slot>, <slot name=u>else</slot>"
        "<slot name=n>twice</slot></p>"
    )
    held = "<b>two</b> three<i slot=n>four</i><u slot=z>no</u>"
    host = f"<my-a>one <template shadowrootmode=open>{shadow}</template>{held}</my-a>"
    assert text(f"{host}<p>end</p>") == "Ada one two three and four, elsetwice\n\nend"
    assert text("<my-a>\n<template shadowrootmode=open><slot>nobody</slot></template>\n</my-a>") == "nobody"
    assert text("<p>Seen.<template>no</template></p>") == "Seen."


def test_blocks_within_a_cell_are_apart_and_items_of_lists_in_it_parted() -> None:
    cell = "<ul><li>x<li>y<ul><li>z</ul></ul>after<dl><dt>a<dd>b</dl><p>p</p>q<blockquote>r</blockquote>s<br>t"
    assert text(f"<table><tr><th>List<td>{cell}</table>") == "List | x; y; z after a b p q r s t"


def test_formulas_that_a_page_leaves_to_a_script_are_read_once() -> None:
    tex = '<script type="math/tex">x^2</script>'
    block = '<script type="math/tex; mode=display">% <![CDATA[\na < b %]]></script>'
    assert text(f"<p>So {tex} is.</p>{block}") == "So x^2 is.\n\na < b"
    assert text(f"<p>So <span class=MathJax>x²</span>{tex} is.</p>") == "So x² is."
    assert text(f"<p>So <span class=MathJax_Preview></span>{tex} is.</p>") == "So x^2 is."
