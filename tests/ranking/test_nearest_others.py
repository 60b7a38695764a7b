"""Which candidates speak for another: the nearest, and of those equally near the first."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from searcher.ranking.evidence import NEIGHBOURS, POWER, Evidence, columns


@given(st.integers(2, 12), st.integers(0, 10_000))
def test_what_the_neighbours_say_is_what_a_sort_of_all_likenesses_gives(count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    vectors = np.eye(3, dtype=np.float32)[random.integers(0, 3, count)]  # so that many are equally near
    vectors[::2] += random.standard_normal(vectors[::2].shape).astype(np.float32) / 8
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    bm25, among = random.random(count).astype(np.float32), random.random(count) < 0.8
    among[:2] = True
    given_ = Evidence(
        cosines=vectors @ vectors[0], bm25=bm25, rarest=np.zeros(count, np.float32), vectors=vectors,
        lengths=np.full(count, 400), readable=1.0, among=among,
    )  # fmt: skip
    words = (bm25.astype(np.float64) - bm25[among].astype(np.float64).mean()) / bm25[among].astype(np.float64).std()
    expected = []
    places = np.flatnonzero(among)
    for place, vector in enumerate(vectors.astype(np.float64)):
        others = [(round(float(vector @ vectors[other].astype(np.float64)), 9), other) for other in places]
        near = sorted((-alike, other) for alike, other in others if other != place)[:NEIGHBOURS][: len(places) - 1]
        voices = np.maximum([-alike for alike, _ in near], 0) ** POWER
        told = words[[other for _, other in near]]
        expected.append(float((voices / (voices.sum() or 1.0) * told).sum()))
    np.testing.assert_allclose(columns(given_)[:, 6], expected, atol=1e-6)
