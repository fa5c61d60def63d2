"""What a splice refuses, and why; nothing half-done comes out of it."""

from __future__ import annotations

import pytest

from flowide.errors import BadInput, FlowError, NotFound, Rejected, TooLarge
from flowide.pieces import Language, Take, list_pieces, splice, take
from flowide.pieces.languages import MAX_BYTES
from tests.pieces.cases import spliced

PYTHON = b"def f():\n    return 1\n"


@pytest.mark.parametrize(
    ("language", "base", "source", "takes", "reason"),
    [
        (
            "python",
            "def f(): ...",
            'def f():\n    return """1\n',
            "f",
            "f has a syntax error in its own source",
        ),
        ("typescript", "f()\n", "class A { m( { }\n}\n", "A", "A has a syntax error in its own source"),
        ("python", "", "class A:\n    def f(self): ...\n", "A.f", "no A to put A.f into"),
        ("java", "class B {}", "class A { void f() {} }", "A.f", "no A to put A.f into"),
        ("rust", "fn z() {}", 'extern "C" { fn b(); }', "b", 'extern "C" block, and the base has none'),
        ("go", "package a\n", "package a\nconst (\n\tA = iota\n\tB\n)\n", "B", "its place in a const group"),
        (
            "python",
            "def u(s): return 1\n",
            "if x:\n    def u(s): return 1\nelse:\n    def u(s): return 2\n",
            "u#2",
            "which u of the base u#2 stands for is not clear",
        ),
        ("python", "def f(): ...\n", "def f(): ...\nclass f: ...\n", "f, f#2 as f", "f is taken twice"),
        (
            "python",
            "class A:\n    def f(self): ...\n",
            "class A:\n    def f(self): return 1\n",
            "A, A.f",
            "A.f lies inside A",
        ),
        ("java", "class A { int x, y; }", "class A { int x; int y; }", "A.y", "y would be declared twice"),
        ("java", "class A { int x, y; }", "class A { int x; int y; }", "A.x", "also declares y"),
        (
            "javascript",
            "export default function Home() {}\nfunction Page() {}\n",
            "export default function Page() {}\n",
            "Page",
            "the base has a default export already: Home",
        ),
        (
            "python",
            '"""Doc."""; x = 1\n',
            "from __future__ import annotations\ndef f(a: int): ...\n",
            "f",
            "the base's docstring shares its line with code",
        ),
        ("javascript", "const a = 1;\n[1].map(f)\n", "const a = 2\n", "a", "would run together"),
        ("python", "def f(): ...\n", "def g(): ...\n", "g as 1x", "'1x' is not a name"),
        ("javascript", "f()\n", "function g() {}\n", "g as default", "cannot be renamed to default"),
        ("python", "def f(): ...\n", "def g(): ...\n", "g as A.g", "no A to put A.g into"),
        ("javascript", "const A = () => 1\n", "class A { m() {} }\n", "A.m", "A has no body in the base"),
    ],
)
def test_a_splice_that_would_go_wrong_is_rejected_with_a_reason(
    language: Language, base: str, source: str, takes: str, reason: str
) -> None:
    with pytest.raises(Rejected) as refusal:
        spliced(language, base, source, takes)

    assert reason in refusal.value.message
    assert refusal.value.hint
    assert refusal.value.exit_code == 4


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"a = 1\0", "NUL byte at offset 5"),
        (b"\xff\xfe=1", "not UTF-8: byte 0xff at offset 0"),
        (b"#\n" + b"\xc3(", "not UTF-8: byte 0xc3 at offset 2"),
        ("a = 1\n".encode("utf-16"), "NUL byte|not UTF-8"),
        (b"\x89PNG\r\n\x1a\n", "not UTF-8"),
    ],
)
@pytest.mark.parametrize("language", ["python", "markdown"])
def test_what_is_no_text_is_bad_input(source: bytes, reason: str, language: Language) -> None:
    with pytest.raises(BadInput, match=reason):
        list_pieces(source, language)
    with pytest.raises(BadInput, match=reason):
        splice(PYTHON, [Take(source=source, piece="f")], language)
    with pytest.raises(BadInput, match=reason):
        splice(source, [Take(source=PYTHON, piece="f")], language)


def test_the_message_names_the_source() -> None:
    with pytest.raises(BadInput, match=r"^other\.py is not a text"):
        splice(PYTHON, [Take(source=b"\0", piece="f", label="other.py")], "python")


@pytest.mark.parametrize("language", ["python", "markdown"])
def test_a_source_beyond_the_limit_is_too_large(language: Language) -> None:
    with pytest.raises(TooLarge) as refusal:
        list_pieces(b"#" * (MAX_BYTES + 1), language)

    assert refusal.value.data == {"size": MAX_BYTES + 1, "limit": MAX_BYTES}


def test_an_unknown_piece_comes_with_similar_ones() -> None:
    source = b"class A:\n    def find(self): ...\nclass B:\n    def find(self): ...\n"

    with pytest.raises(NotFound) as refusal:
        take(source, "find", "python")

    assert refusal.value.data["close"] == ["A.find", "B.find"]
    assert refusal.value.hint == "Did you mean A.find, B.find?"


def test_a_local_function_is_no_piece() -> None:
    source = b"def outer():\n    def inner(): ...\n    return inner\n"

    with pytest.raises(NotFound, match=r"outer\.inner"):
        take(source, "outer.inner", "python")


def test_nothing_to_take_is_bad_input() -> None:
    with pytest.raises(BadInput, match="nothing to take"):
        splice(PYTHON, [], "python")


@pytest.mark.parametrize(
    ("language", "opening", "closing"),
    [
        ("python", "(", ")"),
        ("javascript", "[", "]"),
        ("typescript", "namespace A {", "}"),
        ("go", "func(){", "}()"),
        ("rust", "mod a {", "}"),
        ("java", "class A {", "}"),
        ("markdown", "> ", ""),
        ("markdown", "- ", ""),
    ],
)
def test_deep_nesting_neither_crashes_nor_takes_for_ever(
    language: Language, opening: str, closing: str
) -> None:
    depth = 3000
    source = (opening * depth + closing * depth + "\n").encode()

    pieces = list_pieces(source, language)
    for piece in pieces[:1]:
        made = splice(source, [Take(source=source, piece=piece.name)], language)
        assert made.source == source


@pytest.mark.parametrize(
    "language", ["python", "typescript", "tsx", "javascript", "go", "rust", "java", "markdown"]
)
def test_any_text_is_either_spliced_or_refused(language: Language) -> None:
    texts = [
        b"",
        b"\n",
        b"\xef\xbb\xbf",
        b" ",
        b"{",
        b"\r",
        b"'",
        b"#",
        b"*/",
        b"```",
        b"class",
        b"def f(",
        b"[a]:",
    ]

    for base in texts:
        for source in texts:
            for piece in list_pieces(source, language):
                try:
                    splice(base, [Take(source=source, piece=piece.name)], language)
                except FlowError as refusal:
                    assert refusal.hint
