"""The upkeep part of `Searcher`: checking, repairing, making smaller, embedding again, saying what there is."""

from pathlib import Path
from typing import Any, Unpack

from searcher.embedding import Changes, IndexSettings, Wanted
from searcher.engines import RECALL, Held, Opened, Repair, check, compact, make_index, repair, status
from searcher.ingest.keeping import keep_tokens
from searcher.ingest.progress import Progress, no_progress, showing

__all__ = ["Upkeep"]


class Upkeep(Opened):
    """How an index folder is looked after."""

    def reindex(
        self,
        progress: Progress = no_progress,
        *,
        index_type: str | None = None,
        tune: bool = False,
        recall: float = RECALL,
        model: str | Path | None = None,
        **changes: Unpack[Changes],
    ) -> IndexSettings:
        """Rebuild the FAISS index; with changes (model, pooling, …) embed everything again from the stored text.

        index_type: flat, hnsw, ivf, …, auto, or FAISS's own description of one; kept for later writes. tune: measure
        recall@10, with the index's own vectors moved to where questions lie, and keep the knob that reaches `recall`.

        All or nothing: the old index answers until the new one is whole. Raises IndexUnavailable if another process
        wrote to it meanwhile; BadValue for a type that FAISS does not know or cannot make of these vectors.
        """
        engine = self._local("be indexed or embedded again in its place")
        given = {"model": None if model is None else str(model), **changes}
        if given := {name: value for name, value in given.items() if value is not None}:
            wanted = self._wanted.changed(self.settings, given)
            embedder = wanted.embedder(None)
            settings = wanted.settings(embedder)
            with showing(progress) as progress:
                from searcher.ingest.reindexing import embed_again

                embed_again(engine, settings, embedder, progress)
                if self._keeps_tokens():
                    keep_tokens(engine, embedder, settings.fingerprint, progress)
            with self._lock:
                self._wanted = Wanted(device=wanted.device, torch_weights=wanted.torch_weights, dtype=wanted.dtype)
                self._embedder, self._made_with = embedder, settings.fingerprint
        make_index(engine, index_type, tune, recall)
        return self.settings

    def check(self) -> list[str]:
        """A line for each fault found in the stored data and in the cache; none when all is well."""
        if self.address is not None:
            return self.engine.check()
        return check(lambda: self._local("be checked"))

    def repair(self) -> Repair:
        """Make the index sound again: the cache anew, and if the database is damaged, a new one of all the documents
        that are sound, under their ids. The damaged one is kept beside it.

        Raises DamagedIndex where nothing can be saved, IndexUnavailable while others use it; nothing is changed then.
        """
        if self.address is not None:
            self._local("be repaired")
        with self._lock:
            return repair(self.folder, lambda: self._local("be repaired"), self.close)

    def compact(self) -> int:
        """Write the index's files anew without the room and the traces of what was removed; the bytes it gave back."""
        return compact(self._local("be made smaller"))

    def status(self) -> dict[str, Any]:
        """What the index holds and was made with, sizes in bytes."""
        return status(self.place, self.engine, self.settings)

    def tables(self) -> list[Held]:
        """What each table of the database holds: its name, rows and columns."""
        return self._local("list its tables").tables()
