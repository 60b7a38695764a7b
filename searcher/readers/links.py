"""Markdown without the targets of its links: what a reader of the page sees of them, each line where it was.

A target is no text: it fills a passage's window, draws its vector towards the words of an address, and stands in the
way of whoever reads a hit. Code stays as it is, and so does an address that is itself the text.
"""

import re
from collections.abc import Mapping
from typing import Any

from searcher.readers.commonmark import Blocks, parsed

__all__ = ["without_targets"]

MAY_HOLD = re.compile(r"\]\(|\]\[|^ {0,3}\[[^\]\n]+\]:", re.MULTILINE)
LABEL = r"(?:[^\[\]\\`]|\\.|`[^`\n]*`|\[(?:[^\[\]\\]|\\.)*\])*"  # of a link: it may hold an image, or brackets
TARGET = r"<[^<>\n]*>|(?:[^\s()<>\\]|\\.|\((?:[^\s()\\]|\\.)*\))*"
TITLE = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|\((?:[^()\\]|\\.)*\)"
INLINE = re.compile(
    rf"""(?P<code> (?<!`)(?P<ticks>`+)(?!`) .*? (?<!`)(?P=ticks)(?!`) ) | (?P<escape> \\. )
    | !?\[(?P<text>{LABEL})\]
      (?: (?P<target>\( \s* (?:{TARGET}) (?:\s+(?:{TITLE}))? \s* \)) | \[(?P<name>[^\[\]]*)\] | (?![\[(]) )""",
    re.VERBOSE | re.DOTALL,
)
DEEPEST = 3  # an image in a link in a heading
FOOTNOTE = "^"
DATA = "data:"  # a file within the text, of whose leaving out is told elsewhere


def without_targets(text: str, blocks: Blocks | None = None, known: Mapping[str, Any] | None = None) -> str:
    """The text of a Markdown file in which `[words](address "title")` reads `words`, and `![words](picture)` too.

    Links by reference likewise, where there is such a reference, whose own line is left empty. As many lines as before.
    blocks: of this text, where they are known. known: references that are defined elsewhere.
    """
    if not MAY_HOLD.search(text) and not (known and "]" in text):
        return text
    blocks = blocks or parsed(text)
    lines = text.splitlines(keepends=True)
    references = {**(known or {}), **blocks.references}
    pieces = [(token.map[0], token.map[1]) for token in blocks.tokens if token.type == "inline" and token.map]
    if len(lines) < max((end for _, end in pieces), default=0) or _counts_otherwise(text):
        return text  # it has line ends that Markdown does not know as such
    for begin, end in pieces:
        piece = "".join(lines[begin:end])
        if "](" in piece or (references and "]" in piece):
            lines[begin] = _plain(piece, references)
            lines[begin + 1 : end] = [""] * (end - begin - 1)
    for name, reference in blocks.references.items():
        if not name.startswith(FOOTNOTE) and not reference["href"].startswith(DATA):
            first, last = reference["map"]
            lines[first:last] = [line[len(line.rstrip("\r\n")) :] for line in lines[first:last]]
    return "".join(lines)


def _counts_otherwise(text: str) -> bool:
    return any(sign in text for sign in "\v\f\x1c\x1d\x1e\x85\u2028\u2029")


def _plain(piece: str, references: Mapping[str, Any]) -> str:
    """A paragraph or title without targets, with as many line ends as it had."""
    from markdown_it.common.utils import normalizeReference

    def words(found: re.Match[str]) -> str:
        whole, text = found[0], found["text"]
        if text is None or not text.strip() or DATA in (found["target"] or ""):
            return whole
        if found["target"] is None and normalizeReference(found["name"] or text) not in references:
            start = whole.index("[") + 1  # brackets that are text, in which there may be a link
            return whole[:start] + INLINE.sub(words, whole[start:])
        return str(text) + "\n" * (whole.count("\n") - text.count("\n"))

    for _ in range(DEEPEST):
        before, piece = piece, INLINE.sub(words, piece)
        if piece == before:
            break
    return piece
