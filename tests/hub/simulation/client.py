"""One client of the simulation: the worker of the programmes on real client code, in a process that can be killed."""

from __future__ import annotations

import asyncio
import random
import shutil
import traceback
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from flowide.domain import commands as c
from flowide.domain.actors import Actor
from flowide.errors import FlowError, Offline
from flowide.space import queries as q
from flowide.space.remote.credentials import Seat
from flowide.space.remote.opening import open_remote
from flowide.space.remote.outbox import Outbox
from flowide.space.remote.space import RemoteSpace
from tests.hub.chaos.worker import RemoteWorker
from tests.hub.simulation.history import SimulatedHistory
from tests.hub.simulation.machines import Machine, Process
from tests.hub.simulation.world import World
from tests.space.torture.worker import TTL_MS

T = TypeVar("T")

LEAVE_S = 60.0
"""Seconds within which a client that was told to end has ended."""
SETTLE_S = 240.0
"""Seconds of the world until which a client has to be in step again, once all is well."""


class SimulatedWorker(RemoteWorker):
    """Writes down in memory what it is told, at the world's time; posts, and comes exactly when its lease ends."""

    PAUSE_S = 0.5

    def __init__(self, space: RemoteSpace, crew: Client) -> None:
        super().__init__(space, -1, crew.chance.randrange(2**32))  # type: ignore[arg-type] # the same door
        self._client = crew

    async def work(self, artifacts: list[str]) -> None:
        """Until it is told to stop."""
        moves = [self.acquire] * 6 + [self.save] * 6 + [self.write] * 4 + [self.renew] * 2 + [self.post] * 5
        moves += [self.release, self.release, self.force, self.cancel, self.transfer, self.adopt, self.stale]
        moves += [self.at_the_end] * 2
        while not self._client.stop:
            if not self._client.leisure_ms:
                await asyncio.sleep(0.1)
                continue
            await self.random.choice(moves)(self.random.choice(artifacts))
            if self.random.random() < 0.7:
                await asyncio.sleep(self.random.randrange(1, self._client.leisure_ms) / 1000)

    async def post(self, artifact: str) -> None:
        """Say the next number, also while the hub is away."""
        history, name = self._client.history, self._client.name
        history.begun[name] += 1
        number = history.begun[name]
        try:
            await self.space.execute(c.PostMessage(thread=f"thread-{name}", text=str(number)))
        except FlowError as error:
            self.tell(k="not posted", number=number, err=error.to_dict())
        else:
            history.promised[name].add(number)
            self.tell(k="posted", number=number)

    async def at_the_end(self, artifact: str) -> None:
        """Let a lease run out, and write or renew in the very moment, as near as can be told from here."""
        ok = await self.send(c.AcquireLock(artifact=artifact, ttl_ms=TTL_MS, purpose="to the end"))
        if ok is None or ok.fence is None:
            return
        self.fences[artifact] = ok.fence
        await asyncio.sleep((TTL_MS - self.random.randrange(12)) / 1000)
        await self.random.choice([self.renew, self.write, self.save, self.release])(artifact)

    def tell(self, **entry: Any) -> None:
        self._client.tell(entry | {"actor": self.space.actor.id, "client": self.space.client})


class Client:
    """One person's machine, with the process on it."""

    def __init__(
        self, world: World, history: SimulatedHistory, folder: Path, seat: Seat, *, leisure_ms: int
    ) -> None:
        self.world = world
        self.history = history
        self.name = seat.handle
        self.chance = random.Random(f"{world.seed} client {self.name}")
        self.machine = Machine(self.name)
        self.leisure_ms = leisure_ms
        self.stop = False
        self.space: RemoteSpace | None = None
        """None while it is being opened."""
        self.process: Process | None = None
        self.main: asyncio.Task[None] | None = None
        self.leaving = False
        """Its process is about to end."""
        self.broken: list[str] = []
        self.folder = folder / self.name / "0"
        self._seat = seat
        self._root = folder / self.name
        self._made = 0

    def start(self) -> None:
        """Begin a process on the machine."""
        self.process = self.world.process(self.machine)
        self.space, self.leaving = None, False
        # The loop gives the task to the process in whose context it is begun.
        self.main = self.process.context.run(self.world.loop.create_task, self._main())

    def kill(self, *, quietly: bool) -> None:
        """As `kill -9`; what is in its files is all that stays."""
        assert self.process is not None
        self.world.kill(self.process, quietly=quietly)
        self.process = self.space = None
        if quietly:
            self.machine.boots += 1
        self._made += 1
        place = self._root / str(self._made)
        if self.folder.exists():
            shutil.copytree(self.folder, place, ignore=shutil.ignore_patterns("*-shm"))
        self.folder = place

    def tell(self, entry: dict[str, Any]) -> None:
        """Write down what the client was told; no two moments are the same."""
        self.history.told_at = max(self.history.told_at + 1, self.world.loop.now * 1000)
        self.history.take(entry | {"t": self.history.told_at})

    async def leave(self) -> None:
        """Have its process end as a program does that was told to, in the middle of whatever it does."""
        self.leaving = True
        await self.do(self._leave())

    async def _leave(self) -> None:
        assert self.main is not None and self.space is not None
        self.main.cancel()
        await asyncio.wait([self.main])
        try:
            async with asyncio.timeout(LEAVE_S):
                await self.space.close()
        except TimeoutError:
            self.broken.append(f"{self.name} does not close within {LEAVE_S:.0f} s")
        except Exception as error:
            self.broken.append(f"{self.name} does not close: {type(error).__name__}: {error}")

    async def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Carry something out in its process."""
        assert self.process is not None
        return await self.process.context.run(self.world.loop.create_task, work)

    def outboxes(self) -> list[Outbox]:
        """What it owes the hub: as the process knows it, else as it is in the file; none before the first."""
        if self.space is not None:
            return [self.space.core.outbox]
        return [Outbox(file) for file in self.folder.glob("hub-*.outbox.db")]

    @property
    def settled(self) -> bool:
        """Whether it is in step with the hub, and owes it nothing."""
        space = self.space
        return (
            space is not None
            and space.state == "online"
            and not space.standing.waiting
            and not space.core.outbox.dirty(self.name)
            and space.core.seq >= space.core.seen
        )

    async def _main(self) -> None:
        try:
            space = await self._open()
            self.space = space
            space.core.tell = lambda line: self.tell({"k": "told", "line": line, "actor": self.name})
            artifacts = [row.id for row in await space.read(q.Artifacts())]
            await SimulatedWorker(space, self).work(artifacts)
            async with asyncio.timeout(SETTLE_S):
                while not self.settled:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            self.broken.append(f"{self.name} does not settle within {SETTLE_S:.0f} s: {self.how()}")
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.broken.append(
                f"{self.name} ended with {type(error).__name__}: {error} ({where.filename}:{where.lineno})"
            )

    async def _open(self) -> RemoteSpace:
        while True:
            try:
                return await open_remote(
                    self._seat.url, actor=Actor(self.name), folder=self.folder, seat=self._seat
                )
            except Offline:
                await asyncio.sleep(0.5)

    def how(self) -> str:
        """How it stands, for people."""
        space = self.space
        if space is None:
            return "it could not be opened"
        core = space.core
        return (
            f"{space.standing}, outbox {[each.cmd for each in core.outbox.entries()]}, "
            f"dirty {core.outbox.dirty(self.name)}, at {core.seq} of {core.seen}"
        )
