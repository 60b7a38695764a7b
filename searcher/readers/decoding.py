"""Bytes to text: which encoding they are in, and whether they are text at all."""

import codecs
import re
import unicodedata
from dataclasses import dataclass

from searcher.errors import UnreadableFile
from searcher.readers.raw import Unsupported

__all__ = ["HEAD_BYTES", "Encoding", "decoded", "encoding_of"]

HEAD_BYTES = 2**20  # a streamed file's encoding is told from so many bytes
WIDE_SAMPLE_BYTES = 2**13
SAMPLE_BYTES = 2**16  # a guess looks at the non-ASCII lines up to this size

# UTF-32 stands before UTF-16: its little-endian mark begins with the other's.
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
MAGIC = {
    b"%PDF-": "PDF",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\x1f\x8b": "gzip",
    b"BZh91AY&SY": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "RAR",
    b"\x89PNG\r\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"\x7fELF": "ELF",
    b"SQLite format 3\x00": "SQLite",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "old Office",
    b"PAR1": "Parquet",
}
CONTROLS = bytes(set(range(32)) - set(b"\b\t\n\f\r\x1b"))
# What charset-normalizer may choose from, and the larger code page that text in each is really decoded with. It is
# given euc_kr, not cp949, because the larger page has a syllable for nearly any Chinese or Japanese pair of bytes.
GUESSES = {
    "cp932": "cp932",
    "euc_jp": "euc_jp",
    "gb18030": "gb18030",
    "big5": "big5hkscs",
    "euc_kr": "cp949",
    "cp1251": "cp1251",
    "koi8_r": "koi8_r",
    "cp1252": "cp1252",
}
WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
# How words look in the codecs that fit any bytes: an accented letter or two among plain ones, and the signs that go
# with them; Cyrillic in lower case but for a first letter (the wrong one of its codecs turns the case around).
ACCENTED = "À-ÖØ-öø-ÿŠšŽžŒœŸ"
CYRILLIC = re.compile("[А-ЯЁ]?[а-яё]+|[А-ЯЁ]\\b|[«»—–№…]")
WORDS = {
    "cp1252": re.compile(
        rf"(?<![{ACCENTED}])(?:(?<=[A-Za-z])[{ACCENTED}]{{1,2}}|[{ACCENTED}]{{1,2}}(?=[A-Za-z])|(?<!\S)[{ACCENTED}](?!\S))"
        rf"(?![{ACCENTED}])|[“”„‘’‚–—…•«»‹›¡¿§©®°·€£\xa0]"
    ),
    "cp1251": CYRILLIC,
    "koi8_r": CYRILLIC,
}
MOST = 0.9  # of the characters beyond ASCII have to be in such words
LINE = re.compile(rb"[^\r\n]+")


@dataclass(frozen=True)
class Encoding:
    """A codec and its error mode: "replace" only for UTF-8 with a few damaged bytes."""

    codec: str
    errors: str = "strict"


def decoded(data: bytes, source: str, declared: str | None = None) -> str:
    """The text of a whole file, its byte order mark dropped.

    declared: what the file says of its own encoding; believed where the bytes bear it out.
    """
    encoding = encoding_of(data, source, declared=declared)
    try:
        return data.decode(encoding.codec, encoding.errors)
    except UnicodeDecodeError as error:
        raise UnreadableFile(source, f"not {encoding.codec} at byte {error.start}, though it begins so") from None


def encoding_of(data: bytes, source: str, declared: str | None = None, complete: bool = True) -> Encoding:
    """The encoding of these bytes; `complete` is False when they are only the head of a file."""
    for mark, codec in BOMS:
        if data.startswith(mark):
            return Encoding(codec)
    head = data[:HEAD_BYTES]
    named = next((name for magic, name in MAGIC.items() if head.startswith(magic)), None)
    if named:
        raise Unsupported(source, f"a binary file ({named})")
    if _has_controls(head):
        wide = _wide(head, complete and len(head) == len(data))
        if not wide:
            raise Unsupported(source, "a binary file")
        return Encoding(wide)
    for codec in _by_trust(declared):
        if _decodes(data, codec, complete):
            return Encoding(codec)
    if _is_damaged_utf8(head):
        return Encoding("utf-8", "replace")
    for codec in _guesses(data):
        if _decodes(data, codec, complete):
            return Encoding(codec)
    raise UnreadableFile(source, "its encoding was not recognised")


def _has_controls(head: bytes) -> bool:
    """Whether there are NUL bytes, or more control bytes than stray ones."""
    controls = len(head) - len(head.translate(None, CONTROLS))
    return b"\0" in head or controls > 2 + len(head) / 50


def _by_trust(declared: str | None) -> list[str]:
    """UTF-8, and the declared codec before it if that one can fail: a single-byte codec fits anything."""
    try:
        codec = codecs.lookup(declared or "").name
        codec = {"gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949"}.get(codec, codec)
        single = len(bytes(range(256)).decode(codec, "replace")) == 256
    except (LookupError, ValueError):
        return ["utf-8"]
    if codec.startswith(("utf-16", "utf-32")):  # a declaration that we could read says that it is not
        return ["utf-8"]
    codec = "cp1252" if codec in ("iso8859-1", "ascii") else codec  # as browsers do
    return ["utf-8", codec] if single else [codec, "utf-8"]


def _decodes(data: bytes, codec: str, complete: bool) -> bool:
    try:
        codecs.getincrementaldecoder(codec)().decode(data, final=complete)
    except UnicodeDecodeError:
        return False
    return True


def _wide(head: bytes, complete: bool) -> str | None:
    """UTF-32 or UTF-16 without a mark: the codec that gives assigned characters only, and the most ASCII among them."""
    found = {}
    for codec in WIDE:
        if _decodes(head, codec, complete):
            sample = head[:WIDE_SAMPLE_BYTES].decode(codec, "ignore")
            unlikely = sum(unicodedata.category(c) in ("Cc", "Cn", "Co") and c not in "\t\n\f\r\x1b" for c in sample)
            found[codec] = 0 if unlikely else sum(c.isascii() for c in sample)
    best = max(found, key=lambda codec: found[codec], default="")
    return best if found.get(best) else None


def _is_damaged_utf8(head: bytes) -> bool:
    """Four sound characters beyond ASCII to each broken one: no other encoding comes near."""
    text = head.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    return len(text) - len(text.encode("ascii", "ignore")) >= 5 * broken


def _guesses(data: bytes) -> list[str]:
    """Codecs for bytes that are not UTF-8, the likeliest first."""
    sample = b""
    for line in LINE.finditer(data):
        if not line[0].isascii():
            sample += line[0][:SAMPLE_BYTES] + b"\n"
        if len(sample) >= SAMPLE_BYTES:
            break
    # These come first because charset-normalizer takes a short "naïve" for Cyrillic and "Привет" for Chinese.
    wordy = [codec for codec in WORDS if _has_words(sample, codec)]

    from charset_normalizer import from_bytes

    found = [match.encoding for match in from_bytes(sample, cp_isolation=list(GUESSES))]
    # The rest are tried in the order of the scripts whose codecs fail soonest on others' text.
    return [*wordy, *(GUESSES.get(codec, codec) for codec in found), *GUESSES.values()]


def _has_words(sample: bytes, codec: str) -> bool:
    try:
        text = sample.decode(codec)
    except UnicodeDecodeError:
        return False
    beyond = len(text) - len(text.encode("ascii", "ignore"))
    return sum(map(len, WORDS[codec].findall(text))) >= MOST * beyond
