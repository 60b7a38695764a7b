"""Text → token ids with character offsets, and the special tokens around them: the model's own tokenizer, tamed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from searcher.errors import BadValue, ModelError
from searcher.records import MAX_TEXT_BYTES

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

__all__ = ["Tokenizer", "Tokens", "check_text"]

# What the ids of this text are tells two tokenizers apart: case, accents, scripts, digits, punctuation, white space.
PROBE = "The Naïve café's e-mail: 1,999€ “ÉCOLE” Straße\t北京 Привет ใน नमस्ते 😀 un##able [MASK] x_y don't\nDIACRITICS ǅ"

VOCABULARIES = ("vocab.txt", "vocab.json", "*.model")


@dataclass(frozen=True)
class Tokens:
    """The tokens of one text, special tokens not included; n tokens, offsets in code points.

    ids, starts, ends, words: (n,) int64; tokens of one word share a number in `words`.
    """

    ids: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    words: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def slice(self, first: int, last: int) -> "Tokens":
        """Tokens first … last - 1; offsets still count from the start of the whole text."""
        part = slice(first, last)
        return Tokens(self.ids[part], self.starts[part], self.ends[part], self.words[part])


def check_text(text: str, name: str = "the text") -> str:
    """The text itself; BadValue for what is not a `str`, is too long, or holds a lone surrogate, which has no bytes."""
    if not isinstance(text, str):
        raise BadValue(f"{name} is {type(text).__name__} {text!r:.40}, not str")
    if len(text) > MAX_TEXT_BYTES:
        raise BadValue(f"{name} has {len(text):,} characters; at most {MAX_TEXT_BYTES:,} are taken")
    try:
        text.encode()
    except UnicodeEncodeError as fault:
        bad = f"U+{ord(text[fault.start]):04X}"
        raise BadValue(f"{name} holds a lone surrogate ({bad}) at character {fault.start + 1}") from None
    return text


class Tokenizer:
    """A Hugging Face `tokenizers` tokenizer with truncation and padding off, whatever its file says."""

    def __init__(self, backend: "Backend") -> None:
        # The file of all-MiniLM-L6-v2 truncates and pads at 128 tokens.
        backend.no_truncation()
        backend.no_padding()
        self.backend = backend

    @classmethod
    def load(cls, folder: Path, lowercase: bool = False) -> "Tokenizer":
        """The tokenizer of a model folder; `lowercase` lowers the text first (sentence-transformers' do_lower_case)."""
        file = folder / "tokenizer.json"
        if file.exists():
            from tokenizers import Tokenizer as Backend

            try:
                backend = Backend.from_file(str(file))
            except Exception as fault:  # tokenizers raises bare Exception
                raise ModelError(f"{file} is not a tokenizer: {fault}") from None
        else:  # vocab.txt, merges.txt, sentencepiece: transformers knows how to convert each
            from transformers import AutoTokenizer

            if not any(file for pattern in VOCABULARIES for file in folder.glob(pattern)):
                # transformers would make one of special tokens only, to which every word is unknown.
                raise ModelError(f"no tokenizer in {folder}: neither tokenizer.json nor {', '.join(VOCABULARIES)}")
            try:
                slow_or_fast = AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False)
                backend = slow_or_fast.backend_tokenizer
            except (OSError, ValueError, AttributeError, ImportError) as fault:
                reason = str(fault).strip().splitlines()[0]
                raise ModelError(f"no usable tokenizer in {folder}: {reason}") from None
        if lowercase:
            from tokenizers import normalizers

            rest = [backend.normalizer] if backend.normalizer else []
            backend.normalizer = normalizers.Sequence([normalizers.Lowercase(), *rest])
        return cls(backend)

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """The tokens of each text, without special tokens and never truncated."""
        encodings = self.backend.encode_batch(list(texts), add_special_tokens=False)
        return [_tokens(encoding) for encoding in encodings]

    def encode_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids alone: quicker than `encode`, which copies offsets too."""
        encodings = self.backend.encode_batch_fast(list(texts), add_special_tokens=False)
        return [encoding.ids for encoding in encodings]

    @cached_property
    def unknown(self) -> int | None:
        """The id of the unknown token, None if the vocabulary has none (byte-level BPE)."""
        model = json.loads(self.backend.to_str())["model"]
        if isinstance(model.get("unk_id"), int):
            return int(model["unk_id"])
        token = model.get("unk_token")
        number = self.backend.token_to_id(token) if token else None
        return None if number is None else int(number)

    @cached_property
    def longest_word(self) -> int | None:
        """A word of more characters than this becomes one unknown token (WordPiece), whatever it holds."""
        limit = json.loads(self.backend.to_str())["model"].get("max_input_chars_per_word")
        return int(limit) if limit is not None else None

    def length(self, word: str) -> int:
        """How many characters the model sees: 3 for 각, which BERT takes apart, 1 for é, whose accent it drops."""
        normalizer = self.backend.normalizer
        return len(normalizer.normalize_str(word) if normalizer else word)

    @cached_property
    def splits_by_words(self) -> bool:
        """Whether words are tokenised on their own, so that a cut between words leaves the tokens of both sides as
        they were: BERT's normaliser, words and WordPiece. Elsewhere a piece has to be tokenised again.
        """
        spec = json.loads(self.backend.to_str())
        kinds = [(spec[part] or {}).get("type") for part in ("normalizer", "pre_tokenizer", "model")]
        return kinds == ["BertNormalizer", "BertPreTokenizer", "WordPiece"]

    @cached_property
    def digest(self) -> str:
        """Tells tokenizers apart by what they do, so that a converted file and its original agree."""
        import hashlib

        return hashlib.sha256(json.dumps(self.wrap(self.encode_ids([PROBE])[0])).encode()).hexdigest()[:16]

    @cached_property
    def _template(self) -> tuple[list[int], list[int]]:
        """Special tokens before and after a single text."""
        bare = self.backend.encode("a", add_special_tokens=False).ids
        full = self.backend.encode("a").ids
        at = _find(full, bare)
        return full[:at], full[at + len(bare) :]

    @property
    def special(self) -> int:
        """How many special tokens stand around a single text: 2 for BERT."""
        before, after = self._template
        return len(before) + len(after)

    @property
    def before(self) -> int:
        """How many of them stand before it: 1 for BERT."""
        return len(self._template[0])

    def wrap(self, ids: Sequence[int]) -> list[int]:
        """[CLS] ids [SEP], or what the model has in their place."""
        before, after = self._template
        return [*before, *ids, *after]

    @cached_property
    def _pair_template(self) -> tuple[Any, ...]:
        """(before, between, after) of a pair, and the segment number of each of the five parts."""
        a, b = (self.backend.encode(letter, add_special_tokens=False).ids for letter in "ab")
        full = self.backend.encode("a", "b")
        first = _find(full.ids, a)
        second = _find(full.ids, b, first + len(a))
        parts = full.ids[:first], full.ids[first + len(a) : second], full.ids[second + len(b) :]
        segments = full.type_ids
        numbers = (
            segments[: len(parts[0])], segments[first], segments[first + len(a) : second],
            segments[second], segments[second + len(b) :],
        )  # fmt: skip
        return parts, numbers

    @property
    def special_in_pair(self) -> int:
        """How many special tokens a pair of texts needs: 3 for BERT, 4 for RoBERTa."""
        return sum(len(part) for part in self._pair_template[0])

    @property
    def between(self) -> int:
        """How many special tokens stand between the two texts of a pair: 1 for BERT, 2 for RoBERTa."""
        return len(self._pair_template[0][1])

    def wrap_pair(self, first: Sequence[int], second: Sequence[int]) -> tuple[list[int], list[int]]:
        """[CLS] first [SEP] second [SEP] and the segment of each token: 0 … 0 1 … 1 for BERT."""
        (before, between, after), (s_before, s_first, s_between, s_second, s_after) = self._pair_template
        ids = [*before, *first, *between, *second, *after]
        segments = [*s_before, *[s_first] * len(first), *s_between, *[s_second] * len(second), *s_after]
        return ids, segments

    def names(self, ids: Sequence[int]) -> list[str]:
        """The tokens as text: 'play', '##ing'."""
        return [self.backend.id_to_token(number) or "?" for number in ids]


def _tokens(encoding: Any) -> Tokens:
    # `offsets`, `word_ids` and `ids` copy the whole list at each access: read each once.
    count, words = len(encoding), encoding.word_ids
    offsets = np.fromiter(chain.from_iterable(encoding.offsets), np.int64, 2 * count).reshape(-1, 2)
    if None in words:
        words = [-1 - i if word is None else word for i, word in enumerate(words)]
    ids = np.fromiter(encoding.ids, np.int64, count)
    return Tokens(ids, offsets[:, 0], offsets[:, 1], np.fromiter(words, np.int64, count))


def _find(ids: list[int], part: list[int], start: int = 0) -> int:
    for at in range(start, len(ids) - len(part) + 1):
        if ids[at : at + len(part)] == part:
            return at
    raise ModelError("this tokenizer puts no tokens of the text between its special tokens")
