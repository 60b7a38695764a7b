"""Markdown and MDX: front matter becomes metadata, headings become sections; the rest stays but for link targets."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from html import unescape
from itertools import pairwise
from typing import TYPE_CHECKING

from searcher.readers.commonmark import Blocks, inline, parsed
from searcher.readers.decoding import decoded
from searcher.readers.frontmatter import front_matter
from searcher.readers.headings import Heading, best_title, line_starts, sections
from searcher.readers.links import without_targets
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.records import Document, Note

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["headed", "read_markdown", "read_mdx"]

MDX_COMMENT = re.compile(r"\{/\*.*?\*/\}", re.DOTALL)
MDX_STATEMENT = re.compile(r"^(?:import|export)[ \t{*].*$", re.MULTILINE)
HTML_HEADING = re.compile(
    r"<h(?P<level>[1-6])\b[^<>]*>(?P<said>(?:(?!</?h[1-6]\b).){0,2000})</h(?P=level)\s*>", re.DOTALL | re.IGNORECASE
)
BREAK = re.compile(r"<br\b[^<>]*>", re.IGNORECASE)
TAG = re.compile(r"<[^<>]*>")
NO_HEADINGS = re.compile(r"\s*<(?:!|\?|(?:script|style|pre|textarea)\b)", re.IGNORECASE)
MARKUP = re.compile(r"[\\`*_\[\]<&!]")  # a heading without these reads as it is written
# What names a heading and is no word of it: {#id}, {#id .class key=value}, {: #id}.
ATTRIBUTES = re.compile(r"\s*\{(?::[ \t]*|(?=[#.]))[#.][\w:.-]+(?:[ \t]+[^{}\n]*)?\}[ \t]*\Z")
NOT_NEWLINE = re.compile(r"[^\r\n]")


def read_markdown(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The file as one document whose text begins after the front matter."""
    yield from _read(raw, mdx=False)


def read_mdx(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The same for MDX, in whose comments and import lines no heading is looked for."""
    yield from _read(raw, mdx=True)


def _read(raw: Raw, mdx: bool) -> Iterator[Item]:
    whole = decoded(raw)
    front = front_matter(whole)
    blocks = None if mdx else parsed(front.text)
    text = without_targets(front.text, blocks)
    headings = headed(_without_code(text) if mdx else text, blocks)  # no line moves with a target
    found = [heading for heading, _ in headings]
    yield Document(
        raw.source,
        text,
        title=front.title or best_title(found),
        metadata=front.fields,
        sections=sections(found),
        first_line=len(line_starts(whole[: len(whole) - len(front.text)])),
    )
    if front.faults:
        yield Note(raw.source, front.told)


def _without_code(text: str) -> str:
    """The text with MDX comments and statements blanked out, every line and offset where it was."""

    def blank(found: re.Match[str]) -> str:
        return NOT_NEWLINE.sub(" ", found[0])

    closed = text.rfind("*/}") + 3  # each of the openings behind it would be followed to the end of the text
    text = MDX_COMMENT.sub(blank, text[:closed]) + text[closed:]
    return MDX_STATEMENT.sub(blank, text)


def headed(text: str, blocks: Blocks | None = None) -> Iterator[tuple[Heading, int]]:
    """Headings of the document itself, not of a quotation or a list in it, each with the offset of the line after it,
    which is not the next one where a title has two lines.

    blocks: of this text, or of one with the same lines, where they are known.
    """
    blocks = blocks or parsed(text)
    starts = [*line_starts(text), len(text)]
    for token, content in pairwise([*blocks.tokens, None]):
        if token is None:
            continue
        if token.type == "html_block" and token.level == 0 and token.map:
            yield from _in_html(text, starts, *token.map)
        if content is not None and token.type == "heading_open" and token.level == 0 and token.map:
            spelt = ATTRIBUTES.sub("", content.content) or content.content
            title = " ".join(spelt.split())
            if MARKUP.search(title):
                title = _words(inline(spelt, blocks.references))
            if title:
                first, last = token.map
                yield Heading(starts[first], int(token.tag[1:]), title), starts[min(last, len(starts) - 1)]


def _in_html(text: str, starts: Sequence[int], first: int, last: int) -> Iterator[tuple[Heading, int]]:
    """Headings in HTML on these lines, as pages of projects begin; what stands in comments or code is none."""
    end = starts[min(last, len(starts) - 1)]
    if NO_HEADINGS.match(text, starts[first]):
        return
    for found in HTML_HEADING.finditer(text, starts[first], end):
        title = " ".join(unescape(TAG.sub("", BREAK.sub(" ", found["said"]))).split())
        if title:
            below = bisect_right(starts, found.end() - 1)
            start = starts[bisect_right(starts, found.start()) - 1]
            yield Heading(start, int(found["level"]), title), starts[min(below, len(starts) - 1)]


def _words(tokens: "Sequence[Token]") -> str:
    """What a heading reads like without its markup, a picture by its description."""
    return " ".join("".join(map(_shown, tokens)).split())


def _shown(token: "Token") -> str:
    if token.type in ("softbreak", "hardbreak"):
        return " "
    if token.type == "image":
        return _words(token.children or ())
    return token.content if token.type in ("text", "code_inline") else ""
