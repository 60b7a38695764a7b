"""The tools: what each does with an index, and what it tells, as text and as data; all of it bounded."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel

from searcher.errors import BadValue
from searcher.mcp import arguments as given
from searcher.mcp import told
from searcher.mcp.told import NOTICE, cut, element, short
from searcher.places import said
from searcher.plain import counted
from searcher.ranking import passage
from searcher.records import Document

if TYPE_CHECKING:
    from searcher.search import Searcher

__all__ = ["TOOLS", "Told", "Tool", "document_named", "uri_of"]

TOTAL = 20_000  # characters of all passages of an answer, some 5,000 tokens: clients give up on 25,000
LEAST = 100  # characters of a passage, however many there are
SCHEME = "searcher://"
NUMBERED = re.compile(rf"(?:{SCHEME})?document/(\d{{1,18}})\Z")


class Told(NamedTuple):
    """What a tool answers: for a model to read, and for a program."""

    text: str
    data: BaseModel


@dataclass(frozen=True)
class Tool:
    """description: for the model. takes, tells: the models of its arguments and of its data. run: what does it.

    writes: whether it changes the index; destroys: whether what was there is lost by it.
    """

    title: str
    description: str
    takes: type[given.Arguments]
    tells: type[BaseModel]
    run: Callable[["Searcher", Any], Told]
    writes: bool = False
    destroys: bool = False


def uri_of(number: int) -> str:
    """The address of a document, as a resource."""
    return f"{SCHEME}{_id_of(number)}"


def document_named(searcher: "Searcher", name: str) -> tuple[int, Document]:
    """The number and the document of an id of ours, else of what `Searcher.document` takes. BadValue for none."""
    engine = searcher.engine
    with engine.reading():
        if numbered := NUMBERED.match(name):
            if not engine.document_ids([number := int(numbered[1])]):
                raise BadValue(f"there is no {name}; it was changed or removed since: search again")
            return number, engine.document(number)
        document = searcher.document(name)
        return engine.named("source", [document.source])[document.source][0], document


def _id_of(number: int) -> str:
    return f"document/{number}"


def _name_of(title: str | None, source: str) -> str:
    return short(title or source.replace("\\", "/").rpartition("/")[2] or source)


def _listed(pieces: Sequence[str], nothing: str) -> str:
    return "\n\n".join([NOTICE, *pieces]) if pieces else nothing


def _share(most: int, names: Sequence[str | None]) -> int:
    """Characters of each passage, so that all together are no more than `TOTAL` with the names beside them."""
    count = len(names) or 1
    return min(most, max(LEAST, (TOTAL - sum(len(short(name or "")) for name in names)) // count))


# -- the tools


def _search(searcher: "Searcher", asked: given.Searched) -> Told:
    [hits] = searcher.rank([asked.query], asked.k, asked.where, mode=asked.mode, include=asked.include)
    found = [passage(rank, *hit) for rank, hit in enumerate(hits, 1)]
    placed = [hit for hit in found if hit.place]  # of the others the line says enough, and it is quicker
    if placed and searcher.marks_quickly(asked.mode):
        marked = {hit.passage_id: hit for hit in searcher.highlight(asked.query, placed)}
        found = [marked.get(hit.passage_id, hit) for hit in found]
    most = _share(asked.max_characters, [row.source for _, row in hits])
    results, pieces = [], []
    for hit, (score, row) in zip(found, hits, strict=True):
        place, line = hit.answers_at
        text, truncated = cut(row.text, most)
        answer = cut(str(row.metadata.get("answer") or ""), most)[0] if row.kind == "faq" else ""
        result = told.Result(
            id=_id_of(row.document_id), title=_name_of(row.title, row.source), url=uri_of(row.document_id),
            source=short(row.source), place=said(place or {}), section=short(row.section or "") or None,
            line=line, start=row.start, end=row.start + len(text) if truncated else row.end,
            score=round(float(score), 4), text=text, truncated=truncated, answer=answer or None,
        )  # fmt: skip
        results.append(result)
        body = f"{text}\n→ {answer}" if answer else text
        pieces.append(element(body, truncated, number=hit.rank, **_head(result)))
    return Told(_listed(pieces, "Nothing found."), told.Found(results=results))


def _head(found: told.Result | told.Citation) -> dict[str, Any]:
    """What stands at the beginning of a passage."""
    return {name: getattr(found, name) for name in ("id", "title", "source", "place", "section", "line", "score")}


def _fetch(searcher: "Searcher", asked: given.Fetched) -> Told:
    number, document = document_named(searcher, asked.id)
    length, start = len(document.text), asked.start
    if start and start >= length:
        raise BadValue(f"start is {start}; {_id_of(number)} has {length:,} characters")
    text, truncated = cut(document.text[start:], asked.max_characters)
    data = told.DocumentTold(
        id=_id_of(number), title=_name_of(document.title, document.source), url=uri_of(number),
        source=short(document.source), text=text, start=start, length=length, truncated=truncated,
    )  # fmt: skip
    end = start + len(text)
    more = f"\n\nCharacters {start:,} to {end:,} of {length:,}; fetch with start = {end} reads on." if truncated else ""
    piece = element(text, truncated, id=data.id, title=data.title, source=data.source, start=start, length=length)
    return Told(_listed([piece], "") + more, data)


def _answer(searcher: "Searcher", asked: given.Answered) -> Told:
    verdict = searcher.faq.verdicts([asked.question])[0]
    best, why = verdict.best, verdict.why
    text, truncated = cut(best.answer, TOTAL) if best and why is None else (None, False)
    data = told.AnswerTold(
        answer=text, question=short(best.question) if best else None, source=short(best.source) if best else None,
        score=round(best.score, 4) if best else None, probability=best.probability if best else None, why=why,
        truncated=truncated,
    )  # fmt: skip
    head = {name: getattr(data, name) for name in ("source", "score", "probability")}
    if text is not None:
        return Told(_listed([element(text, truncated, question=data.question, **head)], ""), data)
    nearest = [NOTICE, "The nearest entry asks:", element(data.question or "", False, **head)] if best else []
    return Told("\n\n".join([f"No answer: {why}.", *nearest]), data)


def _context(searcher: "Searcher", asked: given.Assembled) -> Told:
    found = searcher.context(asked.question, asked.tokens, asked.where, mode=asked.mode, include=asked.include)
    numbers = searcher.engine.named("source", {each.source for each in found.citations}) if found.citations else {}
    most = _share(TOTAL, [each.source for each in found.citations])
    citations, pieces = [], []
    for each in found.citations:
        text, truncated = cut(each.text, most)
        place, line = each.answers_at
        citation = told.Citation(
            number=each.number, id=_id_of(numbers[each.source][0]) if each.source in numbers else None,
            title=_name_of(each.title, each.source), source=short(each.source),
            place=said(place or ({} if each.page is None else {"page": each.page})),
            section=short(each.section or "") or None,
            line=line, start=each.start, end=each.start + len(text) if truncated else each.end,
            score=round(float(each.score), 4), text=text,
        )  # fmt: skip
        citations.append(citation)
        pieces.append(element(text, truncated, number=each.number, **_head(citation)))
    data = told.ContextTold(tokens=found.tokens, left_out=found.left_out, citations=citations)
    return Told(_listed(pieces, "Nothing found."), data)


def _list(searcher: "Searcher", asked: given.Listed) -> Told:
    rows = searcher.listing(asked.where, asked.include)
    page: list[dict[str, Any]] = []
    room = TOTAL
    for row in rows[asked.start : asked.start + asked.limit]:
        room -= len(short(row["source"])) + len(short(row["title"] or "")) + LEAST
        if room < 0 and page:
            break
        page.append(row)
    numbers = searcher.engine.named("source", [row["source"] for row in page]) if page else {}
    documents = [
        told.Listing(
            id=_id_of(numbers[row["source"]][0]), source=short(row["source"]), title=short(row["title"] or "") or None,
            kind=row["kind"], passages=row["passages"], characters=row["characters"],
        )
        for row in page
        if row["source"] in numbers  # it was not removed meanwhile
    ]  # fmt: skip
    last = asked.start + len(page)
    data = told.ListTold(documents=documents, start=asked.start, total=len(rows), truncated=last < len(rows))
    lines = [
        f"{each.id}  {each.source}{f'  ({each.title})' if each.title else ''}  {each.characters:,} characters"
        for each in documents
    ]
    more = f"; list with start = {last} reads on" if data.truncated else ""
    count = f"Documents {asked.start + 1:,} to {last:,} of {len(rows):,}{more}."
    return Told(
        _listed([element("\n".join(lines), False), count] if page else [], f"{counted(len(rows), 'document')}."), data
    )


def _add(searcher: "Searcher", asked: given.Added) -> Told:
    searcher.put([asked.text], [asked.id], [asked.metadata])
    return _counted(searcher, asked.id, 1, "kept")


def _remove(searcher: "Searcher", asked: given.Removed) -> Told:
    if NUMBERED.match(asked.id):
        number, _ = document_named(searcher, asked.id)
        searcher.engine.write(remove={number})
        searcher.engine.publish()
        return _counted(searcher, asked.id, 1, "removed")
    return _counted(searcher, asked.id, searcher.remove(ids=[asked.id]), "removed")


def _counted(searcher: "Searcher", name: str, changed: int, did: str) -> Told:
    data = told.Counted(id=short(name), changed=changed, documents=searcher.count())
    return Told(f"{data.id} {did}; the index holds {counted(data.documents, 'document')}.", data)


TOOLS = {
    "search": Tool(
        "Search the user's documents",
        "Find the passages of the user's own documents that answer a question best, with their sources. Ask in plain "
        "words; cite source and line of what you use. fetch reads a document on.",
        given.Searched, told.Found, _search,
    ),
    "fetch": Tool(
        "Read a document", "Read the text of one document, a stretch at a time.",
        given.Fetched, told.DocumentTold, _fetch,
    ),
    "answer": Tool(
        "Answer from the FAQ",
        "Answer a question out of the user's FAQ entries, word for word, or say that none of them fits.",
        given.Answered, told.AnswerTold, _answer,
    ),
    "context": Tool(
        "Sources for an answer",
        "Gather the passages that answer a question, numbered, in reading order and within a budget of tokens: to "
        "write an answer from, citing the numbers.",
        given.Assembled, told.ContextTold, _context,
    ),
    "list": Tool(
        "List the documents", "List the user's documents with their ids, a page at a time.",
        given.Listed, told.ListTold, _list,
    ),
    "add": Tool(
        "Keep a text",
        "Keep a text in the user's index under an id, where searches find it; one of that id is replaced.",
        given.Added, told.Counted, _add, writes=True, destroys=True,
    ),
    "remove": Tool(
        "Remove a document", "Remove one document from the user's index. It cannot be undone.",
        given.Removed, told.Counted, _remove, writes=True, destroys=True,
    ),
}  # fmt: skip
