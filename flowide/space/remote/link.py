"""The connection of one person's device to a space: it comes back by itself, and follows the log."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from typing import Any

from flowide.domain.events import GENESIS
from flowide.errors import AuthFailed, FlowError, NotFound, Offline, Unavailable
from flowide.space.remote.address import Address
from flowide.space.remote.credentials import Seat
from flowide.space.remote.ears import Ears
from flowide.space.remote.http import Http
from flowide.space.remote.line import Line
from flowide.space.remote.outbox import Outbox
from flowide.space.remote.reach import Reach
from flowide.space.remote.replica import Diverged, Replica
from flowide.space.remote.sending import Sender
from flowide.space.wire.frames import Ev, FromHub, Hello, Res, Resync, UpToDate

FIRST_S, LONGEST_S = 0.25, 16.0
"""Bounds of the pause before connecting again; the pause is drawn from below them."""
FAILED_S = 5.0
"""Pause after what was to be done first over a connection has failed here, or was refused."""
FAR = 2000
"""Events from which on a replica that has less than half of the log takes the snapshot: that is quicker."""
_LOG = logging.getLogger("flowide.hub")


class _Behind(Diverged):
    """The replica is right as far as it goes, and the snapshot is quicker than the stream."""


class Link:
    """Keeps one seat connected, for as long as it is open."""

    def __init__(
        self, address: Address, seat: Seat, replica: Replica, outbox: Outbox, http: Http, ears: Ears
    ) -> None:
        self.seat = seat
        self.http = http
        self._address = address
        self._replica = replica
        self._outbox = outbox
        self._ears = ears
        self._task: asyncio.Task[None] | None = None
        self._resuming: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()
        self.reach = Reach(address.url, ears.stood)
        self.sender = Sender(
            seat.handle, outbox, self.reach, settle=lambda: ears.settle(self), answered=ears.answered
        )
        self.ttl_ms = 30_000
        self.limits: dict[str, int] = {}

    def start(self) -> None:
        """Begin to connect."""
        self._task = asyncio.create_task(self._run(), name=f"hub-{self.seat.handle}")

    async def first_try(self, timeout_s: float) -> None:
        """Until it is ready, or it is known that it will not be soon."""
        reach = self.reach
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not reach.ready.is_set() and not (self._tried.is_set() and reach.line is None):
                    reach.changed.clear()
                    await reach.changed.wait()

    async def close(self) -> None:
        """End it."""
        await self.sender.stop()
        for task in (self._task, self._resuming):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        if self.reach.line is not None:
            await self.reach.line.close()
        self.reach.down("closed")
        self.sender.close()
        await asyncio.to_thread(self.http.close)

    async def _run(self) -> None:
        longest = FIRST_S
        while self.reach.fatal is None:
            pause: float | None = None
            try:
                await self._connect()
            except (AuthFailed, NotFound) as error:
                self._refused(error)
            except Offline as error:
                self.reach.down(error.message)
            except Unavailable as error:
                self._refused(error)
            except FlowError as error:
                _LOG.warning("the replica cannot be written: %s", error.message)
                self.reach.down(error.message)
            else:
                longest = FIRST_S
            bye = None if self.reach.line is None else self.reach.line.bye
            self.reach.line = None
            if bye is not None and bye.retry_ms is None:
                self._refused(AuthFailed(f"the hub closed the stream: {bye.code}", hint="Ask an owner."))
            elif bye is not None:
                pause = (bye.retry_ms or 0) / 1000
            self._tried.set()
            self.reach.changed.set()
            if self.reach.fatal is None:
                await self._pause(random.uniform(0, longest) if pause is None else pause)  # noqa: S311 - jitter
                longest = min(LONGEST_S, longest * 2)

    async def _pause(self, seconds: float) -> None:
        """Wait; less when somebody is in a hurry, or when the machine has slept meanwhile."""
        self.reach.hurry.clear()
        end = time.monotonic() + seconds
        asleep = time.time() - time.monotonic()
        while time.monotonic() < end:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(1.0, end - time.monotonic())):
                    await self.reach.hurry.wait()
                    await asyncio.sleep(min(FIRST_S, max(0.0, end - time.monotonic())))
                    return
            if time.time() - time.monotonic() - asleep > 3.0:
                return

    async def _connect(self) -> None:
        """One connection, from its beginning to its end."""
        at = self._replica.position()
        line = self.reach.line = await Line.open(self._address.stream(at.seq, at.chain), self.seat.token)
        self.sender.begin()
        self.reach.changed.set()
        try:
            await line.listen(self._take)
        except Diverged as why:
            await self._resync(why)
        finally:
            line.abort()
            if self._resuming is not None:
                self._resuming.cancel()
                with contextlib.suppress(asyncio.CancelledError, FlowError):
                    await self._resuming
                self._resuming = None
            if self.reach.ready.is_set() or self.reach.standing.state == "online":
                self.reach.down(
                    "the connection was lost" if line.bye is None else f"the hub said {line.bye.code}"
                )

    async def _take(self, frames: list[FromHub]) -> None:
        events: list[Any] = []
        for frame in frames:
            if isinstance(frame, Ev):
                events += frame.e
                continue
            if events:
                await self._follow(events)
                events = []
            await self._take_one(frame)
        if events:
            await self._follow(events)

    async def _follow(self, events: list[Any]) -> None:
        await self._replica.follow(events)
        self._ears.grown()

    async def _take_one(self, frame: FromHub) -> None:
        match frame:
            case Hello():
                self.ttl_ms, self.limits = frame.ttl_ms, frame.limits
                known = self._outbox.note("hub")
                if known not in {None, frame.hub, GENESIS}:
                    raise Diverged("this is another hub, or another space of this name")
                self._outbox.put_note("hub", frame.hub)
                at = self._replica.position().seq
                if frame.head - at > FAR and at < frame.head // 2:
                    raise _Behind("most of the log is missing here")
                if frame.head > at:
                    self.reach.stand("resyncing", "catching up")
            case UpToDate():
                if self._resuming is None:
                    assert self.reach.line is not None
                    self._resuming = asyncio.create_task(self._resume(self.reach.line), name="hub-resume")
            case Res():
                for result in frame.results:
                    self.sender.take(result)
            case Resync():
                raise Diverged(frame.why)
            case _:
                self._ears.live(frame)

    async def _resume(self, line: Line) -> None:
        """Everything is here: renew, send what waits, then go on as usual.

        What fails is begun anew over another connection: over this one nothing would happen any more.
        """
        try:
            await self._ears.resume(self)
            await self.sender.send_all()
        except Offline:
            line.abort()
            return
        except FlowError as error:
            _LOG.warning("what waits for the hub cannot be sent: %s", error.message)
            self.reach.stand("resyncing", error.message)
            await asyncio.sleep(FAILED_S)
            line.abort()
            return
        self.reach.up()
        self.sender.nudge()  # a text may have been kept here in the meantime

    async def _resync(self, why: Diverged) -> None:
        """Put the hub's snapshot in place of the replica; outbox and drafts stay."""
        level = logging.INFO if isinstance(why, _Behind) else logging.WARNING
        _LOG.log(level, "the replica is replaced by the hub's snapshot: %s", why)
        self.reach.stand("resyncing", str(why))
        try:
            head = await asyncio.to_thread(lambda: self._replica.replace(self.http.snapshot()))
        except Diverged as error:
            raise Offline(f"the hub's snapshot cannot be used: {error}") from error
        self._outbox.put_note("hub", head.hub)
        self._ears.replaced()
        self.reach.hurry.set()

    def _refused(self, error: FlowError) -> None:
        """It is not tried any more."""
        self.reach.fatal = error
        self.reach.down(error.message)
        self.sender.refuse(error)
