"""Commands of one view of a remote space: sent to the hub, or kept for later while it is away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from flowide.domain.actors import Actor, Caller
from flowide.domain.commands import (
    SILENT,
    AppendDraft,
    Batch,
    Command,
    CreateArtifact,
    Have,
    SaveArtifact,
    StreamStep,
)
from flowide.domain.ids import uuid7
from flowide.domain.limits import MAX_NAME, check_text
from flowide.domain.rows import Artifact, Lock
from flowide.errors import Fenced, FlowError, Offline
from flowide.space.api import Reply
from flowide.space.clock import Clock
from flowide.space.remote.core import Core
from flowide.space.remote.link import Link
from flowide.space.remote.outbox import Entry
from flowide.space.remote.results import too_fast
from flowide.space.remote.slim import slim
from flowide.space.remote.texts import Hold
from flowide.space.remote.waiting import may_wait
from flowide.space.wire.calls import Call, Result, args_of, reply_of
from flowide.space.wire.frames import Cmds


class Commands:
    """Carries out what one actor asks for in one process."""

    def __init__(
        self,
        core: Core,
        link: Link,
        actor: Actor,
        client: str,
        clock: Clock,
        put_blob: Callable[[bytes], Awaitable[str]],
    ) -> None:
        """`put_blob` stores a content that is too large for a command; `clock` tells the time offline."""
        self._core = core
        self._link = link
        self._actor = actor
        self._client = client
        self._clock = clock
        self._put_blob = put_blob

    async def carry_out(self, command: Command[Any], id: str | None) -> Reply[Any]:
        """The answer of the hub, or the one that is expected of it later; `id` None = a new one.

        Raises:
            FlowError: The refusal, of the hub or of this machine while the hub is away.
        """
        command = await slim(command, self._put_blob)
        if command.wire_name() in SILENT:
            return await self._silent(command)
        id = uuid7() if id is None else id
        check_text("id", id, MAX_NAME, least=1)
        entry = Entry(
            id, self._link.seat.handle, self._client, self._as(), command.wire_name(), args_of(command)
        )
        if not await self._link.reach.soon():
            return await self._later(entry, command)
        self._core.outbox.put(entry)
        try:
            result = await self._link.sender.send(entry)
            while (pause_s := too_fast(result)) is not None:
                await asyncio.sleep(pause_s)
                result = await self._link.sender.send(entry)
        except Offline:
            if may_wait(command):
                return self._provisional(entry, command, put=False)
            raise
        return self._taken(entry, command, result)

    def _taken(self, entry: Entry, command: Command[Any], result: Result) -> Reply[Any]:
        self._core.sent(entry)
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
                self._core.contents.keep(each.text)
        return outcome

    async def _silent(self, command: Command[Any]) -> Reply[Any]:
        """A command that stores no reply: fence and offset make it safe to send again."""
        if not await self._link.reach.soon():
            if isinstance(command, AppendDraft):
                return self._kept_here(command)
            raise self._link.reach.offline()
        if isinstance(command, StreamStep):
            self._core.driving.add(command.run)
        call = Call(uuid7(), command.wire_name(), args_of(command))
        frame = Cmds(client=self._client, cmds=[call], as_=self._as())
        try:
            result = await self._link.sender.ask(call, frame=frame)
            while (pause_s := too_fast(result)) is not None:
                await asyncio.sleep(pause_s)
                result = await self._link.sender.ask(call, frame=frame)
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

    def _as(self) -> dict[str, Any] | None:
        if (self._actor.id, self._actor.kind) == (self._link.seat.handle, self._link.seat.kind):
            return None
        return {"id": self._actor.id, "kind": self._actor.kind}

    async def _later(self, entry: Entry, command: Command[Any]) -> Reply[Any]:
        if may_wait(command):
            return self._provisional(entry, command, put=True)
        if isinstance(command, SaveArtifact) and command.text is not None:
            hold = self._hold(command.artifact, command.fence)
            if hold is not None:
                self._core.texts.keep_save(command, hold, command.text)
                if self._link.reach.ready.is_set():
                    self._link.sender.nudge()
                raise Offline(
                    "the hub cannot be reached, so nothing is saved yet; your text is kept on this machine",
                    hint="It is saved when the hub is there again and the lock is still yours; "
                    "else it becomes a draft.",
                    kept=True,
                    since=self._link.reach.standing.since,
                )
        raise self._link.reach.offline(cmd=entry.cmd)

    def _provisional(self, entry: Entry, command: Command[Any], *, put: bool) -> Reply[Any]:
        """Keep a command for later; its answer as far as this machine can tell.

        Raises:
            FlowError: It would be refused, by what is known here; then it is not kept.
        """
        ahead = [each for each in self._core.unseen() if each.id != entry.id]
        caller = Caller(self._actor, self._client, entry.id)
        ok = self._core.overlay.carry_out(ahead, command, caller, self._clock.now())
        if not put:
            self._core.outbox.promise(entry.id)
        else:
            self._core.outbox.put(entry, promised=True)
            if self._link.reach.ready.is_set():
                self._link.sender.nudge()
        return Reply(self._core.replica.store.position().seq, ok)

    def _kept_here(self, command: AppendDraft) -> Reply[Any]:
        hold = self._hold(command.artifact, command.fence)
        if hold is None:
            raise self._link.reach.offline()
        have = self._core.texts.keep(command, hold)
        if self._link.reach.ready.is_set():  # it came back meanwhile
            self._link.sender.nudge()
        return Reply(self._core.seq, Have(have))

    def _hold(self, artifact: str, fence: int) -> Hold | None:
        """The lock under which we write, as this process or the replica knows it; None when it is not ours."""
        hold = self._core.holds.get(artifact)
        if hold is not None and hold.fence == fence:
            return hold
        with self._core.replica.store.read() as view:
            lock, row = view.get(Lock, artifact), view.get(Artifact, artifact)
        if lock is None or row is None or lock.state == "free":
            return None
        if (lock.fence, lock.actor) != (fence, self._actor.id):
            return None
        return Hold(artifact, fence, row.version, self._client, self._link.seat.handle, self._as())
