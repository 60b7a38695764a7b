"""The truth: what is written to the database of an index and read from it, each in one transaction."""

from collections.abc import Iterable, Iterator

from searcher.errors import DamagedIndex
from searcher.records import Prepared
from searcher.store.audit import findings, lenient
from searcher.store.documents import Documents
from searcher.store.keyword_index import rebuild, verify
from searcher.store.passages import Passages
from searcher.store.seen import Seen
from searcher.store.tokenized import Tokenized
from searcher.store.writing import Writing

__all__ = ["Store"]


class Store(Documents, Passages, Seen, Tokenized, Writing):
    """The database of one index folder, with all that can be asked of it."""

    def whole(self, documents: Iterable[int]) -> Iterator[tuple[int, Prepared]]:
        """Ids of those documents that are there, rising, each as it was written; DamagedIndex. Call in `reading`."""
        for number, kept in self.kept(documents):
            yield number, Prepared(self.document(number), *kept)

    def check(self) -> list[str]:
        """A line for each thing in the database that is not what was stored."""
        lines: list[str] = []
        try:
            with self.database.reading() as connection:
                connection.text_factory = lenient  # a row with bytes that are no text is a line, not the end
                try:
                    lines.extend(findings(connection))
                finally:
                    connection.text_factory = str
            if self.database.writable():  # which FTS5 asks for to verify itself
                with self.database.rehearsing() as connection:
                    verify(connection)
        except DamagedIndex as fault:  # so broken that SQLite cannot go on
            lines.append(str(fault))
        return list(dict.fromkeys(lines))

    def rebuild_keywords(self) -> None:
        """Make the keyword index anew; nothing of what was removed is left in it."""
        with self.database.writing(changes=False) as connection:
            rebuild(connection)
