"""LaTeX: the source with its sections; what stands before the document is not read, nor what is commented out."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import chain, islice

from searcher.readers.decoding import decoded
from searcher.readers.headings import Heading, sections
from searcher.readers.latex_source import lettered, settled
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.records import Document

__all__ = ["read_latex"]

LEVELS = {"part": 1, "chapter": 2, "section": 3, "subsection": 4, "subsubsection": 5, "paragraph": 6, "subparagraph": 7}
OPTION = r"\[[^\]\n]{0,300}\]"
SECTION = re.compile(rf"(?<!\\)\\({'|'.join(LEVELS)})\*?\s*(?:{OPTION}\s*)?\{{")
FRAME = re.compile(rf"(?<!\\)\\(?:frametitle\s*|begin\{{frame\}}\s*(?:<[^>\n]{{0,100}}>)?\s*(?:{OPTION})?\s*)\{{")
TITLE, AUTHOR = (re.compile(rf"(?<!\\)\\{name}\s*(?:{OPTION}\s*)?\{{") for name in ("title", "author"))
MACRO = re.compile(
    r"\\(?:(?:re)?newcommand\*?|providecommand\*?|def)\s*\{?\s*\\([a-zA-Z]+)\s*\}?\s*\{"
)  # without arguments
BEGIN, END = re.compile(r"\\begin\{document\}[^\n]*\n?"), "\\end{document}"
COMMAND = re.compile(r"\\(?![&%$#_])(?:[a-zA-Z]+\*?\s*(?:\[[^\]]*\])?|.)|~")
BRACES = re.compile(r"[{}]")
NAMES = {"LaTeX": "LaTeX", "LaTeXe": "LaTeX2e", "TeX": "TeX", "BibTeX": "BibTeX", "XeTeX": "XeTeX", "and": ", "}
NAME = re.compile(rf"\s*\\(and)(?![a-zA-Z])\s*|\\({'|'.join(NAMES)})(?![a-zA-Z])(?:\{{\}}|\s+(?=\\))?")
MACRO_USED = re.compile(r"\\([a-zA-Z]+)(?:\{\})?")
MATH = re.compile(r"((?<!\\)\$[^$]*(?<!\\)\$)")
ARGUMENT = r"\{((?:[^{}]|\{[^{}]*\})*)\}"
BOOKMARK = re.compile(rf"\\texorpdfstring\s*{ARGUMENT}\s*{ARGUMENT}")
FOOTNOTE = re.compile(
    r"\\(?:thanks|footnote|label|index|orcidlink|thanksref|[vh]space\*?)\s*\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}"
)
BRACE = re.compile(r"\\.|[{}]", re.DOTALL)  # or what is none, after a backslash
LONGEST = 2_000  # characters of an argument
MOST_MACROS = 1_000


def read_latex(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The source of the document, accents on their letters and comments left out; its title and author are told."""
    whole, listings = settled(decoded(raw).replace("\r\n", "\n"))
    begun = BEGIN.search(whole)
    start = begun.end() if begun else 0
    end = whole.find(END, start)
    start += len(whole[start:]) - len(whole[start:].lstrip("\n"))
    text = whole[start : end if end >= 0 else len(whole)].rstrip()
    edges = [0, *(max(0, edge - start) for edge in chain.from_iterable(listings))]  # of listings, rising
    macros = {found[1]: _argument(whole, found.end()) for found in islice(MACRO.finditer(whole), MOST_MACROS)}
    headings = [
        Heading(found.start(), LEVELS.get(found[1], 5) if found.re is SECTION else 5, title)
        for pattern in (SECTION, FRAME)
        for found in pattern.finditer(text)
        if bisect_right(edges, found.start()) % 2  # outside of all
        and (title := _plain(_argument(text, found.end()), macros))
    ]
    title, author = (_declared(pattern, whole, macros) for pattern in (TITLE, AUTHOR))
    headings.sort(key=lambda heading: heading.start)
    metadata = {"author": author} if author else {}
    first_line = 1 + whole.count("\n", 0, start)
    yield Document(
        raw.source, text, title or None, metadata=metadata, sections=sections(headings), first_line=first_line
    )


def _declared(pattern: re.Pattern[str], whole: str, macros: Mapping[str, str]) -> str:
    found = pattern.search(whole)
    return _plain(_argument(whole, found.end()), macros) if found else ""


def _argument(text: str, start: int) -> str:
    """What stands up to the brace that closes the one before `start`."""
    depth = 1
    for found in BRACE.finditer(text, start, start + LONGEST):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if not depth:
            return text[start : found.start()]
    return ""


def _plain(text: str, macros: Mapping[str, str]) -> str:
    """A title without notes and commands, with what the source's own commands stand for; formulas as they are typed."""
    text = MACRO_USED.sub(lambda used: macros.get(used[1], used[0]), FOOTNOTE.sub("", text))
    text = BOOKMARK.sub(r"\2", FOOTNOTE.sub("", text))
    text = lettered(NAME.sub(lambda name: NAMES[name[1] or name[2]], text))
    parts = [
        part if number % 2 else BRACES.sub("", COMMAND.sub(" ", part)).replace("\\", "")
        for number, part in enumerate(MATH.split(text))
    ]
    return " ".join("".join(parts).split())
