"""News of commits: soon when the bell is heard, within a second when it is not, and never a poll for each asker."""

from __future__ import annotations

import asyncio
import itertools
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from flowide.domain import commands as c
from flowide.space.local import LocalSpace
from flowide.store.postgres import doorbell
from flowide.store.postgres.wire import Session
from tests.postgres import Server
from tests.store.postgres.conftest import Place


async def until(true: Callable[[], bool], seconds: float = 20) -> float:
    """Seconds until it was true."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds
        await asyncio.sleep(0.005)
    return time.monotonic() - began


async def listening(space: LocalSpace) -> None:
    """Until the first look at the counters is over."""
    before = space.store.change_token()
    await until(lambda: space.store.change_token() != before or before > 0)


async def create(space: LocalSpace, path: str) -> None:
    await space.execute(c.CreateArtifact(path=path, text=""))


async def test_own_commits_change_the_token_at_once_and_refusals_too(place: Place) -> None:
    space = place.open()
    await listening(space)
    tokens = [space.store.change_token()]
    fence = (await space.execute(c.CreateArtifact(id="a", path="a.md", text="", lock=True))).ok.fence or 0
    tokens.append(space.store.change_token())
    await space.execute(c.RenewLock(artifact="a", fence=fence))  # no event
    tokens.append(space.store.change_token())

    assert len(set(tokens)) == 3
    assert space.store.change_token() == tokens[-1]


async def test_commits_of_other_processes_are_heard_soon(place: Place) -> None:
    here, there = place.open(), place.open()
    other = there.store
    # A second process has a doorbell of its own.
    from flowide.store.postgres.database import Database

    elsewhere = Database(place.url)
    bell = doorbell.Bell(lambda: None)
    elsewhere.doorbell.watch(other.space, bell)  # type: ignore[attr-defined] # a PostgresStore
    await until(lambda: bell.changes > 0)
    delays = []
    for at in range(10):
        before = bell.changes
        await create(here, f"{at}.md")
        delays.append(await until(lambda: bell.changes > before))  # noqa: B023 - awaited in the loop
    elsewhere.doorbell.close()
    elsewhere.readers.shutdown()

    assert sorted(delays)[5] < 0.5 * doorbell.LOOK_S


async def test_a_bell_that_is_not_heard_costs_a_second(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorbell, "CHANNEL", "nobody_listens")
    writer = place.open()
    monkeypatch.setattr(writer.store._database.doorbell, "ring", lambda space, tick, by: None)  # type: ignore[attr-defined]
    reader = place.open()
    await listening(reader)
    before = reader.store.change_token()

    await create(writer, "a.md")

    assert await until(lambda: reader.store.change_token() != before) < doorbell.LOOK_S + 10


async def test_rings_within_a_moment_are_one(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    space = place.open()
    rung: list[float] = []
    plain = doorbell.Doorbell._ring

    def ring(bell: doorbell.Doorbell, connection: Any) -> None:
        rung.append(time.monotonic())
        plain(bell, connection)

    monkeypatch.setattr(doorbell.Doorbell, "_ring", ring)
    await listening(space)
    for at in range(30):
        await create(space, f"{at}.md")
    await until(lambda: bool(rung) and not space.store._database.doorbell._ringing)  # type: ignore[attr-defined]

    apart = [later - earlier for earlier, later in itertools.pairwise(rung)]
    assert all(each >= doorbell.TOGETHER_S * 0.9 for each in apart)


async def test_asking_for_the_token_asks_nobody(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    space = place.open()
    await listening(space)
    asked: list[object] = []
    monkeypatch.setattr(Session, "run", lambda self, statements, **more: asked.append(statements))

    for _ in range(1000):
        space.store.change_token()

    assert asked == []


async def test_a_follower_sees_everything_in_order_over_a_restart_of_the_server(
    place: Place, postgres: Server
) -> None:
    here, there = place.open(), place.open()
    seen: list[int] = []

    async def follow() -> None:
        async for event in there.events(follow=True):
            seen.append(event.seq)

    following = asyncio.create_task(follow())
    await create(here, "a.md")
    await until(lambda: len(seen) == 3)
    postgres.stop(signal.SIGINT)
    postgres.start()
    await create(here, "b.md")
    await until(lambda: len(seen) == 6)
    following.cancel()

    assert seen == [1, 2, 3, 4, 5, 6]


async def test_a_restored_backup_is_news_although_its_counter_is_lower(
    place: Place, postgres: Server
) -> None:
    space = place.open()
    for at in range(3):
        await create(space, f"{at}.md")
    await listening(space)
    before = space.store.change_token()

    postgres.sql("UPDATE flowide.space SET tick = 1 WHERE name = %s", "postgres", place.name)

    await until(lambda: space.store.change_token() != before)


async def test_hubs_measure_leases_with_one_clock(place: Place) -> None:
    one, other = place.open(), place.open()
    await create(one, "a.md")
    await create(other, "b.md")

    times = [space.store.time() for space in (one, other)]

    assert times[0] is not None and times[1] is not None
    assert times[0][1] == times[1][1] and abs(times[0][0] - times[1][0]) < 5000
