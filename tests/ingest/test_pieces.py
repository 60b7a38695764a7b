"""Pieces of an add that a cluster does: what is written down comes back the same, and is whole or is not there."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from searcher import Searcher, __version__
from searcher.errors import DamagedIndex, SearcherError, UnreadableFile
from searcher.ingest.files import digest_of
from searcher.ingest.ingest import Ingest
from searcher.readers import ReadOptions, Unsupported
from searcher.records import Chunk, Document, Failure, Note, Skipped

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")

from searcher.ingest import spread, workers  # noqa: E402 - which need it
from searcher.ingest.pieces import Entry, Pieces, entries, table_of, with_vectors, write_piece  # noqa: E402 - which need it

WHOLE = Document(
    "/a/b.csv#7", "Déjà vu: 首都\0 and 🙂.", "Title", "7", {"year": 2020, "tags": ["x", 1.5], "to": None},
    ((0, "A > B"), (3, "A > C")), (4, 9), 3, "faq", ((0, {"page": 2}), (5, {"sheet": "S"})), {"p": [1]}, True,
)  # fmt: skip
CHUNKS = [Chunk(0, 4, (101, 7, 102), 1, 1, True), Chunk(4, 9, (101, 8, 9, 102), 2)]


def same(one: Entry, other: Entry) -> bool:
    """Whether two entries hold the same; errors are alike by what they say."""
    values = [
        (type(each.value), each.value.args if isinstance(each.value, SearcherError) else each.value)
        for each in (one, other)
    ]
    bits = [None if each.vectors is None else each.vectors.tobytes() for each in (one, other)]
    return values[0] == values[1] and bits[0] == bits[1] and one[:2] == other[:2] and [*one.chunks] == [*other.chunks]


def piece(file: str, numbers: range, last: bool, mark: float = 0.0) -> Any:
    """A table of documents of a file with a passage each, whose vectors begin with a mark and their number."""
    read = [Entry(file, n, Document(f"{file}#{n}", f"text {n}"), [CHUNKS[0]]) for n in numbers]
    vectors = np.array([[mark, n, 0.5] for n in numbers], np.float32).reshape(-1, 3)
    return with_vectors(table_of([*read, *([Entry(file, numbers.stop, None)] * last)]), vectors)


def test_what_was_read_comes_back_as_it_was(tmp_path: Path) -> None:
    read = [
        Entry("f", 0, WHOLE, CHUNKS),
        Entry("f", 1, Failure("a\ud800.csv", "no", "a#1")),
        Entry("f", 2, Note("a", "odd")),
        Entry("f", 3, Skipped("a", "left out")),
        Entry("f", 4, replace(WHOLE, title=None, payload=None, places=()), CHUNKS[:1]),
        Entry("f", 5, None),
        Entry("g", 0, UnreadableFile("/g", "it is damaged")),
        Entry("h", 0, Unsupported("/h", "not text")),
    ]
    vectors = np.random.default_rng(1).normal(size=(3, 5)).astype(np.float32)
    write_piece(tmp_path, with_vectors(table_of(read), vectors))
    found = Pieces(tmp_path)
    there = [entry for file in "fgh" for entry in found.of(file)]
    empty = np.empty((0, 5), np.float32)
    wanted = [each._replace(vectors=empty) for each in read]
    wanted[0], wanted[4] = read[0]._replace(vectors=vectors[:2]), read[4]._replace(vectors=vectors[2:])
    assert all(same(one, other) for one, other in zip(there, wanted, strict=True))
    assert there[0].value.digest() == WHOLE.digest()
    assert [found.has_all(file) for file in "fghi"] == [True, True, True, False]


def test_entries_that_are_in_two_pieces_come_once_and_in_order(tmp_path: Path) -> None:
    for table in (piece("f", range(3, 6), True), piece("f", range(0, 2), False), piece("f", range(1, 4), False, 9.0)):
        write_piece(tmp_path, table)
    found = Pieces(tmp_path)
    assert found.has_all("f")
    assert [entry.number for entry in found.of("f")] == [0, 1, 2, 3, 4, 5, 6]


def test_a_file_is_not_all_there_where_its_middle_or_its_end_is_missing(tmp_path: Path) -> None:
    write_piece(tmp_path, piece("f", range(0, 2), False))
    assert not Pieces(tmp_path).has_all("f")
    write_piece(tmp_path, piece("f", range(3, 4), True))
    assert not Pieces(tmp_path).has_all("f")
    assert [tuple(span) for span in Pieces(tmp_path).spans("f")] == [(0, 2, False), (3, 5, True)]
    write_piece(tmp_path, piece("f", range(2, 3), False))
    assert Pieces(tmp_path).has_all("f")


def test_a_piece_written_again_takes_the_place_of_the_first(tmp_path: Path) -> None:
    for mark in (1.0, 2.0):
        write_piece(tmp_path, piece("f", range(2), True, mark))
    [path] = tmp_path.iterdir()
    assert path.suffix == ".parquet"
    assert [entry.vectors[0, 0] for entry in Pieces(tmp_path).of("f") if entry.chunks] == [2.0, 2.0]


@pytest.mark.parametrize("left", [0, 3, 200])
def test_a_piece_that_was_cut_short_is_made_anew(tmp_path: Path, left: int) -> None:
    write_piece(tmp_path, piece("f", range(4), True))
    [path] = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:left])
    assert not Pieces(tmp_path).has_all("f")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_piece_is_an_error_and_never_another_vector(tmp_path: Path) -> None:
    table = piece("f", range(40), True)
    write_piece(tmp_path, table)
    [path] = tmp_path.iterdir()
    sound, found = path.read_bytes(), 0
    footer = len(sound) - 8 - int.from_bytes(sound[-8:-4], "little")
    for at in range(4, footer, 97):
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :])
        try:
            assert all(same(*pair) for pair in zip(Pieces(tmp_path).of("f"), entries(table), strict=True))
        except DamagedIndex as fault:
            found += 1
            assert str(path) in str(fault)
    assert found > 5


def test_pieces_within_a_folder_that_is_added_are_no_files_of_it(tiny_bert: Path, tmp_path: Path) -> None:
    work = tmp_path / "index.ray"
    work.mkdir()
    (tmp_path / "a.txt").write_text("the bank")
    (work / workers.MARK).write_text(workers.UNREAD)
    write_piece(work, piece("f", range(2), True))
    with Searcher(tmp_path / "index", tiny_bert) as searcher:
        report = searcher.add(tmp_path)
        assert (report.documents, report.failed) == (1, [])


# -- what a machine does


@pytest.fixture
def made(tiny_bert: Path, tmp_path: Path) -> Any:
    """A folder of three files, and the job of an index that has them not."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "one.txt").write_text("The bank of the river. " * 40)
    (folder / "rows.csv").write_text("id,text\n" + "".join(f"{n},money in bank {n}\n" for n in range(9)))
    (folder / "bad.pdf").write_bytes(b"%PDF-1.4 nothing")
    with Searcher(tmp_path / "index", tiny_bert) as searcher:
        ingest = Ingest(None, searcher.settings, searcher.embedder, dry_run=True)
        work = tmp_path / "work"
        work.mkdir()
        (work / workers.MARK).write_text(workers.UNREAD)
        yield folder, workers.Job.of(ingest, work, [ReadOptions()]), searcher


def row(file: Path, **other: Any) -> dict[str, Any]:
    """A file as a machine is told it."""
    values = {"path": str(file), "way": 0, "digest": digest_of(file, ReadOptions()), "key": file.name, "done": []}
    return values | other


def done(job: workers.Job, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    """Read, cut and embed them, as tasks and actors do; what is handed on."""
    groups = pa.Table.from_pylist([{"files": list(rows)}])
    embedding = workers.Embedding(job)
    return [each for table in workers.read_and_cut(groups, job) for each in embedding(table).to_pylist()]


def test_a_machine_makes_the_documents_passages_and_vectors_of_an_add(made: Any) -> None:
    folder, job, searcher = made
    files = sorted(folder.iterdir())
    assert sum(each["passages"] for each in done(job, *map(row, files))) > 10
    searcher.add(folder)
    pieces = Pieces(job.folder)
    there = [entry for file in files for entry in pieces.of(file.name) if isinstance(entry.value, Document)]
    wanted = {
        source: searcher.passages(source) for source in searcher.engine.named("source", [e.value.source for e in there])
    }
    assert len(there) == 10
    for entry in there:
        rows = wanted[entry.value.source]
        assert searcher.document(entry.value.source) == entry.value
        assert [(each.start, each.end) for each in rows] == [(chunk.start, chunk.end) for chunk in entry.chunks]
        np.testing.assert_allclose(np.array([each.vector for each in rows]), entry.vectors, atol=1e-6)
    [fault] = pieces.of("bad.pdf")
    assert isinstance(fault.value, UnreadableFile)
    assert fault.value.reason == searcher.add(folder).failed[0].reason


def test_what_is_there_of_a_file_is_not_made_again(made: Any) -> None:
    folder, job, _ = made
    [told] = done(job, row(folder / "rows.csv", done=[[0, 4], [6, 8]]))
    assert told["passages"] == 3
    assert [tuple(span) for span in Pieces(job.folder).spans("rows.csv")] == [(4, 6, False), (8, 10, True)]


def test_a_file_that_a_machine_does_not_see_or_sees_otherwise_is_left(made: Any) -> None:
    folder, job, _ = made
    gone = row(folder / "one.txt", path=str(folder / "gone.txt"))
    other = row(folder / "rows.csv", digest=bytes(16))
    told = done(job, gone, other, row(folder / "one.txt"))
    left = dict(json.loads(each["left"]) for each in told if each["left"])
    assert left[gone["path"]].endswith("No such file or directory: '" + gone["path"] + "'")
    assert left[other["path"]].endswith("it is another file there, or it changed meanwhile")
    assert [Pieces(job.folder).has_all(name) for name in ("one.txt", "rows.csv")] == [True, False]


def test_a_machine_with_another_searcher_or_without_the_folder_says_so(made: Any, tmp_path: Path) -> None:
    folder, job, _ = made
    for wrong, said in [
        (replace(job, version="0.0.7"), f"has searcher {__version__}, not 0.0.7: install the same on all"),
        (replace(job, folder=tmp_path / "elsewhere"), f"does not see {tmp_path / 'elsewhere'}; good: --work"),
        (replace(job, model="/no/such/model"), ": no model folder"),
    ]:
        [told] = done(wrong, row(folder / "one.txt"))
        assert told["fault"].startswith("the machine ")
        assert said in told["fault"]


def test_a_piece_over_which_processes_die_is_given_up(made: Any) -> None:
    folder, job, _ = made
    done(job, row(folder / "one.txt"))
    [path] = job.folder.glob("*.parquet")
    assert list(job.folder.glob(f"*{workers.TRIED}")) == []
    path.with_suffix(workers.TRIED).write_bytes(b"+++")
    [told] = done(job, row(folder / "one.txt"))
    assert f"died 3 times over 1 document, from {folder / 'one.txt'} on" in told["fault"]


@pytest.mark.parametrize(
    ("resources", "wanted"),
    [
        ({"CPU": 3.0}, (2, 0.5, {"num_cpus": 1.0})),
        ({"CPU": 2.0}, (1, 0.5, {"num_cpus": 1.0})),
        ({"CPU": 1.0}, (1, 0.25, {"num_cpus": 0.5})),
        ({"CPU": 64.0}, (56, 0.5, {"num_cpus": 1.0})),
        ({"CPU": 16.0, "GPU": 2.0}, (2, 0.5, {"num_cpus": 1.0, "num_gpus": 1})),
        ({"CPU": 4.0, "GPU": 4.0}, (4, 0.4, {"num_cpus": 0.8, "num_gpus": 1})),
    ],
)
def test_a_cluster_has_an_actor_for_each_device_and_room_for_those_that_read(
    resources: dict[str, float], wanted: tuple[int, float, dict[str, float]]
) -> None:
    actors, reading, each = spread._pool(resources)
    assert (actors, reading, each) == wanted
    assert actors * each["num_cpus"] + reading <= resources["CPU"]
