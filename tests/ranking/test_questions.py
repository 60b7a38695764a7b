"""What may be called a question, several questions, a filter's value and metadata."""

from enum import Enum
from pathlib import Path

import numpy as np
import pytest
import torch

from searcher import Searcher
from searcher.errors import BadValue

Language = Enum("Language", {"ENGLISH": "en", "GERMAN": "de"}, type=str)  # as many were made before StrEnum


class Level(Enum):
    HIGH = 3


TEXTS = ["the river", "the bank", "open a boat"]


@pytest.fixture(scope="module")
def s(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    searcher = Searcher(tmp_path_factory.mktemp("questions") / "index", model=tiny_bert)
    metadatas = [
        {"lang": Language.ENGLISH, "draft": np.bool_(True), "n": np.int64(1), "x": np.float32(0.5), "tags": np.array(["a", "b"])},
        {"lang": Language.GERMAN, "draft": np.bool_(False), "n": np.int8(2), "level": Level.HIGH},
        {"lang": np.str_("fr"), "n": 3},
    ]  # fmt: skip
    searcher.add_texts(np.array(TEXTS), ids=iter(np.array([10, 11, 12])), metadatas=metadatas)
    return searcher


def ids(hits: list) -> list[str]:  # type: ignore[type-arg]
    return [hit.id for hit in hits]


QUESTIONS = ["a river", "my bank"]


@pytest.mark.parametrize(
    "several",
    [
        QUESTIONS, tuple(QUESTIONS), np.array(QUESTIONS), np.array(QUESTIONS, dtype=object), (q for q in QUESTIONS),
        dict.fromkeys(QUESTIONS).keys(), map(np.str_, QUESTIONS),
    ],
    ids=lambda several: type(several).__name__,
)  # fmt: skip
@pytest.mark.parametrize("options", [{}, {"highlight": True}, {"mode": "hybrid", "rerank": "maxsim"}], ids=str)
def test_whatever_holds_texts_is_a_list_of_questions(s: Searcher, several: object, options: dict[str, object]) -> None:
    if iter(several) is several:  # type: ignore[call-overload]
        several = iter(QUESTIONS)  # a generator of its own for each run
    found = s.search(several, 2, **options)
    assert [ids(hits) for hits in found] == [ids(s.search(question, 2, **options)) for question in QUESTIONS]


@pytest.mark.parametrize("one", [np.str_("a river"), np.array("a river"), Enum("Q", {"A": "a river"}).A], ids=repr)  # type: ignore[attr-defined]
def test_a_text_in_another_dress_is_one_question(s: Searcher, one: object) -> None:
    assert ids(s.search(one, 3)) == ids(s.search("a river", 3))


def test_numbers_are_a_vector_and_lists_of_them_vectors(s: Searcher) -> None:
    vectors = s.embedder.embed(QUESTIONS, "query")
    expected = [[(hit.id, hit.score) for hit in s.search(vector, 3)] for vector in vectors]
    for one in (vectors[0].tolist(), tuple(vectors[0]), torch.from_numpy(vectors[0]), (float(x) for x in vectors[0])):
        assert [(hit.id, hit.score) for hit in s.search(one, 3)] == expected[0]
    for several in (
        vectors,
        vectors.tolist(),
        list(vectors),
        torch.from_numpy(vectors),
        [torch.from_numpy(v) for v in vectors],
    ):
        assert [[(hit.id, hit.score) for hit in hits] for hits in s.search(several, 3)] == expected


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (b"river", "the query is not a text: b'river'"),
        (7, "the query is not a text: 7"),
        ({"text": 1}.items(), "query is not a text"),
        ([[0.5, 1.0], [0.5]], "query vectors of unlike lengths: 1, 2"),
        (["a", 1.5], "query 2 is not a text: 1.5"),
        ([True, False], "query 1 is not a text: True"),
    ],
)
def test_what_is_no_question_is_named(s: Searcher, query: object, said: str) -> None:
    with pytest.raises(BadValue, match=said):
        s.search(query)


def test_the_questions_of_a_faq_are_read_once(tiny_bert: Path, tmp_path: Path) -> None:
    file = tmp_path / "faq.jsonl"
    file.write_text(
        '{"question": "the river", "answer": "yes"}\n{"question": "the bank", "answer": "no"}\n', encoding="utf-8"
    )
    with Searcher(tmp_path / "index", model=tiny_bert) as faq:
        faq.add_faq(file)
        for several in (iter(["the river", "the bank"]), np.array(["the river", "the bank"])):
            assert [ranked[0].answer for ranked in faq.faq.rank(several)] == ["yes", "no"]  # type: ignore[arg-type]
        assert [ranked[0].answer for ranked in faq.faq.rank("the bank")] == ["no"]


def test_metadata_of_numpy_and_enums_are_their_values(s: Searcher) -> None:
    stored = {row["id"]: row["metadata"] for row in s.listing()}
    assert stored == {
        "10": {"lang": "en", "draft": True, "n": 1, "x": 0.5, "tags": ["a", "b"]},
        "11": {"lang": "de", "draft": False, "n": 2, "level": 3},
        "12": {"lang": "fr", "n": 3},
    }


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"lang": Language.GERMAN}, ["11"]),
        ({"draft": np.bool_(False)}, ["11"]),
        ({"draft": np.True_}, ["10"]),
        ({"n": np.int32(3)}, ["12"]),
        ({"x": np.float64(0.5)}, ["10"]),
        ({"n": np.array([1, 2])}, ["10", "11"]),
        ({"n": {1, 3}}, ["10", "12"]),
        ({"lang": (Language.ENGLISH, np.str_("fr"))}, ["10", "12"]),
        ({"level": Level.HIGH}, ["11"]),
    ],
    ids=str,
)
def test_values_of_numpy_and_enums_filter_as_their_values(
    s: Searcher, where: dict[str, object], expected: list[str]
) -> None:
    assert sorted(ids(s.search("river", 9, where))) == expected
