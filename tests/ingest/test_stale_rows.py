"""Rows that are gone from a table in which another row is broken: they go, or it is told that they were kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from searcher import Searcher

BEFORE = (
    '{"id":1,"text":"The red boat leaks."}\n{"id":2,"text":"The dog is called Rex."}\n{"id":3,"text":"Buy nails."}\n'
)


@pytest.fixture
def index(tiny_bert: Path, tmp_path: Path) -> Iterator[Searcher]:
    with Searcher(tmp_path / "index", tiny_bert) as made:
        (tmp_path / "a.jsonl").write_text(BEFORE)
        assert made.add(tmp_path / "a.jsonl").documents == 3
        yield made


def ids(index: Searcher) -> set[str | None]:
    return {hit.id for hit in index.search("a", k=9)}


@pytest.mark.parametrize("prune", [False, True])
def test_a_row_that_is_gone_goes_where_the_broken_one_says_which_it_is(
    index: Searcher, tmp_path: Path, prune: bool
) -> None:
    (tmp_path / "a.jsonl").write_text('{"id":1,"text":"The red boat leaks."}\n{"id":3,"text":"Buy nails."\n')
    report = index.add(tmp_path / "a.jsonl", prune=prune)
    assert (len(report.failed), report.notes, report.removed) == (1, [], 1)
    assert ids(index) == {"1", "3"}


def test_rows_are_kept_where_the_broken_one_may_be_any_of_them_and_that_is_told(
    index: Searcher, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"id":1,"text":"The red boat leaks."}\n{"te\n')
    report = index.add(path)
    [note] = report.notes
    assert note.reason.startswith(
        "2 rows that it held before were kept, for one of them may be what failed: line 2: not JSON"
    )
    assert note.reason.endswith("; --prune removes them")
    assert ids(index) == {"1", "2", "3"}
    assert index.add(path, prune=True).removed == 2
    assert ids(index) == {"1"}
    path.write_text(BEFORE)
    assert index.add(path).failed == []
    assert ids(index) == {"1", "2", "3"}


def test_a_broken_row_without_an_id_is_known_by_its_line_where_no_row_has_one(index: Searcher, tmp_path: Path) -> None:
    path = tmp_path / "b.jsonl"
    path.write_text('{"text":"one"}\n{"text":"two"}\n{"text":"three"}\n')
    index.add(path)
    path.write_text('{"text":"one"}\n{"text":\n')
    report = index.add(path)
    assert (len(report.failed), report.notes, report.removed) == (1, [], 1)
    assert {hit.text for hit in index.search("a", k=9)} >= {"one", "two"}


def test_a_row_of_a_sheet_that_is_too_wide_keeps_its_place_by_its_id(index: Searcher, tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text("id,text\nx,one\ny,two\nz,three\n")
    index.add(path)
    path.write_text("id,text\nx,one\ny,two,too many\n")
    report = index.add(path)
    assert (len(report.failed), report.removed) == (1, 1)
    assert ids(index) == {"1", "2", "3", "x", "y"}


def test_a_changed_type_of_a_column_reads_an_unchanged_file_again(index: Searcher, tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("id,text,code\nx,one,5\n")
    index.add(path)
    assert index.search("one", k=1, where="code = 5")[0].id == "x"
    assert index.add(path, column_types={"code": "text"}).documents == 1
    assert index.search("one", k=1, where="code = '5'")[0].id == "x"
    assert index.add(path, column_types={"code": "text"}).unchanged == 1


@pytest.mark.parametrize("prune", [False, True])
def test_of_a_table_without_rows_that_is_gone_not_even_the_name_is_kept(
    index: Searcher, tmp_path: Path, prune: bool
) -> None:
    secret = tmp_path / "the-takeover.csv"
    secret.write_text("text,n\n")
    index.add(tmp_path)
    assert str(secret) in [path for path, _ in index.engine.files()]
    secret.unlink()
    assert index.add(tmp_path, prune=prune).gone == []
    assert str(secret) not in [path for path, _ in index.engine.files()]
    assert ids(index) == {"1", "2", "3"}
