"""Fonts whose letters are signs (Symbol, Wingdings): what they show is read, in Word, PowerPoint, RTF, pages and mails."""

from typing import Any

import pytest
from made_office import docx, pptx

from searcher.readers import read_text


def read(data: bytes, suffix: str) -> str:
    document: Any = next(iter(read_text(data, "file", suffix=suffix)))
    return document.text


def word(text: str, font: str) -> str:
    fonts = f'<w:rPr><w:rFonts w:ascii="{font}" w:hAnsi="{font}"/></w:rPr>' if font else ""
    return f"<w:p><w:r>{fonts}<w:t>{text}</w:t></w:r></w:p>"


@pytest.mark.parametrize(
    ("font", "letters", "said"),
    [
        ("Symbol", "lmn ab", "λμν αβ"),
        ("Symbol", "\uf06c\uf0e5é", "λ∑⎡"),
        ("Wingdings", "J \xe0\xfcz", "☺ →✓"),
        ("Arial", "lab\xe0", "labà"),
        ("", "\uf0b7 \uf061\uf0fc", "• α✓"),
    ],
)
def test_a_letter_in_a_font_of_signs_is_what_it_shows(font: str, letters: str, said: str) -> None:
    assert read(docx(word(letters, font)), ".docx") == said
    latin = f'<a:latin typeface="{font}"/>' if font else ""
    body = f"<p:sp><p:txBody><a:p><a:r><a:rPr>{latin}</a:rPr><a:t>{letters}</a:t></a:r></a:p></p:txBody></p:sp>"
    assert read(pptx([body]), ".pptx") == said
    codes = "".join(f"\\u{ord(sign)}?" if ord(sign) > 255 else f"\\'{ord(sign):02x}" for sign in letters)
    rtf = rf"{{\rtf1{{\fonttbl{{\f0\fnil Times;}}{{\f1\fnil\fcharset0 {font};}}}}\f1 {codes}\par\f0 lab}}"
    assert read(rtf.encode(), ".rtf") == f"{said}\n\nlab"


def test_a_sign_that_is_given_by_its_number_is_that_of_its_font() -> None:
    signs = "".join(
        f'<w:sym w:font="{font}" w:char="{code}"/>'
        for font, code in (
            ("Symbol", "F06C"),
            ("Wingdings", "F06C"),
            ("Wingdings 2", "F052"),
            ("Webdings", "F04A"),
            ("Arial", "00E0"),
        )
    )
    assert read(docx(f"<w:p><w:r>{signs}<w:sym w:char='x'/></w:r></w:p>"), ".docx") == "λ•☑à"


def test_in_a_page_and_a_mail_what_has_a_font_of_its_own_stays() -> None:
    page = (
        "<p>Good <span style='font-family:Wingdings'>J</span> go <span style=\"color:red; font-family: 'Wingdings', serif\">à"
        '<i style="font-size:9pt">à</i><b style="font-family:Arial">à la</b>à</span>.</p>'
        "<p><span style='font-family:Symbol'>·<span style='font:7pt Times'>a</span></span> <font face=Symbol>ab</font> ab</p>"
    )
    said = "Good ☺ go →→à la→.\n\n•a αβ ab"
    assert read(f"<html><body>{page}</body></html>".encode(), ".html") == said
    assert read(f"Subject: S\nContent-Type: text/html; charset=utf-8\n\n{page}".encode(), ".eml") == f"S\n\n{said}"
