"""One space of a hub: the arbiter on its store, and who follows it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from types import TracebackType
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
from flowide.store.api import Expected, Position, Store, Tx

T = TypeVar("T")
R = TypeVar("R")
Row = tuple[int, str, bytes]
"""`(seq, chain, canonical body)` of an event."""

_QUICK_S = 0.002
"""Commits that take less are made on the loop: a thread would cost more."""
SYNC_S = 1.0
"""Drafts and renewals are on disk after so many seconds at most; they outlive the end of the hub at once."""
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
        self._one_by_one = asyncio.Lock()
        """Has those who write wait in the order they came."""
        self._commits_s = 0.0
        self._syncing: asyncio.Task[None] | None = None
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
        lasting = work.answers()
        try:
            if store.threads is not None:
                expected = work.expected(self.now())
                write = partial(self._written, work, expected, lasting)
                outcome = await self._to_its_end(store.threads.write, partial(persistently, write))
            else:
                async with self._one_by_one:
                    outcome = await self._carry_out(work, lasting)
        except StorageFailed as failed:
            self.changed_elsewhere()  # it is not known what happened
            return failed
        if not lasting and self._syncing is None and not work.written:
            self._syncing = asyncio.create_task(self._sync(), name="sync")
        if work.written:
            self._fresh.update({row[0]: row for row in work.written})
            self.woken.set()
        return outcome

    async def _carry_out(self, work: Work, lasting: bool) -> Reply[Any] | FlowError:
        """On a database of this machine. The disk is waited for in a thread, unless it is quick.

        Statements are made here: in a thread each would wait for the interpreter, while the loop is busy.
        """
        turn = self.store.try_write(lasting=lasting)
        if turn is None:  # another process writes
            return await self._to_its_end(
                self._writer,
                partial(self._timed, lambda: run(work, self.store.write(lasting=lasting), self)),
            )
        if not lasting:
            return run(work, turn, self)
        later = _CommittedLater(turn)
        outcome = run(work, later, self)
        if self._commits_s < _QUICK_S:
            self._timed(later.commit)
        else:
            await self._to_its_end(self._writer, partial(self._timed, later.commit))
        return outcome

    async def _to_its_end(self, thread: Executor, work: Callable[[], T]) -> T:
        """Do this in a thread. What has begun ends, and is told, also when nobody waits for it any more."""
        doing = self._loop.run_in_executor(thread, work)
        try:
            return await asyncio.shield(doing)
        except asyncio.CancelledError:
            doing.add_done_callback(self._left_alone)
            raise

    def _left_alone(self, done: asyncio.Future[Any]) -> None:
        done.exception()  # whoever asked is gone
        self.changed_elsewhere()

    async def _sync(self) -> None:
        """Drafts are on disk soon; if each waited for it, saves would wait for them."""
        await asyncio.sleep(SYNC_S)
        async with self._one_by_one:
            self._syncing = None
            await self._loop.run_in_executor(self._writer, self._synced)

    def _synced(self) -> None:
        with contextlib.suppress(StorageFailed):  # the next commit tells
            self.store.sync()

    def _written(self, work: Work, expected: Expected, lasting: bool) -> Reply[Any] | FlowError:
        """In a thread; news of this commit is no news."""
        self._here.writing = True
        try:
            return run(work, self.store.write(expected, lasting=lasting), self)
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
        """Free the store; for a thread."""
        if self._syncing is not None:
            with contextlib.suppress(RuntimeError):  # the loop is over
                self._loop.call_soon_threadsafe(self._syncing.cancel)
        self._writer.submit(self._synced)
        self._writer.shutdown(wait=True)
        self.store.close()


class _CommittedLater:
    """A transaction that is left open by its block, unless that fails."""

    def __init__(self, turn: AbstractContextManager[Tx]) -> None:
        self._turn = turn

    def __enter__(self) -> Tx:
        return self._turn.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._turn.__exit__(kind, error, trace)

    def commit(self) -> None:
        """End it.

        Raises:
            StorageFailed: Nothing was changed.
        """
        self._turn.__exit__(None, None, None)


def _first_chain(store: Store) -> str:
    first = store.bodies(0, 1)
    return first[0][1] if first else GENESIS
