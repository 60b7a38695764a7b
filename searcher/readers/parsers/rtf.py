"""RTF: the text as it is shown, by the code page of each font; notes stand where they are called, what is hidden goes.

After the Rich Text Format Specification 1.9.1. This reads token by token; `rtf_words.py` says what each word does.
"""

import re
from collections.abc import Iterator

from searcher.errors import UnreadableFile
from searcher.readers.parsers.embedded import Pictures
from searcher.readers.parsers.rtf_codes import SYMBOLS
from searcher.readers.parsers.rtf_layout import laid_out
from searcher.readers.parsers.rtf_texts import Texts
from searcher.readers.parsers.rtf_words import obey
from searcher.readers.raw import Item, Raw, ReadOptions

__all__ = ["read_rtf"]

TOKEN = re.compile(rb"\\([a-zA-Z]{1,32})(-?\d{1,10})?[ ]?|\\'([0-9a-fA-F]{2})|\\(.)|([{}])|([^\\{}]+)", re.DOTALL)
DEEPEST = 5_000


def read_rtf(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The document. UnreadableFile for what is no RTF."""
    data = raw.whole().lstrip(b"\xef\xbb\xbf \r\n\t\0")
    if not data.startswith(b"{\\rtf"):
        raise UnreadableFile(raw.source, "it is no RTF: it does not begin as such a file does")
    pictures = Pictures(raw, options)
    yield laid_out(_Tokens(raw.source, data).texts(), raw.source, pictures)
    yield from pictures.notes()


class _Tokens:
    """Those of a file, which become its texts."""

    def __init__(self, source: str, data: bytes) -> None:
        self.source, self.data = source, data
        self._texts = Texts()
        self._bytes = b""  # of a text in a code page, where a character may take several
        self._is_starred = False

    def texts(self) -> Texts:
        """All of them. UnreadableFile for groups nested too deeply."""
        at, size = 0, len(self.data)
        while at < size and (found := TOKEN.match(self.data, at)):
            at = found.end()
            if found[1] == b"bin" and found[2]:
                begun, at = at, at + max(0, int(found[2]))
                if blip := self._texts.blips.get(self._texts.group.to):
                    blip.binary.append(self.data[begun:at])
            else:
                self._token(found)
        self._flush()
        return self._texts

    def _token(self, found: re.Match[bytes]) -> None:
        word, number, code, symbol, brace, text = found.groups()
        if code is not None:
            self._take(bytes([int(code, 16)]))
        elif text is not None:
            self._take(text.replace(b"\r", b"").replace(b"\n", b""))
        else:
            self._flush()
            if brace is not None:
                self._brace(brace)
            elif symbol is not None:
                self._symbol(symbol)
            else:
                starred, self._is_starred = self._is_starred, False
                obey(self._texts, word.decode(), None if number is None else int(number), starred)

    def _take(self, data: bytes) -> None:
        """Characters in the code page, but for those that stand in for one of Unicode."""
        passed = min(self._texts.waiting, len(data))
        self._texts.waiting -= passed
        self._bytes += data[passed:]

    def _brace(self, brace: bytes) -> None:
        self._texts.waiting, self._is_starred = 0, False
        if brace == b"}":
            self._texts.close()
        elif self._texts.depth < DEEPEST:
            self._texts.open()
        else:
            raise UnreadableFile(self.source, "its parts are nested too deeply")

    def _symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self._is_starred = True
        elif self._texts.waiting:
            self._texts.waiting -= 1
        else:
            self._texts.put(SYMBOLS.get(symbol, ""))

    def _flush(self) -> None:
        if self._bytes:
            data, self._bytes = self._bytes, b""
            self._texts.put_bytes(data)
