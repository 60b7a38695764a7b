"""What a caller asks of an index: made into a new index's settings, or checked against those it was made with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypedDict

from searcher.embedding.embedder import Dtype, Embedder, Kind, check_prompts
from searcher.embedding.models import Model, load_model
from searcher.embedding.pooling import ALIASES, Combine, Pooling
from searcher.embedding.settings import IndexSettings
from searcher.errors import BadValue, SettingsMismatch, UnknownName

__all__ = ["Changes", "Settings", "Wanted"]


class Changes(TypedDict, total=False):
    """What `reindex` takes beside the model, for type checkers; the fields of `Wanted` say what each is."""

    pooling: str | None
    layers: str | int | Iterable[int] | None
    combine: Combine | None
    special_tokens: bool | None
    prompts: Mapping[Kind, str] | None
    chunk_tokens: int | None
    overlap: int | None
    context: bool | None


class Settings(Changes, total=False):
    """What `Searcher` takes beside the folder and the model, for type checkers, as `Changes`."""

    truncate: bool | None
    device: str
    torch_weights: bool
    dtype: Dtype | None
    vectors: str | None
    dimension: int | None


MAX_DIMENSION = 65_536  # of given vectors
# What says how texts become vectors.
EMBEDDING = (
    "model", "pooling", "layers", "combine", "special_tokens", "prompts", "chunk_tokens", "overlap", "truncate",
    "context",
)  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """Settings as given; None is the index's own, or for a new index the model's own.

    chunk_tokens: most tokens of a passage, special tokens and prompt included. overlap: tokens that a passage may
    repeat of the one before. truncate: only the first passage of a document. context: title and headings
    of a passage are embedded in front of it. The others as for `Embedder`.
    vectors: the name of the model with which somebody else makes all vectors, passages' and questions'; nothing is
    embedded then. dimension: their length; of a new index that of the first ones, if it is left out.
    """

    model: str | None = None
    pooling: str | None = None
    layers: str | int | Iterable[int] | None = None
    combine: Combine | None = None
    special_tokens: bool | None = None
    prompts: Mapping[Kind, str] | None = None
    chunk_tokens: int | None = None
    overlap: int | None = None
    context: bool | None = None
    truncate: bool | None = None
    device: str = "auto"
    torch_weights: bool = False
    dtype: Dtype | None = None
    vectors: str | None = None
    dimension: int | None = None

    def __post_init__(self) -> None:
        check_prompts(self.prompts)
        self._check_given()
        if self.layers is not None and not isinstance(self.layers, str | int):
            object.__setattr__(
                self, "layers", tuple(self.layers)
            )  # which may be an iterator, and is read more than once

    def _check_given(self) -> None:
        """BadValue for settings of given vectors that are none, or that do not go together."""
        if self.vectors is None:
            if self.dimension is not None:
                raise BadValue("dimension is that of given vectors; say whose: vectors='name of their model'")
            return
        if not isinstance(self.vectors, str) or not self.vectors.strip():
            raise BadValue(f"vectors is {self.vectors!r:.60}; good: the name of the model that they are made with")
        number = isinstance(self.dimension, int) and not isinstance(self.dimension, bool)
        if self.dimension is not None and not (number and 0 < self.dimension <= MAX_DIMENSION):
            raise BadValue(f"dimension is {self.dimension!r}; good: a whole number from 1 to {MAX_DIMENSION:,}")
        if others := self._embedding():
            raise BadValue(f"vectors are given or made with a {others[0]}, not both")

    def _embedding(self) -> list[str]:
        """Names of the settings given that say how texts are embedded."""
        return [name for name in EMBEDDING if getattr(self, name) not in (None, {})]

    def given(self, dimension: int | None = None) -> IndexSettings:
        """The settings of a new index of given vectors. dimension: that of the first ones. BadValue without any."""
        assert self.vectors is not None
        if (length := self.dimension or dimension) is None:
            raise BadValue(f"of the vectors of {self.vectors!r} the dimension is not known yet; say dimension=…")
        return IndexSettings.of_given(self.vectors, length)

    def load(self, stored: IndexSettings | None) -> Model:
        """The model asked for, else the index's, else the default."""
        own = stored.model if stored else None
        return load_model(own if self.model is None else self.model, self.torch_weights)

    def embedder(self, stored: IndexSettings | None) -> Embedder:
        """What embeds the index's passages and questions: unit vectors, whatever the model's default.

        BadValue where vectors are given: no model is looked for then.
        """
        if (name := self.vectors or (stored.model if stored is not None and stored.given else None)) is not None:
            raise BadValue(
                f"the vectors of this index are given, of {name!r}, and it embeds nothing itself: "
                "put(texts, vectors=…), search(question, vector=…), or mode='keyword'"
            )
        model = self.load(stored)
        if stored is not None:
            return stored.embedder(model, self.device, self.torch_weights, self.dtype)
        return Embedder(
            model, pooling=self.pooling, layers=self.layers, combine=self.combine,
            special_tokens=self.special_tokens is not False, prompts=self.prompts, normalize=True,
            max_seq_length=max(model.max_seq_length, min(self.chunk_tokens or 0, model.window)),
            device=self.device, torch_weights=self.torch_weights, dtype=self.dtype,
        )  # fmt: skip

    def settings(self, embedder: Embedder) -> IndexSettings:
        """The settings of a new index."""
        return IndexSettings.of(
            embedder, self.chunk_tokens, self.overlap or 0, bool(self.truncate), self.context is not False
        )

    def check(self, stored: IndexSettings) -> None:
        """SettingsMismatch at the first setting given that is not what the index was made with."""
        if self.vectors is not None or stored.given:
            self._check_as_given(stored)
            return
        if self.model is not None:
            stored.check_model(self.load(stored))
        if any(value is not None for value in (self.pooling, self.layers, self.combine, self.special_tokens)):
            pooling = self._resolved(stored, self.load(stored).layers)
            stored.check(
                {"pooling": pooling.name, "layers": list(pooling.layers), "combine": pooling.combine,
                 "special_tokens": pooling.special_tokens}
            )  # fmt: skip
        stored.check({f"{kind}_prompt": prompt for kind, prompt in (self.prompts or {}).items()})
        stored.check({name: getattr(self, name) for name in ("chunk_tokens", "overlap", "truncate", "context")})

    def _check_as_given(self, stored: IndexSettings) -> None:
        """SettingsMismatch unless both speak of the same given vectors, or nothing is said of them."""
        advice = "leave it out, or choose another index"
        if not stored.given:
            raise SettingsMismatch("model", stored.model, f"given vectors of {self.vectors}", advice)
        if self.vectors is None:
            for name in self._embedding():
                raise SettingsMismatch(name, f"given vectors of {stored.model}", getattr(self, name), advice)
        elif self.vectors != stored.model:
            raise SettingsMismatch("vectors", stored.model, self.vectors, advice)
        stored.check({"dimension": self.dimension})

    def _resolved(self, stored: IndexSettings, depth: int) -> Pooling:
        """The pooling given, what is left out taken from the index; an alias brings its own layers."""
        layers = stored.layers if self.layers is None and self.pooling not in ALIASES else self.layers
        special = stored.special_tokens if self.special_tokens is None else self.special_tokens
        combine = self.combine or stored.how_combined
        return Pooling.resolve(self.pooling or stored.pooling, depth, layers, combine, special)

    def changed(self, stored: IndexSettings, changes: Mapping[str, Any]) -> "Wanted":
        """What to embed an index again with: the changes, the rest as it was; another model brings its own pooling."""
        known = Changes.__optional_keys__ | {"model"}
        if unknown := set(changes) - known:
            raise UnknownName("setting", min(unknown), known)
        if stored.given and changes.get("model") is None:
            raise BadValue(f"the vectors of {stored.model!r} are given; to embed all texts here, name a model too")
        kept = Wanted(
            overlap=stored.overlap,
            truncate=stored.truncate,
            context=stored.context,
            device=self.device,
            torch_weights=self.torch_weights,
            dtype=self.dtype,
        )
        if "model" not in changes:
            kept = replace(
                kept, model=stored.model, chunk_tokens=stored.chunk_tokens, special_tokens=stored.special_tokens,
                prompts={"query": stored.query_prompt, "passage": stored.passage_prompt},
            )  # fmt: skip
            if "pooling" not in changes:
                kept = replace(kept, pooling=stored.pooling, layers=stored.layers, combine=stored.how_combined)
        return replace(kept, **changes)
