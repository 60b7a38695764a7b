"""What of a web page comes through: its text and not its furniture, and with it headings, lists, rows and paragraphs.

    SEARCHER_DATA=… python benchmarks/extraction.py [--only pages|renderings] [--lost STYLE]

Two measures. `pages`: trafilatura's own evaluation pages (the folder html_extraction), each with strings that its text
must hold and others that it must not. They are counted as trafilatura counts them: white space of both made one space,
a string is there or not; precision = held wanted / all held, recall = held wanted / wanted, F their harmonic mean. In
a second count readers' comments may stay: an unwanted string does not count that stands in what trafilatura itself takes
for comments. trafilatura's defaults run beside ours. Constants were chosen on the pages at even places of the sorted
list; report the others beside all.

`renderings`: every fifth Markdown file of documents/, made HTML by markdown-it, in pages of many styles: bare, framed by
menus, out of Word, pandoc, man, Sphinx and so on. Of each style the share of headings that are sections with their title,
and of list items, paragraphs, rows and code whose text is there; and how often a menu's or footer's text is there too.
"""

import argparse
import json
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import trafilatura
from common import data_folder, report
from lxml import html
from markdown_it import MarkdownIt

from searcher.readers import read_text
from searcher.readers.frontmatter import front_matter

EVERY = 5
GOAL = 0.99

# -- pages


def one_line(text: str) -> str:
    """The text with all white space made one space."""
    return " ".join(text.split())


def ours(page: bytes) -> str:
    """The text that an index would hold."""
    return "".join(item.text for item in read_text(page, "page", suffix=".html") if hasattr(item, "text"))


def theirs(page: bytes) -> str:
    """Text by trafilatura with its own defaults, without comments, as in its evaluation."""
    return trafilatura.extract(page, include_comments=False) or ""


def comments(page: bytes) -> str:
    """What trafilatura takes for readers' comments."""
    found = trafilatura.bare_extraction(page, include_comments=True)
    return "" if found is None or found.commentsbody is None else "\n".join(found.commentsbody.itertext())


def measure_pages(folder: Path) -> dict[str, Any]:
    """Precision, recall and F of both, over all pages and those at even and at odd places."""
    entries = sorted(
        json.loads((folder / "evaldata.json").read_text(encoding="utf-8")).values(), key=lambda e: e["file"]
    )
    entries = [entry for entry in entries if (folder / entry["file"]).exists()]
    parts = {"all": slice(None), "even": slice(0, None, 2), "odd": slice(1, None, 2)}
    result: dict[str, Any] = {"pages": len(entries)}
    for name, extract in (("searcher", ours), ("trafilatura", theirs)):
        counts = [counted(entry, (folder / entry["file"]).read_bytes(), extract) for entry in entries]
        for part, places in parts.items():
            right, wrong, forgiven, missed = map(sum, zip(*counts[places], strict=True))
            result[f"{name}, {part}"] = scores(right, wrong, missed)
            result[f"{name}, {part}, comments may stay"] = scores(right, wrong - forgiven, missed)
    for name, figures in result.items():
        if isinstance(figures, dict):
            print(f"{name:45}", "  ".join(f"{key} {value:.3f}" for key, value in figures.items()))
    return result


def counted(entry: dict[str, Any], page: bytes, extract: Callable[[bytes], str]) -> tuple[int, int, int, int]:
    """(wanted and there, unwanted and there, of these in comments, wanted and not there)."""
    text, said = one_line(extract(page)), one_line(comments(page))
    right = sum(one_line(string) in text for string in entry["with"])
    there = [one_line(string) for string in entry["without"] if one_line(string) in text]
    return right, len(there), sum(string in said for string in there), len(entry["with"]) - right


def scores(right: int, wrong: int, missed: int) -> dict[str, float]:
    """Precision, recall and their harmonic mean."""
    values = {
        "precision": right / (right + wrong),
        "recall": right / (right + missed),
        "F": 2 * right / (2 * right + wrong + missed),
    }
    return {name: round(value, 4) for name, value in values.items()}


# -- renderings

MENU = "<ul>" + "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("Home", "Guides", "Community")) + "</ul>"
CHAPTERS = "<ul>" + "".join(f'<li><a href="/{n}">Chapter {n} of it all</a></li>' for n in range(40)) + "</ul>"
NOTICE = '<p>Copyright by the makers. <a href="/imprint">Imprint</a> <a href="/privacy">Privacy</a></p>'
FURNITURE = ("Community", "Chapter 7 of it all", "Imprint")
HEADING = re.compile(r"<h([1-6])>(.*?)</h\1>", re.DOTALL)


def slug(title: str) -> str:
    """The id that a page gives to a heading."""
    return re.sub(r"\W+", "-", re.sub(r"<.*?>", "", title)).strip("-").lower()


def headed(body: str, make: str) -> str:
    """Headings with what a style puts into them."""
    return HEADING.sub(lambda h: make.format(level=h[1], title=h[2], id=slug(h[2])), body)


def cut(body: str, at: str = "h[23]") -> list[str]:
    """The body in parts that begin with headings."""
    return re.split(f"(?=<{at}>)", body)


def sectioned(body: str) -> str:
    """Each part in a section."""
    first, *rest = cut(body)
    return first + "".join(f"<section>{part}</section>" for part in rest)


def wrapped(body: str, wrap: Callable[[Any, str], str]) -> str:
    """Each element of the body in others."""
    elements = html.fragment_fromstring(body, create_parent="div")
    return "".join(wrap(e.tag, html.tostring(e, encoding="unicode", with_tail=False)) for e in elements)


def deep(body: str) -> str:
    """Each element in two divs of its own, all in five."""
    return "<div>" * 5 + wrapped(body, lambda _, e: f"<div class=block><div class=inner>{e}</div></div>") + "</div>" * 5


def word(body: str) -> str:
    """As Word saves a page."""
    body = headed(body, '<h{level}><a name="_Toc1"></a><span lang=EN-US>{title}</span></h{level}>')
    body = body.replace("<p>", "<p class=MsoNormal><span lang=EN-US>").replace("</p>", "</span><o:p></o:p></p>")
    return f"<div class=WordSection1>{body.replace('<table>', '<table class=MsoTableGrid border=1>')}</div>"


def asciidoctor(body: str) -> str:
    """As Asciidoctor makes a page: all of a section in a div, and each block in one of its own."""
    named = {"p": "paragraph", "ul": "ulist", "ol": "olist arabic", "pre": "listingblock", "table": "tableblock"}
    parts = [
        wrapped(part, lambda tag, e: e if tag in ("h1", "h2") else f'<div class="{named.get(tag, "sect2")}">{e}</div>')
        for part in cut(body, "h2")
    ]
    return (
        f'<div id="content">{parts[0]}' + "".join(f'<div class="sect1">{part}</div>' for part in parts[1:]) + "</div>"
    )


def wordpress(body: str) -> str:
    """A post with comments, a form and a column of boxes."""
    entry = f'<header class="entry-header"><h1>Post</h1></header><div class="entry-content">{body}</div>'
    talk = '<ol class="comment-list"><li class="comment"><p>I liked it.</p></li></ol><div id="respond"><form>Reply</form></div>'
    return (
        f'<header id="masthead" class="site-header"><nav>{MENU}</nav></header><main><article class="post hentry">{entry}'
        f'<footer class="entry-footer">In {MENU}</footer></article><div id="comments">{talk}</div></main>'
        f'<aside id="secondary" class="widget-area">{CHAPTERS}</aside><footer class="site-footer">{NOTICE}</footer>'
    )


def docusaurus(body: str) -> str:
    """A page of Docusaurus."""
    body = headed(body, '<h{level} class="anchor" id="{id}">{title}<a href="#{id}" class="hash-link">#</a></h{level}>')
    article = f'<article><div class="theme-doc-markdown markdown">{body}</div></article><nav>{MENU}</nav>'
    return (
        f'<nav class="navbar">{MENU}</nav><aside class="docSidebar"><nav class="menu">{CHAPTERS}</nav></aside><main><div class="row">'
        f'<div class="col">{article}</div></div></main><footer class="footer">{NOTICE}</footer>'
    )


def mediawiki(body: str) -> str:
    """A page of a wiki, with [edit] at each heading."""
    body = headed(
        body,
        '<h{level}><span class="mw-headline" id="{id}">{title}</span><span class="mw-editsection">[<a href="/edit">edit'
        "</a>]</span></h{level}>",
    )
    return (
        f'<div id="content" role="main"><h1 id="firstHeading">A page</h1><div class="mw-parser-output">{body}</div></div>'
        f'<div id="mw-navigation"><h2>Navigation</h2>{CHAPTERS}</div><footer id="footer">{NOTICE}</footer>'
    )


STYLES: dict[str, Callable[[str], str]] = {
    "plain": lambda body: body,
    "framed": lambda body: (
        f"<header><a href=/>Site</a>{MENU}</header><nav>{CHAPTERS}</nav>{body}<footer>{NOTICE}</footer>"
    ),
    "div": lambda body: f'<div id="page"><div>{body}</div></div>',
    "divs framed": lambda body: (
        f'<div id="top">{MENU}</div><div id="sidebar">{CHAPTERS}</div><div id="col">{body}</div>'
        f'<div id="footer">{NOTICE}</div>'
    ),
    "deep divs": deep,
    "deep divs framed": lambda body: f"<div><nav>{MENU}</nav><aside>{CHAPTERS}</aside><div>{deep(body)}</div></div>",
    "sections": sectioned,
    "article": lambda body: f"<article>{body}</article>",
    "main framed": lambda body: (
        f"<header><nav>{MENU}</nav></header><main>{sectioned(body)}</main><footer>{NOTICE}</footer>"
    ),
    "Word": word,
    "LibreOffice": lambda body: body.replace("<p>", '<p style="margin-bottom: 0in">').replace(
        "<h2>", "<h2 class=western>"
    ),
    "Google Docs": lambda body: re.sub(r"<(p|h\d|li|td)>", r"<\1 class=c3><span class=c1>", body),
    "pandoc": lambda body: (
        f'<header id="title-block-header"><h1 class="title">Title</h1></header><nav id="TOC">{CHAPTERS}</nav>{body}'
    ),
    "man": lambda body: (
        "<h1 align=center>TOOL</h1>"
        + "".join(f'<a href="#{n}">SECTION {n}</a><br>' for n in range(8))
        + f"<hr>{headed(body, '<h{level}>{title}<a name={id}></a></h{level}>').replace('<p>', '<p style=margin-left:11%>')}"
    ),
    "Sphinx": lambda body: (
        f'<div class="related" role="navigation">{MENU}</div><div class="document"><div class="bodywrapper">'
        f'<div class="body" role="main">{sectioned(body)}</div></div><div class="sphinxsidebar">{CHAPTERS}</div></div>'
    ),
    "Asciidoctor": asciidoctor,
    "Docusaurus": docusaurus,
    "MediaWiki": mediawiki,
    "WordPress": wordpress,
    "one form": lambda body: f'<form id="aspnetForm"><div id="header">{MENU}</div><div id="ctl00">{body}</div></form>',
    "hidden tab": lambda body: f'<div class="tabs"><div class="tab-pane" style="display:none">{body}</div></div>',
    "slides": lambda body: "".join(f'<section class="slide">{part}</section>' for part in cut(body, "h[1-3]")),
}


def measure_renderings(folder: Path, lost: str | None) -> dict[str, Any]:
    """The shares that come through, by style; lost: a style of which everything that does not is printed."""
    maker = MarkdownIt("commonmark", {"html": False}).enable("table")
    files = sorted((folder / "markdown").rglob("*.mdx"))[::EVERY]
    bodies = [maker.render(front_matter(file.read_text(encoding="utf-8")).text) for file in files]
    result: dict[str, Any] = {"documents": len(files)}
    for style, make in STYLES.items():
        wanted, there, furniture = Counter[str](), Counter[str](), 0
        for file, body in zip(files, bodies, strict=True):
            page = f"<!DOCTYPE html><html><head><title>{file.stem}</title></head><body>{make(body)}</body></html>"
            [document] = read_text(page.encode(), "page", suffix=".html")
            for kind, text, found in compared(body, document):
                wanted[kind] += 1
                there[kind] += found
                if style == lost and not found:
                    print(file.name, kind, text[:100])
            furniture += sum(text in document.text for text in FURNITURE)
        shares = {kind: round(there[kind] / wanted[kind], 4) for kind in wanted}
        result[style] = shares | {"furniture": round(furniture / len(FURNITURE) / len(files), 4)}
        print(
            f"{style:20}",
            "  ".join(f"{kind} {there[kind]}/{wanted[kind]}" for kind in wanted),
            f" furniture {furniture}",
        )
    result["of each"] = dict(wanted)
    result["least"] = {kind: min(result[style][kind] for style in STYLES) for kind in wanted}
    return result


def compared(body: str, document: Any) -> Iterator[tuple[str, str, bool]]:
    """(kind, text, whether it came through) of each heading, item, paragraph, row and piece of code of a body."""
    tree = html.fragment_fromstring(body, create_parent="div")
    text = one_line(document.text.replace(" | ", " "))
    titles = Counter(path.split(" > ")[-1] for _, path in document.sections)
    for element in tree.iter("h1", "h2", "h3", "h4", "h5", "h6"):
        title = one_line(element.text_content())
        if title:
            titles[title[:200]] -= 1
            yield "headings", title, titles[title[:200]] >= 0
    pieces = [("items", own_line(item)) for item in tree.iter("li")]
    pieces += [
        ("paragraphs", p.text_content()) for p in tree.iter("p") if not any(a.tag == "li" for a in p.iterancestors())
    ]
    pieces += [("rows", " ".join(cell.text_content() for cell in row)) for row in tree.iter("tr")]
    pieces += [("code", code.text_content()) for code in tree.iter("pre")]
    for kind, piece in pieces:
        if wanted := one_line(piece.replace(" | ", " ")):
            yield kind, wanted, wanted in text


def own_line(item: Any) -> str:
    """The text of a list item before any list, table or code in it."""
    copy = html.fragment_fromstring(html.tostring(item, with_tail=False, encoding="unicode"))
    inner = next(iter(copy.iter("ul", "ol", "table", "pre")), None)
    if inner is not None:
        for after in [*inner.itersiblings(), inner]:
            after.drop_tree()
    return str(copy.text_content())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=["pages", "renderings"])
    parser.add_argument("--lost", choices=STYLES)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    result: dict[str, Any] = {}
    if options.only != "renderings":
        result["pages"] = measure_pages(data_folder() / "html_extraction")
    if options.only != "pages":
        result["renderings"] = measure_renderings(data_folder() / "documents", options.lost)
    report("extraction", result)


if __name__ == "__main__":
    main()
