"""BERT-shaped checkpoints: which models they are, and their tensors, memory-mapped by the names of BertModel."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from searcher.embedding.encoder.bfloat16 import widened
from searcher.embedding.models import Model, padding_position
from searcher.errors import ModelError

__all__ = ["ACTIVATIONS", "BertShape", "Checkpoint", "bert_shape", "tensors_of"]

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


# Safetensors' names of a dtype → numpy's; bfloat16 has none.
DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}


@dataclass(frozen=True)
class BertShape:
    """What of a configuration a forward pass needs. padding: None in BERT; in RoBERTa the id behind which positions
    start, and whose tokens take no position. rows: of the tables of words, positions and types; None is not said.
    """

    layers: int
    width: int
    heads: int
    inner: int
    epsilon: float
    activation: str
    padding: int | None
    rows: tuple[int | None, int | None, int | None] = (None, None, None)

    @property
    def numbers(self) -> int:
        """In the matrices of all layers."""
        return self.layers * (4 * self.width**2 + 2 * self.width * self.inner)


def bert_shape(model: Model) -> BertShape | None:
    """The shape of a model whose forward pass is BERT's, None for any other architecture.

    Raises ModelError for a configuration that does not say it.
    """
    config = model.config
    kind, activation = config.get("model_type"), config.get("hidden_act", "gelu")
    if kind not in BERT_TYPES or not isinstance(activation, str) or activation not in ACTIVATIONS:
        return None
    if config.get("is_decoder"):
        return None
    if config.get("position_embedding_type", "absolute") not in ("absolute", None):
        return None
    if any(file.suffix != ".safetensors" for file in model.weights):
        return None
    numbers = {key: config.get(key) for key in ("num_attention_heads", "intermediate_size")}
    for key, number in numbers.items():
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise ModelError(f"{model.name}: config.json says {key} {number!r}; it must be a number above 0")
    heads, inner = int(numbers["num_attention_heads"] or 0), int(numbers["intermediate_size"] or 0)
    if model.width % heads:
        raise ModelError(f"{model.name}: a width of {model.width} cannot be shared by {heads} heads")
    epsilon = config.get("layer_norm_eps", 1e-12)
    if not isinstance(epsilon, int | float) or isinstance(epsilon, bool):
        raise ModelError(f"{model.name}: config.json says layer_norm_eps {epsilon!r}; it must be a number")
    return BertShape(
        layers=model.layers,
        width=model.width,
        heads=heads,
        inner=inner,
        epsilon=float(epsilon),
        activation=ACTIVATIONS[activation],
        padding=padding_position(config),
        rows=tuple(config.get(key) for key in ("vocab_size", "max_position_embeddings", "type_vocab_size")),  # type: ignore[arg-type]
    )


class Tensors(Mapping[str, np.ndarray]):
    """The tensors of safetensors files as read-only views of the files: only what is touched is read.

    Format: 8 bytes little-endian length, a JSON header of names to dtype, shape and offsets, the data
    (huggingface.co/docs/safetensors). float32 tensors are views, others are converted.
    """

    def __init__(self, files: tuple[Path, ...]) -> None:
        self._places: dict[str, tuple[np.memmap, str, list[int], int, int]] = {}
        for file in files:
            try:
                self._places |= _places(file)
            except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
                raise ModelError(f"{file} cannot be loaded: it is no safetensors file ({fault})") from None
        self._file = files[0]
        self._names = {name: name for name in self._places}

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor, of which nothing is read."""
        return tuple(self._places[self._names[name]][2])

    def __getitem__(self, name: str) -> np.ndarray:
        """A tensor as float32."""
        return _float32(self._view(name))

    def rows(self, name: str, numbers: np.ndarray) -> np.ndarray:
        """Some rows of a matrix as float32; no other row is read."""
        return _float32(self._view(name)[numbers])

    def expect(self, shapes: Mapping[str, tuple[int | None, ...]], what: str) -> None:
        """ModelError unless every one of these is there and has that shape; None is any number of rows."""
        if lacking := [name for name in shapes if name not in self._names]:
            raise ModelError(
                f"{self._file}: the checkpoint lacks {len(lacking)} weights of {what}, such as {lacking[0]}"
            )
        for name, wanted in shapes.items():
            found = self.shape(name)
            if len(found) != len(wanted) or any(b not in (None, a) for a, b in zip(found, wanted, strict=True)):
                said = " x ".join("any" if number is None else str(number) for number in wanted)
                raise ModelError(
                    f"{self._file}: {name} is {' x '.join(map(str, found)) or 'one number'}, config.json says {said}"
                )

    def _view(self, name: str) -> np.ndarray:
        data, dtype, shape, start, end = self._places[self._names[name]]
        if dtype not in DTYPES:
            raise ModelError(f"{self._file}: tensor {name} has dtype {dtype}; good: {', '.join(DTYPES)}")
        try:
            return data[start:end].view(DTYPES[dtype]).reshape(shape)
        except ValueError:
            raise ModelError(f"{self._file}: tensor {name} has {end - start} bytes, not those of {shape}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def tensors_of(file: Path) -> Mapping[str, np.ndarray]:
    """The tensors of a safetensors file as float32, by name. ModelError for what is none."""
    return Tensors((file,))


class Checkpoint(Tensors):
    """The tensors of a BERT by the names of BertModel, whatever prefix and old names its files have."""

    def __init__(self, files: tuple[Path, ...]) -> None:
        super().__init__(files)
        landmark = next((name for name in self._places if name.endswith(LANDMARK)), None)
        if landmark is None:
            raise ModelError(f"{files[0]} has no {LANDMARK}: not the weights of a BERT")
        prefix = landmark.removesuffix(LANDMARK)
        self._names = {
            self._modern(name.removeprefix(prefix)): name for name in self._places if name.startswith(prefix)
        }

    def rows_of(self, kind: str) -> int:
        """How many rows the table of "word", "position" or "token_type" embeddings has."""
        return self.shape(f"embeddings.{kind}_embeddings.weight")[0]

    @staticmethod
    def _modern(name: str) -> str:
        for old, new in OLD_NAMES.items():
            name = name.replace(old, new)
        return name

    def check(self, shape: BertShape) -> None:
        """ModelError unless every tensor that the layers need is there, as large as the configuration says."""
        self.expect(tensor_shapes(shape), "the encoder")
        pooler: dict[str, tuple[int | None, ...]] = {
            "pooler.dense.weight": (shape.width, shape.width),
            "pooler.dense.bias": (shape.width,),
        }
        if "pooler.dense.weight" in self:
            self.expect(pooler, "the pooler")


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


def tensor_shapes(shape: BertShape) -> dict[str, tuple[int | None, ...]]:
    """The tensors of a BertModel without its pooler."""
    width, inner = shape.width, shape.inner
    dense = {
        "attention.self.query": (width, width), "attention.self.key": (width, width),
        "attention.self.value": (width, width), "attention.output.dense": (width, width),
        "attention.output.LayerNorm": (width,), "intermediate.dense": (inner, width),
        "output.dense": (width, inner), "output.LayerNorm": (width,),
    }  # fmt: skip
    parts = {f"encoder.layer.{number}.{name}": each for number in range(shape.layers) for name, each in dense.items()}
    found: dict[str, tuple[int | None, ...]] = {}
    for kind, rows in zip(("word", "position", "token_type"), shape.rows, strict=True):
        found[f"embeddings.{kind}_embeddings.weight"] = (rows, width)
    for name, each in {"embeddings.LayerNorm": (width,), **parts}.items():
        found[f"{name}.weight"], found[f"{name}.bias"] = each, each[:1]
    return found


def _float32(values: np.ndarray) -> np.ndarray:
    if values.dtype == np.uint16:  # bfloat16
        return widened(values)
    return values.astype(np.float32, copy=False)
