"""A pseudo-terminal for benchmarks: starts a program, waits for texts, counts bytes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import resource
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_SEQUENCE = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]")
PATIENCE_S = 60.0


class Terminal:
    """A program in a terminal of 120 × 40 cells."""

    def __init__(self, command: list[str], env: Mapping[str, str]) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=dict(env), start_new_session=True
        )
        os.close(slave)
        self.raw = b""

    def send(self, keys: bytes) -> None:
        """Keys as the terminal sends them."""
        os.write(self._master, keys)

    def read(self, seconds: float) -> int:
        """Bytes that come in so many seconds."""
        before, end = len(self.raw), time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self._more(left)
        return len(self.raw) - before

    def sees(self, text: str) -> float:
        """Seconds since the start when a text came."""
        while text.encode() not in _SEQUENCE.sub(b"", self.raw):
            if time.perf_counter() - self.began > PATIENCE_S or self.process.poll() is not None:
                said = _SEQUENCE.sub(b"", self.raw).decode(errors="replace")
                raise TimeoutError(f"{text!r} never came:\n{said[-2000:]}")
            self._more(0.02)
        return time.perf_counter() - self.began

    def _more(self, timeout: float) -> None:
        ready, _, _ = select.select([self._master], [], [], timeout)
        if ready:
            with contextlib.suppress(OSError):
                self.raw += os.read(self._master, 1 << 16)

    def cpu_s(self) -> float:
        """Seconds of CPU the program has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mib(self) -> float:
        """Memory of its own (PSS), in MiB."""
        text = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        found = re.search(r"^Pss:\s+(\d+)", text, re.M)
        return int(found[1]) / 1024 if found else 0.0

    def close(self) -> None:
        """End it."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._master)


@contextmanager
def in_terminal(command: list[str], env: Mapping[str, str]) -> Iterator[Terminal]:
    """A program in a terminal, ended afterwards."""
    terminal = Terminal(command, env)
    try:
        yield terminal
    finally:
        terminal.close()


def environment(home: Path) -> dict[str, str]:
    """What the measured programs see."""
    return {
        **{name: value for name, value in os.environ.items() if name in {"PATH", "VIRTUAL_ENV"}},
        "PYTHONPATH": str(Path(__file__).resolve().parent.parent),
        "HOME": str(home),
        "FLOWIDE_HOME": str(home / "flowide"),
        "FLOWIDE_ME_HANDLE": "ana",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LC_ALL": "C.UTF-8",
    }


def children_cpu_s() -> float:
    """Seconds of CPU of children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


PYTHON = sys.executable
