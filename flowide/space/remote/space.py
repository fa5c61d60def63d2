"""`RemoteSpace`: the door to a space that a hub keeps."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from msgspec.structs import replace

from flowide.domain.actors import Actor, Caller, Now
from flowide.domain.commands import (
    MAX_BLOB,
    SILENT,
    AppendDraft,
    Batch,
    Command,
    CreateArtifact,
    Have,
    SaveArtifact,
    StreamStep,
)
from flowide.domain.events import Event
from flowide.domain.ids import uuid7
from flowide.domain.limits import MAX_NAME, check_text
from flowide.domain.rows import Artifact, Lock
from flowide.errors import Fenced, FlowError, Gone, NotFound, Offline, TooLarge
from flowide.space.api import Reply
from flowide.space.clock import Clock, SystemClock
from flowide.space.queries import DraftText, LiveDraft, Locks, Query, StepText
from flowide.space.reads import ANSWERS
from flowide.space.remote.core import Core
from flowide.space.remote.credentials import Seat, seat_of
from flowide.space.remote.link import Link, too_fast
from flowide.space.remote.outbox import Entry
from flowide.space.remote.questions import at_hub, in_replica
from flowide.space.remote.replica import missing_content
from flowide.space.remote.slim import slim
from flowide.space.remote.standing import Standing
from flowide.space.remote.texts import Hold
from flowide.space.remote.waiting import may_wait
from flowide.space.wire.calls import Call, Result, args_of, reply_of
from flowide.space.wire.frames import Cmds, Present
from flowide.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from flowide.space.archive import Moved

Ok = TypeVar("Ok")
R = TypeVar("R")

GRACE_S = 1.5
"""A connection that was lost just now may be back so soon that nobody need know."""
PATIENCE_S = 10.0
"""How long somebody waits for the answer to a command that was sent."""
CATCH_UP_S = 10.0
"""How long a read waits for the replica to reach what an answer has told."""
LEAVE_S = 1.0
"""As long at most when it is closed."""
PAGE = 256
_POLL_S = 0.25


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
        return cast("Reply[Ok]", await self._carry_out(command, id))

    async def batch(self, commands: Sequence[Command[Any]], *, id: str | None = None) -> Reply[list[Any]]:
        reply = await self._carry_out(Batch(cmds=list(commands)), id)
        return Reply(reply.seq, reply.ok.results)

    async def _carry_out(self, command: Command[Any], id: str | None) -> Reply[Any]:
        command = await slim(command, self.put_blob)
        if command.wire_name() in SILENT:
            return await self._silent(command)
        id = uuid7() if id is None else id
        check_text("id", id, MAX_NAME, least=1)
        entry = Entry(
            id, self._link.seat.handle, self.client, self._as(), command.wire_name(), args_of(command)
        )
        if not await self._reachable():
            return await self._later(entry, command)
        self._core.outbox.put(entry)
        try:
            result = await self._link.send(entry, PATIENCE_S)
            while (pause_s := too_fast(result)) is not None:
                await asyncio.sleep(pause_s)
                result = await self._link.send(entry, PATIENCE_S)
        except Offline:
            if may_wait(command):
                return self._provisional(entry, command, put=False)
            raise
        return self._taken(entry, command, result)

    def _taken(self, entry: Entry, command: Command[Any], result: Result) -> Reply[Any]:
        self._core.outbox.answered(entry.id)
        self._core.seen = max(self._core.seen, result.seq)
        outcome = reply_of(command, result)
        if isinstance(outcome, FlowError):
            if isinstance(outcome, Fenced):
                self._core.fenced(command)
            raise outcome
        self._core.taken(entry, result.seq)
        commands = command.cmds if isinstance(command, Batch) else [command]
        answers = outcome.ok.results if isinstance(command, Batch) else [outcome.ok]
        for each, ok in zip(commands, answers, strict=True):
            self._core.done(entry, each, ok)
            if isinstance(each, SaveArtifact | CreateArtifact) and each.text is not None:
                self._core.keep(each.text)
        return outcome

    async def _silent(self, command: Command[Any]) -> Reply[Any]:
        """A command that stores no reply: fence and offset make it safe to send again."""
        if not await self._reachable():
            if isinstance(command, AppendDraft):
                return self._kept_here(command)
            raise self._link.offline()
        if isinstance(command, StreamStep):
            self._core.driving.add(command.run)
        call = Call(uuid7(), command.wire_name(), args_of(command))
        frame = Cmds(client=self.client, cmds=[call], as_=self._as())
        try:
            result = await self._link.ask(call, frame=frame, timeout_s=PATIENCE_S)
            while (pause_s := too_fast(result)) is not None:
                await asyncio.sleep(pause_s)
                result = await self._link.ask(call, frame=frame, timeout_s=PATIENCE_S)
        except Offline:
            if isinstance(command, AppendDraft):
                return self._kept_here(command)
            raise
        self._core.seen = max(self._core.seen, result.seq)
        outcome = reply_of(command, result)
        if isinstance(outcome, FlowError):
            if isinstance(outcome, Fenced):
                self._core.fenced(command)
            raise outcome
        if isinstance(command, AppendDraft):
            self._core.texts.sent(command)
        return outcome

    async def _reachable(self) -> bool:
        if self._link.fatal is not None:
            raise self._link.fatal
        return await self._link.until_ready(max(0.0, GRACE_S - self._link.offline_s()))

    def _as(self) -> dict[str, Any] | None:
        if (self.actor.id, self.actor.kind) == (self._link.seat.handle, self._link.seat.kind):
            return None
        return {"id": self.actor.id, "kind": self.actor.kind}

    # --- while the hub is away --------------------------------------------------------------------

    async def _later(self, entry: Entry, command: Command[Any]) -> Reply[Any]:
        if may_wait(command):
            return self._provisional(entry, command, put=True)
        if isinstance(command, SaveArtifact) and command.text is not None:
            hold = self._hold(command.artifact, command.fence)
            if hold is not None:
                self._core.texts.keep_save(command, hold, command.text)
                if self._link.ready.is_set():
                    self._link.nudge()
                raise Offline(
                    "the hub cannot be reached, so nothing is saved yet; your text is kept on this machine",
                    hint="It is saved when the hub is there again and the lock is still yours; "
                    "else it becomes a draft.",
                    kept=True,
                    since=self.standing.since,
                )
        raise self._link.offline(cmd=entry.cmd)

    def _provisional(self, entry: Entry, command: Command[Any], *, put: bool) -> Reply[Any]:
        """Keep a command for later; its answer as far as this machine can tell.

        Raises:
            FlowError: It would be refused, by what is known here; then it is not kept.
        """
        ahead = [each for each in self._core.unseen() if each.id != entry.id]
        caller = Caller(self.actor, self.client, entry.id)
        ok = self._core.overlay.carry_out(ahead, command, caller, self._clock.now())
        if not put:
            self._core.outbox.promise(entry.id)
        else:
            self._core.outbox.put(entry, promised=True)
            if self._link.ready.is_set():
                self._link.nudge()
        return Reply(self.store.position().seq, ok)

    def _kept_here(self, command: AppendDraft) -> Reply[Any]:
        hold = self._hold(command.artifact, command.fence)
        if hold is None:
            raise self._link.offline()
        have = self._core.texts.keep(command, hold)
        if self._link.ready.is_set():  # it came back meanwhile
            self._link.nudge()
        return Reply(self._core.seq, Have(have))

    def _hold(self, artifact: str, fence: int) -> Hold | None:
        """The lock under which we write, as this process or the replica knows it; None when it is not ours."""
        hold = self._core.holds.get(artifact)
        if hold is not None and hold.fence == fence:
            return hold
        with self.store.read() as view:
            lock, row = view.get(Lock, artifact), view.get(Artifact, artifact)
        if lock is None or row is None or lock.state == "free":
            return None
        if (lock.fence, lock.actor) != (fence, self.actor.id):
            return None
        return Hold(artifact, fence, row.version, self.client, self._link.seat.handle, self._as())

    # --- reading ----------------------------------------------------------------------------------

    async def read(self, query: Query[R]) -> R:
        if at_hub(query) and await self._reachable():
            known = await self._streamed(query)
            if known is not None:
                return cast("R", known)
            try:
                return await self._ask(query)
            except (Offline, TooLarge):
                pass
        await self._caught_up()
        while True:
            try:
                return await self._from_replica(query)
            except NotFound as error:
                digest = missing_content(error)
                if digest is None:
                    raise
                await self._core.fetch(self._link, digest)

    async def _streamed(self, query: Query[Any]) -> Any:
        """A live text of somebody else that the hub streams to us; None = it has to be asked for."""
        live = self._core.texts_of_others
        found: DraftText | str | None = None
        if isinstance(query, LiveDraft) and query.artifact not in self._core.holds:
            with self.store.read() as view:
                lock, row = view.get(Lock, query.artifact), view.get(Artifact, query.artifact)
            if lock is not None and row is not None and lock.state != "free":
                text = live.draft(query.artifact, lock.fence)
                found = None if text is None else DraftText(row.id, lock.fence, row.version, text)
        elif isinstance(query, StepText) and query.run not in self._core.driving:
            found = live.step(query.run, query.key)
        subscription = live.subscription()
        if subscription is not None:
            await self._link.tell(subscription)
        return found

    async def looking_at(self, path: str | None) -> None:
        """Tell others which artifact is looked at here; None = none."""
        self._core.texts_of_others.at = path
        subscription = self._core.texts_of_others.subscription()
        if subscription is not None:
            await self._link.tell(subscription)

    async def _ask(self, query: Query[R]) -> R:
        call = Call(f"q{uuid7()}", type(query).__name__, args_of(query))
        result = await self._link.ask(call, timeout_s=PATIENCE_S)
        self._core.seen = max(self._core.seen, result.seq)
        outcome = reply_of(query, result)
        if isinstance(outcome, FlowError):
            raise outcome
        return cast("R", outcome.ok)

    async def _from_replica(self, query: Query[R]) -> R:
        now = self._clock.now()
        if at_hub(query):
            found = await asyncio.to_thread(self._core.replica.answer, query, now)
            return cast("R", in_replica(query, found))
        waiting = [] if self._link.ready.is_set() else self._core.unseen()
        if waiting:
            return cast(
                "R",
                self._core.overlay.look(waiting, now, lambda view: ANSWERS[type(query)](view, query, now)),
            )
        return self._core.replica.answer(query, now)

    async def _caught_up(self, seconds: float = CATCH_UP_S) -> None:
        """Until the replica has what the last answer told, while the hub is there."""
        loop = asyncio.get_running_loop()
        patience = loop.time() + seconds
        while (
            not self._core.closed
            and self._core.seq < self._core.seen
            and self._link.ready.is_set()
            and loop.time() < patience
        ):
            await self._core.sleep(patience - loop.time())

    async def head(self) -> int:
        await self._caught_up()
        return self.store.position().seq

    async def events(self, after: int = 0, *, follow: bool = False) -> AsyncIterator[Event]:
        core = self._core
        await self._caught_up()
        generation, last = core.generation, ""
        while not core.closed:
            if generation != core.generation:
                generation = core.generation
                self._check_same_log(after, last)
            token = self.store.change_token()
            page = self.store.events(after, PAGE)
            for event in page:
                yield event
                after, last = event.seq, event.chain
            if len(page) == PAGE:
                continue
            if not follow:
                return
            while not core.closed and self.store.change_token() == token and generation == core.generation:
                await core.sleep(_POLL_S)

    def _check_same_log(self, after: int, last: str) -> None:
        """Whoever follows a log has to know when it is another one."""
        found = self.store.bodies(after - 1, 1) if after else []
        if after and (not found or last not in {"", found[0][1]}):
            raise Gone(
                "the hub keeps another log now than the one that was followed",
                hint="Open the space again; your drafts and what waits to be sent are kept.",
            )

    # --- contents ---------------------------------------------------------------------------------

    async def put_blob(self, data: bytes) -> str:
        if len(data) > MAX_BLOB:
            raise TooLarge(f"{len(data)} bytes", hint=f"The most is {MAX_BLOB} bytes.", limit=MAX_BLOB)
        digest = sha256(data).hexdigest()
        await asyncio.to_thread(self._core.replica.keep_blobs, {digest: data})
        if await self._reachable():
            try:
                await asyncio.to_thread(self._link.http.put_blob, digest, data)
                return digest
            except Offline:
                pass
        self._core.outbox.put_upload(digest)
        return digest

    async def blob(self, sha256: str) -> bytes:
        return await self._core.fetch(self._link, sha256)

    # --- the whole space --------------------------------------------------------------------------

    async def export_to(self, folder: Path) -> Moved:
        """Write the whole space into an empty folder, from the replica, with all contents.

        Raises:
            Offline: Contents are missing here, and the hub cannot be reached.
        """
        from flowide.space.archive import export_to

        await self._caught_up()
        for digest in await asyncio.to_thread(self._core.replica.named):
            if self._core.replica.blob(digest) is None:
                await self._core.fetch(self._link, digest)

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

        if not await self._reachable():
            raise self._link.offline()
        moved = await asyncio.to_thread(send_export, self._link.http, folder)
        self._core.seen = max(self._core.seen, moved.events)
        await self._caught_up()
        return moved

    async def rebuild(self) -> None:
        """Make the replica's projections again from its log."""
        await asyncio.to_thread(self.store.rebuild)
        self._core.wake()

    async def close(self) -> None:
        # What this process has done is here for the next one, also when the hub is away then.
        await self._caught_up(LEAVE_S)
        await self._core.close()
