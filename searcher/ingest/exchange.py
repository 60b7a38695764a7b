"""An index as lines of JSON that other programs can read, vectors included, and such lines back into an index.

Line 1, the header: format, version, how vectors are written, how many lines follow, every setting of the index.
Then a line for each document with its passages and their vectors, then one for each file that is wholly in
({"file": path, "digest": hex}). Ids of the store are left out: an import gives new ones.
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields
from types import NoneType
from typing import Any, BinaryIO, NamedTuple, get_origin, get_type_hints

import numpy as np

from searcher.embedding import IndexSettings
from searcher.engines import Engine
from searcher.errors import BadValue, IndexUnavailable, UnknownName
from searcher.ingest.documents import sound_places
from searcher.ingest.progress import Progress, no_progress
from searcher.plain import as_json, storable
from searcher.records import Chunk, Document, Prepared
from searcher.text import check_text, places_of

__all__ = ["VECTORS", "Exchanged", "Export", "write_export"]

NAME, VERSION = "searcher-export", 1
UNIT = 1e-4  # how far a vector's length may be from 1

HEADER = {
    "format": (str,), "version": (int,), "vectors": (str,), "documents": (int,), "passages": (int,), "files": (int,),
    "settings": (dict,),
}  # fmt: skip
DOCUMENT = {
    "source": (str,), "id": (str, NoneType), "kind": (str,), "title": (str, NoneType), "metadata": (dict,),
    "sections": (list,), "breaks": (list,), "first_line": (int,), "file": (str, NoneType), "text": (str,),
    "places": (list,), "passages": (list,),
}  # fmt: skip
BESIDE: dict[str, tuple[type, ...]] = {"payload": (object,), "whole": (bool,)}  # of a document, where there is any
ABSENT = {"payload": None, "whole": False}  # what stands for none; a payload may be 0 or False
PASSAGE = {
    "start": (int,), "end": (int,), "line": (int,), "section": (str, NoneType), "tokens": (int,),
    "vector": (list, str),
}  # fmt: skip
GIVEN = {"given": (list, str, NoneType)}  # the vector of a passage as it was given, where that is another
FILE = {"file": (str,), "digest": (str,)}
_NONE: Mapping[str, tuple[type, ...]] = {}
# Not what vectors are, but how this version's database is laid out.
SETTINGS = {name: hint for name, hint in get_type_hints(IndexSettings).items() if name != "format"}


class Exchanged(NamedTuple):
    """What an export wrote or an import took in. replaced: documents whose source was there; removed: documents of an
    imported file that are no more in it.
    """

    documents: int
    passages: int
    replaced: int = 0
    removed: int = 0


# -- vectors


def as_numbers(vector: np.ndarray) -> str:
    """(d,) float32 as a JSON list; 9 digits name every float32, and lie far enough from the middle between two of them
    that a reader may go through double precision.
    """
    text = ", ".join(["%.9g"] * len(vector)) % tuple(vector.tolist())
    if not vector.all():  # a reader takes -0 for a whole number, which has no sign
        text = ", ".join("-0.0" if number == "-0" else number for number in text.split(", "))
    return f"[{text}]"


def as_base64(vector: np.ndarray) -> str:
    """(d,) float32, little-endian, as a JSON string."""
    return f'"{base64.b64encode(vector.astype("<f4").tobytes()).decode()}"'


def from_numbers(value: Any) -> np.ndarray:
    """(d,) float32; what is too large for one becomes infinite. BadValue for anything but a list of numbers."""
    if not isinstance(value, list) or not {type(number) for number in value} <= {int, float}:
        raise BadValue("its vector is not a list of numbers")
    try:
        with np.errstate(over="ignore"):
            return np.array(value, dtype=np.float64).astype(np.float32)
    except OverflowError:
        raise BadValue("its vector has a number beyond any float") from None


def from_base64(value: Any) -> np.ndarray:
    """(d,) float32. BadValue for anything but the base64 of some."""
    try:
        return np.frombuffer(base64.b64decode(value, validate=True), dtype="<f4")
    except (TypeError, ValueError, binascii.Error):
        raise BadValue("its vector is not the base64 of float32 numbers") from None


VECTORS: dict[str, tuple[Callable[[np.ndarray], str], Callable[[Any], np.ndarray]]] = {
    "numbers": (as_numbers, from_numbers),
    "base64": (as_base64, from_base64),
}


# -- out


def write_export(
    engine: Engine, stream: BinaryIO, vectors: str = "numbers", progress: Progress = no_progress
) -> Exchanged:
    """Write one state of an index, every row verified; memory for a few documents at a time.

    Raises UnknownName for another way to write vectors, DamagedIndex, IndexUnavailable for an index without settings.
    """
    if vectors not in VECTORS:
        raise UnknownName("way to write vectors", vectors, VECTORS)
    encode = VECTORS[vectors][0]
    with engine.reading():
        settings, counts, files = engine.settings(), engine.counts(), engine.files()
        if settings is None:
            raise IndexUnavailable("the index has no settings yet; there is nothing to export")
        values = asdict(settings)
        header = {
            "format": NAME, "version": VERSION, "vectors": vectors, "documents": counts["documents"],
            "passages": counts["passages"], "files": len(files), "settings": {name: values[name] for name in SETTINGS},
        }  # fmt: skip
        stream.write(as_json(header).encode() + b"\n")
        progress("total", counts["documents"])
        for _, item in engine.whole(engine.document_ids()):
            stream.write(_document_line(item, encode))
            progress("file", 1)
        for path, digest in files:
            stream.write(as_json({"file": path, "digest": digest.hex()}).encode() + b"\n")
    return Exchanged(counts["documents"], counts["passages"])


def _document_line(item: Prepared, encode: Callable[[np.ndarray], str]) -> bytes:
    document = item.document
    values = {name: getattr(document, name) for name in DOCUMENT if name not in ("file", "passages")}
    values |= {"metadata": dict(document.metadata), "file": item.file}
    passages = []
    found = zip(
        item.chunks, places_of(document, item.chunks), item.vectors, item.given or item.vectors, strict=True
    )  # fmt: skip
    for chunk, place, vector, own in found:
        span = dict(zip(PASSAGE, (chunk.start, chunk.end, *place, chunk.content), strict=False))
        other = ""
        if own is None or own.tobytes() != vector.tobytes():
            other = f', "given": {"null" if own is None else encode(own)}'
        passages.append(f'{as_json(span)[:-1]}, "vector": {encode(vector)}{other}}}')
    if not document.places:  # most have none, and versions that know of none can read those
        del values["places"]
    ordered = {name: values[name] for name in DOCUMENT if name in values}
    ordered |= {name: value for name, absent in ABSENT.items() if (value := getattr(document, name)) is not absent}
    return f'{as_json(ordered)[:-1]}, "passages": [{", ".join(passages)}]}}\n'.encode()


# -- in


class Export:
    """Lines that `write_export` wrote, read from a binary stream and verified; the header at once.

    Raises BadValue, naming the line, for whatever is not as it should be.
    """

    def __init__(self, stream: BinaryIO, name: str = "the export") -> None:
        self.stream, self.name, self.line = stream, name, 0
        with self._locating():
            self.header = self._header()
            self.settings = _settings(self.header["settings"])
        self._decode = VECTORS[self.header["vectors"]][1]

    def into(self, engine: Engine, progress: Progress = no_progress) -> Exchanged:
        """Bring everything into an index in one transaction; nothing changes if anything is wrong.

        Raises SettingsMismatch when the index was made with other settings.
        """
        progress("total", self.header["documents"])
        with self._locating():
            return Exchanged(*engine.take_in(self.settings, self._items(progress)))

    @contextmanager
    def _locating(self) -> Iterator[None]:
        """Whatever is wrong is said with its line."""
        try:
            yield
        except BadValue as fault:
            raise BadValue(f"{self.name}, line {self.line}: {fault}") from None
        except RecursionError:
            raise BadValue(f"{self.name}, line {self.line}: its JSON is nested too deeply") from None

    def _header(self) -> dict[str, Any]:
        header = self._next()
        if not isinstance(header, dict) or header.get("format") != NAME:
            raise BadValue(f"this is no export of searcher: its first line has no format {NAME!r}")
        if header.get("version") != VERSION:
            raise BadValue(f"an export of version {header.get('version')!r}; this searcher reads version {VERSION}")
        _check_keys(header, HEADER, "the header")
        if header["vectors"] not in VECTORS:
            raise UnknownName("way to write vectors", header["vectors"], VECTORS)
        return header

    def _items(self, progress: Progress) -> Iterator[Prepared | tuple[str, bytes]]:
        """Documents, then files (path, digest); as many as the header says."""
        passages = 0
        for _ in range(self.header["documents"]):
            item = self._document(self._line())
            passages += len(item.chunks)
            yield item
            progress("file", 1)
        for _ in range(self.header["files"]):
            yield _file(self._line())
        if self._next() is not None:
            raise BadValue("more lines than the header says")
        if passages != self.header["passages"]:
            raise BadValue(f"the header says {self.header['passages']} passages, there are {passages}")

    def _line(self) -> Any:
        value = self._next()
        if value is None:
            expected = 1 + self.header["documents"] + self.header["files"]
            raise BadValue(f"the file ends here, cut short: the header says {expected} lines")
        return value

    def _next(self) -> Any:
        """The JSON value of the next line, None at the end."""
        data = self.stream.readline()
        self.line += 1
        if not data:
            return None
        try:
            return json.loads(data.decode(), parse_constant=_no_constant)
        except UnicodeDecodeError as fault:
            raise BadValue(f"byte {fault.start + 1} is not UTF-8") from None
        except json.JSONDecodeError as fault:
            whole = "" if data.endswith(b"\n") else "; the file is cut short here"
            raise BadValue(f"not JSON: {fault.msg} at character {fault.pos + 1}{whole}") from None
        except BadValue:
            raise
        except ValueError as fault:  # a number of thousands of digits
            raise BadValue(f"not JSON that can be read: {fault}") from None

    def _document(self, value: Any) -> Prepared:
        if isinstance(value, dict):
            value.setdefault("places", [])
        _check_keys(value, DOCUMENT, "the document", BESIDE)
        for name in ("source", "text", "title", "id", "file"):
            if value[name] is not None:
                check_text(value[name], f"the {name}")
        if not value["source"]:
            raise BadValue("the source is empty")
        if value["kind"] not in ("text", "faq"):
            raise UnknownName("kind", value["kind"], ("text", "faq"))
        if storable(value["metadata"]) != value["metadata"]:
            raise BadValue("the metadata hold what cannot be stored: NUL characters or numbers beyond 64 bits")
        check_text(as_json(value.get("payload")), "the payload")
        document = Document(
            value["source"], value["text"], value["title"], value["id"], value["metadata"],
            tuple(_section(section) for section in value["sections"]), tuple(_whole(at) for at in value["breaks"]),
            value["first_line"], value["kind"], sound_places(_pair(place) for place in value["places"]),
            value.get("payload"), value.get("whole", False),
        )  # fmt: skip
        passages = value["passages"]
        for number, passage in enumerate(passages, 1):
            _check_keys(passage, PASSAGE, f"passage {number}", GIVEN if self.settings.given else _NONE)
            _check_span(passage, number, len(document.text), self.settings.given)
        chunks = [Chunk(item["start"], item["end"], (), item["tokens"]) for item in passages]
        vectors = self._vectors(passages)
        given = self._given(passages, vectors) if self.settings.given else None
        item = Prepared(document, document.digest(), value["file"], chunks, vectors, given)
        places = places_of(document, chunks)
        for number, ((line, section), passage) in enumerate(zip(places, passages, strict=True), 1):
            if (line, section) != (passage["line"], passage["section"]):
                here = f"line {line}, section {section!r}"
                raise BadValue(f"passage {number} starts on {here}, not on {passage['line']}, {passage['section']!r}")
        return item

    def _vectors(self, passages: list[dict[str, Any]]) -> np.ndarray:
        """(n, d) float32. BadValue for a vector of another length, not finite or not of unit length."""
        dimension = self.settings.dimension
        vectors = np.empty((len(passages), dimension), dtype=np.float32)
        for number, passage in enumerate(passages):
            try:
                vector = self._decode(passage["vector"])
                if len(vector) != dimension:
                    raise BadValue(f"its vector has {len(vector)} numbers; the header says {dimension}")
                if not np.isfinite(vector).all():
                    raise BadValue("its vector has a NaN or infinite component")
                length = float(np.sqrt(np.square(vector, dtype=np.float64).sum()))
                if abs(length - 1) > UNIT and not (length == 0 and self.settings.given):
                    raise BadValue(f"its vector has length {length:.6g}, not 1")
            except BadValue as fault:
                raise BadValue(f"passage {number + 1}: {fault}") from None
            vectors[number] = vector
        return vectors

    def _given(self, passages: list[dict[str, Any]], vectors: np.ndarray) -> list[np.ndarray | None]:
        """Each passage's vector as it was given, None where none was. BadValue unless that has the stored direction."""
        found: list[np.ndarray | None] = []
        for number, (passage, unit) in enumerate(zip(passages, vectors, strict=True), 1):
            own = self._decode(passage["given"]) if passage.get("given") is not None else None
            found.append(unit if "given" not in passage else own)
            exact = np.zeros(len(unit)) if own is None else own.astype(np.float64)
            length = float(np.linalg.norm(exact)) if len(exact) == len(unit) and np.isfinite(exact).all() else -1
            if "given" in passage and not (length >= 0 and np.allclose(exact / (length or 1), unit, atol=UNIT)):
                raise BadValue(f"passage {number}: the vector given has not the direction of its vector")
        return found


def _settings(values: dict[str, Any]) -> IndexSettings:
    """BadValue unless there is a setting of the right type for each field; those with a default may be missing."""
    if unknown := values.keys() - SETTINGS:
        raise UnknownName("setting", min(unknown), SETTINGS)
    for name, value in values.items():
        kind = get_origin(SETTINGS[name]) or SETTINGS[name]
        if type(value) is not kind or (kind is list and any(type(part) is not int for part in value)):
            raise BadValue(f"setting {name} is {value!r:.40}, not of type {SETTINGS[name]}")
        check_text(as_json(value), f"setting {name}")
    try:
        settings = IndexSettings(**values)
    except TypeError:
        needed = {field.name for field in fields(IndexSettings)} & SETTINGS.keys()
        raise BadValue(f"settings are missing: {', '.join(sorted(needed - values.keys()))}") from None
    for name, least in (("dimension", 1), ("chunk_tokens", 0 if settings.given else 1), ("overlap", 0)):
        if getattr(settings, name) < least:
            raise BadValue(f"setting {name} is {getattr(settings, name)}; it must be at least {least}")
    return settings


def _file(value: Any) -> tuple[str, bytes]:
    _check_keys(value, FILE, "the file")
    try:
        return check_text(value["file"], "the file's path"), bytes.fromhex(value["digest"])
    except ValueError as fault:
        raise fault if isinstance(fault, BadValue) else BadValue("the file's digest is not hexadecimal") from None


def _check_keys(
    value: Any, needed: Mapping[str, tuple[type, ...]], what: str, others: Mapping[str, tuple[type, ...]] = _NONE
) -> None:
    """BadValue unless it is an object with these keys, perhaps with those others and with no more, of these types."""
    if not isinstance(value, dict):
        raise BadValue(f"{what} is not a JSON object")
    known = {**needed, **others}
    for key in known:
        if key not in value and key in others:
            continue
        if key not in value:
            raise BadValue(f"{what} has no {key!r}")
        if known[key] == (object,):
            continue
        if type(value[key]) not in known[key]:
            raise BadValue(f"{what}: {key} is {value[key]!r:.40}")
        if type(value[key]) is int and not 0 <= value[key] < 2**63:
            raise BadValue(f"{what}: {key} is {value[key]!r:.40}, out of range")
    if unknown := value.keys() - known:
        raise UnknownName(f"key of {what}", min(unknown), known)


def _check_span(passage: dict[str, Any], number: int, length: int, may_be_empty: bool) -> None:
    start, end = passage["start"], passage["end"]
    if not 0 <= start < end + may_be_empty <= length + may_be_empty:
        raise BadValue(f"passage {number} is {start}:{end} of a text of {length} characters")


def _pair(value: Any) -> tuple[Any, Any]:
    if type(value) is not list or len(value) != 2:
        raise BadValue(f"a place is {value!r:.40}, not an offset and its parts")
    return value[0], value[1]


def _section(value: Any) -> tuple[int, str]:
    if type(value) is not list or [type(part) for part in value] != [int, str]:
        raise BadValue(f"a section is {value!r:.40}, not an offset and a heading")
    return _whole(value[0]), check_text(value[1], "a heading")


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise BadValue(f"an offset is {value!r:.40}")
    return value


def _no_constant(name: str) -> Any:
    raise BadValue(f"{name} is not JSON")
