"""Rust: items, modules and impl blocks; `impl Foo` methods are `Foo.bar`, trait ones `Foo.Display.fmt`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from flowide.pieces.outline import Found, Item, Rules

if TYPE_CHECKING:
    from tree_sitter import Node

_KINDS = {
    "function_item": "function",
    "function_signature_item": "function",
    "struct_item": "struct",
    "enum_item": "enum",
    "union_item": "union",
    "trait_item": "trait",
    "mod_item": "module",
    "const_item": "constant",
    "static_item": "static",
    "type_item": "type",
    "associated_type": "type",
    "macro_definition": "macro",
}
_CONTAINERS = frozenset({"trait_item", "mod_item"})
_METHODS = frozenset({"impl", "trait"})


class RustRules(Rules):
    """Declarations of a Rust file, module, trait or impl."""

    comments = frozenset({"line_comment", "block_comment"})
    attributes = frozenset({"attribute_item"})

    def find(self, children: Sequence[Node], source: bytes, owner: Item | None) -> Iterable[Found]:
        """Named items; the block of `extern "C"` is looked through."""
        for index, node in enumerate(children):
            kind = _KINDS.get(node.type)
            if kind is not None:
                name = node.child_by_field_name("name")
                if name is None:
                    continue
                if kind == "function" and owner is not None and owner.kind in _METHODS:
                    kind = "method"
                body = node.child_by_field_name("body") if node.type in _CONTAINERS else None
                yield Found(
                    index,
                    index,
                    _text(name, source),
                    kind,
                    node,
                    body,
                    _cfg(children, index, source),
                    name_node=name,
                )
            elif node.type == "impl_item":
                yield from _impl(index, node, source, _cfg(children, index, source))
            elif node.type == "foreign_mod_item":
                body = node.child_by_field_name("body")
                if body is not None:
                    yield Found(index, index, "", "", node, body, named=False)

    def is_inner_comment(self, comment: Node, source: bytes) -> bool:
        """True for `//!` and `/*!`."""
        return source[comment.start_byte : comment.start_byte + 3] in (b"//!", b"/*!")

    def is_doc(self, comment: Node, source: bytes) -> bool:
        """True for `///` and `/**`: they are attributes."""
        head = source[comment.start_byte : comment.start_byte + 4]
        return (head[:3] == b"///" and head != b"////") or (
            head[:3] == b"/**" and head not in (b"/***", b"/**/")
        )


def _impl(index: int, node: Node, source: bytes, role: str) -> Iterable[Found]:
    kind, trait = node.child_by_field_name("type"), node.child_by_field_name("trait")
    if kind is None:
        return
    plain = _bare(kind, source, node.child_by_field_name("type_parameters"))
    name, scope = f"impl {plain}", plain
    if trait is not None:
        shown = _squeeze(_text(trait, source))
        last = re.sub(r"^(?:\w+::)*", "", shown)
        negative = "!" if any(child.type == "!" for child in node.children) else ""
        name, scope = f"impl {negative}{shown} for {plain}", f"{plain}.{last}"
    yield Found(index, index, name, "impl", node, node.child_by_field_name("body"), role, scope)


def _bare(kind: Node, source: bytes, parameters: Node | None) -> str:
    """The type's name; with its arguments where they are types of their own: `impl A<u8>`, but not `impl<T> A<T>`."""
    if kind.type != "generic_type":
        return _squeeze(_text(kind, source))
    arguments, plain = kind.child_by_field_name("type_arguments"), kind.child_by_field_name("type") or kind
    own = set(re.findall(r"\w+", _text(parameters, source))) if parameters is not None else set()
    free = all(
        argument.type == "lifetime" or _text(argument, source) in own | {"_"}
        for argument in (arguments.named_children if arguments is not None else [])
        if argument.type not in ("line_comment", "block_comment")
    )
    return _squeeze(_text(plain if free else kind, source))


def _squeeze(text: str) -> str:
    return re.sub(r"\s*([<>,:&])\s*", r"\1", " ".join(text.split())).replace(",", ", ")


def _cfg(children: Sequence[Node], index: int, source: bytes) -> str:
    """`#[cfg(…)]` attributes tell items of one name apart."""
    found = []
    at = index - 1
    while at >= 0 and children[at].type in ("attribute_item", "line_comment", "block_comment"):
        if children[at].type == "attribute_item":
            text = _text(children[at], source)
            if re.match(r"#\s*\[\s*cfg\b", text):
                found.append("".join(text.split()))
        at -= 1
    return " ".join(reversed(found))


def _text(node: Node, source: bytes) -> str:
    return source[node.start_byte : node.end_byte].decode()
