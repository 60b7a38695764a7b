"""Conditions that stand beside a filter: of files by globs, and all of them as one tree."""

from collections.abc import Iterable, Sequence

from searcher.errors import BadValue
from searcher.filters.tree import And, Filter, Named, Not
from searcher.system import paths_regex

__all__ = ["joined", "named"]


def named(include: Sequence[str], exclude: Sequence[str]) -> list[Filter]:
    """Filters for what came from files that globs name, and did not come from those that others name."""
    for name, globs in (("include", include), ("exclude", exclude)):
        listed = isinstance(globs, Iterable) and not isinstance(globs, str)
        if not listed or not all(isinstance(glob, str) and glob.strip("/") for glob in globs):
            raise BadValue(f"{name} is {globs!r}; good: a list of globs such as ['*.md', 'docs/**']")
    try:
        wanted: list[Filter] = [Named(paths_regex(include))] if include else []
        return [*wanted, *([Not(Named(paths_regex(exclude)))] if exclude else [])]
    except ValueError as fault:
        raise BadValue(str(fault)) from None


def joined(where: Filter | None, conditions: Sequence[Filter]) -> Filter | None:
    """A filter for all of it, None for no condition."""
    parts = (*([] if where is None else [where]), *conditions)
    return And(parts) if len(parts) > 1 else parts[0] if parts else None
