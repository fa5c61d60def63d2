"""Who is connected to a space through other hubs of its database.

Each hub keeps one row with its own clients. It is written when they change, and now and then while another hub is
there, so that the clients of a hub that was killed are gone soon. A hub that is alone writes nothing more.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable

import msgspec

from flowide.domain.actors import Now
from flowide.domain.rows import Connected
from flowide.errors import FlowError
from flowide.hub.space import HubSpace
from flowide.space.wire.frames import Present
from flowide.store.api import Store

BEAT_S = 10.0
"""A hub that knows of another one says so often that it is there."""
_ALIVE_S = 3 * BEAT_S
LOOK_S = 0.5
"""Seconds between looks at what was committed elsewhere, while somebody is connected here."""
_FORGET_S = 600.0


class Elsewhere:
    """Tells other hubs who is connected here, and knows whom they have."""

    def __init__(self, space: HubSpace, changed: Callable[[], None]) -> None:
        """`changed` is called when others come or go elsewhere."""
        self.here: list[Present] = []
        """Clients of other hubs."""
        self._space = space
        self._changed = changed
        self._id = secrets.token_hex(8)
        self._mine: list[Present] = []
        self._told: list[Present] = []
        self._told_ms = 0
        self._token: int | None = None
        self._task: asyncio.Task[None] | None = None

    def tell(self, mine: list[Present]) -> None:
        """Have the others know soon who is connected here."""
        self._mine = mine
        if mine and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._follow(), name=f"elsewhere of {self._space.name}")

    async def close(self) -> None:
        """Nobody is connected here any more."""
        if self._task is not None:
            self._mine = []
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self) -> None:
        try:
            while self._mine:
                with contextlib.suppress(
                    FlowError
                ):  # a database that is away is told of by those who need it
                    await self._look()
                    await self._say()
                await asyncio.sleep(LOOK_S)
        finally:
            self.here, self._token = [], None
            with contextlib.suppress(FlowError):
                await self._say()

    async def _look(self) -> None:
        """See who came or went elsewhere; those of a hub that died go with time, without news."""
        token = self._space.store.change_elsewhere()
        if token == self._token and not self.here:
            return
        now = self._space.now()
        found = await self._space.look(lambda store: _others(store, self._id, now))
        self._token = token
        if found != self.here:
            self.here = found
            self._changed()

    async def _say(self) -> None:
        """Write own clients down when they changed, and while others are there that would forget them."""
        mine, now = self._mine, self._space.now()
        due = mine and self.here and now.mono_ms - self._told_ms >= BEAT_S * 1000
        if mine == self._told and not due:
            return
        row = Connected(
            self._id, msgspec.json.encode(mine).decode(), now.mono_ms + round(_ALIVE_S * 1000), now.boot
        )
        await self._space.write(lambda store: _keep(store, row, now))
        self._told, self._told_ms = mine, now.mono_ms


def _others(store: Store, own: str, now: Now) -> list[Present]:
    with store.read() as view:
        rows = [row for row in view.find(Connected) if row.hub != own and _alive(row, now)]
    found: list[Present] = []
    for row in rows:
        with contextlib.suppress(msgspec.MsgspecError):  # of a hub of another version
            found += msgspec.json.decode(row.here, type=list[Present])
    return sorted(found, key=lambda each: (each.since, each.client))


def _alive(row: Connected, now: Now, *, but_s: float = 0.0) -> bool:
    return row.boot == now.boot and row.deadline_ms + but_s * 1000 > now.mono_ms


def _keep(store: Store, row: Connected, now: Now) -> None:
    with store.write(lasting=False) as tx:
        gone = [each for each in tx.find(Connected) if not _alive(each, now, but_s=_FORGET_S)]
        if row.here == "[]":
            tx.drop([*gone, row])
        else:
            tx.drop([each for each in gone if each.hub != row.hub])
            tx.put([row])
