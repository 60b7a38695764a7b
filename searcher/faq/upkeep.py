"""What the owner of a FAQ does for it: calibrates, mends, and learns which entries are missing."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from searcher.errors import BadValue
from searcher.faq.answering import CALIBRATION, LOGGING, Answering
from searcher.faq.calibrating import (
    FEW,
    SHARE,
    Asked,
    Outcomes,
    by_default,
    calibrated,
    leaving_out,
    several,
    shared_out,
    with_unanswerable,
)
from searcher.faq.calibration import LEAST as LACKING
from searcher.faq.calibration import Calibration
from searcher.faq.clusters import NEAR, clusters
from searcher.faq.defaults import is_default_for
from searcher.faq.entries import Entries, Found
from searcher.faq.labelled import read_labelled
from searcher.faq.linting import ALIKE, Finding, lint
from searcher.ranking import GENERAL

__all__ = ["Calibrated", "Cluster", "Faq"]


class Cluster(NamedTuple):
    """Questions that had no answer and ask for the same: the one in the middle, all (each once), how often they were
    asked, when last, and the entry that fits the one in the middle best, if there is any.
    """

    question: str
    questions: list[str]
    times: int
    last: str
    nearest: str | None
    score: float | None


class Calibrated(NamedTuple):
    """A calibration, and the cross-validated probability (n,) of each answer it was made of, right (n,) or not, and how
    many questions each stands for (n,), one unless some were made.
    """

    calibration: Calibration
    probability: np.ndarray
    right: np.ndarray
    weight: np.ndarray | None = None


class Faq(Answering):
    """The FAQ entries of one index, asked and looked after."""

    # -- calibration

    def calibrate(
        self,
        labelled: str | Path | None = None,
        progress: Callable[[str, int], None] = lambda event, count: None,
        unanswerable: float | None = None,
    ) -> Calibrated:
        """Fit the probability that an answer is right, store it, and report how good it is, cross-validated.

        labelled: a table of questions and their answers, see `read_labelled`; else phrasings are left out, and where
        there are too few of these the shipped default is stored. unanswerable: the share of the questions asked in
        daily use that have no answer. Where the table has fewer than ten of these, they are made (`with_unanswerable`)
        up to that share, or SHARE; where it has more, only what is said here weighs them down.
        """
        if unanswerable is not None and not 0 <= unanswerable < 1:
            raise BadValue(f"unanswerable is {unanswerable}; it must be at least 0 and below 1")
        entries, fingerprint = self.entries()
        has_default = is_default_for(self.engine.settings())
        if not entries.rows:
            raise BadValue("the index has no FAQ entries; add some: searcher faq add FILE")
        if labelled is None and has_default and len(several(entries)) < FEW:
            made = by_default(entries, fingerprint)
            self.engine.notes.set(CALIBRATION, made.dumps())
            return Calibrated(made, np.empty(0), np.empty(0, dtype=bool))
        outcomes, asked, how = self._asked(entries, labelled, progress)
        if outcomes.lacks.sum() < LACKING:
            general = self._embedded(GENERAL, lambda vectors: vectors, ours=True)
            share = SHARE if unanswerable is None else unanswerable
            outcomes = with_unanswerable(outcomes, asked, general, entries, share, progress)
        if unanswerable is not None and not outcomes.made and outcomes.lacks.any():
            outcomes = shared_out(outcomes, unanswerable)
        made, probability = calibrated(outcomes, fingerprint, how, has_default)
        self.engine.notes.set(CALIBRATION, made.dumps())
        return Calibrated(made, probability, outcomes.right, outcomes.weight)

    def _asked(
        self, entries: Entries, labelled: str | Path | None, progress: Callable[[str, int], None]
    ) -> tuple[Outcomes, list[Asked], str]:
        """How the questions fared that a calibration is made of, the questions, and what they are."""
        if labelled is None:
            return *leaving_out(entries, progress), "phrasings left out"
        pairs = read_labelled(Path(labelled), entries)
        if not any(answer is not None for _, answer in pairs):
            raise BadValue(f"none of the {len(pairs)} questions of {labelled} has an answer; some must")
        texts, number = [text for text, _ in pairs], {answer: at for at, answer in enumerate(entries.answers)}
        vectors, ranked = self._embedded(texts, lambda vectors: (vectors, self._near(texts, vectors)))
        outcomes = Outcomes.of(ranked, [answer for _, answer in pairs])
        asked = [Asked(text, vector, None if answer is None else number[answer])
                 for (text, answer), vector in zip(pairs, vectors, strict=True)]  # fmt: skip
        return outcomes, asked, "labelled questions"

    # -- what the entries lack

    def lint(self, alike: float = ALIKE) -> list[Finding]:
        """Duplicate and conflicting entries, and phrasings that another entry would answer."""
        if not 0 < alike <= 1:
            raise BadValue(f"alike is {alike}; it must be above 0 and at most 1")
        return lint(self.entries()[0], alike)

    def log(self, on: bool) -> None:
        """Keep questions without an answer from now on, in the index on this machine, or no more."""
        self.engine.notes.set(LOGGING, "on" if on else "off")

    def forget(self) -> int:
        """Forget the questions that were kept; how many."""
        return self.engine.notes.forget()

    def unanswered(self, near: float = NEAR) -> list[Cluster]:
        """The questions kept, those that ask for the same together, the most often asked first."""
        if not 0 < near <= 1:
            raise BadValue(f"near is {near}; it must be above 0 and at most 1")
        kept = self.engine.notes.unanswered()
        times = Counter(item.question for item in kept)
        last = {item.question: item.asked for item in kept}
        questions = list(times)
        if not questions:
            return []

        def grouped(vectors: np.ndarray) -> tuple[list[list[int]], list[list[Found]]]:
            groups = clusters(vectors, near)
            middles = [own[0] for own in groups]
            return groups, self._near([questions[at] for at in middles], vectors[middles])

        groups, best = self._embedded(questions, grouped)
        found = []
        for own, ranked in zip(groups, best, strict=True):
            texts = [questions[at] for at in own]
            entry = (ranked[0].row.text, ranked[0].score) if ranked else (None, None)
            asked = sum(times[text] for text in texts)
            found.append(Cluster(texts[0], texts, asked, max(last[text] for text in texts), *entry))
        return sorted(found, key=lambda cluster: -cluster.times)
