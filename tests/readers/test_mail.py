"""Mail: messages and mailboxes, what they say, who sent them and when, and what is attached."""

import base64
from pathlib import Path

import pytest

from searcher.errors import UnreadableFile
from searcher.readers import read, read_text
from searcher.records import Document, Failure, Note

HEAD = (
    "From: Ada <ada@example.com>\nTo: Bob <bob@example.com>\nSubject: The ferry\nDate: Fri, 1 Mar 2024 10:30:00 +0200\n"
)


def items_of(text: str | bytes, suffix: str = ".eml") -> list[Document | Failure]:
    return list(read_text(text.encode() if isinstance(text, str) else text, "mail", suffix=suffix))


def body(text: str | bytes) -> str:
    [document] = items_of(text)
    assert isinstance(document, Document)
    return document.text.split("\n\n", 2)[2]


def multipart(kind: str, *parts: str) -> str:
    inner = "".join(f"--={kind}\n{part}\n" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="={kind}"\n\n{inner}--={kind}--\n'


def test_a_message_has_its_subject_sender_and_date_in_text_and_in_metadata() -> None:
    [document] = items_of(f"{HEAD}Message-ID: <1@example.com>\n\nIt leaves at dawn.\n")
    assert isinstance(document, Document)
    assert document.title == "The ferry"
    assert document.metadata == {
        "subject": "The ferry", "sent": "2024-03-01T08:30:00Z", "from": "Ada <ada@example.com>",
        "to": "Bob <bob@example.com>", "message_id": "1@example.com",
    }  # fmt: skip
    said = "From: Ada <ada@example.com>\nTo: Bob <bob@example.com>\nDate: 2024-03-01T08:30:00Z"
    assert document.text == f"The ferry\n\n{said}\n\nIt leaves at dawn."


def test_encoded_words_and_charsets_are_decoded_also_where_they_lie() -> None:
    mail = b"Subject: =?utf-8?q?K=C3=A4se?= =?iso-8859-1?q?_f=FCr?= alle\nFrom: =?utf-8?b?QW5uw6k=?= <a@b.c>\n"
    mail += b"Content-Type: text/plain; charset=x-none\nContent-Transfer-Encoding: quoted-printable\n\ngr=C3=BCn\n"
    [document] = items_of(mail)
    assert isinstance(document, Document)
    assert document.title == "Käse für alle" and document.metadata["from"] == "Anné <a@b.c>"
    assert document.text.endswith("grün")
    [same] = items_of(HEAD.encode("utf-16") + "\n\nUTF-16 grün".encode("utf-16")[2:])
    assert isinstance(same, Document) and same.title == "The ferry" and same.text.endswith("grün")


def test_of_two_ways_to_say_it_the_plain_one_is_read_unless_it_says_nothing() -> None:
    plain, html = (
        "Content-Type: text/plain\n\nIn plain words.",
        "Content-Type: text/html\n\n<p>In <b>marked</b> words.</p>",
    )
    assert body(HEAD + multipart("alternative", plain, html)) == "In plain words."
    empty = "Content-Type: text/plain\n\nUse a viewer."
    long = "Content-Type: text/html\n\n<h1>News</h1><p>" + "Many words of it. " * 5 + "</p>"
    assert body(HEAD + multipart("alternative", empty, long)).startswith("News\n\nMany words of it.")
    assert (
        body(f"{HEAD}Content-Type: text/html\n\n<p>Only <i>so</i>.</p><nav><p>And this.</p></nav>")
        == "Only so.\n\nAnd this."
    )


@pytest.mark.parametrize(
    "sent, read",
    [
        ("One \nsentence.\n\nTwo", "One sentence.\n\nTwo"),
        ("> quoted \n> so\n>> deeper \n> not", "> quoted so\n>> deeper \n> not"),
        ("A fixed line\nanother \n", "A fixed line\nanother"),
        (" From here\n >no quotation", "From here\n>no quotation"),
        ("Bye \n-- \nAda", "Bye \n-- \nAda"),
    ],
)
def test_lines_that_flow_are_one_in_quotations_too(sent: str, read: str) -> None:
    assert body(f"{HEAD}Content-Type: text/plain; format=flowed\n\n{sent}") == read


def test_the_space_that_ends_a_line_may_be_none_of_its_own() -> None:
    kind = "Content-Type: text/plain; format=flowed; delsp=yes"
    assert body(f"{HEAD}{kind}\n\n港口 \n很大 and  \nso") == "港口很大 and so"


@pytest.mark.parametrize("name", ["charset", "x", "boundary"])
@pytest.mark.parametrize("outer", ["{}", "Content-Type: multipart/mixed; boundary=b; {0}=b\n\n--b\n{1}\n--b--\n"])
def test_a_parameter_with_a_number_of_thousands_of_digits_costs_nothing(name: str, outer: str) -> None:
    number = f"{name}*{'9' * 5000}"
    part = f"Content-Type: text/plain; {number}*=utf-8''utf-8\n\nIt is read."
    assert body(HEAD + outer.format(number if "{1}" in outer else part, part)) == "It is read."


@pytest.mark.parametrize("kind", ["alternative", "mixed", "report", "related"])
def test_a_part_that_is_no_text_or_in_no_charset_costs_no_other_its_text(kind: str) -> None:
    wrong = 'Content-Type: text/html; charset="a\0b"\n\nB\udcfcro'
    binary = "Content-Type: text/html\n\n\0\1\2\3\udcff\udcfe"
    status = 'Content-Type: message/delivery-status; charset="a\0b"\n\nAction: B\udcfcro\n\nStatus: 5\n'
    mail = HEAD + multipart(kind, "Content-Type: text/plain\n\nIt is read.", wrong, binary, status)
    [document, *_] = items_of(mail.encode("utf-8", "surrogateescape"))
    assert isinstance(document, Document)
    assert "It is read." in document.text


def test_a_mail_within_one_is_read_though_a_header_of_it_cannot_be_written_again() -> None:
    inner = "Content-Type: message/rfc822\n\nSubject: Inner\x0bFrom: c@d.e\n\nThe one before."
    mail = HEAD + multipart("mixed", "Content-Type: text/plain\n\nSee below.", inner)
    texts = [item.text for item in items_of(mail) if isinstance(item, Document)]
    assert texts[0].endswith("See below.")
    assert any("The one before." in text for text in texts)


def test_what_became_of_a_mail_is_read() -> None:
    status = "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\nAction: failed\nStatus: 5.1.1\n"
    report = multipart("report", "Content-Type: text/plain\n\nNot delivered.\n", status)
    assert body(f"{HEAD}{report}") == "Not delivered.\n\nReporting-MTA: dns; mx\n\nAction: failed\nStatus: 5.1.1"


def test_what_is_attached_is_read_by_its_own_reader_and_what_nobody_reads_is_told() -> None:
    text = base64.b64encode(b"# Times\n\nAt dawn.").decode()
    parts = [
        "Content-Type: text/plain\n\nSee below.",
        f'Content-Type: text/markdown\nContent-Disposition: attachment; filename="times.md"\nContent-Transfer-Encoding: base64\n\n{text}',
        'Content-Type: image/png\nContent-Disposition: attachment; filename="../a/map.png"\n\n\x00\x01PNG\x00',
        'Content-Type: application/msword; name="old.doc"\n\nx',
        'Content-Type: application/pdf\nContent-Disposition: attachment; filename="cut.pdf"\n\nno pdf',
        f"Content-Type: message/rfc822\n\n{HEAD}\nThe one before.",
    ]
    document, times, cut, inner, picture, note = items_of(HEAD + multipart("mixed", *parts))
    assert isinstance(document, Document) and document.text.endswith("See below.")
    assert document.metadata["attachments"] == "times.md, map.png, old.doc, cut.pdf, message.eml"
    assert isinstance(times, Document) and (times.source, times.title) == ("mail#times.md", "Times")
    assert cut == Failure("mail#cut.pdf", "it is damaged or cut short: no PDF that can be read")
    assert isinstance(inner, Document) and inner.source == "mail#message.eml" and inner.text.endswith("The one before.")
    assert picture.reason.startswith("1 attachment not read (a picture is read with --ocr only")
    assert picture.reason.endswith("): map.png")
    assert note == Note("mail", "1 attachment that no reader takes: old.doc")


def test_attachments_of_one_name_are_each_read_and_told_apart() -> None:
    inner = [f"Content-Type: message/rfc822\n\n{HEAD}\nNumber {number}." for number in (1, 2, 3)]
    files = [f'Content-Disposition: attachment; filename="a.txt"\n\nText {number}.' for number in (1, 2)]
    document, *rest = items_of(HEAD + multipart("mixed", "Content-Type: text/plain\n\nSee.", *inner, *files))
    found = {item.source: item.text.split("\n\n")[-1] for item in rest if isinstance(item, Document)}
    assert found == {
        "mail#message.eml": "Number 1.", "mail#message-2.eml": "Number 2.", "mail#message-3.eml": "Number 3.",
        "mail#a.txt": "Text 1.", "mail#a-2.txt": "Text 2.",
    }  # fmt: skip
    assert isinstance(document, Document)


def test_a_broken_encoded_word_stays_as_it_is_and_loses_neither_message_nor_those_after_it() -> None:
    bad = "=?utf-8?B?a?="
    part = f'Content-Disposition: attachment; filename="{bad}.txt"\n\nText.'
    first = HEAD.replace("The ferry", bad).replace("Ada", bad) + multipart("mixed", "\n\nBody.", part)
    box = "".join(f"From x@example.com Fri Mar  1 10:30:00 2024\n{mail}\n\n" for mail in (first, f"{HEAD}\nAfter."))
    message, attached, after = items_of(box, ".mbox")
    assert isinstance(message, Document) and message.title == bad and message.text.endswith("Body.")
    assert isinstance(attached, Document) and attached.text == "Text."
    assert isinstance(after, Document) and after.text.endswith("After.")


def test_what_is_attached_within_one_of_two_ways_to_say_it_is_read() -> None:
    attached = 'Content-Disposition: attachment; filename="a.txt"\n\nIn the file.'
    marked = multipart("mixed", "Content-Type: text/html\n\n<p>In marked words.</p>", attached)
    message, file = items_of(HEAD + multipart("alternative", "Content-Type: text/plain\n\nIn plain words.", marked))
    assert isinstance(message, Document) and message.text.endswith("In plain words.")
    assert isinstance(file, Document) and (file.source, file.text) == ("mail#a.txt", "In the file.")


def test_parts_whose_boundary_never_comes_end() -> None:
    [message, *_] = items_of(HEAD + 'Content-Type: multipart/alternative; boundary="=="\n\nWords without parts.\n')
    assert isinstance(message, Document) and message.title == "The ferry"


def test_an_invitation_alone_is_read_and_beside_words_is_not() -> None:
    calendar = "Content-Type: text/calendar\n\nBEGIN:VCALENDAR\nSUMMARY:Dinner\nEND:VCALENDAR"
    assert "SUMMARY:Dinner" in body(HEAD + multipart("alternative", calendar))
    assert body(HEAD + multipart("alternative", "Content-Type: text/plain\n\nCome.", calendar)) == "Come."


def test_a_number_sign_in_the_name_of_a_folder_changes_nothing(tmp_path: Path) -> None:
    inner = f"Content-Type: message/rfc822\n\n{HEAD}" + multipart(
        "related", 'Content-Disposition: attachment; filename="n.txt"\n\nDeep.'
    )
    (tmp_path / "c#").mkdir()
    file = tmp_path / "c#" / "m.eml"
    file.write_text(HEAD + multipart("mixed", "\n\nOuter.", inner))
    sources = [item.source.removeprefix(f"{tmp_path}/") for item in read(file)]
    assert sources == ["c#/m.eml", "c#/m.eml#message.eml", "c#/m.eml#message.eml/n.txt"]


def test_messages_of_a_mailbox_are_places() -> None:
    box = f"From ada@example.com Fri Mar  1 10:30:00 2024\n{HEAD}\nOne.\n>From here on.\nFrom me, no separator.\n\n"
    box += f"From bob@example.com Sat Mar  2 10:30:00 2024\n{HEAD.replace('ferry', 'boat')}\nTwo.\n"
    first, second = items_of(box, ".mbox")
    assert isinstance(first, Document) and isinstance(second, Document)
    assert (first.source, second.source) == ("mail#1", "mail#2")
    assert first.text.endswith("One.\nFrom here on.\nFrom me, no separator.")
    assert second.title == "The boat" and second.places == ((0, {"message": 2}),)


def test_an_encrypted_message_says_so() -> None:
    document, note = items_of(HEAD + multipart("encrypted", "Content-Type: application/octet-stream\n\nxx"))
    assert isinstance(document, Document) and document.title == "The ferry"
    assert note == Note("mail", "it is encrypted; only its headers are read")


def test_mail_in_mail_in_mail_ends_somewhere() -> None:
    def nested(depth: int) -> str:
        mail = f"{HEAD}\nThe innermost."
        for _ in range(depth):
            mail = f"{HEAD}Content-Type: message/rfc822\n\n{mail}"
        return mail

    items = items_of(nested(12))
    assert [type(item) for item in items] == [Document] * 9 + [Failure]
    assert "files within files, over 8 deep" in items[-1].reason
    with pytest.raises(UnreadableFile, match="nested too deeply"):
        items_of(nested(3000))


@pytest.mark.parametrize("suffix", [".eml", ".mbox", ".msg"])
def test_what_is_no_mail_says_so(suffix: str) -> None:
    with pytest.raises(UnreadableFile, match=r"it is no (mail|mailbox)"):
        items_of("just some words, and no header", suffix)


def test_a_message_of_outlooks_that_is_cut_short_says_so(data: Path) -> None:
    whole = (data / "formats" / "message.msg").read_bytes()
    with pytest.raises(UnreadableFile, match="no message of Outlook's"):
        items_of(whole[:3000], ".msg")


def test_messages_that_people_have(data: Path) -> None:
    folder = data / "formats"
    expected = {
        "mime-word-encoded-subject.eml": ("Simple email with ☸☿ Unicode subject", "sender@example.com", None),
        "fake-email-attachment.msg": (
            "Fake email with attachment",
            '"Mallori Harrell" <mallori@unstructured.io>',
            "2023-04-20T21:39:10Z",
        ),
        "german_rfc822.msg": (
            "Re: 34Mbit/s Netz",
            "deuschle@mnh.telekom.de (Guenter Deuschle)",
            "1996-06-19T16:12:02Z",
        ),
    }
    for name, said in expected.items():
        document = next(read(folder / name))
        assert isinstance(document, Document)
        assert (document.title, document.metadata["from"], document.metadata.get("sent")) == said
    deep = list(read(folder / "nested-400.eml"))
    assert isinstance(deep[0], Document) and type(deep[-1]) is Failure
    assert [item.text for item in read(folder / "fake-email-attachment.msg")][
        1
    ].strip() == "Hey this is a fake attachment!"
