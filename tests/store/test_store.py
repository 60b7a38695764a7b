"""What is on the disk: what is acknowledged is there, whole and unchanged, or an error says so."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from searcher import Searcher
from searcher.embedding import Embedder
from searcher.embedding.settings import IndexSettings
from searcher.errors import BadValue, DamagedIndex, IndexUnavailable, SearcherError, SettingsMismatch
from searcher.records import Chunk, Document, Prepared
from searcher.store import Store
from searcher.store.database import has_safe_wal
from searcher.text import Chunker

TEXTS = ["the bank of the river", "money in the bank", "hello world", "a boat is tied to the bank"]


@pytest.fixture(scope="module")
def made(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "index"
    with Searcher(folder, tiny_bert) as searcher:
        searcher.add_texts(TEXTS, ids=["a", "b", "c", "d"], metadatas=[{"n": n} for n in range(4)])
    return folder


@pytest.fixture
def searcher(made: Path, tmp_path: Path) -> Iterator[Searcher]:
    with Searcher(shutil.copytree(made, tmp_path / "index")) as searcher:
        yield searcher


@pytest.fixture
def settings(tiny_bert: Path) -> IndexSettings:
    return IndexSettings.of(Embedder(tiny_bert))


def database(searcher: Searcher) -> sqlite3.Connection:
    return sqlite3.connect(searcher.folder / "searcher.db", isolation_level=None)


def alter(searcher: Searcher, statement: str, *values: object) -> None:
    """Change the file as no program of ours would, and no trigger would notice."""
    connection = database(searcher)
    triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    assert connection.execute(statement, values).rowcount >= 1
    for _, sql in triggers:
        connection.execute(sql)
    connection.close()


def rows(searcher: Searcher, query: str) -> list[tuple]:
    connection = database(searcher)
    found = connection.execute(query).fetchall()
    connection.close()
    return found


def content(searcher: Searcher) -> bytes:
    return (searcher.folder / "searcher.db").read_bytes()


def prepared(source: str, *texts: str, seed: int = 0, width: int = 32) -> Prepared:
    vectors = np.random.default_rng(seed).normal(size=(len(texts), width)).astype(np.float32)
    chunks, start = [], 0
    for text in texts:
        chunks.append(Chunk(start, start + len(text), (), 1))
        start += len(text) + 1
    document = Document(source, "\n".join(texts))
    return Prepared(document, document.digest(), None, chunks, vectors)


# -- batches


@pytest.mark.parametrize("fault", ["wrong dimension", "NaN", "too few vectors"])
def test_a_batch_with_one_bad_vector_is_not_written_at_all(searcher: Searcher, fault: str) -> None:
    bad = prepared("bad", "one", "two", width=31 if fault == "wrong dimension" else 32)
    vectors = bad.vectors.copy()
    if fault == "NaN":
        vectors[1, 7] = np.nan
    bad = Prepared(bad.document, bad.digest, None, bad.chunks, vectors[:1] if fault == "too few vectors" else vectors)
    before, head, hits = content(searcher), searcher.engine.database.head(), searcher.search("river", k=9)
    message = {"wrong dimension": "of 31 .* of 32", "NaN": "passage 2 has a NaN", "too few vectors": "1 .* 2 passages"}
    with pytest.raises(BadValue, match=message[fault]):
        searcher.engine.write([prepared("good", "one"), bad], remove=[1])
    assert content(searcher) == before
    assert searcher.engine.database.head() == head
    assert searcher.search("river", k=9) == hits


@pytest.mark.parametrize("table", ["documents", "passages", "vectors", "files", "heads"])
def test_a_write_that_fails_midway_changes_nothing(searcher: Searcher, table: str, tmp_path: Path) -> None:
    when = {"passages": "WHEN NEW.text = 'three'", "documents": "WHEN NEW.source LIKE '%y.txt'"}.get(table, "")
    hits = searcher.search("river", k=9)
    alter_schema = f"CREATE TRIGGER t AFTER INSERT ON {table} {when} BEGIN SELECT RAISE(ABORT, 'no'); END"
    connection = database(searcher)
    connection.execute(alter_schema)
    head = searcher.engine.database.head()
    (tmp_path / "x.txt").write_text("one")
    (tmp_path / "y.txt").write_text("three")
    with pytest.raises(SearcherError):
        searcher.add([tmp_path / "x.txt", tmp_path / "y.txt"])
    assert searcher.engine.database.head() == head
    assert searcher.search("river", k=9) == hits
    connection.execute("DROP TRIGGER t")
    connection.close()
    assert Searcher(searcher.folder).search("river", k=9) == hits
    assert searcher.add([tmp_path / "x.txt", tmp_path / "y.txt"]).documents == 2


def test_a_generation_is_one_commit_and_no_nonce_comes_twice(searcher: Searcher) -> None:
    heads = [searcher.engine.database.head()]
    for number in range(5):
        searcher.add_texts([f"text {number}"], ids=["x"])
        heads.append(searcher.engine.database.head())
    searcher.remove(ids=["x"])
    heads.append(searcher.engine.database.head())
    assert [head.generation for head in heads] == list(range(heads[0].generation, heads[0].generation + 7))
    assert len({head.nonce for head in heads}) == 7


def test_ids_are_never_given_again_after_the_highest_was_removed(searcher: Searcher) -> None:
    highest = [rows(searcher, f"SELECT max(id) FROM {table}")[0][0] for table in ("documents", "passages")]
    searcher.remove(ids=["d"])
    searcher.close()
    Searcher(searcher.folder).add_texts(["hello"], ids=["e"])
    assert [rows(searcher, f"SELECT max(id) FROM {table}")[0][0] for table in ("documents", "passages")] == [
        number + 1 for number in highest
    ]


def test_a_passage_is_the_text_at_its_offsets_of_the_document(tiny_bert: Path, tmp_path: Path) -> None:
    searcher = Searcher(tmp_path / "index", tiny_bert, chunk_tokens=12, overlap=3)
    text = "The bank, of the river. Money flows!\r\n\r\n北京是中国的首都。 naïve café 😀 hello world.\n" * 4
    searcher.add_texts([text])
    (stored,) = rows(searcher, "SELECT text FROM documents")[0]
    passages = rows(searcher, "SELECT start, end, text, line FROM passages ORDER BY id")
    assert stored == text
    assert len(passages) > 8
    assert [(text[start:end], 1 + text[:start].count("\n")) for start, end, _, _ in passages] == [
        (own, line) for _, _, own, line in passages
    ]


def test_lines_and_sections_are_those_of_a_passages_start(settings: IndexSettings, tmp_path: Path) -> None:
    store = Store(tmp_path / "index", create=True)
    store.settle(settings)
    document = Document("s", "a\nb\nc\nd", sections=((2, "B"), (4, "B > C")), first_line=10)
    chunks = [Chunk(0, 3, (), 1), Chunk(2, 5, (), 1), Chunk(4, 7, (), 1), Chunk(2, 7, (), 1)]
    store.write([Prepared(document, document.digest(), None, chunks, np.eye(4, 32, dtype=np.float32))])
    found = store.rows([1, 2, 3, 4])
    assert [(found[n].line, found[n].section) for n in (1, 2, 3, 4)] == [
        (10, None),
        (11, "B"),
        (12, "B > C"),
        (11, "B"),
    ]


def test_a_document_comes_back_as_it_was_given(settings: IndexSettings, tmp_path: Path) -> None:
    store = Store(tmp_path / "index", create=True)
    store.settle(settings)
    document = Document(
        "s", "a\r\nb\0c 😀\u0378", "Tïtle", "key", {"b": [1, {"c": None}], "a": 1.5}, ((0, "A"),), (1,), 3, "faq"
    )
    store.write([Prepared(document, document.digest(), "f", [], np.empty((0, 32), dtype=np.float32))])
    assert store.document(1) == document
    (listed,) = store.listing()
    assert listed == {
        "source": "s", "id": "key", "kind": "faq", "title": "Tïtle", "metadata": document.metadata, "passages": 0,
        "characters": len(document.text),
    }  # fmt: skip
    assert store.check() == []


# -- settings


@pytest.mark.parametrize(
    ("given", "stored", "asked"),
    [
        ({"pooling": "cls"}, "'mean'", "'cls'"),
        ({"layers": -2}, r"\[4\]", r"\[3\]"),
        ({"special_tokens": False}, "True", "False"),
        ({"prompts": {"query": "ask: "}}, "''", "'ask: '"),
        ({"chunk_tokens": 20}, "64", "20"),
        ({"overlap": 5}, "0", "5"),
        ({"truncate": True}, "False", "True"),
    ],
)
def test_other_settings_are_refused_with_both_values(searcher: Searcher, given: dict, stored: str, asked: str) -> None:
    searcher.close()
    before = content(searcher)
    with pytest.raises(SettingsMismatch, match=f"{stored}.*{asked}"):
        Searcher(searcher.folder, **given).search("x")
    assert content(searcher) == before


def test_another_model_is_refused_with_both_names(searcher: Searcher, tmp_path: Path) -> None:
    from models import save_bert

    other = save_bert(tmp_path / "other-bert", seed=9)
    before = content(searcher)
    with pytest.raises(SettingsMismatch, match=r"tiny-bert .*other-bert "):
        Searcher(searcher.folder, other)
    assert content(searcher) == before


def test_the_same_weights_under_another_name_are_the_same_model(
    searcher: Searcher, tiny_bert: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(tiny_bert, tmp_path / "copy")
    assert Searcher(searcher.folder, copy).search("river") == searcher.search("river")


def test_another_format_is_refused_with_both_numbers(searcher: Searcher) -> None:
    connection = database(searcher)
    connection.execute("PRAGMA user_version = 8")
    connection.close()
    before = content(searcher)
    with pytest.raises(SettingsMismatch, match="format 8, not 7"):
        Searcher(searcher.folder).search("x")
    assert content(searcher) == before


def test_of_two_first_writers_with_unlike_settings_the_second_is_refused(tiny_bert: Path, tmp_path: Path) -> None:
    first, second = Searcher(tmp_path / "i", tiny_bert), Searcher(tmp_path / "i", tiny_bert, pooling="cls")
    first.add_texts(["hello"])
    with pytest.raises(SettingsMismatch, match="'mean', not 'cls'"):
        second.add_texts(["world"])
    assert first.engine.counts()["documents"] == 1


def test_vectors_made_with_settings_that_were_replaced_are_refused(searcher: Searcher) -> None:
    from dataclasses import replace

    old = searcher.settings
    with pytest.raises(SettingsMismatch, match="pooling"):
        searcher.engine.write([prepared("x", "one")], made_with=replace(old, pooling="cls"))
    assert searcher.engine.known(["x"]) == {}


# -- damage

DAMAGE = {
    "a bit of a vector": "UPDATE vectors SET vector = CAST(X'01' || substr(vector, 2) AS BLOB) WHERE id = 1",
    "a vector cut short": "UPDATE vectors SET vector = substr(vector, 1, 64) WHERE id = 1",
    "a vector that is text": "UPDATE vectors SET vector = 'abc' WHERE id = 1",
    "another passage's vector": "UPDATE vectors SET (vector, crc) = (SELECT vector, crc FROM vectors WHERE id = 2)"
    " WHERE id = 1",
    "a passage's text": "UPDATE passages SET text = 'the bank of the rover' WHERE id = 1",
    "a passage's text as bytes": "UPDATE passages SET text = CAST(text AS BLOB) WHERE id = 1",
    "text that is not UTF-8": "UPDATE passages SET text = CAST(X'FF6C6F636B6564' AS TEXT) WHERE id = 1",
    "a passage's start": "UPDATE passages SET start = 1 WHERE id = 1",
    "a passage's line": "UPDATE passages SET line = 7 WHERE id = 1",
    "a passage's section": "UPDATE passages SET section = 'x' WHERE id = 1",
    "a passage's document": "UPDATE passages SET document = 2 WHERE id = 1",
    "a document's metadata": "UPDATE documents SET metadata = '{\"n\": 1}' WHERE id = 1",
    "a document's title": "UPDATE documents SET title = 'x' WHERE id = 1",
    "a document's source": "UPDATE documents SET source = 'z' WHERE id = 1",
    "a document's key": "UPDATE documents SET key = 'z' WHERE id = 1",
    "a vector that is gone": "DELETE FROM vectors WHERE id = 1",
    "a passage that is gone": "DELETE FROM passages WHERE id = 1",
    "a document that is gone": "DELETE FROM documents WHERE id = 1",
    "a setting": "UPDATE settings SET value = '\"cls\"' WHERE key = 'pooling'",
    "a setting that is gone": "DELETE FROM settings WHERE key = 'pooling'",
    "no settings": "DELETE FROM settings",
    "no generation": "DELETE FROM heads",
    "a generation of another kind": "UPDATE heads SET nonce = zeroblob(3)",
    "the number of passages": "UPDATE held SET passages = passages + 1",
    "no number of passages": "DELETE FROM held",
}  # fmt: skip
UNSEEN_BY_SEARCH = {
    "a document's text": "UPDATE documents SET text = 'the bank of the rover' WHERE id = 1",
    "a document's text as bytes": "UPDATE documents SET text = CAST(text AS BLOB) WHERE id = 1",
    "a document's digest": "UPDATE documents SET digest = 'x' WHERE id = 1",
    "a document's layout": "UPDATE documents SET layout = '[]' WHERE id = 1",
    "a passage and its vector": "DELETE FROM passages WHERE id = 1",
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("cache", [True, False], ids=["with cache", "without cache"])
def test_damage_is_an_error_and_never_a_wrong_passage(searcher: Searcher, damage: str, cache: bool) -> None:
    searcher.close()
    alter(searcher, DAMAGE[damage])  # a plain connection enforces no foreign keys
    if not cache:
        (searcher.folder / "vectors.faiss").unlink()
    with pytest.raises(DamagedIndex) as caught:
        Searcher(searcher.folder).search("the bank of the river", k=4)
    assert "\n" not in str(caught.value)
    if damage not in ("a setting", "a setting that is gone", "no generation"):  # the folder cannot even be opened
        assert Searcher(searcher.folder).check()


@pytest.mark.parametrize("damage", UNSEEN_BY_SEARCH)
def test_check_finds_damage_that_no_hit_shows(searcher: Searcher, damage: str) -> None:
    alter(searcher, UNSEEN_BY_SEARCH[damage])
    if damage == "a passage and its vector":
        alter(searcher, "DELETE FROM vectors WHERE id = 1")
    findings = searcher.check()
    assert findings
    assert all("\n" not in line for line in findings)
    if damage != "a passage and its vector":
        with pytest.raises(DamagedIndex, match="not what was stored"):
            searcher.document("a")


def test_two_documents_that_changed_places_are_found(searcher: Searcher) -> None:
    alter(searcher, "UPDATE documents SET id = 99 WHERE id = 1")
    alter(searcher, "UPDATE documents SET id = 1 WHERE id = 2")
    alter(searcher, "UPDATE documents SET id = 2 WHERE id = 99")
    with pytest.raises(DamagedIndex):
        searcher.search("river", k=4)


def test_a_sound_index_has_no_findings(searcher: Searcher) -> None:
    assert searcher.check() == []


def test_any_changed_byte_of_the_file_leaves_right_answers_or_an_error(searcher: Searcher) -> None:
    searcher.close()
    path = searcher.folder / "searcher.db"
    sound = path.read_bytes()
    good = {hit.passage_id: (hit.text, hit.source, hit.metadata) for hit in searcher.search("river", k=9)}
    embedder = searcher.embedder
    vector = embedder.embed(["river"], "query")[0]
    searcher.close()
    errors = 0
    places = np.random.default_rng(0).choice(len(sound), 250, replace=False)
    for place in places.tolist():
        damaged = bytearray(sound)
        damaged[place] ^= 1 << (place % 8)
        path.write_bytes(bytes(damaged))
        try:
            for hit in Searcher(searcher.folder).search(vector, k=9):
                assert good[hit.passage_id] == (hit.text, hit.source, hit.metadata)
        except SearcherError as fault:
            errors += 1
            assert "\n" not in str(fault)
    assert errors > 5


@pytest.mark.parametrize("data", [b"not a database at all, but some text", b"\0" * 5000])
def test_a_file_that_is_no_database_is_one_line(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "searcher.db").write_bytes(data)
    with pytest.raises((DamagedIndex, IndexUnavailable)) as caught:
        Searcher(tmp_path).search("x")
    assert "\n" not in str(caught.value)
    assert (tmp_path / "searcher.db").read_bytes() == data


def test_somebody_elses_database_is_left_alone(tmp_path: Path, tiny_bert: Path) -> None:
    connection = sqlite3.connect(tmp_path / "searcher.db")
    connection.execute("CREATE TABLE head (x)")
    connection.commit()
    connection.close()
    before = (tmp_path / "searcher.db").read_bytes()
    for use in (lambda s: s.search("x"), lambda s: s.add_texts(["x"])):
        with pytest.raises(IndexUnavailable, match="is not an index of searcher"):
            use(Searcher(tmp_path, tiny_bert))
    assert (tmp_path / "searcher.db").read_bytes() == before


def test_an_empty_file_is_no_index(tmp_path: Path) -> None:
    (tmp_path / "searcher.db").touch()
    with pytest.raises(IndexUnavailable, match="is not an index"):
        Searcher(tmp_path)


def test_a_place_where_no_folder_can_be_is_one_line(tmp_path: Path, tiny_bert: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(IndexUnavailable, match="no index can be made in"):
        Searcher(tmp_path / "file" / "index", tiny_bert).add_texts(["x"])


# -- the files


def test_nobody_else_can_read_the_index(tiny_bert: Path, tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        Searcher(tmp_path / "deep" / "index", tiny_bert).add_texts(TEXTS)
    finally:
        os.umask(old)
    folder = tmp_path / "deep" / "index"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    assert modes.pop("searcher.db") == 0o600
    assert modes.pop("vectors.faiss") == 0o600
    assert all(mode == 0o600 for mode in modes.values())
    assert not [name for name in modes if name.endswith(".tmp")]


@pytest.mark.parametrize(
    ("version", "safe"),
    [((3, 40, 1), False), ((3, 44, 5), False), ((3, 44, 6), True), ((3, 44, 9), True), ((3, 45, 0), False),
     ((3, 50, 6), False), ((3, 50, 7), True), ((3, 51, 2), False), ((3, 51, 3), True), ((3, 52, 0), True)],
)  # fmt: skip
def test_wal_only_where_it_loses_no_commits(version: tuple[int, ...], safe: bool) -> None:
    assert has_safe_wal(version) is safe


def test_the_journal_fits_the_version_of_sqlite(searcher: Searcher) -> None:
    connection = searcher.engine.database.connection()
    journal = connection.execute("PRAGMA journal_mode").fetchone()[0]
    synchronous = connection.execute("PRAGMA synchronous").fetchone()[0]
    safe = has_safe_wal(sqlite3.sqlite_version_info)
    assert (journal, synchronous) == (("wal", 2) if safe else ("delete", 3))


def test_a_thread_that_ended_leaves_no_open_file(searcher: Searcher) -> None:
    import threading

    def open_files() -> int:
        names = [os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]  # noqa: PTH208 - iterdir opens one itself
        return sum(name.startswith(str(searcher.folder)) for name in names)

    for _ in range(20):
        thread = threading.Thread(target=searcher.engine.counts)
        thread.start()
        thread.join()
    assert open_files() <= 3


def test_a_forked_child_searches_and_leaves_the_parents_connection_alone(searcher: Searcher, tiny_bert: Path) -> None:
    code = """
        import os, sys, signal
        from searcher import Searcher
        searcher = Searcher(sys.argv[1], device="cpu")
        before = searcher.search("river", k=4)
        child = os.fork()
        if not child:
            signal.alarm(20)
            same = searcher.search("river", k=4) == before
            searcher.add_texts(["from the child"], ids=["child"])
            searcher.close()
            os._exit(0 if same else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        searcher.add_texts(["from the parent"], ids=["parent"])
        print(sorted(hit.id for hit in searcher.search("river", k=9)), searcher.check())
    """
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code), str(searcher.folder)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.stdout.strip() == "['a', 'b', 'c', 'child', 'd', 'parent'] []", run.stderr


WRITER = """
    import sys
    from searcher import Searcher
    name = sys.argv[2]
    searcher = Searcher(sys.argv[1], sys.argv[3])
    for number in range(8):
        searcher.add_texts([f"text {name} {number}"], ids=[f"{name}{number}"])
        print(f"{name}{number}", flush=True)
"""


def test_all_that_two_processes_were_told_is_stored_is_there(tiny_bert: Path, tmp_path: Path) -> None:
    folder = tmp_path / "index"  # neither finds an index there: they make it at the same time
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(folder)]
    writers = [
        subprocess.Popen([*command, name, str(tiny_bert)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for name in "xy"
    ]
    results = [writer.communicate(timeout=90) for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0], results
    acknowledged = sorted(line for out, _ in results for line in out.split())
    searcher = Searcher(folder)
    assert sorted(hit.id or "" for hit in searcher.search("text", k=99)) == acknowledged
    assert len(acknowledged) == 16
    assert searcher.engine.database.head().generation == 17
    assert searcher.check() == []


def test_a_second_searcher_sees_a_commit_at_its_next_search(searcher: Searcher) -> None:
    other = Searcher(searcher.folder)
    assert len(other.search("river", k=9)) == 4
    searcher.add_texts(["hello river"], ids=["e"])
    assert len(other.search("river", k=9)) == 5
    searcher.remove(ids=["a", "e"])
    assert sorted(hit.id or "" for hit in other.search("river", k=9)) == ["b", "c", "d"]


def test_a_locked_database_is_named_as_such(searcher: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("searcher.store.locks.BUSY_SECONDS", 0.1)
    searcher.close()
    holder = database(searcher)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(IndexUnavailable, match=r"connection of this process did not finish writing in 0\.1 s"):
        searcher.search("x")
    holder.rollback()
    holder.close()
    assert searcher.search("x")


@pytest.mark.parametrize("where", ["source", "id", "title", "metadata", "section"])
def test_a_lone_surrogate_anywhere_is_refused_in_words(searcher: Searcher, where: str) -> None:
    bad = "x\ud800"
    changed = {"metadata": {"k": bad}, "section": ((0, bad),)}.get(where, bad)
    document = Document(**({"source": "s", "text": "t"} | {"sections" if where == "section" else where: changed}))
    report = searcher.add_documents([document, Document("fine", "fine")])
    assert [failure.reason for failure in report.failed if "surrogate" in failure.reason] != []
    assert report.documents == 1
    for use in (lambda: searcher.remove(bad), lambda: searcher.remove(ids=[bad]), lambda: searcher.document(bad)):
        with pytest.raises(BadValue, match=r"surrogate|character"):
            use()


def test_text_is_cut_as_the_chunker_says(searcher: Searcher) -> None:
    embedder = searcher.embedder
    text = "the bank of the river " * 40
    searcher.add_texts([text], ids=["long"])
    expected = [(c.start, c.end) for c in Chunker(embedder.model.tokenizer, 64).chunks(text)]
    assert [(row.start, row.end) for row in searcher.passages("long")] == expected
