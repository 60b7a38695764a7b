"""How good the answers are on sets with judgements, and whether one setting is better than another.

Imports: errors, records, embedding, ingest, ranking, search.
"""

from searcher.evaluation.comparing import FLIPS, Comparison, both, compare, compare_values
from searcher.evaluation.datasets import Dataset, read_dataset
from searcher.evaluation.heatmap import check_plot, draw
from searcher.evaluation.measures import MEASURES, check_relevant
from searcher.evaluation.measuring import Evaluated, evaluate, evaluated
from searcher.evaluation.runs import check_run, write_run
from searcher.evaluation.sweep import Scored, averaged, sweep

__all__ = [
    "FLIPS",
    "MEASURES",
    "Comparison",
    "Dataset",
    "Evaluated",
    "Scored",
    "averaged",
    "both",
    "check_plot",
    "check_relevant",
    "check_run",
    "compare",
    "compare_values",
    "draw",
    "evaluate",
    "evaluated",
    "read_dataset",
    "sweep",
    "write_run",
]
