"""FAQ files of Markdown: headings in every spelling, fences, and what is left out is told."""

from pathlib import Path

import pytest

from searcher import Searcher
from searcher.readers import ReadOptions, read_text
from searcher.records import Document, Failure, Skipped


def entries(text: str) -> list[tuple[str, str, int]]:
    """(questions, answer, line) of each entry; nothing is left out."""
    found, told = both(text)
    assert told == []
    return found


def both(text: str) -> tuple[list[tuple[str, str, int]], list[Failure]]:
    items = list(read_text(text.encode(), "faq.md", ReadOptions(faq="questions"), ".md"))
    found = [item for item in items if isinstance(item, Document)]
    told = [item for item in items if isinstance(item, Failure)]
    return [(entry.text, entry.metadata["answer"], entry.first_line) for entry in found], told


SPELLINGS = [
    "## Can I pay later? {#pay-later}", "## Can I pay later? {#pay .faq key=value}", "## Can I pay later? {: #pay }",
    "## Can I pay later? ##", "## Can I *pay* `later`?", "## “Can I pay later?”", "## (Can I pay later?)", "## Can I pay later? 🤔",
    "Can I pay\nlater?\n----------", "## Can I [pay](x.md) later?  ", "   ## Can I pay later?", "## Can I pay later？",
]  # fmt: skip


@pytest.mark.parametrize("heading", SPELLINGS)
def test_a_heading_asks_however_it_is_spelt(heading: str) -> None:
    text = f"## Where is it?\n\nHere.\n\n{heading}\n\nYes.\n\n## When?\n\nNow.\n"
    first, [question, answer, line], last = entries(text)
    assert question.replace("？", "?").strip(" “”()🤔") == "Can I pay later?"
    assert (answer, line) == ("Yes.", 5)
    assert (first, last[0]) == (("Where is it?", "Here.", 1), "When?")


@pytest.mark.parametrize("heading", ["## ¿Cuánto cuesta", "## Πότε ανοίγει\u037e", "## Որտե՞ղ է", "## متى تفتحون؟"])
def test_questions_are_told_by_the_marks_of_their_script(heading: str) -> None:
    assert [question for question, _, _ in entries(f"# Chapter\n{heading}\n\nA.\n\n## Other\n### Deep\nB.\n")] == [
        heading.removeprefix("## "), "Other"
    ]  # fmt: skip


def test_what_names_a_heading_is_no_word_of_a_section_either() -> None:
    [page] = read_text(b"# Paying {#pay}\n\n## Using {braces}\n\n## Set {a, b}\n", "label", suffix=".md")
    assert isinstance(page, Document)
    assert [path for _, path in page.sections] == ["Paying", "Paying > Using {braces}", "Paying > Set {a, b}"]


def test_a_heading_beside_those_that_ask_needs_no_mark() -> None:
    text = "# Fragen\n\n## Wie öffne ich das Tor\nMit dem Schlüssel.\n\n## Kann ich später zahlen?\nJa.\n\n## Preise\n"
    assert entries(text) == [("Wie öffne ich das Tor", "Mit dem Schlüssel.", 3), ("Kann ich später zahlen?", "Ja.", 6)]


def test_a_chapter_is_no_entry_and_a_text_that_is_left_out_is_told() -> None:
    text = "# FAQ\n\nAll of it.\n\n## Paying\n\nIn crowns.\n\n### Can I pay later?\n\nYes.\n\n## Why?\n\nSo.\n\n# Imprint\n\nA. N.\n"
    found, told = both(text)
    assert found == [("Can I pay later?", "Yes.", 9), ("Why?", "So.", 13)]
    assert told == [Skipped("faq.md", "what stands under headings that do not ask: 'FAQ', 'Paying', 'Imprint'")]


def test_what_stands_under_a_heading_within_an_answer_is_not_left_out() -> None:
    assert entries("# How?\n\nSo.\n\n## Example\n\nThis one.\n") == [("How?", "So.\n\n## Example\n\nThis one.", 1)]


FENCES = [
    "```\n# No heading?\n: no answer\n```",
    "~~~ sh\n```\n: no\n~~~",
    "````\n```\nWhat?\n: no\n````",
    "```py\nif x:\n    y\n```",
]


@pytest.mark.parametrize("fence", FENCES)
def test_code_in_an_answer_is_whole_and_ends_nothing(fence: str) -> None:
    text = f"How?\n: Like this:\n{fence}\n\nWhere?\n: There.\n"
    assert entries(text) == [
        ("How?", f"Like this:\n{fence}", 1),
        ("Where?", "There.", text[: text.index("Where")].count("\n") + 1),
    ]
    assert entries(f"## How?\n\n{fence}\n\n## Where?\n\nThere.\n")[0][1] == fence


def test_code_in_an_indented_answer_keeps_the_form_it_has() -> None:
    text = "How?\n:   Like this:\n\n    ```py\n    if x:\n        y\n    ```\n\n    Then stop.\n\nWhere?\n: There.\n"
    assert entries(text)[0] == ("How?", "Like this:\n\n```py\nif x:\n    y\n```\n\nThen stop.", 1)


def test_code_of_one_line_between_fences_opens_none() -> None:
    text = (
        "How?\n: So.\n\n```ls -l``` is a command. What does it do?\n: It lists.\n\nWho?\n: ```me```\n\nWhen?\n: Now.\n"
    )
    assert [answer for _, answer, _ in entries(text)] == ["So.", "It lists.", "```me```", "Now."]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_only_line_endings_count_as_lines(newline: str) -> None:
    text = newline.join(["One\x0cpage\x0c", "and\u2028more.\x85", "", "How?", ": So.", "", "# Where?", "", "There."])
    assert [(question, line) for question, _, line in entries(text)] == [("How?", 4), ("Where?", 7)]


def test_what_is_left_out_is_in_the_report_and_the_file_is_unchanged_then(tiny_bert: Path, tmp_path: Path) -> None:
    file = tmp_path / "faq.md"
    file.write_text("# FAQ\n\nAll of it.\n\n## Why?\n\nSo.\n")
    with Searcher(tmp_path / "index", tiny_bert) as searcher:
        report = searcher.add_faq(file)
        assert (report.documents, report.failed) == (1, [])
        assert [item.reason for item in report.skipped] == ["what stands under headings that do not ask: 'FAQ'"]
        assert searcher.add_faq(file).unchanged == 1


LINKED = """Who [asks](u) this?
: A [person][b].

## How do I pay?

By [card](https://shop.example/a/long/address) or [bill][b]; see ![the form](form.png) and `[code](stays)`.

## What does `[x](y)` do?

It calls.

[b]: https://shop.example/bill
"""


def test_an_answer_is_embedded_without_the_targets_of_its_links_and_given_with_them() -> None:
    items = read_text(LINKED.encode(), "faq.md", ReadOptions(faq="answers"), ".md")
    found = {item.text: item.metadata["answer"] for item in items if isinstance(item, Document)}
    shown = "By card or bill; see the form and `[code](stays)`."
    written = LINKED.splitlines()[5]
    assert found[f"How do I pay?\nHow do I pay?\n{shown}"] == written
    assert found["Who asks this?\nWho asks this?\nA person."] == "A [person][b]."
    assert any(text.startswith("What does [x](y) do?\n") for text in found)  # code in a title is no link


LIST = "What is an IBAN?\n: A number.\n"
TERMS = "Free\n: Nothing.\n\nPro\n: Five a month.\n"


@pytest.mark.parametrize(("text", "expected"), [
    (f"## How do I pay?\n\nBy card.\n\n{LIST}", [("How do I pay?", "By card.", 1), ("What is an IBAN?", "A number.", 5)]),
    (f"## How do I pay?\n\n{LIST}\n\nBy card.\n", [("How do I pay?", "By card.", 1), ("What is an IBAN?", "A number.", 3)]),
    (f"## How do I pay?\nBy card.\n\n{LIST}\nOr in cash.\n\n## When?\n\nNow.\n", [
        ("How do I pay?", "By card.\n\nOr in cash.", 1), ("What is an IBAN?", "A number.", 4), ("When?", "Now.", 9),
    ]),
    (f"## Which plans?\n\nThere are two:\n\n{TERMS}", [
        ("Which plans?", f"There are two:\n\n{TERMS.strip()}", 1), ("Free", "Nothing.", 5), ("Pro", "Five a month.", 8),
    ]),
    (f"## Which plans?\n\n{TERMS}\n## When?\n\nNow.\n", [
        ("Which plans?", TERMS.strip(), 1), ("Free", "Nothing.", 3), ("Pro", "Five a month.", 6), ("When?", "Now.", 9),
    ]),
    (f"## Any money?\n\n{LIST}\n## How do I pay?\n\nBy card.\n", [
        ("What is an IBAN?", "A number.", 3), ("How do I pay?", "By card.", 6),
    ]),
    (f"## How to pay\n\nBy card.\n\n{TERMS}", [
        ("How to pay", f"By card.\n\n{TERMS.strip()}", 1), ("Free", "Nothing.", 5), ("Pro", "Five a month.", 8),
    ]),
    (f"## Plans\n\n{TERMS}", [("Free", "Nothing.", 3), ("Pro", "Five a month.", 6)]),
    (f"## Money\n\n{LIST}", [("What is an IBAN?", "A number.", 3)]),
    ("## How do I pay?\n\n: By card.\n", [("How do I pay?", ": By card.", 1)]),
    (f"## How?\n## In which way?\n\nSo.\n\n{LIST}", [("How?\nIn which way?", "So.", 1), ("What is an IBAN?", "A number.", 6)]),
])  # fmt: skip
def test_a_heading_keeps_its_own_answer_beside_a_definition_list(
    text: str, expected: list[tuple[str, str, int]]
) -> None:
    assert entries(text) == expected


def test_a_text_beside_a_definition_list_under_a_heading_that_does_not_ask_is_told() -> None:
    found, [told] = both(f"# Questions\n\nMany ask these.\n\n{LIST}")
    assert found == [("What is an IBAN?", "A number.", 5)]
    assert told.reason == "what stands under headings that do not ask: 'Questions'"
    found, told_too = both(f"# Words\n\n{LIST}\n# Asked\n\n## How?\n\nSo.\n")
    assert [question for question, *_ in found] == ["What is an IBAN?", "How?"] and told_too == []
