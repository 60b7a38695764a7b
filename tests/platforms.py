"""Other systems, simulated: what each lacks is taken away from this Python, and the core of the product is run.

    python tests/platforms.py darwin|win32|bare FOLDER MODEL

LACKS is the one place that says what each system lacks. What cannot be simulated on Linux, real drive letters and a
real Windows console among them, is not tested by this.
"""

import builtins
import importlib.abc
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

PROC = "/proc"
real_open, real_listdir, real_readlink = builtins.open, os.listdir, os.readlink


class Lacks(NamedTuple):
    """platform: sys.platform. names: of the module os. modules: that cannot be imported. proc: whether /proc is gone.

    strict: files that are open or mapped cannot be replaced, renamed or removed, folders cannot be opened, rights of
    files mean nothing.
    """

    platform: str
    names: tuple[str, ...]
    modules: tuple[str, ...] = ()
    proc: bool = True
    strict: bool = False


AFFINITY = ("sched_getaffinity", "sched_setaffinity")
LACKS = {
    "darwin": Lacks("darwin", AFFINITY),
    "win32": Lacks(
        "win32",
        (*AFFINITY, "register_at_fork", "fork", "O_CLOEXEC", "O_NONBLOCK", "geteuid", "getuid", "major", "minor",
         "fchmod", "mkfifo", "statvfs"),
        ("fcntl", "resource", "pwd", "grp", "termios"), strict=True,
    ),
    # A Unix with the least there is: no hard links, no forks, no /proc.
    "bare": Lacks("sunos5", (*AFFINITY, "register_at_fork", "fork", "link", "O_NONBLOCK")),
}  # fmt: skip


class Missing(importlib.abc.MetaPathFinder):
    """Modules that this system does not have."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def find_spec(self, name: str, path: Any, target: Any = None) -> None:
        if name in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def hide(lacks: Lacks) -> None:
    """Take away what the system lacks; call when all that is not ours has been imported."""
    sys.platform = lacks.platform
    for name in lacks.names:
        if hasattr(os, name):
            delattr(os, name)
    for name in lacks.modules:
        sys.modules.pop(name, None)
    sys.meta_path.insert(0, Missing(lacks.modules))
    if lacks.proc:
        builtins.open = io.open = guarded(io.open, no_proc)
        os.open, os.stat, os.listdir = (guarded(call, no_proc) for call in (os.open, os.stat, os.listdir))
    if lacks.strict:
        os.open = guarded(os.open, no_folder)
        os.unlink = os.remove = guarded(os.unlink, not_open)
        os.replace, os.rename = (guarded(call, not_open) for call in (os.replace, os.rename))
        os.chmod = lambda *_, **__: None


def guarded(call: Callable[..., Any], check: Callable[..., None]) -> Callable[..., Any]:
    """The call, after a look at its paths."""

    def checked(*arguments: Any, **options: Any) -> Any:
        check(*(argument for argument in arguments if isinstance(argument, str | os.PathLike)))
        return call(*arguments, **options)

    return checked


def no_proc(*paths: Any) -> None:
    for path in paths:
        if os.fspath(path).startswith(PROC):
            raise FileNotFoundError(2, "No such file or directory", str(path))


def no_folder(*paths: Any) -> None:
    for path in paths:
        if Path(path).is_dir():
            raise PermissionError(13, "Permission denied", str(path))


def not_open(*paths: Any) -> None:
    """As Windows: a file that some handle or view of this process keeps open stays as it is."""
    held = set()
    for descriptor in real_listdir("/proc/self/fd"):
        try:
            held.add(real_readlink(f"/proc/self/fd/{descriptor}"))
        except OSError:
            continue
    with real_open("/proc/self/maps") as lines:
        held |= {line.split(None, 5)[5].strip() for line in lines if line.count("/")}
    for path in paths:
        if os.path.realpath(path) in held:
            raise PermissionError(13, "The process cannot access the file", str(path))


def core(folder: Path, model: str) -> dict[str, Any]:
    """Add, search, remove, update, reindex, check, export, repair; and another process that writes meanwhile."""
    from searcher import Searcher
    from searcher.vectors import cachefile

    notes, index = folder / "notes", folder / "index"
    notes.mkdir()
    for number, word in enumerate("river bank money boat water".split()):
        (notes / f"{word}.md").write_text(f"# {word}\n\nThe {word} is near us {number}.\n", encoding="utf-8")
    seen: dict[str, Any] = {}
    with Searcher(index, model=model) as s:
        report = s.add(notes)
        seen["added"] = [report.documents, len(report.failed), s.add(notes).unchanged]
        seen["sources"] = [Path(row["source"]).relative_to(notes).as_posix() for row in s.listing()]
        seen["best"] = s.search("river", 1)[0].text
        seen["words"] = [hit.text for hit in s.search("money", 1, mode="keyword")]
        (notes / "boat.md").write_text("# boat\n\nThe boat is gone.\n", encoding="utf-8")
        (notes / "money.md").unlink()
        changed = s.add(notes, prune=True)
        seen["changed"] = [changed.documents, changed.removed, changed.unchanged]
        other = [sys.executable, __file__, "another", str(index), model]
        done = subprocess.run(other, capture_output=True, text=True, check=False)
        seen["other process"] = done.stdout.strip() or done.stderr[-500:]
        seen["seen after it"] = s.search("hello world", 1)[0].id
        seen["removed"] = s.remove(notes / "bank.md")
        s.reindex(index_type="sq8")
        s.reindex(pooling="cls")
        seen["pooling"] = s.settings.pooling
        seen["file"] = cachefile.stamp_of(index / "vectors.faiss") is not None
        with (folder / "export.jsonl").open("wb") as stream:
            seen["exported"] = s.export(stream).documents
        seen["check"] = s.check()
        seen["compact"] = s.compact() >= 0
    damage(index / "searcher.db")
    with Searcher(index, model=model) as s:
        repaired = s.repair()
        seen["repaired"] = [len(repaired.findings) > 0, repaired.kept is not None, s.check()]
    return seen


def damage(database: Path) -> None:
    """One row that is not what was written."""
    import sqlite3

    connection = sqlite3.connect(database)
    connection.execute("UPDATE documents SET title = 'other' WHERE id = (SELECT max(id) FROM documents)")
    connection.commit()
    connection.close()


def check_hidden(lacks: Lacks, folder: Path) -> None:
    """That what was taken away is away."""
    assert not any(hasattr(os, name) for name in lacks.names)
    for path in ("/proc/locks", "/proc/self/cmdline"):
        try:
            Path(path).read_bytes()
        except FileNotFoundError:
            continue
        raise AssertionError(f"{path} is there")
    one, two = folder / "one", folder / "two"
    one.write_bytes(b"1")
    with two.open("wb"):
        try:
            one.replace(two)
            assert not lacks.strict
        except PermissionError:
            assert lacks.strict
    two.unlink()
    one.unlink(missing_ok=True)


def main() -> None:
    """Run as a script."""
    system, folder, model = sys.argv[1:]
    # What is not ours looks at the system when it is imported: that is its own affair.
    import click
    import faiss
    import huggingface_hub
    import lxml.html
    import sentencex
    import tokenizers
    import torch
    import tqdm
    import trafilatura
    import transformers
    import xxhash

    assert all((click, faiss, huggingface_hub, lxml.html, sentencex, tokenizers, torch, tqdm, trafilatura, xxhash))
    assert transformers.AutoModel
    if system == "another":
        from searcher import Searcher

        with Searcher(folder, model=model) as s:
            s.add_texts(["hello world"], ids=["hello"])
            sys.stdout.write("written\n")
        return
    hide(LACKS[system])
    check_hidden(LACKS[system], Path(folder))
    from searcher.vectors import cachefile

    cachefile.MAPPED_BYTES = 0  # as a large one is
    sys.stdout.write(json.dumps(core(Path(folder), model)) + "\n")


if __name__ == "__main__":
    main()
