"""A sweep as a picture: layers × poolings, as dark as good; needs matplotlib."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from searcher.errors import BadValue, SearcherError
from searcher.evaluation.sweep import Scored

__all__ = ["check_plot", "draw"]

MEASURE = "nDCG@10"


def check_plot(file: Path) -> None:
    """Before a long run: SearcherError where matplotlib is missing, BadValue for a file that it cannot write."""
    if find_spec("matplotlib") is None:
        raise SearcherError("a plot needs matplotlib: pip install 'searcher[plot]'")
    from matplotlib.backend_bases import FigureCanvasBase

    kinds = FigureCanvasBase.get_supported_filetypes()
    if file.suffix.removeprefix(".").lower() not in kinds:
        raise BadValue(f"a plot is one of {', '.join(sorted(kinds))}, not {file.name!r}")
    if not file.absolute().parent.is_dir():
        raise BadValue(f"no folder {str(file.absolute().parent)!r} to put {file.name!r} in")


def draw(rows: Sequence[Scored], title: str, file: Path) -> None:
    """Write the heat map of rows without whitening: nDCG@10 × 100, the best of all framed."""
    from matplotlib.figure import Figure

    plain = [row for row in rows if not row.whitening]
    names = list(dict.fromkeys(row.pooling.name for row in sorted(plain, key=lambda row: row.pooling.name)))
    lines = sorted({_line(row) for row in plain})
    values = {(row.pooling.name, _line(row)): 100 * row.values[MEASURE] for row in plain}
    grid = [[values.get((name, line), float("nan")) for name in names] for line in lines]
    figure = Figure(figsize=(1.4 + 1.05 * len(names), 1.2 + 0.38 * len(lines)), layout="constrained")
    axes = figure.add_subplot()
    picture = axes.imshow(grid, cmap="YlGnBu", aspect="auto")
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(lines)), [label for _, _, label in lines])
    axes.set_ylabel("layers")
    axes.set_title(f"{title}: {MEASURE} × 100")
    top = max(values.values())
    middle = (min(values.values()) + top) / 2
    for y, row in enumerate(grid):
        for x, value in enumerate(row):
            if value == value:  # not every pooling has every layer
                weight = "bold" if value == top else "normal"
                axes.text(x, y, f"{value:.1f}", ha="center", va="center", weight=weight,
                          color="white" if value > middle else "black")  # fmt: skip
    figure.colorbar(picture)
    figure.savefig(file, dpi=150)


def _line(row: Scored) -> tuple[int, tuple[int, ...], str]:
    """Where the row's layers stand: single ones first, in their order, then several."""
    layers, combine = row.pooling.layers, row.pooling.combine
    consecutive = len(layers) > 2 and list(layers) == list(range(layers[0], layers[-1] + 1))
    label = f"{layers[0]}–{layers[-1]}" if consecutive else ", ".join(map(str, layers))
    return len(layers), layers, f"{label} {combine}".strip()
