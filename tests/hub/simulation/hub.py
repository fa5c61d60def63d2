"""The hub as a process of the simulation: uvicorn's protocols and the application, without the sockets below."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from flowide.domain.policy import Policy
from flowide.hub.app import make_app
from flowide.hub.callers import protocol_for
from flowide.hub.hub import Hub
from flowide.hub.journal import Journal
from flowide.hub.keeper import Keeper
from flowide.hub.line import LineProtocol
from flowide.hub.manner import Manner
from flowide.hub.serve import _ping
from flowide.space.wire.frames import MAX_FRAME
from tests.hub.simulation.machines import Machine, Process
from tests.hub.simulation.world import World


class _Said(Journal):
    """Keeps what the hub says went wrong."""

    def __init__(self, said: list[str]) -> None:
        super().__init__("warning")
        self._said = said

    def write(self, level: str, event: str, **facts: Any) -> None:
        if level in {"warning", "error"}:
            self._said.append(f"{event} {facts}")


class SimulatedHub:
    """One hub; its files outlive it."""

    def __init__(self, world: World, folder: Path) -> None:
        self._world = world
        self._folder = folder
        self._made = 0
        self.machine = Machine("hub")
        self.said: list[str] = []
        self.place = folder / "hub-0"
        """Where its database is."""
        self.process: Process | None = None
        self.hub: Hub

    def start(self) -> None:
        """Begin to listen."""
        self.process = self._world.process(self.machine)
        loop = self._world.loop
        loop.call_soon(self._serve, context=self.process.context)

    def _serve(self) -> None:
        manner = Manner()
        policy = Policy()
        keeper = Keeper(str(self.place), policy, manner)
        self.hub = hub = Hub(keeper, policy, manner, _Said(self.said))
        config = uvicorn.Config(
            make_app(hub), http=protocol_for(manner), ws=LineProtocol, ws_max_size=MAX_FRAME, lifespan="off",
            ws_per_message_deflate=False, ws_ping_interval=None, log_config=None, access_log=False,
        )  # fmt: skip
        config.load()
        state = ServerState()
        loop = self._world.loop

        def listening() -> Any:
            assert config.http_protocol_class is not None
            return config.http_protocol_class(config=config, server_state=state, app_state={}, _loop=loop)  # type: ignore[call-arg] # as uvicorn's server does

        self._world.network.listening, self._world.network.hub = listening, self.process
        loop.create_task(_ping(hub), name="ping")

    def kill(self, *, quietly: bool = False) -> None:
        """As `kill -9`; `quietly` = its machine loses its power."""
        assert self.process is not None
        self._world.network.listening = None
        self._world.kill(self.process, quietly=quietly)
        self.process = None
        if quietly:
            self.machine.boots += 1
        self.place = self.copy()

    def copy(self) -> Path:
        """A copy of its files as they are now, uncommitted work left out."""
        self._made += 1
        place = self._folder / f"hub-{self._made}"
        shutil.copytree(self.place, place)
        return place

    async def keep_disk(self, seconds: float) -> None:
        """Have nobody write for so long, as when a commit waits for a slow disk."""
        for room in self.hub.keeper.rooms:
            async with room.space._one_by_one:
                await asyncio.sleep(seconds)

    def bye(self) -> None:
        """What a stop tells everybody."""
        self.hub.stopping = True
        for stream in tuple(self.hub.streams):
            stream.bye("restart", retry_ms=500)
