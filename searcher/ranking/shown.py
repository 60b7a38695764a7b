"""How hits are handed out: passages as they are stored, or the documents that they stand for; and what a score says."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from searcher.engines import Engine, Hit
from searcher.errors import UnknownName
from searcher.places import place_at
from searcher.records import Highlight, Passage, Row
from searcher.text import line_at

__all__ = ["as_whole", "located", "passage", "relevance", "with_vectors"]

# mode → a score as a share, 0 … 1. Of a cosine the half of the way from its opposite; of BM25, which is above 0 and has
# no upper end, by its odds; of a hybrid score, a sum of standardised ones, by the logistic curve.
RELEVANCE: dict[str, Callable[[float], float]] = {
    "dense": lambda score: (1 + score) / 2,
    "keyword": lambda score: score / (1 + score) if score > 0 else 0.0,
    "hybrid": lambda score: (1 + math.tanh(score / 2)) / 2,
}


def relevance(score: float, mode: str = "dense") -> float:
    """The score of a hit as a number from 0 to 1, in the order of the scores. UnknownName for a mode that is none.

    >>> relevance(-1), relevance(0.5), relevance(3, "keyword"), relevance(0, "hybrid")
    (0.0, 0.75, 0.75, 0.5)
    """
    if mode not in RELEVANCE:
        raise UnknownName("mode", mode, RELEVANCE)
    return min(1.0, max(0.0, RELEVANCE[mode](float(score))))


def passage(rank: int, score: float, row: Row) -> Passage:
    """A stored passage as a hit."""
    return Passage(
        rank, score, row.id, row.passage_id, row.source, row.title, row.section, row.start, row.end, row.line,
        (row.place or {}).get("page"), row.text, row.metadata, place=row.place,
    )  # fmt: skip


def with_vectors(engine: Engine, hits: Sequence[Sequence[Passage]]) -> list[list[Passage]]:
    """The hits of each question with the vectors of their passages, without those that were removed since."""
    numbers = {hit.passage_id for own in hits for hit in own}
    with engine.reading():
        there = engine.present(sorted(numbers))
        vectors = engine.given(there)
    return [[replace(hit, vector=vectors[hit.passage_id]) for hit in own if hit.passage_id in vectors] for own in hits]


def as_whole(engine: Engine, found: Sequence[Sequence[Hit]]) -> list[list[Passage]]:
    """The documents that the hits of each question are of, in the place of these; without those removed since."""
    with engine.reading():
        numbers = engine.document_ids(sorted({row.document_id for own in found for _, row in own}))
        documents = {number: engine.document(number) for number in numbers}
    hits: list[list[Passage]] = []
    for own in found:
        hits.append([])
        for score, row in own:
            if (document := documents.get(row.document_id)) is not None:
                hit = passage(len(hits[-1]) + 1, score, row)
                hit = replace(hit, section=None, start=0, end=len(document.text), line=document.first_line)
                hits[-1].append(replace(hit, text=document.text, payload=document.payload))
    return hits


def located(engine: Engine, hits: Sequence[Passage]) -> list[Passage]:
    """The hits, whose highlights say where their sentences stand: as the documents do, which are read where a sentence
    may stand elsewhere than its passage begins; of what was removed since as far as the passage tells.
    """
    with engine.reading():
        rows = engine.rows(engine.present(sorted({hit.passage_id for hit in hits if _apart(hit)})))
        documents = {number: engine.document(number) for number in sorted({row.document_id for row in rows.values()})}
    told = []
    for hit in hits:
        if (mark := hit.highlight) is not None:
            row = rows.get(hit.passage_id)
            if row is not None and row.source == hit.source:
                document = documents[row.document_id]
                mark = replace(mark, line=line_at(document, mark.start), place=place_at(document.places, mark.start))
            else:
                mark = replace(mark, line=hit.line + _before(hit, mark).count("\n"), place=hit.place)
        told.append(replace(hit, highlight=mark))
    return told


def _before(hit: Passage, mark: Highlight) -> str:
    """The text of a hit before its sentence."""
    return hit.text[: mark.start - hit.start]


def _apart(hit: Passage) -> bool:
    """Whether its sentence may stand on another line or in another place than its beginning."""
    return hit.highlight is not None and (hit.place is not None or "\n" in _before(hit, hit.highlight))
