"""Stores that the tools themselves made are read as those tools read them: ids, texts, metadata, vectors to the bit.

tests/foreign/make.py makes the stores and says how to make them anew; SEARCHER_FOREIGN names a folder of others.
"""

import base64
import json
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runner import runner

from searcher import Searcher
from searcher.cli.program import cli
from searcher.errors import BadValue
from searcher.migration import Choices, Item, foreign

FOLDER = Path(os.environ.get("SEARCHER_FOREIGN") or Path(__file__).parents[1] / "foreign")
STORES = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
NOT_READ = {"txtai-quantised": "IxSQ"}  # their vectors are gone


def name_of(store: dict[str, Any]) -> str:
    return " ".join([store["place"], *store["choices"].values()])


def read(store: dict[str, Any], folder: Path = FOLDER) -> tuple[list[Item], list[str]]:
    """The items of a store, and what is told of it."""
    with foreign(folder / store["place"], Choices(**store["choices"])) as opened:
        items = list(opened.items())
        assert opened.count == len(items)
        return items, [note.reason for note in opened.notes]


def numbers(text: str | None) -> np.ndarray | None:
    return None if text is None else np.frombuffer(base64.b64decode(text), dtype="<f4")


@pytest.mark.parametrize("store", STORES, ids=name_of)
def test_a_store_is_read_as_the_tool_that_made_it_reads_it(store: dict[str, Any]) -> None:
    items, notes = read(store)
    wanted = {each["id"]: each for each in store["items"]}
    assert len(wanted) >= 7
    assert sorted(item.id for item in items) == sorted(wanted)
    for item in items:
        own = wanted[item.id]
        assert (item.text, item.metadata, item.left_out) == (own["text"], own["metadata"], ())
        vector = numbers(own["vector"])
        if vector is None:
            assert item.vector is None
        elif "cosine" in store["choices"].get("collection", ""):  # Chroma keeps a unit vector and a length
            np.testing.assert_allclose(item.vector, vector, rtol=0, atol=1e-6)
        else:
            assert item.vector is not None and item.vector.astype("<f4").tobytes() == vector.tobytes()
    said = NOT_READ.get(store["place"])
    assert [said in note for note in notes] == [True] if said else notes == []


def test_the_stores_hold_what_is_hard() -> None:
    """Deleted and added again, changed, without a text, in HNSW and in the queue, lists, moments, other scripts."""
    texts = {item["text"] for store in STORES for item in store["items"]}
    assert None in texts and "" in texts and any("東京" in text for text in texts if text)
    kinds = {type(value) for store in STORES for item in store["items"] for value in item["metadata"].values()}
    assert kinds == {str, int, float, bool, list, dict, type(None)}
    assert {store["made_by"].split()[0] for store in STORES} == {
        "langchain-community", "chromadb", "txtai", "llm", "qdrant-client",
    }  # fmt: skip


def test_reading_a_store_writes_nothing_into_it(tmp_path: Path) -> None:
    for store in STORES:
        copy = tmp_path / store["place"]
        if not copy.exists():
            shutil.copytree(FOLDER / store["place"], copy)
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in tmp_path.rglob("*") if path.is_file()}
    for store in STORES:
        read(store, tmp_path)
    after = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before


def test_vectors_of_the_indexs_model_come_in_to_the_bit_and_are_found(bundled: str, tmp_path: Path) -> None:
    (store,) = [store for store in STORES if store["place"] == "langchain-minilm"]
    with Searcher(tmp_path / "index", bundled) as searcher:
        report = searcher.import_from(FOLDER / store["place"])
        assert (report.documents, report.embedded, report.failed, report.skipped) == (len(store["items"]), 0, [], [])
        for own in store["items"]:
            (row,) = searcher.passages(own["id"])
            vector = numbers(own["vector"])
            assert vector is not None and row.vector.astype("<f4").tobytes() == vector.tobytes()
            assert (row.id, row.text, row.metadata) == (own["id"], own["text"].strip(), own["metadata"])
            assert searcher.document(own["id"]).text == own["text"]
        assert searcher.search("Where do I leave the keys?", k=1)[0].id == "t2"
        assert searcher.check() == []


def test_vectors_of_another_model_are_embedded_again_and_it_is_said(tiny_bert: Path, tmp_path: Path) -> None:
    (store,) = [store for store in STORES if store["choices"] == {"collection": "notes-l2"}]
    with Searcher(tmp_path / "index", tiny_bert) as searcher:
        report = searcher.import_from(FOLDER / store["place"], collection="notes-l2")
        having = {own["id"]: own for own in store["items"] if own["text"] is not None}
        assert (report.documents, report.failed) == (len(having), [])
        assert report.embedded > 0
        assert [note.reason for note in report.skipped] == ["1 items without a text were left out"]
        (note,) = report.notes
        assert "the texts were embedded again: that of 't0' has 8 numbers, its vectors 32" in note.reason
        for key, own in having.items():
            document = searcher.document(key)
            assert (document.id, document.text, document.metadata) == (key, own["text"], own["metadata"])
        assert searcher.check() == []


def test_texts_that_chroma_has_in_its_queue_only_are_read_as_it_would_enter_them(tmp_path: Path) -> None:
    """What a program leaves that died between the two: the writes are there, the segment of metadata lags behind."""
    name = "notes-queued"
    (store,) = [store for store in STORES if store["choices"] == {"collection": name}]
    whole, _ = read(store)
    shutil.copytree(FOLDER / "chroma", tmp_path / "chroma")
    with sqlite3.connect(tmp_path / "chroma" / "chroma.sqlite3") as connection:
        (segment, first) = connection.execute(
            "SELECT s.id, min(q.seq_id) FROM segments s JOIN collections c ON c.id = s.collection"
            " JOIN embeddings_queue q ON q.topic LIKE '%' || c.id WHERE s.scope = 'METADATA' AND c.name = ?", [name]
        ).fetchone()  # fmt: skip
        connection.execute("UPDATE max_seq_id SET seq_id = ? WHERE segment_id = ?", [first - 1, segment])
        gone = "SELECT id FROM embeddings WHERE segment_id = ? AND seq_id >= ?"
        for table in ("embedding_metadata", "embedding_metadata_array", "embeddings"):
            connection.execute(f"DELETE FROM {table} WHERE id IN ({gone})", [segment, first])
    connection.close()
    assert described(read(store, tmp_path)[0]) == described(whole)


def described(items: list[Item]) -> dict[str, Any]:
    return {item.id: (item.text, item.metadata, item.vector.tobytes()) for item in items if item.vector is not None}


@pytest.mark.parametrize("store", STORES, ids=name_of)
def test_an_index_of_given_vectors_holds_every_item_to_the_bit(store: dict[str, Any], tmp_path: Path) -> None:
    with Searcher(tmp_path / "index", vectors="theirs") as searcher:
        if store["place"] in NOT_READ:
            with pytest.raises(BadValue, match="the dimension is not known yet"):
                searcher.import_from(FOLDER / store["place"], **store["choices"])
            return
        report = searcher.import_from(FOLDER / store["place"], **store["choices"])
        assert (report.documents, report.failed, report.skipped) == (len(store["items"]), [], [])
        for own in store["items"]:
            (document,) = searcher.get([own["id"]], vectors=True)
            vector = numbers(own["vector"])
            assert (document.text, document.metadata) == (own["text"] or "", own["metadata"])
            if "cosine" in store["choices"].get("collection", ""):
                np.testing.assert_allclose(document.vector, vector, rtol=0, atol=1e-6)
            else:
                assert vector is not None and document.vector is not None
                assert document.vector.tobytes() == vector.tobytes()
            assert own["id"] in [hit.id for hit in searcher.search(vector=vector, k=3)]
        assert searcher.check() == []


def test_the_command_takes_vectors_of_any_model(tmp_path: Path) -> None:
    command = ["import", str(FOLDER / "langchain"), "-i", str(tmp_path / "index"), "--vectors", "theirs"]
    done = runner().invoke(cli, command)
    assert done.exit_code == 0, done.output
    assert "9 vectors were kept as those of theirs" in done.stderr
    assert "were ranked by L2 distance" in done.stderr
    again = runner().invoke(cli, [*command[:4], "--vectors", "others"])
    assert again.exit_code != 0 and "'theirs', not 'others'" in str(again.exception)
