"""The putting part of `Searcher`: texts that somebody else keeps count of, by id: put, changed and deleted."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from searcher.engines import Library, Where, keys_of
from searcher.errors import BadValue, UnknownName
from searcher.ingest.adding import Adding
from searcher.ingest.progress import Progress, no_progress
from searcher.ingest.stored import missing
from searcher.plain import storable
from searcher.records import Document, Prepared

__all__ = ["EXISTS", "Putting"]

EXISTS = ("replace", "skip", "error")
PIECE = 500  # documents of which it is looked up at once whether they are in already


class Putting(Library, Adding):
    """How texts come into an index under ids, and what can be done to them there."""

    def put(
        self,
        texts: Iterable[str],
        ids: Iterable[str | None] | None = None,
        metadatas: Iterable[Mapping[str, Any] | None] | None = None,
        *,
        vectors: Any = None,
        payloads: Iterable[Any] | None = None,
        whole: bool = False,
        exists: Literal["replace", "skip", "error"] = "replace",
        progress: Progress = no_progress,
    ) -> list[str]:
        """Keep a document for each text, as it stands, under its id; the ids, one for each text.

        Of an id that comes twice the last text is kept. A text without an id gets one made of what it holds, so that
        the same texts put again are the same documents. An empty text is kept too: filters find it.
        vectors: of an index of given vectors (`Searcher(folder, vectors="name of their model")`): an array (n, d), or a
        list of vectors and Nones; each text is one passage then. A text whose vector is None or all zeros is found by
        filters and words, not by vectors.
        payloads: anything that JSON holds, kept beside a document, given back with it and never looked into.
        whole: each text is one passage, however long and whatever spaces are around it; else it is cut as a file is.
        exists: what to do where there is a document of an id already; with "error", BadValue before anything is
        written.

        Raises BadValue for lists of unlike length and for what cannot be stored; nothing is written then.
        """
        if exists not in EXISTS:
            raise UnknownName("value of exists", exists, EXISTS)
        documents = _documents(texts, ids, metadatas, payloads, whole, vectors)
        keys = [str(document.id) for document in documents]
        last = {str(document.id): document for document in documents}
        there = self._there(list(last))
        if exists == "error" and there:
            raise BadValue(f"id {min(there)!r} is there already; exists='replace' or 'skip' would take it")
        if exists == "skip":
            last = {key: document for key, document in last.items() if key not in there}
        if last:
            # One of that id from elsewhere, such as a row of a table, is what is replaced.
            self._keep(list(last.values()), {key: there[key] for key in last if key in there}, progress)
        return keys

    def _there(self, keys: Sequence[str]) -> dict[str, set[int]]:
        """Ids that documents have already, for an id or for a source → those of them with another source."""
        if not self.exists():
            return {}
        with self.engine.reading():
            own, own_sources = self.engine.named("key", keys), self.engine.named("source", keys)
        return {key: {*own.get(key, ())} - {*own_sources.get(key, ())} for key in own.keys() | own_sources.keys()}

    def _keep(self, documents: Sequence[Document], instead: Mapping[str, set[int]], progress: Progress) -> None:
        """Embed and write documents, each different from all others in its source. instead: by source, what goes."""
        dimension = next((len(document.vector) for document in documents if document.vector is not None), None)
        if self._holds_given(dimension is not None):
            self._keep_given(documents, dimension, set().union(*instead.values()))
            return
        with self._ingesting(progress) as ingest:
            ingest.documents(documents, instead=instead)
        if failed := ingest.report.failed:
            raise BadValue(f"{failed[0].source}: {failed[0].reason}")

    def _holds_given(self, with_vectors: bool) -> bool:
        """Whether vectors are given in this index. BadValue where some are given and it embeds its texts itself."""
        stored = self._stored()
        given = self._wanted.vectors is not None if stored is None else stored.given
        if with_vectors and not given:
            raise BadValue(
                f"this index embeds its texts itself, with {self.settings.model!r}; vectors go into one that is made "
                "with Searcher(folder, vectors='name of their model')"
            )
        return given

    def _keep_given(self, documents: Sequence[Document], dimension: int | None, others: set[int]) -> None:
        """Write documents with the vectors that they have, and remove others, in one transaction."""
        from searcher.ingest.given import prepared

        settings = self._stored() or self._wanted.given(dimension)
        items = prepared(documents, settings.dimension)
        self._create()
        self.engine.settle(settings)
        fresh = list[Prepared]()
        for start in range(0, len(items), PIECE):
            with self.engine.reading():
                fresh += missing(self.engine, items[start : start + PIECE])
        self.engine.write(fresh, others, made_with=settings)
        self.engine.publish()

    def delete(self, ids: str | Sequence[str] | None = None, where: Where = None) -> int:
        """Remove documents by id, by a filter, or those of some ids that a filter allows; how many.

        An id that is not there is no error. BadValue where neither is given: nothing is removed then.
        """
        if ids is None and where is None:
            raise BadValue('delete needs ids or where; to remove every document, delete(where="source is not null")')
        wanted = None if ids is None else keys_of(ids)
        chosen = None if where is None else set(self._chosen(where))
        if not self.exists():
            return 0
        numbers = chosen
        if wanted is not None:
            own = {number for found in self.engine.named("key", wanted).values() for number in found}
            numbers = own if chosen is None else own & chosen
        if not numbers:
            return 0
        gone = self.engine.write(remove=numbers)
        self.engine.publish()
        return gone

    def update_metadata(self, where: Where, changes: Mapping[str, Any]) -> int:
        """Change the metadata of the documents that a filter allows, None for all, without embedding again; how many.

        changes: key → value; a key whose value is None is taken out, all others stay. What came from a file has what
        the file says once that is read again.
        """
        if not isinstance(changes, Mapping) or not changes:
            raise BadValue(f"changes is {changes!r:.40}; good: a dict such as {{'lang': 'en', 'draft': None}}")
        values = storable(changes)
        numbers = self._chosen(where)
        return self.engine.amend(numbers, values) if numbers else 0


def _documents(texts: Any, ids: Any, metadatas: Any, payloads: Any, whole: bool, vectors: Any) -> list[Document]:
    """A document for each text, under its id."""
    from searcher.ingest.documents import content_key, document_of, key_of, listed, sound
    from searcher.ingest.given import vectors_of

    made: Counter[str] = Counter()  # ids that we made: of equal texts each gets its own
    documents = []
    columns = listed(texts=texts, ids=ids, metadatas=metadatas, payloads=payloads)
    columns.append([None] * len(columns[0]) if vectors is None else vectors_of(vectors, len(columns[0])))
    for number, (text, given, metadata, payload, vector) in enumerate(zip(*columns, strict=True), 1):
        document = sound(document_of(number, text, metadata, payload=payload, whole=whole, vector=vector))
        if given is None:
            key = content_key(document)
            made[key] += 1
            key += f"-{made[key]}" if made[key] > 1 else ""
        else:
            key = key_of(given, number)
        documents.append(replace(document, source=key, id=key))
    return documents
