"""Clients of other servers get what they expect, with the vectors of this index's model."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from served import Server
from test_threats import problem

from searcher import Embedder

TEXTS = ["the river bank", "hello world", "money in the bank"]


@pytest.fixture(scope="module")
def embedder(tiny_bert: Path) -> Embedder:
    return Embedder(tiny_bert)


@pytest.fixture(scope="module")
def vectors(embedder: Embedder) -> np.ndarray:
    return embedder.embed(TEXTS)


def near(found: Any, expected: np.ndarray) -> None:
    np.testing.assert_allclose(np.asarray(found, np.float32), expected, atol=1e-5)


def of(reply: Any) -> list[Any]:
    assert reply.status == 200, reply.body
    return [each["embedding"] for each in reply.json["data"]]


def test_openais_own_client_gets_the_vectors_and_the_model(server: Server, vectors: np.ndarray) -> None:
    openai = pytest.importorskip("openai", reason="openai is not installed")
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        near([each.embedding for each in client.embeddings.create(model="any", input=TEXTS).data], vectors)
        near(
            client.embeddings.create(model="any", input=TEXTS[0], encoding_format="float").data[0].embedding, vectors[0]
        )
        assert client.models.retrieve(client.models.list().data[0].id).owned_by == "searcher"
        with pytest.raises(openai.UnprocessableEntityError, match=r"dimensions 8: the vectors of .* have 32 numbers"):
            client.embeddings.create(model="any", input="a", dimensions=8)
        with pytest.raises(openai.UnprocessableEntityError, match="check_embedding_ctx_length=False") as caught:
            client.embeddings.create(model="any", input=[[15339, 1917]])
        assert caught.value.type == "BadValue"


def test_langchains_embeddings_are_the_librarys_or_say_which_switch_makes_them_so(
    server: Server, vectors: np.ndarray
) -> None:
    langchain = pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")
    how = {"base_url": f"{server.url}/v1", "api_key": "none", "max_retries": 0}
    own = langchain.OpenAIEmbeddings(**how, check_embedding_ctx_length=False)
    near(own.embed_documents(TEXTS), vectors)
    near(own.embed_query(TEXTS[0]), vectors[0])


def test_embeddings_of_a_text_several_and_ids_are_the_librarys(
    server: Server, embedder: Embedder, vectors: np.ndarray
) -> None:
    ids = [list(sequence.ids) for sequence, _ in embedder.sequences(TEXTS)]
    near(of(server.post("/v1/embeddings", {"input": TEXTS[0]})), vectors[:1])
    near(
        of(server.post("/v1/embeddings", {"input": TEXTS, "user": "x", "dimensions": 32, "model": "evil/model"})),
        vectors,
    )
    near(of(server.post("/v1/embeddings", {"input": ids[0]})), vectors[:1])
    near(of(server.post("/v1/embeddings", {"input": ids})), vectors)
    coded = of(server.post("/v1/embeddings", {"input": TEXTS, "encoding_format": "base64"}))
    near([np.frombuffer(base64.b64decode(each), "<f4") for each in coded], vectors)
    usage = server.post("/v1/embeddings", {"input": TEXTS}).json["usage"]
    assert usage == {"prompt_tokens": sum(map(len, ids)), "total_tokens": sum(map(len, ids))}


@pytest.mark.parametrize(
    "ids",
    [
        [15339, 1917],
        [2],
        [2, 3],
        [3, 40, 2],
        [40],
        [2, 40, 41],
        [2, 10**9, 3],
        [2, -1, 3],
        [2, *[40] * 90, 3],
        [[2, 40, 3], [40]],
    ],
)
def test_ids_of_another_tokenizer_are_refused(server: Server, ids: Any) -> None:
    problem(server.post("/v1/embeddings", {"input": ids}), 422)


@pytest.mark.parametrize("body", [{}, {"input": 3}, {"input": None}, {"input": ["a", 3]}, {"input": {"a": 1}}, {"input": ["a"] * 3000},
                                  {"input": "a", "encoding_format": "int8"}, {"input": "a", "dimensions": "many"}])  # fmt: skip
def test_what_is_no_input_is_told(server: Server, body: Any) -> None:
    problem(server.post("/v1/embeddings", body), 422)


@pytest.mark.parametrize("path", ["/rerank", "/v1/rerank"])
def test_texts_are_ordered_by_their_cosine(server: Server, embedder: Embedder, vectors: np.ndarray, path: str) -> None:
    scores = vectors @ embedder.embed(["the bank"], "query")[0]
    order = np.argsort(-scores).tolist()
    found = server.post(path, {"query": "the bank", "documents": TEXTS, "model": "any"}).json["results"]
    assert [each["index"] for each in found] == order
    near([each["relevance_score"] for each in found], scores[order])
    told = server.post(
        path,
        {"query": "the bank", "documents": [{"text": text} for text in TEXTS], "top_n": 1, "return_documents": True},
    )
    [first] = told.json["results"]
    assert first["document"] == {"text": TEXTS[order[0]]}
    tei = server.post(path, {"query": "the bank", "texts": TEXTS, "return_text": True}).json
    assert [each["text"] for each in tei] == [TEXTS[n] for n in order]
    assert server.post(path, {"query": "the bank", "documents": []}).json["results"] == []
    problem(server.post(path, {"query": "the bank"}), 422, "documents")
    problem(server.post(path, {"query": "the bank", "documents": [{"title": "a"}]}), 422, "object with text")


def test_bert_as_services_client_gets_what_it_knows(server: Server, vectors: np.ndarray) -> None:
    found = server.post("/encode", {"id": 123, "texts": TEXTS, "is_tokenized": False}).json
    assert (found["id"], found["status"]) == (123, 200)
    near(found["result"], vectors)
    tokens = server.post("/encode", {"id": 1, "texts": [["the", "river", "bank"]], "is_tokenized": True}).json
    near(tokens["result"], vectors[:1])
    assert server.get("/status/server").json["max_seq_len"] == 64
    assert server.get("/status/client").json["status"] == 200
    problem(server.post("/encode", {"id": 1, "texts": [["the"]]}), 422, "is_tokenized")
    problem(server.post("/encode", {"id": 1, "texts": []}), 422)


def test_clients_of_tei_and_ollama_get_what_they_know(server: Server, vectors: np.ndarray) -> None:
    near(server.post("/embed", {"inputs": TEXTS, "normalize": True}).json, vectors)
    near(server.post("/embed", {"inputs": TEXTS[0]}).json, vectors[:1])
    found = server.post("/api/embed", {"model": "any", "input": TEXTS}).json
    near(found["embeddings"], vectors)
    assert found["total_duration"] > 0
    assert server.post("/api/embed", {"model": "any", "input": "hello " * 500}).status == 200
    problem(server.post("/api/embed", {"model": "any", "input": "hello " * 500, "truncate": False}), 422, "502 tokens")


def test_null_is_what_a_client_did_not_say(server: Server, vectors: np.ndarray) -> None:
    said = {"input": TEXTS, "encoding_format": None, "dimensions": None, "input_type": None}
    near(of(server.post("/v1/embeddings", said)), vectors)
    ranked = {"query": "the bank", "documents": TEXTS, "texts": None, "return_documents": None, "top_n": None}
    assert len(server.post("/v1/rerank", ranked).json["results"]) == len(TEXTS)
    near(server.post("/embed", {"inputs": TEXTS, "prompt_name": None}).json, vectors)
    near(server.post("/api/embed", {"input": TEXTS, "truncate": None}).json["embeddings"], vectors)
    problem(server.post("/v1/embeddings", {"input": None}), 422, "input: field required")
    both = {"query": "the bank", "documents": TEXTS, "texts": TEXTS}
    problem(server.post("/rerank", both), 422, "documents and texts are both given")
