"""Where Python's imports stand and what they bind."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flowide.errors import Rejected
from flowide.pieces.edits import Edit
from flowide.pieces.imports.model import Import
from flowide.pieces.imports.writing import Entry, Statement, insert_first, line_end
from flowide.pieces.outline import BOM, Outline, first_named, walk_blocks

if TYPE_CHECKING:
    from tree_sitter import Node

STATEMENTS = frozenset({"import_statement", "import_from_statement", "future_import_statement"})
COMPOUND = frozenset({"if_statement", "try_statement", "with_statement"})
BLOCKS = frozenset({"block"})
_DEFINITIONS = frozenset({"function_definition", "class_definition", "decorated_definition"})


def bindings(outline: Outline, node: Node, block: Node | None, mark: str) -> list[Import]:
    """The names a statement binds."""
    found: list[Import] = []
    if node.type == "import_statement":
        module = None
    elif node.type == "future_import_statement":
        module = "__future__"
    else:
        name = node.child_by_field_name("module_name")
        module = "".join(outline.text(name).decode().split()) if name is not None else ""
        if any(child.type == "wildcard_import" for child in node.children):
            return [Import(b"*", module, "*", node, outline, None, mark, block)]
    for spec in node.children_by_field_name("name"):
        target, alias = spec, None
        if spec.type == "aliased_import":
            target = spec.child_by_field_name("name") or spec
            alias = spec.child_by_field_name("alias")
        text = "".join(outline.text(target).decode().split())
        if module is None:
            local = outline.text(alias) if alias is not None else text.split(".")[0].encode()
            # An aliased submodule is the submodule; `import a.b` binds the package `a`.
            member = "*" if alias is not None else ""
            found.append(Import(local, text, member, node, outline, spec, mark, block))
        else:
            local = outline.text(alias) if alias is not None else text.encode()
            found.append(Import(local, module, text, node, outline, spec, mark, block))
    return found


def checks_types(outline: Outline, node: Node) -> bool:
    """True for `if TYPE_CHECKING:`."""
    condition = node.child_by_field_name("condition") if node.type == "if_statement" else None
    return condition is not None and outline.text(condition) in (
        b"TYPE_CHECKING",
        b"typing.TYPE_CHECKING",
        b"t.TYPE_CHECKING",
    )


def only_imports(block: Node) -> bool:
    """True when a conditional statement does nothing but import and set names."""
    allowed = STATEMENTS | {"pass_statement", "comment", "expression_statement"}
    pending = [block]
    while pending:
        for branch in walk_blocks(pending.pop(), BLOCKS):
            for child in branch.children:
                if child.type in COMPOUND:
                    pending.append(child)
                elif child.type not in allowed and child.is_named:
                    return False
    return True


def header_end(base: Outline) -> int:
    """Where the first function or class begins."""
    for child in base.root.children:
        if child.type in _DEFINITIONS:
            return child.start_byte
    return len(base.source)


def header_statements(base: Outline) -> list[Statement]:
    """Import statements before the first function or class, in the order of the file."""
    found: list[Statement] = []
    limit = header_end(base)
    for child in base.root.children:
        if child.start_byte >= limit:
            break
        if child.type in STATEMENTS:
            bound = bindings(base, child, None, "")
            module = bound[0].module if bound else ""
            form = "0" if child.type == "import_statement" else "1"
            found.append(Statement(child, group_of(module), form + module, child.end_byte))
    return found


def first_imports(base: Outline, entries: list[Entry]) -> Edit:
    """The first imports of a module go below its docstring or its leading comments."""
    children = base.root.children
    index = 0
    while index < len(children) and children[index].type == "comment":
        index += 1
    node = children[index] if index < len(children) else None
    first = first_named(node) if node is not None and node.type == "expression_statement" else None
    if node is not None and first is not None and first.type == "string":
        following = children[index + 1] if index + 1 < len(children) else None
        at = line_end(base.source, node.end_byte)
        if entries[0].group == 0 and base.source[node.end_byte : at].strip(b" \t;"):
            raise Rejected(
                "`from __future__ import` has no place: the base's docstring shares its line with code",
                hint="Begin a new line after the docstring.",
            )
        return insert_first(base, entries, at, _blanks_before(following, children, index + 1), blank_before=1)
    blanks = _blanks_before(node, children, index)
    at = len(BOM) if base.source.startswith(BOM) else 0
    if index:
        last = children[index - 1]
        apart = node is None or base.source.count(b"\n", last.end_byte, node.start_byte) > 1
        if apart or base.rules.header.search(base.text(children[0])):
            directive = [
                child for child in children[:index] if apart or base.rules.header.search(base.text(child))
            ]
            at = line_end(base.source, directive[-1].end_byte)
            return insert_first(base, entries, at, blanks, blank_before=1)
    return insert_first(base, entries, at, blanks, blank_before=0)


def _blanks_before(node: Node | None, children: Sequence[Node], index: int) -> int:
    while node is not None and node.type == "comment":
        index += 1
        node = children[index] if index < len(children) else None
    return 2 if node is not None and node.type in _DEFINITIONS else 1


def group_of(module: str) -> int:
    """The place of a module among the groups: future, standard library, packages, own files."""
    if module == "__future__":
        return 0
    if module.startswith("."):
        return 3
    return 1 if module.split(".", maxsplit=1)[0] in sys.stdlib_module_names else 2
