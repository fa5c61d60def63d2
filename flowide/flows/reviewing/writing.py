"""An agent writes the next version of a text: lock, draft, what people take of it, save."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

import msgspec
from msgspec import Struct

from flowide.agents.api import Request
from flowide.domain import rows
from flowide.domain.commands import Provenance, ReleaseLock, Versioned
from flowide.domain.limits import MAX_NOTE
from flowide.errors import BadInput, Conflict, FlowError
from flowide.flows.asking import ask
from flowide.flows.drafting import DraftStream, words_of
from flowide.flows.leases import lock_ms
from flowide.flows.prompt import Prompt
from flowide.flows.reviewing import hunks
from flowide.flows.state import RunState
from flowide.flows.steps.gate import answered
from flowide.flows.steps.vary import usable_text
from flowide.flows.target import Target, target_of
from flowide.project.merging import merge
from flowide.space.api import Space
from flowide.space.leases import LeaseKeeper
from flowide.space.queries import Content, FindArtifact, History, Locks
from flowide.space.waiting import acquire

MAX_ANSWERS = 20
"""Answers that cannot be read, after which the step fails."""


class Job(Struct, frozen=True, kw_only=True):
    """A text that is to be written."""

    key: str
    """Of the step of the call."""
    path: str
    """`path` or `path:Piece`."""
    agent: str
    purpose: str
    turn: int
    prompt: Callable[[Target], Prompt]
    note: str
    hunks: bool = False
    """A person says which changes are taken."""


class Written(Struct, frozen=True):
    """What came of it."""

    artifact: str
    path: str
    version: int
    base: int
    """The version it was made from; the same as `version` when nothing was changed, 0 for a new file."""
    refused: list[dict[str, Any]] = []
    words: str = ""
    """What the agent says about it."""


async def write(state: RunState, job: Job) -> Written:
    """Have an agent write, and save what is taken of it; once, however often the run breaks off.

    Raises:
        Busy: The lock did not come in time.
        Conflict: Somebody else changed the same lines meanwhile.
        FlowError: The text could not be had.
    """
    saved = state.done(f"{job.key}/saved")
    if saved is not None:
        return msgspec.convert(saved.result, Written)
    target = await target_of(state.space, state.folder, job.path)
    written = await (_create(state, job, target) if target.artifact is None else _change(state, job, target))
    result = msgspec.to_builtins(written)
    await state.commit(state.record(f"{job.key}/saved", job.purpose, "completed", result=result))
    return written


async def _create(state: RunState, job: Job, target: Target) -> Written:
    reply = await _ask(state, job, target, None)
    space = state.space.acting_as(state.actor(job.agent))
    text = usable_text(reply, target)
    made = await state.folder.create(space, target.path, text, note=_note(job), origin=_origin(state, job))
    return Written(made.artifact, target.path, made.version, 0, words=words_of(reply))


async def _change(state: RunState, job: Job, target: Target) -> Written:
    assert target.artifact is not None
    artifact, space = target.artifact, state.space.acting_as(state.actor(job.agent))
    for version in await space.read(History(artifact.id)):
        if (version.run, version.step) == (state.run, job.key):  # saved before the process was gone
            base = version.base if version.version > 1 else 0
            return Written(artifact.id, artifact.path, version.version, base)
    async with _locked(state, space, artifact, job) as draft:
        target = await _based(state, job, space, artifact, target)
        reply = await _ask(state, job, target, draft)
        text = usable_text(reply, target)
        if not job.hunks:
            return await _save(state, job, space, target, text, draft, [], words_of(reply))
    refused: list[dict[str, Any]] = []
    if text != target.text:  # the lock is free while a person thinks
        text, refused = await _taken(state, job, target, text)
    async with _locked(state, space, artifact, job) as draft:
        return await _save(state, job, space, target, text, draft, refused, words_of(reply))


async def _based(state: RunState, job: Job, space: Space, artifact: rows.Artifact, target: Target) -> Target:
    """The text the agent is, or was, shown; noted before it is asked."""
    noted = state.done(f"{job.key}/base")
    if noted is None:
        now = await space.read(FindArtifact(artifact.id))
        base = now.version
        await state.commit(
            state.record(f"{job.key}/base", job.purpose, "completed", result={"version": base})
        )
    else:
        base = noted.result["version"]
    data = await space.read(Content(artifact.id, base))
    return Target(target.path, target.piece, msgspec.structs.replace(artifact, version=base), data.decode())


async def _ask(state: RunState, job: Job, target: Target, draft: _Held | None) -> str:
    request = Request(agent=job.agent, purpose=job.purpose, messages=[], turn=job.turn, target=target.path)
    heard = None if draft is None else draft.stream.heard
    return await ask(
        state,
        job.key,
        request,
        prompt=job.prompt(target),
        usable=lambda text: usable_text(text, target),
        heard=heard,
    )


async def _save(
    state: RunState,
    job: Job,
    space: Space,
    target: Target,
    text: str,
    held: _Held,
    refused: list[dict[str, Any]],
    words: str,
) -> Written:
    """Save on top of what is there now; what others changed in other lines meanwhile stays."""
    assert target.artifact is not None
    base = target.artifact.version
    now = await space.read(FindArtifact(target.artifact.id))
    if text == target.text:
        return Written(now.id, now.path, now.version, now.version, refused, words)
    if now.version != base:
        theirs = await space.read(Content(now.id))
        merged = merge(target.text.encode(), text.encode(), theirs)
        if merged.conflicts:
            raise Conflict(
                f"{now.path} is at version {now.version}, and what @{job.agent} wrote for version {base} "
                "changes the same lines",
                hint="Start the flow again on the newest version.",
                version=now.version,
            )
        text = merged.data.decode()
    saved: Versioned = await state.folder.save(
        space,
        now,
        fence=held.fence,
        base=now.version,
        data=text,
        note=_note(job),
        then="keep",
        origin=_origin(state, job),
    )
    return Written(now.id, now.path, saved.version, now.version, refused, words)


async def _taken(state: RunState, job: Job, target: Target, text: str) -> tuple[str, list[dict[str, Any]]]:
    """What a person takes of the agent's changes.

    Raises:
        NeedsInput: Nobody has answered yet.
    """
    found = hunks.hunks_of(target.text, text)
    shown = [{"hunk": each.number, "diff": each.diff} for each in found]
    for attempt in range(1, MAX_ANSWERS + 1):
        gate = await answered(
            state,
            f"{job.key}/hunks" + (f"-{attempt}" if attempt > 1 else ""),
            kind="hunks",
            question=f"@{job.agent} changed {target.path} in {len(found)} places. Which shall be taken?",
            options=[],
            by_policy={"approve": "all", "reject": "none"}.get(state.request.on_gate),
            context={"path": target.path, "agent": job.agent, "hunks": shown[:200]},
        )
        try:
            taken = hunks.read_answer(gate.answer or "", gate.reason, len(found))
        except BadInput as error:
            state.observer.warning(f"{gate.answer!r}: {error.message} {error.hint}")
            continue
        return hunks.apply(target.text, text, taken.numbers), hunks.refusals(found, taken.why)
    raise BadInput(f"{MAX_ANSWERS} answers could not be read", hint="all, none, or numbers such as 1,3")


class _Held(Struct, frozen=True):
    """A lock that is held, and where the draft under it goes."""

    fence: int
    stream: DraftStream


@asynccontextmanager
async def _locked(state: RunState, space: Space, artifact: rows.Artifact, job: Job) -> AsyncIterator[_Held]:
    """The lock, also the one this step held before its process was gone."""
    ttl_ms = lock_ms(space)
    purpose = f"{job.purpose} in run {state.run[:13]}, {job.key}"
    [held] = await space.read(Locks(artifact.id))
    lock = held.lock
    if (lock.state, lock.actor, lock.client, lock.purpose) == ("held", job.agent, space.client, purpose):
        fence = lock.fence
    else:
        granted = await acquire(
            space, artifact.id, timeout_s=state.request.lock_timeout_s, ttl_ms=ttl_ms, purpose=purpose
        )
        fence = granted.fence or 0
    try:
        async with LeaseKeeper.of_lock(space, artifact.id, fence, ttl_ms=ttl_ms) as keeper:
            yield _Held(fence, DraftStream(space, artifact.id, fence, keeper))
    finally:
        # A finished text is in the log; when the lock was lost, there is nothing to give back.
        draft: Literal["keep", "drop"] = "keep" if state.done(job.key) is None else "drop"
        with contextlib.suppress(FlowError):
            await space.execute(ReleaseLock(artifact=artifact.id, fence=fence, draft=draft))


def _origin(state: RunState, job: Job) -> Provenance:
    step = state.steps.get(job.key)
    return Provenance(model=None if step is None else step.result.get("model"), run=state.run, step=job.key)


def _note(job: Job) -> str:
    return job.note.strip().encode()[:MAX_NOTE].decode("utf-8", "ignore")
