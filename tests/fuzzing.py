"""Fuzzing by hand or in the suite: any bytes for every reader and the filter language; what is said of each input.

    python tests/fuzzing.py TARGET [--runs 100000] [--seed 0] [--no-bombs] [--engine mutations|atheris] [--keep FOLDER]

TARGET: filter, or a suffix of READERS (.html). Bombs are some hundred inputs of 200 kB that come first. The last line of output is the figures as JSON; an input that breaks a
promise is written to FOLDER and ends the run. The engine "mutations" needs nothing but Python and repeats itself for a
seed; "atheris" (pip install atheris) is guided by the coverage of searcher's own code.

The promises: nothing is raised but a SearcherError with one line, also in the process of parsers, no input takes 10 seconds of a core, memory never grows by
512 MB, and what is read can be stored.
"""

import argparse
import gc
import gzip
import io
import json
import math
import random
import re
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from made_office import docx, epub, odt, pptx, shape, xlsx, zipped
from made_pdf import made_pdf, page_of
from rich_files import rich_docx, rich_mail, rich_odt, rich_pdf, rich_pptx, rich_rtf, rich_xlsx

if "atheris" in sys.argv:
    import atheris

    instrumented = atheris.instrument_imports(include=["searcher"])
else:
    instrumented = nullcontext()
with instrumented:
    from searcher import Searcher
    from searcher.errors import BadValue, SearcherError
    from searcher.places import PLACE_PARTS
    from searcher.readers import ReadOptions, read_text
    from searcher.readers.table import READERS
    from searcher.records import Document, Failure

LONGEST_SECONDS = 10.0
MOST_BYTES = 512 * 2**20
BIG = 200_000  # characters of the largest inputs
WITHIN = 0.7  # of the inputs that are archives, so many are changed within

FAULTS = re.compile(
    "its reader (failed|answered nonsense|ended|took)|it needs more than"
)  # of ours, which the child hides

# -- what is said of an input


def check_reader(suffix: str, data: bytes) -> None:
    """AssertionError or another exception for bytes that a reader does not treat as promised."""
    try:
        items = list(read_text(data, "label", OPTIONS, suffix))
    except SearcherError as fault:
        assert_one_line(str(fault))
        assert not FAULTS.search(str(fault)), str(fault)
        return
    for item in items:
        if isinstance(item, Failure):
            assert_one_line(item.reason)
        else:
            assert_storable(item)


def assert_one_line(message: str) -> None:
    assert message
    assert "\n" not in message, message
    assert len(message) < 2 * BIG
    message.encode()


def assert_storable(item: Document) -> None:
    values: list[Any] = [item.source, item.text, item.title, item.id, dict(item.metadata), item.sections, item.breaks]
    json.dumps(values, allow_nan=False, ensure_ascii=False).encode()
    starts = [start for start, _ in item.sections]
    assert starts == sorted(starts)
    assert all(0 <= start <= len(item.text) for start in [*starts, *item.breaks])
    assert item.first_line >= 1
    places = [start for start, _ in item.places]
    assert places == sorted(places) and all(0 <= start <= len(item.text) for start in places)
    assert all(type(value) is PLACE_PARTS[name] for _, place in item.places for name, value in place.items())


def check_filter(searcher: Searcher, data: bytes) -> None:
    """The same for a filter, which is searched with; bytes that are a JSON object are a dict."""
    where: Any = data.decode(errors="surrogateescape")
    if where.startswith("{"):
        try:
            where = json.loads(where)
        except (ValueError, RecursionError):
            return
    try:
        hits = searcher.search(QUERY, k=3, where=where)
    except BadValue as fault:
        assert_one_line(str(fault).encode(errors="backslashreplace").decode())
    else:
        assert len(hits) <= 3


# -- inputs

KEYS = ("n", "lang", "author.name", "title", "kind", "metadata.n", "'q'", '"a b"', "`n`", "missing", "not-a-number")
VALUES = (
    "1",
    "-2.5",
    "1e308",
    "9223372036854775807",
    "'en'",
    "'it''s'",
    '"x"',
    "true",
    "false",
    "'%_\\'",
    "''",
    "1e999",
)
GRAMMAR: dict[str, list[list[str]]] = {
    "filter": [["every"], ["every", "or", "filter"], ["every", "OR", "every"]],
    "every": [["factor"], ["factor", "and", "every"]],
    "factor": [["test"], ["test"], ["test"], ["not", "factor"], ["(", "filter", ")"]],
    "test": [
        ["key", "order", "value"],
        ["value", "order", "key"],
        ["key", "in", "(", "values", ")"],
        ["key", "not", "in", "(", "values", ")"],
        ["key", "like", "value"],
        ["key", "not", "like", "value"],
        ["key", "is", "null"],
        ["key", "is", "not", "null"],
    ],
    "values": [["value"], ["value", ",", "values"]],
    "key": [[key] for key in KEYS],
    "value": [[value] for value in VALUES],
    "order": [[order] for order in ("=", "==", "!=", "<>", "<", "<=", ">", ">=")],
}
TOKENS = [
    *(
        b"\0",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xfe\xff",
        b"\xff\xfe\0\0",
        b"\xed\xa0\x80",
        b"\xc3",
        b"\x80",
        b"\x1b",
        b"\r",
    ),
    *(
        b"\r\n",
        b"\n\n",
        b"\t",
        b'"',
        b"'",
        b"`",
        b"\\",
        b",",
        b";",
        b"|",
        b"---\n",
        b"...\n",
        b"# ",
        b"===\n",
        b"[",
        b"{",
    ),
    *(
        b"]",
        b"}",
        b"(",
        b")",
        b"not ",
        b" and ",
        b" or ",
        b" in (",
        b" like ",
        b"%",
        b"1e999",
        b"-0",
        b"NaN",
        b"Infinity",
    ),
    *(
        b'"\\ud800"',
        b"\\u0000",
        b"9" * 400,
        b"<",
        b"</",
        b"<p>",
        b"<td>",
        b"<pre>",
        b"<!--",
        b"<![CDATA[",
        b"<li>",
        b"&#0;",
    ),
    *(
        b"&amp;",
        b"<table>",
        b"<meta charset='utf-16'>",
        b"<?xml encoding='utf-32'?>",
        b"&a",
        b"*a",
        b"!!python/object:os ",
        b"- ",
    ),
    *(
        b"> ",
        b"```\n",
        b"{/*",
        b"*/}",
        b"import x\n",
        b":ref:`",
        b"_",
        b"\xe2\x80\xa8",
        "é".encode(),
        "京".encode(),
        b"\xf0\x9f\x98\x80",
    ),
]
CODECS = ("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "cp1252", "cp932", "gb18030", "koi8_r", "utf-7", "cp037")
MARKDOWN = "---\ntitle: A\ntags: [a, {b: c}]\ndate: 2024-01-31\n---\n# One *two*\n\ntext [a](b)\n\nTwo\n---\n\n- x\n  - y\n\n> # q\n"
TABLE = 'text,id,n\nhello,1,2\n"a ""b""\nc",2,\n,,\n'
ROWS = (
    '{"text": "é", "_id": 1, "n": 1.5, "m": {"a": [1, null]}}\n{"question": "q", "answer": "a", "phrasings": ["x"]}\n'
)


def database() -> bytes:
    """A small SQLite file."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT, n REAL, blob BLOB);"
        "INSERT INTO notes VALUES (1, 'two words', 1.5, x'00ff'), (2, 'é and more words', NULL, NULL);"
        "CREATE VIEW some AS SELECT body FROM notes WHERE n > 1; CREATE INDEX by_n ON notes (n)"
    )
    return connection.serialize()


MAIL = (
    "From: =?utf-8?b?QW5uw6k=?= <a@b.c>\nDate: Fri, 1 Mar 2024 10:30:00 +0200\nContent-Type: multipart/mixed; boundary=b\n\n"
    "--b\nContent-Type: text/plain; format=flowed\n\nsome \ntext\n--b\nContent-Type: text/html; name=a.html\n\n<p>c\n--b--\n"
)


def made_parquet() -> bytes:
    """A small table; where pyarrow is missing, what such a file begins and ends with."""
    try:
        from pyarrow import parquet, table
    except ImportError:
        return b"PAR1PAR1"
    stream = io.BytesIO()
    parquet.write_table(table({"id": ["a", "b"], "text": ["words", None], "n": [1, 2], "tags": [["x"], []]}), stream)
    return stream.getvalue()


def made_pictures() -> list[bytes]:
    """A small picture in each kind of file; where Pillow is missing, what a PNG begins with."""
    try:
        from PIL import Image
    except ImportError:
        return [b"\x89PNG\r\n\x1a\n"]
    files = []
    for kind in ("BMP", "JPEG", "PNG", "TIFF", "WEBP"):
        stream = io.BytesIO()
        Image.new("RGB", (40, 30), (250, 250, 240)).save(stream, kind)
        files.append(stream.getvalue())
    return files


SEEDS: dict[str, list[str] | list[bytes]] = {
    ".csv": [TABLE, TABLE.replace(",", ";"), "question|answer\nwho|me\n"],
    ".db": [database()],
    ".docx": [
        docx("<w:p><w:r><w:t>Some words</w:t></w:r></w:p><w:tbl><w:tr><w:tc><w:p/></w:tc></w:tr></w:tbl>"),
        rich_docx(),
    ],
    ".eml": [rich_mail(), MAIL, MAIL.replace("text/plain", "message/rfc822")],
    ".epub": [epub({"a.xhtml": "<h1>One</h1><p>text</p>", "b.xhtml": "<p>more<br/>text</p>"}, {"a.xhtml": "I"})],
    ".fodt": [
        "<a><body><text><h outline-level='1'>T</h><p>a<s c='3'/>b</p><list><list-item><p>c</p></list-item></list></text></body></a>"
    ],
    ".gz": [gzip.compress(b"some text, twice; some text", mtime=0)],
    ".html": [
        "<html lang=en><head><title>T</title><meta name=author content=A></head><body><nav>x</nav><h1>T</h1><p>text <b>b</b>"
        "<table><tr><th>a</th><td>b<ul><li>c</ul></td></tr></table><pre>code\n  x</pre><ol><li>1<li>2</ol></body></html>",
        "<article><h2>é</h2>"
        + "<p>A sentence that is long enough to be the main text of a page.</p>" * 20
        + "</article>",
    ],
    ".ipynb": [
        '{"cells": [{"cell_type": "markdown", "source": ["# T"]}, {"cell_type": "code", "outputs": [{"text": "a"}]}]}'
    ],
    ".json": ["[" + ROWS.strip().replace("\n", ",") + "]", '{"a": [1, {"b": null}]}'],
    ".jsonl": [ROWS],
    ".mbox": [f"From a@b.c Fri Mar  1 10:30:00 2024\n{MAIL}\n\nFrom a@b.c Sat Mar  2 10:30:00 2024\n{MAIL}"],
    ".md": [
        MARKDOWN,
        "---\ntitle: A: b\nstray\ntags: [a\n- b\n---\n# C\n",
        "+++\na = no\nb = [1]\n[c]\n+++\n# D\n",
        '{"a": {"b": 1}}\n\n# E\n',
    ],
    ".mdx": [MARKDOWN + "import A from 'a'\n\n{/* # no */}\n\n<A b={1}>\n"],
    ".msg": [MAIL],
    ".odt": [
        odt(
            "<text:h>T</text:h><text:p>a<text:s text:c='3'/>b</text:p>",
            meta="<meta:creation-date>2024</meta:creation-date>",
        ),
        rich_odt(),
    ],
    ".parquet": [made_parquet()],
    ".pdf": [
        made_pdf(
            [page_of("Some words\non two lines."), page_of("More-\nover.")], "0 << /S /r >>", [("One", 0), ("Two", 1)]
        ),
        rich_pdf(),
    ],
    ".py": ['"""Doc."""\n\n# é\n@d\nclass A(B):\n    def c(self):\n        return {1: "x"}\n\ndef e(): pass\n'],
    ".png": made_pictures(),
    ".pptx": [rich_pptx(), pptx([shape("Title", "title") + shape("a\nb"), shape("more")], {1: "said"})],
    ".rst": ["=====\nTitle\n=====\n\nOne :ref:`a <b>`\n----------------\n\ntext\n\nTwo\n~~~\n"],
    ".rtf": [
        rich_rtf(),
        rb"{\rtf1\ansi{\fonttbl{\f0\fcharset204 A;}}\u8364?{\f0\'cf}\par{\footnote n}\trowd\intbl a\cell\row}",
    ],
    ".ass": ["[Events]\nFormat: Start, End, Text\nDialogue: 0:00:01.50,0:00:03.00,{\\i1}a\\Nb, c\n"],
    ".srt": ["1\n00:00:01,500 --> 00:00:03,000\n<i>a</i>\n\n00:03.000 --> 00:04.000\n<v B>c\n"],
    ".tex": ["\\title{A}\n\\begin{document}\n\\section[b]{B {c}}\n% d\ntext\n\\end{document}"],
    ".tsv": [TABLE.replace(",", "\t")],
    ".txt": ["hello\r\nworld\n\nПривет, мир. Naïve café. 東京は晴れ。\n"],
    ".xlsx": [rich_xlsx(), xlsx({"One": [["a", 1, True], [None, 2.5, "b"]], "Two": [["c"]]}, merged="A1:A2")],
    "filter": ["lang = 'en' and (n >= 2 or not author.name like 'Ad%')", '{"lang": "en", "n": [1, null], "x": NaN}'],
}
SAME = {
    ".db3": ".db",
    ".sqlite": ".db",
    ".sqlite3": ".db",
    **dict.fromkeys(
        (".bash .c .cc .cjs .cpp .cs .cts .cxx .go .h .hh .hpp .hxx .java .js .jsx .mjs .mts .php").split(), ".py"
    ),
    **dict.fromkeys((".pyi .rb .rs .sh .ts .tsx").split(), ".py"),
    ".htm": ".html",
    ".emlx": ".eml",
    ".mbx": ".mbox",
    ".ltx": ".tex",
    ".vtt": ".srt",
    ".ssa": ".ass",
    ".xhtml": ".html",
    ".markdown": ".md",
    ".ndjson": ".jsonl",
    **dict.fromkeys((".bmp .jpeg .jpg .tif .tiff .webp").split(), ".png"),
    **dict.fromkeys((".docm", ".dotm", ".dotx"), ".docx"),
    **dict.fromkeys((".fodg", ".fodp", ".fods"), ".fodt"),
    **dict.fromkeys(((".odg .odp .ods .otg .otp .ots .ott").split()), ".odt"),
    **dict.fromkeys(((".potm .potx .ppsm .ppsx .pptm").split()), ".pptx"),
    **dict.fromkeys((".xlsm", ".xltm", ".xltx"), ".xlsx"),
}
QUERY: Any = None
OPTIONS = ReadOptions(ocr=find_spec("rapidocr") is not None)


def seeds_of(target: str) -> list[bytes]:
    """What the inputs for a target begin with."""
    return [seed if isinstance(seed, bytes) else seed.encode() for seed in SEEDS[SAME.get(target, target)]]


def inputs(target: str, seed: int, bombs: bool = True) -> Iterator[bytes]:
    """Endless inputs for a target, the same for a seed: first the bombs, then seeds and grammar, mutated."""
    chance = random.Random(f"{target} {seed}")
    seeds = seeds_of(target)
    yield from repeated(seeds) if bombs else ()
    while True:
        data = chance.choice(seeds)
        if data.startswith(b"PK") and chance.random() < WITHIN:
            yield repacked(chance, data)
            continue
        if target == "filter" and chance.random() < 0.8:
            data = derived(chance, "filter").encode()
        for _ in range(chance.choice((0, 1, 1, 2, 3, 5, 8))):
            data = mutated(chance, data, seeds)
        yield data[: 2 * BIG]


def repacked(chance: random.Random, data: bytes) -> bytes:
    """An archive of which some members are mutated, and which is whole."""
    with ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name in chance.choices(list(members), k=chance.choice((1, 1, 2, 3))):
        members[name] = mutated(chance, members[name], list(members.values()))[:BIG]
    return zipped(members)


def repeated(seeds: list[bytes]) -> Iterator[bytes]:
    """Each token and each seed 100,000 times over (as far as that is no more than BIG), alone and within the first seed."""
    for token in [
        *TOKENS,
        *seeds,
        b"a",
        b"9",
        b" ",
        b"[{",
        b'{"a":',
        b"<b>",
        b"<p><td>",
        b"a.",
        b"not (",
        b"((",
        b"- - ",
        b"[[]",
    ]:
        many = token * min(100_000, BIG // len(token))
        yield many
        yield seeds[0][: len(seeds[0]) // 2] + many + seeds[0][len(seeds[0]) // 2 :]


def derived(chance: random.Random, symbol: str, depth: int = 0) -> str:
    """A text of the grammar, deeper than 12 by its first rules only."""
    if symbol not in GRAMMAR:
        return symbol
    rule = GRAMMAR[symbol][0] if depth > 12 else chance.choice(GRAMMAR[symbol])
    return " ".join(derived(chance, part, depth + 1) for part in rule)


def mutated(chance: random.Random, data: bytes, seeds: list[bytes]) -> bytes:
    """The bytes with one change."""
    start, end = sorted(chance.randrange(len(data) + 1) for _ in "ab")
    kind = chance.randrange(9)
    if kind == 0 and data:
        at = min(start, len(data) - 1)
        return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
    if kind == 1:
        return data[:start] + data[end:]
    if kind == 2:
        times = chance.choices((2, 3, 10, 1000, 100_000), (60, 20, 17, 2, 1))[0]
        return data[:start] + data[start:end] * min(times, BIG // max(1, end - start)) + data[end:]
    if kind == 3:
        other = chance.choice(seeds)
        return data[:start] + other[chance.randrange(len(other) + 1) :]
    if kind == 4:
        return data.decode(errors="replace").encode(chance.choice(CODECS), "replace")
    if kind == 5:
        return data[:start] + data[start:end][::-1] + data[end:]
    if kind == 6:
        return data[:start] + chance.randbytes(chance.randrange(1, 9)) + data[start:]
    return data[:start] + chance.choice(TOKENS) * chance.choice((1, 1, 1, 2, 50)) + data[start:]


# -- running


def checker(target: str, folder: Path) -> Callable[[bytes], None]:
    """What says of an input of a target whether it is treated as promised; an index for filters is made in the folder."""
    if target != "filter":
        return lambda data: check_reader(target, data)
    global QUERY
    import numpy as np
    from models import save_bert

    QUERY = np.ones(32, np.float32)
    searcher = Searcher(folder / "index", save_bert(folder / "model"))
    rows = [{"n": n, "lang": lang, "author": {"name": "Ada"}, "a b": True} for n, lang in enumerate(["en", "de", None])]
    searcher.add_texts(["hello world", "the bank", "a river"], metadatas=rows)
    return lambda data: check_filter(searcher, data)


class Limits:
    """Time and memory over a run: `check` asserts them after each input."""

    def __init__(self) -> None:
        gc.collect()
        self.start, self.slowest, self.runs, self.begun = peak_bytes(), 0.0, 0, time.perf_counter()

    def timed(self, check: Callable[[bytes], None], data: bytes) -> None:
        begun = time.process_time()  # so that what else the machine does is not counted
        check(data)
        self.slowest = max(self.slowest, took := time.process_time() - begun)
        self.runs += 1
        assert took < LONGEST_SECONDS, f"{took:.1f} seconds"
        assert peak_bytes() - self.start < MOST_BYTES, f"{(peak_bytes() - self.start) / 2**20:.0f} MiB more"

    def figures(self, target: str, engine: str) -> str:
        grown = (peak_bytes() - self.start) / 2**20
        return json.dumps({
            "target": target, "engine": engine, "inputs": self.runs, "slowest_s": round(self.slowest, 3),
            "grown_MiB": math.ceil(grown), "seconds": round(time.perf_counter() - self.begun, 1), "broken": 0,
        })  # fmt: skip


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def bound_memory() -> None:
    """MemoryError, which is no SearcherError, for whatever asks for 1 GB of addresses more than there are now."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 2 * MOST_BYTES, resource.RLIM_INFINITY))


def run(target: str, runs: int, seed: int, folder: Path, keep: Path | None = None, bombs: bool = True) -> Limits:
    """So many inputs of a target; the first that breaks a promise is kept and raises."""
    check = checker(target, folder)
    warm(check, target)
    limits = Limits()
    for _, data in zip(range(runs), inputs(target, seed, bombs), strict=False):
        try:
            limits.timed(check, data)
        except BaseException:
            if keep:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"broken-{re.sub('[^a-z]', '', target)}-{limits.runs}").write_bytes(data)
            raise
    return limits


def warm(check: Callable[[bytes], None], target: str) -> None:
    """Load what is loaded at the first use, so that it is not counted."""
    for data in seeds_of(target):
        check(data)
        check(data.decode(errors="replace").encode("utf-16"))


def run_atheris(target: str, runs: int, seed: int, folder: Path, keep: Path) -> None:
    """The same inputs' seeds, mutated as the coverage of the code suggests; ends the process."""
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, (_, data) in enumerate(zip(range(300), inputs(target, seed), strict=False)):
        (corpus / str(number)).write_bytes(data[:4096])
    check = checker(target, folder)
    warm(check, target)
    limits = Limits()

    def one(data: bytes) -> None:
        limits.timed(check, data)
        if limits.runs == runs:
            print(limits.figures(target, "atheris"), flush=True)  # noqa: T201

    options = [f"-atheris_runs={runs}", f"-seed={seed + 1}", "-max_len=4096", "-timeout=10", "-rss_limit_mb=4096"]
    atheris.Setup([sys.argv[0], *options, "-verbosity=0", f"-artifact_prefix={keep}/", str(corpus)], one)
    atheris.Fuzz()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("target", choices=sorted([*READERS, "filter"]))
    options.add_argument("--runs", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--engine", choices=["mutations", "atheris"], default="mutations")
    options.add_argument("--no-bombs", dest="bombs", action="store_false")
    options.add_argument("--keep", type=Path, default=Path())
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.engine == "atheris":
            run_atheris(given.target, given.runs, given.seed, Path(folder), given.keep)
            return
        warm(checker(given.target, Path(folder) / "first"), given.target)  # all that is imported is before the limit
        bound_memory()
        limits = run(given.target, given.runs, given.seed, Path(folder), given.keep, given.bombs)
        print(limits.figures(given.target, "mutations"))  # noqa: T201


if __name__ == "__main__":
    main()
