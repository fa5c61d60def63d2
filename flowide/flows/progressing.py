"""How far a tool is, for those who follow its run: the live text of its step, gone when it ends, never in the log."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from types import TracebackType

from flowide.agents.redact import hide, secrets_in
from flowide.domain.commands import StreamStep
from flowide.errors import FlowError
from flowide.flows.state import RunState
from flowide.text import one_line

EVERY_S = 0.5
"""Seconds between two notes, however often a server tells something."""
LONGEST = 200
"""Characters of what a server says."""


class Progress:
    """Is called with what a server tells, inside of `async with`."""

    def __init__(self, state: RunState, key: str) -> None:
        self._state, self._key = state, key
        self._words = self._noted = ""
        self._over = asyncio.Event()
        self._noting: asyncio.Task[None] | None = None

    def __call__(self, at: float, of: float | None, said: str) -> None:
        env = self._state.tools.env if self._state.tools is not None else {}
        self._words = progress_words(at, of, hide(said, secrets_in(env)))
        if self._noting is None or self._noting.done():
            self._noting = asyncio.create_task(self._note(), name=f"progress of {self._key}")

    async def __aenter__(self) -> Progress:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._noting is not None:
            await self._noting

    async def _note(self) -> None:
        while self._words != self._noted and not self._over.is_set():
            self._noted = self._words
            with suppress(FlowError):  # it is only for the eye
                await self._state.space.execute(
                    StreamStep(
                        run=self._state.run, fence=self._state.fence, key=self._key, off=0, text=self._noted
                    )
                )
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S):
                    await self._over.wait()


def progress_words(at: float, of: float | None, said: str) -> str:
    """`40 % receiving objects`; without an end, or with a strange one, how much was done."""
    known = of is not None and math.isfinite(of) and of > 0 and math.isfinite(at)
    share = f"{max(0, min(100, round(at / of * 100)))} %" if known and of is not None else f"{at:g}"
    return f"{share} {one_line(said, LONGEST)}".strip()
