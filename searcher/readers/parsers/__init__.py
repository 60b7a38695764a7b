"""Parsers of strangers' files, one module for each family; they run in a process of their own, and only there.

They may crash, hang or ask for any memory: `child.py` of the room around sees to that. None is imported by the process
that indexes, which knows them by name (READERS).

Imports: nothing.
"""

__all__: list[str] = []
