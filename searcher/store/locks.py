"""SQLite's locks as processes share them: how long one waits, who holds one, and what a fork has to wait for."""

import os
import threading
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from searcher.system import number_of, on_fork

__all__ = ["close_before_a_fork", "holder", "keep_from_forking", "let_fork", "patience"]

BUSY_SECONDS = 30.0  # that one waits for another's lock, unless SEARCHER_BUSY_SECONDS says otherwise
# The bytes on which SQLite's locks lie, in the database and in the -shm file of WAL mode (sqlite.org/fileformat2.html)
LOCK_BYTES = {"": range(2**30, 2**30 + 512), "-shm": range(120, 129)}
DOING = {"WRITE": "writing", "READ": "reading"}
LONGEST_COMMAND = 120  # characters of it that an error shows


def patience() -> float:
    """Seconds that one waits for another's lock. BadValue for a SEARCHER_BUSY_SECONDS that is no such number."""
    return number_of("SEARCHER_BUSY_SECONDS", BUSY_SECONDS, 0, 86_400, "seconds")


def holder(path: Path) -> str:
    """Who holds a lock on the database, and what was not done: "pid 42 (searcher add notes) did not finish writing".

    The kernel knows: a lock is gone with its process, so nothing here can be out of date. Where it does not tell
    (/proc/locks is Linux's; a process of another machine or container), it is "another process".
    """
    with suppress(OSError, ValueError):
        for kind, pid in sorted(_locks(path), reverse=True):  # who writes comes before those who read
            who = f"pid {pid} ({_command(pid)})" if pid != os.getpid() else "another connection of this process"
            return f"{who} did not finish {DOING[kind]}"
    return "another process did not finish writing"


def _locks(path: Path) -> list[tuple[str, int]]:
    """("READ" or "WRITE", pid) of each lock on a database that one may have to wait for.

    A line of /proc/locks: "1: POSIX  ADVISORY  WRITE 4242 fe:00:2884268 1073741825 1073741825".
    """
    held = Path("/proc/locks").read_text().splitlines()
    bytes_of = {}
    for suffix, places in LOCK_BYTES.items():
        with suppress(FileNotFoundError):
            status = path.with_name(path.name + suffix).stat()
            device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}"
            bytes_of[f"{device}:{status.st_ino}"] = places
    found = []
    for line in held:
        if "->" not in line:  # one that waits itself
            _, _, _, kind, pid, file, start, _ = line.split()
            # In WAL mode every open connection holds a lock for reading, and none waits for it.
            if int(start) in bytes_of.get(file, ()) and (kind == "WRITE" or len(bytes_of) == 1):
                found.append((kind, int(pid)))
    return found


def _command(pid: int) -> str:
    """The command line of a process, as far as it may be seen and shown."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
    except OSError:
        return "ended since"
    command = "".join(sign if sign.isprintable() else " " for sign in " ".join(words)).strip()
    return command if len(command) <= LONGEST_COMMAND else f"{command[:LONGEST_COMMAND]}…"


# -- forks

# A child of fork inherits SQLite's record of the locks that this process holds, and holds none of them: it would read
# what is being written, or wait for itself. So a fork waits for the transactions of all other threads and closes the
# connections; parent and child open new ones (sqlite.org/howtocorrupt.html, 2.6).
_lock = threading.RLock()  # itself, not by way of the condition, whose leaving Ctrl-C could come before
_quiet = threading.Condition(_lock)
_transactions: set[tuple[int, int]] = set()  # the thread and the database of each
_forks = 0  # that are waiting, or under way


class Closable(Protocol):
    """What has connections."""

    def close(self) -> None:
        """Close them; they are opened again when next used."""


_databases: "weakref.WeakSet[Closable]" = weakref.WeakSet()


def close_before_a_fork(database: Closable) -> None:
    """Have a database closed before every fork."""
    _databases.add(database)


def keep_from_forking(database: Closable) -> None:
    """This thread is in a transaction of a database from now on, which no fork of this process may fall into."""
    own = threading.get_ident()
    with _lock:
        _quiet.wait_for(lambda: not _forks or _is_in_one(own))
        _transactions.add((own, id(database)))


def let_fork(database: Closable) -> None:
    """… and no more."""
    with _lock:
        _transactions.discard((threading.get_ident(), id(database)))
        if not _transactions:
            _quiet.notify_all()


def _is_in_one(thread: int) -> bool:
    return any(own == thread for own, _ in _transactions)


def _before_fork() -> None:
    global _forks
    _quiet.acquire()  # and kept until after the fork
    _forks += 1
    if _quiet.wait_for(lambda: not _transactions, 0 if _is_in_one(threading.get_ident()) else BUSY_SECONDS):
        for database in list(_databases):
            database.close()


def _after_fork() -> None:
    global _forks
    _forks -= 1
    _quiet.notify_all()
    _quiet.release()


def _after_fork_in_child() -> None:
    global _lock, _quiet, _forks
    _lock, _forks = threading.RLock(), 0
    _quiet = threading.Condition(_lock)
    _transactions.intersection_update({each for each in _transactions if each[0] == threading.get_ident()})


on_fork(before=_before_fork, parent=_after_fork, child=_after_fork_in_child)
