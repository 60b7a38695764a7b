"""`context`: a question's sources as one text for a language model."""

from pathlib import Path
from typing import Any

import click

from searcher.cli.config import setting
from searcher.cli.options import folder_option, json_option, mode_option, model_options, open_searcher, where_option
from searcher.cli.remote import client_of, server_option
from searcher.cli.searching import Asked, exclude_option, include_option
from searcher.cli.terminal import echo, show_json, write
from searcher.cli.values import Number, Whole

__all__ = ["context_command"]


@click.command("context", cls=Asked, examples=[
    ("context what is my boiler code", "the sources, numbered, in some 2,000 tokens"),
    ("context 'boiler code' --tokens 500 --where \"year >= 2020\"", "fewer, out of some documents"),
    ("context 'boiler code' --json", "for a program: what each number stands for"),
])  # fmt: skip
@click.argument("question", nargs=-1, required=True, metavar="QUESTION…")
@folder_option
@server_option
@click.option("--tokens", type=Whole(1), default=2000, show_default=True, metavar="N",
              help="At most so many, as the index's model counts them.")  # fmt: skip
@click.option(
    "-k", "--top-k", "k", type=Whole(1), metavar="N", help="How many passages are looked at. [default: enough]"
)
@where_option
@include_option
@exclude_option
@mode_option
@click.option("--min-score", type=Number(), metavar="SCORE", help="Leave out passages below this score.")
@click.option("--rerank", metavar="MODEL", help="maxsim, or a cross-encoder's hub name or folder.")
@json_option
@model_options
def context_command(
    question: tuple[str, ...], folder: Path | None, server: str | None, tokens: int, k: int | None, where: str | None,
    include: tuple[str, ...], exclude: tuple[str, ...], mode: str | None, min_score: float | None, rerank: str | None,
    as_json: bool, **settings: Any,
) -> None:  # fmt: skip
    """Print the passages that answer QUESTION best as one text, for a language model to answer from.

    Each piece stands under a number with its source; pieces of a document are in reading order. Nothing is printed
    where nothing was found.
    """
    how: dict[str, Any] = {"k": k, "rerank": rerank, "include": include, "exclude": exclude}
    text = " ".join(question)
    if client := client_of(folder, server, settings):
        found = client.context(text, tokens, where, min_score, mode=setting("mode", mode), **how)
    else:
        searcher = open_searcher(folder, **settings)
        found = searcher.context(
            text, tokens, where, min_score, mode=setting("mode", mode, searcher.folder), **how
        )  # fmt: skip
    if as_json:
        show_json(found.as_dict())
    elif found.text:
        write(found.text)
    else:
        echo("nothing found", err=True)
