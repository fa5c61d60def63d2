"""Rules of locks: the fence excludes, the clock only makes a lock preemptible."""

from __future__ import annotations

from flowide.domain import live_text
from flowide.domain.actors import Caller, Now
from flowide.domain.commands import (
    AcquireLock,
    CancelTicket,
    Done,
    Forced,
    ForceLock,
    Granted,
    ReleaseLock,
    Renewed,
    RenewLock,
    TransferLock,
)
from flowide.domain.facts import (
    Holder,
    LockForced,
    LockQueued,
    LockRevived,
    LockTransferred,
)
from flowide.domain.granting import dequeue, free, grant, grant_next, holder_of, keep_alive
from flowide.domain.leases import idle, lease_alive, lease_key, lock_lease, new_lease, owner_of
from flowide.domain.limits import MAX_NAME, MAX_NOTE, check_text, check_ttl
from flowide.domain.outcome import Outcome
from flowide.domain.rows import Artifact, Lease, Lock, Ticket
from flowide.domain.view import Decision, View
from flowide.errors import BadInput, Busy, Fenced, Gone, Limit, NotFound


def artifact_row(view: View, artifact: str) -> Artifact:
    """The artifact, deleted or not, or NotFound."""
    row = view.get(Artifact, artifact)
    if row is None:
        raise NotFound(
            f"there is no artifact {artifact[:100]}", hint="List them with `flowide artifact list`."
        )
    return row


def held_lock(view: View, artifact: str, fence: int, caller: Caller) -> Lock:
    """The lock, if the caller may use this fence; lapsed locks nobody took still count.

    Raises:
        Fenced: The fence is not the newest, the lock is free, or somebody else holds it.
    """
    lock = view.get(Lock, artifact) or Lock(artifact)
    holder = (lock.actor, lock.for_)
    if lock.state == "free" or lock.fence != fence or holder != (caller.actor.id, caller.actor.for_):
        who = lock.actor if lock.state != "free" else None
        raise Fenced(
            f"fence {fence} of {_path(view, artifact)} has ended; "
            + (f"{who} holds the lock with fence {lock.fence}" if who else "nobody holds the lock"),
            hint="Text that was sent is kept as a draft. Acquire the lock again and see what changed.",
            fence=lock.fence,
            holder=who,
        )
    return lock


# --- commands ---------------------------------------------------------------------------------------


def acquire(view: View, command: AcquireLock, caller: Caller, now: Now) -> Decision:
    """Grant a free or lapsed lock, queue for a held one, or say who is busy with it."""
    check_ttl(command.ttl_ms)
    check_text("purpose", command.purpose, MAX_NOTE)
    artifact = artifact_row(view, command.artifact)
    lock = view.get(Lock, artifact.id) or Lock(artifact.id)
    out = Outcome()
    if lock.state == "held":
        if not command.wait:
            raise busy(view, artifact, lock, caller, now)
        check_lock_limit(view, caller, now)
        return _queue(command, caller, now, view.count(Ticket, artifact=artifact.id) + 1, out)
    check_lock_limit(view, caller, now)
    took_over = None
    if lock.state == "lapsed":
        took_over = lock.actor
        live_text.keep_live(view, lock, "taken over", out)
    fence = grant(
        lock, holder_of(caller), now, out, ttl_ms=command.ttl_ms, purpose=command.purpose, took_over=took_over
    )
    return out.decision(Granted("held", fence=fence, version=artifact.version, deadline_ms=command.ttl_ms))


def _queue(command: AcquireLock, caller: Caller, now: Now, position: int, out: Outcome) -> Decision:
    ticket = caller.command
    out.facts.append(
        LockQueued(
            artifact=command.artifact,
            ticket=ticket,
            actor=caller.actor.id,
            kind=caller.actor.kind,
            for_=caller.actor.for_,
            client=caller.client,
            position=position,
            purpose=command.purpose,
            ttl_ms=command.ttl_ms,
        )
    )
    owner = owner_of(caller.client, caller.actor.id)
    out.put.append(new_lease(lease_key("ticket", ticket), 0, command.ttl_ms, now, holder=owner))
    return out.decision(Granted("queued", ticket=ticket, position=position, deadline_ms=command.ttl_ms))


def busy(view: View, artifact: Artifact, lock: Lock, caller: Caller, now: Now) -> Busy:
    """The refusal that says who holds the lock, since when, for what, and what to do next."""
    lease = view.get(Lease, lease_key("lock", artifact.id))
    same_actor = lock.actor == caller.actor.id
    # A lock that was handed to an actor belongs to whichever of their processes goes on with it.
    here = same_actor and lock.client in {caller.client, ""}
    if here:
        who, hint = "you", f"You hold it already, with fence {lock.fence}: save or release with that."
    elif same_actor:
        who, hint = (
            "you, elsewhere",
            "Release it there, wait with --wait, or take it with `lock force --take`.",
        )
    else:
        who = f"{lock.actor} ({'AI' if lock.kind == 'agent' else lock.kind})"
        hint = "Wait with --wait, look at the draft, or ask for the lock."
    purpose = f", for {lock.purpose!r}" if lock.purpose else ""
    return Busy(
        f"{artifact.path} is locked by {who} since {lock.since}{purpose}",
        hint=hint,
        holder=lock.actor if not same_actor or here else "you, elsewhere",
        kind=lock.kind,
        since=lock.since,
        purpose=lock.purpose,
        idle_ms=None if lease is None else max(0, now.mono_ms - lease.active_ms),
        queue=view.count(Ticket, artifact=artifact.id),
        fence=lock.fence,
        path=artifact.path,
    )


def check_lock_limit(view: View, caller: Caller, now: Now) -> None:
    """Raise Limit when the actor holds, or waits for, as many locks through this client as it may."""
    most = now.policy.locks(caller.actor.kind)
    mine = view.find(Lease, holder=owner_of(caller.client, caller.actor.id))
    held = [lease for lease in mine if lease_alive(lease, now)] if len(mine) >= most else []
    if len(held) >= most:
        raise Limit(
            f"{caller.actor.id} holds or waits for {len(held)} locks, the most one client may",
            hint="Save or release one first: see `flowide lock list`.",
            limit=most,
        )


def renew(view: View, command: RenewLock, caller: Caller, now: Now) -> Decision:
    """Keep a lock or ticket alive; a lapsed lock that nobody took is held again."""
    out = Outcome()
    if command.ticket is not None:
        ticket = _own_ticket(view, command.ticket, caller)
        owner = owner_of(ticket.client, ticket.actor)
        out.put.append(new_lease(lease_key("ticket", ticket.id), 0, ticket.ttl_ms, now, holder=owner))
        return out.decision(Renewed(ticket.ttl_ms))
    if command.fence is None:
        raise BadInput("lock.renew needs a fence or a ticket", hint="Give the fence that acquire returned.")
    lock = held_lock(view, command.artifact, command.fence, caller)
    lease = view.get(Lease, lease_key("lock", lock.artifact))
    worked = command.active or (lease is not None and not idle(lock, lease, now))
    if lock.state == "lapsed" and worked:
        out.facts.append(LockRevived(artifact=lock.artifact, fence=lock.fence))
    return out.decision(Renewed(keep_alive(view, lock, now, out, active=command.active)))


def release(view: View, command: ReleaseLock, caller: Caller, now: Now) -> Decision:
    """Give the lock to the next in the queue, or free it."""
    lock = held_lock(view, command.artifact, command.fence, caller)
    out = Outcome()
    if command.draft == "keep":
        live_text.keep_live(view, lock, "released", out)
    else:
        live_text.drop_live(view, lock, out)
    free(view, lock, now, out)
    return out.decision(Done())


def cancel(view: View, command: CancelTicket, caller: Caller, now: Now) -> Decision:
    """Leave the queue."""
    out = Outcome()
    dequeue(_own_ticket(view, command.ticket, caller), "cancelled", out)
    return out.decision(Done())


def _own_ticket(view: View, id: str, caller: Caller) -> Ticket:
    ticket = view.get(Ticket, id)
    if ticket is None or ticket.actor != caller.actor.id:
        raise Gone(
            f"the ticket {id[:100]} has ended: granted, cancelled or expired",
            hint="Look at `flowide lock list`; acquire again if the lock is not yours.",
        )
    return ticket


def transfer(view: View, command: TransferLock, caller: Caller, now: Now) -> Decision:
    """Hand the lock over; the draft goes along or is kept for the old holder."""
    lock = held_lock(view, command.artifact, command.fence, caller)
    check_text("to", command.to, MAX_NAME, least=1)
    out = Outcome()
    target = Holder(command.to, command.to_client or "", command.to_kind)
    out.facts.append(
        LockTransferred(
            artifact=lock.artifact,
            fence=lock.fence,
            to=target,
            new_fence=lock.fence + 1,
            ttl_ms=lock.ttl_ms,
            with_draft=command.with_draft,
        )
    )
    if command.with_draft:
        live_text.move_live(view, lock, lock.fence + 1, out)
    else:
        live_text.keep_live(view, lock, "transferred", out)
    out.put.append(lock_lease(lock.artifact, lock.fence + 1, lock.ttl_ms, now, target))
    return out.decision(Done())


def force(view: View, command: ForceLock, caller: Caller, now: Now) -> Decision:
    """End another's lock; their draft is kept, and the event tells them who did it and why."""
    check_text("reason", command.reason.strip(), MAX_NOTE, least=1)
    check_ttl(command.ttl_ms)
    artifact = artifact_row(view, command.artifact)
    lock = view.get(Lock, artifact.id) or Lock(artifact.id)
    if lock.state == "free":
        raise BadInput(f"{artifact.path} is not locked", hint="Acquire the lock instead.")
    out = Outcome()
    live_text.keep_live(view, lock, "forced", out)
    new_fence = lock.fence + 1 if command.take else None
    out.facts.append(
        LockForced(
            artifact=artifact.id,
            fence=lock.fence,
            by=holder_of(caller),
            reason=command.reason.strip(),
            ttl_ms=command.ttl_ms,
            new_fence=new_fence,
        )
    )
    if new_fence is None:
        out.drop.append(Lease(lease_key("lock", artifact.id), 0, 0, "", 0, 0))
        grant_next(view, lock, now, out)
    else:
        out.put.append(lock_lease(artifact.id, new_fence, command.ttl_ms, now, holder_of(caller)))
    return out.decision(Forced(new_fence))


def _path(view: View, artifact: str) -> str:
    row = view.get(Artifact, artifact)
    return artifact if row is None else row.path
