"""`search --in`: a folder that was never indexed is asked, and followed."""

import json
import os
from pathlib import Path

import pytest
from models import save_bert
from running import Run


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A cache of this test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "cache" / "searcher" / "folders"


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A folder of two files."""
    folder = tmp_path / "my notes"
    folder.mkdir()
    (folder / "bank.txt").write_text("the bank of the river")
    (folder / "money.md").write_text("# Money\n\nhello world\n")
    return folder


def sources(out: str) -> set[str]:
    """The names of the files that hits of `--jsonl` come from."""
    return {Path(json.loads(line)["source"]).name for line in out.splitlines()}


def test_a_folder_is_read_when_it_is_first_asked_and_only_what_changed_later(
    run: Run, notes: Path, tiny_bert: Path, tmp_path: Path
) -> None:
    ask = ("search", "the", "river", "--in", notes, "-m", tiny_bert, "--jsonl")
    first = run(*ask)
    assert (first.code, first.err) == (0, "2 documents read\n")
    assert sources(first.out) == {"bank.txt", "money.md"}
    again = run(*ask)
    assert (again.err, again.out) == ("", first.out)
    (notes / "bank.txt").unlink()
    (notes / "new.txt").write_text("river boat")
    later = run(*ask)
    assert later.err == "1 document read, 1 removed\n"
    assert sources(later.out) == {"new.txt", "money.md"}
    assert not (tmp_path / "index_data").exists()
    assert sorted(path.name for path in notes.iterdir()) == ["money.md", "new.txt"]


def test_one_file_is_asked_alone(run: Run, notes: Path, tiny_bert: Path) -> None:
    found = run("search", "river", "--in", notes / "bank.txt", "-m", tiny_bert, "--jsonl")
    assert sources(found.out) == {"bank.txt"}


def test_another_model_has_another_index_and_both_are_listed(
    run: Run, notes: Path, tiny_bert: Path, tmp_path: Path, cache: Path
) -> None:
    other = save_bert(tmp_path / "other", seed=7)
    for model in (tiny_bert, other, tiny_bert):
        assert run("search", "river", "--in", notes, "-m", model).code == 0
    assert len(list(cache.iterdir())) == 2
    listed = json.loads(run("indexes", "--json").out)
    assert [(row["name"], row["documents"]) for row in listed] == [(str(notes), 2)] * 2
    assert {Path(row["folder"]) for row in listed} == set(cache.iterdir())


def test_two_folders_of_one_name_have_two_indexes(run: Run, tiny_bert: Path, tmp_path: Path, cache: Path) -> None:
    for parent in ("a", "b"):
        (tmp_path / parent / "notes").mkdir(parents=True)
        (tmp_path / parent / "notes" / f"{parent}.txt").write_text("river")
        found = run("search", "river", "--in", tmp_path / parent / "notes", "-m", tiny_bert, "--jsonl")
        assert sources(found.out) == {f"{parent}.txt"}
    assert len(list(cache.iterdir())) == 2


def test_what_cannot_be_read_is_told_and_the_rest_is_asked(run: Run, notes: Path, tiny_bert: Path) -> None:
    (notes / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing")
    found = run("search", "river", "--in", notes, "-m", tiny_bert, "--jsonl")
    assert found.code == 0
    assert found.err.startswith("2 documents read, 1 not read; my notes/broken.pdf: ")
    assert sources(found.out) == {"bank.txt", "money.md"}


def test_an_empty_folder_has_no_hits(run: Run, tiny_bert: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    found = run("search", "river", "--in", tmp_path / "empty", "-m", tiny_bert, "--json")
    assert (found.code, json.loads(found.out)) == (0, [])


def test_a_folder_whose_name_is_no_text_is_refused_in_one_line_and_listed(
    run: Run, tiny_bert: Path, tmp_path: Path
) -> None:
    folder = tmp_path / os.fsdecode(b"b\xff")
    folder.mkdir()
    (folder / "a.txt").write_text("river")
    refused = run("search", "river", "--in", folder, "-m", tiny_bert)
    assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert json.loads(run("indexes", "--json").out)[0]["documents"] == 0


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--in", "nowhere"), "Invalid value for '--in': Path 'nowhere' does not exist."),
        (("--in", ".", "-i", "index"), "--in makes an index of its own; leave out -i."),
    ],
)
def test_a_path_that_is_none_and_two_indexes_are_one_line(run: Run, arguments: tuple[str, ...], line: str) -> None:
    refused = run("search", "river", *arguments)
    assert refused.code == 2
    assert refused.err.startswith(f"Error: {line}") and refused.err.count("\n") == 1
