"""Who takes part in a space on a hub."""

from __future__ import annotations

from typing import Literal

from flowide.domain.rows.base import Row


class Member(Row, frozen=True):
    """A person or agent of the space; a removed one keeps the handle."""

    TABLE = "members"
    KEY = ("id",)
    INDEXES = (("kind", "status"),)

    id: str
    """The handle."""
    kind: str
    """`human` or `agent`."""
    role: str
    """`viewer`, `editor`, `owner`, or `agent`."""
    for_: str | None
    """Who an agent works for; None for people."""
    status: Literal["active", "removed"]
    seq: int
    """Of `member.joined`."""
    ts: str


class Invite(Row, frozen=True):
    """A way in, for one."""

    TABLE = "invites"
    KEY = ("id",)
    INDEXES = (("digest",),)

    id: str
    digest: str
    role: str
    kind: str
    for_: str | None
    handle: str | None
    by: str
    expires: str
    used: str | None
    """By whom; None = not yet."""
    seq: int
    ts: str


class Token(Row, frozen=True):
    """What a device proves with that it acts for a member."""

    TABLE = "tokens"
    KEY = ("id",)
    INDEXES = (("digest",), ("member",))

    id: str
    member: str
    device: str
    digest: str
    revoked: bool
    seq: int
    ts: str
