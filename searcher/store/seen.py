"""What the last `add` saw: how each file looked then, which files were passed over, how far an add is under way."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from searcher.store.state import State

__all__ = ["Look", "Seen", "SeenFile", "enter_looks", "enter_under_way"]


class Look(NamedTuple):
    """What is to be remembered of a file. mark: None to forget it; reason: why it was passed over, if it was."""

    path: str
    mark: bytes | None
    reason: str | None = None


class SeenFile(NamedTuple):
    """What is remembered of a file: its look, the digest if all its documents are in, how many they are."""

    mark: bytes | None
    reason: str | None
    digest: bytes | None
    documents: int


class Seen(State):
    """What can be asked of it. Nothing here is the truth: what is lost, or is not what was written, costs time only."""

    def seen_under(self, folder: str) -> dict[str, SeenFile]:
        """Path → what is remembered, of the files below a folder, or of the file itself."""
        start = folder.rstrip("/")
        values = [folder, start + "/", start + "0"]  # "0" comes after "/"
        under = "{0} = ?1 OR ({0} >= ?2 AND {0} < ?3)".format
        with self.database.reading() as connection:
            documents = f"SELECT file, count(*) FROM documents WHERE {under('file')} GROUP BY file"
            counts = dict(connection.execute(documents, values).fetchall())
            digests = dict(
                connection.execute(f"SELECT path, digest FROM files WHERE {under('path')}", values).fetchall()
            )
            rows = connection.execute(f"SELECT path, mark, reason FROM seen WHERE {under('path')}", values).fetchall()
        looks = {path: (mark, reason) for path, mark, reason in rows}
        return {
            path: SeenFile(*looks.get(path, (None, None)), digests.get(path), counts.get(path, 0))
            for path in counts.keys() | digests.keys() | looks.keys()
        }

    def files_of_digests(self, digests: Iterable[bytes]) -> dict[bytes, list[str]]:
        """Digest → the files with it all of whose documents are in, of those digests that any has."""
        query = "SELECT path FROM files WHERE digest = ?"
        with self.database.reading() as connection:
            found = {digest: connection.execute(query, [digest]).fetchall() for digest in digests}
        return {digest: [path for (path,) in rows] for digest, rows in found.items() if rows}

    def under_way(self) -> str | None:
        """What the `add` that is under way, or was cut short, noted last."""
        return self._one("SELECT value FROM under_way WHERE id = ?", 1)

    def look(self, looks: Iterable[Look], under_way: str | None = None) -> None:
        """Remember looks, and how far an add is, empty where it is done. No state of the store is made by it."""
        with self.database.writing(changes=False) as connection:
            enter_looks(connection, looks)
            if under_way is not None:
                enter_under_way(connection, under_way)


def enter_looks(connection: Any, looks: Iterable[Look]) -> None:
    """Inside a write."""
    for look in looks:
        if look.mark is None:
            connection.execute("DELETE FROM seen WHERE path = ?", [look.path])
        else:
            connection.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", look)


def enter_under_way(connection: Any, text: str) -> None:
    """Inside a write; an empty text is none."""
    connection.execute("DELETE FROM under_way")
    if text:
        connection.execute("INSERT INTO under_way VALUES (1, ?)", [text])
