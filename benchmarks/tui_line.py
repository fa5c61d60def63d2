"""An answer of 100 KB/s in the app, on a quick terminal and a line of 100 KB/s; against unpaced Markdown.append."""

from __future__ import annotations

import asyncio
import os
import select
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import Row, row
from benchmarks._talk import ask_edwin, make_project, run_app, text, until
from benchmarks._terminal import PYTHON, Terminal, environment

if TYPE_CHECKING:
    from flowide.tui.application import FlowApp

PACE = 100_000
"""Characters a second that the agent writes."""
LINE = 100_000
"""Bytes a second that a slow line takes."""
ANSWER = 900_000
"""Characters of the whole answer."""
CHUNK = 500
"""Characters that arrive at a time."""
BEFORE = 20_000
"""Characters that are there before the first key."""
SECONDS = 5
"""How long keys are pressed meanwhile."""
KEY_S = 0.2
"""Seconds between an echo and the next key."""
BEAT_S = 0.005
"""Interval of the timer whose lateness is measured."""
KEYS = "абвгдежзийклмнопрстуфхцчшщ"
"""Letters that stand nowhere else on the screen."""


STOCK = f"""
import asyncio, sys, time
from pathlib import Path
from textual.app import App
from textual.containers import VerticalScroll
from textual.widgets import Input, Markdown
TEXT = open(sys.argv[1]).read()
class Stream(App):
    CSS = "Input {{ dock: bottom; }}"
    def compose(self):
        with VerticalScroll():
            yield Markdown("")
        yield Input()
    def on_mount(self):
        self.query_one(Input).focus()
        self.query_one(VerticalScroll).anchor()
        self.run_worker(self.write())
    async def write(self):
        markdown = self.query_one(Markdown)
        start = time.perf_counter()
        for sent in range(0, len(TEXT), {CHUNK}):
            await asyncio.sleep(max(0, start + sent / {PACE} - time.perf_counter()))
            await markdown.append(TEXT[sent:sent + {CHUNK}])
            if sent >= {BEFORE}:
                Path(sys.argv[2] + ".began").touch()
Stream().run()
"""
"""Each chunk is appended as it comes."""


class SlowTerminal(Terminal):
    """Takes so many bytes a second, and answers where its cursor is, as terminals do."""

    def __init__(self, command: list[str], env: Mapping[str, str], rate: float) -> None:
        """`rate` is in bytes a second."""
        super().__init__(command, env)
        self._rate = rate
        self._may, self._at = 0.0, time.perf_counter()

    def _more(self, timeout: float) -> None:
        now = time.perf_counter()
        self._may, self._at = min(4096.0, self._may + (now - self._at) * self._rate), now
        if self._may < 256:
            time.sleep(0.002)
            return
        ready, _, _ = select.select([self._master], [], [], min(timeout, 0.05))
        if ready:
            try:
                new = os.read(self._master, int(self._may))
            except OSError:
                return
            self._may -= len(new)
            asked = (self.raw[-3:] + new).count(b"\x1b[6n")
            self.raw = self.raw[-64:] + new
            for _ in range(asked):
                self.send(b"\x1b[1;1R")

    def key(self, letter: str) -> float:
        """Seconds until a letter that is typed comes back."""
        start = time.perf_counter()
        self.send(letter.encode())
        while letter.encode() not in self.raw and time.perf_counter() - start < SECONDS:
            self._more(0.05)
        return time.perf_counter() - start


def run(quick: bool) -> list[Row]:
    """Measure on both terminals."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = environment(folder) | {"TMPDIR": name}
        (folder / "text.md").write_text(text(ANSWER))
        for place, rate in (("quick terminal", 1e9), ("line of 100 KB/s", float(LINE))):
            at = folder / f"at{round(rate)}"
            make_project(at, text(ANSWER), chunk=CHUNK)
            ours = [PYTHON, "-m", "benchmarks.tui_line", str(at), str(at) + ".lag"]
            keys = _keys(ours, env, rate, Path(str(at) + ".lag"))
            lags = sorted(map(float, Path(str(at) + ".lag").read_text().split()))
            late = lags[len(lags) * 99 // 100] * 1000
            stock_at = folder / f"stock{round(rate)}"
            stock = _keys([PYTHON, "-c", STOCK, str(folder / "text.md"), str(stock_at)], env, rate, stock_at)
            rows += [
                row(f"{place}: lateness of the loop, p99", late, "ms", 30, goal="≤ 30 ms", at_most=1),
                row(f"{place}: key to screen, p50", keys, "ms", stock, goal="≤ 0.05 × Markdown.append",
                    at_most=0.05),
            ]  # fmt: skip
    return rows


def _keys(command: list[str], env: dict[str, str], rate: float, result: Path) -> float:
    """Median milliseconds from a key to its echo while text streams in."""
    terminal = SlowTerminal(command, env, rate)
    try:
        while not Path(f"{result}.began").exists():
            terminal.read(0.05)
            if terminal.process.poll() is not None:
                raise RuntimeError(f"it ended early:\n{terminal.raw.decode(errors='replace')}")
        end, taken = time.perf_counter() + SECONDS - 1, []
        for letter in KEYS:
            if time.perf_counter() > end:
                break
            taken.append(terminal.key(letter) * 1000)
            terminal.read(KEY_S)
        while command[1] == "-m" and terminal.process.poll() is None:
            terminal.read(0.1)
        return statistics.median(taken)
    finally:
        terminal.close()


async def _stream(app: FlowApp, began: Callable[[], None], late: list[float]) -> None:
    """Have edwin write, and note how late a timer comes meanwhile."""
    await ask_edwin(app, [])
    assert app.workspace is not None
    pane = app.workspace.thread
    pane.prompt.focus()
    await until(lambda: pane.talk is not None and any(len(each) > BEFORE for each in pane.talk.live.values()))
    began()
    end = time.perf_counter() + SECONDS
    while (before := time.perf_counter()) < end:
        await asyncio.sleep(BEAT_S)
        late.append(max(0.0, time.perf_counter() - before - BEAT_S))


if __name__ == "__main__":
    result_at = Path(sys.argv[2])
    found: list[float] = []
    stream = partial(_stream, began=Path(f"{result_at}.began").touch, late=found)
    asyncio.run(run_app(Path(sys.argv[1]), PACE, stream))
    result_at.write_text(" ".join(map(str, found)))
