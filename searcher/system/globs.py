"""Globs as git has them: a pattern of a .gitignore, or of the command line → a regular expression for a whole path."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

__all__ = ["glob_regex", "paths_regex"]

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


def paths_regex(globs: Iterable[str]) -> str:
    r"""A regular expression for the paths, without the slash that they begin with, that one of some globs names.

    A glob matches names at any depth, and with a folder all in it; one that begins with / or ~ begins at the root.
    Raises ValueError, naming it, for one that is malformed.

    >>> bool(re.fullmatch(paths_regex(["docs/*.md"]), "home/me/docs/a.md"))
    True
    """
    parts = []
    for glob in globs:
        try:
            path = str(Path(glob).expanduser()) if glob.startswith("~") else glob
            bare = path.strip("/")
            regex = glob_regex(bare) if path.startswith("/") and "/" in bare else glob_regex(f"**/{bare}")
            re.compile(regex)
        except (re.error, ValueError, RuntimeError) as fault:  # the last for a user who is not there
            raise ValueError(f"{glob!r} is no glob: {fault}") from None
        parts.append(f"{regex}(?:/.*)?")
    return "|".join(parts)


def glob_regex(glob: str) -> str:
    r"""A glob as a regular expression for the whole path.

    >>> glob_regex("docs/**/*.tmp")
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
