"""Each filter in docs/filters.md finds what is said there."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from searcher import Searcher
from searcher.filters import parse

PAGE = (Path(__file__).parents[2] / "docs" / "filters.md").read_text(encoding="utf-8")
CASES = [
    (where, found)
    for where, found in re.findall(r"^\| `(.+)` \| ?([a-d, ]*) ?\|$", PAGE, re.MULTILINE)
    if where != "all"
]


@pytest.fixture(scope="module")
def searcher(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    [lines] = re.findall(r"```jsonl\n(.*?)```", PAGE, re.DOTALL)
    rows = [json.loads(line) for line in lines.splitlines()]
    with Searcher(tmp_path_factory.mktemp("docs") / "index", tiny_bert) as searcher:
        metadatas = [{key: value for key, value in row.items() if key not in ("id", "text")} for row in rows]
        searcher.add_texts([row["text"] for row in rows], ids=[row["id"] for row in rows], metadatas=metadatas)
        yield searcher


@pytest.mark.parametrize(("where", "found"), CASES)
def test_a_filter_of_the_page_finds_what_it_says(searcher: Searcher, where: str, found: str) -> None:
    assert [each["id"] for each in searcher.listing(where)] == re.findall(r"\w", found)


def test_the_page_has_examples_of_all_parts_of_the_language() -> None:
    assert len(CASES) > 35
    for word in (
        "like",
        "contains",
        "icontains",
        "any(",
        "all(",
        "any (",
        "all (",
        "date(",
        "empty",
        "null",
        "metadata.",
    ):
        assert any(word in where for where, _ in CASES), word


def test_the_python_of_the_page_makes_filters() -> None:
    dicts, tree = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert [parse(eval(line)) for line in dicts.splitlines()]
    names: dict[str, object] = {}
    exec(tree, names)
    assert parse(names["tree"]) == names["tree"]  # type: ignore[arg-type]
