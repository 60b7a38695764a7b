"""How many words of PDFs in Arabic, Persian and Hebrew are read, in their order, beside other readers?

    python benchmarks/right_to_left.py [--fonts "DejaVu Sans" "Liberation Serif"]

Chromium prints pages of `languages/` with numbers, Latin names and brackets put between their words, as paragraphs, in two
columns, justified and as a table, in each font. The words that were put in are those that must come out; right are those
in the longest parts that follow each other in both (difflib), after NFKC and without marks of direction. pypdf and
pdfminer.six are read in the same run where they are installed. Without Chromium there is nothing to read, and it says so.
"""

import argparse
import difflib
import html
import importlib.util
import io
import itertools
import random
import shutil
import subprocess
import tempfile
import unicodedata
from collections.abc import Callable
from pathlib import Path

from common import report

from searcher.readers import read_text
from searcher.records import Document

TEXTS = Path(__file__).parent / "languages"
AMONG = {
    "ar": ["2024", "12.5%", "1,250", "٢٠٢٣", "15/03/2024"],
    "fa": ["۱۴۰۲", "۱۲٫۵", "2024", "۱۲۳۴"],
    "he": ["2024", "50%", "1,250", "3.14", "15/03/2024"],
}
NAMES = ["Python", "Microsoft Word", "PDF 1.7", "Windows 11", "example.com", "e-mail", "Google (Alphabet)"]
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
FONTS = ["DejaVu Sans", "Liberation Serif", "Noto Naskh Arabic", "Noto Sans Arabic"]
EVERY = 6  # so many words stand between what is put among them
UNSEEN = dict.fromkeys(map(ord, "\u200c\u200e\u200f\xad"))


def words_of(text: str) -> list[str]:
    """Its words without what is not seen of them."""
    return unicodedata.normalize("NFKC", text).translate(UNSEEN).split()


def mixed(language: str, seed: int) -> list[str]:
    """Words of a text, with numbers, names and brackets among them."""
    made, chance = [], random.Random(seed)
    for at, word in enumerate((TEXTS / f"{language}.txt").read_text(encoding="utf-8").split()):
        made.append(f"({word})" if at % (4 * EVERY) == EVERY and word.isalpha() else word)
        if at % EVERY == EVERY - 1:
            made.append(chance.choice(chance.choice([AMONG[language], NAMES])))
    return made


def page(language: str, font: str) -> tuple[str, list[str]]:
    """A page of HTML and its words."""
    parts = [" ".join(mixed(language, seed)) for seed in range(3)]
    cells = mixed(language, 3)[:24]
    rows = [cells[at : at + 3] for at in range(0, len(cells), 3)]
    styles = zip(["", "columns: 2", "text-align: justify"], parts, strict=True)
    blocks = [f'<p style="{style}">{html.escape(part)}' for style, part in styles]
    table = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}' for cell in row)}" for row in rows)
    body = f"<!doctype html><meta charset=utf-8><body dir=rtl lang={language} style=\"font: 15px '{font}'\">"
    return f"{body}{''.join(blocks)}<table border=1>{table}</table>", words_of(" ".join([*parts, *cells]))


def printed(chromium: str, page: str) -> bytes:
    """The page as a PDF."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "page.html"), Path(folder, "page.pdf")
        source.write_text(page, encoding="utf-8")
        where = [f"--user-data-dir={folder}/user", f"--print-to-pdf={target}", str(source)]
        subprocess.run([chromium, *OPTIONS, *where], check=True, capture_output=True)
        return target.read_bytes()


def ours(data: bytes) -> str:
    """The text of a PDF as an index would hold it."""
    return "\n".join(item.text for item in read_text(data, "a.pdf", suffix=".pdf") if isinstance(item, Document))


def readers() -> dict[str, Callable[[bytes], str]]:
    """Ours, and the others that are installed."""
    made = {"searcher": ours}
    if importlib.util.find_spec("pypdf"):
        from pypdf import PdfReader

        made["pypdf"] = lambda data: "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)
    if importlib.util.find_spec("pdfminer"):
        from pdfminer.high_level import extract_text

        made["pdfminer.six"] = lambda data: extract_text(io.BytesIO(data))
    return made


def main() -> None:
    """Print the words that each reader got right of each page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fonts", nargs="+", default=FONTS)
    fonts = parser.parse_args().fonts
    chromium = shutil.which("chromium") or shutil.which("chromium-headless-shell") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("there is no Chromium to print pages with: install chromium")
    total, right = 0, dict.fromkeys(readers(), 0)
    for language, font in itertools.product(AMONG, fonts):
        source, wanted = page(language, font)
        data = printed(chromium, source)
        total += len(wanted)
        for name, text in readers().items():
            blocks = difflib.SequenceMatcher(None, wanted, words_of(text(data)), autojunk=False).get_matching_blocks()
            found = sum(block.size for block in blocks)
            right[name] += found
            print(f"{language}  {font:20}  {name:14} {found:5} of {len(wanted)}")
    report("right to left", {"words": total, "right": right, "fonts": fonts})


if __name__ == "__main__":
    main()
