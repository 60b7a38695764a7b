"""Filters of lists, moments and keys asked of an index, and of one that was made before lists were stored."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

import pytest
from older import as_format_5

from searcher import Searcher
from searcher.errors import BadValue, UnknownName
from searcher.filters import And, Compare, Contains, In, Moment, Not, parse


class Level(str, Enum):  # noqa: UP042 - to str() it is Level.HIGH, unlike a StrEnum
    HIGH = "high"


METADATAS: list[dict[str, Any]] = [
    {
        "tags": ["work", "standup"],
        "sent": datetime(2026, 1, 31, 8, tzinfo=UTC),
        "source": "mail",
        "author": {"x": None},
    },
    {"tags": "work", "sent": "2026-01-31T10:00+02:00", "source": "web", "price": Decimal("19.99"), "level": Level.HIGH},
    {"tags": [], "sent": date(2026, 2, 1), "path": PurePosixPath("a/b.md"), "author": {"name": ["Ada", "Bob"]}},
    {"tags": {"home", "garden"}, "uid": UUID(int=7), "at": time(9, 30), "title": "of metadata", "section": 5},
    {"tags": None, "line": "x", "id": "inner", "kind": ["a"], "passage_id": -1},
]


@pytest.fixture(scope="module")
def searcher(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    with Searcher(tmp_path_factory.mktemp("asking") / "index", tiny_bert) as searcher:
        searcher.add_texts(["river", "money", "boat", "bank", "post"], ids=list("01234"), metadatas=METADATAS)
        yield searcher


def ids(searcher: Searcher, where: Any) -> str:
    """The callers' ids of the hits, which are those of the documents listed too."""
    found = "".join(sorted(str(hit.id) for hit in searcher.search("river", k=9, where=where)))
    assert "".join(sorted(each["id"] for each in searcher.listing(where))) == found
    assert sorted(str(hit.id) for hit in searcher.search("river money", k=9, where=where, mode="hybrid")) == list(found)
    return found


CASES: list[tuple[Any, str]] = [
    ("tags = 'work'", "01"),
    ("'work' in tags", "01"),
    ("tags != 'work'", "3"),
    ("not 'work' in tags", "234"),
    ("tags all ('work', 'standup')", "0"),
    ("tags is empty", "24"),
    ("tags is null", "4"),
    ("tags in ()", ""),
    ("tags not in ()", "013"),
    ({"tags": []}, ""),
    ({"tags": ["standup", "garden"]}, "03"),
    ("date(sent) = '2026-01-31T08:00Z'", "01"),
    ("date(sent) > '2026-01-31T08:00Z'", "2"),
    ({"sent": datetime(2026, 1, 31, 8, tzinfo=UTC)}, "0"),
    ({"sent": date(2026, 2, 1)}, "2"),
    ({"at": time(9, 30)}, "3"),
    ({"price": Decimal("19.99")}, "1"),
    ({"level": Level.HIGH}, "1"),
    ("level = 'high' and price = 19.99", "1"),
    ({"uid": UUID(int=7)}, "3"),
    ({"path": PurePosixPath("a/b.md")}, "2"),
    ({"author": {"name": "Ada"}}, "2"),
    ("author.x is null", "01234"),
    ("metadata.source = 'mail'", "0"),
    ("source = 'mail'", ""),
    ("metadata.source in ('mail', 'web')", "01"),
    ({"metadata": {"source": "web"}}, "1"),
    ("metadata.title contains 'meta'", "3"),
    ("metadata.section = 5", "3"),
    ("metadata.line = 'x' and metadata.id = 'inner' and 'a' in metadata.kind and metadata.passage_id < 0", "4"),
    ("section is null and line >= 1 and passage_id > 0 and kind = 'text'", "01234"),
    (Compare(("tags",), "=", "work"), "01"),
    (And((Contains(("metadata", "source"), "M", folded=True), Not(In(("tags",), ())))), "0"),
    (Moment(("sent",), ">=", datetime(2026, 2, 1, tzinfo=UTC)), "2"),
    (parse("tags = 'work' or lnag = 'en'", unknown="nothing"), "01"),
    (parse("lnag != 'en'", unknown="nothing"), ""),
    (parse("not lnag = 'en'", unknown="nothing"), "01234"),
    (parse("lnag is null", unknown="nothing"), "01234"),
    (parse({"author.born": 1815}, unknown="nothing"), ""),
]


@pytest.mark.parametrize(("where", "expected"), CASES, ids=str)
def test_a_filter_finds(searcher: Searcher, where: Any, expected: str) -> None:
    assert ids(searcher, where) == expected


@pytest.mark.parametrize(
    ("where", "problem"),
    [
        ("tgas = 'work'", "unknown filter key 'tgas'; known: at, author, author.name, id, kind, .*Did you mean 'tags'"),
        ("author.nmae = 'Ada'", "unknown filter key 'author.nmae'; .* Did you mean 'author.name'"),
        ("metadata.origin = 'web'", r"unknown filter key 'metadata.origin'; known: metadata.at, metadata.author, "),
        ("date(title.x) = '2026-01-01'", "unknown filter key 'title.x'; known: "),
        (And((Compare(("tags",), "=", "work"), Compare(("tgas",), "=", 1))), "unknown filter key 'tgas'"),
    ],
)
def test_a_key_of_no_document_is_an_error_for_people(searcher: Searcher, where: Any, problem: str) -> None:
    for ask in (lambda: searcher.search("river", where=where), lambda: searcher.listing(where)):
        with pytest.raises(UnknownName, match=problem):
            ask()


def test_ten_thousand_ids_are_one_filter(searcher: Searcher) -> None:
    many = [str(number) for number in range(1, 10_001)]
    assert ids(searcher, {"id": many}) == "1234"
    assert ids(searcher, f"id in ({', '.join(map(repr, many))})") == "1234"
    assert ids(searcher, f"id not in ({', '.join(map(repr, many))})") == "0"


@pytest.mark.parametrize("value", [b"bytes", object(), datetime.now, 1j])
def test_a_value_that_means_nothing_to_a_filter_is_refused_with_the_good_ones(searcher: Searcher, value: Any) -> None:
    with pytest.raises(
        BadValue, match=f"filter key 'tags': cannot compare with a {type(value).__name__}; good are text"
    ):
        searcher.search("river", where={"tags": value})


# Before the format was finished a list was one row, of the kind "other".
EARLIER = [
    "CREATE TABLE lists AS SELECT DISTINCT path, document FROM metadata_values WHERE kind IN ('list', 'object')",
    "DELETE FROM metadata_values WHERE EXISTS (SELECT 1 FROM lists l WHERE l.path = metadata_values.path"
    " AND l.document = metadata_values.document)",
    "INSERT INTO metadata_values SELECT path, 'other', '', document FROM lists",
    "DROP TABLE lists",
]


def stored(folder: Path) -> list[Any]:
    connection = sqlite3.connect(folder / "searcher.db")
    rows = connection.execute("SELECT * FROM metadata_values ORDER BY 1, 2, 3, 4").fetchall()
    connection.close()
    return rows


def test_an_index_from_before_lists_were_stored_answers_as_a_new_one(tiny_bert: Path, tmp_path: Path) -> None:
    with Searcher(tmp_path, tiny_bert) as made:
        made.add_texts(["river", "money", "boat", "bank", "post"], ids=list("01234"), metadatas=METADATAS)
    expected = stored(tmp_path)
    connection = sqlite3.connect(tmp_path / "searcher.db")
    for statement in EARLIER:
        connection.execute(statement)
    as_format_5(connection)
    connection.commit()
    connection.close()
    assert stored(tmp_path) != expected
    with Searcher(tmp_path) as opened:
        assert opened.check() == []
        assert opened.status()["format"] == 7
        assert stored(tmp_path) == expected
        for where, found in CASES:
            assert ids(opened, where) == found


def test_a_list_with_damaged_metadata_is_left_to_check_when_an_index_is_brought_up(
    tiny_bert: Path, tmp_path: Path
) -> None:
    with Searcher(tmp_path, tiny_bert) as made:
        made.add_texts(["river", "money"], ids=["0", "1"], metadatas=[{"tags": ["a"]}, {"tags": ["b"]}])
    connection = sqlite3.connect(tmp_path / "searcher.db")
    for statement in [*EARLIER, "UPDATE documents SET metadata = '{' WHERE id = 1"]:
        connection.execute(statement)
    as_format_5(connection)
    connection.commit()
    connection.close()
    with Searcher(tmp_path) as opened:
        assert any("is not what was stored" in line for line in opened.check())
        assert [hit.id for hit in opened.search("river", where="tags = 'b'")] == ["1"]
