"""`plan`: what so many documents will take, by what this machine embeds in ten seconds and by formulas."""

import shutil
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from searcher.cli.command import Command
from searcher.cli.config import setting
from searcher.cli.options import given, json_option, settings_options
from searcher.cli.output import show_table
from searcher.cli.terminal import bold, echo, show_json
from searcher.cli.values import Number, Whole
from searcher.errors import SearcherError
from searcher.system import cores, memory
from searcher.vectors import planning

if TYPE_CHECKING:
    from searcher.embedding import Embedder

__all__ = ["plan_command"]

GB = 10**9
SIZES = [(10**12, "TB"), (10**9, "GB"), (10**6, "MB")]
MOST = 10**15  # documents, and tokens of one
AT_ONCE = 8_192  # tokens
WORDS = "the boat is tied to the bank of the river until the water falls"  # to the encoder all words are alike


@dataclass(frozen=True)
class _Rate:
    """What was measured: inputs of so many tokens, special ones and prompt included, in so many seconds."""

    model: str
    device: str
    tokens: int
    passages: int
    seconds: float

    @property
    def passages_a_second(self) -> float:
        """As many as the machine embeds."""
        return self.passages / self.seconds


@click.command("plan", cls=Command, examples=[
    ("plan --documents 1000000 --tokens 400", "a million pages of text, with the default model"),
    ("plan --documents 1000000000 --tokens 200 --json", "where one machine is no answer"),
    ("plan --documents 50000 --tokens 900 -m BAAI/bge-base-en-v1.5 --memory 16", "with another model, for 16 GB"),
])  # fmt: skip
@click.option("--documents", type=Whole(1, MOST), required=True, metavar="N", help="How many documents.")
@click.option("--tokens", type=Whole(1, MOST), required=True, metavar="T", help="Tokens of one, on average; "
              "in English three words are four tokens.")  # fmt: skip
@click.option("--memory", "memory_gb", type=Number(above=0), metavar="GB",
              help="Memory of the one machine. [default: this machine's]")  # fmt: skip
@click.option("--disk", "disk_gb", type=Number(above=0), metavar="GB",
              help="Disk of the one machine. [default: what is free here]")  # fmt: skip
@click.option("--node-memory", "node_gb", type=Number(above=0), metavar="GB", default=128,
              show_default=True, help="Memory of a node of the cluster.")  # fmt: skip
@click.option("--replicas", type=Whole(1), metavar="N", default=2, show_default=True,
              help="Copies in the cluster, so that a node may fail.")  # fmt: skip
@click.option("--seconds", type=Number(0, 3600), metavar="S", default=10, show_default=True,
              help="How long to measure.")  # fmt: skip
@json_option
@settings_options
def plan_command(
    documents: int, tokens: int, memory_gb: float | None, disk_gb: float | None, node_gb: float, replicas: int,
    seconds: float, as_json: bool, **settings: Any,
) -> None:  # fmt: skip
    """Say what so many documents will take: hours to embed, memory, disk and machines.

    For each index type, on one machine and on a cluster of Milvus, and from how many documents on one machine is the
    wrong answer. The hours are from a short measurement with the model, the rest is arithmetic; all assumptions are
    printed.
    """
    from searcher.embedding import Wanted

    wanted = Wanted(**given(settings | {"model": setting("model", settings["model"])}))
    embedder = wanted.embedder(None)
    index = wanted.settings(embedder)
    room = index.chunker(embedder).room
    each = 1 if tokens <= room else -(-(tokens - index.overlap) // (room - index.overlap))
    own = -(-(tokens + (each - 1) * index.overlap) // each)
    rate = _measured(embedder, own + index.chunk_tokens - room, seconds)
    corpus = planning.Corpus(documents, each, tokens * planning.TEXT_BYTES, index.dimension)
    machine = planning.Machine(_memory(memory_gb), _disk(disk_gb), rate.passages_a_second)
    plan = _plan(corpus, machine, rate, int(node_gb * GB), replicas)
    if as_json:
        show_json({"documents": documents, "tokens": tokens, **plan})
    else:
        _show(documents, tokens, plan)


def _memory(given: float | None) -> int:
    size = memory() if given is None else int(given * GB)
    if not size:
        raise SearcherError("how much memory there is cannot be told here; say --memory GB")
    return size


def _disk(given: float | None) -> int:
    return max(1, shutil.disk_usage(Path.cwd()).free if given is None else int(given * GB))


def _measured(embedder: "Embedder", length: int, seconds: float) -> _Rate:
    """How quickly inputs of so many tokens are embedded."""
    from searcher.embedding import Sequence_, on_this_machine

    tokenizer = embedder.model.tokenizer
    words = tokenizer.encode_ids([WORDS])[0] or [0]
    ids = tokenizer.wrap(list(islice(cycle(words), max(1, length - tokenizer.special))))
    batch = [Sequence_(ids)] * max(cores(), -(-AT_ONCE // length))
    embedder.embed_sequences(batch)  # the first time, weights are loaded
    done, began = 0, perf_counter()
    while not done or perf_counter() - began < seconds:
        embedder.embed_sequences(batch)
        done += len(batch)
    took, device = perf_counter() - began, embedder.encoder.device
    return _Rate(embedder.model.name, on_this_machine()[0] if device == "auto" else device, length, done, took)


def _plan(corpus: planning.Corpus, machine: planning.Machine, rate: _Rate, node: int, replicas: int) -> dict[str, Any]:
    hours = corpus.passages / machine.rate / 3600
    loading, building = planning.cluster_hours(corpus)
    return {
        "passages": corpus.passages, "dimension": corpus.dimension,
        "measured": {
            "model": rate.model, "device": rate.device, "cores": cores(), "tokens": rate.tokens,
            "seconds": round(rate.seconds, 2), "passages_per_second": round(machine.rate, 2),
        },
        "machine": {"memory_bytes": machine.memory, "disk_bytes": machine.disk},
        "embedding_hours": hours,
        "embedding_core_hours": hours * cores() if rate.device == "cpu" else None,
        "cluster": {
            "node_memory_bytes": node, "replicas": replicas, "loading_hours": loading, "building_core_hours": building,
        },
        "needs": [
            {
                "place": need.way.place, "type": need.way.type, "memory_bytes": need.memory, "disk_bytes": need.disk,
                "node_disk_bytes": need.node_disk, "nodes": need.nodes, "memory_is": need.way.parts,
                "source": need.way.source,
            }
            for need in planning.needs(corpus, machine, node, replicas)
        ],
        "too_much_for_one_machine": [
            {"from_documents": limit.documents, "why": limit.why, "instead": limit.instead}
            for limit in planning.limits(corpus, machine)
        ],
        "assumptions": planning.ASSUMED,
    }  # fmt: skip


def _show(documents: int, tokens: int, plan: dict[str, Any]) -> None:
    measured, cluster, limits = plan["measured"], plan["cluster"], plan["too_much_for_one_machine"]
    echo(f"{documents:,} documents of {tokens:,} tokens: {plan['passages']:,} passages, vectors of "
         f"{plan['dimension']:,} numbers")  # fmt: skip
    core_hours = plan["embedding_core_hours"]
    in_core_hours = "" if core_hours is None else f", {_hours(core_hours)} on one core"
    echo(f"embedding: {_hours(plan['embedding_hours'])} here{in_core_hours} "
         f"({measured['passages_per_second']:,.1f} passages of {measured['tokens']:,} tokens a second by "
         f"{measured['model']} on {measured['device']}, measured for {measured['seconds']:.1f} s)")  # fmt: skip
    echo(f"the cluster: {_hours(cluster['loading_hours'])} to load by one client, "
         f"{_hours(cluster['building_core_hours'])} of one core to make its graphs")  # fmt: skip
    echo()
    show_table(map(_row, plan["needs"]), ["where", "type", "memory", "disk", "machines", "memory of a vector is"])
    echo()
    first = limits[0]
    is_past = documents >= first["from_documents"]
    echo(bold(f"on one machine is {'' if is_past else 'not '}the wrong answer: "),
         f"it is from about {_about(first['from_documents'])} such documents on")  # fmt: skip
    for limit in limits:
        echo(f"  from {_about(limit['from_documents'])} on {limit['why']}: {limit['instead']}")
    echo()
    echo("assumed:")
    for line in plan["assumptions"]:
        echo(f"  {line}")


def _row(need: dict[str, Any]) -> list[str]:
    disk = _size(need["disk_bytes"])
    if need["node_disk_bytes"]:
        disk += f" + {_size(need['node_disk_bytes'])} of NVMe"
    return [need["place"], need["type"], _size(need["memory_bytes"]), disk, f"{need['nodes']:,}", need["memory_is"]]


def _size(count: int) -> str:
    """As people read it.

    >>> _size(1_880_266_666_667), _size(999_600_000), _size(12)
    ('1.9 TB', '1.0 GB', '1 MB')
    """
    unit, name = next(((unit, name) for unit, name in SIZES if count >= 0.95 * unit), (10**6, "MB"))
    return f"{max(count / unit, 1):,.{1 if unit > 10**6 else 0}f} {name}"


def _about(count: int) -> str:
    """With two digits, as no more are known.

    >>> _about(3_299_970), _about(7)
    ('3,300,000', '7')
    """
    return f"{round(count, 2 - len(str(count))):,}"


def _hours(hours: float) -> str:
    if hours < 1:
        return f"{hours * 60:,.1f} minutes"
    return f"{hours:,.1f} hours" if hours < 100 else f"{hours:,.0f} hours"
