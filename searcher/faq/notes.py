"""What is kept about a FAQ in searcher.db: its calibration, and the questions that had no answer if the owner wants."""

from datetime import UTC, datetime
from typing import NamedTuple

from searcher.calibration import Calibration
from searcher.database import Database
from searcher.errors import DamagedIndex
from searcher.schema import check_part, checksum

__all__ = ["Unanswered", "calibration", "forget", "is_logging", "keep_calibration", "log", "set_logging", "unanswered"]

MOST = 10_000  # questions kept; the oldest go first
CALIBRATION, LOGGING = "calibration", "logging"


class Unanswered(NamedTuple):
    """A question that had no answer, and when it was asked (UTC, ISO 8601)."""

    asked: str
    question: str


def calibration(database: Database) -> Calibration | None:
    """The calibration that was stored last, of whatever settings; None if there is none. Raises DamagedIndex."""
    text = _value(database, CALIBRATION)
    return None if text is None else Calibration.loads(text)


def keep_calibration(database: Database, made: Calibration) -> None:
    """Store a calibration in the place of the one before."""
    _set(database, CALIBRATION, made.dumps())


def is_logging(database: Database) -> bool:
    """Whether questions without an answer are kept."""
    return _value(database, LOGGING) == "on"


def set_logging(database: Database, on: bool) -> None:
    """Keep questions without an answer from now on, or no more; those kept stay until they are forgotten."""
    _set(database, LOGGING, "on" if on else "off")


def log(database: Database, question: str) -> None:
    """Keep a question that had no answer."""
    asked = datetime.now(UTC).isoformat(timespec="seconds")
    with database.writing(changes=False) as connection:
        (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM unanswered").fetchone()
        row = (last + 1, asked, question)
        connection.execute("INSERT INTO unanswered VALUES (?, ?, ?, ?)", (*row, checksum(row)))
        connection.execute("DELETE FROM unanswered WHERE id <= ?", [last + 1 - MOST])


def unanswered(database: Database) -> list[Unanswered]:
    """The questions kept, the oldest first. Raises DamagedIndex."""
    with database.reading() as connection:
        rows = connection.execute("SELECT id, asked, question, crc FROM unanswered ORDER BY id").fetchall()
    for row in rows:
        check_part(row, f"question {row[0]} that had no answer")
    return [Unanswered(asked, question) for _, asked, question, _ in rows]


def forget(database: Database) -> int:
    """Forget the questions kept; how many. What they said is overwritten in the file."""
    with database.writing(changes=False) as connection:
        return int(connection.execute("DELETE FROM unanswered").rowcount)


def _value(database: Database, key: str) -> str | None:
    with database.reading() as connection:
        row = connection.execute("SELECT key, value, crc FROM faq WHERE key = ?", [key]).fetchone()
    if row is None:
        return None
    check_part(row, f"the {key} of the FAQ")
    if not isinstance(row[1], str):
        raise DamagedIndex(f"the {key} of the FAQ is no text; run: searcher check")
    return row[1]


def _set(database: Database, key: str, value: str) -> None:
    row = (key, value)
    with database.writing(changes=False) as connection:
        connection.execute("INSERT OR REPLACE INTO faq VALUES (?, ?, ?)", (*row, checksum(row)))
