"""The draft of an agent that writes under a lock, passed on while it writes."""

from __future__ import annotations

import contextlib
import re
import time

from flowide.domain.commands import AppendDraft
from flowide.errors import FlowError, Gone
from flowide.patterns import lazy
from flowide.space.api import Space
from flowide.space.leases import LeaseKeeper

DRAFT_S, DRAFT_BYTES = 0.2, 1024
"""A draft is passed on after so much time or text."""
_FENCE = lazy(r" {0,3}(`{3,}|~{3,})[^\n]*\n", re.MULTILINE)
_OPENING = lazy(r"^ {0,3}(?:`{3,}|~{3,})", re.MULTILINE)


def words_of(reply: str) -> str:
    """What an agent says before its first fenced block."""
    return _OPENING.split(reply, maxsplit=1)[0].strip()


class DraftStream:
    """Passes the text of the first fenced block on as the draft under a lock."""

    def __init__(self, space: Space, artifact: str, fence: int, keeper: LeaseKeeper) -> None:
        """`space` is seen by the agent that holds the lock; `keeper` keeps it."""
        self._space, self._artifact, self._fence, self._keeper = space, artifact, fence, keeper
        self._clear()

    def _clear(self) -> None:
        self._lines = BlockLines()
        self._waiting: list[str] = []
        self._off = 0
        self._last = time.monotonic()

    async def heard(self, text: str, fresh: bool) -> None:
        """Told each part of the answer.

        Raises:
            Gone: The lock was taken away: what is written now is for nothing.
        """
        if self._keeper.lost is not None:
            raise Gone(f"the lock was taken away: {self._keeper.lost.message}")
        self._keeper.touch()
        if fresh:
            self._clear()
        self._waiting += self._lines.feed(text)
        size = sum(len(line) for line in self._waiting)
        if size >= DRAFT_BYTES or (size and time.monotonic() - self._last >= DRAFT_S):
            await self._flush()

    async def _flush(self) -> None:
        text = "".join(self._waiting)
        self._waiting.clear()
        self._last = time.monotonic()
        command = AppendDraft(
            artifact=self._artifact, fence=self._fence, off=self._off, text=text, cut=self._off == 0
        )
        # Only to be watched: the save at the end has the text, and tells when the lock was lost.
        with contextlib.suppress(FlowError):
            self._off = (await self._space.execute(command)).ok.have


class BlockLines:
    """The lines of the first fenced block of a text that comes in parts."""

    def __init__(self) -> None:
        self._rest = ""
        self._fence = ""
        self._over = False

    def feed(self, text: str) -> list[str]:
        """Complete lines of the block that came with this part."""
        found: list[str] = []
        *complete, self._rest = (self._rest + text).split("\n")
        for line in complete:
            opening = _FENCE.match(f"{line}\n")
            if self._over:
                continue
            if not self._fence:
                self._fence = opening[1] if opening else ""
            elif opening and opening[1].startswith(self._fence) and not line.strip(" `~"):
                self._over = True
            else:
                found.append(f"{line}\n")
        return found
