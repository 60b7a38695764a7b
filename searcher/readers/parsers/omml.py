"""Formulas of Office (OMML) as one line, as Word itself writes them in its linear form (UnicodeMath, UTN 28)."""

from collections.abc import Callable

from searcher.readers.linear import held, raised
from searcher.readers.parsers.zipped import Element, attribute

__all__ = ["spell_formulas"]

Child = Callable[[str], str]  # the children of a name, one after the other, as a line


def spell_formulas(root: Element) -> None:
    """Put the line in the place of each formula of a tree without namespaces, as a single text."""
    for formula in list(root.iter("oMath")):
        line = _line(formula)
        for child in list(formula):
            formula.remove(child)
        formula.tag, formula.text = "t", line


def _line(element: Element) -> str:
    """What stands in an element. XML nested too deeply for this is refused before."""
    if element.tag in ("del", "moveFrom") or str(element.tag).endswith("Pr"):
        return ""
    if element.tag == "t":
        return element.text or ""
    if element.tag in FORMS:
        return FORMS[element.tag](element, lambda name: "".join(_lines(element, name)))
    if element.tag in LISTS:
        return LISTS[element.tag](element, _lines(element))
    return "".join(_lines(element))


def _lines(element: Element, name: str = "") -> list[str]:
    """Each child of a name, all of them without one."""
    return [_line(child) for child in element if not name or child.tag == name]


def _sign(element: Element, properties: str, name: str, usual: str) -> str:
    """A character that the properties name; the usual one where they do not."""
    found = element.find(f"{properties}/{name}")
    return usual if found is None else attribute(found, "val") or ""


def _fraction(element: Element, child: Child) -> str:
    bar = {"noBar": "¦"}.get(_sign(element, "fPr", "type", ""), "/")
    line = f"{held(child('num'))}{bar}{held(child('den'))}"
    return f"({line})" if bar == "¦" else line


def _large(element: Element, child: Child) -> str:
    """A sum, an integral or the like."""
    return f"{_sign(element, 'naryPr', 'chr', '∫')}{raised(child('sub'), child('sup'))} {child('e')}"


def _bracketed(element: Element, parts: list[str]) -> str:
    first, between, last = (
        _sign(element, "dPr", name, usual) for name, usual in (("begChr", "("), ("sepChr", "|"), ("endChr", ")"))
    )
    return first + between.join(part for part in parts if part) + last


FORMS: dict[str, Callable[[Element, Child], str]] = {
    "f": _fraction,
    "nary": _large,
    "rad": lambda _, child: f"{child('deg')}√{held(child('e'))}",
    "sSup": lambda _, child: held(child("e")) + raised("", child("sup")),
    "sSub": lambda _, child: held(child("e")) + raised(child("sub"), ""),
    "sSubSup": lambda _, child: held(child("e")) + raised(child("sub"), child("sup")),
    "sPre": lambda _, child: raised(child("sub"), child("sup")) + child("e"),
    "limLow": lambda _, child: child("e") + raised(child("lim"), ""),
    "limUpp": lambda _, child: child("e") + raised("", child("lim")),
    "func": lambda _, child: f"{child('fName')} {child('e')}",
    "acc": lambda element, child: child("e") + _sign(element, "accPr", "chr", "\u0302"),
}
LISTS: dict[str, Callable[[Element, list[str]], str]] = {
    "d": _bracketed,
    "mr": lambda _, parts: ", ".join(part for part in parts if part),
    "m": lambda _, parts: "; ".join(part for part in parts if part),
    "eqArr": lambda _, parts: "; ".join(part for part in parts if part),
}
