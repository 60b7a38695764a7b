"""What the page tells whoever comes by a link, goes back, has no mouse, or reads in colours or a direction of their own."""

from typing import Any
from urllib.parse import urlencode

import pytest
from browsing import Open, first_is
from served import Server

from searcher import Client

LONG = "Donaudampfschifffahrtsgesellschaft" * 4
HEBREW = "הדוד נכבה כאשר הלחץ יורד."


@pytest.mark.parametrize("wide", [1400, 400])
def test_a_link_with_a_wrong_filter_tells_what_is_wrong_with_it(visit: Open, wide: int) -> None:
    page = visit("/?" + urlencode({"q": "water", "where": "year >"}), wide)
    page.wait_for_selector("#wrong:visible")
    assert page.locator("#wrong").inner_text() == "filter 'year >', position 7: expected a value, found the end"
    assert page.locator("#filter").get_attribute("aria-invalid") == "true"
    page.fill("#filter", "year >= 2022")
    page.press("#filter", "Enter")
    page.wait_for_selector("#count:text-is('2 passages')")
    page.wait_for_selector("#wrong", state="hidden")
    assert page.locator("#filter").get_attribute("aria-invalid") == "false"


def fail(page: Any, path: str, status: int = 503, body: str = '{"detail": "it is locked"}') -> None:
    page.route(f"**{path}", lambda route: route.fulfill(status=status, content_type="application/json", body=body))


def test_what_fails_is_told_until_it_succeeds_whatever_else_does(visit: Open) -> None:
    page = visit()
    fail(page, "/search")
    page.fill("#question", "gurgling radiator")
    page.wait_for_selector("#problem:text-is('it is locked')")
    page.fill("#filter", "year >= 2022")  # whose counts come
    page.press("#filter", "Enter")
    page.wait_for_selector("body:not(.busy)")
    assert page.locator("#problem").inner_text() == "it is locked"
    page.unroute("**/search")
    page.wait_for_selector("#count:text-is('2 passages')")  # asked again by itself
    page.wait_for_selector("#problem", state="hidden")


def test_an_answer_that_breaks_off_is_told_and_asked_for_again(visit: Open) -> None:
    page = visit()
    fail(page, "/search", 200, '{"hits": [')
    page.fill("#question", "gurgling radiator")
    page.wait_for_selector("#problem:text-is('The answer of the server broke off. Trying again …')")
    page.unroute("**/search")
    first_is(page, "radiator")


def test_the_answer_to_another_question_is_not_kept_where_there_is_none(visit: Open) -> None:
    page = visit("/?q=how+do+I+bleed+a+radiator")
    page.wait_for_selector("#answer:visible")
    fail(page, "/answer", 500)
    page.fill("#question", "roses in march")
    page.wait_for_selector("#problem:text-is('it is locked')")
    assert page.locator("#answer").is_hidden()


def test_a_question_as_long_as_they_may_be_is_answered_in_any_script(visit: Open) -> None:
    page = visit()
    page.fill("#question", "锅炉压力" * 5_000)
    page.wait_for_selector("#count:text-is('7 passages')")
    page.wait_for_selector("body:not(.busy)")
    assert page.locator("#problem").is_hidden()


def test_back_leads_to_the_question_before_however_often_enter_was_pressed(visit: Open) -> None:
    page = visit()
    page.fill("#question", "gurgling radiator")
    first_is(page, "radiator")
    for _ in range(3):
        page.press("#question", "Enter")
    page.fill("#question", "when does the boiler go off")
    first_is(page, "boiler")
    page.fill("#question", "when does the boiler go off?")
    page.wait_for_url("**/?q=when+does+the+boiler+go+off%3F")
    page.go_back()
    page.wait_for_url("**/?q=gurgling+radiator")
    first_is(page, "radiator")
    assert page.locator("#question").input_value() == "gurgling radiator"
    page.go_forward()
    first_is(page, "boiler")


def test_the_preview_ends_with_the_question_that_it_was_of(visit: Open) -> None:
    page = visit("/?q=gurgling+radiator")
    page.locator(".hit").first.click()
    page.wait_for_selector("#preview h2:text-is('radiator')")
    page.fill("#question", "when does the boiler go off")
    first_is(page, "boiler")
    page.wait_for_selector("#preview", state="hidden")


def test_a_point_of_the_map_that_is_no_hit_stays_open(visit: Open) -> None:
    page = visit("/?q=water&tab=map&" + urlencode({"k": 2}))
    page.wait_for_selector(".dot")
    page.locator(".dot").last.dispatch_event("click")
    page.wait_for_selector("#preview:visible")
    page.wait_for_selector("body:not(.busy)")
    assert page.locator("#preview").is_visible()
    assert "hit=" in page.url


def test_whoever_picks_a_filter_by_keys_stays_at_it(visit: Open) -> None:
    page = visit("/?q=water")
    page.get_by_label("2024").focus()
    page.keyboard.press("Space")
    page.wait_for_selector("#count:text-is('2 passages')")
    page.wait_for_selector("body:not(.busy)")
    assert page.evaluate("document.activeElement.dataset.pick") == '["year",2024]'
    page.keyboard.press("Space")
    page.wait_for_selector("#count:text-is('7 passages')")


def offered(page: Any, text: str, title: str = "a title") -> None:
    """Have the page show a passage of ours."""
    hit = {"rank": 1, "score": 0.5, "passage_id": 1, "id": None, "source": "a.md", "title": title, "section": None,
           "start": 0, "end": len(text), "line": 1, "text": text, "metadata": {}, "stands": "line 1"}  # fmt: skip
    page.route("**/search", lambda route: route.fulfill(json={"hits": [hit]}))
    page.fill("#question", "anything")
    page.wait_for_selector(".hit")


def test_a_text_has_the_direction_of_its_letters(visit: Open) -> None:
    page = visit()
    offered(page, HEBREW)
    place = """() => { const range = document.createRange(); const text = document.querySelector(".hit .text");
        const node = text.firstChild; range.setStart(node, node.length - 1); range.setEnd(node, node.length);
        const [own, sign] = [text.getBoundingClientRect(), range.getBoundingClientRect()];
        const first = document.createRange(); first.setStart(node, 0); first.setEnd(node, 1);
        return [Math.round(own.right - first.getBoundingClientRect().right), sign.left < first.getBoundingClientRect().left] }"""
    assert page.evaluate(place) == [0, True]  # it begins at the right, and its full stop is at the left
    page.fill("#question", HEBREW)
    assert page.locator("#question").evaluate("own => own.matches(':dir(rtl)')")


@pytest.mark.parametrize("wide", [320, 768, 1440])
def test_no_score_and_no_name_of_a_mode_is_broken_in_two(visit: Open, wide: int) -> None:
    page = visit(wide=wide)
    offered(page, "a text", LONG)
    lines = "own => { const range = document.createRange(); range.selectNodeContents(own); return range.getClientRects().length }"
    for part in (".score", *(f"#modes label:nth-of-type({n}) span" for n in (1, 2, 3))):
        assert page.locator(part).evaluate(lines) == 1


@pytest.mark.parametrize("wide", [400, 1400])
def test_nothing_stands_out_where_letters_are_twice_as_large(visit: Open, wide: int) -> None:
    page = visit("/?q=water", wide, bypass_csp=True)
    page.add_style_tag(content=":root { font-size: 200% !important }")
    page.locator(".hit").first.click()
    page.wait_for_selector("#preview:visible")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_what_is_chosen_can_be_told_in_colours_of_the_readers_own(visit: Open) -> None:
    page = visit("/?q=boiler&tab=tokens", forced_colors="active", reduced_motion="reduce")
    page.wait_for_selector(".heat")
    colour = "(own) => getComputedStyle(own).{}"

    def of(selector: str, name: str) -> str:
        return str(page.locator(selector).first.evaluate(colour.format(name)))

    assert of("#modes :checked + span", "backgroundColor") != of("#modes :not(:checked) + span", "backgroundColor")
    assert of("[role=tab][aria-selected=true]", "borderBottomColor") != of(
        "[role=tab][aria-selected=false]", "borderBottomColor"
    )
    shades = page.locator(".heat tbody td").evaluate_all(
        "all => all.map((own) => getComputedStyle(own).backgroundColor)"
    )
    assert len(set(shades)) > 3
    page.locator("#tab-passages").click()
    page.wait_for_selector("body:not(.busy)")
    page.locator(".hit").nth(1).click()
    page.wait_for_selector("#hits li:nth-child(2) .hit[aria-current]")
    page.wait_for_selector("#preview:focus")
    assert of(".hit[aria-current]", "borderTopColor") != of(".hit:not([aria-current])", "borderTopColor")


def test_a_passage_of_a_document_that_changed_meanwhile_is_told_to_be_another(visit: Open, house: Server) -> None:
    with Client(house.url) as client:
        client.put(["The chimney sweep comes in May, early in the morning."], ids=["sweep"])
        page = visit("/?q=chimney+sweep")
        first_is(page, "sweep")
        page.wait_for_selector("body:not(.busy)")
        client.put(["The chimney was taken down, the sweep comes no more."], ids=["sweep"])
        page.locator(".hit").first.click()
        page.wait_for_selector("#problem:text-is('This document has changed since it was found. Ask again.')")
        assert page.locator("#preview").is_hidden()
        client.delete("sweep")
