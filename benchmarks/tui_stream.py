"""Variations streaming into the grid of the real app, against Textual's Markdown streams: CPU, bytes, echo of a key."""

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


STOCK = f"""
import asyncio, sys, time
from textual.app import App
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Input, Markdown
TEXT = open(sys.argv[1]).read()
class Streams(App):
    CSS = "Horizontal {{ height: 1fr; }} VerticalScroll {{ width: 1fr; }} Input {{ dock: bottom; }}"
    def compose(self):
        with Horizontal():
            for _ in range({AT_ONCE}):
                with VerticalScroll():
                    yield Markdown("writing")
        yield Input()
    def on_mount(self):
        for scroll in self.query(VerticalScroll):
            scroll.anchor()
        for markdown in self.query(Markdown):
            self.run_worker(self.write(markdown))
    async def write(self, markdown):
        await asyncio.sleep(0.5)
        stream = Markdown.get_stream(markdown)
        start, sent = time.perf_counter(), 0
        while True:
            await asyncio.sleep(0.005)
            due = int((time.perf_counter() - start) * {PACE})
            if due - sent >= 4:
                await stream.write("".join(TEXT[at % len(TEXT)] for at in range(sent, due)))
                sent = due
Streams().run()
"""
"""The same pace in as many of Textual's own panes, with four characters a token."""


def _stock(folder: Path, env: dict[str, str], seconds: float) -> float:
    """Percent of a core that Textual's streams take."""
    text = folder / "text.md"
    code = Path(__file__).read_text()
    text.write_text(
        "# What is proposed\n\nSome *words* before it.\n\n```python\n"
        + code[:1500]
        + "\n```\n\nAnd after.\n\n"
    )
    with in_terminal([PYTHON, "-c", STOCK, str(text)], env) as terminal:
        terminal.sees("proposed")
        terminal.read(0.5)
        before = terminal.cpu_s()
        terminal.read(seconds)
        return (terminal.cpu_s() - before) / seconds * 100


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
        stock = _stock(Path(folder), env, seconds)
    return [
        row(
            "bytes a streamed character",
            written / seconds / (PACE * AT_ONCE),
            "bytes",
            40,
            goal="≤ 40",
            at_most=1,
        ),
        row("CPU while four stream", busy, "%", stock, goal="≤ 0.4 × four MarkdownStreams", at_most=0.4),
        row("key to screen meanwhile, p50", statistics.median(echo), "ms", 30, goal="≤ 30 ms", at_most=1),
        row("key to screen meanwhile, p95", sorted(echo)[-2], "ms", 60, goal="≤ 60 ms", at_most=1),
    ]
