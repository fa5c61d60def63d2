"""Takes the steps of a flow, or those inside a step, in their order; what each results in is in the log first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import structs

from flowide.domain.commands import RecordStep
from flowide.errors import BadInput, FlowError, NeedsInput
from flowide.flows.contents import inline_or_blob
from flowide.flows.schema import Step
from flowide.flows.state import RunState, StepContext
from flowide.flows.steps import step_of
from flowide.flows.templates import truth

MAX_KEY = 130
"""Characters of a step's key; the calls inside a step add to it."""
NOT_KEPT = frozenset({"text"})
"""Outputs that are not kept with a step: most can be had from what is; the others are kept as a blob."""
AT_ONCE = frozenset({"vary", "critique", "call", "parallel", "repeat"})
"""Kinds that commit something before they do anything: their start is committed together with it."""


async def run_steps(state: RunState, steps: Sequence[Step], prefix: str = "") -> list[RecordStep]:
    """Take steps one after the other; those that are done are passed over with their results.

    Gives the record of the last one: the caller commits it with what comes next, as here the record of each
    step is committed with the start of the next, so before anything of the next is done.

    Raises:
        NeedsInput: A step waits for an answer.
        FlowError: A step failed; it is recorded.
    """
    waiting: list[RecordStep] = []
    for step in steps:
        key = f"{prefix}{step.id}"
        if len(key) > MAX_KEY:
            raise BadInput(f"the key of the step {key} is too long", hint="Give the steps shorter ids.")
        done = state.done(key)
        if done is not None:
            state.results[step.id] = done.result.get("result", {})
            state.outputs.clear()
            state.outputs.update(done.result.get("outputs", {}))
            if "reply" in done.result:
                state.outputs["text"] = (await state.space.blob(done.result["reply"])).decode()
            continue
        if key in state.steps and state.steps[key].status == "skipped":
            continue
        state.put(*waiting)
        waiting = []
        if step.when is not None and not truth(state.fill(step.when)):
            state.put(state.record(key, step.kind, "skipped"))
            continue
        if step.kind != "vary":  # records its start itself, together with its set
            state.put(state.record(key, step.kind, "started"))
        if step.kind not in AT_ONCE:
            await state.commit()
        result = await _one(state, structs.replace(step, id=key))
        state.results[step.id] = result
        waiting = [await _completed(state, key, step.kind, result)]
    return waiting


async def _completed(state: RunState, key: str, kind: str, result: dict[str, Any]) -> RecordStep:
    """The record of a finished step: what it resulted in, and what the run comes to so far."""
    outputs = {name: value for name, value in state.outputs.items() if name not in NOT_KEPT}
    kept: dict[str, Any] = {"result": result, "outputs": outputs}
    text = state.outputs.get("text")
    stored = outputs.get("version") or outputs.get("chosen")
    if text is None or stored:  # it is the text of a version, or of a variation
        return state.record(key, kind, "completed", result=kept)
    inline, blob = await inline_or_blob(state.space, text)
    if blob is not None:
        kept["reply"] = blob
    return state.record(key, kind, "completed", result=kept, reply=inline)


async def _one(state: RunState, step: Step) -> dict[str, Any]:
    try:
        return await step_of(step.kind)(StepContext(state, step))
    except NeedsInput:
        await state.commit()
        raise
    except FlowError as error:
        begun = state.steps[step.id].result if step.id in state.steps else {}
        await state.commit(state.record(step.id, step.kind, "failed", result=begun, error=error.to_dict()))
        raise


async def run_inside(state: RunState, steps: Sequence[Step], prefix: str) -> dict[str, Any]:
    """Take the steps inside a step; the results of those that were taken, by id."""
    before = dict(state.results)
    state.put(*await run_steps(state, steps, prefix))
    return {
        step.id: state.results[step.id]
        for step in steps
        if step.id in state.results and state.results[step.id] is not before.get(step.id)
    }
