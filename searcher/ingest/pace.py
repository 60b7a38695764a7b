"""How quickly something gets on: what is done, how much a second, and the time that is left."""

from collections import Counter
from collections.abc import Callable
from math import exp
from time import perf_counter

from searcher.plain import counted

__all__ = ["Pace", "clock"]

MEMORY = 60.0  # seconds after which what was counts a third
SURE = 4.0  # seconds of work before any time is foretold


class Pace:
    """What a `Progress` was told, as shares, rates and times. now: the clock, in seconds.

    The rate is that of what is committed, in tokens where these are told, else in files; what lies long back counts
    less. The clock starts with the first passage: until then a model was loaded.
    """

    def __init__(self, now: Callable[[], float] = perf_counter) -> None:
        self._now = now
        self.counts: Counter[str] = Counter()
        self._last: float | None = None
        self._done = self._seconds = 0.0  # weighted
        self._worked = 0.0

    def tell(self, event: str, count: int) -> None:
        """As `Progress` is called."""
        self.counts[event] += count
        if event == "passage" and self._last is None:
            self._last = self._now()
        if event == self._unit and count:
            now = self._now()
            passed = 0.0 if self._last is None else now - self._last
            fade = exp(-passed / MEMORY)
            self._done, self._seconds = self._done * fade + count, self._seconds * fade + passed
            self._last, self._worked = now, self._worked + passed

    @property
    def _unit(self) -> str:
        return "token" if self.counts["work"] else "file"

    @property
    def _of(self) -> int:
        return max(self.counts["work"] if self.counts["work"] else self.counts["total"], self.counts[self._unit])

    @property
    def share(self) -> float:
        """How much of all is done, 0 … 1."""
        return self.counts[self._unit] / self._of if self._of else 0.0

    @property
    def rate(self) -> float | None:
        """Tokens or files a second; None until it can be told."""
        return self._done / self._seconds if self._worked > SURE else None

    @property
    def left(self) -> float | None:
        """Seconds until all is done; None until it can be told."""
        if not (rate := self.rate) or self._last is None:
            return None
        return max(0.0, (self._of - self.counts[self._unit]) / rate - (self._now() - self._last))

    def line(self, what: str) -> str:
        """All of it: "210/489 files · 1,234 passages · 88/s · 1:23 left"."""
        counts = self.counts
        parts = [f"{counts['file']:,}/{counts['total']:,} {what}"] if counts["total"] else []
        passages = counts["stored"] or counts["passage"]
        if passages:
            parts.append(f"{counted(passages, 'passage')}")
        if (rate := self.rate) and counts["stored"] and counts["token"]:
            parts.append(f"{rate * counts['stored'] / counts['token']:,.0f}/s")
        elif rate and self._unit == "file":
            parts.append(f"{rate:,.0f} {what}/s")
        if (left := self.left) is not None:
            parts.append(f"{clock(left)} left")
        return " · ".join(parts)


def clock(seconds: float) -> str:
    """A time as people read it.

    >>> clock(7.2), clock(83), clock(3700)
    ('0:07', '1:23', '1:01:40')
    """
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
