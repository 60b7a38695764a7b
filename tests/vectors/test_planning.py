"""What so many passages will cost: the figures for a billion, by hand; and the formulas against what they are formulas of."""

import sqlite3
from pathlib import Path

import faiss
import numpy as np
import pytest

from searcher import Searcher
from searcher.vectors.planning import CLUSTER, HERE, Corpus, Machine, cluster_hours, limits, links, needs, stored

BILLION = Corpus(documents=10**9, passages_each=1, text_each=0, dimension=384)
MACHINE = Machine(memory=64 * 10**9, disk=10**12, rate=100.0)


def test_a_billion_vectors_of_384_numbers_on_a_cluster_take_what_the_sizing_on_paper_says() -> None:
    found = {need.way.type: need for need in needs(BILLION, MACHINE, replicas=1) if need.way.place == CLUSTER}
    assert {name: (round(need.memory / 1e12, 2), need.nodes) for name, need in found.items()} == {
        "flat": (1.74, 20),  # 1536 + 200 bytes
        "hnsw": (1.88, 21),  # + 144
        "sq8": (0.73, 9),  # 384 + 144 + 200
        "diskann": (0.55, 7),  # 192 + 154 + 200
    }
    assert 4e12 < found["sq8"].disk < 5e12  # 2 × (1536 + 200 + 384 + 144) bytes
    assert found["diskann"].node_disk == 2_048 * 10**9  # two in each sector of 4096: 1536 + 57 × 4 bytes each
    assert [round(hours) for hours in cluster_hours(BILLION)] == [30, 178]


def test_every_replica_has_nodes_of_its_own() -> None:
    assert [need.nodes for need in needs(BILLION, MACHINE) if need.way.place == CLUSTER] == [40, 42, 18, 14]
    small = Corpus(1, 1, 0, 384)
    assert [need.nodes for need in needs(small, MACHINE, replicas=3) if need.way.place == CLUSTER] == [3, 3, 3, 3]


def test_on_one_machine_it_is_memory_or_disk_that_says_how_many_would_be_needed() -> None:
    corpus = Corpus(documents=10**8, passages_each=2, text_each=1000, dimension=384)
    found = {need.way.type: need for need in needs(corpus, Machine(10**11, 10**13, 1.0)) if need.way.place == HERE}
    assert {name: need.memory for name, need in found.items()} == {
        "flat": 2 * 10**8 * (1536 + 8),
        "hnsw": 363_225_806_452,  # 2 × 10⁸ × (1536 + 4 × (64 + 32 / 31) + 12 + 8)
        "sq8": 2 * 10**8 * (384 + 48 + 8),
    }
    # a document 690, its text 2.55 times, two passages of 85 + 2048, and twice the file of both
    kept = 10**8 * (690 + 2550 + 2 * (85 + 2048))
    assert found["sq8"].disk == kept + 2 * 2 * 10**8 * (384 + 8)
    assert {name: need.nodes for name, need in found.items()} == {"flat": 5, "hnsw": 6, "sq8": 2}
    assert [need.nodes for need in needs(corpus, Machine(10**15, 10**11, 1.0)) if need.way.place == HERE] == [
        20,
        22,
        13,
    ]


def test_the_nearest_limit_of_one_machine_comes_first() -> None:
    found = limits(BILLION, MACHINE)
    assert [limit.documents for limit in found] == [
        101_818_182,  # 0.7 × 64 GB / (384 + 48 + 8)
        194_067_092,  # 0.7 × 1 TB / (690 + 85 + 2048 + 2 × (384 + 8)), as a document of its own each
        259_200_001,  # 30 days × 86,400 × 100
    ]
    assert [limit.why for limit in found] == [
        "memory is full, even with sq8", "the disk is full", "embedding takes over 30 days",
    ]  # fmt: skip
    two_each = Corpus(1, 2, 0, 384)
    assert limits(two_each, MACHINE)[0].documents == 101_818_182 // 2


@pytest.mark.parametrize("m", [16, 32])
def test_the_links_of_a_graph_are_as_many_bytes_as_faiss_writes(m: int) -> None:
    index = faiss.index_factory(8, f"HNSW{m}", faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = 8
    index.add(np.random.default_rng(0).random((5000, 8), dtype=np.float32))
    assert len(faiss.serialize_index(index)) / 5000 - 4 * 8 == pytest.approx(links(m), rel=0.01)


@pytest.mark.parametrize("dimension", [32, 384, 768, 1016, 1024, 1536, 2048, 4096])
def test_a_stored_vector_takes_as_much_room_as_sqlite_gives_it(dimension: int, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "rows.db")
    connection.execute("CREATE TABLE vectors (id INTEGER PRIMARY KEY, vector BLOB NOT NULL, crc INTEGER NOT NULL)")
    rows = ((number, bytes(4 * dimension), number * 2_654_435_761 % 2**32) for number in range(1, 2001))
    connection.executemany("INSERT INTO vectors VALUES (?, ?, ?)", rows)
    connection.commit()
    connection.close()
    assert (tmp_path / "rows.db").stat().st_size / 2000 == pytest.approx(stored(dimension), rel=0.05)


def test_the_database_of_an_index_is_as_large_as_was_planned(tiny_bert: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    words = ["river", "bank", "money", "water", "boat", "account", "hello", "near", "us", "tied"]
    texts = [" ".join(random.choice(words, random.integers(20, 200))) + "." for _ in range(300)]
    with Searcher(tmp_path, model=tiny_bert) as searcher:
        report = searcher.add_texts(texts)
        dimension = searcher.settings.dimension
    each = sum(map(len, texts)) / len(texts)
    corpus = Corpus(len(texts), report.passages / len(texts), each, dimension)
    planned = corpus.documents * corpus.kept_each
    assert (tmp_path / "searcher.db").stat().st_size == pytest.approx(planned, rel=0.15)
