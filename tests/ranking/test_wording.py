"""What a question says of its words: phrases, words that may not be there, beginnings of words."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from searcher import Searcher
from searcher.ranking.wording import Wording, worded

TEXTS = {
    "code": "The boiler code has four digits and stands under the lid.",
    "kitchen": "In the kitchen the boiler has no code of four or five digits.",
    "boils": "Water boils at a hundred degrees, boiling it takes time.",
    "café": "Der Wasserkocher steht im Café, e-mail genügt.",
}


@pytest.fixture(scope="module")
def found(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., set[str]]:
    searcher = Searcher(tmp_path_factory.mktemp("words") / "index", model=tiny_bert)
    searcher.add_texts(TEXTS.values(), ids=list(TEXTS))

    def ids(question: str, mode: str = "keyword") -> set[str]:
        return {str(hit.id) for hit in searcher.search(question, 10, mode=mode)}

    return ids


@pytest.mark.parametrize(
    "question, ids",
    [
        ("boiler code", {"code", "kitchen"}),
        ('"boiler code"', {"code"}),
        ('"four digits"', {"code"}),
        ('digits "boiler code"', {"code"}),
        ("boiler -kitchen", {"code"}),
        ('boiler -"four digits"', {"kitchen"}),
        ('boiler -"FOUR Digits"', {"kitchen"}),
        ("boil*", {"code", "kitchen", "boils"}),
        ("boil* -boiler", {"boils"}),
        ("e-mail", {"café"}),
        ('"cafe"', {"café"}),
        ("-kitchen", {"kitchen"}),  # nothing else is left of it, so it is text as it stands
        ('"no such words" boiler', set()),
    ],
)
def test_words_find_what_they_say(found: Callable[..., set[str]], question: str, ids: set[str]) -> None:
    assert found(question) == ids


@pytest.mark.parametrize("question", ['boiler "four digits"', "boiler -kitchen"])
def test_hybrid_search_obeys_the_same_conditions(found: Callable[..., set[str]], question: str) -> None:
    assert found(question, "hybrid") - {"boils", "café"} == {"code"}
    assert "kitchen" not in found(question, "hybrid")


def test_dense_search_takes_a_question_as_the_model_would(tiny_bert: Path, tmp_path: Path) -> None:
    searcher = Searcher(tmp_path / "index", model=tiny_bert)
    searcher.add_texts(TEXTS.values(), ids=list(TEXTS))
    [hit, *_] = searcher.search('boiler "four digits" -kitchen')
    assert len(searcher.search('boiler "four digits" -kitchen')) == 4
    [vector] = searcher.embedder.embed(['boiler "four digits" -kitchen'], "query")
    assert hit.score == pytest.approx(
        max(float(row.vector @ vector) for key in TEXTS for row in searcher.passages(key)), abs=1e-5
    )


@given(st.text(alphabet='ab" -*,.5é', max_size=14))
def test_a_question_is_text_as_it_stands_unless_something_is_left_of_it(question: str) -> None:
    read = worded(question)
    assert isinstance(read, Wording)
    signs = {sign for sign in question if sign.isalnum()}
    said = "".join((read.text, *read.phrases, *read.without))
    assert {sign for sign in said if sign.isalnum()} == signs  # no letter is lost
    assert bool(signs) == any(sign.isalnum() for sign in read.text)
    assert not re.search(r"\*(?!\s|$)|(?:^|\s)\*", read.text)  # a star only ends a word


@pytest.mark.parametrize(
    "question, text",
    [
        ('a 5" pipe', 'a 5" pipe'),
        ("it was -5 degrees", "it was -5 degrees"),
        ("rock - paper", "rock - paper"),
        ('he said "', 'he said "'),
        ("well-known", "well-known"),
        ("2 * 3", "2   3"),
    ],
)
def test_marks_that_people_use_otherwise_are_text(question: str, text: str) -> None:
    assert worded(question) == Wording(text)
