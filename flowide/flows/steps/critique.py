"""`critique`: an agent reads all variations and gives each a score and reasons."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Struct, convert

from flowide.agents.api import Request
from flowide.agents.extract import extract_json
from flowide.domain.commands import Command, NoteVariation
from flowide.errors import BadInput, FlowError
from flowide.flows import prompting
from flowide.flows.asking import ask
from flowide.flows.picturing.kept import images_of, tree_of
from flowide.flows.reviewing.roles import turn_of
from flowide.flows.state import StepContext, is_critic
from flowide.space.queries import OneVariationSet, VariationText


class Verdict(Struct, frozen=True):
    """What a critic says of one variation."""

    variation: int
    score: int
    strengths: list[str] = []
    weaknesses: list[str] = []


class Critique(Struct, frozen=True):
    """The answer of a critic."""

    verdicts: list[Verdict]
    summary: str = ""
    recommended: int | None = None


async def run(context: StepContext) -> dict[str, Any]:
    """One call; its verdicts become notes on the variations, together with it."""
    return await criticise(context, f"{context.step.id}#1")


async def criticise(context: StepContext, key: str) -> dict[str, Any]:
    """Have the set of the run criticised under this key."""
    state = context.state
    set = state.outputs.get("set")
    if not set:
        raise BadInput("there is nothing to criticise", hint="Put a vary step before the critique step.")
    spec = context.spec
    critic = _critic(context)
    view = await state.space.read(OneVariationSet(set))
    shown = [each for each in view.variations if not each.variation.rejected]
    texts = [await state.space.read(VariationText(set, each.variation.number)) for each in shown]
    images = await images_of(state, shown)
    pages = {each.variation.number: tree_of(each) for each in shown if each.variation.number in images}
    prompt = prompting.critique(state.agents[critic], view.set, shown, texts, pages)
    request = Request(
        agent=critic,
        purpose="critique",
        messages=[],
        turn=turn_of(state, critic, "critique", key),
        json_schema=prompting.CRITIQUE_SCHEMA,
        images=list(images.values()),
    )
    numbers = {each.variation.number for each in shown}

    def notes(reply: str) -> list[Command[Any]]:
        return [
            NoteVariation(
                set=set,
                number=verdict.variation,
                text=prompting.verdict_text(verdict.strengths, verdict.weaknesses),
                kind="critique",
                score=min(10, max(1, verdict.score)),
            )
            for verdict in _read(reply).verdicts
            if verdict.variation in numbers
        ]

    try:
        reply = await ask(state, key, request, prompt=prompt, usable=_read, then=notes)
    except FlowError as error:
        if not getattr(spec, "optional", True) or error.code in {
            "budget",
            "fenced",
            "gone",
            "storage",
            "needs_input",
        }:
            raise
        state.observer.warning(f"the critique failed: {error.message}")
        return {"failed": error.message}
    critique = _read(reply)
    recommended = critique.recommended if critique.recommended in numbers else None
    return {"by": critic, "summary": critique.summary, "recommended": recommended}


def _read(reply: str) -> Critique:
    """The critique that a reply holds. Raises Incomplete when there is none."""
    return convert(json.loads(extract_json(reply, prompting.CRITIQUE_SCHEMA)), Critique, strict=False)


def _critic(context: StepContext) -> str:
    state = context.state
    named = getattr(context.spec, "by", None)
    if named:
        return state.handles([named])[0]
    critics = [handle for handle, agent in state.agents.items() if is_critic(agent)]
    return critics[0] if critics else list(state.agents)[-1]
