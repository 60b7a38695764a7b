"""The FAQ sets of SEARCHER_DATA: entries, questions, and the answers that are right for each.

Sets of one letter are of one make and are left out together. Of more than MOST questions so many are drawn.
"""

import csv
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from common import data_folder

from searcher import Searcher
from searcher.faq.entries import Entries, Found
from searcher.faq.matching import SHIPPED, Weights
from searcher.ranking import GENERAL

SETS = {  # name → (folder, letter)
    "clinc150": ("sets/clinc150", "a"),
    "covidq-scope": ("sets/covidq-scope", "b"),
    "curekart": ("hint3-curekart", "c"),
    "sofmattress": ("hint3-sofmattress", "c"),
    "covidq": ("sets/covidq", "b"),
    "stackfaq": ("stackfaq", "d"),
    "medquad": ("sets/medquad-liveqa", "e"),
}
MOST = 1_000


@dataclass(frozen=True)
class Remembered(Entries):
    """Entries that rank a question once, and of what they found give the best: nothing is measured of the others.

    weights: those that count where none are named; known: what was found.
    """

    weights: Weights = SHIPPED
    known: dict[Any, list[Found]] = field(default_factory=dict)

    def under(self, weights: Weights) -> "Remembered":
        """The same entries where other weights count."""
        return replace(self, weights=weights)

    def rank(
        self, question: str, vector: np.ndarray, hidden: np.ndarray | None = None, weights: Weights | None = None
    ) -> list[Found]:
        """As any entries."""
        counting = weights or self.weights
        key = question, None if hidden is None else hidden.tobytes(), counting
        if key not in self.known:
            self.known[key] = super().rank(question, vector, hidden, counting)[:1]
        return self.known[key]


class Set(NamedTuple):
    """Questions (texts, unit vectors), the answers that are right for each (none: there is none), the entries of the
    index, and the vectors of the general questions.
    """

    name: str
    questions: list[str]
    vectors: np.ndarray
    answers: list[set[str]]
    entries: Remembered
    general: np.ndarray

    @property
    def inside(self) -> np.ndarray:
        """(q,) whether a question has an answer."""
        return np.array([bool(answers) for answers in self.answers])

    @property
    def letter(self) -> str:
        """Of the sets that are of one make."""
        return SETS[self.name][1]

    def ranked(self, which: np.ndarray | None = None, weights: Weights = SHIPPED) -> list[list[Found]]:
        """What `Searcher.faq.rank` gives, without opening the index for each choice of weights."""
        chosen = range(len(self.questions)) if which is None else which
        return [self.entries.rank(self.questions[at], self.vectors[at], weights=weights) for at in chosen]

    def nearest(self) -> tuple[np.ndarray, np.ndarray]:
        """By cosine alone: the greatest (q,), and whether that phrasing's entry is right (q,)."""
        cosines = self.vectors @ self.entries.vectors.T
        best = [self.entries.answers[self.entries.entries[at]] for at in cosines.argmax(axis=1)]
        return cosines.max(axis=1), np.array([own in right for own, right in zip(best, self.answers, strict=True)])


def read_set(name: str, folder: Path) -> Set:
    """A set, its index and vectors in a folder, made there if they are not. Labels for answers are not embedded."""
    source, place = data_folder() / SETS[name][0], folder / name
    labels = (source / "phrasings.jsonl").exists()
    searcher = Searcher(place / "index")
    if not (place / "vectors.npz").exists():
        searcher.add_faq(source / ("phrasings.jsonl" if labels else "faq.jsonl"), answers=not labels)
    questions, answers = _labelled(source) if labels else _judged(source)
    if len(questions) > MOST:
        drawn = np.sort(np.random.default_rng(0).permutation(len(questions))[:MOST])
        questions, answers = [questions[at] for at in drawn], [answers[at] for at in drawn]
    if not (place / "vectors.npz").exists():
        vectors, general = (searcher.embedder.embed(list(texts), "query") for texts in (questions, GENERAL))
        np.savez(place / "vectors.npz", questions=vectors, general=general)
    kept = np.load(place / "vectors.npz")
    entries = Remembered(**vars(searcher.faq.entries()[0]))
    return Set(name, questions, kept["questions"], answers, entries, kept["general"])


def _labelled(source: Path) -> tuple[list[str], list[set[str]]]:
    """Questions that each have one answer or none."""
    rows = _lines(source / "queries.jsonl")
    return [row["text"] for row in rows], [set() if row["answer"] is None else {row["answer"]} for row in rows]


def _judged(source: Path) -> tuple[list[str], list[set[str]]]:
    """Questions whose right entries are judged, by id."""
    answer_of = {row["id"]: row["answer"] for row in _lines(source / "faq.jsonl")}
    texts = {row["_id"]: row["text"] for row in _lines(source / "queries.jsonl")}
    right: dict[str, set[str]] = {}
    with (source / "qrels" / "test.tsv").open(encoding="utf-8") as stream:
        for query, entry, grade in list(csv.reader(stream, delimiter="\t"))[1:]:
            if int(grade) > 0:
                right.setdefault(query, set()).add(answer_of[entry])
    return [texts[query] for query in right], list(right.values())


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
