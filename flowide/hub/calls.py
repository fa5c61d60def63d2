"""Commands and questions of a client, from the wire to the arbiter and back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from flowide.domain.actors import Actor, Caller
from flowide.domain.commands import AppendDraft, Batch, Command, Invited, InviteMember, Results
from flowide.domain.limits import MAX_NAME, check_text
from flowide.errors import BadInput, FlowError, Limit, Unavailable
from flowide.hub.live import Live
from flowide.hub.metrics import Metrics
from flowide.hub.seats import Seat
from flowide.hub.space import HubSpace
from flowide.space.api import Reply
from flowide.space.arbiter import MAX_BATCH
from flowide.space.keys import digest_of
from flowide.space.wire.calls import Call, Result, command_of, query_of, with_ids
from flowide.space.wire.frames import Cmds

RATES = {"human": (50.0, 200.0), "agent": (20.0, 80.0), "system": (50.0, 200.0)}
"""Commands a second, and at once, of one actor with one token, whatever its clients call themselves."""
OF_TOKEN = (250.0, 1000.0)
"""The same of all actors together that a token acts for."""


class Pace:
    """How many commands may still be sent now: a bucket that fills steadily."""

    def __init__(
        self,
        rate: float,
        burst: float,
        clock: Callable[[], float] = time.monotonic,
        *,
        within: Pace | None = None,
    ) -> None:
        """What is taken here is taken out of `within`, too."""
        self._within = within
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._clock = clock
        self._at = clock()

    def take(self) -> float:
        """0 when one may be sent, else after how many seconds."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return (1 - self._left) / self._rate
        wait_s = 0.0 if self._within is None else self._within.take()
        if not wait_s:
            self._left -= 1
        return wait_s


class Paces:
    """The pace of each token and actor that was heard of lately."""

    _MOST = 10_000

    def __init__(self) -> None:
        self._of: dict[tuple[str, str], Pace] = {}
        self._of_token: dict[str, Pace] = {}

    def __len__(self) -> int:
        return len(self._of)

    def of(self, token: str, actor: Actor) -> Pace:
        """The one of a token and actor."""
        key = (token, actor.id)
        pace = self._of.get(key)
        if pace is None:
            if len(self._of) >= self._MOST:
                self._of.pop(next(iter(self._of)))
            all_ = self._of_token.setdefault(token, Pace(*OF_TOKEN))
            pace = self._of[key] = Pace(*RATES[actor.kind], within=all_)
        return pace


class Desk:
    """Takes the calls of one client with one token."""

    def __init__(self, space: HubSpace, seat: Seat, paces: Paces, live: Live, metrics: Metrics) -> None:
        self.space = space
        self.seat = seat
        self._paces = paces
        self._live = live
        self._metrics = metrics
        self.drafting: dict[str, int] = {}
        """Artifacts to whose drafts this client added, with the fence."""

    async def commands(self, sent: Cmds) -> list[Result]:
        """Carry out commands one after the other; each has its own answer."""
        started = time.monotonic()
        try:
            check_text("client", sent.client, MAX_NAME, least=1)
            if len(sent.cmds) > MAX_BATCH:
                raise BadInput(f"{len(sent.cmds)} commands at once", hint=f"The most is {MAX_BATCH}.")
            actor = self.seat.acting_as(sent.as_)
        except FlowError as refused:
            return await self._refuse(sent.cmds[:MAX_BATCH], refused)
        pace = self._paces.of(self.seat.token, actor)
        results = []
        for call in sent.cmds:
            late = sent.deadline_ms is not None and (time.monotonic() - started) * 1000 >= sent.deadline_ms
            began = time.monotonic()
            result = await self._command(call, actor, sent.client, pace, late=late)
            self._metrics.command(
                "ok" if result.err is UNSET else result.err["code"], time.monotonic() - began
            )
            results.append(result)
        return results

    async def _refuse(self, calls: list[Call], refused: FlowError) -> list[Result]:
        return [await self._refusal(call, refused) for call in calls]

    async def _refusal(self, call: Call, refused: FlowError) -> Result:
        """Of a call that no transaction has seen."""
        at = await self.space.position()
        return Result(call.id, at.seq, err=refused.to_dict())

    async def _command(self, call: Call, actor: Actor, client: str, pace: Pace, *, late: bool) -> Result:
        try:
            if late:
                raise Unavailable(
                    "the time for this command had run out before it began",
                    hint="Send it again.",
                    decided=False,
                )
            wait_s = pace.take()
            if wait_s:
                raise Limit(
                    "commands come faster than this hub takes them from one member",
                    hint="Send it again a little later.",
                    retry_ms=round(wait_s * 1000) + 1,
                    decided=False,
                )
            args = with_ids(call.cmd, call.args, call.id)
            command = self._prepared(command_of(call.cmd, args), call.id)
        except FlowError as refused:
            return await self._refusal(call, refused)
        try:
            outcome = await self.space.execute(command, Caller(actor, client, call.id, self.seat.token))
        except Exception as error:
            # Nothing was changed. The other commands of this client must not wait for one that cannot be.
            self._metrics.fault(f"{call.cmd[:80]}: {type(error).__name__}: {error}")
            return await self._refusal(call, FlowError("this is a mistake in the hub; its log has more"))
        if isinstance(outcome, FlowError):
            seq = outcome.data.get("seq")
            if seq is None:
                outcome.data["decided"] = False
                return await self._refusal(call, outcome)
            return Result(call.id, seq, err=outcome.to_dict())
        self._live.wrote(command)
        if isinstance(command, AppendDraft):
            self.drafting[command.artifact] = command.fence
        return self._told(command, call.id, outcome)

    def _prepared(self, command: Command[Any], id: str) -> Command[Any]:
        """An invitation without a code gets one that only the inviter's token can make again."""
        if isinstance(command, Batch):
            return Batch(cmds=[self._prepared(each, f"{id}.{at}") for at, each in enumerate(command.cmds)])
        if isinstance(command, InviteMember) and command.digest is None:
            return replace(command, digest=digest_of(self.seat.code(id)))
        return command

    def _told(self, command: Command[Any], id: str, reply: Reply[Any]) -> Result:
        ok = self._revealed(command, id, reply.ok)
        return Result(id, reply.seq, ok=ok if ok is not None else UNSET)

    def _revealed(self, command: Command[Any], id: str, ok: Any) -> Any:
        """The answer with the code of an invitation, which is stored nowhere."""
        if isinstance(ok, Results):
            return Results(
                [
                    self._revealed(each, f"{id}.{at}", part)
                    for at, (each, part) in enumerate(zip(command.cmds, ok.results, strict=True))  # type: ignore[attr-defined] # only batches have results
                ]
            )
        if isinstance(ok, Invited) and isinstance(command, InviteMember):
            code = self.seat.code(id)
            if digest_of(code) == command.digest:
                return replace(ok, code=code)
        return ok

    async def question(self, call: Call) -> Result:
        """Answer a question."""
        try:
            seq, ok = await self.space.read(query_of(call.cmd, call.args))
        except FlowError as refused:
            return await self._refusal(call, refused)
        except Exception as error:
            self._metrics.fault(f"{call.cmd[:80]}: {type(error).__name__}: {error}")
            return await self._refusal(call, FlowError("this is a mistake in the hub; its log has more"))
        return Result(call.id, seq, ok=ok)
