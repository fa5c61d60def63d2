"""Who may send what. In a local space every person is an owner, and agents work for a person."""

from __future__ import annotations

from typing import Any

from flowide.domain.actors import Actor
from flowide.domain.commands import Command
from flowide.errors import NotAllowed

PEOPLE_ONLY = frozenset(
    {
        "lock.force",
        "artifact.delete",
        "gate.answer",
        "turn.ask",
        "turn.stop",
        "decision.agree",
        "decision.reopen",
        "decision.supersede",
        "review.finish",
    }
)
"""Commands an agent is refused, whatever its instructions say."""


def check_role(actor: Actor, command: Command[Any]) -> None:
    """Raise NotAllowed when this kind of actor may not send the command."""
    name = command.wire_name()
    if actor.kind == "agent" and name in PEOPLE_ONLY:
        raise NotAllowed(
            f"{actor.id} is an agent and may not send {name}",
            hint=f"Ask {actor.for_ or 'a person'} to do it.",
            actor=actor.id,
            cmd=name,
        )
