"""Whether the price of a model is known before it is called; without loading litellm, which takes seconds."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from flowide.agents.definition import AgentDefinition
from flowide.agents.models import Target, target_of

_LIST = "model_prices_and_context_window_backup.json"
_TELL = frozenset({"openrouter", "litellm_proxy"})
"""Providers that tell the cost with each answer."""


def unpriced(
    agents: Mapping[str, AgentDefinition],
    models: Mapping[str, Any],
    env: Mapping[str, str],
    model: str | None = None,
) -> str | None:
    """The first agent whose price is not known, as `@handle (model)`; None when all are."""
    for handle, agent in agents.items():
        if agent.backend == "acp":
            return f"@{handle} (a coding agent)"  # some tell the cost, but only after a turn
        if agent.backend == "model":
            target = target_of(agent, models, env, model)
            if not _priced(target):
                return f"@{handle} ({target.shown})"
    return None


def _priced(target: Target) -> bool:
    if target.price_in is not None or target.price_out is not None:
        return True
    provider, _, bare = target.model.partition("/")
    if provider in _TELL:
        return True
    entry = next((listed for name in (target.model, bare) if (listed := _listed().get(name))), {})
    return "input_cost_per_token" in entry and "output_cost_per_token" in entry


@cache
def _listed() -> dict[str, dict[str, Any]]:
    """litellm's own list, as the worker uses it; empty when it is not where it was."""
    found = importlib.util.find_spec("litellm")
    if found is None or found.origin is None:
        return {}
    try:
        data = json.loads((Path(found.origin).parent / _LIST).read_bytes())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
