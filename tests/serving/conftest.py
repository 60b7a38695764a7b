"""Servers of a small index, each started once, and a browser that looks at the page of one."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import browsing
import pytest
from served import FAQ, TEXTS, Server, serving

from searcher import Searcher


@pytest.fixture(scope="session")
def index(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four documents with metadata, and a FAQ."""
    folder = tmp_path_factory.mktemp("served")
    with Searcher(folder / "index", model=tiny_bert) as searcher:
        metadatas = [{"lang": "en", "n": n, "tags": ["a", "b"][: n % 3]} for n in range(len(TEXTS))]
        searcher.add_texts(TEXTS.values(), ids=list(TEXTS), metadatas=metadatas)
        (folder / "faq.csv").write_text(FAQ, encoding="utf-8")
        searcher.add_faq(folder / "faq.csv")
    return folder / "index"


@pytest.fixture(scope="session")
def server(index: Path) -> Iterator[Server]:
    """A server that only reads, on this machine alone."""
    with serving(index, index.parent / "reading.log") as server:
        yield server


@pytest.fixture(scope="session")
def writable(index: Path, tiny_bert: Path) -> Iterator[Server]:
    """A server of an index of its own, empty at first, that can be written to."""
    with serving(
        index.parent / "other", index.parent / "writing.log", "--allow-writes", "-m", str(tiny_bert)
    ) as server:
        yield server


@pytest.fixture(scope="module")
def house(bundled: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of a few notes about a house, which may be written to."""
    folder = tmp_path_factory.mktemp("house")
    with Searcher(folder / "index", model=bundled) as searcher:
        searcher.add_texts(browsing.NOTES.values(), ids=list(browsing.NOTES), metadatas=list(browsing.FACTS.values()))
        (folder / "faq.csv").write_text(browsing.FAQ, encoding="utf-8")
        searcher.add_faq(folder / "faq.csv")
    with serving(folder / "index", folder / "log", "--allow-writes") as server:
        yield server


@pytest.fixture(scope="module")
def launch() -> Iterator[Callable[..., Any]]:
    """Starts a browser with more arguments."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if browsing.CHROMIUM is None:
        pytest.skip("there is no chromium")
    with playwright.sync_playwright() as started:
        yield lambda *more: started.chromium.launch(
            executable_path=browsing.CHROMIUM, args=[*browsing.ARGUMENTS, *more]
        )


@pytest.fixture(scope="module")
def browser(launch: Callable[..., Any]) -> Iterator[Any]:
    """One that is started already."""
    chromium = launch()
    yield chromium
    chromium.close()


@pytest.fixture
def visit(browser: Any, house: Server) -> Iterator[browsing.Open]:
    """Opens an address of the page; at the end, nothing was asked of another server and nothing was refused."""
    faults: list[str] = []
    contexts = []

    def opened(address: str = "/", wide: int = 1400, dark: bool = False, **more: Any) -> Any:
        context = browser.new_context(
            viewport={"width": wide, "height": 900}, color_scheme="dark" if dark else "light", **more
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.on("dialog", lambda dialog: (faults.append(dialog.message), dialog.dismiss()))
        page.on("console", lambda line: faults.append(line.text) if "Security Policy" in line.text else None)
        page.on(
            "request", lambda request: faults.append(request.url) if not request.url.startswith(house.url) else None
        )
        page.goto(house.url + address)
        page.wait_for_selector("#index:not(:empty)")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []
