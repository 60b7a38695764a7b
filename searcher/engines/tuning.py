"""Which FAISS index is made, and how far it has to be looked through for a recall that is measured, not assumed."""

import time
from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np

from searcher.embedding import normalize
from searcher.engines.local import LocalEngine
from searcher.engines.nearest import best_ids, stored_cosines
from searcher.engines.snapshots import Snapshot
from searcher.errors import BadValue
from searcher.store import Store
from searcher.vectors import AUTO, Indexing, chosen, index_type

__all__ = ["RECALL", "make_index"]

RECALL = 0.99
K = 10  # the recall that is measured is that of the ten nearest
QUESTIONS = 500
SAMPLE = 4096  # vectors whose spread is taken for that of all
ROUNDING = 1e-6  # of a cosine
KNOBS = [8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048, 4096]


def make_index(engine: LocalEngine, kind: str | None, tune: bool, recall: float) -> None:
    """Make the FAISS index anew, of that type if one is given, and tune it if asked to; searches go on meanwhile.

    One that is there and of the type that is wanted is only tuned, where that is all that was asked.

    BadValue for a type that is none, for a recall that is no share, or that no value of the knob reaches.
    """
    if isinstance(recall, bool) or not isinstance(recall, Real) or not 0 < recall <= 1:
        raise BadValue(f"recall is {recall!r}; good: a number above 0, and at most 1")
    wanted = engine.indexing()
    if kind is not None and kind != AUTO:
        index_type(kind)
    name = kind or wanted.type
    if not (tune and kind is None and _is_made(engine, wanted)):  # to measure it, it need not be made again
        engine.rebuild(kind)
    if name != wanted.type:
        wanted = Indexing(name)
        engine.want(wanted)
    if tune:
        with engine.reading():
            snapshot = engine.snapshots.current()
            found = _tuned(engine, snapshot, recall) if snapshot is not None and snapshot.base.type.knob else {}
        engine.want(replace(wanted, **found))


def _is_made(engine: LocalEngine, wanted: Indexing) -> bool:
    """Whether there is an index of the type that is wanted."""
    with engine.reading():
        snapshot = engine.snapshots.current()
    return snapshot is not None and snapshot.base.type.name == chosen(wanted.type, len(snapshot))[0]


def _tuned(store: Store, snapshot: Snapshot, recall: float) -> dict[str, Any]:
    """The least knob that reaches a recall@10 against exact search, and what it costs, as fields of Indexing."""
    kind, questions = snapshot.base.type, _questions(store, snapshot)
    nearest = stored_cosines(store, questions, best_ids(store, snapshot, questions, K, exact=True))
    enough = nearest.min(axis=1, keepdims=True) - ROUNDING  # of copies of a passage any is as good as another
    for knob in KNOBS:
        begun = time.perf_counter()
        found = [best_ids(store, snapshot, question[None], K, knob=knob) for question in questions]
        seconds = time.perf_counter() - begun
        share = float((stored_cosines(store, questions, np.vstack(found)) >= enough).sum() / nearest.size)
        if share >= recall:
            return {
                "tuned": kind.name, "effort": knob, "recall": round(share, 4), "questions": len(questions),
                "milliseconds": round(1000 * seconds / len(questions), 3),
            }  # fmt: skip
    raise BadValue(f"recall {recall} is not reached: {kind.knob} {KNOBS[-1]} finds {share:.4f}")


def _questions(store: Store, snapshot: Snapshot) -> np.ndarray:
    """Vectors of the index, each moved by its own length to where a question may lie. -> (q, d) float32 unit rows.

    The moves spread as the index's vectors do about their mean. Noise that is alike in all directions hardly leaves the
    few directions that tell passages apart: a graph finds nearly all that is near it, and not what is near a question,
    which lies apart from passages (Jaiswal et al. 2022, OOD-DiskANN, arXiv:2211.12850).
    """
    random, ids = np.random.default_rng(0), snapshot.present
    drawn = (np.sort(random.choice(ids, min(count, len(ids)), replace=False)) for count in (QUESTIONS, SAMPLE))
    vectors, sample = map(store.vectors_of, drawn)
    moves = random.standard_normal((len(vectors), len(sample)), dtype=np.float32) @ (sample - sample.mean(0))
    return normalize(vectors + normalize(moves))
