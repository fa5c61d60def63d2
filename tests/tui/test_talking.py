"""People and agents talk: a thread in the app, on a real project."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from flowide.domain.commands import OpenThread, PostMessage, ProposeDecision
from flowide.flows import engine
from flowide.flows.api import RunRequest
from flowide.flows.engine import Surroundings
from flowide.project.folder import ProjectFolder
from flowide.space.queries import (
    Decisions,
    FindThread,
    ThreadMessages,
    Threads,
    Turns,
    VariationSets,
    VariationText,
)
from flowide.tui.widgets.prompt import Prompt
from tests.project_with_agents import write_agent
from tests.tui.conftest import Driver, app_on, eventually, other_process

CODE = "\n".join(f"step({n})" for n in range(9))
ANSWER = f"I would begin with the first part.\n\n```python\n{CODE}\n```\n\nDecision: One part at a time."


@pytest.fixture
def talkers(project: Path) -> Path:
    """The shop, with two agents that talk; quinn has much to say."""
    write_agent(project, "edwin", [{"on": "discuss", "text": ANSWER}])
    write_agent(project, "quinn", [{"on": "discuss", "text": "word " * 4000}])
    return project


async def ask(app: Driver, text: str) -> None:
    await app.press("t")
    await app.sees("NEW THREAD")
    await app.type(text)
    await app.press("enter")


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_a_message_is_sent_about_the_open_file_and_its_answer_stands(
    talkers: Path, size: tuple[int, int]
) -> None:
    async with app_on(talkers, size=size) as app:
        await app.open("plan.md")
        await ask(app, "@edwin what do you think?")
        await app.sees("I would begin with the")
        await app.sees("9 lines of python")
        await app.sees("D1 open")
    async with other_process(talkers) as space:
        [thread] = await space.read(Threads())
        view = await space.read(ThreadMessages(thread.id))
        assert (view.path, [each.actor for each in view.messages]) == ("docs/plan.md", ["ana", "edwin"])
        assert view.messages[1].text == ANSWER


async def test_an_answer_is_seen_while_it_is_written_and_esc_stops_it(talkers: Path) -> None:
    async with app_on(talkers, pace=40) as app:
        await ask(app, "@quinn?")
        await app.sees("quinn  ◐ writes")
        await app.sees("word▍")
        await app.press("escape")
        await app.sees("stopped")
        async with other_process(talkers) as space:
            [thread] = await space.read(Threads())
            assert await space.read(Turns(thread.id)) == []
            assert [turn.state for turn in (await space.read(ThreadMessages(thread.id))).turns] == ["stopped"]


async def test_what_another_process_says_is_seen_at_once(talkers: Path) -> None:
    async with app_on(talkers) as app, other_process(talkers) as mia:
        opened = OpenThread(title="Eviction")
        await mia.execute(opened)
        await mia.execute(PostMessage(thread=opened.thread, text="Good morning"))
        await app.sees("Eviction")
        await app.press("4")
        await app.sees("Good morning")
        await mia.execute(PostMessage(thread=opened.thread, text="Is [b]anybody[/b] \x1b[31mhere?"))
        await app.sees("Is [b]anybody[/b] ␛[31mhere?")


async def test_an_answer_that_another_process_writes_is_seen_as_it_grows(talkers: Path) -> None:
    async with app_on(talkers) as app, other_process(talkers) as mia:
        opened = OpenThread(title="Eviction")
        await mia.batch([opened, PostMessage(thread=opened.thread, text="@quinn?", mentions=["quinn"])])
        request = RunRequest(flow="say", inputs={"thread": opened.thread}, agents=["quinn"])
        slowly = Surroundings(env={"FLOWIDE_SCRIPTED_PACE": "60"})
        run = asyncio.create_task(
            engine.start(mia, ProjectFolder.open(talkers), request, surroundings=slowly)
        )
        try:
            await app.press("4")
            await app.sees("quinn  ◐ writes")
            await app.sees("word word▍")
        finally:
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)


async def test_a_decision_is_agreed_and_opened_again_by_key(talkers: Path) -> None:
    async with app_on(talkers) as app, other_process(talkers) as mia:
        opened = OpenThread(title="Eviction")
        said = PostMessage(thread=opened.thread, text="Eight?")
        await mia.batch([opened, said])
        await mia.execute(ProposeDecision(text="Eight entries", message=said.message))
        await app.press("4")
        await app.sees("D1 open")
        await app.press("escape", "y")
        await app.sees("agreed by ana")
        app.workspace.thread.log_pane.move_to(
            next(
                row.key
                for row in app.workspace.thread.log_pane.rows
                if getattr(row.key, "kind", "") == "decision"
            )
        )
        await app.press("y")
        await app.sees("◇ D1 open")
        assert [each.status for each in await mia.read(Decisions())] == ["open"]


async def test_code_is_unfolded_by_key(talkers: Path) -> None:
    async with app_on(talkers) as app:
        await ask(app, "@edwin?")
        await app.sees("▸ 9 lines of python")
        await app.press("escape", "o")
        await app.sees("step(8)")


async def test_a_message_that_is_refused_stays_in_the_prompt_and_opens_no_thread(talkers: Path) -> None:
    (talkers / ".flowide" / "agents" / "kay.md").write_text(
        "---\nhandle: kay\nrole: drafter\nbackend: model\nmodel: openai/gpt-4o-mini\n---\nYou are Kay.\n"
    )
    async with app_on(talkers) as app:
        await ask(app, "@kay?")
        await app.sees("OPENAI_API_KEY")
        await app.until(lambda: app.workspace.thread.prompt.text == "@kay?", "the words to come back")
    async with other_process(talkers) as space:
        assert await space.read(Threads()) == []


async def test_lines_are_begun_with_ctrl_j_or_a_backslash_and_names_completed_with_tab(talkers: Path) -> None:
    async with app_on(talkers) as app:
        await app.press("t")
        await app.type("one")
        await app.press("ctrl+j")
        await app.type("two")
        await app.press("backslash", "enter")
        await app.press("at")
        await app.type("edw")
        await app.sees("tab @edwin")
        await app.press("tab")
        prompt = app.app.screen.query_one(Prompt)
        assert prompt.text == "one\ntwo\n@edwin "


async def test_threads_are_listed_with_the_work_and_esc_leads_back_there(talkers: Path) -> None:
    async with app_on(talkers) as app, other_process(talkers) as mia:
        for title in ("Eviction", "Naming"):
            opened = OpenThread(title=title)
            await mia.batch([opened, PostMessage(thread=opened.thread, text=f"About {title}")])
        await app.sees("Naming")
        await app.press("3", "home", "enter")
        await app.sees("About Naming")
        await app.press("escape", "escape")
        await app.sees("THREADS")
        await app.press("T")
        await app.type("Evic")
        await app.press("enter")
        await app.sees("About Eviction")


async def make_long(root: Path, many: int) -> str:
    """A thread of so many messages; its id."""
    async with other_process(root) as mia:
        opened = OpenThread(title="Long")
        await mia.execute(opened)
        for start in range(0, many, 50):
            await mia.batch(
                [PostMessage(thread=opened.thread, text=f"number {start + n + 1}") for n in range(50)]
            )
    return opened.thread


async def test_of_a_thread_of_ten_thousand_messages_a_page_is_read_and_earlier_ones_as_one_goes_up(
    talkers: Path,
) -> None:
    await make_long(talkers, 10_000)
    async with app_on(talkers) as app:
        await app.press("4")
        await app.sees("number 10000")
        pane = app.workspace.thread
        assert len(pane.talk.view.messages) == 60
        await app.press("escape")
        for _ in range(12):
            await app.press("pageup")
        await app.until(lambda: pane.talk.view.messages[0].number < 9_900, "earlier messages")
        numbers = [each.number for each in pane.talk.view.messages]
        assert numbers == list(range(numbers[0], 10_001))


async def test_a_message_of_long_ago_is_gone_to_and_what_was_said_since_comes_in(talkers: Path) -> None:
    thread = await make_long(talkers, 1_000)
    async with app_on(talkers) as app, other_process(talkers) as mia:
        first = (await mia.read(ThreadMessages(thread, 1, 8))).messages[0]
        await mia.execute(ProposeDecision(text="Seven it is", message=first.id))
        await app.press("ctrl+o", "d")
        await app.sees("Seven it is")
        await app.press("enter")
        await app.sees("number 7")
        await app.sees("D1 open")
        pane = app.workspace.thread
        for n in range(2):
            await mia.batch([PostMessage(thread=thread, text=f"late {n} {m}") for m in range(50)])
        await app.until(lambda: pane.talk.view.messages[-1].number == 1_100, "the late ones")
        assert [each.number for each in pane.talk.view.messages] == list(range(1, 1_101))
        assert "number 7" in app.screen()


async def test_decisions_are_proposed_agreed_and_superseded_by_keys(talkers: Path) -> None:
    async with app_on(talkers) as app, other_process(talkers) as mia:
        opened = OpenThread(title="Eviction")
        await mia.batch([opened, PostMessage(thread=opened.thread, text="We keep eight.")])
        await app.press("4")
        await app.sees("We keep eight.")
        await app.press("escape", "p")
        await app.sees("What shall hold from now on?")
        await app.press("enter")
        await app.sees("D1 open")
        await app.press("d")
        await app.sees("OPEN")
        await app.press("y")
        await app.sees("AGREED")
        await app.press("n")
        await app.type("We keep nine.")
        await app.press("enter")
        await app.sees("We keep nine.")
        await app.press("end", "x")
        await app.sees("What holds instead of D1?")
        await app.type("D2")
        await app.press("enter")
        await app.sees("Why?")
        await app.type("one more")
        await app.press("enter")
        await app.sees("D2 holds instead")
        await app.sees("one more")
        assert [each.status for each in await mia.read(Decisions())] == ["superseded", "open"]


async def test_a_block_of_code_becomes_a_file_or_a_variation(talkers: Path) -> None:
    async with app_on(talkers) as app, other_process(talkers) as mia:
        await app.open("shop.py")
        await ask(app, "@edwin?")
        await app.sees("9 lines of python")
        await app.press("escape", "O")
        await app.sees("a variation of src/shop.py")
        await app.press("v")
        await app.sees("It is variation 1")
        [group] = await mia.read(VariationSets())
        assert await mia.read(VariationText(group.id, 1)) == CODE + "\n"
        await app.press("O")
        await app.sees("save it as a new file")
        await app.press("f")
        await app.sees("Where shall it go?")
        await app.press("enter")
        await app.sees("snippet.py is there")
        assert (talkers / "snippet.py").read_text() == CODE + "\n"


async def test_what_an_agent_would_be_told_is_seen_before_it_is_sent_and_after(talkers: Path) -> None:
    async with app_on(talkers) as app, other_process(talkers) as mia:
        await app.open("plan.md")
        await app.press("t")
        await app.type("@edwin what of #src/shop.py?")
        await app.press("ctrl+t")
        await app.sees("What they would be told")
        await app.sees("src/shop.py@1")
        assert await mia.read(Threads()) == []
        await app.press("escape", "enter")
        await app.sees("I would begin with")
        await app.press("escape", "ctrl+t")
        await app.sees("What they were told")
        await app.sees("src/shop.py@1")


async def test_one_of_several_answers_is_stopped_by_choice(talkers: Path) -> None:
    write_agent(talkers, "edwin", [{"on": "discuss", "text": "word " * 4000}])
    async with app_on(talkers, pace=40) as app:
        await ask(app, "@quinn @edwin?")
        await app.sees("quinn  ◐ writes")
        await app.sees("edwin  ◐ writes")
        app.workspace.thread.action_thread_stop_one()
        await app.sees("Whose answer is to be stopped?")
        await app.press("2")
        await app.until(lambda: len(app.workspace.thread.writing) == 1, "one answer less")
        await app.press("escape")


async def test_the_open_file_is_pinned_and_let_go_again(talkers: Path) -> None:
    async with app_on(talkers) as app, other_process(talkers) as mia:
        opened = OpenThread(title="Eviction")
        await mia.batch([opened, PostMessage(thread=opened.thread, text="Eight?")])
        await app.open("plan.md")
        await app.press("4")
        await app.sees("Eight?")
        await app.press("escape", "P")
        await app.sees("is in the context")
        assert len((await mia.read(FindThread(opened.thread))).pins) == 1
        await app.press("P")
        await app.sees("no longer in the context")
        assert (await mia.read(FindThread(opened.thread))).pins == []


async def test_what_was_not_sent_is_told_when_the_app_ends(talkers: Path) -> None:
    async with app_on(talkers) as app:
        await app.press("t")
        await app.type("half a thou")
        assert await app.workspace.keep_text() == ["Your message was not sent:", "half a thou"]


async def test_two_messages_at_once_open_one_thread(talkers: Path) -> None:
    async with app_on(talkers) as app, other_process(talkers) as space:
        await app.press("t")
        await app.pilot.press("a", "enter", "b", "enter")
        await app.sees("2 msgs")
        [thread] = await space.read(Threads())
        view = await space.read(ThreadMessages(thread.id))
        assert [each.text for each in view.messages] == ["a", "b"]


async def test_two_messages_in_a_row_are_both_answered(talkers: Path) -> None:
    write_agent(talkers, "edwin", [{"on": "discuss", "texts": ["First answer.", "Second answer."]}])
    async with app_on(talkers) as app:
        await ask(app, "@edwin one?")
        await app.type("@edwin two?")
        await app.press("enter")
        await app.sees("First answer.")
        await app.sees("Second answer.")


async def test_runs_of_answers_that_came_are_not_listed_as_work(talkers: Path) -> None:
    async with app_on(talkers) as app:
        await ask(app, "@edwin?")
        await app.sees("I would begin with the")
        await eventually(lambda: not app.app.snapshot.runs)
        await app.press("escape", "escape")
        await app.sees("Nothing has run yet.")


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_a_command_is_listed_by_name_in_the_prompt_and_done_with_enter(
    talkers: Path, size: tuple[int, int]
) -> None:
    async with app_on(talkers, size=size) as app:
        await app.open("plan.md")
        await app.press("t")
        await app.type("/stat")
        await app.sees("/statistics")
        await app.sees("enter do it")
        await app.press("enter")
        await app.sees("ACTIVITY")
        await app.press("escape")
        assert app.workspace.thread.prompt.text == ""
        async with other_process(talkers) as space:
            assert await space.read(Threads()) == []


async def test_the_arrows_and_tab_choose_a_command_and_esc_closes_the_list(talkers: Path) -> None:
    async with app_on(talkers) as app:
        await app.press("t")
        await app.type("/edit")
        await app.sees("/edit-in-editor")
        prompt = app.workspace.thread.prompt
        await app.press("down", "tab")
        assert prompt.text == "/edit-in-editor"
        await app.press("escape")
        await app.until(lambda: not prompt.choosing, "the list to go")
        assert prompt.has_focus
        await app.press("escape")
        assert not prompt.has_focus
        assert prompt.text == "/edit-in-editor"


async def test_a_click_does_a_command(talkers: Path) -> None:
    async with app_on(talkers) as app:
        await app.press("t")
        await app.type("/settings")
        await app.sees("All of them, where")
        await app.pilot.click("#offers", offset=(4, 0))
        await app.sees("turn_s")


async def test_an_unknown_command_is_told_and_stays_and_is_said_after_a_space(talkers: Path) -> None:
    async with app_on(talkers) as app, other_process(talkers) as space:
        await app.press("t")
        await app.type("/histroy of it")
        await app.press("enter")
        await app.sees("no command /histroy")
        assert app.workspace.thread.prompt.text == "/histroy of it"
        assert await space.read(Threads()) == []
        await app.press("home", "space", "enter")
        await app.sees("1 msg")
        [thread] = await space.read(Threads())
        assert [each.text for each in (await space.read(ThreadMessages(thread.id))).messages] == [
            " /histroy of it"
        ]


async def test_of_several_names_the_arrows_choose_the_one_that_tab_completes(talkers: Path) -> None:
    async with app_on(talkers) as app:
        await app.press("t", "at")
        await app.sees("@quinn")
        await app.press("down")
        chosen = app.workspace.thread.query_one("#offers").here.whole
        await app.press("tab")
        assert app.workspace.thread.prompt.text == chosen + " "
        assert chosen != "@all"
