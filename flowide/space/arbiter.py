"""The arbiter: puts one command at a time to the rules, in one transaction with its events and its reply."""

from __future__ import annotations

import json
import time
from contextlib import AbstractContextManager
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec.structs import astuple, replace

from flowide.domain.actors import SYSTEM, Actor, Caller, Now
from flowide.domain.commands import SILENT, Batch, Command, Results
from flowide.domain.decide import concerns, decide, settle
from flowide.domain.events import Event, actor_data, canonical_json, chain_after, plain_json
from flowide.domain.likely import likely
from flowide.domain.limits import MAX_NAME, check_text
from flowide.domain.view import Decision
from flowide.errors import BadInput, FlowError, Mismatch, StorageFailed, TooLarge, from_dict
from flowide.space.api import Reply
from flowide.space.clock import Clock
from flowide.store.api import Expected, Position, StoredReply, Tx
from flowide.store.projections import project

UNKNOWN = "0" * 64
"""Body of a command of which it is only known that it was carried out."""
MAX_BATCH = 64
_WHOLE = 2**63
"""Numbers below this, and not below its negative, fit every database."""


def run(work: Work, turn: AbstractContextManager[Tx], clock: Clock) -> Reply[Any] | FlowError:
    """Decide and write in one transaction; a refusal is an answer, and is stored like one.

    Raises:
        StorageFailed: Nothing was changed, and nothing is known about the command.
    """
    with turn as tx:
        now = clock.now()
        silent = not work.answers()
        try:
            body = "" if silent else work.body()
            stored = None if silent else tx.reply(work.caller.command)
            if stored is not None:
                return _replayed(stored, body, work.command)
        except (BadInput, Mismatch) as refused:
            refused.data["seq"] = tx.position().seq
            return refused
        outcome: Reply[Any] | FlowError
        try:
            ok = work.carry_out(tx, now)
        except StorageFailed:
            raise
        except FlowError as refused:
            outcome = refused
            outcome.data["seq"] = seq = tx.position().seq
            reply = b"" if silent else canonical_json({"seq": seq, "err": outcome.to_dict()})
        else:
            seq = tx.position().seq
            outcome = Reply(seq, ok)
            reply = b"" if silent else msgspec.json.encode({"seq": seq, "ok": ok})
        if not silent:
            tx.put_reply(work.caller.command, StoredReply(body, reply), time.time_ns() // 1_000_000)
        return outcome


class Work:
    """One command, or a batch, on its way through a transaction."""

    def __init__(self, command: Command[Any], caller: Caller) -> None:
        self.command = command
        self.caller = caller
        self.written: list[tuple[int, str, bytes]] = []
        """`(seq, chain, canonical body)` of the events that were written, as `Store.bodies` gives them."""

    def expected(self, now: Now) -> Expected:
        """What the transaction of this work will look at first."""
        return Expected(
            self.caller.command if self.answers() else None, likely(self.command, self.caller, now)
        )

    def answers(self) -> bool:
        """Whether the answer is stored, so that the same id gets it again."""
        return self.command.wire_name() not in SILENT

    def body(self) -> str:
        """Identifies what is asked by whom, to notice an id that is used for something else.

        Raises:
            BadInput: The id or the command cannot be stored.
        """
        check_text("id", self.caller.command, MAX_NAME, least=1)
        try:
            asked = msgspec.json.encode([self.caller.actor, self.command], order="sorted")
        except (TypeError, ValueError, RecursionError) as error:
            raise BadInput(f"the command holds what JSON cannot say: {error}") from error
        return blake2b(asked, digest_size=32).hexdigest()

    def carry_out(self, tx: Tx, now: Now) -> Any:
        """Decide and apply; returns the answer.

        A refusal leaves only what was due on the artifact before: the refusal was decided on top of it.
        """
        self.written.clear()
        if not isinstance(self.command, Batch):
            return self._one(tx, self.command, self.caller, now)
        if len(self.command.cmds) > MAX_BATCH:
            raise TooLarge(f"a batch of {len(self.command.cmds)}", hint=f"The most is {MAX_BATCH} commands.")
        for command in self.command.cmds:
            if not isinstance(command, Command) or isinstance(command, Batch):
                raise BadInput("a batch holds commands only, and no batch")
            self._settle(tx, command, now)
        due = len(self.written)
        try:
            with tx.savepoint():
                return Results(
                    [
                        self._one(
                            tx, command, replace(self.caller, command=f"{self.caller.command}.{at}"), now
                        )
                        for at, command in enumerate(self.command.cmds)
                    ]
                )
        except BaseException:
            del self.written[due:]
            raise

    def _one(self, tx: Tx, command: Command[Any], caller: Caller, now: Now) -> Any:
        _check_numbers(command)
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
        # All events are made before anything is written: making one may still refuse the command.
        events = self._events(tx.position(), decision, actor, now)
        for digest, data in decision.blobs.items():
            tx.put_blob(digest, data)
        for (event, body), fact in zip(events, decision.facts, strict=True):
            tx.append(event, body)
            self.written.append((event.seq, event.chain, body))
            changes = project(tx, event, fact)
            tx.drop(changes.drop)
            tx.put(changes.put)
        tx.drop(decision.drop)
        tx.put(decision.put)

    def _events(self, at: Position, decision: Decision, actor: Actor, now: Now) -> list[tuple[Event, bytes]]:
        """The events of a decision, with their canonical bodies."""
        made = []
        seq, chain, who = at.seq, at.chain, actor_data(actor)
        for fact in decision.facts:
            seq += 1
            try:
                fields: dict[str, Any] = {
                    "v": 1,
                    "seq": seq,
                    "ts": now.wall,
                    "actor": who,
                    "client": self.caller.client,
                    "cmd": self.caller.command,
                    "type": fact.event_type(),
                    "data": fact.to_data(),
                }
                body = plain_json(fields) if fact.is_plain() else canonical_json(fields)
            except (TypeError, ValueError, RecursionError) as error:
                raise BadInput(f"the command holds what JSON cannot say: {error}") from error
            chain = chain_after(chain, body)
            made.append((Event(chain=chain, **fields), body))
        return made


def _check_numbers(command: Command[Any]) -> None:
    for value in astuple(command):
        if type(value) is int and not -_WHOLE <= value < _WHOLE:
            raise BadInput(f"{value} is too large a number", hint="Numbers have 64 bits.")


def _replayed(stored: StoredReply, body: str, command: Command[Any]) -> Reply[Any] | FlowError:
    if stored.body not in {body, UNKNOWN}:
        raise Mismatch(
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
