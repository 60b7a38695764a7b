"""The contract of engines for questions by words: the same passages as in an index folder, or a line that says why not."""

from pathlib import Path

import numpy as np
import pytest
from contract import SETTINGS, Place, prepared

from searcher.engines import Engine, LocalEngine
from searcher.errors import BadValue
from searcher.filters import Holds, Not, parse

WORDS = [
    "the bank of the river", "money in the bank", "hello world", "a boat is tied to the bank", "Größe und Straße",
    "日本の首都は東京です", "running runs ran", "near water, near money", "x61 x62 bank", "Café CAFÉ cafe",
]  # fmt: skip


def test_words_find_the_same_passages_as_in_a_folder(place: Place, engine: Engine, tmp_path: Path) -> None:
    local = LocalEngine(tmp_path / "other", create=True)
    local.settle(SETTINGS)
    items = [prepared(f"d{number}", [text], metadata={"n": number}) for number, text in enumerate(WORDS)]
    for at in (local, engine):
        at.write(items)
    if not getattr(engine, "has_words", True):
        with pytest.raises(BadValue, match=r"cannot be asked by words; Milvus has words since 2\.5"):
            engine.by_words("bank", 3)
        with pytest.raises(BadValue, match="cannot be asked by words"):
            engine.rarest("bank", engine.passage_ids())
        return

    def found(at: Engine, question: str, where: str | None) -> list[str]:
        ids, scores = at.by_words(question, 10, None if where is None else parse(where))
        assert (np.diff(scores) <= 0).all()
        assert (scores > 0).all()
        rows = at.rows(ids.tolist())
        return [rows[number].source for number in ids.tolist()]

    for where in (None, "n >= 3"):
        for question in ("bank", "river money", "größe", "首都", "東京 water", "run", "cafe", "nothing", "?", "x61"):
            assert set(found(engine, question, where)) == set(found(local, question, where)), question
            assert found(engine, question, where)[:1] == found(local, question, where)[:1], question
    for phrase in ("the bank", "bank the", "首都は", "near money", "CAFE"):
        expected = {row.source for row in local.rows(local.allowed(Holds(phrase)).tolist()).values()}
        for tree, wanted in (
            (Holds(phrase), expected),
            (Not(Holds(phrase)), {item.document.source for item in items} - expected),
        ):
            assert {row.source for row in engine.rows(engine.allowed(tree).tolist()).values()} == wanted, phrase
    ids = engine.passage_ids()
    [only] = engine.documents_of("source", "d1").values()
    assert (
        engine.by_words("river", 1, others=engine.passage_ids(only).tolist())[0].tolist()
        == engine.passage_ids(*engine.documents_of("source", "d0").values()).tolist()
    )
    assert engine.rarest("bank", ids).shape == ids.shape
    local.close()
