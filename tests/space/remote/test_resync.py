"""A hub that is not the one it was: restored, another one, restarted. Never silence, and nothing of ours lost."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from flowide.domain import commands as c
from flowide.domain.actors import Actor
from flowide.errors import AuthFailed, Gone, NotFound
from flowide.space import queries as q
from flowide.space.remote import link
from flowide.space.remote.credentials import Seat
from flowide.space.remote.opening import open_remote
from flowide.space.remote.space import RemoteSpace
from tests.space.remote.served import Served


@pytest.fixture
def port() -> int:
    """A port that a hub can have again after its restart."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "LONGEST_S", 0.5)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(90):
        while not true():
            await asyncio.sleep(0.01)


async def opened(seat: Seat, folder: Path) -> RemoteSpace:
    return await open_remote(seat.url, actor=Actor(seat.handle), folder=folder, seat=seat)


async def write(space: RemoteSpace, path: str) -> None:
    await space.execute(c.CreateArtifact(path=path, text=f"{path}\n"))


async def paths(space: RemoteSpace) -> list[str]:
    return [row.path for row in await space.read(q.Artifacts())]


async def test_a_hub_that_restarts_is_found_again(tmp_path: Path, port: int) -> None:
    with Served(str(tmp_path / "db"), port=port) as hub:
        hub.make("shop")
        space = await opened(hub.seat("shop", "ana"), tmp_path / "a")
        await write(space, "one.md")
    await until(lambda: space.state == "offline")

    with Served(str(tmp_path / "db"), port=port):
        await until(lambda: space.state == "online")
        await write(space, "two.md")

        assert await paths(space) == ["one.md", "two.md"]
        await space.close()


async def test_a_restored_backup_replaces_the_replica_and_what_waits_is_sent(
    tmp_path: Path, port: int
) -> None:
    with Served(str(tmp_path / "db"), port=port) as hub:
        hub.make("shop")
        seat = hub.seat("shop", "ana")
        space = await opened(seat, tmp_path / "a")
        await write(space, "one.md")
        thread = c.OpenThread(title="talk")
        await space.execute(thread)
        await space.head()
    shutil.copytree(tmp_path / "db", tmp_path / "backup")
    with Served(str(tmp_path / "db"), port=port):
        await until(lambda: space.state == "online")
        await write(space, "lost with the restore.md")
        await space.head()
    await until(lambda: space.state == "offline" and space.core.links["ana"].reach.offline_s() > 1.6)
    await space.execute(c.PostMessage(thread=thread.thread, text="said while it was away"))
    following = asyncio.create_task(_follow(space))
    shutil.rmtree(tmp_path / "db")
    shutil.copytree(tmp_path / "backup", tmp_path / "db")

    with Served(str(tmp_path / "db"), port=port) as hub:
        await until(lambda: space.state == "online" and space.core.generation == 1)

        assert await paths(space) == ["one.md"]
        view = await space.read(q.ThreadMessages(thread.thread))
        assert [each.text for each in view.messages] == ["said while it was away"]
        assert await space.read(q.Verify()) == []
        with pytest.raises(Gone, match="another log"):
            await following
        await write(space, "two.md")
        await space.close()
        other = await opened(hub.seat("shop", "rod"), tmp_path / "r")
        assert await paths(other) == ["one.md", "two.md"]
        await other.close()


async def _follow(space: RemoteSpace) -> None:
    async for _ in space.events(0, follow=True):
        pass


async def test_another_hub_under_the_same_address_is_noticed(tmp_path: Path, port: int) -> None:
    with Served(str(tmp_path / "one"), port=port) as hub:
        hub.make("shop")
        seat = hub.seat("shop", "ana")
        space = await opened(seat, tmp_path / "a")
        await write(space, "of the first.md")
        await space.head()
        await space.close()

    with Served(str(tmp_path / "two"), port=port) as hub:
        hub.make("shop")
        space = await opened(hub.seat("shop", "ana"), tmp_path / "a")
        for number in range(5):
            await write(space, f"{number}.md")

        assert space.core.generation == 1
        assert await paths(space) == [f"{number}.md" for number in range(5)]
        await space.close()


async def test_a_token_that_was_revoked_ends_it_and_says_so(tmp_path: Path) -> None:
    with Served(str(tmp_path / "db")) as hub:
        hub.make("shop")
        seat, other = hub.seat("shop", "ana"), hub.seat("shop", "rod")
        space, rod = await opened(seat, tmp_path / "a"), await opened(other, tmp_path / "r")

        await rod.execute(c.RevokeToken(token=seat.token_id))

        await until(lambda: space.core.links["ana"].reach.fatal is not None)
        with pytest.raises(AuthFailed):
            await write(space, "one.md")
        assert await paths(space) == []
        with pytest.raises(AuthFailed):
            await opened(seat, tmp_path / "b")
        await space.close()
        await rod.close()


async def test_a_wrong_token_or_space_is_told_at_once(tmp_path: Path) -> None:
    with Served(str(tmp_path / "db")) as hub:
        hub.make("shop")
        seat = hub.seat("shop", "ana")

        with pytest.raises(AuthFailed):
            await opened(Seat(seat.url, "ana", "flw_wrong"), tmp_path / "a")
        with pytest.raises((AuthFailed, NotFound)):
            await opened(Seat(hub.url("nowhere"), "ana", seat.token), tmp_path / "b")


async def test_two_processes_of_one_machine_feed_one_replica(tmp_path: Path) -> None:
    with Served(str(tmp_path / "db")) as hub:
        hub.make("shop")
        seat = hub.seat("shop", "ana")
        one, two = await opened(seat, tmp_path / "a"), await opened(seat, tmp_path / "a")

        await asyncio.gather(
            *[write(space, f"{n}.md") for n in range(10) for space in (one if n % 2 else two,)]
        )

        for space in (one, two):
            assert await paths(space) == [f"{n}.md" for n in range(10)]
            assert [event.seq async for event in space.events()] == list(range(1, await space.head() + 1))
        await one.close()
        await two.close()
