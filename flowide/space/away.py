"""Calls of a store that may wait for a network: made in its threads, and made again when they were cut off."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

from flowide.domain.actors import Now
from flowide.errors import StorageFailed
from flowide.space.clock import SystemClock, wall_now
from flowide.store.api import Store

T = TypeVar("T")

AGAIN_S = (0.0, 0.05, 0.2, 0.5, 1.0, 2.0)
"""Pauses before work that was ended from outside is tried once more."""


async def away(store: Store, work: Callable[[], T], *, writes: bool = False) -> T:
    """Do this here, or in a thread of the store when it has them; `writes` = it waits for the turn of a writer.

    In a thread, what was ended from outside is tried again: nothing of it had happened.

    Raises:
        FlowError: What the work raises.
    """
    if store.threads is None:
        return work()
    threads = store.threads.write if writes else store.threads.read
    return await asyncio.get_running_loop().run_in_executor(threads, persistently, work)


def persistently(work: Callable[[], T]) -> T:
    """Do this, several times when it is cut off."""
    for pause in AGAIN_S:
        time.sleep(pause)
        try:
            return work()
        except StorageFailed as error:
            if not error.data.get("again"):
                raise
    return work()


class StoreClock:
    """The clock of a store that several machines share, or this machine's where there is none."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._system = SystemClock()

    def now(self) -> Now:
        """All clocks at this moment."""
        shared = self._store.time()
        if shared is None:
            return self._system.now()
        return Now(shared[0], shared[1], wall_now())
