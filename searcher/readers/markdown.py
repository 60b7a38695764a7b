"""Markdown and MDX: front matter becomes metadata, headings become sections, the rest stays as it is written."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from searcher.readers.decoding import decoded
from searcher.readers.frontmatter import front_matter
from searcher.readers.headings import Heading, best_title, line_starts, sections
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.records import Document, Note

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

__all__ = ["headed", "headings", "read_markdown", "read_mdx"]

MDX_COMMENT = re.compile(r"\{/\*.*?\*/\}", re.DOTALL)
MDX_STATEMENT = re.compile(r"^(?:import|export)[ \t{*].*$", re.MULTILINE)
MARKUP = re.compile(r"[\\`*_\[\]<&!]")  # a heading without these reads as it is written
# What names a heading and is no word of it: {#id}, {#id .class key=value}, {: #id}.
ATTRIBUTES = re.compile(r"\s*\{(?::[ \t]*|(?=[#.]))[#.][\w:.-]+(?:[ \t]+[^{}\n]*)?\}[ \t]*\Z")
NOT_NEWLINE = re.compile(r"[^\r\n]")
QUOTE = re.compile(r"^ {0,3}>[^\r\n]*", re.MULTILINE)
LAZY = re.compile(r"^ {0,3}>[^\r\n]*\r?\n(?! {0,3}>|[^\S\n]*$)", re.MULTILINE)  # that the next line may go on
MOST_LAZY = 300


def read_markdown(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The file as one document whose text begins after the front matter."""
    yield from _read(raw, mdx=False)


def read_mdx(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The same for MDX, in whose comments and import lines no heading is looked for."""
    yield from _read(raw, mdx=True)


def _read(raw: Raw, mdx: bool) -> Iterator[Item]:
    whole = decoded(raw)
    front = front_matter(whole)
    found = list(headings(_without_code(front.text) if mdx else front.text))
    yield Document(
        raw.source,
        front.text,
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


def _without_quotes(text: str) -> str:
    """The text with all quotations blanked out: markdown-it reads on from each to the next empty line."""
    return QUOTE.sub(lambda found: " " * len(found[0]), text)


@cache
def _parsers() -> "tuple[MarkdownIt, MarkdownIt]":
    """Of blocks alone, which is all that is needed of the text: a ninth of the time; and of a heading's own markup."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").disable(["inline", "text_join"]), MarkdownIt("commonmark")


def headings(text: str) -> Iterator[Heading]:
    """Headings of the document itself, not of a quotation or a list in it."""
    return (heading for heading, _ in headed(text))


def headed(text: str) -> Iterator[tuple[Heading, int]]:
    """The same, each with the offset of the line after it, which is not the next one where a title has two lines."""
    blocks, parser = _parsers()
    starts = [*line_starts(text), len(text)]
    tokens = blocks.parse(_without_quotes(text) if len(LAZY.findall(text)) > MOST_LAZY else text)
    for token, content in pairwise(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map:
            spelt = ATTRIBUTES.sub("", content.content) or content.content
            title = " ".join(spelt.split())
            if MARKUP.search(title):
                title = _words(parser.parseInline(spelt)[0].children or [])
            if title:
                first, last = token.map
                yield Heading(starts[first], int(token.tag[1:]), title), starts[min(last, len(starts) - 1)]


def _words(tokens: list[Any]) -> str:
    """What a heading reads like without its markup."""
    breaks = ("softbreak", "hardbreak")
    shown = ("text", "code_inline", "image")
    pieces = (" " if token.type in breaks else token.content for token in tokens if token.type in breaks + shown)
    return " ".join("".join(pieces).split())
