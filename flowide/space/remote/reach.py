"""Whether a hub can be reached now, and since when it cannot."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Literal

from flowide.errors import FlowError, Offline
from flowide.space.clock import wall_now
from flowide.space.remote.line import Line
from flowide.space.remote.standing import Standing

GRACE_S = 1.5
"""A connection that was lost just now may be back so soon that nobody need know."""


class Reach:
    """What a connection knows about itself, and those who wait for it."""

    def __init__(self, url: str, stood: Callable[[], None]) -> None:
        """`stood` is told when the standing has changed."""
        self._url = url
        self._stood = stood
        self._since_mono = time.monotonic()
        self.line: Line | None = None
        """The connection there is now; None = none."""
        self.ready = asyncio.Event()
        """Set while commands can be sent."""
        self.changed = asyncio.Event()
        """Set whenever something here has changed."""
        self.hurry = asyncio.Event()
        """Set by who waits for the connection: it is tried sooner."""
        self.fatal: FlowError | None = None
        """Why it is not tried any more; None while it is."""
        self.standing = Standing("offline", wall_now(), "not connected yet")

    async def until_ready(self, timeout_s: float) -> bool:
        """Whether commands can be sent, at once or within the time."""
        if self.ready.is_set() or self.fatal is not None:
            return self.ready.is_set()
        self.hurry.set()
        try:
            async with asyncio.timeout(timeout_s):
                await self.ready.wait()
        except TimeoutError:
            return False
        return True

    async def soon(self) -> bool:
        """Whether commands can be sent, at once or so soon that nobody need know that they could not.

        Raises:
            FlowError: It is not tried any more.
        """
        if self.fatal is not None:
            raise self.fatal
        return await self.until_ready(max(0.0, GRACE_S - self.offline_s()))

    def offline_s(self) -> float:
        """Seconds since the connection was lost; 0 while it is there."""
        return 0.0 if self.ready.is_set() else time.monotonic() - self._since_mono

    def offline(self, **data: Any) -> Offline:
        """The refusal while the hub cannot be reached."""
        return Offline(
            f"the hub {self._url} cannot be reached: {self.standing.why or 'no answer'}",
            hint="Reading and drafting go on; what needs the hub can be done when it is there again.",
            since=self.standing.since,
            **data,
        )

    def up(self) -> None:
        """Commands can be sent from now on."""
        self.stand("online", "")
        self.ready.set()
        self.changed.set()

    def down(self, why: str) -> None:
        """The connection is lost, or was not made."""
        if self.ready.is_set():
            self._since_mono = time.monotonic()
        self.ready.clear()
        self.stand("offline", why)

    def stand(self, state: Literal["online", "offline", "resyncing"], why: str) -> None:
        """It stands so with the hub from now on."""
        since = self.standing.since if self.standing.state == state else wall_now()
        changed = (state, why) != (self.standing.state, self.standing.why)
        self.standing = Standing(state, since, why)
        self.changed.set()
        if changed:
            self._stood()
