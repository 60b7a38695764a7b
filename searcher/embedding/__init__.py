"""Texts → vectors: models, the encoder, pooling, prompts; and what else a model tells of a text.

Imports: errors, system, plain, records, text.
"""

from searcher.embedding.attention import Attentions
from searcher.embedding.embedder import Dtype, Embedder, Kind, OwnTokens
from searcher.embedding.encoder import Sequence_, on_one_core, on_this_machine, torch_here
from searcher.embedding.folders import decayed
from searcher.embedding.heatmap import draw_attention
from searcher.embedding.highlight import highlighted
from searcher.embedding.inspection import inspect_text, inspect_word
from searcher.embedding.maxsim import maxsim, rarity
from searcher.embedding.models import load_model, model_folder
from searcher.embedding.pooling import Combine, Pooling, normalize
from searcher.embedding.settings import IndexSettings
from searcher.embedding.wanted import Changes, Settings, Wanted
from searcher.embedding.whitening import WHITENINGS, Whitening

__all__ = [
    "WHITENINGS",
    "Attentions",
    "Changes",
    "Combine",
    "Dtype",
    "Embedder",
    "IndexSettings",
    "Kind",
    "OwnTokens",
    "Pooling",
    "Sequence_",
    "Settings",
    "Wanted",
    "Whitening",
    "decayed",
    "draw_attention",
    "highlighted",
    "inspect_text",
    "inspect_word",
    "load_model",
    "maxsim",
    "model_folder",
    "normalize",
    "on_one_core",
    "on_this_machine",
    "rarity",
    "torch_here",
]
