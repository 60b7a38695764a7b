"""The kinds of FAISS index there are: what each is made of, which knob it has, and which one `auto` takes.

Figures: `benchmarks/scale.py`, 624,712 text vectors of 384 numbers. A name that is not in the table is FAISS's own
description of an index (its wiki, "The index factory"), such as "IVF4096_HNSW32,SQ8".
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from searcher.errors import BadValue

__all__ = ["AUTO", "FLAT", "IndexType", "Indexing", "automatic", "check_knob", "chosen", "index_type"]

FLAT, AUTO = "flat", "auto"
MOST_KNOB = 1 << 16
SPARE = 4  # candidates more, which matter where k is small


@dataclass(frozen=True)
class IndexType:
    """A way to keep vectors so that the nearest are found.

    factory: passages, dimension → FAISS's description. again: how many times k candidates, and some, are scored again
    with the stored vectors, because the index itself only has an approximation of them. knob: the name of what trades
    recall for speed at search time, if there is one, and its value unless one was tuned or is given.
    """

    name: str
    factory: Callable[[int, int], str]
    again: float = 1
    knob: str | None = None
    default: int = 0

    def candidates(self, k: int) -> int:
        """How many are found in the index for k hits."""
        return k if self.again == 1 else math.ceil(k * self.again) + SPARE


@dataclass(frozen=True)
class Indexing:
    """What the owner wants, and what a tuning found for the type `tuned`.

    effort: the knob's value with which that recall@10 was reached over so many questions, in milliseconds each.
    """

    type: str = AUTO
    tuned: str | None = None
    effort: int | None = None
    recall: float | None = None
    milliseconds: float | None = None
    questions: int | None = None

    def effort_of(self, kind: IndexType) -> int | None:
        """The knob's value, if it was tuned for that type."""
        return self.effort if self.tuned == kind.name else None


def _lists(count: int) -> int:
    """Lists of an inverted file: 4 √n, FAISS's own advice, but 40 vectors at least to train each."""
    return max(1, min(int(4 * math.sqrt(count)), count // 40))


def _parts(dimension: int) -> int:
    """Bytes of a product code: a part for each 8 numbers, or as near to that as divides the vector."""
    return max(parts for parts in range(1, max(1, dimension // 8) + 1) if dimension % parts == 0)


TYPES = {
    kind.name: kind
    for kind in [
        IndexType(FLAT, lambda count, dimension: "Flat"),
        IndexType("fp16", lambda count, dimension: "SQfp16", again=1.1),
        IndexType("sq8", lambda count, dimension: "SQ8", again=1.1),
        IndexType("hnsw", lambda count, dimension: "HNSW32", knob="ef", default=128),
        IndexType("ivf", lambda count, dimension: f"IVF{_lists(count)},SQ8", again=3, knob="nprobe", default=64),
        # An inverted file too: FAISS's plain IndexPQ searches among some of its vectors only with none.
        IndexType("pq", lambda count, dimension: f"IVF{_lists(count)},PQ{_parts(dimension)}", 30, "nprobe", 64),
    ]
}

# What in FAISS's description of an index means that its scores are not those of the vectors, and how many times as many
# candidates are then scored again: codes, and what is done to vectors before.
APPROXIMATE = {
    "fp16": 2, "bf16": 2, "SQ8": 3, "SQ4": 10, "SQ6": 10, "PCA": 10, "RR": 10, "PQ": 30, "x4": 30, "RaBitQ": 30,
    "LSH": 30, "ITQ": 30,
}  # fmt: skip
# What begins the part that is looked through to a degree → the knob and its value.
KNOBS: dict[str, tuple[str, int]] = {"IVF": ("nprobe", 64), "HNSW": ("ef", 128)}

# Up to so many passages, the type that `auto` takes, and why.
AUTOMATIC = [
    (20_000, FLAT, "an exact search of so few takes milliseconds"),
    (4_000_000, "sq8", "finds what an exact search finds, in a quarter of the memory"),
    (1 << 62, "ivf", "to look at all would take a tenth of a second and more on most CPUs"),
]


def automatic(count: int) -> tuple[IndexType, str]:
    """The type for so many passages, and why."""
    return next((TYPES[name], reason) for most, name, reason in AUTOMATIC if count <= most)


def chosen(wanted: str, count: int) -> tuple[str, str]:
    """The name of the type that is to be made of so many passages, and why."""
    if wanted != AUTO:
        return wanted, "as chosen"
    kind, reason = automatic(count)
    return kind.name, reason


def index_type(name: str) -> IndexType:
    """The type of that name, or FAISS's of that description. BadValue for a name that cannot be either."""
    if name in TYPES:
        return TYPES[name]
    if not name or not name.isascii() or not name[0].isupper() or len(name) > 100:
        known = ", ".join([AUTO, *TYPES])
        raise BadValue(f"unknown index type {name!r}; known: {known}, or a FAISS factory string such as IVF4096,SQ8")
    again = max([1, *(times for word, times in APPROXIMATE.items() if word in name)])
    parts = [part for part in name.split(",") if part.startswith(tuple(KNOBS))]
    knob = next((own for word, own in KNOBS.items() if parts and parts[0].startswith(word)), (None, 0))
    return IndexType(name, lambda count, dimension: name, again, *knob)


def check_knob(name: str, value: object) -> int:
    """The value of a knob. BadValue unless it is a whole number from 1 on."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_KNOB:
        raise BadValue(f"{name} is {value!r}; good: a whole number from 1 to {MOST_KNOB:,}")
    return value
