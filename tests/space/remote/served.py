"""A real hub on loopback in a thread of the test's process, with clocks that tests move."""

from __future__ import annotations

import asyncio
import contextlib
import io
import socket
import sys
import threading
import traceback
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import uvicorn

from flowide.domain.actors import Actor
from flowide.domain.policy import Policy
from flowide.hub.app import make_app
from flowide.hub.hub import Hub
from flowide.hub.journal import Journal
from flowide.hub.keeper import Keeper
from flowide.hub.line import LineProtocol
from flowide.hub.manner import Manner
from flowide.space.clock import Clock
from flowide.space.keys import grant_token
from flowide.space.remote.credentials import Seat, store
from flowide.space.remote.opening import open_remote
from flowide.space.remote.space import RemoteSpace
from flowide.space.wire.frames import MAX_FRAME
from flowide.store.by_url import create_space
from flowide.testing import ManualClock

T = TypeVar("T")


class Served:
    """One hub; spaces and tokens are made as its own machine makes them."""

    def __init__(
        self, database: str, *, policy: Policy | None = None, manner: Manner | None = None, port: int = 0
    ) -> None:
        """`port` 0 = any that is free."""
        self.database = database
        self._policy = policy or Policy()
        self._manner = manner or Manner()
        self._wanted = port
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._port: Future[int] = Future()
        self._thread = threading.Thread(
            target=self._loop.run_until_complete, args=[self._serve()], daemon=True
        )
        self.keeper: Keeper
        self.hub: Hub

    async def _serve(self) -> None:
        self.keeper = Keeper(self.database, self._policy, self._manner)
        self.hub = Hub(self.keeper, self._policy, self._manner, Journal("error"))
        config = uvicorn.Config(
            make_app(self.hub), ws=LineProtocol, ws_max_size=MAX_FRAME, ws_per_message_deflate=False,
            ws_ping_interval=None, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=1,
        )  # fmt: skip
        server = _Quiet(config)
        listening = socket.create_server(("127.0.0.1", self._wanted))
        try:
            running = asyncio.create_task(server.serve(sockets=[listening]))
            while not server.started and not running.done():
                await asyncio.sleep(0.005)
            self._port.set_result(listening.getsockname()[1])
            await self._stop.wait()
            server.should_exit = True
            await running
        except BaseException as error:
            if not self._port.done():
                self._port.set_exception(error)
        finally:
            await self.keeper.close()
            listening.close()

    def __enter__(self) -> Served:
        self._thread.start()
        self.port = self._port.result(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
        assert not self._thread.is_alive(), self._how()
        self._loop.close()

    def _how(self) -> str:
        """What a hub that does not end is waiting for."""
        said = io.StringIO()
        for task in asyncio.all_tasks(self._loop):
            task.print_stack(file=said)
        for frame in sys._current_frames().values():
            said.write("".join(["\n", *traceback.format_stack(frame)[-6:]]))
        return said.getvalue()

    def url(self, space: str, port: int | None = None) -> str:
        """Address of a space; `port` = another one, as of a proxy."""
        return f"http://127.0.0.1:{port or self.port}/{space}"

    def make(self, space: str, clock: Clock | None = None) -> None:
        """A new space; on a clock, when there is one."""
        create_space(self.database, space)
        if clock is not None:
            self.call(self._set_clock(space, clock))

    def shut(self, space: str) -> None:
        """Close a space that nobody uses any more: a hub keeps each open, with eight files."""
        room = self.keeper._rooms.pop(space, None)
        if room is not None:
            self.call(room.close())

    def seat(self, space: str, handle: str, role: str = "owner", *, port: int | None = None) -> Seat:
        """A token of a member, who is made when they are none yet; stored in the user's credentials."""
        granted = grant_token(self.database, space, handle, role=role, device="test")
        seat = Seat(self.url(space, port), handle, granted.token, granted.token_id, granted.role)
        store(seat)
        return seat

    async def open(self, space: str, folder: Path, clock: ManualClock) -> RemoteSpace:
        """A new space as ana sees it, who works beside rod on this device."""
        self.make(space, clock)
        seat = self.seat(space, "ana")
        self.seat(space, "rod")
        return await open_remote(seat.url, actor=Actor("ana"), folder=folder, seat=seat, clock=clock)

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Carry out a coroutine in the hub's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _set_clock(self, space: str, clock: Clock) -> None:
        room = await self.keeper.room(space)
        assert room is not None
        room.space._clock = clock


class _Quiet(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
