"""How many short texts in legacy encodings are decoded exactly: ours, and the detectors that are installed.

python benchmarks/encodings.py [--peers] [--lengths 20 60 1000] [--samples 12] [--wrong]

The texts are `languages/*.txt`, one in each language, written for this; no statistics of ours were made from them. Of
each, in each encoding that is in use for its language, a number of stretches that begin and end with a word, are about
so long, and have a character beyond ASCII. Right is what decodes to the same text, whatever the codec is called.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from common import report

from searcher.errors import SearcherError
from searcher.readers import read_text

LANGUAGES = Path(__file__).parent / "languages"
WESTERN = "cp1252 iso8859-1 iso8859-15 mac_roman cp850 cp437"
CENTRAL = "cp1250 iso8859-2 cp852 mac_latin2"
BALTIC = "cp1257 iso8859-13 cp775"
CYRILLIC = "cp1251 iso8859-5 cp855 mac_cyrillic"
ENCODINGS = {
    "en": WESTERN, "fr": WESTERN, "de": WESTERN, "es": WESTERN, "it": WESTERN, "nl": WESTERN, "ca": WESTERN,
    "pt": f"{WESTERN} cp860", "da": f"{WESTERN} cp865", "nb": f"{WESTERN} cp865", "sv": WESTERN, "fi": WESTERN,
    "is": "cp1252 iso8859-1 cp861 mac_iceland cp850", "sq": WESTERN, "ga": "cp1252 iso8859-1 mac_roman cp850",
    "cy": "iso8859-14", "eo": "iso8859-3",
    "pl": CENTRAL, "cs": CENTRAL, "sk": CENTRAL, "hu": CENTRAL, "hr": CENTRAL, "sl": CENTRAL,
    "ro": "cp1250 iso8859-2 iso8859-16 cp852",
    "et": BALTIC, "lv": f"{BALTIC} iso8859-4", "lt": f"{BALTIC} iso8859-4", "tr": "cp1254 iso8859-9 cp857 mac_turkish",
    "ru": f"{CYRILLIC} koi8-r cp866", "uk": f"{CYRILLIC} koi8-u cp1125", "be": "cp1251 iso8859-5 cp855 koi8-u",
    "bg": f"{CYRILLIC} koi8-r cp866", "sr": CYRILLIC, "mk": CYRILLIC,
    "el": "cp1253 iso8859-7 cp737 cp869 mac_greek", "he": "cp1255 iso8859-8 cp862", "ar": "cp1256 iso8859-6",
    "fa": "cp1256", "vi": "cp1258", "th": "cp874 tis-620",
    "ja": "cp932 euc_jp iso2022_jp utf-16-le utf-16-be", "ko": "cp949 iso2022_kr johab",
    "zh-hans": "gb18030 hz utf-16-le utf-16-be", "zh-hant": "big5 gb18030 utf-16-le utf-16-be",
}  # fmt: skip
WITHOUT_SPACES = {"ja", "zh-hans", "zh-hant", "th"}
TOLD: list[bool] = []
# What people type where their encoding lacks the sign.
PLAIN = str.maketrans({"„": '"', "“": '"', "”": '"', "«": '"', "»": '"', "’": "'", "‘": "'", "–": "-", "—": "-"})
CEDILLAS = str.maketrans("țșȚȘ", "ţşŢŞ")
PERSIAN = str.maketrans({"ی": "ي", "\u200c": None})  # cp1256 has no Farsi yeh


def spelled(text: str, language: str, codec: str) -> str:
    """The text as it is written in that encoding."""
    if codec == "cp1258":
        return "".join(map(vietnamese, text))
    for table in (CEDILLAS if language == "ro" else {}, PERSIAN if language == "fa" else {}, PLAIN):
        text = "".join(c if encodable(c, codec) else c.translate(table) for c in text)
    return text


def vietnamese(character: str) -> str:
    """A letter of its own, or its base and a combining tone mark, which is what cp1258 has."""
    import unicodedata

    if encodable(character, "cp1258"):
        return character
    base, *marks = unicodedata.normalize("NFD", character)
    tone = next((mark for mark in marks if mark in "\u0300\u0301\u0303\u0309\u0323"), "")
    return unicodedata.normalize("NFC", base + "".join(mark for mark in marks if mark != tone)) + tone


def encodable(text: str, codec: str) -> bool:
    """Whether the encoding has all of it."""
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def stretches(text: str, length: int, count: int, spaces: bool) -> Iterator[str]:
    """Up to so many parts of the text, spread over it."""
    starts = [0, *(at + 1 for at, c in enumerate(text) if c.isspace())] if spaces else list(range(len(text)))
    starts = [start for start in starts if start + length <= len(text)] or [0]
    chosen = dict.fromkeys(starts[number * len(starts) // count] for number in range(count))
    for start in chosen:
        end = min(start + length, len(text))
        while spaces and end < len(text) and not text[end].isspace():
            end += 1
        if not text[start:end].isascii():
            yield text[start:end].strip()


def ours(data: bytes) -> str | None:
    """What `searcher add` reads; whether it said that it was not sure is in TOLD."""
    try:
        document, *notes = read_text(data, "label")
    except SearcherError:
        return None
    TOLD.append(bool(notes))
    return document.text


def detector(detect: Callable[[bytes], str | None]) -> Callable[[bytes], str | None]:
    """A text out of a detector that names an encoding."""

    def read(data: bytes) -> str | None:
        try:
            return data.decode(detect(data) or "utf-8")
        except (LookupError, UnicodeDecodeError):
            return None

    return read


def peers() -> dict[str, Callable[[bytes], str | None]]:
    """Those that can be imported."""
    found: dict[str, Callable[[bytes], str | None]] = {}
    try:
        from charset_normalizer import from_bytes

        found["charset-normalizer"] = lambda data: next(map(str, from_bytes(data)), None)
    except ImportError:
        pass
    for name in ("chardet", "cchardet"):
        try:
            module = __import__(name)
            found[f"{name} {module.__version__}"] = detector(
                lambda data, module=module: module.detect(data)["encoding"]
            )
        except ImportError:
            pass
    try:
        import chardetng_py

        found["chardetng"] = detector(lambda data: chardetng_py.detect(data))
    except ImportError:
        pass
    return found


def main() -> None:
    """Print a table for each length, then the wrong ones if asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--lengths", type=int, nargs="+", default=[20, 60, 1000])
    parser.add_argument("--samples", type=int, default=12)
    parser.add_argument("--wrong", action="store_true")
    options = parser.parse_args()
    readers = {"searcher": ours} | (peers() if options.peers else {})
    results: dict[str, dict[str, dict[str, float]]] = {}
    surety = {}
    for length in options.lengths:
        right: dict[str, dict[tuple[str, str], list[bool]]] = {name: defaultdict(list) for name in readers}
        for language, names in ENCODINGS.items():
            whole = (LANGUAGES / f"{language}.txt").read_text(encoding="utf-8")
            for codec in names.split():
                text = spelled(whole, language, codec)
                for part in stretches(text, length, options.samples, language not in WITHOUT_SPACES):
                    if not encodable(part, codec):
                        continue
                    data = part.encode(codec)
                    for name, read in readers.items():
                        got = read(data)
                        right[name][language, codec].append(got == part)
                        if options.wrong and name == "searcher" and got != part:
                            print(f"{length} {language} {codec}: {part!r:.70} read as {got!r:.70}", file=sys.stderr)
        results[str(length)] = shown(right, length)
        hits = [hit for found in right["searcher"].values() for hit in found]
        pairs = list(zip(hits, TOLD, strict=True))
        surety[str(length)] = {
            "told_of_right": percent([told for hit, told in pairs if hit]),
            "told_of_wrong": percent([told for hit, told in pairs if not hit]),
        }
        print(f"not sure, and said so: {surety[str(length)]}")
        TOLD.clear()
    report("encodings", {"right": results, "surety": surety})


def percent(hits: list[bool]) -> float | None:
    """Share of those that are true, in percent."""
    return round(100 * sum(hits) / len(hits), 1) if hits else None


def shown(right: dict[str, dict[tuple[str, str], list[bool]]], length: int) -> dict[str, dict[str, float]]:
    """Print how many are right, by encoding and by language; the shares."""
    names = list(right)
    print(f"\n{length} characters: % decoded exactly   " + "   ".join(names))
    shares: dict[str, dict[str, float]] = {name: {} for name in names}
    for position, what in ((1, "encoding"), (0, "language")):
        keys = list(dict.fromkeys(pair[position] for pair in right[names[0]]))
        for key in keys:
            row = []
            for name in names:
                hits = [hit for pair, found in right[name].items() if pair[position] == key for hit in found]
                shares[name][key] = percent(hits) or 0.0
                row.append(f"{shares[name][key]:6.1f}")
            print(f"{what} {key:14}{len(hits):5}  " + "  ".join(row))
    for name in names:
        hits = [hit for found in right[name].values() for hit in found]
        shares[name]["all"] = percent(hits) or 0.0
    print(f"all {len(hits):23}  " + "  ".join(f"{shares[name]['all']:6.1f}" for name in names))
    return shares


if __name__ == "__main__":
    main()
