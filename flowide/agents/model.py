"""An agent that a model answers for, through litellm in its own process."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, NoReturn

from msgspec import structs

from flowide.agents.api import (
    Delta,
    Finished,
    Message,
    ReasoningDelta,
    Request,
    Retrying,
    Spent,
    TextDelta,
)
from flowide.agents.definition import AgentDefinition
from flowide.agents.models import SILENCE_S, Target, target_of
from flowide.agents.redact import redact, secrets_in
from flowide.agents.slots import slot
from flowide.agents.worker.client import ModelWorker
from flowide.agents.worker.frames import Call, Done, Failed, Fault, Text, Thought
from flowide.errors import AuthFailed, BadInput, FlowError, Incomplete, Rejected, Unavailable
from flowide.text import one_line

ATTEMPTS = 4
"""Attempts for one call, the first included."""
INCOMPLETE_ATTEMPTS = 3
"""The same when replies came, which cost money, and were cut off, empty or malformed."""
SILENT_ATTEMPTS = 2
"""The same when nothing came for the whole of the silence that is borne."""
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0


class ModelBackend:
    """Answers from a model; retries what may pass, within bounds."""

    def __init__(
        self,
        agent: AgentDefinition,
        *,
        models: Mapping[str, Any],
        env: Mapping[str, str],
        model: str | None = None,
        worker: ModelWorker | None = None,
        first_wait_s: float = FIRST_WAIT_S,
        silence_s: float = SILENCE_S,
        limits: Mapping[str, int] | None = None,
    ) -> None:
        """`model` goes before the agent's own; without a `worker` to share, the backend has its own.

        `first_wait_s` are the seconds before the second attempt; the next ones wait twice as long each.
        `silence_s` are the seconds without a word after which an attempt is given up, unless the model's table
        says otherwise. `limits` are calls in flight by provider or alias.
        """
        self._limits = limits or {}
        self._silence_s = silence_s
        self._agent, self._models, self._env = agent, models, env
        self._model = model
        self._worker = worker or ModelWorker(env)
        self._owns_worker = worker is None
        self._first_wait_s = first_wait_s
        self._secrets = secrets_in(env)

    async def check(self) -> None:
        """Raise BadInput without a model, AuthFailed without its key; then begin to load what calls need."""
        self._target().check()
        self._worker.warm()

    async def close(self) -> None:
        """Stop the worker, unless it is shared."""
        if self._owns_worker:
            await self._worker.close()

    async def stream(self, request: Request) -> AsyncIterator[Delta]:
        """Yield the answer as it comes; see `Backend.stream`.

        Raises:
            Rejected: The provider's content filter refused.
        """
        target = self._target()
        target.check()
        async with slot(target, self._limits), aclosing(self._attempts(target, request)) as attempts:
            async for delta in attempts:
                yield delta

    async def _attempts(self, target: Target, request: Request) -> AsyncGenerator[Delta]:
        loop = asyncio.get_running_loop()
        until = loop.time() + request.deadline_s
        call = self._call(target, request)
        attempt = 1
        while True:
            silence = self._silence_s if target.silence_s is None else target.silence_s
            call = structs.replace(call, silence_s=min(silence, max(0.1, until - loop.time())))
            reply: list[str] = []
            fault: Fault | None = None
            try:
                async with aclosing(self._worker.frames(call, until=until)) as frames:  # type: ignore[type-var]
                    async for frame in frames:
                        match frame:
                            case Text():
                                reply.append(frame.text)
                                yield TextDelta(frame.text)
                            case Thought():
                                yield ReasoningDelta(frame.text)
                            case Done():
                                text = "".join(reply) if frame.json_text is None else frame.json_text
                                yield Finished(text, frame.model, frame.usage, attempt, frame.tool_calls)
                                return
                            case Failed():
                                fault = frame.fault
                                if frame.usage is not None:
                                    yield Spent(frame.usage)
            except TimeoutError:
                raise self._too_late(target, request, began=bool(reply)) from None
            assert fault is not None
            wait = self._wait(fault, attempt, until - loop.time())
            if wait is None:
                self._refuse(target, fault, attempt)
            call = _changed(call, fault, "".join(reply))
            attempt += 1
            yield Retrying(attempt, self._clean(fault.message), round(wait * 1000))
            await asyncio.sleep(wait)

    def _target(self) -> Target:
        return target_of(self._agent, self._models, self._env, self._model)

    def _call(self, target: Target, request: Request) -> Call:
        agent = self._agent
        return Call(
            id=0,
            model=target.model,
            messages=request.messages,
            api_base=target.api_base,
            api_key=target.api_key,
            temperature=agent.temperature if request.temperature is None else request.temperature,
            max_tokens=request.max_tokens or agent.max_tokens,
            json_schema=request.json_schema,
            tools=request.tools,
            price_in=target.price_in,
            price_out=target.price_out,
        )

    def _wait(self, fault: Fault, attempt: int, left_s: float) -> float | None:
        """Seconds before the next attempt; None = there is none."""
        if fault.kind == "unsupported":
            return 0.0  # bounded by the number of parameters
        most = {"incomplete": INCOMPLETE_ATTEMPTS, "silent": SILENT_ATTEMPTS}.get(fault.kind, ATTEMPTS)
        if not fault.retry or attempt >= most:
            return None
        longest = min(LONGEST_WAIT_S, self._first_wait_s * 2 ** (attempt - 1))
        wait = longest * random.uniform(0.5, 1)  # noqa: S311 - so that agents do not come back all at once
        if fault.retry_after_s is not None:
            wait = max(wait, fault.retry_after_s)
        return wait if wait < left_s else None

    def _too_late(self, target: Target, request: Request, *, began: bool) -> Unavailable:
        what = "was not complete" if began else "did not begin"
        return Unavailable(
            f"{target.shown}: the reply {what} within {request.deadline_s:g} s",
            hint="Give it more time, or choose a faster model.",
            model=target.shown,
            agent=self._agent.handle,
            retryable=True,
        )

    def _refuse(self, target: Target, fault: Fault, attempts: int) -> NoReturn:
        kind, hint = _ERRORS[fault.kind]
        message = f"{target.shown}: {self._clean(fault.message)}"
        if attempts > 1:
            message += f" (after {attempts} attempts)"
        if fault.retry and fault.retry_after_s:
            hint = f"The provider asks to wait {fault.retry_after_s:g} s."
        raise kind(
            message,
            hint=hint,
            model=target.shown,
            agent=self._agent.handle,
            attempts=attempts,
            provider_status=fault.status,
            retryable=fault.retry,
        )

    def _clean(self, message: str) -> str:
        """A provider's message on one line, without keys and control sequences."""
        return one_line(redact(message, self._secrets))


_ERRORS: dict[str, tuple[type[FlowError], str]] = {
    "auth": (AuthFailed, "Is the key right, and allowed to use this model?"),
    "bad_request": (BadInput, "Is the name of the model right? The provider refuses the request as it is."),
    "unsupported": (BadInput, "The provider refuses the request as it is; try another model."),
    "rejected": (Rejected, "Say it differently, or choose another model."),
    "incomplete": (Incomplete, "Try again; a larger max_tokens or another model may help."),
    "unavailable": (Unavailable, "Is the provider up, and the address right? Try again later."),
    "silent": (Unavailable, "Is the provider up? A model that thinks long needs a larger silence_s."),
}


def _changed(call: Call, fault: Fault, reply: str) -> Call:
    """The call for the next attempt."""
    if fault.kind == "unsupported":
        return structs.replace(call, without=[*call.without, fault.parameter])
    if fault.reask:
        said = f"That could not be used: {fault.reask}. Answer again, with the JSON and nothing else."
        asked = [*call.messages, Message("assistant", reply or "(nothing)"), Message("user", said)]
        return structs.replace(call, messages=asked)
    return call
