"""Following the log by being told: soon, seldom, and without relying on it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from flowide.domain.actors import Actor
from flowide.domain.commands import CreateArtifact
from flowide.space import local
from flowide.space.local import LocalSpace
from flowide.space.open import open_space
from flowide.store.bell import Bell, bell_of


async def opened(path: Path, handle: str) -> LocalSpace:
    space = await open_space(path, actor=Actor(handle))
    assert isinstance(space, LocalSpace)
    return space


async def test_what_another_process_commits_is_seen_soon_although_looks_are_rare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, mia = await opened(tmp_path / "w.db", "ana"), await opened(tmp_path / "w.db", "mia")
    monkeypatch.setattr(local, "QUIET_S", 30.0)
    monkeypatch.setattr(local, "SOON", ((0.2, 0.005),))
    ana.listen()
    if ana._followers._bell is None:
        pytest.skip("no inotify here")
    news = asyncio.ensure_future(anext(ana.events(await ana.head(), follow=True)))
    await asyncio.sleep(0.5)  # it looks every half minute by now
    begun = time.monotonic()
    await mia.execute(CreateArtifact(path="a.md", text="A"))
    assert (await asyncio.wait_for(news, 10)).seq == 1
    assert time.monotonic() - begun < 8
    await ana.close()
    await mia.close()


async def test_a_bell_that_stays_silent_is_not_relied_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, mia = await opened(tmp_path / "w.db", "ana"), await opened(tmp_path / "w.db", "mia")
    monkeypatch.setattr(local, "QUIET_S", 0.1)
    monkeypatch.setattr(local, "SOON", ((0.01, 0.005),))
    (tmp_path / "other").write_text("")
    deaf = bell_of([tmp_path / "other"])
    if deaf is None:
        pytest.skip("no inotify here")
    ana._followers.listen(deaf)
    news = asyncio.ensure_future(anext(ana.events(await ana.head(), follow=True)))
    await asyncio.sleep(0.2)
    await mia.execute(CreateArtifact(path="a.md", text="A"))
    await asyncio.wait_for(news, 10)
    assert ana._followers.pause() == local.POLL_S
    await ana.close()
    await mia.close()


async def test_closing_frees_the_bell_and_ends_whoever_follows(tmp_path: Path) -> None:
    ana = await opened(tmp_path / "w.db", "ana")
    ana.listen()
    news = asyncio.ensure_future(anext(ana.events(await ana.head(), follow=True), None))
    await asyncio.sleep(0.05)
    await ana.close()
    assert await asyncio.wait_for(news, 5) is None
    assert ana._followers._bell is None


def test_there_is_no_bell_of_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert bell_of([tmp_path / "missing"]) is None


def test_a_bell_rings_once_its_file_is_written(tmp_path: Path) -> None:
    import select

    (tmp_path / "w").write_text("")
    bell = bell_of([tmp_path / "w"])
    if bell is None:
        pytest.skip("no inotify here")
    assert isinstance(bell, Bell)
    assert not select.select([bell.descriptor], [], [], 0)[0]
    (tmp_path / "w").write_text("x")
    assert select.select([bell.descriptor], [], [], 5)[0]
    bell.clear()
    assert not select.select([bell.descriptor], [], [], 0)[0]
    bell.close()
