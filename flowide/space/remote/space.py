"""`RemoteSpace`: the door to a space that a hub keeps."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from msgspec.structs import replace

from flowide.domain.actors import Actor, Now
from flowide.domain.commands import (
    MAX_BLOB,
    Batch,
    Command,
)
from flowide.domain.events import Event
from flowide.domain.limits import MAX_NAME, check_text
from flowide.errors import Offline, TooLarge
from flowide.space.api import Reply
from flowide.space.clock import Clock, SystemClock
from flowide.space.queries import DraftText, LiveDraft, Locks, Query
from flowide.space.remote.commands import Commands
from flowide.space.remote.core import Core
from flowide.space.remote.credentials import Seat, seat_of
from flowide.space.remote.link import Link
from flowide.space.remote.reading import Reading
from flowide.space.remote.standing import Standing
from flowide.space.wire.frames import Present
from flowide.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from flowide.space.archive import Moved

Ok = TypeVar("Ok")
R = TypeVar("R")

LEAVE_S = 1.0
"""How long closing waits for the replica to reach what an answer has told."""


class RemoteSpace:
    """Implements `flowide.space.api.Space` on a replica and a connection. Belongs to one event loop."""

    shared = True

    def __init__(
        self, core: Core, link: Link, actor: Actor, *, client: str | None = None, clock: Clock | None = None
    ) -> None:
        """`clock` tells the time offline, where the hub cannot.

        Raises:
            BadInput: The client's id cannot be stored.
        """
        check_text("client", client or "", MAX_NAME)
        self._core = core
        self._link = link
        self.actor = actor
        self.client = client or str(uuid.uuid4())
        self._clock = clock or SystemClock()
        self._commands = Commands(core, link, actor, self.client, self._clock, self.put_blob)
        self._reading = Reading(core, link, self._clock)

    # --- how it stands ----------------------------------------------------------------------------

    @property
    def store(self) -> SqliteStore:
        """The replica's store."""
        return self._core.replica.store

    @property
    def notice(self) -> str | None:
        """One line for people about how the space is kept; None when all is as it should be."""
        return self.standing.line() or self.store.notice

    @property
    def standing(self) -> Standing:
        """Whether the hub is there, and how much waits for it."""
        return self._core.standing(self._link)

    @property
    def state(self) -> str:
        """`online`, `offline` or `resyncing`."""
        return self.standing.state

    @property
    def presence(self) -> tuple[Present, ...]:
        """Who is connected, as the hub said last."""
        return self._core.here

    @property
    def core(self) -> Core:
        """What all views of this space share."""
        return self._core

    @property
    def seat(self) -> Seat:
        """Who this device is here."""
        return self._link.seat

    @property
    def url(self) -> str:
        """Address of the space."""
        return self._core.address.url

    @property
    def ttl_ms(self) -> int:
        return self._link.ttl_ms

    def now(self) -> Now:
        """The moment by this machine's clocks."""
        return self._clock.now()

    def acting_as(self, actor: Actor) -> RemoteSpace:
        """The same space, seen by another actor: an agent of ours, or another person who joined on this device.

        Raises:
            AuthFailed: Another person, who has not.
        """
        seat = self._link.seat
        if (actor.id, actor.kind) == (seat.handle, seat.kind):
            actor = seat.actor
        elif actor.kind == "human":
            link = self._core.link(self._other_seat(actor.id))
            return RemoteSpace(self._core, link, actor, client=self.client, clock=self._clock)
        elif actor.kind == "agent":
            actor = replace(actor, for_=seat.handle)
        return RemoteSpace(self._core, self._link, actor, client=self.client, clock=self._clock)

    def _other_seat(self, handle: str) -> Seat:
        known = self._core.links.get(handle)
        return seat_of(self._core.address, handle) if known is None else known.seat

    # --- commands ---------------------------------------------------------------------------------

    async def execute(self, command: Command[Ok], *, id: str | None = None) -> Reply[Ok]:
        return cast("Reply[Ok]", await self._commands.carry_out(command, id))

    async def batch(self, commands: Sequence[Command[Any]], *, id: str | None = None) -> Reply[list[Any]]:
        reply = await self._commands.carry_out(Batch(cmds=list(commands)), id)
        return Reply(reply.seq, reply.ok.results)

    # --- reading ----------------------------------------------------------------------------------

    async def read(self, query: Query[R]) -> R:
        return await self._reading.read(query)

    async def looking_at(
        self, path: str | None, *, thread: str | None = None, run: str | None = None
    ) -> None:
        """Tell others which artifact, thread and run are looked at here; None = none. It is not in the log."""
        await self._reading.looking_at(path, thread, run)

    async def head(self) -> int:
        return await self._reading.head()

    def events(self, after: int = 0, *, follow: bool = False) -> AsyncIterator[Event]:
        return self._reading.events(after, follow=follow)

    # --- contents ---------------------------------------------------------------------------------

    async def put_blob(self, data: bytes) -> str:
        if len(data) > MAX_BLOB:
            raise TooLarge(f"{len(data)} bytes", hint=f"The most is {MAX_BLOB} bytes.", limit=MAX_BLOB)
        digest = sha256(data).hexdigest()
        await asyncio.to_thread(self._core.replica.keep_blobs, {digest: data})
        if await self._link.reach.soon():
            try:
                await asyncio.to_thread(self._link.http.put_blob, digest, data)
                return digest
            except Offline:
                pass
        self._core.outbox.put_upload(digest)
        return digest

    async def blob(self, sha256: str) -> bytes:
        return await self._core.contents.fetch(self._link, sha256)

    # --- the whole space --------------------------------------------------------------------------

    async def export_to(self, folder: Path) -> Moved:
        """Write the whole space into an empty folder, from the replica, with all contents.

        Raises:
            Offline: Contents are missing here, and the hub cannot be reached.
        """
        from flowide.space.archive import export_to

        await self._reading.caught_up()
        for digest in await asyncio.to_thread(self._core.replica.named):
            if self._core.replica.blob(digest) is None:
                await self._core.contents.fetch(self._link, digest)

        written = await self._being_written()

        def leave() -> Moved:
            with self._core.replica.holding(written) as store:
                return export_to(store, folder)

        return await asyncio.to_thread(leave)

    async def _being_written(self) -> list[DraftText]:
        """Live texts, which have no events; none while the hub is away."""
        found = [await self.read(LiveDraft(state.lock.artifact)) for state in await self.read(Locks())]
        return [each for each in found if each is not None]

    async def import_from(self, folder: Path) -> Moved:
        """Fill the hub's space, in which nothing has happened yet but its members, from an export; owners only.

        Raises:
            Exists: Something has happened there.
            Offline: The hub cannot be reached.
        """
        from flowide.space.remote.publishing import send_export

        if not await self._link.reach.soon():
            raise self._link.reach.offline()
        moved = await asyncio.to_thread(send_export, self._link.http, folder)
        self._core.seen = max(self._core.seen, moved.events)
        await self._reading.caught_up()
        return moved

    async def rebuild(self) -> None:
        """Make the replica's projections again from its log."""
        await asyncio.to_thread(self.store.rebuild)
        self._core.wake()

    async def close(self) -> None:
        # What this process has done is here for the next one, also when the hub is away then.
        await self._reading.caught_up(LEAVE_S)
        await self._core.close()
