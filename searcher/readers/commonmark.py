"""Markdown's blocks: what markdown-it makes of a text, once, for whoever looks for its headings or for its links."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

__all__ = ["Blocks", "inline", "parsed"]

QUOTE = re.compile(r"^ {0,3}>[^\r\n]*", re.MULTILINE)
LAZY = re.compile(r"^ {0,3}>[^\r\n]*\r?\n(?! {0,3}>|[^\S\n]*$)", re.MULTILINE)  # that the next line may go on
MOST_LAZY = 300


class Blocks(NamedTuple):
    """The tokens of a text, their maps counting its lines, and the references that it defines: name → href and map."""

    tokens: "Sequence[Token]"
    references: Mapping[str, Any]


def parsed(text: str) -> Blocks:
    """The blocks of a text; quotations are left out where there are so many that each would be read to the end."""
    found: dict[str, Any] = {}
    tokens = _parsers()[0].parse(_without_quotes(text) if len(LAZY.findall(text)) > MOST_LAZY else text, found)
    return Blocks(tokens, found.get("references", {}))


def inline(text: str, references: Mapping[str, Any]) -> "Sequence[Token]":
    """What a heading or a paragraph is made of."""
    return _parsers()[1].parseInline(text, {"references": dict(references)})[0].children or []


def _without_quotes(text: str) -> str:
    """The text with all quotations blanked out: markdown-it reads on from each to the next empty line."""
    return QUOTE.sub(lambda found: " " * len(found[0]), text)


@cache
def _parsers() -> "tuple[MarkdownIt, MarkdownIt]":
    """Of blocks alone, which is all that is needed of the text: a ninth of the time; and of a heading's own markup."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").disable(["inline", "text_join"]), MarkdownIt("commonmark")
