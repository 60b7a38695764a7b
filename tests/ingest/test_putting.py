"""Texts that are put under ids, found, changed and deleted by id and by filter: as a dict would keep them."""

import io
import json
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from searcher import Embedder, Searcher
from searcher.errors import BadValue, DamagedIndex, FilterError, UnknownName
from searcher.records import Chunk, Document, Prepared


@pytest.fixture
def index(tmp_path: Path, tiny_bert: Path) -> Searcher:
    return Searcher(tmp_path / "index", tiny_bert)


def shown(documents: Any) -> list[tuple[Any, ...]]:
    return [(each.id, each.text, dict(each.metadata), each.payload) for each in documents]


def test_before_the_first_put_everything_is_empty_and_no_index_is_made(index: Searcher) -> None:
    assert index.get(["a"]) == []
    assert list(index.iterate()) == list(index.iterate("lang = 'en'")) == []
    assert index.count() == index.count("lang = 'en'") == 0
    assert index.delete(ids=["a"]) == index.delete(where="lang = 'en'") == 0
    assert index.update_metadata("lang = 'en'", {"lang": "de"}) == 0
    assert index.metadata_keys() == {}
    assert index.values("lang") == []
    assert index.put([]) == []
    assert not index.exists()


def test_texts_are_kept_as_they_stand_one_document_each(index: Searcher) -> None:
    texts = ["  the bank of the river \n", "", " \t ", "money " * 200, "hello"]
    assert index.put(texts, ids=["a", "b", "c", "d", "e"], whole=True) == ["a", "b", "c", "d", "e"]
    assert [each.text for each in index.get(["e", "d", "nobody", "c", "b", "a"])] == texts[::-1]
    assert index.counts()["documents"] == 5
    assert index.counts()["passages"] == 3  # nothing to embed in the two empty ones
    found = {hit.id: hit for hit in index.search("the river", k=10)}
    assert {key: (hit.start, hit.end, hit.text) for key, hit in found.items()} == {
        key: (0, len(text), text) for key, text in zip("abcde", texts, strict=True) if text.strip()
    }
    assert index.check() == []


def test_an_empty_text_is_found_by_a_filter(index: Searcher) -> None:
    index.put(["", "hello"], ids=["empty", "full"], metadatas=[{"n": 1}, {"n": 2}])
    assert [each.id for each in index.iterate("n = 1")] == ["empty"]
    assert index.count("n < 3") == 2
    assert index.delete(where="n = 1") == 1
    assert index.get("empty") == []


def test_a_whole_text_longer_than_the_window_has_the_mean_of_its_pieces(index: Searcher, tiny_bert: Path) -> None:
    text = "\n\n".join(" ".join([word] * 40) for word in ("river", "money", "window"))
    index.put([text], ids=["long"], whole=True)
    [document] = index.get("long", vectors=True)
    cut = Searcher(index.folder.with_name("cut"), tiny_bert)
    cut.put([text], ids=["long"])
    pieces = cut.passages("long")
    assert len(pieces) > 1
    tokens = [len(Embedder(tiny_bert).model.tokenizer.encode_ids([piece.text])[0]) for piece in pieces]
    mean = np.average([piece.vector for piece in pieces], axis=0, weights=tokens)
    assert document.vector == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)


def test_whole_texts_stay_whole_when_they_are_embedded_again_and_carried_elsewhere(
    index: Searcher, tiny_bert: Path, tmp_path: Path
) -> None:
    index.put([" river " * 100, "money"], ids=["a", "b"], whole=True, payloads=[{"x": [1, None]}, -1])
    index.reindex(pooling="cls")
    assert index.counts()["passages"] == 2
    lines = io.BytesIO()
    index.export(lines)
    lines.seek(0)
    with Searcher(tmp_path / "other") as other:
        other.import_(lines)
        assert shown(other.iterate()) == shown(index.iterate())
        assert [each.whole for each in other.iterate()] == [True, True]
        assert other.check() == []


def test_the_last_of_an_id_that_comes_twice_wins(index: Searcher) -> None:
    assert index.put(["one", "two", "three"], ids=["a", "b", "a"]) == ["a", "b", "a"]
    assert shown(index.get(["a", "b", "a"])) == [("a", "three", {}, None), ("b", "two", {}, None)]


def test_texts_without_ids_are_the_same_documents_when_they_are_put_again(index: Searcher) -> None:
    first = index.put(["same", "same", "other"], metadatas=[None, None, {"n": 1}])
    assert len(set(first)) == index.count() == 3
    assert index.put(["same", "same", "other"], metadatas=[{}, {}, {"n": 1}]) == first
    assert index.count() == 3
    assert index.put(["same", "named"], ids=[None, "mine"]) == [first[0], "mine"]


def test_what_there_is_already_is_replaced_skipped_or_an_error(index: Searcher) -> None:
    index.put(["old"], ids=["a"])
    assert index.put(["new", "b"], ids=["a", "b"], exists="skip") == ["a", "b"]
    assert shown(index.get(["a", "b"])) == [("a", "old", {}, None), ("b", "b", {}, None)]
    with pytest.raises(BadValue, match="id 'a' is there already"):
        index.put(["c", "new"], ids=["c", "a"], exists="error")
    assert index.count() == 2
    index.put(["new"], ids=["a"])
    assert shown(index.get("a")) == [("a", "new", {}, None)]
    with pytest.raises(UnknownName, match="unknown value of exists 'keep'; known: error, replace, skip"):
        index.put(["x"], ids=["x"], exists="keep")  # type: ignore[arg-type]


def test_an_id_that_came_from_a_file_is_replaced_too(index: Searcher, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("id,text\n1,old\n2,other\n")
    index.add(tmp_path / "rows.csv", id_field="id")
    with pytest.raises(BadValue, match="id '1' is there"):
        index.put(["new"], ids=["1"], exists="error")
    index.put(["new"], ids=[1])  # type: ignore[list-item]
    assert [(each.source, each.text) for each in index.get(["1"])] == [("1", "new")]
    assert index.count() == 2


@pytest.mark.parametrize("given", [True, False])
def test_what_is_put_and_what_it_replaces_change_places_in_one_transaction(
    index: Searcher, tmp_path: Path, tiny_bert: Path, given: bool
) -> None:
    if given:
        index = Searcher(tmp_path / "index", vectors="ours")
    vectors = {"vectors": [[1.0, 0.0]]} if given else {}
    index.put(["hello"], ids=["z"], **vectors)
    for text in ("the old bank", "the new bank"):  # the second time "a" itself is unchanged
        index.engine.write([prepared_row(index, text)])
        generation = index.status()["generation"]
        index.put(["the new bank"], ids=["a"], **vectors)
        assert index.status()["generation"] == generation + 1
        assert [each.source for each in index.get("a")] == ["a"]
        assert [hit.text for hit in index.search("bank", mode="keyword")] == ["the new bank"]
        assert index.check() == []


def prepared_row(index: Searcher, text: str) -> Prepared:
    """A row of a table, with the id "a", ready to be written."""
    document = Document("/t.csv#a", text, id="a")
    unit = np.eye(1, index.settings.dimension, dtype=np.float32)
    return Prepared(document, document.digest(), "/t.csv", [Chunk(0, len(text), (), 3)], unit)


def test_a_payload_comes_back_and_no_filter_knows_it(index: Searcher) -> None:
    payload = {"node": {"text": "x" * 10_000, "n": (1, 2.5)}, "é": None}
    index.put(["a text"], ids=["a"], metadatas=[{"lang": "en"}], payloads=[payload])
    assert index.get("a")[0].payload == {"node": {"text": "x" * 10_000, "n": [1, 2.5]}, "é": None}
    assert index.metadata_keys() == {"lang": ["text"]}
    with pytest.raises(UnknownName, match="unknown filter key 'node'"):
        index.count("node is null")
    for bad in (float("nan"), {1, 2}, "\ud800", object()):
        with pytest.raises(BadValue):
            index.put(["b"], ids=["b"], payloads=[bad])
    assert index.count() == 1


def test_a_payload_that_is_nought_or_false_is_carried_like_any_other(index: Searcher, tmp_path: Path) -> None:
    payloads = [0, False, 0.0, "", [], {}, None]
    ids = list("abcdefg")
    index.put(ids, ids=ids, payloads=payloads)
    lines = io.BytesIO()
    index.export(lines)
    lines.seek(0)
    with Searcher(tmp_path / "imported") as imported, Searcher(tmp_path / "copied") as copied:
        imported.import_(lines)
        copied.copy_from(index)
        for other in (index, imported, copied):
            kept = [document.payload for document in other.get(ids)]
            assert list(map(repr, kept)) == list(map(repr, payloads))


def test_a_payload_that_was_changed_in_the_file_is_found_out(index: Searcher) -> None:
    index.put(["a text", "another"], ids=["a", "b"], payloads=[{"n": 1}, None])
    index.close()
    connection = sqlite3.connect(index.folder / "searcher.db")
    connection.execute("UPDATE payloads SET payload = '{\"n\": 2}'")
    connection.commit()
    connection.close()
    with pytest.raises(DamagedIndex, match="document 'a' is not what was stored"):
        index.get("a")
    assert index.check() == ["document 'a' is not what was stored; run: searcher check"]
    assert index.repair().lost == ["a"]
    assert shown(index.iterate()) == [("b", "another", {}, None)]
    assert index.check() == []


def test_lists_of_unlike_length_and_what_is_no_list_are_refused(index: Searcher) -> None:
    for arguments, message in [
        ((["a", "b"], ["1"]), "1 ids for 2 texts"),
        ((["a"], None, [{}, {}]), "2 metadatas for 1 texts"),
        (("a",), "texts is one str; it must be a list"),
        ((None,), "texts is None"),
        ((["a"], "a"), "ids is one str"),
        ((["a"], [""]), "id 1 is empty"),
        ((["a"], [1.5]), "id 1 is float 1.5, not str"),
        ((["a", 1],), "text 2 is int 1, not str"),
        ((["a"], None, ["x"]), "metadata 1 is str 'x', not a dict"),
    ]:
        with pytest.raises(BadValue, match=message):
            index.put(*arguments)
    assert not index.exists()


def test_ids_come_in_whatever_holds_them(index: Searcher) -> None:
    assert index.put(np.array(["a", "b"]), ids=np.array([1, 2])) == ["1", "2"]
    assert [each.text for each in index.get(np.array([2, 1]))] == ["b", "a"]
    assert [each.text for each in index.get(key for key in ("1",))] == ["a"]  # type: ignore[arg-type]
    assert index.get(["\ud800", "1\0"]) == []
    assert index.get([]) == []
    assert index.delete(ids=2) == 1  # type: ignore[arg-type]
    for bad in (None, b"1", {"1": 1}, [None], [True], 1.5):
        with pytest.raises(BadValue):
            index.get(bad)  # type: ignore[arg-type]


def test_delete_takes_ids_a_filter_or_both_but_not_neither(index: Searcher) -> None:
    index.put(list("abcdef"), ids=list("abcdef"), metadatas=[{"n": n} for n in range(6)])
    with pytest.raises(BadValue, match="delete needs ids or where"):
        index.delete()
    with pytest.raises(FilterError):
        index.delete(where="")
    with pytest.raises(UnknownName):
        index.delete(where="m = 1")
    assert index.delete(ids=[]) == index.delete(ids=["nobody"]) == 0
    assert index.count() == 6
    assert index.delete(ids=["a", "nobody", "a"]) == 1
    assert index.delete(ids=["b", "c"], where="n >= 2") == 1
    assert index.delete(where={"n": [3, 4]}) == 2
    assert [each.id for each in index.iterate()] == ["b", "f"]
    assert [hit.id for hit in index.search("f", k=9)] in (["b", "f"], ["f", "b"])
    assert index.check() == []


def test_metadata_are_changed_without_a_model(
    index: Searcher, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.put(["a", "b"], ids=["a", "b"], metadatas=[{"lang": "en", "n": 1}, {"lang": "de"}], payloads=[{"p": 1}, None])
    vector = index.get("a", vectors=True)[0].vector
    index.close()
    with Searcher(index.folder) as again:
        monkeypatch.setattr(Searcher, "_fitting", lambda self: pytest.fail("a model was asked for"))
        assert again.update_metadata("lang = 'en'", {"lang": "fr", "n": None, "new": ["x", "y"]}) == 1
        [document] = again.get("a", vectors=True)
        assert (document.metadata, document.payload) == ({"lang": "fr", "new": ["x", "y"]}, {"p": 1})
        assert np.array_equal(document.vector, vector)
        assert again.count("lang = 'fr' and n is null") == 1
        assert again.count("lang = 'en'") == 0
        assert again.update_metadata(None, {"seen": True}) == 2
        assert again.count("seen = true") == 2
        assert again.check() == []
        for changes in ({}, None, "lang", {"x": object()}):
            with pytest.raises(BadValue):
                again.update_metadata(None, changes)  # type: ignore[arg-type]


def test_what_metadata_hold_beside_the_changes_stays_even_where_it_is_nothing(index: Searcher) -> None:
    index.put(["a"], ids=["a"], metadatas=[{"lang": None, "n": None, "deep": {"x": None}}])
    index.update_metadata(None, {"n": None, "new": 1})
    assert index.get("a")[0].metadata == {"lang": None, "deep": {"x": None}, "new": 1}


def test_a_text_put_again_with_the_metadata_it_was_changed_to_is_unchanged(index: Searcher) -> None:
    index.put(["a"], ids=["a"], metadatas=[{"n": 1}])
    index.update_metadata(None, {"n": 2})
    assert index.add_texts(["a"], ids=["a"], metadatas=[{"n": 2}]).unchanged == 1


def test_values_are_counted_by_documents_and_those_in_lists_one_by_one(index: Searcher) -> None:
    metadatas: list[Any] = [
        {"tags": ["x", "y", "x"], "n": 1, "a": {"b.c": 1, "d": "deep"}},
        {"tags": ["x", {"no": 1}, None], "n": True},
        {"tags": "y", "n": 1.0, "odd key": "?"},
        {"tags": {"no": 1}, "n": None, "title": "mine"},
    ]
    index.put(["one two three"] * 4, ids=list("abcd"), metadatas=metadatas)
    assert index.values("tags") == [("x", 2), ("y", 2)]
    assert index.values("n") == [(1, 2), (True, 1)]
    assert [type(value) for value, _ in index.values("n")][1] is bool
    assert index.values("tags", most=1) == [("x", 2)]
    assert index.values("tags", "n = 1") == [("y", 2), ("x", 1)]
    assert index.values("a.d") == [("deep", 1)]
    assert index.values('a."b.c"') == [(1, 1)]
    assert index.values("odd key") == [("?", 1)]
    assert index.values("kind") == [("text", 4)]
    assert index.values("title") == []
    assert index.values("metadata.title") == [("mine", 1)]
    assert index.metadata_keys() == {
        "a": ["object"], "n": ["boolean", "number"], "odd key": ["text"], "tags": ["list", "object", "text"], "title": ["text"],
    }  # fmt: skip
    with pytest.raises(UnknownName, match="unknown key 'lang'; known: a, id, kind, n, odd key, source, tags, title"):
        index.values("lang")
    index.delete(ids=["c"])
    assert "odd key" not in index.metadata_keys()


def test_a_long_walk_sees_what_is_there_and_holds_no_transaction(index: Searcher) -> None:
    index.put(["x"] * 600, ids=[f"{n:03}" for n in range(600)])
    walk = index.iterate()
    assert next(walk).id == "000"
    index.delete(ids=["599", "001"])
    index.put(["new"], ids=["new"])
    rest = [each.id for each in walk]
    assert rest == [f"{n:03}" for n in range(1, 599)]  # 001 was read already, 599 is gone, what is new came after


# -- against a dict

KEYS = st.sampled_from("abcde")
METADATA = st.dictionaries(
    st.sampled_from(["n", "tag"]), st.sampled_from([1, 2, 2.5, True, "x", "y", None]), max_size=2
)
TEXT = st.sampled_from(["", " ", "the bank", " padded ", "river " * 90])
PUT = st.tuples(
    st.just("put"),
    st.lists(st.tuples(KEYS, TEXT, METADATA, st.sampled_from([None, 1, {"p": []}])), min_size=1, max_size=4),
    st.booleans(), st.sampled_from(["replace", "skip", "error"]),
)  # fmt: skip
STEPS = st.lists(
    st.one_of(
        PUT,
        st.tuples(st.just("delete"), st.lists(KEYS, max_size=3)),
        st.tuples(st.just("delete_where"), st.sampled_from([1, 2.5, True, "x"])),
        st.tuples(st.just("update"), st.sampled_from([1, True]), st.sampled_from([None, 2, "z"])),
    ),
    max_size=8,
)


def is_alike(metadata: dict[str, Any], value: object) -> bool:
    """Whether `n` is that value to a filter."""
    own = metadata.get("n")
    return own == value and isinstance(own, bool) == isinstance(value, bool)


def literal(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else json.dumps(value)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_any_history_leaves_what_a_dict_would_hold(steps: list[Any], index: Searcher) -> None:
    held: dict[str, tuple[str, dict[str, Any], Any]] = {}
    index.put(["first"], ids=["first"], metadatas=[{"n": 0}])  # so that the key is known
    index.delete(where="id != 'first'")
    for name, *step in steps:
        if name == "put":
            rows, whole, exists = step
            keys, texts, metadatas, payloads = (list(column) for column in zip(*rows, strict=True))
            if exists == "error" and held.keys() & set(keys):
                with pytest.raises(BadValue):
                    index.put(texts, keys, metadatas, payloads=payloads, whole=whole, exists=exists)
                continue
            assert index.put(texts, keys, metadatas, payloads=payloads, whole=whole, exists=exists) == keys
            new = {key: (text, metadata, payload) for key, text, metadata, payload in rows}
            held |= {key: row for key, row in new.items() if exists != "skip" or key not in held}
        elif name == "delete":
            assert index.delete(ids=step[0]) == sum(held.pop(key, None) is not None for key in set(step[0]))
        elif name == "delete_where":
            gone = [key for key, row in held.items() if is_alike(row[1], step[0])]
            assert index.delete(where=f"n = {literal(step[0])}") == len(gone)
            held = {key: row for key, row in held.items() if key not in gone}
        else:
            changed = {key: row for key, row in held.items() if is_alike(row[1], step[0])}
            assert index.update_metadata({"n": step[0]}, {"n": step[1], "tag": "new"}) == len(changed)
            for key, (text, metadata, payload) in changed.items():
                merged = {k: v for k, v in (metadata | {"n": step[1], "tag": "new"}).items() if v is not None}
                held[key] = (text, merged, payload)
    index.delete(ids=["first"])
    assert {key: rest for key, *rest in shown(index.iterate())} == {key: list(row) for key, row in held.items()}
    assert shown(index.get(sorted(held))) == [(key, *held[key]) for key in sorted(held)]
    assert index.count() == len(held)
    for value in (1, 2, True, "x"):
        alike = {key for key, row in held.items() if is_alike(row[1], value)}
        assert {each.id for each in index.iterate(f"n = {literal(value)}")} == alike
    assert {hit.id for hit in index.search("the bank", k=100)} == {k for k, row in held.items() if row[0].strip()}
    assert index.check() == []


def test_documents_given_whole_with_payloads_are_taken_by_add_documents_too(index: Searcher) -> None:
    report = index.add_documents([Document("here", "river " * 90, payload=[1], whole=True)])
    assert (report.documents, report.passages) == (1, 1)
    assert index.document("here").payload == [1]


def test_values_look_where_filters_do(index: Searcher) -> None:
    metadatas = [{"authors": [{"name": "Ada"}, {"name": "Bob"}], "tags": ["x", ["y"]]}, {"authors": {"name": "Ada"}}]
    index.put(["one two", "three four"], ["a", "b"], metadatas)
    assert index.values("authors.name") == [("Ada", 2), ("Bob", 1)]
    assert index.values("tags") == [("x", 1), ("y", 1)]
    with pytest.raises(UnknownName):
        index.values("authors.nmae")
    index.update_metadata({"id": "a"}, {"typo": None})
    with pytest.raises(UnknownName):
        index.count("typo = 1")
