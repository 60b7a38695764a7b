"""A FAQ that has another name now is a FAQ still, and nothing of it is embedded again."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from searcher import Searcher

MARKDOWN = "# Where is the bank?\n\nNear the river.\n\n# Where is the boat?\n\nTied to the bank.\n"
TABLE = "question,answer\nWhere is the bank?,Near the river.\nWhere is the boat?,Tied to the bank.\n"


@pytest.fixture
def index(tiny_bert: Path, tmp_path: Path) -> Iterator[Searcher]:
    with Searcher(tmp_path / "index", tiny_bert) as made:
        yield made


def file_renamed(folder: Path) -> None:
    for file in folder.iterdir():
        file.rename(file.with_stem("questions"))


def folder_renamed(folder: Path) -> None:
    folder.rename(folder.with_name("new"))


@pytest.mark.parametrize("answers", [True, False])
@pytest.mark.parametrize("renamed", [file_renamed, folder_renamed])
@pytest.mark.parametrize(("name", "text"), [("faq.md", MARKDOWN), ("faq.csv", TABLE)], ids=["markdown", "table"])
def test_a_faq_with_another_name_answers_as_before(
    index: Searcher, tmp_path: Path, name: str, text: str, renamed: Callable[[Path], None], answers: bool
) -> None:
    folder = tmp_path / "home" / "old"
    folder.mkdir(parents=True)
    (folder / name).write_text(text)
    index.add_faq(folder / name, answers=answers)
    before, size = index.answer("Where is the boat?"), index.counts()
    renamed(folder)
    report = index.add(tmp_path / "home", prune=True)
    assert [(report.documents, report.embedded, report.removed, len(report.moved))] == [(0, 0, 0, 1)]
    after = index.answer("Where is the boat?")
    assert before and after and (after.answer, after.score) == (before.answer, before.score)
    assert index.counts() == size
    again = index.add(tmp_path / "home", prune=True)
    assert (again.documents, again.unchanged, again.moved) == (0, 2, [])


def test_a_page_with_another_name_stays_a_page_and_a_copy_of_a_faq_is_one(index: Searcher, tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "page.md").write_text(MARKDOWN)
    index.add(folder)
    (folder / "page.md").rename(folder / "moved.md")
    assert len(index.add(folder).moved) == 1
    assert index.answer("Where is the boat?") is None
    (tmp_path / "faq.md").write_text(f"{MARKDOWN}\n# Is it open?\n\nYes.\n")
    index.add_faq(tmp_path / "faq.md")
    (folder / "copy.md").write_bytes((tmp_path / "faq.md").read_bytes())
    index.add(folder)
    assert {row["kind"] for row in index.listing("source like '%copy.md%'")} == {"text"}
