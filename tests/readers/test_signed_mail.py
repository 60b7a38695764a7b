"""Mail that is signed as one sealed piece (S/MIME): what it holds is read, what is encrypted is told."""

import base64

import pytest

from searcher.readers import read_text
from searcher.records import Document, Note

MESSAGE = b"Content-Type: text/plain; charset=utf-8\r\n\r\nThe b\xc3\xb6at sails.\r\n"
SIGNED, DATA, ENVELOPED = (bytes.fromhex(f"06092a864886f70d0107{kind}") for kind in ("02", "01", "03"))
VERSION, ALGORITHMS = b"\x02\x01\x01", b"\x31\x00"


def element(tag: int, *parts: bytes, open_ended: bool = False) -> bytes:
    said = b"".join(parts)
    if open_ended:
        return bytes([tag, 0x80]) + said + b"\0\0"
    length = bytes([len(said)]) if len(said) < 128 else b"\x82" + len(said).to_bytes(2, "big")
    return bytes([tag]) + length + said


def sealed(kind: bytes, open_ended: bool = False) -> bytes:
    octets = element(0x04, MESSAGE)
    if open_ended:
        octets = element(0x24, element(0x04, MESSAGE[:20]), element(0x04, MESSAGE[20:]), open_ended=True)
    content = element(0x30, DATA, element(0xA0, octets, open_ended=open_ended), open_ended=open_ended)
    inner = element(0x30, VERSION, ALGORITHMS, content, element(0x31), open_ended=open_ended)
    return element(0x30, kind, element(0xA0, inner, open_ended=open_ended), open_ended=open_ended)


def items(data: bytes) -> list[object]:
    mail = (
        "Subject: Hi\nContent-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\n"
        "Content-Disposition: attachment; filename=smime.p7m\nContent-Transfer-Encoding: base64\n\n"
    )
    return list(read_text(mail.encode() + base64.encodebytes(data), "mail", suffix=".eml"))


@pytest.mark.parametrize("open_ended", [False, True])
def test_what_is_only_signed_is_read(open_ended: bool) -> None:
    [document] = items(sealed(SIGNED, open_ended))
    assert isinstance(document, Document) and document.text == "Hi\n\nThe böat sails."


@pytest.mark.parametrize(
    "data",
    [sealed(ENVELOPED), sealed(SIGNED)[:60], b"", b"\x30\x84\xff\xff\xff\xff", b"\x30\x80" * 5_000, b"\x04\x01x"],
)
def test_what_is_encrypted_or_broken_is_told(data: bytes) -> None:
    document, note = items(data)
    assert isinstance(document, Document) and document.text == "Hi"
    assert note == Note("mail", "it is encrypted; only its headers are read")
