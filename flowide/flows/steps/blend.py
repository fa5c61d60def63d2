"""`blend`: one variation with pieces of others, named in the file or by a sentence."""

from __future__ import annotations

from typing import Any

from flowide.errors import BadInput
from flowide.flows.choosing import Choice
from flowide.flows.resolving import understood
from flowide.flows.state import StepContext
from flowide.flows.steps.choose import blended
from flowide.patterns import lazy
from flowide.space.queries import OneVariationSet

_TAKE = lazy(r"\s*#?(\d+)\s*:\s*(\S.*?)\s*")


async def run(context: StepContext) -> dict[str, Any]:
    """Splice, check as the others were checked, and choose it; the result names the blend.

    Raises:
        BadInput: There is no such variation, or the sentence names no blend.
        Rejected: The pieces do not fit; the reason says why.
    """
    state, id = context.state, context.step.id
    named = str(context.field("set") or state.outputs.get("set") or "")
    if not named:
        raise BadInput("there is nothing to blend", hint="Put a vary step before, or name a set.")
    view = await state.space.read(OneVariationSet(named))
    set = state.outputs["set"] = view.set.id
    said = str(context.field("say") or "").strip()
    choice = await understood(state, id, said, view) if said else _told(context)
    if choice.base is None or choice.more is not None or choice.rejected:
        raise BadInput(f"{said[:200]!r} names no blend", hint="For example: 4 with 2:LRUCache._evict")
    number = await blended(context, id, set, choice) if choice.takes else choice.base
    state.choose(number)
    takes = [f"{variation}:{piece}" for variation, piece in choice.takes]
    return {"set": set, "number": number, "base": choice.base, "takes": takes}


def _told(context: StepContext) -> Choice:
    base, takes = context.field("base"), context.field("takes")
    lines = takes.splitlines() if isinstance(takes, str) else [str(each) for each in takes]
    found: list[tuple[int, str]] = []
    for line in lines:
        if not line.strip():
            continue
        match = _TAKE.fullmatch(line)
        if match is None:
            raise BadInput(f"{line.strip()[:100]!r} names no piece", hint="For example: 2:LRUCache._evict")
        found.append((int(match[1]), match[2]))
    if not str(base).strip().isdigit() or not found:
        raise BadInput(
            "a blend needs a base and at least one piece of another variation",
            hint='For example: {base: 4, takes: ["2:LRUCache._evict"]}',
        )
    return Choice(base=int(str(base)), takes=found)
