"""The real program in a pseudo-terminal."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PATIENCE_S = 15.0
_SEQUENCE = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]")


class Terminal:
    """A terminal with the program in it. It is read only while something is waited for."""

    def __init__(self, command: list[str], env: dict[str, str], size: tuple[int, int]) -> None:
        self._master, slave = pty.openpty()
        self.resize(*size)
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True, close_fds=True
        )
        os.close(slave)
        self.raw = b""

    def resize(self, columns: int, rows: int) -> None:
        """Another size, as when the window is dragged."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if hasattr(self, "process"):
            os.kill(self.process.pid, signal.SIGWINCH)

    def send(self, keys: str) -> None:
        """Bytes as the keyboard sends them."""
        os.write(self._master, keys.encode())

    def read(self, seconds: float) -> None:
        """Take in what comes for so many seconds."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and self._more(left):
            pass

    def _more(self, timeout: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], timeout)
        if ready:
            try:
                data = os.read(self._master, 65536)
            except OSError:
                return False
            self.raw += data
            return bool(data)
        return True

    @property
    def text(self) -> str:
        """All that was written, without control sequences; one long text, not a screen."""
        return _SEQUENCE.sub(b"", self.raw).decode(errors="replace")

    def sees(self, text: str) -> None:
        """Read until a text has come."""
        self.until(lambda: text in self.text, repr(text))

    def until(self, true: Callable[[], bool], what: str) -> None:
        """Read until a condition holds."""
        end = time.monotonic() + PATIENCE_S
        while not true():
            if time.monotonic() > end:
                raise AssertionError(f"waited in vain for {what}; the terminal got:\n{self.text[-4000:]}")
            self._more(0.05)

    def ends(self) -> int:
        """Wait for the end of the program; its exit code."""
        self.until(lambda: self.process.poll() is not None, "the program to end")
        self.read(0.1)
        assert self.process.returncode is not None
        return self.process.returncode

    def vanish(self) -> None:
        """Take the terminal away without a word, as a container that is left does."""
        os.close(self._master)
        self._master = -1

    def close(self) -> None:
        """Nothing stays behind."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self._master >= 0:
            os.close(self._master)


Start = Callable[..., Terminal]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `flowide …` in a terminal of its own."""
    opened: list[Terminal] = []

    def begin(*arguments: str, size: tuple[int, int] = (120, 40), **env: str) -> Terminal:
        full = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8", **env}
        terminal = Terminal([sys.executable, "-m", "flowide", *arguments], full, size)
        opened.append(terminal)
        return terminal

    yield begin
    for each in opened:
        each.close()
