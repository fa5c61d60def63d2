"""Invitations, members, roles, tokens. Of codes and tokens only the SHA-256 is ever said."""

from __future__ import annotations

from flowide.domain.facts.base import Fact


class MemberInvited(Fact, frozen=True, kw_only=True, tag="member.invited", rename={"for_": "for"}):
    """Somebody may join."""

    invite: str
    digest: str
    """SHA-256 of the code."""
    role: str
    kind: str
    for_: str | None = None
    handle: str | None = None
    expires: str


class MemberJoined(Fact, frozen=True, kw_only=True, tag="member.joined", rename={"for_": "for"}):
    """Somebody takes part from now on."""

    member: str
    kind: str
    role: str
    for_: str | None = None
    invite: str | None = None
    """None = an agent that its person brought along, or a member made on the hub's own machine."""


class MemberRoleChanged(Fact, frozen=True, kw_only=True, tag="member.role_changed"):
    """Somebody has another role."""

    member: str
    role: str


class MemberRemoved(Fact, frozen=True, kw_only=True, tag="member.removed"):
    """Somebody takes part no longer."""

    member: str
    reason: str = ""


class TokenCreated(Fact, frozen=True, kw_only=True, tag="token.created"):
    """A device may act for a member."""

    token: str
    member: str
    device: str
    digest: str
    """SHA-256 of the token."""


class TokenRevoked(Fact, frozen=True, kw_only=True, tag="token.revoked"):
    """A device may do so no longer."""

    token: str
    member: str
