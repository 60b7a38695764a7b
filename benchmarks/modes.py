"""Which mode finds what a newcomer asks their own files, without an option: dense, keyword or hybrid?

    SEARCHER_DATA=… python benchmarks/modes.py [--folder DIR] [--without-titles]

Twenty questions to all of `documents/`, each with the files that answer it and a pattern of the words that do, written with the
files open and before keyword or hybrid search was asked; a hit is right if its file is one of them and its text holds the
pattern. Printed is the rank of each question's first right hit among ten in every mode, then how many have it first and among
three. --folder keeps the index; --without-titles embeds passages without title and headings in front. The last line is JSON.
"""

import argparse
import re
import tempfile
from pathlib import Path
from typing import NamedTuple

from common import data_folder, report

from searcher import Passage, Searcher

MODES = ("dense", "keyword", "hybrid")
FIRST = 3


class Asked(NamedTuple):
    """A question, parts of the sources that answer it, and a pattern of what such a passage says."""

    question: str
    sources: tuple[str, ...]
    pattern: str


QUESTIONS = (
    Asked("who is Sinthgunt", ("sinthgunt.",), "figure in Germanic|sister of the personified sun"),
    Asked("when did world war II begin", ("world_war_ii.md",), "1 September 1939"),
    Asked("which ground does Norwich City play at", ("norwich_city.txt",), "Carrow Road"),
    Asked("which galaxy did the star HIP 13044 come from", ("hip_13044_b.",), "Helmi stream|dwarf galaxy"),
    Asked("which methods of birth control are the most effective", ("birth_control.md",), "most effective methods"),
    Asked("how do I connect components in a Haystack pipeline", ("concepts/pipelines",), r"\.connect\("),
    Asked("how do I publish a database with datasette to Heroku", ("rst/datasette",), "publish heroku"),
    Asked("what do conflict-free replicated data types guarantee", ("replicated_data_types.pdf",), "[Ee]ventual|converge"),
    Asked("which programming language was the fastest for the growth model", ("economics_16_jun_2014.pdf",),
          r"C\+\+.*(faster|fastest)"),
    Asked("what is the SAL annotation language for", ("sal_2006.pdf",), "static analysis|meta-language"),
    Asked("why are addresses with at signs hideous", ("pike85hideous.pdf",), "[Hh]ideous|ugly|mail address"),
    Asked("what does the waste land say of April", ("wasteland.epub",), "cruellest"),
    Asked("what did Anna Pavlovna say about Genoa and Lucca", ("book_war_and_peace_1p.txt",), "Genoa and Lucca"),
    Asked("does datasette support CORS headers", ("rst/datasette",), r"--cors|_cors_headers|\bCORS\b"),
    Asked("how do I install Haystack", ("markdown/haystack",), "pip install haystack-ai"),
    Asked("what is consciousness", ("consciousness.html",), "awareness"),
    Asked("what is international emergency medicine", ("international_emergency_medicine.html",),
          "subspecialty of emergency medicine|international emergency medicine is"),
    Asked("how do I enable full-text search for a table in datasette", ("full_text_search.rst", "cli-reference.rst"),
          "enable-fts|Populate that FTS|CREATE VIRTUAL TABLE|fts_table"),
    Asked("how do I split documents before embedding them in Haystack", ("markdown/haystack",), "DocumentSplitter"),
    Asked("how much is due on the invoice", ("invoice_test.txt",), r"\$99\.99"),
)  # fmt: skip


def is_right(hit: Passage, asked: Asked) -> bool:
    """Whether a hit answers the question."""
    named = any(part in hit.source for part in asked.sources)
    return named and re.search(asked.pattern, " ".join(hit.text.split())) is not None


def rank(searcher: Searcher, asked: Asked, mode: str) -> int:
    """Of the first right hit among ten, 0 if there is none."""
    hits = searcher.search(asked.question, 10, mode=mode)
    return next((hit.rank for hit in hits if is_right(hit, asked)), 0)


def main() -> None:
    """Index, ask, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--without-titles", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        index = (given.folder or Path(temporary)) / "index"
        with Searcher(index, context=not given.without_titles) as searcher:
            searcher.add([data_folder() / "documents"])
            found = [[rank(searcher, asked, mode) for mode in MODES] for asked in QUESTIONS]
    for asked, own in zip(QUESTIONS, found, strict=True):
        print(*(f"{number or '-':>3}" for number in own), "", asked.question)
    rows = {}
    for mode, own in zip(MODES, zip(*found, strict=True), strict=True):
        rows[mode] = {"first": own.count(1), f"first_{FIRST}": sum(0 < number <= FIRST for number in own)}
        print(f"{mode}: {rows[mode]}")
    report("modes", {"questions": len(QUESTIONS), "titles": not given.without_titles, **rows})


if __name__ == "__main__":
    main()
