r"""The `where` language: text → a tree, which each engine compiles to its own dialect.

    lang = 'en' and (year >= 2020 or not author.name like 'Ad%') and 'work' in tags

    filter  = every { "or" every }
    every   = factor { "and" factor }
    factor  = "not" factor | "(" filter ")" | test
    test    = subject order value | value order subject     2020 <= year reads year >= 2020
            | subject [ "not" ] "in" list
            | subject [ "not" ] "like" string
            | subject [ "not" ] ( "contains" | "icontains" ) value
            | value [ "not" ] "in" key                      'work' in tags reads tags = 'work', not in !=
            | key ( "any" | "all" ) list                    it has one of these, all of these
            | key "is" [ "not" ] ( "null" | "empty" )
    subject = key | moment | ( "any" | "all" ) "(" ( key | moment ) ")"
    moment  = "date" "(" key ")"                            compared by an order with a string that is a moment
    order   = "=" | "==" | "!=" | "<>" | "<" | "<=" | ">" | ">="
    list    = "(" [ value { "," value } ] ")"
    value   = string | number | "true" | "false"
    string  = "'" … "'" | '"' … '"'                         a mark within is doubled: 'it''s'
    number  = [ "+" | "-" ] digits [ "." digits ] [ "e" [ "+" | "-" ] digits ]
    key     = part { "." part }                             author.name looks into {"author": {"name": …}}
    part    = word | '"' … '"' | "`" … "`"                  quoted: anything, dots included
    word    = letters, digits, "_" and "-" of any script, but neither a number nor a keyword

Keywords are and, or, not, in, like, is, null, true, false, in any case. The other words of the language are keys
where a key is due: date(date) speaks of the key date. Double quotes hold a key where a test begins and a string where
a value is due. `metadata.` before a key says that it is one of metadata, where a column has its name: metadata.title.
In `like`, % stands for any text and _ for one character, a backslash takes the next character literally (so \\ is one
backslash), and only the letters A-Z match in both cases.

Types. Unlike types never match: numbers are compared with numbers, strings with strings (by code point), booleans
with booleans (=, != and in only). A key that is missing, null or an object matches no comparison, nor !=, `not in`,
`not like` and `not contains`, which ask for a value of like type that differs. `is null` holds for missing and null,
`is empty` for '', [] and {} too. A test is true or false, never unknown; `not` before it is the plain complement:
`not lang = 'en'` finds documents without a lang, `lang != 'en'` does not. `in ()` holds for nothing, `not in ()` and
`all ()` for whatever has a string, number or boolean.

Lists. A test of a list holds if it does for any element, those of lists within it too; behind a list of objects stand
those of each: authors.name = 'Ada' finds {"authors": [{"name": "Ada"}, …]}. A negated one (!=, `not in`, `not like`,
`not contains`) holds if there is an element of like type and none that passes the test without the negation. For who
excludes a tag wants no document that has it, as $ne and $nin of MongoDB and not_contains of Chroma have it, while
nearly every list has some element that differs. (Frameworks whose "not equal" finds documents without the key, as
LangChain's, LlamaIndex's and Haystack's do, mean `not tags = 'work'`.)  any(…) and all(…) put the test, negated or
not, to each element by itself: any(tags) != 'work' if one differs; all(scores) > 5 if there is a score and each is
greater. `contains` looks for a part of a string, by code points, and where there is a list for an element that is
equal; `icontains` is the same without case (Unicode's case folding). For part of an element: any(tags) contains
'wor'.

Moments. date(key) is the moment in time that a string stands for, in any form of ISO 8601 that Python's
`datetime.fromisoformat` reads, to the microsecond: date(sent) >= '2026-01-31T10:00+02:00'. Without a zone it is UTC,
without a time the first moment of the day, so that all of a day is date(sent) >= '2026-01-31' and date(sent) <
'2026-02-01'. Strings that are no moment, and numbers, match nothing.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from searcher.filters.tokens import Tokens
from searcher.filters.tree import (
    And,
    Compare,
    Contains,
    Every,
    Filter,
    In,
    IsEmpty,
    IsNull,
    Like,
    Moment,
    Not,
    Or,
    Some,
    Test,
)
from searcher.filters.values import Path, Value, moment_of

__all__ = ["EMPTY", "MAX_DEPTH", "MAX_PATTERN", "MAX_TESTS", "ORDERS", "read"]

MAX_DEPTH = 50  # brackets and nots within each other
MAX_TESTS = 10_000  # of a filter; of values in a list there may be any number
MAX_PATTERN = 10_000  # characters of a pattern of `like`: SQLite takes 50,000 bytes
EMPTY = "the filter is empty; leave it out to search everything"
NO_MOMENT = "is no moment in time; write one as ISO 8601 does: '2026-01-31', '2026-01-31T10:00+02:00'"
ORDERS = {"=": "=", "==": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
FLIPPED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
QUANTIFIERS: dict[str, Callable[[Test], Filter]] = {"any": Some, "all": Every}
NEGATABLE = ("in", "like", "contains", "icontains")
VERBS = (*NEGATABLE, "any", "all", "is")  # of a key; of its elements one by one only those that can be negated


def read(where: str) -> Filter:
    """The tree of a filter. FilterError: what is wrong with it, and where."""
    return _Parser(where).parse()


class Subject(NamedTuple):
    """What a test is about. string: what it may be as well, if it is a key in double quotes."""

    path: Path
    moment: bool = False
    quantifier: str = ""
    string: str | None = None

    def of(self, test: Test) -> Filter:
        """The test of it."""
        return QUANTIFIERS[self.quantifier](test) if self.quantifier else test


class _Parser(Tokens):
    """Recursive descent: a method for each rule of the grammar."""

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.depth = self.tests = 0
        self.verbs: dict[str, Callable[[Subject, bool], Filter]] = {
            "in": self.among, "like": self.like, "contains": partial(self.contains, False),
            "icontains": partial(self.contains, True), "any": self.one_of, "all": self.all_of, "is": self.nothing,
        }  # fmt: skip

    def parse(self) -> Filter:
        if self.token.kind == "end":
            raise self.error(EMPTY, 0)
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
        self.count(1)
        start = self.token.start
        if self.token.kind == "number" or self.token.text in ("true", "false", "null") or self.token.text[:1] == "'":
            return self.turned(self.value(), start)
        subject = self.subject("a key, not or (")
        if self.token.text in ORDERS or subject.moment:
            at, order, start = self.token.start, self.order("= != < <= > or >="), self.token.start
            return self.compared(subject, order, at, self.value(), start)
        negated = self.accept("not")
        verbs = NEGATABLE if negated or subject.quantifier else VERBS
        if (verb := self.word()) not in verbs:
            good = verbs if negated else ("= != < <= > >=", *verbs, "not")
            raise self.expected(f"{', '.join(good[:-1])} or {good[-1]}")
        self.take()
        return self.verbs[verb](subject, negated)

    def count(self, more: int) -> None:
        self.tests += more
        if self.tests > MAX_TESTS:
            raise self.error(f"a filter holds at most {MAX_TESTS:,} tests", self.token.start)

    def subject(self, what: str) -> Subject:
        quantifier, moment = self.function("any", "all"), bool(self.function("date"))
        first, path = self.token.text, self.key("a key" if quantifier or moment else what)
        for _ in range(bool(quantifier) + moment):
            if not self.accept(")"):
                raise self.expected(")")
        alone = first[:1] == '"' and len(path) == 1 and not (quantifier or moment)
        return Subject(path, moment, quantifier, path[0] if alone else None)

    def key(self, what: str) -> Path:
        return self.chain(lambda: self.take() if self.token.kind == "word" else self.quoted('"`', what), ".")

    def order(self, good: str) -> str:
        if self.token.text not in ORDERS:
            raise self.expected(good)
        return ORDERS[self.take()]

    def turned(self, value: Value, start: int) -> Filter:
        """A test that begins with its value."""
        negated = self.accept("not")
        if self.accept("in"):
            return self.within(value, negated)
        if negated:
            raise self.expected("in")
        at, order = self.token.start, self.order("= != < <= > >=, in or not in")
        return self.compared(self.subject("a key to the right of the value"), FLIPPED[order], at, value, start)

    def within(self, value: Value, negated: bool) -> Filter:
        return Compare(self.key("a key to the right of in"), "!=" if negated else "=", value)

    def compared(self, subject: Subject, order: str, at: int, value: Value, start: int) -> Filter:
        """at, start: where the order and the value stand."""
        if subject.moment:
            if (moment := moment_of(value) if isinstance(value, str) else None) is None:
                raise self.error(f"{value!r:.60} {NO_MOMENT}", start)
            return subject.of(Moment(subject.path, order, moment))
        if isinstance(value, bool) and order not in ("=", "!="):
            raise self.error("true and false have no order; compare them by = or !=", at)
        return subject.of(Compare(subject.path, order, value))

    # -- verbs, which are taken already

    def among(self, subject: Subject, negated: bool) -> Filter:
        if self.token.text != "(" and subject.string is not None:
            return self.within(subject.string, negated)
        return subject.of(In(subject.path, self.values(), negated))

    def one_of(self, subject: Subject, _: bool) -> Filter:
        return In(subject.path, self.values())

    def all_of(self, subject: Subject, _: bool) -> Filter:
        values = self.values()
        if not values:
            return In(subject.path, (), negated=True)
        self.count(len(values) - 1)
        parts = tuple(Compare(subject.path, "=", value) for value in values)
        return parts[0] if len(parts) == 1 else And(parts)

    def like(self, subject: Subject, negated: bool) -> Filter:
        start, pattern = self.token.start, self.quoted("'\"", "a string")
        if len(pattern) > MAX_PATTERN:
            raise self.error(f"a pattern has at most {MAX_PATTERN:,} characters, not {len(pattern):,}", start)
        return subject.of(Like(subject.path, pattern, negated))

    def contains(self, folded: bool, subject: Subject, negated: bool) -> Filter:
        return subject.of(Contains(subject.path, self.value(), folded, negated))

    def nothing(self, subject: Subject, _: bool) -> Filter:
        negated = self.accept("not")
        kinds: dict[str, Callable[[Path], Filter]] = {"null": IsNull, "empty": IsEmpty}
        if (word := self.word()) not in kinds:
            raise self.expected("null or empty" if negated else "null, empty or not")
        self.take()
        tree: Filter = kinds[word](subject.path)
        return Not(tree) if negated else tree
