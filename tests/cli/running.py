"""What running a command line gives, and how one that failed must look."""

from collections.abc import Callable
from typing import NamedTuple

TEXTS = {
    "bank.txt": "money in the bank account",
    "river.txt": "the boat is tied to the river bank",
    "hello.txt": "hello",
}


class Result(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Result]


def one_line(result: Result, *parts: str, code: int = 1) -> None:
    """The command failed with one line that holds all these parts, and printed nothing else."""
    assert result.code == code
    assert result.out == ""
    assert result.err.startswith("Error: ")
    assert result.err.count("\n") == 1, result.err
    for part in parts:
        assert part in result.err
