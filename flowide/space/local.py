"""A space in this process, on a store that other processes may use at the same time."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from msgspec.structs import replace

from flowide.domain.actors import Actor, Caller, Now
from flowide.domain.commands import MAX_BLOB, Batch, Command
from flowide.domain.events import Event
from flowide.domain.ids import uuid7
from flowide.domain.limits import MAX_NAME, check_text
from flowide.domain.policy import Policy
from flowide.errors import FlowError, NotFound, TooLarge
from flowide.space.api import Reply
from flowide.space.arbiter import Work, run
from flowide.space.away import StoreClock, away
from flowide.space.clock import Clock
from flowide.space.queries import Query, Search, Stats, Verify
from flowide.space.reads import answer
from flowide.store.api import Store
from flowide.store.bell import Bell, bell_of

if TYPE_CHECKING:
    from flowide.space.archive import Moved

Ok = TypeVar("Ok")
R = TypeVar("R")

LONG_QUERIES = (Search, Stats, Verify)
"""Answered in a thread, over a connection of their own."""
POLL_S = 0.03
"""Seconds between looks at what other processes committed."""
SOON = ((0.02, 0.004), (0.1, 0.015), (2.0, POLL_S))
"""Seconds after the bell, and between looks until then: it rings while a commit is written, just before it is seen."""
QUIET_S = 0.5
"""Seconds between looks while the bell is silent."""
PAGE = 256
"""Events fetched at a time."""


class LocalSpace:
    """Implements `flowide.space.api.Space` on a store. Belongs to one event loop."""

    shared = False

    def __init__(
        self,
        store: Store,
        actor: Actor,
        *,
        client: str | None = None,
        clock: Clock | None = None,
        policy: Policy | None = None,
    ) -> None:
        """`policy` is what the rules are told; None = the defaults.

        `clock` None = the store's own, or this machine's where it has none.

        Raises:
            BadInput: The actor's handle or the client's id cannot be stored.
        """
        check_text("handle", actor.id, MAX_NAME, least=1)
        check_text("client", client or "", MAX_NAME)
        self.store = store
        self.actor = actor
        self.client = client or str(uuid.uuid4())
        self._clock = clock or StoreClock(store)
        self._policy = policy
        self._followers = _Followers(store)

    @property
    def notice(self) -> str | None:
        """One line for people about how the space is kept; None when all is as it should be."""
        return self.store.notice

    @property
    def ttl_ms(self) -> int:
        """Milliseconds a lock lives without a renewal, unless its taker says otherwise."""
        return (self._policy or Policy()).ttl_ms

    def now(self) -> Now:
        """The moment, with what is allowed at it."""
        now = self._clock.now()
        return now if self._policy is None else replace(now, policy=self._policy)

    def acting_as(self, actor: Actor) -> LocalSpace:
        other = LocalSpace(self.store, actor, client=self.client, clock=self._clock, policy=self._policy)
        other._followers = self._followers
        return other

    async def execute(self, command: Command[Ok], *, id: str | None = None) -> Reply[Ok]:
        return cast("Reply[Ok]", await self._commit(command, id))

    async def batch(self, commands: Sequence[Command[Any]], *, id: str | None = None) -> Reply[list[Any]]:
        reply = await self._commit(Batch(cmds=list(commands)), id)
        return Reply(reply.seq, reply.ok.results)

    async def _commit(self, command: Command[Any], id: str | None) -> Reply[Any]:
        work = Work(command, Caller(self.actor, self.client, uuid7() if id is None else id))
        turn = self.store.try_write() if self.store.threads is None else None
        if turn is not None:
            outcome = run(work, turn, self)
        elif self.store.threads is None:
            outcome = await asyncio.to_thread(lambda: run(work, self.store.write(), self))
        else:
            expected = work.expected(self.now())
            outcome = await away(self.store, lambda: run(work, self.store.write(expected), self), writes=True)
        self._followers.wake()
        if isinstance(outcome, FlowError):
            raise outcome
        return outcome

    async def read(self, query: Query[R]) -> R:
        now = self.now()
        if isinstance(query, LONG_QUERIES):
            return cast("R", await asyncio.to_thread(self._read_aside, query, now))
        return cast("R", await away(self.store, lambda: answer(query, self.store, now)))

    def _read_aside(self, query: Query[Any], now: Now) -> Any:
        with self.store.aside() as store:
            return answer(query, store, now)

    async def head(self) -> int:
        return (await away(self.store, self.store.position)).seq

    async def export_to(self, folder: Path) -> Moved:
        """Write the whole space into an empty folder, as plain files and JSON lines; see `archive`."""
        from flowide.space.archive import export_to

        def leave() -> Moved:
            with self.store.aside() as store:
                return export_to(store, folder)

        return await asyncio.to_thread(leave)

    async def import_from(self, folder: Path) -> Moved:
        """Fill this space, which has to be empty, from an export."""
        from flowide.space.archive import import_from

        moved = await asyncio.to_thread(import_from, self.store, folder)
        self._followers.wake()
        return moved

    async def rebuild(self) -> None:
        """Make all projections again from the log, as a part of repairing a workspace.

        Raises:
            StorageFailed: The log cannot be folded; nothing was changed.
        """
        await asyncio.to_thread(self.store.rebuild)
        self._followers.wake()

    async def put_blob(self, data: bytes) -> str:
        if len(data) > MAX_BLOB:
            raise TooLarge(f"{len(data)} bytes", hint=f"The most is {MAX_BLOB} bytes.", limit=MAX_BLOB)
        digest = sha256(data).hexdigest()
        if not await away(self.store, lambda: self._has_blob(digest)):
            if self.store.threads is None:
                await asyncio.to_thread(self._write_blob, digest, data)
            else:
                await away(self.store, lambda: self._write_blob(digest, data), writes=True)
        return digest

    def _has_blob(self, digest: str) -> bool:
        with self.store.read() as view:
            return view.blob_size(digest) is not None

    def _write_blob(self, digest: str, data: bytes) -> None:
        with self.store.write() as tx:
            tx.put_blob(digest, data)

    async def blob(self, sha256: str) -> bytes:
        data = await away(self.store, lambda: self.store.blob(sha256))
        if data is None:
            raise NotFound(f"there is no blob {sha256[:80]}", hint="Run `flowide verify`.")
        return data

    async def events(self, after: int = 0, *, follow: bool = False) -> AsyncIterator[Event]:
        while not self._followers.closed:
            # Taken before the look: what is committed after it makes another one.
            token = self.store.change_token()
            page = await away(self.store, partial(self.store.events, after, PAGE))
            for event in page:
                yield event
                after = event.seq
            if len(page) == PAGE:
                continue
            if not follow:
                return
            while not self._followers.closed and self.store.change_token() == token:
                await self._followers.sleep(self._followers.pause())
            self._followers.found()

    def listen(self) -> None:
        """Follow by being told, where the system can: looks are rare while nothing is written."""
        path = getattr(self.store, "path", None)
        if path is not None:
            self._followers.listen(bell_of([path, path.with_name(path.name + "-wal")]))

    async def close(self) -> None:
        self._followers.close()
        if self.store.threads is None:
            self.store.close()
        else:
            await asyncio.to_thread(self.store.close)


class _Followers:
    """Those who wait for the log to grow: own commits, news of others and the end wake them at once."""

    def __init__(self, store: Store) -> None:
        self._waiters: set[asyncio.Future[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.closed = False
        self._store = store
        self._bell: Bell | None = None
        self._rung = 0.0
        """When the bell was heard last, on the loop's clock."""

    def wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def close(self) -> None:
        self.closed = True
        self.listen(None)
        self.wake()

    def listen(self, bell: Bell | None) -> None:
        """Be woken by this bell from now on; None = by none."""
        if self._bell is not None:
            asyncio.get_running_loop().remove_reader(self._bell.descriptor)
            self._bell.close()
        self._bell = bell
        if bell is not None:
            loop = asyncio.get_running_loop()
            self._rung = loop.time()
            loop.add_reader(bell.descriptor, self._ring, bell, loop)

    def _ring(self, bell: Bell, loop: asyncio.AbstractEventLoop) -> None:
        bell.clear()
        self._rung = loop.time()
        self.wake()

    def pause(self) -> float:
        """Seconds until the next look."""
        if self._bell is None:
            return POLL_S
        since = asyncio.get_running_loop().time() - self._rung
        return next((pause for until, pause in SOON if since < until), QUIET_S)

    def found(self) -> None:
        """Something was committed; a bell that was silent about it is not heard here."""
        if self._bell is not None and asyncio.get_running_loop().time() - self._rung > SOON[-1][0]:
            self.listen(None)

    async def sleep(self, seconds: float) -> None:
        """For so long at most, or until somebody here commits."""
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
            self._store.on_change(self._told)
        waiter: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(seconds, _done, waiter)
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiters.discard(waiter)

    def _told(self) -> None:
        """In whatever thread the news came."""
        with contextlib.suppress(RuntimeError):  # the loop is over
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self.wake)


def _done(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
