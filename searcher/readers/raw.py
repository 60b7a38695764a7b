"""What every reader is given: the bytes of one file (or of stdin), the caller's options, and the limit on size."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import BinaryIO, Literal, NamedTuple, TypeAlias, get_args

from searcher.errors import SearcherError, UnknownName, UnreadableFile
from searcher.plain import ColumnType
from searcher.readers.charsets import codec_of
from searcher.records import MAX_TEXT_BYTES, Document, Failure, Note

__all__ = [
    "COLUMN_TYPES", "DEFAULTS", "MAX_TEXT_BYTES", "OCR", "Item", "Part", "Raw", "ReadOptions", "Reader", "Unsupported",
    "reader_failed",
]  # fmt: skip


class Unsupported(UnreadableFile):
    """A file of a kind that no reader knows: passed over, where any other UnreadableFile has failed."""


def reader_failed(fault: BaseException) -> str:
    """What is said of a file whose reader raised what no reader should: it is that file's failure alone."""
    if isinstance(fault, RecursionError):
        return "its parts are nested too deeply"
    reason = " ".join(f"{type(fault).__name__}: {fault}".split())
    return f"its reader failed ({reason:.200})".encode(errors="backslashreplace").decode()


COLUMN_TYPES = get_args(ColumnType)
OCR = ("rapidocr", "onnxruntime")  # modules of the extra "ocr"


@dataclass(frozen=True)
class ReadOptions:
    """Which fields of a table hold the text, one or several, and the key; None chooses by the usual names.

    tables: of a database, which are read; all that have text if none is named. faq: read as FAQ entries, of which the
    "questions" are embedded, or the "answers" too. encoding: of the files, None to tell it from each. column_types:
    "text", "number", "boolean" or "date" for columns of tables; those of the others are told from all of their cells.
    ocr: read what stands in scanned pages and in pictures too, which takes seconds for a page.

    Raises:
        BadValue: no such encoding, or no such type.
        SearcherError: `ocr` without what it needs.
    """

    text_field: str | tuple[str, ...] | None = None
    id_field: str | None = None
    tables: tuple[str, ...] = ()
    faq: Literal["questions", "answers"] | None = None
    encoding: str | None = None
    column_types: Mapping[str, str] = field(default_factory=dict)
    ocr: bool = False

    def __post_init__(self) -> None:
        if self.encoding is not None:
            codec_of(self.encoding)
        for kind in self.column_types.values():
            if kind not in COLUMN_TYPES:
                raise UnknownName("type of a column", kind, COLUMN_TYPES)
        if self.ocr and (missing := [module for module in OCR if find_spec(module) is None]):
            raise SearcherError(f"OCR needs {', '.join(missing)}: pip install 'searcher[ocr]'")

    @property
    def text_fields(self) -> tuple[str, ...]:
        """The fields that hold the text."""
        return (self.text_field,) if isinstance(self.text_field, str) else self.text_field or ()


@dataclass(frozen=True)
class Raw:
    """The bytes of `source`, not yet read; the stream can seek.

    encoding: what the caller says it is in. notes: what is to be told of the reading; they come out last. outer: of a
    file within a file the source of the outermost.
    """

    source: str
    stream: BinaryIO
    size: int
    encoding: str | None = None
    notes: list[Note] = field(default_factory=list)
    outer: str | None = None

    def within(self, source: str, name: str) -> str:
        """The source of a file within this one, or within that part of it which `source` names: `mail.eml#1/a.pdf`."""
        return f"{source}{'#' if source == (self.outer or self.source) else '/'}{name}"

    def note(self, reason: str) -> None:
        """Have it told that something was read, but not as it stands."""
        self.notes.append(Note(self.source, reason))

    def whole(self) -> bytes:
        """All the bytes; a file over the limit is refused before any of it is read."""
        if self.size > MAX_TEXT_BYTES:
            size, limit = self.size / 2**20, MAX_TEXT_BYTES / 2**20
            raise UnreadableFile(self.source, f"{size:,.1f} MiB of text; the limit is {limit:,.0f} MiB")
        return self.stream.read()


class Part(NamedTuple):
    """A file within a file, which is read in its turn: an attachment, or what was compressed.

    suffix: chooses its reader; ".txt" for what is known to be text. sole: there is nothing else in the outer file,
        which fails when this cannot be read.
    """

    raw: Raw
    suffix: str
    sole: bool = False


Item: TypeAlias = Document | Failure
Reader: TypeAlias = Callable[[Raw, ReadOptions], Iterator[Item | Part]]
DEFAULTS = ReadOptions()
