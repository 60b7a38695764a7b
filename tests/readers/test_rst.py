"""Titles of reStructuredText: which lines are some, as docutils has it."""

import pytest

from searcher.readers import read_text
from searcher.records import Document


def titles(text: str) -> list[str]:
    [page] = read_text(text.encode(), "label", suffix=".rst")
    assert isinstance(page, Document)
    return [path for _, path in page.sections]


def test_a_title_may_be_as_short_as_a_letter() -> None:
    text = "Languages\n=========\n\nGo\n--\n\nText about Go.\n\nR\n-\n\nText about R.\n\nC++\n---\n"
    assert titles(text) == ["Languages", "Languages > Go", "Languages > R", "Languages > C++"]
    assert titles("=\nR\n=\n\nGo\n--\n") == ["R", "R > Go"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Title\n----\n", ["Title"]),  # four are enough for any
        ("Title\n---\n", []),
        ("東京\n----\n", ["東京"]),
        ("東京\n---\n", []),  # of three for four columns
        ("e\u0301\n-\n", ["e\u0301"]),
        ("Words\n..\n   comment\n", []),
        ("x\n::\n\n   code\n", []),
        (">>> x\n...\n", []),
        ("a\n\n-\n", []),
        ("- a\n-\n", []),
        ("words\nGo\n--\n", []),
        (".. _go:\nGo\n--\n", ["Go"]),
        ("===\nAll\n===\nGo\n--\nR\n~\nwords\nno\n--\n", ["All", "All > Go", "All > Go > R"]),
        ("\ufeff\ufeffGo\n--\n", ["Go"]),
        ("Using ``\\-x`` \\*\n--------------\n", ["Using -x *"]),
        ("On *all* the **very *odd* things**\n====\n", ["On all the very odd things"]),
        ("f(*args, **more) and 2 * 3 * 4\n====\n", ["f(*args, **more) and 2 * 3 * 4"]),
        ("``*`` to ``**`` \\*no\\*\n====\n", ["* to ** *no*"]),
        ("`Go <https://go.dev>`_ and `the end`_ of :class:`~a.b.C`\n====\n", ["Go and the end of C"]),
    ],
)
def test_which_lines_are_titles(text: str, found: list[str]) -> None:
    assert titles(text) == found
