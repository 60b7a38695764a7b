"""Which reader takes which kind of file: READERS, by the ending of its name.

An `Apart` is a parser that runs in a process of its own, and whose libraries are loaded there only.
"""

from searcher.readers.apart import Apart
from searcher.readers.databases import read_database
from searcher.readers.html import read_html
from searcher.readers.json_files import read_json
from searcher.readers.latex import read_latex
from searcher.readers.markdown import read_markdown, read_mdx
from searcher.readers.notebooks import read_notebook
from searcher.readers.plain import read_plain, read_rst
from searcher.readers.raw import Reader
from searcher.readers.subtitles import read_subtitles
from searcher.readers.tables import read_csv, read_jsonl, read_tsv

__all__ = ["READERS", "UNSUPPORTED"]

KINDS: dict[str, Reader] = {
    ".csv": read_csv,
    ".db .db3 .sqlite .sqlite3": read_database,
    ".docx .docm .dotx": Apart("docx:read_docx", ("lxml",)),
    ".eml .emlx": Apart("mail:read_eml", ("lxml",)),
    ".epub": Apart("epub:read_epub", ("lxml",)),
    ".fodp .fods .fodt": Apart("odf:read_flat_odf", ("lxml",)),
    ".gz": Apart("packed:read_gzip"),
    ".htm .html .xhtml": read_html,
    ".ipynb": read_notebook,
    ".json": read_json,
    ".jsonl .ndjson": read_jsonl,
    ".markdown .md": read_markdown,
    ".mbox .mbx": Apart("mail:read_mbox", ("lxml",)),
    ".mdx": read_mdx,
    ".msg": Apart("msg:read_msg", ("oxmsg",)),
    ".odp .ods .odt .ott": Apart("odf:read_odf", ("lxml",)),
    ".pdf": Apart("pdf:read_pdf", ("pypdfium2",)),
    ".potx .ppsx .pptm .pptx": Apart("pptx:read_pptx", ("lxml",)),
    ".rst": read_rst,
    ".rtf": Apart("rtf:read_rtf"),
    ".srt .vtt": read_subtitles,
    ".tex .ltx": read_latex,
    ".tsv": read_tsv,
    ".txt": read_plain,
    ".xlsm .xlsx .xltx": Apart("xlsx:read_xlsx", ("openpyxl",)),
}
READERS = {suffix: reader for suffixes, reader in KINDS.items() for suffix in suffixes.split()}
# Known kinds of document that no reader takes yet; any other suffix is read as plain text if it is text.
UNSUPPORTED = {".doc": "Word", ".ppt": "PowerPoint", ".xls": "Excel"}
