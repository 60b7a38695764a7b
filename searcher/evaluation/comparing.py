"""Whether one ranking is better than another, or only luckier: the paired randomisation test."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from searcher.errors import BadValue
from searcher.evaluation.datasets import Dataset
from searcher.evaluation.measures import MEASURES
from searcher.evaluation.measuring import Evaluated, evaluated
from searcher.ingest import Progress, no_progress
from searcher.ranking import Mode
from searcher.search import Searcher

__all__ = [
    "FLIPS",
    "SIGNIFICANT",
    "Comparison",
    "across",
    "both",
    "compare",
    "compare_values",
    "paired_test",
]

FLIPS = 10_000
SIGNIFICANT = 0.05  # the largest p at which a difference is called real
BLOCK = 1_000  # flips made at once: a bound on memory

Values = Mapping[str, Sequence[float]]  # for each of MEASURES a value for every query


@dataclass(frozen=True)
class Comparison:
    """One measure under two settings, over the same queries.

    first, second: means; difference: first - second; p: how probable a difference of at least that size is if the
    two settings were alike. better, worse, equal: for how many queries the first is.
    """

    first: float
    second: float
    difference: float
    p: float
    better: int
    worse: int
    equal: int

    @property
    def real(self) -> bool:
        """Whether so great a difference would be rare between settings that are alike."""
        return self.p < SIGNIFICANT

    def as_dict(self) -> dict[str, Any]:
        """The comparison as the JSON object that `eval --against --json` prints."""
        return asdict(self) | {"real": self.real}


def paired_test(first: Sequence[float], second: Sequence[float], flips: int = FLIPS, seed: int = 0) -> Comparison:
    """Two-sided paired randomisation test of the values of n queries under two settings: were they alike, each
    query's two values might as well be exchanged. Smucker, Allan & Carterette 2007.

    Where there are no more than `flips` ways to exchange them, all are tried and p is exact; else `flips` random ones,
    and p counts what was seen among them (Phipson & Smyth 2010: it is never 0). BadValue for lists of unlike length.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1 or not len(a):
        raise BadValue(f"a paired test takes two values for each query; there are {a.shape} and {b.shape}")
    differences = a - b
    moved = differences[differences != 0]  # exchanging equal values changes nothing
    observed = abs(moved.sum())
    tie = 1e-9 * np.abs(moved).sum()  # sums of the same values in another order count as equal
    exact = 2 ** min(len(moved), 60) <= flips
    random = np.random.default_rng(seed)
    hits, total = 0, 2 ** len(moved) if exact else flips
    for start in range(0, total, BLOCK):
        stop = min(start + BLOCK, total)
        if exact:
            bits = (np.arange(start, stop)[:, None] >> np.arange(len(moved))) & 1
        else:
            bits = random.integers(0, 2, (stop - start, len(moved)))
        hits += int((np.abs((2 * bits - 1) @ moved) >= observed - tie).sum())
    p = hits / total if exact else (hits + 1) / (total + 1)
    better, worse = int((differences > 0).sum()), int((differences < 0).sum())
    return Comparison(
        float(a.mean()), float(b.mean()), float(differences.mean()), p, better, worse, len(a) - better - worse
    )


def compare_values(first: Sequence[Values], second: Sequence[Values]) -> dict[str, Comparison]:
    """A paired test for each of MEASURES over one or several sets, each with its values under two settings."""
    return {name: across([own[name] for own in first], [own[name] for own in second]) for name in MEASURES}


def across(first: Sequence[Sequence[float]], second: Sequence[Sequence[float]]) -> Comparison:
    """A paired test over sets: the values of each one's queries under two settings.

    The means are those of the sets' means, so that a set of many queries counts no more than one of few; what is
    exchanged in the test are still the two values of a query.
    """
    sizes = np.array([len(values) for values in first])
    weights = np.repeat(sizes.sum() / (len(sizes) * sizes), sizes)
    ours, theirs = (np.concatenate([np.asarray(values) for values in each]) * weights for each in (first, second))
    return paired_test(ours.tolist(), theirs.tolist())


def compare(
    dataset: Dataset,
    first: Searcher,
    second: Searcher,
    progress: Progress = no_progress,
    modes: tuple[Mode, Mode] = ("dense", "dense"),
    relevant: float | None = None,
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Comparison]]:
    """Two indexes, or one in two modes, on one set: what `evaluate` says of each, a comparison for each of MEASURES."""
    ours, theirs = both(dataset, first, second, progress, modes, relevant)
    return ours.result, theirs.result, compare_values([ours.values], [theirs.values])


def both(
    dataset: Dataset,
    first: Searcher,
    second: Searcher,
    progress: Progress = no_progress,
    modes: tuple[Mode, Mode] = ("dense", "dense"),
    relevant: float | None = None,
) -> tuple[Evaluated, Evaluated]:
    """As `compare`, with the values of every query, for `compare_values` over several sets."""
    return (
        evaluated(dataset, first, progress, modes[0], relevant),
        evaluated(dataset, second, progress, modes[1], relevant),
    )
