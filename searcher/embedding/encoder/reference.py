"""The forward pass of transformers: any encoder that AutoModel loads, padded."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from searcher.embedding.encoder.records import Hidden, Sequence_
from searcher.embedding.models import Model
from searcher.errors import ModelError

__all__ = ["ReferenceForward"]


class ReferenceForward:
    """transformers' own model; its results are what every quicker forward pass is held against."""

    def __init__(self, model: Model, device: torch.device, dtype: torch.dtype, torch_weights: bool = False) -> None:
        self.name, self.device = model.name, device
        self.model, self.has_pooler = _load(model, torch_weights)
        self.model.to(device, dtype)
        self.pad = int(model.config.get("pad_token_id") or 0)
        self.segments = int(model.config.get("type_vocab_size") or 0)

    def __call__(self, sequences: Sequence[Sequence_], layers: Sequence[int], pooler: bool) -> Hidden:
        """Hidden states of one batch, the padding taken out again."""
        if pooler and not self.has_pooler:
            raise ModelError(f"{self.name} has no pooler weights; choose another pooling, such as mean")
        lengths = np.array([len(sequence.ids) for sequence in sequences])
        shape = len(sequences), int(lengths.max())
        ids, segments = np.full(shape, self.pad), np.zeros(shape, dtype=np.int64)
        for row, sequence in enumerate(sequences):
            ids[row, : lengths[row]] = sequence.ids
            if sequence.segments is not None:
                segments[row, : lengths[row]] = sequence.segments
        mask = np.arange(shape[1]) < lengths[:, None]
        inputs = {"input_ids": ids, "attention_mask": mask.astype(np.int64)}
        if self.segments > 1:
            inputs["token_type_ids"] = segments
        tensors = {name: torch.from_numpy(array).to(self.device) for name, array in inputs.items()}
        with torch.inference_mode():
            output = self.model(**tensors, output_hidden_states=True)
        states = output.hidden_states
        real = tensors["attention_mask"].bool()
        return Hidden(
            {layer: states[layer][real].float().cpu().numpy() for layer in layers},
            np.concatenate([[0], np.cumsum(lengths)]),
            output.pooler_output.float().cpu().numpy() if pooler else None,
        )


def _load(model: Model, torch_weights: bool) -> tuple[Any, bool]:
    """The AutoModel and whether its checkpoint has pooler weights; ModelError when others are missing."""
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
        )
    except Exception as fault:  # torch, pickle and safetensors raise errors of their own
        reason = (str(fault).strip().splitlines() or [type(fault).__name__])[0]
        raise ModelError(f"{model.name} cannot be loaded: {reason}") from None
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
    missing = sorted(info["missing_keys"])
    if lost := [key for key in missing if "pooler" not in key]:
        raise ModelError(f"{model.name}: the checkpoint lacks {len(lost)} weights of the encoder, such as {lost[0]}")
    has_pooler = getattr(loaded, "pooler", None) is not None and not missing
    return loaded.eval(), has_pooler
