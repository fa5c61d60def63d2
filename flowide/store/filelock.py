"""Turns among the writers of one workspace: a lock on a side file, fair where SQLite's busy handler starves.

`flock` belongs to an open file description and ends with its process, so a killed writer holds nobody up.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from flowide.errors import StorageFailed

try:
    import fcntl
except ImportError:  # Windows: SQLite's own lock has to do
    fcntl = None  # type: ignore[assignment]


class WriterTurn:
    """One writer at a time, among threads and processes. Not reentrant."""

    def __init__(self, path: Path) -> None:
        self._thread_lock = threading.Lock()
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def acquire(self, *, timeout_s: float) -> None:
        """Wait for the turn.

        Raises:
            StorageFailed: It did not come in time.
        """
        deadline = time.monotonic() + timeout_s
        if not self._thread_lock.acquire(timeout=timeout_s):
            raise _busy(timeout_s)
        try:
            self._flock(deadline, timeout_s)
        except BaseException:
            self._thread_lock.release()
            raise

    def try_acquire(self) -> bool:
        """Take the turn if nobody has it."""
        if not self._thread_lock.acquire(blocking=False):
            return False
        if self._flock_now():
            return True
        self._thread_lock.release()
        return False

    def release(self) -> None:
        """Let the next one."""
        if fcntl is not None:
            fcntl.flock(self._fd, fcntl.LOCK_UN)
        self._thread_lock.release()

    def close(self) -> None:
        """Close the side file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _flock_now(self) -> bool:
        if fcntl is None:
            return True
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _flock(self, deadline: float, timeout_s: float) -> None:
        """A blocking flock is served in turn but cannot time out, so a thread waits for it."""
        if self._flock_now():
            return
        waiter = _Waiter(self._fd)
        waiter.start()
        if not waiter.wait(deadline - time.monotonic()):
            raise _busy(timeout_s)


class _Waiter(threading.Thread):
    """Takes the lock when its turn comes; gives it back at once when nobody waits for it any more."""

    def __init__(self, fd: int) -> None:
        super().__init__(name="flowide-writer-turn", daemon=True)
        self._fd = fd
        self._decided = threading.Lock()
        self._done = threading.Event()
        self._abandoned = False

    def run(self) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        with self._decided:
            if self._abandoned:
                fcntl.flock(self._fd, fcntl.LOCK_UN)
            else:
                self._done.set()

    def wait(self, timeout_s: float) -> bool:
        if self._done.wait(max(0.0, timeout_s)):
            return True
        with self._decided:
            self._abandoned = not self._done.is_set()
        return not self._abandoned


def _busy(timeout_s: float) -> StorageFailed:
    return StorageFailed(
        f"another process has been writing to this workspace for {timeout_s:g} s",
        hint="Look for a stopped flowide process (`ps`), then try again.",
    )
