"""PDFs whose fonts do not say how high they are: lines are as high as others, whichever letters they begin with."""

import pytest
from made_pdf import made_pdf, page_of

from searcher.readers import read_text
from searcher.records import Document


def document_of(pieces: list[tuple[float, float, float, str]]) -> Document:
    [document] = read_text(made_pdf([pieces], has_heights=False), "a.pdf", suffix=".pdf")
    assert isinstance(document, Document)
    return document


@pytest.mark.parametrize("begins", ["anemones", "great", "jolly", "(some", "yet"])
@pytest.mark.parametrize("ends", ["rose", "slope,", "being", "(grey)"])
def test_a_line_within_a_paragraph_is_neither_a_heading_nor_another_paragraph(begins: str, ends: str) -> None:
    text = f"Nobody in the village believed that pears\n{begins} were ever to come from such a {ends}\nwhere we saw moss and ferns."
    document = document_of(page_of(f"{text}\n\nAnother one ends here."))
    assert document.text == f"{text}\n\nAnother one ends here." and document.sections == ()


def test_a_larger_line_is_a_heading_all_the_same() -> None:
    document = document_of(
        [(72.0, 750.0, 16.0, "Of sea moss"), *page_of("A line of moss.\nOne more of us.\n" * 3, top=700)]
    )
    assert [path for _, path in document.sections] == ["Of sea moss"]
