"""How good the answers are on sets with judgements, and whether one setting is better than another.

Imports: errors, records, embedding, ingest, ranking, search.
"""

from searcher.evaluation.comparing import FLIPS, compare
from searcher.evaluation.heatmap import check_plot, draw
from searcher.evaluation.measuring import Dataset, evaluate, read_dataset
from searcher.evaluation.sweep import sweep

__all__ = ["FLIPS", "Dataset", "check_plot", "compare", "draw", "evaluate", "read_dataset", "sweep"]
