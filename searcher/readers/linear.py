"""Formulas in the linear form that Word has (UnicodeMath, UTN 28): what such lines share, and MathML as one of them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

__all__ = ["held", "raised", "spelled"]

PLAIN = frozenset("!'\u2032.,")  # beside letters and digits, in what needs no brackets
UNSEEN = dict.fromkeys(range(0x2061, 0x2065))  # function application, invisible times, comma and plus
LARGE = frozenset("∑∏∐∫∬∭∮⋃⋂⨁⨂")
BRACES = frozenset("⏞⏟⏜⏝⎴⎵")  # over or under what they hold together
ACCENTS = {"^": "\u0302", "ˆ": "\u0302", "~": "\u0303", "˜": "\u0303", "¯": "\u0305", "‾": "\u0305", "→": "\u20d7"}
ACCENTS |= {"⃗": "\u20d7", "˙": "\u0307", "¨": "\u0308"}
SILENT = {"annotation", "annotation-xml", "mphantom", "mspace", "maligngroup", "malignmark", "none", "mprescripts"}
DEEPEST = 100  # beyond which a formula is but its characters


def held(line: str) -> str:
    """In brackets, unless it holds together without."""
    together = len(line) < 2 or all(sign.isalnum() or sign in PLAIN for sign in line)
    bracketed = line[:1] == "(" and line.find(")") == len(line) - 1
    return line if together or bracketed else f"({line})"


def raised(sub: str, sup: str) -> str:
    """What stands below and above, behind its base."""
    return (f"_{held(sub)}" if sub else "") + (f"^{held(sup)}" if sup else "")


def spelled(formula: "Element") -> str:
    r"""MathML as a line, whatever stands before the names of its elements.

    >>> from lxml.etree import XML
    >>> spelled(XML("<math><msup><mi>c</mi><mn>2</mn></msup><mo>=</mo><mfrac><mi>E</mi><mi>m</mi></mfrac></math>"))
    'c^2=E/m'
    """
    return " ".join(_line(formula, 0).split())


def _line(element: "Element", depth: int) -> str:
    name = str(element.tag).rpartition("}")[2].rpartition(":")[2] if isinstance(element.tag, str) else "annotation"
    if name in SILENT:
        return ""
    if depth > DEEPEST:
        return "".join(map(str, element.itertext()))
    parts = [_line(child, depth + 1) for child in element]
    if not parts:
        said = element.text or ""
        return said if name == "mtext" else said.strip().translate(UNSEEN)
    form = FORMS.get(name)
    if form is None or len(parts) < LEAST.get(name, 0):
        return "".join(parts)
    return form(element, parts)


def _scripts(sub: str, sup: str, base: str) -> str:
    if BRACES & {sub, sup}:
        return base
    return (base if base in LARGE else held(base)) + raised(sub, sup) + (" " if base in LARGE else "")


def _over(element: "Element", parts: list[str]) -> str:
    base, over = parts[:2]
    return base + ACCENTS[over] if over in ACCENTS else _scripts("", over, base)


def _fenced(element: "Element", parts: list[str]) -> str:
    signs = (element.get("separators") or ",").split() or [","]
    between = "".join(sign for pair in zip(parts, [signs[0]] * (len(parts) - 1) + [""], strict=True) for sign in pair)
    return f"{element.get('open', '(')}{between}{element.get('close', ')')}"


FORMS: dict[str, Callable[["Element", list[str]], str]] = {
    "semantics": lambda _, parts: parts[0],
    "mfrac": lambda _, parts: f"{held(parts[0])}/{held(parts[1])}",
    "msqrt": lambda _, parts: f"√{held(''.join(parts))}",
    "mroot": lambda _, parts: f"{parts[1]}√{held(parts[0])}",
    "msup": lambda _, parts: _scripts("", parts[1], parts[0]),
    "msub": lambda _, parts: _scripts(parts[1], "", parts[0]),
    "msubsup": lambda _, parts: _scripts(parts[1], parts[2], parts[0]),
    "munder": lambda _, parts: _scripts(parts[1], "", parts[0]),
    "munderover": lambda _, parts: _scripts(parts[1], parts[2], parts[0]),
    "mover": _over,
    "mfenced": _fenced,
    **dict.fromkeys(("mtr", "mlabeledtr"), lambda _, parts: ", ".join(filter(None, map(str.strip, parts)))),
    "mtable": lambda _, parts: "; ".join(filter(None, parts)),
    # Sums as they are written at school.
    **dict.fromkeys(("mstack", "mlongdiv", "msgroup", "mscarries"), lambda _, parts: " ".join(parts)),
}
# How many parts a form needs; what has fewer is broken, and is but its characters.
LEAST = {"mfrac": 2, "mroot": 2, "msup": 2, "msub": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3}
