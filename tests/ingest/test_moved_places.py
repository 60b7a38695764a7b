"""Files with pages under another name: what their passages say of their place goes along."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from made_pdf import made_pdf, page_of

from searcher import Searcher
from searcher.store import DATABASE


@pytest.fixture
def moved(tiny_bert: Path, tmp_path: Path) -> Searcher:
    """An index of a PDF whose folder was renamed, and that was added again."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    (old / "one.pdf").write_bytes(made_pdf([page_of("The bank."), page_of("The river.")]))
    index = Searcher(tmp_path / "index", tiny_bert)
    assert index.add(old).embedded == 2
    old.rename(new)
    report = index.add(new)
    assert (report.moved, report.embedded) == ([(f"{old}/one.pdf", f"{new}/one.pdf")], 0)
    return index


def test_a_passage_of_a_moved_file_keeps_its_page(moved: Searcher, tmp_path: Path) -> None:
    [hit] = moved.search("river", where="page = 2")
    assert (hit.source, hit.text, hit.place) == (f"{tmp_path}/new/one.pdf", "The river.", {"page": 2})
    assert moved.check() == []


def test_a_moved_file_that_is_gone_leaves_no_places(moved: Searcher, tmp_path: Path) -> None:
    (tmp_path / "new" / "one.pdf").unlink()
    assert moved.add(tmp_path / "new", prune=True).removed == 1
    with closing(sqlite3.connect(tmp_path / "index" / DATABASE)) as database:
        assert database.execute("SELECT count(*) FROM places").fetchone() == (0,)
