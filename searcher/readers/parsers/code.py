"""Source code: definitions with what stands above them, each under its qualified name."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from itertools import pairwise
from typing import Any, NamedTuple

from tree_sitter import Language, Parser

from searcher.readers.apart import StepLost, step
from searcher.readers.decoding import decoded
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.records import HEADINGS, Document

__all__ = [
    "read_bash", "read_c", "read_cpp", "read_csharp", "read_go", "read_java", "read_javascript", "read_php",
    "read_python", "read_ruby", "read_rust", "read_tsx", "read_typescript",
]  # fmt: skip

# What the grammars call what has a name and a body.
DEFINITIONS = {
    *("abstract_class_declaration", "class", "class_declaration", "class_definition", "class_specifier"),
    *("constructor_declaration", "destructor_declaration", "enum_declaration", "enum_item", "enum_specifier"),
    *("function_declaration", "function_definition", "function_item", "generator_function_declaration", "impl_item"),
    *("interface_declaration", "internal_module", "local_function_statement", "macro_definition", "method"),
    *("method_declaration", "method_definition", "mod_item", "module", "namespace_declaration", "namespace_definition"),
    *("record_declaration", "singleton_method", "struct_declaration", "struct_item", "struct_specifier"),
    *("trait_declaration", "trait_item", "type_alias_declaration", "type_spec", "union_item", "union_specifier"),
    *("annotation_type_declaration", "type_definition"),
}
# What holds a value that may be a function, in JavaScript: which fields name it and are it.
VALUED = {
    "variable_declarator": ("name", "value"), "field_definition": ("property", "value"),
    "public_field_definition": ("name", "value"), "assignment_expression": ("left", "right"), "pair": ("key", "value"),
}  # fmt: skip
EXPORTED = re.compile(r"^(?:(?:module\.)?exports|this)\.|\.prototype(?=\.)")
ASSIGNED = re.compile(r"[\w$#]+(?:\.[\w$#]+)*")
DECLARATORS = {"parenthesized_declarator", "reference_declarator"}  # that hold another one without calling it so
BODIES = {"function_declaration", "generator_function_declaration", "method_definition", "arrow_function"}
BODIES |= {"function_expression", "generator_function"}
FUNCTIONS = {"arrow_function", "function_expression", "function", "generator_function", "class"}
WRAPPERS = {"decorated_definition", "export_statement", "template_declaration", "lexical_declaration", "declaration"}
WRAPPERS |= {"variable_declaration", "type_declaration", "expression_statement"}
ABOVE = {
    "comment",
    "line_comment",
    "block_comment",
    "attribute_item",
    "inner_attribute_item",
    "decorator",
    "annotation",
}
DEEPEST = 400
# Seconds of the processor to find definitions: of a source, and for each MiB of it; usual ones take a tenth of that.
LONGEST, LONGEST_PER_MIB, MOST_SECONDS = 1.0, 8.0, 60.0
LONGEST_NAME = 100
WORD = re.compile(rb"[\w\x80-\xff]")


class Definition(NamedTuple):
    """Where a definition begins and ends, in bytes, and the names that lead to it."""

    start: int
    end: int
    path: tuple[str, ...]


def read(module: str, grammar: str, raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The file as it stands; where it cannot be parsed it is text as any other."""
    text = decoded(raw)
    data = text.encode("utf-8", "replace")
    seconds = min(LONGEST + LONGEST_PER_MIB * len(data) / 2**20, MOST_SECONDS)
    try:
        marks = step("definitions", seconds, partial(_marked, module, grammar, data))
    except StepLost as lost:
        marks = []
        raw.note(f"its definitions are not told apart: {lost}")
    offsets = _offsets(data, text, [start for start, _ in marks])
    named = [(offset, path) for offset, (_, path) in zip(offsets, marks, strict=True)]
    yield Document(
        raw.source, text,
        sections=tuple((offset, HEADINGS.join(path)) for offset, path in named),
        places=tuple((offset, {"name": ".".join(path)} if path else {}) for offset, path in named),
    )  # fmt: skip


def _marked(module: str, grammar: str, data: bytes) -> list[tuple[int, tuple[str, ...]]]:
    """See `_marks`. Some grammars take the square of some sources, or more memory than there is."""
    tree = Parser(Language(getattr(import_module(module), grammar)())).parse(data)
    return _marks(list(_definitions(tree.root_node)), data)


def _definitions(root: Any) -> Iterator[Definition]:
    """In the order in which they begin; those within others too. Not by recursion: strangers nest thousands."""
    waiting: list[tuple[Any, tuple[str, ...], Any, bool]] = [(root, (), None, False)]
    while waiting:
        node, path, start, is_in_function = waiting.pop()
        if node.type in DEFINITIONS or (node.type in VALUED and not (is_in_function and _is_passing(node))):
            if (name := _name(node)) and len(path) < DEEPEST:
                path = (*path, name)
                yield Definition(_above(node if start is None else start), node.end_byte, path)
            start = None
        elif node.type in WRAPPERS:
            start = node if start is None else start
        else:
            start = None
        is_in_function |= node.type in BODIES
        inner = node.named_children
        kinds = Counter(child.type for child in inner) if start is not None else {}
        waiting += [
            (child, path, start if kinds.get(child.type) == 1 else None, is_in_function) for child in reversed(inner)
        ]


def _is_passing(node: Any) -> bool:
    """Whether a function that is a value in another function is no part of anything that is called by its name."""
    left = node.child_by_field_name("left")
    return node.type == "pair" or (left is not None and left.type == "identifier")


def _name(node: Any) -> str:
    """What a definition is called, with the type that a method of Go is of; empty for a mere mention."""
    kind = node.type
    if kind in VALUED:
        named, value = (node.child_by_field_name(field) for field in VALUED[kind])
        name = EXPORTED.sub("", _text(named)) if value is not None and value.type in FUNCTIONS else ""
        return name if ASSIGNED.fullmatch(name) and name not in ("module.exports", "exports") else ""
    if kind.endswith("_specifier") and node.child_by_field_name("body") is None:
        return ""
    if kind == "type_definition" and not _is_nameless(node.child_by_field_name("type")):
        return ""
    found = node.child_by_field_name("name")
    declarator = node.child_by_field_name("declarator")
    while found is None and declarator is not None:
        inner = declarator.child_by_field_name("declarator")
        if inner is None and declarator.type in DECLARATORS:
            inner = next(iter(declarator.named_children), None)
        inner = None if declarator.type == "operator_cast" else inner
        found, declarator = (None, inner) if inner is not None else (declarator, None)
    if found is None:
        found = node.child_by_field_name("type")  # what Rust implements something for
    if found is None:
        found = next((child for child in node.named_children if child.type.endswith("identifier")), None)
    name = "~" * (kind == "destructor_declaration") + _qualified(found)
    receiver = node.child_by_field_name("receiver")
    if receiver is not None and name:
        kind = _text(receiver).strip("()").split()[-1:]
        name = f"{kind[0].lstrip('*').partition('[')[0]}.{name}" if kind else name
    return name


def _is_nameless(kind: Any) -> bool:
    """Whether a type of C has a body and no name of its own, so that what is defined as it is its name."""
    return kind.child_by_field_name("body") is not None and kind.child_by_field_name("name") is None


def _qualified(node: Any) -> str:
    """A name with those that it is in, without the arguments of templates: C.m of C<T>::m."""
    names = []
    while node is not None and node.type == "qualified_identifier":
        names.append(_text(node.child_by_field_name("scope")).partition("<")[0])
        node = node.child_by_field_name("name")
    name = _text(node)
    if node is not None and node.type == "operator_cast":
        name = name.partition("(")[0].strip()
    names.append(name if name.startswith("operator") else name.partition("<")[0])
    return ".".join(part for part in names if part).replace("::", ".")


def _text(node: Any) -> str:
    text = "" if node is None else node.text.decode("utf-8", "replace")
    return " ".join(text.split())[:LONGEST_NAME].strip("\"'")


def _above(node: Any) -> int:
    """Where what belongs to a definition begins: comments and attributes right above it."""
    start, line = node.start_byte, node.start_point[0]
    other = node.prev_named_sibling
    while other is not None and other.type in ABOVE and _last_line(other) >= line - 1:
        if (before := other.prev_named_sibling) is not None and _last_line(before) == other.start_point[0]:
            break  # it stands behind other code
        start, line, other = other.start_byte, other.start_point[0], before
    return int(start)


def _last_line(node: Any) -> int:
    """That on which something of it stands; Rust's comments end with the ends of their lines."""
    line, column = node.end_point
    return int(line) - (column == 0 and line > node.start_point[0])


def _marks(definitions: list[Definition], data: bytes) -> list[tuple[int, tuple[str, ...]]]:
    """Where which definition begins, or goes on after one within it; () for what is in none. In bytes, rising."""
    marks: list[tuple[int, tuple[str, ...]]] = []
    open_: list[Definition] = []
    for definition in [*definitions, None]:
        while open_ and (definition is None or open_[-1].end <= definition.start):
            ended = open_.pop()
            marks.append((ended.end, open_[-1].path if open_ else ()))
        if definition is not None:
            begins = data.rfind(b"\n", 0, definition.start) + 1
            indented = not data[begins : definition.start].strip()
            marks.append((begins if indented else definition.start, definition.path))
            open_.append(definition)
    if marks and marks[0][0] > 0:
        marks.insert(0, (0, ()))
    marks.sort(key=lambda mark: mark[0])
    # Of several that begin at one place the last is meant, and a closing brace belongs to what it closes.
    return [mark for mark, after in pairwise([*marks, (len(data), ())]) if WORD.search(data, mark[0], after[0])]


def _offsets(data: bytes, text: str, at: list[int]) -> list[int]:
    """Offsets in code points for those in bytes, which rise."""
    if len(data) == len(text):
        return at
    found, before, count = [], 0, 0
    for offset in at:
        count += len(data[before:offset].decode("utf-8", "replace"))
        before = offset
        found.append(count)
    return found


read_bash = partial(read, "tree_sitter_bash", "language")
read_c = partial(read, "tree_sitter_c", "language")
read_cpp = partial(read, "tree_sitter_cpp", "language")
read_csharp = partial(read, "tree_sitter_c_sharp", "language")
read_go = partial(read, "tree_sitter_go", "language")
read_java = partial(read, "tree_sitter_java", "language")
read_javascript = partial(read, "tree_sitter_javascript", "language")
read_php = partial(read, "tree_sitter_php", "language_php")
read_python = partial(read, "tree_sitter_python", "language")
read_ruby = partial(read, "tree_sitter_ruby", "language")
read_rust = partial(read, "tree_sitter_rust", "language")
read_tsx = partial(read, "tree_sitter_typescript", "language_tsx")
read_typescript = partial(read, "tree_sitter_typescript", "language_typescript")
