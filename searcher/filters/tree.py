"""A filter as a tree: what each node asks of a document's values, and which keys a tree names.

A key stands for all values that are found under it: one, or, where there is a list on the way, those of all its
elements, of lists within it too. So a value alone and a list of it are alike to a test, which holds if any of the
values passes. A negated one holds if there is a value of like type and none of them passes the test without the
negation.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from searcher.errors import UnknownName
from searcher.filters.tokens import written
from searcher.filters.values import Path, Value, kind_of
from searcher.system import kept_once

__all__ = [
    "And", "Compare", "Contains", "Every", "Filter", "Holds", "In", "IsEmpty", "IsNull", "Leaf", "Like", "Moment",
    "Named", "Not", "Or", "Some", "Test", "Unchecked", "check_keys", "in_metadata", "negated", "parts_of",
]  # fmt: skip


@dataclass(frozen=True)
class Compare:
    """A value of like type stands so to ours; `operator` is = != < <= > or >=."""

    path: Path
    operator: str
    value: Value


@dataclass(frozen=True)
class In:
    """A value is one of ours; negated: one is of the type of one of ours, none is equal to any.

    Of no values: nothing is one of them; whatever has a value has one that differs from all of them.
    """

    path: Path
    values: tuple[Value, ...]
    negated: bool = False

    @kept_once
    def by_kind(self) -> dict[str, set[Value]]:
        """The values of each kind."""
        found: dict[str, set[Value]] = {}
        for kind, value in map(kind_of, self.values):
            found.setdefault(kind, set()).add(value)
        return found


@dataclass(frozen=True)
class Like:
    """A value is a string that matches the pattern; negated: one is a string, none matches."""

    path: Path
    pattern: str
    negated: bool = False


@dataclass(frozen=True)
class Contains:
    """A string has ours in it, by code points; where the key holds a list, an element of it equals ours, as any value
    does that is no string.  folded: both without case (Unicode's case folding).
    """

    path: Path
    value: Value
    folded: bool = False
    negated: bool = False


@dataclass(frozen=True)
class Moment:
    """A string that is a moment in time by ISO 8601 stands so to ours; `operator` as of Compare, `moment` with zone."""

    path: Path
    operator: str
    moment: datetime


@dataclass(frozen=True)
class IsNull:
    """The key is missing, or nothing but null is found under it."""

    path: Path


@dataclass(frozen=True)
class IsEmpty:
    """The key is missing, or nothing but null, '', [] and {} is found under it."""

    path: Path


Test: TypeAlias = Compare | In | Like | Contains | Moment


@dataclass(frozen=True)
class Some:
    """A value passes the test by itself, as if there were no other."""

    test: Test

    @property
    def path(self) -> Path:
        """That of the test."""
        return self.test.path


@dataclass(frozen=True)
class Every:
    """There is a value, and each of them passes the test by itself."""

    test: Test

    @property
    def path(self) -> Path:
        """That of the test."""
        return self.test.path


@dataclass(frozen=True)
class Holds:
    """The passage holds these words, one after the other, as the keyword index spells them; no text says this node."""

    phrase: str


@dataclass(frozen=True)
class Named:
    """The path of the file, or else the source, is matched by a regular expression; no text says this node."""

    regex: str


@dataclass(frozen=True)
class And:
    """All of the parts hold; of none: whatever it is."""

    parts: tuple["Filter", ...]


@dataclass(frozen=True)
class Or:
    """At least one of the parts holds; of none: nothing does."""

    parts: tuple["Filter", ...]


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: "Filter"


@dataclass(frozen=True)
class Unchecked:
    """The part holds; a key in it that no document has is missing everywhere, not an error."""

    part: "Filter"


Leaf: TypeAlias = Test | IsNull | IsEmpty | Some | Every
Filter: TypeAlias = Leaf | Holds | Named | And | Or | Not | Unchecked


def parts_of(tree: Filter) -> tuple[Filter, ...]:
    """What a node is made of; nothing for a leaf."""
    match tree:
        case And(parts) | Or(parts):
            return parts
        case Not(part) | Unchecked(part):
            return (part,)
    return ()


def negated(test: Test) -> bool:
    """Whether it asks that none of the values be so."""
    if isinstance(test, Compare | Moment):
        return test.operator == "!="
    return test.negated


def in_metadata(path: Path) -> Path:
    """A path without the `metadata.` that may be written before it."""
    return path[1:] if len(path) > 1 and path[0] == "metadata" else path


def check_keys(
    tree: Filter, columns: Iterable[str], known: Callable[[Path], bool], every: Callable[[], Iterable[Path]]
) -> None:
    """UnknownName for a key that is neither a column nor one of metadata; after `metadata.` columns do not count.

    known: whether a path is one of metadata. every: gives all of these, for the error.
    """
    columns = set(columns)
    for path in sorted(_checked_paths(tree)):
        inner = in_metadata(path)
        if known(inner) or (len(path) == 1 and path[0] in columns):
            continue
        before = path[: len(path) - len(inner)]
        names = {written((*before, *key)) for key in every()}
        raise UnknownName("filter key", written(path), names if before else names | columns)


def _checked_paths(tree: Filter) -> set[Path]:
    match tree:
        case Unchecked() | Holds() | Named():
            return set()
        case And() | Or() | Not():
            return set().union(*map(_checked_paths, parts_of(tree)))
    return {tree.path}
