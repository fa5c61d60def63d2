"""Who acts, and when: what a rule is told about its caller."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from flowide.domain.policy import Policy

ActorKind = Literal["human", "agent", "system"]


class Actor(Struct, frozen=True, omit_defaults=True):
    """A named person, agent or part of the system."""

    id: str
    """The handle, without @."""
    kind: ActorKind = "human"
    for_: str | None = None
    """Handle of the person an agent works for."""


class Now(Struct, frozen=True):
    """The moment of a decision: the arbiter's clocks, and what it allows."""

    mono_ms: int
    """Monotonic milliseconds since an arbitrary point of this boot; leases are measured with it."""
    boot: str
    """Identifies the boot `mono_ms` belongs to; leases of another boot have run out."""
    wall: str
    """RFC 3339 UTC with milliseconds; recorded for people, and compared only to tell how many days old a draft is."""
    policy: Policy = Policy()


class Caller(Struct, frozen=True):
    """Who sends a command."""

    actor: Actor
    client: str
    """UUID of the process that acts for the actor."""
    command: str = ""
    """Id of the command; becomes the id of a ticket it makes."""
    token: str | None = None
    """Id of the token by which a hub knows the actor, or the person of that agent; None = not by a token."""


SYSTEM = Actor("system", "system")
DISK = Actor("disk", "system")
"""Author of versions that appeared on disk without a lock."""
