"""A seeded sample of `fuzzing.py`, and limits on what is given, each checked at the value beyond it."""

import math
from pathlib import Path
from typing import Any

import fuzzing
import numpy as np
import pytest

from searcher import Searcher
from searcher.errors import BadValue, FilterError
from searcher.filters import parse
from searcher.readers import read_text
from searcher.readers.table import READERS
from searcher.records import Document


@pytest.mark.parametrize("target", sorted({fuzzing.SAME.get(name, name) for name in [*READERS, "filter"]}))
def test_a_sample_of_inputs_breaks_no_promise(target: str, tmp_path: Path) -> None:
    seed = sum(map(ord, target))
    limits = fuzzing.run(target, 150, seed, tmp_path, bombs=False)
    assert limits.runs == 150


@pytest.mark.faults
@pytest.mark.parametrize("target", sorted([*READERS, "filter"]))
def test_many_inputs_and_bombs_break_no_promise(target: str, tmp_path: Path) -> None:
    assert fuzzing.run(target, 3000, 1, tmp_path).runs == 3000


def test_every_reader_and_the_filter_language_have_seeds_to_fuzz_with() -> None:
    assert {fuzzing.SAME.get(name, name) for name in [*READERS, "filter"]} == set(fuzzing.SEEDS)


# -- what fuzzing found


def test_a_long_line_of_ascii_in_a_text_of_another_encoding_is_read_once() -> None:
    """From each of its characters it was searched to its end for one beyond ASCII, for minutes."""
    data = b"na\xefve \x81\n" + b"2024-01 " * 50_000
    fuzzing.Limits().timed(lambda data: fuzzing.check_reader(".md", data), data)


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
@pytest.mark.parametrize("data", [b"text" + b"\ta" * 50_000, b"text\tid" + b"\t" * 100_000 + b"\na\tb" * 20_000])
def test_a_header_of_very_many_columns_costs_no_more_than_it_is_long(suffix: str, data: bytes) -> None:
    """Of equal names each was compared with all, for hours, and every short row was filled up with empty cells."""
    fuzzing.Limits().timed(lambda data: fuzzing.check_reader(suffix, data), data)


@pytest.mark.parametrize("suffix", [".md", ".mdx"])
@pytest.mark.parametrize("quotation", [b"> # q\nimpo\n", b"> ```\nb\n"])
def test_quotations_that_go_on_line_after_line_are_read_once_and_hide_no_heading_and_no_link(
    quotation: bytes, suffix: str
) -> None:
    """From each of them markdown-it read on to the next empty line, for minutes, for headings and again for links."""
    data = b"# A\n\n" + quotation * 5_000 + b"\n# B\n\n[words](http://a.b)\n"
    fuzzing.Limits().timed(lambda data: fuzzing.check_reader(suffix, data), data)
    [page] = read_text(data, "label", suffix=suffix)
    assert [path for _, path in page.sections] == ["A", "B"]
    assert page.text.endswith("\n# B\n\nwords\n")


@pytest.mark.parametrize("character", ["\x0c", "\x1b", "&#1;", "&#x1F;", "&#00011", "&#xfffe;", "&#xD800;", "&#99999;"])
def test_characters_that_are_in_no_xml_break_no_page(character: str) -> None:
    [page] = read_text(
        f"<table><td>a<ul><li>b{character}</ul></table><pre>x{character}y</pre>".encode(), "l", suffix=".html"
    )
    assert "x" in page.text and "y" in page.text


def test_a_page_of_very_many_short_paragraphs_is_read_in_a_moment() -> None:
    """justext compared each with its neighbours near and far, for most of a minute."""
    data = b"<html><body><p>text <table><tr>" + b"<td>b<ul><li>c</ul></td></t" * 7600
    fuzzing.Limits().timed(lambda data: fuzzing.check_reader(".html", data), data)


def test_comments_of_mdx_that_never_close_are_read_once() -> None:
    """Each opening was followed to the end of the text, for minutes; `timed` allows 10 seconds."""
    fuzzing.Limits().timed(lambda data: fuzzing.check_reader(".mdx", data), b"{/*" * 200_000)


def test_an_opening_that_never_closes_hides_no_heading() -> None:
    [page] = read_text(b"# A\n{/* # b */}\n# C\n\n{/* # D\n\n# E\n", "label", suffix=".mdx")
    assert isinstance(page, Document)
    assert [path for _, path in page.sections] == ["A", "C", "E"]


def test_a_filter_error_is_one_line_also_where_the_filter_is_not() -> None:
    with pytest.raises(FilterError) as fault:
        parse("n `a\nb`")
    assert str(fault.value).endswith("found `a b`")
    assert "\n" not in str(fault.value)


# -- numbers that are none


@pytest.fixture(scope="module")
def searcher(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    searcher = Searcher(tmp_path_factory.mktemp("numbers") / "index", tiny_bert)
    searcher.add_texts(["river bank", "hello world"])
    return searcher


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_query_that_is_no_vector_of_numbers_is_named_by_its_row(searcher: Searcher, bad: float) -> None:
    vectors = np.ones((4, 32), np.float32)
    vectors[2, 7] = bad
    with pytest.raises(BadValue, match=r"^query vector 3 has a NaN or infinite component$"):
        searcher.search(vectors)
    with pytest.raises(BadValue, match=r"^the query vector has a NaN or infinite component$"):
        searcher.search(vectors[2])
    vectors[2] = 0
    with pytest.raises(BadValue, match=r"^query vector 3 is all zeros, which has no direction$"):
        searcher.search(vectors)


@pytest.mark.parametrize("bad", [math.nan, math.inf, np.float32("nan"), [1, {"deep": -math.inf}]])
def test_metadata_with_a_number_that_is_none_is_named_and_nothing_is_written(searcher: Searcher, bad: Any) -> None:
    head = searcher.engine.database.head()
    with pytest.raises(BadValue, match=r"^metadata 2: -?(nan|inf) is not a number that can be stored$"):
        searcher.add_texts(["a", "b"], metadatas=[{"n": 1}, {"n": bad}])
    assert searcher.engine.database.head() == head
    report = searcher.add_documents([Document("s", "text", metadata={"n": bad})])
    assert [failure.source for failure in report.failed] == ["s"]
    assert "is not a number that can be stored" in report.failed[0].reason
