"""The forward pass of transformers: any encoder that AutoModel loads; and its attention weights."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from searcher.embedding.encoder.records import Hidden, Sequence_, check_tokens
from searcher.embedding.models import Model
from searcher.errors import ModelError

__all__ = ["PADDING_PROOF", "ReferenceForward"]

# Architectures in which padding changes no vector: attention alone mixes tokens, and it passes over the padding. Of all
# others only texts of one length go together: FNet mixes by Fourier transform, Nystromformer and YOSO approximate over
# the padding too, convolutions (ConvBERT) and neighbours (MobileBERT) reach into it.
PADDING_PROOF = frozenset(
    """
    albert bert camembert data2vec-text deberta deberta-v2 distilbert electra ernie eurobert flaubert gte ibert layoutlm
    lilt luke markuplm megatron-bert modernbert mpnet nomic_bert rembert roberta roberta-prelayernorm roformer splinter
    xlm xlm-roberta xlm-roberta-xl
    """.split()
)


# Positions of BERT's kind that transformers 4 knows, and 5 takes for absolute ones without a word.
UNSURE = frozenset(["alibi", "relative_key", "relative_key_query"])


class ReferenceForward:
    """transformers' own model; its results are what every quicker forward pass is held against.

    eager: attention as it is defined, of which the weights can be had.
    """

    def __init__(
        self,
        model: Model,
        device: torch.device,
        dtype: torch.dtype,
        torch_weights: bool = False,
        eager: bool = False,
    ) -> None:
        self.name, self.device = model.name, device
        self.model, self.has_pooler = _load(model, torch_weights, eager)
        self.model.to(device, dtype)
        self.words = _words(model, self.model)
        self.pad = int(model.config.get("pad_token_id") or 0)
        self.typed = int(model.config.get("type_vocab_size") or 0) > 1 or model.config.get("model_type") == "xlnet"
        self.kind, self.depth = str(model.config.get("model_type")), model.layers

    def __call__(self, sequences: Sequence[Sequence_], layers: Sequence[int], pooler: bool) -> Hidden:
        """Hidden states of one batch, the padding taken out again.

        The last layer is the model's output, behind its last normalisation, whatever `tie_last_hidden_states` says.
        """
        if pooler and not self.has_pooler:
            raise ModelError(f"{self.name} has no pooler weights; choose another pooling, such as mean")
        together = [sequences] if self.kind in PADDING_PROOF else _alike(sequences)
        parts = [self._states(part, layers, pooler) for part in together]
        return Hidden(
            {layer: np.concatenate([states[layer] for states, _ in parts]) for layer in layers},
            np.cumsum([0, *(len(sequence.ids) for sequence in sequences)]),
            np.concatenate([pooled for _, pooled in parts]) if pooler else None,
        )

    def attentions(self, sequence: Sequence_) -> list[np.ndarray]:
        """Who looks at whom in each layer: L arrays (heads, t, t) float32, of which each row sums to 1.

        Raises ModelError for an architecture whose layers have no such weights.
        """
        output, _ = self._output([sequence], output_attentions=True)
        given = getattr(output, "attentions", None) or ()
        layers = [each[0].float().cpu().numpy() for each in given if each is not None]
        size = len(sequence.ids)
        if len(layers) != self.depth or any(each.shape[1:] != (size, size) for each in layers):
            raise ModelError(f"{self.name} ({self.kind}) has no weight of every token for every other in each layer")
        return layers

    def _takes(self, name: str) -> bool:
        """Whether the model takes that input; FNet of transformers 4 knows no mask."""
        parameters = inspect.signature(self.model.forward).parameters
        return name in parameters or any(each.kind is each.VAR_KEYWORD for each in parameters.values())

    def _output(self, sequences: Sequence[Sequence_], **wanted: bool) -> tuple[Any, torch.Tensor]:
        """What the model gives for padded sequences, and which tokens are real: (n, t) bool."""
        lengths = np.array([len(sequence.ids) for sequence in sequences])
        shape = len(sequences), int(lengths.max())
        ids, segments = np.full(shape, self.pad), np.zeros(shape, dtype=np.int64)
        for row, sequence in enumerate(sequences):
            check_tokens(np.asarray(sequence.ids), self.words)
            ids[row, : lengths[row]] = sequence.ids
            if sequence.segments is not None:
                segments[row, : lengths[row]] = sequence.segments
        mask = np.arange(shape[1]) < lengths[:, None]
        inputs = {"input_ids": ids, "attention_mask": mask.astype(np.int64)}
        if self.typed:
            inputs["token_type_ids"] = segments
        tensors = {name: torch.from_numpy(inputs[name]).to(self.device) for name in inputs if self._takes(name)}
        try:
            with torch.inference_mode():
                wanted = {name: value for name, value in wanted.items() if self._takes(name)}
                return self.model(**tensors, **wanted), torch.from_numpy(mask).to(self.device)
        except Exception as fault:  # of torch, and whatever a model of transformers asks of its inputs
            raise ModelError(f"{self.name} cannot be run: {_line(fault)}") from None

    def _states(
        self, sequences: Sequence[Sequence_], layers: Sequence[int], pooler: bool
    ) -> tuple[Mapping[int, np.ndarray], Any]:
        """The states of the layers, packed, and the pooled output."""
        output, real = self._output(sequences, output_hidden_states=True)
        given, last = getattr(output, "hidden_states", None), getattr(output, "last_hidden_state", None)
        states = [] if given is None or last is None else [*given[:-1], last]
        for layer in layers:
            if layer >= len(states) or states[layer].shape[:2] != real.shape:
                raise ModelError(f"{self.name} ({self.kind}) gives no state of every token in layer {layer}")
        packed = {layer: states[layer][real].float().cpu().numpy() for layer in layers}
        return packed, output.pooler_output.float().cpu().numpy() if pooler else None


def _alike(sequences: Sequence[Sequence_]) -> Iterator[Sequence[Sequence_]]:
    """Neighbours of one length; a batch comes sorted."""
    first = 0
    for at in range(1, len(sequences) + 1):
        if at == len(sequences) or len(sequences[at].ids) != len(sequences[first].ids):
            yield sequences[first:at]
            first = at


def _load(model: Model, torch_weights: bool, eager: bool) -> tuple[Any, bool]:
    """The AutoModel and whether its checkpoint has pooler weights; ModelError when others are missing or do not fit."""
    from transformers import AutoModel
    from transformers.utils import logging

    bars = logging.is_progress_bar_enabled()
    level = logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()  # we say ourselves, in one line, which weights are missing
    try:
        loaded, info = AutoModel.from_pretrained(
            str(model.folder),
            dtype=torch.float32,
            use_safetensors=not torch_weights or model.weights[0].suffix == ".safetensors",
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # to be named below
            **({"attn_implementation": "eager"} if eager else {}),
        )
    except Exception as fault:  # torch, pickle and safetensors raise errors of their own
        raise ModelError(f"{model.name} cannot be loaded: {_line(fault)}") from None
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
    missing = sorted(info["missing_keys"])
    if lost := [key for key in missing if "pooler" not in key]:
        raise ModelError(f"{model.name}: the checkpoint lacks {len(lost)} weights of the encoder, such as {lost[0]}")
    for found in info["mismatched_keys"]:
        key = found if isinstance(found, str) else found[0]  # transformers 5 adds both sizes
        size = " x ".join(map(str, loaded.state_dict()[key].shape))
        raise ModelError(f"{model.weights[0]}: {key} is not {size}, as config.json says")
    positions = str(model.config.get("position_embedding_type"))
    if positions in UNSURE and not any(
        getattr(module, "position_embedding_type", None) == positions for module in loaded.modules()
    ):
        raise ModelError(f"{model.name} has {positions} positions, which this transformers does not apply")
    has_pooler = getattr(loaded, "pooler", None) is not None and not missing
    return loaded.eval(), has_pooler


def _words(model: Model, loaded: Any) -> int:
    """How many tokens it has states for."""
    try:
        return len(loaded.get_input_embeddings().weight)
    except (AttributeError, NotImplementedError, TypeError):
        raise ModelError(f"{model.name} ({model.config.get('model_type')}) takes no tokens of a text") from None


def _line(fault: Exception) -> str:
    return (str(fault).strip().splitlines() or [type(fault).__name__])[0]
