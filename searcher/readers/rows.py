"""Rows of a table to documents: which field is the text, which the key, and which rows are FAQ entries."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import accumulate
from typing import Any, NamedTuple, TypeAlias

from searcher.errors import BadValue, UnreadableFile
from searcher.plain import storable
from searcher.readers.columns import Columns
from searcher.readers.escapes import unescaped
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.records import Document, Failure

__all__ = ["NAMED", "Broken", "Fields", "Row", "documents", "id_of"]

TEXT_FIELDS = ("text", "content", "body", "passage")
ID_FIELDS = ("_id", "id")
NAMED = {*TEXT_FIELDS, *ID_FIELDS, "title", "question", "answer", "phrasings"}  # fields with a meaning of their own
PHRASING_END = re.compile(r"[|\r\n]")
JSON_KINDS = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}

Fields: TypeAlias = dict[str, Any]


class Broken(NamedTuple):
    """What is wrong with a row, and what it is called if that could still be made out."""

    problem: str
    key: str | None = None


Row: TypeAlias = tuple[int, Fields | Broken]  # its number in the file, and its fields or what is wrong with it


def documents(
    rows: Iterable[Row], raw: Raw, options: ReadOptions, columns: Columns, unit: str = "line"
) -> Iterator[Item]:
    """One document for each row; a row that cannot be one is a Failure, and reading goes on.

    columns: what makes metadata of its fields. unit: what the numbers of the rows count.
    """
    names = Names(unit)
    checked = False
    for number, fields in rows:
        name = None
        try:
            if isinstance(fields, Broken):
                name = names.known(number, fields.key)
                raise BadValue(fields.problem)
            if not checked:
                _require_fields(fields, raw.source, options)
                checked = True
            name = names.known(number, id_of(fields, options))
            key = _key(fields, options)
            name = names.free(number, key)
            document = _document(fields, f"{raw.source}#{name}", key, options, columns)
            names.take(name, number, key)
            yield document
        except BadValue as problem:
            yield Failure(raw.source, f"{unit} {number}: {problem}", name and f"{raw.source}#{name}")
    for note in columns.told():
        raw.note(note)


class Names:
    """What the rows of a file are called: by their ids, and those without one by their numbers.

    Where a number is an id as well, the later of the two says which it is: "line 2" or "id 2".
    """

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.used: dict[str, tuple[int, bool]] = {}  # by name: the number of the row, and whether the name is its id
        self.has_ids = False

    def known(self, number: int, key: str | None) -> str | None:
        """What a row is called that may be broken; None if that cannot be known."""
        return key if key is not None else None if self.has_ids else str(number)

    def free(self, number: int, key: str | None) -> str:
        """The name of a row. BadValue for an id that another row has."""
        name = str(number) if key is None else key
        if name in self.used:
            before, was_id = self.used[name]
            if key is not None and was_id:
                raise BadValue(f"id {name!r} was already used in {self.unit} {before}")
            name = f"{self.unit} {number}" if key is None else f"id {key}"
            if name in self.used:
                raise BadValue(f"id {name!r} was already used in {self.unit} {self.used[name][0]}")
        return name

    def take(self, name: str, number: int, key: str | None) -> None:
        """Remember the name of a row."""
        self.used[name] = number, key is not None
        self.has_ids |= key is not None


def _require_fields(fields: Fields, source: str, options: ReadOptions) -> None:
    for what, name in [*(("text", name) for name in options.text_fields), ("id", options.id_field)]:
        if name is not None and name not in fields:
            raise UnreadableFile(source, f"no {what} field {name!r}; its fields: {', '.join(fields)}")


def _document(fields: Fields, source: str, key: str | None, options: ReadOptions, columns: Columns) -> Document:
    names = {name.lower(): name for name in reversed(fields)}
    usual = [names[name] for name in TEXT_FIELDS if name in names][:1]
    text_names = options.text_fields or tuple(usual)
    taken = {_id_name(fields, options), *text_names}
    rest = {name: value for name, value in fields.items() if name not in taken}
    text = "\n\n".join(filter(None, (_string(fields, name) for name in text_names))) if text_names else _joined(rest)

    def take(name: str) -> str | None:
        """The text of a field with a meaning of its own, which is then no metadata."""
        value = rest.get(names[name]) if name in names else None
        return _sound(rest.pop(names[name]), name) if isinstance(value, str) and value.strip() else None

    title = take("title")
    if not text_names and all(_is_text(rest.get(names.get(name, name))) for name in ("question", "answer")):
        question, answer = str(take("question")), take("answer")
        phrasings = _phrasings(rest.pop(names.get("phrasings", "phrasings"), None))
        lines = list(dict.fromkeys(map(_one_line, [question, *phrasings])))
        metadata = _metadata(rest, columns) | {"answer": answer}
        # Each way of asking is a passage of its own: their mean would be near none of them.
        breaks = tuple(accumulate(len(line) + 1 for line in lines[:-1]))
        return Document(source, "\n".join(lines), title, key, metadata, breaks=breaks, kind="faq")
    return Document(source, _sound(text, text_names[0] if text_names else "text"), title, key, _metadata(rest, columns))


def _id_name(fields: Fields, options: ReadOptions) -> str | None:
    if options.id_field is not None:
        return options.id_field
    return next((name for wanted in ID_FIELDS for name in fields if name.lower() == wanted), None)


def id_of(fields: Fields, options: ReadOptions) -> str | None:
    """The caller's key for the row, if it is one."""
    try:
        return _key(fields, options)
    except BadValue:
        return None


def _key(fields: Fields, options: ReadOptions) -> str | None:
    """The caller's key for the row; None leaves it to the row's number."""
    name = _id_name(fields, options)
    value = fields.get(name) if name is not None else None
    if value is None or value == "":
        if options.id_field is not None:
            raise BadValue(f"no value for the id field {name!r}")
        return None
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise BadValue(f"the id is {_kind(value)}, not text or a whole number")
    return str(_sound(str(value), name or ""))


def _string(fields: Fields, name: str) -> str:
    if name not in fields:
        raise BadValue(f"no field {name!r}")
    value = fields[name]
    if value is not None and not isinstance(value, str):
        raise BadValue(f"field {name!r} is {_kind(value)}, not text")
    return value or ""


def _joined(fields: Fields) -> str:
    """All fields as "name: value" lines: the text of a row that has no text field."""
    filled = {name: value for name, value in fields.items() if value is not None and value != ""}
    return "\n".join(
        f"{name}: {value if isinstance(value, str) else unescaped(json.dumps(value, ensure_ascii=False))}"
        for name, value in filled.items()
    )


def _metadata(fields: Fields, columns: Columns) -> Fields:
    values = {_sound(name, name): _sound(value, name, partial(columns.value, name)) for name, value in fields.items()}
    return {name: value for name, value in values.items() if value is not None}


def _phrasings(value: Any) -> list[str]:
    """Other ways to ask: a list, or text that a newline or a bar separates."""
    phrasings = PHRASING_END.split(value) if isinstance(value, str) else value or []
    if not isinstance(phrasings, list) or not all(isinstance(phrasing, str) for phrasing in phrasings):
        raise BadValue("field 'phrasings' is not a list of texts")
    return [str(_sound(phrasing, "phrasings")) for phrasing in phrasings if phrasing.strip()]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _kind(value: Any) -> str:
    return JSON_KINDS.get(type(value), type(value).__name__)


def _sound(value: Any, field: str, typing: Callable[[Any], Any] = storable) -> Any:
    """The value as it may be stored; a fault in it is named with its field."""
    try:
        return typing(value)
    except BadValue as problem:
        raise BadValue(f"field {field.encode(errors='backslashreplace').decode()!r}: {problem}") from None
