"""What a caller asks of an index: made into a new index's settings, or checked against those it was made with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypedDict

from searcher.embedding.embedder import Dtype, Embedder, Kind, check_prompts
from searcher.embedding.models import Model, load_model
from searcher.embedding.pooling import ALIASES, Combine, Pooling
from searcher.embedding.settings import IndexSettings
from searcher.errors import UnknownName

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


class Settings(Changes, total=False):
    """What `Searcher` takes beside the folder and the model, for type checkers, as `Changes`."""

    truncate: bool | None
    device: str
    torch_weights: bool
    dtype: Dtype | None


@dataclass(frozen=True)
class Wanted:
    """Settings as given; None is the index's own, or for a new index the model's own.

    chunk_tokens: most tokens of a passage, special tokens and prompt included. overlap: tokens that a passage may
    repeat of the one before. truncate: only the first passage of a document. The others as for `Embedder`.
    """

    model: str | None = None
    pooling: str | None = None
    layers: str | int | Iterable[int] | None = None
    combine: Combine | None = None
    special_tokens: bool | None = None
    prompts: Mapping[Kind, str] | None = None
    chunk_tokens: int | None = None
    overlap: int | None = None
    truncate: bool | None = None
    device: str = "auto"
    torch_weights: bool = False
    dtype: Dtype | None = None

    def __post_init__(self) -> None:
        check_prompts(self.prompts)
        if self.layers is not None and not isinstance(self.layers, str | int):
            object.__setattr__(
                self, "layers", tuple(self.layers)
            )  # which may be an iterator, and is read more than once

    def load(self, stored: IndexSettings | None) -> Model:
        """The model asked for, else the index's, else the default."""
        own = stored.model if stored else None
        return load_model(own if self.model is None else self.model, self.torch_weights)

    def embedder(self, stored: IndexSettings | None) -> Embedder:
        """What embeds the index's passages and questions: unit vectors, whatever the model's default."""
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
        return IndexSettings.of(embedder, self.chunk_tokens, self.overlap or 0, bool(self.truncate))

    def check(self, stored: IndexSettings) -> None:
        """SettingsMismatch at the first setting given that is not what the index was made with."""
        if self.model is not None:
            stored.check_model(self.load(stored))
        if any(value is not None for value in (self.pooling, self.layers, self.combine, self.special_tokens)):
            pooling = self._resolved(stored, self.load(stored).layers)
            stored.check(
                {"pooling": pooling.name, "layers": list(pooling.layers), "combine": pooling.combine,
                 "special_tokens": pooling.special_tokens}
            )  # fmt: skip
        stored.check({f"{kind}_prompt": prompt for kind, prompt in (self.prompts or {}).items()})
        stored.check({"chunk_tokens": self.chunk_tokens, "overlap": self.overlap, "truncate": self.truncate})

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
        kept = Wanted(
            overlap=stored.overlap,
            truncate=stored.truncate,
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
