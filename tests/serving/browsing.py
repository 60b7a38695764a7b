"""The page in a real browser: what it is opened on, and how tests read it."""

import shutil
from collections.abc import Callable
from typing import Any

from served import XSS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-headless-shell")
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
Open = Callable[..., Any]

NOTES = {
    "boiler": "🔥 The manual lies in the kitchen. The boiler goes off when the pressure falls below 1 bar. Call Anna then.",
    "radiator": "A radiator that gurgles has air in it. Open its valve with the key until water comes.",
    "roof": "The tiles of the roof were renewed in spring. The gutter is cleaned every autumn.",
    "garten": "Die Rosen werden im März geschnitten. Der Rasen braucht im Sommer viel Wasser.",
    "xss": XSS,
}
FACTS = {
    "boiler": {"lang": "en", "year": 2024}, "radiator": {"lang": "en", "year": 2021}, "roof": {"lang": "en", "year": 2024},
    "garten": {"lang": "de", "year": 2021}, "xss": {"lang": "it's", "year": 2021},
}  # fmt: skip
FAQ = "question,answer\nHow do I bleed a radiator?,Turn the key in its valve.\nWhen is the bin emptied?,On Mondays.\n"


def titles(page: Any) -> list[str]:
    return page.locator("#hits .title").all_inner_texts()


def first_is(page: Any, title: str) -> None:
    page.wait_for_selector(f"#hits li:first-child .title:text-is('{title}')")
