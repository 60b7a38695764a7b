"""Cache files: the bytes of an index under a stamp and a checksum that only this user's searcher can make.

Layout: FAISS's own format, or that of postings; our stamp as JSON; its length, 8 bytes; the checksum, 16 bytes; MAGIC.
The checksum is BLAKE2b (RFC 7693), keyed with a secret of the user, over the stamp and the XXH3-128 of the index's
bytes: FAISS trusts what it parses, so it is given nothing that came with a stranger's folder.
"""

import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from searcher.system import binary, note, noted, private, renames_over_open_files, sync_folder, user_folder

__all__ = ["VECTORS", "WORDS", "Stamp", "is_of_another_version", "load", "save", "stamp_of"]

MAGIC = b"searcher-cache-2"
WORDS, VECTORS = "postings", "vectors"  # what files hold; for the former the stamp has it in the place of a FAISS type
DIGEST = 16  # bytes of the checksum
KEY = 32  # bytes of the secret
TAIL = 4096  # bytes in which all that follows the index's bytes has room
MAPPED_BYTES = 32 << 20  # a larger file is mapped: no memory of our own, but who cuts it short kills its readers
STALE_SECONDS = 3600  # no cache file takes that long to write
TRUSTED_BYTES = 256 << 20  # a larger file is not read through again while nothing shows that it was touched


@dataclass(frozen=True)
class Stamp:
    """Which state of the store a cache file holds and how: it is used only where all of it fits.

    fingerprint: of the index's settings, or of the way of words. dimension: 0 of words. count: passages. last: the
    greatest id. type: of the FAISS index, or "postings". error: the greatest distance between a vector and what the
    index has in its place, None if that was not measured.
    """

    generation: int
    nonce: str
    fingerprint: str
    dimension: int
    count: int
    last: int
    type: str
    error: float | None = None

    @property
    def kind(self) -> str:
        """What the file holds: WORDS or VECTORS."""
        return WORDS if self.type == WORDS else VECTORS


def save(path: Path, write: Callable[[Callable[[Any], Any]], float | None], stamp: Stamp) -> Stamp:
    """Write a cache file whole or not at all; OSError where disk, folder or home cannot be written. -> its stamp

    write: calls the function that it is given with the index's bytes, by pieces, and returns the stamp's error; only
    one piece needs to be in memory.
    """
    import xxhash

    _sweep(path)
    key, content = _key(create=True), xxhash.xxh3_128()
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with os.fdopen(private(temporary), "wb") as stream:

            def take(piece: Any) -> None:
                content.update(piece)
                stream.write(piece)

            stamp = replace(stamp, error=write(take))
            tail = _tail(stamp)
            stream.write(tail + _digest(content.digest(), tail, key) + MAGIC)
            stream.flush()
            os.fsync(stream.fileno())
            written = os.fstat(stream.fileno())
        temporary.replace(path)  # when it is closed, for Windows' sake
        named = path.stat()
        ours = (named.st_ino, named.st_mtime_ns) == (written.st_ino, written.st_mtime_ns)  # not another process's
        if ours and named.st_size > TRUSTED_BYTES:
            note(path, named)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)
    return stamp


def _sweep(path: Path) -> None:
    """Delete what writers that were killed left behind."""
    for draft in path.parent.glob(f"{path.name}.*.tmp"):
        with suppress(FileNotFoundError):  # another process was quicker
            if time.time() - draft.stat().st_mtime > STALE_SECONDS:
                draft.unlink()


def stamp_of(path: Path) -> Stamp | None:
    """What a cache file says that it holds, None if there is none; nothing is verified."""
    try:
        with binary(path) as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - TAIL))
            return _split(stream.read())[0]
    except OSError:
        return None


def is_of_another_version(path: Path) -> bool:
    """Whether an older searcher, or a newer one, made the file, as far as its last bytes tell."""
    try:
        with binary(path) as stream:
            stream.seek(-len(MAGIC), os.SEEK_END)
            end = stream.read()
            return end != MAGIC and re.fullmatch(rb"searcher-cache-\d", end) is not None
    except OSError:
        return False


def load(path: Path, stamp: Stamp) -> np.ndarray | None:
    """The index's bytes in a cache file of that stamp, (n,) uint8, mapped if they are many; None if it is not sound."""
    import xxhash

    try:
        with binary(path) as stream:
            marks = os.fstat(stream.fileno())
            mapped = marks.st_size > MAPPED_BYTES and renames_over_open_files()
            data = np.memmap(stream, np.uint8, "r") if mapped else np.frombuffer(stream.read(), np.uint8)
        found, size = _split(data[-TAIL:].tobytes())
        if found != stamp:
            return None
        body, tail = data[: len(data) - size], data[len(data) - size : -DIGEST - len(MAGIC)].tobytes()
        large = marks.st_size > TRUSTED_BYTES
        if not large or noted(path, marks) is None:
            given = data[-DIGEST - len(MAGIC) : -len(MAGIC)].tobytes()
            if not secrets.compare_digest(given, _digest(xxhash.xxh3_128(body.data).digest(), tail, _key())):
                return None
            if large:
                note(path, marks)
    except (OSError, ValueError):  # ValueError: nothing to map
        return None
    return body


def _tail(stamp: Stamp) -> bytes:
    note = json.dumps(asdict(stamp)).encode()
    return note + len(note).to_bytes(8, "little")


def _split(end: bytes) -> tuple[Stamp | None, int]:
    """The stamp at the end of a cache file, and how many bytes follow the index's; (None, 0) if there is none."""
    last = len(end) - len(MAGIC) - DIGEST
    size = int.from_bytes(end[max(0, last - 8) : last], "little") if last >= 8 else 0
    if not 0 < size <= last - 8 or not end.endswith(MAGIC):
        return None, 0
    try:
        return Stamp(**json.loads(end[last - 8 - size : last - 8])), len(end) - (last - 8 - size)
    except (TypeError, ValueError):
        return None, 0


def _digest(content: bytes, tail: bytes, key: bytes) -> bytes:
    return hashlib.blake2b(content + tail, digest_size=DIGEST, key=key).digest()


# -- the user's own folder: the secret


def _key(create: bool = False) -> bytes:
    """The user's secret, 32 bytes; made if there is none. OSError where there is none and it cannot be kept."""
    path = user_folder("state") / "key"
    if create and not (path.exists() and path.stat().st_size == KEY):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"key.{secrets.token_hex(4)}.tmp")
        with os.fdopen(private(draft), "wb") as stream:
            stream.write(secrets.token_bytes(KEY))
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)  # where two processes made one, the caches of the loser are made again
    key = path.read_bytes()
    if len(key) != KEY:
        raise OSError(f"{path} is damaged")
    return key
