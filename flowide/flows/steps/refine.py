"""`refine`: the chosen variation goes back to a writer with what was said of it, and with its picture."""

from __future__ import annotations

from typing import Any

from flowide.errors import BadInput
from flowide.flows import prompting
from flowide.flows.picturing.kept import images_of
from flowide.flows.picturing.prompts import refine
from flowide.flows.state import StepContext
from flowide.flows.steps import vary
from flowide.flows.steps.choose import best
from flowide.flows.steps.vary import Slot
from flowide.flows.target import Target, target_of
from flowide.space.queries import OneVariationSet, VariationText


async def run(context: StepContext) -> dict[str, Any]:
    """A new variation that is chosen from now on; the result names it and what it was made of."""
    state, id = context.state, context.step.id
    set = state.outputs.get("set")
    if not set:
        raise BadInput("there is nothing to refine", hint="Put a vary step before the refine step.")
    view = await state.space.read(OneVariationSet(set))
    own = f"{state.run}:{id}#1"  # after a resume it may be there already
    earlier = [each for each in view.variations if each.variation.id != own]
    number = int(state.outputs.get("chosen") or best(view))
    each = next(each for each in earlier if each.variation.number == number)
    target = await target_of(state.space, state.folder, view.set.path or "")
    target = Target(target.path, view.set.piece, target.artifact, await vary.base_text(state, view))
    writers = state.handles(context.spec.agents)
    author = each.variation.actor
    agent = author if author in state.agents and not context.spec.agents else writers[0]
    turn = 1 + sum(each.variation.actor == agent and each.variation.round > 1 for each in earlier)
    text = await state.space.read(VariationText(set, number))
    images = await images_of(state, [each])
    slot = Slot(f"{id}#1", agent, turn, parents=[{"variation": number}])
    [made] = await vary.write(
        state,
        set,
        target,
        [slot],
        purpose="refine",
        prompt=lambda slot: refine(
            state.agents[slot.agent],
            view.set.brief,
            target,
            each,
            text,
            str(context.field("ask")),
            prompting.project_rules(state.folder),
        ),
        images=list(images.values()),
        at_least=1,
        round=max((each.variation.round for each in earlier), default=1) + 1,
    )
    state.choose(made)
    state.outputs["numbers"] = [made]
    return {"set": set, "number": made, "of": number, "by": agent}
