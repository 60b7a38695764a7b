"""Fields of Word that draw a formula, a reading or a sign in a circle (EQ), as one line; they keep no text of it.

After the switches that Microsoft's page on the EQ field lists, in the linear form of `linear.py`.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from searcher.readers.linear import held, raised

__all__ = ["drawn"]

FIELD = re.compile(r"\s*EQ(?![a-z])", re.IGNORECASE)
FORMAT = re.compile(r'\\\*\s*(?:"[^"]*"|[^\s\\]+)\s*')  # how it looks
COMMAND = re.compile(r"\\([a-z])(?![a-z])\s*", re.IGNORECASE)
OPTION = re.compile(r"\\(?:([lrbf]c)\s*\\?(\S)|([a-z]{2})\s*(-?\d*))\s*", re.IGNORECASE)
SEPARATORS = ",;"
ROUND = frozenset("○〇◯□△◇")  # drawn around a sign
DEEPEST = 40
Options = dict[str, str]


def drawn(code: str) -> str:
    r"""What the code of a field draws; nothing where it is another kind of field.

    >>> drawn(r" EQ \f(a+b;2) "), drawn(r"EQ \o\ad(\s\up 9(kan),漢)"), drawn("DATE")
    ('(a+b)/2', '漢', '')
    """
    begun = FIELD.match(code)
    return " ".join(_joined(_Code(code, begun.end()).pieces(0)).split()) if begun else ""


class Piece(NamedTuple):
    """A part of a line; separates: it is a comma or a semicolon that no backslash makes a sign."""

    text: str
    separates: bool = False


def _joined(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


class _Code:
    """A code, and how far it is read."""

    def __init__(self, code: str, at: int) -> None:
        self.code, self.at = code, at

    def pieces(self, depth: int) -> list[Piece]:
        """What stands up to the bracket that closes it."""
        found: list[Piece] = []
        while self.at < len(self.code):
            sign = self.code[self.at]
            if form := FORMAT.match(self.code, self.at):
                self.at = form.end()
            elif (command := COMMAND.match(self.code, self.at)) and depth < DEEPEST:
                self.at = command.end()
                found.append(Piece(self._command(command[1].lower(), depth)))
            elif sign == "\\":
                found.append(Piece(self.code[self.at + 1 : self.at + 2]))
                self.at += 2
            else:
                self.at += 1
                if sign == ")" and depth:
                    break
                within = sign == "(" and depth < DEEPEST
                found.append(Piece(f"({_joined(self.pieces(depth + 1))})" if within else sign, sign in SEPARATORS))
        return found

    def _command(self, name: str, depth: int) -> str:
        """What one draws of its arguments."""
        options: Options = {}
        while option := OPTION.match(self.code, self.at):
            options[(option[1] or option[3]).lower()] = option[2] or option[4] or ""
            self.at = option.end()
        if self.code[self.at : self.at + 1] != "(":
            return ""
        self.at += 1
        inner = self.pieces(depth + 1)
        # The separator is that of the machine on which it was written; where that is a semicolon, a comma is a sign.
        separator = Piece(";" if Piece(";", True) in inner else ",", True)
        arguments = [""]
        for piece in inner:
            if piece == separator:
                arguments.append("")
            else:
                arguments[-1] += piece.text
        arguments = [each.strip() for each in arguments]
        return FORMS[name](options, arguments) if name in FORMS else " ".join(arguments)


def _script(options: Options, parts: list[str]) -> str:
    return raised("", parts[0]) if "do" not in options else raised(parts[0], "")


def _over(options: Options, parts: list[str]) -> str:
    """Signs on one another; a reading above them goes, as those of other documents of Word do."""
    bases = [part for part in parts if not part.startswith(("^", "_"))] or parts
    return f"({''.join(bases[1:])})" if bases[0] in ROUND and len(bases) > 1 else "".join(bases)


def _integral(options: Options, parts: list[str]) -> str:
    low, high, *rest = [*parts, "", ""]
    sign = "∑" if "su" in options else "∏" if "pr" in options else options.get("fc") or options.get("vc") or "∫"
    return f"{sign}{raised(low, high)} {''.join(rest)}".rstrip()


def _bracketed(options: Options, parts: list[str]) -> str:
    left = options.get("lc") or options.get("bc") or ("" if "rc" in options else "(")
    closing = {"(": ")", "[": "]", "{": "}", "<": ">"}
    right = options.get("rc") or ("" if "lc" in options else closing.get(left, left))
    return f"{left}{','.join(parts)}{right}"


FORMS: dict[str, Callable[[Options, list[str]], str]] = {
    "a": lambda _, parts: ", ".join(parts),
    "b": _bracketed,
    "d": lambda _, parts: " ",
    "f": lambda _, parts: "/".join(map(held, parts)),
    "i": _integral,
    "l": lambda _, parts: ",".join(parts),
    "o": _over,
    "r": lambda _, parts: f"{parts[0] if len(parts) > 1 else ''}√{held(parts[-1])}",
    "s": _script,
}
