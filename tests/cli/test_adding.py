"""What `add` prints: the summary last, skipped files counted by kind, and how quickly it gets on."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from searcher import Searcher
from searcher.cli import main
from searcher.ingest import Pace, UnderWay

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(40)


def add(folder: Path, *options: object) -> list[str]:
    """The lines of stdout and stderr as a terminal shows them."""
    command = [sys.executable, "-m", "searcher", "add", *map(str, options)]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout.splitlines()


def test_the_summary_comes_last_and_what_is_skipped_is_counted_by_kind_once(tiny_bert: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "one.txt").write_text("the bank")
    for number in range(30):
        (notes / f"{number}.png").write_bytes(PNG)
    (notes / "scan").write_bytes(PNG)
    (notes / "broken.md").write_bytes(b"\0\1\2\3" * 50)
    for path in notes.iterdir():
        os.utime(path, (1, 1))
    skipped, single, failed, last = add(tmp_path, "notes", "-m", tiny_bert)
    assert skipped.startswith("skipped: 30 .png: a picture is read with --ocr only")
    assert single.startswith("skipped: notes/scan: a binary file")
    assert failed.startswith("failed: notes/broken.md: ")
    assert last.startswith("added 1 document, 1 passage, ")
    assert "31 skipped (--verbose lists them), 1 failed" in last
    time.sleep(2.1)  # until what was written last is no more of this moment
    add(tmp_path, "notes")
    failed, last = add(tmp_path, "notes")
    assert failed.startswith("failed: notes/broken.md: ")
    assert "31 skipped as before (--verbose lists them)" in last
    (notes / "scan").rename(notes / "scan.jpeg")
    skipped, failed, last = add(tmp_path, "notes")
    assert skipped.startswith("skipped: notes/scan.jpeg: ")
    assert "31 skipped, 30 of them as before" in last
    lines = add(tmp_path, "notes", "--verbose")
    assert sum(line.startswith("skipped: ") for line in lines) == 31
    notes.rename(tmp_path / "other")
    lines = add(tmp_path, "other")
    assert "moved: notes → other (1 file, nothing is embedded again)" in lines


def test_many_failures_of_one_kind_are_counted_unless_all_are_wanted(tiny_bert: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    for number in range(9):
        (notes / f"{number}.md").write_bytes(b"\0\1\2\3" * 50)
    assert [line[:15] for line in add(tmp_path, "notes", "-m", tiny_bert)[:-1]] == ["failed: 9 .md: "]
    assert len(add(tmp_path, "notes", "--verbose")) == 10


def test_time_left_is_steady_where_batches_are_not() -> None:
    clock, draw = [0.0], random.Random(1)
    pace = Pace(lambda: clock[0])
    pace.tell("total", 1000)
    pace.tell("work", 1_000_000)
    pace.tell("passage", 1)
    assert pace.left is None
    ends = []
    for _ in range(100):
        clock[0] += 10_000 / 2_500 * draw.uniform(0.5, 2.0)
        pace.tell("token", 10_000)
        pace.tell("stored", 70)
        pace.tell("file", 10)
        if pace.left is not None and pace.share < 0.9:
            ends.append(clock[0] + pace.left)
    assert max(ends) / min(ends) < 2
    assert ends[-1] == pytest.approx(clock[0], rel=0.15)
    assert pace.share == 1
    assert pace.line("files").startswith("1,000/1,000 files · 7,000 passages · ")
    assert pace.line("files").endswith(" · 0:00 left")


def test_where_no_tokens_are_told_files_are_counted() -> None:
    clock = [0.0]
    pace = Pace(lambda: clock[0])
    pace.tell("total", 100)
    pace.tell("passage", 5)
    for _ in range(10):
        clock[0] += 1
        pace.tell("file", 5)
    assert pace.share == 0.5
    assert pace.line("documents") == "50/100 documents · 5 passages · 5 documents/s · 0:10 left"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["search", "zebra", "--mode", "keyword"], "nothing found so far: the first add is under way: 120 of about 900"),
     (["ask", "zebra"], "no answer\nthe first add is under way: 120 of about 900 passages so far"),
     (["search", "bank", "--format", "files"], "bank\n")],
)  # fmt: skip
def test_who_asks_amid_a_first_add_is_told_how_far_it_is(
    tiny_bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    with Searcher(tmp_path / "index", tiny_bert) as index:
        index.add_texts(["the bank"], ids=["bank"])
        index.engine.look((), UnderWay(True, 12, 90, 120, 900).noted())
        with pytest.raises(SystemExit):
            main([*arguments, "-i", str(tmp_path / "index")])
        out, err = capsys.readouterr()
        assert out.startswith(said)
        if "bank" in arguments:
            assert err == "the first add is under way: 120 of about 900 passages so far\n"
