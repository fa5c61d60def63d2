"""Commands about threads, messages and whose turn it is to answer."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from flowide.domain.commands.base import Command, Done
from flowide.domain.ids import uuid7

DEPTH, RATE = 3, 12
"""Bounds between agents when a thread does not say otherwise; see `OpenThread`."""


class OpenThread(Command[Done], frozen=True, kw_only=True, tag="thread.open"):
    """Begin a conversation, about an artifact or about nothing in particular."""

    thread: str = field(default_factory=uuid7)
    title: str
    about: str | None = None
    """Id of the artifact it is about."""
    agent: str | None = None
    """Handle of the agent that answers people who mention nobody."""
    depth: int = DEPTH
    """How long a chain of agents that mention each other may get: 0 = agents cannot ask each other."""
    rate: int = RATE
    """Replies of agents after which none is asked by another one, until a person speaks."""
    run: str | None = None


class PinArtifact(Command[Done], frozen=True, kw_only=True, tag="thread.pin"):
    """Have an artifact in the context of every answer in a thread, or no longer."""

    thread: str
    about: str
    """Id of the artifact."""
    version: int | None = None
    """None = always its newest."""
    on: bool = True


class SetThreadAgent(Command[Done], frozen=True, kw_only=True, tag="thread.agent"):
    """Choose who answers people who mention nobody; None = nobody."""

    thread: str
    agent: str | None = None


class Posted(Struct, frozen=True):
    """Where a message stands, and who will answer it."""

    number: int
    asks: list[str] = []
    unasked: list[dict[str, str]] = []
    """`{"agent", "why"}` of agents that were mentioned and are not asked."""


class PostMessage(Command[Posted], frozen=True, kw_only=True, tag="message.post"):
    """Say something in a thread."""

    thread: str
    message: str = field(default_factory=uuid7)
    text: str
    mentions: list[str] = []
    """Handles of existing agents among those the text mentions; all of them when it says `@all`."""
    edits: dict[str, str] = {}
    """Id of the artifact that a mentioned agent is asked to change, or path of one it shall make; people only."""
    refs: list[dict[str, Any]] = []
    """`{"kind": "artifact", "artifact", "path", "version", "piece"?}` or `{"kind": "message", "message", "number"}`."""
    reply_to: str | None = None
    """Id of the message it answers."""
    model: str | None = None
    run: str | None = None
    step: str | None = None
    manifest: str | None = None
    """Blob that lists what the author was given; see `flowide.agents.context`."""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micros: int | None = None


class AskAgent(Command[Done], frozen=True, kw_only=True, tag="turn.ask"):
    """Have an agent answer a message, or answer it after all; people only."""

    message: str
    agent: str


class TakeTurn(Command[Done], frozen=True, kw_only=True, tag="turn.take"):
    """A run begins to write the answer an agent owes."""

    run: str
    fence: int
    message: str
    agent: str
    step: str
    """Key of the step whose text can be watched while it is written."""
    manifest: str | None = None
    """Blob that lists what the agent is given."""


class FailTurn(Command[Done], frozen=True, kw_only=True, tag="turn.fail"):
    """The answer could not be had."""

    run: str
    fence: int
    message: str
    agent: str
    error: dict[str, Any]


class StopTurn(Command[Done], frozen=True, kw_only=True, tag="turn.stop"):
    """An answer is no longer wanted; people only."""

    message: str
    agent: str
    why: str = ""
