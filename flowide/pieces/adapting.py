"""A taken piece as it has to read in its new place: name, keyword of its group, indentation, line breaks."""

from __future__ import annotations

import re

from flowide.errors import Rejected
from flowide.pieces.indent import moved, unit_of
from flowide.pieces.names import free_uses
from flowide.pieces.outline import Item, Outline
from flowide.pieces.outlines.go import receiver_type

_GO_SPECS = frozenset({"const_spec", "var_spec", "type_spec", "type_alias"})


def is_grouped(item: Item) -> bool:
    """True for a Go constant, variable or type inside parentheses: its keyword stands elsewhere."""
    return item.node.type in _GO_SPECS


def keyword(item: Item) -> bytes:
    """`const`, `var` or `type` of a Go declaration."""
    return item.inner.type.split("_")[0].encode()


def adapted(
    base: Outline, source: Outline, item: Item, indent: bytes, *, beside: Item | None, grouped: bool
) -> bytes:
    """The piece's text for a place in the base with that indentation.

    `beside` is the base's piece whose unit of indentation counts; `grouped` says whether the place is inside
    the parentheses of a Go declaration.
    """
    theirs, ours = unit_of(source, item), unit_of(base, beside) or unit_of(base)
    units = (theirs, ours) if theirs and ours else None
    newline = base.newline or source.newline
    text = moved(source, item.start, item.end, indent, units, newline)
    if source.language == "go" and item.inner.type in _GO_SPECS and is_grouped(item) != grouped:
        text = _regrouped(source, item, text, grouped=grouped)
    return text


def _regrouped(source: Outline, item: Item, text: bytes, *, grouped: bool) -> bytes:
    line = source.source.count(b"\n", item.start, item.node.start_byte)
    at = 0
    for _ in range(line):
        at = text.index(b"\n", at) + 1
    while line and text[at : at + 1] in (b" ", b"\t"):
        at += 1
    if grouped:
        return text[:at] + text[at + item.inner.start_byte - item.node.start_byte :]
    if item.inner.type == "const_spec":
        value = item.inner.child_by_field_name("value")
        if value is None or b"iota" in source.text(value):
            raise Rejected(
                f"{item.name} takes its value from its place in a const group",
                hint="Take it into a group, or take a constant with a value of its own.",
                piece=item.name,
            )
    return text[:at] + keyword(item) + b" " + text[at:]


def renamed(source: Outline, item: Item, simple: str, owner: str | None) -> tuple[Outline, Item, int]:
    """The source with one of its pieces renamed, the piece there, and how many references to itself changed.

    `owner` is the new receiver type of a Go method, or None.
    """
    if item.name_node is None or item.name_node.type in ("string", "computed_property_name"):
        raise Rejected(f"{item.name} cannot be renamed", hint="Leave out the new name.", piece=item.name)
    old, new = source.text(item.name_node), simple.encode()
    if not re.fullmatch(rb"#?[^\W\d][\w$]*", new) and not re.fullmatch(r"#?[^\W\d][\w$]*", simple):
        raise Rejected(
            f"{simple!r} is not a name", hint="Give a plain identifier after the last dot.", name=simple
        )
    spots = {item.name_node.start_byte: (item.name_node.end_byte, new)} if old != new else {}
    if owner is not None and item.inner.type == "method_declaration":
        receiver = receiver_type(item.inner)
        if receiver is not None and source.text(receiver) != owner.encode():
            spots[receiver.start_byte] = (receiver.end_byte, owner.encode())
    itself = 0
    if old != new:
        for start, end in _references(source, item, old):
            if start not in spots:
                spots[start] = (end, new)
                itself += 1
    if not spots:
        return source, item, 0
    text, at = [], 0
    for start in sorted(spots):
        end, word = spots[start]
        text += [source.source[at:start], word]
        at = end
    text.append(source.source[at:])
    again = Outline(b"".join(text), source.language, source.label)
    index = source.items.index(item)
    broken = again.root.has_error and not source.root.has_error
    if broken or len(again.items) != len(source.items):
        raise Rejected(
            f"{item.name} cannot be renamed to {simple}", hint="Choose another name.", piece=item.name
        )
    return again, again.items[index], itself


def _references(source: Outline, item: Item, old: bytes) -> list[tuple[int, int]]:
    found = []
    if item.parent is None and "." not in item.simple:
        found = [
            (use.start, use.end)
            for use in free_uses(source, item.start, item.end, {old})
            if not use.qualifier
        ]
        found += [
            (child.name_node.start_byte, child.name_node.end_byte)
            for child in item.children
            if child.kind == "constructor" and child.name_node is not None and child.simple.encode() == old
        ]
        # Other declarations of an overload set carry the same name.
    if item.node is not item.inner or item.kind in ("function", "method"):
        found += _overload_names(source, item, old)
    return found


def _overload_names(source: Outline, item: Item, old: bytes) -> list[tuple[int, int]]:
    found = []
    for node in item.container.children:
        if node.start_byte < item.start or node.end_byte > item.end:
            continue
        inner = node.child_by_field_name("definition") or node.child_by_field_name("declaration") or node
        name = inner.child_by_field_name("name")
        if name is not None and source.text(name) == old:
            found.append((name.start_byte, name.end_byte))
    return found
