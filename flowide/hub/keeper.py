"""All spaces of one database, opened when somebody comes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol, TypeVar

from flowide.domain.events import GENESIS
from flowide.domain.policy import Policy
from flowide.domain.rows import Invite
from flowide.errors import BadInput, FlowError, NotFound, StorageFailed
from flowide.hub.calls import Paces
from flowide.hub.feed import Feed
from flowide.hub.live import Live
from flowide.hub.manner import Manner
from flowide.hub.presence import Presences
from flowide.hub.restart import grant_again
from flowide.hub.seats import Seat, seat_of, still
from flowide.hub.space import HubSpace, Row
from flowide.space.keys import digest_of
from flowide.store.api import Store
from flowide.store.by_url import open_store, spaces

T = TypeVar("T")

_THREADS = 16
_IDLE_S = 3600.0
"""Longer than any request takes."""


class Seated(Protocol):
    """A connected client."""

    seat: Seat

    def reseat(self, seat: Seat | None) -> None:
        """The seat as it is now; None = it has ended."""
        ...

    def bye(self, code: str, *, retry_ms: int | None = None, message: str = "") -> None:
        """Tell why, and close."""
        ...


class Room:
    """A space with all that a hub has around it."""

    def __init__(self, space: HubSpace, manner: Manner) -> None:
        self.space = space
        self._hub = GENESIS
        self.feed = Feed(space)
        self.paces = Paces()
        self.presences = Presences(space)
        self.live = Live(space, chunk_ms=manner.hub_ms, chunk_bytes=manner.hub_bytes)
        self.feed.listen(self.live.follow)
        self.feed.listen(self._look_for_members)
        self.streams: set[Seated] = set()
        """Who is connected."""
        self.used = time.monotonic()
        """When somebody last came."""
        self._checking: set[asyncio.Task[None]] = set()

    async def hub(self) -> str:
        """Id of the log."""
        if self._hub == GENESIS:
            self._hub = await self.space.hub_id()
        return self._hub

    async def seat(self, secret: str) -> Seat | None:
        """Who a token belongs to; None = nobody here."""
        return await self.space.look(lambda store: _seat(store, secret))

    def _look_for_members(self, rows: list[Row]) -> None:
        """Roles, memberships and tokens end at once, also for who is connected."""
        if any(b'"type":"member.' in body or b'"type":"token.revoked"' in body for _, _, body in rows):
            task = asyncio.create_task(self._check_streams(), name="check seats")
            self._checking.add(task)
            task.add_done_callback(self._checking.discard)

    async def _check_streams(self) -> None:
        for stream in tuple(self.streams):
            stream.reseat(await self.space.look(partial(_still, seat=stream.seat)))

    async def invites(self, code: str) -> bool:
        """Whether this is the code of an invitation here, used or not."""
        return await self.space.look(lambda store: _invites(store, code))

    async def put_blob(self, digest: str, data: bytes) -> None:
        """Store bytes."""

        def put(store: Store) -> None:
            with store.write() as tx:
                tx.put_blob(digest, data)

        await self.space.write(put)

    async def close(self) -> None:
        """Stop following, free the store."""
        self.live.close()
        await self.presences.close()
        await self.feed.stop()
        await asyncio.to_thread(self.space.close)


class Keeper:
    """Opens spaces, and keeps them open while they are used."""

    def __init__(self, database: str, policy: Policy, manner: Manner) -> None:
        self.database = database
        self._policy = policy
        self._manner = manner
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="hub")
        self._rooms: dict[str, Room] = {}
        self._opening: dict[str, asyncio.Task[Room | None]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def rooms(self) -> list[Room]:
        """Those that are open."""
        return list(self._rooms.values())

    async def room(self, name: str) -> Room | None:
        """The space with this name; None when there is none.

        Raises:
            StorageFailed: It cannot be opened.
        """
        room = self._rooms.get(name)
        if room is not None:
            room.used = time.monotonic()
            return room
        opening = self._opening.get(name)
        if opening is None:
            opening = self._opening[name] = asyncio.create_task(self._open(name), name="open")
            opening.add_done_callback(lambda _: self._opening.pop(name, None))
        # Whoever asked first may go; the others still wait for it.
        return await asyncio.shield(opening)

    async def _open(self, name: str) -> Room | None:
        try:
            store = await self._in_thread(lambda: open_store(self.database, name))
        except (BadInput, NotFound):
            return None
        space = HubSpace(name, store, self._policy, self._threads)
        try:
            room = Room(space, self._manner)
            with contextlib.suppress(StorageFailed):  # what cannot be written can still be read
                await space.write(lambda store: grant_again(store, space.now()))
            await room.feed.start(partial(self._lost, room))
        except FlowError:
            space.close()
            raise
        self._rooms[name] = room
        return room

    def _lost(self, room: Room, failed: StorageFailed) -> None:
        """A space that cannot be read is closed, and opened again for the next who comes."""
        if self._rooms.get(room.space.name) is room:
            for stream in tuple(room.streams):
                stream.bye(failed.code, retry_ms=1000, message=failed.message)
            self._shut(room)

    def tidy(self, now: float | None = None) -> None:
        """Close spaces where nobody was for an hour; `now` as `time.monotonic`. They open again for who comes."""
        now = time.monotonic() if now is None else now
        for room in self.rooms:
            if not room.streams and now - room.used > _IDLE_S:
                self._shut(room)

    def _shut(self, room: Room) -> None:
        del self._rooms[room.space.name]
        task = asyncio.create_task(room.close(), name="close")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def names(self) -> list[str]:
        """All spaces there are."""
        return await self._in_thread(lambda: spaces(self.database))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def close(self) -> None:
        """Close all."""
        await asyncio.gather(*self._opening.values(), *self._closing, return_exceptions=True)
        for room in self.rooms:
            await room.close()
        self._rooms.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)


def _seat(store: Store, secret: str) -> Seat | None:
    with store.read() as view:
        return seat_of(view, secret)


def _still(store: Store, seat: Seat) -> Seat | None:
    with store.read() as view:
        return still(view, seat)


def _invites(store: Store, code: str) -> bool:
    with store.read() as view:
        return bool(view.find(Invite, digest=digest_of(code), limit=1))
