"""A project with an agent that talks, a text as models write it, and the app with something that drives it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowide.domain.rows import Turn
    from flowide.tui.application import FlowApp
    from flowide.tui.engine.session import Session

WORDS = "the lock is taken where the text is saved and the test says so in words that a newcomer can read "
PATIENCE_S = 30.0


def text(size: int) -> str:
    """Markdown of so many characters: paragraphs in one line, short lines, lists, code."""
    parts: list[str] = []
    have, number = 0, 0
    while have < size:
        number += 1
        part = f"## Part {number}\n\n{number}. {WORDS * (1 + number % 12)}\n\n- one\n- two, {number}\n\n"
        if number % 4 == 0:
            part += "```python\n" + "".join(f"step_{n} = {n} * {number}\n" for n in range(12)) + "```\n\n"
        parts.append(part)
        have += len(part)
    return "".join(parts)[:size]


def make_project(root: Path, answer: str, *, chunk: int) -> None:
    """A folder with one agent, edwin, who answers with a text in chunks of so many characters."""
    agents = root / ".flowide" / "agents"
    agents.mkdir(parents=True)
    (root / "plan.md").write_text("# Plan\n\nNothing yet.\n")
    replies = [{"on": "discuss", "file": "answer.txt"}]
    (agents / "answer.txt").write_text(answer)
    (agents / "edwin.json.yaml").write_text(json.dumps({"replies": replies, "chunk": chunk}))
    (agents / "edwin.md").write_text(
        "---\nhandle: edwin\nrole: drafter\nbackend: scripted\nscript: edwin.json.yaml\n---\nYou are edwin.\n"
    )


async def run_app(root: Path, pace: float, work: Callable[[FlowApp], Awaitable[None]]) -> None:
    """The app on this process's terminal until the work is done; edwin writes `pace` characters a second."""
    from flowide.domain.actors import Actor
    from flowide.flows.engine import Surroundings
    from flowide.tui.application import FlowApp
    from flowide.tui.engine.opening import open_project

    around = Surroundings(env={"FLOWIDE_SCRIPTED_PACE": str(pace)})
    app = FlowApp(lambda: open_project(root, Actor("ana"), lambda: around), project=root.name, me="ana")

    async def drive() -> None:
        try:
            await until(lambda: bool(app.snapshot.client) and app.workspace is not None)
            await until(lambda: app.workspace is not None and app.workspace.can_talk)
            await work(app)
        finally:
            await app.leave(0)

    driving = asyncio.create_task(drive())
    await app.run_async()
    await driving


async def ask_edwin(app: FlowApp, said: list[str]) -> Turn:
    """Open a thread in which some texts were said before, ask edwin something, and wait until he is at it."""
    from flowide.domain.commands import OpenThread, PostMessage
    from flowide.tui.engine import talking

    workspace = app.workspace
    assert workspace is not None
    opened = OpenThread(title="Long")
    await app.engine.call(lambda session: session.space.execute(opened))

    async def say_all(session: Session) -> None:
        for each in said:
            await session.space.execute(PostMessage(thread=opened.thread, text=each))

    await app.engine.call(say_all)
    await app.engine.call(lambda session: talking.say(session, opened.thread, "@edwin go on", None))
    workspace.talking.open(opened.thread)
    pane = workspace.thread

    def taken() -> list[Turn]:
        turns = pane.talk.view.turns if pane.talk is not None else []
        return [turn for turn in turns if turn.state == "taken" and turn.step is not None]

    await until(lambda: bool(taken()))
    return taken()[0]


async def until(true: Callable[[], bool]) -> None:
    """Wait for something the app has no event for."""
    async with asyncio.timeout(PATIENCE_S):
        while not true():  # noqa: ASYNC110 - the app has no event for it
            await asyncio.sleep(0.01)
