"""A key in the editor: CPU at 10,000 lines of Python against Textual's text area, and bytes sent to the terminal."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from textual.app import App, ComposeResult
from textual.theme import Theme
from textual.widgets import TextArea

from benchmarks import Row, row
from benchmarks._terminal import PYTHON, environment, in_terminal
from flowide.tui import theme
from flowide.tui.widgets.editor import Editor

LINES = 10_000
KEYS = 12


def code(lines: int) -> str:
    """Python of so many lines."""
    unit = 'def function_{0}(value: int) -> str:\n    """Say it."""\n    return f"{{value}} and {0}"  # why\n\n\n'
    return "".join(unit.format(at) for at in range(lines // 5))


class Themed(App[None]):
    """An app in FlowIDE's colours."""

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theme.load(theme.DEFAULT).variables

    @property
    def available_themes(self) -> dict[str, Theme]:
        return self._registered_themes

    def on_load(self) -> None:
        self.register_theme(theme.load(theme.DEFAULT))
        self.theme = theme.DEFAULT
        self.animation_level = "none"


class OneArea(Themed):
    """An app with one text area, ours or Textual's."""

    def __init__(self, area: TextArea) -> None:
        super().__init__()
        self.area = area

    def compose(self) -> ComposeResult:
        yield self.area


async def _keys(area: TextArea, keys: int) -> list[float]:
    """Milliseconds of CPU of each key."""
    app = OneArea(area)
    taken = []
    async with app.run_test(size=(120, 40)) as pilot:
        area.focus()
        area.move_cursor((area.document.line_count // 2, 4))
        await pilot.pause()
        for at in range(keys + 2):
            start = time.process_time()
            await pilot.press("x" if at % 4 else "enter")
            await pilot.pause()
            if at >= 2:
                taken.append((time.process_time() - start) * 1000)
    return taken


def run(quick: bool) -> list[Row]:
    """Measure."""
    text = code(LINES)
    keys = KEYS if quick else 4 * KEYS

    def stock() -> TextArea:
        return TextArea(text, language="python", show_line_numbers=True, soft_wrap=False)

    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(2):
        ours += asyncio.run(_keys(Editor(text, "a.py"), keys))
        theirs += asyncio.run(_keys(stock(), max(3, keys // 4)))
    edit, prompt = _bytes_per_key()
    return [
        row(
            "key at 10,000 lines of Python",
            statistics.median(ours),
            "ms CPU",
            statistics.median(theirs),
            goal="≤ 0.2 × TextArea with syntax",
            at_most=0.2,
        ),
        row("bytes a key, editor", edit, "bytes", 1500, goal="≤ 1,500", at_most=1),
        row("bytes a key, search field", prompt, "bytes", 300, goal="≤ 300", at_most=1),
    ]


def _bytes_per_key() -> tuple[float, float]:
    """In the real app: letters typed in the middle of a line, and into the field that finds a file."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        project = home / "project"
        project.mkdir()
        (project / "module.py").write_text(code(300))
        command: list[Any] = [PYTHON, "-m", "flowide", str(project)]
        with in_terminal(command, environment(home)) as terminal:
            terminal.sees("module.py")
            terminal.send(b"/")
            terminal.read(0.5)
            terminal.send(b"z")
            terminal.read(0.6)
            prompt = []
            for letter in b"qqqqq":
                terminal.send(bytes([letter]))
                prompt.append(terminal.read(0.4))
            terminal.send(b"\x1b")
            terminal.read(0.5)
            terminal.send(b"/module\r")
            terminal.sees("free")
            terminal.read(0.3)
            terminal.send(b"e")
            terminal.sees("you are editing")
            terminal.read(0.5)
            edit = []
            for letter in b"abcdefgh":
                terminal.send(bytes([letter]))
                edit.append(terminal.read(0.3))
        return statistics.median(edit), statistics.median(prompt)
