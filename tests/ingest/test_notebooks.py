"""In a notebook hits are tables and an `add` shows how far it is; at a prompt both are a readable line."""

import io
import re
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lxml import html

import searcher.ingest.ingest
from searcher import Document, Highlight, Passage, Searcher
from searcher.errors import Interrupted
from searcher.ingest import progress
from searcher.ingest.batches import Batch
from searcher.ingest.pipeline import Pipeline
from searcher.records import Hits


def passage(text: str, **others: Any) -> Passage:
    fields = {"rank": 1, "score": 0.61249, "id": None, "passage_id": 7, "source": "/docs/boiler.md", "title": None,
              "section": None, "start": 0, "end": len(text), "line": 12, "page": None, "metadata": {}}  # fmt: skip
    return Passage(text=text, **fields | others)


def test_a_passage_is_a_line_with_what_tells_it_from_others() -> None:
    hit = passage("Turn the valve\nto the left.", section="Guide > Boiler")
    assert repr(hit) == (
        "Passage(rank=1, score=0.6125, source='/docs/boiler.md', line=12, section='Guide > Boiler', "
        "text='Turn the valve to the left.')"
    )
    assert len(repr(passage("a word " * 5000))) < 250
    assert repr(passage("a word " * 5000)).endswith("…')")
    assert "highlight='Turn it.'" in repr(passage("Off? Turn it.", highlight=Highlight("Turn it.", 5, 13)))
    assert "\x1b" not in repr(passage("\x1b[31mred \u202e turned round"))


def test_a_document_is_a_line_too() -> None:
    assert repr(Document("notes.md", "one\ntwo", title="Notes")) == (
        "Document(source='notes.md', title='Notes', text='one two')"
    )
    assert len(repr(Document("book.txt", "a word " * 100_000))) < 200


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "a < b && c > d", "\"quoted\" & 'so'", "</td></table>"])
def test_nothing_in_a_text_becomes_markup(text: str) -> None:
    hit = passage(text, source=text, title=text, section=text, highlight=Highlight(text, 0, len(text)))
    [table] = html.fragments_fromstring(hit._repr_html_())
    assert [element.tag for element in table.iter()] == ["table", "tr", "td", "td", "td", "b", "br", "br", "td", "mark"]
    assert table.text_content() == f"10.612{text}{text}:12{text}{text}"


def test_the_best_sentence_is_marked_in_its_place_however_long_the_text_is() -> None:
    text = "word " * 300 + "Turn it. " + "word " * 300
    hit = passage(text, start=50, highlight=Highlight("Turn it.", 1550, 1558))
    [table] = html.fragments_fromstring(hit._repr_html_())
    [mark] = table.iter("mark")
    assert mark.text == "Turn it."
    assert len(table.text_content()) < 550
    shown = table.text_content()
    assert "…" in shown[:30] and shown.endswith("…")


def test_a_text_shown_whole_is_shown_whole() -> None:
    assert passage("Turn\n  it.")._repr_html_().count("Turn\n  it.") == 1
    assert "…" not in passage("word " * 80)._repr_html_()


def test_hits_are_a_list_that_shows_itself_as_a_table(tiny_bert: Path, tmp_path: Path) -> None:
    with Searcher(tmp_path / "index", model=tiny_bert) as s:
        s.add_texts(["the river", "the bank", "the boat"], ids=["a", "b", "c"])
        hits = s.search("river", 3)
        together = s.search(["river", "boat"], 2)
        for found in (hits, *together, s.similar("a"), s.search("river", highlight=True)):
            assert isinstance(found, Hits)
            assert found == list(found)
            [table] = html.fragments_fromstring(found._repr_html_())
            assert len(table.findall("tr")) == len(found)
        assert isinstance(hits, Hits)
        assert [len(part) for part in (hits[:2], hits[1:])] == [2, 2]
        assert isinstance(hits[:2], Hits)
        assert hits[-1].rank == 3
        assert Hits()._repr_html_() == "<i>no hits</i>"


class Screen:
    """What a notebook shows, by display id: the newest of each."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.threads: set[str] = set()

    def display(self, thing: Any, display_id: bool) -> "Screen":
        assert display_id
        self.update(thing)
        return self

    def update(self, thing: Any) -> None:
        self.threads.add(threading.current_thread().name)
        self.shown.append(thing._repr_html_())


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """A notebook's, which shows every event at once."""
    screen = Screen()
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=screen.display))  # type: ignore[arg-type]
    monkeypatch.setattr(progress, "PATIENCE", 0)
    monkeypatch.setattr(progress, "EVERY", 0)
    return screen


def test_an_add_in_a_notebook_shows_how_far_it_is(screen: Screen, tiny_bert: Path, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text(f"the river {number}")
    with Searcher(tmp_path / "index", model=tiny_bert) as s:
        s.add([tmp_path / f"{number}.txt" for number in range(3)])
        assert (
            screen.shown[-1]
            == '<progress value="1.000"></progress> 3/3 files or documents · 3 passages · done after 0:00'
        )
        screen.shown.clear()
        s.add_texts(["the boat"])
        assert screen.shown[-1] == "1 passage · done after 0:00"
        screen.shown.clear()
        s.reindex(pooling="max")
        assert "4/4" in screen.shown[-1]
        screen.shown.clear()
        s.export(lines := io.BytesIO())
        assert "4/4" in screen.shown[-1]
        screen.shown.clear()
        with Searcher(tmp_path / "copy") as other:
            other.import_(io.BytesIO(lines.getvalue()))
        assert "4/4" in screen.shown[-1]
        screen.shown.clear()
        s.add(tmp_path / "0.txt", progress=lambda event, count: None)  # who gives a function wants no bar
        s.search("river")
        assert screen.shown == []


def test_the_bar_of_one_large_file_moves_and_ctrl_c_leaves_it_as_it_is(
    screen: Screen, tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searcher.ingest.ingest, "BATCH_DOCUMENTS", 20)
    (tmp_path / "rows.csv").write_text("id,text\n" + "".join(f"{n},the river bank {n}\n" for n in range(200)))
    put, calls = Pipeline.put, []

    def pressed(self: Pipeline, batch: Batch) -> None:
        put(self, batch)
        calls.append(1)
        if len(calls) == 6:
            raise KeyboardInterrupt

    monkeypatch.setattr(Pipeline, "put", pressed)
    with Searcher(tmp_path / "index", model=tiny_bert) as s, pytest.raises(Interrupted) as stop:
        s.add(tmp_path / "rows.csv")
    shares = [float(share) for each in screen.shown for share in re.findall('value="([0-9.]+)"', each)]
    assert shares == sorted(shares)
    assert any(0.2 < share < 0.8 for share in shares)
    assert any(each.endswith("stopping when the batch in flight is written") for each in screen.shown)
    kept = stop.value.report.passages
    assert f" 0/1 files or documents · {kept} passages · stopped after 0:0" in screen.shown[-1]


def test_a_quick_add_shows_no_bar(
    screen: Screen, tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 1000)
    with Searcher(tmp_path / "index", model=tiny_bert) as s:
        s.add_texts(["the boat"])
    assert screen.shown == []


@pytest.mark.parametrize("shell", [None, SimpleNamespace()], ids=["python", "terminal"])
def test_ipython_at_a_terminal_shows_no_bar(
    shell: Any, screen: Screen, tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))  # type: ignore[arg-type]
    with Searcher(tmp_path / "index", model=tiny_bert) as s:
        s.add_texts(["the boat"])
    assert screen.shown == []
