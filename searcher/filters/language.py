r"""The `where` language: text or a dict → a small tree, which each engine compiles to its own dialect.

    lang = 'en' and (year >= 2020 or not author.name like 'Ad%')

    filter = every { "or" every }
    every  = factor { "and" factor }
    factor = "not" factor | "(" filter ")" | test
    test   = key order value | value order key              2020 <= year reads year >= 2020
           | key [ "not" ] "in" "(" value { "," value } ")"
           | key [ "not" ] "like" string
           | key "is" [ "not" ] "null"
    order  = "=" | "==" | "!=" | "<>" | "<" | "<=" | ">" | ">="
    value  = string | number | "true" | "false"
    string = "'" … "'" | '"' … '"'                          a mark within is doubled: 'it''s'
    number = [ "+" | "-" ] digits [ "." digits ] [ "e" [ "+" | "-" ] digits ]
    key    = part { "." part }                              author.name looks into {"author": {"name": …}}
    part   = word | '"' … '"' | "`" … "`"                   quoted: anything, dots included
    word   = letters, digits, "_" and "-" of any script, but neither a number nor a keyword

Keywords are read in any case.  Double quotes hold a key where a test begins and a string where a value is due.
In `like`, % stands for any text and _ for one character, a backslash takes the next character literally (so \\ is
one backslash), and only the letters A-Z match in both cases.

Unlike types never match: numbers are compared with numbers, strings with strings (by code point), booleans with
booleans (=, != and in only).  A key that is missing, null, a list or an object matches no comparison, nor !=,
`not in` and `not like`, which ask for a value of like type that differs.  `is null` holds for missing and null.
A test is true or false, never unknown; `not` before it is the plain complement: `not lang = 'en'` finds
documents without a lang, `lang != 'en'` does not.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, TypeVar

from searcher.errors import BadValue, FilterError, UnknownName
from searcher.records import plain

__all__ = [
    "And",
    "Compare",
    "Filter",
    "Holds",
    "In",
    "IsNull",
    "Like",
    "Named",
    "Not",
    "Or",
    "Value",
    "check_keys",
    "in_metadata",
    "keys",
    "parse",
]

MAX_LENGTH = 10_000  # characters of a text, keys and values of a dict; SQLite takes 32,766 parameters, 3 for each
MAX_DEPTH = 50  # brackets and nots within each other
MAX_VALUES = 1_000  # of one list

Path: TypeAlias = tuple[str, ...]
Value: TypeAlias = str | int | float | bool
T = TypeVar("T")


@dataclass(frozen=True)
class Compare:
    """A value of like type stands so to ours; `operator` is = != < <= > or >=."""

    path: Path
    operator: str
    value: Value


@dataclass(frozen=True)
class In:
    """The value is one of ours; negated: it is of the type of one of ours, and equal to none."""

    path: Path
    values: tuple[Value, ...]
    negated: bool = False


@dataclass(frozen=True)
class Like:
    """The value is a string that matches the pattern; negated: a string that does not."""

    path: Path
    pattern: str
    negated: bool = False


@dataclass(frozen=True)
class IsNull:
    """The key is missing or null."""

    path: Path


@dataclass(frozen=True)
class Holds:
    """The passage holds these words, one after the other, as the keyword index spells them; no text says this node."""

    phrase: str


@dataclass(frozen=True)
class Named:
    """The path of the file, or else the source, is matched by a regular expression; no text says this node."""

    regex: str


@dataclass(frozen=True)
class And:
    """All of the parts hold."""

    parts: tuple["Filter", ...]


@dataclass(frozen=True)
class Or:
    """At least one of the parts holds."""

    parts: tuple["Filter", ...]


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: "Filter"


Filter: TypeAlias = Compare | In | Like | IsNull | Holds | Named | And | Or | Not


def parse(where: str | Mapping[str, Any]) -> Filter:
    """The tree of a filter, given in the language above or as a dict of equalities that must all hold.

    In a dict, dots in a key separate its parts, a list means `in` (an empty one matches nothing) and None `is null`:
    {"lang": "en", "author.id": [1, 2], "draft": None}.  FilterError: what is wrong and where; BadValue: a wrong dict.
    """
    if isinstance(where, str):
        return _Parser(where).parse()
    if not isinstance(where, Mapping):
        raise BadValue(f"a filter is text or a dict, not {type(where).__name__}")
    if not where:
        raise FilterError(_EMPTY, "{}", 1)
    if len(where) + sum(len(value) for value in where.values() if isinstance(value, list | tuple)) > MAX_LENGTH:
        raise BadValue(f"a filter holds at most {MAX_LENGTH:,} keys and values")
    parts = tuple(_equality(key, value) for key, value in where.items())
    return parts[0] if len(parts) == 1 else And(parts)


def keys(tree: Filter) -> set[str]:
    """The names that must be known: the first part of each path, after `metadata.` where that is written."""
    match tree:
        case And(parts) | Or(parts):
            return set().union(*map(keys, parts))
        case Not(part):
            return keys(part)
        case Holds() | Named():
            return set()
    return {in_metadata(tree.path)[0]}


def check_keys(tree: Filter, known: Iterable[str]) -> None:
    """Raise UnknownName for a key that is not among the known ones, naming those."""
    known = set(known)
    for key in sorted(keys(tree) - known):
        raise UnknownName("filter key", key, known)


def in_metadata(path: Path) -> Path:
    """A path without the `metadata.` that may be written before it."""
    return path[1:] if len(path) > 1 and path[0] == "metadata" else path


def _equality(key: str, value: object) -> Filter:
    if not isinstance(key, str) or _UNSTORABLE.search(key):
        raise BadValue(f"filter key {key!r}: a key is text without NUL and lone surrogates")
    path, value = tuple(key.split(".")), plain(value)
    if value is None:
        return IsNull(path)
    if isinstance(value, set | frozenset):
        value = sorted(value, key=repr)  # one filter, whatever the order of a set is in this run
    if not isinstance(value, list | tuple):
        return Compare(path, "=", _checked(key, value))
    if len(value) > MAX_VALUES:
        raise BadValue(f"filter key {key!r}: a list holds at most {MAX_VALUES:,} values, not {len(value):,}")
    among = In(path, tuple(_checked(key, each) for each in value if each is not None))
    return among if len(among.values) == len(value) else Or((among, IsNull(path)))


def _checked(key: str, value: object) -> Value:
    good = "good are text without NUL, finite numbers of 64 bits, booleans, None and lists of these"
    value = plain(value)
    if isinstance(value, str | int | float):
        if _fits(value) if isinstance(value, int | float) else not _UNSTORABLE.search(value):
            return value
        shown = "an int" if isinstance(value, int) else f"{value!r:.60}"  # no digits: Python refuses to print 4,301
        raise BadValue(f"filter key {key!r}: {shown} is out of range; {good}")
    advice = " (write other comparisons as text: \"year >= 2020 and lang != 'en'\")" if isinstance(value, dict) else ""
    raise BadValue(f"filter key {key!r}: cannot compare with a {type(value).__name__}; {good}{advice}")


def _fits(number: float) -> bool:
    return -(2**63) <= number < 2**63 if isinstance(number, int) else math.isfinite(number)


_EMPTY = "the filter is empty; leave it out to search everything"
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # SQLite's JSON ends a string at NUL, UTF-8 has no surrogates
_ORDERS = {"=": "=", "==": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_FLIPPED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_KEYWORDS = frozenset({"and", "or", "not", "in", "like", "is", "null", "true", "false"})
_TOKEN = re.compile(
    r"""\s*+ (?:
      (?P<number> [+-]?[0-9]++ (?:\.[0-9]++)?+ (?:[eE][+-]?[0-9]++)?+ (?![\w.-]) )
    | (?P<quoted> '(?:[^']|'')*+' | "(?:[^"]|"")*+" | `(?:[^`]|``)*+` )
    | (?P<sign> == | != | <> | <= | >= | [=<>(),.] )
    | (?P<word> [^\s'"`()<>=!,.]++ )
    | (?P<end> \Z )
    | (?P<stray> . ) )""",
    re.VERBOSE,
)


class _Token(NamedTuple):
    kind: str  # a group of _TOKEN, or keyword
    text: str  # a keyword in lower case; a quoted string with its marks, so that it equals no keyword or sign
    start: int  # counts from 0


class _Parser:
    """Recursive descent: a method for each rule of the grammar; `token` is the next one, not yet taken."""

    def __init__(self, where: str) -> None:
        if len(where) > MAX_LENGTH:
            problem = f"a filter has at most {MAX_LENGTH:,} characters, not {len(where):,}"
            raise FilterError(problem, where[:40] + "…", MAX_LENGTH + 1)
        if stray := _UNSTORABLE.search(where):
            raise FilterError("a filter holds neither NUL nor lone surrogates", where, stray.start() + 1)
        self.where, self.depth, self.end = where, 0, 0
        self.token = self.read()

    def read(self) -> _Token:
        match = _TOKEN.match(self.where, self.end)
        assert match and match.lastgroup  # the groups leave nothing over
        kind, text, start = match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)
        self.end = match.end()
        if kind == "stray":
            raise self.error("expected = after !" if text == "!" else f"the closing {text} is missing", start)
        if kind == "word" and text.lower() in _KEYWORDS:
            return _Token("keyword", text.lower(), start)
        if kind == "word" and not f"_{text.replace('-', '_')}".isidentifier():
            raise self.error(f"cannot read {text!r}; strings stand in '…', keys with such signs in \"…\"", start)
        return _Token(kind, text, start)

    def error(self, problem: str, start: int) -> FilterError:
        return FilterError(problem, self.where, start + 1)

    def expected(self, what: str) -> FilterError:
        found = " ".join(self.where[self.token.start : self.end].split()) or "the end"
        return self.error(f"expected {what}, found {found}", self.token.start)

    def take(self) -> str:
        text, self.token = self.token.text, self.read()
        return text

    def chain(self, rule: Callable[[], T], separator: str) -> tuple[T, ...]:
        """What the rule reads, once and again after each separator."""
        parts = [rule()]
        while self.accept(separator):
            parts.append(rule())
        return tuple(parts)

    def accept(self, *texts: str) -> bool:
        """Take the token if it is one of these keywords or signs."""
        return self.token.text in texts and bool(self.take())

    def parse(self) -> Filter:
        if self.token.kind == "end":
            raise self.error(_EMPTY, 0)
        tree = self.filter()
        if self.token.kind != "end":
            raise self.expected("and, or or the end")
        return tree

    def filter(self) -> Filter:
        parts = self.chain(self.every, "or")
        return parts[0] if len(parts) == 1 else Or(parts)

    def every(self) -> Filter:
        parts = self.chain(self.factor, "and")
        return parts[0] if len(parts) == 1 else And(parts)

    def factor(self) -> Filter:
        if self.token.text not in ("not", "("):
            return self.test()
        if self.depth == MAX_DEPTH:
            raise self.error(f"brackets and nots go at most {MAX_DEPTH} deep", self.token.start)
        self.depth += 1
        opening = self.take()
        tree = Not(self.factor()) if opening == "not" else self.filter()
        if opening == "(" and not self.accept(")"):
            raise self.expected("and, or or )")
        self.depth -= 1
        return tree

    def test(self) -> Filter:
        if self.token.kind == "number" or self.token.text in ("true", "false", "null") or self.token.text[:1] == "'":
            value, start = self.value(), self.token.start
            order = _FLIPPED[self.order()]
            return self.compare(self.key("a key to the right of the value"), order, value, start)
        path = self.key("a key, not or (")
        if self.token.text in _ORDERS:
            start, order = self.token.start, self.order()
            return self.compare(path, order, self.value(), start)
        if self.accept("is"):
            negated = self.accept("not")
            if not self.accept("null"):
                raise self.expected("null" if negated else "null or not null")
            return Not(IsNull(path)) if negated else IsNull(path)
        negated = self.accept("not")
        if self.accept("in"):
            return In(path, self.values(), negated)
        if self.accept("like"):
            return Like(path, self.quoted("'\"", "a string"), negated)
        raise self.expected("in or like" if negated else "= != < <= > >=, in, like, is or not")

    def compare(self, path: Path, order: str, value: Value, start: int) -> Compare:
        if isinstance(value, bool) and order not in ("=", "!="):
            raise self.error("true and false have no order; compare them by = or !=", start)
        return Compare(path, order, value)

    def order(self) -> str:
        if self.token.text not in _ORDERS:
            raise self.expected("= != < <= > or >=")
        return _ORDERS[self.take()]

    def key(self, what: str) -> Path:
        return self.chain(lambda: self.take() if self.token.kind == "word" else self.quoted('"`', what), ".")

    def values(self) -> tuple[Value, ...]:
        start = self.token.start
        if not self.accept("("):
            raise self.expected("( and a list of values")
        values = self.chain(self.value, ",")
        if not self.accept(")"):
            raise self.expected(", or )")
        if len(values) > MAX_VALUES:
            raise self.error(f"a list holds at most {MAX_VALUES:,} values, not {len(values):,}", start)
        return values

    def value(self) -> Value:
        if self.token.kind == "number":
            return self.number()
        if self.token.text in ("true", "false"):
            return self.take() == "true"
        if self.token.text == "null":
            raise self.error("nothing compares with null; write is null or is not null", self.token.start)
        if self.token.kind == "word":
            raise self.expected(f"a value (a string stands in quotes: '{self.token.text}')")
        return self.quoted("'\"", "a value")

    def number(self) -> int | float:
        text, start = self.token.text, self.token.start
        try:
            number = int(text) if text.lstrip("+-").isdigit() else float(text)
        except ValueError:  # more digits than Python reads as an int
            number = math.inf
        if not _fits(number):
            raise self.error("the number is beyond 64 bits", start)
        self.take()
        return number

    def quoted(self, marks: str, what: str) -> str:
        if self.token.kind != "quoted" or self.token.text[0] not in marks:
            raise self.expected(what)
        text = self.take()
        return text[1:-1].replace(text[0] * 2, text[0])
