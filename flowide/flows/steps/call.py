"""`call`: another flow, run as a step."""

from __future__ import annotations

from typing import Any

from flowide.agents.definition import AgentDefinition
from flowide.errors import BadInput
from flowide.flows.budget import Spending, bounds_of
from flowide.flows.called import Called
from flowide.flows.load import input_values
from flowide.flows.running import NOT_KEPT, run_inside
from flowide.flows.state import RunState, StepContext


async def run(context: StepContext) -> dict[str, Any]:
    """Its steps have keys below this step's; it sees its inputs only, and what it comes to is the run's."""
    state, id = context.state, context.step.id
    called = state.called[context.spec.flow]
    given = {name: state.inputs[name] for name in ("brief", "path") if state.inputs.get(name)}
    given |= {name: state.fill(value) for name, value in context.spec.inputs.items()}
    scope = state.scope(
        flow=called.flow,
        called=called.called,
        inputs=input_values(called.flow, given),
        agents=_agents(state, called),
        spending=_spending(state, called, f"{id}/"),
        results={},
        outputs={},
    )
    results = await run_inside(scope, called.flow.steps, f"{id}/")
    state.outputs.update(scope.outputs)
    outputs = {k: v for k, v in scope.outputs.items() if k not in NOT_KEPT}
    return {"flow": called.flow.flow, "steps": results, "outputs": outputs}


def _agents(state: RunState, called: Called) -> dict[str, AgentDefinition]:
    """Those its file names, unless whoever started the run named some; else the caller's."""
    if state.request.agents or not called.flow.agents:
        return state.agents
    found: dict[str, AgentDefinition] = {}
    for name in called.flow.agents:
        handle = name.removeprefix("@")
        match = next((a for a in state.everyone.values() if handle in {a.handle, a.model}), None)
        if match is None:
            raise BadInput(f"the flow {called.flow.flow} names @{handle}, which is no agent of this run")
        found[match.handle] = match
    return found


def _spending(state: RunState, called: Called, prefix: str) -> Spending:
    """What the called flow may use itself; what it uses counts for the run too."""
    began = state.past.began.setdefault(prefix.removesuffix("/"), state.spending.clock.elapsed())
    spending = Spending(bounds_of(called.flow.budget), parent=state.spending, began=began)
    for call in state.past.calls:
        if call.key.startswith(prefix):
            spending.recall(call)
    return spending
