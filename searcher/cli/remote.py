"""`--server`: the same commands asked of a running server, in the time that its client takes to load."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from searcher.cli.options import given, named_engine
from searcher.errors import SearcherError
from searcher.plain import is_there

if TYPE_CHECKING:
    from searcher.client import Client

__all__ = ["client_of", "server_option"]

ADDRESS, TOKEN = "SEARCHER_SERVER", "SEARCHER_TOKEN"
ANYHOW = {"device": "auto", "torch_weights": False}  # what the model options are where nobody gives one

server_option = click.option(
    "--server", metavar="URL", help="Ask a running `searcher serve` in the place of an index folder, with the token in "
    "$SEARCHER_TOKEN. [default: $SEARCHER_SERVER]",
)  # fmt: skip


def client_of(
    folder: Path | None, server: str | None, settings: Mapping[str, Any] | None = None, **local: Any
) -> "Client | None":
    """A client of the server that a command is to ask, None where it asks an index folder.

    An index that is named on the command line comes before the server of the environment. settings: the model options;
    local: other options, by name, that only an index folder knows. click.UsageError where one of them is given.
    """
    if server and (folder or named_engine()):
        raise click.UsageError(f"Give --{'index' if folder else 'engine'} or --server.")
    url = server or (None if folder or named_engine() else os.environ.get(ADDRESS))
    if not url:
        return None
    if asked := [name for name, value in local.items() if is_there(value) and value != ()]:
        raise click.UsageError(f"--{asked[0].replace('_', '-')} needs the index folder; leave it out, or --server.")
    if settings and (
        own := {name: value for name, value in given(dict(settings)).items() if value != ANYHOW.get(name)}
    ):
        raise click.UsageError(f"The server has its model already: {', '.join(own)} is not for --server.")
    try:
        from searcher.client import Client
    except ImportError as missing:
        raise SearcherError(str(missing)) from None
    return click.get_current_context().with_resource(Client(url, token=os.environ.get(TOKEN) or None))
