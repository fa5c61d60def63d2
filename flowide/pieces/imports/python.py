"""Python imports: `from __future__` first, `if TYPE_CHECKING` respected, names merged into existing statements."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flowide.pieces.edits import Edit, Part
from flowide.pieces.imports.model import Carrier, Import, Planned, Verdict, Wanted
from flowide.pieces.imports.python_places import (
    BLOCKS,
    COMPOUND,
    STATEMENTS,
    bindings,
    checks_types,
    first_imports,
    group_of,
    header_end,
    header_statements,
    only_imports,
)
from flowide.pieces.imports.writing import (
    Entry,
    Statement,
    insert_beside,
    insert_names,
    insert_statements,
    line_end,
)
from flowide.pieces.indent import default_unit, line_indent
from flowide.pieces.languages import captures
from flowide.pieces.names import Use, free_uses
from flowide.pieces.outline import Item, Outline, walk_blocks

if TYPE_CHECKING:
    from tree_sitter import Node

_LARGEST_BLOCK = 40
_TYPES = frozenset({"typing", "typing_extensions", "collections.abc"})


class PythonCarrier(Carrier):
    """Carries `import` and `from … import`."""

    def imports(self, outline: Outline, place: Item | None) -> list[Import]:
        """Imports of the module, those inside its `if` and `try` statements included."""
        found: list[Import] = []
        pending: list[tuple[Node, Node | None, str]] = [
            (child, None, "") for child in reversed(outline.root.children)
        ]
        while pending:
            node, block, mark = pending.pop()
            if node.type in STATEMENTS:
                found.extend(bindings(outline, node, block, mark))
            elif node.type in COMPOUND:
                around = block or node
                inside: list[tuple[Node, Node | None, str]] = []
                for branch in walk_blocks(node, BLOCKS):
                    typed = checks_types(outline, node) and branch == node.child_by_field_name("consequence")
                    inside += [(child, around, "type" if typed else "block") for child in branch.children]
                pending.extend(reversed(inside))
        return found

    def needed(
        self, plan: Planned, imports: Sequence[Import], uses: dict[bytes, list[Use]], warnings: list[str]
    ) -> list[Wanted]:
        """Used names; of several `import a.…` those whose path occurs in the piece; `annotations` if it has any."""
        source, item, label = plan.source, plan.item, plan.take.label
        text = source.source[item.start : item.end]
        wanted: list[Wanted] = []
        for name, places in uses.items():
            found = [each for each in imports if each.name == name]
            dotted = [each for each in found if _is_dotted(each)]
            if dotted:
                spelled = [each for each in dotted if re.search(_spelling(each.module), text)]
                found = [each for each in found if not _is_dotted(each)] or (spelled or dotted[:1])
                found += [each for each in spelled if each not in found]
            wanted += [Wanted(each, label, places) for each in found]
        blocks = {
            want.binding.block.id: want.binding.block
            for want in wanted
            if want.binding.block is not None and want.binding.mark == "block"
        }
        for block in blocks.values():
            names = {each.name for each in imports if each.block is None} - {
                want.binding.name for want in wanted
            }
            for use in free_uses(source, block.start_byte, block.end_byte, names):
                if use.name in names:
                    names.discard(use.name)
                    wanted += [Wanted(each, label, [use]) for each in imports if each.name == use.name]
        future = [each for each in imports if each.module == "__future__" and each.name == b"annotations"]
        if future and captures("python", "(type) @t", source.root, item.start, item.end):
            wanted.append(Wanted(future[0], label))
        return wanted

    def verdict(self, base: Outline, known: Sequence[Import], want: Wanted) -> Verdict:
        """Submodules add to their package; an import for type checkers serves annotations only."""
        binding = want.binding
        if not known:
            return "missing"
        same = [
            each for each in known if each.member == binding.member and _alike(each.module, binding.module)
        ]
        if not same and binding.member == "" and not binding.mark:
            package = binding.module.split(".")[0]
            packages = [each for each in known if _is_plain(each) and each.module.split(".")[0] == package]
            if packages and _is_plain(binding):
                return "missing" if _is_dotted(binding) else "there"
        if not same:
            return "clash"
        if all(each.mark == "type" for each in same) and binding.mark != "type":
            lazy = any(each.module == "__future__" and each.name == b"annotations" for each in _futures(base))
            quiet = bool(want.uses) and all(use.annotation for use in want.uses)
            return "there" if lazy and quiet else "missing"
        return "there"

    def edits(self, base: Outline, wanted: Sequence[Wanted]) -> tuple[list[Edit], list[str]]:
        """Names go into an existing statement for their module, new statements beside their kind."""
        edits: list[Edit] = []
        warnings: list[str] = []
        mine = self.imports(base, None)
        fresh: list[Entry] = []
        guarded: list[Wanted] = []
        merges: dict[int, tuple[list[Node], list[Entry]]] = {}
        blocks: dict[int, Node] = {}
        for want in wanted:
            binding = want.binding
            if binding.mark == "block":
                self._carry_block(base, want, blocks, fresh, warnings)
                continue
            if binding.mark == "type":
                guarded.append(want)
                continue
            target = _merge_target(base, mine, binding, "")
            entry = Entry(_spec_text(binding), binding.member or binding.module, want.note)
            if target is not None:
                merges.setdefault(target.start_byte, (_elements(target), []))[1].append(entry)
            else:
                fresh.append(_statement_entry(binding, want))
        edits += self._guarded(base, mine, guarded, fresh, merges)
        for elements, entries in merges.values():
            edits += insert_names(base, elements, entries)
        return edits + self._fresh(base, _joined(fresh)), warnings

    def _carry_block(
        self, base: Outline, want: Wanted, blocks: dict[int, Node], fresh: list[Entry], warnings: list[str]
    ) -> None:
        block = want.binding.block
        assert block is not None
        if block.id in blocks:
            return
        blocks[block.id] = block
        source = want.binding.owner
        text = source.text(block)
        if text.count(b"\n") > _LARGEST_BLOCK or not only_imports(block):
            warnings.append(
                f"{want.binding.name.decode()} ({want.binding.shown()}) is imported conditionally in"
                f" {want.label or 'its source'}: carry it by hand"
            )
            return
        helpers = {name.encode() for item in source.top_items() for name in item.names}
        helpers -= {each.name for each in self.imports(source, None)}
        helpers -= {name.encode() for item in base.top_items() for name in item.names}
        for name in sorted(
            {use.name for use in free_uses(source, block.start_byte, block.end_byte, helpers)}
        ):
            warnings.append(
                f"the conditional import of {want.binding.name.decode()} uses {name.decode()} of"
                f" {want.label or 'its source'}, which the result lacks"
            )
        text = text.replace(b"\r\n", b"\n").replace(b"\n", base.newline or b"\n")
        fresh.append(Entry(text, "~", want.note, 4))

    def _guarded(
        self,
        base: Outline,
        mine: list[Import],
        wanted: list[Wanted],
        fresh: list[Entry],
        merges: dict[int, tuple[list[Node], list[Entry]]],
    ) -> list[Edit]:
        """Imports for type checkers go under `if TYPE_CHECKING:`, which is made when there is none."""
        if not wanted:
            return []
        edits: list[Edit] = []
        lines: list[Entry] = []
        for want in wanted:
            target = _merge_target(base, mine, want.binding, "type")
            if target is not None:
                entry = Entry(_spec_text(want.binding), want.binding.member, want.note)
                merges.setdefault(target.start_byte, (_elements(target), []))[1].append(entry)
            else:
                lines.append(_statement_entry(want.binding, want))
        lines = _joined(lines)
        if not lines:
            return edits
        newline = base.newline or b"\n"
        block = next(
            (each for each in base.root.children if each.type == "if_statement" and checks_types(base, each)),
            None,
        )
        body = block.child_by_field_name("consequence") if block is not None else None
        if (
            body is not None
            and body.named_children
            and line_indent(base.source, body.named_children[0].start_byte)[1]
        ):
            indent, _ = line_indent(base.source, body.named_children[0].start_byte)
            at = line_end(base.source, body.named_children[-1].end_byte)
            for entry in lines:
                edits.append(Edit(at, at, [Part(newline + indent + entry.text, entry.note)]))
            return edits
        if not any(each.name == b"TYPE_CHECKING" for each in mine):
            target = next(
                (
                    each.statement
                    for each in mine
                    if each.module == "typing" and each.member and not each.mark
                ),
                None,
            )
            entry = Entry(b"TYPE_CHECKING", "TYPE_CHECKING", ("TYPE_CHECKING (typing)", wanted[0].label))
            if target is not None and _elements(target):
                merges.setdefault(target.start_byte, (_elements(target), []))[1].append(entry)
            elif not any(
                each.key == "typing" and each.text.startswith(b"from typing import") for each in fresh
            ):
                text = b"from typing import TYPE_CHECKING"
                fresh.append(Entry(text, "typing", entry.note, 1))
            else:
                into = next(each for each in fresh if each.key == "typing")
                into.text += b", TYPE_CHECKING"
        unit = default_unit(base)
        body_text = b"".join(newline + unit + entry.text for entry in lines)
        fresh.append(Entry(b"if TYPE_CHECKING:" + body_text, "~~", lines[0].note, 5))
        return edits

    def _fresh(self, base: Outline, entries: list[Entry]) -> list[Edit]:
        if not entries:
            return []
        for entry in entries:
            # `import x` goes before `from x import y`.
            entry.key = ("0" if entry.text.startswith(b"import") else "1") + entry.key
        header = header_statements(base)
        if not header:
            return [first_imports(base, sorted(entries, key=lambda entry: entry.group))]
        edits: list[Edit] = []
        groups = {each.group for each in header}
        future = [entry for entry in entries if entry.group == 0]
        if future and 0 not in groups:
            # Nothing but the docstring may stand before it.
            edits.append(first_imports(base, future))
            entries = [entry for entry in entries if entry.group]
        known = [entry for entry in entries if entry.group in groups]
        for entry in sorted(known, key=lambda entry: (entry.group, entry.key)):
            edits.append(insert_beside(base, _of_form(header, entry), entry))
        return edits + insert_statements(
            base, header, [entry for entry in entries if entry.group not in groups]
        )


def _of_form(header: list[Statement], entry: Entry) -> list[Statement]:
    """Within a group, `import x` keeps to itself and so does `from x import y`."""
    plain = entry.text.startswith(b"import")
    same = [each for each in header if each.group == entry.group]
    form = [each for each in same if (each.node.type == "import_statement") == plain]
    if form:
        return form
    # All the others come before a first `from`, and after a first `import`.
    return [Statement(each.node, each.group, "~" if plain else "", each.end) for each in same]


def _alike(one: str, other: str) -> bool:
    """True for two modules that give the same things under the same names."""
    return one == other or {one, other} <= _TYPES


def _is_plain(binding: Import) -> bool:
    return binding.member == ""


def _is_dotted(binding: Import) -> bool:
    return binding.member == "" and "." in binding.module


def _spelling(module: str) -> bytes:
    return (
        rb"(?<![\w.])"
        + rb"\s*\.\s*".join(re.escape(part.encode()) for part in module.split("."))
        + rb"(?!\w)"
    )


def _futures(outline: Outline) -> list[Import]:
    return [
        binding
        for child in outline.root.children
        if child.type == "future_import_statement"
        for binding in bindings(outline, child, None, "")
    ]


def _merge_target(base: Outline, mine: Sequence[Import], binding: Import, mark: str) -> Node | None:
    """The statement that already imports from the same module; None for `import x`."""
    if binding.member in ("", "*"):
        return None
    limit = header_end(base)
    for each in reversed(mine):
        if (
            each.module == binding.module
            and each.member not in ("", "*")
            and each.mark == mark
            and (mark or each.statement.start_byte < limit)
        ):
            return each.statement
    return None


def _elements(statement: Node) -> list[Node]:
    return list(statement.children_by_field_name("name"))


def _spec_text(binding: Import) -> bytes:
    assert binding.spec is not None
    return binding.owner.text(binding.spec)


def _statement_entry(binding: Import, want: Wanted) -> Entry:
    if binding.member in ("", "*"):
        text = b"import " + _spec_text(binding)
    else:
        text = b"from " + binding.module.encode() + b" import " + _spec_text(binding)
    return Entry(text, binding.module, want.note, group_of(binding.module))


def _joined(entries: list[Entry]) -> list[Entry]:
    """Several names from one module share a statement."""
    joined: dict[str, Entry] = {}
    out: list[Entry] = []
    for entry in entries:
        if not entry.text.startswith(b"from "):
            out.append(entry)
            continue
        head, _, name = entry.text.partition(b" import ")
        before = joined.get(head.decode())
        if before is None:
            joined[head.decode()] = entry
            out.append(entry)
        elif name not in before.text.partition(b" import ")[2].split(b", "):
            names = sorted(
                [*before.text.partition(b" import ")[2].split(b", "), name], key=lambda n: n.lower()
            )
            before.text = head + b" import " + b", ".join(names)
            if isinstance(before.note, tuple) and isinstance(entry.note, tuple):
                before.note = (f"{entry.note[0].split(' (')[0]}, {before.note[0]}", before.note[1])
    return out
