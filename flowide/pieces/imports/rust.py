"""Rust imports: `use` trees, per module."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flowide.patterns import lazy
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
from flowide.pieces.indent import default_unit, line_indent
from flowide.pieces.names import Use
from flowide.pieces.outline import BOM, Item, Outline

if TYPE_CHECKING:
    from tree_sitter import Node

_TYPE_NAME = lazy(rb"(?<![\w:])[A-Z]\w*")
_PRELUDE = frozenset(
    b"""
    Self Some None Ok Err Option Result Vec String Box Copy Clone Send Sync Sized Drop Fn FnMut FnOnce Iterator
    IntoIterator Extend DoubleEndedIterator ExactSizeIterator Default PartialEq Eq PartialOrd Ord AsRef AsMut Into
    From ToOwned ToString TryFrom TryInto FromIterator Debug Hash
    """.split()
)
_TRAIT_METHODS = {
    b"Read": rb"\.(read|read_to_end|read_to_string|read_exact|bytes|take|chain)\s*\(",
    b"Write": rb"\.(write|write_all|flush|write_fmt|write_str|write_char)\s*\(|\bwriteln?!",
    b"BufRead": rb"\.(lines|read_line|read_until|fill_buf|split)\s*\(",
    b"Seek": rb"\.(seek|rewind|stream_position)\s*\(",
    b"FromStr": rb"::from_str\s*\(",
    b"Hash": rb"\.hash\s*\(",
    b"Hasher": rb"\.(finish|write_u\d+)\s*\(",
    b"BuildHasher": rb"\.(build_hasher|hash_one)\s*\(",
    b"Borrow": rb"\.borrow\s*\(",
    b"BorrowMut": rb"\.borrow_mut\s*\(",
    b"Deref": rb"\.deref\s*\(",
    b"DerefMut": rb"\.deref_mut\s*\(",
    b"Error": rb"\.(source|description)\s*\(",
    b"Future": rb"\.poll\s*\(",
    b"FromIterator": rb"::from_iter\s*\(",
    b"Any": rb"\.type_id\s*\(",
    b"ToSocketAddrs": rb"\.to_socket_addrs\s*\(",
}


class RustCarrier(Carrier):
    """Carries `use` declarations."""

    def scope(self, parent: Item | None) -> Item | None:
        """The innermost module."""
        while parent is not None and parent.kind != "module":
            parent = parent.parent
        return parent

    def imports(self, outline: Outline, place: Item | None) -> list[Import]:
        """The module's declarations, and those around it when it says `use super::*`."""
        found: list[Import] = []
        while True:
            body = place.body if place is not None else outline.root
            here: list[Import] = []
            for node in body.children if body is not None else []:
                if node.type == "use_declaration":
                    here.extend(_flat(outline, node))
                elif node.type == "extern_crate_declaration":
                    name = node.child_by_field_name("alias") or node.child_by_field_name("name")
                    crate = node.child_by_field_name("name")
                    if name is not None and crate is not None:
                        here.append(
                            Import(
                                outline.text(name),
                                outline.text(crate).decode(),
                                "",
                                node,
                                outline,
                                node,
                                "crate",
                            )
                        )
            found.extend(here)
            if place is None or not any(each.name == b"*" and each.module == "super" for each in here):
                return found
            place = self.scope(place.parent)

    def more_names(self, source: Outline, imports: Sequence[Import]) -> set[bytes]:
        """Types that may come from `use x::*`, and whatever the enclosing module declares."""
        if not any(each.name == b"*" for each in imports):
            return set()
        names = set(_TYPE_NAME.findall(source.source))
        return names | {name.encode() for item in source.top_items() for name in item.names}

    def needed(
        self, plan: Planned, imports: Sequence[Import], uses: dict[bytes, list[Use]], warnings: list[str]
    ) -> list[Wanted]:
        """Used names, traits whose methods are called, and `use x::*` where a name may come from it."""
        plain = [each for each in imports if each.name != b"*"]
        wanted = super().needed(plan, plain, uses, warnings)
        text = plan.source.source[plan.item.start : plan.item.end]
        for each in plain:
            trait = each.member.encode()
            called = _TRAIT_METHODS.get(trait)
            if called and each.name not in uses and re.search(called, text):
                wanted.append(Wanted(each, plan.take.label))
        named = {each.name for each in plain}
        place = self.scope(plan.item.parent)
        here = {name.encode() for item in plan.source.items if item.parent is place for name in item.names}
        outer = {name.encode() for item in plan.source.top_items() for name in item.names}
        left = {name for name in uses if name not in named and name not in here and name not in _PRELUDE}
        for each in imports:
            if each.name != b"*":
                continue
            if each.module == "super":
                if place is not None and (left & outer or named & set(uses)):
                    wanted.append(Wanted(each, plan.take.label))
            elif left - outer:
                wanted.append(Wanted(each, plan.take.label))
        return wanted

    def verdict(self, base: Outline, known: Sequence[Import], want: Wanted) -> Verdict:
        """Any number of `use x::*` may stand side by side."""
        if want.binding.name == b"*":
            return "there" if any(each.module == want.binding.module for each in known) else "missing"
        if want.binding.name == b"_":
            same = any(
                each.module == want.binding.module and each.member == want.binding.member for each in known
            )
            return "there" if same else "missing"
        return super().verdict(base, known, want)

    def edits(self, base: Outline, wanted: Sequence[Wanted]) -> tuple[list[Edit], list[str]]:
        """Names join a `use` of the same path; new declarations stand beside those of their kind."""
        edits: list[Edit] = []
        warnings = _modules_lacking(base, wanted)
        places: dict[int, tuple[Item | None, list[Entry]]] = {}
        merges: dict[int, tuple[Node, list[Entry]]] = {}
        for want in wanted:
            binding = want.binding
            target = (
                None
                if _attributes(binding)
                else _merge_target(base, self.imports(base, want.place), binding, want.place)
            )
            if target is not None:
                merges.setdefault(target.start_byte, (target, []))[1].append(
                    Entry(_member_text(binding), binding.member, want.note)
                )
            else:
                places.setdefault(id(want.place), (want.place, []))[1].append(
                    Entry(_statement_text(binding), _key(binding), want.note, _group(binding.module))
                )
        for node, entries in merges.values():
            edits += _merged(base, node, entries)
        for place, entries in places.values():
            edits += _fresh(base, place, entries)
        return edits, warnings


def _modules_lacking(base: Outline, wanted: Sequence[Wanted]) -> list[str]:
    """Imports out of modules or enums that the source declares itself and the base does not have."""
    have = {name for item in base.top_items() for name in item.names}
    warnings = []
    for want in wanted:
        steps = want.binding.module.removeprefix("self::").split("::")
        declared = {name for item in want.binding.owner.top_items() for name in item.names}
        if want.place is None and steps[0] in declared and steps[0] not in have:
            where = want.label or "its source"
            warnings.append(
                f"the import of {want.binding.name.decode()} needs {steps[0]} of {where}, which the result lacks"
            )
    return warnings


def _flat(outline: Outline, statement: Node) -> list[Import]:
    """One import per leaf of a `use` tree."""
    found: list[Import] = []
    argument = statement.child_by_field_name("argument")
    pending: list[tuple[Node, str]] = [(argument, "")] if argument is not None else []
    while pending:
        node, prefix = pending.pop()
        if node.type == "scoped_use_list":
            path, inner = node.child_by_field_name("path"), node.child_by_field_name("list")
            deeper = _joined(prefix, _path(outline, path)) if path is not None else prefix
            if inner is not None:
                pending.extend((child, deeper) for child in reversed(inner.named_children))
        elif node.type == "use_list":
            pending.extend((child, prefix) for child in reversed(node.named_children))
        elif node.type == "use_wildcard":
            path = next(iter(node.named_children), None)
            module = _joined(prefix, _path(outline, path)) if path is not None else prefix
            found.append(Import(b"*", module, "*", statement, outline, node))
        elif node.type in ("identifier", "scoped_identifier", "self", "crate", "use_as_clause", "super"):
            target, alias = node, None
            if node.type == "use_as_clause":
                target = node.child_by_field_name("path") or node
                alias = node.child_by_field_name("alias")
            full = _joined(prefix, _path(outline, target)) if target.type != "self" else prefix
            module, _, member = full.rpartition("::")
            name = outline.text(alias) if alias is not None else member.encode()
            found.append(Import(name, module, member, statement, outline, node))
    return found


def _path(outline: Outline, node: Node) -> str:
    return "".join(outline.text(node).decode().split())


def _joined(prefix: str, path: str) -> str:
    return f"{prefix}::{path}" if prefix else path


def _attributes(binding: Import) -> bytes:
    """`#[cfg(…)]` lines above the source's declaration."""
    lines = []
    node = binding.statement.prev_sibling
    while node is not None and node.type == "attribute_item":
        lines.append(binding.owner.text(node))
        node = node.prev_sibling
    return b"\n".join(reversed(lines))


def _member_text(binding: Import) -> bytes:
    text = binding.member.encode()
    return text if binding.name in (text, b"*") else text + b" as " + binding.name


def _statement_text(binding: Import) -> bytes:
    if binding.mark == "crate":
        return binding.owner.text(binding.statement)
    path = f"{binding.module}::".encode() if binding.module else b""
    attributes = _attributes(binding)
    return (attributes + b"\n" if attributes else b"") + b"use " + path + _member_text(binding) + b";"


def _merge_target(base: Outline, mine: Sequence[Import], binding: Import, place: Item | None) -> Node | None:
    """The brace list, or the single path, of a declaration that already uses the same module."""
    body = place.body if place is not None else base.root
    if binding.name == b"*" or not binding.module or body is None:
        return None
    single: Node | None = None
    for each in mine:
        if each.owner is not base or each.module != binding.module or each.spec is None or each.name == b"*":
            continue
        if each.statement.parent != body or _attributes(each) or each.mark == "crate":
            continue
        if any(child.type == "visibility_modifier" for child in each.statement.children):
            continue
        around = each.spec.parent
        leaf = each.spec if each.spec.type != "use_as_clause" else each.spec.child_by_field_name("path")
        if (
            around is not None
            and around.type == "use_list"
            and leaf is not None
            and leaf.type in ("identifier", "self")
        ):
            if leaf.type == "self":
                continue
            return around
        if (
            "::" in binding.module
            and around is not None
            and around.type == "use_declaration"
            and leaf is not None
            and leaf.type == "scoped_identifier"
        ):
            single = single or each.spec
    return single


def _merged(base: Outline, node: Node, entries: list[Entry]) -> list[Edit]:
    if node.type == "use_list":
        return insert_names(base, node.named_children, entries)
    leaf = node if node.type == "scoped_identifier" else node.child_by_field_name("path") or node
    last = leaf.child_by_field_name("name") or leaf
    end = node.end_byte
    old = base.source[last.start_byte : end]
    after = [
        entry for entry in sorted(entries, key=lambda e: e.key.lower()) if entry.text.lower() > old.lower()
    ]
    before = [entry for entry in sorted(entries, key=lambda e: e.key.lower()) if entry not in after]
    parts_before = [
        Part((b"{" if i == 0 else b"") + entry.text + b", ", entry.note) for i, entry in enumerate(before)
    ]
    parts_after = [Part(b", " + entry.text, entry.note) for entry in after]
    note = entries[0].note
    if not parts_before:
        parts_before = [Part(b"{", note)]
    if not parts_after:
        parts_after = [Part(b"", note)]
    parts_after[-1].text += b"}"
    return [Edit(last.start_byte, last.start_byte, parts_before), Edit(end, end, parts_after)]


def _group(module: str) -> int:
    root = module.split("::", maxsplit=1)[0]
    if root in ("std", "core", "alloc"):
        return 0
    return 2 if root in ("crate", "self", "super") else 1


def _key(binding: Import) -> str:
    return f"{binding.module}::{binding.member}" if binding.module else binding.member


def _fresh(base: Outline, place: Item | None, entries: list[Entry]) -> list[Edit]:
    newline = base.newline or b"\n"
    body = place.body if place is not None else base.root
    assert body is not None
    for entry in entries:
        entry.text = entry.text.replace(b"\n", newline)
    entries.sort(key=lambda entry: (entry.group, entry.key))
    statements = []
    for child in body.children:
        if child.type == "use_declaration":
            flat = _flat(base, child)
            key = _key(flat[0]) if flat else ""
            statements.append(Statement(child, _group(key), key, child.end_byte))
    if statements:
        return insert_statements(base, statements, entries)
    if place is None:
        at = len(BOM) if base.source.startswith(BOM) else 0
        for child in body.children:
            inner = child.type in ("inner_attribute_item", "extern_crate_declaration", "shebang")
            comment = child.type in base.rules.comments and (
                base.rules.is_inner_comment(child, base.source) or base.rules.header.search(base.text(child))
            )
            if not inner and not comment:
                break
            at = line_end(base.source, max(child.start_byte, child.end_byte - 1))
        return [insert_first(base, entries, at, 1, blank_before=1)]
    at = body.start_byte + 1
    first = next(iter(body.named_children), None)
    indent = line_indent(base.source, first.start_byte)[0] if first is not None else b""
    if first is None or not line_indent(base.source, first.start_byte)[1]:
        indent = line_indent(base.source, place.inner.start_byte)[0] + default_unit(base)
    text = b"".join(newline + indent + entry.text for entry in entries)
    return [Edit(at, at, [Part(text + (newline if first is not None else b""), entries[0].note)])]
