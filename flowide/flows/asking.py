"""One call to an agent, as a step of a run: bounded, streamed, in the log before anything builds on it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import structs

from flowide.agents.api import Finished, Message, Request, Retrying, Spent, TextDelta, Usage
from flowide.agents.context import encode
from flowide.domain.commands import MAX_INLINE, Command, StreamStep
from flowide.errors import FlowError, Incomplete, NeedsInput
from flowide.flows.budget import UNPRICED
from flowide.flows.decided import decision_items, with_decisions
from flowide.flows.pointing import with_references
from flowide.flows.prompt import Prompt
from flowide.flows.state import RunState
from flowide.flows.turns import Talk

STREAM_S = 1.0
STREAM_BYTES = 4096
"""A step's text is shown to other processes after so much time or text."""
TRIES = 3
"""Calls for one answer, when replies come that cannot be used."""


Heard = Callable[[str, bool], Awaitable[None]]
"""Told each part of an answer as it comes; True = what was told before is void."""


async def ask(
    state: RunState,
    key: str,
    request: Request,
    *,
    prompt: Prompt | None = None,
    manifest: str | None = None,
    usable: Callable[[str], Any] | None = None,
    heard: Heard | None = None,
    then: Callable[[str], Sequence[Command[Any]]] | None = None,
) -> str:
    """The text of an agent's answer.

    A finished call is recorded with its text under `key` at once, and never made again. `usable` looks at the
    text and raises Incomplete when it is no use: then the agent is asked again, up to `TRIES` times in all.
    What `then` makes of the text is committed together with it, by the agent.

    `prompt` is what the agent is told: its manifest is kept with the answer. A request that has its messages already
    comes with the blob that holds their manifest, as `manifest`.

    Raises:
        FlowError: What the last call failed with; it is recorded too.
    """
    request = structs.replace(request, step=key, session=request.session or f"{state.run}/{key}")
    done = state.done(key)
    if done is not None:
        return await _after(state, request, (await state.space.blob(done.result["reply"])).decode())
    told: dict[str, Any] = {}
    if prompt is None:
        request = await with_decisions(state.space, request)
    else:
        prompt = (await with_references(state, prompt)).holding(await decision_items(state.space))
        messages, fitted = prompt.fitted(state.context)
        request = structs.replace(request, messages=messages)
        told = {"manifest": encode(fitted.manifest).decode()}
        manifest = sha256(told["manifest"].encode()).hexdigest()
    if request.images:
        *before, last = request.messages
        request = structs.replace(request, messages=[*before, structs.replace(last, images=request.images)])
    who: dict[str, Any] = {"agent": request.agent, **({"manifest": manifest} if manifest else {})}
    async with state.calls:
        spent = _Spent()
        try:
            state.spending.begin(request.agent)
            await state.commit(state.record(key, request.purpose, "started", result=who, **told))
            with state.spending.clock.call():
                finished = await _until_usable(state, key, request, usable, heard, spent)
        except NeedsInput:
            raise  # it is gone on with once somebody has answered
        except FlowError as error:
            failed = state.record(
                key,
                request.purpose,
                "failed",
                result=who | spent.again,
                error=error.to_dict(),
                usage=spent.told,
            )
            await state.commit(failed)
            raise
    data = finished.text.encode()
    result = {"reply": sha256(data).hexdigest(), **who, "model": finished.model, **spent.again}
    inline = finished.text if len(data) <= MAX_INLINE else None
    if inline is None:
        await state.space.put_blob(data)
    completed = state.record(key, request.purpose, "completed", result=result, usage=spent.told, reply=inline)
    if then is None:
        await state.commit(completed)
    else:
        await state.commit(completed, *then(finished.text), actor=state.actor(request.agent))
    return await _after(state, request, finished.text)


async def _after(state: RunState, request: Request, text: str) -> str:
    """The answer, once what a coding agent changed besides is brought back."""
    if not state.works_itself(request.agent):
        return text
    assert state.coding is not None
    return await state.coding.bring_back(request, text)


async def _until_usable(
    state: RunState,
    key: str,
    request: Request,
    usable: Callable[[str], Any] | None,
    heard: Heard | None,
    spent: _Spent,
) -> Finished:
    async def once(request: Request) -> Finished:
        began = time.monotonic()
        bounded = structs.replace(request, deadline_s=state.seconds_for(request.agent))
        finished = await _call(state, key, bounded, heard, spent)
        state.spending.add(request.agent, finished.usage, time.monotonic() - began)
        spent.add(finished.usage)
        if state.spending.unpriced:
            state.warn_once(f"{UNPRICED}; tokens and time are bounded")
        return finished

    talk = Talk(state, key, once, spent.taken)
    for attempt in range(1, TRIES + 1):
        if attempt > 1:
            state.spending.begin(request.agent)
        spent.asked = attempt
        finished, request = await talk.answer(request)
        try:
            if usable is not None:
                usable(finished.text)
        except Incomplete as error:
            if attempt == TRIES:
                raise
            state.observer.warning(f"{key}: {error.message}; @{request.agent} is asked again")
            request = _again(request, finished.text, error)
            continue
        return finished
    raise AssertionError("unreachable")


class _Spent:
    """What the calls for one answer used together, those whose replies were no use too."""

    def __init__(self) -> None:
        self.told: dict[str, Any] = {}
        """As a step keeps it; empty before the first reply."""
        self.asked = 1
        """How often the agent was asked."""

    @property
    def again(self) -> dict[str, Any]:
        """What the step keeps of an agent that had to be asked again."""
        return {"asked": self.asked} if self.asked > 1 else {}

    def taken(self) -> dict[str, Any]:
        """What was used so far, which is not told again."""
        told, self.told = self.told, {}
        return told

    def add(self, usage: Usage) -> None:
        before = msgspec.convert(self.told, Usage) if self.told else Usage(0, 0, 0)
        unknown = before.cost_micros is None or usage.cost_micros is None
        together = Usage(
            before.input_tokens + usage.input_tokens,
            before.output_tokens + usage.output_tokens,
            None if unknown else (before.cost_micros or 0) + (usage.cost_micros or 0),
        )
        self.told = msgspec.to_builtins(together)


def _again(request: Request, reply: str, error: Incomplete) -> Request:
    said = (
        f"That could not be used: {error.message}. Answer again, completely, in the form that was asked for."
    )
    return structs.replace(
        request,
        messages=[*request.messages, Message("assistant", reply or "(nothing)"), Message("user", said)],
    )


async def _call(state: RunState, key: str, request: Request, heard: Heard | None, spent: _Spent) -> Finished:
    show = _Show(state, key, request.agent)
    finished: Finished | None = None
    fresh = True
    async with aclosing(state.pool.backend(request.agent).stream(request)) as stream:  # type: ignore[type-var]
        async for delta in stream:
            if isinstance(delta, TextDelta):
                await show.add(delta.text)
                if heard is not None:
                    await heard(delta.text, fresh)
                    fresh = False
            elif isinstance(delta, Spent):
                state.spending.add(request.agent, delta.usage)
                spent.add(delta.usage)
            elif isinstance(delta, Retrying):
                state.spending.check(request.agent)
                await show.restart(delta.why)
                fresh = True
            elif isinstance(delta, Finished):
                finished = delta
            elif state.coding is not None and state.works_itself(request.agent):
                await state.coding.told(request, delta)
                if heard is not None:
                    await heard("", False)  # it works, and its lock is looked after
    if finished is None:
        raise Incomplete(
            f"the answer of @{request.agent} ended early", hint="Try again.", agent=request.agent
        )
    if not finished.text.strip() and not finished.tool_calls:
        raise Incomplete(f"@{request.agent} answered nothing", hint="Try again.", agent=request.agent)
    return finished


class _Show:
    """Passes text on: to the observer at once, to the space in larger parts."""

    def __init__(self, state: RunState, key: str, agent: str) -> None:
        self._state, self._key, self._agent = state, key, agent
        self._waiting: list[str] = []
        self._size = 0
        self._off = 0
        self._restarted = True
        self._last = time.monotonic()

    async def add(self, text: str) -> None:
        self._state.observer.delta(self._key, self._agent, text, restart=self._restarted)
        self._restarted = False
        self._waiting.append(text)
        self._size += len(text)
        if self._size >= STREAM_BYTES or time.monotonic() - self._last >= STREAM_S:
            await self.flush()

    async def restart(self, why: str) -> None:
        self._state.observer.warning(f"{self._key}: {why}; @{self._agent} is asked again")
        self._restarted, self._off = True, 0
        self._waiting.clear()
        self._size = 0

    async def flush(self) -> None:
        text = "".join(self._waiting)
        self._waiting.clear()
        self._size, self._last = 0, time.monotonic()
        if not text:
            return
        command = StreamStep(
            run=self._state.run, fence=self._state.fence, key=self._key, off=self._off, text=text
        )
        with suppress(FlowError):  # only a preview: the answer itself is recorded when it is complete
            self._off = (await self._state.space.execute(command)).ok.have


async def gather(*tasks: Any) -> list[Any]:
    """Results in order; the first unexpected error, or a cancel, stops the others before it is raised."""
    running = [asyncio.ensure_future(task) for task in tasks]
    try:
        return list(await asyncio.gather(*running))
    except BaseException:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        raise
