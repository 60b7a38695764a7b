"""The ladder of rooms: what may import what, what each room hands out, what an import or a search may not load."""

import ast
import json
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

from searcher import Searcher

PACKAGE = Path(__file__).parents[1] / "searcher"

# A room, or a module that stands alone, imports only what stands above it.
LADDER = """
errors system plain places words records cited readers migration text filters embedding vectors postings store engines
ranking ingest faq search evaluation integrations client mcp serving cli
""".split()
ROOT = {"__init__", "__main__"}  # the one exports lazily, the other calls the command line
INNER = "embedding.encoder"  # a room within a room
FILES = sorted(PACKAGE.rglob("*.py"))
ROOMS = [name for name in LADDER if (PACKAGE / name).is_dir()]
LONGEST = 400  # lines of a file; most have half of that


class Import(NamedTuple):
    """`from module import name`, or a whole module where name is empty."""

    module: str
    name: str


def name_of(file: Path) -> str:
    """The dotted name of a module, within the package."""
    return ".".join(file.relative_to(PACKAGE).with_suffix("").parts)


def room_of(module: str) -> str:
    """The room of a dotted name, the inner one where it is in that; of a module that stands alone itself."""
    return INNER if module.startswith(INNER) else module.partition(".")[0]


def imports_of(file: Path) -> list[Import]:
    """What of the package a file imports, anywhere in it."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [Import(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "searcher":
            found += [Import(f"searcher.{alias.name}", "") for alias in node.names if alias.name != "__version__"]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [Import(node.module, alias.name) for alias in node.names]
    return [Import(m.removeprefix("searcher."), name) for m, name in found if m.startswith("searcher.")]


def test_every_room_has_its_place_on_the_ladder_and_in_architecture() -> None:
    parts = {file.relative_to(PACKAGE).parts[0].removesuffix(".py") for file in FILES}
    assert parts - ROOT == set(LADDER)
    text = (PACKAGE.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert [name for name in LADDER if f"`{name}.py`" not in text and f"`{name}/`" not in text] == []


@pytest.mark.parametrize("part", LADDER)
def test_imports_point_up_the_ladder_only(part: str) -> None:
    above = {*LADDER[: LADDER.index(part)], part}
    for file in FILES:
        if room_of(name_of(file)).split(".")[0] == part:
            below = {room_of(module).split(".")[0] for module, _ in imports_of(file)} - above
            assert below == set(), f"{file.name} imports {below}"


@pytest.mark.parametrize("room", [*ROOMS, INNER])
def test_a_room_says_what_it_owns_and_what_it_imports(room: str) -> None:
    folder = PACKAGE / room.replace(".", "/")
    own = [file for file in folder.rglob("*.py") if room_of(name_of(file)) == room]
    imported = {room_of(module) for file in own for module, _ in imports_of(file)} - {room}
    doc = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    said = doc.splitlines()[-1].removeprefix("Imports: ").rstrip(".").split(", ")
    assert set(said) == imported - {INNER, "__version__"} or said == ["nothing"]


def handed_out(room: str) -> list[str]:
    """The names that a room's door lists, which is not opened: what it imports may be there for an extra alone."""
    tree = ast.parse((PACKAGE / room.replace(".", "/") / "__init__.py").read_text(encoding="utf-8"))
    [names] = [
        node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    return list(ast.literal_eval(names))


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_of_another_room_only_what_it_hands_out_is_imported(file: Path) -> None:
    own = room_of(name_of(file))
    for module, name in imports_of(file):
        room = room_of(module)
        if room in (*ROOMS, INNER) and room != own and not (own == INNER and room == "embedding"):
            exports = handed_out(room)
            assert module == room, f"{file.name} reaches into {module}"
            assert not name or name in exports, f"{room} does not hand out {name}"


@pytest.mark.parametrize("room", [*ROOMS, INNER])
def test_a_rooms_door_holds_no_code(room: str) -> None:
    tree = ast.parse((PACKAGE / room.replace(".", "/") / "__init__.py").read_text(encoding="utf-8"))
    kinds = {type(node) for node in tree.body[1:]}
    assert kinds <= {ast.ImportFrom, ast.Assign}


def test_only_the_engines_know_the_store_and_only_they_and_the_store_the_vectors() -> None:
    knowing: dict[str, set[str]] = {"store": set(), "vectors": set()}
    for file in FILES:
        for module, _ in imports_of(file):
            if room_of(module) in knowing:
                knowing[room_of(module)].add(room_of(name_of(file)))
    assert knowing["store"] == {"store", "engines"}
    assert knowing["vectors"] == {"vectors", "store", "engines", "cli"}  # cli: the names of index types in a help text


def test_modules_never_import_each_other_in_a_circle() -> None:
    modules = {name_of(file): {m for m, _ in imports_of(file)} for file in FILES if file.name != "__init__.py"}
    list(TopologicalSorter(modules).static_order())  # CycleError names the circle


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_every_file_says_in_its_first_line_what_it_owns_and_is_not_endless(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring
    assert len(docstring.splitlines()[0]) > 20
    assert text.count("\n") < LONGEST


@pytest.mark.parametrize("statement", ["import searcher", "import searcher.search", "import searcher.cli.searching"])
def test_importing_loads_no_heavy_library(statement: str) -> None:
    heavy = "('torch', 'transformers', 'faiss', 'trafilatura', 'sentence_transformers', 'ir_measures', 'sqlite_utils')"
    code = f"import sys; {statement}; print([name for name in {heavy} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def loaded_by(*arguments: str) -> tuple[str, set[str]]:
    """What a command line prints, and the modules that it loads beside those that click does."""
    code = f"""
import atexit, sys
import click
before = set(sys.modules)
from searcher.cli import main
atexit.register(lambda: print("\\n" + " ".join(sorted(set(sys.modules) - before))))
main({list(arguments)})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    printed, _, names = done.stdout.rstrip("\n").rpartition("\n")
    return printed.strip(), set(names.split())


def test_a_search_from_the_shell_loads_only_what_it_needs(tiny_bert: Path, tmp_path: Path) -> None:
    Searcher(tmp_path, model=str(tiny_bert)).add_texts(["money in the bank"])
    hit, loaded = loaded_by("search", "bank", "--mode", "keyword", "--jsonl", "--index", str(tmp_path))
    assert json.loads(hit)["text"] == "money in the bank"
    rooms = {"readers", "migration", "faq", "client", "serving", "mcp", "evaluation", "cited"}
    writing = {f"ingest.{name}" for name in ("ingest", "pipeline", "exchange", "reindexing", "watching", "documents")}
    ranking = {f"ranking.{name}" for name in ("hybrid", "explaining", "rerank", "context")}
    assert {name for name in rooms | writing | ranking if f"searcher.{name}" in loaded} == set()
    assert loaded & {"subprocess", "shlex", "sqlite_utils", "tokenizers", "torch", "faiss", "sentencex"} == set()


def test_the_help_loads_only_the_frame_of_the_command_line() -> None:
    text, loaded = loaded_by("--help")
    assert text.startswith("Usage: ")
    ours = {
        "searcher",
        "searcher.errors",
        *(f"searcher.cli{name}" for name in ("", ".program", ".command", ".importing", ".terminal")),
    }
    assert {name for name in loaded if name.partition(".")[0] == "searcher"} == ours
    assert loaded & {"json", "pathlib", "numpy", "sqlite3", "subprocess"} == set()
