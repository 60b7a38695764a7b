"""Ignore files: patterns in the syntax of .gitignore, and which of a tree's entries they pass over."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["IGNORE_FILES", "Rules", "rules_of"]

IGNORE_FILES = (".gitignore", ".searcherignore")  # the latter's patterns come last, so they win

GLOB = re.compile(
    r"\\(?P<escaped>.)|(?P<stars>\*+)|(?P<any>\?)|\[(?P<negated>[!^]?)(?P<members>\]?(?:\[:\w+:\]|\\.|[^\]\\])*)\]"
    r"|(?P<broken>[\[\\])|(?P<literal>.)",
    re.DOTALL,
)
MEMBER = re.compile(r"\[:(?P<named>\w+):\]|\\(?P<escaped>.)|(?P<range>-)|(?P<literal>.)", re.DOTALL)
NAMED = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": " \\t",
    "digit": "0-9",
    "lower": "a-z",
    "punct": re.escape("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    "space": " \\t\\n\\r\\f\\v",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}


@dataclass(frozen=True)
class Pattern:
    """One line of an ignore file: `regex` matches whole paths relative to the file's folder."""

    regex: re.Pattern[str]
    negated: bool
    folders_only: bool


@dataclass(frozen=True)
class Rules:
    """The patterns of the ignore files of one folder, in their order."""

    folder: Path
    patterns: tuple[Pattern, ...]

    def verdict(self, path: Path, is_folder: bool) -> bool | None:
        """Whether the entry is ignored; None where no pattern speaks of it. The last one that does decides."""
        relative = path.relative_to(self.folder).as_posix()
        for pattern in reversed(self.patterns):
            if (is_folder or not pattern.folders_only) and pattern.regex.fullmatch(relative):
                return not pattern.negated
        return None


def rules_of(folder: Path) -> Rules | None:
    """The rules in a folder's ignore files; a file that cannot be read has none, as in git."""
    lines: list[str] = []
    for name in IGNORE_FILES:
        try:
            if (folder / name).is_file():
                # Names in a folder need not be UTF-8; surrogateescape is how Python spells those that are not.
                lines += (folder / name).read_bytes().decode("utf-8-sig", "surrogateescape").split("\n")
        except OSError:
            continue
    patterns = tuple(_patterns(lines))
    return Rules(folder, patterns) if patterns else None


def _patterns(lines: Iterable[str]) -> Iterator[Pattern]:
    for line in lines:
        glob = _without_trailing_spaces(line.removesuffix("\r"))
        if not glob or glob.startswith("#"):
            continue
        negated = glob.startswith("!")
        glob = glob[negated:]
        folders_only = glob.endswith("/")
        try:
            yield Pattern(re.compile(_regex(glob.removesuffix("/")), re.DOTALL), negated, folders_only)
        except (re.error, ValueError):  # git takes a malformed pattern to match nothing
            continue


def _without_trailing_spaces(line: str) -> str:
    """The line without spaces at its end, but for one that a backslash escapes."""
    bare = line.rstrip(" ")
    backslashes = len(bare) - len(bare.rstrip("\\"))
    return bare + " " if backslashes % 2 and len(bare) < len(line) else bare


def _regex(glob: str) -> str:
    r"""A glob as a regular expression for the whole path.

    >>> _regex("docs/**/*.tmp")
    'docs/(?:.*/)?[^/]*\\.tmp'
    """
    if not glob:
        raise ValueError("an empty pattern")
    if "/" not in glob:  # such a pattern means the name, at any depth
        return "(?:.*/)?" + _segment(glob)
    segments = glob.removeprefix("/").split("/")
    last = len(segments) - 1
    parts = []
    for position, segment in enumerate(segments):
        if segment == "**":
            parts.append(".+" if position == last else "(?:.*/)?")
        else:
            parts.append(_segment(segment) + ("" if position == last else "/"))
    return "".join(parts)


def _segment(glob: str) -> str:
    """A glob between slashes as a regular expression."""
    parts = []
    for token in GLOB.finditer(glob):
        if token["broken"]:
            raise ValueError("a bracket that is never closed, or a backslash before nothing")
        parts.append(TRANSLATIONS[token.lastgroup or "literal"](token))
    return "".join(parts)


def _set(token: re.Match[str]) -> str:
    members = "".join(
        NAMED[member["named"]] if member["named"] else "-" if member["range"] else re.escape(member[0][-1])
        for member in MEMBER.finditer(token["members"])
    )
    return f"(?!/)[{'^' if token['negated'] else ''}{members}]"


TRANSLATIONS: dict[str, Callable[[re.Match[str]], str]] = {
    "escaped": lambda token: re.escape(token["escaped"]),
    "stars": lambda token: "[^/]*",
    "any": lambda token: "[^/]",
    "members": _set,
    "literal": lambda token: re.escape(token["literal"]),
}
