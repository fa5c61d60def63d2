"""From settings to what the rules are told."""

from __future__ import annotations

from flowide.domain.policy import Policy
from flowide.errors import BadInput
from flowide.settings import Settings

_YEAR_S = 365 * 86_400


def policy_of(settings: Settings) -> Policy:
    """The policy that `[lock]` sets; seconds become milliseconds.

    Raises:
        BadInput: A value is out of its bounds.
    """
    lock = settings.lock
    bounds = {
        "ttl_s": (0.5, 86_400), "idle_s": (1, _YEAR_S), "agent_idle_s": (1, _YEAR_S), "agent_hold_s": (1, _YEAR_S),
        "per_person": (1, 1000), "per_agent": (1, 1000), "draft_days": (1, 3650),
    }  # fmt: skip
    for name, (least, most) in bounds.items():
        value = getattr(lock, name)
        if not least <= value <= most:
            raise BadInput(
                f"the setting [lock] {name} = {value:g} is not possible",
                hint=f"It goes from {least} to {most}.",
            )
    return Policy(
        ttl_ms=round(lock.ttl_s * 1000),
        human_idle_ms=round(lock.idle_s * 1000),
        agent_idle_ms=round(lock.agent_idle_s * 1000),
        agent_hold_ms=round(lock.agent_hold_s * 1000),
        human_locks=lock.per_person,
        agent_locks=lock.per_agent,
        draft_days=lock.draft_days,
    )
