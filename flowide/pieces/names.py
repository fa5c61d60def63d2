"""Which names of its file a piece refers to: free names, told apart from parameters and local variables."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowide.patterns import lazy
from flowide.pieces.languages import captures
from flowide.pieces.model import Language
from flowide.pieces.name_queries import NAMES, SCOPED_FROM_HERE
from flowide.pieces.outline import Item, Outline, first_named

if TYPE_CHECKING:
    from tree_sitter import Node


_WORD = lazy(rb"(?<![.\w])[^\W\d]\w*")


@dataclass(slots=True)
class _Scope:
    start: int
    """Parameters are bound from here on."""
    body: int
    """Uses before the body look names up outside."""
    end: int
    is_class: bool
    outer: int = -1
    """Index of the scope around it."""


@dataclass(slots=True)
class Use:
    """A place where a free name occurs."""

    name: bytes
    start: int
    end: int
    qualifier: bool
    """True for `x` in `x.y`, where the language keeps package qualifiers apart (Go)."""
    annotation: bool = False
    """True inside a Python type annotation, quoted or not."""


def free_uses(outline: Outline, start: int, end: int, interest: Iterable[bytes]) -> list[Use]:
    """Uses, in a byte range, of names that nothing inside the range binds; only names of interest are looked at."""
    wanted = set(interest)
    text = outline.source[start:end]
    wanted = {name for name in wanted if name in text}
    if not wanted:
        return []
    found = captures(outline.language, NAMES[outline.language], outline.root, start, end)
    source = outline.source
    skipped = {node.start_byte for node in found.get("skip", ())}
    qualifiers = {node.start_byte for node in found.get("qual", ())}
    binds = [node for node in found.get("bind", ()) if source[node.start_byte : node.end_byte] in wanted]
    bound_at = {node.start_byte for node in binds}
    uses = [
        Use(name, at, node.end_byte, at in qualifiers)
        for node in found.get("use", ())
        if (at := node.start_byte) not in skipped
        and at not in bound_at
        and (name := source[at : node.end_byte]) in wanted
    ]
    uses += [
        Use(name, node.start_byte, node.end_byte, False)
        for node in found.get("rebind", ())
        if (name := source[node.start_byte : node.end_byte]) in wanted
    ]
    if outline.language == "python":
        uses += _annotated(found, uses, wanted, source)
    if not binds or not uses:
        return uses
    # In Rust a variable `ptr` does not hide the module of `ptr::null()`; a type parameter would.
    generic = {source[node.start_byte : node.end_byte] for node in binds if node.type == "type_identifier"}
    paths = {node.start_byte for node in found.get("path", ()) if outline.text(node) not in generic}
    scopes = _scopes(found, outline.language)
    hidden = _bindings(outline.language, scopes, binds, source)
    escaped = {
        (_innermost(scopes, node.start_byte, declared=False), source[node.start_byte : node.end_byte])
        for node in found.get("global", ())
    }
    return [use for use in uses if use.start in paths or not _is_bound(use, scopes, hidden, escaped)]


def _annotated(found: dict[str, list[Node]], uses: list[Use], wanted: set[bytes], source: bytes) -> list[Use]:
    """Mark the uses in annotations, and find those in quoted ones."""
    types = [(node.start_byte, node.end_byte) for node in found.get("type", ())]
    literals = [(node.start_byte, node.end_byte) for node in found.get("literal", ())]
    starts = [start for start, _ in types]

    def inside(at: int) -> bool:
        index = bisect_right(starts, at) - 1
        return index >= 0 and at < max(end for _, end in types[max(0, index - 8) : index + 1])

    for use in uses:
        use.annotation = inside(use.start)
    quoted = []
    typed = {node.start_byte for node in found.get("quoted", ())}
    for node in found.get("text", ()):
        at = node.start_byte
        if any(start <= at < end for start, end in literals):
            continue
        if at in typed or inside(at):
            quoted += [
                Use(match[0], at + match.start(), at + match.end(), False, True)
                for match in _WORD.finditer(source[at : node.end_byte])
                if match[0] in wanted
            ]
    return quoted


def _scopes(found: dict[str, list[Node]], language: Language) -> list[_Scope]:
    scopes = []
    for label in ("scope", "class"):
        for node in found.get(label, ()):
            body = node.start_byte
            start = node.start_byte
            if language == "python" and node.type in ("function_definition", "class_definition"):
                block, parameters = node.child_by_field_name("body"), node.child_by_field_name("parameters")
                body = block.start_byte if block is not None else start
                start = parameters.start_byte if parameters is not None else body
            scopes.append(_Scope(start, body, node.end_byte, label == "class"))
    scopes.sort(key=lambda scope: (scope.start, -scope.end))
    around: list[int] = []
    for index, scope in enumerate(scopes):
        while around and scopes[around[-1]].end <= scope.start:
            around.pop()
        scope.outer = around[-1] if around else -1
        around.append(index)
    return scopes


def _enclosing(scopes: list[_Scope], at: int, *, declared: bool) -> list[int]:
    """Indices of the scopes around an offset, innermost first."""
    index = bisect_right(scopes, at, key=lambda scope: scope.start) - 1
    around = []
    while index >= 0:
        if at < scopes[index].end and (declared or at >= scopes[index].body):
            around.append(index)
        index = scopes[index].outer
    return around


def _innermost(scopes: list[_Scope], at: int, *, declared: bool) -> int:
    around = _enclosing(scopes, at, declared=declared)
    return around[0] if around else -1


def _bindings(
    language: Language, scopes: list[_Scope], binds: list[Node], source: bytes
) -> dict[tuple[int, bytes], int]:
    """Scope and name of each local binding, with the offset from which it can be seen."""
    hidden: dict[tuple[int, bytes], int] = {}
    for node in binds:
        scope = _innermost(scopes, node.start_byte, declared=True)
        if scope < 0 or scopes[scope].is_class:
            continue
        seen_from = 0
        if language in SCOPED_FROM_HERE:
            seen_from = _end_of_declaration(node)
        key = (scope, source[node.start_byte : node.end_byte])
        hidden[key] = min(seen_from, hidden.get(key, seen_from))
    return hidden


_DECLARATIONS = frozenset(
    {"short_var_declaration", "var_spec", "const_spec", "let_declaration", "range_clause"}
)


def _end_of_declaration(node: Node) -> int:
    around = node.parent
    for _ in range(6):
        if around is None:
            break
        if around.type in _DECLARATIONS:
            return around.end_byte
        around = around.parent
    return node.end_byte


def _is_bound(
    use: Use,
    scopes: list[_Scope],
    hidden: dict[tuple[int, bytes], int],
    escaped: set[tuple[int, bytes]],
) -> bool:
    for scope in _enclosing(scopes, use.start, declared=False):
        if (scope, use.name) in escaped:
            return False
        seen_from = hidden.get((scope, use.name))
        if seen_from is not None and use.start >= seen_from:
            return True
    return False


def member_uses(outline: Outline, item: Item, interest: Iterable[bytes]) -> set[bytes]:
    """Members of its own object (`self.x`, `this.x`, `receiver.x`) that a piece reads or calls."""
    wanted = set(interest)
    if not wanted:
        return set()
    receiver = _receiver(outline, item)
    if receiver is None:
        return set()
    found = captures(outline.language, _MEMBERS[outline.language], outline.root, item.start, item.end)
    names: set[bytes] = set()
    for owner, member in _pairs(found):
        if outline.text(owner) in receiver:
            names.add(outline.text(member))
    names.update(outline.text(node) for node in found.get("bare", ()))
    if outline.language == "java":
        names.update(use.name for use in free_uses(outline, item.start, item.end, wanted))
    return names & wanted


def assigned_members(outline: Outline, item: Item) -> set[bytes]:
    """Members that a class's code assigns through `self.x = …` or `this.x = …`."""
    text = _ASSIGNED.get(outline.language)
    if text is None:
        return set()
    found = captures(outline.language, text, outline.root, item.start, item.end)
    return {outline.text(node) for node in found.get("member", ())}


def _pairs(found: dict[str, list[Node]]) -> Iterable[tuple[Node, Node]]:
    members = {node.start_byte: node for node in found.get("member", ())}
    for owner in found.get("owner", ()):
        around = owner.parent
        if around is None:
            continue
        for field in ("attribute", "property", "field", "name"):
            child = around.child_by_field_name(field)
            if child is not None and child.start_byte in members:
                yield owner, child
                break


def _receiver(outline: Outline, item: Item) -> set[bytes] | None:
    if outline.language == "python":
        parameters = item.inner.child_by_field_name("parameters")
        first = first_named(parameters) if parameters is not None else None
        if first is None:
            return None
        if first.type == "typed_parameter":
            first = first_named(first) or first
        return {outline.text(first)} | _class_name(item)
    if outline.language == "go":
        receiver = item.inner.child_by_field_name("receiver")
        if receiver is None or not receiver.named_children:
            return None
        name = receiver.named_children[0].child_by_field_name("name")
        return {outline.text(name)} if name is not None else None
    return {b"this", b"self", b"Self"} | _class_name(item)


def _class_name(item: Item) -> set[bytes]:
    """A class's own name stands for it as well: `Cache.limit`."""
    return {item.parent.simple.encode()} if item.parent is not None else set()


_THIS = """
    (member_expression object: [(this) (identifier)] @owner
     property: [(property_identifier) (private_property_identifier)] @member)
"""
_MEMBERS = {
    "python": "(attribute object: (identifier) @owner attribute: (identifier) @member)",
    "typescript": _THIS,
    "tsx": _THIS,
    "javascript": _THIS,
    "go": "(selector_expression operand: (identifier) @owner field: (field_identifier) @member)",
    "rust": """
        (field_expression value: (self) @owner field: (field_identifier) @member)
        (scoped_identifier path: (identifier) @owner name: (identifier) @member)
    """,
    "java": """
        (field_access object: [(this) (identifier)] @owner field: (identifier) @member)
        (method_invocation object: [(this) (identifier)] @owner name: (identifier) @member)
        (method_invocation !object name: (identifier) @bare)
    """,
}
_ASSIGN_THIS = (
    "(assignment_expression left: (member_expression object: (this) property:"
    " [(property_identifier) (private_property_identifier)] @member))"
)
_ASSIGNED = {
    "python": """
        (assignment left: (attribute object: (identifier) attribute: (identifier) @member))
        (assignment left: (pattern_list (attribute object: (identifier) attribute: (identifier) @member)))
    """,
    "typescript": _ASSIGN_THIS
    + "(required_parameter (accessibility_modifier) pattern: (identifier) @member)",
    "tsx": _ASSIGN_THIS + "(required_parameter (accessibility_modifier) pattern: (identifier) @member)",
    "javascript": _ASSIGN_THIS,
    "go": "(field_declaration name: (field_identifier) @member) (method_elem name: (field_identifier) @member)",
    "rust": "(field_declaration name: (field_identifier) @member)",
}
