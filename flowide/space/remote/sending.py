"""What goes out over a connection and waits for an answer; what has none goes out again over the next one."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable

from msgspec import Struct

from flowide.errors import FlowError, Offline
from flowide.space.remote.outbox import Entry, Outbox
from flowide.space.remote.reach import Reach
from flowide.space.wire.calls import Call, Result
from flowide.space.wire.frames import Ask, Cmds, FromClient

PATIENCE_S = 10.0
"""How long somebody waits for an answer at least; longer while the hub is there."""
DOUBT_S = 10.0
"""A command without an answer for so long has the connection looked at."""
_LOOK_S = 1.0
"""Who has waited longer than their patience, as the hub seems to be there, looks again after so long."""
_TOGETHER = 50
"""Commands in one frame when many wait."""


class _Waiting(Struct):
    """Something that was sent, or is about to be."""

    frame: FromClient
    answer: asyncio.Future[Result]
    sent: bool = False
    """Over the connection there is now."""


class Sender:
    """Sends the questions and commands of one seat, and knows which of them have no answer."""

    def __init__(
        self,
        handle: str,
        outbox: Outbox,
        reach: Reach,
        *,
        settle: Callable[[], Awaitable[None]],
        answered: Callable[[Entry, Result], None],
    ) -> None:
        """`settle` sees to texts kept here before others are sent; `answered` gets what nobody waits for any more."""
        self._handle = handle
        self._outbox = outbox
        self._reach = reach
        self._settle = settle
        self._answered = answered
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
        self._nudges: set[asyncio.Task[None]] = set()

    # --- for those who send -----------------------------------------------------------------------

    async def ask(self, call: Call, *, frame: FromClient | None = None, early: bool = False) -> Result:
        """The answer to a question, or to a command that stores no reply (`frame`).

        `early` = before what waits, when the link has just come back.

        Raises:
            Offline: There was none in time.
        """
        if self._reach.fatal is not None:
            raise self._reach.fatal
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._asked[call.id] = waiting = _Waiting(frame or Ask(call), answer)
        try:
            if self._reach.ready.is_set() or early:
                waiting.sent = True
                await self._send(waiting.frame)
            return await self._answer(answer, early=early)
        finally:
            self._asked.pop(call.id, None)

    async def send(self, entry: Entry) -> Result:
        """Send a command that is in the outbox, and wait for its answer; see `drain` for what had none.

        Raises:
            Offline: No answer yet. The command stays in the outbox, and is sent again.
        """
        if self._reach.fatal is not None:
            raise self._reach.fatal
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiters[entry.id] = answer
        try:
            if self._reach.ready.is_set():
                await self._send_entries([entry])
            return await self._answer(answer)
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
            self._outbox.adopt(self._handle)
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
        entries = self._outbox.entries(self._handle)
        if all(entry.id in self._sent for entry in entries):
            return []
        mine = self._outbox.mine(self._handle)
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
            if self._reach.line is not None:
                self._reach.line.probe()
                if time.monotonic() > patience:
                    self._reach.line.abort()
            if self._reach.line is None or time.monotonic() > patience:
                raise self._reach.offline()

    def nudge(self) -> None:
        """Have what was put into the outbox sent soon, and texts that are kept here."""
        task = asyncio.create_task(self._nudged(), name="hub-nudge")
        self._nudges.add(task)
        task.add_done_callback(self._nudges.discard)

    async def _nudged(self) -> None:
        with contextlib.suppress(Offline):
            if self._reach.ready.is_set():
                await self._settle()
                await self.drain()

    def later(self, id: str, pause_s: float) -> None:
        """The hub took no decision about a command, as when too much comes at once: send it again after a pause."""
        if self._draining.locked():
            self._paused[id] = pause_s
        else:
            asyncio.get_running_loop().call_later(pause_s, self._again, id)

    def _again(self, id: str) -> None:
        self._sent.discard(id)
        if self._reach.ready.is_set():
            self.nudge()

    async def tell(self, frame: FromClient) -> None:
        """Send a frame that gets no answer; lost when the hub is away."""
        if self._reach.ready.is_set():
            await self._send(frame)

    async def _answer(self, answer: asyncio.Future[Result], *, early: bool = False) -> Result:
        line = self._reach.line
        patience = time.monotonic() + PATIENCE_S
        while True:
            left = patience - time.monotonic()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(DOUBT_S, left) if left > 0 else _LOOK_S):
                    return await asyncio.shield(answer)
            if self._reach.fatal is not None:
                raise self._reach.fatal
            # What is sent early makes the link ready; until then the connection tells whether the hub is there.
            there = self._reach.ready.is_set() or (early and line is not None and self._reach.line is line)
            if time.monotonic() >= patience and not there:
                raise self._reach.offline(sent=True)
            if self._reach.line is not None:
                self._reach.line.probe()
            if time.monotonic() >= patience + 3 * DOUBT_S:
                raise self._reach.offline(sent=True)

    async def _send(self, frame: FromClient) -> None:
        if self._reach.line is not None:
            with contextlib.suppress(Offline):  # it is sent again over the next connection
                await self._reach.line.send(frame)

    async def _send_entries(self, entries: list[Entry], *, raising: bool = False) -> None:
        line = self._reach.line
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

    # --- for the connection -----------------------------------------------------------------------

    def begin(self) -> None:
        """There is a new connection: nothing has gone out over it."""
        self._sent.clear()
        self._unanswered.clear()
        for waiting in self._asked.values():
            waiting.sent = False

    async def send_all(self) -> None:
        """Send what waits, until nothing does; nothing is awaited after the last look.

        Raises:
            Offline: The connection has ended, or does not answer.
        """
        while True:
            for waiting in [each for each in self._asked.values() if not each.sent]:
                waiting.sent = True
                await self._send(waiting.frame)
            await self.drain()
            if all(waiting.sent for waiting in self._asked.values()) and not self._unsent():
                return

    def take(self, result: Result) -> None:
        """An answer came."""
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
            self._answered(entry, result)

    def refuse(self, error: FlowError) -> None:
        """Nobody gets an answer any more."""
        for answer in [*self._waiters.values(), *(each.answer for each in self._asked.values())]:
            if not answer.done():
                answer.set_exception(error)

    async def stop(self) -> None:
        """Send nothing more by itself."""
        for task in tuple(self._nudges):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def close(self) -> None:
        """Whoever waits for the answer to a question is cancelled."""
        for waiting in tuple(self._asked.values()):
            waiting.answer.cancel()


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
