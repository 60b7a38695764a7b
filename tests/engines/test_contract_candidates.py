"""What a hybrid search asks of engines: candidates, with as much of a passage as it is ranked by, and those shown, whole."""

from pathlib import Path

import numpy as np
import pytest
from contract import Oracle, units

from searcher import Searcher
from searcher.engines import Engine
from searcher.errors import DamagedIndex
from searcher.filters import parse

QUESTIONS = units(3, np.random.default_rng(2))
WORDS = ["river", "bank", "boat", "water", "stone", "field", "tower", "bridge"]


@pytest.mark.parametrize("where", [None, "lang = 'en'"])
def test_candidates_are_the_nearest_hits_and_whole_hits_are_those(
    read: tuple[Engine, Oracle], where: str | None
) -> None:
    engine, _ = read
    tree = None if where is None else parse(where)
    with engine.reading():
        hits, candidates = engine.nearest(QUESTIONS, 7, tree), engine.candidates(QUESTIONS, 7, tree)
        whole = engine.whole_hits(candidates)
    for expected, found, shown in zip(hits, candidates, whole, strict=True):
        assert [(score, own.passage_id, own.text) for score, own in found] == [
            (score, row.passage_id, row.text) for score, row in expected
        ]
        assert [np.array_equal(a[1].vector, b[1].vector) for a, b in zip(found, expected, strict=True)] == [True] * 7
        assert [(score, row[:12], row.place) for score, row in shown] == [
            (score, row[:12], row.place) for score, row in expected
        ]


def test_what_passages_are_ranked_by_is_what_their_rows_say(read: tuple[Engine, Oracle]) -> None:
    engine, _ = read
    ids = engine.passage_ids()[::3].tolist()
    rows, found = engine.rows(ids), engine.ranked_by(ids)
    assert {number: own.text for number, own in found.items()} == {number: row.text for number, row in rows.items()}
    assert all(np.array_equal(own.vector, rows[number].vector) for number, own in found.items())
    assert engine.ranked_by([]) == {} and engine.whole_hits([[], []]) == [[], []]
    with pytest.raises(DamagedIndex):
        engine.ranked_by([*ids, 10**15])


def filled_folder(folder: Path) -> Searcher:
    searcher = Searcher(folder)
    words = np.random.default_rng(0).choice(WORDS, (40, 6))
    searcher.add_texts([" ".join(row) for row in words.tolist()])
    return searcher


def changed(searcher: Searcher, statement: str, number: int) -> None:
    with searcher.engine.database.writing(changes=False) as connection:  # type: ignore[attr-defined]
        connection.execute(statement, [number])


def test_a_candidate_that_is_not_what_was_stored_is_an_error_though_it_is_not_shown(tmp_path: Path) -> None:
    with filled_folder(tmp_path / "index") as searcher:
        hits = searcher.search("boat on the river", 40, mode="hybrid")
        changed(searcher, "UPDATE passages SET section = 'another' WHERE id = ?", hits[-1].passage_id)
        with pytest.raises(DamagedIndex, match=f"passage {hits[-1].passage_id} is not what was stored"):
            searcher.search("boat on the river", 3, mode="hybrid")


def test_a_document_that_is_not_what_was_stored_is_an_error_where_its_passage_is_shown(tmp_path: Path) -> None:
    with filled_folder(tmp_path / "index") as searcher:
        hits = searcher.search("boat on the river", 40, mode="hybrid")
        statement = "UPDATE documents SET title = 'another' WHERE id = (SELECT document FROM passages WHERE id = ?)"
        changed(searcher, statement, hits[-1].passage_id)
        assert searcher.search("boat on the river", 3, mode="hybrid") == hits[:3]
        changed(searcher, statement, hits[1].passage_id)
        with pytest.raises(DamagedIndex, match=r"document .* is not what was stored"):
            searcher.search("boat on the river", 3, mode="hybrid")


def test_a_question_is_embedded_again_where_another_process_embedded_the_index_otherwise(tmp_path: Path) -> None:
    with filled_folder(tmp_path / "index") as searcher, Searcher(tmp_path / "index") as other:
        searcher.search("boat on the river", 3)
        other.reindex(pooling="cls")
        assert searcher.search("boat on the river", 3) == other.search("boat on the river", 3)
        assert searcher.search("boat on the river", 3, mode="hybrid") == other.search(
            "boat on the river", 3, mode="hybrid"
        )


def test_as_many_passages_are_held_as_are_counted(read: tuple[Engine, Oracle]) -> None:
    engine, _ = read
    assert engine.passages_held() == engine.counts()["passages"] == len(engine.passage_ids())


def test_whether_hits_answer_is_told_the_same_right_after_the_search_and_by_whoever_did_not_search(
    tmp_path: Path,
) -> None:
    with filled_folder(tmp_path / "index") as searcher, Searcher(tmp_path / "index") as other:
        for mode in ("dense", "hybrid"):
            hits = searcher.search("boat on the river", 3, mode=mode)
            told = searcher.presence("boat on the river", hits)
            searcher.search("a tower of stone", 3, mode=mode)
            for own in (searcher, other):  # embedded again, perhaps by another forward pass
                again = own.presence("boat on the river", hits)
                assert told and again and again.probability == pytest.approx(told.probability, abs=1e-6)
