"""Outlook's .msg: a message in a compound file; plain messages under that name are read as such."""

from collections.abc import Iterator
from datetime import UTC
from pathlib import PurePath

from oxmsg import Message

from searcher.errors import UnreadableFile
from searcher.readers.binary import OLE
from searcher.readers.parsers.drafting import one_line
from searcher.readers.parsers.mail import Mail, decoded_words, mail_items, plain_of_html, read_eml
from searcher.readers.raw import Item, Part, Raw, ReadOptions

__all__ = ["read_msg"]

DAMAGED = "it is damaged or cut short: no message of Outlook's"


def read_msg(raw: Raw, options: ReadOptions) -> Iterator[Item | Part]:
    """The message, and what is attached to it."""
    begins = raw.stream.read(len(OLE))
    raw.stream.seek(0)
    if begins != OLE:
        yield from read_eml(raw, options)
        return
    try:
        mail = _mail(Message.load(raw.whole()))
    except (MemoryError, RecursionError):
        raise
    except Exception as fault:  # whatever a library makes of a damaged file
        raise UnreadableFile(raw.source, f"{DAMAGED} ({type(fault).__name__})") from None
    yield from mail_items(raw, mail, raw.source, {})


def _mail(message: Message) -> Mail:
    sent = message.sent_date
    headers = {
        "subject": one_line(message.subject),
        "from": decoded_words(message.sender),
        "to": ", ".join(_person(each.name, each.email_address) for each in message.recipients),
        "sent": sent.astimezone(UTC).isoformat().replace("+00:00", "Z") if sent else "",
        "message_id": one_line(message.message_headers.get("Message-ID")).strip("<>"),
    }
    body = message.body or ""
    if not body.strip() and message.html_body:
        html = message.html_body
        body = plain_of_html(html.encode() if isinstance(html, str) else html, "utf-8")
    attached: list[tuple[str, bytes | None, str]] = [
        (one_line(each.file_name) or "attachment", each.file_bytes, PurePath(each.file_name or "").suffix.lower())
        for each in message.attachments
        if each.attached_by_value and each.file_bytes is not None
    ]
    return Mail(headers, body.replace("\r\n", "\n").replace("\r", "\n"), attached)


def _person(name: str, address: str) -> str:
    name, address = one_line(name), one_line(address)
    return f"{name} <{address}>" if name and address and name != address else name or address
