"""What the styles of OpenDocument say that matters for the text: which lists count, and what is hidden."""

from collections.abc import Iterable

from searcher.readers.parsers.zipped import Element, attribute

__all__ = ["Styles", "is_shown"]

# By the properties of a style: the attribute that hides what has it, and its value.
HIDING = {
    "text-properties": ("display", "none"), "table-properties": ("display", "false"),
    "drawing-page-properties": ("visibility", "hidden"),
}  # fmt: skip


class Styles:
    """Those of a document. numbered: names of list styles that count. hiding: names of styles that are not shown."""

    def __init__(self, roots: Iterable[Element]) -> None:
        self.numbered: set[str] = set()
        self.hiding: set[str] = set()
        for root in roots:
            for style in root.iter("list-style"):
                if len(style) and style[0].tag == "list-level-style-number" and attribute(style[0], "num-format"):
                    self.numbered.add(attribute(style, "name") or "")
            for style in root.iter("style"):
                if any(attribute(style.find(kind), name) == value for kind, (name, value) in HIDING.items()):
                    self.hiding.add(attribute(style, "name") or "")

    def hide(self, element: Element) -> bool:
        """Whether it is not shown, by its style or as it says itself."""
        return attribute(element, "style-name") in self.hiding or attribute(element, "display") == "none"


def is_shown(part: Element) -> bool:
    """Whether a row or a column is neither collapsed nor filtered out."""
    return attribute(part, "visibility") in (None, "visible")
