"""Makes the pictures of the docs from the app itself, playing the demo: `python -m tests.tui.docs_pictures`.

Look at each before it is committed.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from pathlib import Path

from flowide.domain.commands import AcquireLock, AppendDraft
from flowide.headless.demo import BRIEF, CHECKS, TARGET, prepare
from flowide.space.queries import Content, FindArtifact
from flowide.tui.guide import Guide
from tests.tui import conftest
from tests.tui.conftest import Driver, app_on, other_process

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "images"
SIZE = (120, 36)


def save(app: Driver, name: str) -> None:
    """The screen as it is, without fonts from elsewhere."""
    svg = app.app.export_screenshot(title=" ")
    (FOLDER / f"{name}.svg").write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL))
    sys.stdout.write(f"{name}\n")


async def quiet(app: Driver) -> None:
    """Wait until no toast is shown."""
    await app.until(lambda: not app.app.screen.query("Toast"), "toasts to go")


async def mixing(app: Driver) -> None:
    """Variations compared, and a piece of one picked into another."""
    await app.sees("START HERE")
    await app.press("v")
    await app.sees("What is wanted?")
    await app.press("ctrl+s")
    await app.sees("the run waits")
    await app.until(lambda: "◐" not in app.row_with("variations ▸"), "all to be checked")
    await quiet(app)
    await app.press("4", "b", "2")
    state = app.app.screen.state  # type: ignore[attr-defined]
    state.go_to_piece("LRUCache._evict")
    await app.press("space")
    await app.sees("parses ✓")
    view = app.app.screen.view  # type: ignore[attr-defined]
    view.show_piece()
    view.scroll_lines(view.body_height // 2)
    await quiet(app)
    save(app, "grid")


async def looking_back(app: Driver) -> None:
    """The mix accepted, its history, where its lines are from, a search, the plots."""
    await app.press("enter")
    await app.until(lambda: "Build it" in app.screen() or "▌6" in app.screen(), "the blend")
    if "Build it" in app.screen():
        await app.press("enter")
    await app.sees("▌6")
    await app.press("a")
    await app.sees("Accept variation 6")
    await app.type("cheap eviction")
    await app.press("enter")
    await app.sees("✓ is v2")
    await quiet(app)
    await app.press("escape", "H")
    await app.sees("v1 → v2")
    await app.press("enter")
    await quiet(app)
    save(app, "history")
    await app.press("b")
    await app.sees("where its lines come from")
    for _ in range(80):
        await app.press("n")
        if "in _evict," in app.screen():
            break
    save(app, "origin")
    await app.press("escape", "ctrl+f")
    await app.type("evict expired")
    await app.sees("place")
    await app.press("down", "down")
    await app.pilot.pause(0.5)
    save(app, "search")
    await app.press("escape", "S")
    await app.sees("ACTIVITY")
    save(app, "stats")
    await app.press("escape")


async def together(app: Driver) -> None:
    """A file that somebody else is writing, and what waits."""
    async with other_process(app.root, "mia") as mia:
        await app.open("test-approach")
        await app.sees("free")
        artifact = await mia.read(FindArtifact("docs/test-approach.md"))
        fence = (
            await mia.execute(AcquireLock(artifact=artifact.id, purpose="what the soak test hides"))
        ).ok.fence
        text = (await mia.read(Content(artifact.id))).decode()
        lines = text.split("\n")
        draft = "\n".join(
            [*lines[:11], "A soak test runs for an hour and hides a crash: nothing dies between", *lines[11:]]
        )
        await mia.execute(AppendDraft(artifact=artifact.id, fence=fence or 0, off=0, text=draft))
        await app.sees("so far")
        await app.press("3")
        await quiet(app)
        save(app, "workspace")


async def talking(root: Path) -> None:
    """A question to two agents, a decision, and an edit that follows from it."""
    async with app_on(root, size=SIZE, pace=140, me="rod") as app:
        await app.open("test-approach")
        await app.press("t")
        await app.type("@edwin what do you think of #docs/test-approach.md?")
        await app.press("enter")
        await app.sees("#3 ")
        await app.pilot.pause(0.5)
        await app.type("@quinn what do you think of what @edwin just said about #docs/test-approach.md")
        await app.press("enter")
        await app.sees("D1 open")
        await app.type("@mara please apply that to #docs/te")
        await app.pilot.pause(0.3)
        await app.press("tab", "enter")
        await app.sees("mara  ")
        await app.pilot.pause(4)
        save(app, "thread")


async def main() -> None:
    conftest.PATIENCE_S = 90
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FLOWIDE_HOME"] = f"{folder}/home"
        root = prepare(Path(folder) / "demo").root
        async with app_on(root, size=SIZE, me="rod", guide=Guide(TARGET, BRIEF, CHECKS)) as app:
            await mixing(app)
            await looking_back(app)
        os.environ["FLOWIDE_HOME"] = f"{folder}/home"
        other = prepare(Path(folder) / "more" / "demo").root
        async with app_on(other, size=SIZE, me="rod", guide=Guide(TARGET, BRIEF, CHECKS)) as app:
            await mixing(app)
            await app.press("escape")
            await together(app)
        await talking(prepare(Path(folder) / "talk" / "demo").root)


if __name__ == "__main__":
    asyncio.run(main())
