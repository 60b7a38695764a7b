"""What comes through of one document as different programs write it?

    python benchmarks/makers.py [--keep FOLDER]

One text with a title, headings, footnotes, lists within lists, a table, a formula, code, a quotation, links, hyphens and
letters of several scripts is made into files by every maker that is installed here: pandoc, LibreOffice, LaTeX, groff,
typst, WeasyPrint, ReportLab, docutils; LibreOffice also makes other kinds of what pandoc made. What is missing is said
and passed over. Each file is read, and measured against the text that it was made of:

- words: the share of its words that were read, each as often as it is there
- order: the share of its pairs of words, one after the other within a paragraph, an item, a row, a line of code or a note,
  that follow each other in what was read
- more: the share of what was read that is none of its words
- heads: the share of its headings that are sections

--keep: where the files are left to be looked at.
"""

import argparse
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from common import report

from searcher.errors import SearcherError
from searcher.readers import read
from searcher.records import HEADINGS, Document

WORD = re.compile(r"[^\W_]+")

PARAGRAPHS = [
    "The harbour officials filed an affidavit about the difficult traffic of the winter, when the coefficient of friction"
    " between hull and ice became sufficiently large to baffle every pilot.",
    "A well-known engineer described the breakwater as a self-sustaining structure; her state-of-the-art instruments recorded"
    " the oscillations of the mooring lines for seventeen consecutive months.",
    "Internationalization of the shipping regulations required extraordinary administrative responsibilities, and the"
    " representatives of the municipalities acknowledged the incomprehensibility of the previous correspondence.",
    "In the evening the ferrymen lit their lanterns, counted the barrels of herring and recited the names of the drowned, as"
    " their grandfathers had done before the lighthouse was electrified.",
    "Measurements at the northern quay gave a mean depth of 12.5 metres, with a standard deviation of 0.75 metres; the"
    " dredging therefore continued until the contractors exhausted their allowance.",
    "Neither the pamphlet nor the encyclopaedia mentions the collapse of the granary, although eyewitnesses remembered the"
    " thunderous noise and the cloud of flour that drifted across the marketplace.",
    "Subsequent generations of cartographers corrected the coastline, added the submerged reefs and abandoned the mythological"
    " islands that had embellished the earliest nautical charts.",
    "The parliamentary committee recommended an independent investigation, which established that the overloaded electricity"
    " transformers had contributed significantly to the catastrophe.",
]
NOTES = ["Barnacles grow on the northern side only.", "So says the almanac, which forgets the limpets."]
ITEMS = ["weigh the anchor", "hoist the foresail", "set the course"]
INNER = ["by the compass", "by the stars"]
ROWS = [["Quay", "Depth", "Width"], ["North", "12.5", "30"], ["South", "9.0", "24"]]
CODE = ["def moor(ship):", "    return tied(ship)"]
SCRIPTS = "Το λιμάνι είναι μεγάλο. Гавань тихая. Zażółć gęślą jaźń. Bến cảng rất rộng."
HEADS = ["Introduction", "Of soundings", "Results of the inquiry", "Conclusion"]


class Block(NamedTuple):
    """A part of the text. kind: h1, h2, p, ol, ul, table, code or quote. lines: what stands in it. note: below it."""

    kind: str
    lines: list[str]
    note: str = ""


def text() -> list[Block]:
    """All of it."""
    say = [Block("p", [paragraph]) for paragraph in PARAGRAPHS]
    return [
        Block("h1", [HEADS[0]]), say[0]._replace(note=NOTES[0]), *say[1:3],
        Block("h2", [HEADS[1]]), say[3], Block("ol", ITEMS), Block("ul", INNER), say[4],
        Block("table", [" | ".join(row) for row in ROWS]), Block("code", CODE), Block("quote", say[5].lines),
        Block("h1", [HEADS[2]]), say[6]._replace(note=NOTES[1]), *say[::-1], *say,
        Block("h1", [HEADS[3]]), Block("p", [SCRIPTS]), *say,
    ]  # fmt: skip


# -- the text as makers take it

MARKDOWN = {"h1": "# {}", "h2": "## {}", "ol": "1. {}", "ul": "- {}", "quote": "> {}", "code": "    {}"}


def markdown(blocks: Iterable[Block]) -> str:
    """As pandoc takes it."""
    pieces = ["---\ntitle: Of Harbours\n---"]
    for number, block in enumerate(blocks):
        if block.kind == "table":
            first, *rest = (f"| {line} |" for line in block.lines)
            pieces.append("\n".join([first, "|---" * 3 + "|", *rest]))
        else:
            lines = "\n".join(MARKDOWN.get(block.kind, "{}").format(line) for line in block.lines)
            pieces.append(f"{lines}[^{number}]\n\n[^{number}]: {block.note}" if block.note else lines)
    return "\n\n<!-- -->\n\n".join(pieces)


def typst_source(blocks: Iterable[Block]) -> str:
    """As typst takes it, in two columns."""
    marks = {"h1": "= {}", "h2": "== {}", "ol": "+ {}", "ul": "- {}"}
    pieces = ['#set page(paper: "a5", columns: 2)\n#set par(justify: true)\n#set text(lang: "en", size: 9pt)']
    for block in blocks:
        lines = "\n".join(marks.get(block.kind, "{}").format(line) for line in block.lines)
        cells = ", ".join(f"[{cell}]" for line in block.lines for cell in line.split(" | "))
        forms = {
            "table": f"#table(columns: 3, {cells})",
            "code": f"```\n{lines}\n```",
            "quote": f"#quote(block: true)[{lines}]",
        }
        pieces.append(forms.get(block.kind, lines) + (f"#footnote[{block.note}]" if block.note else ""))
    return "\n\n".join(pieces)


# -- makers: each gives the files that it made in a folder


def run(folder: Path, *command: str) -> None:
    """A program, silently."""
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)


def by_pandoc(folder: Path) -> Iterator[Path]:
    """Kinds that pandoc writes by itself."""
    (folder / "text.md").write_text(markdown(text()), encoding="utf-8")
    kinds = {
        "docx": "docx",
        "odt": "odt",
        "rtf": "rtf",
        "epub2": "2.epub",
        "epub3": "3.epub",
        "html5": "html",
        "rst": "rst",
    }
    for kind, suffix in kinds.items():
        run(folder, "pandoc", "-s", "text.md", "-t", kind, "-o", f"pandoc.{suffix}")
        yield folder / f"pandoc.{suffix}"


def by_libreoffice(folder: Path) -> Iterator[Path]:
    """What pandoc made, as LibreOffice writes it."""
    for suffix in ("docx", "odt", "rtf", "pdf"):
        source = "pandoc.odt" if suffix == "docx" else "pandoc.docx"
        run(folder, "soffice", "--headless", "--convert-to", suffix, "--outdir", "libreoffice", source)
        yield folder / "libreoffice" / f"pandoc.{suffix}"


def by_latex(folder: Path) -> Iterator[Path]:
    """In two columns; it has no fonts for every script."""
    blocks = [block for block in text() if block.lines != [SCRIPTS]]
    (folder / "latex.md").write_text(markdown(blocks), encoding="utf-8")
    options = ["-V", "classoption=twocolumn", "-V", "tables=false"]
    run(folder, "pandoc", "-s", "latex.md", "-t", "latex", "-o", "latex.tex", *options)
    source = (folder / "latex.tex").read_text(encoding="utf-8")  # longtable knows no columns
    source = re.sub(r"\\begin\{longtable\}\[\]", r"\\begin{tabular}", source).replace(
        r"\end{longtable}", r"\end{tabular}"
    )
    (folder / "latex.tex").write_text(source.replace("\\endhead\n", ""), encoding="utf-8")
    run(folder, "pdflatex", "-interaction=batchmode", "latex.tex")
    yield folder / "latex.pdf"


def by_groff(folder: Path) -> Iterator[Path]:
    """In two columns."""
    run(folder, "pandoc", "-s", "text.md", "-t", "ms", "-o", "groff.ms")
    source = (folder / "groff.ms").read_text(encoding="utf-8").replace(".LP\n", ".2C\n.LP\n", 1)
    (folder / "groff.ms").write_text(source, encoding="utf-8")
    with (folder / "groff.pdf").open("wb") as out:
        command = ["groff", "-t", "-ms", "-Tpdf", "-Kutf8", "groff.ms"]
        subprocess.run(command, cwd=folder, stdout=out, stderr=subprocess.DEVNULL, check=True, timeout=300)
    yield folder / "groff.pdf"


def by_typst(folder: Path) -> Iterator[Path]:
    """In two columns."""
    import typst

    (folder / "typst.typ").write_text(typst_source(text()), encoding="utf-8")
    typst.compile(str(folder / "typst.typ"), output=str(folder / "typst.pdf"))
    yield folder / "typst.pdf"


def by_weasyprint(folder: Path) -> Iterator[Path]:
    """Pandoc's page in three columns, under a running head."""
    import weasyprint

    style = (
        "@page { @top-left { content: 'Of Harbours' } @bottom-right { content: counter(page) } }"
        "body { columns: 3; text-align: justify; hyphens: auto; max-width: none; font-size: 9pt }"
    )
    page = weasyprint.HTML(filename=str(folder / "pandoc.html"))
    page.write_pdf(str(folder / "weasyprint.pdf"), stylesheets=[weasyprint.CSS(string=style)])
    yield folder / "weasyprint.pdf"


def by_docutils(folder: Path) -> Iterator[Path]:
    """Pandoc's reStructuredText as other kinds."""
    from docutils.core import publish_file

    for writer, suffix in (("html5", "html"), ("odt", "odt")):
        target = folder / f"docutils.{suffix}"
        options = {"report_level": 5, "halt_level": 5}
        publish_file(
            source_path=str(folder / "pandoc.rst"), destination_path=str(target), writer_name=writer,
            settings_overrides=options,
        )  # fmt: skip
        yield target


class Maker(NamedTuple):
    """Programs and packages that it needs, and what makes its files."""

    programs: str
    packages: str
    make: Callable[[Path], Iterator[Path]]


MAKERS = {
    "pandoc": Maker("pandoc", "", by_pandoc),
    "LibreOffice": Maker("pandoc soffice", "", by_libreoffice),
    "LaTeX": Maker("pandoc pdflatex", "", by_latex),
    "groff": Maker("pandoc groff gropdf", "", by_groff),
    "typst": Maker("", "typst", by_typst),
    "WeasyPrint": Maker("pandoc", "weasyprint", by_weasyprint),
    "docutils": Maker("pandoc", "docutils", by_docutils),
}


def missing(maker: Maker) -> list[str]:
    """What of its needs is not here."""
    programs = [name for name in maker.programs.split() if not shutil.which(name)]
    return programs + [name for name in maker.packages.split() if not find_spec(name)]


# -- measuring


class Score(NamedTuple):
    """Shares, as the head of this file says."""

    words: float
    order: float
    more: float
    heads: float


def words(line: str) -> list[str]:
    """Those of a line."""
    return WORD.findall(line.casefold())


def score(documents: Iterable[Document], blocks: Iterable[Block]) -> Score:
    """How well the documents of a file say the text."""
    lines = [line for block in blocks for line in [*block.lines, block.note]]
    wanted = Counter(word for line in lines for word in words(line))
    pairs = Counter(pair for line in lines for pair in pairwise(words(line)))
    found = list(documents)
    said = words("\n".join(document.text for document in found))
    held, held_pairs = Counter(said), Counter(pairwise(said))
    titles = {path.rpartition(HEADINGS)[2].lstrip("0123456789. ") for each in found for _, path in each.sections}
    return Score(
        (wanted & held).total() / wanted.total(), (pairs & held_pairs).total() / pairs.total(),
        1 - (wanted & held).total() / max(1, held.total()), sum(head in titles for head in HEADS) / len(HEADS),
    )  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, help="folder where the files are left")
    options = parser.parse_args()
    results: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        print(f"{'':32}{'words':>8}{'order':>8}{'more':>8}{'heads':>8}")
        for name, maker in MAKERS.items():
            if absent := missing(maker):
                print(f"{name}: not here ({', '.join(absent)})")
                continue
            try:
                for path in maker.make(folder):
                    label = f"{name} {path.name.removeprefix('pandoc.')}"
                    blocks = [block for block in text() if name != "LaTeX" or block.lines != [SCRIPTS]]
                    documents = [item for item in read(path) if isinstance(item, Document)]
                    result = score(documents, blocks)
                    print(f"{label:32}" + "".join(f"{share:8.3f}" for share in result))
                    results[label] = {field: round(share, 4) for field, share in result._asdict().items()}
            except (subprocess.SubprocessError, OSError, SearcherError) as fault:
                print(f"{name}: failed ({fault!s:.100})")
    worst = (
        {field: min(each[field] for each in results.values()) for field in ("words", "order", "heads")}
        if results
        else {}
    )
    report("makers", {"files": results, "worst": worst})


if __name__ == "__main__":
    main()
