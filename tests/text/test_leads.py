"""A heading stays with what follows it, and so do the header of a table and its caption."""

from pathlib import Path
from typing import Any

import pytest
import tokenizers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from models import save_bert

from searcher.embedding.models import load_model
from searcher.readers import read, read_text
from searcher.records import Chunk, Document
from searcher.text import Chunker, Tokenizer, leads, places_of

WORDS = "the river bank is near we keep account open boat tied to one two three water money".split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bert(tmp_path_factory.mktemp("tokenizers") / "bert", layers=1)


@pytest.fixture(scope="module")
def bert(folder: Path) -> Tokenizer:
    return Tokenizer.load(folder)


@pytest.fixture(scope="module")
def judge(folder: Path) -> tokenizers.Tokenizer:
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def passages(tokenizer: Tokenizer, limit: int, text: str, suffix: str = ".md", **rest: Any) -> list[str]:
    [document] = read_text(text.encode(), "label", suffix=suffix)
    assert isinstance(document, Document)
    chunks = Chunker(tokenizer, limit, **rest).chunks(document.text, document.sections)
    return [document.text[chunk.start : chunk.end] for chunk in chunks]


# Where a passage ends.

BODY = "the river is near the bank.\n\n"
NEXT = "we keep the account open to the bank."


@pytest.mark.parametrize("suffix", [".md", ".html"])
def test_a_heading_that_would_be_the_last_of_a_passage_begins_the_next(bert: Tokenizer, suffix: str) -> None:
    text = f"{BODY}## water\n\n{NEXT}" if suffix == ".md" else f"<p>{BODY}</p><h2>water</h2><p>{NEXT}</p>"
    first, second = passages(bert, 14, text, suffix)
    assert first == BODY.strip() and second.endswith(f"water\n\n{NEXT}")


TITLES = [
    "# water", "## *the* `water` {#water}", "water\n---", "water of\nthe river\n---", "# water\n\n## money\n\n### bank",
    "water\n=====\n\nmoney\n---",
]  # fmt: skip


@pytest.mark.parametrize("title", TITLES)
def test_a_title_of_several_lines_and_titles_in_a_row_stay_together(
    bert: Tokenizer, judge: tokenizers.Tokenizer, title: str
) -> None:
    limit = len(judge.encode(f"{BODY * 4}{title}").ids) + 3
    assert passages(bert, limit, f"{BODY * 4}{title}\n\n{NEXT}") == [(BODY * 4).strip(), f"{title}\n\n{NEXT}"]


RST_TITLES = [
    "water\n-----",
    "-----\nwater\n-----",
    ".. _water:\n\nwater\n-----",
    ".. _water:\n\n-----\nwater\n-----",
    "go\n--",
]


@pytest.mark.parametrize("title", RST_TITLES)
def test_a_title_of_rest_keeps_the_line_over_it_and_its_label(
    bert: Tokenizer, judge: tokenizers.Tokenizer, title: str
) -> None:
    limit = len(judge.encode(f"{BODY * 4}{title}").ids) + 3
    assert passages(bert, limit, f"{BODY * 4}{title}\n\n{NEXT}", ".rst") == [(BODY * 4).strip(), f"{title}\n\n{NEXT}"]


@pytest.mark.parametrize("title", RST_TITLES)
def test_a_passage_that_begins_above_its_title_stands_under_it(
    bert: Tokenizer, judge: tokenizers.Tokenizer, title: str
) -> None:
    text = f"Bank\n====\n\n{BODY * 3}{title}\n\n{NEXT}"
    limit = len(judge.encode(text[: -len(NEXT)]).ids) + 3
    [document] = read_text(text.encode(), "label", suffix=".rst")
    assert isinstance(document, Document)
    chunks = list(Chunker(bert, limit).chunks(text, document.sections))
    name = document.sections[1][1]
    assert [section for _, section in places_of(document, chunks)] == ["Bank", name]
    assert text[chunks[1].start :] == f"{title}\n\n{NEXT}"


ROWS = "| one | two |\n| two | three |\n| three | one |\n| one | one |"
TABLES = {
    "Markdown": ("| river | bank |\n|---|---|\n", ROWS),
    "Markdown, aligned": ("river | bank\n:-- | --:\n", "one | two\ntwo | three\nthree | one\none | one"),
    "with a caption": ("money of the bank:\n\n| river | bank |\n| --- | --- |\n", ROWS),
    "as pages are laid out": ("river | bank\n", "one | two\ntwo | three\nthree | one\none | one"),
    "caption of a page": ("money of the bank\nriver | bank\n", "one | two\ntwo | three\nthree | one\none | one"),
    "grid": ("+-------+------+\n| river | bank |\n+=======+======+\n", "| one | two |\n+-------+------+\n| two | one |\n+-------+------+"),
    "simple": ("=====  =====\nriver  bank\n=====  =====\n", "one    two\ntwo    three\nthree  one\n=====  ====="),
    "under a heading": ("## water\n\n| river | bank |\n|---|---|\n", ROWS),
}  # fmt: skip


@pytest.mark.parametrize("made", TABLES)
def test_the_header_of_a_table_and_its_caption_stay_with_its_first_row(
    bert: Tokenizer, judge: tokenizers.Tokenizer, made: str
) -> None:
    header, rows = TABLES[made]
    text = f"{BODY * 2}{header}{rows}\n"
    least = max(len(judge.encode(part).ids) for part in (BODY * 2, header + rows.split("\n")[0]))
    for limit in range(least, len(judge.encode(text).ids)):
        kept = passages(bert, limit, text)
        [holding] = [part for part in kept if header.strip() in part]
        assert not holding.endswith(header.strip())


def test_a_line_of_very_many_cells_costs_no_more_than_it_is_long() -> None:
    """It took the square of its length: 4.4 s for this one, and there is no bound on a line."""
    text = "a | " * 400_000 + "\nend\n"
    assert list(leads.tables(text, 0, len(text))) == []


def test_a_heading_that_fills_a_passage_is_cut_like_a_text(bert: Tokenizer) -> None:
    heading = "# " + " ".join(WORDS[:15])
    found = passages(bert, 10, f"{heading}\n\n{NEXT}")
    assert "".join(part.replace("\n", "").replace(" ", "") for part in found) == f"{heading}{NEXT}".replace(" ", "")
    assert len(found) > 2


def test_a_heading_at_the_end_stays_where_it_is(bert: Tokenizer) -> None:
    assert passages(bert, 14, f"{NEXT}\n\n# water\n") == [f"{NEXT}\n\n# water"]


def test_without_boundaries_a_passage_is_filled_all_the_same(bert: Tokenizer) -> None:
    first, *_ = passages(bert, 12, f"{BODY}# water\n\n{NEXT}", boundaries=False)
    assert first == f"{BODY}# water\n\nwe".strip()


def test_a_block_of_a_long_text_does_not_end_with_a_heading(bert: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("searcher.text.chunking.BLOCK", 90)
    found = passages(bert, 64, f"{BODY}{BODY}## water\n\n{NEXT} {NEXT} {NEXT}")
    assert not any(part.endswith("water") for part in found)


# For every text.

SAID = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)
PIECES = st.one_of(
    st.tuples(st.just("heading"), st.tuples(st.integers(1, 3), SAID).map(lambda made: "#" * made[0] + " " + made[1])),
    st.tuples(st.just("text"), st.lists(SAID, min_size=1, max_size=6).map(lambda all: ". ".join(all) + ".")),
    st.tuples(st.just("text"), SAID.map(lambda said: "- " + said)),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PIECES, min_size=1, max_size=14), st.integers(12, 60), st.integers(0, 8))
def test_no_passage_ends_with_a_heading_unless_that_is_all_that_fits(
    bert: Tokenizer, judge: tokenizers.Tokenizer, pieces: list[tuple[str, str]], limit: int, overlap: int
) -> None:
    text = "\n\n".join(piece for _, piece in pieces)
    [document] = read_text(text.encode(), "label", suffix=".md")
    assert isinstance(document, Document) and len(document.sections) == sum(kind == "heading" for kind, _ in pieces)
    chunks = list(Chunker(bert, limit, overlap).chunks(text, document.sections))
    _hold(text, chunks, judge, limit)
    at, chain, waiting = 0, 0, list[int]()
    needed: dict[int, str] = {}  # where a heading ends → all that should stand in a passage with it
    for kind, piece in [*pieces, ("text", "")]:
        if kind == "heading":
            waiting.append(at + len(piece))
        else:
            first = at + len(piece.split()[0]) if piece else at - 2
            needed |= dict.fromkeys(waiting, text[chain:first])
            chain, waiting = at + len(piece) + 2, []
        at += len(piece) + 2
    for chunk in chunks[:-1]:
        if chunk.end in needed:
            assert len(judge.encode(needed[chunk.end]).ids) > limit, text[chunk.start : chunk.end]


def _hold(text: str, chunks: list[Chunk], judge: tokenizers.Tokenizer, limit: int) -> None:
    covered = 0
    for chunk in chunks:
        assert text[chunk.start : chunk.end].strip() == text[chunk.start : chunk.end] != ""
        assert not text[covered : chunk.start].strip()
        assert list(chunk.ids) == judge.encode(text[chunk.start : chunk.end]).ids and len(chunk.ids) <= limit
        covered = max(covered, chunk.end)
    assert not text[covered:].strip()


def test_no_passage_of_real_documents_ends_with_a_bare_heading(data: Path, bundled: str) -> None:
    """Of every tenth page of a handbook, and of a changelog with many short sections."""
    chunker = Chunker(load_model(bundled).tokenizer, 256)
    files = [
        *sorted((data / "documents/markdown").rglob("*.mdx"))[::10],
        *sorted((data / "documents").rglob("changelog.rst")),
    ]
    ended = seen = 0
    for file in files:
        [document] = read(file)
        assert isinstance(document, Document)
        lines = {document.text[start:].split("\n")[0] for start, _ in document.sections}
        for chunk in list(chunker.chunks(document.text, document.sections))[:-1]:
            last = [line for line in document.text[chunk.start : chunk.end].split("\n") if set(line) - set("-=~^")][-1]
            ended += last in lines
            seen += 1
    assert seen > 300 and ended == 0
