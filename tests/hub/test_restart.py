"""After a hub was away, nobody loses a lock for what they could not renew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flowide.domain import commands as c
from flowide.domain.actors import Actor
from flowide.errors import Busy
from flowide.hub.restart import grant_again
from flowide.space.local import LocalSpace
from flowide.store.sqlite import SqliteStore
from flowide.testing import ManualClock

ANA, ROD = Actor("ana"), Actor("rod")
TTL_MS = 30_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def space(tmp_path: Path, clock: ManualClock) -> Iterator[LocalSpace]:
    store = SqliteStore(tmp_path / "shop.db")
    yield LocalSpace(store, ANA, clock=clock)
    store.close()


@pytest.fixture
async def doc(space: LocalSpace) -> str:
    return (await space.execute(c.CreateArtifact(path="doc.md", text=""))).ok.artifact


async def test_a_lease_that_ran_out_while_the_hub_was_away_begins_anew(
    space: LocalSpace, doc: str, clock: ManualClock
) -> None:
    await space.execute(c.AcquireLock(artifact=doc, ttl_ms=TTL_MS))
    clock.sleep(10 * TTL_MS)

    assert grant_again(space.store, clock.now()) == 1

    rod = space.acting_as(ROD)
    clock.sleep(TTL_MS - 1)
    with pytest.raises(Busy):
        await rod.execute(c.AcquireLock(artifact=doc))
    clock.sleep(2)
    assert (await rod.execute(c.AcquireLock(artifact=doc))).ok.state == "held"


async def test_so_does_one_of_a_machine_that_was_started_again(
    space: LocalSpace, doc: str, clock: ManualClock
) -> None:
    await space.execute(c.AcquireLock(artifact=doc, ttl_ms=TTL_MS))
    clock.boot = "another"

    grant_again(space.store, clock.now())

    with pytest.raises(Busy):
        await space.acting_as(ROD).execute(c.AcquireLock(artifact=doc))


async def test_a_place_in_a_queue_is_kept_too(space: LocalSpace, doc: str, clock: ManualClock) -> None:
    fence = (await space.execute(c.AcquireLock(artifact=doc, ttl_ms=TTL_MS))).ok.fence or 0
    ticket = (await space.acting_as(ROD).execute(c.AcquireLock(artifact=doc, wait=True))).ok.ticket
    clock.sleep(10 * TTL_MS)

    assert grant_again(space.store, clock.now()) == 2

    await space.execute(c.ReleaseLock(artifact=doc, fence=fence))
    [event] = [
        event
        async for event in space.events()
        if event.type == "lock.acquired" and event.data["fence"] > fence
    ]
    assert event.data["ticket"] == ticket


async def test_a_hub_that_comes_to_another_one_changes_nothing(
    space: LocalSpace, doc: str, clock: ManualClock
) -> None:
    """A waiter that renews shows that a hub is there, so a dead holder gets no second life."""
    await space.execute(c.AcquireLock(artifact=doc, ttl_ms=TTL_MS))
    waiting = space.acting_as(ROD)
    ticket = (await waiting.execute(c.AcquireLock(artifact=doc, wait=True, ttl_ms=TTL_MS))).ok.ticket
    clock.sleep(TTL_MS - 1000)
    await waiting.execute(c.RenewLock(artifact=doc, ticket=ticket))

    assert grant_again(space.store, clock.now()) == 0


async def test_what_nobody_holds_is_left_alone(space: LocalSpace, doc: str, clock: ManualClock) -> None:
    fence = (await space.execute(c.AcquireLock(artifact=doc))).ok.fence or 0
    await space.execute(c.ReleaseLock(artifact=doc, fence=fence))
    clock.sleep(10 * TTL_MS)

    assert grant_again(space.store, clock.now()) == 0
