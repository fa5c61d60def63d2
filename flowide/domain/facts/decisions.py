"""What happens to decisions."""

from __future__ import annotations

from typing import Any

from flowide.domain.facts.base import Fact


class DecisionProposed(Fact, frozen=True, kw_only=True, tag="decision.proposed"):
    """Something was put up to hold from now on; the number is dense in the space."""

    decision: str
    number: int
    text: str
    thread: str | None = None
    message: str | None = None
    refs: list[dict[str, Any]] = []
    run: str | None = None


class DecisionAgreed(Fact, frozen=True, kw_only=True, tag="decision.agreed"):
    """A person agreed: it holds."""

    decision: str
    reason: str = ""
    by: str | None = None
    """Who agreed, when somebody else passed it on."""


class DecisionReopened(Fact, frozen=True, kw_only=True, tag="decision.reopened"):
    """It is open again."""

    decision: str
    reason: str = ""


class DecisionSuperseded(Fact, frozen=True, kw_only=True, tag="decision.superseded"):
    """It holds no longer."""

    decision: str
    by: str | None = None
    reason: str = ""
