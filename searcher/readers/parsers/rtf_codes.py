"""What RTF says in bytes and control words instead of characters: code pages of fonts and files, and signs."""

__all__ = ["CELL", "CHARSETS", "CP1252", "LINE", "OF_FILES", "ROW", "SIGNS", "SYMBOLS", "codec_of"]

CELL, ROW, LINE = "\0", "\1", "\v"  # the ends of these, in a text
CP1252 = "cp1252"  # what counts where nothing else is said
CHARSETS = {
    0: CP1252, 77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gbk", 136: "cp950", 161: "cp1253",
    162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874",
    238: "cp1250", 254: "cp437", 255: "cp850",
}  # fmt: skip
CODE_PAGES = {65001: "utf-8", 10000: "mac_roman", 936: "gbk", 708: "iso8859_6", 709: "iso8859_6"}
OF_FILES = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}  # by the words that say so
# Words and symbols that stand for characters.
SIGNS = {
    "par": "\n", "line": LINE, "sect": "\n", "page": "\n", "column": "\n", "tab": "\t", "cell": CELL, "row": ROW,
    "nestcell": CELL, "nestrow": ROW, "emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“",
    "rdblquote": "”", "bullet": "•", "emspace": " ", "enspace": " ", "qmspace": " ", "lbr": LINE,
}  # fmt: skip
SYMBOLS = {b"~": " ", b"_": "-", b"-": "", b"\n": "\n", b"\r": "\n", b"\\": "\\", b"{": "{", b"}": "}"}


def codec_of(page: int) -> str:
    """Python's codec for a code page by its number; cp1252 for one that it has not."""
    codec = CODE_PAGES.get(page, f"cp{page}")
    try:
        b"a".decode(codec)  # of nothing no codec is looked up
    except LookupError:
        return CP1252
    return codec
