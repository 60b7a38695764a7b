"""Words: BM25 against its formula, every script, any text as a question, and an index that is never out of step."""

import io
import json
import math
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models import WORDS

from searcher import Searcher
from searcher.cli import main
from searcher.errors import BadValue, DamagedIndex, SearcherError, UnknownName
from searcher.evaluation import evaluate, read_dataset
from searcher.filters import parse
from searcher.ranking.evidence import Evidence
from searcher.ranking.fusion import CANDIDATES, fuse
from searcher.ranking.hybrid import safe

INDEXES = Path(__file__).parents[1] / "indexes"
FAULT = "the keyword index does not hold the words of the passages; searcher check --repair makes it anew"
LONGEST_DIGITS = 2e-5  # float32, and the words that weigh 1e-6


def bm25(texts: Mapping[str, str], question: str) -> dict[str, float]:
    """Key → score of the texts that hold a word of the question: sqlite.org/fts5.html, "The bm25() function"."""
    words = {key: text.split() for key, text in texts.items()}
    average = sum(map(len, words.values())) / len(words)
    scores: dict[str, float] = {}
    for word in set(question.split()):
        holding = [key for key in words if word in words[key]]
        weight = max(math.log((len(words) - len(holding) + 0.5) / (len(holding) + 0.5)), 1e-6)
        for key in holding:
            count, length = words[key].count(word), len(words[key])
            part = count * 2.2 / (count + 1.2 * (1 - 0.75 + 0.75 * length / average))
            scores[key] = scores.get(key, 0) + weight * part
    return scores


def assert_bm25(searcher: Searcher, texts: Mapping[str, str], question: str, k: int = 1000, **how: Any) -> None:
    """The hits are the k best by the formula, whole and in order; equals may change places."""
    hits = searcher.search(question, k, mode="keyword", **how)
    scores = bm25(texts, question)
    best = sorted(scores.values(), reverse=True)[:k]
    assert [hit.score for hit in hits] == pytest.approx(best, abs=LONGEST_DIGITS)
    assert [scores[hit.id] for hit in hits] == pytest.approx(best, abs=LONGEST_DIGITS)
    assert [texts[hit.id] for hit in hits] == [hit.text for hit in hits]
    assert len({hit.passage_id for hit in hits}) == len(hits)
    assert all(hit.score > 0 for hit in hits)


@pytest.fixture(scope="module")
def changing(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    with Searcher(tmp_path_factory.mktemp("changing") / "index", tiny_bert) as searcher:
        searcher.add_texts(["money"])
        yield searcher


def put(searcher: Searcher, texts: Mapping[str, str]) -> None:
    """These are all the documents that there are."""
    old = [row["source"] for row in searcher.engine.listing()]
    searcher.add_texts(list(texts.values()), ids=list(texts))
    if gone := sorted(set(old) - set(texts)):
        searcher.remove(gone)


sentences = st.lists(st.sampled_from(WORDS[:24]), min_size=1, max_size=9).map(" ".join)


@settings(max_examples=40)
@given(st.lists(sentences, min_size=1, max_size=12), sentences, st.integers(1, 14))
def test_a_score_is_the_bm25_of_the_formula(changing: Searcher, texts: list[str], question: str, k: int) -> None:
    named = {f"d{number}": text for number, text in enumerate(texts)}
    put(changing, named)
    assert_bm25(changing, named, question, k)
    assert changing.check() == []


@pytest.fixture(scope="module")
def uneven(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Searcher, dict[str, str]]]:
    """800 passages in which a few words are common and most are rare; so many that common ones can be passed over."""
    chance = random.Random(0)
    share = [1 / (number + 1) ** 1.6 for number in range(40)]
    texts = {f"d{i}": " ".join(chance.choices(WORDS[:40], share, k=chance.randint(3, 9))) for i in range(800)}
    with Searcher(tmp_path_factory.mktemp("uneven") / "index", tiny_bert) as searcher:
        searcher.add_texts(list(texts.values()), ids=list(texts))
        yield searcher, texts


@settings(max_examples=60)
@given(st.lists(st.sampled_from(WORDS[:40]), min_size=1, max_size=8), st.integers(1, 6))
def test_passing_over_common_words_changes_no_answer(
    uneven: tuple[Searcher, dict[str, str]], question: list[str], k: int
) -> None:
    searcher, texts = uneven
    assert_bm25(searcher, texts, " ".join(question), k)


@pytest.mark.parametrize("k", [1, 7, 1000])
@pytest.mark.parametrize("count", [24, 25, 40])
def test_a_question_of_many_words_has_the_hits_of_the_formula_too(
    uneven: tuple[Searcher, dict[str, str]], count: int, k: int
) -> None:
    searcher, texts = uneven
    assert_bm25(searcher, texts, " ".join(WORDS[40 - count : 40]), k)


MANY = [first + second + third for first in "bcdfghklmn" for second in "aiou" for third in "bdfgklmnprtvxz"]
THIRD = "n = 0"


@pytest.fixture(scope="module")
def wordy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    """300 passages of some 60 out of 560 words, common and rare ones; 20 of them are there twice."""
    chance = random.Random(1)
    share = [1 / (number + 2) ** 0.8 for number in range(len(MANY))]
    texts = [" ".join(chance.choices(MANY, share, k=chance.randint(20, 100))) for _ in range(280)]
    with Searcher(tmp_path_factory.mktemp("wordy") / "index", vectors="a model", dimension=2) as searcher:
        metadata = [{"n": number % 3} for number in range(300)]
        searcher.put(texts + texts[:20], [str(n) for n in range(300)], metadata, vectors=np.ones((300, 2), np.float32))
        yield searcher


def in_one_query(searcher: Searcher, words: Sequence[str]) -> dict[int, float]:
    """Passage → BM25, as FTS5 sums it over all words at once, but for those that half of the passages hold."""
    match = "FROM keywords WHERE keywords MATCH ?"
    with searcher.engine.database.reading() as connection:
        held = {word: connection.execute(f"SELECT count(*) {match}", [word]).fetchone()[0] for word in words}
        telling = " OR ".join(word for word in words if 2 * held[word] < len(searcher.engine.passage_ids()))
        return dict(connection.execute(f"SELECT rowid, -bm25(keywords) {match}", [telling]))


@settings(max_examples=25)
@given(
    st.lists(st.sampled_from(MANY), min_size=100, max_size=len(MANY), unique=True), st.integers(1, 40),
    st.sampled_from([None, THIRD]), st.sets(st.integers(1, 300), max_size=5),
)  # fmt: skip
def test_a_question_of_hundreds_of_words_ranks_as_one_query_for_all_of_them(
    wordy: Searcher, words: list[str], k: int, where: str | None, others: set[int]
) -> None:
    whole = in_one_query(wordy, words)
    among = [number for number in whole if where is None or number % 3 == 1]
    ranked = sorted(among, key=lambda number: (-round(whole[number], 9), number))
    ids, scores = wordy.engine.by_words(" ".join(words), k, where and parse(where), sorted(others))
    assert ids.tolist() == ranked[:k] + [number for number in ranked[k:] if number in others]
    np.testing.assert_allclose(scores, [whole[number] for number in ids.tolist()], rtol=1e-6)


@settings(max_examples=40)
@given(st.lists(st.sampled_from(WORDS[2:40]), min_size=2, max_size=8), st.integers(1, 6), st.data())
def test_other_passages_have_their_score_wherever_they_rank(
    uneven: tuple[Searcher, dict[str, str]], question: list[str], k: int, data: st.DataObject
) -> None:
    engine = uneven[0].engine
    others = data.draw(st.lists(st.sampled_from(engine.passage_ids().tolist()), max_size=9, unique=True))
    whole = dict(zip(*(array.tolist() for array in engine.by_words(" ".join(question), 1000)), strict=True))
    ids, scores = engine.by_words(" ".join(question), k, None, others)
    assert ids.tolist() == [number for place, number in enumerate(whole) if place < k or number in others]
    assert scores.tolist() == [whole[number] for number in ids.tolist()]


def test_a_filter_chooses_passages_and_leaves_the_weights_of_words(changing: Searcher) -> None:
    texts = {
        f"d{number}": text for number, text in enumerate(["river bank", "bank money", "boat", "bank of the river"])
    }
    put(changing, texts)
    whole = {hit.id: hit.score for hit in changing.search("river bank", mode="keyword")}
    hits = changing.search("river bank", 2, "id in ('d1', 'd2', 'd3')", mode="keyword")
    assert {hit.id: hit.score for hit in hits} == {"d1": whole["d1"], "d3": whole["d3"]}


# -- scripts

SCRIPTS = {
    "tokyo": "日本の首都は東京です。",
    "beijing": "北京是中國的首都",
    "seoul": "대한민국의 수도는 서울특별시이다",
    "bangkok": "กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย",
    "delhi": "भारत की राजधानी नई दिल्ली है",
    "madrid": "La capital española está en el corazón de España",
    "athens": "Η πρωτεύουσα της Ελλάδας είναι η Αθήνα",
    "berlin": "Die längste Straße der Hauptstadt",
    "print": "The ﬁnest oﬃce, ｆｕｌｌ width",
    "code": "use --max_tokens=512 in C++ and don't stop running",
}


@pytest.fixture(scope="module")
def scripts(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    with Searcher(tmp_path_factory.mktemp("scripts") / "index", tiny_bert) as searcher:
        searcher.add_texts(list(SCRIPTS.values()), ids=list(SCRIPTS))
        yield searcher


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("首都", {"tokyo", "beijing"}), ("東京はどこ？", {"tokyo"}), ("京", {"tokyo", "beijing"}), ("中國", {"beijing"}),
        ("서울", {"seoul"}), ("เมืองหลวง", {"bangkok"}), ("दिल्ली", {"delhi"}), ("ESPANA", {"madrid"}),
        ("espan\u0303a", {"madrid"}), ("corazon", {"madrid"}), ("ΕΛΛΆΔΑς", {"athens"}), ("Straße", {"berlin"}), ("finest office", {"print"}),
        ("full", {"print"}), ("ｗｉｄｔｈ", {"print"}), ("tokens", {"code"}), ("512", {"code"}), ("runs", {"code"}),
        ("don't", {"code"}), ("東西", set()), ("!?", set()),
    ],
)  # fmt: skip
def test_words_of_every_script_are_found(scripts: Searcher, question: str, expected: set[str]) -> None:
    assert {hit.id for hit in scripts.search(question, mode="keyword")} == expected


# -- questions as people type them


@pytest.mark.parametrize("mode", ["keyword", "hybrid"])
@settings(max_examples=60)
@given(
    st.one_of(
        st.text(),
        st.lists(
            st.sampled_from(["river", "AND", "OR", "NOT", "NEAR(", ")", '"', "'", "*", "^", ":", "text:", "?", "-", "+",
                             "{", "}", "--", ";", "\\", "\0", "首", "rowid", "keywords", "\ud83d"]),
            max_size=8,
        ).map(" ".join),
    ).filter(lambda text: text.strip() and text.encode("utf-8", "replace").decode() == text)
)  # fmt: skip
def test_any_text_is_a_question(scripts: Searcher, mode: str, question: str) -> None:
    hits = scripts.search(question, 5, mode=mode)
    assert len(hits) == 5 if mode == "hybrid" else len(hits) <= 5
    assert hits == sorted(hits, key=lambda hit: (-hit.score, hit.passage_id))


def test_a_question_finds_what_holds_any_of_its_words(scripts: Searcher) -> None:
    [hit] = scripts.search('What is the "capital" of Spain?', 1, mode="keyword")
    assert hit.id in ("madrid", "print")
    assert {hit.id for hit in scripts.search("NOT capital AND nothing", mode="keyword")} == {"madrid", "code"}


def test_of_a_very_long_question_every_word_counts(changing: Searcher) -> None:
    put(changing, {"near": "near", "far": "far", "other": "other"})
    words = [f"w{number}" for number in range(1000)]
    hits = changing.search(" ".join(["near", *words, *words, "far"]), mode="keyword")
    assert [hit.id for hit in hits] == ["near", "far"]


@pytest.mark.parametrize("mode", ["keyword", "hybrid"])
def test_a_vector_is_refused_where_words_are_needed(scripts: Searcher, mode: str) -> None:
    with pytest.raises(BadValue, match=f"mode '{mode}' needs the question as a text"):
        scripts.search(np.ones(32, np.float32), mode=mode)


def test_an_unknown_mode_is_named_with_those_there_are(scripts: Searcher) -> None:
    with pytest.raises(UnknownName, match="unknown mode 'bm25'; known: dense, hybrid, keyword"):
        scripts.search("x", mode="bm25")


def test_a_search_by_words_loads_no_model(scripts: Searcher) -> None:
    program = "import sys; from searcher.cli import main\ntry: main(sys.argv[1:])\nfinally: print([name for name in "
    program += "('torch', 'tokenizers', 'transformers', 'faiss') if name in sys.modules])"
    command = [sys.executable, "-c", program, "search", "首都", "--mode", "keyword", "--jsonl", "-i", scripts.folder]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert {json.loads(line)["id"] for line in lines[:-1]} == {"tokyo", "beijing"}
    assert lines[-1] == "[]"


# -- both


def test_hybrid_fuses_the_exact_scores_of_the_best_of_either_kind(changing: Searcher) -> None:
    chance = random.Random(3)
    texts = {f"d{number}": " ".join(chance.choices(WORDS, k=6)) for number in range(CANDIDATES + 60)}
    put(changing, texts)
    question = "money in the river bank"
    dense = {hit.id: hit for hit in changing.search(question, 1000)}
    words = {hit.id: hit.score for hit in changing.search(question, 1000, mode="keyword")}
    chosen = sorted({*list(dense)[:CANDIDATES], *list(words)[:CANDIDATES]})
    assert CANDIDATES < len(chosen) < len(texts)
    cosines = np.array([dense[key].score for key in chosen])
    vectors = np.stack([changing.passages(key)[0].vector for key in chosen])
    lengths = np.array([len(texts[key]) for key in chosen])
    bm25 = np.array([words.get(key, 0) for key in chosen], np.float32)
    everyone = np.ones(len(chosen), bool)
    fused = fuse(Evidence(cosines, bm25, np.zeros(len(chosen)), vectors, lengths, 1.0, everyone), neighbours=False)
    first = {chosen.index(next(iter(own))) for own in (dense, words)}
    expected = dict(zip(chosen, safe(fused, sorted(first)).tolist(), strict=True))
    [hits] = changing.rank([question], 30, mode="hybrid", neighbours=False)
    assert [score for score, _ in hits] == pytest.approx(sorted(expected.values(), reverse=True)[:30], abs=1e-4)
    assert [expected[str(row.id)] for _, row in hits] == pytest.approx([score for score, _ in hits], abs=1e-4)


def test_hybrid_without_a_known_word_is_the_order_of_the_cosines(scripts: Searcher) -> None:
    dense = [hit.id for hit in scripts.search("zzz", 5)]
    [hits] = scripts.rank(["zzz"], 5, mode="hybrid", neighbours=False)
    assert [row.id for _, row in hits] == dense


@pytest.mark.parametrize("mode", ["keyword", "hybrid"])
def test_an_empty_index_has_no_hits(tiny_bert: Path, tmp_path: Path, mode: str) -> None:
    searcher = Searcher(tmp_path / "index", tiny_bert)
    searcher.add_texts([])
    assert searcher.search("river", mode=mode) == []


# -- in step


def found(searcher: Searcher, question: str) -> set[str | None]:
    return {hit.id for hit in searcher.search(question, 1000, mode="keyword")}


def test_passages_come_and_go_with_their_words(changing: Searcher, tiny_bert: Path, tmp_path: Path) -> None:
    long = "\n\n".join(f"the {word} of 北京 " * 12 for word in ("river", "money", "boat"))
    put(changing, {"a": long, "b": "hello world", "c": "world 中国"})
    assert (found(changing, "boat"), found(changing, "world"), found(changing, "北京")) == ({"a"}, {"b", "c"}, {"a"})
    changing.add_texts(["the same world", "中国"], ids=["a", "c"])  # replaced
    assert (found(changing, "boat"), found(changing, "北京"), found(changing, "world")) == (set(), set(), {"a", "b"})
    assert changing.check() == []
    changing.reindex(pooling="max")
    assert (found(changing, "world"), found(changing, "中")) == ({"a", "b"}, {"c"})
    stream = io.BytesIO()
    changing.export(stream)
    stream.seek(0)
    other = Searcher(tmp_path / "other")
    other.import_(stream)
    assert (found(other, "world"), found(other, "中"), other.check()) == ({"a", "b"}, {"c"}, [])
    other.remove(ids=["a", "c"])
    assert (found(other, "world"), found(other, "中"), other.check()) == ({"b"}, set(), [])
    changing.reindex(pooling="mean")


def test_a_write_that_fails_leaves_the_words_as_they_were(changing: Searcher) -> None:
    put(changing, {"a": "river", "b": "money"})
    stream = io.BytesIO()
    changing.export(stream)
    changing.add_texts(["boat"], ids=["a"])
    broken = stream.getvalue().splitlines(keepends=True)
    broken[-1] = broken[-1].replace(b'"vector"', b'"vektor"')
    with pytest.raises(BadValue, match="has no 'vector'"):
        changing.import_(io.BytesIO(b"".join(broken)))
    assert (found(changing, "boat"), found(changing, "river"), changing.check()) == ({"a"}, set(), [])


def test_a_search_sees_words_and_passages_of_one_generation(changing: Searcher) -> None:
    put(changing, {f"d{number}": "river" for number in range(5)})
    done = threading.Event()

    def replace() -> None:
        for turn in range(12):
            word = ("money", "river")[turn % 2]
            changing.add_texts([f"{word} {turn}"] * 5, ids=[f"d{number}" for number in range(5)])
        done.set()

    writer = threading.Thread(target=replace)
    writer.start()
    with Searcher(changing.folder) as reader:
        while not done.is_set():
            for word in ("river", "money"):
                hits = reader.search(word, mode="keyword")
                assert len(hits) in (0, 5)
                assert all(word in hit.text for hit in hits)
                assert len({hit.text for hit in hits}) <= 1
    writer.join()


def test_no_word_of_a_removed_text_is_in_the_files_after_compact(changing: Searcher) -> None:
    put(changing, {"a": "river " * 20, "secret": "zanzibar quetzalcoatl 秘密", "b": "zebra money", "gone": "xylophone"})
    changing.remove(ids=["secret", "gone"])
    changing.compact()
    for file in changing.folder.iterdir():
        content = file.read_bytes().lower()
        # FTS5 leaves out how a word begins if the one before begins so too.
        assert not any(part.encode() in content for part in ("anzibar", "uetzal", "秘密", "秘", "ylophon")), file
    assert (found(changing, "zebra"), changing.check()) == ({"b"}, [])


@pytest.mark.parametrize("folder", sorted(INDEXES.glob("format-[12]")), ids=lambda folder: folder.name)
def test_an_index_of_a_format_without_words_gets_them(folder: Path, tmp_path: Path) -> None:
    with Searcher(shutil.copytree(folder, tmp_path / "index")) as searcher:
        searcher.search(np.ones(384, np.float32))  # makes the cache file this user's
        assert found(searcher, "muddy") == {"river"}
        assert found(searcher, "首都") == found(searcher, "東京") == {"tokyo"}
        assert [hit.source for hit in searcher.search("yeast bread", mode="keyword")] == ["baking.md"]
        assert searcher.check() == []
        assert searcher.remove(ids=["tokyo"]) == 1
        assert (found(searcher, "首都"), searcher.check()) == (set(), [])


# -- damage

DAMAGE = {
    "an entry is gone": ["DELETE FROM keywords_docsize WHERE id = (SELECT min(id) FROM passages)"],
    "the words are gone": ["DELETE FROM keywords_data WHERE id > 10"],
    "the words are zeros": ["UPDATE keywords_data SET block = zeroblob(length(block)) WHERE id > 10"],
    "another word": ["UPDATE keywords_data SET block = other(block)"],
    "a passage has words of its own": ["INSERT INTO keyword_spaced SELECT min(id), 0, 'x' FROM passages"],
    "a text has lost its spaces": ["DELETE FROM keyword_spaced"],
    "words of no passage": ["INSERT INTO keywords (rowid, text) VALUES (999999, 'river')"],
}


@pytest.fixture
def three(changing: Searcher, tmp_path: Path) -> Iterator[Searcher]:
    put(changing, {"a": "river money", "b": "money bank", "c": "中国"})
    with Searcher(shutil.copytree(changing.folder, tmp_path / "index")) as searcher:
        yield searcher


def alter(searcher: Searcher, *statements: str) -> None:
    connection = sqlite3.connect(searcher.folder / "searcher.db", isolation_level=None)
    connection.create_function("other", 1, lambda block: block.replace(b"bank", b"bang"))
    for statement in statements:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize("statements", DAMAGE.values(), ids=DAMAGE.keys())
def test_damaged_words_are_found_by_check_and_made_anew_by_repair(three: Searcher, statements: Sequence[str]) -> None:
    before = three.search("money river 中国", mode="keyword")
    alter(three, *statements)
    with Searcher(three.folder) as searcher:
        assert searcher.check() == [FAULT]
        assert len(searcher.search("river")) == 3  # vectors need no words
        repair = searcher.repair()
        assert (repair.findings, repair.lost, repair.kept, searcher.check()) == ([FAULT], [], None, [])
        assert searcher.search("money river 中国", mode="keyword") == before


def test_words_that_cannot_be_made_anew_in_their_place_are_in_a_new_database(three: Searcher) -> None:
    before = three.search("money river 中国", mode="keyword")
    alter(three, "UPDATE keywords_config SET v = 99 WHERE k = 'version'")
    with Searcher(three.folder) as searcher:
        assert len(searcher.check()) == 1
        repair = searcher.repair()
        assert (repair.lost, repair.kept is not None, searcher.check()) == ([], True, [])
        assert searcher.search("money river 中国", mode="keyword") == before


@pytest.mark.parametrize("statements", DAMAGE.values(), ids=DAMAGE.keys())
def test_damaged_words_never_end_in_another_error_than_ours(three: Searcher, statements: Sequence[str]) -> None:
    alter(three, *statements)
    with Searcher(three.folder) as searcher:
        for ask in (
            lambda: searcher.search("money river 中国", mode="keyword"),
            lambda: searcher.add_texts(["boat"], ids=["a"]),
            lambda: searcher.remove(ids=["b"]),
        ):
            try:
                ask()
            except SearcherError as fault:
                assert isinstance(fault, DamagedIndex)
                assert "\n" not in str(fault)


def test_a_database_without_its_keyword_index_is_repaired(three: Searcher) -> None:
    alter(three, "DROP TABLE keywords")
    with Searcher(three.folder) as searcher:
        assert "'keywords' is missing" in searcher.check()[0]
        repair = searcher.repair()
        assert (repair.lost, repair.kept is not None, searcher.check()) == ([], True, [])
        assert (found(searcher, "river"), found(searcher, "国")) == ({"a"}, {"c"})


def test_an_index_that_may_only_be_read_is_searched_by_words_and_checked(
    changing: Searcher, tmp_path: Path, powerless: list[str]
) -> None:
    put(changing, {"a": "river", "b": "money"})
    folder = shutil.copytree(changing.folder, tmp_path / "index")
    (folder / "searcher.db").chmod(0o400)
    folder.chmod(0o500)
    for arguments, said in ((["search", "river", "--mode", "keyword"], "river"), (["check"], "all well")):
        command = [*powerless, sys.executable, "-m", "searcher", *arguments, "-i", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert said in done.stdout
    folder.chmod(0o700)


# -- measured


def test_eval_measures_the_mode_that_it_is_asked_for(
    tiny_bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "set"
    (folder / "qrels").mkdir(parents=True)
    texts = {"d1": "river", "d2": "money bank", "d3": "boat", "d4": "the window"}
    (folder / "corpus.jsonl").write_text("".join(json.dumps({"_id": k, "text": v}) + "\n" for k, v in texts.items()))
    questions = {"q1": "money?", "q2": "nothing known"}
    (folder / "queries.jsonl").write_text(
        "".join(json.dumps({"_id": k, "text": v}) + "\n" for k, v in questions.items())
    )
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td2\t1\nq2\td3\t1\n")
    with pytest.raises(SystemExit) as stop:
        main(["eval", str(folder), "-m", str(tiny_bert), "--mode", "keyword", "--json"])
    assert stop.value.code == 0
    result = json.loads(capsys.readouterr().out)
    assert result["mode"] == "keyword"
    assert result["nDCG@10"] == result["P@1"] == result["recall@10"] == 0.5  # no hit counts as a wrong one


@pytest.mark.parametrize(
    ("name", "least"), [("stackfaq", 79.0), pytest.param("cranfield", 42.5, marks=pytest.mark.slow)]
)
def test_bm25_reaches_the_measured_ndcg(bundled: str, data: Path, tmp_path: Path, name: str, least: float) -> None:
    result = evaluate(read_dataset(data / name), Searcher(tmp_path / "index"), mode="keyword")
    assert 100 * result["nDCG@10"] >= least
