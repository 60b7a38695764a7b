"""Importing what other tools stored: which vectors are kept, what is embedded, what is told, what is refused."""

import json
import pickle
import shutil
import sqlite3
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
from runner import runner

from searcher import Embedder, Searcher
from searcher.cli.program import cli
from searcher.errors import BadValue, SearcherError, UnreadableFile
from searcher.migration import Choices, Item, foreign, is_foreign
from searcher.records import AddReport

STORES = Path(__file__).parents[1] / "foreign"
TEXTS = [f"The boat number {n} is tied near the river bank" for n in range(40)]
LONG = "money in the bank " * 60  # the window has 64 tokens


@pytest.fixture(scope="module")
def vectors(tiny_bert: Path) -> np.ndarray:
    return Embedder(tiny_bert, dtype="fp32").embed(TEXTS)


@pytest.fixture
def searcher(tiny_bert: Path, tmp_path: Path) -> Searcher:
    return Searcher(tmp_path / "index", tiny_bert)


def arrays(folder: Path, rows: np.ndarray, lines: list[Any]) -> Path:
    """vectors.npy with vectors.jsonl."""
    folder.mkdir(exist_ok=True)
    np.save(folder / "vectors.npy", rows)
    (folder / "vectors.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder / "vectors.npy"


def llm_database(folder: Path, rows: list[tuple[Any, Any, Any, Any]], model: str = "m") -> Path:
    """embeddings.db with one collection: id, content, metadata and vector of each."""
    folder.mkdir(exist_ok=True)
    with sqlite3.connect(folder / "embeddings.db") as connection:
        connection.execute("CREATE TABLE collections (id INTEGER PRIMARY KEY, name TEXT, model TEXT)")
        connection.execute("CREATE TABLE embeddings (collection_id, id, embedding BLOB, content TEXT, metadata TEXT)")
        connection.execute("INSERT INTO collections VALUES (1, 'notes', ?)", [model])
        for key, content, metadata, vector in rows:
            blob = None if vector is None else np.asarray(vector, "<f4").tobytes()
            text = None if metadata is None else json.dumps(metadata)
            connection.execute("INSERT INTO embeddings VALUES (1, ?, ?, ?, ?)", [key, blob, content, text])
    connection.close()
    return folder / "embeddings.db"


def read(path: Path) -> list[Item]:
    with foreign(path) as store:
        items = list(store.items())
    assert all(isinstance(item, Item) for item in items)
    return items  # type: ignore[return-value]


def reasons(report: AddReport) -> list[str]:
    return [item.reason for item in (*report.notes, *report.skipped, *report.failed)]


# -- which vectors are kept


def test_vectors_of_the_model_are_kept_to_the_bit_and_nothing_is_embedded(
    searcher: Searcher, vectors: np.ndarray, tmp_path: Path
) -> None:
    rows = [(f"t{n}", text, {"n": n}, vectors[n]) for n, text in enumerate(TEXTS)]
    report = searcher.import_from(llm_database(tmp_path / "llm", rows))
    assert (report.documents, report.passages, report.embedded) == (40, 40, 0)
    assert reasons(report) == [
        f"40 vectors were kept: all 20 that were compared have a cosine of 0.99 or more with what {searcher.settings.model} "
        "makes of their texts"
    ]
    for n, text in enumerate(TEXTS):
        (row,) = searcher.passages(f"t{n}")
        assert (row.vector.tobytes(), row.text, row.metadata, row.id) == (vectors[n].tobytes(), text, {"n": n}, f"t{n}")
    assert report.tokens == searcher.counts()["tokens"] > 400
    assert searcher.search(TEXTS[7], k=1)[0].id == "t7"
    assert searcher.check() == []


def test_vectors_of_any_length_become_unit_vectors(searcher: Searcher, vectors: np.ndarray, tmp_path: Path) -> None:
    lengths = np.linspace(0.5, 9, 40, dtype=np.float32)[:, None]
    report = searcher.import_from(arrays(tmp_path / "npy", vectors * lengths, TEXTS))
    assert report.embedded == 0
    stored = np.array([searcher.passages(str(n))[0].vector for n in range(40)])
    np.testing.assert_allclose(stored, vectors, atol=1e-6)


@pytest.mark.parametrize("kind", ["<f2", "<f8", ">f4"])
def test_arrays_of_other_precision_and_byte_order_are_taken(
    searcher: Searcher, vectors: np.ndarray, tmp_path: Path, kind: str
) -> None:
    report = searcher.import_from(arrays(tmp_path / "npy", np.asfortranarray(vectors.astype(kind)), TEXTS))
    assert (report.documents, report.embedded, report.failed) == (40, 0, [])
    np.testing.assert_allclose(searcher.passages("3")[0].vector, vectors[3], atol=1e-3)


def test_one_vector_that_is_not_the_models_among_those_compared_has_all_embedded_again(
    searcher: Searcher, vectors: np.ndarray, tmp_path: Path
) -> None:
    rows = [(f"t{n}", text, None, vectors[n] if n != 20 else -vectors[n]) for n, text in enumerate(TEXTS)]
    report = searcher.import_from(llm_database(tmp_path / "llm", rows, "3-small"))
    assert (report.documents, report.embedded) == (40, 40)
    assert reasons(report) == [
        f"its vectors are not those of {searcher.settings.model}, the texts were embedded again: that of 't20' has a cosine "
        "of -1.000 with what it makes of the text; it says that they are of '3-small'"
    ]
    np.testing.assert_allclose(searcher.passages("t20")[0].vector, vectors[20], atol=1e-5)


def test_vectors_of_another_dimension_have_the_texts_embedded_again(
    searcher: Searcher, vectors: np.ndarray, tmp_path: Path
) -> None:
    report = searcher.import_from(arrays(tmp_path / "npy", vectors[:, :7], TEXTS))
    assert (report.documents, report.embedded) == (40, 40)
    assert "that of '0' has 7 numbers, its vectors 32" in reasons(report)[0]


def test_embedding_can_be_asked_for(searcher: Searcher, vectors: np.ndarray, tmp_path: Path) -> None:
    report = searcher.import_from(arrays(tmp_path / "npy", vectors, [*TEXTS[:39], LONG]), embed=True)
    assert (report.documents, reasons(report)) == (40, [])
    assert 40 <= report.embedded <= report.passages
    assert len(searcher.passages("39")) > 2


def test_a_text_longer_than_the_window_keeps_its_vector_and_it_is_said(
    searcher: Searcher, vectors: np.ndarray, tiny_bert: Path, tmp_path: Path
) -> None:
    with pytest.warns(UserWarning, match="cut"):
        own = Embedder(tiny_bert, dtype="fp32").embed([LONG])
    rows = np.concatenate([vectors[:9], own])
    report = searcher.import_from(arrays(tmp_path / "npy", rows, [*TEXTS[:9], LONG]))
    assert report.embedded == 0
    (row,) = searcher.passages("9")
    assert (row.text, row.vector.tobytes()) == (LONG.strip(), rows[9].tobytes())
    assert any(
        text.startswith("1 texts have more than 64 tokens, and a vector of their beginning") for text in reasons(report)
    )


def test_what_has_no_vector_is_embedded_beside_what_has_one(
    searcher: Searcher, vectors: np.ndarray, tmp_path: Path
) -> None:
    given: list[Any] = [*vectors[:10]]
    given[3], given[4], given[5] = None, np.zeros(32), np.full(32, np.nan)
    rows = [(f"t{n}", text, None, given[n]) for n, text in enumerate(TEXTS[:10])]
    rows += [("empty", "", None, vectors[11]), ("space", " \n ", None, vectors[12]), ("none", None, None, vectors[13])]
    report = searcher.import_from(llm_database(tmp_path / "llm", rows))
    assert (report.documents, report.passages, report.embedded) == (12, 10, 3)
    assert reasons(report)[1:] == [
        "3 texts had no vector that could be kept and were embedded",
        "1 items without a text were left out",
    ]
    for n in range(10):
        np.testing.assert_allclose(searcher.passages(f"t{n}")[0].vector, vectors[n], atol=1e-5)
    assert searcher.document("empty").text == "" and searcher.passages("space") == []
    assert searcher.check() == []


@pytest.mark.parametrize(
    ("metric", "words"),
    [(faiss.METRIC_L2, "ranked by L2 distance"), (faiss.METRIC_INNER_PRODUCT, "ranked by inner product")],
)
def test_vectors_of_unlike_length_are_told_where_their_length_ranked(
    searcher: Searcher, vectors: np.ndarray, tmp_path: Path, metric: int, words: str
) -> None:
    for name, rows in (("unlike", vectors * np.linspace(1, 2, 40, dtype=np.float32)[:, None]), ("like", vectors * 3)):
        index = faiss.index_factory(32, "Flat", metric)
        index.add(rows)
        folder = tmp_path / name
        folder.mkdir()
        faiss.write_index(index, str(folder / "index.faiss"))
        (folder / "index.pkl").write_bytes(docstore({f"t{n}": (text, {}) for n, text in enumerate(TEXTS)}))
        told = [text for text in reasons(searcher.import_from(folder)) if words in text]
        assert bool(told) == (name == "unlike")
        if told:
            assert "its vectors have lengths from 1 to 2 and were" in told[0]


NEW = ("langchain_community.docstore.in_memory", "langchain_core.documents.base")
OLD = ("langchain.docstore.in_memory", "langchain.schema")  # of its first releases, on pydantic 1


def docstore(documents: dict[str, tuple[str, Any]], modules: tuple[str, str] = NEW, protocol: int = 4) -> bytes:
    """LangChain's pickle, made without LangChain."""

    def stated(module: str, name: str) -> Any:
        made = type(name, (), {"__module__": module, "__getstate__": lambda self: vars(self)["state"]})
        parts = module.split(".")
        for length in range(1, len(parts) + 1):  # pickle imports the packages too
            imported.setitem(sys.modules, ".".join(parts[:length]), types.ModuleType(parts[length - 1]))
        setattr(sys.modules[module], name, made)
        return made

    def instance(kind: Any, state: Any) -> Any:
        value = kind()
        value.state = state
        return value

    imported = pytest.MonkeyPatch()
    store, document = stated(modules[0], "InMemoryDocstore"), stated(modules[1], "Document")
    made = {}
    for key, (text, metadata) in documents.items():
        fields = {"page_content": text, "metadata": metadata}
        state: dict[str, Any] = {"__dict__": fields, "__fields_set__": set(fields), "__private_attribute_values__": {}}
        if modules is NEW:
            fields |= {"id": key, "type": "Document"}
            state = {"__dict__": fields, "__pydantic_extra__": None, "__pydantic_private__": None}
        made[key] = instance(document, state)
    try:
        return pickle.dumps((instance(store, {"_dict": made}), dict(enumerate(documents))), protocol)
    finally:
        imported.undo()


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("modules", [OLD, NEW])
def test_stores_of_old_and_new_langchain_are_read(tmp_path: Path, modules: tuple[str, str], protocol: int) -> None:
    index = faiss.IndexFlatL2(2)
    index.add(np.eye(2, dtype=np.float32))
    faiss.write_index(index, str(tmp_path / "mine.faiss"))
    (tmp_path / "mine.pkl").write_bytes(docstore({"a": ("one", {"n": 1}), "b": ("two", {})}, modules, protocol))
    first, second = read(tmp_path / "mine.faiss")
    assert (first.id, first.text, first.metadata) == ("a", "one", {"n": 1})
    assert (second.id, second.text, second.metadata) == ("b", "two", {})
    assert first.vector is not None and first.vector.tolist() == [1, 0]


# -- what is in the index already


def test_an_import_again_replaces_what_it_brought_in(searcher: Searcher, vectors: np.ndarray, tmp_path: Path) -> None:
    searcher.add_texts(["Another text"], ids=["mine"])
    path = arrays(tmp_path / "npy", vectors, TEXTS)
    searcher.import_from(path)
    report = searcher.import_from(path)
    assert "40 documents of the same ids were there and were replaced" in reasons(report)
    assert searcher.counts()["documents"] == 41
    again = searcher.import_from(path, embed=True)
    assert (again.documents, again.unchanged) == (0, 40)


def test_ids_that_come_twice_are_two_documents_of_that_id(
    searcher: Searcher, vectors: np.ndarray, tmp_path: Path
) -> None:
    lines = [{"id": "same", "text": text} for text in TEXTS[:3]]
    report = searcher.import_from(arrays(tmp_path / "npy", vectors[:3], lines))
    assert (report.documents, report.failed) == (3, [])
    assert [entry["source"] for entry in searcher.listing()] == ["same", "same#2", "same#3"]
    assert {entry["id"] for entry in searcher.listing()} == {"same"}
    assert "2 items have an id that came before; their sources are that id with #2, #3 …" in reasons(report)


def test_an_id_that_reads_like_one_of_ours_loses_nothing(
    searcher: Searcher, vectors: np.ndarray, tmp_path: Path
) -> None:
    lines = [{"id": key, "text": text} for key, text in zip(["a", "a", "a#2", "b", "a"], TEXTS[:5], strict=True)]
    report = searcher.import_from(arrays(tmp_path / "npy", vectors[:5], lines))
    assert (report.documents, report.failed) == (5, [])
    assert {entry["source"]: entry["id"] for entry in searcher.listing()} == {
        "a": "a", "a#2": "a", "a#2#2": "a#2", "b": "b", "a#3": "a",
    }  # fmt: skip


# -- metadata


def test_metadata_that_cannot_be_stored_are_left_out_by_name(
    searcher: Searcher, vectors: np.ndarray, tmp_path: Path
) -> None:
    index = faiss.IndexFlatL2(32)
    index.add(vectors[:2])
    faiss.write_index(index, str(tmp_path / "index.faiss"))
    strange = {"nan": float("nan"), "bytes": b"x", 7: "seven", "kept": {"deep": [1]}, "class": list}
    (tmp_path / "index.pkl").write_bytes(docstore({"a": (TEXTS[0], strange), "b": (TEXTS[1], {"nan": float("nan")})}))
    report = searcher.import_from(tmp_path)
    assert searcher.document("a").metadata == {"7": "seven", "kept": {"deep": [1]}}
    (told,) = [text for text in reasons(report) if "cannot be stored" in text]
    assert told == "4 values of metadata that cannot be stored were left out, of nan, bytes, class"


# -- JSON lines and BEIR


@pytest.mark.parametrize(
    ("line", "key", "text", "metadata"),
    [
        ("just text", "0", "just text", {}),
        ({"id": 7, "text": "t", "n": 1}, "7", "t", {"n": 1}),
        ({"_id": "a", "title": "T", "text": "t"}, "a", "t", {"title": "T"}),
        ({"id": "a", "page_content": "t", "metadata": {"n": 1}}, "a", "t", {"n": 1}),
        ({"key": "a", "content": "t", "metadata": {"n": 1}}, "a", "t", {"n": 1}),
        ({"id": "a", "document": "t", "metadata": {"n": 1}, "n": 2}, "a", "t", {"metadata": {"n": 1}, "n": 2}),
    ],
)
def test_a_line_is_a_text_or_an_object_with_the_usual_names(
    tmp_path: Path, line: Any, key: str, text: str, metadata: dict[str, Any]
) -> None:
    (item,) = read(arrays(tmp_path / "npy", np.ones((1, 2)), [line]))
    assert (item.id, item.text, item.metadata) == (key, text, metadata)


def test_the_text_can_be_named(searcher: Searcher, vectors: np.ndarray, tmp_path: Path) -> None:
    lines = [{"id": n, "text": "no", "note": text} for n, text in enumerate(TEXTS)]
    report = searcher.import_from(arrays(tmp_path / "npy", vectors, lines), text_field="note")
    assert (report.embedded, searcher.document("3").text) == (0, TEXTS[3])
    report = searcher.import_from(tmp_path / "npy" / "vectors.npy", text_field="nope")
    assert len(report.failed) == 40
    assert report.failed[0].reason == "unknown field 'nope'; known: note, text. Did you mean 'note'?"


def test_a_beir_folder_comes_in_with_titles(searcher: Searcher, tmp_path: Path) -> None:
    lines = [
        {"_id": "d1", "title": "Rivers", "text": TEXTS[0], "metadata": {"url": "x"}},
        {"_id": "d2", "title": "", "text": TEXTS[1], "metadata": {}},
        {"_id": "d3", "text": TEXTS[2], "year": 2020},
        {"text": "no id"},
    ]
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "queries.jsonl").write_text('{"_id": "q", "text": "?"}\n')
    report = searcher.import_from(tmp_path)
    assert (report.documents, report.embedded) == (3, 3)
    assert reasons(report) == ["line 4: no object with _id and text"]
    first, second, third = (searcher.document(key) for key in ("d1", "d2", "d3"))
    assert (first.title, first.text, first.metadata) == ("Rivers", f"Rivers {TEXTS[0]}", {"url": "x"})
    assert (second.title, second.text, third.metadata) == (None, TEXTS[1], {"year": 2020})


def test_of_several_arrays_the_one_with_its_lines_is_meant(
    searcher: Searcher, vectors: np.ndarray, tmp_path: Path
) -> None:
    folder = arrays(tmp_path / "npy", vectors, TEXTS).parent
    np.save(folder / "queries.npy", vectors[:2])
    assert searcher.import_from(folder).documents == 40
    np.save(folder / "more.npy", vectors[:1])
    (folder / "more.jsonl").write_text('"x"\n')
    assert is_foreign(folder)
    with pytest.raises(BadValue, match=r"several \.npy files: more\.npy, queries\.npy, vectors\.npy; name one"):
        searcher.import_from(folder)


def test_a_beir_folder_with_arrays_of_corpus_and_queries_is_that_of_its_corpus(tmp_path: Path) -> None:
    folder = tmp_path / "beir"
    folder.mkdir()
    for name in ("corpus", "queries"):
        np.save(folder / f"{name}.npy", np.eye(2, dtype=np.float32))
        lines = [{"_id": f"{name}-{number}", "text": TEXTS[number]} for number in range(2)]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert [item.id for item in read(folder)] == ["corpus-0", "corpus-1"]
    for name in ("corpus", "queries"):
        (folder / f"{name}.npy").rename(folder / f"{name}-vectors.npy")
    assert [item.vector for item in read(folder)] == [None, None]


# -- what is refused


@pytest.mark.parametrize(
    ("choice", "takes"), [({"collection": "x"}, "; good: text_field"), ({"vector_name": "x"}, "; good: text_field")]
)
def test_a_choice_that_means_nothing_there_is_refused(
    searcher: Searcher, vectors: np.ndarray, tmp_path: Path, choice: dict[str, str], takes: str
) -> None:
    path = arrays(tmp_path / "npy", vectors, TEXTS)
    with pytest.raises(BadValue, match=f"'x' means nothing in vectors in .npy with JSON lines{takes}"):
        searcher.import_from(path, **choice)


def spoiled(change: Callable[[Path], Any]) -> Callable[[Path], Path]:
    """A copy of the made stores, changed."""

    def make(folder: Path) -> Path:
        shutil.copytree(STORES, folder / "stores")
        change(folder / "stores")
        return folder / "stores"

    return make


class Calls:
    def __reduce__(self) -> Any:
        return (print, ("was run",))


HOSTILE = pickle.dumps({"path": Calls(), "id_to_label": Calls()})


def replace_point(stores: Path) -> None:
    with sqlite3.connect(stores / "qdrant" / "collection" / "plain" / "storage.sqlite") as connection:
        connection.execute("UPDATE points SET point = ? WHERE rowid = (SELECT max(rowid) FROM points)", [HOSTILE])
    connection.close()


def write_all(pattern: str, data: bytes) -> Callable[[Path], None]:
    def change(stores: Path) -> None:
        found = list(stores.glob(pattern))
        assert found
        for file in found:
            file.write_bytes(data)

    return change


PLAIN, L2 = {"collection": "plain"}, {"collection": "notes-l2"}


@pytest.mark.parametrize(
    ("change", "place", "choices"),
    [
        (write_all("langchain/index.pkl", HOSTILE), "langchain", {}),
        (write_all("chroma/*/index_metadata.pickle", HOSTILE), "chroma", L2),
        (replace_point, "qdrant", PLAIN),
        (write_all("txtai-pickled/config", HOSTILE), "txtai-pickled", {}),
        (write_all("txtai-ids/ids", HOSTILE), "txtai-ids", {}),
    ],
    ids=["LangChain", "Chroma", "Qdrant", "txtai", "txtai's ids"],
)
def test_a_hostile_pickle_in_a_store_is_refused_by_name_and_leaves_the_index_as_it_was(
    searcher: Searcher,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: Any,
    place: str,
    choices: dict[str, str],
) -> None:
    searcher.add_texts(["money"], ids=["mine"])
    stores = spoiled(change)(tmp_path)
    with pytest.raises(UnreadableFile, match=r"would call builtins\.print; nothing of it was run"):
        searcher.import_from(stores / place, **choices)
    assert "was run" not in capsys.readouterr().out
    assert [entry["id"] for entry in searcher.listing()] == ["mine"]


def truncate(path: str, size: int) -> Callable[[Path], None]:
    return lambda stores: (stores / path).write_bytes((stores / path).read_bytes()[:size])


@pytest.mark.parametrize(
    ("change", "place", "choices", "said"),
    [
        (truncate("langchain/index.faiss", 99), "langchain", {}, "its vectors are not read: not a whole FAISS file"),
        (write_all("langchain/index.pkl", pickle.dumps([1])), "langchain", {}, "none of LangChain's FAISS store"),
        (truncate("chroma/chroma.sqlite3", 9_000), "chroma", L2, "SQLite: "),
        (write_all("chroma/*/header.bin", b"x"), "chroma", L2, "not a whole header of hnswlib"),
        (write_all("chroma/*/data_level0.bin", b"x"), "chroma", L2, "it cannot hold them"),
        (write_all("qdrant/meta.json", b"{}"), "qdrant", {}, "no meta.json of Qdrant's local mode"),
        (write_all("qdrant/meta.json", b'{"collections": {"../../x": {}}}'), "qdrant", {}, "lies outside of it"),
        (write_all("txtai/config.json", b"[]"), "txtai", {}, "no configuration of txtai"),
        (write_all("txtai/documents", b"SQLite format 3\0"), "txtai", {}, "SQLite: "),
        (write_all("txtai-ids/ids", b"\x93\xa1"), "txtai-ids", {}, "not a list of texts and numbers in MessagePack"),
        (write_all("llm/embeddings.db", b"SQLite format 3\0"), "llm", {}, "SQLite: "),
        (truncate("txtai-numpy/embeddings", 100), "txtai-numpy", {}, "not an array of numbers"),
        (write_all("txtai-numpy/embeddings", b"\x93NUMPY\x01\0\x09\0{'descr':("), "txtai-numpy", {}, "not an array"),
    ],
)
def test_a_damaged_store_is_said_in_one_line(
    searcher: Searcher, tmp_path: Path, change: Any, place: str, choices: dict[str, str], said: str
) -> None:
    stores = spoiled(change)(tmp_path)
    try:
        told = reasons(searcher.import_from(stores / place, **choices))
    except UnreadableFile as fault:
        told = [str(fault)]
    assert [text for text in told if said in text], told
    assert all("\n" not in text for text in told)


CHOICES = {"chroma": {"collection": "notes-cosine"}, "qdrant": {"collection": "plain"}, "llm": {"collection": "notes"}}


@pytest.mark.parametrize("place", ["langchain", "chroma", "qdrant", "txtai-numpy", "txtai-ids", "llm"])
def test_any_damage_to_any_file_of_a_store_is_read_over_or_said_in_one_line(tmp_path: Path, place: str) -> None:
    random = np.random.default_rng(0)
    shutil.copytree(STORES / place, tmp_path / place)
    for file in [file for file in (tmp_path / place).rglob("*") if file.is_file() and file.stat().st_size]:
        whole = file.read_bytes()
        for _ in range(6):
            damaged = bytearray(whole)
            for at in random.integers(0, len(whole), 20).tolist():
                damaged[at] = int(random.integers(256))
            file.write_bytes(damaged[: int(random.integers(1, len(whole) + 1))] if random.random() < 0.2 else damaged)
            try:
                with foreign(tmp_path / place, Choices(**CHOICES.get(place, {}))) as store:
                    list(store.items())
            except SearcherError as fault:
                assert "\n" not in str(fault)
        file.write_bytes(whole)


@pytest.mark.parametrize(
    ("place", "choices", "said"),
    [
        ("nowhere", {}, "no file or folder"),
        ("make.py", {}, "is no store that can be read; good: a Chroma folder"),
        ("chroma", {}, "several collections: 'notes-l2', 'notes-cosine', 'notes-ip', 'notes-queued'; choose with"),
        ("chroma", {"collection": "x"}, "unknown collection 'x'; known: notes-cosine, notes-ip"),
        ("qdrant", {"collection": "named"}, "several vectors: 'title', 'body'; choose with --vector-name"),
        ("qdrant", {"collection": "named", "vector_name": "words"}, "unknown vector 'words'; known: body, title"),
        ("llm", {}, "several collections: 'notes', 'unkept'; choose with --collection"),
    ],
)
def test_what_is_open_or_not_there_is_said_with_what_there_is(
    searcher: Searcher, place: str, choices: dict[str, str], said: str
) -> None:
    with pytest.raises(BadValue) as caught:
        searcher.import_from(STORES / place, **choices)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "lines", "said"),
    [
        (np.ones((3, 2)), ["a", "b"], "3 vectors for the 2 lines of vectors.jsonl"),
        (np.ones(3), ["a"], r"an array of float64 of shape (3,); good: (n, d) numbers"),
        (np.array([["a"]]), ["a"], "an array of <U1"),
        (
            np.array([[{}]], dtype=object),
            ["a"],
            "not an array of numbers: Array can't be memory-mapped: Python objects",
        ),
    ],
)
def test_arrays_that_do_not_fit_their_lines_are_refused(
    searcher: Searcher, tmp_path: Path, rows: np.ndarray, lines: list[str], said: str
) -> None:
    with pytest.raises(UnreadableFile) as caught:
        searcher.import_from(arrays(tmp_path / "npy", rows, lines))
    assert said in str(caught.value)


def test_one_store_among_several_in_a_folder_is_named_by_its_file(searcher: Searcher, tmp_path: Path) -> None:
    for name in ("a", "b"):
        for suffix in (".pkl", ".faiss"):
            shutil.copy(STORES / "langchain" / f"index{suffix}", tmp_path / f"{name}{suffix}")
    with pytest.raises(BadValue, match=r"several stores: a\.pkl, b\.pkl; name one of the files"):
        searcher.import_from(tmp_path)
    assert searcher.import_from(tmp_path / "b.faiss").documents == 9


# -- the command


def run(*arguments: object) -> Any:
    return runner().invoke(cli, [str(argument) for argument in arguments])


def test_the_command_brings_a_store_in_and_says_what_became_of_it(
    tiny_bert: Path, vectors: np.ndarray, tmp_path: Path
) -> None:
    path = llm_database(tmp_path / "llm", [("a", TEXTS[0], {"n": 1}, vectors[0]), ("b", None, None, vectors[1])])
    done = run("import", path, "-i", tmp_path / "index", "-m", tiny_bert)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("added 1 document, 1 passage, ")
    assert f"noted: {path}: 1 vectors were kept: all 1 that were compared have a cosine of 0.99" in done.stderr
    assert f"skipped: {path}: 1 items without a text were left out" in done.stderr
    shown = run("import", path.parent, "-i", tmp_path / "index", "--json")
    value = json.loads(shown.stdout)
    assert (value["documents"], value["embedded"], len(value["notes"])) == (1, 0, 2)


def test_the_command_still_reads_what_export_wrote(searcher: Searcher, tmp_path: Path) -> None:
    searcher.add_texts(["money"], ids=["a"])
    assert run("export", tmp_path / "x.jsonl", "-i", searcher.folder).exit_code == 0
    done = run("import", tmp_path / "x.jsonl", "-i", tmp_path / "copy")
    assert done.stdout.startswith("imported 1 document, 1 passage under new ids")


def test_the_command_refuses_an_empty_folder_in_one_line(tmp_path: Path) -> None:
    done = run("import", tmp_path, "-i", tmp_path / "index")
    assert isinstance(done.exception, BadValue)
    assert not (tmp_path / "index").exists()
