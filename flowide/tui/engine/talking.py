"""Threads: read a page of one, speak in it, have the answers written, decide."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from flowide.domain.commands import (
    AgreeDecision,
    AskAgent,
    Command,
    OpenThread,
    ReopenDecision,
    StopTurn,
)
from flowide.domain.ids import uuid7
from flowide.domain.rows import Decision, Turn
from flowide.space import queries as q
from flowide.text import one_line
from flowide.tui.engine import running
from flowide.tui.engine.news import News
from flowide.tui.engine.session import Session
from flowide.tui.views.thread import Talk

if TYPE_CHECKING:
    from flowide.project.folder import ProjectFolder

TITLE = 80
"""Characters of the first message that name a thread."""


async def look(session: Session, thread: str, limit: int) -> Talk:
    """The newest messages of a thread, what was decided in it, and what is being written."""
    view = await session.space.read(q.ThreadMessages(thread, limit))
    decisions = [each for each in await session.space.read(q.Decisions()) if each.thread == thread]
    return Talk(view, decisions, await live_texts(session, view.turns))


async def live_texts(session: Session, turns: list[Turn]) -> dict[tuple[str, str], str]:
    """What each answer that is being written holds so far, whoever drives its run."""
    found: dict[tuple[str, str], str] = {}
    for turn in turns:
        if turn.state != "taken" or turn.run is None or turn.step is None:
            continue
        mine = session.live.get(turn.run, {}).get(turn.step)
        text = mine.text if mine is not None else await session.space.read(q.StepText(turn.run, turn.step))
        found[turn.message, turn.agent] = text
    return found


async def say(session: Session, thread: str | None, text: str, about: str | None) -> str:
    """Post a message, in a new thread about a path when `thread` is None, and have it answered; the thread's id.

    Raises:
        FlowError: Nothing was posted, for example because an agent that is asked has no key.
    """
    from flowide.flows.discussion.posting import Writing, compose

    folder = cast("ProjectFolder", session.folder)
    opening: list[Command[Any]] = []
    id = thread
    if id is None:
        id = uuid7()
        artifact = None if about is None else (await folder.artifact(session.space, about)).id
        depth, rate = await session.flows.talk_bounds()
        title = one_line(text, TITLE)
        opening.append(OpenThread(thread=id, title=title, about=artifact, depth=depth, rate=rate))
    known = [seat.handle for seat in session.place.seats]
    composed = await compose(session.space, folder, Writing(thread=id, text=text, known=known))
    await session.flows.check_agents(composed.command.mentions)
    await session.space.batch([*opening, composed.command])
    if composed.warnings:
        session.tell(News(warnings=composed.warnings))
    have_answered(session, id)
    return id


def have_answered(session: Session, thread: str) -> None:
    """Have what is due in a thread written, in the background; a run that is at it takes this along."""
    session.asked[thread] = session.asked.get(thread, 0) + 1
    if session.asked[thread] > 1:
        return
    task = asyncio.create_task(_answer(session, thread), name=f"answers in {thread[:8]}")
    session.background.add(task)
    task.add_done_callback(session.background.discard)


async def _answer(session: Session, thread: str) -> None:
    """Run `say` until it has seen everything that was asked meanwhile."""
    try:
        seen = 0
        while seen != session.asked[thread] and await _due(session, thread):
            seen = session.asked[thread]
            await running.drive(session, lambda run, watcher: session.flows.answer(thread, run, watcher))
    finally:
        session.asked.pop(thread, None)


async def _due(session: Session, thread: str) -> bool:
    """Whether an answer is owed that no living process writes."""
    if await session.space.read(q.Turns(thread)):
        return True
    for turn in await session.space.read(q.Turns(thread, "taken")):
        if turn.run is None or not (await session.space.read(q.OneRun(turn.run))).alive:
            return True
    return False


async def ask_again(session: Session, turn: Turn) -> None:
    """Have an agent answer after all."""
    await session.flows.check_agents([turn.agent])
    if turn.state in {"failed", "stopped"}:
        await session.space.execute(AskAgent(message=turn.message, agent=turn.agent))
    have_answered(session, turn.thread)


async def stop(session: Session, turn: Turn) -> None:
    """End an answer that is due or being written."""
    await session.space.execute(StopTurn(message=turn.message, agent=turn.agent))


async def decide(session: Session, decision: Decision) -> None:
    """Agree to an open decision; put any other one up again."""
    if decision.status == "open":
        await session.space.execute(AgreeDecision(decision=decision.id))
    else:
        await session.space.execute(ReopenDecision(decision=decision.id))
