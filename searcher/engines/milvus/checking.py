"""What lies on Milvus compared with what was stored, as many documents at a time as memory should hold."""

from collections.abc import Iterator, Sequence

from searcher.engines.milvus.layout import DOCUMENT_FIELDS, Stored, document_of, whole_document
from searcher.engines.milvus.passages import Passages
from searcher.engines.milvus.state import NUMBERS_AT_ONCE
from searcher.errors import DamagedIndex

__all__ = ["Checking"]


class Checking(Passages):
    """What is wrong on a server, found while others write to it."""

    def check(self) -> list[str]:
        """Every document read and compared with its digest, and whether all its passages are there. Three questions
        and more for as many documents as little memory holds.
        """
        lines = list[str]()
        for some in self._portions(self._legible(lines)):
            suspects = [stored.number for stored, _ in self._faults(some)]
            # Who was replaced or removed since its row was read looked damaged; it is looked at as it is now.
            now = list(self._of_numbers(suspects).values())
            lines += [line for _, line in self._faults(now)]
        return lines

    def _legible(self, lines: list[str]) -> Iterator[Stored]:
        """All documents that can be found by their numbers and read. lines: takes one for each other."""
        for rows in self.server.each(self.beside, 'table == "document"', DOCUMENT_FIELDS):
            for row in rows:
                try:
                    stored = document_of(row)
                except DamagedIndex as fault:
                    lines.append(str(fault))
                    continue
                if stored.number == row["document"]:
                    yield stored
                else:
                    lines.append(f"document {stored.number} is gone from {self.address}")

    def _faults(self, some: Sequence[Stored]) -> Iterator[tuple[Stored, str]]:
        """What is wrong with each of some documents, a line for its text and one for its passages."""
        texts = self._texts(some)
        ids = [number for stored in some for number in stored.ids]
        found = self.server.of_ids(self.passages, ids, ["id", "document"], size=NUMBERS_AT_ONCE)
        owners = {row["id"]: row["document"] for row in found}
        for stored in some:
            try:
                whole_document(stored, texts)
            except DamagedIndex as fault:
                yield stored, str(fault)
            if any(owners.get(number) != stored.number for number in stored.ids):
                yield stored, f"passages of document {stored.source!r} are gone; remove it and add it again"
