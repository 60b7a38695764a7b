"""`eval`: how good the answers are on a set with judgements."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from searcher.cli.options import json_option, mode_option, open_searcher, settings_options
from searcher.cli.output import progress_bar, show_json, show_pairs


@click.command("eval")
@click.argument("dataset", type=click.Path(path_type=Path), metavar="DIR")
@click.option("-i", "--index", "folder", type=click.Path(path_type=Path), metavar="DIR",
              help="Keep the index here, and use it again. [default: a temporary one]")  # fmt: skip
@click.option(
    "--ids", default="*", metavar="PATTERN", help="Only documents and queries with ids like this, such as 'en-*'."
)
@click.option("--truncate", is_flag=True, default=None, help="One passage a document, cut at --chunk-tokens, as "
              "published figures are often made.")  # fmt: skip
@mode_option
@json_option
@settings_options
def eval_command(dataset: Path, folder: Path | None, ids: str, mode: str, as_json: bool, **settings: Any) -> None:
    """Measure nDCG@10, P@1, MRR@10, recall and MAP on DIR, a set in BEIR layout.

    DIR holds corpus.jsonl or faq.jsonl, queries.jsonl and qrels/test.tsv. A document ranks by its best passage.
    """
    from searcher.evaluation import evaluate, read_dataset

    read = read_dataset(dataset, ids)
    with TemporaryDirectory() as temporary:
        searcher = open_searcher(folder or Path(temporary), **settings)
        with progress_bar("documents") as progress:
            result = evaluate(read, searcher, progress, mode)
        searcher.close()
    if as_json:
        show_json(result)
    else:
        show_pairs({name: f"{value:.4f}" if isinstance(value, float) else value for name, value in result.items()})
