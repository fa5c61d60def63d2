"""Threads: read a page of one, speak in it, have the answers written, decide."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from flowide.domain.commands import (
    AgreeDecision,
    AskAgent,
    Command,
    OpenThread,
    PinArtifact,
    ProposeDecision,
    ReopenDecision,
    StopTurn,
    SupersedeDecision,
)
from flowide.domain.ids import uuid7
from flowide.domain.rows import Decision, Thread, Turn
from flowide.space import queries as q
from flowide.text import one_line
from flowide.tui.engine import running
from flowide.tui.engine.editing import as_variation
from flowide.tui.engine.news import News
from flowide.tui.engine.session import Session
from flowide.tui.views.thread import Talk

if TYPE_CHECKING:
    from flowide.agents.context import Manifest
    from flowide.project.folder import ProjectFolder

PAGE = 250
"""Messages that are read at a time; the engine does nothing else meanwhile."""
TITLE = 80
"""Characters of the first message that name a thread."""


async def look(session: Session, thread: str, known: Talk | None, newest: int) -> Talk:
    """The newest messages of a thread after those that are `known`, what was decided in it, what is being written."""
    view = await session.space.read(q.ThreadMessages(thread, newest))
    if known is not None and known.view.thread.id == thread and known.view.messages:
        view = await _joined(session, known.view, view)
    decisions = [each for each in await session.space.read(q.Decisions()) if each.thread == thread]
    return Talk(view, decisions, await live_texts(session, view.turns))


async def _joined(session: Session, known: q.ThreadView, view: q.ThreadView) -> q.ThreadView:
    """What was read before, with what is newer; old turns that are not settled are looked at again."""
    last = known.messages[-1].number
    messages, turns = list(view.messages), list(view.turns)
    while messages and messages[0].number > last + 1:
        page = await session.space.read(q.ThreadMessages(view.thread.id, PAGE, messages[0].number))
        messages, turns = [*page.messages, *messages], [*page.turns, *turns]
    first = messages[0].number if messages else last + 1
    older = [each for each in known.messages if each.number < first]
    seen = {each.id for each in messages}
    for turn in known.turns:
        if turn.message not in seen:
            now = await session.space.read(q.OneTurn(turn.message, turn.agent))
            if now is not None and now.state != "answered":
                turns.append(now)
    return q.ThreadView(view.thread, view.path, [*older, *messages], turns)


async def look_back(session: Session, talk: Talk, number: int) -> Talk:
    """Earlier messages, back to a number; other work goes on between the pages."""
    messages, turns = talk.view.messages, talk.view.turns
    while messages and messages[0].number > number:
        first = messages[0].number
        most = min(PAGE, first - number)
        page = await session.space.read(q.ThreadMessages(talk.view.thread.id, most, first))
        if not page.messages:
            break
        messages, turns = [*page.messages, *messages], [*page.turns, *turns]
        await asyncio.sleep(0)
    return Talk(q.ThreadView(talk.view.thread, talk.view.path, messages, turns), talk.decisions, talk.live)


async def number_of(session: Session, thread: str, message: str) -> int:
    """Where a message stands in its thread."""
    return (await session.space.read(q.OneMessage(message, thread))).number


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
    seats = session.place.seats
    known = [seat.handle for seat in seats if not seat.by_name_only]
    also = [seat.handle for seat in seats if seat.by_name_only]
    composed = await compose(session.space, folder, Writing(thread=id, text=text, known=known, also=also))
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


async def propose(session: Session, text: str, message: str | None) -> None:
    """Put up what shall hold from now on."""
    await session.space.execute(ProposeDecision(text=text, message=message))


async def supersede(session: Session, decision: str, by: str | None, reason: str) -> None:
    """End a decision, with or without another one in its place."""
    await session.space.execute(SupersedeDecision(decision=decision, by=by, reason=reason))


async def pin(session: Session, thread: str, path: str) -> bool:
    """Have a file in the context of every answer, or no longer; whether it is now."""
    folder = cast("ProjectFolder", session.folder)
    artifact = await folder.artifact(session.space, path)
    found = await session.space.read(q.FindThread(thread))
    on = all(each["artifact"] != artifact.id for each in found.pins)
    await session.space.execute(PinArtifact(thread=thread, about=artifact.id, on=on))
    return on


async def new_file(session: Session, path: str, text: str) -> None:
    """Make a file of a block of code."""
    folder = cast("ProjectFolder", session.folder)
    await folder.create(session.space, path, text, note="from a thread")


async def variation_of(session: Session, path: str, text: str) -> int:
    """Put a block of code beside a file: the number of the new variation."""
    folder = cast("ProjectFolder", session.folder)
    artifact = await folder.artifact(session.space, path)
    return await as_variation(session, artifact.id, artifact.path, artifact.version, text)


async def would_be_told(session: Session, thread: str | None, about: str | None, text: str) -> list[Manifest]:
    """What each agent that a text asks would be told, were it sent now."""
    if thread is not None:
        found = await session.space.read(q.FindThread(thread))
    else:
        folder = cast("ProjectFolder", session.folder)
        artifact = None if about is None else (await folder.artifact(session.space, about)).id
        found = _new_thread(session.space.actor.id, artifact)
    return await session.flows.would_be_told(found, text)


def _new_thread(actor: str, about: str | None) -> Thread:
    """One that is about to be opened."""
    return Thread(
        id=uuid7(), title="", about=about, agent=None, depth=0, rate=0, pins=[], run=None, actor=actor, count=0,
        chain=0, seq=0, ts="", last_seq=0, last_ts="", last_actor=actor,
    )  # fmt: skip


async def was_told(session: Session, manifest: str) -> Manifest:
    """What an answer was based on."""
    from flowide.agents.context import decode

    return decode(await session.space.blob(manifest))
