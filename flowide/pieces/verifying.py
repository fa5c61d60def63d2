"""Proof that a splice did what it should and nothing else; otherwise it is refused."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from flowide.errors import Rejected
from flowide.pieces.edits import Edited
from flowide.pieces.languages import captures
from flowide.pieces.outline import Item, Outline

if TYPE_CHECKING:
    from tree_sitter import Node

    from flowide.pieces.model import Take


class Planned(Protocol):
    """What verification needs to know of a take."""

    take: Take
    source: Outline
    item: Item
    target: Item | None
    path: str
    text: bytes
    unchanged: bool


def verify(base: Outline, plans: Sequence[Planned], edited: Edited) -> Outline:
    """The outline of the result.

    Raises:
        Rejected: A new syntax error, a piece that is not whole, or pieces lost or gained on the way.
    """
    result = Outline(edited.text, base.language, "the result")
    names = ", ".join(plan.take.piece for plan in plans)
    if result.root.has_error:
        _refuse_new_errors(base, plans, result, names)
    _refuse_broken_pieces(result, edited, names)
    _refuse_lost_pieces(base, plans, edited, result, names)
    if base.language == "python":
        _refuse_bad_indentation(plans, edited, names)
    return result


def _errors(outline: Outline) -> list[Node]:
    if not outline.root.has_error:
        return []
    found = captures(outline.language, "[(ERROR) (MISSING)] @e", outline.root)
    return found.get("e", [])


def _refuse_new_errors(base: Outline, plans: Sequence[Planned], result: Outline, names: str) -> None:
    replaced = [plan.target for plan in plans if plan.target is not None and not plan.unchanged]
    kept = [
        node
        for node in _errors(base)
        if not any(item.start <= node.start_byte and node.end_byte <= item.end for item in replaced)
    ]
    found = _errors(result)
    if len(found) <= len(kept):
        return
    first = found[0]
    for plan in plans:
        if any(
            node.start_byte >= plan.item.start and node.end_byte <= plan.item.end
            for node in _errors(plan.source)
        ):
            raise Rejected(
                f"{plan.take.piece} has a syntax error in its own source",
                hint="Take another variation of it.",
                piece=plan.take.piece,
            )
    row = first.start_point.row + 1
    raise Rejected(
        f"with {names} the result would not parse: line {row}",
        hint="Take an enclosing piece, or splice by hand.",
        line=row,
    )


def _refuse_broken_pieces(result: Outline, edited: Edited, names: str) -> None:
    starts: dict[int, list[Item]] = {}
    for item in result.items:
        starts.setdefault(item.start, []).append(item)
    for placed in edited.placed:
        text = getattr(placed.part.note, "text", None)
        if text is None:
            continue
        start = placed.start + placed.part.text.find(text)
        if not any(item.end == start + len(text) for item in starts.get(start, ())):
            row = result.source.count(b"\n", 0, start) + 1
            raise Rejected(
                f"{names} would run together with the code beside it: line {row}",
                hint="Take an enclosing piece, or splice by hand.",
                line=row,
            )


def _refuse_lost_pieces(
    base: Outline, plans: Sequence[Planned], edited: Edited, result: Outline, names: str
) -> None:
    expected = base.paths()
    for plan in plans:
        if plan.unchanged:
            continue
        if plan.target is not None:
            expected -= Counter((item.path, item.kind) for item in _subtree(plan.target))
    found = result.paths()
    for placed in edited.placed:
        if getattr(placed.part.note, "text", None) is None:
            # A conditional import may set names of its own.
            found -= Counter(
                (item.path, item.kind) for item in result.items if placed.start <= item.start < placed.end
            )
    lost = expected - found
    gained = found - expected
    taken = sum(len(_subtree(plan.item)) for plan in plans if not plan.unchanged)
    if lost or gained.total() != taken:
        names_lost = ", ".join(sorted(path for path, _ in lost))
        raise Rejected(
            f"{names} would change other pieces of the base" + (f": {names_lost}" if names_lost else ""),
            hint="Take an enclosing piece, or splice by hand.",
            lost=sorted(path for path, _ in lost),
        )


def _subtree(item: Item) -> list[Item]:
    found, pending = [], [item]
    while pending:
        one = pending.pop()
        found.append(one)
        pending.extend(one.children)
    return found


def _refuse_bad_indentation(plans: Sequence[Planned], edited: Edited, names: str) -> None:
    """Python's own parser is stricter about indentation than the grammar: what compiled must still compile."""
    for placed in edited.placed:
        plan = placed.part.note
        text = getattr(plan, "text", None)
        if text is None or b"\n" not in text:
            continue
        source, item = plan.source, plan.item  # type: ignore[attr-defined]
        if source.source[item.start : item.end] == text:
            continue
        line = edited.text.rfind(b"\n", 0, placed.start + placed.part.text.find(text)) + 1
        indent = edited.text[line : placed.start + placed.part.text.find(text)]
        old_line = source.source.rfind(b"\n", 0, item.start) + 1
        old_indent = source.source[old_line : item.start]
        if indent.strip() or old_indent.strip():
            continue
        if not _compiles(indent, text) and _compiles(old_indent, source.source[item.start : item.end]):
            raise Rejected(
                f"the indentation of {names} cannot be made to fit the base",
                hint="Tabs and spaces are mixed; use one kind in both files.",
            )


def _compiles(indent: bytes, text: bytes) -> bool:
    import ast  # only moved Python pieces need it

    wrapped = b"if 1:\n" + indent + text + b"\n" if indent else text + b"\n"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(wrapped, "<piece>", "exec", ast.PyCF_ONLY_AST)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
