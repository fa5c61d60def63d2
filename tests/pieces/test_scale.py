"""Thousands of symbols of the standard library and of what is installed, against the interpreter's own reading."""

from __future__ import annotations

import ast
import re
import sysconfig
import warnings
from collections import Counter
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest

from flowide.errors import FlowError, Rejected
from flowide.pieces import Language, Piece, Take, language_of, list_pieces, splice, take
from tests.pieces.cases import undone

_FEW = 40
"""Files of the default run."""
_LARGEST = 60_000
_REFUSED_AT_MOST = 0.05
"""Share of splices between different files that may be refused; most of these would define a name twice."""


@cache
def _files(suffix: str = ".py") -> list[Path]:
    """Source files in an order that is always the same and mixes the packages."""
    roots = {Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib")}
    found = {
        file
        for root in roots
        for file in root.rglob(f"*{suffix}")
        if 200 < file.stat().st_size < _LARGEST
        and not {"test", "tests", "lib2to3", "idlelib"} & set(file.parts)
    }
    return sorted(found, key=lambda file: sha256(file.name.encode()).hexdigest())


def _texts(count: int) -> Iterator[tuple[Path, bytes]]:
    given = 0
    for file in _files():
        source = file.read_bytes()
        if given == count:
            return
        if _tree(source) is not None:
            given += 1
            yield file, source


def _tree(source: bytes) -> ast.Module | None:
    try:
        source.decode()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _definitions(tree: ast.Module) -> Counter[tuple[str, str]]:
    """Qualified name and meaning of every function and class that is no local one."""
    found: Counter[tuple[str, str]] = Counter()
    pending: list[tuple[str, ast.AST]] = [("", tree)]
    while pending:
        prefix, node = pending.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found[prefix + child.name, ast.dump(child)] += 1
                if isinstance(child, ast.ClassDef):
                    pending.append((f"{prefix}{child.name}.", child))
            elif isinstance(child, ast.If | ast.Try | ast.With | ast.For | ast.ExceptHandler):
                pending.append((prefix, child))
    return found


def _plain(piece: Piece) -> str:
    return re.sub(r"#\d+", "", piece.name)


def _check_listing(file: Path, source: bytes) -> int:
    """Every definition the interpreter sees is a piece, and every piece of that kind is one."""
    tree = _tree(source)
    assert tree is not None
    pieces = list_pieces(source, "python")
    listed = {_plain(piece) for piece in pieces if piece.kind in ("function", "method", "class")}
    defined = {name for name, _ in _definitions(tree)}

    assert listed == defined, file
    return len(pieces)


def _check_identity(file: Path, source: bytes, language: Language, step: int) -> int:
    pieces = list_pieces(source, language)[::step]
    for piece in pieces:
        made = splice(source, [Take(source=source, piece=piece.name)], language)
        assert made.source == source, (file, piece.name)
        assert [change.action for change in made.changes] == ["unchanged"], (file, piece.name)
    return len(pieces)


def _check_crossing(file: Path, base: bytes, other: Path, source: bytes, most: int) -> tuple[int, int]:
    """Splices pieces of another file; how many, and how many of them were refused."""
    tree = _tree(base)
    assert tree is not None
    before, refused = _definitions(tree), 0
    pieces = [piece for piece in list_pieces(source, "python") if piece.parent is None][-most:]
    for piece in pieces:
        where = (file, other, piece.name)
        try:
            made = splice(base, [Take(source=source, piece=piece.name)], "python")
        except Rejected:
            refused += 1
            continue
        assert undone(base, made) == base, where
        result = _tree(made.source)
        assert result is not None, where
        change = next(change for change in made.changes if change.take == 0)
        gained = Counter(name for name, _ in _definitions(result) - before)
        brought = {name for name in gained if name.split(".")[0] == _plain(piece)}
        assert set(gained) == brought, where
        if piece.kind in ("function", "class") and change.action == "inserted":
            assert _plain(piece) in gained, where
        assert (
            take(made.source, change.target, "python").split() == source[piece.start : piece.end].split()
        ), where
    return len(pieces), refused


def test_every_definition_is_a_piece() -> None:
    assert sum(_check_listing(file, source) for file, source in _texts(_FEW)) > 700


def test_pieces_go_back_into_their_own_file_without_a_trace() -> None:
    assert sum(_check_identity(file, source, "python", 7) for file, source in _texts(_FEW)) > 120


def test_pieces_go_into_other_files_whole_and_alone() -> None:
    texts = list(_texts(_FEW))
    counts = [
        _check_crossing(*one, *two, most=3) for one, two in zip(texts, texts[1:] + texts[:1], strict=True)
    ]

    total, refused = (sum(column) for column in zip(*counts, strict=True))
    assert total > 70
    assert refused <= total * _REFUSED_AT_MOST


@pytest.mark.slow
def test_every_definition_of_a_thousand_files_is_a_piece() -> None:
    assert sum(_check_listing(file, source) for file, source in _texts(1000)) > 10_000


@pytest.mark.slow
def test_pieces_of_hundreds_of_files_cross_over() -> None:
    texts = list(_texts(600))
    counts = [_check_crossing(*one, *two, most=4) for one, two in pairwise(texts)]

    total, refused = (sum(column) for column in zip(*counts, strict=True))
    assert total > 1500
    assert refused <= total * _REFUSED_AT_MOST


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".js", ".ts", ".md", ".pyi"])
def test_pieces_of_other_installed_files_go_back_without_a_trace(suffix: str) -> None:
    for file in _files(suffix)[:300]:
        language = language_of(file)
        assert language is not None
        source = file.read_bytes()
        try:
            list_pieces(source, language)
        except FlowError:
            continue
        _check_identity(file, source, language, 11)
