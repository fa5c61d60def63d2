"""Questions about threads."""

from __future__ import annotations

from msgspec import Struct

from flowide.domain import rows
from flowide.space.queries.base import Query


class Threads(Query[list[rows.Thread]], frozen=True):
    """Threads, the one somebody spoke in last first."""

    about: str | None = None
    """Only those about this artifact (its id)."""
    limit: int | None = None


class FindThread(Query[rows.Thread], frozen=True):
    """One thread: by id, a unique start of its id, its title, or `last` for where somebody spoke last.

    Raises:
        NotFound: With what there is in its hint.
    """

    ref: str


class ThreadView(Struct, frozen=True):
    """A thread with some of its messages."""

    thread: rows.Thread
    path: str | None
    """Of the artifact it is about; also when that was moved or deleted since."""
    messages: list[rows.Message]
    """By number."""
    turns: list[rows.Turn]
    """Answers that are owed, are being written, failed or were stopped, of these messages."""


class ThreadMessages(Query[ThreadView], frozen=True):
    """The newest messages of a thread, or those before a number."""

    thread: str
    limit: int = 50
    before: int | None = None
    """Only messages with a smaller number; None = up to the newest."""


class OneMessage(Query[rows.Message], frozen=True):
    """A message: by id or a unique start of it (8 digits at least), or by its number in a thread.

    Raises:
        NotFound: There is none.
    """

    ref: str
    thread: str | None = None
    """Where numbers count."""


class LatestMessage(Query[rows.Message | None], frozen=True):
    """What somebody said last in a thread, before a number; None = nothing."""

    thread: str
    actor: str
    before: int | None = None


class Spoken(Query[int], frozen=True):
    """How many messages of a thread are somebody's."""

    thread: str
    actor: str


class Turns(Query[list[rows.Turn]], frozen=True):
    """Answers that are owed, oldest first."""

    thread: str | None = None
    state: str = "waiting"


class OneTurn(Query[rows.Turn | None], frozen=True):
    """Whether, and how, an agent answers a message; None = it was not asked."""

    message: str
    agent: str
