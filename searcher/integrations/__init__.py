"""Thin doors for frameworks, a file and an extra each; none is imported unless its framework's user imports it.

Imports: errors, records, filters, embedding, ranking, search.
"""

__all__ = ()
