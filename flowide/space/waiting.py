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
from flowide.space.queries import Locks

_LOOK_AFTER_DEADLINE_S = 0.05


async def acquire(
    space: Space, artifact: str, *, timeout_s: float | None, ttl_ms: int = 30_000, purpose: str = ""
) -> Granted:
    """Take a lock, waiting in its queue for up to `timeout_s` seconds (None = as long as it takes).

    Raises:
        Busy: It did not come in time; the place in the queue is given up.
    """
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
    """Follow the log; look again when the holder's lease runs out or the ticket wants a renewal."""
    after = await space.head()
    while True:
        granted = await _granted(space, artifact, ticket)
        if granted is not None:
            return granted
        [state] = await space.read(Locks(artifact))
        pause = ttl_ms / 3000
        if state.expires_ms is not None:
            pause = min(pause, state.expires_ms / 1000 + _LOOK_AFTER_DEADLINE_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                after = await _lock_event(space, artifact, after)
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


async def _granted(space: Space, artifact: str, ticket: str) -> Granted | None:
    """The grant that answers a ticket; None while it is still in the queue."""
    [state] = await space.read(Locks(artifact))
    if any(waiting.id == ticket for waiting in state.queue):
        return None
    lock = state.lock
    # A lock that lapsed before anybody looked is still ours until somebody takes it.
    if lock.state != "free" and (lock.client, lock.actor) == (space.client, space.actor.id):
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
        with contextlib.suppress(Busy):
            return await _granted(space, artifact, ticket)
    return None
