"""The control words of RTF, a table from each to what it does; whatever is not in it does nothing."""

import re
from collections.abc import Callable
from functools import partial

from searcher.readers.parsers.rtf_codes import CHARSETS, OF_FILES, SIGNS, codec_of
from searcher.readers.parsers.rtf_pictures import BLIPS, Blip
from searcher.readers.parsers.rtf_texts import (
    ASIDE,
    CODE,
    COMMENT,
    INFO,
    LABEL,
    MARGIN,
    NOTE,
    PICTURE,
    STYLE,
    STYLES,
    TEXT,
    Texts,
)

__all__ = ["DECLARED", "obey"]

# Groups that hold no text of the page; any other that begins with \* and is not in KEPT neither.
SILENT = {
    "fonttbl", "colortbl", "stylesheet", "datafield", "listtable", "listoverridetable", "rsidtbl",
    "generator", "info", "xmlnstbl", "themedata", "latentstyles", "datastore", "objdata", "filetbl", "revtbl",
    "ftnsep", "ftnsepc", "aftnsep", "atnid", "pntxta", "pntxtb", "nonshppict", "shprslt", "bkmkstart",
    "bkmkend", "xe", "tc", "rxe", "template", "private", "nonesttables", "mmathPr",
}  # fmt: skip
KEPT = {
    "annotation", "atnauthor", "do", "fldinst", "footnote", "listtext", "nesttableprops", "shp", "shpinst", "shppict",
    "shptxt", "ud", "upr",
}  # fmt: skip
TABLES = {"fonttbl", STYLES, INFO}  # silent groups of which something is wanted
DECLARED = {"title": "title", "author": "author", "subject": "description", "keywords": "keywords"}
HEADING = re.compile(r"heading (\d)", re.IGNORECASE)
MARGINS = ("header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf")
PROPERTY, AUTHOR = "sn", "atnauthor"  # groups whose text says something of what comes next
LETTERS = "gtextUNICODE"  # the name of a property that is the text of a shape
MOST_SKIPPED = 100


def obey(texts: Texts, word: str, number: int | None, is_starred: bool) -> None:
    r"""Do what a word says. is_starred: it comes after \*, by which readers that do not know it pass its group over."""
    if number is None and word in TOGGLES:
        number = 1
    if word in SILENT or (is_starred and word not in KEPT):
        texts.group.to, texts.group.around = word if word in TABLES else ASIDE, ASIDE
    elif word in WORDS:
        WORDS[word](texts)
    elif word in NUMBERED and number is not None:
        NUMBERED[word](texts, number)


# -- groups and where their text goes


def _property(name: str, texts: Texts) -> None:
    """What is said of a shape or a comment before it comes."""
    if within := texts.group.within:
        texts.group.to, texts.group.around = name, within
        texts.begin(name)


def _value(texts: Texts) -> None:
    """That of a property of a shape."""
    around = texts.group.within
    texts.group.to, texts.group.around = ASIDE, around
    if around and texts.said(PROPERTY).strip() == LETTERS:
        texts.go_below(NOTE)


def _picture(texts: Texts) -> None:
    if texts.group.within and not texts.group.to.startswith(CODE):
        texts.group.to = f"{PICTURE}{len(texts.blips)}"
        texts.blips[texts.group.to] = Blip()


def _kind(kind: str, texts: Texts) -> None:
    if texts.group.to in texts.blips:
        texts.blips[texts.group.to].kind = kind


def _code(texts: Texts) -> None:
    if texts.group.to:
        texts.go_below(CODE)
        texts.group.around = ASIDE


def _note(texts: Texts) -> None:
    if texts.group.to:
        texts.go_below(NOTE)


def _comment(texts: Texts) -> None:
    if texts.group.to:
        texts.authors[texts.go_below(COMMENT)] = texts.said(AUTHOR)
        texts.begin(AUTHOR)


def _declared(name: str, texts: Texts) -> None:
    if texts.group.to == INFO:
        texts.group.to = name


def _label(texts: Texts) -> None:
    texts.group.is_label = True
    if texts.group.to == TEXT:
        texts.put(LABEL)


def _margin(texts: Texts) -> None:
    texts.group.to = MARGIN if texts.group.to == TEXT else ASIDE
    texts.put(SIGNS["par"])


# -- characters


def _sign(sign: str, texts: Texts) -> None:
    texts.put(sign)


def _end_of_paragraph(texts: Texts) -> None:
    texts.put(" " if texts.is_in_cell else SIGNS["par"])


def _of_file(codec: str, texts: Texts) -> None:
    texts.codec = codec


def _page_of_file(texts: Texts, page: int) -> None:
    texts.codec = codec_of(page) if page else texts.codec


def _page_of_font(texts: Texts, page: int) -> None:
    if page:
        texts.fonts[texts.group.font] = codec_of(page)


def _charset(texts: Texts, charset: int) -> None:
    if charset in CHARSETS:
        texts.fonts[texts.group.font] = CHARSETS[charset]


def _font(texts: Texts, number: int) -> None:
    texts.group.font = number


def _skip(texts: Texts, count: int) -> None:
    texts.group.skip = max(0, min(count, MOST_SKIPPED))


def _hide(texts: Texts, switch: int) -> None:
    texts.group.is_hidden = switch != 0


def _show(texts: Texts) -> None:
    texts.group.is_hidden = False


# -- paragraphs


def _new_format(texts: Texts) -> None:
    if texts.group.to == TEXT and not texts.group.is_label:
        texts.is_in_cell = False
        texts.put_level(0)


def _in_table(texts: Texts) -> None:
    if texts.group.to == TEXT:
        texts.is_in_cell = True


def _style(texts: Texts, number: int) -> None:
    """In the sheet of styles what one is called, elsewhere that it holds."""
    if texts.group.to == STYLES:
        texts.group.to = f"{STYLE}{number}"
    else:
        heading = HEADING.match(texts.said(f"{STYLE}{number}"))
        texts.put_level(int(heading[1]) if heading else 0)


def _outline(texts: Texts, level: int) -> None:
    texts.put_level(level + 1 if 0 <= level < 9 else 0)


WORDS: dict[str, Callable[[Texts], None]] = {
    **{word: partial(_sign, sign) for word, sign in SIGNS.items()},
    **{word: partial(_kind, kind) for word, kind in BLIPS.items()},
    **{word: partial(_of_file, codec) for word, codec in OF_FILES.items()},
    **{word: partial(_declared, word) for word in DECLARED},
    **dict.fromkeys(MARGINS, _margin),
    PROPERTY: partial(_property, PROPERTY), AUTHOR: partial(_property, AUTHOR), "sv": _value, "pict": _picture,
    "fldinst": _code,
    "footnote": _note, "annotation": _comment, "upr": Texts.begin_plainly, "ud": Texts.again, "listtext": _label,
    "pntext": _label,
    "plain": _show, "pard": _new_format, "intbl": _in_table, "par": _end_of_paragraph,
}  # fmt: skip
NUMBERED: dict[str, Callable[[Texts, int], None]] = {
    "ansicpg": _page_of_file, "cpg": _page_of_font, "fcharset": _charset, "f": _font, "uc": _skip,
    "u": Texts.put_character, "v": _hide, "deleted": _hide, "s": _style, "outlinelevel": _outline,
}  # fmt: skip
TOGGLES = {"v", "deleted"}  # on where no number stands after them
