"""Link reference definitions and footnotes that sections need, carried along."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from flowide.patterns import lazy
from flowide.pieces.edits import Edit, Part
from flowide.pieces.indent import with_newlines
from flowide.pieces.model import Take
from flowide.pieces.sections import Definition, Section, Sections, normalised

_CODE_SPAN = lazy(rb"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
_LABEL = lazy(rb"\[((?:[^\]\[\\]|\\.)+)\]")


class Planned(Protocol):
    """What carrying definitions needs to know of a take."""

    take: Take
    source: Sections
    section: Section
    target: Section | None


def carried_definitions(
    base: Sections, plans: Sequence[Planned], edits: Sequence[Edit], warnings: list[str]
) -> list[Edit]:
    """Definitions the new sections refer to, and those that would go with a replaced one though others need them."""
    have = {each.label: each for each in reversed(base.definitions)}
    gone: dict[str, Definition] = {}
    for plan in plans:
        if plan.target is not None:
            for each in base.definitions:
                if plan.target.start <= each.start < plan.target.end:
                    gone[each.label] = each
    for label, lost in gone.items():
        kept = [d for d in base.definitions if d.label == label and d is not lost]
        if not kept:
            have.pop(label, None)
    newline = base.newline or plans[0].source.newline or b"\n"
    added: dict[str, tuple[bytes, bytes, str]] = {}
    for plan in plans:
        _carry_definitions(plan, have, added, newline, warnings)
    added |= _orphans(base, plans, gone, added, newline)
    return _appended(base, added, edits, newline)


def _carry_definitions(
    plan: Planned,
    have: dict[str, Definition],
    added: dict[str, tuple[bytes, bytes, str]],
    newline: bytes,
    warnings: list[str],
) -> None:
    source, section = plan.source, plan.section
    own = [each for each in source.definitions if section.start <= each.start < section.end]
    for each in own:
        known = have.get(each.label)
        if known is not None and known.value != each.value:
            warnings.append(f"{plan.take.piece} defines [{each.label}], which the base defines otherwise")
    used = _labels(source, section.start, section.end) - {each.label for each in own}
    for each in source.definitions:
        if each.label not in used:
            continue
        known = have.get(each.label)
        what = f"{plan.take.piece} refers to [{each.label}], which"
        if known is not None:
            if known.value != each.value:
                warnings.append(f"{what} means something else in the base")
        elif each.label not in added:
            text = with_newlines(source.source[each.start : each.end], newline)
            added[each.label] = (each.value, text, plan.take.label)
        elif added[each.label][0] != each.value:
            warnings.append(f"{what} another take defines otherwise")


def _orphans(
    base: Sections,
    plans: Sequence[Planned],
    gone: dict[str, Definition],
    added: dict[str, tuple[bytes, bytes, str]],
    newline: bytes,
) -> dict[str, tuple[bytes, bytes, str]]:
    brought = {
        d.label
        for plan in plans
        for d in plan.source.definitions
        if plan.section.start <= d.start < plan.section.end
    }
    orphans: dict[str, tuple[bytes, bytes, str]] = {}
    if gone:
        used: set[str] = set()
        at = 0
        for target in sorted((p.target for p in plans if p.target is not None), key=lambda s: s.start):
            used |= _labels(base, at, target.start)
            at = target.end
        used |= _labels(base, at, len(base.source))
        for label, each in gone.items():
            if label in used and label not in brought and label not in added:
                orphans[label] = (each.value, base.source[each.start : each.end], "the base")
    return orphans


def _labels(document: Sections, start: int, end: int) -> set[str]:
    """Reference labels that a range of the document mentions outside code."""
    lines = []
    line = document.line_of(start)
    defined = {document.line_of(each.start) for each in document.definitions}
    while document.line_start(line) < end and document.line_start(line) < len(document.source):
        if not document.is_code(line):
            text = document.source[
                max(start, document.line_start(line)) : min(end, document.line_start(line + 1))
            ]
            if line in defined:
                text = text.partition(b"]:")[2]
            lines.append(text)
        line += 1
    text = _CODE_SPAN.sub(b"", b"".join(lines))
    found = {normalised(match) for match in _LABEL.findall(text)}
    # `[![badge]][link]` nests one label in another.
    found |= {normalised(match) for match in re.findall(rb"\]\[((?:[^\]\[\\]|\\.)+)\]", text)}
    return found


def _appended(
    base: Sections, added: dict[str, tuple[bytes, bytes, str]], edits: Sequence[Edit], newline: bytes
) -> list[Edit]:
    if not added:
        return []
    has_tail = base.tail < len(base.source) and any(d.start >= base.tail for d in base.definitions)
    end = base.last_text(len(base.source))
    grows = any(edit.end >= end for edit in edits) or end > 0
    lead = newline if has_tail else newline * 2 if grows else b""
    parts = []
    for index, (label, (_value, text, origin)) in enumerate(added.items()):
        parts.append(Part((lead if index == 0 else newline) + text, (f"[{label}]", origin)))
    return [Edit(end, end, parts, rank=2)]
