"""A model's folder → the backend of its tokenizer: tokenizer.json where that says all, else as AutoTokenizer has it.

tokenizer_config.json may say otherwise than tokenizer.json, and which of the two counts depends on the class that it
names: transformers alone knows. It is asked only where they differ, since importing it takes seconds.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from searcher.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

__all__ = ["Loaded", "load_backend", "lower_first"]

VOCABULARIES = ("vocab.txt", "vocab.json", "*.model")
SIDES = ("left", "right")


class Loaded(NamedTuple):
    """A backend, at which side a text too long is cut, and the tokens that tokenizer.json does not know: text → id."""

    backend: "Backend"
    cut: str
    added: dict[str, int]


def load_backend(folder: Path) -> Loaded:
    """The backend of a model folder, as transformers' AutoTokenizer would make it.

    Raises ModelError for a folder without a tokenizer, for files that cannot be read, or that disagree so that
    transformers cannot make one tokenizer of them.
    """
    from tokenizers import Tokenizer as Backend

    config, file = _settings(folder / "tokenizer_config.json"), folder / "tokenizer.json"
    if not file.exists():  # vocab.txt, merges.txt, sentencepiece: transformers knows how to convert each
        if not any(file for pattern in VOCABULARIES for file in folder.glob(pattern)):
            # transformers would make one of special tokens only, to which every word is unknown.
            raise ModelError(f"no tokenizer in {folder}: neither tokenizer.json nor {', '.join(VOCABULARIES)}")
        backend = _of_transformers(folder, f"no usable tokenizer in {folder}")
        return Loaded(backend, _side(folder, config, backend), {})
    try:
        backend = Backend.from_file(str(file))
    except Exception as fault:  # tokenizers raises bare Exception
        raise ModelError(f"{file} is not a tokenizer: {fault}") from None
    side = _side(folder, config, backend)
    backend.no_truncation()
    backend.no_padding()
    if difference := _difference(backend, config, folder):
        own = backend.get_vocab()
        backend = _of_transformers(folder, f"{folder} says {difference}, unlike its tokenizer.json")
        return Loaded(backend, side, {token: n for token, n in backend.get_vocab().items() if own.get(token) != n})
    backend.encode_special_tokens = bool(config.get("split_special_tokens"))
    return Loaded(backend, side, {})


def lower_first(backend: "Backend") -> None:
    """Let it lower a text before all else, unless it does at some step: as sentence-transformers' do_lower_case."""
    from tokenizers import normalizers

    if not _has("Lowercase")([*_parts(backend.normalizer)]):
        rest = [backend.normalizer] if backend.normalizer else []
        backend.normalizer = normalizers.Sequence([normalizers.Lowercase(), *rest])


def _of_transformers(folder: Path, problem: str) -> "Backend":
    from transformers import AutoTokenizer
    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        made = AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False, local_files_only=True)
        if not hasattr(made, "backend_tokenizer"):
            raise ValueError(f"{type(made).__name__} is none of the tokenizers library")
        return made.backend_tokenizer
    except Exception as fault:  # of json, sentencepiece, tokenizers and transformers
        reason = (str(fault).strip().splitlines() or [type(fault).__name__])[0]
        raise ModelError(f"{problem}: {reason}") from None
    finally:
        logging.set_verbosity(level)


def _settings(file: Path) -> dict[str, Any]:
    """The object that a JSON file holds, empty if there is no such file."""
    try:
        found = json.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as fault:
        raise ModelError(f"{file} cannot be read: {fault or type(fault).__name__}") from None
    if not isinstance(found, dict):
        raise ModelError(f"{file} holds {type(found).__name__}, not an object")
    return found


def _side(folder: Path, config: Mapping[str, Any], backend: "Backend") -> str:
    side = config.get("truncation_side") or (backend.truncation or {}).get("direction") or "right"
    if str(side).lower() not in SIDES:
        raise ModelError(f"{folder / 'tokenizer_config.json'} says truncation_side {side!r}; good: left, right")
    return str(side).lower()


Part = Mapping[str, Any]


def _difference(backend: "Backend", config: Mapping[str, Any], folder: Path) -> str:
    """The first setting that tokenizer.json does otherwise, or a token that it knows otherwise; "" if there is none."""
    parts = [*_parts(backend.normalizer), *_parts(backend.pre_tokenizer)]
    for name, (says, does) in SETTINGS.items():
        wanted = says(config)
        if wanted is not None and (done := does(parts)) is not None and done != wanted:
            return f"{name} {config[name]!r}"
    known = {str(token.content): token for token in backend.get_added_tokens_decoder().values()}
    if "added_tokens_decoder" in config:
        told = _contents(config["added_tokens_decoder"])
        for text, token in told.items():
            if text not in known or any(getattr(known[text], flag) != token.get(flag, False) for flag in FLAGS):
                return f"token {text!r}"
        if missing := known.keys() - told.keys():
            return f"no token {min(missing)!r}"
    else:  # older folders have them in files of their own
        config = {**config, **_settings(folder / "special_tokens_map.json")}
        config["added_tokens"] = list(_settings(folder / "added_tokens.json"))
    named = {key: value for key, value in config.items() if key.endswith("_token") or key in TOKEN_LISTS}
    for key, value in named.items():
        if missing := _contents(value).keys() - known.keys():
            return f"{key} {min(missing)!r}"
    unknown = getattr(backend.model, "unk_token", None)
    around = backend.encode("").tokens  # what stands around a text, and nothing else
    places = {"cls_token": around, "sep_token": around, "unk_token": [unknown] if unknown else None}
    for key, tokens in places.items():
        if tokens is not None and (missing := _contents(config.get(key)).keys() - set(tokens)):
            return f"{key} {min(missing)!r}"
    return ""


FLAGS = ("lstrip", "rstrip", "normalized", "single_word", "special")
TOKEN_LISTS = ("additional_special_tokens", "added_tokens", "extra_special_tokens")


def _contents(value: Any) -> dict[str, Mapping[str, Any]]:
    """The tokens that a setting names, in any of the forms that it has had: text → what is said of the token."""
    if isinstance(value, str):
        return {value: {}}
    if isinstance(value, Mapping):
        if isinstance(value.get("content"), str):
            return {value["content"]: value}
        value = list(value.values())
    found: dict[str, Mapping[str, Any]] = {}
    for each in value if isinstance(value, list) else []:
        found |= _contents(each)
    return found


def _parts(component: Any) -> Iterator[Part]:
    """The settings of a normalizer or pre-tokenizer, and of those that it is made of."""
    waiting = [] if component is None else [json.loads(component.__getstate__())]
    while waiting:
        part = waiting.pop(0)
        yield part
        waiting = [*part.get("normalizers", []), *part.get("pretokenizers", []), *waiting]


def _said(name: str) -> Callable[[Mapping[str, Any]], bool | None]:
    return lambda config: None if config.get(name) is None else bool(config[name])


def _accents_said(config: Mapping[str, Any]) -> bool | None:
    """BERT strips accents where it lowers, unless told."""
    if "strip_accents" not in config:
        return None
    said = config["strip_accents"]
    return bool(config.get("do_lower_case", True) if said is None else said)


def _lowers(parts: list[Part]) -> bool:
    return any(part["type"] == "Lowercase" or part.get("lowercase") for part in parts)


def _bert(key: str) -> Callable[[list[Part]], bool | None]:
    return lambda parts: next((part[key] for part in parts if part["type"] == "BertNormalizer"), None)


def _strips(parts: list[Part]) -> bool | None:
    for part in parts:
        if part["type"] == "BertNormalizer":
            return bool(part["lowercase"] if part["strip_accents"] is None else part["strip_accents"])
    return None


def _has(kind: str) -> Callable[[list[Part]], bool]:
    return lambda parts: any(part["type"] == kind for part in parts)


def _prefixes(parts: list[Part]) -> bool | None:
    """Whether a space is put before the text, so that its first word is like any other."""
    for part in parts:
        if part["type"] == "ByteLevel":
            return bool(part["add_prefix_space"])
        if part["type"] == "Metaspace":
            return part.get("prepend_scheme", "always" if part.get("add_prefix_space") else "never") != "never"
    return None


# Settings of tokenizer_config.json that change ids → what it says, and what tokenizer.json does; None is nothing.
SETTINGS: dict[str, tuple[Callable[[Mapping[str, Any]], bool | None], Callable[[list[Part]], bool | None]]] = {
    "do_lower_case": (_said("do_lower_case"), _lowers),
    "strip_accents": (_accents_said, _strips),
    "tokenize_chinese_chars": (_said("tokenize_chinese_chars"), _bert("handle_chinese_chars")),
    "clean_text": (_said("clean_text"), _bert("clean_text")),
    "keep_accents": (_said("keep_accents"), lambda parts: not _has("StripAccents")(parts)),
    "split_by_punct": (_said("split_by_punct"), _has("Punctuation")),
    "add_prefix_space": (_said("add_prefix_space"), _prefixes),
}
