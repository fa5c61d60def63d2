"""Waiting until an artifact is free, without taking its lock."""

from __future__ import annotations

import asyncio
import contextlib

from flowide.errors import Busy
from flowide.space.api import Space
from flowide.space.queries import Locks, LockState


async def until_free(space: Space, artifact: str, *, timeout_s: float) -> LockState:
    """Wait until the lock is free or lapsed, woken by the log.

    Raises:
        Busy: It was held all the time.
    """
    after = await space.head()
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                [state] = await space.read(Locks(artifact))
                if not state.expires_ms:
                    return state
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(state.expires_ms / 1000):
                        async for event in space.events(after, follow=True):
                            after = event.seq
                            if event.data.get("artifact") == artifact:
                                break
    except TimeoutError:
        [state] = await space.read(Locks(artifact))
        if not state.expires_ms:
            return state
        raise Busy(
            f"{state.path} is still locked by {state.lock.actor} after {timeout_s:g} s",
            hint="Wait longer, or see `flowide lock list`.",
            holder=state.lock.actor,
            kind=state.lock.kind,
            since=state.lock.since,
            purpose=state.lock.purpose,
            idle_ms=state.idle_ms,
            queue=len(state.queue),
        ) from None
