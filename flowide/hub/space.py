"""One space of a hub: the arbiter on its store, and who follows it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from msgspec.structs import replace

from flowide.domain.actors import Caller, Now
from flowide.domain.commands import Command
from flowide.domain.events import GENESIS
from flowide.domain.policy import Policy
from flowide.errors import FlowError, StorageFailed
from flowide.space.api import Reply
from flowide.space.arbiter import Work, run
from flowide.space.away import StoreClock, away, persistently
from flowide.space.clock import Clock
from flowide.space.local import LONG_QUERIES
from flowide.space.queries import Query
from flowide.space.reads import answer
from flowide.store.api import Expected, Position, Store

T = TypeVar("T")
R = TypeVar("R")
Row = tuple[int, str, bytes]
"""`(seq, chain, canonical body)` of an event."""

_QUICK_S = 0.002
"""Commits that take less are made on the loop: a thread would cost more."""
_NEWEST = 0.2
"""Weight of the newest commit among those before."""


class HubSpace:
    """Carries out commands and questions of all clients of a space. Belongs to one event loop."""

    def __init__(
        self,
        name: str,
        store: Store,
        policy: Policy,
        threads: ThreadPoolExecutor,
        *,
        clock: Clock | None = None,
    ) -> None:
        """`threads` are for what takes long; `clock` None = the store's own, or this machine's."""
        self.name = name
        self.store = store
        self.policy = replace(policy, members=True)
        self._threads = threads
        self._clock = clock or StoreClock(store)
        self.woken = asyncio.Event()
        """Set when there are events here that were not told yet, and by news of commits elsewhere."""
        self._fresh: dict[int, Row] = {}
        """Events that were committed here and not asked for yet, by seq."""
        self._news = False
        """Whether something was committed elsewhere."""
        self._here = threading.local()
        self._commits_s = 0.0
        self._writer = ThreadPoolExecutor(1, thread_name_prefix=f"write {name}")
        self._loop = asyncio.get_running_loop()
        store.on_change(self._told)

    def _told(self) -> None:
        """In whatever thread the news came."""
        if not getattr(self._here, "writing", False):
            with contextlib.suppress(RuntimeError):  # the loop is over
                self._loop.call_soon_threadsafe(self.changed_elsewhere)

    def changed_elsewhere(self) -> None:
        """The store was written past `execute`."""
        self._news = True
        self.woken.set()

    def written_after(self, seq: int) -> list[Row] | None:
        """The events after `seq` that `execute` has written; None = there may be others, which have to be read."""
        rows: list[Row] = []
        while (row := self._fresh.pop(seq + 1, None)) is not None:
            rows.append(row)
            seq += 1
        if not self._news and not self._fresh:
            return rows
        # Somebody else's come in between, or one of ours was told already, as a part of what was read.
        self._fresh.clear()
        self._news = False
        return None

    def now(self) -> Now:
        """The moment, with what is allowed at it."""
        return replace(self._clock.now(), policy=self.policy)

    async def execute(self, command: Command[Any], caller: Caller) -> Reply[Any] | FlowError:
        """Decide a command; a refusal is returned, not raised."""
        work = Work(command, caller)
        store = self.store
        try:
            if store.threads is not None:
                expected = work.expected(self.now())
                outcome = await away(store, lambda: self._written(work, expected), writes=True)
            elif self._commits_s < _QUICK_S and (turn := store.try_write()) is not None:
                outcome = self._timed(lambda: run(work, turn, self))
            else:
                # Disks of several spaces are waited for side by side, and nobody else waits for them.
                outcome = await self._loop.run_in_executor(
                    self._writer, self._timed, lambda: run(work, store.write(), self)
                )
        except StorageFailed as failed:
            self.changed_elsewhere()  # it is not known what happened
            return failed
        if work.written:
            self._fresh.update({row[0]: row for row in work.written})
            self.woken.set()
        return outcome

    def _written(self, work: Work, expected: Expected) -> Reply[Any] | FlowError:
        """In a thread; news of this commit is no news."""
        self._here.writing = True
        try:
            return run(work, self.store.write(expected), self)
        finally:
            self._here.writing = False

    def _timed(self, work: Callable[[], T]) -> T:
        """Do it, and remember about how long commits take lately."""
        start = time.perf_counter()
        try:
            return work()
        finally:
            self._commits_s += (time.perf_counter() - start - self._commits_s) * _NEWEST

    async def read(self, query: Query[R]) -> tuple[int, R]:
        """The answer to a question, and a position of the log that it holds at least.

        Raises:
            FlowError: The refusal.
        """
        now = self.now()
        if isinstance(query, LONG_QUERIES):
            return await self._in_thread(lambda: self._read_aside(query, now))
        return await self.look(lambda store: (store.position().seq, answer(query, store, now)))

    def _read_aside(self, query: Query[Any], now: Now) -> tuple[int, Any]:
        with self.store.aside() as store:
            return store.position().seq, answer(query, store, now)

    async def look(self, at: Callable[[Store], T]) -> T:
        """Have a quick look at the store."""
        return await away(self.store, lambda: at(self.store))

    async def write(self, work: Callable[[Store], T]) -> T:
        """Do something slow to the store, in a thread."""
        return await self._in_thread(lambda: persistently(lambda: work(self.store)))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def position(self) -> Position:
        """Where the log stands."""
        return await self.look(lambda store: store.position())

    async def hub_id(self) -> str:
        """Names this log: its first chain value, which no other log has."""
        return await self.look(_first_chain)

    def close(self) -> None:
        """Free the store."""
        self._writer.shutdown(wait=True, cancel_futures=True)
        self.store.close()


def _first_chain(store: Store) -> str:
    first = store.bodies(0, 1)
    return first[0][1] if first else GENESIS
