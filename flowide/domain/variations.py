"""Rules of variation sets: numbers are dense, texts never change, opinions are added."""

from __future__ import annotations

from typing import Any

from flowide.domain import artifacts, locks
from flowide.domain.actors import Caller, Now
from flowide.domain.commands import (
    AcceptVariation,
    AddVariation,
    Done,
    NoteVariation,
    Numbered,
    OpenVariationSet,
    RecordCheck,
    RejectVariation,
    ShortlistVariation,
    TagVariation,
    Versioned,
)
from flowide.domain.facts import (
    ArtifactSaved,
    VariationAccepted,
    VariationChecked,
    VariationCreated,
    VariationNoted,
    VariationRejected,
    VariationSetOpened,
    VariationShortlisted,
    VariationTagged,
)
from flowide.domain.limits import MAX_NAME, MAX_NOTE, check_text
from flowide.domain.outcome import Outcome
from flowide.domain.paths import checked_path
from flowide.domain.rows import Variation, VariationSet, Version
from flowide.domain.view import Decision, View
from flowide.errors import BadInput, Exists, NotFound

MAX_OUTPUT = 64 * 1024
MAX_BRIEF = 256 * 1024


def open_set(view: View, command: OpenVariationSet, caller: Caller, now: Now) -> Decision:
    """Make a place for variations."""
    check_text("set", command.set, MAX_NAME, least=1)
    check_text("title", command.title, MAX_NOTE, least=1)
    check_text("brief", command.brief, MAX_BRIEF)
    if view.get(VariationSet, command.set) is not None:
        raise Exists(f"there is a variation set {command.set} already", hint="Make a new id.")
    out = Outcome()
    digest, base = None, None
    if command.artifact is not None:
        row = locks.artifact_row(view, command.artifact)
        version = view.get(Version, row.id, command.base or row.version)
        if version is None:
            raise NotFound(f"{row.path} has no version {command.base}", version=row.version)
        digest, base = version.sha256, version.version
    if command.base_text is not None:
        digest, _ = artifacts.content(view, command.base_text, None, out)
    out.facts.append(
        VariationSetOpened(
            set=command.set,
            title=command.title,
            brief=command.brief,
            path=None if command.path is None else checked_path(command.path),
            artifact=command.artifact,
            base=base,
            base_sha256=digest,
            piece=command.piece,
            run=command.run,
        )
    )
    return out.decision(Done())


def add(view: View, command: AddVariation, caller: Caller, now: Now) -> Decision:
    """Add the variation with the next number."""
    row = _set(view, command.set)
    if view.count(Variation, id=command.id):
        raise Exists(f"there is a variation {command.id} already", hint="Make a new id.")
    out = Outcome()
    digest, size = artifacts.content(view, command.text, command.blob, out)
    by_agent = command.author is not None and command.author != caller.actor.id
    out.facts.append(
        VariationCreated(
            set=row.id,
            number=row.count + 1,
            variation=command.id,
            round=command.round,
            origin=command.origin,
            sha256=digest,
            size=size,
            author=command.author or caller.actor.id,
            author_kind="agent" if by_agent else caller.actor.kind,
            model=command.model,
            run=command.run,
            step=command.step,
            parents=command.parents,
            lineage=command.lineage,
            input_tokens=command.input_tokens,
            output_tokens=command.output_tokens,
            cost_micros=command.cost_micros,
        )
    )
    return out.decision(Numbered(row.count + 1, digest))


def check(view: View, command: RecordCheck, caller: Caller, now: Now) -> Decision:
    """Record what a check found."""
    _variation(view, command.set, command.number)
    check_text("name", command.name, MAX_NAME, least=1)
    check_text("output", command.output, MAX_OUTPUT)
    return Decision(
        ok=Done(),
        facts=[
            VariationChecked(
                set=command.set,
                number=command.number,
                name=command.name,
                status=command.status,
                duration_ms=command.duration_ms,
                metrics=command.metrics,
                output=command.output,
            )
        ],
    )


def tag(view: View, command: TagVariation, caller: Caller, now: Now) -> Decision:
    """Add or remove tags."""
    _variation(view, command.set, command.number)
    for name in [*command.add, *command.remove]:
        check_text("tag", name.strip(), MAX_NAME, least=1)
    if not command.add and not command.remove:
        raise BadInput("no tag was given", hint="Name tags to add or to remove.")
    return Decision(
        ok=Done(),
        facts=[
            VariationTagged(
                set=command.set,
                number=command.number,
                add=[name.strip() for name in command.add],
                remove=[name.strip() for name in command.remove],
            )
        ],
    )


def shortlist(view: View, command: ShortlistVariation, caller: Caller, now: Now) -> Decision:
    """Put on the short list, or take off."""
    _variation(view, command.set, command.number)
    return Decision(
        ok=Done(), facts=[VariationShortlisted(set=command.set, number=command.number, on=command.on)]
    )


def reject(view: View, command: RejectVariation, caller: Caller, now: Now) -> Decision:
    """Set aside, or take back in."""
    _variation(view, command.set, command.number)
    return Decision(
        ok=Done(), facts=[VariationRejected(set=command.set, number=command.number, on=command.on)]
    )


def note(view: View, command: NoteVariation, caller: Caller, now: Now) -> Decision:
    """Say something about a variation."""
    _variation(view, command.set, command.number)
    check_text("text", command.text.strip(), MAX_NOTE, least=1)
    if command.score is not None and not 1 <= command.score <= 10:
        raise BadInput(f"a score of {command.score} is not possible", hint="Scores go from 1 to 10.")
    return Decision(
        ok=Done(),
        facts=[
            VariationNoted(
                set=command.set,
                number=command.number,
                text=command.text.strip(),
                kind=command.kind,
                score=command.score,
            )
        ],
    )


def accept(view: View, command: AcceptVariation, caller: Caller, now: Now) -> Decision:
    """Save a variation as the next version of an artifact, with its lineage."""
    check_text("note", command.note, MAX_NOTE)
    chosen = _variation(view, command.set, command.number)
    row, lock = artifacts.writable(view, command.artifact, command.fence, command.base, caller)
    parent: dict[str, Any] = {
        "set": chosen.set,
        "variation": chosen.number,
        "actor": chosen.actor,
        "kind": chosen.kind,
    }
    if chosen.lineage:
        parent["lineage"] = chosen.lineage
    out = Outcome()
    out.facts.append(
        ArtifactSaved(
            artifact=row.id,
            path=row.path,
            version=row.version + 1,
            base=row.version,
            sha256=chosen.sha256,
            size=chosen.size,
            fence=command.fence,
            note=command.note,
            model=chosen.model,
            run=chosen.run,
            step=chosen.step,
            parents=[parent],
        )
    )
    out.facts.append(
        VariationAccepted(set=chosen.set, number=chosen.number, artifact=row.id, version=row.version + 1)
    )
    fence = artifacts.finish(view, lock, command.then, now, out)
    return out.decision(Versioned(row.id, row.version + 1, chosen.sha256, fence))


def _set(view: View, id: str) -> VariationSet:
    row = view.get(VariationSet, id)
    if row is None:
        raise NotFound(
            f"there is no variation set {id[:100]}", hint="List them with `flowide variations list`."
        )
    return row


def _variation(view: View, set: str, number: int) -> Variation:
    row = view.get(Variation, set, number)
    if row is None:
        count = _set(view, set).count
        raise NotFound(
            f"the set has no variation {number}",
            hint=f"It has 1 to {count}." if count else "It has none yet.",
        )
    return row
