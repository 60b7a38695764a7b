"""How results other than hits look: answers, tables, reports, progress on a terminal."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from searcher.cli.terminal import bold, dim, echo, printable, width_of
from searcher.records import AddReport, Failure
from searcher.system import shown

if TYPE_CHECKING:
    from searcher.faq import Faq, Verdict
    from searcher.ingest import Progress

__all__ = ["progress_bar", "show_pairs", "show_report", "show_table", "show_verdict"]


def show_verdict(verdict: "Verdict", faq: "Faq") -> None:
    """An answer, the question it was given for and where that stands, and how sure it is, for people; on stderr why
    there is none.
    """
    answer, best = verdict.answer, verdict.best
    echo(answer.answer if answer else "no answer")
    if answer:
        margin = "no other entry" if answer.margin is None else f"{answer.margin:.3f} above the next"
        surety = f"score {answer.score:.3f}, {margin}"
        if answer.probability is not None:
            surety = f"right with probability {answer.probability:.2f}; {surety}"
        else:
            surety += f"; {faq.why_no_probability()}"
        echo(dim(f"  {answer.question}  ({shown(answer.source)})\n  {surety}"))
    elif best:
        echo(dim(f"  nearest: {best.question}  ({shown(best.source)})\n  {verdict.why}"), err=True)


def show_table(rows: Iterable[Sequence[Any]], heading: Sequence[str]) -> None:
    """Columns as wide as their widest cell; numbers to the right."""
    cells = [[printable(str(cell)) for cell in row] for row in rows]
    kinds = [all(_is_number(row[column]) for row in cells) and bool(cells) for column in range(len(heading))]
    widths = [max(width_of(row[column]) for row in [heading, *cells]) for column in range(len(heading))]
    for number, row in enumerate([list(heading), *cells]):
        padded = []
        for cell, width, right in zip(row, widths, kinds, strict=True):
            space = " " * (width - width_of(cell))
            padded.append(space + cell if right else cell + space)
        line = "  ".join(padded).rstrip()
        echo(bold(line) if number == 0 else line)


def _is_number(cell: str) -> bool:
    return cell.replace(".", "", 1).replace("-", "", 1).replace(",", "").isdigit()


def show_pairs(values: Mapping[str, Any]) -> None:
    """A name and a value on each line."""
    width = max(map(len, values))
    for name, value in values.items():
        echo(f"{name.replace('_', ' '):<{width}}  {value}")


def show_report(report: AddReport, dry_run: bool = False) -> None:
    """What an `add` did in a line or two, and on stderr a line for each thing passed over, noted or failed."""
    did = "would add" if dry_run else "added"
    changed = f"{did} {report.documents:,} documents, {report.passages:,} passages, {report.tokens:,} tokens"
    details = f"({report.unknown_share:.2%} [UNK], {report.split_words:,} words split)"
    others = [f"{report.unchanged:,} unchanged", f"{report.removed:,} removed"]
    told: dict[str, Sequence[Failure]] = {"skipped": report.skipped, "noted": report.notes, "failed": report.failed}
    others += [f"{len(items):,} {word}" for word, items in told.items() if items]
    echo(f"{changed} {details}; {', '.join(others)}; {report.seconds:.1f} s")
    for word, items in told.items():
        for item in items:
            echo(f"{word}: {shown(item.source)}: {item.reason}", err=True)


@contextmanager
def progress_bar(what: str = "files") -> Iterator["Progress"]:
    """A bar over files and a count of passages on stderr; nothing unless that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda event, count: None
        return
    from tqdm import tqdm

    with tqdm(unit=f" {what}", total=0, leave=False, file=sys.stderr) as bar:
        passages = 0

        def progress(event: str, count: int) -> None:
            nonlocal passages
            if event == "total":
                bar.total = (bar.total or 0) + count
            elif event == "file":
                bar.update(count)
            else:
                passages += count
                bar.set_postfix_str(f"{passages:,} passages embedded")
            bar.refresh()

        yield progress
