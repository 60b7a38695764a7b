"""`faq`: the entries of a FAQ, their upkeep, and how far their answers can be trusted."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from searcher.cli.asking import least_options
from searcher.cli.command import Group
from searcher.cli.options import (
    folder_option,
    json_option,
    open_searcher,
    reading,
    reading_options,
    settings_options,
)
from searcher.cli.output import progress_bar, show_pairs, show_report, show_table
from searcher.cli.searching import one_format
from searcher.cli.terminal import bold, columns, dim, echo, fitted, name_of, show_json
from searcher.cli.values import Number

if TYPE_CHECKING:
    from searcher.faq import Calibrated

__all__ = ["faq_command"]

PRECISIONS = ("0.8", "0.9", "0.95")
ENOUGH = 50  # questions with their answers from which on a calibration needs no advice
UNANSWERED = 10  # of these without one


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
@click.option("--alike", type=Number(above=0, most=1), default=0.95, show_default=True, metavar="COSINE",
              help="From where on two "
              "questions count as the same.")  # fmt: skip
@json_option
@click.pass_context
def lint_command(ctx: click.Context, /, folder: Path | None, alike: float, as_json: bool) -> None:
    """Find entries that contradict or repeat each other, and phrasings that another entry would answer.

    conflict: the same question with different answers. duplicate: the same question and answer twice. unreachable: a
    phrasing that, were it not there, would be nearest to another entry's phrasing than to any of its own. uneven: a
    file whose answers are not embedded, so that those of others count for nothing beside it; `faq add` it to have all
    alike. Exit 1 if there is a conflict.
    """
    findings = open_searcher(folder).faq.lint(alike)
    if as_json:
        show_json([finding._asdict() for finding in findings])
    else:
        for finding in findings:
            echo(bold(finding.kind), f"  {finding.cosine:.3f}")
            echo(f"    {finding.question}  ({name_of(finding.source)})")
            echo(f"    {finding.other}  ({name_of(finding.other_source)})")
        kinds = [finding.kind for finding in findings]
        echo(", ".join(f"{kinds.count(kind)} {name}" for kind, name in KINDS.items()))
    ctx.exit(1 if any(finding.kind == "conflict" for finding in findings) else 0)


KINDS = {"conflict": "conflicts", "duplicate": "duplicates", "unreachable": "unreachable phrasings",
         "uneven": "uneven files"}  # fmt: skip


@faq_command.command("log", examples=[
    ("faq log --on", "keep questions without an answer from now on"),
    ("faq log", "which entries are missing"),
])  # fmt: skip
@folder_option
@click.option("--on/--off", "on", default=None, help="Keep questions that had no answer from now on, or no more.")
@click.option("--forget", is_flag=True, help="Forget the questions kept so far.")
@click.option("--near", type=Number(above=0, most=1), default=0.6, show_default=True, metavar="COSINE",
              help="Questions so near to "
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
    ("faq calibrate --labelled asked.csv --unanswerable 0.2", "one question in five asks for what the FAQ lacks"),
    ("faq calibrate", "from the FAQ's own phrasings"),
])  # fmt: skip
@folder_option
@click.option("--labelled", type=click.Path(path_type=Path), metavar="FILE", help="Table of questions (column "
              "question, text or query) and the right answer: its text, or its entry's id, source or question; empty "
              "if none.")  # fmt: skip
@click.option("--unanswerable", type=Number(0, 1), metavar="SHARE",
              help="How many of the questions asked in daily use have no answer, 0 to 1. [default: as in FILE, but 0.4 "
              "at least where it has fewer than ten of them]")  # fmt: skip
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE", help="Draw precision against coverage; needs "
              "matplotlib.")  # fmt: skip
@json_option
def calibrate_command(
    folder: Path | None, labelled: Path | None, unanswerable: float | None, plot: Path | None, as_json: bool
) -> None:
    """Learn the probability that an answer is right, for `ask --min-probability`.

    Best from real questions (--labelled), those without an answer among them. Where fewer than ten have none, such are
    made, and it is said: each question once more while its entry is not there, and general questions of topics that
    the FAQ does not know. Without a file each phrasing is asked while it is not there, and such are made too. A FAQ
    that has too few phrasings for that gets, with the bundled model, the shipped default, learned from other FAQs.
    What few questions do not tell is taken from it as well. The figures are cross-validated.
    """
    if plot:
        from searcher.evaluation import check_plot

        check_plot(plot)
    searcher = open_searcher(folder)
    with progress_bar("questions") as progress:
        done = searcher.faq.calibrate(labelled, progress, unanswerable)
    report = done.calibration.report
    if plot and not len(done.right):
        raise click.ClickException("there is nothing to draw: the FAQ has the shipped default; give --labelled FILE")
    if plot:
        _draw(done, plot)
    if as_json:
        show_json(report)
        return
    if report["questions"]:
        _show_measures(report)
    else:
        echo("too few phrasings to learn from: the shipped default holds, learned from other FAQs, not checked on this")
    rows = [_reached(report, share) for share in PRECISIONS]
    show_table(rows, ("right at least", "answered", "ask --min-probability"))
    echo(dim(EXPLAINED))
    if report["questions"] < ENOUGH or sum(report["made"].values()):
        echo(dim(ADVICE))


EXPLAINED = (
    "With `ask --min-probability P` only what is right with a probability of P or more is an answer: then so many of\n"
    "the questions are answered, and so many of these answers are right. Without it 0.15 is enough."
)
ADVICE = (
    f"For better ones write the right answer beside {ENOUGH} questions that were really asked, none beside those that\n"
    f"have none, {UNANSWERED} or more, and: faq calibrate --labelled FILE. `faq log --on` keeps what is asked in vain."
)


def _show_measures(report: dict[str, Any]) -> None:
    """What a calibration was made of, and how good it is."""
    echo(f"calibrated with {report['questions']:,} questions ({report['how']}), cross-validated:")
    if report["made"]:
        made = " and ".join(f"{count:,} {kind}" for kind, count in report["made"].items())
        echo(f"  too few are without an answer, so some were made: {made}")
        echo(f"  questions without an answer      {report['unanswerable']:.0%}, taken for what daily use has")
    if report["prior"]:
        echo("  what they do not tell            is taken from the shipped default")
    echo(f"  answers that are right           {report['right']:.1%}")
    echo(f"  right told from wrong (AUROC)    {_three(report['AUROC'])}")
    echo(f"  error of the probability (ECE)   {report['ECE']:.3f}, by chance {report['perfect_ECE']:.3f}")


def _reached(report: dict[str, Any], share: str) -> Sequence[str]:
    threshold, coverage = report["threshold"][share], report["coverage"][share]
    return f"{float(share):.0%}", "?" if coverage is None else f"{coverage:.1%}", _three(threshold)


def _three(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


@faq_command.command("list", examples=[
    ("faq list", "an entry a line: its first question, how many ways of asking, its answer"),
    ("faq list --phrasings", "every way of asking"),
])  # fmt: skip
@folder_option
@click.option("--phrasings", is_flag=True, help="Show every way of asking.")
@json_option
@click.option("--jsonl", "as_jsonl", is_flag=True, help="Print a JSON object for each entry.")
def list_command(folder: Path | None, phrasings: bool, as_json: bool, as_jsonl: bool) -> None:
    """List the entries: questions that have the same answer are one."""
    kind = one_format(None, as_json, as_jsonl)
    entries, _ = open_searcher(folder).faq.entries()
    found = [
        {
            "answer": answer,
            "questions": [row.text for row in own],
            "sources": list(dict.fromkeys(r.source for r in own)),
        }
        for answer, own in entries.by_answer()
    ]
    if kind == "json":
        show_json(found)
        return
    width = columns()
    for entry in found:
        questions, sources = entry["questions"], entry["sources"]
        if kind == "jsonl":
            show_json(entry)
            continue
        more = f"  +{len(questions) - 1}" if len(questions) > 1 and not phrasings else ""
        echo(bold(fitted(questions[0], width - len(more))), dim(more))
        for question in questions[1:] if phrasings else ():
            echo(fitted(question, width))
        echo(fitted(f"    {' '.join(str(entry['answer']).split())}", width))
        echo(
            dim(fitted(f"    {name_of(sources[0])}" + (f" and {len(sources) - 1} more" if sources[1:] else ""), width))
        )
    if kind == "table":
        echo(f"{len(found):,} entries, {len(entries.rows):,} ways of asking")


@faq_command.command("eval", examples=[
    ("faq eval asked.csv", "how the questions of a file fare"),
    ("faq eval asked.csv --min-probability 0.8", "and if only what is sure is answered"),
])  # fmt: skip
@click.argument("labelled", type=click.Path(path_type=Path), metavar="FILE")
@folder_option
@least_options
@json_option
def eval_command(
    labelled: Path, folder: Path | None, min_score: float | None, min_probability: float | None, as_json: bool
) -> None:
    """Measure the answers to the questions of FILE, whose right answers are known, as `faq calibrate --labelled` reads.

    P@1: of the questions with an answer, those whose best entry is right. answered: questions that get an answer.
    precision: answers given that are right. refused: of the questions without an answer, those that get none. AUROC:
    how well right is told from wrong. ECE: how far the probabilities are off, with a calibration made of other
    questions; with one made of these it is too good.
    """
    measures = open_searcher(folder).faq.evaluate(labelled, min_score, min_probability)
    if as_json:
        show_json(measures)
        return
    show_pairs({name: value if isinstance(value, int) else _three(value) for name, value in measures.items()})


def _draw(done: "Calibrated", file: Path) -> None:
    """Precision against coverage, into a file of any kind that matplotlib writes."""
    from matplotlib.figure import Figure

    from searcher.faq import precision_by_coverage

    _, coverage, precision = precision_by_coverage(done.probability, done.right, done.weight)
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(coverage, precision)
    axes.set(xlabel="share of the questions answered", ylabel="share of the answers right", xlim=(0, 1), ylim=(0, 1.02))
    axes.grid(alpha=0.3)
    figure.savefig(file, dpi=110)
