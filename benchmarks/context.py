"""Are answers found better where title and headings are embedded in front of each passage?

    SEARCHER_DATA=… python benchmarks/context.py [--sets scifact cranfield]

Sets with judgements, whose documents begin with their title: nDCG@10 with and without, with the paired randomisation
test of `eval --compare`. The Markdown and reST pages of `documents/`: MRR@10 of the section meant, for questions that
were written to passages drawn at random before anything was asked (and ten to pages that were not drawn), and how many
sections came first. Dense and hybrid; tokens that were encoded more.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from common import data_folder, report

from searcher import Searcher
from searcher.evaluation import evaluated, read_dataset
from searcher.evaluation.comparing import across

# question, file, what the heading path holds
QUESTIONS = (
    ("how can an agent stop running after too many tool calls", "agent.mdx", "Parameters"),
    ("shrink extracted document text before sending it to an LLM while keeping important sentences", "kreuzbergconverter.mdx", "Token Reduction"),
    ("trace haystack pipelines in mlflow", "mlflow.mdx", ""),
    ("how do I insert a single row with the JSON write API", "json_api.rst", "Inserting rows"),
    ("hide a table from the list of tables", "configuration.rst", "hidden"),
    ("docker command to start elasticsearch for the hybrid retriever", "elasticsearchhybridretriever.mdx", "Installation"),
    ("deploy datasette to google cloud run with a branch from github", "cli-reference.rst", "cloudrun"),
    ("azure text embedder endpoint and api key", "azureopenaitextembedder.mdx", "Overview"),
    ("set the api key for mem0", "mem0memorywriter.mdx", ""),
    ("my plugin command is not found when I use plugins-dir", "plugin_hooks.rst", "register_commands"),
    ("which fastembed components are supported on the enterprise platform", "platform-components.mdx", "FastEmbed"),
    ("vacuum a database from a plugin", "internals.rst", "execute_isolated_fn"),
    ("transcribe speech of an mp3 from a URL", "remotewhispertranscriber.mdx", ""),
    ("which models does the Together AI generator support", "togetheraigenerator.mdx", "Overview"),
    ("local or proprietary model: what should I pick for generation", "choosing-the-right-generator.mdx", ""),
    ("reader returns an answer without text, what does no_answer mean", "transformersextractivereader.mdx", "Overview"),
    ("pages that list saved queries of every database", "pages.rst", "Queries"),
    ("filter stored queries by the actor's permissions in python", 'internals.rst', 'list_queries'),
    ("turn each page of a pdf into an image", "pdftoimagecontent.mdx", ""),
    ("create a tool out of a function of a library that I cannot decorate", "tool.mdx", "create_tool_from_function"),
    ("how often do major releases of haystack break the API", "breaking-change-policy.mdx", "Versioning"),
    ("combine results of two retrievers that found the same document with different scores", "documentjoiner.mdx", ""),
    ("use Model Context Protocol servers as tools", "mcptool.mdx", ""),
    ("OPENAI_API_KEY needed for the context relevance evaluator", "contextrelevanceevaluator.mdx", "Parameters"),
    ("which llm drives the advanced rag agent loop", "advanced-rag-agent.mdx", "Models and prompt"),
    ("send traces to datadog", "datadog.mdx", ""),
    ("remove repeated headers and footers from documents yaml", "documentcleaner.mdx", ""),
    ("gated model token for sentence transformers document embedder", "sentencetransformersdocumentembedder.mdx", "Authentication"),
    ("property with all connected databases", "internals.rst", ".databases"),
    ("turn on tracing without auto enabling it", "tracing.mdx", "Enabling and Disabling Tracing"),
    ("split documents into chunks of a maximum number of words recursively", "recursivesplitter.mdx", ""),
    ("next page of results variable in the table template", "template_context.rst", "Table page"),
    ("which gemini sdk is deprecated", "googleaigeminichatgenerator.mdx", ""),
    ("run amazon bedrock ranker environment variables", "amazonbedrockranker.mdx", ""),
    ("generate a hypothetical document to improve retrieval", "hypothetical-document-embeddings-hyde.mdx", ""),
    ("evaluate retrieval with mean average precision", "documentmapevaluator.mdx", ""),
    ("install the optimum text embedder", "optimumtextembedder.mdx", "Usage"),
    ("call a REST api from an openapi spec with an llm", "openapiconnector.mdx", "Usage"),
    ("stream answers with the transformers chat generator", "transformerschatgenerator.mdx", ""),
    ("opensearch docker run port", "opensearchembeddingretriever.mdx", "Setup and installation"),
    ("plugins may implement more than one hook", "plugin_hooks.rst", ""),
    ("how do I set a size limit on csv exports", "csv_export.rst", ""),
    ("enable full text search on a table", "full_text_search.rst", ""),
    ("log in as root user with a link", "authentication.rst", ""),
    ("maximum sql time limit setting", "settings.rst", "sql_time_limit_ms"),
    ("change the port that datasette listens on", "cli-reference.rst", "serve"),
    ("write a custom component with the component decorator", "custom-components.mdx", ""),
    ("serialize a pipeline to yaml", "serialization.mdx", ""),
    ("pgvector keyword retriever setup", "pgvectorkeywordretriever.mdx", ""),
    ("weaviate hybrid search alpha", "weaviatehybridretriever.mdx", ""),
    ("async pipelines run components concurrently", "pipelines.mdx", ""),
)  # fmt: skip
MODES = ("dense", "hybrid")
DEPTH = 10


def pages(mode: str, searcher: Searcher) -> list[float]:
    """1 / rank of the first passage of the section meant, 0 beyond DEPTH, for every question."""
    found = searcher.search([question for question, _, _ in QUESTIONS], DEPTH, mode=mode)
    return [
        next((1 / hit.rank for hit in hits if hit.source.endswith(f"/{file}") and part in (hit.section or "")), 0.0)
        for hits, (_, file, part) in zip(found, QUESTIONS, strict=True)
    ]


def said(name: str, mode: str, values: dict[bool, list[float]], **more: Any) -> dict[str, Any]:
    """One line of the table, printed, and for the report."""
    p = across([values[True]], [values[False]]).p
    means = {kept: 100 * statistics.mean(values[kept]) for kept in values}
    print(
        f"{name:10} {mode:7} without {means[False]:6.2f}  with {means[True]:6.2f}  p {p:.3f}  {more or ''}", flush=True
    )
    return {"without": round(means[False], 2), "with": round(means[True], 2), "p": round(p, 4), **more}


def main() -> None:
    """Index each set twice and ask."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="*", default=["scifact", "cranfield"])
    arguments = parser.parse_args()
    data, result, seconds = data_folder(), {}, {}
    with tempfile.TemporaryDirectory() as folder:
        own: dict[str, dict[bool, list[float]]] = {mode: {} for mode in MODES}
        for context in (False, True):
            with Searcher(Path(folder) / f"pages-{context}", context=context) as searcher:
                begun = time.perf_counter()
                searcher.add([data / "documents" / "markdown", data / "documents" / "rst"])
                seconds[context] = time.perf_counter() - begun
                for mode in MODES:
                    own[mode][context] = pages(mode, searcher)
        for mode in MODES:
            first = {f"first_{name}": own[mode][kept].count(1.0) for kept, name in ((False, "without"), (True, "with"))}
            result[f"pages {mode}"] = said("pages", mode, own[mode], questions=len(QUESTIONS), **first)
        for name in arguments.sets:
            dataset = read_dataset(data / name)
            for context in (False, True):
                with Searcher(Path(folder) / f"{name}-{context}", context=context) as searcher:
                    for mode in MODES:
                        own[mode][context] = evaluated(dataset, searcher, mode=mode).values["nDCG@10"]
            for mode in MODES:
                result[f"{name} {mode}"] = said(name, mode, own[mode])
    report("context", {**result, "seconds_ratio": round(seconds[True] / seconds[False], 3)})


if __name__ == "__main__":
    main()
