"""A client gives what a Searcher gives: the same records, the same errors; it asks again only what is safe."""

import asyncio
import http.server
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Server
from hypothesis import given, settings
from hypothesis import strategies as st

import searcher
from searcher import AsyncClient, Client, Searcher
from searcher.client.where import as_text
from searcher.errors import BadValue, FilterError, IndexUnavailable, SearcherError, UnknownName
from searcher.filters import parse

PAGE = (Path(__file__).parents[2] / "docs" / "client.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[Client]:
    with Client(server.url) as client:
        yield client


@pytest.fixture(scope="module")
def local(index: Path) -> Searcher:
    return Searcher(index)


@pytest.fixture
def writer(writable: Server) -> Iterator[Client]:
    with Client(writable.url) as client:
        client.delete(where="source is not null")
        yield client


def alike(one: Any, other: Any) -> bool:
    """Whether hits are the same, scores to a rounding: a server embeds questions together."""
    rows, others = [hit.as_dict() for hit in one], [hit.as_dict() for hit in other]
    scores = [[row.pop("score") for row in each] for each in (rows, others)]
    vectors = [[row.pop("vector", 0) for row in each] for each in (rows, others)]
    return rows == others and np.allclose(*scores, atol=1e-4) and all(map(np.allclose, *vectors))


def rounded(answer: Any) -> Any:
    return replace(answer, score=pytest.approx(answer.score, abs=1e-4), margin=pytest.approx(answer.margin, abs=1e-4))


# -- the same answers


@pytest.mark.parametrize("how", [
    {}, {"k": 2}, {"where": "lang = 'en' and n >= 1"}, {"where": {"n": [0, 1], "lang": "en"}}, {"mode": "keyword"},
    {"mode": "hybrid", "include": ("bank",)}, {"min_score": 0.0}, {"mmr": 0.5, "per_document": 1}, {"mmr": 0}, {"highlight": True},
    {"whole": True}, {"vectors": True}, {"rerank": "maxsim"}, {"exact": True, "exclude": ["river"]},
    {"phrasings": True}, {"mode": "keyword", "literal": True},
])  # fmt: skip
def test_hits_are_those_of_the_index(client: Client, local: Searcher, how: dict[str, Any]) -> None:
    assert alike(client.search("money in the bank", **how), local.search("money in the bank", **how))


def test_several_questions_vectors_and_arrays_are_asked_as_of_a_searcher(client: Client, local: Searcher) -> None:
    questions = [f"{word} {number}" for number in range(35) for word in ("money", "river")]  # more than a request takes
    for several in (questions, tuple(questions[:3]), (text for text in questions[:2]), np.array(questions[:2])):
        asked = list(several) if not isinstance(several, np.ndarray) else several.tolist()
        got = client.search(iter(asked) if not isinstance(several, np.ndarray | tuple) else several, k=2)
        assert len(got) == len(asked)
        assert all(map(alike, got, local.search(asked, k=2)))
    vectors = local.embedder.embed(["money", "river"], "query")
    assert all(map(alike, client.search(vectors), local.search(vectors)))
    assert alike(client.search(vector=vectors[0]), local.search(vector=vectors[0]))
    assert alike(client.search(vectors[0].tolist()), local.search(vectors[0]))
    both = {"vector": vectors[1], "mode": "hybrid"}
    assert alike(client.search("river", **both), local.search("river", **both))
    assert client.search([]) == []


def test_answers_contexts_and_documents_are_those_of_the_index(client: Client, local: Searcher) -> None:
    questions = ["how is the boat tied", "what flows in the river"]
    first, second = local.answer(questions, 0.0)
    assert [rounded(each) for each in client.answer(questions, 0.0)] == [rounded(first), rounded(second)]
    assert rounded(client.answer(questions[0], 0.0)) == rounded(first)
    assert client.answer(questions[0], min_score=2) is None
    [(none, why)] = client.verdicts([questions[0]], min_score=2)
    assert (none, why) == (None, local.faq.verdicts([questions[0]], min_score=2)[0].why)
    ours, theirs = client.context("the bank", 40), local.context("the bank", 40)
    assert (ours.text, ours.tokens, ours.left_out) == (theirs.text, theirs.tokens, theirs.left_out)
    assert [each.head for each in ours.citations] == [each.head for each in theirs.citations]
    assert alike(ours.passages, theirs.passages)
    assert client.document("river") == local.document("river")
    assert client.get(["hello", "none", "bank", "hello"]) == local.get(["hello", "none", "bank", "hello"])
    assert client.listing("n >= 1") == local.listing("n >= 1")
    assert client.listing(include=["*.csv"]) == local.listing(include=["*.csv"])
    assert (client.count(), client.count("n = 2")) == (local.count(), local.count("n = 2"))
    assert client.values("tags", most=5) == local.values("tags", most=5)
    assert client.values("lang", {"n": 1})[0].documents == 1
    assert alike(client.similar("river", 2), local.similar("river", 2))
    status = client.status()
    assert {name: status[name] for name in local.status()} == local.status()


def test_what_is_put_is_there_and_what_is_deleted_is_not(writer: Client) -> None:
    assert writer.put(["one", "two"], ["a", "b"], [{"n": 1}, None], payloads=[{"x": [1]}, None]) == ["a", "b"]
    assert writer.put(["new"], ["a"], exists="skip") == ["a"]
    assert [(each.id, each.text, each.metadata, each.payload) for each in writer.get(["b", "a"])] == [
        ("b", "two", {}, None), ("a", "one", {"n": 1}, {"x": [1]}),
    ]  # fmt: skip
    with pytest.raises(BadValue, match="id 'a' is there already"):
        writer.put(["x"], ["a"], exists="error")
    [made] = writer.put(["without an id"])
    assert writer.get(made)[0].text == "without an id"
    assert writer.delete(["a", "nobody"]) == 1
    assert writer.delete(where={"n": 9}) == 0
    assert writer.remove(ids="b") == 1
    with pytest.raises(BadValue, match="no document with id 'b'"):
        writer.remove(ids="b")
    report = writer.add_bytes(b"# Boiler\n\nIt goes off.", "boiler ä&?#.md")
    assert (report.documents, report.failed) == (1, [])
    assert writer.document("boiler ä&?#.md").text.startswith("# Boiler")
    assert writer.remove(["boiler ä&?#.md"]) == 1
    assert writer.count() == 1


def test_texts_are_added_and_metadata_changed_as_by_a_searcher(writer: Client, tiny_bert: Path, tmp_path: Path) -> None:
    metadatas = [{"n": 1, "day": date(2026, 1, 31)}, None, {"tags": {"b", "a"}, "author": {"id": 7}}]
    with Searcher(tmp_path / "own", model=tiny_bert) as own:
        assert (writer.counts(), writer.metadata_keys()) == (own.counts(), own.metadata_keys())
        for index in (writer, own):
            first, again = (index.add_texts(["one", "two", "three"], ["a", "b", "c"], metadatas) for _ in range(2))
            assert (first.documents, first.unchanged, again.documents, again.unchanged) == (3, 0, 0, 3)
            assert index.add_texts(["new", "same", "same"]).documents == 2  # equal texts without ids are one
            assert index.update_metadata("n = 1 or author.id = 7", {"day": date(2026, 2, 1), "tags": None}) == 2
            assert index.update_metadata({"n": 9}, {"x": 1}) == 0
        assert writer.exists()
        assert writer.counts() == own.counts()
        assert writer.metadata_keys() == own.metadata_keys()
        assert writer.listing() == own.listing()
        assert writer.update_metadata(None, {"all": True}) == own.update_metadata(None, {"all": True}) == 5


@pytest.mark.parametrize("write", [
    lambda it: it.add_texts(["x", "y"], ["a", "a"]), lambda it: it.add_texts(["x"], ["a", "b"]),
    lambda it: it.add_texts("one text"), lambda it: it.add_texts(["x"], metadatas=[{"n": float("nan")}]),
    lambda it: it.put(["x"], ["a"], [{"n": b"bytes"}]), lambda it: it.put(["x"], ["a"], payloads=[date(2026, 1, 1)]),
    lambda it: it.update_metadata(None, {}), lambda it: it.update_metadata("n >", {"n": 1}),
    lambda it: it.update_metadata(None, {"n": float("inf")}),
])  # fmt: skip
def test_what_cannot_be_stored_is_refused_with_the_line_of_a_searcher(
    writer: Client, local: Searcher, write: Callable[[Any], Any]
) -> None:
    with pytest.raises(BadValue) as ours:
        write(writer)
    with pytest.raises(BadValue) as theirs:
        write(local)
    assert str(ours.value) == str(theirs.value)
    assert writer.count() == 0


def test_documents_are_named_by_paths_as_of_a_searcher(writer: Client) -> None:
    writer.put(["the boat", "the river"], ["a/boat.txt", "a/river.txt"])
    assert writer.document(Path("a/boat.txt")).text == "the boat"
    assert [hit.source for hit in writer.similar(Path("a/boat.txt"), 1)] == ["a/river.txt"]
    assert writer.remove(Path("a/boat.txt")) == 1


def test_many_texts_go_in_several_requests(writer: Client) -> None:
    texts = [f"text {number}" for number in range(1001)]
    ids = [str(number) for number in range(1001)]
    assert writer.put(texts, ids, whole=True) == ids
    assert writer.count() == 1001
    assert [row["id"] for row in writer.listing()] == sorted(ids)  # in pages
    assert [each.text for each in writer.get(ids[:120])] == texts[:120]
    with pytest.raises(BadValue, match="these 1,001 do, need ids"):
        writer.put(texts)
    assert writer.delete(ids) == 1001
    report = writer.add_texts(texts)
    assert (report.documents, report.passages, report.unchanged) == (1001, 1001, 0)
    assert writer.add_texts(texts[:600]).unchanged == 600
    with pytest.raises(BadValue, match="id 'a' is given twice"):
        writer.add_texts(texts, ["a", *ids[1:-1], "a"])


def test_long_ids_go_in_as_many_requests_as_their_addresses_take(writer: Client) -> None:
    ids = [f"{number} {'ключ' * 250}" for number in range(40)]  # 6 kB of an address each
    writer.put([f"text {number}" for number in range(40)], ids)
    assert [each.text for each in writer.get(ids)] == [f"text {number}" for number in range(40)]
    assert writer.delete(ids) == 40
    assert writer.count() == 0


@pytest.mark.parametrize("ask", [
    lambda it: it.count({"lang": ["ключ" * 100] * 80}), lambda it: it.listing({"lang": ["ключ" * 100] * 80}),
    lambda it: it.values("lang", {"lang": ["ключ" * 100] * 80}), lambda it: it.remove(ids=["ключ" * 100] * 80),
])  # fmt: skip
def test_more_than_goes_into_an_address_is_told(client: Client, ask: Callable[[Any], Any]) -> None:
    with pytest.raises(
        BadValue,
        match=r"^a filter, names or ids that take 19\d,\d{3} bytes of an address; at most 60,000 go there$",
    ):
        ask(client)


# -- the same errors


@pytest.mark.parametrize("ask", [
    lambda it: it.search("x", where="lang ="), lambda it: it.search("x", where={"lang": {"$gt": 1}}),
    lambda it: it.search(" "), lambda it: it.search(), lambda it: it.search(vector=[1.0], mode="keyword"),
    lambda it: it.search("x", where="no_such_key = 1"), lambda it: it.document("no such"),
    lambda it: it.values("no_such_key"), lambda it: it.delete(), lambda it: it.search(b"x"),
    lambda it: it.search([1.0, 2.0]), lambda it: it.search("x", include=["["]),
])  # fmt: skip
def test_errors_are_those_of_the_index_with_their_line(
    client: Client, local: Searcher, ask: Callable[[Any], Any]
) -> None:
    with pytest.raises(SearcherError) as ours:
        ask(client)
    with pytest.raises(SearcherError) as theirs:
        ask(local)
    assert str(ours.value) == str(theirs.value)
    assert issubclass(ours.type, BadValue)
    if isinstance(theirs.value, FilterError):
        assert isinstance(ours.value, FilterError)
        assert ours.value.position == theirs.value.position


@pytest.mark.parametrize("name", ["k", "per_document", "ef", "nprobe"])
def test_nought_is_asked_for_and_refused_not_left_out(client: Client, local: Searcher, name: str) -> None:
    for index in (client, local):
        with pytest.raises(BadValue, match=name):
            index.search("x", **{name: 0})


def test_an_error_has_the_class_that_it_has_at_the_server(client: Client) -> None:
    with pytest.raises(UnknownName):
        client.values("no_such_key")
    with pytest.raises(BadValue, match="k: "):
        client.search("x", k=0)
    with pytest.raises(
        SearcherError, match="this server only reads; searcher serve --allow-writes lets it be written to"
    ):
        client.put(["x"], ["y"])
    with pytest.raises(BadValue, match="2 ids for 1 texts"):
        client.put(["x"], ["y", "z"])


@pytest.mark.parametrize("arguments", [
    {"url": "localhost:8917"}, {"url": "ftp://x"}, {"url": ""}, {"url": "http://"}, {"url": "http://h:99999"},
    {"url": None}, {"url": "http://h/?q"}, {"url": "http://h", "token": "a\nb"}, {"url": "http://h", "token": ""},
    {"url": "http://h", "timeout": 0}, {"url": "http://h", "timeout": "x"}, {"url": "http://h", "timeout": True},
])  # fmt: skip
def test_what_no_client_can_be_made_of_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(BadValue):
        Client(**arguments)


# -- the event loop


def test_everything_can_be_awaited(server: Server, local: Searcher) -> None:
    async def run() -> None:
        async with AsyncClient(server.url) as client:
            hits, several, count, got = await asyncio.gather(
                client.search("money", k=2), client.search(["money", "river"], k=1), client.count(), client.get("bank")
            )
            assert alike(hits, local.search("money", 2))
            assert all(map(alike, several, local.search(["money", "river"], 1)))
            assert (count, got) == (local.count(), local.get("bank"))
            with pytest.raises(FilterError):
                await client.search("x", where="n >")
            with pytest.raises(AttributeError, match="no method 'nothing'; it has search, "):
                _ = client.nothing

    asyncio.run(run())


def test_both_clients_have_the_same_methods() -> None:
    from searcher.client.steps import STEPS

    assert {name for name in vars(Client) if not name.startswith("_")} - {"close"} == set(STEPS)
    assert {name for name in STEPS if not hasattr(Searcher, name)} == {"show", "verdicts"}


def test_the_page_lists_what_a_client_has_of_a_searcher_and_says_why_it_lacks_the_rest() -> None:
    has, lacks = (
        {name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
        for table in PAGE.split("What else `Searcher` has")
    )
    ours = {name for name in vars(Client) if not name.startswith("_")} - {"close"}
    theirs = {name for name in dir(Searcher) if not name.startswith("_")} - {"close"}
    assert has == ours
    assert lacks == theirs - ours


# -- what goes wrong on the way


class Replies(http.server.BaseHTTPRequestHandler):
    """Answers with what it is given, and remembers what it was asked."""

    replies: list[tuple[int, str, dict[str, str]] | None]
    asked: list[str]
    protocol_version = "HTTP/1.1"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.asked.append(f"{self.command} {self.path} {self.headers.get('Authorization')}")
        if (reply := self.replies.pop(0)) is None:
            self.close_connection = True
            return
        status, body, headers = reply
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def replying() -> Iterator[Callable[..., tuple[Client, list[str]]]]:
    """A client of a server that gives these replies, and what that was asked."""
    Replies.replies, Replies.asked = [], []
    stub = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Replies)
    threading.Thread(target=stub.serve_forever, daemon=True).start()

    def made(*replies: Any, timeout: float = 20) -> tuple[Client, list[str]]:
        Replies.replies[:] = replies
        clients.append(Client(f"http://127.0.0.1:{stub.server_port}", timeout=timeout))
        return clients[-1], Replies.asked

    clients: list[Client] = []
    yield made
    for client in clients:
        client.close()
    stub.shutdown()
    stub.server_close()


def problem(status: int, line: str, kind: str = "", **headers: str) -> tuple[int, str, dict[str, str]]:
    told = {"detail": line, "status": status, "error": {"type": kind or "x", "message": line}}
    return status, json.dumps(told), headers


BUSY = problem(429, "too much waits already", **{"Retry-After": "0"})
NOTHING = (200, '{"hits": []}', {})


def test_a_token_is_sent_and_its_lack_is_told(replying: Any) -> None:
    client, asked = replying(problem(401, "a token is needed: Authorization: Bearer TOKEN"), (200, '{"total": 3}', {}))
    with pytest.raises(SearcherError, match="a token is needed"):
        client.count()
    with Client(client.url, token="a-token") as knowing:
        assert knowing.count() == 3
    assert [each.split(maxsplit=2)[2] for each in asked] == ["None", "Bearer a-token"]


def test_what_is_busy_or_broken_is_asked_again(replying: Any) -> None:
    client, asked = replying(BUSY, None, NOTHING)
    assert client.search("x") == []
    assert len(asked) == 3
    client, asked = replying(BUSY, (200, '{"ids": ["a"]}', {}))
    assert client.put(["x"], ["a"]) == ["a"]  # nothing was done
    client, _ = replying(BUSY, BUSY, BUSY)
    with pytest.raises(IndexUnavailable, match="too much waits already"):
        client.count()


def test_what_may_have_been_done_is_never_done_twice(replying: Any) -> None:
    for write in (lambda c: c.put(["x"], ["a"]), lambda c: c.delete("a"), lambda c: c.add_bytes(b"x", "x.txt")):
        client, asked = replying(None, (200, '{"ids": ["a"], "removed": 1}', {}))
        before = len(asked)
        with pytest.raises(IndexUnavailable, match=r"the connection to .* broke"):
            write(client)
        assert len(asked) == before + 1


def test_what_is_no_server_of_searcher_is_told_in_a_line(replying: Any) -> None:
    for reply, line in [
        ((200, "<html>welcome</html>", {}), "answers 200 OK, and not as a server of searcher does"),
        ((502, "<html>bad gateway</html>", {}), "answers 502 Bad Gateway, and not as"),
        ((500, '["x"]', {}), "answers 500 Internal Server Error, and not as"),
        ((301, "", {"Location": "http://example.com/"}), "answers 301 Moved Permanently, and not as"),
        ((200, '{"found": 1}', {}), "answers as no server of searcher does: KeyError 'total'"),
        ((200, '["x"]', {}), "answers as no server of searcher does: TypeError"),
        (problem(500, "the index is damaged", "DamagedIndex"), "the index is damaged"),
        (problem(422, "x: bad", "UnreadableFile"), "x: bad"),
        (problem(409, "made with another model", "SettingsMismatch"), "made with another model"),
        (problem(500, "odd", "KeyboardInterrupt"), "odd"),
    ]:  # fmt: skip
        client, _ = replying(reply)
        with pytest.raises(SearcherError, match=line):
            client.count()


def test_nobody_there_and_nobody_answering_are_told_in_a_line(replying: Any) -> None:
    started = time.monotonic()
    line = r"no server at http://127.0.0.1:9: .*; start one: searcher serve"
    with Client("http://127.0.0.1:9") as nobody, pytest.raises(IndexUnavailable, match=line):
        nobody.count()
    assert time.monotonic() - started < 5
    client, _ = replying(timeout=0.2)
    Replies.replies = Waiting()  # type: ignore[assignment]
    with pytest.raises(IndexUnavailable, match="did not answer in time"):
        client.count()


class Waiting(list[Any]):
    """Replies that do not come."""

    def pop(self, *_: Any) -> Any:
        time.sleep(1)


# -- filters as text


VALUES = st.one_of(st.text("a'\"\\ é", max_size=5), st.integers(-(2**63), 2**63 - 1), st.booleans(), st.none(),
                   st.floats(allow_nan=False, allow_infinity=False), st.dates())  # fmt: skip
KEYS = st.text("ab-. \"'1é", min_size=1, max_size=5)


@settings(max_examples=200)
@given(st.dictionaries(KEYS, VALUES | st.lists(VALUES, max_size=3), min_size=1, max_size=3))
def test_a_dict_goes_as_a_text_that_means_the_same(where: dict[str, Any]) -> None:
    try:
        tree = parse(where)
    except BadValue as fault:
        with pytest.raises(type(fault)):
            as_text(where)
        return
    assert parse(as_text(where)) == tree  # type: ignore[arg-type]


def test_dates_go_as_they_are_stored() -> None:
    assert as_text({"day": date(2026, 1, 31)}) == "day = '2026-01-31'"
    with pytest.raises(BadValue, match="a client takes a text"):
        as_text(parse("lang = 'en'"))


# -- it is light


def test_a_client_needs_none_of_the_heavy_libraries() -> None:
    heavy = "('numpy', 'torch', 'faiss', 'sqlite3', 'tokenizers', 'transformers', 'fastapi', 'searcher.search')"
    code = (
        f"import sys, searcher; searcher.Client('http://127.0.0.1:9'); print([n for n in {heavy} if n in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
    assert "Client" in searcher.__all__


def test_without_its_library_a_client_says_what_to_install() -> None:
    line = "a client needs httpx2: pip install 'searcher[client]'"
    block = "import sys; sys.modules['httpx2'] = None\n"
    for code in (
        "import searcher; searcher.Client",
        "from searcher.cli import main; main(['list', '--server', 'http://x'])",
    ):
        result = subprocess.run([sys.executable, "-c", block + code], capture_output=True, text=True)
        assert result.returncode == 1
        assert result.stderr.splitlines()[-1] in (f"ImportError: {line}", f"Error: {line}")


# -- the page


def test_the_code_of_the_page_runs(writable: Server, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 3
    for block in [blocks[2], *blocks[:2]]:  # something must be there to be found
        code = block.replace("http://127.0.0.1:8917", writable.url)
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
        assert result.returncode == 0, result.stderr
