"""Whether an index holds an answer at all: by what it scores for questions of elsewhere."""

from pathlib import Path

import numpy as np
import pytest

from searcher import Searcher
from searcher.ranking import GENERAL
from searcher.ranking.presence import BIAS, CONSISTENT, DEVIATIONS, NOTE, WAY, WORDS

SAMPLES = Path(__file__).parents[2] / "index_data" / "samples"
HERE = [
    "what goes wrong if padding enters the average", "how does wordpiece cut a word", "which faiss index is exact",
    "why is the pooler output a trap", "how are deleted files removed from the index", "what does overlap cost",
    "is bfloat16 as exact as float32", "how is nDCG computed",
]  # fmt: skip
ELSEWHERE = [
    "best pizza in town", "who won the election of 1960", "how long must an egg be boiled", "flights to Lisbon in May",
    "is my tenant allowed a dog", "symptoms of the flu", "how old is the universe", "tune a guitar without a tuner",
]  # fmt: skip


@pytest.fixture(scope="module")
def samples(bundled: str, tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    searcher = Searcher(tmp_path_factory.mktemp("presence") / "index", model=bundled)
    searcher.add(SAMPLES)
    return searcher


@pytest.mark.parametrize("mode", ["dense", "hybrid"])
def test_what_is_here_and_what_is_not_are_told_apart(samples: Searcher, mode: str) -> None:
    """Of eight each, one may be taken for the other: more is claimed nowhere."""
    weak = {}
    for question in (*HERE, *ELSEWHERE):
        found = samples.presence(question, samples.search(question, 5, mode=mode))
        assert found is not None
        weak[question] = found.weak
    assert len([question for question in HERE if weak[question]]) <= 1
    assert len([question for question in ELSEWHERE if not weak[question]]) <= 1


def test_the_probability_is_that_of_its_formula(samples: Searcher) -> None:
    best = [samples.search(question, 1)[0].score for question in GENERAL]
    median = float(np.median(best))
    deviation = CONSISTENT * float(np.median(np.abs(np.array(best) - median)))
    question = "wordpiece vocabulary pieces"
    [hit] = samples.search(question, 1)
    found = samples.presence(question, [hit])
    assert found is not None
    assert (found.cosine, found.ordinary) == (pytest.approx(hit.score, abs=1e-6), pytest.approx(median, abs=1e-3))
    held = 3 / 3  # all of its words stand in the first hit
    sum_ = (
        BIAS + DEVIATIONS * (hit.score - median) / deviation + WAY * (hit.score - median) / (1 - median) + WORDS * held
    )
    assert found.probability == pytest.approx(1 / (1 + np.exp(-sum_)), abs=1e-2)


def test_what_an_index_scores_for_nothing_is_kept_until_it_has_grown(tiny_bert: Path, tmp_path: Path) -> None:
    searcher = Searcher(tmp_path / "index", model=tiny_bert)

    def note() -> str | None:
        searcher.presence("river", searcher.search("river"))
        return searcher.engine.notes.get(NOTE)

    searcher.add_texts([f"text {number} of the bank" for number in range(19)])
    assert searcher.presence("river", searcher.search("river")) is None  # too few to tell
    searcher.add_texts([f"the boat {number} on the river" for number in range(21)])
    first = note()
    assert first is not None and note() == first
    searcher.add_texts([f"money {number}" for number in range(5)])
    assert note() == first
    searcher.add_texts([f"water {number}" for number in range(20)])
    assert note() != first
    assert searcher.check() == []
    assert searcher.presence("river", []) is None
