"""`add` and `remove`: what goes into the index and out of it."""

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from searcher.cli.command import Command
from searcher.cli.options import (
    folder_option,
    json_option,
    ocr_option,
    open_searcher,
    reading,
    reading_options,
    settings_options,
)
from searcher.cli.output import progress_bar, show_report
from searcher.cli.remote import client_of, server_option
from searcher.cli.terminal import echo, show_json, stdin
from searcher.plain import counted

if TYPE_CHECKING:
    from searcher.search import Searcher

STDIN = "stdin"  # what comes from there is called, if nobody names it


@click.command("add", cls=Command, examples=[
    ("add notes/ reports/*.pdf", "files, folders with all in them, globs; again, only what changed"),
    ("add notes/ --prune", "remove what is not there any more"),
    ("add tickets.csv --text-field subject --text-field body --id-field number", "a document for each row"),
    ("add archive/ --ocr", "scans and pictures too, with what searcher[ocr] brings"),
    ("add /shared/archive --ray local", "read and embedded by processes that Ray looks after"),
    ("curl -s https://example.com | searcher add - --label page.html", "from stdin"),
])  # fmt: skip
@click.argument("paths", nargs=-1, required=True, metavar="PATH…")
@folder_option
@click.option("--text-field", multiple=True, metavar="NAME", help="Column of tables that holds the text; several are "
              "joined.")  # fmt: skip
@click.option("--id-field", metavar="NAME", help="Column that holds the id.")
@click.option("--table", "tables", multiple=True, metavar="NAME", help="Table or view of SQLite files, once or more. "
              "[default: all that have text]")  # fmt: skip
@reading_options
@ocr_option
@click.option("--label", metavar="NAME", help="What text from stdin (-) is called; its suffix says how it is read. "
              "[default: stdin]")  # fmt: skip
@click.option("--ray", metavar="ADDRESS", help="Have a Ray cluster read, cut and embed: its address, or local for one "
              "of this machine.")  # fmt: skip
@click.option("--work", type=click.Path(path_type=Path), metavar="DIR", help="Folder, seen by all machines of the "
              "cluster, of what they have done until it is in the index. [default: that of the index]")  # fmt: skip
@click.option("--prune", is_flag=True, help="Remove what came from these paths and is there no more.")
@click.option("--token-vectors/--no-token-vectors", default=None, help="Keep the vectors of tokens too, with which "
              "--rerank maxsim is quick; up to 198 kB a passage.")  # fmt: skip
@click.option("-v", "--verbose", is_flag=True, help="List everything that was skipped, also what was told before.")
@click.option("--dry-run", is_flag=True, help="Read, cut and count; write nothing.")
@json_option
@settings_options
@click.pass_context
def add_command(
    ctx: click.Context, /, paths: tuple[str, ...], folder: Path | None, text_field: tuple[str, ...],
    id_field: str | None, tables: tuple[str, ...], encoding: str | None, column_types: tuple[str, ...], ocr: bool,
    label: str | None, ray: str | None, work: Path | None, prune: bool, token_vectors: bool | None, verbose: bool,
    dry_run: bool, as_json: bool, **settings: Any,
) -> None:  # fmt: skip
    """Index files, folders (with all in them), globs, or stdin (-).

    Files that have not changed are left alone; a changed file replaces what came from it; a file or folder that has
    another name now keeps what came from it. JSONL and CSV files give a document for each row, SQLite files for each
    row of their tables: these are read from a copy and never written. Ctrl-C keeps what is done; the same command goes
    on from there. Exit 1 if something failed; the rest is indexed all the same.
    """
    how: dict[str, Any] = {"text_field": text_field, "id_field": id_field, "tables": tables, "dry_run": dry_run}
    how |= reading(encoding, column_types) | {"ocr": ocr}
    if label is not None and "-" not in paths:
        raise click.UsageError("--label names what comes from stdin (-); files have names.")
    searcher = open_searcher(folder, make=True, **settings)
    if "-" in paths:
        if len(paths) > 1:
            raise click.UsageError("- (stdin) cannot be mixed with other paths.")
        if of_files := [name for name, value in (("--ray", ray), ("--work", work), ("--prune", prune)) if value]:
            raise click.UsageError(f"{of_files[0]} is for files; - (stdin) is read here.")
        label = STDIN if label is None else label
        data = stdin().read()
        suffix = Path(label).suffix or ".txt"
        report = searcher.add_bytes(data, label, suffix=suffix, **how)
    else:
        with progress_bar() as progress, redirect_stdout(sys.stderr):  # where Ray tells which of its processes died
            report = searcher.add(paths, prune=prune, ray=ray, work=work, progress=progress, **how)
    if token_vectors is False and not dry_run:
        searcher.drop_token_vectors()
    kept = _kept(searcher, token_vectors) if not dry_run else {}
    if as_json:
        show_json(report.as_dict() | kept)
    else:
        show_report(report, dry_run, verbose)
        if kept:
            each = kept["token_bytes"] / max(1, kept["token_vectors"])
            passages, size = counted(kept["token_vectors"], "passage"), kept["token_bytes"] / 1e6
            echo(f"token vectors of {passages} are kept: {size:,.1f} MB, {each / 1e3:,.0f} kB a passage")
    ctx.exit(1 if report.failed else 0)


def _kept(searcher: "Searcher", wanted: bool | None) -> dict[str, int]:
    """How many passages' token vectors are kept, in how many bytes; nothing where none are. wanted: from now on."""
    if wanted:
        with progress_bar("passages") as progress:
            searcher.keep_token_vectors(progress)
    status = searcher.status()
    return {name: status[name] for name in ("token_vectors", "token_bytes")} if status["token_bytes"] else {}


@click.command("remove", cls=Command, examples=[
    ("remove notes/old.md archive/", "a file, and a folder with all in it"),
    ("remove --id ticket-17", "by your own id"),
])  # fmt: skip
@click.argument("sources", nargs=-1, metavar="SOURCE…")
@click.option("--id", "ids", multiple=True, metavar="ID", help="Remove the documents with this id; may be repeated.")
@folder_option
@server_option
@json_option
def remove_command(
    sources: tuple[str, ...], ids: tuple[str, ...], folder: Path | None, server: str | None, as_json: bool
) -> None:
    """Remove documents by SOURCE (a path, the end of one, a folder with all in it, a label, a title) or by id."""
    if not sources and not ids:
        raise click.UsageError("Name a SOURCE or an --id.")
    removed = (client_of(folder, server) or open_searcher(folder)).remove(sources, ids)
    if as_json:
        show_json({"removed": removed})
    else:
        echo(f"removed {counted(removed, 'document')}")
