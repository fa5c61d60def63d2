"""`discuss`: people's words are answered by those they mention, or every agent speaks in turn."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from flowide.domain import rows
from flowide.domain.commands import AskAgent, OpenThread
from flowide.errors import BadInput, Exists, NotFound
from flowide.flows.discussion.answering import Answered, Place, answer_all
from flowide.flows.discussion.posting import Writing, compose
from flowide.flows.stable import stable_id
from flowide.flows.state import RunState, StepContext
from flowide.flows.target import target_of
from flowide.space.queries import FindThread, OneMessage, ThreadMessages, Turns
from flowide.text import one_line

MAX_ROUNDS = 10


async def run(context: StepContext) -> dict[str, Any]:
    """Say what is to be said, and have it answered; the result names the thread."""
    state, step, spec = context.state, context.step, context.spec
    rounds = context.field("rounds")
    budget = context.field("context")
    if not isinstance(rounds, int) or not 0 <= rounds <= MAX_ROUNDS:
        raise BadInput(f"{rounds!r} rounds are not possible", hint=f"rounds goes from 0 to {MAX_ROUNDS}.")
    if not isinstance(budget, int) or budget < 1:
        raise BadInput(f"a context of {budget!r} tokens is not possible", hint="For example: context: 24000")
    agents = _speakers(state, spec.agents)
    thread = await _thread(context, agents, alone=rounds > 0)
    state.outputs["thread"] = thread.id
    first = _since(context, thread)
    said = await _say(context, thread, asks=rounds == 0)
    place = Place(state, step.id, budget)
    await _ask_again(state, thread.id)
    done = await answer_all(place, thread.id)
    for round in range(1, rounds + 1):
        for agent in agents:
            await _in_turn(place, thread.id, agent, round, done)
    view = await state.space.read(ThreadMessages(thread.id, limit=500))
    shown = [each for each in view.messages if each.number >= (said or first + 1)]
    state.outputs["text"] = transcript(shown)
    if done.failures and (rounds == 0 or not done.messages):
        raise done.failures[0]
    return {
        "thread": thread.id,
        "messages": view.thread.count,
        "answers": sorted(done.messages),
        "transcript": state.outputs["text"],
    }


def _since(context: StepContext, thread: rows.Thread) -> int:
    """Number of the last message before this step; the same after a resume."""
    state, key = context.state, f"{context.step.id}/begun"
    begun = state.done(key)
    if begun is not None:
        return int(begun.result["after"])
    state.put(state.record(key, "discuss", "completed", result={"after": thread.count}))
    return thread.count


def _speakers(state: RunState, wanted: Sequence[str]) -> list[str]:
    """Who speaks: the named ones, else all, critics too."""
    return state.handles(list(wanted)) if wanted else list(state.agents)


async def _thread(context: StepContext, agents: Sequence[str], *, alone: bool) -> rows.Thread:
    """The thread the step names, or a new one, opened once.

    Where agents speak in turn they do not ask each other besides.
    """
    state = context.state
    named = str(context.field("thread") or "")
    if named:
        return await state.space.read(FindThread(named))
    id = stable_id(state.run, context.step.id)
    try:
        return await state.space.read(FindThread(id))
    except NotFound:
        pass
    about = None
    path = str(context.field("about") or "")
    if path:
        target = await target_of(state.space, state.folder, path)
        if target.artifact is None:
            raise NotFound(f"there is no file {path} to discuss", hint="Give an existing file, or none.")
        about = target.artifact.id
    title = str(context.field("title") or context.field("message") or path or "discussion")
    more: dict[str, Any] = {"depth": 0} if alone else {}
    opened = OpenThread(thread=id, title=one_line(title, 80), about=about, run=state.run, **more)
    await state.space.execute(opened)
    return await state.space.read(FindThread(id))


async def _say(context: StepContext, thread: rows.Thread, *, asks: bool) -> int | None:
    """Post the step's message as the person who runs, once; its number."""
    state = context.state
    text = str(context.field("message") or "").strip()
    if not text:
        return None
    id = stable_id(state.run, f"{context.step.id}/message")
    try:
        return (await state.space.read(OneMessage(id))).number
    except NotFound:
        pass
    known = list(state.agents) if asks else []
    writing = Writing(
        thread=thread.id, text=text, known=known, message=id, run=state.run, step=context.step.id
    )
    composed = await compose(state.space, state.folder, writing)
    for warning in composed.warnings:
        state.observer.warning(warning)
    number: int = (await state.space.execute(composed.command)).ok.number
    return number


async def _ask_again(state: RunState, thread: str) -> None:
    """What failed in this run before it was resumed is tried again."""
    for turn in await state.space.read(Turns(thread, "failed")):
        if turn.run == state.run:
            await state.space.execute(AskAgent(message=turn.message, agent=turn.agent))


async def _in_turn(place: Place, thread: str, agent: str, round: int, done: Answered) -> None:
    """Have one agent speak to what was said last by somebody else, once in a round."""
    state, key = place.state, f"{place.id}#round-{round}/{agent}"
    step = state.steps.get(key)
    if step is not None and step.status == "completed":
        return
    if step is None:
        view = await state.space.read(ThreadMessages(thread, limit=20))
        other = next((each for each in reversed(view.messages) if each.actor != agent), None)
        if other is None:
            raise BadInput("there is nothing to speak about", hint="Give the discuss step a message.")
        await state.commit(state.record(key, "discuss", "started", result={"message": other.id}))
        message = other.id
    else:
        message = step.result["message"]
    with contextlib.suppress(Exists):  # asked before the run broke off, or by somebody else
        await state.space.execute(AskAgent(message=message, agent=agent))
    part = await answer_all(place, thread)
    done.messages += part.messages
    done.failures += part.failures
    await state.commit(state.record(key, "discuss", "completed", result={"message": message}))


def transcript(messages: Sequence[rows.Message]) -> str:
    """A conversation as a document."""
    return "\n".join(f"**@{each.actor}** (#{each.number})\n\n{each.text.strip()}\n" for each in messages)
