"""Questions about who takes part in a space on a hub."""

from __future__ import annotations

from msgspec import Struct

from flowide.domain import rows
from flowide.space.queries.base import Query


class Members(Query[list[rows.Member]], frozen=True):
    """Members by handle."""

    removed: bool = False
    """Also those that were removed."""


class TokenView(Struct, frozen=True):
    """A device that may act for a member, or might."""

    id: str
    member: str
    device: str
    revoked: bool
    since: str


class Tokens(Query[list[TokenView]], frozen=True):
    """Tokens, oldest first."""

    member: str | None = None
    """Whose; None = everybody's."""
