"""TCP between clients and the hub: in order within a connection, and with everything that goes wrong on the way."""

from __future__ import annotations

import asyncio
import errno
import random
from collections import deque
from collections.abc import Callable
from typing import Any

from tests.hub.simulation.loop import SimulatedLoop
from tests.hub.simulation.machines import MS, Process, current

_END = b""
"""After all that was written: the other side has closed."""
WINDOW = 64 * 1024
"""Bytes that are on the way or not yet read at most; what is more waits at its writer."""


class Route:
    """The way between one client's machine and the hub. What is changed here holds for all its connections."""

    def __init__(self, network: Network, name: str, seed: int) -> None:
        self.network = network
        self.name = name
        self.random = random.Random(f"{seed} route {name}")
        self.latency_ms = (1, 6)
        self.late = 0.05
        """Share of what takes ten times as long."""
        self.deaf = {True: False, False: False}
        """Whether nothing arrives any more: towards the hub (True), and from it."""
        self.away = ""
        """Empty; `refused` or `silent` for new connections while the network is away."""
        self.window = WINDOW
        self.cut_after: int | None = None
        """Bytes after which the connection is lost, in the middle of whatever it is."""
        self.open: dict[Socket, None] = {}
        """The hub's and the client's ends."""

    def delay(self) -> int:
        """Nanoseconds that the next bytes take: whole milliseconds, so that moments coincide."""
        least, most = self.latency_ms
        ms = self.random.randint(least, most)
        return ms * MS * (10 if self.random.random() < self.late else 1)

    def drop(self) -> None:
        """All connections are lost, with what is on the way; each end hears of it after a while."""
        for end in list(self.open):
            end.incoming.clear()
            self.network.loop.world_at(self.network.loop.now + self.delay(), end.reset)

    def hear(self) -> None:
        """What was kept back arrives now."""
        self.deaf = {True: False, False: False}
        for end in list(self.open):
            end.arrive_again()


class Socket(asyncio.Transport):
    """One end of a connection, as a transport of asyncio."""

    def __init__(self, route: Route, process: Process, to_hub: bool) -> None:
        super().__init__()
        self.process = process
        self.peer: Socket
        self.protocol: Any = None
        self.incoming: deque[tuple[int, bytes]] = deque()
        """What is on its way here: when it arrives, and what."""
        self.unsent = bytearray()
        """What was written here and fits no more."""
        self.gone = False
        """The process has closed it, or was told that it is lost."""
        self._route = route
        self._loop = route.network.loop
        self._to_hub = to_hub
        self._arrived = bytearray()
        self._ended = False
        self._reading = True
        self._closing = False
        self._paused = False
        self._due = 0
        self._low, self._high = 16 * 1024, 64 * 1024
        self._told = False
        route.open[self] = None
        process.sockets[self] = None

    # --- as asyncio has it ------------------------------------------------------------------------------

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        here, there = ("10.0.0.1", 4000), ("10.0.0.2", 7420)
        known = {"peername": there if self._to_hub else here, "sockname": here if self._to_hub else there}
        return known.get(name, default)

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def get_protocol(self) -> Any:
        return self.protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high = 64 * 1024 if high is None else high
        self._low = self._high // 4 if low is None else low

    def get_write_buffer_size(self) -> int:
        return len(self.unsent)

    def is_closing(self) -> bool:
        return self._closing or self.gone

    def is_reading(self) -> bool:
        return self._reading

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        if not self._reading:
            self._reading = True
            self._read_soon()

    def can_write_eof(self) -> bool:
        return False

    def write(self, data: Any) -> None:
        if self.is_closing() or not data:
            return
        self.unsent += data
        self._push()
        if len(self.unsent) > self._high and not self._paused:
            self._paused = True
            self.protocol.pause_writing()

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._end_soon()

    def abort(self) -> None:
        if not self.gone:
            self.unsent.clear()
            self.peer.lose(self)
            self._lose(None)

    # --- on the way -------------------------------------------------------------------------------------

    def _push(self) -> None:
        """Have the network take as much as fits."""
        room = self._route.window - sum(len(data) for _, data in self.peer.incoming) - len(self.peer._arrived)
        if room > 0 and self.unsent:
            data = bytes(self.unsent[:room])
            del self.unsent[:room]
            self.peer.expect(self._cut(data))
        if self._paused and len(self.unsent) <= self._low and not self.is_closing():
            self._paused = False
            self._loop.call_soon(self._resume, context=self.process.context)
        self._end_soon()

    def _resume(self) -> None:
        if not self.gone and not self._paused:
            self.protocol.resume_writing()

    def _cut(self, data: bytes) -> bytes:
        route = self._route
        if route.cut_after is None:
            return data
        route.cut_after -= len(data)
        if route.cut_after > 0:
            return data
        data = data[: len(data) + route.cut_after]
        route.cut_after = None
        for end in (self, self.peer):
            self._loop.world_at(self._loop.now + route.delay() * 3, end.reset)
        return data

    def _end_soon(self) -> None:
        if self._closing and not self.unsent and not self.gone:
            self.peer.expect(_END)
            self._lose(None)

    def expect(self, data: bytes) -> None:
        """Bytes begin their way here; those of one connection keep their order."""
        self._due = max(self._due, self._loop.now + self._route.delay())
        self.incoming.append((self._due, data))
        self._loop.world_at(self._due, self._arrive)

    def arrive_again(self) -> None:
        """The way is open again: what was lost on it is sent once more."""
        late = [data for _, data in self.incoming]
        self.incoming.clear()
        for data in late:
            self.expect(data)

    def _arrive(self) -> None:
        if self._route.deaf[not self._to_hub] or self.process.machine.dark:
            return
        while self.incoming and self.incoming[0][0] <= self._loop.now:
            _, data = self.incoming.popleft()
            if self.gone:
                self.peer.lose(self)  # nobody has this connection any more
            elif data == _END:
                self._ended = True
            else:
                self._arrived += data
        self._read_soon()

    def _read_soon(self) -> None:
        if (self._arrived or self._ended) and not self.gone:
            self._loop.call_soon(self._read, context=self.process.context)

    def _read(self) -> None:
        if self.gone or not self._reading:
            return
        if self._arrived:
            data = bytes(self._arrived)
            self._arrived.clear()
            self.protocol.data_received(data)
            if not self.peer.gone:
                self.peer._push()
        if self._ended and not self._arrived and not self.gone:
            if not self.protocol.eof_received():
                self.close()
            self._ended = False

    # --- its end ----------------------------------------------------------------------------------------

    def lose(self, by: Socket) -> None:
        """The other end says that the connection is no more; it may not get through."""
        if not self._route.deaf[not self._to_hub]:
            after = max(self._due, self._loop.now + self._route.delay())
            self._loop.world_at(after, self.reset)

    def reset(self) -> None:
        """The connection is lost."""
        if not self.gone:
            self.unsent.clear()
            self._lose(ConnectionResetError(errno.ECONNRESET, "reset"))

    def _lose(self, error: Exception | None) -> None:
        self.gone = True
        self._route.open.pop(self, None)
        self.process.sockets.pop(self, None)
        self._loop.call_soon(self._tell, error, context=self.process.context)

    def _tell(self, error: Exception | None) -> None:
        if not self._told:
            self._told = True
            self.protocol.connection_lost(error)

    def vanish(self, *, quietly: bool) -> None:
        """Its process was killed; `quietly` = with the whole machine, so that nobody is told."""
        self.gone = True
        self._route.open.pop(self, None)
        if quietly:
            self.peer.incoming.clear()  # nobody is there to send it again
        else:
            self.peer.lose(self)


class Network:
    """All routes, and who listens at their end."""

    def __init__(self, loop: SimulatedLoop, seed: int) -> None:
        self.loop = loop
        self.routes: dict[str, Route] = {}
        self.listening: Callable[[], Any] | None = None
        """Makes the hub's protocol of a new connection; None = nobody listens."""
        self.hub: Process | None = None
        self.connections = 0
        self._seed = seed

    def route(self, name: str) -> Route:
        """The one of a client's machine."""
        if name not in self.routes:
            self.routes[name] = Route(self, name, self._seed)
        return self.routes[name]

    def lose_all(self) -> None:
        """What is on the way gets nowhere."""
        for route in self.routes.values():
            for end in route.open:
                end.incoming.clear()

    async def connect(self, factory: Callable[[], Any]) -> tuple[Socket, Any]:
        """As `loop.create_connection`, to the hub.

        Raises:
            OSError: No connection.
        """
        process = current()
        assert process is not None
        route = self.route(process.machine.name)
        await asyncio.sleep(route.delay() * 2 / 1e9)
        if route.away == "silent" or any(route.deaf.values()):
            await asyncio.sleep(3600)
        if route.away or self.listening is None or self.hub is None or not self.hub.runs:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "refused")
        self.connections += 1
        here, there = Socket(route, process, True), Socket(route, self.hub, False)
        here.peer, there.peer = there, here
        here.protocol = factory()
        there.protocol = self.hub.context.run(self.listening)
        here.protocol.connection_made(here)
        self.loop.call_soon(there.protocol.connection_made, there, context=self.hub.context)
        return here, here.protocol
