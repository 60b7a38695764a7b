"""Running text of OpenDocument: what a paragraph says as it is shown, apart from what is set below it."""

from searcher.readers.numerals import whole
from searcher.readers.parsers.odf_objects import Objects
from searcher.readers.parsers.odf_styles import Styles
from searcher.readers.parsers.zipped import Element, attribute

__all__ = ["GONE", "SHAPES", "Text"]

# What is no text of the document: changes, fields' declarations, signs of notes, how characters are read.
GONE = {"tracked-changes", "annotation-end", "forms", "sequence-decls", "note-citation", "ruby-text", "desc"}
GONE |= {"content-validations"}  # what a sheet says while a cell is written in
SHAPES = {
    "custom-shape", "rect", "square", "circle", "ellipse", "line", "polyline", "polygon", "regular-polygon", "path",
    "connector", "caption", "measure",
}  # fmt: skip
DRAWN = {"frame", "g", *SHAPES}  # whose title is none of their text
BELOW = {"text-box", "table", "image", "annotation", "g", *SHAPES}  # what stands in a paragraph and is set below it
LINES = {"p", "h", "list-item", "table-row", "table-cell"}  # what begins a line of its own
SIGNS = {"tab": "\t", "line-break": "\n"}
MOST_SPACES = 100


class Text:
    """The texts of a document."""

    def __init__(self, styles: Styles, objects: Objects) -> None:
        self.styles, self.objects = styles, objects

    def of(self, element: Element, below: list[Element]) -> str:
        """What it says; what stands in it and is set below it goes to `below`."""
        pieces = [element.text or ""]
        for child in element:
            tag = child.tag
            if tag in SIGNS:
                pieces.append(SIGNS[tag])
            elif tag == "s":
                pieces.append(" " * min(whole(attribute(child, "c"), 1), MOST_SPACES))
            elif tag == "note":
                below += child.findall("note-body")
            elif tag == "object":
                inner = self.objects.body(child)
                if inner.tag == "p":  # a formula, which stands in its line
                    pieces.append(inner.text)
                else:
                    below.append(inner)
            elif tag in BELOW:
                below.append(child)
            elif tag == "title" and element.tag in DRAWN:
                pass  # elsewhere it is a field, which shows that of the document
            elif tag not in GONE and not self.styles.hide(child) and attribute(child, "is-hidden") != "true":
                if tag in LINES and "".join(pieces).strip():
                    pieces.append("\n")
                pieces.append(self.of(child, below))
            pieces.append(child.tail or "")
        return "".join(pieces)
