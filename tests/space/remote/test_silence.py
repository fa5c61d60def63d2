"""A line that nobody is at the other end of, and one that is too slow."""

from __future__ import annotations

import asyncio
import time

import pytest

from flowide.domain import commands as c
from flowide.space import queries as q
from flowide.space.remote import line
from flowide.space.remote.space import RemoteSpace
from tests.space.remote.proxy import Proxy
from tests.space.remote.test_coming_back import until


async def test_after_the_machine_has_slept_the_line_is_looked_at_at_once(
    ana: RemoteSpace, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "PROBE_S", 0.3)
    proxy.deaf = True
    await asyncio.sleep(0.2)
    assert ana.state == "online"

    ahead = time.time() - time.monotonic() + 3600
    monkeypatch.setattr(line, "_asleep_s", lambda: ahead)

    await until(lambda: ana.state != "online", 30)  # silence alone would take 45 s
    proxy.drop()
    proxy.back()
    await until(lambda: ana.state == "online")


async def test_a_line_that_is_silent_for_too_long_is_dropped(
    ana: RemoteSpace, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.deaf = True
    monkeypatch.setattr(line, "DROP_S", 0.5)

    await until(lambda: ana.state != "online", 30)

    monkeypatch.setattr(line, "DROP_S", 45.0)
    proxy.drop()
    proxy.back()
    await until(lambda: ana.state == "online")


async def test_a_reader_that_is_too_slow_is_cut_off_and_misses_nothing(
    ana: RemoteSpace, rod: RemoteSpace, proxy: Proxy
) -> None:
    thread = c.OpenThread(title="talk")
    await rod.execute(thread)
    proxy.deaf = True
    for number in range(60):
        await rod.execute(c.PostMessage(thread=thread.thread, text=f"{number} " + "long " * 12_000))
    await asyncio.sleep(0.5)
    proxy.drop()
    proxy.back()

    last = await rod.head()
    await until(lambda: ana.core.seq >= last)

    view = await ana.read(q.ThreadMessages(thread.thread, limit=100))
    assert [int(each.text.split()[0]) for each in view.messages] == list(range(60))
