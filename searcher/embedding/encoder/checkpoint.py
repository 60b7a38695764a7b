"""BERT-shaped checkpoints: which models they are, and their tensors, memory-mapped by the names of BertModel."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from searcher.embedding.models import OFFSET_POSITIONS, Model
from searcher.errors import ModelError

__all__ = ["ACTIVATIONS", "BertShape", "Checkpoint", "bert_shape"]

BERT_TYPES = frozenset({"bert", "camembert", "roberta", "xlm-roberta"})
# transformers' names of an activation → what it computes
ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_new": "gelu tanh",
    "gelu_pytorch_tanh": "gelu tanh",
    "gelu_fast": "gelu tanh",
    "relu": "relu",
}
# A checkpoint of TensorFlow's time has these names for a LayerNorm's weight and bias.
OLD_NAMES = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}
LANDMARK = "embeddings.word_embeddings.weight"


@dataclass(frozen=True)
class BertShape:
    """What of a configuration a forward pass needs. first_position: 0 in BERT, 2 in RoBERTa."""

    layers: int
    width: int
    heads: int
    inner: int
    epsilon: float
    activation: str
    first_position: int


def bert_shape(model: Model) -> BertShape | None:
    """The shape of a model whose forward pass is BERT's, None for any other architecture."""
    config = model.config
    kind, activation = config.get("model_type"), config.get("hidden_act", "gelu")
    if kind not in BERT_TYPES or activation not in ACTIVATIONS or config.get("is_decoder"):
        return None
    if config.get("position_embedding_type", "absolute") not in ("absolute", None):
        return None
    if any(file.suffix != ".safetensors" for file in model.weights):
        return None
    if model.width % int(config["num_attention_heads"]):
        return None
    first = int(config.get("pad_token_id", 1)) + 1 if kind in OFFSET_POSITIONS else 0
    return BertShape(
        layers=model.layers,
        width=model.width,
        heads=int(config["num_attention_heads"]),
        inner=int(config["intermediate_size"]),
        epsilon=float(config.get("layer_norm_eps", 1e-12)),
        activation=ACTIVATIONS[activation],
        first_position=first,
    )


class Checkpoint(Mapping[str, np.ndarray]):
    """The tensors of safetensors files as read-only views of the files: only what is touched is read.

    Format: 8 bytes little-endian length, a JSON header of names to dtype, shape and offsets, the data
    (huggingface.co/docs/safetensors). float32 tensors are views, float16 and bfloat16 are converted.
    """

    def __init__(self, files: tuple[Path, ...]) -> None:
        self._places: dict[str, tuple[np.memmap, str, list[int], int, int]] = {}
        for file in files:
            try:
                self._places |= _places(file)
            except (ValueError, KeyError, TypeError, AttributeError) as fault:
                raise ModelError(f"{file} cannot be loaded: it is no safetensors file ({fault})") from None
        landmark = next((name for name in self._places if name.endswith(LANDMARK)), None)
        if landmark is None:
            raise ModelError(f"{files[0]} has no {LANDMARK}: not the weights of a BERT")
        prefix = landmark.removesuffix(LANDMARK)
        self._file = files[0]
        self._names = {
            self._modern(name.removeprefix(prefix)): name for name in self._places if name.startswith(prefix)
        }

    @staticmethod
    def _modern(name: str) -> str:
        for old, new in OLD_NAMES.items():
            name = name.replace(old, new)
        return name

    def check(self, shape: "BertShape") -> None:
        """ModelError unless every tensor that the layers need is there."""
        lacking = [name for name in tensor_names(shape) if name not in self._names]
        if lacking:
            what = f"{len(lacking)} weights of the encoder, such as {lacking[0]}"
            raise ModelError(f"{self._file}: the checkpoint lacks {what}")

    def __getitem__(self, name: str) -> np.ndarray:
        """A tensor as float32."""
        return _float32(self._view(name))

    def rows(self, name: str, numbers: np.ndarray) -> np.ndarray:
        """Some rows of a matrix as float32; no other row is read."""
        return _float32(self._view(name)[numbers])

    def _view(self, name: str) -> np.ndarray:
        data, dtype, shape, start, end = self._places[self._names[name]]
        if dtype not in ("F32", "F16", "BF16"):
            raise ModelError(f"tensor {name} has dtype {dtype}; good: F32, F16, BF16")
        kind = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}[dtype]
        return data[start:end].view(kind).reshape(shape)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _places(file: Path) -> dict[str, tuple[np.memmap, str, list[int], int, int]]:
    """Name → the file's bytes, dtype, shape, first byte and last byte + 1."""
    data = np.memmap(file, dtype=np.uint8, mode="r")
    size = int.from_bytes(data[:8].tobytes(), "little")
    header = json.loads(data[8 : 8 + size].tobytes())
    header.pop("__metadata__", None)
    places = {}
    for name, entry in header.items():
        start, end = (8 + size + offset for offset in entry["data_offsets"])
        if not 8 + size <= start <= end <= len(data):
            raise ValueError(f"tensor {name} lies outside the file")
        places[name] = data, str(entry["dtype"]), list(entry["shape"]), start, end
    return places


def tensor_names(shape: BertShape) -> list[str]:
    """The tensors of a BertModel without its pooler."""
    dense = ["attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
             "attention.output.LayerNorm", "intermediate.dense", "output.dense", "output.LayerNorm"]  # fmt: skip
    parts = [f"encoder.layer.{number}.{name}" for number in range(shape.layers) for name in dense]
    tables = [f"embeddings.{kind}_embeddings.weight" for kind in ("word", "position", "token_type")]
    return tables + [f"{name}.{part}" for name in ["embeddings.LayerNorm", *parts] for part in ("weight", "bias")]


def _float32(values: np.ndarray) -> np.ndarray:
    if values.dtype == np.uint16:  # bfloat16 is the upper half of a float32
        return (values.astype(np.uint32) << 16).view(np.float32)
    return values.astype(np.float32, copy=False)
