"""Five variations streaming into the grid of the real app: bytes a character, CPU, and how soon a key shows."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks import Row, row
from benchmarks._terminal import PYTHON, environment, in_terminal

PACE = 800
"""Characters a second of each of the writers."""
AT_ONCE = 4
"""Writers at the same time."""


def run(quick: bool) -> list[Row]:
    """Measure."""
    seconds = 4
    with tempfile.TemporaryDirectory() as folder:
        env = environment(Path(folder)) | {"FLOWIDE_SCRIPTED_PACE": str(PACE), "TMPDIR": folder}
        with in_terminal([PYTHON, "-m", "flowide", "demo"], env) as terminal:
            terminal.sees("free")
            terminal.read(1)
            terminal.send(b"v")
            terminal.read(1)
            terminal.send(b"\x13")
            terminal.sees("writing")
            terminal.read(0.5)
            before = terminal.cpu_s()
            written = terminal.read(seconds)
            busy = (terminal.cpu_s() - before) / seconds * 100
            echo = []
            for _ in range(15):
                terminal.read(0.11)
                terminal.raw = b""
                start = time.perf_counter()
                terminal.send(b"d")
                while b"\x1b[" not in terminal.raw:
                    terminal.read(0.002)
                echo.append((time.perf_counter() - start) * 1000)
    return [
        row(
            "bytes a streamed character",
            written / seconds / (PACE * AT_ONCE),
            "bytes",
            40,
            goal="≤ 40",
            at_most=1,
        ),
        row("CPU while four stream", busy, "%", 40, goal="≤ 40 % of a core", at_most=1),
        row("key to screen meanwhile, p50", statistics.median(echo), "ms", 30, goal="≤ 30 ms", at_most=1),
    ]
