"""The command line: which commands there are, loaded when used, and how errors are shown; nothing imports it."""

import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

import click

from searcher import __version__
from searcher.cli.command import Group
from searcher.cli.importing import importing
from searcher.cli.terminal import echo, open_streams
from searcher.errors import Interrupted, SearcherError

__all__ = ["COMMANDS", "cli", "main"]

# name → (module, what it does): the help of the group needs none of the modules.
COMMANDS = {
    "add": ("adding", "Index files, folders, tables or stdin; unchanged ones are left alone."),
    "watch": ("watching", "Keep the index up to date with folders, until Ctrl-C."),
    "search": ("searching", "Find the passages nearest to a question."),
    "context": ("citing", "Print a question's sources as one text for a language model."),
    "ask": ("asking", "Answer a question from the FAQ entries."),
    "serve": ("serving", "Answer over HTTP: a page, an API, what clients of other servers speak."),
    "faq": ("answering", "Add FAQ entries, look after them, calibrate their answers."),
    "similar": ("searching", "Find passages of other documents that are like a document."),
    "remove": ("adding", "Remove documents from the index."),
    "list": ("looking", "List the documents."),
    "show": ("looking", "Show a document as it is stored."),
    "status": ("looking", "Say what the index holds and what it was made with."),
    "mcp": ("tools", "Offer the index to a language model as tools."),
    "export": ("exchanging", "Write the whole index as lines of JSON, vectors included."),
    "import": ("exchanging", "Bring in what export wrote, or what another tool stored."),
    "copy": ("exchanging", "Copy an index into another, vectors included; again, only what changed."),
    "embed": ("vectors", "Print the vectors of texts."),
    "inspect": ("vectors", "Show tokens, windows, and how alike a word's vectors are."),
    "eval": ("evaluating", "Measure the answers on a set with judgements (BEIR layout)."),
    "reindex": ("upkeep", "Rebuild the index, or embed everything again with other settings."),
    "config": ("configuring", "Show what holds where nothing is said, and from where."),
    "indexes": ("configuring", "List the named indexes."),
    "check": ("upkeep", "Check that what is stored is what was written."),
    "compact": ("upkeep", "Give the room of removed documents back to the disk."),
    "formats": ("reading", "List the kinds of files that are read, by what, and what is missing."),
    "plan": ("planning", "Say what so many documents will take: hours, memory, disk, machines."),
    "doctor": ("doctoring", "Say what there is on this machine to work with."),
    "demo": ("upkeep", "Index the samples and answer a question."),
}


class Commands(Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of a user's day."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        name = f"searcher.cli.{COMMANDS[cmd_name][0]}"
        with importing(name):
            command: click.Command = getattr(import_module(name), f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, out of the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


cli = click.version_option(__version__, prog_name="searcher")(
    Commands(
        "searcher",
        help="Semantic search over your own text, on your own machine.",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
)


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done (also when nothing was found), 1 an error, 2 wrong usage."""
    warnings.showwarning = _show_warning  # type: ignore[assignment]
    open_streams()
    try:
        code = cli.main(args=args, prog_name="searcher", standalone_mode=False, color=_color())
        sys.stdout.flush()  # while what goes wrong can be said
    except click.UsageError as fault:
        where = fault.ctx.command_path if fault.ctx else "searcher"
        _fail(2, f"{' '.join(fault.format_message().split())} Try: {where} --help")
    except click.ClickException as fault:
        _fail(1, fault.format_message())
    except (click.Abort, KeyboardInterrupt) as stop:
        raised = (stop, stop.__cause__, stop.__context__)  # click raises its own, of ours or, older ones, in its place
        told = next((own for own in raised if isinstance(own, Interrupted)), None)
        echo(told or "interrupted; what was committed stays", err=True)
        sys.exit(130)
    except SearcherError as fault:
        _fail(1, str(fault))
    except (BrokenPipeError, SystemExit):  # the reader of our output, such as `head`, has gone; click exits then
        _give_up_stdout()
        sys.exit(0)
    except OSError as fault:
        if fault.filename is None:
            _give_up_stdout()
        _fail(1, f"{fault.filename or 'the system'}: {fault.strerror or fault}")
    except MemoryError:
        _fail(1, "out of memory")
    sys.exit(code if isinstance(code, int) else 0)


def _give_up_stdout() -> None:
    """What is left in its buffer would fail once more at the end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(code: int, message: str) -> None:
    echo("Error: ", " ".join(message.split("\n")), err=True)
    sys.exit(code)


def _color() -> bool | None:
    return False if os.environ.get("NO_COLOR") else None


def _show_warning(message: Warning | str, category: type[Warning], *_: Any) -> None:
    if issubclass(category, UserWarning):
        echo(f"Warning: {message}", err=True)
