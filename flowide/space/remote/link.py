"""The connection of one person's device to a space: it comes back by itself, and sends again what has no answer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Iterable
from typing import Any, Literal, Protocol

from msgspec import UNSET, Struct, UnsetType

from flowide.domain.events import GENESIS
from flowide.errors import AuthFailed, FlowError, NotFound, Offline, Unavailable, from_dict
from flowide.space.clock import wall_now
from flowide.space.remote.address import Address
from flowide.space.remote.credentials import Seat
from flowide.space.remote.http import Http
from flowide.space.remote.line import Line
from flowide.space.remote.outbox import Entry, Outbox
from flowide.space.remote.replica import Diverged, Replica
from flowide.space.remote.standing import Standing
from flowide.space.wire.calls import Call, Result
from flowide.space.wire.frames import (
    Ask,
    Cmds,
    Ev,
    FromClient,
    FromHub,
    Hello,
    Res,
    Resync,
    UpToDate,
)

FIRST_S, LONGEST_S = 0.25, 16.0
"""Bounds of the pause before connecting again; the pause is drawn from below them."""
DOUBT_S = 10.0
"""A command without an answer for so long has the connection looked at."""
FAR = 2000
"""Events from which on a replica that has less than half of the log takes the snapshot: that is quicker."""
_TOGETHER = 50
"""Commands in one frame when many wait."""
_LOG = logging.getLogger("flowide.hub")


class Ears(Protocol):
    """Who is told what comes over a link."""

    def grown(self) -> None:
        """The replica has new events."""
        ...

    def replaced(self) -> None:
        """The replica holds another log now."""
        ...

    def stood(self) -> None:
        """The standing has changed."""
        ...

    def live(self, frame: FromHub) -> None:
        """A frame about what is no event: drafts, answers being written, who is here."""
        ...

    async def resume(self, link: Link) -> None:
        """The link is up to date again; called before anything else is sent."""
        ...

    async def settle(self, link: Link) -> None:
        """See to texts that are kept on this machine."""
        ...

    def answered(self, entry: Entry, result: Result) -> None:
        """A command was answered for which nobody here waits any more."""
        ...


class _Behind(Diverged):
    """The replica is right as far as it goes, and the snapshot is quicker than the stream."""


class _Waiting(Struct):
    """Something that was sent, or is about to be."""

    frame: FromClient
    answer: asyncio.Future[Result]
    sent: bool = False
    """Over the connection there is now."""


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
        self._line: Line | None = None
        self._task: asyncio.Task[None] | None = None
        self._resuming: asyncio.Task[None] | None = None
        self._asked: dict[str, _Waiting] = {}
        """Questions, and commands that store no reply: sent again as they are."""
        self._waiters: dict[str, asyncio.Future[Result]] = {}
        """Who waits for the answer to a command of the outbox."""
        self._sent: set[str] = set()
        """Commands of the outbox that went out over this connection."""
        self._unanswered: set[str] = set()
        """Those of them that have no answer yet."""
        self._news = asyncio.Event()
        self._draining = asyncio.Lock()
        self._paused: dict[str, float] = {}
        """Seconds after which a command of the outbox may be sent again, which the hub did not decide."""
        self._tried = asyncio.Event()
        self._changed = asyncio.Event()
        self._hurry = asyncio.Event()
        self._nudges: set[asyncio.Task[None]] = set()
        self._since_mono = time.monotonic()
        self.ready = asyncio.Event()
        """Set while commands can be sent."""
        self.fatal: FlowError | None = None
        """Why it is not tried any more; None while it is."""
        self.ttl_ms = 30_000
        self.limits: dict[str, int] = {}
        self.standing = Standing("offline", wall_now(), "not connected yet")

    # --- life -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to connect."""
        self._task = asyncio.create_task(self._run(), name=f"hub-{self.seat.handle}")

    async def first_try(self, timeout_s: float) -> None:
        """Until it is ready, or it is known that it will not be soon."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not self.ready.is_set() and not (self._tried.is_set() and self._line is None):
                    self._changed.clear()
                    await self._changed.wait()

    async def until_ready(self, timeout_s: float) -> bool:
        """Whether commands can be sent, at once or within the time."""
        if self.ready.is_set() or self.fatal is not None:
            return self.ready.is_set()
        self._hurry.set()
        try:
            async with asyncio.timeout(timeout_s):
                await self.ready.wait()
        except TimeoutError:
            return False
        return True

    def offline_s(self) -> float:
        """Seconds since the connection was lost; 0 while it is there."""
        return 0.0 if self.ready.is_set() else time.monotonic() - self._since_mono

    async def close(self) -> None:
        """End it."""
        for task in (*self._nudges, self._task, self._resuming):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        if self._line is not None:
            await self._line.close()
        self._down("closed")
        for waiting in [*self._asked.values()]:
            waiting.answer.cancel()
        await asyncio.to_thread(self.http.close)

    # --- sending ----------------------------------------------------------------------------------

    async def ask(
        self, call: Call, *, frame: FromClient | None = None, timeout_s: float, early: bool = False
    ) -> Result:
        """The answer to a question, or to a command that stores no reply (`frame`).

        `early` = before what waits, when the link has just come back.

        Raises:
            Offline: There was none in time.
        """
        if self.fatal is not None:
            raise self.fatal
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._asked[call.id] = waiting = _Waiting(frame or Ask(call), answer)
        try:
            if self.ready.is_set() or early:
                waiting.sent = True
                await self._send(waiting.frame)
            return await self._answer(answer, timeout_s)
        finally:
            self._asked.pop(call.id, None)

    async def send(self, entry: Entry, timeout_s: float) -> Result:
        """Send a command that is in the outbox, and wait for its answer; see `drain` for what had none.

        Raises:
            Offline: No answer yet. The command stays in the outbox, and is sent again.
        """
        if self.fatal is not None:
            raise self.fatal
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiters[entry.id] = answer
        try:
            if self.ready.is_set():
                await self._send_entries([entry])
            return await self._answer(answer, timeout_s)
        finally:
            self._waiters.pop(entry.id, None)

    async def drain(self) -> None:
        """Send what is in the outbox and was not yet sent over this connection, in order.

        The first go together; then each waits for the answer to the one before, so that the order stays also when
        the hub takes them more slowly than they come.

        Raises:
            Offline: The connection has ended, or does not answer.
        """
        async with self._draining:
            self._outbox.adopt(self.seat.handle)
            burst = _TOGETHER
            while unsent := self._unsent():
                group = _together(unsent[: max(1, burst)])[0]
                burst = max(0, burst - len(group))
                await self._send_entries(group, raising=True)
                await self._answers({entry.id for entry in group})
                pauses = [self._paused.pop(id) for id in list(self._paused)]
                if pauses:
                    await asyncio.sleep(max(pauses))
                    self._sent.difference_update(entry.id for entry in group)

    def _unsent(self) -> list[Entry]:
        entries = self._outbox.entries(self.seat.handle)
        if all(entry.id in self._sent for entry in entries):
            return []
        mine = self._outbox.mine(self.seat.handle)
        return [entry for entry in entries if entry.id in mine and entry.id not in self._sent]

    async def _answers(self, ids: set[str]) -> None:
        """Until all of these are answered; a hub that does not answer is given up."""
        patience = time.monotonic() + 3 * DOUBT_S
        while self._unanswered & ids:
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DOUBT_S):
                    await self._news.wait()
                    continue
            if self._line is not None:
                self._line.probe()
                if time.monotonic() > patience:
                    self._line.abort()
            if self._line is None or time.monotonic() > patience:
                raise self.offline()

    def nudge(self) -> None:
        """Have what was put into the outbox sent soon, and texts that are kept here."""
        task = asyncio.create_task(self._nudged(), name="hub-nudge")
        self._nudges.add(task)
        task.add_done_callback(self._nudges.discard)

    async def _nudged(self) -> None:
        with contextlib.suppress(Offline):
            if self.ready.is_set():
                await self._ears.settle(self)
                await self.drain()

    def later(self, id: str, pause_s: float) -> None:
        """The hub took no decision about a command, as when too much comes at once: send it again after a pause."""
        if self._draining.locked():
            self._paused[id] = pause_s
        else:
            asyncio.get_running_loop().call_later(pause_s, self._again, id)

    def _again(self, id: str) -> None:
        self._sent.discard(id)
        if self.ready.is_set():
            self.nudge()

    async def tell(self, frame: FromClient) -> None:
        """Send a frame that gets no answer; lost when the hub is away."""
        if self.ready.is_set():
            await self._send(frame)

    async def _answer(self, answer: asyncio.Future[Result], timeout_s: float) -> Result:
        patience = time.monotonic() + timeout_s
        while True:
            left = patience - time.monotonic()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(DOUBT_S, max(0.0, left))):
                    return await asyncio.shield(answer)
            if self.fatal is not None:
                raise self.fatal
            if time.monotonic() >= patience and not self.ready.is_set():
                raise self.offline(sent=True)
            if self._line is not None:
                self._line.probe()
            if time.monotonic() >= patience + 3 * DOUBT_S:
                raise self.offline(sent=True)

    def offline(self, **data: Any) -> Offline:
        """The refusal while the hub cannot be reached."""
        return Offline(
            f"the hub {self._address.url} cannot be reached: {self.standing.why or 'no answer'}",
            hint="Reading and drafting go on; what needs the hub can be done when it is there again.",
            since=self.standing.since,
            **data,
        )

    async def _send(self, frame: FromClient) -> None:
        if self._line is not None:
            with contextlib.suppress(Offline):  # it is sent again over the next connection
                await self._line.send(frame)

    async def _send_entries(self, entries: list[Entry], *, raising: bool = False) -> None:
        line = self._line
        if line is None:
            return
        self._sent.update(entry.id for entry in entries)
        self._unanswered.update(entry.id for entry in entries)
        frame = Cmds(
            client=entries[0].client,
            cmds=[Call(entry.id, entry.cmd, entry.args) for entry in entries],
            as_=entries[0].as_,
        )
        try:
            await line.send(frame)
        except Offline:
            if raising:
                raise

    # --- connecting -------------------------------------------------------------------------------

    async def _run(self) -> None:
        longest = FIRST_S
        while self.fatal is None:
            pause: float | None = None
            try:
                await self._connect()
            except (AuthFailed, NotFound) as error:
                self._refused(error)
            except Offline as error:
                self._down(error.message)
            except Unavailable as error:
                self._refused(error)
            except FlowError as error:
                _LOG.warning("the replica cannot be written: %s", error.message)
                self._down(error.message)
            else:
                longest = FIRST_S
            bye = None if self._line is None else self._line.bye
            self._line = None
            if bye is not None and bye.retry_ms is None:
                self._refused(AuthFailed(f"the hub closed the stream: {bye.code}", hint="Ask an owner."))
            elif bye is not None:
                pause = (bye.retry_ms or 0) / 1000
            self._tried.set()
            self._changed.set()
            if self.fatal is None:
                await self._pause(random.uniform(0, longest) if pause is None else pause)  # noqa: S311 - jitter
                longest = min(LONGEST_S, longest * 2)

    async def _pause(self, seconds: float) -> None:
        """Wait; less when somebody is in a hurry, or when the machine has slept meanwhile."""
        self._hurry.clear()
        end = time.monotonic() + seconds
        asleep = time.time() - time.monotonic()
        while time.monotonic() < end:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(1.0, end - time.monotonic())):
                    await self._hurry.wait()
                    await asyncio.sleep(min(FIRST_S, max(0.0, end - time.monotonic())))
                    return
            if time.time() - time.monotonic() - asleep > 3.0:
                return

    async def _connect(self) -> None:
        """One connection, from its beginning to its end."""
        at = self._replica.position()
        line = self._line = await Line.open(self._address.stream(at.seq, at.chain), self.seat.token)
        self._sent.clear()
        self._unanswered.clear()
        for waiting in self._asked.values():
            waiting.sent = False
        self._changed.set()
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
            if self.ready.is_set() or self.standing.state == "online":
                self._down("the connection was lost" if line.bye is None else f"the hub said {line.bye.code}")

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
                    self._stand("resyncing", "catching up")
            case UpToDate():
                if self._resuming is None:
                    self._resuming = asyncio.create_task(self._resume(), name="hub-resume")
            case Res():
                for result in frame.results:
                    self._take_result(result)
            case Resync():
                raise Diverged(frame.why)
            case _:
                self._ears.live(frame)

    async def _resume(self) -> None:
        """Everything is here: renew, send what waits, then go on as usual."""
        try:
            await self._ears.resume(self)
            while True:
                for waiting in [each for each in self._asked.values() if not each.sent]:
                    waiting.sent = True
                    await self._send(waiting.frame)
                await self.drain()
                if all(waiting.sent for waiting in self._asked.values()) and not self._unsent():
                    break
        except Offline:
            return
        # Nothing is awaited between the last look at what waits and this.
        self._stand("online", "")
        self.ready.set()
        self._changed.set()
        self.nudge()  # a text may have been kept here in the meantime

    def _take_result(self, result: Result) -> None:
        self._unanswered.discard(result.id)
        self._news.set()
        waiting = self._asked.get(result.id)
        if waiting is not None:
            if not waiting.answer.done():
                waiting.answer.set_result(result)
            return
        waiter = self._waiters.get(result.id)
        if waiter is not None and not waiter.done():
            waiter.set_result(result)
            return
        entry = next((each for each in self._outbox.entries() if each.id == result.id), None)
        if entry is not None:
            self._ears.answered(entry, result)

    async def _resync(self, why: Diverged) -> None:
        """Put the hub's snapshot in place of the replica; outbox and drafts stay."""
        level = logging.INFO if isinstance(why, _Behind) else logging.WARNING
        _LOG.log(level, "the replica is replaced by the hub's snapshot: %s", why)
        self._stand("resyncing", str(why))
        try:
            head = await asyncio.to_thread(lambda: self._replica.replace(self.http.snapshot()))
        except Diverged as error:
            raise Offline(f"the hub's snapshot cannot be used: {error}") from error
        self._outbox.put_note("hub", head.hub)
        self._ears.replaced()
        self._hurry.set()

    # --- standing ---------------------------------------------------------------------------------

    def _refused(self, error: FlowError) -> None:
        self.fatal = error
        self._down(error.message)
        for answer in [*self._waiters.values(), *(each.answer for each in self._asked.values())]:
            if not answer.done():
                answer.set_exception(error)

    def _down(self, why: str) -> None:
        if self.ready.is_set():
            self._since_mono = time.monotonic()
        self.ready.clear()
        self._stand("offline", why)

    def _stand(self, state: Literal["online", "offline", "resyncing"], why: str) -> None:
        since = self.standing.since if self.standing.state == state else wall_now()
        changed = (state, why) != (self.standing.state, self.standing.why)
        self.standing = Standing(state, since, why)
        self._changed.set()
        if changed:
            self._ears.stood()


def result_error(result: Result) -> FlowError | None:
    """The refusal in an answer; None when it was carried out."""
    return None if result.err is UNSET else from_dict(result.err)


def too_fast(result: Result) -> float | None:
    """After how many seconds a command may be sent again that came faster than the hub takes them; else None."""
    error = None if isinstance(result.err, UnsetType) else result.err
    if error is None or error.get("code") != "limit" or error.get("data", {}).get("decided") is not False:
        return None
    retry_ms = error["data"].get("retry_ms")
    return retry_ms / 1000 if isinstance(retry_ms, int | float) else None


def _together(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Entries that go into one frame: of one client and actor, not too many, not too large."""
    groups: list[list[Entry]] = []
    size = 0
    for entry in entries:
        last = groups[-1] if groups else []
        weight = sum(len(str(value)) for value in entry.args.values())
        fits = last and len(last) < _TOGETHER and size + weight < 100_000
        if fits and (last[0].client, last[0].as_) == (entry.client, entry.as_):
            last.append(entry)
            size += weight
        else:
            groups.append([entry])
            size = weight
    return groups
