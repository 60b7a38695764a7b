"""How what `eval` found looks: one set as a list, several as a table with means, comparisons, the rows of a sweep."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from searcher.cli.output import show_pairs, show_table
from searcher.cli.terminal import echo, show_json

if TYPE_CHECKING:
    from searcher.evaluation import Comparison, Evaluated, Scored

__all__ = ["show_comparisons", "show_results", "show_sweep"]

SHOWN = 20  # rows of the table of a sweep
MAIN = "nDCG@10"


def show_results(results: Sequence[dict[str, Any]], as_json: bool) -> None:
    """What was measured on one set; on several a line for each, and the means of them."""
    from searcher.evaluation import MEASURES

    if len(results) == 1:
        [result] = results
        if as_json:
            show_json(result)
            return
        show_pairs({name: f"{value:.4f}" if isinstance(value, float) else value for name, value in result.items()})
        return
    mean = {name: sum(result[name] for result in results) / len(results) for name in MEASURES}
    if as_json:
        show_json({"sets": list(results), "mean": mean})
        return
    lines = [(result["dataset"], result["documents"], result["queries"], result) for result in results]
    totals = ("mean", *(sum(result[name] for result in results) for name in ("documents", "queries")), mean)
    show_table(
        [(*first, *(f"{values[name]:.4f}" for name in MEASURES)) for *first, values in [*lines, totals]],
        ("set", "documents", "queries", *MEASURES),
    )


def show_comparisons(pairs: Sequence[tuple["Evaluated", "Evaluated"]], as_json: bool) -> None:
    """Two settings side by side: every measure of one set, nDCG@10 of each of several; and whether that differs."""
    from searcher.evaluation import FLIPS, compare_values

    tests = [compare_values([first.values], [second.values]) for first, second in pairs]
    over_all = (
        tests[0]
        if len(pairs) == 1
        else compare_values(*([own.values for own in side] for side in zip(*pairs, strict=True)))
    )
    if as_json:
        values = [
            {
                "first": first.result,
                "against": second.result,
                "tests": {name: each.as_dict() for name, each in own.items()},
            }
            for (first, second), own in zip(pairs, tests, strict=True)
        ]
        mean = {name: each.as_dict() for name, each in over_all.items()}
        show_json(values[0] if len(values) == 1 else {"sets": values, "tests": mean})
        return
    if len(pairs) == 1:
        rows = list(over_all.items())
    else:
        rows = [(first.result["dataset"], own[MAIN]) for (first, _), own in zip(pairs, tests, strict=True)]
        rows.append(("mean", over_all[MAIN]))
    heading = "measure" if len(pairs) == 1 else f"set, {MAIN}"
    show_table(
        [_row(name, test) for name, test in rows],
        (heading, "first", "against", "difference", "p", "better", "worse", "equal"),
    )
    main = over_all[MAIN]
    queries = sum(len(first.values[MAIN]) for first, _ in pairs)
    verdict = "real" if main.real else "not shown to be real: chance alone does as much"
    echo(f"{MAIN}: the difference of {main.difference:+.4f} is {verdict} (p = {main.p:.4f}, paired "
         f"randomisation test, {FLIPS:,} sign flips, {queries:,} queries)")  # fmt: skip


def _row(name: str, test: "Comparison") -> tuple[Any, ...]:
    numbers = (f"{test.first:.4f}", f"{test.second:.4f}", f"{test.difference:+.4f}", f"{test.p:.4f}")
    return (name, *numbers, test.better, test.worse, test.equal)


def show_sweep(rows: Sequence["Scored"], as_json: bool) -> None:
    """Every pooling: the best rows as a table, all of them as JSON."""
    if as_json:
        show_json([row.as_dict() for row in rows])
        return
    measures = list(rows[0].values)
    shown = [row for number, row in enumerate(rows) if number < SHOWN or row.p is None]
    show_table(
        [
            (
                row.pooling.name,
                row.layers,
                row.pooling.combine,
                row.whitening,
                *(f"{row.values[name]:.4f}" for name in measures),
                "own" if row.p is None else f"{row.p:.4f}",
            )
            for row in shown
        ],
        ("pooling", "layers", "combine", "whitening", *measures, "p"),
    )
    echo(f"{len(rows)} settings; --json lists all. p: nDCG@10 against the model's own setting (own); the best of "
         "many is partly luck: confirm it on other questions.")  # fmt: skip
