"""Calibration of a FAQ: questions with the answer that is right, or phrasings left out, and how each fared."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import NamedTuple

import numpy as np

from searcher.errors import BadValue, UnreadableFile
from searcher.faq.calibration import Calibration, cross_validated, fit, summary
from searcher.faq.entries import Entries, Found
from searcher.faq.matching import EVIDENCE, SHIPPED
from searcher.readers import ReadOptions, read
from searcher.records import Document, Failure, Note

__all__ = ["METHOD", "Outcomes", "calibrated", "leaving_out", "read_labelled"]

METHOD = f"{', '.join(EVIDENCE)}: {astuple(SHIPPED)}"  # of which evidence made otherwise is no more the same
SAMPLE = 500  # phrasings left out at most; each takes two searches
QUESTION_FIELDS = ("question", "text")


class Outcomes(NamedTuple):
    """What was found for n questions: evidence (n, f) of the best entry, right (n,) bool whether it was the one."""

    evidence: np.ndarray
    right: np.ndarray

    @classmethod
    def of(cls, ranked: Sequence[list[Found]], answers: Sequence[str | None]) -> "Outcomes":
        """From what was ranked for each question and its right answer, None if it has none."""
        best = [own[0] for own in ranked]
        right = [found.answer == answer for found, answer in zip(best, answers, strict=True)]
        return cls(np.array([found.evidence for found in best]), np.array(right, dtype=bool))


def calibrated(outcomes: Outcomes, fingerprint: str, how: str) -> tuple[Calibration, np.ndarray]:
    """The calibration with its cross-validated report, and the probabilities (n,) that this was made of."""
    probability = cross_validated(*outcomes)
    report = {"how": how, **summary(probability, outcomes.right)}
    return Calibration(fingerprint, METHOD, fit(*outcomes), report), probability


def leaving_out(entries: Entries, progress: Callable[[str, int], None]) -> Outcomes:
    """Each phrasing asked while it is not there, and once more while nothing of its entry is there: no answer is right.

    Half of the questions so have no answer. BadValue where too few phrasings could be left out.
    """
    sizes = np.bincount(entries.entries) if len(entries.rows) else np.empty(0)
    several = np.flatnonzero(sizes[entries.entries] > 1) if len(sizes) else np.empty(0, dtype=int)
    if len(sizes) < 2 or len(several) < 20:
        raise BadValue(
            f"{len(several)} phrasings of {len(sizes)} entries could be left out, and 20 of at least 2 are needed;"
            " give entries more phrasings, or questions with their answers: --labelled FILE"
        )
    chosen = np.random.default_rng(0).permutation(several)[:SAMPLE]
    progress("total", len(chosen))
    ranked: list[list[Found]] = []
    answers: list[str | None] = []
    for at in chosen:
        own = entries.entries[at]
        whole = np.flatnonzero(entries.entries == own)
        for hidden, answer in ((np.array([at]), entries.answers[own]), (whole, None)):
            ranked.append(entries.rank(entries.rows[at].text, entries.vectors[at], hidden))
            answers.append(answer)
        progress("file", 1)
    return Outcomes.of(ranked, answers)


def read_labelled(file: Path, entries: Entries) -> list[tuple[str, str | None]]:
    """(question, right answer or None) of each row of a table with columns question (or text) and answer.

    An answer is the text of one, or the id or source of an entry; none, or an empty one, says that the FAQ has none.
    Raises UnreadableFile, and BadValue for a row that is none of these.
    """
    known = {answer: answer for answer in entries.answers}
    for row, number in zip(entries.rows, entries.entries, strict=True):
        for name in (row.source, row.id):
            if name is not None:
                known.setdefault(name, entries.answers[number])
    labelled = []
    for item in _rows(file):
        if isinstance(item, Note):
            warnings.warn(f"{item.source}: {item.reason}", stacklevel=2)
            continue
        if isinstance(item, Failure):
            raise BadValue(f"{item.source}: {item.reason}")
        answer = item.metadata.get("answer")
        if answer is not None and str(answer) not in known:
            raise BadValue(f"{item.source}: no entry has the answer, id or source {str(answer)!r:.80}")
        labelled.append((item.text, None if answer is None else known[str(answer)]))
    if not labelled:
        raise BadValue(f"{file} holds no question")
    return labelled


def _rows(file: Path) -> list[Document | Failure]:
    fault: UnreadableFile | None = None
    for name in QUESTION_FIELDS:
        try:
            return list(read(file, ReadOptions(text_field=name)))
        except UnreadableFile as problem:
            fault = fault or problem
    assert fault is not None
    raise fault
