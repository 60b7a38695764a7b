"""Files and folders → an ingest: what changed is read, and what is there no more is removed when asked."""

import glob
import hashlib
import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from searcher.errors import BadValue, UnreadableFile
from searcher.ingest.ingest import Ingest
from searcher.readers import FAQ_READERS, Found, ReadOptions, Unsupported, belonging, find_files, read
from searcher.records import Failure, Skipped
from searcher.system import absolute, spelled

__all__ = ["add_files", "expanded"]

READING = 2  # raised when the readers make other documents of a file, which is then read again


def add_files(ingest: Ingest, paths: Sequence[Path], options: ReadOptions, prune: bool = False) -> None:
    """Everything in files and folders; prune: remove what came from there and is there no more."""
    found = list(find_files(paths))
    ingest.progress("total", len(found))
    seen: set[str] = set()
    for item in found:
        if isinstance(item, Failure):
            there = os.path.lexists(item.source)
            if there:  # a folder that cannot be read now: what came from there is not gone
                seen.update(ingest.files_under(item.source))
            if isinstance(item, Skipped):
                ingest.report.skipped.append(item)
            elif there or not prune:
                ingest.report.failed.append(item)
        else:
            seen.add(absolute(item.path))
            _add_file(ingest, item, options, prune)
        ingest.progress("file", 1)
    if prune:
        for path in {file for root in paths for file in ingest.files_under(absolute(root))} - seen:
            ingest.forget(path)


def _add_file(ingest: Ingest, found: Found, options: ReadOptions, prune: bool) -> None:
    path = absolute(found.path)
    if options.faq is None and found.path.suffix.lower() in FAQ_READERS:
        options = replace(options, faq=ingest.faq_of(path))  # what is a FAQ once stays one
    try:
        digest = _file_digest(found.path, options)
        if not ingest.is_unchanged(path, digest):
            ingest.documents(read(found.path, options), path, digest, prune)
    except Unsupported as fault:
        if found.explicit:
            ingest.report.failed.append(Failure(path, fault.reason))
        else:
            ingest.report.skipped.append(Skipped(path, fault.reason))
    except UnreadableFile as fault:
        ingest.report.failed.append(Failure(path, fault.reason))
    except OSError as fault:
        ingest.report.failed.append(Failure(path, fault.strerror or str(fault)))


def _file_digest(path: Path, options: ReadOptions) -> bytes:
    """Stands for what is in a file and how it is read, by the caller's options and by the readers."""
    digest = hashlib.blake2b(digest_size=16)
    for file in belonging(path):
        with file.open("rb") as stream:
            hashlib.file_digest(stream, lambda: digest)
    given = asdict(options) | {"column_types": sorted(options.column_types.items())}
    digest.update(repr((READING, sorted(given.items()))).encode())
    return digest.digest()


def expanded(paths: Sequence[str | Path]) -> list[Path]:
    """Globs that the shell did not expand, and "~"."""
    files: list[Path] = []
    for path in paths:
        if not str(path):  # which to the system is the current folder
            raise BadValue("a path is empty; good: a file, a folder or a glob")
        plain = Path(spelled(Path(path).expanduser()))
        matches = [] if plain.exists() else sorted(glob.glob(str(plain), recursive=True))  # noqa: PTH207 - ** and absolute
        files += [Path(match) for match in matches] or [plain]
    return files
