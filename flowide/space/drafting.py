"""Storing what somebody is writing, while they write."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType

from flowide.domain.commands import AppendDraft
from flowide.errors import DraftGap, Fenced, FlowError
from flowide.space.api import Space

EVERY_S = 1.0
"""A text that changes is stored after so long at the latest,"""
AT_ONCE = 4096
"""or as soon as so many characters are new."""
_PART = 60_000
"""Characters of one part; at most four bytes each, so that it stays within what a command may carry."""


async def put_draft(space: Space, artifact: str, fence: int, text: str, *, have: str | None = "") -> None:
    """Make the draft under a fence this text; of `have`, which is stored, only what differs is sent again.

    None = what is stored is not known, and is replaced.

    Raises:
        Fenced: The lock was lost; what was stored before is kept as a draft.
        DraftGap: `have` is not what is stored.
    """
    same = common_start(have or "", text)
    if have is not None and same == len(have) == len(text):
        return
    at, cut = len(text[:same].encode()), have is None or same < len(have)
    for start in range(same, max(len(text), same + 1), _PART):
        part = text[start : start + _PART]
        await space.execute(AppendDraft(artifact=artifact, fence=fence, off=at, text=part, cut=cut))
        at += len(part.encode())
        cut = False


def common_start(one: str, other: str) -> int:
    """How many characters two texts share from their start."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


class DraftKeeper:
    """Stores the newest text of an edit in the background of its `async with` block, and at its end.

    A full disk is tried again until it has room; a lock that was lost is told in `lost`.
    """

    def __init__(
        self, space: Space, artifact: str, fence: int, *, have: str = "", every_s: float = EVERY_S
    ) -> None:
        """`have` is the draft that is stored already, as after adopting one."""
        self._space = space
        self._artifact = artifact
        self._fence = fence
        self._every_s = every_s
        self._stored = self._text = have
        self._changed = asyncio.Event()
        self._hurry = asyncio.Event()
        self._writing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self.lost: Fenced | None = None
        """Why nothing is stored any more; None while the lock is ours."""
        self.failed: FlowError | None = None
        """What the last try failed with; None when all is stored or about to be."""

    def put(self, text: str) -> None:
        """The text is now this one; returns at once."""
        self._text = text
        self._changed.set()
        if abs(len(text) - len(self._stored)) >= AT_ONCE:
            self._hurry.set()

    async def flush(self) -> None:
        """Store the newest text now.

        Raises:
            Fenced: The lock was lost.
            FlowError: The store cannot be used; it is tried again later.
        """
        async with self._writing:
            text = self._text
            try:
                await put_draft(self._space, self._artifact, self._fence, text, have=self._stored)
            except DraftGap:
                # Somebody else of ours wrote under this fence: begin anew.
                await put_draft(self._space, self._artifact, self._fence, text, have=None)
            self._stored = text
            self.failed = None

    async def __aenter__(self) -> DraftKeeper:
        self._task = asyncio.create_task(self._keep(), name="draft")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        if self.lost is None:
            with contextlib.suppress(FlowError):
                await asyncio.shield(self.flush())

    async def _keep(self) -> None:
        while True:
            await self._changed.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every_s):
                    await self._hurry.wait()
            self._changed.clear()
            self._hurry.clear()
            try:
                await self.flush()
            except Fenced as lost:
                self.lost = lost
                return
            except FlowError as failed:
                self.failed = failed
                self._changed.set()
