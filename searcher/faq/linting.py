"""What an owner would want to mend in a FAQ: entries that say the same, or contradict, or hide each other."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from searcher.faq.clusters import ROUNDING
from searcher.faq.entries import Entries
from searcher.records import Row

__all__ = ["ALIKE", "Finding", "lint"]

ALIKE = 0.95  # cosine from which two questions are taken for the same
ORDER = ("conflict", "duplicate", "unreachable", "uneven")
BLOCK = 1_000  # phrasings compared with all at a time


class Finding(NamedTuple):
    """kind: "duplicate": two documents ask and answer the same; "conflict": they ask the same and answer otherwise;
    "unreachable": `question` asked in its own words, were it not there, would be answered by the entry of `other`;
    "uneven": the answer of `other` is embedded and counts for nothing where `question` is near too, whose is not.
    """

    kind: str
    question: str
    source: str
    other: str
    other_source: str
    cosine: float


def lint(entries: Entries, alike: float = ALIKE) -> list[Finding]:
    """Findings in the order of ORDER, the most alike first. alike: least cosine of the same.

    A document that says again what another does, or contradicts it, is named once for either, beside the one before it
    that is the most alike: of a thousand that are all alike there are a thousand findings, not each with each.
    """
    found, same = list[Finding](), dict[tuple[int, str], Finding]()
    documents = np.array([row.document_id for row in entries.rows])
    sizes = np.bincount(entries.entries) if len(entries.rows) else np.empty(0)
    for first in range(0, len(entries.rows), BLOCK):
        part = slice(first, first + BLOCK)
        cosines = np.clip(entries.vectors[part] @ entries.vectors.T, -1, 1)
        for place, finding in _same(entries, cosines, documents, first, alike):
            same[place] = max(same.get(place, finding), finding, key=lambda each: each.cosine)
        own = entries.entries[part, None] == entries.entries[None, :]
        itself = np.arange(len(cosines)), np.arange(first, first + len(cosines))
        others = np.where(own, -2, cosines)
        cosines[itself] = -2
        within = np.where(own, cosines, -2)
        hidden = (others.max(axis=1) > within.max(axis=1)) & (sizes[entries.entries[part]] > 1)
        for at in np.flatnonzero(hidden).tolist():
            other = int(others[at].argmax())
            found.append(_finding("unreachable", entries.rows[first + at], entries.rows[other], others[at, other]))
    found += [*same.values(), *_uneven(entries)]
    ranks = {kind: rank for rank, kind in enumerate(ORDER)}
    return sorted(found, key=lambda finding: (ranks[finding.kind], -finding.cosine, finding.source, finding.question))


def _same(
    entries: Entries, cosines: np.ndarray, documents: np.ndarray, first: int, alike: float
) -> Iterator[tuple[tuple[int, str], Finding]]:
    """(document, kind) and a finding: for a question, those of documents before its own that are the most alike, if
    they are the same question. cosines: (b, n), of the phrasings from `first` on with all.
    """
    part = slice(first, first + len(cosines))
    same = (documents[None, :] < documents[part, None]) & (cosines >= alike - ROUNDING)
    own = entries.entries[part, None] == entries.entries[None, :]
    for kind, alone in (("duplicate", same & own), ("conflict", same & ~own)):
        near = np.where(alone, cosines, -2)
        for at in np.flatnonzero(alone.any(axis=1)).tolist():
            one = int(near[at].argmax())
            finding = _finding(kind, entries.rows[one], entries.rows[first + at], near[at, one])
            yield (int(documents[first + at]), kind), finding


def _uneven(entries: Entries) -> list[Finding]:
    """Of each file whose entries' answers are not embedded, while others' are, the question nearest to one of those."""
    embedded = np.array([entries.answers[entry] in entries.answer_vectors for entry in entries.entries], dtype=bool)
    if embedded.all() or not embedded.any():
        return []
    best: dict[str, Finding] = {}
    for at in np.flatnonzero(~embedded).tolist():
        cosines = np.where(embedded, np.clip(entries.vectors @ entries.vectors[at], -1, 1), -2)
        finding = _finding("uneven", entries.rows[at], entries.rows[int(cosines.argmax())], cosines.max())
        file = _file_of(finding.source)
        best[file] = max(best.get(file, finding), finding, key=lambda each: each.cosine)
    return list(best.values())


def _file_of(source: str) -> str:
    """The file of a row of it, such as faq.csv#7; else the source itself."""
    file, _, row = source.rpartition("#")
    return file if file and row.isdecimal() else source


def _finding(kind: str, row: Row, other: Row, cosine: float) -> Finding:
    return Finding(kind, row.text, row.source, other.text, other.source, float(cosine))
