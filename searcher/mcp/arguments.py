"""What a tool takes, as models that are its schema and its check; what is wrong with an argument, in a line."""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from searcher.errors import BadValue, UnknownName

__all__ = ["Added", "Answered", "Assembled", "Fetched", "Listed", "Removed", "Searched", "checked"]

MOST_HITS, MOST_CHARACTERS, MOST_TOKENS, MOST_DOCUMENTS = 50, 20_000, 5_000, 200
MOST_TEXT = 1_000_000  # characters of a document that is added

Where = Annotated[str | None, Field(
    description="Only documents that fit a filter over their metadata, such as: lang = 'en' and year >= 2020",
)]  # fmt: skip
Mode = Annotated[Literal["dense", "keyword", "hybrid"], Field(
    description="dense: by meaning; keyword: by the question's words (BM25), for names and codes; hybrid: by both.",
)]  # fmt: skip
Include = Annotated[list[str], Field(description="Only files that one of these globs names: *.md, docs/**")]
Id = Annotated[str, Field(
    min_length=1, description="An id of search, context or list (document/17); or a path, the end of one, or a title.",
)]  # fmt: skip


class Arguments(BaseModel):
    """What every tool takes: only what it knows."""

    model_config = ConfigDict(extra="forbid", title="Arguments")


class Searched(Arguments):
    """Those of search."""

    query: str = Field(description="What to look for: a question or a description in plain words.")
    k: int = Field(5, ge=1, le=MOST_HITS, description="How many passages.")
    mode: Mode = "dense"
    where: Where = None
    include: Include = []
    max_characters: int = Field(1000, ge=1, le=MOST_CHARACTERS, description="Most characters of a passage.")


class Fetched(Arguments):
    """Those of fetch."""

    id: Id
    start: int = Field(0, ge=0, description="The character to begin with.")
    max_characters: int = Field(8000, ge=1, le=MOST_CHARACTERS, description="Most characters of the text.")


class Answered(Arguments):
    """Those of answer."""

    question: str = Field(description="The question, as somebody would ask it.")


class Assembled(Arguments):
    """Those of context."""

    question: str = Field(description="What the passages shall answer.")
    tokens: int = Field(2000, ge=1, le=MOST_TOKENS, description="Most tokens, as the index's model counts them.")
    mode: Mode = "dense"
    where: Where = None
    include: Include = []


class Listed(Arguments):
    """Those of list."""

    where: Where = None
    include: Include = []
    start: int = Field(0, ge=0, description="How many documents to pass over.")
    limit: int = Field(50, ge=1, le=MOST_DOCUMENTS, description="How many documents.")


class Added(Arguments):
    """Those of add."""

    id: str = Field(min_length=1, description="Your own name for the document; one of that id is replaced.")
    text: str = Field(max_length=MOST_TEXT, description="The whole text of the document.")
    metadata: dict[str, Any] = Field({}, description="What filters can ask for: names with texts, numbers, booleans.")


class Removed(Arguments):
    """Those of remove."""

    id: str = Field(min_length=1, description="An id of search or list (document/17), or the id given to add.")


A = TypeVar("A", bound=BaseModel)


def checked(tool: str, model: type[A], given: dict[str, Any]) -> A:
    """The arguments as a tool takes them. BadValue, naming the first that is wrong."""
    for name in given:
        if name not in model.model_fields:
            raise UnknownName(f"argument of {tool}", name, model.model_fields)
    try:
        return model.model_validate(given)
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        name = ".".join(map(str, first["loc"]))
        if first["type"] == "missing":
            raise BadValue(f"{tool} needs {name}: {model.model_fields[name].description}") from None
        good = first["msg"].replace("Input ", "it ", 1)
        raise BadValue(f"{name} is {first['input']!r:.60}; {good[0].lower()}{good[1:]}") from None
