"""What was read, but not as it stands: told with its count, and no failure."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from searcher import Searcher
from searcher.cli.output import show_report
from searcher.faq.entries import Entries
from searcher.faq.labelled import read_labelled
from searcher.readers.table import READERS
from searcher.records import AddReport, Document, Failure, Note, Skipped

ODD, LEFT, BROKEN = Note("a.txt", "a letter"), Skipped("a.txt", "a picture"), Failure("a.txt", "line 2")


@pytest.fixture
def index(tiny_bert: Path, tmp_path: Path) -> Iterator[Searcher]:
    with Searcher(tmp_path / "index", tiny_bert) as made:
        yield made


def test_each_kind_of_telling_is_in_its_own_list(index: Searcher) -> None:
    report = index.add_documents([Document("a", "the bank"), ODD, LEFT, BROKEN])
    assert (report.documents, report.notes, report.skipped, report.failed) == (1, [ODD], [LEFT], [BROKEN])
    assert report.as_dict()["notes"] == [{"source": "a.txt", "reason": "a letter"}]


@pytest.mark.parametrize(("item", "removed"), [(ODD, 1), (LEFT, 1), (BROKEN, 0)])
def test_only_a_failure_leaves_in_the_index_what_the_file_held_before(
    index: Searcher, item: Failure, removed: int
) -> None:
    index.add_documents([Document("a#1", "the bank"), Document("a#2", "the river")], file="a")
    assert index.add_documents([Document("a#1", "the bank"), item], file="a").removed == removed


def test_a_note_is_counted_in_the_summary_and_shown_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    report = AddReport(documents=2)
    for item in (ODD, ODD, LEFT, BROKEN):
        report.tell(item)
    show_report(report)
    shown = capsys.readouterr()
    assert "; 0 unchanged, 0 removed, 1 skipped (--verbose lists them), 2 noted, 1 failed; " in shown.out
    told = [line.split(": ") for line in shown.err.splitlines()]
    assert [(word, Path(source).name, reason) for word, source, reason in told] == [
        ("skipped", "a.txt", "a picture"),
        *[("noted", "a.txt", "a letter")] * 2,
        ("failed", "a.txt", "line 2"),
    ]


def test_a_note_on_a_table_of_labelled_questions_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = [ODD, Document("a", "When do you open?", metadata={})]
    monkeypatch.setitem(READERS, ".csv", lambda raw, options: iter(items))
    (tmp_path / "a.csv").touch()
    with pytest.warns(UserWarning, match=r"^a\.txt: a letter$"):
        assert read_labelled(tmp_path / "a.csv", Entries.of([], [])) == [("When do you open?", None)]
