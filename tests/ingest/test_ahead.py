"""What an add asks of an index ahead: few questions for many documents, and what it does is as if it asked for each."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models import save_bert

from searcher import Document, Searcher
from searcher.ingest.ahead import MOST, Ahead, pieces

ROWS, FILES = 400, 60


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bert(tmp_path_factory.mktemp("models") / "bert", width=64, heads=2)


Opened = Callable[[], Searcher]


@pytest.fixture(params=["folder", "milvus-lite"])
def opened(request: pytest.FixtureRequest, tmp_path: Path, model: Path) -> Opened:
    if request.param == "folder":
        return lambda: Searcher(tmp_path / "index", model, dtype="fp32")
    pytest.importorskip("pymilvus", reason="pymilvus is not installed: pip install 'searcher[milvus]'")
    pytest.importorskip("milvus_lite", reason="milvus-lite is not installed")
    return lambda: Searcher(model=model, dtype="fp32", engine=f"milvus:{tmp_path}/x.db")


def texts_of(searcher: Searcher) -> dict[str, str]:
    engine = searcher.engine
    return {own.source: own.text for own in map(engine.document, engine.document_ids())}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each method of the server was called."""
    pytest.importorskip("pymilvus", reason="pymilvus is not installed: pip install 'searcher[milvus]'")
    pytest.importorskip("milvus_lite", reason="milvus-lite is not installed")
    from searcher.engines.milvus.connection import Connection

    ask, counts = Connection.ask, Counter[str]()

    def counting(self: Connection, method: str, *given: Any, **named: Any) -> Any:
        counts[method] += 1
        return ask(self, method, *given, **named)

    monkeypatch.setattr(Connection, "ask", counting)
    return counts


def rows(count: int) -> str:
    return "\n".join(json.dumps({"id": n, "text": f"question {n} of the river"}) for n in range(count))


def table(folder: Path) -> Path:
    (path := folder / "rows.jsonl").write_text(rows(ROWS))
    return path


def tree(folder: Path) -> Path:
    for n in range(FILES):
        (path := folder / "tree" / f"{n}.md").parent.mkdir(exist_ok=True)
        path.write_text(f"# Part {n}\n\nthe river flows near bank {n}\n")
    return folder / "tree"


def changed(path: Path) -> None:
    """Files that are read again, whatever is the same in them."""
    for file in [path] if path.is_file() else path.iterdir():
        file.write_text(file.read_text() + "\n")


@pytest.mark.parametrize("make", [table, tree])
def test_a_server_is_asked_a_few_times_for_many_documents(
    make: Callable[[Path], Path], tmp_path: Path, model: Path, asked: Counter[str]
) -> None:
    source, searcher = make(tmp_path), Searcher(model=model, dtype="fp32", engine=f"milvus:{tmp_path}/x.db")
    count = searcher.add(source).documents
    assert count in {ROWS, FILES}
    assert asked.total() < 60
    asked.clear()
    changed(source)
    report = searcher.add(source)
    assert report.documents + report.unchanged == count
    assert asked.total() < 60


def test_of_a_source_that_comes_again_and_again_the_last_document_is_kept(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("searcher.ingest.ahead.MOST", 3)
    monkeypatch.setattr("searcher.ingest.pipeline.LEAST_TOKENS", 1)
    monkeypatch.setattr("searcher.ingest.pipeline.BATCH_TOKENS", 20)
    searcher, ways = opened(), [(f"s{n % 4}", f"text {n * n % 3} near water") for n in range(40)]
    texts = dict[str, str]()
    for _ in range(2):
        changes = 0
        for source, text in ways:
            changes += texts.get(source) != text
            texts[source] = text
        report = searcher.add_documents(Document(*way) for way in ways)
        assert texts_of(searcher) == texts
        assert (report.documents, report.unchanged) == (changes, len(ways) - changes)


def test_what_somebody_else_writes_between_question_and_write_is_replaced(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    searcher = opened()
    searcher.add_documents([Document("a", "first"), Document("b", "first")])
    known, waiting = type(searcher.engine).known, ["now"]

    def meanwhile(engine: Any, sources: Iterable[str]) -> dict[str, bytes]:
        answers: dict[str, bytes] = known(engine, sources)
        if waiting:
            waiting.clear()
            opened().add_documents([Document("b", "another's"), Document("c", "another's")])
        return answers

    monkeypatch.setattr(type(searcher.engine), "known", meanwhile)
    searcher.add_documents([Document("a", "first"), Document("b", "second"), Document("c", "second")])
    assert texts_of(searcher) == {"a": "first", "b": "second", "c": "second"}


def test_what_came_before_a_reader_failed_is_in(opened: Opened) -> None:
    def failing() -> Iterator[Document]:
        yield Document("a", "one")
        yield Document("b", "two")
        raise OSError("the disk is gone")

    searcher = opened()
    with searcher._ingesting() as ingest, pytest.raises(OSError, match="the disk is gone"):
        ingest.documents(failing())
    assert texts_of(searcher) == {"a": "one", "b": "two"}


def test_files_that_change_after_they_were_looked_at_are_read_again(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from searcher.ingest.files import Here

    source, searcher, read, waiting = tree(tmp_path), opened(), Here.read, ["now"]

    def meanwhile(self: Here, file: Any) -> Any:
        if waiting:
            waiting.clear()
            (source / "7.md").write_text("# Changed\n\nanother text")
            (source / "8.md").unlink()
        return read(self, file)

    monkeypatch.setattr(Here, "read", meanwhile)
    report = searcher.add(source)
    assert [failure.source for failure in report.failed] == [str(source / "8.md")]
    assert searcher.add(source).documents == 0
    assert "another text" in texts_of(searcher)[str(source / "7.md")]
    assert len(texts_of(searcher)) == FILES - 1


@settings(max_examples=50)
@given(st.lists(st.integers(0, 50)), st.integers(1, 100), st.booleans())
def test_pieces_hold_all_that_came_in_its_order_each_of_bounded_size(sizes: list[int], size: int, fails: bool) -> None:
    def items() -> Iterator[int]:
        yield from sizes
        if fails:
            raise OSError

    found = list[list[int]]()
    try:
        for piece in pieces(items(), int, size):
            found.append(piece)
    except OSError:
        assert fails
    assert [own for piece in found for own in piece] == sizes
    assert all(sum(piece[:-1]) < size and len(piece) <= MOST for piece in found)


def test_a_piece_does_not_wait_for_what_is_slow_to_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("searcher.ingest.ahead.SECONDS", 0.0)
    assert list(pieces("abc", len, 100))[:3] == [["a"], ["b"], ["c"]]


def test_an_answer_asked_for_ahead_is_given_once_and_let_go_of() -> None:
    values, questions = {"a": 1, "b": 2}, list[list[str]]()

    def question(keys: Iterable[str]) -> dict[str, int]:
        questions.append(list(keys))
        return {key: values[key] for key in questions[-1] if key in values}

    ahead = Ahead(question)
    with ahead.asked(["a", "b", "none", "a"]), ahead.asked(["b"]):
        values["a"] = 3
        assert [ahead.of("a"), ahead.of("a"), ahead.of("none")] == [1, 3, None]
    assert ahead.of("b") == 2
    assert questions == [["a", "b", "none"], ["a"], ["b"]]
