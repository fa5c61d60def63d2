"""Threads, their messages, and who owes an answer."""

from __future__ import annotations

from typing import Any, Literal

from flowide.domain.actors import ActorKind
from flowide.domain.rows.base import Row


class Thread(Row, frozen=True):
    """A conversation."""

    TABLE = "threads"
    KEY = ("id",)
    INDEXES = (("about",), ("last_seq",))

    id: str
    title: str
    about: str | None
    """Id of the artifact it is about."""
    agent: str | None
    """Answers people who mention nobody."""
    depth: int
    rate: int
    pins: list[dict[str, Any]]
    """`{"artifact", "version"}`; version None = always the newest."""
    run: str | None
    actor: str
    count: int
    """Messages so far; numbers are 1..count."""
    chain: int
    """Messages of agents since a person spoke."""
    seq: int
    ts: str
    last_seq: int
    """Of the newest message, or of its opening."""
    last_ts: str
    last_actor: str


class Message(Row, frozen=True):
    """Something that was said."""

    TABLE = "messages"
    KEY = ("thread", "number")
    INDEXES = (("id",), ("thread", "actor", "number"))

    thread: str
    number: int
    id: str
    text: str
    actor: str
    kind: ActorKind
    for_: str | None
    depth: int
    asks: list[str]
    unasked: list[dict[str, str]]
    edits: dict[str, str]
    refs: list[dict[str, Any]]
    reply_to: str | None
    model: str | None
    run: str | None
    step: str | None
    manifest: str | None
    """Blob that lists what the author was given; None for people."""
    input_tokens: int
    output_tokens: int
    cost_micros: int | None
    seq: int
    ts: str


class Turn(Row, frozen=True):
    """An agent was asked and owes an answer."""

    TABLE = "turns"
    KEY = ("message", "agent")
    INDEXES = (("thread", "state"), ("state",))

    message: str
    agent: str
    thread: str
    number: int
    """Of the message that asks."""
    state: Literal["waiting", "taken", "answered", "failed", "stopped"]
    edit: str | None
    """Id of the artifact that is to be changed; None = words are wanted."""
    asker: str
    asker_kind: ActorKind
    run: str | None
    """The run that writes the answer, or wrote it."""
    step: str | None
    manifest: str | None
    """Blob that lists what the agent is given."""
    reply: str | None
    """Id of the answer."""
    why: str
    """Why it was stopped or failed."""
    error: dict[str, Any] | None
    seq: int
    ts: str
