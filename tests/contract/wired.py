"""A space whose every command, question and answer has been JSON on the way, as with a hub."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from flowide.domain.actors import Actor
from flowide.domain.commands import Batch, Command
from flowide.errors import FlowError
from flowide.space.api import Reply
from flowide.space.queries import Query
from flowide.space.wire.calls import Call, Result, args_of, command_of, query_of, reply_of
from flowide.testing import MemorySpace

R = TypeVar("R")


class WiredSpace(MemorySpace):
    """A memory space behind the encoding of the wire, without a network."""

    def acting_as(self, actor: Actor) -> WiredSpace:
        other = WiredSpace(actor, client=self.client, clock=self._clock)
        other.store, other._followers = self.store, self._followers
        return other

    async def _commit(self, command: Command[Any], id: str | None) -> Reply[Any]:
        sent = _over(Call(id or "", command.wire_name(), args_of(command)), Call)
        try:
            reply = await super()._commit(command_of(sent.cmd, sent.args), id)
            result = Result(sent.id, reply.seq, ok=reply.ok)
        except FlowError as refused:
            result = Result(sent.id, refused.data.get("seq", 0), err=refused.to_dict())
        outcome = reply_of(command, _over(result, Result))
        if isinstance(outcome, FlowError):
            raise outcome
        assert type(outcome.ok) is type(reply.ok)
        if isinstance(command, Batch):
            assert outcome.ok == reply.ok
        return outcome

    async def read(self, query: Query[R]) -> R:
        sent = _over(Call("q", type(query).__name__, args_of(query)), Call)
        answer = await super().read(query_of(sent.cmd, sent.args))
        outcome = reply_of(query, _over(Result(sent.id, 0, ok=answer), Result))
        assert isinstance(outcome, Reply)
        assert outcome.ok == answer
        return outcome.ok  # type: ignore[no-any-return]  # the wire carries any type


def _over(value: Any, kind: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value), type=kind)
