"""Runs this process drives: started, followed word by word, answered, resumed, stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

from flowide.domain.commands import MAX_BLOB, AnswerGate
from flowide.domain.ids import uuid7
from flowide.domain.rows import Gate
from flowide.errors import Busy, FlowError
from flowide.flows import cancelling
from flowide.flows.api import Budget, Observer, RunRequest
from flowide.project.answering import answer as carry_out
from flowide.space import queries as q
from flowide.tui.engine.news import News
from flowide.tui.engine.session import Live, Session
from flowide.tui.views.gates import Answer
from flowide.tui.views.run_tree import TOOL

if TYPE_CHECKING:
    from flowide.project.folder import ProjectFolder

MOST_LIVE = MAX_BLOB
"""Characters of one streaming answer that are kept to be shown: no answer is longer."""


class Watcher(Observer):
    """Keeps what a run writes where the app can draw it."""

    def __init__(self, session: Session, run: str) -> None:
        self._session = session
        self._texts = session.live.setdefault(run, {})

    def delta(self, step: str, actor: str, text: str, *, restart: bool) -> None:
        live = self._texts.get(step)
        if live is None or restart:
            live = self._texts[step] = Live(step, actor)
        if live.size < MOST_LIVE:
            live.add(text)
        self._session.tell(News(texts=True))

    def warning(self, message: str) -> None:
        self._session.tell(News(warnings=[message]))


async def start(session: Session, request: RunRequest) -> str:
    """Start a run; its id. It goes on in the background of the engine."""
    run = uuid7()
    _drive(session, run, lambda watcher: session.flows.start(request, run=run, observer=watcher))
    return run


async def drive(session: Session, work: Callable[[str, Observer], Awaitable[Any]]) -> None:
    """Drive a run that `work` starts under the id it is given, to its end; what goes wrong is told."""
    run = uuid7()
    _drive(session, run, lambda watcher: work(run, watcher))
    await asyncio.wait({session.runs[run]})


async def more(session: Session, set_id: str, count: int, wish: str = "") -> None:
    """Another round of a set: the answer to the run that asks about it, else a run of its own."""
    gate = await open_gate(session, set_id)
    if gate is not None:
        await answer(session, gate, Answer(f"more {count} {wish}".strip()))
        return
    checks: list[str] = []
    seen = await session.space.read(q.OneVariationSet(set_id))
    if seen.set.run is not None:
        made_by = await session.space.read(q.OneRun(seen.set.run))
        checks = made_by.run.inputs.get("checks") or []
    inputs = {"set": set_id, "n": count, "checks": checks}
    await start(session, RunRequest(flow="more", brief=wish, inputs=inputs, on_gate="wait"))


async def resume(session: Session, run: str) -> None:
    """Go on with a run that has stopped; nothing that was finished is done again."""
    if run not in session.runs:
        _drive(session, run, lambda watcher: session.flows.resume(run, observer=watcher))


async def cancel(session: Session, run: str) -> None:
    """Stop a run, whoever drives it."""
    task = session.runs.get(run)
    if task is None:
        await cancelling.cancel(session.space, run)
    else:
        task.cancel()
        await asyncio.wait({task}, timeout=2)


async def answer(session: Session, gate: Gate, given: Answer) -> None:
    """Answer a question; a run that stopped at it goes on here."""
    if gate.run is None:  # about the folder: a conflict, a commit
        folder = cast("ProjectFolder", session.folder)
        await carry_out(folder, session.space, gate, given.answer, given.reason)
        return
    await session.space.execute(AnswerGate(gate=gate.id, answer=given.answer, reason=given.reason))
    if gate.run in session.runs:
        return
    view = await session.space.read(q.OneRun(gate.run))
    if not view.alive and view.run.status in {"waiting", "running", "cancelled", "failed"}:
        await resume(session, gate.run)


async def accept(session: Session, set_id: str, number: int, note: str) -> tuple[str, int | None]:
    """Accept a variation. When a run asks which one, that is the answer and the run saves it.

    Returns the path and the version; None while the run is about to save it.
    """
    gate = await open_gate(session, set_id)
    if gate is not None:
        await answer(session, gate, Answer(str(number), note or None))
        seen = await session.space.read(q.OneVariationSet(set_id))
        return seen.set.path or seen.set.title, None
    return await session.flows.accept(set_id, number, note)


async def open_gate(session: Session, set_id: str) -> Gate | None:
    """The open question which variation of a set to take."""
    gates = await session.space.read(q.Gates())
    return next((gate for gate in gates if gate.context.get("set") == set_id and gate.kind == "choose"), None)


async def blend(
    session: Session, set_id: str, base: int, takes: list[tuple[int, str]]
) -> tuple[int, list[str]]:
    """Build the blend: the number of the new variation, and what it lacks. Its checks run meanwhile."""
    number, warnings = await session.flows.blend(set_id, base, takes)
    task = asyncio.create_task(_check(session, set_id, number), name=f"checks of {number}")
    session.background.add(task)
    task.add_done_callback(session.background.discard)
    return number, warnings


async def _check(session: Session, set_id: str, number: int) -> None:
    try:
        await session.flows.check(set_id, number)
    except FlowError as error:
        session.tell(News(warnings=[f"variation {number} was not checked: {error.message}"]))


async def live_texts(session: Session, run: str) -> dict[str, str]:
    """What each working step of a run has written so far, and how far tools are."""
    mine = session.live.get(run)
    view = await session.space.read(q.OneRun(run))
    found = {} if mine is None else {key: live.text for key, live in mine.items()}
    for step in view.steps:
        if step.status == "started" and (mine is None or step.kind == TOOL):
            found[step.key] = await session.space.read(q.StepText(run, step.key))
    return found


async def bounds(session: Session, view: q.RunView) -> Budget:
    """What a run may use: the bounds of its flow file and those it was given."""
    from msgspec import ValidationError, convert

    from flowide.flows.budget import bounds_of
    from flowide.flows.load import parse_flow

    try:
        given = convert(view.run.options.get("budget") or {}, Budget)
        flow = await asyncio.to_thread(parse_flow, view.run.flow_text, view.run.flow)
    except (FlowError, ValidationError):
        return Budget()
    return bounds_of(flow.flow.budget, given)


def _drive(session: Session, run: str, work: Callable[[Observer], Awaitable[Any]]) -> None:
    session.runs[run] = asyncio.create_task(_run(session, run, work), name=f"run {run[:8]}")


async def _run(session: Session, run: str, work: Callable[[Observer], Awaitable[Any]]) -> None:
    try:
        await work(Watcher(session, run))
    except Busy as busy:
        session.tell(News(warnings=[busy.message]))
    except FlowError as error:
        session.tell(News(warnings=[f"{error.message} {error.hint}".strip()]))
    finally:
        session.runs.pop(run, None)
        session.live.pop(run, None)
        session.tell(News(snapshot=session.shown, texts=True))
