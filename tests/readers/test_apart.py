"""The process that reads strangers' files: whatever a reader does there is that file's failure alone."""

import io
import os
import re
import signal
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from searcher.errors import UnreadableFile
from searcher.readers import child, steps
from searcher.readers.apart import in_child
from searcher.readers.raw import Raw, ReadOptions, Unsupported
from searcher.records import Document, Failure, Note

READERS = """
    import ctypes, os, socket, subprocess, sys, time
    from searcher.errors import UnreadableFile
    from searcher.readers.apart import StepLost, more_time, step
    from searcher.readers.raw import Unsupported
    from searcher.records import Document, Failure, Note

    def sound(raw, options):
        yield Document(raw.source, raw.whole().decode(), places=((0, {"page": 1}),), metadata={"process": os.getpid()})

    def crashing(raw, options):
        yield Document(raw.source, "before")
        os.kill(os.getpid(), 11)

    def leaving(raw, options):
        os._exit(3)

    def endless(raw, options):
        yield Document(raw.source, "before")
        while True:
            pass

    def sleeping(raw, options):
        time.sleep(1000)

    def patient(raw, options):
        more_time(20.0)
        begun = time.process_time()
        while time.process_time() < begun + 1.5:
            pass
        yield Document(raw.source, "after a while")

    def greedy(raw, options):
        for _ in range(5):
            more_time(float(raw.whole() or 20))
        yield Document(raw.source, "and more")

    def hungry(raw, options):
        kept = []
        while True:
            kept.append(bytearray(b"x") * 2**24)

    def deep(raw, options):
        def deeper(n):
            return deeper(n + 1) + 1
        yield deeper(0)

    def faulty(raw, options):
        yield Document(raw.source, "before")
        raise KeyError("a\\nlong\\nreason")

    def printing(raw, options):
        print("x" * 100_000)
        sys.stdout.buffer.write(b"\\0" * 1000)
        os.write(1, b"nonsense")
        sys.stdout.flush()
        yield Document(raw.source, "printed")

    def unread(raw, options):
        raise UnreadableFile(raw.source, "it is upside down")

    def foreign(raw, options):
        raise Unsupported(raw.source, "of another planet")

    def calling(raw, options):
        socket.create_connection(("127.0.0.1", 9))

    def starting(raw, options):
        subprocess.run(["true"])

    def writing(raw, options):
        open(raw.whole().decode(), "w")

    def telling(raw, options):
        yield Note(raw.source, "noted")
        yield Failure(raw.source, "failed")
        raw.note("at last")

    def stepping(raw, options):
        # After an item a step for each word of the file, which does what the word says.
        yield Document(raw.source, "first", metadata={"process": os.getpid()})
        said = []
        for key in raw.whole().decode().split():
            word = key.rstrip("1234567890")
            try:
                said += step(key, 0.3 if word == "spin" else 9.0, lambda: DOINGS.get(word, lambda: None)() or [f"{key}:{os.getpid()}"])
            except StepLost as lost:
                said.append(f"({lost})")
        yield Document(raw.source, " ".join(said))
        yield Note(raw.source, "last")

    def refuse():
        raise UnreadableFile("file", "torn")

    def spin():
        while True:
            pass

    def hoard():
        kept = []
        while True:
            kept.append(bytearray(b"x") * 2**24)

    DOINGS = {
        "crash": lambda: os.kill(os.getpid(), 11), "spin": spin, "hoard": hoard, "refuse": refuse, "fail": lambda: 1 / 0,
    }

    def outside(raw, options):
        step("a", 0.1, lambda: 1)
        os._exit(3)

    def odd(raw, options):
        yield Document(raw.source, "sound")
        yield Document(raw.source, "not storable", metadata={"x": float("nan")})
        yield Document(raw.source, "lone \\ud800", title="too \\udfff")
"""


@pytest.fixture(autouse=True)
def strange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "strange.py").write_text(textwrap.dedent(READERS), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    child._end_all()


def asked(reader: str, data: bytes = b"words") -> list[Document | Failure]:
    return [*in_child(f"strange:{reader}", Raw("file", io.BytesIO(data), len(data)), ReadOptions())]


def told(reader: str, data: bytes = b"") -> str:
    """Why a file failed; the next one is read all the same."""
    with pytest.raises(UnreadableFile) as fault:
        asked(reader, data)
    assert [item.text for item in asked("sound")] == ["words"]
    assert fault.value.source == "file" and "\n" not in fault.value.reason
    return fault.value.reason


def test_one_process_reads_file_after_file() -> None:
    first, second = asked("sound"), asked("sound", "größer".encode())
    assert first[0].metadata == second[0].metadata != {"process": os.getpid()}
    assert second[0].text == "größer" and second[0].places == ((0, {"page": 1}),)


def test_a_file_that_cannot_be_read_costs_no_process() -> None:
    [before] = asked("sound")
    for reader in ("unread", "faulty", "deep", "calling"):
        with pytest.raises(UnreadableFile):
            asked(reader)
    assert asked("sound") == [before]


def test_a_file_is_read_by_its_name_and_nothing_of_it_is_sent(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"of a file")
    with file.open("rb") as stream:
        [item] = in_child("strange:sound", Raw("file", stream, 9), ReadOptions())
    assert item.text == "of a file"


def test_a_crash_is_that_files_failure() -> None:
    assert told("crashing") == "its reader crashed (SIGSEGV)"
    assert told("leaving") == "its reader crashed (exit status 3)"


def test_what_came_before_a_crash_was_given() -> None:
    items = in_child("strange:crashing", Raw("file", io.BytesIO(b""), 0), ReadOptions())
    assert next(items).text == "before"
    with pytest.raises(UnreadableFile):
        next(items)


@pytest.mark.parametrize("reader", ["endless", "sleeping"])
def test_what_takes_too_long_is_given_up(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked("sound")  # started before its time is short
    monkeypatch.setattr(child, "SECONDS", 0.3)
    with pytest.raises(UnreadableFile, match="it takes too long to read; it was given up"):
        asked(reader)
    monkeypatch.setattr(child, "SECONDS", 30)
    assert [item.text for item in asked("sound")] == ["words"]


def test_a_reader_that_asks_for_time_has_it_for_what_comes_next(monkeypatch: pytest.MonkeyPatch) -> None:
    asked("sound")
    monkeypatch.setattr(child, "SECONDS", 0.1)
    assert [item.text for item in asked("patient")] == ["after a while"]


def test_nobody_has_time_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [item.text for item in asked("greedy", b"")] == ["and more"]
    assert told("greedy", b"61") == "it takes too long to read; it was given up"
    monkeypatch.setattr(child, "MOST_EXTENDED", 4)
    assert told("greedy", b"20") == "it takes too long to read; it was given up"


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("crash", "its reader crashed (SIGSEGV)"),
        ("spin", "it takes too long to read; it was given up"),
        ("hoard", "it needs more than 512 MiB of memory to be read"),
        ("fail", "its reader failed (ZeroDivisionError: division by zero)"),
        ("refuse", "torn"),
    ],
)
def test_a_step_that_fails_is_lost_alone_and_no_other_is_taken_twice(what: str, why: str) -> None:
    first, second, note = asked("stepping", f"a {what} b a {what}".encode())
    assert (first.text, note) == ("first", Note("file", "last"))
    a, lost, b, again, lost_again = re.findall(r"\(.*?\)\)?|\S+", second.text)
    assert a == again == f"a:{first.metadata['process']}"
    assert lost == lost_again == f"({why})"
    assert (b.partition(":")[2] == a.partition(":")[2]) is (what == "refuse")
    assert [item.text for item in asked("sound")] == ["words"]


def test_after_so_many_steps_that_fail_no_other_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "MOST_LOST", 2)
    _, second, _ = asked("stepping", b"a crash1 crash2 b a")
    crashed, never = "(its reader crashed (SIGSEGV))", f"({steps.NO_MORE})"
    assert re.sub(r":\d+", "", second.text) == f"a {crashed} {crashed} {never} a"


def test_a_crash_outside_of_steps_is_the_files_failure() -> None:
    assert told("outside") == "its reader crashed (exit status 3)"


def test_who_takes_items_slowly_costs_a_file_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked("sound")
    monkeypatch.setattr(child, "SECONDS", 0.3)
    items = in_child("strange:faulty", Raw("file", io.BytesIO(b""), 0), ReadOptions())
    next(items)
    threading.Event().wait(0.5)
    with pytest.raises(UnreadableFile, match="KeyError"):
        next(items)


def test_what_needs_too_much_memory_is_given_up() -> None:
    assert told("hungry") == "it needs more than 512 MiB of memory to be read"


def test_a_fault_of_a_reader_is_told_in_one_line() -> None:
    assert told("faulty") == "its reader failed (KeyError: 'a\\nlong\\nreason')"
    assert told("deep") == "its parts are nested too deeply"
    assert told("unread") == "it is upside down"


def test_a_kind_that_nobody_reads_is_no_fault() -> None:
    with pytest.raises(Unsupported, match="of another planet"):
        asked("foreign")


def test_what_a_library_prints_is_no_answer() -> None:
    assert [item.text for item in asked("printing")] == ["printed"]


def test_notes_and_failures_come_as_such_and_notes_of_the_reading_last() -> None:
    assert asked("telling") == [Note("file", "noted"), Failure("file", "failed"), Note("file", "at last")]
    assert [type(item) for item in asked("telling")] == [Note, Failure, Note]


def test_what_cannot_be_stored_is_a_failure_among_the_others() -> None:
    sound, bad, lone = asked("odd")
    assert sound.text == "sound" and bad == Failure("file", "nan is not a number that can be stored")
    assert lone.text == "lone \ud800"  # which the index refuses with its place


def test_a_reader_opens_no_connection_starts_no_program_and_writes_no_file(tmp_path: Path) -> None:
    assert "may not do this: socket." in told("calling")
    assert "may not do this: subprocess.Popen" in told("starting")
    assert "may not do this: open" in told("writing", str(tmp_path / "new").encode())
    assert not (tmp_path / "new").exists()


def test_a_process_that_ended_meanwhile_is_made_anew() -> None:
    [before] = asked("sound")
    os.kill(before.metadata["process"], signal.SIGKILL)
    child._idle[0]._process.wait()
    [after] = asked("sound")
    assert after.metadata != before.metadata


def test_several_threads_read_at_a_time() -> None:
    found: list[str] = []

    def read(number: int) -> None:
        for _ in range(5):
            found.extend(item.text for item in asked("sound", str(number).encode()))

    threads = [threading.Thread(target=read, args=[number]) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(5 * ["0", "1", "2"])
    assert len(child._idle) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without forks")
def test_a_fork_has_a_process_of_its_own() -> None:
    [before] = asked("sound")
    pid = os.fork()
    if pid == 0:
        os._exit(0 if asked("sound")[0].metadata != before.metadata else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert asked("sound")[0].metadata == before.metadata
