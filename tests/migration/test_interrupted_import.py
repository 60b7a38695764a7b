"""Ctrl-C while another tool's store is brought in: what is embedded stays, nothing that waits is embedded at exit."""

import json
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import searcher.ingest.ingest
from searcher import Searcher
from searcher.errors import Interrupted

COUNT = 20


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Texts with vectors of another model, so that each is embedded, in batches of two."""
    monkeypatch.setattr(searcher.ingest.ingest, "BATCH_DOCUMENTS", 2)
    lines = [json.dumps({"id": f"{number:02}", "text": f"text number {number}"}) for number in range(COUNT)]
    (tmp_path / "vectors.jsonl").write_text("\n".join(lines))
    np.save(tmp_path / "vectors.npy", np.eye(COUNT, dtype=np.float32))
    return tmp_path / "vectors.npy"


def ended() -> None:
    """The threads that embed have ended."""
    for thread in threading.enumerate():
        if thread.name.startswith("ingest"):
            thread.join(30)
            assert not thread.is_alive()


def test_ctrl_c_leaves_what_is_embedded_committed_and_the_same_import_goes_on(
    store: Path, tiny_bert: Path, tmp_path: Path
) -> None:
    events: list[str] = []

    def pressed(event: str, count: int) -> None:
        events.append(event)
        if event == "stored" and events.count("stored") == 3:
            raise KeyboardInterrupt

    with Searcher(tmp_path / "index", tiny_bert) as index:
        with pytest.raises(Interrupted, match=r"\d+ documents are in, \d+ passages were added and stay") as stop:
            index.import_from(store, progress=pressed)
        ended()
        kept = index.count()
        assert 6 <= kept <= 10  # those embedded by then, and the batch in flight
        assert stop.value.report.documents == kept
        assert "stop" in events and index.check() == []
        report = index.import_from(store)
        assert (report.documents, report.unchanged, index.count()) == (COUNT - kept, kept, COUNT)


def test_ctrl_c_twice_lets_go_of_what_is_being_embedded(store: Path, tiny_bert: Path, tmp_path: Path) -> None:
    told = Counter[str]()

    def pressed(event: str, count: int) -> None:
        told[event] += 1
        if event == "stop" or (event == "stored" and told[event] == 1):
            raise KeyboardInterrupt

    with Searcher(tmp_path / "index", tiny_bert) as index:
        with pytest.raises(KeyboardInterrupt) as stop:
            index.import_from(store, progress=pressed)
        assert stop.type is KeyboardInterrupt
        ended()
        assert index.count() <= 2
