"""`reindex`, `check`, `compact` and `demo`: the index as a whole."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from searcher.cli.command import Command
from searcher.cli.hits import View, show_hits
from searcher.cli.options import folder_option, given, json_option, open_searcher, settings_options
from searcher.cli.output import progress_bar, show_report, show_verdict
from searcher.cli.terminal import echo, show_json
from searcher.cli.values import Number
from searcher.errors import BadValue
from searcher.plain import counted

DEMO_QUESTION = "What goes wrong if padding tokens enter the average?"


def _type(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """The option's value. click.BadParameter for an index type that there is not."""
    from searcher.vectors import AUTO, index_type

    try:
        if value not in (None, AUTO):
            index_type(str(value))
    except BadValue as fault:
        raise click.BadParameter(str(fault)) from None
    return value


@click.command("reindex", cls=Command, examples=[
    ("reindex --type auto --tune", "faster on large indexes, as good as it was"),
    ("reindex --model intfloat/e5-small-v2", "embed everything again with another model"),
])  # fmt: skip
@folder_option
@click.option("--type", "kind", metavar="TYPE", callback=_type, help="flat, fp16, sq8, pq, hnsw, ivf, a FAISS factory "
              "string such as IVF4096,SQ8, or auto, by the number of passages. [default: the one it has]")  # fmt: skip
@click.option("--tune", is_flag=True, help="Measure recall@10 and keep the fastest --ef or --nprobe that reaches it.")
@click.option("--recall", type=Number(above=0, most=1), default=0.99, show_default=True,
              help="The recall that --tune has to reach.")  # fmt: skip
@settings_options
def reindex_command(
    folder: Path | None, kind: str | None, tune: bool, recall: float, device: str, torch_weights: bool,
    dtype: str | None, **changes: Any,
) -> None:  # fmt: skip
    """Rebuild the FAISS index from the stored vectors.

    Searches go on meanwhile. The type is kept for later adds. A type other than flat finds most of the nearest
    passages, not always all of them; the cosines shown are exact with every type.

    With --model, --pooling or another setting, everything is embedded again from the stored text; the old index
    answers until the new one is whole.
    """
    searcher = open_searcher(folder, device=device, torch_weights=torch_weights, dtype=dtype)
    with progress_bar("documents") as progress:
        settings = searcher.reindex(progress, index_type=kind, tune=tune, recall=recall, **given(changes))
    status = searcher.status()
    passages = counted(status["passages"], "passage")
    echo(f"{passages} under {settings.model}, pooling {settings.pooling}, layers {settings.layers}")
    line = f"index type {status['index_type']}: {status['index_type_reason']}"
    if status["knob"]:
        line += f"; {status['knob']} {status['knob_value']}"
    if status["recall_at_10"]:
        line += f" finds {status['recall_at_10']:.1%} of the 10 nearest in {status['milliseconds']} ms"
    echo(line)


@click.command("check", cls=Command, examples=[
    ("check", "verify everything that is stored"),
    ("check --repair", "keep what is sound"),
])  # fmt: skip
@click.option("--repair", is_flag=True, help="Make the index sound; what is damaged is kept beside it.")
@folder_option
@json_option
def check_command(folder: Path | None, repair: bool, as_json: bool) -> None:
    """Check every stored row, vector and offset against its checksum, and the FAISS file.

    A line for each fault; exit 1 if there is one.

    With --repair the FAISS file is made anew; if the database is damaged, every sound document goes over to a new one,
    with its vectors and under its ids, and the damaged one is kept as searcher.db.damaged-TIME. Exit 1 if a document
    was lost: a line for each says what to add again.
    """
    searcher = open_searcher(folder)
    done = searcher.repair() if repair else None
    findings = done.findings if done else searcher.check()
    lost = done.lost if done else []
    left = searcher.check() if done and findings else findings
    if as_json:
        kept = str(done.kept) if done and done.kept else None
        show_json({"ok": not left, "findings": findings} | ({"left": left, "lost": lost, "kept": kept} if done else {}))
    else:
        lines = [*findings, *(f"add again: {source}" for source in lost)]
        if done:
            lines += [f"the damaged database is kept as {done.kept}"] if done.kept else []
            lines += [f"not repaired: {line}" for line in left]
        if not left:
            counts = searcher.counts()
            lines.append(
                f"all well: {counted(counts['documents'], 'document')}, {counted(counts['passages'], 'passage')}"
            )
        echo("\n".join(lines))
    if left or lost:
        raise click.exceptions.Exit(1)


@click.command("compact", cls=Command, examples=[
    ("compact", "after many removals"),
])  # fmt: skip
@folder_option
@json_option
def compact_command(folder: Path | None, as_json: bool) -> None:
    """Give the room of removed documents back to the disk.

    The files are written anew: nothing of a removed text or its vectors stays in them.
    """
    freed = open_searcher(folder).compact()
    if as_json:
        show_json({"freed_bytes": freed})
    else:
        echo(f"{freed:,} bytes given back")


@click.command("demo", cls=Command, examples=[
    ("demo", "what it looks like"),
])  # fmt: skip
@click.argument("question", default=DEMO_QUESTION)
@click.option("-i", "--index", "folder", type=click.Path(path_type=Path), metavar="DIR",
              help="Keep the index here. [default: a temporary one]")  # fmt: skip
def demo_command(question: str, folder: Path | None) -> None:
    """Index the samples that come with searcher, then search them and their FAQ for QUESTION."""
    samples = samples_folder()
    with TemporaryDirectory() as temporary:
        searcher = open_searcher(folder or Path(temporary), make=True)
        with progress_bar() as progress:
            show_report(searcher.add(samples, progress=progress))
        echo(f"\n$ searcher search {question!r} -k 3\n")
        hits = searcher.search(question, 3, "kind = 'text'", highlight=True)
        show_hits(hits, View(question))
        echo(f"$ searcher ask {question!r}\n")
        show_verdict(searcher.faq.verdicts([question])[0], searcher.faq)
        searcher.close()


def samples_folder() -> Path:
    """The samples: inside the installed package, or in the checkout it runs from."""
    package = Path(__file__).parent.parent
    places = (package / "samples", package.parent / "index_data" / "samples")
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        raise click.ClickException("the samples are not installed")
    return found
