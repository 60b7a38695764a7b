"""`serve`: an index over HTTP."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from searcher.cli.command import Command
from searcher.cli.options import folder_option, model_options, open_searcher
from searcher.cli.terminal import echo
from searcher.cli.values import Whole
from searcher.errors import BadValue, SearcherError

NEEDS = ("fastapi", "uvicorn", "httptools", "prometheus_client")
PORT = 8917


@click.command("serve", cls=Command, examples=[
    ("serve", f"answer on this machine alone: http://127.0.0.1:{PORT}"),
    ("serve --allow-writes", "the page and programs may add and remove documents too"),
    ("serve --host 0.0.0.0 --token-file token.txt", "for others: whoever has the token may ask"),
])  # fmt: skip
@folder_option
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="Where to listen. Any but the "
              "loopback needs a token.")  # fmt: skip
@click.option("--port", type=Whole(0, 65_535), metavar="N", default=PORT, show_default=True,
              help="0: any that is free.")  # fmt: skip
@click.option("--token-file", "file", type=click.Path(path_type=Path), metavar="FILE", help="Every request must bring "
              "the token in this file, or in $SEARCHER_TOKEN.")  # fmt: skip
@click.option("--token", metavar="TOKEN", help="The token itself; other users of this machine can see it.")
@click.option("--allow-writes", is_flag=True, help="Let documents be added and removed.")
@click.option("--allow-host", "hosts", multiple=True, metavar="NAME", help="A name that people reach the server by, "
              "such as that of a proxy; may be repeated.")  # fmt: skip
@click.option("--max-body", type=Whole(1, 1_024), metavar="MIB", default=10, show_default=True,
              help="Most MiB that a request may bring.")  # fmt: skip
@click.option("--log-questions", is_flag=True, help="Log the text of questions too.")
@model_options
def serve_command(
    folder: Path | None, host: str, port: int, file: Path | None, token: str | None, allow_writes: bool,
    hosts: tuple[str, ...], max_body: int, log_questions: bool, **settings: Any,
) -> None:  # fmt: skip
    """Answer over HTTP, until Ctrl-C or SIGTERM: a page at /, and an API for programs.

    Only this machine can ask, and nobody can write, unless you say so. Each request is a line of JSON on stderr,
    without the text of the question. What another process adds is found at once.
    Needs: pip install 'searcher[serve]'
    """
    if missing := [name for name in NEEDS if find_spec(name) is None]:
        raise SearcherError(f"{', '.join(missing)} is needed to serve: pip install 'searcher[serve]'")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: several questions at once, each on one core
    from searcher.serving import Options, run

    options = Options(host, port, _token(token, file), allow_writes, tuple(hosts), log_questions, max_body * 2**20)
    searcher = open_searcher(folder, make=allow_writes, **settings)

    def ready(address: str) -> None:
        echo(f"{searcher.place} at {address}", err=True)

    others = []
    if find_spec("mcp"):  # the Model Context Protocol at /mcp
        from searcher.mcp import streamable_http_app

        others.append(streamable_http_app(searcher, allow_writes=allow_writes))
    run(searcher, options, ready, others)


def _token(given: str | None, file: Path | None) -> str | None:
    """The token that was given in one way or another, None for none."""
    if given and file:
        raise click.UsageError("Give --token or --token-file.")
    if file is None:
        return given or os.environ.get("SEARCHER_TOKEN") or None
    try:
        return file.read_text(encoding="utf-8").strip()
    except ValueError:
        raise BadValue(f"{file} is not UTF-8") from None
