"""Splicing sections of Markdown documents: levels adapted, definitions carried."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from flowide.errors import Rejected
from flowide.pieces.edits import Edit, Edited, Part
from flowide.pieces.indent import with_newlines
from flowide.pieces.model import Change, Spliced, Take
from flowide.pieces.outline import BOM
from flowide.pieces.section_definitions import carried_definitions
from flowide.pieces.sections import Section, Sections

_DEEPEST = 6


@dataclass(slots=True, eq=False)
class _Plan:
    index: int
    take: Take
    source: Sections
    section: Section
    target: Section | None
    home: Section | None
    path: str
    text: bytes = b""
    unchanged: bool = False


def splice_sections(base: bytes, takes: Sequence[Take]) -> Spliced:
    """Put sections of other documents into a base document.

    Raises:
        NotFound, BadInput, Rejected: As `splice`.
    """
    document = Sections(base, "the base")
    sources: dict[bytes, Sections] = {base: document}
    plans = []
    for index, take in enumerate(takes):
        if take.source not in sources:
            sources[take.source] = Sections(take.source, take.label)
        plans.append(_plan(document, sources[take.source], take, index))
    _refuse_overlaps(plans)
    edits: list[Edit] = []
    inserted: dict[int, Edit] = {}
    for plan in sorted(plans, key=lambda plan: (plan.take.source, plan.section.start)):
        _place(document, plan, edits, inserted)
    active = [plan for plan in plans if not plan.unchanged]
    warnings = _ambiguous(plans)
    if active:
        edits += carried_definitions(document, active, edits, warnings)
    edited = Edited(base, edits)
    result = _verified(document, active, edited) if active else document
    return Spliced(
        source=edited.text, changes=_changes(plans, edited, result), warnings=list(dict.fromkeys(warnings))
    )


def _plan(base: Sections, source: Sections, take: Take, index: int) -> _Plan:
    section = source.section(take.piece)
    if take.as_name is None:
        target = _match(base, source, section)
        home = _home(base, source, section) if target is None else target.parent
        text_path = target.path if target else _path_in(base, home, section.title)
        return _Plan(index, take, source, section, target, home, text_path)
    target = base.by_name.get(take.as_name)
    if target is None and base.title is not None:
        target = base.by_name.get(take.as_name.removeprefix(f"{base.title.title}/"))
    if target is not None:
        return _retitled(
            _Plan(index, take, source, section, target, target.parent, target.path), target.title
        )
    parent, _, title = take.as_name.rpartition("/")
    home = base.by_name.get(parent) if parent else base.title
    if parent and home is None:
        raise Rejected(
            f"the base has no section {parent!r} to put {take.as_name!r} into",
            hint="Name a section of the base, or a new title below one.",
            piece=take.piece,
            parent=parent,
        )
    return _retitled(_Plan(index, take, source, section, None, home, _path_in(base, home, title)), title)


def _ambiguous(plans: Sequence[_Plan]) -> list[str]:
    """Takes by a title that other sections of the same place share, when these are left out."""
    warnings = []
    for plan in plans:
        asked = plan.section
        taken = {id(other.section) for other in plans}
        shared = [other for other in plan.source.sections if other.path == asked.path]
        left = [other.name for other in shared if id(other) not in taken]
        if asked.name == asked.path and left and plan.take.as_name is None:
            where = plan.take.label or "its source"
            warnings.append(
                f"{asked.name} is the first of {len(shared)} of that name in {where}; not taken: {', '.join(left)}"
            )
    return warnings


def _path_in(base: Sections, home: Section | None, title: str) -> str:
    return f"{home.name}/{title}" if home is not None and home is not base.title else title


def _retitled(plan: _Plan, title: str) -> _Plan:
    """The plan with a source whose heading has another text."""
    section, source = plan.section, plan.source
    if section.title == title:
        return plan
    first, after = source.line_start(section.line), source.line_start(section.heading_end)
    heading = source.source[first:after]
    if section.setext:
        under = heading.rstrip(b"\r\n").splitlines()[-1]
        new = title.encode() + (source.newline or b"\n") + under
    else:
        new = b"#" * section.level + b" " + title.encode()
    tail = heading[len(heading.rstrip(b"\r\n")) :]
    index = source.sections.index(section)
    again = Sections(source.source[:first] + new + tail + source.source[after:], source.label)
    if len(again.sections) != len(source.sections):
        raise Rejected(f"{title!r} cannot be a heading", hint="Choose a plain text.", piece=plan.take.piece)
    plan.source, plan.section = again, again.sections[index]
    return plan


def _match(base: Sections, source: Sections, section: Section) -> Section | None:
    theirs = [other for other in source.sections if other.path == section.path]
    ours = [other for other in base.sections if other.path == section.path]
    rank = theirs.index(section)
    return ours[rank] if rank < len(ours) else None


def _home(base: Sections, source: Sections, section: Section) -> Section | None:
    parent = section.parent
    if parent is None or parent is source.title:
        # A heading of level 1 is the equal of a title, not a part below it.
        return base.title if section is not source.title and section.level > 1 else None
    found = _match(base, source, parent)
    if found is None:
        raise Rejected(
            f"the base has no section {parent.name!r} to put {section.title!r} into",
            hint=f"Take {parent.name!r} as a whole, or say where it goes with another name.",
            piece=section.name,
            parent=parent.name,
        )
    return found


def _refuse_overlaps(plans: Sequence[_Plan]) -> None:
    for index, plan in enumerate(plans):
        for other in plans[:index]:
            same = plan.target is other.target if plan.target or other.target else plan.path == other.path
            if same and (plan.target or plan.home is other.home):
                raise Rejected(
                    f"{plan.path!r} is taken twice",
                    hint="Take each section from one source.",
                    piece=plan.path,
                )
    for plan in plans:
        for other in plans:
            around = other.target.parent if other.target else other.home
            while around is not None and plan is not other:
                if around is plan.target:
                    raise Rejected(
                        f"{other.path!r} lies inside {plan.path!r}, which is taken as a whole",
                        hint="Take either the whole or its subsections.",
                        piece=other.path,
                        parent=plan.path,
                    )
                around = around.parent


def _place(base: Sections, plan: _Plan, edits: list[Edit], inserted: dict[int, Edit]) -> None:
    level = plan.target.level if plan.target else _level(base, plan)
    text = _releveled(plan.source, plan.section, level)
    newline = base.newline or plan.source.newline or b"\n"
    plan.text = with_newlines(text, newline)
    if plan.target is not None:
        if plan.text == base.source[plan.target.start : plan.target.end]:
            plan.unchanged = True
        else:
            edits.append(Edit(plan.target.start, plan.target.end, [Part(plan.text, plan)], rank=1))
        return
    at = _gap(base, plan)
    if at in inserted:
        before = inserted[at].parts[-1]
        closing = before.text[before.text.rindex(_plan_of(before).text) + len(_plan_of(before).text) :]
        before.text = before.text[: len(before.text) - len(closing)]
        inserted[at].parts.append(Part(newline * 2 + plan.text + closing, plan))
        return
    lead, closing = newline * 2, b""
    if not base.source[:at].removeprefix(BOM).strip():
        lead = b""
        closing = newline * 2 if base.source[at:].strip() else newline
    elif base.source[at:].strip():
        breaks = re.match(rb"[ \t]*(\r\n|\r|\n)?[ \t]*(\r\n|\r|\n)?", base.source[at:])
        found = sum(group is not None for group in breaks.groups()) if breaks else 0
        closing = newline * (2 - found)
    edit = Edit(at, at, [Part(lead + plan.text + closing, plan)], rank=1)
    inserted[at] = edit
    edits.append(edit)


def _plan_of(part: Part) -> _Plan:
    assert isinstance(part.note, _Plan)
    return part.note


def _level(base: Sections, plan: _Plan) -> int:
    """The level a new section gets: its own if that fits, else that of its new siblings."""
    own, home = plan.section.level, plan.home
    peers = home.children if home is not None else [s for s in base.sections if s.parent is None]
    if any(peer.level == own for peer in peers):
        return own
    if peers:
        return peers[0].level
    return own if home is None or own > home.level else home.level + 1


def _releveled(source: Sections, section: Section, level: int) -> bytes:
    """The section's text with all its headings moved to another level."""
    delta = level - section.level
    if not delta:
        return source.source[section.start : section.end]
    inside = [other for other in source.sections if section.start <= other.start < section.end]
    out, at = [], section.start
    for heading in inside:
        new = heading.level + delta
        if new > _DEEPEST:
            raise Rejected(
                f"{heading.title!r} would need heading level {new}",
                hint="Take it to a higher place, or take its parts.",
                piece=section.name,
            )
        first, after = heading.start, source.line_start(heading.heading_end)
        text = source.source[first:after]
        out += [source.source[at:first], _heading(text, heading, new)]
        at = after
    out.append(source.source[at : section.end] if at < section.end else b"")
    joined = b"".join(out)
    return joined if at < section.end else joined.rstrip(b"\r\n")


def _heading(text: bytes, heading: Section, level: int) -> bytes:
    if not heading.setext:
        body = text[heading.level :]
        closing = re.search(rb"[ \t]#+[ \t]*(\r?\n)?$", body)
        if closing:
            marks = closing[0].count(b"#")
            if marks == heading.level:
                body = body[: closing.start()] + closing[0].replace(b"#" * marks, b"#" * level)
        return b"#" * level + body
    content = text.rstrip(b"\r\n")
    tail = text[len(content) :]
    lines = re.split(rb"\r\n|\r|\n", content)
    if level <= 2:
        old, new = (b"=", b"-") if level == 2 else (b"-", b"=")
        under = content.rstrip(b" \t")
        cut = len(under) - len(under.rstrip(b"=-"))
        return under[:-cut] + under[-cut:].replace(old, new) + content[len(under) :] + tail
    words = b" ".join(line.strip() for line in lines[:-1])
    return b"#" * level + b" " + words + tail


def _gap(base: Sections, plan: _Plan) -> int:
    """After the nearest section before it that both documents have, else at the end of its parent."""
    parent = plan.section.parent
    if plan.take.as_name is None:
        peers = parent.children if parent else [s for s in plan.source.sections if s.parent is None]
        for other in reversed(peers[: peers.index(plan.section)]):
            found = _match(base, plan.source, other)
            if found is not None and found.parent is plan.home:
                return found.end
    if plan.home is not None:
        return plan.home.end
    return base.last_text(base.tail)


def _verified(base: Sections, plans: Sequence[_Plan], edited: Edited) -> Sections:
    result = Sections(edited.text, "the result")
    starts = {section.start: section for section in result.sections}
    names = ", ".join(plan.take.piece for plan in plans)
    expected = Counter(section.title for section in base.sections)
    for plan in plans:
        if plan.target is not None:
            expected -= Counter(_titles(base, plan.target))
        expected += Counter(_titles(plan.source, plan.section))
    for placed in edited.placed:
        if isinstance(placed.part.note, _Plan):
            text = placed.part.note.text
            start = placed.start + placed.part.text.find(text)
            found = starts.get(start)
            if found is None or not _is_whole(result, found, start + len(text)):
                raise Rejected(
                    f"{names} would run together with the text beside it",
                    hint="Is there an open code fence or HTML comment?",
                    piece=placed.part.note.take.piece,
                )
    if Counter(section.title for section in result.sections) != expected:
        raise Rejected(
            f"{names} would change other sections of the base",
            hint="Is there an open code fence or HTML comment?",
        )
    return result


def _is_whole(document: Sections, section: Section, end: int) -> bool:
    """True when the section ends there; definitions at its end may have become those that close the document."""
    closing = section.end < end and document.tail <= end
    return section.end == end or (closing and not document.source[section.end : document.tail].strip())


def _titles(document: Sections, section: Section) -> list[str]:
    return [other.title for other in document.sections if section.start <= other.start < section.end]


def _changes(plans: Sequence[_Plan], edited: Edited, result: Sections) -> list[Change]:
    starts = {section.start: section.name for section in result.sections}
    changes = []
    for placed in edited.placed:
        note = placed.part.note
        plan = note if isinstance(note, _Plan) else None
        what, label = ("", "") if plan or not isinstance(note, tuple) else note
        target = ""
        if plan:
            target = starts.get(placed.start + placed.part.text.find(plan.text), plan.path)
        changes.append(
            Change(
                piece=plan.take.piece if plan else what,
                action="import_added" if plan is None else "replaced" if plan.target else "inserted",
                label=plan.take.label if plan else label,
                start=placed.start,
                end=placed.end,
                base_start=placed.base_start,
                base_end=placed.base_end,
                target=target,
                take=plan.index if plan else -1,
            )
        )
    for plan in plans:
        if plan.unchanged and plan.target:
            start = edited.moved(plan.target.start)
            changes.append(
                Change(
                    piece=plan.take.piece,
                    action="unchanged",
                    label=plan.take.label,
                    start=start,
                    end=edited.moved(plan.target.end),
                    base_start=plan.target.start,
                    base_end=plan.target.end,
                    target=starts.get(start, plan.path),
                    take=plan.index,
                )
            )
    changes.sort(key=lambda change: (change.start, change.end))
    return changes
