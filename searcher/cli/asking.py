"""`ask`: a question, or a file of them, to the FAQ entries."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from searcher.cli.command import Command
from searcher.cli.options import folder_option, json_option, model_options, open_searcher
from searcher.cli.output import show_answer, show_verdict
from searcher.cli.remote import client_of, server_option
from searcher.cli.searching import QUERIES, batched, one_format
from searcher.cli.terminal import bold, dim, echo, show_json, show_rows, stdin
from searcher.cli.values import Choice, Number
from searcher.records import Answer

if TYPE_CHECKING:
    from searcher.faq import Verdict

__all__ = ["ask_command", "least_options"]

NO_ANSWER = dict.fromkeys(("answer", "question", "source", "score", "probability", "margin"))
CSV = ("query", "answer", "probability", "source", "question", "score", "margin", "why")
BATCH = 256  # questions that are answered at a time
FORMATS = ("table", "json", "jsonl", "csv")


def least_options(command: Any) -> Any:
    """What an answer must reach."""
    for option in (
        click.option("--min-score", type=Number(), metavar="SCORE", help="No answer below this score, about 0 to 1."),
        click.option("--min-probability", type=Number(0, 1), metavar="P", help="No answer that is right with a lower "
                     "probability; needs `faq calibrate`, but for 0: the entry that fits best, whichever."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.command("ask", cls=Command, examples=[
    ("ask how do I reset my password", "the words are one question"),
    ("ask how do I reset my password --min-probability 0.8", "only if it is sure"),
    ("ask --queries asked.csv --format csv", "a column question, or a question on each line; a row for each"),
])  # fmt: skip
@click.argument("question", nargs=-1, metavar="QUESTION…")
@folder_option
@server_option
@least_options
@click.option("--queries", "file", type=click.Path(exists=True, dir_okay=False, allow_dash=True), metavar="FILE",
              help=QUERIES)  # fmt: skip
@click.option("--format", "kind", type=Choice(FORMATS), metavar="FORMAT", help=f"{', '.join(FORMATS)}. "
              "[default: table]")  # fmt: skip
@json_option
@click.option("--jsonl", "as_jsonl", is_flag=True, help="Print a JSON object for each question.")
@model_options
def ask_command(
    question: tuple[str, ...], folder: Path | None, server: str | None, min_score: float | None,
    min_probability: float | None, file: str | None, kind: str | None, as_json: bool, as_jsonl: bool, **settings: Any,
) -> None:  # fmt: skip
    """Answer QUESTION with the FAQ entry that fits it best, or say that there is no answer.

    Entries come from `searcher faq add`, or from rows with a question and an answer given to `add`. Printed are the
    answer, the entry's question nearest to yours, where it stands, how well it fits and by how much better than the
    next entry; and after `searcher faq calibrate` the probability that it is right. Without that a score only ranks:
    0.6 may be sure in one FAQ and a guess in another.

    Unless you say what an answer must reach, there is none where the best entry fits no better than one would fit a
    question of another world: less than 15 of 100 such answers are right. Of a file of questions each has a row or
    object with query, answer, probability, source, question, score, margin, and why there is no answer.
    """
    if bool(question) == (file is not None):
        raise click.UsageError("Give a QUESTION or --queries FILE.")
    kind = one_format(kind, as_json, as_jsonl)
    if client := client_of(folder, server, settings, queries=file):
        [(found, why)] = client.verdicts([" ".join(question)], min_score, min_probability)
        _show_told(" ".join(question), found, why, kind)
        return
    searcher = open_searcher(folder, **settings)
    if file is None:
        [verdict] = searcher.faq.verdicts([" ".join(question)], min_score, min_probability)
        if kind == "table":
            show_verdict(verdict, searcher.faq)
            if verdict.answer is None and (far := searcher.under_way()):
                echo(dim(str(far)))
        elif kind == "csv":
            _show_verdicts([verdict], head=True)
        else:
            show_json(verdict.answer.as_dict() if verdict.answer else NO_ANSWER)
        return
    from searcher.faq import read_questions

    objects, head = list[dict[str, Any]](), True
    for texts in batched(read_questions(stdin() if file == "-" else Path(file)), BATCH):
        verdicts = searcher.faq.verdicts(texts, min_score, min_probability)
        if kind == "csv":
            _show_verdicts(verdicts, head)
        elif kind == "table":
            for verdict in verdicts:
                echo(bold(f"── {verdict.question}"))
                show_verdict(verdict, searcher.faq)
        elif kind == "jsonl":
            for verdict in verdicts:
                show_json(_as_object(verdict))
        else:
            objects += map(_as_object, verdicts)
        head = False
    if kind == "json":
        show_json(objects)


def _show_told(question: str, answer: Answer | None, why: str | None, kind: str) -> None:
    """What a server tells of a question."""
    if kind == "table":
        show_answer(answer, lambda: "not calibrated, so no probability")
        if answer is None:
            echo(dim(f"  {why}"), err=True)
    elif kind == "csv":
        _show_values([{"query": question, **(answer.as_dict() if answer else NO_ANSWER), "why": why}], head=True)
    else:
        show_json(answer.as_dict() if answer else NO_ANSWER)


def _as_object(verdict: "Verdict") -> dict[str, Any]:
    """What is printed of a question in a file; of an entry that is not the answer its place and how it fares too."""
    found = verdict.best.as_dict() if verdict.best else NO_ANSWER
    values = {"query": verdict.question, **found, "why": verdict.why}
    values["answer"] = verdict.answer.answer if verdict.answer else None
    return {name: values[name] for name in CSV}


def _show_verdicts(verdicts: Sequence["Verdict"], head: bool) -> None:
    """A row for each question, under a header."""
    _show_values([_as_object(verdict) for verdict in verdicts], head)


def _show_values(rows: Sequence[dict[str, Any]], head: bool) -> None:
    """Rows under a header, the same for those of a server."""
    show_rows([*([CSV] if head else []), *(row.values() for row in rows)])
