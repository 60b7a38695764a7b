"""Mail: each message with its subject, sender and date; what is attached to it is read by its own reader."""

import io
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email.errors import HeaderParseError, MessageError
from email.header import decode_header
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import PurePath
from typing import Any, NamedTuple

from searcher.errors import UnreadableFile
from searcher.places import Place
from searcher.readers.blocks import blocks, laid_out
from searcher.readers.charsets import known_codec
from searcher.readers.decoding import decoded
from searcher.readers.flowed import unflowed
from searcher.readers.htmltree import clean, parsed
from searcher.readers.parsers.drafting import Draft, one_line
from searcher.readers.parsers.enriched import plain_of_enriched
from searcher.readers.parsers.inlined import unarmoured, unpacked
from searcher.readers.parsers.mailbox import messages
from searcher.readers.parsers.mime import message_of
from searcher.readers.parsers.picture_size import is_ornament
from searcher.readers.parsers.signed import signed_content
from searcher.readers.raw import Item, Part, Raw, ReadOptions
from searcher.readers.table import READERS
from searcher.records import Failure, Note

__all__ = ["Mail", "decoded_words", "mail_items", "plain_of_html", "read_eml", "read_mbox"]

APPLE = re.compile(rb"\s*(\d{1,9})\s*\n")
HEADER = re.compile(rb"^(?:[!-9;-~]+:|From )")
PEOPLE = {"from": "From", "to": "To", "cc": "Cc"}
LITTLE = 0.5  # of the text of its HTML; less is a hint that one needs a program that shows HTML
SEALED = {"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"}
FOREIGN = "message/external-body"  # that is elsewhere: what stands in its place is no text (RFC 2046 §5.2.3)
HEADERS = "text/rfc822-headers"
ASCII = {"us-ascii", "ascii", "ansi_x3.4-1968"}  # which many say who then write something else
ENCODED = "content-transfer-encoding"
UNSPELLED = (LookupError, ValueError, AttributeError, MessageError)  # of a message that the library cannot write again
REPORTS = {"message/delivery-status", "message/disposition-notification"}  # what became of a mail, as fields
SUFFIXES = {
    "message/rfc822": ".eml", "text/html": ".html", "text/calendar": ".ics", "text/csv": ".csv", "image/png": ".png",
    "image/jpeg": ".jpg", "image/tiff": ".tif", "image/webp": ".webp", "image/bmp": ".bmp",
}  # fmt: skip


class Mail(NamedTuple):
    """A message: headers as text, its body, what is attached, and whether something of it is encrypted."""

    headers: dict[str, str]
    body: str
    attached: list[tuple[str, bytes | None, str]]  # name, content (None for one nested too deeply), suffix
    sealed: bool = False


def read_eml(raw: Raw, options: ReadOptions) -> Iterator[Item | Part]:
    """The message, and what is attached. UnreadableFile for what is none."""
    data = raw.whole()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", "replace").encode()
    data = data.removeprefix(b"\xef\xbb\xbf")
    if (apple := APPLE.match(data)) and int(apple[1]) <= len(data) - apple.end():
        data = data[apple.end() : apple.end() + int(apple[1])]
    if not HEADER.match(data.lstrip()[:1000]):
        raise UnreadableFile(raw.source, "it is no mail: it does not begin with a header")
    yield from mail_items(raw, _mail(data.lstrip()), raw.source, {})


def read_mbox(raw: Raw, options: ReadOptions) -> Iterator[Item | Part]:
    """Each message of the mailbox, which is a place; it is called by the number that it has in the file."""
    number = 0
    for data in messages(raw):
        number += 1
        yield from mail_items(raw, _mail(data), f"{raw.source}#{number}", {"message": number})
    if not number and raw.size:
        raise UnreadableFile(raw.source, "it is no mailbox: no line begins a message as in mbox")


def mail_items(raw: Raw, mail: Mail, source: str, place: Place) -> Iterator[Item | Part]:
    """The document of a message under its headers, then what is attached to it."""
    mail = _opened(mail)
    draft = Draft(source)
    draft.at(**place)
    subject = mail.headers.get("subject", "")
    said = [f"{label}: {mail.headers[name]}" for name, label in PEOPLE.items() if mail.headers.get(name)]
    sent = mail.headers.get("sent", "")
    said += [f"Date: {sent}"] if sent else []
    draft.put(subject)
    draft.put("\n".join(said))
    draft.put(mail.body.strip())
    metadata = {name: mail.headers.get(name) for name in ("subject", "sent", *PEOPLE, "message_id")}
    metadata["attachments"] = ", ".join(name for name, _, _ in mail.attached)
    yield draft.document(subject or None, metadata)
    if mail.sealed:
        what = "a part of it is encrypted, and left out" if mail.body else "it is encrypted; only its headers are read"
        yield Note(source, what)
    used: set[str] = set()
    for name, data, suffix in mail.attached:
        if data and is_ornament(data):  # of a signature
            continue
        label = raw.within(source, _unused(name, used))
        if data is None:
            yield Failure(label, "its parts are nested too deeply")
        else:
            yield Part(Raw(label, io.BytesIO(data), len(data), outer=raw.outer or raw.source), suffix)


def _unused(name: str, used: set[str]) -> str:
    """The name, or message-2.eml where a message.eml came before, so that none takes the place of another."""
    path, number, free = PurePath(name), 1, name
    while free in used:
        number += 1
        free = f"{path.stem}-{number}{path.suffix}"
    used.add(free)
    return free


def _mail(data: bytes) -> Mail:
    message = message_of(data)
    headers = {name: _header(message, name) for name in (*PEOPLE, "subject")}
    headers["message_id"] = _header(message, "message-id").strip("<>")
    headers["sent"] = _sent(_header(message, "date"))
    bodies: list[str] = []
    attached: list[tuple[str, bytes | None, str]] = []
    sealed = _collect(message, bodies, attached)
    return Mail(headers, "\n\n".join(filter(None, map(str.strip, bodies))), attached, sealed)


def _opened(mail: Mail) -> Mail:
    """The same without what stands packed or sealed in its body."""
    body, files = unpacked(mail.body)
    body, sealed = unarmoured(body)
    packed = [(PurePath(name).name, data, PurePath(name).suffix.lower()) for name, data in files]
    return Mail(mail.headers, body, [*mail.attached, *packed], mail.sealed or sealed)


def _header(message: Message, name: str) -> str:
    """A header, its encoded words decoded, on one line."""
    return decoded_words(message.get(name))


def decoded_words(value: Any) -> str:
    """What a header says, on one line, its encoded words decoded (RFC 2047); as it stands where one is broken."""
    if value is None:
        return ""
    try:
        pieces = [text if isinstance(text, str) else _text(text, charset) for text, charset in decode_header(value)]
    except (HeaderParseError, ValueError, LookupError):
        pieces = [str(value)]
    return one_line("".join(pieces))


def _sent(value: str) -> str:
    """The date in UTC, so that dates compare as texts do; without a zone as it stands; empty for what is no date."""
    try:
        sent: datetime = parsedate_to_datetime(value)
        return sent.astimezone(UTC).isoformat().replace("+00:00", "Z") if sent.tzinfo else sent.isoformat()
    except (TypeError, ValueError, OverflowError, IndexError):
        return ""


def _collect(message: Message, bodies: list[str], attached: list[tuple[str, bytes | None, str]]) -> bool:
    """Sort the parts of a message; whether one of them is encrypted. Not by recursion: strangers nest thousands."""
    waiting, sealed = [message], False
    while waiting:
        part = waiting.pop()
        kind, name = part.get_content_type(), _name(part)
        is_attached = part.get_content_disposition() == "attachment" or (
            name and kind not in ("text/plain", "text/html")
        )
        if kind in SEALED:
            inside = signed_content(_payload(part)) if "pkcs7" in kind else None
            if inside is None:
                sealed = True
            else:
                waiting.append(message_of(inside))
        elif kind == "multipart/alternative" and part.is_multipart():
            best, others = _best(part)
            bodies.append(best)
            waiting += reversed(others)
        elif kind in REPORTS and part.is_multipart():
            bodies.append("\n\n".join(_fields(each) for each in _inner(part)))
        elif kind == FOREIGN:
            continue
        elif kind == "message/rfc822" and part.is_multipart():
            attached.append((name or "message.eml", _bytes((_inner(part) or [part])[0]), ".eml"))
        elif part.is_multipart():
            waiting += reversed(_inner(part))
        elif is_attached or not kind.startswith("text/"):
            if name or kind in SUFFIXES:
                suffix = PurePath(name or "").suffix.lower() or SUFFIXES.get(kind, "")
                suffix = ".txt" if kind.startswith("text/") and suffix not in READERS else suffix
                attached.append((name or f"part{suffix}", _payload(part), suffix))
        else:
            bodies.append(_body(part))
    return sealed


def _best(part: Message) -> tuple[str, list[Message]]:
    """Of the ways to say the same the plain one, unless that only says that there is another; and what says no such
    thing: what is attached among them, and other texts where there is neither of the two.
    """
    found: dict[str, list[str]] = {"text/plain": [], "text/html": []}
    waiting, attached, others = [part], list[Message](), list[Message]()
    while waiting:
        each = waiting.pop(0)
        kind = each.get_content_type()
        if each is part or (kind.startswith("multipart/") and kind not in SEALED and each.is_multipart()):
            waiting += _inner(each)
        elif each.get_content_disposition() == "attachment" or not kind.startswith("text/"):
            attached.append(each)
        elif kind in found:
            found[kind].append(_body(each))
        else:
            others.append(each)
    plain, marked = ("\n\n".join(texts).strip() for texts in found.values())
    best = plain if len(plain.split()) >= LITTLE * len(marked.split()) else marked
    return best, attached + ([] if best else others)


def _body(part: Message) -> str:
    data, charset = _payload(part), part.get_content_charset()
    if part.get_content_type() == "text/html":
        return plain_of_html(data, charset)
    text = _text(data, charset)
    if part.get_content_type() == "text/enriched":
        return plain_of_enriched(text)
    if part.get_content_type() == HEADERS:
        return "\n".join(f"{name}: {decoded_words(said)}" for name, said in message_of(data).items())
    if str(part.get_param("format", "")).lower() == "flowed":
        text = unflowed(text, str(part.get_param("delsp", "")).lower() == "yes")
    return text.replace("\r\n", "\n")


def plain_of_html(data: bytes, charset: str | None) -> str:
    """The text of a message in HTML, of which nothing is furniture."""
    root = parsed(_text(data, charset, markup=True), "its text")
    if root is None:
        return ""
    clean(root, scripted=False)
    return laid_out(blocks(root))[0]


def _text(data: bytes, charset: str | None, markup: bool = False) -> str:
    """Bytes in the charset that they are said to be in, or the larger one that it means; else in the one they show.

    markup: whether they may say so themselves.
    """
    label = (charset or "utf-8").lower()
    with suppress(LookupError, ValueError):
        if charset or not markup:
            return data.decode("ascii" if label in ASCII else known_codec(label) or label)
    try:
        return decoded(Raw("", io.BytesIO(data), len(data)), markup=markup and not charset)
    except UnreadableFile:
        return data.decode("latin-1")


def _payload(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _inner(part: Message) -> list[Message]:
    """The parts of one that has any; the text of another the library would decode by whatever it calls its charset."""
    return [each for each in part.get_payload() if isinstance(each, Message)] if part.is_multipart() else []


def _fields(part: Message) -> str:
    """A part that is headers alone, as it stands."""
    try:
        return str(part).strip()
    except UNSPELLED:
        return _payload(part).decode("utf-8", "replace").strip()


def _bytes(message: Any) -> bytes | None:
    try:
        return bytes(message.as_bytes())
    except RecursionError:
        return None
    except UNSPELLED:
        return _rewritten(message) if isinstance(message, Message) else b""


def _rewritten(message: Message) -> bytes:
    """A message without parts, each header in one line, its body as it is meant."""
    headers = [f"{name}: {one_line(str(value))}\n" for name, value in message.items() if name.lower() != ENCODED]
    return "".join([*headers, "\n"]).encode("utf-8", "replace") + _payload(message)


def _name(part: Message) -> str:
    try:
        name = part.get_filename()
    except (LookupError, ValueError, TypeError):
        return ""
    return PurePath(decoded_words(name).replace("\\", "/")).name
