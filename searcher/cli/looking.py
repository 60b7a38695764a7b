"""`list`, `show` and `status`: what is in the index."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from searcher.cli.command import Command
from searcher.cli.hits import asked_again, show_lines
from searcher.cli.options import folder_option, json_option, open_searcher, where_option
from searcher.cli.output import show_pairs, show_table
from searcher.cli.remote import client_of, server_option
from searcher.cli.searching import one_format
from searcher.cli.terminal import bold, echo, name_of, show_json, write
from searcher.cli.values import Choice, Whole
from searcher.places import said
from searcher.system import shown

if TYPE_CHECKING:
    from searcher.engines import Surroundings
    from searcher.search import Searcher

COUNTS = ("passages", "characters")
SORTS = ("source", "title", "kind", "passages", "characters")


@click.command("list", cls=Command, examples=[
    ("list", "every document"),
    ("list 'docs/**' --where \"lang = 'en'\" --sort passages", "some, the longest last"),
    ("list --jsonl", "for a program"),
])  # fmt: skip
@click.argument("globs", nargs=-1, metavar="[GLOB…]")
@folder_option
@server_option
@where_option
@click.option("--sort", type=Choice(SORTS), default="source", show_default=True, metavar="COLUMN",
              help=f"{', '.join(SORTS)}: numbers and words rising.")  # fmt: skip
@click.option("--reverse", is_flag=True, help="The other way round.")
@json_option
@click.option("--jsonl", "as_jsonl", is_flag=True, help="Print a JSON object for each document.")
def list_command(
    globs: tuple[str, ...], folder: Path | None, server: str | None, where: str | None, sort: str,
    reverse: bool, as_json: bool, as_jsonl: bool,
) -> None:  # fmt: skip
    """List the documents of the index, or those from files that a GLOB names."""
    kind = one_format(None, as_json, as_jsonl)
    documents = (client_of(folder, server) or open_searcher(folder)).listing(where, globs)
    documents.sort(key=lambda row: (row[sort] is None, row[sort] or 0 if sort in COUNTS else str(row[sort]).casefold()))
    if reverse:
        documents.reverse()
    if kind == "json":
        show_json(documents)
    elif kind == "jsonl":
        for document in documents:
            show_json(document)
    else:
        rows = [(shown(row["source"]), row["passages"], row["characters"], row["title"] or "") for row in documents]
        show_table(rows, ("source", "passages", "characters", "title"))


@click.command("show", cls=Command, examples=[
    ("show notes/boiler.md", "the text as it is stored"),
    ("show boiler.md --passages", "the end of its path is enough; cut as it is searched"),
    ("show report.pdf --at 'page 3'", "a place as hits say it: p. iv, 'sheet Costs, row 5', line 120, 00:12:30"),
    ("show guide.md --at 'Guide > Install' -C 2", "a section, and two lines around it"),
])  # fmt: skip
@click.argument("source")
@folder_option
@server_option
@click.option("--passages", is_flag=True, help="Each passage with its place, not the text as a whole.")
@click.option("--at", metavar="PLACE|START", help="What stands at a place, as hits say it, or at a code point of the "
              "stored text.")  # fmt: skip
@click.option("-C", "--context", type=Whole(0), metavar="N", help="With --at: N lines around. [default: 3 "
              "around a line or START, none around a page or the like]")  # fmt: skip
@click.option("--section", is_flag=True, help="With --at: the whole section.")
@json_option
def show_command(
    source: str, folder: Path | None, server: str | None, passages: bool, at: str | None, context: int | None,
    section: bool, as_json: bool,
) -> None:  # fmt: skip
    """Show the document SOURCE as it is stored: a path, the end of one, a label, a title or an id.

    A PLACE is what hits say: page 3, p. iv (as printed), slide 2, sheet Costs, row 5, cell 7, line 120, message 3, the
    time 00:12:30, a heading path or its end, the qualified name of a definition.
    """
    if at is None and (section or context is not None):
        raise click.UsageError("-C and --section need --at PLACE.")
    if at is not None and passages:
        raise click.UsageError("Give --at or --passages.")
    if context is not None and section:
        raise click.UsageError("Give -C or --section.")
    client, rows = client_of(folder, server, at=at), passages or as_json
    if at is not None:
        there = open_searcher(folder).surroundings(source, at, context, section=section)
        if as_json:
            show_json(there.as_dict())
        else:
            _show_surroundings(there)
        return
    document = client.show(source, rows) if client else _stored(open_searcher(folder), source, rows)
    if as_json:
        show_json(document)
    elif passages:
        for row in document["passages"]:
            echo(bold(f"── {row['start']}–{row['end']}  line {row['line']}  {row['section'] or ''}".rstrip()))
            echo(document["text"][row["start"] : row["end"]])
    else:
        start, end = asked_again(document["kind"], document["text"])
        write(document["text"][:start] + document["text"][end:])


def _stored(searcher: "Searcher", source: str, passages: bool) -> dict[str, Any]:
    """A document as JSON, with where its passages are if these are wanted."""
    document = searcher.document(source)
    told = {
        "source": document.source, "id": document.id, "title": document.title, "kind": document.kind,
        "metadata": dict(document.metadata), "text": document.text,
    }  # fmt: skip
    if not passages:
        return told
    names, rows = ("passage_id", "start", "end", "line", "section"), searcher.passages(document.source)
    return told | {"passages": [{name: getattr(row, name) for name in names} for row in rows]}


def _show_surroundings(there: "Surroundings") -> None:
    """Where it is, and its lines with their numbers, what was asked for in bold."""
    document = there.document
    where = f", {said(there.place)}" if said(there.place) and "name" not in there.place else f":{there.line}"
    echo(bold(f"{name_of(document.source)}{where}"), f"  {there.section or document.title or ''}".rstrip())
    show_lines(document, there.start, there.end, (there.first, max(there.last, there.first + 1)))


@click.command("status", cls=Command, examples=[
    ("status", "what is there, and which model made the vectors"),
    ("status --tables", "what searcher.db holds"),
])  # fmt: skip
@folder_option
@server_option
@click.option("--tables", is_flag=True, help="What each table of searcher.db holds instead.")
@json_option
def status_command(folder: Path | None, server: str | None, tables: bool, as_json: bool) -> None:
    """Say what the index holds, and the model and settings it was made with."""
    client = client_of(folder, server, tables=tables)
    if tables:
        held = open_searcher(folder).tables()
        if as_json:
            show_json([table._asdict() for table in held])
        else:
            show_table(
                [(name, f"{rows:,}", ", ".join(columns)) for name, rows, columns in held], ("table", "rows", "columns")
            )
        return
    status = (client or open_searcher(folder)).status()
    if as_json:
        show_json(status)
    else:
        show_pairs(status)
