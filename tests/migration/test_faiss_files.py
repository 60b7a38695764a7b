"""FAISS files are read by their own headers: FAISS writes them, its vectors come out to the bit, the others are refused."""

import struct
from pathlib import Path

import faiss
import numpy as np
import pytest

from searcher.errors import UnreadableFile
from searcher.migration.faiss_files import read_vectors

COUNT, WIDTH = 400, 8
ROWS = np.random.default_rng(0).normal(size=(COUNT, WIDTH)).astype(np.float32)
KEPT = "Flat IDMap,Flat IDMap2,Flat IVF4,Flat IVF4_HNSW4,Flat HNSW8,Flat HNSW8 IDMap2,HNSW8 IDMap,IVF4,Flat".split()
LOST = {
    "SQ8": "IxSQ", "IDMap,SQ8": "IxSQ", "IVF4,SQ8": "IwSq", "PQ4x2": "IxPq", "SQfp16": "IxSQ", "PCA4,Flat": "IxPT",
    "LSH": "IxHe",
}  # fmt: skip
METRICS = {faiss.METRIC_INNER_PRODUCT: "ip", faiss.METRIC_L2: "l2", faiss.METRIC_L1: None}


def written(
    folder: Path, description: str, metric: int = faiss.METRIC_L2, count: int = COUNT
) -> tuple[Path, np.ndarray]:
    """A file that FAISS wrote, and the ids that its vectors have."""
    index = faiss.index_factory(WIDTH, description, metric)
    index.train(ROWS)
    ids = np.arange(count)
    if "IDMap" in description:
        ids = 10**12 - 7 * ids
        index.add_with_ids(ROWS[:count], ids)
    else:
        index.add(ROWS[:count])
    faiss.write_index(index, str(folder / "x.faiss"))
    return folder / "x.faiss", ids


@pytest.mark.parametrize(
    ("description", "metric"),
    # FAISS makes no HNSW over the lists for L1.
    [(each, metric) for each in KEPT for metric in METRICS if metric != faiss.METRIC_L1 or "_HNSW" not in each],
)
def test_vectors_that_lie_in_a_file_as_they_are_come_out_to_the_bit(
    tmp_path: Path, description: str, metric: int
) -> None:
    file, ids = written(tmp_path, description, metric)
    found = read_vectors(file)
    assert found.metric == METRICS[metric]
    order = np.argsort(found.ids, kind="stable")
    wanted = np.argsort(ids, kind="stable")
    assert np.array_equal(found.ids[order], ids[wanted])
    assert np.ascontiguousarray(found.rows[order]).tobytes() == np.ascontiguousarray(ROWS[wanted]).tobytes()


@pytest.mark.parametrize("description", KEPT)
def test_an_empty_index_holds_nothing(tmp_path: Path, description: str) -> None:
    found = read_vectors(written(tmp_path, description, count=0)[0])
    assert (found.rows.shape, found.ids.shape) == ((0, WIDTH), (0,))


def test_what_was_removed_is_not_there(tmp_path: Path) -> None:
    index = faiss.index_factory(WIDTH, "IDMap,Flat")
    index.add_with_ids(ROWS, np.arange(COUNT))
    index.remove_ids(np.arange(0, COUNT, 2))
    faiss.write_index(index, str(tmp_path / "x.faiss"))
    found = read_vectors(tmp_path / "x.faiss")
    assert np.array_equal(np.sort(found.ids), np.arange(1, COUNT, 2))
    assert np.array_equal(found.rows, ROWS[found.ids])


def test_lists_of_which_most_are_empty_are_read_too(tmp_path: Path) -> None:
    index = faiss.index_factory(WIDTH, "IVF64,Flat")
    index.train(ROWS)
    index.add(ROWS[:3])  # FAISS writes the sizes of the others only
    faiss.write_index(index, str(tmp_path / "x.faiss"))
    assert b"sprs" in (tmp_path / "x.faiss").read_bytes()
    assert np.array_equal(read_vectors(tmp_path / "x.faiss").rows, ROWS[:3])


@pytest.mark.parametrize("description", LOST)
def test_an_index_that_does_not_hold_its_vectors_is_refused_by_its_kind(tmp_path: Path, description: str) -> None:
    with pytest.raises(UnreadableFile, match=f"a FAISS index of kind {LOST[description]}; its vectors can be read of"):
        read_vectors(written(tmp_path, description)[0])


@pytest.mark.parametrize("description", KEPT)
def test_a_file_that_is_damaged_anywhere_gives_vectors_or_one_line(tmp_path: Path, description: str) -> None:
    file, _ = written(tmp_path, description, count=6)
    data = file.read_bytes()
    random = np.random.default_rng(1)
    for at in [*range(min(len(data), 50)), *random.integers(0, len(data), 20).tolist()]:
        for damaged in (
            data[:at],
            data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :],
            data[:at] + b"\xff" * 8 + data[at + 8 :],
        ):
            file.write_bytes(damaged)
            try:
                read_vectors(file)
            except UnreadableFile as fault:
                assert "\n" not in str(fault)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not a whole FAISS file"),
        (b"abcd" * 20, "a FAISS index of kind abcd"),
        (b"\0\n\x1b]" * 20, r"a FAISS index of kind '\\x00\\n\\x1b\]'"),
        (b"IxF2" + struct.pack("<iqqqBiQ", 8, 2**60, 0, 0, 1, 1, 2**63), "not a whole FAISS file"),
        (b"IxF2" + struct.pack("<iqqqBiQ", -8, 0, 0, 0, 1, 1, 0), "0 vectors of -8 numbers"),
        (b"".join(b"IxMp" + struct.pack("<iqqqBi", 8, 0, 0, 0, 1, 1) for _ in range(9)), "a FAISS index of kind IxMp"),
        (b"IxF2" + struct.pack("<iqqqBiQ", 8, 0, 0, 0, 1, 1, 0) + b"more", "4 bytes follow"),
    ],
)  # fmt: skip
def test_what_is_none_of_faiss_is_said_in_one_line(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "x.faiss").write_bytes(data)
    with pytest.raises(UnreadableFile, match=said):
        read_vectors(tmp_path / "x.faiss")
