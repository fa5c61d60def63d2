"""What all views of one remote space share: replica, outbox, connections, and who waits for news."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import UNSET

from flowide.domain.commands import (
    COMMANDS,
    AcquireLock,
    AdoptDraft,
    CancelTicket,
    Command,
    CreateArtifact,
    ForceLock,
    ReleaseLock,
)
from flowide.domain.ids import uuid7
from flowide.domain.rows import Artifact, Draft
from flowide.errors import StorageFailed
from flowide.space.remote import coming_back
from flowide.space.remote import texts as t
from flowide.space.remote.address import Address
from flowide.space.remote.contents import Contents, prefetch
from flowide.space.remote.credentials import Seat
from flowide.space.remote.http import Http
from flowide.space.remote.link import Link
from flowide.space.remote.live import Live
from flowide.space.remote.outbox import Entry, Outbox, Text
from flowide.space.remote.replica import Replica
from flowide.space.remote.results import result_error
from flowide.space.remote.standing import Standing
from flowide.space.remote.waiting import Ahead
from flowide.space.wire.calls import Result, args_of
from flowide.space.wire.frames import FromHub, Presence, Present

_GRANTS = (AcquireLock, AdoptDraft, ForceLock)
_LOG = logging.getLogger("flowide.hub")
_TIDY_S = 1.0


class Core:
    """One replica with its connections; belongs to one event loop."""

    def __init__(self, address: Address, folder: Path) -> None:
        """Open or make the files in `folder`.

        Raises:
            StorageFailed: They cannot be used.
        """
        self.address = address
        self.replica = Replica(folder / f"hub-{address.key}.db")
        try:
            self.outbox = Outbox(folder / f"hub-{address.key}.outbox.db")
        except BaseException:
            self.replica.close()
            raise
        self.texts = t.Texts(self.outbox)
        self.texts_of_others = Live()
        self.driving: set[str] = set()
        """Runs whose answers this process streams itself."""
        self.links: dict[str, Link] = {}
        """By handle: mostly one."""
        self.holds: dict[str, t.Hold] = {}
        """Locks this process works under, by artifact."""
        self.here: tuple[Present, ...] = ()
        """Who is connected, as the hub said last."""
        self.seq = self.replica.position().seq
        """The replica's last event, as this process saw it."""
        self.seen = 0
        """The highest `seq` an answer has told."""
        self.ahead: list[tuple[int, Entry]] = []
        """Commands that were answered, with the `seq` of the answer, whose events are not here yet."""
        self.contents = Contents(self.replica)
        self.overlay = Ahead(self.replica.store)
        self.generation = 0
        """Changes when another log takes the replica's place."""
        self.closed = False
        self.tell: Callable[[str], None] = _LOG.warning
        """Is told, in one line, what happened to a command nobody waits for any more."""
        self.on_change: list[Callable[[], None]] = []
        """Are told when the standing or who is here has changed."""
        self._waiters: set[asyncio.Future[None]] = set()
        self._fetching: asyncio.Task[None] | None = None
        self._tidying: asyncio.TimerHandle | None = None

    def link(self, seat: Seat) -> Link:
        """The connection of a seat, begun when it is new."""
        known = self.links.get(seat.handle)
        if known is None:
            http = Http(self.address, seat.token)
            known = self.links[seat.handle] = Link(self.address, seat, self.replica, self.outbox, http, self)
            known.start()
            if self._fetching is None:
                self._fetching = asyncio.create_task(prefetch(self), name="hub-prefetch")
        return known

    def standing(self, link: Link) -> Standing:
        """How a seat stands with the hub."""
        at = link.reach.standing
        return Standing(at.state, at.since, at.why, len(self.outbox.owed(link.seat.handle)))

    async def close(self) -> None:
        """End the connections and free the files."""
        if self.closed:
            return
        self.closed = True
        self.wake()
        if self._fetching is not None:
            for link in self.links.values():
                link.http.abort()
            self._fetching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._fetching
        for link in self.links.values():
            await link.close()
        if self._tidying is not None:
            self._tidying.cancel()
        self.outbox.close()
        self.replica.close()

    # --- news -------------------------------------------------------------------------------------

    def grown(self) -> None:
        self.seq = self.replica.position().seq
        self.ahead = [each for each in self.ahead if each[0] > self.seq]
        self.wake()

    def replaced(self) -> None:
        self.generation += 1
        self.seq = self.replica.position().seq
        self.seen = min(self.seen, self.seq)
        self.ahead.clear()
        self.stood()
        self.wake()

    def live(self, frame: FromHub) -> None:
        if isinstance(frame, Presence):
            self.here = tuple(frame.here)
            self.stood()
            return
        if self.texts_of_others.take(frame):
            self.wake()

    def stood(self) -> None:
        """How it stands with the hub has changed, or who is here."""
        for tell in self.on_change:
            tell()

    def wake(self) -> None:
        """Have everybody who waits look again."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def sleep(self, seconds: float) -> None:
        """For so long at most, or until there is news."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await asyncio.wait([waiter], timeout=seconds)
        finally:
            self._waiters.discard(waiter)

    # --- coming back ------------------------------------------------------------------------------

    async def resume(self, link: Link) -> None:
        await coming_back.resume(self, link)

    async def settle(self, link: Link) -> None:
        await coming_back.settle(self, link)

    # --- what was answered ------------------------------------------------------------------------

    def sent(self, entry: Entry) -> None:
        """A command has its answer. Other processes of this machine see soon that it waits no longer."""
        self.outbox.answered(entry.id)
        if self._tidying is None and not self.closed:
            self._tidying = asyncio.get_running_loop().call_later(_TIDY_S, self._tidy)

    def _tidy(self) -> None:
        self._tidying = None
        with contextlib.suppress(StorageFailed):  # the next write removes it
            self.outbox.tidy()

    def taken(self, entry: Entry, seq: int) -> None:
        """A command was carried out at `seq`: shown until its events are here, also if the hub goes away before."""
        if seq > self.seq:
            self.ahead.append((seq, entry))

    def unseen(self) -> list[Entry]:
        """Commands whose events are not here: those that were answered already, then those that wait."""
        return [*(entry for _, entry in self.ahead), *self.outbox.owed()]

    def done(self, entry: Entry, command: Command[Any], ok: Any) -> None:
        """A command was carried out: remember which locks this process works under."""
        artifact = getattr(command, "artifact", None)
        fence = getattr(ok, "fence", None)
        if isinstance(command, _GRANTS):
            if isinstance(command, AdoptDraft):
                artifact = self._artifact_of(command.draft)
            if artifact is not None and fence is not None:
                version = getattr(ok, "version", None) or self._version(artifact)
                self.holds[artifact] = t.Hold(artifact, fence, version, entry.client, entry.seat, entry.as_)
        elif isinstance(command, CreateArtifact):
            if fence is not None:
                self.holds[ok.artifact] = t.Hold(ok.artifact, fence, 1, entry.client, entry.seat, entry.as_)
        elif artifact is not None and getattr(command, "fence", None) is not None:
            self._written(entry, command, artifact, ok)

    def _written(self, entry: Entry, command: Any, artifact: str, ok: Any) -> None:
        name = command.wire_name()
        version = getattr(ok, "version", None)
        if version is not None and getattr(ok, "fence", None) is not None:
            self.holds[artifact] = t.Hold(
                artifact, command.fence, version, entry.client, entry.seat, entry.as_
            )
        elif version is not None or name in {"lock.release", "lock.transfer"}:
            self.holds.pop(artifact, None)
        else:
            return
        link = self.links.get(entry.seat)
        left = self.texts.ended(artifact, command.fence, getattr(command, "text", None))
        if left and link is not None and link.reach.ready.is_set():
            link.sender.nudge()

    def fenced(self, command: Command[Any]) -> None:
        """A fence has ended: the lock is not ours any more."""
        hold = self.holds.get(getattr(command, "artifact", ""))
        if hold is not None and hold.fence == getattr(command, "fence", None):
            self.holds.pop(hold.artifact, None)

    def answered(self, entry: Entry, result: Result) -> None:
        """The answer to a command nobody here waits for: one that waited offline, or whose sender gave up.

        What was refused of the first kind is told and kept; of the second kind just a text that was to be saved.
        """
        error = result_error(result)
        self.seen = max(self.seen, result.seq)
        kind = COMMANDS[entry.cmd]
        if error is None:
            self.sent(entry)
            self._give_back(entry, kind, result)
        elif error.data.get("decided") is False or isinstance(error, StorageFailed):
            retry_ms = error.data.get("retry_ms")
            self.links[entry.seat].sender.later(
                entry.id, retry_ms / 1000 if isinstance(retry_ms, int | float) else 1.0
            )
        elif not entry.promised:
            self.sent(entry)
            self._keep_text_of(entry)
        else:
            self.outbox.refuse(entry.id, error.to_dict())
            self.tell(f"{entry.cmd} was sent when the hub was there again, and refused: {error.message}")
        self.stood()

    def _give_back(self, entry: Entry, kind: type[Command[Any]], result: Result) -> None:
        """A lock or a place in its queue that came after its taker had given up is nobody's: give it back."""
        if kind not in _GRANTS or result.ok is UNSET:
            return
        artifact, fence, ticket = entry.args.get("artifact"), result.ok.get("fence"), result.ok.get("ticket")
        if result.ok.get("state") == "queued" and isinstance(ticket, str):
            self.put(entry.seat, entry.client, entry.as_, CancelTicket(ticket=ticket))
        elif isinstance(artifact, str) and isinstance(fence, int):
            self.put(entry.seat, entry.client, entry.as_, ReleaseLock(artifact=artifact, fence=fence))

    def _keep_text_of(self, entry: Entry) -> None:
        """A save that was refused in the end has its text kept."""
        args = entry.args
        if entry.cmd == "artifact.save" and isinstance(args.get("text"), str):
            text = Text(
                args["artifact"],
                args["fence"],
                entry.seat,
                entry.client,
                entry.as_,
                args["base"],
                args["text"],
            )
            draft = t.as_draft(text, self._version(text.artifact))
            self.put(entry.seat, entry.client, entry.as_, draft, promised=True)

    def put(
        self,
        seat: str,
        client: str,
        as_: dict[str, Any] | None,
        command: Command[Any],
        *,
        promised: bool = False,
    ) -> None:
        """Put a command into the outbox, and have it sent soon; one that is `promised` is told when it is refused."""
        entry = Entry(uuid7(), seat, client, as_, command.wire_name(), args_of(command))
        self.outbox.put(entry, promised=promised)
        link = self.links.get(seat)
        if link is not None and link.reach.ready.is_set():
            link.sender.nudge()

    # --- small ------------------------------------------------------------------------------------

    def _artifact_of(self, draft: str) -> str | None:
        with self.replica.store.read() as view:
            row = view.get(Draft, draft)
        return None if row is None else row.artifact

    def _version(self, artifact: str) -> int:
        with self.replica.store.read() as view:
            row = view.get(Artifact, artifact)
        return 0 if row is None else row.version
