"""Which language a file is in, and its parsed tree."""

from __future__ import annotations

import threading
import warnings
from functools import cache
from importlib import import_module
from operator import itemgetter
from pathlib import PurePath
from typing import TYPE_CHECKING

from flowide.errors import BadInput, TooLarge
from flowide.pieces.model import Language

if TYPE_CHECKING:
    from os import PathLike

    import tree_sitter

MAX_BYTES = 16 * 1024 * 1024
"""Larger sources are refused."""

PARSE_SECONDS = 15.0
"""A hostile text that keeps the parser busy for longer is refused."""

_EXTENSIONS: dict[str, Language] = {
    ".py": "python",
    ".pyi": "python",
    ".pyw": "python",
    ".ts": "typescript",
    ".mts": "typescript",
    ".cts": "typescript",
    ".tsx": "tsx",
    ".js": "javascript",
    ".mjs": "javascript",
    ".cjs": "javascript",
    ".jsx": "javascript",
    ".go": "go",
    ".rs": "rust",
    ".java": "java",
    ".md": "markdown",
    ".markdown": "markdown",
    ".mdown": "markdown",
    ".mkd": "markdown",
}

_GRAMMARS = {
    "python": ("tree_sitter_python", "language"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
    "javascript": ("tree_sitter_javascript", "language"),
    "go": ("tree_sitter_go", "language"),
    "rust": ("tree_sitter_rust", "language"),
    "java": ("tree_sitter_java", "language"),
}

LANGUAGES: tuple[Language, ...] = (
    "python",
    "typescript",
    "tsx",
    "javascript",
    "go",
    "rust",
    "java",
    "markdown",
)


def language_of(path: str | PathLike[str]) -> Language | None:
    """The language a file name stands for; None when pieces of such files are unknown."""
    return _EXTENSIONS.get(PurePath(path).suffix.lower())


@cache
def grammar(language: Language) -> tree_sitter.Language:
    """The grammar of a language other than Markdown."""
    from tree_sitter import Language as Grammar  # loading a grammar costs milliseconds

    module, function = _GRAMMARS[language]
    return Grammar(getattr(import_module(module), function)())


@cache
def query(language: Language, text: str) -> tree_sitter.Query:
    """A compiled query, kept for the life of the process."""
    from tree_sitter import Query

    return Query(grammar(language), text)


def captures(
    language: Language, text: str, root: tree_sitter.Node, start: int = 0, end: int = -1
) -> dict[str, list[tree_sitter.Node]]:
    """Nodes that lie wholly in a byte range, by capture name, each list in source order."""
    from tree_sitter import QueryCursor

    cursor = QueryCursor(query(language, text))
    if end >= 0:
        cursor.set_byte_range(start, end)
    found = {}
    for name, nodes in cursor.captures(root).items():
        # The cursor reports a node when its pattern is complete, which need not be in source order.
        placed = [(node.start_byte, -node.end_byte, node) for node in nodes]
        if end >= 0:
            placed = [each for each in placed if start <= each[0] and -each[1] <= end]
        placed.sort(key=itemgetter(0, 1))
        found[name] = [node for _, _, node in placed]
    return found


def check_text(source: bytes, label: str = "") -> None:
    """Refuse what is not a text of bearable size.

    Raises:
        BadInput: NUL bytes, or not UTF-8.
        TooLarge: More than `MAX_BYTES`.
    """
    what = label or "the source"
    if len(source) > MAX_BYTES:
        raise TooLarge(
            f"{what} has {len(source):,} bytes",
            hint=f"Pieces work on files of up to {MAX_BYTES // 1024 // 1024} MiB.",
            size=len(source),
            limit=MAX_BYTES,
        )
    nul = source.find(b"\0")
    if nul >= 0:
        raise BadInput(
            f"{what} is not a text: NUL byte at offset {nul}",
            hint="Pieces work on UTF-8 texts.",
            offset=nul,
        )
    try:
        source.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{what} is not UTF-8: byte 0x{source[error.start]:02x} at offset {error.start}",
            hint="Convert the file to UTF-8 first.",
            offset=error.start,
        ) from error


_parsers = threading.local()


def _parser(language: Language) -> tree_sitter.Parser:
    from tree_sitter import Parser

    parser: tree_sitter.Parser | None = getattr(_parsers, language, None)
    if parser is None:
        with warnings.catch_warnings():
            # Its successor, parse(progress_callback=…), crashes the interpreter in 0.25.2.
            warnings.simplefilter("ignore", DeprecationWarning)
            parser = Parser(grammar(language), timeout_micros=int(PARSE_SECONDS * 1e6))
        setattr(_parsers, language, parser)
    return parser


def parse(source: bytes, language: Language, label: str = "") -> tree_sitter.Tree:
    """The syntax tree of a checked text.

    Raises:
        BadInput: The parser found no end within `PARSE_SECONDS`.
    """
    parser = _parser(language)
    try:
        return parser.parse(source)
    except ValueError as error:
        parser.reset()
        raise BadInput(
            f"{label or 'the source'} takes longer than {PARSE_SECONDS:.0f} s to parse",
            hint="Is it really a source file in this language?",
        ) from error
