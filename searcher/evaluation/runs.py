"""A ranking as a file in TREC's format, which trec_eval, ir_measures and most other tools read."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from searcher.errors import BadValue
from searcher.evaluation.measures import Run

__all__ = ["check_run", "write_run"]


def check_run(file: Path, names: Iterable[str]) -> None:
    """Before a long evaluation: BadValue if there can be no such file, or an id of `names` cannot be in a run."""
    if file.is_dir():
        raise BadValue(f"a run is a file, and {str(file)!r} is a folder")
    if not file.absolute().parent.is_dir():
        raise BadValue(f"no folder {str(file.absolute().parent)!r} to put {file.name!r} in")
    for name in names:
        if not name or len(name.split()) != 1 or name != name.strip():
            raise BadValue(f"a TREC run has white space between its columns, so none can be in an id: {name!r:.60}")


def write_run(file: Path, run: Run, tag: str) -> None:
    """A line for each document of each query: query, Q0, document, rank, score, tag (Voorhees & Harman 2005).

    trec_eval ranks by the scores alone, read as float32, equals by name: where scores are equal or not falling there,
    the later one is the next lower number, so that every tool sees the order that was measured here.
    """
    with file.open("w", encoding="utf-8", newline="\n") as stream:
        for query, scores in run.items():
            last = np.float32(np.inf)
            for rank, document in enumerate(sorted(scores, key=lambda name: -scores[name]), 1):
                last = min(np.float32(scores[document]), np.nextafter(last, np.float32(-np.inf)))
                stream.write(f"{query} Q0 {document} {rank} {float(last)!r} {tag}\n")
