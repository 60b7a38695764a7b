"""How much there is to embed, told from the sizes of files before they are read, and better with each one that was."""

from collections import defaultdict
from pathlib import PurePath

__all__ = ["Forecast"]

# Tokens in a byte, as they are in English text, and in what has markup or pictures around it; other kinds are as text.
TEXT = 0.25
SUPPOSED = {
    0.06: ".htm .html .xhtml .epub .ipynb",
    0.02: ".pdf .docx .docm .dotx .dotm .pptx .pptm .ppsx .ppsm .potx .potm .xlsx .xlsm .xltx .xltm .odt .ods .odp "
    ".odg .ott .ots .otp .otg .rtf .eml .emlx .mbox .mbx .msg",
}  # fmt: skip
TOKENS_PER_BYTE = {suffix: rate for rate, suffixes in SUPPOSED.items() for suffix in suffixes.split()}
ENOUGH_BYTES = 50_000  # so many of a kind that were read count as much as what was supposed of it
PER_PASSAGE = 150  # tokens, until there are some


class Forecast:
    """Of files that are still to be read. What was read of a kind tells what is to be expected of the rest of it."""

    def __init__(self) -> None:
        self._waiting: dict[str, int] = {}  # path → bytes
        self._left: dict[str, int] = defaultdict(int)  # suffix → bytes
        self._bytes: dict[str, int] = defaultdict(int)
        self._tokens: dict[str, int] = defaultdict(int)
        self.tokens = 0  # that were found
        self.passages = 0

    def expect(self, path: str, size: int) -> None:
        """A file of so many bytes is to be read."""
        self._waiting[path] = size
        self._left[_kind(path)] += size

    def tokens_of(self, path: str) -> int:
        """What is expected of a file that is still to be read."""
        return round(self._rate(_kind(path)) * self._waiting.get(path, 0))

    def passed_over(self, path: str) -> None:
        """There is nothing to be embedded of it."""
        self._left[_kind(path)] -= self._waiting.pop(path, 0)

    def read(self, path: str, tokens: int, passages: int) -> None:
        """It was read, and so much was found in it."""
        size, kind = self._waiting.pop(path, 0), _kind(path)
        self._left[kind] -= size
        self._bytes[kind] += size
        self._tokens[kind] += tokens
        self.tokens, self.passages = self.tokens + tokens, self.passages + passages

    @property
    def tokens_in_all(self) -> int:
        """Those that were found and those that are expected."""
        return self.tokens + round(sum(self._rate(kind) * size for kind, size in self._left.items()))

    @property
    def passages_in_all(self) -> int:
        """Passages, likewise."""
        each = self.tokens / self.passages if self.passages else PER_PASSAGE
        return self.passages + round((self.tokens_in_all - self.tokens) / max(1, each))

    def _rate(self, kind: str) -> float:
        supposed = TOKENS_PER_BYTE.get(kind, TEXT)
        return (self._tokens[kind] + supposed * ENOUGH_BYTES) / (self._bytes[kind] + ENOUGH_BYTES)


def _kind(path: str) -> str:
    return PurePath(path).suffix.lower()
