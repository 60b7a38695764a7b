"""`export` and `import`: an index as lines of JSON that other programs can read."""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from searcher.cli.command import Command
from searcher.cli.options import folder_option, json_option, open_searcher
from searcher.cli.output import progress_bar
from searcher.cli.terminal import echo, show_json, stdin
from searcher.system import private


@click.command("export", cls=Command, examples=[
    ("export backup.jsonl", "the whole index, vectors included"),
    ("export - | gzip > backup.jsonl.gz", "into a pipe"),
])  # fmt: skip
@click.argument("file", default="-", metavar="[FILE|-]")
@folder_option
@click.option("--vectors", type=click.Choice(["numbers", "base64"]), default="numbers", show_default=True,
              help="Lists of numbers, or base64 of little-endian float32, less than half as long.")  # fmt: skip
def export_command(file: str, folder: Path | None, vectors: str) -> None:
    """Write the whole index to FILE, or to stdout, as lines of JSON: settings, documents, passages and vectors.

    The first line holds the settings and how many lines follow; then comes a line for each document and for each file
    that is wholly in. Vectors read back to the bit. FILE is replaced when the export is whole. While it runs, other
    processes may read the index, and wait to write to it.
    """
    searcher = open_searcher(folder)
    if file == "-":
        with progress_bar("documents") as progress:
            searcher.export(sys.stdout.buffer, vectors, progress)
            sys.stdout.buffer.flush()
        return
    if Path(file).resolve() in {path.resolve() for path in searcher.folder.glob("searcher.db*")}:
        raise click.UsageError(f"{file} is the index itself.")
    with _whole(Path(file)) as stream, progress_bar("documents") as progress:
        done = searcher.export(stream, vectors, progress)
    echo(f"exported {done.documents:,} documents, {done.passages:,} passages to {file}")


@click.command("import", cls=Command, examples=[
    ("import backup.jsonl -i @copy", "into a new index, without a model"),
])  # fmt: skip
@click.argument("file", metavar="FILE|-")
@folder_option
@json_option
def import_command(file: str, folder: Path | None, as_json: bool) -> None:
    """Bring what `export` wrote from FILE, or from stdin (-), into the index; no model is needed.

    Documents whose source is there already are replaced; passages get new ids. All or nothing: if anything in FILE is
    wrong, or the index was made with other settings, nothing changes.
    """
    searcher = open_searcher(folder, make=True)
    with progress_bar("documents") as progress:
        if file == "-":
            done = searcher.import_(stdin(), progress)
        else:
            with Path(file).open("rb") as stream:
                done = searcher.import_(stream, progress)
    if as_json:
        show_json(done._asdict())
    else:
        others = f"{done.replaced:,} of them replaced, {done.removed:,} others removed"
        echo(f"imported {done.documents:,} documents, {done.passages:,} passages under new ids; {others}")


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """A file that gets its name when it is whole, readable by nobody else; a pipe or device is written as it is."""
    if path.exists() and not path.is_file():
        with path.open("wb") as stream:
            yield stream
        return
    path = path.resolve()
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with os.fdopen(private(draft), "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
