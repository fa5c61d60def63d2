"""uvicorn's WebSocket with a way to write one frame to many lines without a task for each."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

MAX_UNSENT = 1024 * 1024
"""Bytes that wait for a slow reader at most."""
MAX_FRAMES = 512
"""Frames that wait for a slow reader at most."""
_LINGER_S = 5.0
_AHEAD = 4
"""Messages of a client that are read before the first of them was taken."""
_CALM = 128 * 1024
"""Bytes up to which a line that catches up is given more."""


class LineProtocol(WebSocketsSansIOProtocol):
    """Puts itself into the scope, as `scope["state"]["line"]`."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        scope = getattr(self, "scope", None)
        if scope is not None:
            scope["state"]["line"] = self

    def send_receive_event_to_app(self) -> None:
        """Hand a message over as the bytes that came; reading stops only when some wait already."""
        data = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        self.frames = []
        if self.close_sent:
            return  # nobody takes it any more
        self.queue.put_nowait({"type": "websocket.receive", "bytes": data})
        if self.queue.qsize() >= _AHEAD and not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    def handle_ping(self) -> None:
        if self.transport.get_write_buffer_size() > MAX_UNSENT:
            self.transport.abort()  # it asks without end, and reads no answer
        else:
            super().handle_ping()


def framed(payload: bytes) -> bytes:
    """A WebSocket text frame from a server (RFC 6455, 5.2); the same bytes go to every line."""
    size = len(payload)
    if size < 126:
        return b"\x81" + size.to_bytes(1, "big") + payload
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


class Line:
    """Writes frames to one client, and knows how many it has not taken yet."""

    def __init__(self, protocol: Any) -> None:
        self._protocol = cast("LineProtocol", protocol)
        self._transport = self._protocol.transport
        self._written = 0
        self._ends: deque[int] = deque()
        """Where each frame that may still wait ends, counted in bytes written."""

    @property
    def open(self) -> bool:
        """Whether anything can still be sent."""
        return not (self._protocol.close_sent or self._protocol.disconnected or self._transport.is_closing())

    @property
    def unsent(self) -> int:
        """Bytes that wait."""
        return self._transport.get_write_buffer_size()

    @property
    def is_full(self) -> bool:
        """Whether more waits than a reader may leave."""
        waiting = self.unsent
        if not waiting:
            self._ends.clear()
            return False
        taken = self._written - waiting
        while self._ends and self._ends[0] <= taken:
            self._ends.popleft()
        return waiting > MAX_UNSENT or len(self._ends) > MAX_FRAMES

    def write(self, frame: bytes) -> None:
        """Send a frame that `framed` made."""
        if self.open:
            self._transport.write(frame)
            self._written += len(frame)
            self._ends.append(self._written)
            if len(self._ends) > MAX_FRAMES and not self.unsent:
                self._ends.clear()

    async def calm(self, timeout_s: float) -> bool:
        """Wait until the client has taken nearly all; False when it does not, for so long."""
        waited = 0.0
        before = self.unsent
        while self.open and self.unsent > _CALM:
            await asyncio.sleep(0.02)
            waited = 0.0 if self.unsent < before else waited + 0.02
            before = self.unsent
            if waited >= timeout_s:
                return False
        return self.open

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake; a peer that does not take part is cut off soon."""
        if not self.open:
            return
        protocol = self._protocol
        protocol.conn.send_close(code, reason.encode()[:120].decode(errors="ignore"))
        self._transport.write(b"".join(protocol.conn.data_to_send()))
        protocol.close_sent = True
        protocol.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        if protocol.read_paused:
            protocol.read_paused = False
            self._transport.resume_reading()
        protocol.close_timer = protocol.loop.call_later(_LINGER_S, self._transport.abort)
