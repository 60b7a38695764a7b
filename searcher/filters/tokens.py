"""The text of a filter as tokens, taken one after the other: words, signs, values; what is wrong, and where."""

import math
import re
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from searcher.errors import FilterError
from searcher.filters.values import UNSTORABLE, Path, Value, in_range

__all__ = ["Tokens", "written"]

SHOWN = 300  # characters of a filter that an error shows

T = TypeVar("T")
KEYWORDS = frozenset({"and", "or", "not", "in", "like", "is", "null", "true", "false"})
NUMBER = r"[+-]?[0-9]++ (?:\.[0-9]++)?+ (?:[eE][+-]?[0-9]++)?+"
TOKEN = re.compile(
    rf"""\s*+ (?:
      (?P<number> {NUMBER} (?![\w.-]) )
    | (?P<quoted> '(?:[^']|'')*+' | "(?:[^"]|"")*+" | `(?:[^`]|``)*+` )
    | (?P<sign> == | != | <> | <= | >= | [=<>(),.] )
    | (?P<word> [^\s'"`()<>=!,.]++ )
    | (?P<end> \Z )
    | (?P<stray> . ) )""",
    re.VERBOSE,
)
ITEM = re.compile(rf"""\s*+ (?: ( {NUMBER} ) | ( '(?:[^']|'')*+' | "(?:[^"]|"")*+" ) ) \s*+ ,""", re.VERBOSE)
OPENING = re.compile(r"\s*+\(")


class Token(NamedTuple):
    """A word, a sign or a value."""

    kind: str  # a group of TOKEN, or keyword
    text: str  # a keyword in lower case; a quoted string with its marks, so that it equals no keyword or sign
    start: int  # counts from 0


class Tokens:
    """The tokens of a text; `token` is the next one, not yet taken. FilterError for what is none."""

    def __init__(self, where: str) -> None:
        self.where, self.end = where, 0
        if stray := UNSTORABLE.search(where):
            raise self.error("a filter holds neither NUL nor lone surrogates", stray.start())
        self.token = self._read()

    def _read(self) -> Token:
        match = TOKEN.match(self.where, self.end)
        assert match and match.lastgroup  # the groups leave nothing over
        kind, text, start = match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)
        self.end = match.end()
        if kind == "stray":
            raise self.error("expected = after !" if text == "!" else f"the closing {text} is missing", start)
        if kind == "word" and text.lower() in KEYWORDS:
            return Token("keyword", text.lower(), start)
        if kind == "word" and not _is_word(text):
            raise self.error(f"cannot read {text!r:.60}; strings stand in '…', keys with such signs in \"…\"", start)
        return Token(kind, text, start)

    # -- what is wrong

    def error(self, problem: str, start: int) -> FilterError:
        """What is wrong with the text at a place, which counts from 0; a long text is shown around it."""
        where = self.where
        if len(where) > SHOWN:
            first, last = max(0, start - SHOWN // 4), start + SHOWN // 4
            where = "…" * (first > 0) + where[first:last] + "…" * (last < len(where))
        return FilterError(problem, where, start + 1)

    def expected(self, what: str) -> FilterError:
        """The next token is something else."""
        found = " ".join(self.where[self.token.start : self.end].split()) or "the end"
        return self.error(f"expected {what}, found {found:.60}", self.token.start)

    # -- tokens

    def take(self) -> str:
        """The text of the next token, which is behind us then."""
        text, self.token = self.token.text, self._read()
        return text

    def accept(self, *texts: str) -> bool:
        """Take the next token if it is one of these keywords or signs."""
        return self.token.text in texts and bool(self.take())

    def word(self) -> str:
        """The next token in lower case if it is a word or a keyword."""
        return self.token.text.lower() if self.token.kind in ("word", "keyword") else ""

    def function(self, *names: str) -> str:
        """Which of these names is next and has a bracket behind it; both are taken then."""
        name = self.word()
        if name not in names or not OPENING.match(self.where, self.end):
            return ""
        self.take()
        self.take()
        return name

    def chain(self, rule: Callable[[], T], separator: str) -> tuple[T, ...]:
        """What the rule reads, once and again after each separator."""
        parts = [rule()]
        while self.accept(separator):
            parts.append(rule())
        return tuple(parts)

    # -- values

    def value(self) -> Value:
        """Take a string, a number, true or false."""
        if self.token.kind == "number":
            number = self._number(self.token.text, self.token.start)
            self.take()
            return number
        if self.token.text in ("true", "false"):
            return self.take() == "true"
        if self.token.text == "null":
            raise self.error("nothing compares with null; write is null or is not null", self.token.start)
        if self.token.kind == "word":
            raise self.expected(f"a value (a string stands in quotes: '{self.token.text:.60}')")
        return self.quoted("'\"", "a value")

    def values(self) -> tuple[Value, ...]:
        """Take a list in brackets, which may be empty."""
        if not self.accept("("):
            raise self.expected("( and a list of values")
        if self.accept(")"):
            return ()
        values: list[Value] = []
        while True:
            self._items(values)
            values.append(self.value())
            if not self.accept(","):
                break
        if not self.accept(")"):
            raise self.expected(", or )")
        return tuple(values)

    def _items(self, values: list[Value]) -> None:
        """Take numbers and strings with a comma behind them, as many as there are: token by token a list takes long."""
        at = self.token.start
        while item := ITEM.match(self.where, at):
            number, text = item.groups()
            values.append(self._number(number, item.start(1)) if number else _bare(text))
            at = item.end()
        if at > self.token.start:
            self.end = at
            self.token = self._read()

    def _number(self, text: str, start: int) -> int | float:
        try:
            number = int(text) if text.lstrip("+-").isdigit() else float(text)
        except ValueError:  # more digits than Python reads as an int
            number = math.inf
        if not in_range(number):
            raise self.error("the number is beyond 64 bits", start)
        return number

    def quoted(self, marks: str, what: str) -> str:
        """Take a string in one of these marks."""
        if self.token.kind != "quoted" or self.token.text[0] not in marks:
            raise self.expected(what)
        return _bare(self.take())


def written(path: Path) -> str:
    """A key as the language has it.

    >>> written(("author", "first-name")), written(("my key",)), written(("in", "2020"))
    ('author.first-name', '"my key"', '"in"."2020"')
    """
    return ".".join(part if _is_key(part) else '"' + part.replace('"', '""') + '"' for part in path)


def _is_key(text: str) -> bool:
    match = TOKEN.fullmatch(text)
    return bool(match and match.lastgroup == "word" and text.lower() not in KEYWORDS and _is_word(text))


def _is_word(text: str) -> bool:
    return f"_{text.replace('-', '_')}".isidentifier()


def _bare(text: str) -> str:
    """What stands between the marks."""
    return text[1:-1].replace(text[0] * 2, text[0])
