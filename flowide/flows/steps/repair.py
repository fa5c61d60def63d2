"""`repair`: variations whose checks failed go back to their writers, with what the checks printed."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flowide.errors import BadInput
from flowide.flows import prompting
from flowide.flows.prompt import Prompt
from flowide.flows.state import StepContext
from flowide.flows.steps import vary
from flowide.flows.steps.vary import Slot
from flowide.flows.target import Target, target_of
from flowide.space.queries import OneVariationSet, SetView, VariationText, VariationView


async def run(context: StepContext) -> dict[str, Any]:
    """Have the best of them mended; the result names the set and the new numbers, none when nothing failed."""
    state, id, n = context.state, context.step.id, context.field("n")
    set = state.outputs.get("set")
    if not set:
        raise BadInput("there is nothing to repair", hint="Put a vary and a check step before.")
    if not isinstance(n, int) or not 1 <= n <= 10:
        raise BadInput(f"{n!r} repairs are not possible", hint="n goes from 1 to 10.")
    view = await state.space.read(OneVariationSet(set))
    # After a resume part of this step's may be there already.
    earlier = [each for each in view.variations if not each.variation.id.startswith(f"{state.run}:{id}#")]
    broken = failed(earlier)[:n]
    if not broken:
        return {"set": set, "numbers": []}
    target = await target_of(state.space, state.folder, view.set.path or "")
    base = await vary.base_text(state, view)
    target = Target(target.path, view.set.piece, target.artifact, base)
    slots = _slots(context, earlier, broken)
    texts = [await state.space.read(VariationText(set, each.variation.number)) for each in broken]
    told = {slot.key: (each, text) for slot, each, text in zip(slots, broken, texts, strict=True)}
    rules, ask = prompting.project_rules(state.folder), str(context.field("ask"))

    def prompt(slot: Slot) -> Prompt:
        each, text = told[slot.key]
        return prompting.repair(state.agents[slot.agent], view.set.brief, target, each, text, ask, rules)

    numbers = await vary.write(
        state,
        set,
        target,
        slots,
        purpose="repair",
        prompt=prompt,
        at_least=1,
        round=_round(view, earlier),
    )
    state.outputs["numbers"] = numbers
    return {"set": set, "numbers": numbers}


def failed(variations: list[VariationView]) -> list[VariationView]:
    """Those with a failed check that were not mended yet; most passed checks first, then the newest."""
    mended = {
        parents[0]["variation"]
        for each in variations
        if len(parents := each.variation.parents) == 1 and "piece" not in parents[0]
    }
    found = [
        each
        for each in variations
        if not each.variation.rejected
        and each.variation.number not in mended
        and any(check.status != "passed" for check in each.checks)
    ]
    return sorted(
        found,
        key=lambda each: (
            -sum(check.status == "passed" for check in each.checks),
            -each.variation.round,
            each.variation.number,
        ),
    )


def _round(view: SetView, earlier: list[VariationView]) -> int:
    return max((each.variation.round for each in earlier), default=view.set.round or 1) + 1


def _slots(context: StepContext, earlier: list[VariationView], broken: list[VariationView]) -> list[Slot]:
    state, wanted = context.state, context.spec.agents
    menders = state.handles(wanted)
    turns = Counter(each.variation.actor for each in earlier if each.variation.round > 1)
    slots = []
    for at, each in enumerate(broken):
        own = each.variation.actor
        agent = own if own in state.agents and not wanted else menders[at % len(menders)]
        turns[agent] += 1
        parents = [{"variation": each.variation.number}]
        slots.append(Slot(f"{context.step.id}#{at + 1}", agent, turns[agent], parents=parents))
    return slots
