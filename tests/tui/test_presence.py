"""Others in a space of a hub see what somebody looks at."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from flowide.domain.actors import Actor
from flowide.domain.commands import OpenThread, PostMessage, StartRun
from flowide.space.remote.opening import open_remote
from flowide.space.remote.space import RemoteSpace
from flowide.space.wire.frames import Present
from flowide.tui.views.actors import others, presence
from flowide.tui.views.snapshot import Looked, Person, Snapshot
from flowide.tui.views.spans import plain
from flowide.tui.views.tree import FileTree
from flowide.tui.whereabouts import EVERY_S
from tests.space.remote.served import Served
from tests.tui.conftest import Driver, app_on, eventually


def present(actor: str, *, kind: str = "human", **at: Any) -> Present:
    return Present(actor, kind, uuid.uuid4().hex, "2026-01-02T11:56:00Z", **at)


def test_each_other_person_is_here_once_with_what_they_said_last() -> None:
    found = others(
        [
            present("ana", at="a.md"),
            present("rod", at="b.md"),
            present("rod", at="docs/c.md", at_thread="t1"),
            present("rod"),
            present("edwin", kind="agent", at="d.md"),
            present("mia"),
        ],
        "ana",
    )

    assert found == (Person("rod", Looked("docs/c.md", "t1")), Person("mia"))


@pytest.mark.parametrize(
    ("looked", "said"),
    [
        (Looked("docs/plan.md"), "● ana   ● rod plan.md"),
        (Looked("docs/plan.md", thread="gone"), "● ana   ● rod a thread"),
        (Looked(run="gone"), "● ana   ● rod a run"),
        (Looked("a\x1b[31m.md"), "● ana   ● rod a␛[31m.md"),
        (Looked(), "● ana   ● rod"),
    ],
)
def test_the_top_line_says_what_each_looks_at(looked: Looked, said: str) -> None:
    assert plain(presence(Snapshot(me="ana", here=(Person("rod", looked),)), {})) == said


def test_where_there_is_little_room_names_are_left() -> None:
    state = Snapshot(me="ana", here=(Person("rod", Looked("docs/a-long-name.md")), Person("mia")))

    assert plain(presence(state, {}, 30)) == "● ana   ● rod   ● mia"


def test_files_others_look_at_are_marked_in_the_tree() -> None:
    tree = FileTree()
    tree.fill(["docs/plan.md", "src/shop.py"])
    state = Snapshot(
        me="ana", here=(Person("rod", Looked("docs/plan.md")), Person("mia", Looked("docs/plan.md")))
    )

    marked = {plain(row.left).strip(): plain(row.right) for row in tree.rows(state, {})}

    assert (marked["plan.md"], marked["shop.py"]) == ("●●", "")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(str(tmp_path_factory.mktemp("hub"))) as served:
        yield served


@pytest.fixture
def address(hub: Served) -> str:
    name = uuid.uuid4().hex
    hub.make(name)
    return hub.seat(name, "ana").url


@pytest.fixture
async def rod(hub: Served, address: str, tmp_path: Path) -> AsyncIterator[RemoteSpace]:
    """Somebody on another machine."""
    seat = hub.seat(address.rpartition("/")[2], "rod")
    space = await open_remote(seat.url, actor=Actor("rod"), folder=tmp_path / "rod", seat=seat)
    yield space
    await space.close()


def ana_at(rod: RemoteSpace) -> tuple[str | None, str | None, str | None]:
    """What rod is told that ana looks at."""
    found = [each for each in rod.presence if each.actor == "ana"]
    return (found[-1].at, found[-1].at_thread, found[-1].at_run) if found else (None, None, None)


def is_open(app: Driver, path: str) -> bool:
    return bool(app.artifact.opened) and app.artifact.opened.path == path


async def test_two_people_see_what_the_other_looks_at(project: Path, address: str, rod: RemoteSpace) -> None:
    async with app_on(project, space=address) as app:
        await app.open("plan.md")
        await eventually(lambda: ana_at(rod) == ("docs/plan.md", None, None))

        opened = OpenThread(title="Eviction")
        await rod.execute(opened)
        await rod.execute(PostMessage(thread=opened.thread, text="What do we evict?"))
        await rod.execute(StartRun(run="r1", flow="research", flow_sha256="", flow_text=""))
        await rod.looking_at(None, thread=opened.thread)
        await app.sees("● rod › Eviction")
        await rod.looking_at("src/shop.py")
        await app.sees("● rod shop.py")
        await rod.looking_at(None, run="r1")
        await app.sees("● rod run research")

        app.workspace.talking.open(opened.thread)
        await eventually(lambda: ana_at(rod) == (None, opened.thread, None))
        head = await rod.head()
        await app.press("escape", "escape")
        assert await rod.head() == head  # nothing of it is in the log


async def test_it_is_told_once_a_second_at_most_and_only_when_it_changed(
    project: Path, address: str, rod: RemoteSpace
) -> None:
    told: list[float] = []

    async with app_on(project, space=address) as app:

        async def count(session: Any) -> None:
            tell = session.space.looking_at

            async def looking_at(path: str | None, **more: str | None) -> None:
                told.append(time.monotonic())
                await tell(path, **more)

            session.space.looking_at = looking_at

        await app.app.engine.call(count)
        start = time.monotonic()
        while time.monotonic() < start + 3 * EVERY_S:
            for path in ("src/shop.py", "docs/plan.md"):
                app.artifact.look(path)
                await app.until(partial(is_open, app, path), path)
        await asyncio.sleep(2 * EVERY_S)
        assert 1 <= len(told) <= (time.monotonic() - start) / EVERY_S + 1
        before = len(told)
        await asyncio.sleep(2.5 * EVERY_S)
        assert len(told) == before
        assert ana_at(rod)[0] == "docs/plan.md"
