"""Type checkers report every wrong use of the library, and no right one."""

import inspect
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import searcher
from searcher import Searcher
from searcher.ranking.options import How

ROOT = Path(__file__).parents[2]
USES = Path(__file__).with_name("uses.py")


def mypy(folder: Path) -> set[int]:
    """Lines with an error; strict, as pyproject says, and with the cache that checking the package fills."""
    command = [sys.executable, "-m", "mypy", "--output", "json", str(USES)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {each["line"] for each in found if Path(each["file"]).name == USES.name and each["severity"] == "error"}


def pyright(folder: Path) -> set[int]:
    """Lines with an error, of pyright's own default rules."""
    settings = {"typeCheckingMode": "standard", "include": [str(USES)], "extraPaths": [str(ROOT)]}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "basedpyright", "-p", str(folder), "--pythonpath", sys.executable, "--outputjson"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = json.loads(done.stdout)["generalDiagnostics"]
    return {each["range"]["start"]["line"] + 1 for each in found if each["severity"] == "error"}


CHECKERS = {"mypy": mypy, "basedpyright": pyright}


@pytest.mark.parametrize("checker", CHECKERS)
def test_a_type_checker_reports_every_wrong_use_and_no_right_one(checker: str, tmp_path: Path) -> None:
    if find_spec(checker) is None:
        pytest.skip(f"{checker} is not installed")
    lines = USES.read_text(encoding="utf-8").splitlines()
    wrong = {number for number, line in enumerate(lines, 1) if line.endswith("# wrong")}
    reported = CHECKERS[checker](tmp_path)
    assert {number: lines[number - 1] for number in wrong ^ reported} == {}
    assert len(wrong) > 50


def test_what_type_checkers_are_told_of_a_search_is_what_it_takes() -> None:
    spelled_out = {"self", "query", "k", "where", "min_score", "vector"}
    assert inspect.signature(Searcher.search).parameters.keys() - spelled_out == How.__optional_keys__


def test_every_name_handed_out_is_there_and_listed() -> None:
    assert set(searcher.__all__) <= set(dir(searcher))
    assert not {"Any", "TYPE_CHECKING", "import_module", "_HOMES"} & set(dir(searcher))
    for name in searcher.__all__:
        assert getattr(searcher, name) is not None
    with pytest.raises(AttributeError, match="Sercher"):
        searcher.Sercher  # noqa: B018


def test_every_error_is_handed_out() -> None:
    assert set(searcher.errors.__all__) <= set(searcher.__all__)
