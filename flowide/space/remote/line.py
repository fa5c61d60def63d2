"""One connection to a hub's stream: frames out, frames in, and whether anybody is still there."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import msgspec

from flowide.errors import AuthFailed, NotFound, Offline, Unavailable
from flowide.space.wire.frames import SUBPROTOCOL, Bye, FromClient, FromHub, Ping, Pong, encode, from_hub

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

OPEN_S = 10.0
"""A connection that takes longer to open is given up."""
DROP_S = 45.0
"""Silence after which the connection is dropped; the hub pings every 15 s."""
PROBE_S = 5.0
"""Time for an answer to the question whether anybody is there."""
_MOST = 64 * 1024 * 1024
_QUEUE = 64
_LOG = logging.getLogger("flowide.hub")


class Line:
    """An open WebSocket; the end of `listen` is the end of it."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._frames: asyncio.Queue[FromHub | None] = asyncio.Queue(_QUEUE)
        self._heard = time.monotonic()
        self._probing: asyncio.Task[None] | None = None
        self.bye: Bye | None = None
        """How the hub said it would end; None = it did not say."""

    @classmethod
    async def open(cls, url: str, token: str) -> Line:
        """Connect.

        Raises:
            AuthFailed: The token is refused.
            NotFound: The hub has no such space.
            Offline: No connection.
        """
        try:
            from websockets.asyncio import client
            from websockets.exceptions import InvalidStatus, WebSocketException
            from websockets.typing import Subprotocol
        except ImportError as error:
            raise Unavailable(
                "spaces of a hub need the library websockets",
                hint="Install it: pip install 'flowide[server]'",
            ) from error
        try:
            socket = await client.connect(
                url,
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                additional_headers={"Authorization": f"Bearer {token}"},
                compression=None,
                open_timeout=OPEN_S,
                close_timeout=1.0,
                ping_interval=None,
                max_size=_MOST,
                proxy=None,
                logger=_LOG,
            )
        except InvalidStatus as error:
            raise _refused(error.response.status_code) from error
        except (OSError, TimeoutError, WebSocketException, EOFError) as error:
            raise Offline(f"no connection: {_said(error)}") from error
        return cls(socket)

    async def send(self, frame: FromClient) -> None:
        """Send a frame.

        Raises:
            Offline: The connection has ended.
        """
        from websockets.exceptions import ConnectionClosed

        try:
            await self._socket.send(encode(frame).decode())
        except (ConnectionClosed, OSError) as error:
            raise Offline("the connection has ended") from error

    async def listen(self, take: Callable[[list[FromHub]], Awaitable[None]]) -> None:
        """Hand over frames, as many at once as have come, until the connection ends."""
        reader = asyncio.create_task(self._read(), name="hub-reader")
        watcher = asyncio.create_task(self._watch(), name="hub-watcher")
        try:
            while True:
                frames = [await self._frames.get()]
                while not self._frames.empty():
                    frames.append(self._frames.get_nowait())
                await take([frame for frame in frames if frame is not None])
                if frames[-1] is None:
                    return
        finally:
            for task in (reader, watcher, self._probing):
                if task is not None:
                    task.cancel()
            await asyncio.gather(reader, watcher, return_exceptions=True)

    def probe(self) -> None:
        """Find out whether anybody is there; if not, the connection ends soon."""
        if self._probing is None or self._probing.done():
            self._probing = asyncio.create_task(self._ask(), name="hub-probe")

    def abort(self) -> None:
        """End the connection without a word."""
        self._socket.transport.abort()

    async def close(self) -> None:
        """End the connection."""
        await self._socket.close()

    async def _read(self) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            async for message in self._socket:
                self._heard = time.monotonic()
                try:
                    frame = from_hub(message)
                except msgspec.MsgspecError:
                    _LOG.debug("a frame that is not known was skipped")
                    continue
                if isinstance(frame, Ping):
                    await self.send(Pong(frame.t))
                    continue
                if isinstance(frame, Bye):
                    self.bye = frame
                await self._frames.put(frame)
        except (ConnectionClosed, OSError, Offline):
            pass
        finally:
            await self._frames.put(None)

    async def _watch(self) -> None:
        """Drop a connection that is silent for too long; look at once after the machine has slept."""
        asleep, ticked = _asleep_s(), time.monotonic()
        while True:
            await asyncio.sleep(1.0)
            now = time.monotonic()
            if now - self._heard > DROP_S:
                self.abort()
                return
            if _asleep_s() - asleep > 3.0 or now - ticked > 10.0:
                self.probe()
            asleep, ticked = _asleep_s(), now

    async def _ask(self) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            async with asyncio.timeout(PROBE_S):
                await (await self._socket.ping())
        except TimeoutError:
            self.abort()
        except (ConnectionClosed, OSError):
            return


def _asleep_s() -> float:
    """Seconds by which the wall clock is ahead of the one that stops while the machine sleeps."""
    return time.time() - time.monotonic()


def _refused(status: int) -> Exception:
    if status in {401, 403}:
        return AuthFailed(
            f"the hub refuses this device's token ({status})",
            hint="Ask an owner for an invite and join again.",
        )
    if status == 404:
        return NotFound("the hub has no such space, or it is no hub", hint="Look at the address.")
    return Offline(f"the hub answered with status {status}", status=status)


def _said(error: BaseException) -> str:
    number = getattr(error, "errno", None)
    text = os.strerror(number).lower() if isinstance(number, int) else str(error) or type(error).__name__
    return text.splitlines()[0][:200]
