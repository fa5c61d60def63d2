"""Who is connected to a space, through this hub and others."""

from __future__ import annotations

import asyncio
from typing import Protocol

from flowide.hub.elsewhere import Elsewhere
from flowide.hub.line import framed
from flowide.hub.space import HubSpace
from flowide.space.wire.frames import Presence, Present, encode

_SOON_S = 0.1
"""Who comes and goes within so much time is told at once."""


class Guest(Protocol):
    """A connected client."""

    def present(self) -> Present:
        """How others see it."""
        ...

    def live(self, frame: bytes) -> None:
        """Send a frame; it may be dropped when the client is slow."""
        ...


class Presences:
    """Tells all who are connected about each other."""

    def __init__(self, space: HubSpace) -> None:
        self._elsewhere = Elsewhere(space, self.changed)
        self._here: set[Guest] = set()
        self._told: list[Present] = []
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._here)

    def come(self, guest: Guest) -> None:
        """Somebody connected."""
        self._here.add(guest)
        self.changed(but_first=guest)

    def go(self, guest: Guest) -> None:
        """Somebody is gone."""
        self._here.discard(guest)
        self.changed()

    def changed(self, *, but_first: Guest | None = None) -> None:
        """Tell it to all soon."""
        if but_first is not None and self._told:
            but_first.live(framed(encode(Presence(self._told))))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_SOON_S, self._tell)

    def _tell(self) -> None:
        self._timer = None
        mine = _sorted({each.present() for each in self._here})
        self._elsewhere.tell(mine)
        here = _sorted({*mine, *self._elsewhere.here})
        if here == self._told:
            return
        self._told = here
        frame = framed(encode(Presence(here)))
        for guest in tuple(self._here):
            guest.live(frame)

    async def close(self) -> None:
        """Tell nothing more."""
        if self._timer is not None:
            self._timer.cancel()
        await self._elsewhere.close()


def _sorted(here: set[Present]) -> list[Present]:
    return sorted(here, key=lambda each: (each.since, each.client))
