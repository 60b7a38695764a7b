"""`add` and `remove`: what goes into the index and out of it."""

import sys
from pathlib import Path
from typing import Any

import click

from searcher.cli.options import (
    folder_option,
    json_option,
    open_searcher,
    reading,
    reading_options,
    settings_options,
)
from searcher.cli.output import progress_bar, show_json, show_report


@click.command("add")
@click.argument("paths", nargs=-1, required=True, metavar="PATH…")
@folder_option
@click.option("--text-field", metavar="NAME", help="Column of JSONL and CSV files that holds the text.")
@click.option("--id-field", metavar="NAME", help="Column that holds the id.")
@reading_options
@click.option("--label", metavar="NAME", default="stdin", show_default=True, help="What text from stdin (-) is called; "
              "its suffix says how it is read.")  # fmt: skip
@click.option("--prune", is_flag=True, help="Remove what came from these paths and is there no more.")
@click.option("--dry-run", is_flag=True, help="Read, cut and count; write nothing.")
@json_option
@settings_options
@click.pass_context
def add_command(
    ctx: click.Context, /, paths: tuple[str, ...], folder: Path | None, text_field: str | None, id_field: str | None,
    encoding: str | None, column_types: tuple[str, ...], label: str, prune: bool, dry_run: bool, as_json: bool,
    **settings: Any,
) -> None:  # fmt: skip
    """Index files, folders (with all in them), globs, or stdin (-).

    Files that have not changed are left alone; a changed file replaces what came from it. JSONL and CSV files give a
    document for each row. Exit 1 if something failed; the rest is indexed all the same.
    """
    how: dict[str, Any] = {"text_field": text_field, "id_field": id_field, "dry_run": dry_run}
    how |= reading(encoding, column_types)
    searcher = open_searcher(folder, **settings)
    if "-" in paths:
        if len(paths) > 1:
            raise click.UsageError("- (stdin) cannot be mixed with other paths.")
        data = sys.stdin.buffer.read()
        suffix = Path(label).suffix or ".txt"
        report = searcher.add_bytes(data, label, suffix=suffix, **how)
    else:
        with progress_bar() as progress:
            report = searcher.add(paths, prune=prune, progress=progress, **how)
    if as_json:
        show_json(report.as_dict())
    else:
        show_report(report, dry_run)
    ctx.exit(1 if report.failed else 0)


@click.command("remove")
@click.argument("sources", nargs=-1, metavar="SOURCE…")
@click.option("--id", "ids", multiple=True, metavar="ID", help="Remove the documents with this id; may be repeated.")
@folder_option
@json_option
def remove_command(sources: tuple[str, ...], ids: tuple[str, ...], folder: Path | None, as_json: bool) -> None:
    """Remove documents by source (path, folder or label) or by id."""
    if not sources and not ids:
        raise click.UsageError("Name a SOURCE or an --id.")
    removed = open_searcher(folder).remove(sources, ids)
    if as_json:
        show_json({"removed": removed})
    else:
        click.echo(f"removed {removed:,} documents")
