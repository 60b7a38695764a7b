"""`list`, `show` and `status`: what is in the index."""

from pathlib import Path

import click

from searcher.cli.options import folder_option, json_option, open_searcher
from searcher.cli.output import show_pairs, show_table
from searcher.cli.terminal import bold, echo, show_json, write
from searcher.system import shown


@click.command("list")
@folder_option
@json_option
@click.option("--jsonl", "as_jsonl", is_flag=True, help="Print a JSON object for each document.")
def list_command(folder: Path | None, as_json: bool, as_jsonl: bool) -> None:
    """List the documents of the index in the order of their sources."""
    documents = open_searcher(folder).listing()
    if as_json:
        show_json(documents)
    elif as_jsonl:
        for document in documents:
            show_json(document)
    else:
        rows = [(shown(row["source"]), row["passages"], row["characters"], row["title"] or "") for row in documents]
        show_table(rows, ("source", "passages", "characters", "title"))


@click.command("show")
@click.argument("source")
@folder_option
@click.option("--passages", is_flag=True, help="Each passage with its place, not the text as a whole.")
@json_option
def show_command(source: str, folder: Path | None, passages: bool, as_json: bool) -> None:
    """Show the document SOURCE (a path, a label or an id) as it is stored."""
    searcher = open_searcher(folder)
    document = searcher.document(source)
    rows = searcher.passages(document.source)
    if as_json:
        shown = {
            "source": document.source, "id": document.id, "title": document.title, "kind": document.kind,
            "metadata": dict(document.metadata), "text": document.text,
            "passages": [
                {name: getattr(row, name) for name in ("passage_id", "start", "end", "line", "section")} for row in rows
            ],
        }  # fmt: skip
        show_json(shown)
    elif passages:
        for row in rows:
            echo(bold(f"── {row.start}–{row.end}  line {row.line}  {row.section or ''}".rstrip()))
            echo(row.text)
    else:
        write(document.text)


@click.command("status")
@folder_option
@click.option("--tables", is_flag=True, help="What each table of searcher.db holds instead.")
@json_option
def status_command(folder: Path | None, tables: bool, as_json: bool) -> None:
    """Say what the index holds, and the model and settings it was made with."""
    searcher = open_searcher(folder)
    if tables:
        held = searcher.tables()
        if as_json:
            show_json([table._asdict() for table in held])
        else:
            show_table(
                [(name, f"{rows:,}", ", ".join(columns)) for name, rows, columns in held], ("table", "rows", "columns")
            )
        return
    status = searcher.status()
    if as_json:
        show_json(status)
    else:
        show_pairs(status)
