"""Reading a remote space: from the replica what rests on events, from the hub what does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, TypeVar, cast

from flowide.domain.events import Event
from flowide.domain.ids import uuid7
from flowide.domain.rows import Artifact, Lock
from flowide.errors import FlowError, Gone, NotFound, Offline, TooLarge
from flowide.space.clock import Clock
from flowide.space.queries import DraftText, LiveDraft, Query, StepText
from flowide.space.reads import ANSWERS
from flowide.space.remote.core import Core
from flowide.space.remote.link import Link
from flowide.space.remote.questions import at_hub, in_replica
from flowide.space.remote.replica import missing_content
from flowide.space.wire.calls import Call, args_of, reply_of

R = TypeVar("R")

CATCH_UP_S = 10.0
"""How long a read waits for the replica to reach what an answer has told."""
PAGE = 256
_POLL_S = 0.25


class Reading:
    """Answers the questions of one view."""

    def __init__(self, core: Core, link: Link, clock: Clock) -> None:
        """`clock` tells the time offline."""
        self._core = core
        self._link = link
        self._clock = clock

    async def read(self, query: Query[R]) -> R:
        """The answer to a question; see `flowide.space.api.Space.read`."""
        if at_hub(query) and await self._link.reach.soon():
            known = await self._streamed(query)
            if known is not None:
                return cast("R", known)
            try:
                return await self._ask(query)
            except (Offline, TooLarge):
                pass
        await self.caught_up()
        while True:
            try:
                return await self._from_replica(query)
            except NotFound as error:
                digest = missing_content(error)
                if digest is None:
                    raise
                await self._core.contents.fetch(self._link, digest)

    async def _streamed(self, query: Query[Any]) -> Any:
        """A live text of somebody else that the hub streams to us; None = it has to be asked for."""
        live = self._core.texts_of_others
        found: DraftText | str | None = None
        if isinstance(query, LiveDraft) and query.artifact not in self._core.holds:
            with self._core.replica.store.read() as view:
                lock, row = view.get(Lock, query.artifact), view.get(Artifact, query.artifact)
            if lock is not None and row is not None and lock.state != "free":
                text = live.draft(query.artifact, lock.fence)
                found = None if text is None else DraftText(row.id, lock.fence, row.version, text)
        elif isinstance(query, StepText) and query.run not in self._core.driving:
            found = live.step(query.run, query.key)
        subscription = live.subscription()
        if subscription is not None:
            await self._link.sender.tell(subscription)
        return found

    async def looking_at(self, path: str | None, thread: str | None, run: str | None) -> None:
        """Tell others what is looked at here; see `RemoteSpace.looking_at`."""
        self._core.texts_of_others.at = (path, thread, run)
        subscription = self._core.texts_of_others.subscription()
        if subscription is not None:
            await self._link.sender.tell(subscription)

    async def _ask(self, query: Query[R]) -> R:
        call = Call(f"q{uuid7()}", type(query).__name__, args_of(query))
        result = await self._link.sender.ask(call)
        self._core.seen = max(self._core.seen, result.seq)
        outcome = reply_of(query, result)
        if isinstance(outcome, FlowError):
            raise outcome
        return cast("R", outcome.ok)

    async def _from_replica(self, query: Query[R]) -> R:
        now = self._clock.now()
        if at_hub(query):
            found = await asyncio.to_thread(self._core.replica.answer, query, now)
            return cast("R", in_replica(query, found))
        waiting = [] if self._link.reach.ready.is_set() else self._core.unseen()
        if waiting:
            return cast(
                "R",
                self._core.overlay.look(waiting, now, lambda view: ANSWERS[type(query)](view, query, now)),
            )
        return self._core.replica.answer(query, now)

    async def caught_up(self, seconds: float = CATCH_UP_S) -> None:
        """Until the replica has what the last answer told, while the hub is there."""
        loop = asyncio.get_running_loop()
        patience = loop.time() + seconds
        while (
            not self._core.closed
            and self._core.seq < self._core.seen
            and self._link.reach.ready.is_set()
            and loop.time() < patience
        ):
            await self._core.sleep(patience - loop.time())

    async def head(self) -> int:
        """Seq of the last event, once all is here that an answer has told."""
        await self.caught_up()
        return self._core.replica.store.position().seq

    async def events(self, after: int, *, follow: bool) -> AsyncIterator[Event]:
        """The log after a seq; see `flowide.space.api.Space.events`."""
        core = self._core
        store = core.replica.store
        await self.caught_up()
        generation, last = core.generation, ""
        while not core.closed:
            if generation != core.generation:
                generation = core.generation
                self._check_same_log(after, last)
            token = store.change_token()
            page = store.events(after, PAGE)
            for event in page:
                yield event
                after, last = event.seq, event.chain
            if len(page) == PAGE:
                continue
            if not follow:
                return
            while not core.closed and store.change_token() == token and generation == core.generation:
                await core.sleep(_POLL_S)

    def _check_same_log(self, after: int, last: str) -> None:
        """Whoever follows a log has to know when it is another one."""
        found = self._core.replica.store.bodies(after - 1, 1) if after else []
        if after and (not found or last not in {"", found[0][1]}):
            raise Gone(
                "the hub keeps another log now than the one that was followed",
                hint="Open the space again; your drafts and what waits to be sent are kept.",
            )
