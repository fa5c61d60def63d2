"""Runs histories: real clients and a real hub in a simulated world, checked like those of real processes.

All that a history depends on comes from its seed: the same seed gives the same events, to the byte.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec

from flowide.domain import commands as c
from flowide.domain.actors import Actor, Caller
from flowide.domain.ids import uuid7
from flowide.space import queries as q
from flowide.space.arbiter import Work, run
from flowide.space.clock import SystemClock
from flowide.space.keys import grant_token
from flowide.space.reads import answer
from flowide.space.remote.credentials import Seat
from flowide.space.remote.outbox import Outbox
from flowide.store.by_url import open_store
from flowide.store.sqlite import SqliteStore
from tests.histories import Report
from tests.hub.simulation.client import SETTLE_S, Client
from tests.hub.simulation.faults import SPACE, Faults
from tests.hub.simulation.history import SimulatedHistory
from tests.hub.simulation.hub import SimulatedHub
from tests.hub.simulation.machines import dispose
from tests.hub.simulation.world import World

CLIENTS, ARTIFACTS = 3, 3
URL = f"http://127.0.0.1:7420/{SPACE}"


@dataclass
class SimulatedReport(Report):
    """A report, and what tells two histories apart."""

    digest: str = ""
    """SHA-256 of the log and of all that clients were told."""


Play = Callable[["Stage"], Coroutine[Any, Any, None]]


@dataclass
class Stage:
    """A hub and clients that are there, and what may go wrong with them."""

    world: World
    hub: SimulatedHub
    clients: list[Client]
    faults: Faults
    history: SimulatedHistory


def one_history(seed: int, *, seconds: float = 30.0, every_s: float = 2.5) -> SimulatedReport:
    """One history: so many seconds of the simulated world, with a fault every so many."""
    return played(seed, lambda stage: stage.faults.go_on(seconds, every_s))


def played(seed: int, play: Play, *, leisure_ms: int | None = None) -> SimulatedReport:
    """A history in which the clients work while something is played; then all is healed, settled and checked.

    `leisure_ms` is how long they pause at most; None = by the seed, 0 = they do nothing by themselves.
    """
    _template()
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="flowide-simulation-", dir=memory) as folder:
        world = World(seed)
        before = gc.isenabled()
        gc.disable()  # what nobody holds any more must not end in the middle of something else
        try:
            with world.around(), _closed_in_the_end():
                try:
                    return world.loop.run_until_complete(_live(world, Path(folder), play, leisure_ms))
                finally:
                    for process in world.processes:
                        process.alive = False
                        dispose(process)
        finally:
            world.loop.close()
            if before:
                gc.enable()


async def _live(world: World, folder: Path, play: Play, leisure_ms: int | None) -> SimulatedReport:
    hub = SimulatedHub(world, folder)
    tokens = _prepared(hub.place)
    history = SimulatedHistory()
    if leisure_ms is None:
        leisure_ms = world.chance.choice([250, 800, 2000])
    clients = [
        Client(world, history, folder, Seat(URL, name, tokens[name]), leisure_ms=leisure_ms)
        for name in list(tokens)[:CLIENTS]
    ]
    faults = Faults(world, hub, clients, history)
    hub.start()
    for client in clients:
        client.start()
    await play(Stage(world, hub, clients, faults, history))
    await faults.heal()
    for client in clients:
        client.stop = True
    waiting = [client.main for client in clients if client.main is not None]
    _, late = await asyncio.wait(waiting, timeout=2 * SETTLE_S)
    await _in_step(hub, clients)
    report = SimulatedReport(histories=1, faults=faults.counts)
    report.violations += faults.broken
    report.violations += [
        f"{client.name} does not end: {client.how()}" for client in clients if client.main in late
    ]
    report.violations += [broken for client in clients for broken in client.broken]
    _check(world, hub, clients, history, report)
    return report


async def _in_step(hub: SimulatedHub, clients: list[Client]) -> None:
    """Until the last events have come everywhere; when they do not, the check tells."""
    for _ in range(100):
        await asyncio.sleep(0.5)
        heads = {room.space.store.position() for room in hub.hub.keeper.rooms}
        if heads == {client.space.core.replica.position() for client in clients if client.space is not None}:
            return


def _check(
    world: World, hub: SimulatedHub, clients: list[Client], history: SimulatedHistory, report: SimulatedReport
) -> None:
    hub.kill()
    store = open_store(str(hub.place), SPACE)
    history.store = store
    history.events = store.events(0, 1_000_000)
    report.violations += [
        f"verify: {problem.what}" for problem in answer(q.Verify(), store, SystemClock().now())
    ]
    report.violations += history.check()
    head = store.position()
    for client in clients:
        if client.space is None:
            continue
        replica = client.space.core.replica
        if replica.position() != head:
            report.violations.append(
                f"{client.name}: its replica is at {replica.position()}, the hub at {head}"
            )
        found = answer(q.Verify(), replica.store, SystemClock().now())
        wrong = [problem.what for problem in found if problem.where in {"log", "table"}]
        report.violations += [f"{client.name}: {what}" for what in wrong]
    store.close()
    report.violations += [f"the hub said: {said}" for said in hub.said]
    report.violations += [f"escaped: {each}" for each in world.loop.escaped]
    calls = history.calls.values()
    report.operations = sum(entry["k"] in {"call", "posted", "not posted"} for entry in history.said)
    report.answered = sum(entry["k"] in {"ret", "local", "posted"} for entry in history.said)
    report.saves = sum(event.type == "artifact.saved" for event in history.events)
    report.refusals = Counter(call.err["code"] for call in calls if call.err is not None)
    lasted = [event.chain for event in history.events[-1:]]
    report.digest = sha256(msgspec.json.encode([lasted, history.said])).hexdigest()


def _prepared(place: Path) -> dict[str, str]:
    """A hub's folder with a space, its members and artifacts; tokens by handle."""
    files, tokens = _template()
    place.mkdir(parents=True)
    for name, data in files.items():
        (place / name).write_bytes(data)
    return tokens


@cache
def _template() -> tuple[dict[str, bytes], dict[str, str]]:
    world = World(0)
    world.loop.close()
    with tempfile.TemporaryDirectory() as folder, world.around():
        tokens = {
            f"w{n}": grant_token(folder, SPACE, f"w{n}", role="owner", device="simulation").token
            for n in range(8)
        }  # locks are handed to all eight, as the worker of one machine does
        store = open_store(folder, SPACE)
        commands: list[c.Command[Any]] = [
            c.CreateArtifact(path=f"{at}.md", text="") for at in range(ARTIFACTS)
        ]
        commands += [c.OpenThread(thread=f"thread-{name}", title=name) for name in tokens]
        for command in commands:
            run(Work(command, Caller(Actor("w0"), "prepare", uuid7())), store.write(), SystemClock())
        store.close()
        return {file.name: file.read_bytes() for file in Path(folder).iterdir()}, tokens


@contextlib.contextmanager
def _closed_in_the_end() -> Iterator[None]:
    """Close the files that killed processes left open."""
    stores: list[SqliteStore] = []
    outboxes: list[Outbox] = []

    def kept(kind: Any, made: list[Any]) -> Any:
        begin = kind.__init__

        def init(self: Any, *args: Any, **kwargs: Any) -> None:
            made.append(self)
            begin(self, *args, **kwargs)

        return mock.patch.object(kind, "__init__", init)

    with kept(SqliteStore, stores), kept(Outbox, outboxes):
        try:
            yield
        finally:
            for store in stores:
                if not store._writing.locked():
                    with contextlib.suppress(Exception):
                        store.close()
            for outbox in outboxes:
                with contextlib.suppress(Exception):
                    outbox._db.close()


def many(histories: int, seed: int, *, seconds: float = 30.0, stop: bool = False) -> Report:
    """Several histories; each that breaks a promise is told with the command that shows it again.

    `stop` = the first of these is the last.
    """
    total = Report()
    for at in range(seed, seed + histories):
        try:
            found: Report = one_history(at, seconds=seconds)
        except Exception as error:
            found = Report(histories=1, violations=[f"{type(error).__name__}: {error}"])
        total.add(found)
        for broken in found.violations:
            print(f"seed {at}: {broken[:1000]}", file=sys.stderr)
        if found.violations:
            again = f"python -m tests.hub.simulation --histories 1 --seed {at} --seconds {seconds:g}"
            print(f"seed {at} again: {again}", file=sys.stderr, flush=True)
            if stop:
                break
    return total
