"""JavaScript, TypeScript and TSX."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from flowide.pieces.outline import Found, Item, Rules, first_named

if TYPE_CHECKING:
    from tree_sitter import Node

_KINDS = {
    "function_declaration": "function",
    "generator_function_declaration": "function",
    "function_signature": "function",
    "function_expression": "function",
    "generator_function": "function",
    "arrow_function": "function",
    "class_declaration": "class",
    "abstract_class_declaration": "class",
    "class": "class",
    "interface_declaration": "interface",
    "type_alias_declaration": "type",
    "enum_declaration": "enum",
    "internal_module": "namespace",
    "module": "namespace",
    "method_definition": "method",
    "method_signature": "method",
    "abstract_method_signature": "method",
    "public_field_definition": "field",
    "field_definition": "field",
}
_SIGNATURES = frozenset({"function_signature", "method_signature", "abstract_method_signature"})
_CONTAINERS = frozenset({"class", "namespace"})
_DECLARATIONS = frozenset({"lexical_declaration", "variable_declaration"})


class EcmaRules(Rules):
    """Declarations of modules, classes and namespaces."""

    comments = frozenset({"comment", "html_comment"})
    attributes = frozenset({"decorator"})

    def find(self, children: Sequence[Node], source: bytes, owner: Item | None) -> Iterable[Found]:
        """Functions, classes, types, variables, fields; a set of overload signatures is one piece."""
        overloads: Found | None = None
        for index, node in enumerate(children):
            found = _declaration(index, node, source)
            if found is None:
                if overloads is not None and node.is_named and node.type not in ("comment", "decorator"):
                    yield overloads
                    overloads = None
                continue
            if overloads is not None:
                if overloads.name == found.name and found.role == overloads.role:
                    found.first = overloads.first
                else:
                    yield overloads
                overloads = None
            if found.inner.type in _SIGNATURES:
                overloads = found
            else:
                yield found
        if overloads is not None:
            yield overloads


def _declared(node: Node) -> Node | None:
    """The declaration inside `export`, `declare` or a statement; None for what declares nothing."""
    inner: Node | None = node
    if node.type == "export_statement":
        inner = node.child_by_field_name("declaration") or node.child_by_field_name("value")
    if inner is not None and inner.type == "ambient_declaration":
        inner = next((child for child in inner.named_children if child.type != "comment"), None)
    if inner is not None and inner.type == "expression_statement":
        inner = first_named(inner)
        if inner is not None and inner.type not in ("internal_module", "assignment_expression"):
            return None
    return inner


def _declaration(index: int, node: Node, source: bytes) -> Found | None:
    inner = _declared(node) if node.is_named else None
    if inner is None:
        return None
    if inner.type in _DECLARATIONS:
        return _variables(index, inner, source)
    if inner.type == "assignment_expression":
        return _assigned(index, inner, source)
    if inner.type == "statement_block" and node.type == "ambient_declaration":
        return Found(index, index, "global", "namespace", node, inner)
    default = node.type == "export_statement" and any(child.type == "default" for child in node.children)
    kind = _KINDS.get(inner.type)
    name = inner.child_by_field_name("name") or inner.child_by_field_name("property")
    if kind is None or name is None:
        return (
            Found(index, index, "default", kind or "constant", inner, _body(inner, kind), "default")
            if default
            else None
        )
    text = " ".join(source[name.start_byte : name.end_byte].decode().split())
    if inner.type == "module" or name.type == "string":
        text = text.strip("'\"")
    role = "default" if default else _role(inner)
    return Found(index, index, text, kind, inner, _body(inner, kind), role, name_node=name)


def _body(inner: Node, kind: str | None) -> Node | None:
    return inner.child_by_field_name("body") if kind in _CONTAINERS else None


def _role(inner: Node) -> str:
    if inner.type not in (
        "method_definition",
        "method_signature",
        "abstract_method_signature",
        "field_definition",
        "public_field_definition",
    ):
        return ""
    words = {child.type for child in inner.children if not child.is_named}
    return " ".join(word for word in ("static", "set") if word in words)


def _variables(index: int, inner: Node, source: bytes) -> Found | None:
    declarators = [child for child in inner.named_children if child.type == "variable_declarator"]
    names: list[str] = []
    for declarator in declarators:
        name = declarator.child_by_field_name("name")
        value = declarator.child_by_field_name("value")
        if is_require(value, source):
            return None
        if name is not None:
            names.extend(source[leaf.start_byte : leaf.end_byte].decode() for leaf in pattern_leaves(name))
    if not names:
        return None
    value = declarators[0].child_by_field_name("value")
    first = declarators[0].child_by_field_name("name")
    kind = "constant" if any(child.type == "const" for child in inner.children) else "variable"
    body = None
    chosen = inner
    if value is not None and len(declarators) == 1 and value.type in _KINDS:
        kind, chosen = _KINDS[value.type], value
        body = _body(value, kind)
    return Found(
        index,
        index,
        names[0],
        kind,
        chosen,
        body,
        names=tuple(names),
        name_node=first if first is not None and first.type == "identifier" else None,
    )


def is_require(value: Node | None, source: bytes) -> bool:
    """True for `require("x")` and `require("x").y`: an import in disguise."""
    while value is not None and value.type == "member_expression":
        value = value.child_by_field_name("object")
    if value is None or value.type != "call_expression":
        return False
    function, arguments = value.child_by_field_name("function"), value.child_by_field_name("arguments")
    return (
        function is not None
        and source[function.start_byte : function.end_byte] == b"require"
        and arguments is not None
        and arguments.named_child_count == 1
        and arguments.named_children[0].type == "string"
    )


def pattern_leaves(name: Node) -> list[Node]:
    """The identifiers a (destructuring) pattern binds."""
    found: list[Node] = []
    pending = [name]
    while pending:
        node = pending.pop()
        if node.type in ("identifier", "shorthand_property_identifier_pattern"):
            found.append(node)
        elif node.type == "pair_pattern":
            value = node.child_by_field_name("value")
            if value is not None:
                pending.append(value)
        elif node.type in ("assignment_pattern", "object_assignment_pattern"):
            left = node.child_by_field_name("left")
            if left is not None:
                pending.append(left)
        elif node.type in ("object_pattern", "array_pattern", "rest_pattern"):
            pending.extend(reversed(node.named_children))
    return found


def _assigned(index: int, inner: Node, source: bytes) -> Found | None:
    left, right = inner.child_by_field_name("left"), inner.child_by_field_name("right")
    if left is None or right is None or left.type != "member_expression":
        return None
    text = source[left.start_byte : left.end_byte].decode()
    if not all(part.isidentifier() or part.replace("$", "_").isidentifier() for part in text.split(".")):
        return None
    kind = _KINDS.get(right.type, "constant")
    inner = right if kind != "constant" else inner
    return Found(
        index, index, text, kind, inner, _body(inner, kind), name_node=left.child_by_field_name("property")
    )
