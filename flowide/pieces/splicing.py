"""Splicing: pieces of other sources put into a base, everything else of it untouched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flowide.errors import BadInput, Rejected
from flowide.pieces.adapting import adapted, is_grouped, renamed
from flowide.pieces.edits import Edit, Edited, Part
from flowide.pieces.imports import carried
from flowide.pieces.imports.model import Added
from flowide.pieces.indent import line_indent, unit_of
from flowide.pieces.lacking import lacking_helpers
from flowide.pieces.matching import default_export, home, is_single, match, split_name
from flowide.pieces.model import Change, Language, Spliced, Take
from flowide.pieces.outline import Item, Outline
from flowide.pieces.placing import end_slot, slot_for
from flowide.pieces.spacing import Slot, below_comment, blanks_between, shifts_iota
from flowide.pieces.verifying import verify


@dataclass(slots=True, eq=False)
class Plan:
    """What is to happen with one take."""

    index: int
    take: Take
    source: Outline
    item: Item
    target: Item | None
    """The base's piece that gives way; None for an insertion."""
    parent: Item | None
    """The base's piece that will enclose it."""
    path: str
    """Its name in the result, without `#n`."""
    slot: Slot | None = None
    text: bytes = b""
    unchanged: bool = False
    references: int = 0


def splice(base: bytes, takes: Sequence[Take], language: Language) -> Spliced:
    """Put pieces of other sources into a base.

    A piece replaces the base's piece of the same name (or of the name it is given), else it is inserted after the
    nearest preceding sibling that both sources have. Comments, decorators and attributes travel with it, imports
    it needs are added, its indentation and line breaks are adapted, and nothing else of the base changes.

    Raises:
        NotFound: A take names no piece of its source; the hint names similar ones.
        BadInput: A source is not UTF-8, has NUL bytes or is larger than 16 MiB.
        Rejected: The result would not parse, would lose other pieces, or has no place for a piece.
    """
    if not takes:
        raise BadInput("nothing to take", hint="Name at least one piece.")
    if language == "markdown":
        from flowide.pieces.section_splicing import splice_sections  # loads markdown-it

        return splice_sections(base, takes)
    outline = Outline(base, language, "the base")
    plans = _plans(outline, takes, language)
    for plan in plans:
        _refuse_shared_names(outline, plan)
    _refuse_overlaps(plans)
    outline.borrowed_unit = next((unit for plan in plans if (unit := unit_of(plan.source, plan.item))), None)
    edits = _edits(outline, plans)
    active = [plan for plan in plans if not plan.unchanged]
    added = carried(outline, active) if active else Added([], [])
    edited = Edited(base, edits + added.edits) if active else Edited(base, [])
    result = verify(outline, plans, edited) if active else outline
    warnings = (
        _ambiguous(plans)
        + added.warnings
        + (lacking_helpers(outline, result, active, added.names) if active else [])
    )
    for plan in active:
        if plan.slot is not None and shifts_iota(outline, plan.slot):
            warnings.append(f"{plan.path} moves the iota of the constants below it")
        if plan.take.as_name is None and plan.target is not None and plan.target.path != plan.item.path:
            warnings.append(f"{plan.item.name} takes the place of the default export {plan.target.name}")
        if plan.references:
            warnings.append(f"{plan.item.name}: {plan.references} references to itself were renamed too")
    return Spliced(
        source=edited.text,
        changes=_changes(outline, plans, edited, result),
        warnings=list(dict.fromkeys(warnings)),
    )


def _plans(base: Outline, takes: Sequence[Take], language: Language) -> list[Plan]:
    outlines: dict[bytes, Outline] = {base.source: base}
    plans = []
    for index, take in enumerate(takes):
        source = outlines.get(take.source)
        if source is None:
            source = outlines[take.source] = Outline(take.source, language, take.label)
        found = source.by_name.get(take.piece)
        if found is None:
            source.label = take.label
            found = source.item(take.piece)
        plans.append(_plan(base, source, found, index, take))
    return plans


def _plan(base: Outline, source: Outline, item: Item, index: int, take: Take) -> Plan:
    if take.as_name is None:
        target = match(base, source, item)
        parent = target.parent if target else home(base, source, item)
        if target is None and item.parent is not None and parent is None:
            raise Rejected(
                f"the base has no {item.parent.name} to put {item.name} into",
                hint=f"Take {item.parent.name} as a whole, or say where it goes with another name.",
                piece=item.name,
                parent=item.parent.name,
            )
        _refuse_second(base, source, item, target)
        return Plan(index, take, source, item, target, parent, item.path)
    target = base.by_name.get(take.as_name)
    if target is not None:
        parent, simple = target.parent, target.simple
    else:
        parent, simple = split_name(base, take.as_name)
    owner = None
    if base.language == "go" and "." in simple:
        owner, simple = simple.rsplit(".", 1)
    if "." in simple and target is None:
        missing = take.as_name.rsplit(".", 1)[0]
        raise Rejected(
            f"the base has no {missing} to put {take.as_name} into",
            hint="Name a piece of the base, or a new name inside one.",
            piece=item.name,
            parent=missing,
        )
    if target is not None and target.role == item.role == "default":
        # The default export needs no certain name.
        return Plan(index, take, source, item, target, parent, item.path)
    source, item, references = renamed(source, item, simple.rsplit(".", 1)[-1], owner)
    path = target.path if target else take.as_name
    return Plan(index, take, source, item, target, parent, path, references=references)


def _ambiguous(plans: Sequence[Plan]) -> list[str]:
    """Takes by a name that other pieces of the source share, when these are left out."""
    warnings = []
    for plan in plans:
        asked = plan.take.piece
        taken = {other.take.piece for other in plans if other.take.source == plan.take.source}
        shared = [] if "#" in asked else _sharing(plan, asked)
        left = [name for name in shared if name not in taken]
        if left:
            where = plan.take.label or "its source"
            warnings.append(
                f"{asked} is the first of {len(shared)} of that name in {where}; not taken: {', '.join(left)}"
            )
    return warnings


def _sharing(plan: Plan, name: str) -> list[str]:
    found = plan.source.by_path.get(name, [])
    return [item.name for item in found] if plan.take.as_name is None else []


def _refuse_second(base: Outline, source: Outline, item: Item, target: Item | None) -> None:
    """A second definition of one name, where the language knows no overloads, would hide the first."""
    exported = default_export(base)
    if item.role == "default" and exported is not None and target is not exported:
        raise Rejected(
            f"the base has a default export already: {exported.name}",
            hint=f"Take it in its place: --as {exported.name}.",
            piece=item.name,
        )
    known = [other for other in base.by_path.get(item.path, []) if other.role == item.role]
    if target is None and known and is_single(base, item):
        raise Rejected(
            f"which {item.path} of the base {item.name} stands for is not clear:"
            f" the base has {len(known)}, its source {len(source.by_path[item.path])}",
            hint=f"Say which one it replaces: --as {known[0].name}.",
            piece=item.name,
        )


def _refuse_shared_names(base: Outline, plan: Plan) -> None:
    """`int x, y;` declares two names at once: none of them may get lost or come twice."""
    item, target = plan.item, plan.target
    if item.role == "default":
        return
    names = set(item.names)
    kept = set(target.names) if target is not None else set()
    lost = kept - names if len(kept) > 1 else set()
    if target is not None and lost:
        raise Rejected(
            f"{target.name} of the base also declares {', '.join(sorted(lost))}, which {item.name} does not",
            hint="Part the declarations first.",
            piece=item.name,
            lost=sorted(lost),
        )
    for other in base.items:
        twice = (
            (names - kept) & set(other.names) if other.parent is plan.parent and other is not target else ()
        )
        if twice and len(names) + len(other.names) > 2:
            raise Rejected(
                f"{', '.join(sorted(twice))} would be declared twice: by {item.name} and by {other.name} of the base",
                hint="Part the declarations first.",
                piece=item.name,
            )


def _refuse_overlaps(plans: list[Plan]) -> None:
    seen: list[tuple[str, Plan]] = []
    for plan in plans:
        key = plan.target.name if plan.target else f"{plan.path} ({plan.item.role})"
        for other_key, other in seen:
            if key == other_key:
                raise Rejected(
                    f"{key} is taken twice: from {_origin(other)} and from {_origin(plan)}",
                    hint="Take each piece from one source.",
                    piece=key,
                )
        seen.append((key, plan))
    for plan in plans:
        for other in plans:
            if plan is other:
                continue
            outer = plan.target
            inner = other.target or other.parent
            around = inner if other.target is None else inner.parent if inner else None
            while around is not None and outer is not None:
                if around is outer:
                    raise Rejected(
                        f"{other.path} lies inside {plan.path}, which is taken as a whole",
                        hint="Take either the whole or its members.",
                        piece=other.path,
                        parent=plan.path,
                    )
                around = around.parent


def _origin(plan: Plan) -> str:
    return plan.take.label or f"take {plan.index + 1}"


def _edits(base: Outline, plans: list[Plan]) -> list[Edit]:
    edits: list[Edit] = []
    slots: dict[tuple[int, int], Slot] = {}
    filled: dict[tuple[int, int], list[Plan]] = {}
    for plan in sorted(plans, key=lambda plan: (plan.target is None, _source_order(plans, plan))):
        if plan.target is not None:
            _replace(base, plan, edits)
        else:
            slot = _slot(base, plan)
            slot = slots.setdefault(slot.key, slot)
            plan.slot = slot
            filled.setdefault(slot.key, []).append(plan)
    for key, inside in filled.items():
        edits.append(_filled(base, slots[key], inside))
    return edits


def _source_order(plans: list[Plan], plan: Plan) -> tuple[int, int]:
    """Takes from one source keep the order they have there."""
    first = next(other.index for other in plans if other.take.source == plan.take.source)
    return first, plan.item.start


def _replace(base: Outline, plan: Plan, edits: list[Edit]) -> None:
    target = plan.target
    assert target is not None
    indent, _ = line_indent(base.source, target.start)
    plan.text = adapted(base, plan.source, plan.item, indent, beside=target, grouped=is_grouped(target))
    if plan.text == base.source[target.start : target.end]:
        plan.unchanged = True
    else:
        edits.append(Edit(target.start, target.end, [Part(plan.text, plan)], rank=1))


def _slot(base: Outline, plan: Plan) -> Slot:
    moved_away = plan.take.as_name is not None and (plan.item.parent is None) != (plan.parent is None)
    renamed_home = plan.take.as_name is not None and plan.item.parent is not None
    if moved_away or (
        renamed_home and plan.item.parent and plan.parent and plan.item.parent.path != plan.parent.path
    ):
        return end_slot(base, plan.source, plan.item, plan.parent)
    return slot_for(base, plan.source, plan.item, plan.parent)


def _filled(base: Outline, slot: Slot, plans: list[Plan]) -> Edit:
    newline = base.newline or plans[0].source.newline or b"\n"
    parts: list[Part] = []
    before: tuple[Outline, Item] | None = (base, slot.after) if slot.after else None
    for position, plan in enumerate(plans):
        here = (plan.source, plan.item)
        if position == 0 and slot.blank_before is not None:
            blank = slot.blank_before
        else:
            blank = blanks_between(base, slot, before, here)
        if position == 0 and not blank and below_comment(base, slot):
            blank = 1
        lead = slot.lead if position == 0 else b""
        if not (slot.first_line and position == 0):
            lead += newline * (1 + blank)
        plan.text = adapted(
            base, plan.source, plan.item, slot.indent, beside=slot.beside, grouped=slot.grouped
        )
        parts.append(Part(lead + slot.indent + plan.text, plan))
        before = here
    if slot.followed and before is not None and slot.before is not None:
        wanted = blanks_between(base, slot, before, (base, slot.before))
        missing = max(0, wanted - slot.blank_after)
        parts[-1].text += newline * missing
    parts[-1].text += slot.tail
    return Edit(slot.start, slot.end, parts, rank=1)


def _changes(base: Outline, plans: list[Plan], edited: Edited, result: Outline) -> list[Change]:
    changes = []
    at_start = {item.start: item for item in reversed(result.items)}
    for placed in edited.placed:
        note = placed.part.note
        if isinstance(note, Plan):
            offset = placed.start + max(0, placed.part.text.find(note.text))
            found = at_start.get(offset)
            changes.append(
                Change(
                    piece=note.take.piece,
                    action="replaced" if note.target else "inserted",
                    label=note.take.label,
                    start=placed.start,
                    end=placed.end,
                    base_start=placed.base_start,
                    base_end=placed.base_end,
                    target=found.name if found else note.path,
                    take=note.index,
                )
            )
        else:
            what, label = note if isinstance(note, tuple) else ("", "")
            changes.append(
                Change(
                    piece=what,
                    action="import_added",
                    label=label,
                    start=placed.start,
                    end=placed.end,
                    base_start=placed.base_start,
                    base_end=placed.base_end,
                )
            )
    for plan in plans:
        if plan.unchanged and plan.target:
            start, end = edited.moved(plan.target.start), edited.moved(plan.target.end)
            found = at_start.get(start)
            changes.append(
                Change(
                    piece=plan.take.piece,
                    action="unchanged",
                    label=plan.take.label,
                    start=start,
                    end=end,
                    base_start=plan.target.start,
                    base_end=plan.target.end,
                    target=found.name if found else plan.path,
                    take=plan.index,
                )
            )
    changes.sort(key=lambda change: (change.start, change.end))
    return changes
