"""Words of texts, near enough to be compared: to mark those of a question in a passage, or to count them."""

import re

__all__ = ["telling"]

# Kana and Chinese characters; compiled when first met, which takes longer than all else that is imported here.
UNSPACED = "[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
ENDING = re.compile(r"(?<=\w{3})(?:ing|ed|es|s|e|ly)\Z")


def telling(text: str, letters: int = 3) -> set[str]:
    """The words of a text of at least so many letters, without case and the commonest endings of English.

    Near enough to what the keyword index takes for the same word to mark it, or to count what a passage holds. In
    scripts without spaces, pairs of signs.

    >>> sorted(telling("Padding padded the averages")), sorted(telling("東京都"))
    (['averag', 'pad', 'the'], ['京都', '東京'])
    """
    words: set[str] = set()
    for word in re.findall(r"\w+", text.casefold()):
        if not word.isascii() and re.search(UNSPACED, word):
            words.update(word[at : at + 2] for at in range(max(1, len(word) - 1)))
        elif len(word) >= letters:
            words.add(_stem(word))
    return words


def _stem(word: str) -> str:
    stem = ENDING.sub("", word)
    return stem[:-1] if stem != word and stem[-1:] == stem[-2:-1] and len(stem) > 3 else stem
