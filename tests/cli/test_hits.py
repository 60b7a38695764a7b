"""What is shown of hits: the sentence that answers, lines and sections around it, formats for programs, links."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from models import save_bert
from running import Run, one_line

from searcher.cli.terminal import width_of

FILLER = "The garden was green and the sky above it was blue that day. " * 6
LONG = f"# House\n\n{FILLER}\nThe boiler code is 4711 and stands under the lid.\n{FILLER}\n\n## Cellar\n\nWine.\n"
WIDE = "and the green garden by the blue river was wide " * 12


@pytest.fixture
def house(run: Run, index: Path, tiny_bert: Path) -> Path:
    """A long note beside the three short ones."""
    (index.parent / "texts" / "house.md").write_text(LONG, encoding="utf-8")
    assert run("add", "texts").code == 0
    return index


def test_the_preview_shows_the_words_of_the_question_wherever_they_stand(run: Run, house: Path) -> None:
    text = f"{WIDE} the boiler code is 4711 {WIDE}"
    (house.parent / "texts" / "wide.txt").write_text(text, encoding="utf-8")
    run("add", "texts/wide.txt", "-i", "wide", "-m", save_bert(house.parent / "bigger", positions=512))
    out = run("search", "boiler", "code", "4711", "--mode", "keyword", "-k", 1, "-i", "wide").out
    assert "boiler code is 4711" in " ".join(out.split())
    assert "    … " in out
    assert len(out.splitlines()) == 7  # the head, four lines, an empty one, and what the scores are


def test_the_preview_shows_the_sentence_that_answers_in_dense_mode(run: Run, house: Path, bundled: str) -> None:
    sentence = "The boiler code is 4711 and stands under the lid."
    assert run("add", "texts", "-i", "real", "-m", bundled).code == 0
    out = run("search", sentence, "-k", 10, "-i", "real").out
    [part] = [part for part in out.split("\n\n") if "house.md" in part and "4711" in part]
    assert sentence in " ".join(part.split())
    line = LONG[: LONG.index(sentence)].count("\n") + 1
    assert f"house.md:{line}" in part


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_no_line_is_wider_than_the_terminal(run: Run, house: Path, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    for typed in (["search", "boiler code"], ["search", "boiler code", "--documents"]):
        assert max(map(width_of, run(*typed).out.splitlines())) <= width, typed


def test_context_shows_the_lines_of_the_file_with_their_numbers(run: Run, house: Path) -> None:
    out = run("search", "boiler code 4711", "--mode", "keyword", "-k", 1, "-C", 1, "--highlight").out
    numbers = [int(found) for found in re.findall(r"^ +(\d+)[:-] ", out, re.MULTILINE)]
    assert numbers == [3, 4, 5]
    assert "    4: The boiler code is 4711 and stands under the lid." in out


def test_section_shows_all_of_the_section(run: Run, house: Path) -> None:
    out = run("search", "Wine", "--mode", "keyword", "-k", 1, "--section").out
    assert re.findall(r"^ +\d+[:-] (.*)$", out, re.MULTILINE) == ["## Cellar", "", "Wine."]


def test_each_format_holds_the_same_hits(run: Run, house: Path) -> None:
    def shown(kind: str) -> str:
        return run("search", "river bank", "-k", 3, "--format", kind).out

    rows = json.loads(shown("json"))
    assert [json.loads(line) for line in shown("jsonl").splitlines()] == rows
    table = list(csv.DictReader(io.StringIO(shown("csv"))))
    assert [(row["source"], row["text"], int(row["start"])) for row in table] == [
        (row["source"], row["text"], row["start"]) for row in rows
    ]
    names = [str(Path(row["source"]).relative_to(house.parent)) for row in rows]
    assert shown("files").splitlines() == list(dict.fromkeys(names))
    marked = shown("md")
    for row, name in zip(rows, names, strict=True):
        assert f"{row['rank']}. **{name}**, line {row['line']}" in marked
    assert run("search", "river bank", "-k", 3, "--json").out == shown("json")


def test_two_formats_at_once_are_refused(run: Run, house: Path) -> None:
    result = run("search", "x", "--format", "csv", "--json")
    assert result.code == 2
    assert "One format, not csv and json." in result.err


def test_globs_keep_files_in_and_out(run: Run, house: Path) -> None:
    def names(*typed: object) -> set[str]:
        return {Path(hit["source"]).name for hit in json.loads(run("search", "x", "--json", *typed).out)}

    assert names("--include", "*.md") == {"house.md"}
    assert names("--exclude", "*.md") == {"bank.txt", "river.txt", "hello.txt"}
    assert names("--include", "texts/*", "--exclude", "r*") == {"bank.txt", "hello.txt", "house.md"}
    assert names("--include", "texts/**", "--include", "*.md") == {"bank.txt", "river.txt", "hello.txt", "house.md"}
    assert names("--include", "nowhere/*") == set()
    one_line(run("search", "x", "--include", "[a"), "'[a' is no glob")
    assert {Path(hit["source"]).name for hit in json.loads(run("similar", "house.md", "--exclude", "h*", "--json").out)} == {
        "bank.txt", "river.txt",
    }  # fmt: skip


def test_explain_says_the_cosine_the_bm25_and_the_words_of_each_hit(run: Run, house: Path) -> None:
    out = run("search", "boat bank", "--explain", "-k", 2, "--mode", "keyword").out
    assert re.search(r"BM25 \d+\.\d\d \(boat, bank\)", out)
    hits = json.loads(run("search", "boat bank", "--json").out)
    out = run("search", "boat bank", "--explain").out
    for hit in hits:
        assert f"cosine {hit['score']:.3f}" in out
    assert re.search(r"neighbours [+-]\d\.\d{3}: (stayed|came from rank \d+)", run(
        "search", "boat bank", "--explain", "--mode", "hybrid").out)  # fmt: skip


def test_links_are_for_terminals_alone(run: Run, house: Path) -> None:
    assert "\x1b]8;" not in run("search", "boat").out


def test_the_list_takes_globs_a_filter_and_an_order(run: Run, house: Path) -> None:
    def names(*typed: object) -> list[str]:
        return [Path(row["source"]).name for row in json.loads(run("list", "--json", *typed).out)]

    assert names() == ["bank.txt", "hello.txt", "house.md", "river.txt"]
    assert names("*.md") == ["house.md"]
    assert names("b*", "r*") == ["bank.txt", "river.txt"]
    assert names("--sort", "characters")[-1] == "house.md"
    assert names("--sort", "characters", "--reverse")[0] == "house.md"
    assert names("--where", "title = 'House'") == ["house.md"]
    assert names("*.txt", "--where", "title = 'House'") == []


def test_a_document_is_named_by_the_end_of_its_path_or_its_title(run: Run, house: Path, tiny_bert: Path) -> None:
    for name in ("house.md", "texts/house.md", "House", str(house.parent / "texts" / "house.md"), "./texts/house.md"):
        assert run("show", name).out.rstrip("\n") == LONG.rstrip("\n"), name
    (house.parent / "more" / "deep").mkdir(parents=True)
    (house.parent / "more" / "deep" / "house.md").write_text("# House\n\nAnother.\n", encoding="utf-8")
    run("add", "more")
    one_line(run("show", "house.md"), "'house.md' is the end or the title of 2", "texts/house.md", "more/deep/house.md")
    one_line(run("remove", "ouse.md"), "nothing from 'ouse.md'", "did you mean")
    assert "Another." in run("show", "deep/house.md").out
    assert "removed 1" in run("remove", "deep/house.md").out
    assert run("show", "house.md").out.startswith(LONG)


def test_the_line_of_a_sentence_in_a_page_is_that_of_the_file(run: Run, index: Path) -> None:
    rows = "\n".join(f"line {number} of the code" for number in range(1, 40))
    page = f"<html>\n<body>\n\n<h1>Harbour</h1>\n\n\n<p>Boats sail.</p>\n\n\n\n<p>Tea costs money.</p>\n<pre>\n{rows}\n</pre></body></html>"
    (index.parent / "texts" / "page.html").write_text(page, encoding="utf-8")
    assert run("add", "texts").code == 0
    assert "page.html:11" in run("search", "Tea costs money.", "--include", "*.html", "-k", 1, "--highlight").out
    hits = json.loads(run("search", "code", "--where", "line > 20", "--json").out)
    assert hits and all("place" not in hit and hit["line"] > 20 for hit in hits)
    one_line(run("search", "x", "--where", "page > 1"), "unknown filter key 'page'")


@pytest.mark.parametrize("glob", ["[z-a]", "~nobodyhere/x"])
def test_a_glob_that_is_none_is_named(run: Run, index: Path, glob: str) -> None:
    one_line(run("search", "x", "--include", glob), f"{glob!r} is no glob")
    one_line(run("list", "[]"), "is no glob")


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        (("-json",), "No such option '-json'. Did you mean '--json'?"),
        (("-mode", "hybrid"), "No such option '-mode'. Did you mean '--mode'?"),
        (("--explain", "--json"), "-C, --section and --explain are of the table that people read; not with other"),
        (("-C", 2, "--documents"), "-C, --section and --explain are of the table that people read; not with other"),
        (
            ("--explain", "--rerank", "maxsim"),
            "--explain says what a hit is made of before --rerank; leave one of them",
        ),
    ],
)
def test_options_that_are_none_or_do_not_go_together_are_refused(
    run: Run, index: Path, typed: tuple[str, ...], line: str
) -> None:
    refused = run("search", "river", *typed)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith(f"Error: {line}") and refused.err.count("\n") == 1


def test_a_short_option_with_its_value_is_one_and_a_word_with_a_dash_is_a_word(run: Run, index: Path) -> None:
    assert len(run("search", "river", "-k1", f"-i{index.name}", "--jsonl").out.splitlines()) == 1
    without = run("search", "bank", "-river", "-kitchen", "--mode", "keyword", "--jsonl")
    assert without.code == 0 and all("river" not in json.loads(line)["text"] for line in without.out.splitlines())
    dense = run("search", "bank", "-river", "--jsonl")
    assert dense.err == "in mode dense -river is text like the rest; --mode keyword or hybrid leaves that out\n"
    assert "river" not in run("context", "bank", "-river", "--mode", "keyword").out


def test_rows_of_csv_are_no_commands_to_a_terminal(run: Run, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (index.parent / "texts" / "evil.txt").write_text("river \x1b[2J bank\nand \x9b31m more", encoding="utf-8")
    assert run("add", "texts").code == 0
    piped = run("search", "river", "--format", "csv", "--mode", "keyword").out
    assert "\x1b[2J" in piped and "\r" not in piped
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    shown = run("search", "river", "--format", "csv", "--mode", "keyword").out
    assert "\x1b" not in shown and "\x9b" not in shown and "bank\nand" in shown
