"""Go imports: by package, into the import block."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flowide.patterns import lazy
from flowide.pieces.edits import Edit
from flowide.pieces.imports.model import Carrier, Import, Planned, Verdict, Wanted
from flowide.pieces.imports.writing import Entry, Statement, insert_first, insert_statements, line_end
from flowide.pieces.names import Use
from flowide.pieces.outline import BOM, Item, Outline

if TYPE_CHECKING:
    from tree_sitter import Node

_VERSION = lazy(r"v\d+$")


class GoCarrier(Carrier):
    """Carries import specs."""

    def imports(self, outline: Outline, place: Item | None) -> list[Import]:
        """One import per spec, under its alias or the name its path suggests; other possible names are guesses."""
        found: list[Import] = []
        for spec in _specs(outline):
            path, name = spec.child_by_field_name("path"), spec.child_by_field_name("name")
            if path is None:
                continue
            module = outline.text(path).decode().strip('"`')
            if name is not None:
                found.append(Import(outline.text(name), module, "", spec, outline, spec, "alias"))
                continue
            for rank, guess in enumerate(package_names(module)):
                found.append(Import(guess.encode(), module, "", spec, outline, spec, "guess" if rank else ""))
        return found

    def needed(
        self, plan: Planned, imports: Sequence[Import], uses: dict[bytes, list[Use]], warnings: list[str]
    ) -> list[Wanted]:
        """Packages whose name qualifies something in the piece."""
        wanted: list[Wanted] = []
        sure = {each.name for each in imports if each.mark != "guess"}
        for each in imports:
            if each.mark == "guess" and each.name in sure:
                continue
            places = [use for use in uses.get(each.name, ()) if use.qualifier]
            if not places or any(other.binding.module == each.module for other in wanted):
                continue
            if each.module == "C":
                warnings.append(f"{plan.take.piece} uses cgo: carry its import and preamble by hand")
                continue
            wanted.append(Wanted(each, plan.take.label, places))
        if any(each.name == b"." for each in imports):
            warnings.append(f"{plan.take.piece}: its source has a dot import, which is not carried")
        return wanted

    def verdict(self, base: Outline, known: Sequence[Import], want: Wanted) -> Verdict:
        """A guessed name of another package does not clash."""
        if any(each.module == want.binding.module for each in known):
            return "there"
        return "clash" if any(each.mark != "guess" for each in known) else "missing"

    def edits(self, base: Outline, wanted: Sequence[Wanted]) -> tuple[list[Edit], list[str]]:
        """Specs go into the import block; a file with single imports gets single ones."""
        if not wanted:
            return [], []
        entries = []
        for want in wanted:
            assert want.binding.spec is not None
            text = want.binding.owner.text(want.binding.spec)
            entries.append(Entry(text, want.binding.module, want.note, _group(want.binding.module)))
        entries.sort(key=lambda entry: (entry.group, entry.key))
        specs = _specs(base)
        blocks = [
            spec for spec in specs if spec.parent is not None and spec.parent.type == "import_spec_list"
        ]
        if blocks:
            statements = [
                Statement(spec, _group(_path(base, spec)), _path(base, spec), spec.end_byte)
                for spec in blocks
            ]
            first = blocks[0].parent
            statements = [each for each in statements if each.node.parent == first]
            return insert_statements(base, statements, entries), []
        singles = [spec.parent for spec in specs if spec.parent is not None and _path(base, spec) != "C"]
        for entry in entries:
            entry.text = entry.text if not singles and len(entries) > 1 else b"import " + entry.text
        if singles:
            statements = [Statement(node, 0, _path(base, node), node.end_byte) for node in singles]
            alike = [Entry(entry.text, entry.key, entry.note) for entry in entries]
            return insert_statements(base, statements, alike), []
        clause = next((child for child in base.root.children if child.type == "package_clause"), None)
        at = (
            line_end(base.source, clause.end_byte)
            if clause is not None
            else len(BOM) * base.source.startswith(BOM)
        )
        if len(entries) > 1:
            _as_block(base, entries)
        edit = insert_first(base, entries, at, 1, blank_before=1)
        return [edit], []


def _as_block(base: Outline, entries: list[Entry]) -> None:
    newline = base.newline or b"\n"
    for entry in entries:
        entry.text = b"\t" + entry.text
    entries[0].text = b"import (" + newline + entries[0].text
    entries[-1].text += newline + b")"


def _specs(outline: Outline) -> list[Node]:
    found: list[Node] = []
    for child in outline.root.children:
        if child.type != "import_declaration":
            continue
        for inner in child.named_children:
            if inner.type == "import_spec":
                found.append(inner)
            elif inner.type == "import_spec_list":
                found.extend(spec for spec in inner.named_children if spec.type == "import_spec")
    return found


def _path(outline: Outline, node: Node) -> str:
    found = re.search(rb'["`]([^"`]*)["`]', outline.text(node))
    return found[1].decode() if found else ""


def _group(module: str) -> int:
    return 1 if "." in module.split("/", maxsplit=1)[0] else 0


def package_names(path: str) -> list[str]:
    """Names a package may have by its path, the likeliest first."""
    parts = path.split("/")
    last = parts[-1]
    if _VERSION.match(last) and len(parts) > 1:
        last = parts[-2]
    last = re.sub(r"\.v\d+$", "", last)
    names = [last]
    for shorter in (
        last.removeprefix("go-"),
        last.removesuffix("-go"),
        last.removesuffix(".go"),
        last.removesuffix("-golang"),
        last.rsplit("-", 1)[-1],
        last.split("-", 1)[0],
        last.replace("-", ""),
        last.replace("-", "_"),
        last.rsplit(".", 1)[0],
    ):
        if shorter not in names:
            names.append(shorter)
    return [name for name in names if name.isidentifier()]
