"""Where a piece that the base lacks goes: after which sibling, with which indentation and blank lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowide.errors import Rejected
from flowide.pieces.adapting import is_grouped, keyword
from flowide.pieces.indent import default_unit, line_indent, unit_of
from flowide.pieces.matching import anchor, siblings
from flowide.pieces.outline import BOM, Item, Outline
from flowide.pieces.spacing import SMALL, Slot

if TYPE_CHECKING:
    from tree_sitter import Node

_BRACES = frozenset({"{", "}", "(", ")"})


def slot_for(base: Outline, source: Outline, item: Item, parent: Item | None) -> Slot:
    """Find the place for a new piece.

    After the nearest piece before it in its source that the base has too, else at the end of the body. Constants
    and fields without such a neighbour go before the first function or class, other pieces before a final
    `if __name__ == …` or `mod tests`.

    Raises:
        Rejected: The parent has no body.
    """
    before = anchor(base, source, item, parent)
    foreign = _foreign(item)
    if foreign is not None and (before is None or _foreign(before) is None):
        abi = _abi(source, foreign)
        blocks = [other for other in base.items if (body := _foreign(other)) and _abi(base, body) == abi]
        if not blocks:
            raise Rejected(
                f"{item.name} stands in an {abi} block, and the base has none",
                hint="Add the block to the base, or take what uses it by hand.",
                piece=item.name,
            )
        before = blocks[-1]
    if before is not None:
        return _after(base, source, item, before)
    return end_slot(base, source, item, parent)


def _foreign(item: Item) -> Node | None:
    """The `extern` block of Rust that a piece stands in."""
    around = item.container.parent
    return around if around is not None and around.type == "foreign_mod_item" else None


def _abi(outline: Outline, block: Node) -> str:
    return " ".join(outline.source[block.start_byte : _body_start(block)].decode().split())


def _body_start(block: Node) -> int:
    """Where the braces of a block begin."""
    body = block.child_by_field_name("body")
    return body.start_byte if body is not None else block.end_byte


def end_slot(base: Outline, source: Outline, item: Item, parent: Item | None) -> Slot:
    """The place at the end of a body."""
    if parent is not None:
        if parent.body is None:
            raise Rejected(
                f"{parent.name} has no body in the base",
                hint=f"Take {parent.name} as a whole.",
                piece=item.name,
            )
        if item.kind in SMALL and base.language not in ("go", "rust"):
            early = _before_first_big(base, item, parent.children, parent.body)
            if early is not None:
                return early
        return _in_body(base, parent)
    if item.kind in SMALL and base.language in ("python", "typescript", "tsx", "javascript"):
        early = _before_first_big(base, item, base.top_items(), base.root)
        if early is not None and not _uses_base(base, source, item):
            return early
    return _at_end(base)


def _uses_base(base: Outline, source: Outline, item: Item) -> bool:
    """True when a constant's value needs something the base defines further down."""
    text = source.source[item.start : item.end]
    return any(
        other.simple.encode() in text
        for other in base.top_items()
        if other.kind not in SMALL and other.simple != item.simple
    )


def _outermost(item: Item, body: Node) -> Node:
    """The statement of a body that a piece is part of."""
    if item.container.id == body.id:
        return item.node
    found = body.child_with_descendant(item.node)
    return found if found is not None else item.node


def _after(base: Outline, source: Outline, item: Item, before: Item) -> Slot:
    """The gap after a piece of the base."""
    end, grouped, beside = before.end, False, before
    indent, alone = line_indent(base.source, before.node.start_byte)
    body = before.parent.body if before.parent and before.parent.body else base.root
    nested = before.container.id != body.id
    if nested and base.language == "go" and is_grouped(item) and keyword(item) == keyword(before):
        grouped = True
    elif nested and not _same_depth(source, item):
        whole = _outermost(before, body)
        end = _line_end(base.source, whole.end_byte) if base.language == "python" else whole.end_byte
        indent, alone = line_indent(base.source, whole.start_byte)
    if not alone:
        indent = _indent_inside(base, before.parent)
    peers = [other for other in siblings(base, before) if other.start >= end]
    slot = Slot(end, end, indent, before, peers[0] if peers else None, None, beside, grouped)
    if nested and end > before.end:
        slot.after = None
    return _settled(base, slot)


def _same_depth(source: Outline, item: Item) -> bool:
    """True when the taken piece, too, stood inside a block of its body."""
    body = item.parent.body if item.parent and item.parent.body else source.root
    return item.container.id != body.id and source.language not in ("go", "java")


def _indent_inside(base: Outline, parent: Item | None) -> bytes:
    if parent is None:
        return b""
    for child in parent.children:
        indent, alone = line_indent(base.source, child.start)
        if alone:
            return indent
    outer, _ = line_indent(base.source, parent.node.start_byte)
    return outer + (unit_of(base, parent) or default_unit(base))


def _line_end(source: bytes, offset: int) -> int:
    end = source.find(b"\n", offset)
    end = len(source) if end < 0 else end
    while end > offset and source[end - 1] in b" \t\r":
        end -= 1
    return end


def _settled(base: Outline, slot: Slot) -> Slot:
    """Move the gap to the end of its line, or break the line when it goes on."""
    source = base.source
    end = _line_end(source, slot.end)
    rest = source[slot.end : end]
    if not rest.strip() and slot.start == slot.end:
        # White space at the end of the line stays where it is.
        stop = source.find(b"\n", slot.end)
        stop = len(source) if stop < 0 else stop - (source[stop - 1 : stop] == b"\r")
        slot.start = slot.end = max(stop, slot.end)
    elif rest.strip():
        comment = rest.strip().startswith((b"//", b"#")) or rest.strip() in (b";", b",")
        if base.language == "python" or comment:
            slot.start = slot.end = end
        else:
            newline = base.newline or b"\n"
            outer = slot.indent
            if rest.strip().startswith(b"}"):
                outer = line_indent(source, slot.end)[0]
            spaces = len(rest) - len(rest.lstrip())
            slot.end += spaces
            slot.tail = newline + outer
            slot.followed = not rest.strip().startswith(b"}")
            return slot
    at = slot.end
    while at < len(source) and source[at] in b" \t\r\n\x0c":
        at += 1
    slot.blank_after = max(0, source.count(b"\n", slot.end, at) - 1)
    slot.followed = at < len(source) and source[at : at + 1] not in (b"}", b")")
    if slot.followed and base.language == "python" and slot.indent:
        slot.followed = len(line_indent(source, at)[0]) >= len(slot.indent)
    return slot


def _before_first_big(base: Outline, item: Item, items: list[Item], body: Node) -> Slot | None:
    """Before the first function or class of a body; None when there is none."""
    big = next((other for other in items if other.kind not in SMALL), None)
    if big is None or big.container.id != body.id:
        return None
    at = big.start
    indent, alone = line_indent(base.source, at)
    if not alone:
        return None
    previous = [
        child
        for child in body.children
        if child.end_byte <= at
        and (child.is_named or child.type not in _BRACES)
        and child.end_byte > child.start_byte
    ]
    line = at - len(indent)
    if not previous:
        if base.language == "python" or body.type in ("program", "module"):
            if line and base.source[:line].replace(BOM, b"").strip():
                return None
            newline = base.newline or b"\n"
            slot = Slot(line, line, b"", None, big, 0, big, first_line=True)
            slot.blank_after, slot.followed, slot.tail = 0, True, newline
            return slot
        brace = body.children[0].end_byte
        slot = Slot(brace, brace, indent, None, big, 0, big)
        slot.followed, slot.blank_after = True, max(0, base.source.count(b"\n", brace, at) - 1)
        return slot if not base.source[brace:line].strip() else None
    last = previous[-1]
    before = next((other for other in reversed(items) if other.end <= at), None)
    imports = "import" in last.type or "use_" in last.type
    blank = 1 if imports or (base.language == "python" and before is None) else None
    slot = Slot(last.end_byte, last.end_byte, indent, before, big, blank, big)
    if before is not None and before.end > slot.end:
        slot.start = slot.end = before.end
    return _settled(base, slot)


def _in_body(base: Outline, parent: Item) -> Slot:
    """The end of a class, impl or module body."""
    body = parent.body
    assert body is not None
    indent = _indent_inside(base, parent)
    last_item = parent.children[-1] if parent.children else None
    if base.language == "python":
        return _in_block(base, parent, body, indent, last_item)
    inside = [child for child in body.children if child.type not in _BRACES]
    if not inside:
        return _in_braces(base, parent, body, indent)
    last = inside[-1]
    end = max(last.end_byte, last_item.end if last_item and last_item.end <= body.end_byte else 0)
    while end and base.source[end - 1] in b"\r\n":
        end -= 1
    slot = Slot(end, end, indent, last_item, None, None, last_item or parent)
    if body.type == "enum_body" and last.type != "enum_body_declarations":
        slot.lead = b";"
        slot.after = None
        slot.blank_before = 1
    elif last_item is None or last_item.end < last.start_byte:
        slot.after = None
        slot.blank_before = 0 if last.type.endswith("comment") else None
    slot = _settled(base, slot)
    slot.followed = False
    return slot


def _in_braces(base: Outline, parent: Item, body: Node, indent: bytes) -> Slot:
    """Between the braces of an empty body."""
    newline = base.newline or b"\n"
    start, end = body.start_byte + 1, body.end_byte - 1
    outer, _ = line_indent(base.source, parent.inner.start_byte)
    slot = Slot(start, end, indent, None, None, 0, parent)
    slot.tail = newline + outer
    return slot


def _in_block(base: Outline, parent: Item, body: Node, indent: bytes, last_item: Item | None) -> Slot:
    """At the end of a Python block; a lone `pass` or `...` gives way."""
    statements = [child for child in body.children if child.is_named and child.type != "comment"]
    header = base.source[parent.inner.start_byte : body.start_byte]
    one_line = b"\n" not in header[header.rfind(b":") :] if b":" in header else False
    lone = statements[-1] if statements else None
    if (
        lone is not None
        and _is_placeholder(base, lone)
        and (len(statements) == 1 or _is_docstring(statements[:-1]))
    ):
        start, end = lone.start_byte, lone.end_byte
        blank: int | None = 0 if len(statements) == 1 else 1
        if one_line:
            start = parent.inner.start_byte + len(header.rstrip())
            slot = Slot(start, end, indent, None, None, 0, parent)
            return slot
        line = base.source.rfind(b"\n", 0, start)
        line -= base.source[line - 1 : line] == b"\r"
        gap = base.source[_content_end(base.source, line) : line].count(b"\n")
        slot = Slot(line, end, indent, None, None, max(0, (blank or 0) - gap), parent)
        return slot
    end = _line_end(base.source, max(body.end_byte, last_item.end if last_item else 0))
    slot = Slot(end, end, indent, last_item, None, None, last_item or parent)
    if last_item is None or (statements and last_item.end < statements[-1].start_byte):
        slot.after = None
        slot.blank_before = 1
    if one_line:
        newline = base.newline or b"\n"
        colon = parent.inner.start_byte + len(header.rstrip())
        slot.start, slot.blank_before = colon, 1
        slot.lead = newline + indent + base.source[body.start_byte : end]
    return slot


def _content_end(source: bytes, at: int) -> int:
    while at and source[at - 1] in b" \t\r\n":
        at -= 1
    return at


def _is_placeholder(base: Outline, statement: Node) -> bool:
    return statement.type == "pass_statement" or base.text(statement) == b"..."


def _is_docstring(statements: list[Node]) -> bool:
    if len(statements) != 1 or statements[0].type != "expression_statement":
        return False
    first = statements[0].named_child(0)
    return first is not None and first.type == "string"


def _at_end(base: Outline) -> Slot:
    """The end of the file, before what has to stay last."""
    children = [child for child in base.root.children if child.end_byte > child.start_byte]
    last = len(children) - 1
    items = base.top_items()
    if base.language == "python":
        while last > 0 and _is_main_guard(base, children[last]):
            last -= 1
        while last > 0 and last < len(children) - 1 and children[last].type == "comment":
            last -= 1
    elif base.language == "rust" and items and items[-1].path == "tests" and items[-1].body is not None:
        while last >= 0 and children[last].start_byte >= items[-1].start:
            last -= 1
    if last < 0:
        start = len(BOM) if base.source.startswith(BOM) else 0
        end = start if base.source[start:].strip() else len(base.source)
        slot = Slot(start, end, b"", None, items[0] if items else None, 0, None, first_line=True)
        slot.tail = base.source[start:end] or base.newline or b"\n"
        slot.followed = bool(items)
        return slot
    end = children[last].end_byte
    before = next(
        (item for item in reversed(items) if item.start <= children[last].start_byte < item.end), None
    )
    if before is not None:
        end = max(end, before.end)
    while end and base.source[end - 1] in b"\r\n":
        end -= 1
    after = next((item for item in items if item.start >= end), None)
    return _settled(base, Slot(end, end, b"", before, after, None, before))


def _is_main_guard(base: Outline, node: Node) -> bool:
    condition = node.child_by_field_name("condition") if node.type == "if_statement" else None
    return condition is not None and b"__name__" in base.text(condition)
