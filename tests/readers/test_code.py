"""Source code: definitions under their qualified names, in every language that has a grammar."""

from pathlib import Path

import pytest

from searcher.readers import read, read_text
from searcher.readers.apart import Apart
from searcher.readers.plain import read_plain
from searcher.readers.raw import Raw, ReadOptions
from searcher.records import Document, Note

pytest.importorskip("tree_sitter_python", reason="the extra 'code' is not installed")


def document_of(source: str, suffix: str) -> Document:
    [document] = read_text(source.encode(), "file", suffix=suffix)
    assert isinstance(document, Document) and document.text == source
    return document


def names(source: str, suffix: str) -> dict[str, str]:
    """The first line of each definition by its qualified name."""
    document = document_of(source, suffix)
    return {place["name"]: document.text[at:].split("\n")[0].strip() for at, place in document.places if place}


PYTHON = '''"""Größe of things."""

# About A.
@final
class A:
    x = 1

    # About b.
    def b(self):
        def inner(): ...
        return inner

    async def c(self): ...

def d():
    pass

print(d())
'''


def test_definitions_of_python_begin_with_what_stands_above_them() -> None:
    document = document_of(PYTHON, ".py")
    found = [
        (document.text[at:].lstrip("\n").split("\n")[0].strip(), place.get("name")) for at, place in document.places
    ]
    assert found == [
        ('"""Größe of things."""', None), ("# About A.", "A"), ("# About b.", "A.b"),
        ("def inner(): ...", "A.b.inner"), ("return inner", "A.b"), ("async def c(self): ...", "A.c"), ("def d():", "d"),
        ("print(d())", None),
    ]  # fmt: skip
    assert document.sections[2][1] == "A > b"


@pytest.mark.parametrize(
    ("suffix", "source", "expected"),
    [
        (".js", "export class A {\n  go() {}\n}\nconst f = (x) => {\n  return x\n}\nfunction g() {}\n", {"A", "A.go", "f", "g"}),
        (".tsx", "interface P { a: string }\nexport const C = (p: P) => <b>{p.a}</b>\n", {"P", "C"}),
        (".ts", "namespace N { export enum E { a } }\ntype T = string\nabstract class B { m(): void {} }\n", {"N", "N.E", "T", "B", "B.m"}),
        (".go", "package p\n\n// About T.\ntype T struct { a int }\n\nfunc (t *T) Go() {}\nfunc New() T { return T{} }\n", {"T", "T.Go", "New"}),
        (".rs", "#[derive(Debug)]\nstruct S<T> { a: T }\nimpl<T> S<T> {\n    fn go(&self) {}\n}\nmod m { fn f() {} }\n", {"S", "S.go", "m", "m.f"}),
        (".java", "class A {\n  A() {}\n  int b() { return 1; }\n  interface C {}\n}\n", {"A", "A.A", "A.b", "A.C"}),
        (".c", "struct s { int a; };\nstruct s *find(struct s *x) { return x; }\nint main(void) { struct s y; }\n", {"s", "find", "main"}),
        (".cpp", "namespace n {\ntemplate <class T>\nclass A { void b() {} };\nvoid A::c() {}\n}\n", {"n", "n.A", "n.A.b", "n.A.c"}),
        (".cs", "namespace N { class A { int B() { return 1; } } }\n", {"N", "N.A", "N.A.B"}),
        (".rb", "module M\n  class A\n    def b; end\n    def self.c; end\n  end\nend\n", {"M", "M.A", "M.A.b", "M.A.c"}),
        (".php", "<?php\nclass A { function b() {} }\nfunction c() {}\n", {"A", "A.b", "c"}),
        (".sh", "greet() {\n  echo hi\n}\ngreet\n", {"greet"}),
    ],
)  # fmt: skip
def test_definitions_of_each_language_have_their_names(suffix: str, source: str, expected: set[str]) -> None:
    assert set(names(source, suffix)) == expected


@pytest.mark.parametrize(
    ("suffix", "source", "expected"),
    [
        (".c", "typedef struct { int b; } t_t;\ntypedef struct n { int x; } n_t;\nint (*fp(void))(int) { return 0; }\ntypedef int number;\nunion u { int a; };",
         {"t_t", "n", "fp", "u"}),
        (".cpp", "int& ref() { return x; }\nconst std::string& A::name() const { return n; }\ntemplate <typename T> void C<T>::m() {}\n"
         "bool A<int>::operator<(const A& b) {}\nint f<int>(int a) {}\nstruct X { ~X() {} operator bool() const { return true; } };",
         {"ref", "A.name", "C.m", "A.operator<", "f", "X", "X.~X", "X.operator bool"}),
        (".js", "// About foo\nmodule.exports.foo = function () {};\nexports.z = a => a;\nFoo.prototype.bar = function baz() {};\n"
         "class K { h = () => 1; n = 1 }\nmodule.exports = { a() {}, b: () => 2, c: 3 };\nx[i] = function () {};",
         {"foo", "z", "Foo.bar", "K", "K.h", "a", "b"}),
        (".ts", "class K { private h = async () => 1; }", {"K", "K.h"}),
        (".java", "@interface An { int v(); }", {"An"}),
        (".cs", "class A { A() {}\n~A() {} }", {"A", "A.A", "A.~A"}),
    ],
)  # fmt: skip
def test_names_are_those_that_people_say(suffix: str, source: str, expected: set[str]) -> None:
    assert set(names(source, suffix)) == expected


def test_what_a_function_assigns_or_passes_on_within_is_a_part_of_it() -> None:
    source = """function run() {
  let stop;
  stop = () => 1;
  start({done: () => 2});
  this.go = () => 3;
}
"""
    assert set(names(source, ".js")) == {"run", "run.go"}


def test_a_comment_above_an_assigned_function_belongs_to_it() -> None:
    assert names("let a;\n// About foo\nexports.foo = function () {};\n", ".js") == {"foo": "// About foo"}


def test_what_is_broken_is_read_all_the_same_and_what_is_deep_ends() -> None:
    assert names("def a(:\n    pass\n\ndef b(): pass\n", ".py")["b"] == "def b(): pass"
    deep = "".join(f"{' ' * n}class C{n}:\n" for n in range(600)) + " " * 600 + "pass\n"
    assert len(document_of(deep, ".py").places) > 100
    assert document_of("(" * 100_000, ".js").places == ()


def test_a_source_whose_definitions_take_too_long_to_find_is_text() -> None:
    source = "run() { ls; }\n" + "()" * 50_000  # of such brackets the grammar of Bash takes the square
    document, note = read_text(source.encode(), "file", suffix=".sh")
    told = "its definitions are not told apart: it takes too long to read; it was given up"
    assert (document, note) == (Document("file", source), Note("file", told))


def test_without_a_grammar_code_is_text(tmp_path: Path) -> None:
    reader = Apart("code:read_python", ("no_such_grammar",), "code", otherwise=read_plain)
    with (tmp_path / "a.py").open("w+b") as stream:
        stream.write(b"def a(): pass\n")
        stream.seek(0)
        [document] = reader(Raw("a.py", stream, 14), ReadOptions())
    assert document == Document("a.py", "def a(): pass\n")


def test_a_place_in_code_is_a_line_with_a_name(data: Path) -> None:
    [document] = read(data / "formats" / "sessions.py")
    assert isinstance(document, Document)
    [at] = [start for start, place in document.places if place == {"name": "Session.get"}]
    assert document.text[at:].lstrip().startswith("def get(")


def test_a_comment_of_rust_belongs_to_what_it_stands_above_with_all_of_its_lines() -> None:
    source = (
        "//! Of boats.\n\n/// A boat\n/// of wood.\n#[derive(Debug)]\npub struct Boat;\n\nimpl Boat {\n    /// Goes\n    /// away.\n"
        "    #[inline]\n    fn go(&self) {} // at once\n    /// Comes.\n    fn come(&self) {}\n}\nlet x = 1; // behind\nfn f() {}\n"
    )
    found = document_of(source, ".rs")
    begins = [(place.get("name"), found.text[start:].split("\n")[0].strip()) for start, place in found.places]
    assert begins == [
        (None, "//! Of boats."), ("Boat", "/// A boat"), ("Boat", "impl Boat {"), ("Boat.go", "/// Goes"),
        ("Boat", "// at once"), ("Boat.come", "/// Comes."), (None, ""), ("f", "fn f() {}"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("suffix", "source", "expected"),
    [
        (".go", "type (\n\t// A is\n\tA int\n\n\tB struct{}\n)\n", {"A": "// A is", "B": "B struct{}"}),
        (".js", "export const a = () => 1,\n  b = () => 2;\n", {"a": "a = () => 1,", "b": "b = () => 2;"}),
        (".js", "export const a = () => 1;\n", {"a": "export const a = () => 1;"}),
    ],
)
def test_of_several_that_are_defined_at_once_each_begins_at_itself(
    suffix: str, source: str, expected: dict[str, str]
) -> None:
    assert names(source, suffix) == expected
