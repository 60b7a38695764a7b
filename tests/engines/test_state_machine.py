"""Any order of writes, kills, reopenings and damage to the cache: after each step the index answers as brute force does."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
import torch
from brute_force import (
    CHUNK_TOKENS,
    COLUMNS,
    FILTERS,
    METADATA,
    POOLINGS,
    QUESTIONS,
    TEXTS,
    Held,
    Oracle,
    Vectors,
    spans,
)
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from models import save_bert
from second_process import SecondProcess

from searcher import Searcher
from searcher.errors import BadValue, UnknownName
from searcher.records import Passage

KEYS = list("abcdefgh")
PIECES = 50  # of the long run
OTHER = 2  # the second process, beside two Searchers of this one
UPKEEP = ["reindex", *(["compact"] if hasattr(Searcher, "compact") else [])]

document = st.builds(Held, st.sampled_from(KEYS), st.sampled_from(TEXTS), st.sampled_from(METADATA))
batches = st.lists(document, min_size=1, max_size=5, unique_by=lambda held: held.key)
who, anyone = st.integers(0, OTHER - 1), st.integers(0, OTHER)
share = st.floats(0, 1, exclude_max=True)
calls = st.integers(1, 90)  # into SQLite and the file system; few writes make more


class Index(RuleBasedStateMachine):
    """Two Searchers and a second process on one folder, and the oracle of what it holds."""

    place: Path  # for folders
    vectors: Vectors
    second: SecondProcess
    foreign: list[bytes]  # caches of other indexes

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=self.place)) / "index"
        self.oracle = Oracle(self.vectors)
        self.searchers: dict[int, Searcher] = {}
        self.acting = 0
        self.generation = 0
        self.ids: dict[tuple[str, int], int] = {}  # the id of each passage there is
        self.highest = 0  # that any passage ever had
        self.keys: set[str] = set()  # of metadata, of all documents that ever were
        self.caches: list[bytes] = []  # older states of the cache
        self.backup: Any = None

    def teardown(self) -> None:
        self.close_all()
        shutil.rmtree(self.folder.parent)

    def searcher(self, who: int) -> Searcher:
        self.acting = who
        if who not in self.searchers:
            self.searchers[who] = Searcher(self.folder)
        return self.searchers[who]

    def close_all(self) -> None:
        for who in list(self.searchers):
            self.searchers.pop(who).close()
        self.second.ask(self.folder, "close")

    def ask(self, who: int, method: str, **arguments: Any) -> Any:
        """The answer of one of the Searchers or of the second process."""
        if who == OTHER:
            return self.second.ask(self.folder, method, **arguments)
        answer = getattr(self.searcher(who), method)(**arguments)
        return vars(answer) if method == "add_texts" else answer

    def killed(self, who: int, method: str, call: int, **arguments: Any) -> bool:
        """Whether what a killed process wrote is there: it may be or not, but after its end it must be."""
        ended = self.second.ask(self.folder, method, kill_at=call, **arguments)
        generation = self.searcher(who).status()["generation"]
        assert generation in (self.generation, self.generation + 1)
        return bool(ended) or generation > self.generation

    def some(self) -> st.SearchStrategy[list[str]]:
        """One or two of the documents there are."""
        return st.lists(st.sampled_from(sorted(self.oracle.documents)), min_size=1, max_size=2, unique=True)

    def cache_files(self) -> list[Path]:
        return [file for file in self.folder.iterdir() if not file.name.startswith("searcher.db") and file.is_file()]

    def wrote(self, added: Sequence[Held] = (), removed: Sequence[str] = ()) -> None:
        """Enter one commit, if there was anything to write."""
        changed = self.oracle.changes(added)
        self.generation += bool(changed or removed)
        self.oracle.remove(removed)
        self.oracle.add(changed)
        gone = {held.key for held in changed} | set(removed)
        self.ids = {name: number for name, number in self.ids.items() if name[0] not in gone}
        self.keys = self.keys | {name for held in added for name in held.metadata}

    # -- writes

    @initialize(batch=batches)
    def make(self, batch: list[Held]) -> None:
        self.searchers[0] = Searcher(self.folder, self.vectors.model, pooling=POOLINGS[0], chunk_tokens=CHUNK_TOKENS)
        self.generation = 1  # the settings are a commit of their own
        self.add(0, batch)

    @rule(who=anyone, batch=batches)
    def add(self, who: int, batch: list[Held]) -> None:
        changed = self.oracle.changes(batch)
        report = self.ask(who, "add_texts", **_columns(batch))
        assert report["documents"] == len(changed)
        assert report["unchanged"] == len(batch) - len(changed)
        assert report["passages"] == sum(len(spans(held.text)) for held in changed)
        self.wrote(added=batch)

    @precondition(lambda self: self.oracle.documents)
    @rule(who=anyone, data=st.data())
    def add_what_is_there(self, who: int, data: st.DataObject) -> None:
        self.add(who, [self.oracle.documents[name] for name in data.draw(self.some())])

    @precondition(lambda self: self.oracle.documents)
    @rule(who=anyone, data=st.data())
    def remove(self, who: int, data: st.DataObject) -> None:
        keys = data.draw(self.some())
        assert self.ask(who, "remove", ids=keys) == len(keys)
        self.wrote(removed=keys)

    @rule(who=who, batch=batches, bad=st.sampled_from(["twice", "surrogate", "metadata", "length", "unknown"]))
    def ask_for_what_is_refused(self, who: int, batch: list[Held], bad: str) -> None:
        columns = _columns(batch)
        wrong: dict[str, Any] = {
            "twice": ("ids", [*columns["ids"][:-1], columns["ids"][0]] if len(batch) > 1 else [""]),
            "surrogate": ("texts", [*columns["texts"][:-1], "\ud800"]),
            "metadata": ("metadatas", [*columns["metadatas"][:-1], {"x": object()}]),
            "length": ("texts", [*columns["texts"], "x"]),
        }
        with pytest.raises(BadValue):
            if bad == "unknown":
                self.searcher(who).remove(ids=[*list(self.oracle.documents)[:2], "nobody"])
            else:
                name, values = wrong[bad]
                self.searcher(who).add_texts(**columns | {name: values})

    @rule(who=anyone, method=st.sampled_from(UPKEEP))
    def do_upkeep(self, who: int, method: str) -> None:
        self.ask(who, method)
        self.generation = max(self.generation, self.searcher(self.acting).status()["generation"])

    @rule(who=who, pooling=st.sampled_from(POOLINGS))
    def embed_again(self, who: int, pooling: str) -> None:
        self.close_all()  # the first asked for a pooling, and would go on asking
        self.searcher(who).reindex(pooling=pooling)
        self.oracle.pooling = pooling
        self.generation += 1
        self.ids = {}

    # -- kills: the second process is killed before some call into SQLite or the file system

    @rule(who=who, batch=batches, call=calls)
    def kill_an_add(self, who: int, batch: list[Held], call: int) -> None:
        if self.killed(who, "add_texts", call, **_columns(batch)):
            self.wrote(added=batch)

    @precondition(lambda self: self.oracle.documents)
    @rule(who=who, call=calls, data=st.data())
    def kill_a_removal(self, who: int, call: int, data: st.DataObject) -> None:
        keys = data.draw(self.some())
        if self.killed(who, "remove", call, ids=keys):
            self.wrote(removed=keys)

    @rule(who=who, method=st.sampled_from(UPKEEP), call=calls)
    def kill_upkeep(self, who: int, method: str, call: int) -> None:
        self.killed(who, method, call)
        self.generation = self.searcher(who).status()["generation"]

    # -- backups: a copy of the database alone

    @rule()
    def back_up(self) -> None:
        self.close_all()
        state = copy(self.oracle), self.generation, self.ids, self.highest, self.keys
        self.backup = (self.folder / "searcher.db").read_bytes(), state

    @precondition(lambda self: self.backup)
    @rule()
    def restore(self) -> None:
        """What follows has the generations and the ids that were given before, and the cache of that other history."""
        self.close_all()
        data, (oracle, *rest) = self.backup
        (self.folder / "searcher.db").write_bytes(data)
        self.oracle = copy(oracle)
        self.generation, self.ids, self.highest, self.keys = rest

    @rule(held=document, text=st.sampled_from(TEXTS))
    def roll_back_a_write(self, held: Held, text: str) -> None:
        """Another write then has its generation and ids; the cache of the first lies there again."""
        self.back_up()
        self.add(0, [held])
        first = {file: file.read_bytes() for file in self.cache_files()}
        self.restore()
        self.add(0, [replace(held, text=text)])
        self.close_all()
        for file, data in first.items():
            file.write_bytes(data)

    # -- the cache file

    @rule(who=who)
    def reopen(self, who: int) -> None:
        if who in self.searchers:
            self.searchers.pop(who).close()
        self.searcher(who)

    @rule(
        who=who,
        data=st.data(),
        at=share,
        bit=st.integers(0, 7),
        damage=st.sampled_from(["gone", "cut", "flip", "other"]),
    )
    def damage_the_cache(self, who: int, data: st.DataObject, at: float, bit: int, damage: str) -> None:
        """Other Searchers keep what they have open; one is opened on what there is now."""
        for file in self.cache_files():
            whole = file.read_bytes()
            self.caches.append(whole)
            others = [*self.foreign, *self.caches]
            place = int(at * len(whole))
            changed = {
                "gone": b"",
                "cut": whole[:place],
                "flip": whole[:place]
                + bytes(byte ^ 1 << bit for byte in whole[place : place + 1])
                + whole[place + 1 :],
                "other": others[int(at * len(others))],
            }[damage]
            file.unlink()
            if damage != "gone":
                file.write_bytes(changed)
        self.reopen(who)

    # -- answers

    @rule(who=anyone, question=st.sampled_from(QUESTIONS), k=st.integers(1, 40))
    def search(self, who: int, question: str, k: int) -> None:
        self.oracle.verify(self.ask(who, "search", query=question, k=k), self.oracle.question(question), k)

    @rule(who=who, questions=st.lists(st.sampled_from(QUESTIONS), min_size=1, max_size=4), k=st.integers(1, 40))
    def search_for_several(self, who: int, questions: list[str], k: int) -> None:
        answers = self.searcher(who).search(questions, k)
        for question, hits in zip(questions, answers, strict=True):
            self.oracle.verify(hits, self.oracle.question(question), k)

    @rule(who=who, seed=st.integers(0, 9), k=st.integers(1, 40), least=st.none() | st.floats(-1, 1))
    def search_for_a_vector(self, who: int, seed: int, k: int, least: float | None) -> None:
        vector = np.random.default_rng(seed).normal(size=self.oracle.question(QUESTIONS[0]).shape)
        hits = self.searcher(who).search(vector, k, min_score=least)
        self.oracle.verify(hits, vector, k, min_score=-2 if least is None else least)

    @rule(who=who, filter=st.sampled_from(FILTERS), question=st.sampled_from(QUESTIONS), k=st.integers(1, 40))
    def search_under_a_filter(self, who: int, filter: tuple[Any, str, Any], question: str, k: int) -> None:
        where, name, allowed = filter
        vector = self.oracle.question(question)
        there = {each for held in self.oracle.documents.values() for each in held.metadata} | COLUMNS
        try:
            hits = self.searcher(who).search(vector, k, where)
        except UnknownName:
            assert self.oracle.documents
            assert name not in there
        else:
            assert name in there | self.keys or not self.oracle.documents
            self.oracle.verify(hits, vector, k, allowed)

    @precondition(lambda self: self.oracle.documents)
    @rule(who=who, data=st.data(), k=st.integers(1, 40))
    def look_for_similar_ones(self, who: int, data: st.DataObject, k: int) -> None:
        name = data.draw(st.sampled_from(sorted(self.oracle.documents)))
        mean = self.oracle.mean(name)
        if mean is None:
            with pytest.raises(BadValue, match="no text"):
                self.searcher(who).similar(name, k)
        else:
            hits = self.searcher(who).similar(name, k)
            self.oracle.verify(hits, mean, k, lambda held, _: held.key != name)

    # -- after each step

    @invariant()
    def all_is_there_and_nothing_else(self) -> None:
        if not self.generation:
            return
        searcher = self.searcher(self.acting)
        vector = self.oracle.question(QUESTIONS[0])
        hits = searcher.search(vector, k=10**6)
        self.oracle.verify(hits, vector, 10**6)
        assert searcher.check() == []
        status = searcher.status()
        assert status["generation"] == self.generation
        assert (status["documents"], status["passages"]) == (len(self.oracle.documents), len(hits))
        self._ids_are_kept_and_never_given_again(hits)

    def _ids_are_kept_and_never_given_again(self, hits: list[Passage]) -> None:
        found = {(str(hit.id), hit.start): hit.passage_id for hit in hits}
        new = {name: number for name, number in found.items() if name not in self.ids}
        assert {name: found[name] for name in self.ids} == self.ids
        assert all(number > self.highest for number in new.values()), (new, self.highest)
        self.ids, self.highest = found, max([self.highest, *found.values()])


def _columns(batch: list[Held]) -> dict[str, list[Any]]:
    keys, texts, metadatas = zip(*((held.key, held.text, held.metadata) for held in batch), strict=True)
    return {"texts": list(texts), "ids": list(keys), "metadatas": list(metadatas)}


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """So small are the steps that on a busy machine threads would mostly wait for each other."""
    before = faiss.omp_get_max_threads(), torch.get_num_threads()
    faiss.omp_set_num_threads(1)
    torch.set_num_threads(1)
    yield
    faiss.omp_set_num_threads(before[0])
    torch.set_num_threads(before[1])


@pytest.fixture(scope="module")
def machine(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[type[Index]]:
    place = tmp_path_factory.mktemp("states")
    vectors = Vectors(save_bert(place / "model", layers=2, width=16, heads=2))
    foreign = []
    for name, model in [("same", vectors.model), ("wide", save_bert(place / "wide", layers=2, width=32))]:
        with Searcher(place / name, model, chunk_tokens=CHUNK_TOKENS) as other:
            other.add_texts(TEXTS[1:6], ids=KEYS[:5])
        foreign += [file.read_bytes() for file in (place / name).iterdir() if not file.name.startswith("searcher.db")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEARCHER_DELTA", "3")  # small, so that it is passed often: histories here are short
        with SecondProcess() as second:
            parts = {"place": place, "vectors": vectors, "second": second, "foreign": foreign}
            yield type("Machine", (Index,), parts)


ANY = settings(database=None, suppress_health_check=list(HealthCheck), print_blob=True)


def test_any_order_of_writes_kills_and_damage_leaves_the_answers_of_brute_force(machine: type[Index]) -> None:
    run = settings(ANY, max_examples=70, stateful_step_count=50, derandomize=True)
    run_state_machine_as_test(machine, settings=run)


@pytest.mark.faults
@pytest.mark.parametrize("piece", range(PIECES))
def test_no_long_history_ends_in_a_wrong_answer(machine: type[Index], piece: int) -> None:
    run_state_machine_as_test(machine, settings=settings(ANY, max_examples=5_000 // PIECES, stateful_step_count=100))
