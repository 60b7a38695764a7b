"""What the formats of Office share: what a file says of itself and comments."""

from typing import Any

from searcher.readers.parsers.drafting import one_line
from searcher.readers.parsers.zipped import Archive

__all__ = ["commented", "declared"]

DECLARED = {
    "title": "title", "creator": "author", "subject": "description", "description": "description",
    "keywords": "keywords", "language": "language", "created": "date",
}  # fmt: skip


def declared(archive: Archive) -> dict[str, Any]:
    """What an Office document says of itself."""
    found: dict[str, Any] = {}
    for name in [*archive.related("", "core-properties"), "docProps/core.xml"][:1]:
        for element in archive.maybe(name):
            key = DECLARED.get(element.tag)
            text = one_line("".join(element.itertext()))
            if key and text and key not in found:
                found[key] = text[:10] if key == "date" else text
    return found


def commented(text: str, author: str | None) -> str:
    """A comment as it stands under what it is on; nothing where nothing was said.

    >>> commented(" Since when? ", "Ann")
    '[Ann: Since when?]'
    """
    said, by = one_line(text), one_line(author)
    return f"[{by}: {said}]" if said and by else f"[{said}]" if said else ""
