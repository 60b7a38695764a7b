"""The page in a real browser: what people see, press and drop, in both themes and on a narrow screen."""

import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from browsing import NOTES, Open, first_is, titles
from served import XSS, Server, serving

from searcher import Client

TOKEN = "a-token-of-the-page-long-enough"


def drop(page: Any, *paths: Path) -> None:
    """Drag paths over the page and let them go there.

    Chromium drops only what the page has said it takes, and the page says so after the drag over it has been told:
    on a busy machine a drop comes too early and is none, so the drag is made again, with a longer wait.
    """
    devtools = page.context.new_cdp_session(page)
    dragged = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    page.evaluate("""new MutationObserver(() => window.shown ||= document.body.matches(".dropping"))
        .observe(document.body, { attributes: true })""")
    for wait in range(200, 4000, 200):
        for kind in ("dragEnter", "dragOver", "dragOver", "drop"):
            devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 700, "y": 400, "data": dragged})
            page.wait_for_timeout(wait if kind == "dragOver" else 0)
        page.wait_for_timeout(wait)
        if page.locator("#added li").count():
            break
    assert page.evaluate("window.shown"), "the page did not show that it takes what is dragged over it"
    page.locator("body.dropping").wait_for(state="detached")


def test_what_is_typed_is_answered_without_enter_and_the_sentence_that_answers_is_marked(visit: Open) -> None:
    page = visit()
    page.locator("#question").press_sequentially("when does the boiler go off")
    first_is(page, "boiler")
    marked = page.locator("#hits li:first-child mark")
    assert marked.inner_text() == "The boiler goes off when the pressure falls below 1 bar."
    assert page.locator("#count").inner_text() == "7 passages"
    assert page.url.endswith("/?q=when+does+the+boiler+go+off")
    assert page.evaluate("history.length") == 2  # typing leaves no steps behind


def test_a_long_passage_is_shown_around_the_sentence_that_answers_without_a_cut_word(
    visit: Open, house: Server
) -> None:
    words = " ".join(f"ornamental{number}" for number in range(40))
    text = f"{words}. The cellar key hangs behind the stove. {words}."
    with Client(house.url) as client:
        client.put([text], ids=["long"])
        try:
            page = visit("/?q=where+does+the+cellar+key+hang")
            said = page.inner_text(".hit:has(mark:text('cellar')) .text")
        finally:
            client.delete("long")
    assert said.startswith("… ") and said.endswith(" …")
    assert set(said.removeprefix("… ").removesuffix(" …").split()) <= set(text.split())
    assert "The cellar key hangs behind the stove." in said


def test_an_answer_that_comes_late_is_not_shown(visit: Open) -> None:
    page = visit()
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route) if "roof" in (route.request.post_data or "") else route.continue_()

    page.route("**/search", hold)
    page.fill("#question", "when was the roof renewed")
    page.wait_for_timeout(400)
    page.fill("#question", "the air in a radiator gurgles")
    first_is(page, "radiator")
    assert held, "the first question was asked"
    for route in held:
        route.fulfill(json={"hits": []})
    page.wait_for_timeout(200)
    assert titles(page)[0] == "radiator"


def test_filters_with_counts_narrow_the_passages_and_the_address_holds_all_of_it(visit: Open) -> None:
    page = visit("/?q=water&mode=hybrid")
    year = page.locator(".facet", has=page.locator("legend:text-is('year')"))
    year.wait_for()
    assert year.locator("label").all_inner_texts() == ["2021\n3", "2024\n2"]
    year.locator("label", has_text="2021").click()
    page.wait_for_selector("#count:text-is('3 passages')")
    assert sorted(titles(page)) == ["garten", "radiator", "xss"]
    page.locator(".facet label", has_text="it's").click()
    page.wait_for_selector("#count:text-is('1 passage')")
    again = visit(page.url.partition("127.0.0.1")[2].partition("/")[2].join(["/", ""]))
    again.wait_for_selector("#count:text-is('1 passage')")
    assert again.locator("#question").input_value() == "water"
    assert again.locator("[name=mode]:checked").get_attribute("value") == "hybrid"
    assert again.locator(".facet :checked").count() == 2
    page.go_back()
    page.wait_for_selector("#count:text-is('3 passages')")


def test_a_filter_that_is_written_is_obeyed_and_a_wrong_one_told_in_its_line(visit: Open) -> None:
    page = visit("/?q=water")
    page.fill("#filter", "year >= 2022 and")
    page.press("#filter", "Enter")
    page.wait_for_selector("#wrong:visible")
    assert page.locator("#wrong").inner_text().startswith("filter 'year >= 2022 and', position ")
    page.fill("#filter", "year >= 2022")
    page.press("#filter", "Enter")
    page.wait_for_selector("#count:text-is('2 passages')")
    assert page.locator("#wrong").is_hidden()
    page.fill("#filter", "year > 3000")
    page.press("#filter", "Enter")
    page.get_by_role("button", name="Remove the filters").click()
    page.wait_for_selector("#count:text-is('7 passages')")


def test_everything_is_done_by_keys(visit: Open) -> None:
    page = visit("/?q=when+does+the+boiler+go+off")
    first_is(page, "boiler")
    focus = "document.activeElement.id || document.activeElement.querySelector('.title')?.textContent"
    page.locator("#tab-passages").focus()
    page.keyboard.press("/")
    assert page.evaluate(focus) == "question"
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focus) == "boiler"
    page.keyboard.press("ArrowDown")
    second = titles(page)[1]
    assert page.evaluate(focus) == second
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#preview h2:text-is('{second}')")
    page.wait_for_selector("#preview:focus")
    page.keyboard.press("Escape")
    page.wait_for_selector("#preview", state="hidden")
    assert page.evaluate(focus) == second
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert page.evaluate(focus) == "question"
    page.keyboard.press("Escape")  # the preview that came with the first passage
    page.keyboard.press("/")
    page.locator("#question").focus()
    page.keyboard.press("Escape")
    page.wait_for_selector("#hits:empty", state="attached")
    assert page.locator("#question").input_value() == ""
    page.locator("#tab-passages").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#tokens:visible")
    page.keyboard.press("?")
    page.wait_for_selector("#keys:visible")
    page.keyboard.press("Escape")
    page.wait_for_selector("#keys", state="hidden")


def test_the_preview_shows_the_passage_within_its_document(visit: Open) -> None:
    page = visit("/?q=when+does+the+boiler+go+off")
    page.locator("#hits mark").first.wait_for()
    page.locator(".hit").first.click()
    assert page.locator("#preview .passage").inner_text() == NOTES["boiler"]
    assert page.locator("#preview mark").inner_text() == "The boiler goes off when the pressure falls below 1 bar."
    assert "2024" in page.locator("#preview .facts").inner_text()
    assert page.locator("#preview .where span").all_inner_texts() == ["boiler", "line 1"]
    rows = page.locator(".hit .where").filter(has_text="faq.csv").all_inner_texts()
    assert len(rows) == 2 and not any("line" in row for row in rows)
    assert re.search(r"[?&]hit=\d+", page.url)
    page.get_by_role("button", name="Close the preview").click()
    assert page.locator("#preview").is_hidden()


def test_the_answer_of_the_faq_stands_on_top(visit: Open) -> None:
    page = visit("/?q=how+can+a+radiator+be+bled")
    page.wait_for_selector("#answer:visible")
    assert page.locator("#answer .told").inner_text() == "Turn the key in its valve."
    assert re.search(r"fits 0\.\d\d", page.locator("#answer").inner_text())
    page.fill("#question", "the colour of the moon of Saturn")
    page.wait_for_selector("#answer", state="hidden")


def test_a_file_is_added_by_the_button_and_found_and_what_cannot_be_read_is_told(visit: Open, tmp_path: Path) -> None:
    page = visit("/?q=who+repairs+bicycles")
    before = page.locator("#index").inner_text()
    (tmp_path / "bicycle.md").write_text(
        "# Bicycle\n\nMr Olsen repairs bicycles in Harbour Street.\n", encoding="utf-8"
    )
    (tmp_path / "film.mov").write_bytes(b"\0\1")
    page.set_input_files("#files", [tmp_path / "bicycle.md", tmp_path / "film.mov"])
    page.wait_for_selector("#added .right")
    assert page.locator("#added .right").inner_text() == "bicycle.md\n1 document, 1 passage"
    page.wait_for_selector("#added .wrong")
    assert "film.mov" in page.locator("#added .wrong").inner_text()
    first_is(page, "Bicycle")
    page.wait_for_selector(f"#index:not(:text-is('{before}'))")
    page.evaluate("fetch('/documents?source=bicycle.md', { method: 'DELETE' })")


def test_files_are_added_where_they_are_dropped_and_a_folder_is_told_to_be_one(visit: Open, tmp_path: Path) -> None:
    page = visit("/?q=who+tunes+pianos")
    (tmp_path / "piano.md").write_text("# Piano\n\nMs Lund tunes pianos on Fridays.\n", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    drop(page, tmp_path / "piano.md", tmp_path / "folder")
    added, refused = page.locator("#added .right").last, page.locator("#added .wrong").last
    added.wait_for(timeout=120_000)  # it is read and embedded when nothing else needs the processor
    assert added.inner_text() == "piano.md\n1 document, 1 passage"
    refused.wait_for()
    assert "is a folder" in refused.inner_text()
    first_is(page, "Piano")
    page.evaluate("fetch('/documents?source=piano.md', { method: 'DELETE' })")


@pytest.mark.parametrize("fault", ["gone", "busy", "stopping"])
def test_a_server_that_is_gone_or_busy_is_told_and_asked_again_by_itself(visit: Open, fault: str) -> None:
    page = visit()
    line = "256 requests wait already for questions; ask again in a moment"
    refused = {
        "status": 429 if fault == "busy" else 503,
        "json": {"detail": line, "error": {"type": "", "message": line}},
    }
    page.route("**/search", lambda route: route.abort() if fault == "gone" else route.fulfill(**refused))
    page.fill("#question", "when was the roof renewed")
    page.wait_for_selector("#problem:visible")
    said = page.locator("#problem").inner_text()
    assert said.endswith("Trying again …") if fault == "gone" else said == line
    assert (
        page.locator("#problem").get_attribute("role") in ("alert", "status")
        or page.locator("[aria-live] #problem").count()
    )
    page.unroute("**/search")
    first_is(page, "roof")
    page.wait_for_selector("#problem", state="hidden")


def test_a_document_of_markup_stays_text(visit: Open) -> None:
    page = visit("/?q=script+alert+bank&mode=keyword")
    first_is(page, "xss")
    page.locator(".hit").first.click()
    page.wait_for_selector("#preview .passage")
    assert page.locator("#hits .text").first.inner_text() == XSS
    assert page.locator("#preview .passage").inner_text() == XSS
    assert page.locator("main img, main script").count() == 0


def test_the_tokens_of_the_question_and_who_looks_at_whom(visit: Open) -> None:
    page = visit("/?q=the+unbelievable+boilermaker&tab=tokens")
    page.wait_for_selector(".heat")
    assert page.locator(".pieces li").all_inner_texts() == [
        "[CLS]",
        "the",
        "unbelievable",
        "boiler",
        "##maker",
        "[SEP]",
    ]
    assert page.locator(".heat tbody tr").count() == 6
    sums = page.evaluate(
        "[...document.querySelectorAll('.heat tbody tr')].map(row => [...row.querySelectorAll('td')]"
        ".reduce((sum, cell) => sum + Number(cell.textContent), 0))"
    )
    assert all(abs(one - 1) < 0.04 for one in sums)  # each of six cells is rounded to two places
    before = page.locator(".heat td").nth(8).inner_text()
    page.select_option("[data-choice=Layer]", "1")
    page.wait_for_selector("[data-choice=Layer]:focus")
    assert page.locator(".heat td").nth(8).inner_text() != before


def test_the_map_shows_the_hits_and_opens_them(visit: Open) -> None:
    page = visit("/?q=when+does+the+boiler+go+off&tab=map")
    page.wait_for_selector("#map svg")
    assert page.locator(".hit-dot").count() == 7
    page.locator(".dot[aria-label^='1. boiler']").click()
    page.wait_for_selector("#preview h2:text-is('boiler')")
    assert page.locator("#preview .where").inner_text().endswith("line 1")
    assert page.locator("#tab-passages").get_attribute("aria-selected") == "true"


@pytest.mark.parametrize("tab", ["passages", "tokens", "map"])
def test_nothing_stands_out_at_360_pixels(visit: Open, tab: str) -> None:
    page = visit(f"/?q=when+does+the+boiler+go+off&tab={tab}", wide=360)
    page.wait_for_selector({"passages": "#hits mark", "tokens": ".heat", "map": "#map svg"}[tab])
    if tab == "passages":
        page.locator(".hit").first.click()
        page.wait_for_selector("#preview .passage")
    assert page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(visit: Open, dark: bool) -> None:
    pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
    axe = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    page = visit("/?q=how+can+a+radiator+be+bled", dark=dark, bypass_csp=True)
    ready = {"passages": "#hits mark", "tokens": ".heat", "map": "#map svg"}
    for tab, there in ready.items():
        page.click(f"#tab-{tab}")
        page.wait_for_selector(there)
        if tab == "passages":
            page.locator(".hit").first.click()
            page.wait_for_selector("#preview .passage")
        page.evaluate(axe)
        found = page.evaluate("axe.run()")["violations"]
        assert [(own["id"], own["nodes"][0]["html"]) for own in found] == [], tab


def test_a_server_with_a_token_is_asked_once_it_is_given(browser: Any, house: Server, tmp_path: Path) -> None:
    index = house.log.parent / "index"
    with serving(index, tmp_path / "log", SEARCHER_TOKEN=TOKEN) as server:
        page = browser.new_page()
        page.goto(f"{server.url}/?q=boiler")
        page.fill("#token", "another token")
        page.press("#token", "Enter")
        page.wait_for_selector("#problem:has-text('a token is needed')")
        page.fill("#token", TOKEN)
        page.press("#token", "Enter")
        first_is(page, "boiler")
        assert page.locator("#drop").is_hidden()  # nobody may write here
        page.context.close()


def test_a_page_under_another_name_for_this_machine_reads_nothing(launch: Callable[..., Any], house: Server) -> None:
    chromium = launch("--host-resolver-rules=MAP evil.test 127.0.0.1")
    page = chromium.new_page()
    assert page.goto(f"http://evil.test:{house.port}/").status == 403
    asked = "fetch('/search?q=boiler').then(async (reply) => [reply.status, await reply.text()])"
    status, body = page.evaluate(asked)
    assert (status, "pressure" in body) == (403, False)
    chromium.close()
