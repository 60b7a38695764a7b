"""Which encoding bytes are in that say nothing of it: the one in which they read most like a language."""

from collections.abc import Iterable
from typing import NamedTuple

from searcher.readers.letters import likelihood

__all__ = ["Guess", "guesses", "reading"]


class Region(NamedTuple):
    """Languages, and the encodings that were made for them: how rare each is in nats."""

    languages: frozenset[str]
    rareness: dict[str, float]


# What may be guessed. The widest code page stands for those that it includes.
RARENESS: dict[str, dict[str, float]] = {
    "en fr de es it nl ca pt gl eu da nb sv fi is sq ga gd cy br af id": {
        "cp1252": 0, "iso8859-1": 0.7, "iso8859-15": 1, "mac_roman": 1.7, "cp850": 1.5, "cp437": 1.7, "cp858": 4,
    },
    "pt": {"cp860": 3}, "is": {"cp861": 3, "mac_iceland": 3}, "fr": {"cp863": 4}, "da nb": {"cp865": 3},
    "is nb sv et lv lt": {"iso8859-10": 4}, "cy ga gd br": {"iso8859-14": 3.5}, "eo": {"iso8859-3": 1},
    "pl cs sk hu hr sl hsb ro sq de": {"cp1250": 0, "iso8859-2": 0.7, "cp852": 1.5, "mac_latin2": 2.5},
    "ro": {"iso8859-16": 3.5, "mac_romanian": 4}, "hr sl": {"mac_croatian": 4},
    "et lv lt": {"cp1257": 0, "iso8859-13": 1, "iso8859-4": 1.5, "cp775": 1.5},
    "tr": {"cp1254": 0, "iso8859-9": 0.7, "cp857": 1.5, "mac_turkish": 2},
    "vi": {"cp1258": 0},
    "ru uk be bg sr mk": {
        "cp1251": 0, "koi8-r": 0.7, "iso8859-5": 1.5, "cp866": 1, "cp855": 2.5, "mac_cyrillic": 2.5,
    },
    "uk be": {"koi8-u": 1, "cp1125": 2.5}, "kk": {"kz1048": 3},
    "el": {"cp1253": 0, "iso8859-7": 0.7, "cp737": 1.5, "cp869": 2.5, "mac_greek": 2.5},
    "he": {"cp1255": 0, "iso8859-8": 0.7, "cp862": 1.5},
    "ar fa ur": {"cp1256": 0, "iso8859-6": 1.5, "cp720": 3},
    "th": {"cp874": 0},
    "zh-hans": {"gb18030": 0}, "zh-hant": {"big5hkscs": 0}, "ja": {"cp932": 0, "euc_jp": 0.5},
    "ko": {"cp949": 0, "johab": 4},
}  # fmt: skip
REGIONS = [Region(frozenset(languages.split()), rareness) for languages, rareness in RARENESS.items()]
ABROAD = 4.0  # nats of a text in another language than its encoding was made for
WIDE = {"utf-16-le": 5.0, "utf-16-be": 6.0}  # without a mark, and without a sign of ASCII
FAVOUR = 8.0  # nats for UTF-8, and for what a file declares, though some bytes of it speak against that
UTF8 = "utf-8"
ANY = "*"
EVERYWHERE = frozenset({ANY})
MOST_BROKEN = 0.02  # of the characters


class Guess(NamedTuple):
    """A codec, the text it gives, and what that costs in nats; the less, the likelier."""

    cost: float
    codec: str
    language: str
    text: str


def guesses(sample: bytes, head: bytes, declared: str | None = None) -> list[Guess]:
    """Different readings of a file, the likeliest first.

    sample: lines of it that are not ASCII; head: how it begins. declared: a codec that it says it is in.
    """
    has_utf8 = not sample.decode(UTF8, "ignore").isascii()  # some of its characters are sound
    known = {UTF8: -FAVOUR if has_utf8 else 0.0} | ({declared: -FAVOUR} if declared else {})
    regions = [*REGIONS, Region(EVERYWHERE, known)]
    found = _different(sample, regions)
    if len(head) % 2 == 0 and not head.isascii():
        wide = _different(head, [Region(EVERYWHERE, WIDE)])
        found += [guess._replace(cost=guess.cost * len(sample) / len(head)) for guess in wide]
    return sorted(found)


def reading(sample: bytes, codec: str) -> Guess | None:
    """How the bytes read in one codec; None if they do not."""
    return next(iter(_different(sample, [Region(EVERYWHERE, {codec: 0.0})])), None)


def _different(sample: bytes, regions: Iterable[Region]) -> list[Guess]:
    """The different texts that codecs give of the bytes, each by the least rare of its codecs."""
    readings: dict[str, list[tuple[Region, str]]] = {}
    for region in regions:
        for codec in region.rareness:
            text = sample.decode(codec, "replace")
            if codec == UTF8 or text.count("\ufffd") <= 1 + MOST_BROKEN * len(text):
                readings.setdefault(text, []).append((region, codec))
    found = []
    for text, ways in readings.items():
        cost, languages = likelihood(text)
        rareness, codec = min(
            (region.rareness[codec] + ABROAD * (region.languages.isdisjoint({*languages, ANY})), codec)
            for region, codec in ways
        )
        found.append(Guess(cost + rareness, codec, languages[0], text))
    return found
