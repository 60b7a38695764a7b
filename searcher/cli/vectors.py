"""`embed` and `inspect`: what the model makes of a text, without an index."""

import io
from pathlib import Path
from typing import Any

import click

from searcher.cli.command import Command
from searcher.cli.options import json_option, make_embedder, model_options
from searcher.cli.output import show_table
from searcher.cli.terminal import echo, show_json, stdin
from searcher.cli.values import Whole


@click.command("embed", cls=Command, examples=[
    ("embed 'a river bank' 'a bank account'", "how the vectors begin"),
    ("embed - --output vectors.npy < lines.txt", "a vector for each line"),
    ("embed 'a river bank' --pooling cls --layers -2 --json", "another pooling"),
])  # fmt: skip
@click.argument("texts", nargs=-1, required=True, metavar="TEXT…")
@click.option("--query", "as_query", is_flag=True, help="Embed as questions, with the prompt for them.")
@click.option("--pair", is_flag=True, help="Two texts as one sentence pair, segments 0 and 1.")
@click.option("--normalize/--no-normalize", default=None, help="Unit vectors, or as pooled. [default: the model's]")
@click.option(
    "--max-tokens", "max_seq_length", type=Whole(1), metavar="N", help="Cut texts here. [default: the model's]"
)
@click.option(
    "--output", type=click.Path(dir_okay=False, writable=True), metavar="FILE", help="Write a .npy file instead."
)
@json_option
@model_options
def embed_command(
    texts: tuple[str, ...], as_query: bool, pair: bool, output: str | None, as_json: bool, **settings: Any
) -> None:
    """Print the vector of each TEXT; - reads a text from each line of stdin."""
    import numpy as np

    if texts == ("-",):
        texts = tuple(line.rstrip("\r\n") for line in io.TextIOWrapper(stdin(), "utf-8-sig"))
    if pair and len(texts) != 2:
        raise click.UsageError(f"--pair takes two texts, not {len(texts)}.")
    embedder = make_embedder(**settings)
    vectors = embedder.embed([(texts[0], texts[1])] if pair else list(texts), "query" if as_query else "passage")
    if output:
        if embedder.pooling.per_token:
            raise click.UsageError("--output takes one vector for each text; pooling none gives many.")
        with open(output, "wb") as stream:  # noqa: PTH123 - of a name np.save would make another
            np.save(stream, vectors)
    elif as_json:
        show_json([vector.tolist() for vector in vectors])
    else:
        for text, vector in zip([" ||| ".join(texts)] if pair else texts, vectors, strict=True):
            first = " ".join(f"{number:+.4f}" for number in vector.ravel()[:6])
            shape = " x ".join(map(str, vector.shape))
            echo(f"{first} …  ({shape}, length {np.linalg.norm(vector, axis=-1).mean():.4f})  {text[:60]}")


@click.command("inspect", cls=Command, examples=[
    ("inspect 'the bank by the bank' --token bank", "how alike a word is to itself"),
    ("inspect 'the cat sat on the mat' --attention -1", "who looks at whom in the last layer"),
])  # fmt: skip
@click.argument("text")
@click.option("--pair", metavar="TEXT", help="Inspect the sentence pair of both texts.")
@click.option("--token", "word", metavar="WORD", help="Cosines between the places where this word occurs.")
@click.option("--attention", metavar="LAYER[:HEAD]", help="Who looks at whom in a layer (1 is the first, -1 the last), "
              "in a head (0 is the first) or on the mean of all, in percent.")  # fmt: skip
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE",
              help="With --attention: a heat map; needs matplotlib.")  # fmt: skip
@click.option(
    "--max-tokens", "max_seq_length", type=Whole(1), metavar="N", help="Size of a window. [default: the model's]"
)
@json_option
@model_options
def inspect_command(
    text: str, pair: str | None, word: str | None, attention: str | None, plot: Path | None, as_json: bool,
    **settings: Any,
) -> None:  # fmt: skip
    """Show the tokens of TEXT, their ids and segments, and the windows it would be cut into."""
    from searcher.embedding import inspect_text, inspect_word

    if plot and attention is None:
        raise click.UsageError("--plot draws what --attention finds; give that too.")
    if attention is not None:
        if word is not None:
            raise click.UsageError("--attention and --token are two questions; ask one.")
        _attention(text if pair is None else (text, pair), attention, plot, as_json, settings)
        return
    embedder = make_embedder(**settings)
    if word is not None:
        result = inspect_word(embedder, text, word)
        if as_json:
            show_json(result)
            return
        places = [f"{row['word']}@{row['start']}" for row in result["occurrences"]]
        echo(f"layers {result['layers']} {result['combine'] or ''}".rstrip())
        show_table(
            [
                (place, *(f"{cosine:.3f}" for cosine in row))
                for place, row in zip(places, result["cosines"], strict=True)
            ],
            ("", *places),
        )
        echo()
        for place, row in zip(places, result["occurrences"], strict=True):
            neighbours = ", ".join(f"{name} {cosine:.3f}" for name, cosine in row["neighbours"])
            echo(f"{place}  neighbours: {neighbours}")
        return
    result = inspect_text(embedder, text, pair)
    if as_json:
        show_json(result)
        return
    show_table(
        [
            (row["position"], row["token"], row["id"], row["segment"],
             "special" if row["special"] else f"{row['start']}–{row['end']}")
            for row in result["tokens"]
        ],
        ("position", "token", "id", "segment", "characters"),
    )  # fmt: skip
    echo()
    echo(f"{len(result['tokens'])} tokens; windows of at most {result['max_seq_length']}:")
    for window in result["windows"]:
        echo(f"  characters {window['start']}–{window['end']}, {window['tokens']} tokens")


def _attention(
    text: str | tuple[str, str], asked: str, plot: Path | None, as_json: bool, settings: dict[str, Any]
) -> None:
    """Who looks at whom, on the terminal, as JSON, and in a picture."""
    from searcher.cli.attention import attention_json, parse_attention, show_attention

    layer, head = parse_attention(asked)
    if plot:
        from searcher.evaluation import check_plot

        check_plot(plot)
    embedder = make_embedder(**settings)
    attentions = embedder.attentions(text)
    weights = attentions.weights(layer, head)
    layer %= len(attentions.layers) + 1  # from the front
    title = f"layer {layer}, {'mean of the heads' if head is None else f'head {head}'}"
    if plot:
        from searcher.embedding import draw_attention

        draw_attention(attentions, weights, f"{embedder.model.name}: {title}", plot)
    if as_json:
        show_json(attention_json(attentions, layer, head, weights))
    else:
        echo(f"{title}, of {len(attentions.layers)} layers; percent of a row's attention")
        show_attention([row.token for row in attentions.tokens], weights)
