"""Files pasted as base64 into a text are no passages, what stands around them keeps its place, and they are told."""

import base64
import random
import textwrap
from pathlib import Path

import fuzzing
import pytest
from hypothesis import given
from hypothesis import strategies as st

from searcher import Searcher
from searcher.readers import ReadOptions, read_text
from searcher.records import Document, Note

BYTES = random.Random(1).randbytes(1500)
PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0" + BYTES).decode()
ANY = base64.b64encode(BYTES).decode()
LINES = "\n".join(textwrap.wrap(PICTURE, 76))


def read(text: str, suffix: str = ".md") -> tuple[Document, list[str]]:
    document, *notes = read_text(text.encode(), "label", suffix=suffix)
    assert isinstance(document, Document)
    return document, [note.reason for note in notes if isinstance(note, Note)]


PASTED = [
    (f"![photo](data:image/png;base64,{ANY})", "![photo](data:image/png;base64,…)"),
    (f'<img alt="a" src="data:image/jpeg;charset=utf-8;base64,{ANY}">', '<img alt="a" src="data:image/jpeg;charset=utf-8;base64,…">'),
    (f"[p]: <data:image/webp;base64,{ANY}>", "[p]: <data:image/webp;base64,…>"),
    (f"url(data:image/svg+xml,{'%3Csvg' * 60}) here", "url(data:image/svg+xml,…) here"),
    (f'"image/png": "{PICTURE}",', '"image/png": "…",'),
    (PICTURE, "…"),
]  # fmt: skip


@pytest.mark.parametrize("suffix", [".md", ".txt", ".mdx", ".rst"])
@pytest.mark.parametrize(("pasted", "left"), PASTED)
def test_the_data_is_taken_out_and_the_rest_stays(pasted: str, left: str, suffix: str) -> None:
    document, [told] = read(f"First words.\n\n{pasted}\n\nLast words.\n", suffix)
    assert document.text == f"First words.\n\n{left}\n\nLast words.\n"
    assert told.startswith("1 file pasted as base64 is left out, ") and told.endswith(" kB")


@pytest.mark.parametrize("before", ["", "data:image/png;base64,", "data:image/png;base64,\n"])
@pytest.mark.parametrize("after", ["", "\nThen we went home.", "\n\nHome\n"])
def test_data_of_many_lines_leaves_every_line_where_it_was(before: str, after: str) -> None:
    document, _ = read(f"# A\n\n{before}{LINES}{after}\n\n# B\n")
    lines = f"# A\n\n{before}{LINES}{after}\n\n# B\n".count("\n")
    assert document.text.count("\n") == lines and after in document.text
    assert [document.text[start:].split("\n")[0] for start, _ in document.sections] == ["# A", "# B"]
    assert len(document.text) < len(before) + len(after) + lines + 10


@pytest.mark.parametrize(
    "text",
    ["data:,hello data:text/plain;base64,aGVsbG8=", PICTURE[:150], "ACGT" * 500, "x" * 3000, "aQk0" + "b" * 500, ANY, "0123456789abcdef" * 60],
)  # fmt: skip
def test_what_is_short_or_no_file_stays(text: str) -> None:
    assert read(f"{text}\n", ".txt") == (Document("label", f"{text}\n"), [])


@given(
    st.lists(
        st.sampled_from(["# H\n", "word ", "\n", "\r\n", f"![p](data:image/png;base64,{ANY})", f"{PICTURE}\n", "é "]),
        max_size=12,
    )
)
def test_sections_and_breaks_move_with_the_text(pieces: list[str]) -> None:
    text = "".join(pieces)
    document, _ = read(text)
    plain, _ = read(text.replace(ANY, "…").replace(PICTURE, "…"))
    assert (document.text, document.sections) == (plain.text, plain.sections)


def test_a_row_and_an_answer_are_freed_of_them_too() -> None:
    row, note = read_text(
        b'{"id": 7, "text": "See %s it"}' % f"(data:image/png;base64,{ANY})".encode(), "t", suffix=".jsonl"
    )
    assert isinstance(row, Document) and isinstance(note, Note)
    assert (row.text, note.source) == ("See (data:image/png;base64,…) it", "t#7")
    text = f"# How?\n# In what way?\n\nLike ![this](data:image/png;base64,{ANY}).\n".encode()
    entry, note = read_text(text, "faq.md", ReadOptions(faq="answers"), ".md")
    assert isinstance(entry, Document) and isinstance(note, Note)
    assert entry.metadata["answer"] == "Like ![this](data:image/png;base64,…)."
    assert [entry.text[at:].split("\n")[0] for at in entry.breaks] == ["In what way?", "How?"]


@pytest.mark.parametrize(
    "text",
    ["data:" * 100_000, "/9j/" * 100_000, "iVBORw0KGgo" * 40_000, ("data:a;base64," + "A" * 50 + "\n") * 8000, "data:" + "a;" * 200_000,
     ("A" * 45 + "\n") * 8000, "data:a;base64," + ("A" * 45 + "\\n") * 8000 + " "],
)  # fmt: skip
def test_looking_for_them_costs_no_more_than_the_text_is_long(text: str) -> None:
    fuzzing.Limits().timed(lambda data: fuzzing.check_reader(".txt", data), text.encode())


def test_a_pasted_picture_is_one_passage_less_and_told(tiny_bert: Path, tmp_path: Path) -> None:
    file = tmp_path / "trip.md"
    file.write_text(f"# Trip\n\nWe saw a heron.\n\n![photo](data:image/png;base64,{ANY})\n\nThen we went home.\n")
    with Searcher(tmp_path / "index", tiny_bert) as searcher:
        report = searcher.add(file)
        assert (report.documents, report.passages, report.failed) == (1, 1, [])
        assert report.notes == [Note(str(file), "1 file pasted as base64 is left out, 1.5 kB")]
