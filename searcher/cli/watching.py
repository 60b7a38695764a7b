"""`watch`: an index that follows its folders."""

import signal
import sys
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

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
from searcher.cli.terminal import dim, echo, show_json
from searcher.errors import Interrupted
from searcher.records import AddReport


@click.command("watch", cls=Command, examples=[
    ("watch notes/", "bring it up to date, then follow it until Ctrl-C"),
    ("watch notes/ docs/ --json >> changes.jsonl", "a line for a program whenever something changed"),
])  # fmt: skip
@click.argument("folders", nargs=-1, required=True, metavar="FOLDER…")
@folder_option
@reading_options
@ocr_option
@json_option
@settings_options
def watch_command(
    folders: tuple[str, ...], folder: Path | None, encoding: str | None, column_types: tuple[str, ...], ocr: bool,
    as_json: bool, **settings: Any,
) -> None:  # fmt: skip
    """Keep the index up to date with folders: as `add --prune`, again whenever something in them changes.

    A file with another name keeps its passages, a file that is gone goes from the index; a folder that is gone
    altogether or empty, such as a disk that is away, does not. Ctrl-C, or SIGTERM, ends it when the batch in flight is
    written. Needs: pip install 'searcher[watch]'
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    searcher = open_searcher(folder, make=True, **settings)
    try:
        with ExitStack() as bar:
            progress = bar.enter_context(progress_bar())
            for report in searcher.watch(folders, ocr=ocr, progress=progress, **reading(encoding, column_types)):
                bar.close()  # after the first add there is little to be seen
                _show(report, as_json)
    except Interrupted:
        raise
    except KeyboardInterrupt:
        echo("stopped; the index is up to date", err=True)


def _show(report: AddReport, as_json: bool) -> None:
    if as_json:
        show_json(report.as_dict())
    else:
        echo(dim(f"{datetime.now():%H:%M:%S}"), err=True)
        show_report(report)
    sys.stdout.flush()  # somebody waits for it
