"""What a space allows: the settings its rules are told, with their defaults. Times are milliseconds."""

from __future__ import annotations

from msgspec import Struct


class Policy(Struct, frozen=True):
    """Given to every decision by the arbiter."""

    ttl_ms: int = 30_000
    """How long a lock lives without a renewal, when its taker does not say otherwise."""
    human_idle_ms: int = 15 * 60_000
    """A person that shows no sign of work for so long lapses, although the lease is renewed."""
    agent_idle_ms: int = 3 * 60_000
    agent_hold_ms: int = 10 * 60_000
    """An agent lapses after so long when somebody waits."""
    human_locks: int = 20
    """Locks one person may hold through one client, those they wait for included."""
    agent_locks: int = 3
    draft_days: int = 30
    """Orphan drafts are offered for so long; their text stays in the space."""
    members: bool = False
    """Only members may act, by their roles: a space on a hub. Else every person is an owner."""
    people: int = 20
    """Members of a space, without agents."""
    agents: int = 10

    def idle_ms(self, kind: str) -> int:
        """How long a holder of this kind may be idle."""
        return {"human": self.human_idle_ms, "agent": self.agent_idle_ms}.get(kind, 60_000)

    def locks(self, kind: str) -> int:
        """How many locks an actor of this kind may hold through one client."""
        return {"human": self.human_locks, "agent": self.agent_locks}.get(kind, 1000)
