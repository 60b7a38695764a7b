"""`export`, `import`, `copy`: an index as lines of JSON, stores of other tools, an index carried to another engine."""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal

import click

from searcher.cli.command import Command
from searcher.cli.config import locate
from searcher.cli.options import folder_option, json_option, open_searcher, settings_options
from searcher.cli.output import progress_bar, show_report
from searcher.cli.terminal import echo, show_json, stdin
from searcher.cli.values import Choice
from searcher.engines import SCHEME
from searcher.errors import BadValue, SearcherError
from searcher.migration import is_foreign
from searcher.plain import counted
from searcher.system import private


@click.command("export", cls=Command, examples=[
    ("export backup.jsonl", "the whole index, vectors included"),
    ("export - | gzip > backup.jsonl.gz", "into a pipe"),
])  # fmt: skip
@click.argument("file", default="-", metavar="[FILE|-]")
@folder_option
@click.option("--vectors", type=Choice(["numbers", "base64"]), default="numbers", show_default=True,
              help="Lists of numbers, or base64 of little-endian float32, less than half as long.")  # fmt: skip
def export_command(file: str, folder: Path | None, vectors: Literal["numbers", "base64"]) -> None:
    """Write the whole index to FILE, or to stdout, as lines of JSON: settings, documents, passages and vectors.

    The first line holds the settings and how many lines follow; then comes a line for each document and for each file
    that is wholly in. Vectors read back to the bit. FILE is replaced when the export is whole. While it runs, other
    processes may read the index, and wait to write to it.
    """
    searcher = open_searcher(folder)
    if file == "-":
        with progress_bar("documents") as progress:
            searcher.export(sys.stdout.buffer, vectors, progress)
            sys.stdout.buffer.flush()
        return
    if Path(file).resolve() in {path.resolve() for path in searcher.folder.glob("searcher.db*")}:
        raise click.UsageError(f"{file} is the index itself.")
    with _whole(Path(file)) as stream, progress_bar("documents") as progress:
        done = searcher.export(stream, vectors, progress)
    echo(f"exported {counted(done.documents, 'document')}, {counted(done.passages, 'passage')} to {file}")


@click.command("import", cls=Command, examples=[
    ("import backup.jsonl -i @copy", "what export wrote, into a new index, without a model"),
    ("import chroma/ --collection notes -i @notes", "from Chroma; its vectors are kept if they are of this model"),
    ("import faiss_index/ -m BAAI/bge-small-en-v1.5", "from LangChain, with the model that it was made with"),
    ("import vectors.npy", "with the texts in vectors.jsonl beside it"),
])  # fmt: skip
@click.argument("file", metavar="PATH|-")
@folder_option
@click.option("--collection", metavar="NAME", help="Which collection, where there are several.")
@click.option("--vector-name", metavar="NAME", help="Which of the named vectors of a Qdrant collection.")
@click.option("--text-field", metavar="NAME", help="Which field is the text, of Qdrant's payload or of JSON lines.")
@click.option("--vectors", metavar="NAME", help="Keep the vectors as those of this model, whichever it is; a new "
              "index then embeds nothing itself.")  # fmt: skip
@click.option("--embed", is_flag=True, help="Embed the texts, whatever vectors there are.")
@json_option
@settings_options
@click.pass_context
def import_command(
    ctx: click.Context, /, file: str, folder: Path | None, collection: str | None, vector_name: str | None,
    text_field: str | None, embed: bool, as_json: bool,
    **settings: Any,
) -> None:  # fmt: skip
    """Bring in what `export` wrote, from a file or stdin (-), or what another tool stored.

    An export needs no model and comes in whole or not at all: if anything in it is wrong, or the index was made with
    other settings, nothing changes.

    Of other tools these are read: a Chroma folder, a LangChain FAISS folder, a folder of Qdrant's local mode, a txtai
    index, an llm database, vectors in .npy with JSON lines, a folder in BEIR's layout. None of them is needed, and
    nothing of a pickle is run. Ids, texts and metadata come along; so do vectors if they are those of the index's
    model, or for a new index of the one that -m names: a sample is compared. Else the texts are embedded. With
    --vectors no model is needed: they are kept as they are, and questions are asked with vectors of the same make.

    Documents that are there already are replaced; passages get new ids.
    """
    searcher = open_searcher(folder, make=True, **settings)
    if file != "-" and (Path(file).is_dir() or is_foreign(Path(file))):
        with progress_bar("documents") as progress:
            report = searcher.import_from(
                file, collection=collection, vector_name=vector_name, text_field=text_field, embed=embed,
                progress=progress,
            )  # fmt: skip
        if as_json:
            show_json(report.as_dict())
        else:
            show_report(report)
        ctx.exit(1 if report.failed else 0)
    foreign = {"--collection": collection, "--vector-name": vector_name, "--text-field": text_field, "--embed": embed}
    meant = [name for name, value in foreign.items() if value]
    if meant and (file == "-" or Path(file).exists()):  # else that is what is told
        raise click.UsageError(f"{meant[0]} means nothing for an export; leave it out.")
    with progress_bar("documents") as progress:
        if file == "-":
            done = searcher.import_(stdin(), progress)
        else:
            with Path(file).open("rb") as stream:
                done = searcher.import_(stream, progress)
    if as_json:
        show_json(done._asdict())
    else:
        others = f"{done.replaced:,} of them replaced, {done.removed:,} others removed"
        done_with = f"{counted(done.documents, 'document')}, {counted(done.passages, 'passage')}"
        echo(f"imported {done_with} under new ids; {others}")


@click.command("copy", cls=Command, examples=[
    ("copy index_data @copy", "into a named index"),
    ("copy @notes /mnt/backup/notes --others remove", "again: what changed, and what is gone"),
    ("copy index_data milvus:http://localhost:19530#notes", "to a server"),
])  # fmt: skip
@click.argument("origin", metavar="FROM")
@click.argument("to", metavar="TO")
@click.option("--others", type=Choice(["keep", "remove"]), metavar="keep|remove", help="What becomes of documents of "
              "TO that are not in FROM. [default: where there are any, nothing is copied]")  # fmt: skip
@json_option
def copy_command(origin: str, to: str, others: Literal["keep", "remove"] | None, as_json: bool) -> None:
    """Copy the index FROM into the index TO, each an index folder, a named index, or milvus:URI[#collection].

    No model is needed: vectors are kept to the bit, with documents, metadata, passages, settings, index type, what is
    kept about the FAQ, and the files seen, so that a later add finds them unchanged. Only what is not in TO already,
    just so, is written, batch by batch: after Ctrl-C or a kill the same command goes on from there, and later it brings
    TO up to date. TO is new, or was made with the same settings.

    At the end both are compared: how many documents and passages there are, and the nearest of some vectors. Exit 1 if
    they are not alike. Token vectors and a config.toml stay behind.
    """
    from searcher.search import Searcher

    def at(place: str, make: bool = False) -> "Searcher":
        # A new index has the settings of the other one, whatever model holds for new ones.
        return Searcher(place if place.startswith(f"{SCHEME}:") else locate(Path(place), make))

    source, searcher = at(origin), at(to, make=True)
    with progress_bar("documents") as progress:
        done = searcher.copy_from(source, others=others or "refuse", progress=progress)
    if as_json:
        show_json(done.as_dict())
    else:
        for line in done.stayed:
            echo("stays behind: ", line, err=True)
        echo(done)
    if done.likeness and done.likeness.wrong:
        raise SearcherError(f"{searcher.place} is not like {source.place}: {done.likeness.wrong}")


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """A file that gets its name when it is whole, readable by nobody else; a pipe or device is written as it is."""
    if path.exists() and not path.is_file():
        with path.open("wb") as stream:
            yield stream
        return
    path = path.resolve()
    if not path.parent.is_dir():
        raise BadValue(f"{path} cannot be written: {path.parent} is no folder")
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with os.fdopen(private(draft), "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
