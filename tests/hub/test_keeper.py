"""Spaces are opened once, and one that is slow to open holds nobody else up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from flowide.domain.policy import Policy
from flowide.hub.keeper import Keeper
from flowide.hub.manner import Manner
from flowide.hub.seats import Seat
from flowide.store.by_url import create_space
from flowide.store.sqlite import SqliteStore


@pytest.fixture
async def keeper(tmp_path: Path) -> AsyncIterator[Keeper]:
    for name in ("slow", "quick"):
        create_space(str(tmp_path), name)
    made = Keeper(str(tmp_path), Policy(), Manner())
    yield made
    await made.close()


async def test_a_space_is_opened_once_however_many_come(keeper: Keeper) -> None:
    rooms = await asyncio.gather(*[keeper.room("quick") for _ in range(10)])

    assert len(set(map(id, rooms))) == 1


async def test_a_space_that_is_busy_holds_no_other_up(keeper: Keeper, tmp_path: Path) -> None:
    busy = SqliteStore(tmp_path / "slow.db")
    with contextlib.closing(busy), busy.write():
        slow = asyncio.create_task(keeper.room("slow"))
        await asyncio.sleep(0.1)

        quick = await asyncio.wait_for(keeper.room("quick"), 10)

        assert quick is not None and not slow.done()
    assert await slow is not None


async def test_what_is_no_space_is_none(keeper: Keeper) -> None:
    assert [await keeper.room(name) for name in ("missing", "../x", "", "con", "a" * 100)] == [None] * 5


async def test_who_gives_up_waiting_does_not_stop_the_opening(keeper: Keeper) -> None:
    first = asyncio.create_task(keeper.room("quick"))
    second = asyncio.create_task(keeper.room("quick"))
    await asyncio.sleep(0)
    first.cancel()

    assert await second is not None


async def test_a_space_where_nobody_was_for_an_hour_is_closed_and_opens_again(keeper: Keeper) -> None:
    first = await keeper.room("quick")
    assert first is not None
    log = await first.hub()
    keeper.tidy(first.used + 3599)
    assert await keeper.room("quick") is first

    keeper.tidy(first.used + 3601)

    again = await keeper.room("quick")
    assert again is not None and again is not first
    assert await again.hub() == log


async def test_a_space_where_somebody_is_connected_stays_open(keeper: Keeper) -> None:
    class Somebody:
        seat = Seat("token", "ana", "human", None, "owner", "laptop", b"")

        def reseat(self, seat: Seat | None) -> None: ...

        def bye(self, code: str, *, retry_ms: int | None = None, message: str = "") -> None: ...

    room = await keeper.room("quick")
    assert room is not None
    room.streams.add(Somebody())

    keeper.tidy(room.used + 36_000)

    assert await keeper.room("quick") is room
