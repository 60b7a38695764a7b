"""What is kept about a FAQ on Milvus: texts by name, of any length, and the questions that had no answer."""

import json
import secrets
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from searcher.engines.milvus.connection import Connection
from searcher.engines.milvus.layout import BLOCK, beside, digest_of
from searcher.store import Unanswered

__all__ = ["Notes"]

MOST = 10_000  # questions kept; the oldest go first


class Notes:
    """As in `engine.Notes`. beside: the collection that holds them."""

    def __init__(self, server: Connection, beside: str) -> None:
        self._server, self._beside = server, beside

    def get(self, name: str) -> str | None:
        """The text of that name, None if there is none."""
        parts = self._parts(name)
        return "".join(text for _, text in sorted(parts.items())) if parts else None

    def set(self, name: str, text: str) -> None:
        """Keep a text in the place of the one before."""
        own, parts = digest_of(name), [text[at : at + BLOCK] for at in range(0, len(text) or 1, BLOCK)]
        surplus = [f"faq:{own}:{place}" for place in self._parts(name) if place >= len(parts)]
        rows = [beside("faq", f"{own}:{place}", part, place, name, own) for place, part in enumerate(parts)]
        self._server.put(self._beside, rows)
        self._server.take_out(self._beside, surplus)

    def texts(self) -> dict[str, str]:
        """All that is kept under names."""
        walk = self._server.each(self._beside, 'table == "faq" and document == 0', ["name"])
        names = sorted(row["name"] for rows in walk for row in rows)
        return {name: text for name in names if (text := self.get(name)) is not None}

    def take_in(self, texts: Mapping[str, str], questions: Iterable[Unanswered]) -> None:
        """Texts in the place of those before, one after the other, then questions, in their order."""
        for name, text in texts.items():
            self.set(name, text)
        self._ask(questions)

    def _parts(self, name: str) -> dict[int, str]:
        own = f'table == "faq" and key == "{digest_of(name)}"'
        walk = self._server.each(self._beside, own, ["document", "value"])
        return {row["document"]: row["value"] for rows in walk for row in rows}

    def log(self, question: str) -> None:
        """Keep a question that had no answer."""
        self._ask([Unanswered(datetime.now(UTC).isoformat(timespec="seconds"), question)])

    def _ask(self, questions: Iterable[Unanswered]) -> None:
        now = time.time_ns()
        rows = [
            beside("asked", f"{now + place:020}{secrets.token_hex(4)}", json.dumps([asked, question[:BLOCK]]))
            for place, (asked, question) in enumerate(questions)
        ]
        self._server.put(self._beside, rows)
        known = self._ids()
        self._server.take_out(self._beside, known[: max(0, len(known) - MOST)])

    def unanswered(self) -> list[Unanswered]:
        """The questions kept, the oldest first."""
        walk = self._server.each(self._beside, 'table == "asked"', ["id", "value"])
        rows = sorted((row["id"], row["value"]) for some in walk for row in some)
        return [Unanswered(*json.loads(value)) for _, value in rows]

    def forget(self) -> int:
        """Forget the questions kept; how many."""
        known = self._ids()
        self._server.take_out(self._beside, known)
        return len(known)

    def _ids(self) -> list[str]:
        walk = self._server.each(self._beside, 'table == "asked"', ["id"])
        return sorted(row["id"] for rows in walk for row in rows)
