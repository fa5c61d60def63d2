"""What other programs do to the files is seen in the app without a key."""

from __future__ import annotations

from pathlib import Path

from flowide.domain.commands import AcquireLock
from flowide.space.queries import FindArtifact
from tests.tui.conftest import app_on, other_process


async def test_a_file_that_another_program_changes_is_shown_as_it_is(project: Path) -> None:
    async with app_on(project) as app:
        await app.open("plan.md")
        (project / "docs/plan.md").write_text("# Another plan\n")

        await app.sees("Another plan")


async def test_a_change_under_a_lock_is_told_and_asked_about(project: Path) -> None:
    async with app_on(project) as app, other_process(project) as mia:
        await app.open("plan.md")
        artifact = await mia.read(FindArtifact("docs/plan.md"))
        await mia.execute(AcquireLock(artifact=artifact.id))
        (project / "docs/plan.md").write_text("# Another plan\n")

        await app.sees("was changed on disk")
        await app.until(lambda: any(gate.kind == "conflict" for gate in app.app.snapshot.gates), "a conflict")
