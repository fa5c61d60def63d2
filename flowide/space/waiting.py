"""Waiting for a lock: in its queue, woken by the event."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import cast

from flowide.domain.commands import AcquireLock, CancelTicket, Granted, ReleaseLock, RenewLock
from flowide.domain.events import Event
from flowide.errors import Busy, FlowError, Gone
from flowide.space.api import Space
from flowide.space.queries import Locks, LockState

_LOOK_AFTER_DEADLINE_S = 0.05
_LOOK_APART_S = 0.1
"""Those behind in the queue look later, by so much each: mostly the first one has settled it by then."""
_MOST_APART = 9


async def acquire(
    space: Space, artifact: str, *, timeout_s: float | None, ttl_ms: int | None = None, purpose: str = ""
) -> Granted:
    """Take a lock, waiting in its queue for up to `timeout_s` seconds (None = as long as it takes).

    `ttl_ms` None = as long as locks live in this space.

    Raises:
        Busy: It did not come in time; the place in the queue is given up.
    """
    ttl_ms = space.ttl_ms if ttl_ms is None else ttl_ms
    granted = (
        await space.execute(
            AcquireLock(artifact=artifact, wait=timeout_s != 0, ttl_ms=ttl_ms, purpose=purpose)
        )
    ).ok
    if granted.ticket is None:
        return granted
    return await wait_for_lock(space, artifact, granted.ticket, timeout_s=timeout_s, ttl_ms=ttl_ms)


async def wait_for_lock(
    space: Space, artifact: str, ticket: str, *, timeout_s: float | None, ttl_ms: int
) -> Granted:
    """Hold a place in the queue until the lock is granted; the ticket is cancelled on every other way out."""
    try:
        async with asyncio.timeout(timeout_s):
            return await _until_granted(space, artifact, ticket, ttl_ms)
    except TimeoutError:
        # The grant may have come at the last moment: then the ticket is gone, and the lock is ours.
        granted = await _cancel(space, artifact, ticket)
        if granted is not None:
            return granted
        [state] = await space.read(Locks(artifact))
        raise Busy(
            f"{state.path} is still locked by {state.lock.actor} after {timeout_s:g} s",
            hint="Wait longer, ask for the lock, or work on a copy.",
            holder=state.lock.actor,
            kind=state.lock.kind,
            since=state.lock.since,
            purpose=state.lock.purpose,
            idle_ms=state.idle_ms,
            queue=len(state.queue),
        ) from None
    except BaseException:
        with contextlib.suppress(FlowError):
            await asyncio.shield(_give_up(space, artifact, ticket))
        raise


async def _give_up(space: Space, artifact: str, ticket: str) -> None:
    """Leave the queue, and give the lock back if it was granted at the last moment."""
    granted = await _cancel(space, artifact, ticket)
    if granted is not None and granted.fence is not None:
        await space.execute(ReleaseLock(artifact=artifact, fence=granted.fence))


async def _until_granted(space: Space, artifact: str, ticket: str, ttl_ms: int) -> Granted:
    """Follow the log; the ticket is renewed every third of its lease, and when the holder's has run out."""
    after = await space.head()
    clock = asyncio.get_running_loop().time
    renew_at = clock() + ttl_ms / 3000
    while True:
        [state] = await space.read(Locks(artifact))
        ahead = next((at for at, waiting in enumerate(state.queue) if waiting.id == ticket), None)
        if ahead is None:
            return _granted(state, ticket)
        pause = renew_at - clock()
        if state.expires_ms is not None:
            look = state.expires_ms / 1000 + _LOOK_AFTER_DEADLINE_S + min(_MOST_APART, ahead) * _LOOK_APART_S
            pause = min(pause, look)
        try:
            async with asyncio.timeout(max(0.0, pause)):
                after = await _lock_event(space, artifact, after)
        except TimeoutError:
            renew_at = clock() + ttl_ms / 3000
            with contextlib.suppress(Gone):
                # Also evaluates whether the holder's lease is over.
                await space.execute(RenewLock(artifact=artifact, ticket=ticket))


async def _lock_event(space: Space, artifact: str, after: int) -> int:
    """`seq` of the next event about the lock."""
    following = cast("AsyncGenerator[Event]", space.events(after, follow=True))
    async with contextlib.aclosing(following) as events:
        async for event in events:
            after = event.seq
            if event.data.get("artifact") == artifact and event.type.startswith("lock."):
                break
    return after


def _granted(state: LockState, ticket: str) -> Granted:
    """The grant that answered a ticket which has left the queue.

    Raises:
        Busy: There was none, or it has ended since.
    """
    lock = state.lock
    # A lock that lapsed before anybody looked is still ours until somebody takes it.
    if lock.state != "free" and lock.ticket == ticket:
        return Granted(
            "held", fence=lock.fence, version=state.version, deadline_ms=state.expires_ms, ticket=ticket
        )
    raise Busy(
        f"the place in the queue for {state.path} ended without a grant",
        hint="It ran out or was cancelled; acquire again.",
        holder=lock.actor,
    )


async def _cancel(space: Space, artifact: str, ticket: str) -> Granted | None:
    """Leave the queue; the grant, if it came first."""
    try:
        await space.execute(CancelTicket(ticket=ticket))
    except Gone:
        [state] = await space.read(Locks(artifact))
        with contextlib.suppress(Busy):
            return _granted(state, ticket)
    return None
