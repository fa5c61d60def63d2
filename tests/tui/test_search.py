"""Search over everything, with a preview, leading to where the words are."""

from __future__ import annotations

from pathlib import Path

from flowide.domain.commands import AcquireLock, AddVariation, OpenThread, OpenVariationSet, PostMessage
from flowide.space.queries import FindArtifact
from flowide.tui.screens.grid import GridScreen
from flowide.tui.screens.history import HistoryScreen
from tests.tui.conftest import Driver, app_on, other_process


async def searched(app: Driver, words: str, places: str) -> None:
    await app.press("ctrl+f")
    await app.type(words)
    await app.sees(places)


async def test_what_is_around_a_line_is_shown_beside_it(project: Path) -> None:
    async with app_on(project) as app:
        await searched(app, "slowly", "1 place")
        await app.sees("## How")
        assert "Because." in app.screen()


async def test_a_message_is_found_and_leads_to_its_thread(project: Path) -> None:
    async with app_on(project) as app, other_process(project) as mia:
        thread = OpenThread(title="Names", about=None)
        await mia.execute(thread)
        await mia.execute(PostMessage(thread=thread.thread, text="It is a wombat.\n\nNothing else."))
        await searched(app, "wombat", "1 place")
        await app.sees("Nothing else.")
        await app.press("enter")
        await app.until(lambda: "Names" in app.screen() and "search" not in app.row_with("ana"), "the thread")


async def test_a_variation_is_found_and_leads_to_the_grid(project: Path) -> None:
    async with app_on(project) as app, other_process(project) as mia:
        opened = OpenVariationSet(title="Sums", path="src/new.py", artifact=None, base=0, brief="x")
        await mia.execute(opened)
        await mia.execute(AddVariation(set=opened.set, text="def wombat():\n    return 1\n", origin="manual"))
        await searched(app, "wombat", "1 place")
        await app.press("enter")
        await app.until(lambda: isinstance(app.app.screen, GridScreen), "the grid")
        await app.sees("def wombat():")


async def test_older_versions_are_searched_only_when_asked_for(project: Path) -> None:
    async with app_on(project) as app:
        await app.open("plan.md")
        await app.sees("Because.")
        (project / "docs" / "plan.md").write_text("# Plan\n\nAt once.\n")
        await app.sees("At once.")
        await searched(app, "slowly", "0 places")
        await app.sees("Nothing holds all of that.")
        await app.press("shift+tab")
        await app.sees("1 place")
        await app.press("enter")
        await app.until(lambda: isinstance(app.app.screen, HistoryScreen), "the history")
        await app.sees("nothing → v1")


async def test_results_can_be_limited_and_walked_through_with_the_arrows(project: Path) -> None:
    async with app_on(project, size=(80, 24)) as app:
        await searched(app, "plan", "1 place")
        await app.press("tab", "tab")
        await app.sees("0 places")
        await app.press("shift+tab")
        await app.sees("1 place")
        await app.press("down")
        assert app.app.screen.query_one("#found").has_focus
        await app.press("up")
        assert app.app.screen.query_one("#words").has_focus
        await app.press("escape")
        await app.sees("FILES")


async def test_a_search_while_somebody_has_the_lock_goes_on(project: Path) -> None:
    async with app_on(project) as app, other_process(project) as mia:
        await app.open("plan.md")
        artifact = await mia.read(FindArtifact("docs/plan.md"))
        await mia.execute(AcquireLock(artifact=artifact.id, purpose="drafting"))
        await searched(app, "slowly", "1 place")
        await app.press("enter")
        await app.sees("Slowly.")


async def test_leaving_while_it_is_searched_harms_nothing(project: Path) -> None:
    async with app_on(project) as app:
        for words in ("slowly", "sum", "plan"):
            await app.press("ctrl+f")
            await app.pilot.press(*words, "escape")
            await app.sees("FILES")
            await app.press("L", "escape", "S", "escape", "ctrl+o", "comma", "escape")
        await app.pilot.pause(0.5)
        await app.sees("FILES")
