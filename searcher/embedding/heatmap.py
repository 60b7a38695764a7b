"""Who looks at whom as a picture: tokens × tokens, as dark as the weight; needs matplotlib."""

import warnings
from pathlib import Path

import numpy as np

from searcher.embedding.attention import Attentions

__all__ = ["draw_attention"]

MOST = 60  # tokens whose names are all written


def draw_attention(attentions: Attentions, weights: np.ndarray, title: str, file: Path) -> None:
    """Write the heat map of weights (t, t): row i is what token i looks at. `file`'s suffix says the format."""
    from matplotlib.figure import Figure

    names = [row.token for row in attentions.tokens]
    count = len(names)
    side = 1.6 + 0.22 * min(count, MOST)
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axes = figure.add_subplot()
    picture = axes.imshow(weights, cmap="YlGnBu", vmin=0, aspect="equal", interpolation="nearest")
    ticks = list(range(0, count, -(-count // MOST)))
    labels = [names[place] for place in ticks]
    size = 8 if count <= MOST else 6
    axes.set_xticks(ticks, labels, rotation=90, fontsize=size, parse_math=False)  # a token may be a dollar
    axes.set_yticks(ticks, labels, fontsize=size, parse_math=False)
    axes.set_xlabel("… looks at")
    axes.set_ylabel("token")
    axes.set_title(title, fontsize=10, parse_math=False)
    figure.colorbar(picture)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # no font has every script: a box stands for it
        figure.savefig(file, dpi=150)
