"""How likely a text is in any of some fifty languages, in nats: the less it costs, the likelier it is one.

Words are judged by which letters follow each other (`letters.npz`, made by benchmarks/letters.py), ideographs by how
common they are, signs by where they stand (signs.py).
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from searcher.readers.signs import Kind, pair_costs, sign, within_costs

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Likelihood", "likelihood"]

UNIT = 0.5  # nats of a stored cost
FOREIGN = 13.0  # nats of a letter of another script within a word
SWITCH = 6.0  # … of a word of another language than the rest
ANOTHER_SCRIPT = 2.0
SENTENCE_ENDS = "\n.!?"
# … of a capital that begins a word, that follows a capital, a small letter; of a small letter that begins a sentence.
CAPITAL, CAPITALS, TURNED, UNCAPPED = 1.5, 1.0, 5.0, 1.0
OTHER = {"ț": "ţ", "ș": "ş", "ی": "ي"}  # written otherwise in most legacy encodings
# What an ideograph costs that is not among the commonest: by its level in the national standard, told by the lead byte.
LEVELS = {
    "zh-hans": ("gb2312", range(0xB0, 0xD8), 9.9),
    "zh-hant": ("big5", range(0xA4, 0xC7), 10.3),
    "ja": ("euc_jp", range(0xB0, 0xD0), 9.6),
    "ko": ("euc_kr", range(0xB0, 0xC9), 9.5),
}
SECOND_LEVEL, NO_LEVEL, HALF_WIDTH = 12.5, 14.5, 9.0  # half-width katakana come in words


class Likelihood(NamedTuple):
    """What a text costs in nats; languages: the likeliest of each script in it, that of the most words first."""

    cost: float
    languages: tuple[str, ...]


class Script(NamedTuple):
    """The letters of a script and what they cost. costs: (languages, n + 2, n + 2) nats, float32.

    Index 0 is whatever is no letter, the last index a letter of another script.
    """

    letters: dict[str, int]
    languages: list[str]
    costs: "np.ndarray"


def likelihood(text: str) -> Likelihood:
    """The cost of a text in the language that fits it best."""
    import numpy as np

    codes = np.frombuffer(f"\n\n{text}\n".encode("utf-32-le", "surrogatepass"), dtype="<u4")
    present, of, counts = np.unique(codes, return_inverse=True, return_counts=True)
    signs = [sign(chr(code)) for code in present.tolist()]
    kinds = np.array([own.kind for own in signs])[of]
    is_letter = kinds == Kind.LETTER
    cost = float((np.array([own.cost for own in signs]) * counts).sum())
    cost += float(pair_costs()[kinds[:-1], kinds[1:]].sum())
    cost += float(within_costs()[kinds[1:-1]][is_letter[:-2] & is_letter[2:]].sum())
    ends = np.array([own.character in SENTENCE_ENDS for own in signs])[of]
    cost += _case_cost(is_letter, np.array([own.is_upper for own in signs])[of], ends)
    ideographs = {own.character: int(n) for own, n in zip(signs, counts, strict=True) if own.kind is Kind.IDEOGRAPH}
    edges = np.flatnonzero(np.diff(is_letter.astype(np.int8))) - 1  # where in the text words begin and end
    words = Counter(_lower(text[start:end]) for start, end in edges.reshape(-1, 2).tolist())
    return _of_words(words, ideographs, cost)


def _lower(word: str) -> str:
    return "".join(sign(letter).lower for letter in word)


def _case_cost(is_letter: "np.ndarray", is_upper: "np.ndarray", ends: "np.ndarray") -> float:
    """What capitals cost, by what stands before them, and small letters where a sentence begins."""
    now, before, first = is_letter[2:], is_letter[1:-1], ends[:-2] & ~is_letter[1:-1]
    upper, after_upper = is_upper[2:] & now, is_upper[1:-1]
    return float(
        CAPITAL * (upper & ~before & ~first).sum()
        + UNCAPPED * (now & ~upper & first).sum()
        + CAPITALS * (upper & before & after_upper).sum()
        + TURNED * (upper & before & ~after_upper).sum()
    )


def _of_words(words: Counter[str], ideographs: dict[str, int], cost: float) -> Likelihood:
    """The cost of the words and ideographs of a text, beside what its signs cost."""
    by_script: dict[str, Counter[str]] = {}
    for word, count in words.items():
        by_script.setdefault(_script(word), Counter())[word] = count
    sizes = [sum(own.values()) for own in by_script.values()]
    found = [_words_cost(script, own) for script, own in by_script.items()]
    if ideographs:
        sizes.append(sum(ideographs.values()))
        found.append(_ideographs_cost(ideographs))
    switches = sum(-size * math.log(size / sum(sizes)) for size in sizes)
    switches += ANOTHER_SCRIPT * (len(by_script.keys() - {"LATIN"}) + bool(ideographs))
    languages = [language for _, (_, language) in sorted(zip(sizes, found, strict=True), reverse=True)]
    return Likelihood(cost + switches + sum(own for own, _ in found), tuple(languages) or ("en",))


def _script(word: str) -> str:
    return sign(next((letter for letter in word if not letter.isascii()), "a")).script


def _words_cost(script: str, words: Counter[str]) -> tuple[float, str]:
    """Of the words of a script, in the language that fits them best, a word here and there excepted."""
    import numpy as np

    known = _scripts().get(script)
    if known is None:
        return sum(FOREIGN * len(word) * count for word, count in words.items()), script.lower()
    plain = tuple(word for word in words if word.isascii())
    others = tuple(word for word in words if not word.isascii())
    costs = np.concatenate([_costs_of_many(script, plain), _costs(known, others)], axis=1)
    costs = np.minimum(costs, costs.min(0) + SWITCH) @ np.array([words[word] for word in plain + others])
    best = int(costs.argmin())
    return float(costs[best]), known.languages[best]


@lru_cache(maxsize=8)
def _costs_of_many(script: str, words: tuple[str, ...]) -> "np.ndarray":
    """The words of ASCII are the same in most readings of the same bytes."""
    return _costs(_scripts()[script], words)


def _costs(script: Script, words: Sequence[str]) -> "np.ndarray":
    """What each word costs in each language. -> (languages, words)"""
    import numpy as np

    if not words:
        return np.zeros((len(script.languages), 0))
    other = script.costs.shape[1] - 1
    letters = [[script.letters.get(OTHER.get(letter, letter), other) for letter in word] for word in words]
    flat = np.array([index for word in letters for index in (*word, 0)])
    before = np.concatenate([[0], flat[:-1]])
    starts = np.cumsum([0, *(len(word) + 1 for word in letters[:-1])])
    return np.add.reduceat(script.costs[:, before, flat], starts, axis=1)


def _ideographs_cost(characters: dict[str, int]) -> tuple[float, str]:
    return min(
        (sum(_ideograph_cost(language, c) * count for c, count in characters.items()), language) for language in LEVELS
    )


@cache
def _ideograph_cost(language: str, character: str) -> float:
    if language == "ja" and "\uff61" <= character <= "\uff9f":
        return HALF_WIDTH
    common = _ideographs()[language].get(character)
    if common is not None:
        return common
    codec, leads, cost = LEVELS[language]
    try:
        return cost if character.encode(codec)[0] in leads else SECOND_LEVEL
    except UnicodeEncodeError:
        return NO_LEVEL


@cache
def _scripts() -> dict[str, Script]:
    import numpy as np

    found = {}
    for name, arrays in _stored(("letters", "languages", "costs")).items():
        costs = np.pad(arrays["costs"] * np.float32(UNIT), ((0, 0), (0, 1), (0, 1)), constant_values=FOREIGN)
        letters = {letter: number for number, letter in enumerate(str(arrays["letters"]), 1)}
        found[name] = Script(letters, arrays["languages"].tolist(), costs)
    return found


@cache
def _ideographs() -> dict[str, dict[str, float]]:
    return {
        language: dict(zip(str(arrays["characters"]), (arrays["costs"] * UNIT).tolist(), strict=True))
        for language, arrays in _stored(("characters", "costs")).items()
    }


def _stored(parts: Iterable[str]) -> "dict[str, dict[str, np.ndarray]]":
    """Those entries of the file that have all these parts."""
    import numpy as np

    with files("searcher.readers").joinpath("letters.npz").open("rb") as stream, np.load(stream) as stored:
        names = dict.fromkeys(key.split(" ")[0] for key in stored)
        whole = [name for name in names if all(f"{name} {part}" in stored for part in parts)]
        return {name: {part: stored[f"{name} {part}"] for part in parts} for name in whole}
