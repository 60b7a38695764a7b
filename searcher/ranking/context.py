"""Hits → one text for a language model: within its budget of tokens, in reading order, each piece with a number."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from searcher.cited import Citation, Context
from searcher.engines import Hit
from searcher.errors import BadValue
from searcher.places import place_at
from searcher.ranking.shown import passage
from searcher.records import ANSWER, Document, Highlight, Passage, Row

__all__ = ["assembled", "counter", "pointed", "spread"]

SPACES = re.compile(r"\s+")
WORD_END = re.compile(r"(?<=\S)(?=\s|\Z)")
CUT = " …"


def counter(tokenizer: Any) -> Callable[[str], int]:
    """What counts a text's tokens, out of a function that gives them or their number, or an object with `encode`.

    BadValue for what is neither, and for what counts no whole numbers.
    """
    encode = getattr(tokenizer, "encode", tokenizer)
    if isinstance(tokenizer, str) or not callable(encode):
        raise BadValue(f"tokenizer is {tokenizer!r:.60}; good: a function from text to tokens or their number")

    def count(text: str) -> int:
        found = encode(text)
        number = len(found) if hasattr(found, "__len__") else found
        if isinstance(number, bool) or not hasattr(number, "__index__") or number < 0:
            raise BadValue(f"the tokenizer gives {found!r:.60}; good: tokens, or their number")
        return int(number)

    return count


def assembled(
    hits: Sequence[Hit], documents: Mapping[int, Document], tokens: int, count: Callable[[str], int]
) -> Context:
    """As many of the hits, best first, as so many tokens hold; of the first one its beginning, if it is longer alone.

    documents: those of the hits, as far as their text is needed: of several hits in one document, of answers.
    """
    distinct = _distinct(hits)
    used: list[Hit] = []
    spent, exact = 0, True
    for hit in distinct:
        cost = count(_text(_citations([hit], documents)))
        if spent + cost > tokens and not exact:  # touching passages share a line and a number
            spent, exact = count(_text(_citations(used, documents))), True
        if spent + cost <= tokens:
            used.append(hit)
            spent, exact = spent + cost, False
        elif not used:
            return _of([hit], _shortened(_citations([hit], documents)[0], tokens, count), count, len(hits))
    while used and count(_text(_citations(used, documents))) > tokens:  # of pieces together some count more than apart
        used.pop()
    return _of(used, _citations(used, documents), count, len(hits))


def _of(used: Sequence[Hit], citations: list[Citation], count: Callable[[str], int], looked_at: int) -> Context:
    text = _text(citations)
    passages = [passage(rank, *hit) for rank, hit in enumerate(used if citations else [], 1)]
    return Context(text, citations, passages, count(text) if text else 0, looked_at - len(passages))


def _text(citations: Sequence[Citation]) -> str:
    return "\n\n".join(f"{each.head}\n{each.text}" for each in citations)


def _distinct(hits: Sequence[Hit]) -> list[Hit]:
    """The hits without those that say again what a better one says, spaces apart; FAQ entries say their answer."""
    met: set[str] = set()
    kept = []
    for hit in hits:
        row = hit[1]
        answer = str(row.metadata.get("answer") or "") if row.kind == "faq" else ""
        words = SPACES.sub(" ", answer or row.text).strip()
        if words not in met:
            kept.append(hit)
        met.add(words)
    return kept


def _citations(hits: Sequence[Hit], documents: Mapping[int, Document]) -> list[Citation]:
    """The hits by document, the one with the best hit first; in each in reading order, what touches as one piece."""
    by_document: dict[int, list[Hit]] = {}
    for hit in hits:
        by_document.setdefault(hit[1].document_id, []).append(hit)
    pieces: list[Citation] = []
    for number, own in by_document.items():
        document = documents.get(number)
        piece: Citation | None = None
        for score, row in sorted(own, key=lambda hit: (hit[1].start, hit[1].end)):
            new = _citation(score, row, document)
            joined = _joined(piece, new, document) if piece is not None and row.kind != "faq" else None
            if piece is not None and joined is None:
                pieces.append(piece)
            piece = joined or new
        if piece is not None:
            pieces.append(piece)
    return [replace(piece, number=number) for number, piece in enumerate(pieces, 1)]


def _citation(score: float, row: Row, document: Document | None) -> Citation:
    page = (row.place or {}).get("page", row.metadata.get("page"))
    page = page if isinstance(page, int | str) and not isinstance(page, bool) else None
    section = row.section if row.section != ANSWER else None
    text = _answered(row, document) if row.kind == "faq" else row.text
    return Citation(
        0, row.source, row.id, row.title, section, page, row.line, row.start, row.end, score, text, row.metadata,
        row.place,
    )  # fmt: skip


def _answered(row: Row, document: Document | None) -> str:
    """Question and answer of a FAQ entry: the question that was found, or the first one where the answer was."""
    question = row.text
    if row.section == ANSWER and document is not None:
        question = document.text[: document.breaks[0]] if document.breaks else document.text
    return f"{question.strip()}\n{row.metadata.get('answer', '')}".strip()


def _joined(piece: Citation, new: Citation, document: Document | None) -> Citation | None:
    """Two pieces of one document as one, if nothing but spaces is between them."""
    if document is None or document.text[piece.end : new.start].strip():
        return None
    end = max(piece.end, new.end)
    return replace(piece, end=end, score=max(piece.score, new.score), text=document.text[piece.start : end])


def _shortened(piece: Citation, tokens: int, count: Callable[[str], int]) -> list[Citation]:
    """The beginning of a piece, to the end of a word, that so many tokens hold; nothing where they do not hold one."""
    ends = [found.start() for found in WORD_END.finditer(piece.text)]
    best, low, high = None, 0, len(ends)
    while low < high:
        middle = (low + high) // 2
        text = piece.text[: ends[middle]]
        # Of a FAQ entry the offsets are those of the question.
        end = piece.end if piece.end - piece.start != len(piece.text) else piece.start + len(text)
        tried = replace(piece, end=end, text=text + CUT)
        if count(_text([tried])) <= tokens:
            best, low = tried, middle + 1
        else:
            high = middle
    return [best] if best is not None else []


# -- where in a piece the answer is


def spread(found: Context, documents: Mapping[str, Document]) -> dict[int, Passage]:
    """Number of each piece that goes over several pages or the like → the best passage in it, cut where the piece is.

    documents: by source, those in which that may be.
    """
    best: dict[int, Passage] = {}
    for piece in found.citations:
        document = documents.get(piece.source)
        if document is not None and _is_spread(piece, document):
            hit = next(hit for hit in found.passages if hit.source == piece.source and _within(hit, piece))
            best[piece.number] = replace(hit, text=hit.text[: piece.end - hit.start], end=min(hit.end, piece.end))
    return best


def _is_spread(piece: Citation, document: Document) -> bool:
    places = document.places
    first = place_at(places, piece.start)
    return any(place_at(places, start) != first for start, _ in places if piece.start < start < piece.end)


def _within(hit: Passage, piece: Citation) -> bool:
    return piece.start <= hit.start < piece.end


def pointed(found: Context, marks: Mapping[int, Highlight], tokens: int, count: Callable[[str], int]) -> Context:
    """The context whose pieces of these numbers say where these sentences stand, as far as its budget holds that."""
    citations = found.citations
    for number, mark in marks.items():
        tried = [replace(each, highlight=mark) if each.number == number else each for each in citations]
        if count(_text(tried)) <= tokens:
            citations = tried
    text = _text(citations)
    return replace(found, text=text, citations=citations, tokens=count(text))
