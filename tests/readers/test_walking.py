"""Paths to files: what is met, in which order, and what is passed over."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searcher.readers import Found, find_files
from searcher.records import Failure, Skipped


def plant(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text")


def names(root: Path, *paths: Path) -> list[str]:
    found = find_files(paths or [root])
    return [item.path.relative_to(root).as_posix() for item in found if isinstance(item, Found)]


def failures(root: Path) -> dict[str, str]:
    return {Path(item.source).name: item.reason for item in find_files([root]) if isinstance(item, Failure)}


def test_a_folder_is_walked_in_the_order_of_its_paths(tmp_path: Path) -> None:
    plant(tmp_path, "b.txt", "a/z.txt", "a/b/c.txt", "a.txt", "B.txt")
    assert names(tmp_path) == ["B.txt", "a/b/c.txt", "a/z.txt", "a.txt", "b.txt"]


def test_hidden_files_and_caches_are_passed_over_in_silence(tmp_path: Path) -> None:
    plant(tmp_path, ".hidden", ".git/config", "__pycache__/a.pyc", "node_modules/x/readme.md", "src/.env", "src/a.py")
    assert list(find_files([tmp_path])) == [Found(tmp_path / "src/a.py", explicit=False, root=tmp_path)]


def test_a_file_given_by_name_is_found_whatever_the_rules_say(tmp_path: Path) -> None:
    plant(tmp_path, ".notes.txt", "secret.log")
    (tmp_path / ".gitignore").write_text("*.log\n")
    for name in (".notes.txt", "secret.log"):
        path = tmp_path / name
        assert list(find_files([path])) == [Found(path, explicit=True, root=path)]


def test_the_paths_found_are_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path, "docs/a.md")
    monkeypatch.chdir(tmp_path)
    assert names(tmp_path, Path("docs/../docs")) == ["docs/a.md"]


def test_a_file_is_met_once_when_paths_overlap(tmp_path: Path) -> None:
    plant(tmp_path, "docs/a.md", "docs/sub/b.md")
    assert names(tmp_path, tmp_path / "docs/sub/b.md", tmp_path / "docs", tmp_path) == ["docs/sub/b.md", "docs/a.md"]


def test_a_path_that_does_not_exist_is_told(tmp_path: Path) -> None:
    assert list(find_files([tmp_path / "no"])) == [Failure(str(tmp_path / "no"), "no such file or folder")]


def test_rules_nest_and_the_deeper_win(tmp_path: Path) -> None:
    plant(tmp_path, "a.log", "keep.log", "sub/a.log", "sub/b.log", "build/x.txt", "sub/build/y.txt")
    (tmp_path / ".gitignore").write_text("# logs\n*.log\n!keep.log\n/build/\n")
    (tmp_path / "sub/.gitignore").write_text("!b.log\n")
    assert names(tmp_path) == ["keep.log", "sub/b.log", "sub/build/y.txt"]


def test_searcherignore_has_the_last_word(tmp_path: Path) -> None:
    plant(tmp_path, "draft.md", "generated.md")
    (tmp_path / ".gitignore").write_text("generated.md\n")
    (tmp_path / ".searcherignore").write_text("draft.md\n!generated.md\n")
    assert names(tmp_path) == ["generated.md"]


def test_links_to_what_is_met_anyway_are_not_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    plant(root, "a.txt", "sub/b.txt")
    plant(outside, "c.txt")
    (root / "again.txt").symlink_to(root / "a.txt")
    (root / "sub/loop").symlink_to(root)
    (root / "away").symlink_to(outside)
    (root / "broken").symlink_to(root / "nothing")
    assert names(root) == ["a.txt", "sub/b.txt"]
    assert failures(root) == {"away": "a link that leaves the folder", "broken": "a link to nothing"}


def test_links_to_what_would_be_passed_over_are_followed(tmp_path: Path) -> None:
    plant(
        tmp_path, ".objects/KEY1", "notes/plain.md", ".versions/v3.md", "drafts/secret.md", "node_modules/m/readme.md"
    )
    (tmp_path / ".gitignore").write_text("drafts\n")
    for name, target in {
        "notes/letter.md": ".objects/KEY1", "current.md": ".versions/v3.md", "public.md": "drafts/secret.md",
        "module.md": "node_modules/m/readme.md", "again.md": "notes/plain.md", "all": ".versions",
    }.items():  # fmt: skip
        (tmp_path / name).symlink_to(os.path.relpath(tmp_path / target, (tmp_path / name).parent))
    (tmp_path / "second.md").symlink_to("current.md")
    found = names(tmp_path)
    assert found == ["current.md", "module.md", "notes/letter.md", "notes/plain.md", "public.md"]
    assert failures(tmp_path) == {"all": "a link to a hidden or ignored folder"}


def test_a_link_given_as_a_path_is_followed_and_keeps_its_name(tmp_path: Path) -> None:
    plant(tmp_path, "real/a.txt")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert names(tmp_path, tmp_path / "link") == ["link/a.txt"]


def test_pipes_and_index_folders_are_told(tmp_path: Path) -> None:
    plant(tmp_path, "a.txt", "index_data/searcher.db", "index_data/other.txt")
    os.mkfifo(tmp_path / "pipe")
    assert names(tmp_path) == ["a.txt"]
    assert failures(tmp_path) == {"index_data": "an index folder", "pipe": "a named pipe"}
    assert list(find_files([tmp_path / "pipe"])) == [Skipped(str(tmp_path / "pipe"), "a named pipe")]


def test_a_folder_that_cannot_be_listed_is_a_failure(tmp_path: Path, powerless: list[str]) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    code = "import sys; from pathlib import Path; from searcher.readers import find_files; print(*find_files([Path(sys.argv[1])]))"
    command = [*powerless, sys.executable, "-c", code, str(tmp_path)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed == f"Failure(source='{tmp_path / 'closed'}', reason='permission denied')\n"


def test_a_name_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt")).write_text("text")
    assert failures(tmp_path) == {"caf\\xe9.txt": "its name is not UTF-8"}


def test_a_tree_deeper_than_the_call_stack_is_walked() -> None:
    home, top = Path.cwd(), tempfile.mkdtemp()
    try:
        os.chdir(top)
        for _ in range(1200):
            os.mkdir("d")  # noqa: PTH102 - one step at a time
            os.chdir("d")
        Path("leaf.txt").write_text("text")
        os.chdir(home)
        [found] = find_files([Path(top)])
        assert isinstance(found, Found) and found.path.name == "leaf.txt"
    finally:
        os.chdir(home)
        subprocess.run(["rm", "-rf", top], check=True)  # so deep a tree is too much for Python's own rmtree


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository whose user has no settings."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("GIT_CONFIG_GLOBAL", raising=False)
    plant(tmp_path, "home/.config/git/ignore")
    plant(
        tmp_path / "repo",
        "docs/a.md",
        "docs/x.log",
        "docs/private/p.md",
        "docs/deep/private/q.md",
        "docs/b.tmp",
        "c.md",
    )
    subprocess.run(["git", "init", "-q", str(tmp_path / "repo")], check=True)
    return tmp_path / "repo"


NEEDS_GIT = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@NEEDS_GIT
def test_an_excludes_file_of_nobody_excludes_nothing(repository: Path) -> None:
    with (repository / ".git" / "config").open("a") as config:
        config.write("[core]\n\texcludesfile = ~nobody-of-this-name/ignore\n")
    assert "a.md" in names(repository / "docs")


@NEEDS_GIT
def test_a_folder_in_a_repository_obeys_the_ignore_files_above_it(repository: Path) -> None:
    (repository / ".gitignore").write_text("*.log\n/docs/private/\n")
    assert names(repository / "docs") == ["a.md", "b.tmp", "deep/private/q.md"]
    (repository / "docs/.gitignore").write_text("!x.log\n")
    assert names(repository / "docs") == ["a.md", "b.tmp", "deep/private/q.md", "x.log"]
    (repository / "elsewhere").symlink_to(repository / "docs/deep")
    (repository / ".gitignore").write_text("docs/deep/private\n")
    assert names(repository / "elsewhere") == []
    assert names(repository / "docs/private") == ["p.md"]  # a folder that was named is read, whatever the rules say


@NEEDS_GIT
def test_the_exclude_files_of_the_repository_and_of_the_user_are_obeyed(repository: Path, tmp_path: Path) -> None:
    everything = ["a.md", "b.tmp", "deep/private/q.md", "private/p.md", "x.log"]
    assert names(repository / "docs") == everything
    (repository / ".git/info/exclude").write_text("private\n")
    assert names(repository / "docs") == ["a.md", "b.tmp", "x.log"]
    assert names(repository) == ["c.md", "docs/a.md", "docs/b.tmp", "docs/x.log"]
    (tmp_path / "home/.config/git/ignore").write_text("*.tmp\n")
    assert names(repository / "docs") == ["a.md", "x.log"]
    (tmp_path / "home/.gitconfig").write_text("[core]\n\texcludesFile = ~/never\n")
    (tmp_path / "home/never").write_text("*.log\n")
    assert names(repository / "docs") == ["a.md", "b.tmp"]
    (repository / ".gitignore").write_text("!*.log\n")  # the repository has the last word
    assert names(repository / "docs") == ["a.md", "b.tmp", "x.log"]


@NEEDS_GIT
def test_outside_of_a_repository_no_rule_above_a_folder_holds_and_a_nested_one_keeps_its_own(
    repository: Path, tmp_path: Path
) -> None:
    (tmp_path / ".gitignore").write_text("*.md\n")
    (repository / ".git/info/exclude").write_text("*.log\n")
    assert names(repository) == ["c.md", "docs/a.md", "docs/b.tmp", "docs/deep/private/q.md", "docs/private/p.md"]
    plant(tmp_path, "free/docs/a.md")
    assert names(tmp_path / "free" / "docs") == ["a.md"]
    assert "repo/docs/x.log" not in names(tmp_path)


@NEEDS_GIT
def test_a_worktree_has_the_exclude_file_of_its_repository(repository: Path, tmp_path: Path) -> None:
    run = ["git", "-C", str(repository), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*run, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    subprocess.run([*run, "worktree", "add", "-q", str(tmp_path / "tree")], check=True)
    plant(tmp_path / "tree", "sub/a.md", "sub/b.log")
    (repository / ".git/info/exclude").write_text("*.log\n")
    assert names(tmp_path / "tree" / "sub") == ["a.md"]


SEGMENT = st.sampled_from(["a", "b", "c.log", "ab", "d-e", "[x]", "a b"])
TREE = st.lists(st.lists(SEGMENT, min_size=1, max_size=4).map("/".join), min_size=1, max_size=12)
GLOB = st.one_of(
    SEGMENT,
    st.sampled_from(["*", "?", "*.log", "a*", "[ab]", "[!a]", "[a-c]*", "[[:alpha:]]", r"\[x\]", "**", "a**b", "*b"]),
    st.text("ab*?.[]\\!^-", min_size=1, max_size=5),
)
PATTERN = st.builds(
    lambda negated, rooted, globs, tail: negated + rooted + "/".join(globs) + tail,
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "", "/", "**/"]),
    st.lists(GLOB, min_size=1, max_size=3),
    st.sampled_from(["", "", "/", "/**", "/*", " ", r"\ ", "\r"]),
)
# Two oddities that nobody writes are left out: a bracket that spans a slash, and an escaped slash.
PATTERN = PATTERN.filter(lambda pattern: not re.search(r"\[[!^]?\]?[^\]]*/|\\/", pattern))


@pytest.mark.skipif(shutil.which("git") is None, reason="git, the oracle, is not installed")
@settings(max_examples=60)
@given(TREE, st.lists(PATTERN, max_size=5), st.lists(PATTERN, max_size=3))
def test_ignore_files_mean_what_they_mean_to_git(tree: list[str], rules: list[str], deeper: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in tree:
            # A name may be a file of one path and a folder of another: the first to come has it.
            if not any((root / part).is_file() for part in Path(name).parents) and not (root / name).exists():
                plant(root, name)
        (root / ".gitignore").write_text("\n".join(rules))
        if (root / "a").is_dir():
            (root / "a/.gitignore").write_text("\n".join(deeper) + "\n")
        clean = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        subprocess.run(["git", "init", "-q", folder], check=True, env=clean)
        listed = subprocess.run(
            ["git", "-C", folder, "ls-files", "-z", "--others", "--exclude-standard"],
            check=True, env=clean, capture_output=True, text=True,
        ).stdout  # fmt: skip
        expected = {name for name in listed.split("\0") if name and not name.endswith(".gitignore")}
        assert set(names(root)) == expected
        for below in {name.rpartition("/")[0] for name in expected} - {""}:  # as if only that folder were added
            assert {f"{below}/{name}" for name in names(root / below)} == {
                name for name in expected if name.startswith(f"{below}/")
            }
