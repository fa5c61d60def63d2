"""What goes wrong, chosen by the seed: each is begun, lasts for a while, and ends."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from flowide.store.by_url import open_store
from tests.hub.simulation.client import Client
from tests.hub.simulation.history import SimulatedHistory
from tests.hub.simulation.hub import SimulatedHub
from tests.hub.simulation.network import WINDOW, Route
from tests.hub.simulation.world import World

SPACE = "chaos"


class Faults:
    """All of them, and how often each was."""

    def __init__(
        self, world: World, hub: SimulatedHub, clients: list[Client], history: SimulatedHistory
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._world = world
        self._hub = hub
        self._clients = clients
        self._history = history
        self._random = random.Random(f"{world.seed} faults")
        self._running: set[asyncio.Task[None]] = set()
        self._backup: Path | None = None
        self.over = False
        self.broken: list[str] = []
        self._kinds: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "client killed": self._client_killed,
            "client closed": self._client_closed,
            "laptop without power": self._client_dark,
            "laptop asleep": self._laptop_asleep,
            "clock set": self._clock_set,
            "hub killed": self._hub_killed,
            "hub without power": self._hub_dark,
            "hub stopped": self._hub_stopped,
            "hub suspended": self._hub_suspended,
            "hub restored": self._hub_restored,
            "disk slow": self._disk_slow,
            "line dropped": self._dropped,
            "line half-open": self._half_open,
            "line stalled": self._stalled,
            "slow reader": self._slow_reader,
            "line cut in a frame": self._cut,
            "line away": self._away,
        }

    async def go_on(self, seconds: float, every_s: float) -> None:
        """Begin one now and then, for so long."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while True:
            await asyncio.sleep(self._random.expovariate(1 / every_s))
            if loop.time() >= end:
                return
            kind = self._random.choice(list(self._kinds))
            self.counts[kind] += 1
            task = asyncio.create_task(self._kinds[kind](), name=kind)
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.broken.append(f"the fault {task.get_name()}: {type(error).__name__}: {error}")

    async def heal(self) -> None:
        """Have all be well."""
        self.over = True
        for task in list(self._running):
            task.cancel()
        await asyncio.sleep(0)
        if self._hub.process is not None and self._hub.hub.stopping:
            self._hub.kill()
        if self._hub.process is None:
            self._hub.start()
        for machine in [self._hub.machine, *[client.machine for client in self._clients]]:
            self._world.wake(machine)
        for client in self._clients:
            route = self._route(client)
            route.away, route.latency_ms, route.window, route.cut_after = "", (1, 6), WINDOW, None
            route.hear()
            if client.leaving and client.process is not None:
                client.kill(quietly=False)
            if client.process is None:
                client.start()

    # --- clients ----------------------------------------------------------------------------------------

    def _someone(self) -> Client:
        return self._random.choice(self._clients)

    def _route(self, client: Client | None = None) -> Route:
        return self._world.network.route((client or self._someone()).name)

    async def _client_killed(self, *, quietly: bool = False) -> None:
        client = self._someone()
        if client.process is None:
            return
        client.kill(quietly=quietly)
        self._world.wake(client.machine)
        await self._pause(0.1, 4.0)
        client.start()

    async def _client_closed(self) -> None:
        client = self._someone()
        process = client.process
        if process is None or not process.runs or client.space is None or client.leaving:
            return
        await client.leave()
        if client.process is process:
            client.kill(quietly=False)
            await self._pause(0.1, 4.0)
            client.start()

    async def _client_dark(self) -> None:
        await self._client_killed(quietly=True)

    async def _laptop_asleep(self) -> None:
        machine = self._someone().machine
        self._world.sleep(machine)
        await self._pause(0.3, self._random.choice([2.0, 20.0, 120.0]))
        self._world.wake(machine)

    async def _clock_set(self) -> None:
        machine = self._random.choice([self._hub.machine, self._someone().machine])
        machine.wall_skew += self._random.choice([-3600, -5, 5, 3600]) * 1_000_000_000

    # --- the hub ----------------------------------------------------------------------------------------

    async def _hub_killed(self, *, quietly: bool = False) -> None:
        if self._hub.process is None:
            return
        self._hub.kill(quietly=quietly)
        self._world.wake(self._hub.machine)
        await self._pause(0.05, 6.0)
        self._hub.start()

    async def _hub_dark(self) -> None:
        await self._hub_killed(quietly=True)

    async def _hub_stopped(self) -> None:
        process = self._hub.process
        if process is None or not process.runs:
            return
        process.context.run(self._hub.bye)
        await self._pause(0.05, 0.5)
        if self._hub.process is process:
            await self._hub_killed()

    async def _hub_suspended(self) -> None:
        self._world.sleep(self._hub.machine)
        await self._pause(0.1, self._random.choice([1.0, 10.0]))
        self._world.wake(self._hub.machine)

    async def _disk_slow(self) -> None:
        """The hub answers pings and questions, and carries out nothing."""
        process = self._hub.process
        if process is not None and process.runs:
            seconds = self._random.uniform(0.5, self._random.choice([5.0, 60.0]))
            process.context.run(self._world.loop.create_task, self._hub.keep_disk(seconds))

    async def _hub_restored(self) -> None:
        """A backup is made, and a while later the hub goes on from it."""
        if self._backup is not None or self._hub.process is None:
            return
        self._backup = self._hub.copy()
        try:
            await self._pause(1.0, 15.0)
            if self._hub.process is not None:
                await self.restore(self._backup)
        finally:
            self._backup = None

    async def restore(self, backup: Path) -> None:
        """The hub ends, and another one goes on from a copy of its files."""
        self._hub.kill(quietly=True)
        self._world.network.lose_all()
        self._world.wake(self._hub.machine)
        for client in self._clients:
            self._world.wake(client.machine)
        await asyncio.sleep(3.0)  # whoever has an answer of before has seen it by now
        self._hub.place = backup
        self._tell_history(backup)
        self._hub.start()

    def _tell_history(self, backup: Path) -> None:
        store = open_store(str(backup), SPACE)
        events = store.events(0, 1_000_000)
        store.close()
        waiting, kept = {}, set()
        for client in self._clients:
            for outbox in client.outboxes():
                waiting[client.name] = {
                    int(entry.args["text"]) for entry in outbox.entries() if entry.cmd == "message.post"
                }
                kept |= {(text.artifact, text.fence) for text in outbox.dirty(client.name)}
        self._history.restored(events, waiting, kept)

    # --- lines ------------------------------------------------------------------------------------------

    async def _dropped(self) -> None:
        self._route().drop()

    async def _half_open(self) -> None:
        route = self._route()
        for towards_hub in self._random.choice([(True,), (False,), (True, False)]):
            route.deaf[towards_hub] = True
        await self._pause(0.2, self._random.choice([3.0, 20.0, 100.0]))
        if self._random.random() < 0.5:
            route.drop()
        route.hear()

    async def _stalled(self) -> None:
        route = self._route()
        route.latency_ms = (50, self._random.choice([300, 900]))
        await self._pause(0.5, 10.0)
        route.latency_ms = (1, 6)

    async def _slow_reader(self) -> None:
        route = self._route()
        route.window = self._random.choice([60, 500])
        await self._pause(0.5, 10.0)
        route.window = WINDOW

    async def _cut(self) -> None:
        self._route().cut_after = self._random.randrange(20, 5000)

    async def _away(self) -> None:
        route = self._route()
        route.away = self._random.choice(["refused", "silent"])
        route.drop()
        await self._pause(0.3, self._random.choice([3.0, 20.0, 60.0]))
        route.away = ""

    async def _pause(self, least: float, most: float) -> None:
        await asyncio.sleep(self._random.uniform(least, most))
