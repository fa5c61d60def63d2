"""Projections: what each event changes in the tables. Pure, so every store and every rebuild folds alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import Struct, structs

from flowide.domain import facts as f
from flowide.domain import rows as r
from flowide.domain.events import Event
from flowide.domain.paths import path_key
from flowide.domain.view import View

R = TypeVar("R", bound=r.Row)


class Changes(Struct, frozen=True):
    """Rows to write and rows to remove (of those only the key counts)."""

    put: list[r.Row] = []
    drop: list[r.Row] = []


def project(view: View, event: Event, fact: f.Fact | None = None) -> Changes:
    """What an event changes; an unknown type changes nothing.

    `fact` is the event's typed data, when the caller has it at hand.
    """
    fact = event.fact() if fact is None else fact
    if fact is None:
        return Changes()
    return FOLDS[type(fact)](view, event, fact)


class BrokenLog(Exception):
    """An event refers to something no earlier event made; data: the seq."""


def _must(view: View, event: Event, row: type[R], *key: Any) -> R:
    found = view.get(row, *key)
    if found is None:
        raise BrokenLog(f"event {event.seq} ({event.type}) refers to a missing {row.__name__} {key}")
    return found


# --- artifacts --------------------------------------------------------------------------------------


def _version(event: Event, fact: f.Saved) -> r.Version:
    return r.Version(
        artifact=fact.artifact,
        version=fact.version,
        base=fact.base,
        path=fact.path,
        sha256=fact.sha256,
        size=fact.size,
        fence=fact.fence,
        note=fact.note,
        actor=event.actor["id"],
        kind=event.actor["kind"],
        for_=event.actor.get("for"),
        model=fact.model,
        run=fact.run,
        step=fact.step,
        parents=fact.parents,
        seq=event.seq,
        ts=event.ts,
    )


def _created(view: View, event: Event, fact: f.ArtifactCreated) -> Changes:
    artifact = r.Artifact(
        fact.artifact, fact.path, path_key(fact.path), fact.kind, fact.version, fact.sha256, fact.size
    )
    return Changes([artifact, _version(event, fact)])


def _saved(view: View, event: Event, fact: f.Saved) -> Changes:
    row = _must(view, event, r.Artifact, fact.artifact)
    deleted = isinstance(fact, f.ArtifactDeleted)
    row = r.Artifact(
        id=row.id,
        path=fact.path,
        path_key=f"!{row.id}" if deleted else path_key(fact.path),
        kind=row.kind,
        version=fact.version,
        sha256=fact.sha256,
        size=fact.size,
        deleted=deleted,
    )
    return Changes([row, _version(event, fact)])


# --- locks and drafts -------------------------------------------------------------------------------


def _held(event: Event, holder: f.Holder, *, artifact: str, fence: int, purpose: str, ttl_ms: int) -> r.Lock:
    kind: Any = holder.kind
    return r.Lock(
        artifact=artifact,
        state="held",
        fence=fence,
        actor=holder.actor,
        kind=kind,
        for_=holder.for_,
        client=holder.client,
        purpose=purpose,
        since=event.ts,
        ttl_ms=ttl_ms,
    )


def _acquired(view: View, event: Event, fact: f.LockAcquired) -> Changes:
    return Changes(
        [
            _held(
                event,
                fact.holder,
                artifact=fact.artifact,
                fence=fact.fence,
                purpose=fact.purpose,
                ttl_ms=fact.ttl_ms,
            )
        ]
    )


def _lapsed(view: View, event: Event, fact: f.LockLapsed) -> Changes:
    return Changes([structs.replace(_must(view, event, r.Lock, fact.artifact), state="lapsed")])


def _revived(view: View, event: Event, fact: f.LockRevived) -> Changes:
    return Changes([structs.replace(_must(view, event, r.Lock, fact.artifact), state="held")])


def _released(view: View, event: Event, fact: f.LockReleased) -> Changes:
    return Changes([r.Lock(fact.artifact, fence=fact.fence)])


def _transferred(view: View, event: Event, fact: f.LockTransferred) -> Changes:
    before = _must(view, event, r.Lock, fact.artifact)
    return Changes(
        [
            _held(
                event,
                fact.to,
                artifact=fact.artifact,
                fence=fact.new_fence,
                purpose=before.purpose,
                ttl_ms=fact.ttl_ms,
            )
        ]
    )


def _forced(view: View, event: Event, fact: f.LockForced) -> Changes:
    if fact.new_fence is None:
        return Changes([r.Lock(fact.artifact, fence=fact.fence)])
    return Changes(
        [
            _held(
                event,
                fact.by,
                artifact=fact.artifact,
                fence=fact.new_fence,
                purpose=fact.reason,
                ttl_ms=fact.ttl_ms,
            )
        ]
    )


def _queued(view: View, event: Event, fact: f.LockQueued) -> Changes:
    kind: Any = fact.kind
    return Changes(
        [
            r.Ticket(
                id=fact.ticket,
                artifact=fact.artifact,
                actor=fact.actor,
                kind=kind,
                for_=fact.for_,
                client=fact.client,
                purpose=fact.purpose,
                ttl_ms=fact.ttl_ms,
                seq=event.seq,
            )
        ]
    )


def _dequeued(view: View, event: Event, fact: f.LockDequeued) -> Changes:
    return Changes(drop=[_must(view, event, r.Ticket, fact.ticket)])


def _draft_kept(view: View, event: Event, fact: f.DraftKept) -> Changes:
    return Changes(
        [
            r.Draft(
                id=fact.draft,
                artifact=fact.artifact,
                fence=fact.fence,
                base=fact.base,
                actor=fact.owner,
                sha256=fact.sha256,
                size=fact.size,
                why=fact.why,
                state="kept",
                seq=event.seq,
                ts=event.ts,
            )
        ]
    )


def _draft_adopted(view: View, event: Event, fact: f.DraftAdopted) -> Changes:
    return Changes([structs.replace(_must(view, event, r.Draft, fact.draft), state="adopted")])


def _draft_discarded(view: View, event: Event, fact: f.DraftDiscarded) -> Changes:
    return Changes([structs.replace(_must(view, event, r.Draft, fact.draft), state="discarded")])


# --- variations -------------------------------------------------------------------------------------


def _set_opened(view: View, event: Event, fact: f.VariationSetOpened) -> Changes:
    return Changes(
        [
            r.VariationSet(
                id=fact.set,
                title=fact.title,
                brief=fact.brief,
                path=fact.path,
                artifact=fact.artifact,
                base=fact.base,
                base_sha256=fact.base_sha256,
                piece=fact.piece,
                run=fact.run,
                count=0,
                round=0,
                actor=event.actor["id"],
                seq=event.seq,
                ts=event.ts,
            )
        ]
    )


def _variation_created(view: View, event: Event, fact: f.VariationCreated) -> Changes:
    group = _must(view, event, r.VariationSet, fact.set)
    kind: Any = fact.author_kind
    row = r.Variation(
        set=fact.set,
        number=fact.number,
        id=fact.variation,
        round=fact.round,
        origin=fact.origin,
        sha256=fact.sha256,
        size=fact.size,
        actor=fact.author,
        kind=kind,
        model=fact.model,
        run=fact.run,
        step=fact.step,
        parents=fact.parents,
        lineage=fact.lineage,
        input_tokens=fact.input_tokens,
        output_tokens=fact.output_tokens,
        cost_micros=fact.cost_micros,
        tags=[],
        shortlisted=False,
        rejected=False,
        notes=[],
        accepted=None,
        seq=event.seq,
        ts=event.ts,
    )
    return Changes([structs.replace(group, count=fact.number, round=max(group.round, fact.round)), row])


def _variation(view: View, event: Event, set: str, number: int) -> r.Variation:
    return _must(view, event, r.Variation, set, number)


def _checked(view: View, event: Event, fact: f.VariationChecked) -> Changes:
    return Changes(
        [
            r.Check(
                set=fact.set,
                number=fact.number,
                name=fact.name,
                status=fact.status,
                duration_ms=fact.duration_ms,
                metrics=fact.metrics,
                output=fact.output,
                seq=event.seq,
            )
        ]
    )


def _tagged(view: View, event: Event, fact: f.VariationTagged) -> Changes:
    row = _variation(view, event, fact.set, fact.number)
    tags = [tag for tag in row.tags if tag not in fact.remove]
    tags += [tag for tag in dict.fromkeys(fact.add) if tag not in tags]
    return Changes([structs.replace(row, tags=tags)])


def _shortlisted(view: View, event: Event, fact: f.VariationShortlisted) -> Changes:
    return Changes([structs.replace(_variation(view, event, fact.set, fact.number), shortlisted=fact.on)])


def _rejected(view: View, event: Event, fact: f.VariationRejected) -> Changes:
    return Changes([structs.replace(_variation(view, event, fact.set, fact.number), rejected=fact.on)])


def _noted(view: View, event: Event, fact: f.VariationNoted) -> Changes:
    row = _variation(view, event, fact.set, fact.number)
    note = {
        "text": fact.text,
        "actor": event.actor["id"],
        "kind": fact.kind,
        "score": fact.score,
        "ts": event.ts,
    }
    return Changes([structs.replace(row, notes=[*row.notes, note])])


def _accepted(view: View, event: Event, fact: f.VariationAccepted) -> Changes:
    return Changes([structs.replace(_variation(view, event, fact.set, fact.number), accepted=fact.version)])


# --- runs and gates ---------------------------------------------------------------------------------


def _run_started(view: View, event: Event, fact: f.RunStarted) -> Changes:
    return Changes(
        [
            r.Run(
                id=fact.run,
                flow=fact.flow,
                flow_sha256=fact.flow_sha256,
                flow_text=fact.flow_text,
                inputs=fact.inputs,
                options=fact.options,
                status="running",
                fence=fact.fence,
                actor=event.actor["id"],
                client=event.client,
                outputs={},
                totals={},
                error=None,
                exit_code=None,
                seq=event.seq,
                started=event.ts,
                finished=None,
            )
        ]
    )


def _run_claimed(view: View, event: Event, fact: f.RunClaimed) -> Changes:
    run = _must(view, event, r.Run, fact.run)
    return Changes(
        [
            structs.replace(
                run,
                status="running",
                fence=fact.fence,
                client=fact.client,
                error=None,
                exit_code=None,
                finished=None,
            )
        ]
    )


def _run_step(view: View, event: Event, fact: f.RunStep) -> Changes:
    before = view.get(r.Step, fact.run, fact.key)
    ended = fact.status != "started"
    return Changes(
        [
            r.Step(
                run=fact.run,
                key=fact.key,
                kind=fact.kind,
                status=fact.status,
                actor=event.actor["id"],
                attempt=fact.attempt,
                result=fact.result,
                error=fact.error,
                usage=fact.usage,
                seq=event.seq,
                started=before.started if before is not None and ended else event.ts,
                finished=event.ts if ended else None,
            )
        ]
    )


def _run_finished(view: View, event: Event, fact: f.RunFinished) -> Changes:
    run = _must(view, event, r.Run, fact.run)
    return Changes(
        [
            structs.replace(
                run,
                status=fact.status,
                outputs=fact.outputs,
                totals=fact.totals,
                error=fact.error,
                exit_code=fact.exit_code,
                finished=event.ts,
            )
        ]
    )


def _gate_opened(view: View, event: Event, fact: f.GateOpened) -> Changes:
    return Changes(
        [
            r.Gate(
                id=fact.gate,
                run=fact.run,
                step=fact.step,
                kind=fact.kind,
                question=fact.question,
                options=fact.options,
                context=fact.context,
                status="open",
                answer=None,
                reason=None,
                by=None,
                seq=event.seq,
                ts=event.ts,
            )
        ]
    )


def _gate_answered(view: View, event: Event, fact: f.GateAnswered) -> Changes:
    gate = _must(view, event, r.Gate, fact.gate)
    return Changes(
        [
            structs.replace(
                gate, status="answered", answer=fact.answer, reason=fact.reason, by=event.actor["id"]
            )
        ]
    )


FOLDS: dict[type[f.Fact], Callable[[View, Event, Any], Changes]] = {
    f.ArtifactCreated: _created,
    f.ArtifactSaved: _saved,
    f.ArtifactMoved: _saved,
    f.ArtifactDeleted: _saved,
    f.ArtifactRestored: _saved,
    f.LockAcquired: _acquired,
    f.LockLapsed: _lapsed,
    f.LockRevived: _revived,
    f.LockReleased: _released,
    f.LockTransferred: _transferred,
    f.LockForced: _forced,
    f.LockQueued: _queued,
    f.LockDequeued: _dequeued,
    f.DraftKept: _draft_kept,
    f.DraftAdopted: _draft_adopted,
    f.DraftDiscarded: _draft_discarded,
    f.VariationSetOpened: _set_opened,
    f.VariationCreated: _variation_created,
    f.VariationChecked: _checked,
    f.VariationTagged: _tagged,
    f.VariationShortlisted: _shortlisted,
    f.VariationRejected: _rejected,
    f.VariationNoted: _noted,
    f.VariationAccepted: _accepted,
    f.RunStarted: _run_started,
    f.RunClaimed: _run_claimed,
    f.RunStep: _run_step,
    f.RunFinished: _run_finished,
    f.GateOpened: _gate_opened,
    f.GateAnswered: _gate_answered,
}
