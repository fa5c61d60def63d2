"""Keeping leases alive while somebody works."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType

from msgspec.structs import replace

from flowide.domain.commands import Command, Renewed, RenewLock, RenewRun
from flowide.errors import Fenced, FlowError, Gone
from flowide.space.api import Space


class LeaseKeeper:
    """Renews one lock or run every third of its lease, in the background of its `async with` block.

    A renewal alone is no sign of work: a lock goes idle unless drafts are stored under it, or `touch` is called.
    A lease that was lost meanwhile is told in `lost`; whoever holds on then learns it from the next command.
    """

    def __init__(self, space: Space, command: RenewLock | RenewRun, *, ttl_ms: int) -> None:
        self._space = space
        self._command = command
        self._touched = False
        self._every_s = ttl_ms / 3000
        self._task: asyncio.Task[None] | None = None
        self.lost: Fenced | Gone | None = None
        """Why the lease is no longer ours; None while it is."""
        self.on_lost: asyncio.Event = asyncio.Event()

    @classmethod
    def of_lock(cls, space: Space, artifact: str, fence: int, *, ttl_ms: int | None = None) -> LeaseKeeper:
        """Keeps a lock; `ttl_ms` None = as long as locks live in this space."""
        return cls(space, RenewLock(artifact=artifact, fence=fence), ttl_ms=ttl_ms or space.ttl_ms)

    @classmethod
    def of_run(cls, space: Space, run: str, fence: int, *, ttl_ms: int) -> LeaseKeeper:
        """Keeps driving a run."""
        return cls(space, RenewRun(run=run, fence=fence), ttl_ms=ttl_ms)

    def touch(self) -> None:
        """Whoever holds the lock did something; the next renewal says so."""
        self._touched = True

    async def __aenter__(self) -> LeaseKeeper:
        self._task = asyncio.create_task(self._keep(), name="lease")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def _renewal(self) -> Command[Renewed]:
        if isinstance(self._command, RenewRun):
            return self._command
        touched, self._touched = self._touched, False
        return replace(self._command, active=touched)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self._space.execute(self._renewal())
            except (Fenced, Gone) as lost:
                self.lost = lost
                self.on_lost.set()
                return
            except FlowError:
                # A busy or full disk may recover before the lease runs out.
                continue
