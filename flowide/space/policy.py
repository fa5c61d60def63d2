"""From settings to what the rules are told."""

from __future__ import annotations

from flowide.domain.policy import Policy
from flowide.settings import Settings


def policy_of(settings: Settings) -> Policy:
    """The policy that `[lock]` sets; seconds become milliseconds."""
    lock = settings.lock
    return Policy(
        ttl_ms=round(lock.ttl_s * 1000),
        human_idle_ms=round(lock.idle_s * 1000),
        agent_idle_ms=round(lock.agent_idle_s * 1000),
        agent_hold_ms=round(lock.agent_hold_s * 1000),
        human_locks=lock.per_person,
        agent_locks=lock.per_agent,
        draft_days=lock.draft_days,
    )
