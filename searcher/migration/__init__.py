"""Stores of other tools → ids, texts, metadata and vectors; none of these tools is needed, nothing of a store is run.

Imports: errors, plain, records, readers.
"""

from searcher.migration.foreign import Choices, Foreign, Item
from searcher.migration.tools import TOOLS, foreign, is_foreign

__all__ = ["TOOLS", "Choices", "Foreign", "Item", "foreign", "is_foreign"]
