"""Readers that other packages bring, and the list of what is read."""

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from searcher.errors import SearcherError, UnreadableFile
from searcher.readers import Raw, ReadOptions, Unsupported, formats, raw, read, read_text
from searcher.readers.apart import Apart
from searcher.readers.table import READERS, UNSUPPORTED, plugins
from searcher.records import Document

PAGE = (Path(__file__).parents[2] / "docs" / "readers.md").read_text(encoding="utf-8")
[EXAMPLE] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
BROKEN = "def read(raw, options):\n    import os\n    os.abort()\n"


@pytest.fixture
def poems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in which a package with two readers is installed."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "poems.py").write_text(EXAMPLE, encoding="utf-8")
    (folder / "broken.py").write_text(BROKEN, encoding="utf-8")
    info = folder / "poems-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: poems\nVersion: 1.0\n", encoding="utf-8")
    points = "[searcher.readers]\npoem = poems:read_poem\n.MD = broken:read\ngone = nowhere:read\n"
    (info / "entry_points.txt").write_text(points, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    plugins.cache_clear()
    yield tmp_path
    plugins.cache_clear()


def test_a_package_adds_a_reader_as_the_page_about_readers_says(poems: Path) -> None:
    (poems / "a.poem").write_text("The sea\nis grey\n\nThe sky\nis too", encoding="utf-8")
    [document] = read(poems / "a.poem")
    assert isinstance(document, Document)
    assert document.title == "The sea" and document.sections == ((0, "Verse 1"), (17, "Verse 2"))
    assert document.places[1] == (17, {"chapter": "verse 2"})
    assert document.text[17:].startswith("The sky")


def test_a_plugin_comes_before_ours_and_its_crash_is_the_files_failure(poems: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"its reader crashed \(SIGABRT\)"):
        list(read_text(b"# T", "a.md", suffix=".md"))
    with pytest.raises(UnreadableFile, match="No module named 'nowhere'"):
        list(read_text(b"x", "a.gone", suffix=".gone"))


def test_the_list_names_plugins_all_readers_and_what_is_not_read(poems: Path) -> None:
    found = {suffix: each for each in formats() for suffix in each.suffixes}
    assert set(found) == {*READERS, *UNSUPPORTED, ".poem", ".gone"}
    assert found[".poem"].reader == "poems (poems:read_poem)"
    assert found[".md"].reader == "poems (broken:read)"
    assert found[".pdf"].reader == "pypdfium2" and found[".doc"].missing == "not read"
    assert (found[".tiff"].reader, found[".tiff"].option) == ("rapidocr, onnxruntime", "ocr")
    assert {each.option for suffix, each in found.items() if suffix != ".tiff"} == {"", "ocr"}


def test_without_plugins_there_are_none() -> None:
    plugins.cache_clear()
    assert ".poem" not in plugins()


def test_what_is_missing_is_told_with_what_installs_it() -> None:
    reader = Apart("msg:read_msg", ("oxmsg", "no_such_module"))
    assert reader.missing() == ["no_such_module"]
    assert reader.advice == "pip install python-oxmsg no_such_module"

    with pytest.raises(UnreadableFile, match="no_such_module is needed to read it: pip install"):
        list(reader.__call__(*_nothing()))
    assert Apart("code:read_go", ("no_such_module",), "code").advice == "pip install 'searcher[code]'"


def test_what_is_read_only_on_demand_says_how_to_demand_it() -> None:
    picture = Apart("scans:read_picture", ("no_such_module",), "ocr", asked="a picture")
    with pytest.raises(Unsupported) as fault:
        picture(*_nothing())
    assert fault.value.reason == "a picture is read with --ocr only, after pip install 'searcher[ocr]'"
    with pytest.raises(Unsupported) as fault:
        Apart("scans:read_picture", (), "ocr", asked="a picture")(*_nothing())
    assert fault.value.reason == "a picture is read with --ocr only"


def test_ocr_without_what_it_needs_is_refused_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "OCR", ("no_such_module",))
    with pytest.raises(SearcherError) as fault:
        ReadOptions(ocr=True)
    assert str(fault.value) == "OCR needs no_such_module: pip install 'searcher[ocr]'"


def _nothing() -> tuple:
    return Raw("file", io.BytesIO(b""), 0), ReadOptions()
