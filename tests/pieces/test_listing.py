"""Which pieces a source has, and what belongs to each."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

import pytest

from flowide.pieces import Language, compare, language_of, list_pieces, take


def _listed(language: Language, source: str) -> list[str]:
    return [f"{piece.kind} {piece.name}" for piece in list_pieces(dedent(source).encode(), language)]


@pytest.mark.parametrize(
    ("language", "source", "pieces"),
    [
        (
            "python",
            """\
            import os
            A, (B, *C) = 1, (2, 3)
            x: int
            type Alias = int
            if os.name:
                def f(): ...
            else:
                def f(): ...
            class K:
                '''Doc.'''
                y = 1
                async def m(self):
                    def local(): ...
                class Inner:
                    def m(self): ...
            """,
            [
                "constant A", "constant x", "type Alias", "function f", "function f#2", "class K", "attribute K.y",
                "method K.m", "class K.Inner", "method K.Inner.m",
            ],
        ),
        (
            "typescript",
            """\
            import x from 'x';
            const { a, b: [c] } = x, d = 1;
            export const f = () => 1;
            declare function g(): void;
            export default class { m() {} static m() {} #p = 1 }
            namespace N.M { export type T = 1 }
            export enum E { A }
            """,
            [
                "constant a", "function f", "function g", "class default", "method default.m", "method default.m#2",
                "field default.#p", "namespace N.M", "type N.M.T", "enum E",
            ],
        ),
        (
            "go",
            """\
            package a
            const A, B = 1, 2
            var (
                x = 1
                y, z int
            )
            type S[T any] struct{}
            type I = interface{}
            func F() {}
            func (s *S[T]) M() {}
            func (S[T]) m() {}
            """,
            [
                "constant A", "variable x", "variable y", "struct S", "interface I", "function F", "method S.M",
                "method S.m",
            ],
        ),
        (
            "rust",
            """\
            use a::b;
            pub struct S;
            impl<T> S<T> { const N: u8 = 1; fn m() {} }
            impl<'a> fmt::Display for S<'a> { fn fmt(&self) {} }
            impl S<u8> { fn m() {} }
            mod inner { fn f() {} }
            macro_rules! mac { () => {} }
            extern "C" { fn ext(); }
            """,
            [
                "struct S", "impl impl S", "constant S.N", "method S.m", "impl impl fmt::Display for S",
                "method S.Display.fmt", "impl impl S<u8>", "method S<u8>.m", "module inner", "function inner.f",
                "macro mac", "function ext",
            ],
        ),
        (
            "java",
            """\
            package a;
            public class A<T> {
                int x, y;
                A() {}
                void m(int a) {}
                void m(String a) {}
                enum E { P; int v() { return 1; } }
            }
            record R(int a) { R {} }
            @interface N { String value(); }
            """,
            [
                "class A", "field A.x", "constructor A.A", "method A.m", "method A.m#2", "enum A.E", "method A.E.v",
                "record R", "constructor R.R", "annotation N", "method N.value",
            ],
        ),
    ],
)  # fmt: skip
def test_the_pieces_of_a_language(language: Language, source: str, pieces: list[str]) -> None:
    assert _listed(language, source) == pieces


@pytest.mark.parametrize(
    ("language", "source", "piece", "text"),
    [
        ("python", "# a\n\n# b\n@c\n# d\ndef f(): ...  # e\n# g\n", "f", "# b\n@c\n# d\ndef f(): ...  # e"),
        ("python", "x = 1  # a\ny = 2\n", "y", "y = 2"),
        ("python", "#!/bin/python\n# Licence\n\n# about\nx = 1\n", "x", "# about\nx = 1"),
        ("python", "class A:\n    # a\n    x = 1\n  # not at its column\n    y = 2\n", "A.y", "y = 2"),
        (
            "javascript",
            "/* eslint-disable */\n/** a */\nfunction f() {} // b\n",
            "f",
            "/** a */\nfunction f() {} // b",
        ),
        ("rust", "//! crate\n/// a\n\n#[b]\n// c\nfn f() {}\n", "f", "/// a\n\n#[b]\n// c\nfn f() {}"),
        ("java", "class A {\n  /** a */\n  @B int x; // c\n}\n", "A.x", "/** a */\n  @B int x; // c"),
        (
            "go",
            "package a\n\n// F is f.\n//go:noinline\nfunc F() {}\n",
            "F",
            "// F is f.\n//go:noinline\nfunc F() {}",
        ),
    ],
)
def test_what_belongs_to_a_piece(language: Language, source: str, piece: str, text: str) -> None:
    assert take(source.encode(), piece, language).decode() == text


def test_a_language_is_told_by_the_end_of_the_file_name() -> None:
    assert language_of("a/b.TSX") == "tsx"
    assert language_of("a.pyi") == "python"
    assert language_of("a.txt") is None


def test_sources_are_compared_piece_by_piece_whatever_their_indentation() -> None:
    one = b"class A:\n    def f(self):\n        return 1\n\n    def g(self): ...\n"
    two = b"class A:\n\tdef f(self):\n\t\treturn 1\n\tdef h(self): ...\n"
    three = one.replace(b"\n", b"\r\n").replace(b"return 1", b"return 2")

    rows = {row.name: row for row in compare([one, two, three], "python")}

    assert list(rows) == ["A", "A.f", "A.h", "A.g"]
    assert rows["A.g"].groups == [0, None, 0]
    assert rows["A.g"].state == "same"
    assert rows["A.h"].groups == [None, 0, None]
    assert rows["A.f"].state == "different"
    assert rows["A.f"].groups[2] != rows["A.f"].groups[0]


def test_importing_the_package_loads_no_parser() -> None:
    script = (
        "import sys, flowide.pieces; print([m for m in sys.modules if 'tree_sitter' in m or 'markdown' in m])"
    )

    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert said.stdout == "[]\n"
