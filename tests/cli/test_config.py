"""Which index a command works on and what holds where nothing is said: flag, environment, index, user, default."""

import json
import os
from pathlib import Path

import pytest
from running import Run, one_line


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user of whom nothing is known."""
    for name, folder in (("XDG_CONFIG_HOME", "config"), ("XDG_DATA_HOME", "data"), ("XDG_CACHE_HOME", "cache")):
        monkeypatch.setenv(name, str(tmp_path / "home" / folder))
    for name in ("MODE", "K", "MODEL", "INDEX"):
        monkeypatch.delenv(f"SEARCHER_{name}", raising=False)
    return tmp_path / "home"


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def held(run: Run, *typed: object) -> dict[str, tuple[object, str]]:
    rows = json.loads(run("config", *typed, "--json").out)
    return {name: (row["value"], row["from"]) for name, row in rows.items()}


def test_an_index_is_found_from_any_folder_below(run: Run, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = index.parent / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert "bank.txt" in run("search", "money", "in", "the", "bank", "account", "-k", 1).out
    assert run("add", index.parent / "texts").out.startswith("added 0 documents")
    assert not (below / "index_data").exists()
    assert held(run)["index"] == (str(index), "the nearest index_data")


def test_no_index_says_where_was_looked_and_which_named_ones_there_are(run: Run, tiny_bert: Path) -> None:
    one_line(
        run("search", "x"),
        "no index",
        "index_data here and in the",
        "folders above",
        "named indexes: none",
        "searcher add PATH",
    )
    write(Path("a.txt"), "hello")
    run("add", "a.txt", "-m", tiny_bert, "-i", "@notes")
    one_line(run("search", "x"), "named indexes: notes")
    one_line(run("search", "x", "-i", "elsewhere"), "no index in", "elsewhere", "searcher add PATH -i elsewhere")
    one_line(run("search", "x", "-i", "@other"), "no index in", "other")


def test_a_named_index_lies_in_the_users_folder_and_is_asked_from_anywhere(
    run: Run, tiny_bert: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "a.txt", "hello there")
    assert run("indexes").out.startswith("no named indexes")
    assert run("add", "a.txt", "-m", tiny_bert, "-i", "@notes").code == 0
    assert (home / "data" / "searcher" / "indexes" / "notes" / "searcher.db").exists()
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    assert "a.txt" in run("search", "hello", "-i", "@notes").out
    assert "a.txt" in run("search", "hello", "-i", "notes").out  # no folder is called so here
    [row] = json.loads(run("indexes", "--json").out)
    assert (row["name"], row["documents"], row["passages"]) == ("notes", 1, 1)
    assert "notes" in run("indexes").out
    for name in ("@../x", "@", "@.hidden", "@a/b"):
        one_line(run("add", "../a.txt", "-i", name), repr(name), "is no name of an index")


def test_the_index_of_the_users_settings_is_the_last_that_is_looked_for(
    run: Run, index: Path, home: Path, tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("add", "texts/hello.txt", "-m", tiny_bert, "-i", "@mine")
    write(home / "config" / "searcher" / "config.toml", 'index = "@mine"\n')
    assert held(run)["index"][0] == str(index)  # the one that lies here is nearer
    monkeypatch.chdir("/")
    assert held(run)["index"][0] == str(home / "data" / "searcher" / "indexes" / "mine")
    assert len(json.loads(run("list", "--json").out)) == 1
    monkeypatch.setenv("SEARCHER_INDEX", str(index))
    assert held(run)["index"] == (str(index), "$SEARCHER_INDEX")
    assert held(run, "-i", "@mine")["index"][1] == "the command line"


def test_each_place_of_a_setting_goes_before_the_next(
    run: Run, index: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hits(*typed: object) -> int:
        return len(json.loads(run("search", "bank", "--json", *typed).out))

    assert held(run)["k"] == (10, "default")
    assert hits() == 3
    write(home / "config" / "searcher" / "config.toml", 'k = 2\nmode = "keyword"\n')
    assert hits("--mode", "dense") == 2
    assert held(run)["mode"][0] == "keyword"
    write(index / "config.toml", "k = 1\n")
    assert hits() == 1
    assert held(run)["k"][1].endswith("index_data/config.toml")
    monkeypatch.setenv("SEARCHER_K", "2")
    assert hits() == 2
    assert hits("-k", 1) == 1


@pytest.mark.parametrize(
    "line, parts",
    [
        ("k = 0", ["k is 0", "at least 1"]),
        ("k = true", ["k is True"]),
        ('mode = "hybird"', ["mode is 'hybird'", "dense, keyword, hybrid"]),
        ("moed = 1", ["'moed'", "mode"]),
        ("k = ", ["cannot be read"]),
    ],
)
def test_a_bad_setting_is_told_with_its_file_and_what_is_good(
    run: Run, index: Path, home: Path, line: str, parts: list[str]
) -> None:
    file = home / "config" / "searcher" / "config.toml"
    write(file, line + "\n")
    one_line(run("search", "x"), "config.toml", *parts)


def test_a_folder_in_the_place_of_the_settings_is_told(run: Run, index: Path, home: Path) -> None:
    (home / "config" / "searcher" / "config.toml").mkdir(parents=True)
    one_line(run("search", "bank"), "config.toml cannot be read")


def test_a_bad_variable_is_told_by_its_name(run: Run, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEARCHER_MODE", "best")
    one_line(run("search", "x"), "$SEARCHER_MODE", "'best'", "dense, keyword, hybrid")


def test_the_settings_of_a_strangers_index_choose_no_model_and_no_other_index(run: Run, index: Path) -> None:
    write(index / "config.toml", 'model = "../evil"\n')
    one_line(run("search", "x"), "index_data/config.toml", "'model'", "k, mode")


def test_a_model_of_the_settings_is_for_new_indexes_and_changes_none_that_exists(
    run: Run, index: Path, home: Path, tiny_bert: Path
) -> None:
    write(home / "config" / "searcher" / "config.toml", f'model = "{tiny_bert}"\n')
    assert run("add", "texts", "-i", "new").code == 0
    before = json.loads(run("status", "--json").out)
    write(home / "config" / "searcher" / "config.toml", 'model = "no/such-model"\n')
    assert run("search", "hello").code == 0
    assert json.loads(run("status", "--json").out) == before
    one_line(run("add", "texts", "-i", "other"), "no/such-model")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files of others")
def test_an_index_of_somebody_else_in_a_folder_above_is_not_taken(
    run: Run, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = index.parent / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    for path in (index, *index.iterdir()):
        os.chown(path, 65534, 65534)
    one_line(run("search", "hello"), "no index: looked for")
