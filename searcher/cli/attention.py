"""How attention looks on a terminal: a table of tokens × tokens where that fits, else each token's strongest links."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from searcher.cli.terminal import bold, echo, fitted, width_of
from searcher.errors import BadValue

if TYPE_CHECKING:
    from searcher.embedding import Attentions

__all__ = ["attention_json", "parse_attention", "show_attention"]

NARROWEST, WIDEST = 3, 8  # characters of a column
LINKS = 8  # at most, of a token


def parse_attention(text: str) -> tuple[int, int | None]:
    """Layer and head of "LAYER" or "LAYER:HEAD"; the head is None for the mean of all.

    >>> parse_attention("-1:3")
    (-1, 3)
    """
    found = re.fullmatch(r"\s*(-?\d{1,6})(?::(\d{1,6}))?\s*", text)
    if not found:
        raise BadValue(f"attention {text!r} is not understood; good: LAYER or LAYER:HEAD, such as -1 or 3:0")
    return int(found[1]), None if found[2] is None else int(found[2])


def attention_json(attentions: "Attentions", layer: int, head: int | None, weights: np.ndarray) -> dict[str, Any]:
    """Tokens and weights (t, t) for programs; head is null for the mean of all."""
    tokens = [asdict(row) for row in attentions.tokens]
    return {"layer": layer, "head": head, "tokens": tokens, "weights": weights.tolist()}


def show_attention(names: Sequence[str], weights: np.ndarray) -> None:
    """Weights (t, t) in percent: a row for each token, and what it looks at. Fits the terminal's width."""
    names = [_shown(name) for name in names]
    room = shutil.get_terminal_size().columns
    columns = [min(max(width_of(name), NARROWEST), WIDEST) for name in names]
    label = min(max(map(width_of, names)), max(WIDEST, room // 4))
    if label + sum(2 + width for width in columns) <= room:
        _show_table(names, weights, label, columns)
    else:
        _show_links(names, weights, label, room)


def _show_table(names: Sequence[str], weights: np.ndarray, label: int, columns: Sequence[int]) -> None:
    heading = "".join("  " + _set(name, width, right=True) for name, width in zip(names, columns, strict=True))
    echo(bold(" " * label + heading))
    for name, row in zip(names, weights, strict=True):
        cells = (f"{_percent(weight):>{width}}" for weight, width in zip(row, columns, strict=True))
        echo(_set(name, label) + "".join("  " + cell for cell in cells))


def _show_links(names: Sequence[str], weights: np.ndarray, label: int, room: int) -> None:
    """The strongest links of each token, as many as there is room for, one at least; those of nothing are left out."""
    place = len(str(len(names) - 1))
    for number, (name, row) in enumerate(zip(names, weights, strict=True)):
        line = f"{number:>{place}}  {_set(name, label)}"
        for count, other in enumerate(np.argsort(-row, kind="stable")[:LINKS]):
            link = f"  {names[other]}@{other} {_percent(row[other])}"
            if count and (width_of(line + link) > room or row[other] < 0.005):
                break
            line += link
        echo(line)


def _percent(weight: float) -> str:
    return str(round(100 * float(weight)))


def _shown(name: str) -> str:
    """A token as it can be printed: what controls a terminal, and what has no shape, as its number."""
    return "".join(
        letter if letter.isprintable() else "".join(f"\\x{byte:02x}" for byte in letter.encode()) for letter in name
    )


def _set(text: str, width: int, right: bool = False) -> str:
    """A text cut or filled to a width; … stands for what was cut."""
    text = fitted(text, width)
    gap = " " * (width - width_of(text))
    return gap + text if right else text + gap
