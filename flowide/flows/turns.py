"""An answer for which an agent uses tools: call, tools, call … Each call and each tool is a step of its own in the log.

The first call of an answer is recorded under the answer's key, the later ones under `key/turn-2`, `key/turn-3` …
What a call asked for is recorded as completed under its turn's key, so that a resumed run makes no call again.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
from msgspec import structs

from flowide.agents.api import Finished, Message, Request
from flowide.errors import Incomplete
from flowide.flows.state import RunState
from flowide.flows.tooling import offers_for, results
from flowide.project.turn import uninterrupted

_ENOUGH = "That is all the tools that can be used for this answer. Give the answer now, without any."
Once = Callable[[Request], Awaitable[Finished]]
"""Makes one call, counted and streamed."""


class Talk:
    """One answer of an agent, with the tools it uses on the way."""

    def __init__(self, state: RunState, key: str, once: Once, used: Callable[[], dict[str, Any]]) -> None:
        """`used` gives what the calls used since it was asked last, as a step keeps it."""
        self._state, self._key, self._once, self._used = state, key, once, used
        self._turn = 0

    async def answer(self, request: Request) -> tuple[Finished, Request]:
        """The end of the answer, and the request with all that was said on the way.

        The caller has counted the first call; it holds one of the run's calls in flight.

        Raises:
            Incomplete: The agent wants tools for ever.
            NeedsInput: A person has to permit one.
        """
        state = self._state
        offers = await offers_for(state, request.agent)
        if not offers:
            return await self._once(request), request
        assert state.tools is not None
        request = structs.replace(request, tools=[each.tool for each in offers.values()])
        counted = True
        while True:
            self._turn += 1
            key = f"{self._key}/turn-{self._turn}"
            said = await self._kept(key)
            if said is None:
                last = self._turn > state.tools.rounds
                finished = await self._called(key, _enough(request) if last else request, counted=counted)
                counted = False
                if not finished.tool_calls:
                    return finished, request
                if last:
                    raise Incomplete(
                        f"@{request.agent} still asks for tools after {state.tools.rounds} calls",
                        hint="Raise [limits] tool_rounds, or ask for less at once.",
                        agent=request.agent,
                    )
                said = await self._keep(key, request, finished)
            async with _waiting(state):
                told = await results(state, key, request.agent, said.tool_calls, offers)
            request = structs.replace(request, messages=[*request.messages, said, *told])

    async def _called(self, key: str, request: Request, *, counted: bool) -> Finished:
        """One call; one after the first is a step of its own, which ends with it."""
        state = self._state
        if counted:
            return await self._once(request)
        state.spending.begin(request.agent)
        await state.commit(state.record(key, request.purpose, "started", result={"agent": request.agent}))
        try:
            finished = await self._once(request)
        except Exception:
            state.put(state.record(key, request.purpose, "failed"))
            raise
        if not finished.tool_calls:  # what it used is told with the answer
            state.put(state.record(key, request.purpose, "completed", result={"model": finished.model}))
        return finished

    async def _keep(self, key: str, request: Request, finished: Finished) -> Message:
        """Record that an agent asked for tools."""
        state = self._state
        said = Message("assistant", finished.text, tool_calls=finished.tool_calls)
        whole = json.dumps(msgspec.to_builtins(said), ensure_ascii=False).encode("utf-8", "replace")
        result = {
            "agent": request.agent,
            "model": finished.model,
            "said": await state.space.put_blob(whole),
            "calls": [call.name for call in finished.tool_calls],
        }
        await state.commit(state.record(key, request.purpose, "completed", result=result, usage=self._used()))
        return said

    async def _kept(self, key: str) -> Message | None:
        """What an agent asked for in an earlier process."""
        done = self._state.done(key)
        if done is None or "said" not in done.result:
            return None
        return msgspec.json.decode(await self._state.space.blob(done.result["said"]), type=Message)


def _enough(request: Request) -> Request:
    return structs.replace(request, messages=[*request.messages, Message("user", _ENOUGH)])


@contextlib.asynccontextmanager
async def _waiting(state: RunState) -> AsyncIterator[None]:
    """While tools are at work, or a person is asked, somebody else's call may be in flight."""
    state.calls.release()
    try:
        with state.spending.clock.idle():
            yield
    finally:
        await uninterrupted(state.calls.acquire())
