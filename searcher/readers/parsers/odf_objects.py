"""Documents within a document of OpenDocument: charts are read as documents, formulas as a line of text."""

from lxml import etree

from searcher.errors import UnreadableFile
from searcher.readers.linear import spelled
from searcher.readers.parsers.drafting import one_line
from searcher.readers.parsers.zipped import Archive, Element, attribute
from searcher.readers.raw import Raw

__all__ = ["Objects"]


class Objects:
    """Those of a document; archive: in which they are, None where all of it is one XML text."""

    def __init__(self, raw: Raw, archive: Archive | None) -> None:
        self.raw, self.archive = raw, archive
        self._read: set[str] = set()

    def body(self, element: Element) -> Element:
        """What is to be read of one: a paragraph for a formula, nothing a second time. One that is damaged is told."""
        name = (attribute(element, "href") or "").removeprefix("./").rstrip("/")
        if self.archive and name:
            try:
                element = self.archive.maybe(None if name in self._read else f"{name}/content.xml")
            except UnreadableFile as fault:
                self.raw.note(f"{name} is left out: {fault.reason}")
                return etree.Element("none")
            self._read.add(name)
        formula = next(element.iter("math"), None)
        if formula is None:
            return next(element.iter("body"), etree.Element("none"))
        line = etree.Element("p")
        line.text = one_line(formula.findtext(".//annotation")) or spelled(formula)
        return line
