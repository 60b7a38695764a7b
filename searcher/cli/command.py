"""Commands and groups as all of ours are: help at a glance, examples, model options apart, and "did you mean"."""

from collections.abc import Iterable, Sequence
from typing import Any

import click

from searcher.cli.terminal import echo

__all__ = ["Command", "Group", "Option", "near"]


def near(name: str, known: Iterable[str]) -> str:
    """What is said of a mistyped name: which known names are most like it, empty if none is."""
    from difflib import get_close_matches

    found = get_close_matches(name, list(known), n=3)
    return f" Did you mean {' or '.join(map(repr, found))}?" if found else ""


class _Saying:
    """What says of a wrong command line which command it was of; click forgets that where a value is missing."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments. click.UsageError with its context."""
        try:
            return super().parse_args(ctx, args)  # type: ignore[misc]  # of the command beside it
        except click.UsageError as fault:
            fault.ctx = fault.ctx or ctx
            raise


class Option(click.Option):
    """An option that is listed in a part of its own."""

    def __init__(self, *arguments: Any, part: str | None = None, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.part = part


class Command(_Saying, click.Command):
    """A command whose help ends with examples: pairs of a command line, and what it does.

    A line is without `searcher` at its beginning, but for one that begins with another program and pipes into it.
    """

    def __init__(self, *arguments: Any, examples: Sequence[tuple[str, str]] = (), **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.examples = list(examples)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options, those of the model in a part of their own."""
        parts: dict[str, list[tuple[str, str]]] = {"Options": []}
        for parameter in self.get_params(ctx):
            record = None if isinstance(parameter, click.Argument) else parameter.get_help_record(ctx)
            if record is not None:
                parts.setdefault(getattr(parameter, "part", None) or "Options", []).append(record)
        for title, records in parts.items():
            with formatter.section(title):
                formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples."""
        if self.examples:
            with formatter.section("Examples"):
                for line, does in self.examples:
                    whole = line if "| searcher " in line else f"searcher {line}"
                    formatter.write(f"  # {does}\n  {whole}\n")


class Group(_Saying, click.Group):
    """A group that prints its help when it is called alone, and names the commands most like a wrong one."""

    command_class = Command

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        settings |= {"callback": self._alone, "invoke_without_command": True, "subcommand_metavar": "COMMAND [ARGS]…"}
        super().__init__(*arguments, **settings)

    @staticmethod
    @click.pass_context
    def _alone(ctx: click.Context) -> None:
        if ctx.invoked_subcommand is None:
            echo(ctx.get_help())

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of that name. click.UsageError with the nearest ones."""
        name = str(args[0])
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            raise click.UsageError(f"No such command {name!r}.{near(name, self.list_commands(ctx))}", ctx)
        return super().resolve_command(ctx, args)
