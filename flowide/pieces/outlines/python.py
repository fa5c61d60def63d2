"""Python: functions, classes, methods, assignments; also inside `if`, `try` and `with` at module or class level."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from flowide.patterns import lazy
from flowide.pieces.outline import Found, Item, Rules, first_named, walk_blocks

if TYPE_CHECKING:
    from tree_sitter import Node

_COMPOUND = frozenset({"if_statement", "try_statement", "with_statement", "else_clause", "for_statement"})
_BLOCKS = frozenset({"block"})
_OVERLOAD = lazy(rb"@\s*([\w.]+\.)?overload\s*$")
_ACCESSOR = lazy(rb"@\s*[\w.]*\.(setter|deleter|register)\b")


class PythonRules(Rules):
    """Declarations of Python modules and classes."""

    same_column = True

    def members(self, body: Node) -> list[Node]:
        """The statements of a block; comments above the first one stand before the block in the tree."""
        children = body.children
        if body.type == "block":
            above = body.prev_sibling
            while above is not None and above.type == "comment":
                children.insert(0, above)
                above = above.prev_sibling
        return children

    def find(self, children: Sequence[Node], source: bytes, owner: Item | None) -> Iterable[Found]:
        """Functions, classes and assignments; an `@overload` set is one piece."""
        overloads: Found | None = None
        for index, node in enumerate(children):
            if node.type in _COMPOUND:
                for block in walk_blocks(node, _BLOCKS):
                    yield Found(index, index, "", "", node, block, named=False)
            found = _declaration(index, node, source, owner is not None)
            if overloads is not None and node.type != "comment":
                if found is not None and (overloads.name, overloads.kind) == (found.name, found.kind):
                    found.first = overloads.first
                else:
                    yield overloads
                overloads = None
            if found is not None and found.role == "overload":
                found.role = ""
                overloads = found
            elif found is not None:
                yield found
        if overloads is not None:
            yield overloads


def _declaration(index: int, node: Node, source: bytes, member: bool) -> Found | None:
    if node.type in ("function_definition", "decorated_definition", "class_definition"):
        return _definition(index, node, source, member)
    if node.type in ("expression_statement", "type_alias_statement"):
        return _assignment(index, node, source, member)
    return None


def _definition(index: int, node: Node, source: bytes, member: bool) -> Found | None:
    inner: Node | None = node
    role = ""
    if node.type == "decorated_definition":
        inner = node.child_by_field_name("definition")
        role = _role(node, source)
    name = inner.child_by_field_name("name") if inner is not None else None
    if inner is None or name is None:
        return None
    text = source[name.start_byte : name.end_byte].decode()
    if inner.type == "class_definition":
        return Found(
            index, index, text, "class", inner, inner.child_by_field_name("body"), role, name_node=name
        )
    kind = "method" if member else "function"
    return Found(index, index, text, kind, inner, role=role, name_node=name)


def _role(node: Node, source: bytes) -> str:
    for child in node.children:
        if child.type != "decorator":
            continue
        text = source[child.start_byte : child.end_byte].strip()
        if _OVERLOAD.match(text):
            return "overload"
        found = _ACCESSOR.match(text)
        if found:
            return found[1].decode() if found[1] != b"register" else text.decode()
    return ""


def _assignment(index: int, node: Node, source: bytes, member: bool) -> Found | None:
    inner = node if node.type == "type_alias_statement" else first_named(node)
    if inner is None or inner.type not in ("assignment", "type_alias_statement"):
        return None
    left = inner.child_by_field_name("left")
    if left is None:
        return None
    names: list[str] = []
    name_node: Node | None = None
    targets = [left]
    right = inner.child_by_field_name("right")
    while right is not None and right.type == "assignment":
        chained = right.child_by_field_name("left")
        if chained is not None:
            targets.append(chained)
        right = right.child_by_field_name("right")
    for target in targets:
        for leaf in _leaves(target):
            name_node = name_node or leaf
            names.append(source[leaf.start_byte : leaf.end_byte].decode())
    if not names:
        return None
    kind = "type" if inner.type == "type_alias_statement" else "attribute" if member else "constant"
    return Found(index, index, names[0], kind, inner, names=tuple(names), name_node=name_node)


def _leaves(target: Node) -> list[Node]:
    if target.type == "identifier":
        return [target]
    if target.type == "type":
        target = target.named_children[0] if target.named_children else target
        if target.type == "generic_type" and target.named_children:
            target = target.named_children[0]
        return [target] if target.type == "identifier" else []
    if target.type not in ("pattern_list", "tuple_pattern", "list_pattern", "list_splat_pattern"):
        return []
    found: list[Node] = []
    pending = list(reversed(target.named_children))
    while pending:
        node = pending.pop()
        if node.type == "identifier":
            found.append(node)
        elif node.type in ("pattern_list", "tuple_pattern", "list_pattern", "list_splat_pattern"):
            pending.extend(reversed(node.named_children))
    return found
