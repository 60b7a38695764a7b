"""`show` of a FAQ in Markdown: the lines are those of the file, and no question stands there twice."""

from pathlib import Path

import pytest
from running import Run

from searcher.readers import ReadOptions, read_text
from searcher.records import Document
from searcher.text import line_at

FAQ = """---
title: Garden
---
# Garden

## How deep do I plant bulbs?

Three times their height.


Water them [once
a day](https://example.org).

## When do I prune roses?
##   What is the time to cut roses?
## When do I prune roses?

In March.

- first
- second

Where is the shed?
Where are the tools?

: Behind the mill.

: Or beside it.

# Is there a list of words?

Yes, this one.

What is mulch?
: Dead leaves.

And no other.
"""


@pytest.mark.parametrize("mode", ["answers", "questions"])
def test_every_line_of_an_entry_is_counted_as_in_its_file(mode: str) -> None:
    lines = FAQ.split("\n")
    options = ReadOptions(faq=mode)  # type: ignore[arg-type]
    entries = [entry for entry in read_text(FAQ.encode(), "faq.md", options, ".md") if isinstance(entry, Document)]
    assert len(entries) == 5
    for entry in entries:
        start = 0
        for line in entry.text.split("\n"):
            said = (
                lines[line_at(entry, start) - 1]
                .removeprefix(":")
                .replace("[", "")
                .replace("](https://example.org)", "")
            )
            assert said.lstrip("# ") == line
            start += len(line) + 1


@pytest.fixture
def faq(tmp_path: Path, run: Run, tiny_bert: Path) -> str:
    """The name of an indexed FAQ."""
    file = tmp_path / "faq.md"
    file.write_text(FAQ)
    run("faq", "add", str(file), "--model", str(tiny_bert))
    return "faq.md#"


def test_a_line_is_shown_with_those_around_it(faq: str, run: Run) -> None:
    name = f"{faq}when-do-i-prune-roses"
    out = run("show", name, "--at", "line 18", "-C", "3").out.splitlines()
    assert out[0].split() == [f"{name}:18", "answer"]
    assert [line.strip() for line in out[1:]] == [
        "14- When do I prune roses?", "15- What is the time to cut roses?", "18: In March.", "19-", "20- - first", "21- - second",
    ]  # fmt: skip
    assert run("show", name, "--at", "line 14", "-C", "0").out.splitlines()[1:] == ["    14: When do I prune roses?"]


def test_the_text_says_each_question_once(faq: str, run: Run) -> None:
    assert run("show", f"{faq}where-is-the-shed").out.split("\n") == [
        "Where is the shed?", "Where are the tools?", "Behind the mill.", "", "Or beside it.", "",
    ]  # fmt: skip
    assert run("show", f"{faq}what-is-mulch").out == "What is mulch?\nDead leaves.\n"
