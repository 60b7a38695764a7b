"""An RTF file as far as it is read: its texts by where they go, its pictures, and what holds within the group."""

from dataclasses import dataclass, replace

from searcher.readers.parsers.eq_field import drawn
from searcher.readers.parsers.rtf_codes import CELL, CP1252, ROW
from searcher.readers.parsers.rtf_pictures import Blip
from searcher.readers.symbols import has_signs, shown, symbol

__all__ = [
    "ASIDE",
    "CODE",
    "COMMENT",
    "INFO",
    "LABEL",
    "LEVEL",
    "MARGIN",
    "NOTE",
    "PICTURE",
    "STYLE",
    "STYLES",
    "TEXT",
    "UNDER",
    "Texts",
]

LONGEST_NAME = 60  # of a font
FONTS = "fonttbl"  # what fonts are called
# Where a text goes; MARGIN: what heads and feet of pages say; ASIDE: nowhere.
TEXT, INFO, STYLES, MARGIN, ASIDE = "text", "info", "stylesheet", "margin", ""
CODE = "code"  # of a field, with a number
STYLE, NOTE, PICTURE, COMMENT = "style", "note", "picture", "comment"  # the same, each with a number
BELOW = (NOTE, PICTURE, COMMENT)  # what is set below the paragraph in which it is
UNDER, LEVEL = "\2", "\3"  # marks around the name of what goes below, and around the level of a paragraph
LABEL = "\4"  # the mark before what stands before an item of a list, and ends with a tab
MARKS = dict.fromkeys(map(ord, f"{CELL}{ROW}{UNDER}{LEVEL}{LABEL}"))  # the file's own go


@dataclass
class Group:
    """What holds within a pair of braces.

    to: where its text goes. around: where the text goes in which a shape stands whose properties these are.
    """

    font: int = 0
    skip: int = 1  # characters that stand in for one of Unicode
    is_hidden: bool = False
    to: str = TEXT
    around: str = ASIDE
    is_label: bool = False  # of a list item, which has a format of its own
    plainly: int | None = None  # how much had gone there when what is said again in Unicode began

    @property
    def within(self) -> str:
        """Where the text goes in which it stands."""
        return self.to or self.around


class Texts:
    """What a file gave so far.

    codec, fonts, names: the code page of the file, those of its fonts, and what these are called. blips, authors:
    pictures and who commented, by where their texts go. waiting: characters to be passed over, after one of Unicode.
    is_in_cell: paragraphs do not end the line.
    """

    def __init__(self) -> None:
        self.codec = CP1252
        self.fonts: dict[int, str] = {}
        self.names: dict[int, str] = {}
        self.blips: dict[str, Blip] = {}
        self.authors: dict[str, str] = {}
        self.group = Group()
        self.waiting = 0
        self.is_in_cell = False
        self._outer: list[Group] = []
        self._pieces: dict[str, list[str]] = {TEXT: []}

    # -- groups

    @property
    def depth(self) -> int:
        """How many groups are open."""
        return len(self._outer)

    def open(self) -> None:
        """A group begins."""
        self._outer.append(self.group)
        self.group = replace(self.group)

    def close(self) -> None:
        """A group ends: in the one around it is marked what goes below, and stands what a code draws."""
        if self._outer:
            closed, self.group = self.group, self._outer.pop()
            if closed.to.startswith(BELOW) and closed.to != self.group.to:
                self._put(f"{UNDER}{closed.to}{UNDER}", self.group.within)
            elif closed.to.startswith(CODE) and closed.to != self.group.to:
                self._put(drawn(self.said(closed.to)), self.group.to)

    # -- texts

    def put(self, text: str) -> None:
        """Text of the group, of whose own characters none is taken for a mark."""
        self._put(text, self.group.to)

    def put_bytes(self, data: bytes) -> None:
        """Text of the group in the code page of its font; digits of a picture as they are."""
        if blip := self.blips.get(self.group.to):
            blip.digits.append(data)
            return
        codec = self.fonts.get(self.group.font, self.codec)
        if self.group.to == FONTS:
            name = self.names.get(self.group.font, "") + data.decode(CP1252, "replace").partition(";")[0]
            self.names[self.group.font] = name.strip()[:LONGEST_NAME]
            return
        if has_signs(font := self.names.get(self.group.font)):
            self.put(shown(data.decode("latin-1"), font))
            return
        # The default charset of a font says nothing against the code page of the file.
        codec = self.codec if codec == CP1252 else codec
        self.put(data.decode(codec, "replace").translate(MARKS))

    def put_character(self, number: int) -> None:
        """One of UTF-16, instead of which the next are passed over."""
        number %= 0x10000
        # Those of symbol fonts are themselves nothing.
        sign = symbol(number, self.names.get(self.group.font)) if 0xF000 <= number <= 0xF0FF else chr(number)
        self.put(sign.translate(MARKS))
        self.waiting = self.group.skip

    def put_level(self, level: int) -> None:
        """The level of the paragraph as a heading, 0 of text."""
        if self.group.to == TEXT:
            self.put(f"{LEVEL}{level}{LEVEL}")

    def go_below(self, kind: str) -> str:
        """The group's text goes below the paragraph, under a new name, which is returned. kind: of BELOW, or CODE."""
        self.group.to = name = f"{kind}{len(self._pieces)}"
        self.begin(name)
        return name

    def begin(self, name: str) -> None:
        """What goes there begins anew."""
        self._pieces[name] = []

    def begin_plainly(self) -> None:
        """What the group says will be said again in Unicode."""
        self.group.plainly = len(self._pieces.get(self.group.to, []))

    def again(self) -> None:
        """What the group said is said again in Unicode."""
        if self.group.plainly is not None:
            del self._pieces.setdefault(self.group.to, [])[self.group.plainly :]

    def said(self, name: str) -> str:
        """What went there, pairs of surrogates as the characters that they are."""
        text = "".join(self._pieces.get(name, []))
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def _put(self, text: str, to: str) -> None:
        if to and (not self.group.is_hidden or to.startswith(STYLE)):
            self._pieces.setdefault(to, []).append(text)
