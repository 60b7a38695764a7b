"""A document's passages, and what the encoder gets of each: its tokens, behind title and headings if so wanted."""

import re
from collections.abc import Sequence

from searcher.embedding import Embedder, IndexSettings
from searcher.records import HEADINGS, Chunk, Document, Input
from searcher.text import Chunker, places_of

__all__ = ["MOST_CONTEXT", "cut", "inputs"]

MOST_CONTEXT = 48  # tokens of title and headings; what a passage leaves of the model's window may be less
BEFORE_WORDS = re.compile(r"\A\W+")  # marks of a heading
Tokens = Sequence[int]


def cut(settings: IndexSettings, chunker: Chunker, document: Document) -> list[Chunk]:
    """The passages of a document, as an index of those settings has them. BadValue for what cannot be cut."""
    chunks = list(chunker.chunks(document.text, document.sections, document.breaks))
    return chunks[:1] if settings.truncate else chunks


def inputs(
    settings: IndexSettings, embedder: Embedder, document: Document, chunks: Sequence[Chunk]
) -> list[tuple[Input, Tokens]]:
    """Of each passage what decides its vector, and the token ids of that, prompt and special tokens included.

    Title and heading path stand before the text, as "Guide > Install: …" [1], but not a title with which the passage
    begins; the passage itself, its offsets and its tokens stay as they are without.

    [1] Anthropic, "Introducing Contextual Retrieval", 2024, has a model write what is put there; here the file says it.
    """
    if not settings.context:
        return [(Input(document.text[c.start : c.end]), c.ids) for c in chunks]
    found: list[tuple[Input, Tokens]] = []
    for chunk, (_, section) in zip(chunks, places_of(document, chunks), strict=True):
        text = document.text[chunk.start : chunk.end]
        ids = _behind(_said(text, document.title, section), settings.passage_prompt, embedder, chunk)
        found.append((Input(text, document.title, section), ids))
    return found


def _said(text: str, title: str | None, section: str | None) -> str:
    """Title and headings above a passage as one line, each said once. Empty where there is none."""
    parts = dict.fromkeys(part.strip() for part in (title or "", *(section or "").split(HEADINGS)))
    if title and BEFORE_WORDS.sub("", text).startswith(title.strip()):
        del parts[title.strip()]
    return HEADINGS.join(filter(None, parts))


def _behind(said: str, prompt: str, embedder: Embedder, chunk: Chunk) -> Tokens:
    """A passage's token ids with a line before its text; of the line what fits the window."""
    tokenizer = embedder.model.tokenizer
    room = min(MOST_CONTEXT, embedder.model.window - len(chunk.ids))
    if not said or room <= 0:
        return chunk.ids
    end = tokenizer.before + len(chunk.ids) - tokenizer.special
    own = chunk.ids[end - chunk.content : end]
    before, line = tokenizer.encode_ids([prompt, f"{said}:"])
    return tokenizer.wrap([*before, *line[:room], *own])
