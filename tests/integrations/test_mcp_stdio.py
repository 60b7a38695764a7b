"""What is sent to the tools over stdin and is no message: it is answered, and so is what comes after it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from searcher import Searcher

pytest.importorskip("mcp", reason="the extra mcp is not installed")

DEEP = b'{"a":' * 5_000 + b"1" + b"}" * 5_000
CALL = b'{"jsonrpc":"2.0","id":"%b","method":"tools/call","params":{"name":"search","arguments":{"query":%b}}}\n'
NONE = "this is no message of JSON-RPC 2.0"
ODD = [
    (b"this is not JSON\n", None, -32700, "Invalid JSON: "),
    (CALL % (b"half", rb'"boiler \ud800"'), "half", -32700, "Invalid JSON: "),
    (CALL % (b"large", b"9" * 6_000), "large", -32700, "Invalid JSON: "),
    (CALL % (b"deep", DEEP), None, -32700, "Invalid JSON: recursion limit exceeded"),
    (b"[]\n", None, -32600, NONE),
    (b'{"jsonrpc":"1.0","id":7,"method":"ping"}\n', 7, -32600, NONE),
    (b'{"jsonrpc":"2.0","id":true,"method":5}\n', None, -32600, NONE),
]


def test_what_is_no_message_is_answered_and_the_next_one_too(tmp_path: Path, tiny_bert: Path) -> None:
    with Searcher(tmp_path / "index", tiny_bert) as searcher:
        searcher.put(["the river bank"], ["river"])
    process = subprocess.Popen(
        [sys.executable, "-m", "searcher", "mcp", "-i", str(tmp_path / "index")], env=os.environ,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout

    def answer(line: bytes) -> Any:
        assert process.stdin
        assert process.stdout
        process.stdin.write(line)
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    with process.stdin, process.stdout:
        for line, own, code, said in ODD:
            told = answer(line)
            assert (told["jsonrpc"], told["id"], told["error"]["code"]) == ("2.0", own, code)
            assert told["error"]["message"].startswith(said)
        assert answer(b'\n \r\n{"jsonrpc":"2.0","id":1,"method":"ping"}\r\n') == {
            "jsonrpc": "2.0",
            "id": 1,
            "result": {},
        }
    assert process.wait(60) == 0
