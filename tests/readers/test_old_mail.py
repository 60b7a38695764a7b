"""Mail as older and other programs write it: how mailboxes part messages, enriched text, armour, files within a text."""

from binascii import b2a_uu

import pytest

from searcher.readers import read_text
from searcher.records import Document, Failure, Note

HEAD = "From: Ada <ada@example.com>\nSubject: The ferry\n"


def items_of(text: str | bytes, suffix: str = ".eml") -> list[Document | Failure]:
    return list(read_text(text.encode() if isinstance(text, str) else text, "mail", suffix=suffix))


def bodies(text: str | bytes, suffix: str = ".eml") -> list[str]:
    documents = [item for item in items_of(text, suffix) if isinstance(item, Document)]
    return [document.text.split("\n\n", 2)[-1] for document in documents]


def test_a_mailbox_without_empty_lines_between_its_messages_has_each_of_them() -> None:
    box = (
        f"From ada@example.com Mon Mar  4 10:00:00 2024\n{HEAD}\nIt leaves at dawn.\n>From here it does.\n"
        "From Monday at 10:00 to 12:00 in 2024 it waits.\n\nFrom 10:00 to 12:00 in 2025 it does not.\n"
        f"From bob@example.com Mon Mar  4 11:00:00 2024\n{HEAD}\nGood.\n"
    )
    first = "From here it does.\nFrom Monday at 10:00 to 12:00 in 2024 it waits."
    assert bodies(box, ".mbox") == [
        f"It leaves at dawn.\n{first}\n\nFrom 10:00 to 12:00 in 2025 it does not.",
        "Good.",
    ]


@pytest.mark.parametrize("line", ["From ", "From - "])
def test_a_line_that_says_neither_who_nor_when_begins_a_message_where_headers_follow(line: str) -> None:
    box = f"{line}\n{HEAD}\nIt leaves at dawn.\n\n{line}\n{HEAD}\nGood.\n\n{line}\nno header\n"
    assert bodies(box, ".mbox") == ["It leaves at dawn.", f"Good.\n\n{line}\nno header"]


def test_parameters_of_enriched_text_end_where_the_first_ends() -> None:
    assert bodies(f"{HEAD}Content-Type: text/enriched\n\n<param><param>no</param>yes</param>!\n") == ["yes!"]


def test_enriched_text_is_read_without_its_commands() -> None:
    said = (
        "<bold>Now</bold> is the time for\n<italic>all</italic> good men\n\n<smaller>(and <<women>)</smaller>\n\n\n"
        "<color><param>red</param>beloved</color>\n\n<nofill>one\ntwo</nofill> <param>open"
    )
    read = "Now is the time for all good men\n(and <women>)\n\nbeloved\none\ntwo <param>open"
    assert bodies(f"{HEAD}Content-Type: text/enriched\n\n{said}\n") == [read.replace("<param>", "")]


@pytest.mark.parametrize(
    ("charset", "sent", "read"),
    [
        ("iso-8859-1", b"\x93Euro\x94 \x80 5 \x96 it\x92s", "“Euro” € 5 – it’s"),
        ("gb2312", "朱镕基".encode("gbk"), "朱镕基"),
        ("shift_jis", "①～".encode("cp932"), "①～"),
        ("us-ascii", "Fähre".encode(), "Fähre"),
        ("us-ascii", "Fähre und Möwe, schön über Grün".encode("latin-1"), "Fähre und Möwe, schön über Grün"),
    ],
)
def test_a_charset_is_the_larger_one_that_programs_mean_by_it(charset: str, sent: bytes, read: str) -> None:
    mail = f"{HEAD}MIME-Version: 1.0\nContent-Type: text/plain; charset={charset}\n\n".encode()
    assert bodies(mail + sent) == [read]


def test_of_what_pgp_signed_the_text_is_read_in_quotations_too() -> None:
    signature = "-----BEGIN PGP SIGNATURE-----\nVersion: 1\n\niQEzBAEBCAAd\n=abcd\n-----END PGP SIGNATURE-----\n"
    signed = f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n- -- \n- - oars\nIt leaves: dawn.\n{signature}"
    quoted = "".join(f"> {line}\n" for line in signed.splitlines())
    mail = f"{HEAD}\n- before\n{signed}- after\n\n{quoted}> - rest\n"
    read = "- before\n-- \n- oars\nIt leaves: dawn.\n- after\n\n> --\n> - oars\n> It leaves: dawn.\n> - rest"
    assert bodies(mail) == [read]


def test_a_piece_of_pgp_without_an_end_is_text() -> None:
    cut = "-----BEGIN PGP SIGNATURE-----\n\niQEzBAEBCAAd"
    assert bodies(f"{HEAD}\nGood.\n{cut}\n") == [f"Good.\n{cut}"]


@pytest.mark.parametrize(
    ("before", "told"),
    [
        ("", "it is encrypted; only its headers are read"),
        ("Read this:\n", "a part of it is encrypted, and left out"),
    ],
)
def test_what_pgp_encrypted_within_a_text_is_told(before: str, told: str) -> None:
    document, note = items_of(f"{HEAD}\n{before}-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n")
    assert isinstance(document, Document)
    assert document.text == "\n\n".join(filter(None, ["The ferry", "From: Ada <ada@example.com>", before.strip()]))
    assert note == Note("mail", told)


def test_a_file_that_stands_uuencoded_in_a_text_is_attached() -> None:
    lines = "".join(b2a_uu(piece).decode() for piece in (b"Dawn, harbour, oars and ", b"ropes"))
    document, timetable = items_of(f"{HEAD}\nSee:\nbegin 644 table.txt\n{lines}`\nend\nGood.\n\nbegin 1 no file\n")
    assert isinstance(document, Document)
    assert isinstance(timetable, Document)
    assert document.text.endswith("\n\nSee:\nGood.\n\nbegin 1 no file")
    assert document.metadata["attachments"] == "table.txt"
    assert (timetable.source, timetable.text) == ("mail#table.txt", "Dawn, harbour, oars and ropes")


def test_headers_that_came_back_are_decoded_and_what_is_elsewhere_is_no_text() -> None:
    mail = (
        f"{HEAD}Content-Type: multipart/mixed; boundary=b\n\n--b\n\nIt failed.\n--b\nContent-Type: text/rfc822-headers\n\n"
        "Subject: =?utf-8?q?F=C3=A4hre?=\n--b\nContent-Type: message/external-body; access-type=url\n\n"
        "Content-Type: text/plain\n\nghost\n--b--\n"
    )
    assert bodies(mail) == ["It failed.\n\nSubject: Fähre"]
