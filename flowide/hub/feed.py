"""The log to all who follow a space: it is read once, and each frame is made once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Protocol

from flowide.errors import StorageFailed
from flowide.hub.line import framed
from flowide.hub.space import HubSpace, Row
from flowide.space.wire.frames import EVENTS_A_FRAME

POLL_S = 0.03
"""Seconds between looks at what other processes committed."""
_NOBODY_S = 1.0
"""The same while nobody follows."""
_FRAME_BYTES = 512 * 1024
"""A frame is ended past so much, so that one of large events stays below the bound of a frame."""
Listener = Callable[[list[Row]], None]


class Follower(Protocol):
    """Gets the log in order."""

    seq: int
    """Of the last event it got."""

    def take(self, first: int, last: int, frame: bytes) -> None:
        """A frame with the events from `first` to `last`."""
        ...


def event_json(row: Row) -> bytes:
    """An event as it goes over the wire, from what is stored."""
    return b'{"chain":"' + row[1].encode() + b'",' + row[2][1:]


def frames(rows: list[Row]) -> Iterator[tuple[int, int, bytes]]:
    """`ev` frames, each with its first and last seq."""
    part: list[bytes] = []
    size, first = 0, 0
    for row in rows:
        text = event_json(row)
        if part and (size + len(text) > _FRAME_BYTES or len(part) >= EVENTS_A_FRAME):
            yield first, first + len(part) - 1, _frame(part)
            part, size = [], 0
        if not part:
            first = row[0]
        part.append(text)
        size += len(text)
    if part:
        yield first, first + len(part) - 1, _frame(part)


def _frame(events: list[bytes]) -> bytes:
    return framed(b'{"type":"ev","e":[' + b",".join(events) + b"]}")


class Feed:
    """Follows the log of a space for its followers, while there are any."""

    def __init__(self, space: HubSpace) -> None:
        self._space = space
        self._followers: set[Follower] = set()
        self._task: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._listeners: list[Listener] = []
        self._failed: Callable[[StorageFailed], None] = lambda failed: None
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._somebody = asyncio.Event()
        """Set when somebody comes who wants to know soon."""
        self._broken: Exception | None = None
        self._token = 0
        """Changes with each commit elsewhere; as of before the last reading."""
        self.seq = 0
        """Up to here the followers have got the log."""

    def listen(self, listener: Listener) -> None:
        """Have the rows of each page told, before followers get it."""
        self._listeners.append(listener)

    async def start(self, failed: Callable[[StorageFailed], None]) -> None:
        """Begin at the end of the log; `failed` is told when it cannot be read any more."""
        self._failed = failed
        self._token = await self._space.look(lambda store: store.change_elsewhere())
        self.seq = (await self._space.position()).seq
        self._task = asyncio.create_task(self._run(), name=f"feed of {self._space.name}")
        self._looking = asyncio.create_task(self._look(), name=f"look for {self._space.name}")

    async def stop(self) -> None:
        """End; followers get nothing more."""
        tasks = [task for task in (self._task, self._looking) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def join(self, follower: Follower) -> bool:
        """Add a follower, if it has got all that the others have."""
        if follower.seq < self.seq:
            return False
        self._followers.add(follower)
        self._somebody.set()
        return True

    def leave(self, follower: Follower) -> None:
        """Remove a follower."""
        self._followers.discard(follower)

    async def _run(self) -> None:
        try:
            while True:
                await self._step()
        except Exception as error:
            # Whatever it is: those who follow come back to a feed that begins anew.
            failed = f"the log cannot be followed: {type(error).__name__}: {error}"
            self._failed(error if isinstance(error, StorageFailed) else StorageFailed(failed))

    async def _step(self) -> None:
        """Give what is new, else wait until something is; what was written here is not read again."""
        space = self._space
        space.woken.clear()
        if self._broken is not None:
            raise self._broken
        rows = space.written_after(self.seq)
        if rows is None:
            self._token = space.store.change_elsewhere()
            rows = await space.look(lambda store: store.bodies(self.seq, EVENTS_A_FRAME))
            if len(rows) == EVENTS_A_FRAME:
                space.changed_elsewhere()
        if rows:
            self._give(rows)
        await space.woken.wait()

    async def grows(self, after: int, wait_s: float) -> bool:
        """Wait until there is an event above `after`, for so long at most."""
        if self.seq > after:
            return True
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((after, waiting))
        self._somebody.set()
        try:
            async with asyncio.timeout(wait_s):
                await waiting
        except TimeoutError:
            return False
        finally:
            self._waiting = [each for each in self._waiting if each[1] is not waiting]
        return True

    def _give(self, rows: list[Row]) -> None:
        for listener in self._listeners:
            listener(rows)
        for first, last, frame in frames(rows):
            self.seq = last
            for follower in tuple(self._followers):
                if follower.seq == first - 1:
                    follower.take(first, last, frame)
                elif follower.seq < last:
                    rest = [row for row in rows if follower.seq < row[0] <= last]
                    follower.take(rest[0][0], last, _frame([event_json(row) for row in rest]))
        for after, waiting in self._waiting:
            if after < self.seq and not waiting.done():
                waiting.set_result(None)

    async def _look(self) -> None:
        """See what other processes committed: often while somebody wants to know it."""
        space = self._space
        try:
            while True:
                if self._followers or self._waiting:
                    await asyncio.sleep(POLL_S)
                else:
                    self._somebody.clear()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(_NOBODY_S):
                            await self._somebody.wait()
                if space.store.change_elsewhere() != self._token:
                    space.changed_elsewhere()
        except Exception as error:
            self._broken = error
            space.woken.set()
