"""Text → token ids with character offsets, and the special tokens around them: the model's own tokenizer, tamed."""

import json
import string
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from searcher.errors import BadValue, ModelError
from searcher.records import MAX_TEXT_BYTES
from searcher.system import kept_once
from searcher.text.loading import load_backend, lower_first

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

__all__ = ["Tokenizer", "Tokens", "check_text"]

# What the ids of this text are tells two tokenizers apart: case, accents, scripts, digits, punctuation, white space.
PROBE = "The Naïve café's e-mail: 1,999€ “ÉCOLE” Straße\t北京 Привет ใน नमस्ते 😀 un##able [MASK] x_y don't\nDIACRITICS ǅ"


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


class Around(NamedTuple):
    """What stands around a text, or two: special tokens before, between and after; and the segment of each part."""

    before: list[int]
    between: list[int]
    after: list[int]
    segments: tuple[list[int], int, list[int], int, list[int]]


class Tokenizer:
    """A Hugging Face `tokenizers` tokenizer with truncation and padding off, whatever its file says.

    cut: at which side a text that is too long is cut, "left" or "right". added: tokens that make it another than its
    file alone would be: text → id.
    """

    def __init__(self, backend: "Backend", cut: str = "right", added: Mapping[str, int] | None = None) -> None:
        # The file of all-MiniLM-L6-v2 truncates and pads at 128 tokens.
        backend.no_truncation()
        backend.no_padding()
        self.backend, self.cut, self.added = backend, cut, dict(added or {})

    @classmethod
    def load(cls, folder: Path, lowercase: bool = False) -> "Tokenizer":
        """The tokenizer of a model folder, as AutoTokenizer has it; `lowercase` lowers the text first
        (sentence-transformers' do_lower_case). Raises ModelError.
        """
        backend, cut, added = load_backend(folder)
        if lowercase:
            lower_first(backend)
        return cls(backend, cut, added)

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """The tokens of each text, without special tokens and never truncated."""
        return [_tokens(encoding) for encoding in _asked(self.backend.encode_batch, texts)]

    def encode_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids alone: quicker than `encode`, which copies offsets too."""
        return [encoding.ids for encoding in _asked(self.backend.encode_batch_fast, texts)]

    @kept_once
    def unknown(self) -> int | None:
        """The id of the unknown token, None if the vocabulary has none (byte-level BPE)."""
        model = json.loads(self.backend.to_str())["model"]
        if isinstance(model.get("unk_id"), int):
            return int(model["unk_id"])
        token = model.get("unk_token")
        number = self.backend.token_to_id(token) if token else None
        return None if number is None else int(number)

    @kept_once
    def longest_word(self) -> int | None:
        """A word of more characters than this becomes one unknown token (WordPiece), whatever it holds."""
        limit = json.loads(self.backend.to_str())["model"].get("max_input_chars_per_word")
        return int(limit) if limit is not None else None

    def length(self, word: str) -> int:
        """How many characters the model sees: 3 for 각, which BERT takes apart, 1 for é, whose accent it drops."""
        normalizer = self.backend.normalizer
        return len(normalizer.normalize_str(word) if normalizer else word)

    @kept_once
    def splits_by_words(self) -> bool:
        """Whether words are tokenised on their own, so that a cut between words leaves the tokens of both sides as
        they were: BERT's normaliser, words and WordPiece. Elsewhere a piece has to be tokenised again.
        """
        spec = json.loads(self.backend.to_str())
        kinds = [(spec[part] or {}).get("type") for part in ("normalizer", "pre_tokenizer", "model")]
        return kinds == ["BertNormalizer", "BertPreTokenizer", "WordPiece"]

    @kept_once
    def digest(self) -> str:
        """Tells tokenizers apart by what they do, so that a converted file and its original agree."""
        import hashlib

        probed = self.wrap(self.encode_ids([PROBE])[0])
        told = [probed, sorted(self.added.items())] if self.added else probed
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]

    @kept_once
    def _sample(self) -> str:
        """A text that has tokens; a vocabulary need not have any letter in particular."""
        for texts in (lambda: string.ascii_letters, self.backend.get_vocab):
            for text in texts():
                with suppress(ModelError):
                    if self.encode_ids([text])[0]:
                        return text
        raise ModelError("this tokenizer makes no tokens of any text")

    def _around(self, *texts: str) -> Around:
        encoding = self.backend.encode(*texts)
        ids, segments, owners = encoding.ids, encoding.type_ids, encoding.sequence_ids
        edges = []  # of the tokens of each text
        for number in range(len(texts)):
            own = [place for place, owner in enumerate(owners) if owner == number]
            if not own or own != list(range(own[0], own[-1] + 1)):
                raise ModelError("this tokenizer puts no tokens of the text between its special tokens")
            edges += [own[0], own[-1] + 1]
        first, second = (edges[0], edges[1]), (edges[-2], edges[-1])
        between = slice(first[1], second[0] if len(texts) == 2 else first[1])
        parts = slice(first[0]), between, slice(second[1], None)
        return Around(
            ids[parts[0]], ids[between], ids[parts[2]],
            (segments[parts[0]], segments[first[0]], segments[between], segments[second[0]], segments[parts[2]]),
        )  # fmt: skip

    @kept_once
    def _single(self) -> Around:
        return self._around(self._sample)

    @kept_once
    def _pair(self) -> Around:
        return self._around(self._sample, self._sample)

    @property
    def special(self) -> int:
        """How many special tokens stand around a single text: 2 for BERT."""
        return len(self._single.before) + len(self._single.after)

    @property
    def before(self) -> int:
        """How many of them stand before it: 1 for BERT."""
        return len(self._single.before)

    def wrap(self, ids: Sequence[int]) -> list[int]:
        """[CLS] ids [SEP], or what the model has in their place."""
        return [*self._single.before, *ids, *self._single.after]

    @property
    def special_in_pair(self) -> int:
        """How many special tokens a pair of texts needs: 3 for BERT, 4 for RoBERTa."""
        return len(self._pair.before) + len(self._pair.between) + len(self._pair.after)

    @property
    def between(self) -> int:
        """How many special tokens stand between the two texts of a pair: 1 for BERT, 2 for RoBERTa."""
        return len(self._pair.between)

    def wrap_pair(self, first: Sequence[int], second: Sequence[int]) -> tuple[list[int], list[int]]:
        """[CLS] first [SEP] second [SEP] and the segment of each token: 0 … 0 1 … 1 for BERT."""
        before, between, after, (s_before, s_first, s_between, s_second, s_after) = self._pair
        ids = [*before, *first, *between, *second, *after]
        segments = [*s_before, *[s_first] * len(first), *s_between, *[s_second] * len(second), *s_after]
        return ids, segments

    def segments(self, count: int) -> list[int] | None:
        """The segment of each token of an input of one text, None where all are 0, which is nearly always."""
        before, own, _, _, after = self._single.segments
        if not (any(before) or own or any(after)):
            return None
        return [*before, *[own] * (count - len(before) - len(after)), *after]

    def places(self, *counts: int) -> list[int]:
        """Where the tokens of a text, or of the two of a pair, begin in their input."""
        if len(counts) == 1:
            return [self.before]
        return [len(self._pair.before), len(self._pair.before) + counts[0] + self.between]

    def kept(self, limit: int, *counts: int) -> list[tuple[int, int]]:
        """Which tokens of a text, or of the two of a pair, go into an input of at most `limit`: (first, last + 1).

        Of a pair the longer one is cut first, as by transformers' truncation "longest_first".
        """
        room = max(0, limit - (self.special if len(counts) == 1 else self.special_in_pair))
        sizes = [min(counts[0], room)]
        if len(counts) == 2 and sum(counts) <= room:
            sizes = list(counts)
        elif len(counts) == 2:
            shorter = min(*counts, room // 2)
            sizes = [shorter, room - shorter] if counts[0] <= counts[1] else [room - shorter, shorter]
        if self.cut == "left":
            return [(count - size, count) for count, size in zip(counts, sizes, strict=True)]
        return [(0, size) for size in sizes]

    def behind(self, prompt: str, texts: Sequence[str]) -> list[tuple[list[int], Tokens]]:
        """The prompt's ids and the text's own tokens of `prompt + text`; their offsets are those in the text.

        A token that a text's first letters share with the end of the prompt is the text's.
        """
        found = []
        for tokens in self.encode([prompt + text for text in texts]):
            own = int(np.argmax(np.append(tokens.ends > len(prompt), True))) if prompt else 0
            rest = tokens.slice(own, len(tokens))
            starts = np.maximum(rest.starts - len(prompt), 0)
            found.append((tokens.ids[:own].tolist(), Tokens(rest.ids, starts, rest.ends - len(prompt), rest.words)))
        return found

    def names(self, ids: Sequence[int]) -> list[str]:
        """The tokens as text: 'play', '##ing'."""
        return [self.backend.id_to_token(number) or "?" for number in ids]


def _asked(encode: Callable[..., list[Any]], texts: Sequence[str]) -> list[Any]:
    try:
        return encode(list(texts), add_special_tokens=False)
    except Exception as fault:  # tokenizers raises bare Exception: a vocabulary without the unknown token it names
        raise ModelError(f"the model's tokenizer fails: {fault}") from None


def _tokens(encoding: Any) -> Tokens:
    # `offsets`, `word_ids` and `ids` copy the whole list at each access: read each once.
    count, words = len(encoding), encoding.word_ids
    offsets = np.fromiter(chain.from_iterable(encoding.offsets), np.int64, 2 * count).reshape(-1, 2)
    if None in words:
        words = [-1 - i if word is None else word for i, word in enumerate(words)]
    ids = np.fromiter(encoding.ids, np.int64, count)
    return Tokens(ids, offsets[:, 0], offsets[:, 1], np.fromiter(words, np.int64, count))
