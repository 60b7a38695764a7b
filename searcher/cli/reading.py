"""`formats`: which kinds of files are read, by what, and what has to be installed for the others."""

import click

from searcher.cli.command import Command
from searcher.cli.options import json_option
from searcher.cli.output import show_table
from searcher.cli.terminal import show_json

__all__ = ["formats_command"]


@click.command(
    "formats",
    cls=Command,
    examples=[
        ("formats", "all kinds"),
        ("formats --json", "for programs"),
    ],
)
@json_option
def formats_command(as_json: bool) -> None:
    """List the kinds of files that are read, by what, and what is missing.

    A file of any other kind is read as text, if it is text. A package adds a reader by an entry point of the group
    searcher.readers, named by the ending that it reads.
    """
    from searcher.readers import formats

    found = formats()
    if as_json:
        show_json([each._asdict() for each in found])
        return
    named = [f"{each.name}, with --{each.option}" if each.option else each.name for each in found]
    show_table(
        [[" ".join(each.suffixes), name, each.reader, each.missing] for each, name in zip(found, named, strict=True)],
        ["ending", "kind", "read by", "missing"],
    )
