"""News of commits, of this process and of others.

After a commit the bell is rung, in a transaction of its own: a NOTIFY inside the commit would make all commits of the
database wait for one another. It says which space and how often it has changed, and nothing else. A bell that was not
heard costs a second: so often the counters are looked at.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import Connection

from flowide.errors import FlowError

CHANNEL = "flowide"
TOGETHER_S = 0.025
"""Rings within so much time are one."""
LOOK_S = 1.0
_RETRY_S = 1.0


class Bell:
    """What is known of one space's counter."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._tick = -1
        self._on_change = on_change
        self.changes = 0
        """Another number once anything was committed."""
        self.elsewhere = 0
        """The same, but for what the store of this bell has rung itself."""

    def rang(self, tick: int) -> None:
        """The store of this bell has brought the counter to `tick`."""
        if tick != self._tick + 1:
            self.elsewhere += 1  # somebody else's was not heard yet
        if tick > self._tick:
            self._tick = tick
            self.changes += 1
            self._on_change()

    def heard(self, tick: int, *, looked: bool = False) -> None:
        """The counter stands at `tick`; when it was `looked` at, also a lower one is news: a backup was restored."""
        if tick > self._tick or (looked and tick != self._tick):
            self._tick = tick
            self.changes += 1
            self.elsewhere += 1
            self._on_change()


class Doorbell:
    """Listens and rings for all spaces of one database, in a thread that starts with the first one."""

    def __init__(self, connect: Callable[[], Connection[Any]]) -> None:
        self._connect = connect
        self._guard = threading.Lock()
        self._bells: dict[int, list[Bell]] = {}
        self._ringing: dict[int, int] = {}
        self._wake_here, self._wake_there = socket.socketpair()
        for end in (self._wake_here, self._wake_there):
            end.setblocking(False)
        self._closed = False
        self._thread: threading.Thread | None = None

    def watch(self, space: int, bell: Bell) -> None:
        """Tell a bell what is heard of a space."""
        with self._guard:
            self._bells.setdefault(space, []).append(bell)
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="flowide-doorbell", daemon=True)
                self._thread.start()
        self._wake()

    def unwatch(self, space: int, bell: Bell) -> None:
        """Tell it no more."""
        with self._guard:
            bells = self._bells.get(space, [])
            if bell in bells:
                bells.remove(bell)
            if not bells:
                self._bells.pop(space, None)

    def ring(self, space: int, tick: int, by: Bell | None = None) -> None:
        """Tell everybody soon that a commit has brought a space's counter to `tick`; `by` = the one it was made by."""
        with self._guard:
            for bell in self._bells.get(space, ()):
                if bell is by:
                    bell.rang(tick)
                else:
                    bell.heard(tick)
            first = not self._ringing
            self._ringing[space] = tick
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="flowide-doorbell", daemon=True)
                self._thread.start()
        if first:
            self._wake()

    def close(self) -> None:
        """Ring what is waiting, and stop listening."""
        with self._guard:
            self._closed = True
            thread = self._thread
        self._wake()
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=5)
        self._wake_here.close()
        self._wake_there.close()

    # --- the thread ---------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._closed:
            try:
                with contextlib.closing(self._connect()) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self._listen(connection)
            except (psycopg.Error, FlowError, OSError, ValueError):
                # The server is away, or our socket is closed. Whoever needs it says so; here it is tried again.
                self._pause(_RETRY_S)

    def _listen(self, connection: Connection[Any]) -> None:
        connection.add_notify_handler(lambda notice: self._heard(notice.payload))
        look_at = rang_at = 0.0
        while True:
            now = time.monotonic()
            if self._ringing and (now - rang_at >= TOGETHER_S or self._closed):
                self._ring(connection)
                rang_at = now
            if self._closed:
                return
            if now >= look_at:
                self._look(connection)
                look_at = now + LOOK_S
            until = min(look_at, rang_at + TOGETHER_S) if self._ringing else look_at
            socket_of_server = connection.fileno()
            ready = _readable([socket_of_server, self._wake_here.fileno()], max(0.0, until - now))
            self._drain()
            if socket_of_server in ready:
                self._take(connection)

    def _take(self, connection: Connection[Any]) -> None:
        connection.pgconn.consume_input()
        while (notice := connection.pgconn.notifies()) is not None:
            self._heard(notice.extra.decode())

    def _heard(self, payload: str) -> None:
        for each in payload.split(","):
            space, _, tick = each.partition(":")
            if space.isdigit() and tick.isdigit():
                with self._guard:
                    for bell in self._bells.get(int(space), ()):
                        bell.heard(int(tick))

    def _ring(self, connection: Connection[Any]) -> None:
        with self._guard:
            ringing, self._ringing = self._ringing, {}
        names = [f"{space}:{tick}" for space, tick in ringing.items()]
        for at in range(0, len(names), 200):  # a payload has at most 8,000 bytes
            connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, ",".join(names[at : at + 200])))

    def _look(self, connection: Connection[Any]) -> None:
        with self._guard:
            watched = list(self._bells)
        if not watched:
            return
        found = connection.execute(
            'SELECT "space", "tick" FROM space WHERE "space" = ANY(%s)', (watched,)
        ).fetchall()
        with self._guard:
            for space, tick in found:
                for bell in self._bells.get(space, ()):
                    bell.heard(tick, looked=True)

    # --- waking -------------------------------------------------------------------------------------

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # full, or closed
            self._wake_there.send(b"x")

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._wake_here.recv(4096):
                pass

    def _pause(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self._closed and (left := deadline - time.monotonic()) > 0:
            _readable([self._wake_here.fileno()], left)
            self._drain()


def _readable(descriptors: list[int], seconds: float) -> list[int]:
    """Those that can be read, within the time; unlike `select`, also in a process with thousands of them."""
    poll = select.poll()
    for each in descriptors:
        poll.register(each, select.POLLIN)
    return [ready for ready, _ in poll.poll(seconds * 1000)]
