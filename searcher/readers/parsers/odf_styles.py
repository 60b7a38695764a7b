"""What the styles of OpenDocument say that matters for the text: what is hidden, and what is code."""

from collections.abc import Collection, Iterable

from searcher.readers.parsers.zipped import Element, attribute

__all__ = ["Styles", "is_shown"]

# By the properties of a style: the attribute that hides what has it, and its value.
HIDING = {
    "text-properties": ("display", "none"), "table-properties": ("display", "false"),
    "drawing-page-properties": ("visibility", "hidden"),
}  # fmt: skip


CODE = {"Preformatted_20_Text", "Preformatted Text", "Source_20_Text"}  # what LibreOffice calls such styles
TITLE = {"Title"}
DEEPEST_STYLE = 20


class Styles:
    """Those of a document. hiding: names of styles that are not shown."""

    def __init__(self, roots: Iterable[Element]) -> None:
        self._parents: dict[str, str] = {}
        self.hiding: set[str] = set()
        for root in roots:
            for style in root.iter("style"):
                self._parents[attribute(style, "name") or ""] = attribute(style, "parent-style-name") or ""
                if any(attribute(style.find(kind), name) == value for kind, (name, value) in HIDING.items()):
                    self.hiding.add(attribute(style, "name") or "")

    def hide(self, element: Element) -> bool:
        """Whether it is not shown, by its style or as it says itself."""
        return attribute(element, "style-name") in self.hiding or attribute(element, "display") == "none"

    def is_code(self, paragraph: Element) -> bool:
        """Whether it is a line as a machine has it, by the style of that name or one made of it."""
        return self._is_of(paragraph, CODE)

    def is_title(self, paragraph: Element) -> bool:
        """Whether it is the title of the document, by the same."""
        return self._is_of(paragraph, TITLE)

    def _is_of(self, paragraph: Element, names: Collection[str]) -> bool:
        name = attribute(paragraph, "style-name")
        for _ in range(DEEPEST_STYLE):
            if name in names or not name:
                break
            name = self._parents.get(name)
        return name in names


def is_shown(part: Element) -> bool:
    """Whether a row or a column is neither collapsed nor filtered out."""
    return attribute(part, "visibility") in (None, "visible")
