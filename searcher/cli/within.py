"""Asking a folder: it has an index of its own in the user's cache, brought up to date before each question."""

import hashlib
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from searcher.cli.config import setting
from searcher.cli.options import given
from searcher.cli.output import progress_bar
from searcher.cli.terminal import dim, echo, name_of
from searcher.errors import BadValue
from searcher.system import private_folder, user_folder

if TYPE_CHECKING:
    from searcher.records import AddReport
    from searcher.search import Searcher

__all__ = ["asked", "index_of", "of_folder"]

OF = "of.txt"  # beside an index: the path that it is of
ELSEWHERE = ("device", "dtype", "torch_weights")  # settings that change no vector's meaning
PLAIN = re.compile(r"[^\w.-]+")
LONGEST = 40  # letters of a folder's name in the name of its index


def of_folder(path: Path, ocr: bool = False, **options: Any) -> "Searcher":
    """The index of a file or of what is under a folder, made or brought up to date now. ocr: as of `Searcher.add`.

    On stderr: a bar while it is made, and in one line what changed and what could not be read.
    """
    from searcher.search import Searcher

    settings = given(options)
    if model := setting("model", settings.get("model")):
        settings["model"] = model
    place = index_of(path, settings)
    private_folder(place)
    if not (place / OF).exists():
        (place / OF).write_bytes(os.fsencode(path.resolve()))  # a name may be of bytes that are no UTF-8
    searcher = Searcher(place, **settings)
    with progress_bar() as progress:
        report = searcher.add([path.resolve()], prune=True, ocr=ocr, progress=progress)
    if not _is_utf8(path.resolve()):
        raise BadValue(f"{name_of(str(path))} has a name that is not UTF-8, and nothing below it can be indexed")
    if line := _changes(report):
        echo(dim(line), err=True)
    return searcher


def _is_utf8(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def index_of(path: Path, settings: dict[str, Any]) -> Path:
    """Where the index of a path is kept: another one for each way of embedding."""
    ways = {name: value for name, value in settings.items() if name not in ELSEWHERE}
    told = json.dumps([str(path.resolve()), ways], sort_keys=True, default=str)
    mark = hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
    name = PLAIN.sub("-", path.resolve().name)[:LONGEST].strip("-.")
    return _home() / "-".join(filter(None, (name, mark)))


def asked() -> list[tuple[str, Path]]:
    """What was asked so far: the path of each file or folder, and the folder of its index."""
    home = _home()
    kept = sorted(home.iterdir()) if home.is_dir() else []
    return [((own / OF).read_bytes().decode(errors="backslashreplace"), own) for own in kept if (own / OF).is_file()]


def _home() -> Path:
    return user_folder("cache") / "folders"


def _changes(report: "AddReport") -> str:
    """What is new, gone and unread, in one line; empty where nothing is."""
    fresh = [item for item in report.skipped if not item.known]
    read = "document read" if report.documents == 1 else "documents read"
    counts = {
        read: report.documents, "moved": len(report.moved), "removed": report.removed, "skipped": len(fresh),
        "not read": len(report.failed),
    }  # fmt: skip
    told = [f"{count:,} {what}" for what, count in counts.items() if count]
    first = next((f"; {name_of(item.source)}: {item.reason}" for item in report.failed), "")
    return ", ".join(told) + first
