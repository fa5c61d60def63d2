"""Versions: compared, restored under the lock, and where their lines come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowide.domain.commands import AcquireLock
from flowide.space.api import Space
from flowide.space.queries import Content, FindArtifact, History, Locks
from flowide.tui.screens.history import HistoryScreen
from tests.tui.conftest import Driver, app_on, other_process

PLAN = "# Plan\n\n## Why\n\nBecause.\n\n## How\n\nSlowly.\n"


async def two_versions(app: Driver, space: Space) -> None:
    await app.open("plan.md")
    await app.sees("Because.")
    text = PLAN.replace("Because.", "Because we must.")
    (app.root / "docs" / "plan.md").write_text(text)
    await app.until(lambda: "v2" in app.row_with("9 lines"), "the version from the disk")
    assert await space.read(Content((await space.read(FindArtifact("docs/plan.md"))).id)) == text.encode()


async def test_what_a_version_changed_is_shown_with_the_words_that_differ(project: Path) -> None:
    async with app_on(project) as app, other_process(project) as mia:
        await two_versions(app, mia)
        await app.press("H")
        await app.sees("v1 → v2")
        assert "+1 −1" in app.row_with("v1 → v2")
        changed = app.row_with("Because we must.")
        assert changed.count("Because") == 2, "beside each other"
        await app.press("enter", "d")
        await app.until(lambda: app.row_with("Because").count("Because") == 1, "one below the other")
        await app.press("a")
        await app.sees("Slowly.")


async def test_another_version_can_be_compared_with(project: Path) -> None:
    async with app_on(project) as app, other_process(project) as mia:
        await two_versions(app, mia)
        (app.root / "docs" / "plan.md").write_text(PLAN.replace("Slowly.", "Fast."))
        await app.until(lambda: "v3" in app.row_with("9 lines"), "version 3")
        await app.press("H")
        await app.sees("v2 → v3")
        await app.press("end", "m")
        await app.sees("compared with v1")
        await app.press("home")
        await app.sees("v1 → v3")
        assert "+1 −1" in app.row_with("v1 → v3")
        await app.press("end", "m")
        await app.press("home")
        await app.sees("v2 → v3")


async def test_restoring_makes_a_new_version_under_the_lock_and_frees_it(project: Path) -> None:
    async with app_on(project) as app, other_process(project) as mia:
        await two_versions(app, mia)
        await app.press("H")
        await app.sees("v1 → v2")
        await app.press("end", "r")
        await app.sees("Restore v1?")
        await app.press("enter")
        await app.sees("v3 has the text of v1")
        artifact = await mia.read(FindArtifact("docs/plan.md"))
        versions = await mia.read(History(artifact.id))
        assert (len(versions), versions[-1].actor, versions[-1].note) == (3, "ana", "restore version 1")
        assert [state.lock.state for state in await mia.read(Locks(artifact.id))] in ([], ["free"])
    assert (project / "docs" / "plan.md").read_text() == PLAN


async def test_restoring_what_somebody_else_has_locked_is_refused_and_changes_nothing(project: Path) -> None:
    async with app_on(project) as app, other_process(project) as mia:
        await two_versions(app, mia)
        artifact = await mia.read(FindArtifact("docs/plan.md"))
        await mia.execute(AcquireLock(artifact=artifact.id, purpose="drafting"))
        await app.press("H")
        await app.sees("v1 → v2")
        await app.press("end", "r")
        await app.sees("Restore v1?")
        await app.press("enter")
        await app.sees("mia")
        versions = await mia.read(History(artifact.id))
        assert len(versions) == 2


async def test_the_newest_version_need_not_be_restored(project: Path) -> None:
    async with app_on(project) as app:
        await app.open("plan.md")
        await app.sees("Because.")
        await app.press("H")
        await app.sees("nothing → v1")
        await app.press("r")
        await app.sees("newest version already")


async def test_a_version_somebody_saves_meanwhile_shows_up(project: Path) -> None:
    async with app_on(project) as app:
        await app.open("plan.md")
        await app.sees("Because.")
        await app.press("H")
        await app.sees("1 version")
        (project / "docs" / "plan.md").write_text(PLAN + "\nMore.\n")
        await app.sees("2 versions")
        await app.sees("v1 → v2")


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12)])
async def test_every_line_says_where_it_is_from(project: Path, size: tuple[int, int]) -> None:
    async with app_on(project, size=size) as app, other_process(project):
        await app.open("plan.md")
        await app.sees("Because.")
        text = PLAN.replace("Slowly.", "Fast.")
        (project / "docs" / "plan.md").write_text(text)
        await app.sees("v2")
        await app.press("2", "H")
        await app.until(lambda: isinstance(app.app.screen, HistoryScreen), "the history")
        screen = app.app.screen
        assert isinstance(screen, HistoryScreen)
        await app.until(lambda: screen.past is not None and len(screen.past.versions) == 2, "both versions")
        await app.press("b", "enter")
        await app.until(lambda: bool(screen.origin.lines), "the text")
        await app.press("end")
        await app.sees("Fast.")
        await app.until(lambda: screen.origin.came_with is not None, "an origin")
        assert screen.origin.came_with is not None
        assert (screen.origin.came_with.version, screen.origin.came_with.actor) == (2, "disk")
        await app.press("home")
        await app.until(
            lambda: screen.origin.came_with is not None and screen.origin.came_with.version == 1, "line 1"
        )


async def test_a_piece_of_a_blend_leads_to_the_variation_it_was_written_in(project: Path) -> None:
    async with app_on(project) as app:
        await app.open("shop.py")
        await app.press("v")
        await app.sees("What is wanted?")
        await app.type("Sum differently")
        await app.press("ctrl+s")
        await app.sees("the run waits")
        await app.press("right", "n", "n", "n", "space")
        await app.sees("parses ✓")
        await app.press("enter")
        await app.sees("▌4  ana  blend")
        await app.press("a")
        await app.sees("Accept variation 4")
        await app.press("enter")
        await app.sees("✓ is v2")
        await app.press("escape", "H")
        await app.sees("v1 → v2")
        await app.press("b", "enter")
        screen = app.app.screen
        assert isinstance(screen, HistoryScreen)
        await app.until(lambda: bool(screen.origin.lines), "the text")
        while screen.origin.came_with is None or screen.origin.came_with.variation != 2:
            before = screen.origin.cursor
            await app.press("n")
            assert screen.origin.cursor != before, "no piece is from variation 2"
        await app.press("enter")
        await app.sees("variations ▸")
        await app.until(lambda: "▌2" in app.screen(), "variation 2 has the keys")
