"""Java imports: single types, static members, and whole packages where the source imports so."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flowide.patterns import lazy
from flowide.pieces.edits import Edit
from flowide.pieces.imports.java_names import JAVA_LANG, PACKAGES
from flowide.pieces.imports.model import Carrier, Import, Planned, Verdict, Wanted
from flowide.pieces.imports.writing import Entry, Statement, insert_first, insert_statements, line_end
from flowide.pieces.names import Use
from flowide.pieces.outline import BOM, Item, Outline

_TYPE_NAME = lazy(rb"(?<![\w.])[A-Z]\w*")


class JavaCarrier(Carrier):
    """Carries import declarations."""

    def imports(self, outline: Outline, place: Item | None) -> list[Import]:
        """All import declarations."""
        found: list[Import] = []
        for node in outline.root.children:
            if node.type != "import_declaration":
                continue
            path = next(
                (child for child in node.named_children if child.type in ("scoped_identifier", "identifier")),
                None,
            )
            if path is None:
                continue
            text = "".join(outline.text(path).decode().split())
            mark = "static" if any(child.type == "static" for child in node.children) else ""
            if any(child.type == "asterisk" for child in node.children):
                found.append(Import(b"*", text, "*", node, outline, path, mark))
            else:
                module, _, member = text.rpartition(".")
                found.append(Import(member.encode(), module, member, node, outline, path, mark))
        return found

    def more_names(self, source: Outline, imports: Sequence[Import]) -> set[bytes]:
        """Every name that looks like a type: it may come from the package or from `import a.*`."""
        return set(_TYPE_NAME.findall(source.source))

    def needed(
        self, plan: Planned, imports: Sequence[Import], uses: dict[bytes, list[Use]], warnings: list[str]
    ) -> list[Wanted]:
        """Named imports that are used; whole packages that a name left over may come from."""
        wanted = super().needed(plan, [each for each in imports if each.name != b"*"], uses, warnings)
        named = {each.name for each in imports}
        declared = {name.encode() for item in plan.source.items for name in item.names}
        open_names = {name.decode() for name in uses if name not in named and name not in declared}
        open_names -= JAVA_LANG
        for each in imports:
            if each.name != b"*":
                continue
            if each.mark == "static":
                if _calls_open(plan, declared | named):
                    wanted.append(Wanted(each, plan.take.label))
                continue
            known = PACKAGES.get(each.module)
            here = open_names & known if known is not None else open_names - set().union(*PACKAGES.values())
            if here:
                wanted.append(
                    Wanted(each, plan.take.label, [use for name in here for use in uses[name.encode()]])
                )
                if known is not None:
                    open_names -= here
        return wanted

    def verdict(self, base: Outline, known: Sequence[Import], want: Wanted) -> Verdict:
        """A type of the base's own package, or of a package it imports whole, is there already."""
        binding = want.binding
        if any(each.module == binding.module and each.member == binding.member for each in known):
            return "there"
        if binding.member == "*":
            return self._open_verdict(base, want)
        if known:
            return "clash"
        if binding.mark != "static" and binding.module == _package(base):
            return "there"
        whole = any(
            each.member == "*" and each.module == binding.module and each.mark == binding.mark
            for each in self.imports(base, None)
        )
        return "there" if whole else "missing"

    def _open_verdict(self, base: Outline, want: Wanted) -> Verdict:
        mine = self.imports(base, None)
        have = {each.name for each in mine} | {name.encode() for item in base.items for name in item.names}
        if want.binding.module == _package(base):
            return "there"
        names = {use.name for use in want.uses}
        return "there" if names and names <= have else "missing"

    def apart(self, binding: Import) -> bool:
        """A static method may share its name with one of the class."""
        return binding.mark == "static"

    def edits(self, base: Outline, wanted: Sequence[Wanted]) -> tuple[list[Edit], list[str]]:
        """Declarations in alphabetical order, static ones where the base keeps them."""
        if not wanted:
            return [], []
        statements = _statements(base)
        static_first = bool(statements) and statements[0].group == 0
        entries = []
        for want in wanted:
            text = want.binding.owner.text(want.binding.statement)
            text = b" ".join(text.split())
            static = want.binding.mark == "static"
            group = (0 if static_first else 2) if static else 1
            key = f"{want.binding.module}.{want.binding.member}"
            entries.append(Entry(text, key, want.note, group))
        entries.sort(key=lambda entry: (entry.group, entry.key))
        if statements:
            return insert_statements(base, statements, entries), []
        package = next((child for child in base.root.children if child.type == "package_declaration"), None)
        if package is not None:
            at = line_end(base.source, package.end_byte)
            return [insert_first(base, entries, at, 1, blank_before=1)], []
        at = header_end(base)
        return [insert_first(base, entries, at, 1, blank_before=1)], []


def header_end(base: Outline) -> int:
    """End of the licence and directive comments at the top of a file, or its start."""
    at = len(BOM) if base.source.startswith(BOM) else 0
    children = base.root.children
    for index, child in enumerate(children):
        if child.type not in base.rules.comments and child.type not in ("hash_bang_line",):
            break
        following = children[index + 1] if index + 1 < len(children) else None
        apart = following is not None and base.source.count(b"\n", child.end_byte, following.start_byte) > 1
        directive = child.type == "hash_bang_line" or base.rules.header.search(base.text(child))
        if apart or directive or following is None:
            at = line_end(base.source, child.end_byte)
    return at


def _statements(base: Outline) -> list[Statement]:
    nodes = [child for child in base.root.children if child.type == "import_declaration"]
    statics = [any(child.type == "static" for child in node.children) for node in nodes]
    first = bool(statics) and statics[0]
    found = []
    for node, static in zip(nodes, statics, strict=True):
        text = re.sub(r"^import\s+(static\s+)?|[;\s]", "", base.text(node).decode())
        group = (0 if first else 2) if static else 1
        found.append(Statement(node, group, text, node.end_byte))
    return found


def _package(outline: Outline) -> str:
    for child in outline.root.children:
        if child.type == "package_declaration":
            return re.sub(r"^.*?package\s+|[;\s]", "", outline.text(child).decode(), flags=re.DOTALL)
    return ""


def _calls_open(plan: Planned, known: set[bytes]) -> bool:
    text = plan.source.source[plan.item.start : plan.item.end]
    names = set(re.findall(rb"(?<![\w.])([a-z]\w*)\s*\(", text)) | set(
        re.findall(rb"(?<![\w.])([A-Z][A-Z_0-9]+)\b", text)
    )
    words = {
        b"if",
        b"for",
        b"while",
        b"switch",
        b"catch",
        b"super",
        b"this",
        b"return",
        b"synchronized",
        b"try",
    }
    return bool(names - known - words)
