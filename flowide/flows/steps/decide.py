"""`decide`: what a discussion comes to is put up, and a person agrees or does not."""

from __future__ import annotations

from typing import Any

from flowide.agents.api import Request
from flowide.agents.context import encode
from flowide.domain import rows
from flowide.domain.commands import AgreeDecision, ProposeDecision, SupersedeDecision
from flowide.domain.decisions import MAX_TEXT
from flowide.errors import BadInput, Incomplete, NotFound, Rejected
from flowide.flows.asking import ask
from flowide.flows.discussion.context import Asked, tell
from flowide.flows.stable import stable_id
from flowide.flows.state import RunState, StepContext
from flowide.flows.steps.gate import answered
from flowide.space.queries import Decisions, FindThread, OneDecision, ThreadMessages

TASK = (
    "Put what this discussion comes to into one decision: one or two sentences that say what holds from now on, "
    "without reasons and without 'Decision:'. Answer with those sentences and nothing else."
)


async def run(context: StepContext) -> dict[str, Any]:
    """Have every open decision of the thread settled; one is worded first when there is none."""
    state, step = context.state, context.step
    named = str(context.field("thread") or state.outputs.get("thread") or "")
    if not named:
        raise BadInput(
            "there is no discussion to decide on", hint="Put a discuss step before, or name a thread."
        )
    thread = await state.space.read(FindThread(named))
    state.outputs["thread"] = thread.id
    found = state.done(f"{step.id}/found")
    if found is None:
        stored = [row.id for row in await _open(state, thread.id)] or [await _worded(context, thread)]
        await state.commit(
            state.record(f"{step.id}/found", "decide", "completed", result={"decisions": stored})
        )
    else:
        stored = found.result["decisions"]
    settled = []
    for at, id in enumerate(stored, 1):
        row = await state.space.read(OneDecision(id))
        if row.status == "open":
            await _settle(context, row, f"{step.id}#{at}")
        settled.append(await state.space.read(OneDecision(id)))
    agreed = [row for row in settled if row.status == "agreed"]
    state.outputs["decisions"] = [f"D{row.number}" for row in agreed]
    if context.spec.required and not agreed:
        raise Rejected("no decision was agreed", hint="Discuss on, then run again.")
    lines = "".join(f"D{row.number} ({row.status}): {row.text}\n" for row in settled)
    state.outputs["text"] = f"{state.outputs['text']}\n{lines}" if state.outputs.get("text") else lines
    return {"thread": thread.id, "agreed": [row.number for row in agreed], "decisions": stored}


async def _open(state: RunState, thread: str) -> list[rows.Decision]:
    return [row for row in await state.space.read(Decisions("open")) if row.thread == thread]


async def _worded(context: StepContext, thread: rows.Thread) -> str:
    """Have an agent put the discussion into a decision; its id."""
    state, key = context.state, f"{context.step.id}/worded"
    view = await state.space.read(ThreadMessages(thread.id, limit=1))
    if not view.messages:
        raise BadInput("nothing was said in the thread", hint="Discuss first.")
    last = view.messages[-1]
    handle = state.handles([context.spec.by] if context.spec.by else [])[0]
    text = str(context.field("text") or "").strip()
    if not text:
        agent = state.agents[handle]
        asked = Asked(
            agent=agent,
            others=[],
            thread=thread,
            number=thread.count + 1,
            actor=state.space.actor.id,
            text="What is decided?",
            refs=[],
            upto=thread.count,
            task=TASK,
        )
        told = await tell(state.space, state.folder, asked, context.field("context"))
        manifest = await state.space.put_blob(encode(told.fitted.manifest))
        request = Request(agent=handle, purpose="decide", messages=told.messages)
        text = _plain(await ask(state, key, request, manifest=manifest, usable=_usable))
    id = stable_id(state.run, key)
    try:
        await state.space.read(OneDecision(id))
    except NotFound:
        propose = ProposeDecision(decision=id, text=text, message=last.id, run=state.run)
        await state.commit(propose, actor=state.actor(handle))
    return id


def _plain(text: str) -> str:
    words = " ".join(text.split())
    return words.removeprefix("Decision:").strip().strip("*").strip()


def _usable(text: str) -> None:
    plain = _plain(text)
    if not plain or len(plain.encode()) > MAX_TEXT:
        raise Incomplete(f"a decision has from 1 to {MAX_TEXT} bytes, this one has {len(plain.encode())}")


async def _settle(context: StepContext, row: rows.Decision, key: str) -> None:
    """Ask a person; the answer settles it."""
    state = context.state
    gate = await answered(
        state,
        key,
        kind="decide",
        question=f"Agree to D{row.number}? {row.text}",
        options=["approve", "reject"],
        by_policy={"approve": "approve", "reject": "reject"}.get(state.request.on_gate),
        context={"decision": row.id, "number": row.number, "text": row.text, "thread": row.thread},
    )
    if (await state.space.read(OneDecision(row.id))).status != "open":
        return  # settled from elsewhere meanwhile
    if gate.answer == "approve":
        await state.space.execute(AgreeDecision(decision=row.id, reason=gate.reason or "", gate=gate.id))
    else:
        await state.space.execute(
            SupersedeDecision(decision=row.id, reason=gate.reason or f"@{gate.by} did not agree")
        )
