"""The audit trail: sifted by actor, type, file and words; leading to what events are about."""

from __future__ import annotations

from pathlib import Path

from flowide.domain.commands import AcquireLock, ReleaseLock
from flowide.space.queries import FindArtifact
from flowide.tui.screens.history import HistoryScreen
from tests.tui.conftest import Driver, app_on, other_process


async def opened_and_locked(app: Driver) -> None:
    await app.open("plan.md")
    await app.sees("Because.")
    await app.press("L")
    await app.sees("created docs/plan.md")


async def choose(app: Driver, key: str, title: str, typed: str) -> None:
    await app.press(key)
    await app.sees(title)
    await app.type(typed)
    await app.press("enter")


async def test_events_are_sifted_by_actor_type_file_and_words(project: Path) -> None:
    async with app_on(project) as app, other_process(project) as mia:
        await opened_and_locked(app)
        artifact = await mia.read(FindArtifact("docs/plan.md"))
        fence = (await mia.execute(AcquireLock(artifact=artifact.id, purpose="looking"))).ok.fence or 0
        await app.sees("looking")
        await choose(app, "w", "Events by", "mia")
        await app.sees("by mia")
        await app.sees_no_more("created docs/plan.md")
        await mia.execute(ReleaseLock(artifact=artifact.id, fence=fence))
        await app.sees("released the lock of docs/plan.md")
        await app.press("slash")
        await app.sees("Events with these words")
        await app.type("released")
        await app.press("enter")
        await app.sees("by mia  with released")
        await app.sees_no_more("looking")
        await app.press("x")
        await app.sees("created docs/plan.md")
        await choose(app, "t", "Events about", "artifact")
        await app.sees("about artifact")
        await app.sees_no_more("released")
        await app.press("x")
        await choose(app, "f", "Events about the file", "plan")
        await app.sees("file docs/plan.md")


async def test_nothing_that_fits_is_told_with_the_way_back(project: Path) -> None:
    async with app_on(project) as app:
        await opened_and_locked(app)
        await choose(app, "t", "Events about", "review")
        await app.sees("Nothing like that has happened. x shows all.")


async def test_an_event_leads_to_the_version_it_made(project: Path) -> None:
    async with app_on(project) as app:
        await opened_and_locked(app)
        await choose(app, "t", "Events about", "artifact")
        await app.sees("about artifact")
        await app.press("o")
        await app.until(lambda: isinstance(app.app.screen, HistoryScreen), "the history")
        await app.sees("nothing → v1")


async def test_the_event_at_the_cursor_is_shown_in_full(project: Path) -> None:
    async with app_on(project) as app:
        await opened_and_locked(app)
        await choose(app, "t", "Events about", "artifact")
        await app.sees('"type": "artifact.created"')
        assert '"path": "docs/plan.md"' in app.screen()
