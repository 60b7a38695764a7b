"""The values that a pickle makes by calling something of the standard library, numpy or pandas, made here instead.

VALUES: "module.name", as the pickle has it → a function of ours, which takes the call's arguments and checks them. A
wrong one raises ValueError or TypeError.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

__all__ = ["CONSTANTS", "INERT", "VALUES", "Name", "Shell", "hashable"]

SCALARS = (str, int, float, bytes, date, time, type(None))
NUMERIC = "biufSUM"  # kinds of numpy's types that are plain data
NANOSECONDS = {7: 10**9, 8: 10**6, 9: 10**3, 10: 1}  # of a tick of pandas' resolutions s, ms, us, ns


@dataclass(frozen=True)
class Name:
    """A class or function that a pickle names; inert."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


class Shell:
    """What is made first and given its state afterwards."""

    def build(self, state: Any) -> None:
        """Take the state."""

    def value(self) -> Any:
        """The plain value that it stands for, once it has its state."""
        raise NotImplementedError


def hashable(value: Any) -> Any:
    """The value, of a kind that may be a key. ValueError: hashing what is nested deep would end the process."""
    if not isinstance(value, SCALARS):
        raise ValueError(f"a key of type {type(value).__name__}")
    return value


# -- the standard library


def _bytes_of(text: Any = "", encoding: str = "latin1") -> bytes:
    if isinstance(text, bytes | bytearray):
        return bytes(text)
    if encoding not in ("latin1", "latin-1") or not isinstance(text, str):
        raise ValueError("bytes of what is no Latin-1")
    return text.encode("latin1")


def _of_state(make: Callable[..., Any], length: int) -> Callable[..., Any]:
    """date, time, datetime: bytes, perhaps with a time zone, or their parts as numbers."""

    def made(state: Any, *rest: Any) -> Any:
        if isinstance(state, str):  # as protocols before 3 write bytes
            state = state.encode("latin1")
        if isinstance(state, bytes) and len(state) == length:
            zone = [each for each in rest if isinstance(each, tzinfo)]
            return make(state, *zone)
        if not all(isinstance(part, int | tzinfo | None) for part in (state, *rest)):
            raise ValueError("a moment that is none")
        return make(state, *rest)

    return made


def _delta(days: int = 0, seconds: int = 0, microseconds: int = 0) -> timedelta:
    return timedelta(int(days), int(seconds), int(microseconds))


def _offset(offset: timedelta, name: str = "") -> timezone:
    return timezone(offset)


def _utc(*_: Any) -> tzinfo:
    return UTC


def _zone(key: str, *_: Any) -> tzinfo:
    """A zone of zoneinfo by its key."""
    try:
        return ZoneInfo(key)
    except Exception:  # no such key here, or none at all
        raise ValueError(f"no time zone {key!r:.40}") from None


def _zone_of_pytz(key: str, offset: int | None = None, *_: Any) -> tzinfo:
    """A zone of pytz, in force at some moment by its offset in seconds."""
    return _zone(key) if offset is None else timezone(timedelta(seconds=int(offset)))


def _of_items(make: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda items=(), *rest: make(list(items) if isinstance(items, list | tuple | set | dict) else [])


def _mapping(*arguments: Any) -> dict[Any, Any]:
    """An OrderedDict, defaultdict or Counter; what it holds may come later."""
    given = arguments[-1] if arguments else {}
    if isinstance(given, dict):
        return given
    if isinstance(given, list):
        return {hashable(key): value for key, value in given}
    return {}


class Identifier(Shell):
    """A UUID, whose number comes as its state."""

    def __init__(self, *_: Any) -> None:
        self.number: Any = None

    def build(self, state: Any) -> None:
        """Take its number."""
        self.number = state["int"]

    def value(self) -> str:
        """As text."""
        return str(uuid.UUID(int=self.number))


def _path(make: Callable[..., Any]) -> Callable[..., str]:
    return lambda *parts: str(make(*(part for part in parts if isinstance(part, str))))


# -- numpy and pandas


class DType(Shell):
    """A type of numpy, without fields or objects."""

    def __init__(self, code: str, *_: Any) -> None:
        self.type = np.dtype(str(code))
        if self.type.kind not in NUMERIC:
            raise ValueError(f"an array of type {code!r:.20}")

    def build(self, state: Any) -> None:
        """Take the order of its bytes, and the unit of moments."""
        if self.type.kind == "M":
            _, (unit, count, *_rest) = state[8]
            self.type = np.dtype(f"M8[{int(count)}{_bytes_of(unit).decode('ascii')}]")
        if state[1] in ("<", ">"):
            self.type = self.type.newbyteorder(state[1])


def _values(array: np.ndarray) -> Any:
    """Numbers, truth values, texts and moments of an array, in lists as it is nested."""
    finer = array.dtype.kind == "M" and np.datetime_data(array.dtype)[0] in ("ns", "ps", "fs", "as")
    return (array.astype("M8[us]") if finer else array).tolist()


class Array(Shell):
    """An array of numpy, whose content comes as its state."""

    def __init__(self, *_: Any) -> None:
        self.array: np.ndarray = np.empty(0)

    def build(self, state: Any) -> None:
        """Take shape, type, order and bytes."""
        _, shape, kind, fortran, data = state
        self.array = _array(data, kind, shape, "F" if fortran else "C").array

    def value(self) -> Any:
        """What is in it."""
        return _values(self.array)


def _array(data: Any, kind: DType, shape: Sequence[int], order: str = "C") -> Array:
    """What numpy's _frombuffer makes."""
    flat = np.frombuffer(_bytes_of(data), dtype=kind.type)
    made = Array()
    made.array = flat.reshape(tuple(int(length) for length in shape), order="F" if order == "F" else "C")
    return made


def _scalar(kind: DType, data: Any) -> Any:
    (value,) = _values(np.frombuffer(_bytes_of(data), dtype=kind.type))
    return value


def _timestamp(value: int, freq: Any = None, zone: tzinfo | None = None, resolution: int = 10) -> datetime:
    """A Timestamp of pandas, to the microsecond."""
    microseconds = value * NANOSECONDS[resolution] // 1000
    naive = datetime(1970, 1, 1) + timedelta(microseconds=microseconds)
    return naive if zone is None else naive.replace(tzinfo=UTC).astimezone(zone)


NUMPY: dict[str, Callable[..., Any]] = {
    f"numpy.{core}.{name}": make
    for core in ("core", "_core")
    for name, make in (
        ("multiarray.scalar", _scalar), ("multiarray._reconstruct", Array), ("numeric._frombuffer", _array),
    )
}  # fmt: skip
PATHS: dict[str, Callable[..., Any]] = {
    f"pathlib{inner}.{pure}{name}": _path(make)
    for inner in ("", "._local")
    for pure in ("", "Pure")
    for name, make in {"PosixPath": PurePosixPath, "WindowsPath": PureWindowsPath}.items()
}
VALUES: dict[str, Callable[..., Any]] = {
    "_codecs.encode": _bytes_of, "builtins.bytes": _bytes_of, "builtins.bytearray": _bytes_of,
    "builtins.set": _of_items(lambda items: set(map(hashable, items))),
    "builtins.frozenset": _of_items(lambda items: frozenset(map(hashable, items))),
    "collections.OrderedDict": _mapping, "collections.defaultdict": _mapping, "collections.Counter": _mapping,
    "collections.deque": _of_items(list),
    "datetime.date": _of_state(date, 4), "datetime.time": _of_state(time, 6),
    "datetime.datetime": _of_state(datetime, 10), "datetime.timedelta": _delta, "datetime.timezone": _offset,
    "zoneinfo.ZoneInfo._unpickle": _zone, "pytz._UTC": _utc, "pytz._p": _zone_of_pytz,
    "dateutil.tz.tz.tzutc": _utc,
    "decimal.Decimal": lambda text: float(Decimal(str(text))),
    "uuid.UUID": Identifier,
    **PATHS,
    "pandas._libs.tslibs.nattype._nat_unpickle": lambda *_: None,
    "numpy.dtype": DType, "pandas._libs.tslibs.timestamps._unpickle_timestamp": _timestamp,
    **NUMPY,
}  # fmt: skip
CONSTANTS = {"pandas.NA": None, "pandas._libs.missing.NA": None}
# What is a name only: a defaultdict's factory, the class that numpy makes an array of, what has names of its own.
INERT = frozenset(
    {
        "builtins.object", "builtins.list", "builtins.dict", "builtins.int", "builtins.float", "builtins.str",
        "builtins.bool", "builtins.tuple", "builtins.getattr", "numpy.ndarray", "zoneinfo.ZoneInfo",
        "copyreg._reconstructor", "copyreg.__newobj__",
    }
)  # fmt: skip
