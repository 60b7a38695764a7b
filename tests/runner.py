"""click's runner of commands, whose output and errors are apart; click before 8.2 has to be asked for that."""

import inspect

from click.testing import CliRunner

__all__ = ["runner"]


def runner() -> CliRunner:
    return CliRunner(**({"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}))
