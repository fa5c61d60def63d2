"""What a rule will most likely look at, so that a store that is far away can send it all at once.

A hint and nothing more: a rule may look at other rows too, and does not notice where they come from.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from flowide.domain import commands as c
from flowide.domain.actors import Caller, Now
from flowide.domain.leases import lease_key
from flowide.domain.rows import (
    Artifact,
    Lease,
    LiveDraft,
    Lock,
    Member,
    Row,
    Run,
    Thread,
    Ticket,
    Token,
    VariationSet,
)

_WHOLE = 2**63


class Likely(Struct, frozen=True):
    """Rows that `View.get` and `View.find` will be asked for."""

    rows: tuple[tuple[type[Row], tuple[Any, ...]], ...] = ()
    """Classes and keys."""
    queues: tuple[str, ...] = ()
    """Artifacts whose tickets will be asked for, in their order."""


def likely(command: c.Command[Any], caller: Caller, now: Now) -> Likely:
    """The rows for one command; for a batch, those of its commands."""
    each = command.cmds if isinstance(command, c.Batch) else [command]
    rows: dict[tuple[type[Row], tuple[Any, ...]], None] = {}
    queues: dict[str, None] = {}
    if now.policy.members:
        rows |= dict.fromkeys(
            (Member, (id,)) for id in (caller.actor.id, caller.actor.for_) if id is not None
        )
        if caller.token is not None:
            rows[Token, (caller.token,)] = None
    for one in each:
        fields = {name: getattr(one, name, None) for name in ("artifact", "fence", "set", "thread", "run")}
        artifact, fence = fields["artifact"], fields["fence"]
        if isinstance(artifact, str):
            rows |= dict.fromkeys(
                [(Lock, (artifact,)), (Artifact, (artifact,)), (Lease, (lease_key("lock", artifact),))]
            )
            queues[artifact] = None
            if isinstance(fence, int) and abs(fence) < _WHOLE:
                rows[LiveDraft, (artifact, fence)] = None
        for kind, name in ((VariationSet, "set"), (Thread, "thread"), (Run, "run")):
            if isinstance(fields[name], str):
                rows[kind, (fields[name],)] = None
    return Likely(tuple(rows), tuple(queues))


def looks_at(artifact: str) -> tuple[type[Row], str, dict[str, Any]]:
    """How the tickets of an artifact are asked for."""
    return Ticket, "seq", {"artifact": artifact}
