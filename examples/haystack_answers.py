"""Answers with sources: searcher finds in a Haystack pipeline, a language model answers.

    pip install 'searcher[model,haystack]'
    python examples/haystack_answers.py "What does the attention mask do?"

Put your own chat generator in the place of the fake one, which only repeats the first source that it is given.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from haystack import Pipeline, component
from haystack.components.builders import PromptBuilder

from haystack_integrations.components.retrievers.searcher import SearcherHybridRetriever
from haystack_integrations.document_stores.searcher import SearcherDocumentStore

SAMPLES = Path(__file__).parents[1] / "index_data" / "samples"
PROMPT = """Answer from these sources only, and name the number of each that you use.
{% for document in documents %}
[{{ loop.index }}] {{ document.content }} {{ document.meta.answer }}
{% endfor %}
Question: {{ question }}"""


@component
class FirstSource:
    """Says what the first source says, as a model would that is asked to."""

    @component.output_types(replies=list[str])
    def run(self, prompt: str) -> dict[str, Any]:
        """The first source with its number."""
        return {"replies": [prompt.split("[1] ")[1].split("\n[2] ")[0].strip() + " [1]"]}


def pipeline(store: SearcherDocumentStore, model: Any) -> Pipeline:
    """Finds, asks the model."""
    made = Pipeline()
    made.add_component("retriever", SearcherHybridRetriever(store, top_k=3))
    made.add_component("prompt", PromptBuilder(PROMPT, required_variables=["documents", "question"]))
    made.add_component("model", model)
    made.connect("retriever.documents", "prompt.documents")
    made.connect("prompt.prompt", "model.prompt")
    return made


def main() -> None:
    """Index the samples and answer a question."""
    question = " ".join(sys.argv[1:]) or "What does the attention mask do?"
    with tempfile.TemporaryDirectory() as folder:
        store = SearcherDocumentStore(folder)
        store.searcher.add(SAMPLES)
        answers = pipeline(store, FirstSource()).run(
            {"retriever": {"query": question}, "prompt": {"question": question}}, include_outputs_from={"retriever"}
        )
        store.searcher.close()
    print(answers["model"]["replies"][0])
    print(f"[1] {answers['retriever']['documents'][0].meta['source']}")


if __name__ == "__main__":
    main()
