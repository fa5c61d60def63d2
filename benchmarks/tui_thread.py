"""A thread of 10,000 messages: how soon it is there, what it takes of memory, and how it pages to its start."""

from __future__ import annotations

import asyncio
import gc
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import Row, row

MESSAGES = 10_000
WORDS = (
    "The lock is taken where it should be, and the test says so in one sentence that a newcomer can read. "
)


def run(quick: bool) -> list[Row]:
    """Measure in a process of its own, so that memory is that of the app."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_fill(Path(folder), 2_000 if quick else MESSAGES))
        said = subprocess.run(
            [sys.executable, "-m", "benchmarks.tui_thread", folder],
            capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1],
        ).stdout.split()  # fmt: skip
    opened, page, back, memory = map(float, said[-4:])
    return [
        row("thread opened", opened * 1000, "ms", 400, goal="≤ 400 ms", at_most=1),
        row("a page up, median", page * 1000, "ms", 100, goal="≤ 100 ms", at_most=1),
        row("back to the first message, CPU", back * 1000, "ms", 4000, goal="≤ 4 s", at_most=1),
        row("memory for all of it", memory, "MiB", 60, goal="≤ 60 MiB", at_most=1),
    ]


async def _fill(root: Path, many: int) -> None:
    from flowide.domain.actors import Actor
    from flowide.domain.commands import OpenThread, PostMessage
    from flowide.space.open import open_space

    (root / ".flowide").mkdir()
    space = await open_space(root / ".flowide" / "workspace.db", actor=Actor("mia"))
    opened = OpenThread(title="Long")
    await space.execute(opened)
    for start in range(0, many, 50):
        await space.batch(
            [
                PostMessage(thread=opened.thread, text=f"{start + n}: " + WORDS * (1 + n % 4))
                for n in range(50)
            ]
        )
    await space.close()


async def _measure(root: Path) -> None:
    from flowide.domain.actors import Actor
    from flowide.tui.application import FlowApp
    from flowide.tui.engine.opening import open_project

    app = FlowApp(lambda: open_project(root, Actor("ana")), project=root.name, me="ana")
    async with app.run_test(size=(120, 40)) as pilot:
        while not app.snapshot.threads or app.workspace is None or not app.workspace.can_talk:
            await pilot.pause(0.01)
        gc.collect()
        before = _rss()
        pane = app.workspace.thread
        start = time.perf_counter()
        app.workspace.talking.open(app.snapshot.threads[0].id)
        await _until(lambda: pane.talk is not None and bool(pane.log_pane.rows))
        opened = time.perf_counter() - start
        pane.log_pane.focus()
        pages = []
        for _ in range(20):
            start = time.perf_counter()
            pane.log_pane.action_page(-1)
            await asyncio.sleep(0)
            pages.append(time.perf_counter() - start)
            await pilot.pause()
        start = time.process_time()
        pane.reading.read_earlier(1)
        await _until(lambda: pane.talk is not None and pane.talk.first == 1)
        back = time.process_time() - start
        print(opened, statistics.median(pages), back, (_rss() - before) / 1024)
        await app.leave(0)


async def _until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 - the app has no event for it, and the pilot's pause takes its time
        await asyncio.sleep(0.001)


def _rss() -> float:
    """KiB in use now; the most so far where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return pages * resource.getpagesize() / 1024


if __name__ == "__main__":
    asyncio.run(_measure(Path(sys.argv[1])))
