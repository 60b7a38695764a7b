"""The command line; nothing imports it.

Imports: errors, system, records, readers, embedding, vectors, ranking, ingest, faq, search, evaluation.
"""

from searcher.cli.program import COMMANDS, cli, main

__all__ = ["COMMANDS", "cli", "main"]
