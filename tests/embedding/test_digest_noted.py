"""The digest of large weights is noted: they are not read through at every opening, and never believed once touched."""

import hashlib
import os
from pathlib import Path

import pytest

from searcher.embedding import folders
from searcher.embedding.folders import decayed, digest_of
from searcher.system import user_folder


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A large file that was written some time ago."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(folders, "SETTLED_SECONDS", -1)
    file = tmp_path / "model.safetensors"
    file.write_bytes(bytes(range(256)) * (folders.LARGE // 256 + 1))
    return file


def notes() -> list[Path]:
    return sorted((user_folder("state") / "verified").glob("*"))


def sha(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_weights_that_nobody_touched_are_read_through_once(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert digest_of((weights,)) == sha(weights)
    monkeypatch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("they were read again"))
    assert digest_of((weights,)) == sha(weights)


def test_weights_that_were_written_to_or_replaced_have_their_own_digest(weights: Path) -> None:
    digest_of((weights,))
    times = weights.stat()
    with weights.open("r+b") as stream:
        stream.seek(1000)
        stream.write(b"changed")
    os.utime(weights, ns=(times.st_atime_ns, times.st_mtime_ns))  # as if nothing had been
    changed = sha(weights)
    assert digest_of((weights,)) == changed
    other = weights.with_name("other")
    other.write_bytes(weights.read_bytes()[::-1])
    other.replace(weights)
    assert digest_of((weights,)) == sha(weights) != changed


@pytest.mark.parametrize("damage", [b"", b"\0" * 120, b"\xff\xfe", None])
def test_a_damaged_note_is_none(weights: Path, damage: bytes | None) -> None:
    expected = digest_of((weights,))
    [note] = notes()
    whole = note.read_bytes()
    for content in [damage] if damage is not None else [whole[:end] for end in range(len(whole))]:
        note.write_bytes(content)
        assert digest_of((weights,)) == expected
        note.write_bytes(whole)


def test_nothing_is_noted_of_weights_written_to_just_now_or_small_ones(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "SETTLED_SECONDS", 60.0)
    assert digest_of((weights,)) == sha(weights) and notes() == []
    monkeypatch.setattr(folders, "SETTLED_SECONDS", -1)
    small = weights.with_name("small")
    small.write_bytes(b"small")
    assert digest_of((small,)) == sha(small) and notes() == []


def test_where_no_note_can_be_kept_the_digest_is_the_same(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (weights.parent / "file").write_text("no folder")
    monkeypatch.setenv("XDG_STATE_HOME", str(weights.parent / "file"))
    assert digest_of((weights,)) == digest_of((weights,)) == sha(weights)


def test_what_decayed_under_its_note_is_told_once_it_is_read_through(weights: Path) -> None:
    assert decayed((weights,)) == []  # of which nothing was noted
    sound = digest_of((weights,))
    assert decayed((weights,)) == []
    [note] = notes()
    note.write_text(note.read_text().replace(sound, "0" * 64))  # as if the file had been another under the same marks
    assert digest_of((weights,)) == "0" * 64
    assert decayed((weights,)) == [weights]
    assert digest_of((weights,)) == sound
