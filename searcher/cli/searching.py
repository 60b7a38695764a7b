"""`search` and `similar`: questions to the index."""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from searcher.cli.command import Command
from searcher.cli.config import setting
from searcher.cli.hits import FORMATS, View, show_documents, show_each
from searcher.cli.options import (
    folder_option,
    json_option,
    mode_option,
    model_options,
    ocr_option,
    open_searcher,
    where_option,
)
from searcher.cli.remote import client_of, server_option
from searcher.cli.terminal import dim, echo, stdin
from searcher.cli.values import Choice, Number, Whole
from searcher.cli.within import of_folder
from searcher.records import Passage

if TYPE_CHECKING:
    from searcher.ranking import Mode
    from searcher.search import Searcher

BATCH = 256  # questions that are searched for at a time
DASHED = re.compile(r"-[^\W\d][\w'.-]*\w\*?\Z|-\".+\"\Z")  # -word; not --option
QUERIES = (
    "Questions: CSV, TSV, JSON or JSONL with question (or text, query), a JSON list of texts, else one on each line, "
    "plain or as such an object; - is stdin."
)
SCORES = {
    "dense": "scores are cosines", "keyword": "scores are BM25, to be compared within a question only",
    "hybrid": "scores are of cosine, BM25 and passages alike, to be compared within a question only",
}  # fmt: skip
MARKED = 10  # hits whose sentence is looked for unasked: more would take more time than somebody waits

top_option = click.option("-k", "--top-k", "k", type=Whole(1), metavar="N", help="How many passages. [default: 10]")
include_option = click.option("--include", multiple=True, metavar="GLOB", help="Only sources like '*.md' or 'docs/**'.")
exclude_option = click.option("--exclude", multiple=True, metavar="GLOB", help="No sources like this.")
jsonl_option = click.option("--jsonl", "as_jsonl", is_flag=True, help="Print a JSON object for each hit.")
format_option = click.option("--format", "kind", type=Choice(list(FORMATS)), metavar="FORMAT",
                             help=f"{', '.join(FORMATS)}. [default: table]")  # fmt: skip


class Asked(Command):
    """A command whose question may hold -word: what looks like a cluster of short options is none.

    A short option with its value in one, -k5 or -inotes, is one where the value can be its: a number, or a path that
    is there.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments, words of the question after the others. click.UsageError for an option with one dash."""
        given, words = [], list[str]()
        waiting = iter(args)
        for argument in waiting:
            if argument == "--":
                words += waiting
            elif DASHED.match(argument) and not self._is_option(ctx, argument):
                words.append(argument)
            else:
                given.append(argument)
        return super().parse_args(ctx, [*given, "--", *words] if words else given)

    def _is_option(self, ctx: click.Context, argument: str) -> bool:
        known = {name: each for each in self.params for name in (*each.opts, *each.secondary_opts)}
        if f"-{argument}" in known:
            raise click.UsageError(f"No such option {argument!r}. Did you mean '-{argument}'?", ctx)
        option = known.get(argument[:2])
        if not isinstance(option, click.Option) or option.is_flag:
            return False
        value = argument[2:]
        return value.isdigit() if isinstance(option.type, Whole) else Path(value).exists()


@click.command("search", cls=Asked, examples=[
    ("search what is my boiler code", "the words are one question"),
    ("search 'boiler code' -k 3 --where \"year >= 2020\" --include '*.md'", "three hits out of some documents"),
    ("search '\"four digits\" -kitchen boil*' --mode keyword", "a phrase, a word that may not be there, a beginning"),
    ("search 'boiler code' --mode hybrid --explain -C 2", "by words and vectors, why, and lines around"),
    ("search 'boiler code' --open 1", "the first hit in your own program, at its line or page"),
    ("search --queries questions.txt --format jsonl", "a question on each line, for a program"),
    ("search what did we decide --in ~/notes", "a folder that was never indexed"),
])  # fmt: skip
@click.argument("query", nargs=-1, metavar="QUERY…")
@folder_option
@server_option
@click.option("--in", "within", type=click.Path(exists=True, path_type=Path), metavar="PATH", help="Ask a folder or a "
              "file: what changed there is read first, into an index of its own in your cache.")  # fmt: skip
@ocr_option
@top_option
@where_option
@include_option
@exclude_option
@mode_option
@click.option("--min-score", type=Number(), metavar="SCORE", help="Leave out passages below this score.")
@click.option("--mmr", type=Number(0, 1), metavar="LAMBDA",
              help="Passages unlike each other: 1 changes nothing, 0.5 is half "
              "for the question and half against what was shown before.")  # fmt: skip
@click.option("--rerank", metavar="MODEL", help="Look at the first hits more closely: maxsim, by token vectors of the "
              "index's own model; or a cross-encoder's hub name or folder.")  # fmt: skip
@click.option("--per-document", type=Whole(1), metavar="N", help="At most so many passages of a document.")
@click.option("--documents", is_flag=True, help="Rank documents by their best passages, a line for each.")
@click.option("--phrasings", is_flag=True, help="A FAQ entry for each of its ways of asking, not once.")
@click.option("--highlight/--no-highlight", default=None, help="Look for the sentence of each passage that answers "
              "best. [default: where people read and the model is small]")  # fmt: skip
@click.option("-C", "--context", type=Whole(0), metavar="N", help="Show the lines that answer, and N around.")
@click.option("--section", is_flag=True, help="Show the whole section of each hit.")
@click.option("--explain", is_flag=True, help="Say of each hit its cosine, its BM25, and what moved it.")
@format_option
@click.option("--open", "number", type=Whole(1), metavar="N",
              help="Open the Nth hit in your own program ($VISUAL, $EDITOR, "
              "a PDF viewer, or the setting open), at its line or page where that program can.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="With --open: print the command.")
@click.option("--queries", "file", type=click.Path(exists=True, dir_okay=False, allow_dash=True), metavar="FILE",
              help=QUERIES)  # fmt: skip
@click.option("--exact", is_flag=True, help="The very nearest passages, whatever the type of the index.")
@click.option("--ef", type=Whole(1), metavar="N", help="How widely an index of type hnsw is looked through.")
@click.option("--nprobe", type=Whole(1), metavar="N", help="How many lists of an index of type ivf are looked through.")
@json_option
@jsonl_option
@model_options
def search_command(
    query: tuple[str, ...], folder: Path | None, server: str | None, within: Path | None, ocr: bool,
    k: int | None, where: str | None, include: tuple[str, ...], exclude: tuple[str, ...], mode: "Mode | None",
    min_score: float | None, mmr: float | None, rerank: str | None, per_document: int | None, documents: bool,
    phrasings: bool, highlight: bool | None, context: int | None, section: bool, explain: bool, kind: str | None,
    number: int | None, dry_run: bool, file: str | None, exact: bool, ef: int | None, nprobe: int | None,
    as_json: bool, as_jsonl: bool, **settings: Any,
) -> None:  # fmt: skip
    """Find the passages that answer QUERY best.

    By default those nearest to it by cosine similarity; see --mode. Several words are one question. In the modes
    keyword and hybrid "a phrase" must stand in a passage, -word must not, and pre* is any word that begins so. With
    --documents, -k counts documents.
    """
    if bool(query) == (file is not None):
        raise click.UsageError("Give a QUERY or --queries FILE.")
    if documents and per_document not in (None, 1):
        raise click.UsageError("--documents shows one passage of a document; leave out --per-document.")
    if dry_run and number is None:
        raise click.UsageError("--dry-run needs --open N.")
    if number is not None and (file is not None or kind or as_json or as_jsonl):
        raise click.UsageError("--open takes one QUERY, and no format.")
    kind = one_format(kind, as_json, as_jsonl)
    for_people = kind == "table" and not documents
    if not for_people and (context is not None or section or explain):
        raise click.UsageError("-C, --section and --explain are of the table that people read; not with other formats.")
    if explain and rerank:
        raise click.UsageError("--explain says what a hit is made of before --rerank; leave one of them out.")
    if within and folder:
        raise click.UsageError("--in makes an index of its own; leave out -i.")
    if ocr and not within:
        raise click.UsageError("--ocr says how --in reads; give that too.")
    here = {"in": within, "open": number, "explain": explain, "context": context, "section": section}
    client = client_of(folder, server, settings, **here)
    searcher = None if client else of_folder(within, ocr, **settings) if within else open_searcher(folder, **settings)
    place = searcher.folder if searcher else None
    k, mode = setting("k", k, place), setting("mode", mode, place)
    how: dict[str, Any] = {"mode": mode, "mmr": mmr, "per_document": 1 if documents else per_document}
    how |= {"rerank": rerank, "phrasings": phrasings, "exact": exact, "ef": ef, "nprobe": nprobe}
    named: dict[str, Any] = {"include": include, "exclude": exclude}
    dashed = [word for word in query if DASHED.match(word)]
    if dashed and mode == "dense":
        read = f"in mode dense {' '.join(dashed)} is text like the rest; --mode keyword or hybrid leaves that out"
        echo(dim(read), err=True)

    def marked(own: "Searcher", text: str, hits: list[Passage]) -> list[Passage]:
        """The hits with the sentences that answer, where these are wanted."""
        wanted = highlight if highlight is not None else for_people and file is None and own.marks_quickly(mode)
        first = len(hits) if highlight else MARKED
        return [*own.highlight(text, hits[:first]), *hits[first:]] if wanted else hits

    def looked_at(text: str, hits: list[Passage]) -> tuple[list[Passage], View]:
        """The hits, and how they are shown."""
        if searcher is None:
            return hits, View(text)
        hits = marked(searcher, text, hits)
        explained = [each.as_line() for each in searcher.explain(text, hits, mode, where, **named)] if explain else ()
        last = _worth(searcher, text, hits, mode) if for_people and file is None and rerank is None else None
        return hits, View(text, context, section, explained, last, searcher.document)

    def found_for(asked: Any) -> Any:
        if client is not None:
            return client.search(asked, k, where, min_score, highlight=bool(highlight), **how, **named)
        return searcher.search(asked, k, where, min_score, **how, **named)  # type: ignore[union-attr]

    if file is None:
        text = " ".join(query)
        if number is not None and searcher is not None:  # a server's files are elsewhere, which `client_of` says
            from searcher.cli.opening import nth, open_hit

            [hit] = marked(searcher, text, [nth(found_for(text), number)])
            open_hit(hit, searcher.folder, dry_run)
            return
        hits, view = looked_at(text, found_for(text))
        far = searcher.under_way() if searcher else None
        if far and not hits and kind == "table":
            echo(f"nothing found so far: {far}")
            return
        if far and far.is_going_on:
            echo(dim(str(far)), err=True)
        (show_documents if documents and kind == "table" else FORMATS[kind])(hits, view)
        return
    from searcher.faq import read_questions

    def each() -> Iterator[tuple[str, list[Passage], View]]:
        for queries in batched(read_questions(stdin() if file == "-" else Path(file)), BATCH):  # there may be millions
            for text, hits in zip(queries, found_for(queries), strict=True):
                yield text, *looked_at(text, hits)

    show_each(kind, each(), documents)


@click.command("similar", cls=Command, examples=[
    ("similar notes/boiler.md -k 5", "what else is like a note"),
    ("similar boiler.md --exclude 'archive/**'", "the end of its path is enough"),
])  # fmt: skip
@click.argument("source")
@folder_option
@server_option
@top_option
@where_option
@include_option
@exclude_option
@format_option
@json_option
@jsonl_option
def similar_command(
    source: str, folder: Path | None, server: str | None, k: int | None, where: str | None, include: tuple[str, ...],
    exclude: tuple[str, ...], kind: str | None, as_json: bool, as_jsonl: bool,
) -> None:  # fmt: skip
    """Find passages of other documents nearest to SOURCE: a document's path, the end of one, its title or id."""
    hits: list[Passage]
    if client := client_of(folder, server):
        hits = client.similar(source, setting("k", k), where, include, exclude)
    else:
        searcher = open_searcher(folder)
        hits = searcher.similar(source, setting("k", k, searcher.folder), where, include, exclude)
    FORMATS[one_format(kind, as_json, as_jsonl)](hits, None)


def _worth(searcher: "Searcher", question: str, hits: list[Passage], mode: str) -> str:
    """What the scores are, and whether the best hit is one that any question would have."""
    found = searcher.presence(question, hits) if mode != "keyword" else None
    if found is None:
        return SCORES[mode]
    if found.weak:
        chance = max(1, round(100 * found.probability))
        best = f"the best cosine is {found.cosine:.2f}, and questions of elsewhere reach {found.ordinary:.2f} here"
        return f"probably not here ({chance} % that it is): {best}"
    return f"{SCORES[mode]}; questions of elsewhere reach a cosine of about {found.ordinary:.2f} here"


def one_format(kind: str | None, as_json: bool, as_jsonl: bool) -> str:
    """The one format that was asked for. click.UsageError for several."""
    asked = [name for name, given in ((kind, kind), ("json", as_json), ("jsonl", as_jsonl)) if given]
    if len(set(asked)) > 1:
        raise click.UsageError(f"One format, not {' and '.join(map(str, asked))}.")
    return str(asked[0]) if asked else "table"


def batched(items: Iterator[str], size: int) -> Iterator[list[str]]:
    """So many at a time; itertools has it from Python 3.12 on."""
    while batch := list(islice(items, size)):
        yield batch
