"""What is held of an answer before anything is known of the FAQ: the shipped default, and what fits no question at all.

The default is a logistic function of the score and of how many phrasings the entry has, fitted to public FAQs of 25 to
15,000 phrasings, with and without answers that are embedded, of whose questions four in ten have no answer; none is of
HINT3, on which benchmarks/faq.py reports it. It is for the model whose scores it was fitted to and for no other.
"""

from collections.abc import Callable, Sequence

import numpy as np

from searcher.embedding import IndexSettings
from searcher.faq.calibration import Logistic
from searcher.faq.entries import Found
from searcher.faq.matching import EVIDENCE, SHIPPED
from searcher.ranking import GENERAL

__all__ = ["LEAST", "REACHED", "SPELT", "default_of", "is_default_for", "nonsense_level"]

WEIGHTS, POOLING, LAYERS = "53aa51172d142c89", "mean", [6]  # all-MiniLM-L6-v2 as it comes
SCORE, PHRASINGS, BIAS = 15.5, -0.74, -5.34
REACHED = {"0.8": 0.4, "0.9": 0.7, "0.95": 0.86}  # the least probability with so many right, where it was fitted
LEAST = 0.15  # probability of an answer that is given unasked: keeps 98 of 100 right ones where the default was fitted
SPELT = (
    0.3  # likeness in spelling from which an entry is given all the same: a model does not read slips of the keyboard
)
ASKED = GENERAL[::3]  # a third tells the level as well
SHARE = 0.95  # of these, which are below it


def default_of(evidence: np.ndarray) -> Logistic:
    """The default as a function of what EVIDENCE names. evidence: (n, f) of some answers, which tells of what kind."""
    answered = bool((evidence[:, EVIDENCE.index("answer")] != 0).mean() > 0.5)
    slope = SCORE / SHIPPED.greatest(answered)
    parts = {
        "regression": slope, "nearest cosine": slope * SHIPPED.closest,
        "nearest spelling": slope * SHIPPED.closest * SHIPPED.spelling, "log phrasings": PHRASINGS,
        "answer": slope * SHIPPED.answers * answered,
    }  # fmt: skip
    count = len(EVIDENCE)
    return Logistic([0.0] * count, [1.0] * count, [parts[name] for name in EVIDENCE], BIAS)


def is_default_for(settings: IndexSettings | None) -> bool:
    """Whether an index's vectors are of the kind that the default was fitted to."""
    return settings is not None and (
        settings.weights.startswith(WEIGHTS)
        and (settings.pooling, settings.layers) == (POOLING, LAYERS)
        and not settings.query_prompt
        and not settings.passage_prompt
    )


def nonsense_level(rank: Callable[[Sequence[str]], list[list[Found]]]) -> float:
    """The score that 95 of 100 general questions stay below in this index, whatever its model.

    rank: as `Faq.rank`.
    """
    scores = [found[0].score for found in rank(ASKED) if found]
    return float(np.quantile(scores, SHARE)) if scores else 0.0
