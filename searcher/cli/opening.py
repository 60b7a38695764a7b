"""A hit → the command that opens its file in the person's own program, at its page or line where that program can."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

from searcher.cli.config import setting
from searcher.cli.terminal import echo
from searcher.errors import BadValue, SearcherError
from searcher.records import Passage
from searcher.system import as_line, opener, words_of

__all__ = ["command_for", "nth", "open_hit"]

# What programs call a file, and a line or page in it. A path is absolute, so that it never begins with "-".
AT_LINE = {
    **dict.fromkeys(("vim", "nvim", "vi", "gvim", "nano", "emacs", "emacsclient", "micro", "kak"), "+{line} {file}"),
    **dict.fromkeys(("helix", "hx", "subl", "zed"), "{file}:{line}"),
    **dict.fromkeys(("code", "codium", "code-insiders", "cursor"), "-g {file}:{line}"),
    **dict.fromkeys(("idea", "pycharm", "webstorm"), "--line {line} {file}"),
    **dict.fromkeys(("kate", "kwrite"), "-l {line} {file}"),
    "notepad++": "-n{line} {file}", "gedit": "+{line} {file}", "mate": "-l {line} {file}",
}  # fmt: skip
AT_PAGE = {
    "okular": "-p {page} {file}", "evince": "-i {page} {file}", "zathura": "-P {page} {file}",
    "sumatrapdf": "-page {page} {file}", "mupdf": "{file} {page}", "mupdf-gl": "{file} {page}",
    "xpdf": "{file} {page}", "qpdfview": "{file}#{page}",
}  # fmt: skip
# Which have windows of their own; any other program may need the terminal, and is waited for.
WINDOWED = {*AT_PAGE, "gvim", "subl", "zed", "code", "codium", "code-insiders", "cursor", "idea", "pycharm", "webstorm",
            "kate", "kwrite", "notepad++", "gedit", "mate", "xdg-open", "open", "explorer"}  # fmt: skip
TEXT = re.compile(r"(txt|text|md|markdown|rst|log|org|adoc|tex|csv|tsv|jsonl?|ndjson|ya?ml|toml|ini|srt|vtt|html?|xml|"
                  r"py|pyi|js|jsx|tsx?|go|rs|c|h|cc|cpp|hpp|java|rb|php|cs|swift|kt|scala|lua|sh|sql)")  # fmt: skip


def nth(hits: Sequence[Passage], number: int) -> Passage:
    """The hit of that rank. BadValue for one that is not among them."""
    if not 1 <= number <= len(hits):
        good = f"1 to {len(hits)}" if hits else "none, as nothing was found"
        raise BadValue(f"there is no hit {number} to open; good: {good}")
    return hits[number - 1]


def command_for(hit: Passage, folder: Path | None = None, platform: str | None = None) -> list[str]:
    """The words of the command that opens a hit's file, at its sentence where that is known.

    SearcherError for a hit whose source is no file.

    By the setting `open` for its suffix or for any ("*"), else $VISUAL or $EDITOR for text, a PDF viewer that is
    there, or the platform's opener.
    """
    file = _file(hit.source)
    suffix = PurePath(file).suffix.lower().removeprefix(".")
    place, line = hit.answers_at
    values = {"file": file, "line": str(line), "page": str((place or {}).get("page", hit.page or 1))}
    forms: Mapping[str, str] = setting("open", None, folder) or {}
    if form := forms.get(suffix) or forms.get("*"):
        return _filled(words_of(form, platform), values)
    if suffix == "pdf" and (viewer := next((name for name in AT_PAGE if shutil.which(name)), None)):
        return _filled([viewer, *AT_PAGE[viewer].split()], values)
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    if editor.strip() and TEXT.fullmatch(suffix):
        words = words_of(editor, platform)
        return [*words, *_filled(AT_LINE.get(_program(words[0]), "{file}").split(), values)]
    return [opener(platform), file]  # which takes no page


def _file(source: str) -> str:
    """The file that a source is, or that holds the row, message or attachment which it is."""
    outer = [source, *(source[: found.start()] for found in reversed(list(re.finditer("#", source))))]
    for path in outer:
        if Path(path).is_absolute() and Path(path).is_file():
            return path
    raise SearcherError(f"{source} is no file that can be opened; read it with: searcher show {shlex.quote(source)}")


def _program(word: str) -> str:
    """The name of a program, without its folder and .exe."""
    return re.split(r"[/\\]", word)[-1].lower().removesuffix(".exe")


def _filled(words: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """The words with the values in them, in one go: a name of a file may hold braces."""
    return [re.sub(r"\{(file|line|page)\}", lambda found: values[found[1]], word) for word in words]


def open_hit(hit: Passage, folder: Path | None, dry_run: bool) -> None:
    """Open a hit's file, or print the command that would. SearcherError for a program that is not there."""
    command = command_for(hit, folder)
    if dry_run:
        echo(as_line(command))
        return
    try:
        if _program(command[0]) not in WINDOWED:
            subprocess.run(command, check=False)
        else:
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             start_new_session=True)  # fmt: skip
    except OSError as fault:
        raise SearcherError(f"{command[0]} cannot be run: {fault.strerror or fault}; see the setting open") from None
