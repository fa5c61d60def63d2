"""The variation grid of eight columns of 2,000 lines, opened and scrolled, against eight text areas side by side."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import TextArea

from benchmarks import Row, row
from benchmarks.tui_editor import Themed, code
from flowide.domain import rows
from flowide.space.queries import VariationView
from flowide.tui.highlight import Highlighter
from flowide.tui.views.grid import make_grid, numbered_column
from flowide.tui.views.grid_state import GridState
from flowide.tui.widgets.grid import GridView

COLUMNS = 8
LINES = 2_000
FRAMES = 12


class Shown(Themed):
    """An app that shows some widgets beside each other."""

    CSS = "Horizontal > * { width: 1fr; }"

    def __init__(self, *widgets: Widget) -> None:
        super().__init__()
        self._widgets = widgets

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield from self._widgets


def texts() -> list[str]:
    """Eight texts that differ a little."""
    base = code(LINES)
    return [base.replace(f"function_{at}7", f"changed_{at}7") for at in range(COLUMNS)]


def variation(number: int) -> VariationView:
    """A variation without checks."""
    return VariationView(
        rows.Variation(
            set="s", number=number, id=str(number), round=1, origin="generated", sha256="", size=0, actor="edwin",
            kind="agent", model=None, run=None, step=None, parents=[], lineage={}, input_tokens=0, output_tokens=0,
            cost_micros=None, tags=[], shortlisted=False, rejected=False, notes=[], accepted=None, seq=1, ts="",
        ),
        [],
    )  # fmt: skip


def our_view() -> GridView:
    """The grid with all columns read, aligned and parsed."""
    base = code(LINES)
    group = rows.VariationSet(
        id="s", title="a.py", brief="", path="a.py", artifact="a", base=1, base_sha256="", piece=None, run=None,
        count=COLUMNS, round=1, actor="ana", seq=1, ts="",
    )  # fmt: skip
    columns = [
        numbered_column(variation(number), text, base.splitlines(), ())
        for number, text in enumerate(texts(), start=1)
    ]
    view = GridView(GridState(make_grid(group, base, columns, "python")), {})
    for column in columns:
        view.colours[column.key] = Highlighter(column.lines, "python")
    return view


async def _measure(
    make: Callable[[], list[Widget]], scroll: Callable[[list[Widget], Pilot[None]], Awaitable[None]]
) -> tuple[float, float]:
    """Milliseconds of CPU to open and to scroll by a line."""
    start = time.process_time()
    widgets = make()
    async with Shown(*widgets).run_test(size=(320, 50)) as pilot:
        await pilot.pause()
        opened = (time.process_time() - start) * 1000
        frames = []
        for _ in range(FRAMES):
            start = time.process_time()
            await scroll(widgets, pilot)
            await pilot.pause()
            frames.append((time.process_time() - start) * 1000)
    return opened, statistics.median(frames)


async def _scroll_ours(widgets: list[Widget], pilot: Pilot[None]) -> None:
    for view in widgets:
        assert isinstance(view, GridView)
        view.scroll_lines(1)


async def _scroll_theirs(widgets: list[Widget], pilot: Pilot[None]) -> None:
    for area in widgets:
        area.scroll_relative(y=1, animate=False)


def _ours() -> list[Widget]:
    view = our_view()
    view.refresh_state()
    return [view]


def _theirs() -> list[Widget]:
    return [TextArea(text, language="python", show_line_numbers=True, soft_wrap=False) for text in texts()]


def run(quick: bool) -> list[Row]:
    """Measure."""
    ours, theirs = [], []
    for _ in range(2 if quick else 5):
        ours.append(asyncio.run(_measure(_ours, _scroll_ours)))
        theirs.append(asyncio.run(_measure(_theirs, _scroll_theirs)))
    opened, scrolled = (statistics.median(each) for each in zip(*ours, strict=True))
    opened_base, scrolled_base = (statistics.median(each) for each in zip(*theirs, strict=True))
    return [
        row(
            "grid 8 × 2,000, open", opened, "ms CPU", opened_base, goal="≤ 0.2 × eight TextAreas", at_most=0.2
        ),
        row(
            "grid 8 × 2,000, scroll",
            scrolled,
            "ms CPU",
            scrolled_base,
            goal="≤ 0.2 × eight TextAreas",
            at_most=0.2,
        ),
    ]
