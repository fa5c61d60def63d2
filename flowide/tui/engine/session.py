"""What the engine thread holds: the space, the folder, our locks, our runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from flowide.domain import rows
from flowide.domain.commands import ReleaseLock
from flowide.errors import FlowError
from flowide.space import queries as q
from flowide.space.api import Space
from flowide.space.leases import LeaseKeeper
from flowide.tui.engine import disk
from flowide.tui.engine.news import News
from flowide.tui.engine.place import Flows, Folder, Opener, Place
from flowide.tui.views.actors import others
from flowide.tui.views.snapshot import Looked, Snapshot

RUNS_SHOWN = 12
RUNS_READ = 100
"""Newest runs among which those to be shown are found."""
THREADS_SHOWN = 50
REVIEWS_SHOWN = 12
QUIET_S = 0.04
"""Seconds in which further events join the same picture."""
LOOK_S = 2.0
"""Seconds between looks whether runs are still driven: the end of a process is no event."""


class Hold(Struct):
    """A lock of this process that is being kept."""

    artifact: rows.Artifact
    fence: int
    base: int
    keeper: LeaseKeeper
    since: int
    """A position of the log at which the lock was ours; older pictures do not show it."""
    sent: str = ""
    """The part of the draft that is stored."""


class Live:
    """A text that a run of this process is writing."""

    def __init__(self, step: str, actor: str) -> None:
        self.step = step
        self.actor = actor
        self.size = 0
        """Characters."""
        self._parts: list[str] = []

    def add(self, text: str) -> None:
        """Take in the next words, without copying what is there."""
        self._parts.append(text)
        self.size += len(text)

    @property
    def text(self) -> str:
        """All of it so far."""
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""


class Session:
    """Lives on the engine's loop. Its `editing`, `mixing` and `running` modules work on it."""

    def __init__(self, opener: Opener, tell: Callable[[News], None]) -> None:
        self._opener = opener
        self.tell = tell
        self.place: Place
        self.holds: dict[str, Hold] = {}
        """By artifact id."""
        self.runs: dict[str, asyncio.Task[Any]] = {}
        """Runs this process drives, by id."""
        self.live: dict[str, dict[str, Live]] = {}
        """By run, then by step."""
        self.asked: dict[str, int] = {}
        """How often somebody was asked in a thread, by its id, while a run of this process writes its answers."""
        self.background: set[asyncio.Task[Any]] = set()
        """Other work that ends with the session, such as the checks of a blend."""
        self.texts: dict[tuple[str, int], str] = {}
        """Texts of variations that were read; they never change."""
        self.shown: Snapshot | None = None
        self._nudge = asyncio.Event()
        """Something is different that no event tells."""

    @property
    def space(self) -> Space:
        """The one door."""
        return self.place.space

    @property
    def folder(self) -> Folder:
        """The project on disk."""
        return self.place.folder

    @property
    def flows(self) -> Flows:
        """What drives runs."""
        return self.place.flows

    async def open(self) -> None:
        """Open the space.

        Raises:
            FlowError: It cannot be used.
        """
        self.place = await self._opener()
        listen = getattr(self.space, "listen", None)
        if listen is not None:
            listen()
        core = getattr(self.space, "core", None)
        if core is not None:
            core.on_change.append(self._nudge.set)
        self.background.add(asyncio.create_task(disk.watch(self), name="disk"))
        if self.place.warnings:
            self.tell(News(warnings=list(self.place.warnings)))

    async def follow(self) -> None:
        """Send a new picture whenever something was committed, by whomever."""
        while True:
            self.shown = await self.snapshot()
            self.tell(News(snapshot=self.shown))
            await self._something_new(self.shown.head)
            await asyncio.sleep(QUIET_S)

    async def _something_new(self, head: int) -> None:
        """Until something was committed, or the connection to the hub came or went."""
        committed = asyncio.ensure_future(anext(self.space.events(head, follow=True)))
        nudged = asyncio.ensure_future(self._nudge.wait())
        try:
            while True:
                done, _ = await asyncio.wait(
                    {committed, nudged},
                    timeout=LOOK_S if self._driven() else None,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if done or await self._has_left():
                    break
            if committed.done():
                committed.result()
        finally:
            self._nudge.clear()
            for task in (committed, nudged):
                task.cancel()
            await asyncio.gather(committed, nudged, return_exceptions=True)

    def _driven(self) -> list[str]:
        runs = [] if self.shown is None else self.shown.runs
        return [view.run.id for view in runs if view.run.status == "running" and view.alive]

    async def _has_left(self) -> bool:
        """Whether nobody drives a run any more that somebody drove when the picture was made."""
        return any([not (await self.space.read(q.OneRun(run))).alive for run in self._driven()])

    async def snapshot(self) -> Snapshot:
        """Read what the workspace shows."""
        space = self.space
        head = await space.head()
        newest = [run for run in await space.read(q.Runs(RUNS_READ)) if not _is_said(run)]
        runs = [await space.read(q.OneRun(run.id)) for run in newest[:RUNS_SHOWN]]
        artifacts = await space.read(q.Artifacts())
        locks = await space.read(q.Locks())
        sets = await space.read(q.VariationSets())
        gates = await space.read(q.Gates())
        drafts = await space.read(q.Drafts())
        threads = await space.read(q.Threads(limit=THREADS_SHOWN))
        decisions = await space.read(q.Decisions("open"))
        reviews = (await space.read(q.Reviews()))[:REVIEWS_SHOWN]
        return Snapshot(
            me=space.actor.id,
            client=space.client,
            project=self.folder.root.name,
            head=head,
            artifacts=artifacts,
            locks=locks,
            sets=sets,
            runs=runs,
            gates=gates,
            drafts=drafts,
            threads=threads,
            decisions=decisions,
            reviews=reviews,
            seats=self.place.seats,
            standing=getattr(space, "standing", None),
            here=others(getattr(space, "presence", ()), space.actor.id),
        )

    async def close(self) -> None:
        """Stop our runs, give our locks back, free the space."""
        tasks = [*self.runs.values(), *self.background]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=0.25)
        for hold in list(self.holds.values()):
            with contextlib.suppress(FlowError):
                await self.let_go(hold)
        await self.space.close()

    async def let_go(self, hold: Hold) -> None:
        """End a lock of ours; what was written and not saved stays as a draft."""
        self.holds.pop(hold.artifact.id, None)
        await hold.keeper.__aexit__(None, None, None)
        await self.space.execute(ReleaseLock(artifact=hold.artifact.id, fence=hold.fence, draft="keep"))


async def tell_others(session: Session, looked: Looked) -> None:
    """Tell others what is looked at here, where there can be any."""
    tell = getattr(session.space, "looking_at", None)
    if tell is not None:
        await tell(looked.path, thread=looked.thread, run=looked.run)


def _is_said(run: rows.Run) -> bool:
    """Whether all a run did is to have answers written, which stand in their thread."""
    return run.flow == "say" and run.status == "completed"
