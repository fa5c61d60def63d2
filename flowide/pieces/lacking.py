"""Warnings about what spliced pieces use from their source and the result lacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from flowide.pieces.languages import captures
from flowide.pieces.names import assigned_members, free_uses, member_uses
from flowide.pieces.outline import Item, Outline

if TYPE_CHECKING:
    from flowide.pieces.model import Take


_BOUND = """
(as_pattern_target (identifier) @n)
(for_statement left: (identifier) @n)
(for_statement left: (pattern_list (identifier) @n))
"""


_BODIES = "(function_definition body: (block) @body) (lambda body: (_) @body)"


class Planned(Protocol):
    """What the warnings need to know of a take."""

    take: Take
    source: Outline
    item: Item
    parent: Item | None
    path: str
    text: bytes


def lacking_helpers(
    base: Outline, result: Outline, plans: Sequence[Planned], imported: set[bytes]
) -> list[str]:
    """One warning per helper: functions, classes, constants of the source, and members of its class."""
    have = visible_names(result) | imported
    warnings = []
    for plan in plans:
        where = plan.take.label or "its source"
        for name in _outside(plan, have):
            warnings.append(f"{plan.take.piece} uses {name} of {where}, which the result lacks")
        for name in _members(result, plan):
            owner = plan.path.rsplit(".", 1)[0]
            warnings.append(f"{plan.take.piece} uses {owner}.{name} of {where}, which the result lacks")
        for name in _too_early(result, plan) if result.language == "python" else ():
            warnings.append(f"{plan.take.piece} needs {name} at once, which the result defines further down")
    return warnings


def _too_early(result: Outline, plan: Planned) -> list[str]:
    """Names that a Python piece uses outside of function bodies, defined below it but above it in its source."""
    placed = next(
        (
            item
            for item in result.by_path.get(plan.path, ())
            if result.source[item.start : item.end] == plan.text and item.parent is None
        ),
        None,
    )
    if placed is None or plan.item.parent is not None:
        return []
    first: dict[bytes, int] = {}
    for item in result.top_items():
        for name in item.names:
            first.setdefault(name.encode(), item.start)
    above = {
        name.encode()
        for item in plan.source.top_items()
        if item.start < plan.item.start
        for name in item.names
    }
    below = {name for name, start in first.items() if start >= placed.end and name in above}
    uses = free_uses(result, placed.start, placed.end, below)
    if not uses:
        return []
    bodies = captures("python", _BODIES, result.root, placed.start, placed.end).get("body", [])
    lazy = any(
        b"annotations" in result.text(node)
        for node in result.root.children
        if node.type == "future_import_statement"
    )
    found = set()
    for use in uses:
        node = result.root.descendant_for_byte_range(use.start, use.end)
        inside = any(body.start_byte <= use.start < body.end_byte for body in bodies)
        if node is not None and node.type == "identifier" and not inside and not (use.annotation and lazy):
            found.add(use.name.decode())
    return sorted(found)


def visible_names(outline: Outline) -> set[bytes]:
    """Names that a file declares at its top level or inside modules."""
    names: set[bytes] = set()
    for item in outline.items:
        if (
            item.parent is None
            or item.parent.kind in ("module", "namespace")
            or item.kind in ("class", "enum")
        ):
            names.update(name.encode() for name in item.names)
    return names


def _outside(plan: Planned, have: set[bytes]) -> list[str]:
    own = {item.start for item in _family(plan.item)}
    helpers = {
        name.encode()
        for item in plan.source.items
        if item.start not in own
        and (item.parent is None or item.parent in _ancestors(plan.item))
        and "." not in item.simple
        and item.kind not in ("method", "field", "attribute", "constructor", "impl")
        for name in item.names
    }
    helpers |= _bound_around(plan)
    helpers -= have
    uses = free_uses(plan.source, plan.item.start, plan.item.end, helpers)
    named = plan.item.simple.encode()
    return [
        name.decode()
        for name in sorted({use.name for use in uses if not use.qualifier and use.name != named})
    ]


def _bound_around(plan: Planned) -> set[bytes]:
    """Names that the `with`, `for` or `except` around a Python piece binds."""
    names: set[bytes] = set()
    if plan.source.language != "python":
        return names
    around = plan.item.node.parent
    while around is not None and around.type not in ("class_definition", "function_definition"):
        target = around.child_by_field_name("left") if around.type == "for_statement" else None
        inside = [target] if target is not None else []
        if around.type in ("with_statement", "except_clause"):
            inside = [child for child in around.children if child.type != "block"]
        for node in inside:
            found = captures("python", _BOUND, plan.source.root, node.start_byte, node.end_byte)
            names.update(plan.source.text(each) for each in found.get("n", ()))
        around = around.parent
    return names


def _family(item: Item) -> list[Item]:
    found, pending = [], [item]
    while pending:
        one = pending.pop()
        found.append(one)
        pending.extend(one.children)
    return found


def _ancestors(item: Item) -> list[Item]:
    found = []
    around = item.parent
    while around is not None:
        if around.kind in ("module", "namespace"):
            found.append(around)
        around = around.parent
    return found


def _members(result: Outline, plan: Planned) -> list[str]:
    if plan.item.kind not in ("method", "constructor", "field", "attribute") or "." not in plan.path:
        return []
    theirs = plan.item.path.rsplit(".", 1)[0]
    if "." in theirs and plan.source.language == "rust":
        theirs = theirs.split(".")[0]
    ours = plan.path.rsplit(".", 1)[0]
    known = _member_names(plan.source, theirs)
    known.discard(plan.item.simple.rsplit(".", 1)[-1].encode())
    used = member_uses(plan.source, plan.item, known)
    if not used:
        return []
    have = _member_names(result, ours.split(".")[0] if plan.source.language == "rust" else ours)
    lacking = used - have
    if lacking:
        # Not known as members, but the piece may itself bring them about by assigning to them.
        lacking -= assigned_members(plan.source, plan.item)
    return [name.decode() for name in sorted(lacking)]


def _member_names(outline: Outline, owner: str) -> set[bytes]:
    names: set[bytes] = set()
    prefix = f"{owner}."
    for item in outline.items:
        if item.path.startswith(prefix) or item.name.startswith(prefix):
            tail = item.path[len(prefix) :] if item.path.startswith(prefix) else item.simple
            names.add(tail.rsplit(".", 1)[-1].encode())
            names.update(name.rsplit(".", 1)[-1].encode() for name in item.names)
        elif owner in (item.name, item.path):
            names |= assigned_members(outline, item)
    return names
