"""Scans in a folder: read when OCR is asked for, kept when it is not."""

import io
import os
from pathlib import Path

import pypdfium2
import pytest
from made_pdf import made_pdf, page_of

from searcher import Searcher
from searcher.cli import main
from searcher.records import AddReport, Note

pytest.importorskip("rapidocr", reason="rapidocr is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


def picture(text: str, kind: str, **how: object) -> bytes:
    stream = io.BytesIO()
    page = pypdfium2.PdfDocument(made_pdf([page_of(text)]))[0].render(scale=2).to_pil().convert("L")
    page.crop((100, 60, 1100, 300)).save(stream, kind, **how)
    return stream.getvalue()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A scan, a picture and a text."""
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "scan.pdf").write_bytes(picture("the bank of the river", "PDF"))
    (folder / "photo.png").write_bytes(picture("hello world", "PNG"))
    (folder / "note.txt").write_text("the money")
    for file in folder.iterdir():
        os.utime(file, (1, 1))
    return folder


def counts(report: AddReport) -> tuple[int, int, list[str]]:
    return report.documents, report.unchanged, [Path(item.source).name for item in report.skipped]


def test_scans_are_read_when_asked_for_and_stay_until_they_change(
    tiny_bert: Path, archive: Path, tmp_path: Path
) -> None:
    with Searcher(tmp_path / "index", tiny_bert) as index:
        assert counts(index.add(archive)) == (2, 0, ["photo.png"])
        assert index.document(f"{archive}/scan.pdf").text == ""
        report = index.add(archive, ocr=True)
        assert report.failed == [] and report.skipped == []
        assert Note(f"{archive}/scan.pdf", "page 1 of 1: read by OCR") in report.notes
        for name, text in (
            ("scan.pdf", "the bank of the river"),
            ("photo.png", "hello world"),
            ("note.txt", "the money"),
        ):
            assert index.document(f"{archive}/{name}").text == text
        for ocr in (True, False, False, True):
            assert counts(index.add(archive, ocr=ocr, prune=True)) == (0, 3, [])
        (archive / "photo.png").rename(archive / "other.png")
        assert counts(index.add(archive, prune=True))[0] == 0
        assert index.document(f"{archive}/other.png").text == "hello world"
        (archive / "scan.pdf").write_bytes(made_pdf([page_of("a boat")]))
        index.add(archive)
        assert index.document(f"{archive}/scan.pdf").text == "a boat"


def test_the_command_reads_scans_and_a_folder_can_be_asked_about_them(
    tiny_bert: Path, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (archive / "scan.pdf").unlink()
    asked = ["search", "hello", "--in", str(archive), "-m", str(tiny_bert), "--mode", "keyword", "--jsonl"]
    for command, code in (([*asked, "--ocr"], 0), (asked, 0), (["search", "hello", "--ocr", "-i", str(tmp_path)], 2)):
        with pytest.raises(SystemExit) as stop:
            main(command)
        out, err = capsys.readouterr()
        assert stop.value.code == code, err
        assert ("photo.png" in out) is (code == 0)
    assert "--ocr says how --in reads; give that too." in err
