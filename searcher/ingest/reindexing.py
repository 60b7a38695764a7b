"""Embedding an index again from its stored text, with other settings: all of it or nothing."""

from collections.abc import Iterator
from dataclasses import replace

from searcher.embedding import Embedder, IndexSettings
from searcher.engines import Engine
from searcher.ingest.documents import passages
from searcher.ingest.inputs import cut, inputs
from searcher.ingest.pipeline import BATCH_TOKENS, embed_chunks
from searcher.ingest.progress import Progress
from searcher.records import Chunk, Document, Prepared

__all__ = ["embed_again"]


def embed_again(engine: Engine, settings: IndexSettings, embedder: Embedder, progress: Progress) -> None:
    """Cut and embed every stored document anew and replace all passages in one transaction.

    The old index answers until then. Raises IndexUnavailable, and changes nothing, if it was written to meanwhile.
    """
    head = engine.head()
    prepared: list[Prepared] = []
    for batch in _batches(engine, settings, embedder, progress):
        pairs = [pair for document, _, chunks in batch for pair in inputs(settings, embedder, document, chunks)]
        vectors, _ = embed_chunks(embedder, [own for own, _ in pairs], [ids for _, ids in pairs], {}, progress)
        at = 0
        for document, file, chunks in batch:
            bare = [replace(chunk, ids=()) for chunk in chunks]  # the ids of a whole index would fill the memory
            own = passages(document, bare, vectors[at : at + len(chunks)])
            prepared.append(Prepared(document, document.digest(), file, *own))
            at += len(chunks)
    engine.write(prepared, settings=settings, expected=head)


def _batches(
    engine: Engine, settings: IndexSettings, embedder: Embedder, progress: Progress
) -> Iterator[list[tuple[Document, str | None, list[Chunk]]]]:
    """Documents with their files and new chunks, so many that encoding is worth while."""
    chunker, numbers = settings.chunker(embedder), engine.document_ids()
    progress("total", len(numbers))
    batch: list[tuple[Document, str | None, list[Chunk]]] = []
    tokens = 0
    for number in numbers:
        document = engine.document(number)
        chunks = cut(settings, chunker, document)
        batch.append((document, engine.file_of(number), chunks))
        tokens += sum(chunk.content for chunk in chunks)
        if tokens >= BATCH_TOKENS:
            yield batch
            batch, tokens = [], 0
        progress("file", 1)
    yield batch
