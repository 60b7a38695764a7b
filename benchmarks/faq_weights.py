"""The weights of a FAQ match that sets choose: by how often they are right, and how well they tell when they are not."""

from dataclasses import replace
from functools import lru_cache
from itertools import product

import numpy as np
from faq_sets import Set

from searcher.faq import matching
from searcher.faq.calibration import area_under_curve
from searcher.faq.entries import Entries
from searcher.faq.matching import SHIPPED, Weights

CHOICES = {"sharpness": (1.0, 2.0, 3.0), "noise": (0.1, 1.0), "spelling": (0.2, 0.4), "closest": (0.25, 0.5, 1.0)}


def chosen_weights(sets: list[Set], most: int) -> dict[str, Weights]:
    """For each set the weights that are best on the mean over the sets of other letters, each question alike."""
    grid = [Weights(**dict(zip(CHOICES, values, strict=True))) for values in product(*CHOICES.values())]
    reached = {own.name: min(most, len(own.questions)) * reached_by(own, grid, most) for own in sets}
    found = {}
    for own in sets:
        others = [reached[other.name] for other in sets if other.letter != own.letter]
        found[own.name] = grid[int(np.sum(others, axis=0).argmax())] if others else SHIPPED
        print(f"weights for {own.name}: {found[own.name]}", flush=True)
    return found


def reached_by(own: Set, grid: list[Weights], most: int) -> np.ndarray:
    """P@1 and, where questions are out of scope, AUROC, added up under each choice, of questions that are drawn. (g,)"""
    drawn = np.random.default_rng(1).permutation(len(own.questions))[:most]
    score, right = np.zeros((len(grid), len(drawn))), np.zeros((len(grid), len(drawn)), bool)
    spelling = matching.likeness
    once = lru_cache(1)(spelling)
    matching.likeness = lambda texts: once(tuple(texts))  # the same under all weights
    try:
        for place, at in enumerate(drawn):
            known: dict[Weights, tuple[list[str], np.ndarray]] = {}
            for number, weights in enumerate(grid):
                base = replace(weights, closest=SHIPPED.closest)  # the evidence is the same whatever the closest weighs
                if base not in known:
                    ranked = Entries.rank(own.entries, own.questions[at], own.vectors[at], weights=base)
                    known[base] = [found.answer for found in ranked], np.array([found.evidence for found in ranked])
                answers, evidence = known[base]
                scores = weighed(evidence, weights)
                best = int(scores.argmax())
                score[number, place], right[number, place] = scores[best], answers[best] in own.answers[at]
    finally:
        matching.likeness = spelling
    inside = own.inside[drawn]
    reached = right[:, inside].mean(axis=1)
    if not inside.all():
        reached = reached + [area_under_curve(*each) for each in zip(score, right, strict=True)]
    return reached


def weighed(evidence: np.ndarray, weights: Weights) -> np.ndarray:
    """The scores of entries, but for a factor that is the same for all. (n, 5) -> (n,)"""
    regression, cosine, spelling, _, answer = evidence.T
    return regression + weights.closest * (cosine + weights.spelling * spelling) + weights.answers * answer
