"""Takes the runs that were left to workers: one worker a run at a time, whichever process or machine is free."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from flowide.domain import rows
from flowide.domain.actors import Actor
from flowide.domain.commands import ClaimRun, FinishRun, Leased
from flowide.errors import FlowError, NotAllowed
from flowide.flows import engine, leases
from flowide.flows.api import Observer, RunResult
from flowide.flows.surroundings import Surroundings
from flowide.project.folder import ProjectFolder
from flowide.space.api import Reply, Space
from flowide.space.queries import Queue

LOOK_S = 1.0
"""Seconds between looks for runs whose worker is gone: nothing is written when one dies."""
MOST_WAIT_S = 16.0
"""Seconds until a space that cannot be read is tried again, at most."""
MOST_TAKEN = 50
"""How often a run is taken up, after which it is ended: what it does may be what ends its workers."""
_NEWS = frozenset({"run.queued", "run.finished", "gate.answered"})


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """On which terms a worker works."""

    at_once: int = 1
    """Runs driven at the same time."""
    trust: bool = False
    """Commands of runs that other people queued are run too."""
    until_empty: bool = False
    """Ends when there is nothing to take."""
    most: int | None = None
    """Ends after so many runs."""


class Seat(msgspec.Struct, frozen=True):
    """A run that was taken: by whom, and from where on its events are news."""

    space: Space
    """Seen by the person for whom the run works."""
    run: rows.Run
    since: int


Told = Callable[[Seat], AbstractAsyncContextManager["Teller"]]
"""Opened for each run that is taken; closed when it is let go."""


class Teller(Observer, Protocol):
    """Watches one run, and is told its end."""

    def ended(self, result: RunResult | None, error: FlowError | None) -> None:
        """How it ended here; `error` says why it could not even be driven."""
        ...


class Worker:
    """Drives runs of the queue until it is cancelled or its terms are met."""

    def __init__(
        self, space: Space, folder: ProjectFolder, around: Surroundings, told: Told, terms: Terms
    ) -> None:
        self._space, self._folder, self._around = space, folder, around
        self._told, self._terms = told, terms
        self._going: dict[str, asyncio.Task[bool]] = {}
        self._news = asyncio.Event()
        self.taken = 0
        """Runs taken so far."""

    async def work(self) -> None:
        """Take runs, oldest first. A cancelled worker gives those it drives back to the queue."""
        watch = asyncio.create_task(self._watch(), name="news of runs")
        wait_s = LOOK_S
        try:
            while True:
                self._news.clear()
                try:
                    await self._take()
                    wait_s = LOOK_S
                except FlowError as error:
                    if not self._passing(error):
                        raise
                    wait_s = min(wait_s * 2, MOST_WAIT_S)
                if not self._going and self._done():
                    return
                await self._pause(wait_s)
        finally:
            watch.cancel()
            for task in self._going.values():
                task.cancel()
            await asyncio.gather(watch, *self._going.values(), return_exceptions=True)

    def _done(self) -> bool:
        full = self._terms.most is not None and self.taken >= self._terms.most
        return full or self._terms.until_empty

    async def _take(self) -> None:
        """Begin as many runs as there is room for."""
        if self._room() <= 0:
            return
        for run in await self._space.read(Queue()):
            if self._room() <= 0:
                return
            if run.id not in self._going:
                seat = await self._claimed(run)
                if seat is not None:
                    self.taken += 1
                    self._going[run.id] = asyncio.create_task(self._drive(seat), name=f"run {run.id}")

    def _room(self) -> int:
        room = self._terms.at_once - len(self._going)
        return room if self._terms.most is None else min(room, self._terms.most - self.taken)

    async def _claimed(self, run: rows.Run) -> Seat | None:
        """The run under its new fence; None when another worker was quicker."""
        try:
            space = self._seen_by(run)
            claimed = await self._claim(space, run)
        except (
            NotAllowed
        ):  # this space lets nobody act for another: then the worker's own person is answerable
            space = self._space
            claimed = await self._claim(space, run)
        if claimed is None:
            return None
        return Seat(space, msgspec.structs.replace(run, fence=claimed.ok.fence), claimed.seq - 1)

    async def _claim(self, space: Space, run: rows.Run) -> Reply[Leased] | None:
        try:
            return await space.execute(ClaimRun(run=run.id, ttl_ms=leases.LEASE_MS))
        except FlowError as error:
            if error.code in {"busy", "gone", "not_found"}:
                return None
            raise

    def _seen_by(self, run: rows.Run) -> Space:
        """Whoever queued the run is answerable for it: what it says is theirs, its agents work for them."""
        if run.actor == self._space.actor.id:
            return self._space
        by = run.options.get("by", {"id": run.actor})
        return self._space.acting_as(msgspec.convert(by, Actor))

    async def _drive(self, seat: Seat) -> bool:
        trust = (
            None if engine.is_own(self._space, self._folder, seat.run, self._around) else self._terms.trust
        )
        taken = engine.Taken(seat.run.fence, seat.since + 1, trust)
        async with self._told(seat) as teller:
            try:
                if seat.run.fence > MOST_TAKEN:
                    raise FlowError(
                        f"the run was taken up {MOST_TAKEN} times and came to no end",
                        hint="Look at its log: flowide events RUN; then go on with flowide run --resume RUN.",
                    )
                result = await engine.resume(
                    seat.space,
                    self._folder,
                    seat.run.id,
                    observer=teller,
                    surroundings=self._around,
                    taken=taken,
                )
                teller.ended(result, None)
            except FlowError as error:
                await _end(seat, error)
                teller.ended(None, error)
            except Exception as bug:  # it costs this run, not the worker and the others it drives
                told = FlowError(f"this is a mistake in FlowIDE: {type(bug).__name__}: {bug}"[:2000])
                await _end(seat, told)
                teller.ended(None, told)
        return True

    async def _pause(self, seconds: float) -> None:
        """Until there is news, a run has ended, or it is time to look again."""
        told = asyncio.create_task(self._news.wait())
        try:
            await asyncio.wait(
                {told, *self._going.values()}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            told.cancel()
        for run, task in list(self._going.items()):
            if task.done():
                del self._going[run]
                task.result()

    async def _watch(self) -> None:
        """Wake when something was queued or answered."""
        while True:
            try:
                async with contextlib.aclosing(_news(self._space)) as news:
                    async for _ in news:
                        self._news.set()
            except FlowError:  # told by the next look
                await asyncio.sleep(LOOK_S)

    def _passing(self, error: FlowError) -> bool:
        """Whether a space that cannot be used now may be used again without somebody's help."""
        return error.code in {"unavailable", "offline", "limit"} or bool(error.data.get("retryable"))


async def _news(space: Space) -> AsyncGenerator[None]:
    async for event in space.events(await space.head(), follow=True):
        if event.type in _NEWS:
            yield


async def _end(seat: Seat, error: FlowError) -> None:
    """Put into the log why a run could not be driven, so that it is not taken up over and over."""
    finish = FinishRun(
        run=seat.run.id,
        fence=seat.run.fence,
        status="failed",
        exit_code=error.exit_code,
        error=error.to_dict(),
    )
    with contextlib.suppress(FlowError):  # it has ended, or is somebody else's by now
        await seat.space.execute(finish)
