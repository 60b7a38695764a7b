"""A hit in a web page names the line of the file, whatever the text was made of."""

import re
from pathlib import Path

import pytest

from searcher import Searcher
from searcher.readers import read_text
from searcher.records import Document
from searcher.text import line_at

PAGE = """<!DOCTYPE html>
<html><head><title>Harbour</title>
<style>p { color: black }
</style></head>
<body>
<nav><a href="/">Home</a></nav>

<h1>The harbour</h1>
<p>Boats sail
at noon.</p>


<h2>Prices</h2>
<ul>
<li>A berth is free.</li>
<li>Tea costs money.</li>
</ul>
<pre>
first line of code
second line of code
</pre>
</body></html>
"""


@pytest.mark.parametrize(
    ("words", "line"),
    [("The harbour", 8), ("Boats sail", 9), ("Prices", 13), ("A berth", 15), ("Tea costs", 16)],
)
def test_each_block_knows_its_line(words: str, line: int) -> None:
    [document] = read_text(PAGE.encode(), "page.html", suffix=".html")
    assert isinstance(document, Document)
    assert line_at(document, document.text.index(words)) == line


def test_hits_in_a_page_name_the_line_of_the_file(tiny_bert: Path, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(PAGE, encoding="utf-8")
    with Searcher(tmp_path / "index", tiny_bert, chunk_tokens=8) as searcher:
        searcher.add(file)
        lines = PAGE.splitlines()
        hits = searcher.search("tea", k=20)
        assert len(hits) > 3
        for hit in hits:
            [first, *_] = re.findall("[A-Za-z]+|[.:]", hit.text)
            assert first in lines[hit.line - 1] + lines[hit.line], hit  # at most the line on which its paragraph begins
        [wanted] = searcher.search("tea costs money", k=1, mode="keyword", where="line >= 13")
        assert wanted.line in (15, 16)
        assert searcher.check() == []
