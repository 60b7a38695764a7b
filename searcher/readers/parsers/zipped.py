"""Documents that are ZIP archives of XML: what may be unpacked, and trees without namespaces."""

import posixpath
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote
from zipfile import BadZipFile, ZipFile

from lxml import etree

from searcher.errors import UnreadableFile
from searcher.readers.binary import OLE
from searcher.readers.raw import Raw

try:
    from lzma import LZMAError
except ImportError:  # a Python without it unpacks no such member
    LZMAError = zlib.error  # type: ignore[assignment,misc]

__all__ = ["DAMAGED", "Archive", "Element", "attribute", "is_on", "tree"]

MOST_UNPACKED = 512 * 2**20  # bytes of all members, as the directory says; a header that lies is found out when read
MOST_XML = 128 * 2**20  # bytes of a member that becomes a tree, which takes some times as much memory
MOST_MEMBERS = 100_000
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
DAMAGED = "it is damaged or cut short"
PIECE = 2**20
# What zipfile raises for a member whose bytes are not those that were stored, and what that says.
BROKEN: dict[type[Exception], str] = {
    BadZipFile: "its checksum or its header is wrong", zlib.error: "its compressed bytes are broken",
    LZMAError: "its compressed bytes are broken", EOFError: "its bytes end too early", OSError: "its bytes are broken",
    ValueError: "its bytes are broken",
}  # fmt: skip
Element = Any


class Archive:
    """The members of a document.

    Raises UnreadableFile for what is no archive, is encrypted, or unpacks to more than any document holds.
    """

    def __init__(self, raw: Raw) -> None:
        self.source = raw.source
        try:
            self._zip = ZipFile(raw.stream)
        except (BadZipFile, ValueError, OSError, NotImplementedError):
            raise UnreadableFile(raw.source, _no_archive(raw)) from None
        members = self._zip.infolist()
        size = sum(member.file_size for member in members)
        if size > MOST_UNPACKED or len(members) > MOST_MEMBERS:
            most = f"the limits are {MOST_UNPACKED / 2**20:,.0f} MiB and {MOST_MEMBERS:,} parts"
            reason = f"it unpacks to {size / 2**20:,.0f} MiB in {len(members):,} parts; {most}"
            raise UnreadableFile(raw.source, reason)
        self.names = {member.filename.replace("\\", "/").lstrip("/"): member for member in members}
        self._alike = {name.casefold(): name for name in self.names}

    def has(self, name: str) -> bool:
        """Whether there is such a member; case aside, as in what Windows made."""
        return name.casefold() in self._alike

    def pieces(self, name: str, size: int = PIECE) -> Iterator[bytes]:
        """A member piece by piece. UnreadableFile where it is not there, is encrypted or damaged."""
        if not self.has(name):
            raise UnreadableFile(self.source, f"{DAMAGED}: {name} is not in it")
        with self._unpacking(name):
            stream = self._zip.open(self.names[self._alike[name.casefold()]])
        with stream:
            while True:
                with self._unpacking(name):
                    piece = stream.read(size)
                if not piece:
                    return
                yield piece

    @contextmanager
    def _unpacking(self, name: str) -> Iterator[None]:
        try:
            yield
        except NotImplementedError:
            raise UnreadableFile(self.source, f"{name} is compressed in a way that is not read") from None
        except RuntimeError:
            raise UnreadableFile(self.source, "it is encrypted; it opens only with a password") from None
        except tuple(BROKEN) as fault:
            why = next(said for kind, said in BROKEN.items() if isinstance(fault, kind))
            which = name or "what has no name"
            raise UnreadableFile(self.source, f"{DAMAGED}: {which} cannot be unpacked, {why}") from None

    def read(self, name: str) -> bytes:
        """All of a member that becomes a tree or a text."""
        data = next(self.pieces(name, MOST_XML + 1), b"")
        if len(data) > MOST_XML:
            raise UnreadableFile(self.source, f"{name} unpacks to more than {MOST_XML / 2**20:,.0f} MiB")
        return data

    def check(self) -> None:
        """UnreadableFile that names the first member that cannot be unpacked, or is no XML that can be read."""
        for name, member in self.names.items():
            if name.endswith("/"):  # a folder; ZipInfo.is_dir fails for a member without a name
                continue
            if name.endswith((".xml", ".rels")) and member.file_size <= MOST_XML:
                self.xml(name)
            else:
                for _ in self.pieces(name):
                    pass

    def xml(self, name: str) -> Element:
        """The tree of a member."""
        return tree(self.read(name), self.source, name)

    def maybe(self, name: str | None) -> Element:
        """The tree of a member that need not be there, an empty one where it is not."""
        return self.xml(name) if name and self.has(name) else etree.Element("none")

    def relations(self, name: str) -> dict[str, tuple[str, str]]:
        """What a part of an Office document refers to by id: the kind, such as "chart", and the member's name."""
        folder, base = posixpath.split(name)
        found = {}
        for relation in self.maybe(posixpath.join(folder, "_rels", f"{base}.rels")).iter("Relationship"):
            if relation.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, unquote(relation.get("Target") or "")))
                kind = (relation.get("Type") or "").rpartition("/")[2]
                found[relation.get("Id") or ""] = (kind, target.lstrip("/"))
        return found

    def related(self, name: str, kind: str) -> Iterator[str]:
        """Members of a kind that a part refers to and that are there."""
        return (target for own, target in self.relations(name).values() if own == kind and self.has(target))

    def trees(self, name: str, kind: str) -> Iterator[Element]:
        """Those of the members of a kind that a part refers to and that are there."""
        return map(self.xml, self.related(name, kind))

    def main(self, usual: str) -> str:
        """The part of an Office document that holds it."""
        return next(self.related("", "officeDocument"), usual)


def tree(data: bytes, source: str, name: str = "") -> Element:
    """The root of an XML text: no entity is resolved, nothing is fetched, and names are without their namespaces.

    UnreadableFile for what is not well-formed, and for elements nested over 256 deep.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True, recover=False
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as fault:
        deep = "depth" in str(fault)
        told = "its parts are nested too deeply" if deep else f"{DAMAGED}: {name or 'it'} is no XML that can be read"
        raise UnreadableFile(source, told) from None
    for element in root.iter(etree.Element):
        element.tag = local(element.tag)
    etree.strip_tags(root, etree.Entity)
    return root


def local(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition("}")[2]


def attribute(element: Element, name: str) -> str | None:
    """An attribute by its name, whichever namespace that is in."""
    if element is None:
        return None
    for key, value in element.attrib.items():
        if local(key) == name:
            return str(value)
    return None


def is_on(element: Element) -> bool:
    """Whether a switch of Office is there and not off."""
    return element is not None and (attribute(element, "val") or "true") not in ("0", "false", "off", "none")


def _no_archive(raw: Raw) -> str:
    raw.stream.seek(0)
    if raw.stream.read(len(OLE)) != OLE:
        return f"{DAMAGED}: no document of its kind"
    raw.stream.seek(0)
    if ENCRYPTED in raw.stream.read(2**26):
        return "it is encrypted; it opens only with a password"
    return "it is a document of an older kind under a newer name"
