"""Answers from the FAQ entries of an index: which entry fits a question, how surely, and what the entries lack."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from searcher.embedding import Embedder
from searcher.engines import Engine
from searcher.errors import BadValue, IndexUnavailable, SettingsMismatch
from searcher.faq.calibrating import METHOD, Outcomes, calibrated, leaving_out, read_labelled
from searcher.faq.calibration import Calibration
from searcher.faq.clusters import NEAR, clusters
from searcher.faq.entries import Entries, Found, all_entries, entries_near
from searcher.faq.linting import ALIKE, Finding, lint
from searcher.faq.matching import SHIPPED, Weights
from searcher.ranking import query_texts
from searcher.records import Answer
from searcher.system import one_thread

__all__ = ["Calibrated", "Cluster", "Faq", "Finding", "Found"]

ADVICE = "run: searcher faq calibrate"
CALIBRATION, LOGGING = "calibration", "logging"  # the notes that are kept under these names
T = TypeVar("T")


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
    """A calibration, and the cross-validated probability (n,) of each answer it was made of, right (n,) or not."""

    calibration: Calibration
    probability: np.ndarray
    right: np.ndarray


class Faq:
    """The FAQ entries of one index.

    fitting: what embeds the index's questions, and the fingerprint of the settings that it is for.
    """

    def __init__(self, engine: Engine, fitting: Callable[[], tuple[Embedder, str]]) -> None:
        self.engine, self.fitting = engine, fitting

    # -- answers

    def rank(self, questions: Sequence[str], weights: Weights = SHIPPED) -> list[list[Found]]:
        """For each question the entries of the phrasings nearest to it, best first, each once."""
        texts = query_texts([questions] if isinstance(questions, str) else questions)
        return self._embedded(
            texts,
            lambda vectors: [
                entries.rank(text, vector, weights=weights)
                for text, vector, entries in zip(
                    texts, vectors, entries_near(self.engine, vectors, weights), strict=True
                )
            ],
        )

    def answer(
        self, question: str, min_score: float | None = None, min_probability: float | None = None
    ) -> Answer | None:
        """The answer of the entry that fits best; None where there is no entry, or it is below what is asked for.

        A question without an answer is kept if `log` is on. Raises BadValue where min_probability is given and the
        index is not calibrated, SettingsMismatch where it was calibrated with other settings.
        """
        if min_probability is not None and not 0 <= min_probability <= 1:
            raise BadValue(f"min_probability is {min_probability}; it must be between 0 and 1")
        made = self.calibration(needed=min_probability is not None)
        [ranked] = self.rank([question])
        found = ranked[0] if ranked else None
        probability = float(made.logistic.probability(found.evidence[None])[0]) if made and found else None
        below = (
            found is None
            or (min_score is not None and found.score < min_score)
            or (min_probability is not None and probability is not None and probability < min_probability)
        )
        if found is None or below:
            self._log(question)
            return None
        return Answer(found.answer, found.row.text, found.row.source, found.score, probability, found.margin)

    def _log(self, question: str) -> None:
        if self.is_logging():
            with suppress(IndexUnavailable):  # an index that cannot be written to can still be asked
                self.engine.notes.log(question)

    # -- calibration

    def calibration(self, needed: bool = False) -> Calibration | None:
        """The calibration of this index under its settings, None if there is none.

        needed: raise instead, BadValue where there is none and SettingsMismatch where it is of other settings.
        """
        made, settings = self._calibration(), self.engine.settings()
        if made is None:
            if needed:
                raise BadValue(f"the index is not calibrated, so there are no probabilities; {ADVICE}")
            return None
        fingerprint = settings.fingerprint if settings else ""
        for what, stored, now in (("calibration of", made.fingerprint, fingerprint), ("method", made.method, METHOD)):
            if stored != now:
                if needed:
                    raise SettingsMismatch(f"a {what}", stored, now, ADVICE)
                return None
        return made

    def _calibration(self) -> Calibration | None:
        """The calibration that was stored last, of whatever settings."""
        text = self.engine.notes.get(CALIBRATION)
        return None if text is None else Calibration.loads(text)

    def why_no_probability(self) -> str:
        """What keeps answers from having a probability, in a phrase."""
        if self._calibration() is None:
            return f"not calibrated, so no probability; {ADVICE}"
        return f"calibrated with other settings, so no probability; {ADVICE}"

    def calibrate(
        self, labelled: str | Path | None = None, progress: Callable[[str, int], None] = lambda event, count: None
    ) -> Calibrated:
        """Fit the probability that an answer is right, store it, and report how good it is, cross-validated.

        labelled: a table of questions and their answers, see `read_labelled`; else phrasings are left out.
        """
        entries, fingerprint = self.entries()
        if labelled is not None:
            pairs = read_labelled(Path(labelled), entries)
            if not entries.rows:
                raise BadValue("the index has no FAQ entries; add some: searcher faq add FILE")
            outcomes = Outcomes.of(self.rank([text for text, _ in pairs]), [answer for _, answer in pairs])
        else:
            outcomes = leaving_out(entries, progress)
        how = "labelled questions" if labelled is not None else "phrasings left out"
        made, probability = calibrated(outcomes, fingerprint, how)
        self.engine.notes.set(CALIBRATION, made.dumps())
        return Calibrated(made, probability, outcomes.right)

    # -- what the entries lack

    def entries(self) -> tuple[Entries, str]:
        """Every entry, and the fingerprint of the settings that their vectors were made with."""
        with self.engine.reading():
            settings = self.engine.settings()
            return all_entries(self.engine), settings.fingerprint if settings else ""

    def lint(self, alike: float = ALIKE) -> list[Finding]:
        """Duplicate and conflicting entries, and phrasings that another entry would answer."""
        if not 0 < alike <= 1:
            raise BadValue(f"alike is {alike}; it must be above 0 and at most 1")
        return lint(self.entries()[0], alike)

    def is_logging(self) -> bool:
        """Whether questions without an answer are kept."""
        return self.engine.notes.get(LOGGING) == "on"

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
        groups = self._embedded(questions, lambda vectors: clusters(vectors, near))
        best = self.rank([questions[own[0]] for own in groups])
        found = []
        for own, ranked in zip(groups, best, strict=True):
            texts = [questions[at] for at in own]
            entry = (ranked[0].row.text, ranked[0].score) if ranked else (None, None)
            asked = sum(times[text] for text in texts)
            found.append(Cluster(texts[0], texts, asked, max(last[text] for text in texts), *entry))
        return sorted(found, key=lambda cluster: -cluster.times)

    def _embedded(self, texts: list[str], use: Callable[[np.ndarray], T]) -> T:
        """What `use` makes of the texts' vectors, inside one state of the store with which they can be compared."""
        self.engine.settings()  # no index, no need to load a model
        while True:
            embedder, made_with = self.fitting()
            vectors = embedder.embed(texts, "query")
            with self.engine.reading(), one_thread():
                stored = self.engine.settings()
                if stored is None or stored.fingerprint == made_with:
                    return use(vectors)
