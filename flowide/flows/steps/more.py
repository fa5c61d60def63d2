"""`more`: another round of a set, built on its short list and notes."""

from __future__ import annotations

from typing import Any

from flowide.domain.commands import ShortlistVariation
from flowide.errors import BadInput
from flowide.flows.state import StepContext
from flowide.flows.steps import vary
from flowide.flows.steps.choose import best
from flowide.space.queries import OneVariationSet


async def run(context: StepContext) -> dict[str, Any]:
    """Add variations to a set that is there; the result names the set and the new numbers."""
    state, spec = context.state, context.spec
    n = context.field("n")
    if not isinstance(n, int) or not 1 <= n <= 10:
        raise BadInput(f"{n!r} more variations are not possible", hint="n goes from 1 to 10.")
    view = await state.space.read(OneVariationSet(str(context.field("set"))))
    set = view.set.id
    state.outputs["set"] = set
    if not any(each.variation.shortlisted for each in view.variations) and view.variations:
        # Nothing is on the short list: the suggestion is what "more" builds on.
        await state.commit(ShortlistVariation(set=set, number=best(view)))
    agents = state.handles(spec.agents)
    numbers = await vary.more(state, context.step.id, set, n, agents=agents, wish=str(context.field("wish")))
    state.outputs["numbers"] = numbers
    return {"set": set, "numbers": numbers}
