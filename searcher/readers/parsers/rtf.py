"""RTF: the text as it is shown, by the code page of each font; notes stand where they are called, what is hidden goes.

After the Rich Text Format Specification 1.9.1.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from searcher.errors import UnreadableFile
from searcher.readers.parsers.drafting import Draft, one_line
from searcher.readers.parsers.embedded import Pictures
from searcher.readers.parsers.ooxml import commented
from searcher.readers.parsers.rtf_pictures import BLIPS, Blip
from searcher.readers.raw import Item, Raw, ReadOptions

__all__ = ["read_rtf"]

TOKEN = re.compile(rb"\\([a-zA-Z]{1,32})(-?\d{1,10})?[ ]?|\\'([0-9a-fA-F]{2})|\\(.)|([{}])|([^\\{}]+)", re.DOTALL)
CHARSETS = {
    0: "cp1252", 77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gbk", 136: "cp950", 161: "cp1253",
    162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874",
    238: "cp1250", 254: "cp437", 255: "cp850",
}  # fmt: skip
CODE_PAGES = {65001: "utf-8", 10000: "mac_roman", 936: "gbk", 708: "iso8859_6", 709: "iso8859_6"}
SIGNS = {
    "par": "\n", "line": "\n", "sect": "\n", "page": "\n", "column": "\n", "tab": "\t", "cell": "\0", "row": "\1",
    "nestcell": "\0", "nestrow": "\1", "emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“",
    "rdblquote": "”", "bullet": "•", "emspace": " ", "enspace": " ", "qmspace": " ", "lbr": "\n",
}  # fmt: skip
MARKS = dict.fromkeys(map(ord, "\0\1\2\3"))  # of cells, rows, what goes below, levels; the file's own go
OTHER_SIGNS = {b"~": " ", b"_": "-", b"-": "", b"\n": "\n", b"\r": "\n", b"\\": "\\", b"{": "{", b"}": "}"}
# Groups that hold no text of the page; any other that begins with \* and is not in KEPT neither.
SILENT = {
    "fonttbl", "colortbl", "stylesheet", "fldinst", "datafield", "listtable", "listoverridetable", "rsidtbl",
    "generator", "info", "xmlnstbl", "themedata", "latentstyles", "datastore", "objdata", "filetbl", "revtbl",
    "header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf", "ftnsep", "ftnsepc",
    "aftnsep", "atnid", "pntext", "pntxta", "pntxtb", "nonshppict", "shprslt", "bkmkstart",
    "bkmkend", "xe", "tc", "rxe", "template", "private", "nonesttables", "mmathPr",
}  # fmt: skip
KEPT = {
    "annotation", "atnauthor", "do", "footnote", "listtext", "nesttableprops", "shp", "shpinst", "shppict", "shptxt",
    "ud", "upr",
}  # fmt: skip
DECLARED = {"title": "title", "author": "author", "subject": "description", "keywords": "keywords"}
DEEPEST = 5_000
HEADING = re.compile(r"heading (\d)", re.IGNORECASE)
BELOW = ("note", "picture", "comment")  # what is set below the paragraph in which it is
ASIDE = {"sn", "atnauthor"}  # groups whose text says something of what comes next
LETTERS = "gtextUNICODE"  # the name of a property that is the text of a shape


@dataclass
class State:
    """What holds within a group."""

    font: int = 0
    skip: int = 1  # characters that stand in for one of Unicode
    hidden: bool = False
    to: str = "text"  # where its text goes; empty for nowhere
    around: str = ""  # where the text goes in which a shape stands whose properties these are
    is_label: bool = False  # of a list item, which has a format of its own
    plainly: int | None = None  # how much had gone there when what is said again in Unicode began


def read_rtf(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The document. UnreadableFile for what is no RTF."""
    data = raw.whole().lstrip(b"\xef\xbb\xbf \r\n\t\0")
    if not data.startswith(b"{\\rtf"):
        raise UnreadableFile(raw.source, "it is no RTF: it does not begin as such a file does")
    pictures = Pictures(raw, options)
    yield _Rtf(raw.source, data, pictures).document()
    yield from pictures.notes()


class _Rtf:
    """A file being read.

    texts: what goes somewhere, by where. blips, authors: pictures and who commented, by the names of their marks.
    """

    def __init__(self, source: str, data: bytes, pictures: Pictures) -> None:
        self.source, self.data, self.pictures = source, data, pictures
        self.blips: dict[str, Blip] = {}
        self.authors: dict[str, str] = {}
        self.codec = "cp1252"
        self.fonts: dict[int, str] = {}
        self.names: dict[int, str] = {}  # of styles
        self.state = State()
        self.states: list[State] = []
        self.texts: dict[str, list[str]] = {"text": []}
        self.bytes = b""  # of a text in a code page, where a character may take several
        self.waiting = 0  # characters to be passed over, after one of Unicode
        self.star = self.in_cell = False

    def document(self) -> Item:
        """All of it."""
        at, size = 0, len(self.data)
        while at < size and (found := TOKEN.match(self.data, at)):
            at = found.end()
            if found[1] == b"bin" and found[2]:
                begun, at = at, at + max(0, int(found[2]))
                if blip := self.blips.get(self.state.to):
                    blip.binary.append(self.data[begun:at])
            else:
                self._token(found)
        self._flush()
        return self._laid_out()

    # -- tokens

    def _token(self, found: re.Match[bytes]) -> None:
        word, number, code, sign, brace, text = found.groups()
        if code is not None:
            if self.waiting:
                self.waiting -= 1
            else:
                self.bytes += bytes([int(code, 16)])
        elif text is not None:
            text = text.replace(b"\r", b"").replace(b"\n", b"")
            dropped = min(self.waiting, len(text))
            self.waiting -= dropped
            self.bytes += text[dropped:]
        else:
            self._flush()
            if brace:
                self._brace(brace)
            elif sign is not None:
                self._sign(sign)
            else:
                self._word(word.decode(), None if number is None else int(number))

    def _brace(self, brace: bytes) -> None:
        self.waiting = 0
        if brace == b"{":
            if len(self.states) >= DEEPEST:
                raise UnreadableFile(self.source, "its parts are nested too deeply")
            self.states.append(self.state)
            self.state = replace(self.state)
        elif self.states:
            closed, self.state = self.state, self.states.pop()
            if closed.to.startswith(BELOW) and closed.to != self.state.to:
                self._put(f"\2{closed.to}\2", self.state.to or self.state.around)
        self.star = False

    def _sign(self, sign: bytes) -> None:
        if sign == b"*":
            self.star = True
        elif self.waiting:
            self.waiting -= 1
        else:
            self._put(OTHER_SIGNS.get(sign, ""))

    def _word(self, word: str, number: int | None) -> None:
        star, self.star = self.star, False
        on = number != 0
        if word in SILENT or (star and word not in KEPT):
            self.state.to = word if word in ("fonttbl", "stylesheet", "info") else ""
            self.state.around = ""
        elif word == "sv":
            around = self.state.to or self.state.around
            is_text = around and self._text("sn").strip() == LETTERS
            self.state.to, self.state.around = f"note{len(self.texts)}" if is_text else "", around
        elif word == "pict" and (self.state.to or self.state.around):
            self.state.to = f"picture{len(self.blips)}"
            self.blips[self.state.to] = Blip()
        elif word in BLIPS and self.state.to in self.blips:
            self.blips[self.state.to].kind = BLIPS[word]
        elif word in ASIDE and (self.state.to or self.state.around):
            self.state.to, self.state.around = word, self.state.to or self.state.around
            self.texts[word] = []
        elif word == "footnote" and self.state.to:
            self.state.to = f"note{len(self.texts)}"
        elif word == "annotation" and self.state.to:
            self.state.to = f"comment{len(self.texts)}"
            self.authors[self.state.to] = self._text("atnauthor")
            self.texts["atnauthor"] = []
        elif word in DECLARED and self.state.to == "info":
            self.state.to = word
        elif word == "upr":
            self.state.plainly = len(self.texts.get(self.state.to, []))
        elif word == "ud" and self.state.plainly is not None:
            del self.texts.setdefault(self.state.to, [])[self.state.plainly :]
        elif word == "ansicpg" and number:
            self.codec = _codec(number)
        elif word in ("mac", "pc", "pca"):
            self.codec = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}[word]
        elif word == "uc" and number is not None:
            self.state.skip = max(0, min(number, 100))
        elif word == "u" and number is not None:
            self._put(chr(number % 0x10000).translate(MARKS))
            self.waiting = self.state.skip
        elif word == "f" and number is not None:
            self.state.font = number
        elif word == "fcharset" and number is not None and number in CHARSETS:
            self.fonts[self.state.font] = CHARSETS[number]
        elif word == "cpg" and number:
            self.fonts[self.state.font] = _codec(number)
        elif word in ("v", "deleted"):
            self.state.hidden = on
        elif word == "plain":
            self.state.hidden = False
        elif word == "listtext":
            self.state.is_label = True
        elif word == "pard" and self.state.to == "text" and not self.state.is_label:
            self.in_cell = False
            self._level(0)
        elif word == "intbl" and self.state.to == "text":
            self.in_cell = True
        elif word == "par" and self.in_cell:
            self._put(" ")
        elif word == "s" and number is not None and self.state.to == "stylesheet":
            self.state.to = f"style{number}"
        elif word == "s" and number is not None:
            name = HEADING.match(self.names.get(number, ""))
            self._level(int(name[1]) if name else 0)
        elif word == "outlinelevel" and number is not None and self.state.to == "text":
            self._level(number + 1 if 0 <= number < 9 else 0)
        elif word in SIGNS:
            self._put(SIGNS[word])

    def _level(self, level: int) -> None:
        if self.state.to == "text":
            self._put(f"\3{level}\3")

    def _flush(self) -> None:
        if self.bytes:
            data, self.bytes = self.bytes, b""
            if blip := self.blips.get(self.state.to):
                blip.digits.append(data)
                return
            codec = self.fonts.get(self.state.font, self.codec)
            # The default charset of a font says nothing against the code page of the file.
            codec = self.codec if codec == "cp1252" else codec
            self._put(data.decode(codec, "replace").translate(MARKS))

    def _put(self, text: str, to: str | None = None) -> None:
        to = self.state.to if to is None else to
        if to.startswith("style") and to != "stylesheet":
            number = int(to.removeprefix("style"))
            self.names[number] = self.names.get(number, "") + text
        elif to and not self.state.hidden:
            self.texts.setdefault(to, []).append(text)

    # -- the document

    def _text(self, name: str) -> str:
        """What went there, pairs of surrogates as the characters that they are."""
        text = "".join(self.texts.get(name, []))
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def _laid_out(self) -> Item:
        draft, level, before = Draft(self.source), 0, ""
        for piece in re.split("\n|(?<=\1)", self._text("text")):
            for found in re.findall("\3(\\d)\3", piece):
                level = int(found)
            below = re.findall("\2([^\2]+)\2", piece)
            piece = re.sub("[\2\3][^\2\3]*[\2\3]", "", piece)
            if "\0" in piece or "\1" in piece:
                cells = [one_line(cell) for cell in piece.replace("\1", "").rstrip("\0").split("\0")]
                line, kind = " | ".join(cells).rstrip(" |"), "row"
            else:
                line, kind = piece.strip(), "text"
            if line.strip():
                draft.put(line, "\n" if kind == before == "row" else "\n\n", level if kind == "text" else 0)
                before = kind
            for name in below:
                length = draft.length
                if blip := self.blips.get(name):
                    self.pictures.put_data(draft, blip.file(), blip.kind)
                elif name in self.authors:
                    draft.put(commented(self._text(name), self.authors[name]))
                else:
                    draft.put(self._text(name).strip())
                before = before if draft.length == length else "below"
        metadata: dict[str, Any] = {key: one_line(self._text(name)) for name, key in DECLARED.items()}
        return draft.document(metadata.pop("title") or None, metadata)


def _codec(number: int) -> str:
    codec = CODE_PAGES.get(number, f"cp{number}")
    try:
        b"a".decode(codec)  # of nothing no codec is looked up
    except LookupError:
        return "cp1252"
    return codec
