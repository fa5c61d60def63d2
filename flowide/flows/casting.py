"""Which agents a run has, what they cost, and what answers for them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from flowide.agents.definition import AgentDefinition
from flowide.agents.load import choose_agents, find_agents
from flowide.agents.readiness import check_trust
from flowide.errors import NotFound, OverBudget
from flowide.flows.api import Budget, RunRequest
from flowide.flows.called import Called, everywhere
from flowide.flows.schema import Flow
from flowide.flows.state import Agents
from flowide.flows.surroundings import Surroundings
from flowide.project.folder import ProjectFolder


def agents_of(
    folder: ProjectFolder,
    request: RunRequest,
    flow: Flow,
    called: Mapping[str, Called],
    around: Surroundings,
) -> tuple[dict[str, AgentDefinition], dict[str, AgentDefinition]]:
    """The agents of the run, and the same with those that only called flows name."""
    found = find_agents(folder.root, around.user_agents)
    names = request.agents or flow.agents or list(found.agents)
    if not (request.agents or flow.agents):
        for error in found.broken.values():  # otherwise an agent would be missing, and nobody told
            raise error
    if not names and request.model:
        names = [request.model]
    if not names:
        raise NotFound(
            "there are no agents to run with",
            hint="Name a model: --agents openai/gpt-4o-mini; or make an agent: flowide agents new edwin.",
        )
    chosen = choose_agents(found, names, list(around.models))
    others = [] if request.agents else [name for each in everywhere(called) for name in each.flow.agents]
    more = choose_agents(found, list(dict.fromkeys(others)), list(around.models)) if others else []
    trusted = request.trust or (around.settings is not None and around.settings.settings.trusts(folder.root))
    for agent in [*chosen, *more]:
        check_trust(agent, trusted)
    agents = {agent.handle: agent for agent in chosen}
    return agents, {agent.handle: agent for agent in more} | agents


def check_price(
    budget: Budget, agents: Mapping[str, AgentDefinition], request: RunRequest, around: Surroundings
) -> None:
    """Raise OverBudget when money is all that is bounded, and what an agent costs is not known."""
    if budget.cost_micros is None or budget.tokens is not None or budget.seconds is not None:
        return
    from flowide.agents.prices import unpriced

    unknown = unpriced(agents, around.models, around.env, request.model)
    if unknown is not None:
        raise OverBudget(
            f"the price of {unknown} is unknown, so a budget of money alone cannot be kept",
            hint="Bound tokens or time too: --budget 2usd,200000tok,20m; or set price_in and price_out of the model.",
        )


@asynccontextmanager
async def pool_of(
    agents: dict[str, AgentDefinition], request: RunRequest, around: Surroundings
) -> AsyncIterator[Agents]:
    from flowide.agents.pool import AgentPool

    desk = None
    if any(agent.backend == "acp" for agent in agents.values()):
        from flowide.flows.coding.desk import CodingDesk

        desk = CodingDesk(
            turn_s=around.turn_s, keep_copies=around.keep_copies, serve_tools=around.serve_tools
        )
    async with AgentPool(
        list(agents.values()),
        models=around.models,
        env=around.env,
        model=request.model,
        silence_s=around.silence_s,
        limits=None if around.settings is None else around.settings.settings.limits.providers,
        desk=desk,
    ) as pool:
        yield pool
