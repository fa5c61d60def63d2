"""Questions to people, and their answers."""

from __future__ import annotations

from typing import Any

from flowide.domain.facts.base import Fact


class GateOpened(Fact, frozen=True, kw_only=True, tag="gate.opened"):
    """A question to a person."""

    gate: str
    run: str | None = None
    step: str | None = None
    kind: str
    question: str
    options: list[str] = []
    context: dict[str, Any] = {}


class GateAnswered(Fact, frozen=True, kw_only=True, tag="gate.answered"):
    """The answer to a gate."""

    gate: str
    answer: str
    reason: str | None = None
