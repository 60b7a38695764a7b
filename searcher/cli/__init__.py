"""The command line; nothing imports it.

Imports: errors, system, plain, places, words, records, readers, migration, text, embedding, vectors, engines, ranking, ingest, faq, search, evaluation, client, mcp, serving.
"""  # noqa: E501

from searcher.cli.program import COMMANDS, cli, main

__all__ = ["COMMANDS", "cli", "main"]
