"""What strangers try: a page of theirs in a browser here, bodies that are too much, names that are paths."""

import http.client
import json
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from served import TEXTS, XSS, Reply, Server, serving

from searcher import Searcher
from searcher.cli import main

TOKEN = "0123456789abcdef0123456789abcdef"
MIB = 2**20


def problem(reply: Reply, status: int, *parts: str) -> None:
    """An error as it must look: problem+json, one line that holds all parts."""
    assert reply.status == status, reply.body
    assert reply.headers["Content-Type"] == "application/problem+json"
    said = reply.json
    assert said["status"] == status
    assert "\n" not in said["detail"]
    assert said["error"]["message"] == said["detail"]
    for part in parts:
        assert part in said["detail"]


# -- who may ask


@pytest.mark.parametrize(
    "host",
    [
        "evil.test",
        "evil.test:8917",
        "127.0.0.1.evil.test",
        "10.0.0.1",
        "",
        "[::1",
        "@localhost",
        "[::1].evil.test",
        "localhost:evil.test",
        "[localhost]",
        "localhost[",
        ":80",
    ],
)
def test_a_name_that_was_bound_to_this_address_reaches_nothing(server: Server, host: str) -> None:
    problem(server.get("/search?q=bank", Host=host), 403, "--allow-host")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:9", "LOCALHOST", "[::1]:8917"])
def test_our_own_names_do(server: Server, host: str) -> None:
    assert server.get("/search?q=bank", Host=host).status == 200


def raw(server: Server, *lines: str) -> bytes:
    """What a server answers to a request as it stands."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_two_hosts_or_none_reach_nothing(server: Server) -> None:
    two = raw(server, "GET /search?q=bank HTTP/1.1", "Host: localhost", "Host: evil.test")
    assert two.startswith((b"HTTP/1.1 403", b"HTTP/1.1 400"))
    assert raw(server, "GET /search?q=bank HTTP/1.0").startswith((b"HTTP/1.1 403", b"HTTP/1.1 400"))


@pytest.mark.parametrize("headers", [
    {"Origin": "http://evil.test"}, {"Origin": "null"}, {"Origin": "http://localhost:3000"},
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": ""},
], ids=str)  # fmt: skip
def test_a_page_of_another_origin_may_not_ask(server: Server, writable: Server, headers: dict[str, str]) -> None:
    problem(server.get("/search?q=bank", **headers), 403, "another")
    problem(writable.ask("PUT", "/files/planted.txt", b"planted", headers), 403, "another")
    problem(writable.ask("DELETE", "/documents?where=n+%3D+1", None, headers), 403, "another")


def test_our_own_page_may_and_anybody_may_follow_a_link_to_it(server: Server) -> None:
    own = {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}
    assert server.post("/search", {"query": "bank"}, **own).status == 200
    assert server.get("/", **{"Sec-Fetch-Site": "cross-site"}).status == 200


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None]
)
def test_what_a_form_can_send_is_not_read(writable: Server, kind: str | None) -> None:
    body = json.dumps({"documents": [{"id": "planted", "text": "planted"}]}).encode()
    for method in ("POST", "PATCH"):
        reply = writable.ask(method, "/documents", body, {} if kind is None else {"Content-Type": kind})
        problem(reply, 415, "application/json")
    problem(writable.get("/documents/text?source=planted"), 404)


def test_no_answer_allows_another_origin_and_all_forbid_inline_scripts(server: Server) -> None:
    preflight = server.ask("OPTIONS", "/search", None, {"Origin": server.url, "Access-Control-Request-Method": "POST"})
    for reply in (
        preflight,
        server.get("/"),
        server.get("/search?q=bank"),
        server.get("/none"),
        server.get("/x", Host="e"),
    ):
        assert not [name for name in reply.headers if name.lower().startswith("access-control")]
        policy = reply.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'")
        assert "unsafe" not in policy
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert server.get("/search?q=bank").headers["Cache-Control"] == "no-store"


@pytest.fixture
def fails(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The one line with which the command line refuses to start."""

    def call(*arguments: object) -> str:
        with pytest.raises(SystemExit) as stop:
            main(["serve", *map(str, arguments)])
        line = capsys.readouterr().err
        assert stop.value.code == 1
        assert line.startswith("Error: ")
        assert line.count("\n") == 1
        return line

    return call


@pytest.mark.parametrize(
    "options",
    [["--host", "0.0.0.0"], ["--host", "::"], ["--host", "192.0.2.1"], ["--token", "short"], ["--token", "a b" * 9]],
)
def test_beyond_the_loopback_a_token_is_needed(index: Path, fails: Callable[..., str], options: list[str]) -> None:
    assert "token" in fails("-i", index, *options)


def test_a_port_that_is_taken_and_a_host_that_is_none_are_told(
    index: Path, server: Server, fails: Callable[..., str]
) -> None:
    assert f"port {server.port}" in fails("-i", index, "--port", server.port)
    assert "nowhere.invalid" in fails("-i", index, "--host", "nowhere.invalid", "--token", TOKEN)


@pytest.fixture(scope="module")
def guarded(index: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for others, with a token, that logs what is asked."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "token").write_text(f"{TOKEN}\n")
    options = ("--host", "0.0.0.0", "--token-file", str(folder / "token"), "--log-questions")
    with serving(index, folder / "log", *options) as server:
        yield server


def test_with_a_token_nobody_asks_without_it_but_for_the_page_and_health(guarded: Server) -> None:
    for given in (
        {},
        {"Authorization": TOKEN},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": "Bearer "},
    ):
        for path in ("/search?q=bank", "/status", "/metrics", "/openapi.json", "/documents", "/none"):
            reply = guarded.ask("GET", path, None, given)
            problem(reply, 401, "token")
            assert reply.headers["WWW-Authenticate"] == "Bearer"
    assert guarded.get("/search?q=bank", Authorization=f"Bearer {TOKEN}").status == 200
    assert guarded.get("/search?q=bank", Authorization=f"bearer {TOKEN}", Host="any.test").status == 200
    assert guarded.get("/").status == 200
    assert guarded.get("/healthz").status == 200
    problem(guarded.ask("POST", "/healthz", {}), 401)
    assert TOKEN not in guarded.log.read_text()


def test_a_server_that_only_reads_is_not_written_to(server: Server) -> None:
    before = server.get("/status").json["generation"]
    for reply in (
        server.post("/documents", {"documents": [{"text": "new"}]}), server.ask("PUT", "/files/new.txt", b"new"),
        server.ask("DELETE", "/documents?id=bank"), server.post("/texts", {"texts": ["new"]}),
        server.ask("PATCH", "/documents", {"where": None, "changes": {"lang": "x"}}),
    ):  # fmt: skip
        problem(reply, 403, "--allow-writes")
    assert server.get("/status").json["generation"] == before


# -- too much


@pytest.mark.parametrize("asked", ["PUT /files/long.txt", "POST /search", "POST /documents", "POST /v1/embeddings"])
def test_a_body_that_is_too_long_is_refused_whether_it_says_so_or_not(writable: Server, asked: str) -> None:
    method, path = asked.split()
    kind = {"Content-Type": "application/json"} if method == "POST" else {}
    problem(writable.ask(method, path, b"x" * 11 * MIB, kind), 413, "10 MiB", "--max-body")
    connection = http.client.HTTPConnection("127.0.0.1", writable.port, timeout=60)
    connection.request(method, path, (b"x" * MIB for _ in range(12)), kind, encode_chunked=True)
    answer = connection.getresponse()
    problem(Reply(answer.status, answer.headers, answer.read()), 413, "10 MiB", "--max-body")
    connection.close()
    assert writable.get("/documents/text?source=long.txt").status == 404


@pytest.mark.parametrize("body", [
    {"query": "a", "k": 10**9}, {"query": "a", "k": 0}, {"query": "x" * 33_000}, {"query": ["a"] * 65}, {"query": []},
    {"query": ""}, {"query": " "}, {"query": "a", "colour": "red"}, {"query": "a", "mode": "best"}, {"query": "a", "where": "n ="},
    {"query": "a", "where": "missing = 1"}, {"query": "a", "where": "(" * 30_000}, {"query": "a", "rerank": "evil/model"},
    {"query": "a", "k": True}, {"query": "a", "k": "many"}, {"query": None}, {}, [], "a", 3, {"query": "a", "ef": 5},
    {"query": "a", "where": {"n": {"m": [1, {"o": 2}]}}}, {"vector": [1.0, 2.0]}, {"vector": [0.0] * 32}, {"vector": []},
    {"query": "a", "mode": "keyword", "rerank": "maxsim"}, {"query": "a", "where": "NOT " * 8_000 + "n = 1"},
], ids=lambda body: str(body)[:40])  # fmt: skip
def test_what_cannot_be_asked_is_told_in_one_line(server: Server, body: Any) -> None:
    problem(server.post("/search", body), 422)


BROKEN = {
    "deep": b"[" * 200_000,
    "deep query": b'{"query": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "huge integer": b'{"query": "a", "k": ' + b"9" * 5_000 + b"}",
    "NaN": b'{"query": "a", "min_score": NaN}',
    "infinity": b'{"query": "a", "mmr": Infinity}',
    "half a character": b'{"query": "\\ud800"}',
    "half a key": b'{"query": "a", "\\ud800": 1}',
    "NUL": b'{"query": "a\\u0000b", "where": "n = \'\\u0000\'"}',
    "cut": b'{"query": "a',
    "no text": b'{"query": "\xff\xfe"}',
    "NaN in a vector": b'{"vector": [NaN, 1.0]}',
    "NaN in a filter": b'{"query": "a", "where": {"n": NaN}}',
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_body_is_the_callers_fault(server: Server, name: str) -> None:
    for path in ("/search", "/answer", "/context", "/map"):
        reply = server.ask("POST", path, BROKEN[name], {"Content-Type": "application/json"})
        if (name, path) == ("NUL", "/search") and reply.status == 200:  # a character like others
            continue
        assert reply.status in (400, 422), (path, reply.body)
        problem(reply, reply.status)


def test_more_than_there_is_room_for_is_told_to_come_again(server: Server) -> None:
    def ask(number: int) -> Reply:
        return server.post("/search", {"query": f"bank {number}", "highlight": True})

    with ThreadPoolExecutor(400) as pool:
        replies = list(pool.map(ask, range(400)))
    statuses = {reply.status for reply in replies}
    assert statuses <= {200, 429}
    assert sum(reply.status == 200 for reply in replies) >= 256
    for reply in replies:
        if reply.status == 429:
            problem(reply, 429, "again")
            assert reply.headers["Retry-After"] == "1"
    assert server.get("/search?q=bank").status == 200


# -- what is stored


@pytest.mark.parametrize("name", ["..%2f..%2fetc%2fpasswd", "%2e%2e", ".", "..", "a%2fb.txt", "..%5cx.txt", "C%3Ax.txt", "a%00.txt",
                                  "a%0ab.txt", ".bashrc", "%20.txt%0d", "%ff.txt", "x" * 300 + ".txt"])  # fmt: skip
def test_a_name_is_a_label_and_never_a_path(writable: Server, name: str) -> None:
    before = writable.get("/documents").json["total"]
    assert writable.ask("PUT", f"/files/{name}", b"planted").status in (404, 405, 422)
    assert writable.get("/documents").json["total"] == before


@pytest.mark.parametrize("name", ["a.exe", "a", "index.db", "a.sqlite3", "a.doc", "a.faiss", "a.pkl"])
def test_a_kind_of_file_that_is_not_read_is_refused(writable: Server, name: str) -> None:
    problem(writable.ask("PUT", f"/files/{name}", b"planted"), 415, "known", ".md")


def test_a_file_is_parsed_where_it_can_do_nothing(writable: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    page = b"<html><body><h1>Boats</h1><p>The boat is tied to the bank.</p><img src='http://192.0.2.1/x'></body></html>"
    report = writable.ask("PUT", "/files/boats.html", page).json
    assert (report["documents"], report["failed"]) == (1, [])
    for name, data in {
        "n.md": b"# A\n\ntext",
        "n.csv": b"text,id\nhello,1\n",
        "n.txt": b"text",
        "n.py": b"def f():\n    pass\n",
    }.items():
        assert writable.ask("PUT", f"/files/{name}", data).json["documents"] >= 1, name
    problem(writable.ask("PUT", "/files/broken.pdf", b"%PDF-1.7 nothing"), 422, "broken.pdf")
    assert writable.ask("PUT", "/files/n.txt", b"text").json["unchanged"] == 1
    assert writable.ask("DELETE", "/documents?source=n.csv").json == {"removed": 1}


def test_texts_are_kept_replaced_and_removed(writable: Server) -> None:
    documents = [
        {"id": "one", "text": "one river", "metadata": {"a": 1}},
        {"text": "two rivers", "payload": {"x": [1]}},
    ]
    first, second = writable.post("/documents", {"documents": documents}).json["ids"]
    assert first == "one"
    assert writable.get(f"/documents/text?source={second}").json["payload"] == {"x": [1]}
    problem(writable.post("/documents", {"documents": documents, "exists": "error"}), 422, "there already")
    assert writable.post("/search", {"query": "river", "where": "a = 1", "k": 5}).json["hits"][0]["id"] == "one"
    problem(writable.ask("DELETE", "/documents?id=none"), 404, "none")
    problem(writable.ask("DELETE", "/documents"), 422, "name sources or ids")
    assert writable.ask("DELETE", "/documents?where=a+%3D+1").json == {"removed": 1}
    assert writable.ask("DELETE", f"/documents?id={second}").json == {"removed": 1}
    problem(writable.post("/documents", {"documents": [{"text": "a", "vector": [1.0]}]}), 422, "embeds its texts")


def test_markup_in_a_text_comes_back_as_data(server: Server) -> None:
    reply = server.get("/search?q=alert&k=10&mode=keyword")
    assert reply.headers["Content-Type"] == "application/json"
    assert XSS in [hit["text"] for hit in reply.json["hits"]]


def test_no_parameter_anywhere_names_a_model_a_path_or_an_address(server: Server) -> None:
    text = server.get("/openapi.json").body.decode()
    names = set(re.findall(r'"name":"(\w+)"', text)) | set(re.findall(r'"(\w+)":\{"(?:anyOf|type|\$ref)', text))
    assert names.isdisjoint({"url", "path", "file", "device", "trust_remote_code", "folder"})


# -- the log, and the end


MARK = '"method": "PUT", "route": "/healthz"'


def settled(server: Server) -> int:
    """How long a log is with every answer so far in it, each a moment after it was given, in turn; no other test asks MARK."""
    marks = server.log.read_text().count(MARK)
    server.ask("PUT", "/healthz", headers={"Authorization": f"Bearer {TOKEN}"})
    until = time.monotonic() + 30
    while (log := server.log.read_text()).count(MARK) == marks:
        assert time.monotonic() < until, log
        time.sleep(0.01)
    return len(log)


def test_the_log_has_no_question_unless_it_is_to(server: Server, guarded: Server) -> None:
    begun = [settled(each) for each in (server, guarded)]
    server.get("/search?q=secretword&where=n+%3D+1")
    for each in (server, guarded):
        each.post("/search", {"query": "secretword"}, Authorization=f"Bearer {TOKEN}")
    ended = [settled(each) for each in (server, guarded)]
    secret, open_ = (
        [json.loads(line) for line in each.log.read_text()[first:last].splitlines()]
        for each, first, last in zip((server, guarded), begun, ended, strict=True)
    )
    assert len(secret) == 3
    assert "secretword" not in json.dumps(secret)
    assert all(line["message"] for line in secret)
    assert "secretword" in [line.get("question") for line in open_]


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_what_is_under_way_is_answered_before_the_end(index: Path, tmp_path: Path, number: signal.Signals) -> None:
    with serving(index, tmp_path / "log") as server:
        replies: list[int] = []

        def ask() -> None:
            replies.append(server.post("/search", {"query": ["bank"] * 16, "highlight": True}).status)

        threads = [threading.Thread(target=ask) for _ in range(12)]
        for thread in threads:
            thread.start()
        while "searcher_waiting" not in (figures := server.get("/metrics").body.decode()) or not _waiting(figures):
            time.sleep(0.01)
        time.sleep(0.2)  # every one of them has been sent by now
        server.process.send_signal(number)
        for thread in threads:
            thread.join()
        assert server.process.wait(60) == 0
    assert replies == [200] * 12
    log = (tmp_path / "log").read_text()
    assert log.count('"route": "/search", "status": 200') == 12
    assert "Traceback" not in log


def _waiting(figures: str) -> bool:
    return float(re.findall(r'searcher_waiting\{lane="heavy work"\} (\S+)', figures)[0]) > 0


def test_every_text_is_where_it_was_after_all_this(server: Server, index: Path) -> None:
    with Searcher(index) as searcher:
        assert {document.id: document.text for document in searcher.get(list(TEXTS))} == TEXTS
