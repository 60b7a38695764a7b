"""What of each kind of file comes through, and how long does it take?

    SEARCHER_DATA=… python benchmarks/formats.py [--files]

Every file of documents/ and formats/ that is no Markdown, text or table is read. Word recall: of the words that stand in
the file's own XML, JSON or lines (found by patterns, without any of our readers: text elements of Office without what was
deleted, text of the pages of a book, of the body of OpenDocument, sources of cells, bodies of messages as Python's own
parser has them), each as often as it is there, the share that our text holds as often. PDF has a benchmark of its own.

--files: a line for each file: documents, passages of 256 tokens (no vector is made), seconds, or why it is not read.
"""

import argparse
import json
import re
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from email import message_from_bytes, policy
from html import unescape
from pathlib import Path
from statistics import mean
from zipfile import BadZipFile, ZipFile

from common import data_folder, report

from searcher import Searcher
from searcher.errors import SearcherError
from searcher.readers import read
from searcher.records import Document

WORD = re.compile(r"[^\W_]+")
DELETED = re.compile(r"<w:(del|moveFrom)\b[^>/]*>.*?</w:\1>", re.DOTALL)
FALLBACK = re.compile(r"<mc:Fallback>.*?</mc:Fallback>", re.DOTALL)
PARAGRAPH = re.compile(
    r"</(?:\w+:)?(?:p|tc|tr|table-cell|h|row|c|si)>|<(?:\w+:)?(?:br|tab|line-break)\b[^>]*/>|<text:p\b[^>]*>"
)
TAG = re.compile(r"<[^>]*>")
PLAIN = {".md", ".mdx", ".txt", ".rst", ".csv", ".html", ".pdf", ".json", ".jsonl"}


def members(path: Path, pattern: str) -> str:
    """All members of an archive whose names a pattern matches, one after the other."""
    try:
        with ZipFile(path) as archive:
            if sum(each.file_size for each in archive.infolist()) > 2**26:
                return ""
            names = [name for name in archive.namelist() if re.search(pattern, name)]
            return "\n".join(archive.read(name).decode("utf-8", "replace") for name in names)
    except BadZipFile:
        return ""


def elements(xml: str, tag: str) -> str:
    """The text of all elements of a name, a space where a paragraph ends."""
    xml = PARAGRAPH.sub("\0", FALLBACK.sub("", DELETED.sub("", xml)))
    pieces = re.findall(rf"<(?:\w+:)?{tag}(?:\s[^>]*)?>([^<]*)</(?:\w+:)?{tag}>|(\0)", xml)
    return unescape("".join(text or space for text, space in pieces)).replace("\0", " ")


def marked(xml: str, start: str, *without: str) -> str:
    """The text of everything in an element."""
    found = re.search(rf"<(?:\w+:)?{start}\b.*</(?:\w+:)?{start}>", xml, re.DOTALL)
    text = found[0] if found else ""
    for tag in without:
        text = re.sub(rf"<(?:\w+:)?{tag}\b[^>]*>.*?</(?:\w+:)?{tag}>", "", text, flags=re.DOTALL)
    return unescape(TAG.sub("", PARAGRAPH.sub(" ", text)))


def book(path: Path) -> str:
    """Pages that the spine of a book names."""
    spine = members(path, r"\.opf$")
    items = dict(
        (each[1], each[0]) if each[0] and not each[0].startswith("#") else ("", "")
        for each in (
            (re.search(r'href="([^"]*)"', item), re.search(r'\bid="([^"]*)"', item))
            for item in re.findall(r"<item\b[^>]*>", spine)
            if 'properties="nav"' not in item
        )
        if all(each)
        for each in [(each[0][1], each[1][1])]
    )
    pages = [items.get(key, "") for key in re.findall(r'<itemref\b[^>]*idref="([^"]*)"', spine)]
    text = ""
    for page in filter(None, pages):
        whole = members(path, re.escape(page.replace("%20", " ").rpartition("/")[2]) + "$")
        body = re.search(r"<body\b.*?</body>", whole, re.DOTALL)
        shown = re.sub(r"<(script|style|svg)\b.*?</\1>|<sup>.*?</sup>", "", body[0] if body else "", flags=re.DOTALL)
        text += unescape(re.sub(r"<[^>]*>", " ", shown)) + "\n"
    return text


def cells(path: Path) -> str:
    """Sources of a notebook."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    sheets = notebook.get("worksheets") or [notebook]
    return " ".join(
        "".join(cell.get("source", cell.get("input", ""))) for sheet in sheets for cell in sheet.get("cells", [])
    )


def message(path: Path) -> str:
    """Subject, sender and body, as Python's own parser has them."""
    if path.read_bytes()[:4] == b"\xd0\xcf\x11\xe0":
        return ""
    mail = message_from_bytes(path.read_bytes(), policy=policy.default)
    body = mail.get_body(("plain", "html"))
    return f"{mail['subject']} {mail['from']} {body.get_content() if body and body.get_content_type() == 'text/plain' else ''}"


def rtf(path: Path) -> str:
    """What striprtf makes of it, where that is installed."""
    try:
        from striprtf.striprtf import rtf_to_text
    except ImportError:
        return ""
    return (
        rtf_to_text(path.read_bytes().decode("latin-1"), errors="ignore")
        .encode("utf-16", "surrogatepass")
        .decode("utf-16", "replace")
    )


WORDS: dict[str, Callable[[Path], str]] = {
    ".docx": lambda path: elements(members(path, r"^word/(document|footnotes|endnotes)\.xml$"), "t"),
    ".pptx": lambda path: elements(members(path, r"^ppt/(slides/slide|charts/chart)\d+\.xml$"), "t"),
    ".xlsx": lambda path: elements(members(path, r"^xl/sharedStrings\.xml$"), "t"),
    ".odt": lambda path: marked(
        members(path, r"^content\.xml$"), "body", "tracked-changes", "note-citation", "annotation"
    ),
    ".epub": book,
    ".ipynb": cells,
    ".eml": message,
    ".msg": message,
    ".rtf": rtf,
    ".srt": lambda path: re.sub(r"^\d+\s*$|^.*-->.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE),
    ".vtt": lambda path: re.sub(
        r"^(WEBVTT.*|\d+\s*|.*-->.*)$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE
    ),
}


def recall(path: Path, text: str) -> float | None:
    """The share of the words of a file that a text holds; None where the file's words are not known."""
    if path.suffix not in WORDS:
        return None
    wanted = Counter(WORD.findall(WORDS[path.suffix](path).casefold()))
    held = Counter(WORD.findall(text.casefold()))
    return (wanted & held).total() / wanted.total() if wanted else None


def main() -> None:
    """Recall of each kind of file, and what became of every file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", action="store_true", help="a line for each file")
    show = parser.parse_args().files
    roots = [data_folder() / "documents", data_folder() / "formats"]
    files = sorted(path for root in roots for path in root.rglob("*.*") if path.is_file() and path.name != "SOURCES.md")
    searcher = Searcher(Path(tempfile.mkdtemp()) / "index")
    found: dict[str, list[float]] = defaultdict(list)
    seconds: dict[str, float] = defaultdict(float)
    unread: Counter[str] = Counter()
    for path in (path for path in files if path.suffix not in PLAIN or path.suffix == ".pdf"):
        begun = time.perf_counter()
        try:
            items = list(read(path))
        except SearcherError as fault:
            unread[path.suffix] += 1
            if show:
                print(f"{path.name[:48]:48} {fault.reason if hasattr(fault, 'reason') else fault}")
            continue
        taken = time.perf_counter() - begun
        seconds[path.suffix] += taken
        documents = [item for item in items if isinstance(item, Document)]
        share = recall(path, "\n".join(document.text for document in documents))
        if share is not None:
            found[path.suffix].append(share)
        if show:
            passages = searcher.add([path], dry_run=True).passages
            told = "; ".join(item.reason for item in items if not isinstance(item, Document))
            words = "" if share is None else f"{share:.3f}"
            print(
                f"{path.name[:48]:48} {len(documents):3} documents {passages:4} passages {taken:6.2f} s {words:5} {told}"
            )
    for suffix, shares in sorted(found.items()):
        print(
            f"{suffix:6} {len(shares):3} files, word recall mean {mean(shares):.3f}, worst {min(shares):.3f}, {seconds[suffix]:.2f} s"
        )
    result = {
        suffix: {"mean": round(mean(s), 4), "worst": round(min(s), 4), "files": len(s)}
        for suffix, s in sorted(found.items())
    }
    report("formats", {"recall": result, "unread": dict(unread)})


if __name__ == "__main__":
    main()
