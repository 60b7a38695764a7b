"""How far it is: what a long call tells its caller, and the bar that a notebook shows where no caller asks."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic
from typing import Any

from searcher.ingest.pace import Pace, clock

__all__ = ["Progress", "finished", "no_progress", "showing", "shown"]

# ("total", n): so many more files; ("file", n): so many are done, committed; ("passage", n): passages embedded. Of an
# `add` also ("work", n): by so many tokens the estimate of all that are to be embedded rises or falls; ("stored", n)
# passages and ("token", n) tokens are committed; ("stop", 0): Ctrl-C was heard, the batch in flight is finished.
Progress = Callable[[str, int], None]

PATIENCE, EVERY = 0.5, 0.25  # seconds before a bar is shown, and between two drawings


def no_progress(event: str, count: int) -> None:
    """Report nothing; in a notebook, where this is what a call is given, a bar is shown."""


@contextmanager
def showing(progress: Progress) -> Iterator[Progress]:
    """What a caller gave, else a bar where IPython runs in the kernel of a notebook, drawn once more at the end."""
    progress = shown(progress)
    try:
        yield progress
    finally:
        finished(progress)


def shown(progress: Progress) -> Progress:
    """As `showing`, for who calls `finished` at the end."""
    if progress is not no_progress:
        return progress
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return progress if getattr(shell, "kernel", None) is None else Bar()


def finished(progress: Progress) -> None:
    """Draw a bar for the last time, if that is what it is and it was seen."""
    if isinstance(progress, Bar) and progress.handle is not None:
        progress.is_over = True
        progress.draw()


class Bar:
    """What is done, how quickly, and the time that is left, where IPython shows it; any thread may report."""

    def __init__(self) -> None:
        self.pace = Pace()
        self.handle: Any = None
        self.begun = monotonic()
        self.is_stopping = self.is_over = False
        self._next = self.begun + PATIENCE
        self._lock = Lock()

    def __call__(self, event: str, count: int) -> None:
        """Count it, and draw if it is time to."""
        with self._lock:
            self.pace.tell(event, count)
            self.is_stopping |= event == "stop"
            if due := monotonic() >= self._next or (event == "stop" and self.handle is not None):
                self._next = monotonic() + EVERY
        if due:
            self.draw()

    def draw(self) -> None:
        """Show how far it is."""
        from IPython.display import display

        if self.handle is None:
            self.handle = display(self, display_id=True)
        else:
            self.handle.update(self)

    def __repr__(self) -> str:
        with self._lock:
            line, seconds = self.pace.line("files or documents"), clock(monotonic() - self.begun)
        if self.is_over:  # nothing is left to be done, or to be waited for
            line = line.rpartition(" · ")[0] if line.endswith(" left") else line
            return f"{line} · {'stopped' if self.is_stopping else 'done'} after {seconds}"
        return f"{line} · stopping when the batch in flight is written" if self.is_stopping else line

    def _repr_html_(self) -> str:
        return (
            f'<progress value="{self.pace.share:.3f}"></progress> {self!r}' if self.pace.counts["total"] else repr(self)
        )
