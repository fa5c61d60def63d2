"""An error in the hub that nobody foresaw is one refusal, is counted, and stops nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flowide.domain.actors import SYSTEM, Caller
from flowide.domain.commands import CreateToken
from flowide.domain.policy import Policy
from flowide.hub.calls import Desk, Paces
from flowide.hub.journal import Journal
from flowide.hub.live import Live
from flowide.hub.metrics import Metrics
from flowide.hub.seats import seat_of
from flowide.hub.space import HubSpace
from flowide.space.api import Reply
from flowide.space.keys import digest_of
from flowide.space.wire.calls import Call
from flowide.space.wire.frames import Cmds
from flowide.store.sqlite import SqliteStore


class Faulty(HubSpace):
    """A space in which one command is a mistake."""

    async def execute(self, command: Any, caller: Caller) -> Any:
        if command.wire_name() == "lock.cancel":
            raise ZeroDivisionError("of all things")
        return await super().execute(command, caller)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    threads = ThreadPoolExecutor(1)
    space = Faulty("shop", SqliteStore(tmp_path / "shop.db"), Policy(), threads)
    made = await space.execute(
        CreateToken(digest=digest_of("secret"), device="pc", member="ana"), Caller(SYSTEM, "", "1")
    )
    assert isinstance(made, Reply)
    with space.store.read() as view:
        seat = seat_of(view, "secret")
    assert seat is not None
    yield Desk(space, seat, Paces(), Live(space, chunk_ms=200, chunk_bytes=1024), Metrics(Journal("error")))
    space.close()
    threads.shutdown()


async def test_a_mistake_is_one_refusal_and_the_next_command_is_carried_out(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    cancel = Call("2", "lock.cancel", {"ticket": "x"})
    create = Call("3", "artifact.create", {"path": "a.md", "text": ""})

    first, second = await desk.commands(Cmds("client", [cancel, create]))

    assert isinstance(first.err, dict) and first.err["code"] == "failed"
    assert second.ok.version == 1
    assert "ZeroDivisionError" in capsys.readouterr().err


async def test_neither_the_mistake_nor_its_place_is_told_to_the_client(desk: Desk) -> None:
    [result] = await desk.commands(Cmds("client", [Call("2", "lock.cancel", {"ticket": "x"})]))

    assert "ZeroDivision" not in str(result.err)
