"""Java: types, their methods, constructors (`Foo.Foo`), fields and nested types."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from flowide.pieces.outline import Found, Item, Rules

if TYPE_CHECKING:
    from tree_sitter import Node

_TYPES = {
    "class_declaration": "class",
    "interface_declaration": "interface",
    "enum_declaration": "enum",
    "record_declaration": "record",
    "annotation_type_declaration": "annotation",
}
_MEMBERS = {
    "method_declaration": "method",
    "constructor_declaration": "constructor",
    "compact_constructor_declaration": "constructor",
    "annotation_type_element_declaration": "method",
}
_FIELDS = {"field_declaration": "field", "constant_declaration": "constant"}


class JavaRules(Rules):
    """Declarations of a Java file or type body."""

    comments = frozenset({"line_comment", "block_comment"})

    def find(self, children: Sequence[Node], source: bytes, owner: Item | None) -> Iterable[Found]:
        """Types and members; the declarations after an enum's constants count as its members."""
        for index, node in enumerate(children):
            if node.type in _FIELDS:
                names = [
                    name
                    for declarator in node.children_by_field_name("declarator")
                    if (name := declarator.child_by_field_name("name")) is not None
                ]
                if names:
                    texts = tuple(_text(name, source) for name in names)
                    yield Found(
                        index, index, texts[0], _FIELDS[node.type], node, names=texts, name_node=names[0]
                    )
            elif node.type == "enum_body_declarations":
                yield Found(index, index, "", "", node, node, named=False)
            else:
                kind = _TYPES.get(node.type) or _MEMBERS.get(node.type)
                name = node.child_by_field_name("name") if kind else None
                if kind is None or name is None:
                    continue
                body = node.child_by_field_name("body") if node.type in _TYPES else None
                yield Found(
                    index,
                    index,
                    _text(name, source),
                    kind,
                    node,
                    body,
                    _parameters(node, source),
                    name_node=name,
                )


def _parameters(node: Node, source: bytes) -> str:
    parameters = node.child_by_field_name("parameters") if node.type in _MEMBERS else None
    if parameters is None:
        return "compact" if node.type == "compact_constructor_declaration" else ""
    kinds = []
    for parameter in parameters.named_children:
        if parameter.type == "formal_parameter":
            kind = parameter.child_by_field_name("type")
            kinds.append(_text(kind, source) if kind is not None else "")
        elif parameter.type == "spread_parameter":
            kind = next((c for c in parameter.named_children if c.type not in ("modifiers", "comment")), None)
            kinds.append((_text(kind, source) if kind is not None else "") + "[]")
    return ",".join(_erased(kind) for kind in kinds)


def _erased(kind: str) -> str:
    """A parameter's type as overloads see it: without type arguments, annotations and package."""
    kind = re.sub(r"@\w+(\([^)]*\))?|\s+", "", kind)
    before = ""
    while before != kind:
        before, kind = kind, re.sub(r"<[^<>]*>", "", kind)
    return re.sub(r"(\w+\.)+", "", kind)


def _text(node: Node, source: bytes) -> str:
    return source[node.start_byte : node.end_byte].decode()
