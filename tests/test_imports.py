"""The ladder: what may import what, and what `import searcher` may not load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "searcher"

# A module imports only what stands above it.
LADDER = """
errors records readers tokens chunking models encoder pooling whitening embedder inspection maxsim highlight filters filter_values
settings index_types locks database schema filter_sql keyword_index layout migrations documents audit store keyword fusion feedback smoothing
cachefile codes floats signs index index_building snapshots ranking diversity hybrid retrieval rerank calibration faq wanted ingest files
exchange repair reindexing tuning status search evaluation comparing sweep heatmap cli
""".split()
ROOT = {"__init__", "__main__"}  # the one exports lazily, the other calls the command line


def imports_of(file: Path) -> set[str]:
    """The parts of the package that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"searcher.{alias.name}" for alias in node.names] if node.module == "searcher" else [node.module]
        found |= {name.split(".")[1] for name in names if name.startswith("searcher.")}
    return found


def parts() -> dict[str, list[Path]]:
    """Part of the package → its files."""
    files: dict[str, list[Path]] = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        files.setdefault(file.relative_to(PACKAGE).parts[0].removesuffix(".py"), []).append(file)
    return files


def test_every_part_has_its_place_on_the_ladder_and_in_architecture() -> None:
    assert set(parts()) - ROOT == set(LADDER)
    text = (PACKAGE.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")
    missing = [name for name in LADDER if f"`{name}.py`" not in text and f"`{name}/`" not in text]
    assert missing == []


@pytest.mark.parametrize("part", LADDER)
def test_imports_point_up_the_ladder_only(part: str) -> None:
    allowed = set(LADDER[: LADDER.index(part)])
    for file in parts()[part]:
        below = {name for name in imports_of(file) - {part} if name in LADDER} - allowed
        assert below == set(), f"{file.name} imports {below}"


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_every_file_says_in_its_first_line_what_it_owns(file: Path) -> None:
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    assert docstring
    assert len(docstring.splitlines()[0]) > 20


@pytest.mark.parametrize("statement", ["import searcher", "import searcher.search", "import searcher.cli.searching"])
def test_importing_loads_no_heavy_library(statement: str) -> None:
    heavy = "('torch', 'transformers', 'faiss', 'trafilatura', 'sentence_transformers', 'ir_measures')"
    code = f"import sys; {statement}; print([name for name in {heavy} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
