"""`choose`: a person picks a variation or a blend, or asks for more; or a policy does."""

from __future__ import annotations

from typing import Any

from flowide.domain.commands import Command, ShortlistVariation
from flowide.errors import BadInput, FlowError, Rejected
from flowide.flows.blending import blend
from flowide.flows.checks import commands_of
from flowide.flows.choosing import Choice
from flowide.flows.resolving import understood
from flowide.flows.state import StepContext
from flowide.flows.steps import critique, vary
from flowide.flows.steps.check import check_all
from flowide.flows.steps.gate import answered
from flowide.space.queries import OneVariationSet, SetView

MAX_ROUNDS = 20


async def run(context: StepContext) -> dict[str, Any]:
    """Ask until something is chosen; the result names the chosen variation."""
    state, step = context.state, context.step
    set = state.outputs.get("set")
    if not set:
        raise BadInput("there is nothing to choose from", hint="Put a vary step before the choose step.")
    for round in range(1, MAX_ROUNDS + 1):
        key = f"{step.id}#{round}"
        if state.done(f"{key}/unclear") is not None:
            continue  # told before, and asked again
        view = await state.space.read(OneVariationSet(set))
        policy = {"approve": str(best(view)), "reject": "reject"}.get(state.request.on_gate)
        gate = await answered(
            state,
            key,
            kind="choose",
            question=context.field("question"),
            options=[],
            by_policy=policy,
            context={"set": set, "suggested": best(view)},
        )
        view = await state.space.read(OneVariationSet(set))  # while it waited, a person may have blended
        try:
            choice = await understood(state, key, gate.answer or "", view)
        except BadInput as error:
            state.observer.warning(f"{gate.answer!r}: {error.message} {error.hint}")
            await state.commit(state.record(f"{key}/unclear", "choose", "completed"))
            continue
        if choice.rejected:
            raise Rejected(f"{gate.by} rejected all variations: {choice.reason or 'no reason given'}")
        if choice.more is not None:
            await _more(context, key, set, choice)
            continue
        number = choice.base or 0
        if choice.takes:
            try:
                number = await blended(context, key, set, choice)
            except FlowError as error:
                if error.code not in {"rejected", "not_found", "bad_args"}:
                    raise
                state.observer.warning(f"{gate.answer!r}: {error.message} {error.hint}")
                continue
        state.choose(number)
        return {"set": set, "number": number, "by": gate.by, "answer": gate.answer}
    raise Rejected(f"nothing was chosen in {MAX_ROUNDS} rounds")


def best(view: SetView) -> int:
    """What a policy chooses: most checks passed, then the best score, then the smallest, then the first."""

    def rank(number: int) -> tuple[int, int, int, int]:
        each = next(each for each in view.variations if each.variation.number == number)
        passed = sum(check.status == "passed" for check in each.checks)
        scores = [note["score"] for note in each.variation.notes if note["score"] is not None]
        return -passed, -(scores[-1] if scores else 0), each.variation.size, number

    numbers = [each.variation.number for each in view.variations if not each.variation.rejected]
    if not numbers:
        raise Rejected("every variation was set aside", hint="Ask for more.")
    return min(numbers, key=rank)


async def _more(context: StepContext, key: str, set: str, choice: Choice) -> None:
    state = context.state
    if state.done(key) is not None:
        return
    view = await state.space.read(OneVariationSet(set))
    if not any(each.variation.shortlisted for each in view.variations):
        # Nothing is on the short list: the suggestion is what "more" builds on.
        starts: list[Command[Any]] = [ShortlistVariation(set=set, number=best(view))]
        await state.commit(*starts)
    agents = state.handles([])
    numbers = await vary.more(state, key, set, choice.more or 1, agents=agents, wish=choice.wish)
    await _check(context, set)
    if any(step.kind == "critique" and step.status == "completed" for step in state.steps.values()):
        await critique.criticise(context, f"{key}/critique")
    await state.commit(state.record(key, "more", "completed", result={"numbers": numbers}))


async def blended(context: StepContext, key: str, set: str, choice: Choice) -> int:
    """Make the blend that was asked for, and check it; its number. Made once for the key."""
    state = context.state
    made = await blend(state.space, set, choice.base or 0, choice.takes, run=state.run, step=f"{key}/blend")
    for warning in made.warnings:
        state.observer.warning(f"variation {made.number}: {warning}")
    await _check(context, set)
    return made.number


async def _check(context: StepContext, set: str) -> None:
    outputs = context.state.outputs
    if "checks" in outputs:
        commands = commands_of(outputs["checks"])
        await check_all(context.state, set, commands, timeout_s=outputs["check_timeout_s"])
