"""The outline of a parsed source: its pieces with the syntax nodes behind them."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flowide.errors import NotFound
from flowide.patterns import lazy
from flowide.pieces.languages import check_text, parse
from flowide.pieces.model import Language, Piece
from flowide.text import close_to

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_DEPTH = 100
"""Containers nested deeper than this are pieces, but their members are not listed."""

BOM = b"\xef\xbb\xbf"


@dataclass(slots=True)
class Found:
    """A declaration found among the children of a body."""

    first: int
    """Index of its first node among the children."""
    last: int
    name: str
    kind: str
    inner: Node
    """The node with the `body` field, without decorators or `export`."""
    body: Node | None = None
    """Where members are declared, for containers."""
    role: str = ""
    """Tells pieces of the same name apart: setter, parameter types, cfg …"""
    scope: str | None = None
    """Prefix of the members' names below the owner's; None is the piece's own name."""
    names: tuple[str, ...] = ()
    """All names it binds, when they differ from `name`."""
    named: bool = True
    """False for a block whose members belong to the enclosing body, such as `if sys.platform == …:`."""
    name_node: Node | None = None
    starts_at: int | None = None
    """Offset of the declaration when it is not the first node's own."""


@dataclass(slots=True, eq=False)
class Item:
    """A piece and what the syntax tree knows about it."""

    name: str
    path: str
    """The name without its own `#n`: pieces of one path are matched by role and order."""
    simple: str
    kind: str
    start: int
    end: int
    parent: Item | None
    node: Node
    """The first declaration node."""
    inner: Node
    body: Node | None
    container: Node
    """The body it is declared in."""
    role: str = ""
    scope: str = ""
    names: tuple[str, ...] = ()
    name_node: Node | None = None
    children: list[Item] = field(default_factory=list)

    @property
    def decl_start(self) -> int:
        """Offset of the declaration itself, after comments that lead it."""
        return self.node.start_byte


class Rules(ABC):
    """How a language declares things; one subclass per language."""

    comments: frozenset[str] = frozenset({"comment"})
    attributes: frozenset[str] = frozenset()
    separators: frozenset[str] = frozenset({";"})
    same_column = False
    """True where the column of a comment says what it belongs to."""
    header = lazy(
        rb"copyright|licen[cs]e|spdx|^#!|-\*-|coding[:=]|eslint|prettier|@ts-|@flow|@jsx|jshint|tslint|pylint:|flake8:"
        rb"|mypy:|ruff:|isort:|pyright:|go:build|\+build|@file|do not edit|@generated",
        re.IGNORECASE | re.MULTILINE,
    )

    @abstractmethod
    def find(self, children: Sequence[Node], source: bytes, owner: Item | None) -> Iterable[Found]:
        """Declarations among the children of one body, in source order."""

    def members(self, body: Node) -> list[Node]:
        """The nodes of a body."""
        return body.children

    def is_inner_comment(self, comment: Node, source: bytes) -> bool:
        """True when a comment documents what encloses it, not what follows."""
        return False

    def is_doc(self, comment: Node, source: bytes) -> bool:
        """True when a comment belongs to what follows even across blank lines."""
        return False


class Outline:
    """A source, its tree and its pieces in source order."""

    def __init__(self, source: bytes, language: Language, label: str = "") -> None:
        """Raises BadInput or TooLarge when the source is not a text of bearable size."""
        from flowide.pieces.outlines import rules_of  # rules build on this module

        check_text(source, label)
        self.source = source
        self.language = language
        self.label = label
        self.tree = parse(source, language, label)
        self.root = self.tree.root_node
        self.rules = rules_of(language)
        self.newline = newline_of(source)
        self.borrowed_unit: bytes | None = None
        """Unit of indentation to use where the source itself shows none."""
        self.items: list[Item] = _build(self)
        self.by_name: dict[str, Item] = {item.name: item for item in self.items}
        self.by_path: dict[str, list[Item]] = defaultdict(list)
        for item in self.items:
            self.by_path[item.path].append(item)

    def item(self, name: str) -> Item:
        """The piece of that name; raises NotFound with close names."""
        found = self.by_name.get(name)
        if found is None:
            raise unknown(name, list(self.by_name), self.label)
        return found

    def top_items(self) -> list[Item]:
        """Pieces that no other piece encloses."""
        return [item for item in self.items if item.parent is None]

    def text(self, node: Node) -> bytes:
        """The node's bytes."""
        return self.source[node.start_byte : node.end_byte]

    def paths(self) -> Counter[tuple[str, str]]:
        """How often each path and kind occurs."""
        return Counter((item.path, item.kind) for item in self.items)


def unknown(name: str, names: list[str], label: str = "") -> NotFound:
    """The refusal of a name that no piece has."""
    lower = {known.lower(): known for known in names}
    tail = re.split(r"[./]", name.lower())[-1]
    close = [known for known in names if re.split(r"[./]", known.lower())[-1] == tail][:5]
    close += [lower[match] for match in close_to(name.lower(), lower, 5) if lower[match] not in close]
    where = f" in {label}" if label else ""
    hint = f"Did you mean {', '.join(close[:5])}?" if close else "List the pieces with `flowide pieces FILE`."
    if not names:
        hint = "No pieces were found there."
    return NotFound(f"no piece named {name!r}{where}", hint=hint, piece=name, close=close[:5])


def newline_of(source: bytes) -> bytes:
    """The line break most lines end with; a text of one line says b''."""
    crlf = source.count(b"\r\n")
    lf = source.count(b"\n") - crlf
    if not crlf and not lf:
        return b""
    return b"\r\n" if crlf > lf else b"\n"


def line_starts(source: bytes) -> list[int]:
    """Offset of the first byte of every line."""
    starts = [0]
    at = source.find(b"\n")
    while at >= 0:
        starts.append(at + 1)
        at = source.find(b"\n", at + 1)
    return starts


def as_pieces(items: Sequence[Item], source: bytes) -> list[Piece]:
    """The public form of items, with line numbers."""
    starts = line_starts(source)
    return [
        Piece(
            name=item.name,
            kind=item.kind,
            start=item.start,
            end=item.end,
            start_line=bisect_right(starts, item.start),
            end_line=bisect_right(starts, max(item.start, item.end - 1)),
            parent=item.parent.name if item.parent else None,
        )
        for item in items
    ]


def _build(outline: Outline) -> list[Item]:
    items: list[Item] = []
    used: dict[str, int] = {}
    pending: list[tuple[Node, Item | None, int]] = [(outline.root, None, 0)]
    while pending:
        body, owner, depth = pending.pop()
        children = outline.rules.members(body)
        nested: list[tuple[Node, Item | None, int]] = []
        for found in outline.rules.find(children, outline.source, owner):
            if not found.named:
                if depth < MAX_DEPTH and found.body is not None:
                    nested.append((found.body, owner, depth + 1))
                continue
            item = _item(outline, children, found, owner, body)
            items.append(item)
            if found.body is not None and depth < MAX_DEPTH:
                nested.append((found.body, item, depth + 1))
        pending.extend(reversed(nested))
    items.sort(key=lambda item: (item.start, -item.end))
    _number(items, used)
    return items


def _number(items: list[Item], used: dict[str, int]) -> None:
    taken: set[str] = set()
    for item in items:
        prefix = item.parent.scope if item.parent else ""
        item.path = f"{prefix}.{item.simple}" if prefix else item.simple
        name, count = item.path, used.get(item.path, 0) + 1
        if count > 1:
            name = f"{item.path}#{count}"
        while name in taken:
            count += 1
            name = f"{item.path}#{count}"
        used[item.path] = count
        taken.add(name)
        item.name = name
        item.scope = ".".join(filter(None, (prefix, item.scope))) if item.scope else name
        if item.parent:
            item.parent.children.append(item)


def _item(outline: Outline, children: Sequence[Node], found: Found, owner: Item | None, body: Node) -> Item:
    first, last = children[found.first], children[found.last]
    start = _leading(outline, children, found.first, top=body is outline.root)
    if found.starts_at is not None and found.first == found.last:
        start = found.starts_at if start == first.start_byte else start
    return Item(
        name="",
        path="",
        simple=found.name,
        kind=found.kind,
        start=start,
        end=_trailing(outline, children, found.last, last),
        parent=owner,
        node=first,
        inner=found.inner,
        body=found.body,
        container=body,
        role=found.role,
        scope=found.scope or "",
        names=found.names or (found.name,),
        name_node=found.name_node,
    )


def _end_row(node: Node) -> int:
    """Row of the last byte; some grammars count a comment's line break as part of it."""
    point = node.end_point
    return point.row - 1 if point.column == 0 and point.row > node.start_point.row else point.row


def _leading(outline: Outline, children: Sequence[Node], index: int, *, top: bool) -> int:
    """Where the decorators and comments that lead a declaration begin."""
    rules, source = outline.rules, outline.source
    first = children[index]
    start, row, column = first.start_byte, first.start_point.row, first.start_point.column
    comments_from = index
    at = index - 1
    while at >= 0:
        node = children[at]
        if node.type in rules.attributes:
            pass
        elif node.type in rules.comments:
            apart = _end_row(node) + 1 < row and not _documented(outline, children, at)
            misplaced = rules.same_column and node.start_point.column != column
            before = children[at - 1] if at else None
            trailing = before is not None and _end_row(before) == node.start_point.row
            if apart or misplaced or trailing or rules.is_inner_comment(node, source):
                break
            if not at and _shares_line(source, node.start_byte):
                break
        else:
            break
        start, row = node.start_byte, node.start_point.row
        comments_from = at
        at -= 1
    if top and at < 0 and comments_from < index and children[comments_from].type in rules.comments:
        return _after_header(outline, children, comments_from, index)
    return start


def _documented(outline: Outline, children: Sequence[Node], at: int) -> bool:
    """True when a comment documents what follows across blank lines, or stands below one that does."""
    while at >= 0 and children[at].type in outline.rules.comments:
        if outline.rules.is_doc(children[at], outline.source):
            return True
        at -= 1
    return False


def _shares_line(source: bytes, offset: int) -> bool:
    line = source.rfind(b"\n", 0, offset) + 1
    return bool(source[line:offset].replace(BOM, b"").strip())


def _after_header(outline: Outline, children: Sequence[Node], at: int, index: int) -> int:
    """A licence or a directive at the top of the file does not belong to the first declaration."""
    kept = at
    for position in range(at, index):
        node = children[position]
        if node.type in outline.rules.comments and outline.rules.header.search(outline.text(node)):
            kept = position + 1
    if kept > at:
        while kept < index and children[kept].type in outline.rules.comments:
            if outline.text(children[kept]).startswith((b"/**", b"///")):
                break
            kept += 1
    return children[kept].start_byte


def _trailing(outline: Outline, children: Sequence[Node], index: int, last: Node) -> int:
    """Where the declaration ends, with its separator and a comment on its last line."""
    end, row = last.end_byte, last.end_point.row
    if last.end_point.column == 0 and row > last.start_point.row:
        row -= 1
        end = _before_newline(outline.source, end)
    at = index + 1
    while at < len(children):
        node = children[at]
        if node.start_point.row != row:
            break
        following = _on_row(children, at + 1, row)
        if node.type in outline.rules.separators and node.end_byte > node.start_byte:
            if following is not None and following.is_named and following.type not in outline.rules.comments:
                # It parts two declarations of one line.
                break
            if outline.source[node.start_byte : node.end_byte] == b";":
                end = node.end_byte
            at += 1
            continue
        if node.type in outline.rules.comments and _end_row(node) == row and following is None:
            end = _before_newline(outline.source, node.end_byte)
        break
    return end


def _on_row(children: Sequence[Node], index: int, row: int) -> Node | None:
    """The node of that index if it begins on the row."""
    node = children[index] if index < len(children) else None
    return node if node is not None and node.start_point.row == row else None


def _before_newline(source: bytes, end: int) -> int:
    while end and source[end - 1] in b"\r\n":
        end -= 1
    return end


def first_named(node: Node) -> Node | None:
    """The first named child; `named_child(0)` raises where there is none."""
    return next(iter(node.named_children), None)


def walk_blocks(node: Node, blocks: frozenset[str]) -> Iterator[Node]:
    """Direct blocks of a compound statement: its branches."""
    for child in node.children:
        if child.type in blocks:
            yield child
        elif child.type.endswith(("_clause", "_block", "_group")):
            for inner in child.children:
                if inner.type in blocks:
                    yield inner
