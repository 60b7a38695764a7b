"""Pickles of strangers, read without running anything: plain values, known values by name, inert records, nothing else.

The opcodes are those of `pickletools`; what they would build is built here, of plain containers. A class or function is
only ever a name: of VALUES ours makes the value, of the records that a caller knows an inert `Record` is made, and any
other name ends the reading. So nothing of a pickle is ever imported, called or given a method of.
"""

import pickletools
from collections.abc import Callable, Collection
from typing import IO, Any

from searcher.errors import UnreadableFile
from searcher.migration.named import CONSTANTS, INERT, VALUES, Name, Shell, hashable

__all__ = ["Record", "read_pickle"]

SHOWN = 80  # characters of a reason
MALFORMED = (
    ArithmeticError, AttributeError, EOFError, IndexError, KeyError, MemoryError, RecursionError, TypeError, ValueError,
)  # fmt: skip
OF_OLD = {"copy_reg": "copyreg", "__builtin__": "builtins"}  # modules as Python 2 and old protocols call them


class Record(Shell):
    """An object of a class that is known by its name alone. name: "module.Class"; state: what it was saved with."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.state: Any = None

    def build(self, state: Any) -> None:
        """Take the state of an object."""
        self.state = state

    @property
    def fields(self) -> dict[Any, Any]:
        """Its attributes; of a pydantic model (1 or 2) its fields."""
        state = self.state[0] if isinstance(self.state, tuple) and self.state else self.state
        if not isinstance(state, dict):
            return {}
        own = state.get("__dict__")
        return own if isinstance(own, dict) else state

    def value(self) -> Any:
        """Its fields."""
        return self.fields


class Refused(Exception):
    """A pickle that asks for more than plain values; the message says what for."""


def read_pickle(stream: IO[bytes], source: str, records: Collection[str] = ()) -> Any:
    """What a pickle holds: plain containers and values, and a `Record` for each object of the classes in `records`.

    records: "module.Class", or ".Class" for a class of that name in any module. What it gives may share parts and hold
    itself: walk it with a limit. Raises UnreadableFile, naming whatever it would have called.
    """
    machine = Machine(records)
    place = 0
    try:
        for opcode, argument, at in pickletools.genops(stream):
            place = at or 0
            if opcode.name == "STOP":
                return machine.result()
            if (step := STEPS.get(opcode.name)) is None:
                raise Refused(f"has {opcode.name}, which means what is outside it")
            step(machine, argument)
    except Refused as fault:
        raise UnreadableFile(source, f"this pickle {fault}; nothing of it was run") from None
    except MALFORMED as fault:
        reason = " ".join(str(fault).split())[:SHOWN]
        raise UnreadableFile(source, f"not a whole pickle: at byte {place}: {reason or type(fault).__name__}") from None
    raise UnreadableFile(source, "not a whole pickle: it does not end")


class Machine:
    """The stack, its marks and the memo of a pickle that is being read."""

    def __init__(self, records: Collection[str]) -> None:
        self.records = frozenset(records)
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def result(self) -> Any:
        """What is left at the end."""
        (value,) = self.stack
        if isinstance(value, Name):
            raise Refused(f"is no value but the name {value}")
        return value

    # -- the stack

    def push(self, value: Any) -> None:
        """Put it on the stack."""
        self.stack.append(value)

    def pop(self) -> Any:
        """The top of the stack, which goes."""
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise ValueError("nothing on its stack")
        return self.stack.pop()

    def top(self) -> Any:
        """The top of the stack, which stays."""
        value = self.pop()
        self.stack.append(value)
        return value

    def last(self, count: int) -> tuple[Any, ...]:
        """So many of the top of the stack, the lowest first; they go."""
        return tuple([self.pop() for _ in range(count)][::-1])

    def mark(self, _: Any = None) -> None:
        """Remember how high the stack is."""
        self.marks.append(len(self.stack))

    def above(self) -> list[Any]:
        """All above the last mark; they go, and the mark."""
        at = self.marks.pop()
        items = self.stack[at:]
        del self.stack[at:]
        return items

    # -- names and what is called

    def name(self, module: Any, name: Any) -> None:
        """Put a name on the stack. Refused unless there is something to make of it."""
        if not isinstance(module, str) or not isinstance(name, str):
            raise ValueError("a name that is no text")
        known = Name(OF_OLD.get(module, module), name)
        if str(known) in CONSTANTS:
            self.push(CONSTANTS[str(known)])
            return
        if str(known) not in VALUES and str(known) not in INERT and not self._is_record(known):
            raise Refused(f"would call {known}")
        self.push(known)

    def _is_record(self, name: Name) -> bool:
        return not self.records.isdisjoint((str(name), f".{name.name}"))

    def call(self, function: Any, arguments: Any) -> None:
        """Put on the stack what stands for a call."""
        if not isinstance(function, Name) or not isinstance(arguments, tuple):
            raise ValueError("a call of what is no name")
        if str(function) in ("copyreg._reconstructor", "copyreg.__newobj__"):  # how an object is made, by old protocols
            self.call(arguments[0], () if function.name == "_reconstructor" else arguments[1:])
        elif str(function) == "builtins.getattr":  # of a class, which makes it one more name
            (owner, name) = arguments
            self.name(owner.module, f"{owner.name}.{name}")
        elif self._is_record(function):
            self.push(Record(str(function)))
        elif str(function) in VALUES:
            self.push(VALUES[str(function)](*arguments))
        else:
            raise Refused(f"would call {function}")


# -- opcodes

Step = Callable[[Machine, Any], None]


def _constant(value: Any) -> Step:
    return lambda machine, _: machine.push(value)


def _fresh(make: Callable[[], Any]) -> Step:
    return lambda machine, _: machine.push(make())


def _of_top(count: int) -> Step:
    return lambda machine, _: machine.push(machine.last(count))


def _of_marked(make: Callable[[list[Any]], Any]) -> Step:
    return lambda machine, _: machine.push(make(machine.above()))


def _value(machine: Machine, argument: Any) -> None:
    machine.push(argument)


def _nothing(machine: Machine, argument: Any) -> None:
    """PROTO and FRAME say how the bytes lie."""


def _put(machine: Machine, argument: Any) -> None:
    machine.memo[argument] = machine.top()


def _memoize(machine: Machine, _: Any) -> None:
    machine.memo[len(machine.memo)] = machine.top()


def _get(machine: Machine, argument: Any) -> None:
    machine.push(machine.memo[argument])


def _pop(machine: Machine, _: Any) -> None:
    if machine.marks and machine.marks[-1] == len(machine.stack):
        machine.marks.pop()
    else:
        machine.pop()


def _forget(machine: Machine, _: Any) -> None:
    machine.above()


def _pairs(items: list[Any]) -> dict[Any, Any]:
    if len(items) % 2:
        raise ValueError("a key without a value")
    return {hashable(key): value for key, value in zip(items[::2], items[1::2], strict=True)}


def _extend(machine: Machine, items: list[Any]) -> None:
    container = machine.top()
    if not isinstance(container, list):
        raise ValueError("items for what is no list")
    container.extend(items)


def _update(machine: Machine, items: list[Any]) -> None:
    container = machine.top()
    if not isinstance(container, dict):
        raise ValueError("pairs for what is no dict")
    container.update(_pairs(items))


def _add_items(machine: Machine, _: Any) -> None:
    items, container = machine.above(), machine.top()
    if not isinstance(container, set):
        raise ValueError("items for what is no set")
    container.update(map(hashable, items))


def _global(machine: Machine, argument: str) -> None:
    machine.name(*argument.split(" ", 1))


def _instance(machine: Machine, argument: str) -> None:
    arguments = tuple(machine.above())
    _global(machine, argument)
    machine.call(machine.pop(), arguments)


def _object(machine: Machine, _: Any) -> None:
    function, *arguments = machine.above()
    machine.call(function, tuple(arguments))


def _new_with_keywords(machine: Machine, _: Any) -> None:
    function, arguments, _keywords = machine.last(3)
    machine.call(function, arguments)


def _build(machine: Machine, _: Any) -> None:
    state, value = machine.pop(), machine.top()
    if not isinstance(value, Shell):
        raise ValueError("a state for what has none")
    value.build(state)


TEXTS = "STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8"
NUMBERS = "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT"
BYTES = "BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8"
STEPS: dict[str, Step] = {
    **dict.fromkeys(f"{TEXTS} {NUMBERS} {BYTES}".split(), _value),
    "PROTO": _nothing, "FRAME": _nothing,
    "NONE": _constant(None), "NEWTRUE": _constant(True), "NEWFALSE": _constant(False),
    "MARK": Machine.mark, "POP": _pop, "POP_MARK": _forget,
    "DUP": lambda machine, _: machine.push(machine.top()),
    "EMPTY_LIST": _fresh(list), "EMPTY_DICT": _fresh(dict), "EMPTY_SET": _fresh(set), "EMPTY_TUPLE": _constant(()),
    "TUPLE1": _of_top(1), "TUPLE2": _of_top(2), "TUPLE3": _of_top(3),
    "TUPLE": _of_marked(tuple), "LIST": _of_marked(list), "DICT": _of_marked(_pairs),
    "FROZENSET": _of_marked(lambda items: frozenset(map(hashable, items))),
    "APPEND": lambda machine, _: _extend(machine, list(machine.last(1))),
    "APPENDS": lambda machine, _: _extend(machine, machine.above()),
    "SETITEM": lambda machine, _: _update(machine, list(machine.last(2))),
    "SETITEMS": lambda machine, _: _update(machine, machine.above()),
    "ADDITEMS": _add_items,
    "PUT": _put, "BINPUT": _put, "LONG_BINPUT": _put, "MEMOIZE": _memoize,
    "GET": _get, "BINGET": _get, "LONG_BINGET": _get,
    "GLOBAL": _global, "STACK_GLOBAL": lambda machine, _: machine.name(*machine.last(2)),
    "REDUCE": lambda machine, _: machine.call(*machine.last(2)),
    "NEWOBJ": lambda machine, _: machine.call(*machine.last(2)), "NEWOBJ_EX": _new_with_keywords,
    "INST": _instance, "OBJ": _object, "BUILD": _build,
}  # fmt: skip
