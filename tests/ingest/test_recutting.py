"""An index whose passages were cut by an older rule: it opens, and what is unchanged is not embedded again."""

from pathlib import Path

import pytest

from searcher import Searcher
from searcher.text import leads

TEXT = (
    "# River\n\n"
    + "the river is near the bank. " * 3
    + "\n\n## Water\n\n"
    + "we keep the account open to the bank. " * 8
)
MORE = "\n\n## Money\n\n" + "one two three. " * 12


def texts(searcher: Searcher) -> list[str]:
    return [hit.text for hit in sorted(searcher.search("water", k=50), key=lambda hit: hit.passage_id)]


def test_only_a_changed_document_is_cut_by_the_new_rule(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.md"
    file.write_text(TEXT)
    with monkeypatch.context() as older:
        older.setattr(leads, "headings", lambda text, sections: ((start, start) for start, _ in sections))
        with Searcher(tmp_path / "index", tiny_bert, chunk_tokens=64) as searcher:
            searcher.add(file)
            before = texts(searcher)
    assert any(text.endswith("## Water") for text in before)
    with Searcher(tmp_path / "index") as searcher:
        report = searcher.add(file)
        assert (report.unchanged, report.embedded) == (1, 0)
        assert texts(searcher) == before
        file.write_text(TEXT + MORE)
        report = searcher.add(file)
        after = texts(searcher)
        assert not any(text.endswith(("## Water", "## Money")) for text in after)
        assert report.embedded == len(set(after) - set(before)) < len(after)
        assert searcher.check() == []
