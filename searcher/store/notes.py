"""What is kept about a FAQ beside its entries: texts by name, and the questions that had no answer."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

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
        self.take_in({name: text}, [])

    def texts(self) -> dict[str, str]:
        """All that is kept under names."""
        with self._database.reading() as connection:
            names = [name for (name,) in connection.execute("SELECT key FROM faq ORDER BY key")]
            return {name: text for name in names if (text := self.get(name)) is not None}

    def take_in(self, texts: Mapping[str, str], questions: Iterable[Unanswered]) -> None:
        """One transaction: texts in the place of those before, questions behind those before."""
        with self._database.writing(changes=False) as connection:
            for row in texts.items():
                connection.execute("INSERT OR REPLACE INTO faq VALUES (?, ?, ?)", (*row, checksum(row)))
            _append(connection, questions)

    def log(self, question: str) -> None:
        """Keep a question that had no answer."""
        asked = datetime.now(UTC).isoformat(timespec="seconds")
        with self._database.writing(changes=False) as connection:
            _append(connection, [Unanswered(asked, question)])

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


def _append(connection: Any, questions: Iterable[Unanswered]) -> None:
    """Inside a write."""
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM unanswered").fetchone()
    for number, (asked, question) in enumerate(questions, last + 1):
        row = (number, asked, question)
        connection.execute("INSERT INTO unanswered VALUES (?, ?, ?, ?)", (*row, checksum(row)))
        connection.execute("DELETE FROM unanswered WHERE id <= ?", [number - MOST])
