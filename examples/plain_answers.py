"""Answers with sources, without a framework: searcher finds, any function from a prompt to a text answers.

    pip install 'searcher[model]'
    python examples/plain_answers.py "What does the attention mask do?"

Put your own model in the place of the fake one, which only repeats the first source that it is given.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from searcher import Searcher

SAMPLES = Path(__file__).parents[1] / "index_data" / "samples"


def first_source(prompt: str) -> str:
    """Says what the first source says, as a model would that is asked to."""
    return prompt.split("\n\n[1] ")[1].split("\n\n[2] ")[0].split("\n", 1)[1] + " [1]"


def answer(searcher: Searcher, question: str, model: Callable[[str], str], tokens: int = 1000) -> tuple[str, list[str]]:
    """What a model says to a question, and the sources that it names."""
    found = searcher.context(question, tokens)
    said = model(f"Answer from these sources, and name the numbers you use.\n\n{found.text}\n\nQuestion: {question}")
    return said, [each.head for each in found.citations if f"[{each.number}]" in said]


def main() -> None:
    """Index the samples and answer a question."""
    question = " ".join(sys.argv[1:]) or "What does the attention mask do?"
    with tempfile.TemporaryDirectory() as folder, Searcher(folder) as searcher:
        searcher.add(SAMPLES)
        said, sources = answer(searcher, question, first_source)
    print(said, *sources, sep="\n")


if __name__ == "__main__":
    main()
