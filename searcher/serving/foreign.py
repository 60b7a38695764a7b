"""The bodies that clients of other servers send; what we do not know in them is ignored."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from searcher.embedding import Kind
from searcher.serving.models import Integer

__all__ = ["Embedding", "Encoding", "Ids", "Ollama", "Reranking", "Tei", "Text"]

MOST_TEXTS = 2_048  # as many as OpenAI takes
MOST_CHARACTERS = 1_000_000

Text = Annotated[str, StringConstraints(max_length=MOST_CHARACTERS)]
Texts = Annotated[list[Text], Field(max_length=MOST_TEXTS)]
Ids = Annotated[list[Annotated[Integer, Field(ge=0, le=2**31)]], Field(min_length=1, max_length=100_000)]

# Of a text an embedding is asked for, of a search for it another, where the model tells them apart.
KINDS: dict[str, Kind] = {
    "query": "query", "search_query": "query", "passage": "passage", "document": "passage",
    "search_document": "passage",
}  # fmt: skip


class Foreign(BaseModel):
    """What another server's client sends; null is what it did not say."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _said(cls, given: Any) -> Any:
        return {name: value for name, value in given.items() if value is not None} if isinstance(given, dict) else given


class Embedding(Foreign):
    """OpenAI's: https://platform.openai.com/docs/api-reference/embeddings. input_type: "query" or "document"."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"model": "any", "input": ["a text", "another"]}]})

    input: Text | Texts | Ids | Annotated[list[Ids], Field(max_length=MOST_TEXTS)]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Integer | None = None
    input_type: str | None = None

    @property
    def texts(self) -> list[Any]:
        """Texts, or lists of token ids."""
        one = isinstance(self.input, str) or (bool(self.input) and isinstance(self.input[0], int))
        return [self.input] if one else list(self.input)

    @property
    def kind(self) -> Kind:
        """What the texts are."""
        return KINDS.get(self.input_type or "", "passage")


class Reranking(Foreign):
    """Cohere's and Jina's, with documents; TEI's, with texts."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"query": "boiler pressure", "documents": ["a text", "another"], "top_n": 1}]}
    )

    query: Annotated[str, StringConstraints(min_length=1, max_length=MOST_CHARACTERS)]
    documents: Annotated[list[Text | dict[str, Any]], Field(max_length=MOST_TEXTS)] | None = None
    texts: Texts | None = None
    top_n: Annotated[Integer, Field(ge=1)] | None = None
    return_documents: bool = False
    return_text: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> "Reranking":
        if self.documents is None and self.texts is None:
            raise ValueError("documents is missing: a list of texts")
        if self.documents is not None and self.texts is not None:
            raise ValueError("documents and texts are both given: one list is ordered")
        if any(not isinstance(_text(each), str) for each in self.documents or ()):
            raise ValueError("a document is a text, or an object with text")
        return self

    @property
    def given(self) -> list[str]:
        """The texts."""
        return [str(_text(each)) for each in (self.texts if self.documents is None else self.documents) or ()]


def _text(document: Any) -> Any:
    return document.get("text") if isinstance(document, dict) else document


class Encoding(Foreign):
    """bert-as-service's: http/__init__.py of its server."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"id": 123, "texts": ["a text", "another"], "is_tokenized": False}]}
    )

    texts: Annotated[list[Text | list[Text]], Field(min_length=1, max_length=MOST_TEXTS)]
    id: int | str | None = None
    is_tokenized: bool = False

    @model_validator(mode="after")
    def _as_it_says(self) -> "Encoding":
        if any(isinstance(text, list) != self.is_tokenized for text in self.texts):
            raise ValueError("with is_tokenized each text is a list of its tokens, and without it a text")
        return self

    @property
    def given(self) -> list[str]:
        """The texts; of tokens what they read."""
        return [text if isinstance(text, str) else " ".join(text).replace(" ##", "") for text in self.texts]


class Tei(Foreign):
    """text-embeddings-inference's. prompt_name: "query" or "passage"."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"inputs": ["a text", "another"]}]})

    inputs: Text | Texts
    prompt_name: str | None = None

    @property
    def texts(self) -> list[str]:
        """The texts."""
        return [self.inputs] if isinstance(self.inputs, str) else self.inputs

    @property
    def kind(self) -> Kind:
        """What the texts are."""
        return KINDS.get(self.prompt_name or "", "passage")


class Ollama(Foreign):
    """Ollama's; truncate false refuses a text that is too long."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"model": "any", "input": ["a text", "another"]}]})

    input: Text | Texts
    truncate: bool = True

    @property
    def texts(self) -> list[str]:
        """The texts."""
        return [self.input] if isinstance(self.input, str) else self.input
