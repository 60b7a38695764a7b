"""A filter as expressions of Milvus: one that lets through all that the filter does, and one that lets through no more.

Where the two are the same the filter is asked of the server alone. They differ for what its expressions cannot say:
`like`, parts of strings, words, and some tests of each element of a list; the rows in hand are judged then.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from searcher.engines.milvus.entries import (
    ANY,
    EVERY_ROW,
    FILLED,
    LETTERS,
    MOMENT,
    NO_MOMENT,
    PRESENT,
    key_of,
    sortable,
    sortable_moment,
)
from searcher.filters import (
    LIST,
    SINGLE,
    TEXT,
    And,
    Compare,
    Contains,
    Every,
    Filter,
    Holds,
    In,
    IsEmpty,
    IsNull,
    Like,
    Moment,
    Named,
    Not,
    Or,
    Some,
    Test,
    Unchecked,
    kind_of,
    negated,
    parts_of,
)
from searcher.places import PLACE_PARTS

__all__ = ["FIELD", "Bounds", "bounds", "literal", "of_documents", "tells_passages_apart"]

FIELD = "held"  # the JSON field in which `entries` are
OF_PASSAGES = {"section", "line", "passage_id", *PLACE_PARTS}  # keys whose values are of passages
ESCAPED = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})
# Of the least (0) and the greatest (1) of some values: which one says that any, or that all, are below or above.
ANY_END = {"<": 0, "<=": 0, ">": 1, ">=": 1}


class Bounds(NamedTuple):
    """above lets through all that the filter does, below nothing that it does not."""

    above: str
    below: str

    @property
    def is_exact(self) -> bool:
        """Whether nothing is left to be judged."""
        return self.above == self.below


def literal(text: str) -> str:
    """A text as a string of an expression, which ends where the text does, whatever is in it."""
    return f'"{text.translate(ESCAPED)}"'


def bounds(tree: Filter, named: Callable[[str], Bounds]) -> Bounds:
    """The expressions of a filter. named: those of the documents whose file has a name that a regex matches."""
    match tree:
        case And(parts):
            return _joined(" and ", [bounds(part, named) for part in parts], TRUE)
        case Or(parts):
            return _joined(" or ", [bounds(part, named) for part in parts], FALSE)
        case Not(part):
            inner = bounds(part, named)
            return Bounds(_not(inner.below), _not(inner.above))
        case Unchecked(part):
            return bounds(part, named)
        case Named(regex):
            return named(regex)
        case Holds():
            return Bounds(TRUE, FALSE)
        case IsNull(path):
            return _exactly(_not(_has(path, ANY)))
        case IsEmpty(path):
            return _exactly(_not(_has(path, FILLED)))
        case Some(test):
            return _some(test)
        case Every(test):
            return _every(test)
        case Compare() | Moment() | In() | Contains():
            return _test(tree)
        case Like(path):
            return Bounds(_has(path, LETTERS[TEXT]), FALSE)


def of_documents(numbers: Sequence[int]) -> Bounds:
    """Those of some documents, by their numbers."""
    return _exactly(f"(document in {list(numbers)})" if numbers else FALSE)


def tells_passages_apart(tree: Filter) -> bool:
    """Whether a filter speaks of passages, not only of documents."""
    match tree:
        case And() | Or() | Not() | Unchecked():
            return any(map(tells_passages_apart, parts_of(tree)))
        case Holds() | Named():
            return isinstance(tree, Holds)
    return len(tree.path) == 1 and tree.path[0] in OF_PASSAGES


# -- expressions


def _contains(key: str, text: str) -> str:
    return f'json_contains({FIELD}["{key}"], {literal(text)})'


def _has(path: tuple[str, ...], letter: str) -> str:
    """Something of that letter is under the path."""
    return _contains(PRESENT, key_of(path) + letter)


def _not(expression: str) -> str:
    return f"(not {expression})"


def _all(*parts: str) -> str:
    return f"({' and '.join(parts)})" if parts else TRUE


def _any(*parts: str) -> str:
    return f"({' or '.join(parts)})" if parts else FALSE


def _exactly(expression: str) -> Bounds:
    return Bounds(expression, expression)


def _joined(word: str, parts: Iterable[Bounds], empty: str) -> Bounds:
    several = list(parts)
    if not several:
        return _exactly(empty)
    return Bounds(*(f"({word.join(side)})" for side in zip(*several, strict=True)))


TRUE = _contains(PRESENT, EVERY_ROW)
FALSE = _not(TRUE)


# -- tests


class _Ordered(NamedTuple):
    """A test of one value: where the values of its kind are, how they stand to ours, and ours."""

    path: tuple[str, ...]
    letter: str
    order: str
    value: str

    @property
    def there(self) -> str:
        """There is a value of the kind, so that the others may be asked."""
        return _has(self.path, self.letter)

    @property
    def equal(self) -> str:
        """One of the values is ours."""
        return _contains(key_of(self.path) + self.letter, self.value)

    def end(self, which: int, order: str) -> str:
        """The least or the greatest stands so to ours."""
        return f'{FIELD}["{key_of(self.path)}{self.letter}{which}"] {order} {literal(self.value)}'

    def one(self) -> str:
        """One of the values stands so to ours."""
        if self.order == "=":
            return _all(self.there, self.equal)
        if self.order == "!=":
            return _all(self.there, _any(self.end(0, "!="), self.end(1, "!=")))
        return _all(self.there, self.end(ANY_END[self.order], self.order))

    def none_equal(self) -> str:
        """There are values, and ours is none of them."""
        return _all(self.there, _not(self.equal))

    def each(self) -> str:
        """There are values, and each stands so to ours."""
        if self.order == "=":
            return _all(self.there, self.end(0, "=="), self.end(1, "=="))
        if self.order == "!=":
            return self.none_equal()
        return _all(self.there, self.end(1 - ANY_END[self.order], self.order))


def _ordered(test: Test) -> _Ordered | None:
    """The test as one of a single value's order, None if it is another."""
    match test:
        case Compare(path, order, value):
            return _Ordered(path, LETTERS[kind_of(value)[0]], order, sortable(value))
        case Moment(path, order, moment):
            return _Ordered(path, MOMENT, order, sortable_moment(moment))
        case Contains(path, value) if not isinstance(value, str):  # which is a part of nothing
            return _Ordered(path, LETTERS[kind_of(value)[0]], "!=" if test.negated else "=", sortable(value))
    return None


def _test(test: Test) -> Bounds:
    """Of the values together."""
    if (ordered := _ordered(test)) is not None:
        return _exactly(ordered.none_equal() if ordered.order == "!=" else ordered.one())
    if isinstance(test, In):
        among = _any(*(_among(test, kind) for kind in test.by_kind))
        if not test.negated:
            return _exactly(among)
        kinds = test.by_kind if test.values else SINGLE
        return _exactly(_all(_any(*(_has(test.path, LETTERS[kind]) for kind in kinds)), _not(among)))
    assert isinstance(test, Contains)
    text, listed = _has(test.path, LETTERS[TEXT]), _has(test.path, LETTERS[LIST])
    if test.folded:
        return Bounds(text, FALSE)
    element = _Ordered(test.path, LETTERS[TEXT], "=", str(test.value))
    of_list = _all(listed, element.none_equal() if test.negated else element.one())
    return Bounds(_any(of_list, _all(_not(listed), text)), of_list)


def _among(test: In, kind: str) -> str:
    values = ", ".join(literal(text) for text in sorted(map(sortable, test.by_kind[kind])))
    letter = LETTERS[kind]
    return _all(_has(test.path, letter), f'json_contains_any({FIELD}["{key_of(test.path)}{letter}"], [{values}])')


def _some(test: Test) -> Bounds:
    """Of the values one by one."""
    if (ordered := _ordered(test)) is not None:
        return _exactly(ordered.one())
    if isinstance(test, In) and not test.negated:
        return _test(test)
    return Bounds(_any(*(_has(test.path, letter) for letter in _spoken_of(test))), FALSE)


def _every(test: Test) -> Bounds:
    """Of each of the values."""
    own = _spoken_of(test)
    others = {LETTERS[kind] for kind in LETTERS if kind != LIST} - set(own)
    if isinstance(test, Moment):
        others = others - {LETTERS[TEXT]} | {NO_MOMENT}
    alike = _all(
        _any(*(_has(test.path, letter) for letter in own)), *(_not(_has(test.path, o)) for o in sorted(others))
    )
    if (ordered := _ordered(test)) is not None:
        return _exactly(_all(alike, ordered.each()))
    return Bounds(alike, FALSE)


def _spoken_of(test: Test) -> list[str]:
    """The letters of the values that may pass by themselves."""
    if (ordered := _ordered(test)) is not None:
        return [ordered.letter]
    if isinstance(test, In):
        return [LETTERS[kind] for kind in (test.by_kind if test.values else SINGLE if negated(test) else ())]
    return [LETTERS[TEXT]]
