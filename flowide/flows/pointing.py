"""What a brief points at (`#docs/style.md`, `#docs/style.md@2`, `#src/cache.py:LRUCache.get`) is shown to the agent."""

from __future__ import annotations

from flowide.agents.context import Item
from flowide.domain.mentions import parse
from flowide.flows.discussion.context import artifact_item
from flowide.flows.discussion.posting import resolve
from flowide.flows.prompt import Prompt
from flowide.flows.state import RunState

MOST = 20
"""Artifacts that one prompt shows because its brief points at them."""


async def with_references(state: RunState, prompt: Prompt) -> Prompt:
    """The prompt with the artifacts, at their versions, that its brief points at; they may be left out for room.

    They are looked up as the agent: what it may not touch is not shown to it.
    """
    briefs = [part.text for part in prompt.user if part.kind == "brief" and "#" in part.text]
    if not briefs:
        return prompt
    space = state.space.acting_as(state.actor(prompt.agent))
    shown = {(part.id, part.version) for part in prompt.user}
    found: dict[tuple[str | None, int | None, str | None], Item] = {}
    for reference in [each for text in briefs for each in parse(text).references][:MOST]:
        ref = await resolve(space, state.folder, "", reference)
        if not isinstance(ref, dict) or ref["kind"] != "artifact":
            continue
        item = await artifact_item(space, ref, "reference", "the brief points at it")
        if (item.id, item.version) not in shown:
            found[item.id, item.version, ref.get("piece")] = item
    if not found:
        return prompt
    at = next(at for at, part in enumerate(prompt.user) if part.kind == "brief") + 1
    return Prompt(prompt.agent, prompt.system, [*prompt.user[:at], *found.values(), *prompt.user[at:]])
