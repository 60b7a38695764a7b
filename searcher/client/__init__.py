"""A running server asked as an index is: the methods of `Searcher` over HTTP, for a program and for an event loop.

Imports: errors, plain, records, cited, ranking, filters.
"""

from searcher.client.client import AsyncClient, Client

__all__ = ["AsyncClient", "Client"]
