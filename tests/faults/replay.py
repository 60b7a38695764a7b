"""What a power cut may leave: of a sequence of events, the disks on which what was not yet synced is there in part.

A file's data and size are durable after an fsync of the file, its name after an fsync of its folder; no more than that
is taken for granted. What is not durable may be there or not, write by write and 512 bytes by 512 bytes; a lost write
inside a file leaves the old bytes or zeros. A rename is there or not, never half.
"""

import hashlib
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from replay_events import Event, Names, Resize, Sync, Write

__all__ = ["Disk", "Machine"]

SECTOR = 512

Data = Write | Resize


@dataclass(frozen=True)
class Disk:
    """Files by name relative to the root, None for a folder; and in words, how it came about."""

    files: Mapping[str, bytes | None]
    made_by: str

    def digest(self) -> bytes:
        """Equal for equal disks."""
        whole = hashlib.blake2b(digest_size=16)
        for name, data in sorted(self.files.items()):
            whole.update(repr((name, data is None, hashlib.blake2b(data or b"").digest())).encode())
        return whole.digest()

    def put(self, folder: Path) -> None:
        """Write it below an empty folder."""
        for name, data in sorted(self.files.items()):  # a folder comes before what is in it
            if data is None:
                (folder / name).mkdir(exist_ok=True)
            else:
                (folder / name).write_bytes(data)


@dataclass
class Machine:
    """The disk of a machine and what is still in its memory; events are taken one after the other."""

    durable: dict[int, bytearray] = field(default_factory=dict)  # data of each file
    folders: dict[int, dict[str, int]] = field(default_factory=lambda: {0: {}})  # durable names, with their paths
    waiting: list[tuple[int, Event]] = field(default_factory=list)  # what is not durable yet, and when it happened
    now: int = 0

    @classmethod
    def holding(cls, files: Mapping[str, bytes | None]) -> "Machine":
        """A machine on whose disk those files are already, numbered as `read_log` does for the same files."""
        machine = cls()
        numbers = {".": 0}
        for number, (name, data) in enumerate(sorted(files.items()), 1):
            numbers[name] = number
            if data is None:
                machine.folders[number] = {}
            else:
                machine.durable[number] = bytearray(data)
            machine.folders[numbers[str(Path(name).parent)]][name] = number
        return machine

    def take(self, event: Event) -> None:
        """Let an event happen."""
        if isinstance(event, Sync):
            done = [(when, old) for when, old in self.waiting if when < event.begun and _of(old) == event.file]
            for one in done:
                self.waiting.remove(one)
            _apply([old for _, old in done], self.durable, self.folders)
        else:
            self.waiting.append((self.now, event))
        self.now += 1

    def disk(self, kept: list[Event], made_by: str) -> Disk:
        """The disk with some of what was waiting."""
        data = {number: bytearray(old) for number, old in self.durable.items()}
        folders = {number: dict(names) for number, names in self.folders.items()}
        _apply(kept, data, folders)
        files: dict[str, bytes | None] = {}
        reached = [0]
        while reached:
            for name, number in folders[reached.pop()].items():
                if number in folders:
                    files[name] = None
                    reached.append(number)
                else:
                    files[name] = bytes(data.get(number, b""))
        return Disk(files, made_by)

    def disks(self, count: int, chance: random.Random) -> Iterator[Disk]:
        """`count` disks that a power cut now may leave: the plain ones first, then by chance; some may be equal.

        Only one where nothing is waiting.
        """
        waiting = [event for _, event in self.waiting]
        if not waiting:
            yield self.disk([], "nothing to lose")
            return
        made = 0
        for made_by, kept in _plain(waiting):
            if made == count:
                return
            yield self.disk(kept, made_by)
            made += 1
        while made < count:
            names, data = chance.choice(list(CHOICES)), chance.choices(list(CHOICES), [1, 1, 2, 2, 3, 3])[0]
            kept = _chosen(waiting, CHOICES[names], CHOICES[data], chance)
            yield self.disk(kept, f"names {names}, data {data}")
            made += 1


def _of(event: Event) -> int:
    return event.folder if isinstance(event, Names) else event.file


def _apply(events: list[Event], data: dict[int, bytearray], folders: dict[int, dict[str, int]]) -> None:
    for event in events:
        if isinstance(event, Names):
            names = folders.setdefault(event.folder, {})
            for name, number in event.changes:
                if number is None:
                    names.pop(name, None)
                else:
                    names[name] = number
                    if event.makes_folder:
                        folders.setdefault(number, {})
        elif isinstance(event, Resize):
            old = data.setdefault(event.file, bytearray())
            del old[event.size :]
            old.extend(bytes(event.size - len(old)))
        elif isinstance(event, Write):
            old = data.setdefault(event.file, bytearray())
            old.extend(bytes(max(0, event.at - len(old))))
            old[event.at : event.at + len(event.data)] = event.data


# -- choices: what of the waiting events is there after all


def _plain(waiting: list[Event]) -> Iterator[tuple[str, list[Event]]]:
    """All, none, all of one kind; each event missing alone, each there alone."""
    names = [event for event in waiting if isinstance(event, Names)]
    data = [event for event in waiting if not isinstance(event, Names)]
    yield "all", waiting
    yield "nothing", []
    yield "names only", names
    yield "data only", data
    yield (
        "data zeroed",
        [part for event in waiting for part in (_zeroed(event) if isinstance(event, Write) else [event])],
    )
    for number, event in enumerate(waiting):
        yield f"all but event {number} of {len(waiting)}", waiting[:number] + waiting[number + 1 :]
        yield f"only event {number} of {len(waiting)}", [event]


def _zeroed(event: Write) -> list[Event]:
    return [Write(event.file, event.at, bytes(len(event.data)))]


def _sectors(event: Write) -> list[Write]:
    """A write cut at the sector borders of its file."""
    end, parts = event.at + len(event.data), []
    at = event.at
    while at < end:
        border = min(end, (at // SECTOR + 1) * SECTOR)
        parts.append(Write(event.file, at, event.data[at - event.at : border - event.at]))
        at = border
    return parts


Choice = Callable[[list[Event], random.Random], list[list[Event]]]  # what becomes of each event, in their order


def _all(events: list[Event], chance: random.Random) -> list[list[Event]]:
    return [[event] for event in events]


def _none(events: list[Event], chance: random.Random) -> list[list[Event]]:
    return [[] for _ in events]


def _first(events: list[Event], chance: random.Random) -> list[list[Event]]:
    """The first so many in the order in which they happened, the next one torn."""
    cut = chance.randint(0, len(events))
    torn = [_torn(event, chance) for event in events[cut : cut + 1]]
    return [[event] for event in events[:cut]] + torn + [[] for _ in events[cut + 1 :]]


def _some(events: list[Event], chance: random.Random) -> list[list[Event]]:
    """Each for itself."""
    share = chance.choice((0.1, 0.5, 0.9))
    return [[event] if chance.random() < share else [] for event in events]


def _torn_each(events: list[Event], chance: random.Random) -> list[list[Event]]:
    """Each for itself whole, lost, torn or zeroed."""
    return [chance.choice(FATES)(event, chance) for event in events]


def _scattered_all(events: list[Event], chance: random.Random) -> list[list[Event]]:
    """Each sector of each for itself."""
    return [_scattered(event, chance) for event in events]


def _torn(event: Event, chance: random.Random) -> list[Event]:
    """The beginning of a write, up to the border of a sector."""
    if not isinstance(event, Write):
        return []
    parts = _sectors(event)
    return list(parts[: chance.randint(0, len(parts))])


def _scattered(event: Event, chance: random.Random) -> list[Event]:
    """Each sector of a write for itself there, old or zeroed."""
    if not isinstance(event, Write):
        return [event]
    fates = [(part, chance.random()) for part in _sectors(event)]
    return [part if fate < 0.6 else _zeroed(part)[0] for part, fate in fates if fate < 0.6 or fate > 0.8]


FATES: list[Callable[[Event, random.Random], list[Event]]] = [
    lambda event, chance: [event],
    lambda event, chance: [],
    lambda event, chance: _zeroed(event) if isinstance(event, Write) else [event],
    _torn,
    _scattered,
]

CHOICES: dict[str, Choice] = {
    "all": _all, "none": _none, "first": _first, "some": _some, "torn": _torn_each, "scattered": _scattered_all,
}  # fmt: skip


def _chosen(waiting: list[Event], names: Choice, data: Choice, chance: random.Random) -> list[Event]:
    """What is there: the two choices, merged in the order of time."""
    fates: dict[int, list[Event]] = {}
    for choice, kind in ((names, Names), (data, (Write, Resize))):
        own = [number for number, event in enumerate(waiting) if isinstance(event, kind)]
        fates.update(zip(own, choice([waiting[number] for number in own], chance), strict=True))
    return [event for number in range(len(waiting)) for event in fates[number]]
