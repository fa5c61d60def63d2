"""Which piece of the base a taken piece stands for."""

from __future__ import annotations

from flowide.pieces.outline import Item, Outline


def match(base: Outline, source: Outline, item: Item) -> Item | None:
    """The base's piece of the same name; duplicates are told apart by role, then by order. None when it lacks one.

    A role is what sets pieces of one name apart: setter, static, a Java method's parameter types, a `cfg`.
    """
    theirs = source.by_path[item.path]
    ours = base.by_path.get(item.path, [])
    if not ours:
        # A module has one default export, under whatever name.
        return default_export(base) if item.role == "default" else None
    if len(ours) == 1 and len(theirs) == 1:
        return ours[0]
    same = [other for other in ours if other.role == item.role]
    rank = [other for other in theirs if other.role == item.role].index(item)
    if rank < len(same):
        return same[rank]
    text = _words(source, item)
    return next((other for other in same if _words(base, other) == text), None)


def default_export(outline: Outline) -> Item | None:
    """The piece that an ECMAScript module exports as its default."""
    return next((item for item in outline.items if item.role == "default"), None)


_ONCE = frozenset(
    {
        "function",
        "class",
        "method",
        "constructor",
        "struct",
        "enum",
        "union",
        "trait",
        "type",
        "record",
        "macro",
    }
)


def is_single(outline: Outline, item: Item) -> bool:
    """True for a piece whose name may be defined only once in its place."""
    if outline.language == "go" and item.simple == "init":
        return False
    registered = outline.language == "python" and (item.simple == "_" or item.role.startswith("@"))
    return item.kind in _ONCE and not registered


def _words(outline: Outline, item: Item) -> list[bytes]:
    return outline.source[item.start : item.end].split()


def home(base: Outline, source: Outline, item: Item) -> Item | None:
    """The base's counterpart of the piece that encloses `item`; None when it has none."""
    if item.parent is None:
        return None
    found = match(base, source, item.parent)
    if found is None and item.parent.kind == "impl":
        # Any impl block of the same type and trait will do.
        found = next((other for other in reversed(base.items) if other.path == item.parent.path), None)
    return found


def siblings(outline: Outline, item: Item) -> list[Item]:
    """The pieces beside a piece, itself included, in source order."""
    return item.parent.children if item.parent else outline.top_items()


def anchor(base: Outline, source: Outline, item: Item, parent: Item | None) -> Item | None:
    """The nearest piece before `item` in its source that the base has under the same parent."""
    around = siblings(source, item)
    for other in reversed(around[: around.index(item)]):
        found = match(base, source, other)
        if found is not None and found.parent is parent:
            return found
        if (
            found is not None
            and found.parent is not None
            and parent is not None
            and found.parent.path == parent.path
        ):
            return found
    return None


def split_name(base: Outline, name: str) -> tuple[Item | None, str]:
    """The container a qualified name points into, and the name inside it; None is the top level."""
    best: Item | None = None
    for item in base.items:
        inside = item.body is not None and name.startswith(f"{item.scope}.")
        if inside and (best is None or len(item.scope) > len(best.scope)):
            best = item
    return best, name[len(best.scope) + 1 :] if best else name
