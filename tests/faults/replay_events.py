"""What a recorded program did to the files below one folder: the events, and the calls of Linux that make them.

A call that could change a file in a way this does not know is an error, never left out.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

__all__ = ["EFFECTS", "Call", "Event", "Files", "Names", "Opened", "Resize", "Sync", "Write", "as_bytes"]

STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
OPENED = re.compile(r"(\d+)<([^>]*)>")
PATH = re.compile(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:\\x..)*)"')


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes written at an offset of a file."""

    file: int
    at: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Resize:
    """A file cut or made longer."""

    file: int
    size: int


@dataclass(frozen=True, slots=True)
class Names:
    """What one call did to the names in one folder, all at once: name → file, None for a name that is gone."""

    folder: int
    changes: tuple[tuple[str, int | None], ...]
    makes_folder: bool = False


@dataclass(frozen=True, slots=True)
class Sync:
    """A file or a folder was made durable: what happened to it before the event numbered `begun`."""

    file: int
    begun: int


Event = Write | Resize | Names | Sync


@dataclass
class Opened:
    """An open file, shared by the descriptors that were duplicated from one another."""

    file: int
    position: int = 0
    appends: bool = False


@dataclass
class Files:
    """What is known of the files while the log is read. Names are relative to the root, whose own is "."."""

    root: PurePosixPath
    events: list[Event] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=lambda: {".": 0})  # those that are there before are numbered first
    sizes: dict[int, int] = field(default_factory=dict)
    descriptors: dict[str, dict[int, Opened]] = field(default_factory=dict)  # of each process

    def inside(self, path: str) -> str | None:
        """The name of a path below the root."""
        given = PurePosixPath(path)
        if not given.is_absolute():
            raise ValueError(f"{path!r}: the recorded program must name its files by absolute paths")
        return str(given.relative_to(self.root)) if given.is_relative_to(self.root) else None

    def rename(self, changes: Iterable[tuple[str, int | None]], makes_folder: bool = False) -> None:
        """Give and take names in one folder."""
        changes = tuple(changes)
        folders = {self.names[str(PurePosixPath(name).parent)] for name, _ in changes}
        if len(folders) != 1:
            raise ValueError(f"{changes}: a move between folders is not known here")
        for name, file in changes:
            if file is None:
                del self.names[name]
            else:
                self.names[name] = file
        self.events.append(Names(folders.pop(), changes, makes_folder))

    def new(self, name: str, makes_folder: bool = False) -> int:
        """A new empty file or folder."""
        file = len(self.sizes) + 1
        self.sizes[file] = 0
        self.rename([(name, file)], makes_folder)
        return file

    def resize(self, file: int, size: int) -> None:
        """Set the size of a file."""
        if self.sizes[file] != size:
            self.sizes[file] = size
            self.events.append(Resize(file, size))


@dataclass(frozen=True)
class Call:
    """One line of the log: a call that succeeded. begun: how many events there were when it was entered."""

    name: str
    given: str
    result: int
    path: str | None
    begun: int
    opened: dict[int, Opened]

    def strings(self) -> list[bytes]:
        """The strings given to it."""
        if any(cut for _, cut in STRING.findall(self.given)):
            raise ValueError(f"{self.name}: strace did not print all of the data")
        return [as_bytes(text) for text, _ in STRING.findall(self.given)]

    def paths(self) -> list[str]:
        """The paths given to it, those of the *at calls joined to their folder."""
        found = []
        for folder, text in PATH.findall(self.given):
            found.append(str(PurePosixPath(as_bytes(folder).decode()) / as_bytes(text).decode()))
        return found

    def numbers(self) -> list[int]:
        """The plain numbers given to it after the first argument."""
        return [int(part) for part in self.given.split(", ")[1:] if re.fullmatch(r"-?\d+", part)]

    def file(self) -> Opened | None:
        """The open file that its first argument is, if it lies below the root."""
        match = OPENED.match(self.given)
        return self.opened.get(int(match[1])) if match else None


def as_bytes(text: str) -> bytes:
    """What strace printed in hexadecimal."""
    return bytes.fromhex(text.replace("\\x", ""))


# -- what each call does


def _open(files: Files, call: Call) -> None:
    path = call.path or ""
    call.opened.pop(call.result, None)
    if "O_TMPFILE" in call.given:
        raise ValueError("O_TMPFILE is not known here")
    if not path.startswith("/") or (name := files.inside(path)) is None:
        return
    file = files.names.get(name)
    if file is None:
        file = files.new(name)
    elif "O_TRUNC" in call.given or call.name == "creat":
        files.resize(file, 0)
    call.opened[call.result] = Opened(file, appends="O_APPEND" in call.given)


def _close(files: Files, call: Call) -> None:
    if match := OPENED.match(call.given):
        call.opened.pop(int(match[1]), None)


def _duplicate(files: Files, call: Call) -> None:
    if call.name == "fcntl" and "F_DUPFD" not in call.given:
        return
    call.opened.pop(call.result, None)
    if opened := call.file():
        call.opened[call.result] = opened


def _seek(files: Files, call: Call) -> None:
    if opened := call.file():
        opened.position = call.result


def _write(files: Files, call: Call) -> None:
    opened = call.file()
    if opened is None:
        return
    data = b"".join(call.strings())[: call.result]
    if call.name.startswith("p"):
        at = call.numbers()[-1] if call.name != "pwritev2" else call.numbers()[-2]
    else:
        at = files.sizes[opened.file] if opened.appends else opened.position
        opened.position = at + len(data)
    files.sizes[opened.file] = max(files.sizes[opened.file], at + len(data))
    files.events.append(Write(opened.file, at, data))


def _truncate(files: Files, call: Call) -> None:
    if opened := call.file():
        files.resize(opened.file, call.numbers()[-1])


def _allocate(files: Files, call: Call) -> None:
    if opened := call.file():
        mode = call.given.split(", ")[1]
        if mode not in ("0", "FALLOC_FL_KEEP_SIZE"):
            raise ValueError(f"fallocate with {mode} is not known here")
        if mode == "0":
            at, length = call.numbers()[-2:]
            files.resize(opened.file, max(files.sizes[opened.file], at + length))


def _sync(files: Files, call: Call) -> None:
    if opened := call.file():
        files.events.append(Sync(opened.file, call.begun))


def _make_folder(files: Files, call: Call) -> None:
    if (name := files.inside(call.paths()[0])) not in (None, "."):
        files.new(str(name), makes_folder=True)


def _rename(files: Files, call: Call) -> None:
    old, new = (files.inside(path) for path in call.paths())
    if old is None and new is None:
        return
    if old is None or new is None or "RENAME_EXCHANGE" in call.given:
        raise ValueError(f"{call.name}({call.paths()}) is not known here")
    if old != new and files.names[old] != files.names.get(new):
        files.rename([(new, files.names[old]), (old, None)])


def _link(files: Files, call: Call) -> None:
    old, new = (files.inside(path) for path in call.paths())
    if new is not None:
        if old is None:
            raise ValueError(f"{call.name}({call.paths()}) is not known here")
        files.rename([(new, files.names[old])])


def _unlink(files: Files, call: Call) -> None:
    if (name := files.inside(call.paths()[0])) is not None:
        files.rename([(name, None)])


def _map(files: Files, call: Call) -> None:
    match = re.search(r", (\d+)<([^>]*)>, ", call.given)
    if not match or "PROT_WRITE" not in call.given or "MAP_SHARED" not in call.given:
        return
    path = as_bytes(match[2]).decode()
    # SQLite makes the index of its log anew after a crash, whatever is in it.
    if int(match[1]) in call.opened and not path.endswith("-shm"):
        raise ValueError(f"{path} is written through memory, which strace does not see")


def _unknown(files: Files, call: Call) -> None:
    """Calls that are none of ours: an error if they touch one of our files."""
    ours = any(int(number) in call.opened for number, _ in OPENED.findall(call.given))
    if ours or any(path.startswith("/") and files.inside(path) for path in call.paths()):
        raise ValueError(f"{call.name} is not known here")


def _nothing(files: Files, call: Call) -> None:
    """Tasks are followed before."""


UNKNOWN = (
    "truncate",
    "sync",
    "syncfs",
    "symlink",
    "symlinkat",
    "sendfile",
    "copy_file_range",
    "splice",
    "io_uring_enter",
    "io_submit",
)

EFFECTS: dict[str, Callable[[Files, Call], None]] = {
    **dict.fromkeys(UNKNOWN, _unknown),
    **dict.fromkeys(("openat", "open", "creat"), _open),
    **dict.fromkeys(("dup", "dup2", "dup3", "fcntl"), _duplicate),
    **dict.fromkeys(("write", "pwrite64", "writev", "pwritev", "pwritev2"), _write),
    **dict.fromkeys(("fsync", "fdatasync"), _sync),
    **dict.fromkeys(("mkdir", "mkdirat"), _make_folder),
    **dict.fromkeys(("rename", "renameat", "renameat2"), _rename),
    **dict.fromkeys(("link", "linkat"), _link),
    **dict.fromkeys(("unlink", "unlinkat", "rmdir"), _unlink),
    **dict.fromkeys(("clone", "clone3", "fork", "vfork"), _nothing),
    "close": _close, "lseek": _seek, "ftruncate": _truncate, "fallocate": _allocate, "mmap": _map,
}  # fmt: skip
