"""Adding a name to an import list, and a statement among others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowide.pieces.edits import Edit, Part
from flowide.pieces.indent import line_indent
from flowide.pieces.outline import Outline

if TYPE_CHECKING:
    from tree_sitter import Node


@dataclass(slots=True)
class Entry:
    """New text for an import list or block, with the key it sorts by and the note for the change list."""

    text: bytes
    key: str
    note: object
    group: int = 0


@dataclass(slots=True)
class Statement:
    """An import statement of the base, with its place in the order."""

    node: Node
    group: int
    key: str
    end: int


def line_end(source: bytes, offset: int) -> int:
    """End of the line an offset is in, before its break and trailing white space."""
    end = source.find(b"\n", offset)
    end = len(source) if end < 0 else end
    while end > offset and source[end - 1] in b" \t\r":
        end -= 1
    return end


def insert_names(base: Outline, elements: Sequence[Node], entries: Sequence[Entry]) -> list[Edit]:
    """Add names to a comma-separated list: in order when the list is ordered, else at its end."""
    newline = base.newline or b"\n"
    keys = [_key(base.text(node).decode()) for node in elements]
    ordered = keys == sorted(keys)
    own_lines = len(elements) > 1 or _alone(base, elements[0])
    own_lines = own_lines and all(_alone(base, node) for node in elements)
    edits: list[Edit] = []
    comma_added = False
    for entry in sorted(entries, key=lambda entry: _key(entry.key)):
        after = len(elements) - 1
        if ordered:
            after = sum(key <= _key(entry.key) for key in keys) - 1
        if not own_lines:
            if after < 0:
                edits.append(
                    Edit(
                        elements[0].start_byte, elements[0].start_byte, [Part(entry.text + b", ", entry.note)]
                    )
                )
            else:
                at = elements[after].end_byte
                edits.append(Edit(at, at, [Part(b", " + entry.text, entry.note)]))
            continue
        near = elements[max(after, 0)]
        indent, _ = line_indent(base.source, near.start_byte)
        if after < 0:
            at = near.start_byte - len(indent)
            edits.append(Edit(at, at, [Part(indent + entry.text + b"," + newline, entry.note)]))
            continue
        at = line_end(base.source, near.end_byte)
        last = after == len(elements) - 1
        has_comma = base.source[near.end_byte : at].lstrip().startswith(b",")
        if last and not has_comma:
            if not comma_added:
                edits.append(Edit(near.end_byte, near.end_byte, [Part(b",", entry.note)]))
                comma_added = True
                edits.append(Edit(at, at, [Part(newline + indent + entry.text, entry.note)]))
            else:
                edits[-1].parts[-1].text += b"," + newline + indent + entry.text
        else:
            edits.append(Edit(at, at, [Part(newline + indent + entry.text + b",", entry.note)]))
    for edit in edits:
        # A new statement may begin where a list ends: the list is to be whole before it.
        edit.rank = -1
    return edits


def _alone(base: Outline, node: Node) -> bool:
    return line_indent(base.source, node.start_byte)[1] and node.start_point.row > 0


def _key(text: str) -> str:
    return text.removeprefix("type ").strip().lower()


def insert_statements(base: Outline, statements: Sequence[Statement], entries: Sequence[Entry]) -> list[Edit]:
    """Add statements beside the others of their groups; a group of its own is set off by a blank line.

    `statements` are those of the base, at least one.
    """
    groups: dict[int, list[Entry]] = {}
    for entry in sorted(entries, key=lambda entry: (entry.group, entry.key)):
        groups.setdefault(entry.group, []).append(entry)
    edits: list[Edit] = []
    for group, members in groups.items():
        same = [each for each in statements if each.group == group]
        if same:
            edits += [insert_beside(base, same, entry) for entry in members]
        else:
            edits += _new_group(base, statements, members)
    return edits


def insert_beside(base: Outline, same: Sequence[Statement], entry: Entry) -> Edit:
    """Add a statement among those of its group, in their order."""
    newline, source = base.newline or b"\n", base.source
    smaller = [each for each in same if each.key <= entry.key]
    start = same[0].node.start_byte
    indent, alone = line_indent(source, start)
    if smaller or not alone or _commented(source, same[0].node):
        near = smaller[-1] if smaller else same[-1]
        return _after(source, near, newline + entry.text, entry)
    return Edit(start, start, [Part(entry.text + newline + indent, entry.note)])


def _new_group(base: Outline, statements: Sequence[Statement], entries: Sequence[Entry]) -> list[Edit]:
    newline, source = base.newline or b"\n", base.source
    lower = [each for each in statements if each.group < entries[0].group]
    first = statements[0]
    if lower:
        breaks = [newline * 2] + [newline] * (len(entries) - 1)
        return [
            _after(source, lower[-1], lead + entry.text, entry)
            for lead, entry in zip(breaks, entries, strict=True)
        ]
    indent, alone = line_indent(source, first.node.start_byte)
    if not alone or _commented(source, first.node):
        return [_after(source, statements[-1], newline + entry.text, entry) for entry in entries]
    start = first.node.start_byte
    breaks = [newline] * (len(entries) - 1) + [newline * 2]
    return [
        Edit(start, start, [Part(entry.text + end + indent, entry.note)])
        for end, entry in zip(breaks, entries, strict=True)
    ]


def _after(source: bytes, near: Statement, text: bytes, entry: Entry) -> Edit:
    at = line_end(source, near.end)
    indent, alone = line_indent(source, near.node.start_byte)
    if indent and alone:
        stripped = text.lstrip(b"\r\n")
        text = text[: len(text) - len(stripped)] + indent + stripped
    return Edit(at, at, [Part(text, entry.note)])


def _commented(source: bytes, node: Node) -> bool:
    """True when the line above is a comment that may belong to the statement."""
    line = source.rfind(b"\n", 0, node.start_byte) + 1
    above = source[source.rfind(b"\n", 0, max(0, line - 1)) + 1 : max(0, line - 1)].strip()
    return above.startswith((b"#", b"//", b"/*", b"*")) or above.endswith(b"*/")


def insert_first(
    base: Outline, entries: Sequence[Entry], at: int, following: int, *, blank_before: int
) -> Edit:
    """Add the first import statements of a file at an offset that ends a line, or at its start.

    `following` is the number of blank lines wanted before what comes next.
    """
    newline = base.newline or b"\n"
    source = base.source
    text = b""
    parts: list[Part] = []
    group: int | None = None
    for entry in sorted(entries, key=lambda entry: (entry.group, entry.key)):
        text = newline if group is not None else b""
        if group is not None and group != entry.group:
            text += newline
        parts.append(Part(text + entry.text, entry.note))
        group = entry.group
    rest = at
    while rest < len(source) and source[rest] in b" \t\r\n\x0c":
        rest += 1
    breaks = source.count(b"\n", at, rest)
    line_start = at == 0 or source[at - 1 : at] == b"\n" or source[:at] == b"\xef\xbb\xbf"
    if line_start:
        if rest < len(source):
            parts[-1].text += newline * max(1, 1 + following - breaks)
        elif not source.replace(b"\xef\xbb\xbf", b"").strip():
            parts[-1].text += newline * (3 if base.language == "python" else 2)
        else:
            parts[-1].text += newline
    else:
        parts[0].text = newline * (1 + blank_before) + parts[0].text
        if rest < len(source):
            parts[-1].text += newline * max(0, 1 + following - breaks)
    return Edit(at, at, parts)
