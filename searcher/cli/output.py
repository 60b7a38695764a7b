"""How results other than hits look: answers, tables, reports, progress on a terminal."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import PurePath
from time import perf_counter
from typing import TYPE_CHECKING, Any

from searcher.cli.terminal import bold, dim, echo, name_of, one_line, width_of
from searcher.places import file_of
from searcher.plain import counted
from searcher.records import AddReport, Answer, Failure

if TYPE_CHECKING:
    from searcher.faq import Faq, Verdict
    from searcher.ingest import Progress

__all__ = ["progress_bar", "show_answer", "show_pairs", "show_report", "show_table", "show_verdict"]

LISTED = 5  # things with one reason that are told one by one
REDRAW = 0.1  # seconds from one picture of the bar to the next


def show_verdict(verdict: "Verdict", faq: "Faq") -> None:
    """An answer, the question it was given for and where that stands, and how sure it is, for people; on stderr why
    there is none.
    """
    show_answer(verdict.answer, faq.why_no_probability)
    if verdict.answer is None and verdict.best is None:
        echo(dim(f"  {verdict.why}; to add some: searcher faq add FILE"), err=True)
    elif verdict.answer is None and (best := verdict.best):
        echo(dim(f"  nearest: {best.question}  ({name_of(best.source)})\n  {verdict.why}"), err=True)


def show_answer(answer: Answer | None, lacking: Callable[[], str]) -> None:
    """An answer, or that there is none. lacking: why it has no probability, where it has none."""
    echo(answer.answer if answer else "no answer")
    if answer:
        margin = "no other entry" if answer.margin is None else f"{answer.margin:.3f} above the next"
        surety = f"score {answer.score:.3f}, {margin}"
        if answer.probability is not None:
            surety = f"right with probability {answer.probability:.2f}; {surety}"
        else:
            surety += f"; {lacking()}"
        echo(dim(f"  {answer.question}  ({name_of(answer.source)})\n  {surety}"))


def show_table(rows: Iterable[Sequence[Any]], heading: Sequence[str]) -> None:
    """Columns as wide as their widest cell; numbers to the right."""
    cells = [[one_line(str(cell)) for cell in row] for row in rows]
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


SAID = {"None": "–", "''": "–", "True": "yes", "False": "no"}  # what a value is called, by its repr


def show_pairs(values: Mapping[str, Any]) -> None:
    """A name and a value on each line; of a value that is names and values, a line for each."""
    lines: dict[str, Any] = {}
    for name, value in values.items():
        lines |= {f"{name} {of}": own for of, own in value.items()} if isinstance(value, Mapping) else {name: value}
    width = max(map(len, lines))
    for name, value in lines.items():
        echo(f"{name.replace('_', ' '):<{width}}  {SAID.get(repr(value), value)}".rstrip())


def show_report(report: AddReport, dry_run: bool = False, verbose: bool = False) -> None:
    """What an `add` did, in a line at the end; before it, on stderr, what was skipped, noted, moved, gone or failed.

    What was skipped is counted by its kind and why, unless it was told by an earlier one. verbose: list all of it.
    """
    from searcher.ingest import common_move

    fresh = [item for item in report.skipped if verbose or not item.known]
    told: dict[str, tuple[Sequence[Failure], int]] = {
        "skipped": (fresh, 1), "noted": (report.notes, LISTED), "failed": (report.failed, LISTED),
    }  # fmt: skip
    for word, (items, most) in told.items():
        for line in _told(items, len(items) if verbose else most):
            echo(f"{word}: {line}", err=True)
    for (old, new), count in Counter(common_move(*pair) for pair in report.moved).items():
        files = counted(count, "file")
        did = "would move" if dry_run else "moved"
        echo(f"{did}: {name_of(old)} → {name_of(new)} ({files}, nothing is embedded again)", err=True)
    if report.gone:
        first = name_of(report.gone[0])
        what = f"{first} is" if len(report.gone) == 1 else f"{counted(len(report.gone), 'file')}, such as {first}, are"
        echo(f"gone: {what} in the index and not there any more; add --prune removes what is gone", err=True)
    did = "would add" if dry_run else "added"
    counts = (("document", report.documents), ("passage", report.passages), ("token", report.tokens))
    changed = f"{did} {', '.join(counted(number, noun) for noun, number in counts)}"
    details = f"({report.unknown_share:.2%} [UNK], {report.split_words:,} words split)"
    others = [f"{report.unchanged:,} unchanged", f"{report.removed:,} removed"]
    others += [f"{len(report.moved):,} moved"] * bool(report.moved)
    others += [_skips(report)] * bool(report.skipped)
    others += [f"{len(items):,} {word}" for word, (items, _) in told.items() if items and word != "skipped"]
    echo(f"{changed} {details}; {', '.join(others)}; {report.seconds:.1f} s")


def _told(items: Sequence[Failure], most: int) -> Iterator[str]:
    """A line for each thing, or for those of a kind that have one reason, where there are more than so many."""
    groups: dict[tuple[str, str], list[Failure]] = {}
    for item in items:
        groups.setdefault((PurePath(file_of(item.source)).suffix.lower(), item.reason), []).append(item)
    for (kind, reason), group in groups.items():
        if len(group) <= most:
            yield from (f"{name_of(item.source)}: {item.reason}" for item in group)
        else:
            yield f"{len(group):,} {kind or 'without a suffix'}: {reason}"


def _skips(report: AddReport) -> str:
    count, known = len(report.skipped), sum(item.known for item in report.skipped)
    before = "" if not known else " as before" if known == count else f", {known:,} of them as before"
    return f"{count:,} skipped{before} (--verbose lists them)"


@contextmanager
def progress_bar(what: str = "files") -> Iterator["Progress"]:
    """A bar on stderr with what is done, how quickly, and the time that is left; nothing unless that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda event, count: None
        return
    from tqdm import tqdm

    from searcher.ingest import Pace

    pace = Pace()
    layout = "{percentage:3.0f}%|{bar}| {desc}"
    with tqdm(total=1.0, bar_format=layout, leave=False, file=sys.stderr, dynamic_ncols=True) as bar:
        drawn = 0.0

        def progress(event: str, count: int) -> None:
            nonlocal drawn
            pace.tell(event, count)
            if event == "stop":
                bar.write("stopping when the batch in flight is written; Ctrl-C again stops at once", file=sys.stderr)
            elif (now := perf_counter()) - drawn > REDRAW:
                drawn, bar.n = now, pace.share
                bar.set_description_str(pace.line(what))

        yield progress
