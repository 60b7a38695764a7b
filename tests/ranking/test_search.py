"""A search is brute force over the stored vectors, and plain Python over the metadata."""

import io
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from models import WORDS

from searcher import Searcher
from searcher.errors import BadValue, FilterError, IndexUnavailable, UnknownName

LANGS = ["en", "de", None]


@pytest.fixture(scope="module")
def searcher(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    """Sixty texts of few words, some of them twice."""
    random = np.random.default_rng(7)
    texts = [" ".join(random.choice(WORDS, 3)) for _ in range(50)]
    texts += texts[:10]
    metadatas = [{"n": n, "lang": LANGS[n % 3], "tags": {"even": n % 2 == 0}} for n in range(60)]
    with Searcher(tmp_path_factory.mktemp("search") / "index", tiny_bert) as searcher:
        searcher.add_texts(texts, ids=[str(n) for n in range(60)], metadatas=metadatas)
        yield searcher


def stored(searcher: Searcher) -> tuple[list[int], np.ndarray]:
    """Ids and vectors as a plain sqlite3 connection finds them."""
    connection = sqlite3.connect(searcher.folder / "searcher.db")
    rows = connection.execute("SELECT id, vector FROM vectors ORDER BY id").fetchall()
    connection.close()
    vectors = np.array([np.frombuffer(blob, dtype="<f4") for _, blob in rows], dtype=np.float64)
    return [number for number, _ in rows], vectors


def assert_brute_force(hits: list[Any], searcher: Searcher, query: np.ndarray, k: int, allowed: set[int]) -> None:
    """The hits are the k best of those allowed; of passages whose cosines are alike to 1e-6 any may be meant."""
    ids, vectors = stored(searcher)
    if not ids:
        assert hits == []
        return
    cosines = vectors @ (query / np.linalg.norm(query)) / np.linalg.norm(vectors, axis=1)
    exact = {number: cosine for number, cosine in zip(ids, cosines.tolist(), strict=True) if number in allowed}
    best = sorted(exact.values(), reverse=True)[:k]
    assert [hit.rank for hit in hits] == list(range(1, len(best) + 1))
    assert [hit.score for hit in hits] == pytest.approx(best, abs=2e-6)
    assert [exact[hit.passage_id] for hit in hits] == pytest.approx(best, abs=2e-6)
    assert len({hit.passage_id for hit in hits}) == len(hits)
    assert hits == sorted(hits, key=lambda hit: (-hit.score, hit.passage_id))


@pytest.fixture(scope="module")
def changing(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    with Searcher(tmp_path_factory.mktemp("changing") / "index", tiny_bert) as searcher:
        searcher.add_texts([])
        yield searcher


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(
            st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join),
            st.sampled_from([0, 1, 1.5, "1", True, None]),
        ),
        max_size=12,
    ),
    removed=st.sets(st.integers(0, 11)),
    query=st.lists(st.integers(-9, 9), min_size=32, max_size=32).filter(any),
    k=st.integers(1, 15),
    bound=st.sampled_from([0, 1, 1.25, 9]),
)
def test_a_search_is_brute_force(
    changing: Searcher, rows: list[tuple[str, Any]], removed: set[int], query: list[int], k: int, bound: float
) -> None:
    searcher, vector = changing, np.array(query)
    old = [row["id"] for row in searcher.engine.listing()]
    if old:
        searcher.remove(ids=old)
    numbers, half = [str(number) for number in range(len(rows))], len(rows) // 2
    for part in (slice(0, half), slice(half, None)):  # half by half, so that the index has to catch up
        texts, metadatas = [text for text, _ in rows[part]], [{"x": x} for _, x in rows[part]]
        searcher.add_texts(texts, ids=numbers[part], metadatas=metadatas)
        searcher.search(vector)
    gone = [str(number) for number in removed if number < len(rows)]
    if gone:
        searcher.remove(ids=gone)

    connection = sqlite3.connect(searcher.folder / "searcher.db")
    documents = connection.execute("SELECT p.id, key FROM passages p JOIN documents d ON d.id = p.document").fetchall()
    connection.close()
    values = {number: rows[int(key)][1] for number, key in documents}
    assert sorted(key for _, key in documents) == sorted(set(numbers) - set(gone))
    assert_brute_force(searcher.search(vector, k=k), searcher, vector, k, set(values))
    above = {n for n, x in values.items() if isinstance(x, int | float) and not isinstance(x, bool) and x >= bound}
    assert_brute_force(searcher.search(vector, k=k, where=f"x >= {bound}"), searcher, vector, k, above)


@pytest.mark.parametrize("k", [1, 3, 59, 60, 61, 10**9, np.int64(4)])
def test_k_hits_or_as_many_as_there_are(searcher: Searcher, k: int) -> None:
    question = searcher.embedder.embed(["river bank"], "query")[0]
    hits = searcher.search("river bank", k=k)
    assert len(hits) == min(k, 60)
    assert_brute_force(hits, searcher, question, int(k), set(stored(searcher)[0]))


@pytest.mark.parametrize("k", [0, -1, True, 2.5, None, "3"])
def test_another_k_is_an_error_that_names_it(searcher: Searcher, k: Any) -> None:
    with pytest.raises(BadValue, match=f"k is {k!r}"):
        searcher.search("river", k=k)
    with pytest.raises(BadValue, match=f"k is {k!r}"):
        searcher.search("river", k=k, where="n = -5")


def test_the_score_is_the_cosine_of_question_and_passage(searcher: Searcher) -> None:
    (question,) = searcher.embedder.embed(["money in the bank"], "query")
    for hit in searcher.search("money in the bank", k=15):
        (passage,) = searcher.embedder.embed([hit.text], "passage")
        cosine = question @ passage / np.linalg.norm(question) / np.linalg.norm(passage)
        assert hit.score == pytest.approx(cosine, abs=1e-5)


def test_a_passage_finds_itself_first_with_a_score_of_one(searcher: Searcher) -> None:
    for row in (searcher.passages("3")[0], searcher.passages("55")[0]):
        hit = searcher.search(row.text, k=1)[0]
        assert hit.text == row.text
        assert hit.score == pytest.approx(1, abs=1e-6)
        assert hit.score <= 1


def test_equal_texts_have_equal_scores_and_come_in_the_order_of_their_ids(searcher: Searcher) -> None:
    every = searcher.search("river", k=60)
    for text in {hit.text for hit in every}:
        hits = [hit for hit in every if hit.text == text]
        assert len({hit.score for hit in hits}) == 1
        assert [hit.passage_id for hit in hits] == sorted(hit.passage_id for hit in hits)
    assert len({hit.text for hit in every}) <= 50


@pytest.mark.parametrize(
    ("where", "allowed"),
    [
        ("n >= 57", lambda n: n >= 57),
        ("n = 30", lambda n: n == 30),
        ("n = 30.0", lambda n: n == 30),
        ("n = '30'", lambda n: False),
        ("lang = 'en' and n < 20", lambda n: n % 3 == 0 and n < 20),
        ("lang is null", lambda n: n % 3 == 2),
        ("not lang = 'en'", lambda n: n % 3 != 0),
        ("lang != 'en'", lambda n: n % 3 == 1),
        ("lang in ('de', 'en') or n > 50", lambda n: n % 3 != 2 or n > 50),
        ("id like '1_'", lambda n: 10 <= n < 20),
        ("tags.even = true", lambda n: n % 2 == 0),
        ("tags.even = 1", lambda n: False),
        ("n < 1000", lambda n: True),
        ({"lang": "de"}, lambda n: n % 3 == 1),
        ({"lang": None, "n": [2, 5, 6]}, lambda n: n in (2, 5)),
        ({"n": "30"}, lambda n: False),
        ({"id": "30"}, lambda n: n == 30),
    ],
)
def test_a_filter_leaves_the_best_of_those_it_allows(searcher: Searcher, where: Any, allowed: Any) -> None:
    question = searcher.embedder.embed(["river"], "query")[0]
    ids = {hit.passage_id for hit in searcher.search("river", k=60) if allowed(int(hit.id or ""))}
    for k in (1, 5, 60):
        hits = searcher.search("river", k=k, where=where)
        assert len(hits) == min(k, len(ids))
        assert_brute_force(hits, searcher, question, k, ids)


def test_an_unknown_key_of_a_filter_lists_the_known_ones(searcher: Searcher) -> None:
    with pytest.raises(UnknownName, match="unknown filter key 'year'; known: id, kind, lang, line, n, passage_id"):
        searcher.search("river", where="year > 5")


def test_a_wrong_filter_tells_the_position(searcher: Searcher) -> None:
    with pytest.raises(FilterError, match="position 7"):
        searcher.search("river", where="lang =")


def test_a_number_in_a_csv_is_a_number(tiny_bert: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,text,year\n1,river,1999\n2,bank,2021\n3,money,unknown\n4,water,\n")
    with Searcher(tmp_path / "index", tiny_bert) as searcher:
        searcher.add(tmp_path / "t.csv", column_types={"year": "number"})

        def found(where: str) -> list[str]:
            return sorted(hit.id or "" for hit in searcher.search("river", where=where))

        assert found("year >= 2020") == ["2"]
        assert found("year < 2020") == ["1"]
        assert found("year = '1999'") == []
        assert found("year = 'unknown'") == []
        assert found("year is null") == ["3", "4"]
        assert searcher.search("river", where={"year": 1999})[0].metadata == {"year": 1999}


@pytest.mark.parametrize("bound", [-1, 0.5, 1.1])
def test_no_hit_is_below_the_least_score(searcher: Searcher, bound: float) -> None:
    every = searcher.search("river", k=60)
    assert searcher.search("river", k=60, min_score=bound) == [hit for hit in every if hit.score >= bound]
    middle = every[30].score
    assert len(searcher.search("river", k=60, min_score=middle)) >= 31


# -- questions


def test_several_questions_are_answered_as_each_alone(searcher: Searcher) -> None:
    questions = ["river", "money in the bank", "hello world", "a much longer question about the boat near the water"]
    together = searcher.search(questions, k=7, where="n < 40")
    assert len(together) == 4
    for question, hits in zip(questions, together, strict=True):
        alone = searcher.search(question, k=7, where="n < 40")
        assert [hit.score for hit in hits] == pytest.approx([hit.score for hit in alone], abs=1e-5)
        assert searcher.search([question], k=7, where="n < 40") == [alone]
    assert searcher.search([], k=7) == []


@pytest.mark.parametrize(
    "form",
    [
        np.float32,
        np.float64,
        np.float16,
        lambda v: v * 1000,
        lambda v: v * 1e-30,
        lambda v: v.astype(float) * 1e300,
        lambda v: v[::-1][::-1],
    ],
    ids=["float32", "float64", "float16", "long", "short", "beyond float32", "view"],
)
def test_a_vector_asks_like_its_text(searcher: Searcher, form: Any) -> None:
    vector = searcher.embedder.embed(["river"], "query")[0]
    expected = [hit.score for hit in searcher.search("river", k=60)]
    for hits in (searcher.search(form(vector), k=60), searcher.search(form(vector)[None], k=60)[0]):
        assert [hit.score for hit in hits] == pytest.approx(expected, abs=2e-3 if form is np.float16 else 1e-5)


def test_whole_numbers_are_a_vector_too_and_the_callers_array_stays(searcher: Searcher) -> None:
    vector = np.arange(-16, 16)
    before = vector.copy()
    assert_brute_force(searcher.search(vector, k=9), searcher, vector, 9, set(stored(searcher)[0]))
    assert (vector == before).all()
    assert [len(hits) for hits in searcher.search(np.eye(3, 32), k=2)] == [2, 2, 2]
    assert searcher.search(np.empty((0, 32)), k=2) == []


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        (np.full(32, np.nan), "NaN or infinite"),
        (np.array([np.inf] + [0] * 31), "NaN or infinite"),
        (np.zeros(32), "all zeros"),
        (np.stack([np.ones(32), np.zeros(32)]), "all zeros"),
        (np.ones(31), "31.*32"),
        (np.ones((2, 33)), "33.*32"),
        (np.ones((1, 2, 32)), r"shape \(1, 2, 32\)"),
        (np.float32(3), r"shape \(\)|not a text"),
        ("", "the query is empty"),
        (" \n\t", "the query is empty"),
        (["river", ""], "query 2 is empty"),
        ([3], r"shape \(1, 1\)"),
        (["river", 3], "not a text: 3"),
        (None, "the query is missing"),
        (5, "not a text: 5"),
        (b"river", "not a text"),
        ("a\ud800", "surrogate"),
    ],
    ids=str,
)
def test_a_wrong_question_is_one_clear_line(searcher: Searcher, query: Any, problem: str) -> None:
    with pytest.raises(BadValue, match=problem) as caught:
        searcher.search(query)
    assert "\n" not in str(caught.value)


def test_an_index_without_passages_has_no_hits(tiny_bert: Path, tmp_path: Path) -> None:
    with Searcher(tmp_path, tiny_bert) as searcher:
        searcher.add_texts([])
        assert searcher.search("river") == searcher.search("river", where="anything = 1") == []
        assert searcher.search(["a", "b"]) == [[], []]
        with pytest.raises(BadValue, match="k is 0"):
            searcher.search("river", k=0)


def test_before_the_first_add_nothing_is_found_and_no_folder_is_made(tmp_path: Path) -> None:
    searcher = Searcher(tmp_path / "none", "no/such-model")
    assert searcher.search("river") == searcher.search(vector=[1.0, 2.0], whole=True, vectors=True) == []
    assert searcher.search(["a", "b"], mode="hybrid", rerank="maxsim", highlight=True) == [[], []]
    assert searcher.search("river", where="lang = 'en'", mode="keyword") == []
    assert searcher.listing() == []
    assert searcher.counts() == {"documents": 0, "passages": 0, "tokens": 0}
    assert searcher.answer("why?") is None
    for wrong in (
        {"query": " "},
        {"query": "x", "k": 0},
        {"query": "x", "where": "lang ="},
        {"query": "x", "mode": "?"},
    ):
        with pytest.raises(BadValue):
            searcher.search(**wrong)
    with pytest.raises(IndexUnavailable, match=r"no index in .*searcher add"):
        searcher.export(io.BytesIO())
    assert not (tmp_path / "none").exists()


# -- similar


def test_similar_is_brute_force_over_the_other_documents(searcher: Searcher) -> None:
    own = searcher.passages("7")
    others = set(stored(searcher)[0]) - {row.passage_id for row in own}
    mean = np.mean([row.vector for row in own], axis=0)
    assert_brute_force(searcher.similar("7", k=60), searcher, mean, 60, others)
    assert all(hit.id != "7" for hit in searcher.similar("7", k=60))
    hits = searcher.similar("7", k=4, where="lang = 'de'")
    assert [hit.metadata["lang"] for hit in hits] == ["de"] * 4


# -- threads


def test_threads_that_search_while_one_adds_each_see_one_generation(tiny_bert: Path, tmp_path: Path) -> None:
    with Searcher(tmp_path, tiny_bert) as searcher:
        searcher.add_texts(["river 0", "bank 0"], ids=["river", "bank"])
        query, seen, errors = np.ones(32), [], []
        known: dict[frozenset[tuple[str, int]], bool] = {}
        until = time.monotonic() + 3

        def read() -> None:
            try:
                last = 0
                while time.monotonic() < until:
                    hits = searcher.search(query, k=9)
                    state = frozenset((hit.text, hit.passage_id) for hit in hits)
                    generation = min(int(hit.text.split()[1]) for hit in hits)
                    assert generation >= last, "a generation went back"
                    last = generation
                    seen.append(state)
            except BaseException as fault:
                errors.append(fault)

        def state_of_store() -> frozenset[tuple[str, int]]:
            connection = sqlite3.connect(tmp_path / "searcher.db", timeout=30)
            found = frozenset(connection.execute("SELECT text, id FROM passages"))
            connection.close()
            return found

        known[state_of_store()] = True
        readers = [threading.Thread(target=read) for _ in range(4)]
        for reader in readers:
            reader.start()
        number = 0
        while time.monotonic() < until:
            number += 1
            searcher.add_texts([f"river {number}", f"bank {number}"], ids=["river", "bank"])
            known[state_of_store()] = True
        for reader in readers:
            reader.join()
        assert errors == []
        assert set(seen) <= known.keys()
        assert number > 3
        assert searcher.check() == []
