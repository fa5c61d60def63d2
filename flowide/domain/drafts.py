"""Rules of drafts: text is streamed under a fence, and an orphan draft is adopted or discarded."""

from __future__ import annotations

from datetime import datetime

from msgspec import structs

from flowide.domain import granting, locks
from flowide.domain.actors import Caller, Now
from flowide.domain.artifacts import content
from flowide.domain.commands import (
    MAX_BLOB,
    MAX_INLINE,
    AdoptDraft,
    Adopted,
    AppendDraft,
    DiscardDraft,
    Done,
    Have,
    KeepDraft,
    Kept,
)
from flowide.domain.facts import DraftAdopted, DraftDiscarded, DraftKept
from flowide.domain.leases import lease_key
from flowide.domain.limits import MAX_NAME, MAX_NOTE, check_text, check_ttl
from flowide.domain.live_text import keep_live, stream_of
from flowide.domain.outcome import Outcome
from flowide.domain.rows import Artifact, Chunk, Draft, Lease, LiveDraft, Lock
from flowide.domain.view import Decision, View
from flowide.errors import BadInput, DraftGap, Exists, Gone, NotAllowed, NotFound, TooLarge


def append(view: View, command: AppendDraft, caller: Caller, now: Now) -> Decision:
    """Store the next part of a draft; a part that is there already changes nothing."""
    check_text("text", command.text, MAX_INLINE)
    lock = locks.held_lock(view, command.artifact, command.fence, caller)
    live = view.get(LiveDraft, command.artifact, command.fence)
    if live is None:
        artifact = locks.artifact_row(view, command.artifact)
        live = LiveDraft(command.artifact, command.fence, artifact.version, 0)
    out = Outcome()
    stream = stream_of(command.artifact, command.fence)
    have = live.size
    if command.off > have or command.off < 0:
        raise DraftGap(
            f"the draft has {have} bytes, and the text starts at {command.off}",
            hint=f"Send again from byte {have}.",
            have=have,
        )
    text = command.text
    if command.cut and command.off < have:
        _cut(view, stream, command.off, out)
        live = structs.replace(live, cuts=live.cuts + 1)
        have = command.off
    elif command.off < have:
        text = _rest(text, have - command.off)
    size = have + len(text.encode())
    if size > MAX_BLOB:
        raise TooLarge(f"a draft of {size} bytes is too long", hint=f"The most is {MAX_BLOB} bytes.")
    if text:
        out.put.append(Chunk(stream, have, text))
    if size != live.size or text or command.cut:
        out.put.append(structs.replace(live, size=size))
    lease = view.get(Lease, lease_key("lock", lock.artifact))
    if lease is not None and lease.boot == now.boot:
        out.put.append(structs.replace(lease, active_ms=now.mono_ms))
    return out.decision(Have(size))


def _rest(text: str, skip: int) -> str:
    """`text` without its first `skip` bytes; empty when it is no longer than that."""
    data = text.encode()[skip:]
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise BadInput(
            "the text overlaps the stored draft in the middle of a character",
            hint="Send from an offset at which a character starts.",
        ) from None


def _cut(view: View, stream: str, at: int, out: Outcome) -> None:
    for chunk in view.find(Chunk, stream=stream, order="off"):
        end = chunk.off + len(chunk.text.encode())
        if chunk.off >= at:
            out.drop.append(chunk)
        elif end > at:
            head = chunk.text.encode()[: at - chunk.off]
            try:
                out.put.append(structs.replace(chunk, text=head.decode()))
            except UnicodeDecodeError:
                raise BadInput(
                    "the draft would be cut in the middle of a character",
                    hint="Cut at an offset at which a character starts.",
                ) from None


def keep(view: View, command: KeepDraft, caller: Caller, now: Now) -> Decision:
    """Keep a text that needs no lock, because it is no version yet and nobody else's."""
    check_text("draft", command.draft, MAX_NAME, least=1)
    check_text("why", command.why, MAX_NOTE)
    artifact = locks.artifact_row(view, command.artifact)
    if not 0 <= command.base <= artifact.version:
        raise NotFound(
            f"{artifact.path} has no version {command.base}",
            hint=f"It has versions 1 to {artifact.version}.",
            version=artifact.version,
        )
    before = view.get(Draft, command.draft)
    if before is not None and (before.actor, before.artifact) != (caller.actor.id, artifact.id):
        raise Exists(f"there is a draft {command.draft} already", hint="Make a new id.")
    if before is not None and before.state != "kept":
        raise Gone(f"the draft {command.draft} was {before.state} before", state=before.state)
    out = Outcome()
    digest, size = content(view, command.text, command.blob, out)
    out.facts.append(
        DraftKept(
            draft=command.draft,
            artifact=artifact.id,
            fence=0,
            base=command.base,
            owner=caller.actor.id,
            size=size,
            sha256=digest,
            why=command.why,
        )
    )
    _expire(view, artifact.id, now, out, but=command.draft)
    return out.decision(Kept(command.draft, size, digest))


def _expire(view: View, artifact: str, now: Now, out: Outcome, *, but: str) -> None:
    """Stop offering drafts of the artifact that are too old; their texts stay."""
    for draft in view.find(Draft, artifact=artifact, state="kept"):
        if draft.id != but and is_old(draft, now):
            out.facts.append(DraftDiscarded(draft=draft.id, artifact=artifact, why="expired"))


def is_old(draft: Draft, now: Now) -> bool:
    """Whether a draft has been offered for as long as the policy says."""
    try:
        age = datetime.fromisoformat(now.wall) - datetime.fromisoformat(draft.ts)
    except ValueError:
        return False
    return age.days >= now.policy.draft_days


def adopt(view: View, command: AdoptDraft, caller: Caller, now: Now) -> Decision:
    """Take the lock and go on with an orphan draft."""
    check_ttl(command.ttl_ms)
    draft = _kept(view, command.draft, caller)
    artifact = view.get(Artifact, draft.artifact)
    if artifact is None:
        raise NotFound(f"the artifact of draft {draft.id} is gone")
    lock = view.get(Lock, draft.artifact) or Lock(draft.artifact)
    if lock.state == "held":
        raise locks.busy(view, artifact, lock, caller, now)
    data = view.blob(draft.sha256)
    if data is None:
        raise NotFound(f"the text of draft {draft.id} is missing", hint="Run `flowide verify`.")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise BadInput(
            f"the draft {draft.id} is no text", hint="Write it to a file with `flowide draft show`."
        ) from None
    locks.check_lock_limit(view, caller, now)
    out = Outcome()
    keep_live(view, lock, "taken over", out)
    took_over = lock.actor if lock.state == "lapsed" else None
    fence = granting.grant(
        lock,
        granting.holder_of(caller),
        now,
        out,
        ttl_ms=command.ttl_ms,
        purpose=f"draft of {draft.actor}",
        took_over=took_over,
    )
    out.facts.append(DraftAdopted(draft=draft.id, artifact=draft.artifact, fence=fence))
    if data:
        out.put.append(LiveDraft(draft.artifact, fence, draft.base, len(data)))
        out.put.append(Chunk(stream_of(draft.artifact, fence), 0, text))
    return out.decision(Adopted(fence))


def discard(view: View, command: DiscardDraft, caller: Caller, now: Now) -> Decision:
    """Let an orphan draft go."""
    draft = _kept(view, command.draft, caller)
    out = Outcome()
    out.facts.append(DraftDiscarded(draft=draft.id, artifact=draft.artifact))
    _expire(view, draft.artifact, now, out, but=draft.id)
    return out.decision(Done())


def _kept(view: View, id: str, caller: Caller) -> Draft:
    draft = view.get(Draft, id)
    if draft is None:
        raise NotFound(f"there is no draft {id[:100]}", hint="List them with `flowide drafts`.")
    if draft.state != "kept":
        raise Gone(f"the draft {id} was {draft.state} before", state=draft.state)
    if caller.actor.kind == "agent" and draft.actor != caller.actor.id:
        raise NotAllowed(f"the draft {id} belongs to {draft.actor}", hint="Ask a person.")
    return draft
