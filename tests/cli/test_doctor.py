"""`doctor`: what there is to work with, a line each, and an exit code where something is missing."""

import hashlib
import json
from pathlib import Path

import pytest
from running import Run

from searcher import __version__
from searcher.system import note


def test_doctor_says_in_a_line_each_what_there_is(run: Run, index: Path) -> None:
    result = run("doctor")
    assert (result.code, result.err) == (0, "")
    rows = [line.split(maxsplit=1) for line in result.out.splitlines()]
    assert {state for state, _ in rows} <= {"well", "note"}
    said = dict(text.split(maxsplit=1) for _, text in rows)
    assert said["searcher"].startswith(f"searcher {__version__}, Python 3.")
    assert "3 documents, 3 passages" in said["index"]
    assert "GiB free in" in said["disk"]
    assert {"processor", "libraries", "embedding", "searching"} <= said.keys()


def test_without_an_index_it_is_a_note_and_for_one_that_was_named_a_fault(run: Run) -> None:
    found = json.loads(run("doctor", "--json").out)
    assert found["index"]["state"] == "note"
    assert "looked for index_data here" in found["index"]["text"]
    result = run("doctor", "-i", "nowhere", "--json")
    assert result.code == 1
    assert json.loads(result.out)["index"]["state"] == "fault"


def test_a_setting_that_is_wrong_is_a_fault_of_what_it_is_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEARCHER_MODEL", "/no/such/folder")
    result = run("doctor", "--json")
    found = json.loads(result.out)
    assert (result.code, found["new indexes"]["state"]) == (1, "fault")
    assert "/no/such/folder" in found["new indexes"]["text"]
    assert found["libraries"]["state"] == "well"


def test_damage_of_the_index_is_told_and_the_other_lines_come_all_the_same(run: Run, index: Path) -> None:
    (index / "searcher.db").write_bytes(b"no database at all" * 100)
    result = run("doctor", "--json")
    found = json.loads(result.out)
    assert (result.code, found["index"]["state"]) == (1, "fault")
    assert found["disk"]["state"] in ("well", "note")


def test_weights_that_changed_although_nobody_wrote_to_them_are_a_fault(
    run: Run, tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEARCHER_MODEL", str(tiny_bert))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    weights = tiny_bert.resolve() / "model.safetensors"
    note(weights, weights.stat(), hashlib.sha256(weights.read_bytes()).hexdigest())
    assert json.loads(run("doctor", "--json").out)["new indexes"]["state"] == "well"
    note(weights, weights.stat(), "0" * 64)  # as if it had been another file under the same marks
    result = run("doctor", "--json")
    found = json.loads(result.out)["new indexes"]
    assert (result.code, found["state"]) == (1, "fault")
    assert "model.safetensors; get the model again" in found["text"]
