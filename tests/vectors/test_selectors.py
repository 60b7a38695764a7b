"""FAISS reads the bits of a selector where we keep them: they live as long as it does."""

import gc

import numpy as np

from searcher.vectors import Some


def test_a_selector_outlives_what_it_was_made_of() -> None:
    mask = np.random.default_rng(0).random(1000) < 0.3
    selectors = [Some(mask).selector() for _ in range(50)]
    gc.collect()
    taken = [np.full(125, 255, np.uint8) for _ in range(500)]  # what was freed is written over
    for selector in selectors:
        assert [selector.is_member(place) for place in range(1000)] == mask.tolist()
    assert not selectors[0].is_member(1000 + 7)
    assert taken
