"""`config` and `indexes`: what holds where nothing is said, and which named indexes there are."""

from pathlib import Path

import click

from searcher.cli.command import Command
from searcher.cli.config import SETTINGS, Held, held, indexes, locate, user_file
from searcher.cli.options import folder_option, json_option, named_engine
from searcher.cli.output import show_table
from searcher.cli.terminal import dim, echo, show_json
from searcher.errors import IndexUnavailable
from searcher.system import shown


@click.command("config", cls=Command, examples=[
    ("config", "which index, mode, number of hits and model hold here, and why"),
    ("config -i @notes --json", "the same for a named index, for a program"),
])  # fmt: skip
@folder_option
@json_option
def config_command(folder: Path | None, as_json: bool) -> None:
    """Show what holds where a command says nothing, and where it comes from.

    From the command line, else the environment (SEARCHER_INDEX, SEARCHER_ENGINE, SEARCHER_MODE, SEARCHER_K,
    SEARCHER_MODEL), else config.toml in the index folder (mode and k), else the user's config.toml, else the default. A
    file holds lines such as mode = "hybrid", k = 5, index = "@notes", model = "intfloat/e5-small-v2"; the model is that
    of new indexes.
    """
    rows = _held(folder)
    if as_json:
        show_json({name: {"value": value, "from": origin} for name, (value, origin) in rows.items()})
        return
    cells = [
        (name, "–" if value is None else shown(value) if name == "index" else value, origin)
        for name, (value, origin) in rows.items()
    ]
    show_table(cells, ("setting", "value", "from"))
    there = "" if user_file().is_file() else ", which is not there"
    echo(dim(f"your own settings: {shown(user_file().as_posix())}{there}"))


def _held(folder: Path | None) -> dict[str, Held]:
    given = held("index", str(folder) if folder is not None else None)
    try:
        index = locate(folder)
    except IndexUnavailable:
        rows, index_folder = {"index": Held(None, f"{given.origin}: no index there")}, None
    else:
        origin = f"the nearest {given.value}" if given.origin == "default" else given.origin
        rows, index_folder = {"index": Held(index.as_posix(), origin)}, index
    flags = {"engine": named_engine()}
    return rows | {name: held(name, flags.get(name), index_folder) for name in SETTINGS if name != "index"}


@click.command("indexes", cls=Command, examples=[
    ("add notes/ -i @notes", "make a named index, or add to it"),
    ("search 'boiler code' -i @notes", "ask it from any folder"),
    ("indexes", "list them, and what search --in has read"),
])  # fmt: skip
@json_option
def indexes_command(as_json: bool) -> None:
    """List the named indexes, those that `-i @NAME` makes in the user's own folder, and those of `search --in`.

    These are kept in the user's cache folder; one that is deleted is made again when its folder is asked.
    """
    from searcher.cli.within import asked
    from searcher.search import Searcher

    rows = []
    for name, folder in [*indexes().items(), *asked()]:
        with Searcher(folder) as searcher:
            rows.append({"name": name, "folder": folder.as_posix(), **searcher.counts()})
    if as_json:
        show_json(rows)
    elif rows:
        show_table([(r["name"], f"{r['documents']:,}", f"{r['passages']:,}", r["folder"]) for r in rows],
                   ("name", "documents", "passages", "folder"))  # fmt: skip
    else:
        echo("no named indexes; make one: searcher add PATH -i @NAME")
