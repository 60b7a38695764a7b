"""Texts → vectors: a model, its encoder, a pooling and the prompts for queries and passages."""

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from searcher.embedding.attention import Attentions, token_rows
from searcher.embedding.encoder import Encoder, Hidden, Sequence_
from searcher.embedding.head import Head
from searcher.embedding.models import Model, load_model
from searcher.embedding.pooling import Combine, Pooling, normalize
from searcher.errors import BadValue, UnknownName
from searcher.plain import plain
from searcher.system import kept_once
from searcher.text import check_text

__all__ = ["Dtype", "Embedder", "Kind", "OwnTokens", "Text", "check_prompts"]

Kind = Literal["passage", "query"]
Dtype = Literal["auto", "bf16", "fp32", "int8"]
Text = str | tuple[str, str]
KINDS = get_args(Kind)


class OwnTokens(NamedTuple):
    """A text's own tokens: ids (m,) int64, vectors (m, d) float32; with none, the vectors of the special ones."""

    ids: np.ndarray
    vectors: np.ndarray


def check_prompts(prompts: Mapping[Kind, str] | None) -> Mapping[Kind, str]:
    """The prompts, none for None. UnknownName for one that is put before neither a query nor a passage."""
    if wrong := set(prompts or ()) - set(KINDS):
        raise UnknownName("prompt", min(wrong), KINDS)
    return prompts or {}


def _made_again(model: str, settings: dict[str, Any]) -> "Embedder":
    """An embedder that was pickled or copied."""
    return Embedder(model, **settings)


class Embedder:
    """Embeds texts with a BERT encoder.

    model: hub name, local folder, or None for all-MiniLM-L6-v2; a `Model` already loaded.
    pooling: cls, max, mean, mean_max, mean_sqrt_len, weighted_mean, sep, pooler, token:N, none; several joined
        with "+"; or bert-as-service's names, with its defaults (layer -2, layers concatenated).
    layers: which hidden states: -1, "-4:", [0, -1]; combine: concat, sum or mean of several.
    special_tokens: whether [CLS] and [SEP] count. normalize: unit rows (cosine = inner product); the token vectors
        of "none" are left as they are unless asked.
    prompts: what to put before a "query" and a "passage". max_seq_length: tokens a text is cut at.
    device, dtype: as for `Encoder`; dtype None is $SEARCHER_DTYPE, else auto.
    What is None is the model's own: a sentence-transformers folder says; a plain checkpoint gets mean over the last
    layer, unit rows, no prompts and its whole window. What the folder does behind the pooling (Dense modules, leading
    numbers only) is done to every pooled vector, and to no token vector.

    Raises ModelError, UnknownName, BadValue. The weights load at the first `embed`. dimension: length of a vector.
    """

    def __init__(
        self,
        model: str | Path | Model | None = None,
        *,
        pooling: str | None = None,
        layers: str | int | Iterable[int] | None = None,
        combine: Combine | None = None,
        special_tokens: bool = True,
        normalize: bool | None = None,
        prompts: Mapping[Kind, str] | None = None,
        max_seq_length: int | None = None,
        device: str = "auto",
        torch_weights: bool = False,
        dtype: Dtype | None = None,
    ) -> None:
        self.model = model if isinstance(model, Model) else load_model(model, torch_weights)
        name = self.model.pooling if pooling is None else pooling
        self.pooling = Pooling.resolve(name, self.model.layers, layers, combine, special_tokens)
        self.normalize = self.model.normalize and not self.pooling.per_token if normalize is None else normalize
        self.prompts = dict.fromkeys(KINDS, "") | dict(self.model.prompts) | dict(check_prompts(prompts))
        self.head = Head(self.model.name, self.model.head)
        width = self.pooling.width(self.model.width)
        pooled = f"pooling {self.pooling.name!r}"
        self.dimension = width if self.pooling.per_token else self.head.width(width, pooled)
        self.max_seq_length = self.model.max_seq_length if max_seq_length is None else max_seq_length
        if not 0 < self.max_seq_length <= self.model.window:
            raise BadValue(f"max_seq_length {self.max_seq_length} is not between 1 and the model's {self.model.window}")
        self.encoder = Encoder(self.model, device, torch_weights, dtype or os.environ.get("SEARCHER_DTYPE") or "auto")

    def __reduce__(self) -> tuple[Any, ...]:
        # Of weights and threads nothing is copied: a copy finds the same model and loads it when it is first used.
        settings = {
            "pooling": self.pooling.name, "layers": self.pooling.layers, "combine": self.pooling.combine or None,
            "special_tokens": self.pooling.special_tokens, "normalize": self.normalize, "prompts": self.prompts,
            "max_seq_length": self.max_seq_length, "device": self.encoder.device,
            "torch_weights": self.encoder.torch_weights, "dtype": self.encoder.dtype,
        }  # fmt: skip
        return _made_again, (self.model.name, settings)

    def embed(
        self, texts: Iterable[Text], kind: Kind = "passage", progress: Callable[[int], None] | None = None
    ) -> Any:
        """Vectors of texts or of sentence pairs. n texts -> (n, d) float32; pooling "none": a list of (t, d) arrays.

        A text longer than `max_seq_length` tokens is cut there, with a warning. progress: called with the number of
        texts done after every batch.
        """
        if isinstance(texts, str):
            raise BadValue("embed takes a list of texts; for one text write embed([text])")
        texts = [plain(text) for text in plain(texts)]  # a generator is read once, an array holds texts too
        sequences = self.sequences(texts, kind)
        over = sum(length > self.max_seq_length for _, length in sequences)
        if over:
            shorter = f"{over} of {len(texts)} texts are longer than {self.max_seq_length} tokens and were cut there"
            warnings.warn(shorter, stacklevel=2)
        return self.embed_sequences([sequence for sequence, _ in sequences], kind, progress)

    def sequences(self, texts: Sequence[Text], kind: Kind = "passage") -> list[tuple[Sequence_, int]]:
        """Each text's token ids as the encoder takes them, cut to `max_seq_length`, and its length before that."""
        tokenizer, limit, prompt = self.model.tokenizer, self.max_seq_length, self._prompt(kind)
        flat: list[str] = []
        for number, text in enumerate(texts, 1):
            pair = text if isinstance(text, tuple) else (text,)
            if isinstance(text, tuple) and len(pair) != 2:
                raise BadValue(f"text {number} is a tuple of {len(pair)}; a pair has 2")
            self._room(tokenizer.special_in_pair if len(pair) == 2 else tokenizer.special)
            flat += [check_text(part, f"text {number}") for part in pair]
            flat[-len(pair)] = prompt + flat[-len(pair)]
        ids = iter(tokenizer.encode_ids(flat))
        sequences = []
        for text in texts:
            if isinstance(text, tuple):
                first, second = next(ids), next(ids)
                length = len(first) + len(second) + tokenizer.special_in_pair
                (a, b), (c, d) = tokenizer.kept(limit, len(first), len(second))
                sequences.append((Sequence_(*tokenizer.wrap_pair(first[a:b], second[c:d])), length))
            else:
                own = next(ids)
                [(a, b)] = tokenizer.kept(limit, len(own))
                sequences.append((Sequence_(tokenizer.wrap(own[a:b])), len(own) + tokenizer.special))
        return sequences

    def embed_sequences(
        self, sequences: Sequence[Sequence_], kind: Kind = "passage", progress: Callable[[int], None] | None = None
    ) -> Any:
        """Vectors of token sequences, prompt and special tokens included; as `embed` otherwise."""
        special, skip = self._special, self._skipped(kind)
        self.pooling.check_lengths(np.array([len(sequence.ids) for sequence in sequences], dtype=int), special, skip)
        matrices: list[Any] = [None] * len(sequences)
        vectors = np.empty((0 if self.pooling.per_token else len(sequences), self.dimension), dtype=np.float32)

        def vectors_of(hidden: Hidden) -> Any:
            pooled: Any = (self.pooling.tokens if self.pooling.per_token else self.pooling.pool)(hidden, special, skip)
            if self.pooling.per_token:
                return [normalize(matrix) for matrix in pooled] if self.normalize else pooled
            pooled = self.head(pooled)
            return normalize(pooled) if self.normalize else pooled

        run = self.encoder.run(self._typed(sequences), self.pooling.layers, self.pooling.pooler, vectors_of)
        for batch, pooled in run:
            if self.pooling.per_token:
                for i, matrix in zip(batch, pooled, strict=True):
                    matrices[i] = matrix
            else:
                vectors[batch] = pooled
            if progress:
                progress(len(batch))
        return matrices if self.pooling.per_token else vectors

    def token_vectors(self, texts: Sequence[str], kind: Kind = "passage") -> list[np.ndarray]:
        """Unit vectors of each text's own tokens, of the last layer whatever the pooling: n arrays (t, d) float32.

        Special tokens and prompt are left out where there is any other. A text is cut at `max_seq_length`.
        """
        return [own.vectors for own in self.own_tokens(texts, kind)]

    def own_tokens(self, texts: Sequence[str], kind: Kind = "passage") -> list[OwnTokens]:
        """Each text's own tokens, as `token_vectors` has them, with their ids: behind a prompt they can be others."""
        tokenizer, layer, after = self.model.tokenizer, self.model.layers, self._special[1]
        self._room(tokenizer.special)
        sequences, owned = [], []
        for prompt, tokens in tokenizer.behind(self._prompt(kind), [check_text(text) for text in texts]):
            ids = np.append(np.array(prompt, np.int64), tokens.ids)
            [(first, last)] = tokenizer.kept(self.max_seq_length, len(ids))
            sequences.append(Sequence_(tokenizer.wrap(ids[first:last].tolist())))
            owned.append(ids[max(first, len(prompt)) : last])
        found: list[OwnTokens] = [OwnTokens(ids, np.empty(0)) for ids in owned]
        for batch, hidden in self.encoder.run(self._typed(sequences), (layer,), False, lambda hidden: hidden):
            for start, end, i in zip(hidden.bounds[:-1], hidden.bounds[1:], batch, strict=True):
                count = len(owned[i])
                rows = slice(end - after - count, end - after) if count else slice(start, end)
                found[i] = OwnTokens(owned[i], normalize(hidden.layers[layer][rows]))
        return found

    def attentions(self, text: Text) -> Attentions:
        """Who looks at whom in a text or a sentence pair, in every layer and head, as transformers gives it.

        No prompt is put before it; what is longer than `max_seq_length` tokens is cut there, with a warning.
        Raises ModelError for a model whose layers have no such weights, such as FNet.
        """
        tokenizer = self.model.tokenizer
        self._room(tokenizer.special_in_pair if isinstance(text, tuple) else tokenizer.special)
        rows, sequence, length = token_rows(tokenizer, text, self.max_seq_length)
        if length > self.max_seq_length:
            warnings.warn(f"of {length} tokens {self.max_seq_length} are looked at, the rest was cut", stacklevel=2)
        return Attentions(tuple(rows), tuple(self.encoder.attentions(sequence)))

    def readable(self, texts: Sequence[str]) -> np.ndarray:
        """The share of each text's tokens that the model knows, 1 where there are none. n texts -> (n,) float64."""
        unknown = self.model.tokenizer.unknown
        ids = self.model.tokenizer.encode_ids(list(texts))
        return np.array([sum(number != unknown for number in own) / len(own) if own else 1.0 for own in ids])

    def pooled(
        self, sequences: Sequence[Sequence_], poolings: Sequence[Pooling], kind: Kind = "passage"
    ) -> Iterator[tuple[np.ndarray, list[np.ndarray]]]:
        """Vectors under several poolings out of one forward pass a text, as pooled: not normalised, and not through the
        head of a model that has one.

        In batches: (indices into `sequences` (b,) int64, for each pooling (b, width) float32).
        """
        layers = sorted({layer for pooling in poolings for layer in pooling.layers if not pooling.pooler})
        special, skip = self._special, self._skipped(kind)

        def vectors_of(hidden: Hidden) -> list[np.ndarray]:
            return [pooling.pool(hidden, special, skip) for pooling in poolings]

        with_pooler = any(pooling.pooler for pooling in poolings)
        yield from self.encoder.run(self._typed(sequences), layers, with_pooler, vectors_of)

    def _prompt(self, kind: Kind) -> str:
        if kind not in KINDS:
            raise UnknownName("kind", kind, KINDS)
        return self.prompts[kind]

    def _room(self, special: int) -> None:
        """BadValue unless an input has room for a token of the text beside so many special ones."""
        if self.max_seq_length <= special:
            limit = self.max_seq_length
            raise BadValue(f"max_seq_length {limit} leaves no room for text: {special} go to special tokens")

    def _typed(self, sequences: Sequence[Sequence_]) -> Sequence[Sequence_]:
        """The same with the segments that the tokenizer gives a single text, where they are not all 0 (XLNet)."""
        segments = self.model.tokenizer.segments
        if segments(self.model.tokenizer.special) is None:
            return sequences
        return [
            each if each.segments is not None else Sequence_(each.ids, segments(len(each.ids))) for each in sequences
        ]

    @kept_once
    def _special(self) -> tuple[int, int]:
        tokenizer = self.model.tokenizer
        return tokenizer.before, tokenizer.special - tokenizer.before

    def _skipped(self, kind: Kind) -> int:
        """Tokens at the start that never count: the prompt and what stands before it, where the model says so."""
        if self.model.pools_prompt or not self.prompts[kind]:
            return 0
        return self._special[0] + len(self.model.tokenizer.encode_ids([self.prompts[kind]])[0])
