"""What an index was made with: kept in the index, compared at every opening, so that unlike vectors never mix."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, cast

from searcher.embedding.embedder import Dtype, Embedder
from searcher.embedding.models import Model
from searcher.embedding.pooling import Combine
from searcher.errors import BadValue, SettingsMismatch
from searcher.system import kept_once
from searcher.text import Chunker

__all__ = ["IndexSettings"]


GIVEN = "given: "  # before the name of a model, where others have the digest of one


@dataclass(frozen=True)
class IndexSettings:
    """Everything that decides which passages there are and what their vectors are.

    model is a name for people; weights, tokenizer and architecture count, so that wheel, hub and folder agree. Of
    vectors that are given only the name of their model, in `weights` too, and their dimension mean anything.
    dtype is what bulk encoding had when the index was made, for people too: the same index opens under any.
    context: whether title and headings of a passage are embedded in front of it.
    """

    model: str
    weights: str
    tokenizer: str
    architecture: dict[str, Any]
    pooling: str
    layers: list[int]
    combine: str
    special_tokens: bool
    query_prompt: str
    passage_prompt: str
    pools_prompt: bool
    dimension: int
    chunk_tokens: int
    overlap: int
    truncate: bool = False
    dtype: str = "fp32"
    context: bool = False

    @classmethod
    def of(
        cls,
        embedder: Embedder,
        chunk_tokens: int | None = None,
        overlap: int = 0,
        truncate: bool = False,
        context: bool = False,
    ) -> "IndexSettings":
        """The settings of an index whose passages that embedder embeds."""
        model, pooling = embedder.model, embedder.pooling
        if pooling.per_token:
            raise BadValue("pooling 'none' gives a vector for each token; an index needs one for each passage")
        chunk_tokens = model.max_seq_length if chunk_tokens is None else chunk_tokens
        if not 0 < chunk_tokens <= model.window:
            raise BadValue(
                f"chunk tokens {chunk_tokens} are not between 1 and {model.window}, the window of {model.name}"
            )
        return cls(
            model=model.name, weights=model.digest, tokenizer=model.tokenizer.digest, architecture=model.architecture,
            pooling=pooling.name, layers=list(pooling.layers), combine=pooling.combine,
            special_tokens=pooling.special_tokens,
            query_prompt=embedder.prompts["query"], passage_prompt=embedder.prompts["passage"],
            pools_prompt=model.pools_prompt, dimension=embedder.dimension,
            chunk_tokens=chunk_tokens, overlap=overlap, truncate=truncate,
            dtype=embedder.encoder.bulk_dtype, context=context,
        )  # fmt: skip

    @property
    def how_combined(self) -> Combine | None:
        """What `combine` says, None where there is one layer."""
        return cast("Combine | None", self.combine or None)

    @classmethod
    def of_given(cls, name: str, dimension: int) -> "IndexSettings":
        """The settings of an index of vectors that somebody else makes, with a model of that name."""
        return cls(
            model=name, weights=f"{GIVEN}{name}", tokenizer="", architecture={}, pooling="", layers=[], combine="",
            special_tokens=True, query_prompt="", passage_prompt="", pools_prompt=True, dimension=dimension,
            chunk_tokens=0, overlap=0,
        )  # fmt: skip

    @property
    def given(self) -> bool:
        """Whether the vectors are given, and no model of ours has to do with them."""
        return self.weights.startswith(GIVEN)

    @kept_once
    def fingerprint(self) -> str:
        """One mark for all of it, model's name and dtype left out."""
        values = {key: value for key, value in asdict(self).items() if key not in ("model", "dtype")}
        if not self.context:  # as it was before there was a choice
            del values["context"]
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:32]

    def embedder(
        self, model: Model, device: str = "auto", torch_weights: bool = False, dtype: Dtype | None = None
    ) -> Embedder:
        """The embedder that made the index; SettingsMismatch when that model is not its model."""
        self.check_model(model)
        return Embedder(
            model,
            pooling=self.pooling, layers=self.layers, combine=self.how_combined, special_tokens=self.special_tokens,
            prompts={"query": self.query_prompt, "passage": self.passage_prompt},
            normalize=True, max_seq_length=max(self.chunk_tokens, model.max_seq_length),
            device=device, torch_weights=torch_weights, dtype=dtype,
        )  # fmt: skip

    def chunker(self, embedder: Embedder) -> Chunker:
        """What cuts documents into this index's passages."""
        tokenizer = embedder.model.tokenizer
        return Chunker(tokenizer, self.chunk_tokens, self.overlap, self.passage_prompt, boundaries=not self.truncate)

    def check_model(self, model: Model) -> None:
        """SettingsMismatch unless the model has the same weights, tokenizer and architecture."""
        for part, stored, given in [
            ("model", f"{self.model} ({self.weights[:12]})", f"{model.name} ({model.digest[:12]})"),
            ("tokenizer", self.tokenizer, model.tokenizer.digest),
            ("architecture", self.architecture, model.architecture),
        ]:
            same = self.weights == model.digest if part == "model" else stored == given
            if not same:
                raise SettingsMismatch(part, stored, given, "reindex it with --model, or choose another index")

    def check(self, given: dict[str, Any]) -> None:
        """SettingsMismatch at the first of the given settings that is another here; None is not given."""
        for name, value in given.items():
            if value is not None and value != getattr(self, name):
                advice = "leave it out, reindex, or choose another index"
                raise SettingsMismatch(name.replace("_", " "), getattr(self, name), value, advice)
