"""`eval`: how good the answers are on a set with judgements, under one setting, two, or every pooling there is."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from searcher.cli.command import Command
from searcher.cli.options import json_option, mode_option, open_searcher, settings_options
from searcher.cli.output import progress_bar, show_pairs, show_table
from searcher.cli.terminal import echo, show_json
from searcher.errors import BadValue, UnknownName

if TYPE_CHECKING:
    from searcher.evaluation import Dataset

SHOWN = 20  # rows of the table of a sweep


@click.command("eval", cls=Command, examples=[
    ("eval scifact/", "how good the answers are on a set in BEIR layout"),
    ("eval scifact/ --against mode=hybrid", "is another setting really better?"),
    ("eval scifact/ --pooling all --plot poolings.png", "every pooling and layer"),
])  # fmt: skip
@click.argument("dataset", type=click.Path(path_type=Path), metavar="DIR")
@click.option("-i", "--index", "folder", type=click.Path(path_type=Path), metavar="DIR",
              help="Keep the index here, and use it again. [default: a temporary one]")  # fmt: skip
@click.option(
    "--ids", default="*", metavar="PATTERN", help="Only documents and queries with ids like this, such as 'en-*'."
)
@click.option("--truncate", is_flag=True, default=None, help="One passage a document, cut at --chunk-tokens, as "
              "published figures are often made.")  # fmt: skip
@mode_option
@click.option("--against", multiple=True, metavar="SETTING=VALUE", help="Compare with this other setting, such as "
              "pooling=cls or mode=hybrid, and whether it is real; may be given several times.")  # fmt: skip
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE",
              help="With --pooling all: a heat map of layers and poolings; needs matplotlib.")  # fmt: skip
@json_option
@settings_options
def eval_command(
    dataset: Path, folder: Path | None, ids: str, mode: str | None, against: tuple[str, ...], plot: Path | None,
    as_json: bool, **settings: Any,
) -> None:  # fmt: skip
    """Measure nDCG@10, P@1, MRR@10, recall and MAP on DIR, a set in BEIR layout.

    DIR holds corpus.jsonl or faq.jsonl, queries.jsonl and qrels/test.tsv. A document ranks by its best passage.

    --pooling all scores every pooling, layer and combination, out of one forward pass a text; p says how probable so
    great a difference from the model's own setting is by chance. --against tests two settings: a paired randomisation
    test over the queries, 10,000 times.
    """
    from searcher.evaluation import evaluate, read_dataset

    mode = mode or "dense"
    every = settings["pooling"] == "all"
    if plot and not every:
        raise click.UsageError("--plot draws what --pooling all finds; give that too.")
    if every and (folder or against or settings["layers"] or settings["combine"]):
        raise click.UsageError("--pooling all makes no index and tries all layers and combinations: leave out --index, "
                               "--layers, --combine and --against.")  # fmt: skip
    other = _other(settings | {"mode": mode}, against)
    modes = mode, other.pop("mode")
    read = read_dataset(dataset, ids)
    if every:
        _sweep(read, plot, as_json, settings)
        return
    with TemporaryDirectory() as temporary:
        searcher = open_searcher(folder or Path(temporary) / "index", make=True, **settings)
        if against:
            alike = other == settings  # only the mode differs: one index is enough
            second = searcher if alike else open_searcher(Path(temporary) / "other", make=True, **other)
            _compare(read, searcher, second, modes, as_json)
            return
        with progress_bar("documents") as progress:
            result = evaluate(read, searcher, progress, mode)
        searcher.close()
    if as_json:
        show_json(result)
    else:
        show_pairs({name: f"{value:.4f}" if isinstance(value, float) else value for name, value in result.items()})


def _other(settings: dict[str, Any], against: tuple[str, ...]) -> dict[str, Any]:
    """The settings with those of --against in their place. UnknownName, BadValue."""
    kinds: dict[str, Callable[[str], Any]] = {
        "chunk_tokens": int,
        "overlap": int,
        "special_tokens": _yes,
        "torch_weights": _yes,
        "truncate": _yes,
    }
    changes: dict[str, Any] = {}
    for text in against:
        name, equals, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or name not in settings:
            raise UnknownName("setting for --against", text, (f"{known}=…" for known in settings))
        try:
            changes[name] = kinds.get(name, str)(value)
        except ValueError:
            raise BadValue(f"--against {text}: {value!r} is no value of {name}") from None
    return settings | changes


def _yes(value: str) -> bool:
    """ValueError for what is neither."""
    return bool(("no", "yes").index(value.lower()))


def _sweep(dataset: "Dataset", plot: Path | None, as_json: bool, settings: dict[str, Any]) -> None:
    """Every pooling: the best rows as a table, all of them as JSON and in a picture."""
    from searcher.evaluation import sweep

    if plot:
        from searcher.evaluation import check_plot, draw

        check_plot(plot)
    with TemporaryDirectory() as temporary:
        searcher = open_searcher(Path(temporary), make=True, **(settings | {"pooling": None}))
        with progress_bar("documents") as progress:
            rows = sweep(dataset, searcher, progress)
    if plot:
        draw(rows, dataset.name, plot)
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


def _compare(dataset: "Dataset", first: Any, second: Any, modes: tuple[str, str], as_json: bool) -> None:
    """Two settings side by side, and whether nDCG@10 differs."""
    from searcher.evaluation import FLIPS, compare

    with progress_bar("documents") as progress:
        ours, theirs, tests = compare(dataset, first, second, progress, modes)
    first.close()
    second.close()
    if as_json:
        show_json({"first": ours, "against": theirs, "tests": {name: test.as_dict() for name, test in tests.items()}})
        return
    show_table(
        [
            (
                name,
                f"{test.first:.4f}",
                f"{test.second:.4f}",
                f"{test.difference:+.4f}",
                f"{test.p:.4f}",
                test.better,
                test.worse,
                test.equal,
            )
            for name, test in tests.items()
        ],
        ("measure", "first", "against", "difference", "p", "better", "worse", "equal"),
    )
    main = tests["nDCG@10"]
    verdict = "real" if main.real else "not shown to be real: chance alone does as much"
    echo(f"nDCG@10: the difference of {main.difference:+.4f} is {verdict} (p = {main.p:.4f}, paired "
               f"randomisation test, {FLIPS:,} sign flips, {len(dataset.queries)} queries)")  # fmt: skip
