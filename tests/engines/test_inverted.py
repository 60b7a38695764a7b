"""The postings beside the database rank as FTS5 does, to the last bit, whatever came, went and broke."""

import json
import random
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searcher import Searcher
from searcher.engines.inverted import PostingsAsked
from searcher.engines.keyword_table import KeywordTable
from searcher.engines.words import best_by_words, rarest, terms
from searcher.filters import parse
from searcher.postings import Collection, Part, Segment, joining, merged
from searcher.store import way_of_words
from searcher.store.keyword_index import enter, leave, spaced
from searcher.store.schema import KEYWORDS
from searcher.store.tokenized import segment_of
from searcher.vectors import cachefile

FILE = "words.postings"
DAMAGED = f"{FILE} is damaged or was made by another user; searcher check --repair makes it anew"
WORDS = [
    *"the of and river bank banks banking money water boat boats window Café cafe élan ÉLAN straße x 2026 𝔘".split(),
    "首都", "東京都", "กรุงเทพ", "दिल्ली", "e\u0301lan", "wasser\u00adleitung", "don't", "a-b_c", "\U0001e900",
]  # fmt: skip
# The ways to find the best, each of which has to be right however few passages there are.
WAYS = {
    "collection.ENOUGH": st.sampled_from([0, 0.2, 20]),
    "collection.NARROW": st.sampled_from([0, 8, 256]),
    "joining.kernels": st.sampled_from([joining.kernels, lambda: None]),
}
SHARES = [1 / (place + 1) ** 1.2 for place in range(len(WORDS))]
texts_of_words = st.lists(st.sampled_from([*WORDS, "C++", ".net", "🎂", "\u0301"]), max_size=14).map(" ".join)
questions = st.lists(
    st.sampled_from([*WORDS, "riv*", "b*", "*", "ca*", "東*", "never", "zz*", "a\u20ddb", "C++", "🎂", "\u0301"]),
    max_size=7,
).map(" ".join)
EVERY = [
    "the river",
    "bank of the river and water",
    "b*",
    "首都 東京",
    "the",
    "never",
    "the of and x 2026 café money",
    "C++ 🎂 .net",
    "",
]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEARCHER_POSTINGS", "1")
    monkeypatch.setenv("SEARCHER_DELTA", "6")


def drawn(chance: random.Random, most: int = 12) -> str:
    """A text of words of which a few are common."""
    return " ".join(chance.choices(WORDS, SHARES, k=chance.randint(0, most)))


def put(searcher: Searcher, texts: dict[str, str]) -> None:
    """Texts under their ids, each one passage, with vectors that mean nothing; every third is on a side."""
    vectors = np.random.default_rng(len(texts)).standard_normal((len(texts), 4)).astype(np.float32)
    sides = [{"side": len(key) + len(text)} for key, text in texts.items()]
    searcher.put(list(texts.values()), list(texts), sides, vectors=vectors)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, chance = tmp_path_factory.mktemp("made") / "index", random.Random(0)
    with pytest.MonkeyPatch.context() as patch, Searcher(folder, vectors="none") as searcher:
        patch.setenv("SEARCHER_POSTINGS", "1")
        put(searcher, {f"d{number}": drawn(chance) for number in range(120)})
    return folder


@pytest.fixture
def searcher(made: Path, tmp_path: Path) -> Iterator[Searcher]:
    with Searcher(shutil.copytree(made, tmp_path / "index")) as searcher:
        yield searcher


def both(searcher: Searcher, question: str, k: int, where: str | None, others: Sequence[int]) -> list[Any]:
    """What the postings and FTS5 have for a question: ids, scores bit by bit, and the rarest words of these."""
    engine = searcher.engine
    words, ids = terms(question), np.sort(np.array(others, np.int64))
    with engine.database.reading() as connection:
        allowed = engine.allowed(parse(where)) if where else None
        answers = []
        for holding in (engine.inverted.asked(words), KeywordTable(connection)):
            assert holding is not None
            found, scores = best_by_words(holding, words, k, allowed, others)
            answers.append([found.tolist(), scores.tobytes(), rarest(holding, words, ids).tobytes()])
    return answers


def assert_alike(searcher: Searcher, asked: Sequence[str] = EVERY, k: int = 5, where: str | None = None) -> None:
    for question in asked:
        ours, theirs = both(searcher, question, k, where, searcher.engine.passage_ids()[::7].tolist())
        assert ours == theirs


def inode(searcher: Searcher) -> int:
    return (searcher.folder / FILE).stat().st_ino


# -- the same ranking


def held(texts: Sequence[str], went: set[int], base: int) -> tuple[sqlite3.Connection, Collection]:
    """Texts with ids from 1 on, of which some went, in a database and as postings of two parts, the first of `base`."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE passages (id INTEGER PRIMARY KEY, text TEXT)")
    for statement in KEYWORDS:
        connection.execute(statement)
    connection.executemany("INSERT INTO passages VALUES (?, ?)", enumerate(texts, 1))
    enter(connection, enumerate(texts, 1))
    gone, some = json.dumps(sorted(went)), "SELECT value FROM json_each(?)"
    leave(connection, some, [gone])
    connection.execute(f"DELETE FROM passages WHERE id IN ({some})", [gone])
    ids, spelled = np.arange(1, len(texts) + 1), [spaced(text) for text in texts]
    left = np.array(sorted(number - 1 for number in went if number <= min(base, len(texts))), np.int32)
    late = [(segment_of(ids[[at]], [spelled[at]]), None) for at in range(base, len(texts)) if at + 1 not in went]
    parts = Part(segment_of(ids[:base], spelled[:base]), left), Part(merged(late), np.empty(0, np.int32))
    return connection, Collection(parts)


numbers = st.sets(st.integers(1, 60))
corpora = st.lists(texts_of_words, min_size=1, max_size=24) | st.builds(
    lambda seed: [drawn(random.Random(seed + number)) for number in range(60)], st.integers(0, 9999)
)


@settings(max_examples=100)
@given(
    corpora, st.lists(questions, min_size=1, max_size=6), st.integers(1, 9), numbers, st.integers(0, 60),
    st.none() | numbers, numbers, st.fixed_dictionaries(WAYS),
)  # fmt: skip
def test_the_ranking_of_any_passages_is_that_of_fts5(
    texts: list[str], asked: list[str], k: int, went: set[int], base: int, wanted: set[int] | None, others: set[int],
    ways: dict[str, Any],
) -> None:  # fmt: skip
    connection, postings = held(texts, went, base)
    allowed = None if wanted is None else np.array(sorted(wanted), np.int64)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ways.items():
            patch.setattr(f"searcher.postings.{name}", value)
        for question in asked:
            words, ids = terms(question), np.array(sorted(others), np.int64)
            if (ours := PostingsAsked.of(postings, words)) is not None:
                found = [
                    [*best_by_words(holding, words, k, allowed, [*others]), rarest(holding, words, ids)]
                    for holding in (ours, KeywordTable(connection))
                ]
                assert [own.tolist() for own in found[0]] == [own.tolist() for own in found[1]]
    connection.close()


places = st.sets(st.integers(0, 99)).map(lambda held: np.array(sorted(held), np.int32))


@given(
    places, st.lists(places, max_size=4), st.sampled_from([np.uint8, np.uint16, np.uint32, np.int64]), st.floats(0, 9),
    st.none() | st.sets(st.integers(0, 99)), st.integers(0, 9999), st.sampled_from([100, 5000, 9001]),
)  # fmt: skip
def test_words_are_united_and_joined_in_c_as_in_numpy_to_the_last_bit(
    known: np.ndarray, holding: list[np.ndarray], width: Any, bar: float, counting: set[int] | None, seed: int,
    total: int,
) -> None:  # fmt: skip
    if joining.kernels() is None:
        pytest.skip("they were not built")
    chance, apart = np.random.default_rng(seed), total // 100
    mask = None if counting is None else np.isin(np.arange(total) // apart, [*counting])
    lengths = chance.integers(1, 90, total).astype(np.int32)
    lists = [
        joining.Weighed(
            own * np.int32(apart), chance.integers(1, min(np.iinfo(width).max, 100_000), len(own)).astype(width),
            float(chance.random()) * 4, float(chance.random()) * 6,
        )
        for own in holding
    ]  # fmt: skip
    hand = joining.Hand(known * np.int32(apart), chance.random(len(known)) * 6)
    found: list[list[bytes]] = []
    for unite, join in ((joining.unite, joining.join), (joining._united, joining._joined)):
        hands = unite(lists, lengths, 23.4, bar, 2.5, mask), join(hand, lists, lengths, 23.4, bar)
        found.append([array.tobytes() for own in hands for array in own])
    assert found[0] == found[1]


def test_a_part_whose_passages_are_shorter_than_most_by_now_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("searcher.postings.collection.ENOUGH", 0)
    base = [*["river"] * 10, *["x"] * 30, f"boat {'x ' * 69}"]
    connection, postings = held([*base, *["the " * 400] * 2], set(), len(base))
    words = terms("boat river")
    ours, theirs = PostingsAsked.of(postings, words), KeywordTable(connection)
    assert ours is not None
    assert best_by_words(ours, words, 1)[0].tolist() == best_by_words(theirs, words, 1)[0].tolist() == [1]
    connection.close()


changes = st.one_of(
    st.tuples(st.just("put"), st.lists(st.integers(0, 150), min_size=1, max_size=12, unique=True)),
    st.tuples(st.just("remove"), st.lists(st.integers(0, 120), min_size=1, max_size=12, unique=True)),
    st.tuples(st.sampled_from(["reopen", "publish", "compact", "other"]), st.just([])),
)


@settings(max_examples=8)
@given(st.lists(changes, min_size=1, max_size=6), st.lists(questions, min_size=1, max_size=3), st.integers(0, 99))
def test_after_any_history_the_ranking_is_that_of_fts5(
    made: Path, tmp_path_factory: pytest.TempPathFactory, history: list[Any], asked: list[str], seed: int
) -> None:
    chance, folder = random.Random(seed), tmp_path_factory.mktemp("history") / "index"
    asked = [question for question in asked if "\u20dd" not in question]
    searcher, other = Searcher(shutil.copytree(made, folder)), Searcher(folder)
    for what, numbers in history:
        if what == "put":
            put(searcher, {f"d{number}": drawn(chance) for number in numbers})
        elif what == "remove":
            there = {row["id"] for row in searcher.listing()}
            searcher.remove(ids=[key for number in numbers if (key := f"d{number}") in there])
        elif what == "reopen":
            searcher.close()
        elif what == "other":
            searcher, other = other, searcher
        else:
            {"publish": searcher.engine.inverted.publish, "compact": searcher.compact}[what]()
        assert_alike(searcher, [*asked, "the river bank"], 4)
        assert_alike(searcher, asked, 4, "side > 40")
    assert searcher.check() == []
    assert_alike(other)
    searcher.close()
    other.close()


def test_equals_stand_in_the_order_of_their_ids_across_what_was_added_since(searcher: Searcher) -> None:
    put(searcher, {f"new{number}": "unheard words" for number in range(3)})
    put(searcher, {"d7": "unheard words"})
    found = searcher.search("unheard", 10, mode="keyword")
    assert [hit.id for hit in found] == ["new0", "new1", "new2", "d7"]
    assert len({hit.score for hit in found}) == 1
    assert_alike(searcher, ["unheard words of the river"])


def test_a_word_that_a_passage_holds_a_thousand_times_is_counted_in_full(searcher: Searcher) -> None:
    put(searcher, {"many": "river " * 1000, "long": "é" * 40_000, "more": "river " * 70_000})
    assert_alike(searcher, ["river", "é" * 40_000, f"{'é' * 30}*"])
    searcher.engine.inverted.publish(anew=True)
    assert_alike(searcher, ["river", "é" * 40_000])


def test_what_is_several_words_to_fts5_is_asked_of_it(searcher: Searcher) -> None:
    put(searcher, {"circled": "q\u20ddz stands here", "apart": "z q"})
    words = terms("q\u20ddz")
    with searcher.engine.reading():
        assert searcher.engine.inverted.asked(words) is None
    assert [hit.id for hit in searcher.search("q\u20ddz", mode="keyword")] == ["circled"]


# -- the file


def test_few_changes_leave_the_file_alone_and_many_write_it_anew(searcher: Searcher) -> None:
    before = inode(searcher)
    put(searcher, {"new": "river of money"})
    searcher.remove(ids=["d3"])
    assert inode(searcher) == before
    assert_alike(searcher)
    put(searcher, {f"d{number}": "river bank" for number in range(10, 20)})
    assert inode(searcher) != before
    stamp = cachefile.stamp_of(searcher.folder / FILE)
    assert stamp is not None
    assert (stamp.generation, stamp.count) == (searcher.engine.database.head().generation, 120)
    assert_alike(searcher)
    assert searcher.check() == []


def test_a_small_index_has_no_file(searcher: Searcher, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEARCHER_POSTINGS", "121")
    with Searcher(searcher.folder) as another:
        another.engine.inverted.publish()
        assert not (searcher.folder / FILE).exists()
        put(another, {"d120": "one more"})
        assert (searcher.folder / FILE).exists()


def test_what_was_removed_is_not_in_the_file_after_compact(searcher: Searcher) -> None:
    put(searcher, {f"secret{number}": "quetzalcoatl" for number in range(20)})
    assert b"quetzalcoatl" in (searcher.folder / FILE).read_bytes()
    searcher.remove(ids=[f"secret{number}" for number in range(20)])
    searcher.compact()
    assert b"quetzalcoatl" not in (searcher.folder / FILE).read_bytes()
    assert_alike(searcher)


def test_a_rebuilt_faiss_file_leaves_the_words_their_history(searcher: Searcher) -> None:
    put(searcher, {"new": "river of money"})
    before = inode(searcher)
    searcher.engine.snapshots.rebuild("flat", needed=searcher.engine.inverted.generation())
    with Searcher(searcher.folder) as another:
        assert inode(another) == before
        assert_alike(another)


# -- the file missing, damaged, stale or another's


def answers(folder: Path) -> list[Any]:
    with Searcher(folder) as searcher:
        return [
            [(hit.id, hit.score) for hit in searcher.search(question, 20, mode="keyword")] for question in EVERY[:-1]
        ]


def damages(data: bytes) -> list[bytes]:
    chance = random.Random(0)
    places = [*chance.sample(range(len(data)), 40), *range(len(data) - 40, len(data))]
    flipped = [data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :] for at in places]
    return [b"", *(data[:at] for at in chance.sample(range(len(data)), 20)), data + b"x", *flipped]


def test_no_damage_to_the_file_changes_an_answer(searcher: Searcher) -> None:
    path, right = searcher.folder / FILE, answers(searcher.folder)
    data = path.read_bytes()
    for damaged in damages(data):
        path.write_bytes(damaged)
        assert answers(searcher.folder) == right
        with Searcher(searcher.folder) as another, another.engine.reading():
            assert another.engine.inverted.current() is None
    path.write_bytes(data)
    with Searcher(searcher.folder) as another, another.engine.reading():
        assert another.engine.inverted.current() is not None


def test_check_finds_a_damaged_file_and_repair_makes_it_anew(searcher: Searcher) -> None:
    path = searcher.folder / FILE
    path.write_bytes(path.read_bytes()[:-100])
    assert searcher.check() == [DAMAGED]
    assert searcher.repair().findings == [DAMAGED]
    assert searcher.check() == []
    assert_alike(searcher)


def test_a_damaged_file_of_an_index_without_passages_is_no_finding(searcher: Searcher) -> None:
    searcher.delete(where="source is not null")
    (searcher.folder / FILE).write_bytes(b"nothing of ours")
    assert searcher.check() == []


def test_the_faiss_file_in_the_place_of_the_words_is_damage(searcher: Searcher) -> None:
    path, right = searcher.folder / FILE, answers(searcher.folder)
    searcher.engine.snapshots.rebuild()
    path.write_bytes((searcher.folder / "vectors.faiss").read_bytes())
    assert searcher.check() == [DAMAGED]
    assert answers(searcher.folder) == right


def test_the_words_in_the_place_of_the_faiss_file_are_damage(searcher: Searcher) -> None:
    def nearest(folder: Path) -> list[Any]:
        with Searcher(folder) as another:
            return [(hit.id, hit.score) for hit in another.search(np.ones(4, np.float32), 20)]

    path = searcher.folder / "vectors.faiss"
    damaged, right = DAMAGED.replace(FILE, path.name), nearest(searcher.folder)
    path.write_bytes((searcher.folder / FILE).read_bytes())
    assert searcher.check() == [damaged]
    assert nearest(searcher.folder) == right
    path.write_bytes((searcher.folder / FILE).read_bytes())
    assert searcher.repair().findings == [damaged]
    assert searcher.check() == []


def test_check_finds_a_sound_file_with_other_words(searcher: Searcher) -> None:
    path = searcher.folder / FILE
    stamp = cachefile.stamp_of(path)
    assert stamp is not None
    body = cachefile.load(path, stamp)
    assert body is not None
    held = Segment.read(body)
    places = held.places.copy()
    places[0] += 1
    wrong = Segment(held.ids, held.lengths, held.letters, held.spelled, held.starts, places, held.counts, held.most)
    cachefile.save(path, wrong.write, stamp)
    assert searcher.check() == [
        f"{FILE} does not hold the words of the passages; searcher check --repair makes it anew"
    ]


def test_a_missing_file_is_made_by_the_next_add(searcher: Searcher) -> None:
    right = answers(searcher.folder)
    (searcher.folder / FILE).unlink()
    assert answers(searcher.folder) == right
    assert searcher.check() == []
    put(searcher, {"new": "x"})
    assert_alike(searcher)


def test_a_file_of_another_history_is_not_used(searcher: Searcher, tmp_path: Path) -> None:
    branch = shutil.copytree(searcher.folder, tmp_path / "branch")
    with Searcher(branch) as other:
        put(other, {f"d{number}": "never money" for number in range(30)})
    put(searcher, {f"d{number}": "river of never" for number in range(30)})
    right = answers(searcher.folder)
    shutil.copy(branch / FILE, searcher.folder / FILE)
    assert answers(searcher.folder) == right
    assert searcher.check() == []
    shutil.copy(searcher.folder / "vectors.faiss", searcher.folder / FILE)
    assert answers(searcher.folder) == right


def test_a_file_of_another_user_is_not_used(
    searcher: Searcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another"))
    with Searcher(searcher.folder) as another, another.engine.reading():
        assert another.engine.inverted.current() is None
    searcher.engine.inverted.rebuild()
    with Searcher(searcher.folder) as another:
        assert_alike(another)


def test_a_file_of_another_way_of_words_is_not_used(searcher: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    assert way_of_words() == way_of_words()
    monkeypatch.setattr("searcher.engines.inverted.way_of_words", lambda: "of another SQLite")
    with Searcher(searcher.folder) as another, another.engine.reading():
        assert another.engine.inverted.current() is None


def test_a_file_that_cannot_be_written_fails_no_add(searcher: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cachefile, "save", full)
    (searcher.folder / FILE).unlink()
    put(searcher, {f"new{number}": "river bank" for number in range(20)})
    assert searcher.engine.publish() is False
    assert [hit.id for hit in searcher.search("river bank", 1, mode="keyword")]


def test_a_passage_damaged_in_the_database_makes_no_file(searcher: Searcher) -> None:
    with searcher.engine.database.writing() as connection:
        connection.execute("UPDATE passages SET text = 'another text' WHERE id = 5")
    (searcher.folder / FILE).unlink()
    assert searcher.engine.inverted.publish() is False
    assert not (searcher.folder / FILE).exists()
