"""An editor, the library's own client, works with FlowIDE through its command: talk, flows, questions, an end."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import acp
import pytest
from acp.schema import AllowedOutcome, DeniedOutcome

from flowide.acp_server.wishes import Wish, wish_of
from flowide.errors import BadInput
from tests.project_with_agents import make_project, write_agent


class Editor:
    """Remembers what it is told, and chooses the options it is to choose."""

    def __init__(self) -> None:
        self.updates: list[Any] = []
        self.asked: list[Any] = []
        self.choices: list[str] = []
        self.news = asyncio.Event()

    def on_connect(self, conn: Any) -> None:
        """Nothing is needed."""

    async def session_update(self, session_id: str, update: Any, **_: Any) -> None:
        self.updates.append(update)
        self.news.set()

    async def request_permission(self, session_id: str, tool_call: Any, options: list[Any], **_: Any) -> Any:
        self.asked.append((tool_call.title, [option.option_id for option in options]))
        self.news.set()
        if not self.choices:
            return acp.RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))
        chosen = AllowedOutcome(outcome="selected", option_id=self.choices.pop(0))
        return acp.RequestPermissionResponse(outcome=chosen)

    def of(self, kind: str) -> list[Any]:
        return [each for each in self.updates if each.session_update == kind]

    @property
    def text(self) -> str:
        return "".join(each.content.text for each in self.of("agent_message_chunk"))


def client(editor: Editor) -> acp.Client:
    """As the library wants it; what an editor does not offer it need not have."""
    return cast("acp.Client", editor)


@asynccontextmanager
async def editing(root: Path, *words: str) -> AsyncIterator[tuple[Editor, Any, str]]:
    """An editor that has opened a project, its connection, and a session."""
    editor = Editor()
    command = [sys.executable, "-m", "flowide", "acp", *words]
    env = {**os.environ, "FLOWIDE_SCRIPTED_PACE": "0"}
    async with acp.spawn_agent_process(client(editor), *command, env=env, cwd=root) as (connection, process):
        async with asyncio.timeout(120):
            greeting = await connection.initialize(acp.PROTOCOL_VERSION)
            assert greeting.agent_info is not None
            assert greeting.agent_info.name == "flowide"
            opened = await connection.new_session(str(root))
            yield editor, connection, opened.session_id
        del process


async def say(connection: Any, session: str, text: str) -> str:
    reply = await connection.prompt(session, [acp.text_block(text)])
    return str(reply.stop_reason)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project")


async def test_an_agent_answers_in_the_thread_of_the_session(root: Path) -> None:
    write_agent(root, "anders", [{"on": "discuss", "text": "I would begin with the tests."}])
    async with editing(root, "--agents", "anders") as (editor, connection, session):
        assert await say(connection, session, "What first?") == "end_turn"
        assert "**@anders**: I would begin with the tests." in editor.text
        assert editor.text.count("begin with the tests") == 1

        async with asyncio.timeout(30):
            while not editor.of("available_commands_update"):
                await editor.news.wait()
                editor.news.clear()
        [commands] = editor.of("available_commands_update")
        assert {"variations", "review"} <= {each.name for each in commands.available_commands}

        await connection.load_session(str(root), session)
        assert [each.content.text for each in editor.of("user_message_chunk")] == ["What first?"]

    threads = flowide(root, "thread", "show", session)
    assert "What first?" in threads


async def test_a_flow_comes_back_as_plan_and_calls_and_a_choice_is_typed_in_the_next_message(
    root: Path,
) -> None:
    async with editing(root) as (editor, connection, session):
        await say(connection, session, "/variations path=src/shop.py n=2 Shorter")
        assert "Your next message is the answer." in editor.text
        first, *_, last = editor.of("plan")
        assert {each.status for each in first.entries} == {"pending"}
        assert last.entries[0].status == "completed"
        calls = [each.title for each in editor.of("tool_call")]
        assert calls.count("@anders: vary") == 1  # news of it are updates
        assert "Variation 2 by @bea" in calls

        await say(connection, session, "2")

    assert "waiting" not in flowide(root, "runs")
    [saved] = [each for each in editor.of("tool_call") if each.title.startswith("Saved src/shop.py")]
    [diff] = saved.content
    assert (diff.type, diff.path) == ("diff", str(root / "src/shop.py"))
    assert (root / "src/shop.py").read_text() == diff.new_text


async def test_a_gate_with_options_is_a_question_of_the_editor(root: Path) -> None:
    (root / ".flowide/flows").mkdir(parents=True)
    (root / ".flowide/flows/ask.yaml").write_text(
        "flow: ask\nsteps:\n  - gate:\n      question: Go on?\n      options: [approve, reject]\n"
    )
    async with editing(root) as (editor, connection, session):
        editor.choices = ["approve"]
        await say(connection, session, "/ask")
        assert editor.asked == [("Go on?", ["approve", "reject"])]

        assert await say(connection, session, "/ask") == "cancelled"

    assert flowide(root, "gate", "list").count("Go on?") == 1


async def test_a_turn_that_is_called_off_ends_at_once_and_the_run_can_go_on(root: Path) -> None:
    write_agent(root, "slow", [{"on": "*", "text": "word " * 200}], pace=20)
    async with editing(root, "--agents", "slow") as (editor, connection, session):
        turn = asyncio.create_task(say(connection, session, "@slow Say much"))
        async with asyncio.timeout(60):
            while "word" not in editor.text:
                await editor.news.wait()
                editor.news.clear()
        await connection.cancel(session)

        assert await asyncio.wait_for(turn, 20) == "cancelled"

    assert "cancelled" in flowide(root, "runs")


async def test_wrong_words_are_told_and_change_nothing(root: Path) -> None:
    async with editing(root) as (editor, connection, session):
        await say(connection, session, "/nothing like that")
        assert "there is no flow /nothing" in editor.text
        await say(connection, session, "/variations nope=1 Shorter")
        assert "nope" in editor.text
        with pytest.raises(acp.RequestError):
            await say(connection, "unknown", "hello")
        with pytest.raises(acp.RequestError):
            await connection.load_session(str(root), "unknown")

    assert flowide(root, "runs", "--json") == "[]\n"


async def test_it_ends_with_the_editor(root: Path) -> None:
    editor = Editor()
    command = [sys.executable, "-m", "flowide", "acp"]
    async with acp.spawn_agent_process(client(editor), *command, env=dict(os.environ), cwd=root) as (
        connection,
        process,
    ):
        await connection.initialize(acp.PROTOCOL_VERSION)
        assert process.stdin is not None
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), 30) == 0


def flowide(root: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "flowide", *words],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("hello /there", Wish(None, "hello /there")),
        ("/etc/passwd is a file", Wish(None, "/etc/passwd is a file")),
        ("/review", Wish("review", "")),
        ("/review path=a.py Make it\nshorter x=1", Wish("review", "Make it\nshorter x=1", {"path": "a.py"})),
        ("/review path='a b.py' note=\"x y\" Go", Wish("review", "Go", {"path": "a b.py", "note": "x y"})),
    ],
)
def test_what_is_typed_is_understood(text: str, wish: Wish) -> None:
    assert wish_of(text, ["review", "variations"]) == wish


def test_a_flow_that_is_not_there_is_not_said_to_agents() -> None:
    with pytest.raises(BadInput, match="no flow /reviw"):
        wish_of("/reviw path=a.py", ["review"])
