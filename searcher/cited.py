"""A question's sources as one text for a language model, and what each number in it stands for."""

from dataclasses import asdict, dataclass
from typing import Any

from searcher.places import Place, said, stands
from searcher.records import Highlight, Passage, answers_at
from searcher.system import shown

__all__ = ["Citation", "Context"]


@dataclass(frozen=True)
class Citation:
    """What a number in a context stands for.

    text: what stands behind the number; `document.text[start:end]`, but for a FAQ entry, of which it is question and
    answer, and for a piece that had to be cut, which ends in an ellipsis. line counts from 1. place: where it begins in
    a file of pages, sheets or the like, as a hit says it; page is the one that it says, else that of the metadata,
    where these tell one. score: of the best passage in it. highlight: where it goes over several pages or the like, the
    sentence of that passage which answers best, and where that stands; else None.
    """

    number: int
    source: str
    id: str | None
    title: str | None
    section: str | None
    page: int | str | None
    line: int
    start: int
    end: int
    score: float
    text: str
    metadata: dict[str, Any]
    place: Place | None = None
    highlight: Highlight | None = None

    @property
    def answers_at(self) -> tuple[Place | None, int]:
        """Place and line of what answers: of its best sentence where these are known, else of its beginning."""
        return answers_at(self.highlight, self.place, self.line)

    @property
    def head(self) -> str:
        """The line before the text: the number and where what answers is from."""
        place, line = self.answers_at
        where = stands(self.source, place, line)
        if self.page is not None and not said(place or {}):  # only the metadata tell it
            where = f"page {self.page}"
        parts = [shown(self.source), self.title if self.title != self.source else "", where, self.section]
        return f"[{self.number}] {', '.join(part for part in parts if part)}"

    def as_dict(self) -> dict[str, Any]:
        """The citation as JSON; a highlight is in it where there is one."""
        values = asdict(self)
        if self.highlight is None:
            return {name: value for name, value in values.items() if name != "highlight"}
        return values | {"highlight": self.highlight.as_dict()}


@dataclass(frozen=True)
class Context:
    """What a language model is given to answer from.

    text: pieces with their numbers, `citations` what they are. passages: the hits in it, best first. tokens: of the
    text, as they were counted. left_out: hits that were looked at and found no room.
    """

    text: str
    citations: list[Citation]
    passages: list[Passage]
    tokens: int
    left_out: int

    def as_dict(self) -> dict[str, Any]:
        """All of it as the JSON object that `context --json` prints."""
        passages = [each.as_dict() for each in self.passages]
        return {
            "text": self.text, "tokens": self.tokens, "left_out": self.left_out,
            "citations": [each.as_dict() for each in self.citations], "passages": passages,
        }  # fmt: skip
