"""Which reader takes which kind of file: KINDS and READERS, by the ending of its name; plugins add to them.

An `Apart` is a parser that runs in a process of its own, and whose libraries are loaded there only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from searcher.readers.apart import Apart, in_child
from searcher.readers.databases import read_database
from searcher.readers.html import read_html, read_xhtml
from searcher.readers.json_files import read_json
from searcher.readers.latex import read_latex
from searcher.readers.markdown import read_markdown, read_mdx
from searcher.readers.notebooks import read_notebook
from searcher.readers.plain import read_plain, read_rst
from searcher.readers.raw import OCR, Item, Part, Raw, Reader, ReadOptions
from searcher.readers.subtitles import read_ssa, read_subtitles
from searcher.readers.tables import read_csv, read_jsonl, read_tsv

__all__ = ["PLUGINS", "READERS", "UNSUPPORTED", "Format", "formats", "plugins"]

PLUGINS = "searcher.readers"  # entry points of this group are readers, each named by the ending that it reads


class Kind(NamedTuple):
    """Endings of names, what such files are called, and what reads them."""

    suffixes: str
    name: str
    reader: Reader


def _code(suffixes: str, name: str, language: str, grammar: str) -> Kind:
    """Source code, as text where its grammar is not installed."""
    needs = ("tree_sitter", f"tree_sitter_{grammar}")
    return Kind(suffixes, name, Apart(f"code:read_{language}", needs, "code", otherwise=read_plain))


KINDS = [
    Kind(".txt", "text", read_plain),
    Kind(".markdown .md", "Markdown", read_markdown),
    Kind(".mdx", "MDX", read_mdx),
    Kind(".rst", "reStructuredText", read_rst),
    Kind(".htm .html", "web page", read_html),
    Kind(".xhtml", "XHTML", read_xhtml),
    Kind(".pdf", "PDF", Apart("pdf:read_pdf", ("pypdfium2",))),
    Kind(
        ".bmp .jpeg .jpg .png .tif .tiff .webp", "picture", Apart("scans:read_picture", OCR, "ocr", asked="a picture")
    ),
    Kind(".docx .docm .dotx .dotm", "Word", Apart("docx:read_docx", ("lxml",))),
    Kind(".pptx .pptm .ppsx .ppsm .potx .potm", "PowerPoint", Apart("pptx:read_pptx", ("lxml",))),
    Kind(".xlsx .xlsm .xltx .xltm", "Excel", Apart("xlsx:read_xlsx", ("openpyxl",))),
    Kind(".odt .ods .odp .odg .ott .ots .otp .otg", "OpenDocument", Apart("odf:read_odf", ("lxml",))),
    Kind(".fodt .fods .fodp .fodg", "OpenDocument, flat", Apart("odf:read_flat_odf", ("lxml",))),
    Kind(".rtf", "RTF", Apart("rtf:read_rtf")),
    Kind(".epub", "EPUB", Apart("epub:read_epub", ("lxml",))),
    Kind(".tex .ltx", "LaTeX", read_latex),
    Kind(".eml .emlx", "mail", Apart("mail:read_eml", ("lxml",))),
    Kind(".mbox .mbx", "mailbox", Apart("mail:read_mbox", ("lxml",))),
    Kind(".msg", "Outlook", Apart("msg:read_msg", ("oxmsg",))),
    Kind(".ipynb", "Jupyter notebook", read_notebook),
    Kind(".srt .vtt", "subtitles", read_subtitles),
    Kind(".ass .ssa", "subtitles, SubStation Alpha", read_ssa),
    Kind(".csv", "CSV", read_csv),
    Kind(".tsv", "TSV", read_tsv),
    Kind(".jsonl .ndjson", "JSON Lines", read_jsonl),
    Kind(".json", "JSON", read_json),
    Kind(".parquet", "Parquet", Apart("parquet:read_parquet", ("pyarrow",), "parquet")),
    Kind(".db .db3 .sqlite .sqlite3", "SQLite", read_database),
    Kind(".gz", "any of these, compressed", Apart("packed:read_gzip")),
    _code(".bash .sh", "Bash", "bash", "bash"),
    _code(".c .h", "C", "c", "c"),
    _code(".cc .cpp .cxx .hh .hpp .hxx", "C++", "cpp", "cpp"),
    _code(".cs", "C#", "csharp", "c_sharp"),
    _code(".go", "Go", "go", "go"),
    _code(".java", "Java", "java", "java"),
    _code(".cjs .js .jsx .mjs", "JavaScript", "javascript", "javascript"),
    _code(".php", "PHP", "php", "php"),
    _code(".py .pyi", "Python", "python", "python"),
    _code(".rb", "Ruby", "ruby", "ruby"),
    _code(".rs", "Rust", "rust", "rust"),
    _code(".tsx", "TypeScript with JSX", "tsx", "typescript"),
    _code(".cts .mts .ts", "TypeScript", "typescript", "typescript"),
]
READERS = {suffix: kind.reader for kind in KINDS for suffix in kind.suffixes.split()}
# Known kinds of document that no reader takes yet; any other suffix is read as plain text if it is text.
UNSUPPORTED = {".doc": "Word", ".ppt": "PowerPoint", ".xls": "Excel", ".xlsb": "Excel, binary"}


# -- plugins


@dataclass(frozen=True)
class Plugin:
    """A reader that another package brings, named "package.module:function"; it runs where the parsers do."""

    name: str
    package: str

    def __call__(self, raw: Raw, options: ReadOptions) -> Iterator[Item | Part]:
        """What it reads."""
        return in_child(self.name, raw, options)


@cache
def plugins() -> dict[str, Plugin]:
    """Readers of other packages by the ending that they read; they come before ours."""
    from importlib.metadata import entry_points  # which a search does not need

    found = entry_points(group=PLUGINS)
    return {
        f".{point.name.lstrip('.').lower()}": Plugin(point.value, point.dist.name if point.dist else "?")
        for point in sorted(found, key=lambda point: (point.name, point.value))
    }


# -- what is read, for people


class Format(NamedTuple):
    """Endings of names, what such files are called, what reads them, and how to install what is missing for that.

    option: of those that are read only where it is given, its name.
    """

    suffixes: list[str]
    name: str
    reader: str
    missing: str
    option: str = ""


def formats() -> list[Format]:
    """All that is read, plugins first, and the known kinds that are not."""
    taken = plugins()
    found = [Format([suffix], "by a plugin", f"{own.package} ({own.name})", "") for suffix, own in taken.items()]
    for kind in KINDS:
        suffixes = [suffix for suffix in kind.suffixes.split() if suffix not in taken]
        reader = kind.reader
        needs = reader.needs if isinstance(reader, Apart) else ()
        missing = reader.advice if isinstance(reader, Apart) and reader.missing() else ""
        if missing and isinstance(reader, Apart) and reader.otherwise:
            missing = f"read as text; for its definitions: {missing}"
        option = reader.extra if isinstance(reader, Apart) and reader.asked else None
        if suffixes:
            found.append(Format(suffixes, kind.name, ", ".join(needs) or "searcher", missing, option or ""))
    return [
        *found,
        *(Format([suffix], name, "", "not read") for suffix, name in UNSUPPORTED.items() if suffix not in taken),
    ]
