"""What reviews, runs, conflicts, decisions and the queue look like, as text; renewed like `test_pictures`."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from flowide.domain.commands import AcquireLock, OpenGate, OpenThread, PostMessage, ProposeDecision
from flowide.space.api import Space
from flowide.space.queries import FindArtifact
from tests.tui.conftest import Driver, app_on, other_process
from tests.tui.test_pictures import NARROW, WIDE, looks
from tests.tui.test_reviewing import begin, stages

__all__ = ["stages"]

TINY = (40, 12)
CHANGED = "# The plan\n\n## Why\n\nBecause.\n\n## How\n\nFast.\n"
Story = Callable[[Driver], Awaitable[None]]


def timeless(screen: str) -> str:
    """Without what calls took, and the line that fills what is left."""
    screen = re.sub(r" (?:\d+ ms|\d+\.\d s|\d+:\d\d) ─+", " 1 ms ──", screen)
    return re.sub(r" +(?:\d+ ms|\d+\.\d s)\b", " 1 ms", screen)


async def review(app: Driver) -> None:
    await begin(app)
    await app.press("y")
    await app.sees("1 of 2 decided")


async def reasons(app: Driver) -> None:
    await begin(app)
    await app.press("r")
    await app.sees("in your words")


async def run(app: Driver) -> None:
    await begin(app)
    await app.press("o")
    await app.sees("STEPS")
    await app.sees("write  polly")


async def conflict(app: Driver) -> None:
    await app.open("plan.md")
    await app.press("e")
    await app.sees("you are editing")
    await app.type("Mine ")
    (app.root / "docs" / "plan.md").write_text(CHANGED)
    await app.press("ctrl+s")
    await app.sees("What shall become")
    await app.sees("Mine # Plan")


async def queue(app: Driver) -> None:
    await app.open("plan.md")
    await app.press("e")
    await app.sees("you are editing")
    async with other_process(app.root) as mia:
        artifact = await mia.read(FindArtifact("docs/plan.md"))
        await mia.execute(
            OpenGate(kind="permission", question="May dora fetch the prices?", options=["once", "no"])
        )
        await mia.execute(AcquireLock(artifact=artifact.id, purpose="a date", wait=True))
        await propose(mia)
        await app.press("ctrl+g")
        await app.sees("mia waits for your lock")
        await app.sees("D1  Eight entries")


async def propose(mia: Space) -> None:
    opened = OpenThread(title="Eviction")
    said = PostMessage(thread=opened.thread, text="Eight?")
    await mia.batch([opened, said])
    await mia.execute(ProposeDecision(text="Eight entries", message=said.message))


async def decisions(app: Driver) -> None:
    async with other_process(app.root) as mia:
        await propose(mia)
        await app.press("ctrl+o", "d")
        await app.sees("Eight entries")
        await app.press("y")
        await app.sees("AGREED")


@pytest.mark.parametrize(
    ("story", "size"),
    [
        (review, WIDE), (review, NARROW), (review, TINY), (reasons, NARROW), (run, WIDE), (run, NARROW),
        (conflict, WIDE), (conflict, NARROW), (conflict, TINY), (queue, WIDE), (queue, NARROW), (decisions, NARROW),
    ],
    ids=lambda each: getattr(each, "__name__", f"{each[0]}" if isinstance(each, tuple) else None),
)  # fmt: skip
async def test_it_looks_as_it_did(stages: Path, story: Story, size: tuple[int, int]) -> None:
    async with app_on(stages, size=size) as app:
        await story(app)
        await looks(app, f"{story.__name__}_{size[0]}", lambda: timeless(app.screen()))
