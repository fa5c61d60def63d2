"""The locks of a session: kept while the client is there, given back with their drafts when it goes."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Literal

from flowide.domain import rows
from flowide.domain.commands import ReleaseLock, RenewLock, Versioned
from flowide.errors import BadInput, Fenced, FlowError
from flowide.space.api import Space
from flowide.space.drafting import put_draft
from flowide.space.leases import LeaseKeeper
from flowide.space.queries import Locks
from flowide.space.waiting import acquire


class Hold:
    """A lock of this session, with what was written under it."""

    def __init__(self, artifact: rows.Artifact, fence: int, base: int, keeper: LeaseKeeper) -> None:
        self.artifact = artifact
        self.fence = fence
        self.base = base
        """Version the text is made from."""
        self.keeper = keeper
        self.draft: str | None = None
        """What is stored as the draft; None = nothing was written."""
        self.sure = True
        """`draft` is what is stored; not after a write that was called off."""
        self.stack = AsyncExitStack()


class Holds:
    """The locks that one session holds. Calls about the same artifact take turns."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._held: dict[str, Hold] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def turn(self, artifact: str) -> asyncio.Lock:
        """Taken by a call that takes, changes or gives back the lock of an artifact."""
        return self._turns[artifact]

    def touch(self) -> None:
        """The client did something: that is a sign of work on all it holds."""
        for hold in self._held.values():
            hold.keeper.touch()

    def get(self, artifact: str) -> Hold | None:
        """The lock of an artifact, if this session holds it."""
        return self._held.get(artifact)

    def all(self) -> list[Hold]:
        """All locks of this session."""
        return list(self._held.values())

    def need(self, artifact: rows.Artifact) -> Hold:
        """The lock of an artifact.

        Raises:
            Fenced: This session does not hold it, or has lost it.
        """
        hold = self._held.get(artifact.id)
        if hold is None:
            raise Fenced(
                f"you do not hold the lock of {artifact.path}",
                hint="Call lock first, then send this again.",
                path=artifact.path,
            )
        if hold.keeper.lost is not None:
            raise hold.keeper.lost
        return hold

    async def take(self, artifact: rows.Artifact, *, wait_s: float, purpose: str) -> Hold:
        """Take a lock, or find it held already.

        Raises:
            Busy: It did not come in time.
        """
        hold = self._held.get(artifact.id)
        if hold is not None:
            try:
                await self._space.execute(RenewLock(artifact=artifact.id, fence=hold.fence))
            except Fenced:
                await self._drop(hold)
            else:
                return hold
        [state] = await self._space.read(Locks(artifact.id))
        lock, us = state.lock, self._space
        if lock.state != "free" and (lock.client, lock.actor) == (us.client, us.actor.id):
            # A grant whose answer was lost when its call was called off.
            await us.execute(RenewLock(artifact=artifact.id, fence=lock.fence))
            return await self.keep(artifact, lock.fence, state.version)
        granted = await acquire(us, artifact.id, timeout_s=wait_s, purpose=purpose)
        assert granted.fence is not None and granted.version is not None
        return await self.keep(artifact, granted.fence, granted.version)

    async def keep(self, artifact: rows.Artifact, fence: int, base: int) -> Hold:
        """Keep a lock that was taken, until it is dropped."""
        hold = Hold(artifact, fence, base, LeaseKeeper.of_lock(self._space, artifact.id, fence))
        self._held[artifact.id] = hold
        await hold.stack.enter_async_context(hold.keeper)
        return hold

    async def write(self, hold: Hold, text: str) -> None:
        """Store a text as the draft under a lock."""
        have = (hold.draft or "") if hold.sure else None
        hold.sure = False
        await put_draft(self._space, hold.artifact.id, hold.fence, text, have=have)
        hold.draft, hold.sure = text, True

    async def saved(self, hold: Hold, made: Versioned) -> None:
        """A version was made under a lock: go on from it, or let go of what was released."""
        if made.fence is None:
            await self._drop(hold)
        else:
            hold.base, hold.draft, hold.sure = made.version, None, True

    async def give_back(self, hold: Hold, *, draft: Literal["keep", "drop"] = "keep") -> None:
        """Release a lock."""
        await self._drop(hold)
        await self._space.execute(ReleaseLock(artifact=hold.artifact.id, fence=hold.fence, draft=draft))

    async def forget(self, hold: Hold) -> None:
        """A lock has turned out to be somebody else's by now."""
        await self._drop(hold)

    @asynccontextmanager
    async def change(
        self, artifact: rows.Artifact, *, wait_s: float, purpose: str
    ) -> AsyncIterator[tuple[Hold, bool]]:
        """The lock for a single change, and whether it was held before: then it is held afterwards too.

        Raises:
            BadInput: There is an unsaved draft under it, which the change would drop.
        """
        async with self.turn(artifact.id):
            before = self._held.get(artifact.id)
            mine = before is not None and before.keeper.lost is None
            hold = await self.take(artifact, wait_s=wait_s, purpose=purpose)
            if mine and hold.draft:
                raise BadInput(
                    f"{artifact.path} has an unsaved draft of yours",
                    hint="Call save, or release with draft=drop, and then send this again.",
                    path=artifact.path,
                )
            try:
                yield hold, mine
            finally:
                if not mine and artifact.id in self._held:
                    with suppress(FlowError):
                        await asyncio.shield(self.give_back(hold))

    async def close(self) -> None:
        """Give back all locks; what was written is kept as drafts."""
        for hold in list(self._held.values()):
            with suppress(FlowError):
                await self.give_back(hold)

    async def _drop(self, hold: Hold) -> None:
        if self._held.get(hold.artifact.id) is hold:
            del self._held[hold.artifact.id]
        await hold.stack.aclose()
