"""Moving a text to another indentation, unit and line break without touching its strings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flowide.pieces.languages import captures
from flowide.pieces.outline import BOM, Item, Outline, first_named, line_starts

if TYPE_CHECKING:
    from tree_sitter import Node

TAB_WIDTH = 8

_STRINGS = {
    "python": "(string) @s",
    "typescript": "[(string) (template_string) (regex)] @s",
    "tsx": "[(string) (template_string) (regex)] @s",
    "javascript": "[(string) (template_string) (regex)] @s",
    "go": "[(raw_string_literal) (interpreted_string_literal)] @s",
    "rust": "[(string_literal) (raw_string_literal)] @s",
    "java": "(string_literal) @s",
}

_DEFAULT_UNIT = {"go": b"\t", "typescript": b"  ", "tsx": b"  ", "javascript": b"  "}

_EVIDENCE = 40


def line_indent(source: bytes, offset: int) -> tuple[bytes, bool]:
    """Leading white space of the line an offset is in, and whether nothing else precedes the offset."""
    line = source.rfind(b"\n", 0, offset) + 1
    if not line and source.startswith(BOM):
        line = len(BOM)
    at = line
    while at < offset and source[at] in b" \t\x0c":
        at += 1
    return source[line:at], at == offset


def width(indent: bytes) -> int:
    """Columns an indentation takes."""
    return len(indent.expandtabs(TAB_WIDTH))


def unit_of(outline: Outline, item: Item | None = None) -> bytes | None:
    """One level of indentation as the item, or else the file, uses it; None without evidence."""
    if item is not None:
        step = _step(outline, item)
        if step is None and item.children:
            step = _most_common(outline, item.children)
        if step is not None:
            return step
    return _most_common(outline, outline.items)


def default_unit(outline: Outline) -> bytes:
    """The unit of the file, or what its language's formatters choose."""
    return unit_of(outline) or outline.borrowed_unit or _DEFAULT_UNIT.get(outline.language, b"    ")


def _most_common(outline: Outline, items: Sequence[Item]) -> bytes | None:
    steps: Counter[bytes] = Counter()
    for item in items:
        step = _step(outline, item)
        if step is not None:
            steps[step] += 1
            if steps.total() >= _EVIDENCE:
                break
    return steps.most_common(1)[0][0] if steps else None


def _step(outline: Outline, item: Item) -> bytes | None:
    body = item.body or item.inner.child_by_field_name("body")
    if body is None and item.inner.type == "type_spec":
        shape = item.inner.child_by_field_name("type")
        body = first_named(shape) if shape is not None and shape.type == "struct_type" else shape
    if body is None:
        return None
    first: Node | None = None
    for child in body.named_children[:3]:
        if child.start_point.row > item.inner.start_point.row:
            first = child
            break
    if first is None:
        return None
    outer, _ = line_indent(outline.source, item.inner.start_byte)
    inner, alone = line_indent(outline.source, first.start_byte)
    if not alone or not inner.startswith(outer) or len(inner) == len(outer):
        return None
    step = inner[len(outer) :]
    return step if step in (b"\t", b" ", b"  ", b"   ", b"    ", b"      ", b"        ") else None


def protected_ranges(outline: Outline, start: int, end: int) -> list[tuple[int, int]]:
    """Byte ranges of strings of several lines."""
    found = captures(outline.language, _STRINGS[outline.language], outline.root, start, end)
    return [
        (node.start_byte, node.end_byte)
        for node in found.get("s", [])
        if node.end_point.row > node.start_point.row
    ]


def moved(
    outline: Outline, start: int, end: int, target: bytes, units: tuple[bytes, bytes] | None, newline: bytes
) -> bytes:
    """The text of a range as it reads at another indentation.

    `target` replaces the indentation of the range's first line; `units` are the unit there and here, or None
    to keep the relative indentation as it is. Lines that begin inside a string keep every byte but the line break.
    """
    source = outline.source
    origin, _ = line_indent(source, start)
    text = source[start:end]
    change = origin != target or (units is not None and units[0] != units[1])
    if change and b"\n" in text:
        text = _shift(outline, start, end, origin, target, units)
    return with_newlines(text, newline)


def with_newlines(text: bytes, newline: bytes) -> bytes:
    """The text with one kind of line break; an empty `newline` changes nothing."""
    if newline == b"\n":
        return text.replace(b"\r\n", b"\n") if b"\r" in text else text
    if newline == b"\r\n":
        return re.sub(rb"\r?\n", b"\r\n", text)
    return text


def _shift(
    outline: Outline, start: int, end: int, origin: bytes, target: bytes, units: tuple[bytes, bytes] | None
) -> bytes:
    source = outline.source
    ranges = protected_ranges(outline, start, end)
    text = source[start:end]
    lines = [start + offset for offset in line_starts(text)]
    out = [source[start : lines[1]]]
    # Indentations seen so far, as (columns there, bytes here); deeper ones grow out of them.
    stack = [(width(origin), target)]
    at = 0
    for index in range(1, len(lines)):
        first = lines[index]
        last = lines[index + 1] if index + 1 < len(lines) else end
        while at < len(ranges) and ranges[at][1] <= first:
            at += 1
        if at < len(ranges) and ranges[at][0] < first:
            out.append(source[first:last])
            continue
        stop = first
        while stop < last and source[stop] in b" \t\x0c":
            stop += 1
        if stop == last or source[stop] in b"\r\n":
            out.append(source[first:last])
            continue
        old = source[first:stop]
        if units is None or units[0] == units[1]:
            new = target + old[len(origin) :] if old.startswith(origin) else old
        else:
            new = _converted(old, stack, units)
        out.append(new + source[stop:last])
    return b"".join(out)


def _converted(old: bytes, stack: list[tuple[int, bytes]], units: tuple[bytes, bytes]) -> bytes:
    columns, step = width(old), max(1, width(units[0]))
    while len(stack) > 1 and stack[-1][0] > columns:
        stack.pop()
    base, here = stack[-1]
    if columns <= base:
        return here if columns == base else old
    extra = columns - base
    new = (
        here + units[1] * (extra // step) if extra % step == 0 and extra <= 3 * step else here + b" " * extra
    )
    stack.append((columns, new))
    return new
