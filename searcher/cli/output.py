"""How results look: hits and tables for people, JSON for programs, progress on a terminal."""

import json
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from searcher.records import AddReport, Answer, Failure, Passage
from searcher.system import shown

if TYPE_CHECKING:
    from searcher.faq import Faq
    from searcher.ingest import Progress

__all__ = ["progress_bar", "show_documents", "show_hits", "show_json", "show_pairs", "show_report", "show_table"]

PASSAGE_LINES = 4


def show_json(value: Any) -> None:
    """One JSON value on one line."""
    click.echo(json.dumps(value, ensure_ascii=False))


def show_hits(hits: Sequence[Passage]) -> None:
    """Rank, score, where it stands, and the passage, for people."""
    width = min(shutil.get_terminal_size().columns, 120)
    for hit in hits:
        where = place(hit)
        section = hit.section or hit.title
        head = f"{hit.rank:>2}  {hit.score:.3f}  {click.style(where, bold=True)}" + (f"  {section}" if section else "")
        click.echo(head)
        lines = textwrap.wrap(" ".join(hit.text.split()), width - 4, break_on_hyphens=False)
        if len(lines) > PASSAGE_LINES:
            lines = [
                *lines[: PASSAGE_LINES - 1],
                textwrap.shorten(lines[PASSAGE_LINES - 1] + " …", width - 4, placeholder=" …"),
            ]
            lines[-1] = lines[-1] if lines[-1].endswith("…") else lines[-1] + " …"
        click.echo(textwrap.indent("\n".join(lines), "    "))
        if hit.highlight:
            sentence = " ".join(hit.highlight.text.split())
            lines = textwrap.wrap(
                sentence, width - 6, break_on_hyphens=False, initial_indent="» ", subsequent_indent="  "
            )
            click.echo("\n".join(f"    {click.style(line, bold=True)}" for line in lines))
        if answer := hit.metadata.get("answer"):
            click.echo(textwrap.indent(textwrap.shorten(str(answer), 3 * width, placeholder=" …"), "    → "))
        click.echo()
    if not hits:
        click.echo("nothing found")


def show_answer(answer: Answer | None, faq: "Faq") -> None:
    """An answer, the question it was given for and where that stands, and how sure it is, for people."""
    click.echo(answer.answer if answer else "no answer")
    if answer:
        margin = "no other entry" if answer.margin is None else f"{answer.margin:.3f} above the next"
        surety = f"score {answer.score:.3f}, {margin}"
        if answer.probability is not None:
            surety = f"right with probability {answer.probability:.2f}; {surety}"
        else:
            surety += f"; {faq.why_no_probability()}"
        click.echo(click.style(f"  {answer.question}  ({shown(answer.source)})\n  {surety}", dim=True))


def show_documents(hits: Sequence[Passage]) -> None:
    """A line for each hit: rank, score, where it stands, and how it begins."""
    width = min(shutil.get_terminal_size().columns, 120)
    for hit in hits:
        head = f"{hit.rank:>2}  {hit.score:.3f}  {place(hit)}  "
        begins = textwrap.shorten(hit.text, max(width - len(head), 40), placeholder=" …")
        click.echo(head.replace(place(hit), click.style(place(hit), bold=True)) + begins)
    if not hits:
        click.echo("nothing found")


def place(hit: Passage) -> str:
    """File and line of a passage; a row of a table file has no line."""
    return f"{shown(hit.source)}:{hit.line}" if "#" not in hit.source else shown(hit.source)


def show_table(rows: Iterable[Sequence[Any]], heading: Sequence[str]) -> None:
    """Columns as wide as their widest cell; numbers to the right."""
    cells = [[str(cell) for cell in row] for row in rows]
    kinds = [all(_is_number(row[column]) for row in cells) and bool(cells) for column in range(len(heading))]
    widths = [max([len(row[column]) for row in cells] + [len(heading[column])]) for column in range(len(heading))]
    for number, row in enumerate([list(heading), *cells]):
        line = "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, kinds, strict=True)
        ).rstrip()
        click.echo(click.style(line, bold=True) if number == 0 else line)


def _is_number(cell: str) -> bool:
    return cell.replace(".", "", 1).replace("-", "", 1).replace(",", "").isdigit()


def show_pairs(values: Mapping[str, Any]) -> None:
    """A name and a value on each line."""
    width = max(map(len, values))
    for name, value in values.items():
        click.echo(f"{name.replace('_', ' '):<{width}}  {value}")


def show_report(report: AddReport, dry_run: bool = False) -> None:
    """What an `add` did in a line or two, and on stderr a line for each thing passed over, noted or failed."""
    did = "would add" if dry_run else "added"
    changed = f"{did} {report.documents:,} documents, {report.passages:,} passages, {report.tokens:,} tokens"
    details = f"({report.unknown_share:.2%} [UNK], {report.split_words:,} words split)"
    others = [f"{report.unchanged:,} unchanged", f"{report.removed:,} removed"]
    told: dict[str, Sequence[Failure]] = {"skipped": report.skipped, "noted": report.notes, "failed": report.failed}
    others += [f"{len(items):,} {word}" for word, items in told.items() if items]
    click.echo(f"{changed} {details}; {', '.join(others)}; {report.seconds:.1f} s")
    for word, items in told.items():
        for item in items:
            click.echo(f"{word}: {shown(item.source)}: {item.reason}", err=True)


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
