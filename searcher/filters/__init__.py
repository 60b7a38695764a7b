"""The `where` language: its text → a tree, and what a value is to it.

Imports: errors, records.
"""

from searcher.filters.language import (
    And,
    Compare,
    Filter,
    In,
    IsNull,
    Like,
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
    "In",
    "IsNull",
    "Like",
    "Not",
    "Or",
    "Path",
    "Value",
    "check_keys",
    "fits",
    "in_metadata",
    "kind_of",
    "parse",
    "values_of",
]
