"""The `where` language: its text → a tree, and what a value is to it.

Imports: errors, system, records.
"""

from searcher.filters.conditions import joined, named
from searcher.filters.language import (
    And,
    Compare,
    Filter,
    Holds,
    In,
    IsNull,
    Like,
    Named,
    Not,
    Or,
    Path,
    Value,
    check_keys,
    in_metadata,
    parse,
)
from searcher.filters.values import BOOLEAN, NUMBER, TEXT, fits, kind_of, values_of

__all__ = [
    "BOOLEAN",
    "NUMBER",
    "TEXT",
    "And",
    "Compare",
    "Filter",
    "Holds",
    "In",
    "IsNull",
    "Like",
    "Named",
    "Not",
    "Or",
    "Path",
    "Value",
    "check_keys",
    "fits",
    "in_metadata",
    "joined",
    "kind_of",
    "named",
    "parse",
    "values_of",
]
