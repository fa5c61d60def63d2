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
from flowide.space.queries import Decisions, ThreadMessages, Threads, Turns
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


async def test_of_a_thread_of_ten_thousand_messages_a_page_is_read(talkers: Path) -> None:
    async with other_process(talkers) as mia:
        opened = OpenThread(title="Long")
        await mia.execute(opened)
        for start in range(0, 10_000, 50):
            await mia.batch(
                [PostMessage(thread=opened.thread, text=f"number {start + n + 1}") for n in range(50)]
            )
    async with app_on(talkers) as app:
        await app.press("4")
        await app.sees("number 10000")
        pane = app.workspace.thread
        assert len(pane.talk.view.messages) == 50
        await app.press("escape", "home")
        await app.sees("earlier messages")
        await app.press("enter")
        await app.until(lambda: len(pane.talk.view.messages) == 250, "earlier messages")
        await app.sees("number 9951")


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
