"""Answers from the FAQ entries of an index: which entry fits a question, how surely, and whether that is enough."""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from searcher.embedding import Embedder
from searcher.engines import Engine
from searcher.errors import BadValue, IndexUnavailable, SettingsMismatch
from searcher.faq.calibrating import METHOD
from searcher.faq.calibration import Calibration
from searcher.faq.defaults import is_default_for, nonsense_level
from searcher.faq.entries import Entries, Found, all_entries, entries_near
from searcher.faq.labelled import read_labelled
from searcher.faq.matching import SHIPPED, Weights
from searcher.faq.verdicts import Rule, Verdict, fared
from searcher.ranking import check_score, query_texts
from searcher.records import Answer
from searcher.system import one_thread

__all__ = ["ADVICE", "CALIBRATION", "LOGGING", "Answering"]

ADVICE = "run: searcher faq calibrate"
CALIBRATION, LOGGING, NONSENSE = "calibration", "logging", "nonsense"  # the notes that are kept under these names
T = TypeVar("T")


class Answering:
    """Questions to the FAQ entries of one index.

    fitting: what embeds the index's questions, and the fingerprint of the settings that it is for.
    """

    def __init__(self, engine: Engine, fitting: Callable[[], tuple[Embedder, str]]) -> None:
        self.engine, self.fitting = engine, fitting

    # -- answers

    def rank(self, questions: Sequence[str], weights: Weights = SHIPPED) -> list[list[Found]]:
        """For each question the entries of the phrasings nearest to it, best first, each once."""
        return self._rank(query_texts([questions] if isinstance(questions, str) else questions), weights)

    def _rank(self, texts: Sequence[str], weights: Weights = SHIPPED, ours: bool = False) -> list[list[Found]]:
        return self._embedded(texts, lambda vectors: self._near(texts, vectors, weights), ours)

    def _near(self, texts: Sequence[str], vectors: np.ndarray, weights: Weights = SHIPPED) -> list[list[Found]]:
        """As `rank`, of questions whose vectors (q, d) are known. Call inside `_embedded`."""
        near = entries_near(self.engine, vectors, weights)
        questions = zip(texts, vectors, near, strict=True)
        return [entries.rank(text, vector, weights=weights) for text, vector, entries in questions]

    def verdicts(
        self, questions: Sequence[str], min_score: float | None = None, min_probability: float | None = None
    ) -> list[Verdict]:
        """What each question comes to: the entry that fits best, and why that is not the answer where it is not.

        Where neither is asked for, an entry must be more than what fits no question at all: right with a probability
        of `LEAST`, of the calibration or else of the shipped default; with another model than the default is for, it
        must score more than 95 of 100 general questions. Without a calibration it may be spelled like the question
        instead. With min_probability 0 any entry will do.

        A question without an answer is kept if `log` is on. Raises BadValue where min_score is no number, and where
        min_probability is above 0 and the index is not calibrated; SettingsMismatch where it was calibrated with other
        settings.
        """
        verdicts = self._verdicts(questions, min_score, min_probability)
        self._log([verdict.question for verdict in verdicts if verdict.answer is None])
        return verdicts

    def _verdicts(
        self, questions: Sequence[str], min_score: float | None, min_probability: float | None
    ) -> list[Verdict]:
        """As `verdicts`, but that no question is kept: these are not asked by anybody."""
        check_score(min_score)
        check_score(min_probability, "min_probability")
        if min_probability is not None and not 0 <= min_probability <= 1:
            raise BadValue(f"min_probability is {min_probability}; it must be between 0 and 1")
        made = self.calibration(needed=bool(min_probability))
        has_default = is_default_for(self.engine.settings())
        rule = Rule(min_score, min_probability, made, has_default, self._nonsense_level)
        ranked = self.rank(questions)
        return [rule.verdict(text, own) for text, own in zip(questions, ranked, strict=True)]

    def answer(
        self, question: str, min_score: float | None = None, min_probability: float | None = None
    ) -> Answer | None:
        """The answer of the entry that fits best; None where it is below what is asked for, as in `verdicts`."""
        return self.verdicts([question], min_score, min_probability)[0].answer

    def evaluate(
        self, labelled: str | Path, min_score: float | None = None, min_probability: float | None = None
    ) -> dict[str, float | int | None]:
        """How questions fare whose right answers are known, by name. labelled: a table, see `read_labelled`.

        None of them is kept as one without an answer, whether `log` is on or not.
        """
        pairs = read_labelled(Path(labelled), self.entries()[0])
        verdicts = self._verdicts([text for text, _ in pairs], min_score, min_probability)
        return fared(verdicts, [answer for _, answer in pairs])

    def _nonsense_level(self) -> float:
        """The score that general questions stay below in this state of the index, worked out once for each."""
        state = f"{self.engine.head()} {METHOD}"
        kept = json.loads(self.engine.notes.get(NONSENSE) or "{}")
        if kept.get("state") == state:
            return float(kept["level"])
        level = nonsense_level(partial(self._rank, ours=True))
        with suppress(IndexUnavailable):
            self.engine.notes.set(NONSENSE, json.dumps({"state": state, "level": level}))
        return level

    def _log(self, questions: Sequence[str]) -> None:
        if questions and self.is_logging():
            with suppress(IndexUnavailable):  # an index that cannot be written to can still be asked
                for question in questions:
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

    # -- the entries

    def entries(self) -> tuple[Entries, str]:
        """Every entry, and the fingerprint of the settings that their vectors were made with."""
        with self.engine.reading():
            settings = self.engine.settings()
            return all_entries(self.engine), settings.fingerprint if settings else ""

    def is_logging(self) -> bool:
        """Whether questions without an answer are kept."""
        return self.engine.notes.get(LOGGING) == "on"

    def _embedded(self, texts: Sequence[str], use: Callable[[np.ndarray], T], ours: bool = False) -> T:
        """What `use` makes of the texts' vectors, inside one state of the store with which they can be compared.

        ours: nobody is warned that a short window cuts some, as nobody asked them.
        """
        self.engine.settings()  # no index, no need to load a model
        while True:
            embedder, made_with = self.fitting()
            if ours:
                sequences = [sequence for sequence, _ in embedder.sequences(texts, "query")]
                vectors = embedder.embed_sequences(sequences, "query")
            else:
                vectors = embedder.embed(texts, "query")
            with self.engine.reading(), one_thread():
                stored = self.engine.settings()
                if stored is None or stored.fingerprint == made_with:
                    return use(vectors)
