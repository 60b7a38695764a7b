"""Lists, moments, parts of strings and emptiness: SQLite and a look at the values answer as a plain Python oracle does."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searcher.errors import BadValue, FilterError, UnknownName
from searcher.filters import (
    And,
    Compare,
    Contains,
    Every,
    Filter,
    Holds,
    In,
    IsEmpty,
    IsNull,
    Like,
    Moment,
    Named,
    Not,
    Or,
    Some,
    Unchecked,
    parse,
)
from searcher.filters.passing import lets_through
from searcher.plain import storable

COLUMNS = ["source", "title", "line"]


# The oracle: what a filter means, written apart from SQL and from the tree's own judgement of values.


def under(value: Any, path: tuple[str, ...]) -> list[Any]:
    """All that stands under a path: a list, and each of its elements."""
    if isinstance(value, list):
        inner = [found for each in value for found in under(each, path)]
        return inner if path else [value, *inner]
    if not path:
        return [value]
    return under(value[path[0]], path[1:]) if isinstance(value, dict) and path[0] in value else []


def looked_up(path: tuple[str, ...], document: dict[str, Any]) -> list[Any]:
    if len(path) == 1 and path[0] in COLUMNS:
        values = [document[path[0]]]
    elif len(path) == 1 and path[0] in document["place"]:
        values = [document["place"][path[0]]]
    else:
        values = under(document["metadata"], path[1:] if len(path) > 1 and path[0] == "metadata" else path)
    return [float(each) if isinstance(each, int) and abs(each) >= 2**63 else each for each in values]


def kind(value: Any) -> str:
    names = {bool: "boolean", str: "text", int: "number", float: "number"}
    return names.get(type(value), "none")


def like(pattern: str, text: str) -> bool:
    signs, expression = iter(pattern), ""
    for sign in signs:
        literal = next(signs, None) if sign == "\\" else sign
        if literal is None:
            return False
        if sign in "%_":
            expression += ".*" if sign == "%" else "."
        elif literal.isascii() and literal.isalpha():
            expression += f"[{literal.lower()}{literal.upper()}]"
        else:
            expression += re.escape(literal)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def moment(text: Any) -> datetime | None:
    try:
        read = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


ORDERS = {
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def verdicts(test: Any, values: list[Any]) -> tuple[list[Any], list[Any], bool]:
    """The values of a type that the test speaks of, those that pass it without its negation, and whether it has one."""
    negated = getattr(test, "negated", getattr(test, "operator", "") == "!=")
    order = ORDERS["=" if getattr(test, "operator", "!=") == "!=" else test.operator]
    if isinstance(test, Moment):
        alike = [each for each in values if moment(each) is not None]
        return alike, [each for each in alike if order(moment(each), test.moment)], negated
    if isinstance(test, Like):
        alike = [each for each in values if isinstance(each, str)]
        return alike, [each for each in alike if like(test.pattern, each)], negated
    if isinstance(test, In):
        kinds = {kind(each) for each in test.values} or {"text", "number", "boolean"}
        alike = [each for each in values if kind(each) in kinds]
        among = [each for each in alike if any(kind(one) == kind(each) and one == each for one in test.values)]
        return alike, among, negated
    alike = [each for each in values if kind(each) == kind(test.value)]
    if isinstance(test, Compare):
        return alike, [each for each in alike if order(each, test.value)], negated
    whole = kind(test.value) != "text" or any(isinstance(each, list) for each in values)
    fold = str.casefold if test.folded and kind(test.value) == "text" else lambda value: value
    part = fold(test.value)
    return alike, [each for each in alike if (part == fold(each) if whole else part in fold(each))], negated


def holds(tree: Filter, document: dict[str, Any]) -> bool:
    if isinstance(tree, And):
        return all(holds(part, document) for part in tree.parts)
    if isinstance(tree, Or):
        return any(holds(part, document) for part in tree.parts)
    if isinstance(tree, Not | Unchecked):
        return holds(tree.part, document) != isinstance(tree, Not)
    values = looked_up(tree.path, document)
    if isinstance(tree, IsNull):
        return all(each is None for each in values)
    if isinstance(tree, IsEmpty):
        return all(each is None or (not isinstance(each, bool | int | float) and len(each) == 0) for each in values)
    if isinstance(tree, Some | Every):
        single = [each for each in values if each is not None and not isinstance(each, list)]
        alone = []
        for each in single:
            alike, passing, negated = verdicts(tree.test, [each])
            alone.append(bool(alike) and bool(passing) != negated)
        return any(alone) if isinstance(tree, Some) else bool(alone) and all(alone)
    alike, passing, negated = verdicts(tree, values)
    return bool(alike) and not passing if negated else bool(passing)


# Trees, documents, and the way from a tree back to the language.

texts = st.text(st.sampled_from("aAbBßSıİſ%_\\'\" 世"), max_size=4)
zones = st.sampled_from([None, UTC, timezone(timedelta(hours=2)), timezone(timedelta(hours=-5, minutes=-30))])
datetimes = st.builds(
    lambda minute, second, zone: datetime(2026, 1, 31, 23, minute, second, tzinfo=zone),
    st.sampled_from([0, 30]),
    st.sampled_from([0, 1]),
    zones,
)
moments = datetimes.map(lambda time: time if time.tzinfo else time.replace(tzinfo=UTC))
dated = datetimes.map(datetime.isoformat) | st.sampled_from(["2026-01-31", "2026-02-01", "20260131T2300Z", "31.1.2026"])
integers = st.integers(-2, 2) | st.sampled_from([2**53 + 1, 2**63 - 1])
floats = st.integers(-4, 4).map(lambda n: n / 2) | st.sampled_from([-0.0, 9007199254740992.0, 0.1])
values = texts | integers | floats | st.booleans() | dated
parts = st.sampled_from(["a", "b", "tags", "title", "metadata", "", "page", "sheet"])
paths = st.lists(parts, min_size=1, max_size=3).map(tuple) | st.sampled_from([(name,) for name in COLUMNS])


def about(path: st.SearchStrategy[tuple[str, ...]], value: st.SearchStrategy[Any]) -> st.SearchStrategy[Filter]:
    """Tests of a key that may speak of a value."""
    orders, flags = st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), st.booleans()
    ordered = value.filter(lambda each: not isinstance(each, bool))
    one_by_one = (
        st.builds(Compare, path, orders, ordered)
        | st.builds(Compare, path, st.sampled_from(["=", "!="]), value)
        | st.builds(In, path, st.lists(value | values, max_size=3).map(tuple), flags)
        | st.builds(Like, path, value.filter(lambda each: isinstance(each, str)) | texts, flags)
        | st.builds(Contains, path, value, flags, flags)
        | st.builds(Moment, path, orders, moments)
    )
    return (
        one_by_one
        | st.builds(Some, one_by_one)
        | st.builds(Every, one_by_one)
        | st.builds(IsNull, path)
        | st.builds(IsEmpty, path)
    )


def composed(inner: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    several = st.lists(inner, max_size=3).map(tuple)
    return st.builds(And, several) | st.builds(Or, several) | st.builds(Not, inner) | st.builds(Unchecked, inner)


contents = st.recursive(
    values | st.none() | st.just(2**70),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(parts, inner, max_size=2),
    max_leaves=6,
)
documents = st.builds(
    lambda source, title, line, metadata, place: {
        "source": source, "title": title, "line": line, "metadata": metadata, "place": place,
    },
    texts,
    st.none() | texts | dated,
    st.none() | st.integers(-2, 2),
    st.dictionaries(parts, contents, max_size=3),
    st.fixed_dictionaries({}, optional={"page": st.integers(-2, 2), "sheet": texts | dated, "notes": st.booleans()}),
)  # fmt: skip


@st.composite
def filters_and_documents(draw: st.DrawFn) -> tuple[Filter, list[dict[str, Any]]]:
    """Documents, and a filter that often speaks of what is in them."""
    some = draw(st.lists(documents, min_size=1, max_size=4))
    present: list[tuple[tuple[str, ...], Any]] = [((name,), one[name]) for one in some for name in COLUMNS]

    def walk(path: tuple[str, ...], value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk((*path, key), inner)
        elif isinstance(value, list):
            for inner in value:
                walk(path, inner)
        if path:
            present.append((path, value))

    for one in some:
        walk((), one["metadata"])
        present += [((name,), value) for name, value in one["place"].items()]
    path, value = draw(st.sampled_from(present))
    if kind(value) == "none" or (isinstance(value, int) and abs(value) >= 2**63):
        value = draw(values)
    near = [value] if not isinstance(value, str) else [value, value.swapcase(), value[1:], f"%{value[1:]}"]
    test = about(st.just(path), st.sampled_from(near)) | about(paths, values)
    return draw(st.recursive(test, composed, max_leaves=4)), some


@settings(max_examples=200)
@given(case=filters_and_documents())
def test_sqlite_finds_what_the_oracle_finds_and_so_does_a_look_at_the_values(found: Any, case: Any) -> None:
    tree, some = case
    expected = [number for number, one in enumerate(some) if holds(tree, one)]
    assert found(tree, some) == expected
    columns = [{name: one[name] for name in COLUMNS} | one["place"] for one in some]
    assert [n for n, one in enumerate(some) if lets_through(tree, columns[n], one["metadata"])] == expected


def rendered(tree: Any) -> str:
    if isinstance(tree, And | Or):
        return (" and " if isinstance(tree, And) else " or ").join(f"({rendered(part)})" for part in tree.parts)
    if isinstance(tree, Not):
        return f"not ({rendered(tree.part)})"
    key = ".".join('"' + part.replace('"', '""') + '"' for part in tree.path)
    if isinstance(tree, IsNull | IsEmpty):
        return f"{key} is {'null' if isinstance(tree, IsNull) else 'empty'}"
    if isinstance(tree, Some | Every):
        test, key = tree.test, f"{'any' if isinstance(tree, Some) else 'ALL'} ( {{}} )"
        quoted = ".".join('"' + part.replace('"', '""') + '"' for part in tree.path)
        subject = f"date({quoted})" if isinstance(test, Moment) else quoted
        return said(key.format(subject), test)
    return said(f"Date({key})" if isinstance(tree, Moment) else key, tree)


def said(subject: str, test: Any) -> str:
    word = "not " * getattr(test, "negated", False)
    match test:
        case Compare(_, operator, value):
            return f"{subject} {operator} {literal(value)}"
        case Moment(_, operator, time):
            return f"{subject} {operator} '{time.isoformat()}'"
        case Like(_, pattern):
            return f"{subject} {word}like {literal(pattern)}"
        case Contains(_, value, folded):
            return f"{subject} {word}{'I' * folded}contains {literal(value)}"
    return f"{subject} {word}in ({', '.join(map(literal, test.values))})"


def literal(value: Any) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value).lower()


def in_text(tree: Filter) -> bool:
    """Whether the language can say it."""
    parts = getattr(tree, "parts", (tree.part,) if isinstance(tree, Not) else None)
    if isinstance(tree, Unchecked):
        return False
    return parts is None or (len(parts) > isinstance(tree, And | Or) and all(map(in_text, parts)))


@settings(max_examples=150)
@given(tree=st.recursive(about(paths, values), composed, max_leaves=4).filter(in_text))
def test_a_rendered_tree_reads_back_as_itself_and_a_tree_is_a_filter(tree: Filter) -> None:
    assert repr(parse(rendered(tree))) == repr(tree)  # repr, as 1 == 1.0 == True
    assert repr(parse(tree)) == repr(tree)


# Cases, said one by one.


def made(**metadata: Any) -> dict[str, Any]:
    return {"source": "a", "title": "Tags", "line": 1, "metadata": metadata, "place": {}}


NOTES = [
    made(tags=["work", "standup"], n=[1, 2], people=[{"name": "Ada"}, {"name": "Bob"}]),
    made(tags="work", n=2, people={"name": "Ada"}),
    made(tags=[], n=[], people=[]),
    made(tags=[["work"], 3], n=["2"], people=[{"name": ["Eve", "Ada"]}, {}]),
    made(tags=None, n=None),
    made(tags="", source="file", title="Note"),
    made(tags=["", None], n=[True, 2.5]),
    made(tags=["homework", "Straße"], n={}),
]


@pytest.mark.parametrize(
    ("where", "numbers"),
    [
        ("tags = 'work'", [0, 1, 3]),
        ("'work' in tags", [0, 1, 3]),
        ('"work" in tags', [0, 1, 3]),
        ("tags in ('work', 'x')", [0, 1, 3]),
        ("tags != 'work'", [5, 6, 7]),
        ("'work' not in tags", [5, 6, 7]),
        ("tags not in ('work', 3)", [5, 6, 7]),
        ("not tags = 'work'", [2, 4, 5, 6, 7]),
        ("not 'work' in tags", [2, 4, 5, 6, 7]),
        ("any(tags) != 'work'", [0, 5, 6, 7]),
        ("all(tags) = 'work'", [1]),
        ("all(tags) in ('work', 3)", [1, 3]),
        ("tags any ('standup', 'Straße')", [0, 7]),
        ("tags all ('standup', 'work')", [0]),
        ("tags all ('work', 3)", [3]),
        ("tags any ()", []),
        ("tags in ()", []),
        ("tags all ()", [0, 1, 3, 5, 6, 7]),
        ("tags not in ()", [0, 1, 3, 5, 6, 7]),
        ("tags like 'WOR%'", [0, 1, 3]),
        ("tags not like 'w%'", [5, 6, 7]),
        ("tags contains 'work'", [0, 1, 3]),
        ("tags contains 'or'", [1]),
        ("any(tags) contains 'work'", [0, 1, 3, 7]),
        ("tags not contains 'work'", [5, 6, 7]),
        ("tags icontains 'STRASSE'", [7]),
        ("any(tags) icontains 'TRASS'", [7]),
        ("tags icontains 'WORK'", [0, 1, 3]),
        ("any(tags) not contains 'o'", [0, 5, 6, 7]),
        ("all(tags) not icontains 'O'", [5, 6]),
        ("tags is null", [4]),
        ("tags is not null", [0, 1, 2, 3, 5, 6, 7]),
        ("tags is empty", [2, 4, 5]),
        ("tags is not empty", [0, 1, 3, 6, 7]),
        ("n = 2", [0, 1]),
        ("n > 1", [0, 1, 6]),
        ("n < 2", [0]),
        ("all(n) >= 2", [1]),
        ("n = '2'", [3]),
        ("n = true", [6]),
        ("n contains 1", [0]),
        ("n is empty", [2, 4, 5, 7]),
        ("people.name = 'Ada'", [0, 1, 3]),
        ("people.name != 'Ada'", []),
        ("any(people.name) != 'Ada'", [0, 3]),
        ("people.name is null", [2, 4, 5, 6, 7]),
        ("people is not empty", [0, 1, 3]),
        ("title = 'Tags'", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("metadata.title = 'Note'", [5]),
        ("metadata.source contains 'il'", [5]),
        ("title contains 'ag' and title icontains 'TAGS'", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("line contains 1 and any(line) = 1 and all(line) in (1, 2)", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("line contains '1'", []),
        ({"tags": ["work", "Straße"]}, [0, 1, 3, 7]),
        ({"people": {"name": "Bob"}}, [0]),
        ({"metadata": {"source": "file"}}, [5]),
        ({"metadata.title": "Note", ("metadata", "source"): "file"}, [5]),
        (Or((Compare(("n",), "=", 1), Like(("tags",), "%ß%"))), [0, 7]),
        (And(()), [0, 1, 2, 3, 4, 5, 6, 7]),
        (Or(()), []),
    ],
)
def test_a_filter_of_lists_finds(found: Any, where: Any, numbers: list[int]) -> None:
    tree = parse(where)
    assert found(tree, NOTES) == numbers
    columns = [{name: one[name] for name in COLUMNS} for one in NOTES]
    assert [n for n, one in enumerate(NOTES) if lets_through(tree, columns[n], one["metadata"])] == numbers
    assert [n for n, one in enumerate(NOTES) if holds(tree, one)] == numbers


SENT = [
    made(sent="2026-01-31T08:00:00Z"),
    made(sent="2026-01-31T10:00:00+02:00"),
    made(sent="2026-01-31T09:59:59.999999+02:00"),
    made(sent="2026-01-31"),
    made(sent="20260131T080000"),
    made(sent="31.1.2026"),
    made(sent=20260131),
    made(sent=["2025-12-31T23:30:00-01:00", "2026-02-01"]),
    made(),
]


@pytest.mark.parametrize(
    ("where", "numbers"),
    [
        ("date(sent) >= '2026-01-31T10:00+02:00'", [0, 1, 4, 7]),
        ("date(sent) = '2026-01-31T08:00'", [0, 1, 4]),
        ("date(sent) != '2026-01-31T08:00'", [2, 3, 7]),
        ("date(sent) < '2026-01-31T08:00Z'", [2, 3, 7]),
        ("'2026-01-31T08:00Z' > date(sent)", [2, 3, 7]),
        ("date(sent) >= '2026-01-31' and date(sent) < '2026-02-01'", [0, 1, 2, 3, 4, 7]),
        ("all(date(sent)) >= '2026-01-01T00:30Z'", [0, 1, 2, 3, 4, 7]),
        ("all(date(sent)) > '2026-01-01T00:30Z'", [0, 1, 2, 3, 4]),
        ("any(date(sent)) = '2026-02-01'", [7]),
        ("not date(sent) > '2000-01-01'", [5, 6, 8]),
        (Moment(("sent",), "=", datetime(2026, 1, 31, 10, tzinfo=timezone(timedelta(hours=2)))), [0, 1, 4]),
        (Moment(("sent",), ">=", "2026-02-01"), [7]),  # type: ignore[arg-type]
        (Moment(("sent",), "<=", date(2026, 1, 31)), [3, 7]),  # type: ignore[arg-type]
    ],
)
def test_moments_are_compared_as_moments(found: Any, where: Any, numbers: list[int]) -> None:
    assert found(parse(where), SENT) == numbers


def test_words_of_the_language_may_be_keys(found: Any) -> None:
    some = [made(**{"date": "2026-01-31", "any": [1], "contains": "x", "empty": 1, "all": 2})]
    where = (
        "date(date) = '2026-01-31' and any(any) = 1 and contains contains 'x' and empty = 1 and all = 2 and any in (1)"
    )
    assert found(parse(where), some) == [0]


class Colour(str, Enum):  # noqa: UP042 - to str() it is Colour.RED, unlike a StrEnum
    RED = "red"


class Level(Enum):
    HIGH = 3


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (date(2026, 1, 31), "2026-01-31"),
        (datetime(2026, 1, 31, 10, tzinfo=UTC), "2026-01-31T10:00:00+00:00"),
        (Decimal("19.99"), 19.99),
        (Decimal("3"), 3),
        (Decimal("0.12345678901234567890"), "0.12345678901234567890"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (PurePosixPath("a/b.md"), "a/b.md"),
        (Path("a"), "a"),
        (Colour.RED, "red"),
        (Level.HIGH, 3),
        (Decimal("1E+400"), "1E+400"),
        (Fraction(1, 2), 0.5),
        (np.int64(5), 5),
        (np.bool_(True), True),
        (np.datetime64("2026-01-31T10:00:00.000000000"), "2026-01-31T10:00:00"),
    ],
)
def test_values_of_python_compare_as_what_they_are_stored_as(given: Any, stored: Any) -> None:
    expected = repr(parse({"x": stored}))
    for where in ({"x": given}, Compare(("x",), "=", given)):
        assert repr(parse(where)) == expected
    assert repr(parse({"x": [given]})) == repr(parse(In(("x",), [given]))) == repr(In(("x",), (stored,)))  # type: ignore[arg-type]


class NoTime(datetime):
    """As pandas' NaT: a datetime that is none."""

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = datetime.__hash__


def test_what_is_no_time_is_null_and_a_key_may_be_an_enum() -> None:
    assert parse({"x": NoTime(2026, 1, 1)}) == parse({"x": np.datetime64("NaT")}) == IsNull(("x",))
    assert parse({Colour.RED: 1}) == parse({"red": 1})
    assert storable({"x": NoTime(2026, 1, 1), Colour.RED: [Decimal("NaN").is_nan(), UUID(int=1)]}) == {
        "x": None,
        "red": [True, "00000000-0000-0000-0000-000000000001"],
    }


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), float("nan")])
def test_what_is_no_number_is_refused_by_filters_and_metadata(value: Any) -> None:
    with pytest.raises(BadValue, match=r"filter key 'x': (nan|inf) is out of range"):
        parse({"x": value})
    with pytest.raises(BadValue, match=r"(nan|inf) is not a number that can be stored"):
        storable({"x": value})


@pytest.mark.parametrize(
    ("tree", "problem"),
    [
        (Compare(("x",), "=~", 1), "unknown operator '=~'; known: !=, <, <=, <>, =, ==, >, >="),
        (Compare(("x",), ["="], 1), "unknown operator"),
        (Compare("x", "=", 1), "filter key 'x': a key is text, or a tuple of its parts"),
        (Compare((), "=", 1), "filter key (): a key is text, or a tuple"),
        (Compare((1,), "=", 1), "filter key 1: a key is text"),
        (Compare(("x",), "=", None), "filter key 'x': cannot compare with a NoneType"),
        (Compare(("x",), "<", True), "filter key 'x': true and false have no order"),
        (In(("x",), "abc"), "filter key 'x': the values are str, not a tuple"),
        (In(("x",), (float("nan"),)), "filter key 'x': nan is out of range"),
        (Like(("x",), 5), "filter key 'x': a pattern is text of at most 10,000"),
        (Like(("x",), "a" * 10_001), "filter key 'x': a pattern is text of at most 10,000"),
        (Moment(("x",), "=", "yesterday"), "filter key 'x': 'yesterday' is no moment in time"),
        (And("ab"), "the parts of And are str, not a tuple of filters"),
        (Or((1,)), "a filter is text, a dict or a tree of searcher.filters, not int"),
        (Not("x = 1"), "a filter is text, a dict or a tree of searcher.filters, not str"),
        (Some(IsNull(("x",))), "Some holds a IsNull; it can hold Compare, In, Like, Contains, Moment"),
        (Holds("a phrase"), "a filter is text, a dict or a tree of searcher.filters, not Holds"),
        (Not(Named(".*")), "a filter is text, a dict or a tree of searcher.filters, not Named"),
        (And(tuple(IsNull(("x",)) for _ in range(10_001))), "a filter holds at most 10,000 tests, not 10,001"),
    ],
)
def test_a_wrong_tree_is_named(tree: Any, problem: str) -> None:
    with pytest.raises(BadValue) as raised:
        parse(tree)
    assert str(raised.value).startswith(problem)


def test_a_tree_too_deep_is_an_error_of_one_line() -> None:
    tree: Filter = IsNull(("x",))
    for _ in range(1_000):
        tree = Not(tree)
    with pytest.raises(BadValue, match="a tree goes at most 150 deep"):
        parse(tree)


@pytest.mark.parametrize(
    ("where", "position", "problem"),
    [
        ("date(sent) > 'soon'", 14, "'soon' is no moment in time; write one as ISO 8601 does"),
        ("date(sent) > 2026", 14, "2026 is no moment in time"),
        ("date(sent) in ('2026-01-31')", 12, "expected = != < <= > or >=, found in"),
        ("date(sent", 10, "expected ), found the end"),
        ("any(tags)", 10, "expected = != < <= > >=, in, like, contains, icontains or not, found the end"),
        ("any(tags) is empty", 11, "expected = != < <= > >=, in, like"),
        ("any(all(tags)) = 1", 8, "expected ), found ("),
        ("'a' in 'b'", 8, "expected a key to the right of in, found 'b'"),
        ("5 not tags", 7, "expected in, found tags"),
        ("tags contains", 14, "expected a value, found the end"),
        ("tags any 'a'", 10, "expected ( and a list of values, found 'a'"),
        ("tags like '" + "a" * 10_001 + "'", 11, "a pattern has at most 10,000 characters, not 10,001"),
    ],
)
def test_a_fault_is_named_with_its_position(where: str, position: int, problem: str) -> None:
    with pytest.raises(FilterError) as raised:
        parse(where)
    assert raised.value.position == position
    assert f"position {position}: {problem}" in str(raised.value)


def test_a_list_of_any_length_finds_what_it_names(found: Any) -> None:
    some = [made(n=3, id="id 7"), made(n=0.3, id="it's"), made(n=True, id=["id 49999"]), made(n=10**30, id="x")]
    ids = [f"id {number}" for number in range(50_000)]
    assert found(parse({"metadata.id": ids}), some) == [0, 2]
    assert found(parse("metadata.id in (" + ", ".join(f"'{each}'" for each in ids) + ", 'it''s')"), some) == [0, 1, 2]
    fractions = [number / 10 for number in range(5_000)]
    assert found(parse({"n": fractions}), some) == [0, 1]
    assert found(parse({"n": [*range(5_000), *fractions, True]}), some) == [0, 1, 2]
    assert found(parse({"n": [*range(3), "3"]}), some) == []
    with pytest.raises(UnknownName):
        parse({"n": 1}, unknown="nowhere")  # type: ignore[arg-type]
