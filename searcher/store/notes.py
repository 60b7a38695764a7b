"""What is kept about a FAQ beside its entries: texts by name, and the questions that had no answer."""

from datetime import UTC, datetime
from typing import NamedTuple

from searcher.errors import DamagedIndex
from searcher.store.database import Database
from searcher.store.rows import check_part, checksum

__all__ = ["Notes", "Unanswered"]

MOST = 10_000  # questions kept; the oldest go first


class Unanswered(NamedTuple):
    """A question that had no answer, and when it was asked (UTC, ISO 8601)."""

    asked: str
    question: str


class Notes:
    """The notes in a database. Every method raises DamagedIndex for what is not what was written."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> str | None:
        """The text of that name, None if there is none."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT key, value, crc FROM faq WHERE key = ?", [name]).fetchone()
        if row is None:
            return None
        check_part(row, f"the {name} of the FAQ")
        if not isinstance(row[1], str):
            raise DamagedIndex(f"the {name} of the FAQ is no text; run: searcher check")
        return row[1]

    def set(self, name: str, text: str) -> None:
        """Keep a text in the place of the one before."""
        row = (name, text)
        with self._database.writing(changes=False) as connection:
            connection.execute("INSERT OR REPLACE INTO faq VALUES (?, ?, ?)", (*row, checksum(row)))

    def log(self, question: str) -> None:
        """Keep a question that had no answer."""
        asked = datetime.now(UTC).isoformat(timespec="seconds")
        with self._database.writing(changes=False) as connection:
            (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM unanswered").fetchone()
            row = (last + 1, asked, question)
            connection.execute("INSERT INTO unanswered VALUES (?, ?, ?, ?)", (*row, checksum(row)))
            connection.execute("DELETE FROM unanswered WHERE id <= ?", [last + 1 - MOST])

    def unanswered(self) -> list[Unanswered]:
        """The questions kept, the oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT id, asked, question, crc FROM unanswered ORDER BY id").fetchall()
        for row in rows:
            check_part(row, f"question {row[0]} that had no answer")
        return [Unanswered(asked, question) for _, asked, question, _ in rows]

    def forget(self) -> int:
        """Forget the questions kept; how many. What they said is overwritten in the file."""
        with self._database.writing(changes=False) as connection:
            return int(connection.execute("DELETE FROM unanswered").rowcount)
