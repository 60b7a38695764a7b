"""`plan`: what is printed is what the formulas give for what the model makes of so many documents."""

import json
from pathlib import Path

import pytest
from running import Run, one_line

from searcher import Embedder
from searcher.vectors.planning import Corpus, Machine, limits, needs

PLAN = ("plan", "--seconds", "0", "--memory", "64", "--disk", "1000")


def test_plan_prints_the_formulas_of_the_passages_that_the_model_makes(run: Run, tiny_bert: Path) -> None:
    line = (*PLAN, "-m", tiny_bert, "--documents", 10**9, "--tokens", 150, "--replicas", 1, "--json")
    plan = json.loads(run(*line).out)
    # Of 64 tokens of a passage two are [CLS] and [SEP]: 150 need three passages, of 50 each.
    assert (plan["passages"], plan["dimension"], plan["measured"]["tokens"]) == (3 * 10**9, 32, 52)
    rate = plan["measured"]["passages_per_second"]
    assert plan["embedding_hours"] == pytest.approx(3 * 10**9 / rate / 3600, rel=0.01)
    machine = Machine(64 * 10**9, 10**12, rate)
    corpus = Corpus(10**9, 3, 600, Embedder(tiny_bert).dimension)
    assert [(row["place"], row["type"], row["memory_bytes"], row["disk_bytes"], row["nodes"]) for row in plan["needs"]] == [
        (need.way.place, need.way.type, need.memory, need.disk, need.nodes) for need in needs(corpus, machine, replicas=1)
    ]  # fmt: skip
    first = {limit.why: limit.documents for limit in limits(corpus, machine)}["the disk is full"]
    assert {row["why"]: row["from_documents"] for row in plan["too_much_for_one_machine"]}["the disk is full"] == first


@pytest.mark.parametrize(
    ("tokens", "options", "passages"),
    [(1, [], 1), (62, [], 1), (63, [], 2), (124, [], 2), (125, [], 3), (124, ["--overlap", "4"], 3),
     (62, ["--overlap", "4"], 1), (28, ["--chunk-tokens", "16"], 2), (29, ["--chunk-tokens", "16"], 3)],
)  # fmt: skip
def test_a_document_has_as_many_passages_as_its_tokens_fill(
    run: Run, tiny_bert: Path, tokens: int, options: list[str], passages: int
) -> None:
    plan = json.loads(run(*PLAN, "-m", tiny_bert, "--documents", 7, "--tokens", tokens, *options, "--json").out)
    assert plan["passages"] == 7 * passages


def test_for_people_it_says_whether_one_machine_is_the_wrong_answer_and_all_that_is_assumed(
    run: Run, tiny_bert: Path
) -> None:
    few = run(*PLAN, "-m", tiny_bert, "--documents", 1000, "--tokens", 10)
    many = run(*PLAN, "-m", tiny_bert, "--documents", 10**12, "--tokens", 10)
    assert (few.code, few.err) == (0, "")
    assert "on one machine is not the wrong answer" in few.out
    assert "on one machine is the wrong answer" in many.out
    assert "1,000 documents of 10 tokens: 1,000 passages, vectors of 32 numbers" in few.out
    assert "memory and disk are filled to 70%" in few.out
    rows = [line.split("  ") for line in few.out.splitlines() if line.startswith(("one machine  ", "Milvus  "))]
    assert len(rows) == 7


@pytest.mark.parametrize("option", [["--documents", "0"], ["--tokens", "-3"], ["--tokens", "many"], ["--memory", "0"]])
def test_what_cannot_be_planned_is_told_in_a_line(run: Run, option: list[str]) -> None:
    one_line(run("plan", "--documents", 1, "--tokens", 1, *option), option[0], option[1], code=2)
