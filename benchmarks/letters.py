"""Makes searcher/readers/letters.npz: how letters follow each other in some forty languages.

pip download --no-deps Django wagtail django-oscar django-cms django-allauth Sphinx
python benchmarks/letters.py *.whl

The texts are the translations of user interfaces in these packages (BSD and MIT licences); of them only the counts of
letters beside each other go into the file. The texts that encodings.py tests with are others.

The file holds for each script its letters, its languages and a table (languages, n, n) of uint8: half nats that it
costs when one letter follows another, index 0 being whatever is no letter. For Chinese, Japanese and Korean it
holds the commonest characters and the half nats of each.
"""

import gettext
import io
import re
import sys
import unicodedata
import zipfile
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

TARGET = Path(__file__).parent.parent / "searcher" / "readers" / "letters.npz"
UNIT = 0.5  # nats
MOST = 31  # units, of what never comes
CATALOGUE = re.compile(r"locales?/(?P<locale>[A-Za-z_@]+)/LC_MESSAGES/\w+\.mo$")
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sdi%]|\{\{?.*?\}?\}|<[^>]*>|&\w+;|https?://\S+")
ASCII = "abcdefghijklmnopqrstuvwxyz"
TONES = "\u0300\u0301\u0303\u0309\u0323"  # as cp1258 writes them

# script -> language -> (locales whose texts are taken, letters beyond a to z)
LATIN = {
    "en": ("", "éèêëïöüçñáóâàäîôûíåøæ"),
    "fr": ("fr", "àâæçéèêëîïôœùûüÿ"),
    "de": ("de", "äöüßéà"),
    "es": ("es es_AR es_MX", "áéíñóúü"),
    "it": ("it", "àèéìíòóù"),
    "nl": ("nl", "éèëïöüóàêç"),
    "ca": ("ca", "àçèéíïòóúü"),
    "pt": ("pt_PT pt_BR pt", "àáâãçéêíóôõúü"),
    "gl": ("gl", "áéíñóúïü"),
    "eu": ("eu", "ñ"),
    "da": ("da", "æøåé"),
    "nb": ("nb nn no", "æøåéòôêó"),
    "sv": ("sv", "åäöéà"),
    "fi": ("fi", "äöåšž"),
    "is": ("is is_IS", "áæéíðóöúýþ"),
    "sq": ("sq", "çë"),
    "ga": ("ga", "áéíóú"),
    "gd": ("gd", "àèìòù"),
    "cy": ("cy", "âêîôûŵŷïëáéö"),
    "af": ("af", "êëéèïîôöû"),
    "eo": ("eo", "ĉĝĥĵŝŭ"),
    "br": ("br", "âêîôûùüñ"),
    "id": ("id", ""),
    "pl": ("pl", "ąćęłńóśźż"),
    "cs": ("cs cs_CZ", "áčďéěíňóřšťúůýž"),
    "sk": ("sk sk_SK", "áäčďéíĺľňóôŕšťúýž"),
    "hu": ("hu hu_HU", "áéíóöőúüű"),
    "hr": ("hr hr_HR bs sr_Latn", "čćđšž"),
    "sl": ("sl sl_SI", "čšž"),
    "hsb": ("hsb dsb", "ćčěłńóřśšźž"),
    "ro": ("ro ro_RO", "ăâîşţ"),
    "et": ("et", "äõöüšž"),
    "lv": ("lv", "āčēģīķļņšūž"),
    "lt": ("lt", "ąčęėįšųūž"),
    "tr": ("tr tr_TR", "âçğıîöşüû"),
    "vi": ("vi", "àáâãèéêìíòóôùúýăđơư" + TONES),
}  # fmt: skip
CYRILLIC = {
    "ru": ("ru ru_RU", "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"),
    "uk": ("uk uk_UA", "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя"),
    "be": ("be", "абвгдеёжзійклмнопрстуўфхцчшыьэюя"),
    "bg": ("bg bg_BG", "абвгдежзийклмнопрстуфхцчшщъьюя"),
    "sr": ("sr", "абвгдђежзијклљмнњопрстћуфхцчџш"),
    "mk": ("mk", "абвгдѓежзѕијклљмнњопрстќуфхцчџшѐѝ"),
    "kk": ("kk", "аәбвгғдеёжзийкқлмнңоөпрстуұүфхһцчшщъыіьэюя"),
}
SCRIPTS = {
    "LATIN": LATIN,
    "CYRILLIC": CYRILLIC,
    "GREEK": {"el": ("el el_GR", "αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋΐΰ")},
    "HEBREW": {"he": ("he he_IL", "אבגדהוזחטיךכלםמןנסעףפץצקרשתְֱֲֳִֵֶַָֹֻּׁׂ")},
    "ARABIC": {
        "ar": ("ar ar_DZ", "ءآأؤإئابةتثجحخدذرزسشصضطظعغـفقكلمنهوىيًٌٍَُِّْ"),
        "fa": ("fa fa_IR", "ءآأؤئابتثجحخدذرزسشصضطظعغفقكلمنهويپچژکگًٌٍَُِّ"),
        "ur": ("ur", "ءآأؤئابتثجحخدذرزسشصضطظعغفقلمنهويپچژکگٹڈڑںھہےی"),
    },
    "THAI": {"th": ("th th_TH", "".join(map(chr, [*range(0xE01, 0xE3B), *range(0xE40, 0xE4F)])))},
}
IDEOGRAPHS = {"zh-hans": "zh_Hans zh_CN zh", "zh-hant": "zh_Hant zh_TW zh_HK", "ja": "ja", "ko": "ko ko_KR"}
COMMONEST = 500
PERSIAN = str.maketrans({"ی": "ي", "\u200c": " "})  # as cp1256 has to write it
CEDILLAS = str.maketrans("țșȚȘ", "ţşŢŞ")
WEIGHT = 10.0  # of how common a letter is against what it was seen to follow
LEAST = 1e-4  # share of a letter of the alphabet that was hardly seen
UNUSUAL = 2.0  # nats more than a letter costs on the whole, at most
STRANGE = 4.0  # nats of a letter of another language of the script, beside how rare it is in the script
RAREST = 12.0
SWITCH = 5.0  # nats from a letter of another script to one of a to z within a word


def texts_of(wheels: list[str]) -> dict[str, str]:
    """All translations in the packages, by locale; what they translate, which is English, by ""."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for path in sorted(wheels):
        with zipfile.ZipFile(path) as wheel:
            for name in wheel.namelist():
                match = CATALOGUE.search(name)
                if not match:
                    continue
                try:
                    entries = gettext.GNUTranslations(io.BytesIO(wheel.read(name)))._catalog
                except (OSError, UnicodeDecodeError, ValueError):
                    continue
                for key, text in entries.items():
                    original = key[0] if isinstance(key, tuple) else key
                    if original and text != original:
                        found[match["locale"]][PLACEHOLDER.sub(" ", text)] = None
                        found[""][PLACEHOLDER.sub(" ", original)] = None
    return {locale: unicodedata.normalize("NFC", "\n".join(texts)) for locale, texts in found.items()}


def written(text: str, language: str) -> str:
    """The text in the letters that a legacy encoding has for it."""
    if language == "vi":
        return "".join(map(vietnamese, text))
    return text.translate({"fa": PERSIAN, "ur": PERSIAN, "ro": CEDILLAS}.get(language, {}))


def vietnamese(letter: str) -> str:
    """A letter of cp1258, or its base and a combining tone mark."""
    base, *marks = unicodedata.normalize("NFD", letter)
    tone = "".join(mark for mark in marks if mark in TONES)
    try:
        letter.encode("cp1258")
    except UnicodeEncodeError:
        return unicodedata.normalize("NFC", base + "".join(mark for mark in marks if mark not in tone)) + tone
    return letter


def lower(letter: str) -> str:
    """One character, also for the Turkish capital İ."""
    return letter.lower()[0]


def bigrams(text: str, letters: str) -> np.ndarray:
    """How often one letter follows another. (n + 1, n + 1); words with other letters count where they have these."""
    index = {letter: number for number, letter in enumerate(letters, 1)}
    counts = np.zeros((len(letters) + 1, len(letters) + 1))
    before: int | None = 0
    for character in text + " ":
        is_letter = unicodedata.category(character)[0] in "LM"
        own = index.get(lower(character)) if is_letter else 0
        if own is not None and before is not None and (own or before):
            counts[before, own] += 1
        before = own
    return counts


def costs_of(counts: np.ndarray) -> np.ndarray:
    """Nats of each letter after each other: smoothed towards how common it is, and never much more than that."""
    common = np.maximum(counts.sum(0) / counts.sum(), LEAST)
    return np.minimum(
        -np.log((counts + WEIGHT * common) / (counts.sum(1, keepdims=True) + WEIGHT)), UNUSUAL - np.log(common)
    )


def script_table(languages: dict[str, tuple[str, str]], texts: dict[str, str], latin: bool) -> tuple[str, np.ndarray]:
    """The letters of a script, and (languages, n + 1, n + 1) nats."""
    letters = (ASCII if latin else "") + "".join(sorted({c for _, own in languages.values() for c in own} - set(ASCII)))
    position = {letter: number for number, letter in enumerate(letters, 1)}
    single, pooled = {}, Counter()
    for language, (locales, own) in languages.items():
        text = written("\n".join(texts.get(locale, "") for locale in locales.split(" ")), language)
        alphabet = (ASCII if latin else "") + own
        counts = bigrams(text, alphabet)
        costs = costs_of(counts)
        print(language, len(text), file=sys.stderr)
        single[language] = (alphabet, costs)
        for number, letter in enumerate(alphabet, 1):
            pooled[letter] += float(counts[:, number].sum() / counts.sum()) / len(languages)
    table = np.empty((len(languages), len(letters) + 1, len(letters) + 1))
    strange = [0.0] + [min(RAREST, STRANGE - np.log(max(pooled[letter], 1e-9))) for letter in letters]
    for row, (alphabet, costs) in zip(table, single.values(), strict=True):
        row[:] = strange
        row[:, 0] = 2.0
        at = [0, *(position[letter] for letter in alphabet)]
        row[:, at] = costs.mean(0)
        row[np.ix_(at, at)] = costs
    return letters, table


def with_ascii(letters: str, table: np.ndarray, english: np.ndarray) -> tuple[str, np.ndarray]:
    """The table of another script, in whose texts English words stand too."""
    n, m = len(letters) + 1, len(ASCII)
    whole = np.empty((len(table), n + m, n + m))
    whole[:, :n, :n] = table
    whole[:, n:, n:] = english[1 : m + 1, 1 : m + 1]
    whole[:, 0, n:] = english[0, 1 : m + 1]
    whole[:, n:, 0] = english[1 : m + 1, 0]
    whole[:, 1:n, n:] = english[0, 1 : m + 1] + SWITCH
    whole[:, n:, 1:n] = table[:, :1, 1:] + SWITCH
    return letters + ASCII, whole


def main() -> None:
    """Count, and write the file."""
    texts = texts_of(sys.argv[1:])
    arrays: dict[str, np.ndarray] = {}
    english = np.empty(0)
    for script, languages in SCRIPTS.items():
        letters, table = script_table(languages, texts, script == "LATIN")
        if script == "LATIN":
            english = table[0]
        else:
            letters, table = with_ascii(letters, table, english)
        arrays[f"{script} letters"] = np.array(letters)
        arrays[f"{script} languages"] = np.array(list(languages))
        arrays[f"{script} costs"] = np.minimum(np.round(table / UNIT), MOST).astype(np.uint8)
    for language, locales in IDEOGRAPHS.items():
        counts = Counter(c for locale in locales.split() for c in texts.get(locale, "") if not c.isascii())
        common = counts.most_common(COMMONEST)
        shares = np.array([count for _, count in common]) / counts.total()
        arrays[f"{language} characters"] = np.array("".join(character for character, _ in common))
        arrays[f"{language} costs"] = np.round(-np.log(shares) / UNIT).astype(np.uint8)
    np.savez_compressed(TARGET, **arrays)
    print(f"{TARGET}: {TARGET.stat().st_size:,} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
