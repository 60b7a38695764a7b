"""The one way to stdout and stderr: what is printed is printable, in the encoding and the width that there is.

An indexed text may hold anything, escape sequences that move the cursor or write to the clipboard included: whatever is
not our own styling is shown as a picture of itself.
"""

import codecs
import io
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterable
from typing import Any, BinaryIO

import click

__all__ = [
    "bold", "columns", "dim", "echo", "fitted", "link", "name_of", "one_line", "open_streams", "printable", "show_json",
    "show_rows", "stdin", "width_of", "write",
]  # fmt: skip

LEAST_COLUMNS, MOST_COLUMNS = 20, 120
CONTROLS = re.compile(r"[\0-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")  # but tabs and ends of lines
BREAKS = re.compile("[\t\n\u2028\u2029]")
ESCAPED = re.compile("[\x7f-\x9f\ud800-\udfff]")  # in JSON, beside what json escapes
# What we draw with, for a terminal that cannot; anything else is a question mark there.
PLAIN = dict(zip("→…–—─»×“”‘’", ["->", "...", "-", "-", "-", ">", "x", '"', '"', "'", "'"], strict=True))


class Styled(str):
    """Text with our own escape sequences in it, and no others."""


def printable(text: str) -> str:
    r"""The text with every control character but tabs and ends of lines as a picture of it.

    So is a byte in a file's name that is no UTF-8: it stands there as a lone surrogate (PEP 383).

    >>> printable("a\x1b[2Jb\r\nc\x9b"), printable("bad\udcff.txt")
    ('a␛[2Jb\nc�', 'bad\\xff.txt')
    """
    return CONTROLS.sub(_picture, text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    r"""The same with ends of lines and tabs as pictures too, of what stands among other things, such as a name.

    >>> one_line("new\nline.txt")
    'new␊line.txt'
    """
    return BREAKS.sub(_picture, printable(text))


def name_of(path: str) -> str:
    """A path as people are shown it: without the folder that we are in, on one line."""
    from searcher.system import shown  # which the help need not wait for

    return one_line(shown(path))


def _picture(control: re.Match[str]) -> str:
    code = ord(control[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return "\N{SYMBOL FOR DELETE}" if code == 0x7F else "\N{REPLACEMENT CHARACTER}"


def bold(text: str) -> Styled:
    """The text in bold, on a terminal."""
    return Styled(click.style(printable(text), bold=True))


def dim(text: str) -> Styled:
    """The text in a paler colour, on a terminal."""
    return Styled(click.style(printable(text), dim=True))


def link(text: Styled, path: str) -> Styled:
    """The text as a link to a file that a terminal can open (OSC 8); as it is anywhere else."""
    if not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        return text
    from pathlib import Path  # which the help need not wait for

    if not Path(path).is_absolute():
        return text
    return Styled(f"\x1b]8;;{Path(path).as_uri()}\x1b\\{text}\x1b]8;;\x1b\\")


def echo(*parts: object, err: bool = False) -> None:
    """A line of parts, each printable or styled by us."""
    click.echo("".join(part if isinstance(part, Styled) else printable(str(part)) for part in parts), err=err)


def write(text: str) -> None:
    """A text as it is into a file or pipe, printable on a terminal."""
    sys.stdout.write((printable(text) if sys.stdout.isatty() else text) + "\n")


def show_rows(rows: Iterable[Iterable[Any]]) -> None:
    """Rows of CSV (RFC 4180, but for its line ends), printable on a terminal."""
    import csv

    lines = []
    for row in rows:
        line = io.StringIO()
        csv.writer(line).writerow(row)  # a carriage return ends a row too, and is quoted only by who ends them with one
        lines.append(line.getvalue().removesuffix("\r\n"))
    if lines:
        write("\n".join(lines))


def show_json(value: Any) -> None:
    """One JSON value on one line, in ASCII where the encoding of stdout is not UTF-8."""
    import json

    line = json.dumps(value, ensure_ascii=not _is_utf8(sys.stdout))
    click.echo(ESCAPED.sub(lambda sign: f"\\u{ord(sign[0]):04x}", line))


# -- width


def columns() -> int:
    """How many columns a line may take."""
    return max(LEAST_COLUMNS, min(shutil.get_terminal_size().columns, MOST_COLUMNS))


def width_of(text: str) -> int:
    """How many columns a text takes: two for a wide character, none for one that is set on another (UAX #11)."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text
    )


def fitted(text: str, width: int) -> str:
    """As much of a line of text as so many columns hold, with an ellipsis where something is left out."""
    if width_of(text) <= width:
        return text
    if width < 1:
        return ""
    taken, used = [], 1
    for sign in text:
        used += width_of(sign)
        if used > width:
            break
        taken.append(sign)
    return "".join(taken).rstrip() + "…"


# -- the streams


def open_streams() -> None:
    """See to it that there are streams to write to, and that no character is too much for them."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:  # closed by whoever started us: the next file that is opened must not take its place
            os.open(os.devnull, os.O_RDWR)
    codecs.register_error("searcher", _replaced)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - for as long as we run
        elif not _is_utf8(stream) and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="searcher")


def _is_utf8(stream: Any) -> bool:
    return str(getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "") in ("utf8", "utf8sig")


def _replaced(fault: UnicodeError) -> tuple[str, int]:
    if not isinstance(fault, UnicodeEncodeError):
        raise fault
    return "".join(PLAIN.get(sign, "?") for sign in fault.object[fault.start : fault.end]), fault.end


def stdin() -> BinaryIO:
    """The bytes of stdin. click.ClickException where it is closed."""
    if sys.stdin is None:
        raise click.ClickException("stdin is closed; there is nothing to read")
    return sys.stdin.buffer
