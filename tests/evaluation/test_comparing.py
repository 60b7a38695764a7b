"""Two settings compared: the paired randomisation test against scipy's and by hand; the sweep against single runs."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from models import WORDS as VOCABULARY
from scipy.stats import permutation_test
from test_evaluation import CORPUS, write_set

from searcher import Embedder, Searcher
from searcher.cli import main
from searcher.embedding import Whitening
from searcher.errors import BadValue
from searcher.evaluation import compare, evaluate, read_dataset, sweep
from searcher.evaluation.comparing import compare_values, paired_test
from searcher.evaluation.measures import MEASURES, query_values


def test_five_queries_that_all_gain_have_a_p_of_two_in_thirty_two() -> None:
    test = paired_test([0.5, 0.6, 0.7, 0.8, 0.9], [0.4, 0.4, 0.4, 0.4, 0.4])
    assert test.p == 2 / 32  # all signs alike, plus or minus
    assert (test.better, test.worse, test.equal) == (5, 0, 0)
    assert test.difference == pytest.approx(0.3)
    assert not test.real


@pytest.mark.parametrize("seed", range(5))
def test_few_queries_are_tested_by_every_exchange_there_is(seed: int) -> None:
    random = np.random.default_rng(seed)
    a, b = random.integers(0, 5, (2, 11)) / 4
    sums = [abs(sum(sign * d for sign, d in zip(signs, a - b, strict=True))) for signs in product([1, -1], repeat=11)]
    expected = sum(value >= abs((a - b).sum()) - 1e-12 for value in sums) / len(sums)
    assert paired_test(a.tolist(), b.tolist()).p == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("shift", [0.0, 0.02, 0.05])
def test_many_queries_agree_with_scipy(shift: float) -> None:
    random = np.random.default_rng(3)
    a = random.random(200)
    b = a + random.normal(shift, 0.2, 200)
    theirs = permutation_test(
        (a, b),
        lambda x, y: np.mean(x - y),
        permutation_type="samples",
        n_resamples=20_000,
        rng=np.random.default_rng(1),
    )
    assert paired_test(a.tolist(), b.tolist()).p == pytest.approx(theirs.pvalue, abs=0.02)


def test_chance_alone_is_called_real_one_time_in_twenty() -> None:
    random = np.random.default_rng(0)
    ps = [paired_test(*random.random((2, 40)).tolist(), flips=999, seed=n).p for n in range(400)]
    assert np.mean(np.array(ps) < 0.05) == pytest.approx(0.05, abs=0.03)


def test_equal_rankings_have_a_p_of_one_and_unlike_lists_are_refused() -> None:
    assert paired_test([0.1] * 300, [0.1] * 300).p == 1
    with pytest.raises(BadValue, match="two values for each query"):
        paired_test([1.0], [1.0, 0.5])
    with pytest.raises(BadValue):
        paired_test([], [])


def test_the_test_is_the_same_every_time_and_in_both_directions() -> None:
    a, b = np.random.default_rng(5).random((2, 100)).tolist()
    assert paired_test(a, b) == paired_test(a, b)
    assert paired_test(a, b).p == paired_test(b, a).p


def test_runs_are_compared_query_by_query_and_a_missing_query_counts_nothing() -> None:
    qrels = {"q1": {"d1": 1}, "q2": {"d2": 1}, "q3": {"d3": 1}}
    first = {"q1": {"d1": 2.0, "d2": 1.0}, "q2": {"d1": 2.0, "d2": 1.0}}
    second = {"q1": {"d2": 2.0, "d1": 1.0}, "q2": {"d1": 2.0, "d2": 1.0}, "q3": {"d3": 1.0}}
    tests = compare_values([query_values(qrels, first)], [query_values(qrels, second)])
    assert (tests["P@1"].better, tests["P@1"].worse, tests["P@1"].equal) == (1, 1, 1)
    assert tests["MRR@10"].first == pytest.approx((1 + 0.5 + 0) / 3)
    assert tests["MRR@10"].second == pytest.approx((0.5 + 0.5 + 1) / 3)
    assert list(tests) == list(MEASURES)


WORDS = ["river", "bank", "money", "boat", "hello", "world", "water", "account", "test", "year", "model", "layer"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty documents, some of several passages, and thirty questions of words of theirs."""
    random = np.random.default_rng(11)
    texts = [" ".join(random.choice(WORDS, random.integers(3, 60))) for _ in range(40)]
    corpus = [{"_id": f"d{n}", "title": "", "text": text} for n, text in enumerate(texts)]
    queries = {f"q{n}": " ".join(random.choice(texts[n].split(), 3)) for n in range(30)}
    return write_set(
        tmp_path_factory.mktemp("comparing") / "set", corpus, queries, [(f"q{n}", f"d{n}", 1) for n in range(30)]
    )


@pytest.fixture(scope="module")
def swept(folder: Path, tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    searcher = Searcher(tmp_path_factory.mktemp("swept"), tiny_bert, chunk_tokens=32)
    rows = sweep(read_dataset(folder), searcher)
    assert not searcher.exists()  # no index is made
    return rows


def test_a_sweep_scores_every_pooling_layer_and_combination(swept: list[Any]) -> None:
    plain = [row for row in swept if not row.whitening]
    shapes = {(row.pooling.name, row.pooling.layers, row.pooling.combine) for row in plain}
    assert len(shapes) == len(plain) == 6 * (5 + 2 + 2 + 2 + 2) + 1
    assert ("pooler", (4,), "") in shapes
    assert ("mean_max", (1, 2, 3, 4), "concat") in shapes
    assert ("cls", (0, 4), "mean") in shapes
    ranks = [row.values["nDCG@10"] for row in swept]
    assert ranks == sorted(ranks, reverse=True)
    assert [(row.pooling.name, row.pooling.layers) for row in swept if row.p is None] == [("mean", (4,))]


SOME = [
    ("mean", (4,), ""), ("mean", (0,), ""), ("weighted_mean", (2,), ""), ("max", (3, 4), "mean"), ("cls", (1, 2, 3, 4), "concat"),
    ("max", (0, 1, 2, 3, 4), "concat"), ("mean_max", (0, 4), "concat"), ("mean_max", (1, 2, 3, 4), "mean"), ("sep", (3,), ""),
    ("pooler", (4,), ""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "layers", "combine"), SOME)
def test_each_row_of_a_sweep_is_what_an_index_with_that_setting_measures(
    swept: list[Any], folder: Path, tiny_bert: Path, tmp_path: Path, name: str, layers: tuple[int, ...], combine: str
) -> None:
    [row] = [
        row for row in swept
        if (row.pooling.name, row.pooling.layers, row.pooling.combine, row.whitening) == (name, layers, combine, "")
    ]  # fmt: skip
    searcher = Searcher(
        tmp_path / "index", tiny_bert, pooling=name, layers=list(layers), combine=combine or None, chunk_tokens=32
    )
    result = evaluate(read_dataset(folder), searcher)
    # Two passages whose cosines differ by less than float32 tells apart may change places, which moves MAP by 6e-5 here.
    assert row.values == pytest.approx({measure: result[measure] for measure in MEASURES}, abs=1e-3)


def test_the_p_of_a_row_is_that_of_comparing_the_two_indexes(
    swept: list[Any], folder: Path, tiny_bert: Path, tmp_path: Path
) -> None:
    [row] = [row for row in swept if (row.pooling.name, row.pooling.layers, row.whitening) == ("cls", (2,), "")]
    other = Searcher(tmp_path / "cls", tiny_bert, pooling="cls", layers=2, chunk_tokens=32)
    own = Searcher(tmp_path / "own", tiny_bert, chunk_tokens=32)
    _, _, tests = compare(read_dataset(folder), other, own)
    assert row.p == tests["nDCG@10"].p


def test_a_sweep_takes_prompts_truncation_and_special_tokens_as_an_index_does(
    folder: Path, tiny_bert: Path, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {
        "chunk_tokens": 24, "truncate": True, "special_tokens": False, "prompts": {"query": "question ", "passage": "text "},
    }  # fmt: skip
    rows = sweep(read_dataset(folder), Searcher(tmp_path / "swept", tiny_bert, **settings))
    [row] = [row for row in rows if (row.pooling.name, row.pooling.layers, row.whitening) == ("max", (3,), "")]
    assert not row.pooling.special_tokens
    result = evaluate(read_dataset(folder), Searcher(tmp_path / "one", tiny_bert, pooling="max", layers=3, **settings))
    assert row.values == pytest.approx({measure: result[measure] for measure in MEASURES}, abs=1e-3)


def whitened_by_hand(vectors: np.ndarray, sample: np.ndarray, power: float, dimension: int) -> np.ndarray:
    """Su et al. 2021 in plain numpy: centre, rotate, scale by the eigenvalues of the covariance, unit length."""
    unit = sample / np.linalg.norm(sample, axis=1, keepdims=True)
    values, directions = np.linalg.eigh(np.cov(unit.T, bias=True))
    chosen = np.argsort(values)[::-1][:dimension]
    chosen = chosen[values[chosen] > 1e-5 * values.max()]
    own = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True) - unit.mean(axis=0)) @ directions[:, chosen]
    own = own * values[chosen] ** power
    return own / np.linalg.norm(own, axis=1, keepdims=True)


@pytest.mark.parametrize(("power", "dimension"), [(-0.5, 12), (-0.5, 5), (-0.25, 12)])
def test_whitening_is_that_of_the_paper_up_to_a_rotation(power: float, dimension: int) -> None:
    random = np.random.default_rng(2)
    vectors = random.normal(size=(500, 12)) @ random.normal(size=(12, 12)) + 5
    ours = Whitening.fit(vectors.astype(np.float32), power, dimension)(vectors[:50].astype(np.float32))
    theirs = whitened_by_hand(vectors[:50], vectors, power, dimension)
    assert ours.shape == (50, dimension)
    np.testing.assert_allclose(ours @ ours.T, theirs @ theirs.T, atol=2e-3)


def test_a_component_that_does_not_vary_is_left_out() -> None:
    vectors = np.random.default_rng(8).normal(size=(200, 6)).astype(np.float32)
    vectors -= vectors.mean(axis=1, keepdims=True)  # as a layer normalisation does
    whitened = Whitening.fit(vectors)(vectors)
    assert whitened.shape == (200, 5)
    assert np.isfinite(whitened).all()


def test_a_whitening_of_too_few_vectors_is_refused() -> None:
    vectors = np.eye(8, dtype=np.float32)
    with pytest.raises(BadValue, match="there are 8"):
        Whitening.fit(vectors, dimension=8)
    with pytest.raises(BadValue, match="1 to 8"):
        Whitening.fit(vectors, dimension=9)


@pytest.mark.parametrize(("name", "power"), [("whitened", -0.5), ("half-whitened", -0.25)])
def test_a_whitened_row_of_a_sweep_is_what_whitened_vectors_of_an_index_measure(
    tiny_bert: Path, tmp_path: Path, name: str, power: float
) -> None:
    random = np.random.default_rng(4)
    texts = [" ".join(random.choice(VOCABULARY, 20)) for _ in range(300)]
    corpus = [{"_id": f"d{n}", "title": "", "text": text} for n, text in enumerate(texts)]
    queries = {f"q{n}": " ".join(texts[n].split()[:4]) for n in range(20)}
    dataset = read_dataset(write_set(tmp_path / "set", corpus, queries, [(f"q{n}", f"d{n}", 1) for n in range(20)]))
    rows = sweep(dataset, Searcher(tmp_path / "index", tiny_bert))
    [row] = [row for row in rows if (row.pooling.name, row.pooling.layers, row.whitening) == ("mean", (2,), name)]
    embedder = Embedder(tiny_bert, layers=2)
    passages, questions = embedder.embed(texts), embedder.embed(list(queries.values()), "query")
    scores = np.matmul(
        whitened_by_hand(questions, passages, power, 32), whitened_by_hand(passages, passages, power, 32).T
    )
    ranks = [int((own > own[n]).sum()) + 1 for n, own in enumerate(scores)]
    assert row.values["P@1"] == pytest.approx(np.mean([rank == 1 for rank in ranks]))
    assert row.values["MRR@10"] == pytest.approx(np.mean([1 / rank if rank <= 10 else 0 for rank in ranks]))


def run(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main([str(arg) for arg in args])
    out, err = capsys.readouterr()
    return int(stop.value.code or 0), out, err


def test_eval_pooling_all_prints_a_sorted_table_and_all_rows_as_json(
    folder: Path, tiny_bert: Path, swept: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["eval", folder, "-m", tiny_bert, "--chunk-tokens", 32, "--pooling", "all"]
    code, out, _ = run(capsys, *command, "--json")
    assert code == 0
    assert json.loads(out) == [row.as_dict() for row in swept]
    _, out, _ = run(capsys, *command)
    lines = out.splitlines()
    assert lines[0].split() == ["pooling", "layers", "combine", "whitening", *MEASURES, "p"]
    assert lines[1].split()[0] == swept[0].pooling.name
    assert any(line.split()[-1:] == ["own"] for line in lines)


def test_eval_against_says_whether_the_difference_is_real(
    folder: Path, tiny_bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["eval", folder, "-m", tiny_bert, "--chunk-tokens", 32, "--pooling", "mean", "--against", "pooling=cls", "--against", "layers=0"]  # fmt: skip
    _, out, _ = run(capsys, *command, "--json")
    value = json.loads(out)
    other = Searcher(tmp_path / "cls", tiny_bert, pooling="cls", layers=0, chunk_tokens=32)
    expected = evaluate(read_dataset(folder), other)
    assert value["against"]["nDCG@10"] == pytest.approx(expected["nDCG@10"])
    assert (value["first"]["pooling"], value["against"]["pooling"], value["against"]["layers"]) == ("mean", "cls", [0])
    test = value["tests"]["nDCG@10"]
    assert test["difference"] == pytest.approx(value["first"]["nDCG@10"] - value["against"]["nDCG@10"])
    assert test["real"] == (test["p"] < 0.05)
    _, out, _ = run(capsys, *command)
    assert ("is real" in out.splitlines()[-1]) == test["real"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--against", "polling=cls"], "unknown setting for --against 'polling=cls'; known: chunk_tokens=…"),
        (["--against", "cls"], "unknown setting for --against 'cls'"),
        (["--against", "chunk-tokens=few"], "'few' is no value of chunk_tokens"),
        (["--pooling", "all", "--layers", "-1"], "--pooling all makes no index"),
        (["--pooling", "all", "--mode", "hybrid"], "--pooling all compares vectors: leave out --mode hybrid."),
        (["--plot", "map.png"], "--plot draws what --pooling all finds"),
    ],
)
def test_wrong_options_of_eval_are_one_clear_line(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str], options: list[str], problem: str
) -> None:
    folder = write_set(tmp_path / "set", CORPUS, {"q": "hello"}, [("q", "d3", 1)])
    code, _, err = run(capsys, "eval", folder, "-m", tiny_bert, *options)
    assert code in (1, 2)
    assert problem in err
    assert len(err.splitlines()) == 1


def test_a_plot_is_drawn_or_says_what_it_needs(
    folder: Path, tiny_bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["eval", folder, "-m", tiny_bert, "--chunk-tokens", 32, "--pooling", "all", "--plot"]
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        code, _, err = run(capsys, *command, tmp_path / "map.png")
        assert (code, err) == (1, "Error: a plot needs matplotlib: pip install 'searcher[plot]'\n")
        return
    assert run(capsys, *command, tmp_path / "map.png")[0] == 0
    assert (tmp_path / "map.png").read_bytes()[:4] == b"\x89PNG"
    code, _, err = run(capsys, *command, tmp_path / "map.xyz")
    assert code == 1
    assert "not 'map.xyz'" in err
