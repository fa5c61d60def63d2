"""A person in a review: the app on a real project, with agents that write and judge."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from flowide.flows import engine
from flowide.flows.api import RunRequest
from flowide.project.folder import ProjectFolder
from flowide.space.queries import OneReview, Reviews
from tests.project_with_agents import write_agent
from tests.tui.conftest import Driver, app_on, other_process

DRAFT = "# Plan\n\n## Why\n\nBecause it is late.\n\n## How\n\nSlowly, and with care.\n"
POLISHED = "# The plan\n\n## Why\n\nBecause it is late.\n\n## How\n\nSlowly.\n"
FINE = json.dumps({"verdict": "approve", "reasons": []})


@pytest.fixture
def stages(project: Path) -> Path:
    """The shop, with a drafter, an editor and a polisher."""
    for name in ("anders", "bea", "carl"):
        for file in (project / ".flowide" / "agents").glob(f"{name}*"):
            file.unlink()
    fence = "```markdown\n{}```\n".format
    write_agent(
        project, "dora", [{"on": "draft", "text": fence(DRAFT)}, {"on": "revise", "text": fence(DRAFT)}]
    )
    write_agent(project, "eli", [{"on": "review", "text": FINE}], role="editor")
    write_agent(project, "polly", [{"on": "revise", "text": fence(POLISHED)}], role="polisher")
    return project


async def begin(app: Driver, *, hunks: bool = True) -> None:
    """Start a review of the plan from the keyboard, and wait for its first question."""
    await app.open("plan.md")
    await app.press("R")
    await app.sees("What is it for?")
    await app.type("for us")
    if not hunks:
        await app.press("tab", "down", "down", "space")
    await app.press("enter")
    await app.sees("of 2 decided" if hunks else "Approve docs/plan.md")


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12)])
async def test_changes_are_taken_and_refused_one_by_one(stages: Path, size: tuple[int, int]) -> None:
    async with app_on(stages, size=size) as app:
        await begin(app)
        await app.sees("change 1 of")
        await app.press("y", "r")
        await app.sees("in your words")
        await app.press("8")
        await app.type("it says less")
        await app.press("enter")
        await app.sees_no_more("in your words")
        await app.press("enter", "s")
        await app.sees("Approve docs")
    saved = (stages / "docs" / "plan.md").read_text()
    assert saved.startswith("# The plan\n")
    assert "Because.\n" in saved
    async with other_process(stages) as space:
        view = await space.read(OneReview("last"))
        assert {each["why"] for each in view.handovers[-1].refused} == {"it says less"}


async def test_a_text_is_sent_back_with_a_typed_reason_and_comes_again(stages: Path) -> None:
    async with app_on(stages) as app:
        await begin(app, hunks=False)
        await app.press("r")
        await app.sees("in your words")
        await app.press("3")
        await app.type("why slowly")
        await app.press("enter")
        await app.sees("1 refused")
        await app.press("enter")
        await app.sees("back to redraft")
        await app.press("1")
        await app.sees("round 2 of 5")
        await app.sees("clarity")
        await app.sees("Approve docs/plan")
    async with other_process(stages) as space:
        verdict = next(each for each in (await space.read(OneReview("last"))).verdicts if each.actor == "ana")
        assert verdict.back_to == "redraft"
        assert verdict.reasons[0]["kind"] == "clarity"
        assert verdict.reasons[0]["text"] == "why slowly"


async def test_a_review_that_another_process_drives_is_shown_and_judged_here(stages: Path) -> None:
    async with app_on(stages) as app, other_process(stages, "mia") as mia:
        request = RunRequest(
            flow="review", inputs={"path": "docs/plan.md", "draft": False}, on_gate="wait", brief="for us"
        )
        run = asyncio.create_task(engine.start(mia, ProjectFolder.open(stages), request))
        try:
            await app.sees("WAITS FOR YOU")
            await app.press("a")
            await app.sees("waits for you")
            await app.sees("polly")
            await app.press("enter")
            await app.sees("What do you think of")
            await app.press("y")
            done = await asyncio.wait_for(run, 10)
            assert done.status == "completed"
            await app.sees("approved")
        finally:
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)


async def test_what_a_person_writes_themselves_is_what_the_verdict_is_about(stages: Path) -> None:
    async with app_on(stages) as app:
        await begin(app, hunks=False)
        await app.press("e")
        await app.sees("you are editing")
        await app.type("Mine ")
        await app.press("ctrl+s")
        await app.sees("Saved as v")
        await app.press("3")
        await app.sees("REVIEWS")
        await app.press("a")
        await app.sees("Mine")
        await app.press("enter", "y")
        await app.sees("approved")
    async with other_process(stages) as space:
        [review] = await space.read(Reviews())
        view = await space.read(OneReview(review.id))
        assert view.handovers[-1].author == "ana"
        assert review.status == "approved"


async def test_what_was_said_so_far_is_kept_while_one_looks_elsewhere(stages: Path) -> None:
    async with app_on(stages) as app:
        await begin(app)
        await app.press("y")
        await app.sees("1 of")
        await app.press("escape", "a")
        await app.sees("1 of")
        await app.sees("✓ taken")


async def test_old_and_new_stand_beside_each_other_where_there_is_room(stages: Path) -> None:
    async with app_on(stages, size=(160, 40)) as app:
        await begin(app)
        await app.press("d")
        await app.sees("one below the other")
        old, line, new = app.row_with("Because it is late.").partition("│")
        assert line
        assert "Because." in old
        assert "Because it is late." in new
        await app.press("d")
        await app.sees_no_more("one below the other")
