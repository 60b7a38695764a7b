"""A child that can be interrupted."""

import signal

__all__ = ["heeding"]


def heeding() -> None:
    """In a child before its program: what started in the background was told to ignore Ctrl-C, and hands that on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
