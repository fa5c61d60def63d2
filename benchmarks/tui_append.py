"""The next words of an answer of 200 KiB in the real app, against Textual's Markdown.append: CPU up to the frame."""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import Row, row
from benchmarks._talk import ask_edwin, make_project, run_app, text
from benchmarks._terminal import PYTHON, Terminal, environment, in_terminal

if TYPE_CHECKING:
    from flowide.tui.application import FlowApp

KIB = 1024
SMALL, MIDDLE, LARGE = 20 * KIB, 200 * KIB, 2000 * KIB
FRAME_S = 0.15
"""Seconds from one chunk to the next: each gets a frame of its own."""
ROUNDS = 8
MESSAGE = 60 * KIB
"""Characters of a long message: nearly what one may have."""


STOCK = f"""
import asyncio, sys, time
from textual.app import App
from textual.containers import VerticalScroll
from textual.widgets import Input, Markdown
class Stream(App):
    CSS = "Input {{ dock: bottom; }}"
    def compose(self):
        with VerticalScroll():
            yield Markdown(open(sys.argv[1]).read())
        yield Input()
    def on_mount(self):
        self.query_one(VerticalScroll).anchor()
        self.run_worker(self.write())
    async def write(self):
        markdown = self.query_one(Markdown)
        await asyncio.sleep(0.5)
        spent = []
        for number in range({ROUNDS}):
            before = time.process_time()
            await markdown.append(f"and so on, zq{{number}}qz ")
            await asyncio.sleep({FRAME_S})
            spent.append(time.process_time() - before)
        open(sys.argv[2], "w").write(" ".join(map(str, spent)))
        self.exit()
Stream().run()
"""
"""One Markdown in a scroll view that follows its end."""


def run(quick: bool) -> list[Row]:
    """Measure, each in a terminal of its own."""
    ours, said = {}, {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = environment(folder) | {"TMPDIR": name}
        for size in (SMALL, MIDDLE, LARGE):
            ours[size] = _measured(folder / f"written{size}", env, written=size)
        for size in (SMALL, LARGE):
            said[size] = _measured(folder / f"said{size}", env, said=size)
        (folder / "text.md").write_text(text(MIDDLE))
        result = folder / "stock"
        with in_terminal([PYTHON, "-c", STOCK, str(folder / "text.md"), str(result)], env) as terminal:
            stock = _result(terminal, result)
    return [
        row("append at 200 KiB, CPU", ours[MIDDLE], "ms", stock, goal="≤ 0.05 × Markdown.append", at_most=0.05),
        row("append at 2 MB, CPU", ours[LARGE], "ms", ours[SMALL], goal="≤ 2 × at 20 KiB", at_most=2),
        row("append below 2 MB of messages, CPU", said[LARGE], "ms", said[SMALL], goal="≤ 2 × below 20 KiB",
            at_most=2),
    ]  # fmt: skip


def _measured(folder: Path, env: dict[str, str], *, written: int = 0, said: int = 0) -> float:
    """Milliseconds of CPU for the next words when so many characters are written, or said before."""
    result = folder.with_suffix(".result")
    make_project(folder, "never", chunk=1)
    command = [PYTHON, "-m", "benchmarks.tui_append", str(folder), str(result), str(written), str(said)]
    with in_terminal(command, env) as terminal:
        return _result(terminal, result)


def _result(terminal: Terminal, result: Path) -> float:
    """The median, once the terminal has seen all that was appended."""
    while terminal.process.poll() is None:
        terminal.read(0.1)
    shown = [number for number in range(ROUNDS) if f"zq{number}qz".encode() in terminal.raw]
    if not result.exists() or len(shown) < ROUNDS:
        said = terminal.raw.decode(errors="replace")[-2000:]
        raise RuntimeError(f"just {len(shown)} of {ROUNDS} appended texts were painted:\n{said}")
    return statistics.median(map(float, result.read_text().split())) * 1000


async def _append(app: FlowApp, spent: list[float], written: int, said: int) -> None:
    """What arrives at the run's observer, as from a model."""
    from flowide.tui.engine.running import Watcher

    messages = [text(min(MESSAGE, said - start)) for start in range(0, said, MESSAGE)]
    turn = await ask_edwin(app, messages)
    run, step = turn.run or "", turn.step or ""

    async def hear(words: str) -> None:
        async def to_engine(session: object) -> None:
            Watcher(session, run).delta(step, "edwin", words, restart=False)  # type: ignore[arg-type]  # a Session

        await app.engine.call(to_engine)

    await hear(text(written))
    await asyncio.sleep(0.5)
    for number in range(ROUNDS):
        before = time.process_time()
        await hear(f"and so on, zq{number}qz ")
        await asyncio.sleep(FRAME_S)
        spent.append(time.process_time() - before)


if __name__ == "__main__":
    at, result_at, written_size, said_size = sys.argv[1:]
    found: list[float] = []
    append = partial(_append, spent=found, written=int(written_size), said=int(said_size))
    asyncio.run(run_app(Path(at), 0.001, append))
    Path(result_at).write_text(" ".join(map(str, found)))
