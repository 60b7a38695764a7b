"""Filters: what is read, what is refused and where, and that SQLite answers as a plain Python oracle does.

Of documents without lists; test_lists.py has the rest of the language.
"""

import re
import sqlite3
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from searcher.errors import BadValue, DamagedIndex, FilterError, UnknownName
from searcher.filters import And, Compare, Filter, In, IsNull, Like, Not, Or, check_keys, parse
from searcher.filters.passing import lets_through
from searcher.store.filter_sql import allowed_ids
from searcher.store.lookup import spans

COLUMNS = ["source", "title", "line"]  # of a document the first two, of a passage the last


# The oracle: what a filter means, written apart from SQL.  A document is a dict; "metadata" is one of its keys.


def looked_up(path: tuple[str, ...], document: dict[str, Any]) -> Any:
    if len(path) == 1 and path[0] in COLUMNS:
        return document[path[0]]
    value = document["metadata"]
    for part in path[1:] if len(path) > 1 and path[0] == "metadata" else path:
        value = value.get(part) if isinstance(value, dict) else None
    return float(value) if isinstance(value, int) and abs(value) >= 2**63 else value


def like_typed(a: Any, b: Any) -> bool:
    kinds = [bool, str, (int, float)]
    first = [next((at for at, kind in enumerate(kinds) if isinstance(value, kind)), None) for value in (a, b)]
    return first[0] is not None and first[0] == first[1]


def like(pattern: str, text: str) -> bool:
    expression, rest = "", iter(pattern)
    for sign in rest:
        if sign == "\\":
            sign = next(rest, "")
            if not sign:
                return False
            expression += folded(sign)
        else:
            expression += {"%": ".*", "_": "."}.get(sign) or folded(sign)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def folded(sign: str) -> str:
    return f"[{sign.lower()}{sign.upper()}]" if sign.isascii() and sign.isalpha() else re.escape(sign)


ORDERS = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def holds(tree: Filter, document: dict[str, Any]) -> bool:
    if isinstance(tree, And):
        return all(holds(part, document) for part in tree.parts)
    if isinstance(tree, Or):
        return any(holds(part, document) for part in tree.parts)
    if isinstance(tree, Not):
        return not holds(tree.part, document)
    value = looked_up(tree.path, document)
    if isinstance(tree, IsNull):
        return value is None
    if isinstance(tree, Compare):
        return like_typed(value, tree.value) and ORDERS[tree.operator](value, tree.value)
    if isinstance(tree, Like):
        return isinstance(value, str) and like(tree.pattern, value) != tree.negated
    comparable = [each for each in tree.values if like_typed(value, each)]
    return bool(comparable) and (value in comparable) != tree.negated


def document(source: str = "a", title: str | None = None, line: int | None = None, **metadata: Any) -> dict[str, Any]:
    return {"source": source, "title": title, "line": line, "metadata": metadata}


# The renderer: a tree back to the language.


def rendered(tree: Filter) -> str:
    if isinstance(tree, And | Or):
        return (" and " if isinstance(tree, And) else " or ").join(
            f"({rendered(part)})" if isinstance(part, And | Or) else rendered(part) for part in tree.parts
        )
    if isinstance(tree, Not):
        return f"not ({rendered(tree.part)})"
    key = ".".join('"' + part.replace('"', '""') + '"' for part in tree.path)
    if isinstance(tree, IsNull):
        return f"{key} is null"
    if isinstance(tree, Compare):
        return f"{key} {tree.operator} {literal(tree.value)}"
    word = "not " * tree.negated
    if isinstance(tree, Like):
        return f"{key} {word}like {literal(tree.pattern)}"
    return f"{key} {word}in ({', '.join(map(literal, tree.values))})"


def literal(value: Any) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).lower()


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
strings = st.text(st.sampled_from("aAbBéÉß%_\\'\"` .-世😀"), max_size=4) | texts
floats = st.integers(-10_000, 10_000).map(lambda n: n / 100) | st.sampled_from([1e300, -0.0, 9007199254740992.0])
integers = st.integers(-3, 3) | st.sampled_from([2**53 + 1, 2**63 - 1, -(2**63)])
values = strings | integers | floats | st.booleans()
parts = st.sampled_from(["a", "b", "lang", "a.b", "é", "it's", "\\n", "\n", "$", "[0]", "", "title", "metadata"])
paths = st.lists(parts, min_size=1, max_size=3).map(tuple) | st.sampled_from([(name,) for name in COLUMNS])
tests = (
    st.builds(Compare, paths, st.sampled_from(list(ORDERS)), strings | integers | floats)
    | st.builds(Compare, paths, st.sampled_from(["=", "!="]), st.booleans())
    | st.builds(In, paths, st.lists(values, min_size=1, max_size=4).map(tuple), st.booleans())
    | st.builds(Like, paths, strings, st.booleans())
    | st.builds(IsNull, paths)
)


def composed(inner: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.builds(And, several) | st.builds(Or, several) | st.builds(Not, inner)


filters = st.recursive(tests, composed, max_leaves=6)
contents = st.recursive(
    values | st.none() | st.just(2**70),
    lambda inner: st.dictionaries(parts, inner, max_size=3),
    max_leaves=4,
)
documents = st.builds(
    lambda source, title, line, metadata: {"source": source, "title": title, "line": line, "metadata": metadata},
    strings,
    st.none() | strings,
    st.none() | st.integers(-3, 3),
    st.dictionaries(parts, contents, max_size=4),
)


@st.composite
def filters_and_documents(draw: st.DrawFn) -> tuple[Filter, list[dict[str, Any]]]:
    """Documents, and a filter that often speaks of what is in them."""
    some = draw(st.lists(documents, min_size=1, max_size=4))
    present: list[tuple[tuple[str, ...], Any]] = [((name,), one[name]) for one in some for name in COLUMNS]

    def walk(path: tuple[str, ...], value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk((*path, key), inner)
        elif path:
            present.append((path, value))

    for one in some:
        walk((), one["metadata"])
    path, value = draw(st.sampled_from(present))
    near: list[st.SearchStrategy[Filter]] = [tests, st.just(IsNull(path))]
    if isinstance(value, str | int | float) and (isinstance(value, str | float) or abs(value) < 2**63):
        orders = ["=", "!="] if isinstance(value, bool) else list(ORDERS)
        near.append(st.builds(Compare, st.just(path), st.sampled_from(orders), st.just(value)))
        near.append(st.builds(In, st.just(path), st.tuples(values, st.just(value)), st.booleans()))
    if isinstance(value, str):
        patterns = [value, value.swapcase(), f"%{value[1:]}", f"{value[:1]}%", f"{value[:-1]}_", f"%\\{value[-1:]}"]
        near.append(st.builds(Like, st.just(path), st.sampled_from(patterns), st.booleans()))
    return draw(st.recursive(st.one_of(near), composed, max_leaves=5)), some


@settings(max_examples=400)
@given(case=filters_and_documents())
def test_sqlite_finds_what_the_oracle_finds_and_so_does_a_look_at_the_values(found, case):
    tree, some = case
    expected = [number for number, one in enumerate(some) if holds(tree, one)]
    assert found(tree, some) == expected
    columns = [{name: one[name] for name in COLUMNS} for one in some]
    assert [n for n, one in enumerate(some) if lets_through(tree, columns[n], one["metadata"])] == expected


@settings(max_examples=500)
@given(
    pattern=st.text(st.sampled_from("aAé%_\\世"), max_size=8),
    text=st.text(st.sampled_from("aAé%_\\世\0\n"), max_size=8),
)
def test_like_is_what_sqlite_makes_of_it(database, pattern, text):
    (expected,) = database.execute("SELECT ? LIKE ? ESCAPE '\\'", [text, pattern]).fetchone()
    assert lets_through(Like(("x",), pattern), {}, {"x": text}) == bool(expected)


def test_like_takes_no_longer_for_many_signs_that_stand_for_any_text():
    begun = time.perf_counter()
    assert not lets_through(Like(("x",), "%a" * 40 + "%b"), {}, {"x": "a" * 100_000})
    assert time.perf_counter() - begun < 2


@settings(max_examples=500)
@given(tree=filters)
def test_a_rendered_tree_reads_back_as_itself(tree):
    assert repr(parse(rendered(tree))) == repr(tree)  # repr, as 1 == 1.0 == True


WORDS = ["and", "or", "not", "in", "like", "is", "null", "true", "lang", "a.b", "(", ")", ",", "=", "<=", "!", "'x'"]
WORDS += ['"k"', "`k`", "'", '"', "-1.5e3", "1", ".", "é", "\\", "--", ";", "1e999", "\0", "\ud800", "9" * 400]


@settings(max_examples=500)
@given(where=st.text() | st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))
@example("(" * 9_999)
@example("not " * 2_499)
@example("'" * 9_999)
@example("a." * 5_000)
@example("a=" + "9" * 9_000)
@example("\ud800")
@example("-" * 10_000)
@example(" " * 10_000)
@example("1." * 5_000)
def test_any_text_gives_a_tree_or_a_filter_error_soon(where):
    begun = time.perf_counter()
    try:
        lets_through(parse(where), {}, {})
    except FilterError as error:
        assert 1 <= error.position <= len(where) + 1
    assert time.perf_counter() - begun < 2


@pytest.mark.parametrize(
    ("where", "tree"),
    [
        ("lang = 'en'", Compare(("lang",), "=", "en")),
        ("lang == 'en'", Compare(("lang",), "=", "en")),
        ("year <> 2020", Compare(("year",), "!=", 2020)),
        ("year>=-1.5e3", Compare(("year",), ">=", -1500.0)),
        ("2020 <= year", Compare(("year",), ">=", 2020)),
        ("'a' != `my key`", Compare(("my key",), "!=", "a")),
        ("draft = TRUE", Compare(("draft",), "=", True)),
        ("name = 'it''s'", Compare(("name",), "=", "it's")),
        ('name = "say ""hi"""', Compare(("name",), "=", 'say "hi"')),
        ('"my.key" = 1', Compare(("my.key",), "=", 1)),
        ('author."first name".x-1 = 1', Compare(("author", "first name", "x-1"), "=", 1)),
        ("größe > 1", Compare(("größe",), ">", 1)),
        ("नाम = 'x'", Compare(("नाम",), "=", "x")),
        ("2nd = 1", Compare(("2nd",), "=", 1)),
        ("n in (1, 'a', true)", In(("n",), (1, "a", True))),
        ("n NOT IN (1)", In(("n",), (1,), negated=True)),
        ("t like 'a%'", Like(("t",), "a%")),
        ("t not like 'a_'", Like(("t",), "a_", negated=True)),
        ("t is null", IsNull(("t",))),
        ("t Is Not Null", Not(IsNull(("t",)))),
        ("not a=1 and b=2", And((Not(Compare(("a",), "=", 1)), Compare(("b",), "=", 2)))),
        ("(not a=1)", Not(Compare(("a",), "=", 1))),
        ("a=1 or b=2 and c=3", Or((Compare(("a",), "=", 1), And((Compare(("b",), "=", 2), Compare(("c",), "=", 3)))))),
        (
            "(a=1 or b=2) and c=3",
            And((Or((Compare(("a",), "=", 1), Compare(("b",), "=", 2))), Compare(("c",), "=", 3))),
        ),
    ],
)
def test_a_filter_reads_as_its_tree(where, tree):
    assert repr(parse(where)) == repr(tree)


@pytest.mark.parametrize(
    ("where", "position", "problem"),
    [
        ("", 1, "the filter is empty; leave it out to search everything"),
        (" \n", 1, "the filter is empty; leave it out to search everything"),
        ("lang = en", 8, "expected a value (a string stands in quotes: 'en'), found en"),
        ("day = 2020-01-01", 7, "expected a value (a string stands in quotes: '2020-01-01'), found 2020-01-01"),
        ("lang = 'en", 8, "the closing ' is missing"),
        ("lang ! 'en'", 6, "expected = after !"),
        ("lang =", 7, "expected a value, found the end"),
        ("lang = `en`", 8, "expected a value, found `en`"),
        (
            "lang between 1 and 2",
            6,
            "expected = != < <= > >=, in, like, contains, icontains, any, all, is or not, found between",
        ),
        ("lang = 'en' year = 1", 13, "expected and, or or the end, found year"),
        ("(lang = 'en'", 13, "expected and, or or ), found the end"),
        ("lang = 'en')", 12, "expected and, or or the end, found )"),
        ("lang = 'en' and", 16, "expected a key, not or (, found the end"),
        ("like = 'en'", 1, "expected a key, not or (, found like"),
        ("a.1 = 1", 3, "expected a key, not or (, found 1"),
        ("'a' = 'b'", 7, "expected a key to the right of the value, found 'b'"),
        ("1 like a", 3, "expected = != < <= > >=, in or not in, found like"),
        ("a not = 1", 7, "expected in, like, contains or icontains, found ="),
        ("a in 1", 6, "expected ( and a list of values, found 1"),
        ("a in (,)", 7, "expected a value, found ,"),
        ("a in (1,)", 9, "expected a value, found )"),
        ("a in (1 2)", 9, "expected , or ), found 2"),
        ("a like 5", 8, "expected a string, found 5"),
        ("a is 5", 6, "expected null, empty or not, found 5"),
        ("a is not 5", 10, "expected null or empty, found 5"),
        ("a = NULL", 5, "nothing compares with null; write is null or is not null"),
        ("null != a", 1, "nothing compares with null; write is null or is not null"),
        ("a < true", 3, "true and false have no order; compare them by = or !="),
        ("true < a", 6, "true and false have no order; compare them by = or !="),
        ("a = 9223372036854775808", 5, "the number is beyond 64 bits"),
        ("a = 1e999", 5, "the number is beyond 64 bits"),
        ("a = 1 && b = 2", 7, "cannot read '&&'; strings stand in '…', keys with such signs in \"…\""),
        ("a = 'x\0'", 7, "a filter holds neither NUL nor lone surrogates"),
        ("not " * 51 + "a = 1", 201, "brackets and nots go at most 50 deep"),
        ("(" * 51 + "a = 1" + ")" * 51, 51, "brackets and nots go at most 50 deep"),
    ],
)
def test_a_fault_is_named_with_its_position(where, position, problem):
    with pytest.raises(FilterError) as raised:
        parse(where)
    assert raised.value.position == position
    assert str(raised.value) == f"filter {where!r}, position {position}: {problem}"


def test_of_a_long_filter_an_error_shows_the_place():
    where = "a in (" + "1, " * 10_000 + "x)"
    with pytest.raises(FilterError, match="position 30007: expected a value") as raised:
        parse(where)
    assert raised.value.position == 30_007
    assert len(str(raised.value)) < 300
    assert "1, x)" in str(raised.value)


def test_a_filter_may_be_long_but_tests_no_more_than_10_000_times():
    parse("a = 1".ljust(1_000_000))
    assert len(parse("a in (" + "'some id'," * 100_000 + "'x')").values) == 100_001
    parse(" or ".join(["a=1"] * 10_000))
    with pytest.raises(FilterError, match="a filter holds at most 10,000 tests"):
        parse(" or ".join(["a=1"] * 10_001))
    with pytest.raises(FilterError, match="a filter holds at most 10,000 tests"):
        parse("tags all (" + "1," * 10_000 + "1)")


def test_a_dict_gives_the_tree_of_its_equalities():
    where = {"lang": "en", "author.id": [1, 2], "x": None, "y": ["a", None]}
    assert parse(where) == parse("lang = 'en' and author.id in (1, 2) and x is null and (y in ('a') or y is null)")
    assert parse({"my key": True}) == Compare(("my key",), "=", True)
    assert parse({"x": []}) == In(("x",), ())


@pytest.mark.parametrize(
    ("where", "problem"),
    [
        ({"x": float("nan")}, "filter key 'x': nan is out of range; good are"),
        ({"x": [1, float("-inf")]}, "filter key 'x': -inf is out of range; good are"),
        ({"x": 2**63}, "filter key 'x': an int is out of range; good are"),
        ({"x": 10**5000}, "filter key 'x': an int is out of range; good are"),
        ({"x": "a\0b"}, r"filter key 'x': 'a\\x00b' is out of range; good are"),
        ({"x": {"$gte": 1}}, "filter key 'x': a dict asks for equality and holds no operator .*as text: x >= 1"),
        ({"x": {"y": {"$in": ["a", 2]}}}, r"filter key 'x.y': .* as text: x.y in \('a', 2\)"),
        ({"$or": [{"a": 1}]}, "a dict asks for equality .* as text: lang = 'en' or not year >= 2020"),
        ({"x": {}}, "filter key 'x': an empty dict asks nothing; as text: x is empty"),
        ({"x": [[1]]}, "filter key 'x': cannot compare with a list; good are text .*, None and lists"),
        ({"x": b"a"}, "filter key 'x': cannot compare with a bytes; good are"),
        ({1: "a"}, "filter key 1: a key is text"),
        ({("x", 2): "a"}, "filter key 2: a key is text"),
        ({(): "a"}, r"filter key \(\): a key is text"),
        ({str(n): n for n in range(10_001)}, "a filter holds at most 10,000 tests, not 10,001"),
        (None, "a filter is text, a dict or a tree of searcher.filters, not NoneType"),
    ],
)
def test_a_wrong_dict_is_named(where, problem):
    with pytest.raises(BadValue, match=problem):
        parse(where)


def test_an_empty_dict_is_an_empty_filter():
    with pytest.raises(FilterError, match="the filter is empty"):
        parse({})


PEOPLE = [
    document("0", lang="en", year=2020),
    document("1", lang="de", year="2020"),
    document("2", lang=None, year=True),
    document("3", year=2020.0),
    document("4", title="Ähre", lang={"code": "en"}, title_="x", author={"name": "Ada"}, metadata={"lang": "fr"}),
]


@pytest.mark.parametrize(
    ("where", "numbers"),
    [
        ("lang = 'en'", [0]),
        ("lang != 'en'", [1]),
        ("lang not in ('en')", [1]),
        ("not lang = 'en'", [1, 2, 3, 4]),
        ("not lang in ('en')", [1, 2, 3, 4]),
        ("lang is null", [2, 3]),
        ("lang is not null", [0, 1, 4]),
        ("year = 2020", [0, 3]),
        ("year = '2020'", [1]),
        ("year = true", [2]),
        ("year = 1", []),
        ("year != false", [2]),
        ("year not in (1999, 'x')", [0, 1, 3]),
        ("year not in (true, false)", []),
        ("author.name like 'AD_'", [4]),
        ("title like 'ä%'", []),
        ("title like 'ÄHRE'", [4]),
        ("metadata.lang = 'en'", [0]),
        ("metadata.metadata.lang = 'fr'", [4]),
        ("metadata.title is null", [0, 1, 2, 3, 4]),
        ("source > '2'", [3, 4]),
        ("source = 2", []),
    ],
)
def test_unlike_types_and_missing_keys_match_no_comparison(found, where, numbers):
    assert found(parse(where), PEOPLE) == numbers


def test_a_column_hides_the_metadata_key_of_its_name_unless_metadata_is_written(found):
    some = [document(title="column", **{"x": 1}) | {"metadata": {"title": "key"}}]
    assert found(parse("title = 'column'"), some) == [0]
    assert found(parse("\"title\" = 'key'"), some) == []
    assert found(parse("metadata.title = 'key'"), some) == [0]


def test_like_takes_an_escaped_sign_literally(found):
    some = [document("100%"), document("100x"), document("a\\b")]
    assert found(parse(r"source like '100\%'"), some) == [0]
    assert found(parse(r"source like 'a\\b'"), some) == [2]


def test_a_key_may_hold_any_sign(found):
    some = [document(**{'a"b': 1}), document(**{"a": {'"]': 2}})]
    assert found(parse('"a""b" = 1'), some) == [0]
    assert found(parse('a."""]" = 2'), some) == [1]


def test_values_and_keys_travel_as_parameters_only(database, found):
    hostile = "'); DROP TABLE documents; --"
    some = [document(title=hostile, **{hostile: hostile}), document()]
    tree = And((Compare((hostile,), "=", hostile), Like(("title",), hostile), In((hostile,), (hostile,))))
    asked: list[str] = []
    assert found(tree, some) == [0]
    recording = Recording(database, asked)
    assert allowed_ids(recording, tree, lambda: spans(database)).tolist() == [1]
    assert len(asked) == 4 and not any("DROP" in query for query in asked)


@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("bad", ["x", 1.5, "1,2", b"\xff", ""])
def test_what_is_no_whole_number_where_there_must_be_one_is_damage(
    database: sqlite3.Connection, found: Any, bad: object, last: bool
) -> None:
    assert found(parse("n >= 0"), [document(n=1), document(n=2)]) == [0, 1]
    database.execute("UPDATE metadata_values SET document = ? WHERE value = ?", [bad, 1 + last])
    with pytest.raises(DamagedIndex, match="no whole number"):
        allowed_ids(database, parse("n >= 0"), lambda: spans(database))


class Recording:
    """A connection that remembers the text of its queries."""

    def __init__(self, connection: sqlite3.Connection, queries: list[str]) -> None:
        self.connection, self.queries = connection, queries

    def execute(self, query: str, values: list[Any]) -> sqlite3.Cursor:
        self.queries.append(query)
        return self.connection.execute(query, values)


def bushes(forks: int) -> str:
    """A filter that forks into equal halves, each of which then nests as deep as it may."""
    if forks:
        return f"({bushes(forks - 1)}) or b=1 and ({bushes(forks - 1)})"
    return "a=1 or (b=1 and (" * 22 + "a=1" + "))" * 22


@pytest.mark.parametrize(
    "where",
    [
        " or ".join(["a=1"] * 1428),
        "a in (" + ",".join(["1"] * 1000) + ")",
        " and ".join(["a in (1,'',true)"] * 476),
        "not " * 50 + "a=1",
        ("not (" + "a=1 or " * 50) * 25 + "a=1" + ")" * 25,
        ("a=1 or (" + "b=1 and " * 20 + "(") * 25 + "a=1" + "))" * 25,
        ("(" * 50 + "a=1" + ") or b=1) and c=1" * 25),
        bushes(4),
        {f"k{number}": number for number in range(10_000)},
        {f"k{number}": [1, "a", *[None] * 7] for number in range(1000)},
    ],
    ids=["chain", "list", "lists", "nots", "not or", "right", "left", "bushes", "wide dict", "dict of lists"],
)
def test_the_largest_filters_stay_within_sqlites_limits(database, found, where):
    database.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 32_766)
    tree = parse(where)
    some = [document(a=1)]
    assert found(tree, some) == [0] * holds(tree, some[0])
    assert lets_through(tree, {}, some[0]["metadata"]) == holds(tree, some[0])


def checked(where: str, known: list[tuple[str, ...]]) -> None:
    """The keys of a filter held against the columns and some keys of metadata."""
    check_keys(parse(where), COLUMNS, known.__contains__, lambda: known)


KNOWN = [("lang",), ("author",), ("author", "name"), ("my key",), ("title",)]
NAMES = '"my key", author, author.name, lang, line, source, title'
OF_METADATA = 'metadata."my key", metadata.author, metadata.author.name, metadata.lang, metadata.title'


@pytest.mark.parametrize(
    ("where", "line"),
    [
        ("lnag = 'en'", f"'lnag'; known: {NAMES}. Did you mean 'lang'?"),
        ("LANG in ('en')", f"'LANG'; known: {NAMES}. Did you mean 'lang'?"),
        ("not x is null", f"'x'; known: {NAMES}"),
        ("all(date(yr)) = '2020-01-01'", f"'yr'; known: {NAMES}"),
        ("author.nmae = 1", f"'author.nmae'; known: {NAMES}. Did you mean 'author.name' or 'author'?"),
        ("'x' in \"mykey\"", f"'mykey'; known: {NAMES}. Did you mean '\"my key\"'?"),
        ("source.x = 1", f"'source.x'; known: {NAMES}. Did you mean 'source'?"),
        ("metadata.source = 'a'", f"'metadata.source'; known: {OF_METADATA}. Did you mean 'metadata.author'"),
    ],
)
def test_an_unknown_key_is_named_with_the_known_ones_and_those_most_like_it(where, line):
    with pytest.raises(UnknownName) as raised:
        checked(where, KNOWN)
    assert str(raised.value).startswith(f"unknown filter key {line}")


def test_columns_and_keys_of_metadata_are_known():
    checked("lang = 'en' and author.name like 'A%' and not (source in ('a') or \"my key\" is null)", KNOWN)
    checked("metadata.title = 'a' and any(metadata.lang) != 'en' and 'x' in author.name", KNOWN)


def test_a_tree_may_let_unknown_keys_pass():
    check_keys(parse("lnag = 'en'", unknown="nothing"), COLUMNS, lambda path: False, list)
    check_keys(parse({"lnag": "en"}, "nothing"), COLUMNS, lambda path: False, list)
    with pytest.raises(UnknownName, match="known: error, nothing"):
        parse("a = 1", unknown="ignore")
