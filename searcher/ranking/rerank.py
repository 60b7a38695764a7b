"""The first hits looked at more closely: by late interaction of token vectors, or by a cross-encoder.

Reading a passage costs a forward pass, so only the first hits are looked at, and never inside a transaction.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from searcher.embedding import Embedder, OwnTokens, maxsim, model_folder, rarity, torch_here
from searcher.engines import Hit
from searcher.errors import BadValue, ModelError
from searcher.ranking.evidence import standardised
from searcher.ranking.fusion import longer, wordiness
from searcher.ranking.questions import Questions
from searcher.ranking.retrieval import Asked
from searcher.system import one_thread

__all__ = ["MAXSIM", "Look", "looked_at", "rerank"]

Ask = Callable[[Asked], tuple[Questions, list[list[Hit]]]]
Kept = Callable[[Mapping[int, str]], dict[int, OwnTokens]]  # passages by id → those whose tokens are known
DEPTH = 50  # hits that a cross-encoder reads
TOGETHER = 16  # questions whose passages are read at once, each passage once: a bound on memory


class Look(NamedTuple):
    """How many hits are looked at, and the weight of their MaxSim against 1 for the score that they came with."""

    depth: int
    weight: float


MAXSIM = {"dense": Look(50, 4.0), "hybrid": Look(10, 0.5)}


def rerank(
    ask: Ask,
    embedder: Callable[[], Embedder],
    asked: Asked,
    name: str,
    torch_weights: bool = False,
    kept: Kept = lambda texts: {},
) -> list[list[Hit]]:
    """The hits of each question in a better order.

    ask: gives the questions and their hits.
    name: "maxsim", or a cross-encoder's hub name or folder; torch_weights: whether its pytorch_model.bin may be read.
    kept: gives the token vectors that need not be computed.
    Raises BadValue for what cannot be reranked so, ModelError.
    """
    if not isinstance(name, str) or not name:
        raise BadValue(f"rerank is {name!r}; good: maxsim, or the name or folder of a cross-encoder")
    if asked.mmr is not None:
        raise BadValue("rerank and mmr would each order the hits; leave one out")
    if name == "maxsim":
        return _by_maxsim(ask, embedder, asked, kept)
    return _by_cross_encoder(ask, asked, name, torch_weights)


def _by_maxsim(ask: Ask, embedder: Callable[[], Embedder], asked: Asked, kept: Kept) -> list[list[Hit]]:
    """The hits by the score that they came with and MaxSim."""
    if asked.mode not in MAXSIM:
        raise BadValue(f"rerank 'maxsim' is for modes {' and '.join(sorted(MAXSIM))}, not {asked.mode!r}")
    look = MAXSIM[asked.mode]
    questions, hits = ask(replace(asked, k=max(int(asked.k), look.depth)))
    if questions.texts is None:
        raise BadValue("rerank needs the question as a text, not as a vector")
    ordered: list[list[Hit]] = []
    for start in range(0, len(hits), TOGETHER):
        part = slice(start, start + TOGETHER)
        ordered += looked_at(embedder(), list(questions.texts[part]), hits[part], look, kept)
    return [best[: asked.k] for best in ordered]


def looked_at(
    embedder: Embedder, questions: list[str], hits: list[list[Hit]], look: Look, kept: Kept
) -> list[list[Hit]]:
    """The hits of each question by their score and their MaxSim, each standardised over the first `look.depth`.

    A token counts by the root of its rarity among these. Like the words in `fuse`, token by token likeness tells little
    in passages no longer than the question.
    """
    read = _read(embedder, {row.passage_id: row.text for own in hits for _, row in own}, kept)
    asked = zip(questions, embedder.own_tokens(questions, "query"), hits, strict=True)
    ordered = []
    for text, (numbers, tokens), own in asked:
        first = own[: look.depth]
        weight = look.weight * wordiness(longer(text, [row.text for _, row in first]))
        present = np.array([np.isin(numbers, read[row.passage_id].ids) for _, row in first], bool)
        present = present.reshape(len(first), len(numbers))  # also where either is none
        # Without tokens of its own a question has the vectors of the special ones.
        weights = np.sqrt(rarity(present)) if len(numbers) else np.ones(len(tokens))
        with one_thread():  # of so small products several threads only wait for each other
            alike = np.array([maxsim(read[row.passage_id].vectors @ tokens.T, weights) for _, row in own])
        among = np.arange(len(own)) < look.depth
        scores = standardised(np.array([score for score, _ in own]), among) + weight * standardised(alike, among)
        ordered.append(_sorted(scores, own))
    return ordered


def _read(embedder: Embedder, texts: Mapping[int, str], kept: Kept) -> dict[int, OwnTokens]:
    """The tokens of passages, id → text: those that are kept, and the others computed."""
    width = embedder.model.width
    known = {number: own for number, own in kept(texts).items() if own.vectors.shape[1] == width}
    others = {number: text for number, text in texts.items() if number not in known}
    return known | dict(zip(others, embedder.own_tokens(list(others.values())), strict=True))


def _by_cross_encoder(ask: Ask, asked: Asked, name: str, torch_weights: bool) -> list[list[Hit]]:
    """The hits by the score that a model gives question and passage read together (Nogueira & Cho 2019)."""
    model = _cross_encoder(name, torch_weights)
    questions, hits = ask(replace(asked, k=max(int(asked.k), DEPTH)))
    if questions.texts is None:
        raise BadValue("rerank needs the question as a text, not as a vector")
    ordered = []
    for text, own in zip(questions.texts, hits, strict=True):
        scores = _scores(model, [(text, row.text) for _, row in own])
        if (shape := np.shape(scores)) != (len(own),):
            raise ModelError(f"{name} gives scores of shape {shape} for {len(own)} pairs; a reranker gives one each")
        ordered.append(_sorted(scores, own)[: asked.k])
    return ordered


def _scores(model: Any, pairs: list[tuple[str, str]]) -> np.ndarray:
    """What a cross-encoder gives each pair, float64: to float32 the sigmoids of all logits above 17 are 1."""
    from torch import from_numpy, nn

    torch_here()
    logits = model.predict(pairs, show_progress_bar=False, activation_fn=nn.Identity()) if pairs else np.empty(0)
    scores: np.ndarray = model.activation_fn(from_numpy(np.asarray(logits, np.float64))).numpy()
    return scores


def _sorted(scores: np.ndarray, hits: list[Hit]) -> list[Hit]:
    """The same hits with other scores, best first, equals by id."""
    scored = zip(scores.tolist(), (row for _, row in hits), strict=True)
    return sorted(scored, key=lambda hit: (-hit[0], hit[1].passage_id))


@lru_cache(maxsize=1)
def _cross_encoder(name: str, torch_weights: bool) -> Any:
    """The cross-encoder of that hub name or folder. ModelError unless all of it was trained."""
    try:
        from sentence_transformers import CrossEncoder
    except ImportError:
        raise ModelError(
            f"rerank {name!r} needs sentence-transformers, which is not installed: pip install 'searcher[rerank]'; "
            "rerank 'maxsim' needs nothing"
        ) from None
    try:
        folder = model_folder(name, torch_weights)
        how = {"use_safetensors": any(folder.glob("model*.safetensors"))}
        with _quiet():
            encoder = CrossEncoder(str(folder), model_kwargs=dict(how), local_files_only=True)
            untrained = _untrained(encoder, how)
    except Exception as fault:  # ours, the hub's, transformers' and torch's own, with no common base
        reason = (str(fault).strip().splitlines() or [repr(fault)])[0]
        raise ModelError(f"no cross-encoder {name!r}: {reason}") from None
    if untrained:
        raise ModelError(
            f"no cross-encoder {name!r}: it has no trained {untrained[0]} ({len(untrained)} weights are missing), so "
            "its scores would be random"
        )
    return encoder


def _untrained(encoder: Any, how: dict[str, Any]) -> list[str]:
    """The weights that transformers made up, since the checkpoint lacks them: it is loaded again to be told."""
    from transformers import PreTrainedModel

    for model in encoder.modules():
        if isinstance(model, PreTrainedModel) and model.name_or_path:
            _, info = type(model).from_pretrained(
                model.name_or_path, config=model.config, output_loading_info=True, local_files_only=True, **how
            )
            unlike = (key if isinstance(key, str) else key[0] for key in info["mismatched_keys"])  # 4 and 5
            return sorted({*info["missing_keys"], *unlike})
    return []


@contextmanager
def _quiet() -> Iterator[None]:
    """Without transformers' bars and reports: what is wrong is said in our own line."""
    from transformers.utils import logging

    bars, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
