"""`repeat`: steps that are taken again until a condition holds."""

from __future__ import annotations

from typing import Any

from flowide.errors import BadInput, Rejected
from flowide.flows.running import run_inside
from flowide.flows.soundness import MAX_TIMES
from flowide.flows.state import StepContext
from flowide.flows.templates import truth


async def run(context: StepContext) -> dict[str, Any]:
    """At least one round; the result holds the results of the steps as they were last.

    Raises:
        Rejected: The condition is required and does not hold after the last round.
    """
    state, spec, id = context.state, context.spec, context.step.id
    times = context.field("times")
    if not isinstance(times, int) or not 1 <= times <= MAX_TIMES:
        raise BadInput(f"{times!r} rounds are not possible", hint=f"times goes from 1 to {MAX_TIMES}.")
    results: dict[str, Any] = {}
    met, round = False, 0
    while not met and round < times:
        round += 1
        scope = state.scope(inputs={**state.inputs, "round": round})
        scope.results |= results
        results |= await run_inside(scope, spec.steps, f"{id}#{round}/")
        state.outputs.update(scope.outputs)
        met = truth(scope.fill(spec.until))
    if not met and truth(context.field("required")):
        raise Rejected(
            f"after {round} rounds of {id} its condition does not hold: {spec.until}",
            hint="Allow more rounds, or make the task smaller.",
            step=id,
        )
    return {"rounds": round, "met": met, "steps": results}
