"""Bytes to text: which encoding they are in.

A byte order mark decides, then what the caller names; then shift sequences, UTF-8, what the file itself declares, and
at last the encoding in which it reads most like a language. Whatever does not come out for certain is told.
"""

import codecs
import io
import re
import unicodedata
from collections.abc import Generator, Iterator
from contextlib import suppress
from itertools import takewhile
from typing import NamedTuple

from searcher.errors import UnreadableFile
from searcher.readers import raw as limits
from searcher.readers.binary import has_controls, kind_of_binary
from searcher.readers.charsets import UTF7, codec_of, declaration, known_codec
from searcher.readers.raw import Raw, Unsupported
from searcher.readers.surveying import BLOCK_BYTES, Survey, surveyed

__all__ = ["Encoding", "blocks", "decoded", "encoding_of", "lines"]

WIDE_SAMPLE_BYTES = 2**13
DECLARED_BYTES = 2**12  # a declaration stands within so many of the first, or of the last

# UTF-32 stands before UTF-16: its little-endian mark begins with the other's.
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
UTF7_BOM = re.compile(rb"\+/v[89+/]")
WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
# Codecs of seven bits, by the bytes that begin what is not ASCII.
JAPANESE = ("iso2022_jp", "iso2022_jp_ext", "iso2022_jp_2", "iso2022_jp_2004")
SHIFTS = (
    (re.compile(rb"\x1b(?:\$[@AB]|\$\([CDOPQ]|\([IJ])"), JAPANESE),
    (re.compile(rb"\x1b\$\)C"), ("iso2022_kr",)),
    (re.compile(rb"~\{"), ("hz",)),
)
SURE = 6.0  # nats by which a reading must be likelier than any other; chosen on other texts than are measured
MOST_BROKEN = 0.05  # of the characters; a file of which more are broken is not in that encoding
MOST_NAMED = 3
C1_CONTROL = re.compile("[\x80-\x9f]")
ASCII_CONTROLS = re.compile(r"[\t\n\f\r\x1b]")
UNLIKELY = {"Cc", "Cn", "Co"}
LIKE_TEXT = 9.0  # nats a character, on the average
OVERRIDE = "--encoding NAME decides"


class Encoding(NamedTuple):
    """A codec and its error mode: "strict" where the whole file is known to be sound."""

    codec: str
    errors: str = "replace"


def decoded(raw: Raw, markup: bool = False) -> str:
    """The text of a whole file, its byte order mark dropped.

    markup: it is a page, which may declare its encoding in its head.
    """
    data = raw.whole()
    encoding = _encoding(raw, surveyed([data]), data, markup)
    text = data.decode(*encoding)
    _tell_broken(raw, encoding, text.count("\ufffd"), text.count("\n", 0, max(text.find("\ufffd"), 0)) + 1, len(text))
    return text


def encoding_of(raw: Raw) -> Encoding:
    """The encoding of a file that is read line by line, told from all of it."""
    raw.stream.seek(0)
    return _encoding(raw, surveyed(iter(lambda: raw.stream.read(BLOCK_BYTES), b"")))


def lines(raw: Raw, encoding: Encoding, newline: str, tell: bool = False) -> Generator[str, None, None]:
    """The decoded lines of a file, endings kept; `newline` as in `open`. They may be gone through more than once.

    tell: note what is broken.
    """
    raw.stream.seek(0)
    text = io.TextIOWrapper(raw.stream, encoding.codec, encoding.errors, newline)
    number = broken = first = characters = 0
    try:
        while line := text.readline(limits.MAX_TEXT_BYTES + 1):
            number += 1
            characters += len(line)
            if len(line) > limits.MAX_TEXT_BYTES:
                limit = limits.MAX_TEXT_BYTES / 2**20
                raise UnreadableFile(raw.source, f"line {number} is longer than {limit:,.0f} MiB")
            if tell and "\ufffd" in line:
                broken, first = broken + line.count("\ufffd"), first or number
            yield line
        if tell:
            _tell_broken(raw, encoding, broken, first, characters)
    finally:
        with suppress(ValueError):  # the file is closed already, where they were not all wanted
            text.detach()


def blocks(raw: Raw, encoding: Encoding, characters: int) -> Iterator[str]:
    """The decoded text of a file, endings kept, in pieces of so many characters; what is broken is noted."""
    raw.stream.seek(0)
    text = io.TextIOWrapper(raw.stream, encoding.codec, encoding.errors, newline="")
    line, broken, first, seen = 1, 0, 0, 0
    try:
        while block := text.read(characters):
            if not first and "\ufffd" in block:
                first = line + block.count("\n", 0, block.index("\ufffd"))
            broken, seen, line = broken + block.count("\ufffd"), seen + len(block), line + block.count("\n")
            yield block
        _tell_broken(raw, encoding, broken, first, seen)
    finally:
        with suppress(ValueError):  # the file is closed already, where not all of it was wanted
            text.detach()


def _tell_broken(raw: Raw, encoding: Encoding, broken: int, line: int, characters: int) -> None:
    if not broken or encoding.errors == "strict":
        return
    if broken > 2 + MOST_BROKEN * characters:
        raise UnreadableFile(raw.source, f"not {encoding.codec} from line {line} on, though it begins so")
    what = "1 broken character reads" if broken == 1 else f"{broken:,} broken characters read"
    where = f"in line {line}" if broken == 1 else f"the first in line {line}"
    raw.note(f"{what} as U+FFFD, {where}: not {encoding.codec.removesuffix('-sig')} there")


def _encoding(raw: Raw, seen: Survey, data: bytes | None = None, markup: bool = False) -> Encoding:
    """The encoding by all that tells it. data: the whole file; without it no declaration is looked for."""
    wanted = None if raw.encoding is None else codec_of(raw.encoding)
    for mark, codec in BOMS:
        if seen.head.startswith(mark):
            name = codec.removesuffix("-sig")
            if wanted is not None and not wanted.startswith(name):
                raw.note(f"read as {name}, by its byte order mark, and not as {raw.encoding}")
            return _sound_utf8(codec, seen)
    if named := kind_of_binary(seen.head):
        raise Unsupported(raw.source, f"a binary file ({named})")
    if wanted is not None:
        if b"\0" in seen.head and not wanted.startswith(("utf-16", "utf-32")):
            raise Unsupported(raw.source, "a binary file")
        return _sound_utf8(_ordered(wanted, seen), seen)
    if shifted := _shifted(seen):
        return Encoding(shifted)
    if has_controls(seen.head):
        if wide := _wide(seen):
            return Encoding(wide)
        raise Unsupported(raw.source, "a binary file")
    label = None if data is None else declaration(data[:DECLARED_BYTES], data[-DECLARED_BYTES:], markup)
    declared = known_codec(label) if label else None
    if declared == UTF7 or UTF7_BOM.match(seen.head):
        raise UnreadableFile(raw.source, "in UTF-7, which is not read")
    if declared and declared.startswith(("utf-16", "utf-32")):
        declared = "utf-8"  # a declaration that can be read so says that it is not
    if not seen.broken:
        return _utf8_or(declared, label, raw, seen)
    if data is not None and declared not in (None, "utf-8") and _reads(declared, data):
        return Encoding(declared)
    codec = "utf-8" if seen.sound >= 5 * seen.broken else _guessed(raw, seen, declared)
    if label and codec != declared and (codec, declared) != ("utf-8", None):
        raw.note(f"calls itself {label}, which it is not; read as {codec}; {OVERRIDE}")
    return Encoding(codec)


def _ordered(codec: str, seen: Survey) -> str:
    """UTF-16 and UTF-32, which have no mark here, with the order of their bytes; any other codec as it is."""
    if codec not in ("utf-16", "utf-32"):
        return codec
    wide = _wide(seen)
    return wide if wide and wide.startswith(codec) else f"{codec}-le"  # as the WHATWG Encoding Standard has it


def _sound_utf8(codec: str, seen: Survey) -> Encoding:
    return Encoding(codec, "strict" if codec.startswith("utf-8") and not seen.broken else "replace")


def _utf8_or(declared: str | None, label: str | None, raw: Raw, seen: Survey) -> Encoding:
    """UTF-8, which it is throughout; another encoding that it declares only where it reads better in that."""
    if seen.is_ascii or declared in (None, "utf-8"):
        return Encoding("utf-8", "strict")
    from searcher.readers.guessing import reading

    own, other = reading(seen.sample, "utf-8"), reading(seen.sample, declared or "")
    if own and other and other.cost < own.cost:
        return Encoding(declared or "")
    raw.note(f"calls itself {label}, but is utf-8 and was read so; {OVERRIDE}")
    return Encoding("utf-8", "strict")


def _reads(codec: str, data: bytes) -> bool:
    """Whether it is text in that codec: no undefined bytes, and no control characters in the place of signs."""
    try:
        return not C1_CONTROL.search(data.decode(codec))
    except UnicodeDecodeError:
        return False


def _shifted(seen: Survey) -> str | None:
    """A codec of seven bits: its sequences are there, and all of them decode."""
    for sequence, candidates in SHIFTS if seen.is_ascii else ():
        for codec in candidates if sequence.search(seen.sample) else ():
            text = seen.sample.decode(codec, "replace")
            if text.count("\ufffd") <= MOST_BROKEN * len(text) and "\x1b$" not in text:
                return codec
    return None


def _wide(seen: Survey) -> str | None:
    """UTF-32 or UTF-16 without a mark: of the codecs that give assigned characters only, the one that reads best.

    None if that has no ASCII in it and reads like no language.
    """
    from searcher.readers.letters import likelihood

    found, head = {}, seen.head
    for codec in WIDE:
        try:
            codecs.getincrementaldecoder(codec)().decode(head, final=len(head) == seen.size)
        except UnicodeDecodeError:
            continue
        text = head[:WIDE_SAMPLE_BYTES].decode(codec, "ignore")
        if not UNLIKELY.intersection(map(unicodedata.category, ASCII_CONTROLS.sub("", text))):
            cost = likelihood(text).cost
            if any(map(str.isascii, text)) or cost < LIKE_TEXT * len(text):
                found[codec] = cost
    return min(found, key=lambda codec: found[codec], default=None)


def _guessed(raw: Raw, seen: Survey, declared: str | None) -> str:
    """The codec in which it reads most like a language; told unless that is certain."""
    from searcher.readers.guessing import guesses

    best, *others = guesses(seen.sample, seen.head[:WIDE_SAMPLE_BYTES], declared)
    close = list(takewhile(lambda other: other.cost < best.cost + SURE, others))
    if close and best.codec != "utf-8":  # which will be told for its broken characters
        names = " or ".join(other.codec for other in close[:MOST_NAMED])
        raw.note(f"its encoding was guessed: {best.codec}, though {names} is possible; {OVERRIDE}")
    return best.codec
