"""The page of statistics in the app."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowide.domain.commands import AcquireLock, ReleaseLock
from flowide.space.queries import FindArtifact
from tests.tui.conftest import app_on, other_process


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12)])
async def test_the_plots_follow_the_log(project: Path, size: tuple[int, int]) -> None:
    async with app_on(project, size=size) as app, other_process(project) as mia:
        await app.open("plan.md")
        await app.sees("Because.")
        await app.press("2", "S")
        await app.sees("ACTIVITY")
        await app.press("end")
        await app.sees("There are no variations yet.")
        artifact = await mia.read(FindArtifact("docs/plan.md"))
        fence = (await mia.execute(AcquireLock(artifact=artifact.id, purpose="x"))).ok.fence or 0
        await mia.execute(ReleaseLock(artifact=artifact.id, fence=fence))
        await app.press("home")
        await app.sees("mia")


async def test_the_time_can_be_changed(project: Path) -> None:
    async with app_on(project) as app:
        await app.press("S")
        await app.sees("all time")
        for name in ("30 days", "7 days", "24 hours", "all time"):
            await app.press("s")
            await app.sees(f"▸ {name}")
