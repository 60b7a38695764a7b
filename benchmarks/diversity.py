"""Does it help that hits are not all alike? MMR on HINT3: is a phrasing of the right answer among the first five hits?

Each phrasing is a passage, an answer has many. --mmr L trades relevance for unlikeness; the L of each bot is the one of
TRADES that finds most on the other bot, and the figure is of the bot itself, with the p of a paired randomisation test.
The last line is JSON.

    SEARCHER_DATA=data python benchmarks/diversity.py
"""

import json
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from common import data_folder, report

from searcher import Searcher
from searcher.evaluation.comparing import paired_test
from searcher.records import Document

BOTS = ("curekart", "sofmattress")
TRADES = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)
K = 5


def main() -> None:
    """Measure and print."""
    with TemporaryDirectory() as temporary:
        found = {name: measure(name, Path(temporary) / name) for name in BOTS}
    result = {}
    for name, other in (BOTS, BOTS[::-1]):
        trade = max(TRADES, key=lambda own: statistics.fmean(found[other][own]["right"]))
        plain, mmr = found[name][None], found[name][trade]
        result[name] = {
            "trade": trade, "questions": len(plain["right"]),
            "p": paired_test(mmr["right"], plain["right"]).p,
            **{f"{kind}, {way}": round(statistics.fmean(row[kind]), 4)
               for kind in ("right", "answers") for way, row in (("plain", plain), ("mmr", mmr))},
        }  # fmt: skip
        print(f"{name}: {result[name]}")
    report("diversity", {"k": K, "bots": result})


def measure(name: str, folder: Path) -> dict[float | None, dict[str, list[float]]]:
    """Of each trade (None: plain), for each question: is the right answer among the hits, how many answers are."""
    rows, asked = (lines(data_folder() / f"hint3-{name}" / file) for file in ("phrasings.jsonl", "queries.jsonl"))
    asked = [row for row in asked if row["answer"] is not None]
    found: dict[float | None, dict[str, list[float]]] = {}
    with Searcher(folder) as searcher:
        searcher.add_documents(Document(str(i), row["question"], id=str(i)) for i, row in enumerate(rows))
        for trade in (None, *TRADES):
            own: dict[str, list[float]] = {"right": [], "answers": []}
            for row, hits in zip(asked, searcher.search([row["text"] for row in asked], K, mmr=trade), strict=True):
                answers = {rows[int(hit.id)]["answer"] for hit in hits}
                own["right"].append(float(row["answer"] in answers))
                own["answers"].append(float(len(answers)))
            found[trade] = own
            print(
                f"{name}, mmr {trade}: { ({key: round(statistics.fmean(values), 4) for key, values in own.items()}) }"
            )
    return found


def lines(file: Path) -> list[dict[str, Any]]:
    """The objects of a JSONL file."""
    with file.open(encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


if __name__ == "__main__":
    main()
