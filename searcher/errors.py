"""The errors that searcher raises; this module imports nothing.

SearcherError               anything wrong in the user's world: one line, no traceback on the command line
├── BadValue                a wrong argument (also a ValueError)
│   ├── UnknownName         … that is not one of the names known
│   └── FilterError         … that is a `where` filter, with the position of the fault
├── UnreadableFile          a file that cannot be turned into documents
├── ModelError              a model that cannot be found, verified or used
├── SettingsMismatch        an index made with other settings than those asked for
├── DamagedIndex            stored data that is not what was written
└── IndexUnavailable        no index there, or one that cannot be read, locked or written now

Interrupted                 Ctrl-C during an `add`, `import` or `copy`, which is no fault: a KeyboardInterrupt
"""

from collections.abc import Iterable
from typing import Any

__all__ = [
    "BadValue",
    "DamagedIndex",
    "FilterError",
    "IndexUnavailable",
    "Interrupted",
    "ModelError",
    "SearcherError",
    "SettingsMismatch",
    "UnknownName",
    "UnreadableFile",
]


LISTED = 50  # names in a message


class SearcherError(Exception):
    """Base of all errors that a user can cause or meet; `str()` is one line."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception itself would call the class with its message alone: an error that takes more hangs a Pool.
        return _made_again, (type(self), self.args, self.__dict__)


def _made_again(kind: type[SearcherError], args: tuple[Any, ...], state: dict[str, Any]) -> SearcherError:
    """An error as it was in another process."""
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class BadValue(SearcherError, ValueError):
    """A wrong argument."""


class UnknownName(BadValue):
    """A name that is in none of our tables.

    >>> str(UnknownName("pooling", "avg", ["max", "cls"]))
    "unknown pooling 'avg'; known: cls, max"
    >>> str(UnknownName("pooling", "maxx", ["max", "cls"]))
    "unknown pooling 'maxx'; known: cls, max. Did you mean 'max'?"
    """

    def __init__(self, what: str, name: object, known: Iterable[object]) -> None:
        names = sorted(map(str, known))
        more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
        listed = ", ".join(names[:LISTED]) or "none"
        super().__init__(f"unknown {what} {name!r}; known: {listed}{more}{_meant(str(name), names)}")


def _meant(name: str, known: list[str]) -> str:
    """Which of the known names are most like a mistyped one, in any case; empty if none is."""
    spelled = {each.casefold(): each for each in known}
    from difflib import get_close_matches

    near = [spelled[each] for each in get_close_matches(name.casefold(), spelled, n=3)]
    return f". Did you mean {' or '.join(map(repr, near))}?" if near else ""


class FilterError(BadValue):
    """A `where` filter that cannot be understood; `position` counts characters from 1."""

    def __init__(self, problem: str, where: str, position: int) -> None:
        self.position = position
        super().__init__(f"filter {where!r}, position {position}: {problem}")


class UnreadableFile(SearcherError):
    """A file that cannot be turned into documents; `source` is its path, `reason` one short phrase."""

    def __init__(self, source: object, reason: str) -> None:
        self.source, self.reason = str(source), reason
        super().__init__(f"{source}: {reason}")


class ModelError(SearcherError):
    """A model that cannot be found, verified or used."""


class SettingsMismatch(SearcherError):
    """The index was made with another model or other settings; nothing was changed."""

    def __init__(self, setting: str, stored: object, given: object, advice: str = "") -> None:
        self.setting, self.stored, self.given = setting, stored, given
        line = f"the index was made with {setting} {stored!r}, not {given!r}"
        super().__init__(f"{line}; {advice}" if advice else line)


class DamagedIndex(SearcherError):
    """Stored data that is not what was written."""


class IndexUnavailable(SearcherError):
    """No index at that place, or one that cannot be read, locked or written now."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during an `add`, `import` or `copy`: what was in hand is committed, and the same call goes on from there.

    report: what was done, an AddReport or, of a copy, a Copied; `str()` says it in a line.
    """

    def __init__(self, report: Any, files: int, of_files: int) -> None:
        self.report = report
        far = f"{files:,} of {of_files:,} files are done" if of_files else f"{report.documents:,} documents are in"
        kept = f"{report.passages:,} passages were added and stay"
        super().__init__(f"interrupted; {far}, {kept}; the same command goes on from there")
