"""Colours of code: one parse, then a query for each block of lines that is looked at."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from flowide.tui.views.align import common_start

if TYPE_CHECKING:
    from tree_sitter import Query

BLOCK = 64
"""Lines that are coloured at once."""
MOST_LINE = 2000
"""Characters of a line that are coloured."""
MOST_TEXT = 4 * 1024 * 1024

Runs = tuple[tuple[int, int, str], ...]
"""Start, end (characters) and role of each coloured part of a line."""

_EXTENSIONS = {
    **dict.fromkeys((".py", ".pyi", ".pyw"), "python"),
    **dict.fromkeys((".js", ".mjs", ".cjs", ".jsx"), "javascript"),
    **dict.fromkeys((".ts", ".mts", ".cts"), "typescript"),
    ".tsx": "tsx",
    ".go": "go",
    ".rs": "rust",
    ".java": "java",
    **dict.fromkeys((".md", ".markdown", ".mdown", ".mkd"), "markdown"),
    ".json": "json",
    **dict.fromkeys((".yaml", ".yml"), "yaml"),
    ".toml": "toml",
    **dict.fromkeys((".sh", ".bash"), "bash"),
    **dict.fromkeys((".html", ".htm"), "html"),
    ".css": "css",
    ".sql": "sql",
    **dict.fromkeys((".xml", ".svg"), "xml"),
}
_FUNCTIONS = {"typescript": "language_typescript", "tsx": "language_tsx", "xml": "language_xml"}

_ROLES = (
    ("comment", "com i"),
    ("string.documentation", "com"),
    ("string.special.key", "fn"),
    ("string", "str"),
    ("escape", "num"),
    ("character", "str"),
    ("keyword.operator", "kw"),
    ("keyword", "kw"),
    ("conditional", "kw"),
    ("repeat", "kw"),
    ("exception", "kw"),
    ("include", "kw"),
    ("tag", "kw"),
    ("attribute", "type"),
    ("function.call", "fn"),
    ("function", "fn b"),
    ("method.call", "fn"),
    ("method", "fn b"),
    ("constructor", "type"),
    ("class", "type"),
    ("type", "type"),
    ("boolean", "num"),
    ("number", "num"),
    ("float", "num"),
    ("constant.builtin", "num"),
    ("constant", "num"),
    ("variable.builtin", "kw i"),
    ("operator", "op"),
    ("punctuation", "op"),
    ("property", ""),
    ("heading.marker", "quiet"),
    ("heading", "fn b"),
    ("text.title", "fn b"),
    ("list.marker", "kw"),
    ("text.literal", "str"),
    ("text.uri", "str u"),
    ("text.reference", "type"),
    ("inline_code", "str"),
    ("info_string", "quiet"),
    ("json.label", "fn"),
    ("yaml.field", "fn"),
    ("toml.type", "type"),
    ("none", ""),
)


def language_of(path: str) -> str | None:
    """The grammar for a file name; None when there is none."""
    return _EXTENSIONS.get(PurePath(path).suffix.lower())


@cache
def role_of(capture: str) -> str | None:
    """Role of a capture of a highlight query; None = it says nothing about colour."""
    for start, role in _ROLES:
        if capture == start or capture.startswith(start + "."):
            return role
    return None


class Highlighter:
    """The colours of one text. Make it in a thread: the parse takes a while."""

    def __init__(
        self, lines: Sequence[str], language: str | None, *, before: Highlighter | None = None
    ) -> None:
        """`before` are the colours of the same text before an edit: then only what was touched is parsed."""
        self._lines = list(lines)  # what is edited goes on changing
        self._language = language
        self._blocks: dict[int, list[Runs]] = {}
        self._root: Any = None
        self._tree: Any = None
        self._source = b""
        self._query: Query | None = None
        if language is None:
            return
        from tree_sitter import Parser  # costs milliseconds at start

        query = query_of(language)
        self._source = "\n".join(lines).encode(errors="replace")
        if query is None or len(self._source) > MOST_TEXT:
            return
        parser = Parser(_grammar(language))
        if before is None or before._tree is None or before._language != language:
            self._tree = parser.parse(self._source)
        else:
            _tell_edit(before._tree, before._source, self._source)
            self._tree = parser.parse(self._source, before._tree)
        self._root, self._query = self._tree.root_node, query

    def after_edit(self, lines: Sequence[str], language: str | None) -> Highlighter:
        """The colours of the text as it is now. This one is of no more use then."""
        return Highlighter(lines, language, before=self)

    def line(self, index: int) -> Runs:
        """The coloured parts of a line, from 0."""
        if self._query is None or not 0 <= index < len(self._lines):
            return ()
        block = index // BLOCK
        if block not in self._blocks:
            self._blocks[block] = self._colour(block)
        return self._blocks[block][index % BLOCK]

    def _colour(self, block: int) -> list[Runs]:
        from tree_sitter import QueryCursor

        assert self._query is not None
        first = block * BLOCK
        lines = self._lines[first : first + BLOCK]
        painted: list[list[str]] = [[""] * min(len(line), MOST_LINE) for line in lines]
        cursor = QueryCursor(self._query)
        cursor.set_point_range((first, 0), (first + len(lines), 0))
        for _, captures in sorted(cursor.matches(self._root), key=lambda match: match[0]):
            for name, nodes in captures.items():
                role = role_of(name)
                if role is not None:
                    for node in nodes:
                        _paint(painted, lines, first, node, role)
        return [_runs(roles) for roles in painted]


def _tell_edit(tree: Any, old: bytes, new: bytes) -> None:
    """Tell a tree which part of its text was replaced."""
    start = common_start(old, new)
    tail = common_start(old[start:][::-1], new[start:][::-1])
    old_end, new_end = len(old) - tail, len(new) - tail
    tree.edit(
        start_byte=start,
        old_end_byte=old_end,
        new_end_byte=new_end,
        start_point=_point(old, start),
        old_end_point=_point(old, old_end),
        new_end_point=_point(new, new_end),
    )


def _point(source: bytes, offset: int) -> tuple[int, int]:
    return source.count(b"\n", 0, offset), offset - (source.rfind(b"\n", 0, offset) + 1)


def _paint(painted: list[list[str]], lines: Sequence[str], first: int, node: Any, role: str) -> None:
    (row, column), (end_row, end_column) = node.start_point, node.end_point
    for line in range(max(row, first), min(end_row, first + len(lines) - 1) + 1):
        text = lines[line - first]
        start = _characters(text, column) if line == row else 0
        end = _characters(text, end_column) if line == end_row else len(text)
        roles = painted[line - first]
        end = min(end, len(roles))
        if start < end:
            roles[start:end] = [role] * (end - start)


def _characters(text: str, column: int) -> int:
    """Character offset of a byte offset."""
    if text.isascii():
        return column
    return len(text.encode()[:column].decode(errors="ignore"))


def _runs(roles: list[str]) -> Runs:
    found: list[tuple[int, int, str]] = []
    start = 0
    for index in range(1, len(roles) + 1):
        if index == len(roles) or roles[index] != roles[start]:
            if roles[start]:
                found.append((start, index, roles[start]))
            start = index
    return tuple(found)


@cache
def _grammar(language: str) -> Any:
    from tree_sitter import Language

    package = "typescript" if language == "tsx" else language
    module = import_module(f"tree_sitter_{package}")
    function = getattr(module, _FUNCTIONS.get(language, "language"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # some grammars hand over a bare pointer
        return Language(function())


@cache
def query_of(language: str) -> Query | None:
    """The highlight query of a language; None when it does not fit the installed grammar."""
    from tree_sitter import Query, QueryError

    try:
        return Query(_grammar(language), _query_text(language))
    except (QueryError, OSError, ImportError, AttributeError):
        return None


def _query_text(language: str) -> str:
    if language in {"typescript", "tsx"}:
        javascript = import_module("tree_sitter_javascript")
        typescript = import_module("tree_sitter_typescript")
        return f"{javascript.HIGHLIGHTS_QUERY}\n{typescript.HIGHLIGHTS_QUERY}"
    import textual

    shipped = Path(textual.__file__).parent / "tree-sitter" / "highlights" / f"{language}.scm"
    return shipped.read_text(encoding="utf-8")
