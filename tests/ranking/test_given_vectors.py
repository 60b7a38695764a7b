"""Vectors that somebody else makes: kept to the bit, found by brute force, with no model anywhere near."""

import base64
import io
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from searcher import Searcher
from searcher.errors import BadValue, DamagedIndex, SettingsMismatch

NAME = "text-embedding-3-small"
DIMENSION = 8


@pytest.fixture
def index(tmp_path: Path) -> Searcher:
    return Searcher(tmp_path / "index", vectors=NAME, dimension=DIMENSION)


def random(count: int, seed: int = 0) -> np.ndarray:
    """(n, 8) float32 of many lengths, most of them far from 1."""
    numbers = np.random.default_rng(seed)
    return (numbers.standard_normal((count, DIMENSION)) * 10.0 ** numbers.integers(-20, 20, (count, 1))).astype("f4")


def put(index: Searcher, vectors: Any, **more: Any) -> list[str]:
    ids = [f"{number:03}" for number in range(len(vectors))]
    return index.put([f"text {key}" for key in ids], ids, [{"n": int(key)} for key in ids], vectors=vectors, **more)


def cosines(vectors: np.ndarray, query: np.ndarray) -> np.ndarray:
    exact, asked = vectors.astype(np.float64), query.astype(np.float64)
    exact = exact / np.maximum(np.abs(exact).max(axis=1, keepdims=True), 1e-300)
    lengths = np.linalg.norm(exact, axis=1) * np.linalg.norm(asked)
    return np.where(lengths > 0, exact @ asked / np.maximum(lengths, 1e-300), -np.inf)


BARRED = """
import socket, sys
def refuse(*arguments, **named):
    raise AssertionError("somebody reached for the network")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
for name in ("torch", "transformers", "tokenizers", "safetensors", "huggingface_hub"):
    sys.modules[name] = None
from searcher import Searcher
with Searcher(sys.argv[1], vectors="openai/any-model", dimension=3) as made:
    made.put(["the river bank", "money", ""], ["a", "b", "c"], vectors=[[1, 2, 3], [3, 2, 1], [0, 0, 1]])
with Searcher(sys.argv[1]) as index:
    index.put(["the bank"], ["d"], [{"n": 1}], vectors=[[1, 2, 2.5]])
    print([hit.id for hit in index.search(vector=[1, 2, 3], k=4)])
    print([hit.id for hit in index.search("bank", vector=[3, 2, 1], mode="hybrid", k=1)])
    print([hit.id for hit in index.search("river", mode="keyword")])
    print(index.update_metadata(None, {"n": 2}), index.count("n = 2"), index.delete(ids="a"), index.check())
    print([hit.id for hit in index.similar("d")])
    index.reindex(index_type="hnsw")
    print(index.status()["model"], index.counts())
    print(index.context("bank", vector=[3, 2, 1], tokens=50).tokens > 0 if hasattr(index, "context") else True)
"""


def test_no_model_is_loaded_and_no_network_asked(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", BARRED, tmp_path / "index"], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "['a', 'd', 'c', 'b']", "['b']", "['a']", "4 4 1 []", "['b', 'c']",
        "openai/any-model {'documents': 3, 'passages': 3, 'tokens': 0}", "True",
    ]  # fmt: skip


def test_the_nearest_are_those_of_brute_force(index: Searcher) -> None:
    vectors = random(300)
    put(index, vectors)
    for number, query in enumerate(random(20, seed=1)):
        scores = cosines(vectors, query)
        allowed = np.arange(300) % 7 == number % 7
        hits = index.search(vector=query, k=10)
        assert [hit.score for hit in hits] == pytest.approx(np.sort(scores)[::-1][:10], abs=2e-6)
        assert [scores[int(hit.id)] for hit in hits] == pytest.approx([hit.score for hit in hits], abs=2e-6)
        some = index.search(vector=query.tolist(), k=10, where={"n": np.flatnonzero(allowed).tolist()})
        assert [hit.score for hit in some] == pytest.approx(np.sort(scores[allowed])[::-1][:10], abs=2e-6)


@pytest.mark.parametrize("kind", ["flat", "hnsw", "sq8", "IVF4,Flat"])
def test_vectors_of_zeros_and_none_at_all_are_kept_and_never_found(index: Searcher, kind: str) -> None:
    vectors = list(random(60))
    for number in range(0, 60, 3):
        vectors[number] = np.zeros(DIMENSION) if number % 2 else None
    put(index, vectors)
    index.reindex(index_type=kind)
    index.put(["later", "later too"], ["later", "zero"], vectors=[None, [0] * DIMENSION])
    there = {f"{number:03}" for number in range(60) if number % 3}
    for exact in (False, True):
        assert {hit.id for hit in index.search(vector=random(1)[0], k=1000, exact=exact)} == there
        found = index.search(vector=-random(1)[0], k=1000, where="n < 30 or n is null", exact=exact)
        assert {hit.id for hit in found} == {key for key in there if int(key) < 30}
    stored = index.get(["000", "003", "later", "zero"], vectors=True)
    assert [None if each.vector is None else each.vector.tolist() for each in stored] == [None, [0.0] * 8] * 2
    assert index.count("n < 3") == 3
    assert {hit.id for hit in index.search("later", mode="keyword")} == {"later", "zero"}
    hybrid = index.search("later 001", vector=vectors[1], mode="hybrid", k=100)
    assert {hit.id for hit in hybrid} == there | {"later", "zero"}
    assert index.check() == []
    with pytest.raises(BadValue, match="'000' has no vector to be similar to"):
        index.similar("000")
    assert index.delete(where="n >= 0") == 60
    assert index.search(vector=random(1)[0]) == []
    assert index.check() == []


numbers = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(numbers, min_size=DIMENSION, max_size=DIMENSION), min_size=1, max_size=8))
def test_whatever_is_given_comes_back_to_the_bit(rows: list[list[float]], index: Searcher) -> None:
    vectors = np.array(rows, dtype=np.float32)
    vectors[~vectors.any(axis=1)] = 0  # no zero has a sign where all are zeros
    keys = put(index, vectors)
    assert [each.vector.tobytes() for each in index.get(keys, vectors=True)] == [row.tobytes() for row in vectors]
    hits = index.search(vector=np.ones(DIMENSION), k=len(rows), vectors=True, where={"id": keys})
    assert {hit.id: hit.vector.tobytes() for hit in hits} == {
        key: row.tobytes() for key, row in zip(keys, vectors, strict=True) if row.any()
    }


def test_unit_vectors_are_kept_as_they_stand(index: Searcher) -> None:
    vectors = random(50)
    vectors /= np.abs(vectors).max(axis=1, keepdims=True)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    put(index, vectors)
    assert {held.table: held.rows for held in index.tables()}["given"] == 0
    assert np.array_equal(np.stack([each.vector for each in index.iterate(vectors=True)]), vectors)


def test_a_text_and_a_vector_together_are_asked_by_both(index: Searcher) -> None:
    axes = np.eye(DIMENSION, dtype=np.float32) * 5
    index.put(["the river bank", "a money bank", "the sea"], ["r", "m", "s"], vectors=axes[:3])
    index.put([f"ice {number}" for number in range(DIMENSION - 3)], vectors=axes[3:])
    both = index.search("money", vector=axes[0], mode="hybrid", k=5)  # where the best of either kind always is
    assert {"r", "m"} <= {hit.id for hit in both}
    assert [hit.id for hit in index.search("money", vector=axes[0], k=1)] == ["r"]
    assert [hit.id for hit in index.search("money", vector=axes[0], mode="keyword")] == ["m"]
    many = index.search(["money", "sea"], vector=axes[[2, 1]], mode="dense", k=1)
    assert [[hit.id for hit in own] for own in many] == [["s"], ["m"]]
    for arguments, message in [
        ({"query": "x", "vector": axes[:1]}, "one question takes one vector"),
        ({"query": ["x"], "vector": axes[:2]}, "2 vectors for 1 questions"),
        ({"query": axes[0], "vector": axes[0]}, "the query is a vector"),
        ({"query": "x", "vector": "y"}, "vector is 'y'"),
        ({"vector": [0.0] * 8}, "all zeros"),
        ({"vector": [1.0] * 7}, "the index has vectors of 8"),
        ({}, "the query is missing"),
        ({"query": "x"}, r"the vectors of this index are given, of 'text-embedding-3-small'.*search\(question, vector"),
        ({"vector": axes[0], "mode": "hybrid"}, "mode 'hybrid' needs the question as a text"),
        ({"query": "x", "vector": axes[0], "highlight": True}, "are given"),
        ({"vector": axes[0], "whole": True, "per_document": 2}, "whole finds each document once"),
    ]:
        with pytest.raises(BadValue, match=message):
            index.search(**arguments)


def test_a_question_may_bring_its_vector_to_an_index_with_a_model_too(tmp_path: Path, tiny_bert: Path) -> None:
    with Searcher(tmp_path / "own", tiny_bert) as own:
        own.add_texts(["the river bank", "money"], ids=["a", "b"])
        vector = own.embedder.embed(["the river bank"])[0]
        assert own.search("nothing of the kind", vector=vector, k=1)[0].id == "a"
        with pytest.raises(BadValue, match="this index embeds its texts itself"):
            own.put(["x"], vectors=[[1.0] * 32])
        with pytest.raises(SettingsMismatch, match="given vectors of other"):
            Searcher(tmp_path / "own", vectors="other")


def test_whole_documents_are_found_once_with_all_of_their_text(tmp_path: Path, tiny_bert: Path) -> None:
    with Searcher(tmp_path / "own", tiny_bert) as own:
        own.put(["river " * 200, "money"], ["a", "b"], payloads=[{"p": 1}, None])
        hits = own.search("the river", k=5, whole=True, vectors=True)
        assert [hit.rank for hit in hits] == [1, 2]
        assert sorted((hit.id, hit.text, hit.start, hit.end, hit.payload) for hit in hits) == [
            ("a", "river " * 200, 0, 1200, {"p": 1}),
            ("b", "money", 0, 5, None),
        ]
        assert hits[0].as_dict()["vector"] == hits[0].vector.tolist()
        assert {"vector", "payload"} & own.search("the river")[0].as_dict().keys() == set()


def test_what_cannot_be_a_vector_is_refused_and_nothing_written(index: Searcher) -> None:
    good = [1.0] * DIMENSION
    for vectors, message in [
        ([good], "1 vectors for 2 texts"),
        ([good, [1.0] * 7], "vectors of unlike lengths: 7, 8"),
        ([[1.0] * 7] * 2, "000: a vector of 7 numbers; those of this index have 8"),
        ([good, [float("nan")] * 8], "vector 2 has a NaN"),
        ([good, [1e39] * 8], "vector 2 has a NaN or infinite"),
        ([good, ["x"] * 8], "vector 2 is"),
        ([good, []], r"vector 2 is \[\]"),
        ([good, [good]], "vector 2 is"),
        ([good, [[1.0], 2.0]], "vector 2 is"),
        ([good, [True] * 8], "vector 2 is"),
        (np.ones(8), r"vectors of shape \(8,\)"),
        ("vectors", "vectors is 'vectors'"),
    ]:
        with pytest.raises(BadValue, match=message):
            index.put(["a", "b"], ["000", "001"], vectors=vectors)
    assert index.count() == 0


def test_names_and_dimensions_that_differ_are_refused(index: Searcher, tmp_path: Path, tiny_bert: Path) -> None:
    put(index, random(3))
    folder = index.folder
    assert Searcher(folder).search(vector=random(1)[0], k=1)
    assert Searcher(folder, vectors=NAME).count() == 3
    for settings_, message in [
        ({"vectors": "another"}, "made with vectors 'text-embedding-3-small', not 'another'"),
        ({"vectors": NAME, "dimension": 9}, "made with dimension 8, not 9"),
        ({"model": tiny_bert}, "made with model 'given vectors of text-embedding-3-small'"),
        ({"pooling": "cls"}, "made with pooling"),
    ]:
        with pytest.raises(SettingsMismatch, match=message):
            Searcher(folder, **settings_)
    for wrong, message in [
        ({"vectors": NAME, "model": "x"}, "vectors are given or made with a model, not both"),
        ({"vectors": " "}, "vectors is ' '"),
        ({"vectors": NAME, "dimension": 0}, "dimension is 0"),
        ({"vectors": NAME, "dimension": True}, "dimension is True"),
        ({"dimension": 3}, "dimension is that of given vectors"),
    ]:
        with pytest.raises(BadValue, match=message):
            Searcher(tmp_path / "new", **wrong)
    other = Searcher(tmp_path / "other", vectors="another", dimension=DIMENSION)
    put(other, random(3))
    assert other.settings.fingerprint != index.settings.fingerprint


def test_the_first_vectors_say_the_dimension_where_nobody_did(tmp_path: Path) -> None:
    with Searcher(tmp_path / "index", vectors=NAME) as index:
        with pytest.raises(BadValue, match="say dimension="):
            index.put(["a"], vectors=[None])
        index.put(["a"], vectors=[[1, 2, 3]])
        assert index.settings.dimension == 3


def test_files_are_not_added_where_nothing_is_embedded(index: Searcher, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a text")
    for made in (False, True):
        if made:
            put(index, random(2))
        for call in (index.add, lambda path: index.add_texts([str(path)]), lambda path: index.answer("why")):
            if call is not index.add and not made:
                continue
            with pytest.raises(BadValue, match="embeds nothing itself"):
                call(tmp_path / "a.txt")
    with pytest.raises(BadValue, match="name a model too"):
        index.reindex(pooling="cls")


def test_all_texts_can_be_embedded_by_a_model_later(index: Searcher, tiny_bert: Path) -> None:
    index.put(["the river bank", "", "money " * 100], ["a", "b", "c"], vectors=[None, [1] * 8, [2] * 8])
    index.reindex(model=str(tiny_bert))
    assert index.search("the river bank", k=1)[0].id == "a"
    assert index.counts()["passages"] > 2
    assert {held.table: held.rows for held in index.tables()}["given"] == 0
    assert index.check() == []


@pytest.mark.parametrize("way", ["numbers", "base64"])
def test_they_can_be_carried_elsewhere(index: Searcher, tmp_path: Path, way: str) -> None:
    vectors = [*random(20), None, np.zeros(DIMENSION), np.eye(DIMENSION)[0]]
    put(index, vectors, payloads=[{"n": number} for number in range(23)])
    index.put(["", ""], ["empty", "nothing"], vectors=[[1] * 8, None])
    lines = io.BytesIO()
    index.export(lines, vectors=way)
    with Searcher(tmp_path / "copy", vectors=NAME, dimension=DIMENSION) as copy:
        copy.import_(io.BytesIO(lines.getvalue()))
        one, other = list(index.iterate(vectors=True)), list(copy.iterate(vectors=True))
        assert one == other
        assert [each.vector is None for each in one] == [each.vector is None for each in other]
        for mine, theirs in zip(one, other, strict=True):
            assert mine.vector is None or mine.vector.tobytes() == theirs.vector.tobytes()
        assert copy.check() == []


def test_an_export_whose_vectors_contradict_each_other_is_refused(index: Searcher, tmp_path: Path) -> None:
    put(index, random(1) * 0 + 3)
    lines = io.BytesIO()
    index.export(lines)
    header, line = lines.getvalue().splitlines()
    for change, message in [
        ({"given": [3.0] * 7 + [-3.0]}, "the vector given has not the direction"),
        ({"given": None}, "the vector given has not the direction"),
        ({"given": [3.0] * 7}, "the vector given has not the direction"),
        ({"vector": [0.0] * 8}, "the vector given has not the direction"),
        ({"vector": [1.0] * 8}, "its vector has length"),
        ({"given": {}}, "given is"),
    ]:
        document = json.loads(line)
        document["passages"][0] |= change
        changed = b"\n".join([header, json.dumps(document).encode(), b""])
        with pytest.raises(BadValue, match=message):
            Searcher(tmp_path / "copy").import_(io.BytesIO(changed))


def test_damage_to_a_length_is_found_and_repaired(index: Searcher) -> None:
    import sqlite3

    put(index, random(3))
    index.close()
    connection = sqlite3.connect(index.folder / "searcher.db")
    connection.execute("UPDATE given SET length = length * 2 WHERE id = 2")
    connection.commit()
    connection.close()
    with pytest.raises(DamagedIndex, match="the length of the vector of passage 2 is not what was stored"):
        index.get("001", vectors=True)
    assert index.check() == ["the length of the vector of passage 2 is not what was stored; run: searcher check"]
    assert index.repair().lost == ["001"]
    assert index.check() == []
    assert [each.vector.tobytes() for each in index.iterate(vectors=True)] == [random(3)[n].tobytes() for n in (0, 2)]


def test_the_same_put_again_writes_no_passage_anew(index: Searcher) -> None:
    vectors = [*random(5), None]
    put(index, vectors)
    before = [hit.passage_id for hit in index.search("text", mode="keyword", k=10)]
    put(index, vectors)
    assert [hit.passage_id for hit in index.search("text", mode="keyword", k=10)] == before
    put(index, [*random(5, seed=2), None])
    assert index.count() == 6
    assert [each.vector.tobytes() for each in index.get("000", vectors=True)] == [random(5, seed=2)[0].tobytes()]


def test_scores_become_shares_in_their_order() -> None:
    for mode, scores, ends in [("dense", [-1, -0.2, 0, 0.7, 1], (0, 1)), ("keyword", [0, 0.1, 3, 40], (0, 40 / 41)),
                               ("hybrid", [-30, -0.9, 0, 1.25, 30], (0, 1))]:  # fmt: skip
        shares = [Searcher.relevance(score, mode) for score in scores]
        assert shares == sorted(set(shares))
        assert (shares[0], shares[-1]) == pytest.approx(ends)
    with pytest.raises(BadValue, match="unknown mode 'cosine'; known: dense, hybrid, keyword"):
        Searcher.relevance(1, "cosine")


def test_tensors_arrays_and_lists_are_all_vectors(index: Searcher) -> None:
    torch = pytest.importorskip("torch")
    put(index, torch.ones(2, DIMENSION))
    index.put(["x"], ["x"], vectors=np.array([None], dtype=object))
    index.put(["y"], ["y"], vectors=[tuple(range(8))])
    index.put(["z"], ["z"], vectors=iter([np.arange(8, dtype=np.int8)]))
    index.put(["w"], ["w"], vectors=[base64.b64encode(b"x") and np.float64(2) * np.ones(8)])
    assert [len(each.vector) if each.vector is not None else 0 for each in index.iterate(vectors=True)] == [
        8,
        8,
        0,
        8,
        8,
        8,
    ]


def test_a_lost_length_is_damage_and_never_another_vector(index: Searcher) -> None:
    index.put(
        ["a b", "c d", "e f"], ["1", "2", "3"], vectors=[[3, 4, 0, 0, 0, 0, 0, 0], None, [1, 0, 0, 0, 0, 0, 0, 0]]
    )
    index.close()
    with closing(sqlite3.connect(index.folder / "searcher.db")) as connection:
        connection.execute("DROP TRIGGER given_went")
        connection.execute("DELETE FROM given")
        connection.execute(
            "CREATE TRIGGER given_went AFTER DELETE ON given BEGIN UPDATE held_given SET given = given - 1; END"
        )
        connection.commit()
    with Searcher(index.folder) as opened:
        with pytest.raises(DamagedIndex, match="lengths of given vectors are gone"):
            opened.get(["1"], vectors=True)
        said = opened.check()
        assert any("the number of given lengths does not go" in line for line in said)
        assert any("a vector of zeros, and it is lost why" in line for line in said)
        opened.repair()
        assert opened.check() == []
        assert {each.id for each in opened.iterate()} == {"1", "3"}


def test_a_zero_has_one_sign(index: Searcher) -> None:
    index.put(["a b"], ["1"], vectors=[[-0.0] * DIMENSION])
    assert index.check() == []
    assert index.get(["1"], vectors=True)[0].vector.tolist() == [0.0] * DIMENSION
    assert index.search(vector=np.ones(DIMENSION), k=3) == []
