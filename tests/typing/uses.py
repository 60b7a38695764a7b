"""How the library is used, right and wrong: type checkers read this file, nobody runs it.

A line with `# wrong` must be reported by every checker, and no other line may be.
"""

# ruff: noqa: B018, F841, T201

import io
from pathlib import Path
from typing import assert_type

import numpy as np
from numpy.typing import NDArray

import searcher
from searcher import (
    AddReport,
    Answer,
    BadValue,
    Document,
    Embedder,
    FilterError,
    IndexSettings,
    Mode,
    Passage,
    Searcher,
    SearcherError,
    Settings,
    SettingsMismatch,
    UnknownName,
    UnreadableFile,
)


def questions_alone_and_together(s: Searcher, mode: Mode, any_text: str) -> None:
    hits = s.search("how do I", 5)
    assert_type(hits, list[Passage])
    assert_type(s.search(any_text, mode=mode), list[Passage])
    assert_type(s.search("q", mode="hybrid", where={"lang": "en"}, mmr=0.5, highlight=True), list[Passage])
    assert_type(s.search("q", where="year >= 2020", include=["*.md"], exclude=("old/**",)), list[Passage])
    assert_type(s.search(["one", "two"], k=3), list[list[Passage]])
    assert_type(s.search(("one", "two"), mode="keyword", literal=True), list[list[Passage]])
    assert_type(s.search({"one", "two"}), list[list[Passage]])
    assert_type(s.search(text for text in ["one", "two"]), list[list[Passage]])
    assert_type(s.search(dict.fromkeys(["one"]).keys()), list[list[Passage]])
    for one in s.search(["one", "two"]):
        print(one[0].text)
    s.search("q", mode="hybird")  # wrong
    s.search("q", mode=any_text)  # wrong
    s.search("q", min_scroe=0.5)  # wrong
    s.search("q", k="5")  # wrong
    s.search("q", highlight="yes")  # wrong
    s.search("q", per_document="1")  # wrong
    s.search("q", 5, ["lang = 'en'"])  # wrong
    s.search(5)  # wrong
    s.search(None)  # wrong
    s.search([None])  # wrong
    s.search(["one", "two"])[0].text  # wrong
    s.serach("q")  # wrong


def vectors_alone_and_together(s: Searcher, array: NDArray[np.float32], numbers: list[float]) -> None:
    assert_type(s.search(numbers), list[Passage])
    assert_type(s.search((0.5, 0.5)), list[Passage])
    assert_type(s.search([numbers, numbers]), list[list[Passage]])
    assert_type(s.search([array, array]), list[list[Passage]])
    s.search(array)[0].text  # of how many dimensions it is, only running tells
    s.search(array)[0][0].text
    s.search(np.zeros((2, 3)), 5)[1][0].text
    s.search(array, mode="hybird")  # wrong
    s.search(numbers, rerank=True)  # wrong


def what_a_hit_has(hits: list[Passage]) -> None:
    hit = hits[0]
    assert_type(hit.text, str)
    assert_type(hit.score, float)
    assert_type(hit.source, str)
    assert_type(hit.title, str | None)
    assert_type((hit.start, hit.end, hit.line, hit.rank, hit.passage_id), tuple[int, int, int, int, int])
    if hit.highlight is not None:
        assert_type(hit.highlight.text, str)
    hit.metadata["lang"]
    hits[0].txet  # wrong
    hit.highlight.text  # wrong
    hit.text = "other"  # wrong
    hit.title.upper()  # wrong
    hit["text"]  # wrong


def answers(s: Searcher) -> None:
    assert_type(s.answer("how do I"), Answer | None)
    assert_type(s.answer(["how", "why"], min_score=0.3), list[Answer | None])
    found = s.answer("how", min_probability=0.9)
    if found is not None:
        assert_type(found.answer, str)
        assert_type(found.probability, float | None)
        found.anwser  # wrong
    s.answer("how").answer  # wrong
    s.answer("how", min_probabilty=0.9)  # wrong
    s.answer(["how"])[0].answer  # wrong
    s.faq.rank(["how"])
    s.faq.calibrate("labelled.csv")
    s.faq.calibrat()  # wrong
    s.faq.lint(alike="high")  # wrong


def settings_of_an_index(path: Path, name: str) -> None:
    s = Searcher("index_data", model="BAAI/bge-small-en-v1.5", pooling="cls", chunk_tokens=256, overlap=32)
    Searcher()
    Searcher(path, path, layers="-4:", combine="sum", special_tokens=False, prompts={"query": "query: "})
    Searcher(path, layers=[0, -1], truncate=True, device="cpu", dtype="bf16", torch_weights=True)
    with Searcher(path) as opened:
        assert_type(opened, Searcher)
    some: Settings = {"pooling": "max", "overlap": 16}
    Searcher("index_data", **some)
    assert_type(s.reindex(model=path, pooling="max", overlap=0), IndexSettings)
    s.reindex(index_type="hnsw", tune=True, recall=0.99)
    s.reindex(prompts={"passage": ""}, layers=-2)
    Searcher("index_data", overlop=3)  # wrong
    Searcher("index_data", overlap="3")  # wrong
    Searcher("index_data", combine="add")  # wrong
    Searcher("index_data", dtype="int4")  # wrong
    Searcher("index_data", prompts={"question": ""})  # wrong
    Searcher(5)  # wrong
    Searcher("index_data", device=0)  # wrong
    wrong: Settings = {"pooling": "max", "overlop": 16}  # wrong
    s.reindex(overlop=3)  # wrong
    s.reindex(truncate=True)  # wrong
    s.reindex(index="hnsw")  # wrong
    s.reindex(combine=name)  # wrong


def embedding(name: str) -> None:
    e = Embedder(name, pooling="mean", layers="-4:", combine="concat", normalize=True, max_seq_length=128)
    e.embed(["a text", ("a", "pair")], "query")
    assert_type(e.dimension, int)
    Embedder(name, poolling="mean")  # wrong
    Embedder(name, combine="add")  # wrong
    Embedder(name, dtype="fp16")  # wrong
    Embedder(name, "mean")  # wrong
    e.embed(["a text"], kind="question")  # wrong
    e.embed(5)  # wrong
    e.embedd(["a text"])  # wrong


def adding(s: Searcher, path: Path) -> None:
    report = s.add(["docs/", path], text_field="body", column_types={"code": "text"}, prune=True)
    assert_type(report, AddReport)
    s.add_texts(["one"], ids=["1"], metadatas=[{"lang": "en"}])
    s.add_documents([Document("label", "text", metadata={"year": 2020})])
    s.add(path, progress=lambda event, count: print(event, count))
    assert_type(s.remove(path), int)
    s.export(io.BytesIO(), "base64")
    assert_type(report.failed[0].reason, str)
    assert_type(s.document("docs/a.md").text, str)
    s.add(5)  # wrong
    s.add(path, prun=True)  # wrong
    s.add(path, column_types={"code": "integer"})  # wrong
    s.add_texts(["one"], ids=5)  # wrong
    s.add(path, progress=print("done"))  # wrong
    s.export(io.BytesIO(), "hex")  # wrong
    s.export("file.jsonl")  # wrong
    report.faild  # wrong
    Document("label")  # wrong


def errors(s: Searcher) -> None:
    try:
        s.search("q")
    except FilterError as fault:
        assert_type(fault.position, int)
    except UnknownName:
        pass
    except BadValue as fault:
        print(ValueError.__str__(fault))
    except SettingsMismatch as fault:
        assert_type(fault.setting, str)
    except UnreadableFile as fault:
        print(fault.reason, fault.raeson)  # wrong
    except searcher.IndexUnavailable:
        pass
    except SearcherError:
        pass
    searcher.Sercher("index_data")  # wrong
    raise searcher.DamagedIndx("index_data")  # wrong


def closer_looks(s: Searcher, hits: list[Passage]) -> None:
    assert_type(s.highlight("q", hits)[0], Passage)
    assert_type(s.highlight("q", hits)[:2][0], Passage)
    assert_type(s.similar("docs/a.md", k=3, where={"lang": "en"}), list[Passage])
    s.explain("q", hits, "hybrid", include=["*.md"])
    s.rank(["q"], 10, mode="hybrid", neighbours=False)
    s.context("q", 500, {"lang": "en"}, mode="hybrid", include=["*.md"], per_document=2)
    s.explain("q", hits, "hybird")  # wrong
    s.explain("q", hits, neighbours=False)  # wrong
    s.rank(["q"], 10, mode="hybird")  # wrong
    s.rank(["q"], 10, highlight=True)  # wrong
    s.context("q", mode="hybird")  # wrong
    s.context("q", highlight=True)  # wrong
    s.context("q", incldue=["*.md"])  # wrong
    s.similar("docs/a.md", where=5)  # wrong
