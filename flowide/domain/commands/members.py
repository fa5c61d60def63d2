"""Who takes part in a space on a hub: invitations, members, roles, tokens.

No secret is in a command that is stored: of codes and tokens only the SHA-256 is known to the rules.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from flowide.domain.commands.base import Command, Done
from flowide.domain.ids import uuid7

Role = Literal["viewer", "editor", "agent", "owner"]
MemberKind = Literal["human", "agent"]


class Invited(Struct, frozen=True):
    """An invitation was made."""

    invite: str
    expires: str
    """RFC 3339 UTC."""
    code: str | None = None
    """What to give to whoever is invited; filled in by the hub on its way out, and kept nowhere."""


class InviteMember(Command[Invited], frozen=True, kw_only=True, tag="member.invite", rename={"for_": "for"}):
    """Invite one person or agent, for 24 hours."""

    role: Role
    kind: MemberKind = "human"
    for_: str | None = None
    """Who an agent works for; None = the sender."""
    handle: str | None = None
    """Just this handle may be taken, also when it was a member's before; None = any that is free."""
    digest: str | None = None
    """SHA-256 of the code, 64 hex digits, by senders that make it themselves; None = the hub makes it."""


class Joined(Struct, frozen=True, rename={"for_": "for"}):
    """Somebody became a member."""

    member: str
    kind: str
    role: str
    token: str
    """Id of the token."""
    for_: str | None = None


class JoinMember(Command[Joined], frozen=True, kw_only=True, tag="member.join"):
    """Become a member with an invitation."""

    code: str
    handle: str
    device: str
    digest: str
    """SHA-256 of the new member's token, 64 hex digits."""
    token: str = field(default_factory=uuid7)
    """Id of the token."""


class ChangeRole(Command[Done], frozen=True, kw_only=True, tag="member.role"):
    """Give a person another role; owners only."""

    member: str
    role: Literal["viewer", "editor", "owner"]


class RemoveMember(Command[Done], frozen=True, kw_only=True, tag="member.remove"):
    """End a membership with its tokens, and those of the agents that work for the person."""

    member: str
    reason: str = ""


class CreateToken(Command[Joined], frozen=True, kw_only=True, tag="token.create"):
    """One more token, for another device of one's own or of an agent of one's own."""

    digest: str
    """SHA-256 of the token, 64 hex digits."""
    device: str
    member: str | None = None
    """Whose it is; None = the sender's."""
    token: str = field(default_factory=uuid7)
    role: Literal["viewer", "editor", "owner"] | None = None
    """Of a new member, whom only the hub's own machine can make so; None = owner."""


class RevokeToken(Command[Done], frozen=True, kw_only=True, tag="token.revoke"):
    """End a token: one's own, an own agent's, or as an owner any."""

    token: str
    """Its id, not its text."""
