"""What mails carry within their text and no reader of mail shows there: PGP's armour (RFC 9580), uuencoded files."""

import re
from binascii import Error, a2b_uu

__all__ = ["unarmoured", "unpacked"]

ARMOUR = re.compile(r"-----(?P<edge>BEGIN|END) PGP (?P<kind>[A-Z ]{3,40}?)(?:, PART [\d/]+)?-----")
QUOTES = re.compile(r"[> ]*")
SIGNED, SEALED = "SIGNED MESSAGE", "MESSAGE"
FIELD = re.compile(r"[\w-]{1,40}: .*")
ESCAPED = "- "  # before a line of a signed text that begins with a dash
BEGIN = re.compile(r"begin [0-7]{3,4} (?P<name>\S.*)")


def unarmoured(text: str) -> tuple[str, bool]:
    """The text without signatures and keys, what was signed as it was written, in quotations too; whether there was
    anything encrypted in it, which goes too. A piece that has no end is text.
    """
    if "-----BEGIN PGP " not in text:
        return text, False
    kept: list[str] = []
    begun: tuple[str, str, int] | None = None  # the quotation marks and the kind of an open piece, and where it begins
    signed: tuple[str, int] | None = None  # the same of what is signed
    sealed = False
    for line in text.split("\n"):
        quotes = QUOTES.match(line)[0].rstrip()  # type: ignore[index]
        edge = ARMOUR.fullmatch(line[len(quotes) :].strip())
        if edge and edge["edge"] == "BEGIN":
            if signed and edge["kind"] == "SIGNATURE" and signed[0] == quotes:
                kept[signed[1] :] = _as_written(kept[signed[1] :], quotes)
            signed = (quotes, len(kept)) if edge["kind"] == SIGNED else None
            begun = None if signed else (quotes, edge["kind"], len(kept))
        kept.append(line)
        if edge and edge["edge"] == "END" and begun and begun[:2] == (quotes, edge["kind"]):
            sealed |= edge["kind"] == SEALED
            del kept[begun[2] :]
            begun = None
    return "\n".join(kept), sealed


def _as_written(lines: list[str], quotes: str) -> list[str]:
    """What stands between the first line of a signed text and its signature, without the fields at its top."""
    said = [line[len(quotes) :].removeprefix(" " if quotes else "") for line in lines[1:]]
    top = next((number for number, line in enumerate(said) if not FIELD.fullmatch(line)), len(said))
    said = said[top + (top < len(said) and not said[top].strip()) :]
    return [f"{quotes} {line}".strip() if quotes else line for line in (line.removeprefix(ESCAPED) for line in said)]


def unpacked(text: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text without the files that stand in it uuencoded, and their names and bytes. One that is broken is text."""
    if "begin " not in text:
        return text, []
    kept: list[str] = []
    files: list[tuple[str, bytes]] = []
    begun: tuple[str, int] | None = None  # the name of a file, and where it begins
    pieces: list[bytes] = []
    for line in text.split("\n"):
        kept.append(line)
        if begin := BEGIN.fullmatch(line.rstrip()):
            begun, pieces = (begin["name"], len(kept) - 1), []
        elif begun and line.rstrip() == "end":
            if pieces:
                files.append((begun[0], b"".join(pieces)))
                del kept[begun[1] :]
            begun = None
        elif begun:
            try:
                pieces.append(a2b_uu(line.rstrip("\r") + "\n"))
            except (Error, ValueError):
                begun = None
    return "\n".join(kept), files
