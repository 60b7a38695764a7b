"""Which FAQ entry answers a question, how surely, and what the entries lack.

Imports: errors, system, records, readers, text, filters, embedding, engines, ranking.
"""

from searcher.faq.answering import Calibrated, Faq
from searcher.faq.calibration import precision_by_coverage

__all__ = ["Calibrated", "Faq", "precision_by_coverage"]
