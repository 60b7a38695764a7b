"""An add by a Ray cluster: the index of any other add, whatever is killed meanwhile."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from models import save_bert

from searcher import BadValue, Searcher, SearcherError

pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own

GROUP = 400  # tokens of a piece, that there are many
# An add in a process of its own, with small pieces.
ALONE = f"""
import sys
import searcher.ingest.spread as spread
from searcher import Searcher
spread.BATCH_TOKENS = {GROUP}
Searcher(sys.argv[1], sys.argv[2]).add(sys.argv[3], ray="local")
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two CPUs for actors and one for reading, on the loopback address; every add of the module uses them."""
    pytest.importorskip("pyarrow", reason="Ray needs it")
    from searcher.ingest.spread import LOOPBACK, QUIETLY

    os.environ.update(QUIETLY | LOOPBACK)
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'searcher[ray]'")
    ray.init("local", num_cpus=3, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield ray
    ray.shutdown()
    for name in QUIETLY | LOOPBACK:
        os.environ.pop(name, None)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Heads of 32 numbers, as real ones have at least: of 8, torch's attention rounds as the number of threads is."""
    return save_bert(tmp_path_factory.mktemp("models") / "bert", width=64, heads=2)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Text enough for many pieces, a table, a FAQ, and files that cannot be read."""
    folder = tmp_path / "tree"
    for n in range(24):
        file = folder / f"{n % 3}" / f"{n}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        words = " ".join(f"the river {n} flows near bank {i} of water." for i in range(20))
        file.write_text(f"# Part {n}\n\n{words}\n\n## Money\n\nwe keep our account open {n}\n")
    rows = "".join(f'{{"id": {n}, "text": "question {n} of the document", "year": {2000 + n}}}\n' for n in range(300))
    (folder / "rows.jsonl").write_text(rows + "[]\n")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(40))
    return folder


def state(searcher: Searcher) -> tuple[list[Any], list[Any]]:
    """Documents in their order with passages, offsets and vectors to the bit; and the files that are wholly in."""
    engine, found = searcher.engine, []
    with engine.reading():
        for number, item in engine.whole(engine.document_ids()):
            passages = item.file, item.chunks, item.vectors.tobytes()
            found.append((item.document, engine.passage_ids(number).tolist(), passages))
        return found, engine.files()


def local(tree: Path, model: Path, tmp_path: Path) -> tuple[Any, dict[str, Any]]:
    """The state of an index of that tree, and its report, as an add without a cluster makes them."""
    with Searcher(tmp_path / "local", model) as searcher:
        report = searcher.add(tree).as_dict()
        return state(searcher), report | {"seconds": 0}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("searcher.ingest.spread.BATCH_TOKENS", GROUP)


def pieces(folder: Path) -> list[Path]:
    return list(folder.glob("*.parquet"))


def awaited(there: Callable[[], Any], seconds: float = 120) -> Any:
    """What there is, as soon as it is there."""
    end = time.monotonic() + seconds
    while not (found := there()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)
    return found


def actors() -> list[int]:
    """The processes that embed, of this process' own cluster: its children's children."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            named = (process / "cmdline").read_bytes().startswith(b"ray::MapWorker")
            if named and parent(parent(int(process.name))) == os.getpid():
                found.append(int(process.name))
    return found


def parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.mark.usefixtures("cluster", "small")
def test_an_add_by_a_cluster_makes_the_index_of_any_other(tree: Path, model: Path, tmp_path: Path) -> None:
    wanted, told = local(tree, model, tmp_path)
    with Searcher(tmp_path / "index", model) as searcher:
        report = searcher.add(tree, ray="local").as_dict() | {"seconds": 0}
        assert state(searcher) == wanted
        assert report == told
        assert searcher.check() == []
        assert not (tmp_path / "index.ray").exists()
        (tree / "0" / "0.md").write_text("another text, with a bank")
        (tree / "1" / "1.md").rename(tree / "1" / "one.md")
        again = searcher.add(tree, ray="local", work=tmp_path / "work")
        assert (again.documents, again.passages, len(again.moved)) == (1, 1, 1)
        assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.usefixtures("cluster", "small")
@pytest.mark.skipif(sys.platform != "linux", reason="an actor's process is found in /proc")
def test_an_actor_that_is_killed_costs_nothing_but_time(tree: Path, model: Path, tmp_path: Path) -> None:
    wanted, _ = local(tree, model, tmp_path)
    killed = []

    def kill() -> None:
        awaited(lambda: pieces(tmp_path / "index.ray"))
        killed.append(awaited(actors)[0])
        os.kill(killed[0], signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    with Searcher(tmp_path / "index", model) as searcher:
        searcher.add(tree, ray="local")
        thread.join()
        assert killed
        assert state(searcher) == wanted
        assert searcher.check() == []


@pytest.mark.usefixtures("cluster", "small")
def test_after_a_killed_driver_what_is_finished_is_not_embedded_again(tree: Path, model: Path, tmp_path: Path) -> None:
    wanted, told = local(tree, model, tmp_path)
    index, work = tmp_path / "index", tmp_path / "index.ray"
    driver = subprocess.Popen([sys.executable, "-c", ALONE, str(index), str(model), str(tree)])
    awaited(lambda: len(pieces(work)) >= 3)
    driver.kill()
    driver.wait()
    with Searcher(index, model) as searcher:
        assert searcher.counts()["documents"] == 0
        embedded = []
        report = searcher.add(tree, ray="local", progress=lambda event, n: embedded.append(n * (event == "passage")))
        assert 0 < sum(embedded) < told["passages"]
        assert report.as_dict() | {"seconds": 0} == told
        assert state(searcher) == wanted
        assert searcher.check() == []


def test_a_cluster_that_is_not_there_is_told_in_a_line(tiny_bert: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'searcher[ray]'")
    (tmp_path / "a.txt").write_text("the bank")
    add = [sys.executable, "-m", "searcher", "add", str(tmp_path), "-i", str(tmp_path / "index"), "-m", str(tiny_bert)]
    done = subprocess.run([*add, "--ray", "127.0.0.1:1"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: Ray at 127.0.0.1:1: nobody answers there (Connection refused)\n"
    with pytest.raises(BadValue, match="ray is ' '; good: 'local'"):
        Searcher(tmp_path / "index", tiny_bert).add(tmp_path, ray=" ")


def test_without_ray_it_is_said_what_to_install(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setitem(sys.modules, "ray.data", None)
    with pytest.raises(SearcherError, match=r"pip install 'searcher\[ray\]'"):
        Searcher(tmp_path / "index", tiny_bert).add(tmp_path, ray="local")
    assert not (tmp_path / "index").exists()


def test_a_work_folder_or_a_dry_run_does_not_go_with_it(tiny_bert: Path, tmp_path: Path) -> None:
    searcher = Searcher(tmp_path / "index", tiny_bert)
    with pytest.raises(BadValue, match="say which cluster"):
        searcher.add(tmp_path, work=tmp_path)
    with pytest.raises(BadValue, match="leave ray out"):
        searcher.add(tmp_path, ray="local", dry_run=True)
