"""`search` and `similar`: questions to the index."""

import json
from pathlib import Path
from typing import Any

import click

from searcher.cli.options import folder_option, json_option, model_options, open_searcher
from searcher.cli.output import show_hits, show_json
from searcher.errors import BadValue
from searcher.records import Passage

top_option = click.option("-k", "--top-k", "k", type=int, default=10, show_default=True, help="How many passages.")
where_option = click.option("--where", metavar="FILTER", help="Only passages of documents such as \"lang = 'en' and "
                            "year >= 2020\".")  # fmt: skip
jsonl_option = click.option("--jsonl", "as_jsonl", is_flag=True, help="Print a JSON object for each hit.")


@click.command("search")
@click.argument("query", required=False)
@folder_option
@top_option
@where_option
@click.option("--min-score", type=float, metavar="COSINE", help="Leave out passages below this score.")
@click.option(
    "--queries", "file", type=click.File(encoding="utf-8"), metavar="FILE", help="A question on each line; - is stdin."
)
@json_option
@jsonl_option
@model_options
def search_command(
    query: str | None, folder: Path | None, k: int, where: str | None, min_score: float | None, file: Any,
    as_json: bool, as_jsonl: bool, **settings: Any,
) -> None:  # fmt: skip
    """Find the passages nearest to QUERY by cosine similarity."""
    if (query is None) == (file is None):
        raise click.UsageError("Give a QUERY or --queries FILE.")
    searcher = open_searcher(folder, **settings)
    if file is None:
        _show(searcher.search(query, k, where, min_score), as_json, as_jsonl)
        return
    queries = _lines(file)
    results = dict(zip(queries, searcher.search(queries, k, where, min_score), strict=True))
    if as_json or as_jsonl:
        rows = [{"query": text, **hit.as_dict()} for text in queries for hit in results[text]]
        for value in rows if as_jsonl else [rows]:
            show_json(value)
        return
    for text in queries:
        click.echo(click.style(f"── {text}", bold=True))
        show_hits(results[text])


@click.command("similar")
@click.argument("source")
@folder_option
@top_option
@where_option
@json_option
@jsonl_option
def similar_command(source: str, folder: Path | None, k: int, where: str | None, as_json: bool, as_jsonl: bool) -> None:
    """Find passages of other documents nearest to SOURCE, a document of the index."""
    _show(open_searcher(folder).similar(source, k, where), as_json, as_jsonl)


def _show(hits: list[Passage], as_json: bool, as_jsonl: bool) -> None:
    if as_json:
        show_json([hit.as_dict() for hit in hits])
    elif as_jsonl:
        for hit in hits:
            show_json(hit.as_dict())
    else:
        show_hits(hits)


def _lines(file: Any) -> list[str]:
    """Questions, one on each line, plain or as JSON objects with `text`; BadValue with the number of a bad line."""
    queries = []
    try:
        for number, line in enumerate(file, 1):
            text = line.strip()
            if text.startswith("{"):
                try:
                    text = json.loads(text)["text"]
                except (ValueError, KeyError, TypeError):
                    raise BadValue(f"{file.name}, line {number}: not a JSON object with text") from None
            if text:
                queries.append(text)
    except UnicodeDecodeError:
        raise BadValue(f"{file.name} is not UTF-8") from None
    if not queries:
        raise BadValue(f"{file.name} holds no question")
    return queries
