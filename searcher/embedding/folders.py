"""What lies in a model's folder: JSON files of the kind that they should be, and weight files."""

import hashlib
import json
import os
import time
from io import BufferedReader
from pathlib import Path
from typing import Any

from searcher.errors import ModelError
from searcher.system import note, noted

__all__ = ["decayed", "digest_of", "read_list", "read_settings", "weight_files"]

LARGE = 16 << 20  # bytes; a smaller file is read through in no time
SETTLED_SECONDS = 2.0  # after which whoever writes to a file gives it another time, on every file system

SHARDS = {"model.safetensors": "model-*.safetensors", "pytorch_model.bin": "pytorch_model-*.bin"}


def read_settings(file: Path) -> dict[str, Any] | None:
    """The object that a JSON file holds, None if there is no such file. ModelError for anything else."""
    return _read(file, dict, "an object")


def read_list(file: Path) -> list[dict[str, Any]] | None:
    """The list of objects that a JSON file holds, None if there is no such file. ModelError for anything else."""
    found = _read(file, list, "a list")
    if found and not all(isinstance(each, dict) for each in found):
        raise ModelError(f"{file} holds a list of other things than objects")
    return found


def _read(file: Path, kind: type, name: str) -> Any:
    try:
        found = json.loads(file.read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError) as fault:
        raise ModelError(f"{file} cannot be read: {fault or type(fault).__name__}") from None
    if not isinstance(found, kind):
        raise ModelError(f"{file} holds {type(found).__name__}, not {name}")
    return found


def weight_files(folder: Path, torch_weights: bool) -> tuple[Path, ...]:
    """The weight files of a folder in the order of their names; safetensors first, torch's only if they are allowed.

    Raises ModelError that names what there is instead.
    """
    for single, shards in SHARDS.items():
        if single.endswith(".bin") and not torch_weights:
            continue
        if (folder / single).exists():
            return (folder / single,)
        if files := tuple(sorted(folder.glob(shards))):
            return files
    others = sorted(file.name for file in folder.glob("*.bin")) or ["none"]
    allowed = any(file.startswith("pytorch_model") for file in others) and not torch_weights
    advice = "; allow pytorch_model.bin with torch weights" if allowed else ""
    raise ModelError(f"{folder} has no *.safetensors weights (other weights: {', '.join(others)}){advice}")


def digest_of(files: tuple[Path, ...]) -> str:
    """SHA-256 of a file (of the files' digests where there are several), whatever folder it lies in."""
    digests = [_sha256(file) for file in files]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def decayed(files: tuple[Path, ...]) -> list[Path]:
    """Those that are not what was noted of them, though nothing shows that anybody touched them: all are read through.

    What they are now is noted, so that whoever needs what they were is told. OSError for one that cannot be read.
    """
    found = []
    for file in files:
        with file.open("rb") as stream:
            known = noted(file, os.fstat(stream.fileno()))
            digest = _read_through(file, stream)
            if known not in (None, digest):
                found.append(file)
    return found


def _sha256(file: Path) -> str:
    """Of a large file as it was noted, unless it was touched since."""
    with file.open("rb") as stream:
        status = os.fstat(stream.fileno())
        known = noted(file, status) if status.st_size > LARGE else None
        return known or _read_through(file, stream)


def _read_through(file: Path, stream: BufferedReader) -> str:
    """The SHA-256 of a file, which is noted if it is large and was not written to just now."""
    status = os.fstat(stream.fileno())
    digest = hashlib.file_digest(stream, "sha256").hexdigest()
    settled = time.time() - max(status.st_mtime, status.st_ctime) > SETTLED_SECONDS
    if settled and status.st_size > LARGE:
        note(file, status, digest)
    return digest
