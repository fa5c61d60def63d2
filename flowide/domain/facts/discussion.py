"""What happens in threads."""

from __future__ import annotations

from typing import Any

from flowide.domain.facts.base import Fact


class ThreadOpened(Fact, frozen=True, kw_only=True, tag="thread.opened"):
    """A conversation began."""

    thread: str
    title: str
    about: str | None = None
    agent: str | None = None
    depth: int
    rate: int
    run: str | None = None


class ThreadPinned(Fact, frozen=True, kw_only=True, tag="thread.pinned"):
    """An artifact is in the context of every answer from now on, or no longer."""

    thread: str
    about: str
    version: int | None = None
    on: bool = True


class ThreadAgentSet(Fact, frozen=True, kw_only=True, tag="thread.agent_set"):
    """Somebody else answers those who mention nobody."""

    thread: str
    agent: str | None = None


class MessagePosted(Fact, frozen=True, kw_only=True, tag="message.posted"):
    """Somebody said something; the number is dense in its thread."""

    thread: str
    message: str
    number: int
    text: str
    depth: int = 0
    """0 for people; else one more than the message that was answered."""
    asks: list[str] = []
    """Agents that owe an answer."""
    unasked: list[dict[str, str]] = []
    edits: dict[str, str] = {}
    refs: list[dict[str, Any]] = []
    reply_to: str | None = None
    model: str | None = None
    run: str | None = None
    step: str | None = None
    manifest: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micros: int | None = None


class TurnAsked(Fact, frozen=True, kw_only=True, tag="turn.asked"):
    """A person has an agent answer a message."""

    thread: str
    message: str
    agent: str


class TurnTaken(Fact, frozen=True, kw_only=True, tag="turn.taken"):
    """An answer is being written; `step` of `run` shows its text."""

    thread: str
    message: str
    agent: str
    run: str
    step: str
    manifest: str | None = None


class TurnFailed(Fact, frozen=True, kw_only=True, tag="turn.failed"):
    """An answer could not be had."""

    thread: str
    message: str
    agent: str
    run: str
    error: dict[str, Any] = {}


class TurnStopped(Fact, frozen=True, kw_only=True, tag="turn.stopped"):
    """An answer is no longer wanted."""

    thread: str
    message: str
    agent: str
    why: str
