"""Opening the app: first frame, settled screen, idle, memory, exit; against bare Textual apps in the same terminal."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks import Row, row
from benchmarks._terminal import PYTHON, Terminal, environment, in_terminal

HELLO = """
from textual.app import App
from textual.widgets import Input, Static
class Hello(App):
    def compose(self):
        yield Static("hello there")
        yield Input()
Hello().run()
"""
FLOOR = """
import sys
from pathlib import Path
from textual.app import App
from textual.containers import Horizontal
from textual.widgets import DirectoryTree, Input, Markdown, TextArea
class Floor(App):
    CSS = "Horizontal { height: 1fr; } Horizontal > * { width: 1fr; } Input { dock: bottom; }"
    def compose(self):
        with Horizontal():
            yield DirectoryTree(sys.argv[1])
            yield TextArea(Path(sys.argv[1], "module_000.py").read_text(), language="python")
            yield Markdown("# Notes\\n\\nsettled *text*")
        yield Input()
Floor().run()
"""
FILES = 200


def make_project(root: Path) -> Path:
    """A folder of 200 files."""
    root.mkdir()
    for at in range(FILES):
        (root / f"module_{at:03}.py").write_text(
            f'"""Module {at}."""\n\n\ndef f(x):\n    return x + {at}\n' * 4
        )
    return root


def run(quick: bool) -> list[Row]:
    """Measure."""
    rounds = 7 if quick else 15
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        project = make_project(home / "project")
        env = environment(home)
        flowide = [PYTHON, "-m", "flowide", str(project)]
        hello, floor = [PYTHON, "-c", HELLO], [PYTHON, "-c", FLOOR, str(project)]
        first: list[float] = []
        bare: list[float] = []
        settled: list[float] = []
        floor_settled: list[float] = []
        exits: list[float] = []
        for _ in range(rounds + 1):
            with in_terminal(hello, env) as terminal:
                bare.append(terminal.sees("hello there"))
            with in_terminal(flowide, env) as terminal:
                first.append(terminal.sees("FILES"))
                settled.append(terminal.sees("module_000.py"))
                terminal.read(0.3)
                exits.append(_exit(terminal))
            with in_terminal(floor, env) as terminal:
                terminal.sees("settled")
                floor_settled.append(terminal.sees("module_"))
        idle_bytes, idle_cpu, memory = _idle(flowide, env, "module_000.py")
        _, _, floor_memory = _idle(floor, env, "settled")
    one, other = _median(first), _median(bare)
    two, base = _median(settled), _median(floor_settled)
    return [
        row("first frame", one, "ms", other, goal="≤ 1.3 × a bare Textual hello", at_most=1.3),
        row(
            "settled screen", two, "ms", base, goal="≤ 1.5 × bare tree, editor, Markdown, input", at_most=1.5
        ),
        row("exit", _median(exits), "ms", 500, goal="≤ 500 ms", at_most=1),
        row("idle output in 10 s", idle_bytes, "bytes", 1, goal="0 bytes", at_most=0),
        row("idle CPU", idle_cpu, "%", 0.5, goal="≤ 0.5 %", at_most=1),
        row("memory, idle", memory, "MiB", floor_memory, goal="≤ 1.6 × the bare four panes", at_most=1.6),
    ]


def _median(seconds: list[float]) -> float:
    return statistics.median(seconds[1:]) * 1000


def _exit(terminal: Terminal) -> float:
    start = time.perf_counter()
    terminal.send(b"\x11")
    while terminal.process.poll() is None:
        terminal.read(0.005)
        if time.perf_counter() - start > 20:
            raise TimeoutError("the app does not end")
    return time.perf_counter() - start


def _idle(command: list[str], env: dict[str, str], text: str) -> tuple[float, float, float]:
    """Bytes written and percent of a CPU used in 10 idle seconds, and MiB of memory."""
    with in_terminal(command, env) as terminal:
        terminal.sees(text)
        terminal.read(3)
        before = terminal.cpu_s()
        written = terminal.read(10)
        return written, (terminal.cpu_s() - before) / 10 * 100, terminal.rss_mib()
