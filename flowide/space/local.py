"""A space in this process: the arbiter that puts the rules to a store, one command at a time."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager
from hashlib import sha256
from typing import Any, TypeVar, cast

import msgspec
from msgspec.structs import replace

from flowide.domain.actors import SYSTEM, Actor, Caller, Now
from flowide.domain.commands import MAX_BLOB, SILENT, Batch, Command, Results
from flowide.domain.decide import concerns, decide, settle
from flowide.domain.events import Event, actor_data, canonical_json, chain_after
from flowide.domain.facts import Fact
from flowide.domain.ids import uuid7
from flowide.domain.view import Decision
from flowide.errors import BadInput, FlowError, Mismatch, NotFound, TooLarge, from_dict
from flowide.space.api import Reply
from flowide.space.clock import Clock, SystemClock
from flowide.space.queries import Query
from flowide.space.reads import answer
from flowide.store.api import Store, StoredReply, Tx
from flowide.store.projections import project

Ok = TypeVar("Ok")
R = TypeVar("R")

MAX_BATCH = 64
POLL_S = 0.03
"""Seconds between looks at what other processes committed."""
PAGE = 256
"""Events fetched at a time."""


class LocalSpace:
    """Implements `flowide.space.api.Space` on a store. Belongs to one event loop."""

    def __init__(
        self, store: Store, actor: Actor, *, client: str | None = None, clock: Clock | None = None
    ) -> None:
        self.store = store
        self.actor = actor
        self.client = client or str(uuid.uuid4())
        self.clock = clock or SystemClock()
        self._shared = _Shared()

    def acting_as(self, actor: Actor) -> LocalSpace:
        other = LocalSpace(self.store, actor, client=self.client, clock=self.clock)
        other._shared = self._shared
        return other

    async def execute(self, command: Command[Ok], *, id: str | None = None) -> Reply[Ok]:
        return cast("Reply[Ok]", await self._commit(command, id or uuid7()))

    async def batch(self, commands: Sequence[Command[Any]], *, id: str | None = None) -> Reply[list[Any]]:
        reply = await self._commit(Batch(cmds=list(commands)), id or uuid7())
        return Reply(reply.seq, reply.ok.results)

    async def _commit(self, command: Command[Any], id: str) -> Reply[Any]:
        work = _Work(command, Caller(self.actor, self.client, id))
        turn = self.store.try_write()
        if turn is None:
            outcome = await asyncio.to_thread(lambda: self._run(work, self.store.write()))
        else:
            outcome = self._run(work, turn)
        self._shared.wake()
        if isinstance(outcome, FlowError):
            raise outcome
        return outcome

    def _run(self, work: _Work, turn: AbstractContextManager[Tx]) -> Reply[Any] | FlowError:
        """Decide and write in one transaction; a refusal is an answer, and is stored like one."""
        now = self.clock.now()
        with turn as tx:
            silent = work.command.wire_name() in SILENT
            body = "" if silent else work.body()
            if not silent:
                stored = tx.reply(work.caller.command)
                if stored is not None:
                    return _replayed(stored, body, work.command)
            try:
                ok = work.carry_out(tx, now)
            except FlowError as refused:
                seq = tx.position().seq
                refused.data["seq"] = seq
                if not silent:
                    reply = canonical_json({"seq": seq, "err": refused.to_dict()})
                    tx.put_reply(work.caller.command, StoredReply(body, reply), time.time_ns() // 1_000_000)
                return refused
            seq = tx.position().seq
            if not silent:
                reply = msgspec.json.encode({"seq": seq, "ok": ok})
                tx.put_reply(work.caller.command, StoredReply(body, reply), time.time_ns() // 1_000_000)
            return Reply(seq, ok)

    async def read(self, query: Query[R]) -> R:
        return cast("R", answer(query, self.store, self.clock.now()))

    async def head(self) -> int:
        return self.store.position().seq

    async def put_blob(self, data: bytes) -> str:
        if len(data) > MAX_BLOB:
            raise TooLarge(f"{len(data)} bytes", hint=f"The most is {MAX_BLOB} bytes.", limit=MAX_BLOB)
        digest = sha256(data).hexdigest()
        if self.store.blob(digest) is None:
            await asyncio.to_thread(self._write_blob, digest, data)
        return digest

    def _write_blob(self, digest: str, data: bytes) -> None:
        with self.store.write() as tx:
            tx.put_blob(digest, data)

    async def blob(self, sha256: str) -> bytes:
        data = self.store.blob(sha256)
        if data is None:
            raise NotFound(f"there is no blob {sha256[:80]}", hint="Run `flowide verify`.")
        return data

    async def events(self, after: int = 0, *, follow: bool = False) -> AsyncIterator[Event]:
        while True:
            page = self.store.events(after, PAGE)
            for event in page:
                yield event
                after = event.seq
            if len(page) == PAGE:
                continue
            if not follow:
                return
            await self._wait_beyond(after)

    async def _wait_beyond(self, seq: int) -> None:
        """Sleep until the log is longer; own commits wake at once, others' are polled for."""
        while self.store.position().seq <= seq:
            await self._shared.sleep(POLL_S)
            while not self._shared.woken and not self.store.changed():
                await self._shared.sleep(POLL_S)

    async def close(self) -> None:
        self.store.close()


class _Shared:
    """Wakes followers in the same process."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()
        self.woken = False

    def wake(self) -> None:
        self.woken = True
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def sleep(self, seconds: float) -> None:
        """Until somebody here commits, or for so long."""
        self.woken = False
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await asyncio.wait([waiter], timeout=seconds)
        finally:
            self._waiters.discard(waiter)


class _Work:
    """One command, or a batch, on its way through a transaction."""

    def __init__(self, command: Command[Any], caller: Caller) -> None:
        self.command = command
        self.caller = caller

    def body(self) -> str:
        """Identifies what is asked, to notice an id that is used for something else."""
        asked = {
            "actor": actor_data(self.caller.actor),
            "client": self.caller.client,
            "cmd": msgspec.to_builtins(self.command),
        }
        try:
            return sha256(canonical_json(asked)).hexdigest()
        except ValueError as error:
            raise BadInput(f"the command holds what JSON cannot say: {error}") from error

    def carry_out(self, tx: Tx, now: Now) -> Any:
        """Decide and apply; returns the answer.

        A refusal leaves only what was due on the artifact before: the refusal was decided on top of it.
        """
        if not isinstance(self.command, Batch):
            return self._one(tx, self.command, self.caller, now)
        if len(self.command.cmds) > MAX_BATCH:
            raise TooLarge(f"a batch of {len(self.command.cmds)}", hint=f"The most is {MAX_BATCH} commands.")
        for command in self.command.cmds:
            if not isinstance(command, Command) or isinstance(command, Batch):
                raise BadInput("a batch holds commands only, and no batch")
            self._settle(tx, command, now)
        with tx.savepoint():
            return Results(
                [
                    self._one(tx, command, replace(self.caller, command=f"{self.caller.command}.{at}"), now)
                    for at, command in enumerate(self.command.cmds)
                ]
            )

    def _one(self, tx: Tx, command: Command[Any], caller: Caller, now: Now) -> Any:
        self._settle(tx, command, now)
        decision = decide(tx, command, caller, now)
        self._apply(tx, decision, caller.actor, now)
        return decision.ok

    def _settle(self, tx: Tx, command: Command[Any], now: Now) -> None:
        artifact = concerns(tx, command)
        due = None if artifact is None else settle(tx, artifact, now)
        if due is not None:
            self._apply(tx, due, SYSTEM, now)

    def _apply(self, tx: Tx, decision: Decision, actor: Actor, now: Now) -> None:
        for data in decision.blobs:
            tx.put_blob(sha256(data).hexdigest(), data)
        for fact in decision.facts:
            event = self._append(tx, fact, actor, now)
            changes = project(tx, event, fact)
            tx.drop(changes.drop)
            tx.put(changes.put)
        tx.drop(decision.drop)
        tx.put(decision.put)

    def _append(self, tx: Tx, fact: Fact, actor: Actor, now: Now) -> Event:
        before = tx.position()
        fields: dict[str, Any] = {
            "v": 1,
            "seq": before.seq + 1,
            "ts": now.wall,
            "actor": actor_data(actor),
            "client": self.caller.client,
            "cmd": self.caller.command,
            "type": fact.event_type(),
            "data": fact.to_data(),
        }
        try:
            body = canonical_json(fields)
        except ValueError as error:
            raise BadInput(f"the command holds what JSON cannot say: {error}") from error
        event = Event(chain=chain_after(before.chain, body), **fields)
        tx.append(event, body)
        return event


def _replayed(stored: StoredReply, body: str, command: Command[Any]) -> Reply[Any] | FlowError:
    if stored.body != body:
        return Mismatch(
            "this command id was used before, for something else", hint="Make a new id for each command."
        )
    reply = json.loads(stored.reply)
    if "err" in reply:
        return from_dict(reply["err"])
    return Reply(reply["seq"], _typed(command, reply["ok"]))


def _typed(command: Command[Any], ok: Any) -> Any:
    """The stored answer as the type the command gives."""
    if isinstance(command, Batch):
        return Results(
            [_typed(each, result) for each, result in zip(command.cmds, ok["results"], strict=True)]
        )
    return msgspec.convert(ok, answer_type(type(command)))


def answer_type(command: type[Command[Any]]) -> Any:
    """The `Ok` of a command class."""
    base = command.__orig_bases__[0]  # type: ignore[attr-defined]
    return base.__args__[0]
