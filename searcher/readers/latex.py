"""LaTeX: the source with its sections; what stands before the document is not read, nor what is commented out."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import chain

from searcher.readers.decoding import decoded
from searcher.readers.headings import Heading, sections
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.records import Document

__all__ = ["read_latex"]

LEVELS = {"part": 1, "chapter": 2, "section": 3, "subsection": 4, "subsubsection": 5, "paragraph": 6, "subparagraph": 7}
OPTION = r"\[[^\]\n]{0,300}\]"
SECTION = re.compile(rf"^[^%\n]*?\\({'|'.join(LEVELS)})\*?\s*(?:{OPTION}\s*)?\{{", re.MULTILINE)
FRAME = re.compile(
    rf"^[^%\n]*?\\(?:frametitle\s*|begin\{{frame\}}\s*(?:<[^>\n]{{0,100}}>)?\s*(?:{OPTION})?\s*)\{{", re.MULTILINE
)
TITLE, AUTHOR = (re.compile(rf"^[^%\n]*?\\{name}\s*(?:{OPTION}\s*)?\{{", re.MULTILINE) for name in ("title", "author"))
BEGIN, END = re.compile(r"^[^%\n]*?\\begin\{document\}[^\n]*\n?", re.MULTILINE), "\\end{document}"
COMMENT = re.compile(r"[ \t]*%")
VERBATIM = re.compile(r"\\begin\{(verbatim\*?|Verbatim|lstlisting|minted|alltt)\}")  # where % is a sign like others
COMMAND = re.compile(r"\\(?![&%$#_])(?:[a-zA-Z]+\*?\s*(?:\[[^\]]*\])?|.)|[{}]|~")
ACCENTED = re.compile(  # an accent that is a letter is a command's beginning elsewhere: \Huge
    r"\\(?:([`'^\"~=.])\s*|([uvHcrk])(?:\s+|(?=\{)))(?:\{\\?([a-zA-Z])\}|\\?([a-zA-Z]))"
)
MARKS = dict(
    zip("`'^\"~=.uvHcrk", "\u0300\u0301\u0302\u0308\u0303\u0304\u0307\u0306\u030c\u030b\u0327\u030a\u0328", strict=True)
)
FOOTNOTE = re.compile(r"\\(?:thanks|footnote|label|index|orcidlink|thanksref)\s*\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}")
BRACE = re.compile(r"\\.|[{}]", re.DOTALL)  # or what is none, after a backslash
LONGEST = 2_000  # characters of an argument


def read_latex(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The source of the document as it stands, lines of comment left out; its title and author are told."""
    whole = decoded(raw).replace("\r\n", "\n")
    begun = BEGIN.search(whole)
    start = begun.end() if begun else 0
    end = whole.find(END, start)
    text = whole[start : end if end >= 0 else len(whole)]
    first_line = 1 + whole.count("\n", 0, start)
    text = _without_comments(text)
    lead = len(text) - len(text.lstrip("\n"))
    text, first_line = text[lead:].rstrip(), first_line + lead
    listings = [0, *chain.from_iterable(_listings(text))]  # where each begins and ends, rising
    headings = [
        Heading(found.start() + found[0].index("\\"), LEVELS.get(found[1], 5) if found.re is SECTION else 5, title)
        for pattern in (SECTION, FRAME)
        for found in pattern.finditer(text)
        if bisect_right(listings, found.start()) % 2  # outside of all
        and (title := _plain(FOOTNOTE.sub("", _argument(text, found.end()))))
    ]
    title, author = (_declared(pattern, whole) for pattern in (TITLE, AUTHOR))
    headings.sort(key=lambda heading: heading.start)
    metadata = {"author": author} if author else {}
    yield Document(
        raw.source, text, title or None, metadata=metadata, sections=sections(headings), first_line=first_line
    )


def _without_comments(text: str) -> str:
    """The text with lines of comment empty, so that each line is still where it is in the file."""
    kept, until = [], ""
    for line in text.split("\n"):
        if not until and COMMENT.match(line):
            line = ""
        elif not until and (begun := VERBATIM.search(line)):
            until = f"\\end{{{begun[1]}}}"
        if until and until in line:
            until = ""
        kept.append(line)
    return "\n".join(kept)


def _listings(text: str) -> Iterator[tuple[int, int]]:
    """Where texts begin and end of which nothing is a command."""
    end = 0
    while begun := VERBATIM.search(text, end):
        close = text.find(f"\\end{{{begun[1]}}}", begun.end())
        end = close if close >= 0 else len(text)
        yield begun.end(), end


def _declared(pattern: re.Pattern[str], whole: str) -> str:
    found = pattern.search(whole)
    return _plain(FOOTNOTE.sub("", _argument(whole, found.end()))) if found else ""


def _argument(text: str, start: int) -> str:
    """What stands up to the brace that closes the one before `start`."""
    depth = 1
    for found in BRACE.finditer(text, start, start + LONGEST):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if not depth:
            return text[start : found.start()]
    return ""


def _plain(text: str) -> str:
    """A title without its commands; accents are put on their letters."""
    import unicodedata

    text = ACCENTED.sub(lambda found: (found[3] or found[4]) + MARKS[found[1] or found[2]], text)
    return " ".join(COMMAND.sub(" ", unicodedata.normalize("NFC", text)).replace("\\", "").split())
