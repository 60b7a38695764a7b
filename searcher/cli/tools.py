"""`mcp`: the index as tools for a language model."""

from pathlib import Path
from typing import Any

import click

from searcher.cli.command import Command
from searcher.cli.importing import importing
from searcher.cli.options import engine_of, folder_option, model_options, open_at
from searcher.errors import SearcherError

__all__ = ["mcp_command"]


@click.command("mcp", cls=Command, examples=[
    ("mcp -i ~/notes/index_data", "as a client starts it: see docs/mcp.md for what to write where"),
    ("mcp -i @notes --allow-writes", "the model may add texts and remove documents"),
])  # fmt: skip
@folder_option
@click.option("--allow-writes", is_flag=True, help="Offer the tools add and remove too.")
@model_options
def mcp_command(folder: Path | None, allow_writes: bool, **settings: Any) -> None:
    """Offer the index to a language model as tools, by the Model Context Protocol over stdin and stdout.

    A client such as Claude Desktop, Cursor or VS Code starts it. The tools: search, fetch, answer, context and list.
    An index that is not there yet is looked for again whenever a tool is called. Needs: pip install 'searcher[mcp]'
    """
    try:
        with importing("searcher.mcp"):
            from searcher.mcp import run_stdio
    except ModuleNotFoundError as missing:
        raise SearcherError(f"the tools need {missing.name}: pip install 'searcher[mcp]'") from None
    engine = engine_of(folder)
    run_stdio(lambda: open_at(engine, folder, make=allow_writes, **dict(settings)), allow_writes)
