"""Readers that run in a process of their own, known by name: nothing of them is imported by the one that indexes."""

import io
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from searcher.errors import UnreadableFile
from searcher.readers.raw import Item, Part, Raw, Reader, ReadOptions, Unsupported
from searcher.system import absolute

__all__ = ["Apart", "Host", "StepLost", "function", "in_child", "is_child", "more_time", "now_in_child", "step"]

PARSERS = "searcher.readers.parsers"
DISTRIBUTIONS = {"oxmsg": "python-oxmsg"}  # of modules, where it is called otherwise
_child: list["Host"] = []  # in the process that reads, what speaks to the one that waits


class StepLost(Exception):
    """A step of a file that cannot be taken, and why; the file goes on without."""


class Host(Protocol):
    """What the process that reads may ask of the one that waits for it."""

    def more_time(self, seconds: float) -> None:
        """See `more_time`."""

    def step(self, key: str, seconds: float, work: Callable[[], Any]) -> Any:
        """See `step`."""


@dataclass(frozen=True)
class Apart:
    """The reader that `parsers/` has under a name "module:function".

    needs: modules that it imports, each with what installs it. extra: what brings them, None for those that always come
    along. otherwise: the reader where they are missing. asked: what such a file is; it is read with the option of
    `ReadOptions` that the extra is called after, and passed over without.
    """

    name: str
    needs: tuple[str, ...] = ()
    extra: str | None = None
    otherwise: Reader | None = None
    asked: str | None = None

    def missing(self) -> list[str]:
        """Modules that it needs and that are not installed."""
        return [module for module in self.needs if find_spec(module) is None]

    @property
    def advice(self) -> str:
        """How to install what it needs."""
        names = [DISTRIBUTIONS.get(module, module) for module in self.needs]
        return f"pip install 'searcher[{self.extra}]'" if self.extra else f"pip install {' '.join(names)}"

    def __call__(self, raw: Raw, options: ReadOptions) -> Iterator[Item | Part]:
        """What it reads. Unsupported where it cannot run, UnreadableFile for a file that it cannot read."""
        missing = self.missing()
        if missing and self.otherwise:
            return self.otherwise(raw, options)
        if self.asked and not getattr(options, str(self.extra)):
            more = f", after {self.advice}" if missing else ""
            raise Unsupported(raw.source, f"{self.asked} is read with --{self.extra} only{more}")
        if missing:
            raise Unsupported(raw.source, f"{', '.join(missing)} is needed to read it: {self.advice}")
        return in_child(f"{PARSERS}.{self.name}", raw, options)


def is_child() -> bool:
    """Whether this is the process that reads."""
    return bool(_child)


def now_in_child(host: Host) -> None:
    """Say that this is the process that reads: there a reader is just called."""
    _child.append(host)


def more_time(seconds: float) -> None:
    """Say that what follows may take so many seconds of the processor's time, whatever the file has taken so far."""
    for host in _child:
        host.more_time(seconds)


def step(key: str, seconds: float, work: Callable[[], Any]) -> Any:
    """What a part of a file's work gives, which may fail without the rest of the file; what JSON holds.

    Time and memory are its own: it may take so many seconds of the processor's time, and where the process ends or
    fails in it, another reads the file anew, without this step and with what the others gave before. key: is no other
    step's of the file; where it comes again the same is given again.

    Raises StepLost where it failed, also for an UnreadableFile that `work` raises.
    """
    if _child:
        return _child[-1].step(key, seconds, work)
    try:
        return work()
    except UnreadableFile as fault:
        raise StepLost(fault.reason) from None


def function(name: str) -> Reader:
    """The reader that "package.module:function" names."""
    module, _, attribute = name.partition(":")
    reader: Reader = getattr(import_module(module), attribute)
    return reader


def in_child(name: str, raw: Raw, options: ReadOptions) -> Iterator[Item | Part]:
    """What the reader "package.module:function" reads, in the process that is kept for it."""
    return function(name)(raw, options) if is_child() else _answers(name, raw, options)


def _answers(name: str, raw: Raw, options: ReadOptions) -> Iterator[Item]:
    from searcher.readers.child import no_memory
    from searcher.readers.steps import ask

    request: dict[str, Any] = {"reader": name, "source": raw.source, "options": asdict(options), "size": raw.size}
    path = raw.stream.name if isinstance(raw.stream, io.BufferedReader) else None
    if isinstance(path, str):
        messages = ask(request | {"path": absolute(path)}, raw.source, b"")
    else:
        data = raw.whole()
        messages = ask(request | {"size": len(data)}, raw.source, data)
    fault: dict[str, Any] = {}
    for message in messages:  # to the last, after which the process takes the next file
        if "item" in message:
            yield _believed(message["item"], raw.source)
        else:
            fault = message
    if "unsupported" in fault:
        raise Unsupported(raw.source, str(fault["unsupported"]))
    if fault:
        raise UnreadableFile(raw.source, str(fault.get("unreadable", no_memory(options.ocr))))


def _believed(value: Any, source: str) -> Item:
    from searcher.readers.wire import as_item

    try:
        return as_item(value)
    except (IndexError, TypeError, ValueError) as fault:
        raise UnreadableFile(source, f"its reader answered nonsense ({fault!s:.200})") from None
