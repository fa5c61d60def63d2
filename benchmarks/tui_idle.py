"""The app while nothing happens, and its end: CPU, bytes to the terminal, milliseconds until the shell is back."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks import Row, row
from benchmarks._terminal import PYTHON, Terminal, environment, in_terminal

QUESTION, ANSWER = b"\x1b[6n", b"\x1b[7;7R"


def run(quick: bool) -> list[Row]:
    """Measure."""
    seconds = 10 if quick else 30
    with tempfile.TemporaryDirectory() as folder:
        env = environment(Path(folder)) | {"TMPDIR": folder}
        with in_terminal([PYTHON, "-m", "flowide", "demo"], env) as terminal:
            terminal.sees("free")
            _settle(terminal)
            before, size = terminal.cpu_s(), len(terminal.raw)
            terminal.read(seconds)
            busy = (terminal.cpu_s() - before) / seconds * 100
            written = len(terminal.raw) - size
            begun = time.perf_counter()
            terminal.send(b"\x11")
            while terminal.process.poll() is None:
                _answer(terminal, 0.01)
            ended = (time.perf_counter() - begun) * 1000
    return [
        row("CPU while idle", busy, "%", 0.5, goal="≤ 0.5 % of a core", at_most=1),
        row("bytes while idle", written, "bytes", 1, goal="0", at_most=0),
        row("exit", ended, "ms", 500, goal="≤ 500 ms", at_most=1),
    ]


def _settle(terminal: Terminal) -> None:
    """Until it has written nothing for two seconds."""
    size = -1
    while size != len(terminal.raw):
        size = len(terminal.raw)
        _answer(terminal, 2)


def _answer(terminal: Terminal, seconds: float) -> None:
    """Read, and answer as terminals do."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        asked = terminal.raw.count(QUESTION)
        terminal.read(min(0.02, seconds))
        for _ in range(terminal.raw.count(QUESTION) - asked):
            terminal.send(ANSWER)
