"""Whether an index holds an answer at all: how its best hit stands beside what it scores for questions of elsewhere.

The cosine of a best hit says little by itself: 0.38 is much for one model and collection and nothing for another. So an
index is asked general questions once, of which it answers hardly any, and what it scores for these is what it scores
for nothing. A logistic regression says the rest (benchmarks/presence.py: chosen and reported by leaving sets out).
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from math import exp

import numpy as np

from searcher.embedding import Embedder
from searcher.engines import Engine, cosine
from searcher.errors import SearcherError
from searcher.ranking.general import GENERAL
from searcher.ranking.wording import Wording
from searcher.records import Passage
from searcher.words import telling

__all__ = ["LEAST", "WEAK", "Nothing", "Presence", "measured", "presence"]

NOTE = "scores for nothing"  # the note of an index that holds them
LEAST = 20  # passages of an index that can be told anything of
GROWN = 1.25  # an index that has so many times more passages, or fewer, is asked again
LONGEST = 4  # letters of a word that tells something; shorter ones stand in every text
CONSISTENT = 1.4826  # the median deviation of a normal distribution is its standard deviation by so much
# Of the logistic regression: deviations above the median, the share of the way from it to 1, the share of words held.
BIAS, DEVIATIONS, WAY, WORDS = -3.4, 0.36, 4.7, 3.4
WEAK = 0.3  # from here down it is said that the answer is probably not here


@dataclass(frozen=True)
class Nothing:
    """What an index scores for nothing: median and deviation of the best cosines of general questions.

    passages, fingerprint: of the index that was asked.
    """

    median: float
    deviation: float
    passages: int
    fingerprint: str

    def fits(self, passages: int, fingerprint: str) -> bool:
        """Whether it still holds of an index."""
        return fingerprint == self.fingerprint and 1 / GROWN <= passages / self.passages <= GROWN


@dataclass(frozen=True)
class Presence:
    """Whether what a question asks for is among its hits. probability: that it is, 0 … 1.

    cosine: of the best hit; ordinary: that of the best hit of a question which nothing here answers.
    """

    probability: float
    cosine: float
    ordinary: float

    @property
    def weak(self) -> bool:
        """Whether it is probably not here."""
        return self.probability < WEAK


def measured(engine: Engine, embedder: Embedder, fingerprint: str) -> Nothing | None:
    """The note of an index, made anew and kept where it does not fit any more; None where there are too few passages.

    fingerprint: of the settings that the embedder is for. It takes some tenths of a second where it is made.
    """
    passages = engine.passages_held()
    if passages < LEAST:
        return None
    if (text := engine.notes.get(NOTE)) and (found := Nothing(**json.loads(text))).fits(passages, fingerprint):
        return found
    # Not by `embed`, which would warn of those that a short window cuts: no fault of anybody's.
    vectors = embedder.embed_sequences([sequence for sequence, _ in embedder.sequences(GENERAL, "query")], "query")
    best = [hits[0][0] for hits in engine.nearest(vectors, 1, None) if hits]
    median = float(np.median(best))
    deviation = max(CONSISTENT * float(np.median(np.abs(np.subtract(best, median)))), 1e-3)
    found = Nothing(round(median, 4), round(deviation, 4), passages, fingerprint)
    with suppress(SearcherError):  # an index that cannot be written is asked again next time
        engine.notes.set(NOTE, json.dumps(asdict(found)))
    return found


def presence(
    engine: Engine, nothing: Nothing, wording: Wording, hits: Sequence[Passage], vector: np.ndarray
) -> Presence:
    """Whether what a question asks for is among the hits, of which there must be one. vector: (d,) the question's."""
    rows = engine.rows([hit.passage_id for hit in hits])
    best = max(rows.values(), key=lambda row: cosine(row, vector))
    score, asked = cosine(best, vector), telling(wording.plain, LONGEST)
    held = len(asked & telling(best.text, LONGEST)) / len(asked) if asked else 0.5
    way = (score - nothing.median) / max(1e-3, 1 - nothing.median)
    sum_ = BIAS + DEVIATIONS * (score - nothing.median) / nothing.deviation + WAY * way + WORDS * held
    return Presence(1 / (1 + exp(-sum_)), score, nothing.median)
