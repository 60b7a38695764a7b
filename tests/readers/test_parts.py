"""A text too large for one document: parts that together are the text, on the lines of the file."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from searcher import Searcher
from searcher.readers import parts, plain, read
from searcher.records import Document

LIMIT = 50


@pytest.fixture(autouse=True, scope="module")
def small_parts() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain, "WHOLE_BYTES", LIMIT)
        patch.setattr(parts, "PART", LIMIT)
        yield


def documents(path: Path) -> list[Document]:
    return [item for item in read(path) if isinstance(item, Document)]


@given(
    text=st.text(st.sampled_from("ab é\n\r\t首"), max_size=400), codec=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])
)
def test_the_parts_are_the_text_on_its_lines(text: str, codec: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "text.log"
    path.write_bytes(text.encode(codec))
    found = documents(path)
    assert "".join(part.text for part in found) == text
    if path.stat().st_size <= LIMIT:
        assert [part.source for part in found] == [str(path)]
        return
    assert [part.source for part in found] == [f"{path}#part-{number}" for number in range(1, len(found) + 1)]
    assert max(len(part.text) for part in found) <= LIMIT
    seen = ""
    for part in found:
        assert part.first_line == 1 + seen.count("\n")
        assert not (seen.endswith("\r") and part.text.startswith("\n"))
        seen += part.text


@given(
    text=st.text(st.sampled_from("ab \n"), min_size=120, max_size=400),
    more=st.text(st.sampled_from("ab \n"), max_size=200),
)
def test_of_a_file_that_grew_all_parts_but_the_last_are_what_they_were(
    text: str, more: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "grown.log"
    path.write_text(text)
    before = documents(path)
    path.write_text(text + more)
    assert documents(path)[: len(before) - 1] == before[:-1]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("a" * 30 + "\n\n" + "b" * 10 + "\n" + "c" * 30, "a" * 30 + "\n\n"),
        ("a" * 30 + "\n" + "b " * 30, "a" * 30 + "\n"),
        ("a" * 10 + "\n\n" + "b" * 30 + " " + "c" * 30, "a" * 10 + "\n\n" + "b" * 30 + " "),
        ("a" * 99, "a" * 50),
    ],
)
def test_a_part_ends_at_a_blank_line_else_a_line_else_a_word(text: str, first: str, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text(text)
    assert documents(tmp_path / "t.txt")[0].text == first


def test_what_is_broken_is_noted_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes("é is a line\n".encode() * 20 + b"caf\xe9\n" + "é is a line\n".encode() * 20)
    *_, note = read(tmp_path / "t.txt")
    assert "1 broken character reads as U+FFFD, in line 21" in note.reason  # type: ignore[union-attr]


def test_a_large_text_is_found_by_its_line_and_only_what_grew_is_embedded(tiny_bert: Path, tmp_path: Path) -> None:
    log = tmp_path / "big.log"
    log.write_text("".join(f"event {number}\n" for number in range(100)))
    with Searcher(tmp_path / "index", tiny_bert) as searcher:
        first = searcher.add(log)
        with log.open("a") as stream:
            stream.write("the river\n")
        second = searcher.add(log)
        assert first.documents == 20
        assert (second.documents, second.unchanged, second.removed) == (1, 19, 0)
        [hit] = searcher.search("river", 1, mode="keyword")
        assert hit.source == f"{log}#part-20"
        part = searcher.document(hit.source)
        assert log.read_text().splitlines()[hit.line - 1] == part.text[hit.start :].splitlines()[0]
        log.write_text("short")
        assert searcher.add(log).removed == 20
        assert [each["source"] for each in searcher.listing()] == [str(log)]
