"""JavaScript and TypeScript imports: named, default, namespace, type-only, and CommonJS `require`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flowide.pieces.edits import Edit, Part
from flowide.pieces.imports.model import Carrier, Import, Planned, Verdict, Wanted
from flowide.pieces.imports.writing import (
    Entry,
    Statement,
    insert_first,
    insert_names,
    insert_statements,
    line_end,
)
from flowide.pieces.languages import captures
from flowide.pieces.names import Use
from flowide.pieces.outline import BOM, Item, Outline, first_named
from flowide.pieces.outlines.ecma import is_require, pattern_leaves

if TYPE_CHECKING:
    from tree_sitter import Node

_DECLARATIONS = frozenset({"lexical_declaration", "variable_declaration"})
_JSX = "[(jsx_element) (jsx_self_closing_element)] @jsx"
_WHOLE = frozenset({"", "default", "*"})


class EcmaCarrier(Carrier):
    """Carries import statements and `require` declarations."""

    def imports(self, outline: Outline, place: Item | None) -> list[Import]:
        """Everything the module imports at its top level."""
        found: list[Import] = []
        for node in outline.root.children:
            if node.type == "import_statement":
                found.extend(_imported(outline, node))
            elif node.type in _DECLARATIONS:
                found.extend(_required(outline, node))
        return found

    def needed(
        self, plan: Planned, imports: Sequence[Import], uses: dict[bytes, list[Use]], warnings: list[str]
    ) -> list[Wanted]:
        """Used names; JSX uses `React` where the source imports it."""
        wanted = super().needed(plan, imports, uses, warnings)
        react = [each for each in imports if each.name == b"React" and each.name not in uses]
        if react and plan.source.language in ("tsx", "javascript"):
            jsx = captures(plan.source.language, _JSX, plan.source.root, plan.item.start, plan.item.end)
            if jsx:
                wanted.append(Wanted(react[0], plan.take.label))
        return wanted

    def verdict(self, base: Outline, known: Sequence[Import], want: Wanted) -> Verdict:
        """`require("x")` and `import x from "x"` mean the same; a type-only import has no value."""
        if not known:
            return "missing"
        binding = want.binding
        for each in known:
            same = each.member == binding.member or (
                "require" in (each.mark, binding.mark) and each.member in _WHOLE and binding.member in _WHOLE
            )
            # `import React` and `import * as React` bind the same object.
            same = same or (binding.module == "react" and {each.member, binding.member} == {"default", "*"})
            if each.module == binding.module and same:
                if each.mark == "type" and binding.mark != "type" and _has_value_use(want):
                    return "clash"
                return "there"
        return "clash"

    def edits(self, base: Outline, wanted: Sequence[Wanted]) -> tuple[list[Edit], list[str]]:
        """Names join the statement of their module; new statements go below the packages or at the end."""
        if not wanted:
            return [], []
        edits: list[Edit] = []
        warnings: list[str] = []
        commonjs = _is_commonjs(base, wanted)
        fresh: dict[tuple[str, bool], list[Wanted]] = {}
        merges: dict[int, tuple[Node, list[Entry]]] = {}
        seen: set[tuple[str, str, bytes]] = set()
        for want in wanted:
            binding = want.binding
            key = (binding.module, binding.member, binding.name)
            if key in seen:
                continue
            seen.add(key)
            if binding.mark == "whole":
                edits.append(self._placed(base, Entry(_whole(binding), _order(binding.module), want.note)))
            elif not self._merge(base, want, commonjs, merges, edits):
                fresh.setdefault((binding.module, binding.mark == "type"), []).append(want)
        for node, entries in merges.values():
            if node.named_children:
                edits += insert_names(base, node.named_children, entries)
            else:
                text = b" " + b", ".join(entry.text for entry in entries) + b" "
                edits.append(Edit(node.start_byte + 1, node.end_byte - 1, [Part(text, entries[0].note)]))
        texts = [
            Entry(text, _order(module), _note(module, group))
            for (module, typed), group in fresh.items()
            for text in _statements_text(base, module, group, typed, commonjs)
        ]
        if texts:
            edits += self._all_placed(base, texts)
        if commonjs and any(want.binding.member == "default" for want in wanted):
            warnings.append("a default import became `require`: check that the module exports itself")
        return edits, warnings

    def _merge(
        self,
        base: Outline,
        want: Wanted,
        commonjs: bool,
        merges: dict[int, tuple[Node, list[Entry]]],
        edits: list[Edit],
    ) -> bool:
        binding = want.binding
        if binding.member in ("*", ""):
            return False
        for node in base.root.children:
            if commonjs and node.type in _DECLARATIONS:
                pattern = _require_pattern(base, node, binding.module)
                if pattern is not None and binding.member != "default":
                    entry = Entry(_pair(binding), binding.member, want.note)
                    merges.setdefault(pattern.start_byte, (pattern, []))[1].append(entry)
                    return True
            same = not commonjs and node.type == "import_statement" and _module(base, node) == binding.module
            if same and _into_clause(node, want, merges, edits):
                return True
        return False

    def _placed(self, base: Outline, entry: Entry) -> Edit:
        return self._all_placed(base, [entry])[0]

    def _all_placed(self, base: Outline, entries: list[Entry]) -> list[Edit]:
        statements = [
            Statement(node, 0, _order(module), node.end_byte)
            for node in base.root.children
            if (module := _statement_module(base, node)) is not None
        ]
        first = next((item.start for item in base.top_items()), len(base.source))
        early = [each for each in statements if each.node.start_byte < first]
        entries.sort(key=lambda entry: entry.key)
        if early or statements:
            return insert_statements(base, early or statements, entries)
        return [insert_first(base, entries, _prologue_end(base), 1, blank_before=1)]


def _into_clause(
    node: Node, want: Wanted, merges: dict[int, tuple[Node, list[Entry]]], edits: list[Edit]
) -> bool:
    """Add the name to an import statement for its module, if that statement can take it."""
    binding = want.binding
    typed = any(child.type == "type" for child in node.children)
    clause = next((child for child in node.children if child.type == "import_clause"), None)
    attributed = any(child.type == "import_attribute" for child in node.children)
    if clause is None or attributed or typed != (binding.mark == "type"):
        return False
    named = next((child for child in clause.children if child.type == "named_imports"), None)
    default = next((child for child in clause.children if child.type == "identifier"), None)
    spaced = any(child.type == "namespace_import" for child in clause.children)
    if binding.member == "default" and binding.spec is not None and binding.spec.type == "identifier":
        if default is not None or named is None or typed:
            return False
        edits.append(Edit(named.start_byte, named.start_byte, [Part(binding.name + b", ", want.note)]))
    elif named is not None:
        entry = Entry(_named(binding, typed), binding.member, want.note)
        merges.setdefault(named.start_byte, (named, []))[1].append(entry)
    elif default is None or spaced or typed:
        return False
    else:
        at = default.end_byte
        waiting = next((edit for edit in edits if edit.start == edit.end == at), None)
        if waiting is None:
            edits.append(Edit(at, at, [Part(b", { " + _named(binding, typed) + b" }", want.note)]))
        else:
            last = waiting.parts[-1]
            last.text = last.text[:-2] + b", " + _named(binding, typed) + b" }"
    return True


def _note(module: str, group: Sequence[Wanted]) -> tuple[str, str]:
    names = ", ".join(sorted(want.binding.name.decode() for want in group))
    return f"{names} ({module})", group[0].label


def _imported(outline: Outline, node: Node) -> list[Import]:
    module = _module(outline, node)
    mark = "type" if any(child.type == "type" for child in node.children) else ""
    found: list[Import] = []
    for clause in node.named_children:
        if clause.type == "import_require_clause":
            name = first_named(clause)
            source = clause.child_by_field_name("source")
            if name is not None and source is not None:
                module = outline.text(source).decode().strip("'\"")
                found.append(Import(outline.text(name), module, "", node, outline, clause, "whole"))
        if clause.type != "import_clause":
            continue
        for child in clause.named_children:
            if child.type == "identifier":
                found.append(Import(outline.text(child), module, "default", node, outline, child, mark))
            elif child.type == "namespace_import":
                name = child.named_children[-1]
                found.append(Import(outline.text(name), module, "*", node, outline, child, mark))
            elif child.type == "named_imports":
                for spec in child.named_children:
                    name, alias = spec.child_by_field_name("name"), spec.child_by_field_name("alias")
                    if spec.type == "import_specifier" and name is not None:
                        own = "type" if any(c.type == "type" for c in spec.children) else mark
                        local = outline.text(alias or name)
                        found.append(
                            Import(local, module, outline.text(name).decode(), node, outline, spec, own)
                        )
    return found


def _required(outline: Outline, node: Node) -> list[Import]:
    found: list[Import] = []
    for declarator in node.named_children:
        value = declarator.child_by_field_name("value") if declarator.type == "variable_declarator" else None
        name = declarator.child_by_field_name("name") if value is not None else None
        if name is None or not is_require(value, outline.source):
            continue
        module = _required_module(outline, value)
        if name.type == "identifier":
            plain = value is not None and value.type == "call_expression"
            mark = "require" if plain else "whole"
            found.append(Import(outline.text(name), module, "", node, outline, declarator, mark))
        elif name.type == "object_pattern":
            for child in name.named_children:
                leaves = pattern_leaves(child)
                if not leaves:
                    continue
                key = child.child_by_field_name("key")
                simple = child.type == "shorthand_property_identifier_pattern" or (
                    key is not None and leaves[0].parent == child
                )
                member = outline.text(key or child).decode()
                mark = (
                    "require" if simple and value is not None and value.type == "call_expression" else "whole"
                )
                for leaf in leaves:
                    found.append(Import(outline.text(leaf), module, member, node, outline, declarator, mark))
        else:
            for leaf in pattern_leaves(name):
                found.append(Import(outline.text(leaf), module, "", node, outline, declarator, "whole"))
    return found


def _required_module(outline: Outline, value: Node | None) -> str:
    while value is not None and value.type == "member_expression":
        value = value.child_by_field_name("object")
    arguments = value.child_by_field_name("arguments") if value is not None else None
    text = outline.text(arguments.named_children[0]) if arguments is not None else b""
    return text.decode().strip("'\"`")


def _module(outline: Outline, node: Node) -> str:
    source = node.child_by_field_name("source")
    return outline.text(source).decode().strip("'\"") if source is not None else ""


def _statement_module(base: Outline, node: Node) -> str | None:
    if node.type == "import_statement":
        return _module(base, node)
    if node.type in _DECLARATIONS:
        found = _required(base, node)
        return found[0].module if found else None
    return None


def _require_pattern(base: Outline, node: Node, module: str) -> Node | None:
    for declarator in node.named_children:
        value = declarator.child_by_field_name("value") if declarator.type == "variable_declarator" else None
        name = declarator.child_by_field_name("name") if value is not None else None
        if name is None or value is None or name.type != "object_pattern" or value.type != "call_expression":
            continue
        if is_require(value, base.source) and _required_module(base, value) == module:
            return None if any(child.type == "rest_pattern" for child in name.named_children) else name
    return None


def _is_commonjs(base: Outline, wanted: Sequence[Wanted]) -> bool:
    kinds = {child.type for child in base.root.children}
    if "import_statement" in kinds or "export_statement" in kinds:
        return False
    if any(_required(base, child) for child in base.root.children if child.type in _DECLARATIONS):
        return True
    if any(item.name.startswith(("module.exports", "exports.")) for item in base.items):
        return True
    return all(want.binding.mark in ("require", "whole") for want in wanted)


def _has_value_use(want: Wanted) -> bool:
    root = want.binding.owner.root
    for use in want.uses:
        node = root.descendant_for_byte_range(use.start, use.end)
        if node is not None and node.type != "type_identifier":
            return True
    return False


def _whole(binding: Import) -> bytes:
    """The source's own statement, or its declarator where the statement has several."""
    owner = binding.owner
    if binding.spec is None or binding.spec.type != "variable_declarator":
        return owner.text(binding.statement)
    kind = binding.statement.children[0]
    end = b";" if owner.text(binding.statement).rstrip().endswith(b";") else b""
    return owner.text(kind) + b" " + owner.text(binding.spec) + end


def _named(binding: Import, typed: bool) -> bytes:
    text = binding.member.encode()
    if binding.name != text:
        text += b" as " + binding.name
    return text if typed or binding.mark != "type" else b"type " + text


def _pair(binding: Import) -> bytes:
    text = binding.member.encode()
    return text if binding.name == text else text + b": " + binding.name


def _style(base: Outline, want: Wanted) -> tuple[bytes, bytes]:
    """Quote and terminator of import statements in the base, else in the source."""
    for outline, nodes in ((base, base.root.children), (want.binding.owner, [want.binding.statement])):
        for node in nodes:
            if _statement_module(outline, node) is None:
                continue
            text = outline.text(node)
            quote = b'"' if b'"' in text else b"'"
            return quote, b";" if text.rstrip().endswith(b";") else b""
    return b"'", b";"


def _statements_text(
    base: Outline, module: str, group: list[Wanted], typed: bool, commonjs: bool
) -> list[bytes]:
    quote, end = _style(base, group[0])
    source = quote + module.encode() + quote
    bindings = [want.binding for want in group]
    whole = [each for each in bindings if each.member in ("*", "") or (commonjs and each.member == "default")]
    default = [each for each in bindings if each.member == "default" and each not in whole]
    named = [each for each in bindings if each not in whole and each not in default]
    attribute = next((c for c in bindings[0].statement.children if c.type == "import_attribute"), None)
    extra = b" " + bindings[0].owner.text(attribute) if attribute is not None else b""
    texts: list[bytes] = []
    if commonjs:
        texts += [b"const " + each.name + b" = require(" + source + b")" + end for each in whole]
        if named:
            inside = b", ".join(_pair(each) for each in sorted(named, key=lambda each: each.member))
            texts.append(b"const { " + inside + b" } = require(" + source + b")" + end)
        return texts
    head = b"import type " if typed else b"import "
    for each in whole:
        star = b"* as " if each.member == "*" else b""
        texts.append(head + star + each.name + b" from " + source + extra + end)
    clauses = [each.name for each in default[:1]]
    if named:
        inside = b", ".join(_named(each, typed) for each in sorted(named, key=lambda each: each.member))
        clauses.append(b"{ " + inside + b" }")
    if typed and len(clauses) > 1:
        texts += [head + clause + b" from " + source + end for clause in clauses]
    elif clauses:
        texts.append(head + b", ".join(clauses) + b" from " + source + extra + end)
    texts += [head + each.name + b" from " + source + extra + end for each in default[1:]]
    return texts


def _order(module: str) -> str:
    """Packages before files of the project."""
    return "1" if module.startswith((".", "@/", "~/")) else "0"


def _prologue_end(base: Outline) -> int:
    """After a shebang, a licence and directives such as `"use strict"`."""
    at = len(BOM) if base.source.startswith(BOM) else 0
    children = base.root.children
    for index, child in enumerate(children):
        following = children[index + 1] if index + 1 < len(children) else None
        if child.type in base.rules.comments:
            apart = (
                following is not None and base.source.count(b"\n", child.end_byte, following.start_byte) > 1
            )
            directive = following is not None and _is_directive(following)
            if not (apart or directive or following is None or base.rules.header.search(base.text(child))):
                break
        elif child.type != "hash_bang_line" and not _is_directive(child):
            break
        at = line_end(base.source, child.end_byte)
    return at


def _is_directive(node: Node) -> bool:
    first = first_named(node) if node.type == "expression_statement" else None
    return first is not None and first.type == "string"
