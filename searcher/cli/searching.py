"""`search` and `similar`: questions to the index."""

import io
import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import click

from searcher.cli.options import folder_option, json_option, mode_option, model_options, open_searcher
from searcher.cli.output import show_documents, show_hits
from searcher.cli.terminal import bold, echo, show_json, stdin
from searcher.errors import BadValue
from searcher.records import Passage

BATCH = 256  # questions that are searched for at a time

top_option = click.option("-k", "--top-k", "k", type=int, default=10, show_default=True, help="How many passages.")
where_option = click.option("--where", metavar="FILTER", help="Only passages of documents such as \"lang = 'en' and "
                            "year >= 2020\".")  # fmt: skip
jsonl_option = click.option("--jsonl", "as_jsonl", is_flag=True, help="Print a JSON object for each hit.")


@click.command("search")
@click.argument("query", required=False)
@folder_option
@top_option
@where_option
@mode_option
@click.option("--min-score", type=float, metavar="SCORE", help="Leave out passages below this score.")
@click.option(
    "--mmr",
    type=float,
    metavar="LAMBDA",
    help="Passages unlike each other: 1 changes nothing, 0.5 is half "
    "for the question and half against what was shown before.",
)
@click.option(
    "--rerank",
    metavar="MODEL",
    help="Look at the first hits more closely: maxsim, by token vectors of the index's own model; or a cross-encoder's "
    "hub name or folder.",
)
@click.option("--per-document", type=int, metavar="N", help="At most so many passages of a document.")
@click.option("--phrasings", is_flag=True, help="A FAQ entry for each of its ways of asking, not once.")
@click.option("--exact", is_flag=True, help="The very nearest passages, whatever the type of the index.")
@click.option("--ef", type=int, metavar="N", help="How widely an index of type hnsw is looked through.")
@click.option("--nprobe", type=int, metavar="N", help="How many lists of an index of type ivf are looked through.")
@click.option("--documents", is_flag=True, help="Rank documents by their best passages, a line for each.")
@click.option(
    "--queries",
    "file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="A question on each line; - is stdin.",
)
@click.option("--highlight", is_flag=True, help="Show the sentence of each passage that answers best.")
@json_option
@jsonl_option
@model_options
def search_command(
    query: str | None, folder: Path | None, k: int, where: str | None, mode: str, min_score: float | None,
    mmr: float | None, rerank: str | None, per_document: int | None, exact: bool, ef: int | None, nprobe: int | None,
    documents: bool, highlight: bool, phrasings: bool, file: str | None, as_json: bool, as_jsonl: bool, **settings: Any,
) -> None:  # fmt: skip
    """Find the passages that answer QUERY best.

    By default those nearest to it by cosine similarity; see --mode. With --documents, -k counts documents.
    """
    if (query is None) == (file is None):
        raise click.UsageError("Give a QUERY or --queries FILE.")
    if documents and per_document not in (None, 1):
        raise click.UsageError("--documents shows one passage of a document; leave out --per-document.")
    searcher, show = open_searcher(folder, **settings), show_documents if documents else show_hits
    how: dict[str, Any] = {"mode": mode, "mmr": mmr, "per_document": 1 if documents else per_document}
    how |= {"highlight": highlight, "rerank": rerank, "phrasings": phrasings}
    how |= {"exact": exact, "ef": ef, "nprobe": nprobe}
    if file is None:
        _show(searcher.search(query, k, where, min_score, **how), as_json, as_jsonl, show)
        return
    rows: list[dict[str, Any]] = []
    for queries in batched(_lines(file), BATCH):  # what is printed is not kept: there may be millions
        results = searcher.search(queries, k, where, min_score, **how)
        for text, hits in zip(queries, results, strict=True):
            if as_json or as_jsonl:
                rows += [{"query": text, **hit.as_dict()} for hit in hits]
            else:
                echo(bold(f"── {text}"))
                show(hits)
        if as_jsonl:
            for row in rows:
                show_json(row)
            rows.clear()
    if as_json:
        show_json(rows)


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


def _show(
    hits: list[Passage], as_json: bool, as_jsonl: bool, show: Callable[[list[Passage]], None] = show_hits
) -> None:
    if as_json:
        show_json([hit.as_dict() for hit in hits])
    elif as_jsonl:
        for hit in hits:
            show_json(hit.as_dict())
    else:
        show(hits)


def batched(items: Iterator[str], size: int) -> Iterator[list[str]]:
    """So many at a time; itertools has it from Python 3.12 on."""
    while batch := list(islice(items, size)):
        yield batch


def _question(line: str) -> str | None:
    """The text in a JSON object; None for a line that is none, such as a question that begins with a brace."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    text = found.get("text") if isinstance(found, dict) else None
    return text if isinstance(text, str) else None


def _lines(file: str) -> Iterator[str]:
    """Questions, one on each line, plain or as JSON objects with `text`; BadValue with the number of a bad line.

    A line that begins with a brace and is no such object is a question too, but not in a file of JSON lines.
    """
    empty, as_json = True, Path(file).suffix.lower() in (".jsonl", ".ndjson")
    try:
        with io.TextIOWrapper(stdin() if file == "-" else Path(file).open("rb"), "utf-8-sig") as text_lines:
            for number, line in enumerate(text_lines, 1):
                if not (text := line.strip()):
                    continue
                if (question := _question(text)) is None and as_json:
                    raise BadValue(f"{file}, line {number}: not a JSON object with text")
                empty = False
                yield text if question is None else question
    except UnicodeDecodeError:
        raise BadValue(f"{file} is not UTF-8") from None
    if empty:
        raise BadValue(f"{file} holds no question")
