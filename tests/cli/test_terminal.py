"""What reaches a terminal or a pipe: nothing that a text could do harm with, in any width and encoding."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from searcher import Searcher
from searcher.cli import terminal
from searcher.cli.terminal import fitted, printable, width_of
from searcher.records import Document

EVIL = "\x1b]52;c;bGV0\x07\x1b[2J\x9b31m\x08\x7f\x00\r"  # the clipboard, the screen, a colour, a backspace
CONTROLS = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f]")


@pytest.fixture(scope="module")
def folder(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index that holds control characters wherever a stranger could put some."""
    place = tmp_path_factory.mktemp("evil")
    file = place / f"a{EVIL[:5]}b.md"
    file.write_text("# river \x1b[1m\n\nthe river \x9b31m flows\n", encoding="utf-8")
    rows = [{"question": f"open{EVIL}?", "answer": f"yes{EVIL}", "id": f"x{EVIL[:4]}", "lang": f"e{EVIL}"}]
    (place / "faq.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    every = Document(
        f"label{EVIL}", f"the river{EVIL} here", title=f"title{EVIL}", id=f"id{EVIL}", metadata={f"k{EVIL}": EVIL},
        sections=((0, f"section{EVIL}"),),
    )  # fmt: skip
    with Searcher(place / "index", model=tiny_bert) as s:
        report = s.add([file, place / "faq.jsonl"])
        assert (report.documents, report.failed) == (2, [])
        s.add_documents([every])
        s.add_texts([f"a text{EVIL}"], ids=[f"key{EVIL[:3]}"])
        s.faq.log(True)
        s.answer(f"what{EVIL}", min_score=1.0)
    return place


def ran(
    folder: Path, *arguments: str, stdin: bytes | None = None, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    quiet = ["-W", "error", "-W", "ignore:builtin type:DeprecationWarning"]  # of SWIG's, which older FAISS dies of
    command = [sys.executable, *quiet, "-m", "searcher", *arguments]
    return subprocess.run(
        command, cwd=folder, input=stdin, capture_output=True, env=os.environ | environment, check=False
    )


COMMANDS = [
    ["search", "river"],
    ["search", "river", "--mode", "keyword", "--highlight"],
    ["search", "river", "--documents"],
    ["search", f"river{EVIL[:-2].replace(chr(0), '')}"],
    ["ask", "open"],
    ["faq", "lint"],
    ["faq", "log"],
    ["list"],
    ["status"],
    ["status", "--tables"],
    ["show", "key\x1b]5", "--passages"],
    ["inspect", "river \x1b[2J"],
    ["embed", "river \x1b[2J"],
    ["add", "."],
    ["add", "gone\x1b[2J"],
    ["remove", "gone\x9b2J"],
    ["search", "x", "--where", "ke\x1b[2J = 1"],
    ["search", "x", "--mode", "o\x1b[2J"],
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: " ".join(map(ascii, arguments)))
def test_no_control_character_of_a_text_is_printed(folder: Path, arguments: list[str]) -> None:
    options = [] if arguments[0] in ("inspect", "embed") else ["-i", "index"]
    model = ["-m", json.loads(ran(folder, "status", "--json", "-i", "index").stdout)["model"]] if not options else []
    done = ran(folder, *arguments, *options, *model, NO_COLOR="1")
    printed = (done.stdout + done.stderr).decode()
    assert printed
    assert CONTROLS.findall(printed) == []


@pytest.mark.parametrize(
    "arguments", [["search", "river"], ["list"], ["search", "river", "--jsonl"], ["list", "--jsonl"]]
)
def test_json_escapes_them_and_reads_back_as_what_was_indexed(folder: Path, arguments: list[str]) -> None:
    done = ran(folder, *arguments, *([] if "--jsonl" in arguments else ["--json"]), "-i", "index")
    assert CONTROLS.findall(done.stdout.decode()) == []
    values = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert "\\u009b" in done.stdout.decode()
    assert any("\x9b31m" in json.dumps(value, ensure_ascii=False) for value in values)


def test_a_document_goes_into_a_pipe_as_it_is(folder: Path) -> None:
    done = ran(folder, "show", f"key{EVIL[:3]}", "-i", "index")
    assert done.stdout.decode() == f"a text{EVIL}\n"


@pytest.mark.parametrize("width", [1, 7, 80])
def test_no_width_is_too_narrow(folder: Path, width: int) -> None:
    for arguments in (
        ["search", "river", "--highlight"],
        ["search", "river", "--documents"],
        ["list"],
        ["ask", "open", "--min-probability", "0"],
        ["--help"],
    ):
        done = ran(folder, *arguments, *([] if arguments == ["--help"] else ["-i", "index"]), COLUMNS=str(width))
        assert done.returncode == 0
        assert done.stderr == b"" or arguments[0] == "ask"  # which says there why it has no answer
        assert done.stdout


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "cp850", "cp437", "utf-8"])
def test_every_encoding_of_the_terminal_will_do(tiny_bert: Path, tmp_path: Path, encoding: str) -> None:
    text = "where the river → flows “naïve café” 北京 … and so on – "
    with Searcher(tmp_path / "index", model=tiny_bert) as s:
        s.add_texts([text], ids=["a"])
        s.add_faq(_faq(tmp_path))
    for arguments in (["search", "river", "--highlight"], ["ask", "river"], ["list"], ["show", "a"], ["faq", "lint"]):
        done = ran(tmp_path, *arguments, "-i", "index", PYTHONIOENCODING=encoding)
        assert (done.returncode, done.stderr) == (0, b"")
        done.stdout.decode(encoding)
    rows = ran(tmp_path, "search", "river", "--mode", "keyword", "--jsonl", "-i", "index", PYTHONIOENCODING=encoding)
    assert text.strip() in [json.loads(line)["text"] for line in rows.stdout.decode(encoding).splitlines()]
    shown = ran(tmp_path, "show", "a", "-i", "index", PYTHONIOENCODING=encoding).stdout.decode(encoding)
    expected = {"latin-1": 'river -> flows "naïve café" ?? ... and', "cp437": 'river -> flows "naïve café" ?? ... and'}
    assert expected.get(encoding, "river ") in shown


def _faq(folder: Path) -> Path:
    (folder / "faq.jsonl").write_text('{"question": "a river → where?", "answer": "→ 北京"}\n', encoding="utf-8")
    return folder / "faq.jsonl"


SHELL = shutil.which("bash")


@pytest.mark.skipif(SHELL is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("redirection", "code", "said"),
    [
        ("search river -i index >&-", 0, ""),
        ("search river -i index --jsonl | head -c 1 > /dev/null", 0, ""),
        ("export - -i index >&-", 0, ""),
        ("--help | head -c 1 > /dev/null", 0, ""),
        ("add - -i index <&-", 1, "Error: stdin is closed; there is nothing to read\n"),
        ("import - -i index <&-", 1, "Error: stdin is closed; there is nothing to read\n"),
        ("embed - <&-", 1, "Error: stdin is closed; there is nothing to read\n"),
        ("search --queries - -i index <&-", 1, "Error: stdin is closed; there is nothing to read\n"),
        ("list -i index > /dev/full", 1, "Error: the system: No space left on device\n"),
        ("list -i index 2>&-", 0, ""),
    ],
)
def test_streams_that_are_closed_or_full_are_no_traceback(folder: Path, redirection: str, code: int, said: str) -> None:
    command = f"set -o pipefail; {sys.executable} -m searcher {redirection}"
    done = subprocess.run([str(SHELL), "-c", command], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, said)
    with Searcher(folder / "index") as s:
        assert s.check() == []  # nothing was written into what took the place of a stream


def test_a_byte_order_mark_is_no_part_of_a_question(folder: Path, tiny_bert: Path) -> None:
    (folder / "queries.txt").write_text("\ufeffriver\n{boat\n", encoding="utf-8")
    for arguments, stdin in (
        (["--queries", "queries.txt"], None),
        (["--queries", "-"], "\ufeffriver\n{boat\n".encode()),
    ):
        done = ran(folder, "search", *arguments, "-k", "1", "--jsonl", "-i", "index", stdin=stdin)
        assert [json.loads(line)["query"] for line in done.stdout.splitlines()] == ["river", "{boat"]
    done = ran(folder, "embed", "-", "--json", "-m", str(tiny_bert), stdin="\ufeffriver\r\n".encode())
    assert done.stdout == ran(folder, "embed", "river", "--json", "-m", str(tiny_bert)).stdout
    assert ran(folder, "add", "-", "--label", "bom", "-i", "index", stdin="\ufeffhello".encode()).returncode == 0
    assert ran(folder, "show", "bom", "-i", "index").stdout == b"hello\n"


def test_an_empty_label_is_refused_and_nothing_is_added(folder: Path) -> None:
    done = ran(folder, "add", "-", "--label", "", "-i", "new", stdin=b"hello")
    assert (done.returncode, done.stderr) == (1, b"Error: a label is empty; good: a name for what is added\n")
    assert not (folder / "new").exists()


def test_a_line_of_a_file_of_json_lines_that_is_none_is_named(folder: Path) -> None:
    (folder / "queries.jsonl").write_text('{"text": "river"}\n{boat\n', encoding="utf-8")
    done = ran(folder, "search", "--queries", "queries.jsonl", "-i", "index")
    assert done.stderr.count(b"\n") == 1 and b"queries.jsonl: line 2: not JSON: " in done.stderr


def test_vectors_are_written_under_the_name_that_was_given(folder: Path, tiny_bert: Path) -> None:
    assert ran(folder, "embed", "river", "--output", "vectors.bin", "-m", str(tiny_bert)).returncode == 0
    assert np.load(folder / "vectors.bin").shape == (1, 32)
    assert not (folder / "vectors.bin.npy").exists()


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("北京上海", 8, "北京上海"),
        ("北京上海", 7, "北京上…"),
        ("北京上海", 6, "北京…"),
        ("ab  cd", 5, "ab…"),
    ],
)
def test_a_line_is_cut_by_the_columns_that_it_takes(text: str, width: int, expected: str) -> None:
    assert fitted(text, width) == expected
    assert width_of(expected) <= width


@pytest.mark.skipif(sys.platform == "win32", reason="names of files hold no such characters there")
def test_a_name_with_an_end_of_a_line_in_it_stays_on_one_line(tiny_bert: Path, tmp_path: Path) -> None:
    (tmp_path / "new\nline\t.txt").write_text("the river", encoding="utf-8")
    with Searcher(tmp_path / "index", model=tiny_bert) as searcher:
        searcher.add(tmp_path / "new\nline\t.txt")
    command = [sys.executable, "-m", "searcher"]
    for arguments in (
        ["list"],
        ["search", "river"],
        ["search", "river", "--documents"],
        ["show", "new\nline\t.txt", "--at", "1"],
    ):
        done = subprocess.run(
            [*command, *arguments, "-i", "index"], capture_output=True, text=True, encoding="utf-8", cwd=tmp_path,
            env=os.environ | {"COLUMNS": "100", "PYTHONUTF8": "1"}, check=True,
        )  # fmt: skip
        assert "new␊line␉.txt" in done.stdout, arguments
        assert not any(line.startswith("line") for line in done.stdout.splitlines())
    files = subprocess.run(
        [*command, "search", "river", "--format", "files", "-i", "index"], capture_output=True, cwd=tmp_path, check=True
    )
    assert files.stdout.decode() == f"new\nline\t.txt{os.linesep}"  # for a program it is the name itself


def test_what_is_printable_stays_as_it_is_but_for_its_line_ends() -> None:
    text = "a\tb\nc é 北 😀 \u202eabc"
    assert printable(text) == text
    assert printable("a\r\nb\rc") == "a\nb␍c"


def test_nothing_else_prints() -> None:
    for file in Path(terminal.__file__).parent.glob("*.py"):
        if file.name != "terminal.py":
            assert not re.search(r"click\.echo|click\.style|\bprint\(", file.read_text(encoding="utf-8")), file


def test_a_stream_that_cannot_be_reconfigured_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    terminal.open_streams()
    terminal.echo("→")
    assert sys.stdout.getvalue() == "→\n"  # type: ignore[attr-defined]


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are UTF-8 elsewhere")
def test_a_name_that_is_no_utf8_is_told_and_stops_nothing(tiny_bert: Path, tmp_path: Path) -> None:
    name = os.fsdecode(b"ind\xffex")
    bad = os.fsdecode(b"caf\xe9.txt")
    (tmp_path / bad).write_text("hello")
    (tmp_path / "good.txt").write_text("hello")
    strict = {"PYTHONIOENCODING": "utf-8:strict"}  # as in every locale of UTF-8
    done = ran(tmp_path, "add", bad, "good.txt", "-i", name, "-m", str(tiny_bert), "--json", **strict)
    report = json.loads(done.stdout)
    assert (done.returncode, report["documents"]) == (1, 1)
    assert [each["reason"] for each in report["failed"]] == ["its name is not UTF-8"]
    for more in ([], ["--prune"]):
        done = ran(tmp_path, "add", ".", "-i", name, *more, **strict)
        assert done.returncode == 1
        assert b"failed: caf\\xe9.txt: its name is not UTF-8\n" in done.stderr
    told = ran(tmp_path, "status", "-i", name, **strict).stdout.decode()
    assert told.startswith("folder") and "ind\\xffex\n" in told
    status = json.loads(ran(tmp_path, "status", "-i", name, "--json", **strict).stdout)
    assert status["folder"] == str(tmp_path / name)
    assert ran(tmp_path, "export", name + ".jsonl", "-i", name, **strict).stdout.endswith(b"to ind\\xffex.jsonl\n")
