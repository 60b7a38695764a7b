"""What the page on serving says is so: each command runs; the unit and the image are as their tools want them."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from served import Server, serving

from searcher.cli import COMMANDS, cli
from searcher.serving.app import ROUTERS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "serving.md").read_text(encoding="utf-8")
UNIT, IMAGE = DOCS / "serving" / "searcher.service", DOCS / "serving" / "Dockerfile"


@pytest.fixture(scope="module")
def empty(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("docs")
    with serving(folder / "index", folder / "log", "--allow-writes", "-m", str(tiny_bert)) as server:
        yield server


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_each_command_of_the_page_runs_against_a_server(empty: Server, tmp_path: Path) -> None:
    [block] = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    commands = re.split(r"\n(?=curl|printf)", block.strip())
    assert len(commands) > 20
    for command in commands:
        line = command.replace("http://127.0.0.1:8917", empty.url).replace("curl -s", "curl -sS --fail-with-body")
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        if command.startswith("curl"):
            assert json.loads(done.stdout) not in ({}, [], {"hits": []}, {"documents": []}), command


def test_the_page_names_every_route() -> None:
    named = set(re.findall(r"`(?:[A-Z]+ )?(/[\w/]*)", PAGE))
    for router in ROUTERS:
        for route in router.routes:
            path = re.sub(r"\{.*", "NAME" if "files" in route.path else "", route.path)  # type: ignore[attr-defined]
            assert path.rstrip("/") in {name.rstrip("/") for name in named} or path.startswith("/page/"), path


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
def test_systemd_has_nothing_to_say_about_the_unit(tmp_path: Path) -> None:
    unit = UNIT.read_text(encoding="utf-8").replace("/opt/searcher/bin/searcher", shutil.which("true") or "/bin/true")
    (tmp_path / "searcher.service").write_text(unit, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", tmp_path / "searcher.service"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def instructions() -> list[tuple[str, str]]:
    """Those of the Dockerfile, in their order."""
    text = re.sub(r"^#.*\n", "", IMAGE.read_text(encoding="utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split(None, 1)[0], " ".join(line.split()[1:])) for line in text.splitlines() if line.strip()]


def test_the_image_runs_as_nobody_in_particular_with_a_health_check() -> None:
    found = instructions()
    last = found[max(at for at, (name, _) in enumerate(found) if name == "FROM") :]
    names = [name for name, _ in last]
    user = next(value for name, value in last if name == "USER")
    assert user.isdigit()
    assert int(user) > 0
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert names.count("HEALTHCHECK") == names.count("ENTRYPOINT") == names.count("CMD") == 1
    assert "ADD" not in {name for name, _ in found}
    assert all(":latest" not in value and ":" in value for name, value in found if name == "FROM")
    for name in ("ENTRYPOINT", "CMD"):
        json.loads(next(value for own, value in last if own == name))  # a list: signals reach the server itself


@pytest.mark.parametrize("file", [UNIT, IMAGE], ids=lambda file: file.name)
def test_unit_and_image_give_options_that_there_are(file: Path) -> None:
    assert "serve" in COMMANDS
    serve = cli.get_command(None, "serve")  # type: ignore[arg-type]
    assert serve is not None
    known = {name for option in serve.params for name in option.opts}
    lines = [
        line
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.startswith(("ExecStart", "ENTRYPOINT", "CMD"))
    ]
    used = set(re.findall(r"(?<![\w-])--[a-z-]+", " ".join(lines)))
    assert {"--index", "--token-file", "--allow-writes"} <= used
    assert used <= known
