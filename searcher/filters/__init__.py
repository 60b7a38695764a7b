"""The `where` language: text, a dict or a tree → a tree that is sound, and what it lets through.

language.py has the grammar and what it means, tree.py the nodes, conditions.py what stands beside a filter.

Imports: errors, system, plain, records.
"""

from searcher.filters.conditions import joined, named
from searcher.filters.given import parse
from searcher.filters.passing import fits, judge
from searcher.filters.tokens import written
from searcher.filters.tree import (
    And,
    Compare,
    Contains,
    Every,
    Filter,
    Holds,
    In,
    IsEmpty,
    IsNull,
    Leaf,
    Like,
    Moment,
    Named,
    Not,
    Or,
    Some,
    Test,
    Unchecked,
    check_keys,
    in_metadata,
    negated,
    parts_of,
)
from searcher.filters.values import (
    BOOLEAN,
    LIST,
    NUMBER,
    OBJECT,
    SINGLE,
    TEXT,
    Path,
    Value,
    has_key,
    kind_of,
    values_of,
)

__all__ = [
    "BOOLEAN",
    "LIST",
    "NUMBER",
    "OBJECT",
    "SINGLE",
    "TEXT",
    "And",
    "Compare",
    "Contains",
    "Every",
    "Filter",
    "Holds",
    "In",
    "IsEmpty",
    "IsNull",
    "Leaf",
    "Like",
    "Moment",
    "Named",
    "Not",
    "Or",
    "Path",
    "Some",
    "Test",
    "Unchecked",
    "Value",
    "check_keys",
    "fits",
    "has_key",
    "in_metadata",
    "joined",
    "judge",
    "kind_of",
    "named",
    "negated",
    "parse",
    "parts_of",
    "values_of",
    "written",
]
