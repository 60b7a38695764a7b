"""What must be true of an index folder after any fault, given the acknowledgements that `workload` wrote.

    violations = verify(folder, acks_file, model)        # [] when all is well; it opens the folder and writes to it

I1 what was acknowledged is there, and nothing else but a whole number of transactions of the operation in flight;
I2 the index holds the rows' ids and vectors; I3 no passage id ever stands for two texts, texts are where they are said
to be; I5 a search is what numpy finds over all vectors; `check` is clean; and the next `add` goes on from there.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from workload import State, opened

from searcher import Embedder, Searcher
from searcher.engines.keyword_table import KeywordTable
from searcher.engines.words import best_by_words, terms
from searcher.errors import SearcherError
from searcher.store import DATABASE

Passages = dict[int, tuple[str, str]]  # passage id -> the caller's id of its document, its text

GOES_ON = {"after-1": "we keep our account open", "after-2": "the river flows near the town " * 4}


class History(NamedTuple):
    """What is known of a folder's past. allowed: the states it may be in, the acknowledged one first."""

    allowed: list[State]
    passages: dict[int, str]  # every passage id that was acknowledged -> the caller's id of its document
    acknowledged: int  # operations
    compacted: list[str]  # texts of which no byte may be left, if the last thing acknowledged was a compact


def history(acks: Path | Sequence[str], start: State | None = None) -> History:
    """The past as the lines of an ACKFILE tell it; a last line that is torn was never said."""
    lines = acks.read_text(encoding="utf-8").splitlines(keepends=True) if isinstance(acks, Path) else list(acks)
    told = [json.loads(line) for line in lines if line.endswith("\n") or not isinstance(acks, Path)]
    states, done, seen = [start or {}], 0, set[str]()
    passages: dict[int, str] = {}
    compacted: list[str] = []
    flying: dict[str, Any] | None = None
    for line in told:
        if line["at"] == "begin":
            flying, compacted = line, []
            continue
        assert flying is not None and flying["n"] == line["n"]
        passages |= {number: key for key, numbers in line["passages"].items() for number in numbers}
        seen |= set(states[0].values())
        states, done = [flying["steps"][-1]], done + 1
        if flying["name"] == "compact":
            compacted = sorted(seen - set(states[0].values()))
        flying = None
    return History(states + (flying["steps"] if flying else []), passages, done, compacted)


def verify(folder: Path, acks: Path | Sequence[str], model: Path, start: State | None = None) -> list[str]:
    """A line for each thing that is not as promised. start: what the folder held before the first line of acks."""
    past = history(acks, start)
    if not (folder / DATABASE).exists():
        return [] if past.allowed[0] == {} and not past.acknowledged else ["I1: the database is gone"]
    try:
        left = _left_behind(folder, past.compacted)
        with opened(folder, model) as searcher:
            found, state = contents(searcher)
            violations = [*left, *acknowledged(state, past.allowed), *_identities(found, past.passages)]
            violations += [f"check: {line}" for line in searcher.check()]
            violations += searches(searcher, found)
            violations += _goes_on(searcher, found, state, past.passages, model)
        return violations
    except (SearcherError, OSError, ArithmeticError, LookupError, ValueError, AssertionError) as fault:
        return [f"{type(fault).__name__}: {fault}"]


def contents(searcher: Searcher) -> tuple[Passages, State]:
    """All passages and all documents, and that each passage is where it says (I3)."""
    found: Passages = {}
    state: State = {}
    store = searcher.engine
    with store.database.reading():
        for number in store.document_ids():
            document = store.document(number)
            state[document.source] = document.text
            own = store.rows(store.passage_ids(number).tolist())
            for row in own.values():
                assert document.text[row.start : row.end] == row.text, f"I3: passage {row.passage_id} is not its span"
                found[row.passage_id] = document.source, row.text
            covered = "".join(own[passage].text for passage in sorted(own))
            assert _letters(covered) == _letters(document.text), f"I1: {document.source} lacks passages"
    return found, state


def _letters(text: str) -> str:
    return "".join(text.split())


def acknowledged(state: State, allowed: list[State]) -> Iterator[str]:
    if state not in allowed:
        lost = [
            key
            for key, text in allowed[0].items()
            if all(text == other.get(key) for other in allowed) and state.get(key) != text
        ]
        unknown = sorted(key for key, text in state.items() if all(other.get(key) != text for other in allowed))
        yield f"I1: lost {lost}, never written {unknown}, of {len(state)} documents; {len(allowed)} states were allowed"


def _identities(found: Passages, known: Mapping[int, str]) -> Iterator[str]:
    """No passage id is given to another document (I3)."""
    for number, (key, _) in found.items():
        if known.get(number, key) != key:
            yield f"I3: passage {number} belonged to {known[number]!r}, now to {key!r}"


def searches(searcher: Searcher, found: Passages) -> Iterator[str]:
    """Search by each stored vector, and by one at random, against numpy (I2, I5)."""
    ids, vectors = searcher.engine.vectors()
    if sorted(found) != ids.tolist():
        yield "I2: vectors and passages have other ids"
        return
    if not found:
        return
    queries = np.vstack([vectors, np.random.RandomState(len(ids)).standard_normal((1, vectors.shape[1]))]).astype(
        np.float32
    )
    for k in (3, len(ids)):
        for query, hits in zip(queries, searcher.search(queries, k=k), strict=True):
            exact = vectors.astype(np.float64) @ (query / np.linalg.norm(query))
            best = np.sort(exact)[::-1][:k]
            scores = np.array([hit.score for hit in hits])
            if len(hits) != len(best) or np.abs(scores - best).max() > 2e-6:
                yield f"I5: {len(hits)} hits of {scores.tolist()} where numpy finds {best.tolist()}"
            for hit in hits:
                if found.get(hit.passage_id) != (hit.source, hit.text):
                    yield f"I5: passage {hit.passage_id} found with another text"
    yield from words(searcher, found)
    with searcher.engine.database.reading():
        index = searcher.engine.snapshots.current()
    held_ids, held_vectors = _held(index)
    if not np.array_equal(held_ids, ids) or held_vectors.tobytes() != vectors.tobytes():
        yield "I2: the index holds other ids or vectors than the rows"


def words(searcher: Searcher, found: Passages) -> Iterator[str]:
    """What the postings say of words that there are, where they are used at all, against FTS5, bit by bit (I4, I5)."""
    asked = sorted({word for _, text in found.values() for word in terms(text)})[:40]
    with searcher.engine.database.reading() as connection:
        postings = searcher.engine.inverted.asked(asked)
        for some in [asked, *([word] for word in asked)] if postings else []:
            ours, theirs = (best_by_words(own, some, len(found)) for own in (postings, KeywordTable(connection)))
            if ours[0].tolist() != theirs[0].tolist() or ours[1].tolist() != theirs[1].tolist():
                yield f"I5: {some} are in {ours[0].tolist()} by the postings, in {theirs[0].tolist()} by FTS5"


def _held(index: Any) -> tuple[np.ndarray, np.ndarray]:
    """Ids and vectors that a search goes through: of a FAISS index, or of one with what came and went since."""
    if not hasattr(index, "base"):
        return index.ids, index.vectors
    kept = ~np.isin(index.base.ids, index.gone)
    return np.append(index.base.ids[kept], index.ids), np.vstack([index.base.vectors[kept], index.vectors])


def _goes_on(searcher: Searcher, found: Passages, state: State, known: Mapping[int, str], model: Path) -> Iterator[str]:
    """A further add and a further remove, as if nothing had been; what they leave is found by a new opening."""
    searcher.add_texts(list(GOES_ON.values()), ids=list(GOES_ON))
    highest = max([0, *found, *known])
    for key in GOES_ON:
        for row in searcher.passages(key):
            if row.passage_id <= highest:
                yield f"I3: passage id {row.passage_id} given again; {highest} was there before"
    searcher.remove(ids=["after-2"])
    with opened(searcher.folder, model) as other:
        later, after = contents(other)
        if after != state | {"after-1": GOES_ON["after-1"]}:
            yield f"I1: after going on {sorted(after)} instead of {sorted(state)} and after-1"
        for key, text in [("after-1", GOES_ON["after-1"])]:
            hits = other.search(_embedding(other.embedder, text), k=1)
            if not hits or hits[0].score < 1 - 1e-5:
                yield f"I5: {key} is not found by its own text"
        yield from searches(other, later)
        yield from (f"check after going on: {line}" for line in other.check())


def _embedding(embedder: Embedder, text: str) -> np.ndarray:
    return embedder.embed([text], "passage")[0]


def _left_behind(folder: Path, texts: list[str]) -> list[str]:
    """Files in which a text can be read that was removed before a compact that was acknowledged."""
    held = {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if texts and file.is_file()}
    return [
        f"deleted text {text[:40]!r} is still in {name}"
        for text in texts
        for name, data in held.items()
        if text.encode() in data
    ]
