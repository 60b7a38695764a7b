"""What a log of strace says happened did happen, and a power cut leaves all that was synced and any part of the rest."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from replay import Machine
from replay_events import Event, Names, Resize, Sync, Write
from replay_log import STRACE, read_log

PROGRAM = """
import os, sqlite3, subprocess, sys, threading
root = sys.argv[1]
os.mkdir(root + "/folder")
with open(root + "/folder/a", "wb") as file:
    file.write(b"one two three")
    file.seek(4)
    file.write(b"TWO")
with open(root + "/folder/a", "ab") as file:
    file.write(b" four")
os.link(root + "/folder/a", root + "/folder/b")
with open(root + "/c", "w") as file:
    file.write("lost")
with open(root + "/c", "r+") as file:
    file.truncate(2)
os.rename(root + "/c", root + "/d")
with open(root + "/e", "w") as file:
    file.write("replaced")
os.replace(root + "/e", root + "/d")
with open(root + "/d", "w") as file:
    file.write("at last")
descriptor = os.open(root + "/f", os.O_CREAT | os.O_RDWR)
copy = os.dup(descriptor)
os.write(descriptor, b"ab")
os.write(copy, b"cd")
os.writev(descriptor, [b"ef", b"gh"])
os.pwrite(descriptor, b"X", 1)
os.posix_fallocate(descriptor, 0, 20)
if os.fork() == 0:
    os.write(descriptor, b"child")
    os._exit(0)
os.wait()
os.write(descriptor, b"parent")
def thread():
    with open(root + "/g", "wb") as file:
        file.write(b"thread")
threads = [threading.Thread(target=thread)]
threads[0].start()
threads[0].join()
subprocess.run([sys.executable, "-c", f"open({root + '/h'!r}, 'w').write('process')"], check=True)
open(root + "/i", "w").close()
os.unlink(root + "/i")
for journal in ("delete", "wal"):
    connection = sqlite3.connect(root + "/" + journal, isolation_level=None)
    connection.execute("PRAGMA journal_mode = " + journal)
    connection.execute("CREATE TABLE t (x)")
    connection.executemany("INSERT INTO t VALUES (?)", [["x" * 3000]] * 20)
    connection.execute("DELETE FROM t WHERE rowid % 3")
    connection.execute("VACUUM")
    connection.close()
"""


def recorded(program: str, root: Path) -> list[Event]:
    root.mkdir()
    log = root.with_suffix(".log")
    command = [*STRACE, "-o", str(log), sys.executable, "-c", program, str(root)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no strace on this machine")
    if "strace: " in done.stderr:
        pytest.skip("strace may not attach here")
    assert done.returncode == 0, done.stderr
    return read_log(log, root)


def after(*events: Event) -> Machine:
    machine = Machine()
    for event in events:
        machine.take(event)
    return machine


def left(machine: Machine, name: str, count: int = 400) -> set[bytes | None]:
    """All that a power cut may make of a file; None if it may be gone."""
    return {disk.files.get(name) for disk in machine.disks(count, random.Random(0))}


def test_a_recorded_program_left_the_files_that_the_log_says(tmp_path: Path) -> None:
    root = tmp_path.resolve() / "root"
    machine = after(*recorded(PROGRAM, root))
    everything = machine.disk([event for _, event in machine.waiting], "all")
    there = {str(path.relative_to(root)): path.read_bytes() if path.is_file() else None for path in root.rglob("*")}
    assert there["f"] == b"aXcdefghchildparent\0"
    assert everything.files == there


@pytest.mark.parametrize(
    "program",
    [
        "import os, sys; os.symlink('/', sys.argv[1] + '/link')",
        "import os, sys; os.mkdir(sys.argv[1] + '/a'); os.mkdir(sys.argv[1] + '/a/b'); os.rename(sys.argv[1] + '/a/b', sys.argv[1] + '/c')",
        "import mmap, sys; file = open(sys.argv[1] + '/a', 'w+b'); file.write(b'a'); file.flush(); mmap.mmap(file.fileno(), 1)",
    ],
    ids=["a link", "a move between folders", "memory that is a file"],
)  # fmt: skip
def test_what_cannot_be_replayed_is_refused(program: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"not known here|does not see"):
        recorded(program, tmp_path.resolve() / "root")


CREATED = Names(0, (("a", 1),))


def test_what_was_synced_is_on_every_disk() -> None:
    machine = after(CREATED, Write(1, 0, b"x" * 1000), Sync(1, 2), Sync(0, 3), Write(1, 1000, b"y"))
    assert {data[:1000] for data in left(machine, "a") if data is not None} == {b"x" * 1000}
    assert None not in left(machine, "a")


def test_a_file_whose_folder_was_not_synced_may_be_gone() -> None:
    assert left(after(CREATED, Write(1, 0, b"x"), Sync(1, 2)), "a") == {None, b"x"}


def test_a_named_file_that_was_not_synced_may_be_empty_zeroed_or_whole() -> None:
    assert left(after(CREATED, Sync(0, 1), Write(1, 0, b"xy")), "a") == {b"", b"\0\0", b"xy"}


def test_a_write_is_torn_at_the_borders_of_sectors_and_nowhere_else() -> None:
    machine = after(CREATED, Write(1, 0, b"-" * 1100), Sync(1, 2), Sync(0, 3), Write(1, 500, b"x" * 600))
    patterns = {
        tuple(data[start:end] for start, end in [(500, 512), (512, 1024), (1024, 1100)])
        for data in left(machine, "a", 2000)
        if data
    }
    assert all(set(part) in ({ord("-")}, {ord("x")}, {0}) for pattern in patterns for part in pattern)
    assert len(patterns) == 27
    assert {data[:500] for data in left(machine, "a") if data} == {b"-" * 500}


def test_later_writes_may_be_there_without_earlier_ones() -> None:
    machine = after(CREATED, Sync(0, 1), Write(1, 0, b"a"), Write(1, 1, b"b"))
    assert b"\0b" in left(machine, "a")


def test_a_rename_is_there_or_not() -> None:
    first = after(
        CREATED, Write(1, 0, b"old"), Sync(1, 2), Names(0, (("b", 2),)), Write(2, 0, b"new"), Sync(2, 5), Sync(0, 6)
    )
    first.take(Names(0, (("a", 2), ("b", None))))
    disks = {(disk.files.get("a"), disk.files.get("b")) for disk in first.disks(200, random.Random(0))}
    assert disks == {(b"old", b"new"), (b"new", None)}


def test_names_may_be_there_in_any_selection() -> None:
    machine = after(*(Names(0, ((name, number),)) for number, name in enumerate("abc", 1)))
    assert len({frozenset(disk.files) for disk in machine.disks(200, random.Random(0))}) == 8


def test_a_sync_covers_what_came_before_it_began() -> None:
    begun_before_the_write = after(CREATED, Sync(0, 1), Write(1, 0, b"x"), Sync(1, 2))
    assert b"" in left(begun_before_the_write, "a")


def test_a_file_cut_short_may_have_its_old_length() -> None:
    machine = after(CREATED, Sync(0, 1), Write(1, 0, b"long"), Sync(1, 3), Resize(1, 1))
    assert left(machine, "a") == {b"long", b"l"}
