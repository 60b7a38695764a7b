"""How far it is: what a long call tells its caller, and the bar that a notebook shows where no caller asks."""

import sys
from collections import Counter
from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Any

__all__ = ["Progress", "finished", "no_progress", "shown"]

Progress = Callable[[str, int], None]  # ("total" | "file" | "passage", how many)

PATIENCE, EVERY = 0.5, 0.25  # seconds before a bar is shown, and between two drawings


def no_progress(event: str, count: int) -> None:
    """Report nothing; in a notebook, where this is what a call is given, a bar is shown."""


def shown(progress: Progress) -> Progress:
    """What a caller gave, else a bar where IPython runs in the kernel of a notebook."""
    if progress is not no_progress:
        return progress
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return progress if getattr(shell, "kernel", None) is None else Bar()


def finished(progress: Progress) -> None:
    """Draw a bar for the last time, if that is what it is and it was seen."""
    if isinstance(progress, Bar) and progress.handle is not None:
        progress.draw()


class Bar:
    """A bar over files, with a count of passages, where IPython shows it; any thread may report."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.handle: Any = None
        self.begun = monotonic()
        self._next = self.begun + PATIENCE
        self._lock = Lock()

    def __call__(self, event: str, count: int) -> None:
        """Count it, and draw if it is time to."""
        with self._lock:
            self.counts[event] += count
            if due := monotonic() >= self._next:
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
        done, total, passages = (self.counts[event] for event in ("file", "total", "passage"))
        parts = [f"{done:,} of {total:,} files or documents"] if total else []
        return ", ".join([*parts, f"{passages:,} passages embedded", f"{monotonic() - self.begun:.0f} s"])

    def _repr_html_(self) -> str:
        total = self.counts["total"]
        bar = f'<progress value="{min(self.counts["file"], total)}" max="{total}"></progress> ' if total else ""
        return f"{bar}{self!r}"
