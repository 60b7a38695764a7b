"""Names of encodings: which codec a label means, and where files say which encoding they are in."""

import codecs
import re

from searcher.errors import BadValue

__all__ = ["UTF7", "codec_of", "declaration", "known_codec"]

# Labels of the WHATWG Encoding Standard, of LaTeX and of Macs that Python does not know.
LABELS = {
    "ansinew": "cp1252", "applemac": "mac_roman", "cp819": "cp1252", "dos-874": "cp874", "iso-8859-8-e": "iso8859-8",
    "iso-8859-8-i": "iso8859-8", "ks_c_5601-1989": "cp949", "macce": "mac_latin2", "macukrainian": "mac_cyrillic",
    "ms_kanji": "cp932", "sun_eu_greek": "iso8859-7", "unicode-1-1-utf-8": "utf-8", "windows-31j": "cp932",
    "windows-874": "cp874", "windows-936": "gb18030", "windows-949": "cp949", "x-cp1250": "cp1250",
    "x-cp1251": "cp1251", "x-euc-jp": "euc_jp", "x-gbk": "gb18030", "x-mac-ce": "mac_latin2",
    "x-mac-centraleurroman": "mac_latin2", "x-mac-croatian": "mac_croatian", "x-mac-cyrillic": "mac_cyrillic",
    "x-mac-greek": "mac_greek", "x-mac-icelandic": "mac_iceland", "x-mac-roman": "mac_roman",
    "x-mac-romanian": "mac_romanian", "x-mac-turkish": "mac_turkish", "x-mac-ukrainian": "mac_cyrillic",
    "x-sjis": "cp932", "x-x-big5": "big5hkscs",
}  # fmt: skip
# The larger code page that text in each is really in, as browsers have it.
WIDER = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs", "shift_jis": "cp932", "euc_kr": "cp949",
    "utf-8-sig": "utf-8",
}  # fmt: skip
SPELLING = re.compile(r"(?<=^latin)-(?=\d)()|(?<=.)-(?:unix|dos)$()")  # as Emacs writes them
UTF7 = "utf-7"
NOT_OF_FILES = (
    "idna", "punycode", "raw_unicode_escape", "raw-unicode-escape", "undefined", "unicode_escape", "unicode-escape",
    UTF7,
)  # fmt: skip

NAME = rb"([\w:.-]{1,40})"
COMMENT = rb"^[ \t\f]*(?:#|//|/?\*|;|--|%|<!--|\"|\.\.)"
MARKUP = re.compile(rb"<(?:meta|\?xml)[^>]{0,300}?(?:charset|encoding)\s*=\s*[\"']?\s*" + NAME, re.IGNORECASE)
XML = re.compile(rb"\A\s*<\?xml\b[^>]{0,200}?\bencoding\s*=\s*[\"']" + NAME)
CSS = re.compile(rb"\A@charset \"" + NAME + rb"\";")
PYTHON = re.compile(COMMENT + rb"[^\r\n]*?coding[:=][ \t]*" + NAME, re.IGNORECASE | re.MULTILINE)  # PEP 263
EMACS = re.compile(rb"-\*-[^\r\n]*?\bcoding:[ \t]*" + NAME + rb"[^\r\n]*-\*-", re.IGNORECASE)
EMACS_END = re.compile(rb"Local Variables:.{0,500}?\bcoding:[ \t]*" + NAME, re.IGNORECASE | re.DOTALL)
VIM = re.compile(rb"(?:^|[ \t])(?:vim?|ex):[^\r\n]*?\b(?:fileencoding|fenc|encoding)=" + NAME, re.MULTILINE)
HEADER = re.compile(rb"^\"?Content-Type:[^\r\n]*?\bcharset=\"?" + NAME, re.IGNORECASE | re.MULTILINE)  # gettext, mail
LATEX = re.compile(rb"^[ \t]*\\usepackage[ \t]*\[" + NAME + rb"\][ \t]*\{inputenc\}", re.MULTILINE)
TEX = re.compile(rb"^%[ \t]*!TEX[ \t]+encoding[ \t]*=[ \t]*" + NAME, re.IGNORECASE | re.MULTILINE)


def known_codec(label: str) -> str | None:
    """Python's name of the codec that a label means, the larger code page where there is one; None if there is none."""
    label = SPELLING.sub(r"\1", label.strip().lower())
    try:
        info = codecs.lookup(LABELS.get(label, label))
    except (LookupError, ValueError):
        return None
    if not getattr(info, "_is_text_encoding", True) or info.name in NOT_OF_FILES:
        return UTF7 if info.name == UTF7 else None
    name = info.name.replace("mac-", "mac_")
    return WIDER.get(name, name)


def codec_of(name: str) -> str:
    """The codec that a user names.

    Raises:
        BadValue: it is none, or one that no file is read in.
    """
    codec = known_codec(name) if name.isascii() else None
    if codec is None or codec == UTF7:
        reason = "UTF-7 is not read" if codec else f"no encoding {name!r}"
        raise BadValue(f"{reason}; some are utf-8, cp1252, iso8859-2, cp1251, koi8-r, cp932, gb18030, big5, euc-kr")
    return codec


def declaration(head: bytes, tail: bytes, markup: bool = False) -> str | None:
    """The label of the encoding that a file says it is in; head, tail: how it begins and ends.

    markup: it is a page, which says so in a meta element or an XML declaration.
    """
    first, last = head.splitlines(), tail.splitlines()
    text = [
        (XML, head),
        (CSS, head),
        (PYTHON, b"\n".join(first[:2])),
        (EMACS, b"\n".join(first[:2])),
        (VIM, b"\n".join(first[:5])),
        (VIM, b"\n".join(last[-5:])),
        (EMACS_END, tail),
        (HEADER, b"\n".join(first).split(b"\n\n")[0]),
        (LATEX, head),
        (TEX, head),
    ]
    found = filter(None, (pattern.search(part) for pattern, part in ([(MARKUP, head)] if markup else text)))
    return next((match[1].decode("ascii") for match in found), None)
