"""Ignore files: patterns in the syntax of .gitignore, and which of a tree's entries they pass over, as git would."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from searcher.system import glob_regex

__all__ = ["IGNORE_FILES", "Rules", "repository_rules", "rules_of"]

IGNORE_FILES = (".gitignore", ".searcherignore")  # the latter's patterns come last, so they win

# Where git looks for what its user never wants, and where its settings say otherwise (gitignore(5), git-config(1)).
USER_FILES = ("git/ignore", "git/config")
EXCLUDES = re.compile(r"^\s*excludesfile\s*=\s*\"?([^\"\n]+?)\"?\s*$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Pattern:
    """One line of an ignore file: `regex` matches whole paths relative to the file's folder."""

    regex: re.Pattern[str]
    negated: bool
    folders_only: bool


@dataclass(frozen=True)
class Rules:
    """The patterns of the ignore files of one folder, in their order.

    within: where `folder` stands in the one that the patterns are relative to, "/" at its end; empty if it is that.
    """

    folder: Path
    patterns: tuple[Pattern, ...]
    within: str = ""

    def verdict(self, path: Path, is_folder: bool) -> bool | None:
        """Whether the entry is ignored; None where no pattern speaks of it. The last one that does decides."""
        relative = self.within + path.relative_to(self.folder).as_posix()
        for pattern in reversed(self.patterns):
            if (is_folder or not pattern.folders_only) and pattern.regex.fullmatch(relative):
                return not pattern.negated
        return None


def rules_of(folder: Path) -> Rules | None:
    """The rules in a folder's ignore files, those of git's own exclude files first where it is a repository.

    A file that cannot be read has none, as in git.
    """
    files = [*_exclude_files(folder), *(folder / name for name in IGNORE_FILES)]
    patterns = tuple(_patterns(line for file in files for line in _lines(file)))
    return Rules(folder, patterns) if patterns else None


def repository_rules(folder: Path) -> Iterator[Rules]:
    """The rules that hold in a folder because of those above it, up to the root of the repository that it is in, the
    outermost first; none outside of one.
    """
    real = Path(os.path.realpath(folder))
    above = list(real.parents)
    root = next((number for number, parent in enumerate(above) if _is_repository(parent)), None)
    if root is None or _is_repository(real):
        return
    for parent in reversed(above[: root + 1]):
        if rules := rules_of(parent):
            yield Rules(folder, rules.patterns, f"{real.relative_to(parent).as_posix()}/")


def _is_repository(folder: Path) -> bool:
    return os.path.lexists(folder / ".git")


def _exclude_files(folder: Path) -> Iterator[Path]:
    """The files beside .gitignore in which git finds patterns for a repository: the user's, and its own."""
    if not _is_repository(folder):
        return
    settings = _expanded(os.environ.get("XDG_CONFIG_HOME") or "~/.config")
    plain, general = (settings / name if settings else None for name in USER_FILES)
    given = os.environ.get("GIT_CONFIG_GLOBAL")
    users = (general, _expanded("~/.gitconfig")) if given is None else (Path(given),)
    for config in (*users, _git_folder(folder / ".git") / "config"):
        if config and (found := EXCLUDES.findall("\n".join(_lines(config)))):
            plain = _expanded(found[-1])
    if plain:
        yield plain
    yield _git_folder(folder / ".git") / "info" / "exclude"


def _expanded(path: str) -> Path | None:
    """The path with ~ or ~user as that home; None where there is none: no such user, or nobody at home."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return None


def _git_folder(git: Path) -> Path:
    """The folder that a .git stands for: of a worktree or a submodule it is a file that names it."""
    for _ in range(2):
        if git.is_dir():
            common = _lines(git / "commondir")
            return git / common[0] if common else git
        named = next((line.removeprefix("gitdir: ") for line in _lines(git) if line.startswith("gitdir: ")), "")
        git = git.parent / named
    return git


def _lines(file: Path) -> list[str]:
    """The lines of a file, none of one that cannot be read."""
    try:
        # Names in a folder need not be UTF-8; surrogateescape is how Python spells those that are not.
        text = file.read_bytes().decode("utf-8-sig", "surrogateescape") if file.is_file() else ""
    except OSError:
        return []
    return text.split("\n") if text else []


def _patterns(lines: Iterable[str]) -> Iterator[Pattern]:
    for line in lines:
        glob = _without_trailing_spaces(line.removesuffix("\r"))
        if not glob or glob.startswith("#"):
            continue
        negated = glob.startswith("!")
        glob = glob[negated:]
        folders_only = glob.endswith("/")
        try:
            yield Pattern(re.compile(glob_regex(glob.removesuffix("/")), re.DOTALL), negated, folders_only)
        except (re.error, ValueError):  # git takes a malformed pattern to match nothing
            continue


def _without_trailing_spaces(line: str) -> str:
    """The line without spaces at its end, but for one that a backslash escapes."""
    bare = line.rstrip(" ")
    backslashes = len(bare) - len(bare.rstrip("\\"))
    return bare + " " if backslashes % 2 and len(bare) < len(line) else bare
