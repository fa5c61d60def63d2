"""The app on a real project, driven by keys, without a terminal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from flowide import settings
from flowide.domain.actors import Actor
from flowide.flows.engine import Surroundings
from flowide.space.api import Space
from flowide.space.open import open_space
from flowide.tui.application import FlowApp
from flowide.tui.engine.opening import open_project
from flowide.tui.guide import Guide
from flowide.tui.remembered import Remembered
from tests.project_with_agents import make_project

PATIENCE_S = 10.0
"""Seconds until something that should come is missed; machines that run tests can be slow."""


class Driver:
    """Presses keys and reads the screen."""

    def __init__(self, app: FlowApp, pilot: Pilot[Any], root: Path) -> None:
        self.app = app
        self.pilot = pilot
        self.root = root

    def screen(self) -> str:
        """What a person sees."""
        lines = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in line).rstrip() for line in lines)

    def row_with(self, text: str) -> str:
        """The first row of the screen that holds a text."""
        return next(line for line in self.screen().split("\n") if text in line)

    async def press(self, *keys: str) -> None:
        """Keys, one after the other."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        """Characters, as keys."""
        names = {" ": "space", "\n": "enter", "/": "slash", "_": "underscore", ".": "full_stop"}
        await self.pilot.press(*(names.get(each, each) for each in text))
        await self.pilot.pause()

    async def sees(self, text: str) -> None:
        """Wait until the screen shows a text."""
        await self.until(lambda: text in self.screen(), f"{text!r} on the screen")

    async def sees_no_more(self, text: str) -> None:
        """Wait until the screen shows a text no more."""
        await self.until(lambda: text not in self.screen(), f"no {text!r} on the screen")

    async def until(self, true: Callable[[], bool], what: str) -> None:
        """Wait for a condition."""
        end = time.monotonic() + PATIENCE_S
        while not true():
            if time.monotonic() > end:
                shown = "\n".join(line for line in self.screen().split("\n") if line.strip(" │▌"))
                raise AssertionError(f"waited in vain for {what}:\n{shown}")
            await self.pilot.pause(0.02)

    async def open(self, name: str) -> None:
        """Open a file by a part of its name."""
        await self.press("slash")
        await self.type(name)
        await self.sees("FOUND")
        await self.press("enter")
        await self.until(
            lambda: bool(self.artifact.opened) and name in self.artifact.opened.path, f"{name} to be open"
        )

    @property
    def artifact(self) -> Any:
        """The pane in the middle."""
        return self.workspace.artifact

    @property
    def workspace(self) -> Any:
        """The first screen."""
        return self.app.screen_stack[0]


@asynccontextmanager
async def app_on(
    root: Path,
    *,
    size: tuple[int, int] = (120, 40),
    me: str = "ana",
    guide: Guide | None = None,
    theme: str = "flowide-dark",
    pace: int = 0,
    known: Remembered | None = None,
    keys: dict[str, str] | None = None,
    space: str | None = None,
    loaded: settings.Loaded | None = None,
) -> AsyncIterator[Driver]:
    """The app on a project folder; ends it as quitting does. Scripts write `pace` characters a second, 0 = at once.

    `space` is the address of a hub's space; `loaded` are settings that runs see.
    """
    around = Surroundings(env={"FLOWIDE_SCRIPTED_PACE": str(pace)}, settings=loaded)
    app = FlowApp(
        lambda: open_project(root, Actor(me), lambda: around, space=space),
        project=root.name,
        me=me,
        guide=guide,
        theme=theme,
        known=known,
        keys=keys,
    )
    app.root, app.user_folder = root, settings.user_folder()
    async with app.run_test(size=size, notifications=True) as pilot:
        driver = Driver(app, pilot, root)
        await driver.until(lambda: app.snapshot.client != "", "the first picture")
        await driver.until(lambda: driver.workspace.files.scanned, "the files")
        yield driver
        await app.leave(0)


@asynccontextmanager
async def other_process(root: Path, handle: str = "mia") -> AsyncIterator[Space]:
    """Somebody else with the same workspace open."""
    space = await open_space(root / ".flowide" / "workspace.db", actor=Actor(handle))
    try:
        yield space
    finally:
        await space.close()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A shop, two writers, a critic, and a document."""
    root = make_project(tmp_path / "shop")
    (root / "docs").mkdir()
    (root / "docs" / "plan.md").write_text("# Plan\n\n## Why\n\nBecause.\n\n## How\n\nSlowly.\n")
    return root


async def eventually(true: Callable[[], bool]) -> None:
    """Wait for something outside of the app."""
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)
