"""Questions of a Markdown FAQ that letters or bold type mark."""

import pytest

from searcher.readers import ReadOptions, read_text
from searcher.records import Document


def entries(text: str) -> list[tuple[str, str, int]]:
    """Question, answer and line of each entry."""
    items = list(read_text(text.encode(), "label", ReadOptions(faq="questions"), ".md"))
    found = [item for item in items if isinstance(item, Document)]
    return [(entry.text, entry.metadata["answer"], entry.first_line) for entry in found]


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("Q: {}", "A: {}"), ("**Q: {}**", "A: {}"), ("**Q:** {}", "**A:** {}"), ("Q. {}", "A. {}"), ("Q1: {}", "A1: {}"),
        ("Question 2: {}", "Answer: {}"), ("- Q: {}", "  - A: {}"), ("Frage: {}", "Antwort: {}"), ("P: {}", "R: {}"),
        ("**Q:** {}  ", "A:\n{}"),
    ],
)  # fmt: skip
def test_letters_mark_questions_and_answers(asked: str, answered: str) -> None:
    text = f"# FAQ\n\n{asked.format('When?')}\n{answered.format('Now.')}\n\nMore of it.\n\n{asked.format('Where')}\n\n{answered.format('Here.')}\n"
    second = text.split("\n").index(asked.format("Where")) + 1
    assert entries(text) == [("When?", "Now.\n\nMore of it.", 3), ("Where", "Here.", second)]


def test_marked_questions_stand_beside_headings_and_end_where_these_begin() -> None:
    text = "Q: One?\nA: 1\n```\nQ: code\n# code\n```\nQ: Two?\nA: 2\n\n## Three?\n\n3\n\nQ: Four?\nA: 4\n"
    assert entries(text) == [
        ("One?", "1\n```\nQ: code\n# code\n```", 1), ("Two?", "2", 7), ("Three?", "3", 10), ("Four?", "4", 14),
    ]  # fmt: skip


def test_letters_without_answers_mark_nothing() -> None:
    assert entries("## Which keys?\n\nQ: quits\n\nB: goes back\n") == [("Which keys?", "Q: quits\n\nB: goes back", 1)]


def test_lines_that_ask_in_bold_are_questions_where_nothing_else_asks() -> None:
    text = (
        "# Help\n\n**When?**\n\nNow.\n\n- item\n\n1. **Where?**\n   Here.\n\n**Not one**\n\n## More\n\n__Why?__\nSo.\n"
    )
    assert entries(text) == [("When?", "Now.\n\n- item", 3), ("Where?", "Here.\n\n**Not one**", 9), ("Why?", "So.", 16)]
    assert entries("## Who?\n\n**When?**\n\nNow.\n") == [("Who?", "**When?**\n\nNow.", 1)]


def test_a_tilde_defines_as_a_colon_does() -> None:
    assert entries("When?\n~ Now.\n\n~~~\n# code\n~~~\n")[0][:1] == ("When?",)
    assert entries("When?\n~ Now.\n") == [("When?", "Now.", 1)]
