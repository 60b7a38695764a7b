"""What people read of a hit says the page on which its sentence stands, though its passage begins on another one."""

import csv
import io
import json
import shlex
from pathlib import Path

import pytest
from made_pdf import made_pdf, page_of
from running import Run

from searcher.cli import opening

ANSWER = "The boat is tied to the post."
PAGES = [page_of("We keep our money in the bank, which"), page_of(f"stands there. {ANSWER}")]


@pytest.fixture
def book(run: Run, index: Path) -> str:
    """A PDF in the index, one passage on two pages."""
    (index.parent / "texts" / "book.pdf").write_bytes(made_pdf(PAGES))
    assert run("add", "texts").code == 0
    return str(index.parent / "texts" / "book.pdf")


def test_each_format_says_the_page_of_the_sentence(run: Run, book: str) -> None:
    def shown(*typed: object) -> str:
        return run("search", ANSWER, "--include", "*.pdf", *typed).out

    assert "texts/book.pdf, page 2" in shown() and "page 1" not in shown()
    assert "texts/book.pdf, page 1" in shown("--no-highlight")
    assert "**texts/book.pdf**, page 2\n" in shown("--format", "md", "--highlight")
    [row] = csv.DictReader(io.StringIO(shown("--format", "csv", "--highlight")))
    assert (row["place"], row["line"], row["start"]) == ("page 2", "3", "0")
    [hit] = json.loads(shown("--json", "--highlight"))
    assert (hit["place"], hit["page"], hit["line"]) == ({"page": 1}, 1, 1)
    assert (hit["highlight"]["place"], hit["highlight"]["line"]) == ({"page": 2}, 3)
    assert run("context", ANSWER, "--include", "*.pdf").out.startswith("[1] texts/book.pdf, page 2\n")


def test_a_hit_is_opened_at_the_page_of_its_sentence(run: Run, book: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening.shutil, "which", lambda name: name if name == "okular" else None)
    opened = ["search", ANSWER, "--include", "*.pdf", "--open", 1, "--dry-run"]
    assert shlex.split(run(*opened).out) == ["okular", "-p", "2", book]
    assert shlex.split(run(*opened, "--no-highlight").out) == ["okular", "-p", "1", book]


def test_a_note_is_opened_at_the_line_of_its_sentence(run: Run, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "vim")
    note = index.parent / "texts" / "note.md"
    note.write_text(f"We keep our money in the bank.\n\n{ANSWER}\n", encoding="utf-8")
    assert run("add", "texts").code == 0
    assert shlex.split(run("search", ANSWER, "--include", "*.md", "--open", 1, "--dry-run").out) == [
        "vim",
        "+3",
        str(note),
    ]
