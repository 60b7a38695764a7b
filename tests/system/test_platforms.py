"""The core of the product on systems that lack what Linux has, simulated (tests/platforms.py says what is taken away)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from platforms import LACKS

from searcher import Searcher, system
from searcher.system import cores, named_once, spelled

SCRIPT = Path(__file__).parents[1] / "platforms.py"


@pytest.mark.parametrize("name", LACKS)
def test_add_search_remove_reindex_check_and_two_processes_work_on(name: str, tiny_bert: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", str(SCRIPT), name, str(tmp_path)]
    done = subprocess.run([*command, str(tiny_bert)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "added": [5, 0, 5],
        "sources": ["bank.md", "boat.md", "money.md", "river.md", "water.md"],
        "best": "# river\n\nThe river is near us 0.",
        "words": ["# money\n\nThe money is near us 2."],
        "changed": [1, 1, 3],
        "other process": "written",
        "seen after it": "hello",
        "removed": 1,
        "pooling": "cls",
        "file": True,
        "exported": 4,
        "check": [],
        "compact": True,
        "repaired": [True, True, []],
    }


def test_a_name_that_differs_in_case_is_the_same_source_where_it_is_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Notes").mkdir()
    (tmp_path / "Notes" / "Café.md").write_text("hello", encoding="utf-8")
    assert spelled(tmp_path / "notes" / "café.md") == f"{tmp_path}/notes/café.md"  # two names on this system
    there = os.path.lexists
    alike = {str(path).casefold() for path in tmp_path.rglob("*")}
    monkeypatch.setattr(os.path, "lexists", lambda path: there(path) or str(path).casefold() in alike)
    monkeypatch.setattr(Path, "is_dir", lambda path: str(path).casefold() != f"{tmp_path}/notes/café.md".casefold())
    assert spelled(tmp_path / "notes" / "CAFÉ.md") == f"{tmp_path}/Notes/Café.md"


def test_sources_have_slashes_and_relative_paths_lead_to_them(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.txt").write_text("hello world", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with Searcher(tmp_path / "index", model=tiny_bert) as s:
        s.add("a")
        assert [row["source"] for row in s.listing()] == [f"{tmp_path.as_posix()}/a/b.txt"]
        assert s.document("a/../a/b.txt").text == "hello world"


def test_a_draft_takes_a_name_once_only_with_and_without_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for linked in (True, False):
        if not linked:
            monkeypatch.delattr(os, "link")
        for number in (1, 2):
            (tmp_path / f"draft {number}").write_text(str(number), encoding="utf-8")
        named_once(tmp_path / "draft 1", tmp_path / f"name {linked}")
        with pytest.raises(FileExistsError):
            named_once(tmp_path / "draft 2", tmp_path / f"name {linked}")
        assert (tmp_path / f"name {linked}").read_text(encoding="utf-8") == "1"


def test_cores_are_those_that_the_process_may_use_or_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cores() == len(os.sched_getaffinity(0))
    monkeypatch.delattr(os, "sched_getaffinity")
    assert cores() == os.cpu_count()


def test_nothing_asks_the_system_elsewhere() -> None:
    package = Path(system.__file__).parents[1]
    asked = (
        "sched_getaffinity",
        "register_at_fork",
        "sys.platform",
        "os.name",
        "O_CLOEXEC",
        "O_NONBLOCK",
        "import fcntl",
    )
    for file in package.rglob("*.py"):
        if file.parent.name != "system":
            text = file.read_text(encoding="utf-8")
            assert [name for name in asked if name in text] == [], file
