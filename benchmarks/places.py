"""Are answers in files of every format found, and is the place that is said of them right?

    SEARCHER_DATA=… python benchmarks/places.py [--mode hybrid] [--show]

Thirty-three questions in our own words, written before they were asked, each with the file, words of the passage that
answers it, and where that passage begins as it was found in the opened file by other means (pypdfium2's pages, openpyxl's
sheets, the cells of the JSON, grep). Counted are passages found first and among the first three, and of those found how
many have that place. The index holds all of `formats/` and the PDFs, Word files
and EPUBs of `documents/`.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from common import data_folder, report

from searcher import Passage, Searcher
from searcher.places import said

FOLDERS = ("formats", "documents/pdf", "documents/docx", "documents/epub")
FIRST = 3


class Asked(NamedTuple):
    """A question, the end of the source that answers it, words of the passage, and its place (or line)."""

    question: str
    source: str
    words: str
    place: dict[str, Any]


QUESTIONS = (
    Asked("what does __out_ecount mean for a buffer", "sal_2006.pdf", "__out_ecount(n) means", {"page": 2}),
    Asked("a counter that never goes below zero", "replicated_data_types.pdf", "Non-negative Counter", {"page": 18}),
    Asked("a set where what was removed can never be added again", "replicated_data_types.pdf",
          "removed element can never be added again", {"page": 28}),
    Asked("number of grid points for capital", "economics_16_jun_2014.pdf", "17,820", {"page": 6}),
    Asked("why addresses with ! and @ together are ugly", "pike85hideous.pdf", "mail address world1!world2", {"page": 6}),
    Asked("which insurance must the consultant keep", "sample_contract.pdf", "the insurance herein", {"page": 4}),
    Asked("open source toolkit for deep learning on document images", "copy_protected.pdf", "publicly", {"page": 1}),
    Asked("how word processors use artificial intelligence", "multi_page.pdf", "artificial intelligence", {"page": 2}),
    Asked("corrosion of stainless steel with egg shell powder", "embedded_images_tables.pdf", "egg shell",
          {"page": 1, "label": "4"}),
    Asked("what to take along for a swim", "word_sample.docx", "sunglasses", {"line": 1}),
    Asked("how soon must a kindergarten report an illness", "textbox.docx", "48 hours", {"line": 1}),
    Asked("slide with a list of foo, bar and baz", "powerpoint_sample.pptx", "foo", {"slide": 2}),
    Asked("red green blue purple orange yellow", "fake-power-point-table.pptx", "Purple", {"slide": 1}),
    Asked("how many cups did the Maple Leafs win", "stanley-cups.xlsx", "TOR | 13", {"sheet": "Stanley Cups"}),
    Asked("who won the cup since 67", "stanley-cups.xlsx", "TOR | 0", {"sheet": "Stanley Cups Since 67"}),
    Asked("April is the cruellest month", "wasteland.epub", "cruellest", {"chapter": "I. THE BURIAL OF THE DEAD"}),
    Asked("the drowned Phoenician", "wasteland.epub", "a fortnight dead", {"chapter": "IV. DEATH BY WATER"}),
    Asked("when does the boat leave Rødby", "footnotes.epub", "06:00", {"chapter": "Chapter One"}),
    Asked("are equations shown in the book reader", "features.epub", "MathML", {"chapter": "MathML"}),
    Asked("when was the first spam sent", "mime-different-plain-html.eml", "spam", {"line": 1}),
    Asked("the firewall blocked an attachment", "mail_test_3.eml", "Firebox", {"line": 1}),
    Asked("Angebot für ein Netz mit 34 Mbit/s", "german_rfc822.msg", "34Mbit/s Netz", {"line": 30}),
    Asked("swap over NFS works well", "rlug.mbox#5", "swap", {"message": 5}),
    Asked("a message with attachments and little content", "fake-email-attachment.msg", "whitespace", {"line": 1}),
    Asked("which Mixtral model answers in the notebook", "rag_langchain.ipynb", "GEN_MODEL_ID =", {"cell": 8}),
    Asked("drop the login header when redirected to another host", "sessions.py", "whether Authorization header",
          {"name": "SessionRedirectMixin.get_redirect_target"}),
    Asked("append to a string with a printf format", "sds.c", "printf-alike", {"name": "sdscatprintf"}),
    Asked("sequence number of the clock in a UUID", "uuid-time.go", "returns the clock sequence", {"name": "UUID.Time"}),
    Asked("stop a queue until it is started again", "p-queue-index.ts", "pause()", {"name": "PQueue.start"}),
    Asked("close your eyes, Emo", "captions.en.vtt", "close your eyes", {"time": "00:05:41.156"}),
    Asked("final approach into Coruscant", "short.srt", "Coruscant", {"time": "00:02:17.400"}),
    Asked("which words were added to the sentence in the document", "trackedChanges.odt", "inserted", {"line": 1}),
    Asked("Suppe am Donnerstag", "Speiseplan_KW_32-33_Eybl.rtf", "Donnerstag", {}),
)  # fmt: skip


def is_right(hit: Passage, asked: Asked) -> bool:
    """Whether a hit is the passage meant."""
    return hit.source.endswith(asked.source) and asked.words in " ".join(hit.text.split())


def is_there(hit: Passage, asked: Asked) -> bool:
    """Whether its place is the one in the file."""
    place = {"line": hit.line} | (hit.place or {})
    return all(place.get(name) == value for name, value in asked.place.items())


def main() -> None:
    """Index, ask, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", default="hybrid", choices=("dense", "keyword", "hybrid"))
    parser.add_argument("--show", action="store_true", help="print what was found in the place of each")
    arguments = parser.parse_args()
    data, ranks, there = data_folder(), [], []
    with tempfile.TemporaryDirectory() as folder, Searcher(Path(folder) / "index") as searcher:
        added = searcher.add([data / name for name in FOLDERS])
        for asked in QUESTIONS:
            hits = searcher.search(asked.question, 10, mode=arguments.mode)
            found = next((hit for hit in hits if is_right(hit, asked)), None)
            ranks.append(found.rank if found else 0)
            if found:
                there.append(is_there(found, asked))
            best = found or hits[0]
            print(f"{ranks[-1] or '-':>2}  {'there' if found and there[-1] else '     '}  {asked.question}")
            print(f"    {Path(best.source).name}, {said(best.place or {}) or best.section or f'line {best.line}'}")
            if arguments.show:
                print("    " + " ".join(best.text.split())[:300])
    report("places", {
        "mode": arguments.mode, "passages": added.passages, "questions": len(QUESTIONS),
        "first": ranks.count(1), f"first_{FIRST}": sum(0 < rank <= FIRST for rank in ranks),
        "first_10": len(there), "places_right": sum(there),
    })  # fmt: skip


if __name__ == "__main__":
    main()
