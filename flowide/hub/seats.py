"""Who a token belongs to, and on whose behalf its holder may act."""

from __future__ import annotations

import base64
import hmac
from typing import Any, Literal, cast

from msgspec import Struct

from flowide.domain.actors import DISK, Actor
from flowide.domain.rows import Member, Token
from flowide.domain.view import View
from flowide.errors import BadInput, NotAllowed
from flowide.space.keys import digest_of


class Seat(Struct, frozen=True):
    """A client that has shown its token."""

    token: str
    """Id of the token."""
    member: str
    kind: Literal["human", "agent"]
    for_: str | None
    role: str
    device: str
    key: bytes
    """Makes the codes of invitations; from the token's text, and kept nowhere else."""

    @property
    def actor(self) -> Actor:
        """Who the token belongs to."""
        return Actor(self.member, self.kind, self.for_)

    def acting_as(self, who: dict[str, Any] | None) -> Actor:
        """The actor that a client wants to be: its own, an agent of its person, or the disk of its machine.

        Raises:
            NotAllowed: Somebody else.
        """
        if who is None:
            return self.actor
        id, kind = who.get("id"), who.get("kind", "agent")
        if set(who) - {"id", "kind"} or not isinstance(id, str):
            raise BadInput('`as` is {"id", "kind": "agent"}')
        if (id, kind) == (self.member, self.kind):
            return self.actor
        if self.kind == "human" and kind == "agent":
            return Actor(id, "agent", self.member)
        if self.kind == "human" and (id, kind) == (DISK.id, DISK.kind):
            return Actor(DISK.id, DISK.kind, self.member)
        raise NotAllowed(
            f"this token is {self.member}'s, and does not act as {id[:80]}", hint="Leave `as` out."
        )

    def code(self, command: str) -> str:
        """The code of an invitation made by a command: the same again when the command is sent again."""
        made = hmac.digest(self.key, command.encode("utf-8", "replace"), "sha256")
        return base64.b32encode(made[:20]).decode().lower()


def seat_of(view: View, secret: str) -> Seat | None:
    """Who a token belongs to; None when it is none, or was revoked."""
    found = view.find(Token, digest=digest_of(secret), limit=1)
    return _seat(view, found[0], hmac.digest(secret.encode(), b"invitations", "sha256")) if found else None


def still(view: View, seat: Seat) -> Seat | None:
    """The seat as it is now; None when its token or membership has ended."""
    token = view.get(Token, seat.token)
    return None if token is None else _seat(view, token, seat.key)


def _seat(view: View, token: Token, key: bytes) -> Seat | None:
    member = view.get(Member, token.member)
    if token.revoked or member is None or member.status != "active":
        return None
    return Seat(
        token=token.id,
        member=member.id,
        kind=cast("Literal['human', 'agent']", member.kind),
        for_=member.for_,
        role=member.role,
        device=token.device,
        key=key,
    )
