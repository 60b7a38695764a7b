"""YAML as a person means it: fields of front matter, whose words stay words, and of which one bad line spoils no other.

YAML 1.1 takes "no" and "on" for truths, "12:30" and "01234" for numbers of other bases. Here a value without quotes is
what a cell of a table is: a plain number, true or false, else text; and YAML's own null and dates. Names are text.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from searcher.readers.values import typed

if TYPE_CHECKING:
    import yaml

__all__ = ["Entry", "read_yaml"]

# A field's name, its value, the value as it is spelt if it is one word or line, and its line, counted from 1.
Entry: TypeAlias = tuple[str, Any, str | None, int]

NAME = r"[^\W\d][\w.-]*(?: [\w.-]+){0,3}|\"[^\"]+\"|'[^']+'"
FIELD = re.compile(rf"(?P<name>{NAME})[ \t]*:(?:[ \t]+(?P<value>.*?))?[ \t]*$")
GLUED = re.compile(r"(?P<name>[A-Za-z_][\w-]*):(?=[^\s:/])")  # a field without the space after its colon
ITEM = re.compile(r"[ \t]*-(?:[ \t]+(?P<value>.*?))?[ \t]*$")
MORE = re.compile(r"[ \t]|-[ \t]|-$|[\]}]")  # how a line begins that goes on with the field above it
SYNTAX = re.compile(r"[\[{\"'|>]")  # how a value begins that was not meant as a text
NEWLINE = re.compile(r"\r?\n")  # YAML would end a line at more characters
NULLS = ("", "~", "null")
MOST_BRACKETS = 500  # PyYAML takes the square of the depth of brackets within brackets
MOST_VALUES = 10_000  # an alias can make a few lines stand for billions
MOST_LINES = 2_000  # that are read one by one
NESTED = re.compile(r"(?:[-?:]\s+){20}")  # a line that goes so deep; libyaml's stack ends at some ten thousand


def read_yaml(body: str, faults: list[str]) -> list[Entry] | None:
    """The fields of a mapping, None for what is none: two rules with a sentence between them look like one.

    What could not be read is added to `faults`.
    """
    import yaml

    lines = NEWLINE.split(body)
    if all(_is_empty(line) for line in lines):
        return []
    glued = [number for number, line in enumerate(lines) if GLUED.match(line)]
    if glued and all(map(_may_be_field, lines)):
        faults += [f"line {number + 2} of the front matter has no space after its colon" for number in glued]
        lines = [GLUED.sub(r"\g<name>: ", line, count=1) if GLUED.match(line) else line for line in lines]
        body = "\n".join(lines)
    node = _composed(body)
    if isinstance(node, yaml.MappingNode):
        return _fields(node, 1, faults)
    return None if node is not None or len(lines) > MOST_LINES else _one_by_one(lines, faults)


def _is_empty(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _may_be_field(line: str) -> bool:
    """Whether a line is a field, or goes on with one."""
    return _is_empty(line) or bool(FIELD.match(line) or GLUED.match(line) or MORE.match(line))


def _composed(body: str) -> "yaml.Node | None":
    """The tree of nodes; None for what is no YAML."""
    import yaml

    if len(re.findall(r"[\[{]", body)) > MOST_BRACKETS:
        return None
    # libyaml, where PyYAML was built with it, takes a tenth of the time.
    loader = yaml.SafeLoader if NESTED.search(body) else getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.compose(body, loader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _fields(mapping: "yaml.MappingNode", first: int, faults: list[str]) -> list[Entry]:
    """The fields of a mapping whose first line has that number."""
    import yaml

    found: list[Entry] = []
    for key, node in mapping.value:
        line = first + key.start_mark.line
        try:
            value = _value(node, iter(range(MOST_VALUES)))
        except (StopIteration, RecursionError):
            faults.append(f"line {line + 1} of the front matter is left out: over {MOST_VALUES:,} values, or too deep")
            continue
        spelt = node.value if isinstance(node, yaml.ScalarNode) and value is not None else None
        found.append((_name(key), value, spelt, line))
    return found


def _value(node: "yaml.Node", budget: Iterator[int]) -> Any:
    """What a node stands for. StopIteration where it has more values than the budget."""
    import yaml

    next(budget)
    if isinstance(node, yaml.MappingNode):
        if all(isinstance(key, yaml.ScalarNode) for key, _ in node.value):
            return {_name(key): _value(value, budget) for key, value in node.value}
        return _spelt(node, budget)  # {{date}}, which a template fills in
    if isinstance(node, yaml.SequenceNode):
        return [_value(value, budget) for value in node.value]
    assert isinstance(node, yaml.ScalarNode)
    if node.style or node.tag == "tag:yaml.org,2002:str":
        return node.value
    if node.value in NULLS:
        return None
    if node.tag == "tag:yaml.org,2002:timestamp":
        try:
            return yaml.constructor.SafeConstructor().construct_yaml_timestamp(node)
        except ValueError:  # no day of any calendar
            return node.value
    return typed(node.value)


def _spelt(node: "yaml.Node", budget: Iterator[int]) -> str:
    """A mapping in braces as it is written, whose names are mappings too. StopIteration as in `_value`."""
    import yaml

    next(budget)
    if isinstance(node, yaml.MappingNode):
        fields = [(_spelt(key, budget), _spelt(value, budget)) for key, value in node.value]
        return "{" + ", ".join(f"{name}: {value}" if value else name for name, value in fields) + "}"
    return str(node.value) if isinstance(node, yaml.ScalarNode) else str(_value(node, budget))


def _name(key: "yaml.Node") -> str:
    import yaml

    return key.value if isinstance(key, yaml.ScalarNode) else str(_value(key, iter(range(MOST_VALUES))))


# -- of which a line is bad


def _one_by_one(lines: list[str], faults: list[str]) -> list[Entry] | None:
    """The fields that can be read, each by itself; None where fewer lines are fields than are none."""
    groups: list[list[int]] = []
    stray: list[int] = []
    for number, line in enumerate(lines):
        if FIELD.match(line):
            groups.append([number])
        elif groups and (_is_empty(line) or MORE.match(line) or _is_open([lines[at] for at in groups[-1]])):
            groups[-1].append(number)
        elif not _is_empty(line):
            stray.append(number)
    if not groups or len(stray) > len(groups) or (stray and stray[0] < groups[0][0] and len(groups) < 2):
        return None
    faults += [f"line {number + 2} of the front matter is left out: no name and value" for number in stray]
    return [entry for group in groups for entry in _field([lines[at] for at in group], group[0] + 1, faults)]


def _is_open(lines: list[str]) -> bool:
    """Whether a bracket of a value is not closed yet."""
    said = " ".join(lines)
    return said.count("[") > said.count("]") or said.count("{") > said.count("}")


def _field(lines: list[str], number: int, faults: list[str]) -> list[Entry]:
    """A field and what goes on with it: as YAML, with tabs for spaces, else its value as text."""
    import yaml

    for spelling in (lines, [line.replace("\t", "    ") for line in lines]):
        node = _composed("\n".join(spelling))
        if isinstance(node, yaml.MappingNode):
            return _fields(node, number, faults)
    field = FIELD.match(lines[0])
    assert field is not None
    name, value = field["name"].strip("\"'"), field["value"] or ""
    more = [line for line in lines[1:] if not _is_empty(line)]
    items = [ITEM.match(line) for line in more]
    if not value and items and all(items):
        return [(name, [_item(item["value"] or "") for item in items if item], None, number)]
    if value[:1] in ("'", '"') and value.count(value[0]) == 1:
        value = value[1:]  # of quotes that are never closed
    if SYNTAX.match(value) or value != (field["value"] or ""):
        faults.append(f"line {number + 1} of the front matter is not YAML: read as text")
    text = " ".join([value, *(line.strip() for line in more)]).strip()
    return [(name, text, text, number)]


def _item(text: str) -> Any:
    """A value of a list, as YAML or else as text."""
    import yaml

    node = _composed(text)
    return _value(node, iter(range(MOST_VALUES))) if isinstance(node, yaml.ScalarNode) else text
