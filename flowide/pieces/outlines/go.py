"""Go: functions, methods as `Type.Method`, and every const, var and type, grouped or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from flowide.pieces.outline import Found, Item, Rules

if TYPE_CHECKING:
    from tree_sitter import Node

_GROUPS = {"const_declaration": "constant", "var_declaration": "variable", "type_declaration": "type"}
_SPECS = {"const_spec": "constant", "var_spec": "variable", "type_spec": "type", "type_alias": "type"}


class GoRules(Rules):
    """Declarations of a Go file."""

    def find(self, children: Sequence[Node], source: bytes, owner: Item | None) -> Iterable[Found]:
        """Functions, methods and the members of declaration groups."""
        for index, node in enumerate(children):
            kind = node.type
            if kind == "function_declaration":
                name = node.child_by_field_name("name")
                if name is not None:
                    yield Found(index, index, _text(name, source), "function", node, name_node=name)
            elif kind == "method_declaration":
                name, receiver = node.child_by_field_name("name"), receiver_type(node)
                if name is not None and receiver is not None:
                    full = f"{_text(receiver, source)}.{_text(name, source)}"
                    yield Found(index, index, full, "method", node, name_node=name)
            elif kind in _SPECS:
                yield from _spec(index, node, source)
            elif kind in _GROUPS:
                yield from self._group(index, node, source)

    def _group(self, index: int, node: Node, source: bytes) -> Iterable[Found]:
        grouped = next((child for child in node.children if child.type in ("(", "var_spec_list")), None)
        if grouped is None:
            for child in node.named_children:
                if child.type in _SPECS:
                    yield from _spec(index, child, source)
                    return
            return
        body = grouped if grouped.type == "var_spec_list" else node
        yield Found(index, index, "", "", node, body, named=False)


def receiver_type(method: Node) -> Node | None:
    """The identifier of the type a method belongs to."""
    receiver = method.child_by_field_name("receiver")
    for parameter in receiver.named_children if receiver is not None else []:
        kind = parameter.child_by_field_name("type")
        while kind is not None and kind.type in ("pointer_type", "generic_type", "parenthesized_type"):
            kind = kind.child_by_field_name("type") or next(iter(kind.named_children), None)
        if kind is not None:
            return kind
    return None


def _spec(index: int, spec: Node, source: bytes) -> Iterable[Found]:
    leaves = [node for node in spec.children_by_field_name("name") if node.is_named]
    names = tuple(_text(node, source) for node in leaves)
    if names:
        kind = _SPECS[spec.type]
        shape = spec.child_by_field_name("type")
        if kind == "type" and shape is not None and shape.type in ("struct_type", "interface_type"):
            kind = shape.type.removesuffix("_type")
        yield Found(index, index, names[0], kind, spec, names=names, name_node=leaves[0])


def _text(node: Node, source: bytes) -> str:
    return source[node.start_byte : node.end_byte].decode()
