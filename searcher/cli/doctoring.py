"""`doctor`: what there is on this machine to work with, a line each, and what to do where something is missing."""

import platform
import shutil
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import click

from searcher import __version__
from searcher.cli.command import Command
from searcher.cli.config import locate, setting
from searcher.cli.options import engine_of, folder_option, json_option
from searcher.cli.terminal import echo, printable, show_json
from searcher.errors import IndexUnavailable, SearcherError
from searcher.plain import counted
from searcher.system import cores, instructions, processor, shown

WELL, NOTE, FAULT = "well", "note", "fault"
LITTLE = 2 * 2**30  # bytes of free disk that are told
NEEDED = ("click", "faiss-cpu", "numpy", "sqlite-utils", "tokenizers", "torch", "transformers")


class Found(NamedTuple):
    """What a look at one thing found; a fault is what keeps searcher from its work."""

    state: str
    text: str


def _python(_: Path | None) -> Found:
    return Found(WELL, f"searcher {__version__}, Python {platform.python_version()}, {platform.platform(terse=True)}")


def _libraries(_: Path | None) -> Found:
    found, missing = [], []
    for name in NEEDED:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Found(FAULT, f"not installed: {', '.join(missing)}; install searcher again")
    return Found(WELL, ", ".join(found))


def _processor(_: Path | None) -> Found:
    return Found(WELL, f"{processor()}, {cores()} cores, {', '.join(instructions()) or 'no instructions known'}")


def _embedding(_: Path | None) -> Found:
    from searcher.embedding import on_this_machine

    device, dtype, kernels = on_this_machine()
    if kernels or device != "cpu":
        return Found(WELL, f"on {device} in {dtype}" + (f", with our kernels for {kernels}" if kernels else ""))
    return Found(NOTE, f"on {device} in {dtype} through torch alone: {_why_no_kernels('AVX2', 'NEON')}")


def _searching(_: Path | None) -> Found:
    from searcher.vectors import scans

    ours = scans()
    if ours:
        return Found(WELL, f"with our own scans for indexes of type {' and '.join(ours)}, FAISS for the others")
    return Found(NOTE, f"through FAISS alone: {_why_no_kernels('AVX2')}")


def _why_no_kernels(*needed: str) -> str:
    """needed: instructions of which one is enough."""
    if not set(needed).intersection(instructions()):
        return f"the processor has no {' or '.join(needed)}"
    return "our kernels were not built or are switched off; with a C compiler, install searcher again"


def _model(_: Path | None) -> Found:
    from searcher.embedding import decayed, load_model

    model = load_model(setting("model"))
    if files := decayed(model.weights):
        names = ", ".join(shown(file.as_posix()) for file in files)
        return Found(FAULT, f"weights that changed although nobody wrote to them: {names}; get the model again")
    folder = shown(model.weights[0].parent.as_posix())
    return Found(WELL, f"{model.name}, {model.layers} layers of {model.width}, in {folder}")


def _index(given: Path | None) -> Found:
    from searcher.search import Searcher

    engine = engine_of(given)
    try:
        searcher = Searcher(locate(given)) if engine is None else Searcher(engine=engine)
        with searcher:
            status = searcher.status()
    except IndexUnavailable as fault:
        return Found(NOTE if given is None and engine is None else FAULT, str(fault))
    what = f"{counted(status['documents'], 'document')}, {counted(status['passages'], 'passage')} by {status['model']}"
    return Found(WELL, f"{shown(searcher.place)}: {what}, type {status['index_type']}, format {status['format']}")


def _disk(given: Path | None) -> Found:
    try:
        place = locate(given)
    except SearcherError:
        place = Path.cwd()
    free = shutil.disk_usage(place).free
    return Found(NOTE if free < LITTLE else WELL, f"{free / 2**30:,.1f} GiB free in {place.as_posix()}")


CHECKS: dict[str, Callable[[Path | None], Found]] = {
    "searcher": _python, "libraries": _libraries, "processor": _processor, "embedding": _embedding,
    "searching": _searching, "new indexes": _model, "index": _index, "disk": _disk,
}  # fmt: skip


@click.command("doctor", cls=Command, examples=[
    ("doctor", "what embeds and searches here, which model and index there are"),
    ("doctor --json", "for a report of a fault"),
])  # fmt: skip
@folder_option
@json_option
@click.pass_context
def doctor_command(ctx: click.Context, folder: Path | None, as_json: bool) -> None:
    """Say what there is to work with: processor, kernels, libraries, model, index, disk. Exit 1 at a fault."""
    found: dict[str, Found] = {}
    for name, look in CHECKS.items():
        try:
            found[name] = look(folder)
        except (SearcherError, ImportError, OSError) as fault:
            found[name] = Found(FAULT, " ".join(str(fault).split()))
        if not as_json:
            echo(f"{found[name].state:<6}{name:<13}{printable(found[name].text)}")
    if as_json:
        show_json({name: {"state": each.state, "text": each.text} for name, each in found.items()})
    ctx.exit(any(each.state == FAULT for each in found.values()))
