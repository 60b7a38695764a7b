"""The measures, TREC runs and several sets at once: against trec_eval (by ir_measures), and values worked out by hand."""

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_evaluation import CORPUS, write_set

from searcher import Searcher
from searcher.cli import main
from searcher.errors import BadValue, UnreadableFile
from searcher.evaluation import evaluated, read_dataset, write_run
from searcher.evaluation.comparing import across
from searcher.evaluation.measures import MEASURES, query_values

THEIRS = {
    "nDCG@10": "nDCG@10", "P@1": "P@1", "MRR@10": "RR@10", "recall@10": "R@10", "recall@100": "R@100", "MAP@100": "AP@100",
}  # fmt: skip


def theirs(qrels: Any, run: Any, relevant: int = 1) -> dict[str, list[float]]:
    """The same by trec_eval; nDCG takes no least grade."""
    at_least = f"(rel={relevant})" if relevant > 1 else ""
    named = {
        ir_measures.parse_measure(own if "nDCG" in own else own.replace("@", f"{at_least}@")): name
        for name, own in THEIRS.items()
    }
    values: dict[str, dict[str, float]] = {name: {} for name in THEIRS}
    for metric in ir_measures.iter_calc(list(named), qrels, run):
        values[named[metric.measure]][metric.query_id] = float(metric.value)
    return {name: [own.get(query, 0.0) for query in qrels] for name, own in values.items()}


GRADES = st.dictionaries(st.integers(0, 30).map(str), st.integers(-1, 4), min_size=1, max_size=20)
SCORES = st.dictionaries(st.integers(0, 40).map(str), st.integers(-1000, 1000), max_size=40)


@settings(max_examples=60)
@given(GRADES, SCORES, st.integers(1, 3))
def test_whole_grades_are_measured_as_trec_eval_does(
    grades: dict[str, int], drawn: dict[str, int], relevant: int
) -> None:
    run = {"q": {name: score + int(name) / 64 for name, score in drawn.items()}}  # no two alike
    ours = query_values({"q": grades}, run, relevant if relevant > 1 else None)
    expected = theirs({"q": grades}, run, relevant)
    for name in MEASURES:
        assert ours[name] == pytest.approx(expected[name], abs=1e-6), name


def test_fractions_are_gains_as_they_are_and_anything_above_nothing_is_relevant() -> None:
    qrels = {"q": {"a": 0.5, "b": 0.25, "c": 0.0, "d": 2.5}}
    values = query_values(qrels, {"q": {"c": 4.0, "b": 3.0, "a": 2.0}})
    ideal = 2.5 + 0.5 / math.log2(3) + 0.25 / 2
    assert values["nDCG@10"] == [pytest.approx((0.25 / math.log2(3) + 0.5 / 2) / ideal)]
    assert (values["P@1"], values["MRR@10"], values["recall@10"]) == ([0.0], [0.5], [pytest.approx(2 / 3)])
    assert values["MAP@100"] == [pytest.approx((1 / 2 + 2 / 3) / 3)]


def test_a_least_relevant_grade_changes_all_but_ndcg() -> None:
    qrels = {"q": {"a": 0.5, "b": 0.25}}
    run = {"q": {"b": 2.0, "a": 1.0}}
    every, some = query_values(qrels, run), query_values(qrels, run, 0.5)
    assert some["nDCG@10"] == every["nDCG@10"]
    assert (every["P@1"], some["P@1"], some["MRR@10"], some["recall@10"]) == ([1.0], [0.0], [0.5], [1.0])
    assert query_values(qrels, run, 3)["recall@100"] == [0.0]  # nothing is


@pytest.mark.parametrize("wrong", [0, -1, math.inf, math.nan])
def test_a_least_grade_that_what_nobody_judged_has_too_is_refused(wrong: float) -> None:
    with pytest.raises(BadValue, match="the least relevant grade is"):
        query_values({"q": {"a": 1}}, {}, wrong)


# -- judgements in files


def judged(folder: Path, lines: str) -> dict[str, dict[str, float]]:
    write_set(folder, CORPUS, {"q": "hello"}, [])
    (folder / "qrels" / "test.tsv").write_text(lines, "utf-8")
    return read_dataset(folder).qrels


def test_grades_are_read_as_they_stand(tmp_path: Path) -> None:
    lines = "query-id\tcorpus-id\tscore\nq\td1\t0.25\nq\td2\t3\n\nq\td3\t1e-1\n"
    assert judged(tmp_path / "set", lines) == {"q": {"d1": 0.25, "d2": 3, "d3": 0.1}}


def test_no_judgement_is_lost_where_there_is_no_heading(tmp_path: Path) -> None:
    assert judged(tmp_path / "set", "q\td1\t1\nq\td2\t2\n") == {"q": {"d1": 1, "d2": 2}}


@pytest.mark.parametrize("grade", ["high", "nan", "inf", "", "1,5"])
def test_a_grade_that_is_no_number_is_named_with_its_line(tmp_path: Path, grade: str) -> None:
    with pytest.raises(UnreadableFile, match="line 3: not query, document and grade"):
        judged(tmp_path / "set", f"query-id\tcorpus-id\tscore\nq\td1\t1\nq\td2\t{grade}\n")


# -- runs


@settings(max_examples=60)
@given(
    GRADES,
    st.lists(
        st.tuples(st.integers(0, 40).map(str), st.sampled_from([0.5, 0.25, 0.5 + 1e-12, 0.5 + 1e-7, -3.0, 1e30, 0.0])),
        unique_by=lambda pair: pair[0],
        max_size=40,
    ),
)
def test_trec_eval_sees_in_a_run_the_order_that_was_measured(
    tmp_path_factory: pytest.TempPathFactory, grades: dict[str, int], ranking: list[tuple[str, float]]
) -> None:
    file = tmp_path_factory.mktemp("runs") / "a.run"
    scores = dict(sorted(ranking, key=lambda pair: -pair[1]))  # equals as they come, not by name
    write_run(file, {"q": scores}, "searcher")
    read = {"q": {found.doc_id: found.score for found in ir_measures.read_trec_run(str(file))}}
    assert list(read["q"]) == list(scores)
    assert all(a > b for a, b in pairwise(np.array(list(read["q"].values()), np.float32)))
    ours, expected = query_values({"q": grades}, {"q": scores}), theirs({"q": grades}, read)
    for name in MEASURES:
        assert ours[name] == pytest.approx(expected[name], abs=1e-6), name


def test_a_run_has_six_columns_and_scores_that_are_those_of_the_hits(tmp_path: Path) -> None:
    write_run(tmp_path / "run", {"q1": {"b": 0.5, "a": 0.25}, "q2": {}, "q3": {"a": 1.0}}, "tag")
    assert (tmp_path / "run").read_text("utf-8") == "q1 Q0 b 1 0.5 tag\nq1 Q0 a 2 0.25 tag\nq3 Q0 a 1 1.0 tag\n"


# -- several sets


def test_over_several_sets_each_set_counts_alike() -> None:
    first, second = [[1.0], [0.0, 0.5, 0.0, 0.5]], [[0.5], [0.0, 0.0, 0.0, 0.0]]
    test = across(first, second)
    assert (test.first, test.second, test.difference) == pytest.approx(((1 + 0.25) / 2, 0.25, 0.375))
    assert (test.better, test.worse, test.equal, test.p) == (3, 0, 2, 2 / 8)


WORDS = ["river", "bank", "money", "boat", "hello", "world", "water", "account", "test", "year", "model", "layer"]


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two sets of unlike sizes, with fractional grades."""
    random, folders = np.random.default_rng(5), []
    for name, count in (("few", 6), ("many", 25)):
        texts = [" ".join(random.choice(WORDS, random.integers(3, 40))) for _ in range(count)]
        corpus = [{"_id": f"d{n}", "title": "", "text": text} for n, text in enumerate(texts)]
        queries = {f"q{n}": " ".join(random.choice(texts[n].split(), 3)) for n in range(count)}
        grades: list[Any] = [(f"q{n}", f"d{n}", 0.5) for n in range(count)]
        grades += [(f"q{n}", f"d{(n + 1) % count}", 0.25) for n in range(count)]
        folders.append(write_set(tmp_path_factory.mktemp("sets") / name, corpus, queries, grades))
    return folders


def run(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main([str(arg) for arg in args])
    out, err = capsys.readouterr()
    return int(stop.value.code or 0), out, err


def test_several_sets_are_a_table_with_their_means(
    sets: list[Path], tiny_bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["eval", *sets, "-m", tiny_bert, "-i", tmp_path / "kept", "--run", tmp_path / "a.trec"]
    code, out, err = run(capsys, *command, "--json")
    assert (code, err) == (0, "")
    value = json.loads(out)
    assert [own["dataset"] for own in value["sets"]] == ["few", "many"]
    for name in MEASURES:
        assert value["mean"][name] == pytest.approx(np.mean([own[name] for own in value["sets"]]))
    for folder, own in zip(sets, value["sets"], strict=True):
        dataset = read_dataset(folder)
        with Searcher(tmp_path / "kept" / folder.name) as searcher:
            found = evaluated(dataset, searcher)
        assert found.result["nDCG@10"] == own["nDCG@10"]
        hits = list(ir_measures.read_trec_run(str(tmp_path / f"a-{folder.name}.trec")))
        assert [(hit.query_id, hit.doc_id) for hit in hits] == [(q, d) for q, own in found.run.items() for d in own]
    lines = run(capsys, *command)[1].splitlines()
    assert lines[0].split() == ["set", "documents", "queries", *MEASURES]
    assert [line.split()[0] for line in lines[1:]] == ["few", "many", "mean"]
    assert lines[-1].split()[1:4] == ["31", "31", f"{value['mean']['nDCG@10']:.4f}"]


def test_two_settings_are_compared_set_by_set_and_over_all(
    sets: list[Path], tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["eval", *sets, "-m", tiny_bert, "--mode", "keyword", "--against", "mode=dense", "--relevant", "0.5"]
    value = json.loads(run(capsys, *command, "--json")[1])
    singles = [json.loads(run(capsys, *["eval", own, *command[3:], "--json"])[1]) for own in sets]
    for own in (*value["sets"], *singles):
        own["first"]["seconds"] = own["against"]["seconds"] = 0
    assert value["sets"] == singles
    for name in MEASURES:
        means = [own["tests"][name]["difference"] for own in singles]
        assert value["tests"][name]["difference"] == pytest.approx(np.mean(means))
    lines = run(capsys, *command)[1].splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == ["few", "many", "mean"]
    assert lines[-1].endswith("31 queries)")


def test_poolings_of_several_sets_are_ranked_by_their_means(
    sets: list[Path], tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["-m", tiny_bert, "--pooling", "all", "--json"]
    both = json.loads(run(capsys, "eval", *sets, *command)[1])
    singles = [json.loads(run(capsys, "eval", own, *command)[1]) for own in sets]

    def by_setting(rows: list[Any]) -> dict[Any, float]:
        names = ("pooling", "layers", "combine", "whitening")
        return {tuple(map(str, map(row.get, names))): row["nDCG@10"] for row in rows}

    few, many = map(by_setting, singles)
    assert by_setting(both) == pytest.approx({key: (few[key] + many[key]) / 2 for key in few if key in many})
    assert [row["nDCG@10"] for row in both] == sorted((row["nDCG@10"] for row in both), reverse=True)
    assert sum(row["p"] is None for row in both) == 1


def test_what_cannot_be_evaluated_is_one_clear_line_before_anything_is_embedded(
    sets: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spaced = write_set(
        tmp_path / "spaced", [{"_id": "Ann Lee", "text": "hello"}], {"q": "hello"}, [("q", "Ann Lee", 1)]
    )
    wrong: list[tuple[list[object], str]] = [
        ([sets[0], sets[0]], "two sets are called 'few'; rename a folder"),
        ([sets[0], "--relevant", "0"], "the least relevant grade is 0.0; it must be a number above 0"),
        ([sets[0], "--run", tmp_path / "no" / "a.run"], "no folder"),
        ([spaced, "--run", tmp_path / "a.run"], "none can be in an id: 'Ann Lee'"),
        ([sets[0], "--run", "a.run", "--against", "mode=hybrid"], "--run writes the rankings of one setting"),
        ([], "Missing argument 'DIR...'"),
    ]
    for args, message in wrong:
        code, out, err = run(capsys, "eval", *args)
        assert (code in (1, 2), out, len(err.splitlines())) == (True, "", 1), err
        assert message in err
