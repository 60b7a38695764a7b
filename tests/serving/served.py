"""A real server on a free port: the command line in a process of its own, one for each set of options."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

for needed in ("fastapi", "uvicorn", "httptools", "prometheus_client"):
    pytest.importorskip(needed, reason="the extra 'serve' is not installed")

XSS = "<img src=x onerror=alert(1)><script>alert(2)</script> bank"
TEXTS = {
    "bank": "money in the bank account. we keep our money in the bank.",
    "river": "the boat is tied to the river bank. water flows near it.",
    "hello": "hello world",
    "xss": XSS,
}
FAQ = "question,answer\nhow is the boat tied,with a rope\nwhat flows in the river,water does\n"


class Reply(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """What a started server is asked by."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
        self.process, self.port, self.log = process, port, log

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Reply:
        """A request as curl would send it: bytes as they are, anything else as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent = {"Content-Type": "application/json"} | sent
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, body: Any, **headers: str) -> Reply:
        return self.ask("POST", path, body, headers)

    def counted(self, method: str, route: str, status: int) -> float:
        """How many such requests /metrics tells of."""
        count = f'searcher_requests_total{{method="{method}",route="{route}",status="{status}"}} '
        lines = self.get("/metrics").body.decode().splitlines()
        return next((float(line.removeprefix(count)) for line in lines if line.startswith(count)), 0.0)


Serve = Callable[..., Any]


@contextmanager
def serving(index: Path, log: Path, *options: str, **environment: str) -> Iterator[Server]:
    """A server of an index, stopped at the end."""
    command = [sys.executable, "-m", "searcher", "serve", "-i", str(index), "--port", "0", *options]
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, stderr=stderr, env=os.environ | environment)
    try:
        while not (found := re.search(r"^.* at http://\S+:(\d+)$", log.read_text(), re.MULTILINE)):
            if process.poll() is not None:
                raise RuntimeError(log.read_text())
        yield Server(process, int(found[1]), log)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(60)
