"""Everything that the code asks of its machine, decided by a seed: clocks, random bytes, threads and connections."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import logging
import os
import random
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any
from unittest import mock

from flowide.hub import app
from flowide.hub.space import HubSpace
from flowide.space import clock
from flowide.space.remote import outbox
from flowide.space.wire import snapshot
from tests.hub.simulation.blocking import SimulatedConnection, fetch
from tests.hub.simulation.loop import SimulatedLoop
from tests.hub.simulation.machines import MS, NS, Machine, Process, current
from tests.hub.simulation.network import Network


class World:
    """One simulated world: its clock, its network and the processes in it."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.chance = random.Random(f"{seed} world")
        self.loop = SimulatedLoop(random.Random(f"{seed} threads"))
        self.network = Network(self.loop, seed)
        self.processes: list[Process] = []
        self.loop.fetch = partial(fetch, self.network)
        self.loop.create_connection = self._connect  # type: ignore[method-assign,assignment] # the only way out

    async def _connect(self, factory: Any, **_: Any) -> Any:
        return await self.network.connect(factory)

    def process(self, machine: Machine) -> Process:
        """A new process on a machine."""
        made = Process(machine, sum(each.machine is machine for each in self.processes) + 1)
        self.processes.append(made)
        machine.dark = False
        return made

    def kill(self, process: Process, *, quietly: bool = False) -> None:
        """It does nothing more; `quietly` = with its whole machine, so that nobody is told."""
        process.alive = False
        process.machine.dark = quietly
        for end in list(process.sockets):
            end.vanish(quietly=quietly)
        process.sockets.clear()

    def sleep(self, machine: Machine) -> None:
        """The machine sleeps from now on."""
        if machine.asleep_since is None:
            machine.asleep_since = self.loop.now

    def wake(self, machine: Machine) -> None:
        """It goes on."""
        if machine.asleep_since is not None:
            since, machine.asleep_since = machine.asleep_since, None
            machine.slept += self.loop.now - since
            self.loop.woke(machine, since)

    def owner(self) -> str:
        """Names the process that runs, as an outbox does."""
        process = current()
        return "world" if process is None else process.name

    def lives(self, owner: str) -> bool:
        """Whether the process of this name is alive."""
        return any(each.alive and each.name == owner for each in self.processes)

    @contextlib.contextmanager
    def around(self) -> Iterator[None]:
        """Have the code live in this world until the block ends."""
        bytes_ = random.Random(f"{self.seed} bytes").randbytes
        with contextlib.ExitStack() as stack:
            for place, name, instead in [*self._clocks(), *self._places(), (os, "urandom", bytes_),
                                         (random, "_urandom", bytes_)]:  # fmt: skip
                stack.enter_context(mock.patch.object(place, name, instead))
            before = random.getstate()
            stack.callback(random.setstate, before)
            random.seed(self.seed)
            logging.disable(logging.CRITICAL)
            stack.callback(logging.disable, logging.NOTSET)
            yield

    def _clocks(self) -> list[tuple[Any, str, Any]]:
        def of(kind: str) -> int:
            process = current()
            machine = Machine("world") if process is None else process.machine
            return int(getattr(machine, kind)(self.loop.now))

        return [
            (time, "time_ns", lambda: of("wall")),
            (time, "time", lambda: of("wall") / NS),
            (time, "monotonic_ns", lambda: of("mono")),
            (time, "monotonic", lambda: of("mono") / NS),
            (time, "perf_counter", lambda: of("mono") / NS),
            (time, "clock_gettime_ns", lambda _: of("boottime")),
            (time, "sleep", lambda _: None),
        ]

    def _places(self) -> list[tuple[Any, str, Any]]:
        def boot() -> str:
            process = current()
            return "world" if process is None else process.machine.boot

        return [
            (clock, "_boot", boot),
            (outbox, "_myself", self.owner),
            (outbox, "_alive", self.lives),
            (http.client, "HTTPConnection", SimulatedConnection),
            (app, "pieces", _pieces),
        ]

    def pause(self, ms: float) -> Any:
        """A coroutine that waits so long in the world's time."""
        return asyncio.sleep(ms * MS / NS)


async def _pieces(space: HubSpace, hub: str, *, small: bool) -> AsyncIterator[bytes]:
    """As `flowide.hub.snapshots.pieces`, without its thread."""
    from flowide.hub.snapshots import _packed

    with space.store.aside() as own:
        made = list(_packed(snapshot.lines(own, hub), small=small))
    for piece in made:
        yield piece
