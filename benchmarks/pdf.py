"""What of a PDF comes through as a person reads it, and how long does a page take beside bare pypdfium2?

    SEARCHER_DATA=… python benchmarks/pdf.py [--rounds 5]

`documents-pdf-truth.json` of the data says what pages must hold, written from rendered pages before any extractor ran: a
line, words over a line end, a word that a hyphen cuts, ligatures, rows of tables, what comes first, text from right to
left, pages without text. White space of both is made one space; a string is there or not. Beside ours stands the text that
pypdfium2 gives for a page (`get_text_bounded`), as it is, and with its hyphens joined and its ligatures expanded.

Time is the processor's for all of a document, opening and closing it included, in this process: the least of the rounds, a
page; the ratio is the median over rounds.
"""

import argparse
import io
import json
import time
import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pypdfium2
from common import data_folder, ratios, report

from searcher.readers import ReadOptions
from searcher.readers.parsers.pdf import read_pdf
from searcher.readers.raw import Raw
from searcher.records import Document

Pages = dict[int, str]


def bare(data: bytes) -> Pages:
    """The text of each page as pypdfium2 gives it."""
    document = pypdfium2.PdfDocument(data)
    pages = {}
    for number, page in enumerate(document, 1):
        text = page.get_textpage()
        pages[number] = text.get_text_bounded()
        text.close()
        page.close()
    document.close()
    return pages


def cleaned(data: bytes) -> Pages:
    """The same with hyphens joined and ligatures expanded."""
    return {
        number: unicodedata.normalize("NFKC", text.replace("\x02", "").replace("\ufffe", ""))
        for number, text in bare(data).items()
    }


def ours(data: bytes) -> Pages:
    """The text of each page as an index would hold it."""
    document = next(read_pdf(Raw("file", io.BytesIO(data), len(data)), ReadOptions()))
    assert isinstance(document, Document)
    starts = [start for start, _ in document.places]
    ends = [*starts[1:], len(document.text)][: len(starts)]
    places = zip(document.places, ends, strict=True)  # pages without text have none
    return {place["page"]: document.text[start:end] for (start, place), end in places}


def holds(page: str, kind: str, texts: list[str]) -> bool:
    """Whether a page is as it must be."""
    page, wanted = one_line(page), [one_line(text) for text in texts]
    if kind == "empty":
        return not page
    at = [page.find(text) for text in wanted]
    return min(at) >= 0 and at == sorted(at)


def one_line(text: str) -> str:
    """The text with all white space made one space."""
    return " ".join(text.split())


def seconds(ways: dict[str, Callable[[bytes], Pages]], files: list[bytes], rounds: int) -> dict[str, list[float]]:
    """Processor time that one reading of all files took, in each round; one after the other."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, read in ways.items():
            begun = time.process_time()
            for data in files:
                read(data)
            taken[name].append(time.process_time() - begun)
    return taken


def main() -> None:
    """Both measures, a line for each kind of check and for each that fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    truth = json.loads((data_folder() / "documents-pdf-truth.json").read_text(encoding="utf-8"))
    folder = Path(data_folder() / "documents" / "pdf")
    files = {name: (folder / name).read_bytes() for name in truth}
    ways = {"bare": bare, "cleaned": cleaned, "searcher": ours}
    right: dict[str, Counter[str]] = {name: Counter() for name in ways}
    total = Counter(kind for checks in truth.values() for _, kind, *_ in checks)
    for file, checks in truth.items():
        for name, read in ways.items():
            pages = read(files[file])
            for page, kind, *texts in checks:
                if holds(pages.get(page, ""), kind, texts):
                    right[name][kind] += 1
                elif name == "searcher":
                    print(f"missed: {file}, page {page}, {kind}: {texts}")
    for kind in sorted(total):
        print(f"{kind:6}", "  ".join(f"{name} {right[name][kind]:2}" for name in ways), f"of {total[kind]}")
    pages = sum(len(bare(data)) for data in files.values())
    taken = seconds({"bare": bare, "searcher": ours}, list(files.values()), rounds)
    milliseconds = {name: 1000 * min(values) / pages for name, values in taken.items()}
    print(f"{pages} pages:", ", ".join(f"{name} {value:.2f} ms a page" for name, value in milliseconds.items()))
    result = {name: right[name].total() for name in ways} | {"checks": total.total(), "pages": pages}
    times = {f"{name} ms/page": round(value, 3) for name, value in milliseconds.items()}
    ratio = round(ratios(taken, "bare", "searcher")[0], 2)
    report("pdf", result | times | {"ratio": ratio})


if __name__ == "__main__":
    main()
