"""What is new is embedded and written, what is unchanged is left alone, what is gone goes when asked to."""

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import PreTrainedTokenizerFast

import searcher.ingest.ingest
import searcher.ingest.pipeline
from searcher import Searcher
from searcher.embedding.encoder import Encoder
from searcher.errors import BadValue, IndexUnavailable, SearcherError
from searcher.readers.raw import Raw, ReadOptions
from searcher.readers.table import READERS
from searcher.records import Document
from searcher.store import Store


@pytest.fixture
def index(tiny_bert: Path, tmp_path: Path) -> Iterator[Searcher]:
    with Searcher(tmp_path / "index", tiny_bert) as made:
        yield made


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two folders of two files each."""
    for name, text in {"a/one": "the bank", "a/two": "the river", "b/one": "hello world", "b/two": "money"}.items():
        file = tmp_path / "tree" / f"{name}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "tree"


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many sequences each call of an encoder was given."""
    counts: list[int] = []
    run = Encoder.run

    def counted(self: Encoder, sequences: Any, *rest: Any) -> Any:
        if len(sequences):
            counts.append(len(sequences))
        return run(self, sequences, *rest)

    monkeypatch.setattr(Encoder, "run", counted)
    return counts


def contents(index: Searcher) -> dict[str, str]:
    """Source → text, as a plain sqlite3 connection finds them."""
    return dict(rows(index, "SELECT source, text FROM documents"))


def rows(index: Searcher, query: str) -> list[tuple]:
    connection = sqlite3.connect(index.folder / "searcher.db")
    found = connection.execute(query).fetchall()
    connection.close()
    return found


def passage_ids(index: Searcher) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for source, number in rows(index, "SELECT source, p.id FROM passages p JOIN documents d ON d.id = document"):
        found.setdefault(Path(source).name, []).append(number)
    return found


# -- files


def test_a_reader_that_fails_as_none_should_costs_its_own_file_alone(
    index: Searcher, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(raw: Raw, options: ReadOptions) -> Iterator[Document]:
        yield Document(raw.source, "what came before it is kept")
        raise KeyError("a\nlong\nreason")

    monkeypatch.setitem(READERS, ".odd", read)
    (tree / "a" / "what.odd").write_text("the boat")
    report = index.add(tree)
    assert [(failure.source, failure.reason) for failure in report.failed] == [
        (str(tree / "a" / "what.odd"), r"its reader failed (KeyError: 'a\nlong\nreason')")
    ]
    names = [Path(row[0]).name for row in rows(index, "SELECT source FROM documents ORDER BY source")]
    assert names == ["one.txt", "two.txt", "what.odd", "one.txt", "two.txt"]


def test_an_unchanged_tree_is_not_embedded_again(index: Searcher, tree: Path, encoded: list[int]) -> None:
    first = index.add(tree)
    assert (first.documents, first.passages, first.embedded, first.unchanged, first.failed) == (4, 4, 4, 0, [])
    head, before = index.engine.database.head(), sum(encoded)
    with Searcher(index.folder) as again:
        report = again.add(tree)
        assert not again.embedder.encoder.loaded
    assert (report.documents, report.embedded, report.unchanged, report.removed) == (0, 0, 4, 0)
    assert sum(encoded) == before == 4
    assert index.engine.database.head() == head


def test_a_changed_file_replaces_its_passages_and_only_them(index: Searcher, tree: Path, encoded: list[int]) -> None:
    index.add(tree)
    (tree / "a" / "two.txt").write_text("the water near the river")
    ids, names = passage_ids(index), dict(rows(index, "SELECT source, id FROM documents"))
    report = index.add(tree)
    assert (report.documents, report.embedded, report.unchanged) == (1, 1, 3)
    assert encoded[1:] == [1]
    assert contents(index)[str(tree / "a" / "two.txt")] == "the water near the river"
    after = dict(rows(index, "SELECT source, id FROM documents"))
    assert [source for source in names if after[source] != names[source]] == [str(tree / "a" / "two.txt")]
    assert set(map(tuple, passage_ids(index).values())) != set(map(tuple, ids.values()))
    assert len(index.search("river", k=99)) == 4


def test_a_touched_file_with_the_same_content_is_unchanged(index: Searcher, tree: Path) -> None:
    index.add(tree)
    os.utime(tree / "a" / "one.txt", (1, 1))
    assert index.add(tree).unchanged == 4


def test_what_is_gone_stays_until_pruned_and_only_below_the_paths_given(index: Searcher, tree: Path) -> None:
    index.add(tree)
    for name in ("a/one", "b/one"):
        (tree / f"{name}.txt").unlink()
    assert index.add(tree).removed == 0
    assert len(contents(index)) == 4
    assert index.add(tree / "a", prune=True).removed == 1
    assert {Path(source).relative_to(tree).as_posix() for source in contents(index)} == {
        "a/two.txt", "b/one.txt", "b/two.txt",
    }  # fmt: skip
    shutil.rmtree(tree / "b")
    report = index.add(tree / "b", prune=True)
    assert (report.removed, report.failed) == (2, [])
    assert [Path(source).name for source in contents(index)] == ["two.txt"]


def test_a_folder_whose_name_starts_alike_is_not_pruned(index: Searcher, tree: Path) -> None:
    shutil.copytree(tree / "a", tree / "a2")
    index.add(tree)
    shutil.rmtree(tree / "a2")
    assert index.add(tree / "a", prune=True).removed == 0


@pytest.mark.parametrize("prune", [False, True])
def test_a_file_that_cannot_be_read_this_time_keeps_what_it_had(index: Searcher, tree: Path, prune: bool) -> None:
    index.add(tree)
    before = contents(index)
    (tree / "a" / "one.txt").write_bytes(b"\0\1\2\3" * 50)
    report = index.add(tree, prune=prune)
    assert [Path(failure.source).name for failure in report.failed] == ["one.txt"]
    assert contents(index) == before
    (tree / "a" / "one.txt").write_text("the bank")
    assert index.add(tree).failed == []
    assert contents(index) == before


def test_a_folder_that_cannot_be_listed_is_not_taken_for_empty(
    index: Searcher, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.add(tree)
    listdir = os.listdir

    def fail(path: Any) -> list[str]:
        if Path(path) == tree / "a":
            raise PermissionError(13, "Permission denied")
        return listdir(path)

    monkeypatch.setattr(os, "listdir", fail)
    report = index.add(tree, prune=True)
    assert report.removed == 0
    assert len(contents(index)) == 4
    assert len(report.failed + report.skipped) == 1


def test_a_missing_path_is_a_failure_and_the_rest_is_read(index: Searcher, tree: Path) -> None:
    report = index.add([tree / "none", tree / "a"])
    assert [failure.source for failure in report.failed] == [str(tree / "none")]
    assert report.documents == 2


def test_the_same_text_under_two_sources_is_kept_twice_and_embedded_once(
    index: Searcher, tree: Path, encoded: list[int]
) -> None:
    (tree / "c.txt").write_text("the bank")
    report = index.add(tree)
    assert (report.documents, report.passages, report.embedded) == (5, 5, 4)
    (tree / "d.txt").write_text("the bank")
    assert index.add(tree).embedded == 0
    assert encoded == [4]
    same = [row.vector for name in ("a/one.txt", "c.txt", "d.txt") for row in index.passages(str(tree / name))]
    assert len(same) == 3
    assert {vector.tobytes() for vector in same} == {same[0].tobytes()}


def test_a_text_that_a_batch_before_is_still_embedding_is_not_embedded_again(
    index: Searcher, monkeypatch: pytest.MonkeyPatch, encoded: list[int]
) -> None:
    monkeypatch.setattr(searcher.ingest.ingest, "BATCH_DOCUMENTS", 1)
    report = index.add_texts(["the bank", "the bank", "the river", "the bank", "the river"], ids=list("abcde"))
    assert (report.documents, report.passages, report.embedded) == (5, 5, 2)
    assert sum(encoded) == 2
    vectors = {name: index.passages(name)[0].vector.tobytes() for name in "abcde"}
    assert vectors["a"] == vectors["b"] == vectors["d"] != vectors["c"] == vectors["e"]
    assert index.check() == []


def test_a_text_whose_vector_another_process_removed_meanwhile_is_embedded(
    index: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searcher.ingest.ingest, "BATCH_DOCUMENTS", 1)
    write, written = Store.write, []

    def intrude(self: Store, *arguments: Any, **rest: Any) -> None:
        write(self, *arguments, **rest)
        written.append(1)
        if len(written) == 1:
            with Searcher(index.folder) as other:
                other.remove(ids=["a"])

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", intrude)
        report = index.add_texts(["the bank", "the bank"], ids=["a", "b"])
    assert report.embedded in (1, 2)  # again where the first one's was gone before the second was looked at
    assert contents(index) == {"b": "the bank"}
    [passage] = index.passages("b")
    assert passage.vector @ index.embedder.embed(["the bank"])[0] == pytest.approx(1, abs=1e-5)


def test_a_source_that_comes_again_while_it_is_embedded_is_compared_with_its_last_state(
    index: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searcher.ingest.ingest, "BATCH_DOCUMENTS", 1)
    old, new = Document("a", "the bank"), Document("a", "the river")
    report = index.add_documents([old, Document("b", "money"), old, new, new])
    assert (report.documents, report.unchanged, report.embedded) == (3, 2, 3)
    assert contents(index) == {"a": "the river", "b": "money"}


def test_a_dry_run_counts_and_writes_nothing(index: Searcher, tree: Path, encoded: list[int]) -> None:
    report = index.add(tree, dry_run=True)
    assert (report.documents, report.passages, report.tokens, report.embedded) == (4, 4, 7, 0)
    assert not index.folder.exists()
    index.add(tree / "a")
    head = index.engine.database.head()
    shutil.rmtree(tree / "a")
    report = index.add(tree, dry_run=True, prune=True)
    assert (report.documents, report.removed) == (2, 2)
    assert (index.engine.database.head(), len(contents(index))) == (head, 2)
    assert sum(encoded) == 2


def test_a_crash_in_a_long_add_keeps_the_finished_batches(
    index: Searcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoded: list[int]
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(9):
        (folder / f"{number}.txt").write_text(f"text number {number}")
    monkeypatch.setattr(searcher.ingest.ingest, "BATCH_DOCUMENTS", 2)
    embed, calls = searcher.ingest.pipeline.embed_chunks, []

    def crash(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return embed(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(searcher.ingest.pipeline, "embed_chunks", crash)
        with pytest.raises(KeyboardInterrupt):
            index.add(folder)
    assert sorted(Path(source).name for source in contents(index)) == ["0.txt", "1.txt", "2.txt", "3.txt"]
    assert len(index.search("text", k=99)) == 4
    report = index.add(folder)
    assert (report.documents, report.unchanged, report.embedded) == (5, 4, 5)
    assert len(index.search("text", k=99)) == 9
    assert index.check() == []


# -- table files


def write_rows(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def row(number: int, text: str, **rest: Any) -> dict[str, Any]:
    return {"id": str(number), "text": text, **rest}


def test_of_a_table_only_the_changed_row_is_embedded_again(index: Searcher, tmp_path: Path, encoded: list[int]) -> None:
    table = write_rows(tmp_path / "t.jsonl", [row(1, "the bank"), row(2, "the river"), row(3, "hello")])
    assert index.add(table).documents == 3
    write_rows(table, [row(1, "the bank"), row(2, "the water"), row(3, "hello")])
    report = index.add(table)
    assert (report.documents, report.embedded, report.unchanged, report.removed) == (1, 1, 2, 0)
    write_rows(table, [row(1, "the bank", lang="en"), row(2, "the water")])
    report = index.add(table)
    assert (report.documents, report.embedded, report.unchanged, report.removed) == (1, 0, 1, 1)
    assert contents(index) == {f"{table}#1": "the bank", f"{table}#2": "the water"}
    assert [hit.id for hit in index.search("x", where={"lang": "en"})] == ["1"]
    assert encoded == [3, 1, 1]


def test_a_broken_line_is_told_by_its_number_and_the_rest_is_in(index: Searcher, tmp_path: Path) -> None:
    table = write_rows(tmp_path / "t.jsonl", [row(1, "the bank"), '{"id": 2, "text": ', row(3, "hello")])
    for documents, unchanged in [(2, 0), (0, 2)]:  # it is read again, for it may have been mended meanwhile
        report = index.add(table)
        assert [failure.reason[:6] for failure in report.failed] == ["line 2"]
        assert (report.documents, report.unchanged) == (documents, unchanged)
    write_rows(table, [row(1, "the bank"), row(2, "the river"), row(3, "hello")])
    assert index.add(table).documents == 1


def test_a_broken_line_removes_nothing(index: Searcher, tmp_path: Path) -> None:
    table = write_rows(tmp_path / "t.jsonl", [row(1, "the bank"), row(2, "the river")])
    index.add(table)
    write_rows(table, [row(1, "the bank"), '{"id": 2, "te'])
    assert index.add(table).removed == 0
    assert len(contents(index)) == 2


def test_a_file_that_goes_back_to_an_old_state_is_not_taken_for_unchanged(index: Searcher, tmp_path: Path) -> None:
    old = [row(1, "the bank"), row(2, "the river")]
    table = write_rows(tmp_path / "t.jsonl", old)
    index.add(table)
    write_rows(table, [row(1, "the water"), "broken"])
    assert len(index.add(table).failed) == 1
    assert contents(index)[f"{table}#1"] == "the water"
    write_rows(table, old)
    assert index.add(table).documents == 1
    assert contents(index)[f"{table}#1"] == "the bank"


def test_a_file_that_always_fails_is_no_new_generation_each_time(index: Searcher, tmp_path: Path) -> None:
    table = write_rows(tmp_path / "t.jsonl", [row(1, "the bank"), "broken"])
    index.add(table)
    head = index.engine.database.head()
    index.add(table)
    assert index.engine.database.head() == head


def test_a_table_read_with_another_text_field_is_read_again(index: Searcher, tmp_path: Path) -> None:
    table = write_rows(tmp_path / "t.jsonl", [row(1, "the bank", other="the river")])
    index.add(table)
    assert index.add(table, text_field="other").documents == 1
    assert contents(index) == {f"{table}#1": "the river"}


# -- texts


def test_a_new_text_under_an_id_replaces_the_old_one(index: Searcher, encoded: list[int]) -> None:
    index.add_texts(["the bank", "the river"], ids=["a", "b"])
    report = index.add_texts(["the water", "the river"], ids=["a", "b"])
    assert (report.documents, report.embedded, report.unchanged) == (1, 1, 1)
    assert contents(index) == {"a": "the water", "b": "the river"}
    assert encoded == [2, 1]


def test_a_batch_that_repeats_an_old_text_under_another_id_loses_nothing(index: Searcher) -> None:
    index.add_texts(["old"], ids=["a"])
    index.add_texts(["new", "old"], ids=["a", "b"])
    assert contents(index) == {"a": "new", "b": "old"}
    index.add_texts(["old", "new"], ids=["a", "b"])
    assert contents(index) == {"a": "old", "b": "new"}
    assert {hit.id: hit.text for hit in index.search("new", k=9)} == {"a": "old", "b": "new"}


def test_of_documents_with_one_source_the_last_counts(index: Searcher) -> None:
    index.add_texts(["old"], ids=["a"])
    index.add_documents([Document("a", "new", id="a"), Document("a", "old", id="a")])
    assert contents(index) == {"a": "old"}


def test_texts_without_ids_are_kept_once(index: Searcher) -> None:
    index.add_texts(["the bank", "the river", "the bank"])
    assert index.add_texts(["the river", "hello"]).unchanged == 1
    assert sorted(contents(index).values()) == ["hello", "the bank", "the river"]


@pytest.mark.parametrize(
    ("texts", "rest", "problem"),
    [
        (["x", "y"], {"ids": ["a", "a"]}, "id 'a' is given twice"),
        (["x", "y"], {"ids": ["1", 1]}, "id '1' is given twice"),
        (["x", "y"], {"ids": ["a"]}, "1 ids for 2 texts"),
        (["x", "y"], {"ids": ["a", None]}, "id 2 is NoneType"),
        (["x", "y"], {"ids": ["a", ""]}, "id 2 is empty"),
        (["x"], {"ids": "a"}, "ids is one str"),
        (["x", "y"], {"metadatas": [{}]}, "1 metadatas for 2 texts"),
        (["x", "y"], {"metadatas": []}, "0 metadatas for 2 texts"),
        (["x", "y"], {"metadatas": [{}, "no"]}, "metadata 2 is str 'no', not a dict"),
        (["x"], {"metadatas": {"a": 1}}, "metadatas is one dict"),
        (["x"], {"metadatas": [{"a": float("nan")}]}, "metadata 1: nan"),
        (["x"], {"metadatas": [{"a": object()}]}, "metadata 1: .*object"),
        (["x"], {"metadatas": [{"a": "\udc00"}]}, "metadata 1: a lone surrogate"),
        (["x", "a\ud800"], {}, r"text 2 holds a lone surrogate \(U\+D800\) at character 2"),
        (["x", 5], {}, "text 2 is int 5"),
        (["x", None], {}, "text 2 is NoneType"),
        ("a text", {}, "texts is one str"),
    ],
)
def test_texts_that_cannot_be_stored_are_refused_before_any_is_written(
    index: Searcher, texts: Any, rest: dict[str, Any], problem: str
) -> None:
    with pytest.raises(BadValue, match=problem):
        index.add_texts(texts, **rest)
    assert not index.folder.exists()


def test_metadata_is_stored_as_json_can_hold_it(index: Searcher) -> None:
    from datetime import date

    given = {
        "day": date(2024, 1, 31),
        "n": np.int64(3),
        "x": np.float32(0.5),
        "s": {"b", "a"},
        "nul": "a\0b",
        "big": 2**70,
    }
    index.add_texts(["x", "y"], ids=["a", "b"], metadatas=[given, None])
    stored = {"day": "2024-01-31", "n": 3, "x": 0.5, "s": ["a", "b"], "nul": "ab", "big": str(2**70)}
    assert index.document("a").metadata == stored
    assert index.document("b").metadata == {}
    assert [hit.id for hit in index.search("x", where={"nul": "ab"})] == ["a"]
    assert "NaN" not in rows(index, "SELECT group_concat(metadata) FROM documents")[0][0]


def test_a_document_that_cannot_be_stored_stops_no_other(index: Searcher) -> None:
    bad = [Document("x", "x", metadata={"a": float("inf")}), Document("y", "y\ud800"), Document("z", "z", id=5)]  # type: ignore[arg-type]
    report = index.add_documents([*bad, Document("fine", "hello")])
    assert [failure.source for failure in report.failed] == ["x", "y", "z"]
    assert contents(index) == {"fine": "hello"}


def test_an_empty_text_is_a_document_without_passages(index: Searcher) -> None:
    report = index.add_texts(["", " \n "], ids=["a", "b"])
    assert (report.documents, report.passages, report.embedded) == (2, 0, 0)
    assert index.search("x") == []
    assert index.check() == []


# -- the report


def test_the_report_counts_tokens_as_the_models_tokenizer_does(index: Searcher, tiny_bert: Path) -> None:
    texts = ["the bank of the river, near the water.", "naïve café ☃ unbanked ☃☃", "北京是中国的首都", "hello " * 100]
    report = index.add_texts(texts)
    oracle = PreTrainedTokenizerFast(tokenizer_file=str(tiny_bert / "tokenizer.json"), unk_token="[UNK]")
    ids = [oracle(text, add_special_tokens=False, truncation=False, padding=False)["input_ids"] for text in texts]
    assert report.tokens == sum(map(len, ids)) == index.engine.counts()["tokens"]
    assert report.unknown_tokens == sum(row.count(oracle.unk_token_id) for row in ids) > 0
    assert report.unknown_share == report.unknown_tokens / report.tokens
    assert report.passages == 5


def test_every_passage_is_the_embedding_of_its_own_text(index: Searcher) -> None:
    index.add_texts(["the bank of the river. " * 30, "naïve café unbanked. 北京是中国的首都。" * 9])
    passages = index.search("x", k=99)
    vectors = {n: np.frombuffer(blob, "<f4") for n, blob in rows(index, "SELECT id, vector FROM vectors")}
    alone = index.embedder.embed([hit.text for hit in passages], "passage")
    for hit, vector in zip(passages, alone, strict=True):
        assert vectors[hit.passage_id] @ vector == pytest.approx(1, abs=1e-5)


# -- removing


@pytest.mark.parametrize(
    ("what", "left"),
    [("file", 6), ("relative file", 6), ("folder", 5), ("folder with slash", 5), ("table", 5), ("row", 6), ("id", 6),
     ("label", 6), ("two", 5)],
)  # fmt: skip
def test_documents_are_removed_by_what_names_them(
    index: Searcher, tree: Path, monkeypatch: pytest.MonkeyPatch, what: str, left: int
) -> None:
    table = write_rows(tree / "t.jsonl", [row(1, "x"), row(2, "y")])
    index.add(tree)
    index.add_texts(["z"], ids=["label"])
    monkeypatch.chdir(tree)
    removed = {
        "file": lambda: index.remove(tree / "a" / "one.txt"),
        "relative file": lambda: index.remove("a/one.txt"),
        "folder": lambda: index.remove(tree / "a"),
        "folder with slash": lambda: index.remove("a/"),
        "table": lambda: index.remove("t.jsonl"),
        "row": lambda: index.remove(f"{table}#2"),
        "id": lambda: index.remove(ids=["2"]),
        "label": lambda: index.remove("label"),
        "two": lambda: index.remove(["a/one.txt"], ids=["label"]),
    }[what]()
    assert (removed, len(contents(index))) == (7 - left, left)
    assert len(index.search("x", k=99)) == left
    report = index.add(tree)
    assert report.documents + len(contents(index)) - left == 2 * (7 - left) - 2 * (what in ("label", "two"))


def test_an_unknown_source_is_an_error_and_removes_nothing(index: Searcher, tree: Path) -> None:
    index.add(tree)
    for unknown in ({"sources": [tree / "a" / "one.txt", "none"]}, {"ids": ["none"]}):
        with pytest.raises(BadValue, match="'none'"):
            index.remove(**unknown)
    assert len(contents(index)) == 4


def test_documents_are_listed_in_the_order_of_their_sources(index: Searcher, tree: Path) -> None:
    index.add([tree / "b", tree / "a"])
    index.add_texts(["x"], ids=["Z"])
    listed = [row["source"] for row in index.engine.listing()]
    assert listed == sorted(contents(index))


# -- embedding again


@pytest.mark.parametrize(
    "changes", [{"pooling": "cls"}, {"chunk_tokens": 12, "overlap": 2}, {"model": "other"}], ids=str
)
def test_an_index_embedded_again_equals_a_fresh_one(
    index: Searcher, tree: Path, tmp_path: Path, tiny_bert: Path, changes: dict[str, Any]
) -> None:
    from models import save_bert

    if "model" in changes:
        changes = {"model": str(save_bert(tmp_path / "other", seed=5, width=16))}
    texts = ["the bank of the river. money in the bank. " * 4, "hello world"]
    index.add(tree)
    index.add_texts(texts, ids=["a", "b"])
    old = index.search("river", k=99)
    with Searcher(tmp_path / "fresh", **({"model": tiny_bert} | changes)) as fresh:
        fresh.add(tree)
        fresh.add_texts(texts, ids=["a", "b"])
        with Searcher(index.folder) as watcher:
            assert watcher.search("river", k=99) == old
            shutil.rmtree(tree)
            index.reindex(**changes)
            expected = [(hit.source, hit.start, hit.end, hit.text) for hit in fresh.search("river", k=99)]
            scores = [hit.score for hit in fresh.search("river", k=99)]
            for one in (index, watcher):  # the other one asks with the new settings too
                hits = one.search("river", k=99)
                assert sorted((h.source, h.start, h.end, h.text) for h in hits) == sorted(expected)
                assert [hit.score for hit in hits] == pytest.approx(scores, abs=1e-5)
    assert not {hit.passage_id for hit in hits} & {hit.passage_id for hit in old}
    assert index.check() == []
    assert index.add_texts(texts, ids=["a", "b"]).unchanged == 2


def test_an_index_written_to_meanwhile_is_not_embedded_again(index: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    import searcher.ingest.reindexing

    index.add_texts(["the bank"], ids=["a"])
    embed = searcher.ingest.reindexing.embed_chunks

    def intrude(*arguments: Any) -> Any:
        with Searcher(index.folder) as other:
            other.add_texts(["the river"], ids=["b"])
        return embed(*arguments)

    monkeypatch.setattr(searcher.ingest.reindexing, "embed_chunks", intrude)
    with pytest.raises(IndexUnavailable, match="try again"):
        index.reindex(pooling="cls")
    assert index.settings.pooling == "mean"
    assert contents(index) == {"a": "the bank", "b": "the river"}
    assert index.check() == []


def test_an_add_that_another_process_overtook_with_new_settings_is_refused(
    index: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.add_texts(["the bank"], ids=["a"])
    embed = searcher.ingest.pipeline.embed_chunks

    def intrude(*arguments: Any) -> Any:
        with Searcher(index.folder) as other:
            other.reindex(pooling="cls")
        return embed(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(searcher.ingest.pipeline, "embed_chunks", intrude)
        with pytest.raises(SearcherError, match="pooling 'cls', not 'mean'"):
            index.add_texts(["the river"], ids=["b"])
    assert contents(index) == {"a": "the bank"}
    index.add_texts(["the river"], ids=["b"])  # and now under the new ones
    passage = index.passages("b")[0]
    assert passage.vector @ index.embedder.embed(["the river"])[0] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("text", ["a" * 300, "many words of a text " * 400])
def test_a_text_in_the_place_of_a_path_fails_alone_and_says_what_takes_it(
    index: Searcher, tmp_path: Path, text: str
) -> None:
    (tmp_path / "a.txt").write_text("the river bank")
    report = index.add([text, tmp_path / "a.txt"])
    [failure] = report.failed
    assert failure.reason == "no file has a name so long; a text is added from stdin (-) or by add_texts"
    assert report.documents == 1


def test_a_path_with_a_nul_is_refused(index: Searcher) -> None:
    with pytest.raises(BadValue, match=r"a path a\x00b has a NUL in it; good: a file, a folder or a glob"):
        index.add(["a\0b"])


def test_a_document_is_named_by_its_path_too_and_by_nothing_else(index: Searcher, tree: Path) -> None:
    index.add(tree)
    path = next(file for file in sorted(tree.rglob("*.txt")))
    name = str(path)
    assert index.document(path) == index.document(name)
    assert [row.passage_id for row in index.passages(path)] == [row.passage_id for row in index.passages(name)]
    assert index.similar(path, 2) == index.similar(name, 2)
    assert index.surroundings(path, "line 1") == index.surroundings(name, "line 1")
    for wrong in (None, 5, b"x", [name]):
        with pytest.raises(BadValue, match=r"a source is .*; good: a text or a path"):
            index.document(wrong)  # type: ignore[arg-type]
