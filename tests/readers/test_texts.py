"""RTF, notebooks, subtitles, LaTeX and what gzip compressed."""

import gzip
import json
from pathlib import Path

import pytest

from searcher.errors import UnreadableFile
from searcher.readers import read, read_text
from searcher.readers.parsers import packed
from searcher.records import Document, Failure


def document_of(data: str | bytes, suffix: str) -> Document:
    [document] = read_text(data.encode("latin-1") if isinstance(data, str) else data, "file", suffix=suffix)
    assert isinstance(document, Document)
    return document


# -- RTF


def rtf(text: str) -> str:
    fonts = r"{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Arial Cyr;}{\f2\fcharset128 Gothic;}}"
    styles = r"{\stylesheet{\s0 Normal;}{\s1 heading 1;}{\*\cs5 Strong;}}"
    return document_of(rf"{{\rtf1\ansi\ansicpg1252\uc1{fonts}{styles}{text}}}", ".rtf").text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (r"One\par Two\line three", "One\n\nTwo\nthree"),
        (r"caf\'e9 \u8364?\emdash ", "café €—"),
        (r"\u-10179?\u-8704?!", "😀!"),
        (r"{\uc2\u960\'a6\'d0 pi}", "π pi"),
        (r"{\f1\'cf\'f0\'e8} {\f2\'93\'fa\'96\'7b}", "При 日本"),
        (r"seen{\v hidden}{\deleted cut} {\v\v0 again}", "seen again"),
        (r"A word{\footnote\pard Its note.} more\par Next", "A word more\n\nIts note.\n\nNext"),
        (r"{\header Head}{\footer Foot}{\*\unknown x}{\pict 0102}{\field{\*\fldinst HYPERLINK x}{\fldrslt link}}", "link\n\nHead\n\nFoot"),
        (r"{\header Head\par 12\par}{\headerl Head\par}Head\par Text", "Head\n\nText"),
        (r"{\listtext 1.\tab}one\par{\listtext\u-3913 ?\tab}two\par{\listtext a)\tab}{\pntext 9.\tab}three\par End", "1. one\n• two\na) three\n\nEnd"),
        (r"{\pntext\f0 1.\tab}{\*\pn\pnlvlbody}old\par{\pntext 2.\tab}older", "1. old\n2. older"),
        (r"So:\par     do()\line   it\par  done", "So:\n\n    do()\n  it\n\ndone"),
        (r"A note\line below{\footnote Its note.} it", "A note\nbelow it\n\nIts note."),
        (r"\trowd\intbl a\par b\cell c\cell\row\trowd\intbl d\cell e\cell\row\pard After", "a b | c\nd | e\n\nAfter"),
        (r"\{brace\} back\\slash non\~break soft\-hyphen", "{brace} back\\slash non break softhyphen"),
        (r"a\bin3 }{\b", "ab"),
        (r"A\'02kept\'02B\'00\'01\'033\'03C \u1?\u3?D", "AkeptB3C D"),
        (r"\ansicpg9999 A word", "A word"),
        (r"So {\upr{naive}{\*\ud{na\u239?ve}}} it is{\upr{!}{\*\ud{?}}}", "So naïve it is?"),
    ],
)  # fmt: skip
def test_rtf_reads_as_it_is_shown(text: str, shown: str) -> None:
    assert rtf(text) == shown


def test_headings_of_rtf_are_sections() -> None:
    document = document_of(
        r"{\rtf1{\stylesheet{\s3 heading 2;}}{\info{\title A \u233?tude}{\author Ada}}\pard\s3 Trees\par\pard Oak.\par\pard\outlinelevel0 Next\par}",
        ".rtf",
    )
    assert document.title == "A étude" and document.metadata == {"author": "Ada"}
    assert document.sections == ((0, "Trees"), (13, "Next"))


def test_what_is_no_rtf_says_so_and_groups_have_an_end() -> None:
    with pytest.raises(UnreadableFile, match="it is no RTF"):
        document_of("plain", ".rtf")
    with pytest.raises(UnreadableFile, match="nested too deeply"):
        document_of("{\\rtf1" + "{" * 10_000, ".rtf")


# -- notebooks


def test_cells_are_places_and_headings_of_text_are_sections() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Study\n", "\n", "Of trees."]},
        {
            "cell_type": "code",
            "source": "# no heading\nprint(1)",
            "outputs": [{"output_type": "stream", "text": ["1\n"]}],
        },
        {"cell_type": "code"},
        {
            "cell_type": "code",
            "source": "x",
            "outputs": [{"data": {"image/png": "AAAA", "text/plain": "<Figure>"}}, {"traceback": ["no"]}],
        },
        {"cell_type": "markdown", "source": "## Result"},
    ]
    document = document_of(json.dumps({"cells": cells, "metadata": {"kernelspec": {"name": "python3"}}}), ".ipynb")
    assert document.text == "# Study\n\nOf trees.\n\n# no heading\nprint(1)\n\n1\n\nx\n\n## Result"
    assert [(document.text[start], place["cell"]) for start, place in document.places] == [
        ("#", 1),
        ("#", 2),
        ("x", 4),
        ("#", 5),
    ]
    assert [path for _, path in document.sections] == ["Study", "Study > Result"]
    assert document.title == "Study" and document.metadata == {"language": "python3"}


def test_a_notebook_of_format_3_is_read() -> None:
    cells = [{"cell_type": "heading", "level": 2, "source": "Old"}, {"cell_type": "code", "input": ["y = 1"]}]
    document = document_of(json.dumps({"worksheets": [{"cells": cells}], "nbformat": 3}), ".ipynb")
    assert document.text == "Old\n\ny = 1" and document.sections == ((0, "Old"),)


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        ({"output_type": "stream", "text": "\x1b[31mred\x1b[0m\n 10%\r 50%\r100%\r\nend\n"}, "red\n100%\nend"),
        ({"output_type": "stream", "text": "<tag>"}, "<tag>"),
        ({"output_type": "execute_result", "data": {"text/plain": "[<Line2D at 0x1>,\n <Line2D at 0x2>]"}}, None),
        ({"output_type": "execute_result", "data": {"text/plain": "<a> < b"}}, "<a> < b"),
        ({"output_type": "display_data", "data": {"text/html": ["<p>Only <b>so</b>.</p>", "<script>no</script>"]}}, "Only so."),
        ({"output_type": "display_data", "data": {"text/html": "<b>no</b>", "text/plain": "1 2"}}, "1 2"),
        ({"output_type": "display_data", "data": {"text/html": "<b>Yes</b>", "text/plain": "<a.HTML object>"}}, "Yes"),
        ({"output_type": "display_data", "data": {"text/latex": ["$x$"], "text/plain": "<a.Math object>"}}, "$x$"),
        ({"output_type": "pyout", "html": ["<i>Old</i>"], "text": ["<a.Table at 0x1>"]}, "Old"),
    ],
)  # fmt: skip
def test_an_output_is_what_was_last_shown_of_it(output: dict[str, object], shown: str | None) -> None:
    document = document_of(json.dumps({"cells": [{"cell_type": "code", "source": "x", "outputs": [output]}]}), ".ipynb")
    assert document.text == "x" + (f"\n\n{shown}" if shown else "")


@pytest.mark.parametrize("bad", ["{", "[]", '{"cells": 3}', "[" * 100_000])
def test_what_is_no_notebook_says_so(bad: str) -> None:
    with pytest.raises(UnreadableFile, match="no notebook"):
        document_of(bad, ".ipynb")


# -- subtitles

SRT = """1
00:00:01,500 --> 00:00:03,000
<i>Where</i> is
the ferry?

2
00:00:03,200 --> 00:00:04,000 X1:0 X2:9
{\\an8}It left.

3
01:00:00,000 --> 01:00:02,000
2024
"""


def test_cues_are_places_with_their_time() -> None:
    document = document_of(SRT.replace("\n", "\r\n"), ".srt")
    assert document.text == "Where is the ferry?\nIt left.\n\n2024"
    assert document.places == (
        (0, {"time": "00:00:01.500"}),
        (20, {"time": "00:00:03.200"}),
        (30, {"time": "01:00:00.000"}),
    )


def test_webvtt_has_speakers_notes_and_styles() -> None:
    vtt = "WEBVTT - Title\n\nSTYLE\n::cue { color: red }\n\nNOTE not said\n\nintro\n00:01.000 --> 00:02.000 align:start\n<v.loud Ada Lovelace>Hello &amp; <c.x>welcome</c></v>\n\n00:02.000 --> 00:03.000\n- One\n- Two\n"
    document = document_of(vtt, ".vtt")
    assert document.text == "Ada Lovelace: Hello & welcome\n- One - Two"
    assert document.places[0][1] == {"time": "00:00:01.000"}


def test_numbers_of_cues_are_never_said_and_no_line_of_a_cue_is_lost() -> None:
    srt = (
        "1\n00:00:01,000 --> 00:00:02,000\nOne\n2\n00:00:02,000 --> 00:00:03,000\n\n3\n00:00:03,000 --> 00:00:04,000\n"
        "Two\n\nand more\n\n1984\n\n4\n00:01:15,000 -> 00:01:16\nThree\n\n5\n-00:00:01,000 --> 00:00:00,500\nFirst\n"
    )
    document = document_of(srt, ".srt")
    assert document.text == "First\nOne\nTwo and more 1984\n\nThree"
    assert [place for _, place in document.places] == [
        {"time": "00:00:00.000"}, {"time": "00:00:01.000"}, {"time": "00:00:03.000"}, {"time": "00:01:15.000"},
    ]  # fmt: skip


def test_cues_stand_in_the_order_in_which_they_are_shown() -> None:
    document = document_of(
        "00:01:00,000 --> 00:01:02,000\nSecond\n\n00:00:75,500 --> 00:00:76,000\nThird\n\n00:01,000 --> 00:02,000\nFirst\n",
        ".srt",
    )
    assert document.text == "First\n\nSecond\n\nThird"
    assert document.places[2][1] == {"time": "00:01:15.500"}


def test_captions_that_roll_say_each_line_once() -> None:
    vtt = (
        "WEBVTT\n\n00:00.000 --> 00:02.000\n \nhello<00:00.500><c> world</c>\n\n00:02.000 --> 00:02.010\nhello world\n \n\n"
        "00:02.010 --> 00:04.000\nhello world\nthis<00:02.500><c> is</c>\n\n00:04.000 --> 00:04.010\nthis is\n \n\n"
        "00:04.010 --> 00:06.000\nthis is\nthe end\n\n00:20.000 --> 00:21.000\nthe end\n\n"
        "00:21.500 --> 00:22.000\n<ruby>漢<rt>kan</rt>字<rt>ji</rt></ruby>\n"
    )
    document = document_of(vtt.encode(), ".vtt")
    assert document.text == "hello world\nthis is\nthe end\n\nthe end\n漢字(kanji)"
    assert [offset for offset, _ in document.places] == [0, 12, 20, 29, 37]


SSA = """[Script Info]
Title: No
[V4+ Styles]
Format: Name
Style: Default
[Events]
Format: Layer, Start, End, Style, Text
Dialogue: 0,0:00:05.25,0:00:06.00,Default,Second{no}, it left\\hnow.
Dialogue: 1,0:00:01.00,0:00:02.00,Default,{\\an8\\i1}Where{\\i0} is\\Nthe ferry?
Dialogue: 2,0:00:01.00,0:00:02.00,Default,{\\i1}Where{\\i0} is\\Nthe ferry?
Dialogue: 0,0:00:01.00,0:00:02.00,Default,{\\p1}m 0 0 l 100 0{\\p0}
Comment: 0,0:00:03.00,0:00:04.00,Default,no
"""


def test_substation_alpha_is_what_it_shows_each_line_once() -> None:
    for suffix in (".ass", ".ssa"):
        document = document_of(SSA, suffix)
        assert document.text == "Where is the ferry?\n\nSecond, it left now."
        assert document.places == ((0, {"time": "00:00:01.000"}), (21, {"time": "00:00:05.250"}))
    plain = "[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,Default,Ann,0,0,0,,As usual, no format.\n"
    assert document_of(plain, ".ass").text == "As usual, no format."
    assert isinstance(next(read_text(b"[Events]\n", "label", suffix=".ass")), Failure)


def test_breaks_and_spaces_as_other_subtitles_write_them_are_none_of_the_words() -> None:
    cue = "1\n00:00:01,000 --> 00:00:02,000\n{\\an8}Where\\Nis\\hit?\nC:\\New"
    assert document_of(cue, ".srt").text == "Where is it? C:\\New"
    vtt = "WEBVTT\n\n00:01.000 --> 00:02.000\na\\Nb\n"
    assert document_of(vtt, ".vtt").text == "a\\Nb"


def test_what_has_no_times_is_told() -> None:
    assert list(read_text(b"just words", "file", suffix=".srt")) == [
        Failure("file", "no subtitles: no line says from when to when something is shown")
    ]


# -- LaTeX


def test_latex_keeps_its_source_and_knows_its_sections() -> None:
    source = "\\documentclass{article}\n\\title[S]{On {Trees} \\& \\'Etudes\\thanks{me}}\n\\author{Ada}\n\\begin{document}\n\\maketitle\n% \\section{no}\n\\section*{Oak \\emph{old}}\nText 5\\% of it.\n\\subsection[short]{Leaves}\n\\end{document}\nnot read"
    document = document_of(source, ".tex")
    assert document.title == "On Trees & Études" and document.metadata == {"author": "Ada"}
    assert [path for _, path in document.sections] == ["Oak old", "Oak old > Leaves"]
    assert document.text.startswith("\\maketitle\n\n\\section*{Oak") and "not read" not in document.text
    assert source.split("\n")[document.first_line - 1] == "\\maketitle"
    [start, _] = document.sections[0]
    assert source.split("\n")[document.first_line - 1 + document.text.count("\n", 0, start)].startswith("\\section*")


@pytest.mark.parametrize(
    ("title", "read"),
    [
        (r"\Huge\bfseries My thesis", "My thesis"),
        (r"On \cite{smith} and \color{red} \url{x}", "On smith and red x"),
        (r"Fa\c{c}ade, \v S\'i\v{c}, Erd\H{o}s, \r Angstr\"om, \k{a}", "Façade, Ší\u010d, Erdős, Ångström, ą"),
        (r"Two \\ lines \\", "Two lines"),
        (r"A brace \} and \{ more", "A brace and more"),
    ],
)
def test_commands_in_a_title_are_no_accents_and_accents_are_letters(title: str, read: str) -> None:
    assert document_of(f"\\title{{{title}}}\n\\begin{{document}}\nText\n\\end{{document}}", ".tex").title == read


def test_percent_signs_in_a_listing_are_no_comments() -> None:
    source = (
        "a\n% gone\n\\begin{verbatim}\n% kept\n\\end{verbatim}\n% gone\nb \\begin{minted}{sh}\n%x\n\\end{minted}\n%\nz"
    )
    kept = "a\n\n\\begin{verbatim}\n% kept\n\\end{verbatim}\n\nb \\begin{minted}{sh}\n%x\n\\end{minted}\n\nz"
    assert document_of(source, ".tex").text == kept


def test_a_heading_is_its_words_and_a_listing_has_none() -> None:
    source = "\\chapter{One\\label{c}\\index{o}}\n\\begin{verbatim}\n\\section{no}\n\\end{verbatim}\n\\section{Two\\footnote{A note.}}\nText"
    assert [path for _, path in document_of(source, ".tex").sections] == ["One", "One > Two"]


def test_nothing_that_is_commented_out_is_read_and_each_line_stays_where_it_is() -> None:
    source = (
        "\\section{One} % \\section{no}\n5\\% \\url{a%20b} \\verb|% \\section{no}| z%\n\\begin{comment}\n\\section{no}\n"
        "\\end{comment}\n\\iffalse\n\\ifx a \\iff b\\fi\n\\section{no}\n\\fi\nText \\section{Two} more"
    )
    document = document_of(source, ".tex")
    assert (
        document.text
        == "\\section{One} \n5\\% \\url{a%20b} \\verb|% \\section{no}| z\n\n\n\n\n\n\n\nText \\section{Two} more"
    )
    assert document.sections == ((0, "One"), (document.text.index("\\section{Two}"), "Two"))
    assert document.text.count("\n") == source.count("\n")


@pytest.mark.parametrize(
    ("source", "read"),
    [
        (
            r"Caf\'e, Stra\ss e, na\"{\i}ve, G{\"o}del, \O rsted, {\AA}s, \c{c}a",
            "Café, Straße, naïve, Gödel, Ørsted, Ås, ça",
        ),
        (r"a\\'b, \ssfamily, \v{x}, \today, \verb|\'e|", r"a\\'b, \ssfamily, \v{x}, \today, \verb|\'e|"),
        (r"\def\v{\vec}\v{n} \'n", r"\def\v{\vec}\v{n} ń"),
        (r"\begin{tabbing}\'a\end{tabbing}", r"\begin{tabbing}\'a\end{tabbing}"),
    ],
)
def test_accents_of_latex_are_on_their_letters(source: str, read: str) -> None:
    assert document_of(source, ".tex").text == read


def test_a_title_of_latex_is_what_is_printed() -> None:
    source = (
        r"\newcommand{\name}{The \emph{Boat}}\title{On \name: \LaTeX{} and Stra\ss e}\author{Ann\and Bo \O rsted}"
        "\n\\begin{document}\n"
        r"\section{\texorpdfstring{$\alpha$}{alpha} and $\beta$}"
        "\n\\end{document}\n"
    )
    document = document_of(source, ".tex")
    assert (document.title, document.metadata["author"]) == ("On The Boat: LaTeX and Straße", "Ann, Bo Ørsted")
    assert document.sections == ((0, r"alpha and $\beta$"),)


def test_latex_without_a_document_is_a_part_of_one() -> None:
    assert document_of("\\chapter{One}\nText", ".tex").sections == ((0, "One"),)


# -- gzip


def test_what_is_compressed_is_read_by_its_own_reader(tmp_path: Path) -> None:
    (tmp_path / "notes.md.gz").write_bytes(gzip.compress(b"# Notes\n\nText."))
    (tmp_path / "log.gz").write_bytes(gzip.compress("grün".encode("cp1252")))
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(b"id,text\n1,one\n2,two\n"))
    [notes] = read(tmp_path / "notes.md.gz")
    assert notes.title == "Notes" and notes.source == str(tmp_path / "notes.md.gz")
    assert [item.text for item in read(tmp_path / "log.gz") if isinstance(item, Document)] == ["grün"]
    assert [row.source for row in read(tmp_path / "rows.csv.gz")] == [f"{tmp_path / 'rows.csv.gz'}#{n}" for n in (1, 2)]


def test_a_bomb_and_what_is_cut_short_fail_with_one_line(tmp_path: Path) -> None:
    piece = gzip.compress(bytes(2**24), 9)
    with pytest.raises(UnreadableFile, match="it unpacks to more than 128 MiB"):
        list(read_text(piece * (packed.MOST // 2**24 + 1), "bomb.txt.gz", suffix=".gz"))
    with pytest.raises(UnreadableFile, match="gzip cannot unpack it"):
        list(read_text(gzip.compress(b"text" * 100)[:-9], "a.txt.gz", suffix=".gz"))


def test_what_nobody_reads_in_it_is_passed_over() -> None:
    with pytest.raises(UnreadableFile):
        list(read_text(gzip.compress(b"\x00\x01\x02\xff" * 100), "a.tar.gz", suffix=".gz"))


# -- files that people have


def test_files_of_the_data_are_read(data: Path) -> None:
    folder = data / "formats"
    shown = {
        "ansicpg1250.rtf": "Proszę o zapoznanie się z poniższą klauzulą informacyjną",
        "Speiseplan_KW_32-33_Eybl.rtf": "Hühnerschnitzel mit Reis und Salat",
        "nested_table.rtf": "LAD/RIVA | keine Stenose",
        "test4plus.ipynb": "Lorem ipsum",
        "rag_langchain.ipynb": "# RAG with LangChain",
        "captions.en.vtt": "...the head-snarlers\nEverything is safe. Perfectly safe.",
        "basic_sections.tex": "section",
    }
    for name, text in shown.items():
        document = next(read(folder / name))
        assert isinstance(document, Document) and text in document.text, name
