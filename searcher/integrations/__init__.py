"""Thin doors for frameworks, a file and an extra each; none is imported unless its framework's user imports it.

Imports: embedding, errors, search.
"""

__all__ = ()
