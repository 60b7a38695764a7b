"""Which encoding a file is in: told from its words, from what it declares, or by the caller; and what is told of it."""

import importlib.util
import io
import re
import sys
from pathlib import Path

import pytest

from searcher import Searcher
from searcher.cli import main
from searcher.errors import BadValue, UnreadableFile
from searcher.readers import ReadOptions, Unsupported, read, read_text
from searcher.readers.charsets import declaration, known_codec
from searcher.records import Document, Note

ROOT = Path(__file__).parents[2]


def read_bytes(data: bytes, suffix: str = ".txt", encoding: str | None = None) -> tuple[str, list[str]]:
    """The text of one document, and what was told of it."""
    document, *notes = read_text(data, "label", ReadOptions(encoding=encoding), suffix)
    assert isinstance(document, Document) and all(isinstance(note, Note) for note in notes)
    return document.text, [note.reason for note in notes]


# --- guessed -----------------------------------------------------------------------------------------------------

WESTERN = "cp1252 iso8859-1 mac_roman cp850"
CENTRAL = "cp1250 iso8859-2 cp852 mac_latin2"
CYRILLIC = "cp1251 iso8859-5 mac_cyrillic"
SENTENCES = {
    "Après la fête, le maître a rangé les chaises et éteint la lumière du préau.": f"{WESTERN} cp437 iso8859-15",
    "Die Straße ist gesperrt, darum fährt der Bus über die alte Brücke zurück.": f"{WESTERN} cp437 iso8859-15",
    "El pingüino del zoológico nació en enero y aún no sabe nadar con su mamá.": f"{WESTERN} cp437",
    "A reunião começa às três, e ninguém trouxe o relatório nem a apresentação.": f"{WESTERN} cp860",
    "Blåbærrene på højen er små, men de smager sødere end dem fra gården.": f"{WESTERN} cp865",
    "Það er þoka yfir bænum, og skipið kemst ekki úr höfn fyrr en í kvöld.": "cp1252 iso8859-1 cp861 mac_iceland",
    "Źle spakowaną paczkę odesłaliśmy, bo nikt nie podpisał się na kopercie.": CENTRAL,
    "Příští týden přijede řidič s nákladem a přiveze také chybějící součástky.": CENTRAL,
    "Őszintén szólva a tűzoltók hősiesen küzdöttek, és a híd épségben maradt.": CENTRAL,
    "Četvrtak je dan za šetnju uz rijeku, jer tržnica tada više nije otvorena.": CENTRAL,
    "În piaţă se vând roşii, castraveţi şi brânză de la ţăranii din împrejurimi.": "cp1250 iso8859-2 cp852",
    "Kuršių marių pakrantėje žvejai džiovina tinklus ir rūko ką tik sugautą žuvį.": "cp1257 iso8859-13 cp775",
    "Mežā pie ezera aug brūklenes, un bērni tās lasa no rīta līdz vakaram.": "cp1257 iso8859-13",
    "Şoför yağmurda yavaşladı, çünkü köprünün ışıkları birdenbire sönmüştü.": "cp1254 iso8859-9 cp857 mac_turkish",
    "Собаки лаяли всю ночь, и утром хозяин починил старую калитку у сада.": f"{CYRILLIC} koi8-r cp866 cp855",
    "Їжак заліз під ґанок і шелестів сухим листям, доки не прийшов кіт.": "cp1251 koi8-u cp1125",
    "Щъркелите се върнаха рано и поправят гнездото върху стария комин.": f"{CYRILLIC} cp866",
    "Ђаци носе жуте кишобране, а учитељица чека њих крај школске чесме.": CYRILLIC,
    "Ο φούρνος άνοιξε νωρίς και μύρισε όλη η γειτονιά ζεστό ψωμί.": "cp1253 iso8859-7 cp737 cp869 mac_greek",
    "החתול ישן על המדרגות, ואיש לא רצה להעיר אותו לפני ארוחת הבוקר.": "cp1255 iso8859-8 cp862",
    "وصل القطار متأخرا فانتظرنا في المقهى وشربنا الشاي حتى المساء.": "cp1256 iso8859-6",
    "ฝนตกหนักเมื่อคืนนี้ ถนนหน้าบ้านจึงเต็มไปด้วยน้ำและใบไม้": "cp874 tis-620",
    "図書館の窓から、雪をかぶった山がよく見えます。": "cp932 euc_jp iso2022_jp utf-16-le utf-16-be",
    "비가 그치자 아이들이 마당으로 나와 웅덩이에서 놀았다.": "cp949 euc_kr iso2022_kr johab",
    "雨停了以后，孩子们跑到院子里踩水坑，笑声传得很远。": "gb18030 gbk gb2312 hz utf-16-le",
    "雨停了以後，孩子們跑到院子裡踩水坑，笑聲傳得很遠。": "big5 cp950 gb18030 utf-16-be",
}


@pytest.mark.parametrize(
    ("text", "codec"), [(text, codec) for text, names in SENTENCES.items() for codec in names.split()]
)
def test_a_sentence_is_told_from_its_words(text: str, codec: str) -> None:
    assert read_bytes(text.encode(codec))[0] == text


def test_nineteen_of_twenty_texts_of_sixty_characters_are_exact_and_the_others_are_told() -> None:
    spec = importlib.util.spec_from_file_location("encodings_benchmark", ROOT / "benchmarks" / "encodings.py")
    assert spec and spec.loader
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        benchmark = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(benchmark)
    finally:
        sys.path.pop(0)
    right = {True: 0, False: 0}
    silent = []
    for language, names in benchmark.ENCODINGS.items():
        whole = (benchmark.LANGUAGES / f"{language}.txt").read_text(encoding="utf-8")
        for codec in names.split():
            text = benchmark.spelled(whole, language, codec)
            for part in benchmark.stretches(text, 60, 2, language not in benchmark.WITHOUT_SPACES):
                if benchmark.encodable(part, codec):
                    got, told = read_bytes(part.encode(codec))
                    right[got == part] += 1
                    silent += [(codec, part, got)] if got != part and not told else []
    assert sum(right.values()) > 300
    assert right[True] / sum(right.values()) >= 0.95
    assert silent == []


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("The naïve visitor paid £3 for a “traditional” tea — and liked it.", "cp1252"),
        ("id;name\n1;Müller\n2;Grün\n", "cp1252"),
        ("══════ Übersicht ══════\n║ größer ║ kleiner ║\n", "cp850"),
        ("ПРИВЕТ ИЗ МОСКВЫ", "koi8-r"),
        ("print('Größe')  # prüft die Länge\n", "iso8859-1"),
        ("Wałęsa met Mitterrand in Gdańsk; the text is in English otherwise.", "cp1250"),
        ("The word мир means both peace and world, and it is often quoted in books.", "cp1251"),
        ("使用Python语言编写程序", "gb18030"),
        ("カタカナ ﾊﾝｶｸ", "cp932"),
    ],
)
def test_names_signs_boxes_and_capitals_tell_it_too(text: str, codec: str) -> None:
    assert read_bytes(text.encode(codec))[0] == text


def test_a_guess_that_is_not_sure_is_told_with_what_else_it_may_be() -> None:
    _, [told] = read_bytes("modalità estesa".encode("cp850"))
    assert re.fullmatch(
        r"its encoding was guessed: \w+, though \w+( or \w+)* is possible; --encoding NAME decides", told
    )


def test_a_sure_guess_says_nothing() -> None:
    assert read_bytes("Ваш заказ отправлен и прибудет в пятницу утром.".encode("koi8-r"))[1] == []


def test_a_sign_that_comes_late_still_counts_in_a_large_file(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    rows = [f"{number},déjà vu à Orléans" for number in range(60_000)]
    path.write_bytes("\n".join(["id,text", *rows, "x,cela coûte 5 € au cœur de la ville"]).encode("iso8859-15"))
    assert path.stat().st_size > 2**20
    *_, last = read(path)
    assert isinstance(last, Document) and last.text == "cela coûte 5 € au cœur de la ville"


@pytest.mark.parametrize(
    ("codec", "text"), [("gb18030", "雨停了以后，孩子们跑到院子里。"), ("cp932", "図書館は午後五時に閉まります。")]
)
def test_a_character_cut_in_two_leaves_the_encoding_as_it_is(codec: str, text: str) -> None:
    got, told = read_bytes((text * 3).encode(codec)[:-1])
    assert got == (text * 3)[:-1] + "\ufffd"
    assert told == [f"1 broken character reads as U+FFFD, in line 1: not {codec} there"]


@pytest.mark.parametrize("data", [b"a line with ~{ in it", b"\x1b[31mred\x1b[0m", b"\x1b(B plain", b"~{ab and more\n"])
def test_ascii_that_only_looks_like_shift_sequences_stays_ascii(data: bytes) -> None:
    assert read_bytes(data) == (data.decode(), [])


def test_hebrew_in_utf16_without_a_mark_or_a_space_is_text_and_counting_bytes_are_not() -> None:
    assert read_bytes("ירושלים".encode("utf-16-le"))[0] == "ירושלים"
    with pytest.raises(Unsupported, match="a binary file"):
        read_bytes(b"\0\1\2\3" * 50, ".dat")


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_who_names_utf16_or_utf32_need_not_know_the_order_of_its_bytes(codec: str) -> None:
    named = codec[:6]
    table = "text,n\nThe bank of the river,1\n".encode(codec)
    assert read_bytes("The bank".encode(codec), encoding=named) == ("The bank", [])
    assert read_bytes(table, ".csv", named)[0] == "The bank of the river"
    assert read_bytes('{"text": "The bank"}\n'.encode(codec), ".jsonl", named)[0] == "The bank"


def test_a_codec_of_source_code_is_none_that_files_are_in() -> None:
    for name in ("raw_unicode_escape", "raw-unicode-escape", "unicode_escape"):
        with pytest.raises(BadValue, match=f"no encoding '{name}'"):
            read_bytes(b"x", encoding=name)


# --- UTF-8 that is damaged -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "text", "told"),
    [
        ("The naïve visitor ordered a café".encode()[:-1], "The naïve visitor ordered a caf\ufffd",
         "1 broken character reads as U+FFFD, in line 1: not utf-8 there"),
        ("It’s fine,\nbut ".encode() + b"\x93this\x94 is not.", "It’s fine,\nbut \ufffdthis\ufffd is not.",
         "2 broken characters read as U+FFFD, the first in line 2: not utf-8 there"),
        ("Ærø, Øster, Århus, Ål, Ølgod".encode() + b"\xff, Aa", "Ærø, Øster, Århus, Ål, Ølgod\ufffd, Aa",
         "1 broken character reads as U+FFFD, in line 1: not utf-8 there"),
        ("\ufeffPrix : 5 €".encode()[:-1], "Prix : 5 \ufffd",
         "1 broken character reads as U+FFFD, in line 1: not utf-8 there"),
        ("日本語のテキスト".encode()[:-2], "日本語のテキス\ufffd",
         "1 broken character reads as U+FFFD, in line 1: not utf-8 there"),
    ],
)  # fmt: skip
def test_broken_characters_are_shown_as_such_and_counted(data: bytes, text: str, told: str) -> None:
    assert read_bytes(data) == (text, [told])


def test_a_written_replacement_character_is_not_broken() -> None:
    assert read_bytes("é \ufffd".encode()) == ("é \ufffd", [])


def test_broken_characters_of_a_table_are_counted_over_all_of_it() -> None:
    data = "id,text\n1,Größe\n2,Länge\n3,schön\n4,für\n5,grün\n".encode() + b"6,gr\xfcn\n7,bl\xe4u\n"
    *rows, note = read_text(data, "label", suffix=".csv")
    assert [row.text for row in rows if isinstance(row, Document)][-2:] == ["gr\ufffdn", "bl\ufffdu"]
    assert isinstance(note, Note)
    assert note.reason == "2 broken characters read as U+FFFD, the first in line 7: not utf-8 there"


# --- declared ------------------------------------------------------------------------------------------------------

DECLARED = [
    ("<html><head><meta charset='windows-1251'></head><body><p>{}</p></body></html>", ".html", "cp1251", "мир"),
    ('<html><head><meta http-equiv="Content-Type" content="text/html; charset=ISO-8859-2"><p>{}', ".html", "iso8859-2", "żółć"),
    ('<?xml version="1.0" encoding="koi8-r"?>\n<a>{}</a>', ".xml", "koi8-r", "мир"),
    ("# -*- coding: latin-2 -*-\n{}\n", ".py", "iso8859-2", "łąka"),
    ("#!/usr/bin/python\n# vim: set fileencoding=cp1253 :\n{}\n", ".py", "cp1253", "ναι"),
    (".. -*- coding: cp1250 -*-\n\n{}\n", ".rst", "cp1250", "źle"),
    (";;; -*- mode: lisp; coding: koi8-r -*-\n{}\n", ".el", "koi8-r", "да"),
    ("{}\n\n/* vim: set fenc=cp866 : */\n", ".c", "cp866", "да"),
    ("{}\n\n;; Local Variables:\n;; coding: mac-roman\n;; End:\n", ".el", "mac_roman", "ça"),
    ("\\documentclass{{article}}\n\\usepackage[latin1]{{inputenc}}\n{}\n", ".tex", "iso8859-1", "ça"),
    ("% !TEX encoding = macce\n{}\n", ".tex", "mac_latin2", "łza"),
    ('msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=ISO-8859-9\\n"\n\nmsgid "a"\nmsgstr "{}"\n', ".po", "iso8859-9", "ş"),
    ("@charset \"windows-1255\";\n/* {} */\n", ".css", "cp1255", "שלום"),
]  # fmt: skip


@pytest.mark.parametrize(("page", "suffix", "codec", "word"), DECLARED)
def test_what_a_file_declares_is_believed_and_nothing_is_told(page: str, suffix: str, codec: str, word: str) -> None:
    got, told = read_bytes(page.format(word).encode(codec), suffix)
    assert word in got
    assert told == []


def test_a_declaration_that_cannot_be_right_is_told_and_the_words_decide() -> None:
    page = "<html><head><meta charset='utf-8'></head><body><p>{}</p></body></html>"
    text = "Dzień dobry, proszę przesłać paczkę na nowy adres w Łodzi."
    got, told = read_bytes(page.format(text).encode("cp1250"), ".html")
    assert got == text
    assert told == ["calls itself utf-8, which it is not; read as cp1250; --encoding NAME decides"]


def test_utf8_that_calls_itself_something_else_is_utf8_and_told() -> None:
    page = "<html><head><meta charset='iso-8859-1'></head><body><p>“Café”</p></body></html>"
    assert read_bytes(page.encode(), ".html") == (
        "“Café”",
        ["calls itself iso-8859-1, but is utf-8 and was read so; --encoding NAME decides"],
    )


def test_a_declaration_beyond_the_head_of_a_text_or_in_its_prose_counts_for_nothing() -> None:
    assert declaration(b"The meta element says charset=koi8-r in its content.\n", b"") is None
    assert declaration(b"one\ntwo\nthree\n# coding: koi8-r\n", b"") is None
    assert declaration(b"<p>a page</p><meta charset=koi8-r>", b"") is None


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("ISO-8859-1", "cp1252"), ("us-ascii", "cp1252"), ("GB2312", "gb18030"), ("Shift_JIS", "cp932"),
        ("x-sjis", "cp932"), ("macintosh", "mac_roman"), ("x-mac-cyrillic", "mac_cyrillic"), ("ks_c_5601-1987", "cp949"),
        ("iso-8859-8-i", "iso8859-8"), ("utf8", "utf-8"), ("koi8-u", "koi8-u"), ("tis-620", "cp874"),
        ("base64", None), ("rot13", None), ("idna", None), ("nonsense", None), ("", None),
    ],
)  # fmt: skip
def test_labels_mean_the_code_page_that_browsers_take(label: str, codec: str | None) -> None:
    assert known_codec(label) == codec


# --- given by the caller -----------------------------------------------------------------------------------------


def test_what_the_caller_names_overrides_what_would_be_guessed() -> None:
    data = "für".encode("cp1250")
    assert read_bytes("Ðóññêèé òåêñò".encode("cp1252"), encoding="cp1252") == ("Ðóññêèé òåêñò", [])
    assert read_bytes(data, encoding="koi8-r") == (data.decode("koi8-r"), [])
    assert read_bytes("“quoted”".encode("cp1252"), encoding="latin-1")[0] == "“quoted”"


def test_bytes_that_the_named_encoding_lacks_are_counted() -> None:
    assert read_bytes(b"abc \x81 \x8d and so on, and on, and on, and on", encoding="cp1252")[1] == [
        "2 broken characters read as U+FFFD, the first in line 1: not cp1252 there"
    ]
    with pytest.raises(UnreadableFile, match="not utf-8 from line 1 on"):
        read_bytes("Жили-были дед да баба".encode("cp1251"), encoding="utf-8")


def test_a_byte_order_mark_is_stronger_than_the_caller() -> None:
    assert read_bytes("\ufeffŻ".encode(), encoding="cp1250") == (
        "Ż",
        ["read as utf-8, by its byte order mark, and not as cp1250"],
    )


@pytest.mark.parametrize("name", ["utf-9", "base64", "idna", "é", ""])
def test_an_encoding_that_there_is_not_is_named_with_good_ones(name: str) -> None:
    with pytest.raises(BadValue, match=rf"^no encoding '{name}'; some are utf-8, cp1252, "):
        ReadOptions(encoding=name)


def test_utf7_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadValue, match=r"^UTF-7 is not read; "):
        ReadOptions(encoding="UTF-7")
    with pytest.raises(UnreadableFile, match="in UTF-7, which is not read"):
        read_bytes("<meta charset=utf-7><p>café".encode("utf-7"), ".html")
    with pytest.raises(UnreadableFile, match="in UTF-7, which is not read"):
        read_bytes("\ufeffcafé".encode("utf-7"))


def test_a_changed_encoding_reads_an_unchanged_file_again(tiny_bert: Path, tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_bytes("für".encode("cp1250"))
    with Searcher(tmp_path / "index", tiny_bert) as index:
        index.add(path, encoding="cp1250")
        assert index.add(path, encoding="cp1250").unchanged == 1
        report = index.add(path, encoding="cp866")
        assert (report.documents, report.unchanged) == (1, 0)
        assert index.search("f", k=1)[0].text == "für".encode("cp1250").decode("cp866")


def test_the_command_line_takes_an_encoding_also_for_stdin_and_faqs(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: object) -> int:
        with pytest.raises(SystemExit) as stop:
            main([*map(str, arguments), "-i", str(tmp_path / "index")])
        return int(stop.value.code or 0)

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("мир".encode("koi8-r"))))
    assert run("add", "-", "-m", tiny_bert, "--encoding", "koi8-r") == 0
    faq = tmp_path / "faq.csv"
    faq.write_bytes("question,answer\nГде?,Там\n".encode("cp866"))
    assert run("faq", "add", faq, "--encoding", "cp866") == 0
    with Searcher(tmp_path / "index") as index:
        assert {hit.text for hit in index.search("a", k=9)} >= {"мир", "Где?"}
    capsys.readouterr()
    assert run("add", faq, "--encoding", "koi9") == 1
    assert capsys.readouterr().err.startswith("Error: no encoding 'koi9'; some are utf-8, ")


def test_lines_are_decoded_once_however_the_stream_is_cut() -> None:
    text = "id,text\n" + "".join(f"{number},Žluťoučký kůň\n" for number in range(5000))
    *rows, last = read_text(io.BytesIO(text.encode("cp1250")).getvalue(), "label", suffix=".csv")
    assert isinstance(last, Document) and len(rows) == 4999
    assert {row.text for row in rows if isinstance(row, Document)} == {"Žluťoučký kůň"}
