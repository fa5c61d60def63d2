"""One attempt at a call through litellm."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

import httpx
import litellm
from litellm.llms.ollama.common_utils import OllamaModelInfo
from msgspec import structs

from flowide.agents.api import Usage
from flowide.agents.extract import extract_json
from flowide.agents.redact import secrets_in
from flowide.agents.worker.faults import fault_of, fault_of_ending
from flowide.agents.worker.frames import (
    TEXT_CHARS,
    Call,
    Done,
    Failed,
    Fault,
    FromWorker,
    Text,
    Thought,
    valid_unicode,
)
from flowide.agents.worker.messages import wire_message, wire_tool
from flowide.agents.worker.native_end import PROVIDERS, NativeEnd
from flowide.agents.worker.pricing import cost_micros
from flowide.agents.worker.raw_chunks import RawChunks
from flowide.agents.worker.thinking import ThinkingSplitter
from flowide.agents.worker.tool_calls import ToolCallParts
from flowide.errors import Incomplete

litellm.suppress_debug_info = True
litellm.drop_params = True
litellm.disable_streaming_logging = True
litellm.disable_hf_tokenizer_download = True
# aiohttp's transport hides what closed the connection, and its time-outs are not httpx's.
litellm.disable_aiohttp_transport = True
# It takes any hundred equal chunks for a fault; the deadline ends what never ends.
litellm.REPEATED_STREAMING_CHUNK_LIMIT = sys.maxsize  # type: ignore[attr-defined]
# It would load a tokenizer and count every prompt, to guess at what the provider reports.
litellm.disable_token_counter = True


def _unasked(self: OllamaModelInfo, model: str, *_: Any, **__: Any) -> dict[str, Any]:
    return {
        "key": model,
        "litellm_provider": "ollama",
        "mode": "chat",
        "input_cost_per_token": 0.0,
        "output_cost_per_token": 0.0,
        "max_tokens": None,
        "max_input_tokens": None,
        "max_output_tokens": None,
    }


# For the log of each call it would ask the server what the model costs, and hold up every call until it answers.
OllamaModelInfo.get_runtime_model_info = _unasked  # type: ignore[method-assign]

LONGEST_REPLY = 4 * 1024 * 1024
"""Characters of an answer and its reasoning, at which it is given up."""

_STREAM = "stream"
"""In `Call.without`: the server does not stream."""
FLUSH_S = 0.05
FLUSH_CHARS = 256

Send = Callable[[FromWorker], Awaitable[None]]


async def attempt(call: Call, send: Send, *, client: Any = None) -> None:
    """Make one attempt and say how it goes; the last frame is `Done` or `Failed`.

    `client` goes in place of the provider's own that litellm makes and keeps.
    """
    secrets = [*secrets_in(os.environ), call.api_key or ""]
    streaming = False
    stream: Any = None
    out = _Coalescer(call.id, send)
    try:
        stream = await litellm.acompletion(**_parameters(call), client=client)
        if _STREAM in call.without:
            stream = _Whole(stream)
        end, raw = NativeEnd(stream), RawChunks(stream)
        splitter, asked = ThinkingSplitter(), ToolCallParts()
        async for chunk in stream:
            streaming = True
            choice = next((each for each in chunk.choices or () if not each.index), None)
            if choice is None:  # one beside the answer, which nobody asked for
                continue
            delta = choice.delta if _STREAM not in call.without else choice.message
            if thought := getattr(delta, "reasoning_content", None):
                await out.add(Thought, thought)
            for is_thought, part in splitter.feed(getattr(delta, "content", None) or ""):
                await out.add(Thought if is_thought else Text, part)
            asked.add(getattr(delta, "tool_calls", None) or [])
            if out.total + asked.total > LONGEST_REPLY:
                break
        for is_thought, part in splitter.end():
            await out.add(Thought if is_thought else Text, part)
        await out.flush()
        no_stream = _is_json(stream)
    except Exception as error:
        await out.flush()
        await send(Failed(call.id, fault_of(error, call, streaming=streaming, secrets=secrets)))
        return
    finally:
        out.close()
        if stream is not None:
            await stream.aclose()
    if no_stream:
        said = "the answer is no stream"
        await send(Failed(call.id, Fault(kind="unsupported", message=said, parameter=_STREAM, retry=True)))
    else:
        await send(_ending(call, stream, out, asked, _Witness(end, raw)))


def _parameters(call: Call) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        "model": call.model,
        "messages": [wire_message(message, images="images" not in call.without) for message in call.messages],
        "api_base": call.api_base,
        "api_key": call.api_key,
        "temperature": call.temperature,
        "max_tokens": call.max_tokens,
        "stream_options": {"include_usage": True},
    }
    if _STREAM in call.without:
        del wanted["stream_options"]
    if call.tools:  # some providers refuse a schema beside them; the answer is held against it all the same
        wanted["tools"] = [wire_tool(tool) for tool in call.tools]
    elif call.json_schema is not None:
        wanted["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": call.json_schema},
        }
    chosen = {name: value for name, value in wanted.items() if value is not None and name not in call.without}
    silence = httpx.Timeout(call.silence_s, connect=min(call.connect_s, call.silence_s))
    rest = {"stream": _STREAM not in call.without, "timeout": silence, "num_retries": 0, "max_retries": 0}
    return {**chosen, **rest}


class _Whole:
    """A whole answer of a server that does not stream, used like a stream of one chunk."""

    custom_llm_provider = ""

    def __init__(self, answer: Any) -> None:
        self.chunks = [answer]
        self.received_finish_reason = answer.choices[0].finish_reason if answer.choices else None

    async def __aiter__(self) -> AsyncIterator[Any]:
        yield self.chunks[0]

    async def aclose(self) -> None:
        """Nothing is open."""


def _is_json(stream: Any) -> bool:
    """Whether the server sent one JSON text where a stream was asked for."""
    response = getattr(getattr(stream, "completion_stream", None), "response", None)
    kind = str(getattr(response, "headers", {}).get("content-type", ""))
    return not stream.chunks and kind.partition(";")[0].strip() == "application/json"


class _Witness(NamedTuple):
    """What was seen of a stream before litellm saw it."""

    end: NativeEnd
    raw: RawChunks


def _ending(call: Call, stream: Any, out: _Coalescer, asked: ToolCallParts, saw: _Witness) -> Done | Failed:
    """What a stream that ended without an error amounts to; an answer that is no use is paid for too."""
    ending = _judged(call, stream, out, asked, saw)
    if isinstance(ending, Failed) and (out.total or asked.total):
        return structs.replace(ending, usage=_usage(call, stream, _reported(stream), out.text))
    return ending


def _judged(call: Call, stream: Any, out: _Coalescer, asked: ToolCallParts, saw: _Witness) -> Done | Failed:
    if out.total + asked.total > LONGEST_REPLY:
        fault = Fault(kind="incomplete", message=f"the reply has more than {LONGEST_REPLY:,} characters")
        return Failed(call.id, fault)
    if saw.raw.lost:
        return Failed(
            call.id, Fault(kind="incomplete", message="a part of the reply is neither text nor a tool call")
        )
    text = out.text
    reason = stream.received_finish_reason
    if reason is None and stream.custom_llm_provider in PROVIDERS and (saw.end.said or not saw.end.watches):
        # litellm never notes the reason of these, and makes one up; in its words it is here.
        reason = stream.intermittent_finish_reason or _last_reason(stream.chunks)
    wrong = fault_of_ending(reason, text, call, asks=asked.some)
    if wrong is not None:
        return Failed(call.id, wrong)
    json_text = None
    try:
        tool_calls = asked.whole(call.tools)
    except Incomplete as error:  # nothing to show the model: what it said so far cannot be sent back
        return Failed(call.id, Fault(kind="incomplete", message=error.message, retry=True))
    if call.json_schema is not None and not tool_calls:
        try:
            json_text = extract_json(text, call.json_schema)
        except Incomplete as error:
            return Failed(
                call.id, Fault(kind="incomplete", message=error.message, retry=True, reask=error.message)
            )
    used = _usage(call, stream, _reported(stream), text)
    return Done(call.id, _model_named(stream, call), used, json_text, tool_calls)


def _reported(stream: Any) -> list[Any]:
    """What the provider says was used."""
    return [usage for chunk in stream.chunks if (usage := getattr(chunk, "usage", None)) is not None]


def _last_reason(chunks: list[Any]) -> str | None:
    for chunk in reversed(chunks):
        if chunk.choices and chunk.choices[0].finish_reason and getattr(chunk, "usage", None) is not None:
            return str(chunk.choices[0].finish_reason)
    return None


def _model_named(stream: Any, call: Call) -> str:
    for chunk in stream.chunks:
        if getattr(chunk, "model", None):
            return str(chunk.model)
    return call.model


def _usage(call: Call, stream: Any, reported: list[Any], text: str) -> Usage:
    """The provider's figures; without any, tokens by a rule of thumb and no price."""
    usage = reported[0] if len(reported) == 1 else None
    if len(reported) > 1:
        usage = getattr(litellm.stream_chunk_builder(stream.chunks), "usage", None)
    if usage is None or not usage.prompt_tokens:  # litellm makes one up, without the prompt
        asked = sum(len(message.content) for message in call.messages)
        return Usage(asked // 4, len(text) // 4, None)
    return Usage(usage.prompt_tokens or 0, usage.completion_tokens or 0, cost_micros(call, usage))


class _Coalescer:
    """Sends text on when there is enough of it, or when it has waited long enough."""

    def __init__(self, call_id: int, send: Send) -> None:
        self._id = call_id
        self._send = send
        self._kind: type[Text] | type[Thought] = Text
        self._held: list[str] = []
        self._chars = 0
        self._since = 0.0
        self._timer: asyncio.Task[None] | None = None
        self._said: list[str] = []
        self.total = 0
        """Characters so far, with reasoning."""

    @property
    def text(self) -> str:
        """The whole answer so far, without reasoning."""
        return "".join(self._said)

    async def add(self, kind: type[Text] | type[Thought], text: str) -> None:
        text = valid_unicode(text)
        if kind is not self._kind:
            await self.flush()
            self._kind = kind
        if kind is Text:
            self._said.append(text)
        self._held.append(text)
        self._chars += len(text)
        self.total += len(text)
        now = time.monotonic()
        if len(self._held) == 1:
            self._since = now
        if self._chars >= FLUSH_CHARS or now - self._since >= FLUSH_S:
            await self.flush()
        elif self._timer is None:
            self._timer = asyncio.create_task(self._flush_later())

    async def flush(self) -> None:
        text, self._held, self._chars = "".join(self._held), [], 0
        for start in range(0, len(text), TEXT_CHARS):
            await self._send(self._kind(self._id, text[start : start + TEXT_CHARS]))

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    async def _flush_later(self) -> None:
        await asyncio.sleep(FLUSH_S)
        self._timer = None
        await self.flush()
