"""One reading at a time, and one more for what happened meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from flowide.errors import Unavailable
from flowide.tui.rereading import Rereading


async def test_what_is_asked_for_during_a_reading_is_read_once_after_it() -> None:
    begun, may_end = [asyncio.Event() for _ in range(2)]
    readings: list[int] = []

    async def read() -> None:
        readings.append(len(readings))
        begun.set()
        await may_end.wait()

    rereading = Rereading(read, pause_s=0)
    first = asyncio.create_task(rereading.again())
    await begun.wait()
    for _ in range(5):
        await rereading.again()
    assert readings == [0]

    may_end.set()
    await first
    assert readings == [0, 1]


async def test_a_reading_that_failed_stops_no_other() -> None:
    failing = True

    async def read() -> None:
        if failing:
            raise Unavailable("not now")

    rereading = Rereading(read, pause_s=0)
    with pytest.raises(Unavailable):
        await rereading.again()
    failing = False
    await rereading.again()
