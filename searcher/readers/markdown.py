"""Markdown and MDX: front matter becomes metadata, headings become sections, the rest stays as it is written."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from searcher.errors import BadValue
from searcher.readers.decoding import decoded
from searcher.readers.headings import Heading, best_title, line_starts, sections
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.readers.values import storable
from searcher.records import Document

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

__all__ = ["front_matter", "headings", "read_markdown", "read_mdx"]

FRONT_MATTER = re.compile(r"---[ \t]*\r?\n(?P<yaml>.*?)^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
MDX_COMMENT = re.compile(r"\{/\*.*?\*/\}", re.DOTALL)
MDX_STATEMENT = re.compile(r"^(?:import|export)[ \t{*].*$", re.MULTILINE)
LONGEST_FRONT_MATTER = 2**16  # characters
MOST_BRACKETS = 500  # PyYAML takes the square of the depth of brackets within brackets
NESTED = re.compile(r"(?:[-?:]\s+){20}")  # a line that goes so deep; libyaml's stack ends at some ten thousand
MARKUP = re.compile(r"[\\`*_\[\]<&!]")  # a heading without these reads as it is written
NOT_NEWLINE = re.compile(r"[^\r\n]")
QUOTE = re.compile(r"^ {0,3}>[^\r\n]*", re.MULTILINE)
LAZY = re.compile(r"^ {0,3}>[^\r\n]*\r?\n(?! {0,3}>|[^\S\n]*$)", re.MULTILINE)  # that the next line may go on
MOST_LAZY = 300


def read_markdown(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The file as one document whose text begins after the front matter."""
    yield _document(raw, mdx=False)


def read_mdx(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The same for MDX, in whose comments and import lines no heading is looked for."""
    yield _document(raw, mdx=True)


def _document(raw: Raw, mdx: bool) -> Document:
    whole = decoded(raw)
    metadata, text = front_matter(whole)
    found = list(headings(_without_code(text) if mdx else text))
    title = metadata.pop("title", None)
    return Document(
        raw.source,
        text,
        title=str(title) if title not in (None, "") else best_title(found),
        metadata={key: value for key, value in metadata.items() if value is not None},
        sections=sections(found),
        first_line=len(line_starts(whole[: len(whole) - len(text)])),
    )


def front_matter(text: str) -> tuple[dict[str, Any], str]:
    """The metadata and the text after it; all of it is text if there is no sound front matter."""
    block = FRONT_MATTER.match(text)
    if (
        not block
        or len(block["yaml"]) > LONGEST_FRONT_MATTER
        or len(re.findall(r"[\[{]", block["yaml"])) > MOST_BRACKETS
    ):
        return {}, text
    import yaml

    try:
        # An alias can make a few lines stand for billions of values.
        if "*" in block["yaml"] and any(isinstance(token, yaml.AliasToken) for token in yaml.scan(block["yaml"])):
            return {}, text
        # libyaml, where PyYAML was built with it, takes a tenth of the time.
        loader = yaml.SafeLoader if NESTED.search(block["yaml"]) else getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        reader = loader(block["yaml"])
        try:
            fields = reader.get_single_data()
        finally:
            reader.dispose()
        # Two rules with a sentence between them are also YAML, but not a mapping.
        return (storable(fields or {}), text[block.end() :]) if isinstance(fields, dict | None) else ({}, text)
    except (yaml.YAMLError, BadValue, ValueError, RecursionError):
        return {}, text


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
    blocks, parser = _parsers()
    starts = line_starts(text)
    tokens = blocks.parse(_without_quotes(text) if len(LAZY.findall(text)) > MOST_LAZY else text)
    for token, content in pairwise(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map:
            title = " ".join(content.content.split())
            if MARKUP.search(title):
                title = _words(parser.parseInline(content.content)[0].children or [])
            if title:
                yield Heading(starts[token.map[0]], int(token.tag[1:]), title)


def _words(tokens: list[Any]) -> str:
    """What a heading reads like without its markup."""
    breaks = ("softbreak", "hardbreak")
    shown = ("text", "code_inline", "image")
    pieces = (" " if token.type in breaks else token.content for token in tokens if token.type in breaks + shown)
    return " ".join("".join(pieces).split())
