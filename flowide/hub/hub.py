"""What all addresses of a hub share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from flowide.domain.commands import MAX_BLOB, MAX_INLINE
from flowide.domain.policy import Policy
from flowide.errors import AuthFailed, Limit
from flowide.hub.calls import Desk
from flowide.hub.journal import Journal
from flowide.hub.keeper import Keeper, Room
from flowide.hub.manner import Manner
from flowide.hub.metrics import Metrics
from flowide.hub.seats import Seat
from flowide.space.arbiter import MAX_BATCH
from flowide.space.keys import digest_of
from flowide.space.wire.frames import MAX_FRAME

if TYPE_CHECKING:
    from flowide.hub.stream import Stream

_MOST_GOOD = 10_000


class Hub:
    """The spaces, who is connected, and who failed to prove who they are."""

    def __init__(self, keeper: Keeper, policy: Policy, manner: Manner, journal: Journal) -> None:
        from limits import RateLimitItemPerMinute
        from limits.storage import MemoryStorage
        from limits.strategies import MovingWindowRateLimiter

        self.keeper = keeper
        self.policy = policy
        self.manner = manner
        self.journal = journal
        self.metrics = Metrics(journal)
        self.stopping = False
        self._good: set[str] = set()
        """SHA-256 of tokens that were good lately."""
        self._failures = MovingWindowRateLimiter(MemoryStorage())
        self._allowed = RateLimitItemPerMinute(manner.failures)

    @property
    def streams(self) -> list[Stream]:
        """All who are connected."""
        return [stream for room in self.keeper.rooms for stream in room.streams]  # type: ignore[misc] # only streams sit there

    def limits(self) -> dict[str, int]:
        """What `hello` tells about bounds; bytes, unless the name says otherwise."""
        return {
            "frame": MAX_FRAME,
            "inline": MAX_INLINE,
            "blob": MAX_BLOB,
            "batch": MAX_BATCH,
            "human_locks": self.policy.human_locks,
            "agent_locks": self.policy.agent_locks,
            "hub_ms": self.manner.hub_ms,
            "hub_bytes": self.manner.hub_bytes,
        }

    async def enter(self, space: str, headers: Mapping[str, str], address: str) -> tuple[Room, Seat]:
        """The space, and the seat in it that a request's token gives.

        Raises:
            AuthFailed: No token, none of this space, or no such space: all three are told alike.
            Limit: This address failed too often.
        """
        secret = bearer(headers)
        if secret is None:
            raise _no_token()
        room = await self.keeper.room(space)
        seat = None if room is None else await room.seat(secret)
        if room is not None and seat is not None:
            self._remember(secret)
            return room, seat
        raise self.failed(address) if digest_of(secret) not in self._good else _no_token()

    def _remember(self, secret: str) -> None:
        """A token that is good somewhere is no guess anywhere."""
        if len(self._good) >= _MOST_GOOD:
            self._good.clear()
        self._good.add(digest_of(secret))

    async def find(self, headers: Mapping[str, str], address: str) -> tuple[Room, Seat]:
        """As `enter`, for a request that names no space."""
        secret = bearer(headers)
        if secret is None:
            raise _no_token()
        for name in await self.keeper.names():
            room = await self.keeper.room(name)
            seat = None if room is None else await room.seat(secret)
            if room is not None and seat is not None:
                return room, seat
        raise self.failed(address)

    def check_streams(self, room: Room, seat: Seat) -> None:
        """Raise Limit when a token has as many streams as it may have."""
        if sum(each.seat.token == seat.token for each in room.streams) >= self.manner.streams:
            raise Limit(
                f"this token has {self.manner.streams} streams open already",
                hint="Close some of them.",
                retry_ms=5_000,
            )

    def failed(self, address: str) -> AuthFailed | Limit:
        """What somebody is told whose token or code is wrong."""
        if not self._failures.hit(self._allowed, address):
            return Limit("too many wrong tokens from this address", hint="Wait a minute.", retry_ms=60_000)
        self.metrics.auth_failures += 1
        self.journal.write("warning", "auth.failed", address=address)
        return _no_token()

    def desk(self, room: Room, seat: Seat) -> Desk:
        """Where the calls of a client are taken."""
        return Desk(room.space, seat, room.paces, room.live, self.metrics)


def _no_token() -> AuthFailed:
    return AuthFailed(
        "this token is not valid for this space",
        hint="Send `Authorization: Bearer TOKEN`; ask an owner for an invitation.",
    )


def bearer(headers: Mapping[str, str]) -> str | None:
    """The token of a request; None = none was sent."""
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    secret = secret.strip()
    return secret if scheme.casefold() == "bearer" and 0 < len(secret) <= 200 else None
