"""What a framework's door costs over the library: a query, and the ingest of 5,000 given vectors.

    python benchmarks/adapters.py

Of an ingest the seconds of the processor are counted, in all threads: the disk is the same for each, and may be busy
with others. A framework that is not installed is left out. Last line: JSON.
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("HAYSTACK_TELEMETRY_ENABLED", "False")

import numpy as np
from common import report

from searcher import Searcher

DOCUMENTS, DIMENSION, QUESTIONS, ROUNDS = 5_000, 384, 200, 3
WORDS = "river bank money boat water account flood year open near".split()
Door = tuple[Callable[[], Any], Callable[[list[float]], Any]]


def texts() -> tuple[list[str], np.ndarray]:
    """Texts of some 40 words and unit vectors for them."""
    random = np.random.default_rng(0)
    vectors = random.standard_normal((DOCUMENTS, DIMENSION)).astype("float32")
    lines = [" ".join([str(number), *random.choice(WORDS, 40)]) for number in range(DOCUMENTS)]
    return lines, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def library(folder: Path) -> Door:
    """Ours, without a door."""
    lines, vectors = texts()
    ids, metadatas = [str(n) for n in range(DOCUMENTS)], [{"n": n} for n in range(DOCUMENTS)]
    index = Searcher(folder, vectors="theirs")
    return lambda: index.put(lines, ids, metadatas, vectors=vectors), lambda vector: index.search(
        vector=vector, k=4, whole=True
    )


def langchain(folder: Path) -> Door:
    """Its vectors come out of a table, so that no embedding is timed."""
    from langchain_core.embeddings import Embeddings

    from searcher.integrations.langchain import SearcherVectorStore

    lines, vectors = texts()
    table = vectors.tolist()

    class Table(Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [table[int(text.split(" ", 1)[0])] for text in texts]

        def embed_query(self, text: str) -> list[float]:
            return table[0]

    store = SearcherVectorStore(folder, Table())
    ids, metadatas = [str(n) for n in range(DOCUMENTS)], [{"n": n} for n in range(DOCUMENTS)]
    return lambda: store.add_texts(lines, metadatas, ids=ids), lambda vector: store.similarity_search_by_vector(
        vector, 4
    )


def llama_index(folder: Path) -> Door:
    """Nodes, made before."""
    from llama_index.core.schema import TextNode
    from llama_index.core.vector_stores.types import VectorStoreQuery

    from searcher.integrations.llama_index import SearcherVectorStore

    lines, vectors = texts()
    nodes = [
        TextNode(id_=str(n), text=text, embedding=vector, metadata={"n": n})
        for n, (text, vector) in enumerate(zip(lines, vectors.tolist(), strict=True))
    ]
    store = SearcherVectorStore(folder, vectors="theirs")
    return lambda: store.add(nodes), lambda vector: store.query(
        VectorStoreQuery(query_embedding=vector, similarity_top_k=4)
    )


def haystack(folder: Path) -> Door:
    """Documents, made before."""
    from haystack import Document

    from haystack_integrations.document_stores.searcher import SearcherDocumentStore

    lines, vectors = texts()
    documents = [
        Document(id=str(n), content=text, embedding=vector, meta={"n": n})
        for n, (text, vector) in enumerate(zip(lines, vectors.tolist(), strict=True))
    ]
    store = SearcherDocumentStore(folder, vectors="theirs")
    return lambda: store.write_documents(documents), lambda vector: store.embedding_retrieval(vector, top_k=4)


DOORS = {"library": library, "langchain": langchain, "llama_index": llama_index, "haystack": haystack}


def timed(work: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds."""
    start = clock()
    work()
    return clock() - start


def main() -> None:
    """Ingest by each door in turns, then ask each the same questions in turns."""
    questions = texts()[1][:QUESTIONS].tolist()
    ingest: dict[str, list[float]] = {}
    query: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(ROUNDS):
            ask = {}
            for name, door in DOORS.items():
                try:
                    put, ask[name] = door(Path(folder) / f"{name}{turn}")
                except ImportError as fault:
                    print(f"{name} is left out: {fault}")
                    continue
                ingest.setdefault(name, []).append(timed(put, time.process_time))
            for vector in questions:
                for name, one in ask.items():
                    query.setdefault(name, []).append(timed(lambda one=one, vector=vector: one(vector)))
    found: dict[str, Any] = {}
    for name in ingest:
        found[f"{name}_query_ms"] = round(1000 * median(query[name]), 3)
        found[f"{name}_ingest_s"] = round(min(ingest[name]), 3)
        found[f"{name}_overhead_ms"] = round(1000 * (median(query[name]) - median(query["library"])), 3)
        found[f"{name}_ingest_share"] = round(min(ingest["library"]) / min(ingest[name]), 2)
        print(name, {key: value for key, value in found.items() if key.startswith(f"{name}_")})
    report("adapters", found)


if __name__ == "__main__":
    main()
