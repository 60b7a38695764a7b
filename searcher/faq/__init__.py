"""Which FAQ entry answers a question, how surely, and what the entries lack.

Imports: errors, system, records, readers, text, filters, embedding, engines, ranking.
"""

from searcher.faq.calibration import precision_by_coverage
from searcher.faq.labelled import read_questions
from searcher.faq.upkeep import Calibrated, Faq
from searcher.faq.verdicts import Verdict

__all__ = ["Calibrated", "Faq", "Verdict", "precision_by_coverage", "read_questions"]
