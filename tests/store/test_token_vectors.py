"""Token vectors that are kept: the answers are those without them, whatever happened to the index or to the file."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from models import WORDS

from searcher import Embedder, Searcher
from searcher.cli.program import cli
from searcher.embedding import OwnTokens
from searcher.errors import BadValue

QUESTIONS = ["river bank", "the answer of the model", "money"]
COUNT = 24


def text(number: int) -> str:
    return " ".join(random.Random(number).choices(WORDS, k=150 if number % 7 == 0 else 12))


@pytest.fixture(scope="module")
def made(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of 24 documents, some of several passages, whose token vectors are kept."""
    folder = tmp_path_factory.mktemp("tokens") / "index"
    with Searcher(folder, tiny_bert) as searcher:
        searcher.add_texts([text(number) for number in range(COUNT)], ids=[f"d{number}" for number in range(COUNT)])
        searcher.keep_token_vectors()
    return folder


@pytest.fixture
def searcher(made: Path, tmp_path: Path) -> Iterator[Searcher]:
    with Searcher(shutil.copytree(made, tmp_path / "index")) as searcher:
        yield searcher


def kept(searcher: Searcher) -> set[int]:
    """Passages of which they are kept, as sqlite3 reads the file."""
    connection = sqlite3.connect(searcher.folder / "tokens.db")
    try:
        return {number for (number,) in connection.execute("SELECT id FROM tokens")}
    finally:
        connection.close()


def alter(searcher: Searcher, *statements: str) -> None:
    connection = sqlite3.connect(searcher.folder / "tokens.db", isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def passages(searcher: Searcher) -> set[int]:
    return set(searcher.engine.passage_ids().tolist())


def assert_as_computed(searcher: Searcher) -> None:
    """Every reranked answer is what it is when nothing is kept; what is computed is rounded to float16 as what is kept."""
    own = searcher.embedder.own_tokens

    def rounded(_: Embedder, texts: list[str], kind: Any = "passage") -> list[OwnTokens]:
        found = own(texts, kind)
        return found if kind == "query" else [OwnTokens(ids, np.float32(np.float16(v))) for ids, v in found]

    for mode in ("dense", "hybrid"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Embedder, "own_tokens", rounded)
            with_them = searcher.search(QUESTIONS, 12, mode=mode, rerank="maxsim")
            patch.setattr(searcher.engine, "token_vectors", lambda texts: {})
            without = searcher.search(QUESTIONS, 12, mode=mode, rerank="maxsim")
        for one, other in zip(with_them, without, strict=True):
            expected = {hit.passage_id: hit.score for hit in other}
            assert {hit.passage_id: hit.score for hit in one} == pytest.approx(expected, abs=0.005)


def read_texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts of passages whose tokens are embedded from now on."""
    seen: list[str] = []
    own: Callable[..., Any] = Embedder.own_tokens

    def watched(self: Embedder, texts: Sequence[str], kind: Any = "passage") -> Any:
        seen.extend(texts if kind == "passage" else [])
        return own(self, texts, kind)

    monkeypatch.setattr(Embedder, "own_tokens", watched)
    return seen


def test_only_the_question_is_embedded_and_the_answers_are_the_same(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kept(searcher) == passages(searcher)
    seen = read_texts(monkeypatch)
    searcher.search(QUESTIONS, rerank="maxsim")
    searcher.search(QUESTIONS, mode="hybrid", rerank="maxsim")
    assert seen == []
    assert_as_computed(searcher)


def test_what_is_kept_is_the_tokens_ids_and_vectors_in_half_precision(searcher: Searcher) -> None:
    with searcher.engine.reading():
        texts = {number: row.text for number, row in searcher.engine.rows(passages(searcher)).items()}
    found = searcher.engine.token_vectors(texts)
    for number, own in zip(texts, searcher.embedder.own_tokens(list(texts.values())), strict=True):
        np.testing.assert_array_equal(found[number].ids, own.ids)
        np.testing.assert_allclose(found[number].vectors, own.vectors, atol=2**-11)
        np.testing.assert_array_equal(found[number].vectors, found[number].vectors.astype(np.float16))


def test_a_text_without_tokens_of_its_own_is_kept_too(searcher: Searcher) -> None:
    searcher.add_texts([" ", "\u200b"], ids=["blank", "nothing"])
    assert kept(searcher) == passages(searcher)
    assert_as_computed(searcher)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 30), st.integers(0, 99)),
        st.tuples(st.just("remove"), st.integers(0, 30), st.just(0)),
        st.tuples(st.sampled_from(["compact", "reopen", "lose", "spoil", "repair"]), st.just(0), st.just(0)),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
@example([("spoil", 0, 0), ("lose", 0, 0)])
def test_after_any_history_nothing_of_what_is_gone_is_kept_and_no_answer_is_another(
    made: Path, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    searcher = Searcher(shutil.copytree(made, tmp_path_factory.mktemp("history") / "index"))
    spoiled = False
    for step, number, seed in steps:
        if step == "add":
            searcher.add_texts([text(seed)], ids=[f"d{number}"])
            spoiled = spoiled and not (searcher.folder / "tokens.db").exists()
        elif step == "remove":
            searcher.delete([f"d{number}"])
        elif step == "compact":
            searcher.compact()
        elif step == "reopen":
            searcher.close()
            searcher = Searcher(searcher.folder)
        elif step == "lose":
            (searcher.folder / "tokens.db").unlink(missing_ok=True)
            spoiled = False
        elif step == "repair":
            searcher.repair()
            spoiled = False
        elif (searcher.folder / "tokens.db").exists():
            searcher.close()
            (searcher.folder / "tokens.db").write_bytes(b"SQLite format 3\0 and then nothing that is one")
            searcher, spoiled = Searcher(searcher.folder), True
        if (searcher.folder / "tokens.db").exists() and not spoiled:
            assert kept(searcher) <= passages(searcher)
    assert_as_computed(searcher)
    assert bool(searcher.check()) == spoiled
    searcher.close()


def test_what_is_removed_or_replaced_is_kept_no_more(searcher: Searcher) -> None:
    before = (searcher.folder / "tokens.db").stat().st_size
    searcher.delete([f"d{number}" for number in range(15)])
    searcher.add_texts(["an account of money"], ids=["d20"])
    assert kept(searcher) == passages(searcher)
    searcher.compact()
    assert (searcher.folder / "tokens.db").stat().st_size < 0.7 * before
    assert_as_computed(searcher)


def test_a_row_that_is_not_what_was_kept_is_computed_and_told(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    alter(searcher, "UPDATE tokens SET kept = zeroblob(length(kept)) WHERE id = 3")
    assert_as_computed(searcher)
    assert searcher.check() == [
        "the token vectors of passage 3 are not what was kept; searcher check --repair makes it anew"
    ]
    assert searcher.repair().kept is None
    assert searcher.check() == []
    searcher.add_texts(["hello"], ids=["new"])
    assert kept(searcher) == passages(searcher)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER INSERT ON tokens BEGIN DELETE FROM tokens; END",
        "DROP TABLE made_with",
        "ALTER TABLE tokens ADD COLUMN more",
    ],
)
def test_a_file_that_is_laid_out_otherwise_is_not_read(searcher: Searcher, statement: str) -> None:
    alter(searcher, statement)
    assert_as_computed(searcher)
    assert "tokens.db is not as searcher makes it" in searcher.check()[0]
    searcher.add_texts(["hello"], ids=["new"])  # makes it anew
    assert (searcher.check(), kept(searcher)) == ([], passages(searcher))


def test_a_file_of_another_history_is_not_believed(searcher: Searcher, tiny_bert: Path, tmp_path: Path) -> None:
    with Searcher(tmp_path / "other", tiny_bert) as other:
        other.add_texts([text(number + 500) for number in range(9)])
        other.keep_token_vectors()
    shutil.copy(tmp_path / "other" / "tokens.db", searcher.folder / "tokens.db")
    assert_as_computed(searcher)


def test_embedded_again_they_are_those_of_the_new_settings(searcher: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    searcher.reindex(prompts={"passage": "text of "}, chunk_tokens=20, overlap=0)
    assert kept(searcher) == passages(searcher)
    seen = read_texts(monkeypatch)
    searcher.search(QUESTIONS, rerank="maxsim")
    assert seen == []
    assert_as_computed(searcher)


KILLED = """
import os, signal, sys
from searcher import Searcher
from searcher.ingest import keeping
keeping.PIECE = 3
searcher, left = Searcher(sys.argv[1]), int(sys.argv[2])
own = searcher.embedder.own_tokens
def counted(*args):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    return own(*args)
searcher.embedder.own_tokens = counted
searcher.keep_token_vectors()
"""


def test_killed_in_between_it_goes_on_from_there(searcher: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    searcher.drop_token_vectors()
    searcher.close()
    done = subprocess.run([sys.executable, "-c", KILLED, str(searcher.folder), "5"], env=os.environ, check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(kept(searcher)) == 12
    assert searcher.check() == []
    assert_as_computed(searcher)
    seen = read_texts(monkeypatch)
    searcher.add_texts([text(0)], ids=["d0"])  # unchanged
    assert len(seen) == len(passages(searcher)) - 12
    assert kept(searcher) == passages(searcher)


def test_an_index_of_given_vectors_keeps_none(tmp_path: Path) -> None:
    with Searcher(tmp_path / "index", vectors="a model", dimension=2) as given:
        given.put(["hello"], ["a"], vectors=[[1, 0]])
        with pytest.raises(BadValue):
            given.keep_token_vectors()
        given.drop_token_vectors()
    assert not (tmp_path / "index" / "tokens.db").exists()


def test_the_command_line_keeps_them_says_how_large_they_are_and_remembers(tiny_bert: Path, tmp_path: Path) -> None:
    def run(*args: object) -> str:
        return CliRunner().invoke(cli, [*map(str, args), "-i", str(tmp_path / "i")], catch_exceptions=False).stdout

    (tmp_path / "a.txt").write_text(text(0), encoding="utf-8")
    (tmp_path / "b.txt").write_text(text(1), encoding="utf-8")
    file = tmp_path / "i" / "tokens.db"
    assert "token vectors" not in run("add", tmp_path / "a.txt", "-m", tiny_bert)
    run("add", tmp_path / "a.txt", "--token-vectors", "--dry-run")
    assert not file.exists()
    out = run("add", tmp_path / "a.txt", "--token-vectors").splitlines()[-1]
    assert out.startswith("token vectors of 3 passages are kept: 0.0 MB, ")
    assert out.endswith("kB a passage")
    assert '"token_vectors": 4' in run("add", tmp_path / "b.txt", "--json")
    assert f'"token_bytes": {file.stat().st_size}' in run("status", "--json")
    run("remove", tmp_path / "a.txt")
    assert '"token_vectors": 1' in run("status", "--json")
    run("add", tmp_path / "a.txt", "--no-token-vectors")
    assert not file.exists()
    assert '"token_vectors": 0' in run("status", "--json")
