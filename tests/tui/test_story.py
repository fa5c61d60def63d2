"""The main story with the keyboard: edit under the lock; vary, compare, mix, accept."""

from __future__ import annotations

from pathlib import Path

from flowide.domain.commands import AcquireLock, AppendDraft, ReleaseLock
from flowide.space.queries import Drafts, FindArtifact, History, Locks, OneVariationSet
from tests.tui.conftest import Driver, app_on, other_process


async def started_variations(app: Driver) -> None:
    await app.open("shop.py")
    await app.press("v")
    await app.sees("What is wanted?")
    await app.type("Sum differently")
    await app.press("ctrl+s")
    await app.sees("the run waits")


async def test_a_file_is_opened_edited_under_its_lock_saved_and_free_again(project: Path) -> None:
    async with app_on(project) as app:
        await app.open("shop.py")
        await app.press("e")
        await app.sees("you are editing")
        await app.type("# new")
        await app.press("enter", "ctrl+s")
        await app.sees("Saved as v2")
        await app.sees("free")
    assert (project / "src" / "shop.py").read_text().startswith('# new\n"""A shop."""\n')
    async with other_process(project) as space:
        artifact = await space.read(FindArtifact("src/shop.py"))
        [state] = await space.read(Locks(artifact.id))
        assert (artifact.version, state.lock.state) == (2, "free")


async def test_a_held_lock_names_its_holder_and_what_to_do_and_keeps_the_editor_shut(project: Path) -> None:
    async with app_on(project) as app, other_process(project) as mia:
        await app.open("shop.py")
        artifact = await mia.read(FindArtifact("src/shop.py"))
        await mia.execute(AcquireLock(artifact=artifact.id, purpose="renaming"))
        await app.sees("LOCKED mia · renaming")
        await app.press("e")
        await app.sees("mia holds it")
        assert "press w" in app.screen()
        assert app.artifact.edit is None


async def test_somebody_elses_draft_is_seen_as_it_is_typed(project: Path) -> None:
    async with app_on(project) as app, other_process(project) as mia:
        await app.open("plan.md")
        artifact = await mia.read(FindArtifact("docs/plan.md"))
        fence = (await mia.execute(AcquireLock(artifact=artifact.id))).ok.fence or 0
        text = "# Plan\n\n## Why\n\nBecause mia says so.\n"
        await mia.execute(AppendDraft(artifact=artifact.id, fence=fence, off=0, text=text))
        await app.sees("Because mia says so.")


async def test_who_waits_in_line_gets_the_editor_when_the_lock_is_released(project: Path) -> None:
    async with app_on(project) as app, other_process(project) as mia:
        await app.open("plan.md")
        artifact = await mia.read(FindArtifact("docs/plan.md"))
        fence = (await mia.execute(AcquireLock(artifact=artifact.id))).ok.fence or 0
        await app.sees("LOCKED mia")
        await app.press("w")
        await app.sees("waiting in line")
        await mia.execute(ReleaseLock(artifact=artifact.id, fence=fence))
        await app.sees("you are editing")


async def test_waiting_in_line_can_be_given_up(project: Path) -> None:
    async with app_on(project) as app, other_process(project) as mia:
        await app.open("plan.md")
        artifact = await mia.read(FindArtifact("docs/plan.md"))
        await mia.execute(AcquireLock(artifact=artifact.id))
        await app.sees("LOCKED mia")
        await app.press("w")
        await app.sees("waiting in line")
        await app.press("escape")
        await app.sees("LOCKED mia")
        [state] = await mia.read(Locks(artifact.id))
        assert state.queue == []


async def test_a_forced_lock_ends_with_its_reason_and_the_text_is_kept(project: Path) -> None:
    async with app_on(project) as app, other_process(project) as mia:
        await app.open("plan.md")
        artifact = await mia.read(FindArtifact("docs/plan.md"))
        fence = (await mia.execute(AcquireLock(artifact=artifact.id))).ok.fence or 0
        await mia.execute(AppendDraft(artifact=artifact.id, fence=fence, off=0, text="mia's words"))
        await app.sees("LOCKED mia")
        await app.press("ctrl+l")
        await app.sees("wait in line")
        await app.press("f")
        await app.sees("End the lock of mia?")
        await app.type("she left")
        await app.press("enter")
        await app.sees("free")
        [draft] = await mia.read(Drafts())
        assert draft.actor == "mia"


async def test_who_loses_the_lock_while_typing_keeps_the_text_as_a_variation(project: Path) -> None:
    from flowide.domain.commands import ForceLock

    async with app_on(project) as app, other_process(project) as mia:
        await app.open("plan.md")
        await app.press("e")
        await app.sees("you are editing")
        await app.type("mine ")
        artifact = await mia.read(FindArtifact("docs/plan.md"))
        await mia.execute(ForceLock(artifact=artifact.id, reason="urgent"))
        await app.sees("Your lock is gone")
        await app.press("v")
        await app.sees("Kept as variation 1")
        seen = await mia.read(OneVariationSet("last"))
        assert seen.set.path == "docs/plan.md"
        assert seen.variations[0].variation.origin == "manual"
        assert (project / "docs" / "plan.md").read_text().startswith("# Plan")


async def test_stopping_an_edit_keeps_the_text_as_a_draft_that_can_be_gone_on_with(project: Path) -> None:
    async with app_on(project) as app:
        await app.open("plan.md")
        await app.press("e")
        await app.sees("you are editing")
        await app.type("half a thought ")
        await app.press("escape")
        await app.sees("KEPT DRAFTS")
        await app.press("3")
        await app.press("enter")
        await app.sees("go on with it")
        await app.press("enter")
        await app.sees("half a thought # Plan")
        await app.press("ctrl+s")
        await app.sees("Saved as v2")
    assert (project / "docs" / "plan.md").read_text().startswith("half a thought # Plan\n")


async def test_leaving_the_app_in_the_middle_of_a_word_loses_nothing(project: Path) -> None:
    async with app_on(project) as app:
        await app.open("plan.md")
        await app.press("e")
        await app.sees("you are editing")
        await app.type("last words ")
        kept = await app.workspace.keep_text()
        await app.app.leave(0)
        assert kept == ["Your unsaved text of docs/plan.md is kept as a draft."]
    async with other_process(project) as space:
        [draft] = await space.read(Drafts())
        from flowide.space.queries import DraftContent

        assert (await space.read(DraftContent(draft.id))).startswith(b"last words # Plan")


async def test_variations_stream_into_the_grid_and_a_mix_of_them_is_accepted(project: Path) -> None:
    async with app_on(project) as app:
        await started_variations(app)
        await app.sees("1  anders")
        await app.press("right")
        await app.press("n", "n", "n")
        await app.press("space")
        await app.sees("parses ✓")
        await app.press("enter")
        await app.sees("▌4  ana  blend")
        await app.press("a")
        await app.sees("Accept variation 4")
        await app.press("enter")
        await app.sees("✓ is v2")
    async with other_process(project) as space:
        artifact = await space.read(FindArtifact("src/shop.py"))
        newest = (await space.read(History(artifact.id)))[-1]
        assert newest.version == 2
        assert newest.parents[0]["variation"] == 4


async def test_short_list_notes_tags_and_drops_are_in_the_space(project: Path) -> None:
    async with app_on(project) as app, other_process(project) as space:
        await started_variations(app)
        await app.press("s")
        await app.sees("★ short list")
        await app.press("c")
        await app.sees("A note on 1")
        await app.type("clear")
        await app.press("enter")
        await app.sees("ana: clear")
        await app.press("t")
        await app.sees("Tag 1")
        await app.type("fast small")
        await app.press("enter")
        await app.sees("#fast")
        await app.press("right", "x")
        await app.sees("✗ dropped")
        seen = await space.read(OneVariationSet("last"))
        first, second = seen.variations[0].variation, seen.variations[1].variation
        assert (first.shortlisted, sorted(first.tags), second.rejected) == (True, ["fast", "small"], True)


async def test_more_asks_the_run_for_another_round(project: Path) -> None:
    async with app_on(project) as app, other_process(project) as space:
        await started_variations(app)
        await app.press("s")
        await app.sees("★ short list")
        await app.press("g")
        await app.sees("How many more?")
        await app.press("backspace")
        await app.type("2 shorter")
        await app.press("enter")
        await app.sees("round 2")
        await app.sees("5 variations")
        seen = await space.read(OneVariationSet("last"))
        assert [each.variation.round for each in seen.variations] == [1, 1, 1, 2, 2]


async def test_who_accepts_before_all_checks_have_run_is_told_so(project: Path) -> None:
    from flowide.flows.api import RunRequest
    from flowide.tui.engine import running

    inputs = {"path": "src/shop.py", "n": 2, "checks": "slow: sleep 60"}
    request = RunRequest(flow="variations", brief="x", inputs=inputs, trust=True)
    async with app_on(project) as app:
        await app.app.engine.call(lambda session: running.start(session, request))
        await app.until(lambda: bool(app.app.snapshot.sets), "the variations")
        app.workspace.routes.open_set(app.app.snapshot.sets[0].id)
        await app.sees("2  bea")
        await app.press("a")
        await app.sees("a check may yet fail")
        await app.press("escape")


async def test_pieces_are_picked_in_the_table_too(project: Path) -> None:
    async with app_on(project) as app:
        await started_variations(app)
        await app.press("p")
        await app.sees("PIECE")
        await app.press("2", "end", "space")
        await app.sees("MIX base")
        assert "_sum from 2" in app.screen()
        await app.press("escape")
        await app.sees("parses ✓")


async def test_a_question_of_a_run_in_another_process_is_answered_here(project: Path) -> None:
    from flowide.flows.api import RunRequest
    from flowide.flows.engine import start
    from flowide.project.folder import ProjectFolder
    from flowide.space.queries import OneRun

    async with other_process(project, "bob") as bob:
        request = RunRequest(flow="variations", brief="x", inputs={"path": "src/shop.py", "n": 2})
        result = await start(bob, ProjectFolder.open(project), request)
        assert result.status == "waiting"
        async with app_on(project) as app:
            await app.sees("WAITS FOR YOU")
            await app.press("a")
            await app.sees("the run waits")
            await app.press("a")
            await app.sees("Accept variation 1")
            await app.press("enter")
            await app.sees("✓ is v2")
        view = await bob.read(OneRun(result.run))
        assert view.run.status == "completed"


async def test_a_question_that_is_answered_elsewhere_goes_away_here(project: Path) -> None:
    from flowide.domain.commands import AnswerGate
    from flowide.space.queries import Gates

    async with app_on(project) as app, other_process(project) as mia:
        await started_variations(app)
        [gate] = await mia.read(Gates())
        await mia.execute(AnswerGate(gate=gate.id, answer="2"))
        await app.sees_no_more("the run waits")
        await app.sees("✓ is v2")


async def test_a_run_shows_its_steps_and_what_they_gave(project: Path) -> None:
    async with app_on(project) as app:
        await started_variations(app)
        await app.press("escape")
        await app.press("3", "end", "enter")
        await app.sees("STEPS")
        await app.sees("vary#1  anders")
        await app.sees("critique")
        await app.press("v")
        await app.sees("1  anders")


async def test_the_log_tells_who_did_what_as_it_happens(project: Path) -> None:
    async with app_on(project) as app, other_process(project) as mia:
        await app.open("plan.md")
        await app.press("L")
        await app.sees("created docs/plan.md")
        artifact = await mia.read(FindArtifact("docs/plan.md"))
        await mia.execute(AcquireLock(artifact=artifact.id, purpose="looking"))
        await app.sees("took the lock of docs/plan.md with fence 2")


async def test_a_search_leads_to_the_line(project: Path) -> None:
    async with app_on(project) as app:
        await app.press("ctrl+f")
        await app.type("slowly")
        await app.sees("1 place")
        await app.press("enter")
        await app.until(lambda: app.artifact.opened is not None, "the file")
        assert app.artifact.opened.path == "docs/plan.md"
        await app.sees("Slowly.")


async def test_columns_are_put_in_order_and_say_where_they_are_from(project: Path) -> None:
    async with app_on(project) as app:
        await started_variations(app)
        await app.press("x")
        await app.sees("✗ dropped")
        await app.press("z")
        await app.sees("Order of the columns")
        await app.type("fewest lines")
        await app.press("enter")
        await app.sees("by fewest lines")
        await app.until(
            lambda: app.row_with("anders").rstrip().endswith("dropped"), "the dropped one at the end"
        )
        await app.press("w")
        await app.sees("Where 1 is from")
        await app.sees("written by anders")
