"""Questions to people, and their answers."""

from __future__ import annotations

from typing import Any

from msgspec import field

from flowide.domain.commands.base import Command, Done
from flowide.domain.ids import uuid7


class OpenGate(Command[Done], frozen=True, kw_only=True, tag="gate.open"):
    """Ask a person."""

    gate: str = field(default_factory=uuid7)
    run: str | None = None
    fence: int | None = None
    """Of the run, when the gate belongs to one."""
    step: str | None = None
    kind: str
    question: str
    options: list[str] = []
    context: dict[str, Any] = {}


class AnswerGate(Command[Done], frozen=True, kw_only=True, tag="gate.answer"):
    """Answer a question; people only."""

    gate: str
    answer: str
    reason: str | None = None
