"""What the main screens look like, as text. A picture that changed is looked at, then renewed:

RENEW_PICTURES=1 pytest tests/tui/test_pictures.py
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from flowide.domain.commands import AcquireLock, AppendDraft
from flowide.space.queries import FindArtifact
from flowide.tui.guide import Guide
from tests.tui.conftest import Driver, app_on, other_process

PICTURES = Path(__file__).parent / "pictures"
WIDE, NARROW = (120, 40), (80, 24)

Story = Callable[[Driver], Awaitable[None]]


SETTLED_S = 10.0
"""Seconds after which the screen has come to rest, also on a machine that is busy."""


def frozen(screen: str) -> str:
    """The screen without what time and machine decide; every text keeps its width."""
    screen = re.sub(r"\b\d\d:\d\d\b", "12:00", screen)
    screen = re.sub(r"\b\d:\d\d left", "0:30 left", screen)
    return re.sub(r"\b[0-9a-f]{8}\b", "01234567", screen) + "\n"


async def looks(app: Driver, name: str, draw: Callable[[], str] | None = None) -> None:
    """Compare what is drawn, once it stands still, with the stored picture; or renew that."""
    picture, draw = PICTURES / f"{name}.txt", draw or app.screen
    if os.environ.get("RENEW_PICTURES"):
        PICTURES.mkdir(exist_ok=True)
        app.app.clear_notifications()
        await app.pilot.pause(1)
        picture.write_text(frozen(draw()))
    end = time.monotonic() + SETTLED_S
    while frozen(draw()) != picture.read_text() and time.monotonic() < end:
        app.app.clear_notifications()  # whether one still stands depends on how fast the machine is
        await app.pilot.pause(0.05)
    assert frozen(draw()) == picture.read_text(), f"{name} looks different; see the top of this file"


async def nothing_open(app: Driver) -> None:
    await app.sees("Nothing is open yet.")
    await app.sees("shop.py")
    await app.sees("Nothing has run yet.")


async def a_file(app: Driver) -> None:
    await app.open("shop.py")
    await app.sees("free · press e")


async def editing(app: Driver) -> None:
    await app.open("plan.md")
    await app.press("e")
    await app.sees("you are editing")
    await app.type("New words. ")
    await app.sees("■ you")


async def wanted(app: Driver) -> None:
    await app.open("shop.py")
    await app.press("v")
    await app.sees("What is wanted?")
    await app.type("Sum differently")


async def help_page(app: Driver) -> None:
    await app.sees("shop.py")
    await app.press("question_mark")
    await app.sees("Take the lock and write.")


async def picked(app: Driver) -> None:
    await wanted(app)
    await app.press("ctrl+s")
    await app.sees("the run waits")
    await app.sees("carl: ")
    await app.press("s")
    await app.sees("★")
    await app.press("right", "home", "n", "n", "n", "n", "space")
    await app.sees("parses ✓")
    await app.until(lambda: "The agents are at work" not in app.screen(), "the toast to go")


async def piece_table(app: Driver) -> None:
    await picked(app)
    await app.press("p")
    await app.sees("PIECE")


async def talk(app: Driver) -> None:
    await app.open("plan.md")
    await app.press("t")
    await app.type("Why slowly? See #docs/plan.md")
    await app.press("enter")
    await app.sees("1 msg")
    await app.type("Ask #pl")
    await app.sees("tab #docs/plan.md")


PLAN = "# Plan\n\n## Why\n\nBecause we must.\n\n## How\n\nSlowly.\n\n## When\n\nSoon.\n"


async def history(app: Driver) -> None:
    await app.open("plan.md")
    (app.root / "docs" / "plan.md").write_text(PLAN)
    await app.sees("v2")
    await app.press("2", "H")
    await app.sees("2 versions")
    await app.press("enter")
    await app.sees("Soon.")


async def origins(app: Driver) -> None:
    await history(app)
    await app.press("b")
    await app.sees("v1 · found on disk")
    await app.press("end")
    await app.sees("disk  v2 · changed on disk")


async def found(app: Driver) -> None:
    await app.press("ctrl+f")
    await app.type("sum")
    await app.sees("place")
    await app.press("down", "down")


async def settings_page(app: Driver) -> None:
    await app.press("ctrl+o", "comma")
    await app.sees("parallel")
    await app.press("down")


async def commands_page(app: Driver) -> None:
    await app.press("ctrl+p")
    await app.sees("Commands")
    await app.type("hist")
    await app.sees("Versions of the open file")


async def work(app: Driver) -> None:
    await picked(app)
    await app.press("escape", "3")
    await app.sees("WAITS FOR YOU")


@pytest.mark.parametrize(
    ("story", "size"),
    [
        (nothing_open, WIDE), (a_file, WIDE), (a_file, NARROW), (editing, WIDE), (editing, NARROW),
        (wanted, NARROW), (help_page, NARROW), (picked, WIDE), (picked, NARROW), (piece_table, NARROW),
        (work, NARROW), (talk, WIDE), (talk, NARROW), (history, WIDE), (history, NARROW), (origins, WIDE),
        (found, WIDE), (found, NARROW), (settings_page, NARROW), (commands_page, NARROW),
    ],
    ids=lambda each: getattr(each, "__name__", f"{each[0]}" if isinstance(each, tuple) else None),
)  # fmt: skip
async def test_it_looks_as_it_did(project: Path, story: Story, size: tuple[int, int]) -> None:
    async with app_on(project, size=size) as app:
        await story(app)
        await looks(app, f"{story.__name__}_{size[0]}")


def styled(app: Driver) -> str:
    """The screen with its colours: each style of a row has a letter below its text."""
    names: dict[str, str] = {}
    lines = []
    for line in app.app.screen._compositor.render_strips():
        text = "".join(segment.text for segment in line)
        marks = ""
        for segment in line:
            style = segment.style
            bare = str(style.without_color) if style is not None else ""
            look = (
                f"{style.color and style.color.name} on {style.bgcolor and style.bgcolor.name} {bare}"
                if style
                else ""
            )
            marks += names.setdefault(
                look, chr(ord("a") + len(names)) if len(names) < 26 else chr(0x391 + len(names))
            ) * len(segment.text)
        lines += [text.rstrip(), marks]
    legend = [f"{letter}  {look}" for look, letter in names.items()]
    return "\n".join([*lines, "", *legend])


@pytest.mark.parametrize("story", [picked, talk, history], ids=lambda each: each.__name__)
async def test_its_colours_in_a_light_theme_are_as_they_were(project: Path, story: Story) -> None:
    async with app_on(project, size=WIDE, theme="paper") as app:
        await story(app)
        await app.pilot.pause(0.2)
        await looks(app, f"{story.__name__}_paper", lambda: styled(app))


async def test_locked_by_somebody_else_looks_as_it_did(project: Path) -> None:
    async with app_on(project, size=WIDE) as app, other_process(project) as mia:
        await app.open("plan.md")
        artifact = await mia.read(FindArtifact("docs/plan.md"))
        fence = (await mia.execute(AcquireLock(artifact=artifact.id, purpose="drafting"))).ok.fence or 0
        draft = "# Plan\n\n## Why\n\nBecause.\n\nAnd because.\n\n## How\n\nSlowly.\n"
        await mia.execute(AppendDraft(artifact=artifact.id, fence=fence, off=0, text=draft))
        await app.sees("And because.")
        await app.sees("+2 lines so far")
        await looks(app, "locked_120")


async def test_the_guide_of_the_demo_looks_as_it_did(project: Path) -> None:
    async with app_on(project, size=NARROW, guide=Guide("src/shop.py", "Sum", ["true"])) as app:
        await app.sees("START HERE")
        await app.sees("free · press e")
        await looks(app, "guide_80")
