"""What one hub of a database knows of the clients of the others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from flowide.domain.actors import Now
from flowide.domain.policy import Policy
from flowide.hub import elsewhere
from flowide.hub.elsewhere import BEAT_S, Elsewhere
from flowide.hub.space import HubSpace
from flowide.space.wire.frames import Present
from flowide.store.by_url import create_space, open_store

ANA = Present("ana", "human", "laptop", "2026-01-01T09:00:00Z")
ROD = Present("rod", "human", "pc", "2026-01-01T09:01:00Z")


class Clock:
    """One clock for all hubs of a test."""

    def __init__(self) -> None:
        self.mono_ms = 0

    def now(self) -> Now:
        return Now(self.mono_ms, "boot", "2026-01-01T09:00:00Z")


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with one space, at which hubs look often."""
    monkeypatch.setattr(elsewhere, "LOOK_S", 0.01)
    create_space(str(tmp_path), "shared")
    return str(tmp_path)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


class OneHub:
    """As much of a hub as knows who is connected."""

    def __init__(self, database: str, clock: Clock, threads: ThreadPoolExecutor) -> None:
        self.space = HubSpace("shared", open_store(database, "shared"), Policy(), threads, clock=clock)
        self.changes = 0
        self.others = Elsewhere(self.space, self._changed)

    def _changed(self) -> None:
        self.changes += 1

    async def sees(self, here: list[Present]) -> None:
        async with asyncio.timeout(20):
            while self.others.here != here:
                await asyncio.sleep(0.01)

    async def end(self) -> None:
        await self.others.close()
        await asyncio.to_thread(self.space.close)


async def test_clients_of_a_hub_that_was_killed_are_gone_after_half_a_minute(
    database: str, threads: ThreadPoolExecutor
) -> None:
    clock = Clock()
    one, two = OneHub(database, clock, threads), OneHub(database, clock, threads)
    one.others.tell([ANA])
    two.others.tell([ROD])
    await one.sees([ROD])
    await two.sees([ANA])

    assert two.others._task is not None
    two.others._task.cancel()  # as a kill does: nothing more is said
    clock.mono_ms += 29_000
    await asyncio.sleep(0.1)
    assert one.others.here == [ROD]
    clock.mono_ms += 1_001
    await one.sees([])

    await one.end()
    await asyncio.to_thread(two.space.close)


async def test_hubs_that_are_there_keep_their_clients_seen(
    database: str, threads: ThreadPoolExecutor
) -> None:
    clock = Clock()
    one, two = OneHub(database, clock, threads), OneHub(database, clock, threads)
    one.others.tell([ANA])
    clock.mono_ms += 3_600_000  # alone for an hour: it wrote nothing since, and is not forgotten
    two.others.tell([ROD])
    await one.sees([ROD])
    await two.sees([ANA])
    changes = one.changes
    for _ in range(12):
        clock.mono_ms += round(BEAT_S * 1000)
        await asyncio.sleep(0.1)
        assert one.others.here == [ROD]
        assert two.others.here == [ANA]
    assert one.changes == changes

    await two.end()
    await one.sees([])
    await one.end()


async def test_a_hub_alone_writes_only_when_somebody_comes_or_goes(
    database: str, threads: ThreadPoolExecutor
) -> None:
    clock = Clock()
    one = OneHub(database, clock, threads)
    with closing(open_store(database, "shared")) as watching:
        one.others.tell([ANA])
        before = watching.change_token()
        async with asyncio.timeout(20):
            while watching.change_token() == before:
                await asyncio.sleep(0.01)
        written = watching.change_token()
        for _ in range(10):
            clock.mono_ms += 60_000
            await asyncio.sleep(0.03)
        assert watching.change_token() == written
        await one.end()
        assert watching.change_token() != written
