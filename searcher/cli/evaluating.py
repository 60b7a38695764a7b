"""`eval`: how good the answers are on sets with judgements, under one setting, two, or every pooling there is."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from searcher.cli.command import Command
from searcher.cli.config import MODES
from searcher.cli.evaluations import show_comparisons, show_results, show_sweep
from searcher.cli.options import json_option, mode_option, open_searcher, settings_options
from searcher.cli.output import progress_bar
from searcher.cli.values import Number
from searcher.errors import BadValue, UnknownName

if TYPE_CHECKING:
    from searcher.evaluation import Dataset
    from searcher.ranking import Mode
    from searcher.search import Searcher


@click.command("eval", cls=Command, examples=[
    ("eval scifact/", "how good the answers are on a set in BEIR layout"),
    ("eval scifact/ --against mode=hybrid", "is another setting really better?"),
    ("eval sets/* --mode hybrid", "several sets and their means"),
    ("eval scifact/ --pooling all --plot poolings.png", "every pooling and layer"),
])  # fmt: skip
@click.argument("datasets", type=click.Path(path_type=Path), metavar="DIR...", nargs=-1, required=True)
@click.option("-i", "--index", "folder", type=click.Path(path_type=Path), metavar="DIR",
              help="Keep the index here (of several sets: in folders of their names), and use it again. "
              "[default: a temporary one]")  # fmt: skip
@click.option(
    "--ids", default="*", metavar="PATTERN", help="Only documents and queries with ids like this, such as 'en-*'."
)
@click.option("--truncate", is_flag=True, default=None, help="One passage a document, cut at --chunk-tokens, as "
              "published figures are often made.")  # fmt: skip
@click.option("--relevant", type=Number(), metavar="GRADE", help="The least grade that makes a document relevant; nDCG "
              "counts all. [default: any above 0]")  # fmt: skip
@mode_option
@click.option("--against", multiple=True, metavar="SETTING=VALUE", help="Compare with this other setting, such as "
              "pooling=cls or mode=hybrid, and whether it is real; may be given several times.")  # fmt: skip
@click.option("--run", type=click.Path(path_type=Path), metavar="FILE", help="Write the rankings in TREC's format, for "
              "trec_eval and ir_measures; of several sets: FILE, the set's name before its suffix.")  # fmt: skip
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE",
              help="With --pooling all: a heat map of layers and poolings; needs matplotlib.")  # fmt: skip
@json_option
@settings_options
def eval_command(
    datasets: tuple[Path, ...], folder: Path | None, ids: str, relevant: float | None, mode: "Mode | None",
    against: tuple[str, ...], run: Path | None, plot: Path | None, as_json: bool, **settings: Any,
) -> None:  # fmt: skip
    """Measure nDCG@10, P@1, MRR@10, recall and MAP on each DIR, a set in BEIR layout.

    DIR holds corpus.jsonl or faq.jsonl, queries.jsonl and qrels/test.tsv, in BEIR's columns or TREC's, whose grades
    may be fractions. A document ranks by its best passage. Of several sets the means are those of the sets' means.

    --pooling all scores every pooling, layer and combination, out of one forward pass a text; p says how probable so
    great a difference from the model's own setting is by chance. --against tests two settings: a paired randomisation
    test over the queries, 10,000 times.
    """
    from searcher.evaluation import check_relevant, read_dataset

    every = settings["pooling"] == "all"
    if plot and not every:
        raise click.UsageError("--plot draws what --pooling all finds; give that too.")
    if every and (folder or against or settings["layers"] or settings["combine"]):
        raise click.UsageError("--pooling all makes no index and tries all layers and combinations: leave out --index, "
                               "--layers, --combine and --against.")  # fmt: skip
    if every and mode not in (None, "dense"):
        raise click.UsageError(f"--pooling all compares vectors: leave out --mode {mode}.")
    if run and (every or against):
        raise click.UsageError("--run writes the rankings of one setting: leave out --pooling all and --against.")
    mode = mode or "dense"
    other = _other(settings | {"mode": mode}, against)
    asked = Asked(folder, mode, other.pop("mode"), settings, other, relevant)
    check_relevant(relevant)
    sets = _told_apart([read_dataset(each, ids) for each in datasets])
    if every:
        _sweep(sets, plot, as_json, asked)
    elif against:
        _compare(sets, as_json, asked)
    else:
        _measure(sets, run, as_json, asked)


@dataclass(frozen=True)
class Asked:
    """How to ask: the setting, the one that it is compared with, and where indexes are kept."""

    folder: Path | None
    mode: "Mode"
    other_mode: "Mode"
    settings: Mapping[str, Any]
    other: Mapping[str, Any]
    relevant: float | None

    @contextmanager
    def index(self, name: str | None, settings: Mapping[str, Any]) -> Iterator["Searcher"]:
        """The index of a set, that of `name` where there are several; a temporary one is removed."""
        with TemporaryDirectory() as temporary:
            folder = self.folder or Path(temporary) / "index"
            searcher = open_searcher(folder / name if name and self.folder else folder, make=True, **settings)
            try:
                yield searcher
            finally:
                searcher.close()


def _told_apart(sets: list["Dataset"]) -> dict[str | None, "Dataset"]:
    """The sets by their names, a single one by None. BadValue for two of the same name."""
    names = [read.name for read in sets]
    if twice := {name for name in names if names.count(name) > 1}:
        raise BadValue(f"two sets are called {min(twice)!r}; rename a folder")
    return {read.name: read for read in sets} if len(sets) > 1 else {None: sets[0]}


def _other(settings: dict[str, Any], against: tuple[str, ...]) -> dict[str, Any]:
    """The settings with those of --against in their place. UnknownName, BadValue."""
    kinds: dict[str, Callable[[str], Any]] = {
        "chunk_tokens": int,
        "overlap": int,
        "mode": str,
        "context": _yes,
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
            changes[name] = kinds.get(name, str)(value.strip() if name in kinds else value)
        except ValueError:
            raise BadValue(f"--against {text}: {value!r} is no value of {name}") from None
    if (mode := changes.get("mode", MODES[0])) not in MODES:
        raise UnknownName("mode", mode, MODES)
    return settings | changes


def _yes(value: str) -> bool:
    """ValueError for what is neither."""
    return bool(("no", "yes", "false", "true").index(value.lower()) % 2)


def _measure(sets: dict[str | None, "Dataset"], run: Path | None, as_json: bool, asked: Asked) -> None:
    """One setting on each set."""
    from searcher.evaluation import check_run, evaluated, write_run

    files = {name: run.with_stem(f"{run.stem}-{name}") if run and name else run for name in sets}
    for name, file in files.items():
        if file:
            check_run(file, [*sets[name].queries, *(document.source for document in sets[name].documents)])
    results = []
    for name, read in sets.items():
        with asked.index(name, asked.settings) as searcher, progress_bar("documents") as progress:
            found = evaluated(read, searcher, progress, asked.mode, asked.relevant)
        results.append(found.result)
        if file := files[name]:
            write_run(file, found.run, f"searcher-{asked.mode}")
    show_results(results, as_json)


def _compare(sets: dict[str | None, "Dataset"], as_json: bool, asked: Asked) -> None:
    """Two settings side by side on each set, and whether nDCG@10 differs."""
    from searcher.evaluation import both

    pairs = []
    for name, read in sets.items():
        with asked.index(name, asked.settings) as first, TemporaryDirectory() as temporary:
            alike = asked.other == asked.settings  # only the mode differs: one index is enough
            second = first if alike else open_searcher(Path(temporary) / "other", make=True, **asked.other)
            with progress_bar("documents") as progress:
                pairs.append(both(read, first, second, progress, (asked.mode, asked.other_mode), asked.relevant))
            second.close()
    show_comparisons(pairs, as_json)


def _sweep(sets: dict[str | None, "Dataset"], plot: Path | None, as_json: bool, asked: Asked) -> None:
    """Every pooling on each set: the best rows as a table, all of them as JSON and in a picture."""
    from searcher.evaluation import averaged, sweep

    if plot:
        from searcher.evaluation import check_plot, draw

        check_plot(plot)
    swept = []
    for read in sets.values():
        with TemporaryDirectory() as temporary:
            searcher = open_searcher(Path(temporary), make=True, **(dict(asked.settings) | {"pooling": None}))
            with progress_bar("documents") as progress:
                swept.append(sweep(read, searcher, progress, asked.relevant))
    rows = swept[0] if len(swept) == 1 else averaged(swept)
    if plot:
        draw(rows, ", ".join(read.name for read in sets.values()), plot)
    show_sweep(rows, as_json)
