"""Errors come through borders between processes as they were."""

import copy
import multiprocessing
import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from searcher import Embedder, Searcher, errors
from searcher.engines.milvus.faults import Denied, Unmade
from searcher.errors import BadValue, FilterError, SearcherError, SettingsMismatch, UnknownName, UnreadableFile
from searcher.readers import Unsupported

EXAMPLES: list[SearcherError] = [
    SearcherError("anything"),
    BadValue("k is 0; good: 1 and more"),
    UnknownName("pooling", "avg", ["max", "cls"]),
    FilterError("a value is expected", "n =", 4),
    UnreadableFile("a.txt", "not UTF-8"),
    Unsupported("a.pdf", "PDF"),
    errors.ModelError("no model"),
    SettingsMismatch("pooling", "mean", "cls", "reindex"),
    errors.DamagedIndex("damaged"),
    errors.IndexUnavailable("locked"),
    Denied("no token"),
    Unmade("no graph"),
]


def kinds(kind: type[SearcherError] = SearcherError) -> Iterator[type[SearcherError]]:
    """Every class of error there is."""
    yield kind
    for below in kind.__subclasses__():
        yield from kinds(below)


def raising(number: int) -> None:
    raise EXAMPLES[number]


def ask(searcher: Searcher) -> tuple[str, str]:
    with searcher:
        return searcher.search("river", 1)[0].text, searcher.settings.pooling


def test_there_is_an_example_of_every_kind_of_error() -> None:
    assert set(kinds()) == set(map(type, EXAMPLES))


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_is_the_same_after_pickle_and_copy(error: SearcherError) -> None:
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is type(error)
        assert (str(again), again.args, again.__dict__) == (str(error), error.args, error.__dict__)


@pytest.mark.timeout(60)
def test_a_pool_hands_every_error_on_and_does_not_hang() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        for number, error in enumerate(EXAMPLES):
            with pytest.raises(type(error)) as caught:
                pool.apply(raising, (number,))
            assert (str(caught.value), caught.value.__dict__.keys() - {"__cause__"}) == (
                str(error),
                error.__dict__.keys(),
            )


def test_a_pickled_or_copied_searcher_opens_the_same_index_anew(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Searcher("index", model=tiny_bert, pooling="max") as s:
        s.add_texts(["the river", "the bank"])
        before = s.search("river", 1)[0].score
        other = tmp_path / "other"
        other.mkdir()
        monkeypatch.chdir(other)  # a relative folder leads to the same place
        for again in (pickle.loads(pickle.dumps(s)), copy.deepcopy(s), copy.copy(s)):
            assert again is not s
            assert again.engine is not s.engine
            assert again.search("river", 1)[0].score == before
            again.close()
        assert s.search("river", 1)[0].score == before  # it is open still
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            assert pool.apply(ask, (s,)) == ("the river", "max")


def test_a_pickled_or_copied_embedder_gives_the_same_vectors(tiny_bert: Path) -> None:
    settings = [{}, {"pooling": "mean_max", "layers": "-2:", "combine": "sum"}, {"pooling": "REDUCE_MEAN", "normalize": False},
                {"pooling": "pooler", "prompts": {"query": "q: "}, "max_seq_length": 20}]  # fmt: skip
    for given in settings:
        embedder = Embedder(tiny_bert, **given)  # type: ignore[arg-type]
        vectors = embedder.embed(["the river", "the bank"], "query")
        for again in (pickle.loads(pickle.dumps(embedder)), copy.deepcopy(embedder)):
            assert again.embed(["the river", "the bank"], "query").tobytes() == vectors.tobytes()


def test_texts_to_embed_come_in_whatever_holds_them(tiny_bert: Path) -> None:
    embedder, texts = Embedder(tiny_bert), ["the river", "the bank"]
    vectors = embedder.embed(texts)
    for held in (np.array(texts), tuple(texts), iter(texts), (text for text in texts), map(np.str_, texts)):
        assert embedder.embed(held).tobytes() == vectors.tobytes()
    assert embedder.embed(zip(texts, texts, strict=True)).shape == (2, 32)  # pairs
