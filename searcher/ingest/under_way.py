"""How far an `add` is that another process does, or that was cut short."""

import json
from dataclasses import dataclass
from typing import Self

from searcher.plain import counted
from searcher.system import is_alive, this_process

__all__ = ["UnderWay"]


@dataclass(frozen=True)
class UnderWay:
    """How far an `add` is. first: whether the index was empty when it began. files, of_files: done, and in all.

    passages, of_passages: committed by it, and how many there will be as far as can be told. process: who does it; None
    for one that was cut short.
    """

    first: bool
    files: int
    of_files: int
    passages: int
    of_passages: int
    process: object = None

    @classmethod
    def read(cls, text: str | None) -> Self | None:
        """What was noted. None where nothing was, or it cannot be understood."""
        try:
            values = json.loads(text or "")
            numbers = {name: int(values[name]) for name in ("files", "of_files", "passages", "of_passages")}
            return cls(first=bool(values["first"]), process=values["process"], **numbers)
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    def noted(self, going_on: bool = True) -> str:
        """As it is stored."""
        return json.dumps(vars(self) | {"process": this_process() if going_on else None})

    @property
    def is_going_on(self) -> bool:
        """Whether its process runs, as far as can be known."""
        return self.process is not None and is_alive(self.process) is not False

    def __str__(self) -> str:
        what = "the first add" if self.first else "an add"
        about = "about " if self.files < self.of_files else ""
        far = f"{self.passages:,} of {about}{counted(max(self.passages, self.of_passages), 'passage')}"
        if not self.of_passages:
            far = f"{self.files:,} of {counted(self.of_files, 'file')}"
        if self.is_going_on:
            return f"{what} is under way: {far} so far"
        return f"{what} was cut short: {far} are in; the same command goes on from there"
