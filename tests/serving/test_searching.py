"""What is found over HTTP is what the library finds, in the form that the command line prints."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from served import TEXTS, Server

from searcher import Searcher
from searcher.places import stands


@pytest.fixture(scope="module")
def searcher(index: Path) -> Searcher:
    return Searcher(index)


def same(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    assert [{**hit, "score": None} for hit in found] == [{**hit, "score": None} for hit in expected]
    assert [hit["score"] for hit in found] == pytest.approx([hit["score"] for hit in expected], abs=1e-4)


@pytest.mark.parametrize("how", [
    {}, {"k": 2}, {"mode": "keyword"}, {"mode": "hybrid"}, {"where": "n >= 1"}, {"highlight": True, "k": 2},
    {"rerank": "maxsim"}, {"mmr": 0.5}, {"per_document": 1}, {"phrasings": True}, {"exact": True}, {"min_score": 0.2},
    {"include": ["faq.csv"]}, {"exclude": ["faq.csv"]}, {"whole": True}, {"literal": True, "mode": "keyword"},
], ids=str)  # fmt: skip
def test_hits_are_those_of_the_library_by_post_and_by_address(
    server: Server, searcher: Searcher, how: dict[str, Any]
) -> None:
    expected = [hit.as_dict() for hit in searcher.search("the river bank", **how)]
    assert expected
    same(server.post("/search", {"query": "the river bank", **how}).json["hits"], expected)
    address = urlencode({"q": "the river bank", **{k: str(v) if v is True else v for k, v in how.items()}}, doseq=True)
    same(server.get(f"/search?{address}").json["hits"], expected)


def test_hits_say_in_words_where_they_stand_if_that_is_wanted(server: Server, searcher: Searcher) -> None:
    hits = searcher.search("the river bank", highlight=True)
    expected = [hit.as_dict() | {"stands": stands(hit.source, *hit.answers_at)} for hit in hits]
    assert {"line 1", ""} == {hit["stands"] for hit in expected}  # a row of a table has no line
    wanted = {"query": "the river bank", "highlight": True, "stands": True}
    same(server.post("/search", wanted).json["hits"], expected)
    same(server.post("/search", wanted | {"query": ["the river bank"]}).json["results"][0]["hits"], expected)
    same(server.get("/search?q=the+river+bank&highlight=true&stands=true").json["hits"], expected)


@pytest.mark.parametrize("body", [
    {"query": "the river bank"}, {"query": "money", "k": 2, "mode": "hybrid", "where": {"lang": "en"}}, {"query": ["money", "hello"]},
    {"query": "money", "highlight": True, "k": "1"}, {"query": ""}, {"query": None}, {"query": "a", "k": True}, {"query": "a", "k": 0},
    {"query": "a", "k": 10**30}, {"query": "a", "where": "n >"}, {"query": "a", "where": {"n": None}}, {"query": "a", "mode": "fast"},
    {"query": "a", "min_score": float("nan")}, {"query": "a", "where": {"n": float("inf")}}, {"query": "half a \ud800"},
    {"query": "a", "ef": 3}, {"question": "a"}, {"query": {"a": 1}}, {"vector": [1, 2]}, {}, [], "a", None, 3,
], ids=str)  # fmt: skip
def test_a_search_is_answered_alike_by_the_direct_way_and_by_the_framework(server: Server, body: Any) -> None:
    # JSON in UTF-16 goes the framework's way.
    text = json.dumps(body)
    direct, framework = (
        server.post("/search", text.encode(code), **{"Content-Type": "application/json"})
        for code in ("utf-8", "utf-16")
    )
    assert (direct.status, direct.json) == (framework.status, framework.json)
    assert direct.headers["Content-Type"] == framework.headers["Content-Type"]
    assert direct.status in (200, 400, 422)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b'{"query": "a"} x', b"[" * 3000, b'{"query": "a", "query": "b"}'],
    ids=lambda b: repr(b[:20]),
)
def test_what_is_no_json_is_said_to_be_none(server: Server, body: bytes) -> None:
    reply = server.post("/search", body, **{"Content-Type": "application/json"})
    assert reply.status == (200 if body.count(b"query") == 2 else 422 if not body else 400)


def test_the_direct_way_is_counted_and_timed_as_any_route(server: Server) -> None:
    before = [server.counted("POST", "/search", status) for status in (200, 422)]
    server.post("/search", {"query": "money"})
    server.post("/search", {"query": "money", "where": "n >"})
    assert [server.counted("POST", "/search", status) for status in (200, 422)] == [own + 1 for own in before]


def test_several_questions_have_results_in_their_order(server: Server, searcher: Searcher) -> None:
    queries = ["money", "the river", "hello world"]
    found = server.post("/search", {"query": queries, "k": 2, "where": {"lang": "en"}}).json["results"]
    for own, hits in zip(found, searcher.search(queries, 2, {"lang": "en"}), strict=True):
        same(own["hits"], [hit.as_dict() for hit in hits])


def test_a_vector_is_asked_with_and_given_back(server: Server, searcher: Searcher) -> None:
    vector = searcher.embedder.embed(["hello world"])[0].tolist()
    [hit] = server.post("/search", {"vector": vector, "k": 1, "vectors": True}).json["hits"]
    assert hit["id"] == "hello"
    assert hit["vector"] == pytest.approx(vector, abs=1e-5)
    found = server.post("/search", {"vector": [vector, vector], "k": 1}).json["results"]
    assert [own["hits"][0]["id"] for own in found] == ["hello", "hello"]


def test_an_answer_is_that_of_the_faq_with_why_there_is_none(server: Server, searcher: Searcher) -> None:
    question = "how is the boat tied"
    found = server.post("/answer", {"question": question, "min_probability": 0}).json
    assert found["answer"] == "with a rope"
    assert found == server.get(f"/answer?{urlencode({'q': question, 'min_probability': 0})}").json
    several = server.post("/answer", {"question": [question, "hello"], "min_score": 99}).json["results"]
    assert [own["answer"] for own in several] == [None, None]
    assert "below 99" in several[0]["why"]


@pytest.mark.parametrize("name", ["min_score", "min_probability"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_an_answer_has_no_bound_that_is_no_number(server: Server, name: str, value: str) -> None:
    assert server.get(f"/answer?q=a&{name}={value}").status == 422


def test_context_is_that_of_the_library(server: Server, searcher: Searcher) -> None:
    found = server.post("/context", {"question": "the river bank", "tokens": 60, "where": "n >= 0"}).json
    expected = searcher.context("the river bank", 60, "n >= 0").as_dict()
    assert found["text"] == expected["text"]
    assert [each["source"] for each in found["citations"]] == [each["source"] for each in expected["citations"]]


def test_what_is_like_a_document_is_found(server: Server, searcher: Searcher) -> None:
    expected = [hit.as_dict() for hit in searcher.similar("river", 2)]
    same(server.get("/similar?source=river&k=2").json["hits"], expected)


def test_facets_count_the_values_of_each_key(server: Server) -> None:
    found = {each["key"]: each for each in server.get("/facets?most=2").json["facets"]}
    assert found["lang"]["values"] == [{"value": "en", "documents": 4}]
    assert found["tags"]["values"] == [{"value": "a", "documents": 2}, {"value": "b", "documents": 1}]
    assert found["n"]["more"] == 2
    [only] = server.get("/facets?key=tags&where=n+%3D+1").json["facets"]
    assert only["values"] == [{"value": "a", "documents": 1}]


def test_documents_are_listed_shown_and_shown_around_a_hit(server: Server) -> None:
    found = server.get("/documents?limit=2&where=lang+%3D+'en'").json
    assert found["total"] == 4
    assert [each["id"] for each in found["documents"]] == ["bank", "hello"]
    text = server.get("/documents/text?source=river&passages=true").json
    assert text["text"] == TEXTS["river"]
    assert [each["start"] for each in text["passages"]] == [0]
    around = server.get("/documents/around?source=river&start=4&end=8&characters=3").json
    assert (around["before"], around["text"], around["after"]) == ("he ", "boat", " is")
    assert (around["more_before"], around["more_after"], around["line"]) == (True, True, 1)
    assert server.get("/documents/text?source=nowhere").status == 404


def test_the_model_says_what_it_makes_of_a_text(server: Server, searcher: Searcher) -> None:
    tokens = server.get("/tokens?text=the+river").json["tokens"]
    assert [each["token"] for each in tokens] == ["[CLS]", "the", "river", "[SEP]"]
    found = server.get("/attention?text=the+river&layer=2&head=1").json
    assert (found["layers"], found["heads"]) == (4, 4)
    expected = searcher.embedder.attentions("the river").weights(2, 1)
    assert found["weights"] == [pytest.approx(row, abs=1e-4) for row in expected.tolist()]
    assert server.get("/attention?text=the+river&layer=9").status == 422


def test_hits_stand_on_a_map_among_their_neighbours(server: Server) -> None:
    found = server.post("/map", {"query": "the river", "k": 2, "neighbours": 3}).json
    assert [point["hit"] for point in found["points"]] == [True, True, False, False, False]
    every = [*found["points"], found["question"]]
    assert max(abs(value) for point in every for value in (point["x"], point["y"])) == pytest.approx(1)
    assert 0 < found["spread"] <= 1
    assert {point["source"]: point["stands"] for point in found["points"]}["river"] == "line 1"


def test_status_and_metrics_say_how_it_fares(server: Server, index: Path) -> None:
    status = server.get("/status").json
    assert status["exists"]
    assert status["documents"] == Searcher(index).counts()["documents"]
    assert status["server"]["writes"] is False
    assert server.get("/healthz").json == {"status": "ok"}
    text = server.get("/metrics").body.decode()
    assert 'searcher_requests_total{method="GET",route="/healthz",status="200"}' in text
    assert 'searcher_index{what="documents"} 6.0' in text


def test_the_page_is_served_with_its_parts_and_nothing_else(server: Server) -> None:
    page = server.get("/")
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert b"<!doctype html>" in page.body
    for path in ("/page/../app.py", "/page/%2e%2e%2fapp.py", "/page/", "/page/none.js", "/page/__init__.py"):
        assert server.get(path).status == 404


def test_what_another_process_adds_is_found_at_once(server: Server, index: Path) -> None:
    with Searcher(index) as other:
        other.add_texts(["a window and a boat"], ids=["late"])
        try:
            assert server.get("/search?q=a+window+and+a+boat&k=1").json["hits"][0]["id"] == "late"
        finally:
            other.delete("late")
    assert server.get("/search?q=a+window+and+a+boat&k=1").json["hits"][0]["id"] != "late"
