"""What so many passages will cost before there are any: memory, disk, hours and machines, by formulas alone.

`WAYS` is the table of what is kept of a vector, each row with where its formulas are from. A cluster is one of Milvus.
A GB is 10^9 bytes.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter

__all__ = [
    "ASSUMED",
    "CLUSTER",
    "HERE",
    "NODE",
    "WAYS",
    "Corpus",
    "Limit",
    "Machine",
    "Need",
    "Way",
    "cluster_hours",
    "limits",
    "links",
    "needs",
    "stored",
]  # fmt: skip

HERE, CLUSTER = "one machine", "Milvus"

FILLED = 0.7  # of memory or disk: the rest is for questions, merges and growth
NODE = 128 * 10**9  # bytes of memory of a node of the cluster that answers
REPLICAS = 2  # of everything in the cluster, so that a node may fail
PATIENCE = 30 * 24  # hours that one machine may embed

FLOAT, ID = 4, 8  # bytes
CODE, CACHE = 1 / 8, 1 / 10  # of a vector: what DiskANN keeps in memory of all, and how many it keeps there whole
DEGREE, SECTOR = 56, 4096  # of DiskANN: neighbours of a vector, bytes that it reads at once
COLUMNS = 200  # bytes of a passage for its id and what filters ask of it
MERGED = 2  # times that segments are in the object store, where those that were merged stay until they are swept up

# Of our database, beside the vectors, measured on 2,000 abstracts: rows, indexes and checksums of a passage and of a
# document; how many bytes a byte of text takes, as a document's, a passage's and in the keyword index.
PASSAGE_BYTES, DOCUMENT_BYTES, TEXT_COPIES = 85, 690, 2.55
PAGE = 4096  # of SQLite
TEXT_BYTES = 4  # of a token of English

# Milvus 2.3.5 on two cores, 100,000 vectors of 384 numbers, M = 16, efConstruction = 64: rows a second of one client,
# core-seconds of a vector's place in the graph.
LOADED, BUILT = 9_400, 64 / 100_000

ASSUMED = [
    f"memory and disk are filled to {FILLED:.0%}; the process itself, model included, is not counted",
    "passages are as full as they may be; where they end at sentences there are more",
    f"texts are as dense as English, {TEXT_BYTES} bytes a token; metadata is not counted in the database",
    "on one machine the disk holds the database and twice the FAISS file, which is written anew beside the old one",
    f"in the cluster a passage takes {COLUMNS} bytes for its id and what filters ask, texts are left on disk, and the"
    f" object store holds everything {MERGED} times, as merged segments stay for a while",
    "in the cluster sq8 is HNSW_SQ; recall of sq8 and diskann there was not measured",
    f"Milvus's rates are those of 100,000 vectors of 384 numbers on two cores: {LOADED:,} rows a second of one client",
    "hours of embedding are those of the encoder alone: reading and cutting come on top",
]


def links(m: int) -> float:
    """Bytes of a vector in the graph of FAISS's HNSW (faiss/impl/HNSW.h), beside its numbers.

    2M neighbours (int32) in the lowest layer, M in each of the 1 / (M - 1) layers above in which it is on average,
    where its neighbours begin (8), and in how many layers it is (4).
    """
    return 4 * (2 * m + m / (m - 1)) + 8 + 4


def stored(dimension: int) -> float:
    """Bytes of our database that a vector takes, what is left over on its pages included.

    By SQLite's file format, "B-tree Cell Payload Overflow Pages": a row has pages of its own for what its page has no
    room for. Beside the numbers it holds an id, a checksum and their headers.
    """
    row, least = FLOAT * dimension + 16, (PAGE - 12) * 32 // 255 - 23
    pages = 0
    if row > PAGE - 35:
        pages, rest = divmod(row - least, PAGE - 4)
        row = least + rest
        if row > PAGE - 35:
            pages, row = pages + 1, least
    return PAGE * (pages + 1 / ((PAGE - 8) // (row + 2)))


def _sectors(dimension: int) -> float:
    """Bytes of a vector and its neighbours on the disks of DiskANN (Subramanya et al., NeurIPS 2019, §3.2)."""
    node = FLOAT * dimension + 4 * (DEGREE + 1)
    return SECTOR / (SECTOR // node) if node <= SECTOR else SECTOR * math.ceil(node / SECTOR)


@dataclass(frozen=True)
class Way:
    """A way to keep vectors. memory, file: dimension → bytes of one, of the index alone, in memory and on disk.

    local: of `file`, whether it has to be on a disk of the node that answers. parts: what `memory` adds up.
    """

    place: str
    type: str
    memory: Callable[[int], float]
    file: Callable[[int], float]
    parts: str
    source: str
    local: bool = False


def _ours(name: str, each: Callable[[int], float], parts: str, source: str, beside: float = 0) -> Way:
    """beside: how much of a byte more a number takes in memory."""
    return Way(HERE, name, lambda d: each(d) + beside * d + ID, lambda d: each(d) + ID, parts, source)


def _theirs(name: str, each: Callable[[int], float], parts: str, source: str) -> Way:
    return Way(CLUSTER, name, lambda d: each(d) + COLUMNS, each, f"{parts} + {COLUMNS} of columns", source)


PAGES = "docs/internals/vectors.md"
WAYS = [
    _ours("flat", lambda d: FLOAT * d, "4d + id", f"{PAGES}; FAISS's IndexFlat"),
    _ours("hnsw", lambda d: FLOAT * d + links(32), "4d + links of M = 32 + id", f"{PAGES}; FAISS's HNSW.h"),
    _ours("sq8", lambda d: d, "d + d/8 of signs + id", PAGES, beside=1 / 8),
    _theirs("flat", lambda d: FLOAT * d, "4d", "Milvus, FLAT"),
    _theirs("hnsw", lambda d: FLOAT * d + links(16), "4d + links of M = 16", "Milvus, HNSW; FAISS's HNSW.h"),
    _theirs("sq8", lambda d: d + links(16), "d + links of M = 16", "Milvus, HNSW_SQ; FAISS's HNSW.h"),
    Way(CLUSTER, "diskann", lambda d: (CODE + CACHE) * FLOAT * d + COLUMNS, _sectors,
        f"codes of d/2 + cache of 0.4d + {COLUMNS} of columns", "Milvus, DISKANN; Subramanya et al. 2019", local=True),
]  # fmt: skip


@dataclass(frozen=True)
class Corpus:
    """So many documents of so many passages (a mean) and bytes of text each, and vectors of so many numbers."""

    documents: int
    passages_each: float
    text_each: float
    dimension: int

    @property
    def passages(self) -> int:
        """Of all documents."""
        return math.ceil(self.documents * self.passages_each)

    @property
    def kept_each(self) -> float:
        """Bytes of our database that a document takes."""
        passage = PASSAGE_BYTES + stored(self.dimension)
        return DOCUMENT_BYTES + TEXT_COPIES * self.text_each + passage * self.passages_each


@dataclass(frozen=True)
class Machine:
    """Bytes of memory and of free disk, neither of them 0, and passages that it embeds in a second."""

    memory: int
    disk: int
    rate: float


@dataclass(frozen=True)
class Need:
    """What a way takes: bytes of memory, of each replica in a cluster; of disk, or object store; of disks of nodes.

    nodes: machines that answer, of all replicas; of one machine as many as would hold it, so more than 1 is too many.
    """

    way: Way
    memory: int
    disk: int
    node_disk: int
    nodes: int


def needs(corpus: Corpus, machine: Machine, node: int = NODE, replicas: int = REPLICAS) -> list[Need]:
    """What each way takes. node: bytes of memory of a node of the cluster."""
    return [_here(corpus, way, machine) if way.place == HERE else _there(corpus, way, node, replicas) for way in WAYS]


def _here(corpus: Corpus, way: Way, machine: Machine) -> Need:
    memory = corpus.passages * way.memory(corpus.dimension)
    # A new cache file is written beside the one that there is.
    disk = corpus.documents * corpus.kept_each + 2 * corpus.passages * way.file(corpus.dimension)
    machines = math.ceil(max(memory / (FILLED * machine.memory), disk / (FILLED * machine.disk)))
    return Need(way, math.ceil(memory), math.ceil(disk), 0, machines)


def _there(corpus: Corpus, way: Way, node: int, replicas: int) -> Need:
    memory = corpus.passages * way.memory(corpus.dimension)
    file = corpus.passages * way.file(corpus.dimension)
    raw = corpus.passages * (FLOAT * corpus.dimension + COLUMNS) + corpus.documents * corpus.text_each
    in_file = file if way.type != "flat" else 0  # of which the vectors are all
    local = replicas * file if way.local else 0
    nodes = replicas * math.ceil(memory / (FILLED * node))
    return Need(way, math.ceil(memory), math.ceil(MERGED * (raw + in_file)), math.ceil(local), nodes)


def cluster_hours(corpus: Corpus) -> tuple[float, float]:
    """Hours in which one client loads all, and core-hours in which the graphs are made, at the rate of 100,000."""
    return corpus.passages / LOADED / 3600, corpus.passages * BUILT / 3600


@dataclass(frozen=True)
class Limit:
    """From how many documents on one machine is too little, and of what there is too little then."""

    documents: int
    why: str
    instead: str


def limits(corpus: Corpus, machine: Machine) -> list[Limit]:
    """From where on one machine is the wrong answer for documents like these, the nearest limit first."""
    each, d = corpus.passages_each, corpus.dimension
    lean = min((way for way in WAYS if way.place == HERE), key=lambda way: way.memory(d))
    more = "a larger machine, or a cluster"
    found = [
        (FILLED * machine.memory / (each * lean.memory(d)), f"memory is full, even with {lean.type}", more),
        (FILLED * machine.disk / (corpus.kept_each + 2 * each * lean.file(d)), "the disk is full", more),
        (PATIENCE * 3600 * machine.rate / each, f"embedding takes over {PATIENCE // 24} days",
         "a GPU, or several machines that embed"),
    ]  # fmt: skip
    return sorted(
        (Limit(int(documents) + 1, why, instead) for documents, why, instead in found), key=attrgetter("documents")
    )
