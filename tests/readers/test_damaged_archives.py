"""Documents that are ZIP archives with a member that is damaged: which one it is, and how, in one line."""

import io
import struct
import zipfile
from collections.abc import Callable

import pytest
from made_office import docx, epub, odt, pptx, shape, xlsx

from searcher.errors import UnreadableFile
from searcher.readers import read_text

PARAGRAPHS = "".join(f"<w:p><w:r><w:t>The boat of berth {n} is tied.</w:t></w:r></w:p>" for n in range(100))
ODT = "".join(f"<text:p>The boat of berth {n} is tied.</text:p>" for n in range(100))
XHTML = "<h1>Harbour</h1>" + "".join(f"<p>The boat of berth {n} is tied.</p>" for n in range(100))
ROWS = [[f"berth {n}", n, f"The boat is tied {n} times"] for n in range(100)]

# suffix → the file, and a member that holds text
FILES = {
    ".docx": (docx(PARAGRAPHS), "word/document.xml"),
    ".pptx": (pptx([shape("Ferries"), shape("The boat is tied. " * 50)]), "ppt/slides/slide2.xml"),
    ".xlsx": (xlsx({"Costs": ROWS, "Gains": ROWS}), "xl/worksheets/sheet2.xml"),
    ".odt": (odt(ODT), "content.xml"),
    ".epub": (epub({"one.xhtml": XHTML}), "OPS/one.xhtml"),
}
CHECKSUM, BYTES = (
    "cannot be unpacked, its checksum or its header is wrong",
    "cannot be unpacked, its compressed bytes are broken",
)


def member_of(data: bytes, name: str) -> tuple[int, int, int, int]:
    """Where a member's header, its compressed bytes and its entry of the directory begin, and how many bytes it has."""
    info = zipfile.ZipFile(io.BytesIO(data)).getinfo(name)
    header, entry = info.header_offset, data.index(b"PK\x01\x02")
    while struct.unpack_from("<I", data, entry + 42)[0] != header:
        entry = data.index(b"PK\x01\x02", entry + 4)
    lengths = struct.unpack_from("<HH", data, header + 26)
    return header, header + 30 + sum(lengths), entry, info.compress_size


def changed(data: bytes, at: int, by: bytes) -> bytes:
    return data[:at] + by + data[at + len(by) :]


def another_checksum(data: bytes, name: str) -> bytes:
    *_, entry, _ = member_of(data, name)
    return changed(data, entry + 16, bytes(255 - byte for byte in data[entry + 16 : entry + 20]))


def no_deflated_bytes(data: bytes, name: str) -> bytes:
    return changed(data, member_of(data, name)[1], b"\xff" * 4)


def no_header(data: bytes, name: str) -> bytes:
    return changed(data, member_of(data, name)[0], b"XXXX")


def unknown_method(data: bytes, name: str) -> bytes:
    header, _, entry, _ = member_of(data, name)
    return changed(changed(data, entry + 10, b"\x63"), header + 8, b"\x63")


def packed_again(data: bytes, name: str, method: int, change: Callable[[bytes], bytes] = bytes) -> bytes:
    """The archive with its members packed another way, and one of them changed before."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", method) as new:
        for each in old.namelist():
            new.writestr(each, change(old.read(each)) if each == name else old.read(each))
    return stream.getvalue()


def stored_and_flipped(data: bytes, name: str) -> bytes:
    data = packed_again(data, name, zipfile.ZIP_STORED)
    _, start, _, size = member_of(data, name)
    return changed(data, start + size // 2, bytes([data[start + size // 2] ^ 1]))


def broken(method: int) -> Callable[[bytes, str], bytes]:
    def damaged(data: bytes, name: str) -> bytes:
        data = packed_again(data, name, method)
        _, start, _, size = member_of(data, name)
        return changed(data, start + size // 3, b"\xff" * (size // 3))

    return damaged


def cut_xml(data: bytes, name: str) -> bytes:
    return packed_again(data, name, zipfile.ZIP_DEFLATED, lambda content: content[: len(content) // 2])


@pytest.mark.parametrize("suffix", FILES)
@pytest.mark.parametrize(("damage", "said"), [
    (another_checksum, CHECKSUM), (no_deflated_bytes, BYTES), (no_header, CHECKSUM), (stored_and_flipped, CHECKSUM),
    (unknown_method, "is compressed in a way that is not read"), (broken(zipfile.ZIP_LZMA), "cannot be unpacked, its"),
    (broken(zipfile.ZIP_BZIP2), "cannot be unpacked, its"), (cut_xml, "is no XML that can be read"),
])  # fmt: skip
def test_the_member_that_is_damaged_is_named(suffix: str, damage: Callable[[bytes, str], bytes], said: str) -> None:
    data, name = FILES[suffix]
    if (suffix, damage) == (".epub", cut_xml):
        return  # a chapter is read as HTML, which is never broken
    with pytest.raises(UnreadableFile) as fault:
        list(read_text(damage(data, name), f"a{suffix}", suffix=suffix))
    beginning = "" if damage is unknown_method else "it is damaged or cut short: "
    assert fault.value.reason.startswith(f"{beginning}{name} {said}")


def with_shared_strings() -> bytes:
    """A workbook with a table of its texts, as Excel makes one."""
    kind, space = "application/vnd.openxmlformats-officedocument.spreadsheetml", "http://schemas.openxmlformats.org"
    part = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}.sharedStrings+xml"/></Types>'
    texts = "".join(f"<si><t>The boat of berth {n} is tied.</t></si>" for n in range(100))
    stream = io.BytesIO(packed_again(
        FILES[".xlsx"][0], "[Content_Types].xml", zipfile.ZIP_DEFLATED,
        lambda content: content.replace(b"</Types>", part.encode()),
    ))  # fmt: skip
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{space}/spreadsheetml/2006/main">{texts}</sst>')
    return stream.getvalue()


def test_a_workbook_with_a_table_of_its_texts_is_read() -> None:
    [document] = read_text(with_shared_strings(), "a.xlsx", suffix=".xlsx")
    assert "berth 99 | 99 | The boat is tied 99 times" in document.text


@pytest.mark.parametrize("name", ["xl/workbook.xml", "xl/styles.xml", "xl/sharedStrings.xml", "[Content_Types].xml"])
@pytest.mark.parametrize("damage", [another_checksum, no_deflated_bytes, no_header, cut_xml])
def test_any_part_of_a_workbook_that_is_damaged_is_named(name: str, damage: Callable[[bytes, str], bytes]) -> None:
    with pytest.raises(UnreadableFile) as fault:
        list(read_text(damage(with_shared_strings(), name), "a.xlsx", suffix=".xlsx"))
    assert fault.value.reason.startswith(f"it is damaged or cut short: {name} ")


def test_a_member_without_a_name_is_no_fault_of_the_reader() -> None:
    stream = io.BytesIO(xlsx({"Costs": ROWS}))
    with zipfile.ZipFile(stream) as archive:
        members = {name: archive.read(name) for name in archive.namelist() if name != "[Content_Types].xml"}
    broken = io.BytesIO()
    with zipfile.ZipFile(broken, "w") as archive:
        for name, data in {**members, "": b"words"}.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    with pytest.raises(UnreadableFile, match="it is damaged or cut short: no workbook that can be read"):
        list(read_text(broken.getvalue(), "file", suffix=".xlsx"))
