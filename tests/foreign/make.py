"""Makes small stores with the tools themselves, and writes down what each tool says that it holds.

The suite needs none of them: it reads the stores in this folder. To make others with their newest releases, and read those:

    python -m venv /tmp/others
    /tmp/others/bin/pip install langchain-community faiss-cpu chromadb txtai llm qdrant-client
    /tmp/others/bin/python tests/foreign/make.py /tmp/stores
    SEARCHER_FOREIGN=/tmp/stores pytest tests/migration

`minilm.npy` holds the vectors of TEXTS and QUESTION by all-MiniLM-L6-v2; `python tests/foreign/make.py minilm.npy` makes it
with searcher. page.json says what the snippets of docs/coming-from.md gave, run by the tools on the stores in page.zip.
"""

import base64
import json
import os
import re
import shutil
import sys
import uuid
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "coming-from.md"
QUESTION = "Where is our money?"
TEXTS = [
    "We keep our money in the bank at the corner.",
    "The boat is tied to a tree near the river bank.",
    "Bring the keys back to the office before six.",
    "  A text with space around it\n\nand two paragraphs.\t",
    "Größe, naïve, 東京, 😀 and a line\u2028separator.",
    "The printer on the second floor is out of paper again.",
    "Tomatoes want sun, water in the morning, and a stick to lean on.",
    "The last train to the coast leaves at ten past eleven.",
]
WIDTH = 8
UNIQUE = uuid.UUID("3fa85f64-5717-4562-b3fc-2c963f66afa6")


def vectors(count: int, seed: int, unit: bool = False) -> np.ndarray:
    """(count, WIDTH) float32, of unlike lengths or of length 1."""
    made = np.random.default_rng(seed).normal(size=(count, WIDTH)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True) if unit else made


def plain(value: Any) -> Any:
    """A value of metadata as JSON has it."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, set | frozenset):
        return sorted(plain(each) for each in value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return (
        float(value)
        if isinstance(value, Decimal)
        else str(value)
        if isinstance(value, uuid.UUID | PurePosixPath)
        else value
    )


def item(key: Any, text: str | None, metadata: Any, vector: Any) -> dict[str, Any]:
    """One item as the tool gives it back."""
    numbers = None if vector is None else base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode()
    return {"id": str(key), "text": text, "metadata": plain(metadata or {}), "vector": numbers}


Said = tuple[str, dict[str, str], list[dict[str, Any]]]  # folder or file, what to choose, items


# -- LangChain's FAISS store


def langchain(folder: Path) -> Iterator[Said]:
    from langchain_community.vectorstores import FAISS
    from langchain_community.vectorstores.utils import DistanceStrategy
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings

    class Given(Embeddings):
        def __init__(self, rows: np.ndarray) -> None:
            self.rows = iter(rows.tolist())

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [next(self.rows) for _ in texts]

        def embed_query(self, text: str) -> list[float]:
            return [0.0] * WIDTH

    rich = [
        {"lang": "en", "year": 2024, "share": 0.25, "open": True, "none": None},
        {"tags": ["a", "b"], "nested": {"deep": [1, {"er": 2}]}, "pair": (1, 2), "set": {"x"}},
        {
            "day": date(2026, 1, 31),
            "moment": datetime(2026, 1, 31, 10, 0, 5, 7),
            "utc": datetime(2026, 1, 31, tzinfo=UTC),
        },
        {
            "offset": datetime(2026, 1, 31, tzinfo=timezone(timedelta(hours=2))),
            "uuid": UNIQUE,
            "path": PurePosixPath("a/b"),
        },
        {
            "half": np.float32(0.5),
            "three": np.int64(3),
            "row": np.arange(3),
            "money": Decimal("1.25"),
            "true": np.bool_(True),
        },
    ]
    metadatas = rich + [{}] * (len(TEXTS) - len(rich))

    def said(name: str, index: str, unit: bool, strategy: Any, rows: np.ndarray | None = None) -> Said:
        given = Given(vectors(12, 1, unit) if rows is None else rows)
        store = FAISS.from_texts(
            TEXTS, given, metadatas=metadatas, ids=[f"t{n}" for n in range(len(TEXTS))], distance_strategy=strategy
        )
        if rows is None:
            store.delete(["t1", "t6"])
            store.add_documents([Document("Added later.", metadata={"n": 1}), Document("")], ids=["later", "empty"])
            store.add_texts([TEXTS[1]], ids=["t1"])
        store.save_local(str(folder / name), index_name=index)
        back = FAISS.load_local(str(folder / name), given, index_name=index, allow_dangerous_deserialization=True)
        found = []
        for row, key in back.index_to_docstore_id.items():
            document = back.docstore.search(key)
            found.append(item(key, document.page_content, document.metadata, back.index.reconstruct(row)))
        return name, {}, found

    yield said("langchain", "index", False, DistanceStrategy.EUCLIDEAN_DISTANCE)
    yield said("langchain-named", "notes", True, DistanceStrategy.MAX_INNER_PRODUCT)
    yield said(
        "langchain-minilm", "index", True, DistanceStrategy.EUCLIDEAN_DISTANCE, np.load(HERE / "minilm.npy")[:-1]
    )


# -- Chroma


def chroma(folder: Path) -> Iterator[Said]:
    import chromadb

    client = chromadb.PersistentClient(str(folder / "chroma"))
    settings: dict[str, dict[str, Any]] = {
        "l2": {"space": "l2", "sync_threshold": 4, "batch_size": 2},
        "cosine": {"space": "cosine", "sync_threshold": 4, "batch_size": 2},
        "ip": {"space": "ip", "sync_threshold": 4, "batch_size": 2},
        "queued": {"space": "l2"},
    }
    for seed, (name, hnsw) in enumerate(settings.items()):
        held = client.create_collection(f"notes-{name}", configuration={"hnsw": hnsw}, embedding_function=None)
        rows = vectors(20, seed).tolist()
        for n, text in enumerate(TEXTS):
            metadata = {
                "n": n,
                "share": n / 4,
                "even": n % 2 == 0,
                "lang": "en",
                "tags": ["a", f"b{n}"],
                "sizes": [n, 2],
            }
            held.add(ids=[f"t{n}"], documents=[text], embeddings=[rows[n]], metadatas=[metadata if n != 3 else None])
        held.delete(["t1", "t6"])
        held.update(["t2"], embeddings=[rows[10]], metadatas=[{"lang": "de", "new": 1}])
        held.update(["t4"], documents=["Another text."], embeddings=[rows[11]])
        held.add(ids=["t1"], documents=["Back again."], embeddings=[rows[12]])
        held.upsert(
            ids=["t5", "u1"], documents=["Changed.", "New."], embeddings=rows[13:15], metadatas=[{"n": 50}, {"n": 51}]
        )
        held.add(ids=["t0"], documents=["Is there already."], embeddings=[rows[15]])
        held.update(["nobody"], documents=["Is not there."], embeddings=[rows[16]])
        held.add(ids=["no text"], embeddings=[rows[17]])
    del client
    chromadb.api.client.SharedSystemClient.clear_system_cache()
    client = chromadb.PersistentClient(str(folder / "chroma"))
    for name in settings:
        found = client.get_collection(f"notes-{name}", embedding_function=None).get(
            include=["documents", "metadatas", "embeddings"]
        )
        rows = zip(found["ids"], found["documents"], found["metadatas"], found["embeddings"], strict=True)
        yield "chroma", {"collection": f"notes-{name}"}, [item(*row) for row in rows]


# -- txtai


def txtai(folder: Path) -> Iterator[Said]:
    os.environ["ALLOW_PICKLE"] = "True"
    from txtai import Embeddings

    documents = [
        (f"t{n}", {"text": text, "n": n, "nested": {"deep": [n]}} if n % 2 else text, "tag" if n == 4 else None)
        for n, text in enumerate(TEXTS)
    ]
    kinds: dict[str, dict[str, Any]] = {
        "txtai": {"content": True},
        "txtai-numpy": {"content": True, "backend": "numpy"},
        "txtai-lists": {"content": True, "faiss": {"components": "IVF2,Flat"}},
        "txtai-pickled": {"content": True, "format": "pickle"},
        "txtai-ids": {"content": False},
        "txtai-quantised": {"content": True, "faiss": {"quantize": 8}},
    }
    for seed, (name, settings) in enumerate(kinds.items()):
        rows = iter(vectors(20, seed))
        index = Embeddings(
            method="external", transform=lambda texts, rows=rows: np.array([next(rows) for _ in texts]), **settings
        )
        index.index(documents)
        index.upsert([("later", "Added later.", None), ("t2", "Changed.", None)])
        index.delete(["t1", "t6"])
        index.config["transform"] = "given"
        index.save(str(folder / name))
        yield name, {}, list(_of_txtai(index, settings))


def _of_txtai(index: Any, settings: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if settings["content"]:
        cursor = index.database.cursor
        cursor.execute(
            "SELECT s.indexid, s.id, s.text, s.tags, d.data FROM sections s LEFT JOIN documents d ON s.id = d.id"
        )
        sections = cursor.fetchall()
    else:
        sections = [(n, key, None, None, None) for n, key in enumerate(index.ids) if key is not None]
    for number, key, text, tags, data in sections:
        fields = json.loads(data) if data else {}
        metadata = {name: value for name, value in fields.items() if name != "text"} | ({"tags": tags} if tags else {})
        yield item(key, text, metadata, _vector_of_txtai(index.ann.backend, number, settings))


def _vector_of_txtai(backend: Any, number: int, settings: dict[str, Any]) -> np.ndarray | None:
    import faiss

    if isinstance(backend, np.ndarray):
        return backend[number]
    if settings.get("faiss", {}).get("quantize"):
        return None
    if isinstance(backend, faiss.IndexIDMap):
        return backend.index.reconstruct(faiss.vector_to_array(backend.id_map).tolist().index(number))
    backend.set_direct_map_type(faiss.DirectMap.Hashtable)
    return backend.reconstruct(number)


# -- llm


def llm(folder: Path) -> Iterator[Said]:
    import llm as tool
    import sqlite_utils

    class Given(tool.EmbeddingModel):
        model_id = "given-8"

        def __init__(self, seed: int) -> None:
            self.rows = iter(vectors(20, seed).tolist())

        def embed_batch(self, items: Any) -> Iterator[list[float]]:
            return (next(self.rows) for _ in items)

    (folder / "llm").mkdir()
    database = sqlite_utils.Database(folder / "llm" / "embeddings.db")
    for seed, (name, kept) in enumerate({"notes": True, "unkept": False}.items()):
        collection = tool.Collection(name, database, model=Given(seed))
        entries = [(f"t{n}", text, {"n": n, "tags": ["a"]} if n % 2 else None) for n, text in enumerate(TEXTS)]
        collection.embed_multi_with_metadata(entries, store=kept)
        collection.embed("single", "One more text.", metadata={"lang": "en"}, store=kept)
        yield (
            "llm",
            {"collection": name},
            [
                item(row["id"], row["content"], json.loads(row["metadata"] or "{}"), tool.decode(row["embedding"]))
                for row in database.query("SELECT * FROM embeddings WHERE collection_id = ?", [collection.id])
            ],
        )
    database.close()


# -- Qdrant, local mode


def qdrant(folder: Path) -> Iterator[Said]:
    from qdrant_client import QdrantClient, models

    def space(distance: Any) -> Any:
        return models.VectorParams(size=WIDTH, distance=distance)

    client = QdrantClient(path=str(folder / "qdrant"))
    client.create_collection("plain", vectors_config=space(models.Distance.COSINE))
    client.create_collection("chains", vectors_config=space(models.Distance.EUCLID))
    client.create_collection(
        "named", vectors_config={"title": space(models.Distance.DOT), "body": space(models.Distance.COSINE)},
        sparse_vectors_config={"words": models.SparseVectorParams()},
    )  # fmt: skip
    rows = vectors(40, 7)
    moment = datetime(2026, 1, 31, 10, tzinfo=UTC)
    payloads: dict[str, Callable[[int, str], dict[str, Any]]] = {
        "plain": lambda n, text: {
            "document": text,
            "n": n,
            "tags": ["a", "b"],
            "moment": moment,
            "nested": {"deep": [n]},
        },
        "chains": lambda n, text: {"page_content": text, "metadata": {"n": n, "source": "a.md"}},
        "named": lambda n, text: {"text": text, "n": n},
    }
    keys: list[Any] = [0, 1, 2, 3, 4, 5, str(UNIQUE), str(uuid.UUID(int=7))]
    for name, payload in payloads.items():
        points = []
        for n, text in enumerate(TEXTS):
            vector: Any = rows[n].tolist()
            if name == "named":
                words = models.SparseVector(indices=[1, n + 2], values=[0.5, 1.0])
                vector = {"title": rows[n].tolist(), "body": rows[n + 8].tolist(), "words": words}
            points.append(models.PointStruct(id=keys[n], vector=vector, payload=payload(n, text)))
        client.upsert(name, points)
        client.delete(name, [1])
        client.set_payload(name, {"added": True} if name != "chains" else {"metadata": {"n": 20}}, points=[2])
    client.close()
    client = QdrantClient(path=str(folder / "qdrant"))
    for name, using in [("plain", ""), ("chains", ""), ("named", "title"), ("named", "body")]:
        found, stored = [], _points_of_qdrant(client, name)
        for point in client.scroll(name, limit=100, with_payload=True)[0]:
            fields = dict(point.payload)
            text = next(fields.pop(field) for field in ("document", "page_content", "text") if field in fields)
            fields = fields["metadata"] if name == "chains" else fields
            found.append(item(point.id, text, fields, stored[point.id][using] if using else stored[point.id]))
        yield "qdrant", {"collection": name} | ({"vector_name": using} if using else {}), found
    client.close()


def _points_of_qdrant(client: Any, name: str) -> dict[Any, Any]:
    """Id → vector as it was given: what Qdrant answers with is of unit length under cosine."""
    collection = client._client.collections[name]
    return {point.id: point.vector for point in collection.storage.load()}


# -- the page


def answering() -> Any:
    """LangChain's embeddings, of one question."""
    from langchain_core.embeddings import Embeddings

    class Answering(Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return recorded(texts).tolist()

        def embed_query(self, text: str) -> list[float]:
            return recorded([text])[0].tolist()

    return Answering()


def recorded(texts: list[str]) -> np.ndarray:
    """txtai's transform, by the name that its config keeps."""
    rows = dict(zip([*TEXTS, QUESTION], np.load(HERE / "minilm.npy"), strict=True))
    return np.array([rows[text] for text in texts])


def page_stores(folder: Path) -> None:
    """A store of TEXTS for each snippet of the page, with vectors of all-MiniLM-L6-v2."""
    os.environ["ALLOW_RESOLVE_TRANSFORM"] = "True"
    import chromadb
    import llm as tool
    import sqlite_utils
    from langchain_community.vectorstores import FAISS
    from qdrant_client import QdrantClient, models
    from txtai import Embeddings

    rows, keys = np.load(HERE / "minilm.npy")[:-1].tolist(), [f"t{n}" for n in range(len(TEXTS))]
    FAISS.from_embeddings(list(zip(TEXTS, rows, strict=True)), answering(), ids=keys).save_local(
        str(folder / "faiss_index")
    )
    notes = chromadb.PersistentClient(str(folder / "chroma")).create_collection("notes", embedding_function=None)
    notes.add(ids=keys, documents=TEXTS, embeddings=rows)
    index = Embeddings(method="external", transform="make.recorded", content=True)
    index.index(list(zip(keys, TEXTS, [None] * len(keys), strict=True)))
    index.save(str(folder / "txtai_index"))
    database = sqlite_utils.Database(folder / "embeddings.db")

    class Given(tool.EmbeddingModel):
        model_id = "sentence-transformers/all-MiniLM-L6-v2"

        def embed_batch(self, items: Any) -> Iterator[list[float]]:
            return iter(recorded(list(items)).tolist())

    tool.Collection("notes", database, model=Given()).embed_multi(zip(keys, TEXTS, strict=True), store=True)
    database.close()
    client = QdrantClient(path=str(folder / "qdrant"))
    client.create_collection("notes", models.VectorParams(size=len(rows[0]), distance=models.Distance.COSINE))
    points = zip(range(len(keys)), keys, TEXTS, rows, strict=True)
    client.upsert(
        "notes",
        [models.PointStruct(id=n, vector=row, payload={"text": text, "key": key}) for n, key, text, row in points],
    )
    client.close()
    np.save(folder / "vectors.npy", np.array(rows, dtype=np.float32))
    lines = [json.dumps({"id": key, "text": text}) for key, text in zip(keys, TEXTS, strict=True)]
    (folder / "vectors.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def page_answers(folder: Path) -> Iterator[dict[str, Any]]:
    """Each snippet of theirs, and the ids that it found."""
    with TemporaryDirectory() as copy:  # some write when they read
        shutil.copytree(folder, copy, dirs_exist_ok=True)
        os.chdir(copy)
        text = PAGE.read_text("utf-8")
        for heading, code in re.findall(r"^### (.+?)\n```python theirs\n(.+?)\n```$", text, re.M | re.S):
            names = {"question": QUESTION, "vector": recorded([QUESTION])[0].tolist(), "embeddings": answering()}
            exec(compile(code, heading, "exec"), names)
            yield {"heading": heading, "theirs": code, "found": names["found"]}


MAKERS = {
    langchain: "langchain-community", chroma: "chromadb", txtai: "txtai", llm: "llm", qdrant: "qdrant-client",
}  # fmt: skip


def main(target: Path) -> None:
    if target.name == "minilm.npy":
        from searcher import Embedder

        np.save(HERE / "minilm.npy", Embedder(None, dtype="fp32").embed([*TEXTS, QUESTION]))
        return
    target.mkdir(parents=True, exist_ok=True)
    stores = []
    for make, package in MAKERS.items():
        for place, choices, items in make(target):
            stores.append(
                {"made_by": f"{package} {version(package)}", "place": place, "choices": choices, "items": items}
            )
    with TemporaryDirectory() as page:
        page_stores(Path(page))
        shutil.make_archive(str(target / "page"), "zip", page)
        answers = list(page_answers(Path(page)))
    (target / "page.json").write_text(json.dumps(answers, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (target / "expected.json").write_text(json.dumps(stores, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.path.insert(0, str(HERE))
    main(Path(sys.argv[1]).absolute())
