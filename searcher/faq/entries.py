"""FAQ entries as arrays: phrasings and their vectors, which entry each belongs to, the vectors of the answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from searcher import filters
from searcher.embedding import normalize
from searcher.engines import Engine
from searcher.faq.matching import SHIPPED, Weights, match
from searcher.records import ANSWER, Row

__all__ = ["Entries", "Found", "all_entries", "entries_near"]

PHRASINGS = filters.parse(f"kind = 'faq' and not section = '{ANSWER}'")


class Found(NamedTuple):
    """An entry that may answer: its answer, its phrasing nearest to the question, how well it fits (see matching),
    by how much better than the next one (None if there is none).
    """

    answer: str
    row: Row
    score: float
    margin: float | None
    evidence: np.ndarray


@dataclass(frozen=True)
class Entries:
    """n phrasings of E entries; documents with the same answer are one entry.

    rows: of the phrasings; vectors: (n, d); entries: (n,) the entry of each; answers: of the entries; answer_vectors:
    answer → (d,) unit vector, where it is embedded.
    """

    rows: Sequence[Row]
    vectors: np.ndarray
    entries: np.ndarray
    answers: Sequence[str]
    answer_vectors: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, rows: Sequence[Row], answer_rows: Sequence[Row]) -> "Entries":
        """Made of stored passages."""
        answers = list(dict.fromkeys(answer_of(row) for row in rows))
        number = {answer: at for at, answer in enumerate(answers)}
        parts: dict[str, list[np.ndarray]] = {}
        for row in answer_rows:
            parts.setdefault(answer_of(row), []).append(row.vector)
        means = {answer: normalize(np.mean(own, axis=0, keepdims=True))[0] for answer, own in parts.items()}
        vectors = np.stack([row.vector for row in rows]) if rows else np.empty((0, 0), np.float32)
        return cls(rows, vectors, np.array([number[answer_of(row)] for row in rows], dtype=int), answers, means)

    def by_answer(self) -> list[tuple[str, list[Row]]]:
        """Each entry's answer and its phrasings."""
        own: list[list[Row]] = [[] for _ in self.answers]
        for row, entry in zip(self.rows, self.entries, strict=True):
            own[entry].append(row)
        return list(zip(self.answers, own, strict=True))

    def rank(
        self, question: str, vector: np.ndarray, hidden: np.ndarray | None = None, weights: Weights = SHIPPED
    ) -> list[Found]:
        """The entries of the phrasings nearest to a question, best first.

        vector: (d,) the question's; hidden: (m,) phrasings that are not looked at, and yet count among those an entry
        has: else an entry would be known for the right one by the phrasing that it lacks.
        """
        cosines = self.vectors @ vector if len(self.rows) else np.empty(0)
        if hidden is not None:
            cosines[hidden] = -np.inf
        near = np.argsort(-cosines, kind="stable")[: weights.near]
        near = np.sort(near[np.isfinite(cosines[near])])
        if not len(near):
            return []
        present, entries = np.unique(self.entries[near], return_inverse=True)
        answers = [self.answers[entry] for entry in present]
        unseen = None if hidden is None else (self.entries[hidden][:, None] == present).sum(axis=0)
        embedded = [self.answer_vectors[answer] for answer in answers if answer in self.answer_vectors]
        matches = match(
            question, vector, [self.rows[at].text for at in near], self.vectors[near], entries,
            np.stack(embedded) if len(embedded) == len(answers) else None, weights, unseen,
        )  # fmt: skip
        ranked = matches.scores[matches.order]
        margins = [*(ranked[:-1] - ranked[1:]).tolist(), None]
        rows = [self.rows[near[at]] for at in matches.closest]
        return [
            Found(answers[entry], rows[entry], float(score), margin, matches.evidence[entry])
            for entry, score, margin in zip(matches.order, ranked, margins, strict=True)
        ]


def answer_of(row: Row) -> str:
    """The answer of the entry that a passage belongs to, without white space around it, which JSON keeps."""
    return str(row.metadata["answer"]).strip()


def entries_near(engine: Engine, vectors: np.ndarray, weights: Weights = SHIPPED) -> list[Entries]:
    """For each question (q, d) the entries of the phrasings nearest to it. Call inside `reading`."""
    found = []
    for hits in engine.nearest(vectors, weights.near, PHRASINGS):
        rows = [row for _, row in hits]
        found.append(Entries.of(rows, _answers(engine, rows)))
    return found


def all_entries(engine: Engine) -> Entries:
    """Every entry of an index. Call inside `reading`."""
    ids = engine.allowed(PHRASINGS).tolist()
    found = engine.rows(ids)
    rows = [found[number] for number in ids]
    return Entries.of(rows, _answers(engine, rows))


def _answers(engine: Engine, rows: Sequence[Row]) -> list[Row]:
    """The passages that are the answers of those phrasings' entries."""
    return list(engine.rows(engine.answer_ids(row.document_id for row in rows)).values())
