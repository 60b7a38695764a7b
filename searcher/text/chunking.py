"""Text → passages of at most so many tokens, with exact character offsets; every text is tokenised once."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from operator import itemgetter

import numpy as np

from searcher.errors import BadValue
from searcher.records import Chunk
from searcher.text import leads
from searcher.text.tokens import Tokenizer, Tokens

__all__ = ["Chunker"]

# How good a place before a token is for a cut. INSIDE: within one character, never cut. LETTER: within a word.
# BOUND: within a heading, a caption or the header of a table. AFTER: between one of these and what follows it; BETWEEN
# if that is another of these.
INSIDE, LETTER, BOUND, AFTER, BETWEEN, WORD, LINE, SENTENCE, BLANK, HEADING = range(10)

# The strongest place is taken whose passage is at least this full; a sentence end beats a fuller passage.
PREFERENCE = (
    *((HEADING, 0.5), (BLANK, 0.25), (SENTENCE, 0.0), (LINE, 0.0), (WORD, 0.0), (BETWEEN, 0.0), (AFTER, 0.0)),
    *((BOUND, 0.0), (LETTER, 0.0)),
)

LEAST = 4  # tokens of its own that a passage has room for

# Longer texts are tokenised in blocks, cut at a blank line where there is one: a bound on memory.
BLOCK = 1_000_000

_BLANK = re.compile(r"\n[^\S\n]*\n\s*")
_LINE = re.compile(r"[\n\r]\s*")


class Chunker:
    """Cuts texts into passages that one tokenizer makes into at most `limit` tokens.

    limit: tokens of a passage, special tokens and prompt included.
    overlap: how many tokens a passage may repeat of the one before it.
    prompt: what the embedder will put before every passage.
    boundaries: False fills every passage to the limit, cutting between any two words.

    Raises BadValue when limit, overlap and prompt leave no room for text.
    """

    def __init__(
        self, tokenizer: Tokenizer, limit: int, overlap: int = 0, prompt: str = "", boundaries: bool = True
    ) -> None:
        self.tokenizer, self.overlap, self.prompt = tokenizer, overlap, prompt
        self._prompt_ids = tokenizer.encode_ids([prompt])[0] if prompt else []
        self.room = limit - tokenizer.special - len(self._prompt_ids)
        if self.room < LEAST:
            taken = limit - self.room
            raise BadValue(
                f"chunk tokens {limit} leave no room for text: {taken} go to special tokens and prompt;"
                f" good: {taken + LEAST} and more"
            )
        if not 0 <= overlap < self.room:
            raise BadValue(f"overlap {overlap} is not between 0 and {self.room - 1}, less than a passage's own tokens")
        # A cut between two words of such a tokenizer changes no token: those of the whole text can be used as they are.
        # (Not every white space will do: a form feed is a control character to BERT, and dropped.)
        self._reuse = tokenizer.splits_by_words and (not prompt or prompt[-1] in " \t\n\r")
        self._preference = PREFERENCE if boundaries else PREFERENCE[-2:]

    def chunks(
        self, text: str, sections: Sequence[tuple[int, str]] = (), breaks: Sequence[int] = ()
    ) -> Iterator[Chunk]:
        """The passages of a text in order.

        Each is `text[start:end]` without white space at its ends; nothing but white space lies outside all of them;
        `ids` equals the tokens of `prompt + text[start:end]`. `breaks` are offsets where a passage must end.
        """
        edges = [0, *(at for at in breaks if 0 < at < len(text)), len(text)]
        for first, last in pairwise(edges):
            for start, end in _blocks(text, first, last, sections):
                tokens = self._encode(text, start, end)
                for part, a, b, whole in self._regions(text, tokens, start, end):
                    yield from self._cut(text, part, a, b, sections, whole)

    def _encode(self, text: str, start: int, end: int) -> Tokens:
        tokens = self.tokenizer.encode([text[start:end]])[0]
        return Tokens(tokens.ids, tokens.starts + start, tokens.ends + start, tokens.words)

    def _regions(
        self, text: str, tokens: Tokens, start: int, end: int, whole: bool = True
    ) -> Iterator[tuple[Tokens, int, int, bool]]:
        """Stretches that are cut on their own: (tokens, start, end, whether it ends with a whole word).

        A word too long for WordPiece would be one unknown token, lost: it is cut to lengths that have tokens.
        """
        done, limit = 0, self.tokenizer.longest_word
        for at in np.flatnonzero(tokens.ids == self.tokenizer.unknown) if limit else ():
            word, stop = int(tokens.starts[at]), int(tokens.ends[at])
            length = self.tokenizer.length(text[word:stop])
            if limit is None or length <= limit:
                continue
            if text[start:word].strip():
                yield tokens.slice(done, int(at)), start, word, True
            step = max(1, limit * (stop - word) // length)
            for a in range(word, stop, step):  # a piece may be too long still, where more of it decomposes
                b = min(a + step, stop)
                yield from self._regions(text, self._encode(text, a, b), a, b, whole and b == stop)
            done, start = int(at) + 1, stop
        yield tokens.slice(done, len(tokens)), start, end, whole

    def _cut(
        self, text: str, tokens: Tokens, start: int, end: int, sections: Sequence[tuple[int, str]], whole: bool
    ) -> Iterator[Chunk]:
        """The passages of one region; a passage ends where the best place is that fits."""
        count, at, begin = len(tokens), 0, start
        levels = _levels(text, tokens, start, end, sections) if count > self.room else np.empty(0)
        reached, done = 0, start  # the tokens and characters that are in a passage: each goes further than the last
        while True:
            stop = count if count - at <= self.room else self._stop(levels, at, reached, self.room)
            if (
                stop < count and BOUND <= levels[stop] <= BETWEEN and at < reached
            ):  # the overlap leaves no room for what follows
                at, begin = reached, int(tokens.starts[reached])
                stop = count if count - at <= self.room else self._stop(levels, at, reached, self.room)
            while True:  # a piece that has more tokens on its own is made shorter until it fits
                chunk = self._chunk(text, tokens, at, stop, begin, int(tokens.starts[stop]) if stop < count else end)
                if chunk is None or chunk.content <= self.room:
                    break
                levels = levels if len(levels) else _levels(text, tokens, start, end, sections)
                shorter = self._stop(levels, at, reached, stop - at - (chunk.content - self.room))
                if shorter == stop and at == reached:
                    bad = text[chunk.start : chunk.end]
                    raise BadValue(f"{bad!r} alone makes {chunk.content} tokens; {self.room} fit a passage")
                if shorter == stop:  # the overlap leaves room for nothing new: do without it
                    at, begin = reached, int(tokens.starts[reached])
                stop = shorter
            splits = bool(stop < count and levels[stop] == LETTER) or (stop == count and not whole)
            if chunk is not None and chunk.end > done:
                yield replace(chunk, splits_word=splits)
                done = chunk.end
            if stop >= count:
                return
            reached, at = stop, self._resume(levels, at, stop)
            begin = int(tokens.starts[at])

    def _stop(self, levels: np.ndarray, at: int, reached: int, room: int) -> int:
        """Where a passage from token `at` ends: past `reached`, within `room` tokens if any place there will do."""
        near = levels[reached + 1 : max(at + room, reached) + 1]
        for level, fill in self._preference:
            places = np.flatnonzero(near >= level) + reached + 1
            if len(places) and places[-1] - at >= fill * self.room:
                return int(places[-1])
        later = np.flatnonzero(levels[reached + 1 :] > INSIDE)
        return reached + 1 + int(later[0]) if len(later) else len(levels)

    def _resume(self, levels: np.ndarray, at: int, stop: int) -> int:
        """Where the next passage starts: `overlap` tokens back at most, at a sentence if one starts there."""
        first = max(at + 1, stop - self.overlap)
        for level in (SENTENCE, WORD):
            places = np.flatnonzero(levels[first:stop] >= level)
            if len(places):
                return first + int(places[0])
        return stop

    def _chunk(self, text: str, tokens: Tokens, at: int, stop: int, start: int, end: int) -> Chunk | None:
        """The passage of tokens at … stop - 1, None if it is white space only."""
        piece = text[start:end]
        start, end = start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())
        if start >= end:
            return None
        between = (at == 0 or tokens.words[at - 1] != tokens.words[at]) if at < len(tokens) else True
        between = between and (stop >= len(tokens) or tokens.words[stop - 1] != tokens.words[stop])
        if self._reuse and between:
            ids = [*self._prompt_ids, *tokens.ids[at:stop].tolist()]
        else:
            ids = self.tokenizer.encode_ids([self.prompt + text[start:end]])[0]
        content = len(ids) - len(self._prompt_ids)
        unknown = ids.count(self.tokenizer.unknown) if self.tokenizer.unknown is not None else 0
        return Chunk(start, end, tuple(self.tokenizer.wrap(ids)), content, unknown)


def _blocks(text: str, start: int, end: int, sections: Sequence[tuple[int, str]]) -> Iterator[tuple[int, int]]:
    """Stretches of at most BLOCK characters, ended by a blank line, else a line, else white space where possible.

    None ends with a heading, unless half of it were headings.
    """
    while end - start > BLOCK:
        half = start + BLOCK // 2
        places = (text.rfind(mark, half, start + BLOCK) for mark in ("\n\n", "\n", " "))
        cut = next((at + 1 for at in places if at >= 0), start + BLOCK)
        above = bisect_left(sections, cut, key=itemgetter(0))
        while above > 0:
            above -= 1
            [(begin, stop)] = leads.headings(text, sections[above : above + 1])
            if begin <= half or text[stop:cut].strip():
                break
            cut = begin
        yield start, cut
        start = cut
    yield start, end


def _levels(text: str, tokens: Tokens, start: int, end: int, sections: Sequence[tuple[int, str]]) -> np.ndarray:
    """(n,) the level of the place before each token."""
    from sentencex import get_sentence_boundaries

    levels = np.full(len(tokens), WORD)
    same = tokens.words[1:] == tokens.words[:-1]
    levels[1:][same] = LETTER
    levels[1:][tokens.starts[1:] < np.maximum.accumulate(tokens.ends)[:-1]] = INSIDE
    block = text[start:end]
    own = sections[bisect_left(sections, start, key=itemgetter(0)) : bisect_left(sections, end, key=itemgetter(0))]
    titles = list(leads.headings(text, own))
    places: dict[int, Sequence[int] | np.ndarray] = {
        LINE: [match.end() + start for match in _LINE.finditer(block)],
        # English rules end sentences at 。！？ too.
        SENTENCE: [boundary["end_index"] + start for boundary in get_sentence_boundaries("en", block)],
        BLANK: [match.end() + start for match in _BLANK.finditer(block)],
        HEADING: [begin for begin, _ in titles],
    }
    for level, offsets in places.items():
        at = np.searchsorted(tokens.starts, offsets)  # the first token that starts there or later
        at = at[at < len(tokens)]
        levels[at[levels[at] >= WORD]] = level
    spans = [span for span in [*titles, *leads.tables(text, start, end)] if span[0] < span[1]]
    begins, ends = (np.searchsorted(tokens.starts, side) for side in np.array(spans, dtype=np.int64).reshape(-1, 2).T)
    for first, last in zip(begins, ends, strict=True):
        levels[first + 1 : last] = np.minimum(levels[first + 1 : last], BOUND)
    for level, places_after in ((AFTER, np.setdiff1d(ends, begins)), (BETWEEN, np.intersect1d(ends, begins))):
        at = places_after[places_after < len(tokens)]
        levels[at] = np.minimum(levels[at], level)
    return levels
