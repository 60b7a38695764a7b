"""Filters as expressions of Milvus: they let through what the judge of values in hand does, whatever is in the values.

Asked of Milvus Lite (pip install 'pymilvus>=3.0,<3.1' milvus-lite), or of the server whose address MILVUS_URI is.
"""

import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searcher.engines.milvus.entries import entered, sortable
from searcher.engines.milvus.expressions import FIELD, Bounds, bounds, literal, of_documents
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
)  # fmt: skip
from searcher.filters.passing import lets_through

SIGNS = "aAß\\\"'%_\n\t\x01 世😀"
TEXTS = [
    "",
    "a",
    "A",
    "aß",
    '"',
    "\\",
    '\\"',
    "' or 1 == 1",
    '") or (id != "',
    "%",
    "a\nb",
    "\x1b[0m",
    "世😀",
    "{x}",
    "\r\n",
    "1",
]
DATES = ["2026-01-31", "2026-01-31T10:00+02:00", "20260131T080000Z", "31.1.2026"]
NUMBERS = [0, -0.0, 1, 1.0, -1, 0.1, -2.5, 2**53, 2**53 + 1, 2.0**53, 2**63 - 1, -(2**63), 1e308, -1e308, 5e-324]
SINGLE = [*TEXTS, *DATES, *NUMBERS, True, False]
KEYS = ["a", "b", "title", "page", "metadata", "", 'x"] == 1 or held["y', "line"]


def named_none(_: str) -> Bounds:
    """No document has such a name."""
    return of_documents([])


def some_value(draw: random.Random, depth: int = 0) -> Any:
    kind = draw.random()
    if kind < 0.6 or depth == 2:
        return draw.choice([*SINGLE, None])
    if kind < 0.8:
        return [some_value(draw, depth + 1) for _ in range(draw.randrange(4))]
    return {draw.choice(KEYS): some_value(draw, depth + 1) for _ in range(draw.randrange(3))}


def some_row(draw: random.Random) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a passage's row and place say, and its document's metadata."""
    columns = {"source": draw.choice(TEXTS), "title": draw.choice([None, *TEXTS]), "line": draw.choice([None, 1, 2])}
    place = draw.choice([{}, {"page": draw.choice([1, 2])}])
    return columns | place, {draw.choice(KEYS): some_value(draw) for _ in range(draw.randrange(4))}


ROWS = [({"source": "s", "title": None, "line": None}, {})] + [some_row(random.Random(seed)) for seed in range(100)]

# Of one key: every pair of a few values, and each alone.
FEW = [1, 2, 3.5, "a", "b", DATES[0], DATES[1], True, False, [], {}]
ROWS += [({}, {"k": [one, other]}) for one in FEW for other in FEW] + [({}, {"k": one}) for one in FEW]

values = st.sampled_from(SINGLE) | st.text(SIGNS, max_size=3)
paths = (
    st.just(("k",))
    | st.sampled_from([(key,) for key in KEYS])
    | st.lists(st.sampled_from(KEYS), min_size=2, max_size=3).map(tuple)
)
orders, flags = st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), st.booleans()
one_by_one = (
    st.builds(Compare, paths, orders, values.filter(lambda value: not isinstance(value, bool)))
    | st.builds(Compare, paths, st.sampled_from(["=", "!="]), values)
    | st.builds(In, paths, st.lists(values, max_size=3).map(tuple), flags)
    | st.builds(Like, paths, st.text(SIGNS, max_size=3), flags)
    | st.builds(Contains, paths, values, flags, flags)
    | st.builds(Moment, paths, orders, st.sampled_from([datetime(2026, 1, 31, 8, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)]))
)  # fmt: skip
leaves = one_by_one | st.builds(Some, one_by_one) | st.builds(Every, one_by_one) | st.builds(IsNull, paths) | st.builds(IsEmpty, paths)  # fmt: skip
trees = st.recursive(
    leaves,
    lambda inner: (
        st.builds(And, st.lists(inner, max_size=3).map(tuple)) | st.builds(Or, st.lists(inner, max_size=3).map(tuple))
        | st.builds(Not, inner) | st.builds(Unchecked, inner)
    ),
    max_leaves=4,
)  # fmt: skip


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Asks Milvus Lite which of ROWS an expression lets through."""
    milvus = pytest.importorskip("pymilvus", reason="pymilvus is not installed")
    if not (uri := os.environ.get("MILVUS_URI")):
        pytest.importorskip("milvus_lite", reason="milvus-lite is not installed, and MILVUS_URI names no server")
        uri = str(tmp_path_factory.mktemp("milvus") / "rows.db")
    client, name = milvus.MilvusClient(uri), f"rows_{uuid4().hex}"
    schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("id", milvus.DataType.VARCHAR, max_length=20, is_primary=True)
    schema.add_field("vector", milvus.DataType.FLOAT_VECTOR, dim=2)
    schema.add_field(FIELD, milvus.DataType.JSON)
    index = client.prepare_index_params()
    index.add_index("vector", index_type="FLAT", metric_type="COSINE")
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
    client.upsert(name, [{"id": str(n), "vector": [1.0, 0.0], FIELD: entered(*row)} for n, row in enumerate(ROWS)])

    def ask(expression: str) -> set[int]:
        found = client.query(name, filter=expression, output_fields=["id"], limit=len(ROWS))
        return {int(row["id"]) for row in found}

    yield ask
    client.drop_collection(name)
    client.close()


def judged(tree: Filter) -> set[int]:
    return {number for number, row in enumerate(ROWS) if lets_through(tree, *row)}


@settings(max_examples=100)
@given(tree=trees)
def test_milvus_finds_what_the_judge_lets_through_or_bounds_it_from_both_sides(asked: Any, tree: Filter) -> None:
    found, expected = bounds(tree, named_none), judged(tree)
    above = asked(found.above)
    if found.is_exact:
        assert above == expected
    else:
        assert asked(found.below) <= expected <= above


@pytest.mark.parametrize(
    "where",
    ["a = 1", "a != 'a'", "not a = 'a'", "a in ('a', 1, true)", "a not in ('a', 1)", "a is null", "a is not empty", "b >= 1",
     "any(a) != 'a'", "all(a) <= 2.5", "all(a) = 'a'", "date(a) >= '2026-01-31'", "all(date(b)) < '2027-01-01'", "page = 1",
     "metadata.page = 1", "title is null", "line < 2", "a.b = 1", "a any (1, 2)", "a all ('a', 'A')", "'a' in a",
     "a not in ()", "a = 1 or (b > 0 and not title = 'a')"],
)  # fmt: skip
def test_what_the_language_says_of_order_and_equality_is_asked_of_the_server_alone(asked: Any, where: str) -> None:
    tree = parse(where)
    assert bounds(tree, named_none).is_exact
    assert asked(bounds(tree, named_none).above) == judged(tree)


@pytest.mark.parametrize("where", ["a like 'A%'", "a contains 'a'", "a icontains 'A'", "any(a) not in ('a', 1)"])
def test_what_expressions_cannot_say_is_left_to_be_judged(asked: Any, where: str) -> None:
    found = bounds(parse(where), named_none)
    assert not found.is_exact
    assert asked(found.below) <= judged(parse(where)) <= asked(found.above)
    assert (
        asked(found.below) <= judged(Not(Not(parse(where)))) <= asked(bounds(Not(Not(parse(where))), named_none).above)
    )


@pytest.mark.parametrize("negative", [False, True])
@pytest.mark.parametrize("quantified", [lambda test: test, Some, Every])
def test_every_order_of_every_kind_is_exact(asked: Any, quantified: Any, negative: bool) -> None:
    key, moments = ("k",), [datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 1, 31, 8, tzinfo=UTC)]
    tests: list[Any] = [Compare(key, order, value) for order in ("=", "!=") for value in (1, 2, "a", "b", True)]
    tests += [Compare(key, order, value) for order in ("<", "<=", ">", ">=") for value in (1, 2, "a", "b")]
    tests += [Moment(key, order, moment) for order in ("=", "!=", "<", "<=", ">", ">=") for moment in moments]
    tests += [Contains(key, value, negated=negated) for negated in (False, True) for value in (1, True)]
    for test in tests:
        tree = Not(quantified(test)) if negative else quantified(test)
        assert bounds(tree, named_none).is_exact
        assert asked(bounds(tree, named_none).above) == judged(tree), tree


@settings(max_examples=60)
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8))
def test_a_string_ends_where_its_text_does(asked: Any, text: str) -> None:
    assert asked(f"id == {literal(text + '-')}") == set()
    assert asked(f'{literal(text)} == {literal(text)} and id == "3"') == {3}
    assert asked(f'{literal(text)} == {literal(text + "-")} and id == "3"') == set()


@given(pair=st.tuples(*[st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.integers(-3, 3)] * 2))
def test_texts_of_numbers_have_the_order_of_the_numbers_to_the_last_bit(pair: tuple[float, float]) -> None:
    one, other = pair
    assert (sortable(one) < sortable(other)) == (one < other)
    assert (sortable(one) == sortable(other)) == (one == other)


def test_names_of_files_are_asked_as_the_documents_that_have_them() -> None:
    found = bounds(And((Named("x"), Not(Named("y")))), lambda regex: of_documents([1, 2] if regex == "x" else []))
    assert found.is_exact
    assert found.above.startswith("((document in [1, 2]) and (not ")
    assert not bounds(Holds("money"), named_none).is_exact  # words are judged in the texts in hand
