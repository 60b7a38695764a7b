"""`show --at`: what stands at a place of a document, and around it."""

import json
from pathlib import Path

import pytest
from running import Run, one_line

NOTE = "# Guide\n\nHi\n\n## Install\n\nDo it.\nTwice.\n\n## Use\n\nGo.\n"


@pytest.fixture
def note(run: Run, index: Path) -> str:
    """A note in the index."""
    (index.parent / "texts" / "note.md").write_text(NOTE, encoding="utf-8")
    assert run("add", "texts").code == 0
    return "texts/note.md"


def test_lines_around_a_line_stand_under_where_it_is(run: Run, note: str) -> None:
    out = run("show", note, "--at", "line 7", "-C", 1).out
    assert out == "texts/note.md:7  Guide > Install\n    6- \n    7: Do it.\n    8- Twice.\n"
    assert len(run("show", note, "--at", "line 7").out.splitlines()) == 1 + 3 + 1 + 3


def test_a_heading_shows_its_section(run: Run, note: str) -> None:
    there = json.loads(run("show", note, "--at", "install", "--json").out)
    assert there["text"] == "## Install\n\nDo it.\nTwice.\n"
    assert there["text"] == NOTE[there["start"] : there["end"]]
    assert (there["section"], there["line"], there["first"]) == ("Guide > Install", 5, NOTE.index("## Install"))


def test_the_start_of_a_hit_leads_to_it(run: Run, note: str) -> None:
    [hit] = json.loads(run("search", "Twice", "--mode", "keyword", "-k", 1, "--json").out)
    there = json.loads(run("show", note, "--at", hit["start"], "--section", "--json").out)
    assert there["first"] == hit["start"]
    assert hit["text"] in there["text"]


def test_what_cannot_be_is_one_line(run: Run, note: str) -> None:
    one_line(run("show", note, "--at", "page 3"), "'page 3'", "headings Guide, Guide > Install", "lines 1 to 13")
    one_line(run("show", note, "--at", "9999"), "9,999", "0 to")
    one_line(run("show", "nowhere.md", "--at", "line 1"), "nowhere.md")
    one_line(run("show", note, "-C", "1"), "--at PLACE", code=2)
    one_line(run("show", note, "--at", "line 1", "--passages"), "--at or --passages", code=2)
    one_line(run("show", note, "--at", "line 1", "-C", 1, "--section"), "-C or --section", code=2)
