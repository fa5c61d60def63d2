"""Has the agents that are asked in a thread answer: each in its own turn, together where they can."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, Sequence
from typing import cast

from msgspec import Struct, field, structs

from flowide.agents.api import Request
from flowide.agents.context import encode
from flowide.domain import rows
from flowide.domain.commands import FailTurn, ProposeDecision, TakeTurn
from flowide.domain.decisions import MAX_TEXT
from flowide.domain.discussion import MAX_MESSAGE
from flowide.domain.events import Event
from flowide.domain.mentions import prose_of
from flowide.errors import Busy, FlowError, Gone, Incomplete, NeedsInput, NotFound
from flowide.flows.asking import ask
from flowide.flows.discussion.context import Asked, discuss_task, tell
from flowide.flows.discussion.posting import Writing, compose
from flowide.flows.stable import stable_id
from flowide.flows.state import RunState
from flowide.patterns import lazy
from flowide.space.queries import (
    Decisions,
    FindThread,
    OneMessage,
    OneRun,
    OneTurn,
    Spoken,
    Turns,
)

LOOK_S = 0.25
"""Seconds between looks at an answer that another run writes."""
FATAL = frozenset({"budget", "fenced", "storage"})
"""Errors that end the run, not just one answer."""
_DECISION = lazy(
    r"^[ ]{0,3}(?:[*_]{2})?Decision(?:[*_]{2})?:(?:[*_]{2})?[ \t]*(\S.*(?:\n(?![ \t]*\n).+)*)", re.MULTILINE
)


class Answered(Struct):
    """What came of it."""

    messages: list[int] = field(default_factory=list)
    """Numbers of the answers, in the order they came."""
    failures: list[FlowError] = field(default_factory=list)
    """Why answers could not be had."""


class Place(Struct, frozen=True):
    """Where answers are written from."""

    state: RunState
    id: str
    """Of the step; keys of its calls begin with it."""
    budget: int
    """Tokens of a prompt."""


async def answer_all(place: Place, thread: str) -> Answered:
    """Answer until nobody owes an answer in the thread any more.

    Agents write at the same time, each one answer after the other. A person who speaks stops what agents
    asked of each other; answers that other runs write are waited for.
    """
    state, done = place.state, Answered()
    running: dict[str, tuple[rows.Turn, asyncio.Task[None]]] = {}
    waits: dict[str, NeedsInput] = {}  # by agent: the others come to their end first
    news = asyncio.Event()
    watch = asyncio.create_task(_watch(state, thread, running, news))
    try:
        while True:
            news.clear()
            waiting, elsewhere = await _due(state, thread)
            for turn in waiting:
                if turn.agent not in running and turn.agent not in waits:
                    task = asyncio.create_task(_one(place, turn, done), name=f"answer of {turn.agent}")
                    running[turn.agent] = (turn, task)
            tasks = {task for _, task in running.values()}
            if not tasks and waits:
                raise next(iter(waits.values()))
            if not tasks and not elsewhere:
                return done
            told = asyncio.create_task(news.wait())
            try:
                pause = None if tasks else LOOK_S
                await asyncio.wait({*tasks, told}, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            finally:
                told.cancel()
            for agent, (_, task) in list(running.items()):
                if task.done():
                    del running[agent]
                    if not task.cancelled() and isinstance(error := task.exception(), NeedsInput):
                        waits[agent] = error
                    elif not task.cancelled():
                        task.result()
    finally:
        watch.cancel()
        for _, task in running.values():
            task.cancel()
        await asyncio.gather(watch, *(task for _, task in running.values()), return_exceptions=True)


async def _due(state: RunState, thread: str) -> tuple[list[rows.Turn], bool]:
    """Turns that can be taken now, oldest first, and whether a living run writes others."""
    due = await state.space.read(Turns(thread))
    elsewhere = False
    for turn in await state.space.read(Turns(thread, "taken")):
        if turn.run == state.run or turn.run is None:
            due.append(turn)
        elif (await state.space.read(OneRun(turn.run))).alive:
            elsewhere = True
        else:
            due.append(turn)
    return sorted(due, key=lambda turn: turn.number), elsewhere


async def _watch(
    state: RunState,
    thread: str,
    running: dict[str, tuple[rows.Turn, asyncio.Task[None]]],
    news: asyncio.Event,
) -> None:
    """Cancel answers that are stopped, and tell when somebody is asked."""
    following = cast("AsyncGenerator[Event]", state.space.events(await state.space.head(), follow=True))
    async with contextlib.aclosing(following) as events:
        async for event in events:
            if event.data.get("thread") != thread:
                continue
            news.set()
            if event.type != "turn.stopped":
                continue
            turn, task = running.get(event.data["agent"], (None, None))
            if turn is not None and task is not None and turn.message == event.data["message"]:
                task.cancel()


async def _one(place: Place, turn: rows.Turn, done: Answered) -> None:
    """One answer, or why there is none."""
    from flowide.flows.discussion.editing import edit

    state = place.state
    try:
        if turn.agent not in state.agents:
            raise NotFound(
                f"there is no agent @{turn.agent} any more",
                hint="Agents are files in .flowide/agents; `flowide agents` lists them.",
            )
        number = await (answer(place, turn) if turn.edit is None else edit(place, turn, done))
        if number is not None:
            done.messages.append(number)
    except Busy:
        return  # another run was quicker
    except NeedsInput:
        raise  # it is gone on with once somebody has answered
    except FlowError as error:
        if error.code in FATAL:
            raise
        now = await state.space.read(OneTurn(turn.message, turn.agent))
        if now is None or now.state not in {"waiting", "taken"}:
            return  # stopped meanwhile, which is told by its own event
        failed = FailTurn(
            run=state.run, fence=state.fence, message=turn.message, agent=turn.agent, error=error.to_dict()
        )
        with contextlib.suppress(Gone):
            await state.space.execute(failed)
        state.observer.warning(f"@{turn.agent} does not answer #{turn.number}: {error.message}")
        done.failures.append(error)


async def answer(place: Place, turn: rows.Turn) -> int | None:
    """Have an agent say what it thinks; the number of its message.

    Raises:
        Busy: Another run writes this answer.
        FlowError: The answer could not be had.
    """
    state, key = place.state, key_of(place, turn)
    left = await _left_behind(state, turn)
    if left is not None:
        await state.space.execute(take(state, turn, key, turn.manifest))
        text = (await state.space.blob(left.result["reply"])).decode()
        return await say(place, turn, key, text, turn.manifest, step=left)
    if state.done(key) is None or turn.manifest is None:
        asked = await asked_of(place, turn)
        told = await tell(state.space, state.folder, asked, place.budget)
        manifest = await state.space.put_blob(encode(told.fitted.manifest))
        await state.space.execute(take(state, turn, key, manifest))
        request = Request(
            agent=turn.agent,
            purpose="discuss",
            messages=told.messages,
            turn=await state.space.read(Spoken(turn.thread, turn.agent)) + 1,
            session=session_of(turn),
        )
    else:
        manifest, request = (
            turn.manifest,
            Request(agent=turn.agent, purpose="discuss", messages=[], session=session_of(turn)),
        )
    text = await ask(state, key, request, manifest=manifest, usable=_short_enough)
    return await say(place, turn, key, text, manifest)


async def _left_behind(state: RunState, turn: rows.Turn) -> rows.Step | None:
    """The finished call of another run that was gone before it could post the answer."""
    if turn.run is None or turn.run == state.run or turn.state != "taken":
        return None
    view = await state.space.read(OneRun(turn.run))
    step = next((each for each in view.steps if each.key == turn.step), None)
    return step if step is not None and step.status == "completed" and "reply" in step.result else None


def key_of(place: Place, turn: rows.Turn) -> str:
    """The step's key of an answer: the same in every attempt."""
    return f"{place.id}#{turn.number}/{turn.agent}"


def session_of(turn: rows.Turn) -> str:
    """The conversation an answer belongs to, for agents that remember: the thread."""
    return f"thread {turn.thread}"


def take(state: RunState, turn: rows.Turn, key: str, manifest: str | None) -> TakeTurn:
    """The command that begins an answer."""
    return TakeTurn(
        run=state.run, fence=state.fence, message=turn.message, agent=turn.agent, step=key, manifest=manifest
    )


async def asked_of(place: Place, turn: rows.Turn) -> Asked:
    """What an agent is asked, as things stand now."""
    state = place.state
    thread = await state.space.read(FindThread(turn.thread))
    message = await state.space.read(OneMessage(turn.message))
    agent = state.agents[turn.agent]
    others = [handle for handle in state.agents if handle != turn.agent]
    return Asked(
        agent=agent,
        others=others,
        thread=thread,
        number=message.number,
        actor=message.actor,
        by_person=message.kind == "human",
        text=message.text,
        refs=message.refs,
        upto=thread.count,
        task=discuss_task(agent, others),
    )


async def say(
    place: Place,
    turn: rows.Turn,
    key: str,
    text: str,
    manifest: str | None,
    *,
    step: rows.Step | None = None,
) -> int | None:
    """Post an agent's words as its answer, once, with the decisions they propose; its number.

    `step` is the call they come from; None = that of `key`.
    """
    state = place.state
    id = stable_id(state.run, key)
    try:
        return (await state.space.read(OneMessage(id))).number
    except NotFound:
        pass
    thread = await state.space.read(FindThread(turn.thread))
    step = state.steps.get(key) if step is None else step
    usage = {} if step is None else step.usage
    writing = Writing(
        thread=thread.id,
        text=text,
        known=list(state.agents),
        message=id,
        reply_to=turn.message,
        run=state.run,
        step=key,
    )
    agent_space = state.space.acting_as(state.actor(turn.agent))
    composed = await compose(agent_space, state.folder, writing)
    post = structs.replace(
        composed.command,
        model=None if step is None else step.result.get("model"),
        manifest=manifest,
        input_tokens=usage.get("input_tokens", 0),
        output_tokens=usage.get("output_tokens", 0),
        cost_micros=usage.get("cost_micros"),
    )
    proposals = await _proposals(state, text, id)
    [posted, *_] = await state.commit(post, *proposals, actor=state.actor(turn.agent))
    for each in posted.unasked:
        if each["why"] != "self" and thread.depth:
            state.observer.warning(
                f"@{turn.agent} mentions @{each['agent']}, who is not asked: the limit between agents is reached"
            )
    number: int = posted.number
    return number


def proposed_in(text: str) -> list[str]:
    """Decisions that a text puts up: paragraphs that begin with `Decision:`, outside of code and quotes."""
    prose = prose_of(text)
    return [" ".join(text[match.start(1) : match.end(1)].split()) for match in _DECISION.finditer(prose)]


async def _proposals(state: RunState, text: str, message: str) -> Sequence[ProposeDecision]:
    """The decisions of an answer that are not there yet."""
    there = {row.text.casefold() for row in await state.space.read(Decisions()) if row.status != "superseded"}
    new = [each for each in dict.fromkeys(proposed_in(text)) if each.casefold() not in there]
    return [
        ProposeDecision(decision=stable_id(message, str(at)), text=each, message=message, run=state.run)
        for at, each in enumerate(new, 1)
        if len(each.encode()) <= MAX_TEXT
    ]


def _short_enough(text: str) -> None:
    size = len(text.encode())
    if size > MAX_MESSAGE:
        raise Incomplete(f"the answer has {size} bytes, and a message at most {MAX_MESSAGE}")
