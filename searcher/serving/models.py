"""The bodies of requests: what may be asked, with its bounds and an example of each."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

__all__ = [
    "Adding",
    "Answering",
    "Changing",
    "Contexting",
    "Hits",
    "Keeping",
    "Mapping",
    "Question",
    "Questions",
    "Searching",
    "SearchingByAddress",
    "Shown",
]

MOST_HITS = 1_000
MOST_QUESTIONS = 64
MOST_CHARACTERS = 32_768
MOST_TOKENS = 100_000
MOST_DOCUMENTS = 1_000
ASKED = {"query", "q", "question", "stands"}  # what does not say which hits are wanted


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("input should be a number")
    return value


Integer = Annotated[int, BeforeValidator(_number)]
Question = Annotated[str, StringConstraints(min_length=1, max_length=MOST_CHARACTERS)]
Questions = Annotated[list[Question], Field(min_length=1, max_length=MOST_QUESTIONS)]
Short = Annotated[str, StringConstraints(min_length=1, max_length=4_096)]
Globs = Annotated[list[Short], Field(max_length=100)]
Whole = Annotated[Integer, Field(ge=1, le=MOST_HITS)]
Filter = Annotated[str, StringConstraints(max_length=MOST_CHARACTERS)]


class Body(BaseModel):
    """What is not known is an error, and so is NaN."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Hits(Body):
    """Which hits are wanted: as `Searcher.search` takes it."""

    k: Whole = 10
    where: Filter | dict[str, Any] | None = Field(None, description="A filter such as lang = 'en', or equalities.")
    mode: Literal["dense", "keyword", "hybrid"] = "dense"
    min_score: float | None = None
    include: Globs = Field([], description="Globs of files: only passages from these.")
    exclude: Globs = Field([], description="Globs of files: no passages from these.")
    # Never the name of another model: which models run here, whoever starts the server says.
    rerank: Literal["maxsim"] | None = None
    mmr: float | None = Field(None, ge=0, le=1, description="1 changes nothing; less: hits that are unlike each other.")
    per_document: Whole | None = None
    phrasings: bool = Field(False, description="A FAQ entry for each of its ways of asking, not once.")
    literal: bool = Field(False, description='"a phrase", -word and pre* are text like the rest.')
    exact: bool = False
    ef: Annotated[Integer, Field(ge=1, le=100_000)] | None = None
    nprobe: Annotated[Integer, Field(ge=1, le=100_000)] | None = None

    def how(self) -> dict[str, Any]:
        """What was said, as `Searcher.search` takes it."""
        return {name: getattr(self, name) for name in self.model_fields_set if name not in ASKED}


class Shown(Hits):
    """How they are shown."""

    highlight: bool = Field(False, description="Find the sentence of each passage that answers best.")
    whole: bool = Field(False, description="Documents in the place of passages.")
    vectors: bool = Field(False, description="The hits with their vectors.")
    stands: bool = Field(False, description="The hits with where they stand, in words: page 3; line 12.")


class Searching(Shown):
    """A question, or several."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"query": "when does the boiler go off?", "k": 5, "highlight": True},
                {"query": ["boiler pressure", "radiator noise"], "mode": "hybrid", "where": "year >= 2020"},
            ]
        },
    )

    query: Question | Questions | None = None
    vector: list[float] | list[list[float]] | None = Field(
        None, max_length=65_536, description="Vectors of the questions, where somebody else makes them."
    )


class SearchingByAddress(Shown):
    """A question in the address; each parameter as in the body of a POST."""

    q: Question
    where: Filter | None = None


class Mapping(Hits):
    """A question whose hits are put on a map, among so many neighbours."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"query": "boiler pressure", "k": 10, "neighbours": 60}]})

    query: Question
    neighbours: Annotated[Integer, Field(ge=0, le=500)] = 60


class Answering(Body):
    """Questions for the FAQ."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"question": "how do I reset my password"}]})

    question: Question | Questions
    min_score: float | None = None
    min_probability: float | None = Field(None, ge=0, le=1)


class Contexting(Hits):
    """A question whose sources become one text for a language model."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"question": "what is my boiler code", "tokens": 1000}]})

    question: Question
    tokens: Annotated[Integer, Field(ge=1, le=MOST_TOKENS)] = 2_000
    k: Annotated[Integer, Field(ge=1, le=500)] | None = None  # type: ignore[assignment]


class Kept(Body):
    """A document: its text, and under which id."""

    text: str
    id: Short | None = Field(None, description="Yours; of a text without one it is made of what it holds.")
    metadata: dict[str, Any] | None = None
    payload: Any = Field(None, description="Any JSON: kept, given back, never looked into.")
    vector: list[float] | None = Field(None, description="In an index whose vectors are given.")


class Adding(Body):
    """Texts to be added; one whose id is there already replaces it, unless it is unchanged."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"texts": ["A valve that drips."], "ids": ["note-2"], "metadatas": [{"lang": "en"}]}]
        },
    )

    texts: Annotated[list[str], Field(min_length=1, max_length=MOST_DOCUMENTS)]
    ids: list[Short] | None = Field(None, description="Yours, one for each text; else they are made of what it holds.")
    metadatas: list[dict[str, Any] | None] | None = None


class Changing(Body):
    """What becomes of the metadata of some documents."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"where": "lang = 'en'", "changes": {"checked": True, "draft": None}}]},
    )

    where: Filter | dict[str, Any] | None = Field(description="Of which documents; null: of all.")
    changes: dict[str, Any] = Field(description="Key and new value; null takes a key out.")


class Keeping(Body):
    """Documents to be kept; one whose id is there replaces it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"documents": [{"id": "note-1", "text": "The boiler goes off.", "metadata": {"lang": "en"}}]}]
        },
    )

    documents: Annotated[list[Kept], Field(min_length=1, max_length=MOST_DOCUMENTS)]
    whole: bool = Field(False, description="Each text is one passage, however long.")
    exists: Literal["replace", "skip", "error"] = "replace"
