"""The peers of `scale.py`, each with the same vectors, texts and metadata, and asked for the same: ids, texts, metadata.

A peer is a generator function: its first value, for whose making the clock runs, is a list of (knob, question → places).
"""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

Asks = list[tuple[Any, Callable[[np.ndarray], list[int]]]]
K = 10
BATCH = 5000


def chroma(folder: Path, texts: list[str], vectors: np.ndarray) -> Iterator[Asks]:
    """Chroma's own HNSW, with its default build; the knob is ef, 100 as it comes."""
    import chromadb
    from chromadb.api.shared_system_client import SharedSystemClient

    client = chromadb.PersistentClient(str(folder))
    space = {"hnsw:space": "ip", "hnsw:search_ef": 100, "hnsw:num_threads": 2}
    collection = client.create_collection("passages", metadata=space, embedding_function=None)
    for start in range(0, len(texts), BATCH):
        part = range(start, min(start + BATCH, len(texts)))
        collection.add(
            [str(number) for number in part],
            embeddings=vectors[part.start : part.stop],
            documents=texts[part.start : part.stop],
            metadatas=[{"number": number} for number in part],
        )

    opened = {"ef": 100, "collection": collection}

    def ask(ef: int, question: np.ndarray) -> list[int]:
        if opened["ef"] != ef:  # it holds only for a collection that is opened anew
            opened["collection"].modify(configuration={"hnsw": {"ef_search": ef}})
            SharedSystemClient.clear_system_cache()
            again = chromadb.PersistentClient(str(folder)).get_collection("passages", embedding_function=None)
            opened.update(ef=ef, collection=again)
        query = opened["collection"].query
        found = query(question[None], n_results=K, include=["documents", "metadatas", "distances"])
        return [int(number) for number in found["ids"][0]]

    yield [(f"ef {ef}", partial(ask, ef)) for ef in (100, 200, 400, 800, 1600)]


def lancedb(folder: Path, texts: list[str], vectors: np.ndarray) -> Iterator[Asks]:
    """LanceDB's IVF_PQ with refinement by the stored vectors; the knob is nprobes."""
    import lancedb as library
    import pyarrow as pa

    shape = pa.list_(pa.float32(), vectors.shape[1])
    table = pa.table({
        "number": np.arange(len(texts)), "text": texts,
        "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), type=shape),
    })  # fmt: skip
    made = library.connect(folder).create_table("passages", table)
    made.create_index(metric="dot", num_partitions=int(len(texts) ** 0.5), num_sub_vectors=48)

    def ask(probes: int, question: np.ndarray) -> list[int]:
        found = made.search(question).distance_type("dot").limit(K).nprobes(probes).refine_factor(30).to_list()
        return [row["number"] for row in found]

    yield [(f"nprobes {probes}", partial(ask, probes)) for probes in (20, 40, 80, 160, 320)]


def sqlite_vec(folder: Path, texts: list[str], vectors: np.ndarray) -> Iterator[Asks]:
    """sqlite-vec's exact scan: it has no index."""
    import pysqlite3 as sqlite3  # the one in Python often loads no extensions
    import sqlite_vec as library

    folder.mkdir(parents=True)
    connection = sqlite3.connect(folder / "vec.db")
    connection.enable_load_extension(True)
    library.load(connection)
    width = vectors.shape[1]
    connection.execute(f"CREATE VIRTUAL TABLE v USING vec0(embedding float[{width}] distance_metric=cosine)")
    connection.execute("CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT, metadata TEXT)")
    connection.executemany(
        "INSERT INTO v(rowid, embedding) VALUES (?, ?)", ((n, row.tobytes()) for n, row in enumerate(vectors))
    )
    rows = ((number, text, json.dumps({"number": number})) for number, text in enumerate(texts))
    connection.executemany("INSERT INTO texts VALUES (?, ?, ?)", rows)
    connection.commit()
    query = (
        "SELECT t.id, t.text, t.metadata FROM (SELECT rowid FROM v WHERE embedding MATCH ? AND k = ?) f"
        " JOIN texts t ON t.id = f.rowid"
    )
    yield [("exact", lambda question: [row[0] for row in connection.execute(query, [question.tobytes(), K])])]


def txtai(folder: Path, texts: list[str], vectors: np.ndarray) -> Iterator[Asks]:
    """FAISS under the settings of txtai, its content in SQLite; the knob is nprobe, with None as it comes."""
    from txtai import Embeddings

    place = {text: number for number, text in enumerate(texts)}  # it embeds them in an order of its own

    def embed(inputs: list[Any]) -> np.ndarray:
        return np.stack([one if isinstance(one, np.ndarray) else vectors[place[one]] for one in inputs])

    index = Embeddings(
        {"method": "external", "transform": embed, "content": True, "backend": "faiss", "encodebatch": 500}
    )
    index.index((number, {"text": text, "number": number}, None) for number, text in enumerate(texts))

    def ask(probes: int | None, question: np.ndarray) -> list[int]:
        index.ann.config["faiss"] = {"nprobe": probes} if probes else {}
        return [
            int(row["id"])
            for row in index.search(
                "select id, text, score from txtai where similar(:v)", K, parameters={"v": question}
            )
        ]

    yield [(f"nprobe {probes}", partial(ask, probes)) for probes in (None, 128, 256, 512, 1024)]


PEERS = {"Chroma": chroma, "LanceDB": lancedb, "sqlite-vec": sqlite_vec, "txtai": txtai}
