"""A sentence-transformers folder → the settings of a model; what changes vectors and is not applied is refused by name.

The files are those that sentence-transformers 6.2 reads: modules.json, a folder for each module,
sentence_bert_config.json beside the weights, config_sentence_transformers.json.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from searcher.embedding.folders import digest_of, read_settings, weight_files
from searcher.errors import ModelError
from searcher.system import kept_once

__all__ = ["UNIT", "Dense", "Step", "check_modules", "inner_folder", "settings_of"]

APPLIED = ("Transformer", "Pooling", "Dense", "Normalize", "Dropout")

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

# The file of settings beside the weights has had many names; sentence-transformers takes the first one there.
TRANSFORMER_FILES = [
    f"sentence_{kind}_config.json"
    for kind in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
]

Good = Callable[[Any], bool]


def _is(*values: Any) -> Good:
    return lambda value: any(value is good or (value == good and type(value) is type(good)) for good in values)


def _anything(value: Any) -> bool:
    return True


def _only(*keys: str) -> Good:
    """An object without other keys, or nothing: arguments to loading that change no vector of ours."""
    return lambda value: not value or (isinstance(value, Mapping) and set(value) <= set(keys))


# Which values of a setting are what we do anyway; a setting that is not in its table, or another value, is refused.
SENTENCE = _is(None, "sentence_embedding")
LOADING = ("torch_dtype", "dtype", "attn_implementation", "add_pooling_layer", "low_cpu_mem_usage", "use_safetensors",
           "trust_remote_code")  # fmt: skip
TRANSFORMER_SETTINGS: dict[str, Good] = {
    "max_seq_length": lambda value: value is None or _count(value),
    "do_lower_case": _is(None, True, False),
    "transformer_task": _is(None, "feature-extraction"),
    "modality_config": lambda value: value in (None, *_text_of("last_hidden_state"), *_text_of(["last_hidden_state"])),
    "module_output_name": _is(None, "token_embeddings"),
    "unpad_inputs": _anything,
    "processing_kwargs": _only(),
    "query_length": _is(None),
    "document_length": _is(None),
    "query_expansion": _is(None),
    "model_args": _only(*LOADING),
    "model_kwargs": _only(*LOADING),
    "tokenizer_args": _only("use_fast", "padding_side", "trust_remote_code"),
    "processor_kwargs": _only("use_fast", "padding_side", "trust_remote_code"),
    "config_args": _only("trust_remote_code"),
    "config_kwargs": _only("trust_remote_code"),
}
POOLING_SETTINGS: dict[str, Good] = {
    "embedding_dimension": _anything,
    "word_embedding_dimension": _anything,
    "pooling_mode": _anything,  # looked at by _pooling
    "include_prompt": _is(True, False),
    **dict.fromkeys(LEGACY_POOLING_KEYS, _is(True, False)),
}
NORMALIZE_SETTINGS: dict[str, Good] = {"module_input_name": SENTENCE, "module_output_name": SENTENCE}
DENSE_SETTINGS: dict[str, Good] = {
    "in_features": lambda value: _count(value),
    "out_features": lambda value: _count(value),
    "bias": _is(True, False),
    "activation_function": lambda value: isinstance(value, str),  # looked at where it is applied
    "use_residual": _is(True, False),
    **NORMALIZE_SETTINGS,
}
FOLDER_SETTINGS: dict[str, Good] = {
    "__version__": _anything,
    "requirements": _anything,
    "similarity_fn_name": _anything,
    "default_prompt_name": _anything,
    "model_type": _is(None, "SentenceTransformer"),
    "prompts": lambda value: value is None or (isinstance(value, Mapping) and all(map(_text_or_none, value.values()))),
    "truncate_dim": lambda value: value is None or _count(value),
}


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _text_or_none(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _text_of(output: Any) -> list[dict[str, Any]]:
    return [{"text": {"method": "forward", "method_output_name": output}}]


@dataclass(frozen=True)
class Dense:
    """A Dense module: activation(x W + b), and x itself or x R added where residual. outputs: length of its vectors."""

    folder: Path
    weights: tuple[Path, ...]
    inputs: int
    outputs: int
    bias: bool
    activation: str
    residual: bool

    @kept_once
    def mark(self) -> dict[str, Any]:
        """What tells it apart from another."""
        return {"dense": digest_of(self.weights), "activation": self.activation, "residual": self.residual}


# What is done to a pooled vector before it is given out: a Dense, unit length, or so many leading numbers are kept.
Step = Dense | Literal["unit length"] | int
UNIT: Literal["unit length"] = "unit length"


def inner_folder(folder: Path, modules: Sequence[Mapping[str, Any]]) -> Path:
    """Where the encoder itself lies. ModelError for a path that leads out of the folder."""
    return next((_folder_of(folder, module) for module in modules if _kind(module) == "Transformer"), folder)


def settings_of(
    name: str, folder: Path, modules: Sequence[Mapping[str, Any]], window: int, torch_weights: bool
) -> dict[str, Any]:
    """What a sentence-transformers folder says of a `Model`: fields and their values.

    Raises ModelError that names the module or setting that searcher does not apply.
    """
    changes: dict[str, Any] = {"normalize": False}
    steps: list[Step] = []
    for module in modules:
        kind, place = _kind(module), _folder_of(folder, module)
        if kind == "Pooling":
            settings = _checked(name, place / "config.json", POOLING_SETTINGS)
            changes["pooling"] = _pooling(name, settings)
            changes["pools_prompt"] = settings.get("include_prompt", True)
        elif kind == "Normalize":
            _checked(name, place / "config.json", NORMALIZE_SETTINGS)
            steps.append(UNIT)
        elif kind == "Dense":
            steps.append(_dense(name, place, torch_weights))
    named = _checked(name, folder / "config_sentence_transformers.json", FOLDER_SETTINGS)
    if kept := named.get("truncate_dim"):
        steps.append(kept)
    if steps and steps[-1] == UNIT:  # the last one is the embedder's own, which a caller may leave out
        steps.pop()
        changes["normalize"] = True
    prompts = named.get("prompts") or {}
    # As encode_query and encode_document do; default_prompt_name is for its plain encode alone.
    changes["prompts"] = {
        "query": prompts.get("query") or "",
        "passage": next((prompts[key] for key in PASSAGE_PROMPTS if prompts.get(key)), ""),
    }
    inner = inner_folder(folder, modules)
    file = next((inner / file for file in TRANSFORMER_FILES if (inner / file).exists()), None)
    settings = _checked(name, file, TRANSFORMER_SETTINGS) if file else {}
    if limit := settings.get("max_seq_length"):
        changes["max_seq_length"] = min(limit, window)
    changes["lowercase"] = bool(settings.get("do_lower_case"))
    return changes | {"head": tuple(steps)}


def check_modules(name: str, modules: Sequence[Mapping[str, Any]]) -> None:
    """ModelError unless all modules are ones that we apply, in an order in which we do."""
    for module in modules:
        if not str(module.get("type", "")).startswith("sentence_transformers."):
            raise ModelError(f"{name} has a module {module.get('type')!r}: code of its own, which searcher never runs")
    kinds = [_kind(module) for module in modules]
    if unknown := [kind for kind in kinds if kind not in APPLIED]:
        raise ModelError(f"{name} has a {unknown[0]} module, which searcher does not apply: its vectors would differ")
    if kinds[:2] != ["Transformer", "Pooling"] or {"Transformer", "Pooling"} & set(kinds[2:]):
        order = ", ".join(kinds) or "none"
        raise ModelError(f"{name} has the modules {order}; good: Transformer, Pooling, then {', '.join(APPLIED[2:])}")


def _kind(module: Mapping[str, Any]) -> str:
    """The last part of "sentence_transformers.models.Pooling": the class has moved over the years."""
    return str(module.get("type", "")).rpartition(".")[2]


def _folder_of(folder: Path, module: Mapping[str, Any]) -> Path:
    path = module.get("path", "")
    parts = PurePosixPath(str(path).replace("\\", "/"))
    if not isinstance(path, str) or parts.is_absolute() or ".." in parts.parts:
        raise ModelError(f"{folder / 'modules.json'} has a module at {path!r}, which is not in the folder")
    return folder / parts


def _checked(name: str, file: Path, known: Mapping[str, Good]) -> dict[str, Any]:
    """The settings of a file, none if it is not there, all of them known and of a value that we apply."""
    settings = read_settings(file) or {}
    for key, value in settings.items():
        if key not in known or not known[key](value):
            where = "/".join(file.parts[-2:]) if file.parent.name[:1].isdigit() else file.name
            raise ModelError(
                f"{name}: {where} says {key} {_short(value)}, which searcher does not apply: its vectors would differ"
            )
    return settings


def _short(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "…"


def _pooling(name: str, settings: Mapping[str, Any]) -> str:
    """Our name of a sentence-transformers pooling; several are joined with "+"."""
    modes = settings.get("pooling_mode")
    if modes is None:
        names = [ours for key, ours in LEGACY_POOLING_KEYS.items() if settings.get(key)] or ["mean"]
    else:
        modes = modes if isinstance(modes, list) else [modes]
        if unknown := [mode for mode in modes if not isinstance(mode, str) or mode not in POOLING_NAMES]:
            raise ModelError(f"{name} pools by {unknown[0]!r}; known: {', '.join(POOLING_NAMES)}")
        if not modes:
            raise ModelError(f"{name} pools by nothing; known: {', '.join(POOLING_NAMES)}")
        names = [POOLING_NAMES[mode] for mode in modes]
    return "+".join(names)


def _dense(name: str, folder: Path, torch_weights: bool) -> Dense:
    settings = _checked(name, folder / "config.json", DENSE_SETTINGS)
    for key in ("in_features", "out_features"):
        if key not in settings:
            raise ModelError(f"{folder / 'config.json'} says nothing of {key}")
    return Dense(
        folder, weight_files(folder, torch_weights), settings["in_features"], settings["out_features"],
        settings.get("bias", True), settings.get("activation_function", "torch.nn.modules.activation.Tanh"),
        settings.get("use_residual", False),
    )  # fmt: skip
