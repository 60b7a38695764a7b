"""Which index a command works on, and what holds where nothing is said: flag, environment, index, user, default.

A file of settings is TOML: `config.toml` in the user's configuration folder, and one in an index folder. It is data
alone: it names a mode, a number of hits, a model for new indexes, an index; no setting of an index that exists is
changed by it.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from searcher.errors import BadValue, IndexUnavailable, UnknownName
from searcher.system import absolute, is_ours, shown, user_folder

__all__ = ["MODES", "SETTINGS", "Held", "held", "indexes", "locate", "setting", "user_file"]

DATABASE, FOLDER = "searcher.db", "index_data"
FILE = "config.toml"
NAMED = "@"  # before the name of a named index, which bare is taken for a folder where there is one of that name


@dataclass(frozen=True)
class Setting:
    """variable: of the environment, empty for none. default: what holds where nothing is said. good: what a value
    may be, in words.

    of_index: whether an index folder, which may be a stranger's, has a say in it.
    """

    variable: str
    default: Any
    read: Callable[[Any], Any]
    good: str
    of_index: bool = False


def _whole(value: Any) -> int:
    if isinstance(value, bool) or int(value) < 1:
        raise ValueError
    return int(value)


def _mode(value: Any) -> str:
    return {name: name for name in MODES}[value]


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError
    return value


def _forms(value: Any) -> dict[str, str]:
    """Suffix → the command that opens such a file, which names the file."""
    if not isinstance(value, dict) or not all(isinstance(form, str) and "{file}" in form for form in value.values()):
        raise ValueError
    return {suffix.lower().removeprefix("."): form for suffix, form in value.items()}


MODES = ("dense", "keyword", "hybrid")
SETTINGS = {
    "index": Setting("SEARCHER_INDEX", FOLDER, _text, "a folder, or the name of a named index"),
    "mode": Setting("SEARCHER_MODE", "dense", _mode, ", ".join(MODES), of_index=True),
    "k": Setting("SEARCHER_K", 10, _whole, "a whole number of at least 1", of_index=True),
    "model": Setting("SEARCHER_MODEL", None, _text, "a hub name or a local folder"),
    "engine": Setting("SEARCHER_ENGINE", "faiss", _text, "faiss, or milvus:URI[#collection]"),
    "open": Setting("", None, _forms, '{pdf = "okular -p {page} {file}", "*" = "code -g {file}:{line}"}'),
}


class Held(NamedTuple):
    """A setting's value, and where it comes from."""

    value: Any
    origin: str


def user_file() -> Path:
    """The user's own settings."""
    return user_folder("config") / FILE


def setting(name: str, flag: Any = None, folder: Path | None = None) -> Any:
    """What holds of a setting for a command on the index in a folder, None for none."""
    return held(name, flag, folder).value


def held(name: str, flag: Any = None, folder: Path | None = None) -> Held:
    """The same, and where it comes from. BadValue for a value that cannot be, naming its file or variable."""
    known = SETTINGS[name]
    if flag is not None:
        return Held(flag, "the command line")
    if known.variable and (given := os.environ.get(known.variable)):
        return Held(_read(name, given, f"${known.variable}"), f"${known.variable}")
    for file in (folder / FILE if folder and known.of_index else None, user_file()):
        if file and (value := _settings(file, own=file == user_file()).get(name)) is not None:
            return Held(_read(name, value, shown(file.as_posix())), shown(file.as_posix()))
    return Held(known.default, "default")


def _read(name: str, value: Any, origin: str) -> Any:
    try:
        return SETTINGS[name].read(value)
    except (KeyError, TypeError, ValueError):
        raise BadValue(f"{origin}: {name} is {value!r}; good: {SETTINGS[name].good}") from None


def _settings(file: Path, own: bool) -> dict[str, Any]:
    """The settings in a file, none if there is no such file. own: whether it is the user's, not an index's."""
    if not file.exists():
        return {}
    import tomllib

    try:
        values = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as fault:
        raise BadValue(f"{shown(file.as_posix())} cannot be read: {' '.join(str(fault).split())}") from None
    known = [name for name, setting in SETTINGS.items() if own or setting.of_index]
    for name in values:
        if name not in known:
            raise UnknownName(f"setting in {shown(file.as_posix())}", name, known)
    return values


# -- which index


def locate(given: Path | None, make: bool = False) -> Path:
    """The folder of the index that a command works on. make: whether it may be one that is not there yet.

    Named by -i or SEARCHER_INDEX: a folder, or a named index. Else the nearest `index_data` from here upwards that
    holds an index of this user's, else the one that the user's settings name. IndexUnavailable, saying where was
    looked.
    """
    named = held("index", str(given) if given is not None else None)
    if named.origin == "the command line" or named.origin.startswith("$"):
        folder = _folder_of(named.value)
        if not make and not _is_index(folder):
            if folder.is_file():
                raise IndexUnavailable(f"{shown(folder.as_posix())} is a file; good: an index folder, or its @NAME")
            advice = f"make one: searcher add PATH -i {named.value}"
            raise IndexUnavailable(f"no index in {shown(folder.as_posix())}; {advice}")
        return folder
    here = Path(absolute("."))
    upwards = [here, *here.parents]
    for parent in upwards:
        if _is_index(parent / FOLDER) and (parent == here or is_ours(parent / FOLDER / DATABASE)):
            return parent / FOLDER
    if named.origin != "default" and (make or _is_index(_folder_of(named.value))):
        return _folder_of(named.value)
    if make:
        return here / FOLDER
    places = f"{FOLDER} here and in the {len(upwards) - 1} folders above"
    other = f", and {named.value!r}, which {named.origin} names" if named.origin != "default" else ""
    names = ", ".join(indexes()) or "none"
    raise IndexUnavailable(f"no index: looked for {places}{other}; named indexes: {names}; make one: searcher add PATH")


def _folder_of(name: str) -> Path:
    """A folder's path, or the folder of a named index."""
    if name.startswith(NAMED):
        bare = name.removeprefix(NAMED)
        if not bare or bare != Path(bare).name or bare.startswith("."):
            raise BadValue(f"{name!r} is no name of an index; good: {NAMED} and a name such as {NAMED}notes")
        return _home() / bare
    path = Path(name).expanduser()
    is_bare = path.name == name
    return _home() / name if is_bare and not _is_index(path) and name in indexes() else Path(absolute(path))


def indexes() -> dict[str, Path]:
    """The named indexes of this user, by name."""
    home = _home()
    return {path.name: path for path in sorted(home.iterdir()) if _is_index(path)} if home.is_dir() else {}


def _home() -> Path:
    return user_folder("data") / "indexes"


def _is_index(folder: Path) -> bool:
    return (folder / DATABASE).exists()
