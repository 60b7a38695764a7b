"""Title and headings embedded in front of a passage: what the vector is of, what stays as it is, what is remembered."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from searcher import Embedder, Searcher
from searcher.errors import SettingsMismatch
from searcher.records import Document

GUIDE = "# Boilers\n\nAll of them.\n\n## Install\n\nTurn the water off.\n\n## Repair\n\nTurn the water off.\n"


@pytest.fixture
def guide(tmp_path: Path) -> Path:
    """A page with a title and two sections of one text."""
    (tmp_path / "guide.md").write_text(GUIDE)
    return tmp_path / "guide.md"


@pytest.fixture
def made(bundled: str, tmp_path: Path) -> Callable[..., Searcher]:
    """What makes an index of short passages with the real model."""
    return lambda name="index", **settings: Searcher(
        tmp_path / name, bundled, chunk_tokens=12, dtype="fp32", **settings
    )


def vectors(index: Searcher) -> dict[tuple[str, str | None], np.ndarray]:
    """(text, section) → vector of every passage."""
    hits = index.search("boilers", 100, vectors=True)
    return {(hit.text, hit.section): np.asarray(hit.vector) for hit in hits}


def plain(text: str, model: str) -> np.ndarray:
    """The vector of a text alone."""
    return Embedder(model, dtype="fp32").embed([text])[0]


def test_the_vector_of_a_passage_is_that_of_its_headings_and_its_text(
    made: Callable[..., Searcher], guide: Path, bundled: str
) -> None:
    with made() as index:
        index.add([guide])
        found = vectors(index)
    section = "Boilers > Repair"
    (text,) = [text for text, own in found if own == section]
    expected = plain(f"Boilers > Repair: {text}", bundled)
    assert found[text, section] == pytest.approx(expected, abs=1e-5)
    assert text == "## Repair\n\nTurn the water off."


def test_a_title_with_which_a_passage_begins_is_not_said_twice(
    made: Callable[..., Searcher], guide: Path, bundled: str
) -> None:
    with made() as index:
        index.add([guide])
        found = vectors(index)
    text = "# Boilers\n\nAll of them."
    assert found[text, "Boilers"] == pytest.approx(plain(text, bundled), abs=1e-5)


def test_without_it_a_vector_is_that_of_the_text_alone_and_texts_and_offsets_are_the_same(
    made: Callable[..., Searcher], guide: Path, bundled: str
) -> None:
    with made("with") as one, made("without", context=False) as other:
        spans = []
        for index in (one, other):
            index.add([guide])
            spans.append(sorted((hit.start, hit.end, hit.line, hit.text) for hit in index.search("water", 100)))
        found = vectors(other)
    assert spans[0] == spans[1]
    for (text, _), vector in found.items():
        assert vector == pytest.approx(plain(text, bundled), abs=1e-5)


def test_an_index_remembers_it_and_is_not_opened_with_the_other(made: Callable[..., Searcher], guide: Path) -> None:
    with made(context=False) as index:
        index.add([guide])
        plainly = index.settings.fingerprint
    with made() as index:
        assert index.settings.context is False
        assert index.status()["context"] is False
    with pytest.raises(SettingsMismatch, match="context"), made(context=True) as index:
        index.add([guide])
    with made("other", context=True) as index:
        index.add([guide])
        assert index.settings.fingerprint != plainly


def test_embedding_again_can_leave_it_out_and_bring_it_back(made: Callable[..., Searcher], guide: Path) -> None:
    with made() as index:
        index.add([guide])
        before = vectors(index)
        index.reindex(context=False)
        without = vectors(index)
        index.reindex(context=True)
        after = vectors(index)
    key = ("## Repair\n\nTurn the water off.", "Boilers > Repair")
    assert before.keys() == without.keys() == after.keys()
    assert without[key] @ before[key] < 0.99
    assert after[key] == pytest.approx(before[key], abs=1e-6)


def test_a_passage_is_embedded_again_only_where_its_headings_change_too(
    made: Callable[..., Searcher], guide: Path
) -> None:
    with made() as index:
        assert index.add([guide]).embedded == 3
        guide.write_text(GUIDE + "\n## Sell\n\nAsk for cash.\n")
        assert index.add([guide]).embedded == 1
        guide.write_text(GUIDE.replace("# Boilers", "# Kettles", 1))
        assert index.add([guide]).embedded == 3


def test_headings_take_no_more_than_the_window_leaves(bundled: str, tmp_path: Path) -> None:
    text = "river " * 600
    document = Document("a.txt", text, title="bank " * 100, sections=((0, "money " * 100),))
    with Searcher(tmp_path / "index", bundled, chunk_tokens=512, dtype="fp32") as index:
        report = index.add_documents([document])
        full, rest = sorted(index.search("river", 9, vectors=True), key=lambda hit: hit.start)
    assert (report.passages, report.failed) == (2, [])
    assert full.vector == pytest.approx(plain_512(full.text, bundled), abs=1e-5)
    expected = plain_512("bank " * 48 + rest.text, bundled)
    assert rest.vector == pytest.approx(expected, abs=1e-5)


def plain_512(text: str, model: str) -> np.ndarray:
    """The vector of a text of up to the window's tokens."""
    return Embedder(model, dtype="fp32", max_seq_length=512).embed([text])[0]
