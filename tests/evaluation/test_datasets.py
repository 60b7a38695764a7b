"""Sets as they are found: judgements in BEIR's and TREC's shapes, byte order marks, ids, what is twice or missing."""

import json
from pathlib import Path
from typing import Any

import pytest
from test_evaluation import CORPUS, write_set

from searcher import Searcher
from searcher.cli import main
from searcher.errors import BadValue, UnreadableFile
from searcher.evaluation import evaluate, read_dataset

HEADING = "query-id\tcorpus-id\tscore\n"
QUERIES = {"q": "hello", "01": "money", "a b": "boat", "q-2": "bank"}


def in_file(folder: Path, lines: str, encoding: str = "utf-8") -> dict[str, dict[str, float]]:
    write_set(folder, CORPUS, QUERIES, [])
    (folder / "qrels" / "test.tsv").write_bytes(lines.encode(encoding))
    return read_dataset(folder).qrels


@pytest.mark.parametrize(
    ("lines", "qrels"),
    [
        ("q 0 d1 1\n01 0 d2 2\n", {"q": {"d1": 1}, "01": {"d2": 2}}),  # TREC's four columns
        ("q\t0\td1\t1\n01\tQ0\td2\t0.5\n", {"q": {"d1": 1}, "01": {"d2": 0.5}}),
        ("q   4.5  d1   2 \r\nq q0 d2 -1\r\n", {"q": {"d1": 2, "d2": -1}}),  # a round of TREC-COVID
        ("query-id\titeration\tcorpus-id\tscore\nq\t0\td1\t1\n", {"q": {"d1": 1}}),
        ("\n \n" + HEADING + "\n\t\t\nq\td1\t1\n\n", {"q": {"d1": 1}}),  # blank lines, also before the heading
        (HEADING.replace("\n", "\r\n") + "q\td1\t1\r\n", {"q": {"d1": 1}}),
        (HEADING + "a b\tAnn Lee\t1\n", {"a b": {"Ann Lee": 1}}),
        (HEADING + "01\t007\t1\n1\t7\t1\n", {"01": {"007": 1}}),  # no query is called 1
        (HEADING + "q\td1\t1\nq\td1\t0\n", {"q": {"d1": 0}}),  # the later of two
        (HEADING + 'q\t"d1\t1\nq\td2\t2\nq\t"say ""hi"""\t3\n', {"q": {'"d1': 1, "d2": 2, 'say "hi"': 3}}),
        (HEADING + "q\td1\t 1 \n", {"q": {"d1": 1}}),
    ],
)
def test_judgements_are_read_in_every_usual_shape(
    tmp_path: Path, lines: str, qrels: dict[str, dict[str, float]]
) -> None:
    assert in_file(tmp_path / "set", lines) == qrels


@pytest.mark.parametrize("lines", ["q\td1\t1\nq\td2\t2\n", HEADING + "q\td1\t1\nq\td2\t2\n"])
def test_a_byte_order_mark_costs_no_judgement(tmp_path: Path, lines: str) -> None:
    assert in_file(tmp_path / "set", lines, "utf-8-sig") == {"q": {"d1": 1, "d2": 2}}


@pytest.mark.parametrize(
    ("lines", "number"),
    [
        ("q\td1\thigh\nq\td2\t1\n", 1),  # no heading: it begins with a query
        ("q\td1\nq\td2\n", 1),
        ("query-id,corpus-id,score\nq,d1,1\n", 1),
        (HEADING + "q\td1\t1\t\n", 2),
        (HEADING + "q\td1\t2\tnote 3\n", 2),
        (HEADING + "q\td7\td1\t1\n", 2),  # d7 is no iteration
        (HEADING + "\n" + HEADING, 3),
    ],
)
def test_a_line_that_is_no_judgement_is_named_and_none_is_left_out(tmp_path: Path, lines: str, number: int) -> None:
    with pytest.raises(UnreadableFile, match=f"line {number}: not query, document and grade"):
        in_file(tmp_path / "set", lines)


def test_files_that_begin_with_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", CORPUS, {"q": "hello"}, [("q", "d3", 1)])
    before = read_dataset(folder)
    for name in ("corpus.jsonl", "queries.jsonl"):
        (folder / name).write_text((folder / name).read_text("utf-8"), "utf-8-sig")
    assert read_dataset(folder) == before


def test_a_set_is_called_as_its_folder_however_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_set(tmp_path / "set", CORPUS, {"q": "hello"}, [("q", "d3", 1)])
    monkeypatch.chdir(folder / "qrels")
    assert {read_dataset(name).name for name in ("..", "../.", "../qrels/..", folder)} == {"set"}


@pytest.mark.parametrize("text", [None, "", " \n", 42, ["hello"]])
def test_a_judged_query_without_text_is_named_with_its_line(tmp_path: Path, text: Any) -> None:
    folder = write_set(tmp_path / "set", CORPUS, {"q": "hello", "w": text}, [("q", "d3", 1), ("w", "d1", 1)])
    with pytest.raises(UnreadableFile, match=r"queries.jsonl: line 2: a query that is judged needs a text, not "):
        read_dataset(folder)
    lines = (folder / "qrels" / "test.tsv").read_text("utf-8").splitlines()
    (folder / "qrels" / "test.tsv").write_text("\n".join(lines[:-1]), "utf-8")
    assert read_dataset(folder).queries == {"q": "hello"}  # nobody asks one that is not judged


@pytest.mark.parametrize("row", [{"text": ["a", "b"]}, {"text": {"a": 1}}, {"title": ["t"], "text": "a"}])
def test_a_document_whose_text_is_none_is_named_with_its_line(tmp_path: Path, row: dict[str, Any]) -> None:
    folder = write_set(tmp_path / "set", [*CORPUS, {"_id": "x"} | row], {"q": "hello"}, [("q", "d3", 1)])
    with pytest.raises(UnreadableFile, match=r"corpus.jsonl: line 4: title and text must be texts"):
        read_dataset(folder)


def test_of_two_documents_with_one_id_the_later_is_there_once(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", [*CORPUS, {"_id": "d1", "text": "river"}], {"q": "river"}, [("q", "d1", 1)])
    texts = {document.source: document.text for document in read_dataset(folder).documents}
    assert texts == {"d1": "river", "d2": CORPUS[1]["text"], "d3": "Hello hello world"}
    assert len(read_dataset(folder).documents) == 3


def test_a_pattern_of_ids_leaves_out_judgements_of_documents_that_are_not_there(tmp_path: Path) -> None:
    corpus = [{"_id": "en-1", "text": "hello"}, {"_id": "de-1", "text": "hallo"}]
    folder = write_set(tmp_path / "set", corpus, {"en-q": "hello"}, [("en-q", "en-1", 1), ("en-q", "de-1", 1)])
    assert read_dataset(folder, "en-*").qrels == {"en-q": {"en-1": 1}}


def test_an_index_that_holds_anything_else_is_not_measured_and_stays_as_it_is(tiny_bert: Path, tmp_path: Path) -> None:
    dataset = read_dataset(write_set(tmp_path / "set", CORPUS, {"q": "hello"}, [("q", "d3", 1)]))
    with Searcher(tmp_path / "index", tiny_bert) as searcher:
        searcher.add_texts(["hello from me"], ids=["mine"])
        with pytest.raises(BadValue, match="the index holds 'mine', which is not of the set 'set'; use one"):
            evaluate(dataset, searcher)
        assert [document.id for document in searcher.iterate()] == ["mine"]


def test_an_index_is_used_again_for_a_set_that_was_moved_or_has_fewer_documents_now_but_not_both(
    tiny_bert: Path, tmp_path: Path
) -> None:
    def fewer(folder: Path) -> Path:
        lines = (folder / "corpus.jsonl").read_text("utf-8").splitlines()
        (folder / "corpus.jsonl").write_text("\n".join(lines[:-1]), "utf-8")
        return folder

    folder = write_set(tmp_path / "before", CORPUS, {"q": "bank"}, [("q", "d1", 1)])
    with Searcher(tmp_path / "index", tiny_bert) as searcher:
        assert evaluate(read_dataset(folder), searcher)["documents"] == 3
        assert evaluate(read_dataset(fewer(folder)), searcher)["documents"] == 2
        folder = folder.rename(tmp_path / "after")
        assert evaluate(read_dataset(folder), searcher)["documents"] == 2
        with pytest.raises(BadValue, match="not of the set 'after'; use one of its own"):
            evaluate(read_dataset(fewer(folder)), searcher)  # or d2 would still be found


def run(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main([str(arg) for arg in args])
    out, err = capsys.readouterr()
    return int(stop.value.code or 0), out, err


@pytest.mark.parametrize(
    ("said", "name", "values"),
    [
        ("context=no", "context", (True, False)),
        ("context=false", "context", (True, False)),
        ("context= yes", "context", (True, True)),
        ("truncate=true", "truncate", (False, True)),
        ("mode= hybrid", "mode", ("dense", "hybrid")),
        ("chunk_tokens=32", "chunk_tokens", (64, 32)),
    ],
)
def test_what_against_says_is_what_is_compared(
    tiny_bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], said: str, name: str, values: tuple[Any, Any]
) -> None:
    folder = write_set(tmp_path / "set", CORPUS, {"q": "hello"}, [("q", "d3", 1)])
    code, out, _ = run(capsys, "eval", folder, "-m", tiny_bert, "--json", "--against", said)
    assert code == 0
    assert tuple(json.loads(out)[side][name] for side in ("first", "against")) == values


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--against", "context=maybe"], "--against context=maybe: 'maybe' is no value of context"),
        (["--against", "mode=hybird"], "unknown mode 'hybird'; known: dense, hybrid, keyword. Did you mean 'hybrid'?"),
        (["--run", "."], "a run is a file, and '.' is a folder"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_embedded(
    tiny_bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    folder = write_set(tmp_path / "set", CORPUS, {"q": "hello"}, [("q", "d3", 1)])
    code, out, err = run(capsys, "eval", folder, "-m", tiny_bert, "-i", tmp_path / "index", *options)
    assert (code, out, err) == (1, "", f"Error: {message}\n")
    assert not (tmp_path / "index").exists()
