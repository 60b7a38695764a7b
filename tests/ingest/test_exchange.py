"""What is exported comes back to the bit, what is wrong in an export is refused by its line, and nothing is half-written."""

import io
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from any_documents import documents, names
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from searcher import Document, Searcher
from searcher.cli.program import cli
from searcher.embedding.settings import IndexSettings
from searcher.errors import BadValue, IndexUnavailable, SettingsMismatch, UnknownName
from searcher.ingest.exchange import VECTORS, Export
from searcher.records import Chunk, Prepared
from searcher.store import Store

TEXT = "# The bank\n\nThe bank of the river.\n\n## Money\n\nMoney in the bank. " + "A boat is tied to the bank. " * 30


@pytest.fixture(scope="module")
def made(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    (folder / "a.md").write_text(f"---\ntitle: T\n---\n{TEXT}")
    (folder / "rows.csv").write_text("id,question,answer,lang\n1,where?,there,en\n2,how?,so,de\n")
    with Searcher(folder / "index", tiny_bert, overlap=5) as searcher:
        searcher.add([folder / "a.md", folder / "rows.csv"])
        searcher.add_texts(
            ["naïve 😀\r\nline\u2028two", "world"], ids=["x", "y"], metadatas=[{"n": [1, None, 0.1]}, {}]
        )
        searcher.remove(ids=["y"])
        searcher.add_documents([Document("z", "hello", "Z", None, {}, ((0, "H"),), (2,), 7)])
    return folder / "index"


@pytest.fixture
def searcher(made: Path, tmp_path: Path) -> Iterator[Searcher]:
    with Searcher(shutil.copytree(made, tmp_path / "index")) as searcher:
        yield searcher


def exported(searcher: Searcher, vectors: str = "numbers") -> bytes:
    stream = io.BytesIO()
    searcher.export(stream, vectors)
    return stream.getvalue()


def stored(folder: Path) -> tuple[list, ...]:
    """Everything but the store's ids, counters and checksums, as sqlite3 reads it."""
    connection = sqlite3.connect(folder / "searcher.db")
    queries = (
        "SELECT source, key, kind, title, metadata, passages, characters, file, digest, layout, text FROM documents ORDER BY id",
        "SELECT d.source, p.start, p.end, p.line, p.section, p.tokens, p.text, p.text_key, v.vector FROM passages p"
        " JOIN documents d ON d.id = p.document JOIN vectors v ON v.id = p.id ORDER BY p.id",
        "SELECT * FROM files ORDER BY path",
        "SELECT * FROM settings ORDER BY key",
        "SELECT * FROM metadata_keys ORDER BY key",
    )
    found = tuple(connection.execute(query).fetchall() for query in queries)
    connection.close()
    return found


# -- there and back


@pytest.mark.parametrize("vectors", VECTORS)
def test_an_import_holds_what_was_exported_to_the_bit_and_exports_the_same(
    searcher: Searcher, tmp_path: Path, vectors: str
) -> None:
    data = exported(searcher, vectors)
    with Searcher(tmp_path / "new") as new:
        done = new.import_(io.BytesIO(data))
        counts = searcher.engine.counts()
        assert (done.documents, done.passages) == (counts["documents"], counts["passages"])
        assert (done.replaced, done.removed) == (0, 0)
        old = stored(searcher.folder)
        assert stored(new.folder)[:4] == old[:4]
        assert set(stored(new.folder)[4]) <= set(old[4])
        assert exported(new, vectors) == data
        assert new.check() == []
        question = searcher.embedder.embed(["river"], "query")[0]
        assert [(hit.source, hit.start, hit.score) for hit in new.search(question, k=99)] == [
            (hit.source, hit.start, hit.score) for hit in searcher.search(question, k=99)
        ]


finite = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(finite, min_size=1, max_size=9))
@pytest.mark.parametrize("vectors", VECTORS)
def test_every_float32_reads_back_to_the_bit(vectors: str, numbers: list[float]) -> None:
    encode, decode = VECTORS[vectors]
    vector = np.array(numbers, dtype=np.float32)
    back = decode(json.loads(encode(vector)))
    assert back.astype("<f4").tobytes() == vector.astype("<f4").tobytes()


def test_random_bit_patterns_read_back_to_the_bit() -> None:
    encode, decode = VECTORS["numbers"]
    bits = np.random.default_rng(0).integers(0, 2**32, 300_000, dtype=np.uint32)
    vector = bits.view(np.float32)
    vector = vector[np.isfinite(vector)]
    assert np.array_equal(decode(json.loads(encode(vector))).view(np.uint32), vector.view(np.uint32))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(documents, st.none() | names), max_size=4, unique_by=lambda item: item[0].source), st.data())
def test_any_documents_come_back_as_they_were(
    searcher: Searcher, tmp_path_factory: pytest.TempPathFactory, items: list, data: st.DataObject
) -> None:
    made_with = searcher.settings
    folder = tmp_path_factory.mktemp("any")
    store = Store(folder / "a", create=True)
    store.settle(made_with)
    prepared = []
    for document, file in items:
        size = len(document.text)
        cuts = data.draw(st.lists(st.integers(0, size), max_size=4, unique=True)) if size else []
        chunks = [Chunk(at, size, (), 1) for at in sorted(cuts) if at < size]
        vectors = np.random.default_rng(size).normal(size=(len(chunks), made_with.dimension))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        prepared.append(Prepared(document, document.digest(), file, chunks, vectors.astype(np.float32)))
    store.write(prepared, files=[(file, b"digest") for _, file in items if file])
    store.database.close()
    with Searcher(folder / "a") as one, Searcher(folder / "b") as two:
        lines = exported(one)
        assert lines.count(b"\n") == 1 + len(items) + len(one.engine.files())
        two.import_(io.BytesIO(lines))
        assert stored(folder / "a") == stored(folder / "b")
        assert exported(two) == lines


# -- into an index that is there


def test_documents_of_the_same_source_are_replaced_and_others_stay(searcher: Searcher) -> None:
    data, old = exported(searcher), {row.passage_id for row in searcher.passages("x")}
    searcher.add_texts(["another text"], ids=["x"])
    searcher.add_texts(["only here"], ids=["only"])
    highest = int(searcher.engine.passage_ids().max())
    done = searcher.import_(io.BytesIO(data))
    assert done.replaced == done.documents == 5
    assert searcher.document("x").text == "naïve 😀\r\nline\u2028two"
    assert searcher.document("only").text == "only here"
    new = {row.passage_id for row in searcher.passages("x")}
    assert min(new) > highest
    assert not new & old
    assert searcher.check() == []


def test_an_add_after_an_import_knows_what_is_unchanged(searcher: Searcher, made: Path, tmp_path: Path) -> None:
    files = [made.parent / "a.md", made.parent / "rows.csv"]
    with Searcher(tmp_path / "new") as new:
        new.import_(io.BytesIO(exported(searcher)))
        report = new.add(files)
        assert (report.unchanged, report.documents) == (3, 0)


def test_a_file_that_is_imported_replaces_all_that_came_from_it(searcher: Searcher, made: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("id,question,answer,lang\n1,where?,there,en\n")
    with Searcher(tmp_path / "one", made_model(searcher), overlap=5) as one:
        one.add(rows)
        before = exported(one)
        rows.write_text("id,question,answer,lang\n1,where?,there,en\n2,how?,so,de\n")
        one.add(rows)
        assert one.engine.counts()["documents"] == 2
        done = one.import_(io.BytesIO(before))
        assert (done.replaced, done.removed) == (1, 1)
        assert [row["id"] for row in one.engine.listing()] == ["1"]
        rows.write_text("id,question,answer,lang\n1,where?,there,en\n")
        assert one.add(rows).unchanged == 1


def made_model(searcher: Searcher) -> str:
    return searcher.settings.model


def test_an_index_with_other_settings_is_refused_with_both_values(searcher: Searcher, tmp_path: Path) -> None:
    data = exported(searcher)
    with Searcher(tmp_path / "other", made_model(searcher), overlap=6) as other:
        other.add_texts(["one"], ids=["one"])
        before = stored(other.folder)
        with pytest.raises(SettingsMismatch, match="overlap 6, not 5"):
            other.import_(io.BytesIO(data))
        assert stored(other.folder) == before
    with Searcher(tmp_path / "new", overlap=7) as new:
        with pytest.raises(SettingsMismatch, match="overlap 5, not 7"):
            new.import_(io.BytesIO(data))
        assert not (tmp_path / "new").exists()


def test_an_import_needs_no_model(searcher: Searcher, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in exported(searcher).splitlines()]
    lines[0]["settings"]["model"] = "/nowhere/bert"
    with Searcher(tmp_path / "new") as new:
        new.import_(packed(lines))
        assert new.status()["model"] == "/nowhere/bert"
        vector = new.engine.rows([1])[1].vector
        assert new.search(vector, k=1)[0].passage_id == 1


# -- what is wrong


def packed(lines: list) -> io.BytesIO:
    return io.BytesIO(b"".join(json.dumps(line).encode() + b"\n" for line in lines))


def vector(lines: list, change: Callable[[list], object]) -> None:
    lines[1]["passages"][1]["vector"] = change(lines[1]["passages"][1]["vector"])


def put(*path: Any) -> Callable[[list], None]:
    """What sets a value, the last of the path, in the lines."""

    def change(lines: list) -> None:
        at: Any = lines
        for part in path[:-2]:
            at = at[part]
        at[path[-2]] = path[-1]

    return change


FAULTS: dict[str, tuple[Callable[[list], object], str]] = {
    "no header": (lambda x: x.pop(0), "line 1: this is no export"),
    "a newer version": (put(0, "version", 2), "line 1: an export of version 2; this searcher reads version 1"),
    "an unknown way to write vectors": (put(0, "vectors", "text"), "line 1: unknown way to write vectors 'text'"),
    "an unknown setting": (put(0, "settings", "colour", 1), "line 1: unknown setting 'colour'"),
    "a setting of another type": (put(0, "settings", "pooling", 5), "line 1: setting pooling is 5"),
    "a missing setting": (lambda x: x[0]["settings"].pop("weights"), "line 1: settings are missing: weights"),
    "no dimension": (put(0, "settings", "dimension", 0), "line 1: setting dimension is 0"),
    "another dimension": (put(0, "settings", "dimension", 31), "line 2: passage 1: its vector has 32 numbers; .* 31"),
    "a line too few": (lambda x: x.pop(), "line 8: the file ends here, cut short: the header says 8 lines"),
    "a line too many": (lambda x: x.append(x[-1]), "line 9: more lines than the header says"),
    "too few passages": (lambda x: x[1]["passages"].pop(), "line 9: the header says .* passages, there are"),
    "a source twice": (lambda x: x.__setitem__(3, x[2]), "line 4: source '.*#1' comes twice"),
    "an infinite number": (lambda x: vector(x, lambda v: [1e39, *v[1:]]), "line 2: passage 2: .* NaN or infinite"),
    "a number beyond any": (lambda x: vector(x, lambda v: [10**400, *v[1:]]), "line 2: passage 2: .*beyond any"),
    "no number": (lambda x: vector(x, lambda v: [True, *v[1:]]), "line 2: passage 2: its vector is not a list of num"),
    "no list": (lambda x: vector(x, lambda v: "abc"), "line 2: passage 2: its vector is not a list of numbers"),
    "not of unit length": (lambda x: vector(x, lambda v: [2 * n for n in v]), "line 2: passage 2: .* length 2, not 1"),
    "a span beyond the text": (put(1, "passages", 1, "end", 10**6), r"line 2: passage 2 is \d+:1000000 of a text of"),
    "a span backwards": (put(1, "passages", 0, "start", 99999), "line 2: passage 1 is 99999:"),
    "a negative offset": (put(1, "passages", 0, "start", -1), "line 2: passage 1: start is -1, out of range"),
    "another line": (put(1, "passages", 1, "line", 999), "line 2: passage 2 starts on line .* not on 999"),
    "another section": (put(1, "passages", 1, "section", "No"), "line 2: passage 2 starts on .* not on .* 'No'"),
    "a text that is none": (put(1, "text", 5), "line 2: the document: text is 5"),
    "a lone surrogate": (put(1, "title", "\ud800"), "line 2: the title holds a lone surrogate"),
    "a key too many": (put(1, "colour", 5), "line 2: unknown key of the document 'colour'"),
    "a key too few": (lambda x: x[1].pop("kind"), "line 2: the document has no 'kind'"),
    "an unknown kind": (put(1, "kind", "poem"), "line 2: unknown kind 'poem'"),
    "a section that is none": (put(1, "sections", [[1, 2]]), "line 2: a section is"),
    "a break that is none": (put(1, "breaks", ["x"]), "line 2: an offset is 'x'"),
    "an empty source": (put(1, "source", ""), "line 2: the source is empty"),
    "a list for a document": (lambda x: x.__setitem__(1, [1]), "line 2: the document is not a JSON object"),
    "a digest that is none": (put(-1, "digest", "xy"), "line 8: the file's digest is not hexadecimal"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("new", [True, False], ids=["new index", "index that is there"])
def test_a_fault_is_named_by_its_line_and_changes_nothing(
    searcher: Searcher, tmp_path: Path, fault: str, new: bool
) -> None:
    lines = [json.loads(line) for line in exported(searcher).splitlines()]
    assert len(lines) == 8
    change, message = FAULTS[fault]
    change(lines)
    before = (searcher.folder / "searcher.db").read_bytes()
    with Searcher(tmp_path / "new") if new else Searcher(searcher.folder) as target:
        mismatch = fault == "another dimension" and not new
        expected = (SettingsMismatch, "dimension 32, not 31") if mismatch else (BadValue, f"the export, {message}")
        with pytest.raises(expected[0], match=expected[1]) as caught:
            target.import_(packed(lines))
        assert "\n" not in str(caught.value)
        if target.exists():
            assert target.check() == []
            assert target.engine.counts()["documents"] == (0 if new else 5)
            assert target.engine.settings() == (None if new else searcher.settings)
    assert (searcher.folder / "searcher.db").read_bytes() == before


def test_an_export_cut_short_anywhere_is_refused(searcher: Searcher, tmp_path: Path) -> None:
    data = exported(searcher)
    places = {0, 1, len(data) - 2, *np.random.default_rng(0).integers(0, len(data) - 1, 40).tolist()}
    with Searcher(tmp_path / "new") as new:
        for place in sorted(places):
            with pytest.raises(BadValue, match=r"line \d+: "):
                new.import_(io.BytesIO(data[:place]))
            assert not new.exists() or new.engine.counts()["documents"] == 0


@pytest.mark.parametrize(
    ("line", "message"),
    [(b"\xff\n", "byte 1 is not UTF-8"), (b'{"a": NaN}\n', "NaN is not JSON"), (b"[" * 200_000, "nested too deeply"),
     (b"{" + b"1" * 9 + b"\n", "not JSON"), (b"1" * 9_000 + b"\n", "not JSON that can be read")],
)  # fmt: skip
def test_lines_that_are_no_json_are_refused_in_words(searcher: Searcher, line: bytes, message: str) -> None:
    lines = exported(searcher).splitlines(keepends=True)
    for at in (0, 2):
        with pytest.raises(BadValue, match=f"the export, line {at + 1}: .*{message}"):
            searcher.import_(io.BytesIO(b"".join([*lines[:at], line, *lines[at + 1 :]])))


def test_base64_that_is_none_is_refused(searcher: Searcher) -> None:
    lines = [json.loads(line) for line in exported(searcher, "base64").splitlines()]
    for bad in ("!!!!", "AAA", [1.0], "AAAA"):
        lines[1]["passages"][0]["vector"] = bad
        with pytest.raises(BadValue, match="line 2: passage 1: its vector"):
            searcher.import_(packed(lines))


def test_an_unknown_way_to_write_vectors_is_refused(searcher: Searcher) -> None:
    with pytest.raises(UnknownName, match="'text'; known: base64, numbers"):
        exported(searcher, "text")


def test_there_is_nothing_to_export_without_settings(searcher: Searcher, tmp_path: Path) -> None:
    with pytest.raises(IndexUnavailable, match="no index"):
        exported(Searcher(tmp_path / "none"))
    Store(tmp_path / "empty", create=True)
    with pytest.raises(IndexUnavailable, match="no settings yet"):
        exported(Searcher(tmp_path / "empty"))


# -- the commands


def test_a_pipe_from_one_index_into_another(searcher: Searcher, tmp_path: Path) -> None:
    def command(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "searcher", *arguments]

    with subprocess.Popen(command("export", "-i", str(searcher.folder)), stdout=subprocess.PIPE) as one:
        into = command("import", "-", "-i", str(tmp_path / "new"), "--json")
        two = subprocess.run(into, stdin=one.stdout, capture_output=True, check=True)
    assert one.returncode == 0
    assert json.loads(two.stdout)["documents"] == 5
    assert stored(tmp_path / "new")[:4] == stored(searcher.folder)[:4]


def test_an_export_takes_its_name_only_when_it_is_whole(searcher: Searcher, tmp_path: Path) -> None:
    file = tmp_path / "kept.jsonl"
    file.write_text("kept")
    searcher.close()
    connection = sqlite3.connect(searcher.folder / "searcher.db", isolation_level=None)
    connection.execute("UPDATE documents SET text = 'x' WHERE source = 'z'")
    connection.close()
    result = CliRunner().invoke(cli, ["export", str(file), "-i", str(searcher.folder)])
    assert result.exit_code == 1
    assert file.read_text() == "kept"
    assert [entry.name for entry in tmp_path.iterdir() if entry.suffix == ".tmp"] == []


def test_an_export_never_replaces_the_index_itself(searcher: Searcher) -> None:
    before = (searcher.folder / "searcher.db").read_bytes()
    result = CliRunner().invoke(cli, ["export", str(searcher.folder / "searcher.db"), "-i", str(searcher.folder)])
    assert result.exit_code == 2
    assert (searcher.folder / "searcher.db").read_bytes() == before


def test_memory_does_not_grow_with_the_index(searcher: Searcher, tmp_path: Path) -> None:
    import tracemalloc

    made_with: IndexSettings = searcher.settings
    vectors = np.zeros((20, made_with.dimension), dtype=np.float32)
    vectors[:, 0] = 1
    peaks = []
    for count in (50, 500):  # 1.6 MB of vectors in the larger
        store = Store(tmp_path / f"index-{count}", create=True)
        store.settle(made_with)
        document = Document("", "word " * 20)
        chunks = [Chunk(5 * at, 5 * at + 4, (), 1) for at in range(20)]
        named = [replace(document, source=str(number)) for number in range(count)]
        store.write([Prepared(one, one.digest(), None, chunks, vectors) for one in named])
        store.database.close()
        tracemalloc.start()
        with Searcher(tmp_path / f"index-{count}") as one, (tmp_path / "file").open("wb") as stream:
            one.export(stream)
        with (tmp_path / "file").open("rb") as stream:
            Export(stream).into(Store(tmp_path / f"new-{count}", create=True))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 500_000


@pytest.mark.parametrize("depth", [600, 900, 100_000])
@pytest.mark.parametrize("where", ["metadata", "payload", "title"])
def test_what_is_nested_too_deeply_in_an_export_is_one_line(
    searcher: Searcher, tmp_path: Path, where: str, depth: int
) -> None:
    header, line, *rest = exported(searcher).splitlines(keepends=True)
    document = json.loads(line) | {where: "NESTED"}
    nested = b'{"a": ' * depth + b"1" + b"}" * depth
    lines = [header, json.dumps(document).encode().replace(b'"NESTED"', nested) + b"\n", *rest]
    with Searcher(tmp_path / "other") as other:
        if (where, depth) in {("payload", 600), ("payload", 900)}:
            other.import_(io.BytesIO(b"".join(lines)))
            assert exported(other).count(b'{"a": ') == depth
        else:
            with pytest.raises(BadValue, match=r"^the export, line 2: (.*is )?nested too deeply|title is {'a': {'a'"):
                other.import_(io.BytesIO(b"".join(lines)))


def test_an_export_that_is_cut_short_leaves_no_more_than_an_empty_index_that_takes_the_whole_one(
    searcher: Searcher, tmp_path: Path
) -> None:
    whole = exported(searcher)
    with Searcher(tmp_path / "other", chunk_tokens=7) as other, pytest.raises(SettingsMismatch):
        other.import_(io.BytesIO(whole))
    assert not (tmp_path / "other").exists()
    with Searcher(tmp_path / "other") as other:
        with pytest.raises(BadValue, match="cut short"):
            other.import_(io.BytesIO(whole[:-40]))
        assert (other.counts()["documents"], other.listing(), other.search("bank", mode="keyword")) == (0, [], [])
        other.import_(io.BytesIO(whole))
        assert exported(other) == whole
