"""Options that several commands share, and the `Searcher` they make."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from searcher.cli.command import Option
from searcher.cli.config import MODES, locate, setting
from searcher.cli.importing import importing
from searcher.cli.values import Choice, Whole
from searcher.errors import IndexUnavailable

if TYPE_CHECKING:
    from searcher.embedding import Embedder
    from searcher.search import Searcher

__all__ = [
    "engine_of",
    "folder_option",
    "given",
    "json_option",
    "make_embedder",
    "mode_option",
    "model_options",
    "named_engine",
    "ocr_option",
    "open_at",
    "open_searcher",
    "reading",
    "reading_options",
    "settings_options",
    "where_option",
]

ENGINE = "searcher.engine"  # under which a command's context has the engine that was named
FAISS = "faiss"
Decorator = Callable[[Any], Any]


def _stacked(*options: Decorator) -> Decorator:
    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _model_option(*names: str, **settings: Any) -> Decorator:
    """An option that is listed apart from a command's own."""
    return click.option(*names, cls=Option, part="Model options", **settings)


def _keep_engine(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    """The engine named on the command line, for whatever opens the index."""
    if value:
        ctx.meta[ENGINE] = value


folder_option = _stacked(
    click.option(
        "-i", "--index", "folder", type=click.Path(path_type=Path), metavar="DIR|NAME",
        help="Index folder or named index. [default: $SEARCHER_INDEX, else the nearest index_data]",
    ),
    click.option(
        "--engine", expose_value=False, callback=_keep_engine, metavar="ENGINE", help="faiss, an index folder, or "
        "milvus:URI[#collection], an index on a server or in a FILE.db. [default: $SEARCHER_ENGINE, else faiss]",
    ),
)  # fmt: skip

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON value.")

where_option = click.option(
    "--where", metavar="FILTER", help="Only documents such as \"lang = 'en' and year >= 2020\"."
)

mode_option = click.option(
    "--mode", type=Choice(MODES), metavar="MODE",
    help="dense, keyword or hybrid: rank by the cosine of vectors, by BM25 of the question's words, or by both. "
    "[default: dense]",
)  # fmt: skip

# How files are read.
reading_options = _stacked(
    click.option("--encoding", metavar="NAME", help="Encoding of the files: utf-8, cp1250, koi8-r … [default: told "
                 "from each file]"),
    click.option("--column-type", "column_types", multiple=True, metavar="NAME=TYPE", help="Type of a column of "
                 "tables: text, number, boolean or date; may be repeated. [default: what all its cells are]"),
)  # fmt: skip

ocr_option = click.option(
    "--ocr", is_flag=True, help="Read scanned pages of PDFs and pictures too, seconds a page. Needs: pip install "
    "'searcher[ocr]'",
)  # fmt: skip

# Everything that decides a vector.
model_options = _stacked(
    _model_option("-m", "--model", metavar="NAME", help="Hub name or local folder. [default: all-MiniLM-L6-v2]"),
    _model_option("--pooling", metavar="NAME", help="cls, max, mean, mean_max, mean_sqrt_len, weighted_mean, sep, "
                 "pooler, token:N, or a bert-as-service name. [default: the model's]"),
    _model_option("--layers", metavar="LAYERS", help="Hidden states to pool: -1, -4:, 0,6, all. [default: -1]"),
    _model_option("--combine", metavar="HOW", help="Several layers: concat, sum or mean. [default: concat]"),
    _model_option("--special-tokens/--no-special-tokens", default=None, help="Whether [CLS] and [SEP] are pooled too."),
    _model_option("--query-prompt", metavar="TEXT", help="Put before every question. [default: the model's]"),
    _model_option("--passage-prompt", metavar="TEXT", help="Put before every passage. [default: the model's]"),
    _model_option("--device", metavar="NAME", default="auto", show_default=True, help="cpu, cuda, mps, or auto."),
    _model_option("--dtype", metavar="NAME", help="auto, bf16, fp32 or int8. [default: $SEARCHER_DTYPE, else auto]"),
    _model_option("--torch-weights", is_flag=True, help="Allow pytorch_model.bin, loaded weights-only."),
)  # fmt: skip

# … and what passages there are.
settings_options = _stacked(
    model_options,
    _model_option(
        "--chunk-tokens", type=Whole(1), metavar="N", help="Most tokens of a passage. [default: the model's]"
    ),
    _model_option("--overlap", type=Whole(0), metavar="N", help="Tokens shared with the passage before. [default: 0]"),
    _model_option(
        "--context/--no-context", default=None, help="Whether title and headings are embedded in front of each passage."
    ),
)


def given(options: dict[str, Any]) -> dict[str, Any]:
    """The settings among a command's options, as the library takes them."""
    prompts = {"query": options.pop("query_prompt", None), "passage": options.pop("passage_prompt", None)}
    settings = {name: value for name, value in options.items() if value is not None}
    if kept := {kind: prompt for kind, prompt in prompts.items() if prompt is not None}:
        settings["prompts"] = kept
    return settings


def reading(encoding: str | None, column_types: tuple[str, ...]) -> dict[str, Any]:
    """The options of reading as the library takes them."""
    pairs = [given.rpartition("=") for given in column_types]
    for name, _, _ in pairs:
        if not name:
            raise click.UsageError("--column-type takes NAME=TYPE, as in --column-type code=text.")
    return {"encoding": encoding, "column_types": {name: kind for name, _, kind in pairs}}


def open_searcher(folder: Path | None, make: bool = False, **options: Any) -> "Searcher":
    """The index that a command works on. make: whether it may be one that is not there yet."""
    return open_at(engine_of(folder), folder, make, **options)


def open_at(engine: str | None, folder: Path | None, make: bool = False, **options: Any) -> "Searcher":
    """The same, of an engine that is known: of `engine_of`, which only the thread of the command can ask."""
    with importing("searcher.search"):
        from searcher.search import Searcher

    settings = given(options)
    if engine is not None:
        searcher = Searcher(engine=engine, **settings)
        if searcher.exists():
            return searcher
        if not make:
            raise IndexUnavailable(f"no index at {engine}; make one: searcher add PATH --engine {engine}")
        place: Path | None = None
    else:
        place = locate(folder, make)
    if (
        (place is None or not (place / "searcher.db").exists())
        and "vectors" not in settings
        and (model := setting("model", settings.get("model")))
    ):
        settings["model"] = model
    return Searcher(engine=engine, **settings) if place is None else Searcher(place, **settings)


def named_engine() -> str | None:
    """The engine that the command line names, if it does."""
    named: str | None = click.get_current_context().meta.get(ENGINE)
    return named


def engine_of(folder: Path | None) -> str | None:
    """The engine that a command works on, None for that of an index folder. click.UsageError where both are named.

    An index folder that is named on the command line comes before the engine of the environment.
    """
    named = named_engine()
    if named and folder and named != FAISS:
        raise click.UsageError("Give --index or --engine.")
    engine = named or (FAISS if folder else setting("engine"))
    return None if engine == FAISS else str(engine)


def make_embedder(**options: Any) -> "Embedder":
    """An embedder without an index."""
    from searcher.embedding import Embedder

    settings = given(options)
    return Embedder(setting("model", settings.pop("model", None)), **settings)
