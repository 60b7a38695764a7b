"""`ask` and `faq`: questions to the FAQ entries, and the entries' upkeep."""

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from searcher.cli.command import Command, Group
from searcher.cli.options import (
    folder_option,
    json_option,
    model_options,
    open_searcher,
    reading,
    reading_options,
    settings_options,
)
from searcher.cli.output import progress_bar, show_answer, show_report, show_table
from searcher.cli.terminal import bold, dim, echo, show_json
from searcher.system import shown

if TYPE_CHECKING:
    from searcher.faq import Calibrated

__all__ = ["ask_command", "faq_command"]

NO_ANSWER = dict.fromkeys(("answer", "question", "source", "score", "probability", "margin"))
PRECISIONS = ("0.8", "0.9", "0.95")


@click.command("ask", cls=Command, examples=[
    ("ask how do I reset my password", "the words are one question"),
    ("ask how do I reset my password --min-probability 0.8", "only if it is sure"),
])  # fmt: skip
@click.argument("question", nargs=-1, required=True, metavar="QUESTION…")
@folder_option
@click.option("--min-probability", type=float, metavar="P", help="No answer that is right with a lower probability; "
              "needs `faq calibrate`.")  # fmt: skip
@click.option("--min-score", type=float, metavar="SCORE", help="No answer below this score, about 0 to 1.")
@json_option
@model_options
def ask_command(
    question: tuple[str, ...], folder: Path | None, min_probability: float | None, min_score: float | None,
    as_json: bool, **settings: Any,
) -> None:  # fmt: skip
    """Answer QUESTION with the FAQ entry that fits it best.

    Entries come from `searcher faq add`, or from rows with a question and an answer given to `add`. Printed are the
    answer, the entry's question nearest to yours, where it stands, how well it fits and by how much better than the
    next entry; and after `searcher faq calibrate` the probability that it is right. Without that a score only ranks:
    0.6 may be sure in one FAQ and a guess in another.
    """
    searcher = open_searcher(folder, **settings)
    answer = searcher.answer(" ".join(question), min_score, min_probability)
    if as_json:
        show_json(answer.as_dict() if answer else NO_ANSWER)
        return
    show_answer(answer, searcher.faq)


faq_command = Group("faq", help="Add FAQ entries, look after them, and learn how far their answers can be trusted.")


@faq_command.command("add", examples=[
    ("faq add faq.csv", "columns question and answer"),
    ("faq add help.md --no-answers", "headings that ask; only the questions are embedded"),
])  # fmt: skip
@click.argument("paths", nargs=-1, required=True, metavar="FILE…")
@folder_option
@click.option("--answers/--no-answers", default=True, show_default=True, help="Embed the answers too, so that an entry "
              "is also found by what it says; leave out where they are mere labels.")  # fmt: skip
@reading_options
@click.option("--prune", is_flag=True, help="Remove what came from these paths and is there no more.")
@click.option("--dry-run", is_flag=True, help="Read and count; write nothing.")
@json_option
@settings_options
@click.pass_context
def add_command(
    ctx: click.Context, /, paths: tuple[str, ...], folder: Path | None, answers: bool, encoding: str | None,
    column_types: tuple[str, ...], prune: bool, dry_run: bool, as_json: bool, **settings: Any,
) -> None:  # fmt: skip
    """Index FAQ files: many ways of asking, one answer.

    CSV, TSV, JSON and JSONL with columns question and answer, and if you like id and phrasings (a list, or parted
    by |); rows with the same answer are one entry. Markdown with questions as headings, where headings that follow
    each other share an answer, or with definition lists (lines that ask, then `: answer`). A later `add` of the file
    leaves it a FAQ. Exit 1 if something failed; the rest is indexed all the same.
    """
    how = reading(encoding, column_types)
    searcher = open_searcher(folder, make=True, **settings)
    with progress_bar() as progress:
        report = searcher.add_faq(paths, answers=answers, prune=prune, dry_run=dry_run, progress=progress, **how)
    if as_json:
        show_json(report.as_dict())
    else:
        show_report(report, dry_run)
    ctx.exit(1 if report.failed else 0)


@faq_command.command("lint", examples=[
    ("faq lint", "what contradicts or repeats what"),
])  # fmt: skip
@folder_option
@click.option("--alike", type=float, default=0.95, show_default=True, metavar="COSINE", help="From where on two "
              "questions count as the same.")  # fmt: skip
@json_option
@click.pass_context
def lint_command(ctx: click.Context, /, folder: Path | None, alike: float, as_json: bool) -> None:
    """Find entries that contradict or repeat each other, and phrasings that another entry would answer.

    conflict: the same question with different answers. duplicate: the same question and answer twice. unreachable: a
    phrasing that, were it not there, would be nearest to another entry's phrasing than to any of its own. Exit 1 if
    there is a conflict.
    """
    findings = open_searcher(folder).faq.lint(alike)
    if as_json:
        show_json([finding._asdict() for finding in findings])
    else:
        for finding in findings:
            echo(bold(finding.kind), f"  {finding.cosine:.3f}")
            echo(f"    {finding.question}  ({shown(finding.source)})")
            echo(f"    {finding.other}  ({shown(finding.other_source)})")
        kinds = [finding.kind for finding in findings]
        echo(", ".join(f"{kinds.count(kind)} {name}" for kind, name in KINDS.items()))
    ctx.exit(1 if any(finding.kind == "conflict" for finding in findings) else 0)


KINDS = {"conflict": "conflicts", "duplicate": "duplicates", "unreachable": "unreachable phrasings"}


@faq_command.command("log", examples=[
    ("faq log --on", "keep questions without an answer from now on"),
    ("faq log", "which entries are missing"),
])  # fmt: skip
@folder_option
@click.option("--on/--off", "on", default=None, help="Keep questions that had no answer from now on, or no more.")
@click.option("--forget", is_flag=True, help="Forget the questions kept so far.")
@click.option("--near", type=float, default=0.6, show_default=True, metavar="COSINE", help="Questions so near to "
              "the one in the middle are one group.")  # fmt: skip
@json_option
def log_command(folder: Path | None, on: bool | None, forget: bool, near: float, as_json: bool) -> None:
    """Show the questions that had no answer, those that ask for the same together: the entries that are missing.

    Nothing is kept until you say --on; then `ask` keeps a question that had no answer, or none sure enough, in
    searcher.db on this machine, which only you can read.
    """
    faq = open_searcher(folder).faq
    if on is not None:
        faq.log(on)
    if forget:
        faq.forget()
    if on is not None or forget:
        text = f"questions without an answer are {'' if faq.is_logging() else 'not '}kept"
        echo(json.dumps({"logging": faq.is_logging(), "forgotten": forget}) if as_json else text)
        return
    groups = faq.unanswered(near)
    if as_json:
        show_json([group._asdict() for group in groups])
        return
    for group in groups:
        echo(f"{group.times:>3} ×  ", bold(group.question), f"  ({group.last})")
        for question in group.questions[1:]:
            echo(f"       {question}")
        if group.nearest is not None:
            echo(dim(f"       nearest entry, {group.score:.3f}: {group.nearest}"))
    if not groups:
        echo("no question is kept" + ("" if faq.is_logging() else "; to keep them: searcher faq log --on"))


@faq_command.command("calibrate", examples=[
    ("faq calibrate --labelled asked.csv", "from real questions, those without an answer among them"),
    ("faq calibrate", "from the FAQ's own phrasings"),
])  # fmt: skip
@folder_option
@click.option("--labelled", type=click.Path(path_type=Path), metavar="FILE", help="Table of questions (column question "
              "or text) and the right answer: its text, or its entry's id or source; empty if none.")  # fmt: skip
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE", help="Draw precision against coverage; needs "
              "matplotlib.")  # fmt: skip
@json_option
def calibrate_command(folder: Path | None, labelled: Path | None, plot: Path | None, as_json: bool) -> None:
    """Learn the probability that an answer is right, for `ask --min-probability`.

    Best from real questions (--labelled), those without an answer among them. Without, each phrasing is asked while it
    is not there, and again while its whole entry is not there, so that half of the questions have no answer: real
    questions are harder than that, and the probabilities then too high. The figures are cross-validated.
    """
    if plot and find_spec("matplotlib") is None:
        raise click.ClickException("--plot needs matplotlib: pip install matplotlib")
    searcher = open_searcher(folder)
    with progress_bar("phrasings") as progress:
        done = searcher.faq.calibrate(labelled, progress)
    if plot:
        _draw(done, plot)
    report = done.calibration.report
    if as_json:
        show_json(report)
        return
    echo(f"calibrated with {report['questions']:,} questions ({report['how']}), cross-validated:")
    echo(f"  answers that are right           {report['right']:.1%}")
    echo(f"  right told from wrong (AUROC)    {report['AUROC']:.3f}")
    echo(f"  error of the probability (ECE)   {report['ECE']:.3f}, by chance {report['perfect_ECE']:.3f}")
    rows = [_reached(report, share) for share in PRECISIONS]
    show_table(rows, ("right at least", "answered", "ask --min-probability"))


def _reached(report: dict[str, Any], share: str) -> Sequence[str]:
    threshold = report["threshold"][share]
    return f"{float(share):.0%}", f"{report['coverage'][share]:.1%}", "–" if threshold is None else f"{threshold:.3f}"


def _draw(done: "Calibrated", file: Path) -> None:
    """Precision against coverage, into a file of any kind that matplotlib writes."""
    import matplotlib

    from searcher.faq import precision_by_coverage

    matplotlib.use("Agg")
    from matplotlib import pyplot

    _, coverage, precision = precision_by_coverage(done.probability, done.right)
    figure, axes = pyplot.subplots(figsize=(6, 4))
    axes.plot(coverage, precision)
    axes.set(xlabel="share of the questions answered", ylabel="share of the answers right", xlim=(0, 1), ylim=(0, 1.02))
    axes.grid(alpha=0.3)
    figure.tight_layout()
    try:
        figure.savefig(file, dpi=110)
    except ValueError as fault:  # a suffix that matplotlib does not know
        raise click.ClickException(f"{file}: {fault}") from None
    finally:
        pyplot.close(figure)
