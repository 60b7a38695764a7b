"""What `check` finds on Milvus Lite, whichever of many documents it is, and how often it asks for that."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from contract import SETTINGS, prepared

pytest.importorskip("pymilvus", reason="pymilvus is not installed: pip install 'searcher[milvus]'")
pytest.importorskip("milvus_lite", reason="milvus-lite is not installed")

from searcher.engines.milvus import Address
from searcher.engines.milvus.connection import Connection
from searcher.engines.milvus.engine import MilvusEngine
from searcher.engines.milvus.layout import digest_of
from searcher.records import Prepared

COUNT = 300


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusEngine]:
    """Documents of none to two passages."""
    engine = MilvusEngine(Address.of(f"milvus:{tmp_path_factory.mktemp('check')}/x.db"), create=True)
    engine.settle(SETTINGS)
    engine.write([prepared(f"d{n}", [f"text {n} {place}" for place in range(n % 3)] or [" "]) for n in range(COUNT)])
    yield engine
    engine.close()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each method of the server was called."""
    ask, counts = Connection.ask, Counter[str]()

    def counting(self: Connection, method: str, *given: Any, **named: Any) -> Any:
        counts[method] += 1
        return ask(self, method, *given, **named)

    monkeypatch.setattr(Connection, "ask", counting)
    return counts


def test_a_check_asks_as_often_for_many_documents_as_for_one(engine: MilvusEngine, asked: Counter[str]) -> None:
    assert engine.check() == []
    assert set(asked) == {"query", "query_iterator"}
    assert asked.total() < 10


def test_what_is_replaced_or_removed_during_a_check_is_not_called_damaged(
    engine: MilvusEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.write([item("replaced"), item("removed")])
    ask, waiting = Connection.ask, ["now"]

    def meanwhile(self: Connection, method: str, *given: Any, **named: Any) -> Any:
        if "block:" in str(named.get("filter")) and waiting:
            waiting.clear()
            engine.write([item("replaced", "another text")], remove=engine.documents_of("source", "removed").values())
        return ask(self, method, *given, **named)

    monkeypatch.setattr(Connection, "ask", meanwhile)
    assert engine.check() == []
    assert not waiting
    engine.write(remove=engine.documents_of("source", "replaced").values())


def item(source: str, text: str = "text") -> Prepared:
    return prepared(source, [f"{text} {source} {place}" for place in range(2)])


def row_of(engine: MilvusEngine, collection: str, expression: str) -> dict[str, Any]:
    [row] = engine.server.query(collection, expression, ["*"])
    return row


def number_of(engine: MilvusEngine, source: str) -> int:
    [number] = engine.documents_of("source", source).values()
    return number


def text_changed(engine: MilvusEngine, source: str) -> str:
    row = row_of(engine, engine.beside, f'id == "block:{number_of(engine, source)}:0"')
    engine.server.put(engine.beside, [row | {"value": row["value"].replace("text", "test")}])
    return f"document {source!r} is not what was stored; run: searcher check"


def text_gone(engine: MilvusEngine, source: str) -> str:
    engine.server.take_out(engine.beside, [f"block:{number_of(engine, source)}:0"])
    return f"document {source!r} is not what was stored; run: searcher check"


def document_changed(change: dict[str, Any]) -> Callable[[MilvusEngine, str], str]:
    def changed(engine: MilvusEngine, source: str) -> str:
        row = row_of(engine, engine.beside, f'id == "document:{digest_of(source)}"')
        value = json.dumps(json.loads(row["value"]) | change)
        engine.server.put(engine.beside, [row | {"value": value}])
        return f"document {source!r} is not what was stored; run: searcher check"

    return changed


def row_cut_off(engine: MilvusEngine, source: str) -> str:
    row = row_of(engine, engine.beside, f'id == "document:{digest_of(source)}"')
    engine.server.put(engine.beside, [row | {"value": row["value"][:-1]}])
    return f"document {row['document']} is not what was stored"


def number_changed(engine: MilvusEngine, source: str) -> str:
    row = row_of(engine, engine.beside, f'id == "document:{digest_of(source)}"')
    engine.server.put(engine.beside, [row | {"document": row["document"] + 1}])
    return f"document {row['document']} is gone from {engine.address}"


def passage_gone(engine: MilvusEngine, source: str) -> str:
    engine.server.take_out(engine.passages, [number_of(engine, source) + 1])
    return f"passages of document {source!r} are gone; remove it and add it again"


def passage_of_another(engine: MilvusEngine, source: str) -> str:
    number = number_of(engine, source)
    row = row_of(engine, engine.passages, f"id == {number}")
    row.pop("bm25", None)  # the server makes it
    engine.server.put(engine.passages, [row | {"document": number - 1}])
    return f"passages of document {source!r} are gone; remove it and add it again"


@pytest.mark.parametrize(
    "damage",
    [
        text_changed, text_gone, document_changed({"digest": "00"}), document_changed({"digest": "no digest"}),
        document_changed({"metadata": {"n": 1}}), document_changed({"title": "Another"}), row_cut_off, number_changed,
        passage_gone, passage_of_another,
    ],
)  # fmt: skip
def test_each_damaged_document_has_its_line(engine: MilvusEngine, damage: Callable[[MilvusEngine, str], str]) -> None:
    sick = [f"sick {number}" for number in range(3)]
    engine.write([item(source) for source in sick])
    expected = [damage(engine, source) for source in sick]
    assert sorted(engine.check()) == sorted(expected)
    add_again(engine, sick)


def add_again(engine: MilvusEngine, sources: list[str]) -> None:
    engine.server.take_out(engine.beside, [f"document:{digest_of(source)}" for source in sources])
    engine.write([item(source) for source in sources])
    assert engine.check() == []


def test_a_check_in_many_portions_finds_the_same(engine: MilvusEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    sick = [f"sick {number}" for number in range(3)]
    engine.write([item(source) for source in sick])
    expected = [text_changed(engine, source) for source in sick]
    monkeypatch.setattr("searcher.engines.milvus.passages.CALL_BYTES", 5_000)
    assert sorted(engine.check()) == sorted(expected)
    add_again(engine, sick)


def test_a_document_has_a_line_for_each_thing_that_is_wrong(engine: MilvusEngine) -> None:
    engine.write([item("sick")])
    assert [text_changed(engine, "sick"), passage_gone(engine, "sick")] == engine.check()
    add_again(engine, ["sick"])
