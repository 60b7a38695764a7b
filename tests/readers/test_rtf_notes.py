"""Notes and comments in RTF: each once, and what stands within one below it, without a trace of how it is marked."""

import pytest
from test_embedded import items

from searcher.records import Document


def text_of(body: str) -> str:
    [document] = (
        item for item in items(rb"{\rtf1 " + body.encode() + b"}", ".rtf", ocr=False) if isinstance(item, Document)
    )
    return document.text


@pytest.mark.parametrize(
    ("within", "below"),
    [
        (r"{\*\atnauthor Ann}{\*\annotation Why?}", "\n\n[Ann: Why?]"),
        (r"{\shp{\*\shpinst{\sp{\sn gtextUNICODE}{\sv Drawn}}}}", "\n\nDrawn"),
        (r"{\*\shppict{\pict\pngblip 00}}", ""),
        (r"{\footnote Deeper{\footnote Deepest}}", "\n\nDeeper\n\nDeepest"),
    ],
)
@pytest.mark.parametrize(("kind", "around"), [("footnote", "Note"), (r"*\annotation", "[Note]")])
def test_what_stands_within_a_note_is_below_it(within: str, below: str, kind: str, around: str) -> None:
    body = rf"Before{{\{kind} Note{within}}}\par After\par"
    assert text_of(body) == f"Before\n\n{around}{below}\n\nAfter"


@pytest.mark.parametrize(("kind", "around"), [("footnote", "Note"), (r"*\annotation", "[Note]")])
def test_a_note_after_an_empty_one_stands_once_where_it_is(kind: str, around: str) -> None:
    body = rf"One{{\{kind} }}\par Two{{\{kind} Note}}\par"
    assert text_of(body) == f"One\n\nTwo\n\n{around}"


def test_a_table_in_a_note_is_rows() -> None:
    assert text_of(r"One{\footnote Sums\par a\cell 1\cell\row b\cell 2\cell\row}\par Two") == (
        "One\n\nSums\na | 1\nb | 2\n\nTwo"
    )


def test_notes_within_notes_are_read_as_deep_as_groups_are() -> None:
    assert text_of("One" + r"{\footnote x" * 3000 + "}" * 3000).count("x") == 3000
