"""`gate`: a question to a person. Also what every other step that asks uses."""

from __future__ import annotations

from typing import Any

from flowide.domain import rows
from flowide.domain.commands import AnswerGate, OpenGate
from flowide.domain.ids import uuid7
from flowide.errors import NeedsInput, Rejected
from flowide.flows.state import RunState, StepContext
from flowide.space.queries import Gates


async def run(context: StepContext) -> dict[str, Any]:
    """Ask; a rejection ends the run."""
    state, step = context.state, context.step
    options = list(context.spec.options)
    policy = {"approve": options[0] if options else "approve", "reject": options[-1] if options else "reject"}
    gate = await answered(
        state,
        step.id,
        kind="approve",
        question=context.field("question"),
        options=options,
        by_policy=policy.get(state.request.on_gate),
    )
    if gate.answer == "reject":
        raise Rejected(f"{gate.by} rejected: {gate.reason or 'no reason given'}", gate=gate.id)
    return {"answer": gate.answer, "by": gate.by, "reason": gate.reason}


async def answered(
    state: RunState,
    key: str,
    *,
    kind: str,
    question: str,
    options: list[str],
    by_policy: str | None,
    context: dict[str, Any] | None = None,
) -> rows.Gate:
    """The gate of this step, once it has its answer; opened on the first call for the key.

    Raises:
        NeedsInput: Nobody has answered yet, and the run does not wait.
    """
    gate = await _gate(state, key)
    if gate is None:
        opened = OpenGate(
            gate=uuid7(),
            run=state.run,
            fence=state.fence,
            step=key,
            kind=kind,
            question=question,
            options=options,
            context=context or {},
        )
        await state.space.execute(opened)
        gate = await _gate(state, key)
        assert gate is not None
    if gate.status == "open" and by_policy is not None:
        await state.space.execute(
            AnswerGate(gate=gate.id, answer=by_policy, reason=f"policy --on-gate {state.request.on_gate}")
        )
    elif gate.status == "open" and state.request.on_gate == "wait":
        await _wait(state, gate)
    elif gate.status == "open":
        raise NeedsInput(
            f"the run waits for an answer: {question}",
            hint=f"Answer with `flowide gate answer {gate.id} …`, then resume the run.",
            gate=gate.id,
        )
    found = await _gate(state, key)
    assert found is not None
    return found


async def _gate(state: RunState, key: str) -> rows.Gate | None:
    gates = await state.space.read(Gates(status=None, run=state.run))
    return next((gate for gate in gates if gate.step == key), None)


async def _wait(state: RunState, gate: rows.Gate) -> None:
    with state.spending.clock.question():
        async for event in state.space.events(gate.seq, follow=True):
            if event.type == "gate.answered" and event.data["gate"] == gate.id:
                return
