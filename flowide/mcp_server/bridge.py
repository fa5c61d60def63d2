"""What a coding agent starts as its MCP server: it carries bytes to FlowIDE, outside of the cage, and back.

Standard library only: it starts with every turn.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import sys
import threading

VARIABLE = "FLOWIDE_SPACE"
"""Where to go and what to show there: `port:secret`."""
HOST = "127.0.0.1"
_PART = 1 << 16
_CONNECT_S = 10


def main() -> None:
    """Carry until one of the two ends."""
    port, _, secret = os.environ.pop(VARIABLE, "").partition(":")
    try:
        there = socket.create_connection((HOST, int(port)), timeout=_CONNECT_S)
        there.settimeout(None)
        there.sendall(f"{secret}\n".encode())
    except (OSError, ValueError):
        sys.exit("FlowIDE is not there: the turn this was for is over")
    threading.Thread(target=_carry_out, args=(there,), daemon=True).start()
    with contextlib.suppress(OSError):
        while part := there.recv(_PART):
            _write(part)
    sys.stderr.flush()
    os._exit(0)  # the other thread may wait for ever


def _carry_out(there: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := _read():
            there.sendall(part)
        there.shutdown(socket.SHUT_WR)


def _read() -> bytes:
    while True:
        try:
            return os.read(0, _PART)
        except BlockingIOError:  # the agent's end may have made it so
            select.select([0], [], [])


def _write(data: bytes) -> None:
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(1, left) :]
        except BlockingIOError:
            select.select([], [1], [])
