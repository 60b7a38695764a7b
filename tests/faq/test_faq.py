"""FAQ entries: read from files, found by any way of asking, answered with a probability, and mended by their owner."""

import csv
import json
import math
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from searcher import Searcher
from searcher.cli import main
from searcher.errors import DamagedIndex, SettingsMismatch
from searcher.faq.entries import Entries
from searcher.faq.matching import EVIDENCE, SHIPPED, match
from searcher.faq.ngrams import likeness
from searcher.readers import ReadOptions, read_text
from searcher.records import Document, Failure, Row

SAMPLES = Path(__file__).parents[2] / "index_data" / "samples" / "faq.jsonl"
ENTRIES = {entry["id"]: entry for entry in map(json.loads, SAMPLES.read_text(encoding="utf-8").splitlines())}
HOURS, RETURNS = "We are open from nine to five.", "Send it back within 30 days."
TABLE = [
    {
        "question": "When do you open?",
        "answer": HOURS,
        "id": "hours",
        "phrasings": "opening hours|what time can I come",
    },
    {"question": "Can I return a mattress?", "answer": RETURNS, "id": "returns", "phrasings": "I want my money back"},
]


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """Run the command line in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEARCHER_INDEX", raising=False)

    def call(*arguments: object) -> Result:
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert isinstance(stop.value.code, int)
        return Result(stop.value.code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def samples(bundled: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of the FAQ that comes with searcher, not calibrated."""
    folder = tmp_path_factory.mktemp("samples") / "index"
    with Searcher(folder, bundled) as searcher:
        assert searcher.add_faq(SAMPLES).failed == []
    return folder


@pytest.fixture
def index(samples: Path, tmp_path: Path) -> Path:
    return shutil.copytree(samples, tmp_path / "index_data")


def table(folder: Path, rows: Sequence[dict[str, str]] = TABLE, name: str = "faq.csv") -> Path:
    with (folder / name).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder / name


def markdown(text: str, faq: str = "questions") -> list[Document]:
    items = read_text(text.encode(), "faq.md", ReadOptions(faq=faq), ".md")  # type: ignore[arg-type]
    return [item for item in items if isinstance(item, Document)]


def asked(text: str) -> list[tuple[list[str], str, int]]:
    return [(entry.text.split("\n"), entry.metadata["answer"], entry.first_line) for entry in markdown(text)]


# -- what fits: against an oracle that loops


def spelling_oracle(one: str, two: str, all_texts: list[str]) -> float:
    def grams(text: str) -> Counter[str]:
        line = " " + " ".join(text.lower().split()) + " "
        return Counter(line[at : at + n] for n in (2, 3, 4) for at in range(len(line) - n + 1))

    def weight(gram: str, count: int) -> float:
        return math.log1p(count) * math.log1p(len(all_texts) / sum(gram in grams(text) for text in all_texts))

    a, b = ({gram: weight(gram, count) for gram, count in grams(text).items()} for text in (one, two))
    dot = sum(value * b.get(gram, 0) for gram, value in a.items())
    return dot / math.sqrt(sum(v * v for v in a.values()) * sum(v * v for v in b.values()))


def test_likeness_in_spelling_is_the_cosine_of_weighted_ngrams() -> None:
    texts = ["How do I delete a file?", "delete  A FILE", "Wie lösche ich etwas?", "?", ""]
    found = likeness(texts)
    for i, one in enumerate(texts[:4]):
        for j, two in enumerate(texts[:4]):
            assert found[i, j] == pytest.approx(spelling_oracle(one, two, texts), abs=1e-5)
    assert found[0, 1] > 0.3 > found[0, 2]


def test_a_match_is_ridge_regression_on_the_phrasings_beside_the_nearest_one() -> None:
    draw = np.random.default_rng(0)
    unit = lambda rows: rows / np.linalg.norm(rows, axis=1, keepdims=True)  # noqa: E731
    texts = ["opening hours", "when open", "money back", "return it", "returns?"]
    vectors, answers = unit(draw.standard_normal((5, 8))), unit(draw.standard_normal((2, 8)))
    question, vector, entries = "when do you opne", unit(draw.standard_normal((1, 8)))[0], np.array([0, 0, 1, 1, 1])
    everything = [*texts, question]

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return math.exp(2.0 * (float(a @ b) - 1))

    gram = np.array([[kernel(a, b) for b in vectors] for a in vectors])
    gram += 0.2 * np.array([[spelling_oracle(a, b, everything) for b in texts] for a in texts])
    spelt = np.array([spelling_oracle(question, text, everything) for text in texts])
    towards = np.array([kernel(vector, row) for row in vectors]) + 0.2 * spelt
    noise = 0.1 * np.array([2, 2, 3, 3, 3]) / np.mean([2, 2, 3, 3, 3])
    # The dual weights of each entry's indicator, where the product solves for the question.
    dual = np.linalg.inv(gram + np.diag(noise)) @ np.eye(2)[entries]
    answered = np.linalg.inv(np.array([[kernel(a, b) for b in answers] for a in answers]) + 0.1 * np.eye(2))
    answered = np.array([kernel(vector, row) for row in answers]) @ answered
    found = match(question, vector, texts, vectors, entries, answers)
    for entry in (0, 1):
        own = entries == entry
        best = max(float(vector @ row) for row in vectors[own])
        evidence = [towards @ dual[:, entry], best, spelt[own].max(), math.log(own.sum()), answered[entry]]
        assert found.evidence[entry] == pytest.approx(evidence, abs=1e-5)
        score = evidence[0] + 0.5 * (best + 0.2 * spelt[own].max()) + answered[entry]
        assert found.scores[entry] == pytest.approx(score / (1 + 0.5 * 1.2 + 1), abs=1e-5)
        assert float(vector @ vectors[found.closest[entry]]) == pytest.approx(best)
    assert found.order[0] == found.scores.argmax()


def rows_of(texts: Sequence[str], answers: Sequence[str], vectors: np.ndarray) -> list[Row]:
    return [
        Row(n, n, None, f"source-{n}", "faq", None, None, 0, len(text), 1, text, {"answer": answer}, vector)
        for n, (text, answer, vector) in enumerate(zip(texts, answers, vectors, strict=True), 1)
    ]


def test_a_hidden_phrasing_is_not_matched_but_still_counts_among_its_entrys() -> None:
    vectors = np.eye(4, dtype=np.float32)
    entries = Entries.of(rows_of(["one", "two", "three", "four"], ["A", "A", "B", "B"], vectors), [])
    [first, second] = entries.rank("one", vectors[0], hidden=np.array([0]))
    assert {first.row.text, second.row.text}.isdisjoint({"one"})
    at = EVIDENCE.index("log phrasings")
    assert first.evidence[at] == second.evidence[at] == pytest.approx(math.log(2))
    assert [found.answer for found in entries.rank("one", vectors[0], hidden=np.array([0, 1]))] == ["B"]


def test_a_misspelt_question_finds_its_entry(samples: Path) -> None:
    with Searcher(samples) as searcher:
        answer = searcher.answer("how do I delte a fiel form the indx")
        assert answer is not None
        assert answer.source.endswith("#remove-document")


# -- files


def test_a_csv_of_questions_answers_and_phrasings_is_asked_from_the_command_line(
    run: Callable[..., Result], bundled: str, tmp_path: Path
) -> None:
    report = json.loads(run("faq", "add", table(tmp_path), "--json").out)
    assert (report["documents"], report["passages"], report["failed"]) == (2, 7, [])  # 3 + 2 phrasings, 2 answers
    found = json.loads(run("ask", "at what time do you open", "--json").out)
    assert list(found) == ["answer", "question", "source", "score", "probability", "margin"]
    assert (found["answer"], found["source"]) == (HOURS, str(tmp_path / "faq.csv#hours"))
    assert found["question"] in ("When do you open?", "what time can I come")
    assert found["probability"] is None
    assert 0.5 < found["score"] <= 1
    assert 0 < found["margin"] <= found["score"]
    shown = run("ask", "at what time do you open").out
    assert shown.startswith(f"{HOURS}\n")
    assert "not calibrated, so no probability; run: searcher faq calibrate" in shown
    assert run("ask", "at what time do you open", "--min-score", "1.5").out == "no answer\n"


def test_rows_with_the_same_answer_are_one_entry_and_one_hit(bundled: str, tmp_path: Path) -> None:
    lines = [
        {"question": question, "answer": HOURS} for question in ("When do you open?", "opening hours", "when open")
    ]
    lines.append({"question": "Can I return it?", "answer": RETURNS})
    file = tmp_path / "faq.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    with Searcher(tmp_path / "index", bundled) as searcher:
        searcher.add_faq(file, answers=False)
        [ranked] = searcher.faq.rank(["are you open"])
        assert [found.answer for found in ranked] == [HOURS, RETURNS]
        assert ranked[0].margin == pytest.approx(ranked[0].score - ranked[1].score)
        assert ranked[1].margin is None
        assert np.exp(ranked[0].evidence[EVIDENCE.index("log phrasings")]) == pytest.approx(3)


def test_headings_that_ask_are_entries_and_those_that_follow_each_other_share_an_answer() -> None:
    text = (
        "---\nlang: en\n---\n# Questions\n\nAn introduction.\n\n## When do you open?\n## What time can I come?\n\n"
        "From nine.\n\n### On Sundays\n\nNever.\n\n## Where?\n\n```\n# no heading?\n```\n\n# Rest\n\nNo question.\n"
    )
    assert asked(text) == [
        (["When do you open?", "What time can I come?"], "From nine.\n\n### On Sundays\n\nNever.", 8),
        (["Where?"], "```\n# no heading?\n```", 17),
    ]
    assert [entry.source for entry in markdown(text)] == ["faq.md#when-do-you-open", "faq.md#where"]
    assert markdown(text)[0].metadata["lang"] == "en"


def test_where_no_heading_asks_those_without_headings_below_are_entries() -> None:
    text = "# Manual\n\nWords.\n\n## Returns\n\n30 days.\n\nOpening hours\n-------------\nFrom nine.\n"
    assert asked(text) == [(["Returns"], "30 days.", 5), (["Opening hours"], "From nine.", 9)]


def test_definition_lists_are_entries_with_the_terms_as_phrasings() -> None:
    text = "# FAQ\n\nWhen?\nAt what time?\n: From nine,\n  not before.\n\n  Never on Sundays.\n: Or by phone.\n\nWhere?\n\n:   Here.\n"
    assert asked(text) == [
        (["When?", "At what time?"], "From nine,\nnot before.\n\nNever on Sundays.\nOr by phone.", 3),
        (["Where?"], "Here.", 11),
    ]


def test_an_answer_that_is_embedded_is_a_section_of_its_own_under_the_first_question() -> None:
    [entry] = markdown("# When?\n# At what time?\n\nFrom nine.\n", "answers")
    assert entry.text == "When?\nAt what time?\nWhen?\nFrom nine."
    assert entry.breaks == (6, 20)
    assert entry.sections == ((20, "answer"),)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.md", "no heading", "no heading with a text under it"),
        ("a.csv", "name,age\nAnn,3\n", "an entry has fields question and answer"),
        ("a.txt", "When?", "no FAQ file; these are: .csv"),
    ],
)
def test_what_holds_no_entry_is_a_failure_that_says_so(
    name: str, text: str, reason: str, bundled: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with Searcher(tmp_path / "index", bundled) as searcher:
        [failure] = searcher.add_faq(tmp_path / name).failed
        assert isinstance(failure, Failure)
        assert reason in failure.reason


def test_a_plain_add_leaves_a_faq_file_the_faq_that_it_is(bundled: str, tmp_path: Path) -> None:
    (tmp_path / "faq.md").write_text("# When?\n\nFrom nine.\n", encoding="utf-8")
    with Searcher(tmp_path / "index", bundled) as searcher:
        searcher.add_faq(tmp_path / "faq.md")
        assert searcher.add(tmp_path / "faq.md").unchanged == 1
        (tmp_path / "faq.md").write_text("# When?\n\nFrom ten.\n", encoding="utf-8")
        assert searcher.add(tmp_path / "faq.md").documents == 1
        answer = searcher.answer("when")
        assert answer is not None
        assert (answer.answer, answer.question) == ("From ten.", "When?")


def test_search_finds_entries_by_question_and_by_answer_at_their_offsets(samples: Path) -> None:
    with Searcher(samples) as searcher:
        for query, section in (("Why was my index refused?", None), (ENTRIES["index-refused"]["answer"], "answer")):
            hit = searcher.search(query, 1)[0]
            assert (hit.section, hit.source.split("#")[1]) == (section, "index-refused")
            assert searcher.document(hit.source).text[hit.start : hit.end] == hit.text
        assert searcher.check() == []


def test_answers_outlive_export_and_import(samples: Path, bundled: str, tmp_path: Path) -> None:
    with Searcher(samples) as old, Searcher(tmp_path / "new") as new:
        with (tmp_path / "export").open("wb") as stream:
            old.export(stream)
        with (tmp_path / "export").open("rb") as stream:
            new.import_(stream)
        question = "is it safe to delete the faiss file"
        assert new.answer(question) == old.answer(question)


# -- mending


def test_lint_names_conflicts_duplicates_and_phrasings_that_others_would_answer(
    run: Callable[..., Result], bundled: str, tmp_path: Path
) -> None:
    rows = [
        {"question": "When do you open?", "answer": HOURS},
        {"question": "When do you open", "answer": "At ten."},
        {"question": "Can I return a mattress?", "answer": RETURNS},
        {"question": "Can I return a mattress", "answer": RETURNS},
        {"question": "Do you open on Sundays?", "answer": RETURNS},
    ]
    assert run("faq", "add", table(tmp_path, rows)).code == 0
    result = run("faq", "lint", "--json")
    found = [(row["kind"], row["question"], row["other"]) for row in json.loads(result.out)]
    assert result.code == 1
    assert found[:2] == [
        ("conflict", "When do you open?", "When do you open"),
        ("duplicate", "Can I return a mattress?", "Can I return a mattress"),
    ]
    assert [row[:2] for row in found[2:]] == [("unreachable", "Do you open on Sundays?")]
    assert "1 conflicts, 1 duplicates, 1 unreachable phrasings" in run("faq", "lint").out
    assert run("remove", f"{tmp_path}/faq.csv#3").code == 0
    assert run("faq", "lint").code == 0


def test_the_same_question_is_as_like_as_can_be(run: Callable[..., Result], bundled: str, tmp_path: Path) -> None:
    asked = [f"How do I mend {thing}?" for thing in ("a chair", "a shoe", "the roof", "my bike", "a torn page", "it")]
    rows = [
        {"question": question, "answer": f"{question} {way}"} for question in asked for way in ("So.", "Otherwise.")
    ]
    assert run("faq", "add", table(tmp_path, rows)).code == 0
    result = run("faq", "lint", "--alike", "1", "--json")
    found = [(row["kind"], row["question"], row["other"]) for row in json.loads(result.out)]
    assert result.code == 1
    assert sorted(found) == [("conflict", question, question) for question in sorted(asked)]


def test_lint_names_each_file_beside_whose_entries_no_answer_counts(run: Callable[..., Result], tmp_path: Path) -> None:
    files = {name: tmp_path / f"{name}.csv" for name in ("first", "second", "third")}
    for name, rows in {
        "first": "How do I bleed a radiator?,Open its valve with the key.\nWhen is it open?,From nine.\n",
        "second": "Where is the canteen?,On the second floor.\nHow do I drain a radiator?,By its tap.\n",
        "third": "Who has the key?,Ann.\n",
    }.items():
        files[name].write_text(f"question,answer\n{rows}", encoding="utf-8")
    assert run("add", *map(str, files.values())).code == 0  # none has: they are alike
    assert json.loads(run("faq", "lint", "--json").out) == []
    score = json.loads(run("ask", "let the air out", "--json", "--min-probability", "0").out)["score"]
    assert run("faq", "add", str(files["first"])).code == 0
    found = [row for row in json.loads(run("faq", "lint", "--json").out) if row["kind"] == "uneven"]
    assert [(Path(row["source"]).name, row["question"], row["other"]) for row in found] == [
        ("second.csv#3", "How do I drain a radiator?", "How do I bleed a radiator?"),
        ("third.csv#2", "Who has the key?", "When is it open?"),
    ]
    assert run("faq", "lint").out.endswith("2 uneven files\n")
    again = json.loads(run("ask", "let the air out", "--json", "--min-probability", "0").out)["score"]
    assert again == pytest.approx(score, abs=1e-5)  # the answers of one file count for nothing
    assert run("faq", "add", *map(str, files.values())).code == 0
    assert json.loads(run("faq", "lint", "--json").out) == []
    assert json.loads(run("ask", "let the air out", "--json", "--min-probability", "0").out)["score"] != again


def test_questions_without_an_answer_are_kept_only_if_wanted_and_grouped(
    run: Callable[..., Result], index: Path
) -> None:
    unknown = ("--min-score", "0.9")
    run("ask", "What does it cost?", *unknown)
    assert json.loads(run("faq", "log", "--json").out) == []
    assert run("faq", "log").out == "no question is kept; to keep them: searcher faq log --on\n"
    assert run("faq", "log", "--on").out == "questions without an answer are kept\n"
    for question in ("What does it cost?", "How much does it cost?", "Who won the cup?", "What does it cost?"):
        assert run("ask", question, *unknown).out == "no answer\n"
    assert run("ask", "How do I remove a document?").out != "no answer\n"
    groups = json.loads(run("faq", "log", "--json").out)
    assert [(set(group["questions"]), group["times"]) for group in groups] == [
        ({"What does it cost?", "How much does it cost?"}, 3),
        ({"Who won the cup?"}, 1),
    ]
    assert b"Who won the cup" in (index / "searcher.db").read_bytes() + b"".join(
        file.read_bytes() for file in index.glob("searcher.db-*")
    )
    assert (index / "searcher.db").stat().st_mode & 0o077 == 0
    assert run("faq", "log", "--forget", "--off").out == "questions without an answer are not kept\n"
    assert json.loads(run("faq", "log", "--json").out) == []
    Searcher(index).compact()
    assert not any(b"won the cup" in file.read_bytes() for file in index.iterdir())
    run("ask", "Who won?", *unknown)
    assert json.loads(run("faq", "log", "--json").out) == []


# -- probabilities


@pytest.fixture(scope="session")
def calibrated(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = shutil.copytree(samples, tmp_path_factory.mktemp("calibrated") / "index")
    with Searcher(folder) as searcher:
        searcher.faq.calibrate()
    return folder


def test_a_calibrated_answer_has_a_probability_and_a_doubtful_one_is_none(calibrated: Path) -> None:
    with Searcher(calibrated) as searcher:
        sure = searcher.answer("How do I remove a document?")
        doubtful = searcher.answer("Who won the cup?", min_probability=0)
        assert sure is not None
        assert doubtful is not None
        assert sure.probability is not None
        assert doubtful.probability is not None
        assert doubtful.probability < 0.2 < 0.8 < sure.probability <= 1
        [[found, *_]] = searcher.faq.rank(["Who won the cup?"])
        made = searcher.faq.calibration(needed=True)
        assert made is not None
        assert doubtful.probability == pytest.approx(float(made.logistic.probability(found.evidence[None])[0]))
        assert searcher.answer("Who won the cup?") is None
        assert searcher.answer("Who won the cup?", min_probability=doubtful.probability + 0.01) is None
        assert searcher.answer("Who won the cup?", min_probability=doubtful.probability - 0.01) == doubtful


def test_a_probability_is_asked_of_a_calibrated_index_only(run: Callable[..., Result], index: Path) -> None:
    result = run("ask", "How do I remove a document?", "--min-probability", "0.5")
    assert (result.code, result.out) == (1, "")
    assert (
        result.err == "Error: the index is not calibrated, so there are no probabilities; run: searcher faq calibrate\n"
    )
    assert "'50' is not a number from 0 to 1" in run("ask", "x", "--min-probability", "50").err


def test_a_calibration_is_refused_under_other_settings(calibrated: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(calibrated, tmp_path / "index")
    with Searcher(folder) as searcher:
        searcher.reindex(pooling="max")
        answer = searcher.answer("How do I remove a document?")
        assert answer is not None
        assert answer.probability is None
        assert "calibrated with other settings" in searcher.faq.why_no_probability()
        with pytest.raises(SettingsMismatch, match="searcher faq calibrate"):
            searcher.answer("How do I remove a document?", min_probability=0.5)


def test_calibrate_reports_what_can_be_answered_at_which_precision(run: Callable[..., Result], index: Path) -> None:
    report = json.loads(run("faq", "calibrate", "--json").out)
    assert report["how"] == "phrasings left out"
    assert report["questions"] == 125  # each phrasing, without itself
    assert report["made"]["asked without their entry"] == 125
    assert report["unanswerable"] == pytest.approx(0.4)
    assert 0.3 < report["right"] < 0.6  # the others cannot be
    assert 0.8 < report["AUROC"] < 1
    assert 1 > report["coverage"]["0.8"] >= report["coverage"]["0.9"] >= report["coverage"]["0.95"]
    assert "right with probability" in run("ask", "How do I remove a document?").out


def test_precision_against_coverage_is_drawn_where_matplotlib_is(run: Callable[..., Result], index: Path) -> None:
    if find_spec("matplotlib") is None:
        result = run("faq", "calibrate", "--plot", "curve.png")
        assert result.err == "Error: a plot needs matplotlib: pip install 'searcher[plot]'\n"
        assert "not calibrated" in run("ask", "How do I remove a document?").out
    else:
        assert run("faq", "calibrate", "--plot", "curve.png").code == 0
        assert (index.parent / "curve.png").read_bytes().startswith(b"\x89PNG")
        assert run("faq", "calibrate", "--plot", "curve.nonsense").err.startswith("Error: a plot is one of ")


@pytest.mark.parametrize("answers", [["2"], ["2", ""], ["2", "", ""], ["2", "3"], ["3"]])
@pytest.mark.parametrize("options", [[], ["--unanswerable", "0"], ["--unanswerable", "0.2"]])
def test_as_few_labelled_questions_as_there_are_will_do(
    run: Callable[..., Result], tmp_path: Path, answers: list[str], options: list[str]
) -> None:
    (tmp_path / "few.csv").write_text(
        "id,question,answer\n2,When is it open?,From nine.\n3,Who are you?,Ann.\n", "utf-8"
    )
    assert run("faq", "add", "few.csv").code == 0
    rows = [{"question": f"at what time {number}", "answer": answer} for number, answer in enumerate(answers)]
    told = run("faq", "calibrate", "--labelled", table(tmp_path, rows, "asked.csv"), *options, "--json")
    assert (told.code, json.loads(told.out)["questions"]) == (0, len(rows)), told.err
    assert 0 < json.loads(run("ask", "when is it open", "--json", "--min-probability", "0").out)["probability"] <= 1


def test_labelled_questions_name_answers_by_text_id_or_source(
    run: Callable[..., Result], index: Path, tmp_path: Path
) -> None:
    entries = list(ENTRIES.values())
    rows = [{"text": f"please: {entry['question']}", "answer": entry["id"]} for entry in entries[:20]]
    rows += [{"text": entry["question"].upper(), "answer": entry["answer"]} for entry in entries[20:]]
    rows += [{"text": f"Who won the cup in {year}?", "answer": ""} for year in range(1990, 2010)]
    result = run("faq", "calibrate", "--labelled", table(tmp_path, rows, "labelled.csv"), "--json")
    report = json.loads(result.out)
    assert (report["how"], report["questions"]) == ("labelled questions", 61)
    assert report["right"] == pytest.approx(41 / 61, abs=0.05)
    wrong = table(tmp_path, [*rows, {"text": "Why?", "answer": "nobody"}], "wrong.csv")
    failed = run("faq", "calibrate", "--labelled", wrong)
    assert failed.code == 1
    assert failed.err == f"Error: {wrong}#63: no entry has the answer, id, source or question 'nobody'\n"


def test_a_changed_calibration_is_found_and_never_used(calibrated: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(calibrated, tmp_path / "index")
    connection = sqlite3.connect(folder / "searcher.db")
    with connection:
        connection.execute(
            "UPDATE faq SET value = replace(value, '\"bias\": ', '\"bias\": 1') WHERE key = 'calibration'"
        )
    connection.close()
    with Searcher(folder) as searcher:
        assert searcher.check() == ["'calibration' in the table faq is not what was stored; run: searcher check"]
        with pytest.raises(DamagedIndex, match="the calibration of the FAQ"):
            searcher.answer("How do I remove a document?")
        assert len(searcher.repair().lost) == 0
        assert searcher.check() == []
        answer = searcher.answer("How do I remove a document?")
        assert answer is not None
        assert answer.probability is None


def test_repair_keeps_a_sound_calibration(calibrated: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(calibrated, tmp_path / "index")
    connection = sqlite3.connect(folder / "searcher.db")
    with connection:
        connection.execute("UPDATE passages SET text = 'other' WHERE id = 1")
    connection.close()
    with Searcher(folder) as searcher:
        before = searcher.faq.calibration()
        assert len(searcher.repair().lost) == 1
        assert searcher.faq.calibration() == before is not None


def test_an_index_without_entries_answers_nothing(bundled: str, tmp_path: Path) -> None:
    with Searcher(tmp_path / "index", bundled) as searcher:
        searcher.add_texts(["The café opens at nine."])
        assert searcher.answer("When does it open?") is None
        assert searcher.faq.lint() == []


def test_without_entries_no_answer_says_how_some_come_in(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text", encoding="utf-8")
    assert run("add", "a.txt").code == 0
    asked = run("ask", "anything")
    assert (asked.code, asked.out) == (0, "no answer\n")
    assert asked.err == "  there is no entry; to add some: searcher faq add FILE\n"


# -- quality


@pytest.mark.parametrize(("bot", "least"), [("hint3-curekart", 0.86), ("hint3-sofmattress", 0.81)])
def test_live_questions_get_the_right_answer_as_often_as_promised(
    bot: str, least: float, data: Path, bundled: str, tmp_path: Path
) -> None:
    rows = [json.loads(line) for line in (data / bot / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    inside = [row for row in rows if row["answer"] is not None]
    with Searcher(tmp_path / "index", bundled) as searcher:
        searcher.add_faq(data / bot / "phrasings.jsonl", answers=False)
        ranked = searcher.faq.rank([row["text"] for row in inside])
    right = [found[0].answer == row["answer"] for found, row in zip(ranked, inside, strict=True)]
    assert np.mean(right) >= least
    assert SHIPPED.near == 128


def test_of_many_that_are_all_alike_each_is_named_once_not_each_with_each(
    run: Callable[..., Result], bundled: str, tmp_path: Path
) -> None:
    rows = [{"question": "When do you open?", "answer": HOURS} for _ in range(40)]
    rows += [{"question": "When do you open?", "answer": "At ten."} for _ in range(40)]
    assert run("faq", "add", table(tmp_path, rows)).code == 0
    kinds = [row["kind"] for row in json.loads(run("faq", "lint", "--json").out)]
    assert (kinds.count("conflict"), kinds.count("duplicate")) == (40, 78)
