"""Commands about decisions."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from flowide.domain.commands.base import Command, Done
from flowide.domain.ids import uuid7


class Proposed(Struct, frozen=True):
    """What a decision is called: `D<number>`."""

    number: int


class ProposeDecision(Command[Proposed], frozen=True, kw_only=True, tag="decision.propose"):
    """Put up what should hold from now on; anyone may."""

    decision: str = field(default_factory=uuid7)
    text: str
    message: str | None = None
    """Id of the message it comes from."""
    refs: list[dict[str, Any]] = []
    """As in `message.post`."""
    run: str | None = None


class AgreeDecision(Command[Done], frozen=True, kw_only=True, tag="decision.agree"):
    """Make it hold; people only."""

    decision: str
    reason: str = ""
    gate: str | None = None
    """The gate at which a person agreed: it is theirs, whoever passes it on."""


class ReopenDecision(Command[Done], frozen=True, kw_only=True, tag="decision.reopen"):
    """Put an agreed or superseded decision up again; people only."""

    decision: str
    reason: str = ""


class SupersedeDecision(Command[Done], frozen=True, kw_only=True, tag="decision.supersede"):
    """End a decision, with or without another one in its place; people only."""

    decision: str
    by: str | None = None
    """Id of the decision that holds instead."""
    reason: str = ""
