"""Texts that clash: the card in the app, and drafts that were kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowide.domain.commands import AcquireLock, AppendDraft, ForceLock, ReleaseLock
from flowide.project.folder import ProjectFolder
from flowide.space.queries import Drafts, FindArtifact, Gates, Locks, VariationSets, VariationText
from tests.tui.conftest import Driver, app_on, eventually, other_process

CHANGED = "# The plan\n\n## Why\n\nBecause.\n\n## How\n\nFast.\n"


async def clash(app: Driver) -> None:
    """Write in the editor, have another program write the file, and try to save."""
    await app.open("plan.md")
    await app.press("e")
    await app.sees("you are editing")
    await app.type("Mine ")
    (app.root / "docs" / "plan.md").write_text(CHANGED)
    await app.press("ctrl+s")
    await app.sees("MINE")
    await app.sees("What shall become")


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12)])
async def test_both_texts_are_shown_and_mine_becomes_a_variation(
    project: Path, size: tuple[int, int]
) -> None:
    async with app_on(project, size=size) as app, other_process(project) as mia:
        await clash(app)
        await app.sees("Mine # Plan")
        if size[0] >= 80:
            await app.sees("# The plan")
        await app.press("v")
        await app.sees("is variation 1")
        await app.until(lambda: app.artifact.edit is None, "the editor to go")
        assert (project / "docs" / "plan.md").read_text() == CHANGED
        [group] = await mia.read(VariationSets())
        assert (await mia.read(VariationText(group.id, 1))).startswith("Mine # Plan")
        assert await mia.read(Gates()) == []
        artifact = await mia.read(FindArtifact("docs/plan.md"))
        assert (await mia.read(Locks(artifact.id)))[0].lock.state == "free"


async def test_a_merge_opens_in_the_editor_under_the_lock_and_is_saved(project: Path) -> None:
    async with app_on(project) as app, other_process(project) as mia:
        await app.open("plan.md")
        await app.press("e")
        await app.sees("you are editing")
        await app.press(*["down"] * 9)
        await app.type("At the end.")
        (project / "docs" / "plan.md").write_text(CHANGED.replace("Fast", "Slowly"))
        await app.press("ctrl+s")
        await app.sees("without a question")
        await app.press("m")
        await app.sees("Look it through")
        await app.sees("you are editing")
        await app.sees("# The plan")
        await app.press("ctrl+s")
        await app.sees("Saved as v")
        saved = (project / "docs" / "plan.md").read_text()
        assert saved.startswith("# The plan")
        assert "At the end." in saved
        assert await mia.read(Gates()) == []


async def test_letting_mine_go_is_asked_for_twice_and_leaving_keeps_all(project: Path) -> None:
    async with app_on(project) as app, other_process(project) as mia:
        await clash(app)
        await app.press("escape")
        await app.sees("you are editing")
        await app.press("ctrl+g", "enter")
        await app.sees("What shall become")
        await app.press("x")
        await app.sees("Let your text go?")
        await app.press("escape")
        assert [gate.status for gate in await mia.read(Gates())] == ["open"]
        await app.press("x", "enter")
        await app.sees("Theirs stands")
        assert await mia.read(Gates()) == []
        assert await mia.read(Drafts()) == []


async def test_a_conflict_that_another_process_met_is_settled_here(project: Path) -> None:
    async with app_on(project) as app, other_process(project) as mia:
        await app.open("plan.md")
        artifact = await mia.read(FindArtifact("docs/plan.md"))
        fence = (await mia.execute(AcquireLock(artifact=artifact.id))).ok.fence or 0
        await mia.execute(AppendDraft(artifact=artifact.id, fence=fence, off=0, text="Mia's words.\n"))
        (project / "docs" / "plan.md").write_text(CHANGED)
        folder = ProjectFolder.open(project)
        with pytest.raises(Exception, match="changed on disk"):
            await folder.save(mia, artifact, fence=fence, base=artifact.version, data="Mia's words.\n")
        await mia.execute(ReleaseLock(artifact=artifact.id, fence=fence))
        await app.press("ctrl+g")
        await app.sees("CONFLICTS")
        await app.press("enter")
        await app.sees("Mia's words.")
        await app.press("v")
        await app.sees("is variation 1")


async def test_a_kept_draft_is_offered_with_what_is_in_it(project: Path) -> None:
    async with app_on(project) as app, other_process(project) as mia:
        await app.open("plan.md")
        artifact = await mia.read(FindArtifact("docs/plan.md"))
        fence = (await mia.execute(AcquireLock(artifact=artifact.id))).ok.fence or 0
        await mia.execute(AppendDraft(artifact=artifact.id, fence=fence, off=0, text="# Mia's plan\n"))
        await mia.execute(ReleaseLock(artifact=artifact.id, fence=fence))
        await app.sees("a text was not saved")
        await app.press("D")
        await app.sees("+# Mia's plan")
        await app.press("v")
        await app.sees("Kept as variation 1")
        assert await mia.read(Drafts()) == []


async def test_a_lock_fight_is_seen_from_both_sides_and_loses_no_word(project: Path) -> None:
    """Mia holds; ana waits in line, gets it, writes; mia ends the lock with a reason; ana's words are kept."""
    async with app_on(project) as app, other_process(project) as mia:
        await app.open("plan.md")
        artifact = await mia.read(FindArtifact("docs/plan.md"))
        fence = (await mia.execute(AcquireLock(artifact=artifact.id, purpose="a date"))).ok.fence or 0
        await app.sees("LOCKED mia · a date")
        await app.press("w")
        await app.sees("waiting in line for the lock")
        await mia.execute(ReleaseLock(artifact=artifact.id, fence=fence))
        await app.sees("you are editing")
        await app.type("Precious ")
        await app.until(lambda: app.artifact.edit.editor.touched, "the words")
        await app.artifact.edit.store_now()
        await mia.execute(ForceLock(artifact=artifact.id, reason="the release is due"))
        await app.sees("Your lock is gone")
        await app.sees("mia ended your lock: the release is due")
        await app.press("d")
        await app.until(lambda: app.artifact.edit is None, "the editor to go")
        [draft] = await mia.read(Drafts())
        assert (await mia.blob(draft.sha256)).startswith(b"Precious # Plan")


async def test_files_that_come_and_go_are_listed_without_a_key(project: Path) -> None:
    async with app_on(project) as app:
        await app.sees("plan.md")
        await app.pilot.pause(1.5)  # the watch begins after the first picture
        await eventually(lambda: True)
        (project / "docs" / "brandnew.md").write_text("Here.\n")
        await app.sees("brandnew.md")
        (project / "docs" / "brandnew.md").unlink()
        await app.sees_no_more("brandnew.md")
