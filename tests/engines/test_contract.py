"""The contract of engines: the same of SQLite with FAISS, of Milvus Lite, and of a Milvus server (`sh tests/server.sh`)."""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from contract import DIMENSION, FILTERS, METADATA, SETTINGS, Oracle, Place, place_of, prepared, units

from searcher.engines import Effort, Engine
from searcher.errors import BadValue, IndexUnavailable, SettingsMismatch, UnknownName
from searcher.filters import joined, named, parse
from searcher.records import Input, Prepared
from searcher.store import Look

QUESTIONS = units(6, np.random.default_rng(1))


def test_the_nearest_are_those_of_numpy(read: tuple[Engine, Oracle]) -> None:
    engine, library = read
    for k in (1, 5, 1000):
        library.check(engine, QUESTIONS, k)
    exactly = engine.nearest(QUESTIONS, 3, effort=Effort(exact=True))
    assert [[place_of(row) for _, row in hits] for hits in exactly] == [
        [place for _, place in library.nearest(vector, 3)] for vector in QUESTIONS
    ]


def test_a_filter_allows_what_the_judge_of_values_does(read: tuple[Engine, Oracle]) -> None:
    engine, library = read
    for where in FILTERS:
        library.check(engine, QUESTIONS[:2], 4, where)
        rows = engine.rows(engine.allowed(parse(where)).tolist())
        assert {place_of(row) for row in rows.values()} == library.allowed(where), where
        chosen = {engine.document(number).source for number in engine.chosen(parse(where)).tolist()}
        assert {source for source, _ in library.allowed(where)} <= chosen


def test_a_key_of_no_document_and_a_knob_that_there_is_not_are_named(read: tuple[Engine, Oracle]) -> None:
    engine, _ = read
    with pytest.raises(UnknownName, match=r"unknown filter key 'langg'.*Did you mean 'lang'"):
        engine.nearest(QUESTIONS, 3, parse("langg = 'en'"))
    with pytest.raises(BadValue, match="nprobe"):
        engine.nearest(QUESTIONS, 3, effort=Effort(nprobe=4))


def test_globs_of_file_names_pick_documents(read: tuple[Engine, Oracle]) -> None:
    engine, library = read
    for include, exclude in ((["/files/*.csv"], []), ([], ["1.csv"]), (["*.csv"], ["1.csv"]), (["doc*"], [])):
        tree = joined(None, named(include, exclude))
        found = {row.source for hits in engine.nearest(QUESTIONS, 100, tree) for _, row in hits}
        origins = {source: item.file or source for source, item in library.items.items() if item.chunks}
        wanted = {
            source for source, origin in origins.items() if not include or ("files" in origin) == (include != ["doc*"])
        }
        assert found == wanted - {source for source, origin in origins.items() if exclude and "1.csv" in origin}


def test_passages_can_be_left_out(read: tuple[Engine, Oracle]) -> None:
    engine, _ = read
    [hits] = engine.nearest(QUESTIONS[:1], 4)
    without = np.array(sorted(row.passage_id for _, row in hits[:2]), np.int64)
    [others] = engine.nearest(QUESTIONS[:1], 2, without=without)
    assert [row.passage_id for _, row in others] == [row.passage_id for _, row in hits[2:]]


def test_equals_come_in_the_order_of_their_ids(engine: Engine) -> None:
    same = np.repeat(units(1), 3, axis=0)
    engine.write([prepared(f"same {number}", ["x", "y", "z"], same) for number in range(10)])
    [hits] = engine.nearest(same[:1], 7)
    ids = [row.passage_id for _, row in hits]
    assert ids == engine.passage_ids().tolist()[:7]


def test_a_document_of_the_same_source_takes_the_place_of_the_one_before(engine: Engine, library: Oracle) -> None:
    old = {row.passage_id for row in engine.rows(engine.passage_ids().tolist()).values() if row.source == "doc 4"}
    library.put(prepared("doc 4", ["all new"], title="New"), prepared("doc 5", ["one", "two"]), prepared("doc 99"))
    engine.write([library.items[source] for source in ("doc 4", "doc 5", "doc 99")])
    library.check(engine, QUESTIONS, 50)
    assert engine.present(sorted(old)) == []
    assert engine.document_count() == 13
    assert engine.counts()["passages"] == len(library.passages) == len(engine.passage_ids())
    assert [row.text for row in engine.rows(engine.passage_ids(engine.documents_of("source", "doc 5")["doc 5"]).tolist()).values()] == ["one", "two"]  # fmt: skip


def test_what_is_removed_is_found_no_more(engine: Engine, library: Oracle) -> None:
    numbers = [engine.documents_of("source", f"doc {number}")[f"doc {number}"] for number in (1, 3, 4)]
    assert engine.write(remove=[*numbers, 10**15]) == 3
    for number in (1, 3, 4):
        del library.items[f"doc {number}"]
    library.check(engine, QUESTIONS, 50)
    assert engine.document_ids(numbers) == []
    assert list(engine.known(["doc 3", "doc 2", "doc 99"])) == ["doc 2"]
    assert engine.file_digests(["/files/1.csv"]) == {}  # not all of its documents are in any more


def assert_same(engine: Engine, numbers: Iterable[int], items: list[Prepared]) -> None:
    """The documents of those numbers are just these, passages and vectors to the bit, and read in the order of ids."""
    with engine.reading():
        whole, kept = dict(engine.whole(numbers)), dict(engine.kept(numbers))
    assert list(whole) == list(kept) == sorted(whole)
    assert len(whole) == len(items)
    found = {item.document.source: (item, kept[number]) for number, item in whole.items()}
    for item in items:
        one, rest = found[item.document.source]
        assert one.document == item.document
        for own in (one, rest):
            assert (own.digest, own.file, own.chunks) == (item.digest, item.file, item.chunks)
            assert own.vectors.dtype == np.float32 and own.vectors.tobytes() == item.vectors.tobytes()
            assert own.vectors.shape == (len(item.chunks), DIMENSION)
            assert _bits(own.given) == _bits(item.given)


def _bits(vectors: Sequence[np.ndarray | None] | None) -> list[bytes | None] | None:
    return None if vectors is None else [None if vector is None else vector.tobytes() for vector in vectors]


def test_many_documents_are_read_at_once_as_they_were_written(read: tuple[Engine, Oracle]) -> None:
    engine, library = read
    assert_same(engine, engine.document_ids(), list(library.items.values()))
    some = [next(iter(engine.documents_of("source", f"doc {number}").values())) for number in (7, 2, 0)]
    assert_same(engine, [10**15, *some, *some, 3], [library.items[f"doc {number}"] for number in (0, 2, 7)])
    assert_same(engine, [], [])


def test_documents_larger_than_is_read_at_once_are_read_too(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    if "milvus" in place.name:
        monkeypatch.setattr("searcher.engines.milvus.passages.CALL_BYTES", 3000)
        monkeypatch.setattr("searcher.engines.milvus.passages.NUMBERS_AT_ONCE", 4)
    engine = place.open()
    engine.settle(SETTINGS)
    items = [prepared(f"d{number}", ["x" * (9 * number)] * number) for number in range(12)]
    engine.write(items)
    assert_same(engine, engine.document_ids(), items)
    engine.close()


def test_all_of_it_is_there_after_reopening(place: Place, engine: Engine, library: Oracle) -> None:
    engine.look([Look("/files/1.csv", b"mark"), Look("/files/x", b"", "no text")], "half")
    engine.notes.set("calibration", "ü" * 40_000)
    engine.notes.log("why?")
    head = engine.head()
    place.leave(engine)
    again = place.open()
    assert (again.settings(), again.head()) == (SETTINGS, head)
    library.check(again, QUESTIONS, 50)
    for source, item in library.items.items():
        [number] = again.documents_of("source", source).values()
        assert again.document(number) == item.document
        assert again.file_of(number) == item.file
    assert_same(again, again.document_ids(), list(library.items.values()))
    assert again.known([*library.items, "none"]) == {source: item.digest for source, item in library.items.items()}
    assert again.files() == [("/files/1.csv", b"digest")]
    assert again.file_digests(["/files/1.csv", "/files/2.csv"]) == {"/files/1.csv": b"digest"}
    assert again.documents_of_files(["/files/2.csv", "/none", "/files/3.csv"]) == {
        path: again.documents_of("file", path) for path in ("/files/2.csv", "/files/3.csv")
    }
    assert again.files_of_digests([b"digest", b"none"]) == {b"digest": ["/files/1.csv"]}
    seen = again.seen_under("/files")
    assert (seen["/files/1.csv"].mark, seen["/files/1.csv"].digest, seen["/files/1.csv"].documents) == (b"mark", b"digest", 2)  # fmt: skip
    assert (seen["/files/x"].mark, seen["/files/x"].reason) == (b"", "no text")
    assert again.under_way() == "half"
    assert again.notes.get("calibration") == "ü" * 40_000
    assert [own.question for own in again.notes.unanswered()] == ["why?"]
    assert again.notes.forget() == 1
    assert again.check() == []
    again.close()


def test_other_settings_are_refused_and_nothing_changes(engine: Engine, library: Oracle) -> None:
    other = replace(SETTINGS, pooling="max")
    with pytest.raises(SettingsMismatch, match="pooling 'mean', not 'max'"):
        engine.settle(other)
    with pytest.raises(SettingsMismatch, match="pooling"):
        engine.write([prepared("new")], made_with=other)
    with pytest.raises(SettingsMismatch, match="pooling"):
        engine.take_in(other, [prepared("new")])
    assert engine.known(["new"]) == {}
    library.check(engine, QUESTIONS)


@pytest.mark.parametrize("bad", [np.full((1, DIMENSION), np.nan, np.float32), np.ones((1, DIMENSION + 1), np.float32)])
def test_vectors_that_cannot_be_are_refused_before_anything_is_written(engine: Engine, bad: np.ndarray) -> None:
    with pytest.raises(BadValue, match=r"NaN|vectors of 17"):
        engine.write([prepared("good"), prepared("bad", vectors=bad)])
    assert engine.document_count() == 0


def test_a_state_that_is_not_the_expected_one_is_left_alone(engine: Engine, library: Oracle) -> None:
    head = engine.head()
    engine.write([prepared("another's")])
    assert engine.head() != head
    with pytest.raises(IndexUnavailable, match="meanwhile"):
        engine.write([prepared("mine")], expected=head)
    assert engine.known(["mine"]) == {}


def test_metadata_are_changed_without_another_vector(engine: Engine, library: Oracle) -> None:
    numbers = [engine.documents_of("source", f"doc {number}")[f"doc {number}"] for number in (1, 4)]
    ids = engine.passage_ids().tolist()
    assert engine.amend(numbers, {"lang": "fr", "n": None}) == 2
    for number in (1, 4):
        item = library.items[f"doc {number}"]
        metadata = {key: value for key, value in item.document.metadata.items() if key != "n"} | {"lang": "fr"}
        library.put(replace(item, document=replace(item.document, metadata=metadata)))
    library.check(engine, QUESTIONS, 50)
    library.check(engine, QUESTIONS, 50, "lang = 'fr'")
    assert engine.passage_ids().tolist() == ids


def test_documents_go_along_with_their_file(engine: Engine, library: Oracle) -> None:
    item = prepared("/a/t.csv#7", ["a row"], file="/a/t.csv")
    engine.write([item], files=[("/a/t.csv", b"d")])
    ids = engine.passage_ids(engine.documents_of("file", "/a/t.csv")["/a/t.csv#7"]).tolist()
    engine.write(moves=[("/a/t.csv", "/b/u.csv")])
    assert engine.documents_of("file", "/a/t.csv") == {}
    assert engine.passage_ids(engine.documents_of("file", "/b/u.csv")["/b/u.csv#7"]).tolist() == ids
    assert engine.file_digests(["/a/t.csv", "/b/u.csv"]) == {"/b/u.csv": b"d"}
    assert engine.allowed(parse("source = '/b/u.csv#7'")).tolist() == ids
    engine.write([item])  # a new file of the old name
    assert engine.known(["/a/t.csv#7"]) == {"/a/t.csv#7": item.digest}
    assert engine.known(["/b/u.csv#7"])
    both = engine.rows(engine.passage_ids().tolist())
    assert {"/a/t.csv#7", "/b/u.csv#7"} <= {row.source for row in both.values()}


def test_an_import_says_what_it_did(engine: Engine) -> None:
    engine.write([prepared("a", file="f"), prepared("b", file="f"), prepared("c", file="f")])
    items = [prepared("a", ["new"], file="f"), prepared("d", ["one", "two"], file="f"), ("f", b"digest")]
    assert engine.take_in(SETTINGS, items) == (2, 3, 1, 2)
    assert {own["source"] for own in engine.listing()} == {"a", "d"}
    assert engine.file_digests(["f"]) == {"f": b"digest"}
    with pytest.raises(BadValue, match="comes twice"):
        engine.take_in(SETTINGS, [prepared("x"), prepared("x")])


def test_given_vectors_come_back_to_the_bit_and_those_without_a_direction_are_not_found(place: Place) -> None:
    engine = place.open()
    engine.settle(replace(SETTINGS, weights="given: somebody"))
    own = [np.array(row, np.float32) for row in RANDOM_GIVEN]
    unit = np.array([v / np.linalg.norm(v) for v in own], np.float32)
    items = [
        prepared("given", ["a", "b"], unit, given=own),
        prepared("zeros", ["c"], np.zeros((1, DIMENSION), np.float32), given=[np.zeros(DIMENSION, np.float32)]),
        prepared("none", ["d"], np.zeros((1, DIMENSION), np.float32), given=[None]),
    ]
    engine.write(items)
    ids = {row.source + row.text: number for number, row in engine.rows(engine.passage_ids().tolist()).items()}
    back = engine.given(list(ids.values()))
    assert [back[ids[name]].tobytes() for name in ("givena", "givenb")] == [vector.tobytes() for vector in own]
    assert not back[ids["zerosc"]].any()
    assert back[ids["noned"]] is None
    assert engine.settings().given
    assert_same(engine, engine.document_ids(), items)
    assert {row.source for _, row in engine.nearest(unit[:1], 10)[0]} == {"given"}
    engine.close()


RANDOM_GIVEN = np.random.default_rng(3).standard_normal((2, DIMENSION)) * 100


def test_what_decides_a_vector_finds_it_again(engine: Engine) -> None:
    item = prepared("a", ["one", "two"], title="T")
    engine.write([item])
    found = engine.known_vectors([Input("two", "T"), Input("three")])
    assert list(found) == [Input("two", "T")]
    assert found[Input("two", "T")].tobytes() == item.vectors[1].tobytes()
    assert engine.known_vectors([Input("two", "U")], context=True) == {}
    assert list(engine.known_vectors([Input("two", "T")], context=True)) == [Input("two", "T")]


@pytest.mark.parametrize("text", ["x" * 70_000, "世😀\"\\\n\t' or 1 == 1" * 9_000, '") or (id != "'])
def test_a_text_of_any_length_and_signs_comes_back(engine: Engine, text: str) -> None:
    item = prepared(f'the "{text[:40]}" one', [text, "short"], title=text[:9], id=text[:30], metadata={"t": text[:50]})
    engine.write([item])
    assert engine.document(engine.documents_of("key", text[:30])[item.document.source]) == item.document
    assert [row.text for row in engine.rows(engine.passage_ids().tolist()).values()] == [text, "short"]
    [[(score, row)]] = engine.nearest(item.vectors[:1], 1)
    assert (row.text, row.metadata) == (text, {"t": text[:50]})
    assert score == pytest.approx(1, abs=1e-6)


def test_documents_are_found_by_names(read: tuple[Engine, Oracle]) -> None:
    engine, library = read
    [two] = engine.documents_of("source", "doc 2").values()
    assert engine.named("key", ["k2", "k2", "none"]) == {"k2": [two]}
    assert engine.named("source", ["doc 2", "none"]) == {"doc 2": [two]}
    assert engine.ending("TITLE 2") == {"/files/2.csv": [two]}
    assert sorted(engine.ending("2.csv")) == ["/files/2.csv"]
    assert engine.files_under("/files") == [f"/files/{number}.csv" for number in range(4)]
    assert engine.files_under("/file") == []
    assert sorted(engine.origins(100)) == sorted({item.file or source for source, item in library.items.items()})
    assert engine.document_ids() == sorted(engine.document_ids())
    assert engine.metadata_kinds()["n"] == ["number", "text"]
    assert engine.has_key(("author", "name"))
    assert not engine.has_key(("name",))
    assert dict(engine.values_of(("lang",))) == {"en": 4, "de": 2, 'e"n\\': 2}
    assert dict(engine.values_of("title"))["Title 3"] == 1
    listed = engine.listing(np.array([two]))
    assert [(own["source"], own["passages"], own["metadata"]) for own in listed] == [("doc 2", 2, METADATA[2])]


def test_several_write_and_read_at_the_same_time(place: Place, engine: Engine) -> None:
    other = place.open()

    def put(at: Engine, name: str) -> None:
        for number in range(5):
            at.write([prepared(f"{name} {number}", ["x", "y"])])
            with at.reading():
                at.nearest(QUESTIONS[:1], 3)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(put, at, f"{name}{at is engine}") for name in "ab" for at in (engine, other)]:
            done.result()
    assert engine.counts() == {"documents": 20, "passages": 40, "tokens": 40}
    assert len(other.nearest(QUESTIONS[:1], 100)[0]) == 40
    other.close()


def test_random_writes_leave_what_a_dict_would_hold(engine: Engine) -> None:
    random, oracle = np.random.default_rng(int(os.environ.get("CONTRACT_SEED", "5"))), Oracle()
    for _ in range(12):
        items = [
            prepared(f"s{random.integers(8)}", [f"t{random.integers(99)}" for _ in range(random.integers(4))], id=f"k{random.integers(3)}",
                     metadata=METADATA[random.integers(6)], file=[None, "f", "g"][random.integers(3)])
            for _ in range(random.integers(4))
        ]  # fmt: skip
        there = sorted(oracle.items)
        gone = [source for source in there if random.random() < 0.2]
        numbers = [engine.documents_of("source", source)[source] for source in gone]
        engine.write(items, remove=numbers)
        for source in gone:
            del oracle.items[source]
        oracle.put(*items)
        oracle.check(engine, QUESTIONS[:2], 6)
        assert engine.counts()["passages"] == len(oracle.passages)
        assert {own["source"] for own in engine.listing()} == set(oracle.items)
