"""Which sentence of a passage answers a question best: token vectors of the index's own model, compared one by one."""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from searcher.embedding.embedder import Embedder
from searcher.embedding.encoder import Sequence_
from searcher.embedding.maxsim import maxsim, rarity
from searcher.embedding.pooling import normalize
from searcher.records import Highlight, Passage
from searcher.system import one_thread
from searcher.text import Tokens

__all__ = ["best_sentences", "highlighted", "sentences"]

# Such a share of the model's layers is computed: all of MiniLM's six mark 85 % of the sentences rightly, four 84 %,
# three 83 %, and the time is that of the layers.
DEPTH = 1 / 2
# How much a question's token that stands in the sentence itself adds to the likeness, for each unit of its rarity.
# Chosen on the German and Chinese of XQuAD, never on the English.
SAME_TOKEN = 0.03

TELLING = 4  # words beside an address or tag that say something, or letters of a word in a script without spaces
_MARKUP = re.compile(r"<[^<>]*>|\b\w+://\S+|\]\([^()]*\)")
_WORD = re.compile(r"[^\W\d_]+")

# Lines that end where they end, whatever the punctuation: list items, table rows, quotes and headings.
_LINES = re.compile(r"\n(?=[^\S\n]*(?:[-*+•|>#]|\d+[.)])\s)|^[^\S\n]*#+\s[^\n]*\n|\n[^\S\n]*\n", re.MULTILINE)


def highlighted(embedder: Embedder, question: str, hits: Sequence[Passage]) -> list[Passage]:
    """The passages with the sentence of each that answers the question best; offsets are those of the document."""
    spans = best_sentences(embedder, question, [hit.text for hit in hits])
    return [
        replace(hit, highlight=Highlight(hit.text[start:end], hit.start + start, hit.start + end))
        for hit, (start, end) in zip(hits, spans, strict=True)
    ]


def best_sentences(embedder: Embedder, question: str, texts: Sequence[str]) -> list[tuple[int, int]]:
    """(start, end) in each text of the sentence that answers best: each token of the question takes the sentence's
    token most like it, and rare ones count more. MaxSim of Khattab & Zaharia 2020 (ColBERT, §3.3) over the states of
    a later layer, of one forward pass over the whole text; weighted by rarity among the text's sentences.
    """
    spans = [sentences(text) for text in texts]
    several = [number for number, own in enumerate(spans) if len(own) > 1]
    if not several:
        return [own[0] for own in spans]
    tokenizer = embedder.model.tokenizer
    [(before, asked)] = tokenizer.behind(embedder.prompts["query"], [question])
    read = tokenizer.behind(embedder.prompts["passage"], [texts[number] for number in several])
    question_states, *states = _states(embedder, [(before, asked), *read])
    tokens = [own for _, own in read]
    packed = np.concatenate(states)
    lengths = np.sqrt(np.einsum("td,td->t", packed, packed))
    with one_thread():
        likeness = packed @ normalize(question_states).T / np.maximum(lengths, 1e-12)[:, None]  # (T, m)
    chosen, at = [own[0] for own in spans], 0
    for number, own in zip(several, tokens, strict=True):
        chosen[number] = spans[number][_best(texts[number], asked, own, likeness[at : at + len(own)], spans[number])]
        at += len(own)
    return chosen


def sentences(text: str) -> list[tuple[int, int]]:
    r"""(start, end) of each sentence that holds a letter or digit, without white space at its ends; list items, table
    rows and headings are sentences. The whole text where there is none.

    >>> sentences("It rains. - Why?\n- a cloud\n- a hose")
    [(0, 9), (10, 16), (17, 26), (27, 35)]
    """
    from sentencex import get_sentence_boundaries

    # English rules end sentences at 。！？ too.
    ends = {boundary["end_index"] for boundary in get_sentence_boundaries("en", text)}
    ends |= {edge for match in _LINES.finditer(text) for edge in match.span()}
    found, start = [], 0
    for end in sorted(ends | {len(text)}):
        piece = text[start:end]
        a, b = start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())
        if any(character.isalnum() for character in piece):
            found.append((a, b))
        start = end
    return found or [(0, len(text))]


def _states(embedder: Embedder, inputs: Sequence[tuple[list[int], Tokens]]) -> list[np.ndarray]:
    """States of each text's tokens in a later layer, (t, d) each; inputs: prompt's ids and the text's tokens.

    A text longer than the model's window goes through in pieces.
    """
    tokenizer, layer = embedder.model.tokenizer, max(1, round(DEPTH * embedder.model.layers))
    sequences, owners = [], []
    for owner, (prompt, tokens) in enumerate(inputs):
        room = max(1, embedder.max_seq_length - tokenizer.special - len(prompt))
        for start in range(0, max(1, len(tokens)), room):
            ids = tokenizer.wrap([*prompt, *tokens.ids[start : start + room].tolist()])
            sequences.append(Sequence_(ids, tokenizer.segments(len(ids))))
            owners.append(owner)
    pieces: list[np.ndarray] = [np.empty(0)] * len(sequences)
    for batch, (states, bounds) in embedder.encoder.run(
        sequences, (layer,), False, lambda hidden: (hidden.layers[layer], hidden.bounds), patient=True
    ):
        after = tokenizer.special - tokenizer.before
        for row, number in enumerate(batch):
            skip = tokenizer.before + len(inputs[owners[number]][0])
            pieces[number] = states[bounds[row] + skip : bounds[row + 1] - after]
    owned = np.array(owners)
    return [np.concatenate([pieces[i] for i in np.flatnonzero(owned == owner)]) for owner in range(len(inputs))]


def _best(text: str, asked: Tokens, tokens: Tokens, likeness: np.ndarray, spans: Sequence[tuple[int, int]]) -> int:
    """The sentence that answers best, the first of equals. likeness: (t, m) cosines of tokens with those asked.

    One that is hardly more than an address or a tag is taken only where all are.
    """
    edges = np.searchsorted(tokens.starts, spans)
    present = np.array([np.isin(asked.ids, tokens.ids[a:b]) for a, b in edges])  # (sentences, m)
    rare = rarity(present)
    _, once = np.unique(asked.ids, return_index=True)
    scores = np.array([
        maxsim(likeness[a:b], rare) + SAME_TOKEN * float(rare[once] @ here[once]) if a < b and len(asked) else -1.0
        for (a, b), here in zip(edges, present, strict=True)
    ])  # fmt: skip
    telling = np.array([_says_something(text[a:b]) for a, b in spans])
    return int(np.argmax(np.where(telling, scores, -2.0) if telling.any() else scores))


def _says_something(sentence: str) -> bool:
    """Whether it is more than an address or a tag with a word or two.

    >>> _says_something("| **GitHub link** | https://example.com/a/b |"), _says_something("It is made of two parts.")
    (False, True)
    """
    if not _MARKUP.search(sentence):
        return True
    words = _WORD.findall(_MARKUP.sub(" ", sentence))
    return len(words) >= TELLING or any(len(word) >= TELLING and not word.isascii() for word in words)
