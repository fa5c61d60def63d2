"""Opening a space of a hub by its address."""

from __future__ import annotations

from pathlib import Path

from flowide.domain.actors import Actor
from flowide.errors import AuthFailed, Offline, StorageFailed
from flowide.settings import load, user_folder
from flowide.space.clock import Clock
from flowide.space.remote.address import Address, address_of
from flowide.space.remote.core import Core
from flowide.space.remote.credentials import Seat, seat_of
from flowide.space.remote.space import RemoteSpace

OPEN_S = 8.0
"""How long the first connection may take before the replica is used without the hub."""
SYNC_S = 120.0
"""How long the very first replica may take."""


async def open_remote(
    url: str,
    *,
    actor: Actor,
    client: str | None = None,
    folder: Path | None = None,
    seat: Seat | None = None,
    clock: Clock | None = None,
) -> RemoteSpace:
    """Open the space at an address; `seat` None = what `flowide join` has stored.

    Raises:
        AuthFailed: This device has not joined, or its token was revoked.
        Offline: The hub cannot be reached, and there is no replica yet.
        StorageFailed: The replica cannot be used.
    """
    settings = load(None if folder is None else folder.parent).settings
    address = address_of(url, plain_http=settings.hub.plain_http)
    seat = seat or _seat_for(address, actor)
    place = folder or user_folder() / "replicas"
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageFailed(f"{place} cannot be made: {error.strerror}") from error
    core = Core(address, place)
    try:
        link = core.link(seat)
        first = core.replica.position().seq == 0  # a log begins with its first member: nothing has come yet
        await link.first_try(SYNC_S if first else OPEN_S)
        if link.reach.fatal is not None:
            raise link.reach.fatal
        if not link.reach.ready.is_set() and core.replica.position().seq == 0:
            raise Offline(
                f"the hub {address.url} cannot be reached: {link.reach.standing.why}",
                hint="There is no replica of it here yet; try again when the hub is there.",
            )
    except BaseException:
        await core.close()
        raise
    space = RemoteSpace(core, link, seat.actor, client=client, clock=clock)
    return space if (actor.id, actor.kind) == (seat.handle, seat.kind) else space.acting_as(actor)


def _seat_for(address: Address, actor: Actor) -> Seat:
    """The actor's own seat; an agent without one sits with the person it works for."""
    if actor.kind == "agent" and actor.for_ is not None:
        try:
            return seat_of(address, actor.id)
        except AuthFailed:
            return seat_of(address, actor.for_)
    return seat_of(address, actor.id)
