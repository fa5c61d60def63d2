"""What a call cost; unknown stays unknown."""

from __future__ import annotations

from typing import Any

import litellm

from flowide.agents.worker.frames import Call


def cost_micros(call: Call, usage: Any) -> int | None:
    """Millionths of a US dollar: by the price in the settings, else litellm's list, else None."""
    if call.price_in is not None or call.price_out is not None:
        tokens_in, tokens_out = usage.prompt_tokens or 0, usage.completion_tokens or 0
        return round(tokens_in * (call.price_in or 0) + tokens_out * (call.price_out or 0))
    told = getattr(usage, "cost", None)
    if isinstance(told, int | float) and not isinstance(told, bool):
        return round(told * 1_000_000)
    if not _listed(call.model):
        return None
    try:
        dollars = litellm.completion_cost(
            completion_response=litellm.ModelResponse(model=call.model, usage=usage), model=call.model
        )
    except Exception:  # the list has no price of the kind that this call needs
        return None
    return round(dollars * 1_000_000)


def _listed(model: str) -> bool:
    """Whether the list has a price per token; litellm itself counts a missing one as 0."""
    bare = model.partition("/")[2]
    for name in (model, bare):
        entry = litellm.model_cost.get(name)
        if entry is not None:
            return "input_cost_per_token" in entry and "output_cost_per_token" in entry
    return False
